"""On which data does PairAugmenter help, and with which settings?

This package's defaults with and without synthetic items, on sets with clips and
donors (the synthetic challenge, from 20 challenges and from a single one as in
the paper), and on sets without (real ones and tables of metrics). Only one thing
changes from setting to setting; "paper" is all of section 4.3, "defaults" the part
of it for which the data have clips or donors.

    python -m benchmarks.agreement.augmentation [--sets NAME ...]
        [--settings NAME ...] [--seeds 5] [--missing] [--out NAME] [--show] [--smoke]

writes ``results/augmentation.csv``, one row per set, setting, seed and fold,
after each setting, and prints the paired difference to no synthetic items with
its 95 % interval over folds. A run replaces its earlier rows;
``--missing`` makes only runs without rows.
"""

from functools import partial

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.agreement.data_sets import SETS, DataSet, Split, challenge_splits
from benchmarks.agreement.evaluation import fits, fold_means, paired_difference, score
from benchmarks.agreement.runs import Grid, parse, run_grid
from sklearn_pscore import PairAugmenter, PairwisePreferenceRanker
from sklearn_pscore._experiments import PAPER_AUGMENTER, thqa_experiment

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
"""Parameters of PairAugmenter by the name of the setting."""


def _thqa_winners():
    """Learn from the winner of each group, judge by all opinions."""
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
            partial(
                challenge_splits,
                track,
                n_train=n_train,
                n_draws=n_draws,
                with_donors=True,
            ),
            "synthetic",
        )
        for n_train, n_draws in ((20, 5), (1, 10))
        for track in ("talking", "listening")
    },
    "THQA, winners": DataSet("THQA, winners", _thqa_winners, "real", SETS["THQA"].file),
    **{name: SETS[name] for name in _NAMES},
}


def pipeline(setting, seed):
    """Return the ranker behind an augmenter; the seeds of the two differ."""
    steps = [StandardScaler()]
    if SETTINGS[setting] is not None:
        steps.append(PairAugmenter(**SETTINGS[setting], random_state=1000 + seed))
    return make_pipeline(*steps, PairwisePreferenceRanker(random_state=seed))


def run(setting, data, splits, n_seeds):
    """Fit and judge one setting on all splits of a set; one row per fit."""
    # With a single row per item, the means of items are the rows themselves.
    if setting == "item means" and not _has_repeated_items(splits[0].groups_train):
        return pd.DataFrame()
    return pd.DataFrame(
        {**fit, **score(model, data, split), "n_pairs": model[-1].n_pairs_}
        for model, split, fit in fits(
            lambda seed, split: pipeline(setting, seed), splits, n_seeds
        )
    )


def _has_repeated_items(groups):
    """Return whether an item has several rows in a group."""
    if "item" not in groups.dtype.names:
        return False
    return len(np.unique(groups[["group", "item"]])) < len(groups)


GRID = Grid("augmentation", by="setting", names=list(SETTINGS), sets=CASES, run=run)


def differences(table, metric="accuracy"):
    """Return each setting less no synthetic items, paired over folds, by set."""
    rows = []
    for name in table["set"].unique():
        means = fold_means(table, name, metric, by="setting")
        if NONE not in means:
            continue
        for setting in means.columns.drop(NONE):
            gain, half = paired_difference(means[setting], means[NONE])
            row = {"set": name, "setting": setting, NONE: means[NONE].mean()}
            rows.append({**row, "gain": gain, "low": gain - half, "high": gain + half})
    return pd.DataFrame(rows)


def main():
    """Run the settings asked for, write their rows and print the differences."""
    args = parse(GRID, __doc__, smoke_sets=["metrics 20 x 8", "talking, 1 x 8"])
    table = run_grid(GRID, args)
    print("accuracy, difference to no synthetic items, 95 % interval over folds")
    print(differences(table).round(4).to_string(index=False))


if __name__ == "__main__":
    main()
