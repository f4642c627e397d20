"""Pictures: the numbers on the artists, their order, and what is refused."""

import re
import subprocess
import sys
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pictures import (
    LONG,
    assert_inside,
    assert_no_overlap,
    contrast,
    make_board,
    one_line,
)
from scipy import stats
from sklearn.inspection import permutation_importance
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import Groups, LinearPreferenceRanker, SingleMetricRanker
from sklearn_pscore.inspection import (
    bootstrap_leaderboard,
    group_permutation_importance,
    metric_curves,
)
from sklearn_pscore.model_selection import RankerComparison, compare_rankers
from sklearn_pscore.plotting import ImportanceDisplay, LeaderboardDisplay
from sklearn_pscore.plotting._colors import GREY, color_of, style_of


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


def test_leaderboard_shows_corrected_intervals_over_the_folds_of_a_comparison():
    display = LeaderboardDisplay.from_comparison(make_comparison())
    assert row_names(display.ax_) == ["PS", "RS"]
    points = display.errorbar_[0]
    # PS has 8.5 and 9.5 in the two folds, the mean over its seeds; RS 9.5 and 9.7.
    assert_allclose(points.get_xdata(), [9.0, 9.6])
    assert_array_equal(points.get_ydata(), [0, 1])
    # Nadeau and Bengio: (1 / 2 + 1 / 1) s^2, with Student's t of one degree.
    half = stats.t.ppf(0.975, 1) * np.sqrt(1.5 * np.array([0.5, 0.02]))
    means = np.array([9.0, 9.6])
    assert_allclose(
        error_ends(display.errorbar_), np.column_stack([means - half, means + half])
    )
    assert [text.get_text() for text in display.value_texts_] == [
        f"9.000 ± {half[0]:.3f}",
        f"9.600 ± {half[1]:.3f}",
    ]
    assert one_line(display.ax_.get_xlabel()) == (
        "DCG (mean, 95 % interval over 2 folds; larger is better)"
    )
    assert_array_equal(display.truth_line_.get_xdata(), [10.27, 10.27])
    assert display.truth_line_.get_linestyle() == "--"
    (text,) = display.mark_texts_
    assert text.get_text() == "order of people (GT) 10.270"
    assert display.figure_ is display.ax_.figure


def test_level_of_the_intervals():
    wide, narrow = (
        error_ends(
            LeaderboardDisplay.from_comparison(make_comparison(), level=level).errorbar_
        )
        for level in (0.95, 0.5)
    )
    ratio = stats.t.ppf(0.75, 1) / stats.t.ppf(0.975, 1)
    assert_allclose(np.diff(narrow, axis=1), ratio * np.diff(wide, axis=1))


def test_leaderboard_over_seeds_says_that_it_is_of_training_alone():
    comparison = make_comparison()
    display = LeaderboardDisplay.from_comparison(comparison, over="seed")
    # RS takes no seed: one run, no spread.
    assert_allclose(error_ends(display.errorbar_), [[8.5, 9.5]])
    assert one_line(display.ax_.get_xlabel()) == (
        "DCG (mean ± std over 2 seeds alone; larger is better)"
    )
    cells = comparison.formatted(over="seed")["DCG"].loc[["PS", "RS"]]
    assert [text.get_text() for text in display.value_texts_] == cells.tolist()


@pytest.mark.parametrize("over", [None, "seed"])
def test_folds_are_what_is_shown_where_there_are_several(over):
    rows = make_comparison().rows
    one_fold = RankerComparison(rows[rows["fold"] == 0], ("MRR", "DCG"), "GT", "seed")
    display = LeaderboardDisplay.from_comparison(one_fold, over=over)
    assert "2 seeds alone" in one_line(display.ax_.get_xlabel())
    # Seeds x folds: folds, though the comparison itself was over seeds.
    both = RankerComparison(rows, ("MRR", "DCG"), "GT", "seed")
    display = LeaderboardDisplay.from_comparison(both)
    assert "2 folds" in one_line(display.ax_.get_xlabel())


