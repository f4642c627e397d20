"""Draw one picture per question of speed, from the raw rows in results/.

    python -m benchmarks.speed.plots

writes ``docs/images/speed-<question>.png`` for each question whose rows are there.
"""

import matplotlib as mpl

from benchmarks.shared.doc_tables import IMAGES
from benchmarks.shared.results import read_rows
from benchmarks.speed import growth, large_ranking
from benchmarks.speed.tables import OURS_IN_PREDICTION
from sklearn_pscore.plotting._axes import SOFT, bare, label_rows, text_color
from sklearn_pscore.plotting._colors import BLUE, is_ours, styles_of

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

_ROW = 0.34  # inches


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
    styles = styles_of(names.values())
    for key, name in names.items():
        line = 1e3 * medians[key]
        _draw_line(ax, line.index, line, name, styles[name])
    ax.set(xscale="log", yscale="log", xlabel="items of the group")
    ax.set_ylabel("milliseconds, median of 5 (less is better)")
    _name_lines_by_legend(ax)
    _finish(fig, ax, "Loss of all pairs of one group, with its gradient")
    return fig


def draw_paper_workload(rows):
    """Held-out pairwise accuracy against seconds of a fit."""
    return _curves(
        rows,
        "pairwise accuracy on other challenges",
        "Learning from "
        f"{rows['n_pairs'].iloc[0] / 1e6:.1f} million pairs of five challenges",
    )


