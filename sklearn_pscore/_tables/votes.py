"""Two tables: votes, and the rows with metrics that were voted on."""

import warnings
from dataclasses import dataclass, field

import numpy as np

from sklearn_pscore._tables.names import listed
from sklearn_pscore._tables.roles import Judged, Roles, metrics_of
from sklearn_pscore._target.groups import Groups

_CODES = (0.0, 0.5, 1.0)
"""Outcomes that are written as numbers."""


@dataclass(frozen=True)
class VoteRoles:
    """Names of columns by what they are, in the table of votes and that of items.

    Parameters
    ----------
    on : tuple of str
        Columns of the group, in both tables; none is a single group.
    item, block : str or None
        Columns of the items: the system, and what is held out together.
    left, right, winner : str
        Columns of the votes.
    annotator, weight : str or None
        Further columns of the votes.
    outcomes : dict of str to (str or None), or None
        What the values of `winner` mean.
    missing : {"raise", "drop"}
        What becomes of votes for items that are not there.
    drop, metrics : tuple of str, tuple of str or None
        Of the table of items, see :class:`Roles`.
    """

    on: tuple = ("prompt",)
    item: str = "system"
    block: str | None = None
    left: str = "left"
    right: str = "right"
    winner: str = "winner"
    annotator: str | None = None
    weight: str | None = None
    outcomes: dict | None = None
    missing: str = "raise"
    drop: tuple = ()
    metrics: tuple | None = None


@dataclass(frozen=True)
class Voted(Judged):
    """Metrics of items that people voted on, and the votes.

    Parameters
    ----------
    votes, items : dict of str to ndarray
        Columns of both tables, as ``Groups.from_votes`` takes them.
    names : dict of str to object
        Its other arguments.
    """

    votes: dict = field(default_factory=dict)
    items: dict = field(default_factory=dict)
    names: dict = field(default_factory=dict)

    @property
    def annotators(self):
        """Names of those who voted."""
        return np.unique(self.votes[self.names["annotator"]]).tolist()

    def without(self, annotator):
        """Return the target of the votes of all others."""
        kept = self.votes[self.names["annotator"]] != annotator
        votes = {name: column[kept] for name, column in self.votes.items()}
        with warnings.catch_warnings():
            # Of votes that are left out: that was said when the tables were read.
            warnings.simplefilter("ignore")
            return Groups.from_votes(votes, self.items, **self.names)


def voted_table(votes, items, roles, *, needs_metrics=True, order=False):
    """Return metrics and target of a table of items that were voted on.

    Parameters
    ----------
    votes, items : Table
    roles : VoteRoles
    needs_metrics : bool, default=True
        Whether to go without is an error.
    order : bool, default=False
        Whether the target is to know who was shown first.

    Returns
    -------
    voted : Voted
        One row per row of `items`.

    Raises
    ------
    ValueError
        If a column is not there, or cannot be what it is named for, or a vote is about
        nothing in `items`.
    """
    for name in (*roles.drop, *(roles.metrics or ())):
        items.check_name(name, "--drop" if name in roles.drop else "--metrics")
    _check_different(roles)
    _check_there(votes, items, roles)
    columns, given = _columns(votes, items, roles)
    X, notes = metrics_of(
        items,
        Roles(
            item=roles.item,
            block=roles.block,
            drop=(*roles.drop, *roles.on),
            metrics=roles.metrics,
        ),
        needs_metrics=needs_metrics,
    )
    try:
        groups = Groups.from_votes(columns, given, **_names(roles), order=order)
    except (TypeError, ValueError) as error:
        raise ValueError(_in_options(str(error))) from error
    notes.append(_counts(groups, columns, roles))
    n_unseen = int(np.isnan(groups["preference"]).sum())
    if n_unseen:
        notes.append(
            f"Without a vote: {n_unseen:,} of {len(groups):,} rows, of which nothing is "
            "learnt"
        )
    return Voted(
        items.name,
        X,
        groups,
        notes,
        group_option="--on",
        votes=columns,
        items=given,
        names=_names(roles),
    )


def _check_different(roles):
    """Raise ValueError if a column of a table is named for two things."""
    of_votes = {"--left": roles.left, "--right": roles.right, "--winner": roles.winner}
    of_votes |= {"--annotator": roles.annotator, "--vote-weight": roles.weight}
    of_items = {"--item": roles.item}
    on = [("--on", name) for name in roles.on]
    metrics = [("--metrics", name) for name in roles.metrics or ()]
    for named in (
        [*on, *of_votes.items()],
        # A block may be the group, as in a table.
        [*on, *of_items.items(), *metrics],
    ):
        seen = {}
        for role, name in named:
            if name is not None and name in seen:
                raise ValueError(
                    f"{seen[name]} and {role} are both {name!r}; expected different "
                    "columns. Name another one."
                )
            seen[name] = role


