"""``pscore data``: data sets as tables, which other commands take as they are."""

import os
from pathlib import Path

import pandas as pd
import pytest
from cli_cases import invoke, refused
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore.datasets import fetch_thqa, fetch_thqa_ntire, make_head_challenge

DATA_HOME = Path(os.environ.get("SKLEARN_PSCORE_DATA", "no-such-folder"))


def test_a_challenge(tmp_path):
    out = tmp_path / "challenge.csv"
    result = invoke("data", "challenge", "-o", out)
    assert result.exit_code == 0, result.stderr
    written, columns = result.stdout.splitlines()
    frame = pd.read_csv(out)
    assert written == f"Written to {out}: {len(frame)} rows"
    assert columns == (
        "Its columns: --group challenge --preference opinion --item team --drop award"
    )
    bunch = make_head_challenge("talking", n_challenges=40, random_state=0)
    kept = ~bunch.groups["donor"]
    # Older versions of pandas round the last digit of what they read.
    opinion = bunch.groups_full["preference"][kept]
    assert_allclose(frame["opinion"], opinion, rtol=1e-13)
    assert_array_equal(frame["award"], bunch.groups["preference"][kept] == 10)
    assert_allclose(frame[bunch.feature_names], bunch.data[kept], rtol=1e-13)
    message = "which is there already; expected a new file"
    assert message in refused("data", "challenge", "-o", out)
    assert "Invalid value for" in refused("data", "thqua", "-o", tmp_path / "t.csv")


@pytest.mark.skipif(
    not (DATA_HOME / "thqa" / "vvmf_results_a01.csv").exists(),
    reason="THQA is not in the folder named by SKLEARN_PSCORE_DATA",
)
def test_thqa_as_a_table_and_by_name_are_one(tmp_path):
    out = tmp_path / "thqa.jsonl"
    result = invoke("data", "thqa", "-o", out, "--data-home", DATA_HOME)
    options = result.stdout.splitlines()[1].removeprefix("Its columns: ").split()
    assert options[:4] == ["--group", "prompt", "--preference", "mos"]
    thqa = fetch_thqa(data_home=DATA_HOME)
    assert f"{len(thqa.data)} rows" in result.stdout
    by_file = invoke("leaderboard", out, *options, "--draws", 100)
    home = ["--data-home", DATA_HOME]
    by_name = invoke("leaderboard", "--data", "thqa", *home, "--draws", 100)
    assert by_file.stdout == by_name.stdout
    assert "8 systems in 100 groups, intervals over 20 clusters" in by_name.stdout


@pytest.mark.skipif(
    not (DATA_HOME / "thqa_ntire").exists(),
    reason="THQA-NTIRE is not in the folder named by SKLEARN_PSCORE_DATA",
)
def test_thqa_ntire_has_no_metrics(tmp_path):
    home = ["--data-home", DATA_HOME]
    result = invoke("leaderboard", "--data", "thqa-ntire", *home, "--draws", 100)
    n_groups = len(set(fetch_thqa_ntire(data_home=DATA_HOME).groups["group"]))
    assert f"14 systems in {n_groups} groups" in result.stdout
    message = "data set thqa-ntire has no metric: no other column holds numbers"
    options = ["--data", "thqa-ntire", *home, "-o", tmp_path / "m.skops"]
    assert message in refused("fit", *options)


def test_data_that_are_not_at_hand(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr("pooch.retrieve", offline)
    message = refused("leaderboard", "--data", "thqa", "--data-home", tmp_path / "no")
    assert message.startswith("THQA is not at ")
    assert not (tmp_path / "no").exists()
