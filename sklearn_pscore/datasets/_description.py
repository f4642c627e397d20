"""Descriptions of data sets, one file beside the loaders each."""

from importlib.resources import files


def description(file, /, **facts):
    """Return the text of a file with the facts of a loader filled in."""
    text = files(__package__).joinpath(file).read_text(encoding="utf-8")
    return text.format(**facts)
