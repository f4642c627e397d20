"""``pscore`` as a process: its name, its pipes, and Ctrl-C."""

import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from cli_cases import ROLES, hand_made, invoke, taking_interrupts

import sklearn_pscore
from benchmarks.inspection.command_line import COMMANDS
from benchmarks.inspection.command_line import hand_made as made_by_hand
from sklearn_pscore import __main__
from sklearn_pscore._cli.progress import shown_progress
from sklearn_pscore._tables.roles import Roles, judged_table
from sklearn_pscore._tables.table import Table
from sklearn_pscore._version import __version__

ROOT = Path(sklearn_pscore.__file__).parents[1]


@pytest.fixture
def folder(tmp_path):
    hand_made().to_csv(tmp_path / "table.csv", index=False)
    return tmp_path


def start(folder, *arguments, code=None):
    """Start the program in a folder."""
    program = ["-m", "sklearn_pscore"] if code is None else ["-c", code]
    with taking_interrupts():
        return subprocess.Popen(
            [sys.executable, *program, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )


def test_both_names_are_one_program(tmp_path):
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"pscore": "sklearn_pscore.__main__:main"}
    assert callable(__main__.main)
    stdout, stderr = start(tmp_path, "--version").communicate()
    assert (stdout, stderr) == (f"pscore {__version__}\n", "")
    stdout, _ = start(tmp_path).communicate()
    assert stdout.startswith("Usage: pscore [OPTIONS] COMMAND")


def test_a_pipe_that_nobody_reads_is_quiet_and_leaves_the_file(folder):
    """As in ``pscore leaderboard ... | head -0``."""
    process = start(folder, "leaderboard", "table.csv", *ROLES, "-o", "board.csv")
    process.stdout.close()
    with process.stderr:
        stderr = process.stderr.read()
    process.wait()
    assert "Traceback" not in stderr
    assert "Exception" not in stderr
    assert "Broken" not in stderr
    assert len(pd.read_csv(folder / "board.csv")) == 6


@pytest.mark.skipif(
    sys.platform == "win32", reason="Ctrl-C reaches no one process there"
)
def test_ctrl_c_while_a_file_is_written_leaves_none(folder):
    code = """
import os, time
import pandas as pd
from sklearn_pscore.__main__ import main

def half(table, path, **kwargs):
    path.write_text("half")
    os.write(1, b"waiting\\n")
    time.sleep(600)

pd.DataFrame.to_csv = half
main()
"""
    options = ["leaderboard", "table.csv", *ROLES, "-o", "new/board.csv"]
    process = start(folder, *options, code=code)
    assert process.stdout.readline() == "waiting\n", process.communicate()[1]
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert (stderr.splitlines()[-1], process.returncode) == ("Interrupted.", 130)
    assert [path.name for path in folder.iterdir()] == ["table.csv"]


def test_an_error_of_usage_is_one_line(folder):
    process = start(folder, "leaderboard", "table.csv", "--group", "scen")
    stdout, stderr = process.communicate()
    assert (stdout, process.returncode) == ("", 2)
    assert stderr.splitlines()[-1].startswith(
        "Error: --group is 'scen', which is no col"
    )
    assert "Did you mean 'scene'?" in stderr


def test_help_loads_no_heavy_library(tmp_path):
    code = """
import sys
from sklearn_pscore._cli.app import app
app(["fit", "--help"], standalone_mode=False)
print(sorted({"pandas", "torch", "sklearn", "matplotlib"} & set(sys.modules)))
"""
    stdout, stderr = start(tmp_path, code=code).communicate()
    assert stdout.endswith("[]\n"), stderr


def test_progress_is_a_bar_on_a_terminal_alone(monkeypatch, capsys):
    assert list(shown_progress(range(25), "fits")) == list(range(25))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "fits: 3 of 25 parts"
    assert lines[-1] == "fits: 25 of 25 parts"
    assert len(lines) == 9
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert list(shown_progress(range(25), "fits")) == list(range(25))
    shown = capsys.readouterr().err
    assert shown.startswith("\rfits:   0%|")
    assert "parts" not in shown
    assert list(shown_progress([7], "fits")) == [7]
    assert capsys.readouterr().err == ""


PAGE = ROOT / "docs" / "command_line.md"


def test_the_page_has_commands_and_options_that_are_there():
    commands = re.findall(r"^\$ (pscore .*)$", PAGE.read_text(), flags=re.M)
    assert len(commands) > 10
    for command in commands:
        _, name, *words = shlex.split(command)
        shown = invoke(name, "--help").stdout
        for word in words:
            if word.startswith("-"):
                assert re.search(rf"(^|[ ,]){word}\b", shown, flags=re.M), command


def test_the_page_was_made_of_the_commands_of_its_script():
    text = PAGE.read_text()
    for name, command in COMMANDS.items():
        assert f"<!-- table {name} -->\n```console\n$ {command}\n" in text
    rows = judged_table(
        Table(made_by_hand(), "TABLE"),
        Roles(group="scene", preference="liking", item="team"),
    )
    assert rows.X.shape == (180, 10)
