"""Strengths of items by the votes of pairs: the model of Bradley and Terry."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array, hstack
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

_MAX_ITERATIONS = 100
_TOLERANCE = 1e-10
# A longer step may leave the region in which the quadratic form holds.
_LONGEST_STEP = 3.0


@dataclass(frozen=True)
class StrengthFit:
    """Strengths that are most likely, and how sure they are.

    Attributes
    ----------
    strength : ndarray of shape (n_items,), float
        Their mean is 0.
    coef : ndarray of shape (n_columns,), float
        Worth of the columns beside the items.
    log_nu : float or None
        Logarithm of how common ties are, with "davidson".
    covariance : ndarray of shape (n_items + n_columns, n_items + n_columns)
        Sandwich estimate: of the centred strengths, then of the worths.
    log_likelihood : float
    n_iterations : int
    has_converged : bool
    """

    strength: np.ndarray
    coef: np.ndarray
    log_nu: float | None
    covariance: np.ndarray
    log_likelihood: float
    n_iterations: int
    has_converged: bool


class StrengthModel:
    r"""Log likelihood of votes, given the strengths of items.

    With d the difference of the two strengths plus the worth of the columns,
    "half" has P(win) = 1 / (1 + exp(-d)), a tie as half a win for each [1]_;
    "davidson" has win, loss and tie in proportion to exp(d / 2), exp(-d / 2) and nu [2]_.

    Parameters
    ----------
    votes : PairVotes
        Of items.
    n_items : int
    columns : ndarray of shape (n_pairs, n_columns), float
        What adds to d beside the strengths.
    ties : {"half", "davidson"}
    l2 : float
        Penalty: l2 / 2 times the sum of squared strengths.

    References
    ----------
    .. [1] Bradley, Terry, "Rank analysis of incomplete block designs", Biometrika
       39, 1952, doi:10.2307/2334029.
    .. [2] Davidson, "On extending the Bradley-Terry model to accommodate ties in
       paired comparison experiments", JASA 65, 1970, doi:10.2307/2283595.
    """

    def __init__(self, votes, n_items, columns, ties, l2):
        self.votes = votes
        self.n_items = n_items
        self.has_nu = ties == "davidson" and bool(np.any(votes.ties > 0))
        self.ties = ties
        self.l2 = l2
        n_pairs = len(votes)
        sign = np.repeat([1.0, -1.0], n_pairs)
        place = (
            np.tile(np.arange(n_pairs), 2),
            np.concatenate([votes.first, votes.second]),
        )
        items = coo_array((sign, place), (n_pairs, n_items))
        self.design = hstack([items, csr_array(columns)], format="csr")

    def fit(self):
        """Return the :class:`StrengthFit`, found by Newton's method."""
        theta = np.zeros(self.design.shape[1] + self.has_nu)
        has_converged = False
        n_iterations = 0
        while n_iterations < _MAX_ITERATIONS and not has_converged:
            n_iterations += 1
            slope, curvature = self._derivatives(theta)
            step = np.linalg.solve(self._bounded(curvature), slope)
            step *= min(1.0, _LONGEST_STEP / max(np.abs(step).max(), 1e-300))
            value = self._objective(theta)
            # Half a step always helps in the end, for the function is concave.
            while self._objective(theta + step) < value - 1e-9 * abs(value):
                step /= 2
            theta = theta + step
            has_converged = bool(np.abs(step).max() < _TOLERANCE)
        return n_iterations, has_converged, theta

    def covariance(self, theta, cluster):
        """Return the sandwich covariance of the parameters.

        Parameters
        ----------
        theta : ndarray
        cluster : ndarray of shape (n_pairs,), int, or None
            Pairs of one cluster may depend on one another; None takes every vote for
            independent.
        """
        bread = np.linalg.inv(self._bounded(self._derivatives(theta)[1]))
        if cluster is None:
            meat = sum(
                (rows.T @ diags_array(count) @ rows)
                for rows, count in self._slopes_of_outcomes(theta)
            )
        else:
            score = sum(
                diags_array(count) @ rows
                for rows, count in self._slopes_of_outcomes(theta)
            )
            place = cluster, np.arange(len(cluster))
            sums = coo_array((np.ones(len(cluster)), place)).tocsr() @ score
            meat = sums.T @ sums
            n = int(cluster.max()) + 1
            meat = meat * (n / max(n - 1, 1))
        meat = meat.toarray()
        return bread @ meat @ bread

    def log_likelihood(self, theta):
        """Return the log likelihood of all votes, without the penalty."""
        win, loss, tie = self._log_probabilities(theta)
        votes = self.votes
        return float(votes.wins @ win + votes.losses @ loss + votes.ties @ tie)

    def _bounded(self, curvature):
        """Return the curvature with one along a shift of all strengths, which has none."""
        n = self.n_items
        bounded = curvature.copy()
        bounded[:n, :n] += np.trace(curvature[:n, :n]) / n**2 if self.l2 == 0 else 0.0
        return bounded

    def _objective(self, theta):
        strength = theta[: self.n_items]
        return self.log_likelihood(theta) - self.l2 / 2 * strength @ strength

    def _difference(self, theta):
        return self.design @ theta[: self.design.shape[1]]

    def _log_probabilities(self, theta):
        """Return the logarithms of P(win), P(loss) and P(tie) of each pair."""
        d = self._difference(theta)
        win, loss = -np.logaddexp(0, -d), -np.logaddexp(0, d)
        if not self.has_nu:
            # A tie is half a win for each.
            return win, loss, (win + loss) / 2
        total = np.logaddexp(np.logaddexp(d / 2, -d / 2), theta[-1])
        return d / 2 - total, -d / 2 - total, theta[-1] - total

    def _slopes_of_outcomes(self, theta):
        """Yield the slopes of one win, loss and tie of each pair, and their numbers."""
        votes = self.votes
        d = self._difference(theta)
        if not self.has_nu:
            chance = expit(d)
            for value, count in ((1, votes.wins), (0, votes.losses), (0.5, votes.ties)):
                yield diags_array(value - chance) @ self.design, count
            return
        win, loss, tie = map(np.exp, self._log_probabilities(theta))
        expected = (win - loss) / 2
        for value, is_tie, count in (
            (0.5, 0, votes.wins),
            (-0.5, 0, votes.losses),
            (0.0, 1, votes.ties),
        ):
            rows = diags_array(value - expected) @ self.design
            of_nu = csr_array((is_tie - tie)[:, None])
            yield hstack([rows, of_nu], format="csr"), count

    def _products(self, weight):
        """Return the weighted products of the columns of the design."""
        return (self.design.T @ diags_array(weight) @ self.design).toarray()

    def _derivatives(self, theta):
        """Return slope and negative curvature of the objective."""
        votes, design = self.votes, self.design
        n = votes.votes
        d = self._difference(theta)
        if not self.has_nu:
            chance = expit(d)
            slope = design.T @ (votes.wins + votes.ties / 2 - n * chance)
            curvature = self._products(n * chance * (1 - chance))
        else:
            win, loss, tie = map(np.exp, self._log_probabilities(theta))
            slope = np.append(
                design.T @ ((votes.wins - votes.losses - n * (win - loss)) / 2),
                np.sum(votes.ties - n * tie),
            )
            bend = n * (win + loss - (win - loss) ** 2) / 4
            mixed = -n * tie * (win - loss) / 2
            own = self._products(bend)
            column = design.T @ mixed
            corner = np.sum(n * tie * (1 - tie))
            curvature = np.block([[own, column[:, None]], [column[None], corner]])
        items = np.arange(self.n_items)
        slope[items] -= self.l2 * theta[items]
        curvature[items, items] += self.l2
        return slope, curvature


