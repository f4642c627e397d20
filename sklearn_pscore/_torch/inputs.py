"""The inputs of the network: scaled features, and the bends of the shortcut."""

import math
from itertools import pairwise

import numpy as np
import torch
from scipy.sparse import issparse
from torch import nn

from sklearn_pscore._torch.thin import (
    ThinRows,
    as_table,
    distinct,
    of_features,
    quantiles,
    spreads,
)

# Distance of the quartiles of a normal distribution, in standard deviations.
_QUARTILES_APART = 1.349
# A feature whose spread inside groups is below this share of its whole spread
# counts as constant inside groups. No benchmark varies it.
_NO_SPREAD = 1e-3
# Largest distance from the median, in scales; its square is a float32.
_FARTHEST = 1e15
# Scales in which float32 divides; others would overflow, or vanish.
_FLOAT32_SCALES = (1e-30, 1e22)
# Edges of pieces that are closer than this, relative to their size, are one: some
# units in the last place of float32, in which a piece is trained. Not measured by a
# benchmark.
_LEAST_WIDTH = 2**6 * float(np.finfo(np.float32).eps)
# Narrowest piece: float32 still holds its inverse. Not measured by a benchmark.
_NARROWEST = 1e-37
# Share of the distinct values that float32 must tell apart for all of them to count.
# Not measured by a benchmark.
_SHARE_TOLD_APART = 0.9
# Larger arrays are scaled in blocks of columns, 16 MB of float64: new memory takes longer
# than the arithmetic. No benchmark varies it.
_LARGEST_BLOCK = 2**21


