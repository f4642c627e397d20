"""Metrics and scorers: how well scores order the items of each group."""

from sklearn_pscore.metrics._agreement import (
    kendall_tau_score,
    pairwise_accuracy_score,
)
from sklearn_pscore.metrics._correlation import pearson_score, rmse, spearman_score
from sklearn_pscore.metrics._epsilon_rmse import epsilon_rmse
from sklearn_pscore.metrics._probability import (
    pairwise_brier_score,
    pairwise_log_loss,
)
from sklearn_pscore.metrics._ranking import (
    dcg_score,
    ndcg_score,
    rank_items,
    reciprocal_rank_score,
)
from sklearn_pscore.metrics._scorers import (
    dcg_scorer,
    kendall_tau_scorer,
    make_ranking_scorer,
    mrr_scorer,
    ndcg_scorer,
    neg_epsilon_rmse_scorer,
    neg_pairwise_brier_scorer,
    neg_pairwise_log_loss_scorer,
    neg_rmse_scorer,
    pairwise_accuracy_scorer,
    pearson_scorer,
    soft_pairwise_accuracy_scorer,
    spearman_scorer,
    tie_calibrated_accuracy_scorer,
)
from sklearn_pscore.metrics._soft_accuracy import soft_pairwise_accuracy_score
from sklearn_pscore.metrics._tie_accuracy import tie_calibrated_accuracy_score

__all__ = [
    "dcg_score",
    "dcg_scorer",
    "epsilon_rmse",
    "kendall_tau_score",
    "kendall_tau_scorer",
    "make_ranking_scorer",
    "mrr_scorer",
    "ndcg_score",
    "ndcg_scorer",
    "neg_epsilon_rmse_scorer",
    "neg_pairwise_brier_scorer",
    "neg_pairwise_log_loss_scorer",
    "neg_rmse_scorer",
    "pairwise_accuracy_score",
    "pairwise_accuracy_scorer",
    "pairwise_brier_score",
    "pairwise_log_loss",
    "pearson_score",
    "pearson_scorer",
    "rank_items",
    "reciprocal_rank_score",
    "rmse",
    "soft_pairwise_accuracy_score",
    "soft_pairwise_accuracy_scorer",
    "spearman_score",
    "spearman_scorer",
    "tie_calibrated_accuracy_score",
    "tie_calibrated_accuracy_scorer",
]
