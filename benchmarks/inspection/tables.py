"""Write the tables of leaderboard.md, importance.md and agreement_measures.md in docs/.

    python -m benchmarks.inspection.tables

replaces the text between their marks (doc_tables.py) by tables of the rows in results/.
"""

from functools import partial

import numpy as np
import pandas as pd

from benchmarks.inspection.importance import ALIKE
from benchmarks.shared import doc_tables

table_of = partial(doc_tables.markdown, cell=str)


def board(rows, name, clusters):
    """Return the leaderboard of a set."""
    rows = rows[(rows["set"] == name) & (rows["clusters"] == clusters)]
    table = rows[["item"]].set_index("item")
    table["mean"] = rows["mean"].map("{:.2f}".format).to_numpy()
    table["95 % interval"] = _intervals(rows, "low", "high", "{:.2f} to {:.2f}")
    table["ranks"] = _intervals(rows, "rank_low", "rank_high", "{} to {}")
    table["class"] = rows["class"].to_numpy()
    table["P(beats next)"] = [_text(p, "{:.2f}") for p in rows["beats_next"]]
    table["groups more to part them"] = [
        _text(n, "{:,.0f}") for n in rows["more_groups"]
    ]
    return table_of(table)


def separation(rows):
    """Return how many pairs and neighbours each rule tells apart, sets across."""
    rows = rows[rows["clusters"] != "group"]
    told = {}
    for name, part in rows.groupby("set"):
        part = part.set_index("rule")
        for unit in ("pairs", "neighbours"):
            told[f"{name}, {unit}"] = [
                "" if np.isnan(n) else f"{n:.0f} of {of}"
                for n, of in part[[unit, f"of_{unit}"]].itertuples(index=False)
            ]
    return table_of(
        pd.DataFrame(told, rows["rule"].unique()).rename_axis("told apart by")
    )


def people_and_score(rows):
    """Return the ranks by people and by a score, and whether the sets overlap."""
    table = rows[["item"]].set_index("item")
    for name in ("people", "score"):
        table[f"{name}: mean"] = rows[f"{name} mean"].map("{:.2f}".format).to_numpy()
        table[f"{name}: rank"] = rows[f"{name} rank"].to_numpy()
        ends = f"{name} rank_low", f"{name} rank_high"
        table[f"{name}: ranks"] = _intervals(rows, *ends, "{} to {}")
    table["overlap"] = np.where(rows["overlap"], "yes", "no")
    return table_of(table)


def metrics(rows):
    """Return the agreement of each metric by both measures."""
    first, second = rows["measure"].unique()
    rows = rows.set_index("method")
    rows["cell"] = [
        f"{value:.3f} ({low:.3f} to {high:.3f})"
        for value, low, high in rows[["value", "low", "high"]].itertuples(index=False)
    ]
    by_measure = [rows[rows["measure"] == measure] for measure in (first, second)]
    table = pd.concat([part[["cell", "class"]] for part in by_measure], axis=1)
    table.columns = ["pairwise accuracy", "class", "Spearman", "class "]
    return table_of(table.rename_axis("metric"))


def coverage(rows):
    """Return how often intervals and sets held the truth."""
    table = rows.set_index("systems")
    table["held by the interval of a mean"] = table.pop("mean_in_interval")
    table["all ranks in their sets"] = table.pop("ranks_in_sets")
    for column in table.columns[-2:]:
        table[column] = table[column].map("{:.3f}".format)
    table["share"] = table["share"].map("{:g}".format)
    table = table.drop(columns="repetitions")
    return table_of(table.rename(columns=lambda name: name.replace("_", " ")))


def learnt_coverage(rows):
    """Return how often sets hold all ranks of a learnt score."""
    table = rows.set_index("blocks").drop(columns="repetitions")
    table.columns = ["groups per block", "refits", "with refits", "without"]
    for column in table.columns[-2:]:
        table[column] = table[column].map("{:.2f}".format)
    return table_of(table)


def speed(rows):
    """Return the median seconds of each size."""
    keys = ["systems", "groups", "draws", "share"]
    medians = rows.groupby(keys)["seconds"].median().unstack("share")
    medians.columns = [f"{share:.0%} of the systems in a group" for share in medians]
    medians.index = [
        f"{systems} systems, {groups} groups, {draws:,} draws"
        for systems, groups, draws in medians.index
    ]
    return doc_tables.markdown(medians.rename_axis("size").iloc[:, ::-1])


def importance_made(rows, measure):
    """Return the importance of the metrics of made tables, each way to it."""
    rows = rows[rows["measure"] == measure]
    means = rows.groupby(["model", "way", "metric"], sort=False)["importance"].mean()
    table = means.map("{:+.2f}".format).unstack().reset_index()
    table["model"] = table["model"].mask(table["model"].duplicated(), "")
    return table_of(table.set_index("model"))


def importance_thqa(rows):
    """Return the importance of the metrics of THQA, alone and together."""
    by = rows.groupby(["way", "metric"], sort=False)["importance"]
    cells = by.mean().map("{:+.3f}".format) + by.std().map(" ± {:.3f}".format)
    alone = by.mean()["alone"].sort_values(ascending=False).index
    table = cells.unstack("way").loc[alone, ["alone", "alone, across groups"]]
    table.columns = ['shuffle="within"', 'shuffle="global"']
    return table_of(table.rename_axis("metric"))


