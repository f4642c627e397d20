"""Write the tables of docs/speed.md.

    python -m benchmarks.speed.tables

replaces the text between their marks (doc_tables.py) by tables of the rows in
results/, and so for the tables of docs/loss.md and docs/dask.md.
"""

from functools import partial

import pandas as pd

from benchmarks.shared import doc_tables
from benchmarks.shared.doc_tables import markdown
from benchmarks.speed import growth, large_ranking, paper_workload
from benchmarks.speed.curves import curves_by_method
from benchmarks.speed.fit_profile import seconds_by_part
from benchmarks.speed.step_profile import medians_by_part


def table_of_pair_loss(rows):
    """Milliseconds by items and method."""
    names = {
        ("expansion", "7"): "this package, 7 levels, ms",
        ("expansion", "all different"): "all different, ms",
        ("dense tiles", "7"): "dense in tiles, ms",
        ("dense", "7"): "dense in one piece, ms",
    }
    wide = 1e3 * rows.pivot_table(
        "seconds", "n_items", ["method", "levels"], aggfunc="median"
    )
    wide = wide[list(names)].set_axis(list(names.values()), axis=1)
    wide.index = [f"{n:,}" for n in wide.index]
    return markdown(wide.rename_axis("items"))


def errors_of_pair_loss(rows):
    """Worst errors of loss and gradient by range of the scores, and their bounds."""
    errors = ["loss_error_per_pair", "gradient_error_per_pair_weight"]
    groups = rows.groupby("score_range")
    worst = groups[errors].max().set_axis(["loss", "gradient"], axis=1)
    worst.insert(0, "cases", groups.size().astype(str))
    worst.insert(2, "bound of the loss", 1e-9 * worst.index.to_series().clip(lower=1.0))
    worst["bound of the gradient"] = 1e-7
    numbers = worst.columns.drop("cases")
    worst[numbers] = worst[numbers].map("{:.1e}".format)
    worst.index = [f"{score_range:,g}" for score_range in worst.index]
    return markdown(worst.rename_axis("range of the scores"))


def table_of_paper_workload(rows):
    """Seconds to scores, medians over repetitions."""
    parts = []
    for _, part in rows.groupby("repetition"):
        by_method = curves_by_method(part)
        table = paper_workload.summary(by_method)
        seconds = table.pop("s per pass or tree")
        table["ms of a pass or tree"] = 1e3 * seconds
        n_pairs = {name: _n_pairs(name, curve) for name, curve in by_method.items()}
        table["ns per pair of a pass"] = 1e9 * seconds / pd.Series(n_pairs)
        parts.append(table.drop(columns="common").rename_axis("method"))
    medians = pd.concat(parts).groupby("method", sort=False).median()
    medians = medians.rename(
        columns={
            "best": "best accuracy",
            "final": "its last accuracy",
            "s to common": "s to the common accuracy",
            "s of the fit": "s of the whole fit",
            "s of ours to its final": "s of ours to its last accuracy",
        }
    )
    seconds = medians["s to the common accuracy"]
    medians["times ours"] = seconds / seconds["sklearn_pscore"]
    return markdown(medians)


def _n_pairs(method, curve):
    """Return the pairs of a pass; a tree is no pass."""
    if method == "sklearn_pscore":
        return curve["n_pairs"].iloc[0]
    return (
        paper_workload.N_SIAMESE_PAIRS if method.startswith("Siamese") else float("nan")
    )


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
    wide = medians_by_part(rows)
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
    """NDCG@10, accuracy and seconds of each fit by rows and method, truths across."""
    points = large_ranking.last_points(rows)
    values = ["score", "accuracy", "seconds"]
    means = points.groupby(["n_rows", "method", "truth"], sort=False)[values].mean()
    wide = means.unstack("truth")
    names = {"score": "NDCG@10", "accuracy": "accuracy", "seconds": "s"}
    shown = pd.DataFrame(
        {
            f"{truth}: {names[value]}": wide.get((value, truth))
            for truth in large_ranking.TRUTHS
            for value in values
        },
        index=wide.index,
    )
    order = {name: rank for rank, name in enumerate(large_ranking.METHODS)}
    shown = shown.dropna(axis=1, how="all").sort_index(
        key=lambda level: level.map(lambda name: order.get(name, name))
    )
    shown = shown.reset_index("method")
    text = markdown(shown.set_axis([f"{n:,}" for n in shown.index]).rename_axis("rows"))
    return f"{text}\n\n{_said_of_lambdarank(means['score'])}".strip()


def _said_of_lambdarank(scores):
    """In words: what lambdarank has at the top beside the default loss, by case."""
    by_method = scores.unstack("method")
    names = [large_ranking.LAMBDARANK, large_ranking.OURS]
    if not set(names) <= set(by_method):
        return ""
    gains = (by_method[names[0]] - by_method[names[1]]).dropna()
    n_better, n_cases = (gains > 0).sum(), len(gains)
    return (
        f"lambdarank has the higher NDCG@10 of the two losses in {n_better} of {n_cases} "
        f"cases; the differences are {gains.min():+.3f} to {gains.max():+.3f}."
    )


