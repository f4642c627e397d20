"""Batches of whole groups: of one process, and of one of several ranks."""

import numpy as np
import torch


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
        order = np.arange(self.packed.n_groups)
        if self.shuffle and len(self.packed) > self.batch_size:
            order = self.packed.shuffled(self.packed.n_groups)
        # Once in a pass, where no batch is to copy anything to a device.
        placed, end = self.packed.placed_pass(order), 0
        for groups in self._cut(order):
            start, end = end, end + int(self.packed.sizes[groups].sum())
            if len(groups) == 1 and self.packed.sizes[groups[0]] > self.max_rows:
                yield from self._pieces(groups[0])
            elif placed is not None:
                yield self.packed.placed_batch(placed, groups, slice(start, end))
            else:
                yield self.packed.batch(groups)

    def __len__(self):
        """Return the number of batches; a group that is split counts as one."""
        return len(self._cut(np.arange(self.packed.n_groups)))

    def _cut(self, order):
        """Return the groups of each batch: a new one where the next does not fit."""
        if len(self.packed) <= self.batch_size:
            return [order]
        ends = np.cumsum(self.packed.sizes[order])
        cuts, n_rows = [0], 0
        while cuts[-1] < len(ends):
            fitting = np.searchsorted(ends, n_rows + self.batch_size, side="right")
            cuts.append(max(int(fitting), cuts[-1] + 1))
            n_rows = ends[cuts[-1] - 1]
        return [order[a:b] for a, b in zip(cuts[:-1], cuts[1:], strict=True)]

    def _pieces(self, group):
        """Yield even random parts of a group, each as a batch."""
        size, start = self.packed.sizes[group], self.packed.starts[group]
        n_pieces = -(-size // self.max_rows)
        order = self.packed.shuffled(size) if self.shuffle else np.arange(size)
        for number in range(n_pieces):
            X, target = self.packed.piece(start + np.sort(order[number::n_pieces]))
            # By chance a piece may have a single level, and nothing to compare.
            if (
                target.votes is not None
                or target.level[-1] > 0
                or self.packed.ties == "half"
            ):
                yield X, target


class RankBatches:
    """A given number of batches of whole groups, some of them perhaps empty.

    Parameters
    ----------
    packed : PackedGroups
    n_batches : int
    max_rows : int
        A batch of more rows has a random part of its largest group alone.
    """

    def __init__(self, packed, n_batches, max_rows):
        self.packed = packed
        self.n_batches = n_batches
        self.max_rows = max_rows

    def __iter__(self):
        packed, n_batches = self.packed, self.n_batches
        order = np.arange(packed.n_groups)
        if n_batches > 1:
            order = packed.shuffled(packed.n_groups)
        placed, end_of_items = packed.placed_pass(order), 0
        sizes = packed.sizes[order]
        middle = np.cumsum(sizes) - sizes / 2
        number = (middle * (n_batches / len(packed))).astype(np.int64)
        ends = np.searchsorted(number, np.arange(n_batches), side="right")
        for start, end in zip([0, *ends[:-1]], ends, strict=True):
            groups = order[start:end]
            items = slice(end_of_items, end_of_items + int(sizes[start:end].sum()))
            end_of_items = items.stop
            if not len(groups):
                yield torch.empty(0, packed.table.shape[1]), None
            elif items.stop - items.start > self.max_rows:
                yield self._part_of_largest(groups)
            elif placed is not None:
                yield packed.placed_batch(placed, groups, items)
            else:
                yield packed.batch(groups)

    def __len__(self):
        return self.n_batches

    def _part_of_largest(self, groups):
        packed = self.packed
        group = groups[np.argmax(packed.sizes[groups])]
        chosen = packed.shuffled(packed.sizes[group])[: self.max_rows]
        return packed.piece(packed.starts[group] + np.sort(chosen))
