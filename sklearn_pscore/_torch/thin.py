"""Thin tables: so wide, and so little stored, that rows stay sparse in the network.

A dense row of 20,000 features, 20 of which are not zero, takes a thousand times the
memory and the multiplications. So a batch of a thin table is a sparse tensor, which the
scaling makes :class:`ThinRows` of.
"""

from copy import copy

import numpy as np
import torch
from scipy.sparse import coo_array, csr_array, issparse

# With fewer features, or more values than this share, dense rows are as fast. By
# benchmarks/speed/sparse.py.
_FEWEST_FEATURES, _LARGEST_SHARE = 1000, 0.02


def is_thin(table):
    """Return whether the rows of a table are to stay sparse.

    Parameters
    ----------
    table : ndarray or CSR matrix of shape (n_rows, n_features)
    """
    if not issparse(table) or table.shape[1] < _FEWEST_FEATURES:
        return False
    # In Python's integers: NumPy's of 32 bits may not hold the product.
    n_values = int(table.shape[0]) * int(table.shape[1])
    return table.nnz <= _LARGEST_SHARE * n_values


def sparse_tensor(rows):
    """Return a CSR matrix as a sparse tensor; it shares no memory."""
    # Without a word on invariants torch warns, and in some versions with False too.
    rows = rows.tocoo()
    place = np.stack([rows.row, rows.col]).astype(np.int64)
    return torch.sparse_coo_tensor(
        torch.from_numpy(place),
        torch.from_numpy(np.array(rows.data)),
        rows.shape,
        is_coalesced=True,
        check_invariants=True,
    )


def missing_in(X, features):
    """Return which values of a sparse tensor are missing, as a sparse tensor.

    Parameters
    ----------
    X : sparse tensor of shape (n_rows, n_features)
    features : tensor of shape (n_columns,), int64
        Those to look at, ascending.

    Returns
    -------
    missing : sparse tensor of shape (n_rows, n_columns)
        1 for NaN.
    """
    column = torch.full((X.shape[1],), -1, device=features.device)
    column[features] = torch.arange(len(features), device=features.device)
    rows, of_value = X.indices()[0], column[X.indices()[1]]
    kept = X.values().isnan() & (of_value >= 0)
    return torch.sparse_coo_tensor(
        torch.stack([rows[kept], of_value[kept]]),
        torch.ones_like(X.values()[kept]),
        (len(X), len(features)),
        is_coalesced=True,
        check_invariants=True,
    )


def as_table(X):
    """Return a tensor as an array, a sparse one as a CSR matrix."""
    if not X.is_sparse:
        return X.numpy()
    return csr_array(coo_array((X.values().numpy(), X.indices().numpy()), X.shape))


class ThinRows:
    """Scaled rows of a thin table: the values that are stored, and what zero becomes.

    Parameters
    ----------
    place : tensor of shape (2, n_values), int64
        Row and feature of each stored value, sorted.
    values : tensor of shape (n_values,)
        Scaled.
    zero : tensor of shape (n_features,)
        A row of zeros, scaled.
    n_rows : int
    """

    def __init__(self, place, values, zero, n_rows):
        self.place = place
        self.values = values
        self.zero = zero
        self.shape = n_rows, len(zero)

    def __len__(self):
        return self.shape[0]

    def __matmul__(self, weight):
        """Return the product with a matrix, (n_features, n_units)."""
        return self.differences() @ weight + self.zero @ weight

    def differences(self):
        """Return what the rows are beyond a row of zeros, as a sparse tensor."""
        values = self.values - self.zero[self.place[1]]
        return torch.sparse_coo_tensor(
            self.place, values, self.shape, is_coalesced=True, check_invariants=True
        )

    def to_dense(self):
        """Return the rows as a dense tensor."""
        rows = self.zero.repeat(len(self), 1)
        rows[self.place[0], self.place[1]] = self.values
        return rows

    def values_by_feature(self):
        """Return (feature, value) arrays of what is stored, and of one zero of each."""
        zero = self.zero.numpy()
        stored = self.place[1].numpy(), self.values.numpy()
        n_stored = np.bincount(stored[0], minlength=len(zero))
        has_zeros = np.flatnonzero(n_stored < len(self))
        features = np.concatenate([stored[0], has_zeros])
        return features, np.concatenate([stored[1], zero[has_zeros]])

    def to(self, dtype):
        """Return the rows in a type."""
        return self.like(self.values.to(dtype), self.zero.to(dtype))

    def like(self, values, zero):
        """Return rows with other values in the same places."""
        return ThinRows(self.place, values, zero, len(self))


def of_features(module, features):
    """Return a copy of a module whose values are those of some features.

    Parameters
    ----------
    module : nn.Module
        The last axis of its buffers is that of the features.
    features : tensor of shape (n,), int64
        A feature may come several times.
    """
    copied = copy(module)
    buffers = vars(module)["_buffers"].items()
    vars(copied)["_buffers"] = {name: values[..., features] for name, values in buffers}
    return copied


def spreads(X, group):
    """Return what :func:`unit_inside` reads of the columns of a CSR matrix.

    Parameters
    ----------
    X : CSR matrix of shape (n_items, n_columns), float64
    group : ndarray of shape (n_items,), int
        Numbers 0, 1, ...

    Returns
    -------
    squares : ndarray of shape (n_columns,)
        Sum of the squared differences from the mean of the group.
    std : ndarray of shape (n_columns,)
    """
    n_items = X.shape[0]
    sizes = np.bincount(group)
    members = csr_array((np.ones(n_items), (group, np.arange(n_items))))
    of_groups = members @ X
    of_groups.data **= 2
    sums, squares = X.sum(axis=0), X.power(2).sum(axis=0)
    inside = squares - (1 / np.maximum(sizes, 1)) @ of_groups
    variance = squares / n_items - (sums / n_items) ** 2
    # By rounding, either may be a little below zero.
    return np.maximum(inside, 0.0), np.sqrt(np.maximum(variance, 0.0))


def distinct(column, values):
    """Return the distinct values of each column.

    Parameters
    ----------
    column, values : ndarray of shape (n_values,)

    Returns
    -------
    column, values : ndarray of shape (n_distinct,)
        Sorted by column, and by value inside it.
    """
    order = np.lexsort((values, column))
    column, values = column[order], values[order]
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (np.diff(column) != 0) | (np.diff(values) != 0)
    return column[is_new], values[is_new]


def quantiles(column, values, levels, n_columns):
    """Return quantiles of each column, interpolated as by NumPy.

    Parameters
    ----------
    column, values : ndarray of shape (n_values,)
        Sorted as by :func:`distinct`; each column has values.
    levels : ndarray of shape (n_levels,)
    n_columns : int

    Returns
    -------
    quantiles : ndarray of shape (n_levels, n_columns)
    """
    n_values = np.bincount(column, minlength=n_columns)
    start = np.cumsum(n_values) - n_values
    position = np.asarray(levels)[:, None] * (n_values - 1)
    below = np.floor(position).astype(np.int64)
    above = np.minimum(below + 1, n_values - 1)
    share, a, b = position - below, values[start + below], values[start + above]
    return np.where(share < 0.5, a + (b - a) * share, b - (b - a) * (1 - share))
