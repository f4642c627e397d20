"""Missing metrics in the baselines: NaN in X, against counting by hand."""

import re

import numpy as np
import pytest
from catboost import CatBoostClassifier
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_pscore import (
    Groups,
    LevelClassifierRanker,
    RankSumRanker,
    TopCountRanker,
)

NAN = np.nan


def top_count_by_hand(values):
    """Return, for each entry of a list, 1 if it is the largest; None is missing."""
    there = [v for v in values if v is not None]
    return [float(v is not None and v == max(there)) for v in values]


def rank_sum_by_hand(values):
    """Return minus each entry's mean rank from 0; None gets the mean of the others."""
    there = [v for v in values if v is not None]
    points = []
    for v in values:
        rank = max(len(there) - 1, 0) / 2
        if v is not None:
            n_better = sum(other > v for other in there)
            n_tied = sum(other == v for other in there)
            rank = n_better + (n_tied - 1) / 2
        points.append(-rank)
    return points


BY_HAND = {TopCountRanker: top_count_by_hand, RankSumRanker: rank_sum_by_hand}


def made(seed, with_items=False):
    """Make rows of few distinct values, many of them missing, some metrics of a group."""
    rng = np.random.default_rng(seed)
    n = 60
    X = rng.integers(0, 4, size=(n, 3)).astype(float)
    X[rng.random(X.shape) < 0.4] = NAN
    group = rng.integers(0, 8, size=n)
    X[group == 2, 1] = NAN
    fields = {"group": group, "donor": rng.random(n) < 0.1}
    fields["weight"] = np.where(rng.random(n) < 0.2, 0.0, 1.0)
    if with_items:
        fields["item"] = rng.integers(0, 4, size=n)
    return X, Groups.from_arrays(**fields)


