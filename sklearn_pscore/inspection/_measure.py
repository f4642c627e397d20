"""A metric on many copies of the same items, with other scores or weights."""

import inspect
from dataclasses import dataclass, replace

import numpy as np

from sklearn_pscore._means import LARGEST_SUMMABLE
from sklearn_pscore._segments import Segments
from sklearn_pscore._target.check import (
    are_comparable,
    check_comparable,
    is_structured,
)
from sklearn_pscore._target.groups import Groups
from sklearn_pscore.inspection._vote_measure import VoteMeasure
from sklearn_pscore.metrics import (
    kendall_tau_score,
    pairwise_accuracy_score,
    pearson_score,
    rmse,
    spearman_score,
    tie_calibrated_accuracy_score,
)
from sklearn_pscore.metrics._checks import check_choice
from sklearn_pscore.metrics._correlation import WITHIN
from sklearn_pscore.metrics._items import item_scores
from sklearn_pscore.metrics._logistic_map import logistic_map
from sklearn_pscore.metrics._scorers import is_error

# In these an integer weight is an item that stands there as often.
_WEIGHT_REPEATS = (
    pairwise_accuracy_score,
    kendall_tau_score,
    pearson_score,
    spearman_score,
    rmse,
)
# Rows of one call of the metric. Not measured.
_ROWS = 500_000
# Deviations below this share of the range are those of equal values.
_ROUNDING = 1e-13


