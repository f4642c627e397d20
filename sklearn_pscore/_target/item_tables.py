"""Tables of items: the rows of X by group and item, and how judgements find them."""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from sklearn_pscore._target.columns import check_names, frame_columns
from sklearn_pscore._target.fields import as_labels
from sklearn_pscore._target.labels import number_label_pairs, number_labels

# Stands between the labels of several columns that name a group.
_SEPARATOR = ":"


@dataclass(frozen=True)
class ItemTable:
    """Labels of the rows of a table.

    Attributes
    ----------
    keys : dict of str to ndarray of shape (n_rows,)
        Labels of the columns that name the group, by the name of the column.
    item : ndarray of shape (n_rows,) or None
        Labels of the items.
    others : dict of str to array-like of shape (n_rows,)
        Further columns, as they came, by the field that they hold.
    """

    keys: dict
    item: np.ndarray | None
    others: dict

    @classmethod
    def of(cls, table, on, item, name, *, item_argument="item", **others):
        """Read the labels of a table.

        Parameters
        ----------
        table : DataFrame, LazyFrame, Arrow table, or dict of str to array-like
        on : tuple of str
            Columns that name the group.
        item : str or None
            Column that names the item.
        name : str
            Name of the table, for the messages.
        item_argument : str, default="item"
            What users named `item` as, for the messages.
        **others : str or None
            Names of further columns.
        """
        named = dict(zip(_fields_of(on), on, strict=True))
        fields = {**named, item_argument: item, **others}
        columns = _table_columns(table, fields, name)
        with told_of(name):
            labels = {
                column: as_labels(columns[field], column)
                for field, column in named.items()
            }
            items = None if item is None else as_labels(columns[item_argument], item)
        return cls(labels, items, {field: columns.get(field) for field in others})

    @property
    def n_rows(self):
        return len(next(iter(self.keys.values()), self.item))

    def group_labels(self):
        """Return one label per row: that of the group, several joined by ":"."""
        columns = list(self.keys.values())
        if len(columns) == 1:
            return columns[0]
        rows = zip(*(column.tolist() for column in columns), strict=True)
        labels = np.array([_SEPARATOR.join(map(str, row)) for row in rows], dtype=str)
        codes = self.group_codes()
        first, _ = number_label_pairs(codes, np.zeros_like(codes))
        distinct, counts = np.unique(labels[first], return_counts=True)
        if np.any(counts > 1):
            raise ValueError(
                f"on={tuple(self.keys)} gives two groups the label "
                f"{str(distinct[counts > 1][0])!r}; expected labels without "
                f"{_SEPARATOR!r}, which joins those of one row. Replace it in one column."
            )
        return labels

    def group_codes(self):
        """Return the number of each row's group."""
        return _number_rows(list(self.keys.values()))

    def item_codes(self):
        """Return the number of each row's group and item."""
        return _number_rows([*self.keys.values(), self.item])

    def describe(self, row):
        """Return the labels of a row, for a message."""
        labels = [f"{key} {column[row]!s}" for key, column in self.keys.items()]
        item = [] if self.item is None else [f"item {self.item[row]!s}"]
        return ", ".join([*labels, *item])


@contextmanager
def told_of(name):
    """Say in errors of the block which table they are about."""
    try:
        yield
    except (TypeError, ValueError) as error:
        error.args = (f"In {name}: {error}",)
        raise


def number_both(given, items, name):
    """Number the rows of two tables alike, by group and item.

    Parameters
    ----------
    given, items : ItemTable
        With the same columns.
    name : str
        Name of the first table, for the messages.

    Returns
    -------
    given_code, item_code : ndarray of shape (n_rows,), int
        The same for rows of one group and item.

    Raises
    ------
    TypeError
        If a column holds integers in one table and strings in the other.
    ValueError
        If a row of `given` is of a group and item that `items` does not have.
    """
    given_code, item_code = number_alike(given, items, name)
    unknown = np.flatnonzero(~np.isin(given_code, item_code))
    if len(unknown):
        raise ValueError(
            f"{name} has {len(unknown)} of {len(given_code)} rows that are not in items, "
            f"the first at row {unknown[0]}: {given.describe(unknown[0])}; expected "
            "items to hold every judged item. Add its row to items and X, or drop "
            f"these rows of {name}."
        )
    return given_code, item_code


