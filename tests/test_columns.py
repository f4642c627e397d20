"""Columns of every library: the same values, or an error that says why not."""

import re
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal

from sklearn_pscore import (
    Groups,
    LevelClassifierRanker,
    PairAugmenter,
    PairwisePreferenceRanker,
    RankSumRanker,
    TopCountRanker,
)
from sklearn_pscore._target.check import check_groups
from sklearn_pscore.metrics import pairwise_accuracy_score, rank_items
from sklearn_pscore.model_selection import PreferenceGroupKFold
from tests.cases import quick

ROUNDED = 2**53 + 1
INTEGERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
FLOATS = ["f2", "f4", "f8", np.longdouble]
FIELDS = ["preference", "item", "clip", "weight", "donor"]


def stored(field, values):
    """Return what Groups stores of a column."""
    n_rows = len(values)
    given = {"group": np.zeros(n_rows, int)} | {field: values}
    return Groups.from_arrays(**given)[field].tolist()


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, "?"])
@pytest.mark.parametrize("field", ["group", *FIELDS])
def test_every_number_type_is_taken(field, dtype):
    if field == "clip" and dtype == "?":
        with pytest.raises(TypeError, match="clip has dtype bool; expected integers"):
            stored(field, np.array([0, 1], dtype))
        return
    assert stored(field, np.array([0, 1], dtype)) == [0, 1]
    assert stored(field, list(np.array([0, 1], dtype))) == [0, 1]


@pytest.mark.parametrize(
    "column",
    [
        [ROUNDED, 1],
        (ROUNDED, None),
        np.array([ROUNDED, 1]),
        np.array([ROUNDED, 1], "u8"),
        [np.uint64(ROUNDED), np.int64(-1)],
        [ROUNDED, 0.5],
        pd.Series([ROUNDED, 1]),
        pd.Series([ROUNDED, None], dtype="Int64"),
        pd.Series([ROUNDED, None], dtype="int64[pyarrow]"),
        pd.array([ROUNDED, None], dtype="Int64"),
        pd.Index([ROUNDED, 1]),
        pl.Series([ROUNDED, None]),
        pa.array([ROUNDED, None]),
        pa.chunked_array([[ROUNDED], [None]]),
        np.ma.array([ROUNDED, 1], mask=[False, True]),
    ],
)
def test_preferences_that_float64_would_round_are_refused(column):
    message = "preference is 9007199254740993 at row 0; expected numbers that float64"
    with pytest.raises(ValueError, match=message):
        stored("preference", column)


def test_large_preferences_that_float64_holds_are_taken():
    exact = [2**53, 2**53 - 1, -(2**60), 3 * 2**70]
    assert stored("preference", exact) == exact
    assert stored("preference", np.array(exact[:3])) == exact[:3]


@pytest.mark.parametrize(
    "column",
    [
        np.array([1, 1 + np.finfo(np.longdouble).eps], np.longdouble),
        [Decimal("0.1"), Decimal("0.10000000000000000001")],
    ],
)
def test_numbers_that_float64_makes_equal_are_refused(column):
    message = "holds different numbers that are equal in float64"
    with pytest.raises(ValueError, match="preference " + message):
        stored("preference", column)
    with pytest.raises(ValueError, match="y_score " + message):
        pairwise_accuracy_score([1.0, 2.0], column)
    assert stored("preference", [Decimal("0.1"), Decimal("0.2")]) == [0.1, 0.2]


@pytest.mark.parametrize(
    ("plain", "y_score", "name"),
    [
        ([ROUNDED - 1, ROUNDED], [0, 1], "groups"),
        ([2**63, -1, 2**63 + 1], [0, 1, 2], "groups"),
        (np.array([1, ROUNDED]), [0, 1], "groups"),
        ([0, 1], [ROUNDED - 1, ROUNDED], "y_score"),
        ([0, 1], np.array([1, ROUNDED]), "y_score"),
    ],
)
def test_plain_targets_and_scores_are_not_rounded(plain, y_score, name):
    with pytest.raises(ValueError, match=rf"{name} is \d+ at row \d; expected numbers"):
        pairwise_accuracy_score(plain, y_score)


