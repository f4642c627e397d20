"""Difference of two methods in the same runs, with its interval and test."""

from typing import NamedTuple

import numpy as np
from scipy import stats


class PairedDifference(NamedTuple):
    r"""How much better one method is than another in the same runs.

    With the differences :math:`d_1, \dots, d_n` of the runs, their mean
    :math:`\bar d` and variance :math:`s^2` (which divides by :math:`n - 1`),

    .. math:: SE = \sqrt{\left(\frac{1}{n} + \frac{n_{test}}{n_{train}}\right) s^2},
              \qquad \bar d \pm t_{n-1} \, SE

    over folds, which is the corrected variance of Nadeau and Bengio (2003): folds
    share training rows, so their differences are alike, and :math:`1 / n` alone is too
    small. The rows of the two parts are counted over all folds. Over seeds the second
    term is left out.

    Parameters
    ----------
    mean : float
        Mean difference of the metric; positive if the first method is better.
    standard_error : float
        :math:`SE`; NaN for a single run.
    n_runs : int
        Number of differences, one per seed or fold.
    low, high : float
        Interval by Student's t with ``n_runs - 1`` degrees of freedom.
    p_value : float
        Of the two-sided test that the methods do not differ.
    interval_of : str
        What may vary in the interval: "training and test rows", over the folds of
        ``cv``, or "seeds on these rows", which says nothing of other rows.
    """

    mean: float
    standard_error: float
    n_runs: int
    low: float
    high: float
    p_value: float
    interval_of: str


OF_FOLDS = "training and test rows"
OF_SEEDS = "seeds on these rows"


def paired_difference(difference, test_per_train, level, interval_of):
    """Return the mean of differences with its interval.

    Parameters
    ----------
    difference : ndarray of shape (n_runs,)
    test_per_train : float
        Test rows per training row that the runs share; 0 if they share none.
    level : float
    interval_of : str

    Returns
    -------
    difference : PairedDifference
    """
    n_runs = len(difference)
    mean, error, half, p_value = float(np.mean(difference)), np.nan, np.nan, np.nan
    if n_runs > 1:
        variance = np.var(difference, ddof=1)
        error = float(np.sqrt((1 / n_runs + test_per_train) * variance))
        half = error * float(stats.t.ppf((1 + level) / 2, n_runs - 1))
        p_value = _p_value(mean, error, n_runs - 1)
    return PairedDifference(
        mean, error, n_runs, mean - half, mean + half, p_value, interval_of
    )


def _p_value(mean, error, degrees):
    """Return the two-sided p-value of a mean; 1 where nothing differs at all."""
    if error == 0:
        return 0.0 if mean else 1.0
    return float(2 * stats.t.sf(abs(mean) / error, degrees))
