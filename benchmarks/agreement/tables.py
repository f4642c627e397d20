"""Put the tables of docs/agreement.md and docs/augmentation.md in place.

    python -m benchmarks.agreement.tables

from the raw rows in results/, between their marks (doc_tables.py) and nowhere else.
"""

from functools import partial

import pandas as pd

from benchmarks.agreement import augmentation, calibration, variants
from benchmarks.agreement import comparison as agreement
from benchmarks.agreement.data_sets import SETS
from benchmarks.shared import doc_tables as pages

table_of = partial(pages.markdown, cell=pages.three_decimals)


def means(rows):
    """Mean accuracy over the sets, of all who were run on all."""
    return table_of(agreement.means_over_sets(rows).rename_axis("ranker"))


def by_set(rows):
    """Accuracy of ours and the best peer on each set, and the paired difference."""
    found = agreement.summary(rows).set_index("set")
    interval = [
        "" if pd.isna(low) else f"{low:+.3f} to {high:+.3f}"
        for low, high in zip(found.pop("low"), found.pop("high"), strict=True)
    ]
    found["folds"] = found["folds"].astype(str)
    found["difference"] = [f"{gap:+.3f}" for gap in found["difference"]]
    found["95 % interval"] = interval
    return table_of(found)


def choices(rows):
    """Top-1 accuracy and log loss where one item is chosen."""
    own = rows[rows["set"].map(lambda name: SETS[name].is_choice)]
    folds = own.groupby(["ranker", "fold"], sort=False)[["top1", "log_loss"]].mean()
    return table_of(folds.groupby("ranker", sort=False).mean())


def lambdarank(rows):
    """NDCG on LightGBM's example, mean over seeds and their spread."""
    own = rows[rows["set"] == "lambdarank"].groupby("ranker", sort=False)
    columns = ["NDCG@1", "NDCG@3", "NDCG@5"]
    shown, spread = own[columns].mean(), own[columns].std()
    for column in columns:
        shown[f"± {column}"] = spread[column]
    return table_of(shown)


def variants_means(rows):
    """What a change of one default is worth, over the sets."""
    found = variants.differences(variants.means_by_set(rows))
    found["sets"] = found["sets"].astype(str)
    return pages.markdown(found, cell=_four_decimals)


def variants_choice(rows):
    """What all other sets choose, and what it reaches on the one left out."""
    found = variants.leave_one_out(variants.means_by_set(rows))
    mean = found[["reached", variants.DEFAULTS]].mean()
    found.loc[len(found)] = ["mean", "", *mean]
    return table_of(found.set_index("left out"))


def losses(rows):
    """Accuracy, NDCG and top-1 of each loss on each set, and of constraints."""
    kept = [variants.DEFAULTS, "lambdarank", "listnet", variants.MONOTONIC]
    own = rows[rows["variant"].isin(kept)]
    wide = own.pivot_table(
        index="set", columns="variant", values=["accuracy", "NDCG"], sort=False
    )
    wide = wide[wide["accuracy", "listnet"].notna()]
    wide.columns = [f"{metric}, {variant}" for metric, variant in wide.columns]
    return table_of(wide)


def calibrated(rows):
    """Expected calibration error and log loss per pair, mean over seeds."""
    errors = calibration.calibration_errors(rows).groupby(["set", "ranker"], sort=False)
    found = errors.mean().reset_index("ranker")
    found.columns = ["ranker", "expected calibration error", "log loss per pair"]
    return table_of(found)


def augmented(rows):
    """What the main settings of PairAugmenter gain, paired over folds."""
    main = [augmentation.NONE, "defaults", "paper", "stitched mean of 2", "injected 10"]
    return _gains(rows[rows["setting"].isin(main)])


def augmented_more(rows):
    """What the other settings gain."""
    main = ["defaults", "paper", "stitched mean of 2", "injected 10"]
    rows = rows[~rows["setting"].isin(main)]
    settings = rows.groupby("set")["setting"].nunique()
    return _gains(rows[rows["set"].map(settings) > 1])


def _gains(rows):
    found = augmentation.differences(rows)
    cells = [
        f"{gain:+.3f} ({low:+.3f} to {high:+.3f})"
        for gain, low, high in found[["gain", "low", "high"]].itertuples(index=False)
    ]
    wide = found.assign(cell=cells).pivot_table(
        index="set", columns="setting", values="cell", aggfunc="first", sort=False
    )
    without = found.groupby("set", sort=False)[augmentation.NONE].first()
    wide.insert(0, "accuracy without", without)
    return table_of(wide.fillna(""))


def _four_decimals(value):
    return value if isinstance(value, str) else f"{value:+.4f}"


TABLES = {
    "means": ("agreement", means),
    "by_set": ("agreement", by_set),
    "choices": ("agreement", choices),
    "lambdarank": ("agreement", lambdarank),
    "variants": ("variants", variants_means),
    "variants_choice": ("variants", variants_choice),
    "losses": ("variants", losses),
    "calibration": ("calibration", calibrated),
    "augmentation": ("augmentation", augmented),
    "augmentation_more": ("augmentation", augmented_more),
}
"""The rows that a table is made of, and what makes it, by the name of its mark."""


if __name__ == "__main__":
    found = {mark: pages.from_rows(*how) for mark, how in TABLES.items()}
    names = dict.fromkeys(name for name, _ in TABLES.values())
    found["machine"] = partial(pages.table_of_machines, names)
    for page in ("agreement.md", "augmentation.md"):
        pages.fill(page, found)
