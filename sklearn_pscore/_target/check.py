"""The ranking target: one gate through which every target comes in.

Estimators, metrics and splitters all call :func:`check_groups` once, at the
door, and work on the clean :class:`RankingTarget` that it returns.
"""

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_array, column_or_1d

from sklearn_pscore._segments import run_starts
from sklearn_pscore._target.fields import CONVERTERS, OPTIONAL_FIELDS, REQUIRED_FIELDS

# A plain integer target with this many distinct values, each of them at least
# twice, is more likely a column of group ids than a leaderboard.
_SUSPICIOUS_DISTINCT_INTEGERS = 8

_HOW_TO_BUILD = (
    "Build the target with Groups.from_arrays(group=..., preference=...) "
    "or Groups.from_frame(df, group=..., preference=...)."
)


@dataclass(frozen=True)
class RankingItems:
    """What is ranked: the target after rows of one (group, item) are merged.

    Donor rows are left out.

    Attributes
    ----------
    group : ndarray of shape (n_items,), int
        Group code of each item, an index into ``RankingTarget.labels``.
    preference, weight : ndarray of shape (n_items,), float
        Preference, and mean weight of the rows, of each item.
    row_item : ndarray of shape (n_rows,), int
        Item that each row belongs to, -1 for donor rows.
    """

    group: np.ndarray
    preference: np.ndarray
    weight: np.ndarray
    row_item: np.ndarray

    @property
    def n_items(self):
        return len(self.group)


@dataclass(frozen=True)
class RankingTarget:
    """A checked target, row by row.

    Attributes
    ----------
    labels : ndarray of shape (n_groups,)
        Distinct group labels in sorted order.
    group : ndarray of shape (n_rows,), int
        Code of each row's group, an index into `labels`.
    preference : ndarray of shape (n_rows,), float
        Larger is preferred; NaN means not judged.
    item : ndarray of shape (n_rows,), int, or None
        Code of each row's item, the same for rows of the same item label.
    clip : ndarray of shape (n_rows,), int, or None
    weight : ndarray of shape (n_rows,), float
        Ones if the target has no weights.
    donor : ndarray of shape (n_rows,), bool
        All False if the target marks no donors.
    is_plain : bool
        True if a plain 1-D target came in, which is read as one group.
    """

    labels: np.ndarray
    group: np.ndarray
    preference: np.ndarray
    item: np.ndarray | None
    clip: np.ndarray | None
    weight: np.ndarray
    donor: np.ndarray
    is_plain: bool = False

    @property
    def n_rows(self):
        return len(self.group)

    @property
    def n_groups(self):
        return len(self.labels)

    @cached_property
    def items(self):
        """Rows merged to items, donors left out: a :class:`RankingItems`."""
        if self.item is None and not self.donor.any():
            return RankingItems(
                self.group, self.preference, self.weight, np.arange(self.n_rows)
            )
        kept = np.flatnonzero(~self.donor)
        row_item = np.full(self.n_rows, -1)
        if self.item is None:
            row_item[kept] = np.arange(len(kept))
            return RankingItems(
                self.group[kept], self.preference[kept], self.weight[kept], row_item
            )
        first, inverse = _first_and_inverse(self.group[kept], self.item[kept])
        row_item[kept] = inverse
        # The weights are added in sorted order, so that no item's mean depends
        # on the order of the rows, not even in the last bit.
        weight = self.weight[kept]
        if np.any(weight != weight[:1]):
            by_item = np.lexsort((weight, inverse))
            total = np.bincount(inverse[by_item], weight[by_item])
        else:
            total = np.bincount(inverse, weight)
        return RankingItems(
            self.group[kept][first],
            self.preference[kept][first],
            total / np.bincount(inverse),
            row_item,
        )


def check_groups(
    groups,
    *,
    n_rows=None,
    allow_plain=True,
    require_preference=True,
    caller="this function",
    name="groups",
):
    """Check a target and return it clean.

    Parameters
    ----------
    groups : structured ndarray of shape (n_rows,) or array-like of shape (n_rows,)
        A target built by :class:`~sklearn_pscore.Groups`, or plain preferences
        of one single group.
    n_rows : int or None, default=None
        Rows of X that the target must match; None does not compare.
    allow_plain : bool, default=True
        Whether a plain 1-D target is read as the preferences of one group.
    require_preference : bool, default=True
        Whether a row that is not a donor must have been judged (not NaN).
    caller, name : str
        What asked, and what it calls the target, for the messages.

    Returns
    -------
    target : RankingTarget

    Raises
    ------
    TypeError
        If the target is of another kind: None of the two above.
    ValueError
        If its values or its length cannot be used.
    """
    if _is_structured(groups):
        target = _check_structured(groups, name)
    elif allow_plain:
        target = _check_plain(groups, caller, name)
    else:
        raise TypeError(
            f"{caller} takes {name} as a structured array of Groups, got "
            f"{_describe(groups)}: its values could be labels or preferences. "
            f"{_HOW_TO_BUILD}"
        )
    if n_rows is not None and target.n_rows != n_rows:
        raise ValueError(
            f"{name} has {target.n_rows} entries but X has {n_rows} rows; expected one "
            f"entry per row. {_HOW_TO_BUILD} Group sizes (LightGBM style) become labels by "
            "group=np.repeat(np.arange(len(sizes)), sizes)."
        )
    if require_preference:
        check_judged(target, np.flatnonzero(~target.donor), caller, name)
    return target


