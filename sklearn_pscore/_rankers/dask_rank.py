"""What each rank of a fit on a cluster does: its rows, the start, and the training."""

from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from sklearn_pscore._dask.partitions import check_kinds
from sklearn_pscore._dask.tasks import host_of_worker, kept
from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._rankers.item_checks import check_votes, count_choices
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.groups import Groups

# Up to so many blocks are dealt out to the folds in turns, for by a hash alone a fold
# might be empty. No benchmark varies it.
FEW_UNITS = 1000


class Columns(NamedTuple):
    """What is read of a table.

    Attributes
    ----------
    fields : dict of str to str
        Columns of the target, by the field of Groups.
    features : list of str
    dtype : dtype
        Of the metrics, float32 or float64.
    caller : str
        Name of the method, for messages.
    """

    fields: dict
    features: list
    dtype: np.dtype
    caller: str


@dataclass(frozen=True)
class RankRows:
    """The rows of a rank.

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


class Facts(NamedTuple):
    """What the client is told of the rows of a rank.

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


class Plan(NamedTuple):
    """What all ranks know before they train.

    Attributes
    ----------
    parameters : namespace
        Resolved parameters of the ranker.
    extent : Extent
        Of all ranks.
    seed : int
    n_steps : int
        Of an epoch.
    n_folds : int
        Folds that members leave out, one each; 0 if none does.
    has_blocks : bool
        Whether folds are of blocks.
    few_units : ndarray of uint64, or None
        All hashes of blocks, sorted, where there are few.
    sample_rows, most_of_a_group : int
        Rows that the fit starts from, and how many of them a group may give.
    """

    parameters: SimpleNamespace
    extent: object
    seed: int
    n_steps: int
    n_folds: int
    has_blocks: bool
    few_units: np.ndarray | None
    sample_rows: int
    most_of_a_group: int


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


def rows_of(ranker, columns, numbers, *frames):
    """Return the rows of some partitions.

    Parameters
    ----------
    ranker : PairwisePreferenceRanker
        With the names of its features, and not fitted.
    columns : Columns
    numbers : sequence of int
        Of the partitions.
    *frames : DataFrame

    Returns
    -------
    rows : RankRows
    """
    import pandas as pd

    from sklearn_pscore._rankers.training import pack

    for number, frame in zip(numbers, frames, strict=True):
        _check_frame(frame, columns, f"partition {number} of ddf")
    frame, caller = pd.concat(frames, ignore_index=True), columns.caller
    with _located(numbers):
        X = ranker._check_X(frame[columns.features]).astype(columns.dtype, copy=False)
        y = Groups.from_frame(frame, **columns.fields)
        target = check_groups(y, n_rows=len(X), caller=caller)
    del frame
    items = TrainingItems.from_target(X, target)
    check_votes(items, target, caller, ranker.loss, ranker.ties, ranker.order_bias)
    with _located(numbers):
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
        if field in columns.fields and y[field].dtype.kind == "U"
    )
    return RankRows(items, packed, codes, group, block, labels, hashes, text_fields)


@contextmanager
def _located(numbers):
    """Let an error in the block name the partitions that the rows are of."""
    where = f"partition {numbers[0]} of ddf"
    if len(numbers) > 1:
        where = f"partitions {numbers[0]} to {numbers[-1]} of ddf, their rows in a row"
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{where}: {error}") from error


def _check_frame(frame, columns, name):
    wanted = [*columns.fields.values(), *columns.features]
    lacking = [column for column in wanted if column not in frame.columns]
    if lacking:
        raise ValueError(
            f"{name} has no column {lacking[0]!r}; its columns are {list(frame.columns)}. "
            "Expected the columns of ddf in every partition: mend what made it."
        )
    names = list(frame.columns)
    double = [column for column in wanted if names.count(column) > 1]
    if double:
        raise ValueError(
            f"{name} has {names.count(double[0])} columns of the name {double[0]!r}; "
            "expected one of each, as in ddf. Mend what made it."
        )
    check_kinds(frame.dtypes, columns.fields, columns.features, name)
    for field, column in columns.fields.items():
        missing = np.flatnonzero(frame[column].isna())
        if len(missing):
            raise ValueError(
                f"{name}: column {column!r} is missing at row {missing[0]}; expected a "
                f"{field} in every row. Fill it in, or drop such rows by ddf = "
                f"ddf.dropna(subset=[{column!r}])."
            )


