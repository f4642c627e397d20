"""The ensemble: what members share, and what they leave out."""

import pickle
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch
from cases import quick
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import Callback

from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore._torch import shortcut_fit


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
        copy = deepcopy(module).double().cpu()
        return copy(torch.tensor(np.asarray(X))).numpy()


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
        weight.detach().cpu().flatten(start_dim=1).numpy().copy()
        for name, weight in ranker.net_.module_.named_parameters()
        if name.startswith(part)
    ]
    if part == "shortcut":
        return [w / np.linalg.norm(w, axis=1, keepdims=True) for w in weights]
    return weights


class Failing(Callback):
    """Break off a training at its start."""

    def on_train_begin(self, net, **kwargs):
        raise RuntimeError("at once")


# Changes of a ranker that leaves groups out, after which no member does.
NO_FOLDS = [
    {"leave_out": False},
    {"n_members": 1},
    {"early_stopping": True},
    {"output_activation": "relu6"},
]


def error_of(ranker, scores):
    """Return the standard error by the members of `scores`, which left out a fold."""
    k, factor = len(scores), ranker.net_.std_factor
    # A k-th of the variance, and the jackknife; test_stacking.py has it by definition.
    assert 0.999 / np.sqrt(k) < factor < 1.001 * (k - 1) / np.sqrt(k)
    return factor * scores.std(axis=0, ddof=1)


def assert_seeds_only(ranker, X):
    """The error is the standard deviation over members, 0 with a single one."""
    scores, std = ranker.predict(X, return_std=True)
    assert_array_equal(scores, ranker.predict(X))
    members = members_of(ranker, X)
    expected = np.zeros(len(X))
    if len(members) > 1:
        expected = members.std(axis=0, ddof=1)
    assert_allclose(std, expected, rtol=1e-9)


class TestStandardError:
    @pytest.mark.parametrize(
        ("n_members", "n_groups", "n_folds"),
        # With more members than groups, the others leave nothing out.
        [(2, 30, 2), (3, 30, 3), (5, 10, 5), (12, 10, 10)],
    )
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_is_that_of_the_members_with_a_fold(
        self, data, n_members, n_groups, n_folds, dtype
    ):
        X, groups = data
        kept = groups["group"] < n_groups
        ranker = quick(n_members=n_members, predict_dtype=dtype)
        ranker.fit(X[kept], groups[kept])
        scores, std = ranker.predict(X[:9], return_std=True)
        assert_array_equal(scores, ranker.predict(X[:9]))
        assert std.shape == (9,)
        assert std.dtype == np.float64
        expected = error_of(ranker, members_of(ranker, X[:9])[:n_folds])
        assert_allclose(std, expected, rtol=1e-9 if dtype == "float64" else 1e-3)

    @pytest.mark.parametrize("change", NO_FOLDS, ids=str)
    def test_shows_seeds_only_where_nothing_is_left_out(self, data, change):
        X, groups = data
        assert_seeds_only(quick(**{"n_members": 3, **change}).fit(X, groups), X)

    def test_shows_seeds_only_with_few_groups(self, data):
        X, groups = data
        few = groups["group"] < 9
        assert_seeds_only(quick(n_members=3).fit(X[few], groups[few]), X)
        assert_seeds_only(quick(n_members=3).fit(X[:20], groups["preference"][:20]), X)

    def test_shows_seeds_only_once_training_goes_on(self, data):
        """What was left out is learnt by every member then."""
        X, groups = data
        ranker = quick(n_members=3, max_epochs=1, warm_start=True)
        assert_seeds_only(deepcopy(ranker).partial_fit(X, groups), X)
        ranker.fit(X, groups)
        error = ranker.predict(X, return_std=True)[1]
        assert_allclose(error, error_of(ranker, members_of(ranker, X)), rtol=1e-9)
        assert_seeds_only(deepcopy(ranker).partial_fit(X, groups), X)
        assert_seeds_only(deepcopy(ranker).fit(X, groups), X)
        assert_array_equal(ranker.predict(X, return_std=True)[1], error)
        # Starts anew, and leaves out again.
        again = deepcopy(ranker).partial_fit(X, groups)
        again.set_params(warm_start=False).fit(X, groups)
        assert_array_equal(again.predict(X, return_std=True)[1], error)

    def test_is_a_standard_error_when_learnt_from_files(self, data, tmp_path):
        X, groups = data
        frame = pd.DataFrame(X, columns=list("abc"))
        frame = frame.assign(group=groups["group"], p=groups["preference"])
        frame.sort_values("group").to_parquet(tmp_path / "table.parquet")
        ranker = quick(n_members=3, max_epochs=1, warm_start=True)
        columns = {"group": "group", "preference": "p"}
        ranker.fit_parquet(tmp_path / "table.parquet", **columns)
        assert ranker.net_.n_folds == 3
        std = ranker.predict(frame[list("abc")], return_std=True)[1]
        assert_allclose(std, error_of(ranker, members_of(ranker, X)), rtol=1e-9)
        ranker.fit_parquet(tmp_path / "table.parquet", **columns)
        assert_seeds_only(ranker, frame[list("abc")])

    def test_a_failed_training_that_goes_on_leaves_it(self, data):
        X, groups = data
        ranker = quick(n_members=3).fit(X, groups)
        error = ranker.predict(X, return_std=True)[1]
        ranker.set_params(callbacks=[Failing()])
        with pytest.raises(RuntimeError, match="at once"):
            ranker.partial_fit(X, groups)
        assert_array_equal(ranker.predict(X, return_std=True)[1], error)

    @pytest.mark.parametrize(
        "copy", [deepcopy, lambda ranker: pickle.loads(pickle.dumps(ranker))]
    )
    @pytest.mark.parametrize("change", [{}, {"leave_out": False}], ids=str)
    def test_a_copy_knows_what_was_left_out(self, data, copy, change):
        X, groups = data
        ranker = quick(n_members=3, **change).fit(X, groups)
        assert_array_equal(copy(ranker).predict(X, True), ranker.predict(X, True))

    def test_depends_on_the_row_and_the_order_of_preference_alone(self, data):
        X, groups = data
        ranker = quick(n_members=3).fit(X, groups)
        error = ranker.predict(X, return_std=True)[1]
        rows = np.random.default_rng(0).permutation(150)[:40]
        assert_allclose(ranker.predict(X[rows], True)[1], error[rows], rtol=1e-12)
        bent = groups.copy()
        bent["preference"] = np.exp(groups["preference"])
        assert_array_equal(ranker.fit(X, bent).predict(X, True)[1], error)

    def test_more_members_do_not_make_it_grow(self):
        """What many members owe to their seeds is no part of it."""
        X, groups = noisy(25)
        few, many = (
            quick(n_members=n, max_epochs=30, batch_size=30, shortcut=None)
            .fit(X, groups)
            .predict(X, return_std=True)[1]
            .mean()
            for n in (5, 20)
        )
        assert 0.6 < many / few < 1.4


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
        self, data, shortcut, part, slack, monkeypatch
    ):
        """Other preferences in one fold move all members but one."""
        X, groups = data
        # All groups tell the strengths of features, which members share.
        ones = np.ones(X.shape[1])
        monkeypatch.setattr(shortcut_fit, "strengths", lambda *args: (ones, None))
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
