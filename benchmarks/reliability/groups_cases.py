"""Odd inputs of the constructors of Groups."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from benchmarks.reliability import reference
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.structures import (
    drawn_form,
    must_handle,
    plain_target,
    values_for,
)
from sklearn_pscore import Groups


def stored(groups, fields):
    """Return the columns of a target as lists, by field."""
    return {field: groups[field].tolist() for field in fields}


def from_arrays_case(rng):
    """Draw a call of Groups.from_arrays with one or two odd columns."""
    target = plain_target(rng)
    fields = ("group", "preference", "item", "weight", "donor", "clip", "block")
    odd = rng.choice(fields, size=rng.choice([1, 1, 1, 2]), replace=False).tolist()
    passed, meant, forms = dict(target), dict(target), []
    for field in odd:
        values = values_for(field, target, rng)
        form, passed[field], meant[field] = drawn_form(rng, field, values)
        forms.append((field, form))
    return Case(
        surface="Groups.from_arrays",
        kind=forms[0][1].kind if len(forms) == 1 else "two at once",
        oddity=", ".join(f"{field}: {form.name}" for field, form in forms),
        call=lambda: stored(Groups.from_arrays(**passed), meant),
        reference=lambda: _stored_by_reference(meant),
        names=(*odd, "group"),
        passed=tuple(passed[field] for field in odd),
        must_handle=all(must_handle(field, form) for field, form in forms),
    )


def _stored_by_reference(meant):
    if any(column is None for column in meant.values()):
        raise Meaningless("a column has no meaning")
    return reference.checked_target(meant)


_FRAMES = {
    "pandas": lambda columns: pd.DataFrame(columns),
    "pandas with Arrow dtypes": lambda columns: pd.DataFrame(columns).convert_dtypes(
        dtype_backend="pyarrow"
    ),
    "polars": lambda columns: pl.DataFrame(columns),
    "polars, lazy": lambda columns: pl.DataFrame(columns).lazy(),
    "Arrow": lambda columns: pa.table(columns),
}
_NO_FRAMES = {
    "None": None,
    "dict": {"group": [1, 1]},
    "array": np.zeros((4, 2)),
    "list": [[1, 2]],
    "Series": pd.Series([1, 2], name="group"),
    "text": "groups.csv",
    "type": pd.DataFrame,
}
_NO_NAMES = (
    "nobody",
    "",
    3,
    2.5,
    ["group"],
    ("group",),
    {"group"},
    b"group",
    np.nan,
    pd.Series([1]),
    True,
)


def from_frame_case(rng):
    """Draw a call of Groups.from_frame: an odd frame, column or name."""
    target = plain_target(rng)
    target["weight"] = [2] * len(target["group"])
    names = {field: field for field in target}
    frame_name = str(rng.choice(list(_FRAMES)))
    if rng.random() < 0.25:
        what = str(rng.choice(list(_NO_FRAMES)))
        frame, odd = _NO_FRAMES[what], f"frame: {what}"
        return _frame_case(frame, names, None, "container", odd, ("frame",), (frame,))
    if rng.random() < 0.35:
        field = str(rng.choice(list(names)))
        name = _NO_NAMES[rng.integers(len(_NO_NAMES))]
        frame = _FRAMES[frame_name](target)
        return _frame_case(
            frame,
            {**names, field: name},
            None,
            "name",
            f"{frame_name}, {field}={name!r}",
            (field,),
            (name,),
        )
    field = str(rng.choice(list(target)))
    values = values_for(field, target, rng)
    form, passed, meant = drawn_form(rng, field, values)
    is_column = form.kind in ("dtype", "value") and form.meaning is not None
    try:
        frame = _FRAMES[frame_name]({**target, field: passed}) if is_column else None
    except Exception:  # The library itself refuses such a column.
        frame = None
    if frame is None:
        frame, form, meant = _FRAMES[frame_name](target), None, values
    name = frame_name if form is None else f"{frame_name}, {field}: {form.name}"
    return _frame_case(
        frame,
        names,
        {**target, field: meant},
        "dtype" if form is None else form.kind,
        name,
        (field,),
        (passed,),
    )


def _frame_case(frame, names, meant, kind, oddity, errors_name, passed):
    def right():
        if meant is None:
            raise Meaningless("no such frame or column")
        return _stored_by_reference(meant)

    return Case(
        surface="Groups.from_frame",
        kind=kind,
        oddity=oddity,
        call=lambda: stored(Groups.from_frame(frame, **names), names),
        reference=right,
        names=errors_name,
        passed=(*passed, frame),
    )


def from_winners_case(rng):
    """Draw a call of Groups.from_winners with an odd column of winners or groups."""
    group = plain_target(rng)["group"]
    winner = rng.integers(0, 2, len(group)).tolist()
    columns = {"group": group, "winner": winner}
    field = str(rng.choice(["group", "winner", "winner"]))
    form, passed, meant = drawn_form(rng, field, columns[field])

    def right():
        if meant is None:
            raise Meaningless("no column")
        checked = reference.checked_target(
            {**columns, field: meant, "preference": winner}
        )
        return {
            "group": checked["group"],
            "preference": [10.0 * won for won in checked["winner"]],
        }

    return Case(
        surface="Groups.from_winners",
        kind=form.kind,
        oddity=f"{field}: {form.name}",
        call=lambda: stored(
            Groups.from_winners(**{**columns, field: passed}), ("group", "preference")
        ),
        reference=right,
        names=(field, "group"),
        passed=(passed,),
        must_handle=must_handle(field, form),
    )


CASES = (from_arrays_case, from_frame_case, from_winners_case)
