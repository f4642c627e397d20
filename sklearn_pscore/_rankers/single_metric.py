"""A metric by itself: the baseline that every mix of metrics has to beat."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_pscore._directions import DIRECTION_WORDS, KNOWN_DIRECTIONS, oriented
from sklearn_pscore._estimators.parameters import check_parameters
from sklearn_pscore._estimators.restore import restored_on_error
from sklearn_pscore._items.attached import warn_about_attached_items
from sklearn_pscore._rankers.base import RankerMixin
from sklearn_pscore._target.arguments import explained_call
from sklearn_pscore._target.check import (
    check_comparable,
    check_groups,
    is_structured,
)
from sklearn_pscore._target.groups import Groups
from sklearn_pscore._target.tables import checked_table
from sklearn_pscore.metrics import pairwise_accuracy_score


class SingleMetricRanker(RankerMixin, BaseEstimator):
    """Rank items by one metric.

    The score is the metric itself, with the sign by which larger is better. It is what
    a mix of metrics has to beat, and
    :func:`~sklearn_pscore.model_selection.compare_rankers` adds one for each metric
    with ``single_metrics=True``.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    feature : int, str or None, default=None
        Number of the column from 0, or its name. None is the column that agrees best
        with the preferences in ``fit``, by pairwise accuracy; the first of several.

    direction : str, default="auto"
        ``"larger"``, ``"smaller"`` or ``"nearest_zero"`` is better. ``"learn"`` is
        larger or smaller, by the pairwise accuracy in ``fit``; larger where it is one
        half. ``"auto"`` is the direction of a column that has the name of one of the
        paper's twelve metrics, and else learns it.

    Attributes
    ----------
    column_ : int
        Number of the column.

    direction_ : {"larger", "smaller", "nearest_zero"}
        Direction of the column.

    missing_score_ : float
        Score where the metric is missing: the median of the training scores, 0 if it was
        always missing.

    n_groups_ : int
        Number of groups seen in ``fit``, those of donors and of weight zero left out.

    n_features_in_ : int
        Number of columns seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features_in_,), str
        Names of the columns, if all of them are strings.

    See Also
    --------
    LinearPreferenceRanker : A weighted sum of all metrics.
    RankSumRanker : A sum of ranks in all metrics.

    Examples
    --------
    People prefer small distances, whatever the first metric is:

    >>> import pandas as pd
    >>> from sklearn_pscore import Groups, SingleMetricRanker
    >>> X = pd.DataFrame({"sharpness": [1.0, 5.0, 3.0], "distance": [3.0, 2.0, 1.0]})
    >>> groups = Groups.from_arrays(group=["a", "a", "a"], preference=[0, 1, 2])
    >>> ranker = SingleMetricRanker().fit(X, groups)
    >>> ranker.column_, ranker.direction_
    (1, 'smaller')
    >>> ranker.predict(X).tolist()
    [-3.0, -2.0, -1.0]
    """

    _parameter_constraints = {
        "feature": [Interval(Integral, 0, None, closed="left"), str, None],
        "direction": [StrOptions({"auto", "learn", *DIRECTION_WORDS})],
    }

    def __init__(self, feature=None, direction="auto"):
        self.feature = feature
        self.direction = direction

    @explained_call
    def fit(self, X, y):
        """Find the column and its direction, as far as they are not given.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metrics, NaN where one is missing.
        y : structured ndarray of shape (n_samples,) or array-like
            Target of :class:`Groups`, or preferences of one single group. Preferences
            are not needed if the column and its direction are given.

        Returns
        -------
        self : SingleMetricRanker
            The same object, fitted.

        Raises
        ------
        ValueError
            If there is no such column, a value cannot be used, or there is no
            comparable pair to learn from.
        TypeError
            If `y` is neither of the two.
        """
        caller = self._caller("fit")
        with restored_on_error(self):
            check_parameters(self)
            warn_about_attached_items(X, type(self).__name__)
            X = self._check_X(X, reset=True)
            columns = self._candidates()
            known = [self._known_direction(column) for column in columns]
            learns = len(columns) > 1 or None in known
            target = check_groups(
                y, n_rows=len(X), require_preference=learns, caller=caller
            )
            if learns:
                check_comparable(target, caller)
            self._note_cut_groups(y, target, caller)
            # All is said about groups that are cut.
            y = Groups.whole(y) if is_structured(y) else target.preference
            best = 0, known[0]
            if learns:
                best = _best(X[:, columns], known, y, target.is_counted)
            self.column_, self.direction_ = columns[best[0]], best[1]
            score = _oriented(X[target.is_counted, self.column_], self.direction_)
            self.missing_score_ = _median(score)
            self.n_groups_ = len(np.unique(target.group[target.is_counted]))
        return self

    @explained_call
    def predict(self, X):
        """Return the metric, with its sign.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metrics.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float
            Larger is better: ``x`` for "larger", ``-x`` for "smaller", ``-abs(x)`` for
            "nearest_zero".
        """
        check_is_fitted(self)
        score = _oriented(self._check_X(X)[:, self.column_], self.direction_)
        return np.where(np.isnan(score), self.missing_score_, score)

    def _check_X(self, X, reset=False):
        return checked_table(
            self, X, reset=reset, dtype=np.float64, ensure_min_samples=1 + reset
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _candidates(self):
        """Return the numbers of the columns to choose from."""
        n_features, feature = self.n_features_in_, self.feature
        if feature is None:
            return list(range(n_features))
        names = list(getattr(self, "feature_names_in_", ()))
        if isinstance(feature, str):
            if feature not in names:
                received = f"the columns {names}" if names else "no column names"
                raise ValueError(
                    f"feature is {feature!r} but X has {received}; expected one of its "
                    f"columns. Pass its name, or its number from 0 to {n_features - 1}."
                )
            return [names.index(feature)]
        if feature >= n_features:
            raise ValueError(
                f"feature is {feature} but X has {n_features} columns; expected a number "
                f"from 0 to {n_features - 1}. Pass one of these, or a name."
            )
        return [int(feature)]

    def _known_direction(self, column):
        """Return the direction of a column, or None if it is to be learnt."""
        if self.direction in DIRECTION_WORDS:
            return self.direction
        if self.direction == "auto" and hasattr(self, "feature_names_in_"):
            return KNOWN_DIRECTIONS.get(self.feature_names_in_[column])
        return None


def _oriented(values, direction):
    """Return the values of a column so that larger is better."""
    return oriented(values[:, None], [direction])[:, 0]


def _median(scores):
    """Return the median of the scores that are there, 0 if none is."""
    scores = scores[~np.isnan(scores)]
    return float(np.median(scores)) if len(scores) else 0.0


def _best(X, known, y, is_counted):
    """Return the column that agrees best, and its direction.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
    known : list of str or None
        Direction of each column; None is larger or smaller.
    y : structured ndarray or ndarray of shape (n_samples,)
    is_counted : ndarray of shape (n_samples,), bool
        Rows that missing scores are the median of.
    """
    accuracy, directions = [], []
    for values, direction in zip(X.T, known, strict=True):
        scores = _oriented(values, direction or "larger")
        scores = np.where(np.isnan(scores), _median(scores[is_counted]), scores)
        share = pairwise_accuracy_score(y, scores)
        if direction is None:
            direction = "larger" if share >= 0.5 else "smaller"
            share = max(share, 1 - share)
        accuracy.append(share)
        directions.append(direction)
    column = int(np.argmax(accuracy))
    return column, directions[column]
