"""How good, and after how many seconds, on large problems of three kinds?

136 features in groups of 100, grades 0 to 4, 10,000, 100,000 and 400,000 rows of
three truths: ``graded`` (graded_groups.py), one with 115 useless features, and one of
thresholds and sparse features (ranked_groups.py). Judged on 1,000 other groups by NDCG@10
with the exponential gain and pairwise accuracy. This package with its defaults, with
fewer epochs, with lambdarank, and as a single net; LightGBM's
lambdarank, XGBoost's rank:ndcg and rank:pairwise and CatBoost's YetiRank with 100 trees
and else their defaults, but CatBoost at a rate of .1 as the others have: its own is .03.
LightGBM goes on to 400 trees, judged on the way. The seconds are those of the whole
fit, with scaling and binning; judging is not on the clock.

    python -m benchmarks.speed.large_ranking [--truths NAME ...] [--sizes N ...]
        [--methods NAME ...] [--repetitions 4] [--missing] [--out NAME] [--show]
        [--smoke]

writes ``results/large_ranking.csv`` after each method, one row per judged point of a fit.
400,000 rows are drawn once, fewer rows as often as ``--repetitions`` says. A run
replaces its earlier rows; ``--missing`` makes only runs without rows. ``--smoke`` runs
60,000 rows of "graded" against LightGBM with 30 trees, writes nothing, and fails if
LightGBM reaches its NDCG@10 before the single net does.
"""

import time
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.shared.command_line import exit_if, parser_with_smoke
from benchmarks.shared.results import n_threads, timed, write_csv
from benchmarks.shared.run_rows import RunRows
from benchmarks.speed import peers
from benchmarks.speed.curves import as_curve, curves_by_method, seconds_to
from benchmarks.speed.graded_groups import GradedGroups
from benchmarks.speed.ranked_groups import (
    N_FEATURES,
    SparseThresholds,
    UselessFeatures,
)
from benchmarks.speed.single_net import fitted_curve, warm_up
from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore.metrics import ndcg_score, pairwise_accuracy_score

NAME = "large_ranking"
TRUTHS = {
    "graded": partial(GradedGroups, N_FEATURES),
    "useless features": UselessFeatures,
    "thresholds, sparse": SparseThresholds,
}
SIZES = (10_000, 100_000, 400_000)
_DRAWN_ONCE = 400_000
_N_TEST = 100_000

TRUTH = "the truth itself"
OURS = "sklearn_pscore"
LAMBDARANK = "sklearn_pscore, lambdarank"
SINGLE = "sklearn_pscore, single net"
LIGHTGBM = "LightGBM lambdarank"
EPOCHS = (1, 3, 10, "auto")
"""Epochs of the defaults, each number in a fit of its own."""

TREES = (25, 50, 100, 200, 400)
N_TREES = 100
# Chosen on a draw of "graded" with another seed than those that are measured: an epoch
# more than the shortest fit that reached LightGBM and XGBoost with 100 trees there.
SINGLE_NET = {
    "shortcut": "additive",
    "batch_size": 1000,
    "learning_rate_init": 0.01,
    "max_epochs": 4,
}


def _truth(truth, X, grade, group, judge, seed):
    """The score without noise, which no model knows."""
    return as_curve([(np.nan, np.nan, judge(truth.utility))])


def _defaults(truth, X, grade, group, judge, seed, epochs=EPOCHS, **params):
    """Fits of the defaults, the shortest first; the last has all its epochs."""
    groups = Groups.from_arrays(group=group, preference=grade)
    points = []
    for max_epochs in epochs:
        ranker = PairwisePreferenceRanker(
            max_epochs=max_epochs, random_state=seed, **params
        )
        start = time.perf_counter()
        ranker.fit(X, groups)
        seconds = time.perf_counter() - start
        points.append((seconds, len(ranker.history_["epoch"]), judge(ranker.predict)))
    return as_curve(points)


def _single(truth, X, grade, group, judge, seed):
    """One net in one fit; an epoch is as long as some trees: it is judged inside too."""
    return fitted_curve(
        X, grade, group, judge, seed=seed, every_n_batches=25, **SINGLE_NET
    )


def _peer(fit, n_trees=N_TREES, **params):
    def curve(truth, X, grade, group, judge, seed):
        return fit(
            X,
            grade,
            group,
            judge,
            n_trees=n_trees,
            n_threads=n_threads(),
            seed=seed,
            judged=TREES,
            **params,
        )

    return curve


METHODS = {
    TRUTH: _truth,
    OURS: _defaults,
    LAMBDARANK: partial(
        _defaults, epochs=("auto",), loss="lambdarank", gain="exponential"
    ),
    SINGLE: _single,
    LIGHTGBM: _peer(peers.lightgbm, TREES[-1]),
    "XGBoost rank:ndcg": _peer(peers.xgboost, objective="rank:ndcg"),
    "XGBoost rank:pairwise": _peer(peers.xgboost, objective="rank:pairwise"),
    "CatBoost YetiRank": _peer(
        peers.catboost, loss_function="YetiRank", learning_rate=0.1
    ),
}
"""``method(truth, X, grade, group, judge, seed)`` returns a curve, by its name."""


