"""Memory that a worker of Dask keeps while it trains."""

import os
import subprocess
import sys

import pytest

from sklearn_pscore._torch import memory

CODE = """
import resource
import numpy as np
from sklearn_pscore._torch.memory import kept_memory

def new_pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        np.ones(2**18)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

new_pages()
before = new_pages()
with kept_memory():
    with kept_memory():
        new_pages()
    inside = new_pages()
print(before, inside, new_pages())
"""


def pages(**environment):
    """Return new pages before, inside and after, of 50 arrays of 512 pages each."""
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(count) for count in done.stdout.split()]


@pytest.mark.skipif(memory._glibc() is None, reason="another C library")
def test_pages_are_kept_inside_and_given_back_afterwards():
    before, inside, after = pages(MALLOC_TRIM_THRESHOLD_="65536")
    assert before > 50 * 500
    assert inside < 1000
    assert after > 50 * 500


def test_nothing_is_changed_where_dask_has_set_nothing(monkeypatch):
    class Library:
        """None of it is called."""

    for value in (None, "", "many"):
        if value is None:
            monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
        else:
            monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", value)
        monkeypatch.setattr(memory, "_glibc", Library)
        assert memory._keep_memory()() is None
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    monkeypatch.setattr(memory, "_glibc", lambda: None)
    assert memory._keep_memory()() is None


def test_another_c_library_is_left_alone(monkeypatch):
    for error in (OSError, TypeError):

        def fail(name, error=error):
            raise error

        monkeypatch.setattr(memory.ctypes, "CDLL", fail)
        assert memory._glibc() is None
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert memory._glibc() is None
