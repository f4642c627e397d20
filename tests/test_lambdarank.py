"""LambdaRank: ties in the score, ranks beyond k, groups without gain, large groups."""

import math

import losses_by_definition
import numpy as np
import pandas as pd
import pytest
import torch
from cases import quick
from losses_by_definition import random_case, value_and_gradient
from numpy.testing import assert_allclose

from sklearn_pscore import Groups
from sklearn_pscore._torch.losses import lambdarank
from sklearn_pscore._torch.losses.lambdarank import LambdaRankLoss, takes_all_pairs
from sklearn_pscore._torch.packing import PackedTarget


def test_groups_without_gain_cost_lambdarank_nothing():
    scores, target = random_case([3, 4])
    gain = target.gain.clone()
    gain[:3] = 0.0
    target = target._replace(gain=gain)
    assert target.level[2] > 0
    value, gradient = value_and_gradient(LambdaRankLoss(), scores, target)
    assert value > 0
    assert not gradient[:3].any()


def test_equal_scores_are_told_apart_by_lambdarank():
    level = torch.tensor([0, 0, 1])
    target = PackedTarget(level, torch.ones(3), torch.tensor([3]), level.float())
    value, gradient = value_and_gradient(LambdaRankLoss(), torch.zeros(3), target)
    assert_allclose(value, math.log(2), rtol=1e-6)
    # The two others share rank 1.5, the preferred one has rank 3.
    assert_allclose(gradient, [0.25, 0.25, -0.5], rtol=1e-6)


def test_swaps_beyond_k_do_not_count():
    # Ranks 1 .. 4 with the preferred item last: its swap with ranks 1 and 2 only.
    level = torch.tensor([0, 0, 0, 1])
    target = PackedTarget(level, torch.ones(4), torch.tensor([4]), level.float())
    scores = torch.tensor([3.0, 2.0, 1.0, 0.0])
    _, gradient = value_and_gradient(LambdaRankLoss(k=2), scores, target)
    assert gradient[2] == 0.0
    assert (gradient[:2] > 0).all()
    discount = np.array([1.0, 1 / math.log2(3)])
    slope = discount / (1 + np.exp([-3.0, -2.0])) / discount.sum()
    assert_allclose(gradient[:2], slope, rtol=1e-6)


@pytest.mark.parametrize("sizes", [[1100], [30] * 400])
def test_more_pairs_than_are_in_memory_at_a_time(sizes):
    scores, target = random_case(sizes, seed=5)
    members = torch.stack([scores, -scores, 2 * scores])
    value, gradient = value_and_gradient(LambdaRankLoss(5), members, target)
    columns = (target.level, target.weight, target.sizes, target.gain)
    expected = [
        losses_by_definition.lambdarank(s.numpy(), *(c.numpy() for c in columns), k=5)
        for s in members
    ]
    assert_allclose(value, sum(loss for loss, _ in expected), rtol=1e-12)
    assert_allclose(gradient, np.stack([g for _, g in expected]), atol=1e-14)


