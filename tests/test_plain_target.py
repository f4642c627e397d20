"""PlainTarget: estimators of a plain target learn from Groups."""

import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import (
    RFE,
    SelectFromModel,
    SelectKBest,
    chi2,
    f_regression,
    mutual_info_regression,
)
from sklearn.linear_model import Lasso, LogisticRegression, Perceptron, Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from xgboost import XGBRanker

from sklearn_pscore import (
    Groups,
    LinearPreferenceRanker,
    PairAugmenter,
    PairwisePreferenceRanker,
    PlainTarget,
    StackedRanker,
    rank,
)
from sklearn_pscore._rankers.plain_values import plain_values
from sklearn_pscore._target.check import check_groups
from sklearn_pscore.metrics import ndcg_scorer, pairwise_accuracy_scorer
from sklearn_pscore.model_selection import PreferenceGroupKFold, compare_rankers
from tests.cases import SEED, linear_groups, quick

X, GROUPS = linear_groups()
RNG = np.random.default_rng(SEED)


# Ridge, a regressor, is checked with the other public estimators.
@parametrize_with_checks(
    [
        PlainTarget(LogisticRegression()),
        PlainTarget(SelectKBest(k=1)),
        PlainTarget(SelectFromModel(Ridge(), max_features=1), target="rank"),
        PlainTarget(PLSRegression(1)),
        PlainTarget(TargetEncoder()),
        PlainTarget(make_pipeline(StandardScaler(), Ridge()), target="winner"),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def odd_target(seed=SEED):
    """Make a target with items of several rows, ties, weights and donors."""
    rng, n_rows = np.random.default_rng(seed), 60
    group = rng.permutation(np.arange(n_rows) % 8)
    item = rng.integers(0, 4, n_rows)
    worth = rng.integers(0, 3, (8, 4)) * 1.5 - 7
    worth[7] = 2.0  # All tie.
    weight = rng.integers(0, 3, n_rows) * 0.5
    return Groups.from_arrays(
        group=group,
        preference=worth[group, item],
        item=item,
        weight=weight,
        donor=group == 6,
    )


def values_by_definition(target, kind):
    """Return the plain value of each row by loops, NaN where it does not train."""
    y = np.full(len(target), np.nan)
    counts = ~target["donor"] & (target["weight"] > 0)
    for group in np.unique(target["group"]):
        rows = np.flatnonzero(counts & (target["group"] == group))
        preference = target["preference"][rows]
        if len(np.unique(preference)) < 2:
            continue
        if kind == "winner":
            y[rows] = preference == preference.max()
            continue
        value = preference
        if kind == "rank":
            of_item = dict(zip(target["item"][rows], preference, strict=True))
            others = np.array(list(of_item.values()))
            below = (others[None] < preference[:, None]).sum(axis=1)
            ties = (others[None] == preference[:, None]).sum(axis=1)
            value = below + (ties + 1) / 2
        y[rows] = value - np.average(value, weights=target["weight"][rows])
    return y


@pytest.mark.parametrize("kind", ["preference", "rank", "winner"])
def test_values_are_those_of_the_definition(kind):
    for seed in range(20):
        target = odd_target(seed)
        expected = values_by_definition(target, kind)
        values = plain_values(check_groups(target), kind)
        assert_array_equal(values.rows, np.flatnonzero(~np.isnan(expected)))
        assert_allclose(values.y, expected[values.rows], atol=1e-12)
        assert_array_equal(values.weight, target["weight"][values.rows])
        assert values.n_groups == len(np.unique(target["group"][values.rows]))


def test_a_constant_of_each_group_changes_nothing():
    shifted = GROUPS.copy()
    shifted["preference"] += 1000 * GROUPS["group"]
    ranker = PlainTarget(Ridge())
    expected = ranker.fit(X, GROUPS).predict(X)
    assert_allclose(ranker.fit(X, shifted).predict(X), expected, rtol=1e-9)


@pytest.mark.parametrize("kind", ["preference", "rank", "winner"])
def test_fit_is_that_of_the_estimator(kind):
    target = odd_target()
    table = RNG.normal(size=(len(target), 3))
    y = values_by_definition(target, kind)
    rows = np.flatnonzero(~np.isnan(y))
    weight = target["weight"][rows] / target["weight"][rows].mean()
    expected = Ridge().fit(table[rows], y[rows], sample_weight=weight)
    ranker = PlainTarget(Ridge(), target=kind).fit(table, target)
    assert_allclose(ranker.predict(table), expected.predict(table))
    assert ranker.n_groups_ == len(np.unique(target["group"][rows])) < 8
    equal = target.copy()
    equal["weight"] = np.where(target["weight"] > 0, 3.0, 0.0)
    PlainTarget(KNeighborsRegressor()).fit(table, equal)
    with pytest.warns(UserWarning, match="takes no sample_weight: the weights are ign"):
        PlainTarget(KNeighborsRegressor()).fit(table, target)


@pytest.mark.parametrize(
    "classifier",
    [LogisticRegression(), LinearSVC(), Perceptron(), RandomForestClassifier()],
)
def test_a_classifier_scores_by_its_winner(classifier):
    classifier.set_params(random_state=SEED)
    best = np.zeros(len(X), dtype=int)
    for group in np.unique(GROUPS["group"]):
        rows = np.flatnonzero(GROUPS["group"] == group)
        best[rows[np.argmax(GROUPS["preference"][rows])]] = 1
    expected = clone(classifier).fit(X, best)
    if hasattr(expected, "predict_proba"):
        expected = expected.predict_proba(X)[:, 1]
    else:
        expected = expected.decision_function(X)
    ranker = PlainTarget(classifier).fit(X, GROUPS)
    assert_array_equal(ranker.predict(X), expected)
    assert ranker.score(X, GROUPS) > 0.8
    assert ranker.rank(X, GROUPS).max() == 5


class Labels(LogisticRegression):
    predict_proba = property()
    decision_function = property()

    def predict(self, X):
        return X @ self.coef_[0] > 0


def test_a_classifier_that_only_has_labels():
    ranker = PlainTarget(Labels()).fit(X, GROUPS)
    assert set(ranker.predict(X)) == {0.0, 1.0}


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (Ridge(), "preference"),
        (StandardScaler(), "preference"),
        (SelectKBest(mutual_info_regression), "preference"),
        (SelectFromModel(Lasso()), "preference"),
        (TargetEncoder(), "preference"),
        (SelectKBest(), "winner"),
        (SelectKBest(chi2), "winner"),
        (SelectFromModel(LogisticRegression()), "winner"),
        (RFE(LogisticRegression()), "winner"),
        (GridSearchCV(LogisticRegression(), {}), "winner"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "winner"),
    ],
)
def test_auto(estimator, expected):
    assert PlainTarget(estimator)._target() == expected


