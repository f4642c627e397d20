"""The hand-crafted baselines of the paper: #Top1 and the rank sum (RS)."""

import numpy as np

from sklearn_pscore._rankers.feature_ranks import (
    PlacingRanker,
    places_among,
    sum_over_metrics,
)
from sklearn_pscore._restore import restored_on_error


class TopCountRanker(PlacingRanker):
    """Count the metrics in which an item is the best of its group.

    This is #Top1, the ranking of the ViCo challenge 2022 that the paper
    compares with in section 5.2 [1]_. It learns nothing from preferences.

    ``predict(X, groups)`` counts inside each group of the rows passed. All
    items that share the best value of a metric count it. Rows of one
    (group, item) are one contender with the mean of each metric, taken after
    the directions are applied, and share its score. Donor rows are contenders
    of the other donor rows of their group only. Weights play no role.

    Give it the metrics in their own units: a scaler before it drops the names
    that directions are known by, and centring moves zero, which `nearest_zero`
    is about.

    ``predict(X)`` has no groups to compare in and places each row among the
    rows seen in ``fit``: with p_j the share of these that are not better than
    the row in metric j, and n the mean number of items of their groups,

    .. math:: s(x) = \\sum_j p_j^{\\max(n - 1, 1)}

    is the expected number of metrics in which no one of n - 1 random training
    rows is better.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    directions : None, str, list of str or dict, default=None
        Which way each metric points: ``"larger"``, ``"smaller"`` or
        ``"nearest_zero"`` is better. One word holds for all columns, a list
        has one word per column, and a dict names columns. A column that the
        dict leaves out, and with None every column, must bear the name of one
        of the paper's twelve metrics; another name is an error. If X has no
        names at all (an array, or columns that are only numbered, such as
        ``x0, x1, x2``), None reads every column as ``"larger"``, with a
        UserWarning unless the target is plain.

    Attributes
    ----------
    directions_ : ndarray of shape (n_features_in_,), str
        Direction of each column.

    reference_ : ndarray of shape (n_reference, n_features_in_), float
        Training rows that are not donors, negated where smaller is better and
        ``-abs(x)`` where nearest to zero is; each column sorted by itself.

    mean_group_size_ : float
        Mean number of items in the training groups, donors left out.

    n_features_in_ : int
        Number of columns seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features_in_,), str
        Names of the columns, if all of them are strings.

    See Also
    --------
    RankSumRanker : Adds up ranks, so that every place counts.
    PairwisePreferenceRanker : Learns from people which metric counts.

    References
    ----------
    .. [1] Zhou et al., "Learning and Evaluating Human Preferences for
       Conversational Head Generation", ACM MM 2023, arXiv:2307.10636.

    Examples
    --------
    The first two rows tie for the best SSIM; the third has the best FID:

    >>> import pandas as pd
    >>> from sklearn_pscore import Groups, TopCountRanker
    >>> X = pd.DataFrame({"SSIM": [0.9, 0.9, 0.5], "FID": [30.0, 20.0, 10.0]})
    >>> groups = Groups.from_arrays(group=["talk", "talk", "talk"])
    >>> ranker = TopCountRanker().fit(X, groups)
    >>> ranker.predict(X, groups).tolist()
    [1.0, 1.0, 1.0]

    Groups have three items, so that shares count squared; two thirds of the
    training rows are not better than the second in FID, 1 + (2/3)**2:

    >>> ranker.predict(X).round(3).tolist()
    [1.111, 1.444, 1.111]
    """

    def fit(self, X, y):
        """Remember the training rows, and which way each metric points.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values in their own units, finite; at least two rows.
        y : structured ndarray of shape (n_samples,) or array-like of shape (n_samples,)
            Target built by :class:`~sklearn_pscore.Groups`, which needs no
            preference, or plain preferences of one single group.

        Returns
        -------
        self : TopCountRanker
            The estimator itself, fitted.

        Raises
        ------
        ValueError
            If X or y cannot be used, or a column has no direction.
        TypeError
            If `y` or `directions` is of another type.
        """
        with restored_on_error(self):
            items = self._remember(X, y).items
            self.mean_group_size_ = items.n_items / len(np.unique(items.group))
        return self

    def predict(self, X, groups=None):
        """Count, or expect, the metrics in which each row is best.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values in their own units, finite.
        groups : structured ndarray of shape (n_samples,) or None, default=None
            Target built by :class:`~sklearn_pscore.Groups`; its preferences are
            not read. None places each row among the training rows.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float
            Number of metrics, from 0 to n_features; larger is better.
        """
        if groups is not None:
            return self._score_in_groups(*self._checked(X, groups, "predict"))
        return self._score_in_reference(self._oriented(X))

    def _score_in_groups(self, X, target):
        return sum_over_metrics(X, target, lambda n_better, n_tied: n_better == 0)

    def _score_in_reference(self, X):
        exponent = max(self.mean_group_size_ - 1, 1)
        n_reference = len(self.reference_)
        total = np.zeros(len(X))
        for seen, values in zip(self.reference_.T, X.T, strict=True):
            n_better, _ = places_among(seen, values)
            total += (1 - n_better / n_reference) ** exponent
        return total


