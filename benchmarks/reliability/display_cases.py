"""Odd inputs of pictures, judged by the numbers that they draw."""

from math import exp, log

import matplotlib as mpl
import numpy as np

from benchmarks.reliability import reference, value_reference
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.metric_cases import drawn_scores
from benchmarks.reliability.structures import (
    MAY_BE_REFUSED,
    built,
    counts_in,
    drawn_form,
    drawn_structure,
    plain_target,
)
from sklearn_pscore.plotting import ReliabilityDisplay, ScorePreferenceDisplay

_OPTIONS = {
    "n_bins": [0, -1, 2.5, "2", None, True, 3, np.int64(2)],
    "n_boot": [0, 1.5, "2", True, None, 7],
    "level": [0, 1, 95, "95", True, np.nan, 0.5],
    "strategy": ["width", 3, True, "quantile"],
    "max_pairs": [0, -1, 1.5, "2", True, None, 1000],
    "random_state": [-1, "a", 1.5, 3, np.int64(3)],
}
# The values that are right, by the text that shows them.
_GOOD = {
    "n_bins": ("3", "np.int64(2)"),
    "n_boot": ("None", "7"),
    "level": ("0.5",),
    "strategy": ("'quantile'",),
    "max_pairs": ("None", "1000"),
    "random_state": ("3", "np.int64(3)"),
}


def _drawn(method, *args, **options):
    """Return a display that is drawn, its figure closed."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    try:
        return method(*args, **options)
    finally:
        plt.close("all")


def _numbers(groups, scores, **options):
    """Return the calibration error and the two ends of the curve."""
    options = {"n_boot": None, "max_pairs": None, **options}
    display = _drawn(ReliabilityDisplay.from_predictions, groups, scores, **options)
    ends = [*display.prob_pred[[0, -1]], *display.prob_true[[0, -1]]]
    return [float(value) for value in (display.error, *ends)]


def _slow_numbers(target, scores, n_bins=10):
    """Return the same by going through all pairs of rows."""
    target = reference.checked_target(target)
    scores = reference.checked_column("y_score", scores)
    n_rows = len(target["group"])
    if len(scores) != n_rows:
        raise Meaningless("the lengths differ")
    # It refuses what is not judged.
    reference.items_by_group(target, scores)
    weight = target.get("weight", [1] * n_rows)
    donor = target.get("donor", [False] * n_rows)
    rows = [row for row in range(n_rows) if weight[row] > 0 and not donor[row]]
    item = target.get("item", list(range(n_rows)))
    members = {}
    for row in rows:
        members.setdefault((target["group"][row], item[row]), []).append(row)
    pairs = []
    for a in rows:
        for b in rows:
            same = target["group"][a] == target["group"][b]
            if same and target["preference"][a] != target["preference"][b]:
                size = 0.0
                for row in (a, b):
                    of_item = members[target["group"][row], item[row]]
                    largest = max(float(weight[each]) for each in of_item)
                    shares = (float(weight[each]) / largest for each in of_item)
                    mean = sum(shares) / len(of_item)
                    size += log(largest) + log(mean) - log(len(of_item))
                # Halves: the difference of the largest numbers is finite.
                gap = float(scores[a]) / 2 - float(scores[b]) / 2
                stated = 1 / (1 + exp(-2 * min(max(gap, -300), 300)))
                won = target["preference"][a] > target["preference"][b]
                pairs.append((stated, float(won), size))
    if not pairs:
        raise Meaningless("no pairs")
    largest = max(size for *_, size in pairs)
    bins = {}
    for stated, won, size in pairs:
        share = exp(size - largest)
        number = sum(stated > edge for edge in np.linspace(0, 1, n_bins + 1)[1:-1])
        total = bins.setdefault(int(number), [0.0, 0.0, 0.0])
        for place, value in enumerate((1.0, stated, won)):
            total[place] += share * value
    whole = sum(total for total, *_ in bins.values())
    error = sum(abs(stated - won) for _, stated, won in bins.values()) / whole
    curve = [
        (bins[number][1] / bins[number][0], bins[number][2] / bins[number][0])
        for number in sorted(bins)
        if bins[number][0] > 0
    ]
    return [error, curve[0][0], curve[-1][0], curve[0][1], curve[-1][1]]


def structure_case(rng):
    """Draw a picture of probabilities of a target of odd structure."""
    structure, target = drawn_structure(rng)
    scores = drawn_scores(rng, len(target["group"]))
    return Case(
        "ReliabilityDisplay",
        "structure",
        structure,
        lambda: _numbers(built(target), scores),
        lambda: _slow_numbers(target, scores),
        ("groups", "group", "preference", "preferences", "weight", "item", "y"),
        tuple(target.values()),
        shown=(*counts_in(target), "items that count"),
        must_handle=structure not in MAY_BE_REFUSED,
        rtol=1e-6,
    )


def score_case(rng):
    """Draw a picture of scores in an odd form."""
    target = plain_target(rng)
    whole = rng.integers(0, 5, len(target["group"])).tolist()
    form, scores, meant = drawn_form(rng, "y_score", whole)
    of_pairs = bool(rng.random() < 0.5)

    def right():
        if meant is None:
            raise Meaningless(form.name)
        if of_pairs:
            return _slow_numbers(target, meant)
        return [
            value_reference.value_metric("spearman_score", target, meant),
            value_reference.value_metric("spearman_score", target, meant, within="all"),
        ]

    def call():
        if of_pairs:
            return _numbers(built(target), scores)
        display = _drawn(ScorePreferenceDisplay.from_predictions, built(target), scores)
        return list(display.correlations.values())

    return Case(
        "ReliabilityDisplay" if of_pairs else "ScorePreferenceDisplay",
        form.kind,
        form.name,
        call,
        right,
        ("y_score",),
        (scores,),
        rtol=1e-6,
    )


def option_case(rng):
    """Draw an odd option of the picture of probabilities."""
    option = str(rng.choice(list(_OPTIONS)))
    value = _OPTIONS[option][rng.integers(len(_OPTIONS[option]))]
    target = plain_target(rng)
    scores = drawn_scores(rng, len(target["group"]))

    def right():
        if repr(value) not in _GOOD[option]:
            raise Meaningless(f"{option}={value!r}")
        return True

    def call():
        options = {"n_boot": 5, "random_state": 0, option: value}
        _drawn(ReliabilityDisplay.from_predictions, built(target), scores, **options)
        return True

    return Case(
        "ReliabilityDisplay",
        "option",
        f"{option}={value!r}",
        call,
        right,
        (option,),
        (value,),
    )


CASES = (structure_case, score_case, option_case)
