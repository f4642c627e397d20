"""The small data set and the quick estimators that several test files share."""

import inspect
from math import comb

import numpy as np
from catboost import CatBoostRanker
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge

import sklearn_pscore
from sklearn_pscore import (
    Groups,
    LinearPreferenceRanker,
    PairwisePreferenceRanker,
    RankSumRanker,
)

# The one seed of all tests that do not need another.
SEED = 0

# Every public estimator; a new one is found by itself.
ESTIMATORS = [
    public
    for public in (getattr(sklearn_pscore, name) for name in sklearn_pscore.__all__)
    if inspect.isclass(public) and issubclass(public, BaseEstimator)
]
# Parameters with which an estimator is quick and does not warn of groups.
_QUICK = {
    "directions": "larger",
    "max_epochs": 2,
    "n_levels": 2,
    "n_members": 2,
    "random_state": SEED,
    "stitch_sizes": (2,),
}
# What an estimator is made of that has no default for it, or a slow one.
_PARTS = {
    "estimator": Ridge,
    "rankers": lambda: [
        ("linear", LinearPreferenceRanker()),
        ("sum", RankSumRanker(directions="larger")),
    ],
    "ranker": lambda: CatBoostRanker(
        loss_function="PairLogit",
        iterations=5,
        random_seed=SEED,
        verbose=0,
        thread_count=1,
        allow_writing_files=False,
    ),
}


def default_of(kind):
    """Return an estimator with its defaults, and quick parts if it is made of others."""
    parts = inspect.signature(kind).parameters.keys() & _PARTS.keys()
    return kind(**{name: _PARTS[name]() for name in parts})


def quick_estimators(method="fit"):
    """Return a quick instance of every public estimator that has a method."""
    estimators = [default_of(kind) for kind in ESTIMATORS]
    for estimator in estimators:
        names = estimator.get_params(deep=False).keys() & _QUICK.keys()
        estimator.set_params(**{name: _QUICK[name] for name in names})
    return [estimator for estimator in estimators if hasattr(estimator, method)]


def linear_groups():
    """Make thirty shuffled groups of five, ordered by feature 0 less feature 1."""
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(150, 3))
    group = rng.permutation(np.repeat(np.arange(30), 5))
    # Each item of a group has a name of its own, for what is learnt by item.
    item = np.empty(150, dtype=int)
    item[np.argsort(group, kind="stable")] = np.tile(np.arange(5), 30)
    preference = X[:, 0] - X[:, 1]
    return X, Groups.from_arrays(group=group, preference=preference, item=item)


def n_pairs_of(items):
    """Count the pairs of training items of one group and different preference."""
    n_pairs = 0
    for group in np.unique(items.group):
        preference = items.preference[items.group == group]
        ties = np.unique(preference, return_counts=True)[1]
        n_pairs += comb(len(preference), 2) - sum(comb(int(n), 2) for n in ties)
    return n_pairs


def quick(sizes=(8,), **kwargs):
    """Return a ranker of two small members that trains for five epochs."""
    kwargs = {"max_epochs": 5, "n_members": 2, "random_state": SEED, **kwargs}
    return PairwisePreferenceRanker(sizes, **kwargs)
