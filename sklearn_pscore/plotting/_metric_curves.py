"""Picture of what each metric is worth in a score: a small panel for each."""

import textwrap

import numpy as np

from sklearn_pscore._target.columns import kind_of
from sklearn_pscore.inspection import metric_curves
from sklearn_pscore.inspection._metric_table import MetricTable
from sklearn_pscore.plotting._axes import SOFT, fit_names, set_plain, text_color
from sklearn_pscore.plotting._colors import BLUE
from sklearn_pscore.plotting._panels import make_panels

_NAME_LENGTH = 28  # letters of a name that stand in one line of a title


class MetricCurvesDisplay:
    """Worth of the values of each metric, in small panels of one vertical scale.

    Build it with :meth:`from_estimator` or :meth:`from_curves`. All parameters are
    stored as attributes.

    Parameters
    ----------
    curves : MetricCurves
        Result of :func:`~sklearn_pscore.inspection.metric_curves`.

    deciles : dict of str to array-like, or None, default=None
        Values of each metric below which a tenth, two tenths, ... of the rows lie,
        drawn as ticks at the bottom: a curve says little where there are none.

    max_metrics : int or None, default=12
        Number of metrics to draw, those with the largest share. None draws all.

    Attributes
    ----------
    axes_ : ndarray of shape (n_metrics,) of matplotlib Axes
        A panel for each metric, the largest share first.
    figure_ : matplotlib Figure
        Figure of these axes.
    lines_ : list of matplotlib Line2D
        Worth of the values, of each panel.
    bands_ : list of matplotlib PolyCollection or None
        The worth by one standard error up and down; None where there is none.
    best_points_ : list of matplotlib Line2D or None
        The best value, or the worst, where there is one between the ends.
    deciles_ : list of matplotlib LineCollection or None
        Ticks at the deciles of the data.

    Raises
    ------
    ValueError
        If `max_metrics` is less than 1, or `ax` does not fit.

    See Also
    --------
    ImportanceDisplay : How much a score loses without a metric.
    sklearn_pscore.inspection.metric_curves : The numbers.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> from sklearn_pscore import Groups, PairwisePreferenceRanker
    >>> from sklearn_pscore.plotting import MetricCurvesDisplay
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> groups = Groups.from_arrays(group=np.arange(100) // 5, preference=X[:, 1])
    >>> ranker = PairwisePreferenceRanker(random_state=0).fit(X, groups)
    >>> display = MetricCurvesDisplay.from_estimator(ranker, X, groups)
    >>> display.axes_[0].get_title().splitlines()[0]
    'x1'
    """

    def __init__(self, *, curves, deciles=None, max_metrics=12):
        self.curves = curves
        self.deciles = deciles
        self.max_metrics = max_metrics

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        groups,
        *,
        max_metrics=12,
        random_state=None,
        ax=None,
        **kwargs,
    ):
        """Compute the curves of a fitted estimator and draw them.

        Parameters
        ----------
        estimator : object
            A fitted ranker, or a pipeline or search of one.
        X : array-like of shape (n_samples, n_features)
            Metrics, as the estimator takes them.
        groups : structured ndarray of shape (n_samples,)
            Target of the rows of `X`.
        max_metrics : int or None, default=12
            Number of metrics to draw, those with the largest share. None draws all.
        random_state : int, RandomState instance or None, default=None
            Passed to :func:`~sklearn_pscore.inspection.metric_curves`.
        ax : matplotlib Axes, array-like of Axes or None, default=None
            One is divided into panels, or one for each metric; None makes a figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : MetricCurvesDisplay
            Drawn, with its artists.
        """
        curves = metric_curves(estimator, X, groups, random_state=random_state)
        return cls.from_curves(curves, X, max_metrics=max_metrics, ax=ax, **kwargs)

    @classmethod
    def from_curves(cls, curves, X=None, *, max_metrics=12, ax=None, **kwargs):
        """Draw curves.

        Parameters
        ----------
        curves : MetricCurves
            Result of :func:`~sklearn_pscore.inspection.metric_curves`.
        X : array-like of shape (n_samples, n_features) or None, default=None
            Rows whose deciles to draw at the bottom. None draws none.
        max_metrics : int or None, default=12
            Number of metrics to draw, those with the largest share. None draws all.
        ax : matplotlib Axes, array-like of Axes or None, default=None
            One is divided into panels, or one for each metric; None makes a figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : MetricCurvesDisplay
            Drawn, with its artists.
        """
        if not hasattr(curves, "curves"):
            raise TypeError(
                f"curves is {kind_of(curves)}; expected the result of metric_curves. Pass "
                "metric_curves(estimator, X, groups), or call from_estimator."
            )
        caller = "MetricCurvesDisplay.from_curves"
        deciles = None if X is None else _deciles(X, caller)
        display = cls(curves=curves, deciles=deciles, max_metrics=max_metrics)
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, array-like of Axes or None, default=None
            One is divided into panels, or one for each metric; None makes a figure,
            with a line below that says what the bands are and what is left out.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        self : MetricCurvesDisplay
            The same object, with its artists.
        """
        if self.max_metrics is not None and self.max_metrics < 1:
            raise ValueError(
                f"max_metrics is {self.max_metrics}; expected at least 1, or None for all "
                "metrics. Pass for example max_metrics=12."
            )
        table = self.curves.table.iloc[: self.max_metrics]
        names = fit_names(table["metric"], n_lines=2, length=_NAME_LENGTH)
        n_lines = 2 + max(name.count("\n") for name in names)
        caller = f"{type(self).__name__}.plot"
        self.axes_ = make_panels(ax, len(table), caller, n_lines)
        self.figure_ = self.axes_[0].figure
        self.lines_, self.bands_, self.deciles_ = [], [], []
        self.best_points_ = []
        rows = table.itertuples()
        for panel, row, name in zip(self.axes_, rows, names, strict=True):
            self._draw(panel, row, name, kwargs)
        limits = [panel.get_ylim() for panel in self.axes_]
        for panel in self.axes_:
            panel.set_ylim(
                min(low for low, _ in limits), max(high for _, high in limits)
            )
        if ax is None:
            self._write_note(len(table))
        else:
            self.axes_[0].set_ylabel("Worth in the score", fontsize="small")
        return self

    def _draw(self, panel, row, name, kwargs):
        """Draw the curve of one metric."""
        curve = self.curves.curves[row.metric]
        value, worth, std = (
            curve[name].to_numpy() for name in ("value", "worth", "std")
        )
        style = {"color": BLUE, "linewidth": 1.6, **kwargs}
        panel.axhline(0.0, color=text_color(), alpha=SOFT, linewidth=0.8)
        (line,) = panel.plot(value, worth, **style)
        if len(value) < 3:
            line.set_marker("o")
        band = None
        if np.isfinite(std).any():
            band = panel.fill_between(
                value,
                worth - std,
                worth + std,
                color=line.get_color(),
                alpha=0.25,
                lw=0,
            )
        self.best_points_.append(_draw_extreme(panel, row.direction, line))
        deciles = None
        if self.deciles is not None:
            # A metric that is missing in all rows has none.
            deciles = panel.vlines(
                self.deciles.get(row.metric, []),
                0,
                0.05,
                transform=panel.get_xaxis_transform(),
                color=text_color(),
                linewidth=0.8,
            )
        share = "" if np.isnan(row.share) else f", {100 * row.share:.0f} %"
        title = f"{name}\n{row.direction}{share}"
        set_plain(panel.set_title(title, fontsize="small"))
        panel.tick_params(labelsize="small")
        panel.locator_params(axis="x", nbins=4)
        self.lines_.append(line)
        self.bands_.append(band)
        self.deciles_.append(deciles)

    def _write_note(self, n_drawn):
        """Write what the panels show beside and below them."""
        self.figure_.supylabel("Worth in the score", fontsize="medium")
        n_all = len(self.curves.table)
        parts = ["%: share of score differences inside groups"]
        if self.curves.interaction_share > 0.0005:
            share = f"{100 * self.curves.interaction_share:.1f} %"
            parts.append(f"{share} are no sum of these curves")
        if any(band is not None for band in self.bands_):
            parts.append(f"band: ± standard error over {self.curves.spread_of}")
        if n_drawn < n_all:
            parts.append(f"{n_drawn} of {n_all} metrics, the largest")
        width = max(40, int(13 * self.figure_.get_figwidth()))
        text = textwrap.fill("; ".join(parts), width)
        self.figure_.supxlabel(text, fontsize="small", color=text_color(), alpha=SOFT)


def _draw_extreme(panel, direction, line):
    """Mark the best or the worst value, where there is one between the ends."""
    if direction not in ("there is a best value", "there is a worst value"):
        return None
    value, worth = line.get_data()
    at = np.argmax(worth) if "best" in direction else np.argmin(worth)
    marker = "^" if "best" in direction else "v"
    style = {"color": line.get_color(), "marker": marker, "markersize": 6}
    return panel.plot(value[at], worth[at], **style)[0]


def _deciles(X, caller):
    """Return the deciles of each column by its name."""
    table = MetricTable.of(X, caller)
    shares = np.arange(1, 10) / 10
    return {
        name: np.quantile(column[~np.isnan(column)], shares)
        for name, column in zip(table.names, table.values.T, strict=True)
        if not np.isnan(column).all()
    }
