"""What each column of a table is: the target's fields, or a metric."""

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sklearn_pscore._tables.fields import FIELDS
from sklearn_pscore._tables.names import listed, nearest, shown
from sklearn_pscore._target.groups import AWARD_PREFERENCE, Groups

# Of names of columns that count or describe judgements.
_WORDS_OF_JUDGING = {"annotators", "judgements", "mos", "opinion", "opinions", "rater"}
_WORDS_OF_JUDGING |= {"raters", "rating", "ratings", "vote", "votes"}


@dataclass(frozen=True)
class Roles:
    """Names of columns by what they are. None is not given.

    Parameters
    ----------
    group, preference, winner, item, block, weight, raters, spread, position : str or None
        Columns of the target; `winner` is 1 where an item won, `raters` is the field
        `n_raters`.
    drop : tuple of str
        Columns that are no metrics.
    metrics : tuple of str or None
        Those that are; None is all other columns of numbers.
    """

    group: str | None = None
    preference: str | None = None
    winner: str | None = None
    item: str | None = None
    block: str | None = None
    weight: str | None = None
    raters: str | None = None
    spread: str | None = None
    position: str | None = None
    drop: tuple = ()
    metrics: tuple | None = None

    def named(self):
        """Return the columns that are given, by the option that names them."""
        given = {f"--{name}": getattr(self, name) for name in FIELDS}
        return {role: name for role, name in given.items() if name is not None}


@dataclass(frozen=True)
class Judged:
    """Metrics of items, and what people said of them.

    Parameters
    ----------
    name : str
        What messages call it.
    X : DataFrame of shape (n_rows, n_metrics), float
    groups : structured ndarray of shape (n_rows,)
        Target; NaN where nobody judged.
    notes : list of str
        What users are to know of the table.
    group_option : str, default="--group"
        The option that names the group.
    """

    name: str
    X: pd.DataFrame
    groups: np.ndarray
    notes: list = field(default_factory=list)
    group_option: str = "--group"

    @property
    def is_judged(self):
        """Whether each row has a preference."""
        return ~np.isnan(self.groups["preference"])

    def judged(self):
        """Return the rows with a preference.

        Raises
        ------
        ValueError
            If there is none, or no group has two items to compare.
        """
        kept = self.is_judged
        if not kept.any():
            raise ValueError(
                f"{self.name} has no judged row: the preference is empty in all "
                f"{len(kept)}; expected some. Name another column."
            )
        only = Judged(
            self.name,
            self.X[kept].reset_index(drop=True),
            self.groups[kept],
            self.notes,
            self.group_option,
        )
        sizes = np.unique(only.groups["group"], return_counts=True)[1]
        if sizes.max() < 2:
            raise ValueError(
                f"{self.name} has {len(sizes)} groups of one judged row each; expected "
                "rows that share a group, for rows of one group are compared. Name the "
                "column of what they share, such as the prompt, as --group."
            )
        return only

    @property
    def cluster(self):
        """Label of what a bootstrap draws of each row."""
        is_in = "block" in self.groups.dtype.names
        return self.groups["block" if is_in else "group"]

    @property
    def n_blocks(self):
        """Number of what a split keeps whole: blocks, or groups where there are none."""
        return len(np.unique(self.cluster))


