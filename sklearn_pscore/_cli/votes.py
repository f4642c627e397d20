"""Rows from two tables in place of one: votes, and the items voted on."""

import csv
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sklearn_pscore._cli.failures import Failure
from sklearn_pscore._cli.output import say


class Missing(StrEnum):
    """What becomes of votes for items that are not there."""

    error = "raise"
    drop = "drop"


VotesOption = Annotated[
    Path | None,
    typer.Option(
        help="Votes between two items, one a row, in place of TABLE.",
        show_default=False,
    ),
]
ItemsOption = Annotated[
    Path | None,
    typer.Option(
        help="With --votes: the items voted on, one a row, with their metrics.",
        show_default=False,
    ),
]
OutcomesOption = Annotated[
    str | None,
    typer.Option(
        help="With --votes: what other words of --winner mean, such as "
        "A=left,B=right,both=tie,skip= where an empty one is no vote.",
        metavar="WORD=MEANING,..",
        show_default=False,
    ),
]
MissingOption = Annotated[
    Missing | None,
    typer.Option(
        help="With --votes: drop votes for items without a row. Default: raise.",
        show_default=False,
    ),
]

_ROLES = ("item", "block", "left", "right", "winner", "annotator")
_OF_VOTES = ("items", "on", "left", "right", "annotator", "vote_weight", "outcomes")
_OF_VOTES += ("missing",)
_OF_TABLES = ("table", "data", "group", "preference", "weight", "raters", "spread")
_OF_TABLES += ("position",)


def check_votes(source):
    """Fail if options of votes are given without votes, or others with them."""
    if source.votes is None:
        for name in _OF_VOTES:
            if getattr(source, name) is not None:
                raise Failure(
                    f"Got {_option(name)} without --votes; expected both. Name the file of "
                    "the votes as --votes, or leave it out."
                )
        return
    for name in _OF_TABLES:
        if getattr(source, name) is not None:
            raise Failure(
                f"Got {_option(name)} beside --votes; expected one of them. Leave it out: "
                "the group of votes is --on, their weight --vote-weight."
            )
    if source.items is None:
        raise Failure(
            "Got --votes without --items; expected the file of the items voted on, one a "
            "row, with their metrics. Name it as --items."
        )


def read_votes(source, *, columns=None, needs_metrics=True, order=False, **options):
    """Return the rows that were voted on.

    Parameters
    ----------
    source : Source
    columns : list of str or None, default=None
        Metrics of a model, in its order; None is what the options say.
    needs_metrics : bool, default=True
        Whether to go without is an error.
    order : bool, default=False
        Whether the target is to know who was shown first.
    **options : dict
        Others of :func:`judged_table`, which votes do not need.

    Returns
    -------
    voted : Voted
    """
    from sklearn_pscore._tables.files import read_table
    from sklearn_pscore._tables.roles import lacking
    from sklearn_pscore._tables.votes import VoteRoles, voted_table

    say(f"Reading {source.votes} and {source.items}")
    votes = read_table(source.votes, "--votes")
    items = read_table(source.items, "--items")
    given = {name: getattr(source, name) for name in _ROLES}
    given["weight"] = source.vote_weight
    given["on"] = parted(source.on)
    given["outcomes"] = _outcomes(source.outcomes)
    given["missing"] = None if source.missing is None else source.missing.value
    given["drop"], given["metrics"] = parted(source.drop), parted(source.metrics)
    if columns is not None:
        message = lacking(columns, items)
        if message:
            raise ValueError(message)
        given["drop"], given["metrics"] = (), tuple(columns)
    roles = VoteRoles(**{key: each for key, each in given.items() if each is not None})
    return voted_table(votes, items, roles, needs_metrics=needs_metrics, order=order)


def parted(text):
    """Return the names of an option that are parted by commas, None without.

    A name that holds a comma stands in quotes, as in a CSV file.
    """
    if text is None:
        return None
    names = next(csv.reader([text], skipinitialspace=True), [])
    return tuple(name.strip() for name in names if name.strip())


def _outcomes(text):
    """Return what words mean, as a dict; None without."""
    if text is None:
        return None
    outcomes = {}
    for each in parted(text):
        word, is_there, meaning = each.rpartition("=")
        if not is_there or not word:
            raise Failure(
                f"--outcomes has {each!r}; expected a word and what it means, parted by "
                "commas. Pass for example --outcomes A=left,B=right,both=tie,skip="
            )
        outcomes[word] = meaning or None
    return outcomes


def _option(name):
    return "TABLE" if name == "table" else f"--{name.replace('_', '-')}"