def check_judged(target, rows, caller, name="groups"):
    """Raise ValueError if one of `rows` has no preference."""
    missing = rows[np.isnan(target.preference[rows])]
    if len(missing):
        raise ValueError(
            f"{name} has no preference (NaN) in {len(missing)} of {len(rows)} rows, the "
            f"first at row {missing[0]}; {caller} needs every row judged. Drop those "
            "rows, or pass preference= to Groups.from_arrays."
        )


def check_comparable(target, caller):
    """Raise ValueError if no two items of one group differ in preference."""
    items = target.items
    sizes = np.bincount(items.group, minlength=target.n_groups)
    if not np.any(sizes > 1):
        raise ValueError(
            f"No comparable pairs: {items.n_items} items in {np.sum(sizes > 0)} groups, "
            f"every group has a single item. {caller} compares items of one group with "
            "different preference; check the group labels."
        )
    # Zero weights are as good as absent: a pair weighs the product of its rows.
    present = items.weight > 0
    if not present.any():
        raise ValueError(
            f"No comparable pairs: the weight of all {items.n_items} items is zero, and "
            "a pair weighs the product of its rows. Give some rows a positive weight."
        )
    lowest = np.full(target.n_groups, np.inf)
    highest = np.full(target.n_groups, -np.inf)
    np.minimum.at(lowest, items.group[present], items.preference[present])
    np.maximum.at(highest, items.group[present], items.preference[present])
    if not np.any(lowest < highest):
        raise ValueError(
            "No comparable pairs: all preferences are equal within each of the "
            f"{np.sum(sizes > 0)} groups. {caller} compares items of one group with "
            "different preference; check the preferences and the group labels."
        )


def _check_structured(groups, name):
    groups = np.asarray(groups)
    names = groups.dtype.names
    unknown = [field for field in names if field not in CONVERTERS]
    lacking = [field for field in REQUIRED_FIELDS if field not in names]
    if unknown or lacking:
        raise TypeError(
            f"{name} is a structured array with the fields {list(names)}; expected "
            f"'group' and 'preference', and of {list(OPTIONAL_FIELDS)} those you have. "
            f"{_HOW_TO_BUILD}"
        )
    if groups.ndim != 1:
        raise ValueError(
            f"{name} has shape {groups.shape}; expected one record per row of X, shape "
            "(n_samples,). Flatten it with groups.ravel()."
        )
    fields = {field: CONVERTERS[field](groups[field]) for field in names}
    labels, codes = _distinct_and_codes(fields["group"])
    item = None
    if "item" in fields:
        item = _distinct_and_codes(fields["item"])[1]
        _check_items_agree(codes, item, fields)
    n_rows = len(groups)
    return RankingTarget(
        labels=labels,
        group=codes,
        preference=fields["preference"],
        item=item,
        clip=fields.get("clip"),
        weight=fields.get("weight", np.ones(n_rows)),
        donor=fields.get("donor", np.zeros(n_rows, dtype=bool)),
    )


def _check_items_agree(group, item, fields):
    first, inverse = _first_and_inverse(group, item)
    own = fields["preference"]
    expected = own[first][inverse]
    bad = np.flatnonzero(~((own == expected) | (np.isnan(own) & np.isnan(expected))))
    if len(bad):
        row = bad[0]
        raise ValueError(
            f"item {fields['item'][row]!s} of group {fields['group'][row]!s} has "
            f"preference {own[row]} at row {row} but {expected[row]} at row "
            f"{first[inverse[row]]}; rows of one item in one group share one preference. "
            "Average them, or give the rows different item names."
        )


def _check_plain(y, caller, name):
    if y is None:
        raise ValueError(
            f"{caller} requires y to be passed, but the target y is None. {_HOW_TO_BUILD}"
        )
    _refuse_tables(y, name)
    y = check_array(
        y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y"
    )
    y = column_or_1d(y, warn=True)
    if y.dtype.kind not in "buif":
        try:
            # Text that spells a number is more likely a label than a preference.
            if y.dtype.kind != "O" or any(isinstance(value, str) for value in y):
                raise TypeError
            y = y.astype(np.float64)
        except (TypeError, ValueError):
            raise TypeError(
                f"{name} is a plain array of dtype {y.dtype}; a plain target is read as "
                "the numeric preferences of one single group. If it holds group labels, "
                "pass Groups.from_arrays(group=y, preference=...)."
            ) from None
    assert_all_finite(y, input_name="y")
    _warn_about_group_ids(y)
    n_rows = len(y)
    return RankingTarget(
        labels=np.zeros(1, dtype=np.int64),
        group=np.zeros(n_rows, dtype=np.int64),
        preference=y.astype(np.float64),
        item=None,
        clip=None,
        weight=np.ones(n_rows),
        donor=np.zeros(n_rows, dtype=bool),
        is_plain=True,
    )


