"""``pscore curves``: which metrics people follow, and in which direction."""

from pathlib import Path
from typing import Annotated

import typer

from sklearn_pscore._cli.fitted import ModelOption, fitted_model
from sklearn_pscore._cli.output import (
    RESULTS,
    check_out,
    text_table,
    wrapped,
    write_result,
)
from sklearn_pscore._cli.rankers import QuickOption, import_rankers, learnt_ranker
from sklearn_pscore._cli.source import ForceOption, SeedOption, with_source


@with_source
def curves(
    source,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="The points of all curves, or a picture (.png, .svg)."
        ),
    ] = None,
    model: ModelOption = None,
    top: Annotated[int, typer.Option(min=1, help="Metrics in the picture.")] = 12,
    random_state: SeedOption = 0,
    quick: QuickOption = False,
    force: ForceOption = False,
):
    """Tell which metrics the score follows, in which direction, and how much."""
    check_out(out, force, RESULTS)
    source.check_given()
    fitted, columns = fitted_model(model)
    rows = source.read(columns=columns).judged()
    import_rankers()
    from sklearn_pscore.inspection import metric_curves

    if fitted is None:
        fitted = learnt_ranker(random_state, quick=quick, verbose=1)
        fitted.fit(rows.X, rows.groups)
    result = metric_curves(fitted, rows.X, rows.groups, random_state=random_state)
    write_result(out, points(result), lambda: _drawn(result, rows.X, top))
    above, below = result._captions()
    typer.echo(f"{wrapped(above)}\n\n{text_table(result._shown())}\n\n{wrapped(below)}")


def points(result):
    """Return the points of all curves as one table.

    Parameters
    ----------
    result : MetricCurves

    Returns
    -------
    table : DataFrame
        `metric`, its `direction` and `share`, and `value`, `worth` and `std` of each
        point; the metric of the largest share first.
    """
    import pandas as pd

    parts = []
    for metric in result.table.itertuples():
        part = result.curves[metric.metric].copy()
        part.insert(0, "metric", metric.metric)
        part.insert(1, "direction", metric.direction)
        part.insert(2, "share", metric.share)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _drawn(result, X, top):
    from sklearn_pscore.plotting import MetricCurvesDisplay

    return MetricCurvesDisplay.from_curves(result, X, max_metrics=top).figure_
