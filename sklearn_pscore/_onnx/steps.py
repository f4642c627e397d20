"""The steps before a ranker, as skl2onnx takes them."""

from copy import copy

import numpy as np
import pandas as pd
from sklearn.base import is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from sklearn_pscore._items.augmenter import PairAugmenter
from sklearn_pscore._rankers.base import RankerMixin
from sklearn_pscore._rankers.plain_target import PlainTarget
from sklearn_pscore._rankers.stacked import StackedRanker


def plain_steps(model):
    """Return a fitted model that skl2onnx reads: the same scores from an array.

    A search is its best model, and what takes a plain target the estimator in it. Steps
    that change nothing in ``predict`` are left out, and columns that are named are
    numbered.

    Parameters
    ----------
    model : estimator
        Left as it is.
    """
    if hasattr(model, "best_estimator_"):
        return plain_steps(model.best_estimator_)
    if isinstance(model, Pipeline):
        steps = [
            (name, plain_steps(step))
            for name, step in model.steps
            if step is not None and step != "passthrough"
            if not isinstance(step, PairAugmenter)
        ]
        return steps[0][1] if len(steps) == 1 else Pipeline(steps)
    if isinstance(model, PlainTarget):
        return plain_steps(model.estimator_)
    if isinstance(model, ColumnTransformer):
        numbered = copy(model)
        numbered.transformers_ = [
            (name, plain_steps(step), _numbers(columns, model))
            for name, step, columns in model.transformers_
        ]
        return numbered
    return model


def takes_missing(model):
    """Return whether NaN goes through the graph of a model, as it does in ``predict``."""
    if isinstance(model, Pipeline):
        return _take_missing([step for _, step in model.steps])
    if isinstance(model, ColumnTransformer):
        steps = [step for _, step, _ in model.transformers_]
        return all(isinstance(step, str) or takes_missing(step) for step in steps)
    if isinstance(model, StackedRanker):
        return all(takes_missing(plain_steps(m)) for _, m, _ in model._asked_members())
    if isinstance(model, FunctionTransformer):
        # Columns that pass through.
        return model.func is None
    if is_regressor(model) and not isinstance(model, RankerMixin):
        # Scikit-learn's trees know a way for NaN, but skl2onnx sends it another way.
        return False
    return bool(get_tags(model).input_tags.allow_nan)


def _take_missing(steps):
    """Return whether NaN goes through steps, or until one fills it in."""
    for step in steps:
        if not takes_missing(step):
            return False
        if _fills(step):
            break
    return True


def _fills(model):
    """Return whether a model leaves no NaN."""
    if isinstance(model, Pipeline):
        return any(_fills(step) for _, step in model.steps)
    if isinstance(model, ColumnTransformer):
        steps = [step for _, step, _ in model.transformers_]
        return all(_fills(step) or step == "drop" for step in steps)
    return isinstance(model, (SimpleImputer, KNNImputer))


def _numbers(columns, transformer):
    """Return the numbers of columns, however they are named."""
    names = getattr(transformer, "feature_names_in_", None)
    numbers = np.arange(transformer.n_features_in_)
    row = pd.DataFrame(numbers[None], columns=names)
    columns = [columns] if isinstance(columns, (str, int)) else columns
    ends = (columns.start, columns.stop) if isinstance(columns, slice) else columns
    by_name = any(isinstance(each, str) for each in ends)
    return (row.loc if by_name else row.iloc)[:, columns].to_numpy()[0].tolist()


def add_imputer(graph, imputer, X):
    """Add a SimpleImputer; return the name of its table.

    skl2onnx's own knows no float64.
    """
    is_missing = graph.node("IsNaN", X)
    if not pd.isna(imputer.missing_values):
        is_missing = graph.node("Equal", X, np.array(float(imputer.missing_values)))
    statistics = imputer.statistics_.astype(np.float64)
    filled = graph.node("Where", is_missing, statistics, X)
    kept = np.flatnonzero(~np.isnan(statistics))
    if len(kept) < len(statistics):
        filled = graph.columns(filled, kept)
    if imputer.add_indicator:
        indicator = graph.columns(
            graph.double(is_missing), imputer.indicator_.features_
        )
        filled = graph.node("Concat", filled, indicator, axis=1)
    return filled
