"""Odd inputs of votes: the target, fits, strengths, metrics, and annotators."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from scipy.optimize import minimize
from scipy.special import expit

from benchmarks.reliability import reference
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.structures import drawn_form
from sklearn_pscore import BradleyTerryRanker, Groups, LinearPreferenceRanker, metrics
from sklearn_pscore._target.check import check_groups
from sklearn_pscore.inspection import (
    annotator_report,
    compare_agreement,
    strength_leaderboard,
    vote_calibration,
)

_ITEMS = {"prompt": [0, 0, 0, 1, 1, 1], "system": [4, 5, 6, 4, 5, 6]}
_TABLES = {
    "a dict": dict,
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "Arrow": pa.table,
}
_NO_TABLES = {
    "None": None,
    "text": "votes.csv",
    "a number": 3,
    "a list": [1.0, 2.0],
    "an array": np.ones((5, 2)),
    "an empty dict": {},
    "a dict without a column": {"prompt": [0], "left": [4]},
    "no rows": {"prompt": [], "left": [], "right": [], "winner": []},
}
_OPTIONS = {
    "missing": ("nan", None, 1, True, ["raise"]),
    "on": (3, None, "clip", [], {"prompt"}),
    "item": (None, 3, "name"),
    "order": (None, 1, "yes"),
    "outcomes": ([], "left", {"a": "up"}, {0: 1}),
    "block": (3.5, "face"),
    "weight": (1.0, "w"),
}
# What a column of outcomes may hold, and what each is worth to the left item.
_WORDS = {
    "words": {1.0: "left", 0.5: "tie", 0.0: "right"},
    "words of arenas": {1.0: "model_a", 0.5: "tie (bothbad)", 0.0: "model_b"},
    "capitals": {1.0: "LEFT", 0.5: "Draw", 0.0: "Right"},
    "numbers": {1.0: 1.0, 0.5: 0.5, 0.0: 0.0},
}
_NO_OUTCOMES = {
    "None": None,
    "NaN": math.nan,
    "an unknown word": "first",
    "an item that is no side": 7,
    "a number between": 0.25,
    "infinity": math.inf,
    "a list": [1],
    "a date": np.datetime64("2020-01-01"),
    "pandas.NA": pd.NA,
}
_COSTS = {
    "pairwise_log_loss": lambda d: math.log1p(math.exp(-d)),
    "pairwise_brier_score": lambda d: (1 - 1 / (1 + math.exp(-d))) ** 2,
    "pairwise_accuracy_score": lambda d: 1.0 if d > 0 else 0.5 if d == 0 else 0.0,
    "tie_calibrated_accuracy_score": None,
}
"""What a win costs, or is worth, at a difference d of two scores."""

_VALUE_RTOL = 1e-9
# Of strengths and fits, which an optimiser found.
_FIT_RTOL = 1e-4


def _pick(rng, choices):
    name = list(choices)[rng.integers(len(choices))]
    return name, choices[name]


def _drawn_votes(rng, n=14):
    """Draw columns of votes, each item in one at least, worth 1, .5 or 0 to the left."""
    prompt = [0, 0, 1, 1, *rng.integers(0, 2, n - 4).tolist()]
    left = [4, 5, 4, 5, *rng.integers(4, 7, n - 4).tolist()]
    gap = [1, 1, 1, 1, *rng.integers(1, 3, n - 4).tolist()]
    right = [4 + (a - 4 + step) % 3 for a, step in zip(left, gap, strict=True)]
    winner = rng.choice([0.0, 0.5, 1.0], n, p=[0.3, 0.2, 0.5]).tolist()
    winner[0] = 1.0
    return {"prompt": prompt, "left": left, "right": right, "winner": winner}


def _counts(votes, weight=None):
    """Return wins, losses and ties by the rows of a pair, vote by vote."""
    checks = {"prompt": "group", "left": "item", "right": "item"}
    columns = {
        name: reference.checked_column(field, votes[name])
        for name, field in checks.items()
    }
    weight = [1.0] * len(votes["winner"]) if weight is None else weight
    if (
        len({len(column) for column in (*columns.values(), votes["winner"], weight)})
        > 1
    ):
        raise Meaningless("the lengths differ")
    row_of = {key: row for row, key in enumerate(zip(*_ITEMS.values(), strict=True))}
    sums = {}
    for prompt, left, right, winner, amount in zip(
        *columns.values(), votes["winner"], weight, strict=True
    ):
        if left == right or not {(prompt, left), (prompt, right)} <= set(row_of):
            raise Meaningless("an item against itself, or an unknown one")
        first, second = row_of[prompt, left], row_of[prompt, right]
        if first > second:
            first, second, winner = second, first, 1.0 - winner
        result = {1.0: 0, 0.0: 1, 0.5: 2}[winner]
        if amount > 0:
            sums.setdefault((first, second), [0.0] * 3)[result] += float(amount)
    if not sums:
        raise Meaningless("no vote counts")
    return sums


def _stored(groups):
    """Return the same of a target."""
    votes = check_groups(groups, require_preference=False).votes
    sums = {}
    for first, second, *counts in zip(
        *(votes.first, votes.second, votes.wins, votes.losses, votes.ties), strict=True
    ):
        key = int(min(first, second)), int(max(first, second))
        if first > second:
            counts = [counts[1], counts[0], counts[2]]
        sums[key] = [float(count) for count in counts]
    return sums


def column_case(rng):
    """Draw votes with a column in an odd form."""
    votes = _drawn_votes(rng)
    name = str(rng.choice(["prompt", "left", "right", "weight"]))
    field = {"prompt": "group", "weight": "weight"}.get(name, "item")
    columns = votes | {"weight": rng.integers(0, 4, len(votes["left"])).tolist()}
    form, passed, meant = drawn_form(rng, field, columns[name])
    options = {"weight": "weight"} if name == "weight" else {}

    def right():
        if meant is None or not len(meant):
            raise Meaningless(form.name)
        if name != "weight":
            return _counts(votes | {name: meant})
        weight = reference.checked_column("weight", meant)
        if any(w > 0 and not 1e-9 <= w <= 1e9 for w in weight):
            raise Meaningless("beyond what sums can hold")
        return _counts(votes, weight)

    return Case(
        "Groups.from_votes",
        form.kind,
        f"{name}: {form.name}",
        lambda: _stored(Groups.from_votes(columns | {name: passed}, _ITEMS, **options)),
        right,
        (name, "votes", "left", "item"),
        (passed,),
        shown=("0", "14", "item 4", "item 5", "item 6"),
        rtol=_VALUE_RTOL,
    )


def outcome_case(rng):
    """Draw votes whose outcomes are written in some way, one of them perhaps in none."""
    votes = _drawn_votes(rng)
    name, words = _pick(rng, _WORDS)
    written = [words[value] for value in votes["winner"]]
    is_wrong = rng.random() < 0.5
    wrong = None
    if is_wrong:
        name, wrong = _pick(rng, _NO_OUTCOMES)
        written[3] = wrong
    table = str(rng.choice(["a list", "pandas"]))
    if table == "pandas":
        written = pd.Series(written, dtype=object if is_wrong else None)

    def right():
        if is_wrong:
            raise Meaningless(name)
        return _counts(votes)

    return Case(
        "Groups.from_votes",
        "values",
        f"winner: {name}, {table}",
        lambda: _stored(Groups.from_votes(votes | {"winner": written}, _ITEMS)),
        right,
        ("winner",),
        (wrong,),
        shown=("3", "14", "nan", "None", "int", "list", "object", "2020-01-01", "<NA>"),
        must_handle=not is_wrong,
        rtol=_VALUE_RTOL,
    )


def table_case(rng):
    """Draw votes in some kind of table, or none."""
    votes = _drawn_votes(rng)
    is_table = rng.random() < 0.5
    if is_table:
        name, make = _pick(rng, _TABLES)
        passed = make(votes)
    else:
        name, passed = _pick(rng, _NO_TABLES)

    def right():
        if not is_table:
            raise Meaningless(name)
        return _counts(votes)

    return Case(
        "Groups.from_votes",
        "container" if is_table else "target",
        f"votes: {name}",
        lambda: _stored(Groups.from_votes(passed, _ITEMS)),
        right,
        ("votes", "prompt", "on", "left", "winner"),
        (passed,),
        shown=("[]", "empty"),
        must_handle=is_table,
        rtol=_VALUE_RTOL,
    )


def option_case(rng):
    """Draw an option that is none."""
    name, values = _pick(rng, _OPTIONS)
    value = values[rng.integers(len(values))]
    votes = _drawn_votes(rng)

    def right():
        raise Meaningless(f"{name}={value!r}")

    return Case(
        "Groups.from_votes",
        "option",
        f"{name}={value!r}",
        lambda: Groups.from_votes(votes, _ITEMS, **{name: value}),
        right,
        (name, "winner", "outcomes"),
        (value,),
        shown=("float", "int", repr(value), "'up'", "1", "0", "list", "str"),
    )


def _odd_target(rng):
    """Draw a target of votes some of whose rows are twice, gone, or of no weight.

    Returns
    -------
    structure : str
    groups : structured ndarray
    rows : list of int
        Number of the row of each.
    sums : dict
        See :func:`_counts`.
    weight : list of float
    """
    votes = _drawn_votes(rng, 30)
    groups = Groups.from_votes(votes, _ITEMS)
    rows = {
        "all rows": list(range(6)),
        "shuffled": rng.permutation(6).tolist(),
        "a row twice": [0, 1, 2, 3, 4, 5, 0],
        "rows left out": [0, 1, 2, 3, 5],
        "one group": [2, 0, 1],
    }
    structure, taken = _pick(rng, rows)
    weight = [1.0] * len(taken)
    groups = Groups.whole(groups[taken])
    if rng.random() < 0.4:
        weight = rng.integers(0, 3, len(taken)).astype(float).tolist()
        structure += f", weights {weight}"
        fields = [(name, groups.dtype[name]) for name in groups.dtype.names]
        weighed = np.empty(len(groups), dtype=[*fields, ("weight", float)])
        for name in groups.dtype.names:
            weighed[name] = groups[name]
        weighed["weight"] = weight
        groups = weighed
    return structure, groups, taken, _counts(votes), weight


def _pairs(rows, sums, weight):
    """Return (place, place, wins, losses, ties) of the pairs that count."""
    pairs = []
    for i, first in enumerate(rows):
        for j, second in enumerate(rows):
            factor = weight[i] * weight[j]
            if (first, second) in sums and factor > 0:
                pairs.append((i, j, *(factor * n for n in sums[first, second])))
    return pairs


def metric_case(rng):
    """Draw a metric of probabilities, or of the order, of a target of votes."""
    structure, groups, rows, sums, weight = _odd_target(rng)
    score = rng.normal(size=len(rows)).round(int(rng.integers(0, 3))).tolist()
    name = str(rng.choice(list(_COSTS)))
    ties = str(rng.choice(["drop", "half"]))
    options = {"ties": ties}
    if name == "tie_calibrated_accuracy_score":
        ties, options = "half", {"threshold": 0.25}
    cost = _COSTS[name]

    def right():
        total = value = 0.0
        for i, j, wins, losses, tied in _pairs(rows, sums, weight):
            half = tied / 2 if ties == "half" else 0.0
            d = score[i] - score[j]
            if "threshold" in options and abs(d) <= 0.25:
                value += tied
            elif "threshold" in options:
                value += wins if d > 0 else losses
            else:
                value += (wins + half) * cost(d) + (losses + half) * cost(-d)
            total += wins + losses + 2 * half
        if not total:
            raise Meaningless("no vote counts")
        return value / total

    return Case(
        name,
        "structure",
        f"votes: {structure}, {options}",
        lambda: getattr(metrics, name)(groups, score, **options),
        right,
        ("votes", "groups"),
        (groups,),
        shown=("1", "2"),
        must_handle=True,
        rtol=_VALUE_RTOL,
    )


def agreement_case(rng):
    """Draw a comparison of two scores on a target of votes."""
    structure, groups, rows, sums, weight = _odd_target(rng)
    name = str(rng.choice([name for name, cost in _COSTS.items() if cost]))
    # A row that is there twice is one item, of one score.
    by_row = rng.normal(size=(2, 6)).round(int(rng.integers(0, 3)))
    scores = dict(zip("ab", by_row[:, rows].tolist(), strict=True))

    def right():
        values = []
        for score in scores.values():
            total = value = 0.0
            for i, j, wins, losses, _ in _pairs(rows, sums, weight):
                d = score[i] - score[j]
                value += wins * _COSTS[name](d) + losses * _COSTS[name](-d)
                total += wins + losses
            if not total:
                raise Meaningless("no vote counts")
            values.append(value / total)
        return sorted(values, reverse=name == "pairwise_accuracy_score")

    def call():
        compared = compare_agreement(
            groups,
            scores,
            metric=getattr(metrics, name),
            n_boot=5,
            n_permutations=5,
            random_state=0,
        )
        return compared.methods["value"].tolist()

    return Case(
        "compare_agreement",
        "structure",
        f"votes: {structure}, {name}",
        call,
        right,
        ("votes", "groups", "items", name),
        (groups,),
        shown=("pairs with votes", "in one group"),
        rtol=_VALUE_RTOL,
    )


def calibration_case(rng):
    """Draw the slope of the votes' log odds on the differences of odd scores."""
    structure, groups, rows, sums, weight = _odd_target(rng)
    score = rng.normal(size=len(rows)).round(int(rng.integers(0, 2))).tolist()

    def right():
        votes = [
            (score[i] - score[j], wins, losses)
            for i, j, wins, losses, _ in _pairs(rows, sums, weight)
            if wins + losses
        ]
        rising = any((d > 0 and w) or (d < 0 and v) for d, w, v in votes)
        falling = any((d < 0 and w) or (d > 0 and v) for d, w, v in votes)
        if not rising or not falling:
            raise Meaningless("no slope is steep enough, or there is none")

        def objective(slope):
            return sum(
                w * np.logaddexp(0, -d * slope[0]) + v * np.logaddexp(0, d * slope[0])
                for d, w, v in votes
            )

        return [
            float(_minimum(objective, 1)[0]),
            float(sum(w + v for _, w, v in votes)),
        ]

    def call():
        found = vote_calibration(groups, score)
        return [found.slope, found.n_votes]

    return Case(
        "vote_calibration",
        "structure",
        f"votes: {structure}, scores {score}",
        call,
        right,
        ("votes", "y_score", "groups"),
        (groups,),
        shown=tuple(map(str, range(13))),
        must_handle=True,
        rtol=_FIT_RTOL,
    )


