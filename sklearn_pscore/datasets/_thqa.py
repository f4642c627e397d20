"""THQA: eight talking-head methods, judged by people on a hundred inputs."""

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from sklearn_pscore._target.groups import Groups
from sklearn_pscore.datasets._description import description
from sklearn_pscore.datasets._remote_file import RemoteFile

_NAME = "vvmf_results_a01.csv"
_COMMIT = "c75c7cbe4e54caba5bfd78885d5c6983fbe14379"
THQA_FILE = RemoteFile(
    title="THQA",
    path=f"thqa/{_NAME}",
    url=f"https://raw.githubusercontent.com/zyj-2000/THQA/{_COMMIT}/{_NAME}",
    sha256="4662163b3f6951ce317d963b8f136b8a745b22c1bfd3368c1016a5ac0c6ecd0b",
)
"""The metrics and mean opinions, as the authors of THQA published them."""

# Every other column is a quality or a similarity: larger is better.
_DIRECTIONS = {
    "brisque": "smaller",
    "pi": "smaller",
    "avset": "nearest_zero",
    "distance": "smaller",
}


def fetch_thqa(data_home=None, download_if_missing=True):
    """Load the THQA talking-head videos with metrics and mean opinions.

    800 videos: 20 portraits times 5 speech clips are 100 groups, and each is
    rendered by the same 8 speech-driven methods [1]_. Rows come in the order of
    the upstream file, which is downloaded once (247 kB) and never changed.

    A portrait is a block, kept in one fold by the package's splitters, since the same
    face appears in five groups; scikit-learn's want ``groups=thqa.portraits``. The
    method's identity alone, its mean opinion on the training folds and no metric at
    all, reaches a pairwise accuracy of 0.807 in 5 folds by portrait: say so wherever
    a figure on this data is quoted.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder that has, or is to get, ``thqa/vvmf_results_a01.csv``. None takes
        the environment variable ``SKLEARN_PSCORE_DATA`` and, if that is not set,
        a cache folder of the user. It may be read-only if the file is there.
    download_if_missing : bool, default=True
        Whether to download the file if it is not there.

    Returns
    -------
    thqa : Bunch
        With the attributes

        data : DataFrame of shape (800, 24), float64
            The metrics, named as upstream.
        groups : structured ndarray of shape (800,)
            The target: `group` is portrait and speech clip, `preference` the
            mean opinion score (0.1 to 5, larger is better), `item` the method,
            `block` the portrait.
        portraits : ndarray of shape (800,), str
            The portrait of each row.
        feature_names : list of str
            The 24 column names.
        directions : dict
            ``"larger"``, ``"smaller"`` or ``"nearest_zero"`` by column name.
        DESCR : str
            Source, license, and what each column is.

    Raises
    ------
    ValueError
        If the file that is there is not the known one, by its SHA-256. It is
        kept and not used.
    OSError
        If the file is not there and may not (FileNotFoundError) or cannot be
        downloaded. The message says where to put it.

    See Also
    --------
    make_head_challenge : Synthetic data with known truth; needs no download.

    References
    ----------
    .. [1] Zhou et al., "THQA: A Perceptual Quality Assessment Database for
       Talking Heads", ICIP 2024, arXiv:2404.09003.

    Examples
    --------
    >>> from sklearn_pscore.datasets import fetch_thqa
    >>> thqa = fetch_thqa()  # doctest: +SKIP
    >>> thqa.data.shape  # doctest: +SKIP
    (800, 24)
    >>> thqa.groups["item"][:2].tolist()  # doctest: +SKIP
    ['ahead', 'dinet']
    """
    return read_thqa(THQA_FILE.fetch(data_home, download_if_missing))


def read_thqa(path):
    """Return the Bunch of a file with the columns Image, the metrics and Score."""
    frame = pd.read_csv(path)
    image = frame["Image"].str
    # An image is <portrait>_voice_<language>_<id>_<method>.
    parts = image.rpartition("_")
    data = frame.drop(columns=["Image", "Score"]).astype(np.float64)
    feature_names = data.columns.tolist()
    portraits = np.asarray(image.partition("_voice")[0].tolist(), dtype=str)
    return Bunch(
        data=data,
        groups=Groups.from_arrays(
            group=parts[0],
            preference=frame["Score"],
            item=parts[2],
            block=portraits,
        ),
        portraits=portraits,
        feature_names=feature_names,
        directions={name: _DIRECTIONS.get(name, "larger") for name in feature_names},
        DESCR=description(
            "thqa.rst", commit=_COMMIT, name=_NAME, sha256=THQA_FILE.sha256
        ),
    )
