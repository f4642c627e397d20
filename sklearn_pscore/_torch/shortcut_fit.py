"""The start of training: the shortcut is fitted, and what counts is selected.

Each member's shortcut is fitted without the groups that it leaves out, so that
these tell how much it is worth on new groups.
"""

from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array, issparse

from sklearn_pscore._rows import rows_at_a_time
from sklearn_pscore._torch.inputs import unit_inside
from sklearn_pscore._torch.linear import fit_linear, resized, scores_of, side_by_side
from sklearn_pscore._torch.losses.terms import fit_terms
from sklearn_pscore._torch.preconditioning import Preconditioner, spread_inside
from sklearn_pscore._torch.selection import interacting, strengths
from sklearn_pscore._torch.stacking import N_ROUNDS, ScaledSample, convex_criterion
from sklearn_pscore._torch.thin import of_features

# Shortcuts to weigh against each other: whether with bends, and the ridge
# strength as penalty times the number of items. Chosen in benchmarks/agreement/variants.py.
_CANDIDATES = ((False, 3.0), (True, 30.0), (True, 100.0), (True, 1000.0))
# Those of the curves that are fitted to more rows: fewer, for the time that they take. No
# benchmark varies them.
_OF_MORE = ((False, 3.0), (True, 30.0), (True, 1000.0))
# Of the candidates of a kind: with less of the whole, the kind is left out then. No
# benchmark varies it.
_LEAST_SHARE = 0.1
# Bends are scaled down by this against the features, so that the ridge prefers
# one slope to several bends. No benchmark varies it.
_BEND_SIZE = 0.7
# What a missing value is worth is scaled down by this against the features, since most
# often it is nothing. By benchmarks/agreement/missing.py, in which 1 lost up to .007 of
# the accuracy of medians alone where 72 metrics lack values, and 0.4 is the only other
# size that was tried.
_MISSING_SIZE = 0.4
# Items that the shortcut is computed for at a time, fewer of many features. No
# benchmark varies it.
_ROWS_AT_A_TIME = 2**13
# Values that the curves of the features that count are fitted to: as many as the table
# has, within these, 64 to 256 MB of float32. If there are so many times more rows than
# before.
_REFIT_VALUES, _LEAST_GROWTH = (2**24, 2**26), 1.5
# The same of a single member, which is asked for to be quick.
_REFIT_VALUES_OF_ONE = 2**23
# Values of all features that are drawn for that, 256 MB of float64.
_DRAWN_VALUES = 2**25


def freeze_fitted_shortcut(net, sample, *packed):
    """Fit the shortcut of a net on a sample, freeze it, and cache its scores.

    Features that count for nothing on groups that were left out get no weight, and
    the layers do not see them: see :mod:`~sklearn_pscore._torch.selection`.

    Parameters
    ----------
    net : GroupNet
    sample : ScaledSample
    *packed : PackedGroups or None
        The sets to train and validate on; given `shortcut_scores`. If there is more
        in the first than in the sample, the curves of the features that count are
        fitted to more of it.
    """
    network = net.module_
    if network.shortcut is None:
        return
    network.cpu()
    criterion = convex_criterion(net)
    if network.position_terms is not None:
        criterion.start(sample)
    fit = fit_shortcut(network.shortcut, sample, criterion)
    if network.terms is not None:
        # By the terms that these scores have, the shortcut is another.
        for _ in range(N_ROUNDS):
            fit_terms(criterion, _left_out(network.shortcut, sample), sample.target)
            fit = fit_shortcut(network.shortcut, sample, criterion)
    n_features = network.shortcut.weight.shape[2]
    features = np.arange(n_features)
    if fit.strength is not None:
        features = _which_count(network.shortcut, sample, fit.strength, criterion)
    if packed and len(features):
        features = _fit_to_more(network, sample, packed[0], features, criterion, fit)
    if 0 < len(features) < n_features:
        network.select_inputs(features)
    network.to(net.device)
    network.shortcut.requires_grad_(False)
    for groups in packed:
        if groups is not None:
            groups.shortcut_scores = shortcut_scores(network, groups, net.device)


