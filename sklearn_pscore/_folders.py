"""Folders that are made for files, and are not left behind without them."""

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def made_folder(folder):
    """Make a folder and its parents; if the block fails, remove those that are new.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    OSError
        If it cannot be made.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for each in made:
            # What others have put into it stays.
            with suppress(OSError):
                each.rmdir()
        raise


@contextmanager
def whole_files(folder):
    """Yield a folder for files, which move to `folder` at the end of the block.

    So no file is there by half; if the block fails, none is there at all.

    Parameters
    ----------
    folder : Path
        Made if it is not there.

    Raises
    ------
    OSError
        If nothing can be written there.
    """
    with made_folder(folder), TemporaryDirectory(prefix=".part-", dir=folder) as part:
        yield Path(part)
        for name in sorted(os.listdir(part)):
            os.replace(Path(part, name), folder / name)


def check_writable(folder):
    """Raise OSError if no file can be written to a folder; leave nothing there.

    Parameters
    ----------
    folder : Path
        It need not be there.
    """
    with suppress(_Tried), whole_files(folder) as part:
        (part / "file").touch()
        raise _Tried


class _Tried(Exception):
    """Ends a trial as a failure, so that what was made for it is removed."""
