"""Importance within groups: slow loops, scikit-learn's own, kinds of tables, errors."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from catboost import CatBoostRanker
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_array, csr_matrix
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_pscore import (
    Groups,
    GroupwiseRanker,
    LinearPreferenceRanker,
    PairwisePreferenceRanker,
    PlainTarget,
    TopCountRanker,
)
from sklearn_pscore.inspection import _group_importance, group_permutation_importance
from sklearn_pscore.inspection._feature_table import FeatureTable
from sklearn_pscore.metrics import (
    dcg_score,
    dcg_scorer,
    make_ranking_scorer,
    neg_rmse_scorer,
    pairwise_accuracy_score,
    pairwise_accuracy_scorer,
    rank_items,
    rmse,
    spearman_score,
)
from sklearn_pscore.model_selection import PreferenceGroupKFold

NAMES = ["sharp", "sync", "level", "noise"]


class WeightedSum(RegressorMixin, BaseEstimator):
    """The sum of the columns, each times its weight; nothing is fitted."""

    def __init__(self, weight=(1.0, 0.5, 1.0, 0.0)):
        self.weight = weight

    def fit(self, X, y=None):
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return np.asarray(X, dtype=float) @ np.asarray(self.weight)


def drawn(n_groups=30, size=5, seed=0):
    """Return a table whose `level` is constant in groups, and its target."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n_groups * size, 4)), columns=NAMES)
    group = np.arange(len(X)) // size
    X["level"] = 3 * rng.normal(size=n_groups)[group]
    liked = 2 * X["sharp"] + X["sync"] + 0.3 * rng.normal(size=len(X))
    groups = Groups.from_arrays(
        group=[f"prompt {g}" for g in group],
        item=[f"system {i}" for i in np.arange(len(X)) % size],
        preference=liked,
    )
    return X, groups


def importance(estimator, X, groups, **options):
    options = {"n_repeats": 4, "random_state": 0, **options}
    return group_permutation_importance(estimator, X, groups, **options)


def fixed():
    return WeightedSum().fit(None)


@pytest.mark.parametrize("shuffle", ["within", "global"])
@pytest.mark.parametrize("scorer", [pairwise_accuracy_scorer, dcg_scorer])
@pytest.mark.parametrize(
    "ranker",
    [
        PairwisePreferenceRanker(max_epochs=2, n_members=2, random_state=0),
        TopCountRanker(directions="larger"),
    ],
    ids=lambda ranker: type(ranker).__name__,
)
def test_is_a_loop_of_predictions(shuffle, scorer, ranker, monkeypatch):
    """The permutations are noted down, and made one by one."""
    X, groups = drawn()
    model = make_pipeline(StandardScaler(), clone(ranker)).fit(X, groups)
    noted = []

    class Noted(_group_importance._Permutation):
        def drawn_sources(self, *arguments):
            sources = super().drawn_sources(*arguments)
            noted.append((self.rows, sources))
            return sources

    monkeypatch.setattr(_group_importance, "_Permutation", Noted)
    result = importance(model, X, groups, shuffle=shuffle, scoring=scorer)
    ((rows, sources),) = noted
    assert sorted(rows) == list(range(len(X)))
    assert result.baseline == pytest.approx(scorer(model, X, groups), rel=1e-12)
    for place, name in enumerate(NAMES):
        for repeat, source in enumerate(sources):
            assert sorted(source) == list(range(len(X)))
            if shuffle == "within":
                assert_array_equal(groups["group"][rows], groups["group"][rows[source]])
            permuted = X.copy()
            permuted.loc[rows, name] = X[name].to_numpy()[rows[source]]
            expected = result.baseline - scorer(model, permuted, groups)
            assert_allclose(result.importances[place, repeat], expected, atol=1e-12)
    assert_array_equal(result.importances_mean, result.importances.mean(axis=1))
    assert_array_equal(result.importances_std, result.importances.std(axis=1))
    assert result.feature_names.tolist() == NAMES
    assert result.scoring == scorer.__name__