PREDICT, TRANSFORM = {"predict", "rank", "score"}, {"transform", "fit_transform"}
SELECT = TRANSFORM | {"get_support", "get_feature_names_out", "set_output"}


@pytest.mark.parametrize(
    ("estimator", "methods", "kind"),
    [
        (Ridge(), PREDICT, "regressor"),
        (LogisticRegression(), PREDICT, "regressor"),
        (StandardScaler(), SELECT - {"get_support"}, None),
        (SelectKBest(), SELECT, None),
        (PLSRegression(), PREDICT | SELECT - {"get_support"}, "regressor"),
        (KMeans(), SELECT - {"get_support"}, None),
    ],
)
def test_methods_are_those_of_the_estimator(estimator, methods, kind):
    wrapped = PlainTarget(estimator)
    assert {name for name in PREDICT | SELECT if hasattr(wrapped, name)} == methods
    tags = get_tags(wrapped)
    assert tags.estimator_type == kind
    assert tags.target_tags.required
    assert (tags.transformer_tags is not None) == ("transform" in methods)


def left_out_target():
    """Make a target in which every row but those of two groups is left out."""
    group = np.arange(60) % 6
    preference = np.where(group < 2, RNG.normal(size=60), 1.0)
    return Groups.from_arrays(group=group, preference=preference, donor=group == 5)


@pytest.mark.parametrize("container", ["default", "pandas", "polars"])
@pytest.mark.parametrize("as_frame", [True, False])
def test_fit_transform_returns_all_rows_in_their_order(container, as_frame):
    target = left_out_target()
    kept = np.isin(target["group"], (0, 1))
    codes = RNG.integers(0, 3, (60, 2))
    frame = pd.DataFrame(codes, columns=["a", "b"], index=RNG.permutation(60))
    table = frame if as_frame else codes
    encoder = TargetEncoder(target_type="continuous", cv=KFold(2))
    wrapped = PlainTarget(encoder).set_output(transform=container)
    actual = wrapped.fit_transform(table, target)
    values = plain_values(check_groups(target), "preference")
    plain = clone(encoder).set_output(transform="default")
    expected = np.empty((60, 2))
    expected[kept] = plain.fit_transform(codes[kept], values.y)
    expected[~kept] = plain.transform(codes[~kept])
    assert_allclose(np.asarray(actual), expected)
    # Cross-fitting: what is trained on is encoded by other rows.
    assert not np.allclose(expected, wrapped.transform(table))
    kinds = {"default": np.ndarray, "pandas": pd.DataFrame, "polars": pl.DataFrame}
    assert type(actual) is kinds[container]
    if container == "pandas":
        expected_index = frame.index if as_frame else np.arange(60)
        assert_array_equal(actual.index, expected_index)
        assert actual.columns.tolist() == wrapped.get_feature_names_out().tolist()
        assert actual.columns.tolist() == (["a", "b"] if as_frame else ["x0", "x1"])


