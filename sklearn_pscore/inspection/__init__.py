"""What a score says, and how sure that is: comparisons, leaderboards, curves."""

from sklearn_pscore.inspection._agreement import compare_agreement
from sklearn_pscore.inspection._agreement_result import AgreementComparison
from sklearn_pscore.inspection._annotators import annotator_report
from sklearn_pscore.inspection._contributions import pairwise_contributions
from sklearn_pscore.inspection._contributions_result import PairContributions
from sklearn_pscore.inspection._cross_fitted import cross_fitted_scores
from sklearn_pscore.inspection._curves_result import MetricCurves
from sklearn_pscore.inspection._group_importance import (
    group_permutation_importance,
)
from sklearn_pscore.inspection._leaderboard import bootstrap_leaderboard
from sklearn_pscore.inspection._leaderboard_result import Leaderboard
from sklearn_pscore.inspection._metric_curves import metric_curves
from sklearn_pscore.inspection._noise_ceiling import NoiseCeiling, noise_ceiling
from sklearn_pscore.inspection._strength_leaderboard import strength_leaderboard
from sklearn_pscore.inspection._vote_calibration import (
    VoteCalibration,
    vote_calibration,
)

__all__ = [
    "AgreementComparison",
    "Leaderboard",
    "MetricCurves",
    "NoiseCeiling",
    "PairContributions",
    "VoteCalibration",
    "annotator_report",
    "bootstrap_leaderboard",
    "compare_agreement",
    "cross_fitted_scores",
    "group_permutation_importance",
    "metric_curves",
    "noise_ceiling",
    "pairwise_contributions",
    "strength_leaderboard",
    "vote_calibration",
]
