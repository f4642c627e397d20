"""Learning from a table on a Dask cluster, each worker from groups of its own."""

from numbers import Real

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from sklearn_pscore._dask.cluster import (
    check_versions,
    client_of,
    here,
    probe,
    workers_of,
)
from sklearn_pscore._dask.crew import Crew
from sklearn_pscore._dask.partitions import (
    check_is_dask,
    check_kinds,
    deal_out,
    load,
    place,
)
from sklearn_pscore._estimators.restore import restored_on_error
from sklearn_pscore._progress import progress_of
from sklearn_pscore._rankers import dask_rank
from sklearn_pscore._rankers.item_checks import warn_if_constant
from sklearn_pscore._rankers.named_columns import check_named_columns
from sklearn_pscore._rankers.parameters import check_training_parameters
from sklearn_pscore._rankers.parquet_arguments import check_features, check_fields
from sklearn_pscore._rankers.parts import N_SEEDS, Part, Plan, start_of
from sklearn_pscore._target.arguments import HOW_TO_LEARN_FROM_VOTES, explained_call

_CALLER = "PairwisePreferenceRanker.fit_dask"


class DaskMixin:
    """The fit on a Dask cluster of PairwisePreferenceRanker."""

    @explained_call
    def fit_dask(
        self,
        ddf,
        *,
        group,
        preference,
        features=None,
        weight=None,
        block=None,
        client=None,
        timeout=300,
    ):
        """Learn from a table that is spread over the workers of a Dask cluster.

        Each worker trains on groups of its own, and all take every step together, by
        the gradient of the mean over the pairs of all: a fit of ``fit`` to the whole
        table, but for chance. No worker holds more than its part.

        Partitions are dealt out to the workers in their order, about as many rows to
        each. So the same partitions on as many workers give the same ranker, to the
        bit where the machines are alike. See ``docs/dask.md``.

        Parameters
        ----------
        ddf : dask.dataframe.DataFrame
            All rows of a group have to come to one worker, which they do where they are
            in one partition: ``ddf.shuffle(on=group)`` sees to that.
        group, preference : str
            Columns of the target, see :meth:`Groups.from_frame`. Groups are integers or
            strings.
        features : list-like of str or None, default=None
            Columns of the metrics, which must be numeric. None takes every other
            column.
        weight, block : str or None, default=None
            Further columns of the target.
        client : dask.distributed.Client or None, default=None
            None takes the one that was made last.
        timeout : float, default=300
            Seconds after which a worker that gives no sign of life is given up, and
            the fit with it. It has to be longer than a worker takes to prepare its rows,
            and one of them to fit the shortcut, but for the time that the cluster takes
            to make the partitions.

        Returns
        -------
        self : PairwisePreferenceRanker
            The same object, fitted. It needs no cluster any more.

        Raises
        ------
        ValueError
            If there is no client or worker, a group comes to two workers, a column is
            not there or of another kind, a worker has another version of this package
            or of torch, a parameter is one of those below, and as for :meth:`fit`.
            Not learnt so yet: `early_stopping`, `batch_norm`,
            ``output_activation="relu6"``, `callbacks`, `order_bias`, and going on by
            `warm_start`.
        TypeError
            If `ddf` is no dask DataFrame, `client` no client, or `timeout` no number.
        RuntimeError
            If a worker dies.
        TimeoutError
            If a worker gives no sign of life.
        ImportError
            If dask is not installed.
        """
        caller = _CALLER
        self._check_for_dask(caller)
        timeout = _checked_timeout(timeout)
        named = {"weight": weight, "block": block}
        fields = {"group": group, "preference": preference}
        fields |= {field: name for field, name in named.items() if name is not None}
        check_fields(fields)
        features = check_features(features, fields)
        client = client_of(client, timeout, caller)
        check_is_dask(ddf, caller)
        names = list(ddf.columns)
        if features is None:
            features = [name for name in names if name not in fields.values()]
        check_named_columns("ddf", names, fields, features, "Rename them.")
        check_kinds(ddf.dtypes, fields, features, "ddf")
        is_float32 = all(ddf.dtypes[name] == np.float32 for name in features)
        dtype = np.dtype(np.float32 if is_float32 else np.float64)
        columns = dask_rank.Columns(fields, features, dtype, caller)
        rng = check_random_state(self.random_state)
        with restored_on_error(self):
            no_rows = ddf[features]._meta
            validate_data(self, no_rows, reset=True, skip_check_array=True)
            self._cut_target = None
            net, gap, plan = self._train_on_cluster(
                ddf, columns, client, timeout, rng.randint(N_SEEDS)
            )
            extent = plan.extent
            counts = extent.n_groups, extent.n_pairs
            drops_steps = not self.warm_start
            self._keep(net, plan.parameters, *counts, False, drops_steps)
        warn_if_constant(gap, plan.n_folds > 0, plan.parameters)
        return self

    def _check_for_dask(self, caller):
        """Check the parameters; refuse those that ranks cannot have yet."""
        check_training_parameters(self, caller)
        reasons = {
            "early_stopping": "nothing is held out on a cluster",
            "batch_norm": "each worker would normalise by rows of its own",
            "output_activation": "the BatchNorm before ReLU6 would normalise by the rows "
            "of each worker",
            "callbacks": "they would be called in the processes of the workers",
            "order_bias": "it is not known there who or what was shown first",
        }
        defaults = {"output_activation": "identity", "callbacks": None}
        for name, reason in reasons.items():
            value, expected = getattr(self, name), defaults.get(name, False)
            if value != expected and not (name == "callbacks" and not value):
                raise ValueError(
                    f"{name}={value!r:.80}, but {reason}, in {caller}; expected "
                    f"{name}={expected!r}. Set that, or use fit on data in memory."
                )
        if self.ties == "davidson":
            raise ValueError(
                f'ties="davidson", which is for votes, and {caller} learns from '
                'preferences; expected "auto", "ignore" or "half". '
                f"{HOW_TO_LEARN_FROM_VOTES}"
            )
        if self.warm_start and hasattr(self, "net_"):
            raise ValueError(
                f"warm_start=True, and there is a fitted network to go on with; {caller} "
                "starts anew. Set warm_start=False, or go on by fit or partial_fit."
            )

    def _train_on_cluster(self, ddf, columns, client, timeout, seed):
        """Train on a cluster; return the net, its largest gap of scores, and the plan."""
        from sklearn_pscore._torch.distributed import PeerLostError

        caller = columns.caller
        shell = clone(self)
        validate_data(
            shell, ddf[columns.features]._meta, reset=True, skip_check_array=True
        )
        told = Progress(self)
        with told, Crew(client, caller, timeout, PeerLostError, told.note) as crew:
            workers = workers_of(client)
            versions = crew.results(crew.on_workers(workers, probe()), workers)
            check_versions(dict(zip(workers, versions, strict=True)), here())
            rows, facts = _rows_on_workers(crew, shell, ddf, columns, workers)
            plan = Plan.of(self, facts, seed)
            n_ranks = len(rows)
            shares = [
                crew.submit(k, dask_rank.share_of, each, plan)
                for k, each in enumerate(rows)
            ]
            crew.wait(shares)
            start = crew.submit(0, start_of, plan, *shares)
            net = crew.submit(0, dask_rank.net_of_start, start)
            sample = crew.submit(0, dask_rank.sample_of_start, start)
            address = None
            waiting = crew.timeout_of_tasks
            crew.wait([start])
            crew.drop(shares)
            if n_ranks > 1:
                meeting = dask_rank.open_meeting, crew.name, waiting
                (address,) = crew.results([crew.submit(0, *meeting)])
            told.begin(plan.parameters.max_epochs)
            arguments = n_ranks, address, waiting, plan
            trained = [
                crew.submit_apart(
                    k,
                    dask_rank.train_rank,
                    k,
                    *arguments,
                    each,
                    net,
                    sample if k == 0 else None,
                )
                for k, each in enumerate(rows)
            ]
            results = crew.results(trained)
        net, gap, _ = results[0]
        return net, gap, plan


