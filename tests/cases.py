"""The small data set and the quick ranker that several test files share."""

import numpy as np

from sklearn_pscore import Groups, PairwisePreferenceRanker

# The one seed of all tests that do not need another.
SEED = 0


def linear_groups():
    """Make thirty shuffled groups of five, ordered by feature 0 less feature 1."""
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(150, 3))
    group = rng.permutation(np.repeat(np.arange(30), 5))
    return X, Groups.from_arrays(group=group, preference=X[:, 0] - X[:, 1])


def quick(sizes=(8,), **kwargs):
    """Return a ranker of two small members that trains for five epochs."""
    kwargs = {"max_epochs": 5, "n_members": 2, "random_state": SEED, **kwargs}
    return PairwisePreferenceRanker(sizes, **kwargs)
