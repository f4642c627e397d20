"""Picture of stated probabilities of a preference against what people preferred."""

import numpy as np
from scipy.special import expit

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._rankers.any_model import preference_proba
from sklearn_pscore._splitters import take_rows
from sklearn_pscore._target.check import check_comparable, check_groups
from sklearn_pscore._target.cut_groups import warn_about_cut_groups
from sklearn_pscore._target.rows import count_rows
from sklearn_pscore.inspection._arguments import check_count, check_level
from sklearn_pscore.inspection._clusters import drawn_counts, row_labels
from sklearn_pscore.metrics._checks import check_scored
from sklearn_pscore.plotting._axes import (
    SOFT,
    bare,
    format_number,
    new_axes,
    set_plain,
    text_color,
)
from sklearn_pscore.plotting._colors import BLUE, style_of
from sklearn_pscore.plotting._models import name_of_model
from sklearn_pscore.plotting._pairs import pairs_of

# Pairs whose rows are scored at a time.
_PAIRS_AT_A_TIME = 2**16
# Label of the diagonal, by which another display finds it.
_DIAGONAL = "as stated"


class ReliabilityDisplay:
    """Stated probability of a preference against the share of pairs where it held.

    Of all pairs of a group that people told apart, each seen from both sides: how
    often is *a* preferred where the model says it is with a probability of 0.7? On the
    diagonal probabilities are as stated; a curve that is flatter is too sure of itself.
    Seen from both sides the curve is symmetric. Of a target of votes, the share is that
    of the votes, without ties.

    Build it with :meth:`from_estimator` or :meth:`from_predictions`, on rows that the
    model has not seen. All parameters are stored as attributes.

    Parameters
    ----------
    prob_pred : array-like of shape (n_bins,)
        Mean stated probability of the pairs of each bin.

    prob_true : array-like of shape (n_bins,)
        Share of them where the preference was as stated.

    n_pairs : array-like of shape (n_bins,) or None, default=None
        Number of pairs, or votes, of each bin, for the small histogram; each is in two,
        one for either side. None draws none.

    bands : array-like of shape (n_bins, 2) or None, default=None
        Ends of the interval of each share, NaN where there is none.

    error : float or None, default=None
        Expected calibration error, for the legend: the mean distance of the curve
        from the diagonal, weighted by pairs.

    name : str or None, default=None
        Name of the model, for the legend.

    unit : {"pairs", "votes"}, default="pairs"
        What was counted, for the labels.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curve.
    figure_ : matplotlib Figure
        Figure of these axes.
    line_ : matplotlib Line2D
        The curve.
    ref_line_ : matplotlib Line2D or None
        The diagonal; None if an earlier display has drawn one into the same axes.
    band_ : matplotlib PolyCollection or None
        The intervals.
    counts_ax_ : matplotlib Axes or None
        Small axes with the histogram of the pairs.
    bars_ : matplotlib BarContainer or None
        Its bars.

    Raises
    ------
    ValueError
        If lengths differ.

    See Also
    --------
    ScorePreferenceDisplay : The scores themselves against preferences.
    sklearn.calibration.CalibrationDisplay : The same of a classifier.

    Examples
    --------
    Pairs with a score difference of 2, of which 3 in 4 are in order.

    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn_pscore import Groups
    >>> from sklearn_pscore.plotting import ReliabilityDisplay
    >>> groups = Groups.from_arrays(
    ...     group=[0, 0, 1, 1, 2, 2, 3, 3], preference=[1, 0, 1, 0, 1, 0, 0, 1]
    ... )
    >>> display = ReliabilityDisplay.from_predictions(groups, [2, 0] * 4, n_boot=None)
    >>> display.prob_pred.round(2).tolist(), display.prob_true.tolist()
    ([0.12, 0.88], [0.25, 0.75])
    """

    def __init__(
        self,
        *,
        prob_pred,
        prob_true,
        n_pairs=None,
        bands=None,
        error=None,
        name=None,
        unit="pairs",
    ):
        self.prob_pred = prob_pred
        self.prob_true = prob_true
        self.n_pairs = n_pairs
        self.bands = bands
        self.error = error
        self.name = name
        self.unit = unit

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        groups,
        *,
        n_bins=10,
        strategy="uniform",
        n_boot=1000,
        level=0.95,
        max_pairs=100_000,
        random_state=None,
        name=None,
        ax=None,
        **kwargs,
    ):
        """Draw the reliability of a fitted ranker's ``preference_proba``.

        Parameters
        ----------
        estimator : object
            A fitted ranker with ``preference_proba``, or a pipeline or search of one.
        X : array-like of shape (n_samples, n_features)
            Metrics, as the estimator takes them.
        groups : structured ndarray of shape (n_samples,)
            Target of the rows of `X`.
        n_bins : int, default=10
            Number of bins; empty ones are left out.
        strategy : {"uniform", "quantile"}, default="uniform"
            Bins of equal width, or of about as many pairs each.
        n_boot : int or None, default=1000
            Draws of the bootstrap, of whole blocks where the target has the field
            `block`, else of groups. None draws no band.
        level : float, default=0.95
            Level of the band, in (0, 1).
        max_pairs : int or None, default=100000
            If there are more pairs of rows, as many are drawn at random, with
            replacement. None takes all.
        random_state : int, RandomState instance or None, default=None
            Source of these draws.
        name : str or None, default=None
            Name for the legend; None is the class of the ranker.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : ReliabilityDisplay
            Drawn, with its artists.
        """
        caller = "ReliabilityDisplay.from_estimator"
        target = check_groups(groups, n_rows=count_rows(X, "X"), caller=caller)
        warn_about_cut_groups(target, caller)

        def stated(better, worse):
            return np.concatenate(
                [
                    preference_proba(estimator, take_rows(X, a), take_rows(X, b))
                    for a, b in _parts(better, worse)
                ]
            )

        name = name_of_model(estimator) if name is None else name
        curve = _curve(
            groups,
            target,
            stated,
            caller,
            n_bins=n_bins,
            strategy=strategy,
            n_boot=n_boot,
            level=level,
            max_pairs=max_pairs,
            random_state=random_state,
        )
        return cls(**curve, name=name).plot(ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        groups,
        y_score,
        *,
        n_bins=10,
        strategy="uniform",
        n_boot=1000,
        level=0.95,
        max_pairs=100_000,
        random_state=None,
        name=None,
        ax=None,
        **kwargs,
    ):
        r"""Draw the reliability of scores that were learnt from pairs.

        The probability is that of the paper's Eq. 1, :math:`1 / (1 + e^{-(S_a -
        S_b)})`. Scores on another scale, such as a metric, state no probabilities.

        Parameters
        ----------
        groups : structured ndarray or array-like of shape (n_samples,)
            Target built by :class:`~sklearn_pscore.Groups`, or plain preferences of
            one single group.
        y_score : array-like of shape (n_samples,)
            Score of each row, such as a ranker's ``predict``.
        n_bins : int, default=10
            Number of bins; empty ones are left out.
        strategy : {"uniform", "quantile"}, default="uniform"
            Bins of equal width, or of about as many pairs each.
        n_boot : int or None, default=1000
            Draws of the bootstrap, of whole blocks where the target has the field
            `block`, else of groups. None draws no band.
        level : float, default=0.95
            Level of the band, in (0, 1).
        max_pairs : int or None, default=100000
            If there are more pairs of rows, as many are drawn at random, with
            replacement. None takes all.
        random_state : int, RandomState instance or None, default=None
            Source of these draws.
        name : str or None, default=None
            Name for the legend.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : ReliabilityDisplay
            Drawn, with its artists.
        """
        caller = "ReliabilityDisplay.from_predictions"
        target, y_score = check_scored(groups, y_score, caller)
        curve = _curve(
            groups,
            target,
            lambda better, worse: _probability(y_score[better], y_score[worse]),
            caller,
            n_bins=n_bins,
            strategy=strategy,
            n_boot=n_boot,
            level=level,
            max_pairs=max_pairs,
            random_state=random_state,
        )
        return cls(**curve, name=name).plot(ax, **kwargs)

    def plot(self, ax=None, *, show_counts=True, **kwargs):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw into, which may hold other displays; None makes a figure.
        show_counts : bool, default=True
            Whether to draw the histogram of pairs in the lower right corner, which
            the curve does not need. Only the first display of some axes does.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        self : ReliabilityDisplay
            The same object, with its artists.
        """
        prob_pred, prob_true, n_pairs, bands = self._checked()
        caller = f"{type(self).__name__}.plot"
        self.ax_ = new_axes(caller, figsize=(4.8, 4.6)) if ax is None else ax
        bare(self.ax_)
        self.figure_ = self.ax_.figure
        is_first = not any(line.get_label() == _DIAGONAL for line in self.ax_.lines)
        self.ref_line_ = None
        if is_first:
            style = {"color": text_color(), "alpha": SOFT, "lw": 0.9, "ls": "--"}
            (self.ref_line_,) = self.ax_.plot([0, 1], [0, 1], label=_DIAGONAL, **style)
        style = {"color": BLUE, "marker": "o"}
        if self.name is not None:
            method = style_of(self.name)
            style = {"color": method.color, "marker": method.marker}
        style = {**style, "markersize": 5, "clip_on": False, **kwargs}
        error = "" if self.error is None else f"error {format_number(self.error)}"
        label = ", ".join(part for part in (self.name, error) if part)
        style.setdefault("label", label or "observed")
        (self.line_,) = self.ax_.plot(prob_pred, prob_true, **style)
        self.band_ = None
        if bands is not None:
            color = self.line_.get_color()
            self.band_ = self.ax_.fill_between(
                prob_pred, *bands.T, color=color, alpha=0.2, lw=0
            )
        self.counts_ax_, self.bars_ = None, None
        if show_counts and n_pairs is not None and is_first:
            self._draw_counts(prob_pred, n_pairs)
        self.ax_.set(
            xlabel="Stated probability that a is preferred to b",
            ylabel=f"Share of {self.unit} where it is",
            xlim=(0, 1),
            ylim=(0, 1),
            aspect="equal",
        )
        legend = self.ax_.legend(loc="upper left", frameon=False, fontsize="small")
        for text in legend.get_texts():
            set_plain(text)
        return self

    def _draw_counts(self, prob_pred, n_pairs):
        """Draw a small histogram of the pairs."""
        self.counts_ax_ = self.ax_.inset_axes([0.6, 0.09, 0.37, 0.17])
        gaps = np.diff(prob_pred)
        width = 0.8 * min(0.1, gaps.min(initial=0.1))
        self.bars_ = self.counts_ax_.bar(
            prob_pred, n_pairs, width=width, color=text_color(), alpha=SOFT
        )
        self.counts_ax_.set(xlim=(0, 1), xticks=[0, 1], yticks=[0, n_pairs.max()])
        self.counts_ax_.set_yticklabels(["0", f"{n_pairs.max():,.0f}"])
        self.counts_ax_.set_title(self.unit, fontsize="x-small", pad=2)
        self.counts_ax_.tick_params(labelsize="x-small", length=2)
        bare(self.counts_ax_, grid="")
        self.counts_ax_.patch.set_alpha(0.8)

    def _checked(self):
        """Return the numbers as arrays that fit each other."""
        prob_pred = np.asarray(self.prob_pred, dtype=float)
        shapes = {
            "prob_true": (self.prob_true, prob_pred.shape),
            "n_pairs": (self.n_pairs, prob_pred.shape),
            "bands": (self.bands, (*prob_pred.shape, 2)),
        }
        arrays = []
        for name, (values, shape) in shapes.items():
            values = None if values is None else np.asarray(values, dtype=float)
            if values is not None and values.shape != shape:
                raise ValueError(
                    f"{name} has shape {values.shape} but prob_pred has "
                    f"{prob_pred.shape}; expected shape {shape}. Pass one entry for each "
                    "bin."
                )
            arrays.append(values)
        return prob_pred, *arrays


def _curve(
    groups,
    target,
    stated,
    caller,
    *,
    n_bins,
    strategy,
    n_boot,
    level,
    max_pairs,
    random_state,
):
    """Return the parameters of a display.

    Parameters
    ----------
    groups, target
        As passed, and checked.
    stated : callable
        ``stated(better, worse)`` is the probability of each pair.
    """
    check_count(n_bins, "n_bins", caller)
    check_level(level, caller)
    for count, name in ((n_boot, "n_boot"), (max_pairs, "max_pairs")):
        if count is not None:
            check_count(count, name, caller)
    if strategy not in ("uniform", "quantile"):
        raise ValueError(
            f"The 'strategy' parameter of {caller} must be a str among {{'uniform', "
            f"'quantile'}}. Got {strategy!r} instead."
        )
    rng = generator_of(random_state, caller)
    if target.votes is None:
        check_comparable(target, caller)
    pairs = pairs_of(target, max_pairs, rng)
    if not len(pairs.better):
        raise ValueError(
            f"No votes for one of two items: {caller} found none that count in the "
            f"{target.n_groups} groups; expected at least one. Check the outcomes, for "
            "ties say nothing here, and the weights."
        )
    proba = stated(pairs.better, pairs.worse)
    both, won = np.append(proba, 1 - proba), np.repeat([1.0, 0.0], len(proba))
    weight = np.tile(pairs.weight, 2)
    inner = np.linspace(0, 1, n_bins + 1)
    if strategy == "quantile":
        options = {}
        if target.votes is not None:
            counts = np.tile(pairs.count, 2)
            options = {"weights": counts, "method": "inverted_cdf"}
        inner = np.quantile(both, inner, **options)
    number = np.searchsorted(inner[1:-1], both)
    total = np.bincount(number, weight, minlength=n_bins)
    kept = total > 0
    prob_pred = np.bincount(number, weight * both, minlength=n_bins)[kept] / total[kept]
    prob_true = np.bincount(number, weight * won, minlength=n_bins)[kept] / total[kept]
    bands = None
    if n_boot is not None:
        cluster = np.tile(_clusters(groups, target, caller)[pairs.better], 2)
        bands = _bands(cluster, number, weight, won, n_bins, n_boot, level, rng)[kept]
    return {
        "prob_pred": prob_pred,
        "prob_true": prob_true,
        "n_pairs": np.bincount(number, np.tile(pairs.count, 2), minlength=n_bins)[kept],
        "unit": "pairs" if target.votes is None else "votes",
        "bands": bands,
        "error": float(np.average(np.abs(prob_pred - prob_true), weights=total[kept])),
    }


def _probability(first, second):
    """Return Eq. 1 of the paper for scores of any size."""
    # Of halves the difference is finite; beyond 500 the probability is 0 or 1.
    return expit(2 * np.clip(first / 2 - second / 2, -500, 500))


def _clusters(groups, target, caller):
    """Return the block of each row where the target has blocks, else its group."""
    if target.is_plain:
        return target.group
    field = "block" if "block" in groups.dtype.names else "group"
    return row_labels(field, groups, target, field, caller)[1]


def _bands(cluster, number, weight, won, n_bins, n_boot, level, rng):
    """Return the interval of the share of each bin, by drawing whole clusters.

    Returns
    -------
    bands : ndarray of shape (n_bins, 2)
        NaN where fewer than two clusters have a pair in the bin.
    """
    cluster = np.unique(cluster, return_inverse=True)[1]
    n_clusters = cluster.max() + 1
    cell, shape = cluster * n_bins + number, (n_clusters, n_bins)
    n_cells = n_clusters * n_bins
    all_pairs = np.bincount(cell, weight, minlength=n_cells).reshape(shape)
    of_won = np.bincount(cell, weight * won, minlength=n_cells).reshape(shape)
    shares = []
    for counts in drawn_counts(n_clusters, n_boot, rng):
        total = counts @ all_pairs
        part = np.full(total.shape, np.nan)
        np.divide(counts @ of_won, total, out=part, where=total > 0)
        shares.append(part)
    shares = np.concatenate(shares)
    bands = np.full((n_bins, 2), np.nan)
    known = (all_pairs > 0).sum(axis=0) > 1
    ends = [(1 - level) / 2, (1 + level) / 2]
    if known.any():
        bands[known] = np.nanquantile(shares[:, known], ends, axis=0).T
    return bands


def _parts(*rows):
    """Yield stretches of arrays of row numbers."""
    for start in range(0, len(rows[0]), _PAIRS_AT_A_TIME):
        yield tuple(each[start : start + _PAIRS_AT_A_TIME] for each in rows)
