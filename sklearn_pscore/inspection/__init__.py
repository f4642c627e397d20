"""What a score says, and how sure that is: comparisons, leaderboards."""

from sklearn_pscore.inspection._agreement import compare_agreement
from sklearn_pscore.inspection._agreement_result import AgreementComparison

__all__ = ["AgreementComparison", "compare_agreement"]