def _minimum(objective, n):
    found = minimize(objective, np.zeros(n), method="BFGS", options={"gtol": 1e-9})
    return found.x


def linear_case(rng):
    """Draw a linear fit to an odd target of votes."""
    structure, groups, rows, sums, weight = _odd_target(rng)
    X = rng.normal(size=(6, 2)).round(2)[rows]
    ties = str(rng.choice(["ignore", "half"]))

    def right():
        pairs = _pairs(rows, sums, weight)
        share = float(ties == "half")
        total = sum(w + v + share * t for _, _, w, v, t in pairs)
        if not total:
            raise Meaningless("nothing was decided")
        scale = X[np.array(weight) > 0].std(axis=0)
        scale[scale < 1e-9] = 1.0
        # C counts votes, however their mean is weighed.
        counts = [sums[rows[i], rows[j]] for i, j, *_ in pairs]
        n_votes = sum(w + v + share * t for w, v, t in counts)

        def objective(v):
            loss = 0.0
            for i, j, wins, losses, tied in pairs:
                d = (X[i] - X[j]) / scale @ v
                loss += (wins + share * tied / 2) * np.logaddexp(0, -d)
                loss += (losses + share * tied / 2) * np.logaddexp(0, d)
            return v @ v / 2 + n_votes * loss / total

        return _minimum(objective, 2) / scale

    return Case(
        "LinearPreferenceRanker.fit",
        "structure",
        f"votes: {structure}, ties={ties!r}",
        lambda: LinearPreferenceRanker(C=1.0, ties=ties).fit(X, groups).coef_,
        right,
        ("votes", "weight", "X", "groups"),
        (groups,),
        shown=("0", "1", "2", "6", "7", "3", "5"),
        rtol=_FIT_RTOL,
    )


