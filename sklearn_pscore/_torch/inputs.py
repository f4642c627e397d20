"""What metrics go through before any layer: scaling, and the bends of a shortcut."""

import numpy as np
import torch
from torch import nn

# Of a normal distribution: what its quartiles are apart, in standard deviations.
_QUARTILES_APART = 1.349
# A feature that differs less than this share of its spread inside groups counts
# as one that is the same for all items of a group.
_NO_SPREAD = 1e-3
# Nothing is farther from the median than this many scales.
_FARTHEST = 1e15


class InputScaling(nn.Module):
    """Scale metrics robustly and bend in outliers, smoothly and in order.

    .. math:: z = (x - shift) / scale,
              \\quad y = u \\, z / \\sqrt{1 + (z / c)^2}

    with the median as shift and the quartiles' distance as scale, which no
    outlier moves, and u so that a metric varies by one inside groups: what
    differs between groups alone tells nothing about their order.

    Parameters
    ----------
    shift, scale, unit : ndarray of shape (n_features,)
    clip : float or None
        c; nothing is further than that from zero. None bends nothing.
    """

    def __init__(self, shift, scale, unit, clip):
        super().__init__()
        for name, values in (("shift", shift), ("scale", scale), ("unit", unit)):
            self.register_buffer(name, torch.as_tensor(values, dtype=torch.float64))
        self.clip = clip

    @classmethod
    def fitted(cls, X, group, clip):
        """Return the scaling of items.

        Parameters
        ----------
        X : ndarray of shape (n_items, n_features)
        group : ndarray of shape (n_items,), int
            Codes 0, 1, ...
        clip : float or None
        """
        X = X.astype(np.float64)
        lower, shift, upper = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
        # More than half of a metric may be one value: take each value once then.
        for column in np.flatnonzero(lower == upper):
            lower[column], upper[column] = np.quantile(
                np.unique(X[:, column]), [0.25, 0.75]
            )
        scale = (upper - lower) / _QUARTILES_APART
        scale[scale == 0] = 1.0
        scaling = cls(shift, scale, np.ones_like(scale), clip)
        scaled = scaling(torch.from_numpy(X)).numpy()
        scaling.unit = torch.from_numpy(unit_inside(scaled, group))
        return scaling

    def forward(self, X, dtype=None):
        """Return metrics in `dtype`, None is that of `X`."""
        bend = 1.0 if self.clip is None else self.clip
        # Subtracted before it is rounded: a metric may be far from 0.
        X = (X - self.shift.to(X.dtype)).mul_((1 / (self.scale * bend)).to(X.dtype))
        # So that neither float32 nor its square overflows.
        X = X.clamp_(-_FARTHEST, _FARTHEST).to(X.dtype if dtype is None else dtype)
        if self.clip is not None:
            # In place: new memory costs more than what is computed.
            X.mul_(X.square().add_(1.0).rsqrt_())
        return X.mul_((self.unit * bend).to(X.dtype))


def unit_inside(X, group):
    """Return what makes each column vary by one inside groups, 0 if it does not.

    Parameters
    ----------
    X : ndarray of shape (n_items, n_columns)
    group : ndarray of shape (n_items,), int
        Codes 0, 1, ...

    Returns
    -------
    unit : ndarray of shape (n_columns,)
    """
    sizes = np.bincount(group)
    sums = torch.zeros(len(sizes), X.shape[1], dtype=torch.float64)
    # Sooner than np.add.at.
    sums.index_add_(0, torch.from_numpy(group), torch.from_numpy(X))
    inside = X - (sums.numpy() / np.maximum(sizes, 1)[:, None])[group]
    n_free = max(1, len(X) - np.count_nonzero(sizes))
    spread = np.sqrt((inside**2).sum(axis=0) / n_free)
    varies = spread > _NO_SPREAD * np.maximum(X.std(axis=0), np.finfo(float).tiny)
    return np.where(varies, 1 / np.where(varies, spread, 1.0), 0.0)


class Bends(nn.Module):
    """A piecewise linear function of every metric, summed: an additive score.

    Between two neighbours of its `edges` a metric's column rises from 0 to 1.
    A weighted sum of a metric's columns is any continuous function with kinks
    at the edges that stays level beyond the outer ones: what was never seen is
    not extrapolated.

    Parameters
    ----------
    edges : ndarray of shape (n_pieces + 1, n_features)
        Ascending, of scaled metrics.
    """

    def __init__(self, edges):
        super().__init__()
        width = np.diff(edges, axis=0)
        is_piece = width > 0
        inverse = np.where(is_piece, 1 / np.where(is_piece, width, 1.0), 0.0)
        self.register_buffer("start", torch.from_numpy(edges[:-1]))
        self.register_buffer("inverse_width", torch.from_numpy(inverse))

    @classmethod
    def fitted(cls, X, n_pieces):
        """Return bends with edges at the quantiles of the values, each taken once.

        Parameters
        ----------
        X : ndarray of shape (n_items, n_features)
            Scaled metrics.
        n_pieces : int
        """
        levels = np.linspace(0, 1, n_pieces + 1)
        edges = [np.quantile(np.unique(column), levels) for column in X.T]
        return cls(np.stack(edges, axis=1))

    def columns(self, X):
        """Yield the columns of one piece after the other, each like `X`."""
        start, inverse = self.start.to(X.dtype), self.inverse_width.to(X.dtype)
        for piece in range(len(start)):
            yield ((X - start[piece]) * inverse[piece]).clamp_(0.0, 1.0)
