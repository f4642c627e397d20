"""Metrics of values: Spearman's and Pearson's correlation, and the error."""

import numpy as np

from sklearn_pscore.metrics._checks import check_average, check_choice, check_scored
from sklearn_pscore.metrics._logistic_map import logistic_map
from sklearn_pscore.metrics._moments import (
    correlations,
    measured_items,
    mid_ranks,
    root_mean_squares,
)
from sklearn_pscore.metrics._pairs import pair_weights

WITHIN = ("group", "all")
MAPPINGS = (None, "logistic")


def spearman_score(groups, y_score, *, within="group", average=True):
    r"""Compute the mean rank correlation of Spearman between score and preference.

    For each group the correlation of the ranks of its items by score and by
    preference, tied items sharing the middle of their ranks [1]_; then the plain
    mean over groups. With ``within="all"`` it is one correlation over the items of
    all groups. Larger is better: 1 is the same order, -1 the reversed one, 0 no
    relation.

    Quality assessment reports both and calls the latter SRCC. In groups of two items
    every correlation is 1, 0 or -1.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    groups : structured ndarray or array-like of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`, or plain preferences of
        one single group. Rows of one (group, item) are averaged first, donor
        rows and rows of weight zero are left out.
    y_score : array-like of shape (n_samples,)
        Score of each row; finite, larger is preferred.
    within : {"group", "all"}, default="group"
        "group" asks which item of a group is preferred, "all" how well the score
        predicts the preference of an item of any group, so that the preferences of
        all groups must be on one scale.
    average : bool, default=True
        Whether to return the mean over groups. False returns one value per
        group, and needs ``within="group"``.

    Returns
    -------
    score : float or ndarray of shape (n_groups,)
        In [-1, 1], and 0 where all scores are equal. With ``average=False`` in the
        order of ``np.unique(groups["group"])``, NaN for groups without comparable
        pairs: a single item, or all preferences equal. The mean leaves those
        out.

    Raises
    ------
    ValueError
        If no two preferences that are compared differ, a row is not judged, or a
        score or an option is out of range.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    kendall_tau_score : Counts the pairs in order.
    pearson_score : Of the values themselves.
    scipy.stats.spearmanr : One group without weights, with a p-value.

    References
    ----------
    .. [1] Spearman, "The proof and measurement of association between two things",
       American Journal of Psychology 15, 1904, doi:10.2307/1412159.

    Examples
    --------
    Four items in order, but for the first two: 1 - 6 (1 + 1) / (4 (16 - 1)).

    >>> from sklearn_pscore.metrics import spearman_score
    >>> round(spearman_score([4.0, 3.0, 2.0, 1.0], [0.8, 0.9, 0.2, 0.1]), 4)
    0.8
    """
    caller = "spearman_score"
    items = _checked_items(groups, y_score, within, average, caller)
    weight = pair_weights(items.weight, items.groups).astype(np.float64)
    x = mid_ranks(items.groups, items.score, weight)
    y = mid_ranks(items.groups, items.preference, weight)
    values = correlations(items.groups, x, y, weight)
    return items.over_groups(values, average=average)


def pearson_score(groups, y_score, *, within="group", mapping=None, average=True):
    r"""Compute the mean linear correlation between score and preference.

    For each group Pearson's correlation, then the plain mean over groups. With
    ``within="all"`` it is one correlation over the items of all groups. Larger is
    better: 1 is a rising line, -1 a falling one.

    Quality assessment reports the correlation over all items (PLCC) after a monotone
    map of the scores to the scale of the preferences, ``mapping="logistic"`` [1]_:

    .. math:: f(x) = \frac{b_1 - b_2}{1 + \exp(-(x - b_3) / |b_4|)} + b_2

    Its four parameters are fitted by least squares to all items that count, once for
    all groups. Where the best curve falls, the correlation is negative.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    groups : structured ndarray or array-like of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`, or plain preferences of
        one single group. Rows of one (group, item) are averaged first, donor
        rows and rows of weight zero are left out.
    y_score : array-like of shape (n_samples,)
        Score of each row; finite, larger is preferred.
    within : {"group", "all"}, default="group"
        "group" asks which item of a group is preferred, "all" how well the score
        predicts the preference of an item of any group, so that the preferences of
        all groups must be on one scale.
    mapping : {None, "logistic"}, default=None
        Map of the scores before they are correlated. It is fitted to the preferences
        that it is judged by, which flatters a score where there are few items.
    average : bool, default=True
        Whether to return the mean over groups. False returns one value per
        group, and needs ``within="group"``.

    Returns
    -------
    score : float or ndarray of shape (n_groups,)
        In [-1, 1], and 0 where all scores are equal. With ``average=False`` in the
        order of ``np.unique(groups["group"])``, NaN for groups without comparable
        pairs: a single item, or all preferences equal. The mean leaves those
        out.

    Raises
    ------
    ValueError
        If no two preferences that are compared differ, a row is not judged, or a
        score or an option is out of range.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    spearman_score : Of the ranks, which no monotone map changes.
    rmse : The error after the map, in the units of the preference.
    scipy.stats.pearsonr : One group without weights, with a p-value.

    References
    ----------
    .. [1] Video Quality Experts Group, "Final report from the VQEG on the validation
       of objective models of video quality assessment", 2000.

    Examples
    --------
    >>> from sklearn_pscore.metrics import pearson_score
    >>> round(pearson_score([3.0, 2.0, 1.0], [0.9, 0.2, 0.1]), 4)
    0.9177
    """
    caller = "pearson_score"
    check_choice(mapping, MAPPINGS, "mapping", caller)
    items = _checked_items(groups, y_score, within, average, caller)
    weight = pair_weights(items.weight, items.groups).astype(np.float64)
    x, sign = items.score, 1.0
    if mapping == "logistic":
        x, rises = logistic_map(items.score, items.preference, items.weight)
        sign = 1.0 if rises else -1.0
    values = sign * correlations(items.groups, x, items.preference, weight)
    return items.over_groups(values, average=average)


