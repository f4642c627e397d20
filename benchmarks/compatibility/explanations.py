"""shap: explainers of the score, against Shapley values by their definition."""

from itertools import combinations
from math import factorial

import numpy as np
from numpy.testing import assert_allclose

from benchmarks.compatibility.check import Checks, refusal
from benchmarks.compatibility.data import FEATURES, GROUPS, X, ranker

CHECKS = Checks("shap", needs=("shap",))
BACKGROUND, ROWS = X[:20], X[30:33]


def _shapley(predict):
    """Return the Shapley values of the rows, by the sum over all subsets."""

    def worth(row, subset):
        table = BACKGROUND.copy()
        for name in subset:
            table[name] = row[name]
        return predict(table).mean()

    n_features, values = len(FEATURES), np.zeros((len(ROWS), len(FEATURES)))
    for place, (_, row) in enumerate(ROWS.iterrows()):
        for column, name in enumerate(FEATURES):
            others = [other for other in FEATURES if other != name]
            for size in range(n_features):
                share = factorial(size) * factorial(n_features - size - 1)
                for subset in combinations(others, size):
                    gain = worth(row, (*subset, name)) - worth(row, subset)
                    values[place, column] += share / factorial(n_features) * gain
    return values


def _fitted():
    return ranker(n_members=3, max_epochs=10).fit(X, GROUPS)


@CHECKS.works(
    "shap.Explainer(ranker.predict, X), ExactExplainer, PermutationExplainer",
    "the values sum to the score less the mean score",
)
def explainer():
    import shap

    fitted = _fitted()
    masker = shap.maskers.Independent(BACKGROUND)
    expected = _shapley(fitted.predict)
    for kind in (shap.Explainer, shap.explainers.Exact, shap.explainers.Permutation):
        explained = kind(fitted.predict, masker)(ROWS)
        assert_allclose(explained.values, expected, atol=1e-8)
        total = explained.base_values + explained.values.sum(axis=1)
        assert_allclose(total, fitted.predict(ROWS), atol=1e-8)


@CHECKS.works("shap.KernelExplainer(ranker.predict, X)")
def kernel():
    import shap

    fitted = _fitted()
    explained = shap.KernelExplainer(fitted.predict, BACKGROUND)
    values = explained.shap_values(ROWS, silent=True)
    assert_allclose(values, _shapley(fitted.predict), atol=1e-8)


@CHECKS.works("shap of a pipeline's predict", "in the units of the user's table")
def pipeline():
    import shap
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fitted = make_pipeline(StandardScaler(), ranker()).fit(X, GROUPS)
    explained = shap.explainers.Exact(
        fitted.predict, shap.maskers.Independent(BACKGROUND)
    )(ROWS)
    assert_allclose(explained.values, _shapley(fitted.predict), atol=1e-8)


@CHECKS.works(
    "shap.explainers.Exact(ranker.predict, Independent(b))(a)",
    "the values of inspection.pairwise_contributions(ranker, a, b)",
)
def one_pair():
    import shap

    from sklearn_pscore.inspection import pairwise_contributions

    fitted, a, b = _fitted(), X[:1], X[1:2]
    ours = pairwise_contributions(fitted, a, b)
    for kind in (shap.explainers.Exact, shap.explainers.Permutation):
        theirs = kind(fitted.predict, shap.maskers.Independent(b))(a)
        assert_allclose(theirs.values, ours.values, atol=1e-8)


@CHECKS.own_words(
    "shap.Explainer(ranker, X)", "it asks for a callable: pass ranker.predict"
)
def estimator():
    import shap

    with refusal(TypeError, "The passed model is not callable"):
        shap.Explainer(_fitted(), BACKGROUND)
