"""Classes of equals, and p-values of several tests at once."""

import numpy as np


def classes_of_equals(differs):
    """Number the classes of contenders of which no two differ, from the best on.

    A new class starts at the first contender that differs from one of the present
    class.

    Parameters
    ----------
    differs : ndarray of shape (n, n), bool
        Which two differ; symmetric, in the order from the best to the worst.

    Returns
    -------
    number : ndarray of shape (n,), int
        1 is the best class.
    """
    number = np.empty(len(differs), dtype=np.int64)
    first = 0
    for i in range(len(differs)):
        if differs[i, first:i].any():
            first = i
        number[i] = 1 if i == 0 else number[i - 1] + (first == i)
    return number


def holm(p_values):
    """Adjust p-values by Holm's method, which keeps the family-wise error.

    Parameters
    ----------
    p_values : ndarray of shape (n_tests,), float

    Returns
    -------
    adjusted : ndarray of shape (n_tests,), float
    """
    order = np.argsort(p_values, kind="stable")
    times = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(times * p_values[order]), 1.0)
    return adjusted
