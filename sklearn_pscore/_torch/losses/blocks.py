"""All pairs of a large group in linear time, its scores cut into blocks.

``_expansion`` splits the loss of a pair into a linear and an even part. The
linear part needs only the weights above and below each level. The even part
does not ask which item is the better one: its sum over the pairs of different
level is that over all pairs less those inside each level. So all that is
needed are sums over all pairs of a set of items, where the sets are the whole
group and its levels, and the cost is items times terms however many levels
there are.

Scores of a wide range are cut into blocks of one width. Pairs of near blocks
are expanded, block by block; in far ones the even part is half the distance,
to less than the tolerance, and needs only the blocks' weights and weighted
scores. A narrow range is one block, which saves putting the items in order.

What the expansion errs is within the tolerance for every pair. In levels of a
few items, whose pairs are taken off one by one, it errs on those too: that
doubles the bound at most, since such a level has no more than half the weight.
"""

import math
from typing import NamedTuple

import torch

from sklearn_pscore._torch.losses.chebyshev import (
    coefficients,
    moments,
    on_grid,
    weighted_sums_of_terms,
)
from sklearn_pscore._torch.losses.pieces import (
    BLOCK_WIDTH,
    BLOCKS_BETWEEN,
    one_block,
    sorted_blocks,
)

# Up to this range of the scores, the terms that one block needs more cost less
# than putting items in order of block.
_WIDEST_BLOCK = 32.0
# Pairs inside a level of at most so many items are summed one by one; with
# several blocks a level is several pieces, and its own sums cost more.
_SMALL_LEVEL = 8
_SMALL_LEVEL_IN_BLOCKS = 32
# Elements of one cube of such pairs.
_LARGEST_CUBE = 2**17


