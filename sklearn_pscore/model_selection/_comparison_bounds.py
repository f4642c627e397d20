"""What chance, and what a perfect score, reaches in a comparison, for each metric."""

from functools import partial

import numpy as np

from sklearn_pscore._splitters import take_rows
from sklearn_pscore._target.check import check_groups, is_structured
from sklearn_pscore._target.groups import Groups
from sklearn_pscore.metrics import (
    pairwise_accuracy_score,
    pairwise_brier_score,
    pairwise_log_loss,
    soft_pairwise_accuracy_score,
    tie_calibrated_accuracy_score,
)
from sklearn_pscore.metrics._ceiling import (
    accuracy_ceilings,
    draw_normals,
    drawn_ceiling,
)
from sklearn_pscore.metrics._rater_noise import mean_opinions
from sklearn_pscore.metrics._scorers import RankingScorer, is_package_metric
from sklearn_pscore.model_selection._comparison_runs import GivenScores

CHANCE, CEILING = "chance", "noise ceiling"
"""Names of the rows of a comparison that are no methods."""

# Of these, a score that is the same for all is not like the mean of random ones.
_DRAWN = (soft_pairwise_accuracy_score, tie_calibrated_accuracy_score)
# A true opinion is no log odds, which these take a score for.
_OF_PROBABILITIES = (pairwise_log_loss, pairwise_brier_score)
_N_DRAWS = 20
_N_TRUTHS = 50


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
    if not _is_known(scorer):
        return None
    try:
        mean = float(np.mean([_chance_in(fold, scorer) for fold in folds]))
    except ValueError:
        return None  # The metric is not for this target: the runs say so.
    return mean if np.isfinite(mean) else None


def _chance_in(fold, scorer):
    """Return the metric of equal scores, or its mean over scores at random.

    Equal scores are in any order with the same probability, which MRR, DCG and NDCG
    take the expectation over; half of their pairs are right.
    """
    X, reference, preference = fold.held_out_part()
    judge = fold.judged_by(scorer)
    if scorer.metric not in _DRAWN:
        return judge(GivenScores(np.zeros(len(preference))), X, reference)
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(_N_DRAWS, len(preference)))
    return np.mean([judge(GivenScores(y_score), X, reference) for y_score in draws])


def ceilings_of(folds, scoring):
    """Return what a perfect score reaches against the opinions of a few raters.

    Parameters
    ----------
    folds : list of Fold
    scoring : dict of str to callable

    Returns
    -------
    ceilings : dict of str to (float or None)
        Of all rows that a fold judges by. None for scorers that are not of this
        package or judge probabilities, and where the target does not say how many
        people judged each of these rows, and how far they were apart.
    """
    ceilings = dict.fromkeys(scoring)
    groups = _judged_once(folds)
    if not is_structured(groups) or not {"n_raters", "spread"} < {*groups.dtype.names}:
        return ceilings
    target = check_groups(groups, require_preference=False)
    try:
        opinions = mean_opinions(target, "compare_rankers")
    except ValueError:
        return ceilings  # Some are not known.
    rng = np.random.RandomState(0)
    normals = draw_normals(opinions, _N_TRUTHS, rng)
    for name, scorer in scoring.items():
        if not _is_known(scorer) or scorer.metric in _OF_PROBABILITIES:
            continue
        if scorer.metric is pairwise_accuracy_score and not scorer.options:
            bunch = np.zeros(len(opinions.opinion), dtype=np.int64)
            ceilings[name] = float(accuracy_ceilings(opinions, bunch, rng)[0])
        else:
            metric = partial(scorer.metric, **scorer.options)
            try:
                value = drawn_ceiling(opinions, target, groups, metric, normals)
            except ValueError:
                continue  # As with chance.
            ceilings[name] = value if scorer.greater_is_better else -value
    return ceilings


def _is_known(scorer):
    return isinstance(scorer, RankingScorer) and is_package_metric(scorer.metric)


def _judged_once(folds):
    """Return the target of all rows that a fold judges by, each row once."""
    reference = folds[0].judge_data[1]
    if folds[0].test is not None:
        rows = np.unique(np.concatenate([fold.test for fold in folds]))
        reference = take_rows(reference, rows)
    # What is to be said of cut groups was said where the folds were made.
    return Groups.whole(reference) if is_structured(reference) else reference