@dataclass(frozen=True)
class Measure:
    """A metric, the items that it is taken over, and the scores of each method.

    Attributes
    ----------
    metric : callable
        ``metric(groups, y_score, average=False, **options)``: a value per group.
    options : dict
    groups : Segments
        Informative groups, or one group of all items, as segments of the items.
    item : ndarray of shape (n_items,), int
        Index of each item among those of the target.
    preference, weight : ndarray of shape (n_items,), float
    scores : ndarray of shape (n_methods, n_items), float
        After the map, if the metric has one.
    group_weight : ndarray of shape (n_groups,), float
        Of each group in the mean.
    is_overall : bool
        Whether all items are taken as one group.
    votes : VoteMeasure or None, default=None
        Votes between the items, where the metric is a mean over them.
    """

    metric: object
    options: dict
    groups: Segments
    item: np.ndarray
    preference: np.ndarray
    weight: np.ndarray
    scores: np.ndarray
    group_weight: np.ndarray
    is_overall: bool
    votes: VoteMeasure | None = None

    @property
    def weight_repeats(self):
        """Whether an integer weight is an item that stands there as often."""
        return self.metric in _WEIGHT_REPEATS and self.options.get("k") is None

    @property
    def is_correlation(self):
        return self.metric in (pearson_score, spearman_score)

    @property
    def smaller_is_better(self):
        return is_error(self.metric)

    def values(self, scores, weight=None):
        """Return the metric of each group, for each row of scores.

        Parameters
        ----------
        scores : ndarray of shape (n_copies, n_items), float
        weight : ndarray of shape (n_copies, n_items), float, or None, default=None
            None takes the weights of the items.

        Returns
        -------
        values : ndarray of shape (n_copies, n_groups), float
            NaN where a group is uninformative.
        """
        n_votes = 0 if self.votes is None else len(self.votes.first)
        size = max(1, _ROWS // max(scores.shape[1], n_votes))
        # Sums need no target for each copy, which takes most of the time.
        values_of = self._values_of_part
        if self.votes is not None:
            values_of = self._votes
        elif self.metric is pearson_score:
            values_of = self._correlations
        elif self.metric is rmse:
            values_of = self._errors
        elif self.metric is spearman_score and len(self.groups.size) == 1:
            values_of = self._rank_correlations
        parts = [
            values_of(
                scores[start : start + size],
                None if weight is None else weight[start : start + size],
            )
            for start in range(0, len(scores), size)
        ]
        return np.concatenate(parts)

    def mean(self, values):
        """Return the mean over groups, the last axis of `values`."""
        return values @ self.group_weight / self.group_weight.sum()

    def _votes(self, scores, weight):
        """Return a metric of votes of each group."""
        weight = self.weight[None] if weight is None else weight
        return self.votes.values(scores, weight)

    def _correlations(self, scores, weight):
        """Return :func:`pearson_score` of each group."""
        weight, total = self._scaled_weight(weight)
        return self._correlated(scores, self.preference[None], weight, total)

    def _rank_correlations(self, scores, weight):
        """Return :func:`spearman_score` of the only group."""
        weight, total = self._scaled_weight(weight)
        preference = np.broadcast_to(self.preference, weight.shape)
        ranks = _mid_ranks(scores, weight), _mid_ranks(preference, weight)
        return self._correlated(*ranks, weight, total)

    def _correlated(self, x, y, weight, total):
        """Return the correlation of two columns in each group."""
        x, y = self._centred(x, weight, total), self._centred(y, weight, total)
        x_square, y_square, product = (
            self._sums(weight * part) for part in (x * x, y * y, x * y)
        )
        # Rounding is all that is left where every preference is the same.
        y_square[y_square <= _ROUNDING**2 * total] = np.nan
        x_square[x_square <= _ROUNDING**2 * total] = np.inf
        return np.clip(product / (np.sqrt(x_square) * np.sqrt(y_square)), -1.0, 1.0)

    def _errors(self, scores, weight):
        """Return :func:`rmse` of each group."""
        weight, total = self._scaled_weight(weight)
        error = np.abs(scores / 2 - self.preference / 2)
        scale = np.maximum.reduceat(error, self.groups.start, axis=1)
        scale[scale == 0] = 1.0
        squares = self._sums(weight * (error / self._spread(scale)) ** 2)
        values = 2 * scale * np.sqrt(squares / total)
        y = self._centred(self.preference[None], weight, total)
        differs = self._sums(weight * y * y) > _ROUNDING**2 * total
        return np.where(differs, values, np.nan)

    def _scaled_weight(self, weight):
        """Return weights of which the largest of each group is 1, and their sums."""
        weight = self.weight[None] if weight is None else weight
        largest = np.maximum.reduceat(weight, self.groups.start, axis=1)
        weight = weight / self._spread(largest)
        return weight, self._sums(weight)

    def _centred(self, values, weight, total):
        """Subtract the means of groups, of values scaled to a range of one."""
        if np.abs(values).max() > LARGEST_SUMMABLE:
            values = values / 2
        start = self.groups.start
        lowest = np.minimum.reduceat(values, start, axis=1)
        width = np.maximum.reduceat(values, start, axis=1) - lowest
        width[width == 0] = 1.0
        values = (values - self._spread(lowest)) / self._spread(width)
        return values - self._spread(self._sums(weight * values) / total)

    def _spread(self, values):
        return np.repeat(values, self.groups.size, axis=1)

    def _sums(self, values):
        return np.add.reduceat(values, self.groups.start, axis=1)

    def _values_of_part(self, scores, weight):
        n_copies, n_groups = len(scores), len(self.groups.size)
        copy = np.repeat(np.arange(n_copies), scores.shape[1])
        if weight is None:
            weight = np.tile(self.weight, n_copies)
        groups = Groups.from_arrays(
            group=copy * n_groups + np.tile(self.groups.index, n_copies),
            preference=np.tile(self.preference, n_copies),
            weight=np.ravel(weight),
        )
        values = self.metric(groups, np.ravel(scores), average=False, **self.options)
        return np.reshape(values, (n_copies, n_groups))


def _mid_ranks(values, weight):
    """Return the weight below each value of its row, and half of that tied with it.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n), float
    weight : ndarray of shape (n_rows, n) or (1, n), float
    """
    weight = np.broadcast_to(weight, values.shape)
    order = np.argsort(values, axis=1)
    values = np.take_along_axis(values, order, axis=1)
    upto = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
    before = np.pad(upto[:, :-1], ((0, 0), (1, 0)))
    differs = values[:, 1:] > values[:, :-1]
    place = np.arange(values.shape[1])
    first = np.where(np.pad(differs, ((0, 0), (1, 0)), constant_values=True), place, 0)
    last = np.where(
        np.pad(differs, ((0, 0), (0, 1)), constant_values=True), place, place[-1]
    )
    first = np.maximum.accumulate(first, axis=1)
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    middle = np.take_along_axis(before, first, axis=1) / 2
    middle += np.take_along_axis(upto, last, axis=1) / 2
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, middle, axis=1)
    return ranks


