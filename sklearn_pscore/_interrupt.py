"""Ctrl-C in the command line: one line, and the exit code of a shell."""

import os
import signal
from contextlib import contextmanager

EXIT_CODE = 128 + signal.SIGINT
"""What a shell reports of a program that Ctrl-C ended."""

MESSAGE = "Interrupted."


@contextmanager
def quiet_interrupt():
    """End the process at once if Ctrl-C comes in the block, which only imports.

    As an exception, Ctrl-C would print the stack of the imports, and a library
    that is half imported may turn it into another error, or hide it. No file is
    open yet, and no folder made.
    """
    # A process in the background of a script ignores Ctrl-C, and stays so.
    is_ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_ours:
        signal.signal(signal.SIGINT, _leave)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(number, frame):
    os.write(2, f"{MESSAGE}\n".encode())
    os._exit(EXIT_CODE)
