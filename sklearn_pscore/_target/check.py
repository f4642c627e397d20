"""Check of the ranking target.

Estimators, metrics and splitters call :func:`check_groups` once, at the start, and
work on the clean :class:`RankingTarget` that it returns.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_array, column_or_1d

from sklearn_pscore._means import sum_factors
from sklearn_pscore._target.columns import (
    describe_values,
    exact_floats,
    kind_of,
    list_as_array,
    refuse_masked,
)
from sklearn_pscore._target.doubtful import warn_about_grades, warn_about_group_ids
from sklearn_pscore._target.fields import (
    CONVERTERS,
    OPTIONAL_FIELDS,
    REQUIRED_FIELDS,
)
from sklearn_pscore._target.labels import number_label_pairs, number_labels
from sklearn_pscore._target.rows import check_n_rows
from sklearn_pscore._target.votes import (
    FIRST_FIELDS,
    VOTE_FIELDS,
    PairVotes,
    pairs_of_records,
)

_HOW_TO_BUILD = (
    "Build the target with Groups.from_arrays(group=..., preference=...) "
    "or Groups.from_frame(df, group=..., preference=...)."
)


# Those of RankingTarget that have an entry for each row.
_ROW_FIELDS = (
    *("group", "preference", "item", "clip", "weight", "donor", "block"),
    *("n_raters", "spread", "position"),
)

# Those that rows of one (group, item) share.
_ITEM_FIELDS = ("preference", "n_raters", "spread", "position")


@dataclass(frozen=True)
class RankingItems:
    """Items of a target: rows of one (group, item) merged, only those that count.

    Attributes
    ----------
    group : ndarray of shape (n_items,), int
        Group code of each item, an index into ``RankingTarget.labels``.
    preference, weight : ndarray of shape (n_items,), float
        Preference, and mean weight of the rows, of each item. No weight is zero.
    row_item : ndarray of shape (n_rows,), int
        Item that each row belongs to, -1 for donor rows and rows of weight zero.
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
        None is replaced by ones.
    donor : ndarray of shape (n_rows,), bool
        None is replaced by all False.
    block : ndarray of shape (n_rows,), int, or None
        Code of each row's block, an index into `block_labels`.
    block_labels : ndarray of shape (n_blocks,), or None
        Distinct labels of blocks in sorted order.
    n_raters : ndarray of shape (n_rows,), int, or None
        Number of people who judged the row, 0 where it is not known.
    spread : ndarray of shape (n_rows,), float, or None
        Standard deviation of their ratings, NaN where it is not known.
    position : ndarray of shape (n_rows,), int, or None
        Where in a list the row was shown, 1 for the first, 0 where it is not known.
    group_size : ndarray of shape (n_groups,), int, or None
        Judged rows that counted in each group when the target was made.
    votes : PairVotes or None
        Votes between the rows.
    n_lost_votes : float
        Votes against rows that are not there, of the pairs whose record is there.
    is_plain : bool
        Whether a plain 1-D target was passed, which is read as one group.
    """

    labels: np.ndarray
    group: np.ndarray
    preference: np.ndarray
    item: np.ndarray | None = None
    clip: np.ndarray | None = None
    weight: np.ndarray | None = None
    donor: np.ndarray | None = None
    block: np.ndarray | None = None
    block_labels: np.ndarray | None = None
    n_raters: np.ndarray | None = None
    spread: np.ndarray | None = None
    position: np.ndarray | None = None
    group_size: np.ndarray | None = None
    votes: PairVotes | None = None
    n_lost_votes: float = 0.0
    is_plain: bool = False

    def __post_init__(self):
        # The class is frozen, so defaults are set past its own __setattr__.
        if self.weight is None:
            object.__setattr__(self, "weight", np.ones(self.n_rows))
        if self.donor is None:
            object.__setattr__(self, "donor", np.zeros(self.n_rows, dtype=bool))

    @property
    def n_rows(self):
        return len(self.group)

    @property
    def n_groups(self):
        return len(self.labels)

    def take(self, rows):
        """Return the target of some rows, by mask or position; all labels stay."""
        taken = {}
        for field in _ROW_FIELDS:
            values = getattr(self, field)
            taken[field] = None if values is None else values[rows]
        if self.votes is not None:
            taken["votes"] = self.votes.among(np.arange(self.n_rows)[rows])
        return replace(self, **taken)

    @property
    def unit(self):
        """Code of what no split cuts: of each row's block, or group without blocks."""
        return self.group if self.block is None else self.block

    @property
    def block_of_group(self):
        """Code of the block of each group, -1 where no row is left; None without."""
        if self.block is None:
            return None
        of_group = np.full(self.n_groups, -1)
        of_group[self.group] = self.block
        return of_group

    @cached_property
    def is_counted(self):
        """Which rows count: they are no donors, and have a positive weight."""
        return (self.weight > 0) & ~self.donor

    @property
    def has_counted_votes(self):
        """Whether there is a vote between two rows that count."""
        if self.votes is None:
            return False
        both = self.is_counted[self.votes.first] & self.is_counted[self.votes.second]
        return bool(np.any(both & (self.votes.votes > 0)))

    @cached_property
    def items(self):
        """The :class:`RankingItems` of the rows that count."""
        if self.item is None and self.is_counted.all():
            return RankingItems(
                self.group, self.preference, self.weight, np.arange(self.n_rows)
            )
        rows = np.flatnonzero(self.is_counted)
        row_item = np.full(self.n_rows, -1)
        if self.item is None:
            row_item[rows] = np.arange(len(rows))
            return RankingItems(
                self.group[rows], self.preference[rows], self.weight[rows], row_item
            )
        first, codes = number_label_pairs(self.group[rows], self.item[rows])
        row_item[rows] = codes
        return RankingItems(
            self.group[rows][first],
            self.preference[rows][first],
            _mean_weights(codes, self.weight[rows]),
            row_item,
        )


