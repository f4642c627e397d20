"""LambdaRank and top-one, against their definitions written as loops."""

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from sklearn_pscore._torch.losses import listwise as _listwise
from sklearn_pscore._torch.losses import padding as _cubes
from sklearn_pscore._torch.losses.listwise import LambdaRankLoss, TopOneLoss
from sklearn_pscore._torch.packing import PackedTarget

SIZES = {
    "even": [8] * 5,
    "several": [2, 3, 9, 1, 4],
    "large": [300, 5, 2, 280],
}
LOSSES = {
    "lambdarank": LambdaRankLoss(),
    "lambdarank@3": LambdaRankLoss(k=3),
    "top one": TopOneLoss(),
}


def random_case(sizes, seed=0, n_levels=4, dtype=torch.float64):
    rng = np.random.default_rng(seed)
    level = [
        np.unique(np.sort(rng.integers(0, n_levels, size)), return_inverse=True)[1]
        for size in sizes
    ]
    level = torch.tensor(np.concatenate(level))
    weight = torch.tensor(rng.uniform(0.1, 2.0, len(level))).to(dtype)
    target = PackedTarget(
        level, weight, torch.tensor(sizes), (2.0**level - 1).to(dtype)
    )
    return torch.tensor(rng.normal(0, 2, len(level))).to(dtype), target


def groups_of(scores, target):
    parts = (scores, target.level, target.weight, target.gain)
    sizes = target.sizes.tolist()
    return zip(*(part.split(sizes) for part in parts), strict=True)


def lambdarank_by_loops(scores, target, k):
    loss, total = 0.0, 0.0
    for s, level, weight, gain in groups_of(scores, target):
        n = len(s)
        by_score = sorted(range(n), key=lambda i: -s[i].item())
        discount = np.zeros(n)
        for rank, i in enumerate(by_score[:k], start=1):
            discount[i] = 1 / math.log2(1 + rank)
        best = sorted(gain.tolist(), reverse=True)[:k]
        ideal = sum(g / math.log2(1 + rank) for rank, g in enumerate(best, start=1))
        if ideal == 0:
            continue
        for i in range(n):
            for j in range(n):
                if level[i] <= level[j]:
                    continue
                swap = abs((gain[i] - gain[j]) * (discount[i] - discount[j])) / ideal
                pair = weight[i] * weight[j] * swap
                loss = loss + pair * torch.log1p(torch.exp(s[j] - s[i]))
                total += pair
    return loss / total


def top_one_by_loops(scores, target):
    loss, total = 0.0, 0.0
    for s, level, weight, _ in groups_of(scores, target):
        if level.max() == 0:
            continue
        top = level == level.max()
        normaliser = torch.log((weight * torch.exp(s)).sum())
        loss = loss + (weight[top] * (normaliser - s[top])).sum()
        total += weight[top].sum()
    return loss / total


def by_loops(name, scores, target):
    if name == "top one":
        return top_one_by_loops(scores, target)
    return lambdarank_by_loops(scores, target, 3 if name.endswith("3") else None)


def value_and_gradient(function, scores):
    scores = scores.clone().requires_grad_()
    value = function(scores)
    value.backward()
    return value.item(), scores.grad


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("sizes", ["even", "several", "one of 40"])
def test_losses_equal_their_loops(name, sizes):
    scores, target = random_case(SIZES.get(sizes, [40]))
    found = value_and_gradient(lambda s: LOSSES[name](s, target), scores)
    expected = value_and_gradient(lambda s: by_loops(name, s, target), scores)
    assert_allclose(found[0], expected[0], rtol=1e-12)
    assert_allclose(found[1], expected[1], atol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("sizes", ["even", "several"])
def test_gradients_pass_gradcheck(name, sizes):
    scores, target = random_case(SIZES[sizes], seed=1)
    members = torch.stack([scores, scores.flip(0)]).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: LOSSES[name](s, target), members)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("sizes", SIZES)
