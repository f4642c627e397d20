"""Synthetic data with a known truth, for the comparison of rankers.

Each recipe draws groups of items with features, a preference that a truth and
noise decide, and splits the groups into those to train on and those to judge
on. Every draw has a truth of its own: its weights, thresholds and loadings are
drawn again. Preferences to learn from and to judge by have the same noise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd
from scipy import special, stats

from sklearn_pscore import Groups

# Increasing maps, one of which turns the measured quality into a metric.
_METRIC_MAPS = (
    lambda z: z,
    np.tanh,
    np.exp,
    np.sinh,
    special.ndtr,
    lambda z: np.log1p(np.exp(2 * z)),
    lambda z: np.round(z, 0),
)


@dataclass(frozen=True)
class Recipe:
    """How a synthetic set is drawn.

    Attributes
    ----------
    name : str
    truth : callable or None
        ``truth(rng, X)``, the quality by the useful features. None: a table of
        metrics, `_metric_table`, of a quality that is behind them.
    size : tuple (n_groups, n_items, n_features)
        Of the part to train on; an item is a row of a group.
    n_useful : int or None
        Features that the truth takes; the rest is useless. None: all.
    noise : float
        Standard deviation of the noise, that of the truth inside groups is 1.
    measured : callable or None
        ``measured(rng, X)``, the features as the ranker sees them.
    levels : int or None
        Preferences are cut into so many equally filled levels.
    winners : bool
        Train on the winner of each group only; judge by the full order.
    n_test_groups, n_draws : int
    """

    name: str
    truth: Callable | None
    size: tuple
    n_useful: int | None = None
    noise: float = 0.5
    measured: Callable | None = None
    levels: int | None = None
    winners: bool = False
    n_test_groups: int = 100
    n_draws: int = 5

    def draw(self, seed):
        """Return X_train, groups_train, X_test, groups_test of one draw."""
        rng = np.random.default_rng([seed, crc32(self.name.encode())])
        n_groups, n_items, n_features = self.size
        shape = (n_groups + self.n_test_groups, n_items)
        if self.truth is None:
            X, quality = _metric_table(rng, shape, n_features)
        else:
            X = rng.standard_normal((*shape, n_features))
            quality = self.truth(rng, X[..., : self.n_useful])
        if self.measured is not None:
            X = self.measured(rng, X)
        quality = quality - quality.mean(axis=1, keepdims=True)
        preference = quality / quality.std()
        preference = preference + self.noise * rng.standard_normal(shape)
        if self.levels is not None:
            preference = _cut(preference, self.levels)
        return self._split(X, preference)

    def _split(self, X, preference):
        n, n_items, n_features = X.shape
        group = np.repeat(np.arange(n), n_items)
        frame = pd.DataFrame(X.reshape(-1, n_features)).add_prefix("x")
        groups = Groups.from_arrays(group=group, preference=preference.ravel())
        train = group < self.size[0]
        learnt = groups[train]
        if self.winners:
            best = preference == preference.max(axis=1, keepdims=True)
            learnt = Groups.from_winners(group=group, winner=best.ravel())[train]
        return frame[train], learnt, frame[~train], groups[~train]


def _linear(rng, X):
    """A weighted sum."""
    return X @ rng.standard_normal(X.shape[-1])


def _saturating(rng, X):
    """Each feature counts until it is good enough."""
    enough = rng.uniform(-1.0, 1.0, X.shape[-1])
    return np.tanh(2.0 * (X - enough)) @ rng.standard_normal(X.shape[-1])


def _stepped(rng, X):
    """Each feature counts by two thresholds that it passes."""
    first, second = rng.uniform(-1.2, 1.2, (2, X.shape[-1]))
    return ((first < X) * 1.0 + (second < X)) @ rng.standard_normal(X.shape[-1])


def _interactions(rng, X):
    """Products of neighbours, beside a linear part of the same size."""
    products = X[..., ::2] * X[..., 1::2]
    linear = _linear(rng, X) / np.sqrt(X.shape[-1])
    return linear + _linear(rng, products) / np.sqrt(products.shape[-1])


def _xor(rng, X):
    """The sign of the first feature turns the second around."""
    return np.sign(X[..., 0]) * X[..., 1]


def _weakest(rng, X):
    """The weakest of three sums decides most."""
    parts = X @ np.abs(rng.standard_normal((X.shape[-1], 3)))
    return parts.min(axis=-1) + 0.3 * parts.mean(axis=-1)


def _metric_table(rng, shape, n_metrics):
    """Return metrics and the quality that people see, as in a study of metrics.

    Items have three aspects. A quarter of their variance belongs to the system,
    the position of the item in the group, which is the same in all groups. People
    weigh the aspects and mind a bad one more than they like a good one. A metric
    measures one aspect or two, plus the group (its content), noise that it shares
    with other metrics, and noise of its own; its sign may be turned, and one in six
    measures nothing.
    """
    n_groups, n_items = shape
    system = rng.standard_normal((1, n_items, 3))
    aspects = 0.5 * system + np.sqrt(0.75) * rng.standard_normal((*shape, 3))
    weights = rng.dirichlet([2.0, 2.0, 2.0])
    quality = -np.exp(-0.7 * aspects) @ weights

    loadings = rng.dirichlet([0.4, 0.4, 0.4], n_metrics)
    loadings[rng.random(n_metrics) < 1 / 6] = 0.0
    shared = rng.standard_normal((*shape, 2)) @ rng.standard_normal((2, n_metrics))
    content = rng.standard_normal((n_groups, 1, n_metrics))
    noise = rng.standard_normal((*shape, n_metrics))
    z = (
        1.3 * aspects @ loadings.T
        + rng.uniform(0.2, 1.0, n_metrics) * content
        + rng.uniform(0.1, 0.5, n_metrics) * shared
        + rng.uniform(0.4, 1.2, n_metrics) * noise
    )
    z *= rng.choice([-1.0, 1.0], n_metrics, p=[0.3, 0.7])
    which = rng.integers(len(_METRIC_MAPS), size=n_metrics)
    mapped = [_METRIC_MAPS[m](z[..., j]) for j, m in enumerate(which)]
    return np.stack(mapped, axis=-1), quality


def _duplicated(rng, X):
    """Every feature is measured four times, with little noise."""
    copies = np.concatenate([X] * 4, axis=-1)
    return copies + 0.2 * rng.standard_normal(copies.shape)


def _with_outliers(rng, X):
    """One cell in fifty is a hundred times too large."""
    return np.where(rng.random(X.shape) < 0.02, 100.0 * X, X)


def _heavy_tailed(rng, X):
    """Each feature gets the distribution of Student's t, 1.5 degrees of freedom."""
    return stats.t.ppf(special.ndtr(X), 1.5)


