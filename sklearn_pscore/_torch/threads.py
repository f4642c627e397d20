"""Limits on the threads of this process, shared by calls that overlap."""

from contextlib import contextmanager, nullcontext
from functools import lru_cache
from threading import Lock, local

import torch
from threadpoolctl import ThreadpoolController

# Multiplications of a batch with the weights of all members up to which several
# threads gain little where they have the cores to themselves, and lose much where
# other programs use them too. By the times of benchmarks/speed/threads.py.
_MOST_FOR_ONE_THREAD = 3 * 2**20


class SharedLimit:
    """A limit that the first of several overlapping blocks sets, and the last lifts.

    Numbers of threads are of the whole process: were each block to restore what it
    found, one that began inside another would restore the limit.

    Parameters
    ----------
    set_limit : callable
        Sets the limit, and returns a function that lifts it.
    """

    def __init__(self, set_limit):
        self._set_limit = set_limit
        self._lift = None
        self._n_inside = 0
        self._lock = Lock()

    @contextmanager
    def __call__(self):
        """Keep the limit inside the block, also if it raises."""
        with self._lock:
            if self._n_inside == 0:
                self._lift = self._set_limit()
            self._n_inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_inside -= 1
                if self._n_inside == 0:
                    self._lift()


class OneTorchThread:
    """Let torch use one thread in the thread of Python that is inside the block.

    torch has a number for each thread of Python, and sets that of a new one to the
    number that was set last anywhere. So every block sets the number of its own
    thread and gives it back; a thread that took over the limit of another when it
    began gets the number of before. One that begins to use torch while a block runs
    elsewhere, and enters none itself, keeps one thread.
    """

    def __init__(self):
        self._lock = Lock()
        self._n_inside = 0
        self._of_before = None
        self._here = local()

    @contextmanager
    def __call__(self):
        """Keep the limit inside the block, also if it raises."""
        if getattr(self._here, "is_inside", False):
            yield
            return
        with self._lock:
            own = torch.get_num_threads()
            if self._n_inside == 0:
                self._of_before = own
            elif own == 1:
                own = self._of_before
            self._n_inside += 1
            torch.set_num_threads(1)
        self._here.is_inside = True
        try:
            yield
        finally:
            self._here.is_inside = False
            with self._lock:
                self._n_inside -= 1
                torch.set_num_threads(own)


one_torch_thread = OneTorchThread()
"""Context manager: torch uses one thread in this thread of Python."""


def threads_for(n_rows, network):
    """Return the context in which to put `n_rows` at a time through a network.

    Waking threads takes as long as a small product, and on cores that others use
    each waits for the slowest.
    """
    n_weights = sum(parameter.numel() for parameter in network.parameters())
    is_small = n_rows * n_weights <= _MOST_FOR_ONE_THREAD
    return one_torch_thread() if is_small else nullcontext()


def _limit_blas():
    limiter = _threadpools().limit(limits=1, user_api="blas")
    return limiter.restore_original_limits


@lru_cache(maxsize=1)
def _threadpools():
    """Return the thread pools of this process, once: it takes milliseconds."""
    return ThreadpoolController()


one_blas_thread = SharedLimit(_limit_blas)
"""Context manager: the BLAS of numpy and scipy uses one thread."""
