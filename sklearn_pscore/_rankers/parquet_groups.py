"""Whole groups from Parquet files, read a part of the rows at a time."""

import re

import numpy as np

from sklearn_pscore._rankers.named_columns import check_named_columns
from sklearn_pscore._rankers.parquet_arguments import (
    check_features,
    check_fields,
    check_rows_at_a_time,
    list_files,
)
from sklearn_pscore._segments import run_starts

_MISSING = (
    "Reading Parquet needs pyarrow, which is not installed. Install it with: "
    'pip install "sklearn-pscore[parquet]".'
)

_RENAME = "Rename them in what wrote the file, or leave the name out of features=[...]."

# The name of the column that pandas writes an unnamed index to.
_UNNAMED_INDEX = re.compile(r"__index_level_\d+__")


class ParquetGroups:
    """Rows of Parquet files whose groups are runs of neighbouring rows.

    The constructor checks everything but the values of the features: that the
    files can be read and have the columns, that these are of one kind in all
    files, that features and target share none, and that the rows of each group
    follow one another.

    An index that pandas wrote is a column like any other if it has a name.

    Parameters
    ----------
    path : path or list of paths
        One file, several in the order of their rows, or a folder whose
        ``*.parquet`` files are taken in the order of their names.
    fields : dict of str to str
        Columns of the target by the field of Groups that they hold; `group`
        and `preference` at least.
    features : list-like of str, or None
        Columns of the features. None takes all that are not in `fields`, except
        an index without a name.
    rows_at_a_time : int
        Rows to read at a time. A stretch that is yielded may have half as many
        more, plus a group.

    Attributes
    ----------
    features : list of str
    n_rows : int
        Number of rows of all files.
    sizes : ndarray of shape (n_groups,), int
        Number of rows of each group, in their order.
    """

    def __init__(self, path, *, fields, features, rows_at_a_time):
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise ImportError(_MISSING) from None
        check_fields(fields)
        self.fields = fields
        self.features = check_features(features, fields)
        self.rows_at_a_time = check_rows_at_a_time(rows_at_a_time)
        self.paths = list_files(path)
        kinds = {}
        for file in self.paths:
            schema = _schema(file)
            if self.features is None:
                self.features = _remaining(schema.names, fields)
            check_named_columns(file, schema.names, fields, self.features, _RENAME)
            _check_kinds(file, schema, fields, self.features)
            for field in ("group", "item", "block"):
                if field in fields:
                    _check_same_kind(file, schema, field, fields[field], kinds)
        self._check_target()

    def __iter__(self):
        """Yield DataFrames of whole groups, in the order of the files."""
        import pandas as pd

        columns = [*self.fields.values(), *self.features]
        rest = None
        for _, batch in self._batches(columns):
            frame = batch.to_pandas(ignore_metadata=True)
            if rest is not None:
                kinds = self._kinds_of_both(rest, frame)
                parts = (rest, frame)
                if kinds:
                    parts = [part.astype(kinds) for part in parts]
                frame = pd.concat(parts, ignore_index=True)
            # The last group may go on in the next batch. No batch is empty.
            stop = run_starts(frame[self.fields["group"]].to_numpy())[-1]
            if stop < self.rows_at_a_time / 2:
                rest = frame
                continue
            yield frame.iloc[:stop]
            rest = frame.iloc[stop:].reset_index(drop=True)
        if rest is not None and len(rest):
            yield rest

    def _kinds_of_both(self, rest, frame):
        """Return the dtype, by name, of columns that two frames have in two dtypes."""
        names = [name for name in frame if rest[name].dtype != frame[name].dtype]
        # Integers of one file beside floats of another: as float64 they would be rounded
        # before they are checked. Metrics are floats at last, and a column of nothing but
        # nulls has no dtype that pandas could join.
        fields = self.fields.values()
        return {name: object if name in fields else np.float64 for name in names}

    def located(self, error, frame, start):
        """Return an error that names the files and rows of a stretch.

        Parameters
        ----------
        error : ValueError or TypeError
            Raised by a check of the stretch.
        frame : DataFrame
            The stretch.
        start : int
            Number of rows of all files before it.

        Returns
        -------
        error : ValueError or TypeError
            Of the kind that came.
        """
        kind = TypeError if isinstance(error, TypeError) else ValueError
        parts, stop = [], start + len(frame)
        for file, n_rows in self._n_rows_of.items():
            if start < n_rows and stop > 0:
                parts.append(f"{file}, rows {max(start, 0)} to {min(stop, n_rows) - 1}")
            start, stop = start - n_rows, stop - n_rows
        return kind(
            f"{' and '.join(parts)} (any row below is counted from 0 in these): {error}"
        )

    def _check_target(self):
        column = self.fields["group"]
        seen, previous = set(), None
        sizes = []
        self._n_rows_of = n_before = dict.fromkeys(self.paths, 0)
        for file, batch in self._batches([column, self.fields["preference"]]):
            frame = batch.to_pandas(ignore_metadata=True)
            labels = frame[column].to_numpy()
            self._check_nothing_is_missing(file, frame, n_before[file])
            starts = run_starts(labels)
            counts = np.diff(starts, append=len(labels)).tolist()
            for start, label, n_rows in zip(
                starts, labels[starts], counts, strict=True
            ):
                if label == previous:
                    sizes[-1] += n_rows
                    continue
                if label in seen:
                    raise ValueError(
                        f"{file}: group {label} comes back in column {column!r} at row "
                        f"{n_before[file] + start} after other groups; expected the rows "
                        "of a group next to each other. Sort the file by "
                        f"{column!r}."
                    )
                seen.add(label)
                sizes.append(n_rows)
                previous = label
            n_before[file] += len(frame)
        self.n_rows = sum(n_before.values())
        self.sizes = np.array(sizes)
        if not seen:
            raise ValueError(
                f"{', '.join(map(str, self.paths))}: no rows; expected the rows to learn "
                "from. Check what wrote the file."
            )

    def _check_nothing_is_missing(self, file, frame, n_before):
        for field in ("group", "preference"):
            # A donor needs no preference: it is not trained on.
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


