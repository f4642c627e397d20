"""What the tests of all pictures check, and systems to draw."""

from itertools import combinations

import matplotlib as mpl
import numpy as np

from sklearn_pscore import Groups
from sklearn_pscore.inspection import bootstrap_leaderboard

LONG = (
    "A system of a name with spaces, version {:02d}, trained on talking heads of 2023!"
)


def make_board(n_systems, name="system {:02d}", n_groups=30):
    """Return a leaderboard of systems, and its target."""
    rng = np.random.default_rng(n_systems)
    names = [name.format(i) for i in range(n_systems)]
    preference = rng.normal(size=(n_groups, n_systems)) + np.linspace(3, 0, n_systems)
    groups = Groups.from_arrays(
        group=np.repeat(np.arange(n_groups), n_systems),
        item=np.tile(names, n_groups),
        preference=preference.ravel(),
    )
    return bootstrap_leaderboard(groups, n_boot=200, random_state=0), groups


def one_line(text):
    """Return a text that was broken into lines as one."""
    return text.replace("\n", " ")


def assert_no_overlap(figure, texts):
    """Check that no two texts lie on each other."""
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in texts]
    for a, b in combinations(boxes, 2):
        assert not a.overlaps(b)


def assert_inside(figure):
    """Check that nothing is drawn beyond the edge of a figure."""
    figure.draw_without_rendering()
    # Without ticks that are outside of the limits, which nobody draws.
    drawn, whole = figure.get_tightbbox(), figure.bbox_inches
    assert drawn.width > 0
    assert drawn.x0 >= -0.01
    assert drawn.y0 >= -0.01
    assert drawn.x1 <= whole.width + 0.01
    assert drawn.y1 <= whole.height + 0.01


def linear_rgb(color):
    rgb = np.array(mpl.colors.to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def luminance(color):
    return linear_rgb(color) @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    """Contrast ratio of WCAG 2, from 1 to 21."""
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)
