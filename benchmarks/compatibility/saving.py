"""skops, mlflow and onnxruntime: fitted rankers in files that others read."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.compatibility.check import Checks
from benchmarks.compatibility.data import GROUPS, X, ranker

SKOPS = Checks("skops", needs=("skops",))
MLFLOW = Checks("mlflow", needs=("mlflow-skinny",))
ONNX = Checks("onnxruntime", needs=("onnxruntime", "onnx", "skl2onnx"))


def _pipe():
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), ranker()).fit(X, GROUPS)


@SKOPS.works(
    "skops.io.dumps(pipeline), loads(trusted=SKOPS_TYPES)",
    "no type is untrusted but those of sklearn_pscore.SKOPS_TYPES",
)
def skops():
    from skops import io

    from sklearn_pscore import SKOPS_TYPES, preference_proba, rank

    fitted = _pipe()
    saved = io.dumps(fitted)
    assert set(io.get_untrusted_types(data=saved)) <= set(SKOPS_TYPES)
    loaded = io.loads(saved, trusted=SKOPS_TYPES)
    assert_array_equal(loaded.predict(X), fitted.predict(X))
    assert_array_equal(rank(loaded, X, GROUPS), rank(fitted, X, GROUPS))
    assert_array_equal(
        preference_proba(loaded, X[:5], X[5:10]),
        preference_proba(fitted, X[:5], X[5:10]),
    )


@MLFLOW.works(
    "mlflow.sklearn.save_model(pipeline, skops_trusted_types=SKOPS_TYPES), load_model",
    "also as mlflow.pyfunc",
)
def mlflow_skops():
    import mlflow.sklearn

    from sklearn_pscore import SKOPS_TYPES

    _check_mlflow(mlflow, serialization_format="skops", skops_trusted_types=SKOPS_TYPES)


@MLFLOW.works('mlflow.sklearn.save_model(pipeline, serialization_format="cloudpickle")')
def mlflow_pickle():
    import mlflow.sklearn

    _check_mlflow(mlflow, serialization_format="cloudpickle")


def _check_mlflow(mlflow, **options):
    fitted = _pipe()
    # Of a type hint in mlflow itself.
    warnings.filterwarnings("ignore", message=".*Any type hint is inferred")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model")
        # Given, for else mlflow asks the package index for the versions.
        mlflow.sklearn.save_model(
            fitted, path, pip_requirements=["sklearn-pscore"], **options
        )
        loaded = mlflow.sklearn.load_model(path)
        assert_array_equal(loaded.predict(X), fitted.predict(X))
        served = mlflow.pyfunc.load_model(path)
        assert_array_equal(np.asarray(served.predict(X)), fitted.predict(X))


@ONNX.works(
    "to_onnx(pipeline, path), onnxruntime.InferenceSession(path), OnnxRanker(path)",
    "scores to 1e-5 of their spread, without torch; OnnxRanker takes part in rank",
)
def onnx():
    import onnxruntime

    from sklearn_pscore import OnnxRanker, rank, to_onnx

    fitted = _pipe()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.onnx"
        to_onnx(fitted, path)
        session = onnxruntime.InferenceSession(
            str(path), providers=["CPUExecutionProvider"]
        )
        loaded = OnnxRanker(path)
    (entry,) = session.get_inputs()
    scores = session.run(None, {entry.name: X.to_numpy(np.float64)})[0]
    close = 1e-5 * np.ptp(fitted.predict(X))
    assert_allclose(np.ravel(scores), fitted.predict(X), rtol=0, atol=close)
    assert_allclose(loaded.predict(X), fitted.predict(X), rtol=0, atol=close)
    assert_array_equal(rank(loaded, X, GROUPS), rank(fitted, X, GROUPS))
