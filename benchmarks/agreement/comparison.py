"""Who agrees best with people: this package's defaults or its peers?

Real and synthetic sets (``data_sets.py``), this package and its peers with
fixed settings (``rankers.py``), nothing tuned on the rows judged.

    python -m benchmarks.agreement.comparison [--sets NAME ...] [--rankers NAME ...]
                                   [--seeds 5] [--missing] [--out NAME] [--smoke]

writes ``results/agreement.csv``, one row per set, ranker, seed and fold, after
each ranker, and prints tables. What is asked for replaces its own earlier rows
and keeps all others; with ``--missing`` only what has no rows yet is run, so
that a long run can be stopped and taken up again. ``--show`` runs nothing.
Groups without two different preferences are left out of every mean, also where
another library counts them as 1. Folds of one table share most of their training
rows, so their intervals are a little too narrow; draws of a synthetic set share
nothing. On THQA the method's identity alone (its mean opinion on the training
folds, no metric) has an accuracy of 0.807; where one method is left out, the
other item of each pair judged was trained on.
"""

import argparse
import sys
import time

import numpy as np
import pandas as pd
from scipy import special, stats

from benchmarks.agreement.data_sets import SETS
from benchmarks.agreement.rankers import MANY_ROWS, OURS, RANKERS, Sorted
from benchmarks.shared.results import RESULTS, write_rows
from sklearn_pscore.metrics import (
    ndcg_score,
    pairwise_accuracy_score,
    reciprocal_rank_score,
)
from sklearn_pscore.metrics._scorers import predict_scores

METRICS = ["accuracy", "MRR", "NDCG", "top1", "log_loss", "NDCG@1", "NDCG@3", "NDCG@5"]
KEY = ["set", "ranker"]
FEW_SEEDS = 1
"""Runs of a peer that is slow and hardly depends on the seed."""


def score(model, data, split):
    """Return the metrics of a fitted ranker on what a split holds out."""
    groups = split.groups_test
    y_score = predict_scores(model, split.X_test, groups)
    row = {
        "accuracy": pairwise_accuracy_score(groups, y_score),
        "MRR": reciprocal_rank_score(groups, y_score),
        "NDCG": ndcg_score(groups, y_score, gain=data.gain),
        "top1": reciprocal_rank_score(groups, y_score, k=1),
    }
    if data.is_choice:
        row["log_loss"] = choice_log_loss(groups, y_score)
    if data.gain == "exponential":
        for k in (1, 3, 5):
            row[f"NDCG@{k}"] = ndcg_score(groups, y_score, k=k, gain="exponential")
    return row


def choice_log_loss(groups, y_score):
    """Return the mean of -log softmax(score) of each group's winner."""
    rows = Sorted.of(np.asarray(y_score)[:, None], groups)
    starts = np.cumsum(rows.sizes) - rows.sizes
    parts = np.split(rows.X[:, 0], starts[1:])
    log_share = np.concatenate([special.log_softmax(part) for part in parts])
    return -log_share[rows.preference > 0].mean()


def run(name, data, ranker, splits, n_seeds):
    """Fit and judge one ranker on all splits of a set; one row per fit."""
    entry = RANKERS[ranker]
    if len(splits[0].X_train) >= MANY_ROWS:
        n_seeds = min(n_seeds, 2)
    n_seeds = {"none": 1, "few": min(n_seeds, FEW_SEEDS), "all": n_seeds}[entry.seeds]
    rows = []
    for seed in range(n_seeds):
        for fold, split in enumerate(splits):
            model = entry.make(seed, data)
            start = time.perf_counter()
            model.fit(split.X_train, split.groups_train)
            seconds = time.perf_counter() - start
            rows.append(
                {
                    "set": name,
                    "ranker": ranker,
                    "seed": seed,
                    "fold": fold,
                    "n_train": len(split.X_train),
                    **score(model, data, split),
                    "fit_seconds": seconds,
                }
            )
    return pd.DataFrame(rows)


def read_rows(name):
    """Return the rows that were written before, if any."""
    path = RESULTS / f"{name}.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def merge(table, rows):
    """Replace the rows of what was run, keep the rest, in a fixed order."""
    if len(table):
        done = table.set_index(KEY).index.isin(rows.set_index(KEY).index)
        table = pd.concat([table[~done], rows]) if (~done).any() else rows
    else:
        table = rows
    columns = [c for c in [*KEY, "seed", "fold", "n_train"] if c in table]
    columns += [c for c in [*METRICS, "fit_seconds"] if c in table]
    order = {name: number for number, name in enumerate([*SETS, *RANKERS])}
    return table[columns].sort_values(
        [*KEY, "seed", "fold"], key=lambda c: c.map(order).fillna(c), kind="stable"
    )


def fold_means(table, name, metric, by="ranker"):
    """Return folds x rankers, the mean over seeds of a metric on a set."""
    own = table[table["set"] == name]
    return own.pivot_table(index="fold", columns=by, values=metric, sort=False)


def paired(ours, peer):
    """Return mean and half width of the 95 % interval of a difference over folds."""
    difference = (ours - peer).dropna()
    n = len(difference)
    if n < 2:
        return difference.mean(), np.nan
    half = stats.t.ppf(0.975, n - 1) * difference.std(ddof=1) / np.sqrt(n)
    return difference.mean(), half


