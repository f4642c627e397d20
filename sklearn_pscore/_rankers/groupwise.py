"""Rankers of other libraries, made scikit-learn estimators."""

from copy import copy

import numpy as np
from scipy import sparse
from scipy.special import expit
from sklearn.base import BaseEstimator, clone
from sklearn.utils import InputTags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_pscore._estimators.restore import restored_on_error
from sklearn_pscore._items.attached import warn_about_attached_items
from sklearn_pscore._rankers.base import RankerMixin, log_odds
from sklearn_pscore._rankers.item_checks import check_weights
from sklearn_pscore._rankers.labels import labels_of
from sklearn_pscore._rankers.libraries import (
    GroupedRows,
    Library,
    ranker_by_name,
    warn_of_weights,
)
from sklearn_pscore._rankers.validation_set import check_validation_set
from sklearn_pscore._rows import checked_sparse, with_narrow_indices
from sklearn_pscore._target.arguments import explained_call, group_argument, library_of
from sklearn_pscore._target.check import check_comparable, check_groups
from sklearn_pscore._target.tables import check_numbers, checked_table


def _is_logistic(estimator):
    """Tell whether differences of scores are log odds; for ``available_if``."""
    ranker = getattr(estimator, "ranker_", estimator.ranker)
    if group_argument(ranker) is not None and Library(ranker).is_logistic:
        return True
    raise AttributeError(
        f"{type(estimator).__name__} of {type(ranker).__name__} has no preference_proba: "
        "only where the loss is the pairwise logistic one as it is, a difference of scores "
        "is a log odds. Pass CatBoostRanker(loss_function='PairLogit'), or "
        "XGBRanker(objective='rank:pairwise', lambdarank_normalization=False, "
        "lambdarank_score_normalization=False)."
    )


