"""The pairwise logistic loss, against all pairs, arithmetic and differences."""

import math
import re

import numpy as np
import pytest
import torch
from losses_by_definition import (
    DEVICE,
    on_device,
    over_all_pairs,
    packed,
    value_and_gradient,
)
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore._torch.losses.ranknet import (
    PairwiseLogisticLoss,
    pairwise_logistic_loss,
    sum_over_pairs,
)

RANGES = [0.01, 0.5, 6.0, 25.0, 31.0, 33.0, 100.0, 1000.0, 1e6]
SIZES = {
    "pair": [2],
    "small": [3, 5, 2, 9, 17],
    "even": [8] * 6,
    "medium": [40, 33, 256],
    "large": [300],
    "mixed": [4, 280, 3, 2, 270, 31],
}
ARRANGEMENTS = ["independent", "ordered", "separated", "lumped"]
WEIGHTS = ["one", "uniform", "some zero", "heavy-tailed"]


def random_case(rng, sizes, n_levels, score_range, arrangement, weights):
    """Return scores, level, weight and sizes; at least one pair has weight."""
    levels = [np.sort(rng.integers(0, n_levels, size)) for size in sizes]
    levels[0][-1] = n_levels
    level = np.concatenate([np.unique(x, return_inverse=True)[1] for x in levels])
    n_items = len(level)
    scores = rng.uniform(0, score_range, n_items)
    if arrangement == "ordered":
        scores = np.concatenate(
            [np.sort(x) for x in np.split(scores, np.cumsum(sizes)[:-1])]
        )
    elif arrangement == "separated":
        scores = level / level.max() * score_range + scores / 100
    elif arrangement == "lumped":
        scores = np.round(3 * scores / score_range) * score_range / 3
    weight = {
        "one": np.ones(n_items),
        "uniform": rng.uniform(0.1, 2.0, n_items),
        "some zero": rng.integers(0, 3, n_items).astype(float),
        "heavy-tailed": np.exp(3 * rng.normal(size=n_items)),
    }[weights]
    weight[[0, sizes[0] - 1]] = weight[[0, sizes[0] - 1]].clip(min=0.5)
    return scores, level, weight, sizes


def loss_and_gradient(scores, level, weight, sizes):
    """Return the mean loss and its gradient, one row per member."""
    target = packed(level, weight, sizes)
    value, gradient = value_and_gradient(PairwiseLogisticLoss(), scores, target)
    return value, gradient.numpy()


def assert_within_bounds(result, case):
    """Compare (loss, gradient, pair weight) per pair, as the docs promise."""
    loss, gradient, total, of_item = over_all_pairs(*case)
    score_range = max(1.0, np.ptp(case[0]))
    assert_allclose(result[2], total, rtol=1e-12)
    assert abs(result[0] - loss) <= 1e-9 * score_range * total
    # An item without any pair may have rounding, but no more.
    bound = 1e-7 * of_item + 1e-13 * of_item.max()
    assert np.all(np.abs(np.asarray(result[1]) - gradient) <= bound)


