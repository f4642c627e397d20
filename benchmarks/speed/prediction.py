"""How long does scoring take, of a million rows of 136 features and of a single one?

The defaults, which multiply many rows in float32, the same in float64 alone, and one
member in both types, against LightGBM and XGBoost models of 100 trees. All are fitted
to the same 20,000 rows and score the same float32 array; XGBoost does so in place,
without a DMatrix.

    python -m benchmarks.speed.prediction [--smoke]

writes ``results/prediction.csv``, one row per method, number of rows and repetition;
the seconds of a single row are the median of many calls. ``--smoke`` scores 100,000
rows, writes nothing, and fails if the defaults are slower than LightGBM, or take twice
the time of XGBoost.
"""

import time

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from benchmarks.shared.command_line import run_benchmark
from benchmarks.shared.results import n_threads
from benchmarks.speed.graded_groups import GradedGroups
from benchmarks.speed.single_net import single_net_ranker
from sklearn_pscore import Groups, PairwisePreferenceRanker

N_FEATURES = 136
N_TREES = 100
# Calls of which the median is that of a single row.
N_CALLS = 500


def fitted_models():
    """Return the function that scores rows, by method, and the fitted scaler."""
    X, grade, group = GradedGroups(N_FEATURES).draw(20_000, seed=0)
    scaler = StandardScaler().fit(X)
    X = scaler.transform(X)
    groups = Groups.from_arrays(group=group, preference=grade)
    fit = {"max_epochs": 2, "batch_size": 2000}
    # How long it was trained does not matter here.
    defaults = PairwisePreferenceRanker(max_epochs=1, random_state=0)
    ours = {
        "one member, float32": single_net_ranker(**fit, predict_dtype="float32"),
        "one member, float64": single_net_ranker(**fit),
        "defaults": defaults,
        "defaults, float64": clone(defaults).set_params(predict_dtype="float64"),
    }
    peers = {"n_estimators": N_TREES, "n_jobs": n_threads(), "random_state": 0}
    lgbm = lightgbm.LGBMRanker(verbose=-1, **peers)
    lgbm.fit(X, grade, group=np.bincount(group))
    xgb = xgboost.XGBRanker(objective="rank:pairwise", **peers).fit(X, grade, qid=group)
    models = {name: ranker.fit(X, groups).predict for name, ranker in ours.items()}
    return models | {"LightGBM": lgbm.predict, "XGBoost": xgb.predict}, scaler


def measure_methods(n_rows, n_repetitions):
    """Return one row per method and repetition; methods take turns."""
    models, scaler = fitted_models()
    X = scaler.transform(GradedGroups(N_FEATURES).draw(n_rows, seed=1)[0])
    for predict in models.values():  # warms up
        predict(X[:1000])
    rows = []
    for repetition in range(n_repetitions):
        for method, predict in models.items():
            start, cpu_start = time.perf_counter(), time.process_time()
            predict(X)
            seconds = time.perf_counter() - start
            cpu_seconds = time.process_time() - cpu_start
            rows.append((method, n_rows, repetition, seconds, cpu_seconds))
            calls, cpu_start = [], time.process_time()
            for row in range(N_CALLS):
                start = time.perf_counter()
                predict(X[row : row + 1])
                calls.append(time.perf_counter() - start)
            cpu_seconds = (time.process_time() - cpu_start) / N_CALLS
            rows.append((method, 1, repetition, np.median(calls), cpu_seconds))
    columns = ["method", "n_rows", "repetition", "seconds", "cpu_seconds"]
    return pd.DataFrame(rows, columns=columns)


def measure(smoke):
    """Measure all methods, in a smoke run on fewer rows; print the medians."""
    rows = measure_methods(*((10**5, 3) if smoke else (10**6, 5)))
    medians = rows.pivot_table(
        ["seconds", "cpu_seconds"], "method", "n_rows", "median", sort=False
    )
    print(f"medians\n{medians.to_string(float_format='{:.2g}'.format)}")
    return rows


def failures_of(rows):
    """Return a message for each bound that a smoke run breaks."""
    # The best of each, of a processor: a busy machine only ever adds to a time.
    many = rows[rows["n_rows"] > 1]
    best = many.groupby("method")["cpu_seconds"].min()
    return [
        f"the defaults take {best['defaults'] / best[peer]:.1f} times {peer}"
        for peer, most in (("LightGBM", 1), ("XGBoost", 2))
        if best["defaults"] > most * best[peer]
    ]


if __name__ == "__main__":
    run_benchmark("prediction", __doc__, measure, failures_of)
