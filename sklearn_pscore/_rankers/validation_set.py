"""The validation set that a user passes to ``fit``: checked before any work is done."""

from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.sparsefuncs import min_max_axis

from sklearn_pscore._target.check import (
    RankingTarget,
    check_comparable,
    check_groups,
    is_structured,
)
from sklearn_pscore._target.cut_groups import find_cut_groups
from sklearn_pscore._target.groups import Groups
from sklearn_pscore._target.rows import count_rows
from sklearn_pscore._warn import warn_user

# Of fewer rows the range is chance: with 5 rows of 20 normal features every fifth set
# would warn, with 10 one in 200. No benchmark varies it.
_FEWEST_ROWS = 20


class ValidationSet(NamedTuple):
    """Rows that are validated on, and their target.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_features)
    groups : structured ndarray or array-like of shape (n_rows,)
        The target as it was passed, but whole: who reads it warns of no cut group.
    target : RankingTarget
        The same, checked.
    """

    X: np.ndarray
    groups: np.ndarray
    target: RankingTarget


def check_validation_set(X_val, y_val, X, y, *, check_X, caller):
    """Check a validation set that is passed beside the training set.

    Parameters
    ----------
    X_val : array-like of shape (n_val, n_features) or None
    y_val : structured ndarray or array-like of shape (n_val,), or None
    X : ndarray or sparse matrix of shape (n_samples, n_features)
        What is trained on, checked.
    y : structured ndarray or array-like of shape (n_samples,)
        Its target.
    check_X : callable
        ``check_X(X_val)`` returns it checked as a table that the estimator predicts
        for.
    caller : str
        Name of the method that is passed the two, for the messages.

    Returns
    -------
    validation : ValidationSet or None
        None if both are None.

    Raises
    ------
    TypeError
        If `y_val` is plain and `y` is not, or one of them is of a wrong type.
    ValueError
        If one comes without the other, their lengths differ, `X_val` has other columns
        than `X`, or no two rows of `y_val` are a pair.

    Warns
    -----
    UserWarning
        If a group of `y_val` is cut, or `X_val` lies far outside of `X`, see
        :func:`warn_if_far_outside`.
    """
    if X_val is None and y_val is None:
        return None
    if X_val is None or y_val is None:
        given, lacking = ("y_val", "X_val") if X_val is None else ("X_val", "y_val")
        raise ValueError(
            f"{lacking} is None but {given} was passed; expected both, or none. Call "
            f"{caller}(X, y, X_val=..., y_val=...), in which y_val is the target of the "
            "rows of X_val."
        )
    X_val = _checked_table(X_val, X.shape[1], check_X)
    if count_rows(y_val, "y_val") != X_val.shape[0]:
        raise ValueError(
            f"y_val has {count_rows(y_val, 'y_val')} entries but X_val has "
            f"{X_val.shape[0]} rows; expected one entry per row. Take both from the same "
            "rows."
        )
    if is_structured(y) and not is_structured(y_val):
        raise TypeError(
            f"y_val is a plain {type(y_val).__name__}, which is read as one group, but y "
            "is a target of Groups; expected one for y_val too. Pass "
            "Groups.from_arrays(group=..., preference=y_val)."
        )
    target = check_groups(y_val, n_rows=X_val.shape[0], caller=caller, name="y_val")
    with errors_about("y_val cannot be validated on"):
        check_comparable(target, caller, for_votes=True)
    _warn_if_cut(target, caller)
    warn_if_far_outside(X_val, X)
    return ValidationSet(
        X_val, Groups.whole(y_val) if is_structured(y_val) else y_val, target
    )


def _checked_table(X_val, n_features, check_X):
    """Return `X_val` checked; errors name it, and not X."""
    shape = getattr(X_val, "shape", None)
    if shape is not None and len(shape) == 2 and shape[1] != n_features:
        raise ValueError(
            f"X_val has {shape[1]} columns but X has {n_features}; expected the same "
            "columns in the same order. Take both from one table, by the same steps."
        )
    with errors_about("X_val cannot be used as X is"):
        return check_X(X_val)


@contextmanager
def errors_about(subject):
    """Let errors of checks that know no validation set begin with what they are about."""
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{subject}: {error}") from error


def _warn_if_cut(target, caller):
    """Warn if a group of the target `y_val` is cut."""
    cut, n_left = find_cut_groups(target)
    if len(cut):
        warn_user(
            f"{caller} got a y_val in which {len(cut)} of {target.n_groups} groups are "
            f"cut: group {target.labels[cut[0]]!s} has {n_left[0]} of its "
            f"{target.group_size[cut[0]]} judged rows, and is taken for a whole one. "
            "scikit-learn cuts X_val and y_val by the folds of a search if they have as "
            "many rows as X: pass some groups more, or less. If the rows were left out on "
            "purpose, pass y_val=Groups.whole(y_val)."
        )


def warn_if_far_outside(X_val, X):
    """Warn if a feature of `X_val` lies far outside of what it is in `X`.

    That is so if more than half of its values are farther outside of its range in `X`
    than this range is wide. A feature that is constant in `X` is not looked at, nor are
    missing values, nor an `X` of less than 20 rows, whose range is chance. Rows of one
    source are not that far apart; rows that were scaled and rows that were not mostly
    are.

    Parameters
    ----------
    X_val, X : ndarray or sparse matrix of shape (n_rows, n_features)
    """
    if X.shape[0] < _FEWEST_ROWS:
        return
    lowest, highest = (np.asarray(ends, dtype=np.float64) for ends in _range_of(X))
    with np.errstate(over="ignore"):
        # What is wider than float64 holds has nothing outside.
        width = highest - lowest
        lowest, highest = lowest - width, highest + width
    share = np.where(width > 0, _share_outside(X_val, lowest, highest), 0.0)
    n_far = np.count_nonzero(share > 0.5)
    if n_far:
        worst = np.argmax(share)
        warn_user(
            f"X_val lies far outside of X in {n_far} of {len(share)} features: in column "
            f"{worst}, {100 * share[worst]:.0f} % of its values are outside of "
            f"[{lowest[worst]:.3g}, {highest[worst]:.3g}], which is three times as wide as "
            "what X has; expected rows of the same kind, on the same scale. A Pipeline "
            "passes X_val to its last step as it is: enable metadata routing and pass "
            'transform_input=["X_val"] to the Pipeline, or scale X_val by the same steps.'
        )


def _range_of(X):
    """Return the smallest and the largest value of each column, the missing left out."""
    if issparse(X):
        return min_max_axis(X, axis=0, ignore_nan=True)
    return np.fmin.reduce(X, axis=0), np.fmax.reduce(X, axis=0)


def _share_outside(X, lowest, highest):
    """Return the share of each column's values, the missing left out, out of a range."""
    if not issparse(X):
        n_outside = np.count_nonzero((lowest > X) | (highest < X), axis=0)
        return n_outside / np.maximum(np.count_nonzero(~np.isnan(X), axis=0), 1)
    stored, (n_rows, n_columns) = X.tocoo(), X.shape
    column, values = stored.coords[1], stored.data
    is_outside = (values < lowest[column]) | (values > highest[column])
    n_outside = np.bincount(column, is_outside, n_columns)
    n_zeros = n_rows - np.bincount(column, minlength=n_columns)
    n_outside += n_zeros * ((lowest > 0) | (highest < 0))
    n_there = n_rows - np.bincount(column, np.isnan(values), n_columns)
    return n_outside / np.maximum(n_there, 1)
