"""Odd forms of one column: dtypes, containers, values and lengths.

A form is made of plain values, a list of small whole numbers or of strings, and says
what it means: a list of plain values again, or None if no reading of it is right.
"""

import array
import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import torch
from scipy.sparse import csr_array

from benchmarks.reliability.layouts import (
    in_field_of_records,
    memory_map,
    read_only,
    unaligned,
)


@dataclass(frozen=True)
class Form:
    """One way to pass a column.

    Attributes
    ----------
    name, kind : str
    make : callable
        Returns the column from a list of plain values.
    meaning : callable or None
        Returns the values that it stands for, from the same list; None: no values.
    must_handle : bool
        Whether it must be taken where its values are right.
    """

    name: str
    kind: str
    make: Callable
    meaning: Callable | None = list
    must_handle: bool = False


def _replaced(value, rows=(1,)):
    """Return a function that puts a value into some rows of a list."""

    def replaced(values):
        return [value if row in rows else kept for row, kept in enumerate(values)]

    return replaced


def _shuffled_series(values):
    return pd.Series(values, index=np.arange(len(values))[::-1] * 3)


def _masked(values, masked_rows=()):
    mask = np.isin(np.arange(len(values)), masked_rows)
    return np.ma.MaskedArray(np.array(values), mask=mask)


_AS_THEY_ARE = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "pandas Series with a shuffled index": _shuffled_series,
    "pandas Index": pd.Index,
    "polars Series": lambda values: pl.Series("x", values),
    "Arrow array": pa.array,
    "Arrow chunked array": lambda values: pa.chunked_array([values[:2], values[2:]]),
    "masked array, nothing masked": _masked,
    "memory map": memory_map,
    "read-only array": read_only,
    "reversed view": lambda values: np.array(values[::-1])[::-1],
    "strided view": lambda values: np.repeat(np.array(values), 2)[::2],
    "unaligned array": unaligned,
    "field of packed records": in_field_of_records,
    "object array": lambda values: np.array(values, dtype=object),
    "list of NumPy scalars": lambda values: list(np.array(values)),
}
_MAYBE = {
    "(n, 1) array": lambda values: np.array(values)[:, None],
    "DataFrame of one column": lambda values: pd.DataFrame({"x": values}),
    "pandas categorical": lambda values: pd.Series(values).astype("category"),
    "dict of row to value": lambda values: dict(enumerate(values)),
    "generator": lambda values: (value for value in values),
    "list of one-element lists": lambda values: [[value] for value in values],
}
_NO_COLUMN = {
    "0-d array": lambda values: np.array(values[0]) if values else np.array(1),
    "(1, n) array": lambda values: np.array(values)[None],
    "(n, 2) array": lambda values: np.array([values, values]).T,
    "3-d array": lambda values: np.array(values).reshape(-1, 1, 1),
    "a number": lambda values: 3,
    "a string": lambda values: "preference",
    "an object": lambda values: object(),
    "set": set,
    "ragged list": lambda values: [
        [value] * (row % 2 + 1) for row, value in enumerate(values)
    ],
    "list of dicts": lambda values: [{"x": value} for value in values],
    "sparse column": lambda values: csr_array(np.ones((len(values), 1))),
    "complex dtype": lambda values: np.ones(len(values), dtype=complex),
    "datetime64 dtype": lambda values: np.arange(len(values)).astype("M8[s]"),
    "timedelta64 dtype": lambda values: np.arange(len(values)).astype("m8[s]"),
    "void dtype": lambda values: np.zeros(len(values), dtype="V4"),
    "list of dates": lambda values: [datetime.date(2020, 1, 1)] * len(values),
}
_LENGTHS = {
    "one row less": lambda values: values[:-1],
    "one row more": lambda values: [*values, values[0]],
    "no rows": lambda values: [],
    "one row": lambda values: values[:1],
}
_DTYPES = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "g")


def _common_forms():
    for name, make in _AS_THEY_ARE.items():
        yield Form(name, "container", make, must_handle=name != "object array")
    for name, make in _MAYBE.items():
        yield Form(name, "container", make)
    for name, make in _NO_COLUMN.items():
        kind = "dtype" if "dtype" in name else "container"
        yield Form(name, kind, make, None)
    for name, make in _LENGTHS.items():
        yield Form(name, "length", make, None)
        yield Form(
            f"{name}, array", "length", lambda v, make=make: np.array(make(v)), None
        )


