"""X that holds no numbers: refused by every method, its argument and value named."""

import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from cases import quick
from scipy.sparse import csr_array
from sklearn.base import clone

from sklearn_pscore import (
    Groups,
    LevelClassifierRanker,
    LinearPreferenceRanker,
    PairAugmenter,
    RankSumRanker,
    SingleMetricRanker,
    TopCountRanker,
)
from sklearn_pscore._target.tables import check_numbers
from sklearn_pscore.inspection import metric_curves

X = np.arange(12.0).reshape(6, 2) % 5
GROUPS = Groups.from_arrays(group=[0, 0, 0, 1, 1, 1], preference=[0, 1, 2, 0, 1, 2])
FRAME = pd.DataFrame(X, columns=["a", "b"])
DAY = np.datetime64("2020-01-01")

# What is passed, the type of the error, and a part of its text.
NO_NUMBERS = {
    "spelt numbers": (X.astype(str), TypeError, "X is '0.0', of type str_, at row 0,"),
    "dates": (X.astype("M8[s]"), TypeError, "of type datetime64, at row 0, column 0;"),
    "records": (
        np.zeros(6, dtype=[("a", float), ("b", float)]),
        TypeError,
        "X is '(0.0, 0.0)', of type void, at row 0; expected numbers.",
    ),
    "void": (
        np.zeros((6, 2), dtype="V4"),
        TypeError,
        "of type void, at row 0, column 0",
    ),
    "one word in a list": (
        [[0.0, 1.0], [2.0, "many"], *X[2:].tolist()],
        TypeError,
        "X is 'many', of type str, at row 1, column 1; expected numbers. The argument",
    ),
    "one dict": (
        [[0.0, {}], *X[1:].tolist()],
        TypeError,
        "X is '{}', of type dict, at row 0, column 1;",
    ),
    "rows as dicts": ([{"a": 1.0}] * 6, TypeError, "of type dict, at row 0; expected"),
    "dict of columns": ({"a": [1.0] * 6}, TypeError, "X is a dict; expected a table"),
    "generator": ((row for row in X), TypeError, "X is a generator; expected a table"),
    "word": ("table", TypeError, "X is a str; expected a table of numbers, shape"),
    "None": (None, TypeError, "X is None; expected a table of numbers, shape"),
    "ragged": ([[0.0], [1.0, 2.0]] * 3, ValueError, "X is a list whose rows have"),
    "complex object": (
        np.array([[1j, 1.0]] * 6, dtype=object),
        TypeError,
        "X is '1j', of type complex, at row 0, column 0; expected numbers.",
    ),
    "span of time": (
        np.array([[np.timedelta64(1, "s"), 1.0]] * 6, dtype=object),
        TypeError,
        "of type timedelta64, at row 0, column 0; expected numbers.",
    ),
    "too large": (
        [[0.0, 10**5000], *X[1:].tolist()],
        ValueError,
        "X is int too large for float64 at row 0, column 1; expected numbers up to",
    ),
    "fraction too large": (
        pd.DataFrame({"a": [0, Fraction(10**400)], "b": [0, 1]}),
        ValueError,
        "X is Fraction too large for float64 at row 1, column 'a'; expected numbers",
    ),
    "lazy": (
        pl.LazyFrame({"a": X[:, 0]}),
        TypeError,
        "X is a LazyFrame; expected a table of numbers in memory, shape",
    ),
    "Arrow, no table": (
        pa.RecordBatch.from_pydict({"a": X[:, 0]}),
        TypeError,
        "X is a RecordBatch; expected an array, a pandas or polars DataFrame or an",
    ),
    "Arrow, dates": (
        pa.table({"a": X[:, 0], "b": np.full(6, DAY)}),
        TypeError,
        "at row 0, column 'b'; expected numbers.",
    ),
}
AT_EVERY_DOOR = [
    "spelt numbers",
    "dates",
    "one dict",
    "too large",
]
RANKERS = [
    quick(max_epochs=1, n_members=1),
    LevelClassifierRanker(random_state=0),
    LinearPreferenceRanker(),
    SingleMetricRanker(),
    RankSumRanker(directions="larger"),
    TopCountRanker(directions="larger"),
]