def facts_of(rows):
    """Return the :class:`Facts` of a rank's rows."""
    items = rows.items
    is_empty = rows.packed is None
    return Facts(
        hashes=rows.hashes,
        group=rows.group,
        block=rows.block,
        extent=None if is_empty else rows.packed.extent(),
        lightest=items.weight.min(initial=np.inf),
        heaviest=items.weight.max(initial=0.0),
        sizes=np.empty(0, dtype=int) if is_empty else rows.packed.sizes,
        preferences=np.unique(items.preference)[:3],
        choices=np.zeros(4, dtype=int) if is_empty else count_choices(items),
        text_fields=rows.text_fields,
    )


def label_of(rows, value):
    """Return the label of a hash."""
    return rows.labels[rows.hashes == value][0]


def units_of(rows, plan):
    """Return the hash of what is left out together with each group."""
    return rows.block if plan.has_blocks else rows.group


def fold_of(unit, plan):
    """Return the fold of what is left out together, by the hash of its label."""
    if plan.few_units is not None:
        return np.searchsorted(plan.few_units, unit) % plan.n_folds
    return (unit % np.uint64(plan.n_folds)).astype(np.int64)


def share_of(rows, plan):
    """Return a rank's share of the sample that the fit starts from.

    The sample is of the groups with the smallest hashes, as many as it may have. So it
    is the same, however the groups are spread. Of a large group it has a part, evenly
    spread over the preferences, with the weight of the whole.

    Returns
    -------
    share : (TrainingItems, ndarray, ndarray)
        Items, and the hashes of each one's group, and of what is left out with it.
    """
    items, packed, most = rows.items, rows.packed, plan.most_of_a_group
    order = np.argsort(rows.group)
    ends = np.cumsum(np.minimum(packed.sizes[order], most))
    n_groups = np.searchsorted(ends, plan.sample_rows, side="right")
    chosen = order[:n_groups]
    of_sample = np.sort(np.concatenate([packed.spread_items(k, most) for k in chosen]))
    taken = items.take(of_sample)
    place = np.searchsorted(rows.codes, taken.group)
    # For listnet a group weighs what it does, however many items it has.
    power = 0.0 if plan.parameters.loss == "listnet" else packed.power
    growth = np.maximum(packed.sizes / most, 1.0) ** power
    taken = replace(
        taken,
        table=taken.X,
        row=np.arange(len(taken)),
        weight=taken.weight * growth[place],
        block_of_group=None,
    )
    return taken, rows.group[place], units_of(rows, plan)[place]


