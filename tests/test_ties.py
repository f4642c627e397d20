"""Ties: pairs that nobody won, left out or won half by each."""

from dataclasses import replace

import numpy as np
import pytest
from losses_by_definition import over_all_pairs, value_and_gradient
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline

from sklearn_pscore import Groups, PairAugmenter, PairwisePreferenceRanker
from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._torch.losses.ranknet import PairwiseLogisticLoss
from sklearn_pscore._torch.packing import PackedGroups
from sklearn_pscore.metrics import pairwise_accuracy_score

FAST = {"max_epochs": 2, "n_members": 1, "random_state": 0}


def sixty_wins_and_ties(n_ties=140):
    """Return X and target of pairs that the first item won, or nobody."""
    n_pairs = 60 + n_ties
    X = np.tile([1.0, 0.0], n_pairs)[:, None]
    preference = np.zeros(2 * n_pairs)
    preference[:120:2] = 1.0
    group = np.repeat(np.arange(n_pairs), 2)
    return X, Groups.from_arrays(group=group, preference=preference)


@pytest.mark.parametrize("seed", range(2))
def test_half_is_the_share_of_wins_with_ties_half_each(seed):
    X, groups = sixty_wins_and_ties()
    half = PairwisePreferenceRanker(ties="half", random_state=seed).fit(X, groups)
    assert_allclose(half.preference_proba([[1.0]], [[0.0]]), (60 + 70) / 200, atol=0.01)
    ignored = PairwisePreferenceRanker(random_state=seed).fit(X, groups)
    # Given that one is preferred, it is always the first.
    assert ignored.preference_proba([[1.0]], [[0.0]]) > 0.99


def test_groups_of_ties_alone_train_but_stay_out_of_the_metrics():
    X, groups = sixty_wins_and_ties()
    ranker = PairwisePreferenceRanker(ties="half", **FAST).fit(X, groups)
    assert (ranker.n_groups_, ranker.n_pairs_) == (200, 200)
    ignored = PairwisePreferenceRanker(**FAST).fit(X, groups)
    assert (ignored.n_groups_, ignored.n_pairs_) == (60, 60)
    y_score = ranker.predict(X)
    decided = slice(0, 120)
    assert ranker.score(X, groups) == pairwise_accuracy_score(
        groups[decided], y_score[decided]
    )


@pytest.mark.parametrize("how", ["partial_fit", "early_stopping", "batches", "groups"])
def test_every_way_of_training_counts_ties(how):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 3))
    preference = rng.integers(0, 3, 240)
    group = np.arange(240) // (120 if how == "groups" else 6)
    groups = Groups.from_arrays(group=group, preference=preference)
    params = {
        "early_stopping": {"early_stopping": True},
        "batches": {"batch_size": 12},
    }.get(how, {})
    losses = []
    for ties in ("ignore", "half"):
        ranker = PairwisePreferenceRanker(ties=ties, **FAST, **params)
        fit = ranker.partial_fit if how == "partial_fit" else ranker.fit
        history = fit(X, groups).history_
        losses.append(history["train_loss"].tolist())
        if how == "early_stopping":
            losses[-1].append(history["valid_loss"][-1])
    assert np.all(np.array(losses[0]) != losses[1])


def test_without_ties_nothing_changes():
    rng = np.random.default_rng(0)
    X, group = rng.normal(size=(60, 3)), np.arange(60) // 6
    groups = Groups.from_arrays(group=group, preference=rng.normal(size=60))
    scores = [
        PairwisePreferenceRanker(ties=ties, **FAST).fit(X, groups).predict(X)
        for ties in ("ignore", "half")
    ]
    assert_allclose(scores[0], scores[1], atol=1e-5 * np.ptp(scores[0]))


