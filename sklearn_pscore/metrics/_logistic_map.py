"""The monotone logistic map from scores to preferences, fitted by least squares."""

import numpy as np
from scipy.optimize import least_squares
from scipy.special import expit

# Where the search starts: middles at quantiles of the scores and beyond them, by
# shares of their range, and widths by multiples of their standard deviation, from a
# step between two neighbours to a line.
_QUANTILES = np.linspace(0.0, 1.0, 13)
_BEYOND = (0.25, 1.0)
_WIDTHS = np.exp(np.linspace(np.log(0.02), np.log(20.0), 12))
_N_STARTS = 3
_NARROWEST, _WIDEST = 1e-4, 1e3


def logistic_map(score, preference, weight):
    r"""Map scores to preferences by the logistic curve of VQEG.

    .. math:: f(x) = \frac{b_1 - b_2}{1 + \exp(-(x - b_3) / |b_4|)} + b_2

    It is monotone. For each middle b_3 and width b_4 the best b_1 and b_2 are those
    of a straight line, so only two parameters are searched: on a grid, and from its
    best places on by `scipy.optimize.least_squares`. The result does not depend on the
    order of the items.

    Parameters
    ----------
    score, preference : ndarray of shape (n,), float
    weight : ndarray of shape (n,), float, > 0

    Returns
    -------
    mapped : ndarray of shape (n,), float
        In the units of the preference; their mean where the scores are all equal.
    rises : bool
        False if the curve that fits best falls: larger scores are less preferred.
    """
    order = np.lexsort((preference, weight, score))
    weight = weight[order] / weight.max()
    x, _, _ = _standardised(score[order], weight)
    y, centre, scale = _standardised(preference[order], weight)
    if not x.any() or not y.any():
        return np.full(len(x), centre), True
    found = [_fitted(x, y, weight, start) for start in _starts(x, y, weight)]
    best = min(found, key=lambda fit: fit.cost)
    fitted, slope = _on_curve(x, y, weight, *best.x)
    mapped = np.empty(len(x))
    mapped[order] = fitted * scale + centre
    return mapped, bool(slope >= 0)


def _fitted(x, y, weight, start):
    """Return the result of the least squares from one start."""
    root = np.sqrt(weight)
    margin = x[-1] - x[0]
    return least_squares(
        lambda curve: root * (_on_curve(x, y, weight, *curve)[0] - y),
        start,
        bounds=(
            [x[0] - margin, np.log(_NARROWEST)],
            [x[-1] + margin, np.log(_WIDEST)],
        ),
        xtol=1e-12,
        ftol=1e-12,
        gtol=1e-12,
    )


def _standardised(values, weight):
    """Return values of mean 0 and deviation 1, their mean, and their deviation."""
    if values.min() == values.max():
        return np.zeros(len(values)), values[0], 1.0
    largest = np.abs(values).max()
    scaled = values / largest
    mean = np.average(scaled, weights=weight)
    scaled = scaled - mean
    deviation = np.sqrt(np.average(scaled**2, weights=weight))
    if deviation == 0.0:
        return np.zeros(len(values)), mean * largest, 1.0
    return scaled / deviation, mean * largest, deviation * largest


def _starts(x, y, weight):
    """Return the best places of a grid, and that of the best step; x is sorted."""
    width = x[-1] - x[0]
    middles = np.quantile(x, _QUANTILES).tolist()
    for share in _BEYOND:
        middles += [x[0] - share * width, x[-1] + share * width]
    grid = [
        (middle, np.log(width)) for middle in np.unique(middles) for width in _WIDTHS
    ]
    errors = [
        np.sum(weight * (_on_curve(x, y, weight, *curve)[0] - y) ** 2) for curve in grid
    ]
    best = np.argsort(errors, kind="stable")[:_N_STARTS]
    return [*(grid[place] for place in best), _best_step(x, y, weight)]


def _best_step(x, y, weight):
    """Return the place at which a step between two levels has the least error."""
    before = np.cumsum(weight)[:-1]
    total = np.cumsum(weight * y)[:-1]
    # The mean of y is zero, so this is the variance between the two sides.
    between = total**2 / before + total**2 / (weight.sum() - before)
    between[x[1:] == x[:-1]] = -1.0
    place = int(np.argmax(between))
    gap = x[place + 1] - x[place]
    narrow = np.clip(gap / 10, 2 * _NARROWEST, 1.0)
    return x[place] + gap / 2, np.log(narrow)


def _on_curve(x, y, weight, middle, log_width):
    """Return the values on the best curve of this middle and width, and its slope."""
    curve = expit((x - middle) / np.exp(log_width))
    total = weight.sum()
    curve = curve - (weight @ curve) / total
    spread = (weight * curve) @ curve
    # A curve that is flat at all scores maps them to the mean, which is zero.
    slope = (weight * curve) @ y / spread if spread > 0 else 0.0
    return slope * curve, slope
