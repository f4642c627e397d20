"""Segments of arrays: where runs of equal values start, and sums inside each."""

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
    """Stretches of neighbouring places, such as the items of each group.

    What is computed for a segment is a function of its own values alone, to the
    last bit: a difference of two sums over everything before would not be.

    Parameters
    ----------
    size : ndarray of shape (n_segments,), int, > 0
        Number of places of each segment, in order.

    Attributes
    ----------
    start : ndarray of shape (n_segments,), int
        First place of each segment.
    """

    def __init__(self, size):
        self.size = size
        self.start = np.cumsum(size) - size

    @classmethod
    def of_equal(cls, *columns):
        """Return the runs of equal values, see :func:`run_starts`."""
        return cls(np.diff(run_starts(*columns), append=len(columns[0])))

    def spread(self, values):
        """Return the value of each place's segment."""
        return np.repeat(values, self.size)

    @cached_property
    def index(self):
        """Number of each place's segment."""
        return self.spread(np.arange(len(self.size)))

    @cached_property
    def offset(self):
        """Distance of each place from the first place of its segment."""
        return np.arange(len(self.index)) - self.spread(self.start)

    def sum(self, values):
        """Return the sum of each segment, its values added in sequence."""
        return np.bincount(self.index, values, minlength=len(self.size))

    def count(self, is_counted):
        """Return the number of places of each segment where the mask is True."""
        return np.add.reduceat(is_counted, self.start, dtype=np.int64)

    def sums_before(self, values):
        """Return the sum of the earlier values of the same segment.

        Parameters
        ----------
        values : ndarray of shape (n_places,), int or float

        Returns
        -------
        before : ndarray of shape (n_places,)
            Zero at the first place of each segment.
        """
        if values.dtype.kind == "i":
            # Sums of integers are exact, so a difference of two of them is too.
            before = np.cumsum(values) - values
            return before - self.spread(before[self.start])
        before = np.empty(len(values))
        before[1:] = self.accumulate(np.add, values)[:-1]
        before[self.start] = 0.0
        return before

    def accumulate(self, ufunc, values):
        """Accumulate `values` by `ufunc` inside each segment, in sequence.

        Parameters
        ----------
        ufunc : numpy.ufunc
            ``np.add`` or ``np.multiply``.
        values : ndarray of shape (n_places,), float

        Returns
        -------
        accumulated : ndarray of shape (n_places,)
            The first place of a segment holds its own value.
        """
        accumulated = values.copy()
        for places, cells, shape in self._tables:
            table = np.zeros(shape[0] * shape[1])
            table[cells] = values[places]
            ufunc.accumulate(table.reshape(shape), axis=0, out=table.reshape(shape))
            accumulated[places] = table[cells]
        return accumulated

    @cached_property
    def _tables(self):
        """Places, and cells of a table with one column per segment, by length.

        Segments of one bit length share a table, so that a loop runs over at
        most 64 tables and none of them is more than half empty.
        """
        tables = []
        bits = np.frexp(self.size - 1)[1]
        for n_bits in np.unique(bits[bits > 0]):
            places = np.flatnonzero(self.spread(bits == n_bits))
            in_table = bits == n_bits
            column = np.cumsum(in_table) - 1
            n_columns = int(column[-1]) + 1
            cells = self.offset[places] * n_columns + column[self.index[places]]
            tables.append((places, cells, (1 << int(n_bits), n_columns)))
        return tables