def test_fit_transform_of_sparse_columns():
    target, codes = left_out_target(), RNG.integers(0, 3, (60, 2))
    encoder = OneHotEncoder(handle_unknown="ignore")
    actual = PlainTarget(encoder).fit_transform(codes, target)
    kept = np.isin(target["group"], (0, 1))
    assert sparse.issparse(actual)
    expected = encoder.fit(codes[kept]).transform(codes)
    assert_array_equal(actual.toarray(), expected.toarray())


def test_a_target_encoder_takes_whole_numbers_for_no_classes():
    codes = (np.arange(30) % 3)[:, None]
    target = Groups.from_arrays(group=np.arange(30) // 3, preference=codes[:, 0])
    encoded = PlainTarget(TargetEncoder()).fit(codes, target).transform(codes)
    assert_array_equal(encoded, codes - 1.0)
    winner = PlainTarget(TargetEncoder(), target="winner").fit(codes, target)
    assert winner.estimator_.target_type_ == "binary"
    assert TargetEncoder().target_type == "auto"


@pytest.mark.parametrize(
    "selector",
    [
        SelectKBest(f_regression, k=2),
        SelectKBest(k=2),
        SelectKBest(mutual_info_regression, k=2),
        SelectFromModel(Lasso(0.1)),
        RFE(Ridge(), n_features_to_select=2),
    ],
)
def test_selectors_before_a_ranker(selector):
    frame = pd.DataFrame(X, columns=["good", "bad", "noise"])
    pipe = make_pipeline(PlainTarget(selector), quick(max_epochs=30))
    pipe.set_output(transform="pandas").fit(frame, GROUPS)
    assert pipe[0].get_support().tolist() == [True, True, False]
    assert pipe[0].get_support(indices=True).tolist() == [0, 1]
    assert pipe[0].get_feature_names_out().tolist() == ["good", "bad"]
    assert pipe[-1].feature_names_in_.tolist() == ["good", "bad"]
    assert pipe.score(frame, GROUPS) > 0.9


def test_a_column_transformer_of_text_and_numbers():
    kind = RNG.choice(["low", "mid", "top"], len(X))
    frame = pd.DataFrame({"kind": kind, "size": X[:, 0]})
    worth = pd.Series(kind).map({"low": 0, "mid": 1, "top": 2}) + 0.1 * X[:, 0]
    target = Groups.from_arrays(group=GROUPS["group"], preference=worth)
    pipe = make_pipeline(
        make_column_transformer(
            (PlainTarget(TargetEncoder()), ["kind"]), (StandardScaler(), ["size"])
        ),
        PlainTarget(Ridge()),
    )
    pipe.fit(frame, target)
    assert pipe.score(frame, target) > 0.95
    assert rank(pipe, frame, target).max() == 5


@pytest.mark.filterwarnings("ignore:.*no_silent_downcasting")
def test_category_encoders_too():
    encoders = pytest.importorskip("category_encoders")
    codes = pd.DataFrame({"kind": list("xyz") * 10})
    target = Groups.from_arrays(group=np.arange(30) // 3, preference=np.arange(30) % 3)
    encoder = encoders.TargetEncoder(smoothing=1e-9, min_samples_leaf=1)
    encoded = PlainTarget(encoder).fit(codes, target).transform(codes)
    assert_allclose(encoded["kind"], np.arange(30) % 3 - 1.0, atol=1e-6)
    pipe = make_pipeline(PlainTarget(encoder), PlainTarget(Ridge()))
    assert pipe.fit(codes, target).score(codes, target) == 1.0


def test_in_searches_and_comparisons():
    rankers = {
        "ridge": PlainTarget(Ridge()),
        "boosting": PlainTarget(HistGradientBoostingRegressor(max_iter=10)),
        "PLS": make_pipeline(StandardScaler(), PlainTarget(PLSRegression(1))),
        "classifier": PlainTarget(LogisticRegression()),
    }
    comparison = compare_rankers(rankers, X, GROUPS, cv=3, n_seeds=1)
    assert np.all(comparison.table()[("MRR", "mean")] > 0.6)
    search = GridSearchCV(
        PlainTarget(Ridge()),
        {"estimator__alpha": [1e9, 1e-3], "target": ["rank", "winner"]},
        scoring={"ndcg": ndcg_scorer, "accuracy": pairwise_accuracy_scorer},
        refit="accuracy",
        cv=PreferenceGroupKFold(3),
    ).fit(X, GROUPS)
    assert search.best_score_ > 0.95
    assert search.best_params_["target"] == "rank"


@pytest.mark.parametrize(
    ("estimator", "parameters", "error", "message"),
    [
        (Ridge, {}, TypeError, "estimator is the class Ridge; expected an instance"),
        (
            XGBRanker(),
            {},
            TypeError,
            "estimator is XGBRanker, whose fit wants the groups as qid=, beside the "
            "target; expected an estimator whose fit takes a target of Groups. Pass "
            "GroupwiseRanker(XGBRanker(...)).",
        ),
        (
            make_pipeline(StandardScaler(), XGBRanker()),
            {},
            TypeError,
            "the model inside of estimator is XGBRanker, whose fit wants the groups as",
        ),
        (
            PairwisePreferenceRanker(),
            {},
            TypeError,
            "estimator is PairwisePreferenceRanker, which takes groups by itself;",
        ),
        (PairAugmenter(), {}, TypeError, "estimator is PairAugmenter, which takes gro"),
        (
            LogisticRegression(),
            {"target": "rank"},
            ValueError,
            "target='rank' with LogisticRegression, which learns classes; expected "
            "target='winner' or 'auto' for a classifier. For classes that are levels",
        ),
        (
            Ridge(),
            {"target": "best"},
            ValueError,
            "The 'target' parameter of PlainTarg",
        ),
        (
            IsolationForest(),
            {},
            TypeError,
            "estimator is IsolationForest, which neither predicts scores nor transforms;",
        ),
    ],
)
def test_what_cannot_be_wrapped(estimator, parameters, error, message):
    wrapped = PlainTarget(estimator, **parameters)
    before = dict(vars(wrapped))
    with pytest.raises(error, match=re.escape(message)):
        wrapped.fit(X, GROUPS)
    assert vars(wrapped) == before


def test_bad_input():
    ranker = PlainTarget(Ridge())
    target = GROUPS.copy()
    target["preference"][3] = np.nan
    with pytest.raises(ValueError, match=r"no preference \(NaN\) in 1 of 150 rows"):
        ranker.fit(X, target)
    target["preference"][3] = np.inf
    with pytest.raises(ValueError, match="preference is inf at row 3"):
        ranker.fit(X, target)
    target["preference"][3] = 1e308
    target["preference"][GROUPS["group"] == GROUPS["group"][3]] -= 1.7e308
    target["preference"][3] = 1.7e308
    with pytest.raises(ValueError, match="preferences up to 1.7e"):
        ranker.fit(X, target)
    ranker.fit(X, GROUPS)
    with pytest.raises(ValueError, match="X has 2 features, but Ridge is expecting"):
        ranker.predict(X[:, :2])


@pytest.mark.parametrize("estimator", [Ridge(), LogisticRegression(), SelectKBest(k=1)])
def test_text_and_dates_are_no_numbers(estimator):
    spelled, dates = X.round(2).astype(str), X.astype("datetime64[s]")
    wrapped = PlainTarget(estimator)
    for table in (spelled, dates, pd.DataFrame(dates)):
        with pytest.raises(
            TypeError, match="expected numbers. The argument must be free"
        ):
            wrapped.fit(table, GROUPS)
    wrapped.fit(X, GROUPS)
    method = wrapped.predict if hasattr(wrapped, "predict") else wrapped.transform
    for table in (spelled, dates):
        with pytest.raises(
            TypeError, match="expected numbers. The argument must be free"
        ):
            method(table)
    with pytest.raises(TypeError, match="X is int; expected one row per sample"):
        method(3)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        method([[None, 1, 2], [1, 2, 3]])


def test_what_takes_categories_gets_them():
    kind = pd.Categorical(np.array(["x", "y"])[(X[:, 0] > 0).astype(int)])
    frame = pd.DataFrame({"kind": kind, "size": X[:, 1]})
    boosting = HistGradientBoostingRegressor(categorical_features="from_dtype")
    ranker = PlainTarget(boosting).fit(frame, GROUPS)
    assert ranker.score(frame, GROUPS) > 0.85
    assert ranker.estimator_.is_categorical_.tolist() == [True, False]


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix])
def test_sparse_rows(form):
    thin = np.where(np.abs(X) > 0.5, X, 0)
    tree = PlainTarget(DecisionTreeRegressor(max_depth=3, random_state=SEED))
    expected = tree.fit(thin, GROUPS).predict(thin)
    wide = form(thin)
    wide.indices, wide.indptr = wide.indices.astype("i8"), wide.indptr.astype("i8")
    for table in (form(thin), wide):
        assert_allclose(tree.fit(table, GROUPS).predict(table), expected)
    assert wide.indices.dtype == np.int64
    wrong = form(thin)
    wrong.indices = wrong.indices + 1000
    with pytest.raises(ValueError, match="whose `indices` hold"):
        tree.fit(wrong, GROUPS)


