"""``pscore data``: a data set of the package as the file of a table, or two."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sklearn_pscore._cli.data_sets import DataSet, arena_tables, data_table
from sklearn_pscore._cli.failures import Failure, told_in_one_line
from sklearn_pscore._cli.output import (
    check_folder,
    check_is_new,
    check_out,
    write_file,
    write_files,
)
from sklearn_pscore._cli.source import DataHomeOption, ForceOption
from sklearn_pscore._interrupt import quiet_interrupt
from sklearn_pscore._tables.endings import ENDINGS

ARENA = "arena"

Written = StrEnum(
    "Written", [*((each.name, each.value) for each in DataSet), (ARENA, ARENA)]
)
"""Data sets that are written: those of one table, and the arena's two."""


@told_in_one_line
def data(
    name: Annotated[Written, typer.Argument(help="The data set.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="The table to write; of arena the folder, for items.csv and votes.csv.",
        ),
    ],
    data_home: DataHomeOption = None,
    force: ForceOption = False,
):
    """Write a data set of the package as a table."""
    if name == ARENA:
        _write_arena(out, force)
        return
    check_out(out, force, ENDINGS)
    with quiet_interrupt():
        from sklearn_pscore._tables.files import write_table
    table, roles = data_table(DataSet(name.value), data_home)
    write_file(out, lambda path: write_table(table.frame, path))
    named = " ".join(f"{role} {column}" for role, column in roles.named().items())
    dropped = f" --drop {','.join(roles.drop)}" if roles.drop else ""
    typer.echo(f"Written to {out}: {len(table)} rows\nIts columns: {named}{dropped}")


def _write_arena(out, force):
    """Write votes and items into a folder."""
    if out.suffix.lower() in ENDINGS or out.is_file():
        raise Failure(
            f"--out is {str(out)!r}; expected a folder, for arena is two tables, items.csv "
            "and votes.csv. Pass for example -o arena."
        )
    check_is_new([out / "items.csv", out / "votes.csv"], force)
    check_folder(out)
    with quiet_interrupt():
        from sklearn_pscore._tables.files import write_table
    items, votes = arena_tables()

    def write(folder):
        write_table(items, folder / "items.csv")
        write_table(votes, folder / "votes.csv")

    write_files(out, write)
    typer.echo(
        f"Written to {out}: items.csv, {len(items):,} rows, and votes.csv, {len(votes):,} "
        f"votes. Pass them as: --votes {out / 'votes.csv'} --items {out / 'items.csv'} "
        "--annotator annotator"
    )
