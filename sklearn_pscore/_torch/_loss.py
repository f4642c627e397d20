"""The pairwise logistic (RankNet) loss over all pairs of packed groups."""

import torch
from torch import nn

from sklearn_pscore._torch import _expansion

# Groups up to this size share padded cubes of pairs; for a larger one the sum
# over pairs is expanded, or tiled where its scores are too far apart for that.
_LARGEST_PADDED_GROUP = 256
_TILE_ROWS = 256
# Elements of one cube: 2**22 float32 are 16 MB.
_LARGEST_CUBE = 2**22


class PairwiseLogisticLoss(nn.Module):
    """Mean binary cross-entropy of all pairs of a group with different preference.

    For a pair with margin :math:`m = s_{better} - s_{worse}` the loss is
    :math:`\\log(1 + e^{-m})`, Eqs. 1 and 2 of the paper. A pair weighs the
    product of the weights of its items.
    """

    def forward(self, scores, target):
        """Return the mean loss of a batch of whole groups.

        Parameters
        ----------
        scores : tensor of shape (n_items,)
        target : tuple (level, weight, sizes)
            Rank of the preference among those of the item's group, weight of
            each item, and the number of items of each group. Items are sorted
            by group, and by level inside a group.

        Returns
        -------
        loss : tensor of shape ()
        """
        loss, pair_weight = _SumOverPairs.apply(scores, *target)
        return loss / pair_weight


class _SumOverPairs(torch.autograd.Function):
    """Loss summed over pairs; the gradient is made in the same pass."""

    @staticmethod
    def forward(ctx, scores, level, weight, sizes):
        gradient = torch.zeros_like(scores)
        loss = scores.new_zeros((), dtype=torch.float64)
        pair_weight = scores.new_zeros((), dtype=torch.float64)
        sizes = sizes.cpu()
        for better, worse in _padded_cubes(sizes, scores.device):
            part = _dense(scores, level, weight, better, worse, gradient)
            loss += part[0]
            pair_weight += part[1]
        for start, end in _large_groups(sizes):
            part = _large(
                scores[start:end],
                level[start:end],
                weight[start:end],
                gradient[start:end],
            )
            loss += part[0]
            pair_weight += part[1]
        ctx.save_for_backward(gradient)
        ctx.mark_non_differentiable(pair_weight)
        return loss, pair_weight

    @staticmethod
    def backward(ctx, grad_loss, _grad_pair_weight):
        (gradient,) = ctx.saved_tensors
        return grad_loss.to(gradient.dtype) * gradient, None, None, None


def _large(scores, level, weight, gradient):
    """Add one large group's gradient; return its loss and pair weight."""
    if _expansion.pays(float(scores.max() - scores.min()), len(scores)):
        loss, own, pair_weight = _expansion.sum_over_pairs(
            scores.double(), weight.double(), torch.bincount(level)
        )
        gradient += own.to(gradient.dtype)
        return loss, pair_weight
    loss = pair_weight = 0.0
    for top in range(0, len(scores), _TILE_ROWS):
        end = min(len(scores), top + _TILE_ROWS)
        # Sorted by level: what is worse than these rows stands before their end.
        part = _dense(
            scores,
            level,
            weight,
            torch.arange(top, end, device=scores.device),
            torch.arange(end, device=scores.device),
            gradient,
        )
        loss += part[0]
        pair_weight += part[1]
    return loss, pair_weight


def _dense(scores, level, weight, better, worse, gradient):
    """Add the gradient of all pairs of two index tensors; return loss and weight.

    Indices one past the last item are padding.
    """
    minus_margin = _take(scores, worse)[..., None, :] - _take(scores, better)[..., None]
    pair = (
        _take(level, better)[..., None] > _take(level, worse)[..., None, :]
    ) * _take(weight, better)[..., None]
    pair = pair * _take(weight, worse)[..., None, :]
    # softplus in two fast steps; the library's own is many times slower.
    cost = minus_margin.clamp(min=0) + torch.log1p(torch.exp(-minus_margin.abs()))
    slope = pair * torch.sigmoid(minus_margin)
    _add(gradient, better, -slope.sum(dim=-1))
    _add(gradient, worse, slope.sum(dim=-2))
    loss = (pair * cost).sum(dim=-1).sum(dtype=torch.float64)
    return loss, pair.sum(dim=-1).sum(dtype=torch.float64)


def _padded_cubes(sizes, device):
    """Yield index tensors (better, worse) of small groups, padded to one size."""
    starts = torch.cumsum(sizes, 0) - sizes
    n_items = int(sizes.sum())
    # Padding to the next power of two at most quadruples the work of a group.
    exponents = torch.ceil(torch.log2(sizes.clamp(min=2).double())).long()
    for exponent in torch.unique(exponents).tolist():
        if 2**exponent > _LARGEST_PADDED_GROUP:
            continue
        own = exponents == exponent
        place = torch.arange(int(sizes[own].max()))
        index = starts[own][:, None] + place
        index[place >= sizes[own][:, None]] = n_items
        for chunk in index.split(max(1, _LARGEST_CUBE // len(place) ** 2)):
            chunk = chunk.to(device)
            yield chunk, chunk


def _large_groups(sizes):
    """Return (start, end) of the groups that are not padded."""
    ends = torch.cumsum(sizes, 0)
    large = sizes > _LARGEST_PADDED_GROUP
    return zip((ends - sizes)[large].tolist(), ends[large].tolist(), strict=True)


def _take(values, index):
    return torch.cat([values, values.new_zeros(1)])[index]


def _add(gradient, index, values):
    kept = index < len(gradient)
    gradient.index_add_(0, index[kept], values[kept])
