"""Odd inputs of splitters and of compare_rankers."""

import numpy as np

from benchmarks.reliability import matrices, reference
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.parameter_cases import entries_of, shown_of
from benchmarks.reliability.parameters import VALUES
from benchmarks.reliability.ranker_cases import RANKERS, plain_table
from benchmarks.reliability.structures import (
    PLAIN_TARGETS,
    STRUCTURES,
    counts_in,
    drawn_form,
    plain_target,
)
from sklearn_pscore import Groups
from sklearn_pscore.metrics import dcg_score, dcg_scorer
from sklearn_pscore.model_selection import (
    PreferenceGroupKFold,
    compare_rankers,
    groups_train_test_split,
)

_NAMES = (
    "X",
    "y",
    "groups",
    "cv_groups",
    "group",
    "item",
    "weight",
    "preference",
    "rows",
)


def _drawn(rng, values):
    return values[rng.integers(len(values))]


def _split(splitter, X, y, groups=None):
    """Return the parts that a splitter of the package makes, each as a sorted list."""
    if splitter == "groups_train_test_split":
        parts = groups_train_test_split(
            X, y, np.arange(12), cv_groups=groups, random_state=0
        )
        return [sorted(parts[-2].tolist()), sorted(parts[-1].tolist())]
    folds = PreferenceGroupKFold(2).split(X, y, groups)
    return [sorted(part.tolist()) for fold in folds for part in fold]


def _by_codes(splitter, labels):
    """Return the folds of plain integer labels, which must keep every label whole."""
    labels = reference.checked_column("group", labels)
    if len({type(label) for label in labels}) > 1 or len(labels) != 12:
        raise Meaningless("labels of several types, or not one per row")
    codes = np.unique(labels, return_inverse=True)[1]
    if codes.max() < 1:
        raise Meaningless("a single group")
    y = Groups.from_arrays(group=codes)
    train, test = _split(splitter, plain_table(), y)[:2]
    if set(codes[train]) & set(codes[test]):
        raise AssertionError("a group is on both sides")
    return _split(splitter, plain_table(), y)


def split_by_labels_case(rng):
    """Draw a split by labels in an odd form, passed beside the target."""
    splitter = str(rng.choice(["PreferenceGroupKFold", "groups_train_test_split"]))
    target = plain_target(rng)
    form, passed, meant = drawn_form(rng, "group", target["group"])
    y = Groups.from_arrays(**target)

    def right():
        if meant is None:
            raise Meaningless(form.name)
        return _by_codes(splitter, meant)

    return Case(
        splitter,
        form.kind,
        f"labels to split by: {form.name}",
        lambda: _split(splitter, plain_table(), y, passed),
        right,
        ("groups", "cv_groups"),
        (passed,),
    )


def _n_rows(X):
    """Return the rows of a table of any kind, None if it has none."""
    if hasattr(X, "shape"):
        return X.shape[0] if X.shape else None
    return len(X) if isinstance(X, (list, tuple)) else None


def split_target_case(rng):
    """Draw a split of a target of odd structure, of a plain one, or of an odd X."""
    splitter = str(rng.choice(["PreferenceGroupKFold", "groups_train_test_split"]))
    X, target, meant = plain_table(), plain_target(rng), None
    y = Groups.from_arrays(**target)
    what = str(rng.choice(["X", "plain target", "structure"]))
    if what == "X":
        form = matrices.FORMS[rng.integers(len(matrices.FORMS))]
        X, kind, what = form.make(X), form.kind, f"X: {form.name}"
        # Splitters count the rows of X, and hand them on as they are.
        meant = target["group"] if _n_rows(X) == len(target["group"]) else None
        passed = (X,)
    elif what == "plain target":
        name = str(rng.choice(list(PLAIN_TARGETS)))
        y, kind, what = (
            PLAIN_TARGETS[name](target["group"]),
            "target",
            f"{what}: {name}",
        )
        passed = (y,)
    else:
        name = str(rng.choice(list(STRUCTURES)))
        target = STRUCTURES[name](rng, target)
        kind, what, passed = "structure", name, tuple(target.values())
        X, donor = X[: len(target["group"])], target.get("donor")
        unit = target.get("block", target["group"])
        meant = None if donor or len(X) < 12 else unit
        # Donors are in every training part: that is checked in the tests. Two rows may
        # be of one group, or of two.
        if name == "two rows" or (donor and name != "all rows donors"):
            return split_target_case(rng)

    def right():
        if meant is None:
            raise Meaningless(what)
        if kind == "structure":
            reference.checked_target(target)
        return _by_codes(splitter, meant)

    def call():
        if kind == "structure":
            return _split(splitter, X, Groups.from_arrays(**target))
        return _split(splitter, X, y)

    return Case(
        splitter, kind, what, call, right, _NAMES, passed, shown=counts_in(target)
    )


