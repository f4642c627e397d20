"""Linear scores: the loss is convex in their weights, so the minimum is found."""

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.sparse import hstack, issparse

from sklearn_pscore._torch.thin import ThinRows, as_table
from sklearn_pscore._torch.threads import one_blas_thread

_MAX_ITERATIONS = 200
# Rows that are computed with in float64, which takes no longer for so few.
_FEW_ROWS = 2**10
# Where a search ends, by the change of the loss and its largest slope: no closer to the
# minimum than float32 can tell.
_CLOSE = {"ftol": 1e-7, "gtol": 1e-5}
_CLOSER = {"ftol": 1e-9, "gtol": 1e-6}


def fit_linear(
    X,
    target,
    criterion,
    *,
    penalty,
    center=None,
    signs=None,
    start=None,
    price=0.0,
    preconditioner=None,
):
    r"""Return the weights of the best linear score under a ridge penalty.

    Minimises by L-BFGS-B, over weights v with the given signs,

    .. math:: loss(X v) + penalty / 2 \, |v - center|^2 + price \sum_j v_j.

    Parameters
    ----------
    X : tensor or CSR matrix of shape (n_items, n_columns)
        Rows of whole groups.
    target : PackedTarget
    criterion : nn.Module
        A convex loss of scores and target.
    penalty : float
    center : ndarray of shape (n_columns,) or None
        None is 0.
    signs : ndarray of shape (n_columns,) or None
        1 for a weight that may not be negative, -1 for one that may not be
        positive, 0 for any other.
    start : ndarray of shape (n_columns,) or None
        First weights of the search; None is `center`.
    price : float, default=0.0
        For weights that are not negative.
    preconditioner : Preconditioner or None
        Coordinates to search in, which keep the signs where there are any.

    Returns
    -------
    weights : ndarray of shape (n_columns,), float64
    """
    center = np.zeros(X.shape[1]) if center is None else center
    if not len(center):
        # scipy's bounds need at least one weight.
        return center

    tolerance = _CLOSE
    if not issparse(X) and len(X) <= _FEW_ROWS:
        X, tolerance = X.double(), _CLOSER

    def weights_at(point):
        return point if preconditioner is None else preconditioner.to_weights(point)

    def mean_loss(point):
        weights = weights_at(point)
        scores = scores_of(X, weights).requires_grad_()
        loss = criterion(scores, target)
        loss.backward()
        gradient = product(scores.grad, X)
        distance = weights - center
        ridge = penalty / 2 * (distance @ distance)
        value = float(loss.detach()) + ridge
        if price:
            value += price * weights.sum()
        gradient += penalty * distance + price
        if preconditioner is not None:
            gradient = preconditioner.gradient(gradient)
        return value, gradient

    bounds = None
    if signs is not None:
        bounds = [(0 if s > 0 else None, 0 if s < 0 else None) for s in signs]
    start = center if start is None else start
    # The solver's algebra is tiny, but its waiting threads would take the cores
    # from the loss.
    with one_blas_thread():
        if preconditioner is not None:
            start = preconditioner.to_coordinates(start)
        result = minimize(
            mean_loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": _MAX_ITERATIONS, **tolerance},
        )
        return weights_at(result.x)


def side_by_side(parts, n_columns):
    """Return the columns of some tables as one.

    Parameters
    ----------
    parts : iterable of tensors, or of ThinRows, of shape (n_items, n_columns_of_part)
        Taken one after the other, so that no more than one is in memory beside the whole.
    n_columns : int
        Of all parts.

    Returns
    -------
    X : tensor or CSR matrix
        Of thin rows, their differences from a row of zeros: a score that all items
        share changes no loss.
    """
    X, first, parts = None, 0, iter(parts)
    for part in parts:
        if isinstance(part, ThinRows):
            return hstack([as_table(each) for each in (part, *parts)], format="csr")
        if X is None:
            X = part.new_empty(len(part), n_columns)
        last = first + part.shape[1]
        X[:, first:last] = part
        first = last
    return X


def resized(X, columns, size):
    """Return some columns of a tensor or CSR matrix, each multiplied by its size.

    A tensor is changed where all its columns are asked for.
    """
    if not issparse(X):
        if len(columns) < X.shape[1]:
            X = X[:, columns]
        return X.mul_(torch.from_numpy(size).to(X))
    X = X[:, columns]
    X.data *= size[X.indices].astype(X.dtype)
    return X


def scores_of(X, weights):
    """Return the scores of items by some weights, as a tensor.

    Parameters
    ----------
    X : tensor or CSR matrix of shape (n_items, n_columns)
    weights : ndarray of shape (n_columns,) or (n_members, n_columns)

    Returns
    -------
    scores : tensor of shape (n_items,) or (n_members, n_items)
    """
    if issparse(X):
        return torch.from_numpy((X @ weights.T.astype(X.dtype)).T)
    weights = torch.from_numpy(weights).to(X)
    return X @ weights if weights.dim() == 1 else weights @ X.T


def product(row, X):
    """Return the product of a tensor and the items, in float64."""
    if issparse(X):
        return (row.numpy() @ X).astype(np.float64)
    return (row @ X).double().cpu().numpy()
