"""Means of items: ties by rounding, extreme values, and what must stay apart."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore import Groups, PairAugmenter, RankSumRanker, TopCountRanker
from sklearn_pscore._means import item_means, tied_means
from sklearn_pscore._segments import Segments
from sklearn_pscore.metrics import (
    kendall_tau_score,
    pairwise_accuracy_score,
    rank_items,
)

LARGEST = np.finfo(float).max


def means(*items, group=None):
    """Return the means of lists of values, of one group."""
    values = np.concatenate([np.sort(np.array(item, float)) for item in items])
    group = np.zeros(len(items), int) if group is None else np.array(group)
    return item_means(Segments(np.array(list(map(len, items)))), values, group)


def test_a_mean_takes_the_value_of_a_single_row_that_only_rounding_tells_apart():
    assert (0.1 + 0.2) / 2 != 0.15
    assert means([0.1, 0.2], [0.15]).tolist() == [0.15, 0.15]
    assert means([0.15], [0.1, 0.2], [0.3, 0.0]).tolist() == [0.15] * 3
    # Of other groups the same values are apart.
    assert means([0.1, 0.2], [0.15], group=[0, 1])[0] != 0.15


def test_means_that_only_rounding_tells_apart_tie_with_each_other():
    first, second = means([0.1, 0.2], [0.3, 0.0, 0.15])
    assert first == second
    assert sum([0.0, 0.15, 0.3]) / 3 != (0.1 + 0.2) / 2


def test_sums_that_cancel_tie_with_zero():
    assert 0.3 - 0.1 - 0.2 != 0
    assert means([0.3, -0.1, -0.2], [0.0]).tolist() == [0.0, 0.0]


def test_single_rows_and_rows_of_one_value_stay_exact():
    above = np.nextafter(0.15, 1)
    assert means([0.15], [above]).tolist() == [0.15, above]
    assert means([0.15] * 3, [above] * 2).tolist() == [0.15, above]
    # The mean lies between the two, and ties with one of them.
    first, second, third = means([0.15], [above], [0.1, 0.2])
    assert (first, second) == (0.15, above)
    assert third in (first, second)


def test_what_differs_by_more_than_rounding_stays_apart():
    assert len(set(means([0.1, 0.2], [0.15 + 1e-14]))) == 2
    assert len(set(means([1, 2], [1, 2 + 1e-12], [1.5 - 1e-12]))) == 3


@pytest.mark.parametrize("seed", range(30))
def test_means_of_decimals_tie_where_the_exact_ones_do(seed):
    rng = np.random.default_rng(seed)
    n_decimals = rng.integers(1, 4)
    items = [
        rng.integers(-20, 20, size=rng.integers(1, 9))
        for _ in range(rng.integers(2, 40))
    ]
    exact = [Fraction(int(item.sum()), len(item)) for item in items]
    found = means(*[item / 10.0**n_decimals for item in items])
    for i in range(len(items)):
        for j in range(i):
            assert (found[i] == found[j]) == (exact[i] == exact[j])
            assert (found[i] < found[j]) == (exact[i] < exact[j])
    assert_allclose(
        found, np.array(exact, float) / 10.0**n_decimals, rtol=1e-14, atol=1e-16
    )


@pytest.mark.parametrize("k", [-1000, -500, 0, 500, 1000, 1023])
def test_means_are_equal_up_to_the_scale(k):
    rng = np.random.default_rng(0)
    items = [rng.normal(size=size) / 4 for size in (1, 2, 3, 4, 1, 2)]
    items += [[0.1, 0.2], [0.15]]
    scaled = means(*[np.ldexp(item, k) for item in items])
    assert_array_equal(scaled, np.ldexp(means(*items), k))


def test_means_of_the_largest_numbers_are_finite():
    items = [LARGEST] * 3, [-LARGEST, LARGEST], [LARGEST, LARGEST / 2], [1e-310]
    found = means(*items, group=[0, 0, 0, 1])
    assert found.tolist() == [LARGEST, 0.0, LARGEST * 0.75, 1e-310]
    found = means([-LARGEST] * 5, [LARGEST, np.nextafter(LARGEST, 0)])
    assert found[0] == -LARGEST
    assert np.isfinite(found).all()


def test_ties_do_not_depend_on_the_order_of_the_items():
    rng = np.random.default_rng(0)
    exact = rng.choice([0.15, np.nextafter(0.15, 1), 0.3], size=40)
    n_rows, group = rng.integers(1, 4, size=40), rng.integers(0, 3, size=40)
    largest = np.full(40, 0.3)
    expected = tied_means(exact, n_rows, largest, group)
    order = rng.permutation(40)
    found = tied_means(exact[order], n_rows[order], largest[order], group[order])
    assert_array_equal(found, expected[order])
    assert_array_equal(expected[n_rows == 1], exact[n_rows == 1])


GROUPS = Groups.from_arrays(
    group=[0, 0, 0, 0, 0], preference=[2, 2, 1, 1, 3], item=[0, 0, 1, 1, 2]
)
SCORE = np.array([0.1, 0.2, 0.3, 0.0, 0.15])


def test_metrics_and_ranks_count_such_ties():
    assert pairwise_accuracy_score(GROUPS, SCORE) == 0.5
    assert kendall_tau_score(GROUPS, SCORE) == 0.0
    assert rank_items(GROUPS, SCORE).tolist() == [2.0] * 5


@pytest.mark.parametrize("ranker", [RankSumRanker, TopCountRanker])
def test_baselines_count_such_ties(ranker):
    X = np.stack([SCORE, -SCORE], axis=1)
    fitted = ranker(directions="larger").fit(X, GROUPS)
    assert len(set(fitted.predict(X, GROUPS))) == 1
    assert fitted.rank(X, GROUPS).tolist() == [2.0] * 5


@pytest.mark.parametrize("ranker", [RankSumRanker, TopCountRanker])
def test_scores_among_training_rows_tie_whatever_the_order_of_the_features(ranker):
    X = np.random.default_rng(0).permuted(np.tile(np.arange(11.0), (5, 1)), axis=1).T
    fitted = ranker(directions="larger").fit(X, np.arange(11.0))
    rows = np.array([[1.0, 3, 7, 8, 10]])
    shuffled = np.concatenate(
        [rows[:, np.random.default_rng(k).permutation(5)] for k in range(30)]
    )
    assert len(set(fitted.predict(shuffled))) == 1
    if ranker is RankSumRanker:
        # Ranks of another sum each, but of the same sum.
        assert len(set(fitted.predict([[1.0, 3, 7, 8, 10], [2.0, 4, 7, 6, 10]]))) == 1


def test_augmented_items_have_such_ties():
    X = np.stack([SCORE, np.arange(5.0)], axis=1)
    with pytest.warns(UserWarning, match="made no items"):
        X_more, _ = PairAugmenter().augment(X, GROUPS)
    assert X_more.tolist() == [[0.15, 0.5], [0.15, 2.5], [0.15, 4.0]]