def test_chance_and_ceiling_are_marked_and_named():
    display = LeaderboardDisplay(
        names=["a", "b"],
        means=[0.7, 0.8],
        metric="accuracy",
        chance=0.5,
        ceiling=0.9,
        truth=1.0,
    ).plot()
    lines = [display.chance_line_, display.ceiling_line_, display.truth_line_]
    assert [line.get_xdata()[0] for line in lines] == [0.5, 0.9, 1.0]
    # Told apart without colour.
    assert len({line.get_linestyle() for line in lines}) == 3
    assert [text.get_text() for text in display.mark_texts_] == [
        "chance (random order) 0.500",
        "ceiling (raters differ) 0.900",
        "order of people (GT) 1.000",
    ]
    # To the side where there is more room.
    sides = [text.get_horizontalalignment() for text in display.mark_texts_]
    assert sides == ["left", "right", "right"]
    assert_no_overlap(display.figure_, display.mark_texts_)
    assert_inside(display.figure_)
    low, high = display.ax_.get_xlim()
    assert low < 0.5
    assert high > 1


def test_chance_and_ceiling_of_a_comparison():
    comparison = replace(
        make_comparison(), chance={"DCG": 7.0}, ceiling={"DCG": np.nan}
    )
    display = LeaderboardDisplay.from_comparison(comparison)
    assert display.chance_line_.get_xdata()[0] == 7.0
    assert display.ceiling_line_ is None
    display = LeaderboardDisplay.from_comparison(comparison, metric="MRR")
    assert display.chance_line_ is None


