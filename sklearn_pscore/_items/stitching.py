"""Stitched and injected items, section 4.3 of the paper."""

from dataclasses import dataclass, replace
from itertools import combinations, permutations
from math import comb, perm

import numpy as np

from sklearn_pscore._items.training_items import TrainingItems

# Up to this many times the number wanted, all orders are listed and drawn from;
# beyond, a draw seldom repeats and the rare repeats are thrown away.
_LISTED_PER_DRAWN = 4


@dataclass(frozen=True)
class Contenders:
    """Rows merged to one item per (group, item), donors included.

    Attributes
    ----------
    X : ndarray of shape (n_items, n_features)
        Means over the rows of each item.
    group : ndarray of shape (n_items,), int
    preference, weight : ndarray of shape (n_items,)
    donor : ndarray of shape (n_items,), bool
    first_row : ndarray of shape (n_items,), int
        A row of each item, for its labels.
    row_item : ndarray of shape (n_rows,), int
        Item of each row.
    """

    X: np.ndarray
    group: np.ndarray
    preference: np.ndarray
    weight: np.ndarray
    donor: np.ndarray
    first_row: np.ndarray
    row_item: np.ndarray

    @classmethod
    def from_rows(cls, X, target):
        """Merge the rows of `X` as `target` says."""
        item = np.arange(target.n_rows) if target.item is None else target.item
        keys = np.stack([target.group, item, target.donor], axis=1)
        _, first_row, row_item, n_rows = np.unique(
            keys, axis=0, return_index=True, return_inverse=True, return_counts=True
        )
        row_item = row_item.ravel()
        means = np.zeros((len(first_row), X.shape[1]))
        np.add.at(means, row_item, X)
        return cls(
            X=means / n_rows[:, None],
            group=target.group[first_row],
            preference=target.preference[first_row],
            weight=np.bincount(row_item, target.weight) / n_rows,
            donor=target.donor[first_row],
            first_row=first_row,
            row_item=row_item,
        )


def make_training_items(
    X,
    target,
    *,
    stitch_sizes,
    max_stitched,
    stitch_penalty,
    stitched_preference,
    n_injected,
    injected_penalty,
    rng,
):
    """Return the item means, and the stitched and injected items made of them.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features), float
    target : RankingTarget
        With a preference in every row.
    stitch_sizes : sequence of int
        Numbers of parts of stitched items.
    max_stitched : int or None
        Stitched items per group and size; None makes all.
    stitch_penalty : float
        A stitched item of size k loses this times k.
    stitched_preference : {"max", "mean"}
        What it has before, of the preferences of its parts.
    n_injected : int or None
        Injected items per group; None injects all there are.
    injected_penalty : float
        An injected item loses this.
    rng : RandomState

    Returns
    -------
    items : TrainingItems
    contenders : Contenders
        What the codes in ``items.parents`` point to.
    """
    contenders = Contenders.from_rows(X, target)
    own = np.flatnonzero(~contenders.donor)
    parts = [_judged(contenders, own)]
    clips = _Clips.from_rows(X, target, contenders) if target.clip is not None else None
    ends = np.flatnonzero(np.diff(contenders.group[own])) + 1
    by_group = np.split(own, ends) if len(own) else []
    of_parts = {"max": np.max, "mean": np.mean}[stitched_preference]
    for members in by_group:
        for size in stitch_sizes:
            stitched = _stitched(contenders, clips, members, size, max_stitched, rng)
            liked = contenders.preference[stitched.parents]
            preference = of_parts(liked, axis=1) - stitch_penalty * size
            parts.append(replace(stitched, preference=preference))
    donors = np.flatnonzero(contenders.donor) if contenders.donor.any() else own
    for members in by_group:
        parts.append(
            _injected(contenders, donors, members, n_injected, injected_penalty, rng)
        )
    return _concatenated(parts), contenders


def draw_orders(n_items, size, n_drawn, ordered, rng):
    """Draw different orders of different items, without listing them all.

    Parameters
    ----------
    n_items, size : int
        Items to draw from, and parts of one order.
    n_drawn : int or None
        Orders to draw; None, or more than there are, gives all.
    ordered : bool
        Whether two orders of the same items are different.
    rng : RandomState

    Returns
    -------
    orders : ndarray of shape (n_drawn, size), int
    """
    if size > n_items:
        return np.empty((0, size), dtype=np.int64)
    n_all = perm(n_items, size) if ordered else comb(n_items, size)
    if n_drawn is None or n_all <= _LISTED_PER_DRAWN * n_drawn:
        listing = (permutations if ordered else combinations)(range(n_items), size)
        orders = np.array(list(listing), dtype=np.int64).reshape(-1, size)
        if n_drawn is None or n_all <= n_drawn:
            return orders
        return orders[np.sort(rng.choice(n_all, n_drawn, replace=False))]
    orders = np.empty((0, size), dtype=np.int64)
    while len(orders) < n_drawn:
        drawn = _random_orders(n_items, size, n_drawn, rng)
        orders = np.concatenate([orders, drawn if ordered else np.sort(drawn, axis=1)])
        # Keep the first of equal rows, in the order they were drawn in.
        first = np.unique(orders, axis=0, return_index=True)[1]
        orders = orders[np.sort(first)]
    return orders[:n_drawn]


