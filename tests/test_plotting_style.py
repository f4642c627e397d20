"""The style of pictures: colours, names that fit, lines that name a value."""

import io
import re
import subprocess
import sys
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from pictures import contrast, linear_rgb

from sklearn_pscore.plotting import (
    ImportanceDisplay,
    LeaderboardDisplay,
    WinProbabilityDisplay,
    _axes,
    _colors,
)
from sklearn_pscore.plotting._colors import color_of, is_ours, style_of, styles_of

NAMES = list(_colors._STYLES)
LONG = (
    "A system of a name with spaces, version 1.2.3, trained on talking heads of 2023!"
)
# Machado, Oliveira, Fernandes, "A Physiologically-based Model for Simulation of Color
# Vision Deficiency", 2009: severity 1, in linear RGB.
SIGHTS = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
PAPERS = {"white": "#ffffff", "dark": "#121212"}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def lab(rgb):
    xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    ) @ np.clip(rgb, 0, 1)
    f = np.cbrt(xyz / [0.95047, 1.0, 1.08883])
    f = np.where(f**3 > 216 / 24389, f, (24389 / 27 * f**3 + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("paper", PAPERS)
def test_colors_show_on_white_and_on_dark_paper(paper):
    colors = {style.color for style in _colors._STYLES.values()} | set(_colors._COLORS)
    # 3 is what WCAG asks of lines and points that carry meaning.
    assert min(contrast(color, PAPERS[paper]) for color in colors) >= 3


def test_no_two_methods_share_marker_or_line_and_color():
    styles = [style_of(name) for name in NAMES]
    assert len({style.marker for style in styles}) == len(NAMES)
    assert len(
        {(style.color, style.hatch, style.linestyle) for style in styles}
    ) == len(NAMES)


@pytest.mark.parametrize("sight", SIGHTS)
def test_the_color_blind_tell_the_two_ends_of_a_scale_and_ours_apart(sight):
    seen = {
        name: lab(np.array(SIGHTS[sight]) @ linear_rgb(color))
        for name, color in {
            "PS, defaults": color_of("PS, defaults"),
            "CB": color_of("CB"),
            "CatBoost": color_of("CatBoost"),
            "DT": color_of("DT"),
            "#Top1": color_of("#Top1"),
        }.items()
    }
    ours = seen.pop("PS, defaults")
    # A difference of 2 is just seen; of 10 at a glance.
    assert min(np.linalg.norm(ours - other) for other in seen.values()) > 15
    assert color_of("PS, defaults") == _colors.PREFERRED
    assert color_of("CB") == _colors.REJECTED


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("CatBoost PairLogit", "CatBoost"),
        ("LightGBM, small", "LightGBM"),
        ("PS, 5 members", "PS"),
        ("GT, the order of people", "GT"),
        ("sklearn_pscore", "PS, defaults"),
        ("LGBMRanker", "LightGBM"),
    ],
)
def test_variants_have_the_color_of_their_family(name, like):
    assert color_of(name) == color_of(like)


def test_a_metric_is_no_method_of_ours():
    assert [
        name for name in ("PSNR", "PS", "PS, defaults", "CB", "DTW") if is_ours(name)
    ]
    assert not is_ours("PSNR")
    assert _colors.known_name("DTW") is None
    assert is_ours("sklearn_pscore")


