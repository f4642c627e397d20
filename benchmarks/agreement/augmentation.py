"""On which data does PairAugmenter help, and with which settings?

This package's defaults with and without synthetic items, on sets with clips and
donors (the synthetic challenge, from 20 challenges and from a single one as in
the paper), and on sets without (real ones and tables of metrics). Only one thing
changes from setting to setting; "paper" is all of section 4.3, "defaults" the part
of it that the data have the clips and the donors for.

    python -m benchmarks.agreement.augmentation [--sets NAME ...] [--settings NAME ...]
                                      [--seeds 5] [--missing] [--smoke]

writes ``results/augmentation.csv``, one row per set, setting, seed and fold,
after each setting, and prints the paired difference to no synthetic items with
its 95 % interval over folds. What is asked for replaces its own earlier rows;
``--missing`` runs only what has none.
"""

import argparse
import time
from functools import partial

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.agreement.comparison import fold_means, paired, read_rows, score
from benchmarks.agreement.data_sets import SETS, DataSet, Split
from benchmarks.shared.results import write_rows
from sklearn_pscore import PairAugmenter, PairwisePreferenceRanker
from sklearn_pscore._experiments import (
    PAPER_AUGMENTER,
    challenge_experiment,
    thqa_experiment,
)

NONE = "none"
_NO_STITCHED = {"stitch_sizes": ()}
_STITCHED = {"stitch_sizes": (2, 3, 4), "n_injected": 0}
_MEAN = {**_STITCHED, "stitch_penalty": 0.0, "stitched_preference": "mean"}

SETTINGS = {
    NONE: None,
    "defaults": {},
    # Where an item has several rows, the augmenter alone trains on their means.
    "item means": {**_NO_STITCHED, "n_injected": 0},
    "paper": PAPER_AUGMENTER,
    "stitched max - k": {**_STITCHED, "stitch_penalty": 1.0},
    "stitched max": {**_STITCHED, "stitch_penalty": 0.0},
    "stitched mean": _MEAN,
    "stitched mean - k": {**_MEAN, "stitch_penalty": 1.0},
    "stitched mean of 2": {**_MEAN, "stitch_sizes": (2,)},
    "stitched mean, 20 per size": {**_MEAN, "max_stitched": 20},
    "injected 10": {**_NO_STITCHED, "n_injected": 10},
    "injected all": {**_NO_STITCHED, "n_injected": None},
}
"""Parameters of PairAugmenter by name; one that it has not got leaves the setting out
unless it only says the default."""

# What stitched_preference means where there is no such parameter.
_IMPLIED = {"stitched_preference": "max"}


def known_settings():
    """Return the settings that this PairAugmenter can do."""
    known = PairAugmenter().get_params()
    settings = {}
    for name, params in SETTINGS.items():
        lacking = (
            {} if params is None else {p: params[p] for p in params if p not in known}
        )
        if all(_IMPLIED.get(p) == value for p, value in lacking.items()):
            settings[name] = params and {p: params[p] for p in params if p in known}
    return settings


def _challenge(track, n_train, n_draws):
    """Draw challenges, clips and donors included."""
    splits = []
    for seed in range(n_draws):
        experiment = challenge_experiment(track, n_train=n_train, random_state=seed)
        splits += [Split(*split) for split in experiment.splits()]
    return splits


def _thqa_winners():
    return [Split(*split) for split in thqa_experiment(labels="winners").splits()]


_NAMES = (
    "THQA",
    "RealSumm",
    "metrics 20 x 8",
    "metrics 40 x 10, winners",
    "metrics 60 x 12, group effects",
    "linear, one group of 8",
    "saturating, 5 x 8",
    "interactions, 200 x 10",
)
CASES = {
    **{
        f"{track}, {n_train} x 8": DataSet(
            f"{track}, {n_train} x 8",
            partial(_challenge, track, n_train, n_draws),
            "synthetic",
        )
        for n_train, n_draws in ((20, 5), (1, 10))
        for track in ("talking", "listening")
    },
    "THQA, winners": DataSet("THQA, winners", _thqa_winners, "real", SETS["THQA"].file),
    **{name: SETS[name] for name in _NAMES},
}


