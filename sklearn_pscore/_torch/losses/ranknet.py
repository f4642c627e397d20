"""The pairwise logistic (RankNet) loss over all pairs of packed groups.

Small groups go through their pairs, all others through an expansion: ``docs/loss.md``.
"""

import numpy as np
import torch

from sklearn_pscore._segments import level_in_group
from sklearn_pscore._torch.losses.all_pairs import sums_of_rows
from sklearn_pscore._torch.losses.expanded import sums_by_expansion
from sklearn_pscore._torch.losses.mean import MeanLoss
from sklearn_pscore._torch.losses.padding import rows_by_size

# Groups up to this size go through their pairs; larger ones go through an expansion.
# benchmarks/speed/pair_loss.py measures where the two cross.
_LARGEST_DENSE_GROUP = 256
# On another device the expansion waits for values that tell how to go on.
# benchmarks/speed/gpu.py measures both ways.
_LARGEST_DENSE_GROUP_ON_A_DEVICE = 1024


class PairwiseLogisticLoss(MeanLoss):
    """Mean binary cross-entropy of all pairs of a group with different preference.

    For a pair with margin :math:`m = s_{better} - s_{worse}` the loss is
    :math:`\\log(1 + e^{-m})`, Eqs. 1 and 2 of the paper. A pair weighs the
    product of the weights of its items.

    Parameters
    ----------
    ties : {"ignore", "half"}, default="ignore"
        "ignore": items of equal preference make no pair. "half": each has won half
        of their pair, which costs :math:`\\log(2 \\cosh(m / 2))`. Items of one
        contender make no pair.
    """

    def __init__(self, ties="ignore"):
        super().__init__()
        self.ties = ties

    def mean_and_sums(self, scores, target):
        """Return the mean over pairs, and its sums; see :class:`MeanLoss`."""
        return _MeanOverPairs.apply(
            scores,
            target.level,
            target.weight_in_pairs,
            target.sizes.cpu(),
            self.ties,
            target.contender,
        )


class _MeanOverPairs(torch.autograd.Function):
    """Mean loss over pairs; the gradient is computed together with it."""

    @staticmethod
    def forward(ctx, scores, level, weight, sizes, ties, contender):
        loss, gradient, pair_weight = sum_over_pairs(
            scores if scores.dim() == 2 else scores[None],
            level,
            weight,
            sizes,
            with_gradient=ctx.needs_input_grad[0],
            ties=ties,
            contender=contender,
        )
        sums = torch.stack([loss, pair_weight])[:, None]
        # A batch may hold no pair with any weight: no loss, no gradient. Both are then
        # 0 but for the error of the expansion, which no number must blow up.
        pair_weight.masked_fill_(pair_weight == 0, torch.inf)
        if gradient is not None:
            gradient = gradient.div_(pair_weight).view(scores.shape)
        ctx.save_for_backward(gradient)
        ctx.mark_non_differentiable(sums)
        return loss.div_(pair_weight), sums

    @staticmethod
    def backward(ctx, grad_loss, _):
        (gradient,) = ctx.saved_tensors
        # A tensor without dimensions does not promote the gradient's type.
        return gradient * grad_loss, None, None, None, None, None


def pairwise_logistic_loss(scores, preference, group, weight=None):
    """Return loss, gradient and weight of all pairs of groups in any row order.

    Parameters
    ----------
    scores : tensor or array-like of shape (n_items,)
        float32 is summed in float64; integers are taken as float64.
    preference : array-like of shape (n_items,)
        Larger is preferred. Items of one group with equal preference make no pair.
    group : array-like of shape (n_items,)
        Labels of any kind.
    weight : array-like of shape (n_items,), default=None
        A pair weighs the product of the weights of its items. None is 1 for all.

    Returns
    -------
    loss : float
        Sum over pairs of weight times :math:`\\log(1 + e^{-m})` with margin m. Divide
        by `pair_weight` for the mean.
    gradient : tensor of shape (n_items,)
        Of the sum, in the order of the rows and of the type of the scores.
    pair_weight : float
        Sum over pairs of the weights.

    Raises
    ------
    ValueError
        If lengths differ, if there is no item, if scores, preferences or weights are
        not finite, if a weight is negative or all are 0, or if no two items of one
        group differ in preference and have weight.
    """
    if not torch.is_tensor(scores):
        # torch takes no negative strides.
        scores = torch.from_numpy(np.array(scores, order="C"))
    scores = scores.detach()
    if not scores.is_floating_point():
        scores = scores.double()
    columns = {
        "scores": scores.cpu().numpy(),
        "preference": np.asarray(preference, dtype=np.float64),
        "group": np.asarray(group),
    }
    if weight is not None:
        columns["weight"] = np.asarray(weight, dtype=np.float64)
    _check_columns(columns)
    group = np.unique(columns["group"], return_inverse=True)[1]
    order = np.lexsort((columns["preference"], group))
    level = level_in_group(group[order], columns["preference"][order])
    # Divided by a power of two, which rounds nothing, weights and products are of a size
    # that the scores' type can hold.
    unit = 1.0
    if weight is None:
        weights = torch.ones(len(order), dtype=scores.dtype, device=scores.device)
    else:
        unit = 2.0 ** (np.frexp(columns["weight"].max())[1] - 1)
        weights = torch.tensor(columns["weight"][order] / unit, device=scores.device)
    rows = torch.from_numpy(order).to(scores.device)
    loss, slopes, pair_weight = sum_over_pairs(
        scores[rows][None],
        torch.from_numpy(level).to(scores.device),
        weights.to(scores.dtype),
        torch.from_numpy(np.bincount(group)),
    )
    if pair_weight == 0:
        raise ValueError(
            f"No comparable pairs: {len(order)} items in {group.max() + 1} groups, and no "
            "two items of one group that differ in preference and both have weight. Check "
            "the group labels and the preferences."
        )
    gradient = torch.empty_like(slopes[0]).index_copy_(0, rows, slopes[0])
    return (
        float(loss) * unit * unit,
        gradient.mul_(unit).mul_(unit),
        float(pair_weight) * unit * unit,
    )


