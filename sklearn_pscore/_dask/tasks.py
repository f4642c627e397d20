"""What runs on a worker: a task that leaves its thread to others, and can be stopped."""

from threading import Event, Lock
from time import monotonic

# What fits keep in this process between their tasks, by their names.
_kept = {}
_lock = Lock()
# Seconds between two signs of life.
_PULSE = 0.5


class StoppedError(RuntimeError):
    """Raised in a task of a fit that has been given up."""


def run_apart(fit, function, *args):
    """Call a function in a thread that the worker does not count.

    Tasks that wait for each other would never end where another fit's tasks have
    the threads that theirs need.

    Parameters
    ----------
    fit : str
        Name of the fit.
    function : callable
        ``function(tick, *args)``, where ``tick(**facts)`` tells the client that it goes
        on, and raises :class:`StoppedError` where the fit has been given up.
    *args : object
    """
    from distributed import get_worker, secede

    secede()
    worker = get_worker()
    is_stopped = kept(fit).setdefault("stop", Event()).is_set
    last = -_PULSE

    def tick(**facts):
        nonlocal last
        if is_stopped():
            raise StoppedError("The fit has been given up.")
        now = monotonic()
        if facts or now - last >= _PULSE:
            last = now
            worker.log_event(fit, {"worker": worker.address, **facts})

    tick()
    return function(tick, *args)


def kept(fit):
    """Return the dict of what a fit keeps in this process."""
    with _lock:
        return _kept.setdefault(fit, {})


# A worker that is asked to call a coroutine does so at once, and needs no thread for it.
async def stop(fit):
    """Let the tasks of a fit in this process raise at their next tick."""
    kept(fit).setdefault("stop", Event()).set()


async def forget(fit):
    """Forget a fit that has ended."""
    with _lock:
        _kept.pop(fit, None)


def host_of_worker():
    """Return the name or address that other workers reach this one by."""
    from distributed import get_worker
    from distributed.comm import get_address_host

    return get_address_host(get_worker().address)
