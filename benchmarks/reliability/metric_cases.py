"""Odd inputs of metrics, ranks and scorers."""

import numpy as np

from benchmarks.reliability import reference
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.structures import (
    MAY_BE_REFUSED,
    PLAIN_TARGETS,
    built,
    counts_in,
    drawn_form,
    drawn_structure,
    plain_target,
    record_forms,
    values_for,
)
from sklearn_pscore import Groups, metrics

# A sum in another order differs in the last digits.
RTOL = 1e-9
_SCORERS = {
    "reciprocal_rank_score": metrics.mrr_scorer,
    "dcg_score": metrics.dcg_scorer,
    "ndcg_score": metrics.ndcg_scorer,
    "pairwise_accuracy_score": metrics.pairwise_accuracy_scorer,
    "kendall_tau_score": metrics.kendall_tau_scorer,
}
_NUMBERS = (
    0,
    -1,
    1.0,
    2.5,
    "2",
    True,
    np.True_,
    [1],
    np.nan,
    b"1",
    1j,
    np.array([1, 2]),
)
_OPTIONS = {
    "k": [
        *_NUMBERS,
        np.float64(2),
        np.int64(2),
        np.uint8(1),
        10**30,
        2**63,
        1,
        3,
        "all",
    ],
    "gain": [
        *_NUMBERS,
        None,
        "exp",
        "",
        "RANK",
        "linear",
        "exponential",
        np.str_("rank"),
        ("rank",),
    ],
    "average": [None, 0, 1, "mean", np.bool_(False), False, [], np.array([True])],
}


_ODD_COLUMNS = (
    *(("y_score",), ("y_score",), ("preference",), ("weight",), ("item",), ("group",)),
    *(("donor",), ("y_score", "preference"), ("y_score", "weight")),
)


def drawn_scores(rng, n_rows):
    """Draw scores with ties: quarters, whose sums are exact."""
    return (rng.integers(0, 12, n_rows) / 4).tolist()


def _metric_case(name, kind, oddity, call, right, names, passed, **kwargs):
    return Case(name, kind, oddity, call, right, names, passed, rtol=RTOL, **kwargs)


def structure_case(rng):
    """Draw a metric of a target of odd structure."""
    structure, target = drawn_structure(rng)
    scores = drawn_scores(rng, len(target["group"]))
    name, options = _drawn_metric(rng)
    metric = getattr(metrics, name)

    def call():
        value = metric(built(target), scores, **options)
        return value if options["average"] else value.tolist()

    return _metric_case(
        name,
        "structure",
        f"{structure}, {options}",
        call,
        lambda: reference.metric_value(name, target, scores, **options),
        ("groups", "group", "preference", "weight", "item", "y", "preferences"),
        tuple(target.values()),
        shown=counts_in(target),
        must_handle=structure not in MAY_BE_REFUSED,
    )


def _drawn_metric(rng):
    name = str(rng.choice(reference.METRIC_NAMES))
    options = {
        "k": [None, None, 1, 2, 10**30][rng.integers(5)],
        "average": bool(rng.random() < 0.7),
    }
    if name in ("dcg_score", "ndcg_score"):
        options["gain"] = str(rng.choice(["rank", "rank", "linear", "exponential"]))
    return name, options


def column_case(rng):
    """Draw a metric with one odd column of the target, odd scores, or both."""
    target, (name, options) = plain_target(rng), _drawn_metric(rng)
    passed, meant, forms = dict(target), dict(target), []
    scores = score_meaning = drawn_scores(rng, len(target["group"]))
    odd = _ODD_COLUMNS[rng.integers(len(_ODD_COLUMNS))]
    for field in odd:
        if field == "y_score":
            whole = [int(4 * score) for score in scores]
            form, scores, score_meaning = drawn_form(rng, field, whole)
        else:
            values = values_for(field, target, rng)
            form, passed[field], meant[field] = drawn_form(rng, field, values)
        forms.append((field, form))

    def right():
        if score_meaning is None or any(column is None for column in meant.values()):
            raise Meaningless("a column has no meaning")
        return reference.metric_value(name, meant, score_meaning, **options)

    def call():
        value = getattr(metrics, name)(Groups.from_arrays(**passed), scores, **options)
        return value if options["average"] else value.tolist()

    return _metric_case(
        name,
        forms[0][1].kind if len(forms) == 1 else "two at once",
        ", ".join(f"{field}: {form.name}" for field, form in forms) + f", {options}",
        call,
        right,
        (*odd, "groups", "y", "group", "preferences"),
        (scores, *(passed[field] for field in odd if field != "y_score")),
        # Where odd donors or weights leave few of the rows, an error counts these.
        shown=(*counts_in(target), "items in"),
    )


