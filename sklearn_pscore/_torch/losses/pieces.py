"""Items of a large group cut by level and block of scores, as padded matrices."""

from typing import NamedTuple

import torch

BLOCK_WIDTH = 8.0
# Blocks with so many others between them are far: their scores differ by 24 at
# least, where the loss is linear to 4e-11.
BLOCKS_BETWEEN = 3
# Pieces of this size are a matrix each, for there is nothing to gain beside others.
_LONGEST_ROW = 2**17
# Padding is free in a matrix of so few elements, beside the cost of an operation.
_SPARE_ELEMENTS = 2**14


class Pieces(NamedTuple):
    """Items cut by level and block, small levels as if they were one.

    Attributes
    ----------
    order : tensor of shape (n_items,) or None
        Items in order of piece; None if the panels hold places of the items.
    panels : list of Panel
    level, block, place : tensors of shape (n_pieces,), int
        Row of the level, number of the block and its place among those that
        are not empty. Numbers count blocks from the lowest, but a gap of more
        than `BLOCKS_BETWEEN` as if it were one longer than that.
    center : tensor of shape (n_pieces,), float64
    """

    order: torch.Tensor | None
    panels: list
    level: torch.Tensor
    block: torch.Tensor
    place: torch.Tensor
    center: torch.Tensor

    def ordered(self, values):
        """Return values in the order that the panels count in."""
        return values if self.order is None else values[self.order]

    def restored(self, values):
        """Return ordered values in the order of the items."""
        if self.order is None:
            return values
        return torch.empty_like(values).index_copy_(0, self.order, values)


def one_block(layout):
    """Return levels as pieces of one block, with its center at 0."""
    sizes, device = layout.level_sizes, layout.levels.device
    starts = torch.cumsum(sizes, 0) - sizes
    large = layout.levels.cpu()
    panels = _panels(starts[large], sizes[large], device)
    n_pieces = len(large)
    if layout.has_small:
        index = layout.small_items
        if not isinstance(index, slice):
            index = index[None]
        panels.append(Panel(slice(n_pieces, n_pieces + 1), index))
        n_pieces += 1
    zeros = torch.zeros(n_pieces, dtype=torch.int64, device=device)
    return Pieces(
        None,
        panels,
        torch.arange(n_pieces, device=device),
        zeros,
        zeros,
        torch.zeros(n_pieces, dtype=torch.float64, device=device),
    )


def sorted_blocks(layout, scores, lowest):
    """Return the items of each level cut into blocks of scores."""
    device = scores.device
    number, place = torch.unique(
        torch.floor((scores - lowest) / BLOCK_WIDTH), return_inverse=True
    )
    steps = torch.diff(number, prepend=number[:1]).clamp_(max=BLOCKS_BETWEEN + 1)
    block = steps.cumsum(0).long()
    # Large levels are rows 0, 1, ..., and all small ones the row after them.
    row = torch.cumsum(~layout.is_small, 0) - 1
    row[layout.is_small] = len(layout.levels)
    row = torch.repeat_interleave(row, layout.level_sizes).to(device)
    key = row * len(number) + place
    order = torch.argsort(key, stable=True)
    key, sizes = torch.unique_consecutive(key[order], return_counts=True)
    place = key % len(number)
    sizes = sizes.cpu()
    return Pieces(
        order,
        _panels(torch.cumsum(sizes, 0) - sizes, sizes, device),
        key // len(number),
        block[place],
        place,
        (number[place] + 0.5) * BLOCK_WIDTH + lowest,
    )


class Panel:
    """Pieces of like size as a matrix, a row per piece, padded if need be."""

    def __init__(self, pieces, index):
        self.pieces = pieces
        self.index = index
        self.is_padding = None if isinstance(index, slice) else index < 0
        if self.is_padding is not None and not self.is_padding.any():
            self.is_padding = None

    def of(self, values):
        """Return the values of the items, 0 where there is padding."""
        if isinstance(self.index, slice):
            return values[self.index][None]
        found = values[self.index]
        if self.is_padding is not None:
            found = found.masked_fill_(self.is_padding, 0.0)
        return found

    def put(self, target, values):
        """Write to `target` what belongs to the items."""
        if isinstance(self.index, slice):
            target[self.index] = values[0]
        elif self.is_padding is None:
            target[self.index] = values
        else:
            target[self.index[~self.is_padding]] = values[~self.is_padding]


def _panels(starts, sizes, device):
    """Return panels of runs of items, those of like size together."""
    panels = []
    exponents = torch.ceil(torch.log2(sizes.double())).long()
    if len(sizes) and len(sizes) * int(sizes.max()) <= _SPARE_ELEMENTS:
        exponents = torch.zeros_like(exponents)
    for exponent in torch.unique(exponents).tolist():
        own = (exponents == exponent).nonzero()[:, 0]
        if len(own) == 1 or 2**exponent >= _LONGEST_ROW:
            for piece in own.tolist():
                first = int(starts[piece])
                index = slice(first, first + int(sizes[piece]))
                panels.append(Panel(slice(piece, piece + 1), index))
            continue
        place = torch.arange(int(sizes[own].max()))
        index = starts[own][:, None] + place
        index.masked_fill_(place >= sizes[own][:, None], -1)
        panels.append(Panel(own.to(device), index.to(device)))
    return panels
