"""Odd inputs of metrics of values, of leaderboards, and of comparisons of scores."""

import numpy as np
import pandas as pd
import polars as pl
from sklearn.base import clone

from benchmarks.reliability import reference, value_reference
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.metric_cases import RTOL, drawn_scores
from benchmarks.reliability.ranker_cases import plain_table
from benchmarks.reliability.structures import (
    MAY_BE_REFUSED,
    N_GROUPS,
    built,
    counts_in,
    drawn_form,
    drawn_structure,
    plain_target,
)
from sklearn_pscore import Groups, LinearPreferenceRanker, metrics
from sklearn_pscore.inspection import (
    bootstrap_leaderboard,
    compare_agreement,
    cross_fitted_scores,
)

_QUICK = {"n_boot": 5, "random_state": 0}
_OPTIONS = {
    "n_boot": [0, -1, 1.5, "2", None, True, 3, np.int64(2)],
    "level": [0, 1, 95, "95", None, True, np.nan, 0.5, np.float32(0.5)],
    "random_state": [-1, "a", 1.5, 3, np.int64(3)],
    "cluster": ["face", "preference", 3, [[1]], [1, 2], "group", "block"],
}
_COMPARISON_OPTIONS = {
    "n_permutations": [0, 1.5, "2", True, None, 7],
    "alternative": ["less", None, 1, "greater"],
    "correction": ["bonferroni", 3, None, "holm"],
    "metric": ["spearman", 3, metrics.rank_items, metrics.spearman_score],
    "depth": [3],
    "k": [0, "2", 2],
}
_NO_SCORES = {
    "None": None,
    "an array": np.zeros((12, 2)),
    "text": "scores",
    "one method": {"a": np.zeros(12)},
    "no method": {},
    "other lengths": {"a": np.zeros(12), "b": np.zeros(3)},
    "a name twice": pd.DataFrame(np.zeros((12, 2)), columns=["a", "a"]),
    "names that read alike": {1: np.zeros(12), "1": np.ones(12)},
}


def _drawn_metric(rng):
    name = str(rng.choice(value_reference.METRIC_NAMES))
    if name == "tie_calibrated_accuracy_score":
        return name, {"threshold": float(rng.choice([0.0, 0.25, 1.0]))}
    return name, {"within": str(rng.choice(["group", "all"]))}


def _called(name, groups, scores, options):
    mapping = {"mapping": None} if name == "rmse" else {}
    return getattr(metrics, name)(groups, scores, **options, **mapping)


def structure_case(rng):
    """Draw a metric of values of a target of odd structure."""
    structure, target = drawn_structure(rng)
    scores = drawn_scores(rng, len(target["group"]))
    name, options = _drawn_metric(rng)
    return Case(
        name,
        "structure",
        f"{structure}, {options}",
        lambda: _called(name, built(target), scores, options),
        lambda: value_reference.value_metric(name, target, scores, **options),
        ("groups", "group", "preference", "preferences", "weight", "item", "y"),
        tuple(target.values()),
        shown=(*counts_in(target), "items that count"),
        must_handle=structure not in MAY_BE_REFUSED,
        rtol=RTOL,
    )


def score_case(rng):
    """Draw a metric of values with scores in an odd form."""
    target, (name, options) = plain_target(rng), _drawn_metric(rng)
    whole = rng.integers(0, 12, len(target["group"])).tolist()
    form, scores, meant = drawn_form(rng, "y_score", whole)

    def right():
        if meant is None:
            raise Meaningless(form.name)
        return value_reference.value_metric(name, target, meant, **options)

    return Case(
        name,
        form.kind,
        f"{form.name}, {options}",
        lambda: _called(name, built(target), scores, options),
        right,
        ("y_score",),
        (scores,),
        rtol=1e-6,
    )