class PairSums:
    """Sums over the pairs of different level of one group.

    What does not depend on the scores is made here, once for many scores.

    Parameters
    ----------
    weight : tensor of shape (n_items,)
        Weight of each item, in ascending order of level.
    level_sizes : tensor of shape (n_levels,), int, on the CPU
        Number of items of each level.

    Attributes
    ----------
    pair_weight : tensor of shape (), float64
        Sum over pairs of the product of the weights of their items.
    """

    def __init__(self, weight, level_sizes):
        self.weight = weight
        self.level_sizes = level_sizes
        own = _sums_of_runs(weight, level_sizes)
        # In place: there may be as many levels as items.
        below = own.cumsum(0).sub_(own)
        self.pair_weight = own @ below
        above = own.flip(0).cumsum_(0).flip(0).sub_(own)
        # Of the linear part: what an item of each level gains by a higher score.
        self.level_slope = above.sub_(below).div_(2)
        self.has_half = (own > own.sum() / 2).cpu()
        self._layouts = {}
        self._levels = None

    def __call__(self, scores, with_gradient=True):
        """Return the loss summed over pairs, and its gradient.

        Parameters
        ----------
        scores : tensor of shape (n_items,)
        with_gradient : bool, default=True

        Returns
        -------
        loss : tensor of shape (), float64
        gradient : tensor of shape (n_items,), float64, or None
        """
        lowest, highest = (float(end) for end in torch.aminmax(scores))
        if not math.isfinite(highest - lowest):
            # As going through the pairs would; training stops at such a loss.
            nan = torch.full_like(scores, torch.nan, dtype=torch.float64)
            return nan.sum(), nan if with_gradient else None
        if highest - lowest <= _WIDEST_BLOCK:
            layout = self._layout(_SMALL_LEVEL)
            half_width = on_grid((highest - lowest) / 2)
            pieces = self._one_block((lowest + highest) / 2)
            kernels = coefficients(half_width)
        else:
            layout = self._layout(_SMALL_LEVEL_IN_BLOCKS)
            half_width = BLOCK_WIDTH / 2
            pieces = sorted_blocks(layout, scores.double(), lowest)
            kernels = coefficients(
                half_width, tuple(BLOCK_WIDTH * k for k in range(BLOCKS_BETWEEN + 1))
            )
        kernels = [torch.as_tensor(k, device=scores.device) for k in kernels]
        loss, slopes = self._by_piece(scores, layout, pieces, half_width, kernels)
        gradient = None
        if with_gradient:
            gradient = self._gradient(scores, layout, pieces, half_width, slopes)
        for index in layout.small_levels:
            loss -= _subtract_pairs_inside(scores, self.weight, index, gradient)
        return loss, gradient

    def _by_piece(self, scores, layout, pieces, half_width, kernels):
        """Return the loss, and the coefficients of the slope in each piece.

        Pairs inside small levels are still in both, and the linear part of the items
        of small levels is in the loss alone.
        """
        s, w = pieces.ordered(scores), pieces.ordered(self.weight)
        sums = kernels[0].new_empty(len(pieces.level), kernels[0].shape[-1])
        for panel in pieces.panels:
            center = pieces.center[panel.pieces, None]
            sums[panel.pieces] = moments(
                panel.of(s), panel.of(w), center, half_width, sums.shape[1]
            )
        # From the middle: only differences of scores matter.
        middle = (pieces.center.min() + pieces.center.max()) / 2
        by_piece = _Sums(pieces.level, pieces.block, pieces.center - middle, sums)
        # All pairs of the group, less those inside levels that are not small.
        loss, slopes = by_piece.of_all_levels(pieces.place).interact(
            half_width, kernels
        )
        slopes = slopes[pieces.place]
        whole = pieces.level < len(layout.levels)
        levels = _Sums(*(part[whole] for part in by_piece))
        loss_inside, slopes_inside = levels.interact(half_width, kernels)
        loss -= loss_inside
        slopes[whole] -= slopes_inside
        linear = self.level_slope[layout.levels][levels.level]
        loss += linear @ levels.weighted_scores(half_width)
        slopes[whole, 0] += linear
        if layout.has_small:
            # A copy, for the scores are the caller's.
            small = scores[layout.small_items].to(torch.float64, copy=True)
            small.sub_(middle).mul_(self.weight[layout.small_items])
            loss += small @ layout.small_slope
        loss -= layout.self_pairs
        return loss, slopes

    def _gradient(self, scores, layout, pieces, half_width, slopes):
        """Return the gradient, pairs inside small levels still in it."""
        s, w = pieces.ordered(scores), pieces.ordered(self.weight)
        gradient = slopes.new_empty(len(scores))
        for panel in pieces.panels:
            center = pieces.center[panel.pieces, None]
            values = weighted_sums_of_terms(
                panel.of(s), panel.of(w), center, half_width, slopes[panel.pieces]
            )
            panel.put(gradient, values)
        gradient = pieces.restored(gradient)
        if layout.has_small:
            own = gradient[layout.small_items]
            own.addcmul_(self.weight[layout.small_items].double(), layout.small_slope)
            gradient[layout.small_items] = own
        return gradient

    def _one_block(self, center):
        if self._levels is None:
            self._levels = one_block(self._layout(_SMALL_LEVEL))
        return self._levels._replace(center=self._levels.center + center)

    def _layout(self, small_level):
        if small_level not in self._layouts:
            self._layouts[small_level] = _Layout(self, small_level)
        return self._layouts[small_level]