def judged_table(table, roles, *, needs_preference=True, needs_metrics=True):
    """Return metrics and target of a table.

    Parameters
    ----------
    table : Table
    roles : Roles
    needs_preference, needs_metrics : bool, default=True
        Whether to go without is an error.

    Returns
    -------
    judged : Judged

    Raises
    ------
    ValueError
        If a column is not there, not given, or cannot be what it is named for.
    """
    _check_given(table, roles, needs_preference)
    fields = {"group": table.labels(roles.group, "--group")}
    if roles.preference is not None:
        fields["preference"] = table.required_numbers(roles.preference, "--preference")
    if roles.winner is not None:
        fields["preference"] = AWARD_PREFERENCE * _flags(table, roles.winner)
    if roles.item is not None:
        fields["item"] = table.labels(roles.item, "--item")
    if roles.weight is not None:
        fields["weight"] = table.required_numbers(roles.weight, "--weight")
    if roles.block is not None:
        fields["block"] = table.labels(roles.block, "--block")
    if roles.raters is not None:
        fields["n_raters"] = table.required_numbers(roles.raters, "--raters")
    if roles.spread is not None:
        fields["spread"] = table.required_numbers(roles.spread, "--spread")
    if roles.position is not None:
        fields["position"] = table.required_numbers(roles.position, "--position")
    X, notes = metrics_of(table, roles, needs_metrics=needs_metrics)
    if roles.winner is not None:
        notes.append(
            f"Winners: {roles.winner!r} counts as a preference of {AWARD_PREFERENCE:g} "
            "where an item won, and of 0 where not"
        )
    groups = Groups.from_arrays(**fields)
    is_judged = ~np.isnan(groups["preference"])
    if needs_preference and not is_judged.all() and is_judged.any():
        notes.append(
            f"Not judged: {np.sum(~is_judged):,} of {len(is_judged):,} rows, of which "
            "nothing is learnt"
        )
    return Judged(table.name, X, groups, notes)


def _check_given(table, roles, needs_preference):
    """Raise ValueError unless the columns that are needed are given, once each."""
    named = roles.named()
    for role, name in named.items():
        table.check_name(name, role)
    for role, names in (("--drop", roles.drop), ("--metrics", roles.metrics or ())):
        for name in names:
            table.check_name(name, role)
    if roles.group is None:
        raise ValueError(
            "--group is not given; expected the column that rows which are compared with "
            f"one another share, such as the prompt. {table.name} has "
            f"{listed(table.names)}."
        )
    if roles.preference is not None and roles.winner is not None:
        raise ValueError(
            f"--preference is {roles.preference!r} and --winner {roles.winner!r}; expected "
            "one of the two. Leave one out."
        )
    if needs_preference and roles.preference is None and roles.winner is None:
        raise ValueError(
            "--preference is not given; expected the column of what people said, larger "
            f"is better, or --winner. {table.name} has {listed(table.names)}."
        )
    seen = {}
    for role, name in named.items():
        if name in seen and role != "--block":
            raise ValueError(
                f"{seen[name]} and {role} are both {name!r}; expected different columns. "
                "Name another one."
            )
        seen.setdefault(name, role)
    both = set(named.values()) & set(roles.metrics or ())
    if both:
        name = sorted(both)[0]
        raise ValueError(
            f"--metrics holds {name!r}, which is {seen[name]}; expected other columns. "
            "Leave it out of --metrics."
        )


def _flags(table, name):
    """Return which rows won, as 1 and 0; NaN where nobody said."""
    numbers = table.required_numbers(name, "--winner")
    odd = ~np.isin(numbers[~np.isnan(numbers)], [0, 1])
    if odd.any():
        value = numbers[~np.isnan(numbers)][odd][0]
        raise ValueError(
            f"--winner is {name!r}, which holds {value:g} in {table.name}; expected 1 or "
            "true where an item won, and 0 or false. For numbers that say how good an "
            "item is, pass --preference."
        )
    return numbers


def metrics_of(table, roles, *, needs_metrics=True):
    """Return the metrics, and what is to be said of columns.

    Parameters
    ----------
    table : Table
    roles : Roles
    needs_metrics : bool, default=True
        Whether to go without is an error.

    Returns
    -------
    X : DataFrame of shape (n_rows, n_metrics), float
    notes : list of str

    Raises
    ------
    ValueError
        If there is none that is needed, or one is not of numbers.
    """
    X, notes = _metrics(table, roles)
    if needs_metrics and not X.shape[1]:
        raise ValueError(
            f"{table.name} has no metric: no other column holds numbers; expected at least "
            f"one. It has {listed(table.names)}."
        )
    return X, notes