def test_a_permutation_within_groups_takes_every_order_as_often():
    X, groups = drawn(n_groups=2000, size=3)
    target = _group_importance.check_groups(groups)
    rows = np.arange(len(X))
    permuted = _group_importance._Permutation(
        fixed(), pairwise_accuracy_scorer, FeatureTable(X), rows, groups, target
    )
    (source,) = permuted.drawn_sources("within", 1, np.random.RandomState(0))
    orders = source.reshape(-1, 3) - 3 * np.arange(2000)[:, None]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    # Six orders of 333 each, standard deviation 17.
    assert len(counts) == 6
    assert np.abs(counts - 2000 / 6).max() < 4 * 17


def test_group_constant_metric_is_exactly_zero_within():
    X, groups = drawn()
    result = importance(fixed(), X, groups, n_repeats=10)
    assert_array_equal(result.importances[2], 0.0)
    assert_array_equal(result.importances[3], 0.0)
    assert (result.importances_mean[:2] > 0.05).all()
    # Among all rows the score takes differences that no pair has.
    across = importance(fixed(), X, groups, n_repeats=10, shuffle="global")
    assert across.importances_mean[2] > 0.1


def test_nan_that_is_constant_in_groups_is_zero():
    X, groups = drawn()
    X["level"] = X["level"].where(X["level"] > 0)
    ranker = PairwisePreferenceRanker(max_epochs=2, n_members=1, random_state=0)
    result = importance(ranker.fit(X, groups), X, groups)
    assert_array_equal(result.importances[2], 0.0)


def test_global_is_as_scikit_learn_s_own():
    X, groups = drawn()
    model = LinearPreferenceRanker().fit(X, groups)
    options = {"n_repeats": 100, "random_state": 0}
    ours = importance(model, X, groups, shuffle="global", **options)
    theirs = permutation_importance(model, X, groups, **options)
    error = np.hypot(ours.importances_std, theirs.importances_std) / np.sqrt(100)
    difference = np.abs(ours.importances_mean - theirs.importances_mean)
    assert (difference <= 4 * error).all()
    assert_allclose(ours.importances_std, theirs.importances_std, rtol=0.4, atol=1e-3)


def test_draws_of_rows_are_biased_where_draws_of_groups_are_not():
    """scikit-learn's max_samples cuts groups, of which DCG is larger in whole ones."""
    X, groups = drawn(n_groups=60)
    options = {"scoring": dcg_scorer, "n_repeats": 5, "random_state": 0}
    with pytest.warns(UserWarning, match="groups cut"):
        theirs = permutation_importance(fixed(), X, groups, max_samples=0.4, **options)
    assert theirs.importances_mean[3] > 3
    ours = importance(fixed(), X, groups, max_groups=0.4, **options)
    assert_array_equal(ours.importances[3], 0.0)


