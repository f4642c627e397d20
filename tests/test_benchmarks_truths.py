"""The truths of the large ranking problems in benchmarks/speed/."""

import re

import numpy as np
import pytest

from benchmarks.speed.ranked_groups import SparseThresholds, UselessFeatures
from sklearn_pscore import Groups
from sklearn_pscore.metrics import ndcg_score, pairwise_accuracy_score

TRUTHS = [UselessFeatures, SparseThresholds]


@pytest.fixture(params=TRUTHS, ids=lambda truth: truth.__name__)
def truth(request):
    return request.param()


def test_a_draw_depends_on_its_seed_alone(truth):
    X, grade, group = truth.draw(500, seed=3)
    again = type(truth)().draw(500, seed=3)
    for values, others in zip((X, grade, group), again, strict=True):
        np.testing.assert_array_equal(values, others)
    assert X.dtype == np.float32
    assert not np.isin(X[:, 0], truth.draw(500, seed=4)[0][:, 0]).any()
    assert np.bincount(group).tolist() == [100] * 5


def test_grades_are_ranks_of_the_noisy_truth(truth):
    X, grade, group = truth.draw(100_000, seed=0)
    for of_group in grade.reshape(-1, 100):
        assert np.bincount(of_group).tolist() == [50, 25, 14, 7, 4]
    noise_free = truth.utility(X).reshape(-1, 100).argmax(axis=1)
    best = grade.reshape(-1, 100)[np.arange(1000), noise_free]
    assert 2.5 < best.mean() < 4  # the noise takes the first place from many


def test_a_group_that_is_cut_is_refused(truth):
    message = "n_rows is 250; expected a multiple of 100"
    with pytest.raises(ValueError, match=re.escape(message)):
        truth.draw(250, seed=0)


def test_the_best_score_with_useless_features_is_as_stated():
    truth = UselessFeatures()
    X, grade, group = truth.draw(300_000, seed=0)
    groups = Groups.from_arrays(group=group, preference=grade)
    best = truth.utility(X)
    assert ndcg_score(groups, best, k=10, gain="exponential") == pytest.approx(
        0.870, abs=0.003
    )
    assert pairwise_accuracy_score(groups, best) == pytest.approx(0.912, abs=0.002)


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth.__name__)
def test_the_truth_reads_useful_features_only(truth):
    truth = truth()
    X = truth.draw(2000, seed=0)[0]
    rng = np.random.default_rng(0)
    useful = [
        column
        for column in range(truth.n_features)
        if not np.array_equal(
            truth.utility(_permuted(X, column, rng)), truth.utility(X)
        )
    ]
    if isinstance(truth, UselessFeatures):
        assert useful == [*range(21)]
    else:
        assert useful == [*range(16), *range(36, 60)]


def _permuted(X, column, rng):
    X = X.copy()
    X[:, column] = rng.permutation(X[:, column])
    return X


def test_sparse_features_are_counts_in_one_row_of_twenty():
    X = SparseThresholds().draw(20_000, seed=0)[0][:, 36:]
    np.testing.assert_allclose((X > 0).mean(axis=0), 0.05, atol=0.01)
    np.testing.assert_array_equal(X, np.round(X))
    assert X.min() == 0
    assert np.median(X.max(axis=0)) > 20


def test_a_product_has_no_main_effect():
    truth = UselessFeatures()
    X = truth.draw(100_000, seed=0)[0]
    utility = truth.utility(X)
    correlation = [abs(np.corrcoef(X[:, k], utility)[0, 1]) for k in range(2)]
    assert max(correlation) < 0.01
    assert np.corrcoef(X[:, 0] * X[:, 1], utility)[0, 1] > 0.4