def _metrics(table, roles):
    """Return the metrics, and what is to be said of columns."""
    if roles.metrics is not None:
        names = [name for name in roles.metrics if name not in roles.drop]
        columns = {name: table.required_numbers(name, "--metrics") for name in names}
        return _told(table, columns, [])
    taken = {*roles.named().values(), *roles.drop}
    columns, text, partly, empty = {}, [], [], []
    for name in table.names:
        if name in taken:
            continue
        numbers = table.numbers(name) if name.strip() else None
        if numbers is None:
            if table.has_decimal_comma(name):
                raise ValueError(
                    f"{table.name} has a decimal comma in column {name!r}; expected a "
                    f"point. Read it with {table.how_to_read_commas(name)} and write it "
                    f"anew, or leave the column out with --drop {name}."
                )
            odd = table.text_among_numbers(name)
            if odd is None:
                text.append(name)
            else:
                partly.append(
                    f"No metric, for it holds text in {odd.n_rows:,} of "
                    f"{len(table):,} rows, first {odd.value!r:.60} in row {odd.row}: "
                    f"{shown(name)}"
                )
        elif np.isnan(numbers).all():
            empty.append(name)
        else:
            columns[name] = numbers
    notes = []
    if text:
        notes.append(f"No metrics, for they hold text: {', '.join(map(shown, text))}")
    notes += partly
    numbering = [shown(name) for name in columns if _is_numbering(columns[name])]
    if numbering:
        notes.append(
            "Numbers of the rows, it seems, yet taken for metrics: "
            f"{', '.join(numbering)}. If so, leave them out with --drop"
        )
    judging = [shown(name) for name in columns if _is_of_judging(name)]
    if judging:
        notes.append(
            "Known only after judging, by their names, yet taken for metrics: "
            f"{', '.join(judging)}. If so, leave them out with --drop"
        )
    if empty:
        notes.append(f"No metrics, for they are empty: {', '.join(map(shown, empty))}")
    return _told(table, columns, notes)


def _is_of_judging(name):
    """Tell whether a column is of the judgements by its name, such as "n_raters"."""
    return not _WORDS_OF_JUDGING.isdisjoint(re.split(r"[^a-z]+", name.lower()))


def _is_numbering(values, at_least=10):
    """Tell whether a column counts the rows, in any order, as an identifier does."""
    if len(values) < at_least or not np.isfinite(values).all():
        return False
    return bool(
        (np.diff(np.sort(values)) == 1).all() and (values == np.rint(values)).all()
    )


def _told(table, columns, notes):
    """Return the metrics, and what is to be said of them."""
    X = pd.DataFrame(columns, index=range(len(table)))
    for name in X:
        rows = np.flatnonzero(np.isinf(X[name].to_numpy()))
        if len(rows):
            raise ValueError(
                f"{table.name} has {X[name].iloc[rows[0]]} in row {rows[0] + 1} of column "
                f"{name!r}; expected finite numbers. Leave the entry empty if the metric "
                "is missing there, or put a large number if it is known to be large."
            )
    n_missing = X.isna().sum()
    constant = [name for name in X if X[name].nunique() == 1 and not n_missing[name]]
    missing = [
        f"{shown(name)} in {count:,} of {len(X):,} rows"
        for name, count in n_missing.items()
        if count
    ]
    told = []
    if X.shape[1]:
        told.append(f"Metrics ({X.shape[1]}): {', '.join(map(shown, X.columns))}")
    if constant:
        told.append(f"The same in all rows: {', '.join(map(shown, constant))}")
    if missing:
        told.append(f"Missing: {', '.join(missing)}")
    return X, [*told, *notes]


def lacking(names, table):
    """Return what a table lacks of a model's columns, as a message, or nothing."""
    missing = [name for name in names if name not in table.names]
    if not missing:
        return ""
    near = [
        nearest(name, [n for n in table.names if n not in names]) for name in missing
    ]
    pairs = [
        f"{name!r} for {other!r}"
        for name, other in zip(near, missing, strict=True)
        if name
    ]
    hint = f" Perhaps {', '.join(pairs)}?" if pairs else ""
    return (
        f"{table.name} lacks {len(missing)} of the {len(names)} columns of the model, "
        f"{listed(missing)}; it has {listed(table.names)}.{hint} Rename or add them."
    )
