"""scikit-learn: searches, cross-validation, splitters and curves."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.compatibility.check import Checks, refusal, warning
from benchmarks.compatibility.data import (
    FOLDS,
    GROUPS,
    LABEL,
    X,
    accuracy,
    accuracy_of_folds,
    ranker,
)

CHECKS = Checks("scikit-learn: model selection")
# Apart, for the start of processes is long, and tests/test_pipeline.py has such.
PROCESSES = Checks(CHECKS.area)
GRID = {"dropout": [0.0, 0.3]}


def _scorer():
    from sklearn_pscore.metrics import pairwise_accuracy_scorer

    return pairwise_accuracy_scorer


def _pipe():
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), ranker())


def _means_of_grid():
    return [np.mean(accuracy_of_folds(ranker(dropout=d))) for d in GRID["dropout"]]


@CHECKS.works("GridSearchCV(ranker, grid, scoring=scorer, cv=...)")
def grid_search():
    from sklearn.model_selection import GridSearchCV

    expected = _means_of_grid()
    search = GridSearchCV(ranker(), GRID, scoring=_scorer(), cv=FOLDS).fit(X, GROUPS)
    assert_allclose(search.cv_results_["mean_test_score"], expected)
    best = GRID["dropout"][int(np.argmax(expected))]
    assert search.best_params_ == {"dropout": best}
    by_hand = ranker(dropout=best).fit(X, GROUPS)
    assert_array_equal(search.predict(X), by_hand.predict(X))
    assert_allclose(search.score(X, GROUPS), accuracy(GROUPS, search.predict(X)))


@CHECKS.works("GridSearchCV without scoring=", "the ranker's score: pairwise accuracy")
def grid_search_by_score():
    from sklearn.model_selection import GridSearchCV

    search = GridSearchCV(ranker(), GRID, cv=FOLDS).fit(X, GROUPS)
    assert_allclose(search.cv_results_["mean_test_score"], _means_of_grid())


@CHECKS.works("GridSearchCV(scoring={...}, refit=name)", "several scorers at once")
def several_scorers():
    from sklearn.model_selection import GridSearchCV

    from sklearn_pscore.metrics import dcg_scorer

    scoring = {"accuracy": _scorer(), "dcg": dcg_scorer}
    search = GridSearchCV(ranker(), GRID, scoring=scoring, refit="dcg", cv=FOLDS)
    results = search.fit(X, GROUPS).cv_results_
    assert_allclose(results["mean_test_accuracy"], _means_of_grid())
    expected = np.mean(accuracy_of_folds(ranker(dropout=0.0), metric=_dcg))
    assert_allclose(results["mean_test_dcg"][0], expected)


def _dcg(groups, y_score):
    """Return DCG with the gain of ranks, by its definition."""
    per_group = []
    for label in np.unique(groups["group"]):
        rows = np.flatnonzero(groups["group"] == label)
        gain = 1 + np.argsort(np.argsort(groups["preference"][rows]))
        place = 1 + np.argsort(np.argsort(-np.asarray(y_score)[rows]))
        per_group.append(np.sum(gain / np.log2(1 + place)))
    return np.mean(per_group)


@CHECKS.works("RandomizedSearchCV")
def randomized_search():
    from sklearn.model_selection import RandomizedSearchCV

    search = RandomizedSearchCV(
        ranker(), GRID, n_iter=2, scoring=_scorer(), cv=FOLDS, random_state=0
    ).fit(X, GROUPS)
    assert_allclose(
        sorted(search.cv_results_["mean_test_score"]), sorted(_means_of_grid())
    )


@CHECKS.works(
    'HalvingGridSearchCV, HalvingRandomSearchCV(resource="max_epochs")',
    "the last round has the score of a fit with so many epochs",
)
def halving_search():
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingGridSearchCV, HalvingRandomSearchCV

    from sklearn_pscore.model_selection import PreferenceGroupKFold

    cv = PreferenceGroupKFold(3)
    folds = list(cv.split(X, GROUPS))
    for search in (HalvingGridSearchCV, HalvingRandomSearchCV):
        found = search(
            ranker(),
            {"dropout": [0.0, 0.1, 0.2]},
            resource="max_epochs",
            min_resources=2,
            max_resources=6,
            scoring=_scorer(),
            cv=cv,
            random_state=0,
        ).fit(X, GROUPS)
        assert found.n_resources_ == [2, 6]
        assert found.best_params_["max_epochs"] == 6
        expected = accuracy_of_folds(ranker(**found.best_params_), folds)
        assert_allclose(found.best_score_, np.mean(expected))


@CHECKS.works("cross_val_score(search, ...)", "nested cross-validation")
def nested():
    from sklearn.model_selection import GridSearchCV, cross_val_score

    from sklearn_pscore.model_selection import PreferenceGroupKFold

    search = GridSearchCV(ranker(), GRID, scoring=_scorer(), cv=PreferenceGroupKFold(2))
    scores = cross_val_score(search, X, GROUPS, scoring=_scorer(), cv=FOLDS)
    assert_allclose(scores, accuracy_of_folds(search))


@CHECKS.works("cross_val_score, cross_validate(return_estimator=True)")
def cross_validation():
    from sklearn.model_selection import cross_val_score, cross_validate

    expected = accuracy_of_folds(_pipe())
    options = {"scoring": _scorer(), "cv": FOLDS}
    assert_allclose(cross_val_score(_pipe(), X, GROUPS, **options), expected)
    results = cross_validate(_pipe(), X, GROUPS, return_estimator=True, **options)
    assert_allclose(results["test_score"], expected)
    assert_allclose(
        results["estimator"][0].score(X, GROUPS),
        accuracy(GROUPS, results["estimator"][0].predict(X)),
    )


@PROCESSES.works(
    "n_jobs=2 in GridSearchCV, cross_validate, permutation_importance, learning_curve",
    "the same bits as in one process",
)
def processes():
    from sklearn.inspection import permutation_importance
    from sklearn.model_selection import GridSearchCV, cross_validate, learning_curve

    options = {"scoring": _scorer(), "cv": FOLDS}
    fitted = ranker().fit(X, GROUPS)
    one, two = (
        [
            GridSearchCV(ranker(), GRID, n_jobs=n_jobs, **options)
            .fit(X, GROUPS)
            .cv_results_["mean_test_score"],
            cross_validate(_pipe(), X, GROUPS, n_jobs=n_jobs, **options)["test_score"],
            permutation_importance(
                fitted, X, GROUPS, scoring=_scorer(), random_state=0, n_jobs=n_jobs
            ).importances,
            learning_curve(
                ranker(), X, GROUPS, train_sizes=[1.0], n_jobs=n_jobs, **options
            )[2],
        ]
        for n_jobs in (None, 2)
    )
    for alone, together in zip(one, two, strict=True):
        assert_array_equal(alone, together)
    assert_allclose(one[0], _means_of_grid())


@CHECKS.works("cross_val_predict", "scores of several models: compare them in a fold")
def cross_val_predict():
    from sklearn.model_selection import cross_val_predict as predicted

    scores = predicted(ranker(), X, GROUPS, cv=FOLDS)
    for train, test in FOLDS:
        fitted = ranker().fit(X.iloc[train], GROUPS[train])
        assert_array_equal(scores[test], fitted.predict(X.iloc[test]))


@CHECKS.works("learning_curve, LearningCurveDisplay", "the axis has the metric's name")
def learning_curves():
    import matplotlib.pyplot as plt
    from sklearn.model_selection import LearningCurveDisplay, learning_curve

    from sklearn_pscore.model_selection import PreferenceGroupKFold

    cv = PreferenceGroupKFold(3)
    options = {"train_sizes": [0.5, 1.0], "scoring": _scorer(), "cv": cv}
    sizes, _, scores = learning_curve(ranker(), X, GROUPS, **options)
    for column, size in enumerate(sizes):
        folds = [(train[:size], test) for train, test in cv.split(X, GROUPS)]
        assert_allclose(scores[column], accuracy_of_folds(ranker(), folds))
    display = LearningCurveDisplay.from_estimator(ranker(), X, GROUPS, **options)
    assert display.score_name == "Pairwise accuracy score"
    assert_allclose(display.lines_[1].get_ydata(), scores.mean(axis=1))
    plt.close("all")


@CHECKS.works("validation_curve, ValidationCurveDisplay")
def validation_curves():
    import matplotlib.pyplot as plt
    from sklearn.model_selection import ValidationCurveDisplay, validation_curve

    options = {
        "param_name": "dropout",
        "param_range": GRID["dropout"],
        "scoring": _scorer(),
        "cv": FOLDS,
    }
    _, scores = validation_curve(ranker(), X, GROUPS, **options)
    assert_allclose(scores.mean(axis=1), _means_of_grid())
    display = ValidationCurveDisplay.from_estimator(ranker(), X, GROUPS, **options)
    assert_allclose(display.lines_[1].get_ydata(), _means_of_grid())
    plt.close("all")


@CHECKS.works(
    "permutation_test_score",
    "records move to other rows as they are; groups= keeps them in their group",
)
def permutation_test():
    from sklearn.model_selection import permutation_test_score

    from sklearn_pscore.model_selection import PreferenceGroupKFold

    options = {"scoring": _scorer(), "n_permutations": 9, "random_state": 0}
    score, permuted, p_value = permutation_test_score(
        ranker(), X, GROUPS, groups=LABEL, cv=PreferenceGroupKFold(3), **options
    )
    folds = list(PreferenceGroupKFold(3).split(X, GROUPS))
    assert_allclose(score, np.mean(accuracy_of_folds(ranker(), folds)))
    assert abs(permuted.mean() - 0.5) < 0.15
    assert_allclose(p_value, (1 + np.sum(permuted >= score)) / 10)


@CHECKS.works(
    "cv=PreferenceGroupKFold(5), groups_train_test_split",
    "ours: whole groups, read from the target",
)
def own_splitters():
    from sklearn.model_selection import cross_val_score

    from sklearn_pscore.model_selection import (
        PreferenceGroupKFold,
        groups_train_test_split,
    )

    cv = PreferenceGroupKFold(4)
    folds = list(cv.split(X, GROUPS))
    for train, test in folds:
        assert not set(LABEL[train]) & set(LABEL[test])
    scores = cross_val_score(ranker(), X, GROUPS, scoring=_scorer(), cv=cv)
    assert_allclose(scores, accuracy_of_folds(ranker(), folds))
    parts = groups_train_test_split(X, GROUPS, random_state=0)
    assert not set(parts[2]["group"]) & set(parts[3]["group"])


@CHECKS.works(
    "GroupKFold, GroupShuffleSplit, LeaveOneGroupOut, LeavePGroupsOut, PredefinedSplit "
    '(groups=groups["group"])',
    "whole groups, or blocks of them, on one side",
)
def group_splitters():
    from sklearn.model_selection import (
        GroupKFold,
        GroupShuffleSplit,
        LeaveOneGroupOut,
        LeavePGroupsOut,
        PredefinedSplit,
        cross_val_score,
    )

    for cv in (
        GroupKFold(3),
        GroupShuffleSplit(2, random_state=0),
        LeaveOneGroupOut(),
        LeavePGroupsOut(2),
        PredefinedSplit(LABEL % 3),
    ):
        # Blocks of whole groups, as portraits are.
        by = None if isinstance(cv, PredefinedSplit) else LABEL % 3
        scores = cross_val_score(
            ranker(), X, GROUPS, groups=by, scoring=_scorer(), cv=cv
        )
        folds = list(cv.split(X, GROUPS, by))
        assert_allclose(scores, accuracy_of_folds(ranker(), folds))


@CHECKS.guided(
    "cv=5, KFold, ShuffleSplit, TimeSeriesSplit, train_test_split",
    "they cut groups: a warning names cv=PreferenceGroupKFold()",
)
def splits_by_rows():
    from sklearn.model_selection import (
        GridSearchCV,
        KFold,
        ShuffleSplit,
        TimeSeriesSplit,
        cross_val_score,
        train_test_split,
    )

    says = "groups cut", "cv=PreferenceGroupKFold()"
    for cv in (5, KFold(5), ShuffleSplit(1, random_state=0), TimeSeriesSplit(3)):
        with warning(*says):
            cross_val_score(ranker(), X, GROUPS, scoring=_scorer(), cv=cv)
    with warning(*says):
        GridSearchCV(ranker(), GRID).fit(X, GROUPS)
    X_train, _, groups_train, _ = train_test_split(X, GROUPS, random_state=0)
    with warning(*says, "groups_train_test_split"):
        ranker().fit(X_train, groups_train)


@CHECKS.guided(
    "learning_curve without cv=, HalvingGridSearchCV over n_samples",
    "they cut groups: the same warning, with resource='max_epochs'",
)
def samples_by_rows():
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingGridSearchCV, learning_curve

    with warning("groups cut", "cv=PreferenceGroupKFold()"):
        learning_curve(ranker(), X, GROUPS, scoring=_scorer())
    with warning("groups cut", 'resource="max_epochs"'):
        HalvingGridSearchCV(
            ranker(),
            GRID,
            scoring=_scorer(),
            cv=FOLDS_OF_HALVING,
            min_resources=30,
            random_state=0,
        ).fit(X, GROUPS)


class _Folds:
    """Folds of whole groups of whatever rows come."""

    def split(self, X, y=None, groups=None):
        for fold in range(2):
            is_test = y["group"] % 2 == fold
            yield np.flatnonzero(~is_test), np.flatnonzero(is_test)

    def get_n_splits(self, X=None, y=None, groups=None):
        return 2


FOLDS_OF_HALVING = _Folds()


@CHECKS.guided(
    "GridSearchCV(refit=False) in rank and preference_proba, and in our scorers",
    "the error names refit=True",
)
def no_refit():
    from sklearn.model_selection import GridSearchCV

    from sklearn_pscore import preference_proba, rank

    search = GridSearchCV(ranker(), GRID, cv=FOLDS, refit=False).fit(X, GROUPS)
    for call in (
        lambda: rank(search, X, GROUPS),
        lambda: preference_proba(search, X, X),
        lambda: _scorer()(search, X, GROUPS),
    ):
        with refusal(ValueError, "refit=False", "Set refit=True"):
            call()


@CHECKS.guided(
    'cross_val_score(params={"sample_weight": w})',
    "weights are a field: Groups.from_arrays(..., weight=w)",
)
def weights_beside():
    from sklearn.model_selection import cross_val_score

    with refusal(TypeError, "sample_weight", "weight=..."):
        cross_val_score(
            ranker(),
            X,
            GROUPS,
            scoring=_scorer(),
            cv=FOLDS,
            params={"sample_weight": np.ones(60)},
            error_score="raise",
        )


@CHECKS.own_words(
    "StratifiedKFold, StratifiedGroupKFold, train_test_split(stratify=groups)",
    "every record is a class of its own: n_splits cannot be greater than its members. "
    "Use PreferenceGroupKFold or GroupKFold",
)
def stratified():
    from sklearn.model_selection import (
        StratifiedGroupKFold,
        StratifiedKFold,
        train_test_split,
    )

    for cv, by in ((StratifiedKFold(3), None), (StratifiedGroupKFold(3), LABEL)):
        with refusal(ValueError, "cannot be greater than the number of members"):
            next(cv.split(X, GROUPS, by))
    with refusal(ValueError, "The least populated classes in y have only 1 member"):
        train_test_split(X, GROUPS, stratify=GROUPS)


@CHECKS.own_words(
    'scoring="r2", "neg_mean_squared_error", "accuracy", "roc_auc"',
    "metrics of a plain target cannot read the structured one. Use our scorers, or leave "
    "scoring out",
)
def plain_scoring():
    from sklearn.model_selection import cross_val_score

    refused = {
        "r2": (TypeError, "Cannot cast array data from dtype([('group'"),
        "neg_mean_squared_error": (TypeError, "Cannot cast array data"),
        "accuracy": (ValueError, "Classification metrics can't handle a mix"),
        "roc_auc": (AttributeError, "PairwisePreferenceRanker has none of"),
    }
    for scoring, (kind, part) in refused.items():
        with refusal(kind, part):
            cross_val_score(
                ranker(), X, GROUPS, scoring=scoring, cv=FOLDS, error_score="raise"
            )
    with warning("Scoring failed."):
        scores = cross_val_score(ranker(), X, GROUPS, scoring="r2", cv=FOLDS)
    assert np.all(np.isnan(scores))


@CHECKS.works(
    "make_scorer(our metric)",
    "for models that need no groups in predict; make_ranking_scorer serves all",
)
def scikit_learn_scorer():
    from sklearn.metrics import make_scorer
    from sklearn.model_selection import cross_val_score

    from sklearn_pscore.metrics import pairwise_accuracy_score

    scorer = make_scorer(pairwise_accuracy_score)
    scores = cross_val_score(ranker(), X, GROUPS, scoring=scorer, cv=FOLDS)
    assert_allclose(scores, accuracy_of_folds(ranker()))


@CHECKS.own_words(
    "TunedThresholdClassifierCV(ranker), FixedThresholdClassifier(ranker)",
    "they ask for a classifier; preference_proba gives the probability of a pair",
)
def thresholds():
    from sklearn.model_selection import (
        FixedThresholdClassifier,
        TunedThresholdClassifierCV,
    )
    from sklearn.utils._param_validation import InvalidParameterError

    for kind in (TunedThresholdClassifierCV, FixedThresholdClassifier):
        with refusal(InvalidParameterError, "implementing 'fit' and 'predict_proba'"):
            kind(ranker()).fit(X, GROUPS)
