"""imbalanced-learn: its Pipeline and samplers."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.compatibility.check import Checks, refusal
from benchmarks.compatibility.data import FOLDS, GROUPS, X, accuracy_of_folds, ranker

CHECKS = Checks("imbalanced-learn", needs=("imbalanced-learn",))
TABLE = X.to_numpy(copy=True)


@CHECKS.works("imblearn.pipeline.make_pipeline(scaler, ranker), in GridSearchCV, rank")
def pipeline():
    from imblearn.pipeline import make_pipeline
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline as plain_pipeline
    from sklearn.preprocessing import StandardScaler

    from sklearn_pscore import rank
    from sklearn_pscore.metrics import pairwise_accuracy_scorer

    model = make_pipeline(StandardScaler(), ranker()).fit(X, GROUPS)
    plain = plain_pipeline(StandardScaler(), ranker()).fit(X, GROUPS)
    assert_array_equal(model.predict(X), plain.predict(X))
    assert_array_equal(rank(model, X, GROUPS), rank(plain, X, GROUPS))
    scores = cross_val_score(
        model, X, GROUPS, scoring=pairwise_accuracy_scorer, cv=FOLDS
    )
    assert_allclose(scores, accuracy_of_folds(plain))


@CHECKS.works(
    "FunctionSampler(func=PairAugmenter().augment, validate=False)",
    "trains on rows and synthetic items; predicts and ranks the rows",
)
def function_sampler():
    from imblearn import FunctionSampler
    from imblearn.pipeline import make_pipeline

    from sklearn_pscore import PairAugmenter, RankSumRanker, rank

    augmenter = PairAugmenter((2,), max_stitched=3, random_state=0)
    sampler = FunctionSampler(func=augmenter.augment, validate=False)
    model = make_pipeline(sampler, ranker()).fit(TABLE, GROUPS)
    by_hand = ranker().fit(*augmenter.augment(TABLE, GROUPS))
    assert_array_equal(model.predict(TABLE), by_hand.predict(TABLE))
    # A ranker whose predict takes groups is given them behind a sampler, too.
    sums = make_pipeline(sampler, RankSumRanker(directions="larger"))
    sums.fit(TABLE, GROUPS)
    assert_array_equal(rank(sums, TABLE, GROUPS), sums[-1].rank(TABLE, GROUPS))


@CHECKS.works("FunctionSampler that drops rows, whole groups of them")
def dropped_rows():
    from imblearn import FunctionSampler
    from imblearn.pipeline import make_pipeline

    def without_first_groups(X, groups):
        kept = groups["group"] > 2
        return X[kept], groups[kept]

    sampler = FunctionSampler(func=without_first_groups, validate=False)
    model = make_pipeline(sampler, ranker()).fit(TABLE, GROUPS)
    kept = GROUPS["group"] > 2
    by_hand = ranker().fit(TABLE[kept], GROUPS[kept])
    assert_array_equal(model.predict(TABLE), by_hand.predict(TABLE))


@CHECKS.own_words(
    "RandomOverSampler, SMOTE and others that balance classes",
    "a target of groups has no classes; weigh rows by Groups.from_arrays(weight=...)",
)
def balancing():
    # A warning of scikit-learn comes first: "the number of unique classes ...".
    import warnings

    from imblearn.over_sampling import RandomOverSampler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with refusal(TypeError, "unhashable type"):
            RandomOverSampler(random_state=0).fit_resample(X, GROUPS)
    assert len(np.unique(GROUPS)) == 60
