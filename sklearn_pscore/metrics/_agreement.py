"""Metrics of pairs: pairwise accuracy and Kendall's tau."""

import numpy as np

from sklearn_pscore._segments import Segments
from sklearn_pscore.metrics._checks import (
    check_average,
    check_choice,
    check_depth,
    check_scored,
)
from sklearn_pscore.metrics._items import judged_items
from sklearn_pscore.metrics._judgements import TIES, judgements_of
from sklearn_pscore.metrics._pairs import (
    concordance,
    ordered_preference_ties,
    pair_weights,
    ranked_pairs,
)


def pairwise_accuracy_score(groups, y_score, *, k=None, ties="drop", average=True):
    r"""Compute the mean share of pairs that the score orders as people do.

    For each group, the share of its pairs of different preference in which the
    preferred item has the larger score; a tied score counts one half. Then the
    plain mean over groups. Larger is better, 0.5 is chance. Of a target of votes, the
    share of all votes that are for the item with the larger score.

    .. math:: accuracy = \frac{C + T / 2}{C + D + T}

    with the concordant, discordant and tied pairs :math:`C, D, T`, each weighing
    the product of its two item weights.

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
        Depth, in ranks of the preference: only pairs that hold one of the `k`
        most preferred items of the group, or one tied with the k-th. None uses
        all pairs. Votes have no depth.
    ties : {"drop", "half"}, default="drop"
        What a pair of equal preference is, or a vote for neither: no pair, or half
        right whatever the score. "half" only without `k`.
    average : bool, default=True
        Whether to return the mean over groups. False returns one value per
        group.

    Returns
    -------
    score : float or ndarray of shape (n_groups,)
        In [0, 1]. With ``average=False`` in the order of
        ``np.unique(groups["group"])``, NaN for groups without comparable
        pairs: a single item, or all preferences equal. The mean leaves those
        out.

    Raises
    ------
    ValueError
        If no group has comparable pairs, a row is not judged, or a score or an
        option is out of range.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    kendall_tau_score : From -1 to 1, and corrected for ties.

    References
    ----------
    .. [1] Christensen, "Fast algorithms for the calculation of Kendall's tau",
       Computational Statistics 20, 2005, doi:10.1007/BF02736122.

    Examples
    --------
    Three pairs: one in order, one tied, one the other way round.

    >>> from sklearn_pscore.metrics import pairwise_accuracy_score
    >>> pairwise_accuracy_score([3.0, 2.0, 1.0], [0.5, 0.5, 0.6])
    0.16666666666666666
    """
    caller = "pairwise_accuracy_score"
    k = check_depth(k, caller)
    check_average(average, caller)
    check_choice(ties, TIES, "ties", caller)
    target, y_score = check_scored(groups, y_score, caller)
    if k is not None and (ties == "half" or target.votes is not None):
        what = "a target of votes" if target.votes is not None else 'ties="half"'
        raise ValueError(
            f"k={k} with {what} in {caller}; expected k=None, for a depth is one of an "
            "order of the preferences. Leave k out."
        )
    if target.votes is not None:
        votes = judgements_of(target, y_score, ties, caller)
        is_right = np.heaviside(votes.difference, 0.5)
        return votes.mean(is_right, 1.0 - is_right, ties=ties, average=average)
    items = judged_items(target, y_score, caller)
    concordant, discordant, tied = concordance(ranked_pairs(items, k))
    right, total = concordant + tied / 2, concordant + discordant + tied
    if ties == "half":
        of_equals = _pairs_of_equals(items)
        right, total = right + of_equals / 2, total + of_equals
    return items.over_groups(right / total, average=average)


def _pairs_of_equals(items):
    """Return what the pairs of equal preference weigh in each group."""
    weight = pair_weights(items.weight, items.groups)
    levels = Segments.of_equal(items.group, items.preference)
    # Equal weights are integers, whose sums are exact.
    pairs = (levels.sum(weight) ** 2 - levels.sum(weight**2)) / 2
    return np.bincount(items.group[levels.start], pairs)


def kendall_tau_score(groups, y_score, *, k=None, average=True):
    r"""Compute the mean rank correlation tau-b between score and preference.

    For each group Kendall's tau-b, then the plain mean over groups. Larger is
    better: 1 is the same order, -1 the reversed one, 0 no relation.

    .. math:: \tau_b = \frac{C - D}{\sqrt{(P - P_x)(P - P_y)}}

    with the concordant and discordant pairs :math:`C, D`, all pairs :math:`P`,
    and of them those tied in the score :math:`P_x` and in the preference
    :math:`P_y`, each weighing the product of its two item weights [1]_. Where
    the score ties all pairs of a group, its tau is 0.

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
        Depth, in ranks of the preference: only pairs that hold one of the `k`
        most preferred items of the group, or one tied with the k-th. None uses
        all pairs.
    average : bool, default=True
        Whether to return the mean over groups. False returns one value per
        group.

    Returns
    -------
    score : float or ndarray of shape (n_groups,)
        In [-1, 1]. With ``average=False`` in the order of
        ``np.unique(groups["group"])``, NaN for groups without comparable
        pairs: a single item, or all preferences equal. The mean leaves those
        out.

    Raises
    ------
    ValueError
        If no group has comparable pairs, a row is not judged, or a score or an
        option is out of range.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    pairwise_accuracy_score : The share of pairs in the right order.
    scipy.stats.kendalltau : One group without weights, with a p-value.

    References
    ----------
    .. [1] Kendall, "The treatment of ties in ranking problems", Biometrika 33,
       1945, doi:10.1093/biomet/33.3.239.

    Examples
    --------
    Of three pairs two are in order and one is tied in the score:
    (2 - 0) / sqrt(2 * 3).

    >>> from sklearn_pscore.metrics import kendall_tau_score
    >>> round(kendall_tau_score([3.0, 2.0, 1.0], [0.6, 0.5, 0.5]), 4)
    0.8165
    """
    caller = "kendall_tau_score"
    items, pairs = _items_and_pairs(groups, y_score, k, average, caller)
    concordant, discordant, tied = concordance(pairs)
    ordered = concordant + discordant + ordered_preference_ties(pairs)
    decided = concordant + discordant + tied
    # If the score orders no pair, the numerator is zero and so is tau.
    scale = np.sqrt(np.where(ordered > 0, ordered, 1.0) * decided)
    values = np.clip((concordant - discordant) / scale, -1.0, 1.0)
    return items.over_groups(values, average=average)


def _items_and_pairs(groups, y_score, k, average, caller):
    """Check the arguments; return the items and their pairs."""
    k = check_depth(k, caller)
    check_average(average, caller)
    target, y_score = check_scored(groups, y_score, caller)
    items = judged_items(target, y_score, caller)
    return items, ranked_pairs(items, k)
