"""What is each default of the ranker worth, and would other data choose others?

The ranker with one default changed at a time, on real sets and on the smaller
synthetic ones of ``data_sets.py``; and, for comparison, with the defaults that
it had before these rows.

    python -m benchmarks.agreement.variants [--sets NAME ...] [--variants NAME ...]
        [--real] [--folds N] [--seeds 1] [--missing] [--as NAME] [--out NAME]
        [--show] [--smoke]

writes ``results/variants.csv``, one row per set, variant, seed and fold, and
prints means, the differences to the defaults, and the choice if each set in turn
is left out: the variant that is best on the other sets, and its accuracy on the
one left out. All are paired over the folds that a variant and the defaults have.
``--real`` runs real sets alone. A change that is not kept has its rows too, see `TRIED`.
"""

from dataclasses import dataclass
from unittest.mock import patch

import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.agreement.comparison import counted
from benchmarks.agreement.data_sets import REAL_SETS, SETS
from benchmarks.agreement.evaluation import (
    differences_by_set,
    fits,
    over_sets,
    score,
)
from benchmarks.agreement.runs import Grid, parse, run_grid
from sklearn_pscore import PairwisePreferenceRanker
from sklearn_pscore._experiments import PAPER_RANKER
from sklearn_pscore._torch import shortcut_fit

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


@dataclass(frozen=True)
class Tried:
    """A change that was tried, and what its rows are compared to.

    Attributes
    ----------
    what : str
        What was changed, in a few words.
    base : str
        Name of the rows without the change, of the same time.
    """

    what: str
    base: str = DEFAULTS


_ALL_FEATURES = "all features"
_STRENGTHS = "strengths"
_ALL_GROUPS = "strengths in fewer steps"
TRIED = {
    _STRENGTHS: Tried("a strength of each feature's curve: kept", _ALL_FEATURES),
    "strengths of one way": Tried(
        "strengths by the way with the smallest loss, not by the weighed sum of ways",
        _ALL_FEATURES,
    ),
    "strengths without the price": Tried(
        "strengths of what the price selects, fitted again without it", _ALL_FEATURES
    ),
    "more lines": Tried(
        "linear shortcuts of ridge strengths 30 and 300, too", _STRENGTHS
    ),
    "a stronger penalty, too": Tried("curves of ridge strength 10,000, too"),
    "stronger penalties of curves": Tried(
        "ridge strengths of curves 100, 1,000 and 10,000, not 30, 100 and 1,000"
    ),
    "stronger penalties, a second line": Tried(
        "those, and a linear shortcut of ridge strength 30"
    ),
    "strengths by groups in effect": Tried(
        "strengths pulled to 1 by the groups in effect, sets with groups of many sizes "
        "alone: kept",
        _ALL_GROUPS,
    ),
}
"""Changes whose rows stay in ``results/variants.csv``, by the name of their rows.

``--variants defaults --as NAME`` writes such rows from code that has the change. Where
the defaults change later, write rows of the earlier ones by a name of their own first,
and make that the base.
"""

SMALL_SETS = [
    *(name for name in REAL_SETS if name != "Swissmetro"),
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
    n_folds = None if data.is_split_again else _MOST_FOLDS
    penalties = VARIANTS[variant].get(PENALTIES, shortcut_fit._CANDIDATES)
    with patch.object(shortcut_fit, "_CANDIDATES", penalties):
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


def differences(rows, kind="all"):
    """Return what each variant gains over the defaults, over the sets of a kind.

    Rows of variants that are kept in `TRIED` are left out.
    """
    rows = counted(rows[~rows["variant"].isin(_tried_names())], kind)
    gaps = differences_by_set(rows, "variant", DEFAULTS)
    return over_sets(gaps).sort_values("difference", ascending=False)


def differences_of_tried(rows, kind="all"):
    """Return what each of `TRIED` gains over its base, over the sets of a kind."""
    rows = counted(rows, kind)
    there = {name: t for name, t in TRIED.items() if name in set(rows["variant"])}
    if not there:
        return pd.DataFrame()
    gaps = {
        name: differences_by_set(rows, "variant", tried.base).loc[name]
        for name, tried in there.items()
    }
    table = over_sets(pd.DataFrame(gaps).T)
    table.insert(0, "what", [tried.what for tried in there.values()])
    return table.rename_axis("variant")


def _tried_names():
    return {*TRIED, *(tried.base for tried in TRIED.values())} - {DEFAULTS}


def leave_one_out(rows, kind="all"):
    """Return, for each set, the choice of the other sets and its accuracy here.

    Of the variants that were run on all sets that the defaults were run on.
    """
    rows = counted(rows[~rows["variant"].isin(_tried_names())], kind)
    gaps = differences_by_set(rows, "variant", DEFAULTS)
    gaps = gaps[gaps.columns[gaps.loc[DEFAULTS].notna()]].dropna()
    of_defaults = rows[rows["variant"] == DEFAULTS].groupby("set")["accuracy"].mean()
    chosen = {}
    # A single set leaves none to choose by.
    for name in gaps if gaps.shape[1] > 1 else ():
        variant = gaps.drop(columns=name).mean(axis=1).idxmax()
        default = of_defaults[name]
        chosen[name] = variant, default + gaps.loc[variant, name], default
    columns = ["chosen", "reached", DEFAULTS]
    return pd.DataFrame.from_dict(chosen, orient="index", columns=columns)


def show(rows):
    """Print means by set, differences to the defaults, and the leave-one-out choice."""
    means = rows.pivot_table("accuracy", "set", "variant", sort=False)
    print(means.round(4).to_string(), "\n")
    if DEFAULTS not in means:
        return
    for kind in ("real", "all"):
        if not len(counted(rows, kind)):
            continue
        print(f"difference to the defaults, over sets: {kind}")
        print(differences(rows, kind).round(4).to_string(), "\n")
        choice = leave_one_out(rows, kind)
        if not len(choice):
            continue
        print("chosen on the other sets, and reached on the one that was left out")
        print(choice.round(4).to_string())
        print(choice[["reached", DEFAULTS]].mean().round(4).to_string(), "\n")


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
