"""Which of several errors a crew of tasks raises. Its workers are threads here."""

import re
import time
from threading import Event

import pytest
from dask_cases import TIMEOUT, cluster_of_threads, local_cluster

from sklearn_pscore._dask.crew import Crew
from sklearn_pscore._dask.tasks import StoppedError, kept


class FollowsError(RuntimeError):
    """What happens to others where one fails."""


@pytest.fixture(scope="module")
def client():
    with cluster_of_threads() as client:
        yield client


def crew_of(client, timeout=TIMEOUT, **kwargs):
    crew = Crew(client, "here", timeout, FollowsError, **kwargs)
    crew.workers = sorted(client.nthreads())
    return crew


# What tasks call: threads of this process need not send it.
events = {}


def call_event(tick, name):
    return events[name](tick)


def raise_after(tick, seconds, error):
    time.sleep(seconds)
    raise error


def test_the_first_real_error_comes_before_those_that_follow(client):
    follows, real = FollowsError("closed by peer"), ZeroDivisionError("first")
    for delays in ((0.0, 0.5), (0.5, 0.0)):
        with crew_of(client) as crew:
            futures = [
                crew.submit_apart(0, raise_after, delays[0], follows),
                crew.submit_apart(1, raise_after, delays[1], real),
            ]
            with pytest.raises(ZeroDivisionError, match="first") as caught:
                crew.results(futures)
        expected = f"In here, rank 1, on the worker {crew.workers[1]}."
        assert caught.value.__notes__ == [expected]


def test_errors_that_only_follow_tell_of_the_network(client):
    with crew_of(client, timeout=2) as crew:
        futures = [
            crew.submit_apart(rank, raise_after, 0.0, FollowsError(f"closed by {rank}"))
            for rank in range(2)
        ]
        expected = "The workers of here did not reach each other, or not any more: "
        with pytest.raises(RuntimeError, match=re.escape(expected)) as caught:
            crew.results(futures)
    assert "(rank 0): closed by 0" in str(caught.value)
    assert "(rank 1): closed by 1" in str(caught.value)


def test_ticks_keep_a_slow_task_alive_and_reach_the_client(client):
    told = []
    with crew_of(client, timeout=5, on_tick=told.append) as crew:

        def be_slow(tick):
            for step in range(24):
                tick(step=step)
                time.sleep(0.25)
            return "done"

        assert crew.results([crew.submit_apart(0, be_slow)]) == ["done"]
    assert [facts["step"] for facts in told if "step" in facts] == list(range(24))
    assert {facts["worker"] for facts in told} == {crew.workers[0]}


def test_a_task_that_is_silent_is_given_up(client):
    has_thawed, stopped = Event(), Event()

    def freeze(tick):
        has_thawed.wait(TIMEOUT)
        try:
            while True:
                tick()
        except StoppedError:
            stopped.set()

    # The threads of this process share the events.
    events.update(freeze=freeze, done=lambda tick: None)
    match = r"No answer for 1 s, in here, from tcp://.* \(rank 1\)"
    with crew_of(client, timeout=1) as crew:
        names = enumerate(["done", "freeze"])
        futures = [crew.submit_apart(k, call_event, name) for k, name in names]
        with pytest.raises(TimeoutError, match=match):
            crew.results(futures)
        crew.give_up()
        has_thawed.set()
        assert stopped.wait(TIMEOUT)


def test_a_task_that_others_cancel(client):
    with crew_of(client, timeout=2) as crew:
        futures = [crew.submit_apart(0, raise_after, 1.0, FollowsError())]
        client.cancel(futures)
        with pytest.raises(RuntimeError, match="was cancelled by others"):
            crew.results(futures)


def test_a_crew_leaves_nothing_and_gives_back_what_is_kept(client):
    with crew_of(client) as crew:
        future = crew.submit(0, kept, crew.name)
        assert crew.results([future]) == [{}]
        crew.keep(client.scatter([1, 2]))
    for _ in range(200):
        names = client.run_on_scheduler(
            lambda dask_scheduler: list(dask_scheduler.tasks)
        )
        if not names:
            break
        time.sleep(0.05)
    assert names == []
    with pytest.raises(ZeroDivisionError), crew_of(client):
        raise ZeroDivisionError


def test_a_cluster_that_loses_its_workers_while_it_makes_the_table():
    with local_cluster(
        n_workers=0, set_as_default=False, processes=False, protocol="tcp://"
    ) as empty:
        futures = [empty.submit(len, [])]
        expected = "has had no worker for 0.5 s, while here waited for the table"
        with crew_of(empty, 0.5) as crew, pytest.raises(TimeoutError, match=expected):
            crew.loaded(futures)


def test_a_block_that_ends_well_tells_what_cannot_be_cleaned_up(client, monkeypatch):
    def fail(topic):
        raise OSError("the scheduler is gone")

    monkeypatch.setattr(client, "unsubscribe_topic", fail)
    with pytest.raises(OSError, match="the scheduler is gone"), crew_of(client):
        pass
    # What was raised inside tells more.
    with pytest.raises(ZeroDivisionError), crew_of(client):
        raise ZeroDivisionError
