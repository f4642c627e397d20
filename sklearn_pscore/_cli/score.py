"""``pscore score``: the scores of a table from the file of a model."""

from pathlib import Path
from typing import Annotated

import typer

from sklearn_pscore._cli.failures import told_in_one_line
from sklearn_pscore._cli.models import columns_of, load_model
from sklearn_pscore._cli.output import (
    check_folder,
    check_is_new,
    check_out,
    write_file,
    write_files,
)
from sklearn_pscore._cli.progress import shown_progress
from sklearn_pscore._cli.source import ForceOption
from sklearn_pscore._interrupt import quiet_interrupt
from sklearn_pscore._tables.endings import (
    ENDINGS,
    SEPARATORS,
    check_ending,
    files_of_folder,
)

_MOST_ROWS = 100_000


@told_in_one_line
def score(
    model: Annotated[Path, typer.Argument(help="A fitted ranker, .skops or .onnx.")],
    table: Annotated[
        Path,
        typer.Argument(
            help="Rows to score: CSV, TSV, Parquet, JSON lines, or a folder of Parquet."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="The table with a column of scores; of a folder, a folder of as many.",
        ),
    ],
    column: Annotated[
        str, typer.Option(help="Name of the column of scores.")
    ] = "score",
    force: ForceOption = False,
):
    """Score the rows of a table by a fitted ranker."""
    if table.is_dir():
        tables = _tables_of(table, out, force)
    else:
        check_out(out, force, ENDINGS)
        # Whether it is there, before its ending: a folder needs none.
        table.open("rb").close()
        check_ending(table, "TABLE")
    with quiet_interrupt():
        import sklearn_pscore._rankers.training  # noqa: F401
        from sklearn_pscore._tables.files import read_table, write_table
    fitted = load_model(model)
    names = columns_of(fitted, model)

    def scored(table, ending):
        rows = read_table(table)
        scores = scores_of(fitted, rows, names, column)
        # A table of text stays as it is written, in a table of text.
        frame = rows.frame if ending.lower() in SEPARATORS else rows.typed()
        return frame.assign(**{column: scores})

    if not table.is_dir():
        frame = scored(table, out.suffix)
        write_file(out, lambda path: write_table(frame, path))
        typer.echo(f"Written to {out}: {len(frame)} rows")
        return
    n_rows = []

    def write_all(folder):
        # One at a time, so that no more than one is in memory.
        for path in shown_progress(tables, "files"):
            try:
                frame = scored(path, path.suffix)
            except OSError as error:
                raise ValueError(
                    f"TABLE {str(path)!r} cannot be read: {error}."
                ) from None
            write_table(frame, folder / path.name)
            n_rows.append(len(frame))

    write_files(out, write_all)
    typer.echo(f"Written to {out}: {len(tables)} files, {sum(n_rows)} rows")


def _tables_of(folder, out, force):
    """Return the Parquet files of a folder, if as many can be written to another."""
    tables = files_of_folder(folder, "TABLE")
    if out.exists() and not out.is_dir():
        raise ValueError(
            f"--out is {str(out)!r}, a file; expected a folder, since TABLE is one."
        )
    # Folders that end in .parquet are those of Dask and Spark.
    if out.suffix.lower() in {*ENDINGS} - {".parquet"} and not out.exists():
        raise ValueError(
            f"--out is {str(out)!r}, the name of a file; expected a folder, since TABLE "
            f"is one: each of its files is scored for itself. Pass {str(out.stem)!r}."
        )
    if out.exists() and out.samefile(folder):
        raise ValueError(
            f"--out is {str(out)!r}, which is TABLE itself; expected another folder, or "
            "the files would be replaced that the scores are made of."
        )
    check_is_new([out / path.name for path in tables], force)
    check_folder(out)
    return tables


def scores_of(model, table, names, column="score"):
    """Return the scores of a table's rows.

    Parameters
    ----------
    model : fitted ranker
    table : Table
    names : list of str
        Columns that the model takes.
    column : str, default="score"
        Where the scores are to go.

    Raises
    ------
    ValueError
        If the table lacks any, has scores already, or cannot be scored.
    """
    import numpy as np

    X = features(table, names)
    if column in table.names:
        raise ValueError(
            f"{table.name} has a column {column!r}, where the scores are to go; expected "
            "none. Pass another name as --column."
        )
    starts = range(0, len(X), _MOST_ROWS)
    try:
        parts = [
            np.asarray(model.predict(X.iloc[start : start + _MOST_ROWS]), np.float64)
            for start in shown_progress(starts, "scores")
        ]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{table.name} cannot be scored: {_what_is_odd(table, X, str(error))}"
        ) from error
    return np.concatenate(parts)


def features(table, names):
    """Return the columns of a model.

    Raises
    ------
    ValueError
        If the table lacks any.
    """
    import pandas as pd

    from sklearn_pscore._tables.roles import lacking

    message = lacking(names, table)
    if message:
        raise ValueError(message)
    return pd.DataFrame({name: table.feature(name) for name in names})


def _what_is_odd(table, X, error):
    """Return where a table holds what few models take, and what the model said.

    The first step of a Pipeline, of another library, may not say where. The words of
    this package do, but count from 0, and know nothing of the file: they are left out.
    """
    import numpy as np

    for name in sorted(X.columns, key=lambda name: f"column {name!r}" not in error):
        numbers, expected = table.numbers(name), "numbers"
        if numbers is None:
            row, value = table.first_text(name)
            how = table.decimal_comma_hint(name) or "Mend it, or empty the entry."
        elif np.isinf(numbers).any():
            row = int(np.flatnonzero(np.isinf(numbers))[0]) + 1
            value, expected = str(numbers[row - 1]), "finite numbers"
            how = "Empty the entry, or put a large number."
        else:
            continue
        said = "" if f"column {name!r}" in error else f" {error}"
        return (
            f"column {name!r} holds {value!r:.60} in row {row}; expected {expected}. "
            f"{how}{said}"
        )
    return error
