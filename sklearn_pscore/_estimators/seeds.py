"""Clones whose seeds are set, at any depth of nesting."""

from zlib import crc32

import numpy as np
from sklearn.base import clone

# scikit-learn's name of a seed, and the second one that CatBoost has.
_SEED_PARAMETERS = ("random_state", "random_seed")
MOST_SEEDS = np.iinfo(np.int32).max
"""How many different seeds there are."""


def seed_names(estimator):
    """Return the names of the seeds among the parameters, nested ones included."""
    names = estimator.get_params(deep=True)
    return [name for name in names if name.split("__")[-1] in _SEED_PARAMETERS]


def seeded_clone(estimator, seed, *, keep_given=False):
    """Return a clone with its seeds set from one seed.

    Parameters
    ----------
    estimator : estimator
    seed : int
    keep_given : bool, default=False
        Whether seeds stay that are not None.
    """
    estimator = clone(estimator)
    given = estimator.get_params(deep=True)
    names = [
        name for name in seed_names(estimator) if not keep_given or given[name] is None
    ]
    # A frozen one returns None.
    estimator.set_params(**{name: _seed_of(name, seed) for name in names})
    return estimator


def _seed_of(name, seed):
    """Return the seed of one parameter: different for each nested name.

    With equal seeds, the parts of a pipeline would draw the same numbers.
    """
    if "__" not in name:
        return seed
    rng = np.random.default_rng([seed, crc32(name.encode())])
    return int(rng.integers(MOST_SEEDS))
