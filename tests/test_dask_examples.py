"""The examples run, on workers that are threads of this process."""

import runpy
import sys
from functools import partial
from pathlib import Path

import dask.distributed
import numpy as np
import pandas as pd
import skops.io
from dask_cases import local_cluster

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(monkeypatch, name, *arguments):
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def test_a_cluster_of_this_machine(monkeypatch, tmp_path, capsys):
    made = runpy.run_path(str(EXAMPLES / "dask_local_cluster.py"))
    files = tmp_path / "judged"
    files.mkdir()
    made["make_files"](files, n_files=3, n_prompts=10)
    threads = {"processes": False, "protocol": "tcp://", "host": "127.0.0.1"}
    cluster = partial(
        dask.distributed.LocalCluster, dashboard_address="127.0.0.1:0", **threads
    )
    monkeypatch.setattr(dask.distributed, "LocalCluster", cluster)
    run(monkeypatch, "dask_local_cluster.py", files)
    report, where = capsys.readouterr().out.splitlines()
    assert report.startswith("30 prompts, ")
    assert where == f"Scores are in {tmp_path / 'judged-scored'}"
    scored = sorted((tmp_path / "judged-scored").glob("*.parquet"))
    assert len(scored) == 3
    table = pd.concat([pd.read_parquet(path) for path in scored])
    assert len(table) == 180
    assert np.isfinite(table["score"]).all()
    # Without a folder it makes one, which is gone then, and with it the scores.
    run(monkeypatch, "dask_local_cluster.py")
    (report,) = capsys.readouterr().out.splitlines()
    assert report.startswith("400 prompts, ")


def test_a_cluster_that_runs(monkeypatch, tmp_path, capsys):
    made = runpy.run_path(str(EXAMPLES / "dask_local_cluster.py"))
    made["make_files"](tmp_path, n_files=2, n_prompts=10)
    model = tmp_path / "model.skops"
    with local_cluster(
        set_as_default=False, processes=False, protocol="tcp://"
    ) as client:
        address = client.scheduler.address
        run(monkeypatch, "dask_scheduler.py", address, tmp_path, model)
    assert capsys.readouterr().out.startswith("20 prompts, ")
    loaded = skops.io.load(model, trusted=skops.io.get_untrusted_types(file=model))
    assert loaded.n_features_in_ == 3
