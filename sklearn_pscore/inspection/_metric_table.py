"""A table of metrics as numbers, and numbers as a table of the same kind."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from sklearn_pscore._target.columns import kind_of
from sklearn_pscore._target.tables import check_numbers


@dataclass(frozen=True)
class MetricTable:
    """The values of a table and how to make others like it.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_metrics), float64
        NaN where a metric is missing.
    names : list of str
        Names of the columns, x0, x1, ... if they have none.
    model : object or None
        The table that others are to be like; None is an array.
    """

    values: np.ndarray
    names: list
    model: object = None

    @classmethod
    def of(cls, X, caller):
        """Return the table of an array, a DataFrame of pandas or polars, or a list.

        Raises
        ------
        TypeError
            If it is sparse, or holds anything but numbers.
        ValueError
            If it has no two dimensions, a value is infinite, or names are not unique.
        """
        if issparse(X):
            raise TypeError(
                f"X is a sparse matrix of shape {X.shape}; expected a dense table in "
                f"{caller}, which goes through the values of each column. Pass "
                "X[rows].toarray() of some rows, to a model of few columns."
            )
        check_numbers(X)
        names, model = None, None
        if hasattr(X, "iloc"):
            names, model = list(X.columns), X.iloc[:0]
            values = X.to_numpy(dtype=np.float64, na_value=np.nan)
        elif hasattr(X, "schema") and hasattr(X, "columns"):
            import narwhals

            frame = narwhals.from_native(X, eager_only=True)
            names, model = list(frame.columns), X
            columns = [frame[name].cast(narwhals.Float64).to_numpy() for name in names]
            values = np.column_stack(columns).astype(np.float64)
        else:
            values = np.asarray(X, dtype=np.float64)
        if values.ndim != 2 or not values.size:
            raise ValueError(
                f"X is {kind_of(X)} of shape {values.shape}; expected a table of at least "
                "a row and a column, shape (n_rows, n_metrics)."
            )
        if names is None:
            names = [f"x{number}" for number in range(values.shape[1])]
        _check_names(names)
        _check_finite(values, names)
        return cls(values, [str(name) for name in names], model)

    def take(self, rows):
        """Return the table of some rows."""
        return MetricTable(self.values[rows], self.names, self.model)

    def like(self, values):
        """Return values as a table of the kind and names that the model was passed."""
        if self.model is None:
            return values
        if hasattr(self.model, "iloc"):
            return pd.DataFrame(values, columns=self.model.columns)
        import narwhals

        frame = narwhals.from_native(self.model, eager_only=True)
        columns = dict(zip(frame.columns, values.T.copy(), strict=True))
        backend = narwhals.get_native_namespace(frame)
        return narwhals.from_dict(columns, backend=backend).to_native()


def _check_names(names):
    """Raise ValueError unless the names read differently."""
    texts = [str(name) for name in names]
    twice = sorted({text for text in texts if texts.count(text) > 1})
    if twice:
        raise ValueError(
            f"X has {texts.count(twice[0])} columns that read {twice[0]!r}; expected a "
            "name for each. Rename them."
        )


def _check_finite(values, names):
    bad = np.argwhere(np.isinf(values))
    if len(bad):
        row, column = bad[0]
        raise ValueError(
            f"X contains infinity: {values[row, column]} at row {row}, column "
            f"{names[column]!r}; expected finite numbers, NaN where a metric is missing. "
            "Drop the row, or put a large number if it is known to be large."
        )
