"""What the ranks of a fit do, in threads of this process, without a cluster."""

from threading import Event, Thread

import numpy as np
import pandas as pd
import pytest
import torch
from cases import SEED, quick
from dask_cases import COLUMNS, judged_table
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.utils.validation import validate_data

from sklearn_pscore._rankers import dask_rank, parts
from sklearn_pscore._rankers.dask_rank import Columns, rows_of
from sklearn_pscore._rankers.parts import Plan, hashes_of
from sklearn_pscore._torch.distributed import (
    PeerLostError,
    RankBatches,
    RankNet,
    Ranks,
    digest_of,
    open_store,
)
from sklearn_pscore._torch.shortcut_fit import shortcut_scores

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
    return rows, Plan.of(ranker, [each.facts() for each in rows], SEED)


def start_of(frames, **kwargs):
    rows, plan = rows_and_plan(frames, **kwargs)
    shares = [dask_rank.share_of(each, plan) for each in rows]
    return rows, plan, *parts.start_of(plan, *shares)


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
    monkeypatch.setattr(parts, "_SAMPLE_VALUES", 1)


@pytest.mark.parametrize("has_more", [False, True])
@pytest.mark.parametrize("block", [None, "person"])
@pytest.mark.usefixtures("few_in_sample")
def test_the_start_has_the_same_bits_whatever_the_partitions(
    block, has_more, monkeypatch
):
    frame = judged_table()
    if has_more:
        # Curves of what counts are fitted to more rows than were scaled by.
        monkeypatch.setattr(parts, "_SAMPLE_VALUES", 220 * 3)
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


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.usefixtures("few_in_sample")
def test_the_sample_of_groups_of_many_sizes_is_the_same(seed):
    """A small part must not fill the room that a larger group had no use for."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 20, size=80)
    frame = pd.DataFrame(rng.normal(size=(sizes.sum(), 3)), columns=list("abc"))
    frame["prompt"] = np.repeat(np.arange(80), sizes)
    frame["opinion"] = rng.normal(size=len(frame))
    last = np.cumsum(sizes)[-2]
    samples = []
    for ends in ((), (last,), np.cumsum(sizes)[:-1], np.cumsum(sizes)[9:-1:10]):
        rows, plan = rows_and_plan(cut(frame, *ends))
        growing = parts.GrowingShare(plan.sample, "ranknet")
        for each in rows:
            growing.add(each)
        shares = [dask_rank.share_of(each, plan) for each in rows]
        whole = parts.Share.joined(shares, plan.sample)
        for share in (whole, growing.whole()):
            order = np.lexsort((share.items.preference, share.group))
            samples.append((share.group[order], share.items.X[order]))
    for sample in samples[1:]:
        for own, its in zip(samples[0], sample, strict=True):
            assert_array_equal(own, its)


@pytest.mark.parametrize("loss", ["ranknet", "listnet"])
@pytest.mark.usefixtures("few_in_sample")
def test_the_start_of_a_large_group_is_a_part_of_it(loss):
    frame = judged_table()
    frame.loc[:179, "prompt"] = 999
    settings = {"loss": loss, "group_weight": "pairs", "n_members": 3}
    starts = [
        start_of(frames, **settings)
        for frames in ([frame], cut(frame, 180), cut(frame, 240, 300))
    ]
    (_, _, net, sample), *others = starts
    assert sample.target.sizes.tolist() == [6] * 21
    for _, _, other, its_sample in others:
        assert digest_of(other) == digest_of(net)
        assert_array_equal(its_sample.X, sample.X)
    weight = sample.target.weight_in_pairs.view(21, 6)
    assert (weight == weight[:, :1]).all()
    ratio = weight.max() / weight.min()
    assert ratio.item() == pytest.approx(1 if loss == "listnet" else 30)


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
        "n_members": 2,
    }
    gradients = []
    ends = np.flatnonzero(np.diff(frame["prompt"])) + 1
    for frames in ([frame], cut(frame, ends[4]), cut(frame, ends[2], ends[20])):
        rows, plan, net, _ = start_of(frames, **settings)

        def gradient_of(ranks, rows=rows, plan=plan, net=net):
            packed = rows[ranks.number].packed_for(plan, torch.Generator())
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
    packed.set_folds(plan.fold_of(rows_and_plan([frame], **settings)[0][0].group))
    packed.shortcut_scores = shortcut_scores(plain.module_, packed, "cpu")
    plain.generator_ = torch.Generator()
    (batch,) = plain.get_iterator(packed, training=True)
    plain.train_step_single(batch)
    alone = [w.grad.flatten() for w in plain.module_.parameters() if w.requires_grad]
    assert_allclose(whole[:-1], torch.cat(alone).numpy(), atol=1e-6 * size)


@pytest.mark.parametrize("ends", [[180], [6], [120, 126]])
def test_ranks_end_with_the_same_bits(monkeypatch, ends):
    monkeypatch.setattr(dask_rank, "host_of_worker", lambda: HOST)
    frames = cut(judged_table(), *ends)
    rows, plan, net, sample = start_of(frames, max_epochs=3, batch_size=30)
    # More steps than the smallest rank has groups: some of its batches are empty.
    assert plan.n_steps == 12
    store = open_store(HOST, TIMEOUT)
    told = []

    def train(number):
        own = sample if number == 0 else None
        address = HOST, store.port
        return dask_rank.train_rank(
            lambda **facts: told.append(facts),
            number,
            len(rows),
            address,
            TIMEOUT,
            plan,
            rows[number],
            net,
            own,
        )

    before = digest_of(net)
    results = in_threads(train, len(rows))
    digests = {digest for *_, digest in results}
    assert len(digests) == 1
    assert digests != {before}
    assert digest_of(net) == before
    trained = results[0][0]
    assert [each[0] for each in results[1:]] == [None] * (len(rows) - 1)
    assert [epoch["train_batch_count"] for epoch in trained.history] == [12] * 3
    n_rows = trained.history[:, "batches", :, "train_batch_size"]
    assert [sum(epoch) for epoch in n_rows] == [360] * 3
    assert sum("epochs" in facts for facts in told) == 3
    assert trained.n_folds == 2


def test_sums_over_ranks():
    def total(ranks):
        values = torch.arange(5.0) * (ranks.number + 1)
        ranks.add_up(values)
        return values.tolist()

    assert met(3, total) == [[0.0, 6.0, 12.0, 18.0, 24.0]] * 3
    alone = torch.ones(2)
    Ranks(0, 1, None, HOST, TIMEOUT).add_up(alone)
    assert alone.tolist() == [1.0, 1.0]


def test_a_rank_that_does_not_come():
    store = open_store(HOST, 1)
    with pytest.raises(PeerLostError):
        Ranks(0, 2, (HOST, store.port), HOST, 1)


def test_a_store_that_is_not_there():
    store = open_store(HOST, 1)
    port = store.port
    del store
    with pytest.raises(PeerLostError):
        Ranks(0, 2, (HOST, port), HOST, 1)


def test_a_rank_that_is_started_twice():
    store = open_store(HOST, TIMEOUT)
    store.add("rank-0", 1)
    with pytest.raises(PeerLostError, match="rank 0 was started twice"):
        Ranks(0, 2, (HOST, store.port), HOST, TIMEOUT)


def test_a_rank_that_leaves_ends_the_others():
    def leave(ranks):
        if ranks.number == 0:
            raise ZeroDivisionError
        ranks.add_up(torch.ones(3))

    first, *others = met(3, leave)
    assert isinstance(first, ZeroDivisionError)
    assert [type(error) for error in others] == [PeerLostError] * 2


def test_a_rank_that_is_silent_ends_the_others():
    is_over = Event()
    store = open_store(HOST, TIMEOUT)

    def wait(number):
        ranks = Ranks(number, 2, (HOST, store.port), HOST, 2)
        if number == 0:
            is_over.wait(TIMEOUT)
            return None
        try:
            ranks.add_up(torch.ones(3))
        finally:
            is_over.set()

    silent, other = in_threads(wait, 2)
    assert silent is None
    assert isinstance(other, PeerLostError)


@pytest.mark.parametrize("n_batches", [1, 2, 7, 60, 61, 150])
def test_batches_are_as_many_as_asked_for(n_batches):
    rows, _ = rows_and_plan([judged_table()])
    packed = rows[0].packed.part_of(rows[0].packed.extent(), torch.Generator())
    batches = RankBatches(packed, n_batches, max_rows=10**6)
    assert len(batches) == n_batches
    for _ in range(2):
        sizes, seen = [], []
        for X, target in batches:
            sizes.append(len(X))
            assert (target is None) == (len(X) == 0)
            seen.append(X.numpy())
        assert len(sizes) == n_batches
        # Groups of six items, as even as they can be.
        assert max(sizes) - min(sizes) <= 6
        order = np.lexsort(np.concatenate(seen).T)
        expected = rows[0].items.X
        assert_array_equal(
            np.concatenate(seen)[order], expected[np.lexsort(expected.T)]
        )


def test_batches_of_what_is_on_a_device_are_the_same():
    rows, _ = rows_and_plan([judged_table()])
    packed = rows[0].packed.part_of(rows[0].packed.extent(), torch.Generator())
    passes = []
    for limit in (0, 2**40):
        packed.place("cpu", limit)
        packed.generator = torch.Generator().manual_seed(0)
        assert (packed._placed is None) == (limit == 0)
        passes.append(list(RankBatches(packed, 61, max_rows=10**6)))
    for (X, target), (placed_X, placed_target) in zip(*passes, strict=True):
        assert_array_equal(placed_X, X)
        assert (placed_target is None) == (target is None)
        for name in ("level", "weight", "sizes", "gain") if target else ():
            assert_array_equal(getattr(placed_target, name), getattr(target, name))


def test_a_group_too_large_for_memory_is_a_random_part_of_it():
    frame = judged_table()
    frame["prompt"] = np.where(np.arange(360) < 100, -1, frame["prompt"])
    rows, _ = rows_and_plan([frame])
    packed = rows[0].packed.part_of(rows[0].packed.extent(), torch.Generator())
    sizes = [len(X) for X, _ in RankBatches(packed, 3, max_rows=90)]
    assert max(sizes) == 90


def test_losses_are_read_in_each_step_on_any_device():
    net = start_of([judged_table()])[2]
    rank_net = RankNet.of(net, None, 1, quiet)
    # On a GPU another net reads them at the end of an epoch, by batches with a target.
    vars(rank_net)["device"] = vars(net)["device"] = "cuda"
    assert not net.waits_for_losses
    assert rank_net.waits_for_losses


def test_hashes_of_labels_are_known():
    # On every machine and in every version: folds and samples depend on them.
    expected = [0, 1346066267577507604, 13029008266876403067]
    assert hashes_of(np.array([0, 7, -1])).tolist() == expected
    assert hashes_of(np.array([0, 7], dtype=np.int32)).tolist() == expected[:2]
    text = hashes_of(np.array(["a", "häh"]))
    assert text.tolist() == [13950350942979735504, 13434675614083121048]


def test_many_blocks_have_folds_by_their_hash(monkeypatch):
    monkeypatch.setattr(parts, "FEW_UNITS", 10)
    rows, plan = rows_and_plan([judged_table()], n_members=5, leave_out=True)
    assert plan.few_units is None
    folds = plan.fold_of(rows[0].group)
    assert_array_equal(folds, [int(value) % 5 for value in rows[0].group.tolist()])


def test_few_blocks_have_even_folds():
    frame = judged_table()
    frame["person"] = frame["prompt"] % 7
    rows, plan = rows_and_plan([frame], block="person", n_members=5)
    folds = {block: set() for block in np.unique(rows[0].block)}
    for block, fold in zip(rows[0].block, plan.fold_of(rows[0].block), strict=True):
        folds[block].add(int(fold))
    assert all(len(each) == 1 for each in folds.values())
    assert np.bincount([min(each) for each in folds.values()]).tolist() == [
        2,
        2,
        1,
        1,
        1,
    ]


def test_a_single_block_is_none():
    frame = judged_table()
    frame["person"] = "one"
    rows, plan = rows_and_plan([frame], block="person", n_members=5)
    assert not plan.has_blocks
    assert plan.n_folds == 5
    assert len(np.unique(plan.fold_of(rows[0].units(plan)))) == 5
