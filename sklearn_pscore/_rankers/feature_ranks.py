"""Base of rankers that score an item by its rank in each feature."""

import re
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sklearn_pscore._directions import DIRECTION_WORDS, oriented, resolve_directions
from sklearn_pscore._items.attached import warn_about_attached_items
from sklearn_pscore._rankers.base import RankerMixin
from sklearn_pscore._target.arguments import explained_call
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.tables import checked_table
from sklearn_pscore._warn import warn_user
from sklearn_pscore.metrics import rank_items
from sklearn_pscore.metrics._items import item_scores
from sklearn_pscore.metrics._order import rank_by_score


class FeatureRankRanker(RankerMixin, BaseEstimator):
    """Base of rankers that score an item by its rank in each feature.

    A score is a sum of points over the features. Subclasses define ``fit``,
    ``predict``, and the points of one feature:

    - ``_points_in_group(n_better, n_tied)`` for ranks inside the groups passed:
      `n_better` items of the group are better, `n_tied` are equal, the item
      itself included;
    - ``_points_in_training(n_better, n_equal)`` for ranks among the training
      rows: so many of them are better than, and equal to, the row;
    - ``_points_if_missing(n_others)`` for a missing value; one that is there has at
      most so many that are better.

    Only values that are there are better than others, or equal.
    """

    def __init__(self, *, directions=None):
        self.directions = directions

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @explained_call
    def rank(self, X, groups):
        """Rank the items inside each group by their score in the group.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values, NaN where one is missing.
        groups : structured ndarray of shape (n_samples,)
            Target built by :class:`~sklearn_pscore.Groups`; needs no preference.

        Returns
        -------
        ranks : ndarray of shape (n_samples,), float
            1 is best, ties share their average rank; NaN for donor rows. A row of
            weight zero has a rank like any other.
        """
        X, target = self._check_in_groups(X, groups, "rank")
        score = self._score_in_groups(X, replace(target, weight=None))
        return rank_items(groups, score)

    def _scores_to_judge(self, X, y):
        """Return the scores inside the groups of `y`."""
        X = self._check_X(X)
        target = check_groups(y, n_rows=len(X), caller=self._caller("score"))
        return self._score_in_groups(X, target)

    def _fit_reference(self, X, y):
        """Set the directions and the training rows; return the checked target."""
        caller = self._caller("fit")
        warn_about_attached_items(X, type(self).__name__)
        X = checked_table(self, X, dtype=np.float64, ensure_min_samples=2)
        target = check_groups(y, n_rows=len(X), require_preference=False, caller=caller)
        if target.donor.all():
            raise ValueError(
                f"groups marks all {len(X)} rows as donors; {caller} needs at least one "
                "row that is not, to place others by. Check the condition passed as donor=."
            )
        if not target.is_counted.any():
            raise ValueError(
                f"the weight of all {np.sum(~target.donor)} rows is zero; {caller} needs "
                "at least one positive weight, to place other rows by that row. Check the "
                "weights passed as weight=."
            )
        self._note_cut_groups(y, target, caller)
        self.n_groups_ = len(np.unique(target.group[target.is_counted]))
        self.directions_ = self._column_directions(target)
        # Each column is sorted here, once, so that predict ranks by bisection. NaN
        # comes last.
        self.reference_ = np.sort(
            oriented(X[target.is_counted], self.directions_), axis=0
        )
        return target

    def _column_directions(self, target):
        """Return the direction of each column of X, which may have no names."""
        names = getattr(self, "feature_names_in_", None)
        if self.directions is not None or not _are_unnamed(names):
            return resolve_directions(self.directions, self.n_features_in_, names)
        # scikit-learn's estimator checks fail on a warning, and pass a plain y
        # with unnamed columns. A target with groups comes from a user.
        if not target.is_plain:
            warn_user(
                f"X has {self.n_features_in_} columns without metric names and directions "
                f"is None: {type(self).__name__} reads all of them as larger-is-better. "
                f"Pass directions=[...] with one of {list(DIRECTION_WORDS)} per column, "
                "or directions='larger' if that is right."
            )
        return np.full(self.n_features_in_, "larger")

    def _predict(self, X, groups):
        """Return the scores in `groups`, or among the training rows if None."""
        if groups is None:
            return self._score_in_training(self._check_X(X))
        return self._score_in_groups(*self._check_in_groups(X, groups, "predict"))

    def _check_in_groups(self, X, groups, method):
        """Return `X`, as :meth:`_check_X` does, and the checked target, for a method."""
        X = self._check_X(X)
        target = check_groups(
            groups,
            n_rows=len(X),
            allow_plain=False,
            require_preference=False,
            caller=self._caller(method),
        )
        return X, target

    def _check_X(self, X):
        """Return the checked X, oriented so that larger is better."""
        check_is_fitted(self)
        X = checked_table(self, X, dtype=np.float64, reset=False)
        return oriented(X, self.directions_)

    def _score_in_groups(self, X, target):
        """Return the scores of rows among the rows of positive weight in their group.

        A row of weight zero has the score that it has among all rows of its group.
        """
        has_weight = target.weight > 0
        if has_weight.all():
            return self._points_of_items(X, target)
        score = self._points_of_items(X, replace(target, weight=None))
        score[has_weight] = self._points_of_items(
            X[has_weight], target.take(has_weight)
        )
        return score

    def _points_of_items(self, X, target):
        """Add up the points of each row's item for its ranks in its group.

        Donor rows are ranked among the donor rows of their group.
        """
        # Donors become groups of their own: the items of a target leave them out.
        target = replace(target, group=2 * target.group + target.donor, donor=None)
        items = target.items
        score = np.zeros(items.n_items)
        for values in X.T:
            is_there = ~np.isnan(values)
            if is_there.all():
                score += self._points_of_ranks(items.group, item_scores(target, values))
            else:
                score += self._points_with_missing(target, values, is_there)
        return score[items.row_item]

    def _points_of_ranks(self, group, values):
        """Return the points of items for the ranks of their values in their groups."""
        ranking = rank_by_score(group, values)
        points = np.empty(len(group))
        points[ranking.order] = ranking.runs.spread(
            self._points_in_group(ranking.n_above, ranking.runs.size)
        )
        return points

    def _points_with_missing(self, target, values, is_there):
        """Return the points of items in a feature of which some rows have no value.

        An item has the mean over those of its rows that have one.
        """
        items = target.items
        has_value = np.bincount(items.row_item[is_there], minlength=items.n_items) > 0
        n_present = np.bincount(items.group[has_value], minlength=target.n_groups * 2)
        n_others = np.maximum(n_present - 1, 0)
        points = self._points_if_missing(n_others[items.group])
        if has_value.any():
            present = target.take(is_there)
            points[has_value] = self._points_of_ranks(
                present.items.group, item_scores(present, values[is_there])
            )
        return points

    def _score_in_training(self, X):
        """Add up the points of each row for its ranks among the training rows."""
        points = []
        for reference, values in zip(self.reference_.T, X.T, strict=True):
            # NaN is sorted to the end.
            n_present = np.searchsorted(reference, np.nan)
            counts = _count_better(reference[:n_present], values)
            points.append(
                np.where(
                    np.isnan(values),
                    self._points_if_missing(n_present),
                    self._points_in_training(*counts),
                )
            )
        score = np.zeros(len(X))
        # Sorted: rows of the same points in other features tie.
        for points_of_row in np.sort(points, axis=0):
            score += points_of_row
        return score


def _count_better(reference, values):
    """Count, for each value, the better and the equal ones of a sorted reference."""
    # Neighbours in sorted order search the same part of the reference: the
    # bisection is faster then.
    order = np.argsort(values)
    n_up_to, n_below = np.empty((2, len(values)), dtype=np.int64)
    n_up_to[order] = np.searchsorted(reference, values[order], side="right")
    n_below[order] = np.searchsorted(reference, values[order], side="left")
    return len(reference) - n_up_to, n_up_to - n_below


def _are_unnamed(names):
    """Tell whether names are missing or only number the columns from 0."""
    if names is None:
        return True
    numbered = [re.fullmatch(r"(.*?)(\d+)", name) for name in names]
    return all(
        match and match[1] == numbered[0][1] and int(match[2]) == column
        for column, match in enumerate(numbered)
    )
