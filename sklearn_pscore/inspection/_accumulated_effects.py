"""Accumulated local effects: curves of any model, from its predictions alone."""

from dataclasses import dataclass

import numpy as np

from sklearn_pscore.inspection._curve_parts import CurveParts, Spread, central_range

# Rows that an interval holds at least, on the average; intervals there may always be;
# and clusters that a bootstrap of them needs. Not measured.
_ROWS_PER_INTERVAL, _FEWEST_INTERVALS, _FEWEST_CLUSTERS = 20, 5, 10


@dataclass(frozen=True)
class Draws:
    """Curves that are told from the same predictions.

    Attributes
    ----------
    times : ndarray of shape (n_curves, n_rows)
        How often each row counts in each curve.
    is_of_members : bool
        Whether each curve is that of a member. Else all are of the mean of members, the
        first of the data as they are, and the others of draws.
    spread : Spread
    """

    times: np.ndarray
    is_of_members: bool
    spread: Spread

    @classmethod
    def of_members(cls, n_members, n_folds, factor, n_rows):
        """Return the curves of members, of which the first left out folds."""
        what = "members that each left out a fold of the groups"
        times = np.ones((n_members, n_rows))
        return cls(times, True, Spread(factor, n_folds, what))

    @classmethod
    def bootstrap(cls, cluster, what, n_boot, rng):
        """Return draws of clusters, or of rows where there are few of them."""
        if cluster.max() + 1 < _FEWEST_CLUSTERS:
            cluster, what = np.arange(len(cluster)), "rows"
        n_clusters = cluster.max() + 1
        drawn = rng.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), n_boot)
        times = np.vstack([np.ones(len(cluster)), drawn[:, cluster]])
        what = f"a bootstrap of the {what} for the same model"
        return cls(times, False, Spread(1.0, n_boot, what))

    def effects(self, effects):
        """Return what each row adds to each curve, (n_curves, n_rows), of members'."""
        if self.is_of_members:
            return effects
        return np.broadcast_to(
            effects.mean(axis=0), (len(self.times), effects.shape[1])
        )

    def mean(self, curves):
        """Return the curve to show."""
        return curves.mean(axis=0) if self.is_of_members else curves[0]

    def drawn(self, curves):
        """Return the curves that the standard errors are of."""
        n_drawn = self.spread.n_draws
        return curves[:n_drawn] if self.is_of_members else curves[1:]


def accumulated_effects(predict, values, inside, n_points, draws):
    r"""Return the curves of a model by accumulated local effects.

    With z_0 < z_1 < ... the points of metric j, and N_k the rows whose value is in
    (z_{k - 1}, z_k], the curve rises from z_{k - 1} to z_k by

    .. math:: \frac{1}{|N_k|} \sum_{i \in N_k}
              S(z_k, x_{i, \setminus j}) - S(z_{k - 1}, x_{i, \setminus j}).

    A missing value is worth as much as the curve at a value in the middle, and the mean
    of what the score changes where this is put for the missing ones.

    Parameters
    ----------
    predict : callable
        From values, (n_rows, n_metrics), to scores of members, (n_members, n_rows).
    values : ndarray of shape (n_rows, n_metrics)
        Of the rows that count.
    inside : InGroups
        Of these rows.
    n_points : int
        Intervals at most.
    draws : Draws

    Returns
    -------
    curves : CurveParts
    """
    parts = []
    for metric, column in enumerate(values.T):
        points = _points(column, n_points)
        curves, missing = _curves(predict, values, metric, points, draws)
        at_rows = np.repeat(missing[:, None], len(column), axis=1)
        is_there = ~np.isnan(column)
        for scores, curve in zip(at_rows, curves, strict=True):
            if len(points):
                scores[is_there] = np.interp(column[is_there], points, curve)
        centre = at_rows.mean(axis=1)
        parts.append(
            (points, curves - centre[:, None], missing - centre, at_rows, centre)
        )
    mean, drawn = draws.mean, draws.drawn
    is_missing = np.isnan(values).any(axis=0)
    missing = np.array([each[2] for each in parts])
    return CurveParts(
        points=[each[0] for each in parts],
        worth=[mean(each[1]) for each in parts],
        draws=[drawn(each[1]) for each in parts],
        missing=np.where(is_missing, mean(missing.T), np.nan),
        missing_draws=drawn(missing.T),
        at_rows=np.column_stack([mean(each[3] - each[4][:, None]) for each in parts]),
        size_draws=np.column_stack([inside.size(drawn(each[3]).T) for each in parts]),
        spread=draws.spread,
        method="accumulated local effects",
    )


def _points(column, n_points):
    """Return the ends of the intervals of a metric, which are values of it."""
    present = column[~np.isnan(column)]
    if not len(present):
        return np.empty(0)
    most = max(_FEWEST_INTERVALS, len(present) // _ROWS_PER_INTERVAL)
    levels = np.linspace(0, 1, min(n_points, most) + 1)
    quantiles = np.quantile(present, levels, method="inverted_cdf")
    return np.unique(np.concatenate([quantiles, central_range(present)]))


def _curves(predict, values, metric, points, draws):
    """Return curves that start at 0, and the worth of a missing value.

    Returns
    -------
    curves : ndarray of shape (n_curves, n_points)
    missing : ndarray of shape (n_curves,)
        0 if no value is missing, or all are.
    """
    n_curves = len(draws.times)
    column = values[:, metric]
    is_missing = np.isnan(column)
    curves, missing = np.zeros((n_curves, len(points))), np.zeros(n_curves)
    if len(points) > 1:
        rows = np.flatnonzero(~is_missing)
        interval = np.searchsorted(points, column[rows]).clip(1) - 1
        high, low = (
            _with(predict, values[rows], metric, points[interval + step])
            for step in (1, 0)
        )
        effects = draws.effects(high - low)
        for curve, effect, times in zip(curves, effects, draws.times, strict=True):
            weight = np.bincount(interval, times[rows], minlength=len(points) - 1)
            total = np.bincount(interval, times[rows] * effect, minlength=len(weight))
            # An interval that a draw has no row of is flat.
            curve[1:] = np.cumsum(total / np.maximum(weight, 1))
    if is_missing.any() and len(points):
        middle = len(points) // 2
        gone = values[is_missing]
        effects = predict(gone) - _with(predict, gone, metric, points[middle])
        times = draws.times[:, is_missing]
        total = np.sum(times * draws.effects(effects), axis=1)
        missing = curves[:, middle] + total / np.maximum(times.sum(axis=1), 1)
    return curves, missing


def _with(predict, values, metric, column):
    """Return the scores of rows in which a metric has other values."""
    values = values.copy()
    values[:, metric] = column
    return predict(values)
