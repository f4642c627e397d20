"""Metrics of ranks: MRR, DCG and NDCG; and the ranks themselves."""

from dataclasses import replace

import numpy as np

from sklearn_pscore._target.check import check_groups
from sklearn_pscore.metrics._checks import (
    check_average,
    check_depth,
    check_gain,
    check_gainable,
    check_scored,
    check_scores,
)
from sklearn_pscore.metrics._gains import gains_of
from sklearn_pscore.metrics._items import item_scores, judged_items
from sklearn_pscore.metrics._order import rank_by_score
from sklearn_pscore.metrics._positions import (
    expected_dcg,
    expected_reciprocal_rank,
    ideal_dcg,
)

# A power of two, far above the numbers that have fewer digits.
_SMALLEST_GAIN = 2.0**-900


def reciprocal_rank_score(groups, y_score, *, k=None, average=True):
    r"""Compute the mean reciprocal rank of the best-liked item (MRR).

    For each group, 1 / rank of the first item that people like best, in the
    order of falling score; then the mean over groups. The items with the
    group's largest preference are all "liked best". Larger is better.

    Tied scores count as the expectation over random tie orders. With :math:`t`
    items strictly above the first run of tied items that holds one of the
    best-liked, and :math:`r` of the :math:`n` items of that run best-liked,

    .. math:: RR = \sum_{i=1}^{n-r+1} \frac{\binom{n-i}{r-1}}{\binom{n}{r}}
              \, \frac{1}{t + i}

    and terms with :math:`t + i > k` count zero [1]_.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    groups : structured ndarray or array-like of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`, or plain preferences of
        one single group. Rows of one (group, item) are averaged first, donor
        rows and rows of weight zero are left out.
    y_score : array-like of shape (n_samples,)
        Score of each row; finite, larger is preferred.
    k : int or None, default=None
        Depth, in ranks: ranks beyond it count zero. None uses the whole list.
    average : bool, default=True
        Whether to return the mean over groups, each weighted by the mean of its
        item weights, those of weight zero left out. False returns one value per group.

    Returns
    -------
    score : float or ndarray of shape (n_groups,)
        In [0, 1]. With ``average=False`` in the order of
        ``np.unique(groups["group"])``, NaN for uninformative groups: a single
        item, all preferences equal, or no weight. The mean leaves those out.

    Raises
    ------
    ValueError
        If no group is informative, a row is not judged, or a score or an option
        is out of range.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    dcg_score : Counts all items, not only the best-liked.

    References
    ----------
    .. [1] McSherry, Najork, "Computing Information Retrieval Performance
       Measures Efficiently in the Presence of Tied Scores", ECIR 2008.

    Examples
    --------
    In group "a" the best item has the largest score. In group "b" it shares the
    ranks 1 and 2 with another one: (1 / 1 + 1 / 2) / 2 = 0.75.

    >>> from sklearn_pscore import Groups
    >>> from sklearn_pscore.metrics import reciprocal_rank_score
    >>> groups = Groups.from_arrays(
    ...     group=["a", "a", "b", "b", "b"], preference=[1, 0, 5, 4, 3]
    ... )
    >>> y_score = [0.9, 0.1, 0.5, 0.5, 0.2]
    >>> reciprocal_rank_score(groups, y_score)
    0.875
    >>> reciprocal_rank_score(groups, y_score, average=False).tolist()
    [1.0, 0.75]
    """
    caller = "reciprocal_rank_score"
    k = check_depth(k, caller)
    check_average(average, caller)
    target, y_score = check_scored(groups, y_score, caller)
    items = judged_items(target, y_score, caller)
    values = expected_reciprocal_rank(items, k)
    return items.over_groups(values, average=average, weights=items.mean_weight())


