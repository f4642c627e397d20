"""Means of several rows: finite, and tied where only rounding tells them apart."""

import numpy as np

# Largest size of the error of one rounding, relative to the result.
_UNIT = np.finfo(np.float64).eps / 2
LARGEST_SUMMABLE = 2.0**959
"""Size up to which numbers have finite sums, if they are fewer than 2**64."""


def sum_factors(index, values, n):
    """Return a factor for each index, by which sums of its values are finite.

    It is a power of two, and 1 but for the largest numbers: no value is rounded,
    except tiny ones beside those.

    Parameters
    ----------
    index : ndarray of shape (n_values,), int
    values : ndarray of shape (n_values,), float
    n : int
        Number of indices.

    Returns
    -------
    factor : ndarray of shape (n,), float
    """
    factor = np.ones(n)
    factor[index[np.abs(values) > LARGEST_SUMMABLE]] = 2.0**-64
    return factor


def item_means(items, values, group):
    """Return the mean of the values of each item, finite if all values are.

    Means that only rounding tells apart are equal, see :func:`tied_means`.

    Parameters
    ----------
    items : Segments
        Items, as segments of the values.
    values : ndarray of shape (n,), float
        Sorted inside each item.
    group : ndarray of shape (n_items,), int
        Group of each item.

    Returns
    -------
    mean : ndarray of shape (n_items,), float
        Within the range of its values.
    """
    lowest = values[items.start]
    highest = values[items.start + items.size - 1]
    largest = np.maximum(-lowest, highest)
    factor = sum_factors(np.arange(len(largest)), largest, len(largest))
    mean = items.sum(values * items.spread(factor)) / items.size
    # Clipped before it is scaled back: by rounding it could be infinite then.
    mean = np.clip(mean, lowest * factor, highest * factor) / factor
    # The mean of equal values is exact.
    n_rows = np.where(lowest == highest, 1, items.size)
    return tied_means(mean, n_rows, largest, group)


def tied_means(mean, n_rows, largest, group):
    r"""Return means in which those are equal that only rounding tells apart.

    The mean of .1 and .2 is .15 and a little. Each of `n` values is rounded, and
    so are their sums and the quotient: that is at most :math:`(n + 1) u` times the
    largest of them, with u the unit of rounding. A value that the mean is compared
    with is rounded once.

    A mean so close to the value of a single row takes that value. Those of the
    others that are neighbours and so close to each other share the lowest. A value
    of a single row never changes.

    Parameters
    ----------
    mean : ndarray of shape (n_items,), float
    n_rows : ndarray of shape (n_items,), int
        Rows of each mean; 1 where it is exact.
    largest : ndarray of shape (n_items,), float >= 0
        Largest absolute value of the rows.
    group : ndarray of shape (n_items,), int
        Only items of one group are compared.

    Returns
    -------
    mean : ndarray of shape (n_items,), float
    """
    if np.all(n_rows == 1):
        return mean
    order = np.lexsort((mean, group))
    group, is_exact = group[order], n_rows[order] == 1
    # Quarters of the values: their differences are finite.
    value = mean[order] / 4
    reach = (n_rows[order] + 2) * (_UNIT * (largest[order] / 4))
    source = np.arange(len(order))
    before = np.maximum.accumulate(np.where(is_exact, source, 0))
    after = np.where(is_exact, source, len(order) - 1)
    after = np.minimum.accumulate(after[::-1])[::-1]
    distance = []
    for exact in (before, after):
        is_there = is_exact[exact] & (group[exact] == group)
        distance.append(np.where(is_there, np.abs(value[exact] - value), np.inf))
    nearest = np.where(distance[0] <= distance[1], before, after)
    is_near = np.minimum(*distance) <= reach
    source[is_near] = nearest[is_near]
    rest = np.flatnonzero(~is_near)
    is_start = np.ones(len(rest), dtype=bool)
    is_start[1:] = (group[rest][1:] != group[rest][:-1]) | (
        np.diff(value[rest]) > reach[rest][1:] + reach[rest][:-1]
    )
    first = np.maximum.accumulate(np.where(is_start, np.arange(len(rest)), 0))
    source[rest] = rest[first]
    tied = np.empty_like(mean)
    tied[order] = mean[order[source]]
    return tied
