"""Odd inputs of PairAugmenter."""

from itertools import combinations

import numpy as np
import pandas as pd

from benchmarks.reliability import matrices, reference
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.ranker_cases import NAMES_OF_Y, plain_table
from benchmarks.reliability.structures import (
    MAY_BE_REFUSED,
    STRUCTURES,
    counts_in,
    plain_target,
)
from sklearn_pscore import Groups, PairAugmenter


def augmenter_case(rng):
    """Draw an augmentation of an odd X, or of a target of odd structure."""
    method = str(rng.choice(["augment", "fit_transform"]))
    target, X = plain_target(rng), plain_table()
    if rng.random() < 0.5:
        form = matrices.FORMS[rng.integers(len(matrices.FORMS))]
        what, kind, passed = f"X: {form.name}", form.kind, form.make(X)
        meant = None if form.meaning is None else form.meaning(X)
        odd, must_handle = (passed,), form.must_handle
    else:
        what, kind = str(rng.choice(list(STRUCTURES))), "structure"
        target = STRUCTURES[what](rng, target)
        passed = meant = X[: len(target["group"])]
        odd = tuple(target.values())
        must_handle = len(meant) > 0 and what not in MAY_BE_REFUSED
    augmenter = PairAugmenter(stitch_sizes=(2,), max_stitched=None, n_injected=0)

    def right():
        if meant is None or not len(meant):
            raise Meaningless(what)
        items = _stitched_pairs(meant, reference.checked_target(target))
        return items if method == "augment" else meant

    def call():
        y = Groups.from_arrays(**target)
        if method == "fit_transform":
            # By way of objects: pandas makes no float of its NA.
            same = np.asarray(augmenter.fit_transform(passed, y), dtype=object)
            return np.where(pd.isna(same), np.nan, same).astype(float)
        X_more, more = augmenter.augment(passed, y)
        columns = more["group"].tolist(), more["preference"].tolist(), X_more.tolist()
        return _in_order((g, p, *x) for g, p, x in zip(*columns, strict=True))

    return Case(
        f"PairAugmenter.{method}",
        kind,
        what,
        call,
        right,
        ("X", *NAMES_OF_Y),
        odd,
        shown=counts_in(target),
        must_handle=must_handle,
        rtol=1e-9,
    )


def _stitched_pairs(X, target):
    """Return items and all pairs of items of one group, stitched, sorted."""
    n_rows = len(target["group"])
    weight = target.get("weight", [1] * n_rows)
    donor = target.get("donor", [False] * n_rows)
    item = target.get("item", range(n_rows))
    members = {}
    for row in range(n_rows):
        if weight[row] > 0:
            if target["preference"][row] != target["preference"][row]:
                raise Meaningless("a row is not judged")
            if not donor[row]:
                members.setdefault((target["group"][row], item[row]), []).append(row)
    items = [
        (group, float(target["preference"][rows[0]]), _mean_of_present(X[rows]))
        for (group, _), rows in members.items()
    ]
    stitched = [
        (a[0], max(a[1], b[1]) - 2.0, _mean_of_present([a[2], b[2]]))
        for a, b in combinations(items, 2)
        if a[0] == b[0]
    ]
    return _in_order((g, p, *x) for g, p, x in items + stitched)


def _mean_of_present(rows):
    """Return the mean of each column over what is not missing, NaN if nothing is."""
    columns = [[v for v in column if v == v] for column in zip(*rows, strict=True)]
    return [sum(c) / len(c) if c else float("nan") for c in columns]


def _in_order(rows):
    """Return rows sorted, NaN, which has no place in any order, last."""
    return sorted(rows, key=lambda row: [(v != v, v) for v in row])


CASES = (augmenter_case,)
