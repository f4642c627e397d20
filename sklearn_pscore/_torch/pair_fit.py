"""Exact fits of weights by the pairwise logistic loss, in float64."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize

from sklearn_pscore._torch.losses.ranknet import sum_over_pairs
from sklearn_pscore._torch.losses.votes import PackedVotes, sum_over_votes
from sklearn_pscore._torch.packing import PackedGroups
from sklearn_pscore._torch.threads import one_blas_thread, one_torch_thread

# A search ends where no slope is above this share of the largest at the center. What it
# minimises bends by 1 or more in every direction, so that the weights are then off by no
# more than that share of the largest that they could be.
_TOLERANCE = 1e-9
# Up to this share, rounding may keep a search from going on, and it counts as ended.
_LOOSE_TOLERANCE = 1e-5
_MAX_ITERATIONS = 2000


class PairFit(NamedTuple):
    """Weights that minimise a pairwise logistic loss under a ridge penalty.

    Attributes
    ----------
    weights : ndarray of shape (n_columns,), float64
    n_iterations : int
    has_converged : bool
    """

    weights: np.ndarray
    n_iterations: int
    has_converged: bool


class PairLoss:
    """Mean pairwise logistic loss of items, in time linear in the items.

    A pair weighs the product of the weights of its items.

    Parameters
    ----------
    items : TrainingItems
        Comparable items, at least one pair. Their `ties` say whether ties count.
    group_weight : {"pairs", "sqrt", "equal"}
        What the pairs of a group weigh together.

    Attributes
    ----------
    n_pairs, n_groups : int
    n_judgements : float
        Pairs, or votes if there are any.
    """

    def __init__(self, items, group_weight):
        self._votes, self._ties = None, items.ties
        if items.votes is not None:
            self._votes = _votes_of(items)
            self.n_pairs = items.votes.n_pairs
            self.n_groups = items.n_groups
            counts = items.votes.wins + items.votes.losses
            if items.ties != "ignore":
                counts = counts + items.votes.ties
            self.n_judgements = float(counts.sum())
            return
        # Without the features, which a loss does not need.
        packed = PackedGroups(
            replace(items, table=np.empty((0, 0))),
            lambda group, preference: np.zeros(len(group)),
            group_weight=group_weight,
            ties=items.ties,
        )
        self.n_pairs, self.n_groups = packed.n_pairs, packed.n_groups
        self.n_judgements = packed.n_pairs
        self._order = torch.from_numpy(np.lexsort(_sort_keys(items)))
        weight = items.weight / items.weight.max()
        if packed.group_factor is not None:
            weight[self._order.numpy()] *= packed.group_factor
        contender = packed.contender
        self._target = {
            "level": torch.from_numpy(packed.level),
            "weight": torch.from_numpy(weight)[self._order],
            "sizes": torch.from_numpy(packed.sizes),
            "ties": items.ties,
            "contender": None if contender is None else torch.from_numpy(contender),
        }

    def __call__(self, scores, with_gradient=True):
        """Return the mean loss of scores, and its gradient or None.

        Parameters
        ----------
        scores : ndarray of shape (n_items,), float64
            In the order of the items.
        """
        if self._votes is not None:
            return self._of_votes(torch.from_numpy(scores), with_gradient)
        scores = torch.from_numpy(scores)[self._order]
        loss, slopes, weight = sum_over_pairs(
            scores[None], with_gradient=with_gradient, **self._target
        )
        gradient = None
        if with_gradient:
            gradient = torch.empty_like(scores)
            gradient[self._order] = slopes[0] / weight
            gradient = gradient.numpy()
        return float(loss / weight), gradient

    def _of_votes(self, scores, with_gradient):
        """Return the mean loss of scores over votes, and its gradient or None."""
        votes = self._votes
        loss, slopes, _, total = sum_over_votes(scores[None], votes, self._ties)
        gradient = None
        if with_gradient:
            gradient = torch.zeros_like(scores).index_add_(0, votes.first, slopes[0])
            gradient.index_add_(0, votes.second, slopes[0], alpha=-1.0)
            gradient = gradient.div_(total).numpy()
        return float(loss / total), gradient

    def fit(self, X, strength, *, center=None, not_negative=False, start=None):
        r"""Return the weights v of columns with the smallest loss under a ridge penalty.

        .. math:: strength \cdot loss(X v) + |v - center|^2 / 2

        is strictly convex, so there is one minimum, and L-BFGS-B finds it.

        Parameters
        ----------
        X : ndarray or sparse array of shape (n_items, n_columns), float64
        strength : float > 0
        center : ndarray of shape (n_columns,) or None, default=None
            None is 0.
        not_negative : bool, default=False
            Whether weights are at least 0, as those of the center.
        start : ndarray of shape (n_columns,) or None, default=None
            First weights of the search; None is the center.

        Returns
        -------
        fit : PairFit
        """
        center = np.zeros(X.shape[1]) if center is None else center

        def objective(v):
            loss, gradient = self(X @ v)
            pull = v - center
            value = strength * loss + pull @ pull / 2
            return value, strength * (X.T @ gradient) + pull

        # The algebra of the search is tiny, but threads that wait would take the
        # cores from the loss. One thread also adds up in one order.
        with one_blas_thread(), one_torch_thread():
            slope = np.abs(objective(center)[1]).max(initial=0.0)
            if slope == 0.0:
                return PairFit(center, 0, True)
            result = minimize(
                objective,
                center if start is None else start,
                jac=True,
                method="L-BFGS-B",
                bounds=[(0.0, None)] * len(center) if not_negative else None,
                options={
                    "maxiter": _MAX_ITERATIONS,
                    "maxfun": 2 * _MAX_ITERATIONS,
                    "maxcor": 20,
                    "ftol": 0.0,
                    "gtol": _TOLERANCE * slope,
                },
            )
        left = np.asarray(result.jac)
        if not_negative:
            # A weight that is held at 0 may be pushed below it.
            left = np.where(result.x > 0, left, np.minimum(left, 0.0))
        has_converged = np.abs(left).max() <= _LOOSE_TOLERANCE * slope
        return PairFit(result.x, int(result.nit), bool(has_converged))


def _votes_of(items):
    """Return the votes of items, weighed, in float64."""
    votes, weight = items.votes, items.weight / items.weight.max()
    factor = weight[votes.first] * weight[votes.second]
    counts = (factor * count for count in (votes.wins, votes.losses, votes.ties))
    columns = votes.first, votes.second, *counts
    return PackedVotes(*(torch.from_numpy(column) for column in columns))


def _sort_keys(items):
    """Return the keys by which PackedGroups sorts items, the last first."""
    keys = items.preference, items.group
    return (items.parents[:, 0], *keys) if items.ties == "half" else keys
