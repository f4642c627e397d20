"""``pscore leaderboard``: which system is best, and how sure that is."""

from pathlib import Path
from typing import Annotated

import typer

from sklearn_pscore._cli.output import (
    RESULTS,
    check_out,
    text_table,
    wrapped,
    write_result,
)
from sklearn_pscore._cli.source import ForceOption, SeedOption, with_source
from sklearn_pscore._interrupt import quiet_interrupt


@with_source
def leaderboard(
    source,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The table, or a picture (.png, .svg)."),
    ] = None,
    level: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="Confidence of the ranks.")
    ] = 0.95,
    draws: Annotated[int, typer.Option(min=100, help="Draws of the bootstrap.")] = 2000,
    random_state: SeedOption = 0,
    force: ForceOption = False,
):
    """Rank systems by what people said, with the ranks that each may have."""
    check_out(out, force, RESULTS)
    source.check_given()
    with quiet_interrupt():
        from sklearn_pscore.inspection import bootstrap_leaderboard
    rows = source.read(needs_metrics=False).judged()
    check_systems(rows)
    board = bootstrap_leaderboard(
        rows.groups,
        cluster=rows.cluster,
        n_boot=draws,
        level=level,
        random_state=random_state,
    )
    write_result(out, board.to_frame(), lambda: _drawn(board))
    print_board(board)


def check_systems(rows):
    """Raise ValueError unless there are two systems or more."""
    if "item" not in rows.groups.dtype.names:
        raise ValueError(
            "--item is not given; expected the column with the names of the systems, "
            "which are to be ranked."
        )
    names = sorted(set(rows.groups["item"].tolist()))
    if len(names) < 2:
        raise ValueError(
            f"{rows.name} has one system, {names[0]!r}, in its judged rows; expected two "
            "or more to rank. Name the column of the systems as --item."
        )


def print_board(board):
    """Print a leaderboard."""
    above, below = board._captions()
    typer.echo(f"{wrapped(above)}\n\n{text_table(board._shown())}\n\n{wrapped(below)}")


def _drawn(board):
    from sklearn_pscore.plotting import LeaderboardDisplay

    return LeaderboardDisplay.from_leaderboard(board).figure_
