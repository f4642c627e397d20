"""The loss over packed groups, against loops, arithmetic and differences."""

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from sklearn_pscore._torch import _expansion, _loss
from sklearn_pscore._torch._loss import PairwiseLogisticLoss


def loop_over_pairs(scores, level, weight, sizes):
    """Mean loss and its gradient, written as the definition."""
    loss, total = 0.0, 0.0
    gradient = np.zeros(len(scores))
    group = np.repeat(np.arange(len(sizes)), sizes)
    for i in range(len(scores)):
        for j in range(len(scores)):
            if group[i] != group[j] or level[i] <= level[j]:
                continue
            pair = weight[i] * weight[j]
            loss += pair * np.logaddexp(0.0, scores[j] - scores[i])
            slope = pair / (1.0 + np.exp(scores[i] - scores[j]))
            gradient[i] -= slope
            gradient[j] += slope
            total += pair
    return loss / total, gradient / total


def loss_and_gradient(scores, level, weight, sizes):
    scores = torch.tensor(scores, dtype=torch.float64, requires_grad=True)
    target = (torch.tensor(level), torch.tensor(weight), torch.tensor(sizes))
    loss = PairwiseLogisticLoss()(scores, target)
    loss.backward()
    return loss.item(), scores.grad.numpy()


def random_case(rng, sizes, n_levels, score_range):
    n_items = sum(sizes)
    level = np.concatenate(
        [
            np.unique(np.sort(rng.integers(0, n_levels, size)), return_inverse=True)[1]
            for size in sizes
        ]
    )
    scores = rng.uniform(0, score_range, n_items)
    return scores, level, rng.uniform(0.1, 2.0, n_items), sizes


@pytest.mark.parametrize("score_range", [0.01, 6.0, 25.0, 100.0])
@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([2], id="one pair"),
        pytest.param([3, 5, 2, 9, 17], id="small groups of several sizes"),
        pytest.param([300], id="one large group"),
        pytest.param([4, 280, 3, 270], id="small and large groups in turn"),
    ],
)
@pytest.mark.parametrize("n_levels", [2, 10, 10_000])
def test_loss_equals_the_loop_over_pairs(sizes, n_levels, score_range):
    rng = np.random.default_rng(len(sizes) + n_levels)
    case = random_case(rng, sizes, n_levels, score_range)
    if case[1].max() == 0:
        case[1][-1] = 1
    loss, gradient = loss_and_gradient(*case)
    expected_loss, expected_gradient = loop_over_pairs(*case)
    assert_allclose(loss, expected_loss, rtol=1e-9, atol=1e-9)
    assert_allclose(gradient, expected_gradient, rtol=0, atol=1e-9)


def test_gradient_equals_finite_differences():
    rng = np.random.default_rng(0)
    scores, level, weight, sizes = random_case(rng, [6, 270], 5, 6.0)
    gradient = loss_and_gradient(scores, level, weight, sizes)[1]
    for place in (0, 5, 6, 100, 275):
        step = np.zeros(len(scores))
        step[place] = 1e-5
        above = loss_and_gradient(scores + step, level, weight, sizes)[0]
        below = loss_and_gradient(scores - step, level, weight, sizes)[0]
        assert_allclose((above - below) / 2e-5, gradient[place], atol=1e-8)


@pytest.mark.parametrize("size", [2, 300])
def test_margin_zero_costs_log_two(size):
    loss, _ = loss_and_gradient(
        np.zeros(size), np.arange(size) // (size // 2), np.ones(size), [size]
    )
    assert_allclose(loss, math.log(2), rtol=1e-10)


@pytest.mark.parametrize(("margin", "expected"), [(1000.0, 0.0), (-1000.0, 1000.0)])
def test_huge_margins_stay_finite(margin, expected):
    loss, gradient = loss_and_gradient(
        np.array([0.0, margin]), np.array([0, 1]), np.ones(2), [2]
    )
    assert_allclose(loss, expected, atol=1e-12)
    assert_allclose(gradient, [0.0, 0.0] if margin > 0 else [1.0, -1.0], atol=1e-12)


def test_integer_weights_equal_repeated_rows():
    rng = np.random.default_rng(1)
    scores, level, _, sizes = random_case(rng, [7, 4], 3, 6.0)
    weight = rng.integers(1, 4, len(scores))
    group = np.repeat(np.arange(2), sizes)
    weighted = loss_and_gradient(scores, level, weight.astype(float), sizes)[0]
    repeated = loss_and_gradient(
        np.repeat(scores, weight),
        np.repeat(level, weight),
        np.ones(weight.sum()),
        np.bincount(np.repeat(group, weight)).tolist(),
    )[0]
    assert_allclose(weighted, repeated, rtol=1e-12)