class TestItemsUpToRankK:
    """Groups of many times k items, whose pairs below rank k cost nothing."""

    @pytest.mark.parametrize("k", [1, 2, 3, 7])
    @pytest.mark.parametrize(
        "sizes", [[200], [60, 90, 75], [100] * 7, [3, 400, 2, 64]], ids=str
    )
    @pytest.mark.parametrize("n_levels", [2, 5, 400])
    def test_equal_the_definition(self, k, sizes, n_levels):
        assert not takes_all_pairs(max(sizes), k)
        scores, target = random_case(sizes, seed=k, n_levels=n_levels)
        gain = torch.log1p(target.level.double())
        target = target._replace(gain=gain)
        members = torch.stack([scores, -scores, 0.1 * scores])
        value, gradient = value_and_gradient(LambdaRankLoss(k), members, target)
        columns = [c.numpy() for c in target[:3]] + [gain.numpy()]
        expected = [
            losses_by_definition.lambdarank(s.numpy(), *columns, k=k) for s in members
        ]
        assert_allclose(value, sum(loss for loss, _ in expected), rtol=1e-12)
        assert_allclose(gradient, np.stack([g for _, g in expected]), atol=1e-14)

    @pytest.mark.parametrize("k", [1, 2, 5, 10])
    @pytest.mark.parametrize("n_values", [1, 2, 4, 10, 40])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_equal_all_pairs_where_scores_tie(self, k, n_values, dtype, monkeypatch):
        """Also where a tie reaches over rank k, or over rank 2 k."""
        for seed in range(5):
            rng = np.random.default_rng(seed)
            sizes = rng.integers(2, 130, size=4).tolist() + [90]
            _, target = random_case(sizes, seed=seed, n_levels=3, dtype=dtype)
            drawn = rng.integers(0, n_values, size=(2, sum(sizes)))
            scores = torch.tensor(drawn).to(dtype)
            results = []
            for times in (0, 1000):
                monkeypatch.setattr(lambdarank, "_WIDE_IN_K", times)
                results.append(value_and_gradient(LambdaRankLoss(k), scores, target))
            (value, gradient), (expected, of_pairs) = results
            precise = dtype == torch.float64
            assert_allclose(value, expected, rtol=1e-12 if precise else 1e-5)
            assert_allclose(gradient, of_pairs, atol=1e-14 if precise else 1e-7)

    def test_gradient_passes_gradcheck(self):
        scores, target = random_case([70, 50], seed=1)
        loss = LambdaRankLoss(k=4)
        members = torch.stack([scores, scores.flip(0)]).requires_grad_()
        assert torch.autograd.gradcheck(lambda s: loss(s, target), members)

    def test_only_they_move_and_are_moved(self):
        scores, target = random_case([500], seed=3)
        level = (torch.arange(500) >= 480).long()
        target = target._replace(level=level, gain=level.double())
        _, gradient = value_and_gradient(LambdaRankLoss(k=5), scores, target)
        top = scores.argsort(descending=True)[:5]
        levels_of_top = set(level[top].tolist())
        rest = torch.ones(500, dtype=bool)
        rest[top] = False
        assert levels_of_top == {0}
        assert not gradient[rest & (level == 0)].any()
        assert (gradient[top] > 0).all()
        assert (gradient[level == 1] < 0).all()

    def test_a_large_group_takes_tiles(self, monkeypatch):
        """Of fewer items of the head than there are, with the same sums."""
        scores, target = random_case([900, 700], seed=2)
        whole = value_and_gradient(LambdaRankLoss(20), scores, target)
        monkeypatch.setattr(lambdarank, "_PAIRS_OF_TILE", 3 * 900)
        tiled = value_and_gradient(LambdaRankLoss(20), scores, target)
        assert_allclose(tiled[0], whole[0], rtol=1e-13)
        assert_allclose(tiled[1], whole[1], atol=1e-16)


class TestManyPairs:
    """A fit that goes through all pairs of a large group warns once."""

    @staticmethod
    def large(n=5001):
        rng = np.random.default_rng(0)
        preference = rng.integers(0, 3, size=n + 20)
        group = np.repeat([0, 1], [n, 20])
        return rng.normal(size=(n + 20, 2)), Groups.from_arrays(
            group=group, preference=preference
        )

    @staticmethod
    def ranker(**settings):
        return quick(sizes=(), n_members=1, max_epochs=1, shortcut=None, **settings)

    @pytest.mark.parametrize("k", [None, 1000])
    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    def test_warns(self, k, method, monkeypatch):
        # The pairs are not gone through: it is the warning that counts.
        monkeypatch.setattr(lambdarank.LambdaRankLoss, "forward", _nothing)
        with pytest.warns(UserWarning, match="the largest has 5001 items") as caught:
            getattr(self.ranker(loss="lambdarank", k=k), method)(*self.large())
        (warning,) = caught
        assert f"with k={k} goes through all pairs" in str(warning.message)
        assert "k=10, or loss='ranknet'" in str(warning.message)
        assert warning.filename == __file__

    def test_warns_once_in_a_fit_from_files(self, tmp_path, monkeypatch):
        monkeypatch.setattr(lambdarank.LambdaRankLoss, "forward", _nothing)
        X, groups = self.large()
        frame = pd.DataFrame(X, columns=["a", "b"])
        frame["g"], frame["p"] = groups["group"], groups["preference"]
        again = frame.assign(g=frame["g"] + 2)
        pd.concat([frame, again]).to_parquet(tmp_path / "two.parquet", index=False)
        ranker = self.ranker(loss="lambdarank").set_params(max_epochs=2)
        columns = {"group": "g", "preference": "p", "features": ["a", "b"]}
        with pytest.warns(UserWarning, match="the largest has 5001 items") as caught:
            ranker.fit_parquet(tmp_path / "two.parquet", rows_at_a_time=5000, **columns)
        (warning,) = caught
        assert warning.filename == __file__

    @pytest.mark.parametrize(
        ("n", "settings"),
        [
            (5000, {"loss": "lambdarank"}),
            (5001, {"loss": "lambdarank", "k": 10}),
            (5001, {"loss": "ranknet"}),
            (5001, {"loss": "listnet"}),
        ],
    )
    def test_others_do_not(self, n, settings, monkeypatch, recwarn):
        if "k" not in settings:
            monkeypatch.setattr(lambdarank.LambdaRankLoss, "forward", _nothing)
        assert self.ranker(**settings).fit(*self.large(n)).n_pairs_ > 1e6
        assert not len(recwarn)


def _nothing(self, scores, target):
    """Return a loss of no work."""
    return scores.double().mean()
