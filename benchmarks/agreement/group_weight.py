"""What should the pairs of a group weigh together in the fit?

The ranker with each `group_weight` on the sets whose groups differ in their number of
pairs; on all others it changes no bit.

    python -m benchmarks.agreement.group_weight [--sets NAME ...] [--seeds 3]
        [--missing] [--show] [--smoke]

writes ``results/group_weight.csv``, one row per set, choice, seed and fold, and prints
the mean accuracy by set.
"""

import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.agreement.data_sets import SETS
from benchmarks.agreement.evaluation import fits, score
from benchmarks.agreement.runs import Grid, parse, run_grid
from sklearn_pscore import PairwisePreferenceRanker

CHOICES = ["pairs", "sqrt", "equal"]
_UNEQUAL = [
    *(name for name, data in SETS.items() if data.kind == "real"),
    "metrics 100 x 25, 5 levels",
]
_EQUAL = "car choice"
_MOST_FOLDS = 5


def run(choice, data, splits, n_seeds):
    """Fit and judge a choice on the splits of a set; one row per fit."""

    def make(seed, split):
        ranker = PairwisePreferenceRanker(group_weight=choice, random_state=seed)
        return make_pipeline(StandardScaler(), ranker)

    # One method out has eight folds of one kind; all are needed.
    n_folds = None if "one method out" in data.name else _MOST_FOLDS
    return pd.DataFrame(
        {**fit, **score(model, data, split)}
        for model, split, fit in fits(make, splits[:n_folds], n_seeds)
    )


GRID = Grid(
    "group_weight",
    by="choice",
    names=CHOICES,
    sets={name: SETS[name] for name in _UNEQUAL if name != _EQUAL},
    run=run,
)


def means_by_set(rows):
    """Return sets x choices, the mean accuracy, and a last row: the mean over sets.

    Folds and seeds count alike inside a set, and sets in the mean.
    """
    table = rows.pivot_table("accuracy", "set", "choice", sort=False)[CHOICES]
    table.loc["mean"] = table.mean()
    return table


def main():
    """Run what was asked for, write the rows and print the table."""
    args = parse(GRID, __doc__, seeds=3, smoke_sets=["simplifications"])
    print(means_by_set(run_grid(GRID, args)).round(4).to_string())


if __name__ == "__main__":
    main()