def test_styles_are_the_same_in_every_process():
    # The file by itself: the package around it takes seconds to import.
    code = (
        f"import runpy; colors = runpy.run_path({_colors.__file__!r})\n"
        "print(colors['style_of']('musiq'), colors['styles_of'](['b', 'a', 'PS']))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert outputs == {f"{style_of('musiq')} {styles_of(['b', 'a', 'PS'])}"}


def test_variants_in_one_picture_have_one_color_and_other_marks():
    names = ["XGBoost", *(f"XGBoost rank:{i}" for i in range(6))]
    styles = styles_of(names)
    assert styles["XGBoost"] == style_of("XGBoost")
    assert {style.color for style in styles.values()} == {color_of("XGBoost")}
    for mark in ("marker", "hatch", "linestyle"):
        assert len({getattr(style, mark) for style in styles.values()}) == 7


def test_unknown_names_in_one_picture_differ_and_do_not_depend_on_their_order():
    names = [f"metric {i}" for i in range(40)]
    styles = styles_of(names)
    assert list(styles) == names
    assert styles == styles_of(names[::-1])
    assert len({style.color for style in styles_of(names[:8]).values()}) == 8
    assert len({(style.color, style.marker) for style in styles.values()}) == 40
    assert color_of("PS, defaults") not in {style.color for style in styles.values()}
    assert styles_of(["a name"])["a name"] == style_of("a name")
    mixed = styles_of(["PS", *names[:3]])
    assert mixed["PS"] == style_of("PS")


@pytest.mark.parametrize("n_names", [3, 60])
def test_long_names_fit_and_stay_different(n_names):
    names = [f"{LONG[:40]}{i:02d}{LONG[42:]}" for i in range(n_names)]
    fitted = _axes.fit_names(names)
    assert len(set(fitted)) == n_names
    lines = [line for text in fitted for line in text.split("\n")]
    assert max(map(len, lines)) <= _axes.LONGEST_LINE
    if n_names == 3:
        # All of the name can be read.
        assert [text.replace("\n", " ") for text in fitted] == names
    else:
        assert fitted[7] == "A system of a…07…heads of 2023!"
        assert all(text.startswith("A system") for text in fitted)
        assert all(text.endswith("2023!") for text in fitted)


def test_names_that_are_short_stay_and_blanks_are_one():
    assert _axes.fit_names(["a", "b  c\n d"]) == ["a", "b c d"]
    assert _axes.fit_names(["same", "same"]) == ["same", "same"]
    assert _axes.fit_names(["x" * 100], n_lines=1, length=11) == ["xxxxx…xxxxx"]


def test_names_that_differ_all_over_get_more_letters():
    names = [f"{i}{'a' * 40}{j}{'b' * 40}" for i in "12" for j in "12"]
    fitted = _axes.fit_names(names, n_lines=1, length=8)
    assert len(set(fitted)) == 4


@pytest.mark.parametrize(("n_rows", "least", "most"), [(3, 2.0, 2.3), (60, 12, 13)])
def test_rows_are_lower_where_there_are_many(n_rows, least, most):
    ax = _axes.make_axes(None, [f"row {i}" for i in range(n_rows)], "a test")
    assert least < ax.figure.get_size_inches()[1] < most
    assert _axes.make_axes(ax, ["a"], "a test") is ax


def test_a_name_with_dollars_is_no_formula():
    ax = _axes.make_axes(None, ["$x^2$ of $"], "a test")
    _axes.label_rows(ax, ["$x^2$ of $"])
    ax.figure.canvas.draw()
    (label,) = ax.get_yticklabels()
    assert label.get_text() == "$x^2$ of $"
    assert not label.get_parse_math()


def test_marked_values_have_names_above_the_rows_that_do_not_overlap():
    ax = _axes.make_axes(None, ["a", "b"], "a test", n_more=2)
    ax.plot([0, 1], [0, 1])
    ax.set(xlim=(0, 1), ylim=(-0.6, 1.6))
    marks = [(0.7, "the first, at .7", "--"), (0.72, "the second", ":")]
    lines, texts = _axes.mark_values(ax, marks, 1.9)
    ax.figure.canvas.draw()
    assert [line.get_xdata()[0] for line in lines] == [0.7, 0.72]
    assert [text.get_text() for text in texts] == ["the first, at .7", "the second"]
    first, second = (text.get_window_extent() for text in texts)
    assert not first.overlaps(second)
    assert ax.get_xlim() == (0, 1)
    assert second.y1 < ax.get_window_extent().y1
    # Each ends at its name.
    assert lines[0].get_ydata()[1] < lines[1].get_ydata()[1]


def test_text_and_lines_follow_a_dark_style():
    with plt.style.context("dark_background"):
        ax = _axes.make_axes(None, ["a"], "a test")
        _axes.label_rows(ax, ["a"])
        ax.set(xlim=(0, 1), ylim=(-0.6, 0.6))
        (line,), (text,) = _axes.mark_values(ax, [(0.5, "chance", ":")], 0.9)
        assert line.get_color() == text.get_color() == "white"
        assert {each.get_color() for each in ax.get_xgridlines()} == {"white"}


DISPLAYS = {
    "leaderboard": lambda names: LeaderboardDisplay(
        names=names, means=np.arange(len(names)), chance=0.5, truth=3.0
    ),
    "importance": lambda names: ImportanceDisplay(
        importances=np.eye(len(names)),
        feature_names=names,
        directions=dict.fromkeys(names, "smaller"),
    ),
    "win probability": lambda names: WinProbabilityDisplay(
        names=names, win_probability=np.full((len(names),) * 2, 0.5)
    ),
}


@pytest.mark.parametrize("kind", DISPLAYS)
def test_a_page_can_take_pictures_as_text_in_its_own_color(kind):
    names = ["<b>bold</b> & 'quoted'", "$x^2$", "plain"]
    file = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        display = DISPLAYS[kind](names).plot()
        display.figure_.savefig(file, format="svg")
    svg = ElementTree.fromstring(file.getvalue())
    texts = [element for element in svg.iter() if element.tag.endswith("}text")]
    written = " ".join("".join(text.itertext()) for text in texts)
    assert all(name in written for name in names)
    # Black, which is not written as it is the default, and colours of the table only:
    # an ink of another grey would be lost on a dark page.
    inks = {
        color
        for text in texts
        for color in re.findall("fill: (#[0-9a-f]{6})", text.get("style"))
    }
    assert inks <= {"#16202a"} if kind == "win probability" else not inks