class TestRefused:
    X = np.random.default_rng(0).normal(size=(40, 3))
    group = np.arange(40) // 4

    def check_refused(self, groups, match, X=None, **params):
        ranker = PairwisePreferenceRanker(ties="half", **FAST, **params)
        with pytest.raises(ValueError, match=match):
            ranker.fit(self.X if X is None else X, groups)
        assert not hasattr(ranker, "net_")

    @pytest.mark.parametrize("loss", ["lambdarank", "listnet"])
    def test_losses_without_ties(self, loss):
        groups = Groups.from_arrays(group=self.group, preference=self.X[:, 0])
        self.check_refused(groups, f"ties=\"half\" with loss='{loss}'", loss=loss)

    def test_winners(self):
        winner = np.arange(40) % 4 == 1
        groups = Groups.from_winners(group=self.group, winner=winner)
        self.check_refused(
            groups, "every preference is 10 or 0, as Groups.from_winners"
        )

    def test_synthetic_items(self):
        groups = Groups.from_arrays(group=self.group, preference=self.X[:, 0])
        pipeline = make_pipeline(
            PairAugmenter(stitch_sizes=(2,), random_state=0),
            PairwisePreferenceRanker(ties="half", **FAST),
        )
        with pytest.raises(ValueError, match=r'ties="half" with \d+ synthetic items'):
            pipeline.fit(self.X, groups)

    def test_nothing_but_ties(self):
        groups = Groups.from_arrays(group=self.group, preference=np.ones(40))
        self.check_refused(groups, "all preferences are equal within each")

    def test_groups_of_a_single_item(self):
        groups = Groups.from_arrays(group=np.arange(40), preference=self.X[:, 0])
        self.check_refused(groups, "every group has a single item")

    def test_unknown_kind(self):
        groups = Groups.from_arrays(group=self.group, preference=self.X[:, 0])
        ranker = PairwisePreferenceRanker(ties="drop")
        with pytest.raises(ValueError, match="'ties' parameter"):
            ranker.fit(self.X, groups)


