"""Curves of a ranker whose score has a part that is a sum over the metrics."""

import numpy as np

from sklearn_pscore.inspection._curve_parts import CurveParts, Spread, points_of


def additive_curves(part, columns, inside, n_points):
    """Return the curves of an additive part, exact at each of their points.

    Parameters
    ----------
    part : AdditivePart or LinearPart
    columns : ColumnMap
        Of a table of the rows that count.
    inside : InGroups
        Of these rows.
    n_points : int
        Quantiles of each metric; its kinks come on top.

    Returns
    -------
    curves : CurveParts
    """
    values = columns.table.values
    kinks = columns.kinks(part.kinks)
    points = [
        points_of(column, n_points, extra)
        for column, extra in zip(values.T, kinks, strict=True)
    ]
    is_missing = np.isnan(values)
    sometimes = is_missing.any(axis=0)
    # The metrics do not depend on one another: all curves are told by one table, and
    # its last row has all missing values.
    n_most = max(map(len, points))
    grid = np.full((n_most + 1, len(points)), np.nan)
    for metric, each in enumerate(points):
        if len(each):
            grid[:, metric] = each[-1]
            grid[: len(each), metric] = each
    grid[-1, sometimes] = np.nan
    at_grid, at_rows = columns.columns(grid), columns.columns(values)
    mean_at_rows = np.zeros(values.shape)
    draws, sizes = [], []
    for member in range(part.n_members):
        worths = columns.by_metric(part.worths(at_rows, member))
        centre = worths.mean(axis=0)
        mean_at_rows += (worths - centre) / part.n_members
        sizes.append(inside.size(worths - centre))
        draws.append(columns.by_metric(part.worths(at_grid, member)) - centre)
    draws = np.array(draws)
    mean, draws = draws.mean(axis=0), draws[: part.n_folds]
    spread = Spread(
        part.std_factor,
        part.n_folds,
        "members that each left out a fold of the groups" if part.n_folds > 1 else "",
    )
    return CurveParts(
        points=points,
        worth=[mean[: len(each), metric] for metric, each in enumerate(points)],
        draws=[draws[:, : len(each), metric] for metric, each in enumerate(points)],
        missing=np.where(sometimes, mean[-1], np.nan),
        missing_draws=draws[:, -1],
        at_rows=mean_at_rows,
        size_draws=np.array(sizes)[: part.n_folds],
        spread=spread,
        method="additive part",
    )
