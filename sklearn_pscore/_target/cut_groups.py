"""Cut groups: those that have lost rows since their target was made."""

import hashlib

import numpy as np

from sklearn_pscore._warn import warn_user


def count_judged_rows(target):
    """Return the number of judged rows that count in each group of a RankingTarget."""
    is_counted = target.is_counted & ~np.isnan(target.preference)
    group = target.group if is_counted.all() else target.group[is_counted]
    return np.bincount(group, minlength=target.n_groups)


def has_one_group(target):
    """Tell whether all judged rows that count are of one group.

    Such a target can only be split by rows.
    """
    return np.count_nonzero(count_judged_rows(target)) == 1


def find_cut_groups(target):
    """Return the codes of the groups that are cut, and the rows that are left of each.

    A group of which no row is left is not cut. A target that does not know its sizes
    has no cut group, and neither has one in which a group has more rows than at first:
    no split does that, but a bootstrap of rows.
    """
    nothing = np.empty((2, 0), dtype=np.int64)
    if target.group_size is None:
        return nothing
    n_left, size = count_judged_rows(target), target.group_size
    if np.any((n_left > size) & (size > 0)):
        return nothing
    cut = np.flatnonzero((n_left > 0) & (n_left < size))
    return np.stack([cut, n_left[cut]])


def warn_about_cut_groups(target, caller, *, allowed=0):
    """Warn if more than `allowed` groups are cut; return how many are.

    Called once in each public function or method, by the one that reads the
    preferences.

    Parameters
    ----------
    target : RankingTarget
    caller : str
        Name of the function or method, for the message.
    allowed : int, default=0

    Returns
    -------
    n_cut : int
    """
    cut, n_left = find_cut_groups(target)
    if len(cut) > allowed:
        n_present = np.count_nonzero(count_judged_rows(target))
        lost = ""
        if target.n_lost_votes:
            lost = f" At least {target.n_lost_votes:g} votes are lost with the others."
        warn_user(
            f"{caller} got {len(cut)} of {n_present} groups cut: group "
            f"{target.labels[cut[0]]!s} has {n_left[0]} of its "
            f"{target.group_size[cut[0]]} judged rows, and is taken for a whole one."
            f"{lost} Split "
            "whole groups, by cv=PreferenceGroupKFold() or groups_train_test_split; in a "
            'halving search pass resource="max_epochs" of the ranker, since "n_samples" '
            "cuts. If the rows were left out on purpose, pass Groups.whole(groups)."
        )
    return len(cut)


def digest_of(groups):
    """Return a digest of the values of a structured target."""
    content = np.ascontiguousarray(groups)
    return hashlib.blake2b(content.tobytes()).digest()
