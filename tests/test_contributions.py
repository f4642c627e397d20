"""Contributions of metrics to a pair: by definition, by shap, and what must hold."""

import os
import re
from itertools import permutations
from math import factorial
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_pscore import (
    Groups,
    LinearPreferenceRanker,
    PairwisePreferenceRanker,
    PlainTarget,
    TopCountRanker,
)
from sklearn_pscore.inspection import (
    PairContributions,
    _contributions,
    pairwise_contributions,
)
from sklearn_pscore.inspection._coalitions import AllCoalitions, DrawnOrders
from sklearn_pscore.model_selection import PreferenceGroupKFold


class Formula(RegressorMixin, BaseEstimator):
    """A function of the rows, as it is."""

    def __init__(self, function):
        self.function = function

    def fit(self, X=None, y=None):
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return self.function(np.asarray(X, dtype=float))


def by_definition(predict, a, b):
    """Return the mean over all orders of what each metric adds."""
    values = np.zeros(len(a))
    for order in permutations(range(len(a))):
        row = b.copy()
        for j in order:
            before = predict(row[None])[0]
            row[j] = a[j]
            values[j] += predict(row[None])[0] - before
    return values / factorial(len(a))


def tangled(X):
    return X[:, 0] * X[:, 1] * X[:, 2] + np.sin(X[:, 3] * X[:, 0]) + X[:, 1]


def drawn_pairs(n_pairs=3, n_features=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, n_pairs, n_features))