def leaderboard_case(rng):
    """Draw a leaderboard whose systems, clusters or scores are in an odd form."""
    target = plain_target(rng)
    group = target["group"]
    item = [group[:row].count(label) for row, label in enumerate(group)]
    values = {"item": item, "cluster": list(group), "y_score": target["preference"]}
    name = str(rng.choice(list(values)))
    field = "item" if name == "cluster" else name
    form, passed, meant = drawn_form(rng, field, values[name])

    def right():
        if meant is None:
            raise Meaningless(form.name)
        columns = values | {name: meant}
        clusters = reference.checked_column("group", columns["cluster"])
        if len(clusters) != len(group) or len(set(clusters)) < 2:
            raise Meaningless("no clusters")
        if len({type(label) for label in clusters}) > 1:
            raise Meaningless("clusters mix types")
        held = {}
        for label, system in zip(clusters, columns["item"], strict=True):
            held.setdefault(label, set()).add(system)
        if max(map(len, held.values())) < 2:
            raise Meaningless("each cluster holds a single system")
        means = value_reference.system_means(
            target, columns["y_score"], columns["item"]
        )
        return _rounded(means)

    def call():
        columns = values | {name: passed}
        board = bootstrap_leaderboard(built(target), **columns, **_QUICK)
        return _rounded(board.systems["mean"])

    return Case(
        "bootstrap_leaderboard",
        form.kind,
        f"{name}: {form.name}",
        call,
        right,
        (name, "systems"),
        (passed,),
        shown=("1",),
        rtol=1e-6,
    )


def _rounded(means):
    """Return means in units of the largest, without the digits of rounding."""
    means = np.asarray(means)
    largest = np.abs(means).max() or 1.0
    return [float(largest), *(np.round(means / largest, 9) + 0.0).tolist()]


def leaderboard_structure_case(rng):
    """Draw a leaderboard of a target of odd structure, each row a system of its own."""
    structure, target = drawn_structure(rng)
    n_rows = len(target["group"])
    system = (np.arange(n_rows) % 3).tolist()

    judged = target["preference"]

    def refused():
        if n_rows < 2 * N_GROUPS or all(p != p for p in judged):
            raise Meaningless("too few rows")
        return True

    def ranks_in_sets():
        board = bootstrap_leaderboard(built(target), item=system, **_QUICK)
        systems = board.systems
        low, high = systems["rank_low"], systems["rank_high"]
        return bool((low <= systems["rank"]).all() and (systems["rank"] <= high).all())

    return Case(
        "bootstrap_leaderboard",
        "structure",
        structure,
        ranks_in_sets,
        refused,
        ("groups", "group", "preference", "systems", "item", "cluster", "weight"),
        (*target.values(), system),
        shown=(*counts_in(target), "items of", "items that count"),
    )


def option_case(rng):
    """Draw an odd option of either function."""
    of_board = bool(rng.random() < 0.5)
    options = _OPTIONS if of_board else _OPTIONS | _COMPARISON_OPTIONS
    option = str(rng.choice(list(options)))
    value = options[option][rng.integers(len(options[option]))]
    target = plain_target(rng)
    item = [target["group"][:row].count(g) for row, g in enumerate(target["group"])]
    scores = {name: drawn_scores(rng, len(item)) for name in "ab"}
    quick = {**_QUICK, option: value}

    def right():
        good = {
            "n_boot": (3, np.int64(2)),
            "level": (0.5, np.float32(0.5)),
            "random_state": (3, np.int64(3)),
            "cluster": ("group", "block"),
            "n_permutations": (None, 7),
            "alternative": ("greater",),
            "correction": (None, "holm"),
            "metric": (metrics.spearman_score,),
            "k": (2,),
        }
        if not any(value is one for one in good.get(option, ())) and not (
            type(value) in (int, np.int64, float, np.float32, str)
            and value in [one for one in good.get(option, ()) if one is not None]
        ):
            raise Meaningless(f"{option}={value!r}")
        return True

    def call():
        if of_board:
            bootstrap_leaderboard(built(target), item=item, **quick)
        else:
            compare_agreement(built(target), scores, **quick)
        return True

    return Case(
        "bootstrap_leaderboard" if of_board else "compare_agreement",
        "option",
        f"{option}={value!r}",
        call,
        right,
        (option, "options", "metric"),
        (value,),
        shown=("depth", "rank_items"),
    )


