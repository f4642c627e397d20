"""The items of a table, the best of each group first."""

import numpy as np
import pandas as pd

from sklearn_pscore._target.check import check_groups


def ranked_items(table, y_score):
    """Return one row per item, the best of all groups first.

    Parameters
    ----------
    table : ReportTable
    y_score : ndarray of shape (n_rows,)
        NaN for donors.

    Returns
    -------
    items : DataFrame
        Columns `group`, `system` if there are systems, `row`, `preference`, `score`,
        `rank` of the score and `rank of people`.
    """
    rows = np.flatnonzero(~table.target.donor)
    groups = table.open_groups[rows]
    target = check_groups(groups, require_preference=False, caller="write_report")
    # Rows of one item share its rank and are one row here.
    item = np.arange(len(rows)) if target.item is None else target.item
    keys = pd.DataFrame({"group": target.group, "item": item})
    first = np.flatnonzero(~keys.duplicated())
    number = keys.groupby(["group", "item"], sort=False).ngroup().to_numpy()
    score = np.bincount(number, y_score[rows]) / np.bincount(number)
    frame = pd.DataFrame({"group": groups["group"][first]})
    if table.system is not None:
        frame["system"] = table.system[rows][first]
    frame["row"] = rows[first]
    frame["preference"] = target.preference[first]
    frame["score"] = score
    frame["rank"] = frame["score"].groupby(target.group[first]).rank(ascending=False)
    frame["rank of people"] = (
        frame["preference"].groupby(target.group[first]).rank(ascending=False)
    )
    order = np.lexsort((first, -frame["score"], frame["rank"]))
    return frame.iloc[order].reset_index(drop=True)
