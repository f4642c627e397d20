"""Directions of features: known by name, or given by the caller."""

from collections.abc import Mapping

import numpy as np

DIRECTION_WORDS = ("larger", "smaller", "nearest_zero")
"""Which values of a feature are better."""

KNOWN_DIRECTIONS = {
    "SSIM": "larger",
    "PSNR": "larger",
    "CPBD": "larger",
    "FID": "smaller",
    "ID": "larger",
    "ExpL1": "smaller",
    "PoseL1": "smaller",
    "LipLMD": "smaller",
    "AVOffset": "nearest_zero",
    "AVConf": "larger",
    "ExpFD": "smaller",
    "PoseFD": "smaller",
}
"""Direction of each of the paper's twelve metrics.

They are those of the published scoring example of the ViCo challenge. A name has
to be equal to one of these, not only similar.
"""


def resolve_directions(directions, n_features, feature_names=None):
    """Return the direction of every column.

    Parameters
    ----------
    directions : None, str, array-like of shape (n_features,) or dict
        One word holds for all columns, a list has a word per column, and a dict
        has words by column name. Columns that a dict leaves out, and all columns
        with None, must have a name of `KNOWN_DIRECTIONS`.
    n_features : int
        Number of columns.
    feature_names : array-like of shape (n_features,) or None, default=None
        Names of the columns; None if X came without names.

    Returns
    -------
    directions : ndarray of shape (n_features,), str
        One of `DIRECTION_WORDS` per column.

    Raises
    ------
    ValueError
        If a column has no direction, a word or a key is unknown, or the length is
        not the number of columns.
    TypeError
        If `directions` is of another type.

    Examples
    --------
    >>> from sklearn_pscore._directions import resolve_directions
    >>> resolve_directions({"mine": "smaller"}, 2, ["PSNR", "mine"]).tolist()
    ['larger', 'smaller']
    """
    if directions is None or isinstance(directions, Mapping):
        words = _by_name(directions, n_features, feature_names)
    elif isinstance(directions, str):
        words = [directions] * n_features
    else:
        words = _by_position(directions, n_features)
    for column, word in enumerate(words):
        _check_word(word, column, feature_names)
    return np.asarray(words, dtype=str)


def oriented(X, directions):
    """Return a copy of X in which larger values of every feature are better.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Values in their own units.
    directions : array-like of shape (n_features,), str
        Directions from :func:`resolve_directions`.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features), float64
        ``x`` for "larger", ``-x`` for "smaller", ``-abs(x)`` for "nearest_zero".

    Examples
    --------
    >>> from sklearn_pscore._directions import oriented
    >>> oriented([[1.0, 2.0, -3.0]], ["larger", "smaller", "nearest_zero"]).tolist()
    [[1.0, -2.0, -3.0]]
    """
    X = np.array(X, dtype=np.float64)
    directions = np.asarray(directions)
    smaller = directions == "smaller"
    nearest = directions == "nearest_zero"
    X[:, smaller] = -X[:, smaller]
    X[:, nearest] = -np.abs(X[:, nearest])
    return X


def _by_name(directions, n_features, feature_names):
    """Look up each column, first in the caller's dict, then among the known."""
    given = {} if directions is None else directions
    if feature_names is None:
        received = "None" if directions is None else f"a dict of {len(given)} names"
        raise ValueError(
            f"directions is {received}, but X has no column names to look up; expected one "
            f"direction per column. Pass a list of {n_features} words of "
            f"{list(DIRECTION_WORDS)}, or X as a DataFrame; if a step before dropped the "
            'names, call set_output(transform="pandas") on the pipeline.'
        )
    names = [str(name) for name in feature_names]
    stray = [name for name in given if name not in names]
    if stray:
        raise ValueError(
            f"directions names {stray[0]!r}, which is not a column of X; expected names "
            f"of {names}. Remove it or correct its spelling."
        )
    known = {**KNOWN_DIRECTIONS, **given}
    lacking = [name for name in names if name not in known]
    if lacking:
        raise ValueError(
            f"directions has no entry for the columns {lacking}; known by name are "
            f"{list(KNOWN_DIRECTIONS)}. Pass directions={{{lacking[0]!r}: ...}} with "
            f"one of {list(DIRECTION_WORDS)} for each."
        )
    return [known[name] for name in names]


def _by_position(directions, n_features):
    """Return the words of a list; raise unless there is one per column."""
    if isinstance(directions, (set, frozenset)) or not np.iterable(directions):
        raise TypeError(
            f"directions is {type(directions).__name__}; expected a list of "
            f"{n_features} words of {list(DIRECTION_WORDS)}, a dict by column name, or "
            "None for columns with known names."
        )
    words = list(directions)
    if len(words) != n_features:
        raise ValueError(
            f"directions has {len(words)} entries but X has {n_features} columns; "
            "expected one direction per column. Pass a dict by column name to give "
            "only some."
        )
    return words


def _check_word(word, column, feature_names):
    """Raise ValueError unless a column's word is one of the directions."""
    if isinstance(word, str) and word in DIRECTION_WORDS:
        return
    name = "" if feature_names is None else f" ({str(feature_names[column])!r})"
    raise ValueError(
        f"directions is {word!r} for column {column}{name}; expected one of "
        f"{list(DIRECTION_WORDS)}. Use 'larger' where a larger value is better."
    )
