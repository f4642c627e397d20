"""What is each default of the ranker worth, and would other data choose others?

The ranker with one thing changed at a time, on real sets and on the smaller
synthetic ones of ``comparison.py``; and, for comparison, as it was before the
defaults were chosen by these rows.

    python -m benchmarks.agreement.variants [--sets NAME ...] [--variants NAME ...]
                                  [--seeds 1] [--missing] [--out NAME] [--show]
                                 [--smoke]

writes ``results/variants.csv``, one row per set, variant, seed and fold, and
prints means, the differences to the defaults, and what is chosen if each set in
turn is left out: the variant that is best on the other sets, and what it
reaches on the one left out.
"""

import argparse
import time
from unittest.mock import patch

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.agreement.comparison import read_rows, score
from benchmarks.agreement.data_sets import SETS
from benchmarks.shared.results import write_rows
from sklearn_pscore import PairwisePreferenceRanker
from sklearn_pscore._experiments import PAPER_RANKER
from sklearn_pscore._torch import stacking as _start

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
"""What differs from the defaults, by the name of the variant."""

NAMES = [
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
"""Sets of a size that a variant takes seconds on."""

_CONSTRAINT = {"larger": 1, "smaller": -1}
_MOST_FOLDS = 5


def parameters(variant, data, X):
    """Return the parameters of a variant on a set, None if it does not apply."""
    params = {k: v for k, v in VARIANTS[variant].items() if k != PENALTIES}
    if variant == "lambdarank":
        return params | {"gain": data.gain}
    if variant != MONOTONIC:
        return params
    if data.directions is None:
        return None
    known = {
        name: _CONSTRAINT[direction]
        for name, direction in data.directions().items()
        if name in X.columns and direction in _CONSTRAINT
    }
    return {"monotonic_cst": known}


def run(name, variant, splits, n_seeds):
    """Fit and judge a variant on all splits of a set; one row per fit."""
    rows = []
    for seed in range(n_seeds):
        for fold, split in enumerate(splits):
            params = parameters(variant, SETS[name], split.X_train)
            if params is None:
                return pd.DataFrame()
            ranker = PairwisePreferenceRanker(**params, random_state=seed)
            # Names go on to the ranker, for constraints by name.
            scaler = StandardScaler().set_output(transform="pandas")
            start = time.perf_counter()
            model = make_pipeline(scaler, ranker)
            penalties = VARIANTS[variant].get(PENALTIES, _start._CANDIDATES)
            with patch.object(_start, "_CANDIDATES", penalties):
                model.fit(split.X_train, split.groups_train)
            seconds = time.perf_counter() - start
            found = score(model, SETS[name], split)
            where = {"set": name, "variant": variant, "seed": seed, "fold": fold}
            rows.append({**where, **found, "fit_seconds": seconds})
    return pd.DataFrame(rows)


def means_by_set(table, metric="accuracy"):
    """Return variants x sets, the means over folds and seeds."""
    return table.pivot_table(index="variant", columns="set", values=metric, sort=False)


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
    """Return, for each set, what the others choose and what that reaches on it."""
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
    print(differences(means).round(4).to_string(), "\n")
    if means.shape[1] < 2:
        return
    choice = leave_one_out(means)
    print("chosen on the other sets, and reached on the one that was left out")
    print(choice.round(4).to_string(index=False))
    print(choice[["reached", DEFAULTS]].mean().round(4).to_string())


def main():
    """Run what is asked for, write it and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=NAMES, choices=list(SETS))
    parser.add_argument(
        "--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS)
    )
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--missing", action="store_true", help="run only what lacks")
    parser.add_argument("--out", default="variants", help="name of the table")
    parser.add_argument("--show", action="store_true", help="print what is there")
    parser.add_argument("--smoke", action="store_true", help="small, writes nothing")
    args = parser.parse_args()
    if args.smoke:
        args.sets, args.variants = ["linear, 20 x 8"], [DEFAULTS, "one member"]
    table = pd.DataFrame() if args.smoke else read_rows(args.out)
    done = set()
    if len(table):
        done = set(table[["set", "variant"]].itertuples(index=False, name=None))
    for variant in () if args.show else args.variants:
        for name in args.sets:
            if not SETS[name].is_available() or (
                args.missing and (name, variant) in done
            ):
                continue
            # One method out has eight folds of one kind; all are needed.
            n_folds = None if "one method out" in name else _MOST_FOLDS
            rows = run(name, variant, SETS[name].splits()[:n_folds], args.seeds)
            if not len(rows):
                continue
            if len(table):
                same = (table["set"] == name) & (table["variant"] == variant)
                table = table[~same]
            table = pd.concat([table, rows])
            print(f"{name}, {variant}: {rows['accuracy'].mean():.4f}", flush=True)
            if not args.smoke:
                write_rows(args.out, table)
    show(table)


if __name__ == "__main__":
    main()
