"""A fit to a table that comes in parts: what all of it is like, and where it starts.

The parts are of ranks of a cluster, or stretches of files. Each has whole groups. What a
fit has to know of all of them, their facts tell; and it starts from a sample of all
groups, the same however they are spread over the parts.
"""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._rankers.item_checks import (
    check_votes,
    check_weights,
    count_choices,
    refuse_awards,
    warn_of_choices,
    warn_of_large_group,
)
from sklearn_pscore._rankers.parameters import resolve_parameters
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.groups import Groups

N_SEEDS = 2**31 - 1
"""Seeds of a plan are below."""

# Up to so many blocks are dealt out to the folds in turns, for by a hash alone a fold
# might be empty. No benchmark varies it.
FEW_UNITS = 1000
# Values of the sample that a fit starts from, 32 MB of float64. No benchmark varies it.
_SAMPLE_VALUES = 2**22


@dataclass(frozen=True)
class Part:
    """The rows of a part.

    Attributes
    ----------
    items : TrainingItems
        Those in a pair.
    packed : PackedGroups or None
        The same; None if there are none.
    codes : ndarray of shape (n_groups,), int
        Of the packed groups.
    group, block : ndarray of shape (n_groups,), uint64
        Hashes of their labels. `block` is `group` without blocks.
    labels, hashes : ndarray of shape (n_labels,)
        Labels of all groups, and their hashes.
    text_fields : frozenset of str
        Those of `group` and `block` whose labels are strings.
    """

    items: TrainingItems
    packed: object
    codes: np.ndarray
    group: np.ndarray
    block: np.ndarray
    labels: np.ndarray
    hashes: np.ndarray
    text_fields: frozenset

    @classmethod
    def of_frame(cls, ranker, frame, fields, features, dtype=None, *, caller):
        """Check the rows of a table, and return those to learn from.

        Parameters
        ----------
        ranker : PairwisePreferenceRanker
            With the names of its features.
        frame : DataFrame
        fields : dict of str to str
            Columns of the target, by the field of Groups.
        features : list of str
        dtype : dtype or None, default=None
            Of the metrics. None leaves float32 and float64 as they are.
        caller : str
            Name of the method, for messages.
        """
        from sklearn_pscore._rankers.training import pack

        X = ranker._check_X(frame[features])
        if dtype is not None:
            X = X.astype(dtype, copy=False)
        y = Groups.from_frame(frame, **fields)
        target = check_groups(y, n_rows=len(X), caller=caller)
        items = TrainingItems.from_target(X, target)
        check_votes(items, target, caller, ranker.loss, ranker.ties, ranker.order_bias)
        items = ranker._comparable(items, target, caller)
        labels = np.unique(y["group"])
        hashes = hashes_of(labels)
        codes = np.unique(items.group)
        group = block = hashes[codes]
        if target.block_of_group is not None:
            of_block = hashes_of(np.unique(y["block"]))
            block = of_block[target.block_of_group[codes]]
        packed = None
        if len(items):
            settings = SimpleNamespace(
                gain=ranker.gain, group_weight=ranker.group_weight, ties=items.ties
            )
            packed = pack(items, settings, None)
        text_fields = frozenset(
            field
            for field in ("group", "block")
            if field in fields and y[field].dtype.kind == "U"
        )
        return cls(items, packed, codes, group, block, labels, hashes, text_fields)

    def facts(self):
        """Return the :class:`Facts` of these rows."""
        items, packed = self.items, self.packed
        is_empty = packed is None
        return Facts(
            hashes=self.hashes,
            group=self.group,
            block=self.block,
            extent=None if is_empty else packed.extent(),
            lightest=items.weight.min(initial=np.inf),
            heaviest=items.weight.max(initial=0.0),
            sizes=np.empty(0, dtype=int) if is_empty else packed.sizes,
            preferences=np.unique(items.preference)[:3],
            choices=np.zeros(4, dtype=int) if is_empty else count_choices(items),
            text_fields=self.text_fields,
        )

    def label_of(self, value):
        """Return the label of a hash."""
        return self.labels[self.hashes == value][0]

    def units(self, plan):
        """Return the hash of what is left out together with each group."""
        return self.block if plan.has_blocks else self.group

    def packed_for(self, plan, generator):
        """Return the packed groups with the weights, and the folds, of a plan."""
        packed = self.packed.part_of(plan.extent, generator)
        if plan.n_folds:
            packed.set_folds(plan.fold_of(self.units(plan)))
        return packed


