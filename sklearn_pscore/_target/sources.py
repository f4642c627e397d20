"""Sources: targets of different judgements, joined so that their groups stay apart."""

import numpy as np

from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.cut_groups import count_judged_rows
from sklearn_pscore._target.fields import CONVERTERS
from sklearn_pscore._target.labels import number_labels
from sklearn_pscore._target.votes import join_records

# Stands between the name of a source and the label of a group; no name has it.
SEPARATOR = ":"

# Values of an optional field in the rows of a source that does not have it.
_FILL = {
    **{"clip": 0, "weight": 1.0, "donor": False},
    **{"n_raters": 0, "spread": np.nan, "position": 0},
}


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
        rows = {name: np.arange(len(f["group"])) for name, f in clean.items()}
        text = {name: _with_source(name, row.tolist()) for name, row in rows.items()}
        _fill_labels(clean, "item", rows, text)
    if "block" in present:
        text = {name: fields["group"] for name, fields in clean.items()}
        codes = {name: number_labels(group)[1] for name, group in text.items()}
        _fill_labels(clean, "block", codes, text)
    if "row" in present:
        join_records(clean)
    return {
        field: np.concatenate([fields[field] for fields in clean.values()])
        for field in CONVERTERS
        if field in present and all(field in fields for fields in clean.values())
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


def _fill_labels(sources, field, codes, text):
    """Fill `field` in the sources that lack it with labels that no other source has.

    Parameters
    ----------
    sources : dict of str to dict
        Fields of each source; changed in place.
    field : {"item", "block"}
    codes, text : dict of str to ndarray of shape (n_rows,)
        Numbers 0, 1, ... and strings that tell the labels of a source apart.
    """
    given = {name: f[field] for name, f in sources.items() if field in f}
    kinds = {name: labels.dtype.kind for name, labels in given.items()}
    if len(set(kinds.values())) > 1:
        words = {"i": "integers", "U": "strings"}
        described = [f"{words[kind]} in {name!r}" for name, kind in kinds.items()]
        same = {"item": "contender", "block": "block"}[field]
        raise TypeError(
            f"{field} holds {', '.join(described)}; expected all integers or all strings, "
            f'since {field} 1 and {field} "1" may be one {same} or two. Convert the '
            f"{field}s of one source before its target is built."
        )
    lacking = [name for name, fields in sources.items() if field not in fields]
    if "U" in kinds.values():
        for name in lacking:
            sources[name][field] = text[name]
        return
    first_free = 1 + max(int(labels.max(initial=-1)) for labels in given.values())
    for name in lacking:
        n_labels = int(codes[name].max(initial=-1)) + 1
        if first_free + n_labels >= 2**63:
            unit = {"item": "rows", "block": "groups"}[field]
            raise ValueError(
                f"{field} is {first_free - 1} in one source, which leaves no integer of 64 "
                f"bits for each of the {n_labels} {unit} of {name!r}; expected smaller "
                f"ones. Number the {field}s with "
                f"np.unique({field}, return_inverse=True)[1]."
            )
        sources[name][field] = first_free + codes[name]
        first_free += n_labels
