"""Does the time of augmenting grow with the number of groups, or with its square?

    python -m benchmarks.speed.augmenter [--smoke]

writes ``results/augmenter.csv``, one row per number of groups of two items, each with a
donor of its own task, and repetition; sizes take turns. ``--smoke`` augments fewer,
writes nothing, and fails if a group takes three times as long among ten times as many.
"""

import time

import numpy as np
import pandas as pd

from benchmarks.shared.command_line import run_benchmark
from sklearn_pscore import Groups, PairAugmenter

N_GROUPS, N_FEATURES = (500, 5_000, 50_000), 8


def made(n_groups):
    """Return features and groups of two items that are judged."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2 * n_groups, N_FEATURES))
    group = np.repeat(np.arange(n_groups), 2)
    return X, Groups.from_arrays(group=group, preference=X[:, 0])


def measure(smoke):
    """Measure all sizes, in a smoke run the smaller ones; print the medians."""
    sizes = N_GROUPS[:2] if smoke else N_GROUPS
    data = {n_groups: made(n_groups) for n_groups in sizes}
    rows = []
    for repetition in range(3):
        for n_groups, (X, groups) in data.items():
            augmenter = PairAugmenter(stitch_sizes=(2,), n_injected=10, random_state=0)
            start, cpu_start = time.perf_counter(), time.process_time()
            enlarged, _ = augmenter.augment(X, groups)
            seconds = time.perf_counter() - start
            cpu_seconds = time.process_time() - cpu_start
            n_items = len(enlarged) - len(X)
            rows.append((n_groups, repetition, n_items, seconds, cpu_seconds))
    columns = ["n_groups", "repetition", "n_items", "seconds", "cpu_seconds"]
    rows = pd.DataFrame(rows, columns=columns)
    print(rows.groupby("n_groups")[["seconds", "cpu_seconds"]].median().to_string())
    return rows


def failures_of(rows):
    """Return a message for each bound that a smoke run breaks."""
    best = rows.groupby("n_groups")["cpu_seconds"].min()
    per_group = best / best.index
    if per_group.iloc[-1] > 3 * per_group.iloc[0]:
        return [f"the time of a group grows with their number: {per_group.to_dict()}"]
    return []


if __name__ == "__main__":
    run_benchmark("augmenter", __doc__, measure, failures_of)
