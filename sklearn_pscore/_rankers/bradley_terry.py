"""Strengths of items by their votes or preferences, without metrics: Bradley-Terry."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_pscore._estimators.parameters import check_parameters
from sklearn_pscore._estimators.restore import restored_on_error
from sklearn_pscore._items.attached import warn_about_attached_items
from sklearn_pscore._rankers.base import RankerMixin
from sklearn_pscore._rankers.strengths import fit_strengths, unbounded_items
from sklearn_pscore._segments import Segments
from sklearn_pscore._target.arguments import explained_call
from sklearn_pscore._target.check import check_comparable, check_groups
from sklearn_pscore._target.fields import as_labels
from sklearn_pscore._target.tables import checked_table
from sklearn_pscore._target.votes import PairVotes
from sklearn_pscore._warn import warn_user
from sklearn_pscore.metrics import rank_items

# Penalty that is used where votes leave a strength unbounded. Not measured.
_WEAK = 0.01
# A matrix of so many items has 800 MB.
_MOST_ITEMS = 10_000
_MOST_PAIRS = 5 * 10**7


class BradleyTerryRanker(RankerMixin, BaseEstimator):
    r"""Learn one strength per item from who was preferred to whom, and no metric.

    With d the difference of the strengths of two items, people prefer the first with
    the probability :math:`1 / (1 + e^{-d})` [1]_. It is the classical leaderboard of
    an arena, and the baseline that knows only which system made an item: what a
    learnt score adds is what it is better by.

    ``predict(X, groups)`` returns the strength of each row's item. ``predict(X)`` has no
    items, and returns the part of the covariates, 0 without.

    Direction and weights are as in ``docs/conventions.md``.

    Parameters
    ----------
    ties : {"half", "davidson"}, default="half"
        What a vote for neither is: half a win for each, or a third outcome, more likely
        the closer two strengths are [2]_. Equal preferences make no pair.

    l2 : float >= 0, default=0.0
        Penalty, half of it times the sum of the squared strengths.

    covariates : list of str or int, or None, default=None
        Columns of `X` that count beside the strengths, by their difference, such as the
        length of an answer: the strengths are then those at equal length.

    order_bias : bool, default=False
        Whether to learn by how much it is an advantage to be shown first; needs a
        target of ``Groups.from_votes(..., order=True)``.

    Attributes
    ----------
    items_ : ndarray of shape (n_items,)
        Labels of the items, sorted. Row numbers if the target was plain.

    strength_ : ndarray of shape (n_items,)
        Strengths, a logarithm; their mean is 0.

    strength_std_ : ndarray of shape (n_items,)
        Their standard errors: sandwich estimates [3]_, with the blocks of the target for
        independent; without blocks the votes, or the groups of preferences.

    covariance_ : ndarray of shape (n_items, n_items)
        Covariance of the strengths.

    n_votes_ : ndarray of shape (n_items,)
        Votes that each was in, times their weights; pairs of preferences.

    covariates_ : ndarray of shape (n_covariates,), int
        Numbers of the columns that are covariates.

    coef_ : ndarray of shape (n_covariates,)
        What one unit of each covariate adds to a strength.

    coef_std_ : ndarray of shape (n_covariates,)
        Their standard errors.

    tie_parameter_ : float or None
        How common ties are, nu of [2]_; None if none was seen, or ties are half wins.

    order_bias_ : float or None
        By how much it raises the log odds to be shown first; None without `order_bias`.

    order_bias_std_ : float or None
        Its standard error.

    log_likelihood_ : float
        Of all votes, without the penalty.

    n_iter_ : int
        Iterations of Newton's method.

    n_groups_ : int
        Groups with a pair.

    n_features_in_ : int
        Number of features seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if ``X`` had names.

    See Also
    --------
    LinearPreferenceRanker : The same model, with a strength that metrics make.

    References
    ----------
    .. [1] Bradley, Terry, "Rank analysis of incomplete block designs", Biometrika
       39, 1952, doi:10.2307/2334029.
    .. [2] Davidson, "On extending the Bradley-Terry model to accommodate ties in
       paired comparison experiments", JASA 65, 1970, doi:10.2307/2283595.
    .. [3] White, "Maximum likelihood estimation of misspecified models",
       Econometrica 50, 1982, doi:10.2307/1912526.

    Examples
    --------
    Of four votes a has won three: log(3) apart.

    >>> import pandas as pd
    >>> from sklearn_pscore import BradleyTerryRanker, Groups
    >>> items = pd.DataFrame({"prompt": [1, 1], "system": ["a", "b"], "SSIM": [0.9, 0.8]})
    >>> votes = pd.DataFrame({
    ...     "prompt": 1, "left": "a", "right": "b", "winner": ["a", "a", "b", "a"],
    ... })
    >>> groups = Groups.from_votes(votes, items)
    >>> ranker = BradleyTerryRanker().fit(items[["SSIM"]], groups)
    >>> ranker.strength_.round(4).tolist()
    [0.5493, -0.5493]
    """

    _parameter_constraints = {
        "ties": [StrOptions({"half", "davidson"})],
        "l2": [Interval(Real, 0, None, closed="left")],
        "covariates": [list, tuple, np.ndarray, None],
        "order_bias": ["boolean"],
    }

    def __init__(self, ties="half", l2=0.0, covariates=None, order_bias=False):
        self.ties = ties
        self.l2 = l2
        self.covariates = covariates
        self.order_bias = order_bias

    @explained_call
    def fit(self, X, y):
        """Learn the strengths of the items.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features, of which only the covariates count.
        y : structured ndarray of shape (n_samples,) or array-like
            Target of :class:`Groups` with a field `item`, or preferences of one single
            group, in which each row is an item.

        Returns
        -------
        self : BradleyTerryRanker
            The same object, fitted.

        Raises
        ------
        ValueError
            If there is no comparable pair, the target has no items, a covariate is
            no column or has missing values, or there are more than 10,000 items.
        TypeError
            If `y` is neither of the two.

        Warns
        -----
        UserWarning
            If the strength of an item is not bounded, since it has won or lost all, or
            votes do not connect it with the others; a weak penalty is then used. A
            plain `y` orders all items, so that this is expected and not said.
        ConvergenceWarning
            If the most likely strengths were not reached.
        """
        caller = self._caller("fit")
        with restored_on_error(self):
            check_parameters(self)
            warn_about_attached_items(X, type(self).__name__)
            X = self._check_X(X, reset=True)
            target = check_groups(y, n_rows=len(X), caller=caller)
            labels, item = _items_of(y, target, caller)
            self.covariates_ = self._columns(X.shape[1])
            Z = self._covariates_of(X)
            votes = self._votes_of(target, caller)
            self._note_cut_groups(y, target, caller)
            self._fit(labels, item, Z, votes, target)
        return self

    def _fit(self, labels, item, Z, votes, target):
        """Set the fitted attributes."""
        caller = self._caller("fit")
        present, codes = np.unique(
            item[np.concatenate([votes.first, votes.second])], return_inverse=True
        )
        _check_n_items(len(present), caller)
        first, second = np.split(codes, 2)
        pairs = PairVotes(first, second, votes.wins, votes.losses, votes.ties)
        names = labels[present]
        l2 = float(self.l2)
        unbounded, n_parts = unbounded_items(pairs, len(present))
        if l2 == 0.0 and (len(unbounded) or n_parts > 1):
            l2 = _WEAK
            if not target.is_plain:
                _warn_of_unbounded(names[unbounded], n_parts, caller)
        scale = np.maximum(Z.std(axis=0), np.finfo(float).tiny)
        scale[scale == np.finfo(float).tiny] = 1.0
        columns = (Z[votes.first] - Z[votes.second]) / scale
        if self.order_bias:
            columns = np.column_stack([columns, votes.side])
        fit = fit_strengths(
            pairs,
            len(present),
            columns=columns,
            ties=self.ties,
            l2=l2,
            cluster=_clusters_of(votes, target),
        )
        n_items, n_covariates = len(present), Z.shape[1]
        std = np.sqrt(np.maximum(np.diag(fit.covariance), 0.0))
        self.items_, self.strength_ = names, fit.strength
        self.strength_std_ = std[:n_items]
        self.covariance_ = fit.covariance[:n_items, :n_items]
        self.n_votes_ = np.bincount(codes, np.tile(pairs.votes, 2))
        self.coef_ = fit.coef[:n_covariates] / scale
        self.coef_std_ = std[n_items : n_items + n_covariates] / scale
        self.tie_parameter_ = None if fit.log_nu is None else float(np.exp(fit.log_nu))
        self.order_bias_ = float(fit.coef[-1]) if self.order_bias else None
        self.order_bias_std_ = float(std[-1]) if self.order_bias else None
        self.log_likelihood_ = fit.log_likelihood
        self.n_iter_ = fit.n_iterations
        self.n_groups_ = len(np.unique(target.group[votes.first]))
        if not fit.has_converged:
            warn_user(
                f"{caller} stopped after {fit.n_iterations} iterations, short of the most "
                "likely strengths; expected fewer with a penalty. Raise l2.",
                ConvergenceWarning,
            )

    @explained_call
    def predict(self, X, groups=None):
        """Return the strength of each row's item, and the part of the covariates.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.
        groups : structured ndarray of shape (n_samples,) or None, default=None
            Target of :class:`Groups` with a field `item`; it needs no preference. None
            leaves the strengths out.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float64
            Larger is preferred. An item that was not there in ``fit`` has the mean
            strength, 0.

        Raises
        ------
        ValueError
            If the target has no items.

        Warns
        -----
        UserWarning
            If items were not there in ``fit``.
        """
        check_is_fitted(self)
        X = self._check_X(X)
        score = self._covariates_of(X) @ self.coef_
        if groups is None:
            return score
        caller = self._caller("predict")
        target = check_groups(
            groups,
            n_rows=len(X),
            allow_plain=False,
            require_preference=False,
            caller=caller,
        )
        labels, item = _items_of(groups, target, caller)
        return score + self._strengths_of(labels, caller)[item]

    @explained_call
    def rank(self, X, groups):
        """Rank the items of each group by their strength, 1 is best.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features of each row.
        groups : structured ndarray of shape (n_samples,)
            Target of :class:`Groups` with a field `item`; it needs no preference.

        Returns
        -------
        ranks : ndarray of shape (n_samples,), float
            See :func:`~sklearn_pscore.metrics.rank_items`.
        """
        return rank_items(groups, self.predict(X, groups))

    def _scores_to_judge(self, X, y):
        """Return the scores by the items of `y`, if it has some."""
        is_plain = check_groups(y, caller=self._caller("score")).is_plain
        return self.predict(X) if is_plain else self.predict(X, y)

    def _strengths_of(self, labels, caller):
        """Return the strength of each label, 0 if it is unknown."""
        if labels.dtype.kind != self.items_.dtype.kind:
            words = {"i": "integers", "U": "strings"}
            raise ValueError(
                f"{caller} got items that are {words[labels.dtype.kind]}, and was fitted "
                f"on {words[self.items_.dtype.kind]}; expected the same labels. Convert "
                "them, for example by astype(str)."
            )
        place = np.searchsorted(self.items_, labels)
        place = np.minimum(place, len(self.items_) - 1)
        is_known = self.items_[place] == labels
        if not is_known.all():
            unknown = labels[~is_known].tolist()
            warn_user(
                f"{caller} got {len(unknown)} items that fit had no vote of, such as "
                f"{unknown[:3]}: their strength is taken for the mean, 0."
            )
        return np.where(is_known, self.strength_[place], 0.0)

    def _votes_of(self, target, caller):
        """Return the judgements between the rows that count."""
        if target.votes is None:
            if self.order_bias:
                _raise_no_order()
            check_comparable(target, caller)
            return _preferred(target, caller)
        votes = target.votes
        if self.order_bias and votes.side is None:
            _raise_no_order()
        factor = target.weight[votes.first] * target.weight[votes.second]
        votes = votes.of((factor > 0) & (votes.votes > 0))
        factor = factor[(factor > 0) & (target.votes.votes > 0)]
        if not len(votes):
            raise ValueError(
                f"{caller} got no vote between two of the {target.n_rows} rows that "
                "counts; expected at least one. Check the weights, and whether both rows "
                "of a pair are there."
            )
        counts = (factor * count for count in (votes.wins, votes.losses, votes.ties))
        is_decided = votes.wins + votes.losses > 0
        if self.ties == "davidson" and not is_decided.any():
            raise ValueError(
                f"{caller} got {len(votes)} pairs with votes of which none was decided; "
                'ties="davidson" expected some votes for one of two items, for else all '
                'is a tie. Check the outcomes of the votes, or pass ties="half".'
            )
        return PairVotes(votes.first, votes.second, *counts, votes.side)

    def _columns(self, n_features):
        """Return the numbers of the columns that are covariates."""
        names = list(getattr(self, "feature_names_in_", ()))
        columns = []
        for each in () if self.covariates is None else self.covariates:
            if isinstance(each, str) and each in names:
                columns.append(names.index(each))
            elif _is_number(each) and 0 <= each < n_features:
                columns.append(int(each))
            else:
                raise ValueError(
                    f"covariates holds {each!r}; expected columns of X, "
                    f"{names or f'numbers from 0 to {n_features - 1}'}. Pass some of them."
                )
        return np.array(columns, dtype=np.int64)

    def _covariates_of(self, X):
        """Return the columns of the covariates, shape (n_samples, n_covariates)."""
        Z = X[:, self.covariates_]
        bad = np.argwhere(np.isnan(Z))
        if len(bad):
            row, number = bad[0]
            raise ValueError(
                f"X has no value (NaN) at row {row} in column {self.covariates_[number]}, "
                "a covariate; expected a number in each. Fill it, or leave it out."
            )
        return Z

    def _check_X(self, X, reset=False):
        return checked_table(
            self, X, reset=reset, dtype=np.float64, ensure_min_samples=1 + reset
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.covariates is None
        return tags


def _is_number(value):
    return isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))


def _items_of(y, target, caller):
    """Return the sorted labels of the items, and the code of each row's."""
    if target.is_plain:
        rows = np.arange(target.n_rows)
        return rows, rows
    if target.item is None:
        raise ValueError(
            f"{caller} got a target without the field item; expected the name of the item "
            "or system of each row, whose strength is learnt. Pass item= to the "
            "constructor of Groups."
        )
    return np.unique(as_labels(y["item"], "item"), return_inverse=True)


