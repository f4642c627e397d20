"""Chebyshev polynomials, and the coefficients of the even part of the loss."""

import numpy as np
import pytest
import torch
from numpy.polynomial.chebyshev import chebvander
from numpy.testing import assert_allclose

from sklearn_pscore._torch.losses.chebyshev import coefficients, on_grid, polynomials

WIDTHS = sorted({on_grid(half_width) for half_width in np.geomspace(1e-3, 16, 2000)})
BLOCK_OFFSETS = (0.0, 8.0, 16.0, 24.0)


def assert_exact(half_width, offsets):
    """Compare with E and its slope between the nodes and at the ends."""
    C, D = (kernel.numpy() for kernel in coefficients(half_width, offsets))
    n_terms = C.shape[-1]
    x = np.r_[np.cos(np.pi * np.arange(3 * n_terms) / (3 * n_terms - 1)), 0.0, 0.1]
    T = chebvander(x, n_terms - 1)
    for offset, even, slope in zip(offsets, C, D, strict=True):
        u = half_width * (x[:, None] - x) + offset
        expected = np.logaddexp(u / 2, -u / 2)
        bound = 5e-10 * max(1.0, 2 * half_width)
        assert_allclose(T @ even @ T.T, expected, rtol=0, atol=bound)
        assert_allclose(T @ slope @ T.T, np.tanh(u / 2) / 2, rtol=0, atol=5e-8)


@pytest.mark.parametrize("half_width", WIDTHS)
def test_coefficients_give_the_even_part_of_every_width(half_width):
    assert_exact(half_width, (0.0,))


def test_coefficients_give_the_even_part_of_blocks_apart():
    assert_exact(4.0, BLOCK_OFFSETS)


def test_all_widths_up_to_the_widest_block_are_tested():
    assert WIDTHS[0] >= 1e-2 > WIDTHS[0] / 1.06
    assert WIDTHS[-1] >= 16.0
    assert_allclose(np.diff(np.log(WIDTHS)), np.log(1.05), rtol=1e-9)


@pytest.mark.parametrize("half_width", [1e-9, 0.3, 3.0, 15.9])
def test_the_grid_is_above_and_near(half_width):
    assert half_width <= on_grid(half_width) <= max(1.05 * half_width, 1.05e-2)


def test_terms_are_few():
    n_terms = [coefficients(h)[0].shape[-1] for h in (0.01, 3.0, 4.0, 16.0)]
    assert n_terms == sorted(n_terms)
    assert n_terms[1] <= 24
    assert n_terms[3] <= 110


@pytest.mark.parametrize("n_terms", [2, 3, 4, 5, 8, 9, 22, 66])
@pytest.mark.parametrize("n", [1, 30])
def test_polynomials_equal_those_of_numpy(n_terms, n):
    x = np.r_[np.random.default_rng(0).uniform(-1, 1, n), -1.0, 0.0, 1.0]
    out = torch.full((n_terms, len(x)), torch.nan, dtype=torch.float64)
    T = polynomials(torch.tensor(x), out)
    assert T is out
    assert_allclose(T.T, chebvander(x, n_terms - 1), atol=1e-12)
