"""Write the tables of docs/compatibility.md.

    python -m benchmarks.compatibility.tables

replaces the text between their marks (doc_tables.py) by tables of the rows in
results/compatibility.csv.
"""

from functools import partial

import pandas as pd

from benchmarks.compatibility.check import OUTCOMES
from benchmarks.shared import doc_tables

NAME = "compatibility"
_OURS = "scikit-learn: "


def counts(rows):
    """Count what becomes of the calls of each area."""
    outcome = rows["outcome"].mask(rows["fault"].notna(), "fault")
    table = pd.crosstab(rows["area"], outcome).reindex(rows["area"].unique())
    table = table.reindex(columns=[*OUTCOMES, "fault"], fill_value=0)
    table.insert(0, "calls", table.sum(axis=1))
    table.loc["all"] = table.sum()
    table.index.name = "area"
    return doc_tables.markdown(table.map("{:,}".format))


def scikit_learn(rows):
    """Return a table of the calls of each part of scikit-learn, under its name."""
    rows = rows[rows["area"].str.startswith(_OURS)]
    parts = [
        f"### {area.removeprefix(_OURS).capitalize()}\n\n{_lines(part)}"
        for area, part in rows.groupby("area", sort=False)
    ]
    return "\n\n".join(["", *parts, ""])


def tools(rows):
    """Return a table of the calls of each other tool, under its name and version."""
    rows = rows[~rows["area"].str.startswith(_OURS)]
    parts = [
        f"### {area}\n\n{part['tool'].iloc[0]}\n\n{_lines(part)}"
        for area, part in rows.groupby("area", sort=False)
    ]
    return "\n\n".join(["", *parts, ""])


def _lines(rows):
    lines = ["| call | outcome | note |", "|---|---|---|"]
    for row in rows.itertuples():
        note = "" if pd.isna(row.note) else row.note
        outcome = row.outcome if pd.isna(row.fault) else f"**fault**: {row.fault}"
        call = " ".join(row.call.split())
        lines.append(f"| `{call}` | {outcome} | {note} |")
    return "\n".join(lines)


TABLES = {"counts": counts, "scikit_learn": scikit_learn, "tools": tools}
"""Function that makes the table of each mark."""


def main():
    """Fill the page."""
    tables = {mark: doc_tables.from_rows(NAME, make) for mark, make in TABLES.items()}
    tables["machine"] = partial(doc_tables.table_of_machines, [NAME])
    doc_tables.fill("compatibility.md", tables)


if __name__ == "__main__":
    main()
