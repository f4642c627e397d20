"""Models in files: read where that is safe, and written."""

from sklearn_pscore._skops_types import SKOPS_TYPES

_PICKLES = (".pkl", ".pickle", ".joblib", ".sav")

ENDINGS = (".skops", ".onnx")
"""Endings of the files of models."""


def load_model(path):
    """Return the model of a file of skops, or of ONNX.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ValueError
        If it is no such file, or one that is not safe to load.
    ImportError
        If what reads it is not installed.
    OSError
        If it cannot be read.
    """
    ending = path.suffix.lower()
    if ending in _PICKLES:
        raise ValueError(
            f"MODEL is {str(path)!r}, a pickle, which may run any program as it is loaded; "
            "expected a file of skops or ONNX. Write one where you trust the pickle, with "
            "skops.io.dump(model, 'model.skops') or sklearn_pscore.to_onnx."
        )
    if ending == ".onnx":
        from sklearn_pscore._onnx.reader import OnnxRanker

        return OnnxRanker(path)
    if ending != ".skops":
        raise ValueError(
            f"MODEL is {str(path)!r}; expected a file that ends in .skops or .onnx."
        )
    skops_io = _skops_io()
    # Whether it is there, in the words of the system.
    path.open("rb").close()
    try:
        unknown = set(skops_io.get_untrusted_types(file=path)) - set(SKOPS_TYPES)
        if not unknown:
            return skops_io.load(path, trusted=SKOPS_TYPES)
    except Exception as error:
        raise ValueError(
            f"MODEL {str(path)!r} cannot be loaded: {error}. Pass a file that `pscore fit` "
            "or skops.io.dump wrote."
        ) from error
    raise ValueError(
        f"MODEL {str(path)!r} holds {sorted(unknown)}, which are not of this package; "
        "expected none, for loading them may run any program. Where you trust the file, "
        "load it in Python with skops.io.load(path, trusted=[...])."
    )


def columns_of(model, path):
    """Return the names of the columns that a model takes.

    Raises
    ------
    ValueError
        If it knows none, or has no scores.
    """
    if not hasattr(model, "predict"):
        raise ValueError(
            f"MODEL {str(path)!r} is a {type(model).__name__}, which has no scores; "
            "expected a ranker, or a Pipeline that ends in one."
        )
    if not hasattr(model, "feature_names_in_"):
        raise ValueError(
            f"MODEL {str(path)!r} was fitted to an array, so that it does not know the "
            "names of its columns; expected one that was fitted to a DataFrame. Fit it "
            "to one, and save it anew."
        )
    return [str(name) for name in model.feature_names_in_]


def check_can_save(path):
    """Raise ImportError unless what writes a model to this file is installed."""
    if path.suffix.lower() == ".skops":
        _skops_io()
        return
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"A .onnx file needs onnx ({error}). Install it with: "
            'pip install "sklearn-pscore[onnx]".'
        ) from error


def save_model(model, path):
    """Write a model in the kind that the name of the file says."""
    if path.suffix.lower() == ".skops":
        _skops_io().dump(model, path)
    else:
        from sklearn_pscore._onnx.export import to_onnx

        to_onnx(model, path)


def _skops_io():
    try:
        import skops.io
    except ImportError as error:
        raise ImportError(
            f"A .skops file needs skops ({error}). Install it with: "
            'pip install "sklearn-pscore[skops]".'
        ) from error
    return skops.io