class InputScaling(nn.Module):
    """Scale features robustly and bend in outliers, smoothly and in order.

    .. math:: z = (x - shift) / scale,
              \\quad y = u \\, z / \\sqrt{1 + (z / c)^2}

    with the median as shift and the distance of the quartiles as scale, which no
    outlier moves, and u so that a feature has standard deviation 1 inside groups:
    differences between groups say nothing about the order inside them.

    A missing value, NaN, is the median: y = 0.

    Parameters
    ----------
    shift, scale, unit : ndarray of shape (n_features,)
    clip : float or None
        c, the largest distance from zero. None does not bend.
    """

    def __init__(self, shift, scale, unit, clip):
        super().__init__()
        for name, values in (("shift", shift), ("scale", scale), ("unit", unit)):
            self.register_buffer(name, torch.as_tensor(values, dtype=torch.float64))
        self.clip = clip
        smallest, largest = _FLOAT32_SCALES
        # Whether float32 is too narrow, whatever comes in and goes out.
        self.is_wide = bool(((self.scale < smallest) | (self.scale > largest)).any())

    @classmethod
    def fitted(cls, X, group, clip):
        """Return the scaling of items.

        Median and quartiles are those of the values that are there. A feature
        without any is as one that is constant.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_items, n_features), float32 or float64
            NaN is a missing value. A CSR matrix is one of a thin table.
        group : ndarray of shape (n_items,), int
            Numbers 0, 1, ...
        clip : float or None
        """
        if issparse(X):
            return cls._fitted_thin(X, group, clip)
        if X.size > _LARGEST_BLOCK:
            parts = [cls.fitted(block, group, clip) for block in _blocks(X)]
            buffers = zip(*(part.buffers() for part in parts), strict=True)
            return cls(*map(torch.cat, buffers), clip)
        is_float32, X = X.dtype == np.float32, X.astype(np.float64)
        quartiles = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
        # NumPy's are NaN where a single value is.
        for feature in np.flatnonzero(np.isnan(quartiles[1])):
            values = _present(X[:, feature])
            quartiles[:, feature] = np.quantile(values, [0.25, 0.5, 0.75])
        lower, shift, upper = quartiles
        # More than half of a feature may be one value: take each value once then.
        for feature in np.flatnonzero(lower == upper):
            lower[feature], upper[feature] = np.quantile(
                np.unique(_present(X[:, feature])), [0.25, 0.75]
            )
        scale = (upper - lower) / _QUARTILES_APART
        scale[scale == 0] = 1.0
        scaling = cls(shift, scale, np.ones_like(scale), clip)
        scaled = scaling(torch.from_numpy(X)).numpy()
        scaling.unit = torch.from_numpy(unit_inside(scaled, group))
        if is_float32:
            # What is trained in float32 subtracts this; so must all that follows.
            scaling.shift = scaling.shift.float().double()
        return scaling

    @classmethod
    def _fitted_thin(cls, X, group, clip):
        """Return the scaling of items of a thin table."""
        n_rows, n_features = X.shape
        X = X.tocsc()
        # With so few stored, missing ones among them, zero is the median of a column,
        # and both quartiles.
        n_stored = np.diff(X.indptr)
        is_dense = 4 * (n_stored + 1) >= n_rows - n_stored
        column = np.repeat(np.arange(n_features), n_stored)
        is_present = ~np.isnan(X.data)
        column = np.concatenate([column[is_present], np.arange(n_features)])
        values = np.concatenate([X.data[is_present], np.zeros(n_features)])
        values = distinct(column, values.astype(np.float64))
        quartiles = quantiles(*values, [0.25, 0.75], n_features)
        shift, scale = np.zeros(n_features), np.diff(quartiles, axis=0)[0]
        scale /= _QUARTILES_APART
        scale[scale == 0] = 1.0
        for feature in np.flatnonzero(is_dense):
            dense = cls.fitted(X[:, [feature]].toarray(), group, clip)
            shift[feature], scale[feature] = dense.shift.item(), dense.scale.item()
        scaling = cls(shift, scale, np.ones(n_features), clip)
        scaled = scaling(ThinRows.of(X.tocsr().astype(np.float64)))
        unit = unit_inside(as_table(scaled), group)
        scaling.unit = torch.from_numpy(unit)
        return scaling

    def forward(self, X, dtype=None):
        """Return scaled features in `dtype`; None is the dtype of `X`.

        :class:`ThinRows` stay thin.
        """
        if isinstance(X, ThinRows):
            values = of_features(self, X.features)(X.values, dtype)
            return X.like(values, self(X.zero, dtype))
        bend = 1.0 if self.clip is None else self.clip
        dtype = X.dtype if dtype is None else dtype
        wide = torch.float64 if self.is_wide else torch.promote_types(X.dtype, dtype)
        # Subtract in the wider type, then round: a feature may be far from 0.
        # An infinite factor would make NaN of zero.
        factor = (1 / (self.scale * bend)).to(wide).clamp(max=torch.finfo(wide).max)
        X = X.to(wide) - self.shift.to(wide)
        # Before the bend, or the gradients of what is missing would be NaN.
        # In place and at once, in a tenth of the time of a mask.
        X = X.nan_to_num_(0.0, math.inf, -math.inf).mul_(factor)
        # Then neither float32 nor its square overflows.
        X = X.clamp_(-_FARTHEST, _FARTHEST).to(dtype)
        if self.clip is not None:
            shrunk = X.square().add_(1.0).rsqrt_()
            # In place, since new memory costs more than the arithmetic; but where X
            # has a gradient, its square needs it as it is.
            X = X * shrunk if X.requires_grad else X.mul_(shrunk)
        return X.mul_((self.unit * bend).to(X.dtype))


def _present(values):
    """Return the values that are no NaN, or a zero if all are."""
    values = values[~np.isnan(values)]
    return values if len(values) else np.zeros(1)


