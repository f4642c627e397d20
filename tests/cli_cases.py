"""The command line as tests run it, and a table that a user may have made by hand."""

import inspect
import signal
from contextlib import contextmanager

import numpy as np
import pandas as pd
from typer.testing import CliRunner

from sklearn_pscore._cli.app import app

ROLES = ["--group", "scene", "--preference", "liking", "--item", "team"]
METRICS = ["sharp", "noise", "lips", "blink", "smile", "gaze", "fid", "psnr", "wer"]


def invoke(*arguments):
    """Return the result of a command, which never shows a traceback."""
    # Before click 8.2 it mixes what is printed to the two streams unless told not to.
    has_mix = "mix_stderr" in inspect.signature(CliRunner.__init__).parameters
    runner = CliRunner(**({"mix_stderr": False} if has_mix else {}))
    result = runner.invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def refused(*arguments):
    """Return the one line in which a command says what is wrong."""
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    *before, line = result.stderr.splitlines()
    assert all(not each.startswith("Error") for each in before)
    assert line.startswith("Error: ")
    assert result.stdout == ""
    return line.removeprefix("Error: ")


def hand_made():
    """Return a table of 6 systems, 30 scenes, and 10 metrics of names of their own.

    People like large `sharp`, small `noise` and `lips` near 2. A tenth of the opinions
    is missing, a fifth of `fid`; `size` is the same in all rows.
    """
    rng = np.random.default_rng(0)
    scene, team = np.divmod(np.arange(180), 6)
    frame = pd.DataFrame(rng.normal(size=(180, 9)), columns=METRICS)
    frame["sharp"] += team / 3
    frame["lips"] += 2
    liking = 2 * frame["sharp"] - frame["noise"] - (frame["lips"] - 2) ** 2
    frame.loc[rng.random(180) < 0.2, "fid"] = np.nan
    frame["size"] = 512
    named = {
        "scene": [f"scene {number}, take 1" for number in scene],
        "team": np.array(["ours", "a,b", 'x "y"', "<b>z</b>", "two\nlines", "Ä"])[team],
        "actor": [f"actor {number // 3}" for number in scene],
        "liking": liking.where(rng.random(180) > 0.1).round(3),
        "notes": "fine",
    }
    return pd.concat([pd.DataFrame(named), frame], axis=1)


@contextmanager
def taking_interrupts():
    """Let programs that are started in the block take Ctrl-C, as from a terminal.

    Tests that run in the background ignore it, and what they start would, too. Not by
    a function before exec, for which a process with threads may wait for ever.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