def rmse(groups, y_score, *, within="all", mapping="logistic", average=True):
    r"""Compute the root mean square error of the score as a prediction of preference.

    It is in the units of the preference, and smaller is better, other than in the
    metrics whose names end in ``_score``. By default the scores are first mapped to
    the scale of the preferences by the monotone curve of :func:`pearson_score`, as
    quality assessment does [1]_. A map that falls is of no use, for larger scores are
    preferred: such scores are all mapped to the mean of the preferences.

    .. math:: RMSE = \sqrt{\sum_i w_i (f(x_i) - y_i)^2 \big/ \sum_i w_i}

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    groups : structured ndarray or array-like of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`, or plain preferences of
        one single group. Rows of one (group, item) are averaged first, donor
        rows and rows of weight zero are left out.
    y_score : array-like of shape (n_samples,)
        Score of each row; finite, larger is preferred.
    within : {"group", "all"}, default="all"
        "all" is one error over the items of all groups, "group" the mean over the
        errors of the groups. The preferences must be on one scale in either.
    mapping : {None, "logistic"}, default="logistic"
        Map of the scores, fitted once to all items that count. None takes the scores
        as they are, for a model that predicts preferences.
    average : bool, default=True
        Whether to return the mean over groups. False returns one value per
        group, and needs ``within="group"``.

    Returns
    -------
    error : float or ndarray of shape (n_groups,)
        At least 0. With ``average=False`` in the order of
        ``np.unique(groups["group"])``, NaN for groups without comparable pairs: a
        single item, or all preferences equal. The mean leaves those out.

    Raises
    ------
    ValueError
        If no two preferences that are compared differ, a row is not judged, or a
        score or an option is out of range.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    pearson_score : Correlation after the same map.
    sklearn.metrics.root_mean_squared_error : Without groups and without a map.

    References
    ----------
    .. [1] ITU-T P.1401, "Methods, metrics and procedures for statistical evaluation,
       qualification and comparison of objective quality prediction models", 2020.
       It divides by the number of items less that of parameters.

    Examples
    --------
    >>> from sklearn_pscore.metrics import rmse
    >>> rmse([4.0, 3.0, 1.0, 2.0], [4.5, 2.5, 1.5, 2.5], mapping=None)
    0.5
    """
    caller = "rmse"
    check_choice(mapping, MAPPINGS, "mapping", caller)
    items = _checked_items(groups, y_score, within, average, caller)
    x = items.score
    if mapping == "logistic":
        x, rises = logistic_map(items.score, items.preference, items.weight)
        if not rises:
            x = np.full(len(x), np.average(items.preference, weights=items.weight))
    largest = np.maximum.reduceat(items.weight, items.groups.start)
    weight = items.weight / items.groups.spread(largest)
    values = root_mean_squares(items.groups, x, items.preference, weight)
    return items.over_groups(values, average=average)


def _checked_items(groups, y_score, within, average, caller):
    """Check the arguments; return the items."""
    check_choice(within, WITHIN, "within", caller)
    check_average(average, caller)
    if within == "all" and not average:
        raise ValueError(
            f"{caller} got within='all' and average=False; expected one of them, for over "
            "all items there is one value and none per group. Pass within='group' or "
            "average=True."
        )
    target, y_score = check_scored(groups, y_score, caller)
    return measured_items(target, y_score, within, caller)
