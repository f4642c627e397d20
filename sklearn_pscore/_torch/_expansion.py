"""All pairs of a large group in linear time, by a Chebyshev expansion.

The logistic loss of a pair with worse score a and better score b is

.. math:: \\log(1 + e^{a - b}) = (a - b) / 2 + E(a - b),
          \\quad E(u) = \\log(2 \\cosh(u / 2)).

The first part is linear: over all pairs it needs only the weights above and
below each level. The second is even, so it does not ask which item is the
better one: its sum over the pairs of different level is that over all pairs
less those inside each level. And E is smooth, so that for scores mapped to
x in [-1, 1], with h half their range,

.. math:: E(h (x - y)) \\approx \\sum_{pq} C_{pq} T_p(x) T_q(y),

which takes a sum over pairs apart into sums over items,
:math:`\\tfrac12 U^T C U` with :math:`U = \\sum_i w_i T(x_i)`. The slope E' =
tanh(u / 2) / 2 goes the same way and leaves one polynomial per level. So the
cost is items times terms, however many levels there are.

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
# Expansions are kept for half ranges on a grid of this ratio.
_GRID_RATIO = 1.1
# Beyond, some hundred terms are needed, and finding them takes seconds.
_WIDEST_RANGE = 100.0
# A pair costs about a sixth of what an item costs per term, counting both passes.
_ITEMS_PER_TERM = 6
# Items that are worked on at a time: what a core keeps close, in float64.
_CHUNK = 2**15
# Pairs inside a level of at most so many items are summed one by one.
_SMALL_LEVEL = 16


def pays(score_range, n_items):
    """Tell whether the expansion is cheaper than going through all pairs."""
    if score_range > _WIDEST_RANGE:
        return False
    n_terms = len(_expansion(_on_grid(score_range / 2))[0])
    return n_items > _ITEMS_PER_TERM * n_terms


def sum_over_pairs(scores, weight, level_sizes):
    """Return loss, gradient and weight of all pairs of different level.

    Parameters
    ----------
    scores, weight : tensor of shape (n_items,), float64
        Items in ascending order of level.
    level_sizes : tensor of shape (n_levels,), int
        Number of items of each level.

    Returns
    -------
    loss : tensor of shape ()
        Sum over pairs of weight times log(1 + exp(worse - better)).
    gradient : tensor of shape (n_items,)
    pair_weight : tensor of shape ()
        Sum of the pairs' weights.
    """
    lowest, highest = scores.min(), scores.max()
    scores = scores - (lowest + highest) / 2
    loss, gradient, pair_weight = _linear_part(scores, weight, level_sizes)
    half_range = _on_grid(float(highest - lowest) / 2)
    C, D = (torch.as_tensor(c, device=scores.device) for c in _expansion(half_range))
    x = scores / half_range
    panels = list(_panels(level_sizes.cpu()))
    sums = [_moments(panel.of(x), panel.of(weight), len(C)) for panel in panels]
    total = sum(panel_sums.sum(0) for panel_sums in sums)
    loss += total @ C @ total / 2
    for panel, own in zip(panels, sums, strict=True):
        if panel.is_whole_levels:
            loss -= ((own @ C) * own).sum() / 2
            rest = total - own
        else:
            rest = total[None]
        slopes = _evaluate(panel.of(x), rest @ D.T)
        panel.add(gradient, panel.of(weight) * slopes)
    loss -= _items_with_themselves(weight, level_sizes.cpu())
    for panel in _small_levels(level_sizes.cpu()):
        loss -= _subtract_pairs_inside(panel, scores, weight, gradient)
    return loss, gradient, pair_weight


def _linear_part(scores, weight, level_sizes):
    """Sum (worse - better) / 2 over the pairs; return its slope per item too."""
    level = torch.repeat_interleave(
        torch.arange(len(level_sizes), device=scores.device),
        level_sizes.to(scores.device),
    )
    own = weight.new_zeros(len(level_sizes)).index_add_(0, level, weight)
    up_to = own.cumsum(0)
    lower = up_to - own
    gradient = weight * ((up_to[-1] - up_to - lower) / 2)[level]
    return (scores * gradient).sum(), gradient, (own * lower).sum()


class _Panel:
    """Items of some levels as a matrix, a row per level, padded if need be.

    Parameters
    ----------
    index : slice or tensor of shape (n_levels, width)
        Items; a slice is one row, and -1 in a tensor is padding.
    is_whole_levels : bool
        Whether rows are whole levels, or items of many small ones in one row.
    """

    def __init__(self, index, is_whole_levels=True):
        self.index = index
        self.is_whole_levels = is_whole_levels
        self.is_padding = None if isinstance(index, slice) else index < 0

    def of(self, values):
        """Return the values of the items, 0 where there is padding."""
        if isinstance(self.index, slice):
            return values[self.index][None]
        found = values[self.index.to(values.device)]
        return found.masked_fill_(self.is_padding.to(values.device), 0.0)

    def add(self, target, values):
        """Add to `target` what belongs to the items."""
        if isinstance(self.index, slice):
            target[self.index] += values[0]
        else:
            kept = ~self.is_padding
            target.index_add_(
                0,
                self.index[kept].to(target.device),
                values[kept.to(values.device)],
            )


def _panels(level_sizes):
    """Yield all items: levels of like size together, and small ones in a row."""
    starts = torch.cumsum(level_sizes, 0) - level_sizes
    exponents = torch.ceil(torch.log2(level_sizes.clamp(min=1).double())).long()
    is_small = level_sizes <= _SMALL_LEVEL
    if is_small.all():
        yield _Panel(slice(None), is_whole_levels=False)
        return
    if is_small.any():
        place = torch.repeat_interleave(is_small, level_sizes).nonzero()[:, 0]
        yield _Panel(place[None], is_whole_levels=False)
    for exponent in torch.unique(exponents[~is_small]).tolist():
        own = (~is_small & (exponents == exponent)).nonzero()[:, 0]
        if len(own) == 1 or 2**exponent >= _CHUNK:
            for level in own.tolist():
                start = int(starts[level])
                yield _Panel(slice(start, start + int(level_sizes[level])))
            continue
        yield _Panel(_padded(starts[own], level_sizes[own]))


def _small_levels(level_sizes):
    """Yield the levels whose pairs are summed one by one, padded cubes at most."""
    starts = torch.cumsum(level_sizes, 0) - level_sizes
    for size in range(2, _SMALL_LEVEL + 1):
        own = level_sizes == size
        if own.any():
            yield _Panel(_padded(starts[own], level_sizes[own]))


def _items_with_themselves(weight, level_sizes):
    """Return what levels of a single item, which have no pairs, have in U' C U / 2."""
    single = torch.repeat_interleave(level_sizes == 1, level_sizes).to(weight.device)
    return (weight[single] ** 2).sum() * (math.log(2.0) / 2)