class Progress:
    """What a fit on a cluster tells, by what its first rank tells the client.

    Parameters
    ----------
    ranker : estimator
    """

    def __init__(self, ranker):
        self._ranker = ranker
        self._progress = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._progress is not None:
            self._progress.__exit__(*error)

    def begin(self, n_epochs):
        """Begin with the epochs."""
        self._progress = progress_of(
            type(self._ranker).__name__, "epoch", n_epochs, self._ranker.verbose
        )
        self._progress.__enter__()

    def note(self, tick):
        """Take note of what a rank told."""
        if self._progress is not None and "epochs" in tick:
            self._progress.update(
                tick["epochs"], tick["text"], is_milestone=tick["is_milestone"]
            )


def _rows_on_workers(crew, shell, ddf, columns, workers):
    """Return the futures of the ranks' rows, and the facts of each.

    Ranks without a pair are left out; `crew` gets the workers of the others.
    """
    caller = columns.caller
    names = list(dict.fromkeys([*columns.fields.values(), *columns.features]))
    try:
        parts = crew.loaded(load(crew.client, ddf, names))
    except (KeyError, IndexError, TypeError) as error:
        # What pandas raises where a partition lacks a column, or is no table at all.
        raise ValueError(
            f"A partition of ddf has other columns than ddf says, or could not be made: "
            f"{type(error).__name__}: {error}; expected a DataFrame with {names} in each. "
            "Mend what made it."
        ) from error
    counted = crew.loaded(crew.client.map(len, parts, pure=False))
    sizes = crew.client.gather(counted)
    numbers, n_rows = deal_out(sizes, len(workers)), sum(sizes)
    crew.drop(counted)
    if not numbers:
        raise ValueError(
            f"ddf has {len(parts)} partitions and no rows; {caller} expected the rows to "
            "learn from. Check what made it."
        )
    holders = crew.client.who_has(parts)
    holders = [holders[part.key] for part in parts]
    crew.workers = place(numbers, holders, workers)
    rows = [
        crew.submit(k, dask_rank.rows_of, shell, columns, own, *[parts[n] for n in own])
        for k, own in enumerate(numbers)
    ]
    asked = [crew.submit(k, Part.facts, each) for k, each in enumerate(rows)]
    facts = crew.results(asked)
    crew.drop([*parts, *asked])
    _check_one_kind(crew.workers, facts, columns)
    _check_whole_groups(crew, rows, facts, columns)
    kept = [k for k, each in enumerate(facts) if each.extent is not None]
    if not kept:
        n_groups = sum(len(each.hashes) for each in facts)
        raise ValueError(
            f"No comparable pairs in ddf: {n_rows:,} rows in {n_groups:,} groups, none of "
            "which has two rows of different preference and of a weight above 0. "
            f"{caller} compares such rows; check the columns of the group and the "
            "preference."
        )
    crew.workers = [crew.workers[k] for k in kept]
    return [rows[k] for k in kept], [facts[k] for k in kept]


