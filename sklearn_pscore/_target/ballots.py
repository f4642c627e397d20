"""Raw votes: who was shown beside whom, and which of the two was preferred."""

from dataclasses import dataclass
from numbers import Real

import numpy as np

from sklearn_pscore._target.columns import as_column, kind_of
from sklearn_pscore._target.fields import as_labels, as_weight
from sklearn_pscore._target.item_tables import (
    ItemTable,
    check_columns,
    check_option,
    number_alike,
    told_of,
)
from sklearn_pscore._target.labels import number_labels
from sklearn_pscore._target.vote_strengths import strengths_in_groups
from sklearn_pscore._target.votes import PairVotes, padded_records
from sklearn_pscore._warn import warn_user

LEFT, TIE, RIGHT = 1.0, 0.5, 0.0
"""What a vote is worth to the item shown on the left."""

_RESULTS = {"left": LEFT, "right": RIGHT, "tie": TIE}
_KNOWN = {
    **_RESULTS,
    "model_a": LEFT,
    "model_b": RIGHT,
    "tie (bothbad)": TIE,
    "both_bad": TIE,
    "bothbad": TIE,
    "draw": TIE,
}
"""Outcomes as arenas write them."""


_HEAVIEST = 1e9
"""Weight that a vote has at most, and its inverse at least: sums keep nine digits."""


@dataclass(frozen=True)
class Ballots:
    """Votes that count, and the rows of items that they are about.

    Attributes
    ----------
    rows : ItemTable
    first, second : ndarray of shape (n_votes,), int
        Rows of the items on the left and on the right.
    value : ndarray of shape (n_votes,), float
        What the vote is worth to the left one: 1, .5 or 0.
    weight : ndarray of shape (n_votes,), float
    annotator : ndarray of shape (n_votes,) or None
        Labels of who voted.
    """

    rows: ItemTable
    first: np.ndarray
    second: np.ndarray
    value: np.ndarray
    weight: np.ndarray
    annotator: np.ndarray | None

    @property
    def group(self):
        """Code of the group of each row of items."""
        if self.rows.keys:
            return self.rows.group_codes()
        return np.zeros(self.rows.n_rows, dtype=np.int64)


def vote_fields(votes, items, *, order, **columns):
    """Return the fields of a target of votes, see ``Groups.from_votes``.

    Parameters
    ----------
    votes, items : DataFrame or dict of str to array-like
    order : bool
    **columns
        The other arguments.

    Returns
    -------
    fields : dict of str to ndarray
    """
    if not isinstance(order, (bool, np.bool_)):
        raise TypeError(
            f"order is {order!r}; expected a bool: whether to keep who was shown first. "
            "Pass order=True or order=False."
        )
    ballots = read_ballots(votes, items, "Groups.from_votes", **columns)
    rows = ballots.rows
    pairs, shown_first = _by_pair(
        ballots.first, ballots.second, ballots.value, ballots.weight
    )
    records = padded_records(pairs, rows.n_rows, shown_first if order else None)
    return {
        "group": rows.group_labels() if rows.keys else ballots.group,
        "preference": strengths_in_groups(pairs, ballots.group),
        "item": rows.item,
        "block": rows.others["block"],
        **records,
    }


def read_ballots(
    votes,
    items,
    caller,
    *,
    on=("prompt",),
    item="system",
    left="left",
    right="right",
    winner="winner",
    annotator=None,
    weight=None,
    outcomes=None,
    missing="raise",
    block=None,
):
    """Return the votes of two tables that count, at least one.

    Parameters
    ----------
    votes, items, on, item, left, right, winner, annotator, weight, outcomes, missing, \
block
        As in ``Groups.from_votes``.
    caller : str
        For the messages.

    Returns
    -------
    ballots : Ballots
    """
    check_option(missing, "missing", ("raise", "drop"))
    rows, sides = _read(
        votes, items, on, item, left, right, winner, annotator, weight, block
    )
    _check_items(rows)
    code, of_code = _rows_by_code(sides, rows, left, right)
    _check_sides(sides, code, left, right)
    is_known = _known(sides, rows, code, of_code, missing, left, right, caller)
    value = _values(sides, winner, outcomes, left, right)
    amount = sides["weight"] * (is_known & ~np.isnan(value))
    kept = amount > 0
    if not kept.any():
        raise ValueError(
            f"votes has {len(value)} rows, of which none counts; expected at least one "
            "vote between two rows of items. Check the outcomes, the weights and the "
            "labels of both tables."
        )
    people = sides["annotator"]
    return Ballots(
        rows=rows,
        first=of_code[code[left][kept]],
        second=of_code[code[right][kept]],
        value=value[kept],
        weight=amount[kept],
        annotator=None if people is None else people[kept],
    )


