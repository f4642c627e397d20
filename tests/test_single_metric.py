"""A metric by itself, and all of them in a comparison."""

import re

import numpy as np
import pandas as pd
import pytest
from cases import SEED, linear_groups
from scipy import sparse

from sklearn_pscore import Groups, RankSumRanker, SingleMetricRanker
from sklearn_pscore.metrics import pairwise_accuracy_score, pairwise_accuracy_scorer
from sklearn_pscore.model_selection import PreferenceGroupKFold, compare_rankers

X, GROUPS = linear_groups()
FRAME = pd.DataFrame(X, columns=["SSIM", "FID", "mine"])


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ("larger", X[:, 1]),
        ("smaller", -X[:, 1]),
        ("nearest_zero", -np.abs(X[:, 1])),
        ("learn", -X[:, 1]),
        ("auto", -X[:, 1]),
    ],
)
@pytest.mark.parametrize("feature", [1, "FID"])
def test_score_is_the_metric_with_its_sign(feature, direction, expected):
    ranker = SingleMetricRanker(feature, direction).fit(FRAME, GROUPS)
    np.testing.assert_array_equal(ranker.predict(FRAME), expected)
    assert ranker.column_ == 1
    assert ranker.direction_ in ("larger", "smaller", "nearest_zero")
    assert ranker.n_groups_ == 30


def test_auto_goes_by_the_name_and_learn_by_the_preferences():
    against = Groups.from_arrays(group=GROUPS["group"], preference=X[:, 1])
    named = SingleMetricRanker("FID").fit(FRAME, against)
    assert named.direction_ == "smaller"
    assert SingleMetricRanker("FID", "learn").fit(FRAME, against).direction_ == "larger"
    # Without its name it is learnt.
    assert SingleMetricRanker(1).fit(X, against).direction_ == "larger"
    assert SingleMetricRanker("mine").fit(FRAME, GROUPS).direction_ in (
        "larger",
        "smaller",
    )


@pytest.mark.parametrize("direction", ["larger", "smaller", "nearest_zero", "learn"])
def test_none_is_the_column_that_agrees_best(direction):
    rng = np.random.default_rng(SEED)
    for _ in range(20):
        Z = rng.normal(size=(150, 4))
        ranker = SingleMetricRanker(direction=direction).fit(Z, GROUPS)
        signed = {
            "larger": [Z],
            "smaller": [-Z],
            "nearest_zero": [-np.abs(Z)],
            "learn": [Z, -Z],
        }[direction]
        accuracy = np.max(
            [[pairwise_accuracy_score(GROUPS, z) for z in table.T] for table in signed],
            axis=0,
        )
        assert ranker.column_ == np.argmax(accuracy)
        assert ranker.score(Z, GROUPS) == pytest.approx(accuracy.max())


def test_ties_go_to_the_first_column_and_to_larger():
    groups = Groups.from_arrays(group=[0, 0, 1, 1], preference=[0, 1, 0, 1])
    half = np.array([[0.0], [1.0], [1.0], [0.0]])
    assert SingleMetricRanker().fit(half, groups).direction_ == "larger"
    best = SingleMetricRanker().fit(np.repeat(X[:4, :1], 3, axis=1), groups)
    assert best.column_ == 0


def test_preferences_are_needed_only_to_learn():
    unjudged = Groups.from_arrays(group=GROUPS["group"])
    for ranker in (SingleMetricRanker("FID"), SingleMetricRanker(2, "larger")):
        assert ranker.fit(FRAME, unjudged).n_groups_ == 30
    for ranker in (SingleMetricRanker(), SingleMetricRanker("FID", "learn")):
        with pytest.raises(ValueError, match="groups has no preference"):
            ranker.fit(FRAME, unjudged)


def test_weights_and_donors_count_as_in_the_metrics():
    groups = Groups.from_arrays(
        group=[0, 0, 0, 1, 1, 1],
        preference=[0, 1, 2, 0, 1, 2],
        weight=[1, 1, 0, 1, 1, 1],
        donor=[0, 0, 0, 1, 1, 1],
    )
    Z = np.array([[0.0], [1.0], [-9.0], [3.0], [2.0], [1.0]])
    ranker = SingleMetricRanker().fit(Z, groups)
    assert ranker.direction_ == "larger"
    assert ranker.n_groups_ == 1


@pytest.mark.parametrize("direction", ["larger", "nearest_zero", "learn"])
def test_a_missing_metric_has_the_median_score(direction):
    Z = X.copy()
    Z[::4, 1] = np.nan
    ranker = SingleMetricRanker(1, direction).fit(Z, GROUPS)
    scores, is_missing = ranker.predict(Z), np.isnan(Z[:, 1])
    signed = -np.abs(X[:, 1]) if direction == "nearest_zero" else X[:, 1]
    signed = -signed if direction == "learn" else signed
    np.testing.assert_array_equal(scores[~is_missing], signed[~is_missing])
    assert set(scores[is_missing]) == {np.median(signed[~is_missing])}
    # The direction is learnt with them.
    best = SingleMetricRanker().fit(Z, GROUPS)
    filled = np.where(np.isnan(Z), np.nanmedian(Z, axis=0), Z)
    assert best.column_ == SingleMetricRanker().fit(filled, GROUPS).column_ == 0


