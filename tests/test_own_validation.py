"""Fits with a validation set of one's own."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from cases import quick
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone

from sklearn_pscore import Groups, PairAugmenter, PairwisePreferenceRanker
from sklearn_pscore.metrics import ndcg_scorer

RELU6 = {"output_activation": "relu6", "batch_norm": True, "shortcut": None}
SETTINGS = {
    "default": {},
    "linear": {"shortcut": "linear", "input_dropout": 0.2},
    "no shortcut": {"shortcut": None, "dropout": 0.5, "batch_size": 20},
    "norms": RELU6,
    "lambdarank": {"loss": "lambdarank", "k": 2},
    "listnet": {"loss": "listnet"},
    "half": {"ties": "half"},
    "alone": {"n_members": 1},
    "kept": {"leave_out": False},
}


@pytest.fixture
def parts(data):
    """Return X, y, X_val, y_val: twenty groups, and ten others."""
    X, groups = data
    is_first = groups["group"] < 20
    return X[is_first], groups[is_first], X[~is_first], groups[~is_first]


def fit(ranker, X, y, X_val, y_val):
    return ranker.fit(X, y, X_val=X_val, y_val=y_val)


def noisy(y, seed=2):
    """Return a target whose preferences say nothing."""
    preference = np.random.default_rng(seed).normal(size=len(y))
    return Groups.from_arrays(group=y["group"], preference=preference)


def weights_of(ranker):
    return ranker.net_.module_.state_dict()


def mean_loss(scores, y):
    """Return the mean over all pairs of the logistic loss."""
    losses = [
        np.logaddexp(0, scores[j] - scores[i])
        for i in range(len(y))
        for j in range(len(y))
        if y["group"][i] == y["group"][j] and y["preference"][i] > y["preference"][j]
    ]
    return np.mean(losses)


class TestWithoutEarlyStopping:
    @pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
    def test_the_fit_has_the_same_bits(self, parts, settings):
        X, y, X_val, y_val = parts
        shown, plain = (quick(warm_start=True, **settings) for _ in range(2))
        for _ in range(2):  # From the start, and on from there.
            fit(shown, *parts)
            plain.fit(X, y)
            for name, weight in weights_of(plain).items():
                assert torch.equal(weight, weights_of(shown)[name])
            assert shown.net_.n_folds == plain.net_.n_folds
            assert shown.net_.std_factor == plain.net_.std_factor
        losses = [each.history_["train_loss"] for each in (shown, plain)]
        assert_array_equal(*losses)
        assert np.isfinite(shown.history_["valid_loss"]).all()
        assert "valid_loss" not in plain.history_
        assert (shown.n_groups_, shown.n_pairs_) == (plain.n_groups_, plain.n_pairs_)

    def test_members_leave_out_groups_all_the_same(self, parts):
        assert fit(quick(), *parts).net_.n_folds == 2

    def test_history_holds_its_loss(self, parts):
        X, y, X_val, y_val = parts
        ranker = quick(leave_out=False, group_weight="pairs", shortcut=None)
        fit(ranker, *parts)
        by_member = ranker.net_.forward(X_val).numpy().T.astype(float)
        expected = sum(mean_loss(scores, y_val) for scores in by_member)
        assert_allclose(ranker.history_["valid_loss"][-1], expected, rtol=1e-5)

    def test_rows_that_do_not_count(self, parts):
        X, y, X_val, y_val = parts
        weight = np.where(np.arange(len(y_val)) % 5 < 4, 1.0, 0.0)
        weighted = Groups.from_arrays(
            group=y_val["group"], preference=y_val["preference"], weight=weight
        )
        kept = Groups.whole(y_val[weight > 0])
        losses = [
            fit(quick(), X, y, X_val[rows], target).history_["valid_loss"][-1]
            for rows, target in ((slice(None), weighted), (weight > 0, kept))
        ]
        assert losses[0] == losses[1]

    def test_synthetic_items_are_none_of_it(self, parts):
        X, y, X_val, y_val = parts
        augmenter = PairAugmenter((2,), max_stitched=9, n_injected=2, random_state=0)
        ranker = quick(leave_out=False, group_weight="pairs", shortcut=None)
        fit(ranker, augmenter.fit_transform(X, y), y, X_val, y_val)
        plain = quick().fit(augmenter.fit_transform(X, y), y)
        assert ranker.n_pairs_ == plain.n_pairs_ > quick().fit(X, y).n_pairs_
        by_member = ranker.net_.forward(X_val).numpy().T.astype(float)
        expected = sum(mean_loss(scores, y_val) for scores in by_member)
        assert_allclose(ranker.history_["valid_loss"][-1], expected, rtol=1e-5)

    def test_plain_targets(self, data):
        X, _ = data
        ranker = fit(quick(), X[:50], X[:50, 0], X[50:], X[50:, 0])
        assert "valid_loss" in ranker.history_
        assert ranker.n_pairs_ == 50 * 49 // 2


class TestEarlyStopping:
    def test_nothing_is_held_out(self, parts):
        X, y, X_val, y_val = parts
        ranker = fit(quick(early_stopping=True), *parts)
        assert ranker.n_groups_ == 20
        assert ranker.net_.n_folds == 0
        assert "valid_loss" in ranker.history_
        # The only group, of three items, is enough to train on.
        small = fit(quick(early_stopping=True), np.eye(3), [1.0, 2, 3], *parts[2:])
        assert small.n_pairs_ == 3

    def test_no_seed_is_drawn_for_it(self, parts):
        """The weights start as those of a fit that holds nothing out."""
        still = {"learning_rate_init": 1e-30, "max_epochs": 1, "shortcut": None}
        stopped = fit(quick(early_stopping=True, **still), *parts)
        plain = quick(leave_out=False, **still).fit(*parts[:2])
        assert_array_equal(stopped.predict(parts[2]), plain.predict(parts[2]))

    @pytest.mark.parametrize("warm_start", [False, True])
    def test_best_epoch_is_kept(self, parts, warm_start):
        X, y, X_val, y_val = parts
        passed = X, noisy(y), X_val, noisy(y_val)
        ranker = quick(early_stopping=True, n_iter_no_change=3, max_epochs=50)
        ranker.set_params(learning_rate="constant", warm_start=warm_start)
        losses = fit(ranker, *passed).history_["valid_loss"]
        n_best = int(np.argmin(losses)) + 1
        assert n_best == len(losses) - 3 < 47
        up_to_best = fit(clone(ranker).set_params(max_epochs=n_best), *passed)
        assert_array_equal(ranker.predict(X), up_to_best.predict(X))
        fit(ranker, *passed)
        assert (len(ranker.history_["epoch"]) > len(losses)) == warm_start

    def test_it_decides(self, parts):
        """A validation set that says the opposite stops at once, one that agrees late."""
        X, y, X_val, y_val = parts
        opposite = Groups.from_arrays(
            group=y_val["group"], preference=-y_val["preference"]
        )
        n_epochs = []
        for target in (opposite, y_val):
            ranker = quick(early_stopping=True, n_iter_no_change=4, max_epochs=20)
            ranker.set_params(shortcut=None, learning_rate="constant")
            n_epochs.append(len(fit(ranker, X, y, X_val, target).history_["epoch"]))
        assert n_epochs[0] == 5
        assert n_epochs[1] == 20


def test_it_may_come_and_go_between_fits(parts):
    X, y, X_val, y_val = parts
    ranker = quick(warm_start=True, max_epochs=2)
    fit(ranker, *parts).fit(X, y).partial_fit(X, y)
    fit(ranker, *parts)
    has_loss = (~np.isnan(ranker.history_["valid_loss"])).tolist()
    assert has_loss == [True] * 2 + [False] * 3 + [True] * 2


@pytest.mark.parametrize("kinds", [(np.asarray, csr_array), (csr_array, np.asarray)])
def test_sparse_beside_dense(parts, kinds):
    X, y, X_val, y_val = parts
    X, X_val = (np.where(np.abs(values) < 0.7, 0, values) for values in (X, X_val))
    histories = []
    for of_training, of_validation in (kinds, (np.asarray, np.asarray)):
        ranker = quick(early_stopping=True, scoring=ndcg_scorer)
        fit(ranker, of_training(X), y, of_validation(X_val), y_val)
        histories.append(ranker.history_)
    for column in ("valid_loss", "valid_score"):
        assert_array_equal(histories[0][column], histories[1][column])


def test_missing_values_are_medians_of_what_is_trained_on(parts):
    X, y, X_val, y_val = parts
    is_missing = np.random.default_rng(0).random(X_val.shape) < 0.2
    histories = []
    for values in (np.nan, np.broadcast_to(np.median(X, axis=0), X_val.shape)):
        ranker = quick(scoring=ndcg_scorer)
        fit(ranker, X, y, np.where(is_missing, values, X_val), y_val)
        histories.append(ranker.history_["valid_score"].tolist())
    assert_allclose(*histories)


def test_names_and_order_of_columns(parts):
    X, y, X_val, y_val = parts
    names = ["FID", "SSIM", "PSNR"]
    X, X_val = (pd.DataFrame(values, columns=names) for values in (X, X_val))
    fit(quick(), X, y, X_val, y_val)
    other = X_val[names[::-1]]
    for wrong in (other, other.rename(columns={"FID": "FVD"})):
        with pytest.raises(
            ValueError, match="X_val cannot be used as X is: The feature"
        ):
            fit(quick(), X, y, wrong, y_val)


BAD = {
    "columns": (lambda X, y: (X[:, :2], y), "X_val has 2 columns but X has 3"),
    "no target": (lambda X, y: (X, None), "y_val is None but X_val was passed"),
    "no table": (lambda X, y: (None, y), "X_val is None but y_val was passed"),
    "plain": (lambda X, y: (X, y["preference"]), "y_val is a plain ndarray"),
    "text": (lambda X, y: (X.astype(str), y), "X_val cannot be used as X is: X is '"),
    "infinite": (
        lambda X, y: (np.where(X > 2, np.inf, X), y),
        "X_val cannot be used as X is: ",
    ),
    "too large": (
        lambda X, y: (X * np.where(np.arange(len(X)) == 3, 1e300, 1)[:, None], y),
        "X_val and y_val cannot be validated on: X holds ",
    ),
    "no gain": (
        lambda X, y: (X, y),
        "X_val and y_val cannot be validated on: preference is ",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_errors_come_before_work_and_leave_the_ranker_as_it_was(parts, name):
    X, y, X_val, y_val = parts
    change, message = BAD[name]
    fitted, unfitted = quick().fit(X, y), PairwisePreferenceRanker(max_epochs=10**9)
    if name == "no gain":
        y = Groups.from_arrays(group=y["group"], preference=y["preference"] + 99)
    for ranker in (fitted, unfitted):
        if name == "no gain":
            ranker.set_params(loss="lambdarank", gain="linear")
        before = dict(vars(ranker))
        with pytest.raises((ValueError, TypeError), match=re.escape(message)):
            fit(ranker, X, y, *change(X_val, y_val))
        assert vars(ranker) == before


def test_losers_of_a_choice_are_no_ties_there_either(parts):
    X, y, X_val, y_val = parts
    is_first = np.r_[True, y_val["group"][1:] != y_val["group"][:-1]]
    chosen = Groups.from_winners(group=y_val["group"], winner=is_first)
    message = (
        '^X_val and y_val cannot be validated on: ties="half", and every preference'
    )
    with pytest.raises(ValueError, match=message):
        fit(quick(ties="half"), X, y, X_val, chosen)
    fit(quick(), X, y, X_val, chosen)


def test_cut_groups_and_another_scale_warn(parts):
    X, y, X_val, y_val = parts
    with pytest.warns(
        UserWarning, match="PairwisePreferenceRanker.fit got a y_val in "
    ):
        fit(quick(), X, y, X_val[1:], y_val[1:])
    with pytest.warns(UserWarning, match="X_val lies far outside of X in 3 of 3 "):
        fit(quick(), X, y, X_val + 50, y_val)


def test_partial_fit_takes_none(parts):
    X, y, X_val, y_val = parts
    with pytest.raises(TypeError, match="partial_fit: got an unexpected keyword"):
        quick().partial_fit(X, y, X_val=X_val, y_val=y_val)
