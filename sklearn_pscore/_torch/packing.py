"""Items packed by group, and their target as a loss takes it."""

import math
import warnings
from copy import copy
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import issparse
from skorch.dataset import Dataset

from sklearn_pscore._rows import dense_rows, rows_at_a_time
from sklearn_pscore._segments import Segments, level_in_group
from sklearn_pscore._torch.losses.votes import PackedVotes
from sklearn_pscore._torch.thin import ThinRows, is_thin

# So many groups are to be in a sample, for members to leave some out. No benchmark
# varies it.
_GROUPS_OF_A_SAMPLE = 20


class PackedTarget(NamedTuple):
    """The target of items that are sorted by group and level, as a loss takes it.

    Attributes
    ----------
    level : tensor of shape (n_items,), int64
        Rank 0, 1, ... of the preference among those of the item's group.
    weight : tensor of shape (n_items,), float32
    sizes : tensor of shape (n_groups,), int64, on the CPU
        Number of items of each group.
    gain : tensor of shape (n_items,), float32
        Gain of the item in NDCG, before the discount. Each group's are divided by a
        power of two, so that its largest is in [0.5, 1), or 0.
    fold : tensor of shape (n_items,), int64, or None, default=None
        The member of the ensemble that does not learn from the item's group.
        None if all members learn from all groups.
    group_factor : tensor of shape (n_items,), float32, or None, default=None
        Multiplies the weight in the loss over pairs, the same for all items of a
        group, see :data:`GROUP_WEIGHTS`. None is 1 for all.
    contender : tensor of shape (n_items,), int64, or None, default=None
        Number 0, 1, ... of the contender that the item measures, among those of its
        group, in ascending order: items of one contender are no tie. None if each
        item is a contender, or ties do not count.
    votes : PackedVotes or None, default=None
        Votes between the items, which are then the pairs.
    position : tensor of shape (n_items,), int64, or None, default=None
        Where the item was shown in the list of its group. None if that does not count.
    unit : tensor of shape (n_items,), int64, or None, default=None
        Number of the block that the item is of, of the group without blocks. None if all
        is one, and outside of samples.
    """

    level: torch.Tensor
    weight: torch.Tensor
    sizes: torch.Tensor
    gain: torch.Tensor
    fold: torch.Tensor | None = None
    group_factor: torch.Tensor | None = None
    contender: torch.Tensor | None = None
    votes: PackedVotes | None = None
    position: torch.Tensor | None = None
    unit: torch.Tensor | None = None

    @property
    def weight_in_pairs(self):
        """Weights of the items in the loss over pairs."""
        if self.group_factor is None:
            return self.weight
        return self.weight * self.group_factor

    def take(self, items):
        """Return the target of some items by mask; groups without any are left out."""
        group = torch.arange(len(self.sizes)).repeat_interleave(self.sizes)
        sizes = group[items].bincount()
        taken = self._asdict() | {"sizes": sizes[sizes > 0]}
        for name, values in self._asdict().items():
            if name == "votes" and values is not None:
                taken[name] = values.take(items)
            elif name != "sizes" and values is not None:
                taken[name] = values[items]
        return PackedTarget(**taken)

    def to(self, device):
        """Return the target with everything but the sizes on a device."""
        moved = [
            values if values is None or name == "sizes" else values.to(device)
            for name, values in zip(self._fields, self, strict=True)
        ]
        return PackedTarget(*moved)


class Extent(NamedTuple):
    """What is known of all the items that some packed groups are a part of.

    Attributes
    ----------
    n_items, n_groups, n_pairs : int
    largest_weight : float
        Of the items, as users gave them.
    fewest_pairs, most_pairs : int
        Of a group.
    missing_features : tuple of int
        Features that are NaN in some item, ascending.
    """

    n_items: int
    n_groups: int
    n_pairs: int
    largest_weight: float
    fewest_pairs: int
    most_pairs: int
    missing_features: tuple

    @classmethod
    def of_all(cls, extents):
        """Return the extent of several sets of whole groups together."""
        n_items, n_groups, n_pairs, weight, fewest, most, missing = zip(
            *extents, strict=True
        )
        return cls(
            sum(n_items),
            sum(n_groups),
            sum(n_pairs),
            max(weight),
            min(fewest),
            max(most),
            tuple(sorted(set().union(*missing))),
        )