@pytest.mark.parametrize("field", ["group", "item", "clip"])
@pytest.mark.parametrize(
    ("dtype", "n_bits"), [("f2", 11), ("f4", 24), ("f8", 53), (np.longdouble, None)]
)
def test_floats_as_labels_end_where_integers_merge(field, dtype, n_bits):
    n_bits = n_bits or min(np.finfo(dtype).nmant + 1, 63)
    good = np.array([2**n_bits, 1], dtype) - 1
    assert stored(field, good) == [2**n_bits - 1, 0]
    message = "expected integers of 64 bits" if n_bits == 63 else rf"2\*\*{n_bits}"
    with pytest.raises(ValueError, match=rf"{field} is .* at row 0; .*{message}"):
        stored(field, good + 1)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([np.uint64(ROUNDED), np.int64(-1)], [ROUNDED, -1]),
        ([ROUNDED - 1, ROUNDED], [ROUNDED - 1, ROUNDED]),
        (np.array([2**63 - 1], "u8"), [2**63 - 1]),
        (np.array([np.uint64(2**62 + 1), True], object), [2**62 + 1, 1]),
        # Int128 came with later polars.
        (pl.Series([1, 2], dtype=getattr(pl, "Int128", pl.Int64)), [1, 2]),
    ],
)
def test_integer_labels_stay_exact(labels, expected):
    assert stored("group", labels) == expected


@pytest.mark.parametrize("labels", [[2**63, -1], [2**63, 1], [1, 2**64]])
def test_labels_beyond_64_bits_are_refused(labels):
    with pytest.raises(ValueError, match=r"group is \d+ at row \d; expected integers"):
        stored("group", labels)


HUGE = "is an integer of 1329 bits at row 0; expected "


@pytest.mark.parametrize("values", [[10**400, 1], np.array([10**400, 1], object)])
@pytest.mark.parametrize("field", ["group", *FIELDS, "winner", "y", "y_score"])
def test_huge_integers_are_refused_by_name(field, values):
    call = {
        "winner": lambda: Groups.from_winners(group=[0, 0], winner=values),
        "y": lambda: check_groups(values, name="y"),
        "y_score": lambda: pairwise_accuracy_score([1.0, 2.0], values),
    }.get(field, lambda: stored(field, values))
    with pytest.raises(ValueError, match=f"{field} {HUGE}"):
        call()


def test_numbers_beyond_float64_are_refused():
    with pytest.raises(ValueError, match="preference is inf at row 0"):
        stored("preference", [Decimal("1e400"), Decimal(1)])


@pytest.mark.parametrize("field", ["group", *FIELDS, "winner"])
@pytest.mark.parametrize(
    "values",
    [
        (i for i in range(2)),
        {0, 1},
        {"a": 1},
        pl.LazyFrame({"a": [0, 1]}),
        map(int, []),
    ],
    ids=lambda values: type(values).__name__,
)
def test_what_has_no_rows_is_named(field, values):
    fields = {"group": [0, 0]} | {field: values}
    build = Groups.from_winners if field == "winner" else Groups.from_arrays
    message = f"{field} is a {type(values).__name__}; expected one value per row of X"
    with pytest.raises(TypeError, match=message):
        build(**fields)


def test_from_winners_names_what_is_none():
    with pytest.raises(TypeError, match="group is None; expected one label per row"):
        Groups.from_winners(group=None, winner=[1, 0])
    with pytest.raises(TypeError, match="winner is None; expected one value per row"):
        Groups.from_winners(group=[0, 0], winner=None)
    with pytest.raises(TypeError, match="group is a generator; expected one value"):
        Groups.from_winners(group=(i for i in range(2)), winner=[1, 0])