def _left_out(shortcut, sample):
    """Return the shortcut's score of each item by the member that left it out."""
    return sample.left_out(shortcut(sample.X, sample.missing)[..., 0])


def _which_count(shortcut, sample, strength, criterion):
    """Return the numbers of the features that have a strength, or are of a pair."""
    counts = strength > 0
    if not counts.all():
        scores = _left_out(shortcut, sample)
        counts |= interacting(scores, sample, criterion)
    return np.flatnonzero(counts)


def _fit_to_more(network, sample, packed, features, criterion, fit):
    """Fit the curves of some features to a larger sample, if there is one.

    Parameters
    ----------
    fit : ShortcutFit
        To the first sample.

    Returns
    -------
    features : ndarray of shape (n_kept,), int
        Those that count by the larger one.
    """
    n_features = packed.table.shape[1]
    least, most = _REFIT_VALUES
    n_values = min(max(len(packed) * n_features, least), most)
    if network.n_members == 1:
        n_values = _REFIT_VALUES_OF_ONE
    n_rows = n_values // (len(features) * network.shortcut.weight.shape[1])
    # The sample has all features first.
    n_rows = min(n_rows, len(packed), _DRAWN_VALUES // n_features)
    if n_rows < _LEAST_GROWTH * len(sample.X) or network.terms is not None:
        return features
    X, target, judged, _ = packed.sample(n_rows)
    features_as_tensor = torch.from_numpy(features)
    scaling = of_features(network.scaling, features_as_tensor)
    scaled = scaling(X.index_select(1, features_as_tensor)).to(torch.float32)
    larger = ScaledSample(scaled, target, judged, network.missing(X))
    if larger.is_left_out != (fit.strength is not None):
        return features
    kinds = fit.kinds()
    candidates = tuple(each for each in _OF_MORE if each[0] in kinds)
    strength = fit_shortcut(
        network.shortcut, larger, criterion, features, candidates, fit.share_of_ways
    ).strength
    if strength is None:
        return features
    shortcut = network.shortcut.of_features(features_as_tensor)
    counts = _which_count(shortcut, larger, strength[features], criterion)
    return features[counts] if len(counts) else features


def shortcut_scores(network, packed, device, most_at_a_time=_ROWS_AT_A_TIME):
    """Return the shortcut's scores of packed items, shape (n_items, n_members)."""
    scores = torch.empty(len(packed), network.n_members)
    n_at_a_time = most_at_a_time
    scaling, shortcut, features = network.scaling, network.shortcut, None
    if not packed.is_thin:
        n_at_a_time = rows_at_a_time(packed.table.shape[1], most_at_a_time)
        features = network.inputs
    if features is not None:
        # The others have no weight.
        features = features.to(device)
        scaling = of_features(scaling, features)
        shortcut = shortcut.of_features(features)
    with torch.no_grad():
        for first in range(0, len(packed), n_at_a_time):
            items = np.arange(first, min(first + n_at_a_time, len(packed)))
            X = packed.features(items).to(device)
            missing = network.missing(X)
            if features is not None:
                X = X.index_select(1, features)
            known = shortcut(scaling(X, dtype=network.output.weight.dtype), missing)
            scores[first : items[-1] + 1] = known[..., 0].T
    return scores


class ShortcutFit(NamedTuple):
    """How a shortcut was fitted.

    Attributes
    ----------
    candidates : sequence of (bool, float)
        Those that were weighed against each other.
    share : ndarray of shape (n_candidates,)
        Their weights.
    strength : ndarray of shape (n_features,), or None
        Of each feature's curve. None where nothing is left out.
    share_of_ways : ndarray of shape (n_ways,), or None
        See :func:`~sklearn_pscore._torch.selection.strengths`.
    """

    candidates: list
    share: np.ndarray
    strength: np.ndarray | None = None
    share_of_ways: np.ndarray | None = None

    def kinds(self):
        """Return of which candidates there was much: with bends, without, or both."""
        least = _LEAST_SHARE * self.share.sum()
        has_bends = np.array([bends for bends, _ in self.candidates])
        share = {kind: self.share[has_bends == kind].sum() for kind in (False, True)}
        return {kind for kind, total in share.items() if total >= least}


def fit_shortcut(
    shortcut,
    sample,
    criterion,
    features=None,
    candidates=None,
    share_of_ways=None,
):
    """Set the weights of a shortcut, for every member.

    Each candidate is a ridge fit; the shortcut is their sum, weighed by
    :meth:`ScaledSample.weigh`, or their mean if nothing is left out. Then the curve of
    each feature is multiplied by its strength.

    Parameters
    ----------
    shortcut : Shortcut
    sample : ScaledSample
    criterion : nn.Module
        A convex loss.
    features : ndarray of shape (n_kept,), or None, default=None
        Numbers of the features that the sample has; others get no weight. None: all.
    candidates : sequence of (bool, float) or None, default=None
        Whether with bends, and the ridge strength. None: `_CANDIDATES`.
    share_of_ways : ndarray of shape (n_ways,) or None, default=None
        For the strengths. None finds it.

    Returns
    -------
    fit : ShortcutFit
    """
    n_features = shortcut.weight.shape[2]
    if candidates is None:
        candidates = _CANDIDATES
    if features is None:
        features = np.arange(n_features)
    columns = ShortcutColumns(shortcut, sample, features)
    n_members = len(shortcut.weight)
    if shortcut.bends is None:
        candidates = [each for each in candidates if not each[0]]
    found = []
    for has_bends, penalty in candidates:
        n_used = columns.X.shape[1] if has_bends else columns.n_slopes
        weights = torch.zeros(n_members, columns.X.shape[1])
        weights[:, :n_used] = fit_members(
            sample,
            columns.X[:, :n_used],
            criterion,
            penalty / columns.X.shape[0],
            None if columns.signs is None else columns.signs[:n_used],
            n_members,
            columns.preconditioner(n_used, penalty / columns.X.shape[0]),
        )
        found.append(weights)
    share = sample.weigh(
        [scores_of(columns.X, weights.numpy()) for weights in found],
        criterion,
        np.full(len(found), 1 / len(found)),
    )
    fit = ShortcutFit(candidates, share)
    total = sum(s * weights for s, weights in zip(share, found, strict=True))
    if sample.is_left_out:
        strength = np.zeros(n_features)
        curves = columns.left_out_curves(total, sample.target.fold)
        strength[features], share_of_ways = strengths(
            curves, sample, criterion, share_of_ways
        )
        total = total * torch.from_numpy(strength[columns.feature])
        fit = fit._replace(strength=strength, share_of_ways=share_of_ways)
    columns.put(shortcut, total)
    return fit


class ShortcutColumns:
    """Columns that the weights of a shortcut are fitted to, of one size each.

    Parameters
    ----------
    shortcut : Shortcut
    sample : ScaledSample
    features : ndarray of shape (n_kept,)
        Numbers of the features that the sample has.

    Attributes
    ----------
    X : tensor or CSR matrix of shape (n_items, n_columns)
        Slopes first, then missing values, then pieces. A column that does not vary
        inside groups cannot order them, and is left out.
    feature : ndarray of shape (n_columns,), int
        Number of the feature that a column is of.
    n_slopes : int
        Columns before those of the pieces.
    signs : ndarray of shape (n_columns,) or None
        What monotonic constraints ask of the weights. None if there are none.
    """

    def __init__(self, shortcut, sample, features):
        self._features = features
        n_kept, of_missing = len(features), np.empty(0, dtype=int)
        parts = [[sample.X]]
        if shortcut.missing_weight is not None:
            parts.append([sample.missing])
            of_missing = shortcut.missing_features.cpu().numpy()
        n_missing = len(of_missing)
        n_pieces = 0
        if shortcut.bends is not None:
            bends = shortcut.bends
            if n_kept < shortcut.weight.shape[2]:
                bends = of_features(bends, torch.from_numpy(features))
            n_pieces = len(bends.start)
            parts.append(bends.columns(sample.X))
        n_slopes = n_kept + n_missing
        X = side_by_side(chain(*parts), n_slopes + n_pieces * n_kept)
        size = unit_inside(X if issparse(X) else X.numpy(), sample.group.numpy())
        size[n_kept:n_slopes] *= _MISSING_SIZE * np.isin(of_missing, features)
        size[n_slopes:] *= _BEND_SIZE
        self._used = np.flatnonzero(size)
        self._size = size
        self._splits = n_kept, n_missing, n_pieces * n_kept
        feature = np.concatenate([features, of_missing, np.tile(features, n_pieces)])
        self.feature = feature[self._used]
        self.n_slopes = int(np.searchsorted(self._used, n_slopes))
        self.X = resized(X, self._used, size[self._used])
        self.signs = None
        if hasattr(shortcut, "weight_signs"):
            signs = shortcut.weight_signs.cpu().numpy()[feature]
            signs[n_kept:n_slopes] = 0.0
            self.signs = signs[self._used]
        self._group, self._spreads = sample.group, {}

    def preconditioner(self, n_used, penalty):
        """Return the coordinates to search the weights of the first columns in.

        None where there are signs to keep, or too many columns.
        """
        if self.signs is not None:
            return None
        if n_used not in self._spreads:
            self._spreads[n_used] = spread_inside(self.X[:, :n_used], self._group)
        spread = self._spreads[n_used]
        return None if spread is None else Preconditioner(spread, penalty)

    def left_out_curves(self, weights, fold):
        """Return what each feature adds to an item's score, by who left it out.

        Parameters
        ----------
        weights : tensor of shape (n_members, n_columns)
        fold : tensor of shape (n_items,), int64
            Number of the member.

        Returns
        -------
        curves : tensor or CSR matrix of shape (n_items, n_kept), float32
        """
        if issparse(self.X):
            return self._sparse_curves(weights.numpy(), fold.numpy())
        curves = torch.zeros(len(self.X), len(self._features))
        place = torch.from_numpy(np.searchsorted(self._features, self.feature))
        for member in fold.unique():
            rows = fold == member
            worth = self.X[rows] * weights[member].to(self.X)
            curves[rows] = curves[rows].index_add_(1, place, worth)
        return curves

    def _sparse_curves(self, weights, fold):
        n_columns, n_kept = len(self.feature), len(self._features)
        place = np.searchsorted(self._features, self.feature)
        X = self.X.copy()
        row = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
        X.data *= weights[fold[row], X.indices].astype(X.dtype)
        ones = np.ones(n_columns, dtype=X.dtype)
        shape = n_columns, n_kept
        return X @ csr_array((ones, (np.arange(n_columns), place)), shape=shape)

    @torch.no_grad()
    def put(self, shortcut, weights):
        """Set the weights of a shortcut by those of the columns."""
        every = torch.zeros(len(weights), len(self._size))
        size = torch.from_numpy(self._size[self._used]).to(weights)
        every[:, self._used] = (weights * size).to(every)
        slopes, of_missing, of_pieces = every.split(self._splits, dim=1)
        n_kept = len(self._features)
        parts = torch.cat([slopes, of_pieces], dim=1).view(len(every), -1, n_kept)
        weight = torch.zeros_like(shortcut.weight)
        weight[:, :, self._features] = parts
        shortcut.weight.copy_(weight)
        if shortcut.missing_weight is not None:
            shortcut.missing_weight.copy_(of_missing)


def fit_members(sample, X, criterion, penalty, signs, n_members, preconditioner=None):
    """Return linear weights of each member, fitted without the groups it leaves out.

    Parameters
    ----------
    sample : ScaledSample
    X : tensor or CSR matrix of shape (n_items, n_columns)
    criterion : nn.Module
    penalty, signs, preconditioner
        See :func:`fit_linear`.
    n_members : int

    Returns
    -------
    weights : tensor of shape (n_members, n_columns)
    """
    ridge = {"penalty": penalty, "signs": signs, "preconditioner": preconditioner}
    common = fit_linear(X, sample.target, criterion, **ridge)
    if not sample.is_left_out:
        return torch.from_numpy(np.tile(common, (n_members, 1))).float()
    weights = []
    for member in range(n_members):
        kept, target = sample.without(member)
        rows = X[kept.numpy()] if issparse(X) else X[kept]
        weights.append(fit_linear(rows, target, criterion, start=common, **ridge))
    return torch.from_numpy(np.stack(weights)).float()