def test_winners_among_grades_warn():
    rng = np.random.default_rng(0)
    group, winner = np.arange(40) // 4, np.arange(40) % 4 == 1
    grades = Groups.from_arrays(group=group, preference=rng.integers(0, 11, size=40))
    awards = Groups.from_winners(group=group, winner=winner)
    X = rng.normal(size=(80, 3))
    ranker = PairwisePreferenceRanker(ties="half", **FAST)
    message = "In 10 of 20 groups one item has the preference 10 and all others 0"
    with pytest.warns(UserWarning, match=message):
        ranker.fit(X, Groups.concat({"grade": grades, "award": awards}))
    # Grades of the same scale do not warn, and neither do pairs: they hold no tie.
    pairs = Groups.from_winners(group=np.arange(40) // 2, winner=np.arange(40) % 2)
    ranker.fit(X[:40], grades)
    ranker.fit(X, Groups.concat({"grade": grades, "award": pairs}))


def test_a_choice_among_several_warns():
    rng = np.random.default_rng(0)
    chosen = np.arange(40) % 4 == 1
    groups = Groups.from_arrays(group=np.arange(40) // 4, preference=chosen)
    ranker = PairwisePreferenceRanker(ties="half", **FAST)
    with pytest.warns(UserWarning, match="one item is above all others, which tie"):
        ranker.fit(rng.normal(size=(40, 3)), groups)


def test_rows_of_weight_zero_make_no_tie():
    X, groups = sixty_wins_and_ties()
    weight = np.ones(len(X))
    weight[200:300] = 0.0
    fields = {name: groups[name] for name in ("group", "preference")}
    ranker = PairwisePreferenceRanker(ties="half", **FAST)
    ranker.fit(X, Groups.from_arrays(**fields, weight=weight))
    kept = weight > 0
    removed = PairwisePreferenceRanker(ties="half", **FAST).fit(X[kept], groups[kept])
    assert_array_equal(ranker.predict(X), removed.predict(X))


def several_rows(n_items=3, n_rows=5, n_groups=12):
    """Return X and target of groups whose items, all of different rank, have rows."""
    rng = np.random.default_rng(0)
    item = np.tile(np.repeat(np.arange(n_items), n_rows), n_groups)
    group = np.repeat(np.arange(n_groups), n_items * n_rows)
    X = rng.normal(size=(len(item), 2)) + item[:, None]
    order = rng.permutation(len(item))
    groups = Groups.from_arrays(group=group, preference=item, item=item)
    return X[order], groups[order]


class TestRowsOfOneItem:
    @pytest.mark.parametrize("n_rows", [5, 20, 100])
    def test_are_no_tie(self, n_rows):
        X, groups = several_rows(n_rows=n_rows, n_groups=4)
        rankers = [
            PairwisePreferenceRanker(ties=ties, **FAST).fit(X, groups)
            for ties in ("ignore", "half")
        ]
        n_pairs = [ranker.n_pairs_ for ranker in rankers]
        assert n_pairs == 2 * [4 * 3 * n_rows**2]
        scores = [ranker.predict(X) for ranker in rankers]
        assert_allclose(scores[0], scores[1], atol=1e-4 * np.ptp(scores[0]))

    def test_a_group_of_one_item_has_no_pair(self):
        X, groups = several_rows()
        other = Groups.from_arrays(group=[99] * 4, preference=[1] * 4, item=[0] * 4)
        ranker = PairwisePreferenceRanker(ties="half", **FAST)
        ranker.fit(np.concatenate([X, X[:4]]), np.concatenate([groups, other]))
        assert (ranker.n_groups_, ranker.n_pairs_) == (12, 12 * 75)

    def test_tie_with_those_of_another(self):
        X, groups = several_rows()
        groups["preference"] = np.minimum(groups["preference"], 1)
        groups["preference"][groups["group"] == 0] = 1
        ranker = PairwisePreferenceRanker(ties="half", **FAST).fit(X, groups)
        assert (ranker.n_groups_, ranker.n_pairs_) == (12, 12 * 75)

    def test_a_choice_of_an_item_with_several_rows_warns(self):
        X, groups = several_rows()
        groups["preference"] = groups["preference"] == 2
        ranker = PairwisePreferenceRanker(ties="half", **FAST)
        with pytest.warns(UserWarning, match="one item is above all others, which tie"):
            ranker.fit(X, groups)

    @pytest.mark.parametrize("sizes", [[6, 6], [4, 9, 30], [40, 50], [60, 300, 400]])
    @pytest.mark.parametrize("scale", [1.0, 60.0])
    def test_loss_is_that_of_the_definition(self, sizes, scale):
        rng = np.random.default_rng(0)
        group = np.repeat(np.arange(len(sizes)), sizes)
        item = rng.integers(0, 4, len(group))
        groups = Groups.from_arrays(
            group=group,
            preference=rng.integers(0, 3, (len(sizes), 4))[group, item],
            item=item,
            weight=rng.uniform(0.1, 2.0, len(group)),
        )
        X = scale * rng.normal(size=(len(group), 1))
        items = TrainingItems.from_target(X, check_groups(groups))
        packed = PackedGroups(
            replace(items, ties="half").comparable(),
            lambda group, preference: np.zeros(len(group)),
            ties="half",
        )
        X, target = packed.batch(np.arange(packed.n_groups))
        contender = target.contender.numpy()
        loss, gradient, total, _ = over_all_pairs(
            X[:, 0].numpy(),
            target.level.numpy(),
            target.weight.double().numpy(),
            target.sizes.numpy(),
            lambda group: contender[group, None] != contender[group],
            ties="half",
        )
        value, slopes = value_and_gradient(
            PairwiseLogisticLoss("half"), X[:, 0], target
        )
        assert_allclose(value, loss / total, rtol=1e-6)
        assert_allclose(slopes, gradient / total, atol=1e-6 * abs(slopes).max())
        assert packed.n_pairs == sum(
            np.sum(np.triu(own[:, None] != own))
            for own in np.split(item, np.cumsum(sizes)[:-1])
        )

    def test_parts_of_a_large_group(self):
        X, groups = several_rows(n_rows=30, n_groups=1)
        items = TrainingItems.from_target(X, check_groups(groups))
        packed = PackedGroups(
            replace(items, ties="half"),
            lambda group, preference: np.zeros(len(group)),
            ties="half",
        )
        picked = np.r_[0:3, 60:64]
        target = packed.piece(picked)[1]
        assert target.contender.tolist() == [0, 0, 0, 1, 1, 1, 1]
