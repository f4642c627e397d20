"""What NDCG gives for an item, for training items in order."""

import numpy as np


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
    new_group = np.r_[True, group[1:] != group[:-1]]
    new_run = new_group | np.r_[True, preference[1:] != preference[:-1]]
    place = np.arange(len(group))
    first = np.maximum.accumulate(np.where(new_group, place, 0))
    starts = np.flatnonzero(new_run)
    sizes = np.diff(np.r_[starts, len(group)])
    middle = starts + (sizes - 1) / 2
    return np.repeat(middle, sizes) - first + 1