def _refuse_tables(y, name):
    """Refuse what looks like (group, preference) side by side."""
    first = y[0] if isinstance(y, (list, tuple)) and len(y) else None
    is_rows = isinstance(first, tuple) or (isinstance(first, list) and len(first) != 1)
    shape = getattr(y, "shape", ())
    if is_rows or (len(shape) == 2 and shape[1] != 1):
        raise TypeError(
            f"{name} is {_describe(y)}; expected a structured array of Groups, or the "
            f"preferences of one group in one dimension. {_HOW_TO_BUILD}"
        )


def _warn_about_group_ids(y):
    if y.dtype.kind not in "ui":
        return
    _, counts = np.unique(y, return_counts=True)
    if len(counts) >= _SUSPICIOUS_DISTINCT_INTEGERS and counts.min() >= 2:
        warnings.warn(
            f"y holds {len(counts)} distinct integers over {len(y)} rows and no groups: "
            "they were read as preferences of one group. If they are group ids, pass "
            "Groups.from_arrays(group=y, preference=...). If they are preferences, "
            "convert them to float.",
            UserWarning,
            stacklevel=4,
        )


def _first_and_inverse(group, item):
    """Return the first row of each (group, item), and the item of each row."""
    n_labels = int(item.max()) + 1 if len(item) else 1
    distinct, inverse = _distinct_and_codes(group * n_labels + item)
    return _first_of_each(inverse, len(distinct)), inverse


def _first_of_each(codes, n_codes):
    """Return the first place of each code."""
    first = np.empty(n_codes, dtype=np.int64)
    # Of several values for one entry the last one stays, here the first place.
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first


def _distinct_and_codes(labels):
    """Return what :func:`numpy.unique` with ``return_inverse=True`` does, sooner.

    Parameters
    ----------
    labels : ndarray of shape (n,), int64 or fixed-width strings
    """
    if not len(labels) or not labels.dtype.itemsize:
        return np.unique(labels, return_inverse=True)
    if labels.dtype.kind == "U":
        return _distinct_and_codes_of_text(labels)
    lowest = int(labels.min())
    span = int(labels.max()) - lowest + 1
    place_bits = (len(labels) - 1).bit_length()
    if span <= max(4 * len(labels), 1024):
        above = labels - lowest
        is_there = np.zeros(span, dtype=bool)
        is_there[above] = True
        return np.flatnonzero(is_there) + lowest, (np.cumsum(is_there) - 1)[above]
    if span.bit_length() + place_bits > 63:
        return np.unique(labels, return_inverse=True)
    # The label and its place, packed into one integer, sort several times as
    # fast as the places by their labels.
    packed = ((labels - lowest) << place_bits) | np.arange(len(labels))
    packed.sort()
    ordered = packed >> place_bits
    is_new = np.ones(len(labels), dtype=bool)
    is_new[1:] = ordered[1:] != ordered[:-1]
    codes = np.empty(len(labels), dtype=np.int64)
    codes[packed & ((1 << place_bits) - 1)] = np.cumsum(is_new) - 1
    return ordered[is_new] + lowest, codes


def _distinct_and_codes_of_text(labels):
    """Number strings by their characters, as many at once as fit into an integer."""
    labels = np.ascontiguousarray(labels, dtype=labels.dtype.newbyteorder("="))
    characters = labels.view(np.uint32)
    if characters.max() < 256:
        characters = characters.astype(np.uint8)
    columns = characters.reshape(len(labels), -1).T.copy()
    # Neighbours of one label count once, so rows that are sorted cost little.
    start = run_starts(*columns)
    columns = columns[:, start]
    codes = np.zeros(len(start), dtype=np.int64)
    n_codes = 1
    room = 1 << (63 - len(codes).bit_length())
    for column in columns:
        lowest = column.min()
        span = int(column.max() - lowest) + 1
        if n_codes * span > room:
            distinct, codes = _distinct_and_codes(codes)
            n_codes = len(distinct)
        codes = codes * span + (column - lowest)
        n_codes *= span
    distinct, codes = _distinct_and_codes(codes)
    first = start[_first_of_each(codes, len(distinct))]
    return labels[first], np.repeat(codes, np.diff(start, append=len(labels)))


def _is_structured(groups):
    dtype = getattr(groups, "dtype", None)
    return isinstance(dtype, np.dtype) and dtype.names is not None


def _describe(values):
    shape = getattr(values, "shape", None)
    kind = type(values).__name__
    if shape is not None:
        return f"{kind} of shape {tuple(shape)}"
    if isinstance(values, (list, tuple)) and len(values):
        return f"{kind} of {len(values)} {type(values[0]).__name__} values"
    return kind
