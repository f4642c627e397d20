"""Write the tables of docs/reliability.md.

    python -m benchmarks.reliability.tables

replaces the text between their marks (doc_tables.py) by tables of the rows in
results/odd_inputs.csv.
"""

from functools import partial

import pandas as pd

from benchmarks.reliability.odd_inputs import NAME
from benchmarks.shared import doc_tables

OUTCOMES = ["refused", "handled", "warned"]


def by_kind(rows):
    """Count what became of each kind of oddity."""
    return _counts(rows, "kind")


def by_surface(rows):
    """Count what became of the inputs of each public function and method."""
    return _counts(rows, "surface")


def _counts(rows, column):
    faulty = rows["fault"].notna()
    outcome = rows["outcome"].mask(faulty, "fault").rename(None)
    table = pd.crosstab(rows[column], outcome)
    table = table.reindex(columns=[*OUTCOMES, "fault"], fill_value=0)
    table.insert(0, "cases", table.sum(axis=1))
    table.loc["all"] = table.sum()
    # As text: a count is written whole.
    return doc_tables.markdown(table.map("{:,}".format))


TABLES = {"by_kind": by_kind, "by_surface": by_surface}
"""Function that makes the table of each mark."""


def main():
    """Fill the page."""
    tables = {mark: doc_tables.from_rows(NAME, make) for mark, make in TABLES.items()}
    tables["machine"] = partial(doc_tables.table_of_machines, [NAME])
    doc_tables.fill("reliability.md", tables)


if __name__ == "__main__":
    main()
