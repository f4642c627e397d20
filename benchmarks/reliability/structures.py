"""Drawn targets: plain ones, ones of odd structure, and columns in odd forms."""

import numpy as np
import pandas as pd

from benchmarks.reliability.forms import LABEL_FORMS, NUMBER_FORMS
from sklearn_pscore import Groups

N_GROUPS, GROUP_SIZE = 3, 4
NAN = float("nan")


def plain_target(rng):
    """Draw a target of three mixed groups of four, as a dict of lists."""
    group = rng.permutation(np.repeat(np.arange(N_GROUPS), GROUP_SIZE)).tolist()
    preference = rng.integers(0, 4, len(group)).tolist()
    # Every group has something to compare.
    for label in range(N_GROUPS):
        first, second = [row for row, g in enumerate(group) if g == label][:2]
        preference[first], preference[second] = 0, 3
    return {"group": group, "preference": preference}


def _everywhere(field, value):
    return lambda rng, t: {**t, field: [value] * len(t["group"])}


def _some(field, value, other):
    """Return a function that gives `value` to some rows and `other` to the rest."""

    def changed(rng, t):
        rows = rng.random(len(t["group"])) < 0.3
        rows[0] = True
        old = t["preference"] if other is None else [other] * len(rows)
        column = [value if odd else kept for odd, kept in zip(rows, old, strict=True)]
        return {**t, field: column}

    return changed


def _several_rows_per_item(rng, t):
    item = rng.integers(0, 3, len(t["group"])).tolist()
    preference = [(3 * i + g) % 4 for i, g in zip(item, t["group"], strict=True)]
    return {**t, "item": item, "preference": preference}


def _unjudged_without_weight(rng, t):
    t = _some("weight", 0, 1)(rng, t)
    weight, preference = t["weight"], t["preference"]
    judged = [p if w else NAN for p, w in zip(preference, weight, strict=True)]
    return {**t, "preference": judged}


def _unjudged_donors(rng, t):
    t = _some("donor", True, False)(rng, t)
    donor, preference = t["donor"], t["preference"]
    judged = [NAN if d else p for p, d in zip(preference, donor, strict=True)]
    return {**t, "preference": judged}


def _drawn_weights(factor):
    def weighted(rng, t):
        weight = (rng.integers(1, 9, len(t["group"])) * factor).tolist()
        return {**t, "weight": weight}

    return weighted


def _first_rows(n):
    return lambda rng, t: {field: column[:n] for field, column in t.items()}


def _scaled(factor, shift=0.0):
    return lambda rng, t: {
        **t,
        "preference": [p * factor + shift for p in t["preference"]],
    }


STRUCTURES = {
    "groups in order": lambda rng, t: {**t, "group": sorted(t["group"])},
    "one group": _everywhere("group", 7),
    "all preferences equal": _everywhere("preference", 2.0),
    "each row a group": lambda rng, t: {**t, "group": list(range(len(t["group"])))},
    "a group of a single row": lambda rng, t: {**t, "group": [99, *t["group"][1:]]},
    "no row judged": _everywhere("preference", NAN),
    "some rows not judged": _some("preference", NAN, None),
    "all rows donors": _everywhere("donor", True),
    "some donors": _some("donor", True, False),
    "some donors, not judged": _unjudged_donors,
    "all weights zero": _everywhere("weight", 0),
    "some weights zero": _some("weight", 0, 1),
    "weight zero, not judged": _unjudged_without_weight,
    "weights": _drawn_weights(1.0),
    "weights of 1e-300": _drawn_weights(1e-300),
    "weights of 1e300": _drawn_weights(1e300),
    "weights far apart": _some("weight", 1e-200, 1e200),
    "several rows per item": _several_rows_per_item,
    "rows of an item disagree": _everywhere("item", "same"),
    "two rows": _first_rows(2),
    "one row": _first_rows(1),
    "no rows": _first_rows(0),
    "negative preferences": _scaled(1.0, -2.0),
    "preferences of 1e306": _scaled(1e306),
    "preferences of 1e-300": _scaled(1e-300),
    "preferences one bit apart": lambda rng, t: {
        **t,
        "preference": [1.0 + p * 2.0**-52 for p in t["preference"]],
    },
    "blocks": lambda rng, t: {**t, "block": [g % 2 for g in t["group"]]},
    "one block": _everywhere("block", "face"),
    "blocks that cut groups": _some("block", "b", "a"),
    "negative labels": lambda rng, t: {
        **t,
        "group": [-(5**25) * g for g in t["group"]],
    },
    "labels near 2**63": lambda rng, t: {
        **t,
        "group": [2**63 - 1 - g for g in t["group"]],
    },
}


