"""The data on which agreement with people is measured.

``SETS`` maps a name to a data set; ``SETS[name].splits()`` returns its training
and held-out rows. Real tables are read from the data home, the folder
that the environment variable ``SKLEARN_PSCORE_DATA`` names; a set whose table
is not there is not available. Features come as they are: scaling is the
ranker's part.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.datasets import load_svmlight_file

from benchmarks.agreement.synthetic import RECIPES
from sklearn_pscore import Groups
from sklearn_pscore._directions import KNOWN_DIRECTIONS
from sklearn_pscore._experiments import challenge_experiment
from sklearn_pscore.datasets import fetch_thqa
from sklearn_pscore.datasets._remote_file import DATA_HOME_VARIABLE
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
    """

    name: str
    make: Callable
    kind: str
    file: str | None = None
    gain: str = "rank"
    is_choice: bool = False
    directions: Callable | None = None

    def splits(self):
        """Return a list of `Split`."""
        return self.make()

    def is_available(self):
        """Return whether the set needs no table, or its table is there."""
        home = os.environ.get(DATA_HOME_VARIABLE)
        return self.file is None or (home is not None and _path(self.file).exists())


def _path(file):
    return Path(os.environ[DATA_HOME_VARIABLE]) / file


def _folds(X, groups, cv_groups=None, n_folds=N_FOLDS):
    """Hold out folds of groups, or of `cv_groups` where these are given."""
    return [
        Split(X.iloc[train], groups[train], X.iloc[test], groups[test])
        for train, test in PreferenceGroupKFold(n_folds).split(X, groups, cv_groups)
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


def read_realsumm():
    """Return the metrics of summaries, and their target: articles are groups."""
    table = pd.read_csv(_path("realsumm/realsumm.csv"))
    groups = Groups.from_frame(
        table, group="group", preference="litepyramid_recall", item="item"
    )
    return table.drop(columns=["group", "item", "litepyramid_recall"]), groups


def _realsumm():
    return _folds(*read_realsumm())


def _swissmetro():
    """One row per alternative: time, cost, headway, seats, and which one it is."""
    table = pd.read_csv(_path("swissmetro/swissmetro.csv"))
    constants = pd.get_dummies(table["item"], dtype=float)[["SM", "TRAIN"]]
    X = pd.concat([table[["tt", "co", "he", "seats"]].astype(float), constants], axis=1)
    groups = Groups.from_winners(group=table["group"], winner=table["chosen"])
    return _folds(X, groups, table["person"])


def _lambdarank():
    """The example that comes with LightGBM, with its split."""
    return [Split(*_read_queries("train"), *_read_queries("test"))]


def _read_queries(part):
    folder = _path("lightgbm_lambdarank")
    X, relevance = load_svmlight_file(str(folder / f"rank.{part}"), n_features=301)
    sizes = np.loadtxt(folder / f"rank.{part}.query", dtype=int)
    frame = pd.DataFrame(X.toarray()).add_prefix("x")
    group = np.repeat(np.arange(len(sizes)), sizes)
    return frame, Groups.from_arrays(group=group, preference=relevance)


_TABLES = {
    "HANNA, stories": "hanna",
    "FRANK, summaries": "frank",
    "simplifications": "simplicity_da",
    "CoNaLa, code": "conala_code",
    "speech codecs": "speech_codec",
    "HDR video": "avt_hdr",
    "TREC News, entities": "trec_news_2018",
    "car choice": "car_choice",
}
"""Tables of the folder ``agreement/`` by the name of their set."""


def _table(name):
    """Hold out folds of a table that ``agreement/sets.json`` describes."""
    about = json.loads(_path("agreement/sets.json").read_text())[name]
    table = pd.read_csv(_path(f"agreement/{name}.csv"))
    if about["label"] == "choice":
        groups = Groups.from_winners(group=table["group"], winner=table["choice"] > 0)
    else:
        groups = Groups.from_arrays(
            group=table["group"], preference=table[about["label"]]
        )
    X = table[about["metrics"]].astype(float)
    return [_without_missing(s) for s in _folds(X, groups, table[about["block"]])]


def _without_missing(split):
    """Fill what is missing by the medians of the training rows."""
    median = split.X_train.median()
    return split._replace(
        X_train=split.X_train.fillna(median), X_test=split.X_test.fillna(median)
    )


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


_ALL = [
    DataSet(
        "THQA",
        _thqa,
        "real",
        "thqa/vvmf_results_a01.csv",
        directions=_thqa_directions,
    ),
    DataSet("RealSumm", _realsumm, "real", "realsumm/realsumm.csv"),
    DataSet(
        "Swissmetro", _swissmetro, "real", "swissmetro/swissmetro.csv", is_choice=True
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
    ),
    *(
        DataSet(
            name,
            partial(_table, table),
            "real",
            f"agreement/{table}.csv",
            is_choice=name == "car choice",
        )
        for name, table in _TABLES.items()
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
