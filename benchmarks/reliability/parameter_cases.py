"""Odd parameters: each value for each parameter, before a fit and after one.

A value of another type with the same meaning, np.int64(3) for 3, gives the result of the
plain one.
"""

from functools import partial

import numpy as np
from sklearn.base import clone

from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.parameters import RULES, VALUES, AnotherValue
from benchmarks.reliability.ranker_cases import (
    RANKERS,
    RTOL,
    fitted,
    plain_table,
    predictions_of,
)
from benchmarks.reliability.structures import plain_target
from sklearn_pscore import Groups, PairAugmenter
from sklearn_pscore.datasets import make_head_challenge

_IN_USE = {
    "k": {"loss": "lambdarank"},
    "gain": {"loss": "lambdarank"},
    "scoring": {"early_stopping": True},
    "validation_fraction": {"early_stopping": True},
    "n_iter_no_change": {"early_stopping": True},
}


def _drawn_value(rng, rule):
    """Draw a value that takes no hours; return it and a function for its plain one."""
    while True:
        value = VALUES[rng.integers(len(VALUES))]
        try:
            plain = rule(value)
        except AnotherValue:
            continue
        except Meaningless as error:
            return value, _raising(error)
        return value, partial(_returned, plain)


def _returned(value):
    return value


def _raising(error):
    def raised():
        raise error

    return raised


def shown_of(value):
    return (f"{value!r:.60}", type(value).__name__, *map(repr, entries_of(value)))


def entries_of(value):
    return value if isinstance(value, (list, tuple, set, dict)) else ()


def parameter_case(rng):
    """Draw an odd parameter of a ranker for a fit, or to be set after one."""
    name = str(
        rng.choice([*RANKERS, "PairwisePreferenceRanker", "PairwisePreferenceRanker"])
    )
    parameter = str(rng.choice(list(RULES[name])))
    value, plain = _drawn_value(rng, RULES[name][parameter])
    X, y = plain_table(), Groups.from_arrays(**plain_target(rng))
    ranker = fitted(name)
    more = _IN_USE.get(parameter, {})

    def fit(chosen):
        odd = clone(RANKERS[name]).set_params(**{**more, parameter: chosen})
        return odd.fit(X, y).predict(plain_table(5, seed=2))

    return Case(
        f"{name}.fit",
        "parameter",
        f"{parameter}={value!r:.60}",
        lambda: fit(value),
        _by_plain_value(fit, plain),
        (parameter,),
        (value,),
        shown=shown_of(value),
        state=predictions_of(ranker),
        rtol=RTOL,
    )


def _by_plain_value(run, plain):
    """Return a function for the result with a plain value, if that is taken."""

    def right():
        try:
            result = run(plain())
        except Exception as error:
            raise Meaningless(str(error)) from error
        return None if np.isnan(result).any() else result

    return right


def set_after_fit_case(rng):
    """Draw an odd parameter that is set on a fitted ranker, before its next method."""
    name = str(rng.choice(list(RANKERS)))
    methods = ["predict", "rank", "score"]
    if name == "PairwisePreferenceRanker":
        methods += ["preference_proba", "partial_fit", "predict"]
    method = str(rng.choice(methods))
    used = {
        "PairwisePreferenceRanker": "predict_dtype",
        "LevelClassifierRanker": "output",
    }
    parameter = str(rng.choice(list(RULES[name])))
    if name in used and rng.random() < 0.4:
        parameter = used[name]
    value, plain = _drawn_value(rng, RULES[name][parameter])
    ranker, X = fitted(name), plain_table()
    y = Groups.from_arrays(**plain_target(rng))

    def run(odd, chosen):
        odd.set_params(**{parameter: chosen})
        if method == "predict":
            return odd.predict(X)
        if method == "preference_proba":
            return odd.preference_proba(X, X[::-1].copy())
        if method == "partial_fit":
            return odd.partial_fit(X, y).predict(X)
        return np.asarray(getattr(odd, method)(X, y))

    def right():
        unread = parameter not in used.values() and method != "partial_fit"
        if not unread:
            return _by_plain_value(lambda v: run(fitted(name), v), plain)()
        # What is not read has no effect, odd as it may be.
        return run(fitted(name), getattr(RANKERS[name], parameter))

    return Case(
        f"{name}.{method}",
        "parameter",
        f"after fit, {parameter}={value!r:.60}",
        lambda: run(ranker, value),
        right,
        (parameter,),
        (value,),
        shown=shown_of(value),
        rtol=RTOL,
    )


def augmenter_case(rng):
    """Draw an odd parameter of PairAugmenter."""
    parameter = str(rng.choice(list(RULES["PairAugmenter"])))
    value, plain = _drawn_value(rng, RULES["PairAugmenter"][parameter])
    target = {**plain_target(rng), "clip": [0, 1] * 6}

    def augment(chosen):
        odd = PairAugmenter(**{"n_injected": 2, "random_state": 0, parameter: chosen})
        X, groups = odd.augment(plain_table(), Groups.from_arrays(**target))
        return np.column_stack([X, groups["group"], groups["preference"]])

    return Case(
        "PairAugmenter.augment",
        "parameter",
        f"{parameter}={value!r:.60}",
        lambda: augment(value),
        _by_plain_value(augment, plain),
        (parameter,),
        (value,),
        shown=shown_of(value),
    )


def head_challenge_case(rng):
    """Draw an odd argument of make_head_challenge."""
    parameter = str(rng.choice(list(RULES["make_head_challenge"])))
    value, plain = _drawn_value(rng, RULES["make_head_challenge"][parameter])

    def make(chosen):
        small = {"track": "talking", "n_systems": 2, "n_clips": 1, "random_state": 0}
        made = make_head_challenge(**{**small, parameter: chosen})
        return np.column_stack([made.data, made.groups_full["preference"]])

    return Case(
        "make_head_challenge",
        "parameter",
        f"{parameter}={value!r:.60}",
        lambda: make(value),
        _by_plain_value(make, plain),
        (parameter,),
        (value,),
        shown=shown_of(value),
    )


CASES = (
    parameter_case,
    parameter_case,
    parameter_case,
    set_after_fit_case,
    augmenter_case,
    head_challenge_case,
)
