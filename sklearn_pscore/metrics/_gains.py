"""What NDCG gives for an item, for training items in order."""

import numpy as np

from sklearn_pscore._segments import Segments


def gains_of(kind, group, preference):
    """Return the gain of items sorted by group and by preference inside it.

    As :func:`~sklearn_pscore.metrics.ndcg_score` has it, but for synthetic items
    of a preference below zero, which gain nothing.

    Parameters
    ----------
    kind : {"rank", "linear", "exponential"}
    group : ndarray of shape (n_items,)
    preference : ndarray of shape (n_items,), float

    Returns
    -------
    gain : ndarray of shape (n_items,), float
    """
    if kind == "linear":
        return np.maximum(preference, 0.0)
    if kind == "exponential":
        return np.exp2(np.maximum(preference, 0.0)) - 1.0
    groups = Segments.of_equal(group)
    runs = Segments.of_equal(group, preference)
    middle = runs.start + (runs.size - 1) / 2
    return runs.spread(middle) - groups.spread(groups.start) + 1
