"""Fits on a Dask cluster that fail: they end with the first real error, and clean up.

What goes wrong is put into the processes of the workers from here.
"""

import os
import signal
import threading
import time

import pytest
from cases import SEED, quick
from dask_cases import COLUMNS, TIMEOUT, judged_table, local_cluster, parts_of, split
from numpy.testing import assert_array_equal

# Seconds until a frozen worker is given up: longer than all else takes here.
SHORT = 10


@pytest.fixture(scope="module")
def client():
    with local_cluster() as client:
        yield client


@pytest.fixture
def ddf():
    return split(judged_table(), [180, 180])


def fit(ranker, ddf, **kwargs):
    return ranker.fit_dask(ddf, **{**COLUMNS, "timeout": TIMEOUT, **kwargs})


def freeze():
    """Wait until :func:`mend` is called."""
    from sklearn_pscore._torch.distributed import RankNet

    RankNet.mended.wait()


def on_step(client, number, action):
    """Let a rank do something once, at its third step."""

    def put():
        from sklearn_pscore._torch.distributed import RankNet

        if not hasattr(RankNet, "own_step"):
            RankNet.own_step = RankNet.train_step_single
        RankNet.mended = threading.Event()
        steps = []

        def step(self, batch, **kwargs):
            steps.append(batch)
            if len(steps) == 3 and self.ranks_.number == number:
                RankNet.train_step_single = RankNet.own_step
                action()
            return RankNet.own_step(self, batch, **kwargs)

        RankNet.train_step_single = step

    client.run(put)


def mend(client):
    """Take out what :func:`on_step` has put in, and wait for two workers."""

    def take_out():
        from sklearn_pscore._torch.distributed import RankNet

        if hasattr(RankNet, "own_step"):
            RankNet.train_step_single = RankNet.own_step
            RankNet.mended.set()

    client.wait_for_workers(2, timeout=TIMEOUT)
    client.run(take_out)


def assert_fails_cleanly(client, ddf, kind, match, timeout=TIMEOUT, then=None):
    """Check that a fit fails, leaves nothing, and that the next one is as ever."""
    X, groups = parts_of(judged_table())
    ranker = quick(random_state=SEED).fit(X, groups)
    before = dict(vars(ranker))
    start = time.monotonic()
    with pytest.raises(kind, match=match) as caught:
        fit(ranker, ddf, timeout=timeout)
    # A guard against hanging, no measurement.
    assert time.monotonic() - start < 2 * timeout
    assert vars(ranker) == before
    assert_nothing_is_left(client)
    if then is not None:
        then()
    mend(client)
    assert_no_rank_runs(client)
    expected = fit(quick(random_state=SEED), ddf).predict(X)
    again = fit(quick(random_state=SEED), ddf).predict(X)
    assert_array_equal(again, expected)
    return caught.value


def assert_nothing_is_left(client):
    """Check that the scheduler soon has no task any more."""

    def tasks(dask_scheduler):
        return [key for key in dask_scheduler.tasks if "fit_dask" in str(key)]

    for _ in range(200):
        left = client.run_on_scheduler(tasks)
        if not left:
            return
        time.sleep(0.05)
    raise AssertionError(left)


def assert_no_rank_runs(client):
    """Check that no thread of a worker is in a rank, or soon is not any more."""

    def is_running():
        import sys
        from traceback import walk_stack

        return any(
            frame.f_code.co_name == "train_rank"
            for stack in sys._current_frames().values()
            for frame, _ in walk_stack(stack)
        )

    for _ in range(200):
        running = client.run(is_running)
        if not any(running.values()):
            return
        time.sleep(0.05)
    raise AssertionError(running)


def test_an_error_of_a_rank_is_what_the_fit_raises(client, ddf):
    def fail():
        raise ZeroDivisionError("of rank 1")

    on_step(client, 1, fail)
    error = assert_fails_cleanly(client, ddf, ZeroDivisionError, "of rank 1")
    assert "rank 1, on the worker tcp://127.0.0.1" in error.__notes__[0]


def test_a_worker_that_dies_and_is_started_anew_is_named(client, ddf):
    on_step(client, 1, lambda: os._exit(1))
    assert_fails_cleanly(client, ddf, RuntimeError, "of rank 1 is gone")


def test_a_rank_that_freezes_is_named(client, ddf):
    # The one that holds what the ranks meet by.
    fit(quick(max_epochs=1), ddf)
    on_step(client, 0, freeze)
    match = rf"No answer for {SHORT} s, .* \(rank 0\): the worker is frozen"
    assert_fails_cleanly(client, ddf, TimeoutError, match, timeout=SHORT)


def test_a_single_rank_whose_process_stops_is_named(client):
    ddf = split(judged_table(), [360])
    fit(quick(max_epochs=1), ddf)
    processes = client.run(os.getpid).values()
    on_step(client, 0, lambda: os.kill(os.getpid(), signal.SIGSTOP))

    def go_on():
        for process in processes:
            os.kill(process, signal.SIGCONT)

    match = rf"No answer for {SHORT} s, .* \(rank 0\): the worker is frozen"
    try:
        assert_fails_cleanly(client, ddf, TimeoutError, match, SHORT, then=go_on)
    finally:
        go_on()


def test_ctrl_c_ends_the_ranks_too(client, ddf):
    process = os.getpid()
    on_step(client, 0, lambda: os.kill(process, signal.SIGINT))
    ranker = quick(max_epochs=10**6)
    # A process that a shell has started in the background ignores Ctrl-C.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(ranker, ddf)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert not hasattr(ranker, "net_")
    assert_nothing_is_left(client)
    mend(client)

    assert_no_rank_runs(client)
    fit(quick(), ddf)


def test_two_fits_at_once_do_not_wait_for_each_other(client, ddf):
    X, _ = parts_of(judged_table())
    expected = [fit(quick(random_state=seed), ddf).predict(X) for seed in range(2)]
    results = {}

    def run(seed):
        results[seed] = fit(quick(random_state=seed), ddf, client=client).predict(X)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_array_equal([results[seed] for seed in range(2)], expected)