class TestWhatItDependsOn:
    @pytest.mark.parametrize("shuffle", ["within", "global"])
    @pytest.mark.parametrize("max_groups", [None, 7])
    @pytest.mark.parametrize("fields", [["item"], []], ids=["items", "no items"])
    def test_not_on_the_order_of_rows_nor_on_labels(self, shuffle, max_groups, fields):
        X, groups = drawn()
        groups = groups[["group", "preference", *fields]]
        model = LinearPreferenceRanker().fit(X, groups)
        options = {"shuffle": shuffle, "max_groups": max_groups, "scoring": dcg_scorer}
        expected = importance(model, X, groups, **options).importances
        order = np.random.default_rng(1).permutation(len(X))
        labels = np.unique(groups["group"], return_inverse=True)[1]
        other = Groups.from_arrays(
            group=(labels * 7919 % 101)[order],
            **{name: groups[name][order] for name in ["preference", *fields]},
        )
        result = importance(model, X.iloc[order], other, **options)
        assert_array_equal(result.importances, expected)

    def test_not_on_the_number_of_jobs(self):
        X, groups = drawn()
        ranker = PairwisePreferenceRanker(max_epochs=2, n_members=2, random_state=0)
        linear = LinearPreferenceRanker()
        for model, backend in ((linear, "loky"), (ranker, "threading")):
            one = importance(model.fit(X, groups), X, groups)
            with parallel_config(backend=backend):
                two = importance(model, X, groups, n_jobs=2)
            assert_array_equal(one.importances, two.importances)

    def test_not_on_the_size_of_predictions(self, monkeypatch):
        X, groups = drawn()
        model = LinearPreferenceRanker().fit(X, groups)
        expected = importance(model, X, groups).importances
        sizes = []
        predict = model.predict
        model.predict = lambda X: sizes.append(len(X)) or predict(X)
        monkeypatch.setattr(_group_importance, "_ROWS", 2 * len(X))
        assert_array_equal(importance(model, X, groups).importances, expected)
        assert max(sizes) == 2 * len(X)
        # The baseline, and two predictions for each column that is not constant.
        assert len(sizes) == 1 + 3 * 2

    def test_not_on_other_columns(self):
        X, groups = drawn()
        expected = importance(fixed(), X, groups).importances
        groups_of = {"both": ["noise"]}
        result = importance(fixed(), X, groups, feature_groups=groups_of)
        assert_array_equal(result.importances[1:], expected[:3])

    def test_on_the_seed(self):
        X, groups = drawn()
        values = [
            importance(fixed(), X, groups, random_state=seed).importances[0]
            for seed in (0, np.random.RandomState(0), 1)
        ]
        assert_array_equal(values[0], values[1])
        assert np.any(values[0] != values[2])

    def test_arguments_are_left_as_they_are(self):
        X, groups = drawn()
        before = X.copy(), groups.copy()
        importance(fixed(), X, groups)
        pd.testing.assert_frame_equal(X, before[0])
        assert_array_equal(groups, before[1])


class TestFeatureGroups:
    def test_correlated_metrics_are_large_together(self):
        X, groups = drawn(n_groups=60)
        X["copy"] = X["sharp"] + 0.01 * np.random.default_rng(1).normal(size=len(X))
        model = WeightedSum((1.0, 0.5, 0.0, 0.0, 1.0)).fit(X)
        alone = importance(model, X, groups)
        assert alone.feature_names.tolist() == [*NAMES, "copy"]
        together = importance(
            model, X, groups, feature_groups={"sharpness": ["copy", "sharp"]}
        )
        names = ["sharpness", "sync", "level", "noise"]
        assert together.feature_names.tolist() == names
        whole = together.importances_mean[0]
        assert whole > 1.1 * (alone.importances_mean[0] + alone.importances_mean[4])
        assert_array_equal(together.importances[1:], alone.importances[1:4])

    def test_columns_keep_their_rows(self):
        """Two columns that cancel each other out still do, by one permutation."""
        X, groups = drawn()
        X["minus"] = -X["level"] - X["sharp"]
        X["level"] += X["sharp"]
        model = WeightedSum((1.0, 0.5, 1.0, 0.0, 1.0)).fit(X)
        cancel = importance(model, X, groups, feature_groups={"c": ["level", 4]})
        assert_array_equal(cancel.importances[0], 0.0)

    @pytest.mark.parametrize(
        ("feature_groups", "error", "words"),
        [
            (["sharp"], TypeError, "must be a dict of lists"),
            (
                {"a": "sharp"},
                TypeError,
                "expected a list of columns. Pass \\['sharp'\\]",
            ),
            ({"a": 3}, TypeError, "is 3; expected a list"),
            ({"a": []}, ValueError, "is empty"),
            ({"a": ["sharpp"]}, ValueError, "no column of X. Is 'sharp' meant\\?"),
            (
                {"a": ["FID"]},
                ValueError,
                "no column of X. Pass columns of \\['sharp', 'sync'",
            ),
            ({"a": [4]}, ValueError, "from 0 to 3, or a name. X has 4"),
            ({"a": [0], "b": ["sharp"]}, ValueError, "'sharp' in 'a' and in 'b'"),
            ({"a": [0, 0]}, ValueError, "'sharp' in 'a' and in 'a'"),
            ({"sync": [0]}, ValueError, "a group 'sync', as a column outside"),
        ],
    )
    def test_errors(self, feature_groups, error, words):
        X, groups = drawn(6)
        with pytest.raises(error, match=words):
            importance(fixed(), X, groups, feature_groups=feature_groups)

    def test_a_name_twice(self):
        X, groups = drawn(6)
        X.columns = ["a", "a", "b", "c"]
        with pytest.raises(ValueError, match="2 columns of X are named; .* \\[0, 1\\]"):
            importance(fixed(), X, groups, feature_groups={"g": ["a"]})
        result = importance(fixed(), X, groups)
        assert result.feature_names.tolist() == ["a", "a", "b", "c"]
        assert result.importances_mean[0] > result.importances_mean[1]


