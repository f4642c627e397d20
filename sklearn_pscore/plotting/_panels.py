"""A panel for each of several things, all of one vertical scale."""

import numpy as np

from sklearn_pscore.plotting._axes import bare, new_axes

_WIDTH, _HEIGHT = 2.5, 1.9  # inches of a panel, without its title
_LINE = 0.17  # inches of a line of a title
_MOST_COLUMNS = 4


def make_panels(ax, n_panels, caller, title_lines=1):
    """Return axes that share their vertical scale, in the order of reading.

    Parameters
    ----------
    ax : matplotlib Axes, array-like of Axes or None
        One is divided, several are taken as they are, None makes a figure.
    n_panels : int
    caller : str
        Who draws, for the errors.
    title_lines : int, default=1
        Lines of the longest title, for the height of a new figure.

    Returns
    -------
    panels : ndarray of shape (n_panels,) of Axes
    """
    given = () if ax is None else np.asarray(ax, dtype=object).ravel()
    if len(given) > 1:
        if len(given) != n_panels:
            raise ValueError(
                f"ax holds {len(given)} axes but {caller} draws {n_panels} panels; "
                "expected one for each, or a single one to be divided. Pass ax=None for a "
                "new figure."
            )
        panels = given
    else:
        n_columns = _columns_of(n_panels, _most_columns(*given))
        shape = -(-n_panels // n_columns), n_columns
        panels = (
            _divided(given[0], shape)
            if len(given)
            else new_axes(
                caller,
                figsize=(
                    max(4.2, 0.6 + _WIDTH * shape[1]),
                    0.5 + (_HEIGHT + _LINE * title_lines) * shape[0],
                ),
                nrows=shape[0],
                ncols=shape[1],
                sharey=True,
                squeeze=False,
            )
        )
        panels = np.ravel(panels)
        for panel in panels[n_panels:]:
            panel.remove()
        panels = panels[:n_panels]
    for panel in panels:
        bare(panel)
    return panels


def _most_columns(ax=None):
    """Return how many panels have room beside one another in given axes."""
    if ax is None:
        return _MOST_COLUMNS
    width = ax.get_position().width * ax.figure.get_figwidth()
    return int(np.clip(width // (0.9 * _WIDTH), 1, _MOST_COLUMNS))


def _columns_of(n_panels, most):
    """Return the number of columns: those that leave few places empty."""
    most = min(n_panels, most)
    return min(range(max(1, most - 1), most + 1), key=lambda n: (-n_panels % n, -n))


def _divided(ax, shape):
    """Return axes in the place of one, which is switched off."""
    spec = ax.get_subplotspec()
    if spec is None:
        raise ValueError(
            "ax has a place of its own in the figure and cannot be divided into panels; "
            "expected axes made by plt.subplots, or one for each panel. Pass ax=None for a "
            "new figure."
        )
    ax.set_axis_off()
    grid = spec.subgridspec(*shape)
    return grid.subplots(sharey=True, squeeze=False)
