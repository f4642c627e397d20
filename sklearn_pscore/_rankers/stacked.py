"""The stack: rankers of any kind, weighed by what they left out."""

from numbers import Integral

import numpy as np
from scipy.special import expit
from sklearn.base import clone
from sklearn.utils import Bunch, check_random_state, get_tags, indexable
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_pscore._estimators.parameters import check_parameters
from sklearn_pscore._estimators.restore import restored_on_error
from sklearn_pscore._items.attached import (
    warn_about_attached_items,
    without_attached_items,
)
from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._rankers.base import RankerMixin, log_odds
from sklearn_pscore._rankers.item_checks import check_weights
from sklearn_pscore._rankers.left_out import left_out_folds, pool, split_items
from sklearn_pscore._rankers.stack_members import (
    check_members,
    default_members,
    fit_member,
    is_dropped,
    named_error,
    scores_of,
    seeded_members,
    takes_return_std,
)
from sklearn_pscore._target.arguments import explained_call
from sklearn_pscore._target.check import check_comparable, check_groups
from sklearn_pscore._target.groups import Groups
from sklearn_pscore._target.rows import count_rows
from sklearn_pscore._warn import warn_user

# Strength of the pull towards equal weights, as penalty times the number of items.
# benchmarks/agreement/stack.py varies it.
_PULL = 10.0
# Scores whose spread inside groups is less than this share of their size do not vary.
_ROUNDING = 1e-12