class TestTables:
    @pytest.mark.parametrize("kind", [np.array, csr_matrix, csc_array, pl.from_pandas])
    def test_of_any_kind(self, kind):
        X, groups = drawn()
        X = X.where(np.random.default_rng(1).random(X.shape) < 0.7, 0.0)
        ranker = LinearPreferenceRanker().fit(X.to_numpy(), groups)
        expected = importance(ranker, X.to_numpy(), groups)
        names = expected.feature_names.tolist()
        assert names == ["x0", "x1", "x2", "x3"]
        table = kind(X)
        ranker = LinearPreferenceRanker().fit(table, groups)
        result = importance(ranker, table, groups)
        assert_allclose(result.importances, expected.importances, atol=1e-12)
        if kind is pl.from_pandas:
            assert result.feature_names.tolist() == NAMES

    def test_names_of_the_fit_for_an_array(self):
        X, groups = drawn(6)
        model = fixed()
        model.feature_names_in_ = np.array(NAMES, dtype=object)
        assert importance(model, X.to_numpy(), groups).feature_names.tolist() == NAMES

    @pytest.mark.parametrize("dtype", ["category", "str", object])
    def test_columns_of_text(self, dtype):
        X, groups = drawn()
        codec = np.where(X["sharp"] > 0, "av1", "h264")
        table = X.assign(sharp=pd.Series(codec).astype(dtype))
        model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), Ridge())
        encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        model = make_pipeline(encoder, PlainTarget(Ridge()))
        table = table[["sharp"]].assign(level=np.round(X["level"]).astype(int))
        model.fit(table, groups)
        result = importance(model, table, groups)
        assert result.importances_mean[0] > 0.1
        assert_array_equal(result.importances[1], 0.0)

    def test_lists(self):
        X, groups = drawn(6)
        expected = importance(fixed(), X.to_numpy(), groups).importances
        lists = X.to_numpy().tolist()
        assert_array_equal(importance(fixed(), lists, groups).importances, expected)

    def test_numbers_of_another_byte_order(self):
        X, groups = drawn(6)
        expected = importance(fixed(), X.to_numpy(), groups).importances
        swapped = X.to_numpy().astype(">f8")
        assert_array_equal(importance(fixed(), swapped, groups).importances, expected)

    def test_other_number_types_are_permuted_alike(self):
        X, groups = drawn()
        X = X.round()
        expected = importance(fixed(), X, groups).importances
        expected_keys = FeatureTable(X).row_keys()
        for table in (X.astype("float32"), X.astype(int), csr_matrix(X), -(-X + 0.0)):
            assert_array_equal(FeatureTable(table).row_keys(), expected_keys)
        missing = X.mask(X == 1)
        for kind in ("Float64", "Int64"):
            keys = FeatureTable(missing.astype(kind)).row_keys()
            assert_array_equal(keys, FeatureTable(missing).row_keys())
        whole = importance(fixed(), X.astype(int), groups).importances
        assert_array_equal(whole, expected)


