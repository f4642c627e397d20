"""LambdaRank: ties in the score, ranks beyond k, groups without gain, large groups."""

import math

import losses_by_definition
import numpy as np
import pytest
import torch
from losses_by_definition import random_case, value_and_gradient
from numpy.testing import assert_allclose

from sklearn_pscore._torch.losses.lambdarank import LambdaRankLoss
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
