"""How long does scoring a million rows of 136 features take?

One member in float32, the same in float64, and the defaults as they are, against
LightGBM and XGBoost models of 100 trees. All are fitted to the same 20,000 rows
and score the same float32 array; XGBoost does so in place, without a DMatrix.

    python -m benchmarks.speed.prediction [--smoke]

writes ``results/prediction.csv``, one row per repetition. ``--smoke`` scores
100,000 rows, writes nothing, and fails if one member in float32 is slower than
LightGBM or XGBoost.
"""

import time

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn.preprocessing import StandardScaler

from benchmarks.shared.command_line import run_benchmark
from benchmarks.shared.results import n_threads
from benchmarks.speed.graded_groups import GradedGroups
from benchmarks.speed.single_net import single_net_ranker
from sklearn_pscore import Groups, PairwisePreferenceRanker

N_FEATURES = 136
N_TREES = 100
OURS = "one member, float32"
PEERS = ("LightGBM", "XGBoost")


def fitted_models():
    """Return the function that scores rows, by method, and the fitted scaler."""
    X, grade, group = GradedGroups(N_FEATURES).draw(20_000, seed=0)
    scaler = StandardScaler().fit(X)
    X = scaler.transform(X)
    groups = Groups.from_arrays(group=group, preference=grade)
    fit = {"max_epochs": 2, "batch_size": 2000}
    ours = {
        OURS: single_net_ranker(**fit, predict_dtype="float32"),
        "one member, float64": single_net_ranker(**fit),
        # How long it was trained does not matter here.
        "defaults": PairwisePreferenceRanker(max_epochs=1, random_state=0),
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
            start = time.perf_counter()
            predict(X)
            seconds = time.perf_counter() - start
            rows.append(
                {"method": method, "repetition": repetition, "seconds": seconds}
            )
    return pd.DataFrame(rows).assign(n_rows=n_rows)


def measure(smoke):
    """Measure all methods, in a smoke run on fewer rows; print the medians."""
    rows = measure_methods(*((10**5, 3) if smoke else (10**6, 5)))
    medians = rows.groupby("method", sort=False)["seconds"].median()
    print(f"seconds, medians\n{medians.round(3).to_string()}")
    return rows


def failures_of(rows):
    """Return a message for each bound that a smoke run breaks."""
    # The best of each: a busy machine only ever adds to a time.
    best = rows.groupby("method")["seconds"].min()
    return [
        f"{OURS} takes {best[OURS] / best[peer]:.1f} times {peer}"
        for peer in PEERS
        if best[OURS] > best[peer]
    ]


if __name__ == "__main__":
    run_benchmark("prediction", __doc__, measure, failures_of)
