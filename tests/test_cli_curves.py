"""``pscore curves`` and ``pscore importance``: which metrics the score follows."""

import json

import numpy as np
import pandas as pd
import pytest
import skops.io
from cli_cases import METRICS, ROLES, hand_made, invoke, refused
from numpy.testing import assert_allclose

from sklearn_pscore import Groups, LinearPreferenceRanker, PairwisePreferenceRanker
from sklearn_pscore._cli.rankers import QUICK
from sklearn_pscore.inspection import group_permutation_importance, metric_curves
from sklearn_pscore.model_selection import PreferenceGroupKFold

FRAME = hand_made()
JUDGED = FRAME[FRAME["liking"].notna()].reset_index(drop=True)
X = JUDGED[[*METRICS, "size"]]
GROUPS = Groups.from_frame(JUDGED, group="scene", preference="liking", item="team")


@pytest.fixture
def folder(tmp_path):
    FRAME.to_csv(tmp_path / "table.csv", index=False)
    ranker = LinearPreferenceRanker().fit(X[["noise", "sharp"]], GROUPS)
    skops.io.dump(ranker, tmp_path / "model.skops")
    skops.io.dump(LinearPreferenceRanker().fit(X, GROUPS), tmp_path / "all.skops")
    return tmp_path


def test_curves_of_a_learnt_score(folder):
    out = folder / "curves.csv"
    result = invoke("curves", folder / "table.csv", *ROLES, "--quick", "-o", out)
    assert result.exit_code == 0, result.stderr
    ranker = PairwisePreferenceRanker(random_state=0, **QUICK).fit(X, GROUPS)
    curves = metric_curves(ranker, X, GROUPS, random_state=0)
    points = pd.read_csv(out)
    assert points["metric"].unique().tolist() == curves.table["metric"].tolist()
    for name, part in points.groupby("metric"):
        assert_allclose(part["value"], curves.curves[name]["value"])
        assert_allclose(part["worth"], curves.curves[name]["worth"])
    lines = result.stdout.splitlines()
    assert "Worth of 10 metrics in 30 groups, by the additive part" in lines
    assert max(map(len, lines)) <= 100
    (sharp,) = (line for line in lines if line.startswith("sharp "))
    assert "larger is preferred" in sharp


def test_curves_of_a_model_read_its_columns_alone(folder):
    options = ["--model", folder / "model.skops", "-o", folder / "c.json"]
    result = invoke("curves", folder / "table.csv", *ROLES, *options)
    assert result.exit_code == 0, result.stderr
    assert "Worth of 2 metrics in 30 groups" in result.stdout
    points = pd.DataFrame(json.loads((folder / "c.json").read_text()))
    assert set(points["metric"]) == {"noise", "sharp"}


def test_curves_as_a_picture(folder):
    options = ["--model", folder / "all.skops", "--top", 2, "-o", folder / "c.svg"]
    assert invoke("curves", folder / "table.csv", *ROLES, *options).exit_code == 0
    text = (folder / "c.svg").read_text()
    assert text.startswith("<?xml")


def test_importance_on_rows_held_out(folder):
    out = folder / "i.csv"
    options = ["--quick", "--folds", 3, "--repeats", 2, "-o", out]
    result = invoke("importance", folder / "table.csv", *ROLES, *options)
    assert result.exit_code == 0, result.stderr
    assert "fits: 3 of 3 parts" in result.stderr
    parts = []
    for train, test in PreferenceGroupKFold(3).split(X, GROUPS):
        ranker = PairwisePreferenceRanker(random_state=0, **QUICK)
        ranker.fit(X.iloc[train], GROUPS[train])
        parts.append(
            group_permutation_importance(
                ranker, X.iloc[test], GROUPS[test], n_repeats=2, random_state=0
            ).importances_mean
        )
    table = pd.read_csv(out).set_index("metric").loc[[*METRICS, "size"]]
    assert_allclose(table["loss"], np.mean(parts, axis=0), atol=1e-12)
    assert_allclose(table["std"], np.std(parts, axis=0), atol=1e-12)
    assert table["loss"].idxmax() == "sharp"
    assert table.loc["size", "loss"] == 0


def test_importance_of_a_model_and_of_metrics_together(folder):
    options = ["--model", folder / "model.skops", "--together", "sharp, noise"]
    options += ["--measure", "dcg", "--shuffle", "global"]
    result = invoke("importance", folder / "table.csv", *ROLES, *options)
    assert result.exit_code == 0, result.stderr
    fitted = LinearPreferenceRanker().fit(X[["noise", "sharp"]], GROUPS)
    expected = group_permutation_importance(
        fitted,
        X[["noise", "sharp"]],
        GROUPS,
        scoring="dcg",
        shuffle="global",
        feature_groups={"both": ["sharp", "noise"]},
        random_state=0,
    )
    (line,) = (e for e in result.stdout.splitlines() if e.startswith("sharp + noise"))
    assert f"{expected.importances_mean[0]:.4f}" in line
    assert (
        f"dcg, which is {expected.baseline:.3f} with nothing permuted" in result.stdout
    )


def test_importance_as_a_picture(folder):
    options = ["--model", folder / "all.skops", "--repeats", 2, "-o", folder / "i.png"]
    assert invoke("importance", folder / "table.csv", *ROLES, *options).exit_code == 0
    assert (folder / "i.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        ("importance", ["--together", "sharp,fidd"], "--together has 'fidd', which is no "
        "metric; expected metrics. Did you mean 'fid'? They are 'sharp', 'noise'"),
        ("importance", ["--measure", "mse"], "Invalid value for '--measure'"),
        ("curves", ["--model", "no.skops"], "'no.skops': No such file or directory"),
        ("curves", ["--model", "m.pkl"], "a pickle, which may run any program as it is"),
        ("curves", ["-o", "c.xlsx"], "expected a file that ends in one of .csv, .tsv"),
        ("importance", ["-o", "table.csv"], "which is there already; expected a new file"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(folder, monkeypatch, command, options, message):
    monkeypatch.chdir(folder)
    assert message in refused(command, "table.csv", *ROLES, *options)


@pytest.mark.parametrize("command", ["curves", "importance"])
def test_a_model_of_other_columns(folder, command):
    FRAME.drop(columns="noise").to_csv(folder / "t.csv", index=False)
    options = ["--model", folder / "model.skops"]
    message = "lacks 1 of the 2 columns of the model, 'noise'; it has 'scene', "
    assert message in refused(command, folder / "t.csv", *ROLES, *options)


def test_one_group_is_too_few_to_hold_out(folder):
    one = FRAME[FRAME["scene"] == "scene 3, take 1"]
    one.to_csv(folder / "one.csv", index=False)
    message = (
        "has one group, 'scene 3, take 1', in its judged rows; expected two or more"
    )
    assert message in refused("importance", folder / "one.csv", *ROLES)
    assert invoke("curves", folder / "one.csv", *ROLES, "--quick").exit_code == 0
