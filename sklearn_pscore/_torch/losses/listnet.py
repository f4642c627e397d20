"""ListNet's loss, with all of its target on the most preferred items of a group."""

import torch

from sklearn_pscore._torch.losses.mean import MeanLoss

# Below all logits, and below all sums of weights.
_LOWEST = torch.finfo(torch.float64).min
_TINY = torch.finfo(torch.float64).tiny


class TopOneLoss(MeanLoss):
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

    def mean_and_sums(self, scores, target):
        """Return the mean over top items, and its sums; see :class:`MeanLoss`."""
        return _MeanOverTop.apply(scores, target.level, target.weight, target.sizes)


class _MeanOverTop(torch.autograd.Function):
    """Sum over members of the mean top-one loss; the gradient is made at once.

    The slope of an item is its softmax share of the group's top weight, less its own
    weight if it is on top, over the top weight of all groups.
    """

    @staticmethod
    def forward(ctx, scores, level, weight, sizes):
        matrix = (scores if scores.dim() == 2 else scores[None]).double()
        sizes = sizes.to(matrix.device)
        # With their number known, a GPU is not waited for.
        group = torch.arange(len(sizes), device=matrix.device).repeat_interleave(
            sizes, output_size=matrix.shape[1]
        )
        # A group of one level has 0 as its highest, which is not above 0.
        highest = level[sizes.cumsum(0) - 1].clamp(min=1)
        top = weight.double() * (level == highest[group])
        logits = matrix + weight.double().log()
        # A group without any weight has logits of minus infinity, and no top weight.
        largest = logits.new_full((len(matrix), len(sizes)), _LOWEST)
        largest.scatter_reduce_(1, group.expand_as(logits), logits, "amax")
        share = (logits - largest.index_select(1, group)).exp_()
        total = torch.zeros_like(largest).index_add_(1, group, share).clamp_(min=_TINY)
        top_of_group = total.new_zeros(len(sizes)).index_add_(0, group, top)
        top_sum = top.sum()
        top_weight = top_sum.clamp(min=_TINY)
        normaliser = (largest + total.log()).masked_fill_(top_of_group == 0, 0.0)
        loss = (normaliser * top_of_group).sum() - (matrix * top).sum()
        share *= (top_of_group / total).index_select(1, group)
        gradient = share.sub_(top).div_(top_weight).to(scores.dtype)
        ctx.save_for_backward(gradient.view(scores.shape))
        sums = torch.stack([loss, top_sum])[:, None]
        ctx.mark_non_differentiable(sums)
        return loss / top_weight, sums

    @staticmethod
    def backward(ctx, grad_loss, _):
        (gradient,) = ctx.saved_tensors
        return gradient * grad_loss, None, None, None
