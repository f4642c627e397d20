"""The values of a leaderboard: checked, and as arrays of one length."""

from difflib import get_close_matches

import numpy as np

from sklearn_pscore.plotting._colors import is_ours

_PER_NAME = ("ranks", "classes")


def leaderboard_values(board):
    """Return names, means and the two ends of the error bars.

    Parameters
    ----------
    board : LeaderboardDisplay
        With the parameters that it was made by.

    Returns
    -------
    names : ndarray of shape (n_methods,), str
    means, lows, highs : ndarray of shape (n_methods,), float
        Ends are NaN where there is no error bar.

    Raises
    ------
    ValueError
        If lengths differ, there is no method, or a mean is outside of its error bar.
    """
    names = np.asarray(board.names, dtype=str)
    if names.ndim != 1 or not len(names):
        raise ValueError(
            f"names has shape {names.shape}; expected one name per method, at least "
            "one. Pass names=[...]."
        )
    given = [n for n in ("stds", "lows", "highs") if getattr(board, n) is not None]
    if given not in ([], ["stds"], ["lows", "highs"]):
        raise ValueError(
            f"{' and '.join(given)} were passed; expected stds alone, or lows and "
            "highs. Pass half the length of the error bars, or both of their ends."
        )
    means = _numbers(board.means, "means", names)
    if board.lows is None:
        half = _numbers(board.stds, "stds", names)
        lows, highs = means - half, means + half
    else:
        lows = _numbers(board.lows, "lows", names)
        highs = _numbers(board.highs, "highs", names)
    for label in _PER_NAME:
        values = getattr(board, label)
        if values is not None and len(values) != len(names):
            raise ValueError(
                f"{label} has length {len(values)} but there are {len(names)} names; "
                f"expected one per method. Pass {label} in the order of names."
            )
    is_drawn = np.isfinite(lows) & np.isfinite(highs) & np.isfinite(means)
    bad = np.flatnonzero(is_drawn & ((lows > means) | (highs < means)))
    if len(bad):
        first = bad[0]
        raise ValueError(
            f"the error bar of {str(names[first])!r} is from {lows[first]:g} to "
            f"{highs[first]:g}, without its mean {means[first]:g}; expected the mean "
            "between both ends. Pass stds >= 0, or lows <= means <= highs."
        )
    return names, means, *(np.where(is_drawn, v, np.nan) for v in (lows, highs))


def _numbers(values, label, names):
    """Return a parameter as one float per name; NaN where it is None."""
    if values is None:
        return np.full(len(names), np.nan)
    values = np.asarray(values, dtype=float)
    if values.shape != names.shape:
        raise ValueError(
            f"{label} has shape {values.shape} but there are {len(names)} names; "
            f"expected one value per method. Pass {label} in the order of names."
        )
    return values


def highlighted(names, chosen):
    """Return which of the names are set off.

    Parameters
    ----------
    names : ndarray of shape (n_methods,), str
    chosen : str, sequence of str or None
        None takes those of the Preference Score.

    Returns
    -------
    is_set_off : ndarray of shape (n_methods,), bool

    Raises
    ------
    ValueError
        If a chosen name is not among the names.
    """
    if chosen is None:
        return np.array([is_ours(name) for name in names])
    chosen = [chosen] if isinstance(chosen, str) else list(map(str, chosen))
    for name in chosen:
        if name not in names.tolist():
            near = get_close_matches(name, names.tolist(), 1) or [str(names[-1])]
            raise ValueError(
                f"highlight has {name!r}, which is no name of the leaderboard; "
                f"expected some of its {len(names)} names. Pass for example "
                f"highlight={near}."
            )
    return np.array([name in chosen for name in names.tolist()])
