"""Pairs of one group, summed by what people and the score say of them.

The pairs are never listed: the sums over the pairs of n items take
O(n log(n)) time and O(n) memory.
"""

from dataclasses import dataclass

import numpy as np

from sklearn_pscore._segments import Segments
from sklearn_pscore.metrics._order import rank_by_score, stable_order

# Groups of at most this many items are compared pair by pair, in tables: levels
# and counts then fit into a byte. Larger groups go bit by bit.
_LARGEST_IN_TABLE = 256
# A table of about this size stays in the cache of one core.
_CELLS_OF_TABLE = 2**15


@dataclass(frozen=True)
class RankedPairs:
    """The items that make pairs, at their places in the order by score.

    Items of one run of tied scores are sorted from the most preferred on.

    Attributes
    ----------
    groups : Segments
        Groups, as stretches of places.
    run : ndarray of shape (n_items,), int
        Run of tied scores at each place.
    level : ndarray of shape (n_items,), int
        Preference as a level of its group, 0 is the most preferred. With `k`
        all items below the k-th share one level, so that they make no pair.
    is_top : ndarray of shape (n_items,), bool, or None
        Whether the item is above that shared level; None if there is none.
    weight : ndarray of shape (n_items,), int or float
        Weight by which an item enters a pair; all one, as int, if all are equal.
    decided : ndarray of shape (n_groups,)
        Sum over the pairs of different level.
    """

    groups: Segments
    run: np.ndarray
    level: np.ndarray
    is_top: np.ndarray | None
    weight: np.ndarray
    decided: np.ndarray


