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
from benchmarks.agreement.rankers import OURS, STACK
from benchmarks.shared import doc_tables

table_of = partial(doc_tables.markdown, cell=doc_tables.three_decimals)
MAIN_SETTINGS = ["defaults", "paper", "stitched mean of 2", "injected 10"]


WHY_BEHIND = {
    "THQA": "20 portraits and eight methods, which the metrics tell apart in few ways; 28 "
    "of 2,800 pairs are a hundredth",
    "RealSumm": "the metrics overlap with one another and with the label, which is a "
    "recall itself: a line is enough",
    "Swissmetro": "times and prices come in few steps, and people react to these and to "
    "how they go together; trees cut them finer than pieces and layers do",
    "lambdarank": "300 sparse features for 3,000 documents, most of them one value "
    "nearly everywhere; what counts is one or two cuts in a few of them, and shallow "
    "trees pick just those. One test part of 50 queries, so a difference says little",
    "HANNA, stories": "72 measures, many of them nearly the same one; a penalised line "
    "shares the weight among these",
    "FRANK, summaries": "labels are shares of few sentences, and all items tie in 213 of "
    "499 groups: little to learn bends from, and a line is enough",
    "simplifications": "one metric alone orders best, and 60 groups of 3 to 5 items do not "
    "tell that the other 19, many of them means of each other, add nothing",
    "CoNaLa, code": "measures of overlap that are nearly the same one, and flags; a few "
    "cuts are enough",
    "speech codecs": "16 groups of 7 items, of which folds leave 12 or 13 to learn from",
    "HDR video": "five sources, of which folds leave four to learn from",
    "TREC News, entities": "five features and 50 articles; a line is enough",
    "car choice": "types and fuels are 0 or 1, and the truth of a choice is near to a line "
    "of them",
}
"""What we take to be the reason where ours is behind on a set; no experiment shows it."""


def means(rows):
    """Mean accuracy over the sets of each kind, of rankers that were run on all."""
    return table_of(comparison.means_over_sets(rows).rename_axis("ranker"))


def verdict(rows):
    """In words: which single peers ours is ahead of, by more than the error over sets."""
    table = comparison.against_peers(rows, "real").drop(index=STACK, errors="ignore")
    n_sets = rows.loc[rows["ranker"] == OURS, "set"].nunique()
    if not len(table) or not n_sets:
        return doc_tables.NO_ROWS
    table = table[table["sets"] == table["sets"].max()]
    is_ahead = table["difference"] > table["standard error over sets"]
    of_sets = f"Over the {table['sets'].max()} real sets the defaults are"
    if is_ahead.all():
        return (
            f"{of_sets} ahead of each of the {len(table)} single peers that were run on "
            f"all of them, by more than one standard error over sets; the nearest is "
            f"{_gain_of(table, table.index[0])}."
        )
    near = ", ".join(_gain_of(table, name) for name in table.index[~is_ahead])
    return (
        f"{of_sets} ahead of {is_ahead.sum()} of the {len(table)} single peers that were "
        "run on all of them, by more than one standard error over sets. They are not "
        f"ahead by that of {near}."
    )


def _gain_of(table, name):
    gain, error = table.loc[name, ["difference", "standard error over sets"]]
    return f"{name} ({gain:+.4f} ± {error:.4f})"


def stack_verdict(rows):
    """In words: what the default stack gains over the defaults on real sets."""
    table = comparison.against_peers(rows, "real")
    if STACK not in table.index:
        return doc_tables.NO_ROWS
    row = table.loc[STACK]
    gain, error = -row["difference"], row["standard error over sets"]
    if abs(gain) <= error:
        said = "that is less than its standard error, so it cannot be told from nothing"
    elif gain > 0:
        said = "that is more than its standard error"
    else:
        said = "it is below them"
    return (
        f"Over {row['sets']} real sets the stack has {gain:+.4f} ± {error:.4f} (the "
        f"standard error over sets) over the defaults: {said}. It is ahead on "
        f"{row['behind']} sets and behind on {row['ahead']}, from {-row['best']:+.3f} "
        f"({row['best set']}) to {-row['worst']:+.3f} ({row['worst set']})."
    )


