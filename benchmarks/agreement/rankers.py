"""The rankers that are compared: other libraries' and this package's.

``RANKERS`` maps a name to an entry that makes a ranker of a seed. All have
``fit(X, groups)`` and ``predict(X)``; each gets the rows of a group together,
as its library wants them, nobody gets donors, and all have as many threads.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.shared.results import n_threads
from sklearn_pscore import (
    LinearPreferenceRanker,
    PairwisePreferenceRanker,
    RankSumRanker,
    SingleMetricRanker,
    StackedRanker,
    TopCountRanker,
)

MAX_PAIRS = 200_000
"""Pairs that are judged one by one, drawn at random where there are more."""

MANY_ROWS = 50_000
"""From here on CatBoost gets a third of the trees, and 20 pairs per item."""

_MAX_GRADES = 31  # as many as LightGBM takes by default


@dataclass(frozen=True)
class Sorted:
    """Rows of one group together; `sizes` counts them, group after group."""

    X: np.ndarray
    preference: np.ndarray
    group: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, X, groups):
        """Sort by group, keep the order inside a group, and drop donors."""
        X = np.asarray(X, dtype=float)
        if "donor" in groups.dtype.names:
            X, groups = X[~groups["donor"]], groups[~groups["donor"]]
        group = np.unique(groups["group"], return_inverse=True)[1]
        order = np.argsort(group, kind="stable")
        return cls(
            X[order], groups["preference"][order], group[order], np.bincount(group)
        )

    @property
    def starts(self):
        """The first row of each group."""
        return np.cumsum(self.sizes) - self.sizes

    def grades(self):
        """Return the preference as small whole numbers.

        Grades of at most 4 stay as they are. Anything else gets its rank among
        the different preferences of its group, from 0, in at most 31 steps.
        """
        preference = self.preference
        if np.isin(preference, np.arange(5)).all():
            return preference.astype(int)
        order = np.lexsort((preference, self.group))
        new_group = np.diff(self.group[order], prepend=-1) > 0
        new_level = np.diff(preference[order], prepend=-np.inf) > 0
        level = np.cumsum(new_group | new_level)
        start = np.repeat(level[new_group], self.sizes)
        grades = np.empty(len(preference), dtype=int)
        grades[order] = level - start
        largest = grades.max()
        return (
            grades if largest < _MAX_GRADES else grades * _MAX_GRADES // (largest + 1)
        )

    def pairs(self, rng):
        """Return row numbers of better and worse items, at most `MAX_PAIRS`."""
        parts = []
        for start, size in zip(self.starts, self.sizes, strict=True):
            preference = self.preference[start : start + size]
            parts.append(np.argwhere(preference[:, None] > preference) + start)
        pairs = np.concatenate(parts)
        if len(pairs) > MAX_PAIRS:
            pairs = pairs[rng.choice(len(pairs), MAX_PAIRS, replace=False)]
        return pairs.T


class ConditionalLogit:
    """McFadden's choice model, unregularised, for one winner per group."""

    def fit(self, X, groups):
        rows = Sorted.of(X, groups)
        self.scaler_ = StandardScaler().fit(rows.X)
        Z = self.scaler_.transform(rows.X)
        starts = rows.starts
        best = np.maximum.reduceat(rows.preference, starts)
        won = rows.preference == np.repeat(best, rows.sizes)

        def loss(weights):
            utility = Z @ weights
            utility -= np.repeat(np.maximum.reduceat(utility, starts), rows.sizes)
            share = np.exp(utility)
            total = np.add.reduceat(share, starts)
            share /= np.repeat(total, rows.sizes)
            value = np.log(total).sum() - utility[won].sum()
            return value / len(starts), Z.T @ (share - won) / len(starts)

        self.coef_ = minimize(
            loss, np.zeros(Z.shape[1]), jac=True, method="L-BFGS-B", tol=1e-10
        ).x
        return self

    def predict(self, X):
        return self.scaler_.transform(np.asarray(X, dtype=float)) @ self.coef_


class LightGBM:
    """LGBMRanker, lambdarank; gains are the ranks unless they are exponential."""

    def __init__(self, gain="rank", **params):
        self.gain = gain
        self.params = params

    def fit(self, X, groups):
        from lightgbm import LGBMRanker

        rows = Sorted.of(X, groups)
        grades = rows.grades()
        self.model_ = LGBMRanker(verbose=-1, n_jobs=n_threads(), **self.params)
        if self.gain != "exponential":
            # The gain of the highest of 25 ranks is else 2 ** 24 times that of the
            # lowest; accuracy is then .01 less on THQA and .015 less on RealSumm.
            self.model_.set_params(label_gain=list(range(grades.max() + 1)))
        self.model_.fit(rows.X, grades, group=rows.sizes)
        return self

    def predict(self, X):
        return self.model_.booster_.predict(
            np.asarray(X, dtype=float), num_threads=n_threads()
        )


