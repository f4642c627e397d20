"""Picture of the importance of features, the largest on top."""

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


class ImportanceDisplay:
    """Importance of features: sorted bars with error bars, largest on top.

    Build it with :meth:`from_importances`. All parameters are stored as
    attributes.

    Parameters
    ----------
    importances : array-like of shape (n_features, n_repeats)
        How much the score drops when a feature is permuted, per repeat or run;
        the attribute `importances` of scikit-learn's ``permutation_importance``.

    feature_names : array-like of shape (n_features,), str
        Names of the features.

    metric : str, default="DCG"
        Name of the score, for the axis.

    baseline : float or None, default=None
        Score with nothing permuted, for the axis.

    max_features : int or None, default=None
        Number of features to draw, the most important ones. None draws all.

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

    Raises
    ------
    ValueError
        If shapes do not fit, or `max_features` is less than 1.

    See Also
    --------
    LeaderboardDisplay : Draws which method is best.

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
    ):
        self.importances = importances
        self.feature_names = feature_names
        self.metric = metric
        self.baseline = baseline
        self.max_features = max_features

    @classmethod
    def from_importances(
        cls,
        importances,
        *,
        feature_names,
        metric="DCG",
        baseline=None,
        max_features=None,
        ax=None,
        **kwargs,
    ):
        """Draw importances.

        Parameters
        ----------
        importances : array-like of shape (n_features, n_repeats) or Bunch
            Drop of the score per feature and repeat or run, or the result of
            :func:`~sklearn.inspection.permutation_importance` itself.
        feature_names : array-like of shape (n_features,), str
            Names of the features.
        metric : str, default="DCG"
            Name of the score, for the axis.
        baseline : float or None, default=None
            Score with nothing permuted, for the axis.
        max_features : int or None, default=None
            Number of features to draw, the most important ones. None draws all.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : ImportanceDisplay
            Drawn, with its artists.
        """
        display = cls(
            importances=getattr(importances, "importances", importances),
            feature_names=feature_names,
            metric=metric,
            baseline=baseline,
            max_features=max_features,
        )
        return display.plot(ax, **kwargs)

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
        means, stds = importances.mean(axis=1), importances.std(axis=1)
        # From the bottom up: ascending; equal features from last to first.
        order = np.lexsort((-np.arange(len(means)), means))
        if self.max_features is not None:
            order = order[-self.max_features :]
        self.ax_ = make_axes(ax, names[order], f"{type(self).__name__}.plot")
        self.figure_ = self.ax_.figure
        style = {"color": BLUE, "height": 0.62, **kwargs}
        error_style = {
            "ecolor": text_color(),
            **ERROR_STYLE,
            **style.pop("error_kw", {}),
        }
        self.bars_ = self.ax_.barh(
            np.arange(len(order)),
            means[order],
            xerr=stds[order] if importances.shape[1] > 1 else None,
            error_kw=error_style,
            **style,
        )
        self.ax_.axvline(0.0, color=text_color(), alpha=SOFT, linewidth=0.8)
        self.ax_.set_ylim(-0.6, len(order) - 0.4)
        label_rows(self.ax_, names[order])
        baseline = (
            "" if self.baseline is None else f" (from {format_number(self.baseline)})"
        )
        self.ax_.set_xlabel(f"Decrease of {self.metric} when permuted{baseline}")
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
