"""``pscore compare`` of a table: all methods, single metrics, chance and ceiling."""

import json
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from cli_cases import METRICS, ROLES, hand_made, invoke, refused
from numpy.testing import assert_allclose

from sklearn_pscore import Groups, LinearPreferenceRanker, RankSumRanker
from sklearn_pscore._cli import methods
from sklearn_pscore._cli.compare import comparison_table
from sklearn_pscore._rankers.learnt_directions import LearntDirections
from sklearn_pscore.metrics import (
    dcg_scorer,
    mrr_scorer,
    ndcg_scorer,
    pairwise_accuracy_scorer,
)
from sklearn_pscore.model_selection import compare_rankers

FRAME = hand_made()


@pytest.fixture
def table(tmp_path):
    FRAME.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


@pytest.fixture
def few(monkeypatch):
    """Compare few methods."""

    def few_methods(groups, random_state, **options):
        return {"linear": LinearPreferenceRanker()}

    monkeypatch.setattr(methods, "all_methods", few_methods)


def test_metrics_of_the_names_of_methods_and_bounds(tmp_path, few):
    names = {"sharp": "linear", "noise": "chance", "gaze": "linear (metric)"}
    FRAME.rename(columns=names).to_csv(tmp_path / "table.csv", index=False)
    FRAME.to_csv(tmp_path / "plain.csv", index=False)
    values = {}
    for name in ("table", "plain"):
        out = tmp_path / f"{name}.json"
        path = tmp_path / f"{name}.csv"
        result = invoke("compare", path, *ROLES, "--folds", 2, "-o", out)
        assert result.exit_code == 0, result.stderr
        rows = pd.DataFrame(json.loads(out.read_text()))
        values[name] = rows.set_index("method")["accuracy"]
    renamed, plain = values["table"], values["plain"]
    assert len(renamed) == len(plain)
    assert renamed["chance"] == 0.5
    assert renamed["linear"] == plain["linear"]
    assert renamed["linear (metric) (metric)"] == plain["sharp"]
    assert renamed["linear (metric)"] == plain["gaze"]
    assert renamed["chance (metric)"] == plain["noise"]


def test_all_methods_of_a_hand_made_table(tmp_path, table):
    out = tmp_path / "c.json"
    options = [*ROLES, "--quick", "--folds", 2, "-o", out]
    result = invoke("compare", table, *options)
    assert result.exit_code == 0, result.stderr
    rows = pd.DataFrame(json.loads(out.read_text())).set_index("method")
    libraries = {"LightGBM": "lightgbm", "XGBoost": "xgboost", "CatBoost": "catboost"}
    installed = [name for name, library in libraries.items() if find_spec(library)]
    of_package = ["PS, defaults", "linear", "#Top1", "RS", "DT", "CB"]
    assert set(rows.index) == {
        *of_package,
        *installed,
        *METRICS,
        "size",
        "chance",
    }
    assert rows.loc["chance", "accuracy"] == rows.loc["size", "accuracy"] == 0.5
    assert rows["accuracy"].is_monotonic_decreasing
    assert rows.loc["linear", "accuracy"] > rows.loc["sharp", "accuracy"] > 0.7
    assert "Warning" not in result.stderr
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    for name in rows.index:
        (line,) = (each for each in lines if each.startswith(f"{name}  "))
        assert f"{rows.loc[name, 'accuracy']:.3f}" in line


def test_the_table_is_that_of_compare_rankers(tmp_path, table, few):
    out = tmp_path / "c.csv"
    result = invoke("compare", table, *ROLES, "--block", "actor", "-o", out)
    assert result.exit_code == 0, result.stderr
    rows = pd.read_csv(out).set_index("method")
    judged = FRAME[FRAME["liking"].notna()]
    names = {"group": "scene", "preference": "liking", "item": "team", "block": "actor"}
    scoring = {"accuracy": pairwise_accuracy_scorer, "MRR": mrr_scorer}
    comparison = compare_rankers(
        {"linear": LinearPreferenceRanker()},
        judged[[*METRICS, "size"]],
        Groups.from_frame(judged, **names),
        cv=5,
        n_seeds=1,
        scoring={**scoring, "DCG": dcg_scorer},
        single_metrics=True,
        truth=None,
    )
    expected = comparison.table().loc["linear"]
    for metric in ("accuracy", "MRR", "DCG"):
        assert_allclose(rows.loc["linear", metric], expected[metric, "mean"])
        assert_allclose(rows.loc["chance", metric], comparison.chance[metric])
    difference = comparison.paired("linear", "noise", "accuracy")
    behind = rows.loc["noise", ["behind", "behind_low", "behind_high"]]
    assert_allclose(
        behind.astype(float), [difference.mean, difference.low, difference.high]
    )
    assert "on 5 folds of held-out blocks" in result.stdout


def test_the_ceiling_where_raters_are_known():
    judged = FRAME[FRAME["liking"].notna()]
    comparison = compare_rankers(
        {"linear": LinearPreferenceRanker()},
        judged[["sharp", "noise"]],
        Groups.from_frame(judged, group="scene", preference="liking"),
        cv=5,
        scoring={"accuracy": pairwise_accuracy_scorer},
        truth=None,
    )
    known = replace(comparison, ceiling={"accuracy": 0.97})
    rows = comparison_table(known).set_index("method")
    assert list(rows.index) == ["ceiling", "linear", "chance"]
    assert rows.loc["ceiling", "accuracy"] == 0.97
    assert np.isnan(rows.loc["ceiling", "behind"])


