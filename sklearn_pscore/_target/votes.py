"""Votes in a target: who met whom, and how often each was preferred."""

from dataclasses import dataclass

import numpy as np

VOTE_FIELDS = ("row", "rival", "wins", "ties", "votes")
"""Fields that a target of votes has, all of them or none."""

FIRST_FIELDS = ("first_wins", "first_ties", "first_votes")
"""Of these, where the row was shown first; all of them or none."""

_MOST_BYTES = 2 * 2**30

NO_RIVAL = -1
"""Row number where a record has fewer pairs than the record with the most."""


@dataclass(frozen=True)
class PairVotes:
    """Votes of pairs, each pair once.

    Attributes
    ----------
    first, second : ndarray of shape (n_pairs,), int
        Positions of the two rows, or items, of each pair.
    wins, losses, ties : ndarray of shape (n_pairs,), float
        How often, or with what weight, people preferred the first, the second, and
        neither.
    side : ndarray of shape (n_pairs,), float, or None, default=None
        1 where the first was shown first, -1 where the second was; a pair is then there
        up to twice. None if that is not known.
    """

    first: np.ndarray
    second: np.ndarray
    wins: np.ndarray
    losses: np.ndarray
    ties: np.ndarray
    side: np.ndarray | None = None

    def __len__(self):
        return len(self.first)

    @property
    def votes(self):
        """Votes of each pair, ties included."""
        return self.wins + self.losses + self.ties

    @property
    def n_pairs(self):
        """Number of different pairs."""
        return len(np.unique(self._keys)) if self.side is not None else len(self)

    @property
    def _keys(self):
        """One number for each pair, whichever of the two is the first."""
        lower, upper = (
            end(self.first, self.second) for end in (np.minimum, np.maximum)
        )
        return lower * (upper.max(initial=0) + 1) + upper

    def of(self, pairs):
        """Return some of the pairs, by mask or position."""
        return PairVotes(
            *(None if each is None else each[pairs] for each in vars(self).values())
        )

    def among(self, positions):
        """Return the pairs of some of the rows, which are numbered anew.

        Parameters
        ----------
        positions : ndarray of int
            Rows that are kept, in the order of their new numbers; one that is there
            twice makes its pairs twice.

        Returns
        -------
        votes : PairVotes
        """
        ends = (rows.max(initial=-1) for rows in (self.first, self.second, positions))
        order = np.argsort(positions, kind="stable")
        count = np.bincount(positions, minlength=max(ends) + 1)
        start = np.cumsum(count) - count
        n_copies = count[self.first] * count[self.second]
        kept = self.of(n_copies > 0)
        n_copies = n_copies[n_copies > 0]
        copied = kept.of(np.repeat(np.arange(len(kept)), n_copies))
        number = np.arange(len(copied)) - np.repeat(
            np.cumsum(n_copies) - n_copies, n_copies
        )
        n_second = count[copied.second]
        return PairVotes(
            order[start[copied.first] + number // np.maximum(n_second, 1)],
            order[start[copied.second] + number % np.maximum(n_second, 1)],
            copied.wins,
            copied.losses,
            copied.ties,
            copied.side,
        )


def as_row_numbers(values, field):
    """Return row numbers as int64; -1 in `rival` is no rival."""
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"{field} has dtype {array.dtype}; expected row numbers. Build the target "
            "with Groups.from_votes."
        )
    return array.astype(np.int64)