def table_of_large_ranking_reached(rows):
    """Seconds of LightGBM by its trees, and of ours to the same NDCG@10."""
    table = large_ranking.reached(rows)
    if not len(table):
        return doc_tables.NO_ROWS
    keys = ["truth", "n_rows", "rounds"]
    single = large_ranking.reached(rows, large_ranking.SINGLE)
    if not len(single):
        single = table.assign(ours=float("nan"))
    table = table.merge(single[[*keys, "ours"]], "left", keys, suffixes=("", "_single"))
    shown = pd.DataFrame(
        {
            "rows": [f"{n:,}" for n in table["n_rows"]],
            "trees": [f"{n:.0f}" for n in table["rounds"]],
            "its NDCG@10": table["score"],
            "its seconds": table["seconds"],
            "defaults, s to that": _seconds_or_not(table["ours"]),
            "times": table["seconds"] / table["ours"],
            "single net, s to that": _seconds_or_not(table["ours_single"]),
            "times, single net": table["seconds"] / table["ours_single"],
        }
    )
    return markdown(shown.set_axis(table["truth"]).rename_axis("truth"))


def _seconds_or_not(seconds):
    return [
        "not reached" if pd.isna(s) else doc_tables.three_digits(s) for s in seconds
    ]


def table_of_growth(rows):
    """Time per row and memory, by the number of rows."""
    medians = growth.summary(rows)
    medians.columns = [
        "s of an epoch",
        "µs per row",
        "µs per row, fastest epoch",
        "s before the first",
        "peak / data",
    ]
    medians.index = [f"{n:,}" for n in medians.index]
    return markdown(medians.rename_axis("rows"))


OURS_IN_PREDICTION = (
    "one member, float32",
    "one member, float64",
    "defaults",
    "defaults, float64",
)
"""What this package is scored as, in the names of the raw rows."""


def table_of_prediction(rows):
    """Seconds of scoring many rows, and milliseconds of a single one."""
    names = {name: f"this package, {name}" for name in OURS_IN_PREDICTION}
    rows = rows.assign(method=rows["method"].replace(names))
    one = rows["n_rows"] == 1
    many, single = (
        rows[which].groupby("method")[["seconds", "cpu_seconds"]].median()
        for which in (~one, one)
    )
    table = many.sort_values("seconds").set_axis(["seconds", "of processors"], axis=1)
    table["to the defaults"] = (
        table["seconds"] / table.loc[names["defaults"], "seconds"]
    )
    table["ms of a single row"] = 1e3 * single["seconds"]
    return markdown(table)


def table_of_fit_profile(rows):
    """Seconds of a fit by part, and its share, for each table."""
    seconds = seconds_by_part(rows)
    total = seconds.sum()
    shares = (100 * seconds / total).round().astype(int).astype(str) + " %"
    seconds.loc["all"], shares.loc["all"] = total, ""
    columns = {}
    for case in seconds:
        columns[f"{case}: s"] = seconds[case]
        columns[f"{case}: share"] = shares[case]
    return markdown(pd.DataFrame(columns))


def table_of_augmenter(rows):
    """Seconds of augmenting by the number of groups, and per group."""
    medians = rows.groupby("n_groups")[["seconds", "n_items"]].median()
    shown = pd.DataFrame(
        {
            "items made": medians["n_items"].astype(int).map("{:,}".format),
            "seconds": medians["seconds"],
            "µs of a group": 1e6 * medians["seconds"] / medians.index,
        }
    )
    shown.index = [f"{n:,}" for n in medians.index]
    return markdown(shown.rename_axis("groups of 2"))


def table_of_metrics_speed(rows):
    """Milliseconds by metric and library, and the slowest case of ours."""
    keys = ["labels", "order", "preference"]
    is_shown = rows[keys].eq(["numbers", "sorted", "5 levels"]).all(axis=1)
    wide = 1e3 * rows[is_shown].pivot_table(
        index="metric", columns="method", values="seconds", aggfunc="median", sort=False
    )
    wide.columns = [f"{method}, ms" for method in wide.columns]
    ours = rows[rows["method"] == "sklearn_pscore"]
    medians = 1e3 * ours.groupby(["metric", *keys])["seconds"].median()
    slowest = ", ".join(medians.idxmax())
    most = doc_tables.three_digits(medians.max())
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


def table_of_sparse(rows):
    """Seconds, memory and accuracy of each fit to a sparse table."""
    shown = pd.DataFrame(
        {
            "epochs": rows["n_epochs"].map(str),
            "seconds": rows["seconds"],
            "of a processor": rows["cpu_seconds"],
            "peak of the process, MB": (rows["peak_bytes"] / 2**20).round(),
            "table, MB": (rows["table_bytes"] / 2**20).round(),
            "dense it would be, MB": (rows["dense_bytes"] / 2**20).round(),
            "accuracy": rows["accuracy"],
        }
    )
    return markdown(shown.set_axis(rows["shortcut"], axis=0).rename_axis("shortcut"))


