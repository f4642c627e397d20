"""Is a stack worth it, and which third member is?

Single rankers and stacks of them on real sets, with folds that hold out groups.

    python -m benchmarks.agreement.stack [--sets NAME ...] [--seeds 1] [--missing]
        [--show] [--smoke]

writes ``results/stack.csv``, one row per set, ranker, seed and fold, after each ranker,
and prints the differences to the defaults. Stacks share the fits of their members: a
member is fitted once to the same rows, and `fit_seconds` is what the fit took beside.
"""

import hashlib
from unittest.mock import patch

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.agreement.data_sets import REAL_SETS, SETS
from benchmarks.agreement.evaluation import (
    differences_by_set,
    fits,
    over_sets,
    score,
)
from benchmarks.agreement.rankers import CatBoost
from benchmarks.agreement.runs import Grid, parse, run_grid
from benchmarks.shared.results import n_threads
from sklearn_pscore import (
    LinearPreferenceRanker,
    PairwisePreferenceRanker,
    PlainTarget,
    StackedRanker,
)
from sklearn_pscore._rankers import stacked

DEFAULTS = "defaults"
SETS_RUN = {name: SETS[name] for name in REAL_SETS}
"""The real sets, each table once."""

_MOST_FOLDS = 3


def _trees(seed):
    # Leaves of three rows, for a preference is noisy. Nothing else was tried.
    trees = ExtraTreesRegressor(
        300, min_samples_leaf=3, random_state=seed, n_jobs=n_threads()
    )
    return PlainTarget(trees)


MEMBERS = {
    DEFAULTS: lambda seed: make_pipeline(
        StandardScaler(), PairwisePreferenceRanker(random_state=seed)
    ),
    "linear": lambda seed: LinearPreferenceRanker(),
    'linear, C="cv"': lambda seed: LinearPreferenceRanker(C="cv"),
    "CatBoost": lambda seed: CatBoost("PairLogit", seed),
    "ExtraTrees": _trees,
}
"""Makes each ranker of a seed."""

STACKS = {
    "stack: defaults, linear": [DEFAULTS, "linear"],
    "stack: defaults, linear, CatBoost": [DEFAULTS, "linear", "CatBoost"],
    "stack: defaults, linear, ExtraTrees": [DEFAULTS, "linear", "ExtraTrees"],
    "stack: all four": [DEFAULTS, "linear", "CatBoost", "ExtraTrees"],
    "stack: defaults, linear, ExtraTrees, pull 100": [DEFAULTS, "linear", "ExtraTrees"],
    "stack: defaults, linear, ExtraTrees, pull 1000": [
        DEFAULTS,
        "linear",
        "ExtraTrees",
    ],
}
"""Names of the members of each stack."""

PULLS = {
    "stack: defaults, linear, ExtraTrees, pull 100": 100.0,
    "stack: defaults, linear, ExtraTrees, pull 1000": 1000.0,
}
"""Pull of the weights towards equal ones, where it is not the default one of 10."""

_FITTED = {}


class FittedOnce(BaseEstimator):
    """A ranker of `MEMBERS` that is fitted once to the same rows."""

    def __init__(self, member, seed):
        self.member = member
        self.seed = seed

    def fit(self, X, y):
        rows = np.ascontiguousarray(X).tobytes() + np.ascontiguousarray(y).tobytes()
        key = self.member, self.seed, hashlib.blake2b(rows).digest()
        if key not in _FITTED:
            _FITTED[key] = MEMBERS[self.member](self.seed).fit(X, y)
        self.ranker_ = _FITTED[key]
        return self

    def predict(self, X):
        return self.ranker_.predict(X)


def make(name, seed):
    """Return an unfitted ranker, or a stack of some."""
    if name in MEMBERS:
        return FittedOnce(name, seed)
    members = [(member, FittedOnce(member, seed)) for member in STACKS[name]]
    return StackedRanker(members, random_state=seed)


def run(name, data, splits, n_seeds):
    """Fit and judge a ranker on the splits of a set; one row per fit."""
    if name == DEFAULTS:
        # It comes first; fits to other sets are not needed any more.
        _FITTED.clear()
    rows = []
    with patch.object(stacked, "_PULL", PULLS.get(name, stacked._PULL)):
        for model, split, fit in fits(
            lambda seed, split: make(name, seed), splits[:_MOST_FOLDS], n_seeds
        ):
            weights = dict(
                zip(STACKS.get(name, ()), getattr(model, "weights_", ()), strict=True)
            )
            rows.append({**fit, **score(model, data, split), **_named(weights)})
    return pd.DataFrame(rows)


def _named(weights):
    return {f"weight of {name}": weight for name, weight in weights.items()}


GRID = Grid("stack", by="ranker", names=[*MEMBERS, *STACKS], sets=SETS_RUN, run=run)


def means_by_set(rows):
    """Return sets x rankers, the mean accuracy."""
    table = rows.pivot_table("accuracy", "set", "ranker", sort=False)
    return table[[name for name in GRID.names if name in table]]


def differences(rows):
    """Return the differences to the defaults over sets, one row per ranker."""
    gaps = differences_by_set(rows, "ranker", DEFAULTS)
    return over_sets(gaps.loc[[name for name in GRID.names if name in gaps.index]])


def leave_one_out(rows):
    """Return, for each set, the stack that is best on the others, and what it gains.

    The gains are over the defaults alone, on the set that was left out.
    """
    gaps = differences_by_set(rows, "ranker", DEFAULTS)
    gaps = gaps.loc[[name for name in STACKS if name in gaps.index]].dropna(axis=1)
    chosen = {
        name: gaps.drop(columns=name).mean(axis=1).idxmax()
        for name in (gaps if gaps.shape[1] > 1 else ())
    }
    gains = [gaps.loc[stack, name] for name, stack in chosen.items()]
    return pd.DataFrame({"chosen": pd.Series(chosen, dtype=object), "gain": gains})


def main():
    """Run what was asked for, write the rows and print the tables."""
    args = parse(GRID, __doc__, seeds=1, smoke_sets=["speech codecs"])
    rows = run_grid(GRID, args)
    print(means_by_set(rows).T.round(4).to_string(), "\n")
    print(differences(rows).round(4).to_string(), "\n")
    print("the stack that is best on the other sets, and what it gains on this one")
    print(leave_one_out(rows).round(4).to_string())


if __name__ == "__main__":
    main()
