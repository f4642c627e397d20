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

import argparse
import sys

import pandas as pd

from benchmarks.shared.results import n_threads, write_timings
from benchmarks.speed import peers
from benchmarks.speed.curves import seconds_to
from benchmarks.speed.graded_groups import GradedGroups
from benchmarks.speed.single_net import curve_of, warm_up
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


def curves(n_rows, n_trees, seed, peers_asked, **changed):
    """Return the curves of all methods on one draw of the data, by method."""
    truth = GradedGroups(N_FEATURES)
    X, grade, group = truth.draw(n_rows, seed=(seed, 0))
    X_test, grade_test, group_test = truth.draw(n_rows // 4, seed=(seed, 1))
    groups_test = Groups.from_arrays(group=group_test, preference=grade_test)

    def judge(score):
        return ndcg_score(groups_test, score(X_test), k=10, gain="exponential")

    own = OURS | changed
    # An epoch is as long as some trees: it is judged inside too.
    how = {"seed": seed, "every_n_batches": 100, **own}
    found = {"sklearn_pscore": curve_of(X, grade, group, judge, **how)}
    for method in peers_asked:
        fit, params = PEERS[method]
        found[method] = fit(
            X,
            grade,
            group,
            judge,
            n_trees=n_trees,
            n_threads=n_threads(),
            seed=seed,
            **params,
        )
    return found


def times_faster(found):
    """Return, per peer, its seconds to its last score over ours to the same."""
    ours = found["sklearn_pscore"]
    return pd.Series(
        {
            method: curve["seconds"].iloc[-1]
            / seconds_to(ours, curve["score"].iloc[-1])
            for method, curve in found.items()
            if method in PEERS
        }
    )


def main():
    """Measure, print, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true")
    smoke = parser.parse_args().smoke
    n_rows, n_trees, n_repetitions = (60_000, 30, 1) if smoke else (400_000, 100, 2)
    peers_asked = ["LightGBM lambdarank"] if smoke else list(PEERS)
    changed = {"max_epochs": 4} if smoke else {}
    warm_up()
    parts = []
    for repetition in range(n_repetitions):
        found = curves(n_rows, n_trees, repetition, peers_asked, **changed)
        faster = times_faster(found)
        for method, curve in found.items():
            parts.append(curve.assign(method=method, repetition=repetition))
            last = curve.iloc[-1]
            print(f"{method:24}{last.seconds:8.2f} s, NDCG@10 {last.score:.4f}")
        print(found["sklearn_pscore"].round(4).to_string(index=False))
        print("seconds of the peer / seconds of ours to its NDCG@10")
        print(faster.round(2).to_string())
    if smoke:
        behind = faster[~(faster > 1.0)]
        if len(behind):
            sys.exit(f"not ahead of its peers:\n{behind.to_string()}")
        return
    write_timings("large_ranking", pd.concat(parts).assign(n_rows=n_rows))


if __name__ == "__main__":
    main()
