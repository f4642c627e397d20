"""Files of tables: CSV, TSV, Parquet and JSON lines, read and written."""

import json

import numpy as np

from sklearn_pscore._tables.delimited import read_delimited
from sklearn_pscore._tables.endings import (
    JSON,
    SEPARATORS,
    check_ending,
    files_of_folder,
)
from sklearn_pscore._tables.table import Table


def read_table(path, role="TABLE"):
    """Return the table of a file, or of all Parquet files of a folder.

    Parameters
    ----------
    path : Path
        The ending of a file says what it is.
    role : str, default="TABLE"
        The argument that it is, for messages.

    Returns
    -------
    table : Table

    Raises
    ------
    ValueError
        If it is no table, has no rows, or two columns of one name, or files of a folder
        have other columns than the others.
    ImportError
        If what reads Parquet is not installed.
    OSError
        If it cannot be read.
    """
    if path.is_dir():
        return _read_folder(path, role)
    # Whether it is there, in the words of the system, before its ending: a folder needs
    # none.
    path.open("rb").close()
    check_ending(path, role)
    ending = path.suffix.lower()
    try:
        if ending in SEPARATORS:
            frame = read_delimited(path)
        elif ending in JSON:
            frame = _read_json_lines(path)
        else:
            frame = _read_parquet(path)
    except (ImportError, OSError):
        raise
    except Exception as error:
        raise ValueError(f"{role} {error}") from error
    return Table(frame, f"{role} {str(path)!r}", is_text=ending in SEPARATORS)


def write_table(frame, path):
    """Write a table in the kind that the name of the file says.

    Parameters
    ----------
    frame : DataFrame
    path : Path
    """
    ending = path.suffix.lower()
    if ending in SEPARATORS:
        frame.to_csv(path, sep=SEPARATORS[ending], index=False)
    elif ending in JSON:
        with path.open("w", encoding="utf-8") as file:
            for record in frame.astype(object).to_dict("records"):
                file.write(json.dumps(_without_nan(record), ensure_ascii=False) + "\n")
    else:
        _write_parquet(frame, path)


def _read_parquet(path):
    """Read by pandas, or by polars where there is no pyarrow."""
    import pandas as pd

    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        polars = _polars(error)
        columns = polars.read_parquet(path).to_dict()
        return pd.DataFrame({name: each.to_list() for name, each in columns.items()})
    try:
        frame = pd.read_parquet(path)
    except Exception as error:
        raise ValueError(
            f"{str(path)!r} cannot be read: {error}; expected a file of Parquet."
        ) from error
    # An index is a column if it has a name, as in the file.
    named = [level for level, name in enumerate(frame.index.names) if name is not None]
    return frame.reset_index(named)


def _read_folder(folder, role):
    """Return the rows of all Parquet files of a folder as one table."""
    import pandas as pd

    files = files_of_folder(folder, role)
    # Those without rows say nothing, not even which kind a column is of.
    tables = {}
    for file in files:
        try:
            frame = _read_parquet(file)
        except ValueError as error:
            raise ValueError(f"{role} {error}") from error
        if len(frame):
            tables[file.name] = Table(frame, f"{role} {str(file)!r}")
    name = f"{role} {str(folder)!r}"
    if not tables:
        raise ValueError(f"{name} has no rows; expected at least one.")
    (first_file, first), *others = tables.items()
    for file, table in others:
        for column in sorted({*first.names} ^ {*table.names}):
            has, lacks = (
                (first_file, file) if column in first.names else (file, first_file)
            )
            raise ValueError(
                f"{name}: {lacks} has no column {column!r}, which {has} has; expected the "
                "columns of one table in each file. Write the files anew, or take the "
                "odd one away."
            )
    columns = {column: _joined(column, tables, name) for column in first.names}
    return Table(pd.DataFrame(columns), name)


def _joined(column, tables, name):
    """Return a column of several tables as one."""
    import pandas as pd

    parts = {file: table.values(column) for file, table in tables.items()}
    if len({part.dtype for part in parts.values()}) == 1:
        return pd.concat(parts.values(), ignore_index=True)
    # A column of nothing but missing values is of any kind.
    there = {file: part for file, part in parts.items() if part.notna().any()}
    numbers = {file: tables[file].numbers(column) for file in parts}
    of_text = [file for file in there if numbers[file] is None]
    of_numbers = [file for file in there if numbers[file] is not None]
    if of_text and of_numbers:
        raise ValueError(
            f"{name}: column {column!r} holds text in {of_text[0]} and numbers in "
            f"{of_numbers[0]}; expected one kind. Convert one of the two."
        )
    if len(there) == len(parts) and all(p.dtype.kind in "iu" for p in parts.values()):
        return pd.concat(parts.values(), ignore_index=True)
    if of_text:
        texts = [part.astype(object) for part in parts.values()]
        return pd.concat(texts, ignore_index=True)
    return pd.Series(np.concatenate(list(numbers.values())))


def _write_parquet(frame, path):
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        columns = {str(name): frame[name].tolist() for name in frame.columns}
        _polars(error).DataFrame(columns, strict=False).write_parquet(path)
    else:
        frame.to_parquet(path, index=False)


def _polars(error):
    """Return polars; raise ImportError if it is not there, either."""
    try:
        import polars
    except ImportError:
        raise ImportError(
            f"A .parquet file needs pyarrow ({error}). Install it with: "
            'pip install "sklearn-pscore[parquet]".'
        ) from error
    return polars


def _read_json_lines(path):
    import pandas as pd

    records, number = [], 1
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line in file:
                if line.strip():
                    records.append(_record(line, is_first=not records))
                number += 1
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{str(path)!r} is not UTF-8: {error}; expected JSON in UTF-8. Write it anew."
        ) from None
    except ValueError as error:
        raise ValueError(
            f"{str(path)!r} cannot be read in line {number}: {error}; expected one JSON "
            'object per line, such as {"prompt": "p1", "fid": 3.5}. Write a list of '
            "objects anew with: pandas.read_json(path).to_json(new, orient='records', "
            "lines=True)."
        ) from None
    if not records:
        raise ValueError(
            f"{str(path)!r} is empty; expected one JSON object per line, a row each."
        )
    return pd.DataFrame(records)


def _record(line, is_first):
    """Return the object of a line, whose names are checked in the first."""
    record = json.loads(line, object_pairs_hook=_once if is_first else None)
    if not isinstance(record, dict):
        raise ValueError("it is no object")
    return record


def _once(pairs):
    """Return an object of JSON; raise ValueError if a name is there twice."""
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has two columns {twice!r}")
    return record


def _without_nan(record):
    """Return a row with what JSON has for its values."""
    return {str(name): _plain(value) for name, value in record.items()}


def _plain(value):
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    return value if isinstance(value, (list, dict)) else str(value)
