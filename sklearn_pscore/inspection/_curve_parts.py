"""What curves are made of, whichever way they were found: points, draws, spread."""

from dataclasses import dataclass

import numpy as np
import scipy.stats

# Ends of the central range of a metric, as shares of its values.
CENTRAL = 0.05, 0.95
# Two-sided level at which a difference is no chance.
_LEVEL = 0.95
# Sizes below this share of the largest value are those of constants.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Spread:
    """How draws of a curve tell its standard error.

    Attributes
    ----------
    factor : float
        Ratio of the standard error to the standard deviation over draws; NaN if there
        is no way to tell.
    n_draws : int
    of : str
        What was drawn, in words.
    """

    factor: float
    n_draws: int
    of: str

    def error(self, draws):
        """Return the standard error, over the first axis of some draws."""
        if np.isnan(self.factor):
            return np.full(draws.shape[1:], np.nan)
        return self.factor * draws.std(axis=0, ddof=1)

    def limit(self, draws):
        """Return what a difference must be above not to be chance; 0 if unknown."""
        if np.isnan(self.factor):
            return 0.0
        quantile = scipy.stats.t.ppf((1 + _LEVEL) / 2, self.n_draws - 1)
        return float(quantile * self.error(draws))


@dataclass(frozen=True)
class CurveParts:
    """The curves of all metrics, centred over the rows that count.

    Attributes
    ----------
    points : list of ndarray of shape (n_points,)
        Values of each metric, ascending; empty if it is always missing.
    worth : list of ndarray of shape (n_points,)
    draws : list of ndarray of shape (n_draws, n_points)
    missing : ndarray of shape (n_metrics,)
        Worth of a missing value, NaN if none is missing.
    missing_draws : ndarray of shape (n_draws, n_metrics)
    at_rows : ndarray of shape (n_rows, n_metrics)
        Worth of each value of the rows that count.
    size_draws : ndarray of shape (n_draws, n_metrics)
        Standard deviations inside groups of the worths of each draw.
    spread : Spread
    method : str
    """

    points: list
    worth: list
    draws: list
    missing: np.ndarray
    missing_draws: np.ndarray
    at_rows: np.ndarray
    size_draws: np.ndarray
    spread: Spread
    method: str


@dataclass(frozen=True)
class InGroups:
    """Deviations from the mean of the group.

    Attributes
    ----------
    group : ndarray of shape (n_rows,), int
        Numbers 0, 1, ... without a gap.
    """

    group: np.ndarray

    def deviation(self, values):
        """Return the deviations of values, (n_rows,) or (n_rows, n_columns)."""
        order = np.argsort(self.group, kind="stable")
        first = np.flatnonzero(np.diff(self.group[order], prepend=-1))
        sums = np.add.reduceat(values[order], first, axis=0)
        size = np.bincount(self.group)
        return values - (sums.T / size).T[self.group]

    def size(self, values):
        """Return the standard deviations inside groups of values, (n_columns,)."""
        n_free = len(self.group) - (self.group.max() + 1)
        deviation = self.deviation(values)
        size = np.sqrt(np.sum(deviation**2, axis=0) / n_free)
        # Of a constant, only rounding is left.
        largest = np.abs(values).max(axis=0)
        return np.where(size <= _ROUNDING * largest, 0.0, size)


def points_of(values, n_points, extra):
    """Return values of a metric to evaluate its curve at.

    All distinct ones where there are no more than `n_points`, else their quantiles; and
    the ends of the central range.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        NaN where it is missing.
    n_points : int
    extra : ndarray
        Further ones.
    """
    present = values[~np.isnan(values)]
    if not len(present):
        return np.empty(0)
    distinct = np.unique(present)
    if len(distinct) > n_points:
        distinct = np.quantile(distinct, np.linspace(0, 1, n_points))
    points = np.union1d(distinct, central_range(present))
    # A kink at a value, but for rounding, is no point of its own.
    near = points[np.abs(np.subtract.outer(extra, points)).argmin(axis=1)]
    apart = np.abs(extra - near) > _ROUNDING * (points[-1] - points[0])
    return np.union1d(points, extra[apart])


def central_range(present):
    """Return the ends of the range that holds the middle of some values."""
    return np.quantile(present, CENTRAL, method="inverted_cdf")
