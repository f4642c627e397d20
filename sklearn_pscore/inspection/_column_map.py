"""From the user's columns to those that the ranker at the end of a pipeline sees."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from sklearn_pscore.inspection._metric_table import MetricTable
from sklearn_pscore.metrics._models import inner_estimator, transformed

# Values that are compared at a time, and rows that are compared at most. Not measured.
_VALUES_AT_A_TIME, _MOST_ROWS = 2**24, 2_000
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
    def found(cls, estimator, table, rng):
        """Return the map, None if a column depends on several metrics.

        The values of each metric are shuffled by themselves. A column of the ranker
        that comes out in the order of one metric depends on no other; this holds
        for every transformer, and asks it for nothing but ``transform``.

        Parameters
        ----------
        estimator : estimator
        table : MetricTable
        rng : RandomState
        """
        n_rows, n_metrics = table.values.shape
        rows = np.arange(n_rows)
        if n_rows > _MOST_ROWS:
            # Extremes and missing values are where columns may differ.
            filled = np.where(np.isnan(table.values), -np.inf, table.values)
            ends = [filled.argmin(axis=0), filled.argmax(axis=0)]
            rows = np.unique(
                [*np.concatenate(ends), *rng.permutation(n_rows)[:_MOST_ROWS]]
            )
        values = table.values[rows]
        order = np.argsort(rng.random_sample(values.shape), axis=0)
        mixed = np.take_along_axis(values, order, axis=0)
        here, there = (
            _floats(handed_on(estimator, table.like(each))) for each in (values, mixed)
        )
        if here is None or here.shape != there.shape or len(here) != len(rows):
            return None
        owner = np.full(here.shape[1], -1)
        scale = np.nanmax(np.abs(here), axis=0, initial=0.0)
        for column in range(here.shape[1]):
            # A missing value is any number that differs from the others.
            before, after = (
                np.where(np.isnan(each), 2 * scale[column] + 1, each)
                for each in (here[:, column], there[:, column])
            )
            if np.ptp(before) == 0 and np.ptp(after) == 0:
                continue
            near = 1e-9 * (scale[column] + 1e-300)
            n_at_a_time = max(1, _VALUES_AT_A_TIME // len(rows))
            for first in range(0, n_metrics, n_at_a_time):
                part = order[:, first : first + n_at_a_time]
                fits = np.all(np.abs(before[part] - after[:, None]) <= near, axis=0)
                if fits.any():
                    owner[column] = first + np.argmax(fits)
                    break
            else:
                return None
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


def _floats(X):
    """Return what a pipeline handed on as an array of float64, None if it is none."""
    if issparse(X):
        X = X.toarray()
    try:
        X = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return X if X.ndim == 2 else None
