"""Folds of blocks, and draws of the blocks that a model is fitted to again."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from sklearn_pscore._rankers.left_out import checked_fold
from sklearn_pscore._splitters import PreferenceGroupKFold
from sklearn_pscore._target.build import build_target
from sklearn_pscore._target.check import are_comparable, unit_to_hold_out
from sklearn_pscore._target.groups import Groups
from sklearn_pscore._target.votes import number_copies

# Draws of blocks to try until a model can be fitted to each training part. Not measured.
_N_TRIES = 1000


@dataclass(frozen=True)
class JudgedFolds:
    """Folds of the judged rows of a target.

    Attributes
    ----------
    groups : structured ndarray of shape (n_rows,)
        The target.
    group : ndarray of shape (n_rows,), int
        Code of each row's group.
    unit : ndarray of shape (n_rows,), int
        Code of what is drawn: each row's block, or its group without blocks.
    drawn_units : ndarray of int
        Codes of the units that have a judged row.
    has_pair : ndarray of bool
        By code, whether a unit has two judged items of one group that differ.
    train : list of ndarray of int
        Rows to train on of each fold, donors at last: judged ones, and donors.
    fold : ndarray of shape (n_rows,), int
        Fold whose model scores the row, which has not seen its unit; -1 for units
        without a judged row.
    """

    groups: np.ndarray
    group: np.ndarray
    unit: np.ndarray
    drawn_units: np.ndarray
    has_pair: np.ndarray
    train: list
    fold: np.ndarray

    @classmethod
    def of(cls, cv, X, groups, target, caller):
        """Check `cv` and the target, and make the folds.

        Raises
        ------
        ValueError
            If there are too few units, or a judged row is in no test part or in two.
        """
        is_judged = target.is_counted & ~np.isnan(target.preference)
        judged = np.flatnonzero(is_judged)
        block = None if target.block is None else target.block[judged]
        is_by_block = unit_to_hold_out(target.group[judged], block) is block
        unit = target.block if is_by_block else target.group
        drawn_units = np.unique(unit[judged])
        name = "block" if is_by_block else "group"
        if len(drawn_units) < 2:
            raise ValueError(
                f"The {len(judged)} judged rows are in {len(drawn_units)} {name}; "
                f"{caller} holds out {name}s, and needs two or more. Give it more groups."
            )
        test = _test_parts(cv, X, groups, judged, unit[judged], name, caller)
        fold = np.full(target.n_rows, -1)
        n_tests = np.zeros(target.n_rows, dtype=np.int64)
        for number, rows in enumerate(test):
            fold[rows] = number
            n_tests[rows] += 1
        bad = judged[n_tests[judged] != 1]
        if len(bad):
            raise ValueError(
                f"cv tests row {bad[0]} {n_tests[bad[0]]} times; {caller} expected each "
                "judged row in one test part, to score it once. Pass cv=5 for five folds."
            )
        donors = np.flatnonzero(target.donor & (target.weight > 0))
        has_pair = np.zeros(int(unit.max()) + 1, dtype=bool)
        pairs = target.take(judged).items
        comparable = are_comparable(pairs.group, pairs.preference, pairs.weight)
        unit_of_group = np.zeros(target.n_groups, dtype=np.int64)
        unit_of_group[target.group] = unit
        has_pair[unit_of_group[pairs.group[comparable]]] = True
        train = [
            np.concatenate([judged[fold[judged] != number], donors])
            for number in range(len(test))
        ]
        fold[~is_judged] = -1
        return cls(
            groups,
            target.group,
            unit,
            drawn_units,
            has_pair,
            train,
            _fold_of_all(fold, unit),
        )

    def training_part(self, number):
        """Return the rows, and their target, that the model of a fold is fitted to."""
        rows = self.train[number]
        return rows, Groups.whole(self.groups[rows])

    def drawn_part(self, number, times):
        """Return the same where each unit is there a number of times.

        Every copy of a group is a group of its own, and a block of those that it is a
        copy of, so that what the model holds out itself is no copy of what it sees.

        Parameters
        ----------
        number : int
        times : ndarray of int
            By the code of the unit.
        """
        rows = self.train[number]
        n_copies = times[self.unit[rows]]
        n_copies[self._are_donors(rows)] = 1
        start = np.cumsum(n_copies) - n_copies
        copy = np.arange(n_copies.sum()) - np.repeat(start, n_copies)
        rows = np.repeat(rows, n_copies)
        kept = set(self.groups.dtype.names) - {"group_size"}
        fields = {name: self.groups[name][rows] for name in kept}
        fields["group"] = copy * (int(self.group.max()) + 1) + self.group[rows]
        fields["block"] = self.unit[rows]
        number_copies(fields, copy)
        return rows, build_target(fields)

    def _are_donors(self, rows):
        if "donor" not in self.groups.dtype.names:
            return np.zeros(len(rows), dtype=bool)
        return self.groups["donor"][rows].astype(bool)

    def draw(self, rng, caller):
        """Draw how often each unit is there, so that every fold can be fitted.

        Units are drawn with replacement from all that are judged, once for all folds:
        the models of two folds have most of their training rows in common, and so
        have their refits.

        Raises
        ------
        ValueError
            If no such draw was found.
        """
        n = len(self.drawn_units)
        of_folds = [
            np.intersect1d(self.unit[rows], self.drawn_units) for rows in self.train
        ]
        for _ in range(_N_TRIES):
            times = np.zeros(len(self.has_pair), dtype=np.int64)
            times[self.drawn_units] = rng.multinomial(n, np.full(n, 1 / n))
            if all(self._can_be_fitted(units, times) for units in of_folds):
                return times
        raise ValueError(
            f"No draw of {n} blocks left every fold some of them with a pair to learn "
            f"from; {caller} needs groups with different preferences. Give it more of "
            "them, or pass fewer folds as cv=, or n_refits=0."
        )

    def _can_be_fitted(self, units, times):
        drawn = units[times[units] > 0]
        # Two, as a ranker may leave out one, but not all: then no draw would differ.
        n_needed = 2 if len(units) > 2 else 1
        return len(drawn) >= n_needed and self.has_pair[drawn].any()


def _test_parts(cv, X, groups, judged, unit, name, caller):
    """Return the rows of the test part of each fold."""
    is_number = isinstance(cv, Integral) and not isinstance(cv, (bool, np.bool_))
    if is_number:
        n_units = len(np.unique(unit))
        if not 2 <= cv <= n_units:
            raise ValueError(
                f"cv is {cv}, and the judged rows are in {n_units} {name}s; {caller} "
                f"expected 2 to {n_units} folds. Pass for example cv={min(5, n_units)}."
            )
        # Rows that nobody judged balance no fold.
        splits = PreferenceGroupKFold(int(cv)).split(judged[:, None], groups=unit)
        return [judged[test] for _, test in splits]
    is_splitter = hasattr(cv, "split") and not isinstance(cv, (str, bytes))
    if not (is_splitter or (np.iterable(cv) and not isinstance(cv, (str, bytes)))):
        raise TypeError(
            f"cv is {cv!r:.60}; {caller} expected a number of folds, a splitter, or pairs "
            "(train, test) of row numbers. Pass cv=5 for five folds."
        )
    splits = enumerate(cv.split(X, groups) if is_splitter else cv)
    test = [checked_fold(split, number, len(groups))[1] for number, split in splits]
    if not test:
        raise ValueError(
            f"cv is {cv!r:.60} and gives no fold; {caller} expected at least one pair "
            "(train, test) of row numbers. Pass cv=5 for five folds."
        )
    return test


def rows_of_fold(fold, number):
    """Return the rows that the model of a fold scores: its own, and those of no fold."""
    return np.flatnonzero((fold == number) | (fold < 0))


def _fold_of_all(fold, unit):
    """Give rows that were not judged the fold of their unit, if it is in one only.

    Parameters
    ----------
    fold : ndarray of shape (n_rows,), int
        -1 for rows that were not judged.
    unit : ndarray of shape (n_rows,), int
    """
    lowest = np.full(int(unit.max()) + 1, fold.max() + 1)
    highest = np.full(len(lowest), -1)
    known = fold >= 0
    np.minimum.at(lowest, unit[known], fold[known])
    np.maximum.at(highest, unit[known], fold[known])
    of_unit = np.where(lowest == highest, highest, -1)
    return np.where(known, fold, of_unit[unit])
