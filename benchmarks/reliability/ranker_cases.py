"""Odd inputs of estimators: X and y of every form, in every method."""

from functools import cache

import numpy as np
from catboost import CatBoostRanker
from sklearn.base import clone
from sklearn.tree import DecisionTreeRegressor

from benchmarks.reliability import matrices, reference
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.structures import (
    MAY_BE_REFUSED,
    PLAIN_TARGETS,
    STRUCTURES,
    counts_in,
    drawn_form,
    plain_target,
    values_for,
)
from sklearn_pscore import (
    Groups,
    GroupwiseRanker,
    LevelClassifierRanker,
    LinearPreferenceRanker,
    PairwisePreferenceRanker,
    PlainTarget,
    RankSumRanker,
    SingleMetricRanker,
    TopCountRanker,
)

# Training is in float32.
RTOL = 1e-4
RANKERS = {
    "PairwisePreferenceRanker": PairwisePreferenceRanker(
        (4,), n_members=1, max_epochs=2, random_state=0
    ),
    "LevelClassifierRanker": LevelClassifierRanker(random_state=0),
    "LinearPreferenceRanker": LinearPreferenceRanker(),
    "SingleMetricRanker": SingleMetricRanker(),
    "RankSumRanker": RankSumRanker(directions="larger"),
    "TopCountRanker": TopCountRanker(directions="larger"),
}
# Those that pass on more than the order of the preferences: any form may be odd to
# them, but not all structures mean the same.
WRAPPERS = {
    "GroupwiseRanker": GroupwiseRanker(
        CatBoostRanker(
            loss_function="PairLogit",
            iterations=3,
            random_seed=0,
            thread_count=1,
            verbose=0,
            allow_writing_files=False,
        )
    ),
    "PlainTarget": PlainTarget(DecisionTreeRegressor(random_state=0)),
}
ANY_RANKERS = RANKERS | WRAPPERS
NAMES_OF_Y = ("groups", "y", "group", "preference", "item", "weight", "preferences")