def test_names_are_warned_of_once():
    ranker = PlainTarget(Ridge()).fit(X, GROUPS)
    with pytest.warns(UserWarning, match="X has feature names, but Ridge") as caught:
        ranker.predict(pd.DataFrame(X, columns=["a", "b", "c"]))
    assert len(caught) == 1


class Untagged:
    """An estimator of another library, which counts no columns."""

    def get_params(self, deep=True):
        return {}

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.asarray(X)[:, :1]


def test_an_estimator_that_is_not_of_scikit_learn():
    ranker = PlainTarget(Untagged()).fit(X, GROUPS)
    assert_array_equal(ranker.predict(X), X[:, 0])
    assert ranker.n_features_in_ == 3
    with pytest.raises(
        ValueError, match="X has 2 features, but PlainTarget is expecting"
    ):
        ranker.predict(X[:, :2])


def test_a_fit_that_fails_leaves_the_last_one():
    ranker = PlainTarget(Ridge()).fit(X, GROUPS)
    before = dict(vars(ranker))
    with pytest.raises(ValueError, match="NaN"):
        ranker.fit(np.full((150, 2), np.nan), GROUPS)
    assert vars(ranker) == before


def test_cut_groups_warn():
    for method in ("fit", "fit_transform"):
        wrapped = PlainTarget(PLSRegression(1))
        message = f"PlainTarget.{method} got 20 of 30 groups cut"
        with pytest.warns(UserWarning, match=message):
            getattr(wrapped, method)(X[:120], GROUPS[:120])


