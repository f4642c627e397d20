"""Rankers as ONNX graphs: the scores of predict, whatever comes before the ranker."""

import json
import pickle
import re
import subprocess
import sys

import numpy as np
import onnx
import pandas as pd
import polars as pl
import pytest
from cases import linear_groups, quick
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    PolynomialFeatures,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)

from sklearn_pscore import (
    LevelClassifierRanker,
    LinearPreferenceRanker,
    OnnxRanker,
    PairAugmenter,
    PlainTarget,
    SingleMetricRanker,
    StackedRanker,
    __version__,
    to_onnx,
)
from sklearn_pscore.model_selection import PreferenceGroupKFold

X, GROUPS = linear_groups()
MISSING = X.copy()
MISSING[::3, 1] = MISSING[::7, 2] = np.nan
FRAME = pd.DataFrame(X, columns=["a", "b", "a c"])
RELU6 = {"output_activation": "relu6", "batch_norm": True, "shortcut": None}
RANKERS = {
    "defaults": quick((32, 32), n_members=5, max_epochs=20),
    "paper": quick((8, 4), **RELU6),
    "norms": quick((8, 4, 4), batch_norm=True, input_dropout=0.2),
    "linear shortcut": quick(shortcut="linear", input_clip=None),
    "no layers": quick(()),
    "constrained": quick(monotonic_cst=[1, -1, 0], n_pieces=1),
    "float32": quick(predict_dtype="float32"),
    "linear": LinearPreferenceRanker(),
    "larger": SingleMetricRanker(0, "larger"),
    "smaller": SingleMetricRanker(1, "smaller"),
    "zero": SingleMetricRanker(2, "nearest_zero"),
    "plain": PlainTarget(Ridge()),
    "stack": StackedRanker(
        [
            ("net", quick()),
            ("linear", make_pipeline(MinMaxScaler(), LinearPreferenceRanker())),
            ("ridge", make_pipeline(StandardScaler(), PlainTarget(Ridge()))),
        ]
    ),
}
PIPELINES = {
    "scaler": make_pipeline(StandardScaler(), quick()),
    "augmenter": make_pipeline(MinMaxScaler(), PairAugmenter((2,)), quick()),
    "several": make_pipeline(RobustScaler(), "passthrough", PCA(2), quick()),
    "selector": make_pipeline(PlainTarget(SelectKBest(f_regression, k=2)), quick()),
    "columns": make_pipeline(
        make_column_transformer(
            (make_pipeline(StandardScaler(), PCA(2)), ["a c", "a"]),
            (MinMaxScaler(), slice("b", "b")),
            ("drop", ["a"]),
        ),
        LinearPreferenceRanker(),
    ),
    "numbered": make_pipeline(
        make_column_transformer(
            (StandardScaler(), [True, False, True]), remainder="passthrough"
        ),
        quick(),
    ),
}
IMPUTED = {
    "mean": SimpleImputer(),
    "median": SimpleImputer(strategy="median", add_indicator=True),
    "constant": SimpleImputer(strategy="constant", fill_value=-7.0),
    "of columns": make_column_transformer(
        (SimpleImputer(), [1]), (SimpleImputer(missing_values=np.nan), [2])
    ),
}


def written(estimator, path):
    to_onnx(estimator, path / "ranker.onnx")
    return OnnxRanker(path / "ranker.onnx")


def assert_same_scores(estimator, path, X, tolerance=1e-12):
    expected = estimator.predict(X)
    scores = written(estimator, path).predict(X)
    assert scores.dtype == np.float64
    assert np.ptp(expected) > 0
    assert_allclose(scores, expected, rtol=0, atol=tolerance * np.ptp(expected))


@pytest.mark.parametrize("ranker", RANKERS.values(), ids=RANKERS)
class TestRankers:
    def test_have_the_scores_of_predict(self, ranker, tmp_path):
        in_float32 = getattr(ranker, "predict_dtype", None) == "float32"
        ranker.fit(X, GROUPS)
        tolerance = 1e-5 if in_float32 else 1e-12
        far = np.concatenate([X, X * 100, X - 1e5, np.zeros_like(X)])
        assert_same_scores(ranker, tmp_path, far, tolerance)

    def test_take_metrics_of_any_scale(self, ranker, tmp_path):
        large = X * [1e-6, 1.0, 1e6] + [0.0, 1.7e9, -1e9]
        assert_same_scores(ranker.fit(large, GROUPS), tmp_path, large, 1e-5)


@pytest.mark.parametrize("pipe", PIPELINES.values(), ids=PIPELINES)
def test_one_graph_of_a_pipeline(pipe, tmp_path):
    assert_same_scores(pipe.fit(FRAME, GROUPS), tmp_path, FRAME)