def strength_case(rng):
    """Draw the strengths of systems in an odd target of votes."""
    structure, groups, rows, sums, weight = _odd_target(rng)
    X = np.zeros((len(rows), 1))
    ties = str(rng.choice(["half", "davidson"]))
    l2 = float(rng.choice([0.1, 1.0]))
    is_board = rng.random() < 0.3

    def right():
        pairs = _pairs(rows, sums, weight)
        system = [_ITEMS["system"][row] for row in rows]
        names = sorted({system[i] for pair in pairs for i in pair[:2]})
        if not pairs or (
            ties == "davidson" and not any(w + v for _, _, w, v, _ in pairs)
        ):
            raise Meaningless("nothing was decided")
        has_nu = ties == "davidson" and any(t for *_, t in pairs)
        place = {name: k for k, name in enumerate(names)}

        def objective(theta):
            loss = l2 / 2 * np.sum(theta[: len(names)] ** 2)
            for i, j, wins, losses, tied in pairs:
                d = theta[place[system[i]]] - theta[place[system[j]]]
                if has_nu:
                    total = np.log(np.exp(d / 2) + np.exp(-d / 2) + np.exp(theta[-1]))
                    loss -= (wins - losses) * d / 2 + tied * theta[-1]
                    loss += (wins + losses + tied) * total
                else:
                    loss -= (wins + tied / 2) * np.log(expit(d))
                    loss -= (losses + tied / 2) * np.log(expit(-d))
            return loss

        found = _minimum(objective, len(names) + has_nu)[: len(names)]
        return dict(zip(names, (found - found.mean()).tolist(), strict=True))

    def call():
        ranker = BradleyTerryRanker(ties=ties, l2=l2).fit(X, groups)
        if not is_board:
            names, strength = ranker.items_, ranker.strength_
        else:
            systems = strength_leaderboard(ranker, n_boot=20, random_state=0).systems
            names, strength = systems["item"], systems["mean"]
        return dict(sorted(zip(names.tolist(), strength.tolist(), strict=True)))

    return Case(
        "strength_leaderboard" if is_board else "BradleyTerryRanker.fit",
        "structure",
        f"votes: {structure}, ties={ties!r}, l2={l2}",
        call,
        right,
        ("vote", "votes", "weight", "weights"),
        (groups,),
        shown=("1", "2", "3"),
        must_handle=True,
        rtol=_FIT_RTOL,
    )


