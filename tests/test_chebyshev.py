"""The expansion of the loss and the sums over blocks, piece by piece."""

import numpy as np
import pytest
import torch
from numpy.polynomial.chebyshev import chebval, chebvander
from numpy.testing import assert_allclose

from sklearn_pscore._torch.losses import blocks as _blocks
from sklearn_pscore._torch.losses import chebyshev as _expansion
from sklearn_pscore._torch.losses import pieces as _pieces
from sklearn_pscore._torch.losses.blocks import PairSums


def even_part(margin):
    return np.logaddexp(margin / 2, -margin / 2)


def pair_sums(scores, level, weight):
    """Return loss, gradient and pair weight of one group, by this package."""
    sums = PairSums(torch.tensor(weight), torch.bincount(torch.tensor(level)))
    loss, gradient = sums(torch.tensor(scores))
    return loss.item(), gradient.numpy(), sums.pair_weight.item()


def dense(scores, level, weight):
    minus_margin = scores - scores[:, None]
    pair = (level[:, None] > level) * weight[:, None] * weight
    slope = pair * np.exp(-np.logaddexp(0.0, -minus_margin))
    loss = (pair * np.logaddexp(0.0, minus_margin)).sum()
    return loss, slope.sum(0) - slope.sum(1), pair.sum()


def assert_equal_sums(found, expected, score_range):
    assert_allclose(found[2], expected[2], rtol=1e-12)
    assert abs(found[0] - expected[0]) <= 1e-9 * max(1, score_range) * expected[2]
    assert_allclose(found[1], expected[1], atol=1e-7 * expected[2])


@pytest.mark.parametrize("half_width", [0.01, 0.5, 3.0, 4.0, 16.0])
@pytest.mark.parametrize("offset", [0.0, 8.0, 24.0])
def test_coefficients_give_the_kernels(half_width, offset):
    C, D = _expansion.coefficients(half_width, (0.0, offset))
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, (2, 500))
    margin = half_width * (x - y) + offset
    Tx, Ty = (chebvander(z, C.shape[-1] - 1) for z in (x, y))
    found = np.einsum("np,pq,nq->n", Tx, C[1], Ty)
    bound = 1e-9 * max(1.0, 2 * half_width) / 2
    assert_allclose(found, even_part(margin), rtol=0, atol=bound)
    found = np.einsum("np,pq,nq->n", Tx, D[1], Ty)
    assert_allclose(found, np.tanh(margin / 2) / 2, rtol=0, atol=5e-8)


def test_coefficients_are_few():
    terms = [_expansion.coefficients(h)[0].shape[-1] for h in (0.01, 3.0, 4.0, 16.0)]
    assert terms == sorted(terms)
    assert terms[1] <= 24
    assert terms[3] <= 110


@pytest.mark.parametrize("chunk", [7, 64, 2**17])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_moments_and_polynomials(monkeypatch, chunk, dtype):
    monkeypatch.setattr(_expansion, "CHUNK", chunk)
    generator = torch.Generator().manual_seed(0)
    scores = 6 * torch.rand(5, 30, generator=generator, dtype=dtype)
    weight = torch.rand(5, 30, generator=generator, dtype=dtype)
    kept = weight.clone()
    center = torch.full((5, 1), 3.0, dtype=torch.float64)
    x, w = (scores.double().numpy() - 3) / 4, weight.double().numpy()
    found = _expansion.moments(scores, weight, center, 4.0, 9)
    expected = np.einsum("rn,rnk->rk", w, chebvander(x, 8))
    assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    terms = torch.rand(5, 9, generator=generator, dtype=torch.float64)
    found = _expansion.weighted_sums_of_terms(scores, weight, center, 4.0, terms)
    expected = [
        own * chebval(row, term)
        for own, row, term in zip(w, x, terms.numpy(), strict=True)
    ]
    assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(weight, kept)


LEVEL_SIZES = {
    "all different": [1] * 400,
    "two levels": [400, 1],
    "of all sizes": [1, 2, 16, 17, 1, 40, 33, 150, 18, 2, 70, 65],
    "one item against many": [1, 300],
}


@pytest.mark.parametrize("level_sizes", LEVEL_SIZES)
@pytest.mark.parametrize("score_range", [0.0, 6.0, 40.0, 500.0, 1e5, 1e12])
def test_blocks_equal_all_pairs(level_sizes, score_range):
    rng = np.random.default_rng(5)
    sizes = LEVEL_SIZES[level_sizes]
    level = np.repeat(np.arange(len(sizes)), sizes)
    scores = rng.uniform(0, score_range, len(level))
    weight = rng.uniform(0.1, 2.0, len(level))
    found = pair_sums(scores, level, weight)
    assert_equal_sums(found, dense(scores, level, weight), score_range)


