"""mlxtend: selection of features, and their importance."""

from itertools import combinations

import numpy as np
from numpy.testing import assert_allclose

from benchmarks.compatibility.check import Checks
from benchmarks.compatibility.data import (
    FEATURES,
    FOLDS,
    GROUPS,
    X,
    accuracy,
    accuracy_of_folds,
    ranker,
)

CHECKS = Checks("mlxtend", needs=("mlxtend",))


def _means(sizes):
    """Return the mean accuracy over folds of each subset of the columns."""
    return {
        subset: np.mean(accuracy_of_folds(ranker(), X=X[list(subset)]))
        for size in sizes
        for subset in combinations(FEATURES, size)
    }


@CHECKS.works("SequentialFeatureSelector(ranker, scoring=scorer, cv=...)")
def sequential():
    from mlxtend.feature_selection import SequentialFeatureSelector

    from sklearn_pscore.metrics import pairwise_accuracy_scorer

    selector = SequentialFeatureSelector(
        ranker(), k_features=1, scoring=pairwise_accuracy_scorer, cv=FOLDS
    ).fit(X, GROUPS)
    means = _means([1])
    assert selector.k_feature_names_ == max(means, key=means.get)
    assert_allclose(selector.k_score_, max(means.values()))


@CHECKS.works("ExhaustiveFeatureSelector(ranker, scoring=scorer, cv=...)")
def exhaustive():
    from mlxtend.feature_selection import ExhaustiveFeatureSelector

    from sklearn_pscore.metrics import pairwise_accuracy_scorer

    selector = ExhaustiveFeatureSelector(
        ranker(),
        min_features=1,
        max_features=2,
        scoring=pairwise_accuracy_scorer,
        cv=FOLDS,
        print_progress=False,
    ).fit(X, GROUPS)
    found = {s["feature_names"]: s["avg_score"] for s in selector.subsets_.values()}
    means = _means([1, 2])
    assert found.keys() == means.keys()
    for subset, mean in means.items():
        assert_allclose(found[subset], mean)


@CHECKS.works("feature_importance_permutation(X, groups, ranker.predict, metric)")
def importance():
    from mlxtend.evaluate import feature_importance_permutation

    from sklearn_pscore.metrics import pairwise_accuracy_score

    table = X.to_numpy(copy=True)
    fitted = ranker().fit(table, GROUPS)
    mean, _ = feature_importance_permutation(
        table, GROUPS, fitted.predict, metric=pairwise_accuracy_score, seed=0
    )
    whole = accuracy(GROUPS, fitted.predict(table))
    rng = np.random.RandomState(0)
    for column in range(3):
        drawn = table.copy()
        rng.shuffle(drawn[:, column])
        expected = whole - accuracy(GROUPS, fitted.predict(drawn))
        assert_allclose(mean[column], expected, atol=1e-12)
