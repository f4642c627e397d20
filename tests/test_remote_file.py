"""Files of data sets: where they are looked up, downloaded, checked and kept."""

import hashlib
import re
from pathlib import Path

import pooch
import pytest

from sklearn_pscore.datasets import fetch_thqa
from sklearn_pscore.datasets._remote_file import RemoteFile
from sklearn_pscore.datasets._thqa import THQA_FILE

TEXT = "Image,brisque,Score\n1_voice_en_35_wavlip,40.5,0.6\n"
FILE = RemoteFile(
    title="The set",
    path="set/values.csv",
    url="https://example.org/values.csv",
    sha256=hashlib.sha256(TEXT.encode()).hexdigest(),
)


@pytest.fixture
def no_download(monkeypatch):
    """Make every download a failure of the test."""

    def retrieve(*args, **kwargs):
        raise AssertionError("a download was tried")

    monkeypatch.setattr(pooch, "retrieve", retrieve)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a data home that has the file."""
    monkeypatch.delenv("SKLEARN_PSCORE_DATA", raising=False)
    return make_home(tmp_path / "home", TEXT)


def make_home(home, text):
    (home / "set").mkdir(parents=True)
    (home / "set" / "values.csv").write_text(text, newline="")
    return home


def stand_in_for_http(monkeypatch, download):
    """Let pooch do all but the transfer; return the addresses it asked for."""
    asked = []

    def call(self, url, output_file, *args, **kwargs):
        asked.append(url)
        download(Path(output_file))

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", call)
    return asked


def test_is_looked_up_in_argument_then_variable_then_cache(
    home, tmp_path, monkeypatch, no_download
):
    empty = tmp_path / "empty"
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    with pytest.raises(FileNotFoundError, match=r"cache/sklearn_pscore/set"):
        FILE.fetch(download_if_missing=False)
    monkeypatch.setenv("SKLEARN_PSCORE_DATA", "")
    with pytest.raises(FileNotFoundError, match=r"cache/sklearn_pscore/set"):
        FILE.fetch(download_if_missing=False)
    monkeypatch.setenv("SKLEARN_PSCORE_DATA", str(home))
    assert FILE.fetch() == home / "set" / "values.csv"
    with pytest.raises(FileNotFoundError, match=re.escape(str(empty))):
        FILE.fetch(empty, download_if_missing=False)
    monkeypatch.setenv("SKLEARN_PSCORE_DATA", str(empty))
    assert FILE.fetch(str(home)) == home / "set" / "values.csv"
    assert not empty.exists()


def test_takes_a_home_below_the_users(home, monkeypatch, no_download):
    monkeypatch.setenv("HOME", str(home.parent))
    monkeypatch.setenv("USERPROFILE", str(home.parent))
    assert FILE.fetch("~/home") == home / "set" / "values.csv"


def test_writes_nothing_where_the_file_is_there(home, no_download):
    def state():
        return {path: path.stat().st_mtime_ns for path in home.parent.rglob("*")}

    before = state()
    FILE.fetch(home)
    assert state() == before


def test_keeps_a_file_of_another_hash(tmp_path, no_download):
    text = TEXT.replace("40.5", "41.5")
    path = make_home(tmp_path / "home", text) / "set" / "values.csv"
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    message = (
        f"{str(path)!r} has SHA-256 {sha256}; expected {FILE.sha256}. The file was kept "
        "and not used. Move it away to have it downloaded again, or replace it by "
        f"{FILE.url}"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        FILE.fetch(tmp_path / "home")
    assert path.read_text() == text


def test_missing_says_where_to_put_it(tmp_path, no_download):
    path = tmp_path / "set" / "values.csv"
    message = (
        f"The set is not at {str(path)!r} and download_if_missing=False; expected its "
        f"file there. Download https://example.org/values.csv and save it as {str(path)!r}"
    )
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        FILE.fetch(tmp_path, download_if_missing=False)
    assert list(tmp_path.iterdir()) == []


def test_downloads_once(tmp_path, monkeypatch):
    asked = stand_in_for_http(
        monkeypatch, lambda file: file.write_text(TEXT, newline="")
    )
    paths = [FILE.fetch(tmp_path / "new") for _ in range(2)]
    assert asked == ["https://example.org/values.csv"]
    assert paths == [tmp_path / "new" / "set" / "values.csv"] * 2
    assert paths[0].read_text() == TEXT
    files = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert files == paths[:1]


def breaks_off(file):
    file.write_text(TEXT[:20])
    raise ConnectionError("the line went dead")


def is_something_else(file):
    file.write_text("<html>Please log in</html>")


@pytest.mark.parametrize(
    ("download", "reason"),
    [
        (breaks_off, "ConnectionError: the line went dead"),
        (is_something_else, "ValueError: SHA256 hash of downloaded file"),
    ],
)
def test_failed_download_leaves_no_file(tmp_path, monkeypatch, download, reason):
    stand_in_for_http(monkeypatch, download)
    path = tmp_path / "set" / "values.csv"
    with pytest.raises(OSError, match=re.escape(f"could not be downloaded ({reason}")):
        FILE.fetch(tmp_path)
    with pytest.raises(OSError, match=re.escape(f"save it as {str(path)!r}")):
        FILE.fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []


def is_interrupted(file):
    file.write_text(TEXT[:20])
    raise KeyboardInterrupt


def test_interrupted_download_leaves_nothing_new(tmp_path, monkeypatch, capfd):
    stand_in_for_http(monkeypatch, is_interrupted)
    level = pooch.get_logger().level
    with pytest.raises(KeyboardInterrupt):
        FILE.fetch(tmp_path / "home")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "set").mkdir()
    with pytest.raises(KeyboardInterrupt):
        FILE.fetch(tmp_path)
    assert list(tmp_path.rglob("*")) == [tmp_path / "set"]
    assert capfd.readouterr() == ("", "")
    assert pooch.get_logger().level == level


def test_home_that_cannot_be_written(tmp_path, monkeypatch):
    stand_in_for_http(monkeypatch, is_something_else)
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="could not be downloaded"):
        FILE.fetch(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "not a folder"


def test_refuses_a_home_of_another_type():
    with pytest.raises(TypeError, match="data_home is int; expected the path"):
        FILE.fetch(3)


def test_thqa_is_the_pinned_file(tmp_path, monkeypatch):
    asked = stand_in_for_http(monkeypatch, is_something_else)
    path = tmp_path / "thqa" / "vvmf_results_a01.csv"
    message = f"THQA is not at {str(path)!r} and could not be downloaded (ValueError"
    with pytest.raises(OSError, match=re.escape(message)):
        fetch_thqa(data_home=tmp_path)
    with pytest.raises(FileNotFoundError, match=re.escape(f"save it as {str(path)!r}")):
        fetch_thqa(tmp_path, download_if_missing=False)
    assert asked == [
        "https://raw.githubusercontent.com/zyj-2000/THQA/"
        "c75c7cbe4e54caba5bfd78885d5c6983fbe14379/vvmf_results_a01.csv"
    ]
    assert THQA_FILE.url == asked[0]
