"""A file of a data set, downloaded once and checked by its hash."""

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sklearn_pscore._folders import made_folder

DATA_HOME_VARIABLE = "SKLEARN_PSCORE_DATA"
"""Environment variable that names the data home where no argument does."""


@dataclass(frozen=True)
class RemoteFile:
    """A file in the data home, and where it comes from.

    Attributes
    ----------
    title : str
        Name of the data set, for the messages.
    path : str
        Path in the data home, with ``/``.
    url : str
    sha256 : str
        Hash of the whole file, in hexadecimal.
    """

    title: str
    path: str
    url: str
    sha256: str

    def fetch(self, data_home=None, download_if_missing=True):
        """Return the path of the file, and download it if it is not there.

        Parameters
        ----------
        data_home : str, path-like or None, default=None
            None takes the environment variable, or else a cache of the user.
        download_if_missing : bool, default=True

        Returns
        -------
        path : Path

        Raises
        ------
        ValueError
            If the file that is there has another hash. It is kept.
        OSError
            If the file is not there and may not or cannot be downloaded.
        """
        path = _data_home(data_home) / self.path
        if path.exists():
            self._check_hash(path)
        elif download_if_missing:
            self._download(path)
        else:
            raise FileNotFoundError(
                f"{self.title} is not at {str(path)!r} and download_if_missing=False; "
                f"expected its file there. {self._how_to_place(path)}"
            )
        return path

    def _check_hash(self, path):
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        if sha256 != self.sha256:
            raise ValueError(
                f"{str(path)!r} has SHA-256 {sha256}; expected {self.sha256}. The file "
                "was kept and not used. Move it away to have it downloaded again, or "
                f"replace it by {self.url}"
            )

    def _download(self, path):
        """Download the file; an incomplete or wrong one leaves nothing at `path`."""
        # pooch writes to a temporary file beside `path` and renames it at the end.
        import pooch

        try:
            with made_folder(path.parent), _silenced(pooch.get_logger()):
                pooch.retrieve(
                    self.url, f"sha256:{self.sha256}", fname=path.name, path=path.parent
                )
        except (OSError, ValueError) as error:
            # pooch raises a ValueError if the downloaded file has another hash. To
            # the caller that is a failed download: no file of the user is wrong.
            raise OSError(
                f"{self.title} is not at {str(path)!r} and could not be downloaded "
                f"({type(error).__name__}: {error}); expected its file there. "
                f"{self._how_to_place(path)}"
            ) from error

    def _how_to_place(self, path):
        return (
            f"Download {self.url} and save it as {str(path)!r}, or set data_home or the "
            f"environment variable {DATA_HOME_VARIABLE} to a folder that has "
            f"{self.path}."
        )


@contextmanager
def _silenced(logger):
    """Let a logger of pooch, which prints every download, print warnings only."""
    level = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)


def _data_home(data_home):
    """Return the first data home that is given: argument, variable, user cache."""
    if data_home is None:
        data_home = os.environ.get(DATA_HOME_VARIABLE) or None
    if data_home is None:
        import pooch

        data_home = pooch.os_cache("sklearn_pscore")
    if not isinstance(data_home, (str, os.PathLike)):
        raise TypeError(
            f"data_home is {type(data_home).__name__}; expected the path of a folder, or "
            "None. Pass a string or a pathlib.Path."
        )
    return Path(data_home).expanduser().absolute()