def plain_target_case(rng):
    """Draw a metric of a plain target: preferences of one group, in an odd form."""
    name, options = _drawn_metric(rng)
    values = [0, 1, 2, 3, *rng.integers(0, 4, 6).tolist()]
    scores = drawn_scores(rng, len(values))
    if rng.random() < 0.3:
        what = str(rng.choice(list(PLAIN_TARGETS)))
        kind, passed, meant = "target", PLAIN_TARGETS[what](values), None
    else:
        form, passed, meant = drawn_form(rng, "preference", values)
        what, kind = form.name, form.kind

    def right():
        if meant is None or any(value != value for value in meant):
            raise Meaningless("no preferences")
        target = {"group": [0] * len(meant), "preference": meant}
        return reference.metric_value(name, target, scores, **options)

    def call():
        value = getattr(metrics, name)(passed, scores, **options)
        return value if options["average"] else value.tolist()

    return _metric_case(
        name,
        kind,
        f"plain target: {what}, {options}",
        call,
        right,
        ("groups", "y", "preference", "y_score"),
        (passed, scores),
    )


def record_case(rng):
    """Draw a metric of a target whose records were stored in another way."""
    target, (name, options) = plain_target(rng), _drawn_metric(rng)
    scores = drawn_scores(rng, len(target["group"]))
    forms = record_forms(target)
    what = str(rng.choice(list(forms)))
    passed = forms[what]
    has_meaning = what not in ("one record masked", "bytes groups")

    def right():
        if not has_meaning:
            raise Meaningless(what)
        return reference.metric_value(name, target, scores, **options)

    def call():
        value = getattr(metrics, name)(passed, scores, **options)
        return value if options["average"] else value.tolist()

    return _metric_case(
        name,
        "container",
        f"target: {what}",
        call,
        right,
        ("groups", "group", "preference", "weight"),
        (passed,),
        must_handle=what not in ("objects", "text groups"),
    )


def option_case(rng):
    """Draw a metric, or a scorer, with an odd option."""
    target, name = plain_target(rng), str(rng.choice(reference.METRIC_NAMES))
    scores = drawn_scores(rng, len(target["group"]))
    option = str(
        rng.choice(["k", "average", "gain"] if "dcg" in name else ["k", "average"])
    )
    value = _OPTIONS[option][rng.integers(len(_OPTIONS[option]))]
    as_scorer = bool(rng.random() < 0.4)

    def right():
        plain = _plain_option(option, value)
        if as_scorer and option == "average" and not plain:
            raise Meaningless("a scorer returns one number")
        return reference.metric_value(name, target, scores, **{option: plain})

    def call():
        metric, groups = getattr(metrics, name), built(target)
        if as_scorer:
            scorer = metrics.make_ranking_scorer(metric, **{option: value})
            return scorer(_Scores(scores), np.zeros((len(scores), 1)), groups)
        result = metric(groups, scores, **{option: value})
        return result.tolist() if isinstance(result, np.ndarray) else result

    return _metric_case(
        "make_ranking_scorer" if as_scorer else name,
        "option",
        f"{option}={value!r}",
        call,
        right,
        (option, "options"),
        (value,),
    )


def _plain_option(option, value):
    """Return an option as its plain type; raise Meaningless if it is none."""
    is_bool = isinstance(value, (bool, np.bool_))
    if option == "average" and is_bool:
        return bool(value)
    is_gain = isinstance(value, str) and value in ("rank", "linear", "exponential")
    if option == "gain" and is_gain:
        return str(value)
    is_count = isinstance(value, (int, np.integer)) and not is_bool
    if option == "k" and is_count and value >= 1:
        return int(value)
    raise Meaningless(f"{option}={value!r}")


class _Scores:
    """An estimator that predicts given scores."""

    def __init__(self, scores):
        self.scores = scores

    def predict(self, X):
        return self.scores


def scorer_case(rng):
    """Draw a scorer of an estimator whose predictions are odd."""
    target, name = plain_target(rng), str(rng.choice(reference.METRIC_NAMES))
    whole = rng.integers(0, 12, len(target["group"])).tolist()
    form, scores, meant = drawn_form(rng, "y_score", whole)
    X = np.zeros((len(whole), 1))

    def right():
        if meant is None:
            raise Meaningless(form.name)
        return reference.metric_value(name, target, meant)

    return _metric_case(
        "scorers",
        form.kind,
        f"{name}, prediction: {form.name}",
        lambda: _SCORERS[name](_Scores(scores), X, built(target)),
        right,
        ("y_score",),
        (scores,),
    )


def rank_items_case(rng):
    """Draw ranks of odd scores, or of a target of odd structure."""
    if rng.random() < 0.5:
        what, target = drawn_structure(rng)
        scores = meant = drawn_scores(rng, len(target["group"]))
        kind, names = "structure", ("groups", "item", "preference", "weight")
        passed = tuple(target.values())
    else:
        target = plain_target(rng)
        whole = rng.integers(0, 12, len(target["group"])).tolist()
        form, scores, meant = drawn_form(rng, "y_score", whole)
        what, kind, names = form.name, form.kind, ("y_score",)
        passed = (scores,)

    def right():
        if meant is None:
            raise Meaningless(what)
        return reference.ranks(target, meant)

    return _metric_case(
        "rank_items",
        kind,
        what,
        lambda: metrics.rank_items(built(target), scores).tolist(),
        right,
        names,
        passed,
    )


CASES = (
    structure_case,
    structure_case,
    column_case,
    column_case,
    plain_target_case,
    record_case,
    option_case,
    scorer_case,
    rank_items_case,
)
