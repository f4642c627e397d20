"""Every warning points at the line of the user, however deep it comes from."""

import inspect
import warnings

import numpy as np
import pytest
from cases import linear_groups, quick, quick_estimators
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import Groups, LevelClassifierRanker, PairAugmenter, RankSumRanker
from sklearn_pscore.metrics import mrr_scorer, ndcg_score, pairwise_accuracy_score
from sklearn_pscore.model_selection import PreferenceGroupKFold

X, GROUPS = linear_groups()
ROWS = np.arange(len(X))
IDS = ROWS // 5
WEIGHTED = Groups.from_arrays(
    group=GROUPS["group"], preference=ROWS % 3, weight=1 + ROWS % 2
)


def fit_of(method, estimator):
    return lambda: getattr(estimator, method)(X, IDS)


CALLS = {
    f"{type(estimator).__name__}.{method}": fit_of(method, estimator)
    for method in ["fit", "partial_fit", "fit_transform"]
    for estimator in quick_estimators(method)
} | {
    "pipeline": lambda: make_pipeline(StandardScaler(), RankSumRanker()).fit(X, IDS),
    "score": lambda: LevelClassifierRanker().fit(X, ROWS * 1.0).score(X, IDS),
    "scorer": lambda: mrr_scorer(RankSumRanker().fit(X, ROWS * 1.0), X, IDS),
    "grades": lambda: quick(max_epochs=1).fit(np.tile(X, (2, 1)), np.tile(ROWS % 3, 2)),
    "metric of pairs": lambda: pairwise_accuracy_score(IDS, ROWS),
    "metric of ranks": lambda: ndcg_score(IDS, ROWS),
    "directions": lambda: RankSumRanker().fit(X, GROUPS),
    "fine levels": lambda: LevelClassifierRanker().fit(X, GROUPS),
    "weights": lambda: LevelClassifierRanker(KNeighborsClassifier()).fit(X, WEIGHTED),
    "augment": lambda: PairAugmenter().augment(X, GROUPS),
    "fit_transform": lambda: PairAugmenter().fit_transform(X, GROUPS),
    "splitter": lambda: next(PreferenceGroupKFold(2).split(X, ROWS * 1.0, IDS)),
    "refit": lambda: quick(max_epochs=1).fit(X, GROUPS).partial_fit(X, IDS),
}


@pytest.mark.parametrize("name", CALLS)
def test_warnings_point_at_the_line_of_the_user(name):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CALLS[name]()
    (warning,) = caught
    assert warning.category is UserWarning
    lines, first = inspect.getsourcelines(CALLS[name])
    assert warning.filename == __file__
    assert first <= warning.lineno < first + len(lines)