def test_one_system_after_the_other_is_left_out(tmp_path, table, few):
    out = tmp_path / "c.csv"
    result = invoke("compare", table, *ROLES, "--leave-out", "item", "-o", out)
    assert result.exit_code == 0, result.stderr
    rows = pd.read_csv(out).set_index("method")
    judged = FRAME[FRAME["liking"].notna()]
    comparison = compare_rankers(
        {"linear": LinearPreferenceRanker()},
        judged[[*METRICS, "size"]],
        Groups.from_frame(judged, group="scene", preference="liking", item="team"),
        leave_out="item",
        n_seeds=1,
        truth=None,
    )
    expected = comparison.table()["accuracy", "mean"]["linear"]
    assert_allclose(rows.loc["linear", "accuracy"], expected)
    assert "on 6 items that were left out in turn" in result.stdout
    message = "--leave-out is 'block' and --block is not given; expected the column"
    assert message in refused("compare", table, *ROLES, "--leave-out", "block")
    FRAME.assign(actor="her").to_csv(tmp_path / "t.csv", index=False)
    options = ["--block", "actor", "--leave-out", "block"]
    message = (
        "has one label of --block, 'her', in its judged rows; expected two or more"
    )
    assert message in refused("compare", tmp_path / "t.csv", *ROLES, *options)


def test_as_a_picture(tmp_path, table, few):
    for ending, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
        out = tmp_path / f"c{ending}"
        assert invoke("compare", table, *ROLES, "-o", out).exit_code == 0
        assert out.read_bytes().startswith(start)


def test_fewer_groups_than_folds(tmp_path, few):
    FRAME[FRAME["scene"] < "scene 12"].to_csv(tmp_path / "t.csv", index=False)
    result = invoke("compare", tmp_path / "t.csv", *ROLES)
    assert "\n4 folds, for there is no more to hold out\n" in result.stderr
    assert "on 4 folds of held-out groups" in result.stdout


def test_one_group_or_block_is_too_few(tmp_path, table):
    one = FRAME[FRAME["scene"] == "scene 3, take 1"]
    one.to_csv(tmp_path / "one.csv", index=False)
    message = (
        "has one group, 'scene 3, take 1', in its judged rows; expected two or more"
    )
    assert message in refused("compare", tmp_path / "one.csv", *ROLES)
    FRAME.assign(actor="her").to_csv(tmp_path / "one.csv", index=False)
    message = (
        "has one block, 'her', in its judged rows; expected two or more, for what is"
    )
    assert message in refused(
        "compare", tmp_path / "one.csv", *ROLES, "--block", "actor"
    )


def test_a_metric_of_the_name_of_a_method(tmp_path, few):
    FRAME.rename(columns={"wer": "linear"}).to_csv(tmp_path / "t.csv", index=False)
    result = invoke("compare", tmp_path / "t.csv", *ROLES)
    assert result.exit_code == 0, result.output
    names = [line.split("  ")[0] for line in result.stdout.splitlines()]
    assert {"linear", "linear (metric)"} <= set(names)


def test_libraries_that_are_not_installed_are_said(table, few, monkeypatch):
    monkeypatch.setattr(methods, "find_spec", lambda name: name != "xgboost")
    result = invoke("compare", table, *ROLES)
    assert "\nNot compared, for they are not installed: xgboost\n" in result.stderr


def test_a_fit_that_fails_is_said(table, monkeypatch):
    class Failing(LinearPreferenceRanker):
        def fit(self, X, y):
            raise ValueError("not today")

    monkeypatch.setattr(
        methods, "all_methods", lambda *args, **kwargs: {"linear": Failing()}
    )
    result = invoke("compare", table, *ROLES)
    assert result.exit_code == 0
    (warning,) = (e for e in result.stderr.splitlines() if e.startswith("Warning: "))
    assert "not today" in warning


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--metrics", "sharp"],
            "Got --metrics beside a data set; expected it with TABLE",
        ),
        (["--quick"], "Got --quick without TABLE; expected one. Pass the file."),
        (["--leave-out", "item"], "Got --leave-out without TABLE; expected one."),
    ],
)
def test_options_of_a_table_are_not_for_data_sets(options, message):
    assert message in refused("compare", "--data", "challenge", *options)


def test_data_without_metrics():
    message = (
        "--data is 'thqa-ntire', which has no metrics; expected thqa or challenge."
    )
    assert message in refused("compare", "--data", "thqa-ntire")


def test_directions_are_learnt_in_the_fit():
    judged = FRAME[FRAME["liking"].notna()]
    groups = Groups.from_frame(judged, group="scene", preference="liking")
    X = judged[["sharp", "noise"]].assign(FID=judged["sharp"])
    ranker = LearntDirections(RankSumRanker()).fit(X, groups)
    # That of a metric with a known name is not learnt.
    assert ranker.directions_ == ["larger", "smaller", "smaller"]
    told = RankSumRanker(directions=["larger", "smaller", "smaller"]).fit(X, groups)
    for passed in ((X,), (X, groups)):
        assert_allclose(ranker.predict(*passed), told.predict(*passed))
    assert 0 < ndcg_scorer(ranker, X, groups) < 1
