"""Tables of features: what holds no numbers is refused.

scikit-learn takes text that spells numbers, and dates, for numbers, and its errors on
what it cannot convert name neither the argument nor the value.
"""

from decimal import Decimal
from functools import partial
from numbers import Real

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import get_tags
from sklearn.utils.validation import validate_data

from sklearn_pscore._rows import checked_sparse
from sklearn_pscore._target.columns import kind_of, refuse_lazy, refuse_masked

# Kinds of the number types of NumPy; scikit-learn refuses complex ones.
_NUMBER_KINDS = "buifc"


def checked_table(estimator, X, *, allow_nan=True, looks_later=False, **kwargs):
    """Return the table that a method of an estimator was passed, as an array.

    Parameters
    ----------
    estimator : estimator
    X : array-like of shape (n_samples, n_features)
    allow_nan : bool or "dense", default=True
        Whether an entry may be missing: NaN, None, or what a DataFrame has for it.
        "dense" is unless the table is sparse.
    looks_later : bool, default=False
        Whether the caller looks for infinite entries: reading all of a large table
        takes as long as a part of what follows, which reads it anyway.
    **kwargs : dict
        Of scikit-learn's ``validate_data``.

    Returns
    -------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
        A missing entry is NaN. Sparse only if ``accept_sparse`` is among the others;
        then what `X` has several times is summed, in a copy.
    look : callable
        Only if `looks_later`: ``look()`` raises ValueError for entries as below.

    Raises
    ------
    TypeError
        As :func:`check_numbers`.
    ValueError
        If an entry is infinite, or must not be missing, two columns have one name, or
        scikit-learn refuses the table, such as for columns that were not there at fit.
    """
    refuse_lazy(X, "X")
    try:
        check_numbers(X)
    except TypeError:
        is_named = hasattr(estimator, "feature_names_in_") and hasattr(X, "columns")
        if is_named and not kwargs.get("reset", True):
            # Columns that were not fitted tell more than the text that they hold.
            try:
                validate_data(estimator, X, reset=False, skip_check_array=True)
            except ValueError as error:
                raise error from None
        raise
    _check_fill_values(X)
    _check_names_differ(X)
    X = checked_sparse(X)
    checked = validate_data(estimator, X, ensure_all_finite=False, **kwargs)
    if checked.dtype.kind == "O":
        # scikit-learn leaves lists of objects as they are if dtype is "numeric".
        checked = checked.astype(np.float64)
    if allow_nan == "dense":
        allow_nan = not issparse(checked)
    names = getattr(X, "columns", None)
    look = partial(_check_finite, checked, names, allow_nan, estimator)
    if looks_later:
        return checked, look
    if checked.dtype.kind == "f":
        look()
    return checked


def _check_names_differ(X):
    """Raise ValueError if two columns of a DataFrame of pandas have one name."""
    if not hasattr(X, "iloc") or not hasattr(X, "columns") or X.columns.is_unique:
        return
    name = X.columns[X.columns.duplicated()][0]
    places = np.flatnonzero([other == name for other in X.columns])
    raise ValueError(
        f"X has {len(places)} columns of the name {name!r}, at {places.tolist()}; expected "
        "a name for each. Rename them, or pass X.to_numpy() for columns without names."
    )


def _check_fill_values(X):
    """Raise ValueError if what a DataFrame of sparse columns does not store is not zero."""
    kinds = getattr(X, "dtypes", None)
    if not hasattr(kinds, "items") or not all(hasattr(k, "fill_value") for k in kinds):
        return
    for name, kind in kinds.items():
        if kind.fill_value != 0:
            raise ValueError(
                f"X has sparse columns, and {kind.fill_value} is what column {name!r} does "
                "not store; expected 0 in all of them. Pass X.sparse.to_dense()."
            )


def _check_finite(X, names, allow_nan, estimator):
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(X.sum()):
            return
    values = X.data if issparse(X) else X
    bad = np.argwhere(np.isinf(values) if allow_nan else ~np.isfinite(values))
    if not len(bad):
        return
    if issparse(X):
        value, (rows, columns) = values[bad[0, 0]], X.tocoo().coords
        row, column = rows[bad[0, 0]], columns[bad[0, 0]]
    else:
        row, column = bad[0]
        value = X[row, column]
    column = int(column) if names is None else names[column]
    if np.isinf(value):
        raise ValueError(
            f"X contains infinity: {value} at row {row}, column {column!r}; expected "
            "finite numbers. Drop the row, put NaN if the metric is missing there, or a "
            "large number if it is known to be large."
        )
    is_only_sparse = issparse(X) and get_tags(estimator).input_tags.allow_nan
    where = " of a sparse X" if is_only_sparse else ""
    raise ValueError(
        f"X contains NaN at row {row}, column {column!r}; expected numbers, for "
        f"{type(estimator).__name__} takes no missing values{where}. Drop the row, or "
        "fill in, for example with SimpleImputer."
    )


