"""Scorers: ranking metrics for scikit-learn's ``scoring=``."""

import inspect
from functools import partial

import numpy as np

from sklearn_pscore._target.arguments import refuse_sample_weight
from sklearn_pscore._target.check import check_groups, is_structured
from sklearn_pscore._target.cut_groups import (
    digest_of,
    has_one_group,
    warn_about_cut_groups,
)
from sklearn_pscore._target.groups import Groups
from sklearn_pscore._target.rows import check_same_rows
from sklearn_pscore.metrics._agreement import (
    kendall_tau_score,
    pairwise_accuracy_score,
)
from sklearn_pscore.metrics._models import models_in, predict_scores
from sklearn_pscore.metrics._ranking import (
    dcg_score,
    ndcg_score,
    reciprocal_rank_score,
)

_PACKAGE_METRICS = (
    reciprocal_rank_score,
    dcg_score,
    ndcg_score,
    pairwise_accuracy_score,
    kendall_tau_score,
)


class RankingScorer:
    """Scorer that applies a ranking metric to an estimator's predictions.

    Use :func:`make_ranking_scorer` to make one.

    Parameters
    ----------
    metric : callable
        ``metric(groups, y_score, **options)``.
    options : dict
        Options of the metric.
    """

    def __init__(self, metric, options):
        self.metric = metric
        self.options = options

    @property
    def __name__(self):
        """The name of the metric.

        skorch's EpochScoring records scores under it, and scikit-learn's
        LearningCurveDisplay and ValidationCurveDisplay label their axis by it.
        """
        metric = self.metric
        while isinstance(metric, partial):
            metric = metric.func
        return getattr(metric, "__name__", type(metric).__name__)

    def __call__(self, estimator, X, groups=None, *, sample_weight=None):
        """Return the metric of the scores that `estimator` predicts for `X`.

        Parameters
        ----------
        estimator : object
            A fitted estimator with ``predict``.
        X : array-like of shape (n_samples, n_features)
        groups : structured ndarray or array-like of shape (n_samples,)
            Target of the rows of `X`.
        sample_weight : None, default=None
            Anything else is an error: weights are the field `weight` of the target.

        Returns
        -------
        score : float
            Larger is better.

        Raises
        ------
        TypeError
            If the estimator was fitted on several groups, and `groups` is plain.
        ValueError
            If `X` and `groups` differ in length.

        Warns
        -----
        UserWarning
            If groups are cut, and the estimator was not fitted on this very target.
        """
        refuse_sample_weight(sample_weight, repr(self))
        groups = check_model_target(estimator, X, groups, "groups")
        if self.metric not in _PACKAGE_METRICS:
            groups = _warned_about(groups, repr(self))
        y_score = predict_scores(estimator, X, groups)
        return float(self.metric(groups, y_score, **self.options))

    def _accept_sample_weight(self):
        """Have scikit-learn pass weights on, which are refused then, not dropped."""
        return True

    def __sklearn_clone__(self):
        """Return itself: a scorer has no state, so a clone may share it."""
        return self

    def __repr__(self):
        name = getattr(self.metric, "__name__", repr(self.metric))
        options = [f"{option}={value!r}" for option, value in self.options.items()]
        return f"make_ranking_scorer({', '.join([name, *options])})"


def make_ranking_scorer(metric, /, **options):
    """Make a scorer of a ranking metric, for ``scoring=`` in scikit-learn.

    The scorer is called as ``scorer(estimator, X, groups)``. An estimator whose
    ``predict`` takes `groups` is given them, also as the last step of a pipeline
    or as the best estimator of a search. Every other one predicts from `X` alone.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    metric : callable
        ``metric(groups, y_score, **options)`` that returns a number, larger is
        better: one of this module, or your own.
    **options : dict
        Options of the metric, for example ``k=3``.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, groups)`` returns a float.

    Raises
    ------
    TypeError
        If `metric` is not callable, does not take one of the options, or an
        option has the wrong type.
    ValueError
        If an option of a metric of this package is out of range.

    See Also
    --------
    sklearn.metrics.make_scorer : For metrics of a plain target.

    Examples
    --------
    >>> from sklearn_pscore.metrics import dcg_score, make_ranking_scorer
    >>> make_ranking_scorer(dcg_score, k=3)
    make_ranking_scorer(dcg_score, k=3)
    """
    if not callable(metric):
        raise TypeError(
            f"metric is {metric!r}, a {type(metric).__name__}; expected a function "
            "metric(groups, y_score, ...), for example "
            "sklearn_pscore.metrics.dcg_score."
        )
    try:
        inspect.signature(metric).bind(None, None, **options)
    except TypeError as error:
        raise TypeError(
            f"{getattr(metric, '__name__', metric)} cannot be called as metric(groups, "
            f"y_score, ...) with the options {options}: {error}. It is declared as "
            f"{inspect.signature(metric)}."
        ) from None
    if metric in _PACKAGE_METRICS:
        _try_out(metric, options)
    return RankingScorer(metric, options)


