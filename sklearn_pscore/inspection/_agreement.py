"""Comparing scores by how well they agree with people: paired, and with intervals."""

from collections.abc import Mapping
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.cut_groups import warn_about_cut_groups
from sklearn_pscore.inspection._agreement_result import AgreementComparison
from sklearn_pscore.inspection._arguments import check_count, check_level
from sklearn_pscore.inspection._classes import classes_of_equals, holm
from sklearn_pscore.inspection._clusters import cluster_labels, drawn_counts, of_items
from sklearn_pscore.inspection._measure import measure_of
from sklearn_pscore.inspection._swaps import drawn_swaps, standardised, swap_test
from sklearn_pscore.inspection._williams import williams_test
from sklearn_pscore.metrics import pairwise_accuracy_score
from sklearn_pscore.metrics._checks import check_choice, check_scores

_ALTERNATIVES = ("two-sided", "greater")
_CORRECTIONS = ("holm", None)


def compare_agreement(
    groups,
    scores_by_method,
    *,
    metric=None,
    n_boot=2000,
    n_permutations=None,
    level=0.95,
    alternative="two-sided",
    correction="holm",
    cluster="block",
    random_state=None,
    **options,
):
    """Compare metrics or models by how well their scores agree with people.

    All are judged on the same items, so their differences are paired. Intervals are
    percentiles of a bootstrap that draws whole clusters, blocks by default. Tests
    swap the two scores item by item after each was brought to mean 0 and deviation 1
    inside each group: PERM-BOTH [1]_. Where the metric is a correlation over the
    items of one group, or over all items, Williams' test [2]_ is reported as well; it
    takes items for independent.

    Two methods differ if the adjusted p-value is small *and* the interval of their
    difference does not hold zero: the test takes the items of a group for exchangeable,
    the interval does not, and it knows of clusters. The table sorts the methods into
    classes; a class ends where a method differs from one of it.

    Parameters
    ----------
    groups : structured ndarray or array-like of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`, judged, or plain preferences
        of one single group.
    scores_by_method : dict of str to array-like of shape (n_samples,), or DataFrame
        Score of each row by the name of its method, larger is preferred. Turn the
        sign of a metric of which smaller values are better.
    metric : callable or None, default=None
        ``metric(groups, y_score, *, average=True, **options)``, a mean over groups, of
        :mod:`sklearn_pscore.metrics` or your own; larger is better, except for
        :func:`~sklearn_pscore.metrics.rmse`,
        :func:`~sklearn_pscore.metrics.pairwise_log_loss` and
        :func:`~sklearn_pscore.metrics.pairwise_brier_score`. None is
        :func:`~sklearn_pscore.metrics.pairwise_accuracy_score`; of a target of votes,
        the last three are means over all votes, and a cluster weighs its votes.
    n_boot : int, default=2000
        Number of draws of the bootstrap.
    n_permutations : int or None, default=None
        Number of permutations of each test; all are taken, and none is drawn, if there
        are not more. The least p-value is one over this number. None is 1,000, or as
        many as let adjusted p-values be half of one minus `level`: 11,040 for the 276
        pairs of 24 methods.
    level : float, default=0.95
        Level of the intervals, each by itself. One minus it is the level of the tests.
    alternative : {"two-sided", "greater"}, default="two-sided"
        "greater" tests whether the method of the larger value is better. As the data
        have chosen it, that is right only where it was named before.
    correction : {"holm", None}, default="holm"
        How the p-values are adjusted for the number of pairs; None leaves them.
    cluster : str, array-like of shape (n_samples,) or None, default="block"
        What the bootstrap draws: a field of the target, or a label per row. "block" is
        the groups where the target has no blocks, or a single one, and None is the
        groups. Both are the items where all are in one group.
    random_state : int, RandomState instance or None, default=None
        Source of the draws. An integer gives the same result in every call.
    **options
        Options of the metric, for example ``k=3``, or ``within="all"`` and
        ``mapping="logistic"`` for a correlation. A map is fitted once, to all items,
        and held in draws and permutations.

    Returns
    -------
    comparison : AgreementComparison
        Tables `methods` and `pairs`.

    Raises
    ------
    ValueError
        If values cannot be used, or a cluster cuts a group inside of which the metric
        is taken.
    TypeError
        If an argument is of the wrong type, or the metric does not take an option.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    sklearn_pscore.model_selection.compare_rankers : Fits the models, too.

    References
    ----------
    .. [1] Deutsch, Dror, Roth, "A Statistical Analysis of Summarization Evaluation
       Metrics Using Resampling Methods", TACL 9, 2021, arXiv:2104.00054.
    .. [2] Graham, Baldwin, "Testing for Significance of Increased Correlation with
       Human Judgment", EMNLP 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_pscore import Groups
    >>> from sklearn_pscore.inspection import compare_agreement
    >>> rng = np.random.default_rng(0)
    >>> liked = rng.normal(size=200)
    >>> groups = Groups.from_arrays(group=np.arange(200) // 5, preference=liked)
    >>> scores = {"noisy": liked + 3 * rng.normal(size=200)}
    >>> scores["clear"] = liked + rng.normal(size=200)
    >>> compare_agreement(groups, scores, random_state=0).to_frame()["method"].tolist()
    ['clear', 'noisy']
    """
    caller = "compare_agreement"
    check_count(n_boot, "n_boot", caller)
    if n_permutations is not None:
        check_count(n_permutations, "n_permutations", caller)
    check_level(level, caller)
    check_choice(alternative, _ALTERNATIVES, "alternative", caller)
    check_choice(correction, _CORRECTIONS, "correction", caller)
    rng = generator_of(random_state, caller)
    metric = pairwise_accuracy_score if metric is None else metric
    while isinstance(metric, partial) and not metric.args:
        metric, options = metric.func, {**metric.keywords, **options}
    if not callable(metric):
        raise TypeError(
            f"metric is {metric!r}, a {type(metric).__name__}; expected a function "
            "metric(groups, y_score, ...). Pass for example "
            "sklearn_pscore.metrics.spearman_score."
        )
    names, target, row_scores = _checked_scores(groups, scores_by_method, caller)
    measure = measure_of(metric, options, groups, target, row_scores, caller)
    clusters = _clusters_of(measure, cluster, groups, target, caller)
    of_groups = measure.values(measure.scores)
    values = measure.mean(of_groups)
    order = np.argsort(values if measure.smaller_is_better else -values, kind="stable")
    n_clusters = int(clusters.max()) + 1
    drawn = np.concatenate(
        [
            _drawn_values(measure, of_groups, clusters, counts)
            for counts in drawn_counts(n_clusters, n_boot, rng)
        ],
        axis=1,
    )
    if n_permutations is None:
        n_permutations = _enough_permutations(len(names), level, correction)
    swaps = drawn_swaps(measure.groups, n_permutations, rng)
    pairs = _pairs(measure, names, values, order, drawn, swaps, level, alternative)
    for column in ("p", "williams_p"):
        if column in pairs:
            adjust = holm if correction == "holm" else np.copy
            place = pairs.columns.get_loc(column) + 1
            pairs.insert(place, f"{column}_adjusted", adjust(pairs[column].to_numpy()))
    place = pairs.columns.get_loc("p_adjusted") + 1
    # 1 - level is a little off in binary.
    is_unlikely = pairs["p_adjusted"] <= 1 - level + 1e-12
    pairs.insert(place, "differs", is_unlikely & ~_holds_zero(pairs))
    return AgreementComparison(
        methods=_methods(names, values, order, drawn, level, pairs),
        pairs=pairs,
        metric=_metric_name(metric, options),
        level=level,
        correction=correction,
        alternative=alternative,
        n_clusters=n_clusters,
        n_permutations=len(swaps),
    )


