"""Picture of the importance of metrics, the largest on top, with their directions."""

from collections.abc import Mapping

import numpy as np

from sklearn_pscore.plotting._axes import (
    ERROR_STYLE,
    SOFT,
    format_number,
    label_below,
    label_rows,
    make_axes,
    name_of_score,
    text_color,
)
from sklearn_pscore.plotting._colors import (
    BLUE,
    GREY,
    OLIVE,
    PREFERRED,
    REJECTED,
    VIOLET,
    MethodStyle,
)
from sklearn_pscore.plotting._models import name_of_model

# Style of each direction, the sign that stands for it in a text, and what this says.
_DIRECTIONS = {
    "larger is preferred": (MethodStyle(PREFERRED, "^", "", "-"), "\u25b2 larger"),
    "smaller is preferred": (MethodStyle(REJECTED, "v", "///", "-"), "\u25bc smaller"),
    "there is a best value": (
        MethodStyle(VIOLET, "D", "xx", "-"),
        "\u25c6 a best value",
    ),
    "there is a worst value": (
        MethodStyle(OLIVE, "s", "..", "-"),
        "\u25a0 far from a worst value",
    ),
    "no clear direction": (MethodStyle(GREY, "o", "", "-"), "\u25cf not clear"),
}
_OTHER_NAMES = {
    "larger": "larger is preferred",
    "smaller": "smaller is preferred",
    "nearest_zero": "there is a best value",
}
# Bars are so light that error bars show on them.
_OPACITY = 0.4


