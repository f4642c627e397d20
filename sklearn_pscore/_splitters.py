"""Splitters that keep groups whole and read them from the target."""

from math import ceil
from numbers import Integral, Real

import numpy as np
from sklearn.model_selection import GroupKFold, GroupShuffleSplit
from sklearn.utils import _safe_indexing, indexable

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._target.arguments import refuse_bare_ranker_of_caller
from sklearn_pscore._target.check import check_groups, is_structured
from sklearn_pscore._target.fields import as_labels
from sklearn_pscore._target.rows import count_rows
from sklearn_pscore._warn import warn_user


class PreferenceGroupKFold(GroupKFold):
    """K folds that never cut a group, read from the target.

    scikit-learn's :class:`~sklearn.model_selection.GroupKFold`, with three
    differences that make it a plain ``cv=`` argument everywhere:

    - Without ``groups=``, rows are split by the `block` field of the structured
      target ``y``, or by its `group` where it has no blocks. The ranking group and
      the block to split by may differ: to rank inside portrait x speech but split
      by portrait, give the target the portraits as `block`.
    - Donor rows of the target, which are for augmentation only, are in the
      training part of every fold and in no test part. ``cross_val_predict``,
      which needs every row tested once, refuses such a target: leave the donors
      out there.
    - The rows to train on come group after group, in the order of their first
      rows, so that a ``learning_curve``, which takes the first of them, cuts a
      single group. ``HalvingGridSearchCV`` draws rows at random and cuts them
      all: pass it ``resource="max_epochs"`` of the ranker.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2 and at most the number of groups.

    shuffle : bool, default=False
        Whether to deal the groups out at random. If not, the largest groups are
        dealt first, each to the fold with the fewest rows so far.

    random_state : int, RandomState instance or None, default=None
        Seeds the shuffling; only with ``shuffle=True``.

    See Also
    --------
    groups_train_test_split : One split into two parts.
    compare_rankers : Compares rankers over such folds.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_pscore import Groups
    >>> from sklearn_pscore.model_selection import PreferenceGroupKFold
    >>> groups = Groups.from_arrays(
    ...     group=["a", "b", "a", "b"],
    ...     preference=[1.0, 1.0, 0.0, 0.0],
    ... )
    >>> X = np.zeros((4, 1))
    >>> for train, test in PreferenceGroupKFold(n_splits=2).split(X, groups):
    ...     print(train.tolist(), test.tolist())
    [0, 2] [1, 3]
    [1, 3] [0, 2]
    """

    # Written out because scikit-learn builds the repr from this signature.
    def __init__(self, n_splits=5, *, shuffle=False, random_state=None):
        if isinstance(n_splits, bool) or not isinstance(n_splits, Integral):
            raise TypeError(
                f"n_splits is {n_splits!r:.60}; expected a number of folds. Pass an "
                "integer >= 2, for example n_splits=5."
            )
        super().__init__(n_splits, shuffle=shuffle, random_state=random_state)

    def split(self, X, y=None, groups=None):
        """Generate the row numbers of the training and test part of each fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Only its number of rows is used.

        y : structured ndarray of shape (n_samples,) or array-like, default=None
            The target. Anything but a target of Groups needs `groups`.

        groups : array-like of shape (n_samples,) or None, default=None
            Labels to split by, integers or strings. None takes ``y["block"]``, or
            ``y["group"]`` if there are no blocks.

        Returns
        -------
        folds : iterator of (train, test)
            Two arrays of row numbers per fold: `train` group after group, `test`
            in ascending order.

        Raises
        ------
        TypeError
            If there is nothing to split by: no structured `y` and no `groups`; or if a
            search or another function of scikit-learn would fit another library's ranker
            on the folds as it is: its ``fit`` does not know the target.
        ValueError
            If lengths differ, or there are fewer groups than folds.
        """
        if self.shuffle:
            generator_of(self.random_state, type(self).__name__)
        if is_structured(y):
            refuse_bare_ranker_of_caller()
        n_rows = count_rows(X, "X")
        labels, target, unit = _labels_to_split_by(
            y, groups, n_rows, type(self).__name__, "y", "groups"
        )
        donor = np.zeros(n_rows, dtype=bool) if target is None else target.donor
        group = labels if target is None else target.group
        kept = np.flatnonzero(~donor)
        n_groups = len(np.unique(labels[kept]))
        if self.n_splits > n_groups:
            raise ValueError(
                f"n_splits is {self.n_splits} but the {len(kept)} rows (donors left "
                f"out) are in {n_groups} {unit}s; expected at least one {unit} per fold. "
                f"Lower n_splits, or pass labels of more {unit}s as groups=."
            )
        folds = super().split(kept, groups=labels[kept])
        order = np.lexsort((_first_row_of(group), _first_row_of(labels)))
        # Not a generator function, so that the checks above run at the call.
        return (
            (order[np.isin(order, kept[test], invert=True)], kept[test])
            for _, test in folds
        )


