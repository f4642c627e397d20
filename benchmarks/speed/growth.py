"""Do time and memory of `fit` grow as the rows do?

10,000 to 4 million rows of 136 float32 features in groups of 100, each size in a
process of its own: seconds of an epoch, seconds before the first one, and the peak
of memory above that of the imports and a first small fit. The data themselves are
part of the peak, so it is at least once their bytes.

    python -m benchmarks.speed.growth [--smoke]

writes ``results/growth.csv``, one row per epoch. ``--smoke`` runs two sizes, writes
nothing, and fails if four times the rows cost more than eight times the epoch,
or if the peak is above three times the data.
"""

import time

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks.shared import child_process
from benchmarks.shared.command_line import run_benchmark
from benchmarks.speed.callbacks import EpochClock, callback_of
from benchmarks.speed.graded_groups import GradedGroups
from benchmarks.speed.single_net import n_flops_per_row, single_net_ranker, warm_up
from sklearn_pscore import Groups

N_FEATURES = 136
BATCH_SIZE = 2_000
# Rows, epochs: the first epoch is not counted.
SIZES = {10**4: 21, 10**5: 6, 4 * 10**5: 4, 10**6: 3, 4 * 10**6: 2}
SMOKE_SIZES = {5 * 10**4: 4, 2 * 10**5: 4}
# Sizes take turns, since a machine may be slower for some seconds.
N_ROUNDS = 3


def measure_case(n_rows, n_epochs):
    """Fit in this process; return seconds per epoch and the peak of memory."""
    warm_up()
    truth = GradedGroups(N_FEATURES)
    baseline = child_process.held_bytes()
    X, grade, group = truth.draw(n_rows, seed=0)
    # Scaled in place, so that no copy of the data counts in the peak.
    sample = X[:10_000]
    X -= sample.mean(axis=0)
    X /= sample.std(axis=0)
    groups = Groups.from_arrays(group=group, preference=grade)
    del grade, group
    before_fit = child_process.held_bytes()
    child_process.reset_peak()
    ranker = single_net_ranker(
        max_epochs=n_epochs, batch_size=BATCH_SIZE, callbacks=[EpochClock()]
    )
    start = time.perf_counter()
    net = ranker.fit(X, groups).net_
    clock = callback_of(net, EpochClock).seconds_
    return {
        "seconds": np.diff(clock).tolist(),
        "seconds_before": clock[0] - start,
        "data_bytes": X.nbytes,
        "before_fit_bytes": before_fit - baseline,
        "peak_bytes": child_process.peak_bytes() - baseline,
    }


def rows_of(n_rows, n_epochs):
    """Return one row per epoch of a fit in a process of its own."""
    values = child_process.measure_in_child(
        __spec__.name, n_rows=n_rows, n_epochs=n_epochs
    )
    seconds = np.array(values.pop("seconds")[1:])
    return pd.DataFrame({"epoch": range(2, n_epochs + 1), "seconds": seconds}).assign(
        n_rows=n_rows,
        gflops=n_rows * n_flops_per_row(N_FEATURES) / seconds / 1e9,
        peak_over_data=values["peak_bytes"] / values["data_bytes"],
        **values,
    )


def summary(rows):
    """Return medians and the fastest epoch by the number of rows.

    Data of up to 32 MB have no peak: they fit into memory that the process had
    used and freed before.
    """
    peak = rows["peak_over_data"].where(rows["data_bytes"] > 2**25)
    by_size = rows.assign(peak_over_data=peak).groupby("n_rows")
    table = by_size[["seconds", "seconds_before", "peak_over_data"]].median()
    table.insert(1, "us per row", 1e6 * table["seconds"] / table.index)
    fastest = by_size["seconds"].min()
    table.insert(2, "fastest us per row", 1e6 * fastest / fastest.index)
    return table


def measure(smoke):
    """Measure all sizes in turns, in a smoke run two; print the medians."""
    turns = [*SMOKE_SIZES.items()] if smoke else [*SIZES.items()] * N_ROUNDS
    table = pd.concat([rows_of(*size) for size in tqdm(turns, disable=None)])
    print(summary(table).round(3).to_string())
    return table


def failures_of(rows):
    """Return a message for each bound that a smoke run breaks."""
    medians = summary(rows)
    few, many = medians["seconds"]
    peak = medians["peak_over_data"].iloc[-1]
    failures = []
    if many > 8 * few:
        failures.append(f"four times the rows cost {many / few:.1f} times the epoch")
    if peak > 3:
        failures.append(f"fit held {peak:.1f} times the bytes of its data")
    return failures


if __name__ == "__main__" and not child_process.answer_if_asked(measure_case):
    run_benchmark("growth", __doc__, measure, failures_of)
