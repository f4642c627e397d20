"""Put the tables of docs/speed.md in place, from the raw rows in results/.

    python -m benchmarks.speed.tables

replaces what stands between their marks (doc_tables.py) and nothing else.
"""

from functools import partial

import pandas as pd

from benchmarks.shared import doc_tables as pages
from benchmarks.shared.doc_tables import markdown
from benchmarks.speed.curves import seconds_of_a_round, seconds_to
from benchmarks.speed.paper_workload import N_SIAMESE_PAIRS


def table_of_pair_loss(rows):
    """Milliseconds by items and method."""
    wide = 1e3 * rows.pivot_table(
        index="n_items",
        columns=["method", "levels"],
        values="seconds",
        aggfunc="median",
    )
    wide = wide.reindex(
        columns=[
            ("expansion", "7"),
            ("expansion", "all different"),
            ("dense tiles", "7"),
            ("dense", "7"),
        ]
    )
    wide.columns = [
        "this package, 7 levels, ms",
        "all different, ms",
        "dense in tiles, ms",
        "dense in one piece, ms",
    ]
    wide.index = [f"{n:,}" for n in wide.index]
    return markdown(wide.rename_axis("items"))


def table_of_paper_workload(rows):
    """Seconds to scores, medians over repetitions."""
    parts = []
    for _, part in rows.groupby("repetition"):
        found = dict(iter(part.groupby("method", sort=False)))
        common = min(curve["score"].max() for curve in found.values()) - 0.005
        ours = found["sklearn_pscore"]
        for method, curve in found.items():
            final = curve["score"].iloc[-1]
            seconds = seconds_of_a_round(curve)
            parts.append(
                {
                    "method": method,
                    "best accuracy": curve["score"].max(),
                    "its last accuracy": final,
                    "s to the common accuracy": seconds_to(curve, common),
                    "s of the whole fit": curve["seconds"].iloc[-1],
                    "s of ours to its last accuracy": seconds_to(ours, final),
                    "ms of a pass or tree": 1e3 * seconds,
                    "ns per pair of a pass": 1e9 * seconds / _n_pairs(method, curve),
                }
            )
    medians = pd.DataFrame(parts).groupby("method", sort=False).median()
    ours = "s to the common accuracy"
    medians["times ours"] = medians[ours] / medians.loc["sklearn_pscore", ours]
    return markdown(medians)


def _n_pairs(method, curve):
    """Return the pairs of a pass; a tree is no pass."""
    if method == "sklearn_pscore":
        return curve["n_pairs"].iloc[0]
    return N_SIAMESE_PAIRS if method.startswith("Siamese") else float("nan")


def table_of_epoch(rows):
    """Seconds of an epoch, ratio to the bare loop, share of sgemm."""
    groups = rows.groupby(["case", "method"], sort=False)
    medians = (
        groups[["seconds", "gflops", "sgemm_gflops"]].median().reset_index("method")
    )
    bare = medians.loc[medians["method"] == "bare loop", "seconds"]
    shown = pd.DataFrame(
        {
            "method": medians["method"],
            "ms of an epoch": 1e3 * medians["seconds"],
            "to the bare loop": medians["seconds"] / bare,
            "GFLOP/s": medians["gflops"],
            "share of sgemm": medians["gflops"] / medians["sgemm_gflops"],
        }
    )
    return markdown(shown)


def table_of_step_profile(rows):
    """Microseconds of a step by part, and its share, for each fit."""
    wide = rows.pivot_table(
        index="part",
        columns="case",
        values="microseconds",
        aggfunc="median",
        sort=False,
    )
    total = wide.sum()
    shares = (100 * wide / total).round().astype(int).astype(str) + " %"
    wide.loc["all"] = total
    shares.loc["all"] = ""
    columns = {}
    for case in wide:
        columns[f"{case}: µs"] = wide[case].round().astype(int).map("{:,}".format)
        columns[f"{case}: share"] = shares[case]
    return markdown(pd.DataFrame(columns))


