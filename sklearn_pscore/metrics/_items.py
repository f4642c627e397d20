"""The judged items of a target, in an order that no row order can change."""

import math
from dataclasses import dataclass

import numpy as np

from sklearn_pscore._segments import Segments
from sklearn_pscore._target.check import check_comparable
from sklearn_pscore.metrics._order import stable_order


@dataclass(frozen=True)
class JudgedItems:
    """Items of the groups that say something about a score.

    They are sorted by group, inside a group from the most to the least
    preferred, and items of one preference by weight. Items that agree in all of
    these differ at most in their score, so a sum over any of the other columns
    taken in this order never depends on the order of the rows.

    Attributes
    ----------
    groups : Segments
        The groups that are kept, as stretches of items.
    preference, weight, score : ndarray of shape (n_items,), float
    label : ndarray of shape (n_kept,), int
        Index of each group that is kept among all groups of the target.
    n_groups : int
        Number of all groups of the target.
    """

    groups: Segments
    preference: np.ndarray
    weight: np.ndarray
    score: np.ndarray
    label: np.ndarray
    n_groups: int

    @property
    def group(self):
        """Index of each item's group among the groups that are kept."""
        return self.groups.index

    def mean_weight(self):
        """Return the mean item weight of each group, up to one common factor."""
        # The factor keeps equal weights at exactly one, and sums finite.
        return self.groups.sum(self.weight / self.weight.max()) / self.groups.size

    def over_groups(self, values, *, average, weights=None):
        """Return the mean of `values`, or all of them with NaN for other groups.

        Parameters
        ----------
        values : ndarray of shape (n_kept,)
        average : bool
        weights : ndarray of shape (n_kept,) or None, default=None
            Weight of each group in the mean; None weighs all alike.

        Returns
        -------
        score : float or ndarray of shape (n_groups,)
        """
        if not average:
            per_group = np.full(self.n_groups, np.nan)
            per_group[self.label] = values
            return per_group
        if weights is None:
            weights = np.ones(len(values))
        # fsum rounds once, at the end, so the order of the groups is immaterial.
        mean = math.fsum(weights * values) / math.fsum(weights)
        # Rounding must not take the mean of equal values to another one.
        return float(np.clip(mean, values.min(), values.max()))


def judged_items(target, y_score, caller, *, drop_unweighted=False):
    """Return the items of all groups that say something.

    A group says something if two of its items differ in preference and one of
    its items has a positive weight.

    Parameters
    ----------
    target : RankingTarget
    y_score : ndarray of shape (n_rows,), float
    caller : str
        The metric that asks, for the messages.
    drop_unweighted : bool, default=False
        Whether items of weight zero are left out: they are in no pair.

    Returns
    -------
    items : JudgedItems

    Raises
    ------
    ValueError
        If no group says anything.
    """
    merged = target.items
    # Where all weights are equal they decide no order: a sort is saved.
    by_weight = [merged.weight] if np.any(merged.weight != merged.weight[:1]) else []
    chosen = stable_order(*by_weight, -merged.preference, merged.group)
    if drop_unweighted and by_weight:
        chosen = chosen[merged.weight[chosen] > 0]
    preference = merged.preference[chosen]
    weight = merged.weight[chosen] if by_weight else merged.weight
    group = merged.group[chosen] if len(chosen) < merged.n_items else merged.group
    size = np.bincount(group)
    label = np.flatnonzero(size)
    groups = Segments(size[label])
    last = groups.start + groups.size - 1
    telling = (preference[groups.start] > preference[last]) & (
        np.maximum.reduceat(weight, groups.start) > 0
    )
    if not telling.any():
        check_comparable(target, caller)
    if not telling.all():
        kept = groups.spread(telling)
        groups, label = Segments(groups.size[telling]), label[telling]
        chosen, preference, weight = chosen[kept], preference[kept], weight[kept]
    return JudgedItems(
        groups=groups,
        preference=preference,
        weight=weight,
        score=item_scores(target, y_score)[chosen],
        label=label,
        n_groups=target.n_groups,
    )


def item_scores(target, y_score):
    """Return the mean score of each item's rows.

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
    # Added in sorted order, so that the mean never depends on the row order.
    rows = rows[stable_order(y_score[rows], item)]
    score = y_score[rows]
    items = Segments.of_equal(target.items.row_item[rows])
    lowest, highest = score[items.start], score[items.start + items.size - 1]
    # Rounding must not take a mean outside its own rows: two items whose rows
    # all have the same score would lose their tie.
    return np.clip(items.sum(score) / items.size, lowest, highest)
