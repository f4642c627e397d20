"""Gain of an item in DCG, NDCG and the LambdaRank loss."""

import numpy as np

from sklearn_pscore._segments import Segments

GAINS = ("exponential", "linear", "rank")
"""Names of the gains that :func:`gains_of` computes."""


def gains_of(kind, group, preference):
    r"""Return the gain of items that are sorted by group and rising preference.

    "linear" is the preference :math:`p` itself, "exponential" is
    :math:`2^p - 1`, and "rank" is the average ascending rank of `p` inside the
    group: the number of items below it, plus half of one more than the number of
    items that share it.

    Parameters
    ----------
    kind : {"rank", "linear", "exponential"}
    group : ndarray of shape (n_items,), int
        Items of one group are neighbours; the groups may be in any order.
    preference : ndarray of shape (n_items,), float

    Returns
    -------
    gain : ndarray of shape (n_items,), float
        At least 0 if the preferences are.
    """
    if kind == "linear":
        return preference
    if kind == "exponential":
        # The difference 2**p - 1 has no correct digit left where p is tiny.
        near_zero = np.expm1(np.minimum(preference, 1.0) * np.log(2.0))
        return np.where(preference < 1.0, near_zero, np.exp2(preference) - 1.0)
    groups = Segments.of_equal(group)
    ties = Segments.of_equal(group, preference)
    n_below = ties.start - groups.spread(groups.start)[ties.start]
    return ties.spread(n_below + (ties.size + 1) / 2)