def split_parameter_case(rng):
    """Draw an odd number of folds, or size of the test part."""
    X, y = plain_table(), Groups.from_arrays(**plain_target(rng))
    parameter = str(rng.choice(["n_splits", "shuffle", "test_size", "random_state"]))
    value = _drawn(rng, VALUES)
    is_count = isinstance(value, (int, np.integer)) and not isinstance(value, bool)

    def call(chosen=value):
        if parameter == "n_splits":
            splitter = PreferenceGroupKFold(chosen)
        elif parameter == "shuffle":
            seed = 0 if chosen is True else None
            splitter = PreferenceGroupKFold(2, shuffle=chosen, random_state=seed)
        else:
            options = {"random_state": 0, parameter: chosen}
            return groups_train_test_split(X, y, np.arange(12), **options)[-1].tolist()
        return [part.tolist() for fold in splitter.split(X, y) for part in fold]

    def right():
        if parameter == "n_splits" and is_count and 2 <= value <= 3:
            return call(int(value))
        if parameter == "shuffle" and isinstance(value, bool):
            return call(value)
        if parameter == "test_size" and is_count and 1 <= value <= 2:
            return call(int(value))
        is_real = isinstance(value, (float, np.floating))
        if (
            parameter == "test_size"
            and is_real
            and 0 < value < 1
            and value < 2 / 3 + 1e-9
        ):
            return call(float(value))
        # To scikit-learn True is the seed 1.
        is_seed = (is_count or isinstance(value, bool)) and 0 <= value < 2**32
        if parameter == "random_state" and is_seed:
            return call(int(value))
        if parameter == "random_state" and value is None:
            return "any"
        raise Meaningless(f"{value!r:.50}")

    surface = (
        "PreferenceGroupKFold"
        if parameter in ("n_splits", "shuffle")
        else ("groups_train_test_split")
    )
    return Case(
        surface,
        "parameter",
        f"{parameter}={value!r:.60}",
        (lambda: "any") if parameter == "random_state" and value is None else call,
        right,
        (parameter,),
        (value,),
        shown=shown_of(value),
    )


class _Failing:
    """A ranker that cannot be used: it lacks everything."""


_COMPARISONS = {
    "rankers": [
        None,
        {},
        [RANKERS["RankSumRanker"]],
        {"a": None},
        {"a": _Failing()},
        {"a": type(RANKERS["RankSumRanker"])},
        {"GT": RANKERS["RankSumRanker"]},
        RANKERS["RankSumRanker"],
        "RankSumRanker",
        {"a": 3},
    ],
    "scoring": [
        {},
        "dcg",
        ["dcg"],
        {"DCG": "dcg"},
        {"DCG": dcg_score},
        {"DCG": None},
        {"seed": dcg_scorer},
        dcg_scorer,
        3,
        {"fold": dcg_scorer},
    ],
    "cv": [
        1,
        0,
        -1,
        4,
        10**30,
        2.5,
        "two",
        [],
        [[0, 1]],
        [([0, 1], [2])],
        object(),
        True,
        [([0, 1, 2], [99])],
        [([], [0, 1])],
        np.nan,
        {},
        [(None, None)],
        [(["a"], ["b"])],
    ],
    "test": [
        None,
        3,
        "test",
        (),
        (plain_table(),),
        (plain_table(), None, 1),
        [1, 2],
        (plain_table(), None),
        (plain_table()[:, :2], None),
        {},
    ],
    "cv_groups": [
        3,
        "group",
        [1, 2],
        [None] * 12,
        [0.5] * 12,
        {},
        np.zeros((12, 2)),
        [[1]] * 12,
    ],
    "reference": [3, "reference", [1, 2], np.zeros((12, 2)), {}, object()],
    "n_seeds": [None, 0, -1, 1.5, "5", True, np.nan, [1], 10**30, 1j],
    "random_state": ["0", -1, 1.5, [0.5], object(), {}, 2**40],
    "truth": [3, [], "a", {}],
    "n_jobs": ["two", 0, 1.5, [], {}],
}


# What errors show of values inside these.
_OF_NESTED = ("neither", "NoneType", "empty", "99")


def compare_rankers_case(rng):
    """Draw compare_rankers with an odd argument that it cannot use."""
    argument = str(rng.choice(list(_COMPARISONS)))
    value = _drawn(rng, _COMPARISONS[argument])
    X, y = plain_table(), Groups.from_arrays(**plain_target(rng))
    rankers = {"a": RANKERS["RankSumRanker"]}

    def call():
        arguments = {"rankers": rankers, "n_seeds": 1, "cv": 2, argument: value}
        if argument == "test":
            arguments["cv"] = None
        return compare_rankers(arguments.pop("rankers"), X, y, **arguments).rows

    def right():
        raise Meaningless(argument)

    return Case(
        "compare_rankers",
        "argument",
        f"{argument}={value!r:.60}",
        call,
        right,
        (argument, "cv", "X_test", "groups_test", "n_splits", "groups"),
        (value,),
        shown=(*shown_of(value), *_OF_NESTED, *map(str, entries_of(value))),
    )


CASES = (
    *(split_by_labels_case, split_target_case, split_parameter_case),
    *(compare_rankers_case, compare_rankers_case),
)
