"""The start and the end of training: fitting the shortcut, and weighing the parts.

Every member leaves out a fold of the groups, so each group has a member that
has not seen it. The scores that members give to the groups they left out tell
how much a part of the score is worth on new groups: its weight is the one with
the smallest loss there, zero for a part that only remembers. This is stacking
(Wolpert, "Stacked generalization", 1992) with weights that are not negative
(Breiman, "Stacked regressions", 1996).
"""

import math

import numpy as np
import torch
from scipy.sparse import issparse

from sklearn_pscore._rows import rows_at_a_time
from sklearn_pscore._torch.inputs import unit_inside
from sklearn_pscore._torch.linear import fit_linear, resized, scores_of, side_by_side
from sklearn_pscore._torch.losses.lambdarank import LambdaRankLoss
from sklearn_pscore._torch.losses.ranknet import PairwiseLogisticLoss
from sklearn_pscore._torch.losses.terms import fit_terms

# Shortcuts to weigh against each other: whether with bends, and the ridge
# strength as penalty times the number of items. Chosen in benchmarks/agreement/variants.py.
_CANDIDATES = ((False, 3.0), (True, 30.0), (True, 100.0), (True, 1000.0))
# Bends are scaled down by this against the features, so that the ridge prefers
# one slope to several bends. No benchmark varies it.
_BEND_SIZE = 0.7
# What a missing value is worth is scaled down by this against the features, since most
# often it is nothing. By benchmarks/agreement/missing.py, in which 1 lost up to .007 of
# the accuracy of medians alone where 72 metrics lack values, and 0.4 is the only other
# size that was tried.
_MISSING_SIZE = 0.4
# Ridge strength, as in `_CANDIDATES`, that pulls the weights of the parts towards
# equal ones. No benchmark varies it.
_PULL = 10.0
# Items that the shortcut is computed for at a time, fewer of many features. No
# benchmark varies it.
_ROWS_AT_A_TIME = 2**13
# Times that scores, and the terms of the loss beside them, are fitted in turns. No
# benchmark varies it.
_N_ROUNDS = 2


class ScaledSample:
    """Scaled items of whole groups, to fit the shortcut and weigh the parts on.

    Parameters
    ----------
    X : tensor or ThinRows of shape (n_items, n_features), float32
        Scaled features.
    target : PackedTarget
        Its `fold` is None where no member leaves out any group.
    judged : tensor of shape (n_items,), bool
        False for synthetic items.
    missing : tensor of shape (n_items, n_missing_features), or None, default=None
        See :meth:`ScoreNetwork.missing`.
    share : float, default=1.0
        Share of all groups that are in the sample.
    """

    def __init__(self, X, target, judged, missing=None, share=1.0):
        self.X = X
        self.share = share
        self.missing = missing
        self.target = target
        self.judged = judged
        self.group = torch.repeat_interleave(
            torch.arange(len(target.sizes)), target.sizes
        )

    @property
    def is_left_out(self):
        """Whether members left out all items, and each has pairs to learn from."""
        fold, votes = self.target.fold, self.target.votes
        if fold is None:
            return False
        if votes is not None:
            return len(fold[votes.first].unique()) > 1
        # An item above the lowest level is one of a pair. Were all of these left
        # out by one member, it would have none.
        return len(fold[self.target.level > 0].unique()) > 1

    def without(self, member):
        """Return the mask and the target of the items that a member learns from."""
        kept = self.target.fold != member
        return kept, self.target.take(kept)

    def left_out(self, scores):
        """Return the score of each item by the member that left it out.

        The mean over members where none left out any.

        Parameters
        ----------
        scores : tensor of shape (n_members, n_items)
        """
        if not self.is_left_out:
            return scores.mean(dim=0)
        return scores.gather(0, self.target.fold[None])[0]

    def weigh(self, parts, criterion, center):
        """Return the weights of the parts that are best on left-out groups.

        With z the scores of left-out items, these weights v >= 0 minimise

        .. math:: loss(\\sum_p v_p z_p) + PULL / (2 n) \\sum_p (v_p - center_p)^2.

        Parameters
        ----------
        parts : list of tensors of shape (n_members, n_items)
            Scores that are to be summed with weights.
        criterion : nn.Module
        center : ndarray of shape (n_parts,)
            Weights where nothing speaks against them.
        """
        if not self.is_left_out:
            return center
        # The score of an item is that of the member that left it out.
        scores = [self.left_out(part) for part in parts]
        # People did not judge synthetic items.
        target = self.target._replace(weight=self.target.weight * self.judged)
        return fit_linear(
            torch.stack(scores, dim=1),
            target,
            criterion,
            penalty=_PULL / len(self.X),
            center=center,
            signs=np.ones(len(parts)),
        )