def best_peer(wide, metric):
    """Return the name of the peer with the best mean."""
    peers = wide.drop(columns=OURS, errors="ignore").mean()
    return peers.idxmin() if metric == "log_loss" else peers.idxmax()


def summary(table, metric="accuracy"):
    """Return one row per set: ours, the best peer, the paired difference."""
    rows = []
    for name in table["set"].unique():
        wide = fold_means(table, name, metric)
        if OURS not in wide or wide.shape[1] < 2 or wide[OURS].isna().all():
            continue
        peer = best_peer(wide, metric)
        mean, half = paired(wide[OURS], wide[peer])
        rows.append(
            {
                "set": name,
                "folds": len(wide),
                "ours": wide[OURS].mean(),
                "best peer": wide[peer].mean(),
                "which": peer,
                "difference": mean,
                "low": mean - half,
                "high": mean + half,
            }
        )
    return pd.DataFrame(rows)


def means_over_sets(table, metric="accuracy"):
    """Return the mean over sets of every ranker that was run on all of them."""
    means = pd.DataFrame(
        {name: fold_means(table, name, metric).mean() for name in table["set"].unique()}
    ).dropna()
    kinds = pd.Series({name: SETS[name].kind for name in means if name in SETS})
    columns = {"all": means.mean(axis=1)}
    for kind in ("real", "synthetic"):
        if (kinds == kind).any():
            columns[kind] = means[kinds.index[kinds == kind]].mean(axis=1)
    return pd.DataFrame(columns).sort_values("all", ascending=False)


def show(table):
    """Print the means of every set, the paired differences, the mean over sets."""
    for name in table["set"].unique():
        own = table[table["set"] == name]
        measured = [m for m in METRICS if m in own and own[m].notna().any()]
        # Over seeds first, so that folds weigh the same whoever has fewer seeds.
        folds = own.groupby(["ranker", "fold"], sort=False)[measured].mean()
        means = folds.groupby("ranker", sort=False).mean()
        means["fit_seconds"] = own.groupby("ranker", sort=False)["fit_seconds"].mean()
        print(f"{name}: means over folds of means over seeds")
        print(means.round(4).to_string(), "\n")
        if own["fold"].nunique() == 1:
            spread = own.groupby("ranker", sort=False)[measured].std().dropna(how="all")
            print(f"{name}: standard deviations over seeds, its test part is fixed")
            print(spread.round(4).to_string(), "\n")
    print("accuracy, this package - best peer, paired over folds, 95 % interval")
    print(summary(table).round(4).to_string(index=False), "\n")
    for metric in ("log_loss", "top1"):
        choices = table[table["set"].map(lambda name: SETS[name].is_choice)]
        if metric in choices and len(choices):
            print(f"{metric}, where one is chosen")
            print(summary(choices, metric).round(4).to_string(index=False), "\n")
    print("accuracy, mean over the sets, of rankers that were run on all of them")
    print(means_over_sets(table).round(4).to_string())


def main(argv=None):
    """Run what is asked for, write it and print it."""
    args = parse(argv)
    table = pd.DataFrame() if args.smoke else read_rows(args.out)
    done = set(table[KEY].itertuples(index=False, name=None)) if len(table) else set()
    for name in args.sets:
        data = SETS[name]
        if not data.is_available():
            print(f"{name}: its table is not in the data home, skipped")
            continue
        wanted = [
            ranker
            for ranker in args.rankers
            if RANKERS[ranker].suits(data)
            and not (args.missing and (name, ranker) in done)
        ]
        if args.show or not wanted:
            continue
        splits = data.splits()
        if args.smoke:
            splits = splits[:2]
        for ranker in wanted:
            rows = run(name, data, ranker, splits, args.seeds)
            print(
                f"{name}, {ranker}: accuracy {rows['accuracy'].mean():.4f}, "
                f"{rows['fit_seconds'].sum():.1f} s",
                flush=True,
            )
            # Read anew: another run may have written meanwhile.
            table = merge(table if args.smoke else read_rows(args.out), rows)
            if not args.smoke:
                write_rows(args.out, table)
    show(table)


def parse(argv):
    """Return the arguments; names that are unknown end the program."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=None, metavar="NAME")
    parser.add_argument("--rankers", nargs="+", default=None, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each fold")
    parser.add_argument("--missing", action="store_true", help="run only what lacks")
    parser.add_argument("--out", default="agreement", help="name of the table")
    parser.add_argument("--show", action="store_true", help="print what is there")
    parser.add_argument("--smoke", action="store_true", help="small, writes nothing")
    args = parser.parse_args(argv)
    if args.smoke:
        args.seeds = 1
        args.sets = args.sets or ["linear, 20 x 8", "metrics 20 x 8"]
    for given, known in ((args.sets, SETS), (args.rankers, RANKERS)):
        unknown = [name for name in given or () if name not in known]
        if unknown:
            parser.error(f"{unknown[0]!r} is not known; expected of {list(known)}")
    args.sets = args.sets or list(SETS)
    args.rankers = args.rankers or list(RANKERS)
    return args


if __name__ == "__main__":
    main(sys.argv[1:])
