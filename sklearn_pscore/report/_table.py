"""The table that a report is about: checked, named, and cut into folds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator

from sklearn_pscore._splitters import PreferenceGroupKFold
from sklearn_pscore._target.check import (
    RankingTarget,
    are_comparable,
    check_comparable,
    check_groups,
)
from sklearn_pscore._target.tables import checked_table
from sklearn_pscore.inspection._clusters import of_items, row_labels


@dataclass(frozen=True)
class ReportTable:
    """A checked table of metrics and its target.

    Attributes
    ----------
    X : DataFrame of shape (n_rows, n_metrics), float
        Columns without a name are x0, x1, ...
    empty : list of str
        Columns that have no value in the rows to learn from, which are not in `X`.
    groups, open_groups : structured ndarray of shape (n_rows,)
        The target. In the first, rows that nobody judged weigh 0, so that every
        function takes them; in the second they weigh what they did.
    target : RankingTarget
        Of `groups`.
    system : ndarray of shape (n_rows,) or None
        Label of the system of each row.
    block : ndarray of shape (n_rows,)
        Label of what is held out, and drawn, together.
    has_blocks : bool
        Whether these are other labels than the groups.
    learnt : ndarray of int
        Rows to learn and judge with: those of groups that say something, and donors.
    is_sample : bool
        Whether `learnt` is a sample of them.
    folds : list of (train, test)
        Row numbers; all of `learnt` but donors are held out once.
    """

    X: pd.DataFrame
    empty: list
    groups: np.ndarray
    open_groups: np.ndarray
    target: RankingTarget
    system: np.ndarray | None
    block: np.ndarray
    has_blocks: bool
    learnt: np.ndarray
    is_sample: bool
    folds: list

    def rows(self, rows):
        """Return the metrics and the target of some rows."""
        return self.X.iloc[rows], self.groups[rows]

    def positions_of_folds(self):
        """Return the folds as positions in `learnt`."""
        return [
            tuple(np.searchsorted(self.learnt, part) for part in fold)
            for fold in self.folds
        ]

    @property
    def systems(self):
        """Return the distinct labels of the systems of rows that count, sorted."""
        return np.unique(self.system[self.target.is_counted])


def check_table(X, groups, *, item, cv, max_rows, rng, caller):
    """Check a table and its target before any work is done.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_rows, n_metrics)
    groups : structured ndarray of shape (n_rows,)
    item : str or array-like of shape (n_rows,)
    cv : int
        Number of folds; fewer where there are fewer blocks.
    max_rows : int
        Rows to learn from, of whole groups.
    rng : RandomState
        Draws the groups where there are more.
    caller : str

    Returns
    -------
    table : ReportTable

    Raises
    ------
    TypeError, ValueError
        If `X` or `groups` cannot be used, or there is nothing to compare.
    """
    X = checked_frame(X)
    given = check_groups(
        groups,
        n_rows=len(X),
        allow_plain=False,
        require_preference=False,
        caller=caller,
    )
    is_judged = ~np.isnan(given.preference)
    if not np.any(is_judged & given.is_counted):
        raise ValueError(
            f"None of the {len(X)} rows that count is judged: all preferences are NaN. "
            f"{caller} asks what people prefer; pass their opinions as preference= to "
            "Groups.from_arrays, with NaN only for rows that nobody judged."
        )
    system = _system_of_rows(item, groups, given, caller)
    open_groups = np.asarray(groups)
    groups = _with_unjudged_left_out(groups, given, is_judged)
    target = check_groups(groups, allow_plain=False, caller=caller)
    check_comparable(target, caller)
    has_blocks = "block" in groups.dtype.names
    block = groups["block" if has_blocks else "group"]
    learnt = _rows_that_say_something(target)
    is_sample = len(learnt) > max_rows
    if is_sample:
        learnt = _sampled(learnt, target, max_rows, rng)
    is_empty = X.iloc[learnt].isna().all()
    if is_empty.all():
        raise ValueError(
            f"X has no value in any of its {X.shape[1]} columns in the rows that people "
            "compared; expected a metric at least. Check how the table was read."
        )
    return ReportTable(
        X=X.loc[:, ~is_empty],
        empty=list(X.columns[is_empty]),
        groups=groups,
        open_groups=open_groups,
        target=target,
        system=system,
        block=block,
        has_blocks=has_blocks,
        learnt=learnt,
        is_sample=is_sample,
        folds=_folds(learnt, target, groups, block, has_blocks, cv, is_sample, caller),
    )


def checked_frame(X):
    """Return a table as a DataFrame of floats, with a name for each column."""
    if sparse.issparse(X):
        raise TypeError(
            f"X is a sparse matrix of shape {X.shape}; expected a dense table, whose "
            "columns are metrics. Pass X.toarray()."
        )
    names = None
    if hasattr(X, "column_names") and not hasattr(X, "iloc"):
        names = X.column_names  # An Arrow table.
    elif hasattr(X, "columns"):
        names = [str(name) for name in X.columns]
    index = pd.Index([] if names is None else names)
    if index.has_duplicates:
        raise ValueError(
            f"X has the column {index[index.duplicated()][0]!r} more than once; expected "
            "different names. Rename one of them, or leave one out."
        )
    values = checked_table(BaseEstimator(), X, dtype=np.float64)
    if names is None:
        names = [f"x{column}" for column in range(values.shape[1])]
    return pd.DataFrame(values, columns=names)


def _system_of_rows(item, groups, target, caller):
    """Return the label of the system of each row; None if the target has no item."""
    if isinstance(item, str) and item == "item" and "item" not in groups.dtype.names:
        return None
    labels, codes = row_labels(item, groups, target, "item", caller)
    of_items(labels, codes, target, "item")
    return labels[codes]


def _with_unjudged_left_out(groups, target, is_judged):
    """Return the target with a weight of 0 for rows that nobody judged."""
    groups = np.asarray(groups)
    if np.all(is_judged | ~target.is_counted):
        return groups
    kinds = {name: groups.dtype[name] for name in groups.dtype.names}
    weighed = np.empty(len(groups), dtype=list((kinds | {"weight": float}).items()))
    for name in kinds:
        weighed[name] = groups[name]
    weighed["weight"] = np.where(is_judged, target.weight, 0.0)
    return weighed


def _rows_that_say_something(target):
    """Return the rows of groups with two items that differ in preference, and donors."""
    items = target.items
    is_comparable = are_comparable(items.group, items.preference, items.weight)
    says = np.zeros(target.n_groups, dtype=bool)
    says[items.group[is_comparable]] = True
    return np.flatnonzero(says[target.group] | target.donor)


def _sampled(rows, target, max_rows, rng):
    """Return the rows of groups drawn at random, up to a number of rows."""
    sizes = np.bincount(target.group[rows], minlength=target.n_groups)
    order = rng.permutation(np.flatnonzero(sizes))
    # One group at least, however large it is.
    taken = order[np.cumsum(sizes[order]) <= max_rows]
    kept = np.isin(target.group[rows], taken if len(taken) else order[:1])
    return rows[kept]


def _folds(rows, target, groups, block, has_blocks, cv, is_sample, caller):
    """Return the rows to learn from and to judge by, of each fold."""
    counted = rows[target.is_counted[rows]]
    n_blocks = len(np.unique(block[counted]))
    if n_blocks < 2:
        what = "block" if has_blocks else "group"
        raise ValueError(
            f"{caller} got 1 {what} in which people prefer one item to another; expected "
            f"two or more, since what is learnt from some is judged on others. Pass the "
            f"rows of more {what}s, or check the labels of {what}."
        )
    splitter = PreferenceGroupKFold(min(cv, n_blocks))
    # Blocks are dealt by all that is judged, as `pscore compare` deals them, so that both
    # have the same figures; by what says something, if a fold were to hold nothing else.
    judged = np.flatnonzero(~np.isnan(target.preference) & ~target.donor)
    for dealt in (counted,) if is_sample else (judged, counted):
        held_out = [
            np.isin(block[rows], block[dealt[test]]) & ~target.donor[rows]
            for _, test in splitter.split(dealt, groups[dealt], block[dealt])
        ]
        if all(np.any(is_out & target.is_counted[rows]) for is_out in held_out):
            break
    # Rows of weight 0 are scored beside the others of their group.
    return [(rows[~is_out], rows[is_out]) for is_out in held_out]
