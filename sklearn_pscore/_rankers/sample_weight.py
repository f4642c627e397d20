"""The weights of a target, as `sample_weight` of another library's estimator."""

import numpy as np
from sklearn.utils.validation import has_fit_parameter

from sklearn_pscore._rankers.item_checks import check_weights
from sklearn_pscore._warn import warn_user


def weight_argument(estimator, weight):
    """Return the keyword argument for weights in an estimator's ``fit``.

    Equal weights are not passed on. The others are scaled to a mean of 1.

    Parameters
    ----------
    estimator : estimator
    weight : ndarray of shape (n_rows,), float > 0

    Returns
    -------
    argument : dict
        Empty if `fit` is to be told nothing.

    Raises
    ------
    ValueError
        If the weights are too far apart.

    Warns
    -----
    UserWarning
        If the weights differ and ``fit`` takes none.
    """
    if np.all(weight == weight[0]):
        return {}
    if not has_fit_parameter(estimator, "sample_weight"):
        warn_user(
            f"groups has weights from {weight.min():g} to {weight.max():g}, but fit of "
            f"{estimator!r} takes no sample_weight: the weights are ignored. Pass one "
            "that takes it, or build the target without weight=."
        )
        return {}
    check_weights(weight[weight > 0])
    # Estimators with a penalty or with float32 weights heed their common factor. The
    # sum of shares in the largest is finite.
    share = weight / weight.max()
    return {"sample_weight": share / share.mean()}
