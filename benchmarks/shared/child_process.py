"""One case of a benchmark in a process of its own, for its peak memory.

A script hands its module name and a case to :func:`measure_in_child`; the child
runs the same script, whose :func:`answer_if_asked` measures the case. Peaks are
read from ``/proc``, so these benchmarks need Linux.
"""

import json
import subprocess
import sys
from pathlib import Path

_FLAG = "--case"


def measure_in_child(module, **case):
    """Run one case of a script in a new process; return its values by name."""
    command = [sys.executable, "-m", module, _FLAG, json.dumps(case)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def answer_if_asked(measure):
    """Return whether this process is a child; if so, print ``measure(**case)``."""
    if sys.argv[1:2] != [_FLAG]:
        return False
    print(json.dumps(measure(**json.loads(sys.argv[2]))), flush=True)
    return True


def peak_bytes():
    """Return the most memory that this process has held so far."""
    return _kilobytes("VmHWM") * 1024


def held_bytes():
    """Return the memory that this process holds now."""
    return _kilobytes("VmRSS") * 1024


def reset_peak():
    """Let the peak start again from what is held now."""
    Path("/proc/self/clear_refs").write_text("5")


def _kilobytes(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(f"/proc/self/status has no {name}")
