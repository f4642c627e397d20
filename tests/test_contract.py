"""scikit-learn's own checks, with no exemption."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_pscore import (
    LevelClassifierRanker,
    PairAugmenter,
    PairwisePreferenceRanker,
    RankSumRanker,
    TopCountRanker,
)


@parametrize_with_checks(
    [
        LevelClassifierRanker(),
        PairAugmenter(),
        PairwisePreferenceRanker(),
        RankSumRanker(),
        TopCountRanker(),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
