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
from sklearn_pscore.metrics._correlation import pearson_score, rmse, spearman_score
from sklearn_pscore.metrics._epsilon_rmse import epsilon_rmse
from sklearn_pscore.metrics._models import models_in, predict_scores
from sklearn_pscore.metrics._probability import (
    pairwise_brier_score,
    pairwise_log_loss,
)
from sklearn_pscore.metrics._ranking import (
    dcg_score,
    ndcg_score,
    reciprocal_rank_score,
)
from sklearn_pscore.metrics._soft_accuracy import soft_pairwise_accuracy_score
from sklearn_pscore.metrics._tie_accuracy import tie_calibrated_accuracy_score

_PACKAGE_METRICS = (
    reciprocal_rank_score,
    dcg_score,
    ndcg_score,
    pairwise_accuracy_score,
    kendall_tau_score,
    spearman_score,
    pearson_score,
    rmse,
    epsilon_rmse,
    soft_pairwise_accuracy_score,
    tie_calibrated_accuracy_score,
    pairwise_log_loss,
    pairwise_brier_score,
)
_ERRORS = (rmse, epsilon_rmse, pairwise_log_loss, pairwise_brier_score)
"""Those of which the smaller value is better."""


def is_package_metric(metric):
    """Tell whether a function is one of the metrics that this package has."""
    return metric in _PACKAGE_METRICS


def is_error(metric):
    """Tell whether a function is a metric of this package that is to be small."""
    return metric in _ERRORS


class RankingScorer:
    """Scorer that applies a ranking metric to an estimator's predictions.

    Use :func:`make_ranking_scorer` to make one.

    Parameters
    ----------
    metric : callable
        ``metric(groups, y_score, **options)``.
    options : dict
        Options of the metric.
    greater_is_better : bool, default=True
        False turns the sign of the metric.
    """

    def __init__(self, metric, options, greater_is_better=True):
        self.metric = metric
        self.options = options
        self.greater_is_better = greater_is_better

    @property
    def __name__(self):
        """The name of the metric.

        skorch's EpochScoring records scores under it, and scikit-learn's
        LearningCurveDisplay and ValidationCurveDisplay label their axis by it.
        """
        metric = self.metric
        while isinstance(metric, partial):
            metric = metric.func
        name = getattr(metric, "__name__", type(metric).__name__)
        return name if self.greater_is_better else f"neg_{name}"

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
        if not is_package_metric(self.metric):
            groups = _warned_about(groups, repr(self))
        y_score = predict_scores(estimator, X, groups)
        value = float(self.metric(groups, y_score, **self.options))
        return value if self.greater_is_better else -value

    def _accept_sample_weight(self):
        """Have scikit-learn pass weights on, which are refused then, not dropped."""
        return True

    def __sklearn_clone__(self):
        """Return itself: a scorer has no state, so a clone may share it."""
        return self

    def __repr__(self):
        name = getattr(self.metric, "__name__", repr(self.metric))
        options = [f"{option}={value!r}" for option, value in self.options.items()]
        if not self.greater_is_better:
            options.insert(0, "greater_is_better=False")
        return f"make_ranking_scorer({', '.join([name, *options])})"


def make_ranking_scorer(metric, /, *, greater_is_better=True, **options):
    """Make a scorer of a ranking metric, for ``scoring=`` in scikit-learn.

    The scorer is called as ``scorer(estimator, X, groups)``. An estimator whose
    ``predict`` takes `groups` is given them, also as the last step of a pipeline
    or as the best estimator of a search. Every other one predicts from `X` alone.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    metric : callable
        ``metric(groups, y_score, **options)`` that returns a number: one of this
        module, or your own.
    greater_is_better : bool, default=True
        Whether a larger number is better. False is for errors, such as
        :func:`rmse`: the scorer returns the negative of the metric.
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

    Notes
    -----
    In a search an estimator is fitted before any scorer is called. So a bare ranker of
    another library fails in its own ``fit``, with a message such as "Should set group
    for ranking task", unless the folds are those of ``PreferenceGroupKFold``, which
    name the wrapper; and a regressor with one such as "Cannot cast array data".
    Wrapped, as ``GroupwiseRanker(LGBMRanker())`` or ``PlainTarget(Ridge())``, they take
    the target; ``docs/other_models.md`` shows the messages and what mends them.

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
    if not isinstance(greater_is_better, (bool, np.bool_)):
        raise TypeError(
            "The 'greater_is_better' parameter of make_ranking_scorer must be a bool. Got "
            f"{greater_is_better!r} instead."
        )
    if is_package_metric(metric):
        better = "smaller" if is_error(metric) else "larger"
        if greater_is_better == (better == "smaller"):
            raise ValueError(
                f"greater_is_better is {greater_is_better} for {metric.__name__}, of which "
                f"the {better} value is better; with it "
                "a search would choose the worst model. Pass greater_is_better="
                f"{not greater_is_better}."
            )
        _try_out(metric, options)
    return RankingScorer(metric, options, bool(greater_is_better))


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
    """Call `metric` on a few rows, since a search would hide the error of an option."""
    n_rows = 6 if metric is epsilon_rmse else 2
    falling = np.arange(n_rows, dtype=float)[::-1]
    fields = {"group": np.zeros(n_rows, dtype=int), "item": np.arange(n_rows)}
    if metric is epsilon_rmse:
        fields.update(n_raters=np.full(n_rows, 2), spread=np.zeros(n_rows))
    groups = Groups.from_arrays(**fields, preference=falling)
    result = metric(groups, falling, **options)
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

spearman_scorer = make_ranking_scorer(spearman_score)
"""Rank correlation of Spearman, see :func:`spearman_score`."""

pearson_scorer = make_ranking_scorer(pearson_score)
"""Linear correlation, see :func:`pearson_score`."""

neg_rmse_scorer = make_ranking_scorer(rmse, greater_is_better=False)
"""Negative of the root mean square error after a logistic map, see :func:`rmse`."""

neg_epsilon_rmse_scorer = make_ranking_scorer(epsilon_rmse, greater_is_better=False)
"""Negative of the error beyond the raters' intervals, see :func:`epsilon_rmse`."""

soft_pairwise_accuracy_scorer = make_ranking_scorer(soft_pairwise_accuracy_score)
"""Agreement on which system is better, see :func:`soft_pairwise_accuracy_score`."""

tie_calibrated_accuracy_scorer = make_ranking_scorer(tie_calibrated_accuracy_score)
"""Share of pairs right, ties too, see :func:`tie_calibrated_accuracy_score`."""

neg_pairwise_log_loss_scorer = make_ranking_scorer(
    pairwise_log_loss, greater_is_better=False
)
"""Negative of the log loss of pairs, see :func:`pairwise_log_loss`."""

neg_pairwise_brier_scorer = make_ranking_scorer(
    pairwise_brier_score, greater_is_better=False
)
"""Negative of the squared error of pairs, see :func:`pairwise_brier_score`."""
