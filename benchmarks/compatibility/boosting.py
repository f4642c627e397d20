"""LightGBM, XGBoost and CatBoost: their rankers, bare and in GroupwiseRanker."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.compatibility.check import Checks, refusal
from benchmarks.compatibility.data import (
    FOLDS,
    GRADE,
    GROUPS,
    LABEL,
    PREFERENCE,
    X,
    accuracy,
    accuracy_of_folds,
)

LIGHTGBM = Checks("LightGBM", needs=("lightgbm",))
XGBOOST = Checks("XGBoost", needs=("xgboost-cpu", "xgboost"))
CATBOOST = Checks("CatBoost", needs=("catboost",))
ORDER = np.argsort(LABEL, kind="stable")


def _lightgbm():
    from lightgbm import LGBMRanker

    return LGBMRanker(
        n_estimators=5, min_child_samples=2, random_state=0, n_jobs=1, verbose=-1
    )


def _xgboost():
    from xgboost import XGBRanker

    return XGBRanker(n_estimators=5, random_state=0, n_jobs=1)


def _catboost():
    from catboost import CatBoostRanker

    return CatBoostRanker(
        iterations=5,
        random_seed=0,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )


def _check_wrapped(ranker, by_hand):
    """Compare with a fit by hand on sorted rows; then scikit-learn's tools."""
    from sklearn.inspection import permutation_importance
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from sklearn_pscore import GroupwiseRanker, rank
    from sklearn_pscore.metrics import pairwise_accuracy_scorer, rank_items

    model = GroupwiseRanker(ranker()).fit(X, GROUPS)
    assert_allclose(model.predict(X), by_hand.predict(X), rtol=1e-6)
    assert_array_equal(rank(model, X, GROUPS), rank_items(GROUPS, model.predict(X)))
    scores = cross_val_score(
        model, X, GROUPS, scoring=pairwise_accuracy_scorer, cv=FOLDS
    )
    assert_allclose(scores, accuracy_of_folds(model))
    search = GridSearchCV(
        make_pipeline(StandardScaler(), GroupwiseRanker(ranker())),
        {"groupwiseranker__ranker__learning_rate": [0.1, 0.3]},
        scoring=pairwise_accuracy_scorer,
        cv=FOLDS,
    ).fit(X, GROUPS)
    assert_allclose(search.score(X, GROUPS), accuracy(GROUPS, search.predict(X)))
    importance = permutation_importance(
        model, X, GROUPS, scoring=pairwise_accuracy_scorer, random_state=0
    )
    assert importance.importances_mean.argmax() == 0


WRAPPED = (
    "GroupwiseRanker({}()) in Pipeline, GridSearchCV, permutation_importance, rank"
)
WRAPPED_NOTE = "equal to a fit by hand on sorted rows, with grades"
BARE = "{}() itself in compare_rankers"
BARE_NOTE = "the error shows GroupwiseRanker({}())"
SEARCH = "GridSearchCV({}(), ..., cv=PreferenceGroupKFold()), cross_val_score"
SEARCH_NOTE = "the error names GroupwiseRanker({}())"
FIT = "{}().fit(X, groups) itself, in searches with other folds, too"
FIT_NOTE = "the library's own message: wrap it as GroupwiseRanker({}())"


@LIGHTGBM.works(WRAPPED.format("LGBMRanker"), WRAPPED_NOTE)
def lightgbm():
    sizes = np.bincount(LABEL)
    by_hand = _lightgbm().fit(X.iloc[ORDER], GRADE[ORDER], group=sizes)
    _check_wrapped(_lightgbm, by_hand)


@XGBOOST.works(WRAPPED.format("XGBRanker"), WRAPPED_NOTE)
def xgboost():
    by_hand = _xgboost().fit(X.iloc[ORDER], GRADE[ORDER], qid=LABEL[ORDER])
    _check_wrapped(_xgboost, by_hand)


@CATBOOST.works(
    WRAPPED.format("CatBoostRanker"), "equal to a fit by hand on sorted rows"
)
def catboost():
    by_hand = _catboost().fit(X.iloc[ORDER], PREFERENCE[ORDER], group_id=LABEL[ORDER])
    _check_wrapped(_catboost, by_hand)


def _check_bare(ranker):
    from sklearn_pscore.model_selection import compare_rankers

    with refusal(TypeError, f"GroupwiseRanker({type(ranker).__name__}"):
        compare_rankers({"bare": ranker}, X, GROUPS, cv=3)


def _check_search(ranker):
    from sklearn.model_selection import GridSearchCV

    from sklearn_pscore.metrics import pairwise_accuracy_scorer
    from sklearn_pscore.model_selection import PreferenceGroupKFold

    cv = PreferenceGroupKFold(3)
    search = GridSearchCV(ranker, {}, scoring=pairwise_accuracy_scorer, cv=cv)
    with refusal(TypeError, f"GroupwiseRanker({type(ranker).__name__}"):
        search.fit(X, GROUPS)


@LIGHTGBM.guided(BARE.format("LGBMRanker"), BARE_NOTE.format("LGBMRanker"))
def bare_lightgbm():
    _check_bare(_lightgbm())


@XGBOOST.guided(BARE.format("XGBRanker"), BARE_NOTE.format("XGBRanker"))
def bare_xgboost():
    _check_bare(_xgboost())


@CATBOOST.guided(BARE.format("CatBoostRanker"), BARE_NOTE.format("CatBoostRanker"))
def bare_catboost():
    _check_bare(_catboost())


@LIGHTGBM.guided(SEARCH.format("LGBMRanker"), SEARCH_NOTE.format("LGBMRanker"))
def searched_lightgbm():
    _check_search(_lightgbm())


@XGBOOST.guided(SEARCH.format("XGBRanker"), SEARCH_NOTE.format("XGBRanker"))
def searched_xgboost():
    _check_search(_xgboost())


@CATBOOST.guided(SEARCH.format("CatBoostRanker"), SEARCH_NOTE.format("CatBoostRanker"))
def searched_catboost():
    _check_search(_catboost())


@LIGHTGBM.own_words(FIT.format("LGBMRanker"), FIT_NOTE.format("LGBMRanker"))
def fitted_lightgbm():
    with refusal(ValueError, "Should set group for ranking task"):
        _lightgbm().fit(X, GROUPS)


@XGBOOST.own_words(FIT.format("XGBRanker"), FIT_NOTE.format("XGBRanker"))
def fitted_xgboost():
    with refusal(ValueError, "Either `group` or `qid` is required"):
        _xgboost().fit(X, GROUPS)


@CATBOOST.own_words(FIT.format("CatBoostRanker"), FIT_NOTE.format("CatBoostRanker"))
def fitted_catboost():
    from catboost import CatBoostError

    with refusal(CatBoostError, "cannot be parsed as float"):
        _catboost().fit(X, GROUPS)