def _random_orders(n_items, size, n_drawn, rng):
    """Draw uniform orders of different items, repeated orders allowed."""
    orders = np.empty((n_drawn, size), dtype=np.int64)
    for place in range(size):
        # Draw among those not taken yet, then step over the taken ones.
        drawn = rng.randint(0, n_items - place, size=n_drawn)
        for taken in np.sort(orders[:, :place], axis=1).T:
            drawn += drawn >= taken
        orders[:, place] = drawn
    return orders


@dataclass(frozen=True)
class _Clips:
    """Sums of rows over clips, from which runs of clips are averaged."""

    X: np.ndarray
    clip: np.ndarray
    row_item: np.ndarray
    order: np.ndarray
    starts: np.ndarray

    @classmethod
    def from_rows(cls, X, target, contenders):
        order = np.argsort(contenders.row_item, kind="stable")
        n_items = len(contenders.group)
        starts = np.searchsorted(contenders.row_item[order], np.arange(n_items + 1))
        return cls(X, target.clip, contenders.row_item, order, starts)

    def run_sums(self, members, n_runs):
        """Return sums, (n_members, n_runs, n_features), and row counts of runs."""
        rows = [self.order[self.starts[m] : self.starts[m + 1]] for m in members]
        place = np.repeat(np.arange(len(members)), [len(own) for own in rows])
        rows = np.concatenate(rows)
        clips, position = np.unique(self.clip[rows], return_inverse=True)
        run_of_clip = np.concatenate(
            [
                np.full(len(run), number)
                for number, run in enumerate(np.array_split(clips, n_runs))
            ]
        )
        run = run_of_clip[position]
        sums = np.zeros((len(members), n_runs, self.X.shape[1]))
        np.add.at(sums, (place, run), self.X[rows])
        counts = np.zeros((len(members), n_runs))
        np.add.at(counts, (place, run), 1.0)
        return sums, counts


def _judged(contenders, own):
    return TrainingItems.of(
        X=contenders.X[own],
        group=contenders.group[own],
        preference=contenders.preference[own],
        weight=contenders.weight[own],
        parents=own[:, None],
        judged=np.ones(len(own), dtype=bool),
    )


def _stitched(contenders, clips, members, size, max_stitched, rng):
    orders = draw_orders(len(members), size, max_stitched, clips is not None, rng)
    if clips is None:
        X = contenders.X[members][orders].mean(axis=1)
    else:
        sums, counts = clips.run_sums(members, size)
        runs = np.arange(size)
        # A part whose item has no clip in its run cannot be stitched.
        orders = orders[(counts[orders, runs] > 0).all(axis=1)]
        n_rows = counts[orders, runs].sum(axis=1, keepdims=True)
        X = sums[orders, runs].sum(axis=1) / n_rows
    parents = members[orders]
    return TrainingItems.of(
        X=X,
        group=np.full(len(orders), contenders.group[members[0]]),
        preference=np.zeros(len(orders)),
        weight=contenders.weight[parents].mean(axis=1),
        parents=parents,
        judged=np.zeros(len(orders), dtype=bool),
    )


def _injected(contenders, donors, members, n_injected, penalty, rng):
    group = contenders.group[members[0]]
    strangers = donors[contenders.group[donors] != group]
    if n_injected is not None and n_injected < len(strangers):
        strangers = np.sort(rng.choice(strangers, n_injected, replace=False))
    # Donor rows are nobody's competitors, so nothing is leaked through them.
    parents = np.where(contenders.donor[strangers], -1, strangers)
    return TrainingItems.of(
        X=contenders.X[strangers],
        group=np.full(len(strangers), group),
        preference=contenders.preference[strangers] - penalty,
        weight=contenders.weight[strangers],
        parents=parents[:, None],
        judged=np.zeros(len(strangers), dtype=bool),
    )


def _concatenated(parts):
    width = max(part.parents.shape[1] for part in parts)
    parents = [
        np.pad(
            part.parents,
            ((0, 0), (0, width - part.parents.shape[1])),
            constant_values=-1,
        )
        for part in parts
    ]
    return TrainingItems.of(
        X=np.concatenate([part.X for part in parts]),
        group=np.concatenate([part.group for part in parts]),
        preference=np.concatenate([part.preference for part in parts]),
        weight=np.concatenate([part.weight for part in parts]),
        parents=np.concatenate(parents),
        judged=np.concatenate([part.judged for part in parts]),
    )
