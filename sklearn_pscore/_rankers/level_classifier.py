"""The paper's DT and CB: a classifier over preference levels, made a ranker."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import (
    check_is_fitted,
    has_fit_parameter,
    validate_data,
)

from sklearn_pscore._rankers.base import RankerMixin
from sklearn_pscore._restore import restored_on_error
from sklearn_pscore._target.check import check_comparable, check_groups

# Of fewer rows nobody can say whether their preference is continuous.
_FEW_ROWS = 20


class LevelClassifierRanker(RankerMixin, BaseEstimator):
    """Rank items by the preference level that a classifier predicts.

    Every distinct preference of the training rows, or every quantile bin of
    them, is a level: 0 for the least preferred. A classifier learns the level
    of a row from its metrics, whatever its group, and the predicted level is
    the score; larger is better. With ``DecisionTreeClassifier`` and
    ``CatBoostClassifier`` these are the baselines DT and CB of the paper,
    section 5.2 [1]_.

    Donor rows and rows of weight zero are left out. The other weights go to
    the classifier as ``sample_weight``; one that takes none ignores them, with
    a UserWarning.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    classifier : classifier or None, default=None
        Any scikit-learn compatible classifier; it is cloned, and sees X as a
        float64 array without column names. None is
        ``DecisionTreeClassifier(random_state=random_state)``.

    n_levels : int >= 2 or None, default=None
        Number of quantile bins that the preferences are cut into. Equal
        preferences share a bin, so ties can make fewer bins, never less than
        two. None, or a number that the distinct preferences do not exceed,
        makes every distinct preference a level: right for awards and ratings,
        too fine for a continuous preference, where nearly each row would be a
        class of its own (a UserWarning says so, unless the target is plain).

    output : {"expected", "label"}, default="expected"
        ``"expected"`` is the expected level, sum over l of l * P(level = l),
        and needs ``predict_proba``. ``"label"`` is the number of the predicted
        level, as in the paper: it ties all rows of one level.

    random_state : int, RandomState or None, default=None
        Seed of the default tree. A given `classifier` has its own.

    Attributes
    ----------
    classifier_ : classifier
        The fitted classifier; its classes are the numbers of the levels.

    levels_ : ndarray of shape (n_levels_found,), float
        Mean preference of the training rows of each level, ascending.

    n_features_in_ : int
        Number of columns seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features_in_,), str
        Names of the columns, if all of them are strings.

    See Also
    --------
    PairwisePreferenceRanker : Learns the order inside groups instead of levels.
    RankSumRanker : Needs no preference to learn from.

    References
    ----------
    .. [1] Zhou et al., "Learning and Evaluating Human Preferences for
       Conversational Head Generation", ACM MM 2023, arXiv:2307.10636.

    Examples
    --------
    Both rows with the metric 1 look alike to the tree. One is of level 0 and
    one of level 1, so that their expected level is 0.5:

    >>> from sklearn_pscore import Groups, LevelClassifierRanker
    >>> X = [[1.0], [1.0], [2.0], [3.0]]
    >>> groups = Groups.from_arrays(group=[0, 0, 0, 0], preference=[0, 4, 4, 9])
    >>> ranker = LevelClassifierRanker(random_state=0).fit(X, groups)
    >>> ranker.levels_.tolist()
    [0.0, 4.0, 9.0]
    >>> ranker.predict(X).tolist()
    [0.5, 0.5, 1.0, 2.0]
    """

    _parameter_constraints = {
        "classifier": [HasMethods(["fit", "predict", "get_params"]), None],
        "n_levels": [Interval(Integral, 2, None, closed="left"), None],
        "output": [StrOptions({"expected", "label"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self, classifier=None, *, n_levels=None, output="expected", random_state=None
    ):
        self.classifier = classifier
        self.n_levels = n_levels
        self.output = output
        self.random_state = random_state

    def fit(self, X, y):
        """Fit the classifier on the preference levels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values, finite.
        y : structured ndarray of shape (n_samples,) or array-like of shape (n_samples,)
            Target built by :class:`~sklearn_pscore.Groups`, or plain
            preferences of one single group.

        Returns
        -------
        self : LevelClassifierRanker
            The estimator itself, fitted.

        Raises
        ------
        ValueError
            If X or y cannot be used, a parameter is out of range, or no two
            items of one group differ in preference.
        TypeError
            If `classifier` is no classifier, or has no ``predict_proba`` where
            ``output="expected"`` needs it.
        """
        caller = "LevelClassifierRanker.fit"
        with restored_on_error(self):
            self._validate_params()
            classifier = self._unfitted_classifier()
            self._check_output(classifier)
            X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
            target = check_groups(y, n_rows=len(X), caller=caller)
            check_comparable(target, caller)
            rows = np.flatnonzero(~target.donor & (target.weight > 0))
            levels, labels = _preference_levels(target.preference[rows], self.n_levels)
            weights = _weight_argument(classifier, target.weight[rows])
            if self.n_levels is None and not target.is_plain:
                _warn_about_fine_levels(len(levels), len(rows))
            with warnings.catch_warnings():
                # Many levels are the caller's choice, and were warned about.
                warnings.filterwarnings("ignore", "The number of unique classes")
                self.classifier_ = classifier.fit(X[rows], labels, **weights)
            self.levels_ = levels
        return self

    def predict(self, X):
        """Predict the level of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metric values, finite.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float
            Level in [0, len(levels_) - 1], larger is better. It depends on the
            row alone.
        """
        check_is_fitted(self)
        self._validate_params()
        self._check_output(self.classifier_)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        if self.output == "label":
            # CatBoost returns a column where there are more than two classes.
            return np.asarray(self.classifier_.predict(X), np.float64).reshape(len(X))
        proba = np.asarray(self.classifier_.predict_proba(X), dtype=np.float64)
        # Not a matrix product: its blocks may round equal rows differently, and
        # an exact tie would be lost.
        return np.sum(proba * self.classifier_.classes_, axis=1)

    def _unfitted_classifier(self):
        """Return a clone of the classifier to fit, or the default tree."""
        if self.classifier is None:
            return DecisionTreeClassifier(random_state=self.random_state)
        # Tags are asked only where there are any: a classifier that just
        # behaves like one is welcome.
        has_tags = hasattr(self.classifier, "__sklearn_tags__")
        if isinstance(self.classifier, type) or (
            has_tags and not is_classifier(self.classifier)
        ):
            raise TypeError(
                f"classifier is {self.classifier!r}; expected an instance of a "
                "classifier. Pass for example classifier=DecisionTreeClassifier()."
            )
        return clone(self.classifier)

    def _check_output(self, classifier):
        if self.output == "expected" and not hasattr(classifier, "predict_proba"):
            raise TypeError(
                f"classifier is {classifier!r}, which has no predict_proba; "
                "output='expected' needs the probability of each level. Pass "
                "output='label', or a classifier with predict_proba."
            )


def _preference_levels(preference, n_levels):
    """Return the mean preference of each level and the level of each row.

    The share of the rows below a value, its own rows counted half, says which
    of `n_levels` equal shares the value falls into. With integers there is no
    rounding, and the lowest and the highest value never share a level.
    """
    values, label, counts = np.unique(
        preference, return_inverse=True, return_counts=True
    )
    if n_levels is None or len(values) <= n_levels:
        return values, label
    twice_mid_rank = 2 * (np.cumsum(counts) - counts) + counts
    share = int(n_levels) * twice_mid_rank // (2 * len(preference))
    level = np.unique(share, return_inverse=True)[1]
    means = np.bincount(level, values * counts) / np.bincount(level, counts)
    return means, level[label]


def _warn_about_fine_levels(n_levels, n_rows):
    """Warn if the classes are hardly more than the rows themselves."""
    if n_rows > _FEW_ROWS and n_levels > n_rows / 2:
        warnings.warn(
            f"groups has {n_levels} distinct preferences over {n_rows} rows, and each is a "
            "level of its own: a continuous preference wants bins. Pass n_levels=5, or "
            "as many as you like.",
            UserWarning,
            stacklevel=3,
        )


def _weight_argument(classifier, weight):
    """Return what to pass to the fit of the classifier beside X and y."""
    if np.all(weight == 1):
        return {}
    if not has_fit_parameter(classifier, "sample_weight"):
        warnings.warn(
            f"groups has weights from {weight.min():g} to {weight.max():g}, but fit of "
            f"{classifier!r} takes no sample_weight: the weights are ignored. Pass a "
            "classifier that takes it, or build the target without weight=.",
            UserWarning,
            stacklevel=3,
        )
        return {}
    return {"sample_weight": weight}
