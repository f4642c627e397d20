"""From the file of a model and a table to the table with its scores."""

import warnings

import numpy as np

from sklearn_pscore._skops_types import SKOPS_TYPES

_SEPARATORS = {".csv": ",", ".tsv": "\t"}
TABLES = (*_SEPARATORS, ".parquet")
"""Endings of the tables that are read and written."""
_PICKLES = (".pkl", ".pickle", ".joblib", ".sav")


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
    try:
        import skops.io
    except ImportError as error:
        raise ImportError(
            f"A .skops file needs skops ({error}). Install it with: "
            'pip install "sklearn-pscore[skops]".'
        ) from error
    # Whether it is there, in the words of the system.
    path.open("rb").close()
    try:
        unknown = set(skops.io.get_untrusted_types(file=path)) - set(SKOPS_TYPES)
        if not unknown:
            return skops.io.load(path, trusted=SKOPS_TYPES)
    except Exception as error:
        raise ValueError(f"MODEL {str(path)!r} cannot be loaded: {error}") from error
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


class Table:
    """A table of a file, whose other columns stay as they are.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ValueError
        If it is no table, or has two columns of one name.
    ImportError
        If pyarrow is needed and not installed.
    OSError
        If it cannot be read.
    """

    def __init__(self, path):
        import pandas as pd

        self.path = path
        check_ending(path, "TABLE")
        self._separator = _SEPARATORS.get(path.suffix.lower())
        try:
            if self._separator is None:
                self.frame = _without_index(pd.read_parquet(path))
            else:
                # Text stays as it is: "007", "1e3" and "NA" too.
                self.frame = self._read(header=None, dtype=str, keep_default_na=False)
                self.frame = self.frame.set_axis(self.frame.iloc[0].tolist(), axis=1)[
                    1:
                ]
        except (ImportError, OSError):
            raise
        except Exception as error:
            raise ValueError(f"TABLE {str(path)!r} cannot be read: {error}") from error
        names = self.frame.columns
        if names.has_duplicates:
            name = names[names.duplicated()][0]
            raise ValueError(
                f"TABLE {str(path)!r} has two columns {name!r}; expected one of each name."
            )

    def features(self, names):
        """Return the columns of a model.

        Raises
        ------
        ValueError
            If the table lacks any, or has scores already.
        """
        have = list(map(str, self.frame.columns))
        lacking = [name for name in names if name not in have]
        if lacking:
            raise ValueError(
                f"TABLE {str(self.path)!r} lacks the columns {lacking} of the model; "
                f"expected all of {names}, but it has {have}."
            )
        if "score" in have:
            raise ValueError(
                f"TABLE {str(self.path)!r} has a column 'score', where the scores are to "
                "go; expected none. Rename it."
            )
        if self._separator is None:
            return self.frame.set_axis(have, axis=1)[names]
        return self._read()[names]

    def _read(self, **options):
        import pandas as pd

        return pd.read_csv(self.path, sep=self._separator, **options)


def check_ending(path, name):
    """Raise ValueError unless the name of a file says what kind of table it is."""
    if path.suffix.lower() not in TABLES:
        raise ValueError(
            f"{name} is {str(path)!r}; expected a file that ends in one of "
            f"{', '.join(TABLES)}."
        )


def scores_of(model_path, table):
    """Return the scores of a table's rows, and what users were warned of meanwhile.

    Parameters
    ----------
    model_path : Path
    table : Table

    Raises
    ------
    ValueError, ImportError, OSError
        As :func:`load_model` and :meth:`Table.features`, and those of the model.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = load_model(model_path)
        X = table.features(columns_of(model, model_path))
        try:
            scores = np.asarray(model.predict(X), dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"TABLE {str(table.path)!r} cannot be scored: {_what_is_odd(X)}{error}"
            ) from error
    told = [each for each in caught if issubclass(each.category, UserWarning)]
    return scores, [str(each.message) for each in told]


def _without_index(frame):
    """Return a table whose index is a column if it has a name, as in the file."""
    named = [level for level, name in enumerate(frame.index.names) if name is not None]
    return frame.reset_index(named)


def _what_is_odd(X):
    """Return where a table holds what few models take, or nothing if nowhere.

    The first step of a Pipeline, of another library, may not say where.
    """
    if not len(X):
        return "it has no rows; expected at least one. "
    for name in X.columns:
        values = X[name].to_numpy()
        if values.dtype.kind == "O":
            is_odd = np.array([isinstance(value, str) for value in values])
        else:
            is_odd = np.isinf(values) if values.dtype.kind == "f" else np.zeros(1)
        if is_odd.any():
            row = int(np.flatnonzero(is_odd)[0])
            return f"column {name!r} holds {str(values[row])!r:.60} in row {row}. "
    return ""


def write_table(frame, path):
    """Write a table in the kind that the name of the file says."""
    separator = _SEPARATORS.get(path.suffix.lower())
    if separator is None:
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, sep=separator, index=False)