def _check_one_kind(workers, facts, columns):
    """Raise ValueError if labels are integers on one rank and strings on another."""
    for field in ("group", "block"):
        is_text = [field in each.text_fields for each in facts]
        if len(set(is_text)) > 1:
            text, numbers = workers[is_text.index(True)], workers[is_text.index(False)]
            column = columns.fields[field]
            raise ValueError(
                f"Column {column!r}, which {field}= names, holds strings on {text} and "
                f"integers on {numbers}; expected one kind, since 1 and '1' are "
                f"different labels. Convert it by ddf[{column!r}].astype(str)."
            )


def _check_whole_groups(crew, rows, facts, columns):
    """Raise ValueError if a group has rows on two ranks."""
    hashes = np.concatenate([each.hashes for each in facts])
    rank = np.repeat(np.arange(len(facts)), [len(each.hashes) for each in facts])
    order = np.argsort(hashes, kind="stable")
    again = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
    if not len(again):
        return
    first, second = rank[order[again[0]]], rank[order[again[0] + 1]]
    value = hashes[order[again[0]]]
    (label,) = crew.results(
        [crew.submit(int(first), Part.label_of, rows[first], value)],
        [crew.workers[first]],
    )
    column = columns.fields["group"]
    others = f", and so have {len(again) - 1:,} others" if len(again) > 1 else ""
    raise ValueError(
        f"Group {label!s} of column {column!r} has rows on two workers, "
        f"{crew.workers[first]} and {crew.workers[second]}{others}; expected each group "
        "on one, for its items are compared there. Call ddf = "
        f"ddf.shuffle(on={column!r}) first."
    )


def _checked_timeout(timeout):
    """Return the timeout as a float."""
    if isinstance(timeout, (bool, np.bool_)) or not isinstance(timeout, Real):
        raise TypeError(
            f"timeout is {timeout!r:.80}, of type {type(timeout).__name__}; expected "
            "seconds. Pass a number above 0, for example timeout=300."
        )
    if not 0 < timeout < np.inf:
        raise ValueError(
            f"timeout is {timeout}; expected seconds above 0, or no worker could answer in "
            "time. Pass for example timeout=300."
        )
    return float(timeout)
