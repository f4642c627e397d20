"""Odd inputs of the curves of metrics: tables, targets and options."""

import numpy as np

from benchmarks.reliability import matrices
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.ranker_cases import fitted, plain_table
from benchmarks.reliability.structures import (
    built,
    counts_in,
    drawn_structure,
    plain_target,
)
from sklearn_pscore.inspection import metric_curves

RTOL = 1e-6
_OPTIONS = {
    "method": ["ale", None, 3, "additive", "accumulated", "auto"],
    "n_points": [1, 0, 2.5, "3", None, True, 2, 3, np.int64(9)],
    "n_boot": [1, -1, 2.5, "3", None, True, 2, 3, np.int64(3)],
    "max_rows": [1, 0, 2.5, "3", True, None, 12, np.int64(50)],
    "random_state": [-1, "a", 1.5, None, 3, np.int64(3)],
}


def shares(curves):
    """Return the shares of the metrics, the largest first."""
    return curves.table["share"].tolist()


def _slow_shares(X, group):
    """Return what the shares of a fitted LinearPreferenceRanker are, by a loop."""
    ranker = fitted("LinearPreferenceRanker")
    sizes = []
    for column in range(X.shape[1]):
        values = X[:, column]
        worth = np.where(np.isnan(values), ranker.median_[column], values)
        worth = (worth * ranker.coef_[column]).tolist()
        squares = 0.0
        for label in set(group):
            inside = [w for w, g in zip(worth, group, strict=True) if g == label]
            mean = sum(inside) / len(inside)
            squares += sum((w - mean) ** 2 for w in inside)
        sizes.append(np.sqrt(squares))
    total = sum(sizes)
    return sorted([size / total if total else 0.0 for size in sizes], reverse=True)


def table_case(rng):
    """Draw curves of a table in some odd form, by either method."""
    form = matrices.FORMS[rng.integers(len(matrices.FORMS))]
    plain, target = plain_table(), plain_target(np.random.default_rng(1))
    passed = form.make(plain)
    # No local effect is that of a missing value: the linear score is as exact.
    method = str(rng.choice(["additive", "accumulated"]))

    def right():
        if form.meaning is None:
            raise Meaningless(form.name)
        meant = form.meaning(plain)
        if abs(np.nan_to_num(meant)).max() > 1e100:
            raise Meaningless("larger than the ranker takes")
        return _slow_shares(meant, target["group"])

    def call():
        ranker = fitted("LinearPreferenceRanker")
        options = {"method": method, "n_boot": 2, "random_state": 0}
        return shares(metric_curves(ranker, passed, built(target), **options))

    return Case(
        "metric_curves",
        form.kind,
        f"X: {form.name}, {method}",
        call,
        right,
        ("X", "groups"),
        (passed,),
        shown=("12",),
        must_handle=form.must_handle,
        rtol=RTOL,
    )


def structure_case(rng):
    """Draw curves of the rows of a target of odd structure."""
    structure, target = drawn_structure(rng)
    n_rows = len(target["group"])
    X = plain_table(max(n_rows, 1))[:n_rows]

    def right():
        donor = target.get("donor", [False] * n_rows)
        weight = target.get("weight", [1.0] * n_rows)
        rows = [k for k in range(n_rows) if not donor[k] and weight[k] > 0]
        group = [target["group"][k] for k in rows]
        if len(set(group)) == len(group):
            raise Meaningless("no group of two rows")
        return _slow_shares(X[rows], group)

    def call():
        ranker = fitted("LinearPreferenceRanker")
        return shares(metric_curves(ranker, X, built(target), method="additive"))

    return Case(
        "metric_curves",
        "structure",
        structure,
        call,
        right,
        ("groups", "group", "preference", "weight", "item", "block", "X"),
        tuple(target.values()),
        shown=(*counts_in(target), "rows that count"),
        rtol=RTOL,
    )


def option_case(rng):
    """Draw an odd option."""
    option = str(rng.choice(list(_OPTIONS)))
    values = _OPTIONS[option]
    number = int(rng.integers(len(values)))
    value = values[number]
    # The last three of each are right.
    target = plain_target(np.random.default_rng(1))

    def right():
        if number < len(values) - 3:
            raise Meaningless(f"{option}={value!r}")
        return True

    def call():
        ranker = fitted("LinearPreferenceRanker")
        options = {"n_boot": 2, "random_state": 0, option: value}
        metric_curves(ranker, plain_table(), built(target), **options)
        return True

    return Case(
        "metric_curves",
        "option",
        f"{option}={value!r}",
        call,
        right,
        (option,),
        (value,),
        must_handle=True,
    )


CASES = (table_case, table_case, table_case, structure_case, option_case)