def plain_table(n_rows=12, seed=0):
    """Return a table of small whole numbers, which every dtype holds."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 10, (n_rows, 3)).astype(float)


@cache
def _fitted(name):
    target = plain_target(np.random.default_rng(1))
    return clone(ANY_RANKERS[name]).fit(plain_table(), Groups.from_arrays(**target))


def fitted(name):
    """Return a new ranker with the state of one fit."""
    ranker = clone(ANY_RANKERS[name])
    ranker.__dict__.update(_fitted(name).__dict__)
    return ranker


def predictions_of(ranker):
    """Return a function of what a refusal must not change in a fitted ranker."""
    return lambda: [sorted(vars(ranker)), ranker.predict(plain_table(5, seed=2))]


def _method_call(method, X, y):
    """Return a function that calls a method of a ranker and returns an array."""

    def called(ranker):
        if method in ("fit", "partial_fit"):
            return getattr(ranker, method)(X, y).predict(plain_table(5, seed=2))
        if method == "predict":
            return ranker.predict(X)
        if method == "preference_proba":
            return ranker.preference_proba(X, plain_table())
        return np.asarray(getattr(ranker, method)(X, y))

    return called


def _call_on_target(method, X, target):
    """Return the same for a target that is still a dict of columns."""
    return lambda ranker: _method_call(method, X, Groups.from_arrays(**target))(ranker)


def _methods(name):
    more = {
        "PairwisePreferenceRanker": ["partial_fit", "preference_proba"],
        "LinearPreferenceRanker": ["preference_proba"],
        "RankSumRanker": ["rank_sums"],
    }
    return ["fit", "fit", "predict", "rank", "score", *more.get(name, [])]


def _by_plain_call(called, name):
    """Return the result of a method on plain input; Meaningless if it is refused."""
    try:
        result = called(fitted(name))
    except Exception as error:
        raise Meaningless(str(error)) from error
    return None if np.isinf(result).any() else result


def _medians_of(name, method, X):
    """Return what missing values of X are to a method of a ranker, or None."""
    learns = name in ("LinearPreferenceRanker", "SingleMetricRanker")
    if learns and method == "fit":
        there = np.where(np.isnan(X).all(axis=0), 0.0, X)
        return np.nanmedian(there, axis=0)
    if learns or (name == "PairwisePreferenceRanker" and method != "fit"):
        # Nothing was missing in the fit.
        return np.median(plain_table(), axis=0)
    return None


def table_case(rng):
    """Draw a method of a ranker, with X in an odd form."""
    name = str(rng.choice(list(ANY_RANKERS)))
    method = str(rng.choice(_methods(name)))
    form = matrices.FORMS[rng.integers(len(matrices.FORMS))]
    X, y = plain_table(), Groups.from_arrays(**plain_target(rng))
    passed, ranker = form.make(X), fitted(name)
    meant = None if form.meaning is None else form.meaning(X)
    # A prediction needs no second row, nor the rows of a target.
    if method == "predict" and form.name in ("one row less", "one row more"):
        meant = np.asarray(passed)
    if form.kind == "missing":
        medians = _medians_of(name, method, meant)
        meant = meant if medians is None else np.where(np.isnan(meant), medians, meant)

    def right():
        if meant is None:
            raise Meaningless(form.name)
        return _by_plain_call(_method_call(method, meant, y), name)

    return Case(
        surface=f"{name}.{method}",
        kind=form.kind,
        oddity=f"X: {form.name}",
        call=lambda: _method_call(method, passed, y)(ranker),
        reference=right,
        names=("X", "X_a", "X_b"),
        passed=(passed,),
        must_handle=form.must_handle,
        state=predictions_of(ranker),
        rtol=RTOL,
    )


def column_case(rng):
    """Draw a method of a ranker, with an odd column of the target."""
    name = str(rng.choice(list(ANY_RANKERS)))
    method = str(rng.choice(["fit", "fit", "score", "rank"]))
    field = str(rng.choice(["group", "preference", "weight", "item", "donor"]))
    target, X, ranker = plain_target(rng), plain_table(), fitted(name)
    form, passed, meant = drawn_form(rng, field, values_for(field, target, rng))

    def right():
        if meant is None:
            raise Meaningless(form.name)
        plain = reference.checked_target({**target, field: meant})
        return _by_plain_call(_call_on_target(method, X, plain), name)

    return Case(
        f"{name}.{method}",
        form.kind,
        f"{field}: {form.name}",
        lambda: _call_on_target(method, X, {**target, field: passed})(ranker),
        right,
        (field, *NAMES_OF_Y),
        (passed,),
        shown=counts_in(target),
        state=predictions_of(ranker),
        rtol=RTOL,
    )


def plain_target_case(rng):
    """Draw a fit or score with a plain target in an odd form."""
    name = str(rng.choice(list(ANY_RANKERS)))
    method = str(rng.choice(["fit", "score"]))
    ranker, X = fitted(name), plain_table()
    values = [0, 1, 2, 3, *rng.integers(0, 4, 8).tolist()]
    if rng.random() < 0.4:
        what = str(rng.choice(list(PLAIN_TARGETS)))
        kind, passed, meant = "target", PLAIN_TARGETS[what](values), None
    else:
        form, passed, meant = drawn_form(rng, "preference", values)
        what, kind = form.name, form.kind

    def right():
        if meant is None or any(value != value for value in meant):
            raise Meaningless(what)
        one_group = [0] * len(meant)
        checked = reference.checked_target({"group": one_group, "preference": meant})
        return _by_plain_call(_call_on_target(method, X, checked), name)

    return Case(
        f"{name}.{method}",
        kind,
        f"plain target: {what}",
        lambda: _method_call(method, X, passed)(ranker),
        right,
        NAMES_OF_Y,
        (passed,),
        state=predictions_of(ranker),
        rtol=RTOL,
    )


def structure_case(rng):
    """Draw a fit on a target of odd structure."""
    name = str(rng.choice(list(RANKERS)))
    structure = str(rng.choice(list(STRUCTURES)))
    target, ranker = STRUCTURES[structure](rng, plain_target(rng)), fitted(name)
    X = plain_table()[: len(target["group"])]
    learns = name not in ("RankSumRanker", "TopCountRanker")

    def right():
        rows, simple = _simplified(target, learns)
        return _by_plain_call(_call_on_target("fit", X[rows], simple), name)

    return Case(
        f"{name}.fit",
        "structure",
        structure,
        lambda: _call_on_target("fit", X, target)(ranker),
        right,
        ("X", *NAMES_OF_Y, "pairs"),
        tuple(target.values()),
        shown=counts_in(target),
        must_handle=structure not in MAY_BE_REFUSED,
        state=predictions_of(ranker),
        rtol=RTOL,
    )


def _simplified(target, learns):
    """Return the rows that count, and a target of small numbers that orders the same."""
    target = reference.checked_target(target)
    n_rows = len(target["group"])
    weight = target.get("weight", [1] * n_rows)
    donor = target.get("donor", [False] * n_rows)
    rows = [row for row in range(n_rows) if weight[row] > 0 and not donor[row]]
    if n_rows < 2 or not rows:
        raise Meaningless("no rows to learn from")
    kept = {field: [column[row] for row in rows] for field, column in target.items()}
    if learns:
        items = reference.items_by_group(target, [0] * n_rows)
        if all(len({item[0] for item in group}) < 2 for group in items.values()):
            raise Meaningless("nothing to compare")
        if len(rows) < 2:
            raise Meaningless("one row")
        kept["preference"] = _codes(kept["preference"])
    kept["group"] = _codes(kept["group"])
    if "weight" in kept:
        kept["weight"] = [max(w / max(kept["weight"]), 1e-300) for w in kept["weight"]]
    return rows, kept


def _codes(values):
    distinct = sorted(set(values))
    return [distinct.index(value) for value in values]


def rank_structure_case(rng):
    """Draw ranks or the score of a fitted ranker for a target of odd structure."""
    name, method = "PairwisePreferenceRanker", str(rng.choice(["rank", "score"]))
    structure = str(rng.choice(list(STRUCTURES)))
    target, ranker = STRUCTURES[structure](rng, plain_target(rng)), fitted(name)
    X = plain_table()[: len(target["group"])]

    def right():
        if not len(X):
            raise Meaningless("no rows")
        scores = fitted(name).predict(X).tolist()
        if method == "rank":
            return np.array(reference.ranks(target, scores))
        return np.array(
            reference.metric_value("pairwise_accuracy_score", target, scores)
        )

    return Case(
        f"{name}.{method}",
        "structure",
        structure,
        lambda: _call_on_target(method, X, target)(ranker),
        right,
        ("X", *NAMES_OF_Y),
        tuple(target.values()),
        shown=counts_in(target),
        must_handle=structure not in MAY_BE_REFUSED,
        state=predictions_of(ranker),
        rtol=RTOL,
    )


def in_groups_case(rng):
    """Draw hand-crafted scores inside the groups passed, of an odd X."""
    name, method = [
        ("RankSumRanker", "rank_sums"),
        ("RankSumRanker", "predict"),
        ("TopCountRanker", "predict"),
    ][rng.integers(3)]
    form = matrices.FORMS[rng.integers(len(matrices.FORMS))]
    group = plain_target(rng)["group"]
    X, ranker = plain_table(seed=3), fitted(name)
    passed = form.make(X)

    def right():
        if form.meaning is None:
            raise Meaningless(form.name)
        meant = form.meaning(X).tolist()
        if name == "TopCountRanker":
            return np.array(reference.top_counts(meant, group), dtype=float)
        sums = np.array(reference.rank_sums(meant, group))
        return sums if method == "rank_sums" else -sums

    return Case(
        f"{name}.{method}",
        form.kind,
        f"X: {form.name}, in groups",
        lambda: getattr(ranker, method)(passed, Groups.from_arrays(group=group)),
        right,
        ("X",),
        (passed,),
        must_handle=form.must_handle,
        state=predictions_of(ranker),
    )


CASES = (
    table_case,
    table_case,
    table_case,
    column_case,
    plain_target_case,
    structure_case,
    structure_case,
    rank_structure_case,
    in_groups_case,
)
