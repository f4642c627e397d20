"""Options that say what the columns of a table are, and what is told of them."""

import re

import numpy as np
import pandas as pd
import pytest
from cli_cases import METRICS, ROLES, hand_made, invoke, refused
from numpy.testing import assert_array_equal

from sklearn_pscore._cli.app import COMMANDS
from sklearn_pscore._tables.files import read_table
from sklearn_pscore._tables.roles import Roles, judged_table
from sklearn_pscore._tables.table import Table

FRAME = hand_made()


def judged(frame=FRAME, **options):
    roles = {"group": "scene", "preference": "liking", "item": "team", **options}
    return judged_table(Table(frame, "TABLE"), Roles(**roles))


def test_all_other_numbers_are_metrics():
    rows = judged(block="actor")
    assert list(rows.X) == [*METRICS, "size"]
    assert_array_equal(rows.X["fid"], FRAME["fid"])
    assert rows.groups["group"].tolist() == FRAME["scene"].tolist()
    assert rows.groups["item"].tolist() == FRAME["team"].tolist()
    assert_array_equal(rows.groups["preference"], FRAME["liking"])
    assert rows.groups["block"].tolist() == FRAME["actor"].tolist()
    assert rows.n_blocks == 10
    n_lost, n_unjudged = FRAME[["fid", "liking"]].isna().sum()
    assert rows.notes == [
        f"Metrics (10): {', '.join(METRICS)}, size",
        "The same in all rows: size",
        f"Missing: fid in {n_lost} of 180 rows",
        "No metrics, for they hold text: notes",
        f"Not judged: {n_unjudged} of 180 rows, of which nothing is learnt",
    ]
    some = rows.judged()
    assert len(some.X) == len(some.groups) == len(some.cluster) == 180 - n_unjudged
    assert_array_equal(some.groups["preference"], FRAME["liking"].dropna())
    assert_array_equal(some.X["sharp"], FRAME["sharp"][FRAME["liking"].notna()])


def test_metrics_by_name_and_columns_that_are_none():
    assert list(judged(metrics=("lips", "sharp")).X) == ["lips", "sharp"]
    assert list(judged(drop=("size", *METRICS[2:])).X) == ["sharp", "noise"]
    frame = FRAME.assign(**{"": range(180), "flag": True, "nothing": np.nan})
    rows = judged(frame)
    assert list(rows.X) == [*METRICS, "size", "flag"]
    assert "No metrics, for they hold text: actor, notes, (no name)" in rows.notes
    assert "No metrics, for they are empty: nothing" in rows.notes


def test_columns_of_judgements_are_told_of():
    told = "Known only after judging, by their names, yet taken for metrics: "
    after = {"n_raters": 5, "MOS_std": 0.5, "dnsmos": 3.0, "operations": 7}
    frame = FRAME.assign(**after)
    assert (
        f"{told}n_raters, MOS_std. If so, leave them out with --drop"
        in judged(frame).notes
    )
    assert {*after} <= {*judged(frame).X}
    rest = judged(frame, drop=("n_raters",), spread="MOS_std")
    assert not any(note.startswith(told) for note in rest.notes)


