"""The loss of large groups through an expansion, in linear time.

The logistic loss of a pair with worse score a and better score b is
:math:`(a - b) / 2 + E(a - b)` with :math:`E(u) = \\log(2 \\cosh(u / 2))`, so its sum over
the pairs of different level splits in two. The linear part needs only the weights above
and below each level. E does not depend on which item is preferred, so its sum is that
over all pairs of the group, less those inside each level. The sum over all pairs of a
set of items is :math:`U^T C U / 2`, where U holds the weighted sums of the Chebyshev
polynomials of the set's scores. A tie that is half a win for each costs E, so where ties
count only the pairs of the items of one contender are taken off. ``docs/loss.md`` has the
derivation and the error.
"""

import math
from typing import NamedTuple

import torch
from torch.nn.functional import pad

from sklearn_pscore._torch.losses.chebyshev import coefficients, on_grid, polynomials

# The number of terms grows with the range of the scores, so a range above
# _WIDEST_BLOCK is cut into blocks of _BLOCK_WIDTH. Neither was tuned.
_WIDEST_BLOCK, _BLOCK_WIDTH = 32.0, 8.0
# Items with so many blocks between theirs differ by 24 at least: E(u) is |u| / 2 to 4e-11.
_BLOCKS_BETWEEN = 3
# Rows whose polynomials are in memory at a time, and mean length of runs of one cell from
# which each is a product of its own. By the times of benchmarks/speed/pair_loss.py.
_CHUNK, _SHORTEST_RUN = 2**15, 2**8


def sums_by_expansion(
    scores,
    level,
    weight,
    sizes,
    with_gradient=True,
    ties="ignore",
    contender=None,
):
    """Return loss, gradient and weight, each summed over the pairs of all groups.

    Arguments and results are those of :func:`ranknet.sum_over_pairs`, the gradient in
    float64. With a score that is not finite, the loss is NaN, and so is the gradient of
    its group and perhaps of others.
    """
    n_members = len(scores)
    if n_members > 1:  # The groups of each member are groups of their own.
        level, weight, sizes = (c.repeat(n_members) for c in (level, weight, sizes))
        contender = None if contender is None else contender.repeat(n_members)
    sizes = sizes.to(level.device)
    x, (_, group) = scores.flatten(), _numbers(sizes)
    ends = x.aminmax(dim=0, keepdim=True)
    if len(sizes) > 1:
        ends = (torch.segment_reduce(x, end, lengths=sizes) for end in ("min", "max"))
    lowest, highest = (end.double() for end in ends)
    x, half_range = x - _spread((lowest + highest) / 2, group), (highest - lowest) / 2
    is_wide = ~(2 * half_range <= _WIDEST_BLOCK)
    parts = [slice(None)]
    if 0 < int(is_wide.sum()) < len(sizes):
        # Apart, so that only groups of a wide range are cut into blocks.
        parts = [is_wide, ~is_wide]
    loss, pair_weight, gradient = 0.0, 0.0, torch.empty_like(x)
    for groups in parts:
        items = groups if len(parts) == 1 else groups[group]
        packed = level[items], weight[items].double(), sizes[groups]
        sets = _Sets.of(*packed)
        if ties == "half":
            of_items = None if contender is None else contender[items]
            sets = sets.with_ties(*packed, of_items)
        part, slopes = _sum_over_sets(sets, x[items], float(half_range[groups].max()))
        loss, pair_weight = loss + part, pair_weight + sets.pair_weight
        if with_gradient and len(parts) == 1:
            gradient = slopes()
        elif with_gradient:
            gradient[items] = slopes()
    gradient = gradient.view_as(scores) if with_gradient else None
    return loss, gradient, pair_weight / n_members


