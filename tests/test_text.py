"""Text and dates in X, also text that spells numbers, are refused at every door."""

import re
from decimal import Decimal
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from sklearn.inspection import permutation_importance
from sklearn.pipeline import make_pipeline

from sklearn_pscore import (
    Groups,
    LevelClassifierRanker,
    PairAugmenter,
    PairwisePreferenceRanker,
    RankSumRanker,
    TopCountRanker,
)
from sklearn_pscore.metrics import (
    dcg_score,
    kendall_tau_score,
    mrr_scorer,
    ndcg_score,
    pairwise_accuracy_score,
    pearson_score,
    rank_items,
    reciprocal_rank_score,
    rmse,
    soft_pairwise_accuracy_score,
    spearman_score,
    tie_calibrated_accuracy_score,
)
from tests.cases import quick

X = np.random.default_rng(0).integers(0, 9, size=(20, 2)).astype(float)
GROUPS = Groups.from_arrays(
    group=np.arange(20) // 4, preference=X[:, 0], item=np.arange(20)
)
SPELLED = X.astype(int).astype(str)
AS_OBJECTS = X.astype(object)
AS_OBJECTS[3, 1] = "4.5"
NUMBERS = pd.DataFrame(X, columns=["a", "b"])

# Text, the row and the column that are named.
TEXTS = {
    "array of strings": (SPELLED, 0, 0),
    "array of bytes": (SPELLED.astype("S"), 0, 0),
    "array of strings of any length": (SPELLED.astype(np.dtypes.StringDType()), 0, 0),
    "one string among objects": (AS_OBJECTS, 3, 1),
    "bytes among objects": (
        np.where(AS_OBJECTS == "4.5", np.array(b"4.5", dtype=object), AS_OBJECTS),
        3,
        1,
    ),
    "list": (SPELLED.tolist(), 0, 0),
    "list with one string": ([*X[:-1].tolist(), [1.0, "2"]], 19, 1),
    "pandas object": (NUMBERS.assign(b=SPELLED[:, 1].astype(object)), 0, "b"),
    "pandas string": (NUMBERS.assign(b=pd.array(SPELLED[:, 1], "string")), 0, "b"),
    "pandas arrow": (
        NUMBERS.assign(b=pd.array(SPELLED[:, 1], "string[pyarrow]")),
        0,
        "b",
    ),
    "pandas arrow type": (
        NUMBERS.assign(b=pd.Series(SPELLED[:, 1], dtype=pd.ArrowDtype(pa.string()))),
        0,
        "b",
    ),
    "pandas categorical": (NUMBERS.assign(b=pd.Categorical(SPELLED[:, 1])), 0, "b"),
    "pandas column of one name": (
        pd.DataFrame(AS_OBJECTS, columns=["a", "a"]),
        3,
        "a",
    ),
    "pandas dates": (NUMBERS.assign(b=pd.to_datetime(X[:, 1], unit="D")), 0, "b"),
    "polars": (pl.DataFrame({"a": X[:, 0], "b": SPELLED[:, 1]}), 0, "b"),
    "polars categorical": (
        pl.DataFrame({"a": X[:, 0], "b": SPELLED[:, 1]}).cast({"b": pl.Categorical}),
        0,
        "b",
    ),
    "polars enum": (
        pl.DataFrame({"a": X[:, 0], "b": SPELLED[:, 1]}).cast(
            {"b": pl.Enum(sorted(set(SPELLED[:, 1])))}
        ),
        0,
        "b",
    ),
    "dates": (X.astype("datetime64[D]"), 0, 0),
    "spans of time": (X.astype("timedelta64[s]"), 0, 0),
}

TAKEN = {
    "objects": X.astype(object),
    "objects of several types": np.array(
        [[int(a), Decimal(int(b))] for a, b in X], dtype=object
    ),
    "list": X.tolist(),
    "pandas objects": NUMBERS.astype(object),
    "pandas nullable": NUMBERS.astype({"a": "Int64", "b": "Float32"}),
    "pandas categorical of numbers": NUMBERS.astype("category"),
    "pandas bool": NUMBERS.assign(b=X[:, 1] > 3),
    "pandas arrow type": NUMBERS.astype(pd.ArrowDtype(pa.float64())),
    "polars": pl.DataFrame(X, schema=["a", "b"]),
    "polars bool": pl.DataFrame({"a": X[:, 0], "b": X[:, 1] > 3}),
}

FITTED = {
    "network": quick().fit(X, GROUPS),
    "RS": RankSumRanker(directions="larger").fit(X, GROUPS),
    "#Top1": TopCountRanker(directions="larger").fit(X, GROUPS),
    "DT": LevelClassifierRanker(n_levels=3).fit(X, GROUPS),
    "pipeline": make_pipeline(PairAugmenter(stitch_sizes=(2,)), quick()).fit(X, GROUPS),
}
AUGMENTER = PairAugmenter(stitch_sizes=(2,)).fit(X, GROUPS)


