"""Groups of graded items, with a truth that suits no kind of model best.

Features are correlated, of many units, and some have heavy tails; the utility
has linear and saturating parts, products of two features, steps and absolute
values; grades 0 to 4 cut the utility with noise in the shares that grades have
in web search (most items are of no use). Nothing is fitted to any of the models
that are compared, and seeds and shares are fixed here, once for all scripts.
"""

import numpy as np

_N_FACTORS = 8
# Of the items, those that have at most grade 0, 1, 2, 3.
_SHARES = (0.52, 0.75, 0.92, 0.98)
_NOISE = 0.5
# The truth is the same whatever rows are drawn.
_SEED_OF_TRUTH = 20230721
_ROWS_AT_A_TIME = 20_000


class GradedGroups:
    """A truth over some features, from which any number of groups is drawn.

    Parameters
    ----------
    n_features : int
        At least 8.
    group_size : int
        Items of each group.
    """

    def __init__(self, n_features, group_size=100):
        rng = np.random.default_rng(_SEED_OF_TRUTH)
        self.n_features = n_features
        self.group_size = group_size
        self._loadings = rng.normal(size=(_N_FACTORS, n_features)).astype(np.float32)
        self._loadings *= np.float32(np.sqrt(0.3 / _N_FACTORS))
        self._units = np.exp(rng.normal(size=n_features)).astype(np.float32)
        self._shifts = rng.normal(size=n_features).astype(np.float32)
        self._parts = [rng.permutation(n_features)[:k] for k in self._part_sizes()]
        self._weights = [rng.normal(size=len(part)) for part in self._parts]
        z, noise = self._draw(rng, 50_000)
        self._scale = np.ones(len(self._parts))
        self._scale = np.array([values.std() for values in self._values(z)])
        self._cuts = np.quantile(self._utility(z, noise), _SHARES)

    def draw(self, n_rows, seed):
        """Return (X, grade, group): float32, grades 0 to 4, codes 0, 1, ...

        Rows are made in chunks, so that little more than `X` is in memory.
        """
        rng = np.random.default_rng(seed)
        X = np.empty((n_rows, self.n_features), dtype=np.float32)
        grade = np.empty(n_rows, dtype=np.int8)
        for top in range(0, n_rows, _ROWS_AT_A_TIME):
            rows = slice(top, min(n_rows, top + _ROWS_AT_A_TIME))
            z, noise = self._draw(rng, rows.stop - top)
            grade[rows] = np.searchsorted(self._cuts, self._utility(z, noise))
            X[rows] = self._measured(z)
        return X, grade, np.arange(n_rows) // self.group_size

    def utility(self, X):
        """Return the truth without noise: the best score of rows of `X`."""
        z = (np.asarray(X, dtype=np.float32) - self._shifts) / self._units
        z[:, ::4] = np.log1p(z[:, ::4])
        return self._utility(z, 0.0)

    def _part_sizes(self):
        """Return how many features each part of the utility takes."""
        n = self.n_features
        return [max(4, n // 6), max(4, n // 12), max(4, n // 8), max(4, n // 8), 4]

    def _draw(self, rng, n_rows):
        """Return standardised features and the noise of the utility."""
        z = rng.standard_normal((n_rows, self.n_features), dtype=np.float32)
        z *= np.float32(np.sqrt(0.7))
        factors = rng.standard_normal((n_rows, _N_FACTORS), dtype=np.float32)
        z += factors @ self._loadings
        return z, rng.standard_normal(n_rows)

    def _values(self, z):
        """Return the parts of the utility: linear, bent, products, steps, sizes."""
        linear, bent, products, steps, sizes = (z[:, part] for part in self._parts)
        half = products.shape[1] // 2
        weights = self._weights
        return [
            linear @ weights[0],
            np.tanh(2 * bent) @ weights[1],
            (products[:, :half] * products[:, half : 2 * half]) @ weights[2][:half],
            (steps > 0.5) @ weights[3],
            np.abs(sizes) @ weights[4],
        ]

    def _utility(self, z, noise):
        """Return the sum of the parts at equal variance, plus noise."""
        parts = self._values(z)
        total = sum(
            part / scale for part, scale in zip(parts, self._scale, strict=True)
        )
        return total / np.sqrt(len(parts)) + _NOISE * noise

    def _measured(self, z):
        """Return the features in their units; every fourth has a heavy tail."""
        z = z.copy()
        z[:, ::4] = np.expm1(z[:, ::4])
        return z * self._units + self._shifts
