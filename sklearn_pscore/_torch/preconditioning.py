"""Preconditioning: coordinates in which a search for linear weights needs few steps."""

import numpy as np
import torch
from scipy.linalg import cholesky, solve_triangular
from scipy.sparse import issparse

from sklearn_pscore._torch.threads import one_blas_thread

# Curvature that is expected of the loss of a pair: it is .25 at equal scores, and less
# from there. With another one a search ends at the same minimum. No benchmark varies it.
_CURVATURE = 0.15
# Share of the mean variance of the columns that is added to each, for rounding.
_JITTER = 1e-5
# How more columns vary together, or more for each row, takes longer to find than it
# saves: a step then costs more in the coordinates than in the rows. No benchmark varies
# them.
_MOST_COLUMNS, _MOST_COLUMNS_PER_ROW = 2500, 0.5
# Rows that are compared with their group's mean at a time, and columns whose products
# are made at a time. No benchmark varies them.
_ROWS_AT_A_TIME, _COLUMNS_AT_A_TIME = 2**12, 2**8


class Preconditioner:
    """Coordinates in which about the same happens to the loss in all directions.

    L-BFGS ends at the same minimum with and without, but in a few steps where it would
    take dozens, because columns are of different size, or vary together.

    Parameters
    ----------
    spread : ndarray of shape (n_columns,) or (n_columns, n_columns)
        Of :func:`variance_inside`, which keeps the sign of each weight; or of
        :func:`spread_inside`, which needs the fewest steps.
    penalty : float
        Of the ridge.
    """

    def __init__(self, spread, penalty):
        self._is_matrix = spread.ndim == 2
        variance = spread.diagonal() if self._is_matrix else spread
        added = penalty + _JITTER * variance.mean()
        curvature = _CURVATURE * spread
        if self._is_matrix:
            curvature.flat[:: len(spread) + 1] += added
            # Threads that wait for more work would take the cores from what follows.
            with one_blas_thread():
                self._root = cholesky(
                    curvature, lower=True, overwrite_a=True, check_finite=False
                )
        else:
            self._root = np.sqrt(curvature + added)

    def to_weights(self, coordinates):
        """Return the weights of some coordinates, both (n_columns,)."""
        if not self._is_matrix:
            return coordinates / self._root
        return solve_triangular(
            self._root, coordinates, lower=True, trans=1, check_finite=False
        )

    def to_coordinates(self, weights):
        """Return the coordinates of some weights, both (n_columns,)."""
        if not self._is_matrix:
            return weights * self._root
        return self._root.T @ weights

    def gradient(self, by_weights):
        """Return the gradient by the coordinates, from that by the weights."""
        if not self._is_matrix:
            return by_weights / self._root
        return solve_triangular(self._root, by_weights, lower=True, check_finite=False)


def spread_inside(X, group):
    """Return how columns vary together in pairs of one group.

    Parameters
    ----------
    X : tensor or CSR matrix of shape (n_items, n_columns)
    group : tensor of shape (n_items,), int64
        Numbers of the groups, from 0.

    Returns
    -------
    spread : ndarray of shape (n_columns, n_columns), or None
        Mean product of two columns' differences over all pairs. None where it takes
        longer than it saves: of many columns, or of a sparse matrix.
    """
    n_items, n_columns = X.shape
    most = min(_MOST_COLUMNS, _MOST_COLUMNS_PER_ROW * n_items)
    if issparse(X) or not 0 < n_columns <= most:
        return None
    spread = torch.zeros(n_columns, n_columns)
    for rows in _differences(X, group):
        # It is symmetric: half of the products are enough.
        for first in range(0, n_columns, _COLUMNS_AT_A_TIME):
            last = first + _COLUMNS_AT_A_TIME
            spread[first:last, :last].addmm_(rows[:, first:last].T, rows[:, :last])
    return (spread.tril() + spread.tril(-1).T).double().numpy()


def variance_inside(X, group):
    """Return how each column varies in pairs of one group.

    Parameters
    ----------
    X, group
        See :func:`spread_inside`.

    Returns
    -------
    variance : ndarray of shape (n_columns,), float64
        Mean square of the differences over all pairs. Of a sparse matrix as if items
        had nothing to do with one another.
    """
    n_items, n_columns = X.shape
    if issparse(X):
        squares = np.bincount(X.indices, weights=X.data.astype(float) ** 2)
        return np.pad(squares, (0, n_columns - len(squares))) * (2 / n_items)
    variance = torch.zeros(n_columns)
    for rows in _differences(X, group):
        variance += rows.square_().sum(dim=0)
    return variance.double().numpy()


def _differences(X, group):
    """Yield rows less the mean of their group; all squared are the mean over pairs."""
    sizes = group.bincount()
    n_pairs = (sizes * (sizes - 1)).sum().clamp(min=1) / 2
    mean = torch.zeros(len(sizes), X.shape[1]).index_add_(0, group, X)
    mean /= sizes[:, None]
    # The squares of all differences in n items are n times those from their mean.
    root = (sizes / n_pairs).sqrt().to(X)
    for first in range(0, len(X), _ROWS_AT_A_TIME):
        of = group[first : first + _ROWS_AT_A_TIME]
        rows = X[first : first + _ROWS_AT_A_TIME] - mean[of]
        yield rows.mul_(root[of, None])