def check_numbers(X, name="X"):
    """Raise unless every entry of a table is a number, or None for a missing one.

    Columns of objects that are numbers are taken. Shape, NaN, infinity, complex
    numbers and sparse matrices are left to scikit-learn.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    name : str
        Name of the table, for the messages.

    Raises
    ------
    TypeError
        If it is no table in memory, or holds text, dates or other objects.
    ValueError
        If an entry is masked or too large, or the rows of a list have different
        lengths.
    """
    if type(X) is np.ndarray and X.dtype.kind in _NUMBER_KINDS:
        return  # Soon told, since a single row may be asked for often.
    refuse_lazy(X, name)
    refuse_masked(X, name)
    for column, array in _columns_of_no_number_type(X, name):
        place = _first_of_no_number(array)
        if place is None:
            continue
        row, *index = place
        column = index[0] if index else column
        where = f"row {row}" + ("" if column is None else f", column {column!r}")
        value = array[place]
        if _is_number(value):
            raise ValueError(
                f"{name} is {type(value).__name__} too large for float64 at {where}; "
                f"expected numbers up to {np.finfo(np.float64).max:.2g} in size. Scale "
                "the column down, or leave it out."
            )
        # scikit-learn's estimator checks look for the words after "expected numbers".
        raise TypeError(
            f"{name} is {str(value)!r:.60}, of type {type(value).__name__}, at {where}; "
            "expected numbers. The argument must be free of strings and of all else that "
            "is no number: convert the column, for example with pandas.to_numeric, or "
            "leave it out."
        )


def _columns_of_no_number_type(X, name):
    """Yield (name, array) of the columns, or (None, array) of the whole table."""
    if hasattr(X, "dtypes") and hasattr(X, "iloc") and X.ndim == 2:
        for k, dtype in enumerate(X.dtypes):
            if getattr(dtype, "kind", "O") not in _NUMBER_KINDS:
                yield X.columns[k], np.asarray(X.iloc[:, k])
    elif hasattr(X, "schema") and hasattr(X, "columns"):
        import narwhals

        frame = narwhals.from_native(X, eager_only=True, pass_through=True)
        if frame is X:
            raise TypeError(
                f"{name} is {kind_of(X)}; expected an array, a pandas or polars DataFrame "
                "or an Arrow table. Convert it to one of these."
            )
        for column, dtype in frame.schema.items():
            if not (dtype.is_numeric() or dtype == narwhals.Boolean):
                yield column, frame[column].to_numpy()
    elif not hasattr(X, "tocsr"):
        array = _as_array(X, name)
        if array.dtype.kind not in _NUMBER_KINDS:
            yield None, array


def _as_array(X, name):
    if hasattr(X, "dtype") and not isinstance(X.dtype, np.dtype):
        # A tensor, which may be where NumPy cannot read it. It holds numbers.
        return np.empty(0)
    try:
        array = np.asarray(X)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} is {kind_of(X)} whose rows have different lengths; expected one row "
            "of numbers per sample, shape (n_samples, n_features). Fill up the shorter "
            "ones, or pass a DataFrame."
        ) from None
    if array.ndim == 0 and array.dtype.kind not in _NUMBER_KINDS:
        raise TypeError(
            f"{name} is {kind_of(X)}; expected a table of numbers, shape (n_samples, "
            "n_features). Pass an array, a list of rows or a DataFrame."
        )
    # In a list with text NumPy turns numbers into text, too.
    is_list = isinstance(X, (list, tuple))
    return np.array(X, dtype=object) if is_list and array.dtype.kind in "SU" else array


def _first_of_no_number(array):
    """Return the index of the first entry that is no number, None if all are."""
    if array.dtype.kind in _NUMBER_KINDS or not array.size:
        return None
    if array.dtype.kind != "O":
        return (0,) * array.ndim
    for place, value in np.ndenumerate(array):
        if value is not None and not _is_float(value):
            return place
    return None


def _is_float(value):
    """Tell whether an object is a number that float64 holds, by rounding at most."""
    if not _is_number(value):
        return False
    try:
        float(value)
    except OverflowError:
        return False
    return True


def _is_number(value):
    # NumPy counts spans of time as integers.
    is_span = isinstance(value, np.timedelta64)
    return isinstance(value, (Real, Decimal, np.bool_)) and not is_span
