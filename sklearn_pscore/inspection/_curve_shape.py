"""Which way a curve points: up, down, to a value inside, or nowhere clearly."""

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


def direction_of(points, worth, draws, present, spread, relative_size):
    """Return the direction of a curve, and the value of the largest worth.

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
    direction : str
    best : float
        NaN without a clear direction.
    """
    if len(points) < 2 or relative_size < _LEAST_SIZE:
        return UNCLEAR, np.nan
    low, high = central_range(present)
    if low == high:
        low, high = points[0], points[-1]
    inside = np.flatnonzero((points >= low) & (points <= high))
    first, last = inside[0], inside[-1]

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
        return name, float(points[top] if name == BEST else best)
    rise = difference(last, first)
    if rise == 0:
        return UNCLEAR, np.nan
    return (LARGER if rise > 0 else SMALLER), float(best)
