"""Every metric by itself, as a ranker of a comparison."""

import numpy as np
from scipy import sparse

from sklearn_pscore._rankers.single_metric import SingleMetricRanker
from sklearn_pscore._target.tables import check_numbers
from sklearn_pscore.model_selection._comparison_bounds import CEILING, CHANCE


def with_single_metrics(rankers, X, truth):
    """Return the rankers, and after them one of each column of `X` by its name.

    Parameters
    ----------
    rankers : dict of str to estimator
    X : array-like of shape (n_samples, n_features)
    truth : str or None
        Name of the truth.

    Returns
    -------
    rankers : dict of str to estimator

    Raises
    ------
    TypeError
        If `X` is sparse, or holds what is no number.
    ValueError
        If a column has the name of another row of the tables or of another column.
    """
    if sparse.issparse(X):
        raise TypeError(
            f"single_metrics=True with a sparse X of shape {X.shape}; expected a dense "
            "table, whose columns are metrics. Pass X.toarray(), or single_metrics=False."
        )
    check_numbers(X)
    names = _names_of_columns(X)
    for column, name in enumerate(names):
        taken = name in rankers or name in (truth, CHANCE, CEILING)
        if taken or name in names[:column]:
            whose = "another row of the tables" if taken else "another column"
            raise ValueError(
                f"single_metrics=True and column {column} of X is {name!r}, the name of "
                f"{whose}; expected different names. Rename one of them."
            )
    single = {
        name: SingleMetricRanker(column, "learn") for column, name in enumerate(names)
    }
    return {**rankers, **single}


def names_of_single(metrics, taken):
    """Return the name of each metric's own method, which no other row has.

    Parameters
    ----------
    metrics : iterable of str
    taken : set of str
        Names of other rows of the tables.

    Returns
    -------
    names : dict of str to str
    """
    metrics, taken, names = list(metrics), set(taken), {}
    for metric in metrics:
        name = metric
        while name in taken or (name != metric and name in metrics):
            name += " (metric)"
        names[metric] = name
        taken.add(name)
    return names


def _names_of_columns(X):
    """Return the names of the columns, or x0, x1, ... as scikit-learn does."""
    if hasattr(X, "column_names") and not hasattr(X, "iloc"):
        return list(X.column_names)  # An Arrow table.
    if hasattr(X, "columns"):
        return [str(name) for name in X.columns]
    shape = np.shape(X)
    return [f"x{column}" for column in range(shape[1])] if len(shape) == 2 else []
