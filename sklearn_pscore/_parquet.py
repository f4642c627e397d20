"""Whole groups, read one stretch after the other from Parquet files."""

from pathlib import Path

import numpy as np

_MISSING = (
    "Reading Parquet needs pyarrow, which is not installed. Install it with: "
    'pip install "sklearn-pscore[parquet]".'
)


class ParquetGroups:
    """Rows of Parquet files, in which every group is one stretch of rows.

    Everything that can be told without the features is checked at once: that
    the files can be read and have the columns, and that no group comes back
    after it was left.

    Parameters
    ----------
    path : path or list of paths
        One file, several in the order of their rows, or a folder whose
        ``*.parquet`` files are taken in the order of their names.
    fields : dict of str to str
        Columns of the target by the field of Groups that they hold; `group`
        and `preference` at least.
    features : list of str or None
        Columns of the metrics. None takes all that are not in `fields`.
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
        self.paths = _files(path)
        self.fields = fields
        self.rows_at_a_time = rows_at_a_time
        self.features = features
        for number, file in enumerate(self.paths):
            names = _column_names(file)
            if number == 0 and features is None:
                taken = set(fields.values())
                self.features = [name for name in names if name not in taken]
            _check_columns(file, names, fields, self.features)
        self._check_target()

    def __iter__(self):
        """Yield DataFrames of whole groups, in the order of the files."""
        import pandas as pd

        columns = [*self.fields.values(), *self.features]
        rest = None
        for _, batch in self._batches(columns):
            frame = batch.to_pandas()
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

    def _check_target(self):
        column = self.fields["group"]
        seen, before = set(), None
        self.n_rows = 0
        n_before = dict.fromkeys(self.paths, 0)
        for file, batch in self._batches([column, self.fields["preference"]]):
            frame = batch.to_pandas()
            labels = frame[column].to_numpy()
            if not len(labels):
                continue
            self._check_nothing_is_missing(file, frame, n_before[file])
            n_before[file] += len(frame)
            self.n_rows += len(frame)
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


def _column_names(path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(path).names
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


def _unreadable(path, error):
    return ValueError(
        f"{path} cannot be read as Parquet: {str(error).splitlines()[0]} It may be "
        "truncated, or of another kind. Write it again."
    )


def _last_start(group):
    """Return where the last stretch of equal labels starts."""
    changes = np.flatnonzero(group[1:] != group[:-1])
    return int(changes[-1]) + 1 if len(changes) else 0
