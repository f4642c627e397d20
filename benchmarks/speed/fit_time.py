"""How long does a fit with the defaults take on THQA, and five members against one?

    python -m benchmarks.speed.fit_time [--smoke]

writes ``results/fit_time.csv``, one row per member count, repetition and training
fold (640 videos in 80 groups, 24 metrics), and prints medians. Members are trained
in one batched pass; a single one leaves nothing out, so it fits each shortcut once
where five fit it six times. ``--smoke`` writes nothing, and fails if five members
take four times as long as one.
"""

import sys
import time

import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.agreement.data_sets import SETS
from benchmarks.shared.command_line import run_benchmark
from benchmarks.speed.single_net import warm_up
from sklearn_pscore import PairwisePreferenceRanker

MEMBERS = (5, 1)


def measure_fits(splits, n_repetitions):
    """Return one row per fit; member counts take turns."""
    rows = []
    for repetition in range(n_repetitions):
        for fold, split in enumerate(splits):
            for n_members in MEMBERS:
                ranker = PairwisePreferenceRanker(n_members=n_members, random_state=0)
                model = make_pipeline(StandardScaler(), ranker)
                start = time.perf_counter()
                model.fit(split.X_train, split.groups_train)
                seconds = time.perf_counter() - start
                rows.append((n_members, repetition, fold, seconds))
    return pd.DataFrame(rows, columns=["n_members", "repetition", "fold", "seconds"])


def measure(smoke):
    """Measure on THQA, in a smoke run on two folds; print the medians."""
    if not SETS["THQA"].is_available():
        print("THQA is not in the data home, skipped")
        sys.exit()
    warm_up()
    splits = SETS["THQA"].splits()
    rows = measure_fits(splits[:2] if smoke else splits, 2 if smoke else 5)
    seconds = rows.groupby("n_members")["seconds"].agg(["median", "min", "max"])
    print(seconds.round(3).to_string())
    print(f"five members take {times_one_member(rows):.2f} times as long as one")
    return rows


def times_one_member(rows):
    """Return the median fit of five members over that of one."""
    medians = rows.groupby("n_members")["seconds"].median()
    return medians[5] / medians[1]


def failures_of(rows):
    """Return a message for each bound that a smoke run breaks."""
    ratio = times_one_member(rows)
    return [f"five members take {ratio:.1f} times as long as one"] if ratio > 4 else []


if __name__ == "__main__":
    run_benchmark("fit_time", __doc__, measure, failures_of)
