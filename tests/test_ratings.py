"""Groups.from_ratings: raw ratings of several annotators become one target."""

import re
import statistics

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore import Groups, LevelClassifierRanker, RankSumRanker
from sklearn_pscore.metrics import pairwise_accuracy_score, rank_items

CONTAINERS = {
    "pandas": pd.DataFrame,
    "pandas with Arrow dtypes": lambda columns: pd.DataFrame(columns).convert_dtypes(
        dtype_backend="pyarrow"
    ),
    "polars": pl.DataFrame,
    "polars, lazy": lambda columns: pl.DataFrame(columns).lazy(),
    "Arrow": pa.table,
    "dict": dict,
}


def drawn(seed=0, labels=int):
    """Return columns of ratings, in mixed order, and of items, two rows of each."""
    rng = np.random.default_rng(seed)
    prompt, system = (a.ravel() for a in np.indices((6, 4)))
    rows = rng.permutation(np.tile(np.arange(24), 2))
    items = {"prompt": prompt[rows].tolist(), "system": system[rows].tolist()}
    # At least one rating of each; annotators repeat no item.
    rated = [
        (i, a) for i in range(24) for a in range(5) if a == 0 or rng.random() < 0.5
    ]
    rated = [rated[k] for k in rng.permutation(len(rated))]
    ratings = {
        "prompt": [int(prompt[i]) for i, _ in rated],
        "system": [int(system[i]) for i, _ in rated],
        "annotator": [f"person {a}" for _, a in rated],
        "rating": rng.integers(1, 6, len(rated)).astype(float).tolist(),
    }
    for table in (items, ratings):
        for column in ("prompt", "system"):
            table[column] = [labels(value) for value in table[column]]
    return ratings, items


def by_definition(ratings, items, on=("prompt",)):
    """Return mean, number and deviation of the ratings of each row, by loops."""
    names = (*on, "system")
    mean, count, spread = [], [], []
    for row in zip(*(items[name] for name in names), strict=True):
        keys = zip(*(ratings[name] for name in names), strict=True)
        of_row = [
            rating
            for key, rating in zip(keys, ratings["rating"], strict=True)
            if key == row
        ]
        mean.append(np.mean(of_row) if of_row else np.nan)
        count.append(len(of_row))
        spread.append(statistics.stdev(of_row) if len(of_row) > 1 else np.nan)
    return np.array(mean), np.array(count, dtype=float), np.array(spread)


@pytest.mark.parametrize("labels", [int, str])
@pytest.mark.parametrize("container", CONTAINERS)
def test_mean_and_number_of_each_row(container, labels):
    ratings, items = drawn(labels=labels)
    make = CONTAINERS[container]
    groups = Groups.from_ratings(make(ratings), make(items), annotator="annotator")
    mean, count, spread = by_definition(ratings, items)
    assert groups.dtype.names == (
        *("group", "preference", "item", "weight"),
        *("n_raters", "spread", "group_size"),
    )
    assert_allclose(groups["preference"], mean, rtol=1e-15)
    assert_array_equal(groups["weight"], count)
    assert_array_equal(groups["n_raters"], count)
    assert groups["n_raters"].dtype == np.int64
    assert_allclose(groups["spread"], spread, rtol=1e-12, atol=1e-15)
    assert groups["group"].tolist() == items["prompt"]
    assert groups["item"].tolist() == items["system"]


def test_the_order_of_ratings_does_not_matter_and_that_of_items_is_kept():
    ratings, items = (pd.DataFrame(table) for table in drawn(1))
    # Numbers whose sums are rounded.
    ratings["rating"] = np.random.default_rng(2).normal(size=len(ratings))
    groups = Groups.from_ratings(ratings, items)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(items))
        mixed = ratings.sample(frac=1, random_state=seed)
        again = Groups.from_ratings(mixed, items.iloc[order])
        # Of bytes: a spread that is not known is NaN.
        assert again.tobytes() == groups[order].tobytes()


def test_means_that_only_rounding_tells_apart_tie():
    ratings = {
        "prompt": [0] * 5,
        "system": ["a", "a", "b", "c", "c"],
        "rating": [0.1, 0.2, 0.15, 0.05, 0.25],
    }
    items = {"prompt": [0, 0, 0], "system": ["a", "b", "c"]}
    groups = Groups.from_ratings(ratings, items)
    assert len(set(groups["preference"].tolist())) == 1


