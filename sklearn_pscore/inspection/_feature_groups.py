"""Features that are permuted together, and their names."""

from collections.abc import Mapping
from difflib import get_close_matches
from numbers import Integral

import numpy as np


def feature_names(table, estimator):
    """Return the names of a table's columns, or what a fit had, or "x0", "x1" ..

    Parameters
    ----------
    table : FeatureTable
    estimator : object
        A fitted estimator.
    """
    names = table.names
    if names is None:
        names = getattr(estimator, "feature_names_in_", ())
    if len(names) != table.n_features:
        names = [f"x{j}" for j in range(table.n_features)]
    return [str(name) for name in names]


def checked_features(feature_groups, names, caller):
    """Return the columns of each feature that is permuted as one.

    Parameters
    ----------
    feature_groups : dict of str to list of str or int, or None
    names : list of str
        Names of all columns.
    caller : str
        For the messages.

    Returns
    -------
    features : list of tuple of str and list of int
        Name and positions of the columns of each: the groups, in their order, then
        the columns that are in none.

    Raises
    ------
    TypeError
        If it is no dict of lists.
    ValueError
        If a column is not there, or in two groups, or the name of a group is that of
        a column outside of it.
    """
    feature_groups = {} if feature_groups is None else feature_groups
    if not isinstance(feature_groups, Mapping):
        raise TypeError(
            f"The 'feature_groups' parameter of {caller} must be a dict of lists of "
            f"columns by the name of their group. Got {feature_groups!r:.60} instead."
        )
    features, taken = [], {}
    for group, columns in feature_groups.items():
        if isinstance(columns, (str, bytes)) or not hasattr(columns, "__iter__"):
            raise TypeError(
                f"feature_groups[{group!r}] is {columns!r:.60}; expected a list of "
                f"columns. Pass [{columns!r:.60}] if it is one column."
            )
        places = [_place_of(column, names, group) for column in columns]
        if not places:
            raise ValueError(
                f"feature_groups[{group!r}] is empty; expected at least one column. Leave "
                "it out."
            )
        for place in places:
            if place in taken:
                raise ValueError(
                    f"feature_groups has the column {names[place]!r} in {taken[place]!r} "
                    f"and in {group!r}; expected each column once. Call {caller} twice for "
                    "groups that overlap."
                )
            taken[place] = group
        features.append((str(group), places))
    alone = [j for j in range(len(names)) if j not in taken]
    clash = {name for name, _ in features} & {names[j] for j in alone}
    if clash:
        raise ValueError(
            f"feature_groups names a group {min(clash)!r}, as a column outside of it is "
            "named; expected another name, or the two could not be told apart."
        )
    return features + [(names[j], [j]) for j in alone]


def _place_of(column, names, group):
    """Return the position of a column that is given by name or position."""
    if isinstance(column, Integral) and not isinstance(column, (bool, np.bool_)):
        if 0 <= column < len(names):
            return int(column)
        raise ValueError(
            f"feature_groups[{group!r}] holds column {column}; expected a position from 0 "
            f"to {len(names) - 1}, or a name. X has {len(names)} columns."
        )
    found = [j for j, name in enumerate(names) if name == column]
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(
            f"feature_groups[{group!r}] holds {column!r}, which {len(found)} columns of X "
            f"are named; expected one. Pass their positions, {found}."
        )
    near = get_close_matches(str(column), names, n=1)
    hint = f"Is {near[0]!r} meant?" if near else f"Pass columns of {names[:20]}."
    raise ValueError(
        f"feature_groups[{group!r}] holds {column!r}, which is no column of X. {hint}"
    )
