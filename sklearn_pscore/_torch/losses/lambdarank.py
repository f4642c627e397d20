"""LambdaRank: the pairwise loss, a pair weighted by what its swap does to NDCG."""

import torch
from torch import nn
from torch.nn.functional import softplus

from sklearn_pscore._torch.losses.padding import chunks, rows_by_size

# Pairs of a large group that are in memory at a time. Not measured by a benchmark.
_PAIRS_OF_TILE = 2**20
# softplus(x) is x from here on, to 1e-13.
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


class _MeanOverSwaps(torch.autograd.Function):
    """Sum over members of LambdaRank's mean; the gradient is computed with it."""

    @staticmethod
    def forward(ctx, scores, target, k):
        matrix = scores if scores.dim() == 2 else scores[None]
        losses = matrix.new_zeros(len(matrix), dtype=torch.float64)
        weights = torch.zeros_like(losses)
        gradient = torch.empty_like(matrix)
        sizes = target.sizes.cpu()
        # Every group is a row of some matrix, whatever its size: tiles bound memory.
        matrices, _ = rows_by_size(sizes, int(sizes.max()), matrix.device)
        for rows in matrices:
            lists = _Lists(rows, target, k, matrix.dtype)
            s = rows.of(matrix)
            slopes = torch.empty_like(s)
            for members, groups in chunks(*s.shape):
                part = lists.over_pairs(s[members, groups], groups)
                losses[members] += part[0]
                weights[members] += part[1]
                slopes[members, groups] = part[2]
            rows.put(gradient, slopes)
        # No pair may weigh anything, or no more than the scores' type can hold: then
        # there is no loss and no gradient.
        divisor = weights.to(gradient.dtype)
        divisor.masked_fill_(divisor == 0, torch.inf)
        weights.masked_fill_(divisor.isinf(), torch.inf)
        gradient /= divisor[:, None]
        ctx.save_for_backward(gradient.view(scores.shape))
        return (losses / weights).sum()

    @staticmethod
    def backward(ctx, grad_loss):
        (gradient,) = ctx.saved_tensors
        return gradient * grad_loss, None, None


def _discount(rank, k):
    """Return 1 / log2(1 + rank), 0 beyond rank k."""
    discount = 1 / torch.log2(1 + rank)
    return discount if k is None else discount * (rank <= k)


class _Lists:
    """Level, weight and gain over IDCG@k of the groups of one padded matrix."""

    def __init__(self, rows, target, k, dtype):
        self.k = k
        self.level = rows.of(target.level)
        self.weight = rows.weights(target.weight).to(dtype)
        self.is_item = None if rows.is_item is None else rows.is_item.to(dtype)
        gain = rows.weights(target.gain).to(dtype)
        # Items are sorted by level: in the ideal order the last one has rank 1.
        column = torch.arange(gain.shape[1], device=gain.device)
        length = gain.shape[1]
        if rows.is_item is not None:
            length = rows.is_item.sum(1, keepdim=True)
        ideal = _discount((length - column).clamp(min=1).to(dtype), k)
        ideal = (gain * ideal).sum(1, keepdim=True)
        self.gain = gain / torch.where(ideal > 0, ideal, torch.inf)

    def over_pairs(self, scores, groups):
        """Return losses, weights and slopes of some groups for some members."""
        level, weight, gain = self.level[groups], self.weight[groups], self.gain[groups]
        n_members, n_groups, width = scores.shape
        height = max(1, _PAIRS_OF_TILE // (n_members * n_groups * width))
        tiles = [slice(top, top + height) for top in range(0, width, height)]
        rank = torch.empty_like(scores)
        for tile in tiles:
            ahead = self._ahead(scores, level, tile)
            if self.is_item is not None:
                ahead *= self.is_item[groups].unsqueeze(-2)
            # An item is tied with itself, which counts one half.
            rank[..., tile] = ahead.sum(-1) + 0.5
        discount = _discount(rank, self.k)
        slopes = torch.zeros_like(scores)
        losses = pair_weights = 0.0
        for tile in tiles:
            pair = weight[:, tile].unsqueeze(-1) * weight.unsqueeze(-2)
            pair *= (gain[:, tile].unsqueeze(-1) - gain.unsqueeze(-2)).abs_()
            pair *= level[:, tile].unsqueeze(-1) > level.unsqueeze(-2)
            swap = discount[..., tile].unsqueeze(-1) - discount.unsqueeze(-2)
            swap.abs_().mul_(pair)
            minus_margin = scores.unsqueeze(-2) - scores[..., tile].unsqueeze(-1)
            cost = softplus(minus_margin, 1.0, _LINEAR_FROM).mul_(swap)
            losses += cost.sum(-1).sum((1, 2), dtype=torch.float64)
            pair_weights += swap.sum(-1).sum((1, 2), dtype=torch.float64)
            slope = minus_margin.sigmoid_().mul_(swap)
            slopes[..., tile] -= slope.sum(-1)
            slopes += slope.sum(-2)
        return losses, pair_weights, slopes

    @staticmethod
    def _ahead(scores, level, tile):
        """Return 1 where an item is ahead of one of `tile`, one half if tied."""
        # Equal scores: the less preferred one first.
        tied = torch.sign(level[:, tile].unsqueeze(-1) - level.unsqueeze(-2))
        tied = ((1 + tied) / 2).to(scores.dtype)
        lead = scores.unsqueeze(-2) - scores[..., tile].unsqueeze(-1)
        return torch.heaviside(lead, tied)