def peers_real(rows):
    """What ours gains over each peer on real sets, with the error over sets."""
    return _of_gains(comparison.against_peers(rows, "real"), "peer")


def peers_all(rows):
    """The same over all sets."""
    return _of_gains(comparison.against_peers(rows, "all"), "peer")


def _of_gains(table, name):
    """Return what `over_sets` gives as markdown, of names with two sets or more."""
    table = table[table["sets"] > 1]
    shown = pd.DataFrame(
        {
            "sets": table["sets"].map(str),
            "mean difference": table["difference"].map(_signed),
            "standard error over sets": _errors(table),
            "sets ahead, behind": [
                f"{ahead}, {behind}"
                for ahead, behind in zip(table["ahead"], table["behind"], strict=True)
            ],
            "worst set": _with_set(table, "worst"),
            "best set": _with_set(table, "best"),
        }
    )
    return doc_tables.markdown(shown.rename_axis(name))


def _with_set(table, end):
    return [
        f"{gain:+.3f}, {where}"
        for gain, where in zip(table[end], table[f"{end} set"], strict=True)
    ]


def behind(rows):
    """Real sets on which the best peer is ahead by more than .01, and why."""
    table = comparison.behind_the_best(rows)
    if not len(table):
        return "None: on every real set the best peer is ahead by .01 at most."
    shown = table[["set", "ours", "best peer", "which"]].copy()
    shown["difference"] = table["difference"].map("{:+.3f}".format)
    shown["95 % interval"] = _intervals(table)
    shown["what we take to be the reason"] = [
        WHY_BEHIND.get(name, "not looked into") for name in table["set"]
    ]
    return table_of(shown.set_index("set"))


def _intervals(table):
    return [
        "" if pd.isna(low) else f"{low:+.3f} to {high:+.3f}"
        for low, high in zip(table["low"], table["high"], strict=True)
    ]


def by_set(rows):
    """Accuracy of ours and the best peer on each set, and the paired difference."""
    table = comparison.summary(rows).set_index("set")
    table["95 % interval"] = _intervals(table)
    table = table.drop(columns=["low", "high"])
    table["folds"] = table["folds"].astype(str)
    table["difference"] = [f"{gap:+.3f}" for gap in table["difference"]]
    return table_of(table)


def choices(rows):
    """Top-1 accuracy and log loss of each ranker on the sets of choices."""
    choice_rows = rows[rows["set"].map(lambda name: SETS[name].is_choice)]
    folds = choice_rows.groupby(["set", "ranker", "fold"], sort=False)
    means = folds[["top1", "log_loss"]].mean().groupby(["set", "ranker"], sort=False)
    return table_of(means.mean().reset_index("ranker"))


def lambdarank(rows):
    """NDCG on LightGBM's example, mean over seeds and their spread."""
    columns = ["NDCG@1", "NDCG@3", "NDCG@5"]
    by_ranker = rows[rows["set"] == "lambdarank"].groupby("ranker", sort=False)[columns]
    return table_of(by_ranker.mean().join(by_ranker.std().add_prefix("± ")))


def variants_means(rows):
    """Gain of a change of one default, over real sets and over all."""
    real, every = (variants.differences(rows, kind) for kind in ("real", "all"))
    shown = pd.DataFrame(index=real.index)
    for name, table in (("real sets", real), ("all sets", every)):
        table = table.reindex(real.index)
        shown[name] = table["sets"].map(str)
        shown[f"{name}: difference"] = table["difference"].map(_signed)
        shown[f"{name}: standard error"] = _errors(table)
        shown[f"{name}: worst"] = table["worst"].map(_signed)
    return doc_tables.markdown(shown)


def variants_tried(rows):
    """Gain of changes that were not kept, over real sets."""
    table = variants.differences_of_tried(rows, "real")
    if not len(table):
        return "(nothing was recorded yet)"
    shown = table[["what"]].copy()
    shown["real sets"] = table["sets"].map(str)
    shown["difference"] = table["difference"].map(_signed)
    shown["standard error over sets"] = _errors(table)
    shown["worst set"] = _with_set(table, "worst")
    shown["best set"] = _with_set(table, "best")
    return doc_tables.markdown(shown)