def _with_group_effects(rng, X):
    """Features differ ten times as much between groups as inside them."""
    return X + 10.0 * rng.standard_normal((X.shape[0], 1, X.shape[2]))


def _cut(preference, levels):
    """Return the level of each preference; all levels hold as many items."""
    inner = np.quantile(preference, np.arange(1, levels) / levels)
    return np.searchsorted(inner, preference).astype(float)


_LARGE = {"n_test_groups": 200, "n_draws": 2}

RECIPES = (
    # As tables of metrics against people are.
    Recipe("metrics 20 x 8", None, (20, 8, 12), noise=0.7, n_draws=10),
    Recipe("metrics 40 x 10, winners", None, (40, 10, 16), winners=True),
    Recipe(
        "metrics 60 x 12, group effects",
        None,
        (60, 12, 20),
        noise=0.8,
        measured=_with_group_effects,
    ),
    Recipe("metrics 100 x 8", None, (100, 8, 24), noise=0.5),
    Recipe("metrics 100 x 25, 5 levels", None, (100, 25, 15), noise=1.0, levels=5),
    Recipe(
        "metrics 30 x 20, outliers",
        None,
        (30, 20, 10),
        noise=0.6,
        measured=_with_outliers,
    ),
    # Few items.
    Recipe("linear, one group of 8", _linear, (1, 8, 4), noise=0.2, n_draws=20),
    Recipe("saturating, 5 x 8", _saturating, (5, 8, 8), n_draws=10),
    Recipe("xor, 40 x 8, 2 features", _xor, (40, 8, 2), noise=0.3),
    # One kind of difficulty each.
    Recipe("linear, 20 x 8", _linear, (20, 8, 12)),
    Recipe(
        "linear, 100 x 10, 280 of 300 useless", _linear, (100, 10, 300), n_useful=20
    ),
    Recipe("linear, 60 x 10, duplicated", _linear, (60, 10, 8), measured=_duplicated),
    Recipe("linear, 60 x 10, outliers", _linear, (60, 10, 10), measured=_with_outliers),
    Recipe(
        "linear, 60 x 10, heavy tails", _linear, (60, 10, 10), measured=_heavy_tailed
    ),
    Recipe(
        "linear, 60 x 10, group effects",
        _linear,
        (60, 10, 10),
        measured=_with_group_effects,
    ),
    Recipe("linear, 60 x 10, label noise", _linear, (60, 10, 10), noise=2.0),
    Recipe("saturating, 100 x 10", _saturating, (100, 10, 15)),
    Recipe("stepped, 100 x 10", _stepped, (100, 10, 10)),
    Recipe("weakest part, 100 x 10", _weakest, (100, 10, 12)),
    Recipe("interactions, 200 x 10", _interactions, (200, 10, 10)),
    # Many items.
    Recipe("stepped, 1,000 x 20", _stepped, (1000, 20, 30), n_useful=20, n_draws=2),
    Recipe(
        "interactions, 10,000 x 10",
        _interactions,
        (10_000, 10, 50),
        n_useful=20,
        **_LARGE,
    ),
    Recipe(
        "saturating, 1,000 x 100, 5 levels",
        _saturating,
        (1000, 100, 40),
        n_useful=20,
        levels=5,
        noise=1.0,
        **_LARGE,
    ),
)
