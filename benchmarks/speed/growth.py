"""Do time and memory of `fit` grow as the rows do?

10,000 to 4 million rows of 136 float32 features in groups of 100, each size in a
process of its own: seconds of an epoch, of what comes before the first one, and
the peak of memory above what the process holds after its imports and a first
small fit. The data themselves are part of that peak, so the least is once their
bytes.

    python -m benchmarks.speed.growth [--smoke]

writes ``results/growth.csv``, one row per epoch. ``--smoke`` runs two sizes, writes
nothing, and fails if four times the rows cost more than eight times the epoch,
or if the peak is above three times the data.
"""

import argparse
import sys
import time

import pandas as pd
from tqdm import tqdm

from benchmarks.shared import child_process as fresh
from benchmarks.shared.results import write_timings
from benchmarks.speed.epoch import Laps
from benchmarks.speed.graded_groups import GradedGroups
from benchmarks.speed.single_net import n_flops_per_row, one_member, warm_up
from sklearn_pscore import Groups

N_FEATURES = 136
BATCH_SIZE = 2_000
# Rows, epochs: the first epoch is not counted.
SIZES = {10**4: 21, 10**5: 6, 4 * 10**5: 4, 10**6: 3, 4 * 10**6: 2}
SMOKE_SIZES = {5 * 10**4: 4, 2 * 10**5: 4}
# Sizes take turns, since a machine may be slower for some seconds.
N_ROUNDS = 3


def measure(n_rows, n_epochs):
    """Fit in this process; answer seconds per epoch and the peak of memory."""
    warm_up()
    truth = GradedGroups(N_FEATURES)
    baseline = fresh.held_bytes()
    X, grade, group = truth.draw(n_rows, seed=0)
    # In place, so that no copy is ours.
    some = X[:10_000]
    X -= some.mean(axis=0)
    X /= some.std(axis=0)
    groups = Groups.from_arrays(group=group, preference=grade)
    del grade, group
    before_fit = fresh.held_bytes()
    fresh.forget_peak()
    ranker = one_member(max_epochs=n_epochs, batch_size=BATCH_SIZE, callbacks=[Laps()])
    start = time.perf_counter()
    net = ranker.fit(X, groups).net_
    laps = next(each for _, each in net.callbacks_ if isinstance(each, Laps))
    clock = laps.seconds_
    fresh.answer(
        seconds=[b - a for a, b in zip(clock[:-1], clock[1:], strict=True)],
        seconds_before=clock[0] - start,
        data_bytes=X.nbytes,
        before_fit_bytes=before_fit - baseline,
        peak_bytes=fresh.peak_bytes() - baseline,
    )


def rows_of(n_rows, n_epochs):
    """Return one row per epoch of a fit in a process of its own."""
    found = fresh.in_fresh_process(__spec__.name, n_rows=n_rows, n_epochs=n_epochs)
    seconds = found.pop("seconds")[1:]
    return pd.DataFrame({"epoch": range(2, n_epochs + 1), "seconds": seconds}).assign(
        n_rows=n_rows,
        gflops=[n_rows * n_flops_per_row(N_FEATURES) / each / 1e9 for each in seconds],
        peak_over_data=found["peak_bytes"] / found["data_bytes"],
        **found,
    )


def main():
    """Measure, print, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true")
    smoke = parser.parse_args().smoke
    sizes = SMOKE_SIZES if smoke else SIZES
    turns = [*sizes.items()] * (1 if smoke else N_ROUNDS)
    table = pd.concat([rows_of(*size) for size in tqdm(turns, disable=None)])
    medians = table.groupby("n_rows")[["seconds", "seconds_before", "peak_over_data"]]
    medians = medians.median()
    medians["microseconds per row"] = 1e6 * medians["seconds"] / medians.index
    fastest = table.groupby("n_rows")["seconds"].min()
    medians["fastest"] = 1e6 * fastest / fastest.index
    print(medians.round(3).to_string())
    if smoke:
        few, many = medians["seconds"]
        if many > 8 * few:
            sys.exit(f"four times the rows cost {many / few:.1f} times the epoch")
        peak = medians["peak_over_data"].iloc[-1]
        if peak > 3:
            sys.exit(f"fit held {peak:.1f} times the bytes of its data")
        return
    write_timings("growth", table)


if __name__ == "__main__":
    case = fresh.asked_case()
    measure(**case) if case else main()
