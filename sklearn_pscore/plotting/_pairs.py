"""Pairs of rows of one group that differ in preference, or that were voted on."""

from typing import NamedTuple

import numpy as np

from sklearn_pscore._segments import Segments


class Pairs(NamedTuple):
    """Pairs of rows.

    Attributes
    ----------
    better, worse : ndarray of shape (n_pairs,), int
        Rows of the target.
    weight : ndarray of shape (n_pairs,), float
        Product of the weights of the two items, divided by the pairs of rows that
        they have, up to one factor; the largest is 1. Of votes, their number times
        the weights of the two rows.
    count : ndarray of shape (n_pairs,), float
        1, or the votes for the better row.
    """

    better: np.ndarray
    worse: np.ndarray
    weight: np.ndarray
    count: np.ndarray


def pairs_of(target, max_pairs, rng):
    """Return the pairs of a target, or as many drawn at random; there may be none.

    Parameters
    ----------
    target : RankingTarget
    max_pairs : int or None
        More pairs of rows than this are drawn, with replacement. None takes all.
    rng : RandomState

    Returns
    -------
    pairs : Pairs
    """
    if target.votes is not None:
        return _voted_pairs(target, max_pairs, rng)
    items = target.items
    rows = np.flatnonzero(items.row_item >= 0)
    item = items.row_item[rows]
    order = np.lexsort((item, items.group[item]))
    rows, item = rows[order], item[order]
    groups = Segments.of_equal(items.group[item])
    if max_pairs is None or groups.n_pairs.sum() <= max_pairs:
        first, second = groups.pairs()
    else:
        first, second = _drawn_pairs(groups, max_pairs, rng)
    preference = items.preference[item]
    differ = preference[first] != preference[second]
    first, second = first[differ], second[differ]
    wins = preference[first] > preference[second]
    better, worse = np.where(wins, first, second), np.where(wins, second, first)
    weight = np.log(items.weight[item]) - np.log(np.bincount(item)[item])
    weight = weight[better] + weight[worse]
    weight = _from_logarithms(weight)
    return Pairs(rows[better], rows[worse], weight, np.ones(len(better)))


def _voted_pairs(target, max_pairs, rng):
    """Return the pairs that were voted on, one for the votes for each of the two."""
    votes = target.votes
    ends = np.array([votes.first, votes.second])
    better, worse = np.hstack([ends, ends[::-1]])
    n_votes = np.append(votes.wins, votes.losses)
    counts = target.is_counted[better] & target.is_counted[worse] & (n_votes > 0)
    chosen = np.flatnonzero(counts)
    if max_pairs is not None and len(chosen) > max_pairs:
        chosen = rng.choice(chosen, size=max_pairs)
    better, worse = better[chosen], worse[chosen]
    weight = np.log(target.weight[better]) + np.log(target.weight[worse])
    weight += np.log(n_votes[chosen])
    return Pairs(better, worse, _from_logarithms(weight), n_votes[chosen])


def _from_logarithms(weight):
    """Return weights whose largest is 1.

    The product of two tiny or huge weights is not a number to sum.
    """
    return np.exp(weight - weight.max(initial=-np.inf))


def _drawn_pairs(groups, n_pairs, rng):
    """Return the positions of pairs of one segment, drawn with replacement."""
    share = groups.n_pairs / groups.n_pairs.sum()
    drawn = rng.choice(len(share), size=n_pairs, p=share)
    start, size = groups.start[drawn], groups.size[drawn]
    first = rng.randint(size)
    second = rng.randint(size - 1)
    second += second >= first
    return start + first, start + second