def dcg_score(groups, y_score, *, k=None, gain="rank", average=True):
    r"""Compute the mean discounted cumulative gain (DCG).

    For each group the gains of its items, discounted by their ranks in the
    order of falling score; then the mean over groups. Larger is better. With
    the default gain a perfect order of five items gets 10.27, of six 13.58.

    .. math:: DCG = \sum_{i=1}^{\min(n, k)} \frac{gain_i}{\log_2(i + 1)}

    Tied scores count as the expectation over random tie orders: each tied item
    gets the mean gain of its run [1]_.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    groups : structured ndarray or array-like of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`, or plain preferences of
        one single group. Rows of one (group, item) are averaged first, donor
        rows and rows of weight zero are left out.
    y_score : array-like of shape (n_samples,)
        Score of each row; finite, larger is preferred.
    k : int or None, default=None
        Depth, in ranks: ranks beyond it count zero. None uses the whole list.
    gain : {"rank", "linear", "exponential"}, default="rank"
        "rank" is the average ascending rank of the preference inside the group:
        1 for the least preferred of n items, n for the most preferred, as in
        Eq. 3 of the paper [2]_. "linear" is the preference itself and
        "exponential" is ``2**preference - 1``; both need preferences >= 0.
    average : bool, default=True
        Whether to return the mean over groups, each weighted by the mean of its
        item weights, those of weight zero left out. False returns one value per group.

    Returns
    -------
    score : float or ndarray of shape (n_groups,)
        Non-negative. With ``average=False`` in the order of
        ``np.unique(groups["group"])``, NaN for uninformative groups: a single
        item, all preferences equal, or no weight. The mean leaves those out.

    Raises
    ------
    ValueError
        If no group is informative, a row is not judged, a score or an option is
        out of range, or a preference is too small or too large for the gain.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    ndcg_score : DCG divided by that of the best possible order.

    References
    ----------
    .. [1] McSherry, Najork, "Computing Information Retrieval Performance
       Measures Efficiently in the Presence of Tied Scores", ECIR 2008.
    .. [2] Zhou et al., "Learning and Evaluating Human Preferences for
       Conversational Head Generation", ACM MM 2023, arXiv:2307.10636.

    Examples
    --------
    The gains are 3, 2, 1. In the order of the scores: 3 / log2(2) + 2 / log2(3)
    + 1 / log2(4). The last two tied: 1.5 for each of them.

    >>> from sklearn_pscore.metrics import dcg_score
    >>> preference = [4.5, 3.0, 1.0]
    >>> round(dcg_score(preference, [0.9, 0.5, 0.1]), 4)
    4.7619
    >>> round(dcg_score(preference, [0.9, 0.5, 0.5]), 4)
    4.6964
    """
    caller = "dcg_score"
    k = check_depth(k, caller)
    items, gains, unit = _items_and_gains(groups, y_score, gain, average, caller)
    values = expected_dcg(items, gains, k)
    weights = items.mean_weight()
    return unit * items.over_groups(values, average=average, weights=weights)


