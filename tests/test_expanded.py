"""Groups above the dense limit: their expansion against all pairs."""

import numpy as np
import pytest
import torch
from losses_by_definition import on_device, over_all_pairs
from numpy.testing import assert_allclose

from sklearn_pscore._torch.losses.ranknet import sum_over_pairs

LEVEL_SIZES = {
    "all different": [[1] * 300, [1] * 270],
    "few levels": [[200, 100], [90, 90, 90]],
    "of all sizes": [[1, 2, 16, 17, 1, 40, 33, 150, 18, 2], [70, 65, 1, 1, 3, 120]],
    "one item against many": [[1, 300], [260, 1]],
    "one group, two levels": [[400, 1]],
    "very large": [[400, 1, 1, 700], [300, 10]],
}


def case_of(level_sizes, score_range, seed=0, n_members=1):
    """Return scores of groups that are far apart, level, weight and sizes."""
    rng = np.random.default_rng(seed)
    level = [np.repeat(np.arange(len(sizes)), sizes) for sizes in level_sizes]
    sizes = [len(levels) for levels in level]
    scores = rng.uniform(0, score_range, (n_members, sum(sizes)))
    # One center would not do for all groups.
    scores += np.repeat(rng.normal(0, 1000, len(sizes)), sizes)
    return scores, np.concatenate(level), rng.uniform(0.1, 2.0, sum(sizes)), sizes


def sums(scores, level, weight, sizes, with_gradient=True, ties="ignore"):
    columns = (torch.tensor(np.asarray(x)) for x in (scores, level, weight, sizes))
    loss, gradient, weight = sum_over_pairs(
        *on_device(*columns), with_gradient, ties=ties
    )
    return loss.cpu(), None if gradient is None else gradient.cpu(), weight.cpu()


def widest_range(scores, sizes):
    parts = np.split(scores, np.cumsum(sizes)[:-1], axis=1)
    return max(1.0, *(np.ptp(part, axis=1).max() for part in parts))


def assert_exact(scores, level, weight, sizes, ties="ignore"):
    """Compare with all pairs, within the bounds of docs/loss.md."""
    loss, gradient, pair_weight = sums(scores, level, weight, sizes, ties=ties)
    expected = [
        over_all_pairs(member, level, weight, sizes, ties=ties) for member in scores
    ]
    total = expected[0][2]
    assert_allclose(pair_weight.item(), total, rtol=1e-12)
    bound = 1e-9 * widest_range(scores, sizes) * total * len(scores)
    assert abs(loss.item() - sum(member[0] for member in expected)) <= bound
    for row, (_, slopes, _, of_item) in zip(gradient, expected, strict=True):
        assert np.all(np.abs(row.numpy() - slopes) <= 1e-7 * of_item)


@pytest.mark.parametrize("n_members", [1, 3, 20])
@pytest.mark.parametrize(
    "score_range", [0.0, 0.5, 6.0, 25.0, 31.0, 40.0, 500.0, 1e5, 1e12]
)
@pytest.mark.parametrize("level_sizes", LEVEL_SIZES)
@pytest.mark.parametrize("ties", ["ignore", "half"])
def test_equal_all_pairs(ties, level_sizes, score_range, n_members):
    case = case_of(LEVEL_SIZES[level_sizes], score_range, n_members=n_members)
    assert_exact(*case, ties=ties)


@pytest.mark.parametrize("score_range", [6.0, 100.0])
@pytest.mark.parametrize(
    "level_sizes",
    [[4500, 4500], [1] * 9000, [2] * 4500, [1, 2000, 30, 30, 30, 1, 5000, 1, 1950]],
    ids=["two levels", "all different", "pairs of equals", "of all sizes"],
)
def test_more_items_than_are_worked_on_at_a_time(level_sizes, score_range):
    assert_exact(*case_of([level_sizes], score_range))


def test_one_group_of_a_wide_range_does_not_spoil_the_others():
    scores, level, weight, sizes = case_of(LEVEL_SIZES["of all sizes"], 6.0, 0, 4)
    _, calm, _ = sums(scores, level, weight, sizes)
    scores[2, :100] *= 50
    assert_exact(scores, level, weight, sizes)
    _, gradient, _ = sums(scores, level, weight, sizes)
    assert_allclose(gradient[[0, 1, 3]], calm[[0, 1, 3]], atol=1e-12)
    assert_allclose(gradient[2, sizes[0] :], calm[2, sizes[0] :], atol=1e-12)


def test_far_blocks_with_empty_ones_between():
    # Clusters at distances that are near, just far, and very far.
    centers = np.array([0.0, 20.0, 31.9, 32.1, 70.0, 1e4, 1e9])
    rng = np.random.default_rng(7)
    scores = np.repeat(centers, 60) + rng.uniform(0, 3, 420)
    rng.shuffle(scores)
    level = np.sort(rng.integers(0, 5, 420))
    assert_exact(scores[None], level, np.ones(420), [420])


@pytest.mark.parametrize("heavy", [0, 150, 299, 300, 420])
@pytest.mark.parametrize("score_range", [6.0, 100.0])
@pytest.mark.parametrize(
    ("level_sizes", "ties"),
    [("all different", "ignore"), ("few levels", "half"), ("very large", "half")],
)
def test_an_item_with_most_of_the_weight_is_as_exact(
    level_sizes, ties, heavy, score_range
):
    # With itself it outweighs all pairs: the error of the expansion there must go.
    scores, level, weight, sizes = case_of(LEVEL_SIZES[level_sizes], score_range)
    weight[heavy] = 1e6
    assert_exact(scores, level, weight, sizes, ties)


