"""Error beyond the raters' interval: the epsilon insensitive RMSE of ITU-T P.1401."""

import math

import numpy as np
from scipy import stats

from sklearn_pscore.metrics._checks import check_choice, check_scored
from sklearn_pscore.metrics._correlation import MAPPINGS
from sklearn_pscore.metrics._logistic_map import logistic_map
from sklearn_pscore.metrics._moments import all_items
from sklearn_pscore.metrics._rater_noise import raters_of_items

# From this number of raters on the recommendation takes the normal 1.96.
_MANY_RATERS, _NORMAL = 30, 1.96
_N_PARAMETERS = {"logistic": 4, None: 1}


def epsilon_rmse(groups, y_score, *, mapping="logistic"):
    r"""Compute the root mean square error beyond the raters' intervals (RMSE*).

    Where an item was judged by a few people, its mean opinion is not known to be better
    than an interval, and a prediction inside of it is no error [1]_. With the mean
    :math:`y_i`, number :math:`n_i` and standard deviation :math:`s_i` of the ratings of
    item :math:`i`, and the mapped score :math:`f(x_i)`,

    .. math:: e_i = \max\left(0, |y_i - f(x_i)| - t_{n_i} \frac{s_i}{\sqrt{n_i}}\right),
              \qquad RMSE^* = \sqrt{\frac{1}{N - d} \sum_i e_i^2}

    where :math:`t_n` is Student's t of :math:`n - 1` degrees of freedom for 95 %, and 1.96
    from 30 raters on; :math:`d` is 4 for the logistic map, and 1 without. An item of
    weight :math:`w_i` counts by :math:`w_i` over the mean weight.

    It is over the items of all groups, whose preferences must be on one scale, and in
    the units of the preference. Smaller is better.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    groups : structured ndarray of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`, with `n_raters` and `spread`.
        Rows of one (group, item) are averaged first, donor rows and rows of weight zero
        are left out.
    y_score : array-like of shape (n_samples,)
        Score of each row; finite, larger is preferred.
    mapping : {None, "logistic"}, default="logistic"
        Map of the scores to the scale of the preferences, see :func:`rmse`. None takes
        them as they are, for a model that predicts preferences.

    Returns
    -------
    error : float
        At least 0, and not above that of :func:`rmse` but for the divisor.

    Raises
    ------
    ValueError
        If the target does not say how many people judged, or how far they were apart,
        for an item; all preferences are equal, or there are not more items than
        :math:`d`.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    rmse : Of the mean opinions as they are.
    sklearn_pscore.inspection.noise_ceiling : What a perfect score could reach.

    References
    ----------
    .. [1] ITU-T P.1401, "Methods, metrics and procedures for statistical evaluation,
       qualification and comparison of objective quality prediction models", 2020, 7.7.

    Examples
    --------
    The mean of four raters with a deviation of 0.5 is known to 3.18 * 0.5 / 2 = 0.8:

    >>> from sklearn_pscore import Groups
    >>> from sklearn_pscore.metrics import epsilon_rmse
    >>> groups = Groups.from_arrays(
    ...     group=[1, 1], preference=[4.0, 3.0], n_raters=[4, 4], spread=[0.5, 0.5]
    ... )
    >>> round(epsilon_rmse(groups, [4.7, 1.2], mapping=None), 2)
    1.0
    """
    caller = "epsilon_rmse"
    check_choice(mapping, MAPPINGS, "mapping", caller)
    target, y_score = check_scored(groups, y_score, caller)
    half_width = _half_widths(target, caller)
    items = all_items(target, y_score, caller)
    n_items, n_parameters = len(items.score), _N_PARAMETERS[mapping]
    if n_items <= n_parameters:
        raise ValueError(
            f"groups has {n_items} items that count; {caller} with mapping={mapping!r} "
            f"expects more than {n_parameters}, for it divides by what is left of them. "
            "Judge more items, or pass mapping=None."
        )
    predicted = items.score
    weight = items.weight / items.weight.max()
    if mapping == "logistic":
        predicted, rises = logistic_map(items.score, items.preference, items.weight)
        if not rises:
            predicted = math.fsum(weight * items.preference) / math.fsum(weight)
    beyond = np.maximum(np.abs(items.preference - predicted) - half_width, 0.0)
    largest = beyond.max()
    if largest == 0:
        return 0.0
    # Rounded once, at the end: the order of the rows does not matter.
    squares = math.fsum(weight * (beyond / largest) ** 2) / math.fsum(weight)
    return float(largest * math.sqrt(squares * n_items / (n_items - n_parameters)))


def _half_widths(target, caller):
    """Return half of the 95 % interval of the mean opinion of each item."""
    n_raters, spread = raters_of_items(target, caller)
    unknown = np.flatnonzero((n_raters < 2) | np.isnan(spread))
    if len(unknown):
        item = unknown[0]
        row = np.flatnonzero(target.items.row_item == item)[0]
        raise ValueError(
            f"n_raters is {n_raters[item]} and spread is {spread[item]} at row {row}; "
            f"{caller} expects two or more raters, and the standard deviation of their "
            "ratings, in all rows that count. Leave out the others with weight 0."
        )
    factor = np.full(len(n_raters), _NORMAL)
    few = n_raters < _MANY_RATERS
    factor[few] = stats.t.ppf(0.975, n_raters[few] - 1)
    return factor * spread / np.sqrt(n_raters)