class Facts(NamedTuple):
    """What is known of a part without its rows.

    Attributes
    ----------
    hashes : ndarray of uint64
        Of the labels of all groups.
    group, block : ndarray of uint64
        Of the groups with a pair.
    extent : Extent or None
        None without a pair.
    lightest, heaviest : float
        Weights of items.
    sizes : ndarray of int
        Items of each group with a pair.
    preferences : ndarray of float
        The three lowest.
    choices : ndarray of shape (4,), int
        See :func:`count_choices`.
    text_fields : frozenset of str
        Those of `group` and `block` whose labels are strings.
    """

    hashes: np.ndarray
    group: np.ndarray
    block: np.ndarray
    extent: object
    lightest: float
    heaviest: float
    sizes: np.ndarray
    preferences: np.ndarray
    choices: np.ndarray
    text_fields: frozenset


class SampleSize(NamedTuple):
    """How large the sample is that a fit starts from.

    Attributes
    ----------
    n_rows, most_of_a_group : int
        Items, of all groups and of one, at most.
    """

    n_rows: int
    most_of_a_group: int

    @classmethod
    def of_sizes(cls, sizes, n_features, parameters):
        """Return the size of the sample of groups of these sizes."""
        from sklearn_pscore._torch.net import dense_sample_rows
        from sklearn_pscore._torch.packing import most_of_a_group

        n_rows = dense_sample_rows(n_features, parameters)
        # The curves of the features that count are fitted to more rows.
        n_rows = max(n_rows, _SAMPLE_VALUES // n_features)
        return cls(n_rows, most_of_a_group(sizes, n_rows))


class Plan(NamedTuple):
    """What is known of all parts before the training.

    Attributes
    ----------
    parameters : namespace
        Resolved parameters of the ranker.
    extent : Extent
        Of all parts.
    seed : int
    n_folds : int
        Folds that members leave out, one each; 0 if none does.
    has_blocks : bool
        Whether folds are of blocks.
    few_units : ndarray of uint64, or None
        All hashes of blocks, sorted, where there are few.
    sample : SampleSize
    """

    parameters: SimpleNamespace
    extent: object
    seed: int
    n_folds: int
    has_blocks: bool
    few_units: np.ndarray | None
    sample: SampleSize

    @classmethod
    def of(cls, ranker, facts, seed, sample=None):
        """Check what no part knows alone, and return the plan.

        Parameters
        ----------
        ranker : PairwisePreferenceRanker
            With the number of its features.
        facts : sequence of Facts
            Of all parts with a pair.
        seed : int
        sample : SampleSize or None, default=None
            None is by the sizes that the facts tell.
        """
        from sklearn_pscore._rankers.training import may_leave_out
        from sklearn_pscore._torch.net import check_columns_fit, dense_sample_rows
        from sklearn_pscore._torch.packing import Extent

        lightest = min(each.lightest for each in facts)
        check_weights(np.array([lightest, max(each.heaviest for each in facts)]))
        if ranker.ties == "half":
            refuse_awards(np.concatenate([each.preferences for each in facts]))
            warn_of_choices(sum(each.choices for each in facts))
        sizes = np.concatenate([each.sizes for each in facts])
        warn_of_large_group(ranker, sizes.max())
        extent = Extent.of_all([each.extent for each in facts])
        parameters = resolve_parameters(ranker, extent.n_items)
        n_features = ranker.n_features_in_
        if sample is None:
            sample = SampleSize.of_sizes(sizes, n_features, parameters)
        n_rows = min(dense_sample_rows(n_features, parameters), extent.n_items)
        check_columns_fit(n_features, n_rows, parameters)
        units = np.unique(np.concatenate([each.block for each in facts]))
        has_blocks = len(units) > 1
        if not has_blocks:
            units = np.concatenate([each.group for each in facts])
        n_folds = 0
        if may_leave_out(extent.n_groups, len(units), parameters):
            n_folds = min(parameters.n_members, len(units))
        few_units = None
        if len(units) <= FEW_UNITS:
            few_units = np.sort(units)
        return cls(parameters, extent, seed, n_folds, has_blocks, few_units, sample)

    @property
    def n_steps(self):
        """Steps of an epoch."""
        n_batches = -(-self.extent.n_items // self.parameters.batch_size)
        return min(n_batches, self.extent.n_groups)

    def fold_of(self, unit):
        """Return the fold of what is left out together, by the hash of its label."""
        if self.few_units is not None:
            return np.searchsorted(self.few_units, unit) % self.n_folds
        return (unit % np.uint64(self.n_folds)).astype(np.int64)


def hashes_of(labels):
    """Return stable hashes of labels, (n,) uint64, the same on every machine.

    Parameters
    ----------
    labels : ndarray of shape (n,), int or fixed-width strings
    """
    from pandas.util import hash_array

    if labels.dtype.kind == "U":
        labels = labels.astype(object)
    elif labels.dtype.kind == "i":
        labels = labels.astype(np.int64)
    return hash_array(labels)


class Share(NamedTuple):
    """What a part, or several, have of the sample that a fit starts from.

    Attributes
    ----------
    items : TrainingItems
        Sorted by the hashes of their groups where they are of several parts.
    group, block : ndarray of shape (n_items,), uint64
        Hashes of each item's labels.
    below : uint64 or None
        Smallest hash of a group that had no room, None if all had.
    """

    items: TrainingItems
    group: np.ndarray
    block: np.ndarray
    below: np.uint64 | None

    @classmethod
    def of(cls, part, size, loss, below=None):
        """Return the share of a part.

        The sample is of the groups with the smallest hashes, as many as it may have. So
        it is the same, however the groups are spread. Of a large group it has a part,
        evenly spread over the preferences, with the weight of the whole.

        Parameters
        ----------
        part : Part
            With a pair.
        size : SampleSize
        loss : str
            Of the ranker.
        below : uint64 or None, default=None
            Groups of a larger hash do not come in question.

        Returns
        -------
        share : Share or None
            None if no group comes in question.
        """
        items, packed, most = part.items, part.packed, size.most_of_a_group
        order = np.argsort(part.group)
        if below is not None:
            order = order[: np.searchsorted(part.group[order], below)]
        if not len(order):
            return None
        ends = np.cumsum(np.minimum(packed.sizes[order], most))
        n_chosen = np.searchsorted(ends, size.n_rows, side="right")
        if n_chosen < len(order):
            below = part.group[order[n_chosen]]
        chosen = order[:n_chosen]
        of_sample = [packed.spread_items(k, most) for k in chosen]
        taken = items.take(np.sort(np.concatenate(of_sample)))
        place = np.searchsorted(part.codes, taken.group)
        # For listnet a group weighs what it does, however many items it has.
        power = 0.0 if loss == "listnet" else packed.power
        growth = np.maximum(packed.sizes / most, 1.0) ** power
        taken = replace(
            taken,
            table=taken.X,
            row=np.arange(len(taken)),
            weight=taken.weight * growth[place],
            block_of_group=None,
        )
        return cls(taken, part.group[place], part.block[place], below)

    @classmethod
    def joined(cls, shares, size):
        """Return several shares as one, of as many items as one part alone would have."""
        parts, group, block, bounds = zip(*shares, strict=True)
        group, block = np.concatenate(group), np.concatenate(block)
        items = TrainingItems.joined(parts)
        hashes, code = np.unique(group, return_inverse=True)
        ends = np.cumsum(np.bincount(code))
        n_kept = np.searchsorted(ends, size.n_rows, side="right")
        bounds = [bound for bound in bounds if bound is not None]
        bounds += hashes[n_kept : n_kept + 1].tolist()
        below = min(map(np.uint64, bounds), default=None)
        if below is not None:
            # What had no room in its part has none here, nor what comes after it.
            n_kept = np.searchsorted(hashes, below)
        kept = code < n_kept
        items = replace(items, group=code).take(kept)
        return cls(items, group[kept], block[kept], below)


class GrowingShare:
    """The share of parts that come one after the other.

    Parameters
    ----------
    size : SampleSize
    loss : str
        Of the ranker.
    """

    def __init__(self, size, loss):
        self._size, self._loss = size, loss
        self._shares, self._n_new = [], 0
        self._below = None

    def add(self, part):
        """Take from a part what may be of the sample."""
        share = Share.of(part, self._size, self._loss, self._below)
        if share is None:
            return
        self._shares.append(share)
        self._n_new += len(share.items)
        # Each join copies all: few of them, for many parts.
        if self._n_new >= self._size.n_rows:
            self._shares, self._n_new = [self.whole()], 0
            self._below = self._shares[0].below

    def whole(self):
        """Return the :class:`Share` of all parts so far."""
        return Share.joined(self._shares, self._size)


def start_of(plan, *shares):
    """Return the net to train from, and its sample, from the shares of all parts.

    Returns
    -------
    net : GroupNet
        With its shortcut fitted and frozen.
    sample : ScaledSample
    """
    from sklearn_pscore._rankers.training import pack, threads_of
    from sklearn_pscore._torch.device import Generators
    from sklearn_pscore._torch.net import build_net
    from sklearn_pscore._torch.shortcut_fit import freeze_fitted_shortcut

    parameters = plan.parameters
    items, group, block, _ = Share.joined(shares, plan.sample)
    first = np.unique(items.group, return_index=True)[1]
    if plan.has_blocks:
        block_of_group = np.unique(block[first], return_inverse=True)[1]
        items = replace(items, block_of_group=block_of_group)
    rng = np.random.RandomState(plan.seed)
    generators = Generators.drawn(rng, None, parameters.device)
    packed = pack(items, parameters, generators.cpu)
    packed = packed.part_of(plan.extent, generators.cpu)
    if plan.n_folds:
        packed.set_folds(plan.fold_of((block if plan.has_blocks else group)[first]))
    net, sample = build_net(packed, parameters, generators.cpu)
    # Of the groups of all parts.
    sample.share *= packed.n_groups / plan.extent.n_groups
    with threads_of(net, packed):
        freeze_fitted_shortcut(net, sample, packed)
    return net, sample
