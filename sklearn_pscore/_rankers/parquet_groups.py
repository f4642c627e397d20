"""Whole groups, read one stretch after the other from Parquet files."""

import re
from pathlib import Path

import numpy as np

_MISSING = (
    "Reading Parquet needs pyarrow, which is not installed. Install it with: "
    'pip install "sklearn-pscore[parquet]".'
)

# As pandas writes it.
_UNNAMED_INDEX = re.compile(r"__index_level_\d+__")


class ParquetGroups:
    """Rows of Parquet files, in which every group is one stretch of rows.

    Everything that can be told without the features' values is checked at once:
    that the files can be read and have the columns, that the features are
    numbers, and that no group comes back after it was left.

    An index that pandas wrote is a column like any other if it has a name.

    Parameters
    ----------
    path : path or list of paths
        One file, several in the order of their rows, or a folder whose
        ``*.parquet`` files are taken in the order of their names.
    fields : dict of str to str
        Columns of the target by the field of Groups that they hold; `group`
        and `preference` at least.
    features : list of str or None
        Columns of the metrics. None takes all that are not in `fields`, but no
        index without a name.
    rows_at_a_time : int
        Rows to read at a time; a chunk may be larger by one group.

    Attributes
    ----------
    n_rows : int
        Of all files.
    """

    def __init__(self, path, *, fields, features, rows_at_a_time):
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise ImportError(_MISSING) from None
        if isinstance(features, str):
            raise TypeError(
                f"features={features!r} is a str; expected a list of the names of "
                f"columns. Pass features=[{features!r}]."
            )
        self.paths = _files(path)
        self.fields = fields
        self.rows_at_a_time = rows_at_a_time
        self.features = features
        for number, file in enumerate(self.paths):
            schema = _schema(file)
            if number == 0 and features is None:
                taken = set(fields.values())
                self.features = [
                    name
                    for name in schema.names
                    if name not in taken and not _UNNAMED_INDEX.fullmatch(name)
                ]
            _check_columns(file, schema.names, fields, self.features)
            _check_numeric(file, schema, self.features)
        self._check_target()

    def __iter__(self):
        """Yield DataFrames of whole groups, in the order of the files."""
        import pandas as pd

        columns = [*self.fields.values(), *self.features]
        rest = None
        for _, batch in self._batches(columns):
            frame = batch.to_pandas(ignore_metadata=True)
            if rest is not None:
                frame = pd.concat([rest, frame], ignore_index=True)
            group = frame[self.fields["group"]].to_numpy()
            last = _last_start(group)
            if last < self.rows_at_a_time / 2:
                rest = frame
                continue
            yield frame.iloc[:last]
            rest = frame.iloc[last:].reset_index(drop=True)
        if rest is not None and len(rest):
            yield rest

    def located(self, error, frame, start):
        """Return the error of a stretch, with the files and rows it is about.

        Parameters
        ----------
        error : ValueError
            What is wrong with the stretch.
        frame : DataFrame
            The stretch.
        start : int
            Rows of all files that come before it.
        """
        parts, stop = [], start + len(frame)
        for file, n_rows in self._n_rows_of.items():
            if start < n_rows and stop > 0:
                parts.append(f"{file}, rows {max(start, 0)} to {min(stop, n_rows) - 1}")
            start, stop = start - n_rows, stop - n_rows
        X = frame[self.features].to_numpy(np.float64)
        wrong = np.argwhere(~np.isfinite(X))
        if len(wrong):
            row, k = wrong[0]
            error = (
                f"column {self.features[k]!r} holds {X[row, k]} at row {row}; expected "
                "finite numbers. Drop the row or fill it in."
            )
        return ValueError(
            f"{' and '.join(parts)} (any row below is counted from 0 in these): {error}"
        )

    def _check_target(self):
        column = self.fields["group"]
        seen, before = set(), None
        self._n_rows_of = n_before = dict.fromkeys(self.paths, 0)
        for file, batch in self._batches([column, self.fields["preference"]]):
            frame = batch.to_pandas(ignore_metadata=True)
            labels = frame[column].to_numpy()
            if not len(labels):
                continue
            self._check_nothing_is_missing(file, frame, n_before[file])
            n_before[file] += len(frame)
            starts = np.r_[True, labels[1:] != labels[:-1]]
            for label in labels[starts]:
                if label == before:
                    continue
                if label in seen:
                    raise ValueError(
                        f"{file}: group {label} comes back in column {column!r} after "
                        "other groups; expected the rows of a group next to each other. "
                        f"Sort the file by {column!r}."
                    )
                seen.add(label)
                before = label
        self.n_rows = sum(n_before.values())
        if not seen:
            raise ValueError(
                f"{', '.join(map(str, self.paths))}: no rows; expected the rows to learn "
                "from. Check what wrote the file."
            )

    def _check_nothing_is_missing(self, file, frame, n_before):
        for field in ("group", "preference"):
            # A donor that was not judged is left out anyway.
            if field == "preference" and "donor" in self.fields:
                continue
            missing = np.flatnonzero(frame[self.fields[field]].isna())
            if len(missing):
                raise ValueError(
                    f"{file}: column {self.fields[field]!r} is missing at row "
                    f"{n_before + missing[0]}; expected a {field} in every row. Drop the "
                    "row or fill it in."
                )

    def _batches(self, columns):
        import pyarrow as pa
        import pyarrow.parquet as pq

        for path in self.paths:
            try:
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches(
                        self.rows_at_a_time, columns=columns
                    ):
                        yield path, batch
            except (pa.ArrowInvalid, OSError) as error:
                raise _unreadable(path, error) from error


def _files(path):
    if isinstance(path, (list, tuple)):
        paths = [Path(each) for each in path]
    elif Path(path).is_dir():
        paths = sorted(Path(path).glob("*.parquet"))
    else:
        paths = [Path(path)]
    if not paths:
        raise ValueError(
            f"path={str(path)!r} holds no *.parquet file; expected at least one. Pass a "
            "file, a list of files, or a folder of them."
        )
    for each in paths:
        if not each.is_file():
            raise FileNotFoundError(
                f"path names {str(each)!r}, which is not a file; expected a Parquet file. "
                "Check the path."
            )
    return paths


def _schema(path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error


def _check_columns(path, names, fields, features):
    wanted = {**fields, **{f"features[{k}]": name for k, name in enumerate(features)}}
    for argument, column in wanted.items():
        if column not in names:
            raise ValueError(
                f"{path} has no column {column!r}, which {argument}= names; its columns "
                f"are {names}. Name one of these."
            )
    if not features:
        raise ValueError(
            f"{path} has no column beside {list(fields.values())}; expected at least one "
            "metric to learn from. Pass features=[...]."
        )


def _check_numeric(path, schema, features):
    from pyarrow import types

    for name in features:
        held = schema.field(name).type
        if not (
            types.is_integer(held)
            or types.is_floating(held)
            or types.is_decimal(held)
            or types.is_boolean(held)
        ):
            raise ValueError(
                f"{path}: column {name!r} holds {held}; expected numbers in every metric. "
                "Name the metrics with features=[...], or say what the column is with "
                "item=."
            )


def _unreadable(path, error):
    return ValueError(
        f"{path} cannot be read as Parquet: {str(error).splitlines()[0]} It may be "
        "truncated, or of another kind. Write it again."
    )


def _last_start(group):
    """Return where the last stretch of equal labels starts."""
    changes = np.flatnonzero(group[1:] != group[:-1])
    return int(changes[-1]) + 1 if len(changes) else 0
