"""How much the scores of a net depend on each feature."""

import numpy as np
import torch

from sklearn_pscore._torch.scoring import scoring_copy
from sklearn_pscore._torch.thin import of_features
from sklearn_pscore._torch.threads import one_torch_thread

# Rows to swap values in: so many in all, over features that count, within these: with
# fewer, a feature that is zero in nearly all rows would be so in all. No benchmark varies
# it.
_SWAPS, _ROWS = 2**19, (1024, 4096)


def importances_of(net, packed):
    r"""Return the share of the score's variation that each feature takes part in.

    With s' the score of an item that has the value of one feature from another item
    of its group, drawn at random, it is the mean of :math:`(s - s')^2 / 2` over items:
    the total effect of the feature (Jansen, "Analysis of variance designs for model
    output", 1999) inside groups. The shares are scaled to sum to 1.

    Parameters
    ----------
    net : GroupNet
        Trained.
    packed : PackedGroups
        What it was trained on; a sample is taken.

    Returns
    -------
    importances : ndarray of shape (n_features,), float64, or None
        0 for a feature that counts for nothing, or is constant inside groups; all are
        0 if the scores are constant. None if the table is thin.
    """
    if packed.is_thin:
        return None
    read = _features_read(net.module_)
    n_features = len(read)
    fewest, most = _ROWS
    n_rows = min(max(_SWAPS // max(read.sum(), 1), fewest), most)
    X, target, _, share = packed.sample(n_rows)
    X = X["X"] if isinstance(X, dict) else X
    sizes = target.sizes.numpy()
    # Where a group gave a part, each item is there for several.
    weight = np.repeat(1 / share, sizes)
    start = np.repeat(np.cumsum(sizes) - sizes, sizes)
    size = np.repeat(sizes, sizes)
    # Seeded, so that equal nets have equal importances.
    rng = np.random.RandomState(0)
    effects = np.zeros(n_features)
    with torch.inference_mode(), one_torch_thread():
        swaps = _Swaps(scoring_copy(net.module_, torch.float64), X.to(net.device))
        for feature in np.flatnonzero(read):
            place = np.arange(len(X)) - start + rng.randint(1, np.maximum(size, 2))
            other = torch.from_numpy(start + place % size).to(net.device)
            changes = swaps.changes(feature, other).cpu().numpy()
            effects[feature] = np.average(changes**2, weights=weight) / 2
    total = effects.sum()
    return effects / total if total > 0 else effects


class _Swaps:
    """Scores of items in which one feature is that of another item.

    Only what one feature adds to the first layer is computed anew: the time for all
    features would grow with the square of their number.

    Parameters
    ----------
    network : ScoreNetwork
        In evaluation mode, of float64, its layers shown all features.
    X : tensor of shape (n_items, n_features)
    """

    def __init__(self, network, X):
        self._network = network
        self._scaled = network.scaling(X, dtype=torch.float64)
        self._missing = network.missing(X)
        self._first, self._further = network.first_linear, []
        if self._first is not network.output:
            place = list(network.hidden).index(self._first)
            self._further = [*network.hidden[place + 1 :], network.output]
        self._units = self._first(
            self._scaled.expand(network.n_members, *self._scaled.shape)
        )
        self._shortcut_scores = 0.0
        if network.shortcut is not None:
            self._shortcut_scores = network.shortcut(self._scaled, self._missing)
        self._scores = self._scores_of(self._units.clone(), self._shortcut_scores)

    def changes(self, feature, other):
        """Return by how much the scores change, (n_items,).

        Parameters
        ----------
        feature : int
        other : tensor of shape (n_items,), int64
            Number of the item that each takes the value of.
        """
        own = self._scaled[:, feature]
        step = (own[other] - own)[:, None]
        units = torch.addcmul(self._units, step, self._first.weight[:, [feature]])
        shortcut_scores = self._shortcut_scores
        if self._network.shortcut is not None:
            curve = self._curve(feature)
            shortcut_scores = shortcut_scores + (curve[:, other] - curve)[..., None]
        return self._scores_of(units, shortcut_scores) - self._scores

    def _scores_of(self, units, shortcut_scores):
        """Return the mean scores of units of the first layer, which are changed."""
        for layer in self._further:
            units = layer(units)
        scores = units + shortcut_scores
        if self._network.bounded is not None:
            scores = self._network.bounded(scores)
        return scores.mean(dim=0)[:, 0]

    def _curve(self, feature):
        """Return what a feature adds to the shortcut's scores, (n_members, n_items)."""
        shortcut, values = self._network.shortcut, self._scaled[:, feature]
        columns = [values[None]]
        if shortcut.bends is not None:
            bends = of_features(shortcut.bends, torch.tensor([feature]))
            columns += [column.T for column in bends.columns(values[:, None])]
        curve = shortcut.weight[:, :, feature] @ torch.cat(columns)
        if self._missing is not None:
            place = (shortcut.missing_features == feature).nonzero()[:, 0]
            curve += shortcut.missing_weight[:, place] @ self._missing[:, place].T
        return curve


def _features_read(network):
    """Return which features have a weight that is not zero, (n_features,), bool."""
    with torch.no_grad():
        read = (network.first_linear.weight != 0).any(dim=2).any(dim=0)
        shortcut = network.shortcut
        if shortcut is not None:
            read = read | (shortcut.weight != 0).any(dim=1).any(dim=0)
            if shortcut.missing_weight is not None:
                features = shortcut.missing_features
                read[features] |= (shortcut.missing_weight != 0).any(dim=0)
    return read.cpu().numpy()
