"""Which metrics of THQA do people follow, which way, and would other data say the same?

The defaults after a StandardScaler are fitted to all of THQA, and to random halves of
its portraits, with six columns of noise beside the 24 metrics. Each fit tells its
curves by the additive part and by accumulated local effects.

    python -m benchmarks.inspection.curves [--smoke]

writes ``results/curves.csv`` (the fit to all, a row per method and metric) and
``results/curves_of_halves.csv`` (a row per split, half, method and metric), and the
picture ``docs/images/curves-thqa.png``, from the data home that
``SKLEARN_PSCORE_DATA`` names. ``--smoke`` takes one split and writes nothing.
"""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.shared.command_line import parser_with_smoke
from benchmarks.shared.doc_tables import IMAGES
from benchmarks.shared.results import write_rows
from sklearn_pscore import PairwisePreferenceRanker
from sklearn_pscore.datasets import fetch_thqa
from sklearn_pscore.inspection import metric_curves
from sklearn_pscore.plotting import MetricCurvesDisplay

METHODS = ("additive", "accumulated")
N_NOISE, N_SPLITS = 6, 12


def fitted_to(X, groups, seed):
    """Return the defaults after a scaler, fitted."""
    ranker = PairwisePreferenceRanker(random_state=seed)
    return make_pipeline(StandardScaler(), ranker).fit(X, groups)


def rows_of(curves, method):
    """Return the table of curves with what holds for all of it."""
    rows = curves.to_frame()
    rows.insert(0, "method", method)
    rows["interaction_share"] = curves.interaction_share
    return rows


def whole(thqa):
    """Return the rows of the fit to all, and the curves of its additive part."""
    model = fitted_to(thqa.data, thqa.groups, seed=0)
    found = {
        method: metric_curves(model, thqa.data, thqa.groups, method=method)
        for method in METHODS
    }
    rows = pd.concat([rows_of(curves, name) for name, curves in found.items()])
    rows["promised"] = rows["metric"].map(thqa.directions)
    return rows, found["additive"]


def halves(thqa, n_splits):
    """Return the rows of fits to random halves of the portraits."""
    portraits, parts = np.unique(thqa.portraits), []
    for split in range(n_splits):
        rng = np.random.default_rng(split)
        X = thqa.data.copy()
        for number in range(N_NOISE):
            X[f"noise {number}"] = rng.normal(size=len(X))
        drawn = rng.permutation(portraits)[: len(portraits) // 2]
        for half, picked in enumerate([drawn, np.setdiff1d(portraits, drawn)]):
            is_in = np.isin(thqa.portraits, picked)
            model = fitted_to(X[is_in], thqa.groups[is_in], seed=split)
            for method in METHODS:
                curves = metric_curves(
                    model, X[is_in], thqa.groups[is_in], method=method
                )
                rows = rows_of(curves, method)
                rows.insert(0, "half", half)
                rows.insert(0, "split", split)
                parts.append(rows.drop(columns=["missing", "missing_std"]))
    return pd.concat(parts)


def picture(curves, X):
    """Draw the curves of the metrics with the largest shares."""
    mpl.rcdefaults()
    display = MetricCurvesDisplay.from_curves(curves, X, max_metrics=12)
    display.figure_.savefig(IMAGES / "curves-thqa.png", dpi=100)
    plt.close(display.figure_)


def main():
    """Fit, write the rows and draw the picture."""
    smoke = parser_with_smoke(__doc__).parse_args().smoke
    mpl.use("Agg")
    thqa = fetch_thqa()
    rows, curves = whole(thqa)
    print(curves)
    of_halves = halves(thqa, 1 if smoke else N_SPLITS)
    if not smoke:
        write_rows("curves", rows.drop(columns=["missing", "missing_std"]))
        write_rows("curves_of_halves", of_halves)
        picture(curves, thqa.data)


if __name__ == "__main__":
    main()
