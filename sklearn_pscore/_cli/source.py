"""Where a command's rows come from: the options that all commands share."""

import functools
import inspect
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from sklearn_pscore._cli.data_sets import DataSet, data_table
from sklearn_pscore._cli.failures import Failure, told_in_one_line
from sklearn_pscore._cli.output import say, say_notes
from sklearn_pscore._cli.votes import (
    ItemsOption,
    MissingOption,
    OutcomesOption,
    VotesOption,
    check_votes,
    parted,
    read_votes,
)
from sklearn_pscore._interrupt import quiet_interrupt
from sklearn_pscore._tables.fields import FIELDS

TableArgument = Annotated[
    Path | None,
    typer.Argument(
        help="Rows with metrics and opinions: CSV, TSV, Parquet, JSON lines, or a folder "
        "of Parquet.",
        show_default=False,
    ),
]
DataOption = Annotated[
    DataSet | None,
    typer.Option(help="A data set of the package in place of TABLE."),
]
DataHomeOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder that holds thqa/. Default: $SKLEARN_PSCORE_DATA, else a cache."
    ),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace files that are there.")
]
SeedOption = Annotated[
    int, typer.Option("--random-state", min=0, max=2**32 - 1, help="Seed of all draws.")
]


def column_option(help, *names):
    """Return the type of an option that names a column."""
    return Annotated[
        str | None,
        typer.Option(*names, help=help, metavar="COLUMN", show_default=False),
    ]


def columns_option(help):
    """Return the type of an option that names columns, parted by commas."""
    return Annotated[
        str | None, typer.Option(help=help, metavar="COLUMNS", show_default=False)
    ]


@dataclass(frozen=True)
class Source:
    """Options that say which rows a command is about."""

    table: TableArgument = None
    data: DataOption = None
    group: column_option("What rows that are compared share, such as the prompt.") = (
        None
    )
    preference: column_option("What people said; larger is preferred.") = None
    winner: column_option(
        "1 where the item won its group, else 0. With --votes: who was preferred, a name "
        "or such as left, tie, model_b, 0.5, and by default the column winner."
    ) = None
    item: column_option("The system of the row. With --votes: default system.") = None
    block: column_option("What is held out together, such as the portrait.") = None
    weight: column_option("How much a row weighs.") = None
    raters: column_option("How many people judged the row.") = None
    spread: column_option("How far they were apart: a standard deviation.") = None
    position: column_option("Where in its list the row was shown, 1 for the first.") = (
        None
    )
    drop: columns_option(
        "Columns that are no metrics, parted by commas; quote a name that holds one."
    ) = None
    metrics: columns_option("The metrics. Default: all other numbers.") = None
    data_home: DataHomeOption = None
    votes: VotesOption = None
    items: ItemsOption = None
    on: columns_option(
        "With --votes: columns of the group in both tables; '' is one group. "
        "Default: prompt."
    ) = None
    left: column_option("With --votes: the item on the left. Default: left.") = None
    right: column_option("With --votes: the other item. Default: right.") = None
    annotator: column_option("With --votes: who voted.") = None
    vote_weight: column_option("With --votes: how much a vote weighs.") = None
    outcomes: OutcomesOption = None
    missing: MissingOption = None

    @property
    def has_tables(self):
        """Whether there is a table, or one of votes, in place of a data set."""
        return self.table is not None or self.votes is not None

    @property
    def title(self):
        """What to call the rows."""
        if self.table is not None:
            return self.table.stem
        return self.data.value if self.votes is None else self.votes.stem

    def roles(self):
        """Return the role of each column that is named."""
        from sklearn_pscore._tables.roles import Roles

        return Roles(
            **{name: getattr(self, name) for name in FIELDS},
            drop=parted(self.drop) or (),
            metrics=parted(self.metrics),
        )

    def check_given(self):
        """Fail unless there is either a table or a data set."""
        check_votes(self)
        if self.votes is None and (self.table is None) == (self.data is None):
            got = "neither TABLE nor" if self.table is None else "both TABLE and"
            raise Failure(
                f"Got {got} --data; expected one of them. Pass the file of a "
                "table, or --data thqa to try the program; or --votes and --items."
            )

    def check_no_columns(self, what):
        """Fail if an option names a column, beside `what` has no use for it."""
        check_votes(self)
        # Without the roles themselves: no library is imported yet.
        columns = (*FIELDS, "drop", "metrics")
        named = [f"--{name}" for name in columns if getattr(self, name)]
        if named:
            raise Failure(
                f"Got {named[0]} beside {what}; expected it with TABLE. Leave it out, or "
                "write the table with `pscore data thqa -o table.csv` and pass that."
            )

    def read(self, *, columns=None, order=False, **options):
        """Return the rows, and say what is in them.

        Parameters
        ----------
        columns : list of str or None, default=None
            Metrics of a model, in its order; None is what the options say.
        order : bool, default=False
            Whether the target is to know what was shown first.
        **options : dict
            Of :func:`judged_table`.

        Returns
        -------
        judged : Judged
        """
        self.check_given()
        if order and self.votes is None and self.position is None:
            raise Failure(
                "Got --order-bias without --votes and --position; expected one of them, "
                "for it is learnt from what was shown first. Name the column of where in "
                "its list a row was shown as --position."
            )
        with quiet_interrupt():
            from sklearn_pscore._tables.files import read_table
            from sklearn_pscore._tables.roles import judged_table, lacking
        if self.votes is not None:
            judged = read_votes(self, columns=columns, order=order, **options)
            say_notes(judged.notes)
            return judged
        roles = self.roles()
        if self.table is not None:
            say(f"Reading {self.table}")
            table = read_table(self.table)
        else:
            self.check_no_columns("--data, whose columns are known")
            table, roles = data_table(self.data, self.data_home)
        if columns is not None:
            message = lacking(columns, table)
            if message:
                raise ValueError(message)
            roles = replace(roles, metrics=tuple(columns), drop=())
        judged = judged_table(table, roles, **options)
        say_notes(judged.notes)
        if roles.position is not None and not order:
            say_notes(
                [
                    f"Positions ({roles.position}): no metric, and nothing is learnt of "
                    "them. To learn what they are worth, and leave it out of the score: "
                    "--order-bias of pscore fit and pscore compare"
                ]
            )
        return judged


def with_source(command):
    """Give a command the options of a source, in the place of its first argument."""
    fields = inspect.signature(Source).parameters
    first, *others = inspect.signature(command).parameters.values()

    @functools.wraps(command)
    def called(**arguments):
        source = Source(**{name: arguments.pop(name) for name in fields})
        command(source, **arguments)

    keyword = inspect.Parameter.KEYWORD_ONLY
    shared = [each.replace(kind=keyword) for each in fields.values()]
    called.__signature__ = inspect.Signature([*shared, *others])
    called.__annotations__ = {each.name: each.annotation for each in [*shared, *others]}
    del called.__wrapped__
    return told_in_one_line(called)
