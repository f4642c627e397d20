"""Losses over packed groups that look at the order of a whole group."""

import torch
from torch import nn
from torch.nn.functional import softplus

from sklearn_pscore._torch.losses.padding import chunks, rows_by_size

# Elements of the tile that goes through the pairs of a group, for some of its
# better items at a time.
_LARGEST_TILE = 2**20
_LINEAR_FROM = 30.0


class LambdaRankLoss(nn.Module):
    """Pairwise logistic loss, a pair weighted by what its swap does to NDCG.

    The mean over pairs of :math:`\\log(1 + e^{-m})` with weight

    .. math:: w_i w_j |\\Delta_{ij}|, \\quad \\Delta_{ij} = \\frac{
              (g_i - g_j) (d_i - d_j)}{\\mathrm{IDCG@k}}

    where g is the gain and d the discount 1 / log2(1 + rank), 0 beyond rank k, at
    the current scores. That is, losses are divided by the sum of the weights
    of all pairs in the batch: the scale is that of
    :class:`PairwiseLogisticLoss`, and pairs keep the ratios of the method. Ranks
    and so the weights count as constants in the gradient.

    Items with equal scores are ranked as if they stood in the wrong order, the
    less preferred first, so that equal scores are told apart too; equal items of
    one level share their mean rank. A group without any gain costs nothing.

    Parameters
    ----------
    k : int or None, default=None
        Ranks that count; None counts all.

    References
    ----------
    .. [1] C. J. C. Burges, "From RankNet to LambdaRank to LambdaMART: An
       Overview", Microsoft Research MSR-TR-2010-82, 2010.
    """

    def __init__(self, k=None):
        super().__init__()
        self.k = k

    def forward(self, scores, target):
        """Return the mean loss of a batch of whole groups, summed over members.

        Parameters
        ----------
        scores : tensor of shape (n_members, n_items) or (n_items,)
        target : PackedTarget

        Returns
        -------
        loss : tensor of shape (), float64
            0 if no pair has any weight.
        """
        return _MeanOverSwaps.apply(scores, target, self.k)


class TopOneLoss(nn.Module):
    """ListNet's cross-entropy, all of its target on the most preferred items.

    .. math:: \\frac{\\sum_g \\sum_{i \\in top(g)} w_i
              \\left(\\log \\sum_{j \\in g} w_j e^{s_j} - s_i\\right)}{
              \\sum_g \\sum_{i \\in top(g)} w_i}

    With one winner in each group and weights 1 this is minus the mean
    log-likelihood of the conditional (multinomial) logit model. An item of
    weight n counts as n rows would. A group with equal preferences throughout
    costs nothing.

    References
    ----------
    .. [1] Z. Cao, T. Qin, T.-Y. Liu, M.-F. Tsai and H. Li, "Learning to rank: from
       pairwise approach to listwise approach", ICML 2007.
    .. [2] D. McFadden, "Conditional logit analysis of qualitative choice
       behavior", Frontiers in Econometrics, 1974.
    """

    def forward(self, scores, target):
        """Return the mean loss of a batch of whole groups, summed over members.

        Parameters
        ----------
        scores : tensor of shape (n_members, n_items) or (n_items,)
        target : PackedTarget
            `level`, `weight` and `sizes` are used.

        Returns
        -------
        loss : tensor of shape (), float64
            0 if no top item has any weight.
        """
        return _MeanOverTop.apply(scores, target.level, target.weight, target.sizes)


class _MeanOverSwaps(torch.autograd.Function):
    """Sum over members of LambdaRank's mean; the gradient is made at once."""

    @staticmethod
    def forward(ctx, scores, target, k):
        matrix = scores if scores.dim() == 2 else scores[None]
        losses = matrix.new_zeros(len(matrix), dtype=torch.float64)
        weights = torch.zeros_like(losses)
        gradient = torch.empty_like(matrix)
        sizes = target.sizes.cpu()
        # Every group is a row of some matrix: no group is too large for tiles.
        matrices, _ = rows_by_size(sizes, int(sizes.max()), matrix.device)
        for rows in matrices:
            lists = _Lists(rows, target, k, matrix.dtype)
            s = rows.of(matrix)
            slopes = torch.empty_like(s)
            for members, groups in chunks(*s.shape):
                found = lists.over_pairs(s[members, groups], groups)
                losses[members] += found[0]
                weights[members] += found[1]
                slopes[members, groups] = found[2]
            rows.put(gradient, slopes)
        weights.clamp_(min=torch.finfo(weights.dtype).tiny)
        gradient /= weights[:, None].to(gradient.dtype)
        ctx.save_for_backward(gradient.view(scores.shape))
        return (losses / weights).sum()

    @staticmethod
    def backward(ctx, grad_loss):
        (gradient,) = ctx.saved_tensors
        return gradient * grad_loss, None, None


def _discount(rank, k):
    discount = 1 / torch.log2(1 + rank)
    return discount if k is None else discount * (rank <= k)


