"""Columns of any library as NumPy arrays, their values unchanged."""

from numbers import Integral, Real

import numpy as np

# From here on float64 has only every second integer: equal floats may have been
# different integers.
_FIRST_SKIPPED = 2**53

# Column types of narwhals that NumPy has no type for. Its strings of fixed width
# drop NUL characters at the end.
_NO_TYPE_IN_NUMPY = ("Decimal", "Int128", "UInt128", "String")


def as_column(values, field):
    """Return one column as an array of one dimension.

    Missing values, masked ones included, are NaN in columns of floats and None,
    NaN or pandas.NA in an array of objects.

    Parameters
    ----------
    values : array-like of shape (n,)
        An array, list or tuple, or a column of pandas, polars or Arrow.
    field : str
        Name of the column, for the messages.

    Raises
    ------
    TypeError
        If there is no value per row: None, a generator, a set.
    ValueError
        If there is not one dimension.
    """
    if isinstance(values, np.ma.MaskedArray):
        array = _with_missing(values)
    elif isinstance(values, (list, tuple)):
        array = list_as_array(values, field)
    elif isinstance(values, np.ndarray):
        array = np.asarray(values)
    else:
        array = _series_as_array(values)
    if array.dtype.kind == "O" and array.ndim == 0:
        raise TypeError(
            f"{field} is {kind_of(values)}; expected one value per row of X, shape "
            "(n_samples,). Pass a list or an array in the order of the rows."
        )
    if array.ndim != 1:
        raise ValueError(
            f"{field} has shape {array.shape}; expected one value per row of X, shape "
            f"(n_samples,). Pass a single column."
        )
    return array


def frame_columns(frame, names, name="frame"):
    """Return the columns of a frame by the field that they hold.

    Parameters
    ----------
    frame : DataFrame of pandas or polars, LazyFrame, or Arrow table
    names : dict of str to (str, int or None)
        Name of the column of each field; None is left out.
    name : str
        Name of the frame, for the messages.

    Returns
    -------
    columns : dict of str to array-like

    Raises
    ------
    TypeError
        If `frame` is no frame, or a name is of another type.
    ValueError
        If a column is not there.
    """
    frame, present = _frame_and_names(frame, name)
    named = {field: column for field, column in names.items() if column is not None}
    check_names(named, present, name)
    if hasattr(frame, "collect"):
        frame = frame.select(list(dict.fromkeys(named.values()))).collect()
    return {field: frame[column] for field, column in named.items()}


def check_names(names, present, frame="frame"):
    """Raise unless every field names a column that is present.

    Parameters
    ----------
    names : dict of str to object
        Name of the column of each field.
    present : list
        Names of the columns.
    frame : str
        Name of the frame, for the messages.
    """
    for field, column in names.items():
        if not isinstance(column, (str, int)):
            raise TypeError(
                f"{field} is {type(column).__name__}; expected the name of a column of "
                f"the {frame}. Pass the name, or use Groups.from_arrays for columns."
            )
        if column not in present:
            holds = "both tables have" if field == "on" else f"holds the {field}"
            raise ValueError(
                f"{field}={column!r} is not a column of the {frame}; expected one of "
                f"{present}. Name the column that {holds}."
            )


def list_as_array(values, field):
    """Return a list as an array, without the rounding that NumPy does.

    NumPy turns a list that mixes int64 with uint64, or integers with floats, into
    float64. Where that could round, the array is one of objects; and where numbers
    would become text, so that an error can tell them apart.
    """
    if any(value is np.ma.masked for value in values):
        values = [None if value is np.ma.masked else value for value in values]
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):
        raise ValueError(
            f"{field} is a {type(values).__name__} of lists of different lengths; "
            "expected one value per row of X, shape (n_samples,). Pass a single column."
        ) from None
    if array.dtype.kind in "SU" and not all(
        isinstance(v, (str, bytes)) for v in values
    ):
        return np.array(values, dtype=object)
    may_be_rounded = array.dtype.kind == "f" and array.dtype.itemsize >= 8
    if may_be_rounded and np.any(np.isfinite(array) & (abs(array) >= _FIRST_SKIPPED)):
        return np.array(values, dtype=object)
    return array


