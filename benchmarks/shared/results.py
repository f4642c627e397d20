"""What every benchmark writes down beside its figures."""

import datetime
import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results"
PACKAGES = ("scikit-learn", "torch", "skorch", "catboost", "numpy")
PEERS = ("lightgbm", "xgboost", "xgboost-cpu", "ranx", "pyarrow")


def machine():
    """Return the date, the machine and the versions of what takes part."""
    return {
        "date": datetime.date.today().isoformat(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **versions(PACKAGES),
        **versions(PEERS),
    }


def versions(packages):
    """Return the versions of those packages that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def n_threads():
    """Return the threads that torch has; peers are given as many."""
    import torch

    return torch.get_num_threads()


def write_rows(name, table):
    """Write raw rows to ``results/name.csv``, and beside it what they ran on."""
    table.to_csv(RESULTS / f"{name}.csv", index=False, float_format="%.5g")
    (RESULTS / f"{name}.machine.json").write_text(
        json.dumps(machine(), indent=1) + "\n"
    )


def write_timings(name, table):
    """Write rows of times, each with the date, cores, threads and versions."""
    on = machine()
    date, cores = on.pop("date"), on.pop("cores")
    table = table.assign(
        date=date,
        cores=cores,
        threads=n_threads(),
        versions=" ".join(f"{package}={number}" for package, number in on.items()),
    )
    table.to_csv(RESULTS / f"{name}.csv", index=False, float_format="%.5g")
