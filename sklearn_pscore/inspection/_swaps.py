"""Permutation test of two scores whose values are swapped item by item."""

from dataclasses import dataclass

import numpy as np

# Differences that are closer than this are equal: rounding depends on the swaps.
_ROUNDING = 1e-9
# Patterns of swaps of a group, so that sums over many groups take enough values.
_FEWEST_PATTERNS = 512
# Values that are looked up at once. Not measured.
_CELLS = 2**21


@dataclass(frozen=True)
class Swaps:
    """Which items are swapped in each permutation.

    A group's value depends on its own swaps alone. So the metric is taken once of each
    pattern of swaps, and looked up.

    Attributes
    ----------
    patterns : ndarray of shape (n_patterns, n_items), bool
        Which items of a group are swapped; in the first pattern, none. The pattern at
        the same place from the end is the opposite one.
    codes : ndarray of shape (n_permutations, n_groups), int
        Pattern of each group in each permutation; the first swaps nothing.
    """

    patterns: np.ndarray
    codes: np.ndarray

    def __len__(self):
        return len(self.codes)


def drawn_swaps(groups, n_permutations, rng):
    """Return all permutations, if there are not more than `n_permutations`, or so many.

    Patterns of larger groups are drawn, too: as many as permutations for a single group,
    and fewer where many groups are combined.

    Parameters
    ----------
    groups : Segments
    n_permutations : int
    rng : RandomState

    Returns
    -------
    swaps : Swaps
    """
    n_items, n_groups = len(groups.index), len(groups.size)
    bit = groups.offset
    if n_items < 63 and 2**n_items <= n_permutations:
        every = (np.arange(2**n_items)[:, None] >> np.arange(n_items)) & 1
        codes = np.add.reduceat(every << bit, groups.start, axis=1)
        return Swaps(_all_patterns(groups), codes)
    n_patterns = max(_FEWEST_PATTERNS, n_permutations // n_groups)
    largest = int(groups.size.max())
    if largest < 63 and 2**largest <= n_patterns:
        patterns = _all_patterns(groups)
    else:
        half = rng.random_sample((n_patterns // 2 + 1, n_items)) < 0.5
        half[0] = False
        patterns = np.concatenate([half, ~half[::-1]])
    kind = np.min_scalar_type(len(patterns))
    codes = rng.randint(len(patterns), size=(n_permutations, n_groups), dtype=kind)
    codes[0] = 0
    return Swaps(patterns, codes)


def _all_patterns(groups):
    """Return the patterns whose numbers in binary say which items are swapped."""
    numbers = np.arange(2 ** int(groups.size.max()))
    return ((numbers[:, None] >> groups.offset) & 1).astype(bool)


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
    swaps : Swaps
    alternative : {"two-sided", "greater"}

    Returns
    -------
    p : float
        Share of the permutations whose difference is at least that observed.
    """
    table = measure.values(np.where(swaps.patterns, second, first))
    # The other score has the opposite pattern.
    table = table - table[::-1]
    differences = np.concatenate(
        [
            measure.mean(np.take_along_axis(table, codes, axis=0))
            for codes in np.array_split(swaps.codes, 1 + swaps.codes.size // _CELLS)
        ]
    )
    if measure.smaller_is_better:
        differences = -differences
    if alternative == "two-sided":
        differences = np.abs(differences)
    return float(np.mean(differences >= differences[0] - _ROUNDING))
