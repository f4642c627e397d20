"""The loss of large groups through an expansion, in linear time.

The logistic loss of a pair with worse score a and better score b is
:math:`(a - b) / 2 + E(a - b)` with :math:`E(u) = \\log(2 \\cosh(u / 2))`, so its sum over
the pairs of different level splits in two:

1. The linear part needs only the weights above and below each level.
2. E is even: it does not depend on which item is preferred. Its sum over the pairs of
   different level is that over all pairs of the group, less those inside each level.

The sum of E over all pairs of a set of items is :math:`U^T C U / 2`, where U holds the
weighted sums of the Chebyshev polynomials of the set's scores. ``docs/loss.md`` has the
derivation, the error and the times.
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
# Rows whose polynomials are in memory at a time (with the 25 terms of scores in [0, 6],
# 1.6 MB), and mean length of runs of one cell from which each is a product of its own.
# Chosen by the times of benchmarks/speed/pair_loss.py.
_CHUNK, _SHORTEST_RUN = 2**13, 2**8


def sums_by_expansion(scores, level, weight, sizes, with_gradient=True):
    """Return loss, gradient and weight, each summed over the pairs of all groups.

    Parameters
    ----------
    scores : tensor of shape (n_members, n_items)
    level : tensor of shape (n_items,), int64
        Ascending in each group from 0, without gaps.
    weight : tensor of shape (n_items,)
    sizes : tensor of shape (n_groups,), int64
        Number of items of each group; groups follow one another.
    with_gradient : bool, default=True

    Returns
    -------
    loss : tensor of shape (), float64
        Summed over members too. NaN if a score is not finite.
    gradient : tensor of shape (n_members, n_items), float64, or None
        NaN throughout if a score is not finite.
    pair_weight : tensor of shape (), float64
        Of a single member.
    """
    n_members = len(scores)
    if n_members > 1:
        # The groups of each member are groups of their own.
        level, weight, sizes = (c.repeat(n_members) for c in (level, weight, sizes))
    sets = _Sets.of(level, weight.double(), sizes.to(level.device))
    x, half_range = _centred(scores.flatten(), sets.group, len(sizes))
    loss = x @ sets.linear - sets.self_pairs
    pair_weight = sets.pair_weight / n_members
    if not math.isfinite(half_range):
        return loss + torch.nan, torch.full_like(scores, torch.nan), pair_weight
    if 2 * half_range <= _WIDEST_BLOCK:
        half_width, offsets = on_grid(half_range), (0.0,)
        cells = _Cells.of_one_block(sets)
    else:
        half_width = _BLOCK_WIDTH / 2
        offsets = tuple(_BLOCK_WIDTH * k for k in range(_BLOCKS_BETWEEN + 1))
        cells, x = _Cells.of_blocks(sets, x)
    C, D = (kernel.to(x) for kernel in coefficients(half_width, offsets))
    T = _Polynomials(x.div_(half_width), cells.of_item, C.shape[-1])
    sums = T.weighted_sums(sets.share, len(cells.group))
    # The even part of all pairs of each group, less those inside the sets.
    whole = sums.new_zeros(len(cells.group_of_whole), sums.shape[1])
    whole.index_add_(0, cells.whole, sums)
    even, slopes = _even_part(whole, cells.where_whole, C, D, half_width)
    loss += even @ sets.squared_weight[cells.group_of_whole]
    slopes = slopes.index_select(0, cells.whole)
    inside = slice(cells.n_inside)
    if cells.n_inside:
        even, taken_off = _even_part(sums[inside], cells.where, C, D, half_width)
        loss -= even @ sets.squared_weight[cells.group[inside]]
        slopes[inside] -= taken_off
    if not with_gradient:
        return loss, None, pair_weight
    gradient = T.combined(slopes).mul_(sets.factor).add_(sets.linear)
    return loss, gradient.view_as(scores), pair_weight


class _Sets(NamedTuple):
    """The sets of items that E is summed over, and all that no score changes.

    Each level of several items is a set. An item that is alone in its level has only
    itself inside it, :math:`w^2 E(0) / 2`, so the items of a group that are alone are
    one more set, whose inside is not taken off. An item with most of the weight of its
    group counts as a level of several: with itself it outweighs all pairs of the
    group, and so would the error of the expansion.

    Attributes
    ----------
    group, of_item : tensor of shape (n_items,), int64
        Numbers of the group and of the set.
    share, factor : tensor of shape (n_items,), float64
        Weight over that of the group, and weight times that of the group. Sums are
        made of shares, so that one heavy group does not round off the others.
    group_of_set : tensor of shape (n_sets,), int64
        The last sets are the items that are alone, one of each group.
    n_inside : int
        Number of the other sets.
    squared_weight : tensor of shape (n_groups,), float64
    linear : tensor of shape (n_items,), float64
        Gradient of the linear part.
    self_pairs, pair_weight : tensor of shape (), float64
        Sum of :math:`w^2 E(0) / 2` over the items that are alone; over all pairs.
    """

    group: torch.Tensor
    of_item: torch.Tensor
    share: torch.Tensor
    factor: torch.Tensor
    group_of_set: torch.Tensor
    n_inside: int
    squared_weight: torch.Tensor
    linear: torch.Tensor
    self_pairs: torch.Tensor
    pair_weight: torch.Tensor

    @classmethod
    def of(cls, level, weight, sizes):
        """Return the sets of packed groups."""
        groups = torch.arange(len(sizes), device=level.device)
        group = groups.repeat_interleave(sizes, output_size=len(level))
        total = torch.bincount(group, weight).clamp_(min=torch.finfo(weight.dtype).tiny)
        of_group = total.index_select(0, group)
        share, factor = weight / of_group, of_group.mul_(weight)
        # The levels of all groups are numbered on.
        n_levels = level[sizes.cumsum(0) - 1] + 1
        first = n_levels.cumsum(0) - n_levels
        level = level + first.index_select(0, group)
        group_of_level = groups.repeat_interleave(n_levels)
        count = level.unique_consecutive(return_counts=True)[1]
        in_level = torch.bincount(level, share)
        below = in_level.cumsum(0).sub_(in_level)
        below -= below[first].index_select(0, group_of_level)
        pairs = torch.bincount(group_of_level, in_level * below)
        # Half of what is above less half of what is below.
        linear = ((1 - in_level) / 2).sub_(below).index_select(0, level).mul_(factor)
        is_set = (count > 1).logical_or_(in_level > 0.5)
        number = is_set.cumsum(0)
        n_inside = int(number[-1])
        number = torch.where(is_set, number - 1, group_of_level + n_inside)
        of_item = number.index_select(0, level)
        alone = weight * (of_item >= n_inside)
        return cls(
            group,
            of_item,
            share,
            factor,
            torch.cat([group_of_level[is_set], groups]),
            n_inside,
            total.square(),
            linear,
            alone @ alone * (math.log(2.0) / 2),
            pairs @ total.square(),
        )


class _Where(NamedTuple):
    """Where cells are: ascending set * stride + number of the block, and its center."""

    key: torch.Tensor
    stride: int
    center: torch.Tensor


class _Cells(NamedTuple):
    """Cells: what each set has in each block of scores, sorted by set and block.

    Attributes
    ----------
    of_item : tensor of shape (n_items,), int64
    group, whole : tensor of shape (n_cells,), int64
        Group of each cell, and its place among the cells of whole groups.
    group_of_whole : tensor of shape (n_whole,), int64
    n_inside : int
        Number of cells of sets whose inside is taken off; they come first.
    where, where_whole : _Where or None
        Of these cells, and of those of whole groups; None if there is one block.
    """

    of_item: torch.Tensor
    group: torch.Tensor
    whole: torch.Tensor
    group_of_whole: torch.Tensor
    n_inside: int
    where: _Where | None
    where_whole: _Where | None

    @classmethod
    def of_one_block(cls, sets):
        """Return each set as a cell."""
        group, groups = sets.group_of_set, sets.group_of_set[sets.n_inside :]
        return cls(sets.of_item, group, group, groups, sets.n_inside, None, None)

    @classmethod
    def of_blocks(cls, sets, x):
        """Cut centred scores into blocks; return the cells, and x less the centers."""
        place, block = (x / _BLOCK_WIDTH).floor().unique(return_inverse=True)
        # Gaps of empty blocks are shortened, since only near or far matters.
        number = place.diff(prepend=place[:1]).clamp_(max=_BLOCKS_BETWEEN + 1).cumsum(0)
        number, center = number.long(), (place + 0.5) * _BLOCK_WIDTH
        stride = int(number[-1]) + _BLOCKS_BETWEEN + 1

        def cells_of(sets, number_of_block):
            key, index = (sets * stride + number_of_block).unique(return_inverse=True)
            block = torch.searchsorted(number, key % stride)
            return index, key // stride, _Where(key, stride, center[block])

        of_item, set_, where = cells_of(sets.of_item, number[block])
        group = sets.group_of_set[set_]
        whole, group_of_whole, where_whole = cells_of(group, where.key % stride)
        n_inside = int((set_ < sets.n_inside).sum())
        where = _Where(where.key[:n_inside], stride, where.center[:n_inside])
        cells = cls(of_item, group, whole, group_of_whole, n_inside, where, where_whole)
        return cells, x - center[block]


def _centred(scores, group, n_groups):
    """Return scores less the middle of their group's, and half of the widest range."""
    lowest, highest = (
        scores.new_empty(n_groups).scatter_reduce_(
            0, group, scores, which, include_self=False
        )
        for which in ("amin", "amax")
    )
    lowest, highest = lowest.double(), highest.double()
    middle = (lowest + highest) / 2
    return scores - middle.index_select(0, group), float((highest - lowest).max()) / 2


