"""Picture of how much better a ranker gets with more groups to learn from."""

from numbers import Integral, Real

import numpy as np
from sklearn.model_selection import check_cv, cross_validate

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._splitters import PreferenceGroupKFold
from sklearn_pscore._target.check import are_comparable, check_comparable, check_groups
from sklearn_pscore._target.rows import count_rows
from sklearn_pscore.metrics import pairwise_accuracy_scorer
from sklearn_pscore.metrics._checks import check_choice
from sklearn_pscore.plotting._axes import bare, new_axes, set_plain
from sklearn_pscore.plotting._colors import style_of
from sklearn_pscore.plotting._models import name_of_model, name_of_score

_SCORE_TYPES = ("test", "train", "both")


class RankingLearningCurveDisplay:
    """Score on held-out groups against the number of groups that were learnt from.

    A curve that still rises at its end says that more judgements would help; one that
    is flat says that other metrics, or another model, would. Build it with
    :meth:`from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    n_groups : array-like of shape (n_sizes,)
        Number of groups with a pair that were learnt from.

    train_scores : array-like of shape (n_sizes, n_folds)
        Scores on the groups that were learnt from.

    test_scores : array-like of shape (n_sizes, n_folds)
        Scores on the groups that were held out.

    score_name : str or None, default=None
        Name of the score, for the axis; None is "Score".

    name : str or None, default=None
        Name of the ranker, for the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure of these axes.
    lines_ : list of matplotlib Line2D
        Means over folds: held out, then learnt from, as far as drawn.
    bands_ : list of matplotlib PolyCollection
        One standard deviation over folds up and down, of each line.

    Raises
    ------
    ValueError
        If shapes do not fit, or an option is out of range.

    See Also
    --------
    LossCurveDisplay : The epochs of one fit.
    sklearn.model_selection.LearningCurveDisplay : The same by numbers of rows, which
        cuts a group.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> from sklearn_pscore import Groups, LinearPreferenceRanker
    >>> from sklearn_pscore.plotting import RankingLearningCurveDisplay
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> groups = Groups.from_arrays(group=np.arange(100) // 5, preference=X[:, 0])
    >>> display = RankingLearningCurveDisplay.from_estimator(
    ...     LinearPreferenceRanker(), X, groups, train_sizes=[4, 8, 16], random_state=0
    ... )
    >>> display.n_groups.tolist()
    [4, 8, 16]
    """

    def __init__(
        self, *, n_groups, train_scores, test_scores, score_name=None, name=None
    ):
        self.n_groups = n_groups
        self.train_scores = train_scores
        self.test_scores = test_scores
        self.score_name = score_name
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        groups,
        *,
        train_sizes=(0.1, 0.325, 0.55, 0.775, 1.0),
        cv=5,
        cv_groups=None,
        scoring=None,
        score_type="test",
        n_jobs=None,
        error_score="raise",
        random_state=None,
        score_name=None,
        name=None,
        ax=None,
        **kwargs,
    ):
        """Fit to more and more groups of each fold, and draw the scores.

        Parameters
        ----------
        estimator : estimator
            A ranker or a pipeline; clones of it are fitted.
        X : array-like of shape (n_samples, n_features)
            Metrics.
        groups : structured ndarray of shape (n_samples,)
            Target of the rows of `X`.
        train_sizes : array-like, default=(0.1, 0.325, 0.55, 0.775, 1.0)
            Numbers of groups to learn from: shares of those that the folds have, in
            (0, 1], or integers. A larger set holds the smaller ones.
        cv : int, splitter or iterable of (train, test), default=5
            Folds; a number k is ``PreferenceGroupKFold(k)``.
        cv_groups : array-like of shape (n_samples,) or None, default=None
            Labels that the splitter splits by. None is as in ``PreferenceGroupKFold``.
        scoring : callable or None, default=None
            Scorer ``scorer(ranker, X, groups)``; None is ``pairwise_accuracy_scorer``.
        score_type : {"test", "train", "both"}, default="test"
            Whether to draw scores on held-out groups, on those learnt from, or both.
        n_jobs : int or None, default=None
            Number of processes, see :term:`n_jobs`.
        error_score : "raise" or float, default="raise"
            Score of a fit that fails, see :func:`~sklearn.model_selection.cross_validate`.
        random_state : int, RandomState instance or None, default=None
            Draws the order in which groups are added.
        score_name : str or None, default=None
            Name of the score, for the axis; None is that of the scorer.
        name : str or None, default=None
            Name for the legend; None is the class of the ranker.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : RankingLearningCurveDisplay
            Drawn, with its artists.

        Raises
        ------
        TypeError
            If `groups` is a plain array.
        ValueError
            If a size is out of range, or as fits and scorers do.
        """
        caller = "RankingLearningCurveDisplay.from_estimator"
        check_choice(score_type, _SCORE_TYPES, "score_type", caller)
        target = check_groups(
            groups, n_rows=count_rows(X, "X"), allow_plain=False, caller=caller
        )
        scoring = pairwise_accuracy_scorer if scoring is None else scoring
        rng = generator_of(random_state, caller)
        if isinstance(cv, Integral):
            cv = PreferenceGroupKFold(cv)
        folds = list(check_cv(cv).split(X, groups, cv_groups))
        parts, n_groups = _parts(target, folds, train_sizes, rng, caller)
        scores = cross_validate(
            estimator,
            X,
            groups,
            cv=parts,
            scoring=scoring,
            n_jobs=n_jobs,
            error_score=error_score,
            return_train_score=score_type != "test",
        )
        shape = len(n_groups), len(folds)
        missing = np.full(len(parts), np.nan)
        display = cls(
            n_groups=n_groups,
            train_scores=scores.get("train_score", missing).reshape(shape),
            test_scores=scores["test_score"].reshape(shape),
            score_name=name_of_score(scoring) if score_name is None else score_name,
            name=name_of_model(estimator) if name is None else name,
        )
        return display.plot(ax, score_type=score_type, **kwargs)

    def plot(self, ax=None, *, score_type="test", **kwargs):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw into, which may hold other displays; None makes a figure.
        score_type : {"test", "train", "both"}, default="test"
            Which scores to draw.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        self : RankingLearningCurveDisplay
            The same object, with its artists.
        """
        caller = f"{type(self).__name__}.plot"
        check_choice(score_type, _SCORE_TYPES, "score_type", caller)
        n_groups, scores = self._checked()
        self.ax_ = new_axes(caller, figsize=(5.4, 3.8)) if ax is None else ax
        bare(self.ax_)
        self.figure_ = self.ax_.figure
        self.lines_, self.bands_ = [], []
        method = style_of(self.name or "")
        for kind, marks in (("test", "-"), ("train", "--")):
            if score_type in (kind, "both"):
                word = "held out" if kind == "test" else "learnt from"
                label = word if self.name is None else f"{self.name}, {word}"
                style = {"color": method.color, "marker": method.marker, "ls": marks}
                if kind == "train":
                    style["markerfacecolor"] = "none"
                self._draw(n_groups, scores[kind], {**style, "label": label, **kwargs})
        self.ax_.set_xlabel("Groups to learn from")
        n_folds = scores["test"].shape[1]
        spread = f" (mean ± std, {n_folds} folds)" if n_folds > 1 else ""
        set_plain(self.ax_.set_ylabel(f"{self.score_name or 'Score'}{spread}"))
        legend = self.ax_.legend(frameon=False, fontsize="small", loc="best")
        for text in legend.get_texts():
            set_plain(text)
        return self

    def _draw(self, n_groups, scores, style):
        """Draw the mean over folds, and its spread."""
        mean, std = scores.mean(axis=1), scores.std(axis=1)
        self.lines_ += self.ax_.plot(n_groups, mean, **style)
        color = self.lines_[-1].get_color()
        band = self.ax_.fill_between(
            n_groups, mean - std, mean + std, color=color, alpha=0.2, lw=0
        )
        self.bands_.append(band)

    def _checked(self):
        """Return the numbers of groups, and the scores by kind."""
        n_groups = np.asarray(self.n_groups, dtype=float)
        scores = {
            "train": np.asarray(self.train_scores, dtype=float),
            "test": np.asarray(self.test_scores, dtype=float),
        }
        for kind, values in scores.items():
            if values.ndim != 2 or len(values) != len(n_groups):
                raise ValueError(
                    f"{kind}_scores has shape {values.shape} but there are "
                    f"{len(n_groups)} numbers of groups; expected shape ({len(n_groups)}, "
                    "n_folds). Pass one row for each number of groups."
                )
        return n_groups, scores


def _parts(target, folds, train_sizes, rng, caller):
    """Return the folds with a part of their groups to learn from, size after size.

    Only groups with a pair count. Donors and groups without a pair are in all parts.

    Returns
    -------
    parts : list of (train, test)
        For each size, all folds.
    n_groups : ndarray of shape (n_sizes,), int
    """
    items = target.items
    in_pairs = are_comparable(items.group, items.preference, items.weight)
    has_pair = np.bincount(items.group[in_pairs], minlength=target.n_groups) > 0
    counts = ~target.donor & has_pair[target.group]
    orders = []
    for train, _ in folds:
        train = np.arange(target.n_rows)[train]
        in_fold = np.unique(target.group[train[counts[train]]])
        orders.append((train, rng.permutation(in_fold)))
    most = min(len(order) for _, order in orders)
    if not most:
        check_comparable(target, caller)
    sizes = _checked_sizes(train_sizes, most, caller)
    parts = []
    for size in sizes:
        for (train, order), (_, test) in zip(orders, folds, strict=True):
            kept = np.isin(target.group[train], order[:size]) | ~counts[train]
            parts.append((train[kept], test))
    return parts, np.array(sizes)


def _checked_sizes(train_sizes, most, caller):
    """Return ascending numbers of groups, each once."""
    sizes = set()
    for size in np.ravel(np.asarray(train_sizes, dtype=object)):
        is_bool, is_int = isinstance(size, (bool, np.bool_)), isinstance(size, Integral)
        if is_int and not is_bool and 1 <= size <= most:
            sizes.add(int(size))
        elif isinstance(size, Real) and not is_int and 0 < size <= 1:
            sizes.add(max(1, round(float(size) * most)))
        else:
            raise ValueError(
                f"train_sizes of {caller} holds {size!r}; expected shares in (0, 1], or "
                f"integers from 1 to {most}, the groups that the smallest fold has to "
                "learn from. Pass for example train_sizes=[0.25, 0.5, 1.0]."
            )
    if not sizes:
        raise ValueError(
            f"train_sizes of {caller} is empty; expected shares in (0, 1] or numbers of "
            "groups. Pass for example train_sizes=[0.25, 0.5, 1.0]."
        )
    return sorted(sizes)
