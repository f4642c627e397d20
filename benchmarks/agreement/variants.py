"""What is each default of the ranker worth, and would other data choose others?

The ranker with one default changed at a time, on real sets and on the smaller
synthetic ones of ``data_sets.py``; and, for comparison, with the defaults that
it had before these rows.

    python -m benchmarks.agreement.variants [--sets NAME ...] [--variants NAME ...]
        [--seeds 1] [--missing] [--out NAME] [--show] [--smoke]

writes ``results/variants.csv``, one row per set, variant, seed and fold, and
prints means, the differences to the defaults, and the choice if each set in turn
is left out: the variant that is best on the other sets, and its accuracy on the
one left out.
"""

from unittest.mock import patch

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.agreement.data_sets import SETS
from benchmarks.agreement.evaluation import fits, score
from benchmarks.agreement.runs import Grid, parse, run_grid
from sklearn_pscore import PairwisePreferenceRanker
from sklearn_pscore._experiments import PAPER_RANKER
from sklearn_pscore._torch import stacking

DEFAULTS = "defaults"
MONOTONIC = "monotonic in known directions"
PENALTIES = "penalties of the shortcut"

VARIANTS = {
    DEFAULTS: {},
    "linear shortcut": {"shortcut": "linear"},
    "no shortcut": {"shortcut": None},
    "5 pieces": {"n_pieces": 5},
    "20 pieces": {"n_pieces": 20},
    "weaker penalties": {PENALTIES: ((False, 1.0), (True, 10.0), (True, 100.0))},
    "stronger penalties": {PENALTIES: ((False, 30.0), (True, 300.0), (True, 3000.0))},
    "no hidden layer": {"hidden_layer_sizes": ()},
    "layers (32,)": {"hidden_layer_sizes": (32,)},
    "layers (64, 32)": {"hidden_layer_sizes": (64, 32)},
    "batch norm": {"batch_norm": True},
    "no input clipping": {"input_clip": None},
    "dropout 0.3": {"dropout": 0.3},
    "input dropout 0.2": {"input_dropout": 0.2},
    "weight decay 0.01": {"weight_decay": 0.01},
    "weight decay 0.3": {"weight_decay": 0.3},
    "one member": {"n_members": 1},
    "10 members": {"n_members": 10},
    "nothing left out": {"leave_out": False},
    "early stopping": {"early_stopping": True},
    "lambdarank": {"loss": "lambdarank"},
    "listnet": {"loss": "listnet"},
    MONOTONIC: {},
    "as before": {
        "hidden_layer_sizes": (32,),
        "n_pieces": 8,
        "dropout": 0.3,
        "input_dropout": 0.2,
        "weight_decay": 0.3,
        PENALTIES: ((False, 30.0), (True, 30.0), (True, 300.0), (True, 3000.0)),
    },
    "the paper's network": PAPER_RANKER,
}
"""Parameters that differ from the defaults, by the name of the variant."""

SMALL_SETS = [
    "THQA",
    "RealSumm",
    "lambdarank",
    "THQA, one method out",
    "head challenge, talking",
    "metrics 20 x 8",
    "metrics 40 x 10, winners",
    "metrics 60 x 12, group effects",
    "metrics 100 x 8",
    "metrics 30 x 20, outliers",
    "xor, 40 x 8, 2 features",
    "linear, 20 x 8",
    "linear, 60 x 10, label noise",
    "saturating, 100 x 10",
    "stepped, 100 x 10",
    "interactions, 200 x 10",
]
"""Sets on which a variant takes seconds."""

_CONSTRAINT = {"larger": 1, "smaller": -1}
_MOST_FOLDS = 5


def parameters(variant, data, X):
    """Return the parameters of a variant on a set."""
    if variant == MONOTONIC:
        directions = data.directions()
        return {
            "monotonic_cst": {
                name: _CONSTRAINT[directions[name]]
                for name in X.columns
                if directions.get(name) in _CONSTRAINT
            }
        }
    params = {k: v for k, v in VARIANTS[variant].items() if k != PENALTIES}
    return params | {"gain": data.gain} if variant == "lambdarank" else params


def run(variant, data, splits, n_seeds):
    """Fit and judge a variant on all splits of a set; one row per fit."""

    def make(seed, split):
        params = parameters(variant, data, split.X_train)
        ranker = PairwisePreferenceRanker(**params, random_state=seed)
        # Constraints by name need the names behind the scaler too.
        scaler = StandardScaler().set_output(transform="pandas")
        return make_pipeline(scaler, ranker)

    # One method out has eight folds of one kind; all are needed.
    n_folds = None if "one method out" in data.name else _MOST_FOLDS
    penalties = VARIANTS[variant].get(PENALTIES, stacking._CANDIDATES)
    with patch.object(stacking, "_CANDIDATES", penalties):
        return pd.DataFrame(
            {**fit, **score(model, data, split)}
            for model, split, fit in fits(make, splits[:n_folds], n_seeds)
        )


GRID = Grid(
    "variants",
    by="variant",
    names=list(VARIANTS),
    sets=SETS,
    run=run,
    suits=lambda variant, data: variant != MONOTONIC or data.directions is not None,
)


def means_by_set(table, metric="accuracy"):
    """Return variants x sets, the means over folds and seeds."""
    return table.pivot_table(metric, "variant", "set", sort=False)


def differences(means):
    """Return the mean of each variant over sets, and its difference to the defaults."""
    gaps = means - means.loc[DEFAULTS]
    n_sets = gaps.notna().sum(axis=1)
    return pd.DataFrame(
        {
            "sets": n_sets,
            "difference": gaps.mean(axis=1),
            "standard error over sets": gaps.std(axis=1, ddof=1) / np.sqrt(n_sets),
            "worst set": gaps.min(axis=1),
            "best set": gaps.max(axis=1),
        }
    ).sort_values("difference", ascending=False)


def leave_one_out(means):
    """Return, for each set, the choice of the other sets and its accuracy here."""
    everywhere = means.dropna()
    rows = []
    for name in everywhere:
        chosen = everywhere.drop(columns=name).mean(axis=1).idxmax()
        reached, default = everywhere.loc[[chosen, DEFAULTS], name]
        rows.append((name, chosen, reached, default))
    return pd.DataFrame(rows, columns=["left out", "chosen", "reached", DEFAULTS])


def show(table):
    """Print means by set, differences to the defaults, and the leave-one-out choice."""
    means = means_by_set(table)
    print(means.T.round(4).to_string(), "\n")
    if DEFAULTS not in means.index:
        return
    print(differences(means).round(4).to_string(), "\n")
    if means.shape[1] < 2:
        return
    choice = leave_one_out(means)
    print("chosen on the other sets, and reached on the one that was left out")
    print(choice.round(4).to_string(index=False))
    print(choice[["reached", DEFAULTS]].mean().round(4).to_string())


def main():
    """Run the variants asked for, write their rows and print the tables."""
    args = parse(
        GRID,
        __doc__,
        sets=SMALL_SETS,
        seeds=1,
        smoke_sets=["linear, 20 x 8"],
        smoke_names=[DEFAULTS, "one member"],
    )
    show(run_grid(GRID, args))


if __name__ == "__main__":
    main()
