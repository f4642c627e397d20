"""Pictures: the numbers on the artists, their order, and what is refused."""

import re
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore.model_selection import RankerComparison
from sklearn_pscore.plotting import ImportanceDisplay, LeaderboardDisplay


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def make_comparison(truth="GT"):
    """Two methods, two seeds, two folds, two metrics."""
    methods = ["PS"] * 4 + ["RS"] * 2
    seeds = [1, 1, 2, 2, None, None]
    folds = [0, 1, 0, 1, 0, 1]
    dcg = [8.0, 9.0, 9.0, 10.0, 9.5, 9.7]
    if truth is not None:
        methods, seeds = [truth] * 2 + methods, [None] * 2 + seeds
        folds, dcg = [0, 1, *folds], [10.27, 10.27, *dcg]
    rows = pd.DataFrame({"method": methods, "seed": seeds, "fold": folds, "DCG": dcg})
    rows = rows.assign(MRR=1.0, fit_seconds=0.0).astype({"seed": "Int64"})
    return RankerComparison(rows, ("MRR", "DCG"), truth, "fold")


def row_names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def error_ends(container):
    """Return the two ends of each horizontal error bar that is there."""
    (bars,) = container[2]
    drawn = [segment for segment in bars.get_segments() if len(segment)]
    return np.array([segment[:, 0] for segment in drawn])


def assert_inside(figure, ax, artists):
    """Check that nothing is drawn beyond the edge of the figure."""
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    for artist in [*artists, *ax.get_yticklabels(), ax.xaxis.label]:
        box = artist.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


@pytest.mark.parametrize("over", [None, "fold", "seed"])
def test_leaderboard_shows_the_table_of_a_comparison(over):
    comparison = make_comparison()
    display = LeaderboardDisplay.from_comparison(comparison, over=over)
    table = comparison.table(over=over)["DCG"].loc[["PS", "RS"]]
    if over == "seed":
        # RS takes no seed: one run, no spread.
        table.loc["RS", "std"] = np.nan
    assert row_names(display.ax_) == ["PS", "RS"]
    points = display.errorbar_[0]
    assert_allclose(points.get_xdata(), table["mean"])
    assert_array_equal(points.get_ydata(), [0, 1])
    low, high = (table["mean"] - table["std"]), (table["mean"] + table["std"])
    ends = np.column_stack([low, high])[table["std"].notna()]
    assert_allclose(error_ends(display.errorbar_), ends)
    assert_array_equal(display.truth_line_.get_xdata(), [10.27, 10.27])
    assert display.truth_line_.get_linestyle() == "--"
    unit = over or "fold"
    assert display.ax_.get_xlabel() == f"DCG (mean ± std, 2 {unit}s; larger is better)"
    cells = comparison.formatted(over=over)["DCG"]
    expected = cells.loc[["PS", "RS"]].tolist()
    assert [text.get_text() for text in display.value_texts_] == expected
    assert display.figure_ is display.ax_.figure


def test_leaderboard_without_truth_and_of_another_metric():
    display = LeaderboardDisplay.from_comparison(
        make_comparison(truth=None), metric="MRR"
    )
    assert display.truth_line_ is None
    # Equal methods keep their order from the top down.
    assert row_names(display.ax_) == ["RS", "PS"]
    assert display.ax_.get_xlabel().startswith("MRR")


def test_leaderboard_sorts_best_on_top_and_missing_last():
    display = LeaderboardDisplay(
        names=["b", "a", "missing", "c"], means=[2.0, 1.0, np.nan, 3.0]
    ).plot()
    assert row_names(display.ax_) == ["missing", "a", "b", "c"]
    assert_array_equal(display.errorbar_[0].get_xdata(), [np.nan, 1.0, 2.0, 3.0])
    assert display.errorbar_[2] == ()
    assert [text.get_text() for text in display.value_texts_][1:] == [
        "1.000",
        "2.000",
        "3.000",
    ]
    low, high = display.ax_.get_xlim()
    assert 0.5 < low < 1.0
    assert high > 3.0


@pytest.mark.parametrize("show_values", [True, False])
def test_leaderboard_of_runs_that_failed_says_so(show_values):
    comparison = make_comparison()
    failed = (comparison.rows["method"] == "PS") & (comparison.rows["fold"] == 1)
    comparison.rows.loc[failed, "DCG"] = np.nan
    display = LeaderboardDisplay.from_comparison(comparison, show_values=show_values)
    assert row_names(display.ax_) == ["PS", "RS"]
    assert_array_equal(display.errorbar_[0].get_xdata(), [np.nan, 9.6])
    texts = [text.get_text() for text in display.value_texts_]
    assert texts == ["nan", "9.600 ± 0.100"][: 1 + show_values]


def test_leaderboard_keeps_each_error_bar_with_its_method():
    display = LeaderboardDisplay(
        names=["b", "a", "c"], means=[2.0, 1.0, 3.0], stds=[0.2, 0.1, 0.3]
    ).plot()
    expected = [[0.9, 1.1], [1.8, 2.2], [2.7, 3.3]]
    assert_allclose(error_ends(display.errorbar_), expected)
    assert display.value_texts_[0].get_text() == "1.000 ± 0.100"