def variants_choice(rows):
    """The choice of all other real sets, and its accuracy on the one left out."""
    table = variants.leave_one_out(rows, "real")
    mean = table[["reached", variants.DEFAULTS]].mean()
    table.loc["mean"] = ["", *mean]
    return table_of(table.rename_axis("left out"))


def lambdarank_loss(rows):
    """NDCG and accuracy of two losses where labels are grades 0 to 4."""
    graded = [name for name, data in SETS.items() if data.gain == "exponential"]
    losses = [variants.DEFAULTS, "lambdarank"]
    kept = rows[rows["set"].isin(graded) & rows["variant"].isin(losses)]
    metrics = [name for name in ("NDCG@5", "NDCG@10", "accuracy") if name in kept]
    wide = kept.pivot_table(metrics, "set", "variant", sort=False)
    table = pd.DataFrame(
        {
            f"{metric}, {loss}": wide.get((metric, loss))
            for metric in metrics
            for loss in losses
        }
    )
    return f"{table_of(table.rename_axis('set'))}\n\n{_said_of_lambdarank(table)}"


def _said_of_lambdarank(table):
    """In words: on how many sets lambdarank has the better NDCG at the top."""
    for metric in ("NDCG@10", "NDCG@5"):
        # Rows of some losses may lack the deeper one.
        columns = table.reindex(
            columns=[f"{metric}, lambdarank", f"{metric}, defaults"]
        )
        gains = (columns.iloc[:, 0] - columns.iloc[:, 1]).dropna()
        if len(gains):
            break
    else:
        return "No set has rows of both."
    said = ", ".join(f"{gain:+.3f} ({name})" for name, gain in gains.items())
    helps = "is better" if gains.gt(0).all() else "is no better as a rule"
    return f"By {metric} lambdarank {helps}: {said}."


def group_weights(rows):
    """Accuracy by what the pairs of a group weigh together, and the mean over sets."""
    table = group_weight.means_by_set(rows)
    return doc_tables.markdown(table, cell="{:.4f}".format)


def stacks(rows):
    """Accuracy of single rankers and stacks, and the differences to the defaults."""
    table = stack.differences(rows).rename_axis("ranker")
    shown = pd.DataFrame({"sets": table["sets"].map(str)})
    shown["accuracy"] = stack.means_by_set(rows).mean().map("{:.4f}".format)
    shown["difference"] = table["difference"].map(_signed)
    shown["standard error over sets"] = _errors(table)
    shown["worst set"] = _with_set(table, "worst")
    shown["best set"] = _with_set(table, "best")
    # Nothing differs from itself on any set.
    shown.loc[stack.DEFAULTS, ["worst set", "best set"]] = ""
    return doc_tables.markdown(shown)


def stack_choice(rows):
    """The stack that is best on the other real sets, and its gain on the one left out."""
    table = stack.leave_one_out(rows)
    gains = table["gain"]
    error = gains.std(ddof=1) / len(gains) ** 0.5
    shown = table.assign(gain=gains.map("{:+.4f}".format))
    shown.loc["mean, standard error"] = ["", f"{gains.mean():+.4f}, {error:.4f}"]
    return doc_tables.markdown(
        shown.rename(columns={"gain": "gain over the defaults"}).rename_axis("left out")
    )


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


def _signed(value):
    return "" if pd.isna(value) else f"{value:+.4f}"


def _errors(table):
    """Return standard errors over sets as text; one set has none."""
    errors = table["standard error over sets"]
    return ["" if pd.isna(error) else f"{error:.4f}" for error in errors]


TABLES = {
    "verdict": ("agreement", verdict),
    "means": ("agreement", means),
    "peers_real": ("agreement", peers_real),
    "peers_all": ("agreement", peers_all),
    "behind": ("agreement", behind),
    "by_set": ("agreement", by_set),
    "choices": ("agreement", choices),
    "lambdarank": ("agreement", lambdarank),
    "variants": ("variants", variants_means),
    "variants_choice": ("variants", variants_choice),
    "variants_tried": ("variants", variants_tried),
    "lambdarank_loss": ("variants", lambdarank_loss),
    "group_weight": ("group_weight", group_weights),
    "stack_verdict": ("agreement", stack_verdict),
    "stack": ("stack", stacks),
    "stack_choice": ("stack", stack_choice),
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
