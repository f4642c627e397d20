"""Properties of all losses, against their definitions."""

from functools import partial

import losses_by_definition
import numpy as np
import pytest
import torch
from losses_by_definition import packed, random_case, value_and_gradient
from numpy.testing import assert_allclose

from sklearn_pscore._torch.losses.lambdarank import LambdaRankLoss
from sklearn_pscore._torch.losses.listnet import TopOneLoss
from sklearn_pscore._torch.losses.ranknet import PairwiseLogisticLoss

SIZES = {
    "even": [8] * 5,
    "several": [2, 3, 9, 1, 4],
    "large": [300, 5, 2, 280],
}
LOSSES = {
    "ranknet": PairwiseLogisticLoss(),
    "ranknet, ties": PairwiseLogisticLoss("half"),
    "lambdarank": LambdaRankLoss(),
    "lambdarank@3": LambdaRankLoss(k=3),
    "top one": TopOneLoss(),
}
DEFINITIONS = {
    "ranknet": losses_by_definition.ranknet,
    "ranknet, ties": partial(losses_by_definition.ranknet, ties="half"),
    "lambdarank": losses_by_definition.lambdarank,
    "lambdarank@3": partial(losses_by_definition.lambdarank, k=3),
    "top one": losses_by_definition.top_one,
}
# RankNet's sums over large groups are not exact: test_expanded.py has their bounds.
CASES = [
    (name, sizes)
    for name in LOSSES
    for sizes in SIZES
    if not (name.startswith("ranknet") and sizes == "large")
]
WITHOUT_TIES = [name for name in LOSSES if name != "ranknet, ties"]


@pytest.mark.parametrize(("name", "sizes"), CASES)
def test_losses_equal_their_definitions(name, sizes):
    scores, target = random_case(SIZES[sizes])
    value, gradient = value_and_gradient(LOSSES[name], scores, target)
    columns = (target.level, target.weight, target.sizes, target.gain)
    expected = DEFINITIONS[name](scores.numpy(), *(c.numpy() for c in columns))
    assert_allclose(value, expected[0], rtol=1e-12)
    assert_allclose(gradient, expected[1], atol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("sizes", ["even", "several"])
def test_gradients_pass_gradcheck(name, sizes):
    scores, target = random_case(SIZES[sizes], seed=1)
    members = torch.stack([scores, scores.flip(0)]).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: LOSSES[name](s, target), members)


@pytest.mark.parametrize(("name", "sizes"), CASES)
def test_members_together_equal_members_apart(name, sizes):
    scores, target = random_case(SIZES[sizes], seed=2)
    members = torch.stack([scores, scores.flip(0), 3 * scores])
    together = value_and_gradient(LOSSES[name], members, target)
    apart = [value_and_gradient(LOSSES[name], member, target) for member in members]
    assert_allclose(together[0], sum(value for value, _ in apart), rtol=1e-12)
    assert_allclose(together[1], torch.stack([g for _, g in apart]), atol=1e-15)


@pytest.mark.parametrize(("name", "sizes"), CASES)
def test_a_constant_and_the_order_inside_levels_change_nothing(name, sizes):
    scores, target = random_case(SIZES[sizes], seed=3)
    value, gradient = value_and_gradient(LOSSES[name], scores, target)
    moved = value_and_gradient(LOSSES[name], scores + 50, target)
    assert_allclose(moved[0], value, rtol=1e-12)
    assert_allclose(moved[1], gradient, atol=1e-13)
    group = torch.repeat_interleave(torch.arange(len(target.sizes)), target.sizes)
    rng = np.random.default_rng(0)
    order = np.lexsort((rng.random(len(scores)), target.level, group))
    other = target._replace(weight=target.weight[order])
    shuffled = value_and_gradient(LOSSES[name], scores[order], other)
    assert_allclose(shuffled[0], value, rtol=1e-12)
    assert_allclose(shuffled[1], gradient[order], atol=1e-14)


