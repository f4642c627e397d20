"""The monotone logistic map from scores to preferences, fitted by least squares."""

import numpy as np
from scipy.optimize import least_squares
from scipy.special import expit

# The middle of the curve is sought between these quantiles of the scores, and its
# width between these multiples of their standard deviation: from a step between two
# neighbours to a line.
_QUANTILES = np.linspace(0.0, 1.0, 9)
_WIDTHS = np.exp(np.linspace(np.log(0.05), np.log(20.0), 9))
_NARROWEST, _WIDEST = 1e-4, 1e3


def logistic_map(score, preference, weight):
    r"""Map scores to preferences by the logistic curve of VQEG.

    .. math:: f(x) = \frac{b_1 - b_2}{1 + \exp(-(x - b_3) / |b_4|)} + b_2

    It is monotone. For each middle b_3 and width b_4 the best b_1 and b_2 are those
    of a straight line, so only two parameters are searched: on a grid, and from its
    best place on by `scipy.optimize.least_squares`.

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
    weight = weight / weight.max()
    x, _, _ = _standardised(score, weight)
    y, centre, scale = _standardised(preference, weight)
    if not x.any() or not y.any():
        return np.full(len(x), centre), True
    start = _best_of_grid(x, y, weight)
    root = np.sqrt(weight)
    margin = x.max() - x.min()
    found = least_squares(
        lambda curve: root * (_on_curve(x, y, weight, *curve)[0] - y),
        start,
        bounds=(
            [x.min() - margin, np.log(_NARROWEST)],
            [x.max() + margin, np.log(_WIDEST)],
        ),
        x_scale=(1.0, 1.0),
        xtol=1e-12,
        ftol=1e-12,
        gtol=1e-12,
    )
    mapped, slope = _on_curve(x, y, weight, *found.x)
    return mapped * scale + centre, bool(slope >= 0)


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


def _best_of_grid(x, y, weight):
    """Return the middle and the logarithm of the width with the least error."""
    grid = [
        (middle, np.log(width))
        for middle in np.unique(np.quantile(x, _QUANTILES))
        for width in _WIDTHS
    ]
    errors = [
        np.sum(weight * (_on_curve(x, y, weight, *curve)[0] - y) ** 2) for curve in grid
    ]
    return grid[int(np.argmin(errors))]


def _on_curve(x, y, weight, middle, log_width):
    """Return the values on the best curve of this middle and width, and its slope."""
    curve = expit((x - middle) / np.exp(log_width))
    total = weight.sum()
    curve = curve - (weight @ curve) / total
    spread = (weight * curve) @ curve
    # A curve that is flat at all scores maps them to the mean, which is zero.
    slope = (weight * curve) @ y / spread if spread > 0 else 0.0
    return slope * curve, slope