def table_of_large_ranking(rows):
    """Seconds of each peer, and of ours to the same NDCG@10, per repetition."""
    parts = []
    for repetition, part in rows.groupby("repetition"):
        found = dict(iter(part.groupby("method", sort=False)))
        ours = found.pop("sklearn_pscore")
        for method, curve in found.items():
            last = curve.iloc[-1]
            reached = seconds_to(ours, last["score"])
            parts.append(
                {
                    "peer": method,
                    "draw": str(repetition),
                    "its NDCG@10": last["score"],
                    "its seconds": last["seconds"],
                    "seconds of ours to that": reached,
                    "times": last["seconds"] / reached,
                    "best NDCG@10 of ours": ours["score"].max(),
                }
            )
    return markdown(pd.DataFrame(parts).set_index("peer"))


def table_of_growth(rows):
    """Time per row and memory, by the number of rows."""
    # Fewer bytes fit into memory that the process had used and freed before.
    peak = rows["peak_over_data"].where(rows["data_bytes"] > 2**25)
    rows = rows.assign(peak_over_data=peak)
    medians = rows.groupby("n_rows")[["seconds", "seconds_before", "peak_over_data"]]
    medians = medians.median()
    fastest = rows.groupby("n_rows")["seconds"].min()
    medians.insert(1, "us per row", 1e6 * medians["seconds"] / medians.index)
    medians.insert(2, "fastest", 1e6 * fastest / fastest.index)
    medians.columns = [
        "s of an epoch",
        "µs per row",
        "µs per row, fastest epoch",
        "s before the first",
        "peak / data",
    ]
    medians.index = [f"{n:,}" for n in medians.index]
    return markdown(medians.rename_axis("rows"))


def table_of_prediction(rows):
    """Seconds of scoring, and how many times those of ours."""
    medians = rows.groupby("method", sort=False)[["seconds"]].median()
    medians["times ours"] = medians["seconds"] / medians["seconds"].iloc[0]
    return markdown(medians)


def table_of_metrics_speed(rows):
    """Milliseconds by metric and by who computes it, and the slowest case of ours."""
    keys = ["labels", "order", "preference"]
    is_shown = rows[keys].eq(["numbers", "sorted", "5 levels"]).all(axis=1)
    wide = 1e3 * rows[is_shown].pivot_table(
        index="metric", columns="method", values="seconds", aggfunc="median", sort=False
    )
    wide.columns = [f"{method}, ms" for method in wide.columns]
    ours = rows[rows["method"] == "sklearn_pscore"]
    medians = 1e3 * ours.groupby(["metric", *keys])["seconds"].median()
    slowest = ", ".join(medians.idxmax())
    most = pages.three_digits(medians.max())
    note = f"The slowest of ours over all cases: {most} ms ({slowest})."
    return f"{markdown(wide)}\n\n{note}"


def table_of_streamed(rows):
    """Seconds, memory and accuracy of each fit."""
    shown = pd.DataFrame(
        {
            "rows": [f"{n:,}" for n in rows["n_rows"]],
            "seconds": rows["seconds"],
            "peak of the process, MB": (rows["peak_bytes"] / 2**20).round(),
            "above imports, MB": (rows["peak_above_imports_bytes"] / 2**20).round(),
            "accuracy": rows["accuracy"],
        }
    )
    return markdown(shown.set_axis(rows["way"], axis=0).rename_axis("fit"))


def table_of_fit_time(rows):
    """Seconds of a fit by the number of members."""
    seconds = rows.groupby("n_members")["seconds"].agg(["median", "min", "max"])
    seconds["to one member"] = seconds["median"] / seconds.loc[1, "median"]
    return markdown(seconds.rename_axis("members"))


TABLES = {
    name.removeprefix("table_of_"): make
    for name, make in list(globals().items())
    if name.startswith("table_of_")
}
"""What makes a table of rows, by the name of the rows."""


if __name__ == "__main__":
    tables = {name: pages.from_rows(name, make) for name, make in TABLES.items()}
    machine = partial(pages.table_of_machines, TABLES)
    pages.fill("speed.md", tables | {"machine": machine})
