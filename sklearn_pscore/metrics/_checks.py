"""Checks of a metric's arguments: scores, options, preferences for a gain."""

import numbers

import numpy as np

from sklearn_pscore._target.check import check_groups, is_structured
from sklearn_pscore._target.columns import (
    exact_floats,
    kind_of,
    list_as_array,
    refuse_masked,
)
from sklearn_pscore._target.cut_groups import warn_about_cut_groups
from sklearn_pscore.metrics._gains import GAINS


def check_scored(groups, y_score, caller):
    """Check a target and the scores of its rows.

    Parameters
    ----------
    groups : structured ndarray or array-like of shape (n_rows,)
        Every row that is no donor and has a weight must be judged.
    y_score : array-like of shape (n_rows,)
    caller : str
        Name of the metric, for the messages.

    Returns
    -------
    target : RankingTarget
    y_score : ndarray of shape (n_rows,), float64

    Raises
    ------
    TypeError, ValueError
        As :func:`check_groups` and :func:`check_scores` do.

    Warns
    -----
    UserWarning
        If a group is cut.
    """
    target = check_groups(groups, caller=caller)
    y_score = check_scores(y_score, target.n_rows, caller)
    warn_about_cut_groups(target, caller)
    return target, y_score


def check_scores(y_score, n_rows, caller):
    """Return the scores as finite float64, one per row of the target.

    Raises
    ------
    TypeError
        If `y_score` does not hold real numbers.
    ValueError
        If its shape or length is wrong, or a score is NaN or infinite.
    """
    refuse_masked(y_score, "y_score")
    if isinstance(y_score, (list, tuple)):
        y_score = list_as_array(y_score, "y_score")
    y_score = np.asarray(y_score)
    if is_structured(y_score):
        raise TypeError(
            f"y_score is a structured array with the fields {list(y_score.dtype.names)}; "
            f"expected one number per row. The target goes first: {caller}(groups, "
            "y_score)."
        )
    if y_score.ndim == 0 and y_score.dtype.kind in "OSU":
        raise TypeError(
            f"y_score is {kind_of(y_score.item())}; expected one score per row, shape "
            f"({n_rows},). Pass a list or an array in the order of the rows."
        )
    y_score = exact_floats(y_score, "y_score")
    if y_score.ndim != 1:
        raise ValueError(
            f"y_score has shape {y_score.shape}; expected one score per row, shape "
            f"({n_rows},). Pass a single column, for example y_score[:, 0]."
        )
    if len(y_score) != n_rows:
        raise ValueError(
            f"y_score has {len(y_score)} entries but groups has {n_rows}; expected one "
            "score per row of the target. Score the rows that the target describes, "
            "donors included."
        )
    bad = np.flatnonzero(~np.isfinite(y_score))
    if len(bad):
        raise ValueError(
            f"y_score is {y_score[bad[0]]} at row {bad[0]}; expected finite numbers. "
            "Check X for missing values and the model for a training that diverged."
        )
    return y_score


def check_depth(k, caller):
    """Return `k`, which is None or an integer of at least 1, as int64 at most."""
    if k is None:
        return None
    is_int = isinstance(k, numbers.Integral) and not isinstance(k, bool)
    if not is_int or k < 1:
        raise (ValueError if is_int else TypeError)(
            f"The 'k' parameter of {caller} must be an int in the range [1, inf) or "
            f"None. Got {k!r} instead."
        )
    return min(int(k), np.iinfo(np.int64).max)


def check_average(average, caller):
    """Raise TypeError unless `average` is a bool."""
    if not isinstance(average, (bool, np.bool_)):
        raise TypeError(
            f"The 'average' parameter of {caller} must be a bool. Got {average!r} "
            "instead."
        )


def check_level(level, caller):
    """Raise unless the level of the intervals is between 0 and 1."""
    is_real = isinstance(level, numbers.Real) and not isinstance(
        level, (bool, np.bool_)
    )
    if not is_real or not 0 < level < 1:
        raise (ValueError if is_real else TypeError)(
            f"The 'level' parameter of {caller} must be a float in the range (0, 1). Got "
            f"{level!r} instead."
        )


def check_choice(value, choices, name, caller):
    """Raise unless a value is one of the choices, which are strings and None."""
    if not (value is None or isinstance(value, str)) or value not in choices:
        words = ", ".join(repr(word) for word in choices if word is not None)
        raise (ValueError if isinstance(value, str) else TypeError)(
            f"The {name!r} parameter of {caller} must be a str among {{{words}}}"
            f"{' or None' if None in choices else ''}. Got {value!r} instead."
        )


def check_gain(gain, caller):
    """Raise unless `gain` names one of the gains."""
    if not isinstance(gain, str) or gain not in GAINS:
        raise (ValueError if isinstance(gain, str) else TypeError)(
            f"The 'gain' parameter of {caller} must be a str among "
            f"{{{', '.join(map(repr, GAINS))}}}. Got {gain!r} instead."
        )


def check_gainable(target, gain, caller):
    """Raise ValueError if a preference is negative or too large for `gain`."""
    if gain == "rank":
        return
    preference = target.preference
    negative = np.flatnonzero(target.is_counted & (preference < 0))
    if len(negative):
        raise ValueError(
            f"preference is {preference[negative[0]]} at row {negative[0]}; {caller} with "
            f"gain={gain!r} needs preferences >= 0. Shift them (preference - "
            "preference.min()), or use gain='rank'."
        )
    # The sum over rows that all have the largest preference must not overflow.
    if gain == "linear":
        limit = np.finfo(np.float64).max / max(target.n_rows, 1)
    else:
        limit = np.finfo(np.float64).maxexp - 1 - (target.n_rows - 1).bit_length()
    too_large = np.flatnonzero(target.is_counted & (preference > limit))
    if len(too_large):
        raise ValueError(
            f"preference is {preference[too_large[0]]} at row {too_large[0]}; {caller} "
            f"with gain={gain!r} takes at most {limit:g} for {target.n_rows} rows, beyond "
            "that a sum of gains overflows. Scale them down, or use gain='rank'."
        )