@pytest.mark.parametrize(("name", "sizes"), CASES)
def test_float32_scores(name, sizes):
    scores, target = random_case(SIZES[sizes], seed=4, dtype=torch.float32)
    result = value_and_gradient(LOSSES[name], scores, target)
    in_float64 = target._replace(weight=target.weight.double())
    exact = value_and_gradient(LOSSES[name], scores.double(), in_float64)
    assert result[1].dtype == torch.float32
    assert_allclose(result[0], exact[0], rtol=1e-5)
    assert_allclose(result[1], exact[1], atol=1e-6)


@pytest.mark.parametrize("name", ["ranknet", "ranknet, ties"])
def test_ranknet_of_large_groups_apart_in_float32(name):
    scores, target = random_case(SIZES["large"], seed=4, dtype=torch.float32)
    result = value_and_gradient(LOSSES[name], scores, target)
    target = target._replace(weight=target.weight.double())
    exact = value_and_gradient(LOSSES[name], scores.double(), target)
    assert result[1].dtype == torch.float32
    assert_allclose(result[0], exact[0], rtol=1e-5)
    assert_allclose(result[1], exact[1], atol=1e-6)


@pytest.mark.parametrize("name", WITHOUT_TIES)
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("weighted", ["none", "the lowest level", "one item"])
def test_a_batch_without_weight_in_pairs_costs_nothing(name, sizes, dtype, weighted):
    scores, target = random_case(SIZES[sizes], dtype=dtype)
    weight = torch.zeros_like(target.weight)
    if weighted == "the lowest level":
        weight[target.level == 0] = 1.0
    elif weighted == "one item":
        weight[0] = 1.0
    target = target._replace(weight=weight)
    value, gradient = value_and_gradient(LOSSES[name], scores, target)
    assert abs(value) < 1e-9
    assert gradient.abs().max() < 1e-9


@pytest.mark.parametrize("name", WITHOUT_TIES)
def test_groups_of_one_level_cost_nothing(name):
    scores, target = random_case([3, 4])
    level = torch.tensor([0, 1, 1, 0, 0, 0, 0])
    target = target._replace(level=level, gain=level.double())
    value, gradient = value_and_gradient(LOSSES[name], scores, target)
    first = packed(level[:3], target.weight[:3], [3], target.gain[:3])
    alone = value_and_gradient(LOSSES[name], scores[:3], first)
    assert_allclose(value, alone[0], rtol=1e-13)
    assert_allclose(gradient[:3], alone[1], atol=1e-15)
    assert not gradient[3:].any()


@pytest.mark.parametrize(("name", "sizes"), CASES)
def test_sums_of_parts_make_the_mean_and_the_gradient_of_the_whole(name, sizes):
    scores, target = random_case(SIZES[sizes], seed=7)
    members = torch.stack([scores, scores.flip(0)])
    value, gradient = value_and_gradient(LOSSES[name], members, target)
    is_first = torch.repeat_interleave(
        torch.arange(len(target.sizes)) < 1, target.sizes
    )
    sums, slopes = 0, torch.zeros_like(members)
    for items in (is_first, ~is_first):
        part = members[:, items].requires_grad_()
        loss, sums_of_part = LOSSES[name].mean_and_sums(part, target.take(items))
        assert not sums_of_part.requires_grad
        loss.backward()
        slopes[:, items] = part.grad * sums_of_part[1, :, None]
        sums = sums + sums_of_part
    assert_allclose((sums[0] / sums[1]).sum(), value, rtol=1e-12)
    assert_allclose(slopes / sums[1, :, None], gradient, atol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_sums_of_groups_without_a_pair_are_zero(name):
    scores, target = random_case([3, 2])
    target = target._replace(weight=torch.zeros_like(target.weight))
    loss, sums = LOSSES[name].mean_and_sums(scores, target)
    assert loss == 0
    assert (sums == 0).all()
