"""Estimators that want a plain target, made to take groups."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.feature_selection import chi2, f_classif, mutual_info_classif
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_pscore._estimators.parameters import check_parameters
from sklearn_pscore._estimators.restore import restored_on_error
from sklearn_pscore._items.attached import warn_about_attached_items
from sklearn_pscore._rankers.base import RankerMixin
from sklearn_pscore._rankers.plain_values import TARGETS, plain_values
from sklearn_pscore._rankers.sample_weight import weight_argument
from sklearn_pscore._rows import checked_sparse, with_narrow_indices
from sklearn_pscore._splitters import take_rows
from sklearn_pscore._target.arguments import explained_call, refuse_bare_ranker
from sklearn_pscore._target.check import check_comparable, check_groups
from sklearn_pscore._target.rows import count_rows
from sklearn_pscore._target.tables import check_numbers

# What scikit-learn's selectors of features for classes go by.
_SCORES_OF_CLASSES = (chi2, f_classif, mutual_info_classif)


def _kind_of(estimator):
    """Return the estimator type of scikit-learn's tags, None if there is none."""
    has_tags = hasattr(estimator, "__sklearn_tags__")
    return get_tags(estimator).estimator_type if has_tags else None


def _predicts(estimator):
    """Tell whether ``predict`` scores rows: not so for clusters and outliers."""
    inner = getattr(estimator, "estimator_", estimator.estimator)
    is_scored = _kind_of(inner) in ("classifier", "regressor", None)
    return is_scored and hasattr(inner, "predict")


def _has(method):
    """Return whether the wrapped estimator has a method; for ``available_if``."""

    def check(estimator):
        inner = getattr(estimator, "estimator_", estimator.estimator)
        return hasattr(inner, method)

    return check


