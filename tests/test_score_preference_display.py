"""The display of scores against preferences."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pictures import assert_inside
from scipy.stats import pearsonr, spearmanr
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import Groups, PlainTarget, RankSumRanker
from sklearn_pscore.plotting import ScorePreferenceDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def judged(n_groups=12, size=6, seed=0):
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.repeat(np.arange(n_groups), size))
    preference = rng.normal(size=len(group)) + 3 * group
    y_score = preference - 3 * group + rng.normal(size=len(group))
    return Groups.from_arrays(group=group, preference=preference), y_score


@pytest.mark.parametrize(
    ("correlation", "measure"), [("spearman", spearmanr), ("pearson", pearsonr)]
)
def test_points_and_correlations(correlation, measure):
    groups, y_score = judged()
    display = ScorePreferenceDisplay.from_predictions(
        groups, y_score, correlation=correlation, name="my metric $"
    )
    points = np.asarray(display.points_.get_offsets())
    assert_allclose(points, np.column_stack([y_score, groups["preference"]]))
    rows = [np.flatnonzero(groups["group"] == each) for each in range(12)]
    inside = np.mean(
        [measure(y_score[each], groups["preference"][each])[0] for each in rows]
    )
    overall = measure(y_score, groups["preference"])[0]
    word = correlation.capitalize()
    title = f"{word} in groups {inside:.2f}, overall {overall:.2f}"
    assert display.ax_.get_title() == title
    assert display.ax_.get_xlabel() == "my metric $"
    assert display.ax_.get_ylabel() == "Preference"
    assert display.colorbar_ is None
    assert_inside(display.figure_)


def test_centred_points():
    groups, y_score = judged()
    display = ScorePreferenceDisplay.from_predictions(groups, y_score, centred=True)
    expected = []
    for group in range(12):
        rows = groups["group"] == group
        score, preference = y_score[rows], groups["preference"][rows]
        expected += zip(
            score - score.mean(), preference - preference.mean(), strict=True
        )
    points = np.asarray(display.points_.get_offsets())
    assert_allclose(
        points[np.lexsort(points.T)],
        np.array(expected)[np.lexsort(np.transpose(expected))],
    )
    assert display.ax_.get_title().startswith("Spearman in groups ")
    assert "overall" not in display.ax_.get_title()
    assert display.ax_.get_xlabel() == "Score less the mean of its group"
    assert display.ax_.get_ylabel() == "Preference less the mean of its group"


def test_items_and_rows_that_count():
    # Two rows of "a"; a donor and a row of weight zero are not drawn.
    groups = Groups.from_arrays(
        group=[0, 0, 0, 0, 0],
        item=list("aabcd"),
        preference=[2, 2, 1, 0, 5],
        donor=[False, False, False, False, True],
        weight=[1, 1, 1, 0, 1],
    )
    display = ScorePreferenceDisplay.from_predictions(groups, [1.0, 2.0, 0.5, 9.0, 9.0])
    assert_allclose(display.points_.get_offsets(), [[1.5, 2], [0.5, 1]])


def test_many_points_are_hexagons():
    groups, y_score = judged(500)
    display = ScorePreferenceDisplay.from_predictions(groups, y_score)
    assert display.points_.get_array().sum() == 3000
    assert display.colorbar_.ax.get_ylabel() == "Items"
    assert_inside(display.figure_)
    display = ScorePreferenceDisplay.from_predictions(groups, y_score, kind="scatter")
    assert len(display.points_.get_offsets()) == 3000
    few = ScorePreferenceDisplay.from_predictions(*judged(), kind="hexbin", gridsize=5)
    assert few.points_.get_array().sum() == 72
    # Many points are fainter than few.
    alpha = ScorePreferenceDisplay.from_predictions(*judged()).points_.get_alpha()
    assert display.points_.get_alpha() < alpha


def test_of_an_estimator(data):
    X, groups = data
    model = make_pipeline(StandardScaler(), PlainTarget(Ridge())).fit(X, groups)
    display = ScorePreferenceDisplay.from_estimator(model, X, groups, color="red")
    # The items, by group and name.
    order = np.lexsort((groups["item"], groups["group"]))
    assert_allclose(display.y_score, model.predict(X)[order])
    assert_array_equal(display.preference, groups["preference"][order])
    assert display.ax_.get_xlabel() == "Score of PlainTarget"
    assert_array_equal(display.points_.get_facecolor()[0][:3], [1, 0, 0])


def test_an_estimator_that_wants_groups_gets_them(data):
    X, groups = data
    ranker = RankSumRanker(directions="larger").fit(X, groups)
    figure, ax = plt.subplots()
    display = ScorePreferenceDisplay.from_estimator(ranker, X, groups, ax=ax, name="RS")
    assert display.figure_ is figure
    order = np.lexsort((groups["item"], groups["group"]))
    assert_allclose(display.y_score, ranker.predict(X, groups=groups)[order])
    assert display.ax_.get_xlabel() == "RS"


def test_bad_input():
    groups, y_score = judged()
    for option in ({"kind": "density"}, {"correlation": "kendall"}):
        with pytest.raises(ValueError, match="must be a str among"):
            ScorePreferenceDisplay.from_predictions(groups, y_score, **option)
    with pytest.raises(ValueError, match="y_score has 71 entries but groups has 72"):
        ScorePreferenceDisplay.from_predictions(groups, y_score[1:])
    with pytest.raises(ValueError, match="groups has 72 entries but X has 3 rows"):
        ScorePreferenceDisplay.from_estimator(Ridge(), np.zeros((3, 2)), groups)
    message = "y_score has shape (2,) but preference has (1,); expected one entry"
    with pytest.raises(ValueError, match=re.escape(message)):
        ScorePreferenceDisplay(y_score=[1, 2], preference=[1]).plot()
    assert plt.get_fignums() == []