class _Polynomials:
    """T_0(x), ..., T_{n_terms - 1}(x) of rows that belong to cells.

    They are made a chunk of rows at a time; a chunk that is the only one is kept.
    """

    def __init__(self, x, cell, n_terms):
        self.x = x
        self.cell = cell
        # Allocated together, for pages of memory that come anew cost more than the sums.
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


def _even_part(sums, where, C, D, half_width):
    """Sum E over all pairs of each set, and half of E(0) of each item with itself.

    Parameters
    ----------
    sums : tensor of shape (n_cells, n_terms)
        Sums of share times T over the items of each cell.
    where : _Where or None
    C, D : tensor of shape (n_offsets, n_terms, n_terms)

    Returns
    -------
    losses : tensor of shape (n_cells,)
        Their sum over the cells of a set is the set's.
    slopes : tensor of shape (n_cells, n_terms)
        Coefficients of the slope's polynomial in each cell.
    """
    losses = ((sums @ C[0]) * sums).sum(1).div_(2)
    slopes = sums @ D[0].T
    if where is None:
        return losses, slopes
    key, first = where.key, where.key // where.stride * where.stride
    for k in range(1, len(C)):
        index = torch.searchsorted(key, key + k).clamp_(max=len(key) - 1)
        lower = (key[index] == key + k).nonzero()[:, 0]
        upper = index[lower]
        losses[lower] += ((sums[upper] @ C[k]) * sums[lower]).sum(1)
        slopes[upper] += sums[lower] @ D[k].T
        slopes[lower] -= sums[upper] @ D[k]
    # Far pairs: E(u) = |u| / 2, with a slope of one half.
    weight, scores = sums[:, 0], where.center * sums[:, 0] + half_width * sums[:, 1]
    weight_before, scores_before = (
        pad(values.cumsum(0), (1, 0)) for values in (weight, scores)
    )
    start, end = (torch.searchsorted(key, k) for k in (first, first + where.stride))
    near = torch.searchsorted(key, key - _BLOCKS_BETWEEN)
    near_end = torch.searchsorted(key, key + _BLOCKS_BETWEEN, right=True)
    below = weight_before[near] - weight_before[start]
    above = weight_before[end] - weight_before[near_end]
    scores_below = scores_before[near] - scores_before[start]
    losses += (scores * below - weight * scores_below) / 2
    slopes[:, 0] += (below - above) / 2
    return losses, slopes