def measure_of(metric, options, groups, target, row_scores, caller):
    """Return the :class:`Measure` of a metric.

    Parameters
    ----------
    metric : callable
    options : dict
        Of the metric.
    groups : structured ndarray or array-like of shape (n_rows,)
    target : RankingTarget
        Of these groups.
    row_scores : ndarray of shape (n_methods, n_rows), float
    caller : str
        For the messages.

    Returns
    -------
    measure : Measure
    """
    given = options
    options = _resolved(metric, options, caller)
    is_overall = options.pop("within", None) == "all"
    if "within" in inspect.signature(metric).parameters:
        options["within"] = "group"
    items = target.items
    votes = VoteMeasure.of(metric, options, target)
    if is_overall:
        kept = np.arange(items.n_items)
        segments = Segments(np.array([len(kept)]))
    elif votes is not None:
        kept = votes.items
        kept = kept[np.argsort(items.group[kept], kind="stable")]
        segments = Segments.of_equal(items.group[kept])
        votes = votes.numbered(kept)
    else:
        is_kept = are_comparable(items.group, items.preference, items.weight)
        if options.get("ties") == "half" and is_error(metric):
            # These count groups in which all are liked alike.
            is_kept = np.bincount(items.group)[items.group] > 1
        if not is_kept.any():
            check_comparable(target, caller)
        # Sorted by group, and by item inside a group.
        kept = np.flatnonzero(is_kept)
        kept = kept[np.argsort(items.group[kept], kind="stable")]
        segments = Segments.of_equal(items.group[kept])
    scores = np.array([item_scores(target, score)[kept] for score in row_scores])
    preference, weight = items.preference[kept], items.weight[kept]
    if options.get("mapping") == "logistic":
        scores = np.array(
            [_mapped(score, preference, weight, metric) for score in scores]
        )
        options["mapping"] = None
    measure = Measure(
        metric=metric,
        options=options,
        groups=segments,
        item=kept,
        preference=preference,
        weight=weight,
        scores=scores,
        group_weight=np.ones(len(segments.size)),
        is_overall=is_overall,
        votes=votes,
    )
    # It warned once of cut groups.
    groups = Groups.whole(groups) if is_structured(groups) else groups
    means = [metric(groups, score, **given) for score in row_scores]
    return replace(measure, group_weight=_group_weight(measure, means))


def _resolved(metric, options, caller):
    """Return the options with the defaults of `within` and `mapping`."""
    parameters = inspect.signature(metric).parameters
    if "average" not in parameters:
        raise TypeError(
            f"metric is {getattr(metric, '__name__', metric)!r}, which has no parameter "
            f"average; {caller} needs one value per group. Pass a function metric(groups, "
            "y_score, *, average=True), such as pairwise_accuracy_score."
        )
    unknown = [option for option in options if option not in parameters]
    if unknown or "average" in options:
        raise TypeError(
            f"{caller} got the options {list(options)}; expected parameters of itself or "
            f"of {metric.__name__}, which has {list(parameters)[2:]}, average excepted. "
            f"Leave out {(unknown or ['average'])[0]!r}."
        )
    defaults = {
        name: parameters[name].default
        for name in ("within", "mapping")
        if name in parameters
    }
    options = {**defaults, **options}
    if metric is tie_calibrated_accuracy_score:
        raise ValueError(
            "metric is tie_calibrated_accuracy_score, whose threshold is in the units of "
            f"one score; {caller} swaps scores of several. Pass pairwise_accuracy_score or "
            "kendall_tau_score."
        )
    if "within" in options:
        check_choice(options["within"], WITHIN, "within", caller)
    return options


def _mapped(score, preference, weight, metric):
    """Return scores on the logistic curve, larger is preferred."""
    mapped, rises = logistic_map(score, preference, weight)
    if rises:
        return mapped
    if metric is rmse:
        return np.full(len(mapped), np.average(preference, weights=weight))
    return -mapped


def _group_weight(measure, means):
    """Return the weights by which the metric's mean is one over its groups.

    Parameters
    ----------
    measure : Measure
    means : list of float
        The metric of each method.
    """
    values = measure.values(measure.scores)
    mean_weight = measure.groups.sum(measure.weight) / measure.groups.size
    weights = [np.ones(len(mean_weight)), mean_weight]
    if measure.votes is not None:
        weights.append(measure.votes.group_weight(measure.weight))
    for weight in weights:
        ours = values @ weight / weight.sum()
        if np.allclose(ours, means, rtol=1e-9, atol=1e-12):
            return weight
    raise ValueError(
        f"{measure.metric.__name__} is {means[0]} for the first method, but the mean of "
        f"its groups is {np.mean(values[0])}; expected a mean over groups, plain or "
        "weighted by the items' mean weight, in which a group does not depend on others "
        "and has two different preferences. Pass a metric of sklearn_pscore.metrics, or "
        "one that is such a mean."
    )
