"""Williams' test of two correlations that share a variable."""

import numpy as np
import scipy.stats


def williams_test(r_first, r_second, r_between, n_items, alternative):
    r"""Test whether two scores correlate alike with the same preferences.

    .. math:: t = (r_{12} - r_{13}) \sqrt{\frac{(n - 1)(1 + r_{23})}
              {2 K \frac{n - 1}{n - 3} + \frac{(r_{12} + r_{13})^2}{4} (1 - r_{23})^3}}

    with :math:`K = 1 - r_{12}^2 - r_{13}^2 - r_{23}^2 + 2 r_{12} r_{13} r_{23}`,
    against Student's t with n - 3 degrees of freedom [1]_.

    Parameters
    ----------
    r_first, r_second : float
        Correlation of each score with the preferences.
    r_between : float
        Correlation of the two scores.
    n_items : int
        At least 4; the items must be independent.
    alternative : {"two-sided", "greater"}

    Returns
    -------
    t, p : float
        NaN for fewer items, or if the two scores are the same.

    References
    ----------
    .. [1] Williams, "Regression Analysis", 1959; Steiger, "Tests for comparing
       elements of a correlation matrix", Psychological Bulletin 87, 1980.
    """
    if n_items < 4:
        return np.nan, np.nan
    k = 1 - r_first**2 - r_second**2 - r_between**2
    k += 2 * r_first * r_second * r_between
    variance = 2 * max(k, 0.0) * (n_items - 1) / (n_items - 3)
    variance += (r_first + r_second) ** 2 / 4 * (1 - r_between) ** 3
    if variance <= 0:
        return np.nan, np.nan
    t = (r_first - r_second) * np.sqrt((n_items - 1) * (1 + r_between) / variance)
    student = scipy.stats.t(n_items - 3)
    p = 2 * student.sf(abs(t)) if alternative == "two-sided" else student.sf(t)
    return float(t), float(p)
