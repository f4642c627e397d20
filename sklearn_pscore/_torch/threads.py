"""Limits on the threads of this process, shared by calls that overlap."""

from contextlib import contextmanager
from functools import lru_cache
from threading import Lock

from threadpoolctl import ThreadpoolController


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


def _limit_blas():
    limiter = _threadpools().limit(limits=1, user_api="blas")
    return limiter.restore_original_limits


@lru_cache(maxsize=1)
def _threadpools():
    """Return the thread pools of this process, once: it takes milliseconds."""
    return ThreadpoolController()


one_blas_thread = SharedLimit(_limit_blas)
"""Context manager: the BLAS of numpy and scipy uses one thread."""
