"""Items of each group in the order of their scores, with ties."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_pscore._segments import Segments

# Floats are sorted as integers of at least this many bits; with fewer, too many
# different ones would become equal and be sorted again. Not measured.
_FEWEST_BITS = 16


@dataclass(frozen=True)
class Ranking:
    """Items of each group from the best to the worst score, in runs of tied items.

    Attributes
    ----------
    order : ndarray of shape (n_items,), int
        Item at each position.
    runs : Segments
        Runs of tied items.
    group : ndarray of shape (n_items,), int
        Group at each position.
    """

    order: np.ndarray
    runs: Segments
    group: np.ndarray

    @cached_property
    def n_above(self):
        """Number of items of the group that are strictly better than each run."""
        return Segments.of_equal(self.group).offset[self.runs.start]

    @cached_property
    def mean_rank(self):
        """Mean of the ranks, from 1, that the items of each run take."""
        return self.n_above + (self.runs.size + 1) / 2


def rank_by_score(group, score):
    """Sort items by group and falling score; tied items keep their order.

    Parameters
    ----------
    group : ndarray of shape (n_items,), int
    score : ndarray of shape (n_items,), float

    Returns
    -------
    ranking : Ranking
    """
    order = stable_order(-score, group)
    if (group[1:] < group[:-1]).any():
        group = group[order]
    runs = Segments.of_equal(group, score[order])
    return Ranking(order=order, runs=runs, group=group)


def stable_order(*keys):
    """Return the order of :func:`numpy.lexsort`, which sorts by the last key first.

    Two keys and the position of each entry are packed into one integer, and the
    integers are sorted: that is faster than ``lexsort`` (not measured by a script
    in benchmarks/).

    Parameters
    ----------
    *keys : ndarray of shape (n,), finite float, or int >= 0

    Returns
    -------
    order : ndarray of shape (n,), int
    """
    order = None
    while keys:
        low, high, keys = _first_two(keys)
        if order is None:
            order = _order_of_two(low, high)
        else:
            order = order[_order_of_two(low[order], high[order])]
    return order


def _first_two(keys):
    """Return two keys and the rest; zeros for a second that is missing or float."""
    if len(keys) > 1 and keys[1].dtype.kind == "i":
        return keys[0], keys[1], keys[2:]
    return keys[0], np.zeros(len(keys[0]), dtype=np.int64), keys[1:]


def _order_of_two(low, high):
    """Return the stable order by the integers `high`, then by `low`.

    The key of an entry is ``high * 2**(a + b) + low * 2**a + position``, with `a`
    bits for the position and `b` bits for `low`, rounded if it is a float.
    """
    n = len(low)
    if not n:
        return np.arange(0)
    position_bits = (n - 1).bit_length()
    low_bits = 63 - position_bits - int(high.max()).bit_length()
    is_exact = low.dtype.kind == "i"
    if low_bits < (int(low.max()).bit_length() if is_exact else _FEWEST_BITS):
        return np.lexsort((low, high))
    packed = (high << low_bits) | (low if is_exact else _rounded(low, low_bits))
    packed = (packed << position_bits) | np.arange(n)
    # NumPy's stable sort of 64-bit integers is timsort, which takes less time if the
    # rows are sorted by group.
    packed.sort(kind="stable" if (high[1:] >= high[:-1]).all() else None)
    order = packed & ((1 << position_bits) - 1)
    if not is_exact:
        packed >>= position_bits
        _sort_equal_keys(order, packed, low)
    return order


def _rounded(values, n_bits):
    """Round floats to integers of `n_bits` bits: ``a <= b`` stays ``a <= b``."""
    # Of halves every difference is finite.
    scaled = values / 2
    scaled -= scaled.min()
    highest = scaled.max()
    if highest > 0:
        scaled /= highest
        scaled *= 2.0 ** min(n_bits, 50) - 1
    return scaled.astype(np.int64)


def _sort_equal_keys(order, keys, values):
    """Sort the entries of one key by their values, in place.

    Parameters
    ----------
    order : ndarray of shape (n,), int
        Order by the keys; changed.
    keys : ndarray of shape (n,), int
        Sorted keys, with `values` rounded.
    values : ndarray of shape (n,), float
        Values in the order of the entries, not of the keys.
    """
    values = values[order]
    falls = (values[1:] < values[:-1]) & (keys[1:] == keys[:-1])
    if falls.any():
        runs = Segments.of_equal(keys)
        is_unsorted = np.zeros(len(runs.size), dtype=bool)
        is_unsorted[runs.index[1:][falls]] = True
        positions = np.flatnonzero(runs.spread(is_unsorted))
        by_value = np.lexsort((values[positions], runs.index[positions]))
        order[positions] = order[positions[by_value]]
