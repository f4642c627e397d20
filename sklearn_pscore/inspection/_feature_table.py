"""Tables of features of any kind, assembled anew from their own rows."""

from functools import cached_property

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, issparse, vstack

from sklearn_pscore._rows import checked_sparse
from sklearn_pscore._target.columns import refuse_masked
from sklearn_pscore._target.rows import count_rows

# Odd, so that the products of a hash with it are all different.
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_PANDAS, _POLARS = "a DataFrame of pandas", "a DataFrame of polars"


class FeatureTable:
    """A table of features: an array, a DataFrame of pandas or polars, or sparse.

    What is assembled from it is of the same kind, so that an estimator takes it as it
    takes the table.

    Parameters
    ----------
    X : array-like, sparse matrix or DataFrame of shape (n_rows, n_features)
    name : str
        Name of the table, for the messages.

    Raises
    ------
    ValueError
        If it has not two dimensions, is masked, or a sparse matrix is broken.
    TypeError
        If it is no table.
    """

    def __init__(self, X, name="X"):
        refuse_masked(X, name)
        count_rows(X, name)
        if issparse(X):
            X = checked_sparse(X.tocsr(), name)
        elif not (hasattr(X, "iloc") or hasattr(X, "with_columns")):
            X = _as_array(X, name)
        if len(X.shape) != 2:
            raise ValueError(
                f"{name} has shape {tuple(X.shape)}; expected a table of shape (n_rows, "
                f"n_features). Pass a single row as {name}.iloc[[0]] of a DataFrame, or "
                f"{name}[:1] of an array."
            )
        self.X = X
        self.name = name
        self.n_rows, self.n_features = X.shape

    @property
    def names(self):
        """Names of the columns, or None."""
        columns = getattr(self.X, "columns", None)
        return None if columns is None else [str(name) for name in columns]

    @cached_property
    def _by_column(self):
        return self.X.tocsc() if issparse(self.X) else self.X

    def column(self, j):
        """Return the values of a column, as an array or a Series of pandas."""
        if issparse(self.X):
            return self._by_column[:, [j]].toarray().ravel()
        if hasattr(self.X, "iloc"):
            return self.X.iloc[:, j]
        if hasattr(self.X, "with_columns"):
            return self.X[:, j].to_numpy()
        return self.X[:, j]

    def codes(self, j):
        """Return one int for each distinct value of a column, missing ones are -1.

        Raises
        ------
        TypeError
            If a value is of a kind that cannot be told from others, such as a dict.
        """
        values = self.column(j)
        try:
            return pd.factorize(values)[0]
        except TypeError:
            bad = next(value for value in values if not _is_hashable(value))
            raise TypeError(
                f"{self.name} holds {bad!r:.60}, of type {type(bad).__name__}, in column "
                f"{j if self.names is None else self.names[j]!r}; expected numbers or "
                "text. Convert the column, or leave it out."
            ) from None

    def assembled(self, rows, replaced):
        """Return rows of the table, some of their columns taken from other rows.

        Parameters
        ----------
        rows : ndarray of shape (n,), int
        replaced : dict of int to ndarray of shape (n,), int
            The rows that a column's values are taken from.

        Returns
        -------
        table : array, sparse matrix or DataFrame of shape (n, n_features)
            A copy.
        """
        if issparse(self.X):
            return self._assembled_sparse(rows, replaced)
        if hasattr(self.X, "iloc"):
            taken = self.X.iloc[rows].reset_index(drop=True)
            for j, source in replaced.items():
                taken.isetitem(j, self.X.iloc[:, j].array.take(source))
            return taken
        if hasattr(self.X, "with_columns"):
            columns = [self.X[:, j].gather(source) for j, source in replaced.items()]
            return self.X[rows].with_columns(columns)
        taken = self.X[rows]
        for j, source in replaced.items():
            taken[:, j] = self.X[source, j]
        return taken

    def _assembled_sparse(self, rows, replaced):
        taken = self.X[rows]
        taken.data[np.isin(taken.indices, list(replaced))] = 0
        for j, source in replaced.items():
            values = self.column(j)[source]
            place = np.flatnonzero(values)
            where = place, np.full(len(place), j)
            # To nothing that is there: the sum of values is exact.
            taken = taken + type(taken)(coo_array((values[place], where), taken.shape))
        return taken

    def row_keys(self):
        """Return a number for each row that depends on its values only.

        Returns
        -------
        keys : ndarray of shape (n_rows,), uint64
            A hash; equal for equal rows, whatever the type of the numbers is, and of
            the table.
        """
        keys = np.zeros(self.n_rows, dtype=np.uint64)
        for j in range(self.n_features):
            keys = with_column(keys, self.column(j))
        return keys


