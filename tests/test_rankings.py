"""Groups.from_ranking: orders that people gave become one target."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import rankdata

from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore.metrics import kendall_tau_score, rank_items

ITEMS = {
    "prompt": ["x", "y", "x", "x", "y"],
    "system": ["a", "a", "b", "c", "b"],
}


@pytest.mark.parametrize("make", [dict, pd.DataFrame, pl.DataFrame, pa.table])
def test_the_number_of_items_below(make):
    orders = {"x": ["b", "a", "c"], "y": ["a", "b"]}
    groups = Groups.from_ranking(orders, make(ITEMS))
    assert groups["group"].tolist() == ITEMS["prompt"]
    assert groups["item"].tolist() == ITEMS["system"]
    assert groups["preference"].tolist() == [1, 1, 2, 0, 0]
    assert groups["group_size"].tolist() == [3, 2, 3, 3, 2]


def test_ranks_are_those_of_the_order():
    rng = np.random.default_rng(0)
    items = {"prompt": np.repeat(np.arange(5), 6), "system": np.tile(np.arange(6), 5)}
    rows = rng.permutation(30)
    items = {name: column[rows] for name, column in items.items()}
    orders = {g: rng.permutation(6).tolist() for g in range(5)}
    groups = Groups.from_ranking(orders, items)
    ranks = rank_items(groups, groups["preference"])
    expected = [
        1 + orders[g].index(i)
        for g, i in zip(items["prompt"], items["system"], strict=True)
    ]
    assert ranks.tolist() == expected
    # Another order of the rows and of the groups gives the same.
    order = rng.permutation(30)
    mixed = {name: column[order] for name, column in items.items()}
    again = Groups.from_ranking(dict(reversed(orders.items())), mixed)
    assert_array_equal(again, groups[order])


def test_ties_count_half():
    orders = {"x": ["b", ("a", "c")], "y": [("a", "b")]}
    groups = Groups.from_ranking(orders, ITEMS)
    assert groups["preference"].tolist() == [0.5, 0.5, 2, 0.5, 0.5]
    ranks = rankdata([-0.5, -2, -0.5])
    in_x = rank_items(groups, groups["preference"])[[0, 2, 3]]
    assert in_x.tolist() == ranks.tolist()


def test_several_orders_of_a_group():
    orders = {
        "x": [["b", "a", "c"], ["a", "b", "c"], ["b", ("a", "c")]],
        "y": [["a", "b"]],
    }
    preference = Groups.from_ranking(orders, ITEMS)["preference"]
    a, b, c = (1 + 2 + 0.5) / 3, (2 + 1 + 2) / 3, (0 + 0 + 0.5) / 3
    np.testing.assert_allclose(preference, [a, 1, b, c, 0], rtol=1e-15)


def test_an_order_may_be_an_array():
    several = np.array([["a", "b"], ["b", "a"], ["a", "b"]])
    orders = {"x": np.array(["b", "a", "c"]), "y": several}
    expected = Groups.from_ranking({k: v.tolist() for k, v in orders.items()}, ITEMS)
    assert_array_equal(Groups.from_ranking(orders, ITEMS), expected)


def test_items_in_no_order():
    orders = {"x": ["b", "a"]}
    message = (
        "3 of the 5 rows of items have no place in an order, the first is row 1: "
        "prompt y, item a; expected one at least."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        Groups.from_ranking(orders, ITEMS)
    groups = Groups.from_ranking(orders, ITEMS, missing="nan")
    assert_array_equal(groups["preference"], [0, np.nan, 1, np.nan, np.nan])
    assert groups["group_size"].tolist() == [2, 0, 2, 2, 0]
    judged = groups[~np.isnan(groups["preference"])]
    assert kendall_tau_score(judged, [0.0, 1.0]) == 1.0


def test_a_group_of_several_columns_and_rows_of_one_item():
    items = {
        "portrait": [1, 1, 1, 2, 2],
        "speech": ["s", "s", "s", "s", "s"],
        "system": [7, 7, 8, 7, 8],
    }
    orders = {(1, "s"): [8, 7], (2, "s"): [7, 8]}
    groups = Groups.from_ranking(orders, items, on=("portrait", "speech"))
    assert groups["group"].tolist() == ["1:s", "1:s", "1:s", "2:s", "2:s"]
    assert groups["preference"].tolist() == [0, 0, 1, 1, 0]


def test_a_ranker_learns_the_order():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 2))
    items = {"prompt": np.arange(60) // 6, "system": np.arange(60) % 6}
    orders = {g: np.argsort(-X[6 * g : 6 * g + 6, 0]).tolist() for g in range(10)}
    groups = Groups.from_ranking(orders, items)
    ranker = PairwisePreferenceRanker((), n_members=2, random_state=0).fit(X, groups)
    assert ranker.score(X, groups) > 0.9


BOTH = {"x": ["b", "a", "c"], "y": ["a", "b"]}


@pytest.mark.parametrize(
    ("rankings", "options", "error", "message"),
    [
        (
            BOTH | {"y": ["a", "d"]},
            {},
            ValueError,
            "the order of group 'y' holds 'd', which is no item of that group in items; "
            "expected some of its 2, such as ['a', 'b'].",
        ),
        (
            BOTH | {"y": ["a", "b", "a"]},
            {},
            ValueError,
            "the order of group 'y' holds 'a' twice; expected every item once, best first.",
        ),
        (
            BOTH | {"x": ["b", ("a", "b"), "c"]},
            {},
            ValueError,
            "the order of group 'x' holds 'b' twice;",
        ),
        (
            BOTH | {"z": ["a"]},
            {},
            ValueError,
            "rankings has the group 'z', which is not in items; expected the labels of "
            "on=('prompt',), such as ['x', 'y']",
        ),
        (
            BOTH | {"x": [["a", "b", "c"], ["a", "b"]]},
            {},
            ValueError,
            "order 1 of group 'x' does not hold the same items as its first: 'c' is in "
            "one of them only;",
        ),
        (
            BOTH | {"x": ["a", ["b", "c"]]},
            {},
            TypeError,
            "the order of group 'x' is a str; expected a list of items, best first, or a "
            "list of such lists.",
        ),
        (
            BOTH | {"x": [["a", ["b"], "c"]]},
            {},
            TypeError,
            "the order of group 'x' holds ['b'], a list; expected names of items, and "
            "tuples of those that tie.",
        ),
        (
            BOTH | {"y": "ab"},
            {},
            TypeError,
            "the order of group 'y' is a str; expected",
        ),
        (
            BOTH | {"y": ("a", "b")},
            {},
            TypeError,
            "the order of group 'y' is a tuple; expected a list of items, best first",
        ),
        (BOTH | {"y": []}, {}, TypeError, "the order of group 'y' is an empty list;"),
        (
            BOTH | {"y": ["a", ()]},
            {},
            TypeError,
            "the order of group 'y' holds (), a tup",
        ),
        (
            BOTH | {"y": ["a", None]},
            {},
            ValueError,
            "the order of group 'y' is None at row 1; expected a label for every row.",
        ),
        (
            BOTH | {"y": [1, 2]},
            {},
            ValueError,
            "the order of group 'y' holds 1, which is",
        ),
        (
            [["a", "b"]],
            {},
            TypeError,
            "rankings is a list; expected a dict with a list of items per group",
        ),
        (BOTH, {"item": None}, TypeError, "item is None; expected the column of items"),
        (BOTH, {"on": "clip"}, ValueError, "on='clip' is not a column of the items"),
        (
            BOTH,
            {"missing": 0},
            ValueError,
            "missing is 0; expected one of ['raise', 'na",
        ),
    ],
)
def test_errors(rankings, options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Groups.from_ranking(rankings, ITEMS, **options)