def test_an_array_is_the_table_it_stands_for():
    rng = np.random.default_rng(3)
    items = {"prompt": np.arange(12) // 3, "system": np.arange(12) % 3}
    table = rng.integers(1, 6, (12, 4)).astype(float)
    table[rng.random(table.shape) < 0.4] = np.nan
    table[:, 0] = 2.0
    row, annotator = np.nonzero(~np.isnan(table))
    long = {name: column[row] for name, column in items.items()}
    long |= {"annotator": annotator, "rating": table[row, annotator]}
    expected = Groups.from_ratings(long, items, annotator="annotator")
    for array in (table, table.tolist(), np.ma.masked_invalid(table)):
        assert_array_equal(Groups.from_ratings(array, items), expected)
    assert_allclose(expected["preference"], np.nanmean(table, axis=1), rtol=1e-15)
    without = Groups.from_ratings(table, items, item=None)
    assert "item" not in without.dtype.names
    assert_array_equal(without["preference"], expected["preference"])


def test_a_group_of_several_columns():
    ratings, items = drawn(4)
    for table in (ratings, items):
        table["portrait"] = [value // 2 for value in table["prompt"]]
        table["speech"] = [f"s{value % 2}" for value in table["prompt"]]
    on = ("portrait", "speech")
    groups = Groups.from_ratings(ratings, items, on=on)
    assert groups["group"].tolist() == [
        f"{portrait}:{speech}"
        for portrait, speech in zip(items["portrait"], items["speech"], strict=True)
    ]
    expected = Groups.from_ratings(ratings, items, on="prompt")
    for field in ("preference", "weight", "item", "group_size"):
        assert_array_equal(groups[field], expected[field])


def test_weights_are_those_of_a_pair():
    ratings = {"p": [0] * 6, "system": list("aabbbc"), "rating": [5, 4, 3, 3, 3, 1]}
    items = {"p": [0, 0, 0], "system": list("abc")}
    groups = Groups.from_ratings(ratings, items, on="p")
    assert groups["weight"].tolist() == [2, 3, 1]
    # Right in a and c (2 * 1) and in b and c (3 * 1), wrong in a and b (2 * 3).
    assert pairwise_accuracy_score(groups, [1, 2, 0]) == (2 + 3) / (2 + 3 + 6)
    plain = Groups.from_ratings(ratings, items, on="p", weight=None)
    assert "weight" not in plain.dtype.names
    assert pairwise_accuracy_score(plain, [1, 2, 0]) == 2 / 3


def test_rows_without_a_rating():
    ratings = {"prompt": [0, 0, 1], "system": list("aba"), "rating": [2.0, 1.0, 3.0]}
    items = {"prompt": [0, 0, 1, 1], "system": list("abab")}
    message = (
        "1 of the 4 rows of items have no rating, the first is row 3: prompt 1, item b; "
        "expected one at least."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        Groups.from_ratings(ratings, items)
    groups = Groups.from_ratings(ratings, items, missing="nan")
    assert groups["weight"].tolist() == [1, 1, 1, 0]
    assert np.isnan(groups["preference"]).tolist() == [False, False, False, True]
    assert groups["group_size"].tolist() == [2, 2, 1, 1]
    X = np.array([[2.0], [1.0], [3.0], [4.0]])
    ranker = LevelClassifierRanker(random_state=0).fit(X, groups)
    assert ranker.rank(X, groups)[:2].tolist() == [1, 2]
    assert pairwise_accuracy_score(groups, X[:, 0]) == 1.0
    unweighted = Groups.from_ratings(ratings, items, missing="nan", weight=None)
    with pytest.raises(
        ValueError, match=re.escape("no preference (NaN) in 1 of 4 rows")
    ):
        LevelClassifierRanker().fit(X, unweighted)
    assert RankSumRanker(directions="larger").fit(X, unweighted).n_groups_ == 2
    wide = Groups.from_ratings([[2.0], [1.0], [3.0], [np.nan]], items, missing="nan")
    for field in groups.dtype.names:
        assert_array_equal(wide[field], groups[field])


def test_z_scores_of_each_annotator_undo_their_scales():
    """The documented line, on people who agree and use the scale differently."""
    rng = np.random.default_rng(5)
    worth = rng.normal(size=(5, 4))
    prompt, system, annotator = (a.ravel() for a in np.indices((5, 4, 3)))
    scale, offset = np.array([0.1, 1.0, 10.0]), np.array([5.0, -3.0, 0.0])
    rating = worth[prompt, system] * scale[annotator] + offset[annotator]
    ratings = pd.DataFrame(
        {"prompt": prompt, "system": system, "annotator": annotator, "rating": rating}
    )
    # Each rated only some, so that plain means mix up scales.
    ratings = ratings[rng.random(len(ratings)) < 0.7]
    items = ratings[["prompt", "system"]].drop_duplicates()
    truth = worth[items["prompt"], items["system"]]
    by_annotator = ratings.groupby("annotator")["rating"]
    z = (ratings["rating"] - by_annotator.transform("mean")) / (
        by_annotator.transform("std")
    )
    accuracy = [
        pairwise_accuracy_score(Groups.from_ratings(table, items), truth)
        for table in (ratings, ratings.assign(rating=z))
    ]
    assert accuracy[1] > 0.9 > accuracy[0]


def test_the_target_serves_a_ranking():
    ratings, items = drawn(6)
    groups = Groups.from_ratings(ratings, items)
    ranks = rank_items(groups, groups["preference"])
    assert np.nanmax(ranks) <= 4


RATINGS = {"prompt": [0, 0], "system": ["a", "b"], "rating": [1.0, 2.0]}
ITEMS = {"prompt": [0, 0], "system": ["a", "b"]}


@pytest.mark.parametrize(
    ("ratings", "items", "options", "error", "message"),
    [
        (
            RATINGS | {"system": ["a", "c"]},
            ITEMS,
            {},
            ValueError,
            "ratings has 1 of 2 rows that are not in items, the first at row 1: "
            "prompt 0, item c; expected items to hold every judged item.",
        ),
        (
            RATINGS | {"rating": [1.0, np.nan]},
            ITEMS,
            {},
            ValueError,
            "rating is NaN in 1 of 2 rows of ratings, the first is row 1: prompt 0, item "
            "b; expected a number in each. Drop them, for example with "
            "ratings.dropna(subset=['rating']).",
        ),
        (
            RATINGS | {"rating": [1.0, np.inf]},
            ITEMS,
            {},
            ValueError,
            "rating is inf at row 1; expected finite numbers",
        ),
        (
            RATINGS | {"rating": ["good", "bad"]},
            ITEMS,
            {},
            TypeError,
            "rating has dtype <U4, 'good' at row 0; expected numbers.",
        ),
        (
            {name: 2 * column for name, column in RATINGS.items()} | {"who": [7] * 4},
            ITEMS,
            {"annotator": "who"},
            ValueError,
            "who 7 rated prompt 0, item a at row 0 and at row 2 of ratings; expected one "
            "rating of each item by each annotator.",
        ),
        (
            RATINGS | {"prompt": ["0", "0"]},
            ITEMS,
            {},
            TypeError,
            "prompt holds strings in ratings and integers in items; expected the same",
        ),
        (
            {"prompt": [0], "rating": [1.0]},
            ITEMS,
            {},
            ValueError,
            "item='system' is not a column of the ratings; expected one of ['prompt', "
            "'rating'].",
        ),
        (
            pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["Ann", "Bo"]),
            ITEMS,
            {},
            ValueError,
            "ratings is a DataFrame with the columns ['Ann', 'Bo'], and without "
            "('prompt',), which names the group; expected one row per rating. If the "
            "group is named by another column, pass its name as on=, or rename it: both "
            "tables need it. If there is one column per annotator, pass an array: "
            "ratings.to_numpy().",
        ),
        (
            pd.DataFrame({"pid": [0], "system": ["a"], "rating": [1.0]}),
            ITEMS,
            {},
            ValueError,
            "named by another column, pass its name as on=",
        ),
        (
            pd.DataFrame({"prompt": [0], "system": ["a"], "Ann": [1.0], "Bo": [2.0]}),
            ITEMS,
            {},
            ValueError,
            "rating='rating' is not a column of the ratings; expected one of ['prompt', "
            "'system', 'Ann', 'Bo']. Name the column that holds the rating. If there is "
            "one column per annotator, pass one row per rating: ratings.melt(['prompt', "
            "'system'], var_name='annotator', value_name='rating').dropna().",
        ),
        (
            RATINGS,
            ITEMS,
            {"on": "clip"},
            ValueError,
            "on='clip' is not a column of the items; expected one of ['prompt', 'system']",
        ),
        (
            RATINGS,
            ITEMS,
            {"on": ("prompt", "clip")},
            ValueError,
            "on[1]='clip' is not a column of the items",
        ),
        (
            RATINGS,
            ITEMS,
            {"on": 3},
            TypeError,
            "on is 3; expected the name of the column",
        ),
        (RATINGS, ITEMS, {"on": ()}, TypeError, "on is (); expected the name of the"),
        (
            RATINGS,
            ITEMS,
            {"item": None},
            TypeError,
            "item is None, and ratings is a table",
        ),
        (
            RATINGS,
            ITEMS,
            {"rating": None},
            TypeError,
            "rating is None; expected the name",
        ),
        (
            RATINGS,
            ITEMS,
            {"weight": "n"},
            ValueError,
            "weight is 'n'; expected one of ['count', None].",
        ),
        (
            RATINGS,
            ITEMS,
            {"missing": "drop"},
            ValueError,
            "missing is 'drop'; expected one of ['raise', 'nan'].",
        ),
        (
            RATINGS,
            [0, 0],
            {},
            TypeError,
            "items is list; expected a pandas or polars DataFrame, or an Arrow table. "
            "Pass arrays as a dict, by the names of the columns.",
        ),
        (
            None,
            ITEMS,
            {},
            TypeError,
            "ratings is None; expected a table with one row per rating, or an array of",
        ),
        (
            RATINGS | {"rating": [1.0]},
            ITEMS,
            {},
            ValueError,
            "ratings has columns of different lengths: {'prompt': 2, 'system': 2, "
            "'rating': 1}; expected one entry per row in each.",
        ),
        (
            RATINGS,
            ITEMS | {"system": ["a"]},
            {},
            ValueError,
            "items has columns of different lengths: {'prompt': 2, 'system': 1}; expected",
        ),
        (
            [1.0, 2.0],
            ITEMS,
            {},
            ValueError,
            "ratings is a list of shape (2,); expected one row per row of items and one "
            "column per annotator",
        ),
        (
            [[1.0], [2.0, 3.0]],
            ITEMS,
            {},
            ValueError,
            "ratings is a list whose rows have different lengths; expected",
        ),
        (
            [[1.0], [2.0], [3.0]],
            ITEMS,
            {},
            ValueError,
            "ratings has 3 rows but items has 2; expected one row of ratings per row",
        ),
        (
            [[1.0], [np.inf]],
            ITEMS,
            {},
            ValueError,
            "ratings is inf at row 1, column 0; expected finite numbers, or NaN where",
        ),
        (
            [["good"], ["bad"]],
            ITEMS,
            {},
            TypeError,
            "ratings has dtype <U4; expected numbers.",
        ),
        (
            [[1.0], [2.0]],
            ITEMS,
            {"annotator": "who"},
            TypeError,
            "annotator is 'who' and ratings an array; expected None",
        ),
        (
            [[1.0], [2.0]],
            ITEMS | {"system": ["a", "a"]},
            {},
            ValueError,
            "item a of group 0 has preference 2.0 at row 1 but 1.0 at row 0;",
        ),
        (
            [[1.0], [2.0]],
            {"p": ["a:b", "a"], "s": ["c", "b:c"]},
            {"on": ("p", "s"), "item": None},
            ValueError,
            "on=('p', 's') gives two groups the label 'a:b:c'; expected labels without",
        ),
    ],
)
def test_errors(ratings, items, options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Groups.from_ratings(ratings, items, **options)


def test_the_way_out_of_a_column_per_annotator():
    items = pd.DataFrame({"prompt": [0, 0], "system": ["a", "b"]})
    wide = items.assign(Ann=[1.0, 2.0], Bo=[3.0, np.nan])
    with pytest.raises(ValueError, match="pass one row per rating") as error:
        Groups.from_ratings(wide, items)
    code = str(error.value).split("pass one row per rating: ")[1].removesuffix(".")
    long = eval(code, {"ratings": wide})
    groups = Groups.from_ratings(long, items, annotator="annotator")
    assert groups["preference"].tolist() == [2.0, 2.0]
    assert groups["weight"].tolist() == [2.0, 1.0]
