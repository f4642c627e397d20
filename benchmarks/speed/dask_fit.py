"""What does a fit on a Dask cluster cost, beside one on one machine?

Rows of 20 features in groups of 10 are drawn by the workers themselves and stay there.
Rankers of default settings are fitted to them by ``fit_dask``, on one worker of one
thread and on two, and to the same rows by ``fit`` in a process of its own. Each fit is
the second on its cluster, since the first loads torch. Seconds of a step are those of
the epochs over their steps; within them, those that the first rank spends in the
all-reduce, which it mostly waits in for the other one. The bare all-reduce is of as many
values between two ranks that do nothing else. Peaks are of a worker's process during
the fit, above what it held with torch loaded and its rows drawn.

Steps of one process with 4 to 64 times fewer rows than a whole batch are what
the model in docs/dask.md is made of.

    OMP_NUM_THREADS=1 python -m benchmarks.speed.dask_fit [--smoke]

writes ``results/dask_fit.csv``, a row per fit or kind of step. ``--smoke`` fits 4,000
rows, writes nothing, and fails if the accuracies of one machine and of two workers
differ by more than .02.
"""

import time
from functools import partial

import numpy as np
import pandas as pd
from skorch.callbacks import Callback

from benchmarks.shared import child_process
from benchmarks.shared.command_line import run_benchmark
from benchmarks.speed.graded_groups import GradedGroups
from sklearn_pscore import Groups, PairwisePreferenceRanker

N_FEATURES = 20
TIMEOUT = 600
# Of the model: a whole batch of default settings on many rows, and numbers of workers.
BATCH_ROWS = 4096
WORKERS = (1, 2, 4, 8, 16, 32, 64)
_TRUTH = GradedGroups(N_FEATURES, group_size=10)
_N_PIECES = 8
_N_REDUCED = 500
_COLUMNS = {"group": "group", "preference": "grade"}


def drawn(piece, n_rows, first_group=0):
    """Return rows as a table, of groups that no other piece has."""
    X, grade, group = _TRUTH.draw(n_rows, seed=piece)
    frame = pd.DataFrame(X, columns=[f"feature_{k:02d}" for k in range(N_FEATURES)])
    return frame.assign(group=group + first_group, grade=grade)


def accuracy_of(ranker, n_test):
    """Return the pairwise accuracy on groups of their own."""
    test = drawn(10**6, n_test)
    groups = Groups.from_frame(test, **_COLUMNS)
    return ranker.score(test.drop(columns=[*_COLUMNS.values()]), groups)


def measure_case(n_rows, n_test):
    """Fit to all rows in this process, for the second time."""
    per_piece = n_rows // _N_PIECES
    pieces = [drawn(k, per_piece, k * per_piece) for k in range(_N_PIECES)]
    frame = pd.concat(pieces, ignore_index=True)
    groups = Groups.from_frame(frame, **_COLUMNS)
    X = frame.drop(columns=[*_COLUMNS.values()])
    few = slice(0, 1000)
    PairwisePreferenceRanker(max_epochs=1).fit(X[few], groups[few])
    held = child_process.held_bytes()
    child_process.reset_peak()
    start, cpu_start = time.perf_counter(), time.process_time()
    ranker = PairwisePreferenceRanker(random_state=0).fit(X, groups)
    seconds = time.perf_counter() - start
    cpu_seconds = time.process_time() - cpu_start
    n_steps = sum(len(epoch["batches"]) for epoch in ranker.net_.history)
    return {
        "kind": "fit",
        "n_rows": n_rows,
        "n_workers": 0,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "n_steps": n_steps,
        "ms_per_step": 1e3 * ranker.history_["dur"].sum() / n_steps,
        "peak_bytes": child_process.peak_bytes() - held,
        "accuracy": accuracy_of(ranker, n_test),
    }


def measure_cluster(n_workers, sizes, n_test):
    """Yield a row per number of rows, on a cluster of its own."""
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    settings = {
        "threads_per_worker": 1,
        "host": "127.0.0.1",
        "dashboard_address": "127.0.0.1:0",
        "memory_limit": 0,
    }
    with (
        LocalCluster(n_workers=n_workers, **settings) as cluster,
        Client(cluster) as client,
    ):
        for number, n_rows in enumerate(sizes):
            per_piece = n_rows // _N_PIECES
            draw = partial(_piece, n_rows=per_piece)
            meta = drawn(0, 10).iloc[:0]
            ddf = dd.from_map(draw, range(_N_PIECES), meta=meta).persist()
            if number == 0:
                PairwisePreferenceRanker(max_epochs=1).fit_dask(ddf, **_COLUMNS)
            client.run(_time_all_reduce)
            held = client.run(child_process.held_bytes)
            client.run(child_process.reset_peak)
            cpu_start = client.run(time.process_time)
            start = time.perf_counter()
            ranker = PairwisePreferenceRanker(random_state=0)
            ranker.fit_dask(ddf, **_COLUMNS, timeout=TIMEOUT)
            seconds = time.perf_counter() - start
            cpu_end = client.run(time.process_time)
            peaks = client.run(child_process.peak_bytes)
            waited = max(client.run(_seconds_of_all_reduce).values(), default=0.0)
            n_steps = sum(len(epoch["batches"]) for epoch in ranker.net_.history)
            n_values = sum(
                weights.numel()
                for name, weights in ranker.net_.module_.named_parameters()
                if not name.startswith("shortcut")
            )
            yield {
                "kind": "fit_dask",
                "n_rows": n_rows,
                "n_workers": n_workers,
                "seconds": seconds,
                "cpu_seconds": max(cpu_end[each] - cpu_start[each] for each in peaks),
                "n_steps": n_steps,
                "ms_per_step": 1e3 * ranker.history_["dur"].sum() / n_steps,
                "ms_in_all_reduce": 1e3 * waited / n_steps,
                "n_values": n_values,
                "peak_bytes": max(peaks[worker] - held[worker] for worker in peaks),
                "accuracy": accuracy_of(ranker, n_test),
            }
            del ddf
        if n_workers == 2:
            yield {
                "kind": "all-reduce",
                "n_workers": 2,
                "n_values": n_values,
                "ms_per_step": 1e3 * _bare_all_reduce(client, n_values),
            }


