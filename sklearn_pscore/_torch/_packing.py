"""Items packed by group, and the batches of whole groups made from them."""

import warnings
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset


class PackedTarget(NamedTuple):
    """What a loss needs to know of items that are sorted by group and level.

    Attributes
    ----------
    level : tensor of shape (n_items,), int64
        Rank 0, 1, ... of the preference among those of the item's group.
    weight : tensor of shape (n_items,), float32
    sizes : tensor of shape (n_groups,), int64, on the CPU
        Number of items of each group.
    gain : tensor of shape (n_items,), float32
        What NDCG gives for the item at rank 1.
    fold : tensor of shape (n_items,), int64, or None, default=None
        The member of the ensemble that does not learn from the item's group, -1
        if all do. None is -1 for all.
    """

    level: torch.Tensor
    weight: torch.Tensor
    sizes: torch.Tensor
    gain: torch.Tensor
    fold: torch.Tensor | None = None

    def to(self, device):
        """Return the target with everything but the sizes on a device."""
        moved = [
            values if values is None or name == "sizes" else values.to(device)
            for name, values in zip(self._fields, self, strict=True)
        ]
        return PackedTarget(*moved)


class PackedGroups(Dataset):
    """Training items sorted by group, and by preference inside it.

    The metrics are not copied: a batch picks its rows out of the items' table.

    Parameters
    ----------
    items : TrainingItems
        Comparable items.
    gain : callable
        ``gain(group, preference)`` of items in this order, what NDCG gives.
    n_folds : int, default=0
        Folds of groups to draw, one for each member to leave out; 0 is none.
    """

    def __init__(self, items, gain, n_folds=0):
        order = np.lexsort((items.preference, items.group))
        group, preference = items.group[order], items.preference[order]
        starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
        self.table = _as_tensor(items.table)
        self.row = torch.from_numpy(items.row[order])
        self.level = torch.from_numpy(_levels(starts, group, preference))
        self.weight = torch.from_numpy(items.weight[order].astype(np.float32))
        self.gain = torch.from_numpy(gain(group, preference).astype(np.float32))
        self.sizes = torch.from_numpy(np.diff(np.r_[starts, len(group)]))
        self.starts = torch.from_numpy(starts)
        self.judged = torch.from_numpy(items.judged[order])
        self.fold = None
        if n_folds:
            of_group = torch.randperm(len(self.sizes)) % n_folds
            self.fold = torch.repeat_interleave(of_group, self.sizes)

    def __len__(self):
        return len(self.row)

    def batch(self, groups):
        """Return (X, target) of some groups."""
        place, sizes = self._places(groups)
        return self._pick(place, self.level[place], sizes)

    def piece(self, place):
        """Return (X, target) of some items of one group, in ascending order."""
        level = torch.unique_consecutive(self.level[place], return_inverse=True)[1]
        return self._pick(place, level, torch.tensor([len(place)]))

    def sample(self, max_rows):
        """Return (X, target, judged) of groups drawn until there are enough rows."""
        order = torch.randperm(len(self.sizes))
        if len(self) <= max_rows:
            order = torch.arange(len(self.sizes))
        n_groups = int((torch.cumsum(self.sizes[order], 0) <= max_rows).sum())
        if n_groups == 0:
            start, size = int(self.starts[order[0]]), int(self.sizes[order[0]])
            place = start + torch.randperm(size)[:max_rows].sort().values
            return *self.piece(place), self.judged[place]
        place = self._places(order[:n_groups].sort().values)[0]
        return *self.batch(order[:n_groups].sort().values), self.judged[place]

    def _places(self, groups):
        """Return where the items of some groups are, and the groups' sizes."""
        sizes = self.sizes[groups]
        offsets = torch.cumsum(sizes, 0) - sizes
        place = torch.arange(int(sizes.sum())) + torch.repeat_interleave(
            self.starts[groups] - offsets, sizes
        )
        return place, sizes

    def _pick(self, place, level, sizes):
        X = self.table.index_select(0, self.row[place])
        fold = None if self.fold is None else self.fold[place]
        return X, PackedTarget(level, self.weight[place], sizes, self.gain[place], fold)


class GroupBatches:
    """Batches of whole groups with at most `batch_size` rows.

    A group larger than `batch_size` is a batch of its own, so that every pair
    of a group is seen. One larger than `max_rows` too is split at random, anew
    in every pass; the pairs between its pieces are then not seen in that pass.

    Parameters
    ----------
    packed : PackedGroups
    batch_size, max_rows : int
        Rows.
    shuffle : bool
        Whether the groups come in a new random order in every pass.
    """

    def __init__(self, packed, batch_size, max_rows, shuffle):
        self.packed = packed
        self.batch_size = batch_size
        self.max_rows = max(batch_size, max_rows)
        self.shuffle = shuffle

    def __iter__(self):
        n_groups = len(self.packed.sizes)
        if self.shuffle and len(self.packed) > self.batch_size:
            order = torch.randperm(n_groups)
        else:
            order = torch.arange(n_groups)
        for groups in self._cut(order):
            if len(groups) == 1 and self.packed.sizes[groups] > self.max_rows:
                yield from self._pieces(groups)
            else:
                yield self.packed.batch(groups)

    def __len__(self):
        """Return the number of batches, pieces of split groups not counted apart."""
        return len(self._cut(torch.arange(len(self.packed.sizes))))

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

    def _pieces(self, group):
        size, start = int(self.packed.sizes[group]), int(self.packed.starts[group])
        n_pieces = -(-size // self.max_rows)
        mixed = torch.randperm(size) if self.shuffle else torch.arange(size)
        for own in range(n_pieces):
            piece = self.packed.piece(start + mixed[own::n_pieces].sort().values)
            # By chance a piece may have a single level, and nothing to compare.
            if piece[1].level[-1] > 0:
                yield piece


def _as_tensor(table):
    with warnings.catch_warnings():
        # torch warns of arrays that it could not write to, such as memory maps.
        warnings.filterwarnings("ignore", message=".*not writable")
        return torch.from_numpy(np.ascontiguousarray(table))


def _levels(starts, group, preference):
    """Return ranks 0, 1, ... of distinct preferences in each group, both sorted."""
    changes = np.r_[False, preference[1:] != preference[:-1]]
    changes[starts] = False
    steps = np.cumsum(changes)
    sizes = np.diff(np.r_[starts, len(group)])
    return steps - np.repeat(steps[starts], sizes)
