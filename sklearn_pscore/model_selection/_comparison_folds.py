"""The folds of a comparison: rows to fit on, and rows to judge on."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.model_selection import check_cv
from sklearn.utils import indexable

from sklearn_pscore._splitters import (
    PreferenceGroupKFold,
    take_rows,
)
from sklearn_pscore._target.check import (
    are_comparable,
    check_comparable,
    check_groups,
    is_structured,
)
from sklearn_pscore._target.cut_groups import (
    find_cut_groups,
    has_one_group,
    warn_about_cut_groups,
)
from sklearn_pscore._target.groups import Groups
from sklearn_pscore._target.rows import count_rows
from sklearn_pscore._warn import warn_user
from sklearn_pscore.model_selection._comparison_arguments import describe
from sklearn_pscore.model_selection._leave_out import (
    PairsThatHold,
    check_leave_out,
    rows_of_item,
    splits_that_leave_out,
)


@dataclass(frozen=True)
class Fold:
    """Rows to fit on and rows to judge on.

    The data are shared by all folds, and cut where a run needs them.

    Attributes
    ----------
    number : int
    fit_data : tuple (X, groups)
    judge_data : tuple (X, reference, preference)
        `reference` is the target that rankers are judged by, `preference` the
        scores of the truth: the preferences in it, finite in every row.
    train, test : ndarray of int, or None
        Row numbers within `fit_data` and `judge_data`; None is all rows.
    is_cut : bool
        Whether groups are cut, and all was said about it: then the targets of both
        parts are made whole, so that no fit and no scorer warns.
    n_trained_pairs : int
        Pairs to judge on, of groups whose rows were all trained on.
    n_train, n_test : int
        Rows that count: those to fit on, and those to judge on that are not.
    left_out : int, str or None
        Label of what a fold of ``leave_out`` leaves out.
    is_item : ndarray of bool, or None
        Which rows to judge on are of the left-out item: pairs of others are no pairs of
        the fold. None judges by all.
    """

    number: int
    fit_data: tuple
    judge_data: tuple
    train: np.ndarray | None = None
    test: np.ndarray | None = None
    is_cut: bool = False
    n_trained_pairs: int = 0
    n_train: int = 0
    n_test: int = 0
    left_out: int | str | None = None
    is_item: np.ndarray | None = None

    def judged_by(self, scorer):
        """Return the scorer of this fold: of all pairs, or of those with the item."""
        if self.is_item is None:
            return scorer
        return PairsThatHold(scorer, self.is_item)

    def training_part(self):
        """Return X and the target to fit on."""
        return self._take(self.fit_data, self.train)

    def held_out_part(self):
        """Return X, the reference and its preferences to judge by."""
        return self._take(self.judge_data, self.test)

    def _take(self, data, rows):
        if rows is not None:
            data = tuple(take_rows(part, rows) for part in data)
        if self.is_cut and is_structured(data[1]):
            data = (data[0], Groups.whole(data[1]), *data[2:])
        return data


def make_folds(X, groups, test, cv, cv_groups, reference, leave_out=None):
    """Check the data and return the folds: a single one if `test` is given."""
    if leave_out is not None:
        check_leave_out(leave_out, groups, test=test, cv=cv, cv_groups=cv_groups)
        (X,) = indexable(X)
        n_rows = count_rows(X, "X")
        return _cross_validation_folds(
            X, groups, n_rows, None, None, reference, leave_out
        )
    if (test is None) == (cv is None):
        given = "neither" if test is None else "both"
        raise ValueError(
            f"{given} of test and cv were passed; expected exactly one. Pass "
            "test=(X_test, groups_test), cv=5 for five folds, or leave_out='item'."
        )
    n_rows = count_rows(X, "X")
    (X,) = indexable(X)
    if test is None:
        return _cross_validation_folds(X, groups, n_rows, cv, cv_groups, reference)
    for name, value in (("cv_groups", cv_groups), ("reference", reference)):
        if value is not None:
            raise ValueError(
                f"{name} was passed together with test; expected it with cv only. Leave "
                f"{name} out: rows are judged by the groups_test of test."
            )
    if not isinstance(test, (tuple, list)) or len(test) != 2:
        raise TypeError(
            f"test is {describe(test)}; expected a pair of features and target. Pass "
            "test=(X_test, groups_test)."
        )
    X_test, groups_test = test
    count_rows(X_test, "X_test")
    (X_test,) = indexable(X_test)
    _check_same_features(X, X_test)
    target = _check_target(groups, n_rows, "groups", require_preference=False)
    judged = _check_target(groups_test, count_rows(X_test, "X_test"), "groups_test")
    n_groups = len(np.unique(target.group[target.is_counted]))
    if judged.is_plain and n_groups > 1:
        raise TypeError(
            f"groups_test is plain, which is read as one group, but groups has "
            f"{n_groups} groups; expected a target of Groups in test. Pass "
            "Groups.from_arrays(group=..., preference=groups_test)."
        )
    check_comparable(judged, "compare_rankers")
    judge_data = (X_test, groups_test, _scores_of_truth(judged))
    is_cut = _have_cut_groups([judged]) or warn_about_cut_groups(
        target, "compare_rankers", allowed=1
    )
    n_train, n_test = (int(part.is_counted.sum()) for part in (target, judged))
    fold = Fold(0, (X, groups), judge_data, is_cut=is_cut)
    return [replace(fold, n_train=n_train, n_test=n_test)]


def _cross_validation_folds(
    X, groups, n_rows, cv, cv_groups, reference, leave_out=None
):
    target = _check_target(
        groups, n_rows, "groups", require_preference=reference is None
    )
    if reference is None:
        reference, judged = groups, target
    else:
        judged = _check_target(reference, n_rows, "reference")
        _check_aligned(target, judged)
    left_out = []
    if leave_out is not None:
        left_out, cv = splits_that_leave_out(leave_out, groups, target)
    if isinstance(cv, Integral):
        cv = PreferenceGroupKFold(cv)
    folds, judge_data = [], (X, reference, _scores_of_truth(judged))
    splits, is_listed = cv, isinstance(cv, Iterable) and not isinstance(cv, str)
    if hasattr(cv, "split") or not is_listed:
        splits = check_cv(cv).split(X, groups, cv_groups)
    for number, split in enumerate(splits):
        train, test = _check_split(split, number, n_rows)
        is_item = None
        if leave_out == "item":
            is_item = rows_of_item(left_out[number], groups, judged, test)
        _check_judgeable(judged.take(test), number)
        trained = train[target.is_counted[train]]
        new = np.setdiff1d(test[judged.is_counted[test]], trained)
        fold = Fold(
            number,
            (X, groups),
            judge_data,
            train,
            test,
            n_trained_pairs=_count_trained_pairs(judged, test, trained),
            n_train=len(trained),
            n_test=len(new),
            left_out=left_out[number] if left_out else None,
            is_item=is_item,
        )
        folds.append(fold)
    if not folds:
        raise ValueError(
            f"cv is {describe(cv)} and gives no fold; expected at least one pair (train, "
            "test) of row numbers. Pass cv=5 for five folds."
        )
    # One group can only be split by rows. Training parts of several may be cut: a fold
    # that leaves out a system is right to do so.
    is_cut = (
        (has_one_group(judged) and not find_cut_groups(judged).size)
        or _have_cut_groups(judged.take(fold.test) for fold in folds)
        or any(find_cut_groups(target.take(fold.train)).size for fold in folds)
    )
    return [replace(fold, is_cut=is_cut) for fold in folds]


def sizes_of(folds):
    """Return the table of the rows that each fold fits and judges on."""
    columns = ["fold", "n_train", "n_test"]
    rows = [(fold.number, fold.n_train, fold.n_test) for fold in folds]
    sizes = pd.DataFrame(rows, columns=columns)
    if folds[0].left_out is not None:
        sizes["left_out"] = [fold.left_out for fold in folds]
    return sizes


def warn_about_overlap(folds):
    """Warn of folds that judge by pairs that were trained on."""
    leaky = [fold for fold in folds if fold.n_trained_pairs]
    if leaky:
        n_pairs = sum(fold.n_trained_pairs for fold in leaky)
        warn_user(
            f"cv holds out {n_pairs} pairs of rows that are both trained on, in groups "
            "without a row that is not, in the folds "
            f"{', '.join(str(fold.number) for fold in leaky)}; expected test rows that "
            "are not among the train rows of their fold. Hold out whole groups, for "
            "example with cv=PreferenceGroupKFold(5)."
        )


def _check_split(split, number, n_rows):
    """Return the row numbers of both parts of a fold; refuse what are none."""
    if not isinstance(split, (tuple, list, np.ndarray)) or len(split) != 2:
        raise TypeError(
            f"fold {number} of cv is {describe(split)}; expected a pair (train, test) of "
            "row numbers. Pass cv=5 for five folds."
        )
    return tuple(
        _check_rows(rows, f"{part} of fold {number} of cv", n_rows)
        for part, rows in zip(("train", "test"), split, strict=True)
    )


def _check_rows(rows, name, n_rows):
    array = np.asarray(rows)
    if array.dtype.kind == "b" and array.shape == (n_rows,):
        array = np.flatnonzero(array)
    if array.ndim != 1 or (len(array) and array.dtype.kind not in "iu"):
        raise TypeError(
            f"{name} is {describe(rows)}; expected row numbers in one dimension. Pass "
            "integers, or a mask of True and False per row of X."
        )
    if not len(array):
        raise ValueError(
            f"{name} is empty; expected at least one row of X. Leave the fold out, or "
            "lower the number of folds."
        )
    bad = np.flatnonzero((array < 0) | (array >= n_rows))
    if len(bad):
        raise ValueError(
            f"{name} has row {array[bad[0]]} but X has {n_rows} rows; expected numbers "
            f"from 0 to {n_rows - 1}. Make the folds of this X."
        )
    return array.astype(np.int64)


def _check_judgeable(target, number):
    """Raise ValueError if a held-out part has no pair to judge by."""
    try:
        check_comparable(target, "compare_rankers")
    except ValueError as error:
        raise ValueError(
            f"test of fold {number} of cv: {error} Hold out whole groups, for example "
            "with cv=PreferenceGroupKFold(5)."
        ) from None


def _count_trained_pairs(target, test, trained):
    """Count the test pairs of groups whose rows were all trained on.

    Where a group has a row that was not, as when a system is left out, those that
    were are the rivals that it is compared with.

    Parameters
    ----------
    target : RankingTarget
        Target of all rows.
    test, trained : ndarray of int
        Row numbers.
    """
    test = np.unique(test[target.is_counted[test]])
    group = target.group[test]
    is_new = ~np.isin(test, trained)
    has_new = np.bincount(group, is_new, minlength=target.n_groups) > 0
    known = target.take(test[~has_new[group]]).items
    kept = are_comparable(known.group, known.preference, known.weight)
    group, preference = known.group[kept], known.preference[kept]
    tied = np.unique(np.stack([group, preference]), axis=1, return_counts=True)[1]
    return int(_n_pairs(np.bincount(group)) - _n_pairs(tied))


def _n_pairs(sizes):
    return np.sum(sizes * (sizes - 1) // 2)


def _have_cut_groups(targets):
    """Tell whether a target has cut groups; warn of the first that has."""
    return any(warn_about_cut_groups(target, "compare_rankers") for target in targets)


def _scores_of_truth(target):
    # A row that does not count may have no preference (NaN): no metric uses its score.
    return np.where(target.is_counted, target.preference, 0.0)


def _check_target(groups, n_rows, name, *, require_preference=True):
    return check_groups(
        groups,
        n_rows=n_rows,
        require_preference=require_preference,
        caller="compare_rankers",
        name=name,
    )


def _check_aligned(target, judged):
    """Raise ValueError if the reference puts a row into another group."""
    labels, judged_labels = target.labels[target.group], judged.labels[judged.group]
    bad = np.flatnonzero(labels != judged_labels)
    if len(bad):
        row = bad[0]
        raise ValueError(
            f"reference has group {judged_labels[row]!s} at row {row} but groups has "
            f"{labels[row]!s}; expected the same group label in every row. Build both from "
            "the same rows in the same order."
        )


def _check_same_features(X, X_test):
    shape, test_shape = getattr(X, "shape", ()), getattr(X_test, "shape", ())
    if len(shape) == 2 and len(test_shape) == 2 and shape[1] != test_shape[1]:
        raise ValueError(
            f"X_test has {test_shape[1]} features but X has {shape[1]}; expected the "
            "same features. Select the same columns for both."
        )
