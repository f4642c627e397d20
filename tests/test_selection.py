"""Which features count: strengths of curves, pairs, and what the layers are shown."""

import pickle
import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.pipeline import make_pipeline

from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore._torch import selection, shortcut_fit
from sklearn_pscore._torch.importances import _Swaps
from sklearn_pscore._torch.linear import fit_linear
from sklearn_pscore._torch.losses.listnet import TopOneLoss
from sklearn_pscore._torch.losses.ranknet import PairwiseLogisticLoss
from sklearn_pscore._torch.losses.votes import PackedVotes
from sklearn_pscore._torch.network import Shortcut
from sklearn_pscore._torch.packing import PackedGroups, PackedTarget
from sklearn_pscore._torch.scoring import scoring_copy
from sklearn_pscore._torch.selection import effective_share, interacting, strengths
from sklearn_pscore._torch.shortcut_fit import ShortcutColumns
from sklearn_pscore._torch.stacking import ScaledSample

SIZE = 10
LOSS = PairwiseLogisticLoss()


def made_sample(X, preference, n_folds=5):
    """Return a sample whose rows are sorted by group and preference."""
    n_groups = len(X) // SIZE
    order = np.argsort(preference.reshape(n_groups, SIZE), axis=1)
    rows = (order + SIZE * np.arange(n_groups)[:, None]).ravel()
    target = PackedTarget(
        level=torch.arange(SIZE).repeat(n_groups),
        weight=torch.ones(len(X)),
        sizes=torch.full((n_groups,), SIZE),
        gain=torch.zeros(len(X)),
        fold=torch.arange(n_groups).repeat_interleave(SIZE) % n_folds,
    )
    X = torch.from_numpy(X[rows]).float()
    return ScaledSample(X, target, torch.ones(len(X), dtype=torch.bool))


def pairs_loss(scores, weight=None):
    """Mean over pairs of the logistic loss, rows sorted by preference."""
    by_group = scores.reshape(-1, SIZE)
    worse, better = np.triu_indices(SIZE, 1)
    losses = np.logaddexp(0, by_group[:, worse] - by_group[:, better])
    return np.average(losses.mean(axis=1), weights=weight)


class CountedLoss(PairwiseLogisticLoss):
    """The loss, which counts its values."""

    n_values = 0

    def forward(self, scores, target):
        self.n_values += 1
        return super().forward(scores, target)


def assert_why_not(ranker, why):
    """Check that a ranker has no importances, and says why and what to do."""
    assert not hasattr(ranker, "feature_importances_")
    with pytest.raises(AttributeError, match=re.escape(why)) as caught:
        ranker.feature_importances_  # noqa: B018
    assert "Call fit on a dense sample of the rows, or " in str(caught.value)


