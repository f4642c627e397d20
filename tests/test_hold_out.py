"""Items held out for validation: no parent on both sides, pairs on each."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_pscore._items.hold_out import hold_out
from sklearn_pscore._items.stitching import make_training_items
from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.groups import Groups


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
        assert len(side.comparable()) == len(side) > 0
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
    held_out_parents = parents_of(validation)
    expected = [
        not held_out_parents & set(parents) and group not in held_out
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
    held_out_parents = parents_of(validation)
    n_judged = len(parents_of(items.take(items.judged)))
    assert len(held_out_parents) == max(2, round(fraction * n_judged))
    assert parents_of(validation.take(validation.judged)) == held_out_parents
    # An item made of both sides is in neither, every other one in its side.
    parents = [set(row) - {-1} for row in items.parents.tolist()]
    assert_array_equal(
        training.X, items.X[[not held_out_parents & row for row in parents]]
    )
    assert_array_equal(
        validation.X,
        items.X[[bool(row) and row <= held_out_parents for row in parents]],
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