def _read(votes, items, on, item, left, right, winner, annotator, weight, block):
    """Return the table of the items, and the columns of the votes.

    Returns
    -------
    rows : ItemTable
    ballots : dict
        The sides by their columns, each an ItemTable; "winner" as it came; "weight" of
        shape (n_votes,).
    """
    on = () if isinstance(on, tuple) and not on else check_columns(on)
    named = {"item": item, "left": left, "right": right, "winner": winner}
    for argument, name in named.items():
        if not isinstance(name, str):
            raise TypeError(
                f"{argument} is {kind_of(name)}; expected the name of a column. Pass "
                f'for example {argument}="{argument}".'
            )
    if len({left, right, winner}) < 3:
        raise ValueError(
            f"left={left!r}, right={right!r} and winner={winner!r} are not three columns; "
            "expected a column each. Pass their names."
        )
    rows = ItemTable.of(items, on, item, "items", block=block)
    if not rows.n_rows:
        raise ValueError(
            "items is empty; expected one row per row of X. Check how it was read."
        )
    ballots = {}
    others = {"winner": winner, "weight": weight, "annotator": annotator}
    for argument, side in (("left", left), ("right", right)):
        ballots[side] = ItemTable.of(
            votes, on, side, "votes", item_argument=argument, **others
        )
        others = {}
    extra = ballots[left].others
    n_votes = ballots[left].n_rows
    if not n_votes:
        raise ValueError(
            "votes is empty; expected one row per vote. Check how it was read."
        )
    # A vote of nobody is one that was not read as it was written.
    ballots["winner"] = extra["winner"]
    ballots["annotator"] = None
    ballots["weight"] = np.ones(n_votes)
    with told_of("votes"):
        if annotator is not None:
            ballots["annotator"] = as_labels(extra["annotator"], annotator)
        if weight is not None:
            ballots["weight"] = as_weight(extra["weight"], weight)
    if weight is not None:
        _check_weight(ballots["weight"], weight)
    return rows, ballots


def _check_weight(amount, weight):
    """Raise ValueError for weights of votes beyond what sums can hold."""
    bad = np.flatnonzero(
        (amount > 0) & ((amount < 1 / _HEAVIEST) | (amount > _HEAVIEST))
    )
    if len(bad):
        raise ValueError(
            f"{weight} is {amount[bad[0]]} at row {bad[0]} of votes; expected 0, or from "
            f"{1 / _HEAVIEST:g} to {_HEAVIEST:g}, for one is a vote. Divide all by their "
            "mean."
        )


def _rows_by_code(ballots, rows, left, right):
    """Return the code of each side of each vote, and the row of items of each code.

    The row of a code that no item has is -1.
    """
    sides = [ballots[left], ballots[right]]
    both = ItemTable(
        {
            key: np.concatenate([side.keys[key] for side in sides])
            for key in sides[0].keys
        },
        np.concatenate([side.item for side in sides]),
        {},
    )
    codes, row_code = number_alike(both, rows, "votes")
    of_code = np.full(max(codes.max(), row_code.max()) + 1, -1)
    of_code[row_code] = np.arange(rows.n_rows)
    return dict(zip((left, right), np.split(codes, 2), strict=True)), of_code


def _known(ballots, rows, code, of_code, missing, left, right, caller):
    """Tell which votes are of two items that are there; raise, or warn, of others."""
    is_there = {side: of_code[code[side]] >= 0 for side in (left, right)}
    is_known = is_there[left] & is_there[right]
    unknown = np.flatnonzero(~is_known)
    if not len(unknown):
        return is_known
    row = unknown[0]
    side = left if not is_there[left][row] else right
    what = (
        f"{len(unknown)} of {len(is_known)} votes are of an item that items does not "
        f"have, the first at row {row}: {ballots[side].describe(row)}"
    )
    if missing == "raise":
        raise ValueError(
            f"{what}; expected a row of items, with metrics in X, for each. Add it, or "
            'pass missing="drop" to leave these votes out.'
        )
    warn_user(f"{caller} leaves out votes: {what}.")
    return is_known