def groups_train_test_split(
    X, groups, *arrays, test_size=0.25, random_state=None, cv_groups=None
):
    """Split rows into a training and a test part without cutting a group.

    Like :func:`sklearn.model_selection.train_test_split` for a structured
    target. The rows of each part stay in their order. Donor rows go to the
    training part.

    Parameters
    ----------
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Features; a DataFrame stays a DataFrame.

    groups : structured ndarray of shape (n_samples,)
        Target built by Groups. A plain target of one group is taken too, if
        `cv_groups` says how to split it.

    *arrays : array-like of shape (n_samples, ...)
        More arrays to split in the same way.

    test_size : float or int, default=0.25
        Size of the test part in groups, or in blocks where the target has them: a
        fraction between 0 and 1, rounded up to whole ones, or their number.

    random_state : int, RandomState instance or None, default=None
        Decides which groups or blocks are drawn.

    cv_groups : array-like of shape (n_samples,) or None, default=None
        Labels to split by, integers or strings. None takes ``groups["block"]``, or
        ``groups["group"]`` if there are no blocks.

    Returns
    -------
    parts : list of length 4 + 2 * len(arrays)
        ``X_train, X_test, groups_train, groups_test``, then two parts of each
        further array.

    Raises
    ------
    TypeError
        If there is nothing to split by, or `test_size` is not a number.
    ValueError
        If lengths differ, or a part would get no group.

    See Also
    --------
    PreferenceGroupKFold : Several splits, each group tested once.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_pscore import Groups
    >>> from sklearn_pscore.model_selection import groups_train_test_split
    >>> groups = Groups.from_arrays(group=["a", "b", "a", "b"])
    >>> X_train, X_test, groups_train, groups_test = groups_train_test_split(
    ...     np.arange(4).reshape(-1, 1), groups, test_size=0.5, random_state=0
    ... )
    >>> X_train.ravel().tolist(), groups_test["group"].tolist()
    ([0, 2], ['b', 'b'])
    """
    n_rows = count_rows(X, "X")
    labels, target, unit = _labels_to_split_by(
        groups, cv_groups, n_rows, "groups_train_test_split", "groups", "cv_groups"
    )
    donor = np.zeros(n_rows, dtype=bool) if target is None else target.donor
    for number, array in enumerate(arrays):
        _check_length(array, n_rows, f"arrays[{number}]")
    kept = np.flatnonzero(~donor)
    n_test = _n_test_groups(test_size, len(np.unique(labels[kept])), unit)
    rng = generator_of(random_state, "groups_train_test_split")
    splitter = GroupShuffleSplit(1, test_size=n_test, random_state=rng)
    _, test = next(splitter.split(kept, groups=labels[kept]))
    in_test = np.zeros(n_rows, dtype=bool)
    in_test[kept[test]] = True
    train, test = np.flatnonzero(~in_test), np.flatnonzero(in_test)
    return [
        take_rows(array, rows)
        for array in indexable(X, groups, *arrays)
        for rows in (train, test)
    ]


def take_rows(values, rows):
    """Return the numbered rows of an array, sparse matrix, DataFrame or list."""
    # The one use of this private function. scikit-learn slices X by it, so a
    # pandas or polars DataFrame stays one.
    return _safe_indexing(values, rows)


def _labels_to_split_by(target, labels, n_rows, caller, target_name, labels_name):
    """Return the code that each row is split by, the checked target, and a word.

    Splits by `labels` if given, else by the blocks of the target, or its groups. A
    target that is not structured is None. The word says what is split: "group" or
    "block".
    """
    checked = None
    if labels is None or is_structured(target):
        checked = check_groups(
            target,
            n_rows=n_rows,
            allow_plain=False,
            require_preference=False,
            caller=f"{caller} without {labels_name}=",
            name=target_name,
        )
        if labels is None:
            unit = "group" if checked.block is None else "block"
            return checked.unit, checked, unit
    elif target is not None:
        _check_length(target, n_rows, target_name)
        warn_user(
            f"{target_name} is a plain array: rows are split by {labels_name}, but a "
            "ranker and its scorers read a plain target as one single group. Pass "
            f"Groups.from_arrays(group=..., preference={target_name}) to rank inside "
            "groups."
        )
    if is_structured(labels):
        raise TypeError(
            f"{labels_name} is a structured array with the fields "
            f"{list(labels.dtype.names)}; expected one label per row to split by. Pass "
            f'the target as {target_name}, or {labels_name}=groups["group"].'
        )
    labels = as_labels(labels, labels_name)
    _check_length(labels, n_rows, labels_name)
    codes = np.unique(labels, return_inverse=True)[1]
    return codes, checked, "group"


def _first_row_of(codes):
    """Return, for each row, the first row that has its code."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return first[inverse]


def _n_test_groups(test_size, n_groups, unit):
    """Return the number of groups, or of blocks if `unit` is that, to test on."""
    if n_groups < 2:
        raise ValueError(
            f"The rows (donors left out) are in {n_groups} {unit}(s); expected at least "
            f"2, one for each part. Pass labels of more {unit}s as cv_groups=."
        )
    if isinstance(test_size, bool) or not isinstance(test_size, Real):
        raise TypeError(
            f"test_size is {test_size!r}; expected a fraction or a number of groups. "
            "Pass for example test_size=0.25."
        )
    if isinstance(test_size, Integral):
        n_test = int(test_size)
    else:
        n_test = ceil(test_size * n_groups) if 0 < test_size < 1 else 0
    if not 1 <= n_test < n_groups:
        raise ValueError(
            f"test_size is {test_size} with {n_groups} {unit}s to split; expected a "
            f"fraction that leaves both parts a {unit}, or 1 to {n_groups - 1} {unit}s. "
            f"Change test_size, or pass labels of more {unit}s as cv_groups=."
        )
    return n_test


def _check_length(values, n_rows, name):
    n_values = count_rows(values, name)
    if n_values != n_rows:
        raise ValueError(
            f"{name} has {n_values} rows but X has {n_rows}; expected one row per row "
            "of X. Build both from the same rows."
        )
