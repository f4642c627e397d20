"""Folds whose pairs are left out of a fit, to choose or to weigh by."""

from dataclasses import replace
from numbers import Integral

import numpy as np

from sklearn_pscore._splitters import PreferenceGroupKFold

_N_FOLDS = 5
_SEED = 0


def left_out_folds(cv, X, y, target, caller):
    """Return the row numbers to fit on, and those left out, of each fold.

    Blocks are kept whole, or groups where there are none or one. A single group is
    split by items: the pairs left out are then those of two items of one fold.

    Parameters
    ----------
    cv : int, splitter, iterable of (train, test) or None
        None is five folds, or as many as there are blocks or groups, or half of the
        items.
    X : array-like of shape (n_samples, n_features)
    y : structured ndarray or array-like of shape (n_samples,)
    target : RankingTarget
        The checked `y`.
    caller : str
        Method that asks, for the messages.

    Returns
    -------
    folds : list of tuple (train, test), ndarray of int
        Donors are in no `test`. Rows of weight zero are in none, unless `cv` is a
        splitter or an iterable.

    Raises
    ------
    ValueError
        If there are too few groups or items, or `cv` gives no fold, or one of rows that
        are not there.
    TypeError
        If a fold of `cv` is no pair of row numbers.
    """
    if cv is None or isinstance(cv, Integral):
        rows = np.flatnonzero(target.is_counted)
        if len(np.unique(target.group[rows])) == 1:
            return _folds_of_items(cv, target, rows, caller)
        unit = target.unit
        if len(np.unique(unit[rows])) == 1:
            unit = target.group
        n_units = len(np.unique(unit[rows]))
        n_folds = min(_N_FOLDS, n_units) if cv is None else int(cv)
        # Rows of weight zero are as if they were not there, and balance no fold.
        rows = np.flatnonzero(target.is_counted | target.donor)
        parts = PreferenceGroupKFold(n_folds).split(rows[:, None], y[rows], unit[rows])
        splits = ((rows[train], rows[test]) for train, test in parts)
    elif hasattr(cv, "split") and not isinstance(cv, (str, bytes)):
        splits = cv.split(X, y)
    else:
        splits = cv
    folds = [checked_fold(split, k, target.n_rows) for k, split in enumerate(splits)]
    if not folds:
        raise ValueError(
            f"cv is {cv!r:.60} and gives no fold; {caller} expected at least one pair "
            "(train, test) of row numbers. Pass cv=5 for five folds."
        )
    return folds


def checked_fold(split, number, n_rows):
    """Return the row numbers of both parts of a fold; refuse what are none."""
    is_pair = isinstance(split, (tuple, list)) and len(split) == 2
    parts = tuple(map(np.asarray, split)) if is_pair else ()
    if not is_pair or any(p.ndim != 1 or p.dtype.kind not in "iu" for p in parts):
        raise TypeError(
            f"fold {number} of cv is {split!r:.60}; expected a pair (train, test) of row "
            "numbers. Pass cv=5 for five folds."
        )
    for rows in parts:
        if not len(rows) or rows.min() < 0 or rows.max() >= n_rows:
            found = "no row" if not len(rows) else f"rows {rows.min()} to {rows.max()}"
            raise ValueError(
                f"fold {number} of cv has {found} in a part; expected some of the rows 0 "
                f"to {n_rows - 1} in both. Make the folds of this X."
            )
    return parts


def _folds_of_items(cv, target, rows, caller):
    """Return folds of the items of the only group."""
    item = target.items.row_item[rows]
    n_items = target.items.n_items
    n_folds = min(_N_FOLDS, n_items // 2) if cv is None else int(cv)
    if n_folds < 2 or n_folds > n_items // 2:
        asked = "" if cv is None else f" for cv={cv}"
        raise ValueError(
            f"{caller} got {n_items} items in one group{asked}; expected at least 4 items, "
            "and two for each of at least 2 folds, so that each fold leaves out a pair. "
            "Give it more items or groups, or pass fewer folds as cv=."
        )
    # At random, since rows may come in turns, such as grades from 1 to 5 again and again;
    # by one seed, so that the same rows get the same folds.
    fold = np.random.RandomState(_SEED).permutation(n_items)[item] % n_folds
    everything = np.arange(target.n_rows)
    parts = [rows[fold == number] for number in range(n_folds)]
    return [(np.setdiff1d(everything, part), part) for part in parts]


def split_items(items, target, folds):
    """Return masks of the items to learn from, and of those left out, of each fold.

    Parameters
    ----------
    items : TrainingItems
    target : RankingTarget
        Of the rows that the items are made of.
    folds : list of tuple (train, test)

    Returns
    -------
    masks : list of tuple (learnt, left_out), ndarray of bool
        An item that is partly made of what is left out is in neither.
    """
    masks = []
    for train, test in folds:
        learnt, left_out = (
            np.setdiff1d(target.items.row_item[rows], -1) for rows in (train, test)
        )
        is_left_out = np.isin(items.parents, left_out).any(axis=1)
        # An item of no parent in the target is made of donors alone.
        known = np.isin(items.parents[:, 0], learnt) | ~items.judged
        masks.append((known & ~is_left_out, is_left_out & items.judged))
    return masks


def pool(items, masks, scores, caller):
    """Return the items left out, with the scores that they got, one fold after another.

    Only items of one fold are of one group, since scores of two fits cannot be
    compared.

    Parameters
    ----------
    items : TrainingItems
    masks : list of tuple (learnt, left_out)
        See :func:`split_items`.
    scores : list of ndarray of shape (n_left_out, n_columns)
        Of each fold.
    caller : str

    Returns
    -------
    pooled : TrainingItems
        Comparable items, with scores as features.

    Raises
    ------
    ValueError
        If no pair is left out.
    """
    number = [np.flatnonzero(left_out) for _, left_out in masks]
    fold = np.repeat(np.arange(len(masks)), [len(rows) for rows in number])
    taken = items.take(np.concatenate(number))
    pooled = replace(
        taken,
        table=np.concatenate(scores),
        row=np.arange(len(taken)),
        group=taken.group * len(masks) + fold,
        block_of_group=None,
    ).comparable()
    if not len(pooled):
        raise ValueError(
            f"{caller} left out {len(taken)} items in {len(masks)} folds, and no two of "
            "them are of one fold and one group and differ in preference; expected at "
            "least one pair. Give it more groups, or pass other folds as cv=."
        )
    return pooled
