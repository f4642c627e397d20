"""Training items: pairs counted, useless items dropped, items held out."""

import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_pscore._items.stitching import make_training_items
from sklearn_pscore._items.training_items import TrainingItems, hold_out
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


def augmented(fields, **kwargs):
    """The training items of a target, with all that the augmenter can make."""
    target = check_groups(Groups.from_arrays(**fields))
    options = {
        "stitch_sizes": (2, 3),
        "max_stitched": None,
        "stitch_penalty": 1.0,
        "stitched_preference": "max",
        "n_injected": None,
        "injected_penalty": 100.0,
    }
    # X tells which row an item was made of.
    X = np.arange(float(target.n_rows))[:, None]
    rng = np.random.RandomState(0)
    return make_training_items(X, target, **(options | kwargs), rng=rng)[0]


def parents_of(items):
    return set(np.unique(items.parents)) - {-1}


@pytest.mark.parametrize("seed", range(10))
def test_n_pairs_equals_the_double_loop(seed):
    items = random_items(seed)
    assert items.n_pairs == len(pairs_of(items))
    assert items.n_groups == len(set(items.group.tolist()))


@pytest.mark.parametrize(
    ("group", "preference", "n_pairs"),
    [
        ([], [], 0),
        ([5], [1.0], 0),
        ([5, 5, 5], [1.0, 1.0, 1.0], 0),
        ([5, 3, 5], [1.0, 2.0, 3.0], 1),
        ([0, 0, 0, 0], [2.0, 1.0, 1.0, 0.0], 4 * 3 // 2 - 1),
        # More pairs than 32 bits can count.
        (np.zeros(100_000, int), np.arange(100_000.0), 100_000 * 99_999 // 2),
    ],
)
def test_n_pairs_by_hand(group, preference, n_pairs):
    n_items = len(group)
    items = TrainingItems.of(
        X=np.zeros((n_items, 1)),
        group=np.array(group, dtype=int),
        preference=np.array(preference),
        weight=np.ones(n_items),
        parents=np.arange(n_items)[:, None],
        judged=np.ones(n_items, dtype=bool),
    )
    assert items.n_pairs == n_pairs
    assert items.n_groups == len(set(np.array(group).tolist()))


@pytest.mark.parametrize("seed", range(10))
def test_comparable_keeps_what_is_in_a_pair_and_no_more(seed):
    items = random_items(seed, n_items=15)
    pairs = pairs_of(items, weighted=True)
    kept = items.comparable()
    assert_array_equal(kept.parents[:, 0], np.unique(np.array(pairs, dtype=int)))
    assert kept.n_pairs == len(pairs)
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


RNG = np.random.default_rng(1)
SEVERAL = {"group": np.arange(30) % 6, "preference": RNG.normal(size=30)}
SEVERAL_WITH_DONORS = SEVERAL | {"donor": np.arange(30) >= 20}
ONE = {"group": np.zeros(8, int), "preference": np.arange(8.0)}
ONE_WITH_DONORS = {
    "group": np.arange(16) // 8,
    "preference": RNG.normal(size=16),
    "donor": np.arange(16) >= 8,
}
ROWS = {
    "group": np.zeros(24, int),
    "preference": np.arange(24.0) // 4,
    "item": np.arange(24) // 4,
}


def check_split(items, training, validation):
    assert not parents_of(training) & parents_of(validation)
    for side in (training, validation):
        assert side.n_pairs > 0
        assert len(side.comparable()) == len(side)
    assert len(training) + len(validation) <= len(items)


@pytest.mark.parametrize("fields", [SEVERAL, SEVERAL_WITH_DONORS])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("fraction", "n_held_out"), [(0.01, 1), (0.3, 2), (0.99, 5)])
def test_hold_out_of_groups(fields, seed, fraction, n_held_out):
    items = augmented(fields)
    rng = np.random.RandomState(seed)
    training, validation = hold_out(items, fraction, rng, "fit")
    check_split(items, training, validation)
    held_out = set(validation.group.tolist())
    assert len(held_out) == n_held_out
    assert set(training.group.tolist()) == set(range(6)) - held_out
    # People judged what the ranker is validated on.
    assert validation.judged.all()
    assert len(validation) == np.sum(
        np.isin(items.group, list(held_out)) & items.judged
    )
    # Everything else is trained on, unless it was made of a held-out item.
    own = parents_of(validation)
    expected = [
        not own & set(parents) and group not in held_out
        for parents, group in zip(items.parents.tolist(), items.group, strict=True)
    ]
    assert_array_equal(training.X, items.X[expected])
    assert not training.judged.all()


@pytest.mark.parametrize(
    "items",
    [
        TrainingItems.from_target(np.zeros((8, 1)), check_groups(np.arange(8.0))),
        TrainingItems.from_target(
            np.zeros((24, 1)), check_groups(Groups.from_arrays(**ROWS))
        ),
        augmented(ONE),
        augmented(ONE_WITH_DONORS),
    ],
    ids=["plain", "rows", "stitched", "injected"],
)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fraction", [0.01, 0.4])
def test_hold_out_of_items(items, seed, fraction):
    rng = np.random.RandomState(seed)
    training, validation = hold_out(items, fraction, rng, "fit")
    check_split(items, training, validation)
    own = parents_of(validation)
    n_judged = len(parents_of(items.take(items.judged)))
    assert len(own) == max(2, round(fraction * n_judged))
    assert parents_of(validation.take(validation.judged)) == own
    # An item made of both sides is used by neither, every other one by its own.
    parents = [set(row) - {-1} for row in items.parents.tolist()]
    assert_array_equal(training.X, items.X[[not own & row for row in parents]])
    assert_array_equal(
        validation.X, items.X[[bool(row) and row <= own for row in parents]]
    )


def test_the_generator_alone_decides():
    items = augmented(SEVERAL)
    splits = [
        hold_out(items, 0.5, np.random.RandomState(seed), "fit")[1].group.tolist()
        for seed in (0, 0, 1, 2, 3)
    ]
    assert splits[0] == splits[1]
    assert len({tuple(split) for split in splits}) > 1


@pytest.mark.parametrize("seed", range(10))
def test_synthetic_items_validate_where_people_judged_no_pair(seed):
    items = augmented({"group": np.arange(12) // 3, "preference": np.zeros(12)})
    rng = np.random.RandomState(seed)
    training, validation = hold_out(items, 0.25, rng, "fit")
    check_split(items, training, validation)
    assert not validation.judged.all()
    # Those injected from a training group are not among them.
    assert validation.preference.min() > -100


@pytest.mark.parametrize("seed", range(10))
def test_hold_out_tries_again(seed):
    # Group 2 has pairs with injected items only, which are of other groups.
    fields = {"group": [0, 0, 1, 1, 2], "preference": [1, 2, 1, 2, 1]}
    items = augmented(fields).comparable()
    assert items.n_groups == 3
    training, validation = hold_out(items, 0.3, np.random.RandomState(seed), "fit")
    check_split(items, training, validation)
    assert validation.group.tolist() in ([0, 0], [1, 1])


TIED = {"group": [0, 0, 1, 1], "preference": np.ones(4)}


@pytest.mark.parametrize(
    ("items", "fraction", "message"),
    [
        (augmented(ONE).take(slice(3)), 0.2, "hold out 2 of the 3 items of the only"),
        # Items made of four do not add to the four.
        (
            augmented({"group": np.zeros(4, int), "preference": np.arange(4.0)}),
            0.75,
            "hold out 3 of the 4 items of the only group",
        ),
        # Whichever two are held out, one side is tied.
        (
            augmented({"group": [0] * 4, "preference": [0, 0, 0, 1]}, stitch_sizes=()),
            0.5,
            "hold out 2 of the 4 items of the only group",
        ),
        (augmented(TIED, stitch_sizes=()), 0.2, "hold out 1 of the 2 groups so that"),
    ],
)
def test_no_split(items, fraction, message):
    message = re.escape(f"early_stopping=True cannot {message}") + ".*; fit needs"
    with pytest.raises(ValueError, match=message):
        hold_out(items.comparable(), fraction, np.random.RandomState(0), "fit")