def _blocks(X):
    """Return the columns of a large array in blocks of about a half of the largest."""
    n_blocks = -(-2 * X.size // _LARGEST_BLOCK)
    return np.array_split(X, min(n_blocks, X.shape[1]), axis=1)


def unit_inside(X, group):
    """Return 1 / (standard deviation inside groups) of each column.

    .. math:: u = 1 / \\sqrt{\\sum_i (x_i - \\bar{x}_{g(i)})^2 / (n - G)},

    with g(i) the group of item i, and G the number of groups.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_items, n_columns), float
    group : ndarray of shape (n_items,), int
        Numbers 0, 1, ...

    Returns
    -------
    unit : ndarray of shape (n_columns,)
        0 for a column that is constant inside groups, or nearly so.
    """
    if not issparse(X) and X.size > _LARGEST_BLOCK:
        return np.concatenate([unit_inside(block, group) for block in _blocks(X)])
    X = X.astype(np.float64, copy=False)
    sizes = np.bincount(group)
    n_free = max(1, X.shape[0] - np.count_nonzero(sizes))
    if issparse(X):
        squares, std = spreads(X, group)
    else:
        squares, std = _dense_spreads(X, group, sizes)
    spread = np.sqrt(squares / n_free)
    varies = spread > _NO_SPREAD * np.maximum(std, np.finfo(float).tiny)
    return np.where(varies, 1 / np.where(varies, spread, 1.0), 0.0)


def _dense_spreads(X, group, sizes):
    sums = torch.zeros(len(sizes), X.shape[1], dtype=torch.float64)
    # Faster than np.add.at.
    sums.index_add_(0, torch.from_numpy(group), torch.from_numpy(X))
    inside = X - (sums.numpy() / np.maximum(sizes, 1)[:, None])[group]
    return (inside**2).sum(axis=0), X.std(axis=0)


class Bends(nn.Module):
    """Columns whose weighted sums are piecewise linear functions of each feature.

    The column of a piece rises from 0 to 1 between two neighbours of a feature's
    `edges`, and is constant elsewhere. So a weighted sum of a feature's columns is
    any continuous function with kinks at the edges that is constant outside them.

    Parameters
    ----------
    edges : ndarray of shape (n_pieces + 1, n_features)
        Ascending, of scaled features.
    """

    def __init__(self, edges):
        super().__init__()
        width = np.diff(edges, axis=0)
        is_piece = width > _NARROWEST
        inverse = np.where(is_piece, 1 / np.where(is_piece, width, 1.0), 0.0)
        self.register_buffer("start", torch.from_numpy(edges[:-1]))
        self.register_buffer("inverse_width", torch.from_numpy(inverse))

    @classmethod
    def fitted(cls, X, n_pieces):
        """Return bends with edges at the quantiles of the values, each taken once.

        Edges that float32 can hardly tell apart are one, or a difference in the last
        place of a value would be worth a whole piece.

        Parameters
        ----------
        X : ndarray or ThinRows of shape (n_items, n_features)
            Scaled features.
        n_pieces : int
        """
        levels = np.linspace(0, 1, n_pieces + 1)
        if isinstance(X, ThinRows):
            edges = _edges_of_thin(X, levels)
        else:
            edges = [np.quantile(_distinct(column), levels) for column in X.T]
            edges = np.stack(edges, axis=1)
        for last, edge in pairwise(edges):
            is_one = edge - last <= _LEAST_WIDTH * np.maximum(abs(last), abs(edge))
            edge[is_one] = last[is_one]
        return cls(edges)

    def columns(self, X):
        """Yield the columns of one piece after the other, each of the shape of `X`."""
        if isinstance(X, ThinRows):
            of_values = of_features(self, X.features).columns(X.values)
            for values, zero in zip(of_values, self.columns(X.zero), strict=True):
                yield X.like(values, zero)
            return
        start, inverse = self.start.to(X.dtype), self.inverse_width.to(X.dtype)
        for piece in range(len(start)):
            yield ((X - start[piece]) * inverse[piece]).clamp_(0.0, 1.0)


def _distinct(values):
    """Return the distinct values; as float32 has them, where that is much fewer."""
    distinct = np.unique(values)
    in_float32 = np.unique(distinct.astype(np.float32))
    if len(in_float32) < _SHARE_TOLD_APART * len(distinct):
        return in_float32.astype(np.float64)
    return distinct


def _edges_of_thin(X, levels):
    """Return the quantiles of the :func:`_distinct` values of each feature."""
    feature, values = distinct(*X.values_by_feature())
    rounded = distinct(feature, values.astype(np.float32))
    n_features = X.shape[1]
    n_distinct, n_in_float32 = (
        np.bincount(each, minlength=n_features) for each in (feature, rounded[0])
    )
    return np.where(
        n_in_float32 < _SHARE_TOLD_APART * n_distinct,
        quantiles(rounded[0], rounded[1].astype(np.float64), levels, n_features),
        quantiles(feature, values, levels, n_features),
    )
