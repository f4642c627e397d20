"""The command line where data are judged on folds, as a program, and interrupted.

Its tables and pictures are tested in test_experiments.py.
"""

import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cli_cases import taking_interrupts
from typer.testing import CliRunner

from sklearn_pscore import Groups, __main__
from sklearn_pscore._cli import paper
from sklearn_pscore._cli.app import app
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
    result = CliRunner().invoke(app, ["compare", "--runs", "1", "--out", str(tmp_path)])
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


needs_signals = pytest.mark.skipif(
    sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there"
)
# Says that the work has come so far, and waits for Ctrl-C.
WAIT = "import os, time\nos.write(1, b'waiting\\n')\ntime.sleep(600)\n"


def start(arguments, folder, code=None, **modules):
    """Start the command line, with stand-ins for some modules, in a folder."""
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    root = Path(__main__.__file__).parents[1]
    program = ["-m", "sklearn_pscore"] if code is None else ["-c", code]
    with taking_interrupts():
        return subprocess.Popen(
            [sys.executable, *program, "compare", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(root)])},
        )


def interrupt(process):
    """Send Ctrl-C once the process waits for it; return its exit code and stderr."""
    assert process.stdout.readline() == "waiting\n", process.communicate()[1]
    process.send_signal(signal.SIGINT)
    return process.communicate()[1], process.returncode


def entries(folder):
    """Return what is in a folder, the stand-ins left out."""
    return [path.name for path in folder.iterdir() if path.suffix != ".py"]


@needs_signals
@pytest.mark.parametrize("module", ["typer", "pandas", "catboost", "torch"])
@pytest.mark.parametrize("handling", ["", "translated", "hidden"])
def test_ctrl_c_during_imports_is_one_line(tmp_path, module, handling):
    text = WAIT
    if handling:
        body = "".join(f"    {line}\n" for line in WAIT.splitlines())
        outcome = "raise ImportError('half')" if handling == "translated" else "pass"
        text = f"try:\n{body}except BaseException:\n    {outcome}\n"
    process = start(["--data", "challenge"], tmp_path, **{module: text})
    assert interrupt(process) == ("Interrupted.\n", 130)
    assert "demo" not in entries(tmp_path)


@needs_signals
@pytest.mark.parametrize("place", ["Experiment.compare", "_write"])
def test_ctrl_c_during_the_work_leaves_nothing(tmp_path, place):
    code = f"""
import pandas as pd
from sklearn_pscore import _experiments
from sklearn_pscore._cli import paper
from sklearn_pscore.__main__ import main

def wait(*args, **kwargs):
    {"; ".join(WAIT.splitlines())}

def half(table, path, **kwargs):
    path.write_text("half")
    wait()

if {place!r} == "_write":
    paper._result = lambda *args: None
    paper._TABLES = {{"table.csv": lambda result: pd.DataFrame()}}
    pd.DataFrame.to_csv = half
else:
    _experiments.Experiment.compare = wait
main()
"""
    out = tmp_path / "new" / "out"
    process = start(["--data", "challenge", "--out", out], tmp_path, code)
    # The data are announced before.
    while (line := process.stdout.readline()) not in ("waiting\n", ""):
        assert line.startswith("Data: ")
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert (stderr, process.returncode) == ("Interrupted.\n", 130)
    assert entries(tmp_path) == []


@needs_signals
def test_ctrl_c_that_is_ignored_stays_ignored():
    code = """
import os, signal
from sklearn_pscore._interrupt import quiet_interrupt
signal.signal(signal.SIGINT, signal.SIG_IGN)
with quiet_interrupt():
    os.kill(os.getpid(), signal.SIGINT)
assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
signal.signal(signal.SIGINT, signal.default_int_handler)
with quiet_interrupt():
    assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
print("went on")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("went on\n", "", 0)


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        ("file", "File exists"),
        ("file/out", "Not a directory"),
        ("a" * 300, "File name too long"),
    ],
)
def test_out_that_cannot_be_written_is_refused_before_any_import(tmp_path, out, reason):
    (tmp_path / "file").write_text("mine")
    process = start(["--out", out], tmp_path, pandas="raise SystemExit(99)")
    stdout, stderr = process.communicate()
    assert (stdout, process.returncode) == ("", 2)
    assert stderr == (
        f"Error: --out is {out!r}, where no file can be written ({reason}); expected a "
        "folder, or a path to make one at. Pass another.\n"
    )
    assert entries(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


def no_work(*args):
    raise AssertionError("an experiment was run")


def test_a_folder_in_the_way_of_a_file_is_refused_before_any_work(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(paper, "_result", no_work)
    for name in ("table.csv", "leaderboard-talking.png"):
        (tmp_path / name).mkdir()
        arguments = ["compare", "--data", "challenge", "--out", str(tmp_path)]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 2
        assert result.output.startswith(
            f"Error: --out is {str(tmp_path)!r}, which has "
        )
        assert f"a folder {name!r}; expected none" in result.output
        (tmp_path / name).rmdir()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_at_the_end_is_one_line(tmp_path, monkeypatch):
    def fill(table, path, **kwargs):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(paper, "_result", lambda *args: None)
    table = {"table.csv": lambda result: pd.DataFrame()}
    monkeypatch.setattr(paper, "_TABLES", table)
    monkeypatch.setattr(pd.DataFrame, "to_csv", fill)
    out = tmp_path / "new" / "out"
    result = CliRunner().invoke(
        app, ["compare", "--data", "challenge", "--out", str(out)]
    )
    assert result.exit_code == 1
    assert result.output == (
        f"Error: --out {str(out)!r} could not be written ([Errno 28] No space left on "
        "device); nothing was. Make room, or pass another.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_fails_is_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    # Nothing listens on the port for "discard".
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    arguments = ["--data", "thqa", "--data-home", "new/home", "--out", "new/out"]
    stdout, stderr = (process := start(arguments, tmp_path)).communicate()
    assert (stdout, process.returncode) == ("", 1)
    assert stderr.startswith("Error: THQA is not at ")
    assert "could not be downloaded (ProxyError: " in stderr
    assert stderr.count("\n") == 1
    assert entries(tmp_path) == []


def test_an_error_of_several_lines_is_one_line(tmp_path, monkeypatch):
    def fail(data_home):
        raise OSError("no route\n  to host")

    monkeypatch.setattr("sklearn_pscore._experiments.thqa_experiment", fail)
    arguments = ["compare", "--data", "thqa", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert (result.output, result.exit_code) == ("Error: no route to host\n", 1)
