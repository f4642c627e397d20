"""Write a fitted ranker, alone or in a Pipeline, as one ONNX graph."""

import json
from pathlib import Path

import numpy as np
from sklearn.base import is_regressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_pscore._folders import whole_files
from sklearn_pscore._onnx.graph import Graph
from sklearn_pscore._onnx.rankers import (
    add_linear,
    add_pairwise,
    add_single_metric,
    add_stacked,
)
from sklearn_pscore._onnx.steps import add_imputer, plain_steps, takes_missing
from sklearn_pscore._rankers.linear import LinearPreferenceRanker
from sklearn_pscore._rankers.pairwise import PairwisePreferenceRanker
from sklearn_pscore._rankers.plain_target import PlainTarget
from sklearn_pscore._rankers.single_metric import SingleMetricRanker
from sklearn_pscore._rankers.stacked import StackedRanker
from sklearn_pscore._version import __version__
from sklearn_pscore._warn import warn_user

_RANKERS = {
    PairwisePreferenceRanker: add_pairwise,
    LinearPreferenceRanker: add_linear,
    SingleMetricRanker: add_single_metric,
    StackedRanker: add_stacked,
}
# Of 2022, so that older runtimes read the file.
_OPSET = {"": 17, "ai.onnx.ml": 3}


def to_onnx(estimator, path):
    """Write a fitted ranker as an ONNX graph, with the steps before it.

    Its input is one table of float64, its output one score per row: those of
    ``estimator.predict``, to 1e-5 of their spread or better. Scoring needs onnxruntime
    and no torch; :class:`OnnxRanker` does it from Python and checks the columns. It takes
    NaN where the estimator does, except where NaN would reach a model of scikit-learn:
    the graph of a tree would send it another way. Other ways to save are in
    ``docs/saving.md``, the direction in ``docs/conventions.md``.

    Parameters
    ----------
    estimator : estimator
        A fitted :class:`PairwisePreferenceRanker`, :class:`LinearPreferenceRanker`,
        :class:`SingleMetricRanker`, :class:`PlainTarget` of a regressor, or
        :class:`StackedRanker` of these; alone, at the end of a Pipeline, or in a fitted
        search. The other steps are those that skl2onnx converts, see its list of
        supported scikit-learn models.
    path : str or path
        File to write, whole or not at all; one that is there is replaced. By
        convention it ends in ``.onnx``.

    Raises
    ------
    TypeError
        If `estimator` holds a ranker that has no such graph.
    ValueError
        If a step cannot be converted.
    NotFittedError
        If `estimator` is not fitted.
    IsADirectoryError
        If `path` is a folder.
    ImportError
        If onnx, skl2onnx or onnxruntime are not installed.

    Warns
    -----
    UserWarning
        If a step is known in float32 only: then so is the graph, and large numbers are
        rounded.

    See Also
    --------
    OnnxRanker : Scores rows from such a file.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from sklearn_pscore import Groups, LinearPreferenceRanker, OnnxRanker, to_onnx
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> groups = Groups.from_arrays(group=np.arange(40) // 4, preference=X[:, 0])
    >>> ranker = LinearPreferenceRanker().fit(X, groups)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_onnx(ranker, f"{folder}/ranker.onnx")
    ...     scores = OnnxRanker(f"{folder}/ranker.onnx").predict(X)
    >>> bool(np.allclose(scores, ranker.predict(X)))
    True
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(
            f"path is {str(path)!r}, a folder; expected the name of a file. Pass for "
            f"example {str(path / 'ranker.onnx')!r}."
        )
    _check_libraries()
    check_is_fitted(estimator)
    _check_ranker(estimator)
    model = plain_steps(estimator)
    graph = _converted(model, estimator)
    _finish(graph, model, estimator)
    with whole_files(path.parent) as folder:
        (folder / path.name).write_bytes(graph.SerializeToString())


def _check_libraries():
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import skl2onnx  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"to_onnx needs onnx, skl2onnx and onnxruntime ({error}). Install them with: "
            'pip install "sklearn-pscore[onnx]".'
        ) from error


def _check_ranker(model, where="to_onnx got"):
    """Raise TypeError unless the scores of a model come from rankers that have a graph."""
    if hasattr(model, "best_estimator_"):
        return _check_ranker(model.best_estimator_, where)
    if isinstance(model, Pipeline):
        return _check_ranker(model[-1], where)
    if isinstance(model, StackedRanker):
        for name, member, _ in model._asked_members():
            _check_ranker(member, f"to_onnx got a stack whose member {name!r} is")
        return None
    if isinstance(model, PlainTarget) and is_regressor(model.estimator_):
        return None
    if type(model) not in _RANKERS:
        names = ", ".join(kind.__name__ for kind in _RANKERS)
        raise TypeError(
            f"{where} {model!r:.100}, which has no graph; expected one of {names}, "
            "PlainTarget of a regressor, or a Pipeline that ends in one. For the ranker "
            "of another library, use its own export, such as CatBoost's "
            "save_model(format='onnx')."
        )
    return None


def _converted(model, estimator):
    """Return the graph in float64, or in float32 where a step knows no other."""
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    try:
        return _graph(model, estimator, DoubleTensorType)
    except Exception as error:
        reason = _first_line(error)
        try:
            graph = _graph(model, estimator, FloatTensorType)
        except Exception:
            raise ValueError(
                f"to_onnx cannot write {estimator!r:.200}: {reason}; "
                "expected steps that skl2onnx converts; put another one in their place, "
                "or fit the ranker on what they return and score that."
            ) from error
    warn_user(
        f"to_onnx writes float32: a step has no float64 ({reason}). Scores "
        "may differ from those of predict where numbers are large; compare the two, or "
        "put scikit-learn's StandardScaler first."
    )
    return graph


def _first_line(error):
    line = f"{type(error).__name__}: {str(error).strip()}".splitlines()[0]
    return line[:200].rstrip(".")


def _graph(model, estimator, tensor):
    import onnxruntime
    from skl2onnx import convert_sklearn

    functions = {kind: _converter_of(add) for kind, add in _RANKERS.items()}
    functions[SimpleImputer] = _converter_of(add_imputer)
    graph = convert_sklearn(
        model,
        name=type(estimator).__name__,
        initial_types=[("X", tensor([None, estimator.n_features_in_]))],
        target_opset=_OPSET,
        custom_conversion_functions=functions,
        custom_shape_calculators=dict.fromkeys(functions, _set_shape),
        custom_parsers={
            **dict.fromkeys(functions, _parse),
            StackedRanker: _parse_stack,
        },
    )
    # Some graphs are made, but have nodes that do not fit one another.
    onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return graph


def _parse(scope, model, inputs, custom_parsers=None):
    """Return what a step makes of its inputs, for skl2onnx."""
    from skl2onnx.common.data_types import DoubleTensorType

    operator = scope.declare_local_operator(f"Pscore{type(model).__name__}", model)
    operator.inputs = inputs
    output = scope.declare_local_variable("ps_output", DoubleTensorType([None, None]))
    operator.outputs.append(output)
    return operator.outputs


def _parse_stack(scope, stack, inputs, custom_parsers=None):
    """Return what a stack makes of its members' scores, for skl2onnx."""
    from skl2onnx._parse import _parse_sklearn

    scores = []
    for _, member, _ in stack._asked_members():
        model = plain_steps(member)
        scores += _parse_sklearn(scope, model, inputs, custom_parsers=custom_parsers)
    return _parse(scope, stack, scores)


