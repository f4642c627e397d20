"""What a group weighs in the fit, and fits that end with constant scores."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore.metrics import pairwise_accuracy_score

CONSTANT = r"scores are \(nearly\) constant"


def fifty_small_groups_and_one_large(size, seed=0):
    """Return X, the fields of a target, and its slopes, which the last group inverts."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(51), [5] * 50 + [size])
    X, slopes = rng.normal(size=(len(group), 6)), rng.normal(size=6)
    taste = np.where(group == 50, -1, 1)
    preference = taste * (X @ slopes) + 0.3 * rng.normal(size=len(group))
    return X, {"group": group, "preference": preference}, slopes


def accuracy(ranker, slopes):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1000, len(slopes)))
    groups = Groups.from_arrays(group=np.arange(1000) // 5, preference=X @ slopes)
    return pairwise_accuracy_score(groups, ranker.predict(X))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("size", [40, 80])
def test_one_large_group_of_another_taste(size, seed):
    X, fields, slopes = fifty_small_groups_and_one_large(size, seed)
    groups = Groups.from_arrays(**fields)
    for group_weight, least in (("sqrt", 0.88), ("equal", 0.95)):
        ranker = PairwisePreferenceRanker(group_weight=group_weight, random_state=0)
        assert accuracy(ranker.fit(X, groups), slopes) > least
    ranker = PairwisePreferenceRanker(group_weight="pairs", random_state=0)
    with pytest.warns(UserWarning, match=f'{CONSTANT}.*group_weight="equal"'):
        ranker.fit(X, groups)


@pytest.mark.parametrize(("name", "power"), [("sqrt", 0.5), ("equal", 0.0)])
def test_is_a_weight_of_the_target(name, power):
    X, fields, _ = fifty_small_groups_and_one_large(30)
    n_pairs = np.where(fields["group"] == 50, 30 * 29 / 2, 10)
    # A pair weighs the product of its two rows.
    weight = n_pairs ** ((power - 1) / 2)
    own_weight = np.random.default_rng(2).uniform(0.5, 2.0, len(X))
    scores = [
        PairwisePreferenceRanker(group_weight=kind, random_state=0, max_epochs=3)
        .fit(X, Groups.from_arrays(**fields, weight=weights))
        .predict(X)
        for kind, weights in ((name, own_weight), ("pairs", weight * own_weight))
    ]
    assert_allclose(scores[0], scores[1], atol=1e-3 * np.ptp(scores[1]))


def scores_by_group_weight(X, groups, **params):
    params = {"max_epochs": 3, "random_state": 0} | params
    return [
        PairwisePreferenceRanker(group_weight=name, **params).fit(X, groups).predict(X)
        for name in ("pairs", "sqrt", "equal")
    ]


def test_groups_of_one_size_get_the_same_bits():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    groups = Groups.from_arrays(group=np.arange(120) // 6, preference=X[:, 0] ** 2)
    pairs, sqrt, equal = scores_by_group_weight(X, groups)
    assert_array_equal(sqrt, pairs)
    assert_array_equal(equal, pairs)


def test_losses_that_are_no_mean_over_pairs_have_their_own_weights():
    X, fields, _ = fifty_small_groups_and_one_large(30)
    groups = Groups.from_arrays(**fields)
    for scores in (
        scores_by_group_weight(X, groups, loss="listnet"),
        scores_by_group_weight(
            X, groups, loss="lambdarank", shortcut=None, leave_out=False
        ),
    ):
        assert_array_equal(scores[1], scores[0])
        assert_array_equal(scores[2], scores[0])
    # The shortcut of lambdarank is fitted by the loss over pairs.
    scores = scores_by_group_weight(X, groups, loss="lambdarank")
    assert np.any(scores[1] != scores[0])


@pytest.mark.parametrize("early_stopping", [False, True])
def test_partial_fit_and_validation_weigh_groups_too(early_stopping):
    X, fields, _ = fifty_small_groups_and_one_large(60)
    groups = Groups.from_arrays(**fields)
    losses = []
    for name in ("pairs", "equal"):
        ranker = PairwisePreferenceRanker(
            group_weight=name,
            max_epochs=2,
            random_state=0,
            early_stopping=early_stopping,
        )
        fit = ranker.fit if early_stopping else ranker.partial_fit
        losses.append(fit(X, groups).history_)
    key = "valid_loss" if early_stopping else "train_loss"
    assert losses[0][key][-1] != losses[1][key][-1]


def test_a_dead_relu6_is_told():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    groups = Groups.from_arrays(group=np.arange(60) // 6, preference=X[:, 0])
    ranker = PairwisePreferenceRanker(
        output_activation="relu6", shortcut=None, random_state=0, max_epochs=1
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ranker.fit(X, groups)
    # Zero weights in the last layer stay zero without gradients below them.
    ranker.set_params(learning_rate_init=1e-30, weight_decay=0.0, warm_start=True)
    ranker.net_.module_.bounded[0].norm.bias.data.fill_(-100.0)
    with pytest.warns(UserWarning, match=f"{CONSTANT}.*cut off at 0 or 6"):
        ranker.fit(X, groups)


def test_a_warning_made_an_error_leaves_the_ranker_as_it_was():
    X, fields, _ = fifty_small_groups_and_one_large(40)
    ranker = PairwisePreferenceRanker(group_weight="pairs", random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match=CONSTANT):
            ranker.fit(X, Groups.from_arrays(**fields))
    assert not hasattr(ranker, "net_")
