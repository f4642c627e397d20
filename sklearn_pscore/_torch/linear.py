"""Scores that are linear in something: convex, so found to the end."""

from functools import lru_cache

import numpy as np
import torch
from scipy.optimize import minimize
from threadpoolctl import ThreadpoolController

_MAX_ITERATIONS = 200


def fit_linear(X, target, criterion, *, penalty, center=None, signs=None, start=None):
    """Return the weights of the best linear score under a ridge penalty.

    Minimises the mean loss plus ``penalty / 2`` times the squared distance of
    the weights from `center` by L-BFGS-B.

    Parameters
    ----------
    X : tensor of shape (n_items, n_columns)
        Of whole groups.
    target : PackedTarget
    criterion : nn.Module
        A convex loss of scores and target.
    penalty : float
    center : ndarray of shape (n_columns,) or None
        None is 0.
    signs : ndarray of shape (n_columns,) or None
        1 where a weight may not be negative, -1 where not positive, 0 else.
    start : ndarray of shape (n_columns,) or None
        Where to start from; None is `center`.

    Returns
    -------
    weights : ndarray of shape (n_columns,), float64
    """
    center = np.zeros(X.shape[1]) if center is None else center

    def mean_loss(weights):
        scores = (X @ torch.from_numpy(weights).to(X)).requires_grad_()
        loss = criterion(scores, target)
        loss.backward()
        slope = (scores.grad @ X).double().cpu().numpy()
        away = weights - center
        return float(loss.detach()) + penalty / 2 * (
            away @ away
        ), slope + penalty * away

    bounds = None
    if signs is not None:
        bounds = [(0 if s > 0 else None, 0 if s < 0 else None) for s in signs]
    # The solver's own algebra is tiny, but its threads, which wait for more of it,
    # would take the cores from those of the loss.
    with _threadpools().limit(limits=1, user_api="blas"):
        found = minimize(
            mean_loss,
            center if start is None else start,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            # The scores are float32: closer than that there is nothing to find.
            options={"maxiter": _MAX_ITERATIONS, "ftol": 1e-7, "gtol": 1e-5},
        )
    return found.x


@lru_cache(maxsize=1)
def _threadpools():
    """Return the thread pools of this process; to find them takes milliseconds."""
    return ThreadpoolController()
