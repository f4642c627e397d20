"""The noise ceiling: how well a perfect score could agree with a few people."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._target.check import check_comparable, check_groups
from sklearn_pscore._target.cut_groups import warn_about_cut_groups
from sklearn_pscore._target.groups import Groups
from sklearn_pscore.inspection._arguments import check_count, check_level
from sklearn_pscore.inspection._clusters import of_items, row_labels
from sklearn_pscore.metrics import pairwise_accuracy_score
from sklearn_pscore.metrics._ceiling import (
    accuracy_ceilings,
    draw_normals,
    drawn_ceiling,
)
from sklearn_pscore.metrics._rater_noise import mean_opinions

# Parts of the data that the jackknife leaves out, and draws for each of them.
_MOST_BUNCHES, _FEW_DRAWS = 30, 20


@dataclass(frozen=True)
class NoiseCeiling:
    """Result of :func:`noise_ceiling`.

    All parameters are stored as attributes.

    Parameters
    ----------
    value : float
        What a perfect score reaches in expectation.
    low, high : float
        Interval of `value` over other blocks or groups; NaN if there is but one.
    level : float
        Level of the interval.
    metric : str
        Name of the metric.
    n_clusters : int
        Number of blocks, groups or other clusters.
    """

    value: float
    low: float
    high: float
    level: float
    metric: str
    n_clusters: int

    def __str__(self):
        return (
            f"noise ceiling of {self.metric}: {self.value:.3f} "
            f"({self.level:.0%} interval {self.low:.3f} to {self.high:.3f}, "
            f"{self.n_clusters} clusters)"
        )


def noise_ceiling(
    groups,
    *,
    metric=None,
    n_draws=200,
    level=0.95,
    cluster=None,
    random_state=None,
):
    r"""Estimate the metric that a perfect score would have: the noise ceiling.

    The preferences are means over a few raters, so that even the true opinion, which is
    the mean over all the people who might be asked, disagrees with some of them. No
    score can be expected to be better than that, and one that is has learnt the noise.

    The mean of item :math:`i` is off by a variance of :math:`s_i^2 / n_i`, from
    the `spread` and `n_raters` of the target. A spread is drawn towards that of items
    of like opinion [1]_ first, as far as they differ by chance only. For pairwise
    accuracy, each observed difference is divided by the deviation of its noise. The
    distribution of the true ones is found from these without an assumption of its
    shape, and a pair is in the right order with the probability that the
    true difference has the sign of the observed one. For other metrics true opinions
    are drawn given the observed ones, normal inside of each group.

    Parameters
    ----------
    groups : structured ndarray of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`, with `n_raters` and `spread`.
        Rows of one (group, item) are one opinion, donor rows and rows of weight zero
        are left out.
    metric : callable or None, default=None
        ``metric(groups, y_score)`` that returns a number: one of
        ``sklearn_pscore.metrics``, one of them with options by ``functools.partial``,
        or your own. None is :func:`~sklearn_pscore.metrics.pairwise_accuracy_score`.
        Of an error, such as :func:`~sklearn_pscore.metrics.rmse`, the value is what a
        perfect score is off by.
    n_draws : int, default=200
        Number of draws of the true opinions. Pairwise accuracy needs none.
    level : float, default=0.95
        Level of the interval.
    cluster : str, array-like of shape (n_samples,) or None, default=None
        What the interval takes for independent: a field of the target, or a label
        per row. None is the block, or the group in a target without blocks.
    random_state : int, RandomState instance or None, default=None
        Source of the draws. An integer gives the same result in every call.

    Returns
    -------
    ceiling : NoiseCeiling
        Its `value`, and the interval from `low` to `high`.

    Raises
    ------
    ValueError
        If the target does not say how many people judged, or how far they were apart,
        has no comparable pairs, or values cannot be used.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    compare_rankers : Has the ceiling as a row.

    Notes
    -----
    The interval is that of a jackknife over clusters, in at most 30 bunches, by Student's
    t. It says how sure the ceiling is for such data. The score on these very data is
    above or below it by chance, too.

    Of more than two million pairs, those of some items of each group are drawn.

    Raters are taken to be drawn anew for each item. Where the same people judged all
    items of a group, what one of them adds to all is in the spread, but not in
    the differences: bring each to the same mean first.

    ``benchmarks/inspection/ceiling.py`` measures how near it comes,
    ``docs/agreement_measures.md`` has the figures. Normal opinions are an assumption
    where the metric is not pairwise accuracy: if items come in clusters of equal quality,
    the ceiling of such a metric is too high. That of pairwise accuracy is too high where
    the true opinions of many pairs are the very same, which no number of raters can tell
    from nearly the same.

    References
    ----------
    .. [1] Hossfeld, Schatz, Egger, "SOS: The MOS is not enough!", QoMEX 2011,
       doi:10.1109/QoMEX.2011.6065690: how far raters are apart depends on the mean.

    Examples
    --------
    The means of four raters, whose ratings of an item have a deviation of 1, and what
    their true opinion reaches against these means:

    >>> import numpy as np
    >>> from sklearn_pscore import Groups
    >>> from sklearn_pscore.inspection import noise_ceiling
    >>> from sklearn_pscore.metrics import pairwise_accuracy_score
    >>> rng = np.random.default_rng(1)
    >>> truth = rng.normal(size=(200, 5, 1))
    >>> ratings = (truth + rng.normal(size=(200, 5, 4))).reshape(1000, 4)
    >>> items = {"prompt": np.repeat(np.arange(200), 5), "system": np.arange(1000) % 5}
    >>> groups = Groups.from_ratings(ratings, items)
    >>> print(noise_ceiling(groups, random_state=0))  # doctest: +NORMALIZE_WHITESPACE
    noise ceiling of pairwise_accuracy_score: 0.841
    (95% interval 0.819 to 0.863, 200 clusters)
    >>> round(pairwise_accuracy_score(groups, truth.ravel()), 3)
    0.838
    """
    caller = "noise_ceiling"
    check_level(level, caller)
    check_count(n_draws, "n_draws", caller)
    metric = pairwise_accuracy_score if metric is None else metric
    if not callable(metric):
        raise TypeError(
            f"metric is {metric!r:.60}; expected a function metric(groups, y_score), such "
            "as sklearn_pscore.metrics.dcg_score."
        )
    target = check_groups(groups, allow_plain=False, caller=caller)
    check_comparable(target, caller)
    warn_about_cut_groups(target, caller)
    opinions = mean_opinions(target, caller)
    rng = generator_of(random_state, caller)
    clusters = _clusters_of(cluster, groups, target, opinions, caller)
    n_clusters = int(clusters.max()) + 1
    n_bunches = min(n_clusters, _MOST_BUNCHES)
    bunch = (rng.permutation(n_clusters) % n_bunches)[clusters]
    if metric is pairwise_accuracy_score:
        value, *without = accuracy_ceilings(opinions, bunch, rng)
    else:
        value, *without = _drawn_ceilings(
            opinions, target, groups, metric, n_draws, bunch, rng
        )
    half = _half_width(np.array(without), level)
    low, high = value - half, value + half
    if metric is pairwise_accuracy_score:
        low, high = np.clip([low, high], 0.0, 1.0)
    return NoiseCeiling(
        float(value), float(low), float(high), level, _name_of(metric), n_clusters
    )


def _clusters_of(cluster, groups, target, opinions, caller):
    """Return the number of each item's cluster, 0, 1, ..."""
    codes = opinions.unit
    if cluster is not None:
        labels = row_labels(cluster, groups, target, "cluster", caller)
        codes = of_items(*labels, target, "cluster")[opinions.item]
        of_group = opinions.groups
        cut = np.flatnonzero(codes != of_group.spread(codes[of_group.start]))
        if len(cut):
            raise ValueError(
                f"cluster cuts the group {target.labels[opinions.group[cut[0]]]!s}: its "
                "items have different labels; expected clusters of whole groups. Pass "
                "coarser labels, or cluster=None for blocks."
            )
    return np.unique(codes, return_inverse=True)[1]


def _drawn_ceilings(opinions, target, groups, metric, n_draws, bunch, rng):
    """Return the mean over draws, and that without each bunch, by fewer draws."""
    # It warned once of cut groups: those that are left are as they are meant to be.
    groups = Groups.whole(groups)
    normals = draw_normals(opinions, n_draws, rng)
    value = drawn_ceiling(opinions, target, groups, metric, normals)
    n_bunches = int(bunch.max()) + 1
    if n_bunches == 1:
        return [value, np.nan]
    without = []
    of_row = np.full(target.n_rows, -1)
    of_item = np.empty(target.items.n_items, dtype=np.int64)
    of_item[opinions.item] = bunch
    counted = target.items.row_item >= 0
    of_row[counted] = of_item[target.items.row_item[counted]]
    of_group = bunch[opinions.groups.start]
    item_normal, group_normal = (part[:_FEW_DRAWS] for part in normals)
    for number in range(n_bunches):
        rows = counted & (of_row != number)
        part = check_groups(groups[rows], require_preference=False)
        kept = mean_opinions(part, "noise_ceiling")
        numbers = item_normal[:, bunch != number], group_normal[:, of_group != number]
        without.append(drawn_ceiling(kept, part, groups[rows], metric, numbers))
    return [value, *without]


def _half_width(without, level):
    """Return half of the interval of a jackknife; NaN if a part is all of it."""
    n = len(without)
    if n < 2 or not np.all(np.isfinite(without)):
        return np.nan
    error = np.sqrt((n - 1) ** 2 / n * np.var(without, ddof=1))
    return error * stats.t.ppf((1 + level) / 2, n - 1)


def _name_of(metric):
    while hasattr(metric, "func"):
        metric = metric.func
    return getattr(metric, "__name__", type(metric).__name__)