class StackedRanker(RankerMixin, _BaseComposition):
    r"""Weigh the scores of several rankers by the pairs that they left out.

    Stacking [1]_ with weights that are not negative [2]_, for rankers as
    :class:`~sklearn.ensemble.StackingRegressor` is for regressors. Every member is
    fitted without each fold of the groups in turn, and scores it. The scores are
    brought to one scale, and the weights are those with the smallest pairwise logistic
    loss there. Then every member is fitted anew, to all rows. The score is

    .. math:: S(x) = \sum_m weights_m \, s_m(x) / scales_m

    on the scale of log odds, so that :meth:`preference_proba` states probabilities.

    The strong option, where a tenth of a percent counts and six fits of each member do not:
    ``docs/agreement.md`` has what it gains over :class:`PairwisePreferenceRanker` on real
    data, where it does, and with how few groups it does not. Direction, ties, weights and
    gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    rankers : list of (str, estimator) or None, default=None
        The members by name, at least two. They may be pipelines, and all that has
        ``fit(X, groups)`` and ``predict(X)``; wrap other libraries' rankers in
        :class:`GroupwiseRanker`, and estimators of a plain target in
        :class:`PlainTarget`. "drop" in the place of an estimator leaves it out. None is
        :class:`PairwisePreferenceRanker`, :class:`LinearPreferenceRanker`, and
        ``PlainTarget(ExtraTreesRegressor(300, min_samples_leaf=3))``.

    cv : int, splitter, iterable of (train, test) or None, default=None
        Folds to leave out. None is five folds of blocks or groups by
        :class:`~sklearn_pscore.model_selection.PreferenceGroupKFold`, or as many as
        there are; a single block is split by groups, and a single group by items, into
        five folds of two items or more. Only pairs inside one fold are weighed by.

    n_jobs : int or None, default=None
        Number of processes that fit members, see :term:`n_jobs`. The result does not
        depend on it.

    random_state : int, RandomState instance or None, default=None
        Seeds the members whose own `random_state` is None, at any depth. Every member
        draws once, so that its seeds do not depend on those of the others.

    verbose : int, default=0
        1 prints a line per fit, and the weights.

    Attributes
    ----------
    weights_ : ndarray of shape (n_members,)
        Weights of the members that were not dropped, at least 0.

    scales_ : ndarray of shape (n_members,)
        Standard deviation of each member's scores inside groups, on the rows left out.

    rankers_ : list of estimator
        The members, fitted to all rows.

    named_rankers_ : :class:`~sklearn.utils.Bunch`
        The same by name.

    n_groups_ : int
        Number of groups seen in ``fit``, those of donors and of weight zero left out.

    n_features_in_ : int
        Number of columns seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features_in_,), str
        Names of the columns, if all of them are strings.

    See Also
    --------
    GroupwiseRanker : Makes a member of another library's ranker.
    PlainTarget : Makes a member of an estimator that wants a plain target.

    Notes
    -----
    `X` is handed to the members as it is: missing values, text and sparse matrices are
    taken if all of them take these. Every member is asked for ``predict(X)`` without
    groups, so that a score depends on its row alone.

    Synthetic items of :class:`PairAugmenter` before the stack are left out: the
    augmenter goes into the pipeline of a member, where each fold makes its own.

    Weights are pulled towards equal ones, with the strength of ten items. Where the
    members tell the same apart equally well, all of them count.

    References
    ----------
    .. [1] Wolpert, "Stacked generalization", Neural Networks 5, 1992,
       doi:10.1016/S0893-6080(05)80023-1.
    .. [2] Breiman, "Stacked regressions", Machine Learning 24, 1996,
       doi:10.1007/BF00117832.

    Examples
    --------
    The first metric is what people go by, and the second is noise:

    >>> import numpy as np
    >>> from sklearn_pscore import Groups, LinearPreferenceRanker, RankSumRanker
    >>> from sklearn_pscore import StackedRanker
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> groups = Groups.from_arrays(group=np.arange(60) % 12, preference=X[:, 0])
    >>> stack = StackedRanker(
    ...     [("linear", LinearPreferenceRanker()),
    ...      ("ranks", RankSumRanker(directions="larger"))]
    ... )
    >>> weights = stack.fit(X, groups).weights_
    >>> bool(weights[0] > weights[1])
    True
    >>> bool(stack.score(X, groups) > 0.8)
    True
    """

    _parameter_constraints = {
        "rankers": [list, None],
        "cv": ["cv_object"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self, rankers=None, *, cv=None, n_jobs=None, random_state=None, verbose=0
    ):
        self.rankers = rankers
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def get_params(self, deep=True):
        """Return the parameters, with `deep` those of the members too.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return members by name, and theirs as ``name__parameter``.

        Returns
        -------
        params : dict
        """
        return self._get_params("rankers", deep=deep)

    def set_params(self, **params):
        """Set parameters, members by name, and parameters of members.

        Parameters
        ----------
        **params : dict
            For example ``linear="drop"`` or ``linear__C=0.1``.

        Returns
        -------
        self : StackedRanker
            The same object.
        """
        self._set_params("rankers", **params)
        return self

    @explained_call
    def fit(self, X, y):
        """Fit the members to folds, learn their weights, and fit them to all rows.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Features, as the members take them.
        y : structured ndarray of shape (n_samples,) or array-like
            Target of :class:`Groups`, or preferences of one single group.

        Returns
        -------
        self : StackedRanker
            The same object, fitted.

        Raises
        ------
        ValueError
            If there are less than two members, two of one name, too few groups or
            items to leave any out, or no comparable pair. And if a member fails: the
            error names it, and is chained to the member's own.
        TypeError
            If a member is no estimator, or fails with such an error.

        Warns
        -----
        UserWarning
            If no member has a weight: what they learn does not hold on what they left
            out. It does not warn of a plain target.
        """
        caller = self._caller("fit")
        with restored_on_error(self):
            check_parameters(self)
            rng = check_random_state(self.random_state)
            members = self._unfitted_members(rng)
            warn_about_attached_items(X, type(self).__name__)
            # The folds have none, so that no member may learn from them.
            (X,) = indexable(without_attached_items(X))
            self._check_X(X, reset=True)
            target = check_groups(y, n_rows=count_rows(X, "X"), caller=caller)
            _check_comparable(target, caller)
            self._note_cut_groups(y, target, caller)
            y = self._target_of_members(y, target)
            folds = left_out_folds(self.cv, X, y, target, caller)
            items = TrainingItems.from_target(np.empty((target.n_rows, 0)), target)
            masks = split_items(items, target, folds)
            rows = [
                (train, items.row[left_out])
                for (train, _), (_, left_out) in zip(folds, masks, strict=True)
            ]
            fitted, scores = self._fit_members(members, X, y, rows)
            pooled = pool(items, masks, scores, caller)
            self.scales_, self.weights_ = _learn_weights(pooled)
            self.rankers_ = fitted
            self._names = list(dict(members))
            self.n_groups_ = len(np.unique(items.group))
            self._tell_weights(target)
        return self

    @explained_call
    def predict(self, X, return_std=False):
        """Score items; larger is preferred.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Features.
        return_std : bool, default=False
            Whether to return how uncertain each score is, too.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float64
            One score per row, which depends on no other row.
        y_std : ndarray of shape (n_samples,), float64
            Only if `return_std`. The weighted sum of the members' standard errors: the
            standard error of the score if all of them err in the same way, as members
            that learnt from the same rows mostly do, and else more than that. The
            weights are taken as they are.

        Raises
        ------
        TypeError
            If `return_std` is no bool, or a member that has a weight has no standard
            error.
        """
        check_is_fitted(self)
        if not isinstance(return_std, (bool, np.bool_)):
            raise TypeError(
                f"return_std is of type {type(return_std).__name__}; expected a bool. A "
                "row's score depends on no other row: call predict(X), or rank(X, groups) "
                "for the order inside groups."
            )
        asked = self._asked_members()
        if return_std:
            self._check_return_std(asked)
        self._check_X(X)
        total = 0.0
        for name, ranker, factor in asked:
            try:
                part = scores_of(ranker, X, return_std)
            except Exception as error:
                raise named_error(
                    error, f"member {name!r} failed to predict"
                ) from error
            total = total + factor * np.stack(part if return_std else (part,))
        return tuple(total) if return_std else total[0]

    def preference_proba(self, X_a, X_b):
        """Return the probability that people prefer a to b, Eq. 1 of the paper.

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

    def _unfitted_members(self, rng):
        """Return clones of the members that are not dropped, seeded."""
        if self.rankers is None:
            return seeded_members(default_members(), rng)
        check_members(self.rankers, self.get_params(deep=False))
        return seeded_members(self.rankers, rng)

    def _check_X(self, X, reset=False):
        """Check the shape and the columns; the members check the values."""
        n_dimensions = len(X.shape) if hasattr(X, "shape") else np.asarray(X).ndim
        if n_dimensions != 2:
            raise ValueError(
                f"X has {n_dimensions} dimensions; expected 2, of rows and features. "
                "Reshape your data: X.reshape(-1, 1) makes a single feature of it, and "
                "X.reshape(1, -1) a single row."
            )
        validate_data(self, X, reset=reset, skip_check_array=True)

    def _target_of_members(self, y, target):
        """Return the target that members are fitted on, of which all warnings are given."""
        if target.is_plain:
            return target.preference
        is_told = self._cut_target is not None
        if is_told or len(np.unique(target.group[target.is_counted])) == 1:
            return Groups.whole(y)
        return y

    def _fit_members(self, members, X, y, rows):
        """Return the members fitted to all rows, and the scores of what folds left out.

        Parameters
        ----------
        members : list of (str, estimator)
        X, y : array-like
        rows : list of tuple (train, left_out)
            Row numbers of each fold.

        Returns
        -------
        fitted : list of estimator
        scores : list of ndarray of shape (n_left_out, n_members)
            Of each fold.
        """
        parts = [("all rows", None, None)]
        for number, (train, left_out) in enumerate(rows, start=1):
            parts.append((f"fold {number} of {len(rows)}", train, left_out))
        results = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_member)(name, clone(ranker), X, y, *part, self.verbose)
            for part in parts
            for name, ranker in members
        )
        n_members = len(members)
        scores = [
            np.stack(results[first : first + n_members], axis=1)
            for first in range(n_members, len(results), n_members)
        ]
        return results[:n_members], scores

    @property
    def named_rankers_(self):
        """The members, fitted to all rows, by name."""
        check_is_fitted(self, "rankers_")
        return Bunch(**dict(zip(self._names, self.rankers_, strict=True)))

    def _factors(self):
        """Return what the score of each member is multiplied by."""
        return self.weights_ / np.where(self.scales_ > 0, self.scales_, 1.0)

    def _asked_members(self):
        """Return (name, ranker, factor) of the members that the score is made of.

        If none has a weight it is all of them, so that `X` is checked by someone.
        """
        members = zip(self._names, self.rankers_, self._factors(), strict=True)
        asked = list(members)
        return [member for member in asked if member[2] > 0] or asked

    def _check_return_std(self, asked):
        lacking = [name for name, ranker, _ in asked if not takes_return_std(ranker)]
        if lacking:
            raise TypeError(
                f"return_std=True, but predict of the members {lacking} has no return_std; "
                f"expected it of all that have a weight, {[name for name, *_ in asked]}. "
                "Pass return_std=False, or drop these members and fit anew."
            )

    def _tell_weights(self, target):
        """Print the weights if asked; warn if there is none."""
        if self.verbose:
            weights = zip(self._names, self.weights_, strict=True)
            text = ", ".join(f"{name} {weight:.3g}" for name, weight in weights)
            print(f"[StackedRanker] weights: {text}", flush=True)
        # scikit-learn's checks fail on a warning, and pass plain targets that say nothing.
        if not self.weights_.any() and not target.is_plain:
            warn_user(
                f"No member of {type(self).__name__} has a weight, so that all scores are "
                "0: what members learn from some groups does not hold in those left out. "
                "The metrics may say nothing about the preference."
            )

    def _all_take(self, tag):
        """Tell whether all members take an input, by their tags."""
        if self.rankers is None:
            return True
        try:
            return all(
                getattr(get_tags(ranker).input_tags, tag)
                for _, ranker in self.rankers
                if not is_dropped(ranker)
            )
        except (AttributeError, TypeError, ValueError):
            # They are no pairs, or no estimators: fit tells.
            return False

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._all_take("allow_nan")
        tags.input_tags.sparse = self._all_take("sparse")
        return tags


def _check_comparable(target, caller):
    """Raise ValueError unless there are two rows, a pair, and weights alike."""
    if target.n_rows < 2:
        raise ValueError(
            f"X has n_samples = {target.n_rows}; {caller} expected at least 4, to leave "
            "out a pair and to learn from another. Give it more rows."
        )
    check_comparable(target, caller, for_votes=True)
    check_weights(target.weight[target.is_counted])


def _learn_weights(pooled):
    """Return the scales of the members' scores, and the weights after scaling.

    Parameters
    ----------
    pooled : TrainingItems
        Comparable items with the members' scores as features.

    Returns
    -------
    scales : ndarray of shape (n_members,)
        Standard deviation inside groups.
    weights : ndarray of shape (n_members,), >= 0
    """
    from sklearn_pscore._torch.pair_fit import PairLoss

    Z, scales = _standardised_inside_groups(pooled.X, pooled.group)
    used = np.flatnonzero(scales > 0)
    weights = np.zeros(len(scales))
    if not len(used):
        return scales, weights
    Z, loss, n_items = Z[:, used], PairLoss(pooled, "sqrt"), len(pooled)
    # What all of them have if they count alike.
    equal = loss.fit(Z.sum(axis=1, keepdims=True), n_items, not_negative=True).weights
    weights[used] = loss.fit(
        Z, n_items / _PULL, center=np.repeat(equal, len(used)), not_negative=True
    ).weights
    return scales, weights


def _standardised_inside_groups(scores, group):
    """Return scores that vary about zero by one inside groups, and how they varied.

    Scores that do not vary inside any group are 0, and so is their scale.
    """
    group = np.unique(group, return_inverse=True)[1]
    size = np.bincount(group)
    # Parts of the largest, whose squares are finite.
    largest = np.abs(scores).max(axis=0)
    scores = scores / np.where(largest > 0, largest, 1.0)
    means = np.stack([np.bincount(group, s) / size for s in scores.T], axis=1)
    centred = scores - means[group]
    spread = np.sqrt((centred**2).sum(axis=0) / np.sum(size - 1))
    # Less is the rounding of the mean.
    spread[spread < _ROUNDING] = 0.0
    standardised = np.where(
        spread > 0, centred / np.where(spread > 0, spread, 1.0), 0.0
    )
    return standardised, spread * largest
