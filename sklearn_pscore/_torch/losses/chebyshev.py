"""Chebyshev polynomials, and the even part of the logistic loss expanded in them.

For scores of two blocks of half width h that are mapped to x and y in [-1, 1], with o
the distance of the blocks' centers,

.. math:: E(h (x - y) + o) \\approx \\sum_{pq} C_{pq} T_p(x) T_q(y),
          \\quad E(u) = \\log(2 \\cosh(u / 2)),

and D the slope :math:`E'(u) = \\tanh(u / 2) / 2` in the same way (``docs/loss.md``).
"""

import math
from functools import lru_cache

import torch

# The error falls by asinh(pi / h) with each term, for the poles of tanh(u / 2) nearest to
# 0 are at +-pi i. With these, that of the loss of a pair is at most 5e-10 max(1, 2 h), and
# that of its slope 5e-8: tests/test_chebyshev.py measures it for all widths on the grid.
_LOG_TOLERANCE, _MORE_TERMS = 17.0, 3
# Expansions are kept for half widths on a grid of this ratio.
_GRID_RATIO, _NARROWEST = 1.05, 1e-2


def on_grid(half_width):
    """Return the next half width on the grid, so that expansions are used again."""
    steps = math.log(max(half_width, _NARROWEST)) / math.log(_GRID_RATIO)
    return _GRID_RATIO ** math.ceil(steps)


@lru_cache(maxsize=256)
def coefficients(half_width, offsets=(0.0,)):
    """Return C and D, float64 tensors of shape (n_offsets, n_terms, n_terms).

    Their second axis is for the block with the larger scores. They interpolate at the
    zeros :math:`\\cos(\\pi (i + 1/2) / n)` of :math:`T_n`.
    """
    decay = math.asinh(math.pi / half_width)
    n_terms = math.ceil(_LOG_TOLERANCE / decay) + _MORE_TERMS
    degree = torch.arange(n_terms, dtype=torch.float64)
    angle = math.pi * (degree + 0.5) / n_terms
    to_coefficients = torch.cos(degree[:, None] * angle) * (2 / n_terms)
    to_coefficients[0] /= 2
    score = half_width * angle.cos()
    u = score[:, None] - score + torch.tensor(offsets).to(score)[:, None, None]
    even = u.abs() / 2 + torch.log1p(torch.exp(-u.abs()))
    slope = torch.tanh(u / 2) / 2
    return [to_coefficients @ values @ to_coefficients.T for values in (even, slope)]


def polynomials(x, out):
    """Write T_0(x), T_1(x), ... to the rows of `out`, (n_terms, len(x)); return it.

    From those up to degree k to those up to 2 k + 1 at once, by
    :math:`T_{2k} = 2 T_k^2 - 1` and :math:`T_{2k+1} = 2 T_k T_{k+1} - x`.
    """
    out[0], out[1] = 1.0, x
    minus_one, minus_x = -torch.ones_like(x[:1]), -x
    n_known = 2
    while n_known < len(out):
        k = n_known // 2
        for shift, rest in ((0, minus_one), (1, minus_x)):
            new = out[n_known + shift : 2 * n_known : 2]
            factors = out[k : k + len(new)], out[k + shift : k + shift + len(new)]
            torch.addcmul(rest, *factors, value=2, out=new)
        n_known *= 2
    return out