class XGBoost:
    """XGBRanker, rank:pairwise."""

    def __init__(self, **params):
        self.params = params

    def fit(self, X, groups):
        from xgboost import XGBRanker

        rows = Sorted.of(X, groups)
        self.model_ = XGBRanker(
            objective="rank:pairwise", n_jobs=n_threads(), **self.params
        )
        self.model_.fit(rows.X, rows.grades(), qid=rows.group)
        return self

    def predict(self, X):
        return self.model_.predict(np.asarray(X, dtype=float))


class CatBoost:
    """CatBoostRanker with 300 trees, a third of them where rows are many."""

    def __init__(self, loss_function, seed):
        self.loss_function = loss_function
        self.seed = seed

    def fit(self, X, groups):
        from catboost import CatBoostRanker

        rows = Sorted.of(X, groups)
        many = len(rows.X) >= MANY_ROWS
        loss = self.loss_function
        if many and loss == "PairLogit":
            loss = f"PairLogit:max_pairs={20 * len(rows.X)}"
        preference = rows.preference
        if loss == "QuerySoftMax":
            preference = (preference > 0).astype(float)
        self.model_ = CatBoostRanker(
            loss_function=loss,
            iterations=100 if many else 300,
            random_seed=self.seed,
            thread_count=n_threads(),
            verbose=False,
            allow_writing_files=False,
        )
        self.model_.fit(rows.X, preference, group_id=rows.group)
        return self

    def predict(self, X):
        return self.model_.predict(np.asarray(X, dtype=float))


@dataclass(frozen=True)
class Entry:
    """How a ranker is made, how often it is run, and on which sets.

    Attributes
    ----------
    make : callable
        ``make(seed, data)``, an unfitted ranker for a `DataSet`.
    all_seeds : bool
        Whether a fold is run with every seed; else with one, as the ranker has no
        seed, or is slow and hardly depends on it.
    needs : str or None
        "directions", "choice" or "lambdarank": only on sets that have or are it.
    """

    make: Callable
    all_seeds: bool = False
    needs: str | None = None

    def n_seeds(self, most):
        """Return the runs of each fold where others have `most`."""
        return most if self.all_seeds else 1

    def suits(self, data):
        """Return whether the ranker can be run on a `DataSet`."""
        return {
            None: True,
            "directions": data.directions is not None,
            "choice": data.is_choice,
            "lambdarank": data.name == "lambdarank",
        }[self.needs]


def _ours(seed, data):
    return make_pipeline(StandardScaler(), PairwisePreferenceRanker(random_state=seed))


def _lightgbm(**params):
    return Entry(lambda seed, data: LightGBM(gain=data.gain, **params))


def _xgboost(**params):
    return Entry(lambda seed, data: XGBoost(**params))


def _catboost(loss, needs=None):
    return Entry(lambda seed, data: CatBoost(loss, seed), needs=needs)


def _by_directions(ranker):
    return Entry(
        lambda seed, data: ranker(directions=data.directions()), needs="directions"
    )


OURS = "sklearn_pscore"
LINEAR = "linear"
STACK = "stack"

# Of the example's train.conf; 100 trees, 31 leaves and rate 0.1 are defaults.
_EXAMPLE = {
    "subsample": 0.9,
    "subsample_freq": 1,
    "min_child_samples": 50,
    "min_child_weight": 5.0,
}

RANKERS = {
    OURS: Entry(_ours, all_seeds=True),
    STACK: Entry(lambda seed, data: StackedRanker(random_state=seed)),
    "best metric": Entry(lambda seed, data: SingleMetricRanker(direction="learn")),
    "#Top1": _by_directions(TopCountRanker),
    "RS": _by_directions(RankSumRanker),
    LINEAR: Entry(lambda seed, data: LinearPreferenceRanker()),
    "conditional logit": Entry(lambda seed, data: ConditionalLogit(), needs="choice"),
    "LightGBM": _lightgbm(),
    "LightGBM, small": _lightgbm(n_estimators=100, num_leaves=7, learning_rate=0.05),
    "LightGBM, example": Entry(
        lambda seed, data: LightGBM(gain=data.gain, random_state=seed, **_EXAMPLE),
        all_seeds=True,
        needs="lambdarank",
    ),
    "XGBoost": _xgboost(),
    "XGBoost, small": _xgboost(n_estimators=200, max_depth=3, learning_rate=0.05),
    "CatBoost PairLogit": _catboost("PairLogit"),
    "CatBoost YetiRank": _catboost("YetiRank"),
    "CatBoost QuerySoftMax": _catboost("QuerySoftMax", needs="choice"),
}
"""Every ranker by its name; the first is this package's."""
