"""The items that stitched and injected items are made of."""

from dataclasses import dataclass

import numpy as np

from sklearn_pscore._means import tied_means


@dataclass(frozen=True)
class SourceItems:
    """Rows merged to one item per (group, item), donors included.

    Sorted by group, then by item. A judged row and a donor row of one name are
    different items.

    Attributes
    ----------
    X : ndarray of shape (n_items, n_features)
        Means over the rows of each item that have the feature, NaN if none has.
    group : ndarray of shape (n_items,), int
        Code of each item's group.
    preference : ndarray of shape (n_items,)
    weight : ndarray of shape (n_items,)
        Mean over the rows of each item.
    donor : ndarray of shape (n_items,), bool
    first_row : ndarray of shape (n_items,), int
        A row of each item, for its labels.
    row_item : ndarray of shape (n_rows,), int
        Item of each row.
    """

    X: np.ndarray
    group: np.ndarray
    preference: np.ndarray
    weight: np.ndarray
    donor: np.ndarray
    first_row: np.ndarray
    row_item: np.ndarray

    @classmethod
    def from_rows(cls, X, target):
        """Merge the rows of `X` by the groups and items of a RankingTarget."""
        item = np.arange(target.n_rows) if target.item is None else target.item
        keys = np.stack([target.group, item, target.donor], axis=1)
        _, first_row, row_item, n_rows = np.unique(
            keys, axis=0, return_index=True, return_inverse=True, return_counts=True
        )
        row_item = row_item.ravel()
        group = target.group[first_row]
        return cls(
            X=_means(X, row_item, n_rows, group),
            group=group,
            preference=target.preference[first_row],
            weight=np.bincount(row_item, target.weight) / n_rows,
            donor=target.donor[first_row],
            first_row=first_row,
            row_item=row_item,
        )


def _means(X, row_item, n_rows, group):
    """Return the mean over the rows of each item that are not NaN, NaN if all are."""
    is_there = ~np.isnan(X)
    if is_there.all():
        return _tied_means(X, row_item, n_rows, group)
    means = np.full((len(n_rows), X.shape[1]), np.nan)
    for k, rows in enumerate(is_there.T):
        n_values = np.bincount(row_item[rows], minlength=len(n_rows))
        has_value = n_values > 0
        item = (np.cumsum(has_value) - 1)[row_item[rows]]
        means[has_value, k] = _tied_means(
            X[rows, k, None], item, n_values[has_value], group[has_value]
        )[:, 0]
    return means


def _tied_means(X, row_item, n_rows, group):
    """Return the mean of the rows of each item; see :func:`tied_means`."""
    sums = np.zeros((len(n_rows), X.shape[1]))
    np.add.at(sums, row_item, X)
    means = sums / n_rows[:, None]
    if np.all(n_rows == 1):
        return means
    lowest, highest = np.full_like(means, np.inf), np.full_like(means, -np.inf)
    np.minimum.at(lowest, row_item, X)
    np.maximum.at(highest, row_item, X)
    # By rounding, the mean of equal values could be another value.
    means = np.clip(means, lowest, highest)
    is_exact, largest = lowest == highest, np.maximum(-lowest, highest)
    for k, mean in enumerate(means.T):
        n_inexact = np.where(is_exact[:, k], 1, n_rows)
        means[:, k] = tied_means(mean, n_inexact, largest[:, k], group)
    return means
