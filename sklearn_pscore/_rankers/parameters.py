"""What the ranker's parameters come to for the data at hand."""

from numbers import Integral

import numpy as np

# "auto": a hundredth of the rows, within these.
_BATCH_ROWS = (200, 4096)
# "auto": this many epochs, but enough for the fewest steps, and no more than
# the fewest epochs need once there are the most steps.
_EPOCHS, _FEWEST_EPOCHS = 30, 5
_FEWEST_STEPS, _MOST_STEPS = 300, 3000


def resolve_batch_size(batch_size, n_rows):
    """Return the rows per step."""
    if batch_size != "auto":
        return int(batch_size)
    smallest, largest = _BATCH_ROWS
    return min(max(n_rows // 100, smallest), largest)


def resolve_epochs(max_epochs, n_rows, batch_size):
    """Return the number of passes over the data."""
    if max_epochs != "auto":
        return int(max_epochs)
    n_batches = -(-n_rows // batch_size)
    n_steps = min(max(_EPOCHS * n_batches, _FEWEST_STEPS), _MOST_STEPS)
    return max(-(-n_steps // n_batches), _FEWEST_EPOCHS)


def check_layers(sizes):
    """Raise ValueError unless all are numbers of units."""
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, Integral) or size < 1:
            raise ValueError(
                f"hidden_layer_sizes holds {size!r}; expected integers >= 1, the units of "
                "each hidden layer. Use hidden_layer_sizes=() for a linear score."
            )


def check_float32(X):
    """Refuse values that the network, which trains in float32, cannot hold."""
    largest = max(X.max(initial=0.0), -X.min(initial=0.0))
    if largest > np.finfo(np.float32).max:
        raise ValueError(
            f"X holds a value of size {largest:.3g}; expected at most "
            f"{np.finfo(np.float32).max:.3g}, the largest float32, in which the network "
            "trains. Scale X, for example with StandardScaler."
        )


def resolve_monotonic_cst(monotonic_cst, n_features, feature_names):
    """Return the constraint of each feature as a tuple of -1, 0, 1, or None.

    Parameters
    ----------
    monotonic_cst : array-like of shape (n_features,), dict of str to int, or None
    n_features : int
    feature_names : ndarray of str or None

    Raises
    ------
    ValueError
        If the constraints do not fit the features.
    """
    if monotonic_cst is None:
        return None
    if isinstance(monotonic_cst, dict):
        found = _by_name(monotonic_cst, feature_names)
    else:
        found = np.asarray(monotonic_cst)
        if found.shape != (n_features,):
            raise ValueError(
                f"monotonic_cst has shape {found.shape} but X has {n_features} features; "
                "expected one of -1, 0, 1 for each. Pass a dict of names to constrain "
                "only some."
            )
    wrong = [each for each in found if each not in (-1, 0, 1)]
    if wrong:
        raise ValueError(
            f"monotonic_cst holds {wrong[0]!r}; expected -1 (larger never raises the "
            "score), 0 (no constraint) or 1 (larger never lowers it)."
        )
    constraints = tuple(int(each) for each in found)
    return constraints if any(constraints) else None


def _by_name(constraints, feature_names):
    if feature_names is None:
        raise ValueError(
            "monotonic_cst is a dict of feature names but X has no names; expected a "
            "DataFrame. A scaler before this in a Pipeline drops the names: keep them "
            'with StandardScaler().set_output(transform="pandas"), or pass one '
            "constraint per feature as an array."
        )
    names = list(feature_names)
    for name in constraints:
        if name not in names:
            raise ValueError(
                f"monotonic_cst names {name!r}, which is not among the features {names}. "
                "Name one of these."
            )
    return [constraints.get(name, 0) for name in names]