MAY_BE_REFUSED = {
    "weights far apart",
    "weights of 1e300",
    "preferences of 1e306",
}
"""Structures of numbers so large that a limit, which the error names, may refuse them."""


def drawn_structure(rng):
    """Draw a structure; return its name and target."""
    name = str(rng.choice(list(STRUCTURES)))
    return name, STRUCTURES[name](rng, plain_target(rng))


def forms_of(field):
    """Return the forms to try on a field of the target, or on scores."""
    return LABEL_FORMS if field in ("group", "item", "block") else NUMBER_FORMS


def drawn_form(rng, field, values):
    """Draw a form of a column; return it, what is passed and what it means."""
    forms = forms_of(field)
    while True:
        form = forms[rng.integers(len(forms))]
        try:
            passed = form.make(values)
        except Exception:  # The library of the form has no such column.
            continue
        return form, passed, form.meaning and form.meaning(values)


def values_for(field, target, rng):
    """Return plain values of a field that a form can be made of."""
    if field in target:
        return target[field]
    n_rows = len(target["group"])
    if field == "clip":
        return rng.integers(0, 4, n_rows).tolist()
    if field == "item":
        return list(range(n_rows))
    if field == "block":
        return [label % 2 for label in target["group"]]
    if field == "weight":
        return rng.integers(1, 4, n_rows).tolist()
    return rng.integers(0, 2, n_rows).tolist()


def must_handle(field, form):
    """Tell whether a form must be taken in a field: all are of floats but some."""
    if field in ("preference", "weight", "y_score"):
        return form.must_handle
    return form.must_handle and not any(
        text in form.name for text in ("f2", "f4", "f8", "Float", "double", "NA")
    )


def built(target):
    """Return the target that Groups makes of a dict of lists."""
    return Groups.from_arrays(**target)


def counts_in(target):
    """Return the numbers of groups and rows, which errors on a structure show."""
    return (str(len(set(target["group"]))), str(len(target["group"])))


PLAIN_TARGETS = {
    "list of tuples": lambda v: [(0, x) for x in v],
    "two columns": lambda v: np.array([v, v]).T,
    "DataFrame of two columns": lambda v: pd.DataFrame({"group": v, "preference": v}),
    "list of pairs": lambda v: [[0, x] for x in v],
    "None": lambda v: None,
    "labels": lambda v: [f"group {x}" for x in v],
    "structured, no group": lambda v: np.array(
        [(x,) for x in v], dtype=[("preference", float)]
    ),
    "structured, one field more": lambda v: np.array(
        [(0, x, 1) for x in v],
        dtype=[("group", int), ("preference", float), ("qid", int)],
    ),
    "structured, two-dimensional": lambda v: built({"group": v, "preference": v})[
        :, None
    ],
    "structured, 0-d": lambda v: built({"group": v, "preference": v})[0],
    "Groups, the class": lambda v: Groups,
}


def record_forms(target):
    """Return a target with weights of 2 as records of several layouts and types."""
    fields = [("group", "i8"), ("preference", "f8"), ("weight", "f8")]
    plain = np.zeros(len(target["group"]), dtype=fields)
    plain["group"], plain["preference"] = target["group"], target["preference"]
    plain["weight"] = 2.0
    return {
        "records": plain.view(np.recarray),
        "big-endian": plain.astype(
            [
                (field, plain.dtype[field].newbyteorder(">"))
                for field in plain.dtype.names
            ]
        ),
        "fields in another order": plain[["weight", "preference", "group"]],
        "some fields, a view": plain[["group", "preference"]],
        "float32": plain.astype(
            [("group", "i2"), ("preference", "f4"), ("weight", "f2")]
        ),
        "objects": plain.astype(
            [("group", object), ("preference", object)] + [("weight", object)]
        ),
        "reversed view": plain[::-1].copy()[::-1],
        "strided view": np.repeat(plain, 2)[::2],
        "masked, nothing masked": np.ma.MaskedArray(plain),
        "one record masked": np.ma.MaskedArray(plain, mask=np.arange(len(plain)) == 1),
        "text groups": plain.astype(
            [("group", "U3"), ("preference", "f8"), ("weight", "f8")]
        ),
        "bytes groups": plain.astype(
            [("group", "S3"), ("preference", "f8"), ("weight", "f8")]
        ),
    }
