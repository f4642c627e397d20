"""Picture of the values of methods, the best on top."""

import numpy as np

from sklearn_pscore.plotting._axes import (
    ERROR_STYLE,
    SOFT,
    format_number,
    label_rows,
    make_axes,
    text_color,
)
from sklearn_pscore.plotting._colors import BLUE


class LeaderboardDisplay:
    """Leaderboard of methods: one point with an error bar each, best on top.

    Build it with :meth:`from_comparison`, or from numbers of your own. All
    parameters are stored as attributes.

    Parameters
    ----------
    names : array-like of shape (n_methods,), str
        Names of the methods.

    means : array-like of shape (n_methods,)
        Value of each method; larger is better. NaN has no point, and is written
        beside the axes at the bottom.

    stds : array-like of shape (n_methods,) or None, default=None
        Half the length of each error bar; None draws none.

    metric : str, default="DCG"
        Name of the metric, for the axis.

    over : str or None, default=None
        What the spread is taken over, such as ``"5 seeds"``, for the axis.

    truth : float or None, default=None
        Best possible value, drawn as a dashed line.

    truth_name : str, default="GT"
        Label of that line.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the leaderboard.
    figure_ : matplotlib Figure
        Figure of these axes.
    errorbar_ : matplotlib ErrorbarContainer
        Points and error bars, from the last place (y = 0) to the first.
    truth_line_ : matplotlib Line2D or None
        Line at the best possible value.
    value_texts_ : list of matplotlib Text
        The numbers beside the axes, in the order of the points; without
        `show_values` those that are NaN.

    Raises
    ------
    ValueError
        If lengths differ or there is no method.

    See Also
    --------
    ImportanceDisplay : Draws which features matter.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn_pscore.plotting import LeaderboardDisplay
    >>> display = LeaderboardDisplay(
    ...     names=["CB", "PS"], means=[9.925, 10.075], stds=[0.223, 0.151], truth=10.27
    ... ).plot()
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['CB', 'PS']
    """

    def __init__(
        self,
        *,
        names,
        means,
        stds=None,
        metric="DCG",
        over=None,
        truth=None,
        truth_name="GT",
    ):
        self.names = names
        self.means = means
        self.stds = stds
        self.metric = metric
        self.over = over
        self.truth = truth
        self.truth_name = truth_name

    @classmethod
    def from_comparison(
        cls, comparison, *, metric="DCG", over=None, ax=None, show_values=True, **kwargs
    ):
        """Draw one metric of a comparison.

        Parameters
        ----------
        comparison : RankerComparison
            Result of :func:`~sklearn_pscore.model_selection.compare_rankers`.
        metric : str, default="DCG"
            Metric to draw.
        over : {"seed", "fold"} or None, default=None
            What the error bars are taken over; None is as in
            ``comparison.table()``.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        show_values : bool, default=True
            Whether to write the numbers beside the axes; NaN is written anyway.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        display : LeaderboardDisplay
            Drawn, with its artists.

        Raises
        ------
        ValueError
            If the comparison has no such metric.
        """
        if metric not in comparison.metrics:
            raise ValueError(
                f"metric is {metric!r}; expected one of {list(comparison.metrics)}. "
                "Choose one of these, or score it with scoring= in compare_rankers."
            )
        over = comparison.over if over is None else over
        table = comparison.table(over=over)[metric]
        n_runs = comparison.n_runs(over=over)
        # Draw no error bar for a single run: its std of 0 is not a spread.
        table["std"] = table["std"].where(n_runs > 1)
        truth = None
        if comparison.truth is not None:
            truth = float(table.loc[comparison.truth, "mean"])
            table = table.drop(index=comparison.truth)
        display = cls(
            names=table.index.to_numpy(),
            means=table["mean"].to_numpy(),
            stds=table["std"].to_numpy(),
            metric=metric,
            over=f"{n_runs.max()} {over}s" if n_runs.max() > 1 else None,
            truth=truth,
            truth_name=comparison.truth,
        )
        return display.plot(ax, show_values=show_values, **kwargs)

    def plot(self, ax=None, *, show_values=True, **kwargs):
        """Draw the leaderboard.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure of fitting height. A figure
            of your own needs ``layout="constrained"`` to make room for names
            and numbers.
        show_values : bool, default=True
            Whether to write the numbers beside the axes; NaN is written anyway.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        self : LeaderboardDisplay
            The same object, with its artists.
        """
        names, means, stds = self._checked()
        # From the bottom up: NaN, then ascending; equal methods from last to first.
        order = np.lexsort((-np.arange(len(means)), means, ~np.isnan(means)))
        rows = np.arange(len(means))
        self.ax_ = make_axes(ax, names[order], f"{type(self).__name__}.plot")
        self.figure_ = self.ax_.figure
        style = {"fmt": "o", "color": BLUE, "markersize": 6, **ERROR_STYLE, **kwargs}
        self.errorbar_ = self.ax_.errorbar(
            means[order], rows, xerr=None if stds is None else stds[order], **style
        )
        self.truth_line_ = self._draw_truth()
        self.ax_.margins(x=0.08)
        self.ax_.set_ylim(-0.6, len(means) - (0.4 if self.truth is None else 0.0))
        label_rows(self.ax_, names[order])
        spread = "" if stds is None or self.over is None else " ± std"
        over = "" if self.over is None else f", {self.over}"
        self.ax_.set_xlabel(f"{self.metric} (mean{spread}{over}; larger is better)")
        # A method without a value is never left out without a word.
        self.value_texts_ = [
            self._write_value(row, means[i], None if stds is None else stds[i])
            for row, i in zip(rows, order, strict=True)
            if show_values or np.isnan(means[i])
        ]
        return self

    def _checked(self):
        """Return names, means and standard deviations as arrays of one length."""
        names = np.asarray(self.names, dtype=str)
        means = np.asarray(self.means, dtype=float)
        stds = None if self.stds is None else np.asarray(self.stds, dtype=float)
        if names.ndim != 1 or not len(names):
            raise ValueError(
                f"names has shape {names.shape}; expected one name per method, at least "
                "one. Pass names=[...]."
            )
        for label, values in (("means", means), ("stds", stds)):
            if values is not None and values.shape != names.shape:
                raise ValueError(
                    f"{label} has shape {values.shape} but there are {len(names)} names; "
                    f"expected one value per method. Pass {label} in the order of names."
                )
        return names, means, stds

    def _draw_truth(self):
        if self.truth is None:
            return None
        line = self.ax_.axvline(
            self.truth,
            color=text_color(),
            alpha=SOFT,
            linestyle="--",
            linewidth=1.0,
            zorder=1,
        )
        # Inside the axes, above the best method, where no title overlaps it.
        self.ax_.annotate(
            f"{self.truth_name} {format_number(self.truth)}",
            (self.truth, 1.0),
            xytext=(-4, -1),
            xycoords=self.ax_.get_xaxis_transform(),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize="small",
            color=text_color(),
            alpha=SOFT,
        )
        return line

    def _write_value(self, row, mean, std):
        text = (
            format_number(mean)
            if std is None or np.isnan(std)
            else f"{format_number(mean)} ± {format_number(std)}"
        )
        return self.ax_.annotate(
            text,
            (1.0, row),
            xytext=(8, 0),
            xycoords=self.ax_.get_yaxis_transform(),
            textcoords="offset points",
            va="center",
            fontsize="small",
            color=text_color(),
            alpha=SOFT,
        )
