"""Picture of the values of methods or systems, the best on top."""

import numpy as np

from sklearn_pscore.plotting._axes import (
    FEW_ROWS,
    SOFT,
    format_number,
    label_below,
    label_rows,
    make_axes,
    mark_values,
    name_of_score,
    row_height,
    set_plain,
    shade_rows,
    text_color,
)
from sklearn_pscore.plotting._boards import BoardDisplay, check_board
from sklearn_pscore.plotting._leaderboard_values import (
    highlighted,
    leaderboard_values,
)
from sklearn_pscore.plotting._points import draw_points, method_styles, system_styles

# Inches from the name of a marked value to the next.
_MARK = 0.26


class LeaderboardDisplay(BoardDisplay):
    """Leaderboard of methods or systems: a point with its interval each, best on top.

    Build it with :meth:`from_comparison`, :meth:`from_leaderboard`,
    :meth:`from_estimator` or :meth:`from_predictions`, or from numbers of your own. All
    parameters are stored as attributes.

    Parameters
    ----------
    names : array-like of shape (n_methods,), str
        Names of the methods. Long ones are broken or shortened in the picture.

    means : array-like of shape (n_methods,)
        Value of each method; larger is better. NaN has no point, and is written
        beside the axes at the bottom.

    stds : array-like of shape (n_methods,) or None, default=None
        Half the length of each error bar; None draws none.

    lows, highs : array-like of shape (n_methods,) or None, default=None
        Ends of the interval of each method, instead of `stds`. An end that is not
        finite has no error bar.

    metric : str, default="DCG"
        Name of the metric, for the axis.

    over : str or None, default=None
        What the spread is taken over, such as ``"5 folds"``, for the axis.

    level : float or None, default=None
        Level of the intervals, for the axis; None says that bars are standard
        deviations.

    truth, chance, ceiling : float or None, default=None
        Values drawn as named lines: that of the order of people themselves, that of a
        score which knows nothing, and the best possible one where people differ.

    truth_name : str, default="GT"
        Short name of the order of people, as tables have it.

    ranks : array-like of shape (n_methods, 2) or None, default=None
        First and last rank that each may have, written beside the values.

    classes : array-like of shape (n_methods,) or None, default=None
        Number of the class of each; neighbouring classes are shaded in turn.

    highlight : sequence of str or None, default=None
        Names that are set off in bold and by their size. None takes those of the
        Preference Score: "PS", and names that begin so.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the leaderboard.
    figure_ : matplotlib Figure
        Figure of these axes.
    errorbar_ : matplotlib ErrorbarContainer
        Error bars, from the last place (y = 0) to the first, and a line that holds
        the points.
    points_ : list of matplotlib Line2D
        A point per method in its colour and marker, in the same order; empty if
        options for ``errorbar`` say how points look. With more than 12 methods, those
        that are not known to the package by name are grey.
    truth_line_, chance_line_, ceiling_line_ : matplotlib Line2D or None
        Lines at the values of these names.
    mark_texts_ : list of matplotlib Text
        Names of these lines.
    value_texts_ : list of matplotlib Text
        The numbers beside the axes, in the order of the points; without
        `show_values` those that are NaN.
    class_bands_ : list of matplotlib Polygon or Rectangle
        Shades of every second class.

    Raises
    ------
    ValueError
        If lengths differ, there is no method, or no method of a name to highlight.

    See Also
    --------
    WinProbabilityDisplay : Draws how sure each is above each other.
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
        lows=None,
        highs=None,
        metric="DCG",
        over=None,
        level=None,
        truth=None,
        chance=None,
        ceiling=None,
        truth_name="GT",
        ranks=None,
        classes=None,
        highlight=None,
    ):
        self.names = names
        self.means = means
        self.stds = stds
        self.lows = lows
        self.highs = highs
        self.metric = metric
        self.over = over
        self.level = level
        self.truth = truth
        self.chance = chance
        self.ceiling = ceiling
        self.truth_name = truth_name
        self.ranks = ranks
        self.classes = classes
        self.highlight = highlight

    @classmethod
    def from_comparison(
        cls,
        comparison,
        *,
        metric=None,
        over=None,
        level=0.95,
        highlight=None,
        ax=None,
        show_values=True,
        **kwargs,
    ):
        """Draw one metric of a comparison, with what other rows may change of it.

        Over folds, error bars are the intervals of ``comparison.intervals``, wide enough
        for folds that share training rows. Methods are judged on the same folds, so
        the interval of a difference, as ``comparison.paired`` has it, is mostly narrower.

        Parameters
        ----------
        comparison : RankerComparison
            Result of :func:`~sklearn_pscore.model_selection.compare_rankers`.
        metric : str or None, default=None
            Metric to draw; None takes "DCG", or else the first.
        over : {"seed", "fold"} or None, default=None
            What the error bars are taken over; None takes folds if there are several.
            Over seeds they are standard deviations (ddof=0): they show how much
            training varies on the same rows, nothing about others.
        level : float, default=0.95
            Level of the intervals over folds.
        highlight : sequence of str or None, default=None
            Methods to set off; None takes those of the Preference Score.
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
        if metric is None:
            metric = "DCG" if "DCG" in comparison.metrics else comparison.metrics[0]
        if metric not in comparison.metrics:
            raise ValueError(
                f"metric is {metric!r}; expected one of {list(comparison.metrics)}. "
                "Choose one of these, or score it with scoring= in compare_rankers."
            )
        if over is None:
            over = "fold" if comparison.rows["fold"].nunique() > 1 else "seed"
        if over == "fold":
            table = comparison.intervals(metric, over=over, level=level)
            half = (table["high"] - table["low"]) / 2
        else:
            table = comparison.table(over=over)[metric]
            # A single run has a std of 0, which is no spread.
            half = table["std"].where(comparison.n_runs(over=over) > 1)
        table = table.assign(half=half)
        n_runs = int(comparison.n_runs(over=over).max())
        truth = None
        if comparison.truth is not None:
            truth = float(table.loc[comparison.truth, "mean"])
            table = table.drop(index=comparison.truth)
        over_text = None
        if n_runs > 1:
            over_text = f"{n_runs} folds" if over == "fold" else f"{n_runs} seeds alone"
        display = cls(
            names=table.index.to_numpy(),
            means=table["mean"].to_numpy(),
            stds=table["half"].to_numpy(),
            metric=metric,
            over=over_text,
            level=level if over == "fold" else None,
            truth=truth,
            truth_name=comparison.truth,
            chance=getattr(comparison, "chance", {}).get(metric),
            ceiling=getattr(comparison, "ceiling", {}).get(metric),
            highlight=highlight,
        )
        return display.plot(ax, show_values=show_values, **kwargs)

    @classmethod
    def from_leaderboard(
        cls, board, *, highlight=(), ax=None, show_values=True, **kwargs
    ):
        """Draw a leaderboard of systems: intervals, sets of ranks, classes.

        Parameters
        ----------
        board : Leaderboard
            Result of :func:`~sklearn_pscore.inspection.bootstrap_leaderboard`.
        highlight : sequence of str, default=()
            Systems to set off.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        show_values : bool, default=True
            Whether to write means, intervals and ranks beside the axes.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        display : LeaderboardDisplay
            Drawn, with its artists.
        """
        check_board(board, f"{cls.__name__}.from_leaderboard")
        systems = board.systems
        display = cls(
            names=systems["item"].astype(str).to_numpy(),
            means=systems["mean"].to_numpy(),
            # Rounding, or very few draws, may put an end beyond the mean.
            lows=systems[["low", "mean"]].min(axis=1).to_numpy(),
            highs=systems[["high", "mean"]].max(axis=1).to_numpy(),
            metric=board.of,
            over=board._over,
            level=board.level,
            ranks=systems[["rank_low", "rank_high"]].to_numpy(),
            classes=systems["class"].to_numpy(),
            highlight=highlight,
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
            Passed to :meth:`matplotlib.axes.Axes.errorbar`. Options of points draw
            all of them alike.

        Returns
        -------
        self : LeaderboardDisplay
            The same object, with its artists.
        """
        names, means, lows, highs = leaderboard_values(self)
        # From the bottom up: NaN, then ascending; equal methods from last to first.
        order = np.lexsort((-np.arange(len(means)), means, ~np.isnan(means)))
        names, means, lows, highs = (v[order] for v in (names, means, lows, highs))
        ours, marks = highlighted(names, self.highlight), self._marks()
        step = _MARK / row_height(names)
        self.ax_ = make_axes(
            ax, names, f"{type(self).__name__}.plot", n_more=step * len(marks)
        )
        self.figure_ = self.ax_.figure
        are_systems = self.ranks is not None or self.classes is not None
        styles = system_styles(ours) if are_systems else method_styles(names)
        self.errorbar_, self.points_ = draw_points(
            self.ax_, means, (lows, highs), styles, ours, kwargs
        )
        label_rows(self.ax_, names, bold=ours)
        self.class_bands_ = self._shade(order)
        self._set_limits([means, lows, highs, [mark[0] for mark in marks.values()]])
        lines, self.mark_texts_ = mark_values(
            self.ax_, list(marks.values()), len(names) - 0.15, step
        )
        drawn = dict(zip(marks, lines, strict=True))
        self.truth_line_, self.chance_line_, self.ceiling_line_ = map(
            drawn.get, ("truth", "chance", "ceiling")
        )
        # A method without a value is never left out without a word.
        self.value_texts_ = [
            self._write_value(row, means[row], lows[row], highs[row], number)
            for row, number in enumerate(order)
            if show_values or np.isnan(means[row])
        ]
        label = self._label(np.isfinite(lows).any())
        label_below(self.ax_, label, self.value_texts_)
        return self

    def _marks(self):
        """Return value, text and line of what is marked, by its parameter."""
        named = {
            "chance": ("chance (random order)", ":"),
            "ceiling": ("ceiling (raters differ)", "-."),
            "truth": (f"order of people ({self.truth_name})", "--"),
        }
        values = {label: getattr(self, label) for label in named}
        return {
            label: (value, f"{named[label][0]} {format_number(value)}", named[label][1])
            for label, value in values.items()
            if value is not None and np.isfinite(value)
        }

    def _shade(self, order):
        """Shade every second class of neighbours."""
        if self.classes is None:
            return []
        return shade_rows(self.ax_, np.asarray(self.classes)[order])

    def _set_limits(self, values):
        values = np.concatenate(values)
        values = values[np.isfinite(values)]
        if len(values):
            low, high = values.min(), values.max()
            margin = 0.08 * (high - low) or 0.05 * abs(high) or 0.5
            self.ax_.set_xlim(low - margin, high + margin)
        self.ax_.set_ylim(-0.6, len(self.means) - 0.4)

    def _write_value(self, row, mean, low, high, number):
        text = format_number(mean)
        if self.lows is not None and np.isfinite(low):
            text += f" [{format_number(low)}, {format_number(high)}]"
        elif np.isfinite(low):
            text += f" ± {format_number((high - low) / 2)}"
        if self.ranks is not None:
            first, last = self.ranks[number]
            text += f"  rank {first}" + (f"–{last}" if last != first else "")
        written = self.ax_.annotate(
            text,
            (1.0, row),
            xytext=(8, 0),
            xycoords=self.ax_.get_yaxis_transform(),
            textcoords="offset points",
            va="center",
            fontsize="small" if len(self.means) <= 2 * FEW_ROWS else "x-small",
            color=text_color(),
            alpha=SOFT,
        )
        return set_plain(written)

    def _label(self, has_bars):
        """Return what the axis, bars, ranks and shades say."""
        parts = ["log odds" if self.metric == "strength" else "mean"]
        if has_bars and self.level is not None:
            parts.append(f", {100 * self.level:g} % interval")
        elif has_bars:
            parts.append(" ± std")
        if self.over is not None:
            parts.append(f" over {self.over}")
        text = f"{name_of_score(self.metric)} ({''.join(parts)}; larger is better)"
        notes = []
        if self.ranks is not None:
            notes.append("rank: set that holds the true one")
        if self.classes is not None:
            notes.append("shades: systems that are not told apart")
        return "\n".join([text, "; ".join(notes)]) if notes else text