def _padded(starts, sizes):
    place = torch.arange(int(sizes.max()))
    return (starts[:, None] + place).masked_fill_(place >= sizes[:, None], -1)


def _chunks(values):
    """Yield slices of rows and columns that hold about a chunk of a matrix."""
    n_rows, width = values.shape
    columns = min(width, _CHUNK)
    rows = max(1, _CHUNK // max(columns, 1))
    for top in range(0, n_rows, rows):
        for left in range(0, width, columns):
            yield slice(top, top + rows), slice(left, left + columns)


def _moments(x, weight, n_terms):
    """Return the weighted sums of T_0 .. T_{n_terms - 1}, one row per row of x."""
    sums = x.new_zeros(len(x), n_terms)
    for rows, columns in _chunks(x):
        own, w = x[rows, columns], weight[rows, columns]
        twice = 2 * own
        # Weighted polynomials, each made in the place of the last but one:
        # a - 2 x b is -T_{k+1}, which gives the signs a period of four.
        a, b = w.clone(), w * own
        sums[rows, 0] += a.sum(1)
        sums[rows, 1] += b.sum(1)
        for k in range(2, n_terms):
            a.addcmul_(twice, b, value=-1.0 if k % 2 == 0 else 1.0)
            sign = -1.0 if k % 4 in (2, 3) else 1.0
            sums[rows, k] += sign * a.sum(1)
            a, b = b, a
    return sums


def _evaluate(x, coefficients):
    """Return sum_k coefficients[:, k] T_k(x), by Clenshaw's recurrence."""
    values = torch.empty_like(x)
    for rows, columns in _chunks(x):
        own = x[rows, columns]
        twice = 2 * own
        c = coefficients[rows] if len(coefficients) == len(x) else coefficients
        older = torch.zeros_like(own)
        newer = c[:, -1:].expand_as(own).clone()
        for k in range(coefficients.shape[1] - 2, 0, -1):
            older.neg_().add_(c[:, k : k + 1]).addcmul_(twice, newer)
            older, newer = newer, older
        values[rows, columns] = own * newer - older + c[:, :1]
    return values


def _subtract_pairs_inside(panel, scores, weight, gradient):
    """Take the pairs inside small levels from the gradient; return their loss."""
    s, w = panel.of(scores), panel.of(weight)
    loss = scores.new_zeros(())
    slopes = torch.empty_like(s)
    n_rows = max(1, _CHUNK // s.shape[1] ** 2)
    for top in range(0, len(s), n_rows):
        rows = slice(top, top + n_rows)
        margin = s[rows, :, None] - s[rows, None, :]
        pair = w[rows, :, None] * w[rows, None, :]
        # Each pair twice and each item with itself, as in U' C U / 2.
        loss += (pair * _even_part(margin)).sum() / 2
        slopes[rows] = (pair * torch.tanh(margin / 2)).sum(2) / 2
    panel.add(gradient, -slopes)
    return loss


def _even_part(margin):
    """Return log(2 cosh(margin / 2)), for margins of any size."""
    margin = margin.abs()
    return margin / 2 + torch.log1p(torch.exp(-margin))


def _on_grid(half_range):
    """Return the next half range on a grid, so that expansions are used again."""
    steps = math.ceil(math.log(max(half_range, 1e-2)) / math.log(_GRID_RATIO))
    return _GRID_RATIO**steps


@lru_cache(maxsize=256)
def _expansion(half_range):
    """Return the coefficients of E and of its slope, as few as the error allows."""
    # The nearest poles of tanh(u / 2) are at pi i: the error falls by this much
    # with each term, and is then measured.
    decay = math.asinh(math.pi / half_range)
    n_terms = max(4, int(-math.log(SLOPE_TOLERANCE) / decay))
    while True:
        C, D = _interpolated(half_range, n_terms)
        if _is_exact_enough(half_range, C, D):
            return C, D
        n_terms += max(1, n_terms // 16)


def _interpolated(half_range, n_terms):
    number = np.arange(n_terms)
    angle = np.pi * (number + 0.5) / n_terms
    nodes = np.cos(angle)
    to_coefficients = np.cos(number[:, None] * angle) * (2 / n_terms)
    to_coefficients[0] /= 2
    even, slope = _kernels(half_range * (nodes[:, None] - nodes))
    return (
        to_coefficients @ even @ to_coefficients.T,
        to_coefficients @ slope @ to_coefficients.T,
    )


def _is_exact_enough(half_range, C, D):
    # Between the nodes and at the ends, where an interpolation is worst.
    n_points = 3 * len(C)
    x = np.r_[np.cos(np.pi * np.arange(n_points) / (n_points - 1)), 0.0]
    T = np.polynomial.chebyshev.chebvander(x, len(C) - 1)
    even, slope = _kernels(half_range * (x[:, None] - x))
    return np.abs(T @ C @ T.T - even).max() <= LOSS_TOLERANCE * max(
        1.0, 2 * half_range
    ) and (np.abs(T @ D @ T.T - slope).max() <= SLOPE_TOLERANCE)


def _kernels(margin):
    size = np.abs(margin)
    return size / 2 + np.log1p(np.exp(-size)), np.tanh(margin / 2) / 2
