"""Odd inputs of an analysis: the score of every row is known, whatever the table is."""

import numpy as np

from benchmarks.reliability import matrices
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.ranker_cases import RTOL, plain_table
from benchmarks.reliability.structures import (
    built,
    counts_in,
    drawn_structure,
    plain_target,
)
from sklearn_pscore import SingleMetricRanker
from sklearn_pscore.report import analyse

_QUICK = {
    "rankers": {"one": SingleMetricRanker(0, "larger")},
    "n_boot": 5,
    "cv": 2,
    "random_state": 0,
}
_OPTIONS = {
    "cv": [1, 0, 2.5, "2", None, True, 3, np.int64(2)],
    "n_seeds": [0, "2", None, True, 2],
    "n_refits": [-1, 3, 5.5, "5", True, None, 0, 5],
    "n_boot": [0, 1.5, "2", None, True, 3],
    "max_learnt_rows": [0, 1.5, None, True, 100],
    "random_state": [-1, "a", 1.5, 3, np.int64(3)],
    "item": ["face", "preference", 3, [[1]], [1, 2], "group"],
    "rankers": [{}, [], None, "one", SingleMetricRanker()],
}
# The values that are right, by the text that shows them.
_GOOD = {
    "cv": ("3", "np.int64(2)"),
    "n_seeds": ("2",),
    "n_refits": ("None", "0", "5"),
    "n_boot": ("3",),
    "max_learnt_rows": ("100",),
    "random_state": ("3", "np.int64(3)"),
    "item": ("'group'",),
    "rankers": (),
}


# A standard error of curves over the range of floats has no number.
_FORMS = [
    form
    for form in matrices.FORMS
    if form.kind != "missing" and "e307" not in form.name
]


def _scores(X, groups, **options):
    """Return the learnt scores of an analysis: the first column, whatever is held out."""
    return analyse(X, groups, **_QUICK | options).y_score


def _expected(X, target):
    """Return the first column, its median where it is missing, NaN for donors."""
    scores = np.array(X, dtype=float)[:, 0]
    if np.isnan(scores).any():
        # The median is that of each fold.
        raise Meaningless("a score that depends on the fold")
    donor = np.array(target.get("donor", [False] * len(scores)), dtype=bool)
    scores[donor] = np.nan
    return scores


def table_case(rng):
    """Draw an analysis of X in an odd form."""
    form = _FORMS[rng.integers(len(_FORMS))]
    X, target = plain_table(), plain_target(rng)
    passed, groups = form.make(X), built(target)

    def right():
        if form.meaning is None:
            raise Meaningless(form.name)
        return _expected(form.meaning(X), target)

    return Case(
        "analyse",
        form.kind,
        f"X: {form.name}",
        lambda: _scores(passed, groups),
        right,
        ("X",),
        (passed,),
        shown=("inf", "-inf", "nan"),
        must_handle=form.must_handle,
        rtol=RTOL,
    )


def structure_case(rng):
    """Draw an analysis of a target of odd structure."""
    structure, target = drawn_structure(rng)
    X = plain_table()[: len(target["group"])]
    return Case(
        "analyse",
        "structure",
        structure,
        lambda: _scores(X, built(target)),
        lambda: _expected(X, target),
        ("groups", "group", "preference", "preferences", "weight", "item", "X"),
        tuple(target.values()),
        shown=(*counts_in(target), "items"),
        rtol=RTOL,
    )


def option_case(rng):
    """Draw an analysis with an odd option."""
    name = str(rng.choice(list(_OPTIONS)))
    values = _OPTIONS[name]
    value = values[rng.integers(len(values))]
    if name == "rankers" and value is None:
        value = {}
    X, target = plain_table(), plain_target(rng)
    groups = built(target)

    def right():
        if repr(value) not in _GOOD[name]:
            raise Meaningless(f"{name}={value!r}")
        return _expected(X, target)

    return Case(
        "analyse",
        "option",
        f"{name}={value!r}",
        lambda: _scores(X, groups, **{name: value}),
        right,
        (name,),
        (value,),
        rtol=RTOL,
    )


CASES = (table_case, structure_case, option_case)
"""Functions that draw a case each."""
