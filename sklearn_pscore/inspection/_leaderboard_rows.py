"""The rows of a leaderboard: checked arguments as columns of its items."""

import numpy as np

from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.cut_groups import warn_about_cut_groups
from sklearn_pscore._warn import warn_user
from sklearn_pscore.inspection._additive import connected_parts
from sklearn_pscore.inspection._clusters import cluster_labels, of_items, row_labels
from sklearn_pscore.metrics._checks import check_scores
from sklearn_pscore.metrics._items import item_scores

# With fewer, sets of ranks are too small, by benchmarks/inspection/coverage.py.
_FEWEST_REFITS = 5
# Smallest weight as a share of the largest: with a smaller one, the fit loses digits.
_LIGHTEST = 1e-9


def checked_rows(groups, y_score, y_refits, item, cluster, caller):
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
    clusters = cluster_labels(cluster, groups, target, caller)
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
    _check_clusters(codes["cluster"], codes["system"], caller)
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


def _check_clusters(cluster, system, caller):
    """Raise ValueError if each cluster holds a single system."""
    if _distinct_in_group(cluster, system, int(cluster.max()) + 1).max() == 1:
        raise ValueError(
            f"cluster has {cluster.max() + 1} labels, each of rows of a single system; "
            f"expected clusters that hold several, for {caller} tells by them how much "
            "the difference of two systems varies. Pass what was drawn when the data were "
            'made, such as cluster="group", or labels of prompts or portraits.'
        )


def _some(names):
    """Return the first names of a list as text."""
    return f"{names[:3]}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"


def _distinct_in_group(group, system, n_groups):
    """Return the number of systems in each group."""
    pairs = np.unique(np.column_stack([group, system]), axis=0)
    return np.bincount(pairs[:, 0], minlength=n_groups)
