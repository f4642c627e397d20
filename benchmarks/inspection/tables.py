"""Write the tables of docs/leaderboard.md.

    python -m benchmarks.inspection.tables

replaces the text between their marks (doc_tables.py) by tables of the rows in results/.
"""

from functools import partial

import numpy as np
import pandas as pd

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
    "metrics": ("agreement_of_metrics", metrics),
    "coverage": ("leaderboard_coverage", coverage),
    "speed": ("leaderboard_speed", speed),
}
"""Name of the rows and the function that makes the table, by its mark."""


def main():
    """Fill the page."""
    tables = {mark: doc_tables.from_rows(*how) for mark, how in TABLES.items()}
    names = dict.fromkeys(name for name, _ in TABLES.values())
    tables["machine"] = partial(doc_tables.table_of_machines, names)
    doc_tables.fill("leaderboard.md", tables)


if __name__ == "__main__":
    main()