def _set_shape(operator):
    """The shape is declared already."""


def _converter_of(add):
    """Return the function that skl2onnx calls to convert a step."""

    def convert(scope, operator, container):
        graph = Graph(scope, container)
        X = graph.joined([each.full_name for each in operator.inputs])
        output = add(graph, operator.raw_operator, X)
        graph.node("Identity", output, output=operator.outputs[0].full_name)

    return convert


def _finish(onnx_model, model, estimator):
    """Give a graph one score per row, and the names of its columns."""
    from onnx import TensorProto, helper, numpy_helper

    graph = onnx_model.graph
    (output,) = graph.output
    shape = numpy_helper.from_array(np.array([-1]), "ps_shape")
    graph.initializer.append(shape)
    double = helper.make_node(
        "Cast", [output.name], ["ps_double"], to=TensorProto.DOUBLE
    )
    flat = helper.make_node("Reshape", ["ps_double", shape.name], ["score"])
    graph.node.extend([double, flat])
    graph.output.remove(output)
    score = helper.make_tensor_value_info("score", TensorProto.DOUBLE, [None])
    graph.output.append(score)
    names = getattr(estimator, "feature_names_in_", None)
    helper.set_model_props(
        onnx_model,
        {
            "sklearn_pscore_version": __version__,
            "estimator": type(estimator).__name__,
            "n_features": str(estimator.n_features_in_),
            "feature_names": json.dumps(None if names is None else list(names)),
            "allow_nan": json.dumps(takes_missing(model)),
        },
    )
