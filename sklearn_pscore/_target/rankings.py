"""Orders that people gave, best first: a preference for each row of X."""

import numpy as np

from sklearn_pscore._target.columns import kind_of
from sklearn_pscore._target.fields import as_labels
from sklearn_pscore._target.item_tables import (
    ItemTable,
    check_all_judged,
    check_columns,
    check_option,
)


def ranking_fields(rankings, items, *, on, item, missing, block, position):
    """Return the fields of a target of orders, see ``Groups.from_ranking``.

    Returns
    -------
    fields : dict of str to ndarray of shape (n_rows,)
    """
    check_option(missing, "missing", ("raise", "nan"))
    on = check_columns(on)
    if not isinstance(rankings, dict):
        raise TypeError(
            f"rankings is {kind_of(rankings)}; expected a dict with a list of items per "
            'group, best first. Pass {"prompt1": ["b", "a"], ...}; ranks in a column '
            "become Groups.from_arrays(preference=-rank)."
        )
    if item is None:
        raise TypeError(
            "item is None; expected the column of items that holds the names that the "
            'orders are made of. Pass item="system".'
        )
    rows = ItemTable.of(items, on, item, "items", block=block, position=position)
    rows_of = _rows_of_groups(rows)
    _check_groups(rankings, rows, rows_of)
    preference = np.full(rows.n_rows, np.nan)
    for key, orders in rankings.items():
        own = rows_of[_as_key(key)]
        worth = _mean_worth(orders, key, set(rows.item[own].tolist()))
        names = rows.item[own].tolist()
        preference[own] = [worth.get(name, np.nan) for name in names]
    check_all_judged(~np.isnan(preference), rows, missing, "place in an order")
    fields = {"group": rows.group_labels(), "preference": preference, "item": rows.item}
    # Not given, a column is None there.
    fields.update({name: rows.others[name] for name in ("block", "position")})
    return fields


def _rows_of_groups(rows):
    """Return the rows of each group, by the tuple of its labels."""
    codes = rows.group_codes()
    order = np.argsort(codes, kind="stable")
    size = np.bincount(codes)
    first = np.cumsum(size) - size
    keys = zip(*(c[order[first]].tolist() for c in rows.keys.values()), strict=True)
    return dict(zip(keys, np.split(order, first[1:]), strict=True))


def _check_groups(rankings, rows, rows_of):
    """Raise ValueError if an order is of a group that `items` does not have."""
    for key in rankings:
        if _as_key(key) in rows_of:
            continue
        present = [k[0] if len(k) == 1 else k for k in list(rows_of)[:3]]
        raise ValueError(
            f"rankings has the group {key!r}, which is not in items; expected the labels "
            f"of on={tuple(rows.keys)}, such as {present}, of the same type. Rename it, "
            "or add its rows to items and X."
        )


def _as_key(key):
    return key if isinstance(key, tuple) else (key,)


def _mean_worth(orders, key, present):
    """Return the preference of each item: its mean over the orders of a group."""
    several = _as_list(orders, key)
    if not any(isinstance(entry, (list, np.ndarray)) for entry in several):
        several = [several]
    worths = [_worth(_as_list(order, key), key, present) for order in several]
    for number, worth in enumerate(worths):
        if worth.keys() != worths[0].keys():
            other = sorted(worth.keys() ^ worths[0].keys(), key=str)[0]
            raise ValueError(
                f"order {number} of group {key!r} does not hold the same items as its "
                f"first: {other!r} is in one of them only; expected all orders of a group "
                "over the same items, for places among others do not compare. Leave the "
                "item out of both, or make two groups by Groups.concat."
            )
    return {
        name: sum(worth[name] for worth in worths) / len(worths) for name in worths[0]
    }


def _worth(order, key, present):
    """Return the number of items below each, tied ones counted half."""
    ties = [_as_tie(entry, key) for entry in order]
    names = as_labels([name for tie in ties for name in tie], _order_of(key)).tolist()
    n_below, worth = len(names), {}
    for tie in ties:
        start = len(names) - n_below
        n_below -= len(tie)
        for name in names[start : start + len(tie)]:
            _check_name(name, key, present, worth)
            worth[name] = n_below + (len(tie) - 1) / 2
    return worth


def _check_name(name, key, present, placed):
    """Raise ValueError if an item is not there, or has a place already."""
    if name in placed:
        raise ValueError(
            f"{_order_of(key)} holds {name!r} twice; expected every item once, best "
            "first. Remove one of the two."
        )
    if name not in present:
        raise ValueError(
            f"{_order_of(key)} holds {name!r}, which is no item of that group in items; "
            f"expected some of its {len(present)}, such as {sorted(present)[:5]}. Rename "
            "it, or add its row to items and X."
        )


def _order_of(key):
    return f"the order of group {key!r}"


def _as_list(order, key):
    """Return an order, or several, as a list."""
    if isinstance(order, np.ndarray) and order.ndim in (1, 2):
        order = order.tolist()
    if not isinstance(order, list) or not order:
        shown = "an empty list" if isinstance(order, list) else kind_of(order)
        raise TypeError(
            f"{_order_of(key)} is {shown}; expected a list of items, best "
            'first, or a list of such lists. Pass ["b", "a", "c"]; a tuple inside '
            'of it is a tie, as in ["b", ("a", "c")].'
        )
    return order


def _as_tie(entry, key):
    """Return the names of an entry of an order: one item, or those that tie."""
    names = list(entry) if isinstance(entry, tuple) else [entry]
    if not names or any(isinstance(name, (list, tuple, set, dict)) for name in names):
        raise TypeError(
            f"{_order_of(key)} holds {entry!r}, a {type(entry).__name__}; expected names "
            "of items, and tuples of those that tie. Pass all orders of a group as lists, "
            "in one list."
        )
    return names