def test_a_metric_that_is_always_missing_ranks_nobody():
    ranker = SingleMetricRanker(0).fit(np.full((150, 1), np.nan), GROUPS)
    assert ranker.missing_score_ == 0
    assert ranker.predict([[np.nan], [np.nan]]).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("parameters", "table", "message"),
    [
        (
            {"feature": "PSNR"},
            FRAME,
            "feature is 'PSNR' but X has the columns ['SSIM', ",
        ),
        ({"feature": "PSNR"}, X, "feature is 'PSNR' but X has no column names"),
        (
            {"feature": 3},
            X,
            "feature is 3 but X has 3 columns; expected a number from 0",
        ),
        ({"feature": -1}, X, "Got -1 instead"),
        ({"feature": True}, X, "must not be a bool"),
        ({"direction": "up"}, X, "Got 'up' instead"),
        ({}, X[:1], "minimum of 2 is required"),
    ],
)
def test_bad_input_is_told(parameters, table, message):
    ranker = SingleMetricRanker(**parameters)
    with pytest.raises(ValueError, match=re.escape(message)):
        ranker.fit(table, GROUPS[: len(table)])
    assert vars(ranker) == SingleMetricRanker(**parameters).__dict__


def test_a_target_without_a_pair_is_told():
    tied = Groups.from_arrays(group=GROUPS["group"], preference=np.ones(150))
    with pytest.raises(ValueError, match="No comparable pairs"):
        SingleMetricRanker(0, "learn").fit(X, tied)


def test_every_metric_is_compared_with_its_direction_of_the_training_folds():
    folds = PreferenceGroupKFold(5)
    rankers = {"sum": RankSumRanker(directions=["larger", "smaller", "larger"])}
    comparison = compare_rankers(
        rankers,
        FRAME,
        GROUPS,
        cv=folds,
        scoring={"accuracy": pairwise_accuracy_scorer},
        single_metrics=True,
    )
    assert comparison.methods == ("GT", "sum", "SSIM", "FID", "mine")
    rows = comparison.rows.set_index(["method", "fold"])["accuracy"]
    n_against = 0
    for number, (train, test) in enumerate(folds.split(X, GROUPS)):
        for column, name in enumerate(FRAME):
            in_training = pairwise_accuracy_score(GROUPS[train], X[train, column])
            held_out = pairwise_accuracy_score(GROUPS[test], X[test, column])
            expected = held_out if in_training >= 0.5 else 1 - held_out
            assert rows[name, number] == pytest.approx(expected)
            n_against += expected < 0.5
    # The useless metric is below chance in some fold: no direction is judged by itself.
    assert n_against > 0


def test_metrics_alone_and_without_names():
    comparison = compare_rankers(
        {}, X.tolist(), GROUPS, test=(X, GROUPS), single_metrics=True, truth=None
    )
    assert comparison.methods == ("x0", "x1", "x2")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"single_metrics": 1},
            TypeError,
            "single_metrics is int 1; expected True or False",
        ),
        (
            {"X": sparse.csr_array(X)},
            TypeError,
            "single_metrics=True with a sparse X of shape (150, 3)",
        ),
        (
            {"X": FRAME.assign(mine="text")},
            TypeError,
            "X is 'text', of type str, at row 0, column 'mine'",
        ),
        (
            {"X": FRAME.rename(columns={"mine": "ours"})},
            ValueError,
            "column 2 of X is 'ours', the name of another row of the tables",
        ),
        (
            {"X": FRAME.rename(columns={"mine": "GT"})},
            ValueError,
            "column 2 of X is 'GT', the name of another row of the tables",
        ),
        (
            {"X": FRAME.set_axis(["a", "b", "a"], axis=1)},
            ValueError,
            "column 2 of X is 'a', the name of another column",
        ),
        (
            {"single_metrics": False, "rankers": {}},
            ValueError,
            "rankers is empty; expected at least one estimator",
        ),
    ],
)
def test_bad_arguments_are_told_before_any_fit(arguments, error, message):
    class Unfitted(RankSumRanker):
        def fit(self, X, y):
            raise AssertionError

    arguments = {
        "rankers": {"ours": Unfitted()},
        "X": FRAME,
        "groups": GROUPS,
        "cv": 3,
        "single_metrics": True,
        **arguments,
    }
    with pytest.raises(error, match=re.escape(message)):
        compare_rankers(**arguments, error_score="raise")
