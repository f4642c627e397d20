"""One case of a benchmark in a process of its own, for its peak memory.

A script calls :func:`in_fresh_process` with its own module name; the child finds the
case by :func:`asked_case` and answers by :func:`answer`. Peaks are read from
``/proc``, so these benchmarks need Linux.
"""

import json
import subprocess
import sys
from pathlib import Path

_FLAG = "--case"


def in_fresh_process(module, **case):
    """Run one case of a script in a new process; return what it answered."""
    command = [sys.executable, "-m", module, _FLAG, json.dumps(case)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def asked_case():
    """Return the case that this process is to run, None in the parent."""
    return json.loads(sys.argv[2]) if sys.argv[1:2] == [_FLAG] else None


def answer(**values):
    """Tell the parent what was measured."""
    print(json.dumps(values), flush=True)


def peak_bytes():
    """Return the most memory that this process has held so far."""
    return _kilobytes("VmHWM") * 1024


def held_bytes():
    """Return the memory that this process holds now."""
    return _kilobytes("VmRSS") * 1024


def forget_peak():
    """Let the peak start anew from what is held now."""
    Path("/proc/self/clear_refs").write_text("5")


def _kilobytes(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(f"/proc/self/status has no {name}")
