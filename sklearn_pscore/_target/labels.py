"""Labels of groups and items as codes: 0, 1, ... in the order of the labels."""

import numpy as np

from sklearn_pscore._segments import Segments


def number_labels(labels):
    """Return the sorted distinct labels, and the code of each label.

    The result is that of ``np.unique(labels, return_inverse=True)``, which takes
    several times as long for integers of a range below their number, and for text
    in which labels repeat. No benchmark varies it.

    Parameters
    ----------
    labels : ndarray of shape (n,), int64 or fixed-width strings

    Returns
    -------
    distinct : ndarray of shape (n_distinct,)
    codes : ndarray of shape (n,), int
        Index of each label in `distinct`.
    """
    if len(labels) and labels.dtype.kind == "U" and labels.dtype.itemsize:
        return _number_text(labels)
    if len(labels) and labels.dtype.kind == "i":
        lowest = int(labels.min())
        n_cells = int(labels.max()) - lowest + 1
        if n_cells <= len(labels):
            return _number_in_table(labels, lowest, n_cells)
    return np.unique(labels, return_inverse=True)


def number_label_pairs(first_codes, second_codes):
    """Number the distinct pairs of codes, such as (group, item).

    Parameters
    ----------
    first_codes, second_codes : ndarray of shape (n,), int >= 0

    Returns
    -------
    first_row : ndarray of shape (n_distinct,), int
        First row of each distinct pair.
    codes : ndarray of shape (n,), int
        Number of each row's pair, in the order of the pairs.
    """
    n_second = int(second_codes.max()) + 1 if len(second_codes) else 1
    distinct, codes = number_labels(first_codes * n_second + second_codes)
    return _first_row_of_each(codes, len(distinct)), codes


def _number_in_table(labels, lowest, n_cells):
    """Number integers by a table with a cell for each integer of their range."""
    is_label = np.zeros(n_cells, dtype=bool)
    is_label[labels - lowest] = True
    codes = np.cumsum(is_label) - 1
    return np.flatnonzero(is_label) + lowest, codes[labels - lowest]


def _number_text(labels):
    """Number strings by their characters, read as the digits of one integer.

    Where the integer would not fit into 63 bits, the strings are numbered by
    their beginnings, and the code of its beginning stands for it from there on.
    """
    labels = np.ascontiguousarray(labels, dtype=labels.dtype.newbyteorder("="))
    characters = labels.view(np.uint32)
    if characters.max() < 256:
        characters = characters.astype(np.uint8)
    columns = characters.reshape(len(labels), -1).T.copy()
    # One label of each run of equal ones is enough: sorted rows cost little.
    runs = Segments.of_equal(*columns)
    columns = columns[:, runs.start]
    codes = np.zeros(len(runs.start), dtype=np.int64)
    n_codes = 1
    for column in columns:
        lowest = column.min()
        base = int(column.max() - lowest) + 1
        if n_codes * base > 2**63:
            distinct, codes = number_labels(codes)
            n_codes = len(distinct)
        codes = codes * base + (column - lowest)
        n_codes *= base
    distinct, codes = number_labels(codes)
    first = runs.start[_first_row_of_each(codes, len(distinct))]
    return labels[first], runs.spread(codes)


def _first_row_of_each(codes, n_codes):
    """Return the first row that has each of the codes 0, 1, ..., n_codes - 1."""
    first = np.empty(n_codes, dtype=np.int64)
    # Of several values assigned to one entry NumPy keeps the last.
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first
