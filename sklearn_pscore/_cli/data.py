"""``pscore data``: a data set of the package as the file of a table."""

from pathlib import Path
from typing import Annotated

import typer

from sklearn_pscore._cli.data_sets import DataSet, data_table
from sklearn_pscore._cli.failures import told_in_one_line
from sklearn_pscore._cli.output import check_out, write_file
from sklearn_pscore._cli.source import DataHomeOption, ForceOption
from sklearn_pscore._interrupt import quiet_interrupt
from sklearn_pscore._tables.endings import ENDINGS


@told_in_one_line
def data(
    name: Annotated[DataSet, typer.Argument(help="The data set.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The table to write.")],
    data_home: DataHomeOption = None,
    force: ForceOption = False,
):
    """Write a data set of the package as a table."""
    check_out(out, force, ENDINGS)
    with quiet_interrupt():
        from sklearn_pscore._tables.files import write_table
    table, roles = data_table(name, data_home)
    write_file(out, lambda path: write_table(table.frame, path))
    named = " ".join(f"{role} {column}" for role, column in roles.named().items())
    dropped = f" --drop {','.join(roles.drop)}" if roles.drop else ""
    typer.echo(f"Written to {out}: {len(table)} rows\nIts columns: {named}{dropped}")
