"""Print docs/paper_tables.md from the raw rows in results/.

python -m benchmarks.paper.tables > docs/paper_tables.md
"""

import pandas as pd

from benchmarks.shared.doc_tables import markdown
from benchmarks.shared.results import read_rows

METRICS = ["MRR", "DCG", "NDCG", "accuracy"]


def cell(values, digits):
    """Return mean ± std (ddof=0, as in the paper) of one value per seed or fold."""
    return f"{values.mean():.{digits}f} ± {values.std(ddof=0):.{digits}f}"


def gap(values, others, digits):
    """Return mean and standard error of a paired difference."""
    difference = values - others
    return f"{difference.mean():+.{digits}f} ± {difference.sem():.{digits}f}"


def print_challenge():
    """Print MRR and DCG per track; mean over challenges, spread over seeds."""
    print("\n## Synthetic challenge\n")
    print("Mean over 20 test challenges ± std over 5 seeds; a perfect order has DCG")
    print("21.168. Differences are paired, ± their standard error over challenges.")
    rows = read_rows("paper_challenge")
    for (weights, n_train), part in rows.groupby(["weights", "n_train"], sort=False):
        by_seed = part.groupby(["method", "track", "seed"], sort=False)[METRICS].mean()
        columns = {
            f"{track} {metric}": by_seed.xs(track, level="track")[metric]
            .groupby("method", sort=False)
            .apply(cell, digits=3)
            for track in ("talking", "listening")
            for metric in ("MRR", "DCG")
        }
        print(f"\n**{weights} weights, learnt from {n_train}**\n")
        print(markdown(pd.DataFrame(columns).rename_axis("method")))
        for track in ("talking", "listening"):
            dcg = part[part["track"] == track].pivot_table(
                index="challenge", columns="method", values="DCG"
            )
            gaps = [f"{m} {gap(dcg['PS'], dcg[m], 2)}" for m in ("#Top1", "RS", "CB")]
            print(f"\n{track}, DCG of PS less that of ... : {', '.join(gaps)}")


def print_thqa():
    """Print all metrics; mean over seeds, spread over folds."""
    print("\n## THQA\n")
    print("Mean over 5 folds by portrait and 5 seeds ± std over folds. Differences are")
    print("paired, ± their standard error over folds.")
    rows = read_rows("paper_thqa")
    for labels, part in rows.groupby("labels", sort=False):
        by_fold = part.groupby(["method", "fold"], sort=False)[METRICS].mean()
        columns = {
            metric: by_fold[metric].groupby("method", sort=False).apply(cell, digits=3)
            for metric in METRICS
        }
        print(f"\n**learnt from {labels}**\n")
        print(markdown(pd.DataFrame(columns)))
        accuracy = by_fold["accuracy"].unstack("method")
        others = accuracy.columns.drop(["PS", "GT"])
        gaps = [f"{m} {gap(accuracy['PS'], accuracy[m], 3)}" for m in others]
        print(f"\nAccuracy of PS less that of ... : {'; '.join(gaps)}")
        if "PS, defaults" in accuracy:
            gaps = []
            for metric in METRICS:
                wide = by_fold[metric].unstack("method")
                gaps.append(f"{metric} {gap(wide['PS, defaults'], wide['CB'], 3)}")
            print(f"\nPS, defaults less CB: {'; '.join(gaps)}")


if __name__ == "__main__":
    print(
        "# Tables\n\nMade by `benchmarks/paper/tables.py`; see [results](results.md)."
    )
    print_challenge()
    print_thqa()
