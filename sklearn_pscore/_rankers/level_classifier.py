"""Ranker by a classifier over preference levels: DT and CB of the paper."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.tree import BaseDecisionTree, DecisionTreeClassifier
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_pscore._estimators.parameters import check_parameters
from sklearn_pscore._estimators.restore import restored_on_error
from sklearn_pscore._items.attached import warn_about_attached_items
from sklearn_pscore._means import sum_factors
from sklearn_pscore._rankers.base import RankerMixin
from sklearn_pscore._rankers.sample_weight import weight_argument
from sklearn_pscore._rankers.sizes import check_largest, name_of
from sklearn_pscore._target.arguments import explained_call
from sklearn_pscore._target.check import check_comparable, check_groups
from sklearn_pscore._target.tables import checked_table
from sklearn_pscore._warn import warn_user

# Sizes of features between which scikit-learn's trees tell them apart, and the smallest
# for other classifiers. None is measured: 1e-7 is a constant of the trees.
_SMALLEST_IN_TREE, _LARGEST_IN_TREE, _SMALLEST = 1e-7, 1e30, 1e-30
# With at most this many rows a preference is not called continuous. Not measured.
_FEW_ROWS = 20


class LevelClassifierRanker(RankerMixin, BaseEstimator):
    """Rank items by the preference level that a classifier predicts.

    Every distinct preference of the training rows, or every quantile bin of
    them, is a level: 0 for the least preferred. A classifier learns the level
    of a row from its features, without its group, and the predicted level is
    the score; larger is better. With ``DecisionTreeClassifier`` and
    ``CatBoostClassifier`` these are the baselines DT and CB of the paper,
    section 5.2 [1]_.

    Donor rows and rows of weight zero are left out. The other weights, scaled
    to a mean of 1, go to the classifier as ``sample_weight``; one that takes
    none ignores them, with a UserWarning. Equal weights are not passed on.

    NaN in X is taken where the classifier takes it, by its tag `allow_nan`: the
    default tree does, and so do gradient boosting and forests of scikit-learn,
    CatBoost, XGBoost and LightGBM. What it means there is their matter. One that
    is made of others, such as a Pipeline with an imputer, takes or refuses it
    itself.

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
        too fine for a continuous preference, where nearly every row is a class
        of its own (with a UserWarning, unless the target is plain).

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

    n_groups_ : int
        Number of groups seen in ``fit``, those of donors and of weight zero left out.

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
    The tree cannot tell the two rows with the feature 1 apart. One is of level 0
    and one of level 1, so their expected level is 0.5:

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

    @explained_call
    def fit(self, X, y):
        """Fit the classifier on the preference levels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features; NaN only where the classifier takes it.
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
        caller = self._caller("fit")
        with restored_on_error(self):
            check_parameters(self)
            classifier = self._unfitted_classifier()
            self._check_output(classifier)
            warn_about_attached_items(X, type(self).__name__)
            X = checked_table(
                self,
                X,
                allow_nan=_may_take_nan(classifier),
                dtype=np.float64,
                ensure_min_samples=2,
            )
            target = check_groups(y, n_rows=len(X), caller=caller)
            check_comparable(target, caller)
            self._note_cut_groups(y, target, caller)
            rows = np.flatnonzero(target.is_counted)
            names = getattr(self, "feature_names_in_", None)
            _check_visible(X[rows], classifier, names)
            levels, labels = _preference_levels(target.preference[rows], self.n_levels)
            weights = weight_argument(classifier, target.weight[rows])
            if self.n_levels is None and not target.is_plain:
                _warn_about_fine_levels(len(levels), len(rows))
            with warnings.catch_warnings():
                # The warning of _warn_about_fine_levels takes its place.
                warnings.filterwarnings("ignore", "The number of unique classes")
                self.classifier_ = classifier.fit(X[rows], labels, **weights)
            self.levels_ = levels
            self.n_groups_ = len(np.unique(target.group[rows]))
        return self

    @explained_call
    def predict(self, X):
        """Predict the level of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features; NaN only where the classifier takes it.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float
            Level in [0, len(levels_) - 1], larger is better. It depends on the
            row alone.
        """
        check_is_fitted(self)
        check_parameters(self, "output")
        self._check_output(self.classifier_)
        allow_nan = _may_take_nan(self.classifier_)
        X = checked_table(self, X, allow_nan=allow_nan, dtype=np.float64, reset=False)
        if _is_tree(self.classifier_):
            reason = f"for {type(self.classifier_).__name__} takes float32"
            names = getattr(self, "feature_names_in_", None)
            check_largest(X, np.finfo(np.float32).max, reason, names)
        # CatBoost misreads values that are not aligned, as in a field of records.
        X = np.require(X, requirements="A")
        if self.output == "label":
            # With more than two classes CatBoost returns a column.
            return np.asarray(self.classifier_.predict(X), np.float64).reshape(len(X))
        proba = np.asarray(self.classifier_.predict_proba(X), dtype=np.float64)
        # A matrix product works in blocks, which may round equal rows differently
        # and break exact ties.
        return np.sum(proba * self.classifier_.classes_, axis=1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        classifier = self.classifier
        if classifier is None:
            classifier = DecisionTreeClassifier()
        tags.input_tags.allow_nan = _takes_nan(classifier)
        return tags

    def _unfitted_classifier(self):
        """Return a clone of the classifier to fit, or the default tree."""
        if self.classifier is None:
            return DecisionTreeClassifier(random_state=self.random_state)
        # A classifier without scikit-learn's tags is accepted too.
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
        """Raise TypeError if `output` needs probabilities that there are not."""
        if self.output == "expected" and not hasattr(classifier, "predict_proba"):
            raise TypeError(
                f"classifier is {classifier!r}, which has no predict_proba; "
                "output='expected' needs the probability of each level. Pass "
                "output='label', or a classifier with predict_proba."
            )


def _takes_nan(classifier):
    """Tell whether a classifier says that it takes missing values."""
    if isinstance(classifier, type) or not hasattr(classifier, "__sklearn_tags__"):
        return False
    return get_tags(classifier).input_tags.allow_nan


def _may_take_nan(classifier):
    """Tell whether missing values are left to a classifier, to take or to refuse."""
    # The tags of a Pipeline or a search say nothing of what is in it.
    return _takes_nan(classifier) or any(
        hasattr(part, "fit") for part in classifier.get_params().values()
    )


def _preference_levels(preference, n_levels):
    r"""Return the mean preference of each level and the level of each row.

    With `b` of `n` rows below a value and `c` rows of that value, its bin is

    .. math:: \lfloor n_{levels} (b + c / 2) / n \rfloor

    and the bins that are not empty are the levels. It is computed in integers,
    without rounding. The lowest and the highest value never share a bin, since
    their mid-ranks ``b + c / 2`` are at least ``n / 2`` apart.
    """
    values, label, counts = np.unique(
        preference, return_inverse=True, return_counts=True
    )
    if n_levels is None or len(values) <= n_levels:
        return values, label
    twice_mid_rank = 2 * (np.cumsum(counts) - counts) + counts
    value_bin = int(n_levels) * twice_mid_rank // (2 * len(preference))
    level = np.unique(value_bin, return_inverse=True)[1]
    factor = sum_factors(level, values, level[-1] + 1)
    sums = np.bincount(level, values * factor[level] * counts)
    return sums / np.bincount(level, counts) / factor, level[label]


def _is_tree(classifier):
    """Tell whether a classifier is of scikit-learn's trees, as a forest's `estimator`."""
    return isinstance(getattr(classifier, "estimator", classifier), BaseDecisionTree)


def _check_visible(X, classifier, names=None):
    """Raise ValueError if a column is too small or too large for the classifier.

    scikit-learn's trees, which forests have as their `estimator`, add up rows in
    float32 and take values up to 1e-7 apart for equal. Many other classifiers read
    tiny values as zero.
    """
    is_tree = _is_tree(classifier)
    smallest = _SMALLEST_IN_TREE if is_tree else _SMALLEST
    if is_tree:
        reason = f"since {type(classifier).__name__} adds up rows in float32"
        check_largest(X, _LARGEST_IN_TREE, reason, names)
    # This skips NaN.
    largest = np.fmax.reduce(np.abs(X), axis=0)
    bad = np.flatnonzero((largest > 0) & (largest <= smallest))
    if len(bad):
        raise ValueError(
            f"X holds no value above {largest[bad[0]]:.3g} in size in column "
            f"{name_of(bad[0], names)}; expected values above {smallest:g}, which "
            f"{type(classifier).__name__} can tell from zero. Scale the column up, or "
            "leave it out."
        )


def _warn_about_fine_levels(n_levels, n_rows):
    """Warn if there are more levels than half of the rows."""
    if n_rows > _FEW_ROWS and n_levels > n_rows / 2:
        warn_user(
            f"groups has {n_levels} distinct preferences over {n_rows} rows, and each is a "
            "level of its own: a continuous preference wants bins. Pass n_levels=5, or "
            "as many as you like."
        )
