"""What chance reaches in a comparison, for each metric."""

import numpy as np

from sklearn_pscore.metrics import (
    soft_pairwise_accuracy_score,
    tie_calibrated_accuracy_score,
)
from sklearn_pscore.metrics._scorers import RankingScorer, is_package_metric
from sklearn_pscore.model_selection._comparison_runs import GivenScores

CHANCE, CEILING = "chance", "noise ceiling"
"""Names of the rows of a comparison that are no methods."""

# Of these, a score that is the same for all is not like the mean of random ones.
_DRAWN = (soft_pairwise_accuracy_score, tie_calibrated_accuracy_score)
_N_DRAWS = 20


def chance_of(folds, scoring):
    """Return what a score that knows nothing gets in expectation.

    Parameters
    ----------
    folds : list of Fold
    scoring : dict of str to callable

    Returns
    -------
    chance : dict of str to (float or None)
        Mean over the folds. None for scorers that are not of this package.
    """
    return {
        metric: _mean_over_folds(folds, scorer) for metric, scorer in scoring.items()
    }


def _mean_over_folds(folds, scorer):
    if not isinstance(scorer, RankingScorer) or not is_package_metric(scorer.metric):
        return None
    values = [_chance_in(fold, scorer) for fold in folds]
    mean = float(np.mean(values))
    return mean if np.isfinite(mean) else None


def _chance_in(fold, scorer):
    """Return the metric of equal scores, or its mean over scores at random.

    Equal scores are in any order with the same probability, which MRR, DCG and NDCG
    take the expectation over; half of their pairs are right.
    """
    X, reference, preference = fold.held_out_part()
    if scorer.metric not in _DRAWN:
        return scorer(GivenScores(np.zeros(len(preference))), X, reference)
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(_N_DRAWS, len(preference)))
    return np.mean([scorer(GivenScores(y_score), X, reference) for y_score in draws])
