"""The curve that a feature has in the shortcuts of all members, for scoring."""

import torch

# Beyond this times the range of scores, a slope times its place, float32 would round a
# curve by more than some 3e-8 of that range, and there are many.
_MOST_SLOPE = 0.25
# Pieces that are added up in float32, before their sums are in float64: all at once would
# be a little faster, with twice the error or more. Not measured by a benchmark.
_PIECES_AT_A_TIME = 4


class MeanCurves:
    r"""The curve of each feature, the mean over members.

    .. math:: f(b) = slope \cdot b
              + \sum_p steepness_p (\min(\max(b, start_p), end_p) - start_p).

    Parameters
    ----------
    shortcut : Shortcut or None
        None has no curves.
    unit : tensor of shape (n_features,), float64
        Of b in what the shortcut takes.
    slope : tensor of shape (n_features,), float64
        What the layers add to the slopes.
    reach : float
        The largest size of b. For one that has no bounds, it counts as a score as well.

    Attributes
    ----------
    slope : tensor of shape (n_features,), float64
    start, end, worth, steepness : tensors of shape (n_pieces, n_features), float64
        The pieces: where they begin and end in b, what they add, and their slopes.
    is_bent, is_steep : tensors of shape (n_features,), bool
        Whether any piece adds something, and is steep.
    """

    def __init__(self, shortcut, unit, slope, reach):
        self.slope = slope
        self.start = self.end = self.worth = unit.new_zeros(0, len(unit))
        if shortcut is not None:
            weight = shortcut.weight.double().mean(dim=0)
            self.slope = slope + weight[0] * unit
            if shortcut.bends is not None:
                start, inverse = shortcut.bends.start, shortcut.bends.inverse_width
                is_piece = (inverse > 0) & (unit > 0)
                scale = torch.where(is_piece, unit, 1.0)
                self.start = torch.where(is_piece, start / scale, 0.0)
                width = torch.where(is_piece, 1 / (inverse * scale), 1.0)
                self.end = self.start + width
                self.worth = torch.where(is_piece, weight[1:], 0.0)
        self.is_bent = (self.worth != 0).any(dim=0)
        width = torch.where(self.worth == 0, 1.0, self.end - self.start)
        self.steepness = self.worth / width
        size = torch.maximum(self.start.abs(), self.end.abs())
        is_steep = (self.steepness * size).abs() > _MOST_SLOPE * self._range(
            width, reach
        )
        self.is_steep = is_steep.any(dim=0)

    def _range(self, width, reach):
        """Return about the range of scores: the root of the summed squared ranges."""
        ends = self.slope.new_tensor([[-reach], [reach]]).expand(2, len(self.slope))
        at = torch.cat([ends, self.start, self.end])
        values = at * self.slope
        for start, size, worth in zip(self.start, width, self.worth, strict=True):
            values += worth * ((at - start) / size).clamp_(0.0, 1.0)
        return (values.amax(dim=0) - values.amin(dim=0)).norm()


class Bent:
    """The pieces of some curves, as columns and their products in one type.

    Parameters
    ----------
    curves : MeanCurves
    features : tensor of shape (n_bent,), int64
    dtype : torch.dtype

    Attributes
    ----------
    constant : float
        What is to be added to the products.
    n_columns : int
    """

    def __init__(self, curves, features, dtype):
        self._start, self._end, steepness = (
            values[:, features].to(dtype)
            for values in (curves.start, curves.end, curves.steepness)
        )
        self.constant = -float((self._start.double() * steepness.double()).sum())
        self.n_columns = self._start.numel()
        self._parts = [
            (
                slice(first, first + _PIECES_AT_A_TIME),
                steepness[first:][:_PIECES_AT_A_TIME],
            )
            for first in range(0, len(steepness), _PIECES_AT_A_TIME)
        ]

    def add_to(self, scores, bent):
        """Add the products of rows, (n_rows, n_bent), to scores of float64."""
        columns = bent[:, None].clamp(self._start, self._end)
        for pieces, steepness in self._parts:
            scores += torch.mv(columns[:, pieces].flatten(1), steepness.flatten())


class Steep:
    """Curves with pieces so steep that a product of slopes would lose their digits.

    Parameters
    ----------
    curves : MeanCurves
    features : tensor of shape (n_steep,), int64
    """

    def __init__(self, curves, features):
        self._start, self._worth = curves.start[:, features], curves.worth[:, features]
        width = curves.end[:, features] - self._start
        self._inverse = torch.where(self._worth == 0, 0.0, 1 / width)

    def sums(self, bent):
        """Return the sums of the pieces of rows, (n_rows, n_steep), float64."""
        columns = bent[:, None].sub(self._start).mul_(self._inverse).clamp_(0.0, 1.0)
        return columns.mul_(self._worth).flatten(1).sum(dim=1)