class Sample(NamedTuple):
    """Some of the items of some groups.

    Attributes
    ----------
    X : tensor or ThinRows of shape (n_items, n_features), or dict
        As the network takes it.
    target : PackedTarget
    judged : tensor of shape (n_items,), bool
        False for synthetic items.
    share : ndarray of shape (n_groups,)
        Of the items of each group that are there.
    """

    X: object
    target: PackedTarget
    judged: torch.Tensor
    share: np.ndarray


def most_of_a_group(sizes, max_rows):
    """Return how many items a group may give to a sample.

    Where not all groups fit in whole, a group gives at most what leaves room for
    `_GROUPS_OF_A_SAMPLE` of its kind; more where there are so few groups that all come.

    Parameters
    ----------
    sizes : ndarray of shape (n_groups,), int
    max_rows : int
    """
    ascending = np.sort(sizes)
    below = np.cumsum(ascending) - ascending
    # If the smaller groups come in whole, each of the others may give so many.
    each = (max_rows - below) // np.arange(len(sizes), 0, -1)
    is_cut = each < ascending
    if not is_cut.any():
        return int(ascending[-1])
    return int(max(each[is_cut.argmax()], max_rows // _GROUPS_OF_A_SAMPLE, 1))


GROUP_WEIGHTS = {"pairs": 1.0, "sqrt": 0.5, "equal": 0.0}
"""What the pairs of a group weigh together: this power of their number."""


class PackedGroups(Dataset):
    """Training items sorted by group, and by preference inside it.

    A dataset of skorch, so that its callbacks find features and target as `X` and `y`.

    The features are not copied: a batch picks its rows out of the items' table.
    All else stays in numpy until it is in a batch: numpy picks few values faster
    than torch.

    Parameters
    ----------
    items : TrainingItems
        Comparable items.
    gain : callable
        ``gain(group, preference)`` of items in this order, for NDCG.
    generator : torch.Generator or None, default=None
        Draws folds, samples and the order of batches; on the CPU. None is
        torch's own.
    group_weight : {"pairs", "sqrt", "equal"}, default="pairs"
        See :data:`GROUP_WEIGHTS`.
    ties : {"ignore", "half"}, default="ignore"
        Whether items of one level are a pair, if they are of different contenders.

    Attributes
    ----------
    table : tensor or CSR matrix of shape (n_rows, n_features)
        Shares the memory of the items' table. Of a CSR matrix a batch has dense rows.
    is_thin : bool
        Whether the table is a CSR matrix of which a batch has sparse rows.
    row : ndarray of shape (n_items,), int
        Row of each item in the table.
    position : ndarray of shape (n_items,), int, or None
        As in :class:`PackedTarget`.
    level, weight, gain : ndarray of shape (n_items,)
        As in :class:`PackedTarget`. The largest weight is 1, since a factor that all
        weights share changes no loss.
    group_factor : ndarray of shape (n_items,), float32, or None
        As in :class:`PackedTarget`. The largest is 1.
    contender : ndarray of shape (n_items,), int, or None
        As in :class:`PackedTarget`.
    judged : ndarray of shape (n_items,), bool
        False for synthetic items.
    sizes, starts : ndarray of shape (n_groups,), int
        Number of items, and first item, of each group.
    n_pairs : int
        Pairs of items of one group and different level, or of different contenders if
        ties count; of votes, the pairs with one.
    power : float
        What the pairs of a group weigh together: this power of their number.
    unit_of_group : ndarray of shape (n_groups,), int
        Number of the block that each group is of; of the group without blocks.
    fold : ndarray of shape (n_items,), int, or None
        See :meth:`draw_folds`.
    shortcut_scores : tensor of shape (n_items, n_members), or None
        Scores of a frozen shortcut. Batches have them beside the features.
    """

    def __init__(
        self, items, gain, generator=None, *, group_weight="pairs", ties="ignore"
    ):
        keys = items.preference, items.group
        if ties == "half":
            keys = items.parents[:, 0], *keys
        order = np.lexsort(keys)
        group, preference = items.group[order], items.preference[order]
        groups = Segments.of_equal(group)
        # Their items are no pairs.
        apart = Segments.of_equal(group, preference)
        self.contender = None
        if ties == "half":
            contender = items.parents[order, 0]
            apart = Segments.of_equal(group, contender)
            if len(apart.size) < len(group):
                self.contender = level_in_group(group, contender)
        is_sparse = issparse(items.table)
        self.table = items.table if is_sparse else _as_tensor(items.table)
        self.is_thin = is_thin(items.table)
        self.row = items.row[order]
        self.level = level_in_group(group, preference)
        # In float64: float32 might hold neither the weights nor their products.
        weight = items.weight[order]
        self.weight = (weight / weight.max()).astype(np.float32)
        # NDCG is a ratio of gains, and 2**130 is too large for a float32.
        gains = gain(group, preference)
        exponent = np.frexp(gains[groups.start + groups.size - 1])[1]
        self.gain = np.ldexp(gains, -groups.spread(exponent)).astype(np.float32)
        self.judged = items.judged[order]
        self.position = None if items.position is None else items.position[order]
        self.sizes, self.starts = groups.size, groups.start
        unit = items.unit[order[groups.start]]
        self.unit_of_group = np.unique(unit, return_inverse=True)[1]
        of_group = np.searchsorted(apart.start, groups.start)
        n_pairs = groups.n_pairs - np.add.reduceat(apart.n_pairs, of_group)
        self.n_pairs = int(n_pairs.sum())
        self._pairs_of_group, self.power = n_pairs, GROUP_WEIGHTS[group_weight]
        self.group_factor = self._group_factor(n_pairs.min(), n_pairs.max())
        self.fold = None
        self.ties = ties
        self.shortcut_scores = None
        self._placed = None
        self.generator = generator
        self._items, self._order = items, order
        self._missing_features = None
        self.votes = None
        if items.votes is not None:
            self.votes = _VotesOfGroups(items.votes, order, self.weight, groups)
            self.n_pairs, self.group_factor = items.votes.n_pairs, None

    def __getstate__(self):
        """Return the state to copy or pickle, without what belongs to the call."""
        return {**vars(self), "generator": None, "_placed": None}

    def __len__(self):
        return len(self.row)

    def __getitem__(self, item):
        """Return features and target of an item, by its number."""
        return self.features(np.array([item])).to_dense()[0].numpy(), self.y[item]

    @property
    def X(self):
        """Features of the items, of shape (n_items, n_features), a copy.

        An array, or a CSR matrix if the table is one.
        """
        if issparse(self.table):
            return self.table[self.row]
        return self.features(np.arange(len(self))).numpy()

    @property
    def y(self):
        """The target of the items, structured as users make it."""
        return self._items.take(self._order).target()

    @property
    def n_groups(self):
        return len(self.sizes)

    @property
    def n_units(self):
        """Number of blocks; of groups without blocks."""
        return int(self.unit_of_group.max()) + 1

    @property
    def n_folds(self):
        """Number of folds that members leave out, one each; 0 if none does."""
        return 0 if self.fold is None else int(self.fold.max()) + 1

    def extent(self):
        """Return the :class:`Extent` of these groups."""
        return Extent(
            n_items=len(self),
            n_groups=self.n_groups,
            n_pairs=self.n_pairs,
            largest_weight=float(self._items.weight[self._order].max()),
            fewest_pairs=int(self._pairs_of_group.min()),
            most_pairs=int(self._pairs_of_group.max()),
            missing_features=tuple(self.missing_features()),
        )

    def part_of(self, extent, generator):
        """Return these groups as a part of a larger set, with the weights of that.

        Parameters
        ----------
        extent : Extent
            Of the larger set.
        generator : torch.Generator
        """
        part = copy(self)
        part.generator = generator
        weight = self._items.weight[self._order]
        part.weight = (weight / extent.largest_weight).astype(np.float32)
        part.group_factor = part._group_factor(extent.fewest_pairs, extent.most_pairs)
        part._missing_features = list(extent.missing_features)
        return part

    def draw_folds(self, n_folds):
        """Draw folds of blocks, or groups, one for each member to leave out.

        There are fewer folds where there are fewer blocks.
        """
        fold_of_unit = self.shuffled(self.n_units) % n_folds
        self.set_folds(fold_of_unit[self.unit_of_group])

    def set_folds(self, fold_of_group):
        """Let each member leave out the groups of its number."""
        self.fold = np.repeat(fold_of_group, self.sizes)

    def place(self, device, most_bytes, inputs=None):
        """Keep all that batches are made of on a device, if that takes few enough bytes.

        Then no batch copies anything to the device. Sparse tables and votes stay here.

        Parameters
        ----------
        device : torch.device or str
        most_bytes : int
            For these, and for the same in the order of a pass.
        inputs : LayerInputs or None, default=None
            What the layers read of the features. Made once here, and not in each
            batch; None leaves it to the batches.
        """
        self._placed = None
        if issparse(self.table) or self.votes is not None:
            return
        columns = {name: getattr(self, name) for name in ("level", "weight", "gain")}
        for name in ("fold", "group_factor", "contender", "position"):
            if getattr(self, name) is not None:
                columns[name] = getattr(self, name)
        shortcut = self.shortcut_scores
        n_bytes = self.table.element_size() * self.table.shape[1] * len(self)
        n_bytes += sum(column.nbytes for column in columns.values())
        if shortcut is not None:
            n_bytes += shortcut.nbytes
        if inputs is not None:
            n_bytes += inputs.n_bytes(len(self))
        if 2 * n_bytes > most_bytes:
            return
        placed = {name: torch.from_numpy(each) for name, each in columns.items()}
        placed["X"] = self.features(np.arange(len(self)))
        if shortcut is not None:
            placed["shortcut_scores"] = shortcut
        self._placed = {name: values.to(device) for name, values in placed.items()}
        if inputs is not None:
            self._placed["inputs"] = inputs.of(self._placed["X"])

    def placed_pass(self, order):
        """Return what is placed in the order of a pass, None if nothing is.

        So batches are slices of it: one copy for all of them.

        Parameters
        ----------
        order : ndarray of shape (n_groups,), int
            All groups.

        Returns
        -------
        placed : dict of str to tensor of shape (n_items, ...), or None
        """
        if self._placed is None or np.array_equal(order, np.arange(self.n_groups)):
            return self._placed
        items = torch.from_numpy(self._items_of(order)[0])
        items = items.to(self._placed["X"].device, non_blocking=True)
        return {
            name: each.index_select(0, items) for name, each in self._placed.items()
        }

    def placed_batch(self, placed, groups, items):
        """Return what :meth:`batch` does, of what is placed.

        Parameters
        ----------
        placed : dict
            Of :meth:`placed_pass`.
        groups : ndarray of int
        items : slice
            Those of the groups, in the order of the pass.
        """
        columns = {name: values[items] for name, values in placed.items()}
        parts = {
            name: columns.pop(name)
            for name in ("X", "shortcut_scores", "inputs")
            if name in columns
        }
        X = parts if len(parts) > 1 else parts["X"]
        return X, PackedTarget(**columns, sizes=torch.from_numpy(self.sizes[groups]))

    def batch(self, groups):
        """Return (X, target) of some groups, X as the network takes it."""
        items, sizes = self._items_of(groups)
        contender = None if self.contender is None else self.contender[items]
        votes = None if self.votes is None else self.votes.of_groups(groups, items)
        return self._pick(items, self.level[items], sizes, contender, votes)

    def piece(self, items):
        """Return (X, target) of some items of one group, in ascending order."""
        group = np.searchsorted(self.starts, items[:1], side="right") - 1
        return self._parts(group, items, np.array([len(items)]))

    def sample(self, max_rows):
        """Return a :class:`Sample` of random groups, together at most `max_rows` items.

        Of a group that would leave no room for others, it is a random part, whose pairs
        weigh together what those of the whole group do.
        """
        order = self.shuffled(self.n_groups)
        if len(self) <= max_rows:
            order = np.arange(self.n_groups)
        most = most_of_a_group(self.sizes, max_rows)
        ends = np.cumsum(np.minimum(self.sizes[order], most))
        groups = np.sort(order[: np.count_nonzero(ends <= max_rows)])
        items, sizes = self._items_of(groups)
        is_cut = sizes > most
        if is_cut.any():
            starts = np.cumsum(sizes) - sizes
            is_kept = np.ones(len(items), dtype=bool)
            for start, size in zip(starts[is_cut], sizes[is_cut], strict=True):
                is_kept[start + self.shuffled(size)[most:]] = False
            items = items[is_kept]
        share = np.minimum(1.0, most / sizes)
        sizes = np.minimum(sizes, most)
        X, target = self._parts(groups, items, sizes)
        if is_cut.any() and self.votes is None:
            growth = torch.from_numpy(np.repeat(1 / share, sizes).astype(np.float32))
            factor = target.group_factor
            factor = growth if factor is None else factor * growth
            target = target._replace(group_factor=factor)
        unit = self.unit_of_group[groups]
        if np.any(unit != unit[0]):
            target = target._replace(unit=torch.from_numpy(np.repeat(unit, sizes)))
        return Sample(X, target, torch.from_numpy(self.judged[items]), share)

    def spread_items(self, group, most):
        """Return the numbers, before they were packed, of at most so many of a group.

        They are evenly spread over the group's preferences.
        """
        start, size = self.starts[group], self.sizes[group]
        places = start + np.linspace(0, size - 1, min(size, most)).round().astype(int)
        return self._order[places]

    def features(self, items):
        """Return the features of some items, shape (n_items, n_features).

        ThinRows if the table is thin.
        """
        if self.is_thin:
            return ThinRows.of(self.table[self.row[items]])
        if issparse(self.table):
            return torch.from_numpy(dense_rows(self.table, self.row[items]))
        return self.table.index_select(0, torch.from_numpy(self.row[items]))

    def missing_features(self, most_at_a_time=2**13):
        """Return the numbers of the features that are NaN in some item, ascending."""
        if self._missing_features is not None:
            return self._missing_features
        values = self.table.data if issparse(self.table) else self.table
        # One quick pass, and mostly the only one: the smallest is NaN if any is.
        if not len(values) or not math.isnan(values.min()):
            return []
        if issparse(self.table):
            is_used = np.zeros(self.table.shape[0], dtype=bool)
            is_used[self.row] = True
            is_missing = np.isnan(self.table.data)
            is_missing &= np.repeat(is_used, np.diff(self.table.indptr))
            return np.unique(self.table.indices[is_missing]).tolist()
        is_missing = torch.zeros(self.table.shape[1], dtype=torch.bool)
        n_at_a_time = rows_at_a_time(self.table.shape[1], most_at_a_time)
        for first in range(0, len(self), n_at_a_time):
            items = np.arange(first, min(first + n_at_a_time, len(self)))
            is_missing |= self.features(items).isnan().any(dim=0)
        return is_missing.nonzero()[:, 0].tolist()

    def shuffled(self, n):
        """Return the numbers below `n` in random order."""
        return torch.randperm(int(n), generator=self.generator).numpy()

    def _group_factor(self, fewest_pairs, most_pairs):
        """Return the factors that let a group's pairs weigh a power of their number.

        A pair weighs the product of its items' weights, so each item has the root.
        The largest factor is that of the fewest pairs.
        """
        fewest, most = (
            max(n, 1) ** ((self.power - 1) / 2) for n in (fewest_pairs, most_pairs)
        )
        if fewest == most:
            return None
        factor = np.maximum(self._pairs_of_group, 1) ** ((self.power - 1) / 2)
        return np.repeat((factor / fewest).astype(np.float32), self.sizes)

    def _items_of(self, groups):
        """Return the items of some groups, group by group, and the groups' sizes."""
        sizes = self.sizes[groups]
        ends = np.cumsum(sizes)
        items = np.arange(ends[-1])
        items += np.repeat(self.starts[groups] - ends + sizes, sizes)
        return items, sizes

    def _parts(self, groups, items, sizes):
        """Return (X, target) of some items of each of some groups, in ascending order."""
        level, contender = (
            None if number is None else _renumbered(number[items], sizes)
            for number in (self.level, self.contender)
        )
        votes = None if self.votes is None else self.votes.of_groups(groups, items)
        return self._pick(items, level, sizes, contender, votes)

    def _pick(self, items, level, sizes, contender, votes):
        """Return (X, target) of items with these numbers, in groups of these sizes."""
        X = self.features(items)
        if self.shortcut_scores is not None:
            known = self.shortcut_scores.index_select(0, torch.from_numpy(items))
            X = {"X": X, "shortcut_scores": known}
        columns = {
            "level": level,
            "weight": self.weight[items],
            "sizes": sizes,
            "gain": self.gain[items],
        }
        for name in ("fold", "group_factor", "position"):
            values = getattr(self, name)
            if values is not None:
                columns[name] = values[items]
        if contender is not None:
            columns["contender"] = contender
        tensors = {name: torch.from_numpy(values) for name, values in columns.items()}
        return X, PackedTarget(**tensors, votes=votes)


class _VotesOfGroups:
    """Votes of packed items, sorted by group.

    Parameters
    ----------
    votes : PairVotes
        Of items before they were packed.
    order : ndarray of shape (n_items,), int
        The items in their packed order.
    weight : ndarray of shape (n_items,), float32
        Of the packed items.
    groups : Segments
    """

    def __init__(self, votes, order, weight, groups):
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        first, second = place[votes.first], place[votes.second]
        group = groups.index[first]
        by_group = np.argsort(group, kind="stable")
        self.first, self.second = first[by_group], second[by_group]
        factor = weight[first] * weight[second]
        self.columns = [
            (count * factor)[by_group].astype(np.float32)
            for count in (votes.wins, votes.losses, votes.ties)
        ]
        if votes.side is not None:
            self.columns.append(votes.side[by_group].astype(np.float32))
        self.n_items = len(order)
        self.sizes = np.bincount(group, minlength=len(groups.size))
        self.starts = np.cumsum(self.sizes) - self.sizes

    def of_groups(self, groups, items):
        """Return the :class:`PackedVotes` of some items of some groups.

        Parameters
        ----------
        groups : ndarray of int
        items : ndarray of int
            In the order of the batch.
        """
        sizes = self.sizes[groups]
        pairs = np.repeat(self.starts[groups] - np.cumsum(sizes) + sizes, sizes)
        pairs += np.arange(len(pairs))
        place = np.full(self.n_items, -1)
        place[items] = np.arange(len(items))
        first, second = place[self.first[pairs]], place[self.second[pairs]]
        # A piece of a group lacks some items.
        kept = (first >= 0) & (second >= 0)
        columns = first[kept], second[kept]
        columns += tuple(column[pairs][kept] for column in self.columns)
        return PackedVotes(*(torch.from_numpy(column) for column in columns))


def _renumbered(number, sizes):
    """Return numbers 0, 1, ... in the order of some numbers, in each group."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    keys = group * (number.max() + 1) + number
    place = np.unique(keys, return_inverse=True)[1]
    return place - np.minimum.reduceat(place, np.cumsum(sizes) - sizes)[group]


def _as_tensor(table):
    if table.flags.c_contiguous and table.flags.writeable:
        # Without a look at the filters of warnings, which all threads share.
        return torch.from_numpy(table)
    with warnings.catch_warnings():
        # torch warns of arrays that it could not write to, such as memory maps.
        warnings.filterwarnings("ignore", message=".*not writable")
        return torch.from_numpy(np.ascontiguousarray(table))
