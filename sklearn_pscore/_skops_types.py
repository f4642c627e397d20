"""The names that skops must be told to trust, to load what this package saves."""

SKOPS_TYPES = [
    *(
        f"sklearn_pscore.{name}"
        for name in (
            "_items.attached.LossNotice",
            "_items.augmenter.PairAugmenter",
            "_rankers.bradley_terry.BradleyTerryRanker",
            "_rankers.groupwise.GroupwiseRanker",
            "_rankers.handcrafted.RankSumRanker",
            "_rankers.handcrafted.TopCountRanker",
            "_rankers.level_classifier.LevelClassifierRanker",
            "_rankers.linear.LinearPreferenceRanker",
            "_rankers.pairwise.PairwisePreferenceRanker",
            "_rankers.plain_target.PlainTarget",
            "_rankers.single_metric.SingleMetricRanker",
            "_rankers.stacked.StackedRanker",
            # Of a search.
            "_splitters.PreferenceGroupKFold",
            "metrics._agreement.kendall_tau_score",
            "metrics._agreement.pairwise_accuracy_score",
            "metrics._correlation.pearson_score",
            "metrics._correlation.rmse",
            "metrics._correlation.spearman_score",
            "metrics._probability.pairwise_brier_score",
            "metrics._probability.pairwise_log_loss",
            "metrics._epsilon_rmse.epsilon_rmse",
            "metrics._ranking.dcg_score",
            "metrics._ranking.ndcg_score",
            "metrics._ranking.reciprocal_rank_score",
            "metrics._scorers.RankingScorer",
            "metrics._soft_accuracy.soft_pairwise_accuracy_score",
            "metrics._tie_accuracy.tie_calibrated_accuracy_score",
        )
    ),
    # Scikit-learn's own, which skops does not know: of a search without `scoring`, and
    # of a SimpleImputer.
    "sklearn.metrics._scorer._PassthroughScorer",
    "numpy.dtype",
]
"""Pass it as `trusted` to ``skops.io.load``, and to mlflow as `skops_trusted_types`.

The estimators of this package and what goes with them in a Pipeline or a search: they
run no code of the file. Types of another library that a ranker holds, such as
CatBoost's, are not among them.
"""