def scores_case(rng):
    """Draw a comparison of scores in some kind of table, or in none."""
    target = plain_target(rng)
    scores = {name: drawn_scores(rng, len(target["group"])) for name in "ab"}
    tables = {"a dict": dict, "pandas": pd.DataFrame, "polars": pl.DataFrame}
    if rng.random() < 0.5:
        what = str(rng.choice(list(tables)))
        passed, kind = tables[what](scores), "container"
    else:
        what = str(rng.choice(list(_NO_SCORES)))
        passed, kind = _NO_SCORES[what], "target"

    def right():
        if kind == "target":
            raise Meaningless(what)
        values = [
            reference.metric_value("pairwise_accuracy_score", target, score)
            for score in scores.values()
        ]
        return sorted(values, reverse=True)

    def call():
        compared = compare_agreement(built(target), passed, n_permutations=5, **_QUICK)
        return compared.methods["value"].tolist()

    return Case(
        "compare_agreement",
        kind,
        f"scores: {what}",
        call,
        right,
        ("scores_by_method", "y_score"),
        (passed,),
        shown=("0 methods", "1 methods", "3", "names"),
        must_handle=kind == "container",
        rtol=RTOL,
    )


_FOLDS = {
    "cv": [0, 1, 2, 2.5, "2", None, True, 10**9, np.int64(2), [], [3], [([0], [1])]],
    "n_refits": [-1, 0, 1.5, "2", None, True, np.int64(1)],
    "random_state": [-1, "a", 1.5, 3],
}


def cross_fitted_case(rng):
    """Draw held-out scores of a target of odd structure, or with an odd argument."""
    options, structure, target = {}, "plain", plain_target(rng)
    if rng.random() < 0.5:
        structure, target = drawn_structure(rng)
    else:
        name = str(rng.choice(list(_FOLDS)))
        options = {name: _FOLDS[name][rng.integers(len(_FOLDS[name]))]}
    X = plain_table()[: len(target["group"])]
    ranker = LinearPreferenceRanker()

    def are_held_out():
        groups = built(target)
        passed = {"cv": 2, "n_refits": 1, "random_state": 0, **options}
        result = cross_fitted_scores(ranker, X, groups, **passed)
        judged = ~np.isnan(groups["preference"])
        fields = groups.dtype.names
        donor = groups["donor"] if "donor" in fields else np.zeros(len(X), bool)
        judged &= ~donor
        if "weight" in fields:
            judged &= groups["weight"] > 0
        for fold in set(result.fold.tolist()) - {-1}:
            own = result.fold == fold
            rows = (judged & ~own) | donor
            model = clone(ranker).fit(X[rows], Groups.whole(groups[rows]))
            scores, found = model.predict(X[own]), result.y_score[own]
            order = np.argsort(scores)
            if np.any(np.diff(found[order]) < -1e-9 * (1 + np.abs(found).max())):
                return False
        return bool(np.isfinite(result.y_score).all())

    def right():
        for value in options.values():
            if value is None or isinstance(value, (bool, str, float, list)):
                raise Meaningless(f"{options}")
            if value in (-1, 10**9) or (value < 2 and "cv" in options):
                raise Meaningless(f"{options}")
        return True

    return Case(
        "cross_fitted_scores",
        "option" if options else "structure",
        f"{structure}, {options}",
        are_held_out,
        right,
        ("groups", "group", "preference", "weight", "cv", "n_refits", "random_state"),
        (*options.values(), *target.values()),
        shown=(*counts_in(target), "judged rows", "row"),
    )


CASES = (
    structure_case,
    structure_case,
    score_case,
    leaderboard_case,
    leaderboard_structure_case,
    option_case,
    scores_case,
    cross_fitted_case,
)