def _is_hashable(value):
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _as_array(X, name):
    """Return a table that is neither a DataFrame nor sparse as an array."""
    if isinstance(X, np.matrix):
        raise TypeError(
            f"{name} is a np.matrix of shape {X.shape}, which is not supported; expected "
            f"an array. Pass np.asarray({name})."
        )
    try:
        X = np.asarray(X)
    except ValueError:
        raise ValueError(
            f"{name} is a {type(X).__name__} of {len(X)} rows of different lengths; "
            "expected a table of shape (n_rows, n_features). Give each row as many values."
        ) from None
    if X.dtype.kind == "c":
        raise ValueError(
            f"{name} has dtype {X.dtype}; expected real numbers. Pass {name}.real."
        )
    # Hashes and codes are made of numbers in the order of the machine.
    return X.astype(X.dtype.newbyteorder("="), copy=False)


def stacked(table_a, table_b, names, caller):
    """Return the rows of one table above those of another.

    Parameters
    ----------
    table_a, table_b : FeatureTable
        Of the same columns.
    names : tuple of str
        Names of both, for the messages.
    caller : str

    Returns
    -------
    table : FeatureTable

    Raises
    ------
    ValueError
        If the columns differ.
    TypeError
        If the tables are of two kinds.
    """
    a, b = table_a.X, table_b.X
    kinds = [_kind_of(X) for X in (a, b)]
    if kinds[0] != kinds[1]:
        raise TypeError(
            f"{names[0]} is {kinds[0]} and {names[1]} is {kinds[1]}; {caller} puts values "
            "of one into the other, and takes two of one kind."
        )
    if table_a.names != table_b.names or table_a.n_features != table_b.n_features:
        raise ValueError(_text_of_columns(table_a, table_b, names))
    if kinds[0] == _PANDAS:
        both = pd.concat([a, b], ignore_index=True)
    elif kinds[0] == _POLARS:
        both = a.vstack(b)
    else:
        both = vstack([a, b]) if issparse(a) else np.concatenate([a, b])
    return FeatureTable(both, names[0])


def _kind_of(X):
    if issparse(X):
        return "a sparse matrix"
    if hasattr(X, "iloc"):
        return _PANDAS
    return _POLARS if hasattr(X, "with_columns") else "an array"


def _text_of_columns(table_a, table_b, names):
    """Return the error of two tables whose columns differ."""
    a, b = table_a.names or [], table_b.names or []
    only = [[x for x in mine if x not in other] for mine, other in ((a, b), (b, a))]
    text = (
        f"{names[0]} has {table_a.n_features} columns and {names[1]} "
        f"{table_b.n_features}; expected the same ones in the same order"
    )
    if only[0] or only[1]:
        text += f". Only {names[0]} has {only[0][:5]}, only {names[1]} {only[1][:5]}"
    return f"{text}. Take both from one table."


def with_column(keys, values):
    """Return keys of rows that have one more column.

    Parameters
    ----------
    keys : ndarray of shape (n_rows,), uint64
    values : array or Series of shape (n_rows,)
        Numbers, or anything that reads as text.
    """
    try:
        if hasattr(values, "iloc"):
            # Columns that know of NA make no array of float by themselves.
            values = values.to_numpy(np.float64, na_value=np.nan)
        # Adding zero makes -0.0 the same as 0.0.
        values = np.asarray(values, dtype=np.float64) + 0.0
    except (TypeError, ValueError):
        values = np.array([str(value) for value in values], dtype=object)
    return (keys ^ pd.util.hash_array(values)) * _FACTOR
