"""Items in an order of their own, and the correlations of their values."""

from dataclasses import replace

import numpy as np

from sklearn_pscore._means import LARGEST_SUMMABLE
from sklearn_pscore._segments import Segments
from sklearn_pscore.metrics._items import JudgedItems, item_scores, judged_items
from sklearn_pscore.metrics._order import stable_order


def measured_items(target, y_score, within, caller):
    """Return the items that a correlation is taken over, in a canonical order.

    Items that agree in preference, weight and score are the same for a sum, so it
    does not depend on the order of the rows, to the last bit.

    Parameters
    ----------
    target : RankingTarget
    y_score : ndarray of shape (n_rows,), float
    within : {"group", "all"}
        Whether the items of each informative group are a segment, or all items of
        the target are one.
    caller : str
        Name of the metric, for the messages.

    Returns
    -------
    items : JudgedItems
    """
    if within == "group":
        items = judged_items(target, y_score, caller)
    else:
        items = all_items(target, y_score, caller)
    order = stable_order(items.score, items.weight, -items.preference, items.group)
    return replace(
        items,
        preference=items.preference[order],
        weight=items.weight[order],
        score=items.score[order],
    )


def all_items(target, y_score, caller):
    """Return all items of a target as if they were of one group."""
    items = target.items
    if np.all(items.preference == items.preference[:1]):
        values = np.unique(items.preference).tolist()
        raise ValueError(
            f"The {items.n_items} items that count have the preferences {values}; "
            f"{caller} with within='all' needs two that differ. Check the preferences, "
            "the weights and which rows are donors."
        )
    return JudgedItems(
        groups=Segments(np.array([items.n_items])),
        preference=items.preference,
        weight=items.weight,
        score=item_scores(target, y_score),
        code=np.zeros(1, dtype=np.int64),
        n_groups=1,
    )


def correlations(groups, x, y, weight):
    """Return the weighted correlation of two columns in each segment.

    Parameters
    ----------
    groups : Segments
    x, y : ndarray of shape (n_items,), float
    weight : ndarray of shape (n_items,), float
        Largest of each segment 1.

    Returns
    -------
    value : ndarray of shape (n_segments,), float
        0 where a column is constant.
    """
    x, y = _centred(groups, x, weight), _centred(groups, y, weight)
    root = np.sqrt(groups.sum(weight * x * x)) * np.sqrt(groups.sum(weight * y * y))
    covariance = groups.sum(weight * x * y)
    value = np.divide(covariance, root, out=np.zeros(len(root)), where=root > 0)
    return np.clip(value, -1.0, 1.0)


def mid_ranks(groups, values, weight):
    """Rank values in each segment, from below; ties share the middle of their ranks.

    An integer weight is a row that stands there as often. A rank is short of the
    usual one by a half.

    Parameters
    ----------
    groups : Segments
    values, weight : ndarray of shape (n_items,), float

    Returns
    -------
    rank : ndarray of shape (n_items,), float
    """
    order = stable_order(weight, values, groups.index)
    runs = Segments.of_equal(groups.index[order], values[order])
    total = runs.sum(weight[order])
    in_group = Segments.of_equal(groups.index[order][runs.start])
    rank = np.empty(len(values))
    rank[order] = runs.spread(in_group.sums_before(total) + total / 2)
    return rank


def root_mean_squares(groups, x, y, weight):
    """Return the root of the weighted mean square of x - y in each segment."""
    # Halves of the values: their differences are finite.
    error = np.abs(x / 2 - y / 2)
    largest = np.maximum.reduceat(error, groups.start)
    scale = np.where(largest > 0, largest, 1.0)
    squares = groups.sum(weight * (error / groups.spread(scale)) ** 2)
    return 2 * scale * np.sqrt(squares / groups.sum(weight))


def _centred(groups, values, weight):
    """Subtract the mean of each segment, of values scaled to lie between 0 and 1."""
    lowest = np.minimum.reduceat(values, groups.start)
    highest = np.maximum.reduceat(values, groups.start)
    # Halves of the largest numbers: their differences are finite.
    is_large = np.maximum(np.abs(lowest), np.abs(highest)) > LARGEST_SUMMABLE
    factor = np.where(is_large, 0.5, 1.0)
    width = highest * factor - lowest * factor
    # Of close numbers the difference is exact, other than that to their mean.
    values = values * groups.spread(factor) - groups.spread(lowest * factor)
    values = values / groups.spread(np.where(width > 0, width, 1.0))
    mean = groups.sum(weight * values) / groups.sum(weight)
    return values - groups.spread(mean)
