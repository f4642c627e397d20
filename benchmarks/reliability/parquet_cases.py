"""Odd inputs of fits from files: columns of odd types, and odd arguments."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone

from benchmarks.reliability import matrices
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.parameter_cases import shown_of
from benchmarks.reliability.ranker_cases import RANKERS, RTOL, plain_table
from benchmarks.reliability.structures import counts_in, plain_target

PARQUET_COLUMNS = {
    "group as text": ("group", lambda v: [f"g{x}" for x in v], True),
    "group as int8": ("group", lambda v: np.array(v, "i1"), True),
    "group as float": ("group", lambda v: np.array(v, float), True),
    "group as fractions": ("group", lambda v: np.array(v) + 0.5, False),
    "group missing once": ("group", lambda v: [None, *v[1:]], False),
    "group in two places": ("group", lambda v: [v[-1], *v[1:]], False),
    "preference as float32": ("preference", lambda v: np.array(v, "f4"), True),
    "preference as int8": ("preference", lambda v: np.array(v, "i1"), True),
    "preference as text": ("preference", lambda v: [str(x) for x in v], False),
    "preference missing once": ("preference", lambda v: [None, *v[1:]], False),
    "preference inf": ("preference", lambda v: [np.inf, *v[1:]], False),
    "preference all equal": ("preference", lambda v: [1.0] * len(v), False),
    "preference dates": ("preference", lambda v: pd.to_datetime(v), False),
    "a as int8": ("a", lambda v: np.array(v, "i1"), True),
    "a as float32": ("a", lambda v: np.array(v, "f4"), True),
    "a as text": ("a", lambda v: [str(x) for x in v], False),
    "a NaN": ("a", lambda v: [np.nan, *v[1:]], True),
    "a inf": ("a", lambda v: [np.inf, *v[1:]], False),
    "a 1e300": ("a", lambda v: [1e300, *v[1:]], False),
    "a missing": ("a", lambda v: [None, *v[1:]], True),
    "a all missing": ("a", lambda v: [np.nan] * len(v), True),
    "a dates": ("a", lambda v: pd.to_datetime(v), False),
    "a lists": ("a", lambda v: [[x] for x in v], False),
    "a bool": ("a", lambda v: np.array(v) > 3, None),
    "weight negative": ("weight", lambda v: [-1.0, *v[1:]], False),
    "weight NaN": ("weight", lambda v: [np.nan, *v[1:]], False),
    "weight as int": ("weight", lambda v: np.array(v, int), True),
    "weight all zero": ("weight", lambda v: [0.0] * len(v), False),
}
FEATURES = [
    [],
    "a",
    ["nobody"],
    ["a", "a"],
    ["a", "preference"],
    3,
    {"a"},
    {"a": 1},
    [1],
    ["a", None],
    b"a",
    ["group"],
]
_PARQUET_ARGUMENTS = {
    "group": [None, "nobody", 3, ["group"], b"group", ""],
    "preference": [None, "nobody", 3, "a", ["preference"]],
    "weight": ["nobody", 3, ["weight"], "nothing"],
    "item": ["nobody", 3.5, object()],
    "donor": ["nobody", True],
    "features": FEATURES,
    "rows_at_a_time": [0, -1, None, 2.5, "all", True, np.nan],
    "path": [None, 3, "nowhere.parquet", [], b"x", {}, [3], object(), ["nowhere"]],
}


ARROW_TYPES = ("timestamp[ns]", "timestamp[us]", "string", "large_string")


def parquet_case(rng):
    """Draw a fit from a file: an odd column, or an odd argument."""
    target = plain_target(rng)
    order = np.argsort(target["group"], kind="stable")
    columns = {
        **dict(zip(matrices.NAMES, plain_table().T, strict=True)),
        **{field: [target[field][row] for row in order] for field in target},
        "weight": [2.0] * len(order),
    }
    arguments = {
        "group": "group",
        "preference": "preference",
        "weight": "weight",
        "features": matrices.NAMES,
    }
    if rng.random() < 0.5:
        argument = str(rng.choice(list(_PARQUET_ARGUMENTS)))
        values = _PARQUET_ARGUMENTS[argument]
        value = values[rng.integers(len(values))]
        odd, names, kind = None, (argument,), "argument"
        what, passed = f"{argument}={value!r:.60}", value
    else:
        what, kind = str(rng.choice(list(PARQUET_COLUMNS))), "column"
        field, make, has_meaning = PARQUET_COLUMNS[what]
        odd = {**columns, field: make(list(columns[field]))}
        argument, names, passed = None, (field, "features", "pairs", "X"), odd[field]

    def fit(table, **odd_arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "table.parquet"
            pd.DataFrame(table).to_parquet(path)
            chosen = {"path": os.fspath(path), **arguments, **odd_arguments}
            ranker = clone(RANKERS["PairwisePreferenceRanker"])
            ranker.fit_parquet(chosen.pop("path"), **chosen)
        return ranker.predict(
            pd.DataFrame(plain_table(5, seed=2), columns=matrices.NAMES)
        )

    def right():
        if argument is not None or has_meaning is False:
            raise Meaningless(what)
        plain = {**columns, "a": np.array(odd["a"], float)} if field == "a" else columns
        return fit(plain)

    def call():
        return fit(odd) if argument is None else fit(columns, **{argument: value})

    texts = (*counts_in(target), *shown_of(passed), *ARROW_TYPES, "one preference")
    return Case(
        "PairwisePreferenceRanker.fit_parquet",
        kind,
        what,
        call,
        right,
        names,
        (passed,),
        shown=texts,
        rtol=RTOL,
    )


CASES = (parquet_case,)
