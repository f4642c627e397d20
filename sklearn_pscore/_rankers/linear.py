"""The linear ranker: logistic regression on the differences of pairs."""

from dataclasses import dataclass, replace
from numbers import Real

import numpy as np
from scipy import sparse
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_pscore._estimators.parameters import check_parameters
from sklearn_pscore._estimators.restore import restored_on_error
from sklearn_pscore._items.attached import take_attached_items
from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._rankers.base import RankerMixin, log_odds
from sklearn_pscore._rankers.item_checks import check_ties, check_votes, check_weights
from sklearn_pscore._rankers.left_out import left_out_folds, pool, split_items
from sklearn_pscore._rankers.sizes import check_largest, name_of
from sklearn_pscore._target.arguments import explained_call
from sklearn_pscore._target.check import check_comparable, check_groups
from sklearn_pscore._target.tables import checked_table
from sklearn_pscore._warn import warn_user

# What C="cv" chooses among. Not measured.
_CANDIDATES = tuple(10.0**power for power in range(-4, 3))
# In float64, or a C of float16 would be compared with bounds that float16 cannot hold.
_C_RANGE = np.float64(1e-12), np.float64(1e12)
# Squares, quotients and products of such numbers are finite.
_LARGEST, _SMALLEST = 1e100, 1e-100
# Values that are multiplied by the coefficients at a time.
_VALUES_AT_A_TIME = 2**20


