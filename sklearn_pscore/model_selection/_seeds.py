"""Seeds of the runs of a ranker."""

from sklearn.utils.random import sample_without_replacement

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._estimators.seeds import MOST_SEEDS, seed_names, seeded_clone

__all__ = ["MOST_SEEDS", "draw_seeds", "seed_names", "seeded_clone"]


def draw_seeds(n_seeds, random_state):
    """Return different seeds: two runs of one seed would count as one."""
    rng = generator_of(random_state, "compare_rankers")
    return sample_without_replacement(MOST_SEEDS, n_seeds, random_state=rng).tolist()
