"""Fields of the ranking target: the values that each accepts, and its dtype."""

from functools import partial
from numbers import Integral

import numpy as np

from sklearn_pscore._target.columns import (
    as_column,
    describe_integer,
    describe_values,
    exact_floats,
    levels_in_order,
)
from sklearn_pscore._target.votes import (
    FIRST_FIELDS,
    VOTE_FIELDS,
    as_counts,
    as_row_numbers,
)


def as_labels(values, field):
    """Return labels as int64 or fixed-width strings; refuse missing ones."""
    array = as_column(values, field)
    if array.dtype.kind == "U" and isinstance(values, (list, tuple)):
        # In a list with strings, NumPy turns NaN and numbers into strings.
        array = np.array(values, dtype=object)
    if array.dtype.kind in "bui":
        return _as_int64(array, field)
    if array.dtype.kind == "U":
        return array
    if array.dtype.kind == "f":
        return _integral(array, field, "integers or strings", "str")
    if array.dtype.kind in "OT":
        return _object_labels(array.astype(object), field)
    raise TypeError(
        f"{field} has {describe_values(array)}; expected integers or strings. Convert it, "
        f"for example with np.asarray({field}).astype(str)."
    )


def as_preference(values, field="preference"):
    """Return preferences as float64; keep NaN, refuse infinity."""
    array = _as_floats(values, field)
    infinite = np.flatnonzero(np.isinf(array))
    if len(infinite):
        raise ValueError(
            f"{field} is {array[infinite[0]]} at row {infinite[0]}; expected finite "
            "numbers, or NaN for rows that nobody judged. Replace it by a finite value."
        )
    return array


def as_weight(values, field="weight"):
    """Return weights as float64; refuse negative and non-finite ones."""
    array = _as_floats(values, field)
    bad = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if len(bad):
        raise ValueError(
            f"{field} is {array[bad[0]]} at row {bad[0]}; expected finite numbers >= 0. "
            "Use 0 to leave a row out."
        )
    return array


def as_n_raters(values, field="n_raters"):
    """Return numbers of people as int64; a missing one is 0, "not known"."""
    expected = (
        "how many people judged the row, 1 or more. Use 0 where that is not known, or "
        "nobody did."
    )
    return _as_counts(values, field, expected)


def as_position(values, field="position"):
    """Return positions in a list as int64; a missing one is 0, "not known"."""
    expected = (
        "where in the list the row was shown, 1 for the first, or 0 where that is not "
        "known. Count from 1."
    )
    return _as_counts(values, field, expected)


def _as_counts(values, field, expected):
    """Return integers that are not negative, 0 where one is missing."""
    array = _as_floats(values, field)
    array = _integral(np.where(np.isnan(array), 0.0, array), field, "integers", "int")
    bad = np.flatnonzero(array < 0)
    if len(bad):
        raise ValueError(
            f"{field} is {array[bad[0]]} at row {bad[0]}; expected {expected}"
        )
    return array


def as_spread(values, field="spread"):
    """Return standard deviations as float64; keep NaN, "not known"."""
    array = _as_floats(values, field)
    bad = np.flatnonzero((array < 0) | np.isinf(array))
    if len(bad):
        raise ValueError(
            f"{field} is {array[bad[0]]} at row {bad[0]}; expected a standard deviation of "
            "the ratings of the row, finite and >= 0. Use NaN where it is not known."
        )
    return array


def as_clip(values, field="clip"):
    """Return clip numbers as int64."""
    array = as_column(values, field)
    if array.dtype.kind == "O":
        array = _nullable_numbers(array, field)
    if array.dtype.kind == "f":
        return _integral(array, field, "integers in time order", "int")
    if array.dtype.kind not in "ui":
        raise TypeError(
            f"{field} has {describe_values(array)}; expected integers in time order. "
            "Number the segments of each item 0, 1, 2, ..."
        )
    return _as_int64(array, field)


def as_flag(values, field="donor"):
    """Return True or False per row; accept booleans and the numbers 0 and 1."""
    array = as_column(values, field)
    if array.dtype.kind == "O" and not any(isinstance(v, str) for v in array):
        array = _nullable_numbers(array, field)
    if array.dtype.kind in "uif":
        bad = np.flatnonzero(~np.isin(array, (0, 1)))
        if len(bad):
            raise ValueError(
                f"{field} is {array[bad[0]]} at row {bad[0]}; expected True or False. "
                f"Pass a condition that is True where it should be, for example "
                f"{field}=({field} == 1)."
            )
    elif array.dtype.kind != "b":
        raise TypeError(
            f"{field} has {describe_values(array)}; expected booleans. Pass a condition, "
            f'for example {field}=(column == "yes").'
        )
    return array.astype(bool)


def _as_floats(values, field):
    """Return numbers as float64, missing ones as NaN."""
    _refuse_levels(values, field)
    return _nullable_numbers(as_column(values, field), field)


def _refuse_levels(values, field):
    """Raise TypeError for an ordered categorical that is not of rising numbers."""
    levels = levels_in_order(values)
    if levels is None or not levels:
        return
    is_number = not any(isinstance(level, str) for level in levels)
    if is_number and np.all(np.diff(levels) > 0):
        return
    shown = {level: number for number, level in enumerate(levels[:3])}
    raise TypeError(
        f"{field} is an ordered categorical of {len(levels)} levels, {levels[0]!r} the "
        "lowest; expected numbers. Map each level to a number, for example "
        f"{field}.map({shown}) in pandas, replace_strict in polars."
    )


