"""How large or small values may be: each ranker computes in a type that holds so much."""

import numpy as np
from scipy.sparse import issparse


def check_largest(X, most, reason, names=None):
    """Raise ValueError if a value is larger than `most` in size, either way.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features), float
        NaN is skipped.
    most : float
    reason : str
        Why, for the message: "so that ...".
    names : sequence of str or None, default=None
        Names of the features.
    """
    values = X.data if issparse(X) else X
    # These skip NaN.
    ends = (end.reduce(values, axis=None, initial=0.0) for end in (np.fmax, np.fmin))
    farthest = max(ends, key=abs)
    if abs(farthest) <= most:
        return
    place = np.argwhere(values == farthest)[0]
    column = X.indices[place[0]] if issparse(X) else place[1]
    raise ValueError(
        f"X holds {farthest:.3g} in column {name_of(column, names)}; expected at most "
        f"{most:.3g} in size, {reason}. Scale X, for example with StandardScaler."
    )


def name_of(column, names=None):
    """Return how a message shows a column: by its name, or its number."""
    return repr(int(column) if names is None else names[column])
