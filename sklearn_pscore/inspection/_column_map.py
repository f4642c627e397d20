"""From the user's columns to those that the ranker at the end of a pipeline sees."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from sklearn_pscore.inspection._metric_table import MetricTable
from sklearn_pscore.metrics._models import inner_estimator, transformed

# Values that are compared at a time, and in all; rows to shuffle. Not measured.
_VALUES_AT_A_TIME, _MOST_COMPARED = 2**22, 2**28
_FEWEST_ROWS, _MOST_ROWS = 100, 2_000
# Differences are rounding below this share of how far a value is from the middle, or
# others are most often, and below this share of the value itself.
_ROUNDING, _LAST_BITS = 1e-9, 1e-14
# Halvings in which a kink is found: all bits of a float64.
_HALVINGS = 60


def innermost(estimator):
    """Return the model that all predictions come from, and not what is handed on to it."""
    while (inner := inner_estimator(estimator)) is not None:
        estimator = inner
    return estimator


def handed_on(estimator, X):
    """Return `X` as the innermost model gets it, from all pipelines around it."""
    while (inner := inner_estimator(estimator)) is not None:
        X, estimator = transformed(estimator, X), inner
    return X


@dataclass(frozen=True)
class ColumnMap:
    """Which metric each column of the ranker is made of.

    Attributes
    ----------
    estimator : estimator
    table : MetricTable
    owner : ndarray of shape (n_columns,), int
        Metric that the column depends on, -1 for a column that is constant.
    """

    estimator: object
    table: MetricTable
    owner: np.ndarray

    @classmethod
    def found(cls, estimator, table):
        """Return the map, None if a column depends on several metrics.

        The values of each metric are shuffled by themselves. A column of the ranker
        that comes out in the order of one metric depends on no other; this holds
        for every transformer, and asks it for nothing but ``transform``.

        Parameters
        ----------
        estimator : estimator
        table : MetricTable
        """
        # Any order does, so that the caller's generator is not drawn from.
        rng = np.random.RandomState(0)
        values = table.values[_rows_to_try(table.values, rng)]
        n_rows = len(values)
        orders = [
            np.argsort(rng.random_sample(values.shape), axis=0)
            for _ in range(-(-_FEWEST_ROWS // n_rows))
        ]
        order = np.concatenate(orders)
        mixed = np.take_along_axis(values, order, axis=0)
        here, there = (
            _floats(handed_on(estimator, table.like(each))) for each in (values, mixed)
        )
        owner = np.full(here.shape[1], -1)
        for column, (before, after) in enumerate(zip(here.T, there.T, strict=True)):
            scale = np.nanmax(np.abs(before), initial=0.0)
            # A missing value is any number that differs from the others.
            before, after = (
                np.where(np.isnan(each), 2 * scale + 1, each)
                for each in (before, after)
            )
            if np.ptp(before) == 0 and np.ptp(after) == 0:
                continue
            fits = _metric_that_fits(before, after, order, column)
            if fits is None:
                return None
            owner[column] = fits
        return cls(estimator, table, owner)

    def columns(self, values):
        """Return what the ranker gets for a table of metrics, (n_rows, n_columns)."""
        return _floats(handed_on(self.estimator, self.table.like(values)))

    def by_metric(self, worths):
        """Return the sum over the columns of each metric, (n_rows, n_metrics)."""
        n_metrics = self.table.values.shape[1]
        if np.array_equal(self.owner, np.arange(n_metrics)):
            return worths
        summed = np.zeros((len(worths), n_metrics))
        for column in np.flatnonzero(self.owner >= 0):
            summed[:, self.owner[column]] += worths[:, column]
        return summed

    def kinks(self, kinks):
        """Return in the user's units where the ranker's functions may bend.

        Parameters
        ----------
        kinks : ndarray of shape (n_kinks, n_columns)
            In units of the ranker's columns; NaN is none.

        Returns
        -------
        by_metric : list of ndarray
            The kinks of each metric inside its range, in its own units.
        """
        n_metrics = self.table.values.shape[1]
        found = [np.empty(0)] * n_metrics
        if not len(kinks):
            return found
        filled = np.where(np.isnan(self.table.values), np.inf, self.table.values)
        lowest = np.where(np.isinf(low := filled.min(axis=0)), 0.0, low)
        highest = np.fmax(
            np.where(np.isinf(filled), -np.inf, filled).max(axis=0), lowest
        )
        columns = np.flatnonzero(self.owner >= 0)
        while len(columns):
            # Columns of different metrics at once.
            owner, first = np.unique(self.owner[columns], return_index=True)
            now, columns = columns[first], np.delete(columns, first)
            at = self._inverse(kinks[:, now], now, owner, lowest, highest)
            for metric, points in zip(owner, at.T, strict=True):
                inside = points[(points > lowest[metric]) & (points < highest[metric])]
                found[metric] = np.concatenate([found[metric], inside])
        return found

    def _inverse(self, wanted, columns, owner, lowest, highest):
        """Return where columns, each of another metric, take some values; else NaN."""
        shape = len(wanted), len(lowest)
        low, high = (np.tile(ends, (shape[0], 1)) for ends in (lowest, highest))
        at_low, at_high = (self.columns(ends)[:, columns] for ends in (low, high))
        with np.errstate(invalid="ignore"):
            is_inside = (wanted - at_low) * (wanted - at_high) <= 0
        sign = np.sign(at_high - at_low)
        for _ in range(_HALVINGS):
            middle = low + (high - low) / 2
            above = sign * self.columns(middle)[:, columns] >= sign * wanted
            high[:, owner] = np.where(above, middle[:, owner], high[:, owner])
            low[:, owner] = np.where(above, low[:, owner], middle[:, owner])
        return np.where(is_inside, high[:, owner], np.nan)


def _rows_to_try(values, rng):
    """Return rows to shuffle: all, or of many some, with extremes and missing values."""
    n_rows, n_metrics = values.shape
    n_most = int(np.clip(_MOST_COMPARED // n_metrics**2, _FEWEST_ROWS, _MOST_ROWS))
    if n_rows <= n_most:
        return np.arange(n_rows)
    filled = np.where(np.isnan(values), -np.inf, values)
    ends = np.concatenate([filled.argmin(axis=0), filled.argmax(axis=0)])
    return np.unique([*ends[:n_most], *rng.permutation(n_rows)[:n_most]])


def _metric_that_fits(before, after, order, column):
    """Return the metric whose order a column has taken, None if there is none.

    Parameters
    ----------
    before : ndarray of shape (n_rows,)
    after : ndarray of shape (n_mixed,)
    order : ndarray of shape (n_mixed, n_metrics), int
        Row that the value of each metric was taken from.
    column : int
        Number of the column, which most often is that of the metric.
    """
    n_metrics = order.shape[1]
    n_at_a_time = max(1, _VALUES_AT_A_TIME // len(order))
    parts = [slice(column, column + 1)] if column < n_metrics else []
    parts += [
        slice(first, first + n_at_a_time) for first in range(0, n_metrics, n_at_a_time)
    ]
    near = _rounding(before, after)
    for part in parts:
        fits = np.abs(before[order[:, part]] - after[:, None]) <= near[:, None]
        fits = np.flatnonzero(fits.all(axis=0))
        if len(fits):
            return part.start + fits[0]
    return None


def _rounding(before, after):
    """Return up to what a difference from each value is rounding.

    It is no share of the largest value, beside which all others may be nothing.
    """
    middle = np.median(before)
    typical = np.median(np.abs(before - middle))
    near = _ROUNDING * np.maximum(np.abs(after - middle), typical)
    last_bits = _LAST_BITS * np.maximum(np.abs(after), np.abs(middle))
    return np.maximum(near, np.maximum(last_bits, np.finfo(float).tiny))


def _floats(X):
    """Return what a pipeline handed on as an array of float64."""
    return np.asarray(X.toarray() if issparse(X) else X, dtype=np.float64)
