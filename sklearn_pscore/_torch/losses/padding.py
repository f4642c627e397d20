"""Groups of similar size as rows of one padded matrix, so that one operation serves all."""

from functools import lru_cache

import numpy as np
import torch

# Pairs that padding may add before groups are split into matrices by size. About as
# many as one more matrix costs in operations; not measured by a benchmark.
_SPARE_PAIRS = 2**13
# Pairs that are computed at a time: 2**17 float64 are 1 MB, the cache of a core.
_PAIRS_AT_A_TIME = 2**17
# Elsewhere it is only for the memory, 32 MB of float32: operations on few values take as
# long as their start. Not measured by a benchmark.
_PAIRS_AT_A_TIME_ON_A_DEVICE = 2**23


class Rows:
    """Groups as the rows of a matrix, padded to the length of the longest one.

    Parameters
    ----------
    shape : tuple (n_groups, width)
    index : tensor of shape (n_groups, width) or None, default=None
        Position of each item; padding repeats the first item of the group. None if
        the rows follow one another without padding.
    is_item : tensor of shape (n_groups, width), bool, or None, default=None
        False where there is padding; None if there is none.
    device : torch.device or None, default=None
        Where to keep them. Which cells hold items is found where they are now, for a
        GPU would be waited for.
    """

    def __init__(self, shape, index=None, is_item=None, device=None):
        self.shape = shape
        if index is not None:
            flat = index.flatten()
            self._cells = (
                torch.arange(len(flat), device=flat.device)
                if is_item is None
                else is_item.flatten().nonzero()[:, 0]
            )
            self._items = flat[self._cells]
            if device is not None:
                # No copy waits for what the device has still to do.
                self._cells, self._items = (
                    each.to(device, non_blocking=True)
                    for each in (self._cells, self._items)
                )
                index = index.to(device, non_blocking=True)
                if is_item is not None:
                    is_item = is_item.to(device, non_blocking=True)
        self.index = index
        self.is_item = is_item

    def of(self, values):
        """Return values of shape (..., n_items) as (..., n_groups, width)."""
        if self.index is None:
            return values.view(*values.shape[:-1], *self.shape)
        rows = values.index_select(-1, self.index.flatten())
        return rows.view(*values.shape[:-1], *self.shape)

    def weights(self, weight):
        """Return weights as rows, 0 where there is padding."""
        rows = self.of(weight)
        return rows if self.is_item is None else rows * self.is_item

    def put(self, target, values):
        """Write rows of values to the items of `target`, (n_members, n_items)."""
        values = values.flatten(1)
        if self.index is None:
            target.copy_(values)
        else:
            target.index_copy_(1, self._items, values.index_select(1, self._cells))


def rows_by_size(sizes, largest, device):
    """Return small groups as rows of a few matrices, and the items of large ones.

    Parameters
    ----------
    sizes : tensor of shape (n_groups,), int64, on the CPU
    largest : int
        Groups of more items are left out.
    device : torch.device

    Returns
    -------
    rows : list of Rows
    large : tuple (items, sizes) or None
        Slice or positions of the items of the larger groups, and their sizes on the
        CPU; None if there is no such group.
    """
    width = int(sizes[0])
    if width <= largest and bool((sizes == width).all()):
        return [Rows((len(sizes), width))], None
    # Cached: a batch of all groups has the same sizes in every epoch.
    return _rows_by_size(sizes.numpy().tobytes(), largest, device)


def chunks(n_members, n_groups, width, height=None, *, device):
    """Return slices (members, groups) of as many pairs as are computed at a time.

    Parameters
    ----------
    n_members, n_groups, width : int
    height : int or None, default=None
        Items of a group that are compared with all of it; None is all.
    device : torch.device
        Where they are computed.
    """
    n_pairs = width * (width if height is None else height)
    most = _PAIRS_AT_A_TIME
    if device.type != "cpu":
        most = _PAIRS_AT_A_TIME_ON_A_DEVICE
    members = max(1, min(n_members, most // n_pairs))
    groups = max(1, most // (members * n_pairs))
    return [
        (slice(first, first + members), slice(top, top + groups))
        for first in range(0, n_members, members)
        for top in range(0, n_groups, groups)
    ]


@lru_cache(maxsize=4)
def _rows_by_size(sizes, largest, device):
    sizes = np.frombuffer(sizes, dtype=np.int64)
    ends = np.cumsum(sizes)
    is_large = sizes > largest
    large = None
    if is_large.any():
        items = np.flatnonzero(np.repeat(is_large, sizes))
        large = torch.from_numpy(items).to(device), torch.from_numpy(sizes[is_large])
        if items[-1] - items[0] == len(items) - 1:
            # A slice of the scores is a view, no copy.
            large = slice(items[0], items[-1] + 1), large[1]
    small = np.flatnonzero(~is_large)
    rows = [
        _padded((ends - sizes)[groups], sizes[groups], device)
        for groups in _by_similar_size(small, sizes)
    ]
    return rows, large


def _by_similar_size(groups, sizes):
    """Split groups where padding all to one width would add too many pairs."""
    if not len(groups):
        return []
    widest = sizes[groups].max()
    spare = len(groups) * widest**2 - (sizes[groups] ** 2).sum()
    if spare <= _SPARE_PAIRS:
        return [groups]
    # Two classes for each doubling of the size: padding at most doubles the pairs.
    size_class = np.ceil(2 * np.log2(sizes[groups]))
    return [groups[size_class == each] for each in np.unique(size_class)]


def _padded(starts, sizes, device):
    """Return the groups that start at `starts` as the rows of one matrix."""
    width = int(sizes.max())
    column = np.arange(width)
    is_item = column < sizes[:, None]
    index = torch.from_numpy(starts[:, None] + column * is_item)
    mask = None if is_item.all() else torch.from_numpy(is_item)
    return Rows((len(sizes), width), index, mask, device)