def levels_in_order(values):
    """Return the levels of an ordered categorical, lowest first; else None.

    Parameters
    ----------
    values : array-like
        An ordered categorical of pandas, or an Enum of polars, has levels.
    """
    dtype = getattr(_as_series(values), "dtype", None)
    return list(dtype.categories) if type(dtype).__name__ == "Enum" else None


def exact_floats(array, field, message=None):
    """Return numbers as float64; refuse those that would change or become equal.

    Parameters
    ----------
    array : ndarray
        Of a NumPy number type or of objects.
    field : str
        Name of the values, for the errors.
    message : callable or None, default=None
        Returns the text of the TypeError for anything but numbers, text that spells
        one too. None names the first such value.

    Raises
    ------
    TypeError
        If a value is no real number.
    ValueError
        If float64 does not hold an integer, or makes different numbers equal.
    """
    kind = array.dtype.kind
    if kind == "f" and array.dtype.itemsize > 8:
        return _floats_that_differ(array, field)
    if kind in "buif":
        if kind in "ui" and array.dtype.itemsize == 8:
            # NumPy compares an integer that is out of a dtype's range, too.
            large = (array > _FIRST_SKIPPED) | (array < -_FIRST_SKIPPED)
            _check_held(array.reshape(-1), np.flatnonzero(large), field)
        return array.astype(np.float64)
    if kind != "O" or any(isinstance(value, (str, bytes)) for value in array.flat):
        _raise_no_number(array, field, message)
    is_integer = [isinstance(value, Integral) for value in array.flat]
    _check_held(array.reshape(-1), np.flatnonzero(is_integer), field)
    try:
        floats = array.astype(np.float64)
    except (TypeError, ValueError):
        _raise_no_number(array, field, message)
    except OverflowError:
        raise ValueError(
            f"{field} holds a number beyond the range of float64; expected at most "
            f"{np.finfo(np.float64).max:.1e}. Scale the numbers down, or pass their ranks."
        ) from None
    if all(isinstance(value, (Integral, float)) for value in array.flat):
        return floats
    return _floats_that_differ(array, field)


def describe_values(array):
    """Return the dtype of an array, and the first value that is no number, as text."""
    text = f"dtype {array.dtype}"
    if array.ndim != 1 or array.dtype.kind not in "OSUc":
        return text
    for row, value in enumerate(array):
        is_number = isinstance(value, Real) or value is None or value != value
        if not is_number and not (array.dtype.kind == "c" and value.imag == 0):
            shown = value.item() if isinstance(value, np.generic) else value
            return f"{text}, {shown!r:.60} at row {row}"
    return text


def describe_integer(value):
    """Return an integer as text, only its size if it is a very long one."""
    value = int(value)
    bits = value.bit_length()
    return str(value) if bits <= 128 else f"an integer of {bits} bits"


def kind_of(values):
    """Return the type of an argument, for a message."""
    return "None" if values is None else f"a {type(values).__name__}"


def refuse_lazy(X, name):
    """Raise TypeError if a table is not in memory."""
    if hasattr(X, "collect_schema") and hasattr(X, "lazy") and hasattr(X, "collect"):
        kind, remedy = kind_of(X), "Pass what its collect() returns."
    elif hasattr(X, "__dask_graph__") and hasattr(X, "compute"):
        kind = f"a dask {type(X).__name__}"
        remedy = "Pass what its compute() returns; fit_dask learns from it where it is."
    else:
        return
    raise TypeError(
        f"{name} is {kind}; expected a table of numbers in memory, shape (n_samples, "
        f"n_features). {remedy}"
    )


