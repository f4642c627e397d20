"""Memory that is freed and asked for again in every step, kept by the process."""

import ctypes
import os

from sklearn_pscore._torch.threads import SharedLimit

# By which Dask lets its workers give back whatever they free.
_VARIABLE = "MALLOC_TRIM_THRESHOLD_"
# Parameters of mallopt in glibc, the defaults, and what is kept: the second is the most
# that it takes. No benchmark varies them.
_TRIM, _MMAP = -1, -3
_DEFAULT_MMAP, _KEPT_TRIM, _KEPT_MMAP = 2**17, 2**30, 2**25


def _keep_memory():
    """Let the process keep freed memory; return a function that undoes it."""
    given = os.environ.get(_VARIABLE, "")
    glibc = _glibc()
    # Without the variable malloc finds out by itself what to keep.
    if glibc is None or not given.isdigit():
        return lambda: None
    glibc.mallopt(_TRIM, _KEPT_TRIM)
    glibc.mallopt(_MMAP, _KEPT_MMAP)

    def give_back():
        glibc.mallopt(_MMAP, _DEFAULT_MMAP)
        glibc.mallopt(_TRIM, int(given))
        glibc.malloc_trim(0)

    return give_back


def _glibc():
    """Return the C library, None where it is another one."""
    try:
        library = ctypes.CDLL(None)
        return library if library.mallopt and library.malloc_trim else None
    except (AttributeError, OSError, TypeError):
        return None


kept_memory = SharedLimit(_keep_memory)
"""Context manager: memory that is freed is kept for the next step.

A worker of Dask gives back each array of a step as it is freed, and has new pages for
the next one, which takes more time than all arithmetic of a small network.
"""
