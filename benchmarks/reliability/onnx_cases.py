"""Odd inputs of rankers that were written as ONNX graphs."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.reliability import matrices
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.ranker_cases import RTOL, fitted, plain_table
from benchmarks.reliability.structures import plain_target
from sklearn_pscore import Groups, OnnxRanker, to_onnx
from sklearn_pscore.metrics import rank_items

_NAMES = ("PairwisePreferenceRanker", "LinearPreferenceRanker", "SingleMetricRanker")


@cache
def _read(name):
    """Return a ranker from its file; it is in memory then."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ranker.onnx")
        to_onnx(fitted(name), path)
        return OnnxRanker(path)


def onnx_case(rng):
    """Draw a method of a ranker from a file, with X in an odd form."""
    name, method = str(rng.choice(_NAMES)), str(rng.choice(["predict", "rank"]))
    form = matrices.FORMS[rng.integers(len(matrices.FORMS))]
    X, y = plain_table(), Groups.from_arrays(**plain_target(rng))
    passed, ranker = form.make(X), _read(name)
    meant = None if form.meaning is None else form.meaning(X)
    if method == "predict" and form.name in ("one row less", "one row more"):
        meant = np.asarray(passed)
    arguments = () if method == "predict" else (y,)

    def right():
        if meant is None:
            raise Meaningless(form.name)
        try:
            if form.kind == "value" and name == "LinearPreferenceRanker":
                # Values that the ranker refuses for their size, the graph scores.
                linear = fitted(name)
                result = np.asarray(meant) @ linear.coef_ + linear.intercept_
                result = rank_items(y, result) if method == "rank" else result
            else:
                result = getattr(fitted(name), method)(meant, *arguments)
        except Exception as error:
            raise Meaningless(str(error)) from error
        return None if np.isinf(result).any() else result

    return Case(
        surface=f"OnnxRanker.{method}",
        kind=form.kind,
        oddity=f"X: {form.name}, {name}",
        call=lambda: getattr(ranker, method)(passed, *arguments),
        reference=right,
        names=("X",),
        passed=(passed,),
        must_handle=form.must_handle,
        rtol=RTOL,
    )


CASES = (onnx_case,)