class GroupwiseRanker(RankerMixin, BaseEstimator):
    """A ranker of another library that learns from the target of Groups.

    ``LGBMRanker``, ``XGBRanker`` and ``CatBoostRanker`` want rows sorted by group,
    sizes, `qid` or `group_id` beside the target, and labels of a kind of their own,
    so that scikit-learn's tools cannot pass on what they need. Wrapped, each is an
    estimator as any other: ``fit(X, groups)``, in a Pipeline, in ``GridSearchCV``
    with ``ranker__n_estimators``, and in
    :func:`~sklearn_pscore.model_selection.compare_rankers`.

    Donor rows and rows of weight zero are left out; every other row trains as it is,
    also where several rows are of one item. Direction, ties, weights and gains are as
    in ``docs/conventions.md``, the way to use it in ``docs/other_models.md``.

    Parameters
    ----------
    ranker : estimator or str
        A ranker whose ``fit`` takes `group` (sizes, as LightGBM), `qid` (as XGBoost)
        or `group_id` (as CatBoost). It is cloned. The names ``"LGBMRanker"``,
        ``"XGBRanker"`` and ``"CatBoostRanker"`` stand for one with its defaults.

    Attributes
    ----------
    ranker_ : estimator
        The fitted ranker.

    n_groups_ : int
        Number of groups seen in ``fit``, those of donors and of weight zero left out.

    n_features_in_ : int
        Number of columns seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features_in_,), str
        Names of the columns, if all of them are strings.

    See Also
    --------
    PlainTarget : For estimators that know no groups, such as Ridge.
    PairwisePreferenceRanker : The ranker of this package.

    Notes
    -----
    **Labels.** CatBoost takes preferences as they are, as float32: those of a group
    that only rounding tells apart, as means of the same ratings in another order, are
    ties there, and a warning counts them. LightGBM and
    XGBoost want the integers 0, 1, ... below a limit: 31 for LightGBM (or the length
    of its `label_gain`), 32 for ``rank:ndcg``, 2 for ``rank:map``, and none for
    ``rank:pairwise`` and for ``ndcg_exp_gain=False``. So does ``PairLogit`` of
    CatBoost, which heeds their order only.
    Preferences that are such integers are passed as they are. Others are replaced by
    their dense levels inside each group, 0 for the least preferred. Where a group
    has more levels than the limit, neighbours are merged, and a warning tells it. The
    gain of a label is exponential by default in both libraries: of many levels the
    highest alone count, so ``label_gain=list(range(31))`` or ``ndcg_exp_gain=False``
    serve a fine preference better.

    **Weights** mean what they mean in the library: those of rows in LightGBM and in
    CatBoost's losses of single rows (QueryRMSE, QuerySoftMax); those of groups in
    XGBoost and in CatBoost's losses of pairs (PairLogit, YetiRank), where a group
    weighs the mean of its rows and a warning tells if they differ. They are scaled
    to a mean of 1 over all rows. Equal weights are not passed on.

    **Early stopping** is that of the library: ``LGBMRanker(early_stopping_rounds=10)``,
    likewise the others, with `X_val` and `y_val` in ``fit``. Their default metric is
    NDCG of the labels, so ``rank:pairwise`` is judged by labels below 32, too.

    **Features.** NaN and sparse matrices are taken if the ranker's own tags say so;
    infinity is an error. XGBoost reads what a sparse matrix does not hold as missing,
    the others as zero. A pandas DataFrame with a categorical column is passed on as a
    DataFrame, for LightGBM, for XGBoost with ``enable_categorical=True`` and for
    CatBoost with `cat_features`.

    Examples
    --------
    >>> import numpy as np
    >>> from catboost import CatBoostRanker
    >>> from sklearn_pscore import Groups, GroupwiseRanker
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> groups = Groups.from_arrays(group=np.arange(40) % 10, preference=X[:, 0])
    >>> ranker = GroupwiseRanker(
    ...     CatBoostRanker(loss_function="PairLogit", iterations=50, verbose=0,
    ...                    allow_writing_files=False, random_seed=0)
    ... )
    >>> bool(ranker.fit(X, groups).score(X, groups) > 0.9)
    True
    """

    def __init__(self, ranker):
        self.ranker = ranker

    @explained_call
    def fit(self, X, y, *, X_val=None, y_val=None):
        """Fit the wrapped ranker to the groups.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Features, in any order of the rows.
        y : structured ndarray of shape (n_samples,) or array-like of shape (n_samples,)
            Target built by :class:`~sklearn_pscore.Groups`, or plain
            preferences of one single group.
        X_val : array-like, sparse matrix or DataFrame, default=None
            Features of a set that the ranker judges each iteration by, as its
            `eval_set`. Only a ranker that stops early by it, as with
            ``early_stopping_rounds=10``, is changed by it; CatBoost keeps its best
            iteration in any case.
        y_val : structured ndarray or array-like, default=None
            Target of the rows of `X_val`.

        Returns
        -------
        self : GroupwiseRanker
            The estimator itself, fitted.

        Raises
        ------
        ValueError
            If X or y cannot be used, no two items of one group differ in
            preference, or the library cannot take the preferences as labels, or a
            group of that size.
        TypeError
            If `ranker` is not one that takes groups, or takes no set to judge by.
        ImportError
            If `ranker` is the name of a class that is not installed.

        Warns
        -----
        UserWarning
            If levels of preference are merged, those that float32 does not tell
            apart become ties, or weights are ignored, or averaged in a group.
        """
        caller = self._caller("fit")
        with restored_on_error(self):
            ranker = self._unfitted_ranker(caller)
            library = Library(ranker)
            library.check_stopping(X_val is not None or y_val is not None)
            warn_about_attached_items(X, type(self).__name__)
            X = self._check_X(X, ranker, reset=True, ensure_min_samples=2)
            target = check_groups(y, n_rows=X.shape[0], caller=caller)
            check_comparable(target, caller)
            self._note_cut_groups(y, target, caller)
            rows = GroupedRows.of(X, target)
            check_weights(rows.weight)
            warn_of_weights(library, rows)
            arguments = library.arguments(rows, labels_of(library, rows))
            validation = self._validation_rows(ranker, X, y, X_val, y_val)
            if validation is not None:
                label = labels_of(library, validation, "y_val", is_judged=True)
                arguments |= library.validation_arguments(validation, label)
            ranker.fit(**arguments)
            self.ranker_ = ranker
            self.n_groups_ = len(rows.groups.size)
        return self

    @explained_call
    def predict(self, X):
        """Score each row; larger is preferred.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Features.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float
            Scores of the wrapped ranker. A row's score depends on the row alone.
        """
        check_is_fitted(self)
        X = self._check_X(X, self.ranker_)
        scores = np.asarray(self.ranker_.predict(X), dtype=np.float64)
        return scores.reshape(X.shape[0])

    @available_if(_is_logistic)
    def preference_proba(self, X_a, X_b):
        """Return the probability that people prefer a to b, Eq. 1 of the paper.

        There is this method only where the loss is the pairwise logistic one as it
        is: ``PairLogit`` and ``PairLogitPairwise`` of CatBoost, and ``rank:pairwise``
        of XGBoost with `lambdarank_normalization` and `lambdarank_score_normalization`
        False. With these, XGBoost's defaults, its scores are on another scale.

        Parameters
        ----------
        X_a, X_b : array-like of shape (n_pairs, n_features)
            Features of the two items of each pair.

        Returns
        -------
        proba : ndarray of shape (n_pairs,)
            In [0, 1]; 0.5 where the scores are equal.

        Raises
        ------
        ValueError
            If the numbers of rows differ.
        """
        return expit(log_odds(self.predict(X_a), self.predict(X_b)))

    @property
    def feature_importances_(self):
        """Importances of the wrapped ranker, by its own measure."""
        check_is_fitted(self)
        return self.ranker_.feature_importances_

    def set_params(self, **params):
        """Set parameters of the wrapper, and of the ranker as ``ranker__name``.

        Parameters
        ----------
        **params : dict
            Parameters by name.

        Returns
        -------
        self : GroupwiseRanker
            The estimator itself.
        """
        ranker = params.get("ranker", self.ranker)
        if isinstance(ranker, str) and any(name != "ranker" for name in params):
            raise ValueError(
                f"ranker is {ranker!r}, a name, which has no parameters to set; expected "
                f"an instance. Pass GroupwiseRanker({ranker}(...))."
            )
        return super().set_params(**params)

    def __sklearn_clone__(self):
        plain = copy(self)
        plain.ranker = None
        duplicate = super(GroupwiseRanker, plain).__sklearn_clone__()
        duplicate.ranker = _clone_of(self.ranker)
        return duplicate

    def _unfitted_ranker(self, caller):
        """Return a copy of the ranker to fit; raise if it is none."""
        ranker = self.ranker
        if isinstance(ranker, str):
            return ranker_by_name(ranker, caller)
        if isinstance(ranker, type):
            raise TypeError(
                f"ranker is the class {ranker.__name__}; expected an instance. Pass "
                f"{ranker.__name__}()."
            )
        needed = ("fit", "predict", "get_params")
        lacking = [method for method in needed if not hasattr(ranker, method)]
        if lacking:
            raise TypeError(
                f"ranker is {type(ranker).__name__} and has no {lacking[0]}; expected a "
                "ranker such as LGBMRanker, XGBRanker or CatBoostRanker. Pass an "
                "instance of one."
            )
        if group_argument(ranker) is None:
            raise TypeError(
                f"ranker is {type(ranker).__name__}, whose fit takes none of group, qid "
                "and group_id; expected a ranker such as LGBMRanker, XGBRanker or "
                "CatBoostRanker. A ranker of this package takes groups as it is; an "
                "estimator of a plain target is wrapped as PlainTarget(...); steps "
                "before a ranker go around the wrapper: make_pipeline(StandardScaler(), "
                "GroupwiseRanker(...))."
            )
        return _clone_of(ranker)

    def _check_X(self, X, ranker, reset=False, **kwargs):
        """Return features as a ranker takes them."""
        library = Library(ranker)
        if library.takes_categories and _has_categories(X):
            check_numbers(X.select_dtypes(exclude="category"))
            return validate_data(self, X, reset=reset, skip_check_array=True)
        taken = _input_tags(ranker)
        X = checked_table(
            self,
            checked_sparse(X),
            allow_nan=taken.allow_nan,
            reset=reset,
            dtype=[np.float64, np.float32],
            accept_sparse="csr" if taken.sparse else False,
            **kwargs,
        )
        library.check_float32(X, getattr(self, "feature_names_in_", None))
        if sparse.issparse(X):
            # CatBoost takes no sparse array, and LightGBM warns of one.
            return sparse.csr_matrix(with_narrow_indices(X))
        # CatBoost misreads values that are not aligned, as in a field of records.
        return np.require(X, requirements="A")

    def _validation_rows(self, ranker, X, y, X_val, y_val):
        """Return the rows to judge by, sorted by group, or None."""
        validation = check_validation_set(
            X_val,
            y_val,
            _numbers_of(X),
            y,
            check_X=lambda table: _numbers_of(self._check_X(table, ranker)),
            caller=self._caller("fit"),
        )
        if validation is None:
            return None
        return GroupedRows.of(self._check_X(X_val, ranker), validation.target)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        taken = _input_tags(self.ranker)
        tags.input_tags.allow_nan = taken.allow_nan
        tags.input_tags.sparse = taken.sparse
        return tags


