"""The additive part of a net: what each feature is worth by itself, for every member."""

import math

import numpy as np
import torch

from sklearn_pscore._rows import rows_at_a_time
from sklearn_pscore._torch.network import MemberLinear
from sklearn_pscore._torch.scoring import scoring_copy

# Rows to work on at a time, fewer of many features. No benchmark varies it.
_ROWS_AT_A_TIME = 2**13


class AdditivePart:
    """A sum of one function of each feature, that a net adds to its other scores.

    It is the shortcut; and the layers too, where none of them is hidden.

    Parameters
    ----------
    net : GroupNet
        Read and never changed.

    Attributes
    ----------
    n_members : int
    n_folds : int
        The first `n_folds` members each left out a fold of the groups.
    std_factor : float
        Ratio of the standard error to the standard deviation over these, that of the
        delete-a-fold jackknife; NaN if there are none.
    """

    def __init__(self, net):
        self._network = scoring_copy(net.module_, torch.float64)
        self._device = net.device
        self.n_members = self._network.n_members
        self.n_folds = net.n_folds
        has_folds = self.n_folds > 1
        self.std_factor = (
            (self.n_folds - 1) / math.sqrt(self.n_folds) if has_folds else math.nan
        )

    @property
    def kinks(self):
        """Where the functions may bend, (n_kinks, n_features); NaN where they do not."""
        scaling, shortcut = self._network.scaling, self._network.shortcut
        n_features = len(scaling.shift)
        if shortcut is None or shortcut.bends is None:
            return np.empty((0, n_features))
        start, inverse = (
            each.cpu().numpy()
            for each in (shortcut.bends.start, shortcut.bends.inverse_width)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = np.where(inverse > 0, start + 1 / inverse, np.nan)
            edges = np.concatenate([np.where(inverse > 0, start, np.nan), ends])
            shift, scale, unit = (
                getattr(scaling, name).cpu().numpy()
                for name in ("shift", "scale", "unit")
            )
            scaled = edges / unit
            if scaling.clip is not None:
                scaled /= np.sqrt(1 - (scaled / scaling.clip) ** 2)
        scaled[~np.isfinite(scaled)] = np.nan
        return shift + scale * scaled

    def worths(self, X, member):
        """Return what each value adds to the score of a member.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features), float64
            NaN is a missing value.
        member : int

        Returns
        -------
        worths : ndarray of shape (n_rows, n_features), float64
            Their sum over features is the score of the part, but for a constant.
        """
        worths = np.empty(X.shape)
        n_at_a_time = rows_at_a_time(X.shape[1], _ROWS_AT_A_TIME)
        with torch.inference_mode():
            for first in range(0, len(X), n_at_a_time):
                rows = slice(first, first + n_at_a_time)
                chunk = torch.from_numpy(np.ascontiguousarray(X[rows]))
                chunk = self._worths(chunk.to(self._device), member)
                worths[rows] = chunk.cpu().numpy()
        return worths

    def _worths(self, X, member):
        network, shortcut = self._network, self._network.shortcut
        Z = network.scaling(X)
        worths = torch.zeros_like(Z)
        if not _has_hidden(network):
            worths += Z * network.output.weight[member, :, 0]
        if shortcut is None:
            return worths
        worths += Z * shortcut.weight[member, 0]
        if shortcut.bends is not None:
            for piece, columns in enumerate(shortcut.bends.columns(Z), start=1):
                worths += columns * shortcut.weight[member, piece]
        if shortcut.missing_weight is not None:
            worth = network.missing(X) * shortcut.missing_weight[member]
            worths[:, shortcut.missing_features] += worth
        return worths


def additive_part_of(net):
    """Return the :class:`AdditivePart` of a net, None if it has none.

    A last layer that is bounded lets no part stand by itself.
    """
    network = net.module_
    if network.bounded is not None:
        return None
    if network.shortcut is None and _has_hidden(network):
        return None
    return AdditivePart(net)


def _has_hidden(network):
    """Return whether there is a layer between the features and the output."""
    return any(isinstance(layer, MemberLinear) for layer in network.hidden)