@pytest.mark.parametrize("field", ["group", *FIELDS])
def test_lists_of_different_lengths_are_named(field):
    message = f"{field} is a list of lists of different lengths; expected one value"
    with pytest.raises(ValueError, match=message):
        Groups.from_arrays(**({"group": [0, 0]} | {field: [1, [2, 3]]}))


@pytest.mark.parametrize("field", ["group", "item"])
@pytest.mark.parametrize(
    "container",
    [
        list,
        pd.Series,
        pl.Series,
        pa.array,
        lambda v: np.array(v, np.dtypes.StringDType()),
    ],
)
def test_strings_that_numpy_would_cut_are_refused(field, container):
    message = re.escape(rf"{field} is 'a\x00' at row 1; expected strings that do not")
    with pytest.raises(ValueError, match=message):
        stored(field, container(["a", "a\0"]))
    assert stored(field, container(["a", "\0a"])) == ["a", "\0a"]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["b", "a"]), ["b", "a"]),
        (pa.chunked_array([["b"], ["a"]]), ["b", "a"]),
        (pa.array(["b", "a"]).dictionary_encode(), ["b", "a"]),
        (pa.array([True, False]), [1, 0]),
        (pa.array([2, 1]), [2, 1]),
        (pd.Categorical(["b", "a"], ordered=True), ["b", "a"]),
        (pd.Series(["b", "a"], dtype="string[pyarrow]"), ["b", "a"]),
        (pl.Series(["b", "a"], dtype=pl.Enum(["b", "a"])), ["b", "a"]),
        (pd.Index(["b", "a"]), ["b", "a"]),
    ],
)
def test_labels_of_every_library(column, expected):
    assert stored("group", column) == expected
    assert stored("item", column) == expected


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1.5, None]),
        pa.array([Decimal("1.5"), None]),
        pa.chunked_array([[1.5], [None]]),
        pl.Series([1.5, None]),
        pl.Series([Decimal("1.5"), None]),
        pd.Series([1.5, None], dtype="Float64"),
        pd.Series([1.5, None], dtype="double[pyarrow]"),
    ],
)
def test_missing_preferences_of_every_library_are_not_judged(column):
    assert_array_equal(stored("preference", column), [1.5, np.nan])


LEVELS = pd.CategoricalDtype(["bad", "good"], ordered=True)


@pytest.mark.parametrize("field", ["preference", "weight"])
@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pd.Series(["bad", "good"], dtype=LEVELS), ".map({'bad': 0, 'good': 1})"),
        (pd.Categorical(["bad", "good"], dtype=LEVELS), ".map({'bad': 0, 'good': 1})"),
        (pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])), ".map({'b': 0, 'a': 1})"),
        (pd.Categorical([5, 1], [5, 1], ordered=True), ".map({5: 0, 1: 1})"),
    ],
)
def test_ordered_levels_ask_for_numbers(field, column, message):
    with pytest.raises(TypeError, match=re.escape(f"example {field}{message}")):
        stored(field, column)


def test_ordered_levels_that_are_rising_numbers_are_those():
    assert stored("preference", pd.Categorical([5, 1], ordered=True)) == [5, 1]


FRAME = {"track": ["a", "a"], "opinion": [1.0, 2.5], "clip": [0, 1]}


