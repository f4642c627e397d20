"""Write the tables of docs/agreement.md and docs/augmentation.md.

    python -m benchmarks.agreement.tables

replaces the text between their marks (doc_tables.py) by tables of the rows in
results/.
"""

from functools import partial

import pandas as pd

from benchmarks.agreement import (
    augmentation,
    calibration,
    comparison,
    group_weight,
    missing,
    stack,
    uncertainty,
    variants,
)
from benchmarks.agreement.data_sets import SETS
from benchmarks.shared import doc_tables

table_of = partial(doc_tables.markdown, cell=doc_tables.three_decimals)
MAIN_SETTINGS = ["defaults", "paper", "stitched mean of 2", "injected 10"]


def means(rows):
    """Mean accuracy over the sets, of rankers that were run on all."""
    return table_of(comparison.means_over_sets(rows).rename_axis("ranker"))


def by_set(rows):
    """Accuracy of ours and the best peer on each set, and the paired difference."""
    table = comparison.summary(rows).set_index("set")
    interval = [
        "" if pd.isna(low) else f"{low:+.3f} to {high:+.3f}"
        for low, high in zip(table.pop("low"), table.pop("high"), strict=True)
    ]
    table["folds"] = table["folds"].astype(str)
    table["difference"] = [f"{gap:+.3f}" for gap in table["difference"]]
    table["95 % interval"] = interval
    return table_of(table)


def choices(rows):
    """Top-1 accuracy and log loss where one item is chosen."""
    choice_rows = rows[rows["set"].map(lambda name: SETS[name].is_choice)]
    folds = choice_rows.groupby(["ranker", "fold"], sort=False)[
        ["top1", "log_loss"]
    ].mean()
    return table_of(folds.groupby("ranker", sort=False).mean())


def lambdarank(rows):
    """NDCG on LightGBM's example, mean over seeds and their spread."""
    columns = ["NDCG@1", "NDCG@3", "NDCG@5"]
    by_ranker = rows[rows["set"] == "lambdarank"].groupby("ranker", sort=False)[columns]
    return table_of(by_ranker.mean().join(by_ranker.std().add_prefix("± ")))


def variants_means(rows):
    """Gain of a change of one default, over the sets."""
    table = variants.differences(variants.means_by_set(rows))
    table["sets"] = table["sets"].astype(str)
    return doc_tables.markdown(table, cell=_four_decimals)


def variants_choice(rows):
    """The choice of all other sets, and its accuracy on the one left out."""
    table = variants.leave_one_out(variants.means_by_set(rows))
    mean = table[["reached", variants.DEFAULTS]].mean()
    table.loc[len(table)] = ["mean", "", *mean]
    return table_of(table.set_index("left out"))


def group_weights(rows):
    """Accuracy by what the pairs of a group weigh together, and the mean over sets."""
    table = group_weight.means_by_set(rows)
    return doc_tables.markdown(table, cell="{:.4f}".format)


def stacks(rows):
    """Accuracy of single rankers and stacks, and the differences to the defaults."""
    table = stack.differences(rows).rename_axis("ranker")
    for name in table:
        is_gap = name not in ("accuracy", "standard error over sets")
        table[name] = table[name].map(("{:+.4f}" if is_gap else "{:.4f}").format)
    return doc_tables.markdown(table)


def stacks_by_set(rows):
    """Accuracy of single rankers and stacks on each set."""
    return table_of(stack.means_by_set(rows))


def missing_metrics(rows):
    """Accuracy by how missing values are handled, and the gain over an imputer."""
    table = missing.summary(rows)
    ends = zip(table.pop("gain"), table.pop("half"), strict=True)
    table["taken less median before"] = [
        f"{gain:+.3f} ± {half:.3f}" for gain, half in ends
    ]
    return table_of(table)


def losses(rows):
    """Accuracy, NDCG and top-1 of each loss on each set, and of constraints."""
    kept = [variants.DEFAULTS, "lambdarank", "listnet", variants.MONOTONIC]
    kept_rows = rows[rows["variant"].isin(kept)]
    wide = kept_rows.pivot_table(["accuracy", "NDCG"], "set", "variant", sort=False)
    wide = wide[wide["accuracy", "listnet"].notna()]
    wide.columns = [f"{metric}, {variant}" for metric, variant in wide.columns]
    return table_of(wide)


def calibrated(rows):
    """Expected calibration error and log loss per pair, mean over seeds."""
    errors = calibration.calibration_errors(rows).groupby(["set", "ranker"], sort=False)
    table = errors.mean().reset_index("ranker")
    table.columns = ["ranker", "expected calibration error", "log loss per pair"]
    return table_of(table)


def uncertain(rows):
    """What happened over the standard error, of each truth, members and groups."""
    ratio = uncertainty.ratios(rows).unstack(["n_members", "n_groups"])
    ratio.columns = [f"{k} members, {n} groups" for k, n in ratio.columns]
    return doc_tables.markdown(ratio, cell=_two_decimals)


def augmented(rows):
    """Gains of the main settings of PairAugmenter, paired over folds."""
    return _gains(rows[rows["setting"].isin([augmentation.NONE, *MAIN_SETTINGS])])


def augmented_more(rows):
    """Gains of the other settings."""
    rows = rows[~rows["setting"].isin(MAIN_SETTINGS)]
    settings = rows.groupby("set")["setting"].nunique()
    return _gains(rows[rows["set"].map(settings) > 1])


def _gains(rows):
    gains = augmentation.differences(rows)
    cells = [
        f"{gain:+.3f} ({low:+.3f} to {high:+.3f})"
        for gain, low, high in gains[["gain", "low", "high"]].itertuples(index=False)
    ]
    wide = gains.assign(cell=cells).pivot_table(
        "cell", "set", "setting", aggfunc="first", sort=False
    )
    without = gains.groupby("set", sort=False)[augmentation.NONE].first()
    wide.insert(0, "accuracy without", without)
    return table_of(wide.fillna(""))


def _two_decimals(value):
    return f"{value:.2f}"


def _four_decimals(value):
    return value if isinstance(value, str) else f"{value:+.4f}"


TABLES = {
    "means": ("agreement", means),
    "by_set": ("agreement", by_set),
    "choices": ("agreement", choices),
    "lambdarank": ("agreement", lambdarank),
    "variants": ("variants", variants_means),
    "variants_choice": ("variants", variants_choice),
    "group_weight": ("group_weight", group_weights),
    "stack": ("stack", stacks),
    "stack_by_set": ("stack", stacks_by_set),
    "missing": ("missing", missing_metrics),
    "losses": ("variants", losses),
    "calibration": ("calibration", calibrated),
    "uncertainty": ("uncertainty", uncertain),
    "augmentation": ("augmentation", augmented),
    "augmentation_more": ("augmentation", augmented_more),
}
"""Name of the rows and the function that makes the table, by its mark."""


def main():
    """Fill the pages."""
    tables = {mark: doc_tables.from_rows(*how) for mark, how in TABLES.items()}
    names = dict.fromkeys(name for name, _ in TABLES.values())
    tables["machine"] = partial(doc_tables.table_of_machines, names)
    for page in ("agreement.md", "augmentation.md"):
        doc_tables.fill(page, tables)


if __name__ == "__main__":
    main()
