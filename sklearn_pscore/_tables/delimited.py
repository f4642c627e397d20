"""CSV and TSV: read as text, with the reason where that is impossible."""

import codecs
import csv
import re
from io import StringIO
from shlex import quote

from sklearn_pscore._tables.endings import SEPARATORS

_OTHERS = {";": "';'", "\t": "tabs", "|": "'|'", ",": "','"}
_CHUNK = 1 << 20
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_delimited(path):
    """Return a table whose entries are text, as they are written.

    Parameters
    ----------
    path : Path
        Ends in .csv or .tsv. UTF-8, with or without a byte order mark.

    Returns
    -------
    frame : DataFrame of str

    Raises
    ------
    ValueError
        If it is empty, of another encoding or delimiter, or ragged. The message
        says how to mend it.
    OSError
        If it cannot be read.
    """
    import pandas as pd

    separator = SEPARATORS[path.suffix.lower()]
    header = _header(path)
    names = _names(header, separator)
    _check_separator(path, header, names, separator)
    try:
        frame = pd.read_csv(
            path,
            sep=separator,
            header=None,
            dtype=str,
            # Text stays as it is: "007", "1e3" and "NA" too.
            keep_default_na=False,
            encoding="utf-8-sig",
        )
    except UnicodeDecodeError:
        raise _other_encoding(path) from None
    except pd.errors.ParserError as error:
        raise _ragged(path, error, separator) from None
    return frame.iloc[1:].reset_index(drop=True).set_axis(names, axis=1)


def mended(path, **options):
    """Return the command that writes a table anew, read with options of pandas."""
    given = "".join(f", {name}={value!r}" for name, value in options.items())
    new = f"mended-{path.name}"
    separator = SEPARATORS[path.suffix.lower()]
    to = "" if separator == "," else f", sep={separator!r}"
    code = (
        f"import pandas; pandas.read_csv({str(path)!r}{given})"
        f".to_csv({new!r}{to}, index=False)"
    )
    return f"python -c {quote(code)}"


def _header(path):
    """Return the first line of a file that is not blank, which may span several."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            start = file.read(_CHUNK)
    except UnicodeDecodeError:
        raise _other_encoding(path) from None
    if "\0" in start:
        raise _other_encoding(path)
    if not start.strip():
        raise ValueError(
            f"{str(path)!r} is empty; expected a line with the names of the columns, and a "
            "line per row."
        )
    return start.lstrip("\r\n")


def _names(header, separator):
    return next(csv.reader(StringIO(header, newline=""), delimiter=separator))


def _check_separator(path, header, names, separator):
    """Raise ValueError if the first line has one column, and could have several."""
    if len(names) > 1:
        return
    counts = {
        other: len(_names(header, other)) for other in _OTHERS if other != separator
    }
    other = max(counts, key=counts.get)
    if counts[other] > 1:
        options = {"sep": other}
        if re.search(r"\d,\d", header) and other == ";":
            options["decimal"] = ","
        raise ValueError(
            f"{str(path)!r} has one column, {names[0]!r:.60}, which {_OTHERS[other]} would "
            f"part into {counts[other]}; expected columns parted by "
            f"{_OTHERS[separator]} in a {path.suffix} file. Write it anew with: "
            f"{mended(path, **options)}"
        )


def _other_encoding(path):
    """Return the error of a file that is not UTF-8: where, and how to mend it."""
    with path.open("rb") as file:
        start = file.read(_CHUNK)
        if start.startswith(_UTF_16) or b"\0" in start:
            encoding, what = "utf-16", "has bytes of zero, as UTF-16 has"
            if start.startswith(b"PK"):
                return ValueError(
                    f"{str(path)!r} is an archive or a spreadsheet; expected text. Save "
                    "the sheet as CSV in UTF-8."
                )
        else:
            encoding, what = "latin-1", _first_odd_byte(file)
    return ValueError(
        f"{str(path)!r} is not UTF-8: it {what}; expected text in UTF-8. If it is "
        f"{encoding}, write it anew with: {mended(path, encoding=encoding)}"
    )


def _first_odd_byte(file):
    """Return where the first byte is that is no UTF-8."""
    file.seek(0)
    for number, line in enumerate(file, 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            return f"has the byte {line[error.start]:#04x} in line {number}"
    return "cannot be decoded"


def _ragged(path, error, separator):
    """Return the error of a file with lines of different lengths."""
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if not found:
        return ValueError(
            f"{str(path)!r} cannot be read: {error}; expected a line per row. Look for "
            "a quote that is not closed."
        )
    expected, line, saw = found.groups()
    return ValueError(
        f"{str(path)!r} has {saw} columns in line {line}; expected {expected}, as in the "
        f"first line. Put quotes around what holds {_OTHERS[separator]}; a decimal comma "
        "is to be a point."
    )
