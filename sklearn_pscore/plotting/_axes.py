"""Axes with one named row per entry, and the style of all pictures."""

import numpy as np

COLOR = "#33638d"
MUTED = "0.45"
_ROW_HEIGHT = 0.36  # inches
ERROR_STYLE = {"elinewidth": 1.0, "capsize": 2.5, "capthick": 1.0}


def make_axes(ax, n_rows, caller):
    """Return `ax`, or new axes that give every row the same height."""
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{caller} needs matplotlib, which is not installed. Install it with: pip "
            "install matplotlib."
        ) from error
    figsize = (6.4, 1.1 + _ROW_HEIGHT * n_rows)
    return plt.subplots(figsize=figsize, layout="constrained")[1]


def label_rows(ax, names):
    """Write the names beside the rows; draw no frame, only a light vertical grid."""
    ax.set_yticks(np.arange(len(names)), names)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)


def format_number(value):
    """Format a number as the tables of a comparison do."""
    return f"{value:.3f}"
