"""The README's comparison: our rankers beside those of other libraries.

    python -m benchmarks.agreement.other_models [--sets THQA RealSumm]

runs ``compare_rankers`` on THQA by portrait and on RealSumm by article, writes
``results/other_models.csv``, one row per set, ranker and fold, and prints the table of
the README: means over five folds, ± the standard deviation
over folds (ddof=0), as `compare_rankers` prints.
"""

import argparse

import pandas as pd
from catboost import CatBoostRanker
from lightgbm import LGBMRanker
from xgboost import XGBRanker

from benchmarks.agreement.real_tables import read_realsumm
from benchmarks.shared.results import read_rows, write_rows
from sklearn_pscore import (
    GroupwiseRanker,
    LinearPreferenceRanker,
    PairwisePreferenceRanker,
    StackedRanker,
)
from sklearn_pscore.datasets import fetch_thqa
from sklearn_pscore.metrics import pairwise_accuracy_scorer
from sklearn_pscore.model_selection import compare_rankers

NAME = "other_models"


def rankers():
    """Return the rankers of the README, by name."""
    catboost = CatBoostRanker(
        loss_function="PairLogit", verbose=0, allow_writing_files=False
    )
    return {
        "defaults": PairwisePreferenceRanker(),
        "linear": LinearPreferenceRanker(),
        "stack": StackedRanker(),
        "LightGBM": GroupwiseRanker(LGBMRanker(label_gain=list(range(31)), verbose=-1)),
        "XGBoost": GroupwiseRanker(XGBRanker(objective="rank:pairwise")),
        "CatBoost": GroupwiseRanker(catboost),
    }


def _thqa():
    thqa = fetch_thqa()
    return thqa.data, thqa.groups


SETS = {"THQA": _thqa, "RealSumm": read_realsumm}


def compare(name):
    """Return the rows of one set, one per ranker and fold."""
    X, groups = SETS[name]()
    comparison = compare_rankers(
        rankers(),
        X,
        groups,
        cv=5,
        n_seeds=1,
        truth=None,
        scoring={"accuracy": pairwise_accuracy_scorer},
    )
    return comparison.rows.assign(set=name)


def table(rows):
    """Return mean and standard deviation over folds as text, sets across."""
    of_folds = rows.groupby(["method", "set"], sort=False)["accuracy"]
    shown = of_folds.mean().map("{:.3f}".format) + of_folds.std(ddof=0).map(
        " ± {:.3f}".format
    )
    return shown.unstack()[[name for name in SETS if name in set(rows["set"])]]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    for name in parser.parse_args().sets:
        old = read_rows(NAME)
        kept = old[old["set"] != name] if len(old) else old
        write_rows(NAME, pd.concat([kept, compare(name)], ignore_index=True))
    print(table(read_rows(NAME)).to_markdown())
