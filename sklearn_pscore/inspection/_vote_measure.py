"""Metrics of votes on many copies of the same items, with other scores or weights."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from sklearn_pscore._segments import Segments
from sklearn_pscore.metrics import (
    pairwise_accuracy_score,
    pairwise_brier_score,
    pairwise_log_loss,
)

# What a vote for the first item is worth, by how far its score is above that of the
# second one. The means are over all votes, so a group weighs its votes.
_OF_WIN = {
    pairwise_accuracy_score: lambda above: np.heaviside(above, 0.5),
    pairwise_log_loss: lambda above: np.logaddexp(0.0, -above),
    pairwise_brier_score: lambda above: expit(-above) ** 2,
}


@dataclass(frozen=True)
class VoteMeasure:
    """Votes between items, sorted by group.

    Attributes
    ----------
    metric : callable
        Key of the table above.
    groups : Segments
        Groups that have votes, as segments of the pairs.
    first, second : ndarray of shape (n_pairs,), int
        Items of each pair.
    wins, losses : ndarray of shape (n_pairs,), float
        Votes for the first and for the second, those for neither shared out.
    """

    metric: object
    groups: Segments
    first: np.ndarray
    second: np.ndarray
    wins: np.ndarray
    losses: np.ndarray

    @classmethod
    def of(cls, metric, options, target):
        """Return the votes of a target, None if the metric is not one of votes.

        Returns
        -------
        measure : VoteMeasure or None
            Of the items of the target, by their index.
        """
        votes = target.votes
        if votes is None or metric not in _OF_WIN:
            return None
        row_item = target.items.row_item
        first, second = row_item[votes.first], row_item[votes.second]
        half = votes.ties / 2 if options.get("ties") == "half" else 0.0
        wins, losses = votes.wins + half, votes.losses + half
        counts = (first >= 0) & (second >= 0) & (wins + losses > 0)
        order = np.flatnonzero(counts)
        if not len(order):
            raise ValueError(
                f"The target has {len(votes)} pairs with votes, and no votes for one of "
                "two items that count; expected at least one. Check the outcomes and the "
                "weights."
            )
        group = target.items.group[first[order]]
        order = order[np.argsort(group, kind="stable")]
        columns = (each[order] for each in (first, second, wins, losses))
        return cls(metric, Segments.of_equal(np.sort(group)), *columns)

    @property
    def items(self):
        """Items that a vote is about, ascending."""
        return np.unique([self.first, self.second])

    def numbered(self, items):
        """Return the measure of the items at some places, which are numbered anew."""
        number = np.full(int(items.max()) + 1, -1)
        number[items] = np.arange(len(items))
        ends = number[self.first], number[self.second]
        return VoteMeasure(self.metric, self.groups, *ends, self.wins, self.losses)

    def values(self, scores, weight):
        """Return the metric of each group, for each row of scores and weights.

        Parameters
        ----------
        scores : ndarray of shape (n_copies, n_items), float
        weight : ndarray of shape (n_copies, n_items) or (1, n_items), float

        Returns
        -------
        values : ndarray of shape (n_copies, n_groups), float
            NaN where no vote is left.
        """
        of_win = _OF_WIN[self.metric]
        above = scores[:, self.first] - scores[:, self.second]
        wins, losses = self._weighted(weight)
        total = self._sums(wins + losses)
        sums = self._sums(wins * of_win(above) + losses * of_win(-above))
        with np.errstate(invalid="ignore", divide="ignore"):
            return sums / total

    def group_weight(self, weight):
        """Return the weight of the votes of each group.

        Parameters
        ----------
        weight : ndarray of shape (n_items,), float
        """
        wins, losses = self._weighted(weight[None])
        return self._sums(wins + losses)[0]

    def _weighted(self, weight):
        factor = weight[:, self.first] * weight[:, self.second]
        return self.wins * factor, self.losses * factor

    def _sums(self, values):
        return np.add.reduceat(values, self.groups.start, axis=1)