def check_model_target(estimator, X, groups, name):
    """Check the target that a fitted model is scored by, before it predicts.

    Parameters
    ----------
    estimator : object
        A fitted estimator, or one that holds fitted rankers.
    X : array-like of shape (n_samples, n_features)
    groups : structured ndarray or array-like of shape (n_samples,)
    name : str
        Name of the target, for the messages.

    Returns
    -------
    groups : structured ndarray or array-like of shape (n_samples,)
        Whole if the model was fitted on this very target: its ``fit`` has warned,
        but where a single group was cut, which a learning curve cannot help. Whole,
        too, if the model was fitted on one group and this is one: there is no other
        way to split one group than by rows.

    Raises
    ------
    TypeError
        If `groups` is plain and the model was fitted on several groups.
    ValueError
        If `X` and `groups` differ in length.
    """
    if groups is not None:
        check_same_rows(groups, X)
    models = list(models_in(estimator))
    if is_structured(groups):
        digests = {getattr(model, "_cut_target", None) for model in models} - {None}
        if digests and digest_of(groups) in digests:
            return Groups.whole(groups)
        return _whole_if_one(groups, models)
    n_groups = max(getattr(model, "n_groups_", 1) for model in models)
    if groups is not None and n_groups > 1:
        raise TypeError(
            f"{name} is a plain {type(groups).__name__}, which is read as one group, but "
            f"the {type(estimator).__name__} was fitted on {n_groups} groups; expected a "
            "target of Groups, or the score would be of pairs that nobody compared. Pass "
            f"Groups.from_arrays(group=..., preference={name}), with "
            f"group=np.zeros(len({name}), dtype=int) if it is one group."
        )
    return groups


def _whole_if_one(groups, models):
    """Return a target whole if it and those of all fits are one group."""
    fitted_on = {getattr(model, "n_groups_", None) for model in models} - {None}
    if fitted_on != {1} or "group_size" not in groups.dtype.names:
        return groups
    target = check_groups(groups, require_preference=False)
    return Groups.whole(groups) if has_one_group(target) else groups


def _warned_about(groups, caller):
    """Return a whole target for a metric that is not of this package.

    What such a metric calls does not warn once more. It may take a target of any
    kind, so that one without sizes is not looked at.
    """
    if not is_structured(groups) or "group_size" not in groups.dtype.names:
        return groups
    target = check_groups(groups, require_preference=False, caller=caller)
    return Groups.whole(groups) if warn_about_cut_groups(target, caller) else groups


def _try_out(metric, options):
    """Call `metric` on two rows, since a search would hide the error of an option."""
    result = metric(np.array([1.0, 0.0]), np.array([1.0, 0.0]), **options)
    if not isinstance(result, float):
        raise ValueError(
            f"options is {options}; expected a metric that returns one number, but "
            f"{metric.__name__} then returns one per group. Leave average=True."
        )


mrr_scorer = make_ranking_scorer(reciprocal_rank_score)
"""Mean reciprocal rank, see :func:`reciprocal_rank_score`."""

dcg_scorer = make_ranking_scorer(dcg_score)
"""Discounted cumulative gain by rank, see :func:`dcg_score`."""

ndcg_scorer = make_ranking_scorer(ndcg_score)
"""Normalised discounted cumulative gain by rank, see :func:`ndcg_score`."""

pairwise_accuracy_scorer = make_ranking_scorer(pairwise_accuracy_score)
"""Share of pairs in the right order, see :func:`pairwise_accuracy_score`."""

kendall_tau_scorer = make_ranking_scorer(kendall_tau_score)
"""Rank correlation tau-b, see :func:`kendall_tau_score`."""
