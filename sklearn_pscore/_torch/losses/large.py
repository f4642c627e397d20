"""Groups too large for all their pairs: which expansion sums them, and together."""

import torch

from sklearn_pscore._torch.losses.all_pairs import sums_of_rows
from sklearn_pscore._torch.losses.blocks import PairSums
from sklearn_pscore._torch.losses.narrow import LARGEST_BATCH, NarrowSums
from sklearn_pscore._torch.losses.padding import Rows

# Scores of a wide range need blocks, a few hundred torch calls for each group: more
# than the pairs of a group up to this size. benchmarks/speed/pair_loss.py shows both.
_LARGEST_DENSE_IF_WIDE = 1024


class LargeGroups:
    """Sums over the pairs of different level of some large groups, in linear time.

    Groups of moderate size go together as long as their scores have a narrow range;
    one that is larger, or whose scores do not, goes by itself, through its pairs if
    they are less work than blocks.

    Parameters
    ----------
    level : tensor of shape (n_items,), int64
        Ascending in each group from 0, without gaps.
    weight : tensor of shape (n_items,)
    sizes : list of int
        Number of items of each group, which follow one another.

    Attributes
    ----------
    pair_weight : tensor of shape (), float64
        Sum over pairs of the product of the weights of their items.
    """

    def __init__(self, level, weight, sizes):
        self.level, self.weight, self.sizes = level, weight, sizes
        self._blocks_of = {}
        self._together = None
        if sum(sizes) <= LARGEST_BATCH:
            self._together = NarrowSums(level, weight, torch.tensor(sizes))
            self.pair_weight = self._together.pair_weight
        else:
            # One group: several never are more than a batch.
            self.pair_weight = self._blocks(slice(0, len(level))).pair_weight

    def __call__(self, scores, with_gradient=True):
        """Return the loss summed over pairs and members, and its gradient.

        Parameters
        ----------
        scores : tensor of shape (n_members, n_items)
        with_gradient : bool, default=True

        Returns
        -------
        loss : tensor of shape (), float64
        gradient : tensor like `scores`, or None
        """
        n_members, n_items = scores.shape
        loss = scores.new_zeros((), dtype=torch.float64)
        gradient = torch.empty_like(scores) if with_gradient else None
        step = max(1, LARGEST_BATCH // n_items)
        for first in range(0, n_members, step):
            loss += self._of_members(scores, slice(first, first + step), gradient)
        return loss, gradient

    def _of_members(self, scores, members, gradient):
        """Return the loss of some members; write their gradient."""
        found = None
        if self._together is not None:
            found = self._together(scores[members], gradient is not None)
        if found is not None:
            if gradient is not None:
                gradient[members] = found[1]
            return found[0]
        places = range(len(scores))[members]
        if len(places) > 1:
            # It may be one of them that is wide.
            return sum(
                self._of_members(scores, slice(m, m + 1), gradient) for m in places
            )
        return self._group_by_group(scores, places[0], gradient)

    def _group_by_group(self, scores, member, gradient):
        """Return the loss of a member, each group by itself; write its gradient."""
        loss, start = 0.0, 0
        for size in self.sizes:
            own = slice(start, start + size)
            start += size
            way = self._pairs if size <= _LARGEST_DENSE_IF_WIDE else self._blocks
            part, slopes = way(own)(scores[member, own], gradient is not None)
            loss += part
            if gradient is not None:
                gradient[member, own] = slopes
        return loss

    def _pairs(self, own):
        rows = Rows((1, own.stop - own.start))

        def sums(scores, with_gradient):
            loss, _, slopes = sums_of_rows(
                rows, scores[None], self.level[own], self.weight[own], with_gradient
            )
            return loss, None if slopes is None else slopes[0, 0]

        return sums

    def _blocks(self, own):
        if own.start not in self._blocks_of:
            level_sizes = torch.bincount(self.level[own]).cpu()
            self._blocks_of[own.start] = PairSums(self.weight[own], level_sizes)
        return self._blocks_of[own.start]


def batches(spans):
    """Yield those groups that go together, as where their items are and their sizes.

    Parameters
    ----------
    spans : list of tuple (start, end)
        Items of each large group, ascending.

    Yields
    ------
    items : slice or tensor
    sizes : list of int
    """
    batch, n_items = [], 0
    for start, end in spans:
        if batch and n_items + end - start > LARGEST_BATCH:
            yield _items_and_sizes(batch)
            batch, n_items = [], 0
        batch.append((start, end))
        n_items += end - start
    if batch:
        yield _items_and_sizes(batch)


def _items_and_sizes(spans):
    sizes = [end - start for start, end in spans]
    first, last = spans[0][0], spans[-1][1]
    if last - first == sum(sizes):
        return slice(first, last), sizes
    return torch.cat([torch.arange(*span) for span in spans]), sizes