def importance_together(rows):
    """Return the importance of metrics that measure alike, and the sum of each alone."""
    means = rows.groupby(["way", "metric"], sort=False)["importance"].mean()
    table = pd.DataFrame(
        {
            "metrics": [len(names) for names in ALIKE.values()],
            "the largest alone": [means["alone"][names].max() for names in _alike()],
            "the sum of each alone": [
                means["alone"][names].sum() for names in _alike()
            ],
            "permuted together": means["together"][list(ALIKE)].to_numpy(),
        },
        index=pd.Index(ALIKE, name="they measure"),
    )
    for column in table.columns[1:]:
        table[column] = table[column].map("{:+.3f}".format)
    return table_of(table)


def _alike():
    return [list(names) for names in ALIKE.values()]


def importance_pair(rows):
    """Return the largest of what decides the pair, and the rest of it."""
    shown, rest = rows.head(8), rows.iloc[8:]
    table = pd.DataFrame(
        {
            "a": shown["a"].map("{:.3g}".format),
            "b": shown["b"].map("{:.3g}".format),
            "adds": shown["value"].map("{:+.2f}".format),
            "other training groups": shown["std"].map("± {:.2f}".format),
        }
    )
    table.index = pd.Index(shown["metric"], name="metric")
    table.loc[f"{len(rest)} others"] = ["", "", f"{rest['value'].sum():+.2f}", ""]
    difference, spread = rows.iloc[0][["difference", "difference_std"]]
    table.loc["all"] = ["", "", f"{difference:+.2f}", f"± {spread:.2f}"]
    return table_of(table)


def ceiling(rows):
    """Return how near the noise ceiling comes, raters across."""
    table = pd.DataFrame(index=pd.Index(rows["shape"], name="true opinions"))
    for name in ("ratings", "raters"):
        table[name] = rows[name].to_numpy()
    for name in ("reached", "ceiling", "deviation"):
        table[name] = rows[name].map("{:.3f}".format).to_numpy()
    table["difference"] = [
        f"{value:+.3f} ± {error:.3f}"
        for value, error in rows[["difference", "difference_error"]].itertuples(
            index=False
        )
    ]
    table["in interval"] = rows["in_interval"].map("{:.2f}".format).to_numpy()
    return table_of(table)


def paired(rows):
    """Return how often both intervals of a difference hold it."""
    kinds = rows["runs"].map(lambda n: "5 folds" if n == 5 else f"{n} random splits")
    table = pd.DataFrame(index=pd.Index(kinds, name="runs"))
    learnt = {False: "nothing", True: "the slope of one score"}
    table["learnt"] = rows["learnt"].map(learnt).to_numpy()
    table["corrected"] = rows["corrected"].map("{:.3f}".format).to_numpy()
    table["t test of independent runs"] = (
        rows["independent"].map("{:.3f}".format).to_numpy()
    )
    return table_of(table)


def new_system(rows):
    """Return the accuracy on pairs of each left-out system, by blocks of the target."""
    keys = ["left_out", "method", "blocks"]
    means = rows.groupby(keys, sort=False)["accuracy"].mean().unstack([1, 2])
    means.loc["mean"] = means.mean()
    means.columns = [f"{method}, blocks: {blocks}" for method, blocks in means.columns]
    return table_of(means.map("{:.3f}".format).rename_axis("left out"))


def _intervals(rows, low, high, form):
    return [form.format(a, b) for a, b in zip(rows[low], rows[high], strict=True)]


def _text(value, form):
    return "" if np.isnan(value) else form.format(value)


TABLES = {
    "thqa": ("leaderboards", partial(board, name="THQA", clusters="portrait")),
    "ntire": (
        "leaderboards",
        partial(board, name="THQA-NTIRE", clusters="description"),
    ),
    "separation": ("separation", separation),
    "people": ("people_and_score", people_and_score),
    "metrics": ("agreement_of_metrics", metrics),
    "coverage": ("leaderboard_coverage", coverage),
    "learnt": ("learnt_coverage", learnt_coverage),
    "speed": ("leaderboard_speed", speed),
}
"""Name of the rows and the function that makes the table, by its mark."""

IMPORTANCE_TABLES = {
    "dcg": ("importance_made", partial(importance_made, measure="DCG")),
    "accuracy": (
        "importance_made",
        partial(importance_made, measure="pairwise accuracy"),
    ),
    "thqa": ("importance_thqa", importance_thqa),
    "together": ("importance_thqa", importance_together),
    "pair": ("importance_pair", importance_pair),
}
"""The same for the page of importances."""


MEASURE_TABLES = {
    "ceiling": ("noise_ceiling", ceiling),
    "paired": ("paired_coverage", paired),
    "new_system": ("new_system", new_system),
}
"""The same for the page of measures of agreement."""


def main():
    """Fill the pages."""
    pages = {
        "leaderboard.md": TABLES,
        "importance.md": IMPORTANCE_TABLES,
        "agreement_measures.md": MEASURE_TABLES,
    }
    for page, makers in pages.items():
        tables = {mark: doc_tables.from_rows(*how) for mark, how in makers.items()}
        names = dict.fromkeys(name for name, _ in makers.values())
        tables["machine"] = partial(doc_tables.table_of_machines, names)
        doc_tables.fill(page, tables)


if __name__ == "__main__":
    main()
