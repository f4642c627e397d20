"""What work says while it goes on: a bar on a terminal, plain lines elsewhere."""

import io
import os
import re
import struct
import subprocess
import sys
import types
import warnings

import numpy as np
import pandas as pd
import pytest
from tqdm import tqdm

from sklearn_pscore import PairwisePreferenceRanker
from sklearn_pscore._progress import progress_of

NAME = "[PairwisePreferenceRanker]"
LEFT = r"\d+:\d\d left"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def quick(**parameters):
    return PairwisePreferenceRanker(
        **{"max_epochs": 4, "n_members": 2, "random_state": 0, **parameters}
    )


def lines_of(capsys):
    """Return what went to the standard error, and check that nothing else did."""
    out, err = capsys.readouterr()
    assert out == ""
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", err)
    return err.splitlines()


class TestLines:
    def walk(self, total, verbose, n=1, n_done=0):
        with progress_of("name", "step", total, verbose, n_done) as progress:
            for number in range(n_done, total, n):
                progress.update(min(n, total - number), f"text {number}")

    def test_the_first_and_each_tenth(self, capsys):
        self.walk(200, 1)
        lines = lines_of(capsys)
        numbers = [int(re.search(r"step (\d+) of 200", line)[1]) for line in lines]
        assert numbers == [1, *range(20, 201, 20)]
        for number, line in zip(numbers, lines, strict=True):
            pattern = rf"\[name\] step {number} of 200, text {number - 1}, {LEFT}"
            assert re.fullmatch(pattern, line)
        assert lines[-1].endswith("0:00 left")

    def test_fewer_steps_than_tenths(self, capsys):
        self.walk(3, 1)
        assert len(lines_of(capsys)) == 3

    def test_large_steps_and_those_that_were_done_before(self, capsys):
        self.walk(2_000_000, 1, n=400_000)
        places = [line.split(",  ")[0].split(", t")[0] for line in lines_of(capsys)]
        assert places[0] == "[name] step 400,000 of 2,000,000"
        assert len(places) == 5
        self.walk(60, 1, n_done=30)
        lines = lines_of(capsys)
        assert lines[0].startswith("[name] step 31 of 60")
        assert len(lines) == 6

    def test_milestones_only(self, capsys):
        with progress_of("name", "step", 100, 2) as progress:
            for number in range(100):
                progress.update(1, "text", is_milestone=number % 50 == 49)
            progress.end("a long end", "end")
        lines = lines_of(capsys)
        assert [line.split(",")[0] for line in lines] == [
            "[name] step 50 of 100",
            "[name] step 100 of 100",
            "[name] a long end",
        ]

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(9, "0:09"), (61, "1:01"), (3661, "1:01:01"), (90_000, "25:00:00")],
    )
    def test_time_left(self, capsys, monkeypatch, seconds, text):
        now = [0.0]
        monkeypatch.setattr("sklearn_pscore._progress.perf_counter", lambda: now[0])
        with progress_of("name", "step", 20, 1, n_done=10) as progress:
            now[0] = seconds
            # Five of ten steps took that long.
            progress.update(5, "text")
        assert lines_of(capsys)[0].endswith(f", {text} left")

    def test_without_a_standard_error(self, monkeypatch):
        monkeypatch.setattr(sys, "stderr", None)
        with progress_of("name", "step", 3, 1) as progress:
            progress.update(3, "text")
        assert sys.stderr is None

    def test_silence(self, capsys):
        self.walk(3, 0)
        with progress_of("name", "step", 3, 0) as progress:
            progress.end("end", "end")
        assert lines_of(capsys) == []


