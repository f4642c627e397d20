"""What each ranker is as nodes of an ONNX graph."""

import re

import numpy as np

# As in the scaling of the network: the largest distance from the median, in scales.
_FARTHEST = 1e15
# Of torch's BatchNorm.
_EPSILON = 1e-5


def add_pairwise(graph, ranker, X):
    """Add a PairwisePreferenceRanker; return the name of its scores, (n_samples, 1)."""
    state = ranker._saved_state()["weights"]
    weights = {name: state[name] for name in state.dtype.names}
    network = ranker._network_
    scaled = _scaled(graph, X, weights, network["input_clip"])
    scores = _layers(graph, scaled, weights)
    if network["shortcut"] is not None:
        scores = graph.node("Add", scores, _shortcut(graph, X, scaled, weights))
    if network["output_activation"] == "relu6":
        scores = _normed(graph, scores, weights, "bounded.0")
        scores = graph.node("Clip", scores, np.array(0.0), np.array(6.0))
    return graph.node("ReduceMean", scores, axes=[0], keepdims=0)


def add_linear(graph, ranker, X):
    """Add a LinearPreferenceRanker; return the name of its scores, (n_samples, 1)."""
    # What is missing counts as the median.
    X = graph.filled(X, ranker.median_)
    products = graph.node("MatMul", X, ranker.coef_[:, None])
    return graph.node("Add", products, np.array([ranker.intercept_]))


def add_single_metric(graph, ranker, X):
    """Add a SingleMetricRanker; return the name of its scores, (n_samples, 1)."""
    score = graph.columns(X, [ranker.column_])
    if ranker.direction_ == "nearest_zero":
        score = graph.node("Abs", score)
    if ranker.direction_ != "larger":
        score = graph.node("Neg", score)
    return graph.filled(score, np.array(ranker.missing_score_))


def add_stacked(graph, stack, scores):
    """Add a StackedRanker.

    Parameters
    ----------
    graph : Graph
    stack : StackedRanker
    scores : str
        Scores of its members that have a weight, (n_samples, n_members).

    Returns
    -------
    scores : str
        (n_samples, 1).
    """
    factors = np.array([factor for _, _, factor in stack._asked_members()])
    return graph.node("MatMul", scores, factors[:, None])


def _scaled(graph, X, weights, clip):
    """Return the scaled features; a missing one is the median."""
    bend = 1.0 if clip is None else clip
    largest = np.finfo(np.float64).max
    with np.errstate(over="ignore"):
        factor = np.minimum(1 / (weights["scaling.scale"] * bend), largest)
    shifted = graph.node("Sub", X, weights["scaling.shift"])
    Z = graph.node("Mul", graph.filled(shifted, np.array(0.0)), factor)
    Z = graph.node("Clip", Z, np.array(-_FARTHEST), np.array(_FARTHEST))
    if clip is not None:
        size = graph.node("Add", graph.node("Mul", Z, Z), np.array(1.0))
        Z = graph.node("Div", Z, graph.node("Sqrt", size))
    return graph.node("Mul", Z, weights["scaling.unit"] * bend)


def _layers(graph, Z, weights):
    """Return the scores of the layers, (n_members, n_samples, 1)."""
    numbers = {re.match(r"hidden\.(\d+)\.", name) for name in weights} - {None}
    for number in sorted({int(number[1]) for number in numbers}):
        part = f"hidden.{number}"
        if f"{part}.weight" in weights:
            Z = _linear(graph, Z, weights, part)
            is_normed = f"hidden.{number + 1}.norm.weight" in weights
        else:
            Z = _normed(graph, Z, weights, part)
            is_normed = False
        if not is_normed:
            Z = graph.node("Relu", Z)
    return _linear(graph, Z, weights, "output")


def _linear(graph, Z, weights, part):
    products = graph.node("MatMul", Z, weights[f"{part}.weight"])
    return graph.node("Add", products, weights[f"{part}.bias"])


def _normed(graph, Z, weights, part):
    """Return what a BatchNorm makes of all members' values."""
    norm = {
        name: weights[f"{part}.norm.{name}"].astype(np.float64)
        for name in ("weight", "bias", "running_mean", "running_var")
    }
    scale = norm["weight"] / np.sqrt(norm["running_var"] + _EPSILON)
    shift = norm["bias"] - norm["running_mean"] * scale
    n_members = len(weights["output.weight"])
    scale, shift = (each.reshape(n_members, 1, -1) for each in (scale, shift))
    return graph.node("Add", graph.node("Mul", Z, scale), shift)


def _shortcut(graph, X, Z, weights):
    """Return the scores of the shortcut, (n_members, n_samples, 1)."""
    weight = weights["shortcut.weight"]
    n_members, n_parts, n_features = weight.shape
    # As (n_members, n_features, 1), so that members come first in the products.
    scores = graph.node("MatMul", Z, weight[:, 0, :, None])
    if n_parts > 1:
        start = weights["shortcut.bends.start"]
        inverse = weights["shortcut.bends.inverse_width"]
        # (n_samples, 1, n_features) less (n_pieces, n_features).
        columns = graph.node("Unsqueeze", Z, np.array([1]))
        columns = graph.node("Mul", graph.node("Sub", columns, start), inverse)
        columns = graph.node("Clip", columns, np.array(0.0), np.array(1.0))
        columns = graph.node("Reshape", columns, np.array([-1, inverse.size]))
        of_pieces = weight[:, 1:].reshape(n_members, inverse.size, 1)
        scores = graph.node("Add", scores, graph.node("MatMul", columns, of_pieces))
    if "shortcut.missing_weight" in weights:
        features = weights["shortcut.missing_features"]
        missing = graph.is_missing(graph.columns(X, features))
        worth = weights["shortcut.missing_weight"][..., None]
        scores = graph.node("Add", scores, graph.node("MatMul", missing, worth))
    return scores