def test_groups_together_equal_groups_apart():
    rng = np.random.default_rng(2)
    cases = [random_case(rng, [size], 4, 6.0) for size in (5, 300, 11)]
    together = loss_and_gradient(
        *(np.concatenate([case[part] for case in cases]) for part in range(3)),
        [5, 300, 11],
    )[1]
    apart = [loop_over_pairs(*case) for case in cases]
    totals = [
        sum(
            case[2][i] * case[2][j]
            for i in range(len(case[0]))
            for j in range(len(case[0]))
            if case[1][i] > case[1][j]
        )
        for case in cases
    ]
    expected = np.concatenate(
        [gradient * total for (_, gradient), total in zip(apart, totals, strict=True)]
    ) / sum(totals)
    assert_allclose(together, expected, atol=1e-10)


def test_both_ways_of_large_groups_agree(monkeypatch):
    rng = np.random.default_rng(3)
    case = random_case(rng, [600], 600, 6.0)
    expanded = loss_and_gradient(*case)
    monkeypatch.setattr(_expansion, "_WIDEST_RANGE", 0.0)
    tiled = loss_and_gradient(*case)
    assert expanded[0] != tiled[0]
    assert_allclose(expanded[0], tiled[0], rtol=1e-10)
    assert_allclose(expanded[1], tiled[1], atol=1e-12)


@pytest.mark.parametrize(
    "level_sizes",
    [
        pytest.param([1] * 400, id="all different"),
        pytest.param([400, 1], id="two levels"),
        pytest.param([1, 2, 16, 17, 1, 40, 33, 150, 18, 2], id="of all sizes"),
    ],
)
def test_expansion_in_chunks(monkeypatch, level_sizes):
    monkeypatch.setattr(_expansion, "_CHUNK", 64)
    rng = np.random.default_rng(5)
    level = np.repeat(np.arange(len(level_sizes)), level_sizes)
    scores, weight = rng.uniform(0, 6, len(level)), rng.uniform(0.1, 2.0, len(level))
    loss, gradient, pair_weight = _expansion.sum_over_pairs(
        torch.tensor(scores), torch.tensor(weight), torch.tensor(level_sizes)
    )
    expected = loop_over_pairs(scores, level, weight, [len(level)])
    assert_allclose(loss / pair_weight, expected[0], rtol=1e-9)
    assert_allclose(gradient / pair_weight, expected[1], atol=1e-10)


@pytest.mark.parametrize("arrangement", ["independent", "ordered", "separated"])
@pytest.mark.parametrize("score_range", [0.01, 1.0, 6.0, 40.0, 99.0])
def test_error_of_the_expansion_per_pair(arrangement, score_range):
    rng = np.random.default_rng(6)
    scores, level, weight, sizes = random_case(rng, [3000], 9, score_range)
    if arrangement == "ordered":
        scores.sort()
    if arrangement == "separated":
        scores = level / 8 * score_range + rng.uniform(0, score_range / 100, 3000)
    loss, gradient, pair_weight = _expansion.sum_over_pairs(
        torch.tensor(scores), torch.tensor(weight), torch.bincount(torch.tensor(level))
    )
    minus_margin = scores - scores[:, None]
    pair = (level[:, None] > level) * weight[:, None] * weight
    slope = pair / (1 + np.exp(-minus_margin))
    exact = (pair * np.logaddexp(0.0, minus_margin)).sum()
    assert_allclose(pair_weight, pair.sum(), rtol=1e-12)
    assert abs(loss.item() - exact) <= 1e-9 * max(1.0, score_range) * pair.sum()
    error = np.abs(gradient.numpy() - (slope.sum(0) - slope.sum(1)))
    assert np.all(error <= 1e-7 * weight * (weight.sum() - weight))


def test_scores_too_far_apart_are_not_expanded():
    assert _expansion.pays(6.0, 1000)
    assert not _expansion.pays(6.0, 100)
    assert not _expansion.pays(1000.0, 10**6)


def test_float32_scores_are_summed_in_float64():
    rng = np.random.default_rng(4)
    scores, level, _, sizes = random_case(rng, [3000], 7, 6.0)
    scores = scores.astype(np.float32)
    tensor = torch.tensor(scores, requires_grad=True)
    weight = torch.ones(3000)
    loss = PairwiseLogisticLoss()(
        tensor, (torch.tensor(level), weight, torch.tensor(sizes))
    )
    loss.backward()
    exact = loss_and_gradient(scores.astype(float), level, np.ones(3000), sizes)
    assert_allclose(loss.item(), exact[0], rtol=1e-9)
    assert tensor.grad.dtype == torch.float32
    assert_allclose(tensor.grad.numpy(), exact[1], atol=1e-9)


def test_small_groups_come_in_cubes_of_bounded_size(monkeypatch):
    monkeypatch.setattr(_loss, "_LARGEST_CUBE", 50)
    sizes = torch.tensor([5] * 7)
    cubes = list(_loss._padded_cubes(sizes, "cpu"))
    assert [tuple(better.shape) for better, _ in cubes] == [(2, 5)] * 3 + [(1, 5)]