def start_of(plan, *shares):
    """Return the net to train from, and its sample, from the shares of all ranks.

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
    items, group, unit = _joined(shares)
    hashes, code = np.unique(group, return_inverse=True)
    # As many as one rank alone would send.
    ends = np.cumsum(np.bincount(code))
    kept_items = code < np.searchsorted(ends, plan.sample_rows, side="right")
    items = replace(items, group=code).take(kept_items)
    rng = np.random.RandomState(plan.seed)
    generators = Generators.drawn(rng, None, parameters.device)
    packed = pack(items, parameters, generators.cpu)
    packed = packed.part_of(plan.extent, generators.cpu)
    if plan.n_folds:
        unit_of_group = np.empty(len(hashes), dtype=np.uint64)
        unit_of_group[code] = unit
        packed.set_folds(fold_of(unit_of_group[: packed.n_groups], plan))
    net, sample = build_net(packed, parameters, generators.cpu)
    with threads_of(net, packed):
        freeze_fitted_shortcut(net, sample)
    return net, sample


def net_of_start(start):
    """Return the net of a start alone: only one rank needs the sample."""
    return start[0]


def sample_of_start(start):
    """Return the sample of a start."""
    return start[1]


class _Told:
    """Progress that goes to the client."""

    def __init__(self, tick):
        self._tick = tick

    def update(self, n, text, is_milestone=False):
        """Tell of an epoch."""
        self._tick(epochs=n, text=text, is_milestone=is_milestone)


def _joined(shares):
    """Return the items of several shares as one, with the hashes of their labels."""
    parts, group, unit = zip(*shares, strict=True)
    table = np.concatenate([part.table for part in parts])
    n_items = len(table)
    items = TrainingItems(
        table=table,
        row=np.arange(n_items),
        group=np.zeros(n_items, dtype=int),
        preference=np.concatenate([part.preference for part in parts]),
        weight=np.concatenate([part.weight for part in parts]),
        # Each row is an item of its own.
        parents=np.arange(n_items)[:, None],
        judged=np.ones(n_items, dtype=bool),
        ties=parts[0].ties,
    )
    return items, np.concatenate(group), np.concatenate(unit)


def open_meeting(fit, timeout):
    """Open a store on this worker for the ranks to meet; return its address."""
    from sklearn_pscore._torch.distributed import open_store

    host = host_of_worker()
    store = kept(fit)["store"] = open_store(host, timeout)
    return host, store.port


def train_rank(tick, number, n_ranks, address, timeout, plan, rows, net, sample=None):
    """Train as one of several ranks.

    Parameters
    ----------
    tick : callable
        See :func:`~sklearn_pscore._dask.tasks.run_apart`.
    number, n_ranks : int
    address : (str, int)
        Of the store.
    timeout : float
        Seconds to wait for another rank.
    plan : Plan
    rows : RankRows
    net : GroupNet
        To start from; left as it is.
    sample : ScaledSample or None
        The rank that has one weighs the parts of the net, and returns it.

    Returns
    -------
    net : GroupNet or None
    gap : float or None
        Largest difference of two scores in a group of this rank.
    digest : str
        Of the weights after training.
    """
    from sklearn_pscore._rankers.training import largest_gap, threads_of
    from sklearn_pscore._torch.device import Generators
    from sklearn_pscore._torch.distributed import RankNet, Ranks, digest_of
    from sklearn_pscore._torch.epochs import check_finite, train
    from sklearn_pscore._torch.memory import kept_memory
    from sklearn_pscore._torch.shortcut_fit import shortcut_scores
    from sklearn_pscore._torch.stacking import weigh_and_center

    parameters = plan.parameters
    rng = np.random.RandomState(plan.seed + 1 + number)
    generators = Generators.drawn(rng, None, parameters.device)
    packed = rows.packed.part_of(plan.extent, generators.cpu)
    if plan.n_folds:
        packed.set_folds(fold_of(units_of(rows, plan), plan))
    host = host_of_worker()
    ranks = Ranks(number, n_ranks, address, host, timeout)
    try:
        net = RankNet.of(net, ranks, plan.n_steps, tick)
        with kept_memory(), threads_of(net, packed):
            if net.module_.shortcut is not None:
                packed.shortcut_scores = shortcut_scores(
                    net.module_, packed, net.device
                )
            train(
                net,
                packed,
                None,
                parameters,
                parameters.max_epochs,
                generators.device,
                progress=_Told(tick) if sample is not None else None,
            )
    finally:
        ranks.close()
    digest = digest_of(net)
    if sample is None:
        return None, None, digest
    net = net.plain()
    net.n_folds = plan.n_folds
    with threads_of(net, packed):
        weigh_and_center(net, sample)
    check_finite(net, parameters)
    return net, largest_gap(net, packed), digest
