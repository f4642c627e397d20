"""The fields n_raters and spread of the target."""

import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore import Groups, LinearPreferenceRanker
from sklearn_pscore._target.check import check_groups
from sklearn_pscore.metrics import pairwise_accuracy_score

FIELDS = {
    "group": [1, 1, 2, 2],
    "preference": [3.0, 2.0, 1.0, 4.0],
    "n_raters": [5, 7, 5, 0],
    "spread": [0.5, 0.0, np.nan, 1.5],
}
GROUPS = Groups.from_arrays(**FIELDS)


def test_they_are_stored_in_this_order():
    assert GROUPS.dtype.names == (
        *("group", "preference", "n_raters", "spread"),
        "group_size",
    )
    assert GROUPS["n_raters"].dtype == np.int64
    assert GROUPS["spread"].dtype == np.float64
    assert GROUPS["n_raters"].tolist() == FIELDS["n_raters"]
    assert_array_equal(GROUPS["spread"], FIELDS["spread"])
    assert "n_raters" not in Groups.from_arrays(group=[1]).dtype.names


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_columns_of_a_frame(make):
    frame = make({"g": [1, 1], "n": [5.0, None], "sd": [0.25, None]})
    groups = Groups.from_frame(frame, group="g", n_raters="n", spread="sd")
    assert groups["n_raters"].tolist() == [5, 0]
    assert_array_equal(groups["spread"], [0.25, np.nan])


def test_slices_joined_targets_and_whole_ones_keep_them():
    part = GROUPS[[3, 0]]
    assert part["n_raters"].tolist() == [0, 5]
    assert part["spread"].tolist() == [1.5, 0.5]
    target = check_groups(GROUPS).take(np.array([1, 3]))
    assert target.n_raters.tolist() == [7, 0]
    assert target.spread.tolist() == [0.0, 1.5]
    assert pickle.loads(pickle.dumps(GROUPS)).tobytes() == GROUPS.tobytes()
    assert Groups.whole(GROUPS[:1])["n_raters"].tolist() == [5]
    plain = Groups.from_arrays(group=[1], preference=[1.0])
    both = Groups.concat([GROUPS, plain])
    assert both["n_raters"].tolist() == [5, 7, 5, 0, 0]
    assert_array_equal(both["spread"], [0.5, 0.0, np.nan, 1.5, np.nan])


def test_no_fit_and_no_metric_of_order_depends_on_them():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    fields = {"group": np.arange(40) // 5, "preference": rng.normal(size=40)}
    plain = Groups.from_arrays(**fields)
    known = Groups.from_arrays(**fields, n_raters=np.full(40, 9), spread=np.ones(40))
    scores = [LinearPreferenceRanker().fit(X, y).predict(X) for y in (plain, known)]
    assert_array_equal(*scores)
    values = [pairwise_accuracy_score(y, X[:, 0]) for y in (plain, known)]
    assert values[0] == values[1]


def test_ratings_fill_them():
    items = {"prompt": [1, 1, 1], "system": ["a", "b", "c"]}
    ratings = [[1.0, 2.0, 4.0], [3.0, 3.0, np.nan], [5.0, np.nan, np.nan]]
    groups = Groups.from_ratings(ratings, items)
    assert groups["n_raters"].tolist() == [3, 2, 1]
    assert_allclose(groups["spread"], [np.std([1, 2, 4], ddof=1), 0.0, np.nan])
    # Ratings that are equal have no spread at all, whatever rounding would say.
    groups = Groups.from_ratings(
        [[0.1] * 7, [1e300, -1e300] + [0.0] * 5, [3.0] * 7], items
    )
    assert groups["spread"][[0, 2]].tolist() == [0.0, 0.0]
    assert_allclose(groups["spread"][1], 1e300 / np.sqrt(3))
    none = Groups.from_ratings([[1.0], [2.0], [np.nan]], items, missing="nan")
    assert none["n_raters"].tolist() == [1, 1, 0]
    assert np.isnan(none["spread"]).all()
    assert "n_raters" in Groups.from_ratings(ratings, items, weight=None).dtype.names


@pytest.mark.parametrize("field", ["n_raters", "spread"])
def test_rows_of_one_item_share_them(field):
    fields = {"group": [1, 1, 1], "item": ["a", "b", "b"], field: [3, 4, 5]}
    message = (
        f"item b of group 1 has {field} 5 at row 2 but 4 at row 1; rows of one item in "
        f"one group share one {field}. Average them, or give the rows different item "
        "names."
    )
    if field == "spread":
        message = message.replace("5 at", "5.0 at").replace("4 at", "4.0 at")
    with pytest.raises(ValueError, match=re.escape(message)):
        Groups.from_arrays(**fields)
    # A row of weight 0 is not there.
    Groups.from_arrays(**fields, weight=[1, 1, 0])
    fields[field] = [3, np.nan, np.nan]
    Groups.from_arrays(**fields)


BAD = {
    "negative number": (
        {"n_raters": [1, -2]},
        ValueError,
        "n_raters is -2 at row 1; expected how many people judged the row, 1 or more. "
        "Use 0 where that is not known, or nobody did.",
    ),
    "fraction": (
        {"n_raters": [1.5, 2]},
        TypeError,
        "n_raters is 1.5 at row 0; expected integers. Convert it",
    ),
    "infinite number": (
        {"n_raters": [1, np.inf]},
        TypeError,
        "n_raters is inf at row 1",
    ),
    "text": ({"n_raters": ["five", "six"]}, TypeError, "n_raters"),
    "negative spread": (
        {"spread": [1, -0.5]},
        ValueError,
        "spread is -0.5 at row 1; expected a standard deviation of the ratings of the "
        "row, finite and >= 0. Use NaN where it is not known.",
    ),
    "infinite spread": ({"spread": [np.inf, 1]}, ValueError, "spread is inf at row 0"),
    "length": (
        {"spread": [1.0]},
        ValueError,
        "group has 2 entries but spread has 1; expected one group label per row.",
    ),
}


@pytest.mark.parametrize(("fields", "error", "message"), BAD.values(), ids=BAD)
def test_bad_values(fields, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Groups.from_arrays(group=[1, 1], **fields)
    # The same in a structured array that was made by hand.
    if message.startswith("group has"):
        return
    (field, values), *_ = fields.items()
    column = np.array(values)
    groups = np.empty(2, [("group", int), ("preference", float), (field, column.dtype)])
    groups["group"], groups["preference"], groups[field] = 0, 0.0, column
    with pytest.raises(error, match=re.escape(message)):
        check_groups(groups)