def _schema(path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error


def _remaining(names, fields):
    """Return the names of the columns that the target leaves."""
    taken = set(fields.values())
    return [
        name
        for name in names
        if name not in taken and not _UNNAMED_INDEX.fullmatch(name)
    ]


def _check_kinds(path, schema, fields, features):
    """Raise ValueError for a column of a type that its use cannot take."""
    for name in features:
        kind = schema.field(name).type
        # All of its values are missing: pandas and Arrow write no other type then.
        if not (_is_null(kind) or _is_number(kind)):
            raise ValueError(
                f"{path}: column {name!r} holds {kind}; expected numbers in every metric. "
                "Name the metrics with features=[...], or say what the column is with "
                "item=."
            )
    for argument, column in fields.items():
        kind = schema.field(column).type
        is_label = argument in ("group", "item", "block")
        if _is_null(kind) or _is_number(kind) or (is_label and _is_text(kind)):
            continue
        expected = "integers or strings" if is_label else "numbers"
        raise ValueError(
            f"{path}: column {column!r}, which {argument}= names, holds {kind}; expected "
            f"{expected}. Convert the column in what writes the file."
        )


def _check_same_kind(path, schema, field, column, kinds):
    """Raise ValueError if a file has numbers for labels where an earlier has text.

    Parameters
    ----------
    kinds : dict of str to (path, type)
        By field, those of the first file; changed in place.
    """
    kind = schema.field(column).type
    if _is_null(kind):  # Written from no rows.
        return
    first_path, first = kinds.setdefault(field, (path, kind))
    if _is_text(kind) != _is_text(first):
        raise ValueError(
            f"{path}: column {column!r}, which {field}= names, holds {kind}, but in "
            f"{first_path} it holds {first}; expected one kind, since 1 and '1' are "
            "different labels. Convert one of the two."
        )


def _is_number(kind):
    from pyarrow import types

    return (
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_boolean(kind)
    )


def _is_text(kind):
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    is_text = (types.is_string, types.is_large_string, types.is_string_view)
    return any(check(kind) for check in is_text)


def _is_null(kind):
    from pyarrow import types

    return types.is_null(kind)


def _unreadable(path, error):
    return ValueError(
        f"{path} cannot be read as Parquet: {str(error).splitlines()[0]} It may be "
        "truncated, or of another kind. Write it again."
    )
