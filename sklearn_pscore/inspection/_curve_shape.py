"""Which way a curve points: up, down, to a value inside, or nowhere clearly."""

from typing import NamedTuple

import numpy as np

from sklearn_pscore.inspection._curve_parts import central_range

LARGER = "larger is preferred"
SMALLER = "smaller is preferred"
BEST = "there is a best value"
WORST = "there is a worst value"
UNCLEAR = "no clear direction"
# A curve of less than this share of the size of the largest one has no direction.
_LEAST_SIZE = 0.02
# Where a curve has a best value inside, the lower of the two sides is at least this
# share of the higher one.
_LEAST_SIDE = 0.25


class Shape(NamedTuple):
    """What a curve says in short.

    Attributes
    ----------
    direction : str
    best : float
        Value of the largest worth, NaN without a clear direction.
    rise, rise_std : float
        Worth at the upper end of the central range of the data less that at the lower
        end, and its standard error.
    """

    direction: str
    best: float
    rise: float
    rise_std: float


def shape_of(points, worth, draws, present, spread, relative_size):
    """Return the direction of a curve, its best value and its rise.

    Between the ends of the central range of the data, a curve has a best value if
    one inside stands above both ends by more than what is chance, and the lower of
    the two sides is no less than a quarter of the higher one. Else it rises or falls
    if the difference of the ends is more than chance. Chance is up to Student's t
    (95 %, two-sided) times the standard error of the difference; without a spread, it
    is none.

    Parameters
    ----------
    points, worth : ndarray of shape (n_points,)
    draws : ndarray of shape (n_draws, n_points)
    present : ndarray of shape (n_values,)
        Values of the metric.
    spread : Spread
    relative_size : float
        Share of the size of the largest curve.

    Returns
    -------
    shape : Shape
    """
    if len(points) < 2:
        return Shape(UNCLEAR, np.nan, 0.0, spread.error(np.zeros(len(draws))))
    low, high = central_range(present)
    if low == high:
        low, high = points[0], points[-1]
    inside = np.flatnonzero((points >= low) & (points <= high))
    first, last = inside[0], inside[-1]
    rise = worth[last] - worth[first]
    rise_std = spread.error(draws[:, last] - draws[:, first])
    unclear = Shape(UNCLEAR, np.nan, float(rise), float(rise_std))
    if relative_size < _LEAST_SIZE:
        return unclear

    def difference(a, b):
        """Return how much a stands above b, 0 if that may be chance."""
        above = worth[a] - worth[b]
        return above if abs(above) > spread.limit(draws[:, a] - draws[:, b]) else 0.0

    tops = []
    for sign, name in ((1, BEST), (-1, WORST)):
        top = inside[np.argmax(sign * worth[inside])]
        sides = sorted(sign * difference(top, end) for end in (first, last))
        if sides[0] > 0 and sides[0] >= _LEAST_SIDE * sides[1]:
            tops.append((sides[0], name, top))
    best = points[np.argmax(worth)]
    if tops:
        _, name, top = max(tops)
        return unclear._replace(
            direction=name, best=float(points[top] if name == BEST else best)
        )
    if difference(last, first) == 0:
        return unclear
    name = LARGER if rise > 0 else SMALLER
    return unclear._replace(direction=name, best=float(best))
