"""Errors, warnings and Ctrl-C of a command: one line each, and an exit code."""

import functools
import sys
import warnings
from contextlib import contextmanager

import typer
import typer.core

from sklearn_pscore._interrupt import EXIT_CODE, MESSAGE

USAGE = 2
"""Exit code of what the user can mend."""

# The base of all errors of usage: of click, or of the part of it in typer.
_UsageError = typer.BadParameter.__mro__[1]


class Failure(typer.Exit):
    """End with one line and an exit code, without a traceback."""

    def __init__(self, message, code=USAGE):
        typer.echo(f"Error: {one_line(message)}", err=True)
        super().__init__(code)


def one_line(text):
    """Return text without line breaks."""
    return " ".join(str(text).split())


def told_in_one_line(command):
    """Decorate a command, so that what goes wrong in it is told in one line."""

    @functools.wraps(command)
    def told(*args, **kwargs):
        try:
            with _told_warnings():
                command(*args, **kwargs)
        except KeyboardInterrupt:
            typer.echo(MESSAGE, err=True)
            raise typer.Exit(EXIT_CODE) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            raise Failure(_of_system(error)) from None
        except MemoryError as error:
            raise Failure(
                f"The memory does not hold the work ({error}). Pass fewer rows."
            ) from None
        except (ImportError, TypeError, ValueError) as error:
            raise Failure(error) from None

    return told


class OneLineGroup(typer.core.TyperGroup):
    """Commands whose errors of usage are one line, too."""

    def main(self, *args, standalone_mode=True, **extra):
        """Run the command of the arguments, and exit."""
        if not standalone_mode:
            return super().main(*args, standalone_mode=False, **extra)
        try:
            code = super().main(*args, standalone_mode=False, **extra)
        except _UsageError as error:
            typer.echo(f"Error: {one_line(error.format_message())}", err=True)
            code = USAGE
        sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def _told_warnings():
    """Print what users are warned of, once each."""
    seen = set()

    def told(message, category, *args, **kwargs):
        text = one_line(message)
        # The second is of scikit-learn, for fits that failed among others.
        is_told = issubclass(category, UserWarning) or (
            category.__name__ == "FitFailedWarning"
        )
        if is_told and text not in seen:
            seen.add(text)
            typer.echo(f"Warning: {text}", err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = told
        yield


def _of_system(error):
    """Return an error of the system as what to do."""
    if error.filename is None or error.strerror is None:
        return error
    path = str(error.filename)
    return f"{path!r}: {error.strerror}. Check the name, and who may read it."
