"""Which features count: how strong each curve is on groups that were left out.

A curve is what a shortcut adds for the values of one feature. It is multiplied by a
strength, zero for a feature that people do not follow. This is the non-negative
garrote (Breiman, "Better subset regression using the nonnegative garrote", 1995) on
scores that members give to the groups they left out. What a price of a strength is
best is found there, too. Features that count only together have no curve: a screen of
all pairs finds them, as in FAST (Lou et al., "Accurate intelligible models with
pairwise interactions", 2013), here with products in place of cuts.
"""

import math
from functools import partial

import numpy as np
import torch
from scipy.sparse import issparse

from sklearn_pscore._torch.linear import fit_linear, scores_of
from sklearn_pscore._torch.losses.listnet import TopOneLoss
from sklearn_pscore._torch.preconditioning import Preconditioner, variance_inside
from sklearn_pscore._torch.thin import ThinRows

# How strengths may be found: the ridge strength that pulls them to 1, times the number of
# items in effect, and the price of a strength of 1, times the number of items. By
# benchmarks/agreement/variants.py.
_WAYS = ((10.0, 0.0), (1.0, 3.0), (1.0, 10.0))
# Ridge strength, as above, that pulls the weights of the ways to the first one alone. No
# benchmark varies it.
_PULL = 10.0
# The first way, which keeps all features, has no weight below this share of all. No
# benchmark varies it.
_LEAST_SHARE = 0.35
# Strengths below count as none: the search ends near zero, not always at it.
_LEAST_STRENGTH = 1e-6
# More features are not screened for pairs, which takes the square of their number.
_MOST_SCREENED = 1000


def strengths(curves, sample, criterion, share=None):
    r"""Return the strength of each curve that is best on left-out groups.

    Each way finds strengths u >= 0 that minimise, with c_f the curve of a feature,

    .. math:: loss(\sum_f u_f c_f) + pull / (2 e n) \sum_f (u_f - 1)^2
              + price / n \sum_f u_f

    for n items, where e is less than 1 if few groups have most of the weight; see
    :func:`effective_share`.

    To compare the ways, the strengths for the groups that one member left out come
    from the groups of the other members. The strengths are the sum over ways, weighed
    by how well they do so.

    Parameters
    ----------
    curves : tensor or CSR matrix of shape (n_items, n_features), float32
        Of each item, by the member that left it out.
    sample : ScaledSample
        Its `is_left_out` is True.
    criterion : nn.Module
        A convex loss.
    share : ndarray of shape (n_ways,) or None, default=None
        Weights of the ways. None finds them, which takes a fit more for each member and
        way.

    Returns
    -------
    strengths : ndarray of shape (n_features,)
        Not negative.
    share : ndarray of shape (n_ways,)
    """
    fold, target = sample.target.fold, sample.judged_target
    n_items = curves.shape[0]
    n_effective = n_items * effective_share(target, criterion)
    variance = variance_inside(curves, sample.group)
    found, scores = [], torch.zeros(n_items, len(_WAYS))
    for number, (pull, price) in enumerate(_WAYS):
        find = partial(
            _strengths,
            criterion=criterion,
            pull=pull / n_effective,
            price=price / n_items,
            preconditioner=Preconditioner(variance, pull / n_effective),
        )
        found.append(find(curves, target))
        if share is not None:
            continue
        for member in fold.unique():
            own = fold == member
            of_own, of_others = (
                curves[rows.numpy()] if issparse(curves) else curves[rows]
                for rows in (own, ~own)
            )
            by_others = find(of_others, target.take(~own), start=found[-1])
            scores[own, number] = scores_of(of_own, by_others)
    if share is None:
        share = _share_of_ways(scores, target, criterion)
    total = share @ np.stack(found)
    return np.where(total > _LEAST_STRENGTH, total, 0.0), share


def _share_of_ways(scores, target, criterion):
    """Return the weights of the ways, by their scores of what was left out."""
    share = fit_linear(
        scores,
        target,
        criterion,
        penalty=_PULL / len(scores),
        center=np.eye(len(_WAYS))[0],
        signs=np.ones(len(_WAYS)),
    )
    whole = share.sum()
    if share[0] < _LEAST_SHARE * whole and len(_WAYS) > 1:
        share[0] = 0.0
        share *= whole / share.sum()
    return share


def _strengths(curves, target, criterion, pull, price, preconditioner, start=None):
    """Return the strengths by one way, for the mean loss of some items."""
    ones = np.ones(curves.shape[1])
    return fit_linear(
        curves,
        target,
        criterion,
        penalty=pull,
        center=ones,
        signs=ones,
        start=ones if start is None else start,
        price=price,
        preconditioner=preconditioner,
    )


def effective_share(target, criterion):
    """Return how many groups of equal weight would tell as much, as a share of all.

    With w the weights of the groups in the loss it is (sum w)^2 / (n_groups sum w^2)
    (Kish, "Survey Sampling", 1965), 1 where all weigh the same: what one large group
    with most of the pairs says is one opinion.
    """
    weight = _weights_of_groups(target, criterion)
    counted = weight[weight > 0]
    if not len(counted):
        return 1.0
    return float(counted.mean().square() / counted.square().mean())


def _weights_of_groups(target, criterion):
    sizes = target.sizes
    group = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
    zeros = torch.zeros(len(sizes), dtype=torch.float64)
    if target.votes is not None:
        counts = target.votes
        n_votes = counts.wins + counts.losses + counts.ties
        return zeros.index_add(0, group[counts.first], n_votes.double())
    if isinstance(criterion, TopOneLoss):
        # Of a group, its most preferred items are what counts.
        highest = zeros.long().scatter_reduce(0, group, target.level, "amax")
        is_top = target.level == highest[group]
        return zeros.index_add(0, group, target.weight.double() * is_top)
    weight = target.weight_in_pairs.double()
    total = zeros.index_add(0, group, weight)
    return total.square() - zeros.index_add(0, group, weight.square())


def interacting(scores, sample, criterion):
    r"""Return which features are of a pair whose product still lowers the loss.

    With g the slope of the loss at the scores, and z the features of a group less
    their mean, the slope along the product of two features is the sum over groups of
    :math:`\sum_i g_i z_{ij} z_{ik}`. A pair counts where that is larger than its
    standard error over groups by a factor that is expected of the largest among as
    many pairs without meaning.

    Parameters
    ----------
    scores : tensor of shape (n_items,)
        Of each item, by the member that left it out.
    sample : ScaledSample
    criterion : nn.Module
        A convex loss.

    Returns
    -------
    counts : ndarray of shape (n_features,), bool
    """
    n_features = sample.X.shape[1]
    if not 1 < n_features <= _MOST_SCREENED:
        # One feature is of no pair; more than that are not told apart.
        return np.full(n_features, n_features > 1)
    X = sample.X.to_dense() if isinstance(sample.X, ThinRows) else sample.X
    scores = scores.detach().clone().requires_grad_()
    criterion(scores[None], sample.judged_target).backward()
    slope = scores.grad[:, None]
    total = torch.zeros(n_features, n_features)
    squares = torch.zeros_like(total)
    sizes = sample.target.sizes.tolist()
    for Z, g in zip(X.split(sizes), slope.split(sizes), strict=True):
        Z = Z - Z.mean(dim=0)
        product = (Z * g).T @ Z
        total += product
        squares += product.square_()
    n_pairs = n_features * (n_features - 1) / 2
    is_pair = total.abs() > squares.sqrt() * math.sqrt(2 * math.log(max(n_pairs, 2)))
    is_pair.fill_diagonal_(False)
    return is_pair.any(dim=0).numpy()
