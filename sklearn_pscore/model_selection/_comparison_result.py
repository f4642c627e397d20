"""The result of a comparison: its rows, tables and paired differences."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

RUN_COLUMNS = ("method", "seed", "fold", "fit_seconds")
"""Columns of the rows of a comparison beside those of the metrics."""

_RUN_KINDS = ("seed", "fold")


class PairedDifference(NamedTuple):
    """How much better one method is than another in the same runs.

    Parameters
    ----------
    mean : float
        Mean difference of the metric; positive if the first method is better.
    standard_error : float
        Standard deviation of the differences (ddof=1) over the root of their
        number; NaN for a single run.
    n_runs : int
        Number of differences, one per seed or fold.
    """

    mean: float
    standard_error: float
    n_runs: int


@dataclass(frozen=True, eq=False)
class RankerComparison:
    """Result of :func:`compare_rankers`.

    All parameters are stored as attributes.

    Parameters
    ----------
    rows : DataFrame
        One row per method, seed and fold, with the columns `method`, `seed`,
        `fold`, one per metric, and `fit_seconds`. `seed` is missing where a
        method takes none: it has one row per fold. A score that is NaN, as of a
        run that failed, makes every mean NaN that it would be part of.
    metrics : tuple of str
        Names of the metrics, in the order of `scoring`.
    truth : str or None
        Name of the method that is the reference preference itself.
    over : {"seed", "fold"}
        What the tables take the spread over unless told otherwise.
    """

    rows: pd.DataFrame = field(repr=False)
    metrics: tuple
    truth: str | None
    over: str

    @property
    def methods(self):
        """Names of the methods, the truth first."""
        return tuple(self.rows["method"].unique())

    def table(self, *, over=None):
        """Return mean and standard deviation of every metric per method.

        The value of a seed is the mean over its folds, the value of a fold the
        mean over its seeds. The standard deviation over these values divides by
        their number (ddof=0), as the paper's does, so a method with a single
        run has 0.

        Parameters
        ----------
        over : {"seed", "fold"} or None, default=None
            What to take the spread over; None is the `over` of the comparison.

        Returns
        -------
        table : DataFrame of shape (n_methods, 2 * n_metrics)
            Columns are pairs (metric, "mean" or "std").
        """
        by_method = self._runs(over).groupby(level="method", sort=False)
        return by_method.agg([("mean", _mean), ("std", _std)])

    def n_runs(self, *, over=None):
        """Return the number of runs that the spread of each method is taken over.

        Parameters
        ----------
        over : {"seed", "fold"} or None, default=None
            What a run is; None is the `over` of the comparison.

        Returns
        -------
        n_runs : Series of shape (n_methods,)
            1 for a method that takes no seed, over seeds.
        """
        return self._runs(over).groupby(level="method", sort=False).size()

    def __str__(self):
        return self.formatted().to_string()

    def formatted(self, *, over=None, decimals=3):
        """Return the table as strings, one ``mean ± std`` per method and metric.

        A method with a single run, such as one that takes no seed, has no spread
        to show: its mean stands alone. Where scores are NaN, their number and that
        of all rows of the method stand in its place: ``nan (1 of 5 missing)``.

        Parameters
        ----------
        over : {"seed", "fold"} or None, default=None
            What to take the spread over; None is the `over` of the comparison.
        decimals : int, default=3
            Digits after the point.

        Returns
        -------
        table : DataFrame of shape (n_methods, n_metrics)
            Methods in the order of the rows, the truth first.
        """
        table, n_runs = self.table(over=over), self.n_runs(over=over)
        scores = self.rows.groupby("method", sort=False)[list(self.metrics)]
        n_rows = scores.size()
        n_missing = n_rows.to_frame().to_numpy() - scores.count()
        cells = {
            metric: [
                _cell(
                    *table.loc[method, metric],
                    n_runs[method] > 1,
                    n_missing.loc[method, metric],
                    n_rows[method],
                    decimals,
                )
                for method in table.index
            ]
            for metric in self.metrics
        }
        return pd.DataFrame(cells, index=table.index)

    def to_markdown(self, *, over=None, decimals=3):
        """Return the formatted table as Markdown.

        Parameters
        ----------
        over : {"seed", "fold"} or None, default=None
            What to take the spread over; None is the `over` of the comparison.
        decimals : int, default=3
            Digits after the point.

        Returns
        -------
        text : str
            A header, a rule and one line per method, without a final newline.
        """
        cells = self.formatted(over=over, decimals=decimals)
        lines = [["method", *self.metrics], ["---", *["---:"] * len(self.metrics)]]
        lines += [[method, *row] for method, *row in cells.itertuples()]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def paired(self, method, other, metric, *, over=None):
        """Return the mean difference of two methods with its standard error.

        Runs of the same seed, or of the same fold, are compared with each
        other; a method without a seed is compared with every seed of the other.
        The error over seeds tells how much training varies on these test rows,
        nothing about other test rows. Folds share training rows, so the error
        over folds is too small [1]_.

        Parameters
        ----------
        method, other : str
            Names of the methods; the difference is the first minus the second.
        metric : str
            Name of the metric.
        over : {"seed", "fold"} or None, default=None
            What a run is; None is the `over` of the comparison.

        Returns
        -------
        difference : PairedDifference
            Named tuple of `mean`, `standard_error` and `n_runs`; NaN if a score
            of either method is.

        Raises
        ------
        ValueError
            If a name is not in the comparison.

        References
        ----------
        .. [1] Nadeau, Bengio, "Inference for the Generalization Error",
           Machine Learning 52, 2003.
        """
        _check_choice("metric", metric, self.metrics)
        _check_choice("method", method, self.methods)
        _check_choice("other", other, self.methods)
        runs = self._runs(over)[metric]
        difference = runs.loc[method].to_numpy() - runs.loc[other].to_numpy()
        n_runs = len(difference)
        error = np.std(difference, ddof=1) / np.sqrt(n_runs) if n_runs > 1 else np.nan
        return PairedDifference(float(np.mean(difference)), float(error), n_runs)

    def _runs(self, over):
        """Return one value per method, seed or fold, and metric."""
        over = self.over if over is None else over
        _check_choice("over", over, _RUN_KINDS)
        runs = self.rows.groupby(["method", over], sort=False, dropna=False)
        return runs[list(self.metrics)].agg(_mean)


def _cell(mean, std, has_spread, n_missing, n_rows, decimals):
    """Return the text of one method and metric."""
    if n_missing:
        return f"nan ({n_missing} of {n_rows} missing)"
    return f"{mean:.{decimals}f}" + (f" ± {std:.{decimals}f}" if has_spread else "")


def _mean(values):
    # Of the array: the mean of a Series would skip a missing score.
    return np.mean(values.to_numpy())


def _std(values):
    return np.std(values.to_numpy())


def _check_choice(name, value, choices):
    if value not in choices:
        raise ValueError(
            f"{name} is {value!r}; expected one of {list(choices)}. Choose one of these."
        )