CASES = [
    (sizes, n_levels, score_range, ARRANGEMENTS[k % 4], WEIGHTS[(k // 4 + k) % 4])
    for k, (sizes, n_levels, score_range) in enumerate(
        (sizes, n_levels, score_range)
        for sizes in SIZES
        for n_levels in (2, 3, 10, 10_000)
        for score_range in RANGES
    )
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("sizes", "n_levels", "score_range", "arrangement", "weights"), CASES
)
def test_error_per_pair(seed, sizes, n_levels, score_range, arrangement, weights):
    rng = np.random.default_rng([seed, n_levels])
    # The second time the other way round, so that more of the table is filled.
    if seed:
        arrangement = ARRANGEMENTS[3 - ARRANGEMENTS.index(arrangement)]
    case = random_case(rng, SIZES[sizes], n_levels, score_range, arrangement, weights)
    loss, gradient, pair_weight = sum_over_pairs(
        *on_device(torch.tensor(case[0])[None], *packed(*case[1:])[:3])
    )
    assert_within_bounds((loss.item(), gradient[0].cpu(), pair_weight.item()), case)


@pytest.mark.parametrize(
    ("n_items", "n_levels", "score_range", "arrangement"),
    [
        (5000, 2, 6.0, "separated"),
        (5000, 5000, 100.0, "independent"),
        (5000, 9, 1000.0, "lumped"),
        *[(1500, 60, 1000.0, arrangement) for arrangement in ARRANGEMENTS],
        *[(1500, 20, 60.0, arrangement) for arrangement in ARRANGEMENTS],
    ],
)
def test_error_per_pair_of_very_large_groups(
    n_items, n_levels, score_range, arrangement
):
    rng = np.random.default_rng(n_items)
    case = random_case(rng, [n_items], n_levels, score_range, arrangement, "uniform")
    found = pairwise_logistic_loss(case[0], case[1], np.zeros(n_items), case[2])
    assert_within_bounds(found, case)


def test_thousands_of_small_groups_beside_large_ones():
    rng = np.random.default_rng(8)
    sizes = rng.integers(2, 30, 2000)
    sizes[[3, 700, 1999]] = 400, 2000, 300
    case = random_case(rng, sizes, 5, 6.0, "independent", "uniform")
    loss, gradient, pair_weight = sum_over_pairs(
        torch.tensor(case[0])[None], *packed(*case[1:])[:3]
    )
    assert_within_bounds((loss.item(), gradient[0], pair_weight.item()), case)


@pytest.mark.parametrize("sizes", ["even", "small", "large"])
def test_gradient_passes_gradcheck(sizes):
    rng = np.random.default_rng(0)
    case = random_case(rng, SIZES[sizes], 4, 6.0, "independent", "uniform")
    target = packed(*case[1:])
    if sizes != "large":
        scores = torch.tensor(np.stack([case[0], case[0][::-1]]), requires_grad=True)
        assert torch.autograd.gradcheck(
            lambda s: PairwiseLogisticLoss()(s, target), scores
        )
        return
    gradient = loss_and_gradient(*case)[1]
    for item in (0, 1, 100, 299):
        step = np.zeros(len(case[0]))
        step[item] = 1e-4
        above = loss_and_gradient(case[0] + step, *case[1:])[0]
        below = loss_and_gradient(case[0] - step, *case[1:])[0]
        assert_allclose((above - below) / 2e-4, gradient[item], atol=1e-8)


@pytest.mark.parametrize("sizes", SIZES)
def test_members_together_equal_members_apart(sizes):
    rng = np.random.default_rng(1)
    case = random_case(rng, SIZES[sizes], 4, 6.0, "independent", "uniform")
    members = np.stack([case[0], case[0][::-1], 10 * case[0]])
    together = loss_and_gradient(members, *case[1:])
    apart = [loss_and_gradient(member, *case[1:]) for member in members]
    assert_allclose(together[0], sum(loss for loss, _ in apart), rtol=1e-13)
    assert_allclose(together[1], np.stack([g for _, g in apart]), atol=1e-15)


@pytest.mark.parametrize("sizes", [[40] * 200, [90, 70] * 20, [2, 9] * 20_000])
def test_more_pairs_than_are_worked_on_at_a_time(sizes):
    rng = np.random.default_rng(2)
    case = random_case(rng, sizes, 4, 6.0, "independent", "uniform")
    members = np.stack([case[0], -case[0], 2 * case[0]])
    loss, gradient, total = sum_over_pairs(
        torch.tensor(members), *packed(*case[1:])[:3]
    )
    expected = [over_all_pairs(member, *case[1:]) for member in members]
    assert_allclose(loss, sum(each[0] for each in expected), rtol=1e-12)
    assert_allclose(gradient, np.stack([each[1] for each in expected]), atol=1e-11)
    assert_allclose(total, expected[0][2], rtol=1e-12)


@pytest.mark.parametrize("size", [2, 40, 300])
def test_margin_zero_costs_log_two(size):
    level = np.arange(size) // (size // 2)
    loss, _ = loss_and_gradient(np.zeros(size), level, np.ones(size), [size])
    assert_allclose(loss, math.log(2), rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("margin", "expected"), [(1000.0, 0.0), (-1000.0, 1000.0)])
def test_huge_margins_stay_finite(margin, expected, dtype):
    scores = np.array([0.0, margin], dtype=dtype)
    loss, gradient = loss_and_gradient(scores, [0, 1], np.ones(2, dtype=dtype), [2])
    assert_allclose(loss, expected, atol=1e-12)
    assert_allclose(gradient, [0.0, 0.0] if margin > 0 else [1.0, -1.0], atol=1e-12)


@pytest.mark.parametrize("sizes", [[7, 4], [40, 50], [300]], ids=str)
def test_integer_weights_equal_repeated_rows(sizes):
    rng = np.random.default_rng(1)
    scores, level, _, _ = random_case(rng, sizes, 3, 6.0, "independent", "one")
    weight = rng.integers(1, 4, len(scores))
    group = np.repeat(np.arange(len(sizes)), sizes)
    weighted = pairwise_logistic_loss(scores, level, group, weight)
    repeated = pairwise_logistic_loss(
        *(np.repeat(column, weight) for column in (scores, level, group))
    )
    assert_allclose(weighted[0], repeated[0], rtol=1e-9)
    assert weighted[2] == repeated[2]
    # A repeated row has the gradient of one of its copies.
    first = np.cumsum(weight) - weight
    assert_allclose(weighted[1], weight * repeated[1].numpy()[first], atol=1e-4)


@pytest.mark.parametrize("sizes", SIZES)
def test_order_inside_levels_and_a_constant_change_nothing(sizes):
    rng = np.random.default_rng(3)
    scores, level, weight, _ = random_case(
        rng, SIZES[sizes], 4, 6.0, "independent", "uniform"
    )
    group = np.repeat(np.arange(len(SIZES[sizes])), SIZES[sizes])
    loss, gradient, _ = pairwise_logistic_loss(scores, level, group, weight)
    order = rng.permutation(len(scores))
    shuffled = pairwise_logistic_loss(
        scores[order], level[order], group[order], weight[order]
    )
    assert_allclose(shuffled[0], loss, rtol=1e-12)
    assert_allclose(shuffled[1], gradient[order], atol=1e-9)
    moved = pairwise_logistic_loss(scores + 1000.0, level, group, weight)
    assert_allclose(moved[0], loss, rtol=1e-10)
    assert_allclose(moved[1], gradient, atol=1e-7)


def test_labels_and_preferences_of_any_kind():
    scores = [0.5, 2.0, 1.0, 0.0, 3.0]
    group = np.array(["b", "a", "b", "a", "b"])
    preference = [-1.0, 10.0, 0.5, -3.0, 0.5]
    loss, gradient, pair_weight = pairwise_logistic_loss(scores, preference, group)
    margins = [2.0 - 0.0, 1.0 - 0.5, 3.0 - 0.5]
    assert_allclose(loss, sum(math.log1p(math.exp(-m)) for m in margins))
    assert_allclose(gradient.sum(), 0.0, atol=1e-15)
    assert pair_weight == 3.0
    assert gradient.dtype == torch.float64


def test_integer_scores_are_taken_as_float64():
    loss, gradient, _ = pairwise_logistic_loss([2, 1], [1, 0], [0, 0])
    assert_allclose(loss, math.log1p(math.exp(-1)), rtol=1e-15)
    assert gradient.dtype == torch.float64


@pytest.mark.parametrize("factor", [2.0**-70, 2.0**50])
@pytest.mark.parametrize("n_items", [50, 1000])
def test_float32_scores_with_light_or_heavy_weights(n_items, factor):
    rng = np.random.default_rng(4)
    scores = torch.tensor(rng.normal(size=n_items), dtype=torch.float32)
    preference, group = rng.integers(4, size=n_items), np.zeros(n_items)
    weight = rng.uniform(size=n_items)
    once = pairwise_logistic_loss(scores, preference, group, weight)
    scaled = pairwise_logistic_loss(scores, preference, group, factor * weight)
    assert scaled[0] == once[0] * factor**2
    assert scaled[2] == once[2] * factor**2
    # Where float32 holds the products.
    if factor > 1:
        assert_array_equal(scaled[1], once[1] * factor**2)


@pytest.mark.parametrize("n_items", [50, 1000])
def test_float32_scores_are_summed_in_float64(n_items):
    rng = np.random.default_rng(4)
    case = random_case(rng, [n_items] * 2, 7, 6.0, "independent", "one")
    scores = torch.tensor(case[0].astype(np.float32), requires_grad=True)
    loss = PairwiseLogisticLoss()(scores, packed(*case[1:]))
    loss.backward()
    exact = over_all_pairs(scores.detach().numpy().astype(float), *case[1:])
    assert loss.dtype == torch.float64
    assert_allclose(loss.item(), exact[0] / exact[2], rtol=1e-7)
    assert scores.grad.dtype == torch.float32
    assert_allclose(scores.grad, exact[1] / exact[2], atol=1e-8)


@pytest.mark.parametrize("size", [5, 300])
def test_without_any_weight_there_is_no_loss(size):
    level = np.arange(size)
    found = loss_and_gradient(level / size, level, np.zeros(size), [size])
    assert found[0] == 0.0
    assert not found[1].any()


@pytest.mark.parametrize("size", [5, 300])
def test_loss_without_gradient(size):
    level, weight = np.arange(size), np.ones(size)
    scores = torch.tensor(np.sin(level))
    target = packed(level, weight, [size]).to(DEVICE)
    value = PairwiseLogisticLoss()(scores.to(DEVICE), target)
    assert not value.requires_grad
    assert value.item() == loss_and_gradient(scores.numpy(), level, weight, [size])[0]


GOOD = {
    "scores": [1.0, 2.0, 0.0],
    "preference": [0.0, 1.0, 2.0],
    "group": [0, 0, 0],
    "weight": [1.0, 2.0, 1.0],
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"scores": [1.0, math.nan, 0.0]},
            "scores holds nan at row 1; expected finite numbers. Drop or fill",
        ),
        (
            {"scores": [1.0, 0.0, -math.inf]},
            "scores holds -inf at row 2; expected finite numbers.",
        ),
        (
            {"preference": [math.nan, 0.0, 1.0]},
            "preference holds nan at row 0; expected finite numbers.",
        ),
        (
            {"weight": [1.0, math.inf, 1.0]},
            "weight holds inf at row 1; expected finite numbers.",
        ),
        (
            {"weight": [1.0, 1.0, -0.5]},
            "weight holds -0.5 at row 2; expected weights of at least 0. A weight of 0",
        ),
        (
            {"weight": [0.0, 0.0, 0.0]},
            "weight is 0 for all of the 3 items; expected some weight above 0. Leave",
        ),
        (
            {"group": [0, 0]},
            "group has 2 entries but scores has 3; expected one per item. Pass columns",
        ),
        (
            {"weight": [1.0]},
            "weight has 1 entries but scores has 3; expected one per item.",
        ),
        (
            {"scores": [[1.0, 2.0, 0.0]]},
            "scores has shape (1, 3); expected one value per item. Pass a one-dim",
        ),
        (
            {"scores": [], "preference": [], "group": [], "weight": []},
            "scores and group are empty; expected at least two items of one group.",
        ),
        (
            {"group": [0, 1, 2]},
            "No comparable pairs: 3 items in 3 groups, and no two items of one group",
        ),
        (
            {"preference": [1.0, 1.0, 1.0]},
            "No comparable pairs: 3 items in 1 groups, and no two items of one group",
        ),
        (
            {"weight": [1.0, 0.0, 0.0]},
            "No comparable pairs: 3 items in 1 groups, and no two items of one group",
        ),
    ],
)
def test_bad_columns_are_named(changed, message):
    assert pairwise_logistic_loss(**GOOD)[2] == 5.0
    with pytest.raises(ValueError, match=re.escape(message)):
        pairwise_logistic_loss(**(GOOD | changed))
