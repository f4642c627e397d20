"""Missing metrics in the baselines: NaN in X, against counting by hand."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils import get_tags

from sklearn_pscore import Groups, RankSumRanker, TopCountRanker

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
