"""A table: its columns by name, as numbers or as labels."""

import re
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd

from sklearn_pscore._tables.names import listed, nearest

MISSING = [
    "",
    "#N/A",
    "#N/A N/A",
    "#NA",
    "-1.#IND",
    "-1.#QNAN",
    "-NaN",
    "-nan",
    "1.#IND",
] + ["1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"]
"""Text that stands for a missing number, as in pandas."""

_FLAGS = {"true": 1.0, "false": 0.0}
_THOUSANDS = r"\s*[-+]?[1-9]\d{0,2},\d{3}\s*"
_DECIMAL_COMMA = r"\s*[-+]?\d*,\d+(e[-+]?\d+)?\s*"


@dataclass(frozen=True)
class TextAmongNumbers:
    """Text in a column of numbers: in how many rows, and the first, counted from 1."""

    n_rows: int
    row: int
    value: str


class Table:
    """A table in memory.

    Parameters
    ----------
    frame : DataFrame
        As it is in the file.
    name : str
        What messages call it.
    is_text : bool, default=False
        Whether numbers are text in `frame`, too.

    Raises
    ------
    ValueError
        If it has no rows, or two columns of one name.
    """

    def __init__(self, frame, name, *, is_text=False):
        self.frame, self.name, self.is_text = frame, name, is_text
        self.names = [str(name) for name in frame.columns]
        for each in self.names:
            if self.names.count(each) > 1:
                raise ValueError(
                    f"{name} has two columns {each!r}; expected one of each name. Rename "
                    "one of them."
                )
        if not len(frame):
            raise ValueError(f"{name} has no rows; expected at least one.")

    def __len__(self):
        return len(self.frame)

    def check_name(self, name, role):
        """Raise ValueError unless there is a column of this name.

        Parameters
        ----------
        name : str
        role : str
            The option that asks for it.
        """
        if name not in self.names:
            near = nearest(name, self.names)
            hint = f"Did you mean {near!r}? " if near else ""
            raise ValueError(
                f"{role} is {name!r}, which is no column of {self.name}; expected one of "
                f"its columns. {hint}It has {listed(self.names)}."
            )

    def values(self, name):
        """Return a column as it is in the file."""
        return self.frame.iloc[:, self.names.index(name)]

    def numbers(self, name):
        """Return a column as numbers, or None if it holds anything else.

        Returns
        -------
        numbers : ndarray of shape (n_rows,), float64, or None
            NaN where one is missing; 1 and 0 for true and false.
        """
        values = self.values(name)
        if self.is_text:
            return _parsed(values)
        if pd.api.types.is_numeric_dtype(values.dtype):
            if values.dtype.kind == "c":
                return None
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        if values.dtype.kind != "O" or not all(map(_is_number_or_none, values)):
            is_empty = values.isna().all()
            return np.full(len(values), np.nan) if is_empty else None
        return np.array([np.nan if pd.isna(v) else float(v) for v in values])

    def feature(self, name):
        """Return a column as a model takes it: numbers, or what else it holds."""
        numbers = self.numbers(name)
        if numbers is not None:
            return numbers
        values = self.values(name)
        return values.mask(values.isin(MISSING)) if self.is_text else values

    def typed(self):
        """Return the table with numbers for the text of numbers.

        Text such as 007 is no number, but the name of something.
        """
        if not self.is_text:
            return self.frame
        columns = {}
        for name in self.names:
            values, numbers = self.values(name), self.numbers(name)
            is_name = values.str.match(r"\s*[-+]?0\d").any()
            columns[name] = values if numbers is None or is_name else numbers
        return pd.DataFrame(columns)

    def required_numbers(self, name, role):
        """Return a column as numbers.

        Raises
        ------
        ValueError
            If it is not there, holds anything else, or nothing at all.
        """
        self.check_name(name, role)
        numbers = self.numbers(name)
        if numbers is None:
            raise ValueError(self._not_numbers(name, role))
        if np.isnan(numbers).all():
            raise ValueError(
                f"{role} is {name!r}, which is empty in all {len(self)} rows of "
                f"{self.name}; expected numbers. Name another column."
            )
        return numbers

    def labels(self, name, role):
        """Return a column as labels.

        Returns
        -------
        labels : ndarray of shape (n_rows,), str or int

        Raises
        ------
        ValueError
            If it is not there, or a label is missing.
        """
        self.check_name(name, role)
        values = self.values(name)
        is_missing = values.isna().to_numpy()
        if self.is_text:
            is_missing = is_missing | (values == "").to_numpy()
        if is_missing.any():
            row = int(np.flatnonzero(is_missing)[0]) + 1
            raise ValueError(
                f"{role} is {name!r}, which is empty in {is_missing.sum()} of the "
                f"{len(self)} rows of {self.name}, first in row {row}; expected a label "
                "in each. Fill it in, or leave these rows out."
            )
        if values.dtype.kind in "iu":
            return values.to_numpy()
        return np.array([str(value) for value in values], dtype=str)

    def has_decimal_comma(self, name):
        """Tell whether a column is of numbers with a comma for the point."""
        text = self._first_text(name)
        return any("," in each for each in text) and all(
            re.fullmatch(_DECIMAL_COMMA, each, re.IGNORECASE) or _parses(each)
            for each in text
        )

    def how_to_read_commas(self, name):
        """Return what to read a column with decimal commas with, as text."""
        with_comma = [each for each in self._first_text(name) if "," in each]
        if not all(re.fullmatch(_THOUSANDS, each) for each in with_comma):
            return "pandas.read_csv(path, decimal=',')"
        return (
            f"pandas.read_csv(path, decimal=','), or with thousands=',' if "
            f"{with_comma[0].strip()!r} is {with_comma[0].strip().replace(',', '')},"
        )

    def _first_text(self, name):
        """Return the first values of a column as text, none if it holds numbers alone."""
        values = self.values(name)
        if not (self.is_text or values.dtype.kind == "O"):
            return []
        return [str(value) for value in values.head(1000) if str(value) not in MISSING]

    def text_among_numbers(self, name):
        """Return the text in a column of which most is numbers, or None.

        Returns
        -------
        text : TextAmongNumbers or None
        """
        values = self.values(name)
        if self.is_text:
            is_missing = values.isin(MISSING).to_numpy()
            numbers = pd.to_numeric(values.mask(is_missing), errors="coerce")
            is_odd = numbers.isna().to_numpy() & ~is_missing
        elif values.dtype.kind == "O":
            is_missing = values.isna().to_numpy()
            is_odd = ~np.array([_is_number_or_none(value) for value in values])
            is_odd &= ~is_missing
        else:
            return None
        if not is_odd.any() or 2 * is_odd.sum() >= np.sum(~is_missing):
            return None
        first = int(np.flatnonzero(is_odd)[0])
        return TextAmongNumbers(int(is_odd.sum()), first + 1, str(values.iloc[first]))

    def _not_numbers(self, name, role):
        """Return the message of a column of text: where it is none."""
        row, value = self.first_text(name)
        how = self.decimal_comma_hint(name) or "Name another column, or mend it."
        return (
            f"{role} is {name!r}, which holds {value!r:.60} in row {row} of "
            f"{self.name}; expected numbers. {how}"
        )

    def first_text(self, name):
        """Return where a column is not of numbers first, counted from 1, and the text."""
        is_number = _parses if self.is_text else _is_number_or_none
        return next(
            (row, str(value))
            for row, value in enumerate(self.values(name), 1)
            if not is_number(value)
        )

    def decimal_comma_hint(self, name):
        """Return what to do about decimal commas in a column, or nothing."""
        if not self.has_decimal_comma(name):
            return ""
        return (
            "A decimal comma is to be a point: read it with "
            f"{self.how_to_read_commas(name)} and write it anew."
        )


def _parsed(values):
    """Return text as numbers, None if any is none."""
    missing = values.isin(MISSING)
    numbers = pd.to_numeric(values.mask(missing), errors="coerce")
    if (numbers.isna() == missing).all():
        # The nearest float64 of the text, which to_numeric of pandas 2 is not.
        return values.mask(missing, "nan").to_numpy(dtype=object).astype(np.float64)
    flags = values.str.strip().str.lower().map(_FLAGS)
    if (flags.isna() == missing).all():
        return flags.to_numpy(dtype=np.float64)
    return None


def _parses(text):
    return text in MISSING or pd.notna(pd.to_numeric(text, errors="coerce"))


def _is_number_or_none(value):
    if isinstance(value, (Real, Decimal, np.bool_)):
        return not isinstance(value, np.timedelta64)
    return value is None or value is pd.NA