def annotator_case(rng):
    """Draw a report on annotators, one of whom may have no name."""
    votes = _drawn_votes(rng, 30)
    people = rng.choice(["Ann", "Bo", "Cy"], 30).tolist()
    form, passed, meant = "as drawn", people, people
    if rng.random() < 0.4:
        form, passed, meant = drawn_form(rng, "group", [7 + len(p) for p in people])
        form = form.name
    score = rng.normal(size=6).round(1).tolist()

    def right():
        if meant is None or not len(meant):
            raise Meaningless(form)
        names = reference.checked_column("group", meant)
        if len(names) != 30 or len({type(name) for name in names}) > 1:
            raise Meaningless("the lengths differ, or types are mixed")
        row_of = {
            key: row for row, key in enumerate(zip(*_ITEMS.values(), strict=True))
        }
        report = {}
        for name in sorted(set(names)):
            own = [k for k in range(30) if names[k] == name]
            decided = [k for k in own if votes["winner"][k] != 0.5]
            right = total = 0
            for k in decided:
                rows = [
                    row_of[votes["prompt"][k], votes[s][k]] for s in ("left", "right")
                ]
                gap = score[rows[0]] - score[rows[1]]
                total += gap != 0
                right += gap != 0 and (gap > 0) == (votes["winner"][k] == 1.0)
            left = sum(votes["winner"][k] == 1.0 for k in decided)
            report[name] = [
                float(len(own)),
                1 - len(decided) / len(own),
                right / total if total else math.nan,
                left / len(decided) if decided else math.nan,
            ]
        return report

    def call():
        table = votes | {"annotator": passed}
        report = annotator_report(table, _ITEMS, score)
        columns = ["n_votes", "tie_share", "score_agreement", "left_share"]
        values = report[columns].to_numpy(dtype=float).tolist()
        return dict(zip(report["annotator"].tolist(), values, strict=True))

    return Case(
        "annotator_report",
        "form",
        f"annotator: {form}",
        call,
        right,
        ("annotator", "votes"),
        (passed,),
        shown=("0", "30"),
        rtol=_VALUE_RTOL,
    )


CASES = (
    column_case,
    column_case,
    outcome_case,
    table_case,
    option_case,
    metric_case,
    agreement_case,
    metric_case,
    calibration_case,
    linear_case,
    strength_case,
    annotator_case,
)
