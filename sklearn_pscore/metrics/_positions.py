"""Metrics of positions, as expectations over the orders of tied items."""

import numpy as np

from sklearn_pscore._segments import Segments
from sklearn_pscore.metrics._order import runs_by_score


def expected_reciprocal_rank(items, k):
    """Return the expected 1 / rank of the first item that people like best.

    Parameters
    ----------
    items : JudgedItems
    k : int or None
        Ranks beyond `k` count zero.

    Returns
    -------
    value : ndarray of shape (n_groups,)
    """
    groups, score = items.groups, items.score
    relevant = items.preference == groups.spread(items.preference[groups.start])
    # Only the run of the best score of a relevant item matters: no order of the
    # others is needed.
    first = np.where(relevant, score, -np.inf)
    first = groups.spread(np.maximum.reduceat(first, groups.start))
    above, in_run = groups.count(score > first), score == first
    n, r = groups.count(in_run), groups.count(in_run & relevant)
    n_terms = n - r + 1
    if k is not None:
        n_terms = np.clip(k - above, 0, n_terms)
    counted = np.flatnonzero(n_terms)
    terms = Segments(n_terms[counted])
    n, r, above = (terms.spread(column[counted]) for column in (n, r, above))
    # The first relevant item is the i-th of its run with the probability
    # C(n - i, r - 1) / C(n, r): r / n for i = 1, then a product of ratios.
    i = terms.offset + 1
    ratio = np.where(i == 1, r / n, (n - r - i + 2) / (n - i + 1))
    probability = terms.accumulate(np.multiply, ratio)
    value = np.zeros(len(n_terms))
    value[counted] = terms.sum(probability / (above + i))
    return value


def expected_dcg(items, gain, k):
    """Return the expected discounted gain of the order by score.

    Parameters
    ----------
    items : JudgedItems
    gain : ndarray of shape (n_items,)
    k : int or None
        Ranks beyond `k` count zero.

    Returns
    -------
    value : ndarray of shape (n_groups,)
    """
    ranking = runs_by_score(items.group, items.score)
    gain, runs = gain[ranking.order], ranking.runs
    # A run goes from its largest to its smallest gain. Rounding must not take
    # the mean of equal gains to another value: an order in which only equals
    # are tied would not reach the ideal.
    smallest, largest = gain[runs.start + runs.size - 1], gain[runs.start]
    mean = np.clip(runs.sum(gain) / runs.size, smallest, largest)
    return _discounted(items.groups, runs.spread(mean), k)


def ideal_dcg(items, gain, k):
    """Return the discounted gain of the order by preference, the largest there is."""
    return _discounted(items.groups, gain, k)


def _discounted(groups, gain, k):
    """Sum the gains of each group, in order, by the discounts of their ranks."""
    discount = 1.0 / np.log2(np.arange(2, groups.size.max() + 2))
    if k is not None:
        discount[k:] = 0.0
    return groups.sum(gain * discount[groups.offset])
