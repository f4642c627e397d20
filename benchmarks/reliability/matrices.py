"""Odd forms of X: dtypes, containers, values and shapes of a table.

A form is made of a plain float64 array of small whole numbers, and says what it means:
a plain array again, or None if no reading of it is right.
"""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import torch
from scipy.sparse import coo_array, csc_array, csr_array, csr_matrix

from benchmarks.reliability.forms import Form
from benchmarks.reliability.layouts import (
    in_field_of_records,
    memory_map,
    read_only,
    unaligned,
)

NAMES = ["a", "b", "c"]


def _frame(X):
    return pd.DataFrame(X, columns=NAMES[: X.shape[1]])


def _with_wide_indices(X):
    X = csr_array(X)
    X.indices, X.indptr = X.indices.astype("i8"), X.indptr.astype("i8")
    return X


def _in_halves(X):
    X = csr_array(X)
    halves = np.repeat(X.data, 2) / 2, np.repeat(X.indices, 2), 2 * X.indptr
    return csr_array(halves, shape=X.shape)


def _matrix(X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.matrix(X)


_CONTAINERS = {
    "list of lists": lambda X: X.tolist(),
    "tuple of tuples": lambda X: tuple(map(tuple, X.tolist())),
    "list of arrays": list,
    "DataFrame": _frame,
    "DataFrame with a shuffled index": lambda X: _frame(X).set_index(
        np.arange(len(X))[::-1] * 7
    ),
    "DataFrame with columns in blocks": lambda X: _frame(X).assign(
        a=X[:, 0].astype(np.int64), b=X[:, 1].astype(np.float32)
    ),
    "pandas Float64": lambda X: _frame(X).astype("Float64"),
    "pandas Int64": lambda X: _frame(X).astype("Int64"),
    "pandas double[pyarrow]": lambda X: _frame(X).astype("double[pyarrow]"),
    "reversed DataFrame": lambda X: _frame(X[::-1]).iloc[::-1],
    "polars DataFrame": lambda X: pl.DataFrame(X, schema=NAMES[: X.shape[1]]),
    "masked array, nothing masked": np.ma.MaskedArray,
    "memory map": memory_map,
    "read-only array": read_only,
    "Fortran order": np.asfortranarray,
    "reversed rows": lambda X: X[::-1].copy()[::-1],
    "reversed columns": lambda X: X[:, ::-1].copy()[:, ::-1],
    "both reversed": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "every second row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "every second column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "unaligned array": unaligned,
    "field of packed records": in_field_of_records,
    "big-endian": lambda X: X.astype(">f8"),
}
_MAYBE = {
    "sparse array": csr_array,
    "sparse matrix": csr_matrix,
    "sparse, by column": csc_array,
    "sparse, as coordinates": coo_array,
    "sparse, indices of 64 bits": _with_wide_indices,
    "sparse, each value in two halves": _in_halves,
    "DataFrame of sparse columns": lambda X: _frame(X).astype(
        pd.SparseDtype(float, 0.0)
    ),
    "object array": lambda X: X.astype(object),
    "Arrow table": lambda X: pa.table(dict(zip(NAMES, X.T, strict=False))),
    "torch tensor": torch.tensor,
    "reversed tensor": lambda X: torch.tensor(X[::-1].copy()).flip(0),
    "DataFrame of categories": lambda X: _frame(X).astype("category"),
    "longdouble": lambda X: X.astype(np.longdouble),
    "subclass": lambda X: X.view(type("Mine", (np.ndarray,), {})),
}
_NO_TABLE = {
    "one column, flat": lambda X: X[:, 0],
    "0-d array": lambda X: np.array(1.0),
    "3-d array": lambda X: X[None],
    "a number": lambda X: 1.5,
    "a string": lambda X: "X",
    "None": lambda X: None,
    "an object": lambda X: object(),
    "generator": lambda X: (row for row in X.tolist()),
    "set": lambda X: {1.0, 2.0},
    "dict of columns": lambda X: {"a": X[:, 0].tolist()},
    "list of dicts": lambda X: [{"a": 1.0}] * len(X),
    "ragged list": lambda X: [[1.0] * (1 + row % 2) for row in range(len(X))],
    "structured array": lambda X: np.zeros(len(X), dtype=[("a", float), ("b", float)]),
    "np.matrix": _matrix,
    "one entry masked": lambda X: np.ma.MaskedArray(X, mask=X[0, 0] == X),
    "pandas Series": lambda X: pd.Series(X[:, 0]),
}
_NO_DTYPE = {
    "complex dtype": lambda X: X.astype(complex),
    "datetime64 dtype": lambda X: X.astype("M8[s]"),
    "timedelta64 dtype": lambda X: X.astype("m8[s]"),
    "DataFrame of dates": lambda X: _frame(X).astype("M8[ns]"),
    "DataFrame with a column of dates": lambda X: _frame(X).assign(
        a=pd.to_datetime(X[:, 0])
    ),
    "numbers as str": lambda X: X.astype(str),
    "numbers as str objects": lambda X: X.astype(str).astype(object),
    "numbers as str, DataFrame": lambda X: _frame(X).astype(str),
    "numbers as bytes": lambda X: X.astype("S8"),
    "words": lambda X: np.full(X.shape, "many"),
    "one word among numbers": lambda X: [["many", *row[1:]] for row in X.tolist()],
    "one dict": lambda X: [[{}, *row[1:]] for row in X.tolist()],
    "void dtype": lambda X: np.zeros(X.shape, dtype="V4"),
}
_SHAPES = {
    "one row less": lambda X: X[:-1],
    "one row more": lambda X: np.vstack([X, X[:1]]),
    "no rows": lambda X: X[:0],
    "no columns": lambda X: X[:, :0],
    "no rows, list": lambda X: [],
    "transposed": lambda X: np.vstack([X, X[:1]]).T,
}
_VALUES = {"inf": np.inf, "-inf": -np.inf}
_FINITE = {
    "-0.0": -0.0,
    "denormal": 5e-324,
    "1e-310": 1e-310,
    "1e37": 1e37,
    "1e307": 1e307,
    "-1e307": -1e307,
}


def _first_is(value):
    """Return a function that sets the first value of the table."""

    def changed(X):
        X = X.copy()
        X[0, 0] = value
        return X

    return changed


def _without_first(X):
    """Return the table without the values that are as the first."""
    return np.where(X[0, 0] == X, np.nan, X)


_MISSING = {
    "NaN": _without_first,
    "NaN, list": lambda X: _without_first(X).tolist(),
    "NaN, reversed": lambda X: _without_first(X)[::-1].copy()[::-1],
    "NaN, DataFrame": lambda X: _frame(_without_first(X)),
    "None": lambda X: [
        [None if x == X[0, 0] else x for x in row] for row in X.tolist()
    ],
    "None, DataFrame": lambda X: _frame(X).astype(object).mask(X[0, 0] == X, None),
    "pandas Float64 with NA": lambda X: _frame(X).astype("Float64").mask(X[0, 0] == X),
    "pandas Int64 with NA": lambda X: _frame(X).astype("Int64").mask(X[0, 0] == X),
    "polars with null": lambda X: pl.DataFrame(
        _MISSING["None"](X), schema=NAMES[: X.shape[1]], orient="row"
    ),
}
_MAYBE_MISSING = {
    "Arrow with null": lambda X: _MISSING["polars with null"](X).to_arrow(),
    "sparse, NaN": lambda X: csr_array(_without_first(X)),
    "pandas objects with NA": lambda X: (
        _frame(X).astype(object).mask(X[0, 0] == X, pd.NA)
    ),
}


def _forms():
    same = np.asarray
    for name, make in _CONTAINERS.items():
        yield Form(name, "container", make, same, must_handle=True)
    for name, make in _MAYBE.items():
        yield Form(name, "container", make, same)
    for name, make in _NO_TABLE.items():
        yield Form(name, "container", make, None)
    for name, make in _NO_DTYPE.items():
        yield Form(name, "dtype", make, None)
    for name, make in _SHAPES.items():
        yield Form(name, "length", make, None)
    for name, value in _VALUES.items():
        changed = _first_is(value)
        yield Form(name, "value", changed, None)
        as_list = lambda X, f=changed: f(X).tolist()  # noqa: E731
        yield Form(f"{name}, list", "value", as_list, None)
    for name, make in _MISSING.items():
        yield Form(name, "missing", make, _without_first, must_handle=True)
    for name, make in _MAYBE_MISSING.items():
        yield Form(name, "missing", make, _without_first)
    nothing = lambda X: np.where(np.arange(X.shape[1]) == 1, np.nan, X)  # noqa: E731
    yield Form("one column NaN", "missing", nothing, nothing, must_handle=True)
    yield Form("all NaN", "missing", lambda X: X * np.nan, lambda X: X * np.nan)
    for name, value in _FINITE.items():
        changed = _first_is(value)
        yield Form(name, "value", changed, changed)
    yield Form(
        "constant column", "value", lambda X: X * [1, 0, 1], lambda X: X * [1, 0, 1]
    )
    for dtype in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"):
        yield Form(
            f"dtype {dtype}",
            "dtype",
            lambda X, d=dtype: X.astype(d),
            same,
            must_handle=True,
        )
    yield Form("bool dtype", "dtype", lambda X: X > 3, lambda X: (X > 3).astype(float))


FORMS = tuple(_forms())
