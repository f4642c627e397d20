"""Draw one picture per question of speed, from the raw rows in results/.

    python -m benchmarks.speed.plots

writes ``docs/images/speed-<question>.png`` for each question whose rows are there.
"""

import matplotlib as mpl

from benchmarks.shared.doc_tables import IMAGES
from benchmarks.shared.results import read_rows
from benchmarks.speed import growth

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

OURS = "#0072b2"
# Okabe and Ito's colours, which the colour-blind can tell apart.
OTHERS = ("#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#000000")
MUTED = "0.4"


def draw_pair_loss(rows):
    """Milliseconds of loss and gradient against the items of a group."""
    medians = rows.groupby(["method", "levels", "n_items"])["seconds"].median()
    fig, ax = _axes(6.8, 4.2)
    names = {
        ("expansion", "7"): "this package, 7 levels",
        ("expansion", "all different"): "this package, all different",
        ("dense tiles", "7"): "dense in tiles",
        ("dense", "7"): "dense in one piece",
    }
    colors = _colors(names.values())
    for key, name in names.items():
        line = 1e3 * medians[key]
        style = "--" if key[1] != "7" else "-"
        ax.plot(
            line.index, line, style, marker="o", ms=4, color=colors[name], label=name
        )
    ax.set(xscale="log", yscale="log", xlabel="items of the group")
    ax.set_ylabel("milliseconds, median of 5")
    _name_lines_by_legend(ax)
    _finish(fig, ax, "Loss of all pairs of one group, with its gradient")
    return fig


def draw_paper_workload(rows):
    """Held-out pairwise accuracy against seconds of a fit."""
    return _curves(
        rows,
        "pairwise accuracy on other challenges",
        f"{rows['n_pairs'].iloc[0] / 1e6:.1f} million pairs of five challenges",
    )


def draw_large_ranking(rows):
    """Held-out NDCG@10 against seconds of a fit."""
    n_rows = rows["n_rows"].iloc[0]
    return _curves(rows, "NDCG@10 on other groups", f"{n_rows:,} rows of 136 features")


def draw_epoch(rows):
    """Seconds of an epoch of fit and of bare loops."""
    names = {"fit": "fit of this package"}
    return _dots(
        rows.assign(method=rows["method"].replace(names)),
        "case",
        "milliseconds of an epoch",
        "An epoch of fit against bare torch loops",
        factor=1e3,
    )


def draw_prediction(rows):
    """Seconds to score a million rows."""
    return _dots(
        rows.assign(case=""),
        "case",
        "seconds",
        f"Scoring {rows['n_rows'].iloc[0]:,} rows of 136 features",
    )


def draw_metrics_speed(rows):
    """Seconds of each metric on one case, by library."""
    is_shown = rows["labels"].eq("numbers") & rows["order"].eq("sorted")
    is_shown &= rows["preference"].eq("5 levels") & ~rows["metric"].str.startswith("(")
    return _dots(
        rows[is_shown],
        "metric",
        "milliseconds",
        "Metrics of a million rows in 30,000 groups",
        factor=1e3,
    )


