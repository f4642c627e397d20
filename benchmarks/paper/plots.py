"""Draw how the methods of the paper agree with people on THQA.

    python -m benchmarks.paper.plots

draws ``docs/images/leaderboard-thqa.png`` from the raw rows of ``thqa.py``, in which
all learn from full opinions. Chance is that of the target, which is read from the data
home that ``SKLEARN_PSCORE_DATA`` names.
"""

import matplotlib as mpl
import numpy as np

from benchmarks.shared.doc_tables import IMAGES
from benchmarks.shared.results import read_rows
from sklearn_pscore.datasets import fetch_thqa
from sklearn_pscore.metrics import dcg_score, reciprocal_rank_score
from sklearn_pscore.model_selection import RankerComparison
from sklearn_pscore.plotting import LeaderboardDisplay

METRICS = {"MRR": reciprocal_rank_score, "DCG": dcg_score}


def comparison():
    """Return the comparison that the rows were made by, on full opinions."""
    rows = read_rows("paper_thqa")
    is_shown = rows["labels"].eq("full") & rows["method"].ne("PS, synthetic items")
    rows = rows[is_shown].drop(columns="labels").astype({"seed": "Int64"})
    groups = fetch_thqa().groups
    equal = np.zeros(len(groups))
    # The folds have 20 groups each, so their mean is that of all groups.
    chance = {name: metric(groups, equal) for name, metric in METRICS.items()}
    return RankerComparison(rows, tuple(METRICS), "GT", "fold", chance=chance)


def main():
    """Draw a panel per metric."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    compared = comparison()
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
    # Keep the numbers of the left panel away from the right one.
    figure.get_layout_engine().set(wspace=0.1)
    for ax, metric in zip(axes, METRICS, strict=True):
        LeaderboardDisplay.from_comparison(compared, metric=metric, ax=ax)
    figure.suptitle("Agreement with people on THQA: 100 groups of 8 talking heads")
    figure.savefig(IMAGES / "leaderboard-thqa.png", dpi=110)


if __name__ == "__main__":
    main()