def fitted_ranker(**options):
    X = np.random.default_rng(1).normal(size=(100, 4))
    groups = Groups.from_arrays(group=np.arange(100) // 5, preference=X[:, 0] ** 2)
    options = {"max_epochs": 3, "n_members": 3, "random_state": 0, **options}
    return PairwisePreferenceRanker(**options).fit(X, groups)


class TestValues:
    def test_mean_over_all_orders(self):
        X_a, X_b = drawn_pairs()
        model = Formula(tangled).fit()
        result = pairwise_contributions(model, X_a, X_b)
        for values, a, b in zip(result.values, X_a, X_b, strict=True):
            assert_allclose(values, by_definition(model.predict, a, b), atol=1e-12)
        assert result.is_exact.all()
        assert not result.std_error.any()
        assert result.std is None
        assert result.difference_std is None

    @pytest.mark.parametrize("max_exact", [12, 0])
    def test_sum_to_the_difference_and_change_sign(self, max_exact):
        X_a, X_b = drawn_pairs(5)
        ranker = fitted_ranker()
        options = {"max_exact": max_exact, "n_permutations": 3, "random_state": 0}
        there = pairwise_contributions(ranker, X_a, X_b, **options)
        back = pairwise_contributions(ranker, X_b, X_a, **options)
        difference = ranker.predict(X_a) - ranker.predict(X_b)
        assert_allclose(there.difference, difference, atol=1e-12)
        assert_allclose(there.values.sum(axis=1), there.difference, atol=1e-12)
        assert_allclose(back.values, -there.values, atol=1e-12)
        assert_allclose(back.std_error, there.std_error, atol=1e-12)
        assert_array_equal(there.is_exact, max_exact == 12)

    def test_drawn_orders_are_exact_for_terms_of_two_metrics(self):
        rng = np.random.default_rng(0)
        n = 30
        weight, pairs = rng.normal(size=n), rng.normal(size=(n, n))

        def score(X):
            return X @ weight + ((X @ pairs) * X).sum(axis=1)

        X_a, X_b = drawn_pairs(2, n)
        result = pairwise_contributions(
            Formula(score).fit(), X_a, X_b, n_permutations=2, random_state=0
        )
        assert not result.is_exact.any()
        assert_allclose(result.std_error, 0, atol=1e-12)
        # Each of two metrics gets half of what they add together.
        symmetric = (pairs + pairs.T) / 2
        half = (X_a - X_b) * (weight + (X_a + X_b) @ symmetric)
        assert_allclose(result.values, half, atol=1e-10)

    def test_error_of_drawn_orders(self):
        """The mean over seeds is the exact value, and the error is that stated."""
        X_a, X_b = drawn_pairs(1, 6)

        def score(X):
            return X.prod(axis=1) + X[:, 0] * X[:, 2] * X[:, 4]

        model = Formula(score).fit()
        exact = pairwise_contributions(model, X_a, X_b).values[0]
        drawn = [
            pairwise_contributions(
                model, X_a, X_b, max_exact=5, n_permutations=20, random_state=seed
            )
            for seed in range(200)
        ]
        values = np.array([result.values[0] for result in drawn])
        stated = np.sqrt(np.mean([r.std_error[0] ** 2 for r in drawn], axis=0))
        assert (stated > 0).all()
        assert (np.abs(values.mean(axis=0) - exact) < 4 * stated / np.sqrt(200)).all()
        assert_allclose(values.std(axis=0), stated, rtol=0.2)

    def test_an_equal_metric_adds_nothing(self):
        X_a, X_b = drawn_pairs(4)
        X_a[0, 1] = X_b[0, 1]
        X_a[1] = X_b[1]
        X_a[2, 2] = X_b[2, 2] = np.nan
        ranker = fitted_ranker()
        for max_exact in (12, 0):
            result = pairwise_contributions(ranker, X_a, X_b, max_exact=max_exact)
            assert result.values[0, 1] == 0
            assert not result.values[1].any()
            assert result.difference[1] == 0
            assert result.values[2, 2] == 0
            # Rows that are equal need no mixture.
            assert result.is_exact.tolist() == [bool(max_exact), True] + 2 * [
                bool(max_exact)
            ]
            assert (result.values[3] != 0).all()

    def test_a_missing_metric_of_one_item(self):
        X_a, X_b = drawn_pairs(1)
        X_b[0, 0] = np.nan
        ranker = fitted_ranker()
        result = pairwise_contributions(ranker, X_a, X_b)
        expected = by_definition(ranker.predict, X_a[0], X_b[0])
        assert_allclose(result.values[0], expected, atol=1e-12)
        assert result.values[0, 0] != 0

    def test_shap_agrees(self):
        shap = pytest.importorskip("shap")
        X_a, X_b = drawn_pairs()
        for model in (Formula(tangled).fit(), fitted_ranker()):
            result = pairwise_contributions(model, X_a, X_b)
            for pair in range(len(X_a)):
                masker = shap.maskers.Independent(X_b[[pair]])
                explained = shap.explainers.Exact(model.predict, masker)(X_a[[pair]])
                assert_allclose(result.values[pair], explained.values[0], atol=1e-9)


class TestCoalitions:
    def test_orders_over_all_players(self):
        """All orders together are as exact as all coalitions."""
        orders = np.array(list(permutations(range(4))))
        game, all_of_them = DrawnOrders(orders), AllCoalitions(4)
        assert len(game.members) == game.n_coalitions
        assert len(all_of_them.members) == all_of_them.n_coalitions == 16
        assert game.members[[0, game.everyone]].sum(axis=1).tolist() == [0, 4]
        worth_of = np.random.default_rng(0).normal(size=(2, 16))
        code = game.members @ (2 ** np.arange(4))
        values = game.shapley(worth_of[:, code])
        assert values.shape == (2, 24, 4)
        expected = all_of_them.shapley(worth_of)
        assert_allclose(values.mean(axis=1), expected[:, 0], atol=1e-12)


class TestModels:
    def test_pipeline_and_search_are_in_the_units_of_the_table(self):
        rng = np.random.default_rng(0)
        X = pd.DataFrame(rng.normal(size=(60, 3)) * [1, 100, 0.01], columns=list("abc"))
        X["copy"] = 3.0
        groups = Groups.from_arrays(group=np.arange(60) // 5, preference=X["b"])
        pipe = make_pipeline(StandardScaler(), LinearPreferenceRanker())
        search = GridSearchCV(
            pipe, {"linearpreferenceranker__C": [1.0]}, cv=PreferenceGroupKFold(3)
        ).fit(X, groups)
        network = make_pipeline(StandardScaler(), fitted_ranker(max_epochs=1))
        network.fit(X, groups)
        for model in (pipe.fit(X, groups), search, network):
            result = pairwise_contributions(model, X[:2], X[2:4])
            assert result.feature_names.tolist() == ["a", "b", "c", "copy"]
            assert not result.values[:, 3].any()
            for pair in range(2):
                a, b = X.iloc[pair].to_numpy(), X.iloc[2 + pair].to_numpy()

                def predict(rows, model=model):
                    return model.predict(pd.DataFrame(rows, columns=X.columns))

                expected = by_definition(predict, a, b)
                assert_allclose(result.values[pair], expected, atol=1e-10)

    def test_spread_over_members(self):
        X_a, X_b = drawn_pairs(2)
        X_a[1, 1:] = X_b[1, 1:]
        ranker = fitted_ranker()
        result = pairwise_contributions(ranker, X_a, X_b)
        scores = ranker._member_scores(X_a) - ranker._member_scores(X_b)
        assert_allclose(result.difference_std, ranker._spread(scores))
        # All of the difference is that of one metric.
        assert_allclose(result.std[1], [result.difference_std[1], 0, 0, 0], atol=1e-12)
        assert (result.std[0] > 0).all()
        # A pipeline hands it on; its members' values are linear in their scores.
        pipe = make_pipeline("passthrough", ranker)
        assert_array_equal(pairwise_contributions(pipe, X_a, X_b).std, result.std)

    @pytest.mark.parametrize("option", [{"n_members": 1}, {"leave_out": False}])
    def test_members_that_left_out_nothing_have_no_spread(self, option):
        ranker = fitted_ranker(**option)
        result = pairwise_contributions(ranker, *drawn_pairs(2))
        assert result.std is None
        assert result.difference_std is None
        assert list(result.to_frame()) == ["pair", "metric", "value", "std_error"]

    def test_error_of_drawn_orders_is_that_of_the_mean_over_members(self):
        X_a, X_b = drawn_pairs(2)
        ranker = fitted_ranker(hidden_layer_sizes=(16,), max_epochs=20)
        options = {"max_exact": 0, "n_permutations": 3, "random_state": 0}
        of_members = pairwise_contributions(ranker, X_a, X_b, **options)
        of_mean = pairwise_contributions(
            Formula(ranker.predict).fit(), X_a, X_b, **options
        )
        assert (of_mean.std_error > 1e-9).all()
        assert_allclose(of_members.std_error, of_mean.std_error, atol=1e-12)
        assert_allclose(of_members.values, of_mean.values, atol=1e-12)

    def test_spread_of_the_score_is_unchanged(self):
        X_a, _ = drawn_pairs()
        ranker = fitted_ranker()
        scores, spread = ranker.predict(X_a, return_std=True)
        assert_array_equal(spread, ranker._spread(ranker._member_scores(X_a)))
        assert_array_equal(scores, ranker.predict(X_a))

    def test_baseline_places_rows_among_those_of_the_fit(self):
        X, _ = drawn_pairs(10, 3)
        groups = Groups.from_arrays(group=np.zeros(10, dtype=int), preference=X[:, 0])
        ranker = TopCountRanker(directions="larger").fit(X, groups)
        result = pairwise_contributions(ranker, X[:2], X[2:4])
        difference = ranker.predict(X[:2]) - ranker.predict(X[2:4])
        assert_allclose(result.values.sum(axis=1), difference, atol=1e-12)

    def test_errors(self):
        X_a, X_b = drawn_pairs(10)
        with pytest.raises(NotFittedError):
            pairwise_contributions(LinearPreferenceRanker(), X_a, X_b)
        classifier = LogisticRegression().fit(X_a, np.arange(10) % 2)
        with pytest.raises(TypeError, match="classifier, whose predict gives labels"):
            pairwise_contributions(classifier, X_a, X_b)
        two = Ridge().fit(X_a, X_a[:, :2])
        with pytest.raises(ValueError, match="y_score has shape \\(160, 2\\)"):
            pairwise_contributions(two, X_a, X_b)
        broken = Formula(lambda X: np.where(X[:, 0] > 0, np.nan, 0.0)).fit()
        with pytest.raises(ValueError, match="y_score is nan at row"):
            pairwise_contributions(broken, X_a, X_b)


class TestTables:
    @pytest.mark.parametrize(
        "kind", [pd.DataFrame, csr_matrix, np.ndarray.tolist, "polars"]
    )
    def test_of_any_kind(self, kind):
        X = np.random.default_rng(0).normal(size=(60, 4))
        X[X < -0.5] = 0
        names = list("abcd")
        as_frame = {"columns": names} if kind is pd.DataFrame else {}

        def table(X):
            if kind == "polars":
                return pl.DataFrame(X, schema=names, orient="row")
            return kind(X, **as_frame)

        groups = Groups.from_arrays(group=np.arange(60) // 5, preference=X[:, 0] ** 2)
        ranker = PairwisePreferenceRanker(max_epochs=3, n_members=3, random_state=0)
        ranker.fit(X, groups)
        expected = pairwise_contributions(ranker, X[:5], X[5:10])
        ranker.fit(table(X), groups)
        result = pairwise_contributions(ranker, table(X[:5]), table(X[5:10]))
        assert_allclose(result.values, expected.values, atol=1e-6)
        total = ranker.predict(table(X[:5])) - ranker.predict(table(X[5:10]))
        assert_allclose(result.difference, total, atol=1e-12)

    def test_columns_of_text(self):
        X = pd.DataFrame(
            {"codec": ["av1", "h264"] * 10, "kind": ["x", "x", "y", "y"] * 5}
        )
        X["rate"] = np.arange(20.0)
        X["kind"] = X["kind"].astype("category")
        groups = Groups.from_arrays(
            group=np.arange(20) // 4, preference=np.arange(20) % 4
        )
        encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
        model = make_pipeline(encoder, PlainTarget(Ridge())).fit(X, groups)
        result = pairwise_contributions(model, X[:3], X[1:4])
        assert_allclose(
            result.values.sum(axis=1), model.predict(X[:3]) - model.predict(X[1:4])
        )
        assert (result.values[1] != 0).all()
        assert result.values[0, 1] == 0

    @pytest.mark.parametrize("value", [{"a": 1}, [1, 2]])
    def test_values_that_are_neither_numbers_nor_text(self, value):
        table = np.zeros((2, 2), dtype=object)
        table[1, 1] = value
        for X_a, column in (
            (table, "1"),
            (pd.DataFrame(table, columns=["p", "q"]), "'q'"),
        ):
            kind = type(value).__name__
            part = f"X_a holds {value!r}, of type {kind}, in column {column}; expected"
            with pytest.raises(TypeError, match=re.escape(part)):
                pairwise_contributions(Formula(tangled).fit(), X_a, X_a)

    def test_complex_numbers(self):
        table = np.zeros((2, 4), dtype=complex)
        part = "X_a has dtype complex128; expected real numbers. Pass X_a.real."
        with pytest.raises(ValueError, match=re.escape(part)):
            pairwise_contributions(Formula(tangled).fit(), table, table)

    def test_pairs_do_not_depend_on_others_nor_on_their_blocks(self, monkeypatch):
        X_a, X_b = drawn_pairs(6)
        X_a[3, :2] = X_b[3, :2]
        model = Formula(tangled).fit()
        options = {"max_exact": 2, "n_permutations": 4, "random_state": 0}
        whole = pairwise_contributions(model, X_a, X_b, **options)
        assert whole.is_exact.tolist() == [False] * 3 + [True] + [False] * 2
        alone = [
            pairwise_contributions(model, X_a[[pair]], X_b[[pair]], **options)
            for pair in range(6)
        ]
        assert_array_equal(np.vstack([one.values for one in alone]), whole.values)
        monkeypatch.setattr(_contributions, "_ROWS", 7)
        blocks = pairwise_contributions(model, X_a, X_b, **options)
        assert_array_equal(blocks.values, whole.values)
        assert_array_equal(blocks.std_error, whole.std_error)

    def test_draws_only_if_a_pair_needs_orders(self):
        X_a, X_b = drawn_pairs(2)
        rng = np.random.RandomState(0)
        pairwise_contributions(Formula(tangled).fit(), X_a, X_b, random_state=rng)
        assert rng.randint(1000) == np.random.RandomState(0).randint(1000)

    def test_no_pair(self):
        X_a, X_b = drawn_pairs(1)
        result = pairwise_contributions(Formula(tangled).fit(), X_a[:0], X_b[:0])
        assert result.values.shape == (0, 4)
        assert "0 pairs, 4 metrics" in repr(result)

    def test_errors(self):
        X_a, X_b = drawn_pairs()
        model = Formula(tangled).fit()
        with pytest.raises(ValueError, match="X_a has 2 rows and X_b 3; expected one"):
            pairwise_contributions(model, X_a[:2], X_b)
        with pytest.raises(ValueError, match="X_b has shape \\(4,\\)"):
            pairwise_contributions(model, X_a, X_b[0])
        with pytest.raises(ValueError, match="X_a has 4 columns and X_b 3; expected"):
            pairwise_contributions(model, X_a, X_b[:, :3])
        with pytest.raises(
            TypeError, match="an array and X_b is a DataFrame of pandas"
        ):
            pairwise_contributions(model, X_a, pd.DataFrame(X_b))
        frame = pd.DataFrame(X_a, columns=list("abcd"))
        with pytest.raises(
            ValueError, match="Only X_a has \\['d'\\], only X_b \\['e'\\]"
        ):
            pairwise_contributions(model, frame, frame.rename(columns={"d": "e"}))

    @pytest.mark.parametrize(
        ("option", "value", "error"),
        [
            ("max_exact", 21, ValueError),
            ("max_exact", -1, ValueError),
            ("max_exact", None, TypeError),
            ("max_exact", True, TypeError),
            ("n_permutations", 1, ValueError),
            ("n_permutations", 2.5, TypeError),
            ("random_state", "a", ValueError),
        ],
    )
    def test_options_that_cannot_be_used(self, option, value, error):
        X_a, X_b = drawn_pairs()
        words = f"'{option}' parameter of pairwise_contributions"
        with pytest.raises(error, match=words):
            pairwise_contributions(Formula(tangled).fit(), X_a, X_b, **{option: value})


class TestResult:
    def test_frame_has_the_largest_first(self):
        X_a, X_b = drawn_pairs(2)
        result = pairwise_contributions(fitted_ranker(), X_a, X_b)
        frame = result.to_frame()
        assert frame["pair"].tolist() == [0] * 4 + [1] * 4
        for pair, rows in frame.groupby("pair"):
            assert rows["value"].abs().is_monotonic_decreasing
            places = [int(name[1:]) for name in rows["metric"]]
            assert_array_equal(rows["value"], result.values[pair, places])
            assert_array_equal(rows["std"], result.std[pair, places])
        plain = pairwise_contributions(Formula(tangled).fit(), X_a, X_b).to_frame()
        assert plain.columns.tolist() == ["pair", "metric", "value", "std_error"]

    def test_printed(self):
        result = PairContributions(
            values=np.array([[0.5, *[0.01] * 10, -2.0]]),
            difference=np.array([-1.4]),
            std_error=np.zeros((1, 12)),
            is_exact=np.array([True]),
            feature_names=np.array(["<b>", *"cdefghijkl", "sync"], dtype=object),
        )
        lines = repr(result).splitlines()
        assert lines[0] == "1 pair, 12 metrics; pair 0: a is -1.400 to b"
        assert lines[2].split() == ["sync", "-2.000", "0.000"]
        assert lines[3].split() == ["<b>", "+0.500", "0.000"]
        assert len(lines) == 13
        assert lines[-1] == "a positive value speaks for a; 2 more; to_frame() has all."
        html = result._repr_html_()
        assert "&lt;b&gt;" in html
        assert "<b>" not in html


def test_examples_of_the_page(capsys):
    """Those of both functions, with a model that takes no time."""
    home = os.environ.get("SKLEARN_PSCORE_DATA")
    if not home or not (Path(home) / "thqa").exists():
        pytest.skip("SKLEARN_PSCORE_DATA names no folder with THQA")
    page = (Path(__file__).parents[1] / "docs" / "importance.md").read_text("utf-8")
    names = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        code = code.replace(
            "PairwisePreferenceRanker(random_state=0)", "LinearPreferenceRanker()"
        ).replace("import PairwisePreferenceRanker", "import LinearPreferenceRanker")
        exec(code, names)
    result, explained = names["result"], names["explained"]
    assert repr(explained) in capsys.readouterr().out
    assert len(result.importances_mean) == 22
    assert result.feature_names[0] == "face identity"
    assert 0.6 < result.baseline < 1
    assert explained.values.sum() == pytest.approx(explained.difference[0], rel=1e-9)
    assert not explained.is_exact[0]
    assert_allclose(explained.std_error, 0, atol=1e-12)
