"""How long do the metrics take for a million rows, beside other libraries?

All five metrics on 10^6 rows in 30,000 groups, one call each, the target given
as the array that ``Groups`` builds: whole numbers, numbers far apart or strings
as labels, rows sorted by group or shuffled, preferences in 5 levels or all
different. Beside it, on 5 levels, a loop over the groups that calls
scikit-learn's ``ndcg_score`` (handed the rows of each group already cut out),
and ranx, if it is installed (compiled and warm, handed its ``Qrels`` and
``Run``; building them has a row of its own). NDCG with the linear gain is what
all three compute: the values must agree, or nothing is written.

    python -m benchmarks.speed.metrics_speed [--smoke]

writes ``results/metrics_speed.csv``, one row per repetition, and prints medians.
``--smoke`` takes 20,000 rows, writes nothing, and fails if one of the five is
not at least 10 times as fast as the loop.
"""

import importlib.util
import itertools
import sys
import time
from functools import partial

import numpy as np
import pandas as pd
import sklearn.metrics

from benchmarks.shared.command_line import run_benchmark
from benchmarks.shared.results import write_rows
from sklearn_pscore import Groups
from sklearn_pscore import metrics as ours

METRICS = {
    "MRR": ours.reciprocal_rank_score,
    "DCG": ours.dcg_score,
    "NDCG": ours.ndcg_score,
    "pairwise accuracy": ours.pairwise_accuracy_score,
    "Kendall tau": ours.kendall_tau_score,
}
LINEAR = {
    "DCG, linear gain": partial(ours.dcg_score, gain="linear"),
    "NDCG, linear gain": partial(ours.ndcg_score, gain="linear"),
}
LABELS = {
    "numbers": lambda group: group,
    "numbers far apart": lambda group: 7_919_991 * group + 10**12,
    "strings": lambda group: np.char.add("query-", group.astype(str)),
}
KEYS = ["method", "metric", "labels", "order", "preference"]
CASE_OF_PEERS = ("numbers", "sorted", "5 levels")


def make_data(n_rows, n_groups, labels, order, preference):
    """Return a target and scores that agree with it in part."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, n_groups, n_rows)
    if order == "sorted":
        group.sort()
    if preference == "5 levels":
        liked = rng.integers(0, 5, n_rows).astype(float)
    else:
        liked = rng.normal(size=n_rows)
    y_score = liked + 2 * rng.normal(size=n_rows)
    return Groups.from_arrays(group=LABELS[labels](group), preference=liked), y_score


def repeated(call, n_repetitions, **keys):
    """Return one row per repetition, after one that warms up."""
    rows = []
    call()
    for repetition in range(1, n_repetitions + 1):
        start = time.perf_counter()
        value = call()
        seconds = time.perf_counter() - start
        rows.append(keys | {"repetition": repetition, "seconds": seconds})
        rows[-1]["value"] = float(value)
    return rows


def measure_ours(metrics, n_rows, n_groups, n_repetitions, *case):
    """Measure this package's metrics on one case."""
    data = make_data(n_rows, n_groups, *case)
    keys = dict(zip(KEYS[2:], case, strict=True))
    rows = []
    for name, metric in metrics.items():
        call = partial(metric, *data)
        rows += repeated(
            call, n_repetitions, method="sklearn_pscore", metric=name, **keys
        )
    return rows


def measure_loop(groups, y_score, n_repetitions, **keys):
    """Measure scikit-learn's metric group by group; rows must be sorted by group."""
    start = np.flatnonzero(np.diff(groups["group"], prepend=-1))
    preferences = np.split(np.ascontiguousarray(groups["preference"]), start[1:])
    scores = np.split(y_score, start[1:])

    def call():
        return np.mean(
            [
                sklearn.metrics.ndcg_score(preference[None], score[None])
                for preference, score in zip(preferences, scores, strict=True)
                # Groups that say nothing: ours leaves them out too.
                if len(score) > 1 and preference.min() < preference.max()
            ]
        )

    method = "loop over scikit-learn"
    return repeated(
        call, n_repetitions, method=method, metric="NDCG, linear gain", **keys
    )


