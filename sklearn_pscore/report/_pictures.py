"""The pictures of a page, each from a Display of the package."""

from dataclasses import dataclass, replace

from sklearn_pscore.report._answers import ACCURACY
from sklearn_pscore.report._svg import picture_style, svg_of

_MOST_METRICS = 12


@dataclass(frozen=True)
class Picture:
    """A picture of a page as SVG, and the line below it."""

    svg: str
    caption: str


def picture(name, caption, draw):
    """Return what `draw` draws.

    Parameters
    ----------
    name : str
        Letters; put before the identifiers of the picture.
    caption : str
    draw : callable
        Returns a Display that has drawn a figure of its own.

    Returns
    -------
    picture : Picture
    """
    from markupsafe import Markup

    with picture_style():
        svg = svg_of(draw().figure_, name, caption)
    return Picture(Markup(svg), caption)


def leaderboard_picture(name, caption, board):
    """Return a leaderboard of systems."""
    from sklearn_pscore.plotting import LeaderboardDisplay

    return picture(name, caption, lambda: LeaderboardDisplay.from_leaderboard(board))


def win_picture(board, caption):
    """Return how sure it is that one system is above another."""
    from sklearn_pscore.plotting import WinProbabilityDisplay

    return picture(
        "wins", caption, lambda: WinProbabilityDisplay.from_leaderboard(board)
    )


def comparison_picture(comparison, learnt, shown, caption):
    """Return the accuracies of some methods."""
    from sklearn_pscore.plotting import LeaderboardDisplay

    rows = comparison.rows[comparison.rows["method"].isin(shown)]
    some = replace(comparison, rows=rows)
    return picture(
        "comparison",
        caption,
        lambda: LeaderboardDisplay.from_comparison(
            some, metric=ACCURACY, highlight=[learnt]
        ),
    )


def curves_picture(curves, X, caption):
    """Return the curves of the metrics with the largest shares, and where rows are."""
    from sklearn_pscore.plotting import MetricCurvesDisplay

    return picture(
        "curves",
        caption,
        lambda: MetricCurvesDisplay.from_curves(curves, X, max_metrics=_MOST_METRICS),
    )


def importance_picture(importance, curves, learnt, caption):
    """Return what it costs to shuffle each metric, with its direction."""
    from sklearn_pscore.plotting import ImportanceDisplay

    return picture(
        "importance",
        caption,
        lambda: ImportanceDisplay.from_importances(
            importance,
            metric=importance.scoring,
            directions=curves,
            model=learnt,
            over="folds",
        ),
    )


def reliability_picture(groups, y_score, learnt, caption):
    """Return stated probabilities against shares."""
    from sklearn_pscore.plotting import ReliabilityDisplay

    return picture(
        "reliability",
        caption,
        lambda: ReliabilityDisplay.from_predictions(
            groups, y_score, name=learnt, random_state=0
        ),
    )


def scores_picture(groups, y_score, learnt, caption):
    """Return scores against preferences."""
    from sklearn_pscore.plotting import ScorePreferenceDisplay

    return picture(
        "scores",
        caption,
        lambda: ScorePreferenceDisplay.from_predictions(groups, y_score, name=learnt),
    )
