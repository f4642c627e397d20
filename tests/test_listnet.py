"""The top-one loss: repeated rows, the conditional logit, huge scores."""

import math

import numpy as np
import pytest
import torch
from losses_by_definition import random_case, value_and_gradient
from numpy.testing import assert_allclose

from sklearn_pscore._torch.losses.listnet import TopOneLoss
from sklearn_pscore._torch.packing import PackedTarget


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
    result = value_and_gradient(TopOneLoss(), scores, weighted)
    expected = value_and_gradient(
        lambda s, target: TopOneLoss()(s.repeat_interleave(times.to(s.device)), target),
        scores,
        repeated,
    )
    assert_allclose(result[0], expected[0], rtol=1e-14)
    assert_allclose(result[1], expected[1], atol=1e-15)


def test_one_winner_gives_the_conditional_logit():
    scores = torch.tensor([0.2, -1.0, 0.7, 0.0, 0.3])
    level = torch.tensor([0, 0, 1, 0, 1])
    target = PackedTarget(level, torch.ones(5), torch.tensor([3, 2]), level.float())
    odds = np.exp(scores.numpy())
    likelihood = odds[2] / odds[:3].sum() * odds[4] / odds[3:].sum()
    value, _ = value_and_gradient(TopOneLoss(), scores, target)
    assert_allclose(value, -math.log(likelihood) / 2, rtol=1e-6)


def test_top_one_of_huge_scores_and_items_without_weight():
    level = torch.tensor([0, 1, 0, 1])
    scores = torch.tensor([0.0, 1e4, 1e6, 0.0], dtype=torch.float64)
    weight = torch.tensor([1.0, 1.0, 0.0, 1.0], dtype=torch.float64)
    target = PackedTarget(level, weight, torch.tensor([2, 2]), level.double())
    value, gradient = value_and_gradient(TopOneLoss(), scores, target)
    assert value == 0.0
    assert_allclose(gradient, torch.zeros(4), atol=0)
