"""Odd inputs of importances within groups, and of what decides a pair."""

from itertools import permutations

import numpy as np

from benchmarks.reliability import matrices, reference
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.ranker_cases import RTOL, fitted, plain_table
from benchmarks.reliability.structures import (
    MAY_BE_REFUSED,
    built,
    counts_in,
    drawn_structure,
    plain_target,
)
from sklearn_pscore import metrics
from sklearn_pscore.inspection import (
    group_permutation_importance,
    pairwise_contributions,
)

_RANKERS = ("LinearPreferenceRanker", "PairwisePreferenceRanker", "TopCountRanker")
_QUICK = {"n_repeats": 2, "random_state": 0}
_OPTIONS = {
    "n_repeats": [0, -1, 1.5, "2", None, True, 3, np.int64(2)],
    "random_state": [-1, "a", 1.5, 3, np.int64(3)],
    "shuffle": ["inside", None, 1, "global"],
    "max_groups": [0, -1, 1.5, "2", True, np.nan, None, 2, 0.5, np.float32(0.5)],
    "scoring": ["r2", "dgc", 3, metrics.rank_items, "dcg", metrics.dcg_score],
    "feature_groups": [
        ["x0"],
        {"a": "x0"},
        {"a": ["x9"]},
        {"a": [3]},
        {"a": []},
        {"a": [0], "b": [0]},
        {"x1": [0]},
        {"a": [0, "x1"]},
    ],
}
_PAIR_OPTIONS = {
    "max_exact": [-1, 21, 1.5, "2", None, True, 0, np.int64(2)],
    "n_permutations": [0, 1, 2.5, "2", None, True, 3],
    "random_state": [-1, "a", 1.5, 3, np.int64(3)],
}
# The values that are right, by the text that shows them.
_GOOD = {
    "n_repeats": ("3", "np.int64(2)"),
    "random_state": ("3", "np.int64(3)"),
    "shuffle": ("'global'",),
    "max_groups": ("None", "2", "0.5", "np.float32(0.5)"),
    "scoring": ("'dcg'", repr(metrics.dcg_score)),
    "feature_groups": ("{'a': [0, 'x1']}",),
    "max_exact": ("0", "np.int64(2)"),
    "n_permutations": ("3",),
}


def _importance(ranker, X, groups, **options):
    """Return the baseline and the importances as a list."""
    result = group_permutation_importance(ranker, X, groups, **_QUICK | options)
    return [result.baseline, *result.importances.ravel().tolist()]


def table_case(rng):
    """Draw an importance of X in an odd form."""
    name = str(rng.choice(_RANKERS))
    form = matrices.FORMS[rng.integers(len(matrices.FORMS))]
    X, target = plain_table(), plain_target(rng)
    passed, ranker, groups = form.make(X), fitted(name), built(target)

    def right():
        if form.meaning is None:
            raise Meaningless(form.name)
        meant = form.meaning(X)
        takes_groups = name == "TopCountRanker"
        try:
            scores = ranker.predict(meant, *([groups] if takes_groups else []))
        except Exception as error:
            raise Meaningless(str(error)) from error
        expected = _importance(ranker, meant, groups)
        by_definition = reference.metric_value(
            "pairwise_accuracy_score", target, scores.tolist()
        )
        return [by_definition, *expected[1:]]

    return Case(
        "group_permutation_importance",
        form.kind,
        f"{name}, X: {form.name}",
        lambda: _importance(ranker, passed, groups),
        right,
        ("X", "y_score"),
        (passed,),
        shown=("inf", "-inf", "nan"),
        must_handle=form.must_handle,
        rtol=RTOL,
    )


def structure_case(rng):
    """Draw an importance for a target of odd structure."""
    structure, target = drawn_structure(rng)
    ranker = fitted("LinearPreferenceRanker")
    X = plain_table()[: len(target["group"])]
    shuffle = str(rng.choice(["within", "global"]))

    def right():
        scores = ranker.predict(X).tolist() if len(X) else []
        return reference.metric_value("pairwise_accuracy_score", target, scores)

    return Case(
        "group_permutation_importance",
        "structure",
        f"{structure}, {shuffle}",
        lambda: _importance(ranker, X, built(target), shuffle=shuffle)[0],
        right,
        ("groups", "group", "preference", "preferences", "weight", "item", "X"),
        tuple(target.values()),
        shown=counts_in(target),
        must_handle=structure not in MAY_BE_REFUSED,
        rtol=RTOL,
    )


def pair_case(rng):
    """Draw pairs whose items are in an odd form."""
    name = str(rng.choice(_RANKERS))
    form = matrices.FORMS[rng.integers(len(matrices.FORMS))]
    X, ranker = plain_table(), fitted(name)
    # The same form for both: a table of another kind is refused.
    passed = form.make(X), form.make(X[::-1].copy())

    def right():
        if form.meaning is None and form.kind != "length":
            raise Meaningless(form.name)
        a, b = (
            np.asarray(table, dtype=float)
            if form.meaning is None
            else form.meaning(rows)
            for table, rows in zip(passed, (X, X[::-1].copy()), strict=True)
        )
        if a.ndim != 2 or a.shape[1] != 3:
            raise Meaningless(form.name)
        if not len(a):
            return []
        try:
            ranker.predict(a), ranker.predict(b)
        except Exception as error:
            raise Meaningless(str(error)) from error
        return [
            _by_definition(ranker.predict, *rows) for rows in zip(a, b, strict=True)
        ]

    return Case(
        "pairwise_contributions",
        form.kind,
        f"{name}, X_a and X_b: {form.name}",
        lambda: pairwise_contributions(ranker, *passed, random_state=0).values.tolist(),
        right,
        ("X", "X_a", "X_b", "y_score"),
        passed,
        shown=("inf", "-inf", "nan"),
        must_handle=form.must_handle,
        rtol=RTOL,
    )


def _by_definition(predict, a, b):
    """Return the mean over all orders of what each metric adds."""
    values, orders = np.zeros(len(a)), list(permutations(range(len(a))))
    for order in orders:
        row = b.copy()
        for j in order:
            before = predict(row[None])[0]
            row[j] = a[j]
            values[j] += predict(row[None])[0] - before
    return (values / len(orders)).tolist()


def option_case(rng):
    """Draw an odd option of either function."""
    of_pairs = bool(rng.random() < 0.3)
    options = _PAIR_OPTIONS if of_pairs else _OPTIONS
    option = str(rng.choice(list(options)))
    value = options[option][rng.integers(len(options[option]))]
    X, target = plain_table(), plain_target(rng)
    ranker = fitted("LinearPreferenceRanker")

    def right():
        if repr(value) not in _GOOD[option]:
            raise Meaningless(f"{option}={value!r}")
        return True

    def call():
        if of_pairs:
            pairwise_contributions(
                ranker, X, X[::-1], **{"random_state": 0, option: value}
            )
        else:
            _importance(ranker, X, built(target), **{option: value})
        return True

    return Case(
        "pairwise_contributions" if of_pairs else "group_permutation_importance",
        "option",
        f"{option}={value!r}",
        call,
        right,
        (option,),
        (value,),
        shown=("x0", "x1", "x9", "3", "'a'", "rank_items"),
        must_handle=True,
    )


CASES = (table_case, table_case, structure_case, pair_case, option_case)
