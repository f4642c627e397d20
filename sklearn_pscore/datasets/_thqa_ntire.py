"""THQA-NTIRE: fourteen talkers, judged by people on 780 generated portraits."""

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from sklearn_pscore._target.groups import Groups
from sklearn_pscore.datasets._description import description
from sklearn_pscore.datasets._remote_file import RemoteFile

_COMMIT = "8569325928a818dcc4651644b112e48a4549cb77"
_SHA256 = {
    "train": "3fdde7abf29f6494f3c7b9a1b7c3d39c840469119a76913608ce0fb0feb22820",
    "val": "8235c9fc55f4d64a607a3268b2f7b7aad92551431794cb8b0c69c1ff51e4d9bc",
    "test": "604c2f5d69e5e6a64d52399da799c5eebd7c9e60da482db43513437691d35809",
}
THQA_NTIRE_FILES = {
    subset: RemoteFile(
        title="THQA-NTIRE",
        path=f"thqa_ntire/thqa_ntire_{subset}.csv",
        url="https://raw.githubusercontent.com/zyj-2000/THQA-NTIRE/"
        f"{_COMMIT}/thqa_ntire_{subset}.csv",
        sha256=sha256,
    )
    for subset, sha256 in _SHA256.items()
}
"""The mean opinions of each part of the challenge, as its authors published them."""

# <portrait>_<image model>_common_voice_<language>_<id>_<talker>.mp4
_NAME = (
    r"^(?P<portrait>\d+)_(?P<image_model>.+)_(?P<voice>common_voice_.+)_"
    r"(?P<talker>[^_]+)\.mp4$"
)


def fetch_thqa_ntire(data_home=None, download_if_missing=True):
    """Load the mean opinions of the THQA-NTIRE talking heads.

    10,447 videos of the challenge at NTIRE 2025 [1]_: a portrait drawn by one of 12
    text-to-image models after one of 14 descriptions, with a voice, is animated by up
    to 14 talkers. Each such portrait with its voice is a group, of 7 to 14 talkers.
    There are opinions and no metrics: it is data for leaderboards of the talkers. The
    three files are downloaded once (0.6 MB) and never changed.

    A description is a block, kept together by splits and bootstraps. The
    talker's identity alone, its mean opinion on the training folds, reaches a pairwise
    accuracy of 0.796 in 5 folds by description.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder that has, or is to get, ``thqa_ntire/thqa_ntire_train.csv`` and the
        files of `val` and `test` beside it. None takes the environment variable
        ``SKLEARN_PSCORE_DATA`` and, if that is not set, a cache folder of the user.
    download_if_missing : bool, default=True
        Whether to download files that are not there.

    Returns
    -------
    thqa_ntire : Bunch
        With the attributes

        data : DataFrame of shape (10447, 0)
            No metrics, but as many rows.
        groups : structured ndarray of shape (10447,)
            The target: `group` is portrait and voice, `preference` the mean opinion
            score (0 to 5, larger is better), `item` the talker, `block` the
            description.
        portraits : ndarray of shape (10447,), str
            Number of the description that the portrait was drawn after.
        image_models : ndarray of shape (10447,), str
            The text-to-image model that drew it.
        subsets : ndarray of shape (10447,), str
            "train", "val" or "test", the part of the challenge.
        feature_names : list
            Empty.
        directions : dict
            Empty.
        DESCR : str
            Source, license, and what a name is made of.

    Raises
    ------
    ValueError
        If a file that is there is not the known one, by its SHA-256. It is kept and
        not used.
    OSError
        If a file is not there and may not (FileNotFoundError) or cannot be
        downloaded. The message says where to put it.

    See Also
    --------
    fetch_thqa : Eight methods with 24 metrics.
    sklearn_pscore.inspection.bootstrap_leaderboard : Which talker is best.

    References
    ----------
    .. [1] Liu et al., "NTIRE 2025 XGC Quality Assessment Challenge: Methods and
       Results", CVPR Workshops 2025, arXiv:2506.02875.

    Examples
    --------
    >>> from sklearn_pscore.datasets import fetch_thqa_ntire
    >>> thqa_ntire = fetch_thqa_ntire()  # doctest: +SKIP
    >>> len(set(thqa_ntire.groups["item"]))  # doctest: +SKIP
    14
    """
    paths = {
        subset: file.fetch(data_home, download_if_missing)
        for subset, file in THQA_NTIRE_FILES.items()
    }
    return read_thqa_ntire(paths)


def read_thqa_ntire(paths):
    """Return the Bunch of files with the columns Video and Score, by their subset."""
    frames = [pd.read_csv(path).assign(subset=name) for name, path in paths.items()]
    frame = pd.concat(frames, ignore_index=True)
    parts = frame["Video"].str.extract(_NAME)
    # The others are videos of THQA, and of 3D heads.
    kept = parts["talker"].notna()
    frame, parts = frame[kept], parts[kept]
    group = parts["portrait"].str.cat([parts["image_model"], parts["voice"]], sep="_")
    return Bunch(
        data=pd.DataFrame(index=range(len(frame))),
        groups=Groups.from_arrays(
            group=group,
            preference=frame["Score"],
            item=parts["talker"],
            block=parts["portrait"],
        ),
        portraits=_text(parts["portrait"]),
        image_models=_text(parts["image_model"]),
        subsets=_text(frame["subset"]),
        feature_names=[],
        directions={},
        DESCR=description("thqa_ntire.rst", commit=_COMMIT, **_SHA256),
    )


def _text(column):
    """Return a column as fixed-width strings."""
    return np.asarray(column.tolist(), dtype=str)