def _preferred(target, caller):
    """Return the pairs of different preference, each of one win."""
    items = target.items
    # A row of each item; rows of one share their item's label and preference.
    row = np.full(items.n_items, -1)
    counted = np.flatnonzero(items.row_item >= 0)
    row[items.row_item[counted][::-1]] = counted[::-1]
    order = np.argsort(items.group, kind="stable")
    groups = Segments.of_equal(items.group[order])
    n_pairs = int(groups.n_pairs.sum())
    if n_pairs > _MOST_PAIRS:
        raise ValueError(
            f"The target has {n_pairs:,} pairs of items; {caller} lists them, and takes at "
            f"most {_MOST_PAIRS:,}. Pass fewer rows, or smaller groups."
        )
    first, second = groups.pairs()
    a, b = order[first], order[second]
    difference = items.preference[a] - items.preference[b]
    differs = difference != 0
    a, b, difference = a[differs], b[differs], difference[differs]
    weight = items.weight / items.weight.max()
    both = weight[a] * weight[b]
    nothing = np.zeros(len(a))
    return PairVotes(
        row[a],
        row[b],
        np.where(difference > 0, both, nothing),
        np.where(difference < 0, both, nothing),
        nothing,
    )


def _clusters_of(votes, target):
    """Return the block of each pair; the group of preferences; None for all votes."""
    if target.block is None and target.votes is not None:
        return None
    unit = target.unit[votes.first]
    codes = np.unique(unit, return_inverse=True)[1]
    # A single one cannot tell how much others would differ.
    return codes if codes.max(initial=0) > 0 else None


def _check_n_items(n_items, caller):
    if n_items > _MOST_ITEMS:
        raise ValueError(
            f"{caller} got {n_items:,} items; expected at most {_MOST_ITEMS:,}, for it "
            "holds a matrix of all of them. Name the system of each row as item, not the "
            "row."
        )


def _raise_no_order():
    raise ValueError(
        "order_bias=True, and the target does not know who was shown first; expected one "
        "of Groups.from_votes(..., order=True). Build it so, or set order_bias=False."
    )


def _warn_of_unbounded(names, n_parts, caller):
    """Warn of items whose strength is what the penalty makes it."""
    what = "have won or lost all of their pairs with the others"
    if n_parts > 1:
        what = f"are in {n_parts} parts that no vote connects, or {what}"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    warn_user(
        f"{caller}: {len(names)} items {what}: {names[:3].tolist()}{more}. Their most "
        f"likely strength is infinite, so a penalty of l2={_WEAK:g} is used. Pass l2= to "
        "choose another."
    )
