"""LambdaRank: the pairwise loss, a pair weighted by what its swap does to NDCG."""

import torch
from torch.nn.functional import softplus

from sklearn_pscore._torch.losses.mean import MeanLoss
from sklearn_pscore._torch.losses.padding import chunks, rows_by_size

# Pairs of a large group that are in memory at a time. Not measured by a benchmark.
_PAIRS_OF_TILE = 2**20
# Groups of more than so many times k items go by the items up to rank k. The others
# go through all pairs, in fewer operations. Not measured by a benchmark.
_WIDE_IN_K = 8
# softplus(x) is x from here on, to 1e-13.
_LINEAR_FROM = 30.0


class LambdaRankLoss(MeanLoss):
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

    A swap of two items beyond rank k changes nothing. So large groups take the items
    up to rank k with all others: n k pairs, not n^2 / 2.

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

    def mean_and_sums(self, scores, target):
        """Return the mean over pairs, and the sums of each member.

        A pair weighs by what swapping it changes, which depends on the member's scores;
        see :class:`MeanLoss`.
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
            over_pairs, height = lists.over_pairs, None
            if not takes_all_pairs(s.shape[2], k):
                over_pairs, height = lists.over_head, k
            for members, groups in chunks(*s.shape, height, device=s.device):
                part = over_pairs(s[members, groups], groups)
                losses[members] += part[0]
                weights[members] += part[1]
                slopes[members, groups] = part[2]
            rows.put(gradient, slopes)
        sums = torch.stack([losses, weights])
        # No pair may weigh anything, or no more than the scores' type can hold: then
        # there is no loss and no gradient.
        divisor = weights.to(gradient.dtype)
        divisor.masked_fill_(divisor == 0, torch.inf)
        weights.masked_fill_(divisor.isinf(), torch.inf)
        gradient /= divisor[:, None]
        ctx.save_for_backward(gradient.view(scores.shape))
        ctx.mark_non_differentiable(sums)
        return (losses / weights).sum(), sums

    @staticmethod
    def backward(ctx, grad_loss, _):
        (gradient,) = ctx.saved_tensors
        return gradient * grad_loss, None, None


def takes_all_pairs(width, k):
    """Return whether a group of `width` items goes through all of its pairs."""
    return k is None or width <= _WIDE_IN_K * k


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

    def over_head(self, scores, groups):
        """Return what :meth:`over_pairs` does, from the items up to rank k with all."""
        level, weight, gain = self.level[groups], self.weight[groups], self.gain[groups]
        head, discount_of_head = self._head(scores, level, groups)
        discount = torch.zeros_like(scores).scatter_(-1, head, discount_of_head)
        # A pair inside the head comes from either side.
        share = torch.ones_like(scores).scatter_(-1, head, 0.5).mul_(weight)
        level = level.to(scores.dtype)
        n_members, n_groups, width = scores.shape
        height = max(1, _PAIRS_OF_TILE // (n_members * n_groups * width))
        slopes = torch.zeros_like(scores)
        losses = pair_weights = 0.0
        for items in head.split(height, dim=-1):

            def of_items(values, items=items):
                values = values.expand(n_members, -1, -1)
                return values.gather(-1, items).unsqueeze(-1)

            # 1 where the item of the head is preferred, -1 where the other one is.
            sign = torch.sign(of_items(level) - level.unsqueeze(-2))
            swap = (of_items(discount) - discount.unsqueeze(-2)).abs_()
            swap *= (of_items(gain) - gain.unsqueeze(-2)).abs_()
            swap *= sign.abs().mul_(of_items(weight)).mul_(share.unsqueeze(-2))
            minus_margin = (scores.unsqueeze(-2) - of_items(scores)).mul_(sign)
            cost = softplus(minus_margin, 1.0, _LINEAR_FROM).mul_(swap)
            losses += cost.sum(-1).sum((1, 2), dtype=torch.float64)
            pair_weights += swap.sum(-1).sum((1, 2), dtype=torch.float64)
            slope = minus_margin.sigmoid_().mul_(swap).mul_(sign)
            slopes.scatter_add_(-1, items, -slope.sum(-1))
            slopes += slope.sum(-2)
        return losses, pair_weights, slopes

    def _head(self, scores, level, groups):
        """Return the items up to rank k and their discounts, (members, groups, n).

        Items that tie at rank k share it, so the first 2 k - 1 may be up to there. A
        tie that goes on beyond 2 k items is cut there, and its mean rank is above k
        either way.
        """
        if self.is_item is not None:
            # Padding comes last.
            scores = scores.masked_fill(self.is_item[groups] == 0, -torch.inf)
        # Items come by level: equal scores stay so, the less preferred one first.
        scores, order = scores.sort(dim=-1, descending=True, stable=True)
        scores, order = scores[..., : 2 * self.k], order[..., : 2 * self.k]
        level = level.expand(len(scores), -1, -1).gather(-1, order)
        is_new = (scores.diff(dim=-1) != 0) | (level.diff(dim=-1) != 0)
        end = torch.ones_like(is_new[..., :1])
        place = torch.arange(order.shape[-1], device=scores.device).expand_as(order)
        first = torch.where(torch.cat([end, is_new], -1), place, 0)
        last = torch.where(torch.cat([is_new, end], -1), place, place[..., -1:])
        first = first.cummax(-1).values
        last = last.flip(-1).cummin(-1).values.flip(-1)
        rank = (first + last) / 2 + 1
        n_of_head = max(1, int((rank <= self.k).sum(-1).max()))
        discount = _discount(rank.to(scores.dtype), self.k)
        return order[..., :n_of_head], discount[..., :n_of_head]

    @staticmethod
    def _ahead(scores, level, tile):
        """Return 1 where an item is ahead of one of `tile`, one half if tied."""
        # Equal scores: the less preferred one first.
        tied = torch.sign(level[:, tile].unsqueeze(-1) - level.unsqueeze(-2))
        tied = ((1 + tied) / 2).to(scores.dtype)
        lead = scores.unsqueeze(-2) - scores[..., tile].unsqueeze(-1)
        return torch.heaviside(lead, tied)
