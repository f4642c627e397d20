"""Checks of the arguments that say which files and columns are read."""

import os
from collections.abc import Mapping, Set
from numbers import Integral
from pathlib import Path

import numpy as np


def check_fields(fields):
    """Raise TypeError unless each field of the target has the name of a column.

    Parameters
    ----------
    fields : dict of str to object
        What was passed, by argument.
    """
    for argument, column in fields.items():
        if not isinstance(column, str):
            raise TypeError(
                f"{argument} is {column!r:.80}, of type {type(column).__name__}; expected "
                f"the name of a column. Pass a str, for example {argument}="
                f"{_as_name(column, argument)!r}."
            )


def check_features(features, fields):
    """Return the names of the features as a list, or None.

    Parameters
    ----------
    features : list-like of str, or None
    fields : dict of str to str
        Columns of the target, which no feature may be.

    Raises
    ------
    TypeError
        If it is no list of names.
    ValueError
        If it is empty, or names a column twice or one of the target.
    """
    if features is None:
        return None
    if isinstance(features, (str, bytes)):
        raise TypeError(
            f"features={features!r} is a {type(features).__name__}; expected a list of the "
            f"names of columns. Pass features=[{features!r}]."
        )
    # A set has no order, and the order of the features decides the fit.
    if isinstance(features, (Mapping, Set)) or not np.iterable(features):
        raise TypeError(
            f"features is {features!r:.80}, of type {type(features).__name__}; expected a "
            'list of the names of columns. Pass for example features=["SSIM", "FID"].'
        )
    names = list(features)
    for k, name in enumerate(names):
        if not isinstance(name, str):
            raise TypeError(
                f"features[{k}] is {name!r:.80}, of type {type(name).__name__}; expected "
                "the name of a column. Pass a str: the names of features are strings."
            )
    names = [str(name) for name in names]
    if not names:
        raise ValueError(
            "features is empty; expected at least one metric to learn from. Name some, "
            "or pass None for every column that the target leaves."
        )
    for k, name in enumerate(names):
        if name in names[:k]:
            raise ValueError(
                f"features names {name!r} at {names.index(name)} and again at {k}; "
                "expected different columns. Name it once."
            )
        for argument, column in fields.items():
            if name == column:
                raise ValueError(
                    f"features[{k}] is {name!r}, which is the column of {argument}= too; "
                    "expected metrics only, since a ranker that is shown its own target "
                    f"learns nothing else. Leave {name!r} out of features."
                )
    return names


def check_rows_at_a_time(rows_at_a_time):
    """Return the number of rows to read at a time as an int of 64 bits."""
    n_rows = rows_at_a_time
    if isinstance(n_rows, (bool, np.bool_)) or not isinstance(n_rows, Integral):
        raise TypeError(
            f"rows_at_a_time is {n_rows!r:.80}, of type {type(n_rows).__name__}; expected "
            "a number of rows. Pass an integer >= 1, or leave it out."
        )
    if n_rows < 1:
        raise ValueError(
            f"rows_at_a_time is {n_rows}; expected at least 1 row. Pass an integer >= 1, "
            "or leave it out."
        )
    return min(int(n_rows), np.iinfo(np.int64).max)


def list_files(path):
    """Return the files that `path` names, each once, in the order of their rows.

    Raises
    ------
    TypeError
        If `path` is neither a path nor several.
    ValueError
        If there is no file, or one is named twice.
    FileNotFoundError
        If there is no such file.
    """
    if isinstance(path, (str, os.PathLike)):
        folder = Path(path)
        paths = sorted(folder.glob("*.parquet")) if folder.is_dir() else [folder]
    elif np.iterable(path) and not isinstance(path, (bytes, Mapping, Set)):
        paths = list(path)
        for k, each in enumerate(paths):
            if not isinstance(each, (str, os.PathLike)):
                raise TypeError(
                    f"path[{k}] is {each!r:.80}, of type {type(each).__name__}; expected "
                    "the path of a file. Pass a str or a pathlib.Path."
                )
        paths = [Path(each) for each in paths]
    else:
        raise TypeError(
            f"path is {path!r:.80}, of type {type(path).__name__}; expected the path of a "
            "file, several, or that of a folder. Pass a str, a pathlib.Path, or a list."
        )
    if not paths:
        raise ValueError(
            f"path={str(path)!r} holds no *.parquet file; expected at least one. Pass a "
            "file, a list of files, or a folder of them."
        )
    known = {}
    for k, each in enumerate(paths):
        if not each.is_file():
            raise FileNotFoundError(
                f"path names {str(each)!r}, which is not a file; expected a Parquet file. "
                "Check the path."
            )
        if each.resolve() in known:
            raise ValueError(
                f"path names {str(each)!r} at {known[each.resolve()]} and again at {k}; "
                "expected different files, since each row is learnt from once a pass. "
                "Name it once."
            )
        known[each.resolve()] = k
    return paths


def _as_name(column, argument):
    return str(column) if isinstance(column, (int, float)) else argument