@pytest.mark.parametrize("imputer", IMPUTED.values(), ids=IMPUTED)
def test_imputers(imputer, tmp_path):
    pipe = make_pipeline(imputer, StandardScaler(), quick())
    assert_same_scores(pipe.fit(MISSING, GROUPS), tmp_path, MISSING)


TAKE_MISSING = [
    quick(),
    quick(shortcut="linear"),
    quick(shortcut=None),
    quick(**RELU6),
    LinearPreferenceRanker(),
    SingleMetricRanker(1, "larger"),
    SingleMetricRanker(2, "nearest_zero"),
    StackedRanker([("net", quick()), ("linear", LinearPreferenceRanker())]),
]


@pytest.mark.parametrize("ranker", TAKE_MISSING, ids=repr)
def test_missing_metrics_of_the_ranker(ranker, tmp_path):
    ranker.fit(MISSING, GROUPS)
    other = np.roll(MISSING, 1, axis=1)
    for table in (MISSING, other, X, np.full((1, 3), np.nan)):
        scores = written(ranker, tmp_path).predict(table)
        assert_allclose(scores, ranker.predict(table), rtol=0, atol=1e-12)


TREES = PlainTarget(ExtraTreesRegressor(5, max_depth=3, random_state=0))


PASSED = make_column_transformer((StandardScaler(), [0, 2]), remainder="passthrough")


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(PASSED, quick()),
        make_pipeline(PASSED, SimpleImputer(), quick()),
        make_pipeline(StandardScaler(), SimpleImputer(), PlainTarget(Ridge())),
        make_pipeline(
            make_pipeline(SimpleImputer(), StandardScaler()), PlainTarget(Ridge())
        ),
        make_pipeline(
            make_column_transformer((SimpleImputer(), [2, 1])), PlainTarget(Ridge())
        ),
    ],
    ids=repr,
)
def test_missing_metrics_that_pass_or_are_filled_in(model, tmp_path):
    model.fit(MISSING, GROUPS)
    assert_same_scores(model, tmp_path, MISSING)


@pytest.mark.parametrize(
    "model",
    [
        TREES,
        make_pipeline(StandardScaler(), TREES),
        make_pipeline(PASSED, TREES),
        StackedRanker([("linear", LinearPreferenceRanker()), ("trees", TREES)]),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:to_onnx writes float32")
def test_trees_of_a_graph_take_no_missing_metrics(model, tmp_path):
    """What skl2onnx writes would send them another way than scikit-learn does."""
    model.fit(MISSING, GROUPS)
    assert_same_scores(model, tmp_path, X, tolerance=1e-5)
    with pytest.raises(
        ValueError, match="X contains nan at row 0, column 1; expected f"
    ):
        written(model, tmp_path).predict(MISSING)


def test_a_search_is_its_best_model(tmp_path):
    pipe = make_pipeline(StandardScaler(), quick(max_epochs=1))
    grid = {"pairwisepreferenceranker__dropout": [0.1, 0.2]}
    search = GridSearchCV(pipe, grid, cv=PreferenceGroupKFold(2)).fit(X, GROUPS)
    assert_same_scores(search, tmp_path, X)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(
        IsADirectoryError, match="a folder; expected the name of a file"
    ):
        to_onnx(LinearPreferenceRanker().fit(X, GROUPS), tmp_path)
    assert not list(tmp_path.iterdir())


def test_after_loading_and_going_on(tmp_path):
    ranker = pickle.loads(pickle.dumps(quick().fit(X, GROUPS)))
    assert_same_scores(ranker, tmp_path, X)
    assert_same_scores(ranker.partial_fit(X, GROUPS), tmp_path, X)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(PolynomialFeatures(), quick()),
        PlainTarget(ExtraTreesRegressor(5, random_state=0)),
    ],
    ids=["polynomials", "trees"],
)
def test_float32_where_a_step_knows_no_other(model, tmp_path):
    with pytest.warns(UserWarning, match="to_onnx writes float32: a step has no fl"):
        assert_same_scores(model.fit(X, GROUPS), tmp_path, X, 1e-5)
    assert OnnxRanker(tmp_path / "ranker.onnx")._input.type == "tensor(float)"


