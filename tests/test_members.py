"""The ensemble: what members share, and what they leave out."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from cases import quick
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import Callback

from sklearn_pscore import Groups, PairwisePreferenceRanker


def noisy(n_groups, seed=0):
    """Groups of six with a noisy linear preference."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(6 * n_groups, 4))
    judged = X[:, 0] - 0.5 * X[:, 1] + 0.5 * rng.normal(size=len(X))
    return X, Groups.from_arrays(group=np.arange(len(X)) // 6, preference=judged)


def members_of(ranker, X):
    """Scores of every member, from its network."""
    module = ranker.net_.module_.eval()
    with torch.no_grad():
        copy = deepcopy(module).double()
        return copy(torch.tensor(X)).numpy()


class Folds(Callback):
    """Keep the fold of each row at the start of a training, None without folds."""

    def __init__(self):
        self.seen = []

    def __deepcopy__(self, memo):
        # The net has a copy of its callbacks; what is seen goes to this one.
        return self

    def on_train_begin(self, net, X, **kwargs):
        packed, _ = X
        fold = None
        if packed.fold is not None:
            fold = np.empty(len(packed), int)
            fold[packed.row] = packed.fold
        self.seen.append(fold)


def weights_of(ranker, part):
    """Return the weights of the hidden layers, or the direction of the shortcut's.

    By what all members leave out, the scores of all are scaled in the end: that
    changes neither.
    """
    weights = [
        weight.detach().flatten(start_dim=1).numpy().copy()
        for name, weight in ranker.net_.module_.named_parameters()
        if name.startswith(part)
    ]
    if part == "shortcut":
        return [w / np.linalg.norm(w, axis=1, keepdims=True) for w in weights]
    return weights


class TestMembers:
    def test_score_is_the_mean_and_proba_too(self, data):
        X, _ = data
        ranker = quick(n_members=3).fit(*data)
        scores = members_of(ranker, X)
        assert scores.shape == (3, 150)
        assert_allclose(ranker.predict(X), scores.mean(axis=0), rtol=1e-12)
        a, b = scores[:, :75], scores[:, 75:]
        proba = (1 / (1 + np.exp(b - a))).mean(axis=0)
        assert_allclose(ranker.preference_proba(X[:75], X[75:]), proba, rtol=1e-12)

    def test_std_is_that_of_the_members(self, data):
        X, _ = data
        ranker = quick(n_members=3).fit(*data)
        scores, std = ranker.predict(X[:9], return_std=True)
        assert_array_equal(scores, ranker.predict(X[:9]))
        assert std.shape == (9,)
        assert_allclose(std, members_of(ranker, X[:9]).std(axis=0, ddof=1))

    def test_one_member_has_no_std(self, data):
        ranker = quick(n_members=1).fit(*data)
        assert_array_equal(ranker.predict(data[0], return_std=True)[1], np.zeros(150))

    def test_std_grows_away_from_the_data(self):
        X, groups = noisy(40)
        ranker = quick(n_members=5, max_epochs=10).fit(X, groups)
        near = ranker.predict(X, return_std=True)[1].mean()
        far = ranker.predict(4 * X, return_std=True)[1].mean()
        assert far > 1.3 * near

    def test_std_shrinks_with_more_data(self):
        few, many = noisy(20), noisy(600)
        ranker = quick(n_members=5, max_epochs=5, batch_size=100, shortcut="linear")
        std = [
            ranker.fit(*known).predict(few[0], return_std=True) for known in (few, many)
        ]
        relative = [(spread / scores.std()).mean() for scores, spread in std]
        assert relative[1] < 0.5 * relative[0]

    @pytest.mark.parametrize("parts", [{}, {"shortcut": None}], ids=["both", "layers"])
    def test_scores_of_training_items_average_zero_in_every_member(self, data, parts):
        ranker = quick(n_members=3, **parts).fit(*data)
        scores = members_of(ranker, data[0])
        assert_allclose(scores.mean(axis=1), 0, atol=1e-5 * np.abs(scores).max())

    @pytest.mark.parametrize(
        ("shortcut", "part", "slack"),
        # A shortcut is fitted from that of all groups on, up to a tolerance.
        [(None, "hidden", 0.0), ("linear", "shortcut", 0.01)],
    )
    def test_a_member_does_not_learn_from_what_it_leaves_out(
        self, data, shortcut, part, slack
    ):
        """Other preferences in one fold move all members but one."""
        X, groups = data
        folds = Folds()
        ranker = quick(n_members=3, shortcut=shortcut, batch_size=30, weight_decay=0.0)
        ranker.set_params(callbacks=[folds])
        before = weights_of(ranker.fit(X, groups), part)
        changed = groups.copy()
        rows = folds.seen[0] == 1
        changed["preference"][rows] = X[rows, 0] + X[rows, 1]
        after = weights_of(ranker.fit(X, changed), part)
        assert_array_equal(*folds.seen)
        for one, other in zip(before, after, strict=True):
            moved = np.abs(other - one).max(axis=1)
            assert moved[1] <= slack
            assert (moved[[0, 2]] > 5 * slack).all()

    @pytest.mark.parametrize(
        ("change", "n_groups", "expected"),
        [
            ({}, 10, True),
            ({}, 9, False),
            ({"shortcut": None}, 10, True),
            ({"leave_out": False}, 30, False),
            ({"n_members": 1}, 30, False),
            ({"early_stopping": True}, 30, False),
            ({"output_activation": "relu6"}, 30, False),
            ({"loss": "lambdarank"}, 10, True),
        ],
        ids=str,
    )
    def test_when_groups_are_left_out(self, data, change, n_groups, expected):
        X, groups = data
        folds = Folds()
        kept = groups["group"] < n_groups
        ranker = quick(max_epochs=1, callbacks=[folds], **change)
        ranker.fit(X[kept], groups[kept]).partial_fit(X[kept], groups[kept])
        assert (folds.seen[0] is not None) == expected
        assert folds.seen[1] is None

    def test_layers_that_only_remember_are_turned_down(self):
        """Random preferences: whatever was learnt is not worth anything."""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(300, 20))
        groups = Groups.from_arrays(
            group=np.arange(300) // 5, preference=rng.normal(size=300)
        )
        settings = {
            "sizes": (32,),
            "n_members": 4,
            "dropout": 0.0,
            "input_dropout": 0.0,
            "weight_decay": 0.0,
            "max_epochs": 40,
        }
        spread = {
            leave_out: quick(leave_out=leave_out, **settings).fit(X, groups).predict(X)
            for leave_out in (False, True)
        }
        assert spread[True].std() < 0.2 * spread[False].std()

    def test_defaults_are_as_the_same_seed_says(self, data):
        X, groups = data
        rankers = [PairwisePreferenceRanker(max_epochs=2, random_state=4) for _ in "ab"]
        scores = [ranker.fit(X, groups).predict(X, True) for ranker in rankers]
        assert_array_equal(*scores)
