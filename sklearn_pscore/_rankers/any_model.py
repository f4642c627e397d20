"""Functions of any fitted ranker, alone or inside of a pipeline or a search."""

import numpy as np
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.columns import kind_of
from sklearn_pscore._target.rows import count_rows
from sklearn_pscore.metrics import rank_items
from sklearn_pscore.metrics._models import (
    inner_estimator,
    predict_scores,
    transformed,
)

# The rankers of this package that learn from pairs.
_WITH_PROBABILITIES = (
    "PairwisePreferenceRanker",
    "LinearPreferenceRanker",
    "StackedRanker",
    "GroupwiseRanker of a pairwise logistic loss",
)
# Kinds of estimators whose predictions are labels.
_WITH_LABELS = ("classifier", "clusterer", "outlier_detector")


def rank(estimator, X, groups):
    """Rank the items of each group by a fitted estimator's scores, 1 is best.

    It works with everything whose ``predict`` gives one score per row, larger is
    better: the rankers of this package, scikit-learn's regressors, and pipelines,
    searches, voting and stacking made of them. An estimator whose ``predict`` takes
    `groups` is given them, also as the last step of a pipeline or as the best
    estimator of a search.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    estimator : object
        A fitted estimator with ``predict``.
    X : array-like of shape (n_samples, n_features)
        Features of each row, as the estimator takes them.
    groups : structured ndarray of shape (n_samples,)
        Target of :class:`Groups`; preferences are not needed, weights not read.

    Returns
    -------
    ranks : ndarray of shape (n_samples,), float
        Ties share their average rank, rows of one item share its rank, and
        donor rows have NaN; see :func:`~sklearn_pscore.metrics.rank_items`.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    TypeError
        If it predicts labels, or nothing, or if `groups` is a plain array.
    ValueError
        If `X` and `groups` differ in length, there is not one score per row, or a
        search was fitted with ``refit=False``.

    See Also
    --------
    preference_proba : Probability that one item is preferred to another.
    sklearn_pscore.metrics.rank_items : Ranks of scores that you have already.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_pscore import Groups, rank
    >>> pipe = make_pipeline(StandardScaler(), LinearRegression())
    >>> pipe = pipe.fit([[1.0], [2.0], [4.0]], [10.0, 20.0, 30.0])
    >>> groups = Groups.from_arrays(group=["a", "a", "b", "b"])
    >>> rank(pipe, [[3.0], [5.0], [2.0], [1.0]], groups).tolist()
    [2.0, 1.0, 1.0, 2.0]
    """
    check_predicts_scores(estimator)
    n_rows = count_rows(X, "X")
    check_groups(
        groups,
        n_rows=n_rows,
        allow_plain=False,
        require_preference=False,
        caller="rank",
    )
    # As in each ranker's own `rank`: no row is left out, whatever it weighs.
    fields = [field for field in groups.dtype.names if field != "weight"]
    y_score = np.asarray(predict_scores(estimator, X, groups[fields]))
    if y_score.shape not in ((n_rows,), (n_rows, 1)):
        raise ValueError(
            f"predict of {type(estimator).__name__} returned shape {y_score.shape} for "
            f"{n_rows} rows; expected one score per row, larger is better. Fit it on one "
            "target, or pass a column of its predictions to rank_items."
        )
    return rank_items(groups, y_score.ravel())


def preference_proba(estimator, X_a, X_b):
    """Return the probability that people prefer a to b, by a fitted ranker.

    The ranker may be the last step of a pipeline, whose other steps then transform
    both items, or the best estimator of a search, at any depth.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    estimator : object
        A fitted ranker with ``preference_proba``, a pipeline that ends in one, or a
        search over such.
    X_a, X_b : array-like of shape (n_pairs, n_features)
        Features of the two items of each pair, as the estimator takes them.

    Returns
    -------
    proba : ndarray of shape (n_pairs,)
        In [0, 1], larger if a is preferred; 0.5 where the scores are equal.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    TypeError
        If the ranker gives no probabilities: differences of scores that were not
        learnt from pairs are on no scale of them.
    ValueError
        If the numbers of rows differ, or a search was fitted with ``refit=False``.

    See Also
    --------
    rank : Order inside groups, which every ranker gives.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_pscore import Groups, PairwisePreferenceRanker, preference_proba
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> groups = Groups.from_arrays(group=np.arange(40) // 4, preference=X[:, 0])
    >>> pipe = make_pipeline(StandardScaler(), PairwisePreferenceRanker(random_state=0))
    >>> pipe = pipe.fit(X, groups)
    >>> bool(preference_proba(pipe, [[1.0, 0.0]], [[-1.0, 0.0]])[0] > 0.9)
    True
    """
    _check_fitted(estimator)
    ranker = estimator
    while (inner := inner_estimator(ranker)) is not None:
        X_a, X_b = transformed(ranker, X_a), transformed(ranker, X_b)
        ranker = inner
    try:
        method = ranker.preference_proba
    except AttributeError as error:
        raise TypeError(
            f"{_described(estimator, ranker)} gives no probabilities of preference; "
            f"expected a ranker that learns them: {' or '.join(_WITH_PROBABILITIES)}, "
            "alone or as the last step of a pipeline or in a search. For the order "
            "inside groups call rank(estimator, X, groups)."
        ) from error
    return method(X_a, X_b)


def check_predicts_scores(estimator):
    """Raise unless an estimator is fitted, and predicts no labels."""
    _check_fitted(estimator)
    ranker = estimator
    while (inner := inner_estimator(ranker)) is not None:
        ranker = inner
    if not hasattr(ranker, "predict"):
        raise TypeError(
            f"{_described(estimator, ranker)} has no predict; expected a fitted ranker "
            "or regressor, whose predict gives one score per row. If you have scores, "
            "call sklearn_pscore.metrics.rank_items(groups, y_score)."
        )
    has_tags = hasattr(ranker, "__sklearn_tags__")
    kind = get_tags(ranker).estimator_type if has_tags else None
    if kind in _WITH_LABELS:
        raise TypeError(
            f"{_described(estimator, ranker)} is a {kind.replace('_', ' ')}, whose predict "
            "gives labels; expected a ranker or regressor, whose predict gives one score "
            "per row. Wrap a classifier in LevelClassifierRanker(classifier), or pass "
            "one column of its predict_proba to rank_items(groups, y_score)."
        )


def _check_fitted(estimator):
    """Raise unless an object is no scikit-learn estimator, or a fitted one."""
    if isinstance(estimator, type):
        raise TypeError(
            f"estimator is the class {estimator.__name__}; expected a fitted instance of "
            f"it. Pass {estimator.__name__}(...).fit(...)."
        )
    if hasattr(estimator, "fit"):
        check_is_fitted(estimator)
    elif not (hasattr(estimator, "predict") or hasattr(estimator, "preference_proba")):
        raise TypeError(
            f"estimator is {kind_of(estimator)}; expected a fitted ranker, or a pipeline "
            "or search of one. Pass it first, then X."
        )


def _described(estimator, ranker):
    """Return the name of a ranker, and of what it is inside of, for a message."""
    name = repr(ranker) if isinstance(ranker, str) else type(ranker).__name__
    if ranker is estimator:
        return name
    return f"{name}, which is inside of the {type(estimator).__name__},"
