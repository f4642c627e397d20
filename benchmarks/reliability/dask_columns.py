"""Odd columns of a table on a cluster, beside those of a file."""

import numpy as np
import pandas as pd

from benchmarks.reliability.parquet_cases import PARQUET_COLUMNS


def _text(v):
    return [f"g{x}" for x in v]


def _series(dtype):
    return lambda v: pd.Series(v).astype(dtype)


def _some(value):
    return lambda v: [value, *v[1:]]


DASK_COLUMNS = {
    **PARQUET_COLUMNS,
    "group as uint64 beyond 2**63": (
        "group",
        lambda v: np.array(v, "u8") + np.uint64(2**63),
        True,
    ),
    "group below zero": ("group", lambda v: np.array(v) - 10, True),
    "group as category of text": (
        "group",
        lambda v: pd.Series(_text(v)).astype("category"),
        True,
    ),
    "group as category of integers": ("group", _series("category"), True),
    "group as Int64": ("group", _series("Int64"), True),
    "group as Arrow integers": ("group", _series("int64[pyarrow]"), True),
    "group as Arrow text": (
        "group",
        lambda v: pd.Series(_text(v)).astype("string[pyarrow]"),
        True,
    ),
    "group NA in Int64": (
        "group",
        lambda v: pd.Series([pd.NA, *v[1:]], dtype="Int64"),
        False,
    ),
    "group as bool": ("group", lambda v: np.array(v) > 2, False),
    "group as dates": ("group", lambda v: pd.to_datetime(v, unit="D"), None),
    "group as tuples": ("group", lambda v: [(x,) for x in v], None),
    "group as bytes": ("group", lambda v: [str(x).encode() for x in v], None),
    "group of integers and text": (
        "group",
        lambda v: [x if x else "zero" for x in v],
        None,
    ),
    "group empty text": (
        "group",
        lambda v: ["" if x == 0 else str(x) for x in v],
        True,
    ),
    "group with a space at its end": (
        "group",
        lambda v: ["1 " if x == 0 else str(x) for x in v],
        True,
    ),
    "group with NUL at its end": (
        "group",
        lambda v: ["1\0" if x == 0 else str(x) for x in v],
        True,
    ),
    "group in letters of many scripts": (
        "group",
        lambda v: ["äß中🙂\u202e_"[x] for x in v],
        True,
    ),
    "group of fractions as objects": (
        "group",
        lambda v: pd.Series([x + 0.5 for x in v], dtype=object),
        None,
    ),
    "preference as Int64": ("preference", _series("Int64"), True),
    "preference as Arrow doubles": ("preference", _series("double[pyarrow]"), True),
    "preference as category": ("preference", _series("category"), None),
    "preference as bool": ("preference", lambda v: np.array(v) > 1, None),
    "preference complex": ("preference", lambda v: np.array(v, complex), False),
    "preference -inf": ("preference", _some(-np.inf), False),
    "preference as numbers in objects": (
        "preference",
        lambda v: pd.Series(v, dtype=object),
        True,
    ),
    "a as Float64": ("a", _series("Float64"), True),
    "a NA in Int64": ("a", lambda v: pd.Series([pd.NA, *v[1:]], dtype="Int64"), True),
    "a as Arrow doubles": ("a", _series("double[pyarrow]"), True),
    "a as sparse": ("a", _series(pd.SparseDtype(float, 0.0)), True),
    "a as category": ("a", _series("category"), None),
    "a complex": ("a", lambda v: np.array(v, complex), False),
    "a as durations": ("a", lambda v: pd.to_timedelta(v, unit="s"), False),
    "a all equal": ("a", lambda v: [5.0] * len(v), True),
    "a -inf": ("a", _some(-np.inf), False),
    "a as numbers in objects": ("a", lambda v: pd.Series(v, dtype=object), True),
    "weight as bool": ("weight", lambda v: np.ones(len(v), bool), None),
    "weight missing once": ("weight", _some(None), False),
    "weight inf": ("weight", _some(np.inf), False),
    "weight as text": ("weight", lambda v: [str(x) for x in v], False),
    "weights far apart": ("weight", lambda v: [1e-200, *[1e200] * (len(v) - 1)], False),
    "weights of 1e-300": ("weight", lambda v: [1e-300] * len(v), True),
    "block as text": ("block", _text, True),
    "block as category": ("block", _series("category"), True),
    "block as float": ("block", lambda v: np.array(v, float), True),
    "block missing once": ("block", _some(None), False),
    "block one for all": ("block", lambda v: [7] * len(v), True),
    "block of two in a group": ("block", _some(99), False),
}
"""Odd columns: field, what makes one of plain values, and whether it has a meaning, that
of the plain column, or of a metric as floats. None: it may be refused."""
