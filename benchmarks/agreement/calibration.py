"""Are the stated probabilities of a preference true?

``preference_proba`` of this package's defaults, and the margins of CatBoost
PairLogit and LightGBM through a sigmoid, uncalibrated, on the pairs that five
folds hold out, of THQA (by portrait) and RealSumm (by article). Each pair is
counted once, in an order drawn with a fixed seed that is the same for all
rankers.

    python -m benchmarks.agreement.calibration [--seeds 5] [--show] [--smoke]

writes ``results/calibration.csv``, one row per set, ranker, seed, fold and bin
of the stated probability, draws ``docs/images/calibration.png`` and prints the
expected calibration error (ten bins of equal width, weighted by their pairs)
and the log loss per pair. The histograms are of this package's pairs. ``--show`` fits
nothing: it draws and prints the rows that are there. ``--smoke`` runs LightGBM and
this package with one seed and writes nothing.
"""

import matplotlib as mpl
import numpy as np
import pandas as pd
from scipy.special import expit

from benchmarks.agreement.data_sets import SETS
from benchmarks.agreement.evaluation import fits
from benchmarks.agreement.rankers import OURS, RANKERS, Sorted
from benchmarks.shared.command_line import parser_with_smoke
from benchmarks.shared.doc_tables import IMAGES
from benchmarks.shared.results import read_rows, write_rows
from sklearn_pscore.plotting import ReliabilityDisplay

N_BINS = 10
CASES = ("THQA", "RealSumm")
VALUES = ["stated", "happened", "log_loss"]
COLUMNS = ["set", "ranker", "seed", "fold", "bin", "n_pairs", *VALUES]
METHODS = (OURS, "CatBoost PairLogit", "LightGBM")


def probabilities(model, X_a, X_b):
    """Return the stated probability that a is preferred to b."""
    if hasattr(model, "steps"):
        transform = model[:-1].transform
        return model[-1].preference_proba(transform(X_a), transform(X_b))
    return expit(model.predict(X_a) - model.predict(X_b))


def outcomes(model, split, fold):
    """Return stated probability and outcome (1 or 0) of each held-out pair."""
    rng = np.random.default_rng(fold)
    rows = Sorted.of(split.X_test, split.groups_test)
    better, worse = rows.pairs(rng)
    won = rng.random(len(better)) < 0.5
    a, b = np.where(won, better, worse), np.where(won, worse, better)
    X = pd.DataFrame(rows.X, columns=split.X_test.columns)
    return probabilities(model, X.iloc[a], X.iloc[b]), won.astype(float)


def bins_of(proba, won):
    """Return one row per bin of the stated probability that has pairs."""
    number = np.minimum((proba * N_BINS).astype(int), N_BINS - 1)
    # A float32 sigmoid may state 0 or 1 exactly.
    likely = np.clip(np.where(won == 1, proba, 1 - proba), 1e-12, None)
    table = pd.DataFrame(
        {"bin": number, "stated": proba, "happened": won, "log_loss": -np.log(likely)}
    )
    means = table.groupby("bin").mean()
    return means.assign(n_pairs=table.groupby("bin").size()).reset_index()


def pooled(table):
    """Return the bins of each set, ranker and seed, pooled over folds."""
    sums = table[VALUES].mul(table["n_pairs"], axis=0)
    keys = table[["set", "ranker", "seed", "bin", "n_pairs"]]
    sums = pd.concat([keys, sums], axis=1)
    sums = sums.groupby(["set", "ranker", "seed", "bin"], sort=False).sum()
    sums[VALUES] = sums[VALUES].div(sums["n_pairs"], axis=0)
    return sums.reset_index()


def calibration_errors(table):
    """Return expected calibration error and log loss of each set, ranker and seed."""
    bins = pooled(table)
    bins["error"] = (bins["stated"] - bins["happened"]).abs() * bins["n_pairs"]
    bins["log_loss"] *= bins["n_pairs"]
    sums = bins.groupby(["set", "ranker", "seed"], sort=False)[
        ["error", "log_loss", "n_pairs"]
    ].sum()
    return sums[["error", "log_loss"]].div(sums["n_pairs"], axis=0)


def draw(table):
    """Draw observed shares against stated probabilities, a panel per set."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    bins = pooled(table)
    errors = calibration_errors(table)["error"].groupby(["set", "ranker"]).mean()
    figure, panels = plt.subplots(
        1, len(CASES), figsize=(8.8, 4.9), layout="constrained", sharey=True
    )
    for panel, name in zip(panels, CASES, strict=True):
        for method in METHODS:
            rows = bins[(bins["set"] == name) & (bins["ranker"] == method)]
            # The mean of the bins over seeds.
            line = rows.groupby("bin")[["stated", "happened", "n_pairs"]].mean()
            ReliabilityDisplay(
                prob_pred=line["stated"],
                prob_true=line["happened"],
                n_pairs=line["n_pairs"],
                error=errors[name, method],
                name=method,
            ).plot(panel)
        panel.set_title(name)
    panels[1].set_ylabel("")
    figure.savefig(IMAGES / "calibration.png", dpi=150)
    plt.close(figure)


def measure(methods, n_seeds):
    """Fit every method on every fold and return the rows."""
    parts = []
    for name in CASES:
        data = SETS[name]
        if not data.is_available():
            raise SystemExit(
                f"{name} is not in the data home; set SKLEARN_PSCORE_DATA to the folder "
                f"that holds {data.file}."
            )
        splits = data.splits()
        for method in methods:
            entry = RANKERS[method]
            for model, split, fit in fits(
                lambda seed, split, entry=entry, data=data: entry.make(seed, data),
                splits,
                entry.n_seeds(n_seeds),
            ):
                bins = bins_of(*outcomes(model, split, fit["fold"]))
                parts.append(bins.assign(**fit, set=name, ranker=method))
    return pd.concat(parts)[COLUMNS]


def main():
    """Measure, write, draw and print."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="runs of this package")
    parser.add_argument("--show", action="store_true", help="run nothing, draw rows")
    args = parser.parse_args()
    if args.smoke:
        table = measure((OURS, "LightGBM"), 1)
    elif args.show:
        table = read_rows("calibration")
        draw(table)
    else:
        table = measure(METHODS, args.seeds)
        write_rows("calibration", table)
        draw(table)
    errors = calibration_errors(table)
    print("expected calibration error and log loss per pair, mean over seeds")
    print(errors.groupby(["set", "ranker"], sort=False).mean().round(4).to_string())


if __name__ == "__main__":
    main()