def _clone_of(ranker):
    """Return a ranker with the same parameters, not fitted."""
    try:
        return clone(ranker, safe=False)
    except RuntimeError:
        # CatBoost's get_params copies lists, which clone takes for a constructor that
        # changes them.
        return type(ranker)(**ranker.get_params())


def _input_tags(ranker):
    """Return what a ranker says of the features that it takes."""
    if hasattr(ranker, "__sklearn_tags__") and not isinstance(ranker, type):
        return ranker.__sklearn_tags__().input_tags
    # CatBoost before 1.2.10 says nothing. All three take missing values and CSR.
    takes_all = isinstance(ranker, str) or library_of(ranker) is not None
    return InputTags(allow_nan=takes_all, sparse=takes_all)


def _has_categories(X):
    """Tell whether X is a pandas DataFrame with a categorical column."""
    dtypes = X.dtypes if hasattr(X, "iloc") and X.ndim == 2 else ()
    return any(str(dtype) == "category" for dtype in dtypes)


def _numbers_of(X):
    """Return a table with zeros for what is categorical in a DataFrame."""
    if not hasattr(X, "iloc"):
        return X
    is_category = [str(dtype) == "category" for dtype in X.dtypes]
    columns = (
        np.zeros(len(X)) if is_one else X.iloc[:, k]
        for k, is_one in enumerate(is_category)
    )
    return np.column_stack(list(columns)).astype(np.float64)