def refuse_masked(values, name):
    """Raise ValueError if an entry of a masked array is masked."""
    mask = np.ma.getmask(values)
    if not np.any(mask):
        return
    first = tuple(int(index) for index in np.argwhere(mask)[0])
    where = f"row {first[0]}" + "".join(f", column {index}" for index in first[1:])
    raise ValueError(
        f"{name} is a masked array with {np.sum(mask)} masked entries, the first at "
        f"{where}; expected a number in each. Fill them, for example with "
        f"{name}.filled(np.nan) and an imputer, or drop their rows."
    )


def _frame_and_names(frame, name):
    """Return a frame that gives columns by name, or a lazy one, and its names."""
    import narwhals

    # One of pandas may have a name twice, which only matters if it is asked for.
    if narwhals.dependencies.is_pandas_dataframe(frame):
        return frame, list(frame.columns)
    wrapped = narwhals.from_native(frame, pass_through=True)
    if isinstance(wrapped, narwhals.LazyFrame):
        return wrapped, wrapped.collect_schema().names()
    if isinstance(wrapped, narwhals.DataFrame):
        return wrapped, wrapped.columns
    remedy = "For arrays use Groups.from_arrays."
    if name != "frame":
        remedy = "Pass arrays as a dict, by the names of the columns."
    raise TypeError(
        f"{name} is {type(frame).__name__}; expected a pandas or polars DataFrame, or an "
        f"Arrow table. {remedy}"
    )


def _with_missing(masked):
    """Return a masked array as a plain one, its masked entries missing."""
    if not np.any(np.ma.getmask(masked)):
        return masked.data
    if masked.dtype.kind == "f":
        return masked.filled(np.nan)
    array = masked.data.astype(object)
    array[np.ma.getmaskarray(masked)] = None
    return array


def _series_as_array(values):
    """Return a column of another library as an array."""
    series = _as_series(values)
    if series is None:
        return values.to_numpy() if hasattr(values, "to_numpy") else np.asarray(values)
    dtype = series.dtype
    if dtype.is_float():
        return series.to_numpy()
    if type(dtype).__name__ not in _NO_TYPE_IN_NUMPY and series.null_count() == 0:
        return series.to_numpy()
    # As an array, integers beside a missing value would be floats, and rounded.
    return np.fromiter(series.to_list(), dtype=object, count=len(series))


def _as_series(values):
    """Return a column of pandas, polars or Arrow as a narwhals Series, or None."""
    if isinstance(values, (np.ndarray, list, tuple)) or values is None:
        return None
    import narwhals

    library = type(values).__module__.split(".")[0]
    if library == "pyarrow" and hasattr(values, "to_pylist"):
        import pyarrow

        if isinstance(values, pyarrow.Array):
            values = pyarrow.chunked_array([values])
    elif library == "pandas" and values.ndim == getattr(values, "nlevels", 1) == 1:
        import pandas

        values = pandas.Series(values)
    series = narwhals.from_native(values, series_only=True, pass_through=True)
    return series if isinstance(series, narwhals.Series) else None


def _raise_no_number(array, field, message):
    if message is not None:
        raise TypeError(message()) from None
    raise TypeError(
        f"{field} has {describe_values(array)}; expected numbers. Convert it first, for "
        f"example with pandas.to_numeric({field})."
    ) from None


def _check_held(array, rows, field):
    """Raise ValueError if float64 does not hold the integer of one of the rows."""
    for row in rows:
        value = int(array[row])
        try:
            held = int(float(value))
        except OverflowError:
            held = None
        if held != value:
            raise ValueError(
                f"{field} is {describe_integer(value)} at row {row}; expected numbers "
                "that float64 holds, integers up to 2**53 for example. Subtract the "
                "smallest from all, scale them down, or pass their ranks."
            )


def _floats_that_differ(array, field):
    """Return numbers of a longer type as float64; refuse new ties and infinities."""
    with np.errstate(over="ignore"):
        floats = array.astype(np.float64)
    given = array[~np.isnan(floats)]
    if len(np.unique(floats[~np.isnan(floats)])) < len(set(given.tolist())):
        raise ValueError(
            f"{field} holds different numbers that are equal in float64; expected "
            "numbers that differ by more than its precision. Subtract the smallest from "
            "all, or pass their ranks."
        )
    return floats