def test_leaderboard_draws_into_given_axes_with_given_style():
    figure, ax = plt.subplots()
    display = LeaderboardDisplay.from_comparison(
        make_comparison(), ax=ax, show_values=False, color="red", markersize=3
    )
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.value_texts_ == []
    assert display.errorbar_[0].get_color() == "red"
    assert display.errorbar_[0].get_markersize() == 3


def test_nothing_of_a_leaderboard_is_clipped():
    names = ["PS", "a long name of a method, winner-only, augmented"]
    display = LeaderboardDisplay(
        names=names, means=[0.9, 0.1], stds=[0.1, 0.2], truth=1.0, over="5 seeds"
    ).plot()
    display.ax_.set_title("Pairwise accuracy on a data set with a name")
    shown = [name.replace("\n", " ") for name in row_names(display.ax_)]
    assert shown == names[::-1]
    artists = [*display.value_texts_, display.ax_.title]
    assert_inside(display.figure_, display.ax_, artists)


IMPORTANCES = np.array([[0.0, 0.2], [1.9, 2.1], [-0.5, -0.1], [0.4, 0.4]])
FEATURES = ["ID", "AVConf", "SSIM", "LipLMD"]


def test_importances_are_sorted_bars_of_the_mean():
    display = ImportanceDisplay.from_importances(
        IMPORTANCES, feature_names=FEATURES, baseline=10.2
    )
    assert row_names(display.ax_) == ["SSIM", "ID", "LipLMD", "AVConf"]
    means = np.array([-0.3, 0.1, 0.4, 2.0])
    assert_allclose([bar.get_width() for bar in display.bars_], means)
    spread = np.array([0.2, 0.1, 0.0, 0.1])
    assert_allclose(
        error_ends(display.bars_.errorbar),
        np.column_stack([means - spread, means + spread]),
        atol=1e-12,
    )
    assert display.ax_.get_xlabel() == "Decrease of DCG when permuted (from 10.200)"
    assert display.figure_ is display.ax_.figure
    assert_inside(display.figure_, display.ax_, [])


@pytest.mark.parametrize(
    ("max_features", "shown"),
    [(2, ["LipLMD", "AVConf"]), (9, ["SSIM", "ID", "LipLMD", "AVConf"])],
)
def test_importances_of_the_first_features(max_features, shown):
    display = ImportanceDisplay.from_importances(
        IMPORTANCES, feature_names=FEATURES, max_features=max_features, metric="MRR"
    )
    assert row_names(display.ax_) == shown
    assert display.ax_.get_xlabel() == "Decrease of MRR when permuted"


def test_importances_of_one_repeat_have_no_error_bars():
    figure, ax = plt.subplots()
    display = ImportanceDisplay.from_importances(
        IMPORTANCES[:, :1], feature_names=pd.Index(FEATURES), ax=ax, color="red"
    )
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.bars_.errorbar is None
    assert display.bars_[0].get_facecolor() == (1.0, 0.0, 0.0, 1.0)


BAD_DISPLAYS = {
    "means of other length": (
        LeaderboardDisplay(names=["a", "b"], means=[1.0]),
        "means has shape (1,) but there are 2 names",
    ),
    "stds of other length": (
        LeaderboardDisplay(names=["a"], means=[1.0], stds=[0.1, 0.2]),
        "stds has shape (2,) but there are 1 names",
    ),
    "no method": (
        LeaderboardDisplay(names=[], means=[]),
        "names has shape (0,); expected one name per method",
    ),
    "mean importances": (
        ImportanceDisplay(importances=[0.1, 0.2], feature_names=["a", "b"]),
        "importances has shape (2,); expected (n_features, n_repeats)",
    ),
    "too few names": (
        ImportanceDisplay(importances=IMPORTANCES, feature_names=["a", "b"]),
        "feature_names has shape (2,) but importances has 4 features",
    ),
    "no feature": (
        ImportanceDisplay(
            importances=IMPORTANCES, feature_names=FEATURES, max_features=0
        ),
        "max_features is 0; expected at least 1",
    ),
}


@pytest.mark.parametrize(
    ("display", "message"), BAD_DISPLAYS.values(), ids=BAD_DISPLAYS
)
def test_displays_refuse_what_does_not_fit(display, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        display.plot()
    assert plt.get_fignums() == []


def test_unknown_metric_of_a_comparison():
    message = "metric is 'NDCG'; expected one of ['MRR', 'DCG']"
    with pytest.raises(ValueError, match=re.escape(message)):
        LeaderboardDisplay.from_comparison(make_comparison(), metric="NDCG")


@pytest.mark.parametrize(
    "display",
    [
        LeaderboardDisplay(names=["a"], means=[1.0]),
        ImportanceDisplay(importances=IMPORTANCES, feature_names=FEATURES),
    ],
)
def test_message_where_matplotlib_is_missing(display, monkeypatch):
    # None in sys.modules makes the import statement raise ImportError.
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    message = f"{type(display).__name__}.plot needs matplotlib, which is not installed"
    with pytest.raises(ImportError, match=re.escape(message)):
        display.plot()


def test_importing_the_displays_does_not_import_matplotlib():
    code = "import sys, sklearn_pscore.plotting; print('matplotlib' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"
