"""What a fit may not depend on: two ways to say the same to each loss."""

import numpy as np
from sklearn.base import clone

from benchmarks.reliability.case import Case
from benchmarks.reliability.ranker_cases import RANKERS, plain_table
from benchmarks.reliability.structures import NAN, counts_in, plain_target
from sklearn_pscore import Groups, LevelClassifierRanker

# Scaling moves the rounding of float32, which a few steps of training make larger.
RTOL = 1e-3


def _per_row(field, function):
    """Return a change of one column, value by value."""
    return lambda t, X: ({**t, field: [function(value) for value in t[field]]}, X)


def _new_column(field, values):
    return lambda t, X: ({**t, field: list(values(len(X)))}, X)


def _with_more_rows(t, X, **more):
    """Add rows to the groups that there are, as items of their own."""
    n_rows, n_more = len(X), len(more["preference"])
    more = {
        "group": t["group"][:n_more],
        "item": range(n_rows, n_rows + n_more),
        "clip": [0] * n_more,
        "weight": [1] * n_more,
        "donor": [False] * n_more,
        **more,
    }
    t = {field: [*column, *more[field]] for field, column in t.items()}
    return t, np.vstack([X, [[9e9, 0, 0]] * n_more])


def _with_rows_of_no_weight(t, X):
    return _with_more_rows(t, X, preference=[NAN, 50.0, -50.0], weight=[0, 0, 0])


def _with_rows_that_lack_all(t, X):
    t, X = _with_more_rows(t, X, preference=[NAN, 50.0, -50.0], weight=[0, 0, 0])
    X[-3:] = NAN
    return t, X


def _with_donors(t, X):
    t = {"donor": [False] * len(X), **t}
    return _with_more_rows(t, X, preference=[NAN, 50.0], donor=[True, True])


_CHANGES = {
    "groups renamed": _per_row("group", lambda g: f"group {g}"),
    "groups near 2**62": _per_row("group", lambda g: 2**62 + g),
    "weights times 2**40": _per_row("weight", lambda w: w * 2.0**40),
    "weights times 1e18": _per_row("weight", lambda w: w * 1e18),
    "weights times 1e-23": _per_row("weight", lambda w: w * 1e-23),
    "weights times 1e300": _per_row("weight", lambda w: w * 1e300),
    "weights times 1e-300": _per_row("weight", lambda w: w * 1e-300),
    "preferences through exp": _per_row("preference", lambda p: np.exp(9.0 * p)),
    "preferences times 2**1000": _per_row("preference", lambda p: p * 2.0**1000),
    "preferences times 1e-310": _per_row("preference", lambda p: p * 1e-310),
    "preferences plus 2**40": _per_row("preference", lambda p: p + 2.0**40),
    "preferences below zero": _per_row("preference", lambda p: p - 100.0),
    "preferences one bit apart": _per_row("preference", lambda p: 1.0 + p * 2.0**-52),
    "preferences of -0.0": _per_row("preference", lambda p: p or -0.0),
    "each row an item": _new_column("item", range),
    "clips": _new_column("clip", range),
    "no donors": _new_column("donor", lambda n: [False] * n),
    "rows of no weight": _with_rows_of_no_weight,
    "donors": _with_donors,
    "rows of no weight without metrics": _with_rows_that_lack_all,
    "X times 2**60": lambda t, X: (t, X * 2.0**60),
    "X times 2**-60": lambda t, X: (t, X * 2.0**-60),
    "X as float32": lambda t, X: (t, X.astype(np.float32)),
    "X plus 1024": lambda t, X: (t, X + 1024.0),
}
_MODELS = {
    "ranknet": {},
    "lambdarank": {"loss": "lambdarank"},
    "lambdarank, k=1": {"loss": "lambdarank", "k": 1},
    "listnet": {"loss": "listnet"},
    "relu6": {"output_activation": "relu6"},
    "linear": {"shortcut": "linear"},
    "no shortcut": {"shortcut": None},
    "members": {"n_members": 3},
    "float32": {"predict_dtype": "float32"},
    "monotone": {"monotonic_cst": [1, 0, -1]},
}


def same_fit_case(rng):
    """Draw a model, and one or two changes of the data that say the same."""
    model = str(rng.choice(list(_MODELS)))
    ranker = clone(RANKERS["PairwisePreferenceRanker"]).set_params(**_MODELS[model])
    changes = list(_CHANGES)
    if rng.random() < 0.15:
        model, ranker = "levels", LevelClassifierRanker(random_state=0)
        # A tree of scikit-learn takes values less than 1e-7 apart for equal.
        changes = [name for name in changes if not name.startswith("X")]
    names = _changed_once(rng.choice(changes, size=rng.choice([1, 1, 2])).tolist())
    plain, X = plain_target(rng), plain_table(seed=int(rng.integers(50)))
    plain["weight"] = rng.integers(1, 4, len(X)).astype(float).tolist()
    odd, X_odd = plain, X
    # Rows that are added come last: their values are those of the other changes.
    for name in sorted(names, key=_adds_rows):
        odd, X_odd = _CHANGES[name](odd, X_odd)

    def fit(target, table):
        fitted = clone(ranker).fit(table, Groups.from_arrays(**target))
        scores = fitted.predict(table[: len(X)])
        # Pairs do not tell where zero is.
        return scores - scores.mean()

    return Case(
        surface="LevelClassifierRanker.fit"
        if model == "levels"
        else "PairwisePreferenceRanker.fit",
        kind="invariance" if len(names) == 1 else "two at once",
        oddity=f"{model}: {', '.join(names)}",
        call=lambda: fit(odd, X_odd),
        reference=lambda: fit(plain, X),
        names=("groups", "X", "weight", "preference", "group"),
        passed=(X_odd, *odd.values()),
        shown=counts_in(odd),
        must_handle=True,
        rtol=RTOL,
    )


def _adds_rows(name):
    return name.startswith(("rows", "donors"))


def _changed_once(names):
    """Return the changes, without those of what one before has changed."""
    return list({name.split()[0]: name for name in names}.values())


CASES = (same_fit_case,)