def test_a_number_of_the_row_is_told_of():
    told = (
        "Numbers of the rows, it seems, yet taken for metrics: id. If so, leave them "
    )
    order = np.random.default_rng(0).permutation(180)
    rows = judged(FRAME.assign(id=order + 1))
    assert f"{told}out with --drop" in rows.notes
    assert "id" in rows.X
    for values in (order // 2, order / 2, np.where(order > 3, order, np.nan)):
        assert not any(
            "of the rows, it" in note for note in judged(FRAME.assign(id=values)).notes
        )
    frame = FRAME.assign(id=order)
    for options in ({"drop": ("id",)}, {"metrics": ("id", "sharp")}):
        assert not any(note.startswith(told) for note in judged(frame, **options).notes)
    assert not any(
        note.startswith(told) for note in judged(frame[:6].assign(id=range(6))).notes
    )


@pytest.mark.parametrize("as_text", [True, False])
def test_text_in_a_column_of_numbers_is_told_with_its_row(tmp_path, as_text):
    values = FRAME["sharp"].astype(object)
    values[[4, 9]] = ["n/a?", "-"]
    frame = FRAME.assign(sharp=values)
    if as_text:
        frame.to_csv(tmp_path / "t.csv", index=False)
        table = read_table(tmp_path / "t.csv")
    else:
        table = Table(frame, "TABLE")
    rows = judged_table(table, Roles(group="scene", preference="liking", item="team"))
    told = "No metric, for it holds text in 2 of 180 rows, first 'n/a?' in row 5: sharp"
    assert told in rows.notes
    assert "No metrics, for they hold text: actor, notes" in rows.notes
    assert "sharp" not in rows.X


def test_winners_and_weights():
    won = FRAME["liking"] == FRAME.groupby("scene")["liking"].transform("max")
    frame = FRAME.assign(award=won, sure=2.0, n=5, std=0.5, place=3)
    roles = {"winner": "award", "weight": "sure", "raters": "n", "spread": "std"}
    roles["position"] = "place"
    rows = judged(frame, preference=None, **roles, drop=("liking",))
    assert_array_equal(rows.groups["preference"], 10.0 * won)
    said = "'award' counts as a preference of 10 where an item won, and of 0 where not"
    assert f"Winners: {said}" in rows.notes
    expected = {"weight": 2.0, "n_raters": 5, "spread": 0.5, "position": 3}
    for field, value in expected.items():
        assert set(rows.groups[field]) == {value}
    assert list(rows.X) == [*METRICS, "size"]


def bad(**columns):
    return lambda: FRAME.assign(**columns)


def comma(column):
    text = FRAME[column].map("{:.2f}".format).str.replace(".", ",")
    return lambda: FRAME.assign(**{column: text})


REFUSED = {
    "no group": (
        {"group": None},
        "--group is not given; expected the column that rows",
    ),
    "no preference": ({"preference": None}, "--preference is not given; expected"),
    "misspelt group": (
        {"group": "Scenes"},
        "--group is 'Scenes', which is no column of TABLE; expected one of its columns. "
        "Did you mean 'scene'?",
    ),
    "misspelt preference": ({"preference": "likng"}, "Did you mean 'liking'? It has"),
    "in capitals": ({"item": "TEAM"}, "Did you mean 'team'?"),
    "missing": ({"item": "xyz"}, "'xyz', which is no column of TABLE; expected one of"),
    "misspelt drop": ({"drop": ("note",)}, "--drop is 'note', which is no column"),
    "misspelt metric": ({"metrics": ("shrap",)}, "--metrics is 'shrap', which is no"),
    "text": (
        {"preference": "notes"},
        "--preference is 'notes', which holds 'fine' in row 1 of TABLE; expected numbers",
    ),
    "text as a metric": (
        {"metrics": ("sharp", "notes")},
        "--metrics is 'notes', which",
    ),
    "both": ({"winner": "sharp"}, "--preference is 'liking' and --winner 'sharp'"),
    "twice": ({"item": "scene"}, "--group and --item are both 'scene'; expected"),
    "its own metric": (
        {"metrics": ("liking",)},
        "which is --preference; expected other",
    ),
    "no winner": (
        {"preference": None, "winner": "size"},
        "--winner is 'size', which holds 512 in TABLE; expected 1 or true",
    ),
}


@pytest.mark.parametrize(("roles", "message"), REFUSED.values(), ids=REFUSED)
def test_roles_that_cannot_be(roles, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        judged(**roles)


OF_TABLE = {
    "empty preference": (
        bad(liking=np.nan),
        "--preference is 'liking', which is empty in all 180 rows of TABLE; expected",
    ),
    "a missing label": (
        bad(team=FRAME["team"].where(FRAME.index != 4)),
        "--item is 'team', which is empty in 1 of the 180 rows of TABLE, first in row 5",
    ),
    "a decimal comma": (
        comma("sharp"),
        "TABLE has a decimal comma in column 'sharp'; expected a point. Read it with "
        "pandas.read_csv(path, decimal=',') and write it anew, or leave the column out "
        "with --drop sharp.",
    ),
    "perhaps a comma of thousands": (
        bad(sharp=["1,764"] + ["12"] * (len(FRAME) - 1)),
        "Read it with pandas.read_csv(path, decimal=','), or with thousands=',' if "
        "'1,764' is 1764, and write it anew, or leave",
    ),
    "a decimal comma in the preference": (
        comma("liking"),
        "in row 1 of TABLE; expected numbers. A decimal comma is to be a point",
    ),
    "no metric": (
        lambda: FRAME[["scene", "team", "liking", "notes"]],
        "TABLE has no metric: no other column holds numbers; expected at least one. It "
        "has 'scene', 'team', 'liking', 'notes'.",
    ),
    "infinity": (
        bad(fid=np.where(FRAME.index == 7, -np.inf, FRAME["fid"])),
        "TABLE has -inf in row 8 of column 'fid'; expected finite numbers. Leave the entry "
        "empty if the metric is missing there",
    ),
    "two columns of a name": (
        lambda: FRAME.set_axis([*FRAME.columns[:-1], "fid"], axis=1),
        "TABLE has two columns 'fid'; expected one of each name. Rename one of them.",
    ),
}


@pytest.mark.parametrize(("frame", "message"), OF_TABLE.values(), ids=OF_TABLE)
def test_tables_that_cannot_be(frame, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        judged(frame())


def test_rows_that_nothing_can_be_learnt_from():
    unjudged = judged_table(
        Table(FRAME, "TABLE"), Roles(group="scene"), needs_preference=False
    )
    with pytest.raises(
        ValueError, match="TABLE has no judged row: the preference is em"
    ):
        unjudged.judged()
    frame = FRAME.assign(scene=range(180))
    with pytest.raises(
        ValueError, match="groups of one judged row each; expected rows"
    ):
        judged(frame).judged()


def test_what_is_in_a_table_is_said_beside_the_results(tmp_path):
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    result = invoke("leaderboard", tmp_path / "t.csv", *ROLES, "--block", "actor")
    assert result.exit_code == 0
    assert result.stderr.startswith(
        f"Reading {tmp_path / 't.csv'}\nMetrics (10): sharp,"
    )
    assert "\nThe same in all rows: size\n" in result.stderr
    assert "Metrics" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert "intervals over 10 clusters" in result.stdout


def test_names_with_commas_stand_in_quotes(tmp_path):
    names = {"noise": "noise, dB", "gaze": 'a "b", c', "blink": "5'"}
    FRAME.rename(columns=names).to_csv(tmp_path / "t.csv", index=False)
    drop = '"noise, dB", "a ""b"", c" ,5\', smile,'
    options = [tmp_path / "t.csv", *ROLES, "--drop", drop]
    result = invoke("leaderboard", *options)
    assert result.exit_code == 0, result.stderr
    assert "\nMetrics (6): sharp, lips, fid, psnr, wer, size\n" in result.stderr


def test_a_table_or_a_data_set(tmp_path):
    message = "Got neither TABLE nor --data; expected one of them"
    assert message in refused("leaderboard")
    pd.DataFrame().to_csv(tmp_path / "t.csv")
    message = "Got both TABLE and --data; expected one of them"
    assert message in refused("leaderboard", tmp_path / "t.csv", "--data", "challenge")
    message = (
        "Got --group beside --data, whose columns are known; expected it with TABLE"
    )
    assert message in refused("leaderboard", "--data", "challenge", "--group", "team")
    message = "The 320 systems fall into 40 parts that share no group"
    assert message in refused("leaderboard", "--data", "challenge")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fot"], "No such command 'fot'."),
        (["fit", "--grup", "x"], "No such option"),
        (["fit", "t.csv"], "Missing option"),
        (["score"], "Missing argument"),
        (["leaderboard", "--draws", "few"], "Invalid value for '--draws': "),
        (
            ["leaderboard", "no.csv"],
            "'no.csv': No such file or directory. Check the name",
        ),
        (
            ["leaderboard", "folder", "--group", "g", "--preference", "p"],
            "'folder': No such file or directory. Check the name",
        ),
        (
            ["score", "model.skops", "folder", "-o", "s.csv"],
            "'folder': No such file or directory. Check the name",
        ),
    ],
)
def test_errors_of_usage_are_one_line(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused(*arguments)


def test_version_and_help():
    from sklearn_pscore._version import __version__

    assert invoke("--version").stdout == f"pscore {__version__}\n"
    result = invoke()
    assert result.exit_code == 0
    for command in [each.__name__ for each in COMMANDS]:
        assert f"\n  {command} " in result.stdout
        shown = invoke(command, "--help").stdout
        assert f" {command} [OPTIONS]" in shown
        assert max(map(len, shown.splitlines())) <= 80
