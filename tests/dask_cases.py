"""A small cluster on this machine, and tables for it; the workers import this file."""

from contextlib import contextmanager

import dask.dataframe as dd
import numpy as np
import pandas as pd
from cases import SEED
from distributed import Client, LocalCluster

from sklearn_pscore import Groups

# Seconds: only a fit that hangs reaches them, however busy the machine is.
TIMEOUT = 300
COLUMNS = {"group": "prompt", "preference": "opinion"}


@contextmanager
def local_cluster(set_as_default=True, **kwargs):
    """Yield a client of two workers of one thread each that only this machine reaches."""
    settings = {
        "n_workers": 2,
        "threads_per_worker": 1,
        "host": "127.0.0.1",
        # Any port that is free: others may have clusters, too.
        "dashboard_address": "127.0.0.1:0",
        **kwargs,
    }
    with (
        LocalCluster(silence_logs=50, **settings) as cluster,
        Client(cluster, set_as_default=set_as_default) as client,
    ):
        yield client


def cluster_of_threads():
    """Return the context of a cluster whose workers are threads of this process."""
    return local_cluster(set_as_default=False, processes=False, protocol="tcp://")


def judged_table(n_groups=60, size=6, seed=SEED, n_features=4):
    """Return a table of groups of one size, ordered by a curved score and by chance."""
    rng = np.random.default_rng(seed)
    n_rows = n_groups * size
    X = rng.normal(size=(n_rows, n_features))
    score = X[:, 0] - np.abs(X[:, 1]) + 0.5 * X[:, 2] * X[:, 3]
    frame = pd.DataFrame(X, columns=[f"metric{k}" for k in range(n_features)])
    frame["prompt"] = np.repeat(rng.permutation(n_groups), size)
    frame["opinion"] = np.round(score + 0.5 * rng.normal(size=n_rows), 1)
    return frame


def split(frame, sizes):
    """Return a dask DataFrame with partitions of these numbers of rows."""
    ends = np.cumsum(sizes)
    assert ends[-1] == len(frame)
    parts = [
        frame.iloc[end - size : end] for size, end in zip(sizes, ends, strict=True)
    ]
    return dd.from_map(lambda part: part, parts, meta=frame.iloc[:0])


def parts_of(frame, block=None):
    """Return features and target of a table."""
    groups = Groups.from_frame(frame, **COLUMNS, block=block)
    features = [name for name in frame if name not in {*COLUMNS.values(), block}]
    return frame[features], groups
