"""Gains of sorted training items, against their definition and the metrics."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import rankdata

from sklearn_pscore import Groups
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
    own = [rankdata(preference[group == label]) for label in np.unique(group)]
    assert_array_equal(gains_of("rank", group, preference), np.concatenate(own))


@pytest.mark.parametrize("kind", KINDS)
def test_are_those_of_the_metrics(kind):
    """DCG@1 of a score that puts an item first is the item's gain."""
    group, preference = sorted_items(0)
    groups = Groups.from_arrays(group=group, preference=preference)
    gains = gains_of(kind, group, preference)
    for place, label in enumerate(group):
        own = group == label
        if np.ptp(preference[own]) == 0:
            continue
        first = (np.arange(len(group)) == place)[own].astype(float)
        dcg = dcg_score(groups[own], first, k=1, gain=kind)
        assert_allclose(dcg, gains[place])


@pytest.mark.parametrize(("kind", "expected"), [("linear", 0.0), ("exponential", 0.0)])
def test_synthetic_items_below_zero_gain_nothing(kind, expected):
    gains = gains_of(kind, np.zeros(3, int), np.array([-100.0, -1.0, 0.0]))
    assert_array_equal(gains, [expected] * 3)
