"""What a learnt score is to be held against: a sum of ranks, the name of the system."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from sklearn_pscore._rankers.handcrafted import RankSumRanker
from sklearn_pscore._rankers.single_metric import SingleMetricRanker


class LearntRankSum(RegressorMixin, BaseEstimator):
    """The rank sum over all metrics, each turned as it agrees with people in ``fit``."""

    def fit(self, X, y):
        """Learn the direction of each metric.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y : structured ndarray of shape (n_samples,)
        """
        self.directions_ = [
            SingleMetricRanker(column, "learn").fit(X, y).direction_
            for column in range(X.shape[1])
        ]
        self.ranker_ = RankSumRanker(directions=self.directions_).fit(X, y)
        return self

    def predict(self, X, groups):
        """Return minus the sum of ranks inside of groups."""
        return self.ranker_.predict(X, groups)


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
