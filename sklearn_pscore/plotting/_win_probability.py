"""Picture of how sure each system is above each other one."""

import numpy as np

from sklearn_pscore.plotting._axes import (
    FEW_ROWS,
    LINE,
    bare,
    fit_names,
    new_axes,
    text_color,
    write_names,
)
from sklearn_pscore.plotting._boards import BoardDisplay, check_board

# From light to dark, so that grey paper shows the same order.
_COLORS = ("#f1f5f9", "#7fb1d6", "#00335a")
# On a light cell and on a dark one. No pure black: a page may turn that around.
_INK = ("#16202a", "#f1f5f9")
_NARROWEST = 0.26  # inches of a cell that a number of three digits fits in
# Inches of a letter, and of what stands beside and below the matrix.
_LETTER, _BAR, _BELOW = 0.075, 1.2, 0.75
_TICKS = (1, 2, 5, 10, 20, 50, 100)
_MOST_TICKS = 30


class WinProbabilityDisplay(BoardDisplay):
    """Matrix of the probability that the row's system is above the column's.

    Build it with :meth:`from_leaderboard`, :meth:`from_predictions` or
    :meth:`from_estimator`, or from a matrix of your own. All parameters are stored as
    attributes. Systems have a number beside their name, by which columns go.

    Parameters
    ----------
    names : array-like of shape (n_systems,), str
        Names of the systems, the best first.

    win_probability : array-like of shape (n_systems, n_systems)
        Probability that the row's system is above the column's, from 0 to 1. The
        diagonal is not drawn, and neither is what is NaN.

    classes : array-like of shape (n_systems,) or None, default=None
        Number of the class of each system; neighbours of one class, which do not
        differ, stand in a frame. None draws no frames.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the matrix.
    figure_ : matplotlib Figure
        Figure of these axes.
    image_ : matplotlib AxesImage
        The matrix; darker is more probable.
    colorbar_ : matplotlib Colorbar
        What the shades mean.
    texts_ : list of matplotlib Text
        Percentages in the cells, row by row; empty where they do not fit.
    frames_ : list of matplotlib Rectangle
        Frames of the classes that hold several systems, the best first.

    Raises
    ------
    ValueError
        If shapes do not fit, or a value is no probability.

    See Also
    --------
    LeaderboardDisplay : Draws means with intervals and ranks.
    sklearn_pscore.inspection.bootstrap_leaderboard : Makes the matrix.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn_pscore.plotting import WinProbabilityDisplay
    >>> display = WinProbabilityDisplay(
    ...     names=["ours", "theirs"], win_probability=[[0.5, 0.93], [0.07, 0.5]]
    ... ).plot()
    >>> [text.get_text() for text in display.texts_]
    ['93', '7']
    """

    def __init__(self, *, names, win_probability, classes=None):
        self.names = names
        self.win_probability = win_probability
        self.classes = classes

    @classmethod
    def from_leaderboard(cls, board, *, ax=None, show_values=None, **kwargs):
        """Draw the matrix of a leaderboard.

        Parameters
        ----------
        board : Leaderboard
            Result of :func:`~sklearn_pscore.inspection.bootstrap_leaderboard`.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        show_values : bool or None, default=None
            Whether to write percentages into the cells; None writes them if they fit.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : WinProbabilityDisplay
            Drawn, with its artists.
        """
        check_board(board, f"{cls.__name__}.from_leaderboard")
        display = cls(
            names=board.systems["item"].astype(str).to_numpy(),
            win_probability=board.win_probability.to_numpy(),
            classes=board.systems["class"].to_numpy(),
        )
        return display.plot(ax, show_values=show_values, **kwargs)

    def plot(self, ax=None, *, show_values=None, **kwargs):
        """Draw the matrix.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure of fitting size.
        show_values : bool or None, default=None
            Whether to write percentages into the cells; None writes them if they fit.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.imshow`.

        Returns
        -------
        self : WinProbabilityDisplay
            The same object, with its artists.
        """
        names, matrix = self._checked()
        n_systems = len(names)
        if ax is None:
            cell = max(0.42 - 0.005 * n_systems, 0.14, 1.8 / n_systems)
        else:
            box = ax.get_window_extent()
            cell = min(box.width, box.height) / ax.figure.dpi / n_systems
        # As many lines of a name as are in a cell, up to three.
        n_lines = int(np.clip(cell / LINE, 1, 3))
        rows = [
            f"{name}  {number}"
            for number, name in enumerate(fit_names(names, n_lines=n_lines), 1)
        ]
        if ax is None:
            side = cell * n_systems
            longest = max(len(line) for name in rows for line in name.split("\n"))
            beside = _LETTER * longest + _BAR
            ax = new_axes(
                f"{type(self).__name__}.plot", figsize=(side + beside, side + _BELOW)
            )
        self.ax_, self.figure_ = ax, ax.figure
        self.image_ = self._draw_image(matrix, kwargs)
        self._label(rows)
        is_shown = cell >= _NARROWEST if show_values is None else show_values
        self.texts_ = self._write_values(matrix) if is_shown else []
        self.frames_ = [] if self.classes is None else self._draw_frames()
        return self

    def _checked(self):
        """Return names and the matrix with an empty diagonal."""
        names = np.asarray(self.names, dtype=str)
        matrix = np.array(self.win_probability, dtype=float)
        if names.ndim != 1 or not len(names):
            raise ValueError(
                f"names has shape {names.shape}; expected one name per system, at least "
                "one. Pass names=[...]."
            )
        if matrix.shape != (len(names), len(names)):
            raise ValueError(
                f"win_probability has shape {matrix.shape} but there are {len(names)} "
                "names; expected one row and one column per name. Pass for example "
                "board.win_probability of a leaderboard."
            )
        np.fill_diagonal(matrix, np.nan)
        bad = matrix[(matrix < 0) | (matrix > 1)]
        if len(bad):
            raise ValueError(
                f"win_probability has the value {bad[0]:g}; expected values from 0 to 1. "
                "Divide percentages by 100."
            )
        if self.classes is not None and len(self.classes) != len(names):
            raise ValueError(
                f"classes has length {len(self.classes)} but there are {len(names)} "
                "names; expected one per system. Pass classes in the order of names."
            )
        return names, matrix

    def _draw_image(self, matrix, options):
        from matplotlib.colors import LinearSegmentedColormap

        colors = LinearSegmentedColormap.from_list("win_probability", _COLORS)
        style = {"cmap": colors, "vmin": 0, "vmax": 1, "interpolation": "nearest"}
        # Cells of a figure of our own are square by its size. With an equal aspect the
        # layout would leave no room for long names.
        style["aspect"] = "auto"
        image = self.ax_.imshow(matrix, **{**style, **options})
        self.colorbar_ = self.figure_.colorbar(
            image, ax=self.ax_, shrink=0.8, aspect=24, ticks=[0, 0.25, 0.5, 0.75, 1]
        )
        self.colorbar_.ax.set_yticklabels(["0 %", "25 %", "50 %", "75 %", "100 %"])
        self.colorbar_.set_label("P(row is above column)")
        self.colorbar_.outline.set_visible(False)
        return image

    def _label(self, rows):
        """Write names and numbers beside the rows, and numbers below the columns."""
        n_systems = len(rows)
        write_names(self.ax_.yaxis, np.arange(n_systems), rows)
        step = next(step for step in _TICKS if n_systems <= _MOST_TICKS * step)
        columns = np.arange(step - 1, n_systems, step)
        write_names(self.ax_.xaxis, columns, [str(1 + column) for column in columns])
        bare(self.ax_, grid=None, sides=())
        self.ax_.set_xlabel("column: the system of this number")

    def _write_values(self, matrix):
        """Write the percentages of all pairs into their cells."""
        is_dark = matrix > 0.6
        size = "small" if len(matrix) <= FEW_ROWS else "x-small"
        return [
            self.ax_.text(
                column,
                row,
                _percent(matrix[row, column]),
                ha="center",
                va="center",
                fontsize=size,
                color=_INK[int(is_dark[row, column])],
            )
            for row, column in zip(*np.nonzero(~np.isnan(matrix)), strict=True)
        ]

    def _draw_frames(self):
        """Frame the neighbours of one class on the diagonal."""
        from matplotlib.patches import Rectangle

        classes = np.asarray(self.classes)
        ends = np.flatnonzero(np.r_[True, classes[1:] != classes[:-1], True])
        frames = [
            Rectangle(
                (first - 0.5, first - 0.5),
                size,
                size,
                fill=False,
                edgecolor=text_color(),
                linewidth=1.6,
                clip_on=False,
            )
            for first, size in zip(ends, np.diff(ends), strict=False)
            if size > 1
        ]
        return [self.ax_.add_patch(frame) for frame in frames]


def _percent(share):
    """Return a share in whole per cent; what is not sure is never 0 or 100."""
    number = f"{100 * share:.0f}"
    if number == "100" and share < 1:
        return ">99"
    return "<1" if number == "0" and share > 0 else number
