"""Stitched and injected items, section 4.3 of the paper."""

from dataclasses import dataclass
from itertools import combinations, permutations
from math import comb, perm

import numpy as np

from sklearn_pscore._items.source_items import SourceItems
from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._segments import run_starts

# Up to this many times the number wanted, all orders are listed and drawn from.
# Beyond, random orders are drawn until enough are different: the chance that one
# is drawn already is then below 1 in 4. Not measured.
_MOST_LISTED_PER_DRAWN = 4


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
    """Return the judged items, and the stitched and injected items made of them.

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
        Preference of a stitched item before the penalty, of those of its parts.
    n_injected : int or None
        Injected items per group; None injects all there are.
    injected_penalty : float
        An injected item loses this.
    rng : RandomState

    Returns
    -------
    items : TrainingItems
        Judged, then stitched, then injected items.
    sources : SourceItems
        The codes in ``items.parents`` are positions in these.
    """
    sources = SourceItems.from_rows(X, target)
    clip_rows = None
    if target.clip is not None:
        clip_rows = _ClipRows.sorted_by_item(X, target.clip, sources.row_item)
    judged = np.flatnonzero(~sources.donor)
    donors = np.flatnonzero(sources.donor) if sources.donor.any() else judged
    # Nothing comes before the first start.
    by_group = np.split(judged, run_starts(sources.group[judged]))[1:]
    combine = {"max": np.max, "mean": np.mean}[stitched_preference]
    parts = [_judged(sources, judged)]
    for members in by_group:
        for size in stitch_sizes:
            stitched_X, parents = _stitch(
                sources, clip_rows, members, size, max_stitched, rng
            )
            preference = combine(sources.preference[parents], axis=1)
            parts.append(
                _synthetic(
                    stitched_X,
                    group=sources.group[members[0]],
                    preference=preference - stitch_penalty * size,
                    weight=sources.weight[parents].mean(axis=1),
                    parents=parents,
                )
            )
    for members in by_group:
        group = sources.group[members[0]]
        strangers = donors[sources.group[donors] != group]
        parts.append(
            _injected(sources, strangers, group, n_injected, injected_penalty, rng)
        )
    return _concatenated(parts), sources