def measure_ranx(groups, y_score, n_repetitions, **keys):
    """Measure ranx, and once the building of its two objects."""
    import ranx

    def build(groups, y_score):
        names = {
            "q_id": groups["group"].astype(str),
            "doc_id": np.arange(len(groups)).astype(str),
        }
        # ranx takes names as objects only.
        table = pd.DataFrame({k: pd.Series(v, dtype=object) for k, v in names.items()})
        liked = groups["preference"].astype(int)
        qrels = ranx.Qrels.from_df(table.assign(score=liked))
        return qrels, ranx.Run.from_df(table.assign(score=y_score))

    build(groups[:100], y_score[:100])  # compiles
    start = time.perf_counter()
    qrels, run = build(groups, y_score)
    seconds = time.perf_counter() - start
    rows = [{"method": "ranx", "metric": "(building)", **keys, "seconds": seconds}]
    for metric, name in [
        ("mrr", "MRR"),
        ("dcg", "DCG, linear gain"),
        ("ndcg", "NDCG, linear gain"),
    ]:
        call = partial(ranx.evaluate, qrels, run, metric, make_comparable=False)
        rows += repeated(call, n_repetitions, method="ranx", metric=name, **keys)
    return rows


def compare_with_peers(n_rows, n_groups, n_repetitions, with_ranx):
    """Measure all libraries on one case; end the program if their values differ."""
    groups, y_score = make_data(n_rows, n_groups, *CASE_OF_PEERS)
    keys = dict(zip(KEYS[2:], CASE_OF_PEERS, strict=True))
    rows = measure_ours(
        METRICS | LINEAR, n_rows, n_groups, n_repetitions, *CASE_OF_PEERS
    )
    rows += measure_loop(groups, y_score, n_repetitions, **keys)
    if with_ranx:
        rows += measure_ranx(groups, y_score, n_repetitions, **keys)
    table = pd.DataFrame(rows)
    for metric in LINEAR:
        values = table[table["metric"] == metric].groupby("method")["value"].first()
        if not np.allclose(values, values["sklearn_pscore"], rtol=1e-6):
            sys.exit(f"the values of {metric} differ:\n{values.to_string()}")
    return table


def measure(smoke):
    """Measure all cases, in a smoke run one without ranx; print the medians."""
    if smoke:
        rows = compare_with_peers(20_000, 600, 3, with_ranx=False)
    else:
        rows = measure_all_cases(10**6, 30_000, 5)
    medians = rows.groupby(KEYS, sort=False)["seconds"].median()
    print((1e3 * medians).round(1).to_string(), "\n(milliseconds, medians)")
    ratio = times_slowest(rows)
    print(f"the loop takes {ratio:.0f} times as long as the slowest of ours")
    return rows


def measure_all_cases(*size):
    """Return the rows of the case with peers, and of ours on all other cases."""
    has_ranx = importlib.util.find_spec("ranx") is not None
    if not has_ranx:
        print("ranx is not installed: it is left out")
    parts = [compare_with_peers(*size, with_ranx=has_ranx)]
    for case in itertools.product(
        LABELS, ("sorted", "shuffled"), ("5 levels", "all different")
    ):
        if case != CASE_OF_PEERS:
            parts.append(pd.DataFrame(measure_ours(METRICS, *size, *case)))
    return pd.concat(parts, ignore_index=True)


def times_slowest(rows):
    """Return the seconds of the loop over those of the slowest metric of ours."""
    medians = rows.groupby(["method", *KEYS[1:]])["seconds"].median()
    loop = medians["loop over scikit-learn"].iloc[0]
    return loop / medians["sklearn_pscore"].max()


def failures_of(rows):
    """Return a message for each bound that a smoke run breaks."""
    if times_slowest(rows) < 10:
        return ["a metric is not 10 times as fast as the loop at 20,000 rows"]
    return []


if __name__ == "__main__":
    run_benchmark("metrics_speed", __doc__, measure, failures_of, write=write_rows)