def table_of_sparse_batches(rows):
    """Seconds of a pass with sparse rows, relative to one with dense rows."""
    seconds = rows.pivot_table("seconds", ["n_features", "share"], "rows")
    ratio = (seconds["sparse"] / seconds["dense"]).unstack("share")
    ratio.columns = [f"{100 * share:g} % stored" for share in ratio.columns]
    ratio.index = [f"{n:,}" for n in ratio.index]
    return markdown(ratio.rename_axis("features"))


def table_of_fit_time(rows):
    """Seconds of a fit by the number of members."""
    seconds = rows.groupby("n_members")["seconds"].agg(["median", "min", "max"])
    seconds["to one member"] = seconds["median"] / seconds.loc[1, "median"]
    return markdown(seconds.rename_axis("members"))


def table_of_threads(rows):
    """Seconds of a fit by its size, the threads it has and what else is busy."""
    seconds = rows.pivot_table(
        "seconds", ["busy", "n_rows", "products"], "uses", "median"
    )[["one", "all"]]
    seconds["all to one"] = seconds["all"] / seconds["one"]
    table = seconds.reset_index(["n_rows", "products"])
    table["products"] = (table["products"] / 1e6).map("{:.1f} M".format)
    return markdown(table.rename_axis("busy processes"))


def table_of_gpu(rows):
    """Seconds of each work on the CPU and on CUDA."""
    seconds = rows.pivot_table(
        "seconds", "work", "device", aggfunc="median", sort=False
    )
    seconds["cpu to cuda"] = seconds["cpu"] / seconds["cuda"]
    return markdown(seconds)


def fits_on_a_cluster(rows):
    """Seconds, steps and memory of fits on one machine and on workers."""
    rows = rows[rows["kind"].isin(["fit", "fit_dask"])].sort_values(
        ["n_rows", "n_workers"]
    )
    ways = ["fit" if n == 0 else f"fit_dask, {n:g}" for n in rows["n_workers"]]
    shown = pd.DataFrame(
        {
            "rows": [f"{n:,.0f}" for n in rows["n_rows"]],
            "seconds": rows["seconds"],
            "processor, s": rows["cpu_seconds"],
            "steps": [f"{n:,.0f}" for n in rows["n_steps"]],
            "step, ms": rows["ms_per_step"],
            "in the all-reduce, ms": rows["ms_in_all_reduce"],
            "memory, MB": (rows["peak_bytes"] / 2**20).round(),
            "accuracy": rows["accuracy"],
        }
    )
    return markdown(shown.set_axis(ways, axis=0).rename_axis("fit, workers"))


def model_of_a_cluster(rows):
    """Milliseconds of a step on more workers, by the model of docs/dask.md."""
    reduced = rows[rows["kind"] == "all-reduce"].iloc[0]
    steps = rows[rows["kind"] == "step"].set_index("n_workers")
    n_workers = steps.index.to_numpy()
    n_bytes = 4 * reduced["n_values"]
    message = reduced["ms_per_step"] / 2 + MS_OF_NETWORK
    message = message + 1e3 * n_bytes / n_workers / BYTES_PER_SECOND
    all_reduce = 2 * (n_workers - 1) * message
    step = steps["ms_per_step"] + all_reduce
    shown = pd.DataFrame(
        {
            "rows of each in a batch": [f"{n:,.0f}" for n in steps["n_rows"]],
            "computing, ms": steps["ms_per_step"],
            "all-reduce, ms": all_reduce,
            "step, ms": step,
            "times as fast as one": step.loc[1] / step,
        }
    )
    shown.index = [f"{n:g}" for n in n_workers]
    note = (
        f"A bare all-reduce of {reduced['n_values']:,.0f} values between two processes "
        f"took {doc_tables.three_digits(reduced['ms_per_step'])} ms."
    )
    return f"{markdown(shown.rename_axis('workers, model'))}\n\n{note}"


# What is assumed of the network between the machines of the model.
MS_OF_NETWORK, BYTES_PER_SECOND = 0.1, 1.25e9
DASK_TABLES = {"dask_fit": fits_on_a_cluster, "dask_model": model_of_a_cluster}
"""The function that makes a table of docs/dask.md, by its mark."""

TABLES = {
    name.removeprefix("table_of_"): make
    for name, make in list(globals().items())
    if name.startswith("table_of_")
}
"""The function that makes a table, by its mark."""

ROWS = {"large_ranking_reached": "large_ranking"}
"""Names of the rows of tables whose mark is another."""


if __name__ == "__main__":
    tables = {
        mark: doc_tables.from_rows(ROWS.get(mark, mark), make)
        for mark, make in TABLES.items()
    }
    machine = partial(doc_tables.table_of_machines, TABLES)
    doc_tables.fill("speed.md", tables | {"machine": machine})
    of_loss = {
        "pair_loss": tables["pair_loss"],
        "pair_loss_error": doc_tables.from_rows("pair_loss_error", errors_of_pair_loss),
    }
    doc_tables.fill("loss.md", of_loss)
    of_dask = {
        name: doc_tables.from_rows("dask_fit", make)
        for name, make in DASK_TABLES.items()
    }
    machine = partial(doc_tables.table_of_machines, ["dask_fit"])
    doc_tables.fill("dask.md", of_dask | {"machine": machine})
