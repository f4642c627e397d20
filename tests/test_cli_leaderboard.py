"""``pscore leaderboard``: of what people said, and of the learnt score beside it."""

import pandas as pd
import pytest
from cli_cases import ROLES, hand_made, invoke, refused
from numpy.testing import assert_allclose

from sklearn_pscore import Groups
from sklearn_pscore.inspection import bootstrap_leaderboard

FRAME = hand_made()
JUDGED = FRAME[FRAME["liking"].notna()]


@pytest.fixture
def table(tmp_path):
    FRAME.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


def test_people(tmp_path, table):
    out = tmp_path / "board.csv"
    options = ["--block", "actor", "--draws", 300, "--level", 0.9, "-o", out]
    result = invoke("leaderboard", table, *ROLES, *options)
    assert result.exit_code == 0, result.stderr
    names = {"group": "scene", "preference": "liking", "item": "team"}
    board = bootstrap_leaderboard(
        Groups.from_frame(JUDGED, **names),
        cluster=JUDGED["actor"],
        n_boot=300,
        level=0.9,
        random_state=0,
    )
    # Names with commas, quotes and line breaks come back as they are.
    written = pd.read_csv(out)
    assert written["item"].tolist() == board.systems["item"].tolist()
    for column in ("mean", "low", "high", "rank_low", "rank_high"):
        assert_allclose(written[column], board.systems[column])
    lines = result.stdout.splitlines()
    assert "two\\nlines" in result.stdout
    assert max(map(len, lines)) <= 100
    (header,) = (line for line in lines if line.startswith("rank "))
    assert "90 %" in header


@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_as_a_picture(tmp_path, table, ending):
    out = tmp_path / f"b{ending}"
    assert invoke("leaderboard", table, *ROLES, "-o", out).exit_code == 0
    assert out.stat().st_size > 5_000


def test_metrics_are_not_needed(tmp_path):
    FRAME[["scene", "team", "liking"]].to_csv(tmp_path / "t.csv", index=False)
    result = invoke("leaderboard", tmp_path / "t.csv", *ROLES)
    assert result.exit_code == 0


def test_long_names_are_cut_in_the_middle(tmp_path):
    long = FRAME.assign(team="the very same beginning " * 5 + FRAME["team"])
    long.to_csv(tmp_path / "t.csv", index=False)
    lines = invoke("leaderboard", tmp_path / "t.csv", *ROLES).stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert sum("…" in line and "the very" in line for line in lines) == 6


@pytest.mark.parametrize(
    ("frame", "roles", "message"),
    [
        (
            FRAME,
            ROLES[:4],
            "--item is not given; expected the column with the names of",
        ),
        (FRAME[FRAME["team"] == "ours"], ROLES, "has 26 groups of one judged row each"),
        (
            FRAME.assign(team="ours", liking=FRAME.index // 6),
            ROLES,
            "has one system, 'ours', in its judged rows; expected two or more to rank",
        ),
        (FRAME[:6], ROLES, "in one cluster; bootstrap_leaderboard draws clusters"),
        (
            FRAME.assign(team="ours"),
            ROLES,
            "rows of one item in one group share one preference",
        ),
    ],
)
def test_what_cannot_be_ranked_is_told(tmp_path, frame, roles, message):
    frame.to_csv(tmp_path / "t.csv", index=False)
    told = refused("leaderboard", tmp_path / "t.csv", *roles)
    assert message in told
