"""Tables of a page: cells with the text to show, and the number to sort by."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Head:
    """Head of a column."""

    text: str
    is_number: bool


@dataclass(frozen=True)
class Cell:
    """Text of a cell; its number as a text that script reads, None where it is a name.

    An empty `value` is a number that is not there.
    """

    text: str
    value: str | None


@dataclass(frozen=True)
class Row:
    """Cells of a row; `kind` is "ours", "bound" or empty."""

    cells: tuple
    kind: str


@dataclass(frozen=True)
class PageTable:
    """A table of a page."""

    caption: str
    heads: tuple
    rows: tuple
    is_long: bool = False


def page_table(caption, columns, *, kinds=None, is_long=False):
    """Return a table from its columns.

    Parameters
    ----------
    caption : str
    columns : dict of str to list
        Values of each column: a text is a name, a number is written with three digits,
        and a pair of text and number is shown as the one and sorted by the other.
    kinds : list of str or None, default=None
        Kind of each row.
    is_long : bool, default=False
        Whether the table scrolls inside of the page.

    Returns
    -------
    table : PageTable
    """
    cells = {
        name: [_cell(value) for value in values] for name, values in columns.items()
    }
    heads = tuple(
        Head(name, any(cell.value is not None for cell in column))
        for name, column in cells.items()
    )
    n_rows = len(next(iter(cells.values())))
    kinds = [""] * n_rows if kinds is None else kinds
    rows = tuple(
        Row(tuple(column[row] for column in cells.values()), kinds[row])
        for row in range(n_rows)
    )
    return PageTable(caption, heads, rows, is_long)


def number(value, decimals=3):
    """Return a number as a pair: its text, and what it is sorted by."""
    if value is None or np.isnan(value):
        return "", np.nan
    return _fixed(value, decimals), float(value)


def interval(low, high, decimals=3):
    """Return an interval as a pair: its text, and its lower end."""
    if np.isnan(low):
        return "", np.nan
    return f"{_fixed(low, decimals)} to {_fixed(high, decimals)}", float(low)


def _fixed(value, decimals):
    """Return a number with its digits; what rounds to zero has no sign."""
    text = f"{value:,.{decimals}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text


def _cell(value):
    if isinstance(value, tuple):
        text, key = value
        return Cell(text, "" if np.isnan(key) else repr(float(key)))
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return Cell(f"{value:,}", str(int(value)))
    if isinstance(value, (float, np.floating)):
        return _cell(number(value))
    return Cell(str(value), None)
