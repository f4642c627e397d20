"""Draw leaderboards of systems and the importance of metrics.

    python -m benchmarks.inspection.plots

draws into ``docs/images/``: ``systems-thqa-ntire.png`` from the raw rows of
``talking_heads.py``, ``importance-thqa.png`` from those of ``importance.py`` and
``curves.py``, and ``win-probability-thqa-ntire.png`` from the data home that
``SKLEARN_PSCORE_DATA`` names.
"""

import matplotlib as mpl

from benchmarks.shared.doc_tables import IMAGES
from benchmarks.shared.results import read_rows
from sklearn_pscore.datasets import fetch_thqa_ntire
from sklearn_pscore.plotting import (
    ImportanceDisplay,
    LeaderboardDisplay,
    WinProbabilityDisplay,
)

_DPI = 110


def draw_systems(rows):
    """Means of the talkers of THQA-NTIRE, with their intervals and ranks."""
    rows = rows[rows["set"] == "THQA-NTIRE"]
    display = LeaderboardDisplay(
        names=rows["item"],
        means=rows["mean"],
        lows=rows["low"],
        highs=rows["high"],
        metric="opinion",
        over="14 descriptions of portraits, 780 groups",
        level=0.95,
        ranks=rows[["rank_low", "rank_high"]].to_numpy(),
        classes=rows["class"].to_numpy(),
        highlight=(),
    ).plot()
    display.ax_.set_title("Talkers of THQA-NTIRE")
    return display


def draw_win_probability():
    """Who is above whom on THQA-NTIRE."""
    ntire = fetch_thqa_ntire()
    display = WinProbabilityDisplay.from_predictions(ntire.groups, random_state=0)
    display.ax_.set_title("Talkers of THQA-NTIRE, by people's opinions")
    return display


def draw_importance(rows, curves):
    """Importance of the metrics of THQA, over folds, with directions."""
    rows = rows[rows["way"] == "alone"]
    wide = rows.pivot_table("importance", "metric", "fold", sort=False)
    directions = curves[curves["method"] == "additive"].set_index("metric")["direction"]
    display = ImportanceDisplay.from_importances(
        wide.to_numpy(),
        feature_names=wide.index,
        metric="pairwise accuracy",
        baseline=rows.groupby("fold")["baseline"].first().mean(),
        directions=directions.to_dict(),
        model="PS, defaults",
        over="folds",
    )
    display.ax_.set_title("Metrics of THQA, permuted within groups")
    return display


def main():
    """Draw all of them."""
    mpl.use("Agg")
    drawn = {
        "systems-thqa-ntire": draw_systems(read_rows("leaderboards")),
        "win-probability-thqa-ntire": draw_win_probability(),
        "importance-thqa": draw_importance(
            read_rows("importance_thqa"), read_rows("curves")
        ),
    }
    for name, display in drawn.items():
        display.figure_.savefig(IMAGES / f"{name}.png", dpi=_DPI)


if __name__ == "__main__":
    main()
