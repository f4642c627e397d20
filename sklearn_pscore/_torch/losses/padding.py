"""Small groups of like size side by side, so that one operation serves them all."""

from functools import lru_cache

import numpy as np
import torch

# Elements that a batch of cubes may have beyond those it needs, rather than being
# cut by size of group: about as many as one more round of operations costs.
_SPARE_ELEMENTS = 2**13
# Elements of the cubes worked on at a time: 2**17 float64 are 1 MB, which stays in
# the cache of a core.
_LARGEST_CUBE = 2**17


class Rows:
    """Groups as the rows of a matrix, padded to the length of the longest one.

    Parameters
    ----------
    shape : tuple (n_groups, width)
    index : tensor of shape (n_groups, width) or None, default=None
        Items; a padding repeats an item of the group. None if the rows follow
        one another without padding.
    is_item : tensor of shape (n_groups, width), bool, or None, default=None
        False where there is padding; None if there is none.
    """

    def __init__(self, shape, index=None, is_item=None):
        self.shape = shape
        self.index = index
        self.is_item = is_item
        if index is not None:
            flat = index.flatten()
            self._place = (
                torch.arange(len(flat), device=flat.device)
                if is_item is None
                else is_item.flatten().nonzero()[:, 0]
            )
            self._items = flat[self._place]

    def of(self, values):
        """Return values of shape (..., n_items) as (..., n_groups, width)."""
        if self.index is None:
            return values.view(*values.shape[:-1], *self.shape)
        found = values.index_select(-1, self.index.flatten())
        return found.view(*values.shape[:-1], *self.shape)

    def weights(self, weight):
        """Return weights as rows, 0 where there is padding."""
        found = self.of(weight)
        return found if self.is_item is None else found * self.is_item

    def put(self, target, values):
        """Write to `target`, shape (n_members, n_items), what belongs to the items."""
        values = values.flatten(1)
        if self.index is None:
            target.copy_(values)
        else:
            target.index_copy_(1, self._items, values.index_select(1, self._place))


def rows_by_size(sizes, largest, device):
    """Return the groups as matrices of rows, and where the larger ones are.

    Parameters
    ----------
    sizes : tensor of shape (n_groups,), int64, on the CPU
    largest : int
        Groups of more items are left out.
    device : torch.device

    Returns
    -------
    rows : list of Rows
    large : list of tuple (start, end)
    """
    width = int(sizes[0])
    if width <= largest and bool((sizes == width).all()):
        return [Rows((len(sizes), width))], None
    # The same sizes come again with every pass over all groups in one batch.
    return _rows_by_size(sizes.numpy().tobytes(), largest, device)


def chunks(n_members, n_groups, width):
    """Return slices (members, groups) whose cubes are of bounded size."""
    members = max(1, min(n_members, _LARGEST_CUBE // width**2))
    groups = max(1, _LARGEST_CUBE // (members * width**2))
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
    small = np.flatnonzero(~is_large)
    rows = [
        _padded(ends[own] - sizes[own], sizes[own], device)
        for own in _alike(small, sizes)
    ]
    return rows, large


def _alike(groups, sizes):
    """Cut groups where padding them to one width would cost too much."""
    if not len(groups):
        return []
    widest = sizes[groups].max()
    spare = len(groups) * widest**2 - (sizes[groups] ** 2).sum()
    if spare <= _SPARE_ELEMENTS:
        return [groups]
    # Padding to the next of these sizes at most doubles the work of a group.
    class_ = np.ceil(2 * np.log2(sizes[groups]))
    return [groups[class_ == own] for own in np.unique(class_)]


def _padded(starts, sizes, device):
    width = int(sizes.max())
    place = np.arange(width)
    is_item = place < sizes[:, None]
    index = torch.from_numpy(starts[:, None] + place * is_item).to(device)
    mask = None if is_item.all() else torch.from_numpy(is_item).to(device)
    return Rows((len(sizes), width), index, mask)