class _Layout:
    """Which levels are small, and where their items are.

    Attributes
    ----------
    levels : tensor of shape (n_large,), int
        Levels that are not small.
    is_small : tensor of shape (n_levels,), bool, on the CPU
    has_small : bool
    small_items : tensor or slice
        Items of small levels.
    small_slope : tensor
        Slope of the linear part of each of these items.
    small_levels : list of tensor of shape (n_levels_of_a_size, size)
        Items of the small levels of each size from 2.
    self_pairs : tensor of shape ()
        What items that are a small level by themselves have in U' C U / 2.
    """

    def __init__(self, sums, small_level):
        sizes, weight = sums.level_sizes, sums.weight
        self.level_sizes = sizes
        is_small = (sizes <= small_level) & ~sums.has_half
        self.levels = (~is_small).nonzero()[:, 0].to(weight.device)
        self.is_small = is_small
        self.has_small = bool(is_small.any())
        self.small_levels = []
        if len(sizes) == len(weight) and is_small.all():
            # Every item is a level: nothing to look up.
            self.small_items = slice(0, len(weight))
            self.small_slope = sums.level_slope
            self.self_pairs = _self_pairs(weight)
            return
        if is_small.all():
            self.small_items = slice(0, len(weight))
        else:
            of_item = torch.repeat_interleave(is_small, sizes)
            self.small_items = of_item.nonzero()[:, 0].to(weight.device)
        self.small_slope = torch.repeat_interleave(
            sums.level_slope[is_small.to(weight.device)],
            sizes[is_small].to(weight.device),
        )
        starts = torch.cumsum(sizes, 0) - sizes
        alone = starts[is_small & (sizes == 1)].to(weight.device)
        self.self_pairs = _self_pairs(weight[alone])
        for size in torch.unique(sizes[is_small & (sizes > 1)]).tolist():
            first = starts[is_small & (sizes == size)]
            index = first[:, None] + torch.arange(size)
            self.small_levels += index.to(weight.device).split(
                max(1, _LARGEST_CUBE // size**2)
            )


class _Sums(NamedTuple):
    """Moments of pieces that are sorted by level, and by block inside a level."""

    level: torch.Tensor
    block: torch.Tensor
    center: torch.Tensor
    sums: torch.Tensor

    def weighted_scores(self, half_width):
        """Return the sum of weight times score of each piece."""
        return self.center * self.sums[:, 0] + half_width * self.sums[:, 1]

    def of_all_levels(self, place):
        """Return the sums by block, whatever the level; `place` counts the blocks."""
        n_blocks = int(place.max()) + 1
        block, center = self.block.new_empty(n_blocks), self.center.new_empty(n_blocks)
        block[place], center[place] = self.block, self.center
        sums = self.sums.new_zeros(n_blocks, self.sums.shape[1])
        sums.index_add_(0, place, self.sums)
        return _Sums(torch.zeros_like(block), block, center, sums)

    def interact(self, half_width, kernels):
        """Sum the even part over all pairs of each level, items with themselves too.

        Returns
        -------
        loss : tensor of shape ()
            Each pair once, and half of what an item has with itself.
        slopes : tensor of shape (n_pieces, n_terms)
            Coefficients of the slope's polynomial in each piece.
        """
        C, D = kernels
        sums = self.sums
        loss = ((sums @ C[0]) * sums).sum() / 2
        slopes = sums @ D[0].T
        if len(C) == 1 or not len(sums):
            return loss, slopes
        between = len(C) - 1
        stride = int(self.block.max()) + between + 1
        key = self.level * stride + self.block
        for k in range(1, len(C)):
            place = torch.searchsorted(key, key + k).clamp_(max=len(key) - 1)
            lower = (key[place] == key + k).nonzero()[:, 0]
            upper = place[lower]
            loss += ((sums[upper] @ C[k]) * sums[lower]).sum()
            slopes[upper] += sums[lower] @ D[k].T
            slopes[lower] -= sums[upper] @ D[k]
        loss += self._far(key, stride, between, half_width, slopes)
        return loss, slopes

    def _far(self, key, stride, between, half_width, slopes):
        """Add the slope of far blocks; return their loss."""
        weight, scores = self.sums[:, 0], self.weighted_scores(half_width)
        first = torch.searchsorted(key, self.level * stride)
        near = torch.searchsorted(key, key - between)
        near_end = torch.searchsorted(key, key + between, right=True)
        end = torch.searchsorted(key, (self.level + 1) * stride)
        up_to = torch.nn.functional.pad(weight.cumsum(0), (1, 0))
        below = up_to[near] - up_to[first]
        above = up_to[end] - up_to[near_end]
        slopes[:, 0] += (below - above) / 2
        scores_up_to = torch.nn.functional.pad(scores.cumsum(0), (1, 0))
        scores_below = scores_up_to[near] - scores_up_to[first]
        return (scores @ below - weight @ scores_below) / 2


def _subtract_pairs_inside(scores, weight, index, gradient):
    """Take the pairs inside small levels from the gradient; return their loss."""
    s, w = scores[index].double(), weight[index].double()
    margin = s.unsqueeze(-1) - s.unsqueeze(-2)
    pair = w.unsqueeze(-1) * w.unsqueeze(-2)
    if gradient is not None:
        slopes = (pair * torch.tanh(margin / 2)).sum(-1) / 2
        gradient[index] -= slopes
    # Each pair twice and each item with itself, as in U' C U / 2.
    margin.abs_()
    return (pair * (margin / 2 + torch.log1p(torch.exp(-margin)))).sum() / 2


def _self_pairs(weight):
    """Return what items have with themselves in U' C U / 2."""
    weight = weight.double()
    return weight @ weight * (math.log(2.0) / 2)


def _sums_of_runs(values, sizes):
    """Return float64 sums of consecutive runs of values."""
    if len(sizes) <= 64:
        # Without a float64 copy of all values.
        parts = torch.split(values, sizes.tolist())
        return torch.stack([part.sum(dtype=torch.float64) for part in parts])
    return torch.segment_reduce(values.double(), "sum", lengths=sizes.to(values.device))
