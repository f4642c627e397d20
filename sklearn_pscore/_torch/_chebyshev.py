"""All pairs of one group in linear time, by a Chebyshev expansion.

softplus(s_j - s_i) is a smooth function of two bounded numbers, so that

.. math:: \\mathrm{softplus}(h (x_j - x_i)) \\approx \\sum_{pq} C_{pq} T_p(x_i) T_q(x_j)

with the scores mapped to x in [-1, 1] and h half their range. Sums over pairs
then become products of sums over items: with :math:`U_l` the sum of
:math:`T(x)` over the items of level l, the loss of all pairs is
:math:`\\sum_l U_l^T C \\sum_{m<l} U_m`. Raykar, Duraiswami and Krishnapuram,
"A fast algorithm for learning a ranking function from large-scale data sets",
TPAMI 2008, do the same with another expansion.
"""

import math

import torch
from torch.nn.functional import softplus

# Largest error of softplus and of its slope, per pair.
TOLERANCE = 1e-9
# Wider than this and the expansion needs more than some hundred terms.
WIDEST_RANGE = 30.0


def sum_over_pairs(scores, level, weight):
    """Return loss, gradient and weight of all pairs of one group.

    Parameters
    ----------
    scores, weight : tensor of shape (n_items,), float64
        The scores span at most ``WIDEST_RANGE``.
    level : tensor of shape (n_items,), int
        Rank of the preference among the group's distinct preferences, 0 is
        the least, ascending.

    Returns
    -------
    loss : tensor of shape ()
        Sum over pairs of weight times softplus(worse - better).
    gradient : tensor of shape (n_items,)
    pair_weight : tensor of shape ()
        Sum of the pairs' weights.
    """
    lowest, highest = scores.min(), scores.max()
    half_range = max(float(highest - lowest) / 2, 1e-3)
    x = (scores - (lowest + highest) / 2) / half_range
    n_terms = _n_terms(half_range)
    C, D = _coefficients(half_range, n_terms, scores.device)
    terms = weight[:, None] * _polynomials(x, n_terms)
    n_levels = int(level[-1]) + 1
    U = terms.new_zeros(n_levels, n_terms).index_add_(0, level, terms)
    lower = U.cumsum(0) - U
    higher = U.flip(0).cumsum(0).flip(0) - U
    loss = ((U @ C) * lower).sum()
    slopes = higher @ D - lower @ D.T
    gradient = (slopes[level] * terms).sum(1)
    # T_0 is 1, so its sums are sums of weights.
    return loss, gradient, (U[:, 0] * lower[:, 0]).sum()


def _n_terms(half_range):
    """Return the terms that the nearest pole, at distance pi / h, asks for."""
    decay = math.asinh(math.pi / half_range)
    return max(8, math.ceil(-math.log(TOLERANCE) / decay))


def _coefficients(half_range, n_terms, device):
    """Return the coefficients of softplus and of its slope, from Chebyshev nodes."""
    number = torch.arange(n_terms, dtype=torch.float64, device=device)
    angle = math.pi * (number + 0.5) / n_terms
    nodes = torch.cos(angle)
    to_coefficients = torch.cos(number[:, None] * angle) * (2 / n_terms)
    to_coefficients[0] /= 2
    margin = half_range * (nodes[None, :] - nodes[:, None])
    return (
        to_coefficients @ softplus(margin, threshold=50.0) @ to_coefficients.T,
        to_coefficients @ torch.sigmoid(margin) @ to_coefficients.T,
    )


def _polynomials(x, n_terms):
    """Return T_p(x), shape (n_items, n_terms)."""
    # The closed form is as exact as the recurrence on [-1, 1], and one call.
    number = torch.arange(n_terms, dtype=x.dtype, device=x.device)
    return torch.cos(number * torch.acos(x.clamp(-1, 1))[:, None])
