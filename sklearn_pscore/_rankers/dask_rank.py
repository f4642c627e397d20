"""What each rank of a fit on a cluster does: its rows, its share of the start, training."""

from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from sklearn_pscore._dask.partitions import check_kinds
from sklearn_pscore._dask.tasks import host_of_worker, kept
from sklearn_pscore._rankers.parts import Part, Share


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
    rows : Part
    """
    import pandas as pd

    for number, frame in zip(numbers, frames, strict=True):
        _check_frame(frame, columns, f"partition {number} of ddf")
    frame = pd.concat(frames, ignore_index=True)
    with _located(numbers):
        return Part.of_frame(
            ranker,
            frame,
            columns.fields,
            columns.features,
            columns.dtype,
            caller=columns.caller,
        )


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


def share_of(rows, plan):
    """Return a rank's :class:`Share` of the sample that the fit starts from."""
    return Share.of(rows, plan.sample, plan.parameters.loss)


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
    rows : Part
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
    packed = rows.packed_for(plan, generators.cpu)
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
