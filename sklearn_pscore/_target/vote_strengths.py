"""Strengths of the items of each group by its votes, for many groups at once."""

import numpy as np
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import cg
from scipy.special import expit

# Penalty on squared strengths, halved: so weak that ten votes outweigh it, and strong
# enough that an undefeated item has a strength. Not measured.
_PRIOR = 0.1
_MAX_ITERATIONS = 50
# Strengths are logarithms, of some units: closer is rounding.
_TOLERANCE = 1e-12
_TOLERANCE_OF_PAIRS = 1e-10
# Strengths that only rounding tells apart are equal.
_DECIMALS = 9
# Entries of the matrices of one batch of groups.
_MOST_ENTRIES = 2**22
# Groups of more items go through their pairs, not through a matrix of all.
_LARGEST_DENSE = 1000


def strengths_in_groups(votes, group):
    r"""Return the Bradley-Terry strength of each row among those of its group.

    Within each group they minimise

    .. math:: -\sum_{i, j} w_{ij} \log \sigma(\theta_i - \theta_j) + 0.05 |\theta|^2

    with :math:`w_{ij}` the wins of i over j, a tie as half a win for each [1]_. The
    penalty lets undefeated items have a strength.

    Parameters
    ----------
    votes : PairVotes
        Of rows; both of a pair are of one group.
    group : ndarray of shape (n_rows,), int >= 0

    Returns
    -------
    strength : ndarray of shape (n_rows,), float
        Larger is preferred; their mean is 0 in each group. NaN for a row without votes.

    References
    ----------
    .. [1] Bradley, Terry, "Rank analysis of incomplete block designs", Biometrika
       39, 1952, doi:10.2307/2334029.
    """
    votes = votes.of(votes.votes > 0)
    strength = np.full(len(group), np.nan)
    if not len(votes):
        return strength
    rows = np.unique(np.concatenate([votes.first, votes.second]))
    rows = rows[np.argsort(group[rows], kind="stable")]
    codes = np.unique(group[rows], return_inverse=True)[1]
    sizes = np.bincount(codes)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    of_row = np.full(len(group), -1)
    of_row[rows] = np.arange(len(rows))
    first, second = of_row[votes.first], of_row[votes.second]
    counts = votes.wins + votes.ties / 2, votes.losses + votes.ties / 2
    for group in np.flatnonzero(sizes > _LARGEST_DENSE):
        chosen = codes == group
        pairs = codes[first] == group
        ends = place[first[pairs]], place[second[pairs]]
        fitted = _fitted_sparse(*ends, *(c[pairs] for c in counts), sizes[group])
        strength[rows[chosen]] = fitted
    for size in np.unique(sizes[sizes <= _LARGEST_DENSE]):
        groups = np.flatnonzero(sizes == size)
        n_at_a_time = max(1, _MOST_ENTRIES // size**2)
        for start in range(0, len(groups), n_at_a_time):
            some = groups[start : start + n_at_a_time]
            number = np.full(len(sizes), -1)
            number[some] = np.arange(len(some))
            is_some = number[codes[first]] >= 0
            matrix = np.zeros((len(some), size, size))
            a, b = first[is_some], second[is_some]
            at = number[codes[a]]
            wins, losses = (count[is_some] for count in counts)
            np.add.at(matrix, (at, place[a], place[b]), wins)
            np.add.at(matrix, (at, place[b], place[a]), losses)
            fitted = _fitted(matrix)
            chosen = np.flatnonzero(number[codes] >= 0)
            strength[rows[chosen]] = fitted[number[codes[chosen]], place[chosen]]
    return strength


def _fitted(wins):
    """Return the strengths of matrices of wins, shape (n_groups, n_items)."""
    n_groups, n_items = wins.shape[:2]
    total = wins + wins.swapaxes(1, 2)
    theta = np.zeros((n_groups, n_items))
    diagonal = np.arange(n_items)
    active = np.arange(n_groups)
    for _ in range(_MAX_ITERATIONS):
        t, w, n = theta[active], wins[active], total[active]
        proba = expit(t[:, :, None] - t[:, None, :])
        slope = (w - n * proba).sum(axis=2) - _PRIOR * t
        curvature = n * proba * (1 - proba)
        hessian = -curvature
        hessian[:, diagonal, diagonal] += curvature.sum(axis=2) + _PRIOR
        step = np.linalg.solve(hessian, slope[..., None])[..., 0]
        # A full step may leave the region in which the quadratic form holds.
        longest = np.abs(step).max(axis=1)
        step *= (2.0 / np.maximum(longest, 2.0))[:, None]
        theta[active] += step
        active = active[longest > _TOLERANCE]
        if not len(active):
            break
    return _centred(theta)


def _fitted_sparse(first, second, wins, losses, n_items):
    """Return the strengths of the items of one group, by its pairs."""
    total = wins + losses
    theta = np.zeros(n_items)
    places = np.concatenate([first, second]), np.concatenate([second, first])
    for _ in range(_MAX_ITERATIONS):
        proba = expit(theta[first] - theta[second])
        surplus = wins - total * proba
        slope = np.bincount(first, surplus, n_items)
        slope -= np.bincount(second, surplus, n_items) + _PRIOR * theta
        bend = np.tile(total * proba * (1 - proba), 2)
        diagonal = np.bincount(places[0], bend, n_items) + _PRIOR
        off = coo_array((-bend, places), (n_items, n_items)).tocsr()
        hessian = off + diags_array(diagonal)
        scaled = diags_array(1 / diagonal)
        step, _ = cg(hessian, slope, rtol=1e-13, maxiter=10 * n_items, M=scaled)
        longest = np.abs(step).max()
        theta += step * (2.0 / max(longest, 2.0))
        if longest <= _TOLERANCE_OF_PAIRS:
            break
    return _centred(theta[None])[0]


def _centred(theta):
    """Return strengths whose mean is 0; those that only rounding tells apart equal."""
    theta = theta - theta.mean(axis=1, keepdims=True)
    return np.round(theta, _DECIMALS) + 0.0
