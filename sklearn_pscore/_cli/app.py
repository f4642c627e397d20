"""The program ``pscore``, and its commands."""

from typing import Annotated

import typer

from sklearn_pscore._cli.annotators import annotators
from sklearn_pscore._cli.compare import compare
from sklearn_pscore._cli.curves import curves
from sklearn_pscore._cli.data import data
from sklearn_pscore._cli.failures import OneLineGroup
from sklearn_pscore._cli.fit import fit
from sklearn_pscore._cli.importance import importance
from sklearn_pscore._cli.leaderboard import leaderboard
from sklearn_pscore._cli.report import report
from sklearn_pscore._cli.score import score
from sklearn_pscore._version import __version__

app = typer.Typer(
    name="pscore",
    help="Learn human preference from metrics.",
    cls=OneLineGroup,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(is_asked):
    if is_asked:
        typer.echo(f"pscore {__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
):
    """Learn human preference from metrics."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


COMMANDS = (fit, score, compare, curves, importance, leaderboard, annotators)
COMMANDS += (report, data)

for command in COMMANDS:
    app.command()(command)