class TestBar:
    def bar(self, monkeypatch):
        monkeypatch.setattr(sys, "stderr", Terminal())
        with progress_of("name", "step", 20, 1) as progress:
            for number in range(10):
                progress.update(1, f"text {number}")
            progress.end("a long end", "short")
        return sys.stderr.getvalue()

    def test_it_is_one_line(self, monkeypatch):
        written = self.bar(monkeypatch)
        assert written.count("\n") == 1
        assert "\x1b" not in written
        last = written.rstrip("\n").split("\r")[-1]
        assert last.startswith("step 10/10 |")
        assert last.endswith("| 00:00 left, text 9, short")

    def test_a_notebook_without_widgets(self, monkeypatch):
        """No terminal, but the kernel of a notebook; tqdm would warn of widgets."""
        shell = types.SimpleNamespace(kernel=object())
        ipython = types.SimpleNamespace(get_ipython=lambda: shell)
        kernel = types.ModuleType("ipykernel.zmqshell")
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", kernel)
        for name in [name for name in sys.modules if name.startswith("tqdm.")]:
            if name in ("tqdm.auto", "tqdm.autonotebook", "tqdm.notebook"):
                monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "ipywidgets", None)
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        # tqdm would swallow an error.
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with progress_of("name", "step", 2, 1) as progress:
                progress.update(2, "text")
        assert caught == []
        assert "step 2/2 |" in sys.stderr.getvalue()

    def test_a_program_of_ipython_without_a_kernel(self, monkeypatch, capsys):
        ipython = types.SimpleNamespace(get_ipython=lambda: None)
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        with progress_of("name", "step", 1, 1) as progress:
            progress.update(1, "text")
        assert lines_of(capsys)[0].startswith("[name] step 1 of 1, text")

    def test_lines_beside_a_bar(self, monkeypatch):
        monkeypatch.setattr(sys, "stderr", Terminal())
        with progress_of("outer", "fit", 2, 1) as outer:
            with progress_of("inner", "epoch", 1, 2) as inner:
                inner.update(1, "text", is_milestone=True)
            outer.update(2, "done")
        written = re.split(r"[\r\n]+", sys.stderr.getvalue())
        line = rf"\[inner\] epoch 1 of 1, text, {LEFT}"
        assert sum(bool(re.fullmatch(line, each)) for each in written) == 1


