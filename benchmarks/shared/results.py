"""Raw rows in ``results/``, with the machine and the versions."""

import datetime
import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).parents[1] / "results"
PACKAGES = ("scikit-learn", "torch", "skorch", "catboost", "numpy")
PEERS = ("lightgbm", "xgboost", "xgboost-cpu", "ranx", "pyarrow", "dask")


def machine():
    """Return the date, the cores, and the versions of Python and the packages."""
    return {
        "date": datetime.date.today().isoformat(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **installed_versions(PACKAGES),
        **installed_versions(PEERS),
    }


def installed_versions(packages):
    """Return the versions of those packages that are installed."""
    versions = {}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def n_threads():
    """Return the threads of torch, OMP_NUM_THREADS if set; peers get as many."""
    import torch

    return torch.get_num_threads()


def read_rows(name):
    """Return the rows of ``results/NAME.csv``, an empty frame if there is none."""
    path = RESULTS / f"{name}.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def write_rows(name, rows):
    """Write rows to ``results/NAME.csv``, and the machine to a file beside it."""
    write_csv(name, rows)
    path = RESULTS / f"{name}.machine.json"
    path.write_text(json.dumps(machine(), indent=1) + "\n")


def write_timings(name, rows):
    """Write rows of times, each with the date, cores, threads and versions."""
    write_csv(name, timed(rows))


def timed(rows):
    """Return rows with the date, cores, threads and versions of now."""
    made_on = machine()
    date, cores = made_on.pop("date"), made_on.pop("cores")
    return rows.assign(
        date=date, cores=cores, threads=n_threads(), versions=one_line(made_on)
    )


def one_line(versions):
    """Return versions by package as one line of text."""
    return " ".join(f"{package}={number}" for package, number in versions.items())


def write_csv(name, rows):
    """Write rows to ``results/NAME.csv``, as they are."""
    rows.to_csv(RESULTS / f"{name}.csv", index=False, float_format="%.5g")