def as_counts(values, field):
    """Return numbers of votes as float64; refuse negative and non-finite ones."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise TypeError(
            f"{field} has dtype {array.dtype}; expected numbers of votes. Build the "
            "target with Groups.from_votes."
        )
    array = array.astype(np.float64)
    if not np.all(np.isfinite(array) & (array >= 0)):
        raise ValueError(
            f"{field} holds {array[~(np.isfinite(array) & (array >= 0))][0]}; expected "
            "numbers >= 0. Build the target with Groups.from_votes."
        )
    return array


def padded_records(votes, n_rows, shown_first=None):
    """Return the votes as fields of records, each pair at one of its two rows.

    A pair is kept at the row that has fewer pairs, so that the longest record is
    short: the memory of all is that of the longest.

    Parameters
    ----------
    votes : PairVotes
        Of rows, each pair once.
    n_rows : int
    shown_first : PairVotes or None, default=None
        Of the same pairs, the votes in which the first was shown first. None keeps no
        order.

    Returns
    -------
    fields : dict of str to ndarray
        `row` of shape (n_rows,), and `rival`, `wins`, `ties` and `votes` of shape
        (n_rows, K), K the most pairs of a record and at least 1; with `shown_first`
        the `FIRST_FIELDS`, too.
    """
    n_pairs = np.bincount(votes.first, minlength=n_rows)
    n_pairs += np.bincount(votes.second, minlength=n_rows)
    difference = n_pairs[votes.first] - n_pairs[votes.second]
    # Of two with as many, each keeps about half of the pairs.
    is_odd = (votes.first + votes.second) % 2 == 1
    keeps_first = (difference < 0) | ((difference == 0) & is_odd)
    keeper = np.where(keeps_first, votes.first, votes.second)
    rival = np.where(keeps_first, votes.second, votes.first)
    wins = np.where(keeps_first, votes.wins, votes.losses)
    columns = {"rival": rival, "wins": wins, "ties": votes.ties, "votes": votes.votes}
    if shown_first is not None:
        # The second was shown first in all other votes.
        for field, of_first, of_second in (
            ("first_wins", shown_first.wins, votes.losses - shown_first.losses),
            ("first_ties", shown_first.ties, votes.ties - shown_first.ties),
            ("first_votes", shown_first.votes, votes.votes - shown_first.votes),
        ):
            columns[field] = np.where(keeps_first, of_first, of_second)
    order = np.lexsort((rival, keeper))
    size = np.bincount(keeper, minlength=n_rows)
    place = np.arange(len(order)) - np.repeat(np.cumsum(size) - size, size)
    shape = n_rows, int(size.max(initial=1))
    n_bytes = 8 * len(columns) * shape[0] * shape[1]
    if n_bytes > _MOST_BYTES:
        raise ValueError(
            f"items has a row that met {n_pairs.max()} others, so that the target of "
            f"{n_rows} rows would take {n_bytes / 2**30:.1f} GB; expected at most "
            f"{_MOST_BYTES / 2**30:g}. Name smaller groups by on=, or leave out votes for "
            "items that met too many."
        )
    fields = {"row": np.arange(n_rows)}
    for field, values in columns.items():
        empty = NO_RIVAL if field == "rival" else 0.0
        fields[field] = np.full(shape, empty, dtype=values.dtype)
        fields[field][keeper[order], place] = values[order]
    return fields


def pairs_of_records(fields, name):
    """Return the votes between the rows that are there, and those that are lost.

    Parameters
    ----------
    fields : dict of str to ndarray
        As :func:`padded_records` returns them, of some of the rows.
    name : str
        Name of the target, for the messages.

    Returns
    -------
    votes : PairVotes
    n_lost : float
        Votes of the pairs whose other row is not there.

    Raises
    ------
    ValueError
        If the numbers of votes do not fit together.
    """
    row, rival = fields["row"], fields["rival"]
    first, place = np.nonzero(rival != NO_RIVAL)
    wins, losses, ties = _results(fields, VOTE_FIELDS[2:], first, place, name)
    order = np.argsort(row, kind="stable")
    in_order = row[order]
    wanted = rival[first, place]
    start = np.searchsorted(in_order, wanted, side="left")
    n_copies = np.searchsorted(in_order, wanted, side="right") - start
    n_lost = float(np.sum((wins + losses + ties)[n_copies == 0]))
    pair = np.repeat(np.arange(len(first)), n_copies)
    number = np.arange(len(pair)) - np.repeat(np.cumsum(n_copies) - n_copies, n_copies)
    second = order[start[pair] + number]
    votes = PairVotes(first[pair], second, wins[pair], losses[pair], ties[pair])
    if FIRST_FIELDS[0] not in fields:
        return votes, n_lost
    shown = [
        count[pair] for count in _results(fields, FIRST_FIELDS, first, place, name)
    ]
    counts = votes.wins, votes.losses, votes.ties
    rest = [np.maximum(c - s, 0.0) for c, s in zip(counts, shown, strict=True)]
    ends = [np.tile(end, 2) for end in (votes.first, second)]
    both = [np.concatenate(parts) for parts in zip(shown, rest, strict=True)]
    side = np.repeat([1.0, -1.0], len(votes))
    sided = PairVotes(*ends, *both, side)
    return sided.of(sided.votes > 0), n_lost


def _results(fields, names, first, place, name):
    """Return wins, losses and ties of the pairs that records hold."""
    wins, ties, total = (fields[field][first, place] for field in names)
    losses = total - wins - ties
    # Sums of weights may be off by rounding.
    if np.any(losses < -1e-9 * np.maximum(total, 1.0)):
        worst = np.argmin(losses)
        raise ValueError(
            f"{name} has {wins[worst]:g} wins and {ties[worst]:g} ties of "
            f"{total[worst]:g} votes at row {first[worst]}; expected at most as many as "
            "votes. Build the target with Groups.from_votes."
        )
    return wins, np.maximum(losses, 0.0), ties


def number_copies(fields, copy):
    """Number the rows of a target on where groups are there several times, in place.

    A vote is then one of the two rows of the same copy.

    Parameters
    ----------
    fields : dict of str to ndarray of shape (n_rows, ...)
    copy : ndarray of shape (n_rows,), int
        Number of the copy of its group that each row is of.
    """
    if "row" not in fields:
        return
    row, rival = fields["row"], fields["rival"]
    first = copy * (1 + max(row.max(initial=-1), rival.max(initial=-1)))
    fields["row"] = row + first
    fields["rival"] = np.where(rival == NO_RIVAL, NO_RIVAL, rival + first[:, None])


def join_records(sources):
    """Number the rows of several targets of votes on, in place, and pad their records.

    Parameters
    ----------
    sources : dict of str to dict of str to ndarray
        Fields of each target, by its name.

    Raises
    ------
    ValueError
        If a target has no votes.
    """
    lacking = [name for name, fields in sources.items() if "row" not in fields]
    if lacking:
        raise ValueError(
            f"Groups.concat got target {lacking[0]!r} without votes beside one of votes; "
            "expected either, for a vote and a preference are no pair of one loss. Build "
            "it with Groups.from_votes, or leave its rows out."
        )
    n_most = max(fields["rival"].shape[1] for fields in sources.values())
    first_row = 0
    knows_order = all(FIRST_FIELDS[0] in fields for fields in sources.values())
    for fields in sources.values():
        # Numbers from 0 on, though some rows may have been left out.
        rival, n_lacking = fields["rival"], n_most - fields["rival"].shape[1]
        is_rival = rival != NO_RIVAL
        n_rows = 1 + max(fields["row"].max(initial=-1), rival.max(initial=-1))
        padding = ((0, 0), (0, n_lacking))
        fields["row"] = fields["row"] + first_row
        rival = np.where(is_rival, rival + first_row, NO_RIVAL)
        fields["rival"] = np.pad(rival, padding, constant_values=NO_RIVAL)
        for field in VOTE_FIELDS[2:]:
            fields[field] = np.pad(fields[field], padding)
        # Votes of an unknown order beside others: the order is not known.
        for field in FIRST_FIELDS:
            if not knows_order:
                fields.pop(field, None)
            else:
                fields[field] = np.pad(fields[field], padding)
        first_row += n_rows
