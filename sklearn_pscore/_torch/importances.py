"""How much the scores of a net depend on each feature."""

import numpy as np
import torch

from sklearn_pscore._torch.net import mean_scores

# Rows to swap values in: so many in all, over features that count, within these. No
# benchmark varies it.
_SWAPS, _ROWS = 2**16, (64, 1024)


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
    X, target, _ = packed.sample(n_rows)
    X = (X["X"] if isinstance(X, dict) else X).cpu().numpy().copy()
    sizes = target.sizes.numpy()
    start = np.repeat(np.cumsum(sizes) - sizes, sizes)
    size = np.repeat(sizes, sizes)
    # Seeded, so that equal nets have equal importances.
    rng = np.random.RandomState(0)
    scores = mean_scores(net, X, "float64")
    effects = np.zeros(n_features)
    for feature in np.flatnonzero(read):
        place = np.arange(len(X)) - start + rng.randint(1, np.maximum(size, 2))
        own = X[:, feature].copy()
        X[:, feature] = own[start + place % size]
        effects[feature] = np.mean((scores - mean_scores(net, X, "float64")) ** 2) / 2
        X[:, feature] = own
    total = effects.sum()
    return effects / total if total > 0 else effects


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
