"""Is a planted position bias found, and is the score better for it?

    python -m benchmarks.votes.positions [--draws 10] [--smoke] [--plot-only]

Lists of six items, in which an item that is shown lower is liked less: -log(position) is
added to what it is worth. The lists are in a random order, or sorted, roughly, by one of
the metrics, as those that some earlier ranking has made. For each draw: the bias of each
position with its standard error, and the accuracy on other lists against what the items
are worth, of a ranker with ``order_bias=True``, without, and of one that learns from
opinions without a bias. Writes ``results/positions_bias.csv``,
``positions_accuracy.csv`` and the picture ``docs/images/position-bias.png``; ``--smoke``
takes one draw of few lists and writes nothing.
"""

import matplotlib as mpl
import numpy as np
import pandas as pd

from benchmarks.shared.command_line import exit_if, parser_with_smoke
from benchmarks.shared.doc_tables import IMAGES
from benchmarks.shared.results import read_rows, write_rows
from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore.metrics import pairwise_accuracy_score
from sklearn_pscore.plotting._colors import BLUE, GREEN, GREY, ORANGE

N_ITEMS = 6
N_LISTS = 200
WEIGHTS = np.array([1.0, -0.7, 0.5, 0.0])
ORDERS = {"in a random order": 0.0, "sorted by a metric": 3.0}
METHODS = ("with order_bias", "without", "from unbiased opinions")


def drawn_lists(rng, n_lists, sorted_by):
    """Return metrics, positions, worths, and opinions without and with a bias."""
    X = rng.normal(size=(n_lists * N_ITEMS, len(WEIGHTS)))
    worth = X @ WEIGHTS + np.sin(2 * X[:, 3])
    group = np.repeat(np.arange(n_lists), N_ITEMS)
    shown = np.lexsort((-sorted_by * X[:, 1] - rng.gumbel(size=len(X)), group))
    position = np.empty(len(X), dtype=int)
    position[shown] = np.tile(np.arange(1, N_ITEMS + 1), n_lists)
    # With this noise a pair is decided by the model of the loss.
    unbiased = worth + rng.gumbel(size=len(X))
    return X, group, position, worth, unbiased, unbiased - np.log(position)


def measure(draw, n_lists):
    """Return the rows of biases, and of accuracies, of a draw."""
    biases, accuracies = [], []
    for order, sorted_by in ORDERS.items():
        rng = np.random.default_rng(draw)
        X, group, position, _, unbiased, biased = drawn_lists(rng, n_lists, sorted_by)
        X_new, new, _, worth, _, _ = drawn_lists(rng, N_LISTS, 0.0)
        truth = Groups.from_arrays(group=new, preference=worth)
        lists = Groups.from_arrays(group=group, preference=biased, position=position)
        fair = Groups.from_arrays(group=group, preference=unbiased)
        targets = dict(zip(METHODS, (lists, lists, fair), strict=True))
        for method, target in targets.items():
            ranker = PairwisePreferenceRanker(
                order_bias=method == METHODS[0], random_state=draw
            ).fit(X, target)
            accuracy = pairwise_accuracy_score(truth, ranker.predict(X_new))
            row = {"draw": draw, "lists": order, "method": method}
            accuracies.append({**row, "accuracy": accuracy})
            if method == METHODS[0]:
                found = ranker.position_bias_.assign(draw=draw, lists=order)
                biases.append(found.assign(planted=-np.log(found["position"])))
    return pd.concat(biases), pd.DataFrame(accuracies)


def plot(biases, accuracies):
    """Draw the biases that were found beside those that were planted, and accuracies."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
    positions = np.arange(1, N_ITEMS + 1)
    left.plot(positions, -np.log(positions), color=GREY, label="planted")
    for order, color, shift in zip(ORDERS, (BLUE, ORANGE), (-0.12, 0.12), strict=True):
        rows = biases[biases["lists"] == order]
        means = rows.groupby("position")[["bias", "std"]].mean()
        left.errorbar(
            means.index + shift,
            means["bias"],
            means["std"],
            fmt="none",
            ecolor=color,
            elinewidth=1.4,
            capsize=2.5,
        )
        left.plot(
            rows["position"] + shift, rows["bias"], ".", color=color, alpha=0.45, ms=5
        )
        left.plot(
            means.index + shift,
            means["bias"],
            "o",
            color=color,
            label=f"found, {order}",
        )
    left.set_xlabel("position in the list")
    left.set_ylabel("log odds against position 1")
    n_draws = biases["draw"].nunique()
    left.set_title(
        f"Found in {n_draws} draws of {N_LISTS} lists; bars: mean standard error",
        fontsize=10,
    )
    left.legend(frameon=False)
    for shift, (method, color) in enumerate(
        zip(METHODS, (BLUE, ORANGE, GREEN), strict=True)
    ):
        rows = accuracies[accuracies["method"] == method]
        place = rows["lists"].map({order: k for k, order in enumerate(ORDERS)})
        place += 0.3 * (shift - 1)
        right.plot(place, rows["accuracy"], ".", color=color, alpha=0.45, ms=5)
        means = rows["accuracy"].groupby(place).mean()
        right.plot(means.index, means, "o", color=color, label=method)
        for x, mean in means.items():
            right.annotate(
                f"{mean:.3f}", (x, mean), (6, 0), textcoords="offset points", fontsize=8
            )
    right.set_xlim(-0.5, len(ORDERS) - 0.4)
    right.set_xticks(np.arange(len(ORDERS)), list(ORDERS))
    right.set_title("Accuracy on other lists against the truth", fontsize=10)
    right.legend(frameon=False, loc="lower left")
    for panel in (left, right):
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(IMAGES / "position-bias.png", dpi=150)
    plt.close(figure)


def main():
    """Run all draws, print the means, and write rows and picture."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument(
        "--plot-only", action="store_true", help="draw rows that are there"
    )
    arguments = parser.parse_args()
    exit_if(["--draws is less than 1"] if arguments.draws < 1 else [])
    if arguments.plot_only:
        plot(read_rows("positions_bias"), read_rows("positions_accuracy"))
        return
    n_draws, n_lists = (1, 40) if arguments.smoke else (arguments.draws, N_LISTS)
    parts = [measure(draw, n_lists) for draw in range(n_draws)]
    biases, accuracies = (pd.concat(part) for part in zip(*parts, strict=True))
    print(accuracies.groupby(["lists", "method"])["accuracy"].agg(["mean", "std"]))
    if not arguments.smoke:
        write_rows("positions_bias", biases)
        write_rows("positions_accuracy", accuracies)
        plot(biases, accuracies)


if __name__ == "__main__":
    main()
