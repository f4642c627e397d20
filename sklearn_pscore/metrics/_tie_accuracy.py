"""Pairwise accuracy in which ties are right or wrong, with a threshold for ties."""

import math
from numbers import Real

import numpy as np

from sklearn_pscore._segments import Segments
from sklearn_pscore.metrics._checks import check_average, check_scored
from sklearn_pscore.metrics._items import item_scores
from sklearn_pscore.metrics._judgements import judgements_of
from sklearn_pscore.metrics._order import stable_order
from sklearn_pscore.metrics._pairs import pair_weights

# Pairs that are listed at most, some 5 GB.
_MOST_PAIRS = 10**8
# Accuracies that are closer than this are equal.
_ROUNDING = 1e-12


def tie_calibrated_accuracy_score(
    groups, y_score, *, threshold=None, average=True, return_threshold=False
):
    r"""Compute the mean share of pairs whose order *or tie* is that of people.

    Where many items are liked alike, a metric that never ties is always wrong about
    them in other measures of ties. So two scores count as tied if they are no further
    apart than a threshold; it is chosen to make the metric best, which is tie
    calibration [1]_. For each group,

    .. math:: acc_{eq} = \frac{C + T_{both}}{C + D + T_{people} + T_{score} + T_{both}}

    with the concordant and discordant pairs :math:`C, D`, and those that are tied in
    the preference only, in the score only, and in both, each weighing the product of
    its two item weights; then the plain mean over groups. Other than in all other
    metrics, a group in which all are liked alike counts. Larger is better. Of a target of
    votes, it is the share of all votes, ties among them, that the scores foretell.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    groups : structured ndarray or array-like of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`, or plain preferences of
        one single group. Rows of one (group, item) are averaged first, donor
        rows and rows of weight zero are left out.
    y_score : array-like of shape (n_samples,)
        Score of each row; finite, larger is preferred.
    threshold : float or None, default=None
        Difference up to which two scores are tied, in units of the score, at least 0.
        None takes the one with the largest accuracy, the smallest of several. It is
        chosen by the preferences that it is judged by: pass the one of other data for
        an accuracy that this does not flatter.
    average : bool, default=True
        Whether to return the mean over groups. False returns one value per
        group.
    return_threshold : bool, default=False
        Whether to return the threshold, too.

    Returns
    -------
    score : float or ndarray of shape (n_groups,)
        In [0, 1]. With ``average=False`` in the order of
        ``np.unique(groups["group"])``, NaN for groups of a single item. The mean
        leaves those out.
    threshold : float
        Only if `return_threshold` is True.

    Raises
    ------
    ValueError
        If every group has a single item, there are more than 1e8 pairs, a row is not
        judged, or a score or an option is out of range.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    pairwise_accuracy_score : Only pairs that people order; a tied score is half right.

    References
    ----------
    .. [1] Deutsch, Foster, Freitag, "Ties Matter: Meta-Evaluating Modern Metrics with
       Pairwise Accuracy and Tie Calibration", EMNLP 2023, arXiv:2305.14324.

    Examples
    --------
    People tie the first three. Scores that differ by 4 or less are tied, too: two of
    the three ties are right then, and of the pairs with the last item the two that
    differ by more.

    >>> from sklearn_pscore.metrics import tie_calibrated_accuracy_score
    >>> value, threshold = tie_calibrated_accuracy_score(
    ...     [1.0, 1.0, 1.0, 4.0], [0.0, 2.0, 6.0, 8.0], return_threshold=True
    ... )
    >>> round(value, 4), threshold
    (0.6667, 4.0)
    """
    caller = "tie_calibrated_accuracy_score"
    _check_threshold(threshold, caller)
    check_average(average, caller)
    if not isinstance(return_threshold, (bool, np.bool_)):
        raise TypeError(
            f"The 'return_threshold' parameter of {caller} must be a bool. Got "
            f"{return_threshold!r} instead."
        )
    target, y_score = check_scored(groups, y_score, caller)
    listed = _listed_pairs if target.votes is None else _listed_votes
    pairs, code, distance, is_tie, is_ordered, weight = listed(target, y_score, caller)
    total = pairs.sum(weight)
    # Of votes the mean is over all of them, else over groups.
    share = weight / (pairs.spread(total) if target.votes is None else total.sum())
    if threshold is None:
        threshold = _best_threshold(distance, share * is_tie, share * is_ordered)
    is_right = np.where(distance <= threshold / 2, is_tie, is_ordered)
    right = pairs.sum(weight * is_right)
    values = right / total
    if average and target.votes is not None:
        score = math.fsum(right) / math.fsum(total)
    elif average:
        score = math.fsum(values) / len(values)
    else:
        score = np.full(target.n_groups, np.nan)
        score[code] = values
    return (score, float(threshold)) if return_threshold else score