@pytest.mark.parametrize("n_levels", [2, 20, 600])
@pytest.mark.parametrize("score_range", [6.0, 25.0, 31.0])
def test_one_block_equals_many(monkeypatch, n_levels, score_range):
    rng = np.random.default_rng(6)
    level = np.sort(rng.permutation(np.arange(600) % n_levels))
    scores, weight = rng.uniform(0, score_range, 600), rng.uniform(0.1, 2.0, 600)
    one = pair_sums(scores, level, weight)
    monkeypatch.setattr(_blocks, "_WIDEST_BLOCK", 0.0)
    many = pair_sums(scores, level, weight)
    assert one[0] != many[0]
    assert_equal_sums(many, one, score_range)


def test_far_blocks_with_empty_ones_between():
    # Clusters at distances that are near, just far, and very far.
    centers = np.array([0.0, 20.0, 31.9, 32.1, 70.0, 1e4, 1e9])
    rng = np.random.default_rng(7)
    scores = np.repeat(centers, 60) + rng.uniform(0, 3, 420)
    level = np.sort(rng.integers(0, 5, 420))
    rng.shuffle(scores)
    found = pair_sums(scores, level, np.ones(420))
    assert_equal_sums(found, dense(scores, level, np.ones(420)), 1e9)


@pytest.mark.parametrize("heavy", [0, 150, 299])
@pytest.mark.parametrize("score_range", [6.0, 100.0])
def test_a_level_with_most_of_the_weight_is_as_exact(heavy, score_range):
    # Its own pairs outweigh all others: what the expansion errs on them must go.
    rng = np.random.default_rng(8)
    scores, level = rng.uniform(0, score_range, 300), np.arange(300)
    weight = np.ones(300)
    weight[heavy] = 1e6
    loss, gradient, total = pair_sums(scores, level, weight)
    expected = dense(scores, level, weight)
    assert abs(loss - expected[0]) <= 1e-9 * score_range * total
    of_item = weight * (weight.sum() - weight)
    assert np.all(np.abs(gradient - expected[1]) <= 1e-7 * of_item)


def test_sums_are_used_again_for_other_scores():
    rng = np.random.default_rng(9)
    level, weight = np.sort(rng.integers(0, 9, 400)), rng.uniform(0.1, 2.0, 400)
    sums = PairSums(torch.tensor(weight), torch.bincount(torch.tensor(level)))
    for score_range in (6.0, 300.0, 1.0, 80.0):
        scores = rng.uniform(-score_range, 0, 400)
        loss, gradient = sums(torch.tensor(scores))
        expected = dense(scores, level, weight)
        found = loss.item(), gradient.numpy(), sums.pair_weight.item()
        assert_equal_sums(found, expected, score_range)
        assert sums(torch.tensor(scores), with_gradient=False) == (loss, None)


@pytest.mark.parametrize("level_sizes", LEVEL_SIZES)
@pytest.mark.parametrize("score_range", [6.0, 100.0])
def test_scores_and_weights_are_left_as_they_are(level_sizes, score_range):
    sizes = torch.tensor(LEVEL_SIZES[level_sizes])
    generator = torch.Generator().manual_seed(0)
    n_items = int(sizes.sum())
    scores = score_range * torch.rand(n_items, generator=generator).double()
    weight = torch.rand(n_items, generator=generator).double()
    kept = scores.clone(), weight.clone()
    PairSums(weight, sizes)(scores)
    assert torch.equal(scores, kept[0])
    assert torch.equal(weight, kept[1])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_give_nan(wrong):
    sums = PairSums(torch.ones(400), torch.tensor([200, 200]))
    scores = torch.zeros(400)
    scores[7] = wrong
    loss, gradient = sums(scores)
    assert loss.isnan()
    assert gradient.isnan().all()


def test_blocks_cut_levels_in_order_of_score():
    level_sizes = torch.tensor([70, 1, 70])
    sums = PairSums(torch.ones(141), level_sizes)
    scores = torch.linspace(0, 100, 141, dtype=torch.float64).flip(0)
    pieces = _pieces.sorted_blocks(sums._layout(64), scores, 0.0)
    # Levels of 70 are large, rows 0 and 1; the single item is in the row after.
    assert pieces.level.tolist() == sorted(pieces.level.tolist())
    assert set(pieces.level.tolist()) == {0, 1, 2}
    ordered = pieces.ordered(scores)
    for panel in pieces.panels:
        own = panel.of(ordered) - pieces.center[panel.pieces, None]
        if panel.is_padding is not None:
            own = own.masked_fill(panel.is_padding, 0.0)
        assert own.abs().max() <= _pieces.BLOCK_WIDTH / 2
    assert torch.equal(pieces.restored(ordered), scores)
