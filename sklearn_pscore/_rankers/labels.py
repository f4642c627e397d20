"""The labels that rankers of other libraries are trained on."""

import numpy as np

from sklearn_pscore._segments import Segments, level_in_group
from sklearn_pscore._warn import warn_user

# Labels that LightGBM has a gain for if `label_gain` is not set, and those whose
# exponential gain XGBoost can count.
_LIGHTGBM_LABELS, _XGBOOST_LABELS = 31, 32
_LIGHTGBM_LOSSES = ("lambdarank", "rank_xendcg", "xendcg", "xe_ndcg", "xe_ndcg_mart")
# Rows of a group that LightGBM can rank.
_LIGHTGBM_ROWS = 10_000
# Preferences that differ by less than this share of the largest range in a group are
# means of the same ratings, but for rounding.
_ROUNDING = 1e-6
# What CatBoost takes as labels, by loss; every other loss takes all numbers.
_CATBOOST_RANGES = {"QuerySoftMax": (0.0, np.inf), "QueryCrossEntropy": (0.0, 1.0)}
_MORE_LABELS = {
    "lightgbm": "label_gain=list(range({n})) of LGBMRanker takes them all",
    "xgboost": "ndcg_exp_gain=False, or objective='rank:pairwise', takes them all",
}


def labels_of(library, rows, name="groups", is_judged=False):
    """Return what a ranker takes for the preferences of rows.

    The preference itself where the library takes any number. Where it takes the
    integers 0, 1, ... only: the preferences if they are such, or else their dense
    levels inside each group, neighbours merged if there are too many.

    Parameters
    ----------
    library : Library
    rows : GroupedRows
    name : str
        Name of the target, for the messages.
    is_judged : bool, default=False
        Whether the rows are to be judged by NDCG, and not trained on.

    Returns
    -------
    label : ndarray of shape (n_rows,), float

    Raises
    ------
    ValueError
        If the library takes no such number, or no group of that size.
    """
    _check_sizes(library, rows, name)
    most = most_labels(library, is_judged)
    preference = rows.preference
    if most is None:
        _check_range(library, rows, name)
        return preference
    if np.all((preference >= 0) & (preference == np.floor(preference))) and (
        preference.max() < min(most, 2.0**24)
    ):
        return preference
    return _dense_levels(library, rows, most, name)


def most_labels(library, is_judged=False):
    """Return how many labels 0, 1, ... a ranker takes; None if any number is one."""
    parameters = library.parameters
    if library.name == "lightgbm" and library.loss in _LIGHTGBM_LOSSES:
        gain = parameters.get("label_gain")
        gain = gain.split(",") if isinstance(gain, str) else gain
        # LightGBM reads no gain at all as its default.
        return _LIGHTGBM_LABELS if gain is None or not len(gain) else len(gain)
    if library.name == "xgboost":
        if library.loss == "rank:map":
            return 2
        is_linear = parameters.get("ndcg_exp_gain") in (False, 0)
        if (library.loss == "rank:ndcg" or is_judged) and not is_linear:
            return _XGBOOST_LABELS
        return np.inf
    # Losses that heed the order only get what float32 holds.
    return np.inf if library.loss in ("PairLogit", "PairLogitPairwise") else None


def _check_sizes(library, rows, name):
    """Raise ValueError for a group that has more rows than LightGBM ranks."""
    largest = int(rows.groups.size.max())
    ranks = library.name == "lightgbm" and library.loss in _LIGHTGBM_LOSSES
    if ranks and largest > _LIGHTGBM_ROWS:
        raise ValueError(
            f"{name} has a group of {largest} rows; {library.loss} of "
            f"{type(library.ranker).__name__} takes {_LIGHTGBM_ROWS} at most. Make smaller "
            "groups, or pass XGBRanker or CatBoostRanker, which have no such limit."
        )


def _dense_levels(library, rows, most, name):
    """Return the levels of preference in each group, 0 for the least preferred."""
    order = np.lexsort((rows.preference, rows.groups.index))
    level = level_in_group(rows.groups.index, rows.preference[order])
    n_levels = level[rows.groups.start + rows.groups.size - 1] + 1
    is_above = n_levels > most
    if np.any(is_above):
        remedy = _MORE_LABELS[library.name].format(n=n_levels.max())
        warn_user(
            f"{name} has {n_levels.max()} levels of preference in a group, and more than "
            f"{most} in {np.sum(is_above)} of {len(n_levels)} groups; {library.loss} of "
            f"{type(library.ranker).__name__} takes {most} at most, so neighbours are "
            f"merged there. {remedy}."
        )
        n_levels = rows.groups.spread(n_levels)
        level = np.where(n_levels > most, level * int(most) // n_levels, level)
    label = np.empty(len(level))
    label[order] = level
    return label


def _check_range(library, rows, name):
    """Raise ValueError for preferences that the library does not take as labels."""
    kind = type(library.ranker).__name__
    if library.name == "catboost" and library.loss in _CATBOOST_RANGES:
        lowest, highest = _CATBOOST_RANGES[library.loss]
        is_bad = (rows.preference < lowest) | (rows.preference > highest)
        if np.any(is_bad):
            raise ValueError(
                f"{name} has the preference {rows.preference[is_bad][0]:g}; {library.loss} "
                f"of {kind} takes labels from {lowest:g} to {highest:g}. Rescale the "
                "preferences, or pass another loss, such as loss_function='PairLogit'."
            )
    if library.name is not None:
        _check_float32(rows, kind, name)


def _check_float32(rows, kind, name):
    """Raise ValueError for preferences that float32, of which libraries make labels, loses.

    Those of one group that only rounding tells apart become ties, with a warning.
    """
    order = np.lexsort((rows.preference, rows.groups.index))
    group, preference = rows.groups.index[order], rows.preference[order]
    with np.errstate(over="ignore"):
        single = preference.astype(np.float32)
    infinite = np.flatnonzero(~np.isfinite(single))
    if len(infinite):
        raise ValueError(
            f"{name} has the preference {preference[infinite[0]]!s}; {kind} takes labels "
            "as float32, which cannot hold it. Scale the preferences."
        )
    merged = Segments.of_equal(group, single)
    width = preference[merged.start + merged.size - 1] - preference[merged.start]
    if not np.any(width > 0):
        return
    first, last = rows.groups.start, rows.groups.start + rows.groups.size - 1
    most = np.max(preference[last] - preference[first])
    widest = np.argmax(width)
    if width[widest] > _ROUNDING * most:
        lower = preference[merged.start[widest]]
        raise ValueError(
            f"{name} has the preferences {lower!s} and {lower + width[widest]!s}; {kind} "
            "takes labels as float32, which cannot tell them apart. Subtract the mean of "
            "each group, or scale the preferences."
        )
    n_levels = len(Segments.of_equal(group, preference).size) - len(merged.size)
    warn_user(
        f"{name} has {n_levels} pairs of neighbouring preferences in a group that differ "
        f"by less than {_ROUNDING:g} of the range; {kind} takes labels as float32, so "
        "each of them is a tie. Round the preferences to silence this."
    )