def _nullable_numbers(array, field):
    """Return Python numbers as float64, pandas.NA and other missing ones as NaN."""
    if array.dtype.kind == "O":
        values = [np.nan if _is_missing(value) else value for value in array]
        array = np.fromiter(values, dtype=object, count=len(values))
    return exact_floats(array, field)


def _integral(array, field, expected, wanted):
    """Return whole floats as int64; raise for other numbers and missing ones."""
    bad = np.flatnonzero(~(np.isfinite(array) & (array == np.floor(array))))
    if len(bad):
        value = array[bad[0]]
        if np.isnan(value):
            _raise_missing(field, value, bad[0])
        raise TypeError(
            f"{field} is {value} at row {bad[0]}; expected {expected}. Convert it, for "
            f"example with np.asarray({field}).astype({wanted})."
        )
    integers = _as_int64(array, field)
    n_bits = np.finfo(array.dtype).nmant + 1
    bad = np.flatnonzero(np.abs(_wide(array)) >= 2.0**n_bits)
    if len(bad):
        raise ValueError(
            f"{field} is {array[bad[0]]} at row {bad[0]}; expected floats below "
            f"2**{n_bits}: from there on {array.dtype} makes different integers equal. "
            "Read the column as integers or strings, so that it never is float."
        )
    return integers


def _as_int64(array, field):
    """Return whole numbers as int64; raise ValueError beyond its range."""
    if array.dtype.kind == "u":
        bad = np.flatnonzero(array > np.iinfo(np.int64).max)
    elif array.dtype.kind == "f":
        wide = _wide(array)
        bad = np.flatnonzero((wide < -(2.0**63)) | (wide >= 2.0**63))
    else:
        bad = ()
    # A cast would wrap them to other labels, without an error.
    if len(bad):
        _raise_beyond_64_bits(field, array[bad[0]], bad[0])
    return array.astype(np.int64)


def _wide(array):
    """Return floats as float64 at least: float16 does not compare with 2**63."""
    return array.astype(np.result_type(array, np.float64), copy=False)


def _raise_beyond_64_bits(field, value, row):
    raise ValueError(
        f"{field} is {value} at row {row}; expected integers of 64 bits. Number the "
        f"labels with np.unique({field}, return_inverse=True)[1]."
    )


def _object_labels(array, field):
    """Return an array of objects as labels, all of them strings or all integers."""
    for row, value in enumerate(array):
        if _is_missing(value):
            _raise_missing(field, value, row)
    if all(isinstance(value, str) for value in array):
        _refuse_trailing_nul(array, field)
        return array.astype(str)
    if all(isinstance(value, Integral) for value in array):
        return _object_integers(array, field)
    kinds = {type(value).__name__ for value in array}
    try:
        if any(isinstance(value, (str, bytes)) for value in array):
            raise TypeError
        numbers = np.asarray(array.tolist())
    except (TypeError, ValueError):
        numbers = None
    if numbers is None or numbers.ndim != 1 or numbers.dtype.kind not in "buif":
        raise TypeError(
            f"{field} mixes or holds {sorted(kinds)}; expected all integers or all "
            f"strings. Convert it, for example with [str(value) for value in {field}]."
        )
    return as_labels(numbers, field)


def _object_integers(array, field):
    """Return an array of Python and NumPy integers as int64."""
    limits = np.iinfo(np.int64)
    for row, value in enumerate(array):
        if not limits.min <= int(value) <= limits.max:
            _raise_beyond_64_bits(field, describe_integer(value), row)
    return np.array([int(value) for value in array], dtype=np.int64)


def _refuse_trailing_nul(array, field):
    """Raise ValueError for strings that NumPy would store without their end."""
    for row, value in enumerate(array):
        if value.endswith("\0"):
            raise ValueError(
                f"{field} is {str(value)!r} at row {row}; expected strings that do not end "
                "in a NUL character, which fixed-width strings drop, so that different "
                'labels could become one. Strip it with value.rstrip("\\0").'
            )


def _is_missing(value):
    """Tell whether a value is None, NaN, pandas.NA or NaT."""
    if value is None:
        return True
    try:
        # NaN and NaT differ from themselves; pandas.NA has no truth value.
        return bool(value != value)
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def _raise_missing(field, value, row):
    raise ValueError(
        f"{field} is {value} at row {row}; expected a label for every row. Drop the row "
        "or name it."
    )


CONVERTERS = {
    "group": lambda values: as_labels(values, "group"),
    "preference": as_preference,
    "item": lambda values: as_labels(values, "item"),
    "clip": as_clip,
    "weight": as_weight,
    "donor": as_flag,
    "block": lambda values: as_labels(values, "block"),
    "n_raters": as_n_raters,
    "spread": as_spread,
    "position": as_position,
    "group_size": lambda values: as_clip(values, "group_size"),
    "row": lambda values: as_row_numbers(values, "row"),
    "rival": lambda values: as_row_numbers(values, "rival"),
    **{
        field: partial(as_counts, field=field)
        for field in (*VOTE_FIELDS[2:], *FIRST_FIELDS)
    },
}
"""Function that converts a column to the field's dtype; keys in field order."""

REQUIRED_FIELDS = ("group", "preference")
OPTIONAL_FIELDS = tuple(field for field in CONVERTERS if field not in REQUIRED_FIELDS)
