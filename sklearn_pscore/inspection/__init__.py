"""What a score says, and how sure that is: comparisons, leaderboards."""

from sklearn_pscore.inspection._agreement import compare_agreement
from sklearn_pscore.inspection._agreement_result import AgreementComparison
from sklearn_pscore.inspection._leaderboard import bootstrap_leaderboard
from sklearn_pscore.inspection._leaderboard_result import Leaderboard

__all__ = [
    "AgreementComparison",
    "Leaderboard",
    "bootstrap_leaderboard",
    "compare_agreement",
]