def _checked_scores(groups, scores_by_method, caller):
    """Return the names of the methods, the target, and the scores of its rows."""
    if isinstance(scores_by_method, Mapping):
        names, columns = list(scores_by_method), scores_by_method
    else:
        # Of pandas and polars, and of Arrow.
        names = getattr(scores_by_method, "columns", None)
        names = getattr(scores_by_method, "column_names", names)
        columns = scores_by_method
    if names is None or callable(names):
        raise TypeError(
            f"scores_by_method is of type {type(scores_by_method).__name__}; expected a "
            "dict of scores by the names of the methods, or a DataFrame. Pass for example "
            '{"SSIM": ssim, "PS": ranker.predict(X)}.'
        )
    names = list(names)
    if len({str(name) for name in names}) < len(names):
        raise ValueError(
            f"scores_by_method has the names {names}, one of them twice; expected one "
            "column per method. Rename it."
        )
    if len(names) < 2:
        raise ValueError(
            f"scores_by_method has {len(names)} methods; expected two or more to compare. "
            "For one, call the metric."
        )
    target = check_groups(groups, caller=caller)
    warn_about_cut_groups(target, caller)
    scores = [_of_method(columns, name, target, caller) for name in names]
    return [str(name) for name in names], target, np.array(scores)


def _of_method(columns, name, target, caller):
    """Return the scores of one method, or raise the error that names it."""
    try:
        return check_scores(columns[name], target.n_rows, caller)
    except (TypeError, ValueError) as error:
        # A subclass may take other arguments.
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"scores_by_method[{name!r}] cannot be compared: {error} Or leave {name!r} "
            "out, or such rows of all scores and of groups."
        ) from error


