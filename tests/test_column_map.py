"""Curves through pipelines: which steps keep columns apart, and the user's units."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from planted_curves import (
    GROUPS,
    NAMES,
    X,
    additive_ranker,
    predicted_at_points,
    quick_ranker,
)
from scipy.sparse import csr_array
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

from sklearn_pscore import PairAugmenter
from sklearn_pscore.inspection import metric_curves
from sklearn_pscore.inspection._column_map import ColumnMap
from sklearn_pscore.inspection._metric_table import MetricTable
from sklearn_pscore.model_selection import PreferenceGroupKFold


def running_sum(X):
    return np.cumsum(X, axis=1)


def positive(X):
    return np.maximum(X, 0)


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
    "sparse": lambda: make_pipeline(MinMaxScaler(), FunctionTransformer(csr_array)),
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

    def test_kinks_of_two_columns_of_a_metric(self):
        both = make_column_transformer(
            (StandardScaler(), NAMES), (FunctionTransformer(positive), ["hump"])
        )
        model = make_pipeline(both, additive_ranker(n_pieces=2)).fit(X, GROUPS)
        kinks = model[-1]._additive_part().kinks
        curve = metric_curves(model, X, GROUPS, n_points=2).curves["hump"]
        scaler = both.named_transformers_["standardscaler"]
        middles = [scaler.inverse_transform(kinks[:, :6])[1, 2], kinks[1, 6]]
        assert abs(middles[0]) < 0.1 < middles[1]
        for middle in middles:
            assert np.abs(curve["value"] - middle).min() < 1e-9

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

    @pytest.mark.parametrize("where", ["one outlier", "far from zero"])
    def test_steps_that_mix_columns_are_seen_beside_large_values(self, where):
        step = FunctionTransformer(running_sum)
        model = make_pipeline(step, additive_ranker()).fit(X.to_numpy(), GROUPS)
        table = X.to_numpy(copy=True)
        table[7 if where == "one outlier" else slice(None), 0] += 1e11
        assert ColumnMap.found(model, MetricTable.of(table, "the test")) is None
        alone = make_pipeline(StandardScaler(), additive_ranker()).fit(table, GROUPS)
        found = ColumnMap.found(alone, MetricTable.of(table, "the test"))
        assert_array_equal(found.owner, np.arange(6))

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
        found = ColumnMap.found(model, table)
        assert found.owner.tolist() == [1, 0, 2, 1]
        summed = found.by_metric(np.array([[1.0, 2, 3, 4]]))
        assert summed.tolist() == [[2, 5, 3]]

    def test_two_rows_are_enough(self):
        values = np.arange(10.0).reshape(2, 5)
        model = make_pipeline(StandardScaler(), LinearRegression())
        model.fit(values, values[:, 0])
        found = ColumnMap.found(model, MetricTable.of(values, "test"))
        assert found.owner.tolist() == [0, 1, 2, 3, 4]
