"""Seeds of the runs of a ranker."""

from zlib import crc32

import numpy as np
from sklearn.base import clone
from sklearn.utils.random import sample_without_replacement

from sklearn_pscore._estimators.random_state import generator_of

# scikit-learn's name of a seed, and the second one that CatBoost has.
_SEED_PARAMETERS = ("random_state", "random_seed")
MOST_SEEDS = np.iinfo(np.int32).max
"""How many different seeds there are."""


def draw_seeds(n_seeds, random_state):
    """Return different seeds: two runs of one seed would count as one."""
    rng = generator_of(random_state, "compare_rankers")
    return sample_without_replacement(MOST_SEEDS, n_seeds, random_state=rng).tolist()


def seed_names(ranker):
    """Return the names of the seeds among the parameters, nested ones included."""
    names = ranker.get_params(deep=True)
    return [name for name in names if name.split("__")[-1] in _SEED_PARAMETERS]


def seeded_clone(ranker, seed):
    """Return a clone with all its seeds set from the seed of the run."""
    ranker = clone(ranker)
    # A frozen one returns None.
    ranker.set_params(**{name: _seed_of(name, seed) for name in seed_names(ranker)})
    return ranker


def _seed_of(name, seed):
    """Return the seed of one parameter: different for each nested name.

    With equal seeds, the parts of a pipeline would draw the same numbers.
    """
    if "__" not in name:
        return seed
    rng = np.random.default_rng([seed, crc32(name.encode())])
    return int(rng.integers(MOST_SEEDS))
