"""Large groups: which of them are summed together, and that nothing depends on it."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from test_loss import over_all_pairs

from sklearn_pscore._torch.losses import large as _large
from sklearn_pscore._torch.losses import ranknet as _loss
from sklearn_pscore._torch.losses.large import LargeGroups, batches
from sklearn_pscore._torch.losses.narrow import NarrowSums

LEVEL_SIZES = {
    "all different": [[1] * 300, [1] * 270],
    "few levels": [[200, 100], [90, 90, 90]],
    "of all sizes": [[1, 2, 16, 17, 1, 40, 33, 150, 18, 2], [70, 65, 1, 1, 3, 2]],
    "one item against many": [[1, 300], [260, 1]],
    "a small one beside": [[1] * 400, [1, 1]],
    "too large for its pairs": [[400, 1, 1, 700], [300, 10]],
}


def case_of(level_sizes, score_range, seed=0, n_members=1):
    rng = np.random.default_rng(seed)
    level = [np.repeat(np.arange(len(sizes)), sizes) for sizes in level_sizes]
    sizes = [len(own) for own in level]
    scores = rng.uniform(0, score_range, (n_members, sum(sizes)))
    # Groups apart, so that one center would not do for all.
    scores += np.repeat(rng.normal(0, 1000, len(sizes)), sizes)
    return scores, np.concatenate(level), rng.uniform(0.1, 2.0, sum(sizes)), sizes


def assert_exact(sums, scores, level, weight, sizes):
    """Compare with all pairs, within what the docs promise."""
    loss, gradient = sums(torch.tensor(scores))
    expected = [over_all_pairs(own, level, weight, sizes) for own in scores]
    score_range = max(1.0, np.ptp(scores))
    total = expected[0][2]
    assert_allclose(sums.pair_weight.item(), total, rtol=1e-12)
    bound = 1e-9 * score_range * total * len(scores)
    assert abs(loss.item() - sum(own[0] for own in expected)) <= bound
    for own, (_, slopes, _, of_item) in zip(gradient, expected, strict=True):
        assert np.all(np.abs(own.numpy() - slopes) <= 1e-7 * of_item)


@pytest.mark.parametrize("n_members", [1, 3, 20])
@pytest.mark.parametrize("score_range", [0.0, 0.5, 6.0, 25.0, 31.0, 40.0, 500.0])
@pytest.mark.parametrize("level_sizes", LEVEL_SIZES)
def test_equal_all_pairs(level_sizes, score_range, n_members):
    case = case_of(LEVEL_SIZES[level_sizes], score_range, n_members=n_members)
    assert_exact(LargeGroups(*map(torch.tensor, case[1:3]), case[3]), *case)


def test_one_group_that_is_wide_does_not_spoil_the_others(monkeypatch):
    scores, *rest = case_of(LEVEL_SIZES["of all sizes"], 6.0, n_members=4)
    scores[2, :100] *= 50
    sums = LargeGroups(*map(torch.tensor, rest[:2]), rest[2])
    assert_exact(sums, scores, *rest)
    # Whichever members go together with the wide one.
    monkeypatch.setattr(_large, "LARGEST_BATCH", 1000)
    assert_exact(sums, scores, *rest)


@pytest.mark.parametrize("heavy", [0, 150, 299, 300, 420])
def test_an_item_with_most_of_the_weight_is_as_exact(heavy):
    scores, level, weight, sizes = case_of(LEVEL_SIZES["all different"], 6.0)
    weight[heavy] = 1e6
    sums = NarrowSums(*map(torch.tensor, (level, weight, sizes)))
    assert_exact(sums, scores, level, weight, sizes)


def test_weights_of_one_group_are_no_matter_to_another():
    scores, level, weight, sizes = case_of(LEVEL_SIZES["of all sizes"], 6.0)
    weight[: sizes[0]] *= 1e12
    _, gradient = NarrowSums(*map(torch.tensor, (level, weight, sizes)))(
        torch.tensor(scores)
    )
    alone = [slice(sizes[0], None)]
    expected = over_all_pairs(
        scores[0][alone[0]], level[alone[0]], weight[alone[0]], sizes[1:]
    )
    assert_allclose(gradient[0][alone[0]], expected[1], atol=1e-7 * expected[3].min())


def test_zero_weights_make_no_pairs():
    scores, level, weight, sizes = case_of(LEVEL_SIZES["of all sizes"], 6.0)
    weight[::2] = 0.0
    kept = weight > 0
    sums = NarrowSums(*map(torch.tensor, (level, weight, sizes)))
    loss, gradient = sums(torch.tensor(scores))
    group = np.repeat([0, 1], sizes)
    expected = over_all_pairs(
        scores[0, kept], level[kept], weight[kept], np.bincount(group[kept])
    )
    assert_allclose(loss.item(), expected[0], rtol=1e-9)
    assert_allclose(gradient[0, kept], expected[1], atol=1e-6)
    assert not gradient[0, ~kept].any()


def test_together_equals_apart():
    scores, level, weight, sizes = case_of(LEVEL_SIZES["of all sizes"], 6.0)
    level, weight, scores = map(torch.tensor, (level, weight, scores))
    together = LargeGroups(level, weight, sizes)(scores)
    apart = [
        LargeGroups(level[own], weight[own], [size])(scores[:, own])
        for own, size in (
            (slice(0, sizes[0]), sizes[0]),
            (slice(sizes[0], None), sizes[1]),
        )
    ]
    assert_allclose(together[0], sum(loss for loss, _ in apart), rtol=1e-9)
    assert_allclose(together[1], torch.cat([g for _, g in apart], 1), atol=1e-6)


@pytest.mark.parametrize("score_range", [6.0, 100.0])
def test_scores_and_weights_are_left_as_they_are(score_range):
    scores, level, weight, sizes = case_of(LEVEL_SIZES["of all sizes"], score_range)
    given = [torch.tensor(column) for column in (scores, level, weight)]
    LargeGroups(*given[1:], sizes)(given[0])
    for column, kept in zip(given, (scores, level, weight), strict=True):
        assert_allclose(column, kept, rtol=0)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_give_nan(wrong):
    scores, level, weight, sizes = case_of(LEVEL_SIZES["few levels"], 6.0)
    scores[0, 7] = wrong
    loss, gradient = LargeGroups(*map(torch.tensor, (level, weight)), sizes)(
        torch.tensor(scores)
    )
    assert loss.isnan()
    assert not gradient[0, : sizes[0]].isfinite().all()
    assert gradient[0, sizes[0] :].isfinite().all()


def test_wide_scores_are_not_for_one_matrix():
    scores, level, weight, sizes = case_of(LEVEL_SIZES["few levels"], 40.0)
    sums = NarrowSums(*map(torch.tensor, (level, weight, sizes)))
    assert sums(torch.tensor(scores)) is None


def test_loss_without_gradient():
    scores, level, weight, sizes = case_of(LEVEL_SIZES["few levels"], 6.0)
    sums = LargeGroups(*map(torch.tensor, (level, weight)), sizes)
    loss, gradient = sums(torch.tensor(scores), with_gradient=False)
    assert gradient is None
    assert loss == sums(torch.tensor(scores))[0]


def test_batches_hold_whole_groups(monkeypatch):
    monkeypatch.setattr(_large, "LARGEST_BATCH", 10)
    found = list(batches([(0, 4), (4, 9), (12, 15), (20, 26), (30, 50), (50, 52)]))
    places = [
        list(range(items.start, items.stop))
        if isinstance(items, slice)
        else items.tolist()
        for items, _ in found
    ]
    assert places == [
        list(range(9)),
        [12, 13, 14, 20, 21, 22, 23, 24, 25],
        list(range(30, 50)),
        [50, 51],
    ]
    assert [sizes for _, sizes in found] == [[4, 5], [3, 6], [20], [2]]


def test_batches_change_nothing(monkeypatch):
    """Large groups among small ones, cut into batches of any size."""
    rng = np.random.default_rng(0)
    sizes = [3, 300, 2, 280, 260, 5]
    level = np.concatenate([np.sort(rng.integers(0, 9, size)) for size in sizes])
    level = np.concatenate(
        [
            np.unique(own, return_inverse=True)[1]
            for own in np.split(level, np.cumsum(sizes)[:-1])
        ]
    )
    scores, weight = rng.uniform(0, 6, (2, len(level))), rng.uniform(1, 2, len(level))
    given = [torch.tensor(column) for column in (scores, level, weight, sizes)]
    whole = _loss.sum_over_pairs(*given)
    for largest in (1, 300, 600):
        monkeypatch.setattr(_large, "LARGEST_BATCH", largest)
        cut = _loss.sum_over_pairs(*given)
        for found, expected in zip(cut, whole, strict=True):
            assert_allclose(found, expected, rtol=1e-8, atol=1e-5)
