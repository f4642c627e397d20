"""Items of each group in the order of their scores, with their ties."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_pscore._segments import Segments

# Floats rounded to fewer bits than this would leave too much to mend.
_FEWEST_BITS = 16


@dataclass(frozen=True)
class TiedRuns:
    """Items of each group from best to worst, cut into runs of tied items.

    Attributes
    ----------
    order : ndarray of shape (n_items,), int
        Item at each place.
    runs : Segments
        Runs of neighbouring places with tied items.
    group : ndarray of shape (n_items,), int
        Group at each place.
    """

    order: np.ndarray
    runs: Segments
    group: np.ndarray

    @cached_property
    def above(self):
        """Number of items of the group strictly better than those of each run."""
        return Segments.of_equal(self.group).offset[self.runs.start]

    @cached_property
    def mean_rank(self):
        """Mean of the 1-based ranks that the items of each run take."""
        return self.above + (self.runs.size + 1) / 2


def runs_by_score(group, score):
    """Sort items by group and falling score; tied items keep their order.

    Parameters
    ----------
    group : ndarray of shape (n_items,), int
    score : ndarray of shape (n_items,), float

    Returns
    -------
    ranking : TiedRuns
    """
    order = stable_order(-score, group)
    if (group[1:] < group[:-1]).any():
        group = group[order]
    runs = Segments.of_equal(group, score[order])
    return TiedRuns(order=order, runs=runs, group=group)


def stable_order(*keys):
    """Return the order of :func:`numpy.lexsort`: the last key comes first.

    Two keys and the place of each entry are packed into one integer, and these
    are sorted, which takes less time than ``lexsort``.

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
    """Split off two keys, or one if the second is no integer or not there."""
    if len(keys) > 1 and keys[1].dtype.kind == "i":
        return keys[0], keys[1], keys[2:]
    return keys[0], np.zeros(len(keys[0]), dtype=np.int64), keys[1:]


def _order_of_two(low, high):
    """Return the stable order by the integers `high`, then by `low`."""
    n = len(low)
    if not n:
        return np.arange(0)
    place_bits = (n - 1).bit_length()
    low_bits = 63 - place_bits - int(high.max()).bit_length()
    is_exact = low.dtype.kind == "i"
    if low_bits < (int(low.max()).bit_length() if is_exact else _FEWEST_BITS):
        return np.lexsort((low, high))
    packed = (high << low_bits) | (low if is_exact else _rounded(low, low_bits))
    packed = (packed << place_bits) | np.arange(n)
    # Rows that are sorted by group already are runs that timsort only has to sort
    # inside.
    packed.sort(kind="stable" if (high[1:] >= high[:-1]).all() else None)
    order = packed & ((1 << place_bits) - 1)
    if not is_exact:
        packed >>= place_bits
        _mend(order, packed, low)
    return order


def _rounded(values, n_bits):
    """Return integers below 2**n_bits that nowhere fall where the values rise."""
    # Halves, so that the difference of two finite numbers is finite.
    above = values / 2
    above -= above.min()
    highest = above.max()
    if highest > 0:
        above /= highest
        above *= 2.0 ** min(n_bits, 50) - 1
    return above.astype(np.int64)


def _mend(order, rounded, values):
    """Sort, in place, what is in disorder because it was rounded to one integer."""
    values = values[order]
    falls = (values[1:] < values[:-1]) & (rounded[1:] == rounded[:-1])
    if falls.any():
        runs = Segments.of_equal(rounded)
        is_mixed = np.zeros(len(runs.size), dtype=bool)
        is_mixed[runs.index[1:][falls]] = True
        places = np.flatnonzero(runs.spread(is_mixed))
        mended = np.lexsort((values[places], runs.index[places]))
        order[places] = order[places[mended]]
