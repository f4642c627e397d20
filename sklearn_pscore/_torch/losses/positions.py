"""What it adds to be shown at a position of a list, learnt beside the scores."""

import numpy as np
import torch
from scipy.sparse import coo_array, issparse
from scipy.sparse.csgraph import connected_components
from torch import nn

from sklearn_pscore._torch.inputs import unit_inside
from sklearn_pscore._torch.linear import resized, side_by_side
from sklearn_pscore._torch.losses.terms import fit_terms

# Ridge strength of the metrics that the positions are fitted beside, as penalty times
# the number of items: that of the shortcut's straight candidate. No benchmark varies it.
_PENALTY = 3.0
# Up to this number, standard errors know of each metric, which takes two gradients. No
# benchmark varies it.
_MOST_METRICS = 100
# Step of a difference quotient of float64 gradients. No benchmark varies it.
_STEP = 1e-3


class PositionTerms(nn.Module):
    """What each position adds to the scores of the items that were shown there.

    Parameters
    ----------
    position : array-like of shape (n_positions,), int
        In ascending order. An item at any other position counts as at the nearest one.
        If that is 0, not known, for all of a group, this changes no pair.
    part : array-like of shape (n_positions,), int
        Positions of one part were compared, through others if not with one another.

    Attributes
    ----------
    bias : tensor of shape (n_positions,)
        Pairs tell it but for a constant in each part.
    bias_std : tensor of shape (n_positions,)
        Standard error of its difference to the first of the part, NaN until a whole fit
        has told it.
    """

    def __init__(self, position, part):
        super().__init__()
        self.register_buffer("position", torch.as_tensor(position, dtype=torch.int64))
        self.register_buffer("part", torch.as_tensor(part, dtype=torch.int64))
        self.bias = nn.Parameter(torch.zeros(len(self.position)))
        self.register_buffer("bias_std", torch.full((len(self.position),), torch.nan))

    @classmethod
    def of(cls, packed):
        """Return the terms of packed items; None if no position is known, or counts."""
        if packed.position is None or not packed.position.any():
            return None
        known = np.flatnonzero(packed.position)
        position, code = np.unique(packed.position[known], return_inverse=True)
        group = np.repeat(np.arange(packed.n_groups), packed.sizes)[known]
        # Groups and positions as one graph: some pair of each group links its positions.
        n_nodes = packed.n_groups + len(position)
        ends = group, packed.n_groups + code
        links = coo_array((np.ones(len(code)), ends), shape=(n_nodes, n_nodes))
        part = connected_components(links, directed=False)[1][packed.n_groups :]
        return cls(position, np.unique(part, return_inverse=True)[1])

    def code(self, position):
        """Return the number of the nearest position, for each of a tensor of them."""
        above = torch.bucketize(position, self.position).clamp_(max=len(self.bias) - 1)
        below = (above - 1).clamp_(min=0)
        is_nearer = position - self.position[below] < self.position[above] - position
        return torch.where(is_nearer, below, above)

    def reported(self):
        """Return positions, biases and standard errors, against the first position.

        NaN for a position that was never compared with it, not even through others.
        """
        bias, std = (
            each.detach().double().cpu() for each in (self.bias, self.bias_std)
        )
        is_apart = (self.part != self.part[0]).cpu()
        bias = (bias - bias[0]).masked_fill(is_apart, torch.nan)
        std = std.masked_fill(is_apart, torch.nan)
        return self.position.cpu().numpy(), bias.numpy(), std.numpy()


class PositionedLoss(nn.Module):
    """A loss of scores to which the terms of the positions are added.

    Parameters
    ----------
    criterion : nn.Module
        Loss of scores and target that no constant in a group changes; convex.
    terms : PositionTerms
        Of the network, which learns them.
    """

    def __init__(self, criterion, terms):
        super().__init__()
        self.criterion = criterion
        self.terms = terms

    def forward(self, scores, target):
        """Return the mean loss of a batch of whole groups, summed over members."""
        of_item = self.terms.bias[self.terms.code(target.position)]
        return self.criterion(scores + of_item.to(scores.dtype), target)

    def free_terms(self):
        """Return the terms that are fitted beside the scores."""
        return [self.terms.bias]

    def start(self, sample):
        """Set the terms to those that are best beside a weighted sum of the metrics.

        Where better items are shown first, a score that is fitted without the terms
        would take their place.

        Parameters
        ----------
        sample : ScaledSample
        """
        X = _metrics_of(sample)
        nothing = torch.zeros(len(sample.group))
        fit_terms(self, nothing, sample.target, X, _PENALTY / X.shape[0])

    def note_errors(self, scores, sample):
        """Take note of the standard errors, with groups or blocks for independent.

        They are sandwich estimates of a fit of the positions together with a weighted sum
        of the metrics, under the shortcut's ridge penalty, or with a multiple of the
        scores where there are too many metrics. NaN if all is one group.

        Parameters
        ----------
        scores : tensor of shape (n_items,)
        sample : ScaledSample
        """
        terms, target = self.terms, sample.target
        if target.unit is None:
            return
        code, n_positions = terms.code(target.position), len(terms.bias)
        first = np.unique(terms.part.numpy(), return_index=True)[1]
        # The first position of each part stays at 0.
        free = np.setdiff1d(np.arange(n_positions), first)
        scores = scores.detach().double()
        metrics = _metrics_of(sample, scores)
        columns = torch.cat(
            [torch.eye(n_positions).double()[code][:, free], metrics], 1
        )
        scores = scores + terms.bias.detach().double()[code]

        def gradient(step):
            at = (scores + step).requires_grad_()
            self.criterion(at, target).backward()
            return at.grad

        changes = [gradient(_STEP * c) - gradient(-_STEP * c) for c in columns.T]
        curvature = columns.T @ torch.stack(changes, dim=1) / (2 * _STEP)
        curvature.diagonal()[len(free) :] += _PENALTY / len(scores)
        of_unit = _sums(gradient(0.0)[:, None] * columns, target.unit)
        n = len(of_unit)
        of_unit -= of_unit.mean(dim=0)
        spread = of_unit.T @ of_unit * (n / (n - 1)) * sample.share
        inverse = torch.linalg.pinv(curvature, hermitian=True)
        variance = (inverse @ spread @ inverse).diagonal().clamp(min=0.0)
        error = torch.zeros(n_positions, dtype=torch.float64)
        error[free] = variance.sqrt()[: len(free)]
        terms.bias_std.copy_(error)


def _metrics_of(sample, scores=None):
    """Return the metrics of a sample, of unit size inside groups.

    With `scores` they are dense and of float64: the scores alone if they are many.
    """
    if scores is not None and sample.X.shape[1] > _MOST_METRICS:
        return scores[:, None]
    X = side_by_side([sample.X], sample.X.shape[1])
    size = unit_inside(X if issparse(X) else X.numpy(), sample.group.numpy())
    used = np.flatnonzero(size)
    X = resized(X, used, size[used])
    if scores is None:
        return X
    return torch.from_numpy(X.toarray()).double() if issparse(X) else X.double()


def _sums(values, code):
    """Return the sums of the rows of one code."""
    known, code = code.unique(return_inverse=True)
    sums = values.new_zeros(len(known), values.shape[1])
    return sums.index_add_(0, code, values)
