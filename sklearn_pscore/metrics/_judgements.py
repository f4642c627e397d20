"""Judgements of pairs: votes, or the pairs that preferences make."""

import math
from dataclasses import dataclass

import numpy as np

from sklearn_pscore._segments import Segments
from sklearn_pscore.metrics._checks import check_choice
from sklearn_pscore.metrics._items import item_scores
from sklearn_pscore.metrics._order import stable_order
from sklearn_pscore.metrics._pairs import pair_weights

TIES = ("drop", "half")
# Pairs that are listed at most, some 5 GB.
_MOST_PAIRS = 10**8


@dataclass(frozen=True)
class Judgements:
    """Judgements of pairs of items, sorted by group.

    The order inside a group depends on no order of the rows.

    Attributes
    ----------
    groups : Segments
        Groups with a judgement, as segments of the pairs.
    code : ndarray of shape (n_judged,), int
        Index of each of them among all groups of the target.
    n_groups : int
        Number of all groups of the target.
    difference : ndarray of shape (n_pairs,), float
        Score of the first item less that of the second.
    wins, losses, ties : ndarray of shape (n_pairs,), float
        Weight of the judgements for the first, the second, and neither.
    are_votes : bool
        Whether a mean over groups weighs them by their judgements.
    """

    groups: Segments
    code: np.ndarray
    n_groups: int
    difference: np.ndarray
    wins: np.ndarray
    losses: np.ndarray
    ties: np.ndarray
    are_votes: bool

    def mean(self, of_win, of_loss, *, ties, average):
        """Return the mean of values over the judgements, or that of each group.

        Parameters
        ----------
        of_win, of_loss : ndarray of shape (n_pairs,), float
            Value of a win and of a loss of the first item.
        ties : {"drop", "half"}
            Whether a tie is no judgement, or half a win and half a loss.
        average : bool

        Returns
        -------
        mean : float or ndarray of shape (n_groups,)
        """
        half = self.ties / 2 if ties == "half" else 0.0
        wins, losses = self.wins + half, self.losses + half
        total = self._sums(wins + losses)
        sums = self._sums(wins * of_win + losses * of_loss)
        if not average:
            values = np.full(self.n_groups, np.nan)
            is_judged = total > 0
            values[self.code[is_judged]] = sums[is_judged] / total[is_judged]
            return values
        if self.are_votes:
            return math.fsum(sums) / math.fsum(total)
        values = sums[total > 0] / total[total > 0]
        return math.fsum(values) / len(values)

    def has_judgement(self, ties):
        """Tell whether a judgement counts."""
        counts = self.wins + self.losses + (self.ties if ties == "half" else 0.0)
        return bool(np.any(counts > 0))

    def _sums(self, values):
        return self.groups.sum(values)


def judgements_of(target, y_score, ties, caller):
    """Return the judgements of a target, at least one.

    Parameters
    ----------
    target : RankingTarget
    y_score : ndarray of shape (n_rows,), float
    ties : {"drop", "half"}
    caller : str
        Name of the metric, for the messages.

    Returns
    -------
    judgements : Judgements

    Raises
    ------
    ValueError
        If there is none, or there are more pairs than can be listed.
    """
    check_choice(ties, TIES, "ties", caller)
    if target.votes is not None:
        judgements = _of_votes(target, y_score)
    else:
        judgements = _of_preferences(target, y_score, caller)
    if not judgements.has_judgement(ties):
        what = "votes for one of two items" if target.votes is not None else "pairs"
        raise ValueError(
            f"No judgements: {caller} found no {what} that count in the "
            f"{target.n_groups} groups; expected at least one of two items of one group "
            "that people prefer one of. Check the labels, the outcomes and the weights."
        )
    return judgements


def _of_votes(target, y_score):
    """Return the votes between the rows that count."""
    votes = target.votes
    weight = np.where(target.is_counted, target.weight, 0.0)
    factor = weight[votes.first] * weight[votes.second]
    votes, factor = votes.of(factor > 0), factor[factor > 0]
    difference = y_score[votes.first] - y_score[votes.second]
    wins, losses = votes.wins * factor, votes.losses * factor
    # The item with the larger score is the first: which of the two was it says nothing.
    turned = (difference < 0) | ((difference == 0) & (losses > wins))
    wins, losses = np.where(turned, losses, wins), np.where(turned, wins, losses)
    return _sorted(
        target,
        target.group[votes.first],
        np.abs(difference),
        wins,
        losses,
        votes.ties * factor,
        are_votes=True,
    )


def _of_preferences(target, y_score, caller):
    """Return the pairs of the items, each of one judgement."""
    items = target.items
    score = item_scores(target, y_score)
    # Items that agree in all of these are the same for every sum.
    order = stable_order(score, items.weight, -items.preference, items.group)
    group, preference = items.group[order], items.preference[order]
    weight, score = items.weight[order], score[order]
    size = np.bincount(group, minlength=target.n_groups)
    n_pairs = size * (size - 1) // 2
    if n_pairs.sum() > _MOST_PAIRS:
        raise ValueError(
            f"groups has {n_pairs.sum():,} pairs of items; {caller} lists them, and takes "
            f"at most {_MOST_PAIRS:,}. Pass fewer rows."
        )
    of_group = Segments(size[size > 0])
    weight = pair_weights(weight, of_group)
    first, second = of_group.pairs()
    both = weight[first] * weight[second]
    # The first is the preferred one, or they tie.
    is_tie = preference[first] == preference[second]
    return _sorted(
        target,
        group[first],
        score[first] - score[second],
        np.where(is_tie, 0.0, both),
        np.zeros(len(first)),
        np.where(is_tie, both, 0.0),
        are_votes=False,
    )


def _sorted(target, group, *columns, are_votes):
    order = np.lexsort((*columns, group))
    group, columns = group[order], [column[order] for column in columns]
    groups = Segments.of_equal(group)
    return Judgements(
        groups, group[groups.start], target.n_groups, *columns, are_votes=are_votes
    )