class LinearPreferenceRanker(RankerMixin, BaseEstimator):
    r"""Learn the weighted sum of the metrics that orders every group as people do.

    Logistic regression on the differences of pairs, without an intercept: the model
    of Bradley and Terry [1]_ with a strength that is linear in the metrics. With v
    the weights of the standardised metrics z, it minimises

    .. math:: |v|^2 / 2 + C \sum_{i \succ j} \log(1 + e^{-v \cdot (z_i - z_j)})

    over all pairs of a group with different preference, or all votes. That is convex,
    so the result depends on no seed, and on no order of rows but by rounding. Pairs
    of preferences are never listed: the time is linear in the rows.

    On few judgements this is hard to beat; ``docs/agreement.md`` compares.
    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    C : float in [1e-12, 1e12] or "cv", default=0.01
        Inverse strength of the ridge penalty, as in scikit-learn: smaller is a
        smoother score. It is relative to the sum over pairs, so more pairs need less.
        "cv" takes the power of ten from 1e-4 to 100 with the smallest loss on the
        pairs that five folds of the blocks or groups leave out; a single group is split
        by items. It takes 36 fits, and is no better than the default on most sets.

    ties : {"ignore", "half"}, default="ignore"
        What a pair of equal preference, or a vote for neither, is: no pair, or half a
        win for each, as in :class:`PairwisePreferenceRanker`.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features_in_,)
        Weights of the metrics in their own units: the score is ``X @ coef_ +
        intercept_``. Times the standard deviation of a metric it is its weight v in
        the formula.

    intercept_ : float
        Lets the scores of the training rows average zero. No pair depends on it.

    median_ : ndarray of shape (n_features_in_,)
        Median of each metric in training, which a missing one counts as; 0 if it was
        always missing, or `X` was sparse.

    C_ : float
        The `C` that was used.

    n_iter_ : int
        Iterations of L-BFGS-B.

    n_groups_ : int
        Groups with a pair.

    n_pairs_ : int
        Pairs learnt from, those of synthetic items included; pairs with votes.

    n_features_in_ : int
        Number of features seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if ``X`` had names.

    See Also
    --------
    PairwisePreferenceRanker : Curves and interactions of the metrics, too.
    SingleMetricRanker : A metric by itself.

    Notes
    -----
    A pair weighs the product of the weights of its rows, divided by the mean over
    pairs. Metrics are standardised by the mean and the standard deviation of all
    training rows that are no donors and have a weight above zero, missing ones filled by
    the median.

    References
    ----------
    .. [1] Bradley, Terry, "Rank analysis of incomplete block designs", Biometrika
       39, 1952, doi:10.2307/2334029.

    Examples
    --------
    One pair, whose metric differs by 2 standard deviations. The weight v satisfies
    v = 2 C / (1 + exp(2 v)), and is divided by the standard deviation, 3:

    >>> from sklearn_pscore import Groups, LinearPreferenceRanker
    >>> groups = Groups.from_arrays(group=["a", "a"], preference=[0, 1])
    >>> ranker = LinearPreferenceRanker(C=1.0).fit([[1.0], [7.0]], groups)
    >>> (ranker.coef_ * 3).round(4).tolist()
    [0.5213]
    >>> ranker.predict([[1.0], [7.0]]).round(4).tolist()
    [-0.5213, 0.5213]
    """

    _parameter_constraints = {
        "C": [Interval(Real, *_C_RANGE, closed="both"), StrOptions({"cv"})],
        "ties": [StrOptions({"ignore", "half"})],
    }

    def __init__(self, C=0.01, *, ties="ignore"):
        self.C = C
        self.ties = ties

    @explained_call
    def fit(self, X, y):
        """Learn the weights of the metrics.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Metrics, NaN where one is missing. A sparse matrix is never made dense, and
            has none missing.
        y : structured ndarray of shape (n_samples,) or array-like
            Target of :class:`Groups`, or preferences of one single group.

        Returns
        -------
        self : LinearPreferenceRanker
            The same object, fitted.

        Raises
        ------
        ValueError
            If there is no comparable pair, a value cannot be used, or "cv" finds
            too few groups or items.
        TypeError
            If `y` is neither of the two.

        Warns
        -----
        ConvergenceWarning
            If the minimum was not reached.
        """
        caller = self._caller("fit")
        with restored_on_error(self):
            # First, so that no other error is joined by a warning of lost items.
            items = take_attached_items(X, y)
            check_parameters(self)
            X = self._check_X(X, reset=True, ensure_min_samples=2)
            target = check_groups(y, n_rows=X.shape[0], caller=caller)
            if items is None:
                items = TrainingItems.from_target(X, target)
            check_votes(items, target, caller, ties=self.ties)
            items = replace(items, ties=self.ties).comparable()
            check_weights(items.weight)
            check_ties(items)
            if self.ties == "half" or not len(items):
                check_comparable(target, caller, for_votes=True)
            self._note_cut_groups(y, target, caller)
            rows = X[np.flatnonzero(target.is_counted)]
            self.median_ = _medians(rows)
            rows = self._without_missing(rows)
            _check_spread(rows, getattr(self, "feature_names_in_", None))
            scaler = StandardScaler(with_mean=not sparse.issparse(X)).fit(rows)
            Z = scaler.transform(self._without_missing(items.X))
            self.C_ = float(self.C) if self.C != "cv" else None
            if self.C_ is None:
                folds = left_out_folds(None, X, y, target, f'{caller} with C="cv"')
                self.C_ = _best_C(Z, items, split_items(items, target, folds), caller)
            fit, loss = _fit(Z, items, self.C_)
            self.coef_ = fit.weights / scaler.scale_
            self.intercept_ = -float(_products(rows, self.coef_).mean())
            self.n_iter_ = fit.n_iterations
            self.n_groups_, self.n_pairs_ = loss.n_groups, loss.n_pairs
            if not fit.has_converged:
                warn_user(
                    f"{caller} stopped after {fit.n_iterations} iterations, short of the "
                    f"minimum; expected fewer with a smaller C than {self.C_:g}. Lower C.",
                    ConvergenceWarning,
                )
        return self

    @explained_call
    def predict(self, X):
        """Score items; larger is preferred.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Metrics.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float64
            ``X @ coef_ + intercept_``. It depends on no other row.
        """
        check_is_fitted(self)
        X = self._without_missing(self._check_X(X))
        return _products(X, self.coef_) + self.intercept_

    def preference_proba(self, X_a, X_b):
        """Return the probability that people prefer a to b, Eq. 1 of the paper.

        With the default `ties` it is the probability given that they prefer one of
        the two; with "half", that plus half of the probability of a tie.

        Parameters
        ----------
        X_a, X_b : array-like or sparse matrix of shape (n_pairs, n_features)
            Metrics of the two items of each pair.

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

    def _additive_part(self):
        """Return the part that is a sum of functions of the metrics: all of it."""
        return LinearPart(self.coef_, self.median_)

    def _check_X(self, X, reset=False, **kwargs):
        X = checked_table(
            self,
            X,
            reset=reset,
            allow_nan="dense",
            dtype=np.float64,
            order="C",
            accept_sparse="csr",
            **kwargs,
        )
        names = getattr(self, "feature_names_in_", None)
        check_largest(X, _LARGEST, "so that products are finite", names)
        return X

    def _without_missing(self, X):
        """Return features in which a missing one is the median."""
        if sparse.issparse(X):
            return X
        is_missing = np.isnan(X)
        return np.where(is_missing, self.median_, X) if is_missing.any() else X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        return tags


@dataclass(frozen=True)
class LinearPart:
    """What each metric is worth by itself, as `AdditivePart` has it for a net.

    Attributes
    ----------
    coef, median : ndarray of shape (n_features,)
    """

    coef: np.ndarray
    median: np.ndarray
    n_members = 1
    n_folds = 0
    std_factor = np.nan

    @property
    def kinks(self):
        return np.empty((0, len(self.coef)))

    def worths(self, X, member):
        """Return what each value adds to the score, (n_rows, n_features)."""
        return np.where(np.isnan(X), self.median, X) * self.coef


def _medians(X):
    """Return the median of what is there of each column, 0 where nothing is."""
    if sparse.issparse(X):
        return np.zeros(X.shape[1])
    X = X.copy()
    X[:, np.isnan(X).all(axis=0)] = 0.0
    return np.nanmedian(X, axis=0, overwrite_input=True)


def _products(X, coef):
    """Return the product of each row with the weights, whatever the other rows are."""
    if sparse.issparse(X):
        return X @ coef
    # A matrix product works in blocks, which may round equal rows differently and
    # break exact ties.
    n_rows = max(1, _VALUES_AT_A_TIME // X.shape[1])
    products = np.empty(len(X))
    for first in range(0, len(X), n_rows):
        part = slice(first, first + n_rows)
        products[part] = np.sum(X[part] * coef, axis=1)
    return products


def _check_spread(X, names=None):
    """Raise ValueError if a column varies by less than its inverse can hold."""
    highest, lowest = X.max(axis=0), X.min(axis=0)
    if sparse.issparse(X):
        highest, lowest = highest.toarray().ravel(), lowest.toarray().ravel()
    spread = highest - lowest
    bad = np.flatnonzero((spread > 0) & (spread < _SMALLEST))
    if len(bad):
        raise ValueError(
            f"X varies by {spread[bad[0]]:.3g} in column {name_of(bad[0], names)}; "
            f"expected at least {_SMALLEST:g}, or nothing. Scale the column up, or leave "
            "it out."
        )


def _fit(Z, items, C, start=None):
    """Return the fit to items with the standardised features `Z`, and its loss."""
    from sklearn_pscore._torch.pair_fit import PairLoss

    loss = PairLoss(items, "pairs")
    return loss.fit(Z, C * loss.n_judgements, start=start), loss


def _best_C(Z, items, masks, caller):
    """Return the candidate with the smallest loss on the pairs that are left out."""
    from sklearn_pscore._torch.pair_fit import PairLoss

    scores = []
    for learnt, left_out in masks:
        training = items.take(learnt)
        # By number, to find the features of those that are comparable.
        training = replace(training, row=np.flatnonzero(learnt)).comparable()
        if not len(training):
            raise ValueError(
                f'{caller} with C="cv" has a fold without a pair to learn from; expected '
                "groups of different preferences in every fold. Give it more of them, or "
                "pass a number as C."
            )
        weights, start = [], None
        for C in _CANDIDATES:
            start = _fit(Z[training.row], training, C, start)[0].weights
            weights.append(start)
        scores.append(Z[np.flatnonzero(left_out)] @ np.stack(weights, axis=1))
    pooled = pool(items, masks, scores, f'{caller} with C="cv"')
    loss = PairLoss(pooled, "pairs")
    losses = [loss(np.ascontiguousarray(s), with_gradient=False)[0] for s in pooled.X.T]
    return _CANDIDATES[int(np.argmin(losses))]
