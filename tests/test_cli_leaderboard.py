"""``pscore leaderboard``: of what people said, and of the learnt score beside it."""

import pandas as pd
import pytest
from cli_cases import METRICS, ROLES, hand_made, invoke, refused
from numpy.testing import assert_allclose

from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore._cli.output import text_table
from sklearn_pscore._cli.rankers import QUICK
from sklearn_pscore.inspection import bootstrap_leaderboard, cross_fitted_scores

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


def test_numbers_stand_to_the_right_where_one_has_no_end():
    shown = text_table(pd.DataFrame({"item": ["a", "b"], "more groups": ["inf", "7"]}))
    assert shown == "item  more groups\na             inf\nb               7"


@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_as_a_picture(tmp_path, table, ending):
    out = tmp_path / f"b{ending}"
    assert invoke("leaderboard", table, *ROLES, "-o", out).exit_code == 0
    assert out.stat().st_size > 5_000


def test_metrics_are_not_needed(tmp_path):
    FRAME[["scene", "team", "liking"]].to_csv(tmp_path / "t.csv", index=False)
    result = invoke("leaderboard", tmp_path / "t.csv", *ROLES)
    assert result.exit_code == 0
    message = "has no metric: no other column holds numbers; expected at least one"
    assert message in refused("leaderboard", tmp_path / "t.csv", *ROLES, "--learnt")


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
        (
            FRAME[:6],
            ROLES,
            "has one group, 'scene 0, take 1', in its judged rows; expected two or more, "
            "for intervals are by drawing groups. Name another column as --group.",
        ),
        (
            FRAME[:18],
            [*ROLES, "--block", "actor"],
            "has one block, 'actor 0', in its judged rows; expected two or more",
        ),
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


def test_the_learnt_score_beside_people(tmp_path, table):
    out = tmp_path / "board.csv"
    options = ["--learnt", "--quick", "--folds", 2, "--refits", 5, "--draws", 200]
    result = invoke("leaderboard", table, *ROLES, *options, "-o", out)
    assert result.exit_code == 0, result.stderr
    assert "Learning 12 rankers" in result.stderr
    groups = Groups.from_frame(FRAME, group="scene", preference="liking", item="team")
    scores = cross_fitted_scores(
        PairwisePreferenceRanker(random_state=0, **QUICK),
        FRAME[[*METRICS, "size"]],
        groups,
        cv=2,
        n_refits=5,
        random_state=0,
    )
    board = bootstrap_leaderboard(
        groups, scores.y_score, y_refits=scores.y_refits, n_boot=200, random_state=0
    )
    # Unjudged rows are scored: all 30 groups count.
    written = pd.read_csv(out).set_index("item")
    expected = board.systems.set_index("item")
    for column in ("mean", "low", "high", "rank_low", "rank_high", "n_groups"):
        assert_allclose(
            written[f"learnt {column}"], expected.loc[written.index, column]
        )
    assert "Mean preference of 6 systems" in result.stdout
    assert "Mean score of 6 systems" in result.stdout
    picture = tmp_path / "b.png"
    options += ["--metrics", "sharp,noise", "-o", picture]
    assert invoke("leaderboard", table, *ROLES, *options).exit_code == 0
    assert picture.stat().st_size > 10_000


def test_systems_that_nobody_judged_are_in_the_learnt_one(tmp_path):
    liking = FRAME["liking"].where(FRAME["team"] != "ours")
    FRAME.assign(liking=liking).to_csv(tmp_path / "t.csv", index=False)
    options = ["--learnt", "--quick", "--folds", 2, "--refits", 5, "--draws", 200]
    options += ["--metrics", "sharp,noise"]
    result = invoke("leaderboard", tmp_path / "t.csv", *ROLES, *options)
    assert result.exit_code == 0, result.stderr
    people, learnt = result.stdout.split("Mean score of 6 systems")
    assert "Mean preference of 5 systems" in people
    assert " ours " not in people
    assert " ours " in learnt
