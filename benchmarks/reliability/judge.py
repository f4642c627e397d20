"""What became of an odd input: an error that helps, the right result, or a fault."""

import re
import traceback
import warnings
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pandas as pd
import torch
from scipy.sparse import issparse
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from benchmarks.reliability.case import Meaningless, Verdict

# Subclasses are those of other libraries: AxisError, ArrowInvalid, UnicodeError.
_ERRORS = (
    ValueError,
    TypeError,
    NotFittedError,
    InvalidParameterError,
    ImportError,
    FileNotFoundError,
)
_LONGEST_MESSAGE = 1000
_REMEDY = re.compile(
    r"\b(expected|expects|must|pass|use|set|convert|drop|fill|check|call|give|name|need"
    r"|needs|required|requires|requirement|shift|scale|build|reshape|install|choose"
    r"|average|lower|raise|should|consider|minimum)\b",
    re.IGNORECASE,
)
# scikit-learn's own sentences on X, which its estimator checks ask for.
_OF_SCIKIT_LEARN = re.compile(
    r"Found array with|Expected 2D array|Expected a 2-dimensional container|X has \d+"
    r" features|Complex data not supported|The feature names should match|Sparse data was"
    r" passed|np.matrix is not supported|dtype='numeric' is not compatible|This \w+"
    r" instance is not fitted|Unsupported dtype|Input (X|y) contains|cannot use sparse"
)
# Those that are the packages' own; numpy, pandas and torch warn by other classes, or
# from their own files.
_LIBRARIES = re.compile(
    r"site-packages/(numpy|torch|scipy|pandas|skorch|polars|pyarrow)/"
)


def judge(case):
    """Make the call of a case and return its :class:`Verdict`."""
    before, arguments = _process_state(), [fingerprint(value) for value in case.passed]
    state = case.state() if case.state else None
    verdict = _outcome(case)
    if verdict.fault:
        return verdict
    if [fingerprint(value) for value in case.passed] != arguments:
        return _faulty(verdict, "the caller's values were changed")
    changed = [
        name for name, value in _process_state().items() if value != before[name]
    ]
    if changed:
        return _faulty(verdict, f"changed: {', '.join(changed)}")
    if verdict.outcome == "refused" and case.state and not same(case.state(), state):
        return _faulty(verdict, "a refused call changed the estimator")
    return verdict


def _outcome(case):
    error, result = None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with redirect_stdout(StringIO()):
                result = case.call()
        except Exception as raised:
            error = raised
    said = [str(warning.message) for warning in caught]
    foreign = [warning for warning in caught if _is_foreign(warning)]
    if error is None and foreign:
        warning = foreign[0]
        name = warning.category.__name__
        return Verdict("handled", f"warning of a library: {name}", str(warning.message))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, has_meaning = _expected(case)
    if error is not None:
        fault = fault_of_error(error, case)
        if not fault and has_meaning and case.must_handle:
            fault = "refused, though it has a meaning"
        return Verdict("refused", fault, f"{type(error).__name__}: {error}")
    if not has_meaning:
        if said:
            return Verdict("warned", "", said[0])
        return Verdict("handled", "silent: it has no meaning", f"{result!r:.200}")
    if not same(result, expected, case.rtol):
        fault = (
            "warned, but unlike the reference" if said else "silent: unlike reference"
        )
        return Verdict("handled", fault, f"{result!r:.200} not {expected!r:.200}")
    return Verdict("handled")


def _expected(case):
    try:
        return case.reference(), True
    except Meaningless:
        return None, False


def _faulty(verdict, fault):
    return Verdict(verdict.outcome, fault, verdict.message)


def _is_foreign(warning):
    is_user_warning = issubclass(warning.category, UserWarning)
    return not is_user_warning or bool(_LIBRARIES.search(warning.filename))


def fault_of_error(error, case):
    """Return what an error lacks: name, value or remedy; empty if nothing."""
    text = str(error)
    if type(error) not in _ERRORS:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{last.filename.split('site-packages/')[-1].split('/')[0]}"
        return f"bare {type(error).__name__}, raised in {where}"
    if len(text) > _LONGEST_MESSAGE:
        return "the message is too long"
    if _OF_SCIKIT_LEARN.search(text):
        return ""
    if not any(_has_word(text, name) for name in case.names):
        return "the message names no argument"
    if not any(
        _has_word(text, shown) for shown in (*case.shown, *_texts_of(case.passed))
    ):
        return "the message shows no value"
    if not _REMEDY.search(text):
        return "the message has no remedy"
    return ""


def _has_word(text, word):
    return bool(re.search(rf"(?<![\w.]){re.escape(word)}(?![\w])", text))