@pytest.mark.parametrize("score_range", [6.0, 100.0])
def test_weights_of_one_group_are_no_matter_to_another(score_range):
    scores, level, weight, sizes = case_of(LEVEL_SIZES["of all sizes"], score_range)
    weight[: sizes[0]] *= 1e12
    _, gradient, _ = sums(scores, level, weight, sizes)
    light = slice(sizes[0], None)
    expected = over_all_pairs(scores[0, light], level[light], weight[light], sizes[1:])
    assert np.all(
        np.abs(gradient[0, light].numpy() - expected[1]) <= 1e-7 * expected[3]
    )


@pytest.mark.parametrize("factor", [1e-23, 1e18])
def test_a_common_factor_of_the_weights_is_one_of_the_sums(factor):
    scores, level, weight, sizes = case_of(LEVEL_SIZES["of all sizes"], 6.0)
    loss, gradient, pair_weight = sums(scores, level, weight, sizes)
    scaled = sums(scores, level, factor * weight, sizes)
    assert_allclose(scaled[0] / factor**2, loss, rtol=1e-12)
    assert_allclose(scaled[1] / factor**2, gradient, rtol=1e-9)
    assert_allclose(scaled[2] / factor**2, pair_weight, rtol=1e-12)


def test_zero_weights_make_no_pairs():
    scores, level, weight, sizes = case_of(LEVEL_SIZES["of all sizes"], 6.0)
    weight[::2] = 0.0
    kept = weight > 0
    loss, gradient, pair_weight = sums(scores, level, weight, sizes)
    kept_sizes = np.bincount(np.repeat([0, 1], sizes)[kept])
    expected = over_all_pairs(scores[0, kept], level[kept], weight[kept], kept_sizes)
    assert_allclose(loss.item(), expected[0], rtol=1e-9)
    assert_allclose(gradient[0, kept], expected[1], atol=1e-6)
    assert_allclose(pair_weight.item(), expected[2], rtol=1e-12)
    assert not gradient[0, ~kept].any()


def test_groups_together_equal_groups_apart():
    scores, level, weight, sizes = case_of(LEVEL_SIZES["of all sizes"], 6.0)
    loss, gradient, _ = sums(scores, level, weight, sizes)
    bounds = [0, *np.cumsum(sizes)]
    apart = [
        sums(scores[:, a:b], level[a:b], weight[a:b], [b - a])
        for a, b in zip(bounds[:-1], bounds[1:], strict=True)
    ]
    assert_allclose(loss, sum(part[0] for part in apart), rtol=1e-9)
    assert_allclose(gradient, torch.cat([part[1] for part in apart], 1), atol=1e-6)


def test_large_groups_between_small_ones():
    rng = np.random.default_rng(0)
    sizes = [3, 300, 2, 280, 260, 5]
    level_sizes = [rng.multinomial(size - 2, [0.3, 0.7]) + 1 for size in sizes]
    assert_exact(*case_of(level_sizes, 6.0, n_members=2))


@pytest.mark.parametrize("score_range", [6.0, 100.0])
def test_scores_and_weights_are_left_as_they_are(score_range):
    scores, level, weight, sizes = case_of(LEVEL_SIZES["of all sizes"], score_range)
    columns = [torch.tensor(column) for column in (scores, level, weight, sizes)]
    sum_over_pairs(*columns)
    for column, before in zip(columns, (scores, level, weight, sizes), strict=True):
        assert torch.equal(column, torch.tensor(before))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_give_nan(wrong):
    scores, level, weight, sizes = case_of(LEVEL_SIZES["few levels"], 6.0)
    scores[0, 7] = wrong
    loss, gradient, pair_weight = sums(scores, level, weight, sizes)
    assert loss.isnan()
    assert not gradient[0, : sizes[0]].isfinite().all()
    assert gradient[0, sizes[0] :].isfinite().all()
    assert pair_weight.isfinite()
    assert sums(scores, level, weight, sizes, with_gradient=False)[0].isnan()


@pytest.mark.parametrize("score_range", [6.0, 100.0])
def test_loss_without_gradient(score_range):
    case = case_of(LEVEL_SIZES["few levels"], score_range)
    loss, gradient, pair_weight = sums(*case, with_gradient=False)
    assert gradient is None
    assert loss == sums(*case)[0]
    assert pair_weight == sums(*case)[2]


@pytest.mark.parametrize("score_range", [6.0, 100.0])
@pytest.mark.parametrize("level_sizes", [[[300]], [[300], [100, 200]]])
def test_a_group_of_one_level_has_no_pairs(level_sizes, score_range):
    assert_exact(*case_of(level_sizes, score_range))


@pytest.mark.parametrize("score_range", [6.0, 100.0])
def test_ties_alone_cost_the_even_part(score_range):
    assert_exact(*case_of([[300], [280]], score_range), ties="half")


@pytest.mark.parametrize("n_levels", [2, 20, 200])
@pytest.mark.parametrize("score_range", [6.0, 31.0, 100.0])
@pytest.mark.parametrize("ties", ["ignore", "half"])
def test_the_dense_limit_changes_nothing(ties, n_levels, score_range):
    rng = np.random.default_rng(6)
    level = np.sort(rng.permutation(np.arange(200) % n_levels))
    columns = rng.uniform(0, score_range, (1, 200)), level, rng.uniform(0.1, 2.0, 200)
    columns = [torch.tensor(column) for column in (*columns, [200])]
    dense, expanded = (
        sum_over_pairs(*columns, largest_dense_group=limit, ties=ties)
        for limit in (200, 199)
    )
    assert dense[0] != expanded[0]
    bound = 1e-9 * score_range * dense[2].item()
    assert abs(dense[0].item() - expanded[0].item()) <= bound
    assert_allclose(dense[1], expanded[1], atol=1e-7 * dense[2].item())