@pytest.mark.parametrize(
    ("table", "error", "part"), NO_NUMBERS.values(), ids=NO_NUMBERS
)
def test_what_is_no_number_is_named(table, error, part):
    with pytest.raises(error, match=re.escape(part)):
        check_numbers(table)


@pytest.mark.parametrize("ranker", RANKERS, ids=lambda ranker: type(ranker).__name__)
@pytest.mark.parametrize("method", ["fit", "predict", "rank", "score"])
@pytest.mark.parametrize("kind", AT_EVERY_DOOR)
def test_every_method_of_a_ranker_refuses_it(ranker, method, kind):
    table, error, part = NO_NUMBERS[kind]
    ranker.fit(X, GROUPS)
    expected = ranker.predict(X)
    arguments = (table,) if method == "predict" else (table, GROUPS)
    with pytest.raises(error, match=re.escape(part)):
        getattr(ranker, method)(*arguments)
    np.testing.assert_array_equal(ranker.predict(X), expected)


@pytest.mark.parametrize("method", ["fit", "fit_transform", "augment"])
@pytest.mark.parametrize("kind", AT_EVERY_DOOR)
def test_the_augmenter_refuses_it(method, kind):
    table, error, part = NO_NUMBERS[kind]
    augmenter = PairAugmenter(stitch_sizes=(2,))
    with pytest.raises(error, match=re.escape(part)):
        getattr(augmenter, method)(table, GROUPS)


@pytest.mark.parametrize(
    "table",
    [
        X.astype(object),
        X.astype(int).tolist(),
        X > 2,
        [[Decimal("0.5"), True], [np.int8(1), np.True_]],
        [[2**70, Fraction(1, 3)], [np.float16(1), -(10**300)]],
        FRAME.astype("Float64"),
        FRAME.astype(object),
        FRAME.astype("category"),
        FRAME > 2,
        pd.DataFrame(X, columns=["a", "a"]),
        pl.DataFrame(X, schema=["a", "b"]),
        pa.table({"a": X[:, 0]}),
        csr_array(X),
        X + 1j,
        np.full((2, 2), np.nan),
    ],
    ids=lambda table: type(table).__name__,
)
def test_numbers_of_every_kind_pass(table):
    assert check_numbers(table) is None


def test_an_arrow_table_is_transformed_as_an_array():
    table = pa.table({"a": X[:, 0], "b": X[:, 1]})
    transformed = PairAugmenter().fit(table, GROUPS).transform(table)
    assert isinstance(transformed, np.ndarray)
    np.testing.assert_array_equal(transformed, X)


@pytest.mark.parametrize("ranker", [LinearPreferenceRanker(), SingleMetricRanker("a")])
def test_a_whole_table_in_predict_is_told_its_further_columns(ranker):
    X = pd.DataFrame({"a": [1.0, 2.0], "b": [0.0, 3.0]})
    ranker = clone(ranker).fit(X, Groups.from_arrays(group=[0, 0], preference=[0, 1]))
    table = X.assign(prompt=["x", "y"])
    with pytest.raises(ValueError, match="unseen at fit time:\n- prompt"):
        ranker.predict(table)
    with pytest.raises(TypeError, match="must be free of strings"):
        ranker.predict(X.assign(b=["x", "y"]))
    with pytest.raises(TypeError, match="must be free of strings"):
        clone(ranker).fit(table, [0, 1])


def test_two_columns_of_one_name_are_refused():
    table = FRAME[["a", "b", "a"]]
    part = "X has 2 columns of the name 'a', at [0, 2]; expected a name for each."
    with pytest.raises(ValueError, match=re.escape(part)):
        LinearPreferenceRanker().fit(table, GROUPS)
    ranker = LinearPreferenceRanker().fit(table.to_numpy(), GROUPS)
    for method in (ranker.predict, lambda table: metric_curves(ranker, table, GROUPS)):
        with pytest.raises(ValueError, match=re.escape(part)):
            method(table)
