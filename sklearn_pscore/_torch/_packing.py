"""Items packed by group, and the batches of whole groups made from them."""

import numpy as np
import torch
from torch.utils.data import Dataset


class PackedGroups(Dataset):
    """Training items as tensors, sorted by group and by preference inside it.

    Parameters
    ----------
    items : TrainingItems
        Comparable items.
    """

    def __init__(self, items):
        order = np.lexsort((items.preference, items.group))
        sizes = np.unique(items.group, return_counts=True)[1]
        self.X = torch.from_numpy(items.X[order].astype(np.float32))
        self.level = torch.from_numpy(
            _levels(items.group[order], items.preference[order])
        )
        self.weight = torch.from_numpy(items.weight[order].astype(np.float32))
        self.sizes = torch.from_numpy(sizes)
        self.starts = torch.cumsum(self.sizes, 0) - self.sizes

    def __len__(self):
        return len(self.X)

    def batch(self, groups):
        """Return (X, target) of some groups."""
        if len(groups) == len(self.sizes):
            return self.X, (self.level, self.weight, self.sizes)
        sizes = self.sizes[groups]
        offsets = torch.cumsum(sizes, 0) - sizes
        rows = torch.arange(int(sizes.sum())) + torch.repeat_interleave(
            self.starts[groups] - offsets, sizes
        )
        return self.X[rows], (self.level[rows], self.weight[rows], sizes)


class GroupBatches:
    """Batches of whole groups with at most `batch_size` rows.

    A group larger than `batch_size` is a batch of its own, so that every pair
    of a group is seen.

    Parameters
    ----------
    packed : PackedGroups
    batch_size : int
        Rows.
    shuffle : bool
        Whether the groups come in a new random order in every pass.
    """

    def __init__(self, packed, batch_size, shuffle):
        self.packed = packed
        self.batch_size = batch_size
        self.shuffle = shuffle

    def __iter__(self):
        n_groups = len(self.packed.sizes)
        if self.shuffle and len(self.packed) > self.batch_size:
            order = torch.randperm(n_groups)
        else:
            order = torch.arange(n_groups)
        for groups in self._cut(order):
            yield self.packed.batch(groups)

    def _cut(self, order):
        """Cut the order of groups where the next group would not fit any more."""
        if len(self.packed) <= self.batch_size:
            return [order]
        ends = torch.cumsum(self.packed.sizes[order], 0).numpy()
        cuts, n_done = [0], 0
        while cuts[-1] < len(ends):
            fitting = np.searchsorted(ends, n_done + self.batch_size, side="right")
            cuts.append(max(int(fitting), cuts[-1] + 1))
            n_done = ends[cuts[-1] - 1]
        return [order[a:b] for a, b in zip(cuts[:-1], cuts[1:], strict=True)]


def _levels(group, preference):
    """Return ranks 0, 1, ... of distinct preferences in each group, both sorted."""
    new_group = np.r_[True, np.diff(group) != 0]
    steps = np.cumsum(np.r_[True, np.diff(preference) != 0] | new_group)
    return steps - steps[new_group][np.cumsum(new_group) - 1]