class TestRanker:
    @pytest.mark.parametrize("verbose", [1, True, 2])
    def test_fit(self, data, capsys, verbose):
        ranker = quick(verbose=verbose).fit(*data)
        losses = [f"{loss:#.4g}" for loss in ranker.history_["train_loss"]]
        lines = lines_of(capsys)
        assert len(lines) == 4
        for number, (loss, line) in enumerate(zip(losses, lines, strict=True), start=1):
            place = f"epoch {number} of 4, train_loss {re.escape(loss)}"
            assert re.fullmatch(rf"{re.escape(NAME)} {place}, {LEFT}", line)

    def test_a_few_lines_or_one_for_each_epoch(self, data, capsys):
        quick(max_epochs=40, verbose=1).fit(*data)
        assert len(lines_of(capsys)) == 11
        quick(max_epochs=40, verbose=2).fit(*data)
        assert len(lines_of(capsys)) == 40
        quick().fit(*data)
        assert lines_of(capsys) == []

    def test_what_is_validated(self, data, capsys):
        quick(verbose=2, early_stopping=True, scoring=None).fit(*data)
        line = lines_of(capsys)[0]
        for key in ("train_loss", "valid_loss", "valid_score"):
            assert re.search(rf", {key} \d\.\d+", line)

    def test_a_fit_that_goes_on(self, data, capsys):
        ranker = quick(verbose=2, warm_start=True).fit(*data).fit(*data)
        assert len(ranker.history_["epoch"]) == 8
        places = [line.split(",")[0] for line in lines_of(capsys)]
        assert places[3:5] == [f"{NAME} epoch 4 of 4", f"{NAME} epoch 5 of 8"]

    def test_partial_fit(self, data, capsys):
        ranker = quick(verbose=1)
        for _ in range(2):
            ranker.partial_fit(*data)
        loss = ranker.history_["train_loss"][1]
        lines = lines_of(capsys)
        assert len(lines) == 2
        assert lines[1] == f"{NAME} epoch 2, train_loss {loss:#.4g}"
        quick().partial_fit(*data)
        assert lines_of(capsys) == []

    def test_fit_parquet(self, data, capsys, tmp_path):
        X, groups = data
        order = np.argsort(groups["group"], kind="stable")
        frame = pd.DataFrame(X[order], columns=["a", "b", "c"])
        for field in ("group", "preference"):
            frame[field] = groups[field][order]
        frame.to_parquet(tmp_path / "part.parquet")
        columns = {"group": "group", "preference": "preference", "rows_at_a_time": 50}
        quick(verbose=1).fit_parquet(tmp_path, **columns)
        lines = lines_of(capsys)
        assert re.match(
            rf"{re.escape(NAME)} row \d+ of 600, epoch 1 of 4, train_loss \S+, {LEFT}",
            lines[0],
        )
        assert lines[-1].startswith(f"{NAME} row 600 of 600, epoch 4 of 4, train_loss")
        quick(verbose=2).fit_parquet(tmp_path, **columns)
        places = [line.split(",")[0] for line in lines_of(capsys)]
        assert places == [f"{NAME} row {150 * epoch} of 600" for epoch in (1, 2, 3, 4)]

    def test_nothing_of_skorch(self, data, capsys):
        """Its table has colours and goes to the standard output."""
        ranker = quick(verbose=2, max_epochs=2).fit(*data)
        names = [name for name, _ in ranker.net_.callbacks_]
        assert "print_log" not in names
        lines_of(capsys)

    @pytest.mark.parametrize("verbose", [1, 2])
    def test_the_same_scores(self, data, capsys, verbose):
        X, groups = data
        silent = quick().fit(X, groups).predict(X)
        assert np.array_equal(quick(verbose=verbose).fit(X, groups).predict(X), silent)

    def test_an_error_leaves_no_bar_behind(self, data, monkeypatch):
        X, groups = data
        monkeypatch.setattr(sys, "stderr", Terminal())
        with pytest.raises(ValueError, match="non-finite"):
            quick(verbose=1, learning_rate_init=1e30, learning_rate="constant").fit(
                X, groups
            )
        assert sys.stderr.getvalue().endswith("\n")
        assert len(tqdm._instances) == 0


PROGRAM = """
import numpy as np
from sklearn_pscore import Groups, PairwisePreferenceRanker
X = np.random.default_rng(0).normal(size=(60, 2))
groups = Groups.from_arrays(group=np.arange(60) // 5, preference=X[:, 0])
PairwisePreferenceRanker(
    max_epochs=12, n_members=2, random_state=0, verbose={verbose}, early_stopping=True
).fit(X, groups)
print("done")
"""


@pytest.mark.parametrize("verbose", [1, 2])
def test_nothing_but_text_into_pipes(verbose):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(verbose=verbose)],
        capture_output=True,
        check=True,
    )
    assert done.stdout == f"done{os.linesep}".encode()
    for character in (b"\x1b", b"\r"):
        assert character not in done.stderr
    assert b"epoch 12 of 12" in done.stderr


def test_one_line_on_a_terminal():
    pty = pytest.importorskip("pty")
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    program = [sys.executable, "-c", PROGRAM.format(verbose=1)]
    with subprocess.Popen(program, stderr=theirs, stdout=subprocess.PIPE) as running:
        os.close(theirs)
        written = b""
        while True:
            try:
                part = os.read(ours, 2**16)
            except OSError:
                # Nobody has the other end open any more.
                break
            if not part:
                break
            written += part
        assert running.stdout.read() == b"done\n"
    os.close(ours)
    assert b"\x1b" not in written
    # A terminal ends lines by two characters.
    assert written.count(b"\n") == 1
    text = written.decode().removesuffix("\r\n")
    states = [state.strip() for state in text.split("\r") if state.strip()]
    assert states[-1].startswith("epoch 12/12 |")
    assert re.search(r"\| 00:00 left, train_loss \S+, valid_loss \S+$", states[-1])
    assert max(map(len, states)) <= 100