def _check_there(votes, items, roles):
    """Raise ValueError if several columns are not there: one is told by its reader."""
    on = [("--on", name) for name in roles.on]
    of_votes = [("--left", roles.left), ("--right", roles.right)]
    wanted = [(votes, *each) for each in (*on, *of_votes, ("--winner", roles.winner))]
    wanted += [(items, *each) for each in (*on, ("--item", roles.item))]
    lacking = [each for each in wanted if each[2] not in each[0].names]
    if len({name for *_, name in lacking}) > 1:
        told = []
        for table in (votes, items):
            names = [
                f"{name!r} ({option})" for t, option, name in lacking if t is table
            ]
            if names:
                told.append(
                    f"{table.name} has no column {', '.join(names)}; it has "
                    f"{listed(table.names)}."
                )
        raise ValueError(
            f"{' '.join(told)} Expected all of them. Name your columns by these options."
        )


def _columns(votes, items, roles):
    """Return the columns of both tables, as dicts."""
    columns = {name: votes.labels(name, "--on") for name in roles.on}
    given = {name: items.labels(name, "--on") for name in roles.on}
    given[roles.item] = items.labels(roles.item, "--item")
    columns[roles.left] = votes.labels(roles.left, "--left")
    columns[roles.right] = votes.labels(roles.right, "--right")
    alike = [[(columns, name), (given, name)] for name in roles.on]
    alike.append([(columns, roles.left), (columns, roles.right), (given, roles.item)])
    for places in alike:
        # Numbers of one file are text in another.
        if len({table[name].dtype.kind for table, name in places}) > 1:
            for table, name in places:
                table[name] = table[name].astype(str)
    names = {*columns[roles.left].tolist(), *columns[roles.right].tolist()}
    columns[roles.winner] = _outcomes(votes, roles, names)
    if roles.annotator is not None:
        columns[roles.annotator] = votes.labels(roles.annotator, "--annotator")
    if roles.weight is not None:
        columns[roles.weight] = votes.required_numbers(roles.weight, "--vote-weight")
    if roles.block is not None:
        given[roles.block] = items.labels(roles.block, "--block")
    return columns, given


def _outcomes(votes, roles, names):
    """Return who was preferred: names, words, or the numbers 1, .5 and 0.

    Parameters
    ----------
    votes : Table
    roles : VoteRoles
    names : set of str or int
        The items that were voted on.
    """
    text = votes.labels(roles.winner, "--winner")
    if roles.outcomes is not None:
        return text.astype(str)
    numbers = votes.numbers(roles.winner)
    is_codes = numbers is not None and np.isin(numbers, _CODES).all()
    if is_codes and names.issuperset(text.tolist()):
        raise ValueError(
            f"--winner is {roles.winner!r}, which holds {text[0]!s} in {votes.name}: an "
            "item, and a number for the outcome; expected one of the two. Say what it "
            "means with --outcomes 1=left,0=right, or rename the items."
        )
    is_text = numbers is None or not (is_codes or names.isdisjoint(text.tolist()))
    return text if is_text else numbers


def _in_options(message):
    """Return a message of ``Groups.from_votes`` in the words of the program."""
    message = message.replace('missing="drop"', "--missing drop")
    start, hint, _ = message.partition("Say what it means, for example with outcomes")
    if hint:
        message = f"{start}Say what it means, for example with --outcomes WORD=left."
    if " row " in message:
        message += " Rows of both tables are counted from 0, without the header."
    return message


def _names(roles):
    """Return the arguments of ``Groups.from_votes``."""
    names = ("on", "item", "block", "left", "right", "winner", "annotator", "weight")
    names += ("outcomes", "missing")
    return {name: getattr(roles, name) for name in names}


def _counts(groups, columns, roles):
    """Return how many votes count, in words."""
    n_votes, n_ties = groups["votes"].sum(), groups["ties"].sum()
    what = "Votes" if roles.weight is None else "Votes, by weight"
    n_groups = len(np.unique(groups["group"]))
    people = ""
    if roles.annotator is not None:
        people = f", by {len(np.unique(columns[roles.annotator])):,} annotators"
    return (
        f"{what}: {n_votes:,.6g}, of which {n_ties:,.6g} ties, between "
        f"{len(np.unique(groups['item'])):,} items in {n_groups:,} groups{people}"
    )