def _sum_over_sets(sets, x, half_range):
    """Return the loss of centred scores x, and a function that returns its gradient."""
    loss = x @ sets.linear - sets.self_pairs
    if not math.isfinite(half_range):
        return loss + torch.nan, lambda: torch.full_like(x, torch.nan)
    # A cell holds the items of one set in one block. Cells are sorted by key: their set
    # times a stride, plus the number of their block.
    if 2 * half_range <= _WIDEST_BLOCK:
        half_width, offsets = on_grid(half_range), (0.0,)
        key, cell = torch.arange(len(sets.group), device=x.device), sets.of_item
        stride, number, center = 1, None, None
        whole, whole_of_cell = key[: len(sets.in_group)], sets.group
    else:
        half_width = _BLOCK_WIDTH / 2
        offsets = tuple(_BLOCK_WIDTH * k for k in range(_BLOCKS_BETWEEN + 1))
        number, center, block = _blocks(x)
        x = x - center[block]
        stride = int(number[-1]) + _BLOCKS_BETWEEN + 1
        key, cell = (sets.of_item * stride + number[block]).unique(return_inverse=True)
        whole = sets.group[key // stride] * stride + key % stride
        whole, whole_of_cell = whole.unique(return_inverse=True)
    C, D = (kernel.to(x) for kernel in coefficients(half_width, offsets))
    blocks = C, D, half_width, stride, number, center
    T = _Polynomials(x.div_(half_width), cell, C.shape[-1])
    # By shares in the weight of the group: a heavy group must not round off a light one.
    unit = sets.in_group[sets.group[key // stride]]
    sums = T.weighted_sums(sets.weight, len(key)).div_(unit[:, None])
    # All pairs of each group, less those inside the sets, whose cells come first.
    of_whole = torch.zeros_like(sums[: len(whole)]).index_add_(0, whole_of_cell, sums)
    even, slopes = _even_part(of_whole, whole, *blocks)
    loss += even @ sets.in_group[whole // stride].square()
    slopes = slopes.index_select(0, whole_of_cell)
    inside = slice(int(torch.searchsorted(key, sets.n_inside * stride)))
    if inside.stop:
        even, slopes_inside = _even_part(sums[inside], key[inside], *blocks)
        loss -= even @ unit[inside].square()
        slopes[inside] -= slopes_inside
    slopes *= unit[:, None]
    return loss, lambda: T.combined(slopes).mul_(sets.weight).add_(sets.linear)


class _Sets(NamedTuple):
    """The sets of items that E is summed over, and all that no score changes.

    Each level of several items is a set. An item that is alone in its level has only
    itself inside it, :math:`w^2 E(0) / 2`, so the items of a group that are alone are
    one more set, whose inside is not taken off. An item with most of the weight of its
    group counts as a level of several: with itself it outweighs all pairs of the
    group, and so would the error of the expansion.
    """

    of_item: torch.Tensor  # (n_items,), the sets of the items that are alone come last
    group: torch.Tensor  # (n_sets,)
    n_inside: int  # number of sets whose inside is taken off
    weight: torch.Tensor  # (n_items,)
    in_group: torch.Tensor  # (n_groups,), sum of the weights
    linear: torch.Tensor  # (n_items,), gradient of the linear part
    self_pairs: torch.Tensor  # (), sum of w^2 E(0) / 2 over the items that are alone
    pair_weight: torch.Tensor  # ()

    @classmethod
    def of(cls, level, weight, sizes):
        """Return the sets of packed groups; items of one level are no pair."""
        groups, group = _numbers(sizes)
        # The levels of all groups are numbered on.
        n_levels = level[sizes.cumsum(0) - 1] + 1
        level = level + _spread(n_levels.cumsum(0) - n_levels, group)
        _, group_of_level = _numbers(n_levels)
        is_set = torch.zeros(len(group_of_level), dtype=torch.bool, device=level.device)
        in_level = weight
        if len(is_set) < len(level):
            in_level = torch.bincount(level, weight)
            is_set = level.unique_consecutive(return_counts=True)[1] > 1
        by_group = in_level.split(n_levels.tolist())
        in_group = torch.stack([levels.sum() for levels in by_group])
        below = torch.empty_like(in_level)
        for levels, out in zip(by_group, below.split(n_levels.tolist()), strict=True):
            torch.cumsum(levels, 0, out=out)
        below -= in_level
        half = _spread(in_group / 2, group_of_level)
        is_set |= in_level > half
        number, n_inside = is_set.cumsum(0).sub_(1), int(is_set.sum())
        number_alone = _spread(groups + n_inside, group_of_level)
        number = torch.where(is_set, number, number_alone)
        alone = in_level.masked_fill(is_set, 0.0)
        # Half of what is above less half of what is below.
        linear = torch.sub(half, in_level, alpha=0.5).sub_(below)
        return cls(
            of_item=_spread(number, level).expand(len(level)),
            group=torch.cat([group_of_level[is_set], groups]),
            n_inside=n_inside,
            weight=weight,
            in_group=in_group.clamp_(min=torch.finfo().tiny),
            linear=_spread(linear, level) * weight,
            self_pairs=alone @ alone * (math.log(2.0) / 2),
            pair_weight=in_level @ below,
        )

    def with_ties(self, level, weight, sizes, contender=None):
        """Return the sets where items of one level are a pair, won half by each.

        E is then summed as if each contender, an item if None says which, were a level
        of its own. Nobody prefers an item of a tie, so the linear part is that of the
        true levels.
        """
        if contender is None:
            _, group = _numbers(sizes)
            offset = torch.arange(len(level), device=level.device)
            contender = offset - _spread(sizes.cumsum(0) - sizes, group)
        return self.of(contender, weight, sizes)._replace(linear=self.linear)


def _blocks(x):
    """Return number and center of the blocks with a score, and each score's block.

    Gaps of empty blocks are shortened in the numbers, for only near or far matters.
    """
    position, block = (x / _BLOCK_WIDTH).floor().unique(return_inverse=True)
    steps = position.diff(prepend=position[:1]).clamp_(max=_BLOCKS_BETWEEN + 1)
    return steps.cumsum(0).long(), (position + 0.5) * _BLOCK_WIDTH, block


def _numbers(sizes):
    """Return numbers from 0 for runs of these sizes, and the number of each entry."""
    numbers = torch.arange(len(sizes), device=sizes.device)
    if len(sizes) == 1:
        return numbers, numbers.expand(int(sizes))
    return numbers, numbers.repeat_interleave(sizes)


def _spread(values, index):
    """Return values[index], without a copy where there is one value for all or each."""
    if len(values) in (1, len(index)):
        return values
    return values.index_select(0, index)


class _Polynomials:
    """T_0(x), ..., T_{n_terms - 1}(x) of rows that belong to cells.

    They are made a chunk of rows at a time; a chunk that is the only one is kept.
    """

    def __init__(self, x, cell, n_terms):
        self.x = x
        self.cell = cell
        # At once, for pages of memory that come anew cost more than the sums.
        self._memory = x.new_empty(2, n_terms, min(_CHUNK, len(x)))
        self._only_chunk = None

    def weighted_sums(self, weight, n_cells):
        """Return the sums of weight times T over cells, (n_cells, n_terms)."""
        sums = weight.new_zeros(n_cells, self._memory.shape[1])
        for rows, T, runs in self._chunks():
            w = weight[rows]
            if runs is None:
                sums.index_add_(0, self.cell[rows], T * w[:, None])
            for cell, run in runs or ():
                sums[cell] += T[:, run] @ w[run]
        return sums

    def combined(self, coefficients):
        """Return the sum over k of coefficients[cell, k] T_k of each row."""
        values = torch.empty_like(self.x)
        for rows, T, runs in self._chunks():
            if runs is None:
                chosen = coefficients.index_select(0, self.cell[rows])
                values[rows] = chosen.mul_(T).sum(1)
            for cell, run in runs or ():
                values[rows][run] = coefficients[cell] @ T[:, run]
        return values

    def _chunks(self):
        """Yield slices of rows, their polynomials, and their runs of one cell.

        Where runs are long, T has shape (n_terms, n_rows), and the sums of each run
        are a product with a vector. Else runs is None and T (n_rows, n_terms).
        """
        if self._only_chunk is not None:
            yield self._only_chunk
            return
        for top in range(0, len(self.x), _CHUNK):
            rows, runs = slice(top, top + _CHUNK), None
            x = self.x[rows]
            T = polynomials(x, self._memory[0, :, : len(x)])
            cells, lengths = self.cell[rows].unique_consecutive(return_counts=True)
            if len(cells) * _SHORTEST_RUN > len(x):
                T = self._memory[1].view(-1, len(T))[: len(x)].copy_(T.T)
            else:
                ends = lengths.cumsum(0)
                bounds = map(slice, (ends - lengths).tolist(), ends.tolist())
                runs = list(zip(cells.tolist(), bounds, strict=True))
            if len(self.x) <= _CHUNK:
                self._only_chunk = rows, T, runs
            yield rows, T, runs


def _even_part(sums, key, C, D, half_width, stride, number, center):
    """Sum E over all pairs of each set, and half of E(0) of each item with itself.

    From sums of weight times T over the items of each cell, shape (n_cells, n_terms),
    the keys of the cells, and the numbers and centers of all blocks. Return losses,
    shape (n_cells,), whose sum over the cells of a set is the set's, and the
    coefficients of the slope's polynomial in each cell, shape (n_cells, n_terms).
    """
    losses = ((sums @ C[0]) * sums).sum(1).div_(2)
    slopes = sums @ D[0].T
    if len(C) == 1:
        return losses, slopes
    for k in range(1, len(C)):
        index = torch.searchsorted(key, key + k).clamp_(max=len(key) - 1)
        lower = (key[index] == key + k).nonzero()[:, 0]
        upper = index[lower]
        losses[lower] += ((sums[upper] @ C[k]) * sums[lower]).sum(1)
        slopes[upper] += sums[lower] @ D[k].T
        slopes[lower] -= sums[upper] @ D[k]
    # Far pairs: E(u) = |u| / 2, with a slope of one half.
    weight, first = sums[:, 0], key - key % stride
    center = center[torch.searchsorted(number, key % stride)]
    score = center * weight + half_width * sums[:, 1]
    weight_before, score_before = (pad(v.cumsum(0), (1, 0)) for v in (weight, score))
    start, end = (torch.searchsorted(key, k) for k in (first, first + stride))
    near = torch.searchsorted(key, key - _BLOCKS_BETWEEN)
    near_end = torch.searchsorted(key, key + _BLOCKS_BETWEEN, right=True)
    below = weight_before[near] - weight_before[start]
    above = weight_before[end] - weight_before[near_end]
    score_below = score_before[near] - score_before[start]
    losses += (score * below - weight * score_below) / 2
    slopes[:, 0] += (below - above) / 2
    return losses, slopes