def _texts_of(values):
    """Return all that an error may show of odd values."""
    for value in values:
        yield from _texts_of_entry(value)
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple):
            yield from (str(shape), *map(str, shape))
        elif isinstance(value, (str, int, float)):
            yield "()"
        if hasattr(value, "dtype"):
            yield str(value.dtype)
        names = getattr(getattr(value, "dtype", None), "names", None)
        if names:
            yield str(list(names))
            yield from (str(value.dtype[name]) for name in names)
        if isinstance(value, bytes):
            yield str(len(value))
        entries = _entries(value)
        if entries is not None:
            yield str(len(entries))
            if not len(entries):
                yield "empty"
            for entry in entries:
                yield from _texts_of_entry(entry)


def _texts_of_entry(entry):
    """Return the ways in which an error may write one entry of a column."""
    yield from (repr(entry), str(entry), type(entry).__name__)
    if isinstance(entry, (tuple, list)):
        yield from map(str, entry)
    elif _is_missing(entry) or entry is np.ma.masked:
        # A missing value is NaN once the column is one of floats.
        yield from ("None", "nan", "NaN", "<NA>")
    elif isinstance(entry, int) and entry.bit_length() > 128:
        yield f"{entry.bit_length()} bits"
    elif isinstance(entry, float | int) and abs(entry) < 1e308:
        yield from (f"{entry:.3g}", str(float(entry)), f"{entry:g}")


def _is_missing(entry):
    is_nan = isinstance(entry, float) and entry != entry
    return is_nan or any(entry is missing for missing in (None, pd.NA, pd.NaT))


def _entries(value):
    """Return the entries of a column or table, one after the other; else None."""
    if isinstance(value, (str, bytes)):
        return [value]
    if isinstance(value, np.ndarray):
        return [*value.ravel().tolist(), *value.ravel()]
    if hasattr(value, "to_pylist"):
        return value.to_pylist()
    if issparse(value):
        return value.tocoo().data.tolist()
    if hasattr(value, "to_numpy"):
        try:
            values = np.asarray(value.to_numpy(), dtype=object).ravel()
            return [*values, *getattr(value, "columns", ())]
        except Exception:
            return None
    try:
        return list(value) if hasattr(value, "__len__") else None
    except TypeError:
        return None


def same(result, expected, rtol=0.0):
    """Tell whether two results are the same, or as close as `rtol`, NaN included."""
    if expected is None:
        return result is None
    if isinstance(expected, dict):
        return result.keys() == expected.keys() and all(
            same(result[key], expected[key], rtol) for key in expected
        )
    if isinstance(expected, (list, tuple)):
        return len(result) == len(expected) and all(
            same(a, b, rtol) for a, b in zip(result, expected, strict=True)
        )
    if isinstance(expected, np.ndarray):
        result = np.asarray(result)
        if result.shape != expected.shape:
            return False
        if expected.dtype.kind not in "fiub":
            return same(result.tolist(), expected.tolist(), rtol)
        return bool(np.allclose(result, expected, rtol=rtol, atol=rtol, equal_nan=True))
    if isinstance(expected, float) and not isinstance(result, str):
        if expected != expected:
            return result != result
        return bool(abs(result - expected) <= rtol * (1 + abs(expected)))
    return bool(result == expected)


def fingerprint(value):
    """Return what must stay the same of a value that a caller passes."""
    if isinstance(value, np.ndarray):
        mask = np.ma.getmaskarray(value).tobytes() if np.ma.isMA(value) else b""
        if value.dtype.kind == "O":
            return repr(value.tolist()), mask
        return value.dtype.str, value.shape, np.asarray(value).tobytes(), mask
    if issparse(value):
        parts = ("coords", "data", "indices", "indptr")
        held = {name: part for name, part in vars(value).items() if name in parts}
        return tuple(np.asarray(part).tobytes() for part in held.values())
    if isinstance(value, pd.DataFrame | pd.Series):
        return repr(value.to_numpy(dtype=object).tolist()), repr(value.index)
    if isinstance(value, (list, tuple, dict, set)):
        return repr(value)
    return id(value)


def _process_state():
    """Return the state of the process that no call may change."""
    _, keys, *rest = np.random.get_state()  # noqa: NPY002
    return {
        "numpy's generator": (keys.tobytes(), *rest),
        "torch's generator": torch.get_rng_state().numpy().tobytes(),
        "warning filters": list(warnings.filters),
        "torch's threads": torch.get_num_threads(),
        "torch's dtype": torch.get_default_dtype(),
        "torch's gradients": torch.is_grad_enabled(),
        "numpy's errors": np.geterr(),
    }
