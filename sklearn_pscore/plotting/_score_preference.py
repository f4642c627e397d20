"""Picture of scores against preferences, a point for each item."""

import numpy as np

from sklearn_pscore._segments import Segments
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.rows import count_rows
from sklearn_pscore.metrics import pearson_score, spearman_score
from sklearn_pscore.metrics._checks import check_choice, check_scored
from sklearn_pscore.metrics._items import item_scores
from sklearn_pscore.metrics._models import predict_scores
from sklearn_pscore.plotting._axes import bare, new_axes, set_plain
from sklearn_pscore.plotting._colors import BLUE
from sklearn_pscore.plotting._models import name_of_model

# More points than this are counted in hexagons.
_MOST_POINTS = 2000
_CORRELATIONS = {"spearman": spearman_score, "pearson": pearson_score}


class ScorePreferenceDisplay:
    """Scores against preferences, with their correlation in groups and overall.

    Build it with :meth:`from_predictions` or :meth:`from_estimator`. All parameters are
    stored as attributes.

    Parameters
    ----------
    y_score : array-like of shape (n_items,)
        Score of each item.

    preference : array-like of shape (n_items,)
        Preference of each item.

    centred : bool, default=False
        Whether the mean of the item's group was taken from both, for the labels.

    correlations : dict of str to float, or None, default=None
        What to write above, such as ``{"Spearman in groups": 0.7}``.

    name : str or None, default=None
        Name of the score, for the axis; None is "Score".

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the points.
    figure_ : matplotlib Figure
        Figure of these axes.
    points_ : matplotlib PathCollection or PolyCollection
        The points, or the hexagons of many.
    colorbar_ : matplotlib Colorbar or None
        Of the hexagons.

    Raises
    ------
    ValueError
        If lengths differ, or an option is out of range.

    See Also
    --------
    ReliabilityDisplay : Whether differences of scores are probabilities.
    sklearn.metrics.PredictionErrorDisplay : Predictions of values, without groups.

    Examples
    --------
    Two groups on levels of their own, each in order.

    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn_pscore import Groups
    >>> from sklearn_pscore.plotting import ScorePreferenceDisplay
    >>> groups = Groups.from_arrays(group=[0, 0, 1, 1], preference=[2, 1, 4, 3])
    >>> display = ScorePreferenceDisplay.from_predictions(groups, [0.9, 0.8, 0.2, 0.1])
    >>> display.ax_.get_title()
    'Spearman in groups 1.00, overall -0.60'
    """

    def __init__(
        self, *, y_score, preference, centred=False, correlations=None, name=None
    ):
        self.y_score = y_score
        self.preference = preference
        self.centred = centred
        self.correlations = correlations
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        groups,
        *,
        centred=False,
        correlation="spearman",
        kind="auto",
        name=None,
        ax=None,
        **kwargs,
    ):
        """Score rows by a fitted estimator and draw them.

        Parameters
        ----------
        estimator : object
            A fitted estimator with ``predict``, or a pipeline or search of one.
        X : array-like of shape (n_samples, n_features)
            Metrics, as the estimator takes them.
        groups : structured ndarray of shape (n_samples,)
            Target of the rows of `X`.
        centred : bool, default=False
            Whether to take the mean of the group from score and preference.
        correlation : {"spearman", "pearson"}, default="spearman"
            Which correlation to write above.
        kind : {"auto", "scatter", "hexbin"}, default="auto"
            Points, or hexagons that count them; "auto" is "hexbin" for more than 2,000.
        name : str or None, default=None
            Name for the axis; None is the class of the ranker.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.scatter` or ``hexbin``.

        Returns
        -------
        display : ScorePreferenceDisplay
            Drawn, with its artists.
        """
        caller = "ScorePreferenceDisplay.from_estimator"
        check_groups(groups, n_rows=count_rows(X, "X"), caller=caller)
        return cls.from_predictions(
            groups,
            np.ravel(predict_scores(estimator, X, groups)),
            centred=centred,
            correlation=correlation,
            kind=kind,
            name=f"Score of {name_of_model(estimator)}" if name is None else name,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        groups,
        y_score,
        *,
        centred=False,
        correlation="spearman",
        kind="auto",
        name=None,
        ax=None,
        **kwargs,
    ):
        """Draw scores.

        Parameters
        ----------
        groups : structured ndarray or array-like of shape (n_samples,)
            Target built by :class:`~sklearn_pscore.Groups`, or plain preferences of one
            single group. Rows of one (group, item) are averaged first; donor rows and
            rows of weight zero are left out.
        y_score : array-like of shape (n_samples,)
            Score of each row.
        centred : bool, default=False
            Whether to take the mean of the group from score and preference: then the
            picture shows what decides inside groups.
        correlation : {"spearman", "pearson"}, default="spearman"
            Which correlation to write above: the mean over groups, and that over all
            items. Of centred values the latter is not written.
        kind : {"auto", "scatter", "hexbin"}, default="auto"
            Points, or hexagons that count them; "auto" is "hexbin" for more than 2,000.
        name : str or None, default=None
            Name of the score, for the axis.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.scatter` or ``hexbin``.

        Returns
        -------
        display : ScorePreferenceDisplay
            Drawn, with its artists.
        """
        caller = "ScorePreferenceDisplay.from_predictions"
        check_choice(correlation, tuple(_CORRELATIONS), "correlation", caller)
        target, y_score = check_scored(groups, y_score, caller)
        measure, word = _CORRELATIONS[correlation], correlation.capitalize()
        correlations = {f"{word} in groups": measure(groups, y_score)}
        score, preference = item_scores(target, y_score), target.items.preference
        if centred:
            order = np.argsort(target.items.group, kind="stable")
            in_groups = Segments.of_equal(target.items.group[order])
            score, preference = (
                _centred(in_groups, values[order]) for values in (score, preference)
            )
        else:
            correlations["overall"] = measure(groups, y_score, within="all")
        display = cls(
            y_score=score,
            preference=preference,
            centred=centred,
            correlations=correlations,
            name=name,
        )
        return display.plot(ax, kind=kind, **kwargs)

    def plot(self, ax=None, *, kind="auto", **kwargs):
        """Draw the points.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        kind : {"auto", "scatter", "hexbin"}, default="auto"
            Points, or hexagons that count them; "auto" is "hexbin" for more than 2,000.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.scatter` or ``hexbin``.

        Returns
        -------
        self : ScorePreferenceDisplay
            The same object, with its artists.
        """
        caller = f"{type(self).__name__}.plot"
        check_choice(kind, ("auto", "scatter", "hexbin"), "kind", caller)
        score = np.asarray(self.y_score, dtype=float)
        preference = np.asarray(self.preference, dtype=float)
        if score.shape != preference.shape or score.ndim != 1:
            raise ValueError(
                f"y_score has shape {score.shape} but preference has {preference.shape}; "
                "expected one entry of each per item, shape (n_items,)."
            )
        if kind == "auto":
            kind = "hexbin" if len(score) > _MOST_POINTS else "scatter"
        self.ax_ = new_axes(caller, figsize=(5.4, 4.4)) if ax is None else ax
        bare(self.ax_)
        self.figure_ = self.ax_.figure
        self.colorbar_ = None
        if kind == "scatter":
            # The more points, the smaller and the fainter.
            faint = min(1.0, (100 / max(len(score), 1)) ** 0.5)
            style = {"color": BLUE, "s": 12 + 24 * faint, "alpha": 0.25 + 0.5 * faint}
            self.points_ = self.ax_.scatter(
                score, preference, **{**style, "linewidths": 0, **kwargs}
            )
        else:
            style = {"gridsize": 40, "mincnt": 1, "bins": "log"}
            style |= {"cmap": _faint_to_full(), "linewidths": 0}
            self.points_ = self.ax_.hexbin(score, preference, **{**style, **kwargs})
            self.colorbar_ = self.figure_.colorbar(
                self.points_, ax=self.ax_, label="Items"
            )
        less = " less the mean of its group" if self.centred else ""
        set_plain(self.ax_.set_xlabel(f"{self.name or 'Score'}{less}"))
        self.ax_.set_ylabel(f"Preference{less}")
        if self.correlations:
            parts = (f"{key} {value:.2f}" for key, value in self.correlations.items())
            self.ax_.set_title(", ".join(parts), fontsize="medium")
        return self


def _faint_to_full():
    """Return a map of numbers to one colour, which shows on white and on dark paper."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    ends = [to_rgba(BLUE, 0.15), to_rgba(BLUE, 1.0)]
    return LinearSegmentedColormap.from_list("items", ends)


def _centred(groups, values):
    """Subtract the mean of each segment."""
    return values - groups.spread(groups.sum(values) / groups.size)