class ImportanceDisplay:
    """Importance of metrics: sorted bars with error bars, largest on top.

    Build it with :meth:`from_importances` or :meth:`from_estimator`. All parameters are
    stored as attributes.

    Parameters
    ----------
    importances : array-like of shape (n_features, n_repeats)
        How much the score drops when a feature is permuted, per repeat or run;
        the attribute `importances` of
        :func:`~sklearn_pscore.inspection.group_permutation_importance` and of
        scikit-learn's ``permutation_importance``.

    feature_names : array-like of shape (n_features,), str
        Names of the features.

    metric : str, default="DCG"
        Name of the score, for the axis.

    baseline : float or None, default=None
        Score with nothing permuted, for the axis.

    max_features : int or None, default=None
        Number of features to draw, the most important ones. None draws all.

    directions : dict of str to str, or None, default=None
        By name of the feature, which way it points: "larger is preferred", "smaller is
        preferred", "there is a best value", "there is a worst value", "no clear
        direction", or "larger", "smaller", "nearest_zero". Features that are not in it
        have no sign. None draws no signs.

    model : str or None, default=None
        Name of the model, for the axis.

    over : str, default="permutations"
        What the columns of `importances` are, for the axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the bars.
    figure_ : matplotlib Figure
        Figure of these axes.
    bars_ : matplotlib BarContainer
        Bars of the mean, from the least important (y = 0) to the most; the
        error bars (``bars_.errorbar``) show the standard deviation (ddof=0)
        over the repeats.
    signs_ : list of matplotlib Line2D or None
        Sign of the direction of each bar, beside the axes; None for a feature that
        has none.

    Raises
    ------
    ValueError
        If shapes do not fit, a direction is none, or `max_features` is less than 1.

    See Also
    --------
    LeaderboardDisplay : Draws which method is best.
    MetricCurvesDisplay : Draws what each value of a metric is worth.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn_pscore.plotting import ImportanceDisplay
    >>> display = ImportanceDisplay.from_importances(
    ...     [[0.0, 0.2], [1.9, 2.1]], feature_names=["ID", "AVConf"], baseline=10.2
    ... )
    >>> [round(float(bar.get_width()), 6) for bar in display.bars_]
    [0.1, 2.0]
    """

    def __init__(
        self,
        *,
        importances,
        feature_names,
        metric="DCG",
        baseline=None,
        max_features=None,
        directions=None,
        model=None,
        over="permutations",
    ):
        self.importances = importances
        self.feature_names = feature_names
        self.metric = metric
        self.baseline = baseline
        self.max_features = max_features
        self.directions = directions
        self.model = model
        self.over = over

    @classmethod
    def from_importances(
        cls,
        importances,
        *,
        feature_names=None,
        metric=None,
        baseline=None,
        max_features=None,
        directions=None,
        model=None,
        over="permutations",
        ax=None,
        **kwargs,
    ):
        """Draw importances.

        Parameters
        ----------
        importances : array-like of shape (n_features, n_repeats) or Bunch
            Drop of the score per feature and repeat or run, or the result of
            :func:`~sklearn_pscore.inspection.group_permutation_importance` or of
            :func:`~sklearn.inspection.permutation_importance` itself.
        feature_names : array-like of shape (n_features,), str, or None, default=None
            Names of the features; None takes those of the Bunch.
        metric : str or None, default=None
            Name of the score, for the axis. None takes that of the Bunch, or "DCG".
        baseline : float or None, default=None
            Score with nothing permuted, for the axis; None takes that of the Bunch.
        max_features : int or None, default=None
            Number of features to draw, the most important ones. None draws all.
        directions : MetricCurves, dict of str to str, or None, default=None
            Which way each feature points: the result of
            :func:`~sklearn_pscore.inspection.metric_curves`, or by name.
        model : str or None, default=None
            Name of the model, for the axis.
        over : str, default="permutations"
            What the columns of the importances are, for the axis: "folds", for
            example, if they are means of one each.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : ImportanceDisplay
            Drawn, with its artists.

        Raises
        ------
        ValueError
            If there are no names, or importances of several scores.
        """
        values = _part(importances, "importances", importances)
        if isinstance(values, Mapping):
            raise ValueError(
                f"importances are of several scores, {list(values)}; expected those of "
                f"one. Pass for example importances[{next(iter(values), None)!r}]."
            )
        if feature_names is None:
            feature_names = _part(importances, "feature_names")
        if feature_names is None:
            raise ValueError(
                "feature_names is None and the importances have no names; expected one "
                "per feature. Pass feature_names=X.columns."
            )
        if metric is None:
            metric = _part(importances, "scoring") or "DCG"
        display = cls(
            importances=values,
            feature_names=feature_names,
            metric=metric,
            baseline=_part(importances, "baseline") if baseline is None else baseline,
            max_features=max_features,
            directions=_directions_in(directions),
            model=model,
            over=over,
        )
        return display.plot(ax, **kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        groups,
        *,
        scoring=None,
        feature_groups=None,
        n_repeats=10,
        directions="curves",
        max_features=None,
        model=None,
        random_state=None,
        ax=None,
        **kwargs,
    ):
        """Permute the metrics of a fitted model within groups, and draw what that costs.

        Parameters
        ----------
        estimator : object
            A fitted ranker, pipeline or search.
        X : array-like of shape (n_samples, n_features)
            Metrics of rows to judge on.
        groups : structured ndarray of shape (n_samples,)
            Target of these rows.
        scoring : callable, str or None, default=None
            See :func:`~sklearn_pscore.inspection.group_permutation_importance`, which
            has further options; draw what it returns by :meth:`from_importances`.
        feature_groups : dict of str to list of str or int, or None, default=None
            Columns that are permuted together. They have no direction.
        n_repeats : int, default=10
            Number of permutations.
        directions : "curves", MetricCurves, dict of str to str, or None, \
                default="curves"
            Which way each metric points. "curves" takes it from
            :func:`~sklearn_pscore.inspection.metric_curves`; None draws no signs.
        max_features : int or None, default=None
            Number of features to draw, the most important ones. None draws all.
        model : str or None, default=None
            Name of the model; None takes the class of the ranker.
        random_state : int, RandomState instance or None, default=None
            Source of the permutations.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : ImportanceDisplay
            Drawn, with its artists.
        """
        from sklearn_pscore.inspection import (
            group_permutation_importance,
            metric_curves,
        )

        importances = group_permutation_importance(
            estimator,
            X,
            groups,
            scoring=scoring,
            feature_groups=feature_groups,
            n_repeats=n_repeats,
            random_state=random_state,
        )
        if isinstance(directions, str) and directions == "curves":
            directions = metric_curves(estimator, X, groups, random_state=random_state)
        return cls.from_importances(
            importances,
            max_features=max_features,
            directions=directions,
            model=name_of_model(estimator) if model is None else model,
            ax=ax,
            **kwargs,
        )

    def plot(self, ax=None, **kwargs):
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure of fitting height. A figure
            of your own needs ``layout="constrained"`` to make room for names.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        self : ImportanceDisplay
            The same object, with its artists.
        """
        importances, names = self._checked()
        styles = self._styles(names)
        means, stds = importances.mean(axis=1), importances.std(axis=1)
        # From the bottom up: ascending; equal features from last to first.
        order = np.lexsort((-np.arange(len(means)), means))
        if self.max_features is not None:
            order = order[-self.max_features :]
        drawn = [styles[row] for row in order]
        label = self._label(importances.shape[1], drawn)
        self.ax_ = make_axes(
            ax,
            names[order],
            f"{type(self).__name__}.plot",
            label_lines=3 + label.count("\n"),
        )
        self.figure_ = self.ax_.figure
        self.bars_ = self._draw_bars(
            means[order],
            stds[order] if importances.shape[1] > 1 else None,
            drawn,
            kwargs,
        )
        self.ax_.axvline(0.0, color=text_color(), alpha=SOFT, linewidth=0.8)
        self.ax_.set_ylim(-0.6, len(order) - 0.4)
        label_rows(self.ax_, names[order])
        self.signs_ = [
            None if style is None else self._draw_sign(row, style)
            for row, style in enumerate(drawn)
        ]
        label_below(self.ax_, label)
        return self

    def _checked(self):
        """Return importances and names as arrays that fit each other."""
        importances = np.asarray(self.importances, dtype=float)
        names = np.asarray(self.feature_names, dtype=str)
        if importances.ndim != 2 or not importances.size:
            raise ValueError(
                f"importances has shape {importances.shape}; expected (n_features, "
                "n_repeats). Pass the .importances of permutation_importance, not "
                ".importances_mean."
            )
        if names.shape != importances.shape[:1]:
            raise ValueError(
                f"feature_names has shape {names.shape} but importances has "
                f"{len(importances)} features; expected one name per feature. Pass the "
                "names in the order of the columns of X."
            )
        if self.max_features is not None and self.max_features < 1:
            raise ValueError(
                f"max_features is {self.max_features}; expected at least 1, or None for "
                "all features. Pass for example max_features=10."
            )
        return importances, names

    def _styles(self, names):
        """Return the style of the direction of each feature, or None."""
        styles = []
        for name in names.tolist():
            direction = (self.directions or {}).get(name)
            direction = _OTHER_NAMES.get(direction, direction)
            if direction is not None and direction not in _DIRECTIONS:
                raise ValueError(
                    f"directions has {direction!r} for {name!r}; expected one of "
                    f"{list(_DIRECTIONS)}. Pass for example {{{name!r}: 'larger is "
                    "preferred'}."
                )
            styles.append(None if direction is None else _DIRECTIONS[direction][0])
        return styles

    def _draw_bars(self, means, stds, styles, options):
        from matplotlib.colors import to_rgba

        plain = MethodStyle(GREY if any(styles) else BLUE, "", "", "-")
        styles = [plain if style is None else style for style in styles]
        style = {"height": 0.62, **options}
        error_style = {
            "ecolor": text_color(),
            **ERROR_STYLE,
            **style.pop("error_kw", {}),
        }
        if "color" not in style:
            style = {
                "color": [to_rgba(each.color, _OPACITY) for each in styles],
                "edgecolor": [each.color for each in styles],
                "hatch": [each.hatch for each in styles],
                "linewidth": 0.8,
                **style,
            }
        return self.ax_.barh(
            np.arange(len(means)), means, xerr=stds, error_kw=error_style, **style
        )

    def _draw_sign(self, row, style):
        """Draw the sign of a direction beside the axes."""
        (sign,) = self.ax_.plot(
            [1.02],
            [row],
            marker=style.marker,
            color=style.color,
            markersize=6,
            linestyle="none",
            transform=self.ax_.get_yaxis_transform(),
            clip_on=False,
        )
        return sign

    def _label(self, n_repeats, styles):
        """Return what bars, error bars and signs say."""
        text = f"decrease of {name_of_score(self.metric)} when permuted"
        text = f"{self.model}: {text}" if self.model else text[0].upper() + text[1:]
        notes = []
        if self.baseline is not None:
            notes.append(f"from {format_number(self.baseline)}")
        if n_repeats > 1:
            notes.append(f"± std over {n_repeats} {self.over}")
        # A sign stays with its words where the line is broken.
        signs = [
            said.replace(" ", "\N{NO-BREAK SPACE}")
            for style, said in _DIRECTIONS.values()
            if style in styles
        ]
        text += f" ({'; '.join(notes)})" if notes else ""
        return f"{text}\npreferred: {'  '.join(signs)}" if signs else text


def _part(importances, name, default=None):
    """Return a part of a Bunch, or the default of an array."""
    if isinstance(importances, Mapping):
        return importances.get(name, default)
    return default


def _directions_in(directions):
    """Return directions by name, from curves or as they were given."""
    table = getattr(directions, "table", None)
    if table is not None:
        return dict(zip(table["metric"].astype(str), table["direction"], strict=True))
    if directions is None or isinstance(directions, Mapping):
        return directions
    raise TypeError(
        f"directions is of type {type(directions).__name__}; expected a dict by name, or "
        "the result of metric_curves. Pass for example {'PSNR': 'larger is preferred'}."
    )
