"""``pscore compare``: which method orders items as people do."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sklearn_pscore._cli.failures import Failure
from sklearn_pscore._cli.fitted import n_folds_of
from sklearn_pscore._cli.output import (
    RESULTS,
    check_out,
    say,
    text_table,
    write_result,
)
from sklearn_pscore._cli.paper import compare_paper
from sklearn_pscore._cli.rankers import QuickOption
from sklearn_pscore._cli.source import ForceOption, SeedOption, with_source


class LeftOut(StrEnum):
    """What is left out, one after the other."""

    item = "item"
    group = "group"
    block = "block"


MEASURE = "accuracy"
"""The measure that methods are sorted by: pairwise accuracy."""


@with_source
def compare(
    source,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="The table, or a picture (.png, .svg). Without TABLE, a folder for "
            "tables and pictures. Default: demo.",
        ),
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Parts that are held out.")] = 5,
    leave_out: Annotated[
        LeftOut | None,
        typer.Option(
            help="Hold out one label after the other, such as each system, and judge "
            "the pairs that hold it."
        ),
    ] = None,
    runs: Annotated[
        int, typer.Option(min=1, help="Without TABLE: seeds per method.")
    ] = 5,
    order_bias: Annotated[
        bool,
        typer.Option(
            "--order-bias",
            help="Compare, too, what learns how much it is worth to be shown first, of "
            "--votes or by --position, and leaves it out of its score.",
        ),
    ] = False,
    random_state: SeedOption = 0,
    quick: QuickOption = False,
    force: ForceOption = False,
):
    """Compare all methods on a table, or those of the paper on a data set."""
    if not source.has_tables:
        source.check_no_columns("a data set")
        given = {"--leave-out": leave_out, "--order-bias": order_bias, "--quick": quick}
        for name, is_given in given.items():
            if is_given:
                raise Failure(f"Got {name} without TABLE; expected one. Pass the file.")
        compare_paper(source.data, runs, out or Path("demo"), source.data_home, force)
        return
    check_out(out, force, RESULTS)
    rows = source.read(order=order_bias).judged()
    protocol = _protocol(rows, folds, leave_out)
    from sklearn_pscore._cli import methods

    methods.import_methods()
    lacking = methods.lacking_libraries()
    if lacking:
        say(f"Not compared, for they are not installed: {', '.join(lacking)}")
    comparison = _compared(
        rows, protocol, random_state, quick=quick, order_bias=order_bias
    )
    table = comparison_table(comparison)
    write_result(out, table, lambda: _drawn(comparison))
    _print(comparison, table, rows, leave_out)
    if order_bias:
        typer.echo(
            "\n'order bias' is a score that leaves out what is shown first. It is judged "
            "by what people\nsaid, all the same, where what is shown first has its "
            "advantage."
        )


def _protocol(rows, folds, leave_out):
    """Return what to hold out, as arguments of compare_rankers.

    Raises
    ------
    ValueError
        If there is too little to hold out, or no such column.
    """
    if leave_out is None:
        return {"cv": n_folds_of(rows, folds)}
    if leave_out.value not in rows.groups.dtype.names:
        raise ValueError(
            f"--leave-out is {leave_out.value!r} and --{leave_out.value} is not given; "
            "expected the column of what is left out. Name it, too."
        )
    labels = sorted(set(rows.groups[leave_out.value].tolist()))
    if len(labels) < 2:
        raise ValueError(
            f"{rows.name} has one label of --{leave_out.value}, {labels[0]!r}, in its "
            "judged rows; expected two or more to leave out one. Name another column."
        )
    return {"leave_out": leave_out.value}


def _compared(rows, protocol, random_state, **options):
    from sklearn_pscore._cli.methods import all_methods
    from sklearn_pscore.metrics import (
        dcg_scorer,
        mrr_scorer,
        pairwise_accuracy_scorer,
    )
    from sklearn_pscore.model_selection import compare_rankers
    from sklearn_pscore.model_selection._comparison_bounds import CEILING, CHANCE
    from sklearn_pscore.model_selection._single_metrics import names_of_single

    methods = all_methods(rows.groups, random_state, **options)
    # A metric may have the name of a method.
    names = names_of_single(rows.X.columns, {*methods, CHANCE, CEILING})
    scoring = {MEASURE: pairwise_accuracy_scorer}
    # Pairs that hold one item have no order of all.
    if protocol.get("leave_out") != "item":
        scoring |= {"MRR": mrr_scorer, "DCG": dcg_scorer}
    return compare_rankers(
        methods,
        rows.X.rename(columns=names),
        rows.groups,
        **protocol,
        scoring=scoring,
        n_seeds=1,
        random_state=random_state,
        truth=None,
        single_metrics=True,
        verbose=1,
    )


def comparison_table(comparison):
    """Return a row per method, the best first, then what bounds them.

    Parameters
    ----------
    comparison : RankerComparison

    Returns
    -------
    table : DataFrame
        `method`, the mean of each metric, `std` of the first over folds, how far the
        method is behind the best one, with an interval, and the seconds of a fit.
    """
    import pandas as pd

    means = comparison.table()
    first = means[MEASURE, "mean"]
    order = first.sort_values(ascending=False, kind="stable").index
    behind = comparison.differences(order[0], MEASURE)
    seconds = comparison.rows.groupby("method")["fit_seconds"].mean()
    columns = {metric: means[metric, "mean"] for metric in comparison.metrics}
    columns["std"] = means[MEASURE, "std"]
    table = pd.DataFrame(columns).loc[order]
    table = table.join(behind[["difference", "low", "high"]].add_prefix("behind_"))
    table = table.rename(columns={"behind_difference": "behind"})
    table["seconds"] = seconds
    for name in ("ceiling", "chance"):
        values = getattr(comparison, name)
        if values[MEASURE] is not None:
            table.loc[name, list(values)] = [values[metric] for metric in values]
    table = table.sort_values(MEASURE, ascending=False, kind="stable")
    return table.rename_axis("method").reset_index()


def _print(comparison, table, rows, leave_out):
    """Print the comparison."""
    import pandas as pd

    n_folds = comparison.rows["fold"].nunique()
    what = "blocks" if "block" in rows.groups.dtype.names else "groups"
    parts = f"folds of held-out {what}"
    if leave_out is not None:
        parts = f"{leave_out.value}s that were left out in turn"
    others = "".join(f", {name}" for name in comparison.metrics[1:])
    typer.echo(
        f"Pairwise accuracy (share of pairs ordered as people do){others}, on {n_folds} "
        f"{parts}\n"
    )
    shown = {"method": table["method"]}
    shown[MEASURE] = table[MEASURE].map(_three)
    shown["± folds"] = table["std"].map(_three)
    for metric in comparison.metrics[1:]:
        shown[metric] = table[metric].map(_three)
    shown["behind"] = table["behind"].map(_three)
    shown["95 %"] = [
        "" if pd.isna(low) else f"[{low:.3f}, {high:.3f}]"
        for low, high in zip(table["behind_low"], table["behind_high"], strict=True)
    ]
    typer.echo(text_table(pd.DataFrame(shown)))
    typer.echo(
        "\nbehind: accuracy of the best minus that of the method, with an interval that "
        "knows of\nshared training rows. A name of a metric is that metric alone."
    )


def _three(value):
    return "" if value != value else f"{value:.3f}"


def _drawn(comparison):
    from sklearn_pscore.plotting import LeaderboardDisplay

    return LeaderboardDisplay.from_comparison(comparison, metric=MEASURE).figure_