def test_a_comparison_as_it_comes_has_chance_and_its_own_sizes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    groups = Groups.from_arrays(group=np.arange(60) // 5, preference=X[:, 0])
    rankers = {name: SingleMetricRanker(i, "larger") for i, name in enumerate("ab")}
    comparison = compare_rankers(rankers, X, groups, cv=4)
    display = LeaderboardDisplay.from_comparison(comparison, metric="MRR")
    table = comparison.intervals("MRR").loc[["b", "a"]]
    assert_allclose(display.errorbar_[0].get_xdata(), table["mean"])
    assert_allclose(error_ends(display.errorbar_), table[["low", "high"]])
    assert_allclose(display.chance_line_.get_xdata()[0], comparison.chance["MRR"])


def test_the_preference_score_is_set_off_and_methods_keep_their_style():
    names = ["CB", "PS", "#Top1"]
    display = LeaderboardDisplay(names=names, means=[2.0, 3.0, 1.0]).plot()
    weights = [label.get_fontweight() for label in display.ax_.get_yticklabels()]
    assert weights == ["normal", "normal", "bold"]
    drawn = [(point.get_color(), point.get_marker()) for point in display.points_]
    assert drawn == [style_of(name)[:2] for name in ["#Top1", "CB", "PS"]]
    assert [point.get_xdata()[0] for point in display.points_] == [1.0, 2.0, 3.0]
    display = LeaderboardDisplay(
        names=names, means=[2.0, 3.0, 1.0], highlight=["CB"]
    ).plot()
    weights = [label.get_fontweight() for label in display.ax_.get_yticklabels()]
    assert weights == ["normal", "bold", "normal"]


def test_many_methods_without_a_known_name_are_grey():
    names = ["PS", *[f"metric {i}" for i in range(20)]]
    display = LeaderboardDisplay(names=names, means=np.arange(21.0)).plot()
    colors = [point.get_color() for point in display.points_]
    assert colors == [color_of("PS"), *[GREY] * 20]


def test_leaderboard_of_systems_has_their_intervals_ranks_and_classes():
    board, _ = make_board(6)
    display = LeaderboardDisplay.from_leaderboard(board, highlight=["system 02"])
    systems = board.systems[::-1]
    assert row_names(display.ax_) == systems["item"].tolist()
    assert_allclose(display.errorbar_[0].get_xdata(), systems["mean"])
    assert_allclose(error_ends(display.errorbar_), systems[["low", "high"]])
    texts = [text.get_text() for text in display.value_texts_]
    for text, (_, row) in zip(texts, systems.iterrows(), strict=True):
        ranks = f"{row['rank_low']}–{row['rank_high']}".split("–")
        assert text == (
            f"{row['mean']:.3f} [{row['low']:.3f}, {row['high']:.3f}]  rank "
            + "–".join(dict.fromkeys(ranks))
        )
    assert one_line(display.ax_.get_xlabel()) == (
        "preference (mean, 95 % interval over 30 groups; larger is better) "
        "rank: set that holds the true one; shades: systems that are "
        "not told apart"
    )
    shaded = {
        row
        for band in display.class_bands_
        for row in range(6)
        if band.get_extents().y0 < display.ax_.transData.transform((0, row))[1]
        and band.get_extents().y1 > display.ax_.transData.transform((0, row))[1]
    }
    odd = np.flatnonzero(systems["class"] % 2 == 1)
    assert shaded == set(odd.tolist())
    set_off = [point.get_marker() for point in display.points_]
    assert set_off == ["D" if n == "system 02" else "o" for n in systems["item"]]


@pytest.mark.parametrize("n_boot", [1, 200])
def test_systems_that_never_win_and_few_draws_are_drawn(n_boot):
    # An end of an interval is then beyond the mean, by rounding or by chance.
    wins = np.random.default_rng(0).choice(4, p=[0.9, 0.1, 0, 0], size=12)
    groups = Groups.from_winners(
        group=np.repeat(np.arange(12), 4),
        winner=(np.arange(4) == wins[:, None]).ravel(),
        item=np.tile(list("abcd"), 12),
    )
    board = bootstrap_leaderboard(groups, n_boot=n_boot, random_state=0)
    display = LeaderboardDisplay.from_leaderboard(board)
    assert_allclose(display.errorbar_[0].get_xdata(), board.systems["mean"][::-1])


def test_classes_are_shaded_in_the_order_of_the_rows():
    display = LeaderboardDisplay(
        names=["b", "a", "d", "c"], means=[3, 4, 1, 2], classes=[1, 1, 2, 1]
    ).plot()
    # From the bottom up d, c, b, a: the upper three are of one class.
    (band,) = display.class_bands_
    rows = display.ax_.transData.inverted().transform(band.get_extents())
    assert_allclose(rows[:, 1], [0.5, 3.5])


def test_labels_are_as_wide_as_their_panel():
    figure, axes = plt.subplots(1, 2, figsize=(7, 3), layout="constrained")
    for ax in axes:
        display = LeaderboardDisplay(
            names=["a", "b"], means=[1, 2], stds=[1, 1], over="5 folds of a long name"
        ).plot(ax=ax)
        assert display.ax_.get_xlabel().count("\n") == 1
    assert_inside(figure)
    assert_no_overlap(figure, [ax.xaxis.label for ax in axes])


def test_leaderboards_of_predictions_and_of_a_model():
    board, groups = make_board(4)
    display = LeaderboardDisplay.from_predictions(groups, random_state=0)
    assert_allclose(display.means, board.systems["mean"])
    score = groups["preference"] ** 3
    display = LeaderboardDisplay.from_predictions(
        groups, score, cluster=groups["group"] // 2, highlight="system 00"
    )
    assert display.over == "15 clusters of 30 groups"
    assert display.metric == "score"
    expected = bootstrap_leaderboard(groups, score).systems["mean"]
    assert_allclose(display.means, expected)
    X = groups["preference"][:, None]
    model = SingleMetricRanker(0, "larger").fit(X, groups)
    display = LeaderboardDisplay.from_estimator(
        model, X, groups, item=groups["item"], random_state=0
    )
    assert display.names.tolist() == board.systems["item"].tolist()


def test_names_in_any_script_stay_as_they_are():
    names = ["讲话人", "😀 smiling", 'a,b\n"c" <d> $e$']
    display = LeaderboardDisplay(names=names, means=[3, 2, 1], metric="x_score")
    # matplotlib says which letters its font lacks; a page that it is put in has them.
    with pytest.warns(UserWarning, match="missing from font"):
        display.plot()
    assert row_names(display.ax_) == ['a,b "c" <d> $e$', "😀 smiling", "讲话人"]
    assert display.ax_.get_xlabel() == "x (mean; larger is better)"


def test_systems_that_nothing_is_known_of_have_no_bar():
    display = LeaderboardDisplay(
        names=["a", "b"], means=[1.0, 2.0], lows=[0.5, -np.inf], highs=[1.5, np.inf]
    ).plot()
    assert_allclose(error_ends(display.errorbar_), [[0.5, 1.5]])
    texts = [text.get_text() for text in display.value_texts_]
    assert texts == ["1.000 [0.500, 1.500]", "2.000"]


@pytest.mark.parametrize("n_systems", [3, 60])
@pytest.mark.parametrize("name", ["s{:02d}", LONG])
def test_texts_of_a_leaderboard_neither_overlap_nor_leave_the_picture(n_systems, name):
    board, _ = make_board(n_systems, name)
    display = LeaderboardDisplay.from_leaderboard(board)
    assert len(set(row_names(display.ax_))) == n_systems
    assert_inside(display.figure_)
    assert_no_overlap(display.figure_, display.value_texts_)
    assert_no_overlap(display.figure_, display.ax_.get_yticklabels())
    boxes = [label.get_window_extent() for label in display.ax_.get_yticklabels()]
    # The points keep some room beside the names.
    axes = display.ax_.get_window_extent()
    assert max(box.x1 for box in boxes) < axes.x0
    assert axes.width > 0.2 * display.figure_.bbox.width


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
    assert texts == ["nan", "9.600 ± 2.201"][: 1 + show_values]


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
    assert_inside(display.figure_)


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
    assert one_line(display.ax_.get_xlabel()) == (
        "Decrease of DCG when permuted (from 10.200; ± std over 2 permutations)"
    )
    assert display.signs_ == [None] * 4
    assert display.figure_ is display.ax_.figure
    assert_inside(display.figure_)


@pytest.mark.parametrize(
    ("max_features", "shown"),
    [(2, ["LipLMD", "AVConf"]), (9, ["SSIM", "ID", "LipLMD", "AVConf"])],
)
def test_importances_of_the_first_features(max_features, shown):
    display = ImportanceDisplay.from_importances(
        IMPORTANCES, feature_names=FEATURES, max_features=max_features, metric="MRR"
    )
    assert row_names(display.ax_) == shown
    assert one_line(display.ax_.get_xlabel()) == (
        "Decrease of MRR when permuted (± std over 2 permutations)"
    )


DIRECTIONS = {
    "ID": "larger is preferred",
    "AVConf": "smaller",
    "SSIM": "there is a best value",
    "not drawn": "there is a worst value",
}


def test_signs_say_which_way_metrics_point():
    display = ImportanceDisplay.from_importances(
        IMPORTANCES,
        feature_names=FEATURES,
        directions=DIRECTIONS,
        model="PS",
        over="folds",
    )
    # From the bottom up: SSIM, ID, LipLMD, AVConf.
    markers = [sign and sign.get_marker() for sign in display.signs_]
    assert markers == ["D", "^", None, "v"]
    assert [sign and sign.get_ydata()[0] for sign in display.signs_] == [0, 1, None, 3]
    # Colour and hatch of a bar and colour of its sign say the same.
    edges = [plt.matplotlib.colors.to_hex(bar.get_edgecolor()) for bar in display.bars_]
    assert edges[0] == display.signs_[0].get_color()
    assert len(set(edges)) == 4
    assert [bar.get_hatch() or "" for bar in display.bars_] == ["xx", "", "", "///"]
    assert one_line(display.ax_.get_xlabel()).replace("\N{NO-BREAK SPACE}", " ") == (
        "PS: decrease of DCG when permuted (± std over 2 folds) "
        "preferred: ▲ larger  ▼ smaller  ◆ a best value"
    )
    assert_inside(display.figure_)


def test_error_bars_show_on_their_bars():
    display = ImportanceDisplay.from_importances(IMPORTANCES, feature_names=FEATURES)
    ((error_bars,),) = (display.bars_.errorbar[2],)
    (ink,) = error_bars.get_colors()
    paper = display.ax_.get_facecolor()
    for bar in display.bars_:
        *color, opacity = bar.get_facecolor()
        seen = opacity * np.array(color) + (1 - opacity) * np.array(paper[:3])
        assert contrast(seen, ink[:3]) > 4.5


def test_importances_of_other_functions():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=list("abc"))
    groups = Groups.from_arrays(
        group=np.arange(60) // 6, preference=2 * X["a"] - X["c"].to_numpy()
    )
    model = make_pipeline(StandardScaler(), LinearPreferenceRanker()).fit(X, groups)
    within = group_permutation_importance(model, X, groups, random_state=0, n_repeats=3)
    display = ImportanceDisplay.from_importances(within)
    assert_allclose(display.importances, within.importances)
    assert list(display.feature_names) == ["a", "b", "c"]
    assert "decrease of pairwise accuracy when" in one_line(
        display.ax_.get_xlabel().lower()
    )
    assert display.baseline == within.baseline
    # scikit-learn's has no names, and says nothing of the score.
    theirs = permutation_importance(model, X, groups, n_repeats=3, random_state=0)
    display = ImportanceDisplay.from_importances(theirs, feature_names=X.columns)
    assert_allclose(display.importances, theirs.importances)
    assert display.metric == "DCG"
    drawn = ImportanceDisplay.from_estimator(
        model, X, groups, scoring="dcg", random_state=0, n_repeats=3, max_features=2
    )
    assert row_names(drawn.ax_) == ["c", "a"]
    assert [sign.get_marker() for sign in drawn.signs_] == ["v", "^"]
    assert drawn.model == "LinearPreferenceRanker"
    assert "decrease of DCG when" in one_line(drawn.ax_.get_xlabel())
    curves = metric_curves(model, X, groups, random_state=0)
    other = ImportanceDisplay.from_importances(within, directions=curves)
    assert other.directions["a"] == "larger is preferred"
    plain = ImportanceDisplay.from_estimator(
        model,
        X,
        groups,
        feature_groups={"both": ["a", "c"]},
        n_repeats=2,
        directions=None,
        model="mine",
    )
    assert row_names(plain.ax_) == ["b", "both"]
    assert plain.signs_ == [None, None]
    assert plain.model == "mine"