def test_needs_no_torch(tmp_path):
    ranker = make_pipeline(StandardScaler(), quick()).fit(X, GROUPS)
    to_onnx(ranker, tmp_path / "ranker.onnx")
    np.save(tmp_path / "X.npy", X)
    code = (
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in ('torch', 'skorch', 'onnx', 'skl2onnx', 'catboost'):\n"
        "            raise ImportError(name + ' is blocked')\n"
        "sys.meta_path.insert(0, Blocked())\n"
        "import numpy as np\n"
        "from sklearn_pscore import OnnxRanker\n"
        "scores = OnnxRanker('ranker.onnx').predict(np.load('X.npy'))\n"
        "np.save('scores.npy', scores)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert_allclose(np.load(tmp_path / "scores.npy"), ranker.predict(X), atol=1e-12)


class TestFile:
    def test_says_what_it_is(self, tmp_path):
        written(quick().fit(FRAME, GROUPS), tmp_path)
        model = onnx.load(tmp_path / "ranker.onnx")
        onnx.checker.check_model(model, full_check=True)
        known = {each.key: each.value for each in model.metadata_props}
        assert json.loads(known["feature_names"]) == ["a", "b", "a c"]
        assert known["n_features"] == "3"
        assert known["sklearn_pscore_version"] == __version__
        assert known["estimator"] == "PairwisePreferenceRanker"
        (given,), (output,) = model.graph.input, model.graph.output
        assert (given.name, output.name) == ("X", "score")
        assert given.type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
        assert len(output.type.tensor_type.shape.dim) == 1

    def test_is_as_small_as_the_weights(self, tmp_path):
        ranker = quick((256, 256), max_epochs=1).fit(X, GROUPS)
        to_onnx(ranker, tmp_path / "ranker.onnx")
        size = ranker._saved_state()["weights"].nbytes
        assert (tmp_path / "ranker.onnx").stat().st_size < size + 20_000

    def test_is_written_whole_or_not_at_all(self, tmp_path):
        path = tmp_path / "new" / "ranker.onnx"
        with pytest.raises(ValueError, match="cannot write"):
            to_onnx(make_pipeline(SplineTransformer(), quick()).fit(X, GROUPS), path)
        assert not path.parent.exists()
        to_onnx(quick().fit(X, GROUPS), path)
        before = path.read_bytes()
        to_onnx(quick(max_epochs=1).fit(X, GROUPS), str(path))
        assert before != path.read_bytes()
        assert [each.name for each in path.parent.iterdir()] == ["ranker.onnx"]


class TestReader:
    @pytest.fixture
    def pair(self, tmp_path):
        ranker = quick().fit(FRAME, GROUPS)
        return ranker, written(ranker, tmp_path)

    def test_takes_what_predict_takes(self, pair):
        ranker, reader = pair
        expected = ranker.predict(FRAME)
        for table in (FRAME, pl.from_pandas(FRAME), FRAME.astype(object)):
            assert_allclose(reader.predict(table), expected, atol=1e-12)
        assert_allclose(reader.predict(FRAME[::-1])[::-1], expected, atol=1e-12)
        for row in (0, 77):
            one = reader.predict(FRAME.iloc[[row]])
            assert_allclose(one, expected[[row]], atol=1e-12)
        assert_array_equal(reader.rank(FRAME, GROUPS), ranker.rank(FRAME, GROUPS))
        assert reader.feature_names_in_.tolist() == ranker.feature_names_in_.tolist()
        assert reader.n_features_in_ == 3
        assert reader.version_ == __version__
        again = pickle.loads(pickle.dumps(reader))
        assert_array_equal(again.predict(FRAME), reader.predict(FRAME))

    def test_takes_more_rows_than_go_at_a_time(self, tmp_path):
        ranker = quick(predict_dtype="float64").fit(X, GROUPS)
        many = np.random.default_rng(1).normal(size=(20_001, 3)).astype(np.float32)
        scores = written(ranker, tmp_path).predict(many)
        assert_allclose(scores, ranker.predict(many), atol=1e-12)

    @pytest.mark.parametrize(
        ("names", "difference"),
        [
            (["a", "b", "d"], "unknown are ['d'], missing are ['a c'];"),
            (["a", "b"], "missing are ['a c'];"),
            (["a", "b", "a c", "d"], "unknown are ['d'];"),
            (["b", "a", "a c"], "their order differs;"),
        ],
    )
    def test_other_columns_are_refused(self, pair, names, difference):
        table = pd.DataFrame(np.ones((2, len(names))), columns=names)
        expected = (
            f": {difference} expected ['a', 'b', 'a c'], but X has {names}. Pass "
        )
        with pytest.raises(ValueError, match=re.escape(expected)):
            pair[1].predict(table)

    def test_another_number_of_columns_is_refused(self, tmp_path):
        reader = written(quick().fit(X, GROUPS), tmp_path)
        with pytest.raises(
            ValueError, match="X has 2 columns but .* is of 3; expected"
        ):
            reader.predict(X[:, :2])
        with pytest.raises(ValueError, match="Expected 2D array, got 1D"):
            reader.predict(X[0])
        with pytest.raises(TypeError, match="X is 'x', of type str, at row 0"):
            reader.predict([["x", "y", "z"]])

    def test_columns_without_names_warn(self, pair):
        with pytest.warns(UserWarning, match="no column names, but .*'a', 'b', 'a c'"):
            scores = pair[1].predict(X)
        assert_allclose(scores, pair[0].predict(FRAME), atol=1e-12)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    @pytest.mark.parametrize(
        "model",
        [
            PlainTarget(Ridge()),
            make_pipeline(PCA(2), quick()),
            make_pipeline(
                make_column_transformer((PCA(1), [0]), (StandardScaler(), [1])), quick()
            ),
            StackedRanker([("a", PlainTarget(Ridge())), ("b", PlainTarget(Ridge(9)))]),
        ],
        ids=["ranker", "step", "columns", "stack"],
    )
    def test_values_that_the_ranker_refuses(self, model, value, tmp_path):
        reader = written(model.fit(X, GROUPS), tmp_path)
        table = X[:2].copy()
        table[1, 0] = value
        with pytest.raises(ValueError, match=f"X contains {value} at row 1, column 0"):
            reader.predict(table)

    def test_infinity_where_missing_metrics_are_taken(self, pair):
        table = FRAME.copy()
        table.loc[2, "b"] = np.inf
        with pytest.raises(ValueError, match="expected finite numbers, or NaN"):
            pair[1].predict(table)

    def test_missing_metrics_behind_a_step_that_takes_them(self, tmp_path):
        pipe = make_pipeline(StandardScaler(), PlainTarget(Ridge()))
        reader = written(pipe.fit(X, GROUPS), tmp_path)
        with pytest.raises(ValueError, match="X contains nan at row 0, column 1"):
            reader.predict(MISSING)

    def test_scores_that_are_not_finite(self, tmp_path):
        model = make_pipeline(StandardScaler(), PlainTarget(Ridge())).fit(X, GROUPS)
        largest = np.finfo(float).max * np.sign(model[-1].estimator_.coef_)
        with pytest.raises(
            ValueError, match=r"row 1 is .*0 missing.* up to 1.8e\+308 in"
        ):
            written(model, tmp_path).predict([X[0], largest])

    def test_files_that_are_none(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            OnnxRanker(tmp_path / "none.onnx")
        (tmp_path / "text.onnx").write_text("no graph")
        with pytest.raises(ValueError, match="text.onnx' cannot be read as ONNX"):
            OnnxRanker(tmp_path / "text.onnx")
        written(quick().fit(X, GROUPS), tmp_path)
        model = onnx.load(tmp_path / "ranker.onnx")
        del model.metadata_props[:]
        onnx.save(model, tmp_path / "other.onnx")
        with pytest.raises(ValueError, match="does not say which columns it takes"):
            OnnxRanker(tmp_path / "other.onnx")

    def test_plain_targets_are_refused_by_rank(self, pair):
        with pytest.raises(TypeError, match="rank takes groups as a structured array"):
            pair[1].rank(FRAME, GROUPS["group"])


class TestErrors:
    def test_of_what_is_not_fitted(self, tmp_path):
        for model in (quick(), make_pipeline(StandardScaler(), quick())):
            with pytest.raises(NotFittedError):
                to_onnx(model, tmp_path / "ranker.onnx")

    def test_of_a_ranker_without_a_graph(self, tmp_path):
        ranker = LevelClassifierRanker(n_levels=2).fit(X, GROUPS)
        members = [("levels", ranker), ("linear", LinearPreferenceRanker())]
        stack = StackedRanker(members).fit(X, GROUPS)
        messages = {
            "to_onnx got LevelClassifierRanker(n_levels=2), which has no graph; "
            "expected one of PairwisePreferenceRanker, Lin": ranker,
            "to_onnx got a stack whose member 'levels' is LevelC": stack,
        }
        for message, model in messages.items():
            for each in (model, make_pipeline(StandardScaler(), model).fit(X, GROUPS)):
                with pytest.raises(TypeError, match=re.escape(message)):
                    to_onnx(each, tmp_path / "ranker.onnx")

    def test_of_a_step_that_has_no_converter(self, tmp_path):
        pipe = make_pipeline(SplineTransformer(), quick()).fit(X, GROUPS)
        with pytest.raises(ValueError, match="shape calculator.*SplineTransformer"):
            to_onnx(pipe, tmp_path / "ranker.onnx")

    @pytest.mark.parametrize("name", ["onnx", "skl2onnx", "onnxruntime"])
    def test_of_a_library_that_is_not_there(self, name, tmp_path, monkeypatch):
        ranker = quick().fit(X, GROUPS)
        to_onnx(ranker, tmp_path / "ranker.onnx")
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ImportError, match=re.escape('"sklearn-pscore[onnx]"')):
            to_onnx(ranker, tmp_path / "ranker.onnx")
        if name == "onnxruntime":
            with pytest.raises(ImportError, match=re.escape("sklearn-pscore[onnx]")):
                OnnxRanker(tmp_path / "ranker.onnx")
