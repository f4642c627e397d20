"""Permutation test of two scores whose values are swapped item by item."""

import itertools

import numpy as np

# Differences that are closer than this are equal: rounding depends on the swaps.
_ROUNDING = 1e-9


def drawn_swaps(n_items, n_permutations, rng):
    """Return which items are swapped in each permutation; in the first, none.

    All permutations, if there are not more than `n_permutations`.

    Returns
    -------
    swaps : ndarray of shape (n_permutations, n_items), bool
    """
    if n_items < 63 and 2**n_items <= n_permutations:
        return np.array(list(itertools.product([False, True], repeat=n_items)))
    swaps = rng.random_sample((n_permutations, n_items)) < 0.5
    swaps[0] = False
    return swaps


def standardised(measure):
    """Return the scores in units in which those of two methods can be swapped.

    Errors compare scores with preferences, which have the unit already. All other
    scores have mean 0 and deviation 1 in each group.
    """
    if measure.smaller_is_better:
        return measure.scores
    groups, scores = measure.groups, measure.scores
    # Scaled first, so that squares are finite.
    largest = np.abs(scores).max(axis=1, keepdims=True)
    scores = scores / np.where(largest > 0, largest, 1.0)
    lowest = np.minimum.reduceat(scores, groups.start, axis=1)
    highest = np.maximum.reduceat(scores, groups.start, axis=1)
    mean = np.add.reduceat(scores, groups.start, axis=1) / groups.size
    centred = scores - np.repeat(mean, groups.size, axis=1)
    squares = np.add.reduceat(centred**2, groups.start, axis=1)
    deviation = np.sqrt(squares / groups.size)
    is_flat = (lowest == highest) | (deviation == 0)
    scale = np.where(is_flat, np.inf, deviation)
    return centred / np.repeat(scale, groups.size, axis=1)


def swap_test(measure, first, second, swaps, alternative):
    """Return the p-value of the difference of a measure between two scores.

    Parameters
    ----------
    measure : Measure
    first, second : ndarray of shape (n_items,), float
        Standardised scores.
    swaps : ndarray of shape (n_permutations, n_items), bool
    alternative : {"two-sided", "greater"}

    Returns
    -------
    p : float
        Share of the permutations whose difference is at least that observed.
    """
    differences = np.subtract(
        *(measure.mean(values) for values in _swapped(measure, first, second, swaps))
    )
    if measure.smaller_is_better:
        differences = -differences
    if alternative == "two-sided":
        differences = np.abs(differences)
    return float(np.mean(differences >= differences[0] - _ROUNDING))


def _swapped(measure, first, second, swaps):
    """Return the metric of each group of both scores after each permutation.

    A group's value depends on its own swaps alone. If these are fewer than the
    permutations, the metric is taken once of each, and looked up.
    """
    groups = measure.groups
    n_patterns = 2 ** min(int(groups.size.max()), 63)
    if n_patterns > len(swaps):
        return [
            measure.values(np.where(swaps, *scores))
            for scores in ((second, first), (first, second))
        ]
    bit = 1 << groups.offset
    patterns = (np.arange(n_patterns)[:, None] & bit) > 0
    table = measure.values(np.where(patterns, second, first))
    of_group = np.arange(len(groups.size))
    return [
        table[np.add.reduceat(is_swapped * bit, groups.start, axis=1), of_group]
        for is_swapped in (swaps, ~swaps)
    ]
