"""Splitting by groups, and comparing rankers."""

from sklearn_pscore._splitters import (
    PreferenceGroupKFold,
    groups_train_test_split,
)
from sklearn_pscore.model_selection._compare_rankers import compare_rankers
from sklearn_pscore.model_selection._comparison_result import RankerComparison
from sklearn_pscore.model_selection._paired import PairedDifference

__all__ = [
    "PairedDifference",
    "PreferenceGroupKFold",
    "RankerComparison",
    "compare_rankers",
    "groups_train_test_split",
]
