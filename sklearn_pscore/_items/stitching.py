"""Stitched and injected items, section 4.3 of the paper."""

from dataclasses import dataclass, replace
from itertools import combinations, permutations
from math import comb, perm

import numpy as np
from sklearn.utils.random import sample_without_replacement

from sklearn_pscore._items.source_items import SourceItems
from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._means import LARGEST_SUMMABLE
from sklearn_pscore._segments import Segments, level_in_group

# Up to this many times the number wanted, all orders are listed and drawn from.
# Beyond, random orders are drawn until enough are different: the chance that one
# is drawn already is then below 1 in 4. Not measured.
_MOST_LISTED_PER_DRAWN = 4

# Up to this many donors are shuffled to draw some of them. Beyond, the time of a
# group would grow with the donors, and that of all groups with their square. Not
# measured.
_MOST_SHUFFLED = 1000


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
    judged = np.flatnonzero(~sources.donor)
    donors = np.flatnonzero(sources.donor) if sources.donor.any() else judged
    if n_injected != 0:
        donated = sources.preference[donors]
        _check_penalty(donated, "injected_penalty", injected_penalty)
    if len(stitch_sizes):
        _check_penalty(sources.preference[judged], "stitch_penalty", stitch_penalty)
    groups = Segments.of_equal(sources.group[judged])
    combine = {"max": np.max, "mean": np.mean}[stitched_preference]
    has_clips = target.clip is not None
    orders = _draw_parts(groups, stitch_sizes, max_stitched, has_clips, rng)
    stitched = []
    for size in stitch_sizes:
        parents = judged[orders[size]]
        if has_clips:
            # An item without a row in run c cannot be part c.
            runs = _ClipRuns.of_judged_rows(X, target, sources, size)
            parents = parents[(runs.n_rows_of(parents) > 0).all(axis=1)]
            part_X = runs.means(parents)
        else:
            part_X = _means_of_parts(sources.X[parents])
        preference = combine(sources.preference[parents], axis=1)
        part = _synthetic(
            part_X,
            group=sources.group[parents[:, 0]],
            preference=preference - stitch_penalty * size,
            weight=sources.weight[parents].mean(axis=1),
            parents=parents,
        )
        stitched.append(part)
    parts = [_judged(sources, judged), *_by_group(stitched)]
    if n_injected != 0:
        parts.append(
            _injected(
                sources,
                donors,
                sources.group[judged[groups.start]],
                target.block_of_group,
                n_injected,
                injected_penalty,
                rng,
            )
        )
    items = replace(_concatenated(parts), block_of_group=target.block_of_group)
    return items, sources


def _means_of_parts(X):
    """Return the mean over the parts that are not NaN, NaN if all are.

    Parameters
    ----------
    X : ndarray of shape (n_stitched, size, n_features)
    """
    is_there = ~np.isnan(X)
    if is_there.all():
        return X.mean(axis=1)
    return _quotients(np.where(is_there, X, 0.0).sum(axis=1), is_there.sum(axis=1))


def _quotients(sums, n_values):
    """Return sums of values divided by their number, NaN for none."""
    means = np.full(sums.shape, np.nan)
    return np.divide(sums, n_values, out=means, where=n_values > 0)


def _check_penalty(preference, name, penalty):
    """Raise ValueError if a preference less the penalty is infinite or itself."""
    if abs(penalty) > LARGEST_SUMMABLE:
        raise ValueError(
            f"{name} is {penalty:g}; expected at most {LARGEST_SUMMABLE:.1e} in size, so "
            f"that preferences stay finite. Pass a smaller {name}."
        )
    lost = np.flatnonzero((preference - penalty == preference) & (penalty != 0))
    if len(lost):
        raise ValueError(
            f"preference holds {preference[lost[0]]:.3g}, from which {name}={penalty:g} "
            "takes nothing away in float64; expected preferences and penalties of "
            f"similar size. Scale the preferences down, or pass a larger {name}."
        )


def _draw_parts(groups, sizes, max_stitched, ordered, rng):
    """Draw the parts of the stitched items of every group.

    Parameters
    ----------
    groups : Segments
        The judged items of each group.
    sizes : sequence of int
    max_stitched : int or None
    ordered : bool
    rng : RandomState

    Returns
    -------
    orders : dict of int to ndarray of shape (n_stitched, size), int
        By size, positions of the parts among all judged items, by group.
    """
    # Groups of one number of items, where nothing is drawn, share their orders.
    listed, orders = {}, {size: [] for size in sizes}
    for start, n_items in zip(groups.start, groups.size.tolist(), strict=True):
        for size in sizes:
            drawn = listed.get((n_items, size))
            if drawn is None:
                drawn = draw_orders(n_items, size, max_stitched, ordered, rng)
                n_all = (perm if ordered else comb)(n_items, size)
                if len(drawn) == n_all:
                    listed[n_items, size] = drawn
            if len(drawn):
                orders[size].append(start + drawn)
    return {
        size: np.concatenate([np.empty((0, size), dtype=np.int64), *drawn])
        for size, drawn in orders.items()
    }


