"""Metric curves: planted directions, exactness, missing values, what may change."""

import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from planted_curves import (
    GROUPS,
    NAMES,
    X,
    additive_ranker,
    predicted_at_points,
    quick_ranker,
    value_at,
)
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.inspection import partial_dependence
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import Groups, LinearPreferenceRanker, PairwisePreferenceRanker
from sklearn_pscore.inspection import MetricCurves, metric_curves


@pytest.fixture(scope="module")
def fitted():
    return quick_ranker().fit(X, GROUPS)


@pytest.fixture(scope="module")
def curves(fitted):
    return metric_curves(fitted, X, GROUPS)


class TestPlanted:
    def test_directions(self, curves):
        direction = curves.table.set_index("metric")["direction"]
        assert direction.to_dict() == {
            "up": "larger is preferred",
            "down": "smaller is preferred",
            "hump": "there is a best value",
            "valley": "there is a worst value",
            "step": "larger is preferred",
            "noise": "no clear direction",
        }
        table = curves.table.set_index("metric")
        assert table["rise"]["up"] > 0 > table["rise"]["down"]
        # In standard errors.
        assert abs(table["rise"] / table["rise_std"])["up"] > 5

    def test_best_values(self, curves):
        best = curves.table.set_index("metric")["best"]
        assert abs(best["hump"]) < 0.4
        assert best["up"] == pytest.approx(X["up"].max())
        assert best["down"] == pytest.approx(X["down"].min())
        assert np.isnan(best["noise"])

    def test_shapes(self, curves):
        step = curves.curves["step"]
        # Nearly all of the rise of a step is in the middle.
        rise = value_at(step, 1.5) - value_at(step, -1.5)
        assert value_at(step, 0.4) - value_at(step, -0.4) > 0.6 * rise > 0
        hump = curves.curves["hump"]
        drops = value_at(hump, 0) - value_at(hump, [-1.5, 1.5])
        assert_allclose(drops[0], drops[1], rtol=0.3)

    def test_shares(self, curves):
        table = curves.table
        assert table["metric"].iloc[-1] == "noise"
        assert table["share"].is_monotonic_decreasing
        assert table["share"].sum() + curves.interaction_share == pytest.approx(1)
        assert table["share"].iloc[-1] < 0.06 < table["share"].iloc[-2]
        assert (table["share_std"] > 0).all()
        assert curves.interaction_share < 0.3
        assert curves.method == "additive part"
        assert (curves.n_rows, curves.n_groups) == (600, 100)

    def test_product_is_an_interaction(self):
        rng = np.random.default_rng(1)
        Z = rng.normal(size=(900, 3))
        score = 3 * Z[:, 0] * Z[:, 1] + 0.5 * Z[:, 2]
        groups = Groups.from_arrays(group=np.arange(900) // 6, preference=score)
        ranker = quick_ranker(max_epochs=60).fit(Z, groups)
        for method in ("additive", "accumulated"):
            curves = metric_curves(ranker, Z, groups, method=method, random_state=0)
            assert curves.interaction_share > 0.6
            assert curves.table["metric"].iloc[0] == "x2"

    def test_std_is_a_jackknife_over_members(self, fitted, curves):
        part = fitted._additive_part()
        assert (part.n_members, part.n_folds) == (5, 5)
        values = X.to_numpy()
        at = np.tile(values.mean(axis=0), (2, 1))
        at[:, 0] = curves.curves["up"]["value"].iloc[[3, 40]]
        members = np.array(
            [
                part.worths(at, m)[:, 0] - part.worths(values, m)[:, 0].mean()
                for m in range(5)
            ]
        )
        expected = np.sqrt(
            4 / 5 * np.sum((members - members.mean(axis=0)) ** 2, axis=0)
        )
        assert_allclose(curves.curves["up"]["std"].iloc[[3, 40]], expected)
        assert_allclose(
            curves.curves["up"]["worth"].iloc[[3, 40]], members.mean(axis=0)
        )


class TestExact:
    @pytest.mark.parametrize("clip", [4.0, None])
    @pytest.mark.parametrize("shortcut", ["additive", "linear", None])
    def test_sum_of_curves_is_the_score(self, shortcut, clip):
        model = additive_ranker(shortcut=shortcut, input_clip=clip).fit(X, GROUPS)
        curves = metric_curves(model, X, GROUPS)
        worth, score = predicted_at_points(curves, model)
        assert_allclose(worth - worth.mean(), score - score.mean(), atol=1e-9)
        assert curves.interaction_share < 1e-12

    def test_rows_have_a_mean_worth_of_zero(self):
        model = additive_ranker().fit(X, GROUPS)
        curves = metric_curves(model, X, GROUPS, n_points=len(X))
        for name, curve in curves.curves.items():
            assert np.isin(X[name], curve["value"]).all()
            assert abs(value_at(curve, X[name]).mean()) < 1e-12

    def test_kinks_are_among_the_points(self):
        model = additive_ranker(n_pieces=3).fit(X, GROUPS)
        edges = model._additive_part().kinks
        inside = (edges > X.min().to_numpy()) & (edges < X.max().to_numpy())
        assert inside.sum() >= 4 * 2
        curves = metric_curves(model, X, GROUPS, n_points=2)
        for metric, name in enumerate(X):
            value = curves.curves[name]["value"].to_numpy()
            for edge in edges[inside[:, metric], metric]:
                assert np.abs(value - edge).min() < 1e-12 * np.ptp(value)

    @pytest.mark.parametrize("clip", [4.0, None])
    def test_kinks_are_the_edges_of_the_pieces(self, clip):
        model = additive_ranker(input_clip=clip, n_pieces=4).fit(X, GROUPS)
        network = model.net_.module_
        edges = network.scaling(torch.tensor(model._additive_part().kinks)).numpy()
        bends = network.shortcut.bends
        assert_allclose(edges[:4], bends.start, atol=1e-12)
        assert_allclose(edges[4:], bends.start + 1 / bends.inverse_width, atol=1e-12)

    def test_kinks_are_where_the_curve_bends(self):
        # Between kinks of a shortcut without the clip it is linear.
        model = quick_ranker(input_clip=None, n_pieces=3).fit(X, GROUPS)
        curve = metric_curves(model, X, GROUPS).curves["step"]
        kinks = np.unique(model._additive_part().kinks[:, 4])
        value, worth = curve["value"].to_numpy(), curve["worth"].to_numpy()
        ends = np.unique(np.r_[value[[0, -1]], kinks])
        assert_allclose(worth, np.interp(value, ends, value_at(curve, ends)), atol=1e-9)

    @pytest.mark.parametrize("name", ["up", "hump", "step"])
    def test_partial_dependence_of_scikit_learn_is_as_exact(self, name):
        model = make_pipeline(StandardScaler(), additive_ranker()).fit(X, GROUPS)
        curve = metric_curves(model, X, GROUPS).curves[name]
        grid = {name: curve["value"].to_numpy()}
        found = partial_dependence(
            model, X, [name], custom_values=grid, method="brute"
        )["average"][0]
        worth = curve["worth"].to_numpy()
        assert_allclose(found - found.mean(), worth - worth.mean(), atol=1e-9)

    def test_ranker_of_a_thin_table(self):
        rng = np.random.default_rng(0)
        dense = rng.normal(size=(400, 60)) * (rng.random((400, 60)) < 0.01)
        dense[::5, 0] = 1
        groups = Groups.from_arrays(
            group=np.arange(400) // 8, preference=dense[:, 0] + 0.1 * dense[:, 1]
        )
        model = additive_ranker().fit(sparse.csr_array(dense), groups)
        curves = metric_curves(model, dense, groups)
        assert curves.table["metric"].iloc[0] == "x0"
        assert curves.interaction_share < 1e-12

    def test_linear_ranker(self):
        ranker = LinearPreferenceRanker(C=1.0).fit(X, GROUPS)
        curves = metric_curves(ranker, X, GROUPS)
        worth, score = predicted_at_points(curves, ranker)
        assert_allclose(worth - worth.mean(), score - score.mean(), atol=1e-12)
        curve = curves.curves["down"]
        slope = np.diff(curve["worth"]) / np.diff(curve["value"])
        assert_allclose(slope, ranker.coef_[1])
        assert curve["std"].isna().all()
        assert curves.table["share_std"].isna().all()
        assert curves.spread_of == ""
        assert "there are no standard errors" in repr(curves)
        assert curves.table["direction"].iloc[0] == "larger is preferred"

    def test_paper_network_and_hidden_layers_alone_have_no_additive_part(self):
        for parameters in ({"output_activation": "relu6"}, {"shortcut": None}):
            model = quick_ranker(**parameters).fit(X, GROUPS)
            assert model._additive_part() is None
            curves = metric_curves(model, X[:100], GROUPS[:100], random_state=0)
            assert curves.method == "accumulated local effects"
            message = "has no additive part that belongs to single columns"
            with pytest.raises(ValueError, match=message):
                metric_curves(model, X, GROUPS, method="additive")


class TestMissing:
    def table(self, share=0.2):
        gaps = X.copy()
        gaps["up"] = gaps["up"].mask(np.random.default_rng(3).random(len(X)) < share)
        return gaps

    def test_worth_of_a_missing_value_is_exact(self):
        gaps = self.table()
        model = make_pipeline(StandardScaler(), additive_ranker()).fit(gaps, GROUPS)
        curves = metric_curves(model, gaps, GROUPS)
        table = curves.table.set_index("metric")
        assert table["missing"].notna().to_dict() == {
            name: name == "up" for name in NAMES
        }
        value, worth = curves.curves["up"].loc[20, ["value", "worth"]]
        row = gaps.iloc[[0, 0]].copy()
        row["up"] = [np.nan, value]
        missing, there = model.predict(row)
        assert table["missing"]["up"] - worth == pytest.approx(missing - there)
        assert curves.interaction_share < 1e-12
        assert np.isfinite(curves.curves["up"].to_numpy()[:, :2]).all()
        assert "missing" in repr(curves)

    def test_mean_worth_is_zero_with_the_missing(self):
        gaps = self.table()
        for method in ("additive", "accumulated"):
            curves = metric_curves(
                additive_ranker().fit(gaps, GROUPS),
                gaps,
                GROUPS,
                method=method,
                n_points=len(X),
                random_state=0,
            )
            worth = value_at(curves.curves["up"], gaps["up"])
            worth[gaps["up"].isna()] = curves.table.set_index("metric")["missing"]["up"]
            assert abs(worth.mean()) < 1e-12

    def test_standard_error_of_a_missing_value(self):
        gaps = self.table()
        curves = metric_curves(quick_ranker().fit(gaps, GROUPS), gaps, GROUPS)
        errors = curves.table.set_index("metric")["missing_std"]
        assert errors["up"] > 0
        assert errors.drop("up").isna().all()

    def test_linear_ranker_takes_the_median(self):
        gaps = self.table()
        ranker = LinearPreferenceRanker().fit(gaps, GROUPS)
        curves = metric_curves(ranker, gaps, GROUPS)
        at_median = value_at(curves.curves["up"], gaps["up"].median())
        assert curves.table.set_index("metric")["missing"]["up"] == pytest.approx(
            at_median
        )

    def test_metric_that_is_always_missing(self):
        gaps = X.assign(up=np.nan)
        for method in ("additive", "accumulated"):
            curves = metric_curves(
                quick_ranker().fit(gaps, GROUPS), gaps, GROUPS, method=method
            )
            row = curves.table.set_index("metric").loc["up"]
            assert row[["share", "missing"]].tolist() == [0, 0]
            assert row["direction"] == "no clear direction"
            assert len(curves.curves["up"]) == 0


class TestWhatMayChange:
    @pytest.mark.parametrize("method", ["additive", "accumulated"])
    def test_order_of_rows_and_columns_and_labels(self, fitted, method):
        def curves_of(model, table, groups):
            return metric_curves(model, table, groups, method=method, random_state=0)

        before = curves_of(fitted, X, GROUPS)
        order = np.random.default_rng(0).permutation(len(X))
        shuffled = Groups.from_arrays(
            group=[f"g{label}" for label in GROUPS["group"][order]]
        )
        after = curves_of(fitted, X.iloc[order], shuffled)
        pd.testing.assert_frame_equal(before.table, after.table)
        for name in NAMES:
            pd.testing.assert_frame_equal(before.curves[name], after.curves[name])

    def test_order_of_columns(self, fitted):
        class Turned:
            def predict(self, table):
                return fitted.predict(table[NAMES])

        turned = metric_curves(Turned(), X[NAMES[::-1]], GROUPS, random_state=0)
        plain = metric_curves(Turned(), X, GROUPS, random_state=0)
        pd.testing.assert_frame_equal(turned.table, plain.table)

    @pytest.mark.parametrize("method", ["additive", "accumulated"])
    def test_unit_of_a_metric(self, method):
        Z = X.to_numpy().copy()
        tables = []
        for factor in (1.0, 1024.0):
            Z[:, 0] = factor * X["up"]
            model = quick_ranker().fit(Z, GROUPS)
            curves = metric_curves(model, Z, GROUPS, method=method, random_state=0)
            tables.append(curves.table)
            assert curves.curves["x0"]["value"].iloc[0] == factor * X["up"].min()
        before, after = tables
        columns = ["metric", "direction", "share", "share_std"]
        pd.testing.assert_frame_equal(before[columns], after[columns], rtol=1e-5)

    def test_rows_that_do_not_count(self, fitted):
        donor = np.arange(len(X)) >= 300
        groups = Groups.from_arrays(
            group=GROUPS["group"], preference=GROUPS["preference"], donor=donor
        )
        half = metric_curves(fitted, X[~donor], GROUPS[~donor])
        for target in (
            groups,
            Groups.from_arrays(group=GROUPS["group"], weight=1.0 * ~donor),
        ):
            curves = metric_curves(fitted, X, target)
            assert (curves.n_rows, curves.n_groups) == (300, 50)
            pd.testing.assert_frame_equal(half.table, curves.table)

    def test_no_groups_are_one_group(self, fitted):
        one = Groups.from_arrays(group=np.zeros(len(X), dtype=int))
        tables = [metric_curves(fitted, X, g).table for g in (None, one)]
        pd.testing.assert_frame_equal(*tables)
        assert not tables[0].equals(metric_curves(fitted, X, GROUPS).table)

    def test_many_rows_are_drawn_by_group(self, fitted):
        curves = metric_curves(fitted, X, GROUPS, max_rows=60, random_state=0)
        again = metric_curves(fitted, X, GROUPS, max_rows=60, random_state=0)
        assert (curves.n_rows, curves.n_groups) == (60, 10)
        pd.testing.assert_frame_equal(curves.table, again.table)
        other = metric_curves(fitted, X, GROUPS, max_rows=60, random_state=1)
        assert not curves.table.equals(other.table)

    def test_kinds_of_tables(self, fitted):
        expected = metric_curves(fitted, X, GROUPS)
        nullable = metric_curves(fitted, X.convert_dtypes(), GROUPS)
        pd.testing.assert_frame_equal(expected.table, nullable.table)
        frame = pl.DataFrame({name: X[name].to_numpy() for name in X})
        model = quick_ranker().fit(frame, GROUPS)
        curves = metric_curves(model, frame, GROUPS)
        pd.testing.assert_frame_equal(expected.table, curves.table)
        curves = metric_curves(
            model, frame, GROUPS, method="accumulated", random_state=0
        )
        assert curves.method == "accumulated local effects"
        array = metric_curves(
            quick_ranker().fit(X.to_numpy(), GROUPS), X.to_numpy().tolist(), GROUPS
        )
        assert sorted(array.curves) == [f"x{number}" for number in range(6)]
        assert_array_equal(array.table["share"], expected.table["share"])

    def test_nothing_is_written_into_the_arguments(self, fitted):
        table, groups = X.copy(), GROUPS.copy()
        for method in ("additive", "accumulated"):
            metric_curves(fitted, table, groups, method=method)
        pd.testing.assert_frame_equal(table, X)
        assert_array_equal(groups, GROUPS)

    def test_saved_ranker_has_the_same_curves(self, fitted, curves):
        loaded = pickle.loads(pickle.dumps(fitted))
        pd.testing.assert_frame_equal(
            metric_curves(loaded, X, GROUPS).table, curves.table
        )


class TestSpread:
    @pytest.mark.parametrize("parameters", [{"n_members": 1}, {"leave_out": False}])
    def test_without_members_that_left_out_groups_there_is_none(self, parameters):
        curves = metric_curves(quick_ranker(**parameters).fit(X, GROUPS), X, GROUPS)
        assert curves.table["share_std"].isna().all()
        assert curves.spread_of == ""
        direction = curves.table.set_index("metric")["direction"]
        assert direction["up"] == "larger is preferred"
        assert direction["hump"] == "there is a best value"


class TestResult:
    def test_html_escapes_names(self):
        table = X.rename(columns={"up": "<b>up</b>"})
        curves = metric_curves(quick_ranker().fit(table, GROUPS), table, GROUPS)
        html = curves._repr_html_()
        assert "&lt;b&gt;up" in html
        assert "<b>up" not in html

    def test_text(self, curves):
        assert isinstance(curves, MetricCurves)
        text = repr(curves)
        assert text.startswith("Worth of 6 metrics in 100 groups, by the additive part")
        assert (
            f"{100 * curves.interaction_share:.1f} % of the score differences" in text
        )
        assert "members that each left out a fold" in text

    def test_frame_is_a_copy(self, curves):
        frame = curves.to_frame()
        frame["share"] = 0
        assert curves.table["share"].iloc[0] > 0
        assert list(curves.curves) == curves.table["metric"].tolist()

    def test_constant_metric(self):
        table = X.assign(noise=3.0)
        for method in ("additive", "accumulated"):
            model = quick_ranker().fit(table, GROUPS)
            curves = metric_curves(model, table, GROUPS, method=method)
            last = curves.table.iloc[-1]
            assert last[["metric", "direction", "share"]].tolist() == [
                "noise",
                "no clear direction",
                0,
            ]
            assert curves.curves["noise"]["value"].tolist() == [3]
            assert curves.curves["noise"]["worth"].tolist() == [0]

    def test_constant_score(self):
        model = LinearRegression().fit(X, np.zeros(len(X)))
        curves = metric_curves(model, X, GROUPS, random_state=0)
        assert curves.interaction_share == 0
        assert (curves.table["share"] == 0).all()
        assert (curves.table["direction"] == "no clear direction").all()


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                {"method": "ale"},
                "'method' parameter of metric_curves must be a str among",
            ),
            ({"n_points": 1}, "'n_points' parameter of metric_curves must be an int"),
            ({"n_boot": 1}, "'n_boot' parameter of metric_curves must be an int"),
            ({"max_rows": 1}, "'max_rows' parameter of metric_curves must be an int"),
            ({"random_state": -1}, "'random_state' parameter of metric_curves"),
        ],
    )
    def test_options(self, fitted, options, message):
        with pytest.raises(ValueError, match=re.escape(message)):
            metric_curves(fitted, X, GROUPS, **options)

    def test_tables(self, fitted):
        with pytest.raises(
            TypeError, match=r"X is a sparse matrix of shape \(600, 6\)"
        ):
            metric_curves(fitted, sparse.csr_matrix(X), GROUPS)
        with pytest.raises(
            ValueError, match="contains infinity: inf at row 2, column 'up'"
        ):
            metric_curves(fitted, X.assign(up=[1, 1, np.inf] + [1] * 597), GROUPS)
        with pytest.raises(TypeError, match="X is 'a', of type str, at row 0"):
            metric_curves(fitted, X.astype(object).assign(up="a"), GROUPS)
        with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
            metric_curves(fitted, X["up"].to_numpy(), GROUPS)
        with pytest.raises(ValueError, match="2 columns of the name"):
            metric_curves(fitted, pd.DataFrame([[1.0, 2], [3, 4]], columns=["a", "a"]))
        with pytest.raises(ValueError, match="feature names"):
            metric_curves(fitted, X.rename(columns={"up": "other"}), GROUPS)

    def test_groups(self, fitted):
        with pytest.raises(
            ValueError, match="groups has 10 entries but X has 600 rows"
        ):
            metric_curves(fitted, X, GROUPS[:10])
        single = Groups.from_arrays(group=np.arange(len(X)))
        message = (
            "metric_curves got 600 rows that count in 600 groups; expected a group"
        )
        with pytest.raises(ValueError, match=message):
            metric_curves(fitted, X, single)

    def test_models(self):
        with pytest.raises(NotFittedError):
            metric_curves(PairwisePreferenceRanker(), X, GROUPS)
        with pytest.raises(TypeError, match="has no predict; expected a fitted ranker"):
            metric_curves(StandardScaler().fit(X), X, GROUPS)
        with pytest.raises(TypeError, match="is the class PairwisePreferenceRanker"):
            metric_curves(PairwisePreferenceRanker, X, GROUPS)
