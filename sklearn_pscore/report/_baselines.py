"""What a learnt score is to be held against: the name of the system alone."""

import numpy as np


def scores_of_names(target, system, folds):
    """Return scores that know only the name of the system of each row.

    A system's score is the mean of its preferences above the mean of their groups, on
    the rows to learn from; that of a system which is not there is 0.

    Parameters
    ----------
    target : RankingTarget
    system : ndarray of shape (n_rows,)
    folds : list of (train, test)

    Returns
    -------
    y_score : ndarray of shape (n_rows,), float
        NaN for rows in no test part.
    """
    y_score = np.full(target.n_rows, np.nan)
    names, code = np.unique(system, return_inverse=True)
    for train, test in folds:
        rows = train[target.is_counted[train]]
        group, weight = target.group[rows], target.weight[rows]
        total = np.bincount(group, weight, minlength=target.n_groups)
        summed = np.bincount(
            group, weight * target.preference[rows], minlength=target.n_groups
        )
        above = target.preference[rows] - summed[group] / total[group]
        seen = np.bincount(code[rows], weight, minlength=len(names))
        mean = np.bincount(code[rows], weight * above, minlength=len(names))
        y_score[test] = np.divide(mean, seen, out=np.zeros(len(names)), where=seen > 0)[
            code[test]
        ]
    return y_score
