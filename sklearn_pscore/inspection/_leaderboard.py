"""Leaderboards of systems, with the ranks that each may have."""

import numpy as np
import pandas as pd
import scipy.stats

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore.inspection._additive import system_means
from sklearn_pscore.inspection._arguments import check_count, check_level
from sklearn_pscore.inspection._classes import classes_of_equals
from sklearn_pscore.inspection._clusters import drawn_counts
from sklearn_pscore.inspection._leaderboard_result import Leaderboard
from sklearn_pscore.inspection._leaderboard_rows import checked_rows
from sklearn_pscore.inspection._rank_sets import (
    differing,
    pair_statistics,
    rank_sets,
    satterthwaite,
    shares_above,
    smoothed_draws,
)

# Differences up to this are rounding, of values between -1 and 1.
_ROUNDING = 1e-10


def bootstrap_leaderboard(
    groups,
    y_score=None,
    *,
    y_refits=None,
    item="item",
    n_boot=2000,
    level=0.95,
    cluster="block",
    random_state=None,
):
    """Rank systems by their mean preference or score, and say how sure that is.

    The mean of a system is adjusted for the groups that it was in: it is the one of a
    least-squares fit of a level for each group and one for each system, and the plain
    mean if every group holds all systems. It is that of all data; the bootstrap
    draws whole clusters, and moves the means by what each cluster adds to them.

    The confidence sets of the ranks hold simultaneously [1]_: with probability
    `level`, or more, all true ranks are in their sets. Two systems differ if their
    difference is beyond a limit for all pairs together, the one that the sets of
    ranks are made by. Pairs are judged by Student's t of their clusters, so that few
    clusters make wide sets.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    groups : structured ndarray of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`. Rows of one (group, item) are
        averaged first. Donors, rows of weight zero, and groups of a single system are
        left out, without `y_score` also rows that were not judged.
    y_score : array-like of shape (n_samples,) or None, default=None
        Score of each row, for a leaderboard of scores. None takes the preferences.
    y_refits : array-like of shape (n_samples, n_refits) or None, default=None
        Scores of the same rows by the same model, fitted again to draws of its
        training data, such as blocks drawn with replacement; five columns at least, and
        ten for sets of ranks that hold what they promise. The means stay those of
        `y_score`, and what refits move them by is added to their uncertainty. None
        takes the scores for certain.
    item : str or array-like of shape (n_samples,), default="item"
        The system of each row: a field of the target, or a label per row.
    n_boot : int, default=2000
        Number of draws of the bootstrap.
    level : float, default=0.95
        Level of each interval of a mean, and of all sets of ranks together.
    cluster : str or array-like of shape (n_samples,), default="block"
        What the bootstrap draws: a field of the target, or a label per row. "block" is
        the groups where the target has no blocks, or a single one. Rows of different
        clusters should be independent.
    random_state : int, RandomState instance or None, default=None
        Source of the draws. An integer gives the same result in every call.

    Returns
    -------
    leaderboard : Leaderboard
        Tables `systems`, `win_probability` and `is_better`.

    Raises
    ------
    ValueError
        If there are fewer than two systems or clusters, each cluster holds a single
        system, systems are not connected by groups, or values cannot be used.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made, or nobody judged a system.

    See Also
    --------
    compare_agreement : Which score agrees better with people.

    Notes
    -----
    `more_groups` extrapolates: with as many groups more, like those that are there,
    the difference of two neighbours would just reach the limit for all pairs. If it is
    as large as it seems, they are then told apart in one of two cases.

    Without `y_refits`, the uncertainty of a score is that of the items which it was
    given to; that of the training of the model is not in it.
    :func:`cross_fitted_scores` makes both.

    With few clusters that say who won, the interval of a mean is too narrow: where the
    best of a group has 10 and the others 0, that of 95 % holds the mean in 85 of 100
    cases with 20 groups and 91 with 50, for a system that has won in three of them says
    little of how often it wins. It is right from some 100 on, and sets of ranks are
    right with 20, in ``docs/leaderboard.md``.

    References
    ----------
    .. [1] Mogstad, Romano, Shaikh, Wilhelm, "Inference for Ranks with Applications to
       Mobility across Neighbourhoods and Academic Achievement across Countries",
       Review of Economic Studies 91, 2024, doi:10.1093/restud/rdad006.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_pscore import Groups
    >>> from sklearn_pscore.inspection import bootstrap_leaderboard
    >>> rng = np.random.default_rng(0)
    >>> preference = rng.normal(size=(50, 3)) + [2, 0, 0]
    >>> groups = Groups.from_arrays(
    ...     group=np.repeat(np.arange(50), 3),
    ...     item=np.tile(["ours", "old", "older"], 50),
    ...     preference=preference.ravel(),
    ... )
    >>> board = bootstrap_leaderboard(groups, random_state=0)
    >>> board.systems[["item", "rank_low", "rank_high"]].values.tolist()
    [['ours', 1, 1], ['older', 2, 3], ['old', 2, 3]]
    """
    caller = "bootstrap_leaderboard"
    check_count(n_boot, "n_boot", caller)
    check_level(level, caller)
    rng = generator_of(random_state, caller)
    names, rows, refits = checked_rows(groups, y_score, y_refits, item, cluster, caller)
    rows["value"], centre, scale = _centred(rows["value"])
    means = system_means(**rows)
    # Equal means in the order of their names.
    order = np.lexsort((np.arange(len(names)), -np.round(means.mean / _ROUNDING)))
    mean, n_clusters = means.mean[order], means.n_clusters[order]
    contrast, influence = means.contrast[:, order], means.influence[:, order]
    both = np.hstack([contrast, influence])
    drawn = [counts @ both for counts in drawn_counts(len(both), n_boot, rng)]
    deviation, moved = np.hsplit(np.concatenate(drawn), 2)
    smoothed, variance = smoothed_draws(contrast, deviation, rng)
    degrees = n_clusters - 1
    if refits is not None:
        refits = _moved_by(refits, rows, centre, scale)[:, order]
        # Normal draws of their covariance: picking one of a few has too few values.
        parts = refits / np.sqrt(len(refits))
        of_model = rng.standard_normal((n_boot, len(refits))) @ parts
        deviation, moved = deviation + of_model, moved + of_model
        own, of_own = smoothed_draws(parts, of_model, rng)
        smoothed, variance = smoothed + own, variance + of_own
        degrees = satterthwaite(
            np.sum(influence**2, axis=0),
            np.maximum(degrees, 1),
            np.mean(refits**2, axis=0),
            len(refits) - 1,
        )
    statistics = pair_statistics(mean, contrast, n_clusters, _ROUNDING, refits)
    spread = np.where(np.isinf(statistics.error), np.inf, np.sqrt(variance))
    is_better, limit = differing(statistics.normal, smoothed, spread, level)
    share = shares_above(mean, deviation, _ROUNDING)
    low, high = _intervals(moved, degrees, level)
    low[n_clusters < 2], high[n_clusters < 2] = -np.inf, np.inf
    lowest, highest = rank_sets(is_better)
    n_groups = int(rows["group"].max()) + 1
    names = names[order]
    systems = pd.DataFrame(
        {
            "item": names,
            "mean": centre + scale * mean,
            "low": centre + scale * (mean + low),
            "high": centre + scale * (mean + high),
            "rank": 1 + np.sum(statistics.difference < 0, axis=1),
            "rank_low": lowest,
            "rank_high": highest,
            "class": classes_of_equals(is_better | is_better.T),
            "beats_next": _with_none_last(np.diag(share, 1)),
            "differs_from_next": [*np.diag(is_better, 1).tolist(), False],
            "more_groups": _with_none_last(_more_groups(statistics, limit, n_groups)),
            "n_groups": means.n_groups[order],
        }
    )
    return Leaderboard(
        systems=systems,
        win_probability=pd.DataFrame(share, names, names),
        is_better=pd.DataFrame(is_better, names, names),
        of="preference" if y_score is None else "score",
        level=level,
        n_groups=n_groups,
        n_clusters=len(contrast),
        n_boot=n_boot,
    )


