"""The result of a comparison: its rows, tables and paired differences."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sklearn_pscore._html import html_table
from sklearn_pscore.metrics._checks import check_level
from sklearn_pscore.model_selection._comparison_bounds import CEILING, CHANCE
from sklearn_pscore.model_selection._paired import (
    OF_FOLDS,
    OF_SEEDS,
    PairedDifference,
    paired_difference,
)

RUN_COLUMNS = ("method", "seed", "fold", "fit_seconds")
"""Columns of the rows of a comparison beside those of the metrics."""

_RUN_KINDS = ("seed", "fold")


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
    sizes : DataFrame or None, default=None
        Rows of each fold that count, with the columns `fold`, `n_train` and `n_test`:
        those to fit on, and those to judge on that were not; and `left_out`, the
        label of what ``leave_out`` left out. None is as in k folds, which train on
        k - 1 times the rows that they hold out.
    chance : dict of str to (float or None), or None, default=None
        What a score that knows nothing gets in expectation, by the name of the metric.
        None where that is not known, as of metrics that are not of this package. The
        attribute has all metrics.
    ceiling : dict of str to (float or None), or None, default=None
        What a perfect score could reach, for the preferences are themselves measured
        by a few people. None where the target does not say how many people judged.
    """

    rows: pd.DataFrame = field(repr=False)
    metrics: tuple
    truth: str | None
    over: str
    sizes: pd.DataFrame | None = field(default=None, repr=False)
    chance: dict | None = field(default=None, repr=False)
    ceiling: dict | None = field(default=None, repr=False)

    def __post_init__(self):
        # The class is frozen, so all metrics are put in past its own __setattr__.
        for name in ("chance", "ceiling"):
            given = getattr(self, name) or {}
            values = {metric: given.get(metric) for metric in self.metrics}
            object.__setattr__(self, name, values)

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

    def _repr_html_(self):
        """Return the table for a notebook; names are escaped."""
        n_runs = self.n_runs().max()
        spread = f"; mean ± standard deviation over {n_runs} {self.over}s"
        captions = (
            f"Comparison of {len(self.methods)} methods on the rows held out"
            f"{spread if n_runs > 1 else ''}",
            "Larger is better. A method of a single run has a mean only.",
        )
        return html_table(captions, self.formatted().reset_index(names="method"))

    def formatted(self, *, over=None, decimals=3, bounds=True):
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
        bounds : bool, default=True
            Whether to add the rows "noise ceiling" and "chance", those that have a
            value at all.

        Returns
        -------
        table : DataFrame of shape (n_rows, n_metrics)
            Methods in the order of the rows, the truth first; then the noise ceiling
            and chance.
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
        cells = pd.DataFrame(cells, index=table.index)
        for name, values in self._bounds() if bounds else ():
            cells.loc[name] = [
                "" if values[metric] is None else f"{values[metric]:.{decimals}f}"
                for metric in self.metrics
            ]
        return cells

    def to_markdown(self, *, over=None, decimals=3, bounds=True):
        """Return the formatted table as Markdown.

        Parameters
        ----------
        over : {"seed", "fold"} or None, default=None
            What to take the spread over; None is the `over` of the comparison.
        decimals : int, default=3
            Digits after the point.
        bounds : bool, default=True
            Whether to add the rows "noise ceiling" and "chance".

        Returns
        -------
        text : str
            A header, a rule and one line per method, without a final newline.
        """
        cells = self.formatted(over=over, decimals=decimals, bounds=bounds)
        lines = [["method", *self.metrics], ["---", *["---:"] * len(self.metrics)]]
        lines += [[method, *row] for method, *row in cells.itertuples()]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def paired(self, method, other, metric, *, over=None, level=0.95):
        """Return the mean difference of two methods with its interval.

        Runs of the same fold, or of the same seed, are compared with each other. Over
        folds, the value of a fold is the mean over its seeds, and the interval is
        honest about folds that share training rows [1]_, by the formula of
        :class:`PairedDifference`. Over seeds, a method without a seed is compared with
        every seed of the other, and the interval tells how much training varies on
        these very rows to judge on, nothing about other rows. So it is with `test`.

        Parameters
        ----------
        method, other : str
            Names of the methods; the difference is the first minus the second.
        metric : str
            Name of the metric.
        over : {"seed", "fold"} or None, default=None
            What a run is; None is the `over` of the comparison.
        level : float, default=0.95
            Probability that the interval is to hold the difference with.

        Returns
        -------
        difference : PairedDifference
            Named tuple of `mean`, `standard_error`, `n_runs`, `low`, `high`, `p_value`
            and `interval_of`; NaN if a score of either method is. A single run has a
            mean only.

        Raises
        ------
        ValueError
            If a name is not in the comparison, or the level is not between 0 and 1.

        See Also
        --------
        differences : The same for all other methods.

        References
        ----------
        .. [1] Nadeau, Bengio, "Inference for the Generalization Error",
           Machine Learning 52, 2003.
        """
        _check_choice("metric", metric, self.metrics)
        _check_choice("method", method, self.methods)
        _check_choice("other", other, self.methods)
        check_level(level, "RankerComparison.paired")
        over = self.over if over is None else over
        runs = self._runs(over)[metric]
        difference = runs.loc[method].to_numpy() - runs.loc[other].to_numpy()
        if over == "seed":
            return paired_difference(difference, 0.0, level, OF_SEEDS)
        shared = self._test_per_train(len(difference))
        return paired_difference(difference, shared, level, OF_FOLDS)

    def intervals(self, metric, *, over=None, level=0.95):
        """Return the mean of each method with its interval.

        As of differences, see :meth:`paired`. Methods are judged on the same rows, and
        what makes a fold easy makes it easy for all: two methods may differ although
        their intervals overlap.

        Parameters
        ----------
        metric : str
            Name of the metric.
        over : {"seed", "fold"} or None, default=None
            What a run is; None is the `over` of the comparison.
        level : float, default=0.95
            Level of each interval by itself.

        Returns
        -------
        table : DataFrame of shape (n_methods, 5)
            `mean`, `std_error`, `low`, `high` and `n_runs` of the method of the index,
            the truth first. A single run has a mean only.

        Raises
        ------
        ValueError
            If the metric is not in the comparison, or the level is not between 0 and 1.
        """
        _check_choice("metric", metric, self.metrics)
        check_level(level, "RankerComparison.intervals")
        over = self.over if over is None else over
        by_method = self._runs(over)[metric].groupby(level="method", sort=False)
        found = [
            paired_difference(
                runs.to_numpy(),
                0.0 if over == "seed" else self._test_per_train(len(runs)),
                level,
                OF_SEEDS if over == "seed" else OF_FOLDS,
            )
            for _, runs in by_method
        ]
        table = pd.DataFrame(found, columns=PairedDifference._fields)
        table.index = pd.Index(self.methods, name="method")
        columns = ["mean", "standard_error", "low", "high", "n_runs"]
        return table[columns].rename(columns={"standard_error": "std_error"})

    def differences(self, method, metric, *, over=None, level=0.95):
        """Return the paired differences of a method to all others.

        Parameters
        ----------
        method : str
            Name of the method.
        metric : str
            Name of the metric.
        over : {"seed", "fold"} or None, default=None
            What a run is; None is the `over` of the comparison.
        level : float, default=0.95
            Level of each interval by itself.

        Returns
        -------
        table : DataFrame of shape (n_methods - 1, 6)
            `difference` of `method` minus the method of the index, `std_error`, `low`,
            `high`, `p_value` and `n_runs`, see :meth:`paired`. The truth is left out.
            The p-values are of one test each: they are not adjusted for the number of
            methods.

        Raises
        ------
        ValueError
            If a name is not in the comparison, or the level is not between 0 and 1.
        """
        others = [m for m in self.methods if m not in (method, self.truth)]
        pairs = [self.paired(method, m, metric, over=over, level=level) for m in others]
        if not pairs:
            _check_choice("method", method, self.methods)
        names = {"mean": "difference", "standard_error": "std_error"}
        columns = ["mean", "standard_error", "low", "high", "p_value", "n_runs"]
        table = pd.DataFrame(pairs, columns=PairedDifference._fields)
        table.index = pd.Index(others, name="method")
        return table[columns].rename(columns=names)

    def _test_per_train(self, n_folds):
        """Return how many rows are held out for one that is trained on."""
        if self.sizes is None:
            return 1 / (n_folds - 1) if n_folds > 1 else np.nan
        total = self.sizes[["n_train", "n_test"]].sum()
        return total["n_test"] / total["n_train"]

    def _bounds(self):
        """Return the name and values of the bounds that are known for a metric."""
        bounds = ((CEILING, self.ceiling), (CHANCE, self.chance))
        return [
            (name, values)
            for name, values in bounds
            if any(value is not None for value in values.values())
        ]

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