def _check_columns(columns):
    """Raise ValueError unless the columns fit together and hold finite values."""
    n_items = len(columns["scores"]) if columns["scores"].ndim else 0
    for name, values in columns.items():
        if values.ndim != 1:
            raise ValueError(
                f"{name} has shape {values.shape}; expected one value per item. Pass a "
                "one-dimensional array."
            )
        if len(values) != n_items:
            raise ValueError(
                f"{name} has {len(values)} entries but scores has {n_items}; expected one "
                "per item. Pass columns of one table."
            )
    if n_items == 0:
        raise ValueError(
            "scores and group are empty; expected at least two items of one group. "
            "Leave out batches without items."
        )
    for name in ("scores", "preference", "weight"):
        if name not in columns:
            continue
        wrong = np.flatnonzero(~np.isfinite(columns[name]))
        if len(wrong):
            raise ValueError(
                f"{name} holds {columns[name][wrong[0]]} at row {wrong[0]}; "
                "expected finite numbers. Drop or fill the row."
            )
    if "weight" not in columns:
        return
    wrong = np.flatnonzero(columns["weight"] < 0)
    if len(wrong):
        raise ValueError(
            f"weight holds {columns['weight'][wrong[0]]} at row {wrong[0]}; expected "
            "weights of at least 0. A weight of 0 leaves the item out."
        )
    if not columns["weight"].any():
        raise ValueError(
            f"weight is 0 for all of the {n_items} items; expected some weight above 0. "
            "Leave weight out to weigh all items alike."
        )


def largest_dense_group_on(device):
    """Return the size up to which groups go through their pairs on a device."""
    if device.type == "cpu":
        return _LARGEST_DENSE_GROUP
    return _LARGEST_DENSE_GROUP_ON_A_DEVICE


def sum_over_pairs(
    scores,
    level,
    weight,
    sizes,
    with_gradient=True,
    largest_dense_group=None,
    ties="ignore",
    contender=None,
):
    """Return the loss summed over members and pairs, its gradient, and the weight.

    Parameters
    ----------
    scores : tensor of shape (n_members, n_items)
    level, weight, sizes : tensors
        As in :class:`PackedTarget`.
    with_gradient : bool, default=True
    largest_dense_group : int or None, default=None
        Groups of more items go through the expansion. None is 256 on the CPU, and 1024
        on other devices.
    ties : {"ignore", "half"}, default="ignore"
        As in :class:`PairwiseLogisticLoss`.
    contender : tensor or None, default=None
        As in :class:`PackedTarget`; only used with ties.

    Returns
    -------
    loss : tensor of shape (), float64
    gradient : tensor of shape (n_members, n_items), or None
        Of the type of the scores.
    pair_weight : tensor of shape (), float64
        Sum over the pairs of one member of the product of their items' weights.
    """
    if largest_dense_group is None:
        largest_dense_group = largest_dense_group_on(scores.device)
    small, large = rows_by_size(sizes, largest_dense_group, scores.device)
    if large is None and len(small) == 1 and small[0].index is None:
        loss, pair_weight, slopes = sums_of_rows(
            small[0], scores, level, weight, with_gradient, ties, contender
        )
        if with_gradient:
            slopes = slopes.view_as(scores)
        return loss, slopes, pair_weight
    gradient = torch.empty_like(scores) if with_gradient else None
    loss = scores.new_zeros((), dtype=torch.float64)
    pair_weight = scores.new_zeros((), dtype=torch.float64)
    for rows in small:
        part = sums_of_rows(rows, scores, level, weight, with_gradient, ties, contender)
        loss += part[0]
        pair_weight += part[1]
        if with_gradient:
            rows.put(gradient, part[2])
    if large is not None:
        items, sizes = large
        part = sums_by_expansion(
            scores[:, items],
            level[items],
            weight[items],
            sizes,
            with_gradient,
            ties,
            None if contender is None else contender[items],
        )
        loss += part[0]
        pair_weight += part[2]
        if with_gradient:
            gradient[:, items] = part[1].to(gradient.dtype)
    return loss, gradient, pair_weight
