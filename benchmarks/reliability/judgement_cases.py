"""Odd inputs of Groups.from_ratings and from_ranking, of rank and preference_proba."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from sklearn.linear_model import LogisticRegression, Ridge

from benchmarks.reliability import matrices, reference
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.ranker_cases import (
    RTOL,
    fitted,
    plain_table,
    predictions_of,
)
from benchmarks.reliability.structures import STRUCTURES, drawn_form, plain_target
from sklearn_pscore import Groups, preference_proba, rank

_ITEMS = {"prompt": [0, 0, 0, 1, 1, 1], "system": [4, 5, 6, 4, 5, 6]}
_TABLES = {
    "a dict": dict,
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "Arrow": pa.table,
}
_NO_TABLES = {
    "None": None,
    "text": "ratings.csv",
    "a number": 3,
    "a list": [1.0, 2.0],
    "a set": {1.0, 2.0},
    "a list of different lengths": [[1.0], [1.0, 2.0]],
    "an array of another length": np.ones((5, 2)),
    "an array with infinity": np.full((6, 1), np.inf),
    "an array of text": np.full((6, 1), "good"),
    "three dimensions": np.ones((6, 1, 1)),
    "a dict without a column": {"prompt": [0], "system": [4]},
    "an empty dict": {},
}
_NO_ORDERS = {
    "None": None,
    "text": "456",
    "a tuple": (4, 5, 6),
    "an empty list": [],
    "a number": 4,
    "an unknown item": [4, 5, 7],
    "an item twice": [4, 5, 6, 4],
    "an item twice, in a tie": [4, (5, 4), 6],
    "an empty tie": [4, (), 5, 6],
    "a list inside": [4, [5, 6]],
    "items as text": ["4", "5", "6"],
    "a missing item": [4, None, 5, 6],
    "NaN": [4, float("nan"), 5, 6],
    "items left out": [4, 5],
    "orders of different items": [[4, 5, 6], [4, 5]],
    "a dict": {4: 1, 5: 2},
}
_OPTIONS = {"missing": (0, "drop", None, True, ["raise"]), "on": (3, (), None, "clip")}


def _pick(rng, choices):
    name = list(choices)[rng.integers(len(choices))]
    return name, choices[name]


def _stored(groups):
    return {name: groups[name].tolist() for name in ("preference", "weight")}


def _drawn_ratings(rng):
    """Draw columns of ratings, at least one of every item, in mixed order."""
    rows = rng.permutation([*range(6), *rng.integers(0, 6, 4)])
    return {
        **{name: [column[row] for row in rows] for name, column in _ITEMS.items()},
        "rating": rng.integers(1, 6, len(rows)).tolist(),
    }


def _means(ratings):
    """Return mean and number of the ratings of each item, by a double loop."""
    checked = {
        "prompt": reference.checked_column("group", ratings["prompt"]),
        "system": reference.checked_column("item", ratings["system"]),
        "rating": reference.checked_column("preference", ratings["rating"]),
    }
    keys = list(zip(checked["prompt"], checked["system"], strict=True))
    items = list(zip(*_ITEMS.values(), strict=True))
    if len(keys) != len(checked["rating"]) or not set(keys) <= set(items):
        raise Meaningless("other rows, or other items")
    given = [
        [r for key, r in zip(keys, checked["rating"], strict=True) if key == item]
        for item in items
    ]
    if not all(given) or any(r != r for of_item in given for r in of_item):
        raise Meaningless("no rating")
    return {
        "preference": [float(np.mean(of_item)) for of_item in given],
        "weight": [float(len(of_item)) for of_item in given],
    }


def ratings_column_case(rng):
    """Draw raw ratings with a column in an odd form."""
    ratings = _drawn_ratings(rng)
    name = str(rng.choice(list(ratings)))
    field = {"prompt": "group", "system": "item", "rating": "preference"}[name]
    form, passed, meant = drawn_form(rng, field, ratings[name])

    def right():
        if meant is None or not len(meant):
            raise Meaningless(form.name)
        return _means(ratings | {name: meant})

    return Case(
        "Groups.from_ratings",
        form.kind,
        f"{name}: {form.name}",
        lambda: _stored(Groups.from_ratings(ratings | {name: passed}, _ITEMS)),
        right,
        (name, "ratings"),
        (passed,),
        # Columns of different lengths, and items without a rating, are counted.
        shown=("0", "3", "6"),
        rtol=1e-12,
    )


def ratings_table_case(rng):
    """Draw raw ratings in some kind of table, as an array, or as none of these."""
    ratings = _drawn_ratings(rng)
    if rng.random() < 0.5:
        name, make = _pick(rng, _TABLES)
        passed, right = make(ratings), lambda: _means(ratings)
        kind = "container"
    else:
        name, passed = _pick(rng, _NO_TABLES)
        kind = "target"

        def right():
            raise Meaningless(name)

    return Case(
        "Groups.from_ratings",
        kind,
        f"ratings: {name}",
        lambda: _stored(Groups.from_ratings(passed, _ITEMS)),
        right,
        ("ratings", "on", "rating", "items"),
        (passed,),
        shown=("[]",),
        must_handle=kind == "container",
        rtol=1e-12,
    )


def option_case(rng):
    """Draw an option of either constructor that it does not know."""
    name, values = _pick(rng, _OPTIONS)
    value = values[rng.integers(len(values))]
    ratings, orders = _drawn_ratings(rng), {0: [4, 5, 6], 1: [6, 5, 4]}
    method = str(rng.choice(["from_ratings", "from_ranking"]))
    judged = ratings if method == "from_ratings" else orders

    def right():
        raise Meaningless(f"{name}={value!r}")

    return Case(
        f"Groups.{method}",
        "option",
        f"{name}={value!r}",
        lambda: getattr(Groups, method)(judged, _ITEMS, **{name: value}),
        right,
        (name,),
        (value,),
    )


def ranking_case(rng):
    """Draw an order that is none, or one in another form."""
    order = rng.permutation([4, 5, 6])
    forms = {
        "a list": order.tolist(),
        "an array": order,
        "floats": [float(i) for i in order],
        "NumPy integers": list(order),
        "several orders": [order.tolist(), order.tolist()],
    }
    if rng.random() < 0.4:
        name, passed = _pick(rng, forms)
        kind = "container"
    else:
        name, passed = _pick(rng, _NO_ORDERS)
        kind = "target"

    def right():
        if kind == "target":
            raise Meaningless(name)
        above = {int(item): 2.0 - place for place, item in enumerate(order)}
        return [above[4], above[5], above[6], 2.0, 1.0, 0.0]

    def call():
        orders = {0: passed, 1: [4, 5, 6]}
        return Groups.from_ranking(orders, _ITEMS)["preference"].tolist()

    return Case(
        "Groups.from_ranking",
        kind,
        f"an order: {name}",
        call,
        right,
        ("order", "items"),
        (passed,),
        shown=("1", "3", "an empty list"),
        must_handle=kind == "container",
    )


def any_model_case(rng):
    """Draw rank or preference_proba of a fitted ranker, with X in an odd form."""
    ranker = fitted("PairwisePreferenceRanker")
    form = matrices.FORMS[rng.integers(len(matrices.FORMS))]
    X, groups = plain_table(), Groups.from_arrays(**plain_target(rng))
    passed = form.make(X)
    meant = None if form.meaning is None else form.meaning(X)
    function = str(rng.choice(["rank", "preference_proba"]))

    def call(table):
        if function == "rank":
            return rank(ranker, table, groups)
        return preference_proba(ranker, table, X)

    def right():
        if meant is None:
            raise Meaningless(form.name)
        if function == "rank":
            return ranker.rank(meant, groups)
        return ranker.preference_proba(meant, X)

    return Case(
        function,
        form.kind,
        f"X: {form.name}",
        lambda: call(passed),
        right,
        ("X", "X_a", "X_b"),
        (passed,),
        must_handle=form.must_handle,
        state=predictions_of(ranker),
        rtol=RTOL,
    )


def no_model_case(rng):
    """Draw rank or preference_proba of something that is no fitted ranker."""
    X, target = plain_table(), plain_target(rng)
    groups = Groups.from_arrays(**target)
    function = str(rng.choice(["rank", "preference_proba"]))
    models = {
        "None": None,
        "an array": X,
        "text": "ranker",
        "a type": Ridge,
        "not fitted": Ridge(),
        "a classifier": LogisticRegression().fit(X, np.arange(len(X)) % 2),
        "several targets": Ridge().fit(X, X),
    }
    name, model = _pick(rng, models)

    def right():
        raise Meaningless(name)

    return Case(
        function,
        "target",
        f"a model: {name}",
        lambda: (
            rank(model, X, groups)
            if function == "rank"
            else preference_proba(model, X, X)
        ),
        right,
        ("estimator", "predict", "Ridge", "LogisticRegression"),
        (model,),
        shown=("ndarray", "str", "None", "Ridge", "LogisticRegression"),
    )


def structure_case(rng):
    """Draw the rank of a regressor in a target of odd structure."""
    structure = str(rng.choice(list(STRUCTURES)))
    target = STRUCTURES[structure](rng, plain_target(rng))
    X = plain_table()[: len(target["group"])]
    model = Ridge().fit(plain_table(), np.arange(12.0))

    def right():
        if not len(X):
            raise Meaningless("no rows")
        return np.array(reference.ranks(target, model.predict(X).tolist()))

    return Case(
        "rank",
        "structure",
        structure,
        lambda: rank(model, X, Groups.from_arrays(**target)),
        right,
        ("X", "groups", "preference", "item", "weight"),
        tuple(target.values()),
        shown=("0",),
    )


CASES = (
    ratings_column_case,
    ratings_column_case,
    ratings_table_case,
    option_case,
    ranking_case,
    any_model_case,
    no_model_case,
    structure_case,
)