def _listed_pairs(target, y_score, caller):
    """Return the pairs of items of each group.

    Returns
    -------
    pairs : Segments
        Groups of two items or more, as segments of the pairs.
    code : ndarray of shape (n_groups,), int
        Index of each of them among all groups of the target.
    distance : ndarray of shape (n_pairs,), float
        Half of the distance of the two scores, which is finite.
    is_tie, is_ordered : ndarray of shape (n_pairs,), bool
        Whether people tie the two, and whether the scores have their order.
    weight : ndarray of shape (n_pairs,), float
    """
    items = target.items
    score = item_scores(target, y_score)
    # Items that agree in all of these are the same for every sum.
    order = stable_order(score, items.weight, -items.preference, items.group)
    group, preference = items.group[order], items.preference[order]
    weight, score = items.weight[order], score[order]
    size = np.bincount(group, minlength=target.n_groups)
    n_pairs = size * (size - 1) // 2
    if n_pairs.sum() == 0:
        raise ValueError(
            f"No pairs: {items.n_items} items in {np.sum(size > 0)} groups, every group "
            f"has a single item. {caller} compares items of one group; check the group "
            "labels, the weights and which rows are donors."
        )
    if n_pairs.sum() > _MOST_PAIRS:
        raise ValueError(
            f"groups has {n_pairs.sum():,} pairs of items; {caller} lists them, and takes "
            f"at most {_MOST_PAIRS:,}. Pass fewer rows, or use pairwise_accuracy_score."
        )
    of_group = Segments(size[size > 0])
    weight = pair_weights(weight, of_group)
    first, second = of_group.pairs()
    difference = score[first] / 2 - score[second] / 2
    return (
        Segments(n_pairs[n_pairs > 0]),
        np.flatnonzero(n_pairs),
        np.abs(difference),
        preference[first] == preference[second],
        # The first is the preferred one.
        (preference[first] > preference[second]) & (difference > 0),
        weight[first] * weight[second],
    )


def _listed_votes(target, y_score, caller):
    """Return the same of the pairs with votes; shares of the votes in place of bools."""
    votes = judgements_of(target, y_score, "half", caller)
    weight = votes.wins + votes.losses + votes.ties
    # The first has the larger score.
    is_ordered = np.where(votes.difference > 0, votes.wins / weight, 0.0)
    distance = votes.difference / 2
    return votes.groups, votes.code, distance, votes.ties / weight, is_ordered, weight


def _best_threshold(distance, tie, ordered):
    """Return the smallest threshold of the largest accuracy.

    Parameters
    ----------
    distance : ndarray of shape (n_pairs,), float
        Half of the distance of the two scores.
    tie, ordered : ndarray of shape (n_pairs,), float
        What a pair adds to the accuracy if its scores are tied, and if not.
    """
    order = np.argsort(distance, kind="stable")
    distance, gain = distance[order], (tie - ordered)[order]
    accuracy = np.cumsum(gain)
    # Of pairs at one distance all are tied, or none.
    last = np.flatnonzero(np.append(distance[1:] > distance[:-1], True))
    # Equal scores are tied in any case, which no pair loses by.
    candidates = np.append(0.0, distance[last])
    accuracy = np.append(0.0, accuracy[last])
    best = accuracy >= accuracy.max() - _ROUNDING * len(distance)
    return 2 * candidates[np.argmax(best)]


def _check_threshold(threshold, caller):
    if threshold is None:
        return
    is_real = isinstance(threshold, Real) and not isinstance(
        threshold, (bool, np.bool_)
    )
    if not is_real or not 0 <= threshold < np.inf:
        raise (ValueError if is_real else TypeError)(
            f"The 'threshold' parameter of {caller} must be a float in the range [0, inf) "
            f"or None. Got {threshold!r} instead."
        )
