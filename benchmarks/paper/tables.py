"""Print docs/paper_tables.md from the raw rows in results/.

python -m benchmarks.paper.tables > docs/paper_tables.md
"""

import pandas as pd

from benchmarks.shared.results import RESULTS

METRICS = ["MRR", "DCG", "NDCG", "accuracy"]


def cell(values, digits):
    """Return mean ± std (ddof=0, as in the paper) of one value per seed or fold."""
    return f"{values.mean():.{digits}f} ± {values.std(ddof=0):.{digits}f}"


def markdown(table):
    """Return a table of strings as markdown."""
    head = [table.index.name, *table.columns]
    rows = [
        [name, *row] for name, row in zip(table.index, table.to_numpy(), strict=True)
    ]
    lines = [head, ["---", *["---:"] * len(table.columns)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def print_challenge():
    """MRR and DCG per track; mean over challenges, spread over seeds."""
    print("\n## Synthetic challenge\n")
    print("Mean over 20 test challenges ± std over 5 seeds; a perfect order has DCG")
    print("21.168. Differences are paired, ± their standard error over challenges.")
    rows = pd.read_csv(RESULTS / "paper_challenge.csv")
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
            gaps = []
            for other in ("#Top1", "RS", "CB"):
                gap = dcg["PS"] - dcg[other]
                gaps.append(f"{other} {gap.mean():+.2f} ± {gap.sem():.2f}")
            print(f"\n{track}, DCG of PS less that of ... : {', '.join(gaps)}")


def print_thqa():
    """All metrics; mean over seeds, spread over folds."""
    print("\n## THQA\n")
    print("Mean over 5 folds by portrait and 5 seeds ± std over folds. Differences are")
    print("paired, ± their standard error over folds.")
    rows = pd.read_csv(RESULTS / "paper_thqa.csv")
    for labels, part in rows.groupby("labels", sort=False):
        by_fold = part.groupby(["method", "fold"], sort=False)[METRICS].mean()
        columns = {
            metric: by_fold[metric].groupby("method", sort=False).apply(cell, digits=3)
            for metric in METRICS
        }
        print(f"\n**learnt from {labels}**\n")
        print(markdown(pd.DataFrame(columns)))
        accuracy = by_fold["accuracy"].unstack("method")
        gaps = []
        for other in accuracy.columns.drop(["PS", "GT"]):
            gap = accuracy["PS"] - accuracy[other]
            gaps.append(f"{other} {gap.mean():+.3f} ± {gap.sem():.3f}")
        print(f"\nAccuracy of PS less that of ... : {'; '.join(gaps)}")
        if "PS, defaults" in accuracy:
            gaps = []
            for metric in METRICS:
                wide = by_fold[metric].unstack("method")
                gap = wide["PS, defaults"] - wide["CB"]
                gaps.append(f"{metric} {gap.mean():+.3f} ± {gap.sem():.3f}")
            print(f"\nPS, defaults less CB: {'; '.join(gaps)}")


if __name__ == "__main__":
    print(
        "# Tables\n\nMade by `benchmarks/paper/tables.py`; see [results](results.md)."
    )
    print_challenge()
    print_thqa()
