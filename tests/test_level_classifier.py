"""LevelClassifierRanker: levels, outputs, weights and errors."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_pscore._rankers.level_classifier import (
    LevelClassifierRanker,
    _preference_levels,
)
from sklearn_pscore._target.groups import Groups
from sklearn_pscore.metrics import pairwise_accuracy_score, rank_items


# test_contract.py runs them with the defaults.
@parametrize_with_checks([LevelClassifierRanker(n_levels=3, output="label")])
def test_scikit_learn_contract(estimator, check):
    # The checks make the assertions.
    assert check(estimator) is None


def _ratings(seed=0, n_groups=12, n_items=5, n_levels=3):
    """Ratings 0, 10, 20, ... that the first of three metrics mostly shows."""
    rng = np.random.default_rng(seed)
    n_rows = n_groups * n_items
    level = rng.integers(n_levels, size=n_rows)
    X = rng.normal(size=(n_rows, 3))
    X[:, 0] += 2.0 * level
    groups = Groups.from_arrays(
        group=np.repeat(np.arange(n_groups), n_items), preference=10.0 * level
    )
    return X, groups


# Levels


@pytest.mark.parametrize(
    ("preference", "n_levels", "labels", "means"),
    [
        ([0, 10, 0, 0], None, [0, 1, 0, 0], [0, 10]),
        ([0.5, -1, 3], None, [1, 0, 2], [-1, 0.5, 3]),
        # No more distinct values than levels: nothing is merged.
        ([0, 10, 0, 0], 5, [0, 1, 0, 0], [0, 10]),
        ([7, 8, 8, 8, 8, 9], 3, [0, 1, 1, 1, 1, 2], [7, 8, 9]),
        ([0] * 8 + [1, 2], 3, [0] * 8 + [1, 2], [0, 1, 2]),
        # Equal shares of four and of two, in any order.
        ([4, 1, 3, 2], 2, [1, 0, 1, 0], [1.5, 3.5]),
        ([1, 2, 3, 4, 5, 6, 7, 8], 4, [0, 0, 1, 1, 2, 2, 3, 3], [1.5, 3.5, 5.5, 7.5]),
        # An uneven number: (2 * 2 + 1) / 10 of the rows is past one half.
        ([1, 2, 3, 4, 5], 2, [0, 0, 1, 1, 1], [1.5, 4]),
        # A heavy tie at either end leaves two levels.
        ([0] * 8 + [1, 2], 2, [0] * 8 + [1, 1], [0, 1.5]),
        ([0, 1] + [2] * 8, 2, [0, 0] + [1] * 8, [0.5, 2]),
        # The tie swallows the second of three bins.
        ([0] * 8 + [1, 2, 3], 3, [0] * 8 + [1, 1, 1], [0, 2]),
    ],
)
def test_levels_of_a_preference(preference, n_levels, labels, means):
    levels, label = _preference_levels(np.asarray(preference, dtype=float), n_levels)
    assert_array_equal(label, labels)
    assert_allclose(levels, means, rtol=1e-15)


@pytest.mark.parametrize("n_levels", [2, 3, 4, 7])
def test_quantile_levels_keep_the_order_and_at_least_two(n_levels):
    rng = np.random.default_rng(n_levels)
    for _ in range(200):
        preference = rng.integers(rng.integers(2, 12), size=rng.integers(2, 40))
        preference = np.r_[preference, preference.min() - 1].astype(float)
        levels, label = _preference_levels(preference, n_levels)
        assert 2 <= len(levels) <= max(n_levels, 2)
        assert_array_equal(np.unique(label), np.arange(len(levels)))
        worse = preference[:, None] < preference
        assert np.all((label[:, None] <= label)[worse])
        same = preference[:, None] == preference
        assert np.all((label[:, None] == label)[same])


def test_quantile_levels_of_a_continuous_preference_are_of_equal_size():
    preference = np.random.default_rng(0).normal(size=103)
    _, label = _preference_levels(preference, 5)
    assert np.ptp(np.bincount(label)) <= 1
    assert len(np.bincount(label)) == 5


# Fit and predict


def test_expected_level_is_the_probability_weighted_sum():
    X, groups = _ratings()
    ranker = LevelClassifierRanker(GaussianNB()).fit(X, groups)
    label = (groups["preference"] / 10).astype(int)
    proba = GaussianNB().fit(X, label).predict_proba(X)
    expected = 0 * proba[:, 0] + 1 * proba[:, 1] + 2 * proba[:, 2]
    assert_allclose(ranker.predict(X), expected, rtol=1e-12)
    assert_array_equal(ranker.levels_, [0, 10, 20])


def test_label_is_the_number_of_the_predicted_level():
    X, groups = _ratings()
    ranker = LevelClassifierRanker(GaussianNB(), output="label").fit(X, groups)
    score = ranker.predict(X)
    assert score.dtype == np.float64
    assert_array_equal(score, ranker.classifier_.predict_proba(X).argmax(axis=1))


@pytest.mark.parametrize("n_levels", [2, 3], ids=["binary", "multiclass"])
@pytest.mark.parametrize("output", ["expected", "label"])
def test_catboost(n_levels, output):
    X, groups = _ratings(n_levels=n_levels)
    classifier = CatBoostClassifier(
        iterations=20,
        depth=3,
        verbose=0,
        allow_writing_files=False,
        random_state=0,
        thread_count=1,
    )
    ranker = LevelClassifierRanker(classifier, output=output)
    score = clone(ranker).fit(X, groups).predict(X)
    assert score.shape == (len(X),)
    assert 0 <= score.min() < score.max() <= n_levels - 1
    assert pairwise_accuracy_score(groups, score) > 0.8
    assert_array_equal(clone(ranker).fit(X, groups).predict(X), score)
    ranker.set_params(classifier__random_state=1)
    assert ranker.get_params()["classifier__random_state"] == 1


def test_no_classifier_is_a_decision_tree():
    X, groups = _ratings()
    ranker = LevelClassifierRanker(random_state=3).fit(X, groups)
    tree = LevelClassifierRanker(DecisionTreeClassifier(random_state=3)).fit(X, groups)
    assert isinstance(ranker.classifier_, DecisionTreeClassifier)
    assert ranker.classifier_.random_state == 3
    assert_array_equal(ranker.predict(X), tree.predict(X))


def test_given_classifier_stays_unfitted():
    X, groups = _ratings()
    classifier = GaussianNB()
    LevelClassifierRanker(classifier).fit(X, groups)
    assert not hasattr(classifier, "classes_")


@pytest.mark.parametrize("n_levels", [9, 17, 40])
def test_rows_of_one_leaf_tie_exactly(n_levels):
    X, groups = _ratings(n_groups=80, n_levels=n_levels)
    ranker = LevelClassifierRanker(DecisionTreeClassifier(max_leaf_nodes=5))
    ranker.fit(X, groups)
    for n_rows in (*range(5, 70), 400):
        leaf = ranker.classifier_.apply(X[:n_rows])
        score = ranker.predict(X[:n_rows])
        assert len(np.unique(score)) == len(np.unique(leaf))


def test_donors_and_rows_of_weight_zero_are_left_out():
    X, groups = _ratings()
    kept = np.arange(len(X)) % 4 != 0
    alone = Groups.whole(groups[kept])
    expected = LevelClassifierRanker(GaussianNB()).fit(X[kept], alone)
    # The rows that are left out have another level, or were never judged.
    donors = Groups.from_arrays(
        group=groups["group"],
        preference=np.where(kept, groups["preference"], np.nan),
        donor=~kept,
    )
    zeros = Groups.from_arrays(
        group=groups["group"],
        preference=np.where(kept, groups["preference"], -99),
        weight=kept.astype(float),
    )
    for target in (donors, zeros):
        ranker = LevelClassifierRanker(GaussianNB()).fit(X, target)
        assert_array_equal(ranker.levels_, [0, 10, 20])
        assert_array_equal(ranker.predict(X), expected.predict(X))


def test_weights_reach_the_classifier():
    X, groups = _ratings()
    weight = 1.0 + np.arange(len(X)) % 3
    weighted = Groups.from_arrays(
        group=groups["group"], preference=groups["preference"], weight=weight
    )
    repeated = np.repeat(np.arange(len(X)), weight.astype(int))
    ranker = LevelClassifierRanker(GaussianNB()).fit(X, weighted)
    expected = LevelClassifierRanker(GaussianNB()).fit(X[repeated], groups[repeated])
    plain = LevelClassifierRanker(GaussianNB()).fit(X, groups)
    assert_allclose(ranker.predict(X), expected.predict(X), rtol=1e-9)
    assert np.abs(ranker.predict(X) - plain.predict(X)).max() > 1e-3


@pytest.mark.parametrize("factor", [2.0**60, 2.0**-1000])
def test_a_common_factor_of_the_weights_changes_nothing(factor):
    X, groups = _ratings()
    for weight in (np.ones(len(X)), 1.0 + np.arange(len(X)) % 3):
        scores = []
        for weights in (weight, factor * weight):
            target = Groups.from_arrays(
                group=groups["group"], preference=groups["preference"], weight=weights
            )
            # Its penalty would count for less if all rows weighed more.
            ranker = LevelClassifierRanker(LogisticRegression(C=0.01))
            scores.append(ranker.fit(X, target).predict(X))
        assert_array_equal(scores[1], scores[0])


@pytest.mark.parametrize(
    "classifier",
    [KNeighborsClassifier(), make_pipeline(StandardScaler(), LogisticRegression())],
    ids=["knn", "pipeline"],
)
def test_weights_that_the_classifier_cannot_take_are_ignored_aloud(classifier):
    X, groups = _ratings()
    weighted = Groups.from_arrays(
        group=groups["group"],
        preference=groups["preference"],
        weight=np.where(np.arange(len(X)) % 2, 0.5, 2.0),
    )
    with pytest.warns(
        UserWarning, match=re.escape("groups has weights from 0.5 to 2, but")
    ):
        ranker = LevelClassifierRanker(classifier).fit(X, weighted)
    expected = LevelClassifierRanker(classifier).fit(X, groups)
    assert_array_equal(ranker.predict(X), expected.predict(X))


def test_a_level_per_row_warns_with_groups_and_bins_do_not():
    X, groups = _ratings()
    preference = np.random.default_rng(0).normal(size=len(X))
    continuous = Groups.from_arrays(group=groups["group"], preference=preference)
    message = "groups has 60 distinct preferences over 60 rows"
    with pytest.warns(UserWarning, match=re.escape(message)):
        LevelClassifierRanker().fit(X, continuous)
    ranker = LevelClassifierRanker(n_levels=5).fit(X, continuous)
    assert len(ranker.levels_) == 5
    # scikit-learn's checks send a plain target: no warning.
    assert len(LevelClassifierRanker().fit(X, preference).levels_) == 60


def test_quantile_levels_learn_a_continuous_preference():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    groups = Groups.from_arrays(
        group=np.repeat(np.arange(30), 10),
        preference=2 * X[:, 0] + X[:, 1] + 0.1 * rng.normal(size=300),
    )
    train, test = np.arange(300) < 150, np.arange(300) >= 150
    ranker = LevelClassifierRanker(LogisticRegression(), n_levels=6)
    ranker.fit(X[train], groups[train])
    assert ranker.score(X[test], groups[test]) > 0.9
    shuffled = groups[train].copy()
    shuffled["preference"] = rng.permutation(shuffled["preference"])
    ranker.fit(X[train], shuffled)
    assert abs(ranker.score(X[test], groups[test]) - 0.5) < 0.25


def test_rank_and_score_are_those_of_the_metrics():
    X, groups = _ratings()
    ranker = LevelClassifierRanker(GaussianNB()).fit(X, groups)
    score = ranker.predict(X)
    assert_array_equal(ranker.rank(X, groups), rank_items(groups, score))
    assert ranker.score(X, groups) == pairwise_accuracy_score(groups, score)
    assert ranker.score(X, groups) > 0.8


def test_frames_pickles_and_searches():
    X, groups = _ratings()
    frame = pd.DataFrame(X, columns=["SSIM", "FID", "mine"])
    ranker = LevelClassifierRanker(random_state=0)
    search = GridSearchCV(ranker, {"n_levels": [2, None], "output": ["label"]}, cv=3)
    search.fit(frame, groups)
    best = search.best_estimator_
    assert best.feature_names_in_.tolist() == ["SSIM", "FID", "mine"]
    assert np.all(search.cv_results_["mean_test_score"] > 0.6)
    copy = pickle.loads(pickle.dumps(best))
    assert_array_equal(copy.predict(frame), best.predict(frame))


# Refusals


class _NoClassifier(BaseEstimator):
    def predict(self, X):
        return np.zeros(len(X))


def _with_preference(preference, group=None):
    n_rows = len(preference)
    if group is None:
        group = np.zeros(n_rows, dtype=int)
    return Groups.from_arrays(group=group, preference=preference)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (
            {"n_levels": 1},
            ValueError,
            "an int in the range [2, inf) or None. Got 1 instead.",
        ),
        (
            {"n_levels": True},
            ValueError,
            "an int in the range [2, inf) or None. Got True instead.",
        ),
        ({"n_levels": 2.5}, ValueError, "[2, inf) or None. Got 2.5 instead."),
        (
            {"output": "proba"},
            ValueError,
            "The 'output' parameter of LevelClassifierRanker must be a str among {",
        ),
        ({"output": "proba"}, ValueError, "}. Got 'proba' instead."),
        ({"output": None}, ValueError, "}. Got None instead."),
        (
            {"classifier": LinearSVC()},
            TypeError,
            "classifier is LinearSVC(), which has no predict_proba; "
            "output='expected' needs the probability of each level. Pass output='label'",
        ),
        ({"classifier": GaussianNB}, TypeError, "expected an instance of a classifier"),
        (
            {"classifier": "tree"},
            TypeError,
            "'get_params' or None. Got 'tree' instead.",
        ),
        (
            {"classifier": DecisionTreeRegressor()},
            TypeError,
            "classifier is DecisionTreeRegressor(); expected",
        ),
        (
            {"classifier": _NoClassifier(), "output": "label"},
            TypeError,
            "Got _NoClassifier() instead.",
        ),
    ],
)
def test_bad_parameters(params, error, message):
    X, groups = _ratings()
    ranker = LevelClassifierRanker(GaussianNB()).fit(X, groups)
    ranker.set_params(**params)
    before = dict(vars(ranker))
    with pytest.raises(error, match=re.escape(message)):
        ranker.fit(X, groups)
    assert vars(ranker) == before


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        (
            np.ones((3, 2)),
            _with_preference([1.0, 2.0]),
            ValueError,
            "groups has 2 entries",
        ),
        (
            [[1.0], [np.inf]],
            [1.0, 2.0],
            ValueError,
            "X contains infinity: inf at row 1",
        ),
        (
            np.ones((2, 2)),
            _with_preference([np.nan, 1.0]),
            ValueError,
            "groups has no preference (NaN) in 1 of 2 rows, the first at row 0; "
            "LevelClassifierRanker.fit needs every row judged",
        ),
        (np.ones((1, 2)), _with_preference([1.0]), ValueError, "minimum of 2"),
        (
            np.ones((2, 2)),
            _with_preference([4.0, 4.0]),
            ValueError,
            "No comparable pairs: all preferences are equal within each of the 1 groups",
        ),
        (
            np.ones((2, 2)),
            _with_preference([4.0, 5.0], group=["a", "b"]),
            ValueError,
            "No comparable pairs: 2 items in 2 groups, every group has a single item",
        ),
        (np.ones((2, 2)), [("a", 1), ("a", 2)], TypeError, "groups is list of 2 tuple"),
        (
            np.ones((3, 2)),
            np.ones((3, 2)),
            TypeError,
            "groups is ndarray of shape (3, 2)",
        ),
    ],
)
def test_bad_data_leaves_a_fitted_ranker_as_it_was(X, y, error, message):
    good, groups = _ratings()
    ranker = LevelClassifierRanker(GaussianNB()).fit(good, groups)
    before, score = dict(vars(ranker)), ranker.predict(good)
    with pytest.raises(error, match=re.escape(message)):
        ranker.fit(X, y)
    assert vars(ranker) == before
    assert_array_equal(ranker.predict(good), score)


def test_an_error_of_the_classifier_leaves_a_fitted_ranker_as_it_was():
    X, groups = _ratings()
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    ranker = LevelClassifierRanker(GaussianNB()).fit(frame, groups)
    ranker.set_params(classifier=KNeighborsClassifier(n_neighbors=-1))
    before = dict(vars(ranker))
    with pytest.raises(ValueError, match="n_neighbors"):
        ranker.fit(X[:, :2], groups)
    assert vars(ranker) == before


def test_predict_refuses_other_columns_and_outputs():
    X, groups = _ratings()
    ranker = LevelClassifierRanker(LinearSVC(), output="label").fit(X, groups)
    with pytest.raises(ValueError, match="X has 2 features"):
        ranker.predict(X[:, :2])
    ranker.set_params(output="expected")
    with pytest.raises(TypeError, match="has no predict_proba"):
        ranker.predict(X)
    ranker.set_params(output="labels")
    with pytest.raises(ValueError, match="Got 'labels' instead"):
        ranker.predict(X)


def test_rank_refuses_plain_arrays_and_other_lengths():
    X, groups = _ratings()
    ranker = LevelClassifierRanker(GaussianNB()).fit(X, groups)
    message = "LevelClassifierRanker.rank takes groups as a structured array of Groups"
    with pytest.raises(TypeError, match=re.escape(message)):
        ranker.rank(X, groups["group"])
    with pytest.raises(ValueError, match="groups has 60 entries but X has 5 rows"):
        ranker.rank(X[:5], groups)


def test_weights_that_rounding_would_drop_are_refused():
    X = np.random.default_rng(0).normal(size=(6, 2))
    groups = Groups.from_arrays(
        group=[0] * 6, preference=[0, 1, 2, 0, 1, 2], weight=[1e-200, 1, 1, 1, 1, 0]
    )
    with pytest.raises(
        ValueError, match="weight is 1e-200 in one row and 1 in another"
    ):
        LevelClassifierRanker(random_state=0).fit(X, groups)
