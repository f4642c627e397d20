"""Items of each group in the order of their scores, with their ties."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_pscore.metrics._segments import Segments


@dataclass(frozen=True)
class TiedRuns:
    """Items of each group from best to worst, cut into runs of tied items.

    Attributes
    ----------
    order : ndarray of shape (n_items,), int
        Item at each place.
    runs : Segments
        Runs of neighbouring places with tied items.
    group : ndarray of shape (n_runs,), int
        Group of each run.
    above : ndarray of shape (n_runs,), int
        Number of items of the group strictly better than those of the run.
    """

    order: np.ndarray
    runs: Segments
    group: np.ndarray
    above: np.ndarray

    @cached_property
    def mean_rank(self):
        """Mean of the 1-based ranks that the items of each run take."""
        return self.above + (self.runs.size + 1) / 2


def tied_runs(group, value, order):
    """Cut `order`, which sorts by group and falling value, at every new value."""
    group = group[order]
    groups = Segments.of_equal(group)
    runs = Segments.of_equal(group, value[order])
    return TiedRuns(
        order=order,
        runs=runs,
        group=group[runs.start],
        above=groups.offset[runs.start],
    )


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
    return tied_runs(group, score, stable_order(-score, group))


def stable_order(*keys):
    """Return the order of :func:`numpy.lexsort`: the last key comes first.

    Keys become small integers first, which sort in linear time: for a million
    scores in 30,000 groups that takes half as long as ``lexsort``.

    Parameters
    ----------
    *keys : ndarray of shape (n,), float without NaN, or int in [0, 2**32)

    Returns
    -------
    order : ndarray of shape (n,), int
    """
    order = _order_of_codes(_as_codes(keys[0]))
    for key in keys[1:]:
        order = order[_order_of_codes(_as_codes(key)[order])]
    return order


def _as_codes(key):
    """Return for each value the number of distinct values below it."""
    if key.dtype.kind == "i" or not len(key):
        return key
    order = np.argsort(key)
    ordered = key[order]
    codes = np.zeros(len(key), dtype=np.int64)
    codes[order[1:]] = np.cumsum(ordered[1:] != ordered[:-1])
    return codes


def _order_of_codes(codes):
    """Return the stable order of integers in [0, 2**32)."""
    # NumPy sorts 16-bit integers by radix when asked for a stable sort, and the
    # conversion keeps the lowest 16 bits.
    order = np.argsort(codes.astype(np.uint16), kind="stable")
    if len(codes) and codes.max() > 0xFFFF:
        high = (codes[order] >> 16).astype(np.uint16)
        order = order[np.argsort(high, kind="stable")]
    return order