class TestRows:
    def test_donors_and_rows_without_weight_are_not_there(self):
        X, groups = drawn()
        model = LinearPreferenceRanker().fit(X, groups)
        expected = importance(model, X, groups, shuffle="global")
        n, n_more = len(X), 40
        more = pd.DataFrame(np.full((n_more, 4), 99.0), columns=NAMES)
        longer = Groups.from_arrays(
            group=[*groups["group"], *groups["group"][:n_more]],
            item=[*groups["item"], *(f"other {i}" for i in range(n_more))],
            preference=[*groups["preference"], *np.full(n_more, np.nan)],
            weight=np.repeat([1.0, 0.0], [n, n_more]),
        )
        both = pd.concat([X, more], ignore_index=True)
        result = importance(model, both, longer, shuffle="global")
        assert_array_equal(result.importances, expected.importances)
        donors = Groups.from_arrays(
            group=longer["group"],
            item=longer["item"],
            preference=np.nan_to_num(longer["preference"]),
            donor=longer["weight"] == 0,
        )
        result = importance(model, both, donors, shuffle="global")
        assert_array_equal(result.importances, expected.importances)

    def test_weights_are_read(self):
        X, groups = drawn()
        rng = np.random.default_rng(0)
        weighted = Groups.from_arrays(
            group=groups["group"],
            preference=groups["preference"],
            weight=rng.integers(1, 5, len(X)),
        )
        result = importance(fixed(), X, weighted)
        value = pairwise_accuracy_score(weighted, fixed().predict(X))
        assert result.baseline == pytest.approx(value, rel=1e-12)
        assert value != pairwise_accuracy_score(groups, fixed().predict(X))

    def test_unjudged_rows_are_refused(self):
        X, groups = drawn(6)
        groups["preference"][3] = np.nan
        with pytest.raises(ValueError, match="no preference \\(NaN\\) in 1 of 30 rows"):
            importance(fixed(), X, groups)

    def test_cut_groups_warn_once(self):
        X, groups = drawn(6)
        with pytest.warns(UserWarning, match="got 1 of 6 groups cut") as caught:
            importance(fixed(), X[2:], groups[2:])
        assert len(caught) == 1
        assert caught[0].filename == __file__

    def test_plain_target_is_one_group(self):
        X, _ = drawn(6)
        liked = 2 * X["sharp"].to_numpy()
        result = importance(fixed(), X, liked)
        expected = Groups.from_arrays(group=np.zeros(30, dtype=int), preference=liked)
        assert_array_equal(
            result.importances, importance(fixed(), X, expected).importances
        )

    def test_clips_of_an_item_count_as_one(self):
        X, groups = drawn()
        twice = np.repeat(np.arange(len(X)), 2)
        clips = Groups.from_arrays(
            **{name: groups[name][twice] for name in ("group", "item", "preference")},
            clip=np.tile([0, 1], len(X)),
        )
        result = importance(fixed(), X.iloc[twice], clips)
        expected = pairwise_accuracy_score(groups, fixed().predict(X))
        assert result.baseline == pytest.approx(expected, rel=1e-12)
        assert_array_equal(result.importances[2], 0.0)
        assert (result.importances[0] > 0).all()

    def test_max_groups_draws_whole_groups(self, monkeypatch):
        X, groups = drawn()
        seen = []
        model = WeightedSum().fit(X)
        predict = model.predict
        model.predict = lambda table: seen.append(table) or predict(table)
        for max_groups, n_drawn in ((7, 7), (0.2, 6), (0.001, 1), (1.0, 30), (99, 30)):
            seen.clear()
            result = importance(model, X, groups, max_groups=max_groups)
            # The first prediction is of the rows drawn, as they are.
            drawn_rows = X.reset_index().merge(seen[0], on=NAMES)["index"]
            assert len(drawn_rows) == 5 * n_drawn
            chosen = groups[np.sort(drawn_rows)]
            assert set(np.unique(chosen["group"], return_counts=True)[1]) == {5}
            value = pairwise_accuracy_score(chosen, predict(X)[np.sort(drawn_rows)])
            assert result.baseline == pytest.approx(value, rel=1e-12)


