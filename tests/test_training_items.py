"""Training items: subsets taken, items without a pair dropped."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.groups import Groups


def random_items(seed, n_items=40, n_groups=6):
    """Unsorted groups of unequal sizes, tied preferences, some weights zero."""
    rng = np.random.default_rng(seed)
    return TrainingItems.of(
        X=rng.normal(size=(n_items, 2)),
        group=rng.integers(n_groups, size=n_items) ** 2,
        preference=rng.integers(3, size=n_items).astype(float),
        weight=rng.integers(4, size=n_items) / 2,
        parents=np.arange(n_items)[:, None],
        judged=np.ones(n_items, dtype=bool),
    )


def pairs_of(items, weighted=False):
    """Every pair, by looking at all of them."""
    return [
        (i, j)
        for i, j in combinations(range(len(items)), 2)
        if items.group[i] == items.group[j]
        and items.preference[i] != items.preference[j]
        and (not weighted or items.weight[i] * items.weight[j] > 0)
    ]


def test_n_groups_counts_labels():
    items = random_items(0)
    assert items.n_groups == len(set(items.group.tolist()))


@pytest.mark.parametrize("seed", range(10))
def test_comparable_keeps_what_is_in_a_pair_and_no_more(seed):
    items = random_items(seed, n_items=15)
    pairs = pairs_of(items, weighted=True)
    kept = items.comparable()
    assert_array_equal(kept.parents[:, 0], np.unique(np.array(pairs, dtype=int)))
    assert len(pairs_of(kept)) == len(pairs)
    for field in ("X", "group", "preference", "weight", "judged"):
        assert_array_equal(
            getattr(kept, field), getattr(items, field)[kept.parents[:, 0]]
        )


def test_comparable_of_nothing_is_nothing():
    items = random_items(0)
    nothing = replace(items, weight=np.zeros(len(items))).comparable()
    assert len(nothing) == 0
    assert len(nothing.comparable()) == 0
    assert nothing.X.shape == (0, 2)


def test_from_target_takes_the_rows_that_are_not_donors():
    groups = Groups.from_arrays(
        group=["b", "a", "b", "b"],
        preference=[1, 2, 1, 3],
        item=["x", "x", "x", "y"],
        weight=[1, 2, 3, 4],
        donor=[0, 0, 0, 1],
    )
    X = np.arange(8.0).reshape(4, 2)
    items = TrainingItems.from_target(X, check_groups(groups))
    assert_array_equal(items.X, X[:3])
    assert items.group.tolist() == [1, 0, 1]
    assert items.weight.tolist() == [1.0, 2.0, 3.0]
    assert items.judged.all()
    # Rows of one item stay rows, and have the same parent.
    assert items.parents.tolist() == [[1], [0], [1]]


@pytest.mark.parametrize("rows", [[4, 1], np.arange(40) % 3 == 0, slice(5)])
def test_take_takes_from_every_field(rows):
    items = random_items(0)
    taken = items.take(rows)
    assert len(taken) == len(items.group[rows])
    for field in ("X", "group", "preference", "weight", "parents", "judged"):
        assert_array_equal(getattr(taken, field), getattr(items, field)[rows])