def draw_orders(n_items, size, n_drawn, ordered, rng):
    """Draw different orders of different items, without listing them all.

    Parameters
    ----------
    n_items, size : int
        Items to draw from, and number of them in one order.
    n_drawn : int or None
        Orders to draw; None, or more than there are, returns all.
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
    if n_drawn is None or n_all <= _MOST_LISTED_PER_DRAWN * n_drawn:
        listing = (permutations if ordered else combinations)(range(n_items), size)
        orders = np.array(list(listing), dtype=np.int64).reshape(-1, size)
        if n_drawn is None or n_all <= n_drawn:
            return orders
        return orders[np.sort(rng.choice(n_all, n_drawn, replace=False))]
    orders = np.empty((0, size), dtype=np.int64)
    while len(orders) < n_drawn:
        drawn = _random_orders(n_items, size, n_drawn, rng)
        orders = np.concatenate([orders, drawn if ordered else np.sort(drawn, axis=1)])
        # Keep the first of equal orders, in the sequence they were drawn in.
        first = np.unique(orders, axis=0, return_index=True)[1]
        orders = orders[np.sort(first)]
    return orders[:n_drawn]


def _random_orders(n_items, size, n_drawn, rng):
    """Draw orders uniformly and independently, so that some may be equal.

    Column c is drawn from the n_items - c items that the earlier columns of its
    row have left.
    """
    orders = np.empty((n_drawn, size), dtype=np.int64)
    for column in range(size):
        # Number the items that are left 0, 1, ..., and turn the number into an
        # item by stepping over the taken ones in ascending order.
        drawn = rng.randint(0, n_items - column, size=n_drawn)
        for taken in np.sort(orders[:, :column], axis=1).T:
            drawn += drawn >= taken
        orders[:, column] = drawn
    return orders


@dataclass(frozen=True)
class _ClipRows:
    """Rows and their clips, sorted by item.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features)
    clip : ndarray of shape (n_rows,), int
    start : ndarray of shape (n_items + 1,), int
        The rows of item i are ``start[i]`` to ``start[i + 1] - 1``.
    """

    X: np.ndarray
    clip: np.ndarray
    start: np.ndarray

    @classmethod
    def sorted_by_item(cls, X, clip, row_item):
        order = np.argsort(row_item, kind="stable")
        start = np.append(0, np.cumsum(np.bincount(row_item)))
        return cls(X[order], clip[order], start)

    def run_sums(self, items, n_runs):
        """Sum the rows of each item over runs of clips.

        The distinct clips of all `items` are cut, in order of time, into
        `n_runs` runs whose lengths differ by at most one.

        Returns
        -------
        sums : ndarray of shape (n_items, n_runs, n_features)
        counts : ndarray of shape (n_items, n_runs)
            Number of rows in each sum.
        """
        n_rows = self.start[items + 1] - self.start[items]
        rows = np.concatenate(
            [np.arange(self.start[item], self.start[item + 1]) for item in items]
        )
        position = np.repeat(np.arange(len(items)), n_rows)
        clips, clip_of_row = np.unique(self.clip[rows], return_inverse=True)
        lengths = [len(run) for run in np.array_split(clips, n_runs)]
        run = np.repeat(np.arange(n_runs), lengths)[clip_of_row]
        sums = np.zeros((len(items), n_runs, self.X.shape[1]))
        np.add.at(sums, (position, run), self.X[rows])
        counts = np.zeros((len(items), n_runs))
        np.add.at(counts, (position, run), 1.0)
        return sums, counts


def _stitch(sources, clip_rows, members, size, max_stitched, rng):
    """Stitch items of one group.

    Without clips, the features are the mean over the parts. With clips, part c
    is run c of the c-th item's clips, and the features are the mean over the
    rows of all parts.

    Returns
    -------
    X : ndarray of shape (n_stitched, n_features)
    parents : ndarray of shape (n_stitched, size), int
        Positions in `sources`, in the order of the parts.
    """
    has_clips = clip_rows is not None
    orders = draw_orders(len(members), size, max_stitched, has_clips, rng)
    if not has_clips:
        return sources.X[members][orders].mean(axis=1), members[orders]
    sums, counts = clip_rows.run_sums(members, size)
    runs = np.arange(size)
    # An item without a row in run c cannot be part c.
    orders = orders[(counts[orders, runs] > 0).all(axis=1)]
    n_rows = counts[orders, runs].sum(axis=1, keepdims=True)
    return sums[orders, runs].sum(axis=1) / n_rows, members[orders]


def _injected(sources, strangers, group, n_injected, penalty, rng):
    """Return some of `strangers`, items of other groups, as items of `group`."""
    if n_injected is not None and n_injected < len(strangers):
        strangers = np.sort(rng.choice(strangers, n_injected, replace=False))
    # Donors are never validated on, so they need not be known as parents.
    parents = np.where(sources.donor[strangers], -1, strangers)
    return _synthetic(
        sources.X[strangers],
        group=group,
        preference=sources.preference[strangers] - penalty,
        weight=sources.weight[strangers],
        parents=parents[:, None],
    )


def _judged(sources, judged):
    return TrainingItems.of(
        X=sources.X[judged],
        group=sources.group[judged],
        preference=sources.preference[judged],
        weight=sources.weight[judged],
        parents=judged[:, None],
        judged=np.ones(len(judged), dtype=bool),
    )


def _synthetic(X, *, group, **fields):
    """Return items of one group that nobody judged."""
    return TrainingItems.of(
        X=X,
        group=np.full(len(X), group),
        judged=np.zeros(len(X), dtype=bool),
        **fields,
    )


def _concatenated(parts):
    n_parents = max(part.parents.shape[1] for part in parts)
    parents = [
        np.pad(
            part.parents,
            ((0, 0), (0, n_parents - part.parents.shape[1])),
            constant_values=-1,
        )
        for part in parts
    ]
    fields = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("X", "group", "preference", "weight", "judged")
    }
    return TrainingItems.of(parents=np.concatenate(parents), **fields)
