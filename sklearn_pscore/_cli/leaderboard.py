"""``pscore leaderboard``: which system is best, and how sure that is."""

from pathlib import Path
from typing import Annotated

import typer

from sklearn_pscore._cli.fitted import n_folds_of
from sklearn_pscore._cli.output import (
    RESULTS,
    check_out,
    say,
    text_table,
    wrapped,
    write_result,
)
from sklearn_pscore._cli.rankers import QuickOption, import_rankers, learnt_ranker
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
    learnt: Annotated[
        bool,
        typer.Option("--learnt", help="Beside it, a leaderboard of the learnt score."),
    ] = False,
    refits: Annotated[
        int,
        typer.Option(min=5, help="With --learnt: refits of each fold's ranker."),
    ] = 10,
    folds: Annotated[
        int, typer.Option(min=2, help="With --learnt: parts that are held out.")
    ] = 5,
    level: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="Confidence of the ranks.")
    ] = 0.95,
    draws: Annotated[int, typer.Option(min=100, help="Draws of the bootstrap.")] = 2000,
    random_state: SeedOption = 0,
    quick: QuickOption = False,
    force: ForceOption = False,
):
    """Rank systems by what people said, with the ranks that each may have.

    Votes are ranked by the strengths of Bradley and Terry, with ties by Davidson.
    """
    check_out(out, force, RESULTS)
    rows = source.read(needs_metrics=learnt)
    judged = rows.judged()
    check_systems(judged)
    if learnt:
        import_rankers()
    with quiet_interrupt():
        from sklearn_pscore.inspection import bootstrap_leaderboard
    options = {"n_boot": draws, "level": level, "random_state": random_state}
    if "votes" in judged.groups.dtype.names:
        board = _of_votes(judged, options)
    else:
        check_clusters(judged)
        board = bootstrap_leaderboard(judged.groups, cluster=judged.cluster, **options)
    boards = [board]
    if learnt:
        scores = _scores(rows, n_folds_of(judged, folds), refits, random_state, quick)
        board = bootstrap_leaderboard(
            rows.groups,
            scores.y_score,
            y_refits=scores.y_refits,
            cluster=rows.cluster,
            **options,
        )
        boards.append(board)
    write_result(out, _table(*boards), lambda: _drawn(*boards))
    for board in boards:
        above, below = map(wrapped, board._captions())
        space = "" if board is boards[-1] else "\n"
        typer.echo(f"{above}\n\n{text_table(board._shown())}\n\n{below}{space}")


def _of_votes(rows, options):
    """Return the leaderboard of the strengths that votes make."""
    import numpy as np

    from sklearn_pscore._rankers.bradley_terry import BradleyTerryRanker
    from sklearn_pscore.inspection import strength_leaderboard

    # Strengths are of systems alone, and there may be no metric.
    nothing = np.zeros((len(rows.groups), 1))
    ranker = BradleyTerryRanker(ties="davidson").fit(nothing, rows.groups)
    return strength_leaderboard(ranker, **options)


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


def check_clusters(rows):
    """Raise ValueError unless there are two blocks or groups or more to draw."""
    if rows.n_blocks < 2:
        is_block = "block" in rows.groups.dtype.names
        what, option = ("block", "--block") if is_block else ("group", "--group")
        raise ValueError(
            f"{rows.name} has one {what}, {rows.cluster[0].item()!r}, in its judged rows; "
            f"expected two or more, for intervals are by drawing {what}s. Name another "
            f"column as {option}."
        )


def _scores(rows, n_folds, refits, random_state, quick):
    """Return the held-out scores of all rows, and those of refits."""
    from sklearn_pscore.inspection import cross_fitted_scores

    say(f"Learning {n_folds * (1 + refits)} rankers")
    return cross_fitted_scores(
        learnt_ranker(random_state, quick=quick),
        rows.X,
        rows.groups,
        cv=n_folds,
        n_refits=refits,
        random_state=random_state,
    )


def _table(board, learnt=None):
    """Return the table to write: of people, or of both side by side."""
    if learnt is None:
        return board.to_frame()
    names = set(board.systems["item"])
    # Only the score has a place for systems that nobody judged.
    of_judged = learnt.systems[learnt.systems["item"].isin(names)]
    people = board.to_frame().set_index("item").add_prefix("people ")
    frame = people.join(of_judged.set_index("item").add_prefix("learnt "))
    return frame.reset_index()


def _drawn(*boards):
    """Return a figure with a panel for each leaderboard."""
    import matplotlib.pyplot as plt

    from sklearn_pscore.plotting import LeaderboardDisplay

    if len(boards) == 1:
        return LeaderboardDisplay.from_leaderboard(boards[0]).figure_
    height = 1.5 + 0.3 * len(boards[0].systems)
    figure, axes = plt.subplots(2, figsize=(8, 2 * height), layout="constrained")
    for ax, board in zip(axes, boards, strict=True):
        LeaderboardDisplay.from_leaderboard(board, ax=ax)
    return figure