def draw_growth(rows):
    """Time of an epoch and peak of memory against the rows."""
    medians = growth.summary(rows)
    fig, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6), layout="constrained")
    per_row = 1e6 * rows["seconds"] / rows["n_rows"]
    left.plot(rows["n_rows"], per_row, "o", ms=4, color=OURS, alpha=0.4)
    left.plot(medians.index, medians["us per row"], color=OURS)
    left.set(xscale="log", ylim=(0, 1.25 * per_row.max()), xlabel="rows")
    left.set_ylabel("microseconds of an epoch per row")
    right.plot(medians.index, medians["peak_over_data"], "o-", ms=4, color=OURS)
    right.axhline(1, color=MUTED, lw=0.8, ls="--")
    right.annotate(
        "the data alone",
        (0, 1),
        (4, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        color=MUTED,
        fontsize=8,
    )
    right.set(xscale="log", xlabel="rows", ylabel="peak of memory / bytes of the data")
    right.set_ylim(0, 1.15 * medians["peak_over_data"].max())
    for ax in (left, right):
        _bare(ax)
    fig.suptitle("fit of 136 float32 features, as the rows grow")
    return fig


def draw_streamed(rows):
    """Peak of memory of streamed fits and of one in memory."""
    case = [
        f"{way}, {n / 1e6:g} million rows\n(accuracy {accuracy:.3f})"
        for way, n, accuracy in zip(
            rows["way"], rows["n_rows"], rows["accuracy"], strict=True
        )
    ]
    table = rows.assign(method=case, case="", seconds=rows["peak_bytes"] / 2**20)
    return _dots(table, "case", "peak of memory of the process, MB", "fit_parquet")


def _curves(rows, ylabel, title):
    """Best score so far against seconds, for the first repetition."""
    rows = rows[rows["repetition"] == rows["repetition"].min()]
    colors = _colors(rows["method"].unique())
    fig, ax = _axes(7.6, 4.4)
    for method, curve in rows.groupby("method", sort=False):
        ax.step(
            curve["seconds"],
            curve["score"].cummax(),
            where="post",
            color=colors[method],
            lw=2.4 if method == rows["method"].iloc[0] else 1.5,
            label=method,
        )
    ax.set(xscale="log", xlabel="seconds of the fit", ylabel=f"{ylabel}, best so far")
    _name_lines_by_legend(ax)
    _finish(fig, ax, title)
    return fig


def _dots(rows, panels, xlabel, title, factor=1.0):
    """Medians by method on a log axis, with a line from the least to the largest."""
    cases = list(rows[panels].unique())
    ours = rows["method"].iloc[0]
    by_case = [
        list(rows.loc[rows[panels] == case, "method"].unique()) for case in cases
    ]
    heights = [0.55 + 0.34 * len(methods) for methods in by_case]
    fig, axes = plt.subplots(
        len(cases),
        1,
        figsize=(7.2, sum(heights) + 0.7),
        height_ratios=heights,
        layout="constrained",
        squeeze=False,
    )
    for ax, case, methods in zip(axes[:, 0], cases, by_case, strict=True):
        values = factor * rows[rows[panels] == case].set_index("method")["seconds"]
        for height, method in enumerate(methods):
            seconds = values.loc[[method]]
            color = OURS if method == ours else MUTED
            ax.plot([seconds.min(), seconds.max()], [height] * 2, color=color, lw=1)
            ax.plot(seconds.median(), height, "o", color=color)
            ax.annotate(
                _short(seconds.median()),
                (1.01, height),
                xycoords=("axes fraction", "data"),
                color=MUTED,
                va="center",
                fontsize=9,
            )
        ax.set_yticks(range(len(methods)), methods)
        ax.set_ylim(len(methods) - 0.4, -0.6)
        # Room on both sides, and a decade at least: a log axis needs its ticks.
        middle = (values.min() * values.max()) ** 0.5
        least, most = min(values.min(), middle / 3), max(values.max(), middle * 3)
        ax.set(xscale="log", xlim=(0.8 * least, 1.25 * most))
        ax.set_title(case, loc="left", fontsize=10)
        _bare(ax, side="left")
    axes[-1, 0].set_xlabel(xlabel)
    fig.suptitle(title)
    return fig


def _axes(width, height):
    return plt.subplots(figsize=(width, height), layout="constrained")


def _colors(names):
    """Return a colour per name; the first is this package's."""
    return dict(zip(names, (OURS, *OTHERS), strict=False))


def _name_lines_by_legend(ax):
    """Name the lines at the right, in the order of where they end."""
    handles, labels = ax.get_legend_handles_labels()
    ends = [handle.get_ydata()[-1] for handle in handles]
    order = sorted(range(len(ends)), key=lambda k: -ends[k])
    ax.legend(
        [handles[k] for k in order],
        [labels[k] for k in order],
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
        fontsize=9,
    )


def _finish(fig, ax, title):
    _bare(ax)
    fig.suptitle(title)


def _bare(ax, side=None):
    """Leave a light grid and plain numbers on the log axes."""
    ax.grid(color="0.92", lw=0.8, axis="x" if side else "both")
    ax.set_axisbelow(True)
    for each in ("top", "right", *([side] if side else [])):
        ax.spines[each].set_visible(False)
    for axis in (ax.xaxis, ax.yaxis):
        if axis.get_scale() == "log":
            low, high = axis.get_view_interval()
            # Few decades get ticks at 1, 2 and 5 of each.
            axis.set_major_locator(
                LogLocator(subs=(1, 2, 5) if high < 200 * low else (1,))
            )
            axis.set_major_formatter(FuncFormatter(_plain))
            axis.set_minor_formatter(NullFormatter())
    if side:
        ax.tick_params(axis="y", length=0)


def _short(value):
    """Return a number with three digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _plain(value, _position):
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


PICTURES = {
    "pair_loss": draw_pair_loss,
    "paper_workload": draw_paper_workload,
    "epoch": draw_epoch,
    "large_ranking": draw_large_ranking,
    "growth": draw_growth,
    "prediction": draw_prediction,
    "metrics_speed": draw_metrics_speed,
    "streamed": draw_streamed,
}


def main():
    """Draw every question that has rows."""
    for name, draw in PICTURES.items():
        rows = read_rows(name)
        if not len(rows):
            print(f"{name}: no rows")
            continue
        fig = draw(rows)
        fig.savefig(IMAGES / f"speed-{name.replace('_', '-')}.png", dpi=110)
        plt.close(fig)


if __name__ == "__main__":
    main()
