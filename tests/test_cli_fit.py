"""``pscore fit``, and what a fitted ranker is good for in ``pscore score``."""

import json
import sys

import pandas as pd
import pytest
import skops.io
from cli_cases import METRICS, ROLES, hand_made, invoke, refused
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore import SKOPS_TYPES, Groups, OnnxRanker, PairwisePreferenceRanker
from sklearn_pscore._cli.rankers import QUICK
from sklearn_pscore._tables.files import read_table, write_table

FRAME = hand_made()
JUDGED = FRAME[FRAME["liking"].notna()]


@pytest.fixture(scope="module")
def ranker():
    groups = Groups.from_frame(JUDGED, group="scene", preference="liking", item="team")
    ranker = PairwisePreferenceRanker(random_state=3, **QUICK)
    return ranker.fit(JUDGED[[*METRICS, "size"]], groups)


@pytest.fixture
def table(tmp_path):
    FRAME.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
def test_learns_from_judged_rows_and_scores_all(tmp_path, ranker, ending):
    table, model = tmp_path / f"table{ending}", tmp_path / "new" / "model.skops"
    write_table(FRAME, table)
    options = [*ROLES, "--quick", "--random-state", 3]
    result = invoke("fit", table, *options, "-o", model)
    assert (result.exit_code, result.stdout) == (
        0,
        f"Written to {model}: a ranker of 10 metrics\n",
    )
    assert f"Learnt from {ranker.n_pairs_} pairs in 30 groups, in " in result.stderr
    assert "Not judged: " in result.stderr
    saved = skops.io.load(model, trusted=SKOPS_TYPES)
    assert saved.get_params()["random_state"] == 3
    scored = tmp_path / f"scored{ending}"
    assert invoke("score", model, table, "-o", scored).exit_code == 0
    assert_array_equal(
        read_table(scored).numbers("score"), ranker.predict(FRAME[[*METRICS, "size"]])
    )


def test_a_folder_of_parquet_is_one_table(tmp_path, ranker):
    folder = tmp_path / "judged"
    folder.mkdir()
    # Rows of one group may be in several files.
    for number in range(3):
        FRAME[number::3].to_parquet(folder / f"part-{number}.parquet")
    rows = pd.concat([FRAME[number::3] for number in range(3)])
    rows.to_parquet(tmp_path / "table.parquet")
    options = [*ROLES, "--quick", "--random-state", 3]
    scores = []
    for table in (folder, tmp_path / "table.parquet"):
        model = tmp_path / f"{table.stem}.skops"
        result = invoke("fit", table, *options, "-o", model)
        assert result.exit_code == 0, result.stderr
        assert f"Learnt from {ranker.n_pairs_} pairs in 30 groups" in result.stderr
        saved = skops.io.load(model, trusted=SKOPS_TYPES)
        scores.append(saved.predict(FRAME[[*METRICS, "size"]]))
    assert_array_equal(*scores)
    (tmp_path / "none").mkdir()
    told = refused("fit", tmp_path / "none", *ROLES, "-o", tmp_path / "m.skops")
    assert "a folder without a *.parquet file; expected at least one" in told


def test_as_a_graph(tmp_path, table, ranker):
    options = [*ROLES, "--quick", "--random-state", 3]
    assert invoke("fit", table, *options, "-o", tmp_path / "m.onnx").exit_code == 0
    X = FRAME[[*METRICS, "size"]]
    assert_allclose(OnnxRanker(tmp_path / "m.onnx").predict(X), ranker.predict(X))


def test_blocks_reach_the_fit(tmp_path, table, monkeypatch):
    passed = []

    def fit(self, X, groups):
        passed.append(groups)
        raise ValueError("seen")

    monkeypatch.setattr(PairwisePreferenceRanker, "fit", fit)
    message = refused(
        "fit", table, *ROLES, "--block", "actor", "-o", tmp_path / "m.skops"
    )
    assert message == "seen"
    assert set(passed[0]["block"]) == set(FRAME["actor"])


def test_nothing_is_overwritten(tmp_path, table):
    out = tmp_path / "m.skops"
    out.write_text("mine")
    message = (
        "which is there already; expected a new file. Pass another name, or --force"
    )
    assert message in refused("fit", table, *ROLES, "-o", out)
    assert out.read_text() == "mine"
    assert invoke("fit", table, *ROLES, "--quick", "-o", out, "--force").exit_code == 0
    assert skops.io.load(out, trusted=SKOPS_TYPES).n_features_in_ == 10


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("m.pkl", "expected a file that ends in one of .skops, .onnx"),
        ("table.csv/m.skops", "where no file can be written"),
        ("", "expected a file that ends in one of"),
    ],
)
def test_an_out_that_cannot_be(tmp_path, table, out, message):
    assert message in refused("fit", table, *ROLES, "-o", tmp_path / out)
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("library", ["skops", "onnx"])
def test_a_library_that_is_not_there_is_told_before_any_work(
    tmp_path, table, monkeypatch, library
):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setitem(sys.modules, f"{library}.io", None)
    message = refused("fit", table, *ROLES, "-o", tmp_path / f"m.{library}")
    assert f'Install it with: pip install "sklearn-pscore[{library}]".' in message


def test_a_disk_that_is_full_leaves_nothing(tmp_path, table, monkeypatch):
    def fill(model, path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sklearn_pscore._cli.fit.save_model", fill)
    out = tmp_path / "new" / "m.skops"
    result = invoke("fit", table, *ROLES, "--quick", "-o", out)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        f"Error: --out {str(out)!r} could not be written ([Errno 28] No space left on "
        "device); nothing was. Make room, or pass another."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_ctrl_c_leaves_nothing(tmp_path, table, monkeypatch):
    def interrupted(self, X, groups):
        raise KeyboardInterrupt

    monkeypatch.setattr(PairwisePreferenceRanker, "fit", interrupted)
    result = invoke("fit", table, *ROLES, "-o", tmp_path / "new" / "m.skops")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (130, "Interrupted.")
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_a_model_of_other_columns(tmp_path, table):
    model = tmp_path / "m.skops"
    invoke("fit", table, *ROLES, "--quick", "--metrics", "sharp,noise", "-o", model)
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps({"Sharp": 1, "noise": 2, "x": 3}))
    assert refused("score", model, other, "-o", tmp_path / "s.csv") == (
        f"TABLE {str(other)!r} lacks 1 of the 2 columns of the model, 'sharp'; it has "
        "'Sharp', 'noise', 'x'. Perhaps 'Sharp' for 'sharp'? Rename or add them."
    )


def test_many_rows_are_scored_in_parts(tmp_path, table, monkeypatch, ranker):
    monkeypatch.setattr("sklearn_pscore._cli.score._MOST_ROWS", 50)
    skops.io.dump(ranker, tmp_path / "m.skops")
    result = invoke("score", tmp_path / "m.skops", table, "-o", tmp_path / "s.csv")
    assert result.stderr.splitlines() == [
        f"scores: {k} of 4 parts" for k in range(1, 5)
    ]
    scores = read_table(tmp_path / "s.csv").numbers("score")
    assert_array_equal(scores, ranker.predict(FRAME[[*METRICS, "size"]]))
