"""Baselines of ranks where nobody knows which way the metrics point."""

from sklearn.base import BaseEstimator, clone

from sklearn_pscore._rankers.base import RankerMixin
from sklearn_pscore._rankers.single_metric import SingleMetricRanker


class LearntDirections(RankerMixin, BaseEstimator):
    """A baseline whose directions are those by which each metric agrees with people.

    The paper's twelve metrics have the directions that their names say.

    Parameters
    ----------
    ranker : RankSumRanker or TopCountRanker

    Attributes
    ----------
    directions_ : list of str
        Direction of each column.

    ranker_ : estimator
        The fitted ranker.
    """

    def __init__(self, ranker):
        self.ranker = ranker

    def fit(self, X, y):
        """Learn the directions, and fit the ranker with them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : structured ndarray of shape (n_samples,)

        Returns
        -------
        self : LearntDirections
        """
        self.directions_ = [
            SingleMetricRanker(column).fit(X, y).direction_
            for column in range(X.shape[1])
        ]
        self.ranker_ = clone(self.ranker).set_params(directions=self.directions_)
        self.ranker_.fit(X, y)
        return self

    def predict(self, X, groups=None):
        """Return the scores of the ranker."""
        return self.ranker_.predict(X, groups)