def freeze_fitted_shortcut(net, sample, *packed):
    """Fit the shortcut of a net on a sample, freeze it, and cache its scores.

    Parameters
    ----------
    net : GroupNet
    sample : ScaledSample
    *packed : PackedGroups or None
        The sets to train and validate on; given `shortcut_scores`.
    """
    network = net.module_
    if network.shortcut is None:
        return
    network.cpu()
    criterion = convex_criterion(net)
    if network.position_terms is not None:
        criterion.start(sample)
    fit_shortcut(network.shortcut, sample, criterion)
    if network.terms is not None:
        # By the terms that these scores have, the shortcut is another.
        for _ in range(_N_ROUNDS):
            scores = network.shortcut(sample.X, sample.missing)[..., 0]
            fit_terms(criterion, sample.left_out(scores), sample.target)
            fit_shortcut(network.shortcut, sample, criterion)
    network.to(net.device)
    network.shortcut.requires_grad_(False)
    for groups in packed:
        if groups is not None:
            groups.shortcut_scores = shortcut_scores(network, groups, net.device)


def shortcut_scores(network, packed, device, most_at_a_time=_ROWS_AT_A_TIME):
    """Return the shortcut's scores of packed items, shape (n_items, n_members)."""
    scores = torch.empty(len(packed), network.n_members)
    n_at_a_time = most_at_a_time
    if not packed.is_thin:
        n_at_a_time = rows_at_a_time(packed.table.shape[1], most_at_a_time)
    with torch.no_grad():
        for first in range(0, len(packed), n_at_a_time):
            items = np.arange(first, min(first + n_at_a_time, len(packed)))
            X = packed.features(items).to(device)
            scaled = network.scaling(X, dtype=network.output.weight.dtype)
            known = network.shortcut(scaled, network.missing(X))
            scores[first : items[-1] + 1] = known[..., 0].T
    return scores