def unit_to_hold_out(group, block):
    """Return the codes of what a fit holds out together: blocks, or groups.

    Groups are it without blocks, and where all are of one block, which says nothing
    about them.

    Parameters
    ----------
    group : ndarray of shape (n,), int
    block : ndarray of shape (n,), int, or None
    """
    if block is None or np.all(block == block[:1]):
        return group
    return block


def _mean_weights(item, weight):
    """Return the mean weight of each item's rows, whatever the order of the rows."""
    n_rows = np.bincount(item)
    factor = sum_factors(item, weight, len(n_rows))
    weight = weight * factor[item]
    if np.any(weight != weight[:1]):
        # Weights are added in sorted order: the order of the rows would show in
        # the last bit.
        by_item = np.lexsort((weight, item))
        total = np.bincount(item[by_item], weight[by_item])
    else:
        total = np.bincount(item, weight)
    return total / n_rows / factor


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
        Whether a row that counts must have been judged (not NaN): one that is no
        donor and whose weight is not zero.
    caller, name : str
        The function or method that checks the target, and its name for the
        target, for the messages.

    Returns
    -------
    target : RankingTarget

    Raises
    ------
    TypeError
        If the target is neither, or plain where that is not allowed.
    ValueError
        If its values or its length cannot be used.
    """
    if is_structured(groups):
        target = _check_structured(groups, name)
    elif allow_plain:
        target = _check_plain(groups, caller, name)
    else:
        without = (
            "Build the target with Groups.from_arrays(group=...) or "
            "Groups.from_frame(df, group=...); it needs no preferences."
        )
        raise TypeError(
            f"{caller} takes {name} as a structured array of Groups, got "
            f"{_describe(groups)}: its values could be labels or preferences. "
            f"{_HOW_TO_BUILD if require_preference else without}"
        )
    if n_rows is not None:
        check_n_rows(target.n_rows, n_rows, name)
        # A metric has no X, and is called for one query of many documents, too.
        if target.is_plain:
            warn_about_grades(target.preference)
    if require_preference and target.votes is not None:
        # Who has no vote is as if it were not there.
        is_judged = ~np.isnan(target.preference)
        target = replace(target, weight=np.where(is_judged, target.weight, 0.0))
    elif require_preference:
        check_judged(target, np.flatnonzero(target.is_counted), caller, name)
    return target


def check_judged(target, rows, caller, name="groups"):
    """Raise ValueError if one of `rows` has no preference."""
    missing = rows[np.isnan(target.preference[rows])]
    if len(missing):
        raise ValueError(
            f"{name} has no preference (NaN) in {len(missing)} of {len(rows)} rows, the "
            f"first at row {missing[0]}; {caller} needs every row judged. Keep "
            f"X[judged] and {name}[judged], with judged = "
            f'~np.isnan({name}["preference"]), or give the rest a weight of 0; if there '
            "are preferences, pass them as preference= to Groups.from_arrays."
        )


def are_comparable(group, preference, weight):
    """Tell which items are in a pair that weighs something.

    These are the items of positive weight in groups where the preferences of
    such items differ: a pair weighs the product of its two weights.

    Parameters
    ----------
    group : ndarray of shape (n_items,), int >= 0
    preference, weight : ndarray of shape (n_items,), float

    Returns
    -------
    is_comparable : ndarray of shape (n_items,), bool
    """
    is_weighted = weight > 0
    n_groups = int(group.max()) + 1 if len(group) else 0
    lowest = np.full(n_groups, np.inf)
    highest = np.full(n_groups, -np.inf)
    np.minimum.at(lowest, group[is_weighted], preference[is_weighted])
    np.maximum.at(highest, group[is_weighted], preference[is_weighted])
    return is_weighted & (lowest < highest)[group]


def check_comparable(target, caller, for_votes=False):
    """Raise ValueError if no two items of one group differ in preference.

    Parameters
    ----------
    target : RankingTarget
    caller : str
        For the messages.
    for_votes : bool, default=False
        Whether a vote between two items is enough, though both may be liked as well.
    """
    items = target.items
    sizes = np.bincount(items.group, minlength=target.n_groups)
    n_rows = np.count_nonzero(~target.donor)
    if n_rows and not items.n_items:
        raise ValueError(
            f"No comparable pairs: the weight of all {n_rows} rows is zero, and a row of "
            "weight zero counts as if it were not there. Give some rows a positive weight."
        )
    if not np.any(sizes > 1):
        raise ValueError(
            f"No comparable pairs: {items.n_items} items in {np.sum(sizes > 0)} groups, "
            f"every group has a single item. {caller} compares items of one group with "
            "different preference; check the group labels."
        )
    if for_votes and target.has_counted_votes:
        return
    if not np.any(are_comparable(items.group, items.preference, items.weight)):
        raise ValueError(
            "No comparable pairs: all preferences are equal within each of the "
            f"{np.sum(sizes > 0)} groups. {caller} compares items of one group with "
            "different preference; check the preferences and the group labels."
        )


def _check_structured(groups, name):
    """Return a structured target clean; see :func:`check_groups` for errors."""
    # Masked values stay masked: each field reads them as missing.
    groups = np.asanyarray(groups)
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
    labels, codes = number_labels(fields["group"])
    item = None
    if "item" in fields:
        item = number_labels(fields["item"])[1]
    votes, n_lost_votes = _check_votes(labels, codes, item, fields, name)
    if item is not None:
        _check_items_agree(codes, item, fields)
    block_labels = block = None
    if "block" in fields:
        block_labels, block = number_labels(fields["block"])
        _check_one_block(labels, codes, fields["block"], block, name)
    return RankingTarget(
        labels=labels,
        group=codes,
        preference=fields["preference"],
        item=item,
        clip=fields.get("clip"),
        weight=fields.get("weight"),
        donor=fields.get("donor"),
        block=block,
        block_labels=block_labels,
        n_raters=fields.get("n_raters"),
        spread=fields.get("spread"),
        position=fields.get("position"),
        group_size=_one_size_of_each(labels, codes, fields.get("group_size"), name),
        votes=votes,
        n_lost_votes=n_lost_votes,
    )


def _check_votes(labels, group, item, fields, name):
    """Return the votes between the rows, and how many are against rows not there.

    None and 0 if it is no target of votes.
    """
    given = [field for field in (*VOTE_FIELDS, *FIRST_FIELDS) if field in fields]
    if not given:
        return None, 0.0
    if given[:5] != [*VOTE_FIELDS] or len(given) not in (5, 8) or item is None:
        raise TypeError(
            f"{name} has the fields {given} of a target of votes; expected "
            f"{['item', *VOTE_FIELDS]}, all or none. Build it with Groups.from_votes."
        )
    row = fields["row"]
    first, codes = number_label_pairs(number_labels(row)[1], np.zeros_like(row))
    first = first[codes]
    differs = (group != group[first]) | (item != item[first])
    for field in given[1:]:
        differs |= np.any(fields[field] != fields[field][first], axis=1)
    bad = np.flatnonzero(differs)
    if not len(bad):
        votes, n_lost = pairs_of_records(fields, name)
        bad = votes.first[group[votes.first] != group[votes.second]]
    if len(bad):
        raise ValueError(
            f"{name} has row number {row[bad[0]]} of two targets of votes, the second at "
            f"row {bad[0]}, group {labels[group[bad[0]]]!s}; expected numbers that are of "
            "one target. Join targets by Groups.concat([...]), which numbers their rows "
            "anew."
        )
    return votes, n_lost


def _one_size_of_each(labels, group, size, name):
    """Return the size that the rows of each group agree on; raise ValueError if not."""
    if size is None:
        return None
    of_group = np.zeros(len(labels), dtype=np.int64)
    of_group[group] = size
    bad = np.flatnonzero(of_group[group] != size)
    if len(bad):
        row = bad[0]
        raise ValueError(
            f"{name} has rows of two targets in group {labels[group[row]]!s}: it had "
            f"{size[row]} judged rows in the one of row {row}, and "
            f"{of_group[group[row]]} in another; expected one. Join targets by "
            "Groups.concat([...]), which keeps their groups apart. If the rows were judged "
            f"together, pass Groups.whole({name})."
        )
    return of_group


def _check_one_block(labels, group, names, block, name):
    """Raise ValueError if rows of one group are of different blocks."""
    first, _ = number_label_pairs(group, np.zeros_like(group))
    bad = np.flatnonzero(block != block[first][group])
    if len(bad):
        row, other = bad[0], first[group[bad[0]]]
        raise ValueError(
            f"{name} has group {labels[group[row]]!s} in two blocks: block is "
            f"{names[other]!s} at row {other} but {names[row]!s} at row {row}; expected "
            "one block for all rows of a group, since a split that keeps blocks whole "
            "cuts no group either. Pass coarser blocks, or leave block out to split by "
            "group."
        )


def _check_items_agree(group, item, fields):
    """Raise ValueError if rows of one (group, item) were judged in different ways.

    Rows of weight zero are as if they were not there, and need no judgement.
    """
    rows = np.arange(len(group))
    if "weight" in fields:
        rows = np.flatnonzero(fields["weight"] > 0)
    first, codes = number_label_pairs(group[rows], item[rows])
    for field in _ITEM_FIELDS:
        if field not in fields:
            continue
        given = fields[field][rows]
        expected = given[first][codes]
        agree = (given == expected) | (np.isnan(given) & np.isnan(expected))
        bad = np.flatnonzero(~agree)
        if len(bad):
            row, other = rows[bad[0]], rows[first[codes[bad[0]]]]
            raise ValueError(
                f"item {fields['item'][row]!s} of group {fields['group'][row]!s} has "
                f"{field} {given[bad[0]]} at row {row} but {expected[bad[0]]} at row "
                f"{other}; rows of one item in one group share one {field}. "
                "Average them, or give the rows different item names."
            )


def _check_plain(y, caller, name):
    """Return plain preferences as one group; see :func:`check_groups` for errors."""
    if y is None:
        raise ValueError(
            f"{caller} requires y to be passed, but the target y is None; expected {name} "
            f"to be a target. {_HOW_TO_BUILD}"
        )
    _refuse_tables(y, name)
    refuse_masked(y, name)
    if isinstance(y, (list, tuple)):
        y = list_as_array(y, name)
    elif not getattr(y, "shape", None) and np.asarray(y).ndim == 0:
        raise TypeError(
            f"{name} is {kind_of(y)}; expected one record or preference per row of X, "
            f"shape (n_samples,). {_HOW_TO_BUILD}"
        )
    y = check_array(
        y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y"
    )
    y = column_or_1d(y, warn=True)
    preference = exact_floats(
        y,
        name,
        lambda: (
            f"{name} is a plain array of {describe_values(y)}; a plain target is read as "
            "the numeric preferences of one single group. If it holds group labels, "
            "pass Groups.from_arrays(group=y, preference=...)."
        ),
    )
    missing = np.flatnonzero(np.isnan(preference))
    if len(missing):
        raise ValueError(
            f"Input {name} contains NaN in {len(missing)} of {len(y)} entries, the first "
            f"at row {missing[0]}; expected the preference of every row. Drop rows that "
            "nobody judged, from X too."
        )
    assert_all_finite(preference, input_name="y")
    warn_about_group_ids(y)
    return RankingTarget(
        labels=np.zeros(1, dtype=np.int64),
        group=np.zeros(len(y), dtype=np.int64),
        preference=preference,
        is_plain=True,
    )


def _refuse_tables(y, name):
    """Raise TypeError for rows of (group, preference), and for other tables."""
    first = y[0] if isinstance(y, (list, tuple)) and len(y) else None
    is_rows = isinstance(first, tuple) or (isinstance(first, list) and len(first) != 1)
    shape = getattr(y, "shape", ())
    if is_rows or (len(shape) == 2 and shape[1] != 1):
        raise TypeError(
            f"{name} is {_describe(y)}; expected a structured array of Groups, or the "
            f"preferences of one group in one dimension. {_HOW_TO_BUILD}"
        )


def is_structured(groups):
    """Tell whether a target is a structured array, as :class:`Groups` makes it."""
    dtype = getattr(groups, "dtype", None)
    return isinstance(dtype, np.dtype) and dtype.names is not None


def _describe(values):
    """Return the type and shape of an argument, for a message."""
    shape = getattr(values, "shape", None)
    kind = type(values).__name__
    if shape is not None:
        return f"{kind} of shape {tuple(shape)}"
    if isinstance(values, (list, tuple)) and len(values):
        return f"{kind} of {len(values)} {type(values[0]).__name__} values"
    return kind
