"""The training items: what a ranker learns from, judged or synthetic."""

from dataclasses import dataclass, replace

import numpy as np

from sklearn_pscore._target.check import are_comparable, unit_to_hold_out
from sklearn_pscore._target.groups import Groups
from sklearn_pscore._target.votes import PairVotes


@dataclass(frozen=True)
class TrainingItems:
    """Items to learn from, and the judged items that each is made of.

    Subsets share one table of features and copy only positions in it.

    Attributes
    ----------
    table : ndarray of shape (n_rows, n_features), float
        Features, of which the items use some rows.
    row : ndarray of shape (n_items,), int
        Row of `table` that holds the features of each item.
    group : ndarray of shape (n_items,), int
        Code of each item's group.
    preference, weight : ndarray of shape (n_items,), float
    parents : ndarray of shape (n_items, n_parents), int
        Codes of the judged items that an item is made of, padded with -1. A
        judged item has one parent: itself.
    judged : ndarray of shape (n_items,), bool
        False for synthetic items.
    ties : {"ignore", "half"}, default="ignore"
        Whether items of one group and preference are a pair. Rows of one contender,
        which have one parent, never are.
    block_of_group : ndarray of int, or None, default=None
        Code of the block of each group, by the group's code; shared by subsets.
    votes : PairVotes or None, default=None
        Votes between the items. If there are any, these are the pairs, and the
        preferences make none.
    position : ndarray of shape (n_items,), int, or None, default=None
        Where each item was shown, 0 where it is not known. None also for items of which
        some are synthetic.
    """

    table: np.ndarray
    row: np.ndarray
    group: np.ndarray
    preference: np.ndarray
    weight: np.ndarray
    parents: np.ndarray
    judged: np.ndarray
    ties: str = "ignore"
    block_of_group: np.ndarray | None = None
    votes: PairVotes | None = None
    position: np.ndarray | None = None

    @classmethod
    def of(cls, X, **fields):
        """Return items that use each row of `X` once, in order."""
        return cls(table=X, row=np.arange(len(X)), **fields)

    @classmethod
    def from_target(cls, X, target):
        """Return each row as an item that is no donor and has a weight."""
        kept = np.flatnonzero(target.is_counted)
        return cls(
            table=X,
            row=kept,
            group=target.group[kept],
            preference=target.preference[kept],
            weight=target.weight[kept],
            parents=target.items.row_item[kept][:, None],
            judged=np.ones(len(kept), dtype=bool),
            block_of_group=target.block_of_group,
            votes=None if target.votes is None else target.votes.among(kept),
            position=None if target.position is None else target.position[kept],
        )

    @classmethod
    def joined(cls, parts):
        """Return judged items, of other groups in each part, as one.

        Codes of groups, and of contenders, begin anew in each part.
        """
        group, contender = [], []
        n_groups = n_contenders = 0
        for part in parts:
            group.append(part.group + n_groups)
            contender.append(part.parents[:, 0] + n_contenders)
            n_groups += part.group.max(initial=-1) + 1
            n_contenders += part.parents.max(initial=-1) + 1
        table = np.concatenate([part.X for part in parts])
        is_shown = parts[0].position is not None
        return cls.of(
            table,
            group=np.concatenate(group),
            preference=np.concatenate([part.preference for part in parts]),
            weight=np.concatenate([part.weight for part in parts]),
            parents=np.concatenate(contender)[:, None],
            judged=np.ones(len(table), dtype=bool),
            ties=parts[0].ties,
            position=(
                np.concatenate([part.position for part in parts]) if is_shown else None
            ),
        )

    def __len__(self):
        return len(self.group)

    @property
    def X(self):
        """Features of the items, a copy of shape (n_items, n_features)."""
        return self.table[self.row]

    def take(self, rows):
        """Return some of the items, by mask or position."""
        shared = ("table", "ties", "block_of_group", "votes")
        fields = set(self.__dataclass_fields__) - set(shared)
        columns = {field: getattr(self, field) for field in fields}
        taken = {name: each[rows] for name, each in columns.items() if each is not None}
        if self.votes is not None:
            taken["votes"] = self.votes.among(np.arange(len(self))[rows])
        return replace(self, **taken)

    def comparable(self):
        """Drop items that are in no pair, see :func:`are_comparable`."""
        if self.votes is not None:
            return self._in_a_vote()
        # Where ties count, any two contenders are a pair.
        value = self.parents[:, 0] if self.ties == "half" else self.preference
        return self.take(are_comparable(self.group, value, self.weight))

    def _in_a_vote(self):
        """Drop items without a vote that counts, and the votes that do not."""
        votes = self.votes
        n_votes = votes.wins + votes.losses
        if self.ties != "ignore":
            n_votes = n_votes + votes.ties
        n_votes = n_votes * self.weight[votes.first] * self.weight[votes.second]
        is_inside = self.group[votes.first] == self.group[votes.second]
        votes = votes.of((n_votes > 0) & is_inside)
        in_a_pair = np.zeros(len(self), dtype=bool)
        in_a_pair[votes.first] = in_a_pair[votes.second] = True
        return replace(self, votes=votes).take(in_a_pair)

    def target(self):
        """Return the items' target, groups by their codes; every row is an item."""
        return Groups.from_arrays(
            group=self.group,
            preference=self.preference,
            weight=self.weight,
            block=self.block,
            position=self.position,
        )

    @property
    def block(self):
        """Code of each item's block; None without blocks."""
        if self.block_of_group is None:
            return None
        return self.block_of_group[self.group]

    @property
    def unit(self):
        """Code of what is held out together, see :func:`unit_to_hold_out`."""
        return unit_to_hold_out(self.group, self.block)

    @property
    def n_groups(self):
        return len(np.unique(self.group))
