"""Values laid out in memory in any way that scikit-learn's check_array takes."""

import numpy as np
import pandas as pd
import pytest
from cases import linear_groups, quick
from catboost import CatBoostClassifier
from numpy.testing import assert_array_equal
from sklearn.base import clone

from sklearn_pscore import (
    LevelClassifierRanker,
    LinearPreferenceRanker,
    PairAugmenter,
    RankSumRanker,
    SingleMetricRanker,
    StackedRanker,
    TopCountRanker,
)
from sklearn_pscore._torch.losses.ranknet import pairwise_logistic_loss

DIRECTIONS = {"directions": ["larger", "smaller", "larger"]}
CATBOOST = CatBoostClassifier(
    iterations=5, verbose=0, allow_writing_files=False, random_seed=0
)
RANKERS = {
    "pairwise": quick(),
    "pairwise, float32": quick(predict_dtype="float32"),
    "tree": LevelClassifierRanker(n_levels=3, random_state=0),
    "catboost": LevelClassifierRanker(CATBOOST, n_levels=3),
    "linear": LinearPreferenceRanker(),
    "single": SingleMetricRanker(),
    "stack": StackedRanker(
        [("a", LinearPreferenceRanker()), ("b", SingleMetricRanker(1))]
    ),
    "rank sum": RankSumRanker(**DIRECTIONS),
    "top count": TopCountRanker(**DIRECTIONS),
}


def of_records(X):
    """Return the rows as a field of packed records, which is not aligned."""
    records = np.zeros(len(X), dtype=[("first", "i1"), ("X", X.dtype, X.shape[1])])
    records["X"] = X
    return records["X"]


def every_other(X):
    wide = np.zeros((2 * X.shape[0], 2 * X.shape[1]), X.dtype)
    wide[::2, ::2] = X
    return wide[::2, ::2]


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


# Each returns the values of a C-ordered array in another layout.
LAYOUTS = {
    "reversed rows": lambda X: X[::-1].copy()[::-1],
    "reversed columns": lambda X: X[:, ::-1].copy()[:, ::-1],
    "both": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "reversed Fortran": lambda X: np.asfortranarray(X[::-1])[::-1],
    "Fortran": np.asfortranarray,
    "every other": every_other,
    "unaligned": of_records,
    "other byte order": lambda X: X.astype(X.dtype.newbyteorder()),
    "objects": lambda X: X.astype(object),
    "read only": read_only,
    "frame": pd.DataFrame,
    "reversed frame": lambda X: pd.DataFrame(X[::-1]).iloc[::-1],
    "frame of reversed columns": lambda X: pd.DataFrame(X[:, ::-1]).iloc[:, ::-1],
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("ranker", RANKERS.values(), ids=RANKERS)
def test_rankers_read_the_values(ranker, layout):
    X, groups = linear_groups()
    same = layout(X)
    assert_array_equal(np.asarray(same, dtype=float), X)
    fitted = clone(ranker).fit(X, groups)
    scores = fitted.predict(X)
    assert_array_equal(fitted.predict(same), scores)
    assert_array_equal(fitted.rank(same, groups), fitted.rank(X, groups))
    assert fitted.score(same, groups) == fitted.score(X, groups)
    assert_array_equal(clone(ranker).fit(same, groups).predict(X), scores)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_other_methods_of_the_pairwise_ranker(data, layout):
    X, groups = data
    ranker = quick().fit(X, groups)
    again = quick().fit(X, groups)
    expected = ranker.preference_proba(X, X[::-1].copy())
    assert_array_equal(ranker.preference_proba(layout(X), X[::-1]), expected)
    again.partial_fit(layout(X), groups)
    scores = ranker.partial_fit(X, groups).predict(X)
    assert_array_equal(again.predict(X), scores)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_augmenter(data, layout):
    X, groups = data
    augmenter = PairAugmenter(stitch_sizes=(2,), n_injected=2, random_state=0)
    expected, target = augmenter.augment(X, groups)
    enlarged, its_target = augmenter.augment(layout(X), groups)
    assert_array_equal(np.asarray(enlarged, dtype=float), expected)
    assert_array_equal(its_target, target)


@pytest.mark.parametrize("dtype", ["f2", "i1", "i4", "i8", "u1", "u8", "?", "f4", "g"])
@pytest.mark.parametrize("ranker", RANKERS.values(), ids=RANKERS)
def test_reversed_rows_of_every_type(ranker, dtype):
    X, groups = linear_groups()
    X = np.clip(np.round(3 * X), 0, 5).astype(dtype)
    ranker = clone(ranker).fit(X, groups)
    assert_array_equal(ranker.predict(X[::-1]), ranker.predict(X[::-1].copy()))


def test_loss_of_reversed_columns(data):
    X, groups = data
    columns = X[:, 0], groups["preference"], groups["group"], 1 + X[:, 1] ** 2
    copies = [column[::-1].copy() for column in columns]
    loss, gradient, weight = pairwise_logistic_loss(*[c[::-1] for c in columns])
    expected = pairwise_logistic_loss(*copies)
    assert (loss, weight) == (expected[0], expected[2])
    assert_array_equal(gradient, expected[1])
