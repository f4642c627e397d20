"""A table of metrics as numbers, and numbers as a table of the same kind."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import BaseEstimator

from sklearn_pscore._target.tables import checked_table


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
            If it has no two dimensions, a value is infinite, or two names are equal.
        """
        if issparse(X):
            raise TypeError(
                f"X is a sparse matrix of shape {X.shape}; expected a dense table in "
                f"{caller}, which goes through the values of each column. Pass "
                "X[rows].toarray() of some rows, to a model of few columns."
            )
        # Of an estimator of its own, which remembers nothing.
        values = checked_table(BaseEstimator(), X, dtype=np.float64)
        names = getattr(X, "columns", None)
        model = None
        if hasattr(X, "iloc"):
            model = X.iloc[:0]
        elif names is not None:
            names, model = getattr(X, "column_names", names), X
        else:
            names = [f"x{number}" for number in range(values.shape[1])]
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
