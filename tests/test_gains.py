"""Gains of sorted items, against their definition, the metrics and training."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import rankdata
from sklearn.pipeline import make_pipeline

from sklearn_pscore import Groups, PairAugmenter, PairwisePreferenceRanker
from sklearn_pscore.metrics import dcg_score
from sklearn_pscore.metrics._gains import gains_of

KINDS = ["rank", "linear", "exponential"]


def sorted_items(seed, n_levels=4, n_items=60):
    rng = np.random.default_rng(seed)
    group = np.sort(rng.integers(8, size=n_items)) * 3 - 7
    preference = rng.integers(n_levels, size=n_items) / 2
    order = np.lexsort((preference, group))
    return group[order], preference[order]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("rank", [1.0, 2.5, 2.5, 4.0, 1.5, 1.5, 1.0]),
        ("linear", [0.0, 1.0, 1.0, 3.0, 3.0, 3.0, 0.5]),
        ("exponential", [0.0, 1.0, 1.0, 7.0, 7.0, 7.0, 2**0.5 - 1]),
    ],
)
def test_by_hand(kind, expected):
    group = np.array([0, 0, 0, 0, 1, 1, 9])
    preference = np.array([0.0, 1.0, 1.0, 3.0, 3.0, 3.0, 0.5])
    assert_allclose(gains_of(kind, group, preference), expected)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_levels", [1, 2, 4, 1000])
def test_ranks_are_average_ranks_inside_groups(seed, n_levels):
    group, preference = sorted_items(seed, n_levels)
    ranks = [rankdata(preference[group == label]) for label in np.unique(group)]
    assert_array_equal(gains_of("rank", group, preference), np.concatenate(ranks))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("smallest", [1.0, 1e-8, 1e-300])
def test_are_those_of_the_metrics_to_the_bit(kind, smallest):
    """DCG@1 of a score that puts an item first is the item's gain."""
    group, preference = sorted_items(0)
    preference = preference * smallest
    groups = Groups.from_arrays(group=group, preference=preference)
    gains = gains_of(kind, group, preference)
    for item, label in enumerate(group):
        in_group = group == label
        if np.ptp(preference[in_group]) == 0:
            continue
        score = (np.arange(len(group)) == item)[in_group].astype(float)
        dcg = dcg_score(groups[in_group], score, k=1, gain=kind)
        assert dcg == gains[item]


@pytest.mark.parametrize("preference", [1e-300, 1e-20, 1e-9, 0.3, 1.0, 40.0, 1000.0])
def test_exponential_by_exact_arithmetic(preference):
    with localcontext(prec=400):
        expected = float(2 ** Decimal(preference) - 1)
    gain = gains_of("exponential", np.zeros(1, int), np.array([preference]))
    assert_allclose(gain, expected, rtol=4e-16 if preference < 1 else 0)


@pytest.mark.parametrize("kind", ["linear", "exponential"])
def test_synthetic_items_below_zero_gain_nothing_in_training(kind):
    """The trained ranker does not depend on how far below zero they are."""
    rng = np.random.default_rng(3)
    X, preference = rng.normal(size=(30, 2)), rng.integers(3, size=30)
    groups = Groups.from_arrays(group=np.repeat(np.arange(5), 6), preference=preference)
    scores = []
    for penalty in (10.0, 100.0):
        augmenter = PairAugmenter(n_injected=2, injected_penalty=penalty)
        ranker = PairwisePreferenceRanker(
            loss="lambdarank", gain=kind, max_epochs=2, random_state=0
        )
        pipeline = make_pipeline(augmenter.set_params(random_state=0), ranker)
        scores.append(pipeline.fit(X, groups).predict(X))
    assert_array_equal(*scores)