@pytest.mark.parametrize("kind", BY_HAND)
@pytest.mark.parametrize("with_items", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_scores_in_groups_are_those_by_hand(kind, with_items, seed):
    X, groups = made(seed, with_items)
    ranker = kind(directions=["larger", "smaller", "larger"]).fit(X, groups)
    score = ranker.predict(X, groups)
    oriented = X * [1, -1, 1]
    for donor in (False, True):
        rows = np.flatnonzero((groups["donor"] == donor) & (groups["weight"] > 0))
        for label in np.unique(groups["group"][rows]):
            of_group = rows[groups["group"][rows] == label]
            names = groups["item"][of_group] if with_items else of_group
            expected = dict.fromkeys(names.tolist(), 0.0)
            for values in oriented.T:
                means = []
                for name in expected:
                    there = [
                        values[row]
                        for row, other in zip(of_group, names, strict=True)
                        if other == name and values[row] == values[row]
                    ]
                    means.append(sum(there) / len(there) if there else None)
                for name, points in zip(expected, BY_HAND[kind](means), strict=True):
                    expected[name] += points
            assert_allclose(score[of_group], [expected[n] for n in names.tolist()])


@pytest.mark.parametrize("kind", BY_HAND)
@pytest.mark.parametrize("seed", range(3))
def test_places_among_the_training_rows_are_those_by_hand(kind, seed):
    X, groups = made(seed)
    ranker = kind(directions="larger").fit(X, groups)
    kept = ~groups["donor"] & (groups["weight"] > 0)
    training, n_rows = X[kept], kept.sum()
    n_groups = len(np.unique(groups["group"][kept]))
    expected = np.zeros(len(X))
    for i, row in enumerate(X):
        for value, seen in zip(row, training.T, strict=True):
            n_better = sum(other > value for other in seen)
            n_equal = sum(other == value for other in seen)
            n_present = sum(other == other for other in seen)
            if kind is TopCountRanker and value == value:
                expected[i] += (1 - n_better / n_rows) ** (n_rows / n_groups - 1)
            elif kind is RankSumRanker and value == value:
                expected[i] -= (n_better + n_equal / 2) / n_rows
            elif kind is RankSumRanker:
                expected[i] -= n_present / 2 / n_rows
    assert_allclose(ranker.predict(X), expected)


def test_figures_of_a_small_group():
    X = [[9.0, NAN], [NAN, NAN], [5.0, NAN], [7.0, NAN]]
    groups = Groups.from_arrays(group=[0, 0, 0, 0])
    top = TopCountRanker(directions="larger").fit(X, groups)
    assert top.predict(X, groups).tolist() == [1.0, 0.0, 0.0, 0.0]
    rank_sum = RankSumRanker(directions="larger").fit(X, groups)
    # The ranks of those that have it are 0, 1 and 2, and their mean is 1.
    assert rank_sum.rank_sums(X, groups).tolist() == [0.0, 1.0, 2.0, 1.0]
    assert rank_sum.rank(X, groups).tolist() == [1.0, 2.5, 4.0, 2.5]


@pytest.mark.parametrize("kind", BY_HAND)
def test_a_metric_that_is_always_missing_adds_nothing(kind):
    X, groups = made(0)
    beside = np.column_stack([X, np.full(len(X), NAN)])
    ranker = kind(directions="larger").fit(X, groups)
    wider = kind(directions="larger").fit(beside, groups)
    assert_array_equal(wider.predict(beside), ranker.predict(X))
    assert_array_equal(wider.predict(beside, groups), ranker.predict(X, groups))


@pytest.mark.parametrize("kind", BY_HAND)
@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("method", ["fit", "predict", "predict in groups", "rank"])
def test_infinity_is_refused(kind, method, value):
    X, groups = made(0)
    ranker = kind(directions="larger").fit(X, groups)
    infinite = X.copy()
    infinite[5, 1] = value
    arguments = (infinite,) if method == "predict" else (infinite, groups)
    part = f"X contains infinity: {value} at row 5, column 1; expected finite"
    with pytest.raises(ValueError, match=re.escape(part)):
        getattr(ranker, method.split()[0])(*arguments)


@pytest.mark.parametrize("kind", BY_HAND)
def test_tag(kind):
    assert get_tags(kind()).input_tags.allow_nan


class TestLevelClassifierRanker:
    """What is missing goes to the classifier, where it takes it."""

    TAKES = [
        None,
        DecisionTreeClassifier(random_state=0),
        RandomForestClassifier(5, random_state=0),
        HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=2),
        CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False),
    ]

    @staticmethod
    def rated(n_groups=20):
        """Make groups of three, of which people prefer the one without a first metric."""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(3 * n_groups, 3))
        is_missing = np.tile([False, True, False], n_groups)
        X[is_missing, 0] = NAN
        group = np.repeat(np.arange(n_groups), 3)
        return X, Groups.from_arrays(group=group, preference=is_missing * 1.0)

    @pytest.mark.parametrize("output", ["expected", "label"])
    @pytest.mark.parametrize("classifier", TAKES, ids=lambda c: type(c).__name__)
    def test_takes_it_as_the_classifier_does(self, classifier, output):
        X, groups = self.rated()
        ranker = LevelClassifierRanker(classifier, output=output, random_state=0)
        assert get_tags(ranker).input_tags.allow_nan
        ranker.fit(X, groups)
        labels = groups["preference"].astype(int)
        alone = ranker._unfitted_classifier().fit(X, labels)
        expected = np.ravel(alone.predict(X))
        if output == "expected":
            expected = alone.predict_proba(X)[:, 1]
        assert_allclose(ranker.predict(X), expected)
        assert ranker.score(X, groups) == 1

    def test_a_pipeline_takes_or_refuses_it_by_itself(self):
        X, groups = self.rated()
        classifier = make_pipeline(SimpleImputer(add_indicator=True), GaussianNB())
        assert LevelClassifierRanker(classifier).fit(X, groups).score(X, groups) == 1
        search = GridSearchCV(classifier, {"gaussiannb__var_smoothing": [1e-9]}, cv=2)
        assert LevelClassifierRanker(search).fit(X, groups).score(X, groups) == 1
        refusing = LevelClassifierRanker(make_pipeline(StandardScaler(), GaussianNB()))
        with pytest.raises(ValueError, match=r"NaN\.\nGaussianNB does not accept"):
            refusing.fit(X, groups)

    @pytest.mark.parametrize("method", ["fit", "predict", "score", "rank"])
    def test_is_refused_where_the_classifier_takes_none(self, method):
        X, groups = self.rated()
        filled = np.nan_to_num(X)
        ranker = LevelClassifierRanker(GaussianNB()).fit(filled, groups)
        assert not get_tags(ranker).input_tags.allow_nan
        expected = ranker.predict(filled)
        arguments = (X,) if method == "predict" else (X, groups)
        part = (
            "X contains NaN at row 1, column 0; expected numbers, for "
            "LevelClassifierRanker takes no missing values"
        )
        with pytest.raises(ValueError, match=re.escape(part)):
            getattr(ranker, method)(*arguments)
        assert_array_equal(ranker.predict(filled), expected)

    @pytest.mark.parametrize("value", [np.inf, -np.inf])
    @pytest.mark.parametrize("method", ["fit", "predict"])
    def test_infinity_is_refused(self, value, method):
        X, groups = self.rated()
        ranker = LevelClassifierRanker(random_state=0).fit(X, groups)
        X[7, 2] = value
        arguments = (X,) if method == "predict" else (X, groups)
        with pytest.raises(ValueError, match=f"infinity: {value} at row 7, column 2;"):
            getattr(ranker, method)(*arguments)

    def test_sizes_that_the_classifier_cannot_tell_apart_are_noticed(self):
        X, groups = self.rated()
        X[:, 1] = NAN
        for value, part in (
            (1e31, "X holds 1e\\+31 in column 2;"),
            (1e-9, "no value above 1e-09"),
        ):
            X[:, 2] = NAN
            X[4, 2] = value
            with pytest.raises(ValueError, match=part):
                LevelClassifierRanker().fit(X, groups)
        X[4, 2] = NAN
        assert (
            LevelClassifierRanker(random_state=0).fit(X, groups).score(X, groups) == 1
        )

    @pytest.mark.parametrize("classifier", [GaussianNB, object()])
    def test_the_tag_needs_no_classifier(self, classifier):
        assert not get_tags(LevelClassifierRanker(classifier)).input_tags.allow_nan


# Its checks of NaN and infinity, which those of a tree drop.
@parametrize_with_checks([LevelClassifierRanker(GaussianNB())])
def test_scikit_learn_checks_where_the_classifier_takes_none(estimator, check):
    assert check(estimator) is None
