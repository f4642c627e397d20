"""The report as a file: what it holds, what it never holds, and how it is written."""

import base64
import hashlib
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from report_tables import ATTACK, METRICS, QUICK, SYSTEMS, many_systems, nasty_table

from sklearn_pscore import Groups
from sklearn_pscore.report import QUESTIONS, _cite, _svg, _write, analyse, write_report
from sklearn_pscore.report._tables import page_table

ROOT = Path(__file__).parents[1]
SECTIONS = [
    "data",
    "leaderboard",
    "comparison",
    "curves",
    "importance",
    "wins",
    "calibration",
    "items",
    "settings",
    "cite",
]
# Elements that have no end.
VOID = {"meta", "link", "br", "img"}


class Page(HTMLParser):
    """The elements of a page, and its texts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def nasty():
    return analyse(*nasty_table(), **QUICK, title=f"{ATTACK} & Co")


@pytest.fixture(scope="module")
def text(nasty):
    return _write.render(nasty, nasty_table()[0], 1000)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_sections_stand_in_their_order_after_the_answers(page, text, nasty):
    assert [attrs["id"] for attrs in page.of("section")] == SECTIONS
    links = [attrs["href"] for attrs in page.of("a")]
    assert links == [f"#{name}" for name in SECTIONS]
    places = [text.index(question) for question in QUESTIONS]
    assert places == sorted(places)
    assert places[-1] < text.index("<section")
    shown = " ".join("".join(data for _, data in page.texts).split())
    for answer in (*nasty.answers, *nasty.notes):
        assert " ".join(answer.split()) in shown.replace("\u00a0", " ")
    for value in (*nasty.facts, *nasty.settings, *nasty.settings.values()):
        assert " ".join(value.split()) in shown


def test_nothing_is_asked_for_elsewhere(page, text):
    assert not {"img", "iframe", "object", "embed", "base", "form", "video"} & {
        tag for tag, _ in page.elements
    }
    for _, attrs in page.elements:
        for name, value in attrs.items():
            if name in ("href", "src", "xlink:href", "action", "data"):
                assert value.startswith(("#", "data:")), value
    assert page.of("link") == [{"rel": "icon", "href": "data:,"}]
    outside = text
    for name in ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"):
        outside = outside.replace(f'="{name}"', "")
    assert "://" not in outside
    assert re.findall(r"url\((?!#)", text) == []
    assert "@import" not in text


def test_the_policy_lets_this_script_run_and_no_other(page):
    (policy,) = (
        attrs["content"]
        for attrs in page.of("meta")
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; ")
    (script,) = (data for tag, data in page.texts if tag == "script")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "unsafe-eval" not in policy
    # Only styles may stand at elements: no attribute runs a script.
    assert not [
        name for _, attrs in page.elements for name in attrs if name.startswith("on")
    ]


def test_names_are_text_whatever_they_hold(page, nasty):
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == tags.count("style") - len(page.of("svg")) == 1
    assert "b" not in tags
    cells = {data for tag, data in page.texts if tag == "td"}
    assert set(SYSTEMS) <= cells
    assert set(METRICS) <= cells
    assert f"{ATTACK} 7" in cells
    (title,) = (data for tag, data in page.texts if tag == "title")
    assert title == nasty.title
    # A metric that has the name of another row is told from it.
    assert {"linear", "linear (metric)", "GT", "GT (metric)"} <= set(
        nasty.comparison.methods
    )


def test_identifiers_are_unique_and_found(page):
    names = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(names) == len(set(names))
    used = set(re.findall(r"url\(#([^)]+)\)", str(page.elements)))
    used |= {
        value[1:]
        for _, attrs in page.elements
        for name, value in attrs.items()
        if name in ("href", "xlink:href") and value.startswith("#")
    }
    assert used <= set(names)
    assert used


def test_pictures_take_the_colour_of_the_page(page, text):
    pictures = page.of("svg")
    assert len(pictures) == 8
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in pictures)
    svg = re.findall(r"<svg.*?</svg>", text, flags=re.S)
    assert all("currentColor" in each for each in svg)
    assert all("#000000" not in each for each in svg)
    assert not re.search(r"<dc:date|<metadata", text)
    # Text is text, in the font of the page.
    assert sum(tag == "text" for tag, _ in page.elements) > 100
    # Its own width is known to the page, which makes it no smaller than can be read.
    for attrs in pictures:
        assert attrs["style"] == f"--width: {attrs['width']}"


def test_numbers_of_the_tables_are_those_of_the_results(page, nasty):
    columns = {
        attrs["data-value"]: None for attrs in page.of("td") if "data-value" in attrs
    }
    means = nasty.comparison.table()["pairwise accuracy"]["mean"]
    for value in (*means, *nasty.leaderboard.systems["mean"], *nasty.y_score):
        assert repr(float(value)) in columns
    assert repr(float(nasty.comparison.chance["pairwise accuracy"])) in columns


def test_columns_of_the_leaderboard_are_explained(page):
    heads = [
        data.strip()
        for tag, data in page.texts
        if tag in ("th", "button") and data.strip()
    ]
    assert {"rank by score", "true rank by score"} <= set(heads)
    (told,) = (
        data for tag, data in page.texts if tag == "p" and "adjusted for" in data
    )
    for name in ("P(beats next)", "groups more"):
        assert name in heads
        assert f'"{name}" is how' in told


def test_the_same_table_makes_the_same_bytes(text, tmp_path):
    X, groups = nasty_table()
    with mpl.rc_context({"axes.facecolor": "red", "svg.hashsalt": None}):
        path = write_report(
            tmp_path / "new" / "report.html",
            X,
            groups,
            **QUICK,
            title=f"{ATTACK} & Co",
        )
    assert path.read_bytes() == text.encode()
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]


def test_sixty_systems_stay_below_two_megabytes(tmp_path):
    X, groups = many_systems()
    path = write_report(
        tmp_path / "report.html",
        X,
        groups,
        **QUICK,
    )
    assert path.stat().st_size < 2_000_000
    page = Page(path.read_text(encoding="utf-8"))
    cells = [data for tag, data in page.texts if tag == "td"]
    assert "system-59 of the laboratory" in cells
    assert "The first 1,000 of 1,500 items" in path.read_text(encoding="utf-8")
    assert sum(tag == "tr" for tag, _ in page.elements) < 1200


def test_a_table_without_systems_and_one_of_winners():
    X, groups = nasty_table()
    X, groups = X.iloc[:60, :3].to_numpy(), groups[:60]
    preference = np.nan_to_num(groups["preference"], nan=-9)
    best = pd.Series(preference).groupby(groups["group"]).transform("max")
    winners = Groups.from_winners(group=groups["group"], winner=preference == best)
    analysis = analyse(X, winners, **QUICK, cv=2)
    text = unescape(_write.render(analysis, X, 5))
    assert "Not known: the table does not say which system made which row" in text
    assert 'id="wins"' not in text
    assert "one winner of each group" in text
    assert "The first 5 of 60 items" in text


def test_what_a_table_of_a_page_sorts_by():
    table = page_table(
        "a table",
        {
            "name": ["a", "b", "c"],
            "whole": [1000, 2, 3],
            "number": [0.12345, np.nan, -0.0001],
            "pair": [("low", 1.0), ("", np.nan), ("none", np.inf)],
        },
        kinds=["ours", "", ""],
    )
    assert [head.is_number for head in table.heads] == [False, True, True, True]
    shown = [[(cell.text, cell.value) for cell in row.cells] for row in table.rows]
    assert shown[0][:2] == [("a", None), ("1,000", "1000")]
    assert shown[0][2:] == [("0.123", "0.12345"), ("low", "1.0")]
    assert shown[1][2:] == [("", ""), ("", "")]
    assert shown[2][2:] == [("0.000", "-0.0001"), ("none", "inf")]
    assert [row.kind for row in table.rows] == ["ours", "", ""]


def test_identifiers_of_a_picture_are_its_own_and_text_is_left():
    svg = (
        '<?xml version="1.0"?>\n<svg xmlns="x"><metadata>a date</metadata>'
        '<defs><path id="m1" d="M0"/></defs><g clip-path="url(#m1)" '
        'style="fill: #000000"><use xlink:href="#m1"/><use href="#other"/>'
        '<text>#000000 id="m1" url(#m1)</text></g></svg>'
    )
    assert _svg.page_svg(svg, "wins", 'a "label" <b>') == (
        '<svg role="img" aria-label="a &#34;label&#34; &lt;b&gt;" xmlns="x">'
        '<defs><path id="wins-m1" d="M0"/></defs><g clip-path="url(#wins-m1)" '
        'style="fill: currentColor"><use xlink:href="#wins-m1"/><use href="#other"/>'
        '<text>#000000 id="m1" url(#m1)</text></g></svg>'
    )


def test_the_citation_is_that_of_the_repository():
    cff = " ".join((ROOT / "CITATION.cff").read_text().split())
    for field in ("title", "year", "doi", "booktitle"):
        value = re.search(rf"{field} += \{{(.*?)\}},?\n", _cite.PAPER, flags=re.S)[1]
        assert " ".join(value.split()) in cff
    authors = re.search(r"author += \{(.*?)\},\n", _cite.PAPER, flags=re.S)[1]
    for author in " ".join(authors.split()).split(" and "):
        family, given = author.split(", ")
        assert f"family-names: {family} given-names: {given}" in cff
    assert re.search(r" version: (\S+)", cff)[1] in _cite.PACKAGE
    assert "arXiv:" + re.search(r"eprint += \{(.*)\}", _cite.PAPER)[1] in cff


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("report.txt", ValueError, "expected a file that ends in .html"),
        ("report", ValueError, "report.html'"),
        ("there.html", FileExistsError, "expected a new file. Pass another path, or"),
        ("folder.html", IsADirectoryError, "is a folder; expected a file to write"),
        ("there.html/a/b.html", NotADirectoryError, "there.html', which is a file"),
        (3, TypeError, "path is int; expected the name of a file"),
    ],
)
def test_paths_are_refused_before_work(path, error, message, tmp_path, monkeypatch):
    monkeypatch.setattr(_write, "analyse", None)
    (tmp_path / "there.html").write_text("kept")
    (tmp_path / "folder.html").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(error, match=re.escape(message)):
        write_report(path if path == 3 else tmp_path / path, *nasty_table())
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "there.html").read_text() == "kept"


def test_a_folder_that_cannot_be_written_is_told_before_work(tmp_path, monkeypatch):
    monkeypatch.setattr(_write, "analyse", None)

    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(_write, "check_writable", refuse)
    with pytest.raises(PermissionError, match=re.escape(str(tmp_path))):
        write_report(tmp_path / "report.html", *nasty_table())


def test_a_failed_write_leaves_what_was_there(nasty, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("kept")

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_write, "render", lambda *args: "<!DOCTYPE html>")
    with monkeypatch.context() as full:
        full.setattr(Path, "write_text", fail)
        with pytest.raises(OSError, match="No space left"):
            write_report(path, *nasty_table(), analysis=nasty, overwrite=True)
    assert path.read_text() == "kept"
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    write_report(path, *nasty_table(), analysis=nasty, overwrite=True)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_an_analysis_must_go_with_the_rows(nasty, tmp_path):
    X, groups = nasty_table()
    path = tmp_path / "report.html"
    with pytest.raises(
        ValueError, match="analysis is of 180 rows but X has 6; expected"
    ):
        write_report(path, X[:6], groups[:6], analysis=nasty)
    with pytest.raises(
        TypeError, match="analysis is str; expected the result of analyse"
    ):
        write_report(path, X, groups, analysis="no")
    with pytest.raises(TypeError, match=re.escape("got an analysis and ['title']")):
        write_report(path, X, groups, analysis=nasty, title="another")
    with pytest.raises(ValueError, match="The 'max_rows' parameter of write_report"):
        write_report(path, X, groups, analysis=nasty, max_rows=0)
    assert not path.exists()


def test_without_jinja2_the_error_names_it(nasty, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    with pytest.raises(ImportError, match="pip install jinja2"):
        write_report(tmp_path / "report.html", *nasty_table(), analysis=nasty)
