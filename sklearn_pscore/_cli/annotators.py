"""``pscore annotators``: who votes as the others do, or for what is shown first."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from sklearn_pscore._cli.failures import Failure
from sklearn_pscore._cli.fitted import fitted_model
from sklearn_pscore._cli.output import check_out, say, text_table, write_result
from sklearn_pscore._cli.progress import shown_progress
from sklearn_pscore._cli.rankers import QuickOption, import_rankers, learnt_ranker
from sklearn_pscore._cli.source import ForceOption, SeedOption, with_source
from sklearn_pscore._interrupt import quiet_interrupt
from sklearn_pscore._tables.endings import ENDINGS


@with_source
def annotators(
    source,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The table, with all columns.")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="A fitted ranker, whose score is put beside the votes."),
    ] = None,
    learnt: Annotated[
        bool,
        typer.Option(
            "--learnt",
            help="Beside each annotator's votes, a score that is learnt without them.",
        ),
    ] = False,
    random_state: SeedOption = 0,
    quick: QuickOption = False,
    force: ForceOption = False,
):
    """Tell how each annotator has voted: ties, agreement, and bias to the left.

    Takes --votes and --items. Who voted is --annotator, by default the column annotator.
    """
    check_out(out, force, (*ENDINGS, ".json"))
    source.check_given()
    if source.votes is None:
        raise Failure(
            "Got no --votes; expected votes of people, for it is them who are looked at. "
            "Pass --votes and --items."
        )
    if model is not None and learnt:
        raise Failure("Got both --model and --learnt; expected one. Leave one out.")
    source = replace(source, annotator=source.annotator or "annotator")
    fitted, columns = fitted_model(model)
    has_score = learnt or fitted is not None
    rows = source.read(columns=columns, needs_metrics=has_score)
    with quiet_interrupt():
        from sklearn_pscore.inspection import annotator_report
    scores = None
    if learnt:
        scores = _learnt_without(rows, random_state, quick)
    elif fitted is not None:
        scores = fitted.predict(rows.X)
    names = {key: value for key, value in rows.names.items() if key != "block"}
    with warnings.catch_warnings():
        # Of votes that are left out: that was said when the tables were read.
        warnings.simplefilter("ignore")
        report = annotator_report(rows.votes, rows.items, scores, **names)
    write_result(out, report, None)
    typer.echo(text_table(_shown(report, has_score)))
    typer.echo(f"\n{_explained(has_score, learnt)}")


def _learnt_without(rows, random_state, quick):
    """Return for each annotator the scores of a ranker fitted without her votes."""
    import_rankers()
    people = rows.annotators
    say(f"Learning {len(people)} rankers, each without the votes of one annotator")
    scores = {}
    for name in shown_progress(people, "annotators"):
        ranker = learnt_ranker(random_state, quick=quick)
        scores[name] = ranker.fit(rows.X, rows.without(name)).predict(rows.X)
    return scores


def _shown(report, has_score):
    """Return the table that is printed."""
    import pandas as pd

    columns = {
        "annotator": report["annotator"].astype(str),
        "votes": report["n_votes"].map("{:,}".format),
        "ties": report["tie_share"].map("{:.2f}".format),
        "with others": _shares(report, "majority_agreement", "majority"),
    }
    if has_score:
        columns["with score"] = _shares(report, "score_agreement", "score")
    columns["for left"] = _shares(report, "left_share", "left")
    return pd.DataFrame(columns)


def _shares(report, share, name):
    bounds = report[[share, f"{name}_low", f"{name}_high"]].to_numpy()
    return [
        "" if value != value else f"{value:.2f} [{low:.2f}, {high:.2f}]"
        for value, low, high in bounds
    ]


def _explained(has_score, learnt):
    """Return what the columns are."""
    lines = ["Shares of decided votes, with 95 % intervals, the votes independent."]
    lines.append("with others: for the side that most of the other annotators are for.")
    if has_score:
        how = ", which is learnt without these votes" if learnt else ""
        lines.append(f"with score: for the larger score{how}.")
    lines.append(
        "for left: for the item on the left; far from .5 it is a bias, if sides are drawn."
    )
    return "\n".join(lines)