class TestEstimators:
    def test_baseline_whose_predict_takes_groups(self):
        X, groups = drawn()
        model = make_pipeline(StandardScaler(), TopCountRanker(directions="larger"))
        result = importance(model.fit(X, groups), X, groups)
        baseline = pairwise_accuracy_scorer(model, X, groups)
        assert result.baseline == pytest.approx(baseline, rel=1e-12)
        assert_array_equal(result.importances[2], 0.0)
        assert result.importances_mean[0] > 0.02

    @pytest.mark.parametrize("shown_first", [False, True])
    def test_baseline_of_votes(self, shown_first):
        X, groups = drawn()
        rng = np.random.default_rng(0)
        left, shift = rng.integers(5, size=300), rng.integers(1, 5, size=300)
        votes = {"prompt": rng.integers(30, size=300), "left": left}
        votes["right"] = (left + shift) % 5
        table = groups["preference"].reshape(30, 5)
        first, second = (table[votes["prompt"], votes[x]] for x in ("left", "right"))
        votes["winner"] = np.where(first > second, "left", "right")
        items = {"prompt": np.arange(150) // 5, "system": np.arange(150) % 5}
        groups = Groups.from_votes(votes, items, order=shown_first)
        model = make_pipeline(StandardScaler(), TopCountRanker(directions="larger"))
        result = importance(model.fit(X, groups), X, groups)
        assert result.baseline == pairwise_accuracy_scorer(model, X, groups)
        assert result.importances_mean[0] > 0.02

    def test_search_and_wrapped_library(self):
        X, groups = drawn()
        cat = CatBoostRanker(
            loss_function="PairLogit",
            iterations=20,
            random_seed=0,
            verbose=0,
            thread_count=1,
            allow_writing_files=False,
        )
        wrapped = GroupwiseRanker(cat).fit(X, groups)
        search = GridSearchCV(
            LinearPreferenceRanker(), {"C": [1.0]}, cv=PreferenceGroupKFold(3)
        ).fit(X, groups)
        for model in (wrapped, search):
            result = importance(model, X, groups)
            order = result.importances_mean.argsort()[::-1]
            assert order[:2].tolist() == [0, 1]
            assert result.importances_mean[0] > 3 * result.importances_mean[3]

    def test_planted_metric_is_found_on_fresh_groups(self):
        X, groups = drawn(n_groups=60)
        ranker = PairwisePreferenceRanker(max_epochs=10, n_members=2, random_state=0)
        ranker.fit(X[:200], groups[:200])
        result = importance(ranker, X[200:], groups[200:])
        assert result.importances_mean.argmax() == 0
        assert result.importances_mean[0] > 10 * np.abs(result.importances_mean[3])

    def test_errors(self):
        X, groups = drawn(6)
        with pytest.raises(NotFittedError):
            importance(LinearPreferenceRanker(), X, groups)
        with pytest.raises(TypeError, match="is the class WeightedSum"):
            importance(WeightedSum, X, groups)
        classes = np.arange(30) % 2
        with pytest.raises(TypeError, match="classifier, whose predict gives labels"):
            importance(LogisticRegression().fit(X, classes), X, groups)
        model = LinearPreferenceRanker().fit(X, groups)
        with pytest.raises(TypeError, match="was fitted on 6 groups"):
            importance(model, X, groups["preference"])
        with pytest.raises(ValueError, match="30 entries but X has 29 rows"):
            importance(model, X[1:], groups)
        bad = WeightedSum((np.nan, 1.0, 1.0, 1.0)).fit(X)
        with pytest.raises(ValueError, match="y_score is nan at row 0"):
            importance(bad, X, groups)


class TestScoring:
    @pytest.mark.parametrize(
        "scoring", [dcg_score, dcg_scorer, "dcg", "dcg_score", "dcg_scorer"]
    )
    def test_a_metric_a_scorer_or_a_name(self, scoring):
        X, groups = drawn(6)
        result = importance(fixed(), X, groups, scoring=scoring)
        value = dcg_score(groups, fixed().predict(X))
        assert result.baseline == pytest.approx(value, rel=1e-12)
        assert result.scoring == "dcg_score"

    @pytest.mark.parametrize("scoring", [rmse, neg_rmse_scorer, "rmse", "neg_rmse"])
    def test_an_error_is_turned(self, scoring):
        X, groups = drawn()
        options = {"shuffle": "global", "feature_groups": {"all": NAMES}}
        result = importance(fixed(), X, groups, scoring=scoring, n_repeats=1, **options)
        value = -rmse(groups, fixed().predict(X))
        assert result.baseline == pytest.approx(value, rel=1e-9)
        assert result.importances_mean[0] > 0
        assert result.scoring == "neg_rmse"

    def test_own_metric_gets_the_user_s_labels(self):
        X, groups = drawn(6)
        seen = []

        def one_group(groups, y_score):
            seen.append(groups.dtype.names)
            kept = groups["group"] == "prompt 3"
            return spearman_score(groups[kept], y_score[kept])

        result = importance(fixed(), X, groups, scoring=one_group)
        expected = one_group(groups, fixed().predict(X))
        assert result.baseline == pytest.approx(expected, rel=1e-12)
        assert result.scoring == "one_group"
        assert seen[0] == ("group", "preference", "item")

    def test_options(self):
        X, groups = drawn(6)
        scorer = make_ranking_scorer(spearman_score, within="all")
        result = importance(fixed(), X, groups, scoring=scorer)
        value = spearman_score(groups, fixed().predict(X), within="all")
        assert result.baseline == pytest.approx(value, rel=1e-9)

    def test_a_metric_of_each_row_is_refused(self):
        X, groups = drawn(6)
        with pytest.raises(ValueError, match="is rank_items, which returned shape"):
            importance(fixed(), X, groups, scoring=rank_items)

    def test_default_is_pairwise_accuracy(self):
        X, groups = drawn(6)
        assert importance(fixed(), X, groups).scoring == "pairwise_accuracy_score"

    @pytest.mark.parametrize(
        ("scoring", "error", "words"),
        [
            (
                "dgc",
                ValueError,
                "a str among \\['dcg', .*Got 'dgc' instead. Is 'dcg' me",
            ),
            ("r2", ValueError, "Got 'r2' instead"),
            (3, TypeError, "the name of one or None. Got 3 instead"),
            (lambda a, b, c: 0, TypeError, "which is no metric of scores: .* at once"),
        ],
    )
    def test_errors(self, scoring, error, words):
        X, groups = drawn(6)
        with pytest.raises(error, match=words):
            importance(fixed(), X, groups, scoring=scoring)


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("shuffle", "inside", ValueError),
        ("shuffle", None, TypeError),
        ("n_repeats", 0, ValueError),
        ("n_repeats", 2.0, TypeError),
        ("max_groups", 0, ValueError),
        ("max_groups", 1.5, ValueError),
        ("max_groups", True, TypeError),
        ("max_groups", "3", TypeError),
        ("random_state", "a", ValueError),
    ],
)
def test_options_that_cannot_be_used(option, value, error):
    X, groups = drawn(6)
    words = f"'{option}' parameter of group_permutation_importance"
    with pytest.raises(error, match=words):
        importance(fixed(), X, groups, **{option: value})


