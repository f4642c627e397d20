"""MRR and DCG of each group, as expectations over the orders of tied items."""

import numpy as np

from sklearn_pscore._segments import Segments
from sklearn_pscore.metrics._order import rank_by_score


def expected_reciprocal_rank(items, k):
    r"""Return the expected 1 / rank of the first item that people like best.

    Among `n` items tied in score, `r` of them relevant, below `t` better items:

    .. math:: \sum_{i=1}^{n-r+1} \frac{\binom{n-i}{r-1}}{\binom{n}{r}}
              \frac{1}{t + i}

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
    # Only the run of tied items with the best score of a relevant item matters, so
    # the scores need no sorting.
    best = np.where(relevant, score, -np.inf)
    best = groups.spread(np.maximum.reduceat(best, groups.start))
    t, in_run = groups.count(score > best), score == best
    n, r = groups.count(in_run), groups.count(in_run & relevant)
    n_terms = n - r + 1
    if k is not None:
        n_terms = np.clip(k - t, 0, n_terms)
    counted = np.flatnonzero(n_terms)
    terms = Segments(n_terms[counted])
    n, r, t = (terms.spread(column[counted]) for column in (n, r, t))
    # The probability of term i is C(n - i, r - 1) / C(n, r): r / n for i = 1, and
    # then a running product of the ratios of two neighbours.
    i = terms.offset + 1
    ratio = np.where(i == 1, r / n, (n - r - i + 2) / (n - i + 1))
    probability = terms.accumulate(np.multiply, ratio)
    value = np.zeros(len(n_terms))
    value[counted] = terms.sum(probability / (t + i))
    return value


def expected_dcg(items, gain, k):
    """Return the expected DCG of the order by score.

    Each item of a run of tied items counts the mean gain of the run.

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
    ranking = rank_by_score(items.group, items.score)
    gain, runs = gain[ranking.order], ranking.runs
    # The gains of a run fall. By rounding, the mean of equal gains could be another
    # value, and a perfect order with such ties would not reach the ideal DCG.
    smallest, largest = gain[runs.start + runs.size - 1], gain[runs.start]
    mean = np.clip(runs.sum(gain) / runs.size, smallest, largest)
    return _discounted(items.groups, runs.spread(mean), k)


def ideal_dcg(items, gain, k):
    """Return the DCG of the order by preference, which is the largest."""
    return _discounted(items.groups, gain, k)


def _discounted(groups, gain, k):
    """Sum gain / log2(1 + rank) over the items of each group, given in order."""
    discount = 1.0 / np.log2(np.arange(2, groups.size.max() + 2))
    if k is not None:
        discount[k:] = 0.0
    return groups.sum(gain * discount[groups.offset])
