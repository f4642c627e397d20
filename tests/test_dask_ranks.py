"""What the ranks of a fit do, in threads of this process, without a cluster."""

from threading import Thread

import numpy as np
import pandas as pd
import pytest
import torch
from cases import SEED, quick
from dask_cases import COLUMNS, judged_table
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.utils.validation import validate_data

from sklearn_pscore._rankers import dask_rank
from sklearn_pscore._rankers.dask_rank import Columns, facts_of, fold_of, rows_of
from sklearn_pscore._torch.distributed import (
    RankNet,
    Ranks,
    digest_of,
    open_store,
)
from sklearn_pscore._torch.stacking import shortcut_scores

HOST = "127.0.0.1"
# Seconds: only ranks that hang reach them.
TIMEOUT = 60


def quiet(**facts):
    """Tell nobody."""


def rows_and_plan(frames, block=None, **kwargs):
    """Return the rows of each rank, and the plan of all."""
    ranker = quick(random_state=SEED, **kwargs)
    fields = {**COLUMNS} if block is None else {**COLUMNS, "block": block}
    features = [name for name in frames[0] if name not in fields.values()]
    columns = Columns(fields, features, np.dtype(np.float64), "fit_dask")
    for each in (shell := clone(ranker), ranker):
        no_rows = frames[0][features].iloc[:0]
        validate_data(each, no_rows, reset=True, skip_check_array=True)
    rows = [rows_of(shell, columns, [k], frame) for k, frame in enumerate(frames)]
    return rows, ranker._plan([facts_of(each) for each in rows], SEED, "fit_dask")


def start_of(frames, **kwargs):
    rows, plan = rows_and_plan(frames, **kwargs)
    shares = [dask_rank.share_of(each, plan) for each in rows]
    return rows, plan, *dask_rank.start_of(plan, *shares)


def cut(frame, *ends):
    """Return the groups of a table, in parts."""
    edges = [0, *ends, len(frame)]
    return [frame.iloc[a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]


def in_threads(function, n_ranks):
    """Return what a function returns for each rank, or its error."""
    results = [None] * n_ranks

    def run(number):
        try:
            results[number] = function(number)
        except Exception as error:
            results[number] = error

    threads = [Thread(target=run, args=(number,)) for number in range(n_ranks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def met(n_ranks, function):
    """Call a function of Ranks in as many threads."""
    store = open_store(HOST, TIMEOUT)

    def run(number):
        ranks = Ranks(number, n_ranks, (HOST, store.port), HOST, TIMEOUT)
        try:
            return function(ranks)
        finally:
            ranks.close()

    return in_threads(run, n_ranks)


@pytest.fixture
def few_in_sample(monkeypatch):
    """Let the sample hold fewer rows than there are."""
    import sklearn_pscore._torch.net as net

    monkeypatch.setattr(net, "_SAMPLE_VALUES", 1)
    monkeypatch.setattr(net, "_SAMPLE_ROWS", 130)


@pytest.mark.parametrize("block", [None, "person"])
@pytest.mark.usefixtures("few_in_sample")
def test_the_start_has_the_same_bits_whatever_the_partitions(block):
    frame = judged_table()
    # A metric that is missing in one group only, which may not be in the sample.
    frame.loc[3, "metric2"] = np.nan
    if block is not None:
        frame["person"] = frame["prompt"] % 23
    rng = np.random.default_rng(SEED)
    by_group = dict(list(frame.groupby("prompt")))
    shuffled = pd.concat([by_group[label] for label in rng.permutation(60)])
    starts = [
        start_of(frames, block=block, shortcut="additive", n_members=3)
        for frames in (
            [frame],
            cut(frame, 180),
            cut(frame, 6, 300, 330),
            cut(shuffled, 60, 90),
        )
    ]
    (_, _, net, sample), *others = starts
    assert len(sample.X) == 126
    assert net.module_.shortcut.missing_features.tolist() == [2]
    assert sample.target.fold.unique().tolist() == [0, 1, 2]
    for _, _, other, its_sample in others:
        assert digest_of(other) == digest_of(net)
        assert_array_equal(its_sample.X, sample.X)
        for own, its in zip(sample.target, its_sample.target, strict=True):
            if own is not None:
                assert_array_equal(own, its)


@pytest.mark.parametrize("loss", ["ranknet", "lambdarank", "listnet"])
@pytest.mark.parametrize("group_weight", ["sqrt", "pairs"])
def test_the_first_full_gradient_is_that_of_one_machine(loss, group_weight):
    # Groups of many sizes, so that one rank has most of the pairs.
    frame = judged_table(n_groups=98, size=9)
    frame["prompt"] = np.repeat(np.arange(36), np.arange(36) + 7)
    settings = {
        "loss": loss,
        "group_weight": group_weight,
        "dropout": 0.0,
        "batch_size": 10**6,
        "n_members": 3,
    }
    gradients = []
    ends = np.flatnonzero(np.diff(frame["prompt"])) + 1
    for frames in ([frame], cut(frame, ends[4]), cut(frame, ends[2], ends[20])):
        rows, plan, net, _ = start_of(frames, **settings)

        def gradient_of(ranks, rows=rows, plan=plan, net=net):
            packed = rows[ranks.number].packed.part_of(plan.extent, torch.Generator())
            packed.set_folds(fold_of(rows[ranks.number].group, plan))
            rank_net = RankNet.of(net, ranks, plan.n_steps, quiet)
            packed.shortcut_scores = shortcut_scores(rank_net.module_, packed, "cpu")
            (batch,) = rank_net.get_iterator(packed, training=True)
            loss = rank_net.train_step_single(batch)["loss"]
            parts = [
                weights.grad.flatten()
                for weights in rank_net.module_.parameters()
                if weights.requires_grad
            ]
            return torch.cat([*parts, loss[None].detach()]).numpy()

        if len(frames) == 1:
            gradients.append(gradient_of(Ranks(0, 1, None, HOST, TIMEOUT)))
            plain = RankNet.of(net, None, 1, quiet).plain()
            continue
        of_ranks = met(len(frames), gradient_of)
        for each in of_ranks:
            assert_array_equal(each, of_ranks[0])
        gradients.append(of_ranks[0])
    whole, *others = gradients
    size = np.abs(whole).max()
    for other in others:
        assert_allclose(other, whole, atol=1e-6 * size)
    # And that of a net as it trains without ranks.
    packed = rows_and_plan([frame], **settings)[0][0].packed
    packed.set_folds(fold_of(rows_and_plan([frame], **settings)[0][0].group, plan))
    packed.shortcut_scores = shortcut_scores(plain.module_, packed, "cpu")
    plain.generator_ = torch.Generator()
    (batch,) = plain.get_iterator(packed, training=True)
    plain.train_step_single(batch)
    alone = [w.grad.flatten() for w in plain.module_.parameters() if w.requires_grad]
    assert_allclose(whole[:-1], torch.cat(alone).numpy(), atol=1e-6 * size)
