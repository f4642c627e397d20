"""Clusters of rows that a bootstrap draws as a whole."""

import numpy as np

from sklearn_pscore._target.check import unit_to_hold_out
from sklearn_pscore._target.fields import as_labels
from sklearn_pscore._target.labels import number_labels

# Counts of a part of the draws, 32 MB. Not measured.
_CELLS = 2**22


def row_labels(argument, groups, target, name, caller):
    """Return one code per row for labels that a caller named or passed.

    Parameters
    ----------
    argument : str or array-like of shape (n_rows,)
        Name of a field of the target, or a label per row.
    groups : structured ndarray or array-like of shape (n_rows,)
    target : RankingTarget
        Of these groups.
    name, caller : str
        Of the argument and of the function, for the messages.

    Returns
    -------
    labels : ndarray of shape (n_labels,)
        Distinct labels in sorted order.
    codes : ndarray of shape (n_rows,), int
    """
    if isinstance(argument, str):
        fields = getattr(getattr(groups, "dtype", None), "names", None) or ()
        if argument not in fields or argument == "preference":
            held = [field for field in fields if field != "preference"]
            raise ValueError(
                f"{name} is {argument!r}; expected a field of the target, which has "
                f"{held}, or one label per row. Pass {argument}= to Groups.from_arrays, "
                f"or {name}=labels to {caller}."
            )
        argument = groups[argument]
    labels = as_labels(argument, name)
    if len(labels) != target.n_rows:
        raise ValueError(
            f"{name} has {len(labels)} entries but groups has {target.n_rows}; expected "
            f"one label per row of the target. Pass {name} in the order of the rows."
        )
    return number_labels(labels)


def cluster_labels(argument, groups, target, caller):
    """Return one code per row for what a bootstrap draws, see :func:`row_labels`.

    "block" is the groups where the rows that count are of no block, or of a single one.
    """
    if isinstance(argument, str) and argument == "block":
        counted = target.is_counted
        block = None if target.block is None else target.block[counted]
        if unit_to_hold_out(target.group[counted], block) is block:
            return target.block_labels, target.block
        return target.labels, target.group
    return row_labels(argument, groups, target, "cluster", caller)


def of_items(labels, codes, target, name):
    """Return the code that all counted rows of each item share.

    Raises
    ------
    ValueError
        If two rows of an item have different labels.
    """
    row_item = target.items.row_item
    rows = np.flatnonzero(row_item >= 0)
    of_item = np.zeros(target.items.n_items, dtype=np.int64)
    of_item[row_item[rows]] = codes[rows]
    bad = rows[of_item[row_item[rows]] != codes[rows]]
    if len(bad):
        label, other = labels[codes[bad[0]]], labels[of_item[row_item[bad[0]]]]
        raise ValueError(
            f"{name} cuts an item: row {bad[0]} has the label {label}, and another row of "
            f"the same group and item {other}; expected one label for them. Give them the "
            "same label, or different names of items."
        )
    return of_item


def drawn_counts(n_clusters, n_boot, rng):
    """Draw how often each cluster is taken in each of `n_boot` draws, part by part.

    Yields
    ------
    counts : ndarray of shape (n_draws, n_clusters), float
        Each row sums to `n_clusters`. The parts have `n_boot` rows together.
    """
    share = np.full(n_clusters, 1.0 / n_clusters)
    size = max(1, _CELLS // n_clusters)
    for start in range(0, n_boot, size):
        n_draws = min(size, n_boot - start)
        yield rng.multinomial(n_clusters, share, size=n_draws).astype(np.float64)
