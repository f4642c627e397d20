"""Endings of the files of tables."""

SEPARATORS = {".csv": ",", ".tsv": "\t"}
"""What parts the columns of text, by the ending of the file."""

JSON = (".jsonl", ".ndjson")
"""Endings of JSON lines."""

ENDINGS = (*SEPARATORS, ".parquet", *JSON)
"""Endings of the tables that are read and written."""


def check_ending(path, name, endings=ENDINGS):
    """Raise ValueError unless the name of a file says what kind it is of.

    Parameters
    ----------
    path : Path
    name : str
        Of the argument, for the message.
    endings : tuple of str
    """
    if path.suffix.lower() not in endings:
        raise ValueError(
            f"{name} is {str(path)!r}; expected a file that ends in one of "
            f"{', '.join(endings)}."
        )


def files_of_folder(folder, name):
    """Return the Parquet files of a folder, in the order of their names.

    Parameters
    ----------
    folder : Path
    name : str
        Of the argument, for the message.

    Raises
    ------
    ValueError
        If there is none.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise ValueError(
            f"{name} is {str(folder)!r}, a folder without a *.parquet file; expected at "
            "least one in it, not in folders inside. Pass a file, or another folder."
        )
    return files