@pytest.mark.parametrize("method", ["transform", "get_support", "predict"])
def test_what_needs_a_fit_says_so(method):
    wrapped = PlainTarget(Ridge() if method == "predict" else SelectKBest(f_regression))
    arguments = () if method == "get_support" else (X,)
    with pytest.raises(NotFittedError, match="PlainTarget instance is not fitted yet"):
        getattr(wrapped, method)(*arguments)


def test_synthetic_items_warn():
    pipe = make_pipeline(PairAugmenter((2,), random_state=SEED), PlainTarget(Ridge()))
    with pytest.warns(UserWarning, match="which PlainTarget does not learn from"):
        pipe.fit(X, GROUPS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipe[-1].fit(X, GROUPS)


@pytest.mark.parametrize(
    "unwrapped",
    [
        Ridge(),
        make_pipeline(SelectKBest(f_regression, k=1), PlainTarget(Ridge())),
        make_pipeline(SelectFromModel(Lasso()), PlainTarget(Ridge())),
        make_pipeline(TargetEncoder(), PlainTarget(Ridge())),
        StackedRanker([("a", Ridge()), ("b", LinearPreferenceRanker())]),
    ],
)
def test_comparisons_name_the_wrapper_where_it_lacks(unwrapped):
    hint = (
        "An estimator that wants a plain target got the records of Groups: wrap it, as"
    )
    with pytest.raises(ValueError, match="All 3 fits failed") as caught:
        compare_rankers({"a": unwrapped}, X.round(), GROUPS, cv=3, n_seeds=1)
    assert str(caught.value).count(f" ({hint} in PlainTarget(Ridge()).)") == 1
    with pytest.raises(TypeError) as caught:
        compare_rankers({"a": unwrapped}, X, GROUPS, cv=3, error_score="raise")
    notes = [str(caught.value), *caught.value.__notes__]
    assert sum(note.count(hint) for note in notes) == 1


def test_other_errors_have_no_hint():
    with pytest.raises(ValueError, match="All 3 fits failed") as caught:
        compare_rankers({"a": PlainTarget(Ridge(-1.0))}, X, GROUPS, cv=3, n_seeds=1)
    assert "wrap it" not in str(caught.value)
