"""How long does a fit with the defaults take on THQA, and five members against one?

    python -m benchmarks.speed.fit_time [--smoke]

writes ``results/fit_time.csv``, one row per member count, repetition and training
fold (640 videos in 80 groups, 24 metrics), and prints medians. Members are trained
in one batched pass; a single one leaves nothing out, so it fits each shortcut once
where five fit it six times. ``--smoke`` writes nothing, and fails if five members
take four times as long as one.
"""

import argparse
import sys
import time

import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.agreement.data_sets import SETS
from benchmarks.shared.results import write_timings
from benchmarks.speed.single_net import warm_up
from sklearn_pscore import PairwisePreferenceRanker

MEMBERS = (5, 1)


def measure(splits, n_repetitions):
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


def main():
    """Measure, print medians, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true")
    smoke = parser.parse_args().smoke
    if not SETS["THQA"].is_available():
        print("THQA is not in the data home, skipped")
        return
    warm_up()
    splits = SETS["THQA"].splits()
    table = measure(splits[:2] if smoke else splits, 2 if smoke else 5)
    seconds = table.groupby("n_members")["seconds"].agg(["median", "min", "max"])
    print(seconds.round(3).to_string())
    ratio = seconds.loc[5, "median"] / seconds.loc[1, "median"]
    print(f"five members take {ratio:.2f} times as long as one")
    if smoke:
        if ratio > 4:
            sys.exit(f"five members take {ratio:.1f} times as long as one")
        return
    write_timings("fit_time", table)


if __name__ == "__main__":
    main()
