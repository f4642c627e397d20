"""scikit-learn: importance, partial dependence, feature selection, displays."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.compatibility.check import Checks, refusal, warning
from benchmarks.compatibility.data import (
    FEATURES,
    FOLDS,
    GROUPS,
    PREFERENCE,
    X,
    accuracy,
    accuracy_of_folds,
    ranker,
)

CHECKS = Checks("scikit-learn: inspection and feature selection")


def _scorer():
    from sklearn_pscore.metrics import pairwise_accuracy_scorer

    return pairwise_accuracy_scorer


def _importance(fitted):
    """Return the size of each column's effect, for `importance_getter`."""
    steps = np.vstack([np.zeros(fitted.n_features_in_), np.eye(fitted.n_features_in_)])
    names = getattr(fitted, "feature_names_in_", None)
    if names is not None:
        import pandas as pd

        steps = pd.DataFrame(steps, columns=names)
    scores = fitted.predict(steps)
    return np.abs(scores[1:] - scores[0])


@CHECKS.works(
    "permutation_importance(ranker, X, groups)", "n_jobs=2 gives the same bits"
)
def permuted_columns():
    from sklearn.inspection import permutation_importance

    fitted = ranker().fit(X, GROUPS)
    options = {"n_repeats": 3, "random_state": 0}
    result = permutation_importance(fitted, X, GROUPS, scoring=_scorer(), **options)
    by_score = permutation_importance(fitted, X, GROUPS, **options)
    assert_array_equal(result.importances, by_score.importances)
    # Which permutations were drawn: those of scikit-learn, made once more.
    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max + 1)
    whole = accuracy(GROUPS, fitted.predict(X))
    for column in range(3):
        rng, rows = np.random.RandomState(seed), np.arange(60)
        drawn = X.copy()
        for repeat in range(3):
            rng.shuffle(rows)
            drawn[FEATURES[column]] = drawn[FEATURES[column]].to_numpy()[rows]
            expected = whole - accuracy(GROUPS, fitted.predict(drawn))
            assert_allclose(result.importances[column, repeat], expected, atol=1e-12)


@CHECKS.guided(
    "permutation_importance(max_samples=0.5)",
    "drawn rows cut groups, as the warning says; group_permutation_importance draws "
    "whole groups",
)
def permuted_samples():
    from sklearn.inspection import permutation_importance

    fitted = ranker().fit(X, GROUPS)
    with warning("groups cut", "Groups.whole(groups)"):
        permutation_importance(
            fitted, X, GROUPS, scoring=_scorer(), max_samples=0.5, random_state=0
        )


@CHECKS.works(
    "partial_dependence(ranker without hidden layers)",
    "the curves of inspection.metric_curves",
)
def partial_of_additive():
    from sklearn.inspection import partial_dependence

    from sklearn_pscore.inspection import metric_curves

    fitted = ranker().fit(X, GROUPS)
    curves = metric_curves(fitted, X, GROUPS, random_state=0).curves
    for name, curve in curves.items():
        values = {name: curve["value"].to_numpy()}
        found = partial_dependence(
            fitted, X, [name], custom_values=values, method="brute"
        )
        moved = found["average"][0] - curve["worth"]
        assert_allclose(moved, moved.mean(), atol=1e-9)


@CHECKS.works('partial_dependence(kind="both"), PartialDependenceDisplay')
def partial():
    import matplotlib.pyplot as plt
    from sklearn.inspection import PartialDependenceDisplay, partial_dependence

    fitted = ranker().fit(X, GROUPS)
    result = partial_dependence(fitted, X, ["SSIM"], kind="both", grid_resolution=4)
    for place, value in enumerate(result["grid_values"][0]):
        scores = fitted.predict(X.assign(SSIM=value))
        assert_allclose(result["individual"][0, :, place], scores)
        assert_allclose(result["average"][0, place], scores.mean())
    display = PartialDependenceDisplay.from_estimator(
        fitted, X, ["SSIM"], grid_resolution=4
    )
    assert_allclose(display.lines_[0, 0].get_ydata(), result["average"][0])
    plt.close("all")


@CHECKS.works(
    'DecisionBoundaryDisplay(response_method="predict")', "the score as colour"
)
def boundary():
    import matplotlib.pyplot as plt
    from sklearn.inspection import DecisionBoundaryDisplay

    fitted = ranker().fit(X[["SSIM", "PSNR"]], GROUPS)
    display = DecisionBoundaryDisplay.from_estimator(
        fitted, X[["SSIM", "PSNR"]], response_method="predict", grid_resolution=5
    )
    import pandas as pd

    grid = pd.DataFrame({"SSIM": display.xx0.ravel(), "PSNR": display.xx1.ravel()})
    assert_allclose(display.response.ravel(), fitted.predict(grid))
    plt.close("all")


