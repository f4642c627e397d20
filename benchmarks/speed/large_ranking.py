"""How long until the NDCG@10 that the trees of others reach on 400,000 rows?

400,000 rows of 136 features in groups of 100, grades 0 to 4, a non-linear
truth (graded_groups.py), judged on 1,000 other groups: LightGBM's lambdarank and
XGBoost's rank:ndcg and rank:pairwise with 100 trees and else their defaults,
and one configuration of this package for all three. The seconds of ours hold the
scaling, those of the trees their binning; judging is not on the clock.

    python -m benchmarks.speed.large_ranking [--smoke]

writes ``results/large_ranking.csv``, one row per judged round of a fit.
``--smoke`` runs 60,000 rows against LightGBM with 30 trees, writes nothing, and fails
if LightGBM reaches its NDCG@10 before this package does.
"""

import pandas as pd

from benchmarks.shared.command_line import run_benchmark
from benchmarks.shared.results import n_threads
from benchmarks.speed import peers
from benchmarks.speed.curves import curves_by_method, seconds_to
from benchmarks.speed.graded_groups import GradedGroups
from benchmarks.speed.single_net import fitted_curve, warm_up
from sklearn_pscore import Groups
from sklearn_pscore.metrics import ndcg_score

N_FEATURES = 136
# Chosen on a draw with another seed than those that are measured: an epoch more than
# the shortest fit that reaches all three peers there. The shortcut is the default one.
OURS = {
    "shortcut": "additive",
    "batch_size": 1000,
    "learning_rate_init": 0.01,
    "max_epochs": 4,
}
PEERS = {
    "LightGBM lambdarank": (peers.lightgbm, {}),
    "XGBoost rank:ndcg": (peers.xgboost, {"objective": "rank:ndcg"}),
    "XGBoost rank:pairwise": (peers.xgboost, {"objective": "rank:pairwise"}),
}


def curves(n_rows, n_trees, seed, peers_asked):
    """Return the curves of all methods on one draw of the data, by method."""
    truth = GradedGroups(N_FEATURES)
    X, grade, group = truth.draw(n_rows, seed=(seed, 0))
    X_test, grade_test, group_test = truth.draw(n_rows // 4, seed=(seed, 1))
    groups_test = Groups.from_arrays(group=group_test, preference=grade_test)

    def judge(score):
        return ndcg_score(groups_test, score(X_test), k=10, gain="exponential")

    # An epoch is as long as some trees: it is judged inside too.
    curve = fitted_curve(X, grade, group, judge, seed=seed, every_n_batches=100, **OURS)
    by_method = {"sklearn_pscore": curve}
    for method in peers_asked:
        fit, params = PEERS[method]
        by_method[method] = fit(
            X,
            grade,
            group,
            judge,
            n_trees=n_trees,
            n_threads=n_threads(),
            seed=seed,
            **params,
        )
    return by_method


def times_faster(by_method):
    """Return, per peer, its seconds to its last score over ours to the same."""
    ours = by_method["sklearn_pscore"]
    return pd.Series(
        {
            method: curve["seconds"].iloc[-1]
            / seconds_to(ours, curve["score"].iloc[-1])
            for method, curve in by_method.items()
            if method in PEERS
        }
    )


def measure(smoke):
    """Measure all methods, in a smoke run LightGBM and ours; print scores and seconds."""
    n_rows, n_trees, n_repetitions = (60_000, 30, 1) if smoke else (400_000, 100, 2)
    peers_asked = ["LightGBM lambdarank"] if smoke else list(PEERS)
    warm_up()
    parts = []
    for repetition in range(n_repetitions):
        by_method = curves(n_rows, n_trees, repetition, peers_asked)
        for method, curve in by_method.items():
            parts.append(curve.assign(method=method, repetition=repetition))
            last = curve.iloc[-1]
            print(f"{method:24}{last.seconds:8.2f} s, NDCG@10 {last.score:.4f}")
        print(by_method["sklearn_pscore"].round(4).to_string(index=False))
        print("seconds of the peer / seconds of ours to its NDCG@10")
        print(times_faster(by_method).round(2).to_string())
    return pd.concat(parts).assign(n_rows=n_rows)


def failures_of(rows):
    """Return a message for each bound that a smoke run breaks."""
    faster = times_faster(curves_by_method(rows))
    # A peer's score that ours never reaches is NaN.
    behind = faster[~(faster > 1.0)]
    return [f"not ahead of its peers:\n{behind.to_string()}"] if len(behind) else []


if __name__ == "__main__":
    run_benchmark("large_ranking", __doc__, measure, failures_of)
