"""Odd inputs of Groups.concat and Groups.whole, and metrics of groups that were cut."""

from math import isnan

import numpy as np

from benchmarks.reliability import reference
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.structures import (
    NAN,
    counts_in,
    drawn_structure,
    plain_target,
)
from sklearn_pscore import Groups
from sklearn_pscore.metrics import dcg_score, pairwise_accuracy_score

_FILL = {"weight": 1.0, "donor": False, "clip": 0}
# What may stand in a list of two targets, or for the list, or for the names.
_NO_TARGETS = {
    "None": None,
    "a number": 3,
    "a plain array": np.arange(4.0),
    "a list of tuples": [("a", 1.0), ("b", 2.0)],
    "records without a preference": np.zeros(3, dtype=[("group", int)]),
    "text": "mos",
}
_NAMES = {
    "none": None,
    "words": ["mos", "award"],
    "emoji": ["\N{GRINNING FACE}", "b"],
    "a tuple": ("a", "b"),
    "the same twice": ["a", "a"],
    "empty": ["", "b"],
    "with the separator": ["a:1", "b"],
    "a number": ["a", 1],
    "one of two": ["a"],
    "text": "ab",
    "a set": {"a", "b"},
}


def _pick(rng, choices):
    name = list(choices)[rng.integers(len(choices))]
    return name, choices[name]


def _judged_rows(target):
    """Return the number of judged rows that count, by group."""
    checked, sizes = reference.checked_target(target), {}
    for row, group in enumerate(checked["group"]):
        is_counted = checked.get("weight", _Ones())[row] > 0
        is_counted &= not checked.get("donor", _Nothing())[row]
        is_counted &= not isnan(checked["preference"][row])
        sizes[group] = sizes.get(group, 0) + is_counted
    return sizes


class _Ones:
    def __getitem__(self, row):
        return 1.0


class _Nothing:
    def __getitem__(self, row):
        return False


def _joined(targets, names):
    """Return the fields of the joined target in plain Python."""
    targets = [reference.checked_target(target) for target in targets]
    fields = {field for target in targets for field in target} - {"item", "block"}
    rows = {field: [] for field in fields}
    for name, target in zip(names, targets, strict=True):
        for field in fields:
            fill = [_FILL.get(field)] * len(target["group"])
            rows[field] += target.get(field, fill)
        start = len(rows["group"]) - len(target["group"])
        rows["group"][start:] = [f"{name}:{label}" for label in target["group"]]
    return rows


def concat_case(rng):
    """Draw targets of odd structure to join, with odd names."""
    drawn = [drawn_structure(rng) for _ in range(2)]
    names, passed_names = _pick(rng, _NAMES)
    targets = [target for _, target in drawn]

    def right():
        good = ["0", "1"] if passed_names is None else passed_names
        if names not in ("none", "words", "emoji", "a tuple"):
            raise Meaningless(names)
        for field in ("item", "block"):
            kinds = {type(label) for t in targets for label in t.get(field, [])}
            if len(kinds) > 1:
                raise Meaningless(f"{field}s of two kinds")
        return _joined(targets, good)

    def call():
        built = [Groups.from_arrays(**target) for target in targets]
        joined = Groups.concat(built, names=passed_names)
        fields = {field for target in targets for field in target} - {"item", "block"}
        return {field: joined[field].tolist() for field in fields}

    return Case(
        "Groups.concat",
        "structure" if names in ("none", "words") else "argument",
        f"{drawn[0][0]} and {drawn[1][0]}, names: {names}",
        call,
        right,
        ("names", "targets", "group", "item", "preference", "weight", "clip", "donor"),
        (passed_names, *(column for t in targets for column in t.values())),
        shown=tuple(text for target in targets for text in counts_in(target)),
    )


def no_target_case(rng):
    """Draw something that is no target in place of one, or of all."""
    what, odd = _pick(rng, _NO_TARGETS)
    good = Groups.from_arrays(**plain_target(rng))
    is_list = bool(rng.integers(2))

    def call():
        return Groups.concat([good, odd] if is_list else odd)

    def right():
        raise Meaningless(what)

    return Case(
        "Groups.concat",
        "target",
        f"{what} {'as one target' if is_list else 'for the list'}",
        call,
        right,
        ("targets", "target", "groups"),
        (odd,),
    )


def whole_case(rng):
    """Draw some rows of a target, and count the rows of its groups anew."""
    structure, target = drawn_structure(rng)
    kept = rng.random(len(target["group"])) < 0.6
    part = {
        field: [value for value, is_kept in zip(column, kept, strict=True) if is_kept]
        for field, column in target.items()
    }

    def right():
        reference.checked_target(target)
        sizes = _judged_rows(part)
        return [sizes[group] for group in part["group"]]

    return Case(
        "Groups.whole",
        "structure",
        f"some rows of: {structure}",
        lambda: Groups.whole(Groups.from_arrays(**target)[kept])["group_size"].tolist(),
        right,
        ("groups", "group", "item", "preference", "weight", "donor"),
        tuple(target.values()),
        shown=counts_in(target),
        must_handle=structure
        not in ("rows of an item disagree", "blocks that cut groups"),
    )


def cut_case(rng):
    """Draw a metric of a target that lost rows of a group after it was made."""
    target = plain_target(rng)
    is_unjudged = bool(rng.integers(2))
    # The first two rows of each group differ in preference: one of the others goes.
    third = [row for row, group in enumerate(target["group"]) if group == 0][2]
    if is_unjudged:
        target["preference"][third] = NAN
    kept = np.arange(len(target["group"])) != third
    groups, metric = Groups.from_arrays(**target), [dcg_score, pairwise_accuracy_score]
    metric = metric[rng.integers(2)]
    y_score = rng.integers(0, 5, len(kept)).astype(float)

    def right():
        if not is_unjudged:
            raise Meaningless("a group is cut")
        part = {name: [c[row] for row in np.flatnonzero(kept)] for name, c in columns}
        return reference.metric_value(metric.__name__, part, y_score[kept].tolist())

    columns = list(target.items())
    return Case(
        metric.__name__,
        "structure",
        "without its rows not judged" if is_unjudged else "a cut group",
        lambda: metric(groups[kept], y_score[kept]),
        right,
        ("groups",),
        (y_score,),
        must_handle=True,
        rtol=1e-12,
    )


CASES = (concat_case, concat_case, no_target_case, whole_case, cut_case)
