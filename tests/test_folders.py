"""Folders that are made for files: whole files or none, and nothing left behind."""

import os

import pytest

from sklearn_pscore._folders import check_writable, made_folder, whole_files


def use(context, work, error=ValueError):
    """Work in a context, and fail in the end."""
    with context as value:
        work(value)
        raise error("mine")


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_new_folders_go_if_the_block_fails_and_old_ones_stay(tmp_path, error):
    (tmp_path / "old").mkdir()
    folder = tmp_path / "old" / "new" / "newer"
    with pytest.raises(error):
        use(made_folder(folder), lambda _: folder.rmdir() or folder.mkdir(), error)
    assert list(tmp_path.rglob("*")) == [tmp_path / "old"]
    with made_folder(tmp_path / "old" / "new"):
        pass
    assert (tmp_path / "old" / "new").is_dir()


def test_a_folder_that_others_use_stays(tmp_path):
    folder = tmp_path / "a" / "b"
    with pytest.raises(ValueError, match="mine"):
        use(made_folder(folder), lambda _: (tmp_path / "a" / "theirs").touch())
    assert list(tmp_path.rglob("*")) == [tmp_path / "a", tmp_path / "a" / "theirs"]


def test_files_are_seen_whole_and_all_at_once(tmp_path):
    out = tmp_path / "new" / "out"
    with whole_files(out) as folder:
        for name in ("a", "b"):
            (folder / name).write_text(name)
        assert not [path for path in out.iterdir() if path.is_file()]
    assert sorted(os.listdir(out)) == ["a", "b"]
    with pytest.raises(ValueError, match="mine"):
        use(whole_files(out), lambda folder: (folder / "a").write_text("other"))
    assert sorted(os.listdir(out)) == ["a", "b"]
    assert (out / "a").read_text() == "a"


def test_a_trial_leaves_nothing(tmp_path):
    check_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    check_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "a", tmp_path / ("a" * 300)):
        with pytest.raises(OSError, match=r"File exists|Not a dir|File name too long"):
            check_writable(path)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