def doors():
    """Yield (name, function of X) for every public method that takes X."""
    for name, fitted in FITTED.items():
        yield f"{name} fit", partial(fitted.fit, y=GROUPS)
        yield f"{name} predict", fitted.predict
        yield f"{name} score", partial(fitted.score, y=GROUPS)
        yield f"{name} scorer", lambda X, fitted=fitted: mrr_scorer(fitted, X, GROUPS)
        if hasattr(fitted, "rank"):
            yield f"{name} rank", partial(fitted.rank, groups=GROUPS)
    network = FITTED["network"]
    yield "proba a", lambda bad: network.preference_proba(bad, X)
    yield "proba b", lambda bad: network.preference_proba(X, bad)
    yield "partial_fit", partial(quick().partial_fit, y=GROUPS)
    for name in ("RS", "#Top1"):
        yield f"{name} in groups", partial(FITTED[name].predict, groups=GROUPS)
    yield "rank_sums", partial(FITTED["RS"].rank_sums, groups=GROUPS)
    yield "augmenter fit", partial(AUGMENTER.fit, y=GROUPS)
    yield "transform", AUGMENTER.transform
    yield "fit_transform", partial(AUGMENTER.fit_transform, y=GROUPS)
    yield "augment", partial(AUGMENTER.augment, groups=GROUPS)
    for name in ("network", "RS"):
        yield (
            f"permutation of {name}",
            lambda X, ranker=FITTED[name]: permutation_importance(
                ranker, X, GROUPS, scoring=mrr_scorer, n_repeats=1, random_state=0
            ),
        )


DOORS = dict(doors())


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize("text", ["one string among objects", "pandas object"])
def test_text_is_refused_at_every_door(door, text):
    table, row, column = TEXTS[text]
    with pytest.raises(
        TypeError, match=f"X is '.*', .* at row {row}, column {column!r}"
    ):
        door(table)


@pytest.mark.parametrize(("table", "row", "column"), TEXTS.values(), ids=TEXTS)
def test_text_of_every_type_is_refused(table, row, column):
    message = (
        rf"X is .+, of type \w+, at row {row}, column {column!r}; expected numbers"
    )
    for name in ("network", "RS", "DT"):
        with pytest.raises(TypeError, match=message):
            FITTED[name].fit(table, GROUPS)
    with pytest.raises(TypeError, match=message):
        AUGMENTER.augment(table, GROUPS)


@pytest.mark.parametrize("table", TAKEN.values(), ids=TAKEN)
def test_numbers_of_every_type_are_taken(table):
    values = np.asarray(table).astype(float)
    for name in ("RS", "DT"):
        ranker = FITTED[name]
        plain = ranker.fit(values, GROUPS).predict(values)
        assert_array_equal(ranker.fit(table, GROUPS).predict(table), plain)
        ranker.fit(X, GROUPS)


@pytest.mark.parametrize(
    "metric",
    [
        dcg_score,
        kendall_tau_score,
        ndcg_score,
        pairwise_accuracy_score,
        pearson_score,
        rank_items,
        reciprocal_rank_score,
        rmse,
        soft_pairwise_accuracy_score,
        spearman_score,
        tie_calibrated_accuracy_score,
    ],
)
@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        list,
        partial(np.asarray, dtype="S"),
        partial(np.asarray, dtype=object),
        lambda values: np.array([value.encode() for value in values], dtype=object),
        lambda values: np.array([*values[1:].astype(float), "1"], dtype=object),
        partial(pd.Series, dtype="string"),
        pd.Categorical,
        pl.Series,
    ],
)
def test_scores_of_text_are_refused(metric, convert):
    y_score = convert(SPELLED[:, 0])
    with pytest.raises(TypeError, match=r"y_score has dtype .*; expected numbers"):
        metric(GROUPS, y_score)


@pytest.mark.parametrize("field", ["preference", "weight"])
def test_bytes_in_fields_are_refused(field):
    given = {"group": [0, 0], field: np.array([b"1", b"2"], dtype=object)}
    with pytest.raises(
        TypeError, match=re.escape(f"{field} has dtype object, b'1' at row 0; expected")
    ):
        Groups.from_arrays(**given)


def test_a_fitted_ranker_stays_as_it_was():
    ranker = PairwisePreferenceRanker(max_epochs=1, random_state=0).fit(X, GROUPS)
    before = ranker.predict(X)
    with pytest.raises(TypeError, match="expected numbers"):
        ranker.fit(SPELLED, GROUPS)
    assert_array_equal(ranker.predict(X), before)
