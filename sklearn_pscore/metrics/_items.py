"""Judged items of a target, in an order that does not depend on the row order."""

import math
from dataclasses import dataclass

import numpy as np

from sklearn_pscore._means import item_means
from sklearn_pscore._segments import Segments
from sklearn_pscore._target.check import check_comparable
from sklearn_pscore.metrics._order import stable_order


@dataclass(frozen=True)
class JudgedItems:
    """Items of the informative groups, see :func:`judged_items`.

    They are sorted by group, inside a group from the most to the least
    preferred, and items of one preference by weight. Items that agree in all of
    these differ at most in their score, so a sum over any other column, taken in
    this order, does not depend on the order of the rows.

    Attributes
    ----------
    groups : Segments
        The informative groups, as segments of the items.
    preference, weight, score : ndarray of shape (n_items,), float
    code : ndarray of shape (n_informative,), int
        Index of each informative group among all groups of the target.
    n_groups : int
        Number of all groups of the target.
    """

    groups: Segments
    preference: np.ndarray
    weight: np.ndarray
    score: np.ndarray
    code: np.ndarray
    n_groups: int

    @property
    def group(self):
        """Index of each item's group among the informative groups."""
        return self.groups.index

    def mean_weight(self):
        """Return the mean item weight of each group, up to one common factor."""
        # Divided by the largest, equal weights are exactly one and sums finite.
        return self.groups.sum(self.weight / self.weight.max()) / self.groups.size

    def over_groups(self, values, *, average, weights=None):
        """Return the mean of `values`, or all of them and NaN for other groups.

        Parameters
        ----------
        values : ndarray of shape (n_informative,)
        average : bool
        weights : ndarray of shape (n_informative,) or None, default=None
            Weight of each group in the mean; None weighs all alike.

        Returns
        -------
        score : float or ndarray of shape (n_groups,)
        """
        if not average:
            per_group = np.full(self.n_groups, np.nan)
            per_group[self.code] = values
            return per_group
        if weights is None:
            weights = np.ones(len(values))
        # fsum rounds once, at the end: the order of the groups does not matter.
        mean = math.fsum(weights * values) / math.fsum(weights)
        # By rounding, the mean of equal values could be another value.
        return float(np.clip(mean, values.min(), values.max()))


def judged_items(target, y_score, caller):
    """Return the items of all informative groups, sorted.

    A group is informative about a score if two of its items differ in preference.

    Parameters
    ----------
    target : RankingTarget
    y_score : ndarray of shape (n_rows,), float
    caller : str
        Name of the metric, for the messages.

    Returns
    -------
    items : JudgedItems

    Raises
    ------
    ValueError
        If no group is informative.
    """
    merged = target.items
    # Sorting by weights that are all equal would only take time.
    by_weight = [merged.weight] if np.any(merged.weight != merged.weight[:1]) else []
    order = stable_order(*by_weight, -merged.preference, merged.group)
    preference = merged.preference[order]
    weight = merged.weight[order] if by_weight else merged.weight
    size = np.bincount(merged.group)
    code = np.flatnonzero(size)
    groups = Segments(size[code])
    last = groups.start + groups.size - 1
    is_informative = preference[groups.start] > preference[last]
    if not is_informative.any():
        check_comparable(target, caller)
    if not is_informative.all():
        kept = groups.spread(is_informative)
        groups, code = Segments(groups.size[is_informative]), code[is_informative]
        order, preference, weight = order[kept], preference[kept], weight[kept]
    return JudgedItems(
        groups=groups,
        preference=preference,
        weight=weight,
        score=item_scores(target, y_score)[order],
        code=code,
        n_groups=target.n_groups,
    )


def item_scores(target, y_score):
    """Return the mean score of each item's rows that count.

    Means that only rounding tells apart are equal, see :func:`item_means`.

    Parameters
    ----------
    target : RankingTarget
    y_score : ndarray of shape (n_rows,), float

    Returns
    -------
    score : ndarray of shape (n_items,), float
    """
    is_kept = target.items.row_item >= 0
    if target.item is None:
        return y_score if is_kept.all() else y_score[is_kept]
    rows = np.flatnonzero(is_kept)
    item = target.items.row_item[rows]
    if len(rows) == target.items.n_items:
        score = np.empty(len(rows))
        score[item] = y_score[rows]
        return score
    # Scores are added in sorted order: the mean does not depend on the row order.
    rows = rows[stable_order(y_score[rows], item)]
    score = y_score[rows]
    items = Segments.of_equal(target.items.row_item[rows])
    return item_means(items, score, target.items.group)