def _check_items(rows):
    """Raise ValueError if two rows of items are of one group and item."""
    codes = rows.item_codes()
    order = np.argsort(codes, kind="stable")
    again = np.flatnonzero(codes[order][1:] == codes[order][:-1])
    if len(again):
        row, other = order[again[0] + 1], order[again[0]]
        raise ValueError(
            f"items has {rows.describe(row)} at row {other} and at row {row}; expected "
            "each item of a group once, for a vote is about one row. Average its rows "
            "first, in X too."
        )


def _check_sides(ballots, code, left, right):
    """Raise ValueError if an item was compared with itself."""
    same = np.flatnonzero(code[left] == code[right])
    if len(same):
        raise ValueError(
            f"votes has the same item on both sides in {len(same)} rows, the first at "
            f"row {same[0]}: {ballots[left].describe(same[0])}; expected two different "
            f"items in {left} and {right}. Drop these rows."
        )


def _by_pair(first, second, value, amount):
    """Return the sums of votes of each pair, the lower row first.

    Returns
    -------
    votes : PairVotes
    shown_first : PairVotes
        Of these, the votes in which the lower row was on the left.
    """
    lower, upper = np.minimum(first, second), np.maximum(first, second)
    on_left = first < second
    value = np.where(on_left, value, 1.0 - value)
    n_rows = int(upper.max()) + 1
    keys, pair = np.unique(lower * n_rows + upper, return_inverse=True)
    # Weights in ascending order: the order of the votes would show in the last bit.
    order = np.lexsort((amount, pair))
    pair, value, amount, on_left = (
        column[order] for column in (pair, value, amount, on_left)
    )
    ends = keys // n_rows, keys % n_rows

    def summed(amount):
        results = (amount * (value == result) for result in (LEFT, RIGHT, TIE))
        counts = (np.bincount(pair, each, minlength=len(keys)) for each in results)
        return PairVotes(*ends, *counts)

    return summed(amount), summed(amount * on_left)


def _values(ballots, winner, outcomes, left, right):
    """Return what each vote is worth to the left item, NaN if it does not count."""
    column = as_column(ballots["winner"], winner)
    names = [ballots[side].item for side in (left, right)]
    if outcomes is not None:
        return _mapped(column, winner, outcomes)
    given = column.tolist()
    is_text = [isinstance(value, str) for value in given]
    if any(is_text):
        if not all(is_text):
            given = [_as_text(value) for value in given]
        with told_of("votes"):
            column = as_labels(column if column.dtype.kind == "U" else given, winner)
        if names[0].dtype.kind != "U":
            return _named_by_number(column, winner, names)
        return _named(column, winner, names, _KNOWN)
    column = _numbers(column, winner)
    is_code = np.isin(column, (LEFT, TIE, RIGHT))
    if names[0].dtype.kind == "U":
        _check_known(is_code, column, winner, names)
        return column
    is_name = (column == names[0]) | (column == names[1])
    # No item is half a number.
    says_something = is_name | (column == TIE)
    if says_something.all() and is_code.all() and is_name.any():
        raise ValueError(
            f"{winner} holds 0, .5 and 1 only, and these are items too; expected outcomes "
            "that are no items. Say what they mean, for example with "
            'outcomes={1: "left", 0: "right"}.'
        )
    if is_code.all():
        return column
    _check_known(says_something if is_name.any() else is_code, column, winner, names)
    return np.where(column == names[0], LEFT, np.where(is_name, RIGHT, TIE))


def _numbers(column, winner):
    """Return outcomes as floats; refuse missing ones."""
    try:
        numbers = column.astype(np.float64)
    except (TypeError, ValueError):
        numbers = np.array([_number(v, row, winner) for row, v in enumerate(column)])
    missing = np.flatnonzero(np.isnan(numbers))
    if len(missing):
        raise ValueError(
            f"{winner} is missing in {len(missing)} of {len(numbers)} rows of votes, the "
            f"first is row {missing[0]}; expected an outcome in each. Drop them, for "
            f"example with votes.dropna(subset={[winner]!r})."
        )
    return numbers


