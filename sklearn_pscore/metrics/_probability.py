"""Metrics of the probabilities that scores state for pairs."""

import numpy as np
from scipy.special import expit

from sklearn_pscore.metrics._checks import check_average, check_scored
from sklearn_pscore.metrics._judgements import judgements_of


def pairwise_log_loss(groups, y_score, *, ties="drop", average=True):
    r"""Compute the mean log loss of the probabilities that scores state for pairs.

    With d the score of an item less that of another, the probability that people
    prefer the first is :math:`1 / (1 + e^{-d})`, Eq. 1 of the paper [1]_; a judgement
    costs minus the logarithm of what it was given. Smaller is better; scores that all
    tie have log 2, .693.

    The mean is over all votes. Of a target of preferences each pair of a group is a
    judgement that weighs the product of its item weights, and the mean of each group
    counts alike. Direction and weights are as in ``docs/conventions.md``.

    Parameters
    ----------
    groups : structured ndarray or array-like of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`, by ``Groups.from_votes`` for
        example, or plain preferences of one single group. Rows of one (group, item) are
        averaged first, donor rows and rows of weight zero are left out.
    y_score : array-like of shape (n_samples,)
        Score of each row; finite, larger is preferred.
    ties : {"drop", "half"}, default="drop"
        What a vote for neither of two is, or a pair of equal preference: no judgement,
        for probabilities given that one was preferred; or half a judgement for each.
    average : bool, default=True
        Whether to return the mean. False returns one value per group.

    Returns
    -------
    loss : float or ndarray of shape (n_groups,)
        At least 0. With ``average=False`` in the order of
        ``np.unique(groups["group"])``, NaN for groups without a judgement.

    Raises
    ------
    ValueError
        If there is no judgement, a row is not judged, there are more than 1e8 pairs of
        preferences, or a score or an option is out of range.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    pairwise_brier_score : Squared, so that a sure error costs less.

    References
    ----------
    .. [1] Zhou et al., "Learning and Evaluating Human Preferences for
       Conversational Head Generation", ACM MM 2023, arXiv:2307.10636.

    Examples
    --------
    One pair, whose better item has a score that is larger by 1: log(1 + exp(-1)).

    >>> from sklearn_pscore.metrics import pairwise_log_loss
    >>> round(pairwise_log_loss([2.0, 1.0], [4.0, 3.0]), 4)
    0.3133
    """
    judgements = _judgements(groups, y_score, ties, average, "pairwise_log_loss")
    d = judgements.difference
    return judgements.mean(
        np.logaddexp(0.0, -d), np.logaddexp(0.0, d), ties=ties, average=average
    )


def pairwise_brier_score(groups, y_score, *, ties="drop", average=True):
    r"""Compute the mean squared error of the probabilities that scores state for pairs.

    As :func:`pairwise_log_loss`, but a judgement costs the square of one minus the
    probability that it was given [1]_. Smaller is better; scores that all tie have .25.

    Direction and weights are as in ``docs/conventions.md``.

    Parameters
    ----------
    groups : structured ndarray or array-like of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`, or plain preferences of one
        single group, as in :func:`pairwise_log_loss`.
    y_score : array-like of shape (n_samples,)
        Score of each row; finite, larger is preferred.
    ties : {"drop", "half"}, default="drop"
        What a vote for neither of two is, or a pair of equal preference: no judgement,
        or half a judgement for each.
    average : bool, default=True
        Whether to return the mean. False returns one value per group.

    Returns
    -------
    score : float or ndarray of shape (n_groups,)
        In [0, 1]. With ``average=False`` in the order of
        ``np.unique(groups["group"])``, NaN for groups without a judgement.

    Raises
    ------
    ValueError
        If there is no judgement, a row is not judged, there are more than 1e8 pairs of
        preferences, or a score or an option is out of range.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    pairwise_log_loss : Of a sure error it asks more.

    References
    ----------
    .. [1] Brier, "Verification of forecasts expressed in terms of probability",
       Monthly Weather Review 78, 1950.

    Examples
    --------
    >>> from sklearn_pscore.metrics import pairwise_brier_score
    >>> pairwise_brier_score([2.0, 1.0], [3.0, 3.0])
    0.25
    """
    judgements = _judgements(groups, y_score, ties, average, "pairwise_brier_score")
    chance = expit(judgements.difference)
    return judgements.mean((1.0 - chance) ** 2, chance**2, ties=ties, average=average)


def _judgements(groups, y_score, ties, average, caller):
    check_average(average, caller)
    target, y_score = check_scored(groups, y_score, caller)
    return judgements_of(target, y_score, ties, caller)
