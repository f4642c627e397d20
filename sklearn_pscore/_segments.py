"""Segments of an array: runs of equal values, and sums that restart at each."""

from functools import cached_property

import numpy as np


def run_starts(*columns):
    """Return the positions at which a run of equal values starts.

    A run ends where the value of any of the columns changes. Values that are
    equal but not neighbours are in different runs, so sort the columns first.

    Parameters
    ----------
    *columns : ndarray of shape (n,)
        At least one; all of the same length.

    Returns
    -------
    start : ndarray of shape (n_runs,), int
        Ascending; the first is 0, and there is none if the columns are empty.

    Examples
    --------
    >>> import numpy as np
    >>> run_starts(np.array([4, 4, 7, 7]), np.array([1.0, 2.0, 2.0, 2.0])).tolist()
    [0, 1, 2]
    """
    is_start = np.zeros(len(columns[0]), dtype=bool)
    is_start[:1] = True
    for column in columns:
        is_start[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(is_start)


def level_in_group(group, value):
    """Return the level of each entry among the distinct values of its group.

    Parameters
    ----------
    group, value : ndarray of shape (n,)
        Sorted by group, and by value inside each group.

    Returns
    -------
    level : ndarray of shape (n,), int
        0 for the lowest value of the group, then 1, 2, ...

    Examples
    --------
    >>> import numpy as np
    >>> level_in_group(np.array([4, 4, 4, 7]), np.array([1.0, 2.0, 2.0, 2.0])).tolist()
    [0, 1, 1, 0]
    """
    run = Segments.of_equal(group, value).index
    groups = Segments.of_equal(group)
    return run - groups.spread(run[groups.start])


class Segments:
    """Division of an array into segments, such as the items of each group.

    Every result for a segment depends on its own values alone, to the last bit.
    A difference of two sums over the whole array would depend on the others.

    Parameters
    ----------
    size : ndarray of shape (n_segments,), int, > 0
        Number of positions of each segment, in order.

    Attributes
    ----------
    start : ndarray of shape (n_segments,), int
        First position of each segment.
    """

    def __init__(self, size):
        self.size = size
        self.start = np.cumsum(size) - size

    @classmethod
    def of_equal(cls, *columns):
        """Return the runs of equal values, see :func:`run_starts`."""
        return cls(np.diff(run_starts(*columns), append=len(columns[0])))

    def spread(self, values):
        """Repeat the value of each segment at all of its positions."""
        return np.repeat(values, self.size)

    @cached_property
    def index(self):
        """Index of the segment at each position."""
        return self.spread(np.arange(len(self.size)))

    @cached_property
    def offset(self):
        """Distance of each position from the start of its segment."""
        return np.arange(len(self.index)) - self.spread(self.start)

    @property
    def n_pairs(self):
        """Number of pairs of places of each segment, n (n - 1) / 2."""
        size = self.size.astype(np.int64)
        return size * (size - 1) // 2

    def pairs(self):
        """Return the first and the second position of each pair of each segment.

        Returns
        -------
        first, second : ndarray of shape (n_pairs.sum(),), int
            Sorted by segment, then by the first, then by the second, which is larger.
        """
        n_after = self.spread(self.size) - 1 - self.offset
        first = np.repeat(np.arange(len(n_after)), n_after)
        start = np.cumsum(n_after) - n_after
        return first, first + 1 + np.arange(len(first)) - np.repeat(start, n_after)

    def sum(self, values):
        """Return the sum of each segment, its values added in order."""
        return np.bincount(self.index, values, minlength=len(self.size))

    def count(self, is_counted):
        """Return the number of True values of a mask in each segment."""
        return np.add.reduceat(is_counted, self.start, dtype=np.int64)

    def sums_before(self, values):
        """Return the sum of the earlier values of the same segment.

        Parameters
        ----------
        values : ndarray of shape (n,), int or float

        Returns
        -------
        before : ndarray of shape (n,)
            Zero at the start of each segment.
        """
        if values.dtype.kind == "i":
            # Sums of integers are exact, and so is a difference of two of them.
            before = np.cumsum(values) - values
            return before - self.spread(before[self.start])
        before = np.empty(len(values))
        before[1:] = self.accumulate(np.add, values)[:-1]
        before[self.start] = 0.0
        return before

    def accumulate(self, ufunc, values):
        """Return the running sum or product of each segment.

        Parameters
        ----------
        ufunc : numpy.ufunc
            ``np.add`` or ``np.multiply``.
        values : ndarray of shape (n,), float

        Returns
        -------
        accumulated : ndarray of shape (n,)
            ``ufunc.accumulate`` of the values of each segment alone.
        """
        accumulated = values.copy()
        for positions, cells, shape in self._tables:
            table = np.zeros(shape[0] * shape[1])
            table[cells] = values[positions]
            ufunc.accumulate(table.reshape(shape), axis=0, out=table.reshape(shape))
            accumulated[positions] = table[cells]
        return accumulated

    @cached_property
    def _tables(self):
        """Tables with a column for each segment, to accumulate along the rows.

        Segments whose lengths round up to the same power of two share a table,
        so there are at most 64 tables and none is more than half empty. A table
        is given as the positions that it holds, their cells in it, and its
        shape. Segments of length one need no table.
        """
        tables = []
        bits = np.frexp(self.size - 1)[1]
        for n_bits in np.unique(bits[bits > 0]):
            is_in_table = bits == n_bits
            positions = np.flatnonzero(self.spread(is_in_table))
            column = np.cumsum(is_in_table) - 1
            n_columns = int(column[-1]) + 1
            cells = self.offset[positions] * n_columns + column[self.index[positions]]
            tables.append((positions, cells, (1 << int(n_bits), n_columns)))
        return tables