def _number(value, row, winner):
    """Return an outcome as a float, NaN if it is missing."""
    if isinstance(value, Real):
        return float(value)
    # Of a list there is no comparison.
    if isinstance(value, (list, tuple, dict, np.ndarray)) or not _is_none(value):
        raise TypeError(
            f"{winner} is {value!r:.60} at row {row} of votes; expected an item, a word or "
            'a number. Say what it means, for example with outcomes={"A": "left"}.'
        )
    return np.nan


def _is_none(value):
    return value is None or type(value).__name__ == "NAType" or value != value


def _as_text(value):
    """Return an outcome of a column that mixes words and numbers as text."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or value != value:
        return value
    return str(int(value)) if value == value // 1 else str(value)


def _named_by_number(column, winner, names):
    """Return the worth of words, or of items whose names are numbers, as text."""
    distinct, codes = number_labels(column)
    worth = np.array([_KNOWN.get(word.lower(), np.nan) for word in distinct.tolist()])
    value = worth[codes]
    is_number = np.isnan(value)
    is_left = is_number & (column == names[0].astype(str))
    is_right = is_number & (column == names[1].astype(str))
    is_named = is_left | is_right
    if is_named.any() and np.isin(column[is_number], ("0", "1")).all():
        raise ValueError(
            f"{winner} holds no numbers but 0 and 1, and these are items too; expected "
            "outcomes that are no items. Say what they mean, for example with "
            'outcomes={"1": "left", "0": "right", "tie": "tie"}.'
        )
    value = np.where(is_left, LEFT, np.where(is_right, RIGHT, value))
    _check_known(~np.isnan(value), column, winner, names)
    return value


def _named(column, winner, names, known):
    """Return the worth of outcomes that are items, or words of `known`."""
    distinct, codes = number_labels(column)
    words = distinct.tolist()
    worth = np.array([known.get(word.lower(), np.nan) for word in words])
    items = set(np.unique(np.concatenate(names)).tolist())
    both = [word for word in words if word in items and word.lower() in known]
    if both:
        raise ValueError(
            f"{winner} holds {both[0]!r}, which is an item and a word for the outcome; "
            "expected one of the two. Say what it means, for example with "
            f'outcomes={{{both[0]!r}: "left"}}, or rename the item.'
        )
    value = worth[codes]
    is_left, is_right = column == names[0], column == names[1]
    value = np.where(is_left, LEFT, np.where(is_right, RIGHT, value))
    _check_known(~np.isnan(value), column, winner, names)
    return value


def _check_known(is_known, column, winner, names):
    """Raise ValueError at the first outcome that says nothing about the two items."""
    bad = np.flatnonzero(~is_known)
    if len(bad):
        row = bad[0]
        shown = (
            column[row].item() if isinstance(column[row], np.generic) else column[row]
        )
        sides = ""
        if names is not None:
            sides = f" {str(names[0][row])!r}, {str(names[1][row])!r}, or"
        raise ValueError(
            f"{winner} is {shown!r} at row {row} of votes, and in {len(bad)} rows it is "
            f"unknown; expected{sides} one of {sorted(_KNOWN)}, 1, 0 and .5. Say what it "
            f'means, for example with outcomes={{{shown!r}: "left"}}; None is a vote that '
            "does not count."
        )


def _mapped(column, winner, outcomes):
    """Return the worth of outcomes by a mapping of the user's."""
    if not isinstance(outcomes, dict):
        raise TypeError(
            f"outcomes is {kind_of(outcomes)}; expected a dict from each outcome to "
            '"left", "right", "tie" or None. Pass for example {"A": "left"}.'
        )
    worth = {}
    for outcome, result in outcomes.items():
        if result is not None and result not in _RESULTS:
            raise ValueError(
                f"outcomes maps {outcome!r} to {result!r}; expected one of "
                f"{list(_RESULTS)}, or None for a vote that does not count."
            )
        key = None if _is_none(outcome) else outcome
        worth[key] = np.nan if result is None else _RESULTS[result]
    values = [None if _is_none(value) else value for value in column.tolist()]
    unknown = [row for row, value in enumerate(values) if not _is_in(value, worth)]
    if unknown:
        row = unknown[0]
        raise ValueError(
            f"{winner} is {values[row]!r} at row {row} of votes, and in {len(unknown)} "
            f"rows it is not in outcomes; expected one of {list(worth)}. Add it."
        )
    return np.array([worth[value] for value in values], dtype=np.float64)


def _is_in(value, mapping):
    try:
        return value in mapping
    except TypeError:
        return False
