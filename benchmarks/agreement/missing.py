"""What is it worth that the ranker takes missing metrics, instead of an imputer?

Three in ten values of real sets are removed: any of them, at random; or more of the
low ones of each metric, so that it says something of an item what it lacks. The ranker
takes NaN itself, or is put behind an imputer; trees that take NaN are beside it.

    python -m benchmarks.agreement.missing [--sets NAME ...] [--handlings NAME ...]
        [--seeds 3] [--missing] [--show] [--smoke]

writes ``results/missing.csv``, one row per set, handling, seed and fold, and prints the
mean accuracy by set.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.agreement.data_sets import SETS, Split
from benchmarks.agreement.evaluation import fits, paired_difference, score
from benchmarks.agreement.rankers import RANKERS
from benchmarks.agreement.runs import Grid, parse, run_grid
from sklearn_pscore import PairwisePreferenceRanker

SHARE = 0.3
OURS = "taken"
IMPUTED = "median before"
_TREES = "XGBoost, small"


def _ranker(seed, *steps):
    ranker = PairwisePreferenceRanker(random_state=seed)
    return make_pipeline(*steps, StandardScaler(), ranker)


HANDLINGS = {
    OURS: _ranker,
    IMPUTED: lambda seed: _ranker(seed, SimpleImputer(strategy="median")),
    "median and indicator before": lambda seed: _ranker(
        seed, SimpleImputer(strategy="median", add_indicator=True)
    ),
    _TREES: lambda seed: RANKERS[_TREES].make(seed, None),
}
"""How a missing value is handled: ours, the two of an imputer, and trees."""


def chance_at_random(X):
    """Return the chance of each value to be removed, which is the same."""
    return np.full(X.shape, SHARE)


def chance_if_low(X):
    """Return the chance of each value to be removed: the lower half of a metric only."""
    return np.where(np.median(X, axis=0) > X, 2 * SHARE, 0.0)


RULES = {"at random": chance_at_random, "low values": chance_if_low}


def without_some(data, chance):
    """Return the splits of a set, with values removed.

    Every split of its rows lacks the same values.

    Parameters
    ----------
    data : DataSet
        Each of its splits has all rows, by an index that numbers them.
    chance : callable
        Of `RULES`.
    """
    splits = data.splits()
    X = pd.concat([splits[0].X_train, splits[0].X_test]).sort_index()
    is_removed = np.random.default_rng(0).random(X.shape) < chance(X.to_numpy(float))
    X = X.astype(float).mask(is_removed)
    return [
        Split(
            X.loc[split.X_train.index],
            split.groups_train,
            X.loc[split.X_test.index],
            split.groups_test,
        )
        for split in splits
    ]


def run(handling, data, splits, n_seeds):
    """Fit and judge one way to handle what is missing; one row per fit."""
    n_seeds = 1 if handling == _TREES else n_seeds
    return pd.DataFrame(
        {**fit, **score(model, data, split)}
        for model, split, fit in fits(
            lambda seed, _: HANDLINGS[handling](seed), splits, n_seeds
        )
    )


_BASES = ("THQA", "RealSumm", "HANNA, stories", "simplifications")
_REMOVED = {
    f"{name}, {rule}": replace(
        SETS[name],
        name=f"{name}, {rule}",
        make=partial(without_some, SETS[name], chance),
    )
    for name in _BASES
    for rule, chance in RULES.items()
}
GRID = Grid("missing", by="handling", names=list(HANDLINGS), sets=_REMOVED, run=run)


def summary(rows):
    """Return the mean accuracy by set and handling, and what ours gains over an imputer.

    The gain is paired over folds, `half` of its 95 % interval beside it.
    """
    table = rows.pivot_table("accuracy", "set", "handling", sort=False)
    table = table.reindex(columns=list(HANDLINGS))
    folds = rows.pivot_table("accuracy", ["set", "fold"], "handling", sort=False)
    gains = [
        paired_difference(folds.loc[name, OURS], folds.loc[name, IMPUTED])
        for name in table.index
    ]
    return table.assign(gain=[g for g, _ in gains], half=[half for _, half in gains])


def main():
    """Run what was asked for, write the rows and print the table."""
    args = parse(GRID, __doc__, seeds=3, smoke_sets=["simplifications, at random"])
    print(summary(run_grid(GRID, args)).round(4).to_string())


if __name__ == "__main__":
    main()
