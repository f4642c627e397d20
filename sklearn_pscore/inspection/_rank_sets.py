"""Which systems differ, all at once, and the ranks that each may have."""

from dataclasses import dataclass

import numpy as np
import scipy.stats
from sklearn.covariance import ledoit_wolf_shrinkage

# Differences of a table of all draws at a time. Not measured.
_CELLS = 2**21


@dataclass(frozen=True)
class PairStatistics:
    """Differences of all pairs of systems.

    Attributes
    ----------
    difference : ndarray of shape (n, n), float
        Mean of the row's system less that of the column's.
    error : ndarray of shape (n, n), float
        Standard error of each difference; infinite if nothing tells it.
    normal : ndarray of shape (n, n), float
        Difference over error, on the scale of a normal variable: the quantile that
        Student's t has at it.
    """

    difference: np.ndarray
    error: np.ndarray
    normal: np.ndarray


def pair_statistics(mean, contrast, n_clusters, rounding, refits=None):
    """Return the differences of all pairs, with their errors.

    Parameters
    ----------
    mean : ndarray of shape (n,), float
    contrast : ndarray of shape (n_clusters, n), float
        Influences whose differences have the difference's variance as sum of squares.
    n_clusters : ndarray of shape (n,), int
        Of each system; the degrees of freedom of a pair are one less than the fewer.
    rounding : float
        Differences up to this are those of rounding, and zero.
    refits : ndarray of shape (n_refits, n), float, or None, default=None
        By how much each refit of the model moves the means. The mean of their squares
        is added, with degrees of freedom by Satterthwaite.

    Returns
    -------
    statistics : PairStatistics
    """
    difference = mean[:, None] - mean
    difference[np.abs(difference) <= rounding] = 0.0
    variance = variances(contrast)
    fewer = np.minimum(n_clusters[:, None], n_clusters)
    degrees = np.maximum(fewer - 1, 1)
    if refits is not None:
        of_model = variances(refits) / len(refits)
        degrees = satterthwaite(variance, degrees, of_model, len(refits) - 1)
        variance = variance + of_model
    error = np.sqrt(variance)
    error[error <= rounding] = 0.0
    error[fewer < 2] = np.inf
    with np.errstate(divide="ignore", invalid="ignore"):
        t = difference / error
    t[difference == 0] = 0.0
    normal = np.sign(t) * scipy.stats.norm.isf(scipy.stats.t.sf(np.abs(t), degrees))
    return PairStatistics(difference, error, normal)


def satterthwaite(first, first_degrees, second, second_degrees):
    """Return the degrees of freedom of the sum of two independent variances."""
    largest = np.maximum(first, second)
    largest = np.where(largest > 0, largest, 1.0)
    first, second = first / largest, second / largest
    total = (first + second) ** 2
    parts = first**2 / first_degrees + second**2 / second_degrees
    return np.where(parts > 0, total / np.where(parts > 0, parts, 1.0), first_degrees)


def variances(parts):
    """Return the sums of squares of the differences of all pairs of columns."""
    gram = parts.T @ parts
    own = np.diag(gram)
    return np.maximum(own[:, None] + own - 2 * gram, 0.0)


def smoothed_draws(contrast, deviation, rng):
    r"""Return draws whose correlations are less those of these very clusters.

    A few clusters show systems as more alike than they are, and the largest of all
    differences would be too small. So a share :math:`\lambda` of the variance of each
    system is drawn by itself, with the share that Ledoit and Wolf derive for
    correlations from as many clusters. With many clusters it goes to zero, unless the
    systems are uncorrelated anyway. It is at least two over the clusters less one, for
    benchmarks/inspection/coverage.py finds sets too small with two or three clusters
    otherwise.

    Parameters
    ----------
    contrast : ndarray of shape (n_clusters, n), float
    deviation : ndarray of shape (n_boot, n), float
        Sums of its rows over the clusters of each draw.
    rng : RandomState

    Returns
    -------
    deviation : ndarray of shape (n_boot, n), float
    variance : ndarray of shape (n, n), float
        Of the differences of these draws.
    """
    spread = np.sqrt(np.sum(contrast**2, axis=0))
    if not spread.any():
        return deviation, variances(contrast)
    alike = np.divide(contrast, spread, out=np.zeros_like(contrast), where=spread > 0)
    alike *= np.sqrt(len(alike))
    share = ledoit_wolf_shrinkage(alike, assume_centered=True)
    # Two clusters make all systems alike, which no estimate can tell from the truth.
    share = np.clip(share, min(2 / (len(alike) - 1), 1.0), 1.0)
    own = spread * rng.standard_normal(deviation.shape)
    both = spread[:, None] ** 2 + spread**2
    np.fill_diagonal(both, 0.0)
    return (
        np.sqrt(1 - share) * deviation + np.sqrt(share) * own,
        (1 - share) * variances(contrast) + share * both,
    )


def differing(normal, deviation, error, level):
    """Tell which systems are better than which, with an error for all pairs together.

    The limit of a difference over its error is the quantile over draws of the largest
    one among the pairs that have not been told apart, in both orders. Pairs above it
    are told apart, and the limit is taken anew without them, until there is no other
    (Romano and Wolf's step-down).

    Parameters
    ----------
    normal : ndarray of shape (n, n), float
        Of each pair, see :class:`PairStatistics`.
    deviation : ndarray of shape (n_boot, n), float
        Of each system in each draw.
    error : ndarray of shape (n, n), float
        Standard deviation of the differences of the draws.
    level : float

    Returns
    -------
    is_better : ndarray of shape (n, n), bool
        Whether the row's system is better than the column's.
    limit : float
        The last one, on the scale of a normal variable.
    """
    with np.errstate(divide="ignore"):
        precision = np.where(error > 0, 1 / error, 0.0)
    is_open = ~np.eye(len(precision), dtype=bool)
    is_better = np.zeros_like(is_open)
    while True:
        largest = _largest(deviation, np.where(is_open, precision, 0.0))
        limit = float(np.quantile(largest, level, method="higher"))
        found = is_open & (normal > limit)
        is_better |= found
        is_open &= ~found
        if not found.any():
            return is_better, limit


def rank_sets(is_better):
    """Return the lowest and highest rank of each system, 1 is the best.

    Parameters
    ----------
    is_better : ndarray of shape (n, n), bool

    Returns
    -------
    lowest, highest : ndarray of shape (n,), int
    """
    return 1 + is_better.sum(axis=0), len(is_better) - is_better.sum(axis=1)


def shares_above(mean, deviation, rounding):
    """Return the share of draws in which one system is above another; ties are half.

    Parameters
    ----------
    mean : ndarray of shape (n,), float
    deviation : ndarray of shape (n_boot, n), float
    rounding : float
        Differences up to this are ties.

    Returns
    -------
    share : ndarray of shape (n, n), float
        Of the row's system above the column's.
    """
    n_above = np.zeros((len(mean), len(mean)))
    for part in _parts(deviation):
        drawn = mean + part
        n_above += np.sum(drawn[:, :, None] - drawn[:, None] > rounding, axis=0)
    return (n_above + len(deviation) - n_above.T) / (2 * len(deviation))


def _largest(deviation, precision):
    """Return the largest difference over its error in each draw."""
    return np.concatenate(
        [
            np.max((part[:, :, None] - part[:, None]) * precision, axis=(1, 2))
            for part in _parts(deviation)
        ]
    )


def _parts(deviation):
    """Yield runs of draws whose tables of differences fit into memory."""
    size = max(1, _CELLS // deviation.shape[1] ** 2)
    for start in range(0, len(deviation), size):
        yield deviation[start : start + size]
