"""All pairs of some groups of moderate size, their scores in a narrow range.

The expansion is that of ``_blocks`` with one block per group. There the polynomials
are summed up one by one, so that memory stays bounded for millions of items, at a
few torch calls for each; here those of all items are one matrix, and a few dozen
calls serve all groups and members, however many there are.
"""

import math

import torch

from sklearn_pscore._torch.losses.chebyshev import coefficients, on_grid

# Groups and members that are summed together hold at most so many items: for scores
# in [0, 6], with 22 terms, 0.7 MB of float64, which stay in the cache of a core.
LARGEST_BATCH = 2**12
# Up to this range of the scores; beyond, the terms are too many.
_WIDEST = 32.0


class NarrowSums:
    """Sums over the pairs of different level of some groups.

    What does not depend on the scores is made here. The even part of the loss is
    summed over all pairs of a group, less those inside each of its levels. A level
    of one item has no pairs inside, but for the item with itself, which is known:
    such items of a group are one piece, every other level is a piece.

    Parameters
    ----------
    level : tensor of shape (n_items,), int64
        Ascending in each group from 0, without gaps.
    weight : tensor of shape (n_items,)
    sizes : tensor of shape (n_groups,), int64
        Number of items of each group, which follow one another.

    Attributes
    ----------
    pair_weight : tensor of shape (), float64
        Sum over pairs of the product of the weights of their items.
    """

    def __init__(self, level, weight, sizes):
        n_groups, device = len(sizes), weight.device
        sizes = sizes.to(device)
        self.weight = weight.double()
        self.group = torch.repeat_interleave(
            torch.arange(n_groups, device=device), sizes, output_size=len(weight)
        )
        # Levels of a group are a row, so that no sum goes across groups.
        n_columns = int(level.max()) + 1
        cell = self.group * n_columns + level
        in_level = weight.new_zeros(n_groups * n_columns, dtype=torch.float64)
        in_level = in_level.index_add_(0, cell, self.weight).view(n_groups, n_columns)
        below = in_level.cumsum(1) - in_level
        above = in_level.flip(1).cumsum_(1).flip(1) - in_level
        self.pair_weight = (in_level * below).sum()
        # Of the linear part: what an item of each level gains by a higher score.
        self.linear = self.weight * (above - below).div_(2).view(-1)[cell]
        count = torch.bincount(cell, minlength=len(in_level.view(-1)))
        # What the expansion errs on an item with itself would count as much as on
        # pairs if the item had most of the weight: it is a piece then.
        is_heavy = in_level > in_level.sum(1, keepdim=True) / 2
        is_own = (count > 1) | is_heavy.view(-1)
        n_own = is_own.cumsum(0)
        self.n_levels = int(n_own[-1])
        of_cell = torch.where(is_own, n_own - 1, self.n_levels)
        self.piece = of_cell[cell]
        alone = self.piece == self.n_levels
        self.piece += alone * self.group
        self.self_pairs = (self.weight.square() * alone).sum() * (math.log(2.0) / 2)
        self.group_of_level = (is_own.nonzero()[:, 0]).div_(
            n_columns, rounding_mode="floor"
        )
        self.n_groups = n_groups

    def __call__(self, scores, with_gradient=True):
        """Return (loss, gradient) as :class:`LargeGroups` does, in float64.

        None, not a tuple, if the scores of a group are not in a narrow range.
        """
        scores = scores.double()
        center, half_width = self._blocks(scores)
        if not 2 * half_width <= _WIDEST:
            return None
        half_width = on_grid(half_width)
        C, D = (torch.as_tensor(k[0]).to(scores) for k in coefficients(half_width))
        centered = scores - center.index_select(1, self.group)
        angle = (centered / half_width).clamp_(-1.0, 1.0).arccos_().unsqueeze(-1)
        # T_k(x) = cos(k arccos x).
        terms = (angle * torch.arange(len(C)).to(scores)).cos_()
        sums, place = self._sums(terms * self.weight[:, None])
        levels = sums[:, : self.n_levels]
        groups = sums[:, self.n_levels :].index_add(1, self.group_of_level, levels)
        loss = _inside(groups, C) - _inside(levels, C)
        loss += (centered @ self.linear).sum() - len(scores) * self.self_pairs
        if not with_gradient:
            return loss, None
        of_group = groups @ D.T
        of_level = of_group.index_select(1, self.group_of_level) - levels @ D.T
        slopes = torch.cat([of_level, of_group], 1).flatten(0, 1)
        terms *= slopes.index_select(0, place).view_as(terms)
        gradient = terms.sum(-1).mul_(self.weight).add_(self.linear)
        return loss, gradient

    def _blocks(self, scores):
        """Return the middle of each group's scores, and the largest half range."""
        group = self.group.expand_as(scores)
        ends = []
        for which in ("amin", "amax"):
            end = scores.new_empty(len(scores), self.n_groups)
            ends.append(
                end.scatter_reduce_(1, group, scores, which, include_self=False)
            )
        lowest, highest = ends
        return (lowest + highest) / 2, float((highest - lowest).max()) / 2

    def _sums(self, values):
        """Sum the rows of each piece; return the sums, and the place of each row's."""
        n_members, _, n_terms = values.shape
        n_pieces = self.n_levels + self.n_groups
        first = torch.arange(n_members, device=values.device) * n_pieces
        place = (first[:, None] + self.piece).flatten()
        sums = values.new_zeros(n_members * n_pieces, n_terms)
        sums.index_add_(0, place, values.flatten(0, 1))
        return sums.view(n_members, n_pieces, n_terms), place


def _inside(sums, C):
    """Sum the even part over the pairs inside pieces, and half of the self pairs."""
    return ((sums @ C) * sums).sum() / 2
