"""Plain targets, one value per row, that stand for the preferences inside groups."""

from dataclasses import dataclass

import numpy as np

from sklearn_pscore._segments import Segments
from sklearn_pscore._target.check import are_comparable
from sklearn_pscore.metrics._gains import gains_of

TARGETS = ("preference", "rank", "winner")
"""Names of the values that :func:`plain_values` computes."""


@dataclass(frozen=True)
class PlainValues:
    """A plain target for the rows that say something.

    Attributes
    ----------
    rows : ndarray of shape (n_kept,), int
        Rows of groups in which preferences differ, without donors and weight zero.
    y : ndarray of shape (n_kept,), float or bool
    weight : ndarray of shape (n_kept,), float
    n_groups : int
    """

    rows: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    n_groups: int


def plain_values(target, kind):
    """Return values that are comparable over groups, as preferences are not.

    Parameters
    ----------
    target : RankingTarget
        With at least one group in which preferences differ.
    kind : {"preference", "rank", "winner"}
        The preference, or its ascending rank in the group from 1, less the mean of
        the group's rows by their weights; or whether no row of the group is preferred.

    Returns
    -------
    values : PlainValues
    """
    items = target.items
    row_item = items.row_item
    kept = are_comparable(items.group, items.preference, items.weight)
    rows = np.flatnonzero((row_item >= 0) & kept[row_item])
    group, weight = target.group[rows], target.weight[rows]
    if kind == "winner":
        best = np.full(target.n_groups, -np.inf)
        np.maximum.at(best, group, target.preference[rows])
        y = target.preference[rows] == best[group]
    else:
        value = items.preference if kind == "preference" else _ranks(items)
        y = _less_group_means(value[row_item[rows]], group, weight)
    return PlainValues(rows, y, weight, len(np.unique(group)))


def _ranks(items):
    """Return the ascending rank of each item in its group, ties averaged."""
    order = np.lexsort((items.preference, items.group))
    ranks = np.empty(items.n_items)
    ranks[order] = gains_of("rank", items.group[order], items.preference[order])
    return ranks


def _less_group_means(values, group, weight):
    """Return values less the weighted mean of their group."""
    order = np.argsort(group, kind="stable")
    groups = Segments.of_equal(group[order])
    sorted_values, weight = values[order], weight[order] / weight.max()
    # Less the first value of the group, which is near, rounding is small; equal values
    # are exactly 0.
    shift = groups.spread(sorted_values[groups.start])
    with np.errstate(over="ignore"):
        sorted_values = sorted_values - shift
    if not np.all(np.isfinite(sorted_values)):
        raise ValueError(
            f"groups has preferences up to {np.abs(values).max():.2g} in size; expected "
            "those whose differences float64 holds. Scale the preferences down."
        )
    mean = groups.sum(sorted_values * weight) / groups.sum(weight)
    centred = np.empty(len(values))
    centred[order] = sorted_values - groups.spread(mean)
    return centred
