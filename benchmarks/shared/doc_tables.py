"""Tables of the pages in ``docs/``, made from the raw rows in ``results/``.

A page has marks ``<!-- table NAME -->`` and ``<!-- end -->``: the text between
them is replaced, the prose around them stays.
"""

import json
import re
from pathlib import Path

import pandas as pd

from benchmarks.shared import results

DOCS = Path(__file__).parents[2] / "docs"
IMAGES = DOCS / "images"
NO_ROWS = "(no rows yet: run the script)"


def fill(page, tables):
    """Make every table of a page again.

    Parameters
    ----------
    page : str
        Name of a file in docs/.
    tables : dict of str to callable
        The text of each mark, from a function without arguments.
    """
    path = DOCS / page
    path.write_text(_filled(path.read_text("utf-8"), page, tables), encoding="utf-8")


def _filled(text, page, tables):
    def replaced(match):
        name = match["name"]
        if name not in tables:
            raise ValueError(
                f"{page} asks for table {name!r}; expected one of {list(tables)}. "
                "Rename the mark, or add a function for it."
            )
        return f"{match['start']}\n{tables[name]()}\n{match['end']}"

    marks = r"(?P<start><!-- table (?P<name>\w+) -->).*?(?P<end><!-- end -->)"
    return re.sub(marks, replaced, text, flags=re.DOTALL)


def from_rows(name, make):
    """Return a function that makes a table of the rows in ``results/NAME.csv``."""

    def text():
        rows = results.read_rows(name)
        return make(rows) if len(rows) else NO_ROWS

    return text


def table_of_machines(names):
    """Return date, machine and versions of rows, from them or the file beside."""
    lines = ["| rows | date | cores | threads | versions |", "|---|---|---:|---:|---|"]
    for name in names:
        path = results.RESULTS / f"{name}.csv"
        if not path.exists():
            continue
        row = dict(pd.read_csv(path, nrows=1).iloc[0])
        beside = path.with_suffix(".machine.json")
        if "versions" not in row and beside.exists():
            made_on = json.loads(beside.read_text())
            row |= {"date": made_on.pop("date"), "cores": made_on.pop("cores")}
            row["versions"] = results.one_line(made_on)
        cells = [row.get(key, "") for key in ("date", "cores", "threads", "versions")]
        lines.append(f"| {name} | " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def markdown(table, cell=None):
    """Return a table as markdown, numbers as `cell` writes them."""
    cell = cell or three_digits
    head = [table.index.name, *table.columns]
    lines = [head, ["---", *["---:"] * len(table.columns)]]
    lines += [
        [name, *map(cell, row)]
        for name, row in zip(table.index, table.to_numpy(object), strict=True)
    ]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def three_digits(value):
    """Return a number with three significant digits, text as it is."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def three_decimals(value):
    """Return a number with three decimals, text as it is."""
    if isinstance(value, str):
        return value
    return "" if pd.isna(value) else f"{value:.3f}"
