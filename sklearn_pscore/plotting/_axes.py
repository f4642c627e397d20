"""Axes, names and neutral lines: the style that all pictures share.

Nothing here has a fixed black, white or grey: text and lines take their colours from
matplotlib's ``rcParams`` and are made lighter by their opacity alone, so that pictures
follow a dark style, and a page may turn black into its own colour of text.
"""

import textwrap
from os.path import commonprefix

import numpy as np

FAINT, SOFT = 0.15, 0.65
"""Opacity of grid lines, and of what is beside the point."""

LINE, LONGEST_LINE = 0.17, 32
"""Height in inches and most letters of a line of a name."""

ERROR_STYLE = {"elinewidth": 1.4, "capsize": 2.5, "capthick": 1.0}

_TALL, _LOW = 0.36, 0.185  # inches of a row, where there are few and where many
FEW_ROWS, _MANY = 12, 40
"""Up to this many rows are tall and told apart by colour."""

_MOST_LINES = 3
_WIDEST_LABEL, _NARROWEST_LABEL = 76, 24  # letters
_COMMON = 6  # letters kept at least of what all names begin or end with


def text_color():
    """Return the colour of text in the style that is set."""
    import matplotlib as mpl

    return mpl.rcParams["text.color"]


def new_axes(caller, *, figsize=None, **subplots):
    """Return the axes of a new figure that makes room for its texts.

    Parameters
    ----------
    caller : str
        Who draws, for the error where matplotlib is not installed.
    figsize : tuple of float or None, default=None
        Width and height in inches.
    **subplots : dict
        Passed to :func:`matplotlib.pyplot.subplots`.

    Returns
    -------
    axes : matplotlib Axes, or ndarray of them
        As ``subplots`` returns them.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{caller} needs matplotlib, which is not installed. Install it with: pip "
            "install matplotlib."
        ) from error
    return plt.subplots(figsize=figsize, layout="constrained", **subplots)[1]


def make_axes(ax, names, caller, *, n_more=0, label_lines=2):
    """Return `ax`, or new axes whose rows have room for these names.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Axes to draw into.
    names : sequence of str
        Names of the rows.
    caller : str
        Who draws, for the error where matplotlib is not installed.
    n_more : float, default=0
        Further rows, without a name.
    label_lines : int, default=2
        Lines of the label below.
    """
    if ax is not None:
        return ax
    height = row_height(names) * (len(names) + n_more)
    return new_axes(caller, figsize=(6.4, 0.6 + 0.2 * label_lines + height))


def row_height(names):
    """Return the height of a row in inches: less where there are many."""
    share = np.clip((len(names) - FEW_ROWS) / (_MANY - FEW_ROWS), 0, 1)
    n_lines = max(name.count("\n") for name in fit_names(names)) + 1
    height = _TALL + share * (_LOW - _TALL)
    return max(height, 0.04 + LINE * n_lines) if n_lines > 1 else height


def label_rows(ax, names, *, bold=None):
    """Write the names beside the rows, from the bottom up, and bare the axes.

    Parameters
    ----------
    ax : matplotlib Axes
    names : sequence of str
        Names in full, of the lowest row first.
    bold : sequence of bool or None, default=None
        Which names are set off.
    """
    labels = write_names(ax.yaxis, np.arange(len(names)), fit_names(names))
    for label in [] if bold is None else np.array(labels)[np.asarray(bold, bool)]:
        label.set_fontweight("bold")
    bare(ax, grid="x", sides=("bottom",))


def write_names(axis, places, names):
    """Write names along an axis as they are, without ticks.

    Parameters
    ----------
    axis : matplotlib Axis
        ``ax.xaxis`` or ``ax.yaxis``.
    places : sequence of float
        Where they stand.
    names : sequence of str
        A dollar sign in a name starts no formula.

    Returns
    -------
    labels : list of matplotlib Text
    """
    labels = [tick.label1 for tick in axis.set_ticks(places, names)]
    for label in labels:
        set_plain(label)
        if len(names) > FEW_ROWS:
            label.set_fontsize("small")
    axis.set_tick_params(length=0)
    return labels


def bare(ax, *, grid="both", sides=("bottom", "left")):
    """Leave the frame on these sides only, and a light grid behind the data."""
    if grid:
        ax.grid(axis=grid, color=text_color(), alpha=FAINT, linewidth=0.8)
    ax.set_axisbelow(True)
    for side, spine in ax.spines.items():
        spine.set_visible(side in sides)


def fit_names(names, *, n_lines=None, length=LONGEST_LINE):
    """Return names that fit beside a row; names that differ stay different.

    A name that is longer than a line is broken into up to three where there are few
    rows, and else loses its middle, or most of what all names have in common.

    Parameters
    ----------
    names : sequence of str
        Names in full.
    n_lines : int or None, default=None
        Lines that a name may take; None is three for up to 12 names, and else one.
    length : int, default=32
        Letters of a line.

    Returns
    -------
    fitted : list of str
        One text per name.
    """
    names = [" ".join(str(name).split()) for name in names]
    if n_lines is None:
        n_lines = _MOST_LINES if len(names) <= FEW_ROWS else 1
    different = len(set(names))
    fitted = [_fit(name, n_lines, length) for name in names]
    if len(set(fitted)) < different:
        names = _without_what_is_common(names, length)
    # More letters, as long as two names look the same.
    while len(set(fitted)) < different:
        fitted = [_fit(name, n_lines, length) for name in names]
        length += 1
    return fitted


def shade_rows(ax, classes):
    """Shade every second run of rows of one class, the one on top first.

    Parameters
    ----------
    ax : matplotlib Axes
    classes : ndarray of shape (n_rows,)
        Class of each row, of the lowest row first.

    Returns
    -------
    bands : list of matplotlib patches
        The shades, from the top down.
    """
    ends = np.flatnonzero(np.r_[True, classes[1:] != classes[:-1], True])
    runs = list(zip(ends[:-1], ends[1:], strict=True))[::-1]
    return [
        ax.axhspan(
            first - 0.5, last - 0.5, color=text_color(), alpha=0.07, lw=0, zorder=0
        )
        for first, last in runs[::2]
    ]


def label_below(ax, text, beside=()):
    """Write a label below axes with names in rows, as wide as names and axes together.

    Parameters
    ----------
    ax : matplotlib Axes
        With the names of its rows.
    text : str
        Lines that are broken further where they are too wide.
    beside : sequence of matplotlib Text
        What is written to the right of the axes.
    """
    spec = ax.get_subplotspec()
    n_columns = 1 if spec is None else spec.get_gridspec().ncols
    width = ax.figure.bbox.width / n_columns
    left, right = _widest(ax.get_yticklabels()), _widest(beside)
    # In the middle of all, not of the axes, which long names push aside.
    middle = (width / 2 - left) / max(width - left - right, 0.2 * width)
    label = ax.xaxis.label
    n_letters = _WIDEST_LABEL
    while True:
        lines = [_balanced(line, n_letters) for line in text.split("\n")]
        ax.set_xlabel("\n".join(lines))
        # After set_xlabel, which puts it in the middle of the axes.
        label.set_x(middle)
        if _widest([label]) < 0.96 * width or n_letters <= _NARROWEST_LABEL:
            return
        n_letters -= 4


def _widest(texts):
    """Return how wide the widest of some texts is, in pixels."""
    return max((text.get_window_extent().width for text in texts), default=0)


def name_of_score(name):
    """Return the name of a score as people write it: "DCG", "pairwise accuracy"."""
    name = str(name).removesuffix("_score")
    return name.upper() if name in ("dcg", "ndcg", "mrr") else name.replace("_", " ")


def format_number(value):
    """Format a number as the tables of a comparison do."""
    return f"{value:.3f}"


def set_plain(text):
    """Show a text as it is: a dollar sign in a name starts no formula."""
    text.set_parse_math(False)
    return text


def mark_values(ax, marks, first_row, step=0.75):
    """Draw named vertical lines, each with its name in a row of its own on top.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes whose data are drawn, with their limits in x.
    marks : list of (value, text, linestyle)
        The lines.
    first_row : float
        Height of the lowest name; the limit in y is set above the last one.
    step : float, default=0.75
        Height from name to name.

    Returns
    -------
    lines, texts : list of matplotlib Line2D, list of matplotlib Text
        In the order of `marks`.
    """
    low, high = ax.get_xlim()
    bottom = ax.get_ylim()[0]
    color = text_color()
    lines, texts = [], []
    for number, (value, text, linestyle) in enumerate(marks):
        row = first_row + step * number
        lines += ax.plot(
            [value, value],
            [bottom, row + step / 2],
            color=color,
            alpha=SOFT,
            linestyle=linestyle,
            linewidth=1.2,
            zorder=1,
            scalex=False,
            scaley=False,
        )
        # On the side where there is more room.
        is_right = value - low > high - value
        texts.append(
            ax.annotate(
                text,
                (value, row),
                xytext=(-4 if is_right else 4, 0),
                textcoords="offset points",
                ha="right" if is_right else "left",
                va="center",
                fontsize="small",
                color=color,
            )
        )
        set_plain(texts[-1])
    ax.set_ylim(bottom, first_row + step * max(len(marks) - 0.5, 0) if marks else None)
    return lines, texts


def _balanced(line, width):
    """Break a line into as few as this width needs, of about the same length."""
    n_lines = len(textwrap.wrap(line, width))
    while len(textwrap.wrap(line, width - 1)) == n_lines:
        width -= 1
    return textwrap.fill(line, width)


def _without_what_is_common(names, length):
    """Return names of which what all begin and end with is cut to fit a line."""
    head = len(commonprefix(names))
    tail = len(commonprefix([name[head:][::-1] for name in names]))
    own = max(map(len, names)) - head - tail
    keep = max((length - own - 2) // 2, _COMMON)
    shown = []
    for name in names:
        start, end = name[:head], name[len(name) - tail :]
        if head > keep + 1:
            start = start[:keep].rstrip() + "…"
        if tail > keep + 1:
            end = "…" + end[-keep:].lstrip()
        shown.append(start + name[head : len(name) - tail] + end)
    return shown


def _fit(name, n_lines, length):
    """Return a name in this many lines of this many letters."""
    if len(name) <= length:
        return name
    if n_lines > 1:
        lines = textwrap.wrap(name, length, break_on_hyphens=False)
        if len(lines) <= n_lines:
            return "\n".join(lines)
    room = n_lines * length
    if len(name) > room:
        head = room // 2
        name = name[:head].rstrip() + "…" + name[len(name) - room + head + 1 :].lstrip()
    return "\n".join(name[i : i + length] for i in range(0, len(name), length))
