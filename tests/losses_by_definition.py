"""The losses as their definitions say, group by group and pair by pair.

This is the one reference that the tests of all losses compare with. Scores and
gradients are float64; level, weight and gain are columns sorted by group and level.
"""

import os

import numpy as np
import torch

from sklearn_pscore._torch.packing import PackedTarget

# Where losses are computed, and rankers trained; test_gpu.py runs files of tests with
# another.
DEVICE = os.environ.get("SKLEARN_PSCORE_TEST_DEVICE", "cpu")
_ROWS_AT_A_TIME = 512


def over_all_pairs(scores, level, weight, sizes, pair_factor=None, ties="ignore"):
    """Return loss, gradient and weight summed over pairs, and the weight by item.

    `pair_factor(group)`, an (n, n) matrix for the slice of a group, multiplies the
    weight of a pair. With ties="half", each of two tied items wins half of their pair.
    """
    loss, total = 0.0, 0.0
    gradient, of_item = np.zeros(len(scores)), np.zeros(len(scores))
    ends = np.cumsum(sizes)
    for start, end in zip(ends - sizes, ends, strict=True):
        group = slice(start, end)
        factor = None if pair_factor is None else pair_factor(group)
        for top in range(start, end, _ROWS_AT_A_TIME):
            better = slice(top, min(end, top + _ROWS_AT_A_TIME))
            pair = weight[better, None] * weight[group]
            wins = 1.0 * (level[better, None] > level[group])
            if ties == "half":
                wins += 0.5 * (level[better, None] == level[group])
                wins[np.arange(len(wins)), np.arange(len(wins)) + top - start] = 0.0
            pair *= wins
            if factor is not None:
                pair *= factor[better.start - start : better.stop - start]
            minus_margin = scores[group] - scores[better, None]
            loss += (pair * np.logaddexp(0.0, minus_margin)).sum()
            slope = pair * np.exp(-np.logaddexp(0.0, -minus_margin))
            gradient[group] += slope.sum(0)
            gradient[better] -= slope.sum(1)
            of_item[group] += pair.sum(0)
            of_item[better] += pair.sum(1)
            total += pair.sum()
    return loss, gradient, total, of_item


def ranknet(scores, level, weight, sizes, gain=None, ties="ignore"):
    """Return mean and gradient of log(1 + exp(-margin)) over the pairs."""
    loss, gradient, total, _ = over_all_pairs(scores, level, weight, sizes, ties=ties)
    return loss / total, gradient / total


def lambdarank(scores, level, weight, sizes, gain, k=None):
    """Return mean and gradient of RankNet, pairs weighted by |change of NDCG@k|."""

    def change_of_ndcg(group):
        n = len(scores[group])
        rank = np.empty(n)
        rank[np.argsort(-scores[group])] = np.arange(1, n + 1)
        discount = _discount(rank, k)
        ideal = np.sort(gain[group])[::-1] @ _discount(np.arange(1, n + 1), k)
        if ideal == 0:
            return np.zeros((n, n))
        swap = (gain[group, None] - gain[group]) * (discount[:, None] - discount)
        return np.abs(swap) / ideal

    parts = over_all_pairs(scores, level, weight, sizes, change_of_ndcg)
    return parts[0] / parts[2], parts[1] / parts[2]


def top_one(scores, level, weight, sizes, gain=None):
    """Return mean and gradient of minus the log-share of the most preferred items."""
    loss, total, gradient = 0.0, 0.0, np.zeros(len(scores))
    ends = np.cumsum(sizes)
    for start, end in zip(ends - sizes, ends, strict=True):
        group = slice(start, end)
        top = weight[group] * (level[group] == level[group].max())
        if level[group].max() == 0:
            continue
        odds = weight[group] * np.exp(scores[group])
        loss += (top * (np.log(odds.sum()) - scores[group])).sum()
        gradient[group] = top.sum() * odds / odds.sum() - top
        total += top.sum()
    return loss / total, gradient / total


def packed(level, weight, sizes, gain=None):
    """Return columns as the target that the losses take."""
    gain = np.zeros(len(level)) if gain is None else gain
    return PackedTarget(*(torch.as_tensor(x) for x in (level, weight, sizes, gain)))


def random_case(sizes, seed=0, n_levels=4, dtype=torch.float64):
    """Return random scores and a target with weights and exponential gains."""
    rng = np.random.default_rng(seed)
    level = [
        np.unique(np.sort(rng.integers(0, n_levels, size)), return_inverse=True)[1]
        for size in sizes
    ]
    level = torch.tensor(np.concatenate(level))
    weight = torch.tensor(rng.uniform(0.1, 2.0, len(level))).to(dtype)
    target = packed(level, weight, sizes, (2.0**level - 1).to(dtype))
    return torch.tensor(rng.normal(0, 2, len(level))).to(dtype), target


def value_and_gradient(loss, scores, target):
    """Return the value of a loss of tensors, and its gradient by autograd.

    Computed on `DEVICE`, or on that of the scores if these are on another.
    """
    scores = torch.as_tensor(scores).clone()
    if scores.device.type == "cpu" and DEVICE != "cpu":
        value, gradient = value_and_gradient(loss, scores.to(DEVICE), target.to(DEVICE))
        return value, gradient.cpu()
    scores.requires_grad_()
    value = loss(scores, target)
    value.backward()
    return value.item(), scores.grad


def on_device(*columns):
    """Return tensors on `DEVICE`; the last one, sizes of groups, stays on the CPU."""
    return *(column.to(DEVICE) for column in columns[:-1]), columns[-1]


def _discount(rank, k):
    return np.where(rank <= (k or np.inf), 1 / np.log2(1 + rank), 0.0)