def _by_group(parts):
    """Return parts of all groups as one, sorted by group; the parts stay in order."""
    if not parts:
        return []
    items = _concatenated(parts)
    return [items.take(np.argsort(items.group, kind="stable"))]


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
class _ClipRuns:
    """Sums of the rows of each item over the runs of clips of its group.

    The distinct clips of the judged items of a group are cut, in order of time,
    into runs whose lengths differ by at most one.

    Attributes
    ----------
    sums : ndarray of shape (n_items, n_runs, n_features)
    n_rows : ndarray of shape (n_items, n_runs), int
        Number of rows of the item in each run.
    n_values : ndarray of shape (n_items, n_runs, n_features or 1), int
        Number of values in each sum, without NaN.
    """

    sums: np.ndarray
    n_rows: np.ndarray
    n_values: np.ndarray

    @classmethod
    def of_judged_rows(cls, X, target, sources, n_runs):
        rows = np.flatnonzero(~target.donor)
        rows = rows[np.lexsort((target.clip[rows], target.group[rows]))]
        group, clip = target.group[rows], target.clip[rows]
        level, groups = level_in_group(group, clip), Segments.of_equal(group)
        n_clips = level[groups.start + groups.size - 1] + 1
        # As np.array_split: the first runs have one clip more.
        length, n_longer = (
            groups.spread(n_clips // n_runs),
            groups.spread(n_clips % n_runs),
        )
        in_longer = n_longer * (length + 1)
        run = np.where(
            level < in_longer,
            level // (length + 1),
            n_longer + (level - in_longer) // np.maximum(length, 1),
        )
        n_items = len(sources.group)
        # Rows are added in the order in which they were passed.
        order = np.argsort(rows)
        position = sources.row_item[rows[order]] * n_runs + run[order]
        sums = np.zeros((n_items * n_runs, X.shape[1]))
        values = X[rows[order]]
        is_there = ~np.isnan(values)
        np.add.at(sums, position, np.where(is_there, values, 0.0))
        n_rows = np.bincount(position, minlength=n_items * n_runs)
        n_values = n_rows[:, None]
        if not is_there.all():
            n_values = np.zeros(sums.shape, dtype=np.int64)
            np.add.at(n_values, position, is_there)
        shape = n_items, n_runs
        return cls(
            sums.reshape(*shape, -1),
            n_rows.reshape(shape),
            n_values.reshape(*shape, -1),
        )

    def n_rows_of(self, parents):
        """Return the rows of part c, which is run c of the c-th parent."""
        return self.n_rows[parents, np.arange(parents.shape[1])]

    def means(self, parents):
        """Return the mean over the rows of all parts, see :func:`_quotients`."""
        part = parents, np.arange(parents.shape[1])
        sums, n_values = self.sums[part].sum(axis=1), self.n_values[part].sum(axis=1)
        return _quotients(sums, np.broadcast_to(n_values, sums.shape))


def _injected(sources, donors, groups, block_of_group, n_injected, penalty, rng):
    """Return some of `donors`, items of other blocks, as items of each of `groups`.

    Without blocks they are items of other groups.

    Parameters
    ----------
    sources : SourceItems
    donors : ndarray of int
        Positions in `sources`, ascending.
    groups : ndarray of int
        Codes of the groups.
    block_of_group : ndarray of int, or None
        Code of the block of each group, by the group's code.
    n_injected : int or None
    penalty : float
    rng : RandomState
    """
    unit, own = sources.group[donors], groups
    if block_of_group is not None:
        unit, own = block_of_group[unit], block_of_group[groups]
        # Donors of one block are made neighbours, as those of a group are.
        donors, unit = donors[np.argsort(unit, kind="stable")], np.sort(unit)
    first = np.searchsorted(unit, own, side="left")
    n_inside = np.searchsorted(unit, own, side="right") - first
    drawn = [np.empty(0, dtype=np.int64)]
    for n_strangers, start, n_skipped in zip(
        (len(donors) - n_inside).tolist(), first, n_inside, strict=True
    ):
        chosen = _draw_some(n_strangers, n_injected, rng)
        # Number the strangers past the donors of the group itself, or of its block.
        drawn.append(donors[chosen + n_skipped * (chosen >= start)])
    n_drawn = [len(each) for each in drawn[1:]]
    strangers = np.concatenate(drawn)
    # Donors are never validated on, so they need not be known as parents.
    parents = np.where(sources.donor[strangers], -1, strangers)
    return _synthetic(
        sources.X[strangers],
        group=np.repeat(groups, n_drawn),
        preference=sources.preference[strangers] - penalty,
        weight=sources.weight[strangers],
        parents=parents[:, None],
    )


def _draw_some(n_all, n_drawn, rng):
    """Draw different numbers below `n_all`, sorted; all of them if None."""
    if n_drawn is None or n_drawn >= n_all:
        return np.arange(n_all)
    if n_all <= _MOST_SHUFFLED:
        return np.sort(rng.choice(n_all, n_drawn, replace=False))
    return np.sort(sample_without_replacement(n_all, n_drawn, random_state=rng))


def _judged(sources, judged):
    return TrainingItems.of(
        X=sources.X[judged],
        group=sources.group[judged],
        preference=sources.preference[judged],
        weight=sources.weight[judged],
        parents=judged[:, None],
        judged=np.ones(len(judged), dtype=bool),
    )


def _synthetic(X, **fields):
    """Return items that nobody judged."""
    return TrainingItems.of(X=X, judged=np.zeros(len(X), dtype=bool), **fields)


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
