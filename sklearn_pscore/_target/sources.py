"""Sources: targets of different judgements, joined so that their groups stay apart."""

import numpy as np

from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.cut_groups import count_judged_rows
from sklearn_pscore._target.fields import CONVERTERS

# Stands between the name of a source and the label of a group; no name has it.
SEPARATOR = ":"

# Values of an optional field in the rows of a source that does not have it.
_FILL = {"clip": 0, "weight": 1.0, "donor": False}


def check_sources(targets, names):
    """Return the targets to be joined by the names of their sources.

    Parameters
    ----------
    targets : list, tuple or dict of structured ndarray
    names : list or tuple of str, or None
        Names where `targets` is a list; None numbers them from "0".

    Returns
    -------
    sources : dict of str to structured ndarray

    Raises
    ------
    TypeError
        If there is no collection of targets of Groups, or a name is no string.
    ValueError
        If there is no target, or the names cannot tell the sources apart.
    """
    if isinstance(targets, dict):
        if names is not None:
            raise TypeError(
                "names was passed beside a dict, whose keys are the names; expected one "
                "of the two. Leave names out."
            )
        names, targets = list(targets), list(targets.values())
    elif not isinstance(targets, (list, tuple)):
        raise TypeError(
            f"targets is {type(targets).__name__}; expected a list of targets, or a dict "
            "from names to targets. Pass Groups.concat([a, b])."
        )
    if not targets:
        raise ValueError(
            "targets is empty; expected at least one target. Pass Groups.concat([a, b])."
        )
    names = _check_names(names, len(targets))
    for name, target in zip(names, targets, strict=True):
        check_groups(
            target,
            allow_plain=False,
            require_preference=False,
            caller="Groups.concat",
            name=f"target {name!r}",
        )
    return dict(zip(names, targets, strict=True))


def joined_fields(sources):
    """Return the fields of all targets, one after the other.

    Parameters
    ----------
    sources : dict of str to structured ndarray
        As :func:`check_sources` returns them.

    Returns
    -------
    fields : dict of str to ndarray of shape (n_rows,)
        Group labels begin with the name of their source. Of the optional fields
        those that at least one target has, and `group_size`.

    Raises
    ------
    TypeError
        If items are integers in one target and strings in another.
    ValueError
        If the integers leave no number for the rows that are items of their own.
    """
    present = {field for target in sources.values() for field in target.dtype.names}
    present.add("group_size")
    clean = {
        name: {field: CONVERTERS[field](target[field]) for field in target.dtype.names}
        for name, target in sources.items()
    }
    for name, fields in clean.items():
        fields["group"] = _with_source(name, fields["group"].tolist())
        for field, value in _FILL.items():
            fields.setdefault(field, np.full(len(fields["group"]), value))
        # A group that was cut before remains cut.
        if "group_size" not in fields:
            target = check_groups(sources[name], require_preference=False)
            fields["group_size"] = count_judged_rows(target)[target.group]
    if "item" in present:
        _fill_items(clean)
    return {
        field: np.concatenate([fields[field] for fields in clean.values()])
        for field in CONVERTERS
        if field in present
    }


def _check_names(names, n_targets):
    """Return the names of the sources as a list."""
    if names is None:
        return [str(number) for number in range(n_targets)]
    if not isinstance(names, (list, tuple)):
        raise TypeError(
            f"names is {type(names).__name__}; expected a list with a string per target, "
            "all targets in one list. Pass Groups.concat([a, b], names=['mos', 'award'])."
        )
    if len(names) != n_targets:
        raise ValueError(
            f"names has {len(names)} entries but targets has {n_targets}; expected a "
            "name for each target, in the same order."
        )
    for name in names:
        if not isinstance(name, str):
            raise TypeError(
                f"names holds {name!r}, a {type(name).__name__}; expected strings. Pass "
                f"{str(name)!r}."
            )
        if not name or SEPARATOR in name or "\0" in name:
            raise ValueError(
                f"names holds {name!r}; expected names without {SEPARATOR!r}, which "
                "stands between a name and the label of a group, and not empty. Use "
                "another character."
            )
    if len(set(names)) < len(names):
        raise ValueError(
            f"names is {list(names)!r}; expected different names, or groups of one label "
            "would be one group. Rename the sources."
        )
    return list(names)


def _with_source(name, labels):
    """Return labels as strings that begin with the name of their source."""
    return np.array([f"{name}{SEPARATOR}{label}" for label in labels], dtype=str)


def _fill_items(sources):
    """Make each row an item of its own in the sources that have no items."""
    given = {
        name: fields["item"] for name, fields in sources.items() if "item" in fields
    }
    kinds = {name: item.dtype.kind for name, item in given.items()}
    if len(set(kinds.values())) > 1:
        words = {"i": "integers", "U": "strings"}
        described = [f"{words[kind]} in {name!r}" for name, kind in kinds.items()]
        raise TypeError(
            f"item holds {', '.join(described)}; expected all integers or all strings, "
            'since item 1 and item "1" may be one contender or two. Convert the items '
            "of one source before its target is built."
        )
    lacking = {name: len(f["group"]) for name, f in sources.items() if "item" not in f}
    if "U" in kinds.values():
        for name, n_rows in lacking.items():
            sources[name]["item"] = _with_source(name, range(n_rows))
        return
    next_item = 1 + max(int(item.max(initial=-1)) for item in given.values())
    for name, n_rows in lacking.items():
        if next_item + n_rows >= 2**63:
            raise ValueError(
                f"item is {next_item - 1} in one source, which leaves no integer of 64 "
                f"bits for each of the {n_rows} rows of {name!r}; expected smaller ones. "
                "Number the items with np.unique(item, return_inverse=True)[1]."
            )
        sources[name]["item"] = next_item + np.arange(n_rows)
        next_item += n_rows
