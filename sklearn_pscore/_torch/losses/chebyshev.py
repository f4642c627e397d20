"""The even part of the pairwise logistic loss as a Chebyshev expansion.

The logistic loss of a pair with worse score a and better score b is

.. math:: \\log(1 + e^{a - b}) = (a - b) / 2 + E(a - b),
          \\quad E(u) = \\log(2 \\cosh(u / 2)).

E is even and smooth, so that for scores of two blocks that are mapped to x and
y in [-1, 1], with h half the width of a block and o the distance of their
centers,

.. math:: E(h (x - y) + o) \\approx \\sum_{pq} C_{pq} T_p(x) T_q(y),

which takes a sum over pairs apart into sums over items,
:math:`U^T C V` with :math:`U = \\sum_i w_i T(x_i)`. The slope E' =
tanh(u / 2) / 2 goes the same way and leaves one polynomial in x. Which blocks
there are, and what to sum over, is the matter of ``_blocks``.

Raykar, Duraiswami and Krishnapuram, "A fast algorithm for learning a ranking
function from large-scale data sets", TPAMI 2008, do the same with another
expansion of the slope.
"""

import math
from functools import lru_cache

import numpy as np
import torch

# Largest error per pair: of the loss, times max(1, range), and of the slope.
LOSS_TOLERANCE = 5e-10
SLOPE_TOLERANCE = 5e-8
# Expansions are kept for half widths on a grid of this ratio.
_GRID_RATIO = 1.05
# Items that are worked on at a time: three rows of float64 stay in the cache that
# cores share, and torch gives its threads pieces of 2**15.
CHUNK = 2**17


def on_grid(half_width):
    """Return the next half width on a grid, so that expansions are used again."""
    steps = math.ceil(math.log(max(half_width, 1e-2)) / math.log(_GRID_RATIO))
    return _GRID_RATIO**steps


@lru_cache(maxsize=256)
def coefficients(half_width, offsets=(0.0,)):
    """Return coefficients of E and of its slope, as few as the error allows.

    Both are arrays of shape (n_offsets, n_terms, n_terms). Their first axis is
    for the block with the larger scores.
    """
    # The nearest poles of tanh(u / 2) are at pi i: the error falls by this much
    # with each term, and is then measured.
    decay = math.asinh(math.pi / half_width)
    n_terms = max(4, int(-math.log(SLOPE_TOLERANCE) / decay))
    while True:
        found = [_interpolated(half_width, offset, n_terms) for offset in offsets]
        if all(
            _is_exact_enough(half_width, offset, C, D)
            for offset, (C, D) in zip(offsets, found, strict=True)
        ):
            C, D = zip(*found, strict=True)
            return np.stack(C), np.stack(D)
        n_terms += max(1, n_terms // 16)


def moments(scores, weight, center, half_width, n_terms):
    """Return weighted sums of T_0 .. T_{n_terms - 1}, one row per row of scores.

    Parameters
    ----------
    scores, weight : tensor of shape (n_rows, n_columns)
        Of any floating type; the sums are float64.
    center : tensor of shape (n_rows, 1), float64
    half_width : float
        Scores are at most so far from the center of their row.
    n_terms : int

    Returns
    -------
    sums : tensor of shape (n_rows, n_terms), float64
    """
    sums = center.new_zeros(len(scores), n_terms)
    for rows, columns in _chunks(scores):
        # Weighted polynomials, each made in the place of the last but one:
        # a - 2 x b is -T_{k+1}, which gives the signs a period of four.
        a = weight[rows, columns].double()
        twice = _mapped(scores[rows, columns], center[rows], half_width / 2)
        b = a * twice
        b /= 2
        # The first one may be the caller's own memory.
        if a.data_ptr() == weight[rows, columns].data_ptr():
            a = a.clone()
        parts = [a.sum(1), b.sum(1)]
        for k in range(2, n_terms):
            a.addcmul_(twice, b, value=-1.0 if k % 2 == 0 else 1.0)
            parts.append(a.sum(1))
            a, b = b, a
        sums[rows] += torch.stack(parts, 1)
    # -T_2, -T_3, -T_6, -T_7, ...
    sums[:, 2::4] *= -1
    sums[:, 3::4] *= -1
    return sums


def weighted_sums_of_terms(scores, weight, center, half_width, terms):
    """Return weight times sum_k terms[:, k] T_k, by Clenshaw's recurrence.

    Parameters
    ----------
    scores, weight, center, half_width
        As in :func:`moments`.
    terms : tensor of shape (n_rows, n_terms), float64

    Returns
    -------
    values : tensor of shape (n_rows, n_columns), float64
    """
    values = center.new_empty(scores.shape)
    for rows, columns in _chunks(scores):
        twice = _mapped(scores[rows, columns], center[rows], half_width / 2)
        c = terms[rows].unsqueeze(-1).unbind(1)
        older = torch.zeros_like(twice)
        newer = c[-1].expand_as(twice).clone()
        for c_k in c[-2:0:-1]:
            # older <- 2 x newer - older + c_k
            torch.sub(c_k, older, out=older)
            older.addcmul_(twice, newer)
            older, newer = newer, older
        newer.mul_(twice).div_(2).sub_(older).add_(c[0])
        torch.mul(newer, weight[rows, columns], out=values[rows, columns])
    return values


def _mapped(scores, center, half_width):
    mapped = scores.double() - center
    return mapped.div_(half_width)


def _chunks(values):
    """Yield slices of rows and columns that hold about a chunk of a matrix."""
    n_rows, width = values.shape
    columns = min(width, CHUNK)
    rows = max(1, CHUNK // max(columns, 1))
    for top in range(0, n_rows, rows):
        for left in range(0, width, columns):
            yield slice(top, top + rows), slice(left, left + columns)


def _interpolated(half_width, offset, n_terms):
    number = np.arange(n_terms)
    angle = np.pi * (number + 0.5) / n_terms
    nodes = np.cos(angle)
    to_coefficients = np.cos(number[:, None] * angle) * (2 / n_terms)
    to_coefficients[0] /= 2
    even, slope = _kernels(half_width * (nodes[:, None] - nodes) + offset)
    return (
        _product(to_coefficients, even, to_coefficients.T),
        _product(to_coefficients, slope, to_coefficients.T),
    )


def _is_exact_enough(half_width, offset, C, D):
    # Between the nodes and at the ends, where an interpolation is worst.
    n_points = 3 * len(C)
    x = np.r_[np.cos(np.pi * np.arange(n_points) / (n_points - 1)), 0.0]
    T = np.polynomial.chebyshev.chebvander(x, len(C) - 1)
    even, slope = _kernels(half_width * (x[:, None] - x) + offset)
    return np.abs(_product(T, C, T.T) - even).max() <= LOSS_TOLERANCE * max(
        1.0, 2 * half_width / _GRID_RATIO
    ) and (np.abs(_product(T, D, T.T) - slope).max() <= SLOPE_TOLERANCE)


def _product(*matrices):
    """Return the product of matrices, by torch.

    The threads of NumPy's would wait for more to do for a while, and take the cores
    from torch's.
    """
    return torch.linalg.multi_dot([torch.from_numpy(own) for own in matrices]).numpy()


def _kernels(margin):
    size = np.abs(margin)
    return size / 2 + np.log1p(np.exp(-size)), np.tanh(margin / 2) / 2
