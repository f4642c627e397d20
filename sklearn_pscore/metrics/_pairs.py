"""Sums over the concordant, discordant and tied pairs of each group.

The pairs are not listed: the sums over all pairs of n items take O(n log(n)) time
and O(n) memory.
"""

from dataclasses import dataclass

import numpy as np

from sklearn_pscore._segments import Segments, run_starts
from sklearn_pscore.metrics._order import rank_by_score, stable_order

# The pairs of groups of at most this many items are compared one by one, in tables
# whose levels and counts fit into a byte. Larger groups are sorted bit by bit.
_LARGEST_IN_TABLE = 256
# Smallest weight as a share of the largest in its group.
_LIGHTEST = 1e-150
# Cells of a table, so that it fits into the cache of one core. Not measured.
_CELLS_OF_TABLE = 2**15


@dataclass(frozen=True)
class RankedPairs:
    """Items in the order by score, with what their pairs depend on.

    Items of tied scores are sorted from the most to the least preferred.

    Attributes
    ----------
    groups : Segments
        Groups of items.
    run : ndarray of shape (n_items,), int
        Index of each item's run of tied scores.
    level : ndarray of shape (n_items,), int
        Index of each item's preference among those of its group, 0 is the most
        preferred. With `k` all items below the k-th share one level, so that
        they are in no pair with each other.
    is_top : ndarray of shape (n_items,), bool, or None
        Whether the item is above that shared level; None without `k`.
    weight : ndarray of shape (n_items,), int or float
        Weight of each item in its pairs; ones, as int, if all are equal.
    decided : ndarray of shape (n_groups,)
        Sum of the weights of the pairs of different level.
    """

    groups: Segments
    run: np.ndarray
    level: np.ndarray
    is_top: np.ndarray | None
    weight: np.ndarray
    decided: np.ndarray


def ranked_pairs(items, k):
    """Sort the items by score and number their preferences.

    Parameters
    ----------
    items : JudgedItems
        Items of positive weight.
    k : int or None
        Only pairs that hold one of the `k` most preferred items of the group, or
        one tied with the k-th. None takes all pairs.

    Returns
    -------
    pairs : RankedPairs
    """
    level = _preference_levels(items)
    is_top = None
    if k is not None:
        kth = items.groups.start + np.minimum(k, items.groups.size) - 1
        lowest = items.groups.spread(level[kth] + 1)
        is_top = level < lowest
        level = np.minimum(level, lowest)
    weight = pair_weights(items.weight, items.groups)
    ranking = rank_by_score(items.group, items.score)
    return RankedPairs(
        groups=items.groups,
        run=ranking.runs.index,
        level=level[ranking.order],
        is_top=None if is_top is None else is_top[ranking.order],
        # Integer weights are all one and need no sorting.
        weight=weight if weight.dtype.kind == "i" else weight[ranking.order],
        decided=_sum_across(items.group, level, weight, items.group),
    )


def concordance(pairs):
    """Sum the weights of the pairs of different level, by their scores.

    Parameters
    ----------
    pairs : RankedPairs

    Returns
    -------
    concordant, discordant, tied : ndarray of shape (n_groups,)
        Sums of the pairs whose scores are ordered as their levels, the other way
        round, and equal.
    """
    group, run = pairs.groups.index, pairs.run
    tied = _sum_across(run, pairs.level, pairs.weight, group)
    discordant = _worse_first(pairs.level, pairs.weight, pairs.groups)
    if pairs.weight.dtype.kind == "i":
        return pairs.decided - discordant - tied, discordant, tied
    # The difference of rounded sums could be a little off zero where there is no
    # such pair. Concordant pairs are the discordant ones of the reversed order.
    rising = stable_order(pairs.level, run.max() - run, group)
    concordant = _worse_first(pairs.level[rising], pairs.weight[rising], pairs.groups)
    return concordant, discordant, tied


def ordered_preference_ties(pairs):
    """Sum the weights of the pairs of equal preference and different score.

    Parameters
    ----------
    pairs : RankedPairs

    Returns
    -------
    total : ndarray of shape (n_groups,)
    """
    group, is_top = pairs.groups.index, pairs.is_top
    if pairs.weight.dtype.kind == "i":
        # Counts are exact: all pairs, less those of different level, less those of
        # the items below the k-th, less those tied in both.
        total = pairs.groups.n_pairs - pairs.decided
        if is_top is not None:
            total -= Segments(pairs.groups.count(~is_top)).n_pairs
        if pairs.run[-1] == len(pairs.run) - 1:
            return total
        ties = Segments.of_equal(pairs.run, pairs.level)
        n_tied = ties.n_pairs
        if is_top is not None:
            n_tied = n_tied * is_top[ties.start]
        return total - np.bincount(group[ties.start], n_tied)
    order = stable_order(pairs.level, group)
    if is_top is not None:
        order = order[is_top[order]]
    level = Segments.of_equal(group[order], pairs.level[order]).index
    return _sum_across(level, pairs.run[order], pairs.weight[order], group[order])


def _preference_levels(items):
    """Number the distinct preferences of each group, 0 is the largest."""
    runs = Segments.of_equal(items.group, items.preference)
    return runs.index - items.groups.spread(runs.index[items.groups.start])


