"""What every benchmark writes down beside its figures."""

import datetime
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("scikit-learn", "torch", "skorch", "catboost", "numpy")


def write_rows(name, table):
    """Write raw rows to ``results/name.csv``, and beside it what they ran on."""
    machine = {
        "date": datetime.date.today().isoformat(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }
    table.to_csv(RESULTS / f"{name}.csv", index=False, float_format="%.5g")
    (RESULTS / f"{name}.machine.json").write_text(json.dumps(machine, indent=1) + "\n")
