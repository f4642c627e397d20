"""What the hand-crafted baselines share: directions, and places in a metric."""

import re
import warnings
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_pscore._directions import DIRECTION_WORDS, oriented, resolve_directions
from sklearn_pscore._rankers.base import RankerMixin
from sklearn_pscore._target.check import check_groups
from sklearn_pscore.metrics import pairwise_accuracy_score, rank_items
from sklearn_pscore.metrics._items import item_scores
from sklearn_pscore.metrics._order import runs_by_score


class PlacingRanker(RankerMixin, BaseEstimator):
    """Sum over the metrics what an item's place in each of them is worth."""

    def __init__(self, *, directions=None):
        self.directions = directions

    def rank(self, X, groups):
        """Rank the items inside each group by their score in the group.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values, finite.
        groups : structured ndarray of shape (n_samples,)
            Target built by :class:`~sklearn_pscore.Groups`; needs no preference.

        Returns
        -------
        ranks : ndarray of shape (n_samples,), float
            1 is best, ties share their average rank; NaN for donor rows.
        """
        X, target = self._checked(X, groups, "rank")
        return rank_items(groups, self._score_in_groups(X, target))

    def score(self, X, y):
        """Return the pairwise accuracy of the scores inside the groups of `y`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values, finite.
        y : structured ndarray of shape (n_samples,) or array-like of shape (n_samples,)
            Target built by :class:`~sklearn_pscore.Groups`, or plain
            preferences of one single group.

        Returns
        -------
        accuracy : float
            In [0, 1]; 0.5 is chance, and what a constant score gets.
        """
        X = self._oriented(X)
        target = check_groups(y, n_rows=len(X), caller=self._called("score"))
        return pairwise_accuracy_score(y, self._score_in_groups(X, target))

    def _remember(self, X, y):
        """Set directions and reference, and return the checked target."""
        caller = self._called("fit")
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        target = check_groups(y, n_rows=len(X), require_preference=False, caller=caller)
        if target.donor.all():
            raise ValueError(
                f"groups marks all {len(X)} rows as donors; {caller} needs at least one "
                "row that is not, to place others by. Check the condition passed as donor=."
            )
        self.directions_ = self._column_directions(target)
        # Sorted once, every later row finds its place by bisection.
        self.reference_ = np.sort(oriented(X[~target.donor], self.directions_), axis=0)
        return target

    def _column_directions(self, target):
        names = getattr(self, "feature_names_in_", None)
        if self.directions is not None or not _are_unnamed(names):
            return resolve_directions(self.directions, self.n_features_in_, names)
        # scikit-learn's estimator checks send a plain y and X without names:
        # there a warning is a failure. A target with groups is a user's.
        if not target.is_plain:
            warnings.warn(
                f"X has {self.n_features_in_} columns without metric names and directions "
                f"is None: {type(self).__name__} reads all of them as larger-is-better. "
                f"Pass directions=[...] with one of {list(DIRECTION_WORDS)} per column, "
                "or directions='larger' if that is right.",
                UserWarning,
                stacklevel=4,
            )
        return np.full(self.n_features_in_, "larger")

    def _checked(self, X, groups, method):
        """Return X, larger is better, and the checked groups to rank it in."""
        X = self._oriented(X)
        target = check_groups(
            groups,
            n_rows=len(X),
            allow_plain=False,
            require_preference=False,
            caller=self._called(method),
        )
        return X, target

    def _oriented(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return oriented(X, self.directions_)

    def _called(self, method):
        return f"{type(self).__name__}.{method}"


def sum_over_metrics(X, target, points):
    """Add up each row's points(n_better, n_tied) over the metrics of its item.

    X of shape (n_rows, n_features) is larger-is-better; n_better items of the
    group are better in a metric, n_tied share the place, the item included.
    """
    # With a group code of their own, donors compete among themselves.
    apart = replace(target, group=2 * target.group + target.donor, donor=None)
    items = apart.items
    total = np.zeros(items.n_items)
    for values in X.T:
        places = runs_by_score(items.group, item_scores(apart, values))
        gained = points(places.above, places.runs.size)
        total[places.order] += places.runs.spread(gained)
    return total[items.row_item]


def places_among(seen, values):
    """Count, for each value, the better and the equal values in sorted `seen`."""
    # Bisection is faster when neighbours search the same stretch.
    order = np.argsort(values)
    up_to, below = np.empty((2, len(values)), dtype=np.int64)
    up_to[order] = np.searchsorted(seen, values[order], side="right")
    below[order] = np.searchsorted(seen, values[order], side="left")
    return len(seen) - up_to, up_to - below


def _are_unnamed(names):
    """Tell whether names are missing or only number the columns from 0."""
    if names is None:
        return True
    numbered = [re.fullmatch(r"(.*?)(\d+)", name) for name in names]
    return all(
        match and match[1] == numbered[0][1] and int(match[2]) == column
        for column, match in enumerate(numbered)
    )
