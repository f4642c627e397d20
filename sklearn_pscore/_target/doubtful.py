"""Plain targets that are probably no preferences of one single group."""

import numpy as np

from sklearn_pscore._warn import warn_user

# A plain integer target with this many distinct values, each of them at least
# twice, is more likely a column of group ids than a leaderboard. Not measured:
# scikit-learn's estimator checks, which must not warn, send at most 4.
_SUSPICIOUS_DISTINCT_INTEGERS = 8
# More rows than this with at most so many distinct values, each of them this often,
# are more likely choices or grades in many groups than a leaderboard, which tells its
# contenders apart, or a contest, which has few winners. Not measured: where
# scikit-learn's checks send few values, they send at most 150 rows.
_MANY_ROWS = 200
_FEW_VALUES = 5
_OFTEN = 10


def warn_about_group_ids(y):
    """Warn if plain preferences are more likely group ids.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        As it was passed: preferences that are floats are no ids.
    """
    if y.dtype.kind not in "ui":
        return
    _, counts = np.unique(y, return_counts=True)
    if len(counts) >= _SUSPICIOUS_DISTINCT_INTEGERS and counts.min() >= 2:
        warn_user(
            f"y holds {len(counts)} distinct integers over {len(y)} rows and no groups: "
            "they were read as preferences of one group. If they are group ids, pass "
            "Groups.from_arrays(group=y, preference=...). If they are preferences, "
            "convert them to float."
        )


def warn_about_grades(preference):
    """Warn if plain preferences are more likely those of many groups.

    Parameters
    ----------
    preference : ndarray of shape (n_rows,), float
        Finite.
    """
    n_rows = len(preference)
    # Most targets have many values among the first rows: no need to sort them all.
    if n_rows <= _MANY_ROWS or len(np.unique(preference[:_MANY_ROWS])) > _FEW_VALUES:
        return
    _, counts = np.unique(preference, return_counts=True)
    if 1 < len(counts) <= _FEW_VALUES and counts.min() >= _OFTEN:
        n_pairs = (n_rows**2 - int(np.sum(counts**2))) // 2
        warn_user(
            f"y holds {len(counts)} distinct values over {n_rows} rows and no groups: they "
            f"were read as preferences of one group, which makes {n_pairs} pairs. If they "
            "are choices or grades in several groups, pass Groups.from_arrays(group=..., "
            "preference=y). If they are one group, pass group=np.zeros(len(y)) there."
        )