class Draw:
    """Training rows of one truth, and the judge of scores on other groups."""

    def __init__(self, truth, n_rows, repetition, n_test=_N_TEST):
        self.truth = TRUTHS[truth]()
        self.repetition = repetition
        self.train = self.truth.draw(n_rows, seed=(repetition, 0))
        self.X_test, grade, group = self.truth.draw(n_test, seed=(repetition, 1))
        self.groups_test = Groups.from_arrays(group=group, preference=grade)

    def judge(self, score):
        """Return NDCG@10 and accuracy of a function that scores rows."""
        y_score = score(self.X_test)
        return {
            "score": ndcg_score(self.groups_test, y_score, k=10, gain="exponential"),
            "accuracy": pairwise_accuracy_score(self.groups_test, y_score),
        }

    def curve(self, method):
        """Return the curve of a method of METHODS."""
        return method(self.truth, *self.train, self.judge, self.repetition)


def times_faster(by_method):
    """Return seconds of LightGBM to its last NDCG@10 over those of the single net."""
    last = by_method[LIGHTGBM].iloc[-1]
    return last["seconds"] / seconds_to(by_method[SINGLE], last["score"])


def smoke():
    """Measure the single net and LightGBM; return a message if they break the bound."""
    warm_up()
    draw = Draw("graded", 60_000, 0, n_test=20_000)
    methods = {SINGLE: METHODS[SINGLE], LIGHTGBM: _peer(peers.lightgbm, 30)}
    by_method = {name: draw.curve(method) for name, method in methods.items()}
    faster = times_faster(by_method)
    print(f"seconds of {LIGHTGBM} / of ours to its NDCG@10: {faster:.2f}")
    # A score that ours never reaches is NaN.
    return [] if faster > 1.0 else [f"not ahead of {LIGHTGBM}: {faster:.2f}"]


def run(rows, args):
    """Make the runs asked for, and write the rows after each method."""
    warm_up()
    for truth in args.truths:
        for n_rows in args.sizes:
            n_draws = 1 if n_rows >= _DRAWN_ONCE else args.repetitions
            for repetition in range(n_draws):
                run_draw(rows, truth, n_rows, repetition, args)


def run_draw(rows, truth, n_rows, repetition, args):
    """Make the runs on one draw of the data, which is made if there is any."""
    key = {"truth": truth, "n_rows": n_rows, "repetition": repetition}
    methods = [
        name
        for name in args.methods
        if not (args.missing and rows.has(truth, n_rows, repetition, name))
    ]
    draw = Draw(truth, n_rows, repetition) if methods else None
    for name in methods:
        curve = draw.curve(METHODS[name])
        last = curve.iloc[-1]
        print(
            f"{truth}, {n_rows:,}, {repetition}, {name}: NDCG@10 {last['score']:.4f}, "
            f"accuracy {last['accuracy']:.4f}, {last['seconds']:.1f} s",
            flush=True,
        )
        rows.replace(timed(curve.assign(**key, method=name)))


def show(table):
    """Print the last point of each fit, means over draws, LightGBM's at 100 trees."""
    keys = ["truth", "n_rows", "method"]
    print(last_points(table).groupby(keys, sort=False).mean().round(4).to_string())


def last_points(table):
    """Return the last point of each fit, of LightGBM the one after 100 trees."""
    at_most = (table["method"] != LIGHTGBM) | (table["rounds"] <= N_TREES)
    keys = ["truth", "n_rows", "repetition", "method"]
    columns = ["truth", "n_rows", "method", "seconds", "score", "accuracy"]
    return table[at_most].groupby(keys, sort=False).tail(1)[columns]


def reached(table, ours=OURS):
    """Return, for each point of LightGBM, the seconds of ours to the same NDCG@10.

    Means over draws; of the defaults it is the shortest fit that is as good, NaN where on
    a draw there is none.
    """
    found = []
    for _, rows in table.groupby(["truth", "n_rows", "repetition"], sort=False):
        by_method = curves_by_method(rows)
        if ours not in by_method or LIGHTGBM not in by_method:
            continue
        points = by_method[LIGHTGBM][["truth", "n_rows", "rounds", "seconds", "score"]]
        seconds = [seconds_to(by_method[ours], score) for score in points["score"]]
        found.append(points.assign(ours=seconds))
    if not found:
        return pd.DataFrame()
    together = pd.concat(found).groupby(["truth", "n_rows", "rounds"], sort=False)
    means = together[["score", "seconds"]].mean()
    means["ours"] = together["ours"].agg(lambda seconds: seconds.mean(skipna=False))
    return means.reset_index()


def main():
    """Run what was asked for, write the rows and print the last points."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--truths", nargs="+", choices=TRUTHS, default=list(TRUTHS))
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--repetitions", type=int, default=4)
    parser.add_argument("--missing", action="store_true", help="skip runs with rows")
    parser.add_argument("--out", default=NAME, help="name of the rows")
    parser.add_argument("--show", action="store_true", help="run nothing, print rows")
    args = parser.parse_args()
    if args.smoke:
        exit_if(smoke())
        return
    order = {
        "truth": TRUTHS,
        "n_rows": SIZES,
        "repetition": range(args.repetitions),
        "method": METHODS,
    }
    rows = RunRows(args.out, order, write=write_csv)
    if not args.show:
        run(rows, args)
    show(rows.table)


if __name__ == "__main__":
    main()