@CHECKS.works(
    'PredictionErrorDisplay.from_predictions(groups["preference"], scores)',
    "a score is not on the scale of the preference",
)
def prediction_error():
    import matplotlib.pyplot as plt
    from sklearn.metrics import PredictionErrorDisplay

    scores = ranker().fit(X, GROUPS).predict(X)
    display = PredictionErrorDisplay.from_predictions(
        PREFERENCE, scores, kind="actual_vs_predicted"
    )
    drawn = np.asarray(display.scatter_.get_offsets())
    assert_allclose(drawn, np.column_stack([scores, PREFERENCE]))
    plt.close("all")


@CHECKS.own_words(
    "PredictionErrorDisplay.from_estimator(ranker, X, groups)",
    "it subtracts scores from records. Use from_predictions, with the field preference",
)
def prediction_error_of_estimator():
    from numpy._core._exceptions import _UFuncNoLoopError
    from sklearn.metrics import PredictionErrorDisplay

    with refusal(_UFuncNoLoopError, "ufunc 'subtract' did not contain a loop"):
        PredictionErrorDisplay.from_estimator(ranker().fit(X, GROUPS), X, GROUPS)


@CHECKS.works("SequentialFeatureSelector(ranker, scoring=scorer)")
def sequential():
    from sklearn.feature_selection import SequentialFeatureSelector

    selector = SequentialFeatureSelector(
        ranker(), n_features_to_select=1, scoring=_scorer(), cv=FOLDS
    ).fit(X, GROUPS)
    means = [np.mean(accuracy_of_folds(ranker(), X=X[[name]])) for name in FEATURES]
    assert selector.get_support().argmax() == np.argmax(means)


@CHECKS.works(
    "RFE, RFECV, SelectFromModel(ranker, importance_getter=function)",
    "your own measure of a column's effect, in the place of feature_importances_",
)
def by_importance():
    from sklearn.feature_selection import RFE, RFECV, SelectFromModel

    fitted = ranker().fit(X.to_numpy(), GROUPS)
    order = np.argsort(-_importance(fitted))
    selected = RFE(ranker(), n_features_to_select=2, importance_getter=_importance)
    selected.fit(X, GROUPS)
    assert selected.ranking_[order[-1]] == 2
    by_hand = ranker().fit(X.to_numpy()[:, selected.support_], GROUPS)
    expected = by_hand.predict(X.to_numpy()[:, selected.support_])
    assert_allclose(selected.predict(X), expected)
    folds = RFECV(
        ranker(), cv=FOLDS, scoring=_scorer(), importance_getter=_importance
    ).fit(X, GROUPS)
    scores = folds.cv_results_["mean_test_score"]
    assert_allclose(scores[-1], np.mean(accuracy_of_folds(ranker())))
    chosen = SelectFromModel(
        ranker(), threshold=-np.inf, max_features=1, importance_getter=_importance
    ).fit(X, GROUPS)
    assert chosen.get_support().argmax() == order[0]


@CHECKS.works(
    "RFE(ranker), RFECV(ranker, scoring=scorer), SelectFromModel(ranker)",
    "by its feature_importances_, which fit sets for dense X",
)
def with_importances():
    from sklearn.feature_selection import RFE, RFECV, SelectFromModel

    importances = ranker().fit(X, GROUPS).feature_importances_
    chosen = SelectFromModel(ranker(), threshold=-np.inf, max_features=2)
    support = chosen.fit(X, GROUPS).get_support()
    assert set(np.flatnonzero(support)) == set(np.argsort(importances)[-2:])
    first_out = RFE(ranker(), n_features_to_select=X.shape[1] - 1).fit(X, GROUPS)
    assert first_out.ranking_.argmax() == importances.argmin()
    folds = RFECV(ranker(), cv=FOLDS, scoring=_scorer()).fit(X, GROUPS)
    scores = folds.cv_results_["mean_test_score"]
    assert_allclose(scores[-1], np.mean(accuracy_of_folds(ranker())))


@CHECKS.own_words(
    "RFECV(ranker) without scoring=",
    "it goes by r2 and not by the ranker's own score: pass scoring= one of our scorers",
)
def without_scoring():
    from sklearn.feature_selection import RFECV

    with refusal(TypeError, "Cannot cast array data from dtype([('group',"):
        RFECV(ranker(), cv=FOLDS).fit(X, GROUPS)


@CHECKS.works(
    "RFE(LinearPreferenceRanker()), SelectFromModel(LinearPreferenceRanker())",
    "by its coef_: standardise the columns before",
)
def by_coefficients():
    from sklearn.feature_selection import RFE, SelectFromModel

    from sklearn_pscore import LinearPreferenceRanker

    weight = np.abs(LinearPreferenceRanker().fit(X, GROUPS).coef_)
    selected = RFE(LinearPreferenceRanker(), n_features_to_select=2).fit(X, GROUPS)
    assert not selected.support_[weight.argmin()]
    chosen = SelectFromModel(
        LinearPreferenceRanker(), threshold=-np.inf, max_features=1
    ).fit(X, GROUPS)
    assert chosen.get_support().argmax() == weight.argmax()
