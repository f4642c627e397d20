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

    The metrics are not copied: a batch picks its rows out of the items' table. What
    else there is of an item stays in numpy until it is in a batch: numpy picks few
    values sooner than torch does.

    Parameters
    ----------
    items : TrainingItems
        Comparable items.
    gain : callable
        ``gain(group, preference)`` of items in this order, what NDCG gives.
    n_folds : int, default=0
        Folds of groups to draw, one for each member to leave out; 0 is none.

    Attributes
    ----------
    of_shortcut : tensor of shape (n_items, n_members), or None
        What a shortcut that training leaves as it is gives to each item. Batches
        have it beside the metrics.
    """

    def __init__(self, items, gain, n_folds=0):
        order = np.lexsort((items.preference, items.group))
        group, preference = items.group[order], items.preference[order]
        starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
        self.table = _as_tensor(items.table)
        self.row = items.row[order]
        self.level = _levels(starts, group, preference)
        self.weight = items.weight[order].astype(np.float32)
        self.gain = gain(group, preference).astype(np.float32)
        self.sizes = np.diff(np.r_[starts, len(group)])
        self.starts = starts
        self.judged = items.judged[order]
        self.of_shortcut = None
        self.fold = None
        if n_folds:
            of_group = _shuffled(len(self.sizes)) % n_folds
            self.fold = np.repeat(of_group, self.sizes)

    def __len__(self):
        return len(self.row)

    def batch(self, groups):
        """Return (X, target) of some groups, X as the network takes it."""
        place, sizes = self._places(groups)
        return self._pick(place, self.level[place], sizes)

    def piece(self, place):
        """Return (X, target) of some items of one group, in ascending order."""
        level = np.unique(self.level[place], return_inverse=True)[1]
        return self._pick(place, level, np.array([len(place)]))

    def sample(self, max_rows):
        """Return (X, target, judged) of groups drawn until there are enough rows."""
        order = _shuffled(len(self.sizes))
        if len(self) <= max_rows:
            order = np.arange(len(self.sizes))
        n_groups = np.count_nonzero(np.cumsum(self.sizes[order]) <= max_rows)
        if n_groups == 0:
            start, size = self.starts[order[0]], self.sizes[order[0]]
            place = start + np.sort(_shuffled(size)[:max_rows])
            return *self.piece(place), torch.from_numpy(self.judged[place])
        groups = np.sort(order[:n_groups])
        judged = self.judged[self._places(groups)[0]]
        return *self.batch(groups), torch.from_numpy(judged)

    def _places(self, groups):
        """Return where the items of some groups are, and the groups' sizes."""
        sizes = self.sizes[groups]
        ends = np.cumsum(sizes)
        place = np.arange(ends[-1])
        place += np.repeat(self.starts[groups] - ends + sizes, sizes)
        return place, sizes

    def metrics(self, place):
        """Return the metrics of some items, shape (n_items, n_features)."""
        return self.table.index_select(0, torch.from_numpy(self.row[place]))

    def _pick(self, place, level, sizes):
        X = self.metrics(place)
        if self.of_shortcut is not None:
            rows = torch.from_numpy(place)
            X = {"X": X, "of_shortcut": self.of_shortcut.index_select(0, rows)}
        columns = [level, self.weight[place], sizes, self.gain[place]]
        if self.fold is not None:
            columns.append(self.fold[place])
        return X, PackedTarget(*map(torch.from_numpy, columns))


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
            order = _shuffled(n_groups)
        else:
            order = np.arange(n_groups)
        for groups in self._cut(order):
            if len(groups) == 1 and self.packed.sizes[groups[0]] > self.max_rows:
                yield from self._pieces(groups[0])
            else:
                yield self.packed.batch(groups)

    def __len__(self):
        """Return the number of batches, pieces of split groups not counted apart."""
        return len(self._cut(np.arange(len(self.packed.sizes))))

    def _cut(self, order):
        """Cut the order of groups where the next group would not fit any more."""
        if len(self.packed) <= self.batch_size:
            return [order]
        ends = np.cumsum(self.packed.sizes[order])
        cuts, n_done = [0], 0
        while cuts[-1] < len(ends):
            fitting = np.searchsorted(ends, n_done + self.batch_size, side="right")
            cuts.append(max(int(fitting), cuts[-1] + 1))
            n_done = ends[cuts[-1] - 1]
        return [order[a:b] for a, b in zip(cuts[:-1], cuts[1:], strict=True)]

    def _pieces(self, group):
        size, start = self.packed.sizes[group], self.packed.starts[group]
        n_pieces = -(-size // self.max_rows)
        mixed = _shuffled(size) if self.shuffle else np.arange(size)
        for own in range(n_pieces):
            piece = self.packed.piece(start + np.sort(mixed[own::n_pieces]))
            # By chance a piece may have a single level, and nothing to compare.
            if piece[1].level[-1] > 0:
                yield piece


def _shuffled(n):
    """Return the numbers below `n` in random order, by torch's generator."""
    return torch.randperm(int(n)).numpy()


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
