"""Where training starts and what is made of it: shortcuts, and how parts are weighed.

Every member leaves out a fold of the groups. So each group has a member that
has not seen it, and what the members say of the groups that they left out
tells what a part of the score is worth on new groups: as much weight as makes
the loss there smallest, none if it only remembers. This is stacking (Wolpert,
"Stacked generalization", 1992) with weights that are not negative (Breiman,
"Stacked regressions", 1996).
"""

import numpy as np
import torch

from sklearn_pscore._torch.inputs import unit_inside
from sklearn_pscore._torch.linear import fit_linear
from sklearn_pscore._torch.packing import PackedTarget

# What shortcuts there are to weigh: whether with bends, and the ridge penalty
# times the number of items. benchmarks/agreement/variants.py shows what others are worth.
_CANDIDATES = ((False, 3.0), (True, 30.0), (True, 100.0), (True, 1000.0))
# The size of a bend's column, so that few large bends cost more than a slope.
_BEND_SIZE = 0.7
# Pulls the weights of parts to the middle, in the units of `_CANDIDATES`.
_PULL = 10.0


class Sample:
    """Scaled items of whole groups that the shortcut is fitted to.

    Parameters
    ----------
    X : tensor of shape (n_items, n_features), float32
        Scaled metrics.
    target : PackedTarget
    fold : tensor of shape (n_items,), int64
        The member that leaves the item out, -1 if none does.
    judged : tensor of shape (n_items,), bool
        False for synthetic items.
    """

    def __init__(self, X, target, fold, judged):
        self.X = X
        self.target = target
        self.fold = fold
        self.group = torch.repeat_interleave(
            torch.arange(len(target.sizes)), target.sizes
        )
        self.judged = judged

    @property
    def is_left_out(self):
        """Tell whether members left out all items, and each has pairs to learn from."""
        # An item above the lowest level is one of a pair. Were all of these left
        # out by one member, it would have none.
        folds = self.fold[self.target.level > 0].unique()
        return bool((self.fold >= 0).all()) and len(folds) > 1

    def without(self, member):
        """Return the mask and the target of what a member learns from."""
        kept = self.fold != member
        sizes = torch.bincount(self.group[kept])
        level, weight, _, gain = (None if v is None else v for v in self.target[:4])
        return kept, PackedTarget(
            level[kept], weight[kept], sizes[sizes > 0], gain[kept]
        )

    def own_scores(self, scores):
        """Pick, of (n_members, n_items), what each item's left-out member says."""
        return scores.gather(0, self.fold[None])[0]

    def weigh(self, parts, criterion, center):
        """Return how much of each part is best on left-out groups.

        Parameters
        ----------
        parts : list of tensors of shape (n_members, n_items)
            Scores that are to be summed with weights.
        criterion : nn.Module
        center : ndarray of shape (n_parts,)
            Weights that hold as long as nothing speaks against them.
        """
        if not self.is_left_out:
            return center
        # People did not judge synthetic items.
        target = self.target._replace(weight=self.target.weight * self.judged)
        return fit_linear(
            torch.stack([self.own_scores(part) for part in parts], dim=1),
            target,
            criterion,
            penalty=_PULL / len(self.X),
            center=center,
            signs=np.ones(len(parts)),
        )


def start_shortcut(shortcut, sample, criterion):
    """Set the weights of a shortcut, for every member.

    Parameters
    ----------
    shortcut : Shortcut
    sample : Sample
    criterion : nn.Module
        A convex loss.
    """
    columns = [sample.X]
    if shortcut.bends is not None:
        columns += list(shortcut.bends.columns(sample.X))
    X = torch.cat(columns, dim=1)
    n_features = sample.X.shape[1]
    size = unit_inside(X.double().numpy(), sample.group.numpy())
    size[n_features:] *= _BEND_SIZE
    # What does not vary inside groups is of no use.
    used = np.flatnonzero(size)
    n_metrics = np.searchsorted(used, n_features)
    X = X[:, used] * torch.from_numpy(size[used]).to(X)
    signs = None
    if hasattr(shortcut, "weight_signs"):
        signs = np.tile(shortcut.weight_signs.numpy(), len(columns))[used]
    n_members = len(shortcut.weight)
    candidates = []
    for has_bends, penalty in _CANDIDATES:
        if has_bends and shortcut.bends is None:
            continue
        n_columns = X.shape[1] if has_bends else n_metrics
        weights = torch.zeros(n_members, X.shape[1])
        weights[:, :n_columns] = _for_members(
            sample,
            X[:, :n_columns],
            criterion,
            penalty / len(X),
            None if signs is None else signs[:n_columns],
            n_members,
        )
        candidates.append(weights)
    share = sample.weigh(
        [weights @ X.T for weights in candidates],
        criterion,
        np.full(len(candidates), 1 / len(candidates)),
    )
    total = sum(s * weights for s, weights in zip(share, candidates, strict=True))
    with torch.no_grad():
        weight = shortcut.weight.view(n_members, -1)
        weight[:, used] = total * torch.from_numpy(size[used]).to(total)


def weigh_parts(network, sample, criterion):
    """Scale the shortcut and the layers of a network by what they are worth."""
    with torch.no_grad():
        parts = [network.of_layers(sample.X)[..., 0]]
        if network.shortcut is not None:
            parts.append(network.shortcut(sample.X)[..., 0])
    share = sample.weigh(parts, criterion, np.ones(len(parts)))
    network.scale_parts(share[-1] if len(parts) > 1 else 1.0, share[0])


def _for_members(sample, X, criterion, penalty, signs, n_members):
    """Return the weights of each member, (n_members, n_columns)."""
    how = {"penalty": penalty, "signs": signs}
    of_all = fit_linear(X, sample.target, criterion, **how)
    if not sample.is_left_out:
        return torch.from_numpy(np.tile(of_all, (n_members, 1))).float()
    weights = []
    for member in range(n_members):
        kept, target = sample.without(member)
        weights.append(fit_linear(X[kept], target, criterion, start=of_all, **how))
    return torch.from_numpy(np.stack(weights)).float()
