"""Names of the items of an augmented set."""

import numpy as np


def name_items(item, labels, items, sources):
    """Return a name for every item: judged ones keep theirs.

    Where names are integers, synthetic items count on from the largest.

    Parameters
    ----------
    item : ndarray of shape (n_rows,), int or str
        The field `item` of the target.
    labels : ndarray of shape (n_groups,)
        Group labels by code.
    items : TrainingItems
    sources : SourceItems
        The codes in ``items.parents`` are positions in these.

    Returns
    -------
    names : ndarray of shape (n_items,), int or str
        Different within each group, if those of the judged items are.

    Raises
    ------
    ValueError
        If there are not enough integers above the largest name.
    """
    source_names = item[sources.first_row]
    names = source_names[items.parents[items.judged, 0]]
    if item.dtype.kind == "U":
        names = names.tolist() + _synthetic_names(source_names, labels, items, sources)
        return np.array(_numbered(names, items.group.tolist()))
    largest, n_new = int(source_names.max(initial=0)), int(np.sum(~items.judged))
    if largest + n_new > np.iinfo(np.int64).max:
        raise ValueError(
            f"item is {largest} in one row, and {n_new} items more are numbered from "
            "there on; expected names that leave room for them in 64 bits. Number the "
            "items with np.unique(item, return_inverse=True)[1]."
        )
    return np.append(names, largest + 1 + np.arange(n_new))


def _synthetic_names(source_names, labels, items, sources):
    """Name stitched items after their parts, injected ones after their group."""
    names, n_donors = [], 0
    synthetic = ~items.judged
    for parents, group in zip(
        items.parents[synthetic], items.group[synthetic], strict=True
    ):
        parents = parents[parents >= 0]
        if not len(parents):
            n_donors += 1
            names.append(f"injected:donor-{n_donors}")
        elif sources.group[parents[0]] == group:
            names.append("stitched:" + "+".join(source_names[parents]))
        else:
            label = labels[sources.group[parents[0]]]
            names.append(f"injected:{label}:{source_names[parents[0]]}")
    return names


def _numbered(names, groups):
    """Append #2, #3, ... to a name that an earlier item of the group has.

    Needed since "a+b" may be one item or two.
    """
    taken, numbered = set(), []
    for name, group in zip(names, groups, strict=True):
        free, number = name, 1
        while (group, free) in taken:
            number += 1
            free = f"{name}#{number}"
        taken.add((group, free))
        numbered.append(free)
    return numbered