def fit_shortcut(shortcut, sample, criterion):
    """Set the weights of a shortcut, for every member.

    Each candidate of `_CANDIDATES` is a ridge fit; the shortcut is their sum,
    weighed by :meth:`ScaledSample.weigh`, or their mean if nothing is left out.

    Parameters
    ----------
    shortcut : Shortcut
    sample : ScaledSample
    criterion : nn.Module
        A convex loss.
    """
    X = side_by_side(_columns_of(shortcut, sample))
    n_features, n_columns = sample.X.shape[1], X.shape[1]
    n_missing = 0 if shortcut.missing_weight is None else sample.missing.shape[1]
    n_slopes = n_features + n_missing
    size = unit_inside(X if issparse(X) else X.numpy(), sample.group.numpy())
    size[n_features:n_slopes] *= _MISSING_SIZE
    size[n_slopes:] *= _BEND_SIZE
    # A column that does not vary inside groups cannot order them.
    used = np.flatnonzero(size)
    n_slopes = np.searchsorted(used, n_slopes)
    X = resized(X, used, size[used])
    signs = None
    if hasattr(shortcut, "weight_signs"):
        signs = shortcut.weight_signs.numpy()
        bends = np.tile(signs, (n_columns - n_slopes) // n_features)
        signs = np.concatenate([signs, np.zeros(n_missing), bends])[used]
    n_members = len(shortcut.weight)
    candidates = []
    for has_bends, penalty in _CANDIDATES:
        if has_bends and shortcut.bends is None:
            continue
        n_used = X.shape[1] if has_bends else n_slopes
        weights = torch.zeros(n_members, X.shape[1])
        weights[:, :n_used] = fit_members(
            sample,
            X[:, :n_used],
            criterion,
            penalty / X.shape[0],
            None if signs is None else signs[:n_used],
            n_members,
        )
        candidates.append(weights)
    share = sample.weigh(
        [scores_of(X, weights.numpy()) for weights in candidates],
        criterion,
        np.full(len(candidates), 1 / len(candidates)),
    )
    total = sum(s * weights for s, weights in zip(share, candidates, strict=True))
    with torch.no_grad():
        weights = torch.zeros(n_members, n_columns)
        weights[:, used] = total * torch.from_numpy(size[used]).to(total)
        sizes = n_features, n_missing, n_columns - n_features - n_missing
        slopes, of_missing, of_bends = weights.split(sizes, dim=1)
        weight = torch.cat([slopes, of_bends], dim=1)
        shortcut.weight.copy_(weight.view_as(shortcut.weight))
        if shortcut.missing_weight is not None:
            shortcut.missing_weight.copy_(of_missing)


def _columns_of(shortcut, sample):
    """Return the columns of slopes, of missing values, and of each piece."""
    columns = [sample.X]
    if shortcut.missing_weight is not None:
        columns.append(sample.missing)
    if shortcut.bends is not None:
        columns += shortcut.bends.columns(sample.X)
    return columns


def fit_members(sample, X, criterion, penalty, signs, n_members):
    """Return linear weights of each member, fitted without the groups it leaves out.

    Parameters
    ----------
    sample : ScaledSample
    X : tensor or CSR matrix of shape (n_items, n_columns)
    criterion : nn.Module
    penalty, signs
        See :func:`fit_linear`.
    n_members : int

    Returns
    -------
    weights : tensor of shape (n_members, n_columns)
    """
    ridge = {"penalty": penalty, "signs": signs}
    common = fit_linear(X, sample.target, criterion, **ridge)
    if not sample.is_left_out:
        return torch.from_numpy(np.tile(common, (n_members, 1))).float()
    weights = []
    for member in range(n_members):
        kept, target = sample.without(member)
        rows = X[kept.numpy()] if issparse(X) else X[kept]
        weights.append(fit_linear(rows, target, criterion, start=common, **ridge))
    return torch.from_numpy(np.stack(weights)).float()


def weigh_and_center(net, sample):
    """Weigh the parts of a trained net, and let each member's scores average zero.

    Pairs do not tell where zero is, and ``predict`` compares the scores of the
    members: zero is the mean score of the sample, for each member. How far their
    spread is from a standard error is found, too.

    Parameters
    ----------
    net : GroupNet
    sample : ScaledSample
    """
    network = net.module_
    if network.shortcut is not None:
        network.shortcut.requires_grad_(True)
    if network.bounded is not None:
        return
    network.cpu().eval()
    parts = _parts(network, sample)
    criterion = convex_criterion(net)
    weights = sample.weigh(parts, criterion, np.ones(len(parts)))
    if network.terms is not None:
        for _ in range(_N_ROUNDS):
            scores = sum(w * part for w, part in zip(weights, parts, strict=True))
            fit_terms(criterion, sample.left_out(scores), sample.target)
            weights = sample.weigh(parts, criterion, np.ones(len(parts)))
        criterion.note_errors(sample.left_out(scores), sample)
    network.scale_parts(*weights)
    scores = sum(_parts(network, sample))
    with torch.no_grad():
        network.output.bias -= scores.mean(dim=1)[:, None, None]
    net.std_factor = std_factor(scores[: net.n_folds], sample, criterion)
    network.to(net.device)


def std_factor(scores, sample, criterion):
    r"""Return the ratio of the standard error to the standard deviation over members.

    There are two estimates of the variance of the mean score s, of k members:

    - The delete-a-fold jackknife, (k - 1)^2 / k times the variance over members.
      It is too large by the chance in the members' own weights.
    - With g the gradient of the loss at s, and all scores as vectors,

      .. math:: (k - 1) / k \, g \cdot (s_{out} - s_{in}),

      where an item's s_out is that of the member that left it out, and s_in is the
      mean of the others. To the first order it is the variance that comes from the
      data, summed with the curvature of the loss as weight: the loss that is added
      where a fold is left out tells the same as the number of parameters in
      Akaike's criterion (Stone, 1977). It is too large by what a penalty shrinks,
      but a member's own chance is no part of it: that is the same for all folds.

    As both err to one side, the smaller is taken; chance in the weights alone would
    leave 1 / k. ``benchmarks/agreement/uncertainty.py`` compares with fresh data.

    Parameters
    ----------
    scores : tensor of shape (n_members, n_items)
        Scores of the members that left out a fold, empty if none did.
    sample : ScaledSample
        If its groups are of a single fold, the first estimate stands.
    criterion : nn.Module
        A convex loss.
    """
    k = len(scores)
    if k == 0:
        return 1.0
    jackknife = (k - 1) ** 2 / k
    if not sample.is_left_out:
        return math.sqrt(jackknife)
    target = sample.target._replace(weight=sample.target.weight * sample.judged)
    mean = scores.mean(dim=0, keepdim=True)
    gradients, gradient = (_gradient(criterion, at, target) for at in (scores, mean))
    # To the second order, the variance over members weighed by the curvature.
    spread = ((gradients - gradient) * (scores - mean)).sum() / (k - 1)
    out = scores.gather(0, target.fold[None])
    # What k out - sum is to (k - 1) (out - in).
    from_data = (gradient * (k * out - scores.sum(dim=0))).sum() / k
    if not spread > 0:
        return math.sqrt(jackknife)
    return math.sqrt(min(max(float(from_data / spread), 1 / k), jackknife))


def _gradient(criterion, scores, target):
    """Return the gradient of a loss at some scores, in float64."""
    scores = scores.detach().clone().requires_grad_()
    criterion(scores, target).backward()
    return scores.grad.double()


@torch.no_grad()
def _parts(network, sample):
    """Return the scores of the layers and, if there is one, of the shortcut."""
    parts = [network.layer_scores(sample.X)[..., 0]]
    if network.shortcut is not None:
        parts.append(network.shortcut(sample.X, sample.missing)[..., 0])
    return parts


def convex_criterion(net):
    """Return the loss of a net, or the convex one that stands in for it."""
    if isinstance(net.criterion_, LambdaRankLoss):
        return PairwiseLogisticLoss()
    return net.criterion_