def _moved_by(refits, rows, centre, scale):
    """Return by how much each refit moves the means of systems.

    The deviations from their mean are scaled, so that the mean of their squares is the
    variance.
    """
    means = [
        system_means(**{**rows, "value": (value - centre) / scale}).mean
        for value in refits
    ]
    moved = means - np.mean(means, axis=0)
    return moved * np.sqrt(len(moved) / (len(moved) - 1))


def _centred(values):
    """Return values between -1 and 1, the middle of their range, and half of it."""
    centre = values.max() / 2 + values.min() / 2
    scale = values.max() / 2 - values.min() / 2
    scale = scale if scale > 0 else 1.0
    return (values - centre) / scale, centre, scale


def _intervals(deviation, degrees, level):
    """Return how far the ends of each mean's interval are from it.

    They are percentiles of the draws, as much wider as Student's t is than the normal.
    """
    tail = (1 - level) / 2
    ends = np.quantile(deviation, [tail, 1 - tail], axis=0)
    wider = scipy.stats.t.isf(tail, np.maximum(degrees, 1))
    return ends * wider / scipy.stats.norm.isf(tail)


def _more_groups(statistics, limit, n_groups):
    """Return how many groups more would part each system from the next."""
    normal = np.diag(statistics.normal, 1)
    difference, error = np.diag(statistics.difference, 1), np.diag(statistics.error, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        times = (limit * error / difference) ** 2
        more = np.ceil(n_groups * (times - 1))
    more[difference == 0] = np.inf
    return np.where(normal > limit, 0.0, np.maximum(more, 1.0))


def _with_none_last(values):
    """Append NaN: the last system has no next."""
    return np.append(values, np.nan)