def ndcg_score(groups, y_score, *, k=None, gain="rank", average=True):
    r"""Compute the mean normalised discounted cumulative gain (NDCG).

    For each group the DCG of the order of falling score, divided by the largest
    that any order reaches at the same depth; then the mean over groups. Larger
    is better, 1 is a perfect order.

    .. math:: NDCG = \sum_{i=1}^{\min(n, k)} \frac{gain_i}{\log_2(i + 1)} \Big/
              \max_{orders} \sum_{i=1}^{\min(n, k)} \frac{gain_i}{\log_2(i + 1)}

    Tied scores count as the expectation over random tie orders: each tied item
    gets the mean gain of its run [1]_.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    groups : structured ndarray or array-like of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`, or plain preferences of
        one single group. Rows of one (group, item) are averaged first, donor
        rows and rows of weight zero are left out.
    y_score : array-like of shape (n_samples,)
        Score of each row; finite, larger is preferred.
    k : int or None, default=None
        Depth, in ranks: ranks beyond it count zero. None uses the whole list.
    gain : {"rank", "linear", "exponential"}, default="rank"
        "rank" is the average ascending rank of the preference inside the group,
        "linear" is the preference itself and "exponential" is
        ``2**preference - 1``; the latter two need preferences >= 0.
    average : bool, default=True
        Whether to return the mean over groups, each weighted by the mean of its
        item weights, those of weight zero left out. False returns one value per group.

    Returns
    -------
    score : float or ndarray of shape (n_groups,)
        In [0, 1]. With ``average=False`` in the order of
        ``np.unique(groups["group"])``, NaN for uninformative groups: a single
        item, all preferences equal, or no weight. The mean leaves those out.

    Raises
    ------
    ValueError
        If no group is informative, a row is not judged, a score or an option is
        out of range, or a preference is too small or too large for the gain.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    dcg_score : Not divided by the DCG of the best possible order.
    sklearn.metrics.ndcg_score : Dense tables with the linear gain only.

    References
    ----------
    .. [1] McSherry, Najork, "Computing Information Retrieval Performance
       Measures Efficiently in the Presence of Tied Scores", ECIR 2008.

    Examples
    --------
    The better of two items comes second: (1 + 2 / log2(3)) / (2 + 1 / log2(3)).

    >>> from sklearn_pscore.metrics import ndcg_score
    >>> round(ndcg_score([4.5, 3.0], [0.1, 0.9]), 4)
    0.8597
    """
    caller = "ndcg_score"
    k = check_depth(k, caller)
    items, gains, _ = _items_and_gains(groups, y_score, gain, average, caller)
    # By rounding, an order that differs from the ideal one in ties only may exceed 1.
    ratio = expected_dcg(items, gains, k) / ideal_dcg(items, gains, k)
    values = np.minimum(ratio, 1.0)
    return items.over_groups(values, average=average, weights=items.mean_weight())


def rank_items(groups, y_score):
    """Rank the items of each group by their scores, 1 is the best.

    It takes the scores of any model. It reads neither the preferences nor the
    weights: a row of weight zero has a rank too.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    groups : structured ndarray of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`; preferences may be NaN.
        Scores of rows of one (group, item) are averaged first.
    y_score : array-like of shape (n_samples,)
        Score of each row; finite, larger is preferred.

    Returns
    -------
    ranks : ndarray of shape (n_samples,), float64
        Rank of each row's item among the items of its group, from 1 to their
        number. Tied items get the mean of the ranks that they take, rows of one
        item share its rank, and donor rows get NaN.

    Raises
    ------
    ValueError
        If a score is not finite, or the lengths differ.
    TypeError
        If `groups` is not a structured target: the values of a plain array could
        be labels or preferences.

    See Also
    --------
    kendall_tau_score : How well ranks agree with preferences.

    Examples
    --------
    >>> from sklearn_pscore import Groups
    >>> from sklearn_pscore.metrics import rank_items
    >>> groups = Groups.from_arrays(group=["a", "a", "a", "b"])
    >>> rank_items(groups, [0.2, 0.7, 0.7, 0.1]).tolist()
    [3.0, 1.5, 1.5, 1.0]
    """
    caller = "rank_items"
    target = check_groups(
        groups, allow_plain=False, require_preference=False, caller=caller
    )
    y_score = check_scores(y_score, target.n_rows, caller)
    target = replace(target, weight=None)
    ranking = rank_by_score(target.items.group, item_scores(target, y_score))
    item_rank = np.empty(target.items.n_items)
    item_rank[ranking.order] = ranking.runs.spread(ranking.mean_rank)
    ranks = np.full(target.n_rows, np.nan)
    row_item = target.items.row_item
    ranks[row_item >= 0] = item_rank[row_item[row_item >= 0]]
    return ranks


def _items_and_gains(groups, y_score, gain, average, caller):
    """Check the arguments; return the items, their gains, and the gains' unit."""
    check_gain(gain, caller)
    check_average(average, caller)
    target, y_score = check_scored(groups, y_score, caller)
    check_gainable(target, gain, caller)
    items = judged_items(target, y_score, caller)
    # The items are sorted from the most to the least preferred.
    rising = gains_of(gain, items.group[::-1], items.preference[::-1])
    gains, unit = rising[::-1], 1.0
    # Discounted, the smallest numbers that float64 has would lose their digits.
    if 0 < gains.max() < _SMALLEST_GAIN:
        unit = _SMALLEST_GAIN
        gains = gains / unit
    return items, gains, unit