def ranker(params, seed):
    """Return the pipeline of a setting; the seeds of its two parts differ."""
    steps = [StandardScaler()]
    if params is not None:
        steps.append(PairAugmenter(**params, random_state=1000 + seed))
    return make_pipeline(*steps, PairwisePreferenceRanker(random_state=seed))


def run(name, setting, params, splits, n_seeds):
    """Fit and judge one setting on all splits of a set; one row per fit."""
    rows = []
    for seed in range(n_seeds):
        for fold, split in enumerate(splits):
            model = ranker(params, seed)
            start = time.perf_counter()
            model.fit(split.X_train, split.groups_train)
            seconds = time.perf_counter() - start
            rows.append(
                {
                    "set": name,
                    "setting": setting,
                    "seed": seed,
                    "fold": fold,
                    **score(model, CASES[name], split),
                    "n_pairs": model[-1].n_pairs_,
                    "fit_seconds": seconds,
                }
            )
    return pd.DataFrame(rows)


def merge(table, rows):
    """Replace the rows of what was run and keep the rest."""
    if len(table):
        key = ["set", "setting"]
        again = table.set_index(key).index.isin(rows.set_index(key).index)
        rows = pd.concat([table[~again], rows]) if not again.all() else rows
    order = {name: number for number, name in enumerate([*CASES, *SETTINGS])}
    return rows.sort_values(
        ["set", "setting", "seed", "fold"], key=lambda c: c.map(order).fillna(c)
    )


def differences(table, metric="accuracy"):
    """Return each setting less no synthetic items, paired over folds, by set."""
    rows = []
    for name in table["set"].unique():
        wide = fold_means(table, name, metric, by="setting")
        for setting in wide.columns.drop(NONE, errors="ignore"):
            if NONE not in wide:
                continue
            mean, half = paired(wide[setting], wide[NONE])
            row = {"set": name, "setting": setting, NONE: wide[NONE].mean()}
            rows.append({**row, "gain": mean, "low": mean - half, "high": mean + half})
    return pd.DataFrame(rows)


def main():
    """Run what is asked for, write it and print it."""
    args = parse()
    settings = known_settings()
    table = pd.DataFrame() if args.smoke else read_rows("augmentation")
    key = ["set", "setting"]
    done = set(table[key].itertuples(index=False, name=None)) if len(table) else set()
    for name in args.sets:
        data = CASES[name]
        if not data.is_available():
            print(f"{name}: its table is not in the data home, skipped")
            continue
        splits = data.splits()[:2] if args.smoke else data.splits()
        for setting in args.settings:
            if setting not in settings:
                print(f"{setting}: PairAugmenter has no such parameter, skipped")
                continue
            if (args.missing and (name, setting) in done) or _says_nothing(
                setting, splits
            ):
                continue
            rows = run(name, setting, settings[setting], splits, args.seeds)
            print(f"{name}, {setting}: {rows['accuracy'].mean():.4f}", flush=True)
            # Read anew: another run may have written meanwhile.
            table = merge(table if args.smoke else read_rows("augmentation"), rows)
            if not args.smoke:
                write_rows("augmentation", table)
    print("accuracy, difference to no synthetic items, 95 % interval over folds")
    print(differences(table).round(4).to_string(index=False))


def _says_nothing(setting, splits):
    """Tell "item means" apart where every item has a single row."""
    if setting != "item means":
        return False
    groups = splits[0].groups_train
    if "item" not in groups.dtype.names:
        return True
    return len(np.unique(groups[["group", "item"]])) == len(groups)


def parse():
    """Return the arguments; names that are unknown end the program."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=None, metavar="NAME")
    parser.add_argument("--settings", nargs="+", default=None, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each fold")
    parser.add_argument("--missing", action="store_true", help="run only what lacks")
    parser.add_argument("--smoke", action="store_true", help="small, writes nothing")
    args = parser.parse_args()
    if args.smoke:
        args.seeds = 1
        args.sets = args.sets or ["metrics 20 x 8", "talking, 1 x 8"]
    for given, known in ((args.sets, CASES), (args.settings, SETTINGS)):
        unknown = [name for name in given or () if name not in known]
        if unknown:
            parser.error(f"{unknown[0]!r} is not known; expected of {list(known)}")
    args.sets = args.sets or list(CASES)
    args.settings = args.settings or list(SETTINGS)
    return args


if __name__ == "__main__":
    main()
