"""How much memory and time does a fit to a large sparse table take?

Each row of a CSR matrix of 20,000 features stores 20 values, .1 %, which a known weight
each turns into a preference, with noise; groups have 20 rows. A process of its own fits
the defaults, or with ``shortcut="linear"``, to 200,000 rows, and reads its peak of
memory, the matrix and all imports included. It is judged on other 20,000 rows.

    python -m benchmarks.speed.sparse [--smoke]

writes ``results/sparse.csv``, one row per fit. ``--smoke`` fits 20,000 rows in 5 epochs,
writes nothing, and fails if a process held more than 2 GB, or if the pairwise accuracy
is at most .6.

    python -m benchmarks.speed.sparse --batches

writes ``results/sparse_batches.csv``: seconds of a call of ``partial_fit`` on 4,000 rows
in batches of 500, by the number of features and the share that is stored, once with
sparse rows in the network and once with dense ones.
"""

import sys
import time
from unittest.mock import patch

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, random_array

from benchmarks.shared import child_process
from benchmarks.shared.command_line import run_benchmark
from benchmarks.shared.results import write_timings
from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore._torch import thin
from sklearn_pscore.metrics import pairwise_accuracy_score

N_FEATURES, N_STORED, GROUP_SIZE = 20_000, 20, 20
# Standard deviation of the noise, that of the noiseless preference being 1.
NOISE = 0.5
MOST_BYTES = 2 * 10**9


def drawn(n_rows, seed):
    """Return a CSR matrix and the target of its rows."""
    weights = np.random.default_rng(0).normal(size=N_FEATURES)
    rng = np.random.default_rng([1, seed])
    features = rng.integers(N_FEATURES, size=n_rows * N_STORED)
    ends = np.arange(0, n_rows * N_STORED + 1, N_STORED)
    values = rng.exponential(size=len(features)).astype(np.float32)
    X = csr_array((values, features, ends), shape=(n_rows, N_FEATURES))
    X.sum_duplicates()
    worth = X @ weights
    preference = worth / worth.std() + rng.normal(scale=NOISE, size=n_rows)
    group = np.arange(n_rows) // GROUP_SIZE
    return X, Groups.from_arrays(group=group, preference=preference)


def measure_case(shortcut, n_rows, max_epochs):
    """Fit in this process; return seconds, peak of memory and accuracy."""
    X, groups = drawn(n_rows, seed=0)
    ranker = PairwisePreferenceRanker(
        shortcut=shortcut, max_epochs=max_epochs, random_state=0
    )
    child_process.reset_peak()
    start, cpu_start = time.perf_counter(), time.process_time()
    ranker.fit(X, groups)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    X_test, groups_test = drawn(20_000, seed=1)
    start = time.perf_counter()
    scores = ranker.predict(X_test)
    return {
        "shortcut": shortcut or "none",
        "n_rows": n_rows,
        "n_epochs": len(ranker.history_["epoch"]),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "seconds_of_an_epoch": np.median(ranker.history_["dur"]),
        "seconds_of_predict": time.perf_counter() - start,
        "peak_bytes": child_process.peak_bytes(),
        "table_bytes": X.data.nbytes + X.indices.nbytes + X.indptr.nbytes,
        "dense_bytes": X.dtype.itemsize * X.shape[0] * X.shape[1],
        "accuracy": pairwise_accuracy_score(groups_test, scores),
    }


def measure(smoke):
    """Measure each fit in a process of its own; print and return them."""
    n_rows, max_epochs = (20_000, 5) if smoke else (200_000, "auto")
    table = pd.DataFrame(
        child_process.measure_in_child(
            __spec__.name, shortcut=shortcut, n_rows=n_rows, max_epochs=max_epochs
        )
        for shortcut in ("linear", "additive")
    )
    shown = table.drop(columns=["table_bytes", "dense_bytes"]).round(3)
    shown["peak_bytes"] = (shown["peak_bytes"] / 2**20).round()
    print(shown.rename(columns={"peak_bytes": "peak, MB"}).to_string(index=False))
    return table


def failures_of(rows):
    """Return a message for each bound that a smoke run breaks."""
    failures = [
        f"{row.shortcut}: the process held {row.peak_bytes / 10**9:.2f} GB"
        for row in rows.itertuples()
        if row.peak_bytes > MOST_BYTES
    ]
    failures += [
        f"{row.shortcut}: the accuracy is {row.accuracy:.3f}"
        for row in rows.itertuples()
        if row.accuracy <= 0.6
    ]
    return failures


def measure_batches():
    """Time training steps with sparse and with dense rows; print and write them."""
    rows = []
    for n_features in (300, 1_000, 3_000, 10_000):
        for share in (0.001, 0.005, 0.02, 0.05):
            rng = np.random.default_rng(0)
            X = random_array(
                (4_000, n_features), density=share, random_state=rng, format="csr"
            )
            group = np.arange(X.shape[0]) // GROUP_SIZE
            groups = Groups.from_arrays(
                group=group, preference=rng.normal(size=len(group))
            )
            for way, fewest in (("sparse", 1), ("dense", 10**9)):
                limits = {"_FEWEST_FEATURES": fewest, "_LARGEST_SHARE": 1.0}
                with patch.multiple(thin, **limits):
                    seconds = seconds_of_a_pass(X, groups)
                rows.append([way, n_features, share, seconds])
                print(*rows[-1])
    columns = ["rows", "n_features", "share", "seconds"]
    write_timings("sparse_batches", pd.DataFrame(rows, columns=columns))


def seconds_of_a_pass(X, groups):
    """Return the median seconds of a pass over the rows, of three."""
    ranker = PairwisePreferenceRanker(shortcut="linear", batch_size=500, random_state=0)
    ranker.partial_fit(X, groups)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        ranker.partial_fit(X, groups)
        seconds.append(time.perf_counter() - start)
    return np.median(seconds)


if __name__ == "__main__" and not child_process.answer_if_asked(measure_case):
    if sys.argv[1:] == ["--batches"]:
        measure_batches()
    else:
        run_benchmark("sparse", __doc__, measure, failures_of)
