"""Thin tables: so wide, and so little stored, that rows stay sparse in the network.

A dense row of 20,000 features, 20 of which are not zero, takes a thousand times the
memory and the multiplications. So a batch of a thin table is a sparse tensor, which the
scaling makes :class:`ThinRows` of.
"""

from copy import copy

import numpy as np
import torch
from scipy.sparse import csr_array, issparse
from torch.nn.functional import embedding_bag, pad

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


class ThinRows:
    """Rows of a thin table: the values that are stored, and what zero is.

    No sparse tensors of torch, for some versions warn of each.

    Parameters
    ----------
    features : tensor of shape (n_values,), int64
        Feature of each stored value, row by row.
    starts : tensor of shape (n_rows + 1,), int64
        First value of each row, and the number of values.
    values : tensor of shape (n_values,)
    zero : tensor of shape (n_features,)
        A value that is not stored.
    """

    def __init__(self, features, starts, values, zero):
        self.features = features
        self.starts = starts
        self.values = values
        self.zero = zero
        self.shape = len(starts) - 1, len(zero)

    @classmethod
    def of(cls, rows):
        """Return the rows of a CSR matrix, copied."""
        indices = (
            torch.from_numpy(a.astype(np.int64)) for a in (rows.indices, rows.indptr)
        )
        values = torch.from_numpy(rows.data.copy())
        return cls(*indices, values, torch.zeros(rows.shape[1], dtype=values.dtype))

    def __len__(self):
        return self.shape[0]

    @property
    def device(self):
        return self.values.device

    def __matmul__(self, weight):
        """Return the product with a matrix, (n_features, n_units)."""
        of_differences = embedding_bag(
            self.features,
            weight,
            self.starts,
            mode="sum",
            per_sample_weights=self.values - self.zero[self.features],
            include_last_offset=True,
        )
        return of_differences + self.zero @ weight

    def to_dense(self):
        """Return the rows as a dense tensor."""
        rows = self.zero.repeat(len(self), 1)
        n_stored = self.starts.diff()
        numbers = torch.arange(len(self), device=self.device).repeat_interleave(
            n_stored
        )
        rows[numbers, self.features] = self.values
        return rows

    def values_by_feature(self):
        """Return (feature, value) arrays of what is stored, and of one zero of each."""
        features, values = self.features.numpy(), self.values.numpy()
        zero = self.zero.numpy()
        n_stored = np.bincount(features, minlength=len(zero))
        has_zeros = np.flatnonzero(n_stored < len(self))
        features = np.concatenate([features, has_zeros])
        return features, np.concatenate([values, zero[has_zeros]])

    def missing(self, features):
        """Return which values of some features are missing.

        Parameters
        ----------
        features : tensor of shape (n_columns,), int64

        Returns
        -------
        missing : ThinRows of shape (n_rows, n_columns)
            1 for NaN.
        """
        of_value = self._columns_among(features)
        ones = torch.ones_like(self.values)
        zero = ones.new_zeros(len(features))
        return self._with(self.values.isnan() & (of_value >= 0), of_value, ones, zero)

    def index_select(self, dim, features):
        """Return the rows with some features only, as a tensor's; `dim` is 1."""
        of_value = self._columns_among(features)
        return self._with(of_value >= 0, of_value, self.values, self.zero[features])

    def _columns_among(self, features):
        """Return the place of each value's feature among some, -1 if it is not there."""
        column = torch.full((self.shape[1],), -1, device=self.device)
        column[features] = torch.arange(len(features), device=self.device)
        return column[self.features]

    def _with(self, is_kept, columns, values, zero):
        """Return the rows with some of the stored values, in other columns."""
        n_before = pad(is_kept.cumsum(0), (1, 0))
        return ThinRows(columns[is_kept], n_before[self.starts], values[is_kept], zero)

    def to(self, target):
        """Return the rows in a type of values, or on a device."""
        moved = self.like(self.values.to(target), self.zero.to(target))
        if not isinstance(target, torch.dtype):
            moved.features = self.features.to(target)
            moved.starts = self.starts.to(target)
        return moved

    def like(self, values, zero):
        """Return rows with other values in the same places."""
        return ThinRows(self.features, self.starts, values, zero)


def as_table(X):
    """Return a tensor as an array, or thin rows as a CSR matrix, less their zero."""
    if not isinstance(X, ThinRows):
        return X.numpy()
    values = X.values - X.zero[X.features]
    parts = (part.numpy() for part in (values, X.features, X.starts))
    return csr_array(tuple(parts), shape=X.shape)


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