class _Lists:
    """What LambdaRank needs of some groups of like size, whatever the scores."""

    def __init__(self, rows, target, k, dtype):
        self.k = k
        self.level = rows.of(target.level)
        self.weight = rows.weights(target.weight).to(dtype)
        self.is_item = None if rows.is_item is None else rows.is_item.to(dtype)
        gain = rows.weights(target.gain).to(dtype)
        # Items are sorted by level: in the ideal order the last one has rank 1.
        place = torch.arange(gain.shape[1], device=gain.device)
        length = gain.shape[1]
        if rows.is_item is not None:
            length = rows.is_item.sum(1, keepdim=True)
        ideal = _discount((length - place).clamp(min=1).to(dtype), k)
        ideal = (gain * ideal).sum(1, keepdim=True)
        self.gain = gain / torch.where(ideal > 0, ideal, torch.inf)

    def over_pairs(self, scores, groups):
        """Return losses, weights and slopes of some groups for some members."""
        level, weight, gain = self.level[groups], self.weight[groups], self.gain[groups]
        n_members, n_groups, width = scores.shape
        height = max(1, _LARGEST_TILE // (n_members * n_groups * width))
        tiles = [slice(top, top + height) for top in range(0, width, height)]
        rank = torch.empty_like(scores)
        for own in tiles:
            ahead = self._ahead(scores, level, own)
            if self.is_item is not None:
                ahead *= self.is_item[groups].unsqueeze(-2)
            # An item is tied with itself, which counts one half.
            rank[..., own] = ahead.sum(-1) + 0.5
        discount = _discount(rank, self.k)
        slopes = torch.zeros_like(scores)
        losses = pair_weights = 0.0
        for own in tiles:
            pair = weight[:, own].unsqueeze(-1) * weight.unsqueeze(-2)
            pair *= (gain[:, own].unsqueeze(-1) - gain.unsqueeze(-2)).abs_()
            pair *= level[:, own].unsqueeze(-1) > level.unsqueeze(-2)
            swap = discount[..., own].unsqueeze(-1) - discount.unsqueeze(-2)
            swap.abs_().mul_(pair)
            minus_margin = scores.unsqueeze(-2) - scores[..., own].unsqueeze(-1)
            cost = softplus(minus_margin, 1.0, _LINEAR_FROM).mul_(swap)
            losses += cost.sum(-1).sum((1, 2), dtype=torch.float64)
            pair_weights += swap.sum(-1).sum((1, 2), dtype=torch.float64)
            slope = minus_margin.sigmoid_().mul_(swap)
            slopes[..., own] -= slope.sum(-1)
            slopes += slope.sum(-2)
        return losses, pair_weights, slopes

    @staticmethod
    def _ahead(scores, level, own):
        """Return 1 where an item is ahead of one of `own`, one half if tied."""
        # Equal scores: the less preferred one first.
        tied = torch.sign(level[:, own].unsqueeze(-1) - level.unsqueeze(-2))
        tied = ((1 + tied) / 2).to(scores.dtype)
        lead = scores.unsqueeze(-2) - scores[..., own].unsqueeze(-1)
        return torch.heaviside(lead, tied)


class _MeanOverTop(torch.autograd.Function):
    """Sum over members of the mean top-one loss; the gradient is made at once."""

    @staticmethod
    def forward(ctx, scores, level, weight, sizes):
        matrix = (scores if scores.dim() == 2 else scores[None]).double()
        groups = _Segments(sizes.cpu(), matrix.device)
        # A group of one level has 0 as its highest, which is not above 0.
        highest = groups.spread(groups.last(level).clamp(min=1))
        top = weight.double() * (level == highest)
        logits = matrix + weight.double().log()
        # A group without any weight has no top weight either; its logits of minus
        # infinity must not make it NaN.
        least = torch.finfo(torch.float64).min
        largest = groups.amax(logits).clamp_(min=least)
        share = (logits - groups.spread(largest)).exp_()
        total = groups.sum(share).clamp_(min=torch.finfo(torch.float64).tiny)
        top_of_group = groups.sum(top)
        top_weight = top.sum().clamp(min=torch.finfo(torch.float64).tiny)
        normaliser = (largest + total.log()).masked_fill_(top_of_group == 0, 0.0)
        loss = (normaliser * top_of_group).sum() - (matrix * top).sum()
        share *= groups.spread(top_of_group / total)
        gradient = share.sub_(top).div_(top_weight).to(scores.dtype)
        ctx.save_for_backward(gradient.view(scores.shape))
        return loss / top_weight

    @staticmethod
    def backward(ctx, grad_loss):
        (gradient,) = ctx.saved_tensors
        return gradient * grad_loss, None, None, None


class _Segments:
    """Sums and the like over groups, whose items are the last axis of values."""

    def __init__(self, sizes, device):
        self.n_groups = len(sizes)
        self.is_even = bool((sizes == sizes[0]).all())
        self.last_items = (torch.cumsum(sizes, 0) - 1).to(device)
        if not self.is_even:
            number = torch.arange(len(sizes), device=device)
            self.group = torch.repeat_interleave(number, sizes.to(device))

    def last(self, values):
        """Return the last value of each group."""
        return values.index_select(-1, self.last_items)

    def sum(self, values):
        """Return the sum over each group."""
        if self.is_even:
            return self._rows(values).sum(-1)
        sums = values.new_zeros(*values.shape[:-1], self.n_groups)
        return sums.index_add_(-1, self.group, values)

    def amax(self, values):
        """Return the largest value of each group."""
        if self.is_even:
            return self._rows(values).amax(-1)
        largest = values.new_full((*values.shape[:-1], self.n_groups), -torch.inf)
        return largest.scatter_reduce_(-1, self.group.expand_as(values), values, "amax")

    def spread(self, values):
        """Return the value of its group for each item."""
        if not self.is_even:
            return values.index_select(-1, self.group)
        width = (int(self.last_items[0]) + 1,)
        return values.unsqueeze(-1).expand(*values.shape, *width).flatten(-2)

    def _rows(self, values):
        return values.view(*values.shape[:-1], self.n_groups, -1)