def fit_strengths(votes, n_items, *, columns=None, ties="half", l2=0.0, cluster=None):
    """Return the most likely strengths of items.

    Parameters
    ----------
    votes : PairVotes
    n_items : int
    columns : ndarray of shape (n_pairs, n_columns) or None, default=None
    ties : {"half", "davidson"}, default="half"
    l2 : float, default=0.0
        With 0 the items must be connected both ways, see :func:`unbounded_items`.
    cluster : ndarray of shape (n_pairs,), int, or None, default=None

    Returns
    -------
    fit : StrengthFit
    """
    columns = np.zeros((len(votes), 0)) if columns is None else columns
    model = StrengthModel(votes, n_items, columns, ties, l2)
    n_iterations, has_converged, theta = model.fit()
    covariance = model.covariance(theta, cluster)
    n_free = n_items + columns.shape[1]
    center = np.eye(len(theta))[:n_free]
    center[:n_items, :n_items] -= 1 / n_items
    strength = theta[:n_items] - theta[:n_items].mean()
    return StrengthFit(
        strength=strength,
        coef=theta[n_items:n_free],
        log_nu=float(theta[-1]) if model.has_nu else None,
        covariance=center @ covariance @ center.T,
        log_likelihood=model.log_likelihood(theta),
        n_iterations=n_iterations,
        has_converged=has_converged,
    )


def unbounded_items(votes, n_items):
    """Return the items whose strength no votes bound, and the number of parts.

    Strengths are finite if every item has won, or tied, against the items around it,
    so that a path of wins leads from each to each (Ford, "Solution of a ranking problem
    from binary comparisons", 1957).

    Parameters
    ----------
    votes : PairVotes
    n_items : int

    Returns
    -------
    items : ndarray of int
        Those outside of the largest part in which all are so connected.
    n_parts : int
        Parts that no vote connects.
    """
    beats = votes.wins + votes.ties > 0
    is_beaten = votes.losses + votes.ties > 0
    rows = np.concatenate([votes.first[beats], votes.second[is_beaten]])
    columns = np.concatenate([votes.second[beats], votes.first[is_beaten]])
    edges = coo_array((np.ones(len(rows)), (rows, columns)), (n_items, n_items))
    _, strong = connected_components(edges, connection="strong")
    n_parts, _ = connected_components(edges, directed=False)
    largest = np.argmax(np.bincount(strong))
    return np.flatnonzero(strong != largest), int(n_parts)
