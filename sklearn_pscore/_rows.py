"""Rows of a table, which is an array or a sparse matrix, made dense some at a time."""

import numpy as np
from scipy.sparse import issparse

# Values of the rows that are worked on at a time, 64 MB of float32. No benchmark
# varies it.
_VALUES_AT_A_TIME = 2**24


def rows_at_a_time(n_columns, most):
    """Return how many rows to work on at a time: `most`, or fewer if they are wide."""
    return max(1, min(most, _VALUES_AT_A_TIME // max(n_columns, 1)))


def dense_rows(table, rows):
    """Return some rows of a table, a copy in C order.

    Parameters
    ----------
    table : ndarray or CSR matrix of shape (n_rows, n_columns)
    rows : slice or ndarray of int
    """
    if issparse(table):
        return table[rows].toarray(order="C")
    return np.array(table[rows], order="C")


def checked_sparse(X, name="X"):
    """Return a table; a sparse matrix with the sums of what it has twice.

    Parameters
    ----------
    X : object
        Left as it is; if it is not sparse, it is returned.
    name : str
        Name of the table, for the messages.

    Raises
    ------
    ValueError
        If an index is outside of the matrix, where reading it would read memory
        that is not its own.
    """
    if not issparse(X) or X.format not in ("csr", "csc"):
        # Converting other formats to CSR checks and sums.
        return X
    n_along = X.shape[1 if X.format == "csr" else 0]
    indices = X.indices
    if len(indices) and not (indices.min() >= 0 and indices.max() < n_along):
        wrong = indices[(indices < 0) | (indices >= n_along)][0]
        raise ValueError(
            f"{name} is a sparse matrix of shape {X.shape} whose `indices` hold {wrong}; "
            f"expected numbers from 0 to {n_along - 1}. Build it by "
            "scipy.sparse.coo_array((values, (row, column)), shape).tocsr()."
        )
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def with_narrow_indices(X):
    """Return a CSR or CSC matrix whose indices are of 32 bits, if these suffice.

    Many libraries take no others.
    """
    is_narrow = X.indices.dtype.itemsize <= 4 and X.indptr.dtype.itemsize <= 4
    if is_narrow or max(*X.shape, X.nnz) > np.iinfo(np.int32).max:
        return X
    narrow = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return type(X)((X.data, *narrow), shape=X.shape)


def extremes(table):
    """Return two rows with the largest and smallest value of each column, or an array.

    An array is returned as it is. NaN counts only where a column has nothing else.
    """
    if not issparse(table):
        return table
    return np.vstack([table.nanmax(axis=0).toarray(), table.nanmin(axis=0).toarray()])