class RankSumRanker(PlacingRanker):
    """Add up an item's ranks over the metrics.

    This is RS, the ranking of the ViCo challenge 2023 that the paper compares
    with in section 5.2 [1]_. It learns nothing from preferences.

    ``rank_sums(X, groups)`` gives the paper's figure: ranks inside each group
    start at 0, ties share their average rank, smaller is better.
    ``predict(X, groups)`` is minus that, so that larger is better. Rows of one
    (group, item) are one contender with the mean of each metric, taken after
    the directions are applied, and share its score. Donor rows are contenders
    of the other donor rows of their group only. Weights play no role.

    Give it the metrics in their own units: a scaler before it drops the names
    that directions are known by, and centring moves zero, which `nearest_zero`
    is about.

    ``predict(X)`` has no groups to compare in and places each row among the
    rows seen in ``fit``: with b_j the share of these that are better than the
    row in metric j and t_j the share that equals it,

    .. math:: s(x) = -\\sum_j (b_j + t_j / 2)

    is minus the sum of its mid-ranks, as shares of the training rows.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    directions : None, str, list of str or dict, default=None
        Which way each metric points: ``"larger"``, ``"smaller"`` or
        ``"nearest_zero"`` is better. One word holds for all columns, a list
        has one word per column, and a dict names columns. A column that the
        dict leaves out, and with None every column, must bear the name of one
        of the paper's twelve metrics; another name is an error. If X has no
        names at all (an array, or columns that are only numbered, such as
        ``x0, x1, x2``), None reads every column as ``"larger"``, with a
        UserWarning unless the target is plain.

    Attributes
    ----------
    directions_ : ndarray of shape (n_features_in_,), str
        Direction of each column.

    reference_ : ndarray of shape (n_reference, n_features_in_), float
        Training rows that are not donors, negated where smaller is better and
        ``-abs(x)`` where nearest to zero is; each column sorted by itself.

    n_features_in_ : int
        Number of columns seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features_in_,), str
        Names of the columns, if all of them are strings.

    See Also
    --------
    TopCountRanker : Counts the first places only.
    PairwisePreferenceRanker : Learns from people which metric counts.

    References
    ----------
    .. [1] Zhou et al., "Learning and Evaluating Human Preferences for
       Conversational Head Generation", ACM MM 2023, arXiv:2307.10636.

    Examples
    --------
    The first two rows tie for the best SSIM, ranks 0 and 1, and get 0.5 each:

    >>> import pandas as pd
    >>> from sklearn_pscore import Groups, RankSumRanker
    >>> X = pd.DataFrame({"SSIM": [0.9, 0.9, 0.5], "FID": [30.0, 20.0, 10.0]})
    >>> groups = Groups.from_arrays(group=["talk", "talk", "talk"])
    >>> ranker = RankSumRanker().fit(X, groups)
    >>> ranker.rank_sums(X, groups).tolist()
    [2.5, 1.5, 2.0]
    >>> ranker.rank(X, groups).tolist()
    [3.0, 1.0, 2.0]
    """

    def fit(self, X, y):
        """Remember the training rows, and which way each metric points.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values in their own units, finite; at least two rows.
        y : structured ndarray of shape (n_samples,) or array-like of shape (n_samples,)
            Target built by :class:`~sklearn_pscore.Groups`, which needs no
            preference, or plain preferences of one single group.

        Returns
        -------
        self : RankSumRanker
            The estimator itself, fitted.

        Raises
        ------
        ValueError
            If X or y cannot be used, or a column has no direction.
        TypeError
            If `y` or `directions` is of another type.
        """
        with restored_on_error(self):
            self._remember(X, y)
        return self

    def predict(self, X, groups=None):
        """Return minus the sum of each row's ranks over the metrics.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values in their own units, finite.
        groups : structured ndarray of shape (n_samples,) or None, default=None
            Target built by :class:`~sklearn_pscore.Groups`; its preferences are
            not read. None places each row among the training rows.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float
            At most 0, larger is better. With `groups` in ranks, without in
            shares of the training rows.
        """
        if groups is not None:
            return self._score_in_groups(*self._checked(X, groups, "predict"))
        return self._score_in_reference(self._oriented(X))

    def rank_sums(self, X, groups):
        """Return the sum of each row's ranks in its group over the metrics.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values in their own units, finite.
        groups : structured ndarray of shape (n_samples,)
            Target built by :class:`~sklearn_pscore.Groups`; its preferences are
            not read.

        Returns
        -------
        rank_sums : ndarray of shape (n_samples,), float
            In ranks, at least 0, smaller is better. An item that is the best of
            its group in every metric has 0.
        """
        return _rank_sums(*self._checked(X, groups, "rank_sums"))

    def _score_in_groups(self, X, target):
        # Not the bare minus: nobody wants to read a score of -0.0.
        return 0.0 - _rank_sums(X, target)

    def _score_in_reference(self, X):
        n_reference = len(self.reference_)
        total = np.zeros(len(X))
        for seen, values in zip(self.reference_.T, X.T, strict=True):
            n_better, n_tied = places_among(seen, values)
            total -= (n_better + n_tied / 2) / n_reference
        return total


def _rank_sums(X, target):
    """Return the sum over the metrics of the ranks from 0 in each group."""
    return sum_over_metrics(
        X, target, lambda n_better, n_tied: n_better + (n_tied - 1) / 2
    )