def ranked_pairs(items, k):
    """Put the items of the pairs in the order by score.

    Parameters
    ----------
    items : JudgedItems
        Of positive weight.
    k : int or None
        Only pairs with one of the `k` most preferred items of the group, or of
        those tied with the k-th. None takes all pairs.

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
    weight = _pair_weights(items)
    ranking = rank_by_score(items.group, items.score)
    return RankedPairs(
        groups=items.groups,
        run=ranking.runs.index,
        level=level[ranking.order],
        is_top=None if is_top is None else is_top[ranking.order],
        # Whole numbers are all one, in any order.
        weight=weight if weight.dtype.kind == "i" else weight[ranking.order],
        decided=_sum_across(items.group, level, weight, items.group),
    )


def concordance(pairs):
    """Sum the weights of the pairs of different preference.

    Parameters
    ----------
    pairs : RankedPairs

    Returns
    -------
    concordant, discordant, tied : ndarray of shape (n_groups,)
        Pairs that the score orders as people do, the other way round, and not
        at all.
    """
    group, run = pairs.groups.index, pairs.run
    tied = _sum_across(run, pairs.level, pairs.weight, group)
    discordant = _worse_first(pairs.level, pairs.weight, pairs.groups)
    if pairs.weight.dtype.kind == "i":
        return pairs.decided - discordant - tied, discordant, tied
    # A difference of rounded sums could leave a little of nothing at all, so
    # concordant pairs are those that the reversed order puts the worse first.
    rising = stable_order(pairs.level, run.max() - run, group)
    concordant = _worse_first(pairs.level[rising], pairs.weight[rising], pairs.groups)
    return concordant, discordant, tied


def ordered_preference_ties(pairs):
    """Sum the weights of the pairs of equal preference that the score orders.

    Parameters
    ----------
    pairs : RankedPairs

    Returns
    -------
    total : ndarray of shape (n_groups,)
    """
    group, is_top = pairs.groups.index, pairs.is_top
    if pairs.weight.dtype.kind == "i":
        # Counts are exact: of all pairs but those below the k-th, what is left when
        # those of different level are taken away, and those tied in the score too.
        total = _n_pairs(pairs.groups.size) - pairs.decided
        if is_top is not None:
            total -= _n_pairs(pairs.groups.count(~is_top))
        if pairs.run[-1] == len(pairs.run) - 1:
            return total
        cells = Segments.of_equal(pairs.run, pairs.level)
        n_tied = _n_pairs(cells.size)
        if is_top is not None:
            n_tied = n_tied * is_top[cells.start]
        return total - np.bincount(group[cells.start], n_tied)
    order = stable_order(pairs.level, group)
    if is_top is not None:
        order = order[is_top[order]]
    level = Segments.of_equal(group[order], pairs.level[order]).index
    return _sum_across(level, pairs.run[order], pairs.weight[order], group[order])


def _preference_levels(items):
    """Number the distinct preferences of each group from the largest on."""
    runs = Segments.of_equal(items.group, items.preference)
    return runs.index - items.groups.spread(runs.index[items.groups.start])


def _pair_weights(items):
    """Divide weights by the largest of their group."""
    if np.all(items.weight == items.weight[:1]):
        return np.ones(len(items.weight), dtype=np.int64)
    largest = items.groups.spread(np.maximum.reduceat(items.weight, items.groups.start))
    if np.all(items.weight == largest):
        return np.ones(len(largest), dtype=np.int64)
    weight = items.weight / largest
    # No pair may vanish, however large the other weights are: the product of
    # two of these, and of two sums of such products, is a number above zero.
    return np.maximum(weight, 1e-150)


def _sum_across(outer, inner, weight, group):
    """Sum, per group, the pairs that agree in `outer` and differ in `inner`.

    All arrays have shape (n_items,), items of equal `outer` are neighbours, and
    among them those of equal `inner`.
    """
    if not np.any(outer[1:] == outer[:-1]):
        return np.zeros(int(group[-1]) + 1 if len(group) else 0)
    cells = Segments.of_equal(outer, inner)
    cell_weight = cells.size if weight.dtype.kind == "i" else cells.sum(weight)
    stretches = Segments.of_equal(outer[cells.start])
    pairs = cell_weight * stretches.sums_before(cell_weight)
    return np.bincount(group[cells.start], pairs)


def _n_pairs(size):
    return size * (size - 1) // 2


def _worse_first(level, weight, groups):
    """Sum, per group, the pairs whose earlier item has the larger level."""
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
    """Cut the groups `chosen`, from the smallest on, into batches of a table each."""
    chosen = chosen[np.argsort(size[chosen], kind="stable")]
    n_batch = np.cumsum(size[chosen]) // _CELLS_OF_TABLE
    n_bits = np.frexp(size[chosen])[1]
    is_cut = (n_batch[1:] != n_batch[:-1]) | (n_bits[1:] != n_bits[:-1])
    return np.split(chosen, np.flatnonzero(is_cut) + 1) if len(chosen) else []


def _worse_first_in_table(level, weight, groups, batch):
    """Compare all pairs of some groups of similar size, a group in each column."""
    size = groups.size[batch]
    row = np.arange(size.max())[:, None]
    # What fills a column up is never better than what is above it.
    place = np.where(row < size, groups.start[batch] + row, -1)
    level = np.where(place < 0, 255, level[place]).astype(np.uint8)
    if weight.dtype.kind == "i":
        n_worse = np.zeros(level.shape, dtype=np.uint8)
        for i in range(len(level) - 1):
            n_worse[i + 1 :] += level[i] > level[i + 1 :]
        return n_worse.sum(axis=0, dtype=np.int64)
    weight = weight[place]
    worse_before = np.zeros(level.shape)
    for i in range(len(level) - 1):
        worse_before[i + 1 :] += (level[i] > level[i + 1 :]) * weight[i]
    return (worse_before * weight).sum(axis=0)


def _worse_first_by_bits(level, weight, groups):
    """Sum, per group, the pairs whose earlier item has the larger level.

    Two different levels part at the highest bit in which they differ. Bit by
    bit from the highest on, the blocks of items that agree so far are summed
    up and then divided by that bit, keeping their order.
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
    """Divide each block in the items that are not worse and, behind, those that are.

    Returns
    -------
    order : ndarray of shape (n_items,), int
    blocks : Segments
    """
    n_worse = np.add.reduceat(is_worse, blocks.start)
    first_worse = blocks.start + blocks.size - n_worse
    place = np.where(
        is_worse,
        blocks.spread(first_worse) + n_worse_before,
        np.arange(len(is_worse)) - n_worse_before,
    )
    order = np.empty_like(place)
    order[place] = np.arange(len(place))
    sizes = np.column_stack([blocks.size - n_worse, n_worse]).ravel()
    return order, Segments(sizes[sizes > 0])
