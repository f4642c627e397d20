"""The matrix of who is above whom: its values, numbers, frames, and what fits."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pictures import LONG, assert_inside, assert_no_overlap, make_board

from sklearn_pscore import SingleMetricRanker
from sklearn_pscore.plotting import WinProbabilityDisplay


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def row_names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def test_matrix_of_a_leaderboard():
    board, _ = make_board(5)
    display = WinProbabilityDisplay.from_leaderboard(board)
    drawn = display.image_.get_array()
    expected = board.win_probability.to_numpy()
    off = ~np.eye(5, dtype=bool)
    assert_allclose(np.asarray(drawn)[off], expected[off])
    assert np.isnan(np.asarray(drawn).diagonal()).all()
    names = board.systems["item"]
    assert row_names(display.ax_) == [f"{n}  {i}" for i, n in enumerate(names, 1)]
    columns = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert columns == ["1", "2", "3", "4", "5"]
    assert display.image_.get_clim() == (0, 1)
    assert display.colorbar_.ax.get_ylabel() == "P(row is above column)"
    assert display.ax_.get_xlabel() == "column: the system of this number"
    assert display.figure_ is display.ax_.figure
    assert_inside(display.figure_)


def test_cells_hold_percentages_and_nothing_unsure_is_certain():
    matrix = [[0.5, 0.9996, 1.0], [0.0004, 0.5, 0.724], [0.0, 0.276, 0.5]]
    display = WinProbabilityDisplay(names=list("abc"), win_probability=matrix).plot()
    texts = [text.get_text() for text in display.texts_]
    assert texts == [">99", "100", "<1", "72", "0", "28"]
    assert [text.get_position() for text in display.texts_][:3] == [
        (1, 0),
        (2, 0),
        (0, 1),
    ]
    assert display.frames_ == []


def luminance(rgb):
    return np.asarray(rgb)[..., :3] @ [0.2126, 0.7152, 0.0722]


def test_darker_is_more_probable_and_numbers_show_on_their_cells():
    matrix = np.full((6, 6), 0.5)
    shares = np.linspace(0, 1, 15)
    matrix[np.triu_indices(6, 1)] = shares
    display = WinProbabilityDisplay(names=list("abcdef"), win_probability=matrix).plot()
    image = display.image_
    colors = image.cmap(image.norm(shares))
    # In grey, too.
    assert (np.diff(luminance(colors)) < 0).all()
    for text in display.texts_:
        column, row = text.get_position()
        cell = luminance(image.cmap(image.norm(matrix[row, column])))
        ink = luminance(plt.matplotlib.colors.to_rgb(text.get_color()))
        assert abs(cell - ink) > 0.3


def test_frames_are_around_classes_of_several():
    matrix = np.full((5, 5), 0.5)
    display = WinProbabilityDisplay(
        names=list("abcde"), win_probability=matrix, classes=[1, 1, 2, 3, 3]
    ).plot()
    boxes = [(*frame.get_xy(), frame.get_width()) for frame in display.frames_]
    assert boxes == [(-0.5, -0.5, 2), (2.5, 2.5, 2)]


@pytest.mark.parametrize(
    ("n_systems", "are_shown", "numbered"),
    [(3, True, 3), (20, True, 20), (60, False, 30)],
)
def test_numbers_are_shown_where_they_fit(n_systems, are_shown, numbered):
    board, _ = make_board(n_systems)
    display = WinProbabilityDisplay.from_leaderboard(board)
    assert bool(display.texts_) == are_shown
    assert len(display.ax_.get_xticks()) == numbered
    shown = [int(label.get_text()) - 1 for label in display.ax_.get_xticklabels()]
    assert_array_equal(shown, display.ax_.get_xticks())
    display = WinProbabilityDisplay.from_leaderboard(board, show_values=not are_shown)
    assert bool(display.texts_) != are_shown


def test_numbers_fit_into_given_axes_or_are_left_out():
    board, _ = make_board(8)
    for size, are_shown in ((6, True), (1.5, False)):
        _, ax = plt.subplots(figsize=(size, size))
        display = WinProbabilityDisplay.from_leaderboard(board, ax=ax, alpha=0.5)
        assert display.ax_ is ax
        assert display.image_.get_alpha() == 0.5
        assert bool(display.texts_) == are_shown


@pytest.mark.parametrize("n_systems", [3, 60])
@pytest.mark.parametrize("name", ["s{:02d}", LONG])
def test_nothing_overlaps_or_is_outside(n_systems, name):
    board, _ = make_board(n_systems, name)
    display = WinProbabilityDisplay.from_leaderboard(board)
    assert len(set(row_names(display.ax_))) == n_systems
    assert_inside(display.figure_)
    assert_no_overlap(display.figure_, display.ax_.get_yticklabels())
    assert_no_overlap(display.figure_, display.ax_.get_xticklabels())
    box = display.ax_.get_window_extent()
    # Cells are about square.
    assert 0.75 < box.width / box.height < 1.35
    widths = [text.get_window_extent().width for text in display.texts_]
    assert all(width < box.width / n_systems for width in widths)


def test_matrix_of_predictions_and_of_a_model():
    board, groups = make_board(4)
    off = ~np.eye(4, dtype=bool)
    expected = board.win_probability.to_numpy()[off]
    display = WinProbabilityDisplay.from_predictions(groups, random_state=0)
    # Other draws than those of make_board, by their number.
    assert_allclose(np.asarray(display.image_.get_array())[off], expected, atol=0.1)
    X = groups["preference"][:, None]
    model = SingleMetricRanker(0, "larger").fit(X, groups)
    other = WinProbabilityDisplay.from_estimator(model, X, groups, random_state=0)
    assert_allclose(other.image_.get_array(), display.image_.get_array())


BAD = {
    "no system": ([], [], None, "names has shape (0,); expected one name per system"),
    "no square": (
        ["a", "b"],
        [[0.5, 0.5]],
        None,
        "win_probability has shape (1, 2) but there are 2 names",
    ),
    "percentages": (
        ["a", "b"],
        [[50, 93], [7, 50]],
        None,
        "win_probability has the value 93; expected values from 0 to 1. Divide",
    ),
    "classes": (
        ["a", "b"],
        [[0.5, 0.9], [0.1, 0.5]],
        [1],
        "classes has length 1 but there are 2 names",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused(case):
    names, matrix, classes, message = BAD[case]
    display = WinProbabilityDisplay(
        names=names, win_probability=matrix, classes=classes
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        display.plot()
    assert plt.get_fignums() == []


def test_what_is_no_leaderboard_is_refused():
    message = "board is of type list; expected a leaderboard for WinProbabilityDisplay"
    with pytest.raises(TypeError, match=re.escape(message)):
        WinProbabilityDisplay.from_leaderboard([])