class PlainTarget(RankerMixin, BaseEstimator):
    """An estimator of a plain target that learns from the target of Groups.

    Regressors, classifiers, transformers and selectors of scikit-learn know no
    groups. Wrapped, each takes part: it is fitted on one value per row that is
    comparable over groups, and has the methods that it had. A regressor or a
    classifier becomes a ranker, with ``rank`` and ``score``; a transformer or a
    selector a step of a Pipeline that ends in a ranker.

    Donor rows, rows of weight zero and groups in which all preferences are equal are
    left out of the fit; ``fit_transform`` returns them as ``transform`` does.
    Direction, ties, weights and gains are as in ``docs/conventions.md``, the way to
    use it in ``docs/other_models.md``.

    Parameters
    ----------
    estimator : estimator
        A regressor, a classifier, or a transformer that may want a target. It is
        cloned, and gets X as it is passed.

    target : {"auto", "preference", "rank", "winner"}, default="auto"
        What the estimator is fitted on. ``"preference"`` is the preference less the
        mean of its group, ``"rank"`` the ascending rank of the item in its group less
        the mean of these, both by the rows' weights. ``"winner"`` is 1 for the rows
        of the largest preference in their group and 0 for the others. ``"auto"`` is
        the winner for classifiers and for selectors of features for classes
        (``SelectKBest(f_classif)``, ``SelectFromModel(LogisticRegression())``), and
        the preference for all else.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.

    n_groups_ : int
        Number of groups that it was fitted on.

    n_features_in_ : int
        Number of columns seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features_in_,), str
        Names of the columns, if all of them are strings.

    See Also
    --------
    LevelClassifierRanker : A classifier over all levels of preference.
    GroupwiseRanker : For rankers of other libraries, which know groups.

    Notes
    -----
    Weights of the target, scaled to a mean of 1, go to the estimator as
    `sample_weight`. One that takes none, such as a Pipeline, ignores them, with a
    UserWarning: put its other steps before the wrapper. Equal weights are not passed
    on.

    scikit-learn's ``TargetEncoder`` guesses from the values whether they are classes;
    its ``target_type="auto"`` is read as ``"continuous"``, but for the winner.

    An estimator that holds rows out by itself (``RidgeCV``, the cross-fitting of
    ``TargetEncoder``, `early_stopping`) knows no groups there.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_pscore import Groups, PlainTarget
    >>> X = [[1.0], [2.0], [3.0], [5.0]]
    >>> groups = Groups.from_arrays(group=list("aabb"), preference=[11, 12, 1, 3])
    >>> ranker = PlainTarget(Ridge(alpha=0.1)).fit(X, groups)
    >>> ranker.rank(X, groups).tolist()
    [2.0, 1.0, 2.0, 1.0]
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "get_params"])],
        "target": [StrOptions({"auto", *TARGETS})],
    }

    def __init__(self, estimator, *, target="auto"):
        self.estimator = estimator
        self.target = target

    @explained_call
    def fit(self, X, y):
        """Fit the estimator on values that stand for the preferences.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Features, as the estimator takes them.
        y : structured ndarray of shape (n_samples,) or array-like of shape (n_samples,)
            Target built by :class:`~sklearn_pscore.Groups`, or plain
            preferences of one single group.

        Returns
        -------
        self : PlainTarget
            The estimator itself, fitted.

        Raises
        ------
        ValueError
            If X or y cannot be used, no two items of one group differ in
            preference, or a classifier is to learn no classes.
        TypeError
            If `estimator` neither predicts scores nor transforms, or takes groups
            by itself.

        Warns
        -----
        UserWarning
            If the weights of the target differ and the estimator takes none.
        """
        with restored_on_error(self):
            X, values = self._values(X, y, "fit")
            self._fit(X, values)
        return self

    @available_if(_has("transform"))
    @explained_call
    def fit_transform(self, X, y):
        """Fit the estimator, and transform X by its own ``fit_transform``.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Features, as the estimator takes them.
        y : structured ndarray of shape (n_samples,) or array-like of shape (n_samples,)
            Target, as for :meth:`fit`.

        Returns
        -------
        X_new : array, sparse matrix or DataFrame of shape (n_samples, n_features_new)
            All rows, also those that are left out of the fit: they are transformed
            by the fitted estimator.
        """
        with restored_on_error(self):
            X, values = self._values(X, y, "fit_transform")
            kept = self._fit(X, values, transforms=True)
        others = np.setdiff1d(np.arange(count_rows(X, "X")), values.rows)
        if not len(others):
            return kept
        parts = [kept, self.estimator_.transform(take_rows(X, others))]
        joined = _in_order(parts, np.argsort(np.r_[values.rows, others]))
        # Rows of an array have no names, so those of the parts are counted anew.
        has_names = hasattr(X, "iloc") or not hasattr(joined, "iloc")
        return joined if has_names else joined.reset_index(drop=True)

    @available_if(_has("transform"))
    @explained_call
    def transform(self, X):
        """Transform X by the fitted estimator.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Features, as the estimator takes them.

        Returns
        -------
        X_new : array, sparse matrix or DataFrame of shape (n_samples, n_features_new)
            What the estimator makes of them.
        """
        X = self._check_X(X)
        return self.estimator_.transform(X)

    @available_if(_predicts)
    @explained_call
    def predict(self, X):
        """Score each row; larger is preferred.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Features, as the estimator takes them.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float
            What a regressor predicts. Of a classifier, the probability that the row
            is one of the winners of its group, or else its ``decision_function``,
            or else the predicted label, 0 or 1.
        """
        X = self._check_X(X)
        inner = self.estimator_
        if hasattr(inner, "predict_proba"):
            scores = np.asarray(inner.predict_proba(X))[:, 1]
        elif hasattr(inner, "decision_function"):
            scores = inner.decision_function(X)
        else:
            scores = inner.predict(X)
        return np.asarray(scores, dtype=np.float64).reshape(count_rows(X, "X"))

    rank = available_if(_predicts)(RankerMixin.rank)
    score = available_if(_predicts)(RankerMixin.score)

    @available_if(_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns that ``transform`` returns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X; None are those seen in ``fit``.

        Returns
        -------
        feature_names_out : ndarray of str
            As the estimator has them.
        """
        check_is_fitted(self)
        return self.estimator_.get_feature_names_out(input_features)

    @available_if(_has("get_support"))
    def get_support(self, indices=False):
        """Return which columns a selector keeps.

        Parameters
        ----------
        indices : bool, default=False
            Whether to return their numbers.

        Returns
        -------
        support : ndarray
            A mask of shape (n_features_in_,), or the numbers of the kept columns.
        """
        check_is_fitted(self)
        return self.estimator_.get_support(indices=indices)

    @available_if(_has("set_output"))
    def set_output(self, *, transform=None):
        """Set the container that ``transform`` returns, as the estimator's own does.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            See :meth:`sklearn.base.TransformerMixin.set_output`.

        Returns
        -------
        self : PlainTarget
            The estimator itself.
        """
        for inner in {self.estimator, getattr(self, "estimator_", self.estimator)}:
            inner.set_output(transform=transform)
        return self

    def _values(self, X, y, method):
        """Check what the estimator does not; return X, and what to fit it on."""
        caller = self._caller(method)
        check_parameters(self)
        self._check_estimator()
        warn_about_attached_items(X, type(self).__name__)
        X = _as_table(X, self.estimator)
        n_rows = count_rows(X, "X")
        target = check_groups(y, n_rows=n_rows, caller=caller)
        if n_rows < 2:
            raise ValueError(
                f"X has n_samples = {n_rows}; expected at least 2 rows, for {caller} "
                "compares rows of one group. Pass all rows of the groups."
            )
        check_comparable(target, caller)
        self._note_cut_groups(y, target, caller)
        return X, plain_values(target, self._target())

    def _fit(self, X, values, transforms=False):
        """Fit a clone of the estimator; return the rows transformed, if asked for."""
        validate_data(self, X, skip_check_array=True)
        estimator = clone(self.estimator)
        if (
            estimator.get_params().get("target_type") == "auto"
            and values.y.dtype == float
        ):
            estimator.set_params(target_type="continuous")
        if len(values.rows) < count_rows(X, "X"):
            X = take_rows(X, values.rows)
        weight = weight_argument(estimator, values.weight)
        transformed = None
        if transforms and not weight and hasattr(estimator, "fit_transform"):
            transformed = estimator.fit_transform(X, values.y)
            # PLS returns the target transformed, too.
            transformed = (
                transformed[0] if isinstance(transformed, tuple) else transformed
            )
        else:
            estimator.fit(X, values.y, **weight)
            transformed = estimator.transform(X) if transforms else None
        self.estimator_ = estimator
        self.n_groups_ = values.n_groups
        return transformed

    def _target(self):
        """Return what the estimator is fitted on, "auto" resolved."""
        if self.target == "auto":
            return "winner" if _learns_classes(self.estimator) else "preference"
        if self.target != "winner" and _kind_of(self.estimator) == "classifier":
            raise ValueError(
                f"target={self.target!r} with {type(self.estimator).__name__}, which "
                "learns classes; expected target='winner' or 'auto' for a classifier. "
                "For classes that are levels of preference, pass "
                "LevelClassifierRanker(classifier)."
            )
        return self.target

    def _check_estimator(self):
        """Raise TypeError if the estimator cannot be fitted on a plain target."""
        inner = self.estimator
        name = inner.__name__ if isinstance(inner, type) else type(inner).__name__
        if isinstance(inner, type):
            raise TypeError(
                f"estimator is the class {name}; expected an instance. Pass {name}()."
            )
        refuse_bare_ranker(inner, "estimator")
        if type(inner).__module__.startswith("sklearn_pscore."):
            raise TypeError(
                f"estimator is {name}, which takes groups by itself; expected an "
                "estimator of a plain target, such as Ridge. Leave PlainTarget out."
            )
        if not (_predicts(self) or hasattr(inner, "transform")):
            raise TypeError(
                f"estimator is {name}, which neither predicts scores nor transforms; "
                "expected a regressor, a classifier, a transformer or a selector of "
                "features."
            )

    def _check_X(self, X):
        check_is_fitted(self)
        X = _as_table(X, self.estimator_)
        # Estimators of scikit-learn compare columns and names by themselves.
        if not hasattr(self.estimator_, "n_features_in_"):
            validate_data(self, X, reset=False, skip_check_array=True)
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if not _predicts(self):
            tags.estimator_type = tags.regressor_tags = None
        if hasattr(self.estimator, "__sklearn_tags__"):
            inner = get_tags(self.estimator)
            tags.input_tags = inner.input_tags
            tags.transformer_tags = inner.transformer_tags
            tags.non_deterministic = inner.non_deterministic
        return tags


