"""Fitted models: what they are made of, and how groups reach the innermost one."""

import inspect

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sklearn_pscore._target.check import is_structured
from sklearn_pscore._target.groups import Groups


def predict_scores(estimator, X, groups):
    """Predict scores, with `groups` if the estimator's ``predict`` takes them.

    Parameters
    ----------
    estimator : object
        A fitted estimator with ``predict``, a pipeline or a fitted search.
    X : array-like of shape (n_samples, n_features)
    groups : structured ndarray or array-like of shape (n_samples,)
        Target of the rows of `X`; plain preferences mean one group.

    Returns
    -------
    y_score : ndarray of shape (n_samples,)

    Raises
    ------
    TypeError
        If it predicts records of a target, as classifiers do that were fitted on them.
    """
    if _takes_groups(estimator):
        return estimator.predict(X, groups=_as_structured(groups))
    inner = inner_estimator(estimator)
    if not _wants_groups(inner):
        return _checked_scores(estimator, estimator.predict(X))
    return predict_scores(inner, transformed(estimator, X), groups)


def _checked_scores(estimator, scores):
    """Return scores; raise TypeError if they are records of a target."""
    if is_structured(scores):
        raise TypeError(
            f"predict of {type(estimator).__name__} returned records of a target, each of "
            "which it took for a class of its own in fit; expected one score per row. An "
            "estimator that wants a plain target is wrapped, as in "
            "PlainTarget(RandomForestClassifier())."
        )
    return scores


def models_in(estimator):
    """Yield a fitted estimator and those that it is made of, at any depth."""
    yield estimator
    parts = [inner_estimator(estimator), getattr(estimator, "estimator_", None)]
    for part in [*parts, *getattr(estimator, "estimators_", ())]:
        if part is not None:
            yield from models_in(part)


def inner_estimator(estimator):
    """Return what an estimator hands all of its predictions on to, or None.

    That is the last step of a pipeline, the best estimator of a search, or what is
    frozen.

    Raises
    ------
    ValueError
        If the estimator is a fitted search that has kept no model.
    """
    if isinstance(estimator, Pipeline):
        return estimator.steps[-1][1]
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    best = getattr(estimator, "best_estimator_", None)
    if best is None and getattr(estimator, "refit", None) is False:
        _check_keeps_model(estimator)
    return best


def transformed(estimator, X):
    """Return `X` as a pipeline hands it to its last step; else as it is.

    Parameters
    ----------
    estimator : object
        A fitted estimator.
    X : array-like of shape (n_samples, n_features)
    """
    if not isinstance(estimator, Pipeline):
        return X
    for _, step in estimator.steps[:-1]:
        # Samplers of imbalanced-learn change the rows in ``fit`` only.
        is_passed = step is None or step == "passthrough"
        if not is_passed and not hasattr(step, "fit_resample"):
            X = step.transform(X)
    return X


def _check_keeps_model(estimator):
    """Raise ValueError if an estimator that does not refit is a fitted search.

    LogisticRegressionCV has a `refit`, too, and predicts without.
    """
    if hasattr(estimator, "cv_results_") or hasattr(estimator, "study_"):
        raise ValueError(
            f"The {type(estimator).__name__} was fitted with refit=False, so it holds no "
            "fitted model; expected one that predicts. Set refit=True, or with several "
            "scorers refit=name_of_one, and fit it again."
        )


def _wants_groups(estimator):
    """Tell whether ``predict`` takes `groups` at any depth of nesting."""
    if estimator is None:
        return False
    return _takes_groups(estimator) or _wants_groups(inner_estimator(estimator))


def _takes_groups(estimator):
    """Tell whether the estimator's own ``predict`` has a parameter `groups`."""
    try:
        return "groups" in inspect.signature(estimator.predict).parameters
    except (AttributeError, TypeError, ValueError):
        # There is no predict, or it is written in C and has no signature.
        return False


def _as_structured(groups):
    """Return a plain target as one group, as the metrics read it."""
    if is_structured(groups):
        return groups
    return Groups.from_arrays(group=np.zeros(len(groups), dtype=int), preference=groups)
