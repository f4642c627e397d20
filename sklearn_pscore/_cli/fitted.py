"""Fitted models of commands: those of a file, and the folds to fit on."""

from pathlib import Path
from typing import Annotated

import typer

from sklearn_pscore._cli.models import columns_of, load_model
from sklearn_pscore._cli.output import say

ModelOption = Annotated[
    Path | None,
    typer.Option(help="A fitted ranker, .skops or .onnx. Default: one is learnt."),
]


def fitted_model(path):
    """Return the model of a file and the names of its columns, None without a file."""
    if path is None:
        return None, None
    model = load_model(path)
    return model, columns_of(model, path)


def n_folds_of(rows, folds):
    """Return how many folds there can be.

    Parameters
    ----------
    rows : Judged
    folds : int
        How many are wanted.

    Raises
    ------
    ValueError
        If there are no two parts of the rows.
    """
    if rows.n_blocks < 2:
        is_block = "block" in rows.groups.dtype.names
        what = "block" if is_block else "group"
        option = "--block" if is_block else rows.group_option
        raise ValueError(
            f"{rows.name} has one {what}, {rows.cluster[0].item()!r}, in its judged rows; "
            "expected two or more, for what is learnt from some is judged on others. Name "
            f"another column as {option}."
        )
    if rows.n_blocks < folds:
        say(f"{rows.n_blocks} folds, for there is no more to hold out")
    return min(folds, rows.n_blocks)


def held_out_folds(rows, folds):
    """Return the row numbers to fit on, and those held out, of each fold."""
    from sklearn_pscore.model_selection import PreferenceGroupKFold

    splitter = PreferenceGroupKFold(n_folds_of(rows, folds))
    return list(splitter.split(rows.X, rows.groups))