def pair_weights(item_weight, groups):
    """Divide the weights by the largest of their group; ones, as int, if equal.

    Raises
    ------
    ValueError
        If the weights of a group are too far apart.
    """
    if np.all(item_weight == item_weight[:1]):
        return np.ones(len(item_weight), dtype=np.int64)
    largest = groups.spread(np.maximum.reduceat(item_weight, groups.start))
    if np.all(item_weight == largest):
        return np.ones(len(largest), dtype=np.int64)
    weight = item_weight / largest
    # Neither the weight of a pair nor the product of two sums of pairs, which tau
    # needs, may underflow to zero.
    bad = np.flatnonzero(weight < _LIGHTEST)
    if len(bad):
        raise ValueError(
            f"weight is {item_weight[bad[0]]:.3g} in one item and "
            f"{largest[bad[0]]:.3g} in another of its group; expected weights whose "
            f"largest is at most {1 / _LIGHTEST:g} times the smallest above 0, for pairs "
            "weigh their product. Set the smallest to 0, which leaves the rows out, or "
            "raise them."
        )
    return weight


def _sum_across(outer, inner, weight, group):
    """Sum the weights of the pairs of equal `outer` and different `inner`, by group.

    A cell holds the items of one (outer, inner), and W_c is the sum of their
    weights. The result is the sum over the cells c of W_c times the sum of W over
    the earlier cells of the same `outer`. All arrays have shape (n_items,). Items
    of equal `outer` are neighbours, and among these those of equal `inner`.
    """
    if not np.any(outer[1:] == outer[:-1]):
        return np.zeros(int(group[-1]) + 1 if len(group) else 0)
    cells = Segments.of_equal(outer, inner)
    cell_weight = cells.size if weight.dtype.kind == "i" else cells.sum(weight)
    same_outer = Segments.of_equal(outer[cells.start])
    pairs = cell_weight * same_outer.sums_before(cell_weight)
    return np.bincount(group[cells.start], pairs)


def _worse_first(level, weight, groups):
    """Sum the weights of the pairs whose first item has the larger level, by group.

    The items are in the order by score, so these are the discordant pairs.
    """
    total = np.zeros(len(groups.size))
    is_small = groups.size <= _LARGEST_IN_TABLE
    for batch in _batches_of_similar_size(np.flatnonzero(is_small), groups.size):
        total[batch] = _worse_first_in_table(level, weight, groups, batch)
    if not is_small.all():
        in_large = groups.spread(~is_small)
        total[~is_small] = _worse_first_by_bits(
            level[in_large], weight[in_large], Segments(groups.size[~is_small])
        )
    return total


def _batches_of_similar_size(chosen, size):
    """Divide the groups `chosen` into batches of similar size for one table each."""
    chosen = chosen[np.argsort(size[chosen], kind="stable")]
    table = np.cumsum(size[chosen]) // _CELLS_OF_TABLE
    n_bits = np.frexp(size[chosen])[1]
    return np.split(chosen, run_starts(table, n_bits)[1:]) if len(chosen) else []


def _worse_first_in_table(level, weight, groups, batch):
    """Compare all pairs of a batch of groups, in a table with a column per group."""
    size = groups.size[batch]
    row = np.arange(size.max())[:, None]
    # Columns are padded with level 255, the worst, so padding adds no pair.
    item = np.where(row < size, groups.start[batch] + row, -1)
    level = np.where(item < 0, 255, level[item]).astype(np.uint8)
    if weight.dtype.kind == "i":
        n_worse = np.zeros(level.shape, dtype=np.uint8)
        for i in range(len(level) - 1):
            n_worse[i + 1 :] += level[i] > level[i + 1 :]
        return n_worse.sum(axis=0, dtype=np.int64)
    weight = weight[item]
    worse_before = np.zeros(level.shape)
    for i in range(len(level) - 1):
        worse_before[i + 1 :] += (level[i] > level[i + 1 :]) * weight[i]
    return (worse_before * weight).sum(axis=0)


def _worse_first_by_bits(level, weight, groups):
    """Sum the weights of the pairs whose first item has the larger level, by group.

    Of two levels the larger has a 1 at the highest bit in which they differ. So
    the pairs are summed bit by bit, from the highest, among the items of a block
    whose higher bits are equal: a 1 before a 0 is such a pair. Then each block is
    divided by the bit, which keeps the order of the items.
    """
    total = np.zeros(len(groups.size))
    blocks = groups
    for bit in reversed(range(int(level.max()).bit_length())):
        is_worse = (level >> bit) & 1
        n_worse_before = blocks.sums_before(is_worse)
        worse_before = n_worse_before
        if weight.dtype.kind == "f":
            worse_before = groups.sums_before(weight * is_worse)
            worse_before -= blocks.spread(worse_before[blocks.start])
        total += groups.sum((1 - is_worse) * weight * worse_before)
        if bit:
            order, blocks = _divided(blocks, is_worse, n_worse_before)
            level, weight = level[order], weight[order]
    return total


def _divided(blocks, is_worse, n_worse_before):
    """Divide each block into its items that are not worse, and those that are.

    Returns
    -------
    order : ndarray of shape (n_items,), int
        Item at each new position.
    blocks : Segments
        The parts that are not empty.
    """
    n_worse = np.add.reduceat(is_worse, blocks.start)
    first_worse = blocks.start + blocks.size - n_worse
    position = np.where(
        is_worse,
        blocks.spread(first_worse) + n_worse_before,
        np.arange(len(is_worse)) - n_worse_before,
    )
    order = np.empty_like(position)
    order[position] = np.arange(len(position))
    sizes = np.column_stack([blocks.size - n_worse, n_worse]).ravel()
    return order, Segments(sizes[sizes > 0])