def draw_large_ranking(rows):
    """Held-out NDCG@10 against seconds of a fit, a panel per truth."""
    rows = rows[rows["n_rows"] == rows["n_rows"].max()]
    rows = rows[rows["repetition"] == rows["repetition"].min()]
    rows = rows.assign(
        method=rows["method"].str.replace("sklearn_pscore", "this package")
    )
    truths = list(rows["truth"].unique())
    is_truth = rows["method"] == large_ranking.TRUTH
    styles = styles_of(rows.loc[~is_truth, "method"].unique())
    fig, axes = plt.subplots(
        len(truths),
        1,
        figsize=(7.6, 2.9 * len(truths) + 0.5),
        layout="constrained",
        squeeze=False,
    )
    for truth, ax in zip(truths, axes.ravel(), strict=True):
        here = rows["truth"] == truth
        for method, curve in rows[here & ~is_truth].groupby("method", sort=False):
            line = curve.sort_values("seconds")
            _draw_line(
                ax,
                line["seconds"],
                line["score"].cummax(),
                method,
                styles[method],
                markevery=max(1, len(line) // 4),
            )
        for best in rows.loc[here & is_truth, "score"]:
            ax.axhline(best, color=text_color(), linewidth=1, linestyle=":")
            ax.annotate(
                "the truth itself",
                (0.01, best),
                xycoords=("axes fraction", "data"),
                xytext=(0, -3),
                textcoords="offset points",
                va="top",
                fontsize=9,
            )
        ax.set(xscale="log", title=truth)
        ax.set_ylabel("NDCG@10, best so far")
        _name_lines_by_legend(ax)
        bare(ax)
        _plain_ticks(ax.xaxis)
    axes[-1, 0].set_xlabel("seconds of the fit (log scale; less is better)")
    fig.suptitle(f"Learning to rank {rows['n_rows'].iloc[0]:,} rows, 136 features")
    return fig


def draw_epoch(rows):
    """Seconds of an epoch of fit and of bare loops."""
    names = {"fit": "this package, fit"}
    return _dots(
        rows.assign(method=rows["method"].replace(names)),
        "case",
        "milliseconds of an epoch",
        "An epoch of fit against bare torch loops",
        factor=1e3,
    )


def draw_prediction(rows):
    """Seconds to score a million rows."""
    names = {name: f"this package, {name}" for name in OURS_IN_PREDICTION}
    rows = rows[rows["n_rows"] > 1]
    return _dots(
        rows.assign(case="", method=rows["method"].replace(names)),
        "case",
        "seconds",
        f"Scoring {rows['n_rows'].iloc[0]:,} rows of 136 features, the fastest on top",
    )


def draw_metrics_speed(rows):
    """Seconds of each metric on one case, by library."""
    is_shown = rows["labels"].eq("numbers") & rows["order"].eq("sorted")
    is_shown &= rows["preference"].eq("5 levels") & ~rows["metric"].str.startswith("(")
    rows = rows[is_shown].replace({"method": {"sklearn_pscore": "this package"}})
    metrics = list(rows["metric"].unique())[::-1]
    medians = 1e3 * rows.groupby(["method", "metric"], sort=False)["seconds"].median()
    fig, ax = _axes(7.2, 0.42 * len(metrics) + 1.6)
    styles = styles_of(rows["method"].unique())
    for method, style in styles.items():
        values = medians[method].reindex(metrics)
        _draw_line(ax, values, range(len(metrics)), method, style, linestyle="none")
        for row, value in enumerate(values):
            if value > 0:
                _write_number(ax, value, row, xytext=(7, 0))
    label_rows(ax, metrics)
    ax.set(xscale="log", xlim=(0.7 * medians.min(), 2.2 * medians.max()))
    ax.set_ylim(-0.6, len(metrics) - 0.4)
    ax.set_xlabel("milliseconds, median (less is better)")
    ax.legend(
        frameon=False, fontsize=9, ncols=3, loc="lower left", bbox_to_anchor=(0, 1)
    )
    _plain_ticks(ax.xaxis)
    fig.suptitle("Metrics of a million rows in 30,000 groups")
    return fig


def draw_growth(rows):
    """Time of an epoch and peak of memory against the rows."""
    medians = growth.summary(rows)
    fig, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6), layout="constrained")
    per_row = 1e6 * rows["seconds"] / rows["n_rows"]
    left.plot(rows["n_rows"], per_row, "o", ms=4, mfc="none", color=BLUE, label="epoch")
    left.plot(medians.index, medians["us per row"], color=BLUE, label="median")
    left.set(xscale="log", ylim=(0, 1.25 * per_row.max()), xlabel="rows")
    left.set_ylabel("microseconds of an epoch per row")
    left.legend(frameon=False, fontsize=9, loc="upper right")
    right.plot(medians.index, medians["peak_over_data"], "o-", ms=4, color=BLUE)
    right.axhline(1, color=text_color(), alpha=SOFT, lw=1, ls="--")
    right.annotate(
        "the data alone",
        (0, 1),
        (4, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        fontsize=8,
    )
    right.set(xscale="log", xlabel="rows", ylabel="peak of memory / bytes of the data")
    right.set_ylim(0, 1.15 * medians["peak_over_data"].max())
    for ax in (left, right):
        bare(ax)
        _plain_ticks(ax.xaxis)
    fig.suptitle("fit of this package on 136 float32 features, as the rows grow")
    return fig


def draw_streamed(rows):
    """Peak of memory of streamed fits and of one in memory."""
    rows = rows[::-1]
    names = [
        f"{way}, {n / 1e6:g} million rows\n(accuracy {accuracy:.3f})"
        for way, n, accuracy in zip(
            rows["way"], rows["n_rows"], rows["accuracy"], strict=True
        )
    ]
    peaks = rows["peak_bytes"].to_numpy() / 2**20
    fig, ax = _axes(7.2, 0.5 * len(rows) + 1.2)
    hatches = ["" if way == "streamed" else "//" for way in rows["way"]]
    ax.barh(
        range(len(peaks)),
        peaks,
        height=0.6,
        color=mpl.colors.to_rgba(BLUE, 0.4),
        edgecolor=BLUE,
        hatch=hatches,
    )
    for row, peak in enumerate(peaks):
        _write_number(ax, peak, row, xytext=(5, 0))
    # The names have their line breaks; label_rows would make new ones.
    label_rows(ax, [""] * len(names))
    ax.set_yticklabels(names)
    ax.set(xlim=(0, 1.15 * peaks.max()), ylim=(-0.6, len(peaks) - 0.4))
    ax.set_xlabel("peak of memory of the process, MB (less is better)")
    fig.suptitle("Memory of fit_parquet (streamed) and of fit (in memory)")
    return fig


def _curves(rows, ylabel, title):
    """Best score so far against seconds, for the first repetition."""
    rows = rows[rows["repetition"] == rows["repetition"].min()]
    rows = rows.replace({"method": {"sklearn_pscore": "this package"}})
    styles = styles_of(rows["method"].unique())
    fig, ax = _axes(7.6, 4.4)
    for method, curve in rows.groupby("method", sort=False):
        _draw_line(
            ax,
            curve["seconds"],
            curve["score"].cummax(),
            method,
            styles[method],
            drawstyle="steps-post",
            # Enough to tell lines apart in grey.
            markevery=max(1, len(curve) // 4),
        )
    ax.set(xscale="log", xlabel="seconds of the fit (log scale; less is better)")
    ax.set_ylabel(f"{ylabel}, best so far")
    _name_lines_by_legend(ax)
    _finish(fig, ax, title)
    return fig


def _dots(rows, panels, xlabel, title, factor=1.0):
    """Medians by method on a log axis, with a line from the least to the largest.

    The least is on top; what is of this package is set off.
    """
    cases = list(rows[panels].unique())
    medians = factor * rows.groupby([panels, "method"])["seconds"].median()
    by_case = [list(medians[case].sort_values().index)[::-1] for case in cases]
    heights = [0.55 + _ROW * len(methods) for methods in by_case]
    fig, axes = plt.subplots(
        len(cases),
        1,
        figsize=(7.2, sum(heights) + 0.8),
        height_ratios=heights,
        layout="constrained",
        squeeze=False,
    )
    styles = styles_of(rows["method"].unique())
    for ax, case, methods in zip(axes[:, 0], cases, by_case, strict=True):
        values = factor * rows[rows[panels] == case].set_index("method")["seconds"]
        for row, method in enumerate(methods):
            seconds, style = values.loc[[method]], styles[method]
            ax.plot(
                [seconds.min(), seconds.max()], [row] * 2, color=style.color, lw=1.5
            )
            marker = "o" if is_ours(method) else "s"
            ax.plot(seconds.median(), row, marker, color=style.color, ms=7)
            _write_number(
                ax,
                seconds.median(),
                row,
                xytext=(6, 0),
                xy=(1.0, row),
                xycoords=("axes fraction", "data"),
            )
        label_rows(ax, methods, bold=[is_ours(method) for method in methods])
        ax.set_ylim(-0.6, len(methods) - 0.4)
        # Room on both sides, and a decade at least: a log axis needs its ticks.
        middle = (values.min() * values.max()) ** 0.5
        least, most = min(values.min(), middle / 3), max(values.max(), middle * 3)
        ax.set(xscale="log", xlim=(0.8 * least, 1.25 * most))
        ax.set_title(case, loc="left", fontsize=10)
        _plain_ticks(ax.xaxis)
    n_runs = rows.groupby([panels, "method"]).size().min()
    axes[-1, 0].set_xlabel(
        f"{xlabel}: median, and line from the least to the largest of {n_runs} or more"
        "\n(log scale; less is better)"
    )
    fig.suptitle(title)
    return fig


def _axes(width, height):
    return plt.subplots(figsize=(width, height), layout="constrained")


def _draw_line(ax, x, y, name, style, **options):
    """Draw a line in the style of a method, thicker if it is of this package."""
    ours = is_ours(name)
    options = {"linestyle": style.linestyle, "marker": style.marker, **options}
    ax.plot(
        x,
        y,
        color=style.color,
        markersize=7 if ours else 5,
        linewidth=2.4 if ours else 1.4,
        zorder=3 if ours else 2,
        label=name,
        **options,
    )


def _write_number(ax, value, row, *, xytext, xy=None, xycoords="data"):
    """Write a number with three digits that count beside its row."""
    ax.annotate(
        f"{value:,.0f}" if value >= 100 else f"{value:.3g}",
        (value, row) if xy is None else xy,
        xytext=xytext,
        xycoords=xycoords,
        textcoords="offset points",
        va="center",
        fontsize=9,
    )


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
        handlelength=3.5,
    )


def _finish(fig, ax, title):
    bare(ax)
    for axis in (ax.xaxis, ax.yaxis):
        _plain_ticks(axis)
    fig.suptitle(title)


def _plain_ticks(axis):
    """Write plain numbers on a log axis."""
    if axis.get_scale() != "log":
        return
    low, high = axis.get_view_interval()
    # Few decades get ticks at 1, 2 and 5 of each.
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 200 * low else (1,)))
    axis.set_major_formatter(FuncFormatter(_plain))
    axis.set_minor_formatter(NullFormatter())


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
