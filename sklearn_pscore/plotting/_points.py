"""Points with error bars in rows, each in the style of its method."""

import numpy as np

from sklearn_pscore.plotting._axes import ERROR_STYLE, FEW_ROWS
from sklearn_pscore.plotting._colors import (
    BLUE,
    GREY,
    MethodStyle,
    known_name,
    style_of,
    styles_of,
)

_PLAIN = MethodStyle(GREY, "o", "", "-")
_SYSTEM, _OUR_SYSTEM = MethodStyle(BLUE, "o", "", "-"), MethodStyle(BLUE, "D", "", "-")

# Options of errorbar that say how points look.
_POINT_OPTIONS = {"fmt", "color", "c", "marker", "ms", "markersize", "mfc"}


def method_styles(names):
    """Return the style of each method; where there are many, unknown ones are grey."""
    if len(names) <= FEW_ROWS:
        styles = styles_of(names)
        return [styles[name] for name in names.tolist()]
    return [_PLAIN if known_name(name) is None else style_of(name) for name in names]


def system_styles(ours):
    """Return the style of each system: ours are diamonds, and the others then grey."""
    plain = _PLAIN if ours.any() else _SYSTEM
    return [_OUR_SYSTEM if is_set_off else plain for is_set_off in ours]


def draw_points(ax, means, ends, styles, ours, options):
    """Draw the error bars and on them the points.

    Parameters
    ----------
    ax : matplotlib Axes
    means : ndarray of shape (n_rows,)
        Of the lowest row first.
    ends : tuple of ndarray of shape (n_rows,)
        The lower and the upper end of each error bar, NaN where there is none.
    styles : list of MethodStyle
    ours : ndarray of shape (n_rows,), bool
        Which points are larger.
    options : dict
        For ``errorbar``; options of points draw all of them alike.

    Returns
    -------
    errorbar : matplotlib ErrorbarContainer
        Its data line holds the points.
    points : list of matplotlib Line2D
        One per row; empty if `options` say how points look.
    """
    is_own = bool(_POINT_OPTIONS & options.keys())
    if is_own:
        style = {"fmt": "o", "color": BLUE, "markersize": 6, **ERROR_STYLE, **options}
    else:
        # A line without a marker: it holds the points for who asks.
        plain = {"linestyle": "none", "marker": "", "ecolor": GREY}
        style = {**plain, **ERROR_STYLE, **options}
    rows, (lows, highs) = np.arange(len(means)), ends
    bars = [means - lows, highs - means] if np.isfinite(lows).any() else None
    errorbar = ax.errorbar(means, rows, xerr=bars, **style)
    points = []
    for row, each in enumerate([] if is_own else styles):
        points += ax.plot(
            means[row],
            row,
            marker=each.marker,
            color=each.color,
            markersize=9 if ours[row] else 6,
            linestyle="none",
            zorder=4,
        )
    return errorbar, points
