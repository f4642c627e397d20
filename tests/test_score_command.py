"""``python -m sklearn_pscore score``: the scores of a table from the file of a model."""

import inspect
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
import skops.io
from cases import linear_groups, quick
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

from sklearn_pscore import LevelClassifierRanker, PairAugmenter, to_onnx
from sklearn_pscore._cli.app import app
from sklearn_pscore._estimators import pickling

X, GROUPS = linear_groups()
FRAME = pd.DataFrame(X, columns=["a", "b", "1"])
ENDINGS = [".csv", ".tsv", ".parquet"]


def run(*arguments):
    """Return the result of the command, which never shows a traceback."""
    # Before click 8.2 it mixes what is printed to the two streams unless told not to.
    has_mix = "mix_stderr" in inspect.signature(CliRunner.__init__).parameters
    runner = CliRunner(**({"mix_stderr": False} if has_mix else {}))
    result = runner.invoke(app, ["score", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def read(path):
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    separator = "\t" if path.suffix == ".tsv" else ","
    return pd.read_csv(path, sep=separator, dtype={"id": str})


def write(frame, path):
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        separator = "\t" if path.suffix == ".tsv" else ","
        frame.to_csv(path, sep=separator, index=False)
    return path


@pytest.fixture(scope="module")
def ranker():
    return quick().fit(FRAME, GROUPS)


@pytest.fixture
def folder(tmp_path, ranker):
    """A folder of models, and of tables with further columns in another order."""
    skops.io.dump(ranker, tmp_path / "model.skops")
    to_onnx(ranker, tmp_path / "model.onnx")
    frame = FRAME[["1", "b", "a"]].assign(id=[f"{i:05}" for i in range(len(X))])
    for ending in ENDINGS:
        write(frame, tmp_path / f"table{ending}")
    return tmp_path


@pytest.mark.parametrize("model", ["model.skops", "model.onnx"])
@pytest.mark.parametrize("to", ENDINGS)
@pytest.mark.parametrize("table", ENDINGS)
def test_adds_the_scores(folder, ranker, model, table, to):
    out = folder / f"out{to}"
    result = run(folder / model, folder / f"table{table}", "-o", out)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.replace("\n", "") == f"Written to {out}: 150 rows"
    scored, before = read(out), read(folder / f"table{table}")
    assert list(scored.columns) == ["1", "b", "a", "id", "score"]
    assert scored["id"].tolist() == before["id"].tolist()
    assert_allclose(scored["score"], ranker.predict(FRAME), atol=1e-12)
    if model == "model.skops" and table == to == ".parquet":
        assert_array_equal(scored["score"], ranker.predict(FRAME))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_model_of_a_metric_named_score(tmp_path, ranker, ending):
    # The table has such a column and needs it: the scores go to another one.
    named = FRAME.rename(columns={"a": "score"})
    model = clone(ranker).fit(named, GROUPS)
    skops.io.dump(model, tmp_path / "model.skops")
    table, out = tmp_path / f"table{ending}", tmp_path / f"out{ending}"
    write(named, table)
    options = [tmp_path / "model.skops", table, "-o", out]
    assert "Pass another name as --column." in run(*options).stderr
    assert run(*options, "--column", "learnt of all").exit_code == 0
    scored = read(out)
    assert list(scored.columns) == [*named.columns, "learnt of all"]
    assert_allclose(scored["learnt of all"], ranker.predict(FRAME), atol=1e-12)
    assert_allclose(scored["score"], named["score"])
    assert "to go" in run(*options, "--column", "b", "--force").stderr


def test_other_columns_stay_as_they_are_written(folder):
    text = 'id,a,b,1,note\n007,1e0,.50,1,NA\n1e3,2.0,3,1,"x, y"\n'
    (folder / "table.csv").write_text(text)
    assert run(folder / "model.onnx", folder / "table.csv", "-o", folder / "out.csv")
    lines = (folder / "out.csv").read_text().splitlines()
    for line, scored in zip(text.splitlines(), lines, strict=True):
        assert scored.startswith(f"{line},")


@pytest.mark.parametrize("index", [["id"], ["id", "take"]])
def test_an_index_with_a_name_stays_as_columns(folder, index):
    frame = FRAME.assign(id=[f"{i:05}" for i in range(len(X))], take=1)
    frame.set_index(index).to_parquet(folder / "indexed.parquet")
    out = folder / "out.parquet"
    run(folder / "model.onnx", folder / "indexed.parquet", "-o", out)
    scored = read(out)
    assert set(scored.columns) == {*frame.columns, "score"}
    assert scored["id"].tolist() == frame["id"].tolist()


def test_an_index_without_a_name_is_no_column(folder):
    FRAME[::2].to_parquet(folder / "half.parquet")
    out = folder / "out.parquet"
    run(folder / "model.onnx", folder / "half.parquet", "-o", out)
    assert list(read(out).columns) == [*FRAME.columns, "score"]


def test_missing_metrics_are_those_of_pandas(folder, ranker):
    (folder / "table.csv").write_text("a,b,1\n1,,2\n1,NA,2\n")
    run(folder / "model.skops", folder / "table.csv", "-o", folder / "out.csv")
    row = pd.DataFrame({"a": [1.0], "b": [np.nan], "1": [2.0]})
    scores = read(folder / "out.csv")["score"]
    assert_allclose(scores, ranker.predict(row).repeat(2), rtol=1e-14)


def test_a_pipeline(folder):
    pipe = make_pipeline(StandardScaler(), PairAugmenter((2,)), quick())
    skops.io.dump(pipe.fit(FRAME, GROUPS), folder / "pipe.skops")
    result = run(folder / "pipe.skops", folder / "table.csv", "-o", folder / "o.csv")
    assert result.exit_code == 0, result.output
    assert_allclose(read(folder / "o.csv")["score"], pipe.predict(FRAME), atol=1e-12)


def test_a_file_of_another_version_warns_in_one_line(folder, ranker, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(pickling, "__version__", "0.0.9")
        skops.io.dump(ranker, folder / "old.skops")
    result = run(folder / "old.skops", folder / "table.csv", "-o", folder / "out.csv")
    assert result.exit_code == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith("Warning: PairwisePreferenceRanker was pickled by sklearn_")
    assert "0.0.9" in line


def test_a_file_that_is_there_stays(folder):
    out = folder / "out.csv"
    out.write_text("mine")
    arguments = folder / "model.onnx", folder / "table.csv", "-o", out
    result = run(*arguments)
    assert result.exit_code == 2
    assert "is there already" in result.stderr
    assert out.read_text() == "mine"
    assert run(*arguments, "--force").exit_code == 0
    assert "score" in out.read_text()


def renamed(path, name):
    return path.with_name(name.name).write_bytes(path.read_bytes()) and name


def other(model, folder):
    skops.io.dump(model, folder / "other.skops")
    return folder / "other.skops"


def scaled():
    return make_pipeline(StandardScaler(), quick()).fit(FRAME, GROUPS)


def touched(path):
    """Return the path of an empty file, which is made."""
    path.touch()
    return path


REFUSED = {
    "a pickle": (
        {"model": lambda folder: folder / "model.pkl"},
        "a pickle, which may run any program as it is loaded; expected a file of skops",
    ),
    "another ending": (
        {"model": lambda folder: folder / "table.csv"},
        "expected a file that ends in .skops or .onnx",
    ),
    "no model": ({"model": lambda folder: folder / "no.skops"}, "No such file"),
    "no graph": ({"model": lambda folder: folder / "no.onnx"}, "No such file"),
    "text as a model": (
        {
            "model": lambda folder: write(FRAME, folder / "x.csv").rename(
                folder / "x.skops"
            )
        },
        "cannot be loaded: File is not a zip file",
    ),
    "foreign types": (
        {
            "model": lambda folder: other(
                make_pipeline(Foreign(), quick()).fit(FRAME, GROUPS), folder
            )
        },
        "holds ['test_score_command.Foreign'], which are not of this package",
    ),
    "no ranker": (
        {"model": lambda folder: other(StandardScaler().fit(FRAME), folder)},
        "is a StandardScaler, which has no scores; expected a ranker",
    ),
    "no names": (
        {"model": lambda folder: other(quick().fit(X, GROUPS), folder)},
        "was fitted to an array, so that it does not know the names of its columns",
    ),
    "no table": ({"table": lambda folder: folder / "no.csv"}, "No such file"),
    "another table": (
        {"table": lambda folder: touched(folder / "table.xlsx")},
        "TABLE is '{folder}/table.xlsx'; expected a file that ends in one of .csv",
    ),
    "text as parquet": (
        {
            "table": lambda folder: write(FRAME, folder / "x.csv").rename(
                folder / "x.parquet"
            )
        },
        "cannot be read: ",
    ),
    "lacking columns": (
        {"table": lambda folder: write(FRAME[["b", "1"]], folder / "x.csv")},
        "lacks 1 of the 3 columns of the model, 'a'; it has 'b', '1'. Rename or add them.",
    ),
    "two of a name": (
        {"table": lambda folder: write(FRAME[["a", "b", "1", "b"]], folder / "x.tsv")},
        "has two columns 'b'; expected one of each name",
    ),
    "scores already": (
        {"table": lambda folder: write(FRAME.assign(score=1), folder / "x.csv")},
        "has a column 'score', where the scores are to go",
    ),
    "text as a metric": (
        {"table": lambda folder: write(FRAME.assign(b="x"), folder / "x.csv")},
        "x.csv' cannot be scored: column 'b' holds 'x' in row 1; expected numbers. Mend it",
    ),
    "no rows": (
        {"table": lambda folder: write(FRAME[:0], folder / "x.csv")},
        "x.csv' has no rows; expected at least one.",
    ),
    "text as a metric of a pipeline": (
        {
            "model": lambda folder: other(scaled(), folder),
            "table": lambda folder: write(FRAME.assign(b="x"), folder / "x.csv"),
        },
        "x.csv' cannot be scored: column 'b' holds 'x' in row 1; expected "
        "numbers. Mend it, or empty the entry. could not convert",
    ),
    "one text among numbers": (
        {
            "table": lambda folder: write(
                FRAME.assign(b=["1.5", "2", "n/a?", *["0"] * (len(FRAME) - 3)]),
                folder / "x.csv",
            )
        },
        "column 'b' holds 'n/a?' in row 3; expected numbers. Mend it, or empty the entry.",
    ),
    "a decimal comma": (
        {"table": lambda folder: write(FRAME.assign(b="1,5"), folder / "x.csv")},
        "column 'b' holds '1,5' in row 1; expected numbers. A decimal comma is to be a",
    ),
    "infinity as a metric of a pipeline": (
        {
            "model": lambda folder: other(scaled(), folder),
            "table": lambda folder: write(
                FRAME.assign(b=FRAME["b"].where(FRAME.index != 3, np.inf)),
                folder / "x.tsv",
            ),
        },
        "x.tsv' cannot be scored: column 'b' holds 'inf' in row 4; expected "
        "finite numbers. Empty the entry, or put a large number. Input X contains",
    ),
    "another out": (
        {"out": lambda folder: folder / "out.xlsx"},
        "--out is '{folder}/out.xlsx'; expected a file that ends in one of .csv",
    ),
    "a folder": (
        {"out": lambda folder: (folder / "out.csv").mkdir() or folder / "out.csv"},
        "out.csv', a folder; expected a file",
    ),
    "no folder": (
        {"out": lambda folder: folder / "table.csv" / "out.csv"},
        "--out is '{folder}/table.csv/out.csv', where no file can be written (File "
        "exists); expected a file in a folder that you may write to. Pass another path.",
    ),
}


class Foreign(StandardScaler):
    """A scaler of the user's own."""


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_told_in_one_line(folder, change, message):
    paths = {"model": "model.skops", "table": "table.csv", "out": "out.csv"}
    paths = {name: folder / path for name, path in paths.items()}
    paths |= {name: make(folder) for name, make in change.items()}
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    result = run(paths["model"], paths["table"], "-o", paths["out"])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert message.format(folder=folder) in line
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert after.keys() == before.keys()


def test_a_folder_is_not_replaced(folder):
    (folder / "out.csv").mkdir()
    result = run(
        folder / "model.onnx", folder / "table.csv", "-o", folder / "out.csv", "--force"
    )
    assert result.exit_code == 2
    assert "out.csv', a folder; expected a file" in result.stderr


@pytest.mark.parametrize(
    ("module", "model"), [("skops.io", "model.skops"), ("onnxruntime", "model.onnx")]
)
def test_a_library_that_is_not_there(folder, monkeypatch, module, model):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, module.partition(".")[0], None)
    result = run(folder / model, folder / "table.csv", "-o", folder / "out.csv")
    assert result.exit_code == 2
    assert "sklearn-pscore[" in result.stderr


def test_no_pickle_is_opened(folder, ranker, monkeypatch):
    """The ending decides, and skops reads no pickle."""
    (folder / "model.pkl").write_bytes(pickle.dumps(ranker))
    (folder / "renamed.skops").write_bytes(pickle.dumps(ranker))
    monkeypatch.setattr(pickle, "load", None)
    monkeypatch.setattr(pickle, "loads", None)
    for name in ("model.pkl", "renamed.skops"):
        result = run(folder / name, folder / "table.csv", "-o", folder / "out.csv")
        assert result.exit_code == 2
        assert not (folder / "out.csv").exists()


def test_ctrl_c(folder, monkeypatch):
    def interrupted(self, X):
        raise KeyboardInterrupt

    monkeypatch.setattr("sklearn_pscore._onnx.reader.OnnxRanker.predict", interrupted)
    result = run(folder / "model.onnx", folder / "table.csv", "-o", folder / "out.csv")
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")
    assert not (folder / "out.csv").exists()


def test_levels_that_scikit_learns_trees_are_in(folder):
    """skops knows no trees from 0.13 on: the message says how to load them."""
    model = other(LevelClassifierRanker(n_levels=2).fit(FRAME, GROUPS), folder)
    result = run(model, folder / "table.csv", "-o", folder / "out.csv")
    assert result.exit_code == 0 or "skops.io.load(path, trusted=" in result.stderr


@pytest.fixture
def parts(folder):
    """A folder of Parquet files, as dask writes them, and something else."""
    parts = folder / "parts.parquet"
    parts.mkdir()
    for number in range(3):
        rows = slice(50 * number, 50 * (number + 1))
        write(FRAME[rows].assign(id=range(50)), parts / f"part.{number}.parquet")
    (parts / "_SUCCESS").touch()
    return parts


@pytest.mark.parametrize("name", ["scored", "scored.parquet"])
def test_a_folder_of_files_becomes_as_many(folder, parts, ranker, name):
    out = folder / name
    result = run(folder / "model.skops", parts, "-o", out)
    assert result.exit_code == 0
    assert result.stdout.replace("\n", "") == f"Written to {out}: 3 files, 150 rows"
    written = sorted(path.name for path in out.iterdir())
    assert written == [f"part.{number}.parquet" for number in range(3)]
    scored = pd.concat([read(out / name) for name in written])
    assert list(scored.columns) == [*FRAME.columns, "id", "score"]
    assert_allclose(scored["score"], ranker.predict(FRAME), rtol=1e-12)


def test_a_folder_is_scored_whole_or_not_at_all(folder, parts):
    FRAME[["a"]].to_parquet(parts / "part.3.parquet")
    out = folder / "scored"
    result = run(folder / "model.skops", parts, "-o", out)
    assert result.exit_code == 2
    assert "part.3.parquet' lacks 2 of the 3 columns" in result.stderr
    assert not out.exists()
    (parts / "part.3.parquet").unlink()
    (parts / "part.3.parquet").symlink_to(folder / "no such file")
    result = run(folder / "model.skops", parts, "-o", out)
    assert result.exit_code == 2
    assert "part.3.parquet' cannot be read: [Errno 2]" in result.stderr.replace(
        "\n", " "
    )
    assert not out.exists()


def test_folders_that_cannot_be_scored(folder, parts):
    model, empty = folder / "model.skops", folder / "empty"
    empty.mkdir()
    result = run(model, empty, "-o", folder / "scored")
    assert "a folder without a *.parquet file; expected" in result.stderr
    result = run(model, parts, "-o", folder / "table.csv", "--force")
    assert "a file; expected a folder, since TABLE is one" in result.stderr
    result = run(model, parts, "-o", folder / "new.csv")
    assert "the name of a file; expected a folder, since TABLE is" in result.stderr
    assert result.stderr.rstrip().endswith("Pass 'new'.")
    assert not (folder / "new.csv").exists()
    assert run(model, parts, "-o", folder / "new.parquet").exit_code == 0
    result = run(model, parts, "-o", parts / ".." / parts.name, "--force")
    assert "which is TABLE itself; expected another" in result.stderr
    result = run(model, folder / "table.csv", "-o", empty)
    assert (
        "a folder; expected a file" in result.stderr or "ends in one" in result.stderr
    )
    for path in sorted(parts.glob("*.parquet")):
        assert "score" not in read(path)


def test_files_of_a_folder_are_replaced_by_force_only(folder, parts):
    out = folder / "scored"
    assert run(folder / "model.skops", parts, "-o", out).exit_code == 0
    again = [folder / "model.onnx", parts, "-o", out]
    result = run(*again)
    assert result.exit_code == 2
    assert "part.0.parquet', which is there already" in result.stderr
    assert run(*again, "--force").exit_code == 0