def number_alike(given, items, name):
    """Return what :func:`number_both` does, whether or not `items` has all.

    Parameters
    ----------
    given, items, name
        See :func:`number_both`.

    Returns
    -------
    given_code, item_code : ndarray of shape (n_rows,), int

    Raises
    ------
    TypeError
        If a column holds integers in one table and strings in the other.
    """
    pairs = [(key, given.keys[key], items.keys[key]) for key in items.keys]
    pairs.append(("item", given.item, items.item))
    joined = []
    for key, ours, theirs in pairs:
        if ours.dtype.kind != theirs.dtype.kind and len(ours) and len(theirs):
            words = {"i": "integers", "U": "strings"}
            raise TypeError(
                f"{key} holds {words[ours.dtype.kind]} in {name} and "
                f"{words[theirs.dtype.kind]} in items; expected the same labels in both. "
                "Convert one of the columns, for example by astype(str)."
            )
        joined.append(np.concatenate([theirs, ours]))
    codes = _number_rows(joined)
    return codes[items.n_rows :], codes[: items.n_rows]


def check_columns(on):
    """Return the names of the columns that name a group, as a tuple."""
    names = (on,) if isinstance(on, str) else on
    is_sequence = isinstance(names, (list, tuple)) and len(names)
    if not is_sequence or not all(isinstance(name, str) for name in names):
        raise TypeError(
            f"on is {on!r}; expected the name of the column that names the group, or a "
            'tuple of such names. Pass on="prompt" or on=("portrait", "speech").'
        )
    return tuple(names)


def check_option(value, name, expected):
    """Raise ValueError unless an option is one of those expected."""
    if not any(value is option or value == option for option in expected):
        raise ValueError(
            f"{name} is {value!r}; expected one of {list(expected)}. Pass one of them."
        )


def check_all_judged(is_judged, items, missing, what):
    """Raise ValueError if a row is not judged, where `missing` is "raise".

    Parameters
    ----------
    is_judged : ndarray of shape (n_rows,), bool
    items : ItemTable
    missing : {"raise", "nan"}
    what : str
        What a judged row has, for the message.
    """
    bad = np.flatnonzero(~is_judged)
    if missing == "raise" and len(bad):
        raise ValueError(
            f"{len(bad)} of the {len(is_judged)} rows of items have no {what}, the first "
            f"is row {bad[0]}: {items.describe(bad[0])}; expected one at least. Drop "
            'these rows of items and X, or pass missing="nan", which takes them for '
            "not judged."
        )


def _table_columns(table, names, name):
    """Return columns of a table, or of a dict of columns, by the field they hold.

    Parameters
    ----------
    table : DataFrame, LazyFrame, Arrow table, or dict of str to array-like
    names : dict of str to (str or None)
        Name of the column of each field; None is left out.
    name : str
        Name of the table, for the messages.
    """
    if not isinstance(table, dict):
        return frame_columns(table, names, name)
    named = {field: column for field, column in names.items() if column is not None}
    check_names(named, list(table), name)
    columns = {field: table[column] for field, column in named.items()}
    sizes = {named[field]: _length(column) for field, column in columns.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(
            f"{name} has columns of different lengths: {sizes}; expected one entry per "
            "row in each. Take them from the same rows."
        )
    return columns


def _number_rows(columns):
    """Number the distinct rows of several columns of labels."""
    codes = number_labels(columns[0])[1]
    for column in columns[1:]:
        codes = number_label_pairs(codes, number_labels(column)[1])[1]
    return codes


def _fields_of(on):
    """Return a name for each column of `on`, for the messages."""
    return ["on"] if len(on) == 1 else [f"on[{place}]" for place in range(len(on))]


def _length(column):
    """Return the entries of a column; 0 for what has none, or is but a number."""
    shape = getattr(column, "shape", None)
    if shape is not None:
        return shape[0] if shape else 0
    return len(column) if hasattr(column, "__len__") else 0
