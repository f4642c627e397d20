"""The data on which agreement with people is measured.

``SETS`` maps a name to a data set; ``SETS[name].splits()`` returns its training
and held-out rows. Real tables are read by ``real_tables.py``; a set whose table is not
in the data home is not available. Features come as they are, missing ones too: scaling
is the ranker's part.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.agreement.real_tables import (
    TABLES,
    is_there,
    read_queries,
    read_realsumm,
    read_swissmetro,
    read_table,
)
from benchmarks.agreement.synthetic import RECIPES
from sklearn_pscore import Groups
from sklearn_pscore._directions import KNOWN_DIRECTIONS
from sklearn_pscore._experiments import challenge_experiment
from sklearn_pscore.datasets import fetch_thqa
from sklearn_pscore.model_selection import PreferenceGroupKFold

N_FOLDS = 5


class Split(NamedTuple):
    """Rows to train on and rows to judge on, each with their target."""

    X_train: pd.DataFrame
    groups_train: np.ndarray
    X_test: pd.DataFrame
    groups_test: np.ndarray


@dataclass(frozen=True)
class DataSet:
    """A named way to get splits.

    Attributes
    ----------
    name : str
    make : callable
        Without arguments; returns the list of splits.
    kind : {"real", "synthetic"}
    file : str or None
        Path of the table inside the data home.
    gain : str
        Gain of NDCG.
    is_choice : bool
        Whether each group is a choice of one item, judged by log loss too.
    directions : callable or None
        Returns the known directions by feature name, for #Top1 and RS.
    is_split_again : bool
        Whether these are the rows of another set, split in another way. Means over
        sets leave it out, so that each table counts once.
    """

    name: str
    make: Callable
    kind: str
    file: str | None = None
    gain: str = "rank"
    is_choice: bool = False
    directions: Callable | None = None
    is_split_again: bool = False

    def splits(self):
        """Return a list of `Split`."""
        return self.make()

    def is_available(self):
        """Return whether the set needs no table, or its table is there."""
        return self.file is None or is_there(self.file)


def _folds(X, groups, n_folds=N_FOLDS):
    """Hold out folds of groups, or of blocks where the target has these."""
    return [
        Split(X.iloc[train], groups[train], X.iloc[test], groups[test])
        for train, test in PreferenceGroupKFold(n_folds).split(X, groups)
    ]


def _thqa():
    bunch = fetch_thqa()
    return _folds(bunch.data, bunch.groups)


def _thqa_leave_one_method_out():
    """Train without one method; judge each of its pairs as a group of its own."""
    bunch = fetch_thqa()
    # Portraits are on both sides here: no block of this split.
    groups = bunch.groups[[f for f in bunch.groups.dtype.names if f != "block"]]
    method = groups["item"]
    return [
        Split(
            bunch.data[method != held_out],
            groups[method != held_out],
            *_pairs_that_hold(bunch.data, groups, held_out),
        )
        for held_out in np.unique(method)
    ]


def _pairs_that_hold(X, groups, item):
    """Return the pairs of an item and another of its group, a group each."""
    rows = pd.DataFrame({"group": groups["group"], "row": np.arange(len(groups))})
    is_item = groups["item"] == item
    pairs = rows[~is_item].merge(rows[is_item], on="group", suffixes=("_other", ""))
    pair_rows = pairs[["row", "row_other"]].to_numpy().ravel()
    return X.iloc[pair_rows], Groups.from_arrays(
        group=np.repeat(np.arange(len(pairs)), 2),
        preference=groups["preference"][pair_rows],
    )


def _folds_of(read):
    """Hold out folds of what a reader of real_tables.py returns."""
    return _folds(*read())


def _lambdarank():
    """The example that comes with LightGBM, with its split."""
    return [Split(*read_queries("train"), *read_queries("test"))]


def challenge_splits(track, *, n_train=20, n_draws=5, with_donors=False):
    """Learn from the awards of `n_train` challenges, judge by the true order."""
    splits = []
    for seed in range(n_draws):
        experiment = challenge_experiment(track, n_train=n_train, random_state=seed)
        kept = with_donors | ~experiment.groups["donor"]
        splits.append(
            Split(experiment.X[kept], experiment.groups[kept], *experiment.test)
        )
    return splits


def _draws(recipe):
    return [Split(*recipe.draw(seed)) for seed in range(recipe.n_draws)]


def _thqa_directions():
    return fetch_thqa().directions


_GRADED = ("TREC News, entities", "CoNaLa, code")
_ALL = [
    DataSet(
        "THQA",
        _thqa,
        "real",
        "thqa/vvmf_results_a01.csv",
        directions=_thqa_directions,
    ),
    DataSet(
        "RealSumm", partial(_folds_of, read_realsumm), "real", "realsumm/realsumm.csv"
    ),
    DataSet(
        "Swissmetro",
        partial(_folds_of, read_swissmetro),
        "real",
        "swissmetro/swissmetro.csv",
        is_choice=True,
    ),
    DataSet(
        "lambdarank",
        _lambdarank,
        "real",
        "lightgbm_lambdarank/rank.train",
        gain="exponential",
    ),
    DataSet(
        "THQA, one method out",
        _thqa_leave_one_method_out,
        "real",
        "thqa/vvmf_results_a01.csv",
        directions=_thqa_directions,
        is_split_again=True,
    ),
    *(
        DataSet(
            name,
            partial(_folds_of, partial(read_table, table)),
            "real",
            f"agreement/{table}.csv",
            # Grades 0 to 4, as in web search.
            gain="exponential" if name in _GRADED else "rank",
            is_choice=name == "car choice",
        )
        for name, table in TABLES.items()
    ),
    *(
        DataSet(
            f"head challenge, {track}",
            partial(challenge_splits, track),
            "synthetic",
            directions=lambda: dict(KNOWN_DIRECTIONS),
        )
        for track in ("talking", "listening")
    ),
    *(DataSet(r.name, partial(_draws, r), "synthetic") for r in RECIPES),
]

SETS = {data.name: data for data in _ALL}
"""Every data set by its name, available or not."""

REAL_SETS = [d.name for d in _ALL if d.kind == "real" and not d.is_split_again]
"""Names of the real sets, each table once."""
