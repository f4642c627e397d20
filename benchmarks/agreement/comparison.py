"""Who agrees best with people: this package's defaults or its peers?

Real and synthetic sets (``data_sets.py``), this package and its peers with
fixed settings (``rankers.py``), nothing tuned on the rows judged.

    python -m benchmarks.agreement.comparison [--sets NAME ...] [--rankers NAME ...]
        [--seeds 5] [--missing] [--out NAME] [--show] [--smoke]

writes ``results/agreement.csv``, one row per set, ranker, seed and fold, after
each ranker, and prints tables. A run replaces its earlier rows
and keeps all others; with ``--missing`` only runs without rows are made, so
that a long run can be stopped and resumed. ``--show`` runs nothing.
Folds of one table share most of their training rows, so their intervals are a
little too narrow; draws of a synthetic set share nothing. On THQA the method's
identity alone (its mean opinion on the training folds, no metric) has an accuracy
of 0.807; where one method is left out, the other item of each pair judged was
trained on.
"""

import pandas as pd

from benchmarks.agreement.data_sets import SETS
from benchmarks.agreement.evaluation import (
    METRICS,
    fits,
    fold_means,
    paired_difference,
    score,
)
from benchmarks.agreement.rankers import MANY_ROWS, OURS, RANKERS
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
    """Return the name of the peer with the best mean."""
    peers = means_by_fold.drop(columns=OURS, errors="ignore").mean()
    return peers.idxmin() if metric == "log_loss" else peers.idxmax()


def summary(table, metric="accuracy"):
    """Return one row per set: ours, the best peer, the paired difference."""
    rows = []
    for name in table["set"].unique():
        means = fold_means(table, name, metric, by="ranker")
        if OURS not in means or means.shape[1] < 2 or means[OURS].isna().all():
            continue
        peer = best_peer(means, metric)
        difference, half = paired_difference(means[OURS], means[peer])
        rows.append(
            {
                "set": name,
                "folds": len(means),
                "ours": means[OURS].mean(),
                "best peer": means[peer].mean(),
                "which": peer,
                "difference": difference,
                "low": difference - half,
                "high": difference + half,
            }
        )
    return pd.DataFrame(rows)


def means_over_sets(table, metric="accuracy"):
    """Return the mean over sets of every ranker that was run on all of them."""
    means = pd.DataFrame(
        {
            name: fold_means(table, name, metric, by="ranker").mean()
            for name in table["set"].unique()
        }
    ).dropna()
    kinds = pd.Series({name: SETS[name].kind for name in means if name in SETS})
    columns = {"all": means.mean(axis=1)}
    for kind in ("real", "synthetic"):
        if (kinds == kind).any():
            columns[kind] = means[kinds.index[kinds == kind]].mean(axis=1)
    return pd.DataFrame(columns).sort_values("all", ascending=False)


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
    print(means_over_sets(table).round(4).to_string())


def main():
    """Run the rankers asked for, write their rows and print the tables."""
    args = parse(GRID, __doc__, smoke_sets=["linear, 20 x 8", "metrics 20 x 8"])
    show(run_grid(GRID, args))


if __name__ == "__main__":
    main()
