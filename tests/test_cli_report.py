"""``pscore report``: four answers on the terminal and on one page."""

import json

import pytest
from cli_cases import ROLES, hand_made, invoke, refused

from sklearn_pscore.report import QUESTIONS

FRAME = hand_made()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    FRAME.to_csv(folder / "table.csv", index=False)
    options = ["--quick", "--folds", 2, "-o", folder / "new" / "r.html"]
    result = invoke(
        "report", folder / "table.csv", *ROLES, "--block", "actor", *options
    )
    assert result.exit_code == 0, result.stderr
    return result, folder / "new" / "r.html"


def test_the_four_questions_are_answered(written):
    result, path = written
    assert result.stdout.startswith(f"Written to {path}\n\n")
    lines = result.stdout.splitlines()
    places = [lines.index(question) for question in QUESTIONS]
    assert places == sorted(places)
    assert max(map(len, lines)) <= 100
    assert "from 30 groups in 10 blocks" in " ".join(result.stdout.split())
    assert "sharp: larger is preferred" in result.stdout


def test_the_page_is_whole_and_names_are_escaped(written):
    _, path = written
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.rstrip().endswith("</html>")
    assert "<title>table (trained little, to try: --quick)" in page
    assert "&lt;b&gt;z&lt;/b&gt;" in page
    assert "<b>z</b>" not in page
    assert [each.name for each in path.parent.iterdir()] == ["r.html"]


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (FRAME, ["-o", "r.pdf"], "expected a file that ends in one of .html, .htm"),
        (FRAME, ["-o", "table.csv/r.html"], "where no file can be written"),
        (
            FRAME.assign(liking=""),
            [],
            "--preference is 'liking', which is empty in all",
        ),
        (
            FRAME[FRAME["team"] == "ours"],
            [],
            "26 groups of one judged row each; expected",
        ),
        (FRAME[:6], [], "1 group in which people prefer one item to another; expected"),
    ],
)
def test_what_cannot_be_is_told(tmp_path, monkeypatch, frame, options, message):
    monkeypatch.chdir(tmp_path)
    frame.to_csv("table.csv", index=False)
    options = options or ["-o", "r.html"]
    assert message in refused("report", "table.csv", *ROLES, *options)
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("refits", [1, 4])
def test_too_few_refits_are_told_before_the_table_is_read(tmp_path, refits):
    options = ["--refits", refits, "-o", tmp_path / "r.html"]
    line = refused("report", tmp_path / "no.csv", *ROLES, *options)
    assert line.startswith(f"--refits is {refits}; expected 0, or 5 and more")


def test_json_lines_with_unjudged_prompts(tmp_path):
    """A group that nobody judged is scored, and nothing is learnt of it."""
    frame = FRAME.head(60).copy()
    frame.loc[frame["scene"] == "scene 4, take 1", "liking"] = None
    path = tmp_path / "t.jsonl"
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    path.write_text("\n".join(map(json.dumps, records)))
    options = ["--quick", "--folds", 2, "--metrics", "sharp", "-o", tmp_path / "r.html"]
    result = invoke("report", path, *ROLES, *options)
    assert result.exit_code == 0, result.stderr
    assert "scene 4, take 1" in (tmp_path / "r.html").read_text(encoding="utf-8")
