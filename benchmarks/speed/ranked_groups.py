"""Two more truths for large problems, graded 0 to 4 by rank inside the group.

``UselessFeatures`` has few features that count, two of them only as a product, among
many that are noise; ``SparseThresholds`` has cuts, and features that are 0 in most
rows. Both have the interface of ``GradedGroups`` (graded_groups.py), have 136
features in groups of 100, and are drawn in chunks. ``utility`` is the
truth without noise: the best score that there is.
"""

import numpy as np

N_FEATURES = 136
GROUP_SIZE = 100
# Of the items of a group, those that have at most grade 0, 1, 2, 3.
_SHARES = (0.5, 0.75, 0.89, 0.96)
_GROUPS_AT_A_TIME = 200


class RankedGroups:
    """Groups of 100 items graded by the rank of a noisy utility in their group."""

    n_features = N_FEATURES
    group_size = GROUP_SIZE

    def draw(self, n_rows, seed):
        """Return (X, grade, group): float32, grades 0 to 4, codes 0, 1, ...

        Parameters
        ----------
        n_rows : int
            A multiple of 100.
        seed : int or sequence of int
        """
        if n_rows % GROUP_SIZE:
            raise ValueError(
                f"n_rows is {n_rows}; expected a multiple of {GROUP_SIZE}, since "
                "grades are shares of whole groups."
            )
        rng = np.random.default_rng(seed)
        X = np.empty((n_rows, N_FEATURES), dtype=np.float32)
        grade = np.empty(n_rows, dtype=np.int8)
        step = _GROUPS_AT_A_TIME * GROUP_SIZE
        for top in range(0, n_rows, step):
            rows = slice(top, min(n_rows, top + step))
            X[rows] = self._features(rng, rows.stop - top)
            noise = rng.standard_normal(rows.stop - top)
            grade[rows] = _grades(self.utility(X[rows]) + noise)
        return X, grade, np.arange(n_rows) // GROUP_SIZE


def _grades(utility):
    """Return grades by rank inside consecutive groups of GROUP_SIZE."""
    rank = utility.reshape(-1, GROUP_SIZE).argsort(axis=1).argsort(axis=1).ravel()
    cuts = np.round(np.array(_SHARES) * GROUP_SIZE)
    return np.searchsorted(cuts, rank, side="right")


class UselessFeatures(RankedGroups):
    """Standard normal features of which 21 count: 115 are noise.

    The utility is x0 x1 + sin(2 x2) + 2 max(x3, 0), .18 times the sum of x4 to x19,
    and a step of 1.6 at 0 of x20; noise has variance 1. x0 and x1 have no main
    effect, so a choice of features one by one drops them. The truth itself has NDCG@10
    .87 and accuracy .912.
    """

    n_useful = 21

    def utility(self, X):
        """Return the truth without noise."""
        X = np.asarray(X, dtype=np.float64)
        return (
            X[:, 0] * X[:, 1]
            + np.sin(2 * X[:, 2])
            + 2 * np.maximum(X[:, 3], 0)
            + 0.18 * X[:, 4:20].sum(axis=1)
            + 1.6 * (X[:, 20] > 0)
        )

    def _features(self, rng, n_rows):
        return rng.standard_normal((n_rows, N_FEATURES), dtype=np.float32)


class SparseThresholds(RankedGroups):
    """Cuts in 36 dense features, and 100 sparse ones that are 0 in 95 % of the rows.

    What is stored of the sparse features is a count with a heavy tail, as of words or
    links. The utility adds up cuts of 12 dense features, presence and the logarithm
    of 20 sparse ones, and 4 presences that count only where a dense feature is above a
    cut. 20 dense and 76 sparse features are noise.
    """

    n_dense = 36
    share_stored = 0.05

    def __init__(self):
        # The truth is the same whatever rows are drawn.
        rng = np.random.default_rng(20230722)
        self._cuts = rng.uniform(-1, 1, size=12)
        self._steps = rng.choice([-1, 1], 12) * rng.uniform(0.4, 1.0, size=12)
        self._present = rng.choice([-1, 1], 20) * rng.uniform(0.5, 1.5, size=20)
        self._amount = rng.choice([-1, 1], 20) * rng.uniform(0.2, 0.6, size=20)
        self._together = rng.choice([-1, 1], 4) * rng.uniform(1.5, 2.5, size=4)

    def utility(self, X):
        """Return the truth without noise."""
        X = np.asarray(X, dtype=np.float64)
        dense, sparse = X[:, : self.n_dense], X[:, self.n_dense :]
        together = (sparse[:, 20:24] > 0) & (dense[:, 12:16] > 0.3)
        return (
            (dense[:, :12] > self._cuts) @ self._steps
            + (sparse[:, :20] > 0) @ self._present
            + np.log1p(sparse[:, :20]) @ self._amount
            + together @ self._together
        )

    def _features(self, rng, n_rows):
        X = rng.standard_normal((n_rows, N_FEATURES), dtype=np.float32)
        is_stored = rng.random((n_rows, N_FEATURES - self.n_dense)) < self.share_stored
        counts = np.ceil(np.exp(1.2 * X[:, self.n_dense :]))
        X[:, self.n_dense :] = np.where(is_stored, counts, 0)
        return X