@pytest.mark.parametrize("n_features", [3, 60])
@pytest.mark.parametrize("name", ["m{:02d}", LONG])
def test_texts_of_importances_neither_overlap_nor_leave_the_picture(n_features, name):
    names = [name.format(i) for i in range(n_features)]
    values = np.random.default_rng(0).normal(size=(n_features, 5))
    display = ImportanceDisplay.from_importances(
        values,
        feature_names=names,
        directions=dict(zip(names, [*DIRECTIONS.values()] * 15, strict=False)),
        model="a model of a name that is rather long, with its settings",
    )
    assert_inside(display.figure_)
    assert_no_overlap(display.figure_, display.ax_.get_yticklabels())
    assert len(set(row_names(display.ax_))) == n_features


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"importances": {"MRR": {}, "DCG": {}}, "feature_names": FEATURES},
            ValueError,
            "importances are of several scores, ['MRR', 'DCG']; expected those of one. "
            "Pass for example importances['MRR'].",
        ),
        (
            {"importances": IMPORTANCES},
            ValueError,
            "feature_names is None and the importances have no names; expected one per "
            "feature. Pass feature_names=X.columns.",
        ),
        (
            {
                "importances": IMPORTANCES,
                "feature_names": FEATURES,
                "directions": {"ID": "up"},
            },
            ValueError,
            "directions has 'up' for 'ID'; expected one of ['larger is preferred', ",
        ),
        (
            {
                "importances": IMPORTANCES,
                "feature_names": FEATURES,
                "directions": ["larger"] * 4,
            },
            TypeError,
            "directions is of type list; expected a dict by name, or the result of "
            "metric_curves.",
        ),
    ],
)
def test_importances_that_cannot_be_drawn(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        ImportanceDisplay.from_importances(**arguments)
    assert plt.get_fignums() == []


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
    "stds and ends": (
        LeaderboardDisplay(names=["a"], means=[1.0], stds=[1.0], lows=[0], highs=[2]),
        "stds and lows and highs were passed; expected stds alone, or lows and highs",
    ),
    "one end": (
        LeaderboardDisplay(names=["a"], means=[1.0], lows=[0]),
        "lows were passed; expected stds alone, or lows and highs",
    ),
    "negative std": (
        LeaderboardDisplay(names=["a"], means=[1.0], stds=[-0.5]),
        "the error bar of 'a' is from 1.5 to 0.5, without its mean 1; expected the mean",
    ),
    "ends beside the mean": (
        LeaderboardDisplay(names=["a"], means=[1.0], lows=[2], highs=[3]),
        "the error bar of 'a' is from 2 to 3, without its mean 1; expected the mean",
    ),
    "ranks of other length": (
        LeaderboardDisplay(names=["a"], means=[1.0], ranks=[[1, 1], [2, 2]]),
        "ranks has length 2 but there are 1 names",
    ),
    "highlight of no name": (
        LeaderboardDisplay(names=["ours", "b"], means=[1, 2], highlight=["our"]),
        "highlight has 'our', which is no name of the leaderboard; expected some of its "
        "2 names. Pass for example highlight=['ours'].",
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


def test_what_is_no_leaderboard():
    message = "board is of type dict; expected a leaderboard for LeaderboardDisplay"
    with pytest.raises(TypeError, match=re.escape(message)):
        LeaderboardDisplay.from_leaderboard({})


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
