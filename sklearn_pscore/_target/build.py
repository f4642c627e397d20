"""From columns to the target: converted, checked, and put in one array."""

import numpy as np

from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.cut_groups import count_judged_rows
from sklearn_pscore._target.fields import CONVERTERS


def build_target(given):
    """Return the target of columns, see ``Groups.from_arrays``.

    Parameters
    ----------
    given : dict of str to (array-like or None)
        Columns by the field that they hold.

    Returns
    -------
    groups : structured ndarray of shape (n_rows,)
    """
    check_group_given(given["group"])
    columns = {
        field: CONVERTERS[field](values)
        for field, values in given.items()
        if values is not None
    }
    n_rows = len(columns["group"])
    columns.setdefault("preference", np.full(n_rows, np.nan))
    for field, column in columns.items():
        if len(column) != n_rows:
            raise ValueError(
                f"group has {n_rows} entries but {field} has {len(column)}; expected "
                "one group label per row. If you have group sizes (LightGBM style), "
                "pass group=np.repeat(np.arange(len(sizes)), sizes)."
            )
    is_new = "group_size" not in columns
    if is_new:
        columns["group_size"] = np.zeros(n_rows, dtype=np.int64)
    fields = [field for field in CONVERTERS if field in columns]
    dtype = [(name, columns[name].dtype, columns[name].shape[1:]) for name in fields]
    groups = np.empty(n_rows, dtype=dtype)
    for field in fields:
        groups[field] = columns[field]
    target = check_groups(groups, require_preference=False, caller="Groups.from_arrays")
    if is_new:
        groups["group_size"] = count_judged_rows(target)[target.group]
    return groups


def check_group_given(group):
    """Raise TypeError if there are no group labels."""
    if group is None:
        raise TypeError(
            "group is None; expected one label per row. If all rows are ranked "
            "together, pass group=np.zeros(n_samples, dtype=int)."
        )
