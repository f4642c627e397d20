"""From what size on is a fit faster with all threads than with one?

Fits with the defaults, all rows in one batch, on one thread and on all, each alone
on the machine and beside as many busy processes as there are cores.

    python -m benchmarks.speed.threads [--smoke]

writes ``results/threads.csv``, one row per fit, and prints the medians. ``--smoke``
runs one small size, writes nothing, and fails if the fit as users call it takes
more than three times as long as on one thread beside busy processes.
"""

import subprocess
import sys
import time
from contextlib import contextmanager
from os import cpu_count
from unittest.mock import patch

import numpy as np
import pandas as pd

from benchmarks.shared.command_line import run_benchmark
from benchmarks.speed.single_net import warm_up
from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore._torch import threads

N_FEATURES = 24
N_EPOCHS = 30
SIZES = [200, 500, 1_000, 2_000, 4_000, 8_000, 16_000]
N_ROUNDS = 3
# How many threads: what `threads._MOST_FOR_ONE_THREAD` is set to.
CHOICES = {"one": np.inf, "all": 0, "as it is": threads._MOST_FOR_ONE_THREAD}


@contextmanager
def busy_processes(number):
    """Keep as many processes busy inside the block."""
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(number)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def data(n_rows):
    """Return X and target of groups of 10."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, N_FEATURES))
    preference = X[:, 0] + rng.normal(size=n_rows)
    return X, Groups.from_arrays(group=np.arange(n_rows) // 10, preference=preference)


def measure_fit(n_rows, choice):
    """Return the row of a fit."""
    X, groups = data(n_rows)
    ranker = PairwisePreferenceRanker(
        max_epochs=N_EPOCHS, batch_size=n_rows, random_state=0
    )
    with patch.object(threads, "_MOST_FOR_ONE_THREAD", CHOICES[choice]):
        start = time.perf_counter()
        network = ranker.fit(X, groups).net_.module_
        seconds = time.perf_counter() - start
    n_weights = sum(weight.numel() for weight in network.parameters())
    return {
        "n_rows": n_rows,
        "products": n_rows * n_weights,
        "uses": choice,
        "seconds": seconds,
    }


def measure(smoke):
    """Measure all sizes in turns, in a smoke run a small one; print the medians."""
    warm_up()
    sizes, n_rounds, n_cores = (SIZES[:1] if smoke else SIZES), N_ROUNDS, cpu_count()
    rows = []
    for n_busy in (0, n_cores):
        with busy_processes(n_busy):
            rows += [
                {"busy": n_busy, "round": number} | measure_fit(n_rows, choice)
                for number in range(n_rounds)
                for n_rows in sizes
                for choice in CHOICES
            ]
    table = pd.DataFrame(rows)
    print(medians(table).round(3).to_string())
    return table


def medians(rows):
    """Return the median seconds by size, the number of busy processes and threads."""
    index = ["busy", "n_rows", "products"]
    return rows.pivot_table("seconds", index, "uses", "median")[list(CHOICES)]


def failures_of(rows):
    """Return a message for each bound that a smoke run breaks."""
    beside = medians(rows[rows["busy"] > 0])
    ratio = (beside["as it is"] / beside["one"]).max()
    if ratio > 3:
        return [
            f"beside busy processes a fit takes {ratio:.1f} times one thread's time"
        ]
    return []


if __name__ == "__main__":
    run_benchmark("threads", __doc__, measure, failures_of)