def _piece(number, n_rows):
    return drawn(number, n_rows, number * n_rows)


def _time_all_reduce():
    """Let this process add up the seconds that its ranks spend in the all-reduce."""
    from sklearn_pscore._torch.distributed import Ranks

    if not hasattr(Ranks, "untimed"):
        Ranks.untimed = Ranks.add_up

    def add_up(self, values):
        start = time.perf_counter()
        Ranks.untimed(self, values)
        if self.number == 0:
            Ranks.seconds += time.perf_counter() - start

    Ranks.add_up, Ranks.seconds = add_up, 0.0


def _seconds_of_all_reduce():
    from sklearn_pscore._torch.distributed import Ranks

    return Ranks.seconds


def _bare_all_reduce(client, n_values):
    """Return the seconds of an all-reduce between two ranks that do nothing else."""
    from sklearn_pscore._dask.crew import Crew
    from sklearn_pscore._rankers.dask_rank import open_meeting
    from sklearn_pscore._torch.distributed import PeerLostError

    with Crew(client, "all-reduce", TIMEOUT, PeerLostError) as crew:
        crew.workers = sorted(client.nthreads())
        (address,) = crew.results([crew.submit(0, open_meeting, crew.name, TIMEOUT)])
        futures = [
            crew.submit_apart(k, _reduce_often, k, address, n_values) for k in range(2)
        ]
        return max(crew.results(futures))


def _reduce_often(tick, number, address, n_values):
    import torch

    from sklearn_pscore._dask.tasks import host_of_worker
    from sklearn_pscore._torch.distributed import Ranks

    ranks = Ranks(number, 2, address, host_of_worker(), TIMEOUT)
    values = torch.zeros(n_values)
    seconds = []
    for _ in range(_N_REDUCED):
        start = time.perf_counter()
        ranks.add_up(values)
        seconds.append(time.perf_counter() - start)
    ranks.close()
    return float(np.median(seconds))


class CpuTime(Callback):
    """Records the seconds of the processor that each epoch takes."""

    def on_epoch_begin(self, net, **kwargs):
        self.start_ = time.process_time()

    def on_epoch_end(self, net, **kwargs):
        net.history.record("cpu_seconds", time.process_time() - self.start_)


def measure_steps(n_rows):
    """Yield the milliseconds of a step of one process, by the rows of a batch.

    Those of the processor, so that other work on the machine does not count.
    """
    frame = drawn(0, n_rows)
    groups = Groups.from_frame(frame, **_COLUMNS)
    X = frame.drop(columns=[*_COLUMNS.values()])
    for n_workers in WORKERS:
        batch = BATCH_ROWS // n_workers
        kept = slice(0, min(n_rows, 200 * batch) // 10 * 10)
        ranker = PairwisePreferenceRanker(
            batch_size=batch, max_epochs=3, callbacks=[CpuTime()], random_state=0
        )
        ranker.fit(X[kept], groups[kept])
        n_steps = len(ranker.net_.history[-1, "batches"])
        seconds = min(ranker.net_.history[:, "cpu_seconds"])
        yield {
            "kind": "step",
            "n_workers": n_workers,
            "n_rows": batch,
            "n_steps": n_steps,
            "ms_per_step": 1e3 * seconds / n_steps,
        }


def measure(smoke):
    """Measure all fits and steps; print them."""
    sizes, n_test, n_step_rows = (
        ([4_000], 20_000, 10_000) if smoke else ([100_000, 1_000_000], 200_000, 100_000)
    )
    rows = [
        child_process.measure_in_child(__spec__.name, n_rows=n_rows, n_test=n_test)
        for n_rows in sizes
    ]
    for n_workers in (1, 2):
        rows += measure_cluster(n_workers, sizes, n_test)
    rows += measure_steps(n_step_rows)
    table = pd.DataFrame(rows)
    print(table.round(3).to_string(index=False))
    return table


def failures_of(rows):
    """Return a message for each bound that a smoke run breaks."""
    accuracy = rows.dropna(subset="accuracy").set_index("n_workers")["accuracy"]
    gap = accuracy.max() - accuracy.min()
    if gap > 0.02:
        return [f"fits of one machine and on workers differ by {gap:.3f} in accuracy"]
    return []


if __name__ == "__main__" and not child_process.answer_if_asked(measure_case):
    run_benchmark("dask_fit", __doc__, measure, failures_of)
