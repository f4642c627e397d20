"""Tables of the pages in docs/, made anew from the raw rows in results/.

A page has marks ``<!-- table NAME -->`` and ``<!-- end -->``: what stands between
them is replaced, the prose around them is left as it is.
"""

import json
import re
from pathlib import Path

import pandas as pd

from benchmarks.shared.results import RESULTS

DOCS = Path(__file__).parents[2] / "docs"
NO_ROWS = "(no rows yet: run the script)"


def fill(page, tables):
    """Make every table of a page anew.

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
    """Return a function that makes a table of the rows in ``results/name.csv``."""

    def text():
        path = RESULTS / f"{name}.csv"
        return make(pd.read_csv(path)) if path.exists() else NO_ROWS

    return text


def table_of_machines(names):
    """Say what rows were made on, from the rows or the file beside them."""
    lines = ["| rows | date | cores | threads | versions |", "|---|---|---:|---:|---|"]
    for name in names:
        path = RESULTS / f"{name}.csv"
        if not path.exists():
            continue
        row = dict(pd.read_csv(path, nrows=1).iloc[0])
        beside = path.with_suffix(".machine.json")
        if "versions" not in row and beside.exists():
            on = json.loads(beside.read_text())
            row |= {"date": on.pop("date"), "cores": on.pop("cores")}
            row["versions"] = " ".join(f"{package}={n}" for package, n in on.items())
        shown = [row.get(key, "") for key in ("date", "cores", "threads", "versions")]
        lines.append(f"| {name} | " + " | ".join(map(str, shown)) + " |")
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
    """Return a number with three digits that count, text as it is."""
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
