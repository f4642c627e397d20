"""The display of metric curves: what is on its panels."""

import re
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pictures import assert_inside
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import LinearPreferenceRanker
from sklearn_pscore.inspection import MetricCurves, metric_curves
from sklearn_pscore.plotting import (
    LossCurveDisplay,
    MetricCurvesDisplay,
    RankingLearningCurveDisplay,
    ReliabilityDisplay,
    ScorePreferenceDisplay,
)

DIRECTIONS = (
    "larger is preferred",
    "there is a best value",
    "smaller is preferred",
    "there is a worst value",
    "no clear direction",
)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def curves_of(n_metrics, names="metric {}", has_std=True, interaction=0.125):
    """Return curves of all shapes, the largest first."""
    value = np.linspace(-1, 1, 7)
    shapes = value, -(value**2), -2 * value, value**2, 0.1 * np.sin(9 * value)
    rows, curves = [], {}
    for number in range(n_metrics):
        name = names.format(number)
        worth = shapes[number % 5] / (number + 1)
        std = np.full(7, 0.1 if has_std else np.nan)
        curves[name] = pd.DataFrame({"value": value, "worth": worth, "std": std})
        rows.append(
            {
                "metric": name,
                "direction": DIRECTIONS[number % 5],
                "best": 0.0,
                "share": 0.5 / (number + 1),
                "share_std": 0.01,
            }
        )
    spread = "five members" if has_std else ""
    return MetricCurves(
        pd.DataFrame(rows), curves, interaction, "additive part", spread, 10, 2
    )


def test_panels_show_the_curves():
    curves = curves_of(5)
    display = MetricCurvesDisplay.from_curves(curves)
    assert len(display.axes_) == 5
    for number, name in enumerate(curves.table["metric"]):
        curve = curves.curves[name]
        line = display.lines_[number]
        assert_allclose(line.get_xdata(), curve["value"])
        assert_allclose(line.get_ydata(), curve["worth"])
        vertices = display.bands_[number].get_paths()[0].vertices
        for end in (curve["worth"] - 0.1, curve["worth"] + 0.1):
            assert np.isin(np.round(end, 9), np.round(vertices[:, 1], 9)).all()
        share = [50, 25, 17, 12, 10][number]
        title = f"{name}\n{DIRECTIONS[number]}, {share} %"
        assert display.axes_[number].get_title() == title
    # One scale for all.
    assert len({panel.get_ylim() for panel in display.axes_}) == 1
    assert display.deciles_ == [None] * 5
    assert_inside(display.figure_)


def test_best_and_worst_values_are_marked():
    display = MetricCurvesDisplay.from_curves(curves_of(5))
    points = display.best_points_
    assert [point is not None for point in points] == [False, True, False, True, False]
    assert_allclose(points[1].get_data(), [[0], [0]], atol=1e-12)
    assert points[1].get_marker() == "^"
    assert points[3].get_marker() == "v"


def test_note_below():
    display = MetricCurvesDisplay.from_curves(curves_of(20))
    assert len(display.axes_) == 12
    note = display.figure_.get_supxlabel().replace("\n", " ")
    assert note == (
        "%: share of score differences inside groups; 12.5 % are no sum of these curves; "
        "band: ± standard error over five members; 12 of 20 metrics, the largest"
    )
    assert display.figure_.get_supylabel() == "Worth in the score"
    display = MetricCurvesDisplay.from_curves(
        curves_of(3, has_std=False, interaction=0.0)
    )
    assert display.bands_ == [None] * 3
    note = display.figure_.get_supxlabel()
    assert note == "%: share of score differences inside groups"


@pytest.mark.parametrize("n_metrics", [1, 2, 3, 5, 13, 60])
def test_long_names_of_any_number_of_metrics_stay_inside(n_metrics):
    names = "a name of $metric$ that_is_long_{} <b>by_any/measure</b> of the field"
    curves = curves_of(n_metrics, names)
    display = MetricCurvesDisplay.from_curves(curves, max_metrics=None)
    assert len(display.axes_) == n_metrics
    assert_inside(display.figure_)
    titles = [panel.get_title().split("\n") for panel in display.axes_]
    assert len({tuple(title) for title in titles}) == n_metrics
    assert all(len(line) <= 40 for title in titles for line in title)
    boxes = [panel.title.get_window_extent() for panel in display.axes_]
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])