@pytest.mark.parametrize(
    "library", [pa.table, pl.LazyFrame, pl.DataFrame, pd.DataFrame]
)
def test_from_frame_takes_frames_of_every_library(library):
    names = {"group": "track", "preference": "opinion", "clip": "clip"}
    groups = Groups.from_frame(library(FRAME), **names)
    assert groups.tolist() == [("a", 1.0, 0, 2), ("a", 2.5, 1, 2)]
    message = (
        "item='x' is not a column of the frame; expected one of ['track', 'opinion'"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        Groups.from_frame(library(FRAME), item="x", **names)


def test_from_frame_takes_numbered_columns_and_doubled_ones_it_does_not_need():
    frame = pd.DataFrame([["a", 1, 2, 3]], columns=[0, 1, "z", "z"])
    assert Groups.from_frame(frame, group=0, preference=1).tolist() == [("a", 1.0, 1)]
    with pytest.raises(ValueError, match=r"item has shape \(1, 2\)"):
        Groups.from_frame(frame, group=0, item="z")


MASKED = np.ma.array([1, 0], mask=[False, True])


@pytest.mark.parametrize("as_list", [False, True])
def test_masked_values_are_missing(as_list):
    for masked in (MASKED, MASKED.astype(float)):
        column = list(masked) if as_list else masked
        assert_array_equal(stored("preference", column), [1, np.nan])
        for field in ("group", "item", "clip", "weight", "donor"):
            with pytest.raises(ValueError, match=f"{field} is (nan|None) at row 1"):
                stored(field, column)
    words = np.ma.array(["a", "b"], mask=[False, True])
    with pytest.raises(ValueError, match="group is None at row 1"):
        stored("group", list(words) if as_list else words)
    assert stored("group", np.ma.array([1, 2])) == [1, 2]


def test_masked_records_are_missing():
    groups = np.ma.array(Groups.from_arrays(group=[0, 0], preference=[1, 2]))
    assert pairwise_accuracy_score(groups, [0, 1]) == 1
    groups["preference"][1] = np.ma.masked
    with pytest.raises(ValueError, match=r"\(NaN\) in 1 of 2 rows, the first at row 1"):
        pairwise_accuracy_score(groups, [0, 1])
    groups["group"][1] = np.ma.masked
    with pytest.raises(ValueError, match="group is None at row 1"):
        rank_items(groups, [0, 1])


def test_masked_plain_targets_and_scores_are_refused():
    message = "is a masked array with 1 masked entries, the first at row 1; expected"
    with pytest.raises(ValueError, match=f"groups {message}"):
        pairwise_accuracy_score(MASKED, [0, 1])
    with pytest.raises(ValueError, match=f"y_score {message}"):
        pairwise_accuracy_score([0, 1], MASKED)
    with pytest.raises(ValueError, match="groups is None at row 1"):
        PreferenceGroupKFold(2).split(np.zeros((2, 1)), groups=MASKED)
    assert pairwise_accuracy_score(np.ma.array([0, 1]), np.ma.array([0.0, 1.0])) == 1


@pytest.mark.parametrize(
    "estimator",
    [
        quick(),
        LevelClassifierRanker(),
        RankSumRanker(),
        TopCountRanker(),
        PairAugmenter(stitch_sizes=(2,)),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_masked_features_are_refused(estimator):
    X = np.ma.array(np.random.default_rng(0).normal(size=(6, 2)))
    y = np.arange(6.0)
    estimator.fit(X, y)
    X[3, 1] = np.ma.masked
    methods = {
        "fit": (y,),
        "partial_fit": (y,),
        "fit_transform": (y,),
        "augment": (Groups.from_arrays(group=np.zeros(6, int), preference=y),),
        "transform": (),
        "predict": (),
    }
    message = re.escape(
        "X is a masked array with 1 masked entries, the first at row 3, "
    )
    for method, arguments in methods.items():
        if hasattr(estimator, method):
            with pytest.raises(ValueError, match=message + "column 1; expected"):
                getattr(estimator, method)(X, *arguments)


def test_masked_features_of_pairs_are_refused():
    X = np.ma.array(np.random.default_rng(0).normal(size=(6, 2)))
    ranker: PairwisePreferenceRanker = quick().fit(X, np.arange(6.0))
    masked = np.ma.masked_greater(X, 0)
    with pytest.raises(ValueError, match="masked entries"):
        ranker.preference_proba(X, masked)
