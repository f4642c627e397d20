"""Leaderboards of systems, with the ranks that each may have."""

import numpy as np
import pandas as pd
import scipy.stats

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.cut_groups import warn_about_cut_groups
from sklearn_pscore._warn import warn_user
from sklearn_pscore.inspection._additive import connected_parts, system_means
from sklearn_pscore.inspection._arguments import check_count, check_level
from sklearn_pscore.inspection._classes import classes_of_equals
from sklearn_pscore.inspection._clusters import drawn_counts, of_items, row_labels
from sklearn_pscore.inspection._leaderboard_result import Leaderboard
from sklearn_pscore.inspection._rank_sets import (
    differing,
    pair_statistics,
    rank_sets,
    satterthwaite,
    shares_above,
    smoothed_draws,
)
from sklearn_pscore.metrics._checks import check_scores
from sklearn_pscore.metrics._items import item_scores

# Differences up to this are rounding, of values between -1 and 1.
_ROUNDING = 1e-10
# With fewer, sets of ranks are too small, by benchmarks/inspection/coverage.py.
_FEWEST_REFITS = 5
# Smallest weight as a share of the largest: with a smaller one, the fit loses digits.
_LIGHTEST = 1e-9


def bootstrap_leaderboard(
    groups,
    y_score=None,
    *,
    y_refits=None,
    item="item",
    n_boot=2000,
    level=0.95,
    cluster="group",
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
    cluster : str or array-like of shape (n_samples,), default="group"
        What the bootstrap draws: a field of the target, or a label per row, such as
        the portrait that several groups share. Rows of different clusters should be
        independent.
    random_state : int, RandomState instance or None, default=None
        Source of the draws. An integer gives the same result in every call.

    Returns
    -------
    leaderboard : Leaderboard
        Tables `systems`, `win_probability` and `is_better`.

    Raises
    ------
    ValueError
        If there are fewer than two systems or clusters, systems are not connected by
        groups, or values cannot be used.
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
    names, rows, refits = _checked_rows(
        groups, y_score, y_refits, item, cluster, caller
    )
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


def _checked_rows(groups, y_score, y_refits, item, cluster, caller):
    """Check the arguments; return the systems' names, and columns of the items.

    Returns
    -------
    names : ndarray of shape (n_systems,)
    rows : dict
        The arguments of :func:`system_means`.
    refits : ndarray of shape (n_refits, n_items), float, or None
        Scores of these items by each refit.
    """
    target = check_groups(
        groups, allow_plain=False, require_preference=False, caller=caller
    )
    labels, system = row_labels(item, groups, target, "item", caller)
    clusters = row_labels(cluster, groups, target, "cluster", caller)
    items = target.items
    system = of_items(labels, system, target, "item")
    cluster = of_items(*clusters, target, "cluster")
    if y_score is None:
        value = items.preference
    else:
        y_score = check_scores(y_score, target.n_rows, caller)
        value = item_scores(target, y_score)
    refits = _checked_refits(y_refits, y_score, target, caller)
    warn_about_cut_groups(target, caller)
    kept = np.flatnonzero(~np.isnan(value))
    _check_systems(items.group[kept], system[kept], labels, caller)
    _warn_of_lost(labels[np.setdiff1d(system, system[kept])].tolist(), caller)
    # A group of one system says nothing about systems.
    n_systems = _distinct_in_group(items.group[kept], system[kept], target.n_groups)
    kept = kept[n_systems[items.group[kept]] > 1]
    codes = {
        name: np.unique(codes[kept], return_inverse=True)[1]
        for name, codes in [("group", items.group), ("cluster", cluster)]
    }
    present, codes["system"] = np.unique(system[kept], return_inverse=True)
    if codes["cluster"].max() == 0:
        raise ValueError(
            f"All {len(kept)} items that count are in one cluster; {caller} draws "
            "clusters, and needs two or more. Pass other labels as cluster=."
        )
    weight = _scaled_weights(items.weight[kept], caller)
    rows = {"value": value[kept], "weight": weight, **codes}
    return labels[present], rows, None if refits is None else refits[:, kept]


def _checked_refits(y_refits, y_score, target, caller):
    """Return the scores of the items by each refit, None if there are none."""
    if y_refits is None:
        return None
    if y_score is None:
        raise ValueError(
            f"{caller} got y_refits without y_score; expected the scores that the refits "
            "are about. Pass y_score=model.predict(X), too."
        )
    refits = np.asarray(y_refits)
    if refits.ndim != 2 or refits.shape[1] < _FEWEST_REFITS:
        raise ValueError(
            f"y_refits has shape {refits.shape}; expected one row per row of the target, "
            f"and {_FEWEST_REFITS} columns or more, one per refit. Pass for example "
            "np.column_stack([model.predict(X) for model in refitted])."
        )
    return np.array(
        [
            item_scores(target, check_scores(column, target.n_rows, caller))
            for column in refits.T
        ]
    )


def _centred(values):
    """Return values between -1 and 1, the middle of their range, and half of it."""
    centre = values.max() / 2 + values.min() / 2
    scale = values.max() / 2 - values.min() / 2
    scale = scale if scale > 0 else 1.0
    return (values - centre) / scale, centre, scale


def _scaled_weights(weight, caller):
    """Divide weights by the largest; raise ValueError if they are too far apart."""
    scaled = weight / weight.max()
    if scaled.min() < _LIGHTEST:
        raise ValueError(
            f"weight is {weight.min():.3g} in one item and {weight.max():.3g} in another; "
            f"expected weights whose largest is at most {1 / _LIGHTEST:g} times the "
            f"smallest above 0 in {caller}. Set the smallest to 0, which leaves the rows "
            "out, or raise them."
        )
    return scaled


def _warn_of_lost(names, caller):
    """Warn of systems that nobody judged."""
    if names:
        warn_user(
            f"{caller} leaves out {len(names)} systems without a judged row: "
            f"{_some(names)}. Pass y_score to rank them by a score."
        )


def _check_systems(group, system, labels, caller):
    """Raise ValueError unless groups connect two systems or more to one another."""
    n_systems = len(np.unique(system))
    if n_systems < 2:
        raise ValueError(
            f"{caller} got {len(group)} items of {n_systems} systems; expected two or more "
            "systems to compare. Check the labels of item, and which rows count."
        )
    present, codes = np.unique(system, return_inverse=True)
    part = connected_parts(group, codes)
    if part.max() > 0:
        first, second = (labels[present[part == number]].tolist() for number in (0, 1))
        raise ValueError(
            f"The {n_systems} systems fall into {part.max() + 1} parts that share no "
            f"group, such as {_some(first)} and {_some(second)}; expected systems that "
            "groups connect, or their means cannot be compared. Pass the rows of one "
            "part, or check the labels of group."
        )


def _some(names):
    """Return the first names of a list as text."""
    return f"{names[:3]}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"


def _distinct_in_group(group, system, n_groups):
    """Return the number of systems in each group."""
    pairs = np.unique(np.column_stack([group, system]), axis=0)
    return np.bincount(pairs[:, 0], minlength=n_groups)


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
