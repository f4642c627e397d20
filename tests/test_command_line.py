"""The command line where data are judged on folds, and as a program.

Its tables and pictures are tested in test_experiments.py.
"""

import runpy
import sys

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from sklearn_pscore import Groups, __main__
from sklearn_pscore._experiments import Experiment


class TwoMethods(Experiment):
    """An experiment without the slow methods."""

    def rankers(self):
        rankers = super().rankers()
        return {name: rankers[name] for name in ("RS", "PS")}


def test_data_without_test_rows_are_judged_on_folds(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(40, 2)), columns=["SSIM", "FID"])
    groups = Groups.from_arrays(
        group=np.arange(40) // 4, preference=rng.normal(size=40)
    )
    experiment = TwoMethods(
        "THQA",
        X,
        groups,
        directions={"SSIM": "larger", "FID": "smaller"},
        cv_groups=np.arange(40) // 8,
        protocol="Judged on 5 folds.",
    )
    monkeypatch.setattr(
        "sklearn_pscore._experiments.thqa_experiment", lambda data_home: experiment
    )
    result = CliRunner().invoke(
        __main__.app, ["compare", "--runs", "1", "--out", str(tmp_path)]
    )
    assert result.exit_code == 0, result.output
    assert "Data: THQA. Judged on 5 folds.\n" in result.output
    runs = pd.read_csv(tmp_path / "runs.csv")
    assert set(runs.loc[runs["method"] == "PS", "fold"]) == {0, 1, 2, 3, 4}
    assert (tmp_path / "leaderboard-thqa.png").exists()


def test_runs_as_a_program(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["sklearn_pscore", "--help"])
    with pytest.raises(SystemExit, match="^0$"):
        runpy.run_path(__main__.__file__, run_name="__main__")
    assert "compare" in capsys.readouterr().out
