"""Metric curves: planted directions and shapes, exactness, units, what may change."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from sklearn_pscore import (
    Groups,
    LinearPreferenceRanker,
    PairAugmenter,
    PairwisePreferenceRanker,
)
from sklearn_pscore.inspection import metric_curves
from sklearn_pscore.inspection._column_map import ColumnMap
from sklearn_pscore.inspection._metric_table import MetricTable
from sklearn_pscore.model_selection import PreferenceGroupKFold

NAMES = ["up", "down", "hump", "valley", "step", "noise"]


def planted(n_groups=100, size=6, noise=0.5, seed=0):
    """Make groups whose metrics rise, fall, have a best or worst value, or say nothing."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n_groups * size, 6)), columns=NAMES)
    X["up"] = 50 + 10 * X["up"]
    score = (
        (X["up"] - 50) / 10
        - X["down"]
        - X["hump"] ** 2
        + X["valley"] ** 2
        + 2 * (X["step"] > 0)
        + noise * rng.normal(size=len(X))
    )
    group = np.repeat(np.arange(n_groups), size)
    return X, Groups.from_arrays(group=group, preference=score)


X, GROUPS = planted()


def quick_ranker(**parameters):
    return PairwisePreferenceRanker(
        **{"max_epochs": 2, "random_state": 0, **parameters}
    )


@pytest.fixture(scope="module")
def fitted():
    return quick_ranker().fit(X, GROUPS)


@pytest.fixture(scope="module")
def curves(fitted):
    return metric_curves(fitted, X, GROUPS)


def additive_ranker(**parameters):
    """Return a ranker without hidden layers: its score is a sum over the metrics."""
    return quick_ranker(
        hidden_layer_sizes=(), n_members=2, leave_out=False, **parameters
    )


def value_at(curve, value):
    return np.interp(value, curve["value"], curve["worth"])


def predicted_at_points(curves, model, like=pd.DataFrame):
    """Return the sums of worths of rows made of the curves' points, and their scores."""
    longest = max(len(curve) for curve in curves.curves.values())
    rows = np.arange(longest)
    points = {n: c["value"].to_numpy()[rows % len(c)] for n, c in curves.curves.items()}
    worth = sum(c["worth"].to_numpy()[rows % len(c)] for c in curves.curves.values())
    frame = pd.DataFrame(points)[list(X.columns)]
    return worth, model.predict(like(frame))


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

    def test_kinks_are_where_the_curve_bends(self):
        # Between kinks of a shortcut without the clip it is linear.
        model = quick_ranker(input_clip=None, n_pieces=3).fit(X, GROUPS)
        curve = metric_curves(model, X, GROUPS).curves["step"]
        kinks = np.unique(model._additive_part().kinks[:, 4])
        value, worth = curve["value"].to_numpy(), curve["worth"].to_numpy()
        ends = np.unique(np.r_[value[[0, -1]], kinks])
        assert_allclose(worth, np.interp(value, ends, value_at(curve, ends)), atol=1e-9)

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


def running_sum(X):
    return np.cumsum(X, axis=1)


SCALERS = {
    "standard": StandardScaler,
    "min-max, then standard": lambda: make_pipeline(MinMaxScaler(), StandardScaler()),
    "robust": RobustScaler,
    "power": PowerTransformer,
    "quantile": lambda: QuantileTransformer(n_quantiles=50),
    "falling": lambda: FunctionTransformer(np.negative),
    "frame": lambda: StandardScaler().set_output(transform="pandas"),
    "augmenter": lambda: PairAugmenter(stitch_sizes=(2,), max_stitched=3, n_injected=1),
    "columns": lambda: make_column_transformer(
        (StandardScaler(), ["noise", "up"]), remainder="passthrough"
    ),
    "two of a column": lambda: make_column_transformer(
        (StandardScaler(), NAMES), (MinMaxScaler(), ["hump"])
    ),
    "dropped column": lambda: make_column_transformer(
        (StandardScaler(), NAMES[:5]), remainder="drop"
    ),
    "imputer": lambda: SimpleImputer(add_indicator=True),
}


class TestPipelines:
    @pytest.mark.parametrize("scaler", SCALERS)
    def test_in_the_units_of_the_table(self, scaler):
        model = make_pipeline(SCALERS[scaler](), additive_ranker()).fit(X, GROUPS)
        curves = metric_curves(model, X, GROUPS)
        assert curves.method == "additive part"
        worth, score = predicted_at_points(curves, model)
        assert_allclose(worth - worth.mean(), score - score.mean(), atol=1e-6)
        assert curves.interaction_share < 1e-10
        ends = curves.curves["up"]["value"].iloc[[0, -1]]
        assert_allclose(ends, [X["up"].min(), X["up"].max()])
        if scaler == "dropped column":
            assert curves.table.iloc[-1][["metric", "share"]].tolist() == ["noise", 0]

    def test_kinks_in_the_units_of_the_table(self):
        scaler = StandardScaler().fit(X)
        model = make_pipeline(scaler, additive_ranker(n_pieces=3)).fit(X, GROUPS)
        edges = scaler.inverse_transform(model[-1]._additive_part().kinks)
        curve = metric_curves(model, X, GROUPS, n_points=2).curves["up"]
        inside = edges[:, 0]
        inside = inside[(inside > X["up"].min()) & (inside < X["up"].max())]
        assert len(inside) >= 2
        for edge in inside:
            assert np.abs(curve["value"] - edge).min() < 1e-9

    def test_search_and_pipelines_in_it(self):
        search = GridSearchCV(
            make_pipeline(
                StandardScaler(), make_pipeline(MinMaxScaler(), quick_ranker())
            ),
            {"pipeline__pairwisepreferenceranker__n_pieces": [3, 5]},
            cv=PreferenceGroupKFold(2),
        ).fit(X, GROUPS)
        curves = metric_curves(search, X, GROUPS)
        best = metric_curves(search.best_estimator_, X, GROUPS)
        assert curves.method == "additive part"
        pd.testing.assert_frame_equal(curves.table, best.table)

    @pytest.mark.parametrize(
        "step", [PCA(3), FunctionTransformer(np.cumsum, kw_args={"axis": 1})]
    )
    def test_steps_that_mix_columns(self, step):
        model = make_pipeline(step, additive_ranker()).fit(X.to_numpy(), GROUPS)
        curves = metric_curves(model, X.to_numpy(), GROUPS, random_state=0)
        assert curves.method == "accumulated local effects"

    def test_imputer_of_neighbours_mixes_columns_where_values_are_missing(self):
        gaps = X.mask(np.random.default_rng(0).random(X.shape) < 0.1)
        for table, method in (
            (X, "additive part"),
            (gaps, "accumulated local effects"),
        ):
            model = make_pipeline(KNNImputer(), additive_ranker()).fit(table, GROUPS)
            assert metric_curves(model, table, GROUPS, random_state=0).method == method

    def test_map_of_columns(self):
        values = np.random.default_rng(0).normal(size=(3000, 3))
        values[:, 1] = 0.0
        values[7, 1] = 1.0
        model = make_pipeline(
            ColumnTransformer(
                [("b", MinMaxScaler(), [1, 0]), ("a", "passthrough", [2, 1])]
            ),
            LinearRegression(),
        ).fit(values, values[:, 0])
        table = MetricTable.of(values, "test")
        found = ColumnMap.found(model, table, np.random.RandomState(0))
        assert found.owner.tolist() == [1, 0, 2, 1]
        summed = found.by_metric(np.array([[1.0, 2, 3, 4]]))
        assert summed.tolist() == [[2, 5, 3]]