def drawn(n_groups=150, n_useless=60, seed=0, truth=None, noise=2.0):
    """Return items of which the first features count, and their target."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_groups * SIZE, 3 + n_useless))
    if truth is None:
        truth = 1.5 * X[:, 0] - X[:, 1] + np.sin(2 * X[:, 2])
    else:
        truth = truth(X)
    preference = truth + noise * rng.normal(size=len(X))
    group = np.arange(len(X)) // SIZE
    return X, Groups.from_arrays(group=group, preference=preference)


def quick(**params):
    settings = {"max_epochs": 5, "n_members": 3, "random_state": 0}
    return PairwisePreferenceRanker(**settings | params)


class TestStrengths:
    def curves(self, seed=0, n_groups=80):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n_groups * SIZE, 6))
        preference = X[:, :2] @ [2.0, 1.0] + rng.normal(size=len(X))
        return made_sample(X, preference)

    @pytest.mark.parametrize("way", selection._WAYS)
    def test_one_way_is_the_minimum_by_definition(self, way, monkeypatch):
        monkeypatch.setattr(selection, "_WAYS", (way,))
        # A single way gets what it is worth as a whole: hold that at 1.
        monkeypatch.setattr(selection, "_PULL", 1e9)
        sample = self.curves()
        curves, (pull, price) = sample.X.double().numpy(), way
        n = len(curves)

        def loss(u):
            return (
                pairs_loss(curves @ u)
                + pull / (2 * n) * np.sum((u - 1) ** 2)
                + price / n * u.sum()
            )

        expected = minimize(loss, np.ones(6), bounds=[(0, None)] * 6).x
        found = strengths(sample.X, sample, LOSS)[0]
        assert_allclose(found, expected, atol=2e-3)

    def test_the_pull_is_by_the_groups_in_effect(self, monkeypatch):
        way = selection._WAYS[0]
        monkeypatch.setattr(selection, "_WAYS", (way,))
        monkeypatch.setattr(selection, "_PULL", 1e9)
        sample = self.curves()
        curves, (pull, price) = sample.X.double().numpy(), way
        # Pairs of a group weigh by the square: 3 groups have most of the weight.
        weight = np.where(np.arange(80) < 3, 10.0, 1.0)
        of_items = torch.from_numpy(np.repeat(weight, SIZE)).float()
        target = sample.target._replace(weight=of_items)
        weighed = ScaledSample(sample.X, target, sample.judged)
        share = (weight**2).sum() ** 2 / (80 * (weight**4).sum())

        def loss(u):
            return (
                pairs_loss(curves @ u, weight**2)
                + pull / (2 * share * len(curves)) * np.sum((u - 1) ** 2)
                + price / len(curves) * u.sum()
            )

        expected = minimize(loss, np.ones(6), bounds=[(0, None)] * 6).x
        assert_allclose(strengths(sample.X, weighed, LOSS)[0], expected, atol=2e-3)

    def test_known_weights_of_the_ways_spare_the_fits_of_the_members(self):
        sample, loss = self.curves(), CountedLoss()
        found, share = strengths(sample.X, sample, loss)
        n_values, loss.n_values = loss.n_values, 0
        again, same = strengths(sample.X, sample, loss, share)
        assert same is share
        assert_array_equal(again, found)
        assert loss.n_values < n_values / 2

    def test_curves_of_other_sizes_take_no_more_steps(self, monkeypatch):
        sample = self.curves()
        curves = sample.X * torch.logspace(-1.5, 1, 6)
        n_values = {}
        for name, found in (
            ("with", selection.Preconditioner),
            ("without", lambda *args: None),
        ):
            monkeypatch.setattr(selection, "Preconditioner", found)
            loss = CountedLoss()
            strengths(curves, sample, loss)
            n_values[name] = loss.n_values
        assert n_values["with"] < 0.8 * n_values["without"]

    def test_curves_without_meaning_get_none(self):
        sample = self.curves()
        found = strengths(sample.X, sample, LOSS)[0]
        assert (found[:2] > 0.5).all()
        # The price is paid by what is worth nothing.
        assert (found[2:] < 0.2 * found[:2].min()).all()

    def test_strengths_that_are_nearly_none_are_none(self, monkeypatch):
        sample = self.curves()
        found = strengths(sample.X, sample, LOSS)[0]
        least = found.max() - 1e-3
        monkeypatch.setattr(selection, "_LEAST_STRENGTH", least)
        expected = np.where(found > least, found, 0.0)
        assert (expected == 0).sum() == 5
        assert_array_equal(strengths(sample.X, sample, LOSS)[0], expected)

    def test_order_of_groups_changes_nothing(self):
        sample = self.curves()
        turned = sample.X.view(-1, SIZE, 6).flip(0).reshape(-1, 6)
        target = sample.target
        fold = target.fold.view(-1, SIZE).flip(0).reshape(-1)
        other = ScaledSample(turned, target._replace(fold=fold), sample.judged)
        found = strengths(sample.X, sample, LOSS)[0]
        assert_allclose(strengths(turned, other, LOSS)[0], found, atol=5e-3)

    def test_synthetic_items_do_not_tell(self):
        sample = self.curves()
        groups = torch.arange(len(sample.X)) // SIZE
        is_synthetic = groups % 2 == 0
        judged = ~is_synthetic
        X = sample.X.clone()
        X[is_synthetic] = X[is_synthetic].flip(0)
        expected, found = (
            strengths(Z, ScaledSample(Z, sample.target, judged), LOSS)[0]
            for Z in (sample.X, X)
        )
        assert_allclose(found, expected, atol=5e-3)


def rows_of_fits(monkeypatch):
    """Return a list that notes the rows of each fit of a shortcut from here on."""
    sizes, fit = [], shortcut_fit.fit_shortcut

    def noted(shortcut, sample, *args):
        sizes.append(len(sample.X))
        return fit(shortcut, sample, *args)

    monkeypatch.setattr(shortcut_fit, "fit_shortcut", noted)
    return sizes


class TestEffectiveShare:
    def share(self, sizes, weight=None, loss=LOSS, **fields):
        group = np.repeat(np.arange(len(sizes)), sizes)
        level = np.concatenate([np.arange(size) for size in sizes])
        weight = np.ones(len(group)) if weight is None else np.asarray(weight)
        target = PackedTarget(
            level=torch.from_numpy(level),
            weight=torch.from_numpy(weight).float(),
            sizes=torch.tensor(sizes),
            gain=torch.zeros(len(group)),
            **fields,
        )
        return effective_share(target, loss)

    def test_equal_groups_all_count(self):
        assert self.share([4] * 7) == 1.0
        assert_allclose(self.share([3] * 5, weight=np.full(15, 0.3)), 1.0)

    @pytest.mark.parametrize("sizes", [[2, 5, 9], [2, 2, 40], [3]], ids=str)
    def test_is_by_the_weights_of_groups(self, sizes):
        rng = np.random.default_rng(0)
        weight = rng.uniform(0.5, 2.0, size=sum(sizes))
        parts = np.split(weight, np.cumsum(sizes)[:-1])
        w = np.array([sum(a * b for a, b in combinations(part, 2)) for part in parts])
        expected = w.sum() ** 2 / (len(w) * (w**2).sum())
        assert_allclose(self.share(sizes, weight), expected, rtol=1e-6)

    def test_one_group_with_most_pairs_is_about_one_group(self):
        assert self.share([2] * 9 + [1000]) < 0.101

    def test_groups_may_be_weighed(self):
        factor = torch.tensor([1.0] * 4 + [1 / 6**0.5] * 4)
        sizes = [2, 2, 4]
        weighed = self.share(sizes, group_factor=factor)
        assert_allclose(weighed, 1.0, rtol=1e-6)
        assert self.share(sizes) < 0.7

    def test_top_items_weigh_for_listnet(self):
        assert self.share([2, 9], loss=TopOneLoss()) == 1.0
        weight = [1, 1, 1, 1, 3]
        expected = (1 + 3) ** 2 / (2 * (1 + 9))
        assert_allclose(self.share([2, 3], weight, TopOneLoss()), expected)

    def test_votes_count(self):
        first, second = torch.tensor([0, 2]), torch.tensor([1, 3])
        votes = PackedVotes(
            first,
            second,
            wins=torch.tensor([4.0, 1.0]),
            losses=torch.tensor([1.0, 0.0]),
            ties=torch.tensor([1.0, 1.0]),
        )
        expected = (6 + 2) ** 2 / (2 * (36 + 4))
        assert_allclose(self.share([2, 2], votes=votes), expected)

    def test_groups_without_weight_are_none(self):
        assert self.share([2, 2, 2], weight=[1, 1, 1, 1, 0, 0]) == 1.0
        assert self.share([2, 2], weight=[0, 0, 0, 0]) == 1.0


class TestInteracting:
    def sample(self, seed, has_pair=True, n_features=8):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(1000, n_features))
        preference = rng.normal(size=len(X)) + has_pair * X[:, 2] * X[:, 5]
        return made_sample(X, preference)

    @pytest.mark.parametrize("seed", range(5))
    def test_a_pair_that_counts_only_together_is_found(self, seed):
        sample = self.sample(seed)
        counts = interacting(torch.zeros(1000), sample, LOSS)
        assert counts[[2, 5]].all()

    def test_pairs_without_meaning_are_rare(self):
        found = [
            interacting(torch.zeros(1000), self.sample(seed, False), LOSS).sum()
            for seed in range(20)
        ]
        assert np.mean(found) < 1

    def test_a_known_pair_is_not_looked_for_again(self):
        sample = self.sample(0)
        product = (sample.X[:, 2] * sample.X[:, 5])[:, None]
        worth = fit_linear(product, sample.target, LOSS, penalty=0.0)
        known = product[:, 0] * float(worth[0])
        assert not interacting(known, sample, LOSS)[[2, 5]].any()

    def test_what_a_feature_is_worth_by_itself_is_of_no_pair(self):
        """Neither its slope, beside a feature that has a mean, nor its square."""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(1000, 3))
        X[:, 1] = 3.0
        for worth in (2 * X[:, 0], X[:, 0] ** 2):
            sample = made_sample(X, worth + rng.normal(size=len(X)))
            assert not interacting(torch.zeros(1000), sample, LOSS).any()

    def test_synthetic_items_are_of_no_pair(self):
        sample = self.sample(0)
        real = self.sample(0, has_pair=False)
        X = torch.cat([real.X, sample.X])
        target = PackedTarget(
            *(torch.cat([each, each]) for each in sample.target if each is not None)
        )
        judged = torch.arange(len(X)) < len(real.X)
        both = ScaledSample(X, target, judged)
        assert not interacting(torch.zeros(len(X)), both, LOSS)[[2, 5]].any()

    def test_too_many_features_are_all_kept(self, monkeypatch):
        monkeypatch.setattr(selection, "_MOST_SCREENED", 5)
        assert interacting(torch.zeros(1000), self.sample(0), LOSS).all()

    def test_a_single_feature_is_of_no_pair(self):
        sample = self.sample(0, has_pair=False)
        sample.X = sample.X[:, :1]
        assert_array_equal(interacting(torch.zeros(1000), sample, LOSS), [False])


class TestFit:
    def test_useless_features_count_for_exactly_nothing(self):
        X, groups = drawn()
        ranker = quick().fit(X, groups)
        useless = ranker.feature_importances_ == 0
        assert useless[3:].sum() > 10
        assert not useless[:3].any()
        other = X.copy()
        other[:, useless] = np.random.default_rng(1).normal(
            size=(len(X), useless.sum())
        )
        assert_array_equal(ranker.predict(other), ranker.predict(X))

    def test_features_that_count_only_together_are_kept(self):
        X, groups = drawn(200, truth=lambda X: X[:, 0] * X[:, 1] + X[:, 2], noise=0.5)
        importances = quick(max_epochs=30).fit(X, groups).feature_importances_
        assert importances[:3].min() > 0.1
        assert importances[3:].max() < 0.05

    def test_nothing_is_dropped_where_nothing_is_left_out(self):
        X, groups = drawn()
        ranker = quick(leave_out=False).fit(X, groups)
        assert (ranker.feature_importances_ > 0).all()

    @pytest.mark.parametrize(
        "params", [{"hidden_layer_sizes": ()}, {"batch_norm": True}]
    )
    def test_other_networks(self, params):
        X, groups = drawn()
        ranker = quick(**params).fit(X, groups)
        assert (ranker.feature_importances_[3:] == 0).sum() > 10
        assert ranker.net_.module_.inputs is None

    def test_constraints_hold(self):
        X, groups = drawn()
        signs = [1, -1, 0] + [1] * (X.shape[1] - 3)
        ranker = quick(monotonic_cst=signs).fit(X, groups)
        assert (ranker.feature_importances_[3:] == 0).any()
        rows = X[:50].copy()
        rows[:, 0] += 1
        assert (ranker.predict(rows) >= ranker.predict(X[:50])).all()

    @pytest.mark.parametrize("goes_on", ["fit", "partial_fit"])
    def test_constraints_of_dropped_features_hold_when_training_goes_on(self, goes_on):
        X, groups = drawn()
        signs = [1, -1] + [1] * (X.shape[1] - 2)
        ranker = quick(monotonic_cst=signs, warm_start=True).fit(X, groups)
        dropped = np.flatnonzero(ranker.feature_importances_ == 0)
        assert len(dropped) > 10
        getattr(ranker, goes_on)(X, groups)
        before = ranker.predict(X[:50])
        for feature in dropped:
            rows = X[:50].copy()
            rows[:, feature] += 2
            assert (ranker.predict(rows) >= before).all()

    def test_curves_are_fitted_to_more_rows_where_there_are_more(self, monkeypatch):
        X, groups = drawn(600, n_useless=40)
        sizes = []

        def fitted(shortcut, sample, *args):
            sizes.append(tuple(sample.X.shape))
            return fit(shortcut, sample, *args)

        fit = shortcut_fit.fit_shortcut
        monkeypatch.setattr(shortcut_fit, "fit_shortcut", fitted)
        monkeypatch.setattr("sklearn_pscore._torch.net._SAMPLE_ROWS", 1500)
        monkeypatch.setattr("sklearn_pscore._torch.net._SAMPLE_VALUES", 1)
        ranker = quick(max_epochs=1).fit(X, groups)
        assert sizes[0] == (1500, 43)
        assert sizes[1][0] == len(X)
        assert 3 <= sizes[1][1] < 43
        assert (ranker.feature_importances_ == 0).sum() == 43 - sizes[1][1]

    def test_curves_are_fitted_to_more_rows_where_all_features_count(self, monkeypatch):
        monkeypatch.setattr("sklearn_pscore._torch.net._SAMPLE_ROWS", 300)
        monkeypatch.setattr("sklearn_pscore._torch.net._SAMPLE_VALUES", 1)
        rng = np.random.default_rng(0)
        weight = rng.normal(size=40) + 3.0
        X = rng.normal(size=(4000, 40))
        noise = 2 * np.linalg.norm(weight) * rng.normal(size=4000)
        groups = Groups.from_arrays(
            group=np.arange(4000) // SIZE, preference=X @ weight + noise
        )
        new = rng.normal(size=(2000, 40))
        right = {}
        for growth in (1.5, np.inf):
            monkeypatch.setattr(shortcut_fit, "_LEAST_GROWTH", growth)
            ranker = quick(max_epochs=1).fit(X, groups)
            assert (ranker.feature_importances_ > 0).all()
            scores = ranker.predict(new)
            right[growth] = np.corrcoef(scores, new @ weight)[0, 1]
        assert right[np.inf] < 0.9
        assert right[1.5] > 0.95

    @pytest.mark.parametrize(
        ("params", "n_rows"),
        [({"leave_out": False}, 6000), ({"n_members": 1}, 600), ({}, 6000)],
    )
    def test_curves_are_fitted_to_more_rows_where_nothing_is_left_out(
        self, params, n_rows, monkeypatch
    ):
        X, groups = drawn(600, n_useless=9)
        sizes = rows_of_fits(monkeypatch)
        monkeypatch.setattr("sklearn_pscore._torch.net._SAMPLE_ROWS", 300)
        monkeypatch.setattr("sklearn_pscore._torch.net._SAMPLE_VALUES", 1)
        n_columns = X.shape[1] * (1 + PairwisePreferenceRanker().n_pieces)
        monkeypatch.setattr(shortcut_fit, "_REFIT_VALUES_OF_ONE", 600 * n_columns)
        quick(max_epochs=1, **params).fit(X, groups)
        assert sizes == [300, n_rows]

    @pytest.mark.parametrize(
        ("share", "kinds"),
        [
            ([1.0, 0.0, 0.0, 0.0], {False}),
            ([0.05, 0.5, 0.0, 0.5], {True}),
            ([0.3, 0.04, 0.04, 0.04], {False, True}),
        ],
    )
    def test_more_rows_have_the_kinds_of_curves_that_there_was_much_of(
        self, share, kinds
    ):
        candidates = shortcut_fit._CANDIDATES
        fit = shortcut_fit.ShortcutFit(candidates, np.array(share))
        assert fit.kinds() == kinds

    @pytest.mark.parametrize("n_left", [1, 0])
    def test_what_does_not_count_by_more_rows_is_not_shown(self, n_left, monkeypatch):
        X, groups = drawn(600, n_useless=40)
        shown = []

        def fitted(shortcut, sample, *args):
            found = fit(shortcut, sample, *args)
            if args[1:]:
                shown.extend(args[1])
                found.strength[shown[n_left:]] = 0.0
            return found

        def looked(scores, sample, criterion):
            return np.zeros(sample.X.shape[1], dtype=bool)

        fit = shortcut_fit.fit_shortcut
        monkeypatch.setattr(shortcut_fit, "fit_shortcut", fitted)
        monkeypatch.setattr(shortcut_fit, "interacting", looked)
        monkeypatch.setattr("sklearn_pscore._torch.net._SAMPLE_ROWS", 1500)
        monkeypatch.setattr("sklearn_pscore._torch.net._SAMPLE_VALUES", 1)
        network = quick(max_epochs=1).fit(X, groups).net_.module_
        weight = network.first_linear.weight.detach()
        # The layers read something, also where nothing counts by more rows.
        expected = shown[:n_left] if n_left else shown
        assert len(shown) > 1
        assert_array_equal(np.flatnonzero(weight.abs().sum(dim=(0, 2))), expected)

    def test_curves_beside_terms_are_not_fitted_again(self, monkeypatch):
        """Those terms are of the sample; each round of them has curves of its own."""
        X, groups = drawn(600, n_useless=40)
        rng = np.random.default_rng(1)
        position = np.concatenate([rng.permutation(SIZE) + 1 for _ in range(600)])
        fields = {name: groups[name] for name in ("group", "preference")}
        groups = Groups.from_arrays(**fields, position=position)
        sizes = rows_of_fits(monkeypatch)
        monkeypatch.setattr("sklearn_pscore._torch.net._SAMPLE_ROWS", 1500)
        monkeypatch.setattr("sklearn_pscore._torch.net._SAMPLE_VALUES", 1)
        ranker = quick(max_epochs=1, order_bias=True).fit(X, groups)
        assert (ranker.feature_importances_ == 0).any()
        assert sizes == [1500, 1500, 1500]

    @pytest.mark.parametrize("seed", range(3))
    def test_large_groups_leave_room_for_others(self, seed, monkeypatch):
        """One that filled a sample would let no member leave anything out."""
        monkeypatch.setattr("sklearn_pscore._torch.net._SAMPLE_ROWS", 200)
        monkeypatch.setattr("sklearn_pscore._torch.net._SAMPLE_VALUES", 1)
        rng = np.random.default_rng(seed)
        sizes = np.array([900] + [12] * 20)
        X = rng.normal(size=(sizes.sum(), 12))
        preference = X[:, 0] + X[:, 1] + 0.3 * rng.normal(size=len(X))
        group = np.repeat(np.arange(len(sizes)), sizes)
        groups = Groups.from_arrays(group=group, preference=preference)
        ranker = quick(max_epochs=3, random_state=seed).fit(X, groups)
        assert ranker.score(X, groups) > 0.85
        assert ranker.feature_importances_[:2].min() > 0.3

    def test_one_fold_in_the_larger_sample_tells_nothing(self, monkeypatch):
        X, groups = drawn(600, n_useless=40)
        monkeypatch.setattr("sklearn_pscore._torch.net._SAMPLE_ROWS", 1500)
        monkeypatch.setattr("sklearn_pscore._torch.net._SAMPLE_VALUES", 1)
        whole = PackedGroups.sample

        def of_one_fold(self, max_rows):
            sample = whole(self, max_rows)
            if len(sample.X) == 1500:
                return sample
            target = sample.target
            return sample._replace(target=target._replace(fold=target.fold * 0))

        monkeypatch.setattr(PackedGroups, "sample", of_one_fold)
        ranker = quick(max_epochs=1).fit(X, groups)
        assert (ranker.feature_importances_ == 0).any()

    def test_columns_are_of_the_features_that_are_fitted_again(self):
        rng = np.random.default_rng(0)
        sample = made_sample(rng.normal(size=(200, 2)), rng.normal(size=200))
        sample.missing = torch.from_numpy(rng.random((200, 2)) < 0.2).float()
        shortcut = Shortcut(5, 4, None, None, missing_features=[1, 3])
        columns = ShortcutColumns(shortcut, sample, np.array([0, 1]))
        # Two slopes, and one for what is missing: that of feature 3 is not fitted.
        assert_array_equal(columns.feature, [0, 1, 1])
        columns.put(shortcut, torch.ones(5, 3))
        assert (shortcut.weight[:, 0, :2] > 0).all()
        assert not shortcut.weight[:, 0, 2:].any()
        assert (shortcut.missing_weight[:, 0] > 0).all()
        assert not shortcut.missing_weight[:, 1].any()

    def test_pairs_are_looked_for_beside_the_curves(self, monkeypatch):
        X, groups = drawn()
        seen = []

        def looked(scores, sample, criterion):
            seen.append(scores)
            spread = scores @ sample.X[:, 0] / (scores.norm() * sample.X[:, 0].norm())
            assert spread > 0.5
            return interacting(scores, sample, criterion)

        monkeypatch.setattr(shortcut_fit, "interacting", looked)
        quick(max_epochs=1).fit(X, groups)
        assert len(seen) == 1

    def test_layers_start_as_with_fewer_inputs(self):
        X, groups = drawn(12, n_useless=5)
        network = quick(max_epochs=1, leave_out=False).fit(X, groups).net_.module_
        before = network.first_linear.weight.detach().clone()
        network.select_inputs(np.array([1, 4]))
        shown = network.first_linear.weight
        assert_allclose(shown.detach(), 2.0 * before[:, [1, 4]], rtol=1e-6)
        network.show_all_inputs()
        expected = torch.zeros_like(before)
        expected[:, [1, 4]] = 2.0 * before[:, [1, 4]]
        found = network.first_linear.weight.detach()
        assert_allclose(found, expected, rtol=1e-6)

    def test_training_goes_on(self):
        X, groups = drawn()
        ranker = quick(warm_start=True).fit(X, groups)
        ranker.fit(X, groups)
        ranker.partial_fit(X, groups)
        assert np.isfinite(ranker.predict(X)).all()

    def test_scores_in_training_are_those_of_the_layers_that_are_shown(self):
        from skorch.callbacks import EpochScoring

        X, groups = drawn()
        seen = []

        def score(net, data, y=None):
            seen.append((net.module_.inputs, net.predict(X[:20])))
            own = net.forward(X[:20]).mean(dim=1).numpy()
            assert_allclose(seen[-1][1], own, rtol=0, atol=1e-5)
            return 0.0

        callback = EpochScoring(score, name="seen", on_train=True)
        quick(callbacks=[("seen", callback)]).fit(X, groups)
        assert all(inputs is not None for inputs, _ in seen)

    @pytest.mark.parametrize("hidden", [(8,), ()])
    def test_what_is_saved_in_training_loads_after_it(self, tmp_path, hidden):
        from skorch.callbacks import Callback, Checkpoint

        X, groups = drawn()
        saved = Checkpoint(
            monitor=lambda net: len(net.history) == 2,
            dirname=tmp_path,
            f_history="history.json",
        )
        seen = []

        class Scores(Callback):
            def on_epoch_end(self, net, **kwargs):
                seen.append(net.predict(X))
                assert net.module_.inputs is not None

        callbacks = [saved, Scores()]
        settings = {"hidden_layer_sizes": hidden, "max_epochs": 4, "warm_start": True}
        ranker = quick(**settings, callbacks=callbacks).fit(X, groups)
        after = ranker.predict(X)
        assert not np.allclose(seen[1], after)
        ranker.net_.load_params(checkpoint=saved)
        assert_allclose(ranker.predict(X), seen[1], rtol=0, atol=1e-5)
        assert len(ranker.net_.history) == 2
        # Its steps are those of fewer weights.
        ranker.set_params(callbacks=None).fit(X, groups)
        assert np.isfinite(ranker.predict(X)).all()

    def test_what_cannot_be_loaded_changes_nothing(self, tmp_path):
        from skorch.callbacks import Checkpoint

        X, groups = drawn()
        saved = Checkpoint(monitor=None, dirname=tmp_path)
        # Of as many features, so that some of it fits.
        quick(n_pieces=3, max_epochs=3, callbacks=[saved]).fit(X, groups)
        ranker = quick(max_epochs=2).fit(X, groups)
        before, history = ranker.predict(X), list(ranker.net_.history)
        with pytest.raises(RuntimeError, match="size mismatch"):
            ranker.net_.load_params(checkpoint=saved)
        assert list(ranker.net_.history) == history
        # In place of a copy that predictions are made of.
        ranker = pickle.loads(pickle.dumps(ranker))
        assert_array_equal(ranker.predict(X), before)

    def test_the_best_epoch_is_loaded_while_some_features_are_shown(self, tmp_path):
        from skorch.callbacks import Checkpoint

        X, groups = drawn()
        first = Checkpoint(
            monitor=lambda net: len(net.history) == 2, dirname=tmp_path, load_best=True
        )
        callbacks = [first]
        ranker = quick(max_epochs=4, callbacks=callbacks).fit(X, groups)
        network = ranker.net_.module_
        parts = [network.first_linear.weight, network.output.weight]
        scaled = torch.load(tmp_path / "params.pt")
        names = [network._name_of_first, "output.weight"]
        for name, weight in zip(names, parts, strict=True):
            found = weight.detach() / scaled[name]
            # The parts were weighed afterwards.
            found = found[torch.isfinite(found)]
            assert_allclose(found, float(found[0]), rtol=1e-5)

    def test_missing_values_of_a_useless_feature_count_for_nothing(self):
        X, groups = drawn()
        X[np.random.default_rng(2).random(len(X)) < 0.2, 3:] = np.nan
        ranker = quick().fit(X, groups)
        useless = ranker.feature_importances_ == 0
        assert useless[3:].any()
        other = X.copy()
        other[:, useless] = np.nan
        assert_array_equal(ranker.predict(other), ranker.predict(X))


class TestImportances:
    def test_are_shares_of_a_variance_by_definition(self):
        """Of an additive score, each is about its curve's share of the variance."""
        X, groups = drawn(
            400, n_useless=0, truth=lambda X: X @ [2.0, 1.0, 0.5], noise=0.5
        )
        ranker = quick(hidden_layer_sizes=(), shortcut="linear", input_clip=None)
        importances = ranker.fit(X, groups).feature_importances_
        at = np.concatenate([np.zeros((1, 3)), np.eye(3)])
        slopes = (
            np.diff(ranker.predict(at)[[0, 1]]),
            *(ranker.predict(at)[[i]] - ranker.predict(at)[[0]] for i in (2, 3)),
        )
        expected = np.square(np.concatenate(slopes))
        assert importances.sum() == pytest.approx(1)
        assert_allclose(importances, expected / expected.sum(), atol=0.05)

    def test_each_item_gets_the_value_of_another_one_of_its_group(self):
        """In groups of two it can only be the other one."""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(200, 4))
        group = np.arange(200) // 2
        preference = X @ [2.0, 1.0, 0.5, 0.0] + rng.normal(size=200)
        ranker = quick().fit(X, Groups.from_arrays(group=group, preference=preference))
        expected, other = np.zeros(4), np.arange(200) ^ 1
        for feature in range(4):
            swapped = X.copy()
            swapped[:, feature] = X[other, feature]
            change = ranker.predict(swapped) - ranker.predict(X)
            expected[feature] = np.mean(change**2)
        expected /= expected.sum()
        assert_allclose(ranker.feature_importances_, expected, rtol=1e-8)

    @pytest.mark.parametrize(
        "params",
        [
            {},
            {"shortcut": "linear", "hidden_layer_sizes": (8, 4), "input_dropout": 0.1},
            {"shortcut": None, "batch_norm": True},
            {"hidden_layer_sizes": (), "input_clip": None},
            {"output_activation": "relu6"},
        ],
    )
    def test_a_swap_changes_scores_as_those_of_predict(self, params):
        X, groups = drawn(40, n_useless=2)
        rng = np.random.default_rng(3)
        X[rng.random(X.shape) < 0.2] = np.nan
        ranker = quick(**params).fit(X, groups)
        network = scoring_copy(ranker.net_.module_, torch.float64)
        swaps = _Swaps(network, torch.from_numpy(X))
        other = rng.permutation(len(X))
        with torch.no_grad():
            for feature in range(X.shape[1]):
                swapped = X.copy()
                swapped[:, feature] = X[other, feature]
                found = swaps.changes(feature, torch.from_numpy(other))
                expected = ranker.predict(swapped) - ranker.predict(X)
                assert np.ptp(expected) > 0
                assert_allclose(found, expected, rtol=0, atol=1e-12)

    def test_large_groups_count_by_their_items(self):
        rng = np.random.default_rng(0)
        sizes = np.array([1500] * 6 + [2] * 300)
        X = rng.normal(size=(sizes.sum(), 3))
        # Where groups are small, items differ in one feature alone.
        X[9000:, :2] = 0.0
        group = np.repeat(np.arange(len(sizes)), sizes)
        groups = Groups.from_arrays(group=group, preference=X.sum(axis=1))
        importances = [
            quick(max_epochs=2, random_state=seed).fit(X, groups).feature_importances_
            for seed in range(3)
        ]
        # The first two vary for 9,000 of 9,600 items.
        expected = 1 / (1 + 2 * 9000 / 9600)
        assert_allclose([each[2] for each in importances], expected, atol=0.012)

    def test_a_feature_that_is_constant_inside_groups_has_none(self):
        X, groups = drawn(n_useless=0)
        X[:, 2] = np.arange(len(X)) // SIZE
        assert quick().fit(X, groups).feature_importances_[2] == 0

    def test_a_feature_that_is_zero_in_nearly_all_rows_has_some(self):
        """In a wide table few rows are scored for each: not those that say nothing."""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(1500, 1100)) * (rng.random((1500, 1100)) < 0.01)
        groups = Groups.from_arrays(
            group=np.arange(1500) // SIZE, preference=X[:, :20].sum(axis=1)
        )
        ranker = quick(shortcut="linear", hidden_layer_sizes=())
        importances = ranker.fit(X, groups).feature_importances_
        assert (importances[:20] > 0).all()
        assert importances[:20].sum() > 0.5

    def test_are_the_same_for_the_same_seed(self):
        X, groups = drawn()
        ranker = quick().fit(X, groups)
        assert_array_equal(
            clone(ranker).fit(X, groups).feature_importances_,
            ranker.feature_importances_,
        )

    def test_only_fit_sets_them(self):
        X, groups = drawn()
        ranker = quick()
        with pytest.raises(NotFittedError):
            ranker.feature_importances_  # noqa: B018
        assert not hasattr(ranker, "feature_importances_")
        ranker.fit(X, groups)
        importances = ranker.feature_importances_
        ranker.partial_fit(X, groups)
        assert_why_not(ranker, "its last training was no fit; expected a fit, and not")
        assert_array_equal(ranker.fit(X, groups).feature_importances_, importances)

    def test_files_set_none(self, tmp_path):
        X, groups = drawn(n_useless=2)
        table = pd.DataFrame(X, columns=[f"metric{k}" for k in range(5)])
        table = table.assign(group=groups["group"], preference=groups["preference"])
        table.to_parquet(tmp_path / "table.parquet")
        ranker = quick(max_epochs=1)
        ranker.fit_parquet(
            tmp_path / "table.parquet", group="group", preference="preference"
        )
        assert_why_not(ranker, "its last training was no fit")
        with pytest.raises(ValueError, match="should have `coef_` or `feature_impo"):
            SelectFromModel(ranker, prefit=True).transform(X)

    def test_a_thin_table_sets_none(self):
        rng = np.random.default_rng(0)
        stored = rng.random((300, 3000)) < 0.005
        X = csr_array(np.where(stored, rng.random((300, 3000)), 0.0))
        groups = Groups.from_arrays(
            group=np.arange(300) // SIZE, preference=np.tile(np.arange(SIZE), 30)
        )
        why = "fit was to a sparse X of which little is stored"
        assert_why_not(quick(max_epochs=1).fit(X, groups), why)
        for selector in (SelectFromModel, RFE):
            getter = {"importance_getter": "feature_importances_"}
            with pytest.raises(AttributeError, match=why):
                selector(quick(max_epochs=1), **getter).fit(X, groups).get_support()

    def test_copies_have_them(self):
        X, groups = drawn(n_useless=2)
        ranker = quick(max_epochs=1).fit(X, groups)
        copied = pickle.loads(pickle.dumps(ranker))
        assert_array_equal(copied.feature_importances_, ranker.feature_importances_)
        ranker.partial_fit(X, groups)
        copied = pickle.loads(pickle.dumps(ranker))
        assert_why_not(copied, "its last training was no fit")

    @pytest.mark.parametrize("selector", [SelectFromModel, RFE])
    def test_selectors(self, selector):
        X, groups = drawn()
        settings = {"n_features_to_select": 3} if selector is RFE else {}
        if selector is RFE:
            settings["step"] = 10
        chosen = selector(quick(), **settings).fit(X, groups)
        assert_array_equal(np.flatnonzero(chosen.get_support()), [0, 1, 2])
        pipeline = make_pipeline(selector(quick(), **settings), quick())
        assert pipeline.fit(X, groups).predict(X).shape == (len(X),)