def _clusters_of(measure, cluster, groups, target, caller):
    """Return the cluster of each group, or of each item where there is one group."""
    n_groups = len(measure.groups.size)
    is_default = cluster is None or (isinstance(cluster, str) and cluster == "block")
    if is_default and len(np.unique(target.items.group[measure.item])) == 1:
        codes = np.arange(len(measure.item))
    else:
        cluster = "group" if cluster is None else cluster
        labels = cluster_labels(cluster, groups, target, caller)
        codes = of_items(*labels, target, "cluster")[measure.item]
    codes = np.unique(codes, return_inverse=True)[1]
    if codes.max() == 0:
        raise ValueError(
            f"All {len(codes)} items that count are in one cluster; {caller} draws "
            "clusters, and needs two or more. Pass other labels as cluster=."
        )
    if n_groups == 1:
        if not measure.weight_repeats:
            raise ValueError(
                f"All items are in one group, and a draw of items has no meaning for "
                f"{measure.metric.__name__}; expected several groups, or a metric that "
                "counts pairs or correlates. Pass metric=spearman_score."
            )
        return codes
    of_group = codes[measure.groups.start]
    bad = np.flatnonzero(codes != measure.groups.spread(of_group))
    if len(bad):
        label = target.labels[target.items.group[measure.item[bad[0]]]]
        raise ValueError(
            f"cluster cuts the group {label}: its items have different labels, but the "
            "metric is taken inside of groups; expected clusters of whole groups. Pass "
            "coarser labels, or within='all' with a correlation."
        )
    return of_group


def _drawn_values(measure, of_groups, clusters, counts):
    """Return the metric of each method in each draw of clusters.

    Parameters
    ----------
    measure : Measure
    of_groups : ndarray of shape (n_methods, n_groups), float
        Its values.
    clusters : ndarray of shape (n_groups,) or (n_items,), int
        See :func:`_clusters_of`.
    counts : ndarray of shape (n_boot, n_clusters), float

    Returns
    -------
    drawn : ndarray of shape (n_methods, n_boot), float
        NaN where a draw holds no two different preferences.
    """
    times = counts[:, clusters]
    if len(measure.groups.size) > 1:
        weight = times * measure.group_weight
        return of_groups @ weight.T / weight.sum(axis=1)
    weight = times * measure.weight
    return np.array(
        [
            measure.values(np.broadcast_to(score, weight.shape), weight)[:, 0]
            for score in measure.scores
        ]
    )


def _enough_permutations(n_methods, level, correction):
    """Return so many permutations that adjusted p-values can be small."""
    n_tests = n_methods * (n_methods - 1) // 2 if correction else 1
    return max(1000, int(np.ceil(np.round(2 * n_tests / (1 - level), 6))))


def _pairs(measure, names, values, order, drawn, swaps, level, alternative):
    """Return a row per pair of methods, the better one first."""
    scores = standardised(measure)
    tails = [(1 - level) / 2, (1 + level) / 2]
    # Items of one group or of no group: one correlation, with a test of its own.
    has_williams = measure.is_correlation and len(measure.groups.size) == 1
    rows = []
    for first, second in combinations(order, 2):
        low, high = np.nanquantile(drawn[first] - drawn[second], tails)
        row = {
            "method": names[first],
            "other": names[second],
            "difference": values[first] - values[second],
            "low": low,
            "high": high,
            "p": swap_test(measure, scores[first], scores[second], swaps, alternative),
        }
        if has_williams:
            r = _correlation_between(measure, first, second)
            row["williams_t"], row["williams_p"] = williams_test(
                values[first], values[second], r, len(measure.item), alternative
            )
        rows.append(row)
    return pd.DataFrame(rows)


def _correlation_between(measure, first, second):
    """Return the correlation of the scores of two methods, 0 if one is constant."""
    scores = measure.scores[[first, second]]
    if (np.ptp(scores, axis=1) == 0).any():
        return 0.0
    return measure.metric(*scores, **measure.options)


def _holds_zero(pairs):
    """Tell whether the interval of each pair's difference holds zero."""
    return (pairs["low"] <= 0) & (pairs["high"] >= 0)


def _methods(names, values, order, drawn, level, pairs):
    """Return a row per method, the best first, with its interval and class."""
    n = len(names)
    differs = np.zeros((n, n), dtype=bool)
    upper = np.triu_indices(n, 1)
    differs[upper] = pairs["differs"]
    differs |= differs.T
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=1)
    return pd.DataFrame(
        {
            "method": [names[place] for place in order],
            "value": values[order],
            "low": low[order],
            "high": high[order],
            "class": classes_of_equals(differs),
        }
    )


def _metric_name(metric, options):
    shown = [f"{name}={value!r}" for name, value in options.items()]
    return ", ".join([metric.__name__, *shown])
