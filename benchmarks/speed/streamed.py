"""Does `fit_parquet` learn from 20 million rows within 2 GB, and as well?

20 million rows of 20 float32 features in groups of 100 are written to a temporary
folder in pieces. A process of its own streams all of them once by ``fit_parquet``
and reads its peak of memory; others stream the first million rows, and fit them in
memory with the same parameters. All three are judged on 2,000 other groups. The
folder is removed afterwards.

    python -m benchmarks.speed.streamed [--smoke]

writes ``results/streamed.csv``, one row per fit. ``--smoke`` streams 400,000 rows
and a quarter of them, writes nothing, and fails if four times the rows hold twice
the memory, or if the pairwise accuracies of the two fits of the quarter differ by
more than .02.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.shared import child_process
from benchmarks.shared.command_line import run_benchmark
from benchmarks.speed.graded_groups import GradedGroups
from benchmarks.speed.single_net import single_net_ranker, warm_up
from sklearn_pscore import Groups
from sklearn_pscore.metrics import pairwise_accuracy_score

N_FEATURES = 20
BATCH_SIZE = 2_000
_TRUTH = GradedGroups(N_FEATURES)
_SEED_OF_TEST = -1


def write_piece(folder, number, n_rows):
    """Write one file of whole groups, with labels that no other file has."""
    X, grade, group = _drawn(number, n_rows)
    n_groups = n_rows // _TRUTH.group_size
    columns = {"group": group + number * n_groups, "grade": grade}
    columns |= {f"feature_{k:02d}": X[:, k] for k in range(N_FEATURES)}
    pq.write_table(pa.table(columns), folder / f"piece_{number:04d}.parquet")


def _drawn(number, n_rows):
    """Return rows with scaled features, as fit_parquet wants them in its files."""
    test = _TRUTH.draw(20_000, seed=10**6)[0]
    seed = 10**6 + 1 if number == _SEED_OF_TEST else number
    X, grade, group = _TRUTH.draw(n_rows, seed=seed)
    return (X - test.mean(axis=0)) / test.std(axis=0), grade, group


def measure_case(way, paths, rows_per_piece, n_test):
    """Fit in this process; return seconds, peak of memory and accuracy."""
    warm_up()
    ranker = single_net_ranker(max_epochs=1, batch_size=BATCH_SIZE)
    # All that reading Parquet imports and allocates is there before the baseline.
    pq.read_table(paths[0], columns=["group"]).to_pandas()
    baseline = child_process.held_bytes()
    child_process.reset_peak()
    start = time.perf_counter()
    if way == "streamed":
        ranker.fit_parquet(paths, group="group", preference="grade")
    else:
        frame = pq.read_table(paths).to_pandas()
        groups = Groups.from_frame(frame, group="group", preference="grade")
        ranker.fit(frame.drop(columns=["group", "grade"]), groups)
    seconds = time.perf_counter() - start
    peak = child_process.peak_bytes()
    X, grade, group = _drawn(_SEED_OF_TEST, n_test)
    names = [f"feature_{k:02d}" for k in range(N_FEATURES)]
    scores = ranker.predict(pd.DataFrame(X, columns=names))
    test = Groups.from_arrays(group=group, preference=grade)
    return {
        "way": way,
        "n_rows": len(paths) * rows_per_piece,
        "seconds": seconds,
        "peak_bytes": peak,
        "peak_above_imports_bytes": peak - baseline,
        "file_bytes": sum(Path(path).stat().st_size for path in paths),
        "accuracy": pairwise_accuracy_score(test, scores),
    }


def measure(smoke):
    """Write the files and measure each fit in a process of its own; print them."""
    n_pieces, rows_per_piece, n_subset, n_test = (
        (8, 50_000, 2, 20_000) if smoke else (40, 500_000, 2, 200_000)
    )
    with tempfile.TemporaryDirectory() as folder:
        for number in range(n_pieces):
            write_piece(Path(folder), number, rows_per_piece)
        paths = sorted(map(str, Path(folder).iterdir()))
        subset = paths[:n_subset]
        table = pd.DataFrame(
            child_process.measure_in_child(
                __spec__.name,
                way=way,
                paths=files,
                rows_per_piece=rows_per_piece,
                n_test=n_test,
            )
            for way, files in (
                ("streamed", paths),
                ("streamed", subset),
                ("in memory", subset),
            )
        )
    shown = table[["way", "n_rows", "seconds", "accuracy"]].round(4)
    megabytes = (table.filter(like="bytes") / 2**20).round(0)
    megabytes.columns = megabytes.columns.str.replace("bytes", "MB")
    print(pd.concat([shown, megabytes], axis=1).to_string(index=False))
    return table


def failures_of(rows):
    """Return a message for each bound that a smoke run breaks."""
    failures = []
    all_rows, subset = rows["peak_above_imports_bytes"][:2]
    if all_rows > 2 * subset:
        ratio = all_rows / subset
        failures.append(f"four times the rows held {ratio:.1f} times the memory")
    gap = np.ptp(rows["accuracy"][1:])
    if gap > 0.02:
        failures.append(f"streamed and in memory differ by {gap:.3f} in accuracy")
    return failures


if __name__ == "__main__" and not child_process.answer_if_asked(measure_case):
    run_benchmark("streamed", __doc__, measure, failures_of)
