"""What commands write and print."""

import json
import textwrap
from pathlib import Path

import typer

from sklearn_pscore._cli.failures import Failure
from sklearn_pscore._folders import check_writable, whole_files
from sklearn_pscore._tables.endings import ENDINGS, check_ending
from sklearn_pscore._tables.names import shown

PICTURES = (".png", ".svg", ".pdf")
"""Endings of the pictures that are written."""

RESULTS = (*ENDINGS, ".json", *PICTURES)
"""Endings of the files that results are written to."""

WIDTH = 100
"""Widest line of a table that is printed."""


def say(text):
    """Print what is no result, such as progress, beside the results."""
    typer.echo(text, err=True)


def say_notes(notes):
    """Print notes, broken into lines."""
    for note in notes:
        say(wrapped(note, "  "))


def wrapped(text, indent=""):
    """Return text broken into lines, all but the first with an indent."""
    return textwrap.fill(text, 88, subsequent_indent=indent, break_on_hyphens=False)


def check_folder(folder, out=None):
    """Fail unless files can be written to a folder, which is that of `out` if given."""
    try:
        check_writable(folder)
    except OSError as error:
        expected = "a folder, or a path to make one at. Pass another"
        if out is not None:
            expected = "a file in a folder that you may write to. Pass another path"
        raise Failure(
            f"--out is {str(out or folder)!r}, where no file can be written "
            f"({error.strerror}); expected {expected}."
        ) from None


def check_out(out, force, endings):
    """Fail unless a file can be written that is not there.

    Parameters
    ----------
    out : Path or None
        None is not given, and fine.
    force : bool
        Whether a file that is there is replaced.
    endings : tuple of str
        What its name may end in.
    """
    if out is None:
        return
    check_ending(out, "--out", endings)
    if out.is_dir():
        raise Failure(f"--out is {str(out)!r}, a folder; expected a file.")
    check_is_new([out], force)
    check_folder(out.parent, out)


def check_is_new(paths, force):
    """Fail if a file is there, unless it is to be replaced."""
    for path in paths:
        if path.exists() and not force:
            raise Failure(
                f"--out is {str(path)!r}, which is there already; expected a new file. "
                "Pass another name, or --force to replace it."
            )


def write_file(out, write):
    """Write a file by a function of its path, whole or not at all, and say so."""
    _write(out, out.parent, lambda folder: write(folder / out.name))


def write_files(out, write):
    """Write files into a folder by a function of it, whole or not at all."""
    _write(out, out, write)


def _write(out, folder, write):
    try:
        with whole_files(folder) as part:
            write(part)
    except OSError as error:
        raise Failure(
            f"--out {str(out)!r} could not be written ({error}); nothing was. Make room, "
            "or pass another.",
            code=1,
        ) from None


def write_result(out, frame, draw):
    """Write a result as a table or a picture, by the ending of the file.

    Parameters
    ----------
    out : Path or None
        None writes nothing.
    frame : DataFrame
    draw : callable
        Of no argument; returns a figure of matplotlib.
    """
    if out is None:
        return
    from sklearn_pscore._tables.files import write_table

    ending = out.suffix.lower()
    if ending in PICTURES:
        use_no_screen()
        write_file(out, lambda path: _save(draw(), path))
    elif ending == ".json":
        write_file(out, lambda path: _write_json(frame, path))
    else:
        write_file(out, lambda path: write_table(frame, path))
    typer.echo(f"Written to {out}")


def use_no_screen():
    """Let matplotlib draw into files."""
    import matplotlib as mpl

    mpl.use("Agg")


def _save(figure, path):
    import matplotlib.pyplot as plt

    figure.savefig(path, dpi=150, bbox_inches="tight")
    plt.close(figure)


def _write_json(frame, path):
    """Write one object per row, in a list."""
    from sklearn_pscore._tables.files import write_table

    lines = Path(path.parent, f"{path.name}.jsonl")
    write_table(frame, lines)
    records = [json.loads(line) for line in lines.read_text("utf-8").splitlines()]
    lines.unlink()
    path.write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", "utf-8")


def text_table(frame, *, width=WIDTH):
    """Return a table of text: names to the left, numbers to the right.

    Parameters
    ----------
    frame : DataFrame of str
        What it holds is shown in one line; the first column of text is cut where the
        table would be too wide.
    width : int

    Returns
    -------
    text : str
    """
    columns = [[str(name), *map(shown_cell, frame[name])] for name in frame.columns]
    widths = [max(map(len, column)) for column in columns]
    spare = width - sum(widths) - 2 * (len(widths) - 1)
    if spare < 0:
        first = widths.index(max(widths))
        widths[first] = max(8, widths[first] + spare)
        columns[first] = [cut(text, widths[first]) for text in columns[first]]
    is_left = [not _is_number_like(column[1:]) for column in columns]
    lines = []
    for row in zip(*columns, strict=True):
        cells = [
            text.ljust(size) if left else text.rjust(size)
            for text, size, left in zip(row, widths, is_left, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def shown_cell(value):
    """Return a cell as one line."""
    return shown(value) if str(value).strip() else ""


def cut(text, size):
    """Return text of at most a size, cut in the middle."""
    if len(text) <= size:
        return text
    head = (size - 1) // 2
    return f"{text[:head]}…{text[len(text) - (size - 1 - head) :]}"


def _is_number_like(cells):
    return all(
        not text or text[0] in "0123456789+-.[" or text == "inf" for text in cells
    )