def test_ticks_at_the_deciles_of_the_data():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"metric 0": rng.normal(size=50), "metric 1": np.nan})
    X.iloc[3, 0] = np.nan
    display = MetricCurvesDisplay.from_curves(curves_of(2), X)
    ticks = [segment[0, 0] for segment in display.deciles_[0].get_segments()]
    expected = np.nanquantile(X["metric 0"], np.arange(1, 10) / 10)
    assert_allclose(ticks, expected)
    assert display.deciles_[1].get_segments() == []
    low, high = zip(
        *[path[:, 1] for path in display.deciles_[0].get_segments()], strict=True
    )
    assert set(low) == {0.0}
    assert set(high) == {0.05}


def test_a_metric_of_two_values_and_one_without_share():
    curves = curves_of(1)
    curves.curves["metric 0"] = curves.curves["metric 0"].iloc[[0, 6]]
    curves.table["share"] = np.nan
    display = MetricCurvesDisplay.from_curves(curves)
    assert display.lines_[0].get_marker() == "o"
    assert display.axes_[0].get_title() == "metric 0\nlarger is preferred"


def test_it_draws_into_given_axes():
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    display = MetricCurvesDisplay.from_curves(curves_of(3), ax=axes[1], color="red")
    assert display.figure_ is figure
    assert not axes[1].axison
    assert display.lines_[0].get_color() == "red"
    assert display.axes_[0].get_ylabel() == "Worth in the score"
    assert figure.get_supxlabel() == ""
    boxes = [panel.title.get_window_extent() for panel in display.axes_]
    assert not boxes[0].overlaps(boxes[1])
    assert_inside(figure)
    figure, axes = plt.subplots(3)
    display = MetricCurvesDisplay.from_curves(curves_of(3), ax=axes)
    assert list(display.axes_) == list(axes)
    assert len({panel.get_ylim() for panel in axes}) == 1


@pytest.mark.parametrize("as_frame", [False, True])
def test_of_an_estimator_in_units_of_the_table(data, as_frame):
    X, groups = data
    X = 100 + 5 * X
    names = ["x0", "x1", "x2"]
    if as_frame:
        names = ["up", "down", "none"]
        X = pd.DataFrame(X, columns=names)
    model = make_pipeline(StandardScaler(), LinearPreferenceRanker()).fit(X, groups)
    display = MetricCurvesDisplay.from_estimator(
        model, X, groups, random_state=0, max_metrics=2
    )
    expected = metric_curves(model, X, groups, random_state=0)
    pd.testing.assert_frame_equal(display.curves.table, expected.table)
    titles = {panel.get_title().split(",")[0] for panel in display.axes_}
    assert titles == {
        f"{names[0]}\nlarger is preferred",
        f"{names[1]}\nsmaller is preferred",
    }
    first = display.curves.table["metric"][0]
    column = np.asarray(X)[:, names.index(first)]
    ticks = [segment[0, 0] for segment in display.deciles_[0].get_segments()]
    assert_allclose(ticks, np.quantile(column, np.arange(1, 10) / 10))
    assert 80 < display.lines_[0].get_xdata()[0] < 100


def test_bad_input():
    curves = curves_of(3)
    with pytest.raises(ValueError, match="max_metrics is 0; expected at least 1"):
        MetricCurvesDisplay.from_curves(curves, max_metrics=0)
    with pytest.raises(TypeError, match="expected the result of metric_curves"):
        MetricCurvesDisplay.from_curves(np.zeros(2))
    assert plt.get_fignums() == []
    figure, axes = plt.subplots(2)
    message = "ax holds 2 axes but MetricCurvesDisplay.plot draws 3 panels"
    with pytest.raises(ValueError, match=re.escape(message)):
        MetricCurvesDisplay.from_curves(curves, ax=axes)
    with pytest.raises(ValueError, match="cannot be divided into panels"):
        MetricCurvesDisplay.from_curves(curves, ax=figure.add_axes([0, 0, 1, 1]))


@pytest.mark.parametrize(
    "display",
    [
        MetricCurvesDisplay(curves=curves_of(2)),
        LossCurveDisplay(epoch=[1], train_loss=[1.0]),
        RankingLearningCurveDisplay(
            n_groups=[1], train_scores=[[1.0]], test_scores=[[1.0]]
        ),
        ReliabilityDisplay(prob_pred=[0.5], prob_true=[0.5]),
        ScorePreferenceDisplay(y_score=[1.0], preference=[1.0]),
    ],
    ids=lambda display: type(display).__name__,
)
def test_message_where_matplotlib_is_missing(display, monkeypatch):
    # None in sys.modules makes the import statement raise ImportError.
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    message = f"{type(display).__name__}.plot needs matplotlib, which is not installed"
    with pytest.raises(ImportError, match=re.escape(message)):
        display.plot()
