"""Odd inputs of what is known of raters and lists, and of errors beyond intervals."""

from fractions import Fraction
from math import isnan, sqrt

from scipy import stats

from benchmarks.reliability import reference
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.inspection_cases import drawn_scores
from benchmarks.reliability.structures import (
    MAY_BE_REFUSED,
    NAN,
    built,
    drawn_form,
    drawn_structure,
    must_handle,
    plain_target,
)
from sklearn_pscore import Groups
from sklearn_pscore.inspection import noise_ceiling
from sklearn_pscore.metrics import epsilon_rmse

N_RATERS, SPREAD = 5, 0.5


def field_case(rng):
    """Draw numbers of raters, spreads, or positions in lists, in an odd form."""
    target = plain_target(rng)
    field = str(rng.choice(["n_raters", "spread", "position"]))
    values = rng.integers(1, 6, len(target["group"])).tolist()
    form, passed, meant = drawn_form(rng, field, values)

    def right():
        if meant is None:
            raise Meaningless(form.name)
        if len(meant) != len(target["group"]):
            raise Meaningless("the lengths differ")
        return [_known(field, value) for value in meant]

    return Case(
        "Groups.from_arrays, raters",
        form.kind,
        f"{field}: {form.name}",
        lambda: Groups.from_arrays(**target, **{field: passed})[field].tolist(),
        right,
        (field, "group"),
        (passed,),
        must_handle=must_handle(field, form),
    )


def _known(field, value):
    """Return a value as it is stored; raise Meaningless if it cannot be."""
    is_number = field != "spread"
    if value is None or (isinstance(value, float) and isnan(value)):
        return 0 if is_number else NAN
    value = reference.checked_column("weight", [value])[0]
    if is_number:
        return reference.checked_column("clip", [value])[0]
    return float(value)


def error_case(rng):
    """Draw an error beyond the intervals of a target of odd structure."""
    structure, target = drawn_structure(rng)
    n_rows = len(target["group"])
    scores = drawn_scores(rng, n_rows)
    fields = {**target, "n_raters": [N_RATERS] * n_rows, "spread": [SPREAD] * n_rows}
    return Case(
        "epsilon_rmse",
        "structure",
        structure,
        lambda: epsilon_rmse(built(fields), scores, mapping=None),
        lambda: _epsilon_rmse(target, scores),
        ("groups", "group", "preference", "preferences", "weight", "item", "y"),
        tuple(target.values()),
        shown=("items that count",),
        must_handle=structure not in MAY_BE_REFUSED,
        rtol=1e-9,
    )


def _epsilon_rmse(target, scores):
    """Return the error beyond the intervals of 95 %, without a map."""
    target = reference.checked_target(target)
    groups = reference.items_by_group(target, scores).values()
    items = [[Fraction(value) for value in item] for group in groups for item in group]
    if len({preference for preference, *_ in items}) < 2:
        raise Meaningless("nothing to compare")
    half = Fraction(stats.t.ppf(0.975, N_RATERS - 1) * SPREAD / sqrt(N_RATERS))
    errors = [max(abs(p - s) - half, Fraction(0)) for p, _, s in items]
    largest = max(errors)
    if not largest:
        return 0.0
    weights = [weight for _, weight, _ in items]
    pairs = zip(weights, errors, strict=True)
    square = sum(w * (error / largest) ** 2 for w, error in pairs) / sum(weights)
    return float(largest) * sqrt(square * len(items) / (len(items) - 1))


def ceiling_case(rng):
    """Draw a noise ceiling of a target of odd structure: between chance and 1."""
    structure, target = drawn_structure(rng)
    n_rows = len(target["group"])
    fields = {**target, "n_raters": [N_RATERS] * n_rows, "spread": [SPREAD] * n_rows}

    def in_range():
        value = noise_ceiling(built(fields), random_state=0).value
        return bool(0.5 <= value <= 1.0)

    def right():
        groups = reference.items_by_group(
            reference.checked_target(target), [0] * n_rows
        )
        if all(len({item[0] for item in items}) < 2 for items in groups.values()):
            raise Meaningless("nothing to compare")
        return True

    return Case(
        "noise_ceiling",
        "structure",
        structure,
        in_range,
        right,
        ("groups", "group", "preference", "preferences", "weight", "item", "y"),
        tuple(target.values()),
        shown=("comparable pairs",),
        must_handle=structure not in MAY_BE_REFUSED,
    )


CASES = (field_case, field_case, error_case, ceiling_case)
