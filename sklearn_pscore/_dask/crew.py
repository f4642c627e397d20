"""Tasks that belong together, each on a worker of its own, watched by the client."""

from collections import deque
from contextlib import suppress
from time import monotonic, sleep
from uuid import uuid4

from sklearn_pscore._dask.tasks import StoppedError, forget, run_apart, stop

# Seconds between two looks at the tasks.
_PAUSE = 0.02
# Seconds between two questions who is there.
_ROLL_CALL = 0.5
# Of the timeout: how long tasks wait for each other, and how long the client then waits
# for the error that the first of their errors comes from.
_SHARE_OF_TASKS, _SHARE_OF_GRACE = 0.7, 0.2
# Seconds of that at most: errors of one cause come within moments.
_MOST_GRACE = 10.0


class Crew:
    """One worker for each rank, and what runs on them.

    A context manager: when the block ends, however it does, nothing of it is left on
    the cluster, but for a thread that does not come back. Results are waited for by
    looking at them again and again. To wait for a result itself would never end where a
    worker has died, since its tasks may not go to another.

    Parameters
    ----------
    client : distributed.Client
    caller : str
        Name of the method, for messages.
    timeout : float
        Seconds after which a worker that has not told anything is given up.
    follows : type
        Kind of the errors that follow from an error in another rank.
    on_tick : callable, default=None
        Called with what a task tells, a dict.

    Attributes
    ----------
    name : str
        Of the fit, no other has it.
    workers : list of str
        Address of each rank's worker; to be set before tasks are.
    timeout_of_tasks : float
        Seconds that ranks are to wait for each other.
    """

    def __init__(self, client, caller, timeout, follows, on_tick=None):
        self.client = client
        self.caller = caller
        self.timeout = timeout
        self.follows = follows
        self.on_tick = on_tick
        self.name = f"fit_dask-{uuid4().hex}"
        self.workers = []
        self.timeout_of_tasks = _SHARE_OF_TASKS * timeout
        self._futures = []
        self._has_run = set()
        self._ticks = deque()
        self._last_tick = monotonic()

    def __enter__(self):
        self.client.subscribe_topic(self.name, self._note_tick)
        return self

    def __exit__(self, kind, error, traceback):
        try:
            self.client.unsubscribe_topic(self.name)
            if kind is not None:
                self.give_up()
            # Not by cancel(), which takes what depends on them from others, too.
            self.drop(self._futures[::-1])
            if kind is None:
                self._tell(forget)
        except Exception:
            # The scheduler may be gone; what was raised inside tells more.
            if kind is None:
                raise

    def give_up(self):
        """Let the tasks that run raise at their next tick."""
        self._tell(stop)

    def keep(self, futures):
        """Let futures be released with the rest when the block ends."""
        self._futures += futures
        return futures

    def drop(self, futures):
        """Give up futures, so that the cluster can free what they hold."""
        gone = {future.key for future in futures}
        self._futures = [f for f in self._futures if f.key not in gone]
        for future in futures:
            future.release()

    def submit(self, rank, function, *args):
        """Return the future of a task on the worker of a rank.

        Parameters
        ----------
        rank : int
        function : callable
        *args : object
            With futures among them, whose results it is given.
        """
        future = self._submit(self.workers[rank], function, *args)
        self._has_run.add(self.workers[rank])
        return future

    def submit_apart(self, rank, function, *args):
        """Return the future of a task that waits for others, see :func:`run_apart`."""
        return self.submit(rank, run_apart, self.name, function, *args)

    def on_workers(self, workers, function, *args):
        """Return the futures of a task on each of some workers."""
        return [self._submit(worker, function, *args) for worker in workers]

    def _submit(self, worker, function, *args):
        future = self.client.submit(
            function,
            *args,
            key=f"{self.name}-{function.__name__}-{uuid4().hex}",
            workers=[worker],
            allow_other_workers=False,
            retries=0,
            pure=False,
        )
        self._futures.append(future)
        return future

    def results(self, futures, workers=None):
        """Return the results of tasks; see :meth:`wait`."""
        self.wait(futures, workers)
        try:
            return [future.result(timeout=self.timeout) for future in futures]
        except TimeoutError:
            workers = self.workers if workers is None else workers
            raise self._first_error(futures, workers) from None

    def wait(self, futures, workers=None):
        """Wait until all tasks have ended, or raise the first real error of one.

        Parameters
        ----------
        futures : list of Future
        workers : list of str or None, default=None
            Where each runs; None is the worker of each rank.

        Raises
        ------
        TimeoutError
            If a worker has told nothing for `timeout` seconds.
        RuntimeError
            If a worker has died.
        Exception
            That of a task.
        """
        workers = self.workers if workers is None else workers
        self._last_tick = monotonic()
        next_call = 0.0
        while True:
            states = [future.status for future in futures]
            if all(state == "finished" for state in states):
                self._hand_on_ticks()
                return
            if any(state not in ("pending", "finished") for state in states):
                break
            now = monotonic()
            if now >= next_call:
                if self._lost(workers):
                    break
                next_call = now + _ROLL_CALL
            self._hand_on_ticks()
            if now - self._last_tick > self.timeout:
                break
            sleep(_PAUSE)
        raise self._first_error(futures, workers)

    def _first_error(self, futures, workers):
        """Return the error that the others follow from, as far as it can be told."""
        until = monotonic() + min(_MOST_GRACE, _SHARE_OF_GRACE * self.timeout)
        while True:
            errors = [_error_of(future) for future in futures]
            for rank, error in enumerate(errors):
                if error is not None and not isinstance(
                    error, (self.follows, StoppedError)
                ):
                    return self._located(error, rank, workers)
            lost = self._lost(workers)
            if lost:
                rank = workers.index(lost[0])
                return RuntimeError(
                    f"The worker {lost[0]} of rank {rank} is gone, in {self.caller}: it "
                    "died, ran out of memory, or was restarted. Look at its log; fit anew "
                    "once it is back, or with fewer rows for each worker."
                )
            if monotonic() > until:
                break
            sleep(_PAUSE)
        silent = [
            rank
            for rank, future in enumerate(futures)
            if errors[rank] is None and future.status != "finished"
        ]
        if silent:
            told = ", ".join(f"{workers[rank]} (rank {rank})" for rank in silent)
            return TimeoutError(
                f"No answer for {self.timeout:g} s, in {self.caller}, from {told}: the "
                "worker is frozen, cannot be reached by the others, or has its threads "
                "busy with other tasks. Restart it, or raise timeout if it is only slow."
            )
        told = ", ".join(
            f"{workers[rank]} (rank {rank}): {error}"
            for rank, error in enumerate(errors)
            if error is not None
        )
        return RuntimeError(
            f"The workers of {self.caller} did not reach each other, or not any more: "
            f"{told}. Expected that each reaches all others by TCP. Check the network "
            "between them, or fit on one worker."
        )

    def _located(self, error, rank, workers):
        error.add_note(f"In {self.caller}, rank {rank}, on the worker {workers[rank]}.")
        return error

    def _lost(self, workers):
        there = self.client.nthreads()
        return [worker for worker in workers if worker not in there]

    def loaded(self, futures):
        """Return the results of tasks that may go to any worker, and may take long.

        Where a worker dies, others do its part; only if none is left for `timeout`
        seconds, that is an error.
        """
        self.keep(futures)
        last_seen = monotonic()
        while not all(future.status == "finished" for future in futures):
            for future in futures:
                error = _error_of(future)
                if error is not None:
                    raise error
            if self.client.nthreads():
                last_seen = monotonic()
            elif monotonic() - last_seen > self.timeout:
                raise TimeoutError(
                    f"The cluster has had no worker for {self.timeout:g} s, while "
                    f"{self.caller} waited for the table. Start workers."
                )
            sleep(_PAUSE)
        return futures

    def _note_tick(self, event):
        # In the thread of the client's messages.
        self._last_tick = monotonic()
        self._ticks.append(event[1])

    def _hand_on_ticks(self):
        while self._ticks:
            tick = self._ticks.popleft()
            if self.on_tick is not None:
                self.on_tick(tick)

    def _tell(self, function):
        """Call a function in the processes of all workers, without waiting for it."""
        workers = [worker for worker in self._has_run if not self._lost([worker])]
        client, name = self.client, self.name

        async def tell():
            # The fit ends one way or the other: a worker may be frozen, or have gone.
            with suppress(Exception):
                await client.run(
                    function, name, workers=workers, wait=False, on_error="ignore"
                )

        if workers:
            client.loop.add_callback(tell)


def _error_of(future):
    """Return the error of a task, None if it has none so far."""
    if future.status == "error":
        return future.exception()
    if future.status in ("cancelled", "lost"):
        return RuntimeError(f"The task {future.key} was {future.status} by others.")
    return None
