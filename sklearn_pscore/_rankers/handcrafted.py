"""The hand-crafted baselines of the paper: #Top1 and the rank sum (RS)."""

import numpy as np

from sklearn_pscore._estimators.restore import restored_on_error
from sklearn_pscore._rankers.feature_ranks import FeatureRankRanker
from sklearn_pscore._target.arguments import explained_call


class TopCountRanker(FeatureRankRanker):
    """Count the metrics in which an item is the best of its group.

    This is #Top1, the ranking of the ViCo challenge 2022 that the paper
    compares with in section 5.2 [1]_. It learns nothing from preferences.

    ``predict(X, groups)`` counts inside each group of the rows passed. All
    items that share the best value of a metric count it. Rows of one
    (group, item) are one contender with the mean of each metric, taken after
    the directions are applied, and share its score. Donor rows are ranked among
    the donor rows of their group. A row of weight zero takes no place from the
    others, and has the score that it has among all rows; weights play no other
    role.

    NaN is a metric that an item lacks. In that it is never the best, and takes no
    place from the others. An item of several rows has the mean over those that have
    the metric.

    Pass the metrics in their own units. A scaler before it drops the names by
    which directions are known, and moves the zero that `nearest_zero` refers to.

    ``predict(X)`` has no groups to compare in, and ranks each row among the
    training rows instead. With p_j the share of these that are not better than
    the row in metric j, and n the mean number of items of their groups, it is
    the expected number of metrics in which none of n - 1 random training rows
    is better:

    .. math:: s(x) = \\sum_j p_j^{\\max(n - 1, 1)}

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    directions : None, str, list of str or dict, default=None
        Direction of each metric: ``"larger"``, ``"smaller"`` or
        ``"nearest_zero"`` is better. One word holds for all columns, a list
        has one word per column, and a dict has column names as keys. A column
        that the dict leaves out, and with None every column, must have the name
        of one of the paper's twelve metrics; another name is an error. If X has no
        names at all (an array, or columns that are only numbered, such as
        ``x0, x1, x2``), None reads every column as ``"larger"``, with a
        UserWarning unless the target is plain.

    Attributes
    ----------
    directions_ : ndarray of shape (n_features_in_,), str
        Direction of each column.

    reference_ : ndarray of shape (n_reference, n_features_in_), float
        Training rows that are no donors and have a weight above zero, oriented so
        that larger is better (see
        `directions_`: ``-x`` for smaller, ``-abs(x)`` for nearest to zero). Each
        column is sorted by itself, NaN last.

    mean_group_size_ : float
        Mean number of items in the training groups, donors and rows of weight
        zero left out.

    n_groups_ : int
        Number of groups seen in ``fit``, those of donors and of weight zero left out.

    n_features_in_ : int
        Number of columns seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features_in_,), str
        Names of the columns, if all of them are strings.

    See Also
    --------
    RankSumRanker : Adds up ranks, not only first ranks.
    PairwisePreferenceRanker : Learns from preferences how much a metric counts.

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

    Groups have three items, so the exponent is 2. In FID, two thirds of the
    training rows are not better than the second row: 1 + (2/3)**2.

    >>> ranker.predict(X).round(3).tolist()
    [1.111, 1.444, 1.111]
    """

    @explained_call
    def fit(self, X, y):
        """Store the training rows, and the direction of each metric.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values in their own units, NaN where one is missing; at least two
            rows.
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
            items = self._fit_reference(X, y).items
            self.mean_group_size_ = items.n_items / len(np.unique(items.group))
        return self

    @explained_call
    def predict(self, X, groups=None):
        """Count, or expect, the metrics in which each row is best.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values in their own units, NaN where one is missing.
        groups : structured ndarray of shape (n_samples,) or None, default=None
            Target built by :class:`~sklearn_pscore.Groups`; its preferences are
            not read. None ranks each row among the training rows.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float
            Number of metrics, from 0 to n_features; larger is better.
        """
        return self._predict(X, groups)

    def _points_in_group(self, n_better, n_tied):
        return n_better == 0

    def _points_if_missing(self, n_others):
        return 0.0 * n_others

    def _points_in_training(self, n_better, n_equal):
        """Return the chance that n - 1 random training rows are all not better."""
        share_not_better = 1 - n_better / len(self.reference_)
        return share_not_better ** max(self.mean_group_size_ - 1, 1)


class RankSumRanker(FeatureRankRanker):
    """Add up an item's ranks over the metrics.

    This is RS, the ranking of the ViCo challenge 2023 that the paper compares
    with in section 5.2 [1]_. It learns nothing from preferences.

    ``rank_sums(X, groups)`` gives the paper's figure: ranks inside each group
    start at 0, ties share their average rank, smaller is better.
    ``predict(X, groups)`` is minus that, so that larger is better. Rows of one
    (group, item) are one contender with the mean of each metric, taken after
    the directions are applied, and share its score. Donor rows are ranked among
    the donor rows of their group. A row of weight zero takes no place from the
    others, and has the score that it has among all rows; weights play no other
    role.

    NaN is a metric that an item lacks. It says nothing of the item, which gets the
    mean rank of those that have the metric: (m - 1) / 2 where m have it, and 0 where
    none has. So does a row among the training rows, with their mid-ranks. An item of
    several rows has the mean over those that have the metric.

    Pass the metrics in their own units. A scaler before it drops the names by
    which directions are known, and moves the zero that `nearest_zero` refers to.

    ``predict(X)`` has no groups to compare in, and ranks each row among the
    training rows instead. With b_j the share of these that are better than the
    row in metric j, and t_j the share that equals it, it is minus the sum of the
    row's mid-ranks, as shares of the training rows:

    .. math:: s(x) = -\\sum_j (b_j + t_j / 2)

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    directions : None, str, list of str or dict, default=None
        Direction of each metric: ``"larger"``, ``"smaller"`` or
        ``"nearest_zero"`` is better. One word holds for all columns, a list
        has one word per column, and a dict has column names as keys. A column
        that the dict leaves out, and with None every column, must have the name
        of one of the paper's twelve metrics; another name is an error. If X has no
        names at all (an array, or columns that are only numbered, such as
        ``x0, x1, x2``), None reads every column as ``"larger"``, with a
        UserWarning unless the target is plain.

    Attributes
    ----------
    directions_ : ndarray of shape (n_features_in_,), str
        Direction of each column.

    reference_ : ndarray of shape (n_reference, n_features_in_), float
        Training rows that are no donors and have a weight above zero, oriented so
        that larger is better (see
        `directions_`: ``-x`` for smaller, ``-abs(x)`` for nearest to zero). Each
        column is sorted by itself, NaN last.

    n_groups_ : int
        Number of groups seen in ``fit``, those of donors and of weight zero left out.

    n_features_in_ : int
        Number of columns seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features_in_,), str
        Names of the columns, if all of them are strings.

    See Also
    --------
    TopCountRanker : Counts first ranks only.
    PairwisePreferenceRanker : Learns from preferences how much a metric counts.

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

    @explained_call
    def fit(self, X, y):
        """Store the training rows, and the direction of each metric.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values in their own units, NaN where one is missing; at least two
            rows.
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
            self._fit_reference(X, y)
        return self

    @explained_call
    def predict(self, X, groups=None):
        """Return minus the sum of each row's ranks over the metrics.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values in their own units, NaN where one is missing.
        groups : structured ndarray of shape (n_samples,) or None, default=None
            Target built by :class:`~sklearn_pscore.Groups`; its preferences are
            not read. None ranks each row among the training rows.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float
            At most 0, larger is better. With `groups` in ranks, without in
            shares of the training rows.
        """
        score = self._predict(X, groups)
        # Once, so that no rounding tells equal sums of ranks apart.
        return score if groups is not None else score / len(self.reference_)

    @explained_call
    def rank_sums(self, X, groups):
        """Return the sum of each row's ranks in its group over the metrics.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values in their own units, NaN where one is missing.
        groups : structured ndarray of shape (n_samples,)
            Target built by :class:`~sklearn_pscore.Groups`; its preferences are
            not read.

        Returns
        -------
        rank_sums : ndarray of shape (n_samples,), float
            In ranks, at least 0, smaller is better. An item that is the best of
            its group in every metric has 0.
        """
        # A difference, since the bare minus would turn 0 into -0.0.
        return 0.0 - self._score_in_groups(
            *self._check_in_groups(X, groups, "rank_sums")
        )

    def _points_in_group(self, n_better, n_tied):
        """Return minus the average rank, from 0, of the tied items."""
        return -(n_better + (n_tied - 1) / 2)

    def _points_if_missing(self, n_others):
        """Return minus the mean rank of the values that are there."""
        return -(n_others / 2)

    def _points_in_training(self, n_better, n_equal):
        """Return minus the mid-rank among the training rows."""
        return -(n_better + n_equal / 2)
