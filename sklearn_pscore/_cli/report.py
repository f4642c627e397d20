"""``pscore report``: four answers, and one page to show them on."""

from pathlib import Path
from typing import Annotated

import typer

from sklearn_pscore._cli.failures import Failure
from sklearn_pscore._cli.output import check_out, say, use_no_screen
from sklearn_pscore._cli.rankers import QuickOption, import_rankers, quick_rankers
from sklearn_pscore._cli.source import ForceOption, SeedOption, with_source

ENDINGS = (".html", ".htm")
FEWEST_REFITS = 5


@with_source
def report(
    source,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The page, .html.")],
    title: Annotated[str | None, typer.Option(help="What to call the table.")] = None,
    folds: Annotated[int, typer.Option(min=2, help="Parts that are held out.")] = 5,
    refits: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Refits of each fold's ranker, for the learnt score's leaderboard: 5 or "
            "more, or 0, the fastest. Default: 10 for up to 5,000 rows, else 0.",
        ),
    ] = None,
    random_state: SeedOption = 0,
    quick: QuickOption = False,
    force: ForceOption = False,
):
    """Answer which system is best, which metric people follow, and show it on a page."""
    check_out(out, force, ENDINGS)
    if refits is not None and 0 < refits < FEWEST_REFITS:
        raise Failure(
            f"--refits is {refits}; expected 0, or {FEWEST_REFITS} and more, for fewer do "
            "not tell how uncertain learning is. Pass 0 for none of them."
        )
    rows = source.read()
    # Before the work: whether there is anything to learn from.
    rows.judged()
    import_rankers()
    use_no_screen()
    from sklearn_pscore.report import analyse, write_report

    name = title or source.title
    if quick:
        # Whoever is shown the page has not seen the command.
        name = f"{name} (trained little, to try: --quick)"
    say("Learning and judging")
    analysis = analyse(
        rows.X,
        rows.groups,
        rankers=quick_rankers(random_state) if quick else None,
        cv=folds,
        n_refits=0 if quick and refits is None else refits,
        random_state=random_state,
        title=str(name),
        verbose=1,
    )
    write_report(out, rows.X, rows.groups, analysis=analysis, overwrite=force)
    typer.echo(f"Written to {out}\n\n{analysis}")