def _learns_classes(estimator):
    """Tell whether an estimator, or what a selector goes by, is for classes."""
    if isinstance(estimator, Pipeline):
        return _learns_classes(estimator.steps[-1][1])
    inner = getattr(estimator, "estimator", None)
    return (
        _kind_of(estimator) == "classifier"
        or getattr(estimator, "score_func", None) in _SCORES_OF_CLASSES
        or (inner is not None and _learns_classes(inner))
    )


def _takes_numbers(estimator):
    """Tell whether an estimator reads text that spells numbers, and dates, as numbers.

    So do the models and selectors of scikit-learn that are made of no others.
    """
    is_of_scikit_learn = type(estimator).__module__.startswith("sklearn.")
    reads_values = hasattr(estimator, "predict") or hasattr(estimator, "get_support")
    if not (is_of_scikit_learn and reads_values):
        return False
    parameters = estimator.get_params(deep=False)
    parts = [value for value in parameters.values() if hasattr(value, "fit")]
    taken = get_tags(estimator).input_tags
    takes_text = (
        taken.categorical or taken.string or "categorical_features" in parameters
    )
    return not (parts or takes_text or "steps" in parameters)


def _as_table(X, estimator):
    """Return X as it is passed to an estimator; raise if it is no table."""
    if not hasattr(X, "shape") and hasattr(X, "__array__"):
        X = np.asarray(X)
    count_rows(X, "X")
    if sparse.issparse(X) and X.format in ("csr", "csc"):
        X = with_narrow_indices(checked_sparse(X))
    if not _takes_numbers(estimator):
        return X
    check_numbers(X)
    # Of lists scikit-learn makes objects if one entry is missing.
    return np.asarray(X, np.float64) if isinstance(X, (list, tuple)) else X


def _in_order(parts, order):
    """Return two tables of one kind, the second below the first, in another order."""
    first, second = parts
    if sparse.issparse(first):
        return sparse.vstack(parts, format="csr")[order]
    if isinstance(first, np.ndarray):
        return np.concatenate(parts)[order]
    if hasattr(first, "iloc"):
        import pandas as pd

        return pd.concat(parts).iloc[order]
    return first.vstack(second)[order]
