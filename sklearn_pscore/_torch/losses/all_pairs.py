"""The loss of small groups through all of their pairs."""

from functools import lru_cache

import torch
from torch.nn.functional import softplus

from sklearn_pscore._torch.losses.padding import chunks

# Up to this width, margins are a product with a matrix that lists each pair once:
# (n_groups, width) x (width, n_pairs). Wider, its flops cost more than going through each
# pair twice. No benchmark varies it.
_WIDEST_LISTED = 32
# Items of the strips of a wider one, and how many strips: of four, 3 / 8 of the pairs are
# not looked at, but narrow strips cost more calls. No benchmark varies it.
_LEAST_HEIGHT, _MOST_STRIPS = 20, 4
# softplus(x) is x from here on, to 1e-13.
_LINEAR_FROM = 30.0


def sums_of_rows(
    rows, scores, level, weight, with_gradient=True, ties="ignore", contender=None
):
    """Return loss, pair weight and slopes of the groups of one padded matrix.

    Parameters
    ----------
    rows : Rows
    scores : tensor of shape (n_members, n_items)
    level, weight : tensors of shape (n_items,)
    with_gradient : bool, default=True
    ties : {"ignore", "half"}, default="ignore"
        As in :class:`ranknet.PairwiseLogisticLoss`.
    contender : tensor of shape (n_items,) or None, default=None
        As in :class:`PackedTarget`.

    Returns
    -------
    loss, pair_weight : tensors of shape (), float64
    slopes : tensor of shape (n_members, n_groups, width), or None
    """
    level = rows.of(level.to(scores.dtype))
    scores, weight = rows.of(scores), rows.weights(weight)
    contender = None if contender is None else rows.of(contender)
    n_members, n_groups, width = scores.shape
    over_pairs, height = _listed_pairs, width
    if width > _WIDEST_LISTED:
        over_pairs = _squared_pairs
        height = _height_of_strips(width, scores.device)
    parts = chunks(n_members, n_groups, width, height, device=scores.device)
    if len(parts) == 1:
        return over_pairs(scores, level, weight, with_gradient, ties, contender)
    loss = pair_weight = 0.0
    slopes = torch.empty_like(scores) if with_gradient else None
    for members, groups in parts:
        part = over_pairs(
            scores[members, groups],
            level[groups],
            weight[groups],
            with_gradient,
            ties,
            None if contender is None else contender[groups],
        )
        loss += part[0]
        if members.start == 0:
            pair_weight += part[1]
        if with_gradient:
            slopes[members, groups] = part[2]
    return loss, pair_weight, slopes


def _listed_pairs(scores, level, weight, with_gradient, ties, contender):
    """Return loss, pair weight and slopes of rows, each pair (i, j), i > j, once.

    With S the scores of a row and A the matrix of -1 and 1 that takes S_j - S_i, the
    loss is w' softplus(S A), and its slope (w * sigmoid(S A)) A'. A tie with half a
    win for each costs softplus(u) - u / 2, with a slope of sigmoid(u) - 1 / 2.
    """
    better, worse, difference = _pairs_of_row(
        scores.shape[-1], scores.dtype, scores.device
    )
    # Rows are sorted by level: the later one is the better one, or they are tied.
    pair = level.index_select(1, better).sub_(level.index_select(1, worse))
    # Levels are whole numbers, so this is 1 where they differ; it is faster than >.
    pair.clamp_(0.0, 1.0)
    half_win = None if ties == "ignore" else (1.0 - pair).div_(2.0)
    of_pair = weight.index_select(1, better).mul_(weight.index_select(1, worse))
    if half_win is not None and contender is not None:
        of_pair *= contender.index_select(1, better) != contender.index_select(1, worse)
    pair = pair.mul_(of_pair) if half_win is None else of_pair
    minus_margin = scores @ difference
    cost = softplus(minus_margin, 1.0, _LINEAR_FROM)
    if half_win is not None:
        cost -= half_win * minus_margin
    loss = cost.mul_(pair).sum(dtype=torch.float64)
    slopes = None
    if with_gradient:
        slope = minus_margin.sigmoid_()
        if half_win is not None:
            slope -= half_win
        slopes = slope.mul_(pair) @ difference.T
    return loss, pair.sum(dtype=torch.float64), slopes


def _squared_pairs(scores, level, weight, with_gradient, ties, contender):
    """Return loss, pair weight and slopes of rows, through width x width pairs.

    Rows are sorted by level, so that no item is better than a later one, or tied with
    it the other way round: strips of items are compared with those up to their last.
    """
    width = scores.shape[-1]
    height = _height_of_strips(width, scores.device)
    loss = pair_weight = 0.0
    slopes = torch.zeros_like(scores) if with_gradient else None
    for first in range(0, width, height):
        last = min(first + height, width)
        better, worse = slice(first, last), slice(0, last)
        pair = level[:, better, None] - level[:, None, worse]
        minus_margin = scores[..., None, worse] - scores[..., better, None]
        half_win = None
        if ties == "ignore":
            pair.clamp_(0.0, 1.0)
        else:
            # A tie counts once, with half a win; so does no item with itself.
            half_win = pair.eq(0.0).to(pair.dtype).div_(2.0)
            pair = torch.ones_like(pair).tril_(first - 1)
            if contender is not None:
                pair *= contender[:, better, None] != contender[:, None, worse]
        pair.mul_(weight[:, better, None]).mul_(weight[:, None, worse])
        cost = softplus(minus_margin, 1.0, _LINEAR_FROM)
        if half_win is not None:
            cost -= half_win * minus_margin
        loss += _sum(cost.mul_(pair))
        pair_weight += _sum(pair)
        if with_gradient:
            slope = minus_margin.sigmoid_()
            if half_win is not None:
                slope -= half_win
            slope.mul_(pair)
            slopes[..., worse] += slope.sum(-2)
            slopes[..., better] -= slope.sum(-1)
    return loss, pair_weight, slopes


def _height_of_strips(width, device):
    if device.type != "cpu":
        # To start an operation takes longer there than all of its pairs.
        return width
    return max(_LEAST_HEIGHT, -(-width // _MOST_STRIPS))


def _sum(values):
    """Return the float64 sum; short rows are summed in the type of the values."""
    return values.sum(-1).sum(dtype=torch.float64)


@lru_cache(maxsize=128)
def _pairs_of_row(width, dtype, device):
    """Return both columns of each pair, and the matrix that takes worse - better."""
    better, worse = torch.tril_indices(width, width, offset=-1, device=device)
    difference = torch.zeros(width, len(better), dtype=dtype, device=device)
    pair = torch.arange(len(better), device=device)
    difference[better, pair] = -1.0
    difference[worse, pair] = 1.0
    return better, worse, difference