def _number_forms():
    for dtype in _DTYPES:
        for order in ("<", ">"):
            full = np.dtype(dtype).newbyteorder(order)
            yield Form(
                f"dtype {full.str}",
                "dtype",
                lambda v, d=full: np.array(v).astype(d),
                must_handle=dtype != "g",
            )
    nullable = (
        "Int64",
        "UInt8",
        "Float64",
        "Float32",
        "int64[pyarrow]",
        "double[pyarrow]",
    )
    for dtype in nullable:
        yield Form(
            f"pandas {dtype}",
            "dtype",
            lambda v, d=dtype: pd.Series(v).astype(d),
            must_handle=True,
        )
        if dtype != "UInt8":
            with_missing = _replaced(None)
            yield Form(
                f"pandas {dtype} with NA",
                "value",
                lambda v, d=dtype: pd.Series(_replaced(None)(v), dtype=object).astype(
                    d
                ),
                lambda v, f=with_missing: [np.nan if x is None else x for x in f(v)],
            )
    for dtype in (pl.Int8, pl.UInt64, pl.Float32, pl.Float64):
        yield Form(
            f"polars {dtype}",
            "dtype",
            lambda v, d=dtype: pl.Series("x", list(map(int, v))).cast(d),
            must_handle=True,
        )
    yield Form(
        "polars with null",
        "value",
        lambda v: pl.Series("x", _replaced(None)(v)),
        _replaced(np.nan),
    )
    yield Form(
        "Arrow with null",
        "value",
        lambda v: pa.array(_replaced(None)(v)),
        _replaced(np.nan),
    )
    yield Form(
        "one entry masked", "value", lambda v: _masked(v, [1]), _replaced(np.nan)
    )
    yield Form(
        "bool dtype",
        "dtype",
        lambda v: np.array(v) > 1,
        lambda v: [int(x > 1) for x in v],
    )
    for number in (Decimal, Fraction):
        yield Form(
            f"{number.__name__} objects",
            "dtype",
            lambda v, n=number: [n(int(x)) for x in v],
        )
    yield Form("torch tensor", "container", torch.tensor)
    yield Form("array.array", "container", lambda v: array.array("d", v))
    yield Form("one string among numbers", "value", _replaced("many"), None)
    yield Form("one spelt number", "value", _replaced("2"), None)
    yield Form("one complex number", "value", _replaced(1j), None)
    yield Form("one None", "value", _replaced(None), _replaced(np.nan))
    yield Form("one list", "value", _replaced([1]), None)
    yield Form("10**400", "value", _replaced(10**400), _replaced(10**400))
    values = {
        "NaN": np.nan,
        "inf": np.inf,
        "-inf": -np.inf,
        "-0.0": -0.0,
        "denormal": 5e-324,
        "1e307": 1e307,
        "-1e307": -1e307,
        "negative": -2.5,
    }
    for name, value in values.items():
        floats = lambda v, x=value: np.array(_replaced(x)(v), dtype=float)  # noqa: E731
        yield Form(name, "value", floats, _replaced(value), must_handle=True)
        yield Form(f"{name} in a list", "value", _replaced(value), _replaced(value))
    for power, dtype in ((53, np.int64), (63, np.uint64), (53, object), (64, object)):
        # Those of 64 bits are all too large for int64.
        lowest = 2**power + (2 if dtype is np.uint64 else -1)
        big = [lowest, lowest + 1, lowest + 2]
        fill = lambda v, b=big: [b[row % 3] for row in range(len(v))]  # noqa: E731
        yield Form(
            f"integers near 2**{power}, {np.dtype(dtype)}",
            "value",
            lambda v, f=fill, d=dtype: np.array(f(v), dtype=d),
            fill,
        )
        yield Form(f"list of integers near 2**{power}", "value", fill, fill)


def _text_forms():
    """Yield numbers as text, which are labels, but no numbers."""
    texts = {"str": str, "bytes": lambda x: str(x).encode()}
    for name, text in texts.items():
        yield Form(
            f"numbers as {name}", "dtype", lambda v, t=text: [t(x) for x in v], None
        )
        yield Form(
            f"numbers as {name} array",
            "dtype",
            lambda v, t=text: np.array([t(x) for x in v]),
            None,
        )


def _string_forms():
    def named(names):
        return lambda v: [names[int(x) % len(names)] for x in v]

    texts = {
        "words": ("a", "b", "c"),
        "emoji": ("\U0001f600", "\U0001f601", "e\u0301"),
        "an empty string": ("", "a", "b"),
        "blanks": (" ", "  ", "a"),
        "text that spells numbers": ("1", "01", "1.0"),
        "long text": ("x" * 500 + "a", "x" * 500 + "b", "x"),
    }
    for name, names in texts.items():
        make = named(names)
        yield Form(name, "value", make, make, must_handle=True)
        yield Form(
            f"{name}, array",
            "value",
            lambda v, m=make: np.array(m(v)),
            make,
            must_handle=True,
        )
        for dtype in (object, "string", "category", "string[pyarrow]"):
            yield Form(
                f"{name}, pandas {np.dtype(dtype) if dtype is object else dtype}",
                "dtype",
                lambda v, m=make, d=dtype: pd.Series(m(v), dtype=d),
                make,
                must_handle=True,
            )
        yield Form(
            f"{name}, polars",
            "dtype",
            lambda v, m=make: pl.Series("x", m(v)),
            make,
            must_handle=True,
        )
    nul = named(("a", "a\0", "a\0\0"))
    yield Form("labels that end in NUL", "value", nul, nul)
    yield Form(
        "labels that end in NUL, objects",
        "value",
        lambda v: np.array(nul(v), dtype=object),
        nul,
    )
    words = named(("a", "b", "c"))
    yield Form("words with None", "value", lambda v: _replaced(None)(words(v)), None)
    yield Form("words with NaN", "value", lambda v: _replaced(np.nan)(words(v)), None)
    yield Form("words with a number", "value", lambda v: _replaced(1)(words(v)), None)
    yield Form("bytes", "dtype", lambda v: np.array(words(v)).astype("S"), None)
    yield Form("fractions", "value", lambda v: [x + 0.5 for x in v], None)


COMMON_FORMS = tuple(_common_forms())
_SHARED_FORMS = COMMON_FORMS + tuple(_number_forms())
NUMBER_FORMS = _SHARED_FORMS + tuple(_text_forms())
LABEL_FORMS = _SHARED_FORMS + tuple(_string_forms())
