"""Fitted models: what the pictures call them."""

from sklearn_pscore.metrics._models import inner_estimator


def innermost(estimator):
    """Return the model that a pipeline or a search hands its predictions on to."""
    while (inner := inner_estimator(estimator)) is not None:
        estimator = inner
    return estimator


def name_of_model(estimator):
    """Return the class of the innermost model, the same alone and in a pipeline."""
    return type(innermost(estimator)).__name__


def name_of_score(scoring):
    """Return the name of a scorer in words."""
    name = getattr(scoring, "__name__", str(scoring))
    return name.removesuffix("_scorer").removesuffix("_score").replace("_", " ")