def test_members_together_equal_members_apart(name, sizes):
    scores, target = random_case(SIZES[sizes], seed=2)
    members = torch.stack([scores, scores.flip(0), 3 * scores])
    together = value_and_gradient(lambda s: LOSSES[name](s, target), members)
    apart = [
        value_and_gradient(lambda s: LOSSES[name](s, target), member)
        for member in members
    ]
    assert_allclose(together[0], sum(value for value, _ in apart), rtol=1e-12)
    assert_allclose(together[1], torch.stack([g for _, g in apart]), atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("sizes", SIZES)
def test_a_constant_and_the_order_inside_levels_change_nothing(name, sizes):
    scores, target = random_case(SIZES[sizes], seed=3)
    value, gradient = value_and_gradient(lambda s: LOSSES[name](s, target), scores)
    moved = value_and_gradient(lambda s: LOSSES[name](s, target), scores + 50)
    assert_allclose(moved[0], value, rtol=1e-12)
    assert_allclose(moved[1], gradient, atol=1e-13)
    group = torch.repeat_interleave(torch.arange(len(target.sizes)), target.sizes)
    rng = np.random.default_rng(0)
    order = np.lexsort((rng.random(len(scores)), target.level, group))
    other = target._replace(weight=target.weight[order])
    shuffled = value_and_gradient(lambda s: LOSSES[name](s, other), scores[order])
    assert_allclose(shuffled[0], value, rtol=1e-12)
    assert_allclose(shuffled[1], gradient[order], atol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("sizes", SIZES)
def test_float32_scores(name, sizes):
    scores, target = random_case(SIZES[sizes], seed=4, dtype=torch.float32)
    found = value_and_gradient(lambda s: LOSSES[name](s, target), scores)
    exact = value_and_gradient(
        lambda s: LOSSES[name](s, target._replace(weight=target.weight.double())),
        scores.double(),
    )
    assert found[1].dtype == torch.float32
    assert_allclose(found[0], exact[0], rtol=1e-5)
    assert_allclose(found[1], exact[1], atol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_without_weight_costs_nothing(name):
    scores, target = random_case(SIZES["several"])
    nothing = target._replace(weight=torch.zeros_like(target.weight))
    value, gradient = value_and_gradient(lambda s: LOSSES[name](s, nothing), scores)
    assert value == 0.0
    assert not gradient.any()


@pytest.mark.parametrize("name", LOSSES)
def test_groups_of_one_level_cost_nothing(name):
    scores, target = random_case([3, 4])
    level = torch.tensor([0, 1, 1, 0, 0, 0, 0])
    target = target._replace(level=level, gain=level.double())
    value, gradient = value_and_gradient(lambda s: LOSSES[name](s, target), scores)
    parts = (target.level[:3], target.weight[:3], torch.tensor([3]), target.gain[:3])
    first = PackedTarget(*parts)
    alone = value_and_gradient(lambda s: LOSSES[name](s, first), scores[:3])
    assert_allclose(value, alone[0], rtol=1e-13)
    assert_allclose(gradient[:3], alone[1], atol=1e-15)
    assert not gradient[3:].any()


def test_groups_without_gain_cost_lambdarank_nothing():
    scores, target = random_case([3, 4])
    gain = target.gain.clone()
    gain[:3] = 0.0
    target = target._replace(gain=gain)
    assert target.level[2] > 0
    value, gradient = value_and_gradient(lambda s: LambdaRankLoss()(s, target), scores)
    assert value > 0
    assert not gradient[:3].any()


def test_equal_scores_are_told_apart_by_lambdarank():
    level = torch.tensor([0, 0, 1])
    target = PackedTarget(level, torch.ones(3), torch.tensor([3]), level.float())
    value, gradient = value_and_gradient(
        lambda s: LambdaRankLoss()(s, target), torch.zeros(3)
    )
    assert_allclose(value, math.log(2), rtol=1e-6)
    # The two others share rank 1.5, the preferred one has rank 3.
    assert_allclose(gradient, [0.25, 0.25, -0.5], rtol=1e-6)


def test_swaps_beyond_k_do_not_count():
    # Ranks 1 .. 4 with the preferred item last: its swap with ranks 1 and 2 only.
    level = torch.tensor([0, 0, 0, 1])
    target = PackedTarget(level, torch.ones(4), torch.tensor([4]), level.float())
    scores = torch.tensor([3.0, 2.0, 1.0, 0.0])
    _, gradient = value_and_gradient(lambda s: LambdaRankLoss(k=2)(s, target), scores)
    assert gradient[2] == 0.0
    assert (gradient[:2] > 0).all()
    discount = np.array([1.0, 1 / math.log2(3)])
    slope = discount / (1 + np.exp([-3.0, -2.0])) / discount.sum()
    assert_allclose(gradient[:2], slope, rtol=1e-6)


@pytest.mark.parametrize("sizes", SIZES)
def test_lambdarank_in_tiles(monkeypatch, sizes):
    scores, target = random_case(SIZES[sizes], seed=5)
    members = torch.stack([scores, -scores, 2 * scores])
    whole = value_and_gradient(lambda s: LambdaRankLoss(5)(s, target), members)
    monkeypatch.setattr(_listwise, "_LARGEST_TILE", 1000)
    monkeypatch.setattr(_cubes, "_LARGEST_CUBE", 150)
    tiled = value_and_gradient(lambda s: LambdaRankLoss(5)(s, target), members)
    assert_allclose(tiled[0], whole[0], rtol=1e-12)
    assert_allclose(tiled[1], whole[1], atol=1e-15)


@pytest.mark.parametrize("sizes", [[6, 6, 6], [3, 7, 2]], ids=str)
def test_integer_weights_equal_repeated_rows_in_top_one(sizes):
    scores, target = random_case(sizes, seed=6)
    times = torch.tensor(np.random.default_rng(0).integers(1, 4, len(scores)))
    group = torch.repeat_interleave(torch.arange(len(sizes)), target.sizes)
    weighted = target._replace(weight=times.double())
    repeated = PackedTarget(
        target.level.repeat_interleave(times),
        torch.ones(int(times.sum()), dtype=torch.float64),
        torch.bincount(group.repeat_interleave(times)),
        target.gain.repeat_interleave(times),
    )
    found = value_and_gradient(lambda s: TopOneLoss()(s, weighted), scores)
    expected = value_and_gradient(
        lambda s: TopOneLoss()(s.repeat_interleave(times), repeated), scores
    )
    assert_allclose(found[0], expected[0], rtol=1e-14)
    assert_allclose(found[1], expected[1], atol=1e-15)


def test_one_winner_gives_the_conditional_logit():
    scores = torch.tensor([0.2, -1.0, 0.7, 0.0, 0.3])
    level = torch.tensor([0, 0, 1, 0, 1])
    target = PackedTarget(level, torch.ones(5), torch.tensor([3, 2]), level.float())
    odds = np.exp(scores.numpy())
    likelihood = odds[2] / odds[:3].sum() * odds[4] / odds[3:].sum()
    value, _ = value_and_gradient(lambda s: TopOneLoss()(s, target), scores)
    assert_allclose(value, -math.log(likelihood) / 2, rtol=1e-6)


def test_top_one_of_huge_scores_and_items_without_weight():
    level = torch.tensor([0, 1, 0, 1])
    scores = torch.tensor([0.0, 1e4, 1e6, 0.0], dtype=torch.float64)
    weight = torch.tensor([1.0, 1.0, 0.0, 1.0], dtype=torch.float64)
    target = PackedTarget(level, weight, torch.tensor([2, 2]), level.double())
    value, gradient = value_and_gradient(lambda s: TopOneLoss()(s, target), scores)
    assert value == 0.0
    assert_allclose(gradient, torch.zeros(4), atol=0)
