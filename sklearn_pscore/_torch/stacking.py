"""Weighing the parts of a score by what members leave out.

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

from sklearn_pscore._torch.linear import fit_linear
from sklearn_pscore._torch.losses.lambdarank import LambdaRankLoss
from sklearn_pscore._torch.losses.ranknet import PairwiseLogisticLoss
from sklearn_pscore._torch.losses.terms import fit_terms

# Ridge strength, as penalty times the number of items, that pulls the weights of the
# parts towards equal ones. No benchmark varies it.
_PULL = 10.0
# Times that scores, and the terms of the loss beside them, are fitted in turns. No
# benchmark varies it.
N_ROUNDS = 2


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

    @property
    def judged_target(self):
        """The target, in which synthetic items, that nobody judged, have no weight."""
        return self.target._replace(weight=self.target.weight * self.judged)

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
        return fit_linear(
            torch.stack(scores, dim=1),
            self.judged_target,
            criterion,
            penalty=_PULL / len(self.X),
            center=center,
            signs=np.ones(len(parts)),
        )


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
    if network.inputs is not None:
        net.show_all_inputs()
    parts = _parts(network, sample)
    criterion = convex_criterion(net)
    weights = sample.weigh(parts, criterion, np.ones(len(parts)))
    if network.terms is not None:
        for _ in range(N_ROUNDS):
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
    target = sample.judged_target
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
