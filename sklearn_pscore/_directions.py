"""Which way a metric points: the known ones, and a caller's own."""

from collections.abc import Mapping

import numpy as np

DIRECTION_WORDS = ("larger", "smaller", "nearest_zero")

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

They are those of the published scoring example of the ViCo challenge. Nothing
is guessed from a name that only looks like one of these.
"""


def resolve_directions(directions, n_features, feature_names=None):
    """Return the direction of every column.

    Parameters
    ----------
    directions : None, str, array-like of shape (n_features,) or dict
        None takes every column by its known name; a word holds for all
        columns; a list gives a word per column; a dict gives words by column
        name, and columns that it leaves out are taken by their known name.
    n_features : int
        Number of columns.
    feature_names : array-like of shape (n_features,) or None, default=None
        Names of the columns; None if X came without names.

    Returns
    -------
    directions : ndarray of shape (n_features,), str
        Of ``"larger"``, ``"smaller"`` and ``"nearest_zero"``.

    Raises
    ------
    ValueError
        If a column is left without a direction, a word or a key is unknown, or
        the length is not the number of columns.
    TypeError
        If `directions` is of another type.

    Examples
    --------
    >>> from sklearn_pscore._directions import resolve_directions
    >>> resolve_directions({"mine": "smaller"}, 2, ["PSNR", "mine"]).tolist()
    ['larger', 'smaller']
    """
    if directions is None or isinstance(directions, Mapping):
        words = _by_name(directions or {}, n_features, feature_names)
    elif isinstance(directions, str):
        words = [directions] * n_features
    else:
        words = _by_position(directions, n_features)
    for column, word in enumerate(words):
        _check_word(word, column, feature_names)
    return np.asarray(words, dtype=str)


def oriented(X, directions):
    """Return a copy of X in which larger is better in every column.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Metric values in their own units.
    directions : array-like of shape (n_features,), str
        What :func:`resolve_directions` returned.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features), float64
        ``x`` where larger is better, ``-x`` where smaller is better and
        ``-abs(x)`` where nearest to zero is best.

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


def _by_name(given, n_features, feature_names):
    """Look every column up, first in what the caller gave."""
    if feature_names is None:
        came = f"a dict of {len(given)} names" if given else "None"
        raise ValueError(
            f"directions is {came}, but X has no column names to look up; expected one "
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
    """Return the words of a list as they came, if there is one per column."""
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
    if isinstance(word, str) and word in DIRECTION_WORDS:
        return
    name = "" if feature_names is None else f" ({str(feature_names[column])!r})"
    raise ValueError(
        f"directions is {word!r} for column {column}{name}; expected one of "
        f"{list(DIRECTION_WORDS)}. Use 'larger' where a larger value is better."
    )