def test_tables_that_cannot_be_used():
    X, groups = drawn(6)
    with pytest.raises(ValueError, match=r"X has shape \(30,\); .* X.iloc\[\[0\]\]"):
        importance(fixed(), X["sharp"], groups)
    with pytest.raises(TypeError, match="X is NoneType; expected one row per sample"):
        importance(fixed(), None, groups)
    with pytest.raises(ValueError, match="list of 30 rows of different lengths"):
        importance(fixed(), [[1.0], *X.to_numpy().tolist()[1:]], groups)
    matrix = X.to_numpy().view(np.matrix)
    with pytest.raises(TypeError, match=r"np.matrix of .* Pass np.asarray\(X\)"):
        importance(fixed(), matrix, groups)
    with pytest.raises(ValueError, match="masked"):
        importance(fixed(), np.ma.masked_less(X.to_numpy(), 0), groups)
    nothing = Groups.from_arrays(
        group=groups["group"], preference=groups["preference"], weight=np.zeros(30)
    )
    with pytest.raises(ValueError, match="the weight of all 30 rows is zero"):
        importance(fixed(), X, nothing)
    alike = Groups.from_arrays(group=groups["group"], preference=np.zeros(30))
    with pytest.raises(ValueError, match="No comparable pairs"):
        importance(fixed(), X, alike)
