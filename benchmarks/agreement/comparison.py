"""Who agrees best with people: this package's defaults or its peers?

Real and synthetic sets (``data_sets.py``), this package and its peers with
fixed settings (``rankers.py``), nothing tuned on the rows judged.

    python -m benchmarks.agreement.comparison [--sets NAME ...] [--rankers NAME ...]
        [--real] [--folds N] [--seeds 5] [--missing] [--out NAME] [--show] [--smoke]

writes ``results/agreement.csv``, one row per set, ranker, seed and fold, after
each ranker, and prints tables. A run replaces its earlier rows
and keeps all others; with ``--missing`` only runs without rows are made, so
that a long run can be stopped and resumed. ``--real`` runs real sets alone, ``--show``
nothing. Means over sets count each table once: not "THQA, one method out", whose rows
are those of THQA.
Folds of one table share most of their training rows, so their intervals are a
little too narrow; draws of a synthetic set share nothing. On THQA the method's
identity alone (its mean opinion on the training folds, no metric) has an accuracy
of 0.807; where one method is left out, the other item of each pair judged was
trained on.
"""

import numpy as np
import pandas as pd

from benchmarks.agreement.data_sets import SETS
from benchmarks.agreement.evaluation import (
    METRICS,
    differences_by_set,
    fits,
    fold_means,
    over_sets,
    paired_difference,
    score,
)
from benchmarks.agreement.rankers import MANY_ROWS, OURS, RANKERS, STACK
from benchmarks.agreement.runs import Grid, parse, run_grid


def run(name, data, splits, n_seeds):
    """Fit and judge one ranker on all splits of a set; one row per fit."""
    entry = RANKERS[name]
    if len(splits[0].X_train) >= MANY_ROWS:
        n_seeds = min(n_seeds, 2)
    return pd.DataFrame(
        {**fit, "n_train": len(split.X_train), **score(model, data, split)}
        for model, split, fit in fits(
            lambda seed, split: entry.make(seed, data), splits, entry.n_seeds(n_seeds)
        )
    )


GRID = Grid(
    "agreement",
    by="ranker",
    names=list(RANKERS),
    sets=SETS,
    run=run,
    suits=lambda name, data: RANKERS[name].suits(data),
)


def best_peer(means_by_fold, metric):
    """Return the name of the single peer with the best mean; a stack is none."""
    peers = means_by_fold.drop(columns=[OURS, STACK], errors="ignore").mean()
    return peers.idxmin() if metric == "log_loss" else peers.idxmax()


def summary(table, metric="accuracy"):
    """Return one row per set: ours, the stack, the best peer, the paired difference."""
    rows = []
    for name in table["set"].unique():
        means = fold_means(table, name, metric, by="ranker")
        if OURS not in means or means[OURS].isna().all():
            continue
        if not len(means.columns.drop([OURS, STACK], errors="ignore")):
            continue
        peer = best_peer(means, metric)
        difference, half = paired_difference(means[OURS], means[peer])
        rows.append(
            {
                "set": name,
                "folds": len(means),
                "ours": means[OURS].mean(),
                "stack": means[STACK].mean() if STACK in means else np.nan,
                "best peer": means[peer].mean(),
                "which": peer,
                "difference": difference,
                "low": difference - half,
                "high": difference + half,
            }
        )
    return pd.DataFrame(rows)


def counted(table, kind="all"):
    """Return the rows of the sets that means over sets count: each table once.

    Parameters
    ----------
    table : DataFrame
    kind : {"all", "real", "synthetic"}
    """

    def counts(name):
        data = SETS[name]
        return not data.is_split_again and kind in ("all", data.kind)

    return table[table["set"].map(counts)]


def means_over_sets(table, metric="accuracy"):
    """Return the mean over sets of rankers, of all sets and of either kind.

    A mean is there if a ranker was run on all those sets that ours was run on.
    """
    columns = {}
    for kind in ("real", "all", "synthetic"):
        rows = counted(table, kind)
        rows = rows[rows["set"].isin(rows.loc[rows["ranker"] == OURS, "set"])]
        if not len(rows):
            continue
        folds = rows.pivot_table(metric, ["set", "fold"], "ranker", sort=False)
        by_set = folds.groupby(level="set").mean()
        columns[f"{kind}, {len(by_set)} sets"] = by_set.mean(skipna=False)
    means = pd.DataFrame(columns).dropna(how="all")
    return means.sort_values(list(means)[0], ascending=False)


def against_peers(table, kind="real", metric="accuracy"):
    """Return what ours gains over each peer: paired over folds, then over sets."""
    rows = counted(table, kind)
    gains = -differences_by_set(rows, "ranker", OURS, metric)
    return over_sets(gains.drop(index=OURS)).sort_values("difference")


def behind_the_best(table, *, by=0.01, kind="real"):
    """Return the rows of `summary` where ours is behind the best peer by more."""
    rows = counted(table, kind)
    if not len(rows):
        return pd.DataFrame()
    differences = summary(rows)
    return differences[differences["difference"] < -by].sort_values("difference")


def show_set(name, rows):
    """Print the means of a set, and the spread over seeds where it has one fold."""
    measured = [m for m in METRICS if m in rows and rows[m].notna().any()]
    by_ranker = rows.groupby("ranker", sort=False)
    # Over seeds first, so that folds weigh the same with few seeds and many.
    folds = rows.groupby(["ranker", "fold"], sort=False)[measured].mean()
    means = folds.groupby("ranker", sort=False).mean()
    means["fit_seconds"] = by_ranker["fit_seconds"].mean()
    print(f"{name}: means over folds of means over seeds")
    print(means.round(4).to_string(), "\n")
    if rows["fold"].nunique() == 1:
        spread = by_ranker[measured].std().dropna(how="all")
        print(f"{name}: standard deviations over seeds, its test part is fixed")
        print(spread.round(4).to_string(), "\n")


def show(table):
    """Print the means of every set, the paired differences, the mean over sets."""
    for name in table["set"].unique():
        show_set(name, table[table["set"] == name])
    print("accuracy, this package - best peer, paired over folds, 95 % interval")
    print(summary(table).round(4).to_string(index=False), "\n")
    for metric in ("log_loss", "top1"):
        choices = table[table["set"].map(lambda name: SETS[name].is_choice)]
        if metric in choices and len(choices):
            print(f"{metric}, where one is chosen")
            print(summary(choices, metric).round(4).to_string(index=False), "\n")
    print("accuracy, mean over the sets, of rankers that were run on all of them")
    print(means_over_sets(table).round(4).to_string(), "\n")
    for kind in ("real", "all"):
        print(f"accuracy, this package - each peer, over sets: {kind}")
        print(against_peers(table, kind).round(4).to_string(), "\n")
    print("real sets where this package is behind the best peer by more than .01")
    print(behind_the_best(table).round(4).to_string(index=False))


def main():
    """Run the rankers asked for, write their rows and print the tables."""
    args = parse(GRID, __doc__, smoke_sets=["linear, 20 x 8", "metrics 20 x 8"])
    show(run_grid(GRID, args))


if __name__ == "__main__":
    main()
