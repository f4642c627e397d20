"""The metrics again, slowly: plain Python on plain values, straight from the pages.

A target is a dict of lists: "group" and "preference", and of "item", "weight" and
"donor" what there is. The definitions are those of docs/conventions.md.
"""

from fractions import Fraction
from itertools import combinations
from math import expm1, isfinite, isnan, log, log2, sqrt

from benchmarks.reliability.case import Meaningless


def checked_column(field, values):
    """Return plain values of a field; raise Meaningless if they cannot be."""
    return [_CHECKS[field](value) for value in values]


def _label(value):
    if isinstance(value, float) and not (isfinite(value) and value == int(value)):
        raise Meaningless(f"{value} is no label")
    if isinstance(value, (float, int)):
        if not -(2**63) <= value < 2**63:
            raise Meaningless(f"{value} has more than 64 bits")
        return int(value)
    return value


def _preference(value):
    if isinstance(value, int) and value > 10**308 or abs(value) == float("inf"):
        raise Meaningless(f"{value} is no preference")
    return value


def _finite(value):
    if not abs(value) < 10**309 or isnan(value):
        raise Meaningless(f"{value} is not finite")
    return value


def _weight(value):
    if _finite(value) < 0:
        raise Meaningless(f"{value} is no weight")
    return value


def _flag(value):
    if value not in (0, 1):
        raise Meaningless(f"{value} is no flag")
    return bool(value)


def _clip(value):
    if not isinstance(value, (float, int)):
        raise Meaningless(f"{value} is no clip")
    return _label(value)


_CHECKS = {
    "group": _label,
    "item": _label,
    "block": _label,
    "preference": _preference,
    "weight": _weight,
    "donor": _flag,
    "winner": _flag,
    "clip": _clip,
    "y_score": _finite,
}


def checked_target(target):
    """Return a target with plain values; raise Meaningless if it cannot be one."""
    target = {field: checked_column(field, column) for field, column in target.items()}
    if len({len(column) for column in target.values()}) > 1:
        raise Meaningless("the lengths differ")
    for field in ("group", "item", "block"):
        if len({type(value) for value in target.get(field, ())}) > 1:
            raise Meaningless(f"{field} mixes types")
    if "item" in target:
        seen = {}
        rows = zip(target["group"], target["item"], target["preference"], strict=True)
        for group, item, preference in rows:
            known = seen.setdefault((group, item), preference)
            if known != preference and not (isnan(known) and isnan(preference)):
                raise Meaningless("rows of one item disagree")
    if "block" in target:
        pairs = set(zip(target["group"], target["block"], strict=True))
        if len(pairs) > len(set(target["group"])):
            raise Meaningless("a group is in two blocks")
    return target


def items_by_group(target, scores):
    """Return [preference, weight, score] of the items that count, by group."""
    n_rows = len(target["group"])
    weight = target.get("weight", [1] * n_rows)
    donor = target.get("donor", [False] * n_rows)
    item = target.get("item", range(n_rows))
    rows = {}
    for row in range(n_rows):
        if weight[row] > 0 and not donor[row]:
            if isnan(target["preference"][row]):
                raise Meaningless("a row that counts is not judged")
            rows.setdefault(target["group"][row], {}).setdefault(item[row], []).append(
                row
            )
    return {
        label: [
            [
                target["preference"][members[0]],
                _mean([weight[row] for row in members]),
                _mean([scores[row] for row in members]),
            ]
            for members in group.values()
        ]
        for label, group in rows.items()
    }


def _mean(values):
    return Fraction(sum(map(Fraction, values)), len(values))


def metric_value(name, target, scores, *, k=None, gain="rank", average=True):
    """Return a metric by its definition; raise Meaningless if it has none."""
    target = checked_target(target)
    scores = checked_column("y_score", scores)
    if len(scores) != len(target["group"]):
        raise Meaningless("the lengths differ")
    groups = items_by_group(target, scores)
    k = float("inf") if k is None else k
    if gain != "rank" and any(
        item[0] < 0 for items in groups.values() for item in items
    ):
        raise Meaningless("a gain is negative")
    values, weights = {}, {}
    for label, items in groups.items():
        if len({preference for preference, *_ in items}) > 1:
            values[label] = _finite(_METRICS[name](items, k, gain))
            weights[label] = _mean([weight for _, weight, _ in items])
    if not values:
        raise Meaningless("no group has two items of different preference")
    if not average:
        labels = sorted(set(target["group"]))
        return [float(values.get(label, "nan")) for label in labels]
    if name in ("pairwise_accuracy_score", "kendall_tau_score"):
        return float(sum(values.values()) / len(values))
    total = sum(weights[label] * Fraction(value) for label, value in values.items())
    return float(total / sum(weights.values()))


def _runs(items):
    """Return the items in runs of one score, best first."""
    scores = sorted({score for *_, score in items}, reverse=True)
    return [[item for item in items if item[2] == score] for score in scores]


def _reciprocal_rank(items, k, gain):
    best = max(preference for preference, *_ in items)
    n_above = 0
    for run in _runs(items):
        n, n_relevant = len(run), sum(item[0] == best for item in run)
        if n_relevant:
            break
        n_above += n
    expected, none_yet = Fraction(0), Fraction(1)
    for i in range(1, n - n_relevant + 2):
        here = Fraction(n_relevant, n - i + 1)
        if n_above + i <= k:
            expected += none_yet * here / (n_above + i)
        none_yet *= 1 - here
    return expected


def _gain(item, items, gain):
    if gain == "linear":
        return float(item[0])
    if gain == "exponential":
        # Not 2**p - 1, which has no correct digit where p is tiny.
        return expm1(float(item[0]) * log(2)) if item[0] < 1024 else float("inf")
    below = sum(other[0] < item[0] for other in items)
    return below + (1 + sum(other[0] == item[0] for other in items)) / 2


def _dcg(items, k, gain):
    total, rank = 0.0, 0
    for run in _runs(items):
        mean_gain = sum(_gain(item, items, gain) for item in run) / len(run)
        for _ in run:
            rank += 1
            total += mean_gain / log2(1 + rank) if rank <= k else 0.0
    return total


def _ndcg(items, k, gain):
    perfect = [[preference, weight, preference] for preference, weight, _ in items]
    return _dcg(items, k, gain) / _dcg(perfect, k, gain)


def _weighted_pairs(items, k):
    """Yield weight, difference in preference and in score of the pairs that count."""
    for a, b in combinations(items, 2):
        n_above = min(sum(other[0] > item[0] for other in items) for item in (a, b))
        if n_above < k:
            yield a[1] * b[1], Fraction(a[0]) - Fraction(b[0]), a[2] - b[2]


def _accuracy(items, k, gain):
    right, total = Fraction(0), Fraction(0)
    for weight, preference, score in _weighted_pairs(items, k):
        if preference:
            total += weight
            right += weight * _one_if(preference * score > 0)
            right += weight * _one_if(score == 0) / 2
    return right / total


def _one_if(condition):
    return Fraction(int(condition))


def _kendall_tau(items, k, gain):
    pairs = list(_weighted_pairs(items, k))
    ordered = sum(weight for weight, _, score in pairs if score)
    decided = sum(weight for weight, preference, _ in pairs if preference)
    balance = sum(
        weight if preference * score > 0 else -weight
        for weight, preference, score in pairs
        if preference * score
    )
    if not ordered:
        return 0.0
    size = sqrt(Fraction(balance) ** 2 / (ordered * decided))
    return size if balance > 0 else -size


_METRICS = {
    "reciprocal_rank_score": _reciprocal_rank,
    "dcg_score": _dcg,
    "ndcg_score": _ndcg,
    "pairwise_accuracy_score": _accuracy,
    "kendall_tau_score": _kendall_tau,
}
METRIC_NAMES = tuple(_METRICS)


def ranks(target, scores):
    """Return the rank of each row's item in its group, NaN for donors."""
    target = checked_target(target)
    scores = checked_column("y_score", scores)
    n_rows = len(target["group"])
    if len(scores) != n_rows:
        raise Meaningless("the lengths differ")
    donor = target.get("donor", [False] * n_rows)
    keys = list(zip(target["group"], target.get("item", range(n_rows)), strict=True))
    means = {}
    for key in set(keys):
        rows = [row for row in range(n_rows) if keys[row] == key and not donor[row]]
        if rows:
            means[key] = _mean([scores[row] for row in rows])
    result = []
    for row, key in enumerate(keys):
        others = [mean for other, mean in means.items() if other[0] == key[0]]
        if donor[row]:
            result.append(float("nan"))
            continue
        above = sum(mean > means[key] for mean in others)
        result.append(above + (1 + sum(mean == means[key] for mean in others)) / 2)
    return result


def rank_sums(X, group):
    """Return the sum over columns of each row's rank in its group, from 0.

    A row that lacks a column has the mean rank of those that have it.
    """
    return [
        sum(_rank_among(row[j], _present(X, group, label, j)) for j in range(len(row)))
        for row, label in zip(X, group, strict=True)
    ]


def _rank_among(value, values):
    if isnan(value):
        return max(len(values) - 1, 0) / 2
    n_above = sum(other > value for other in values)
    return n_above + (sum(other == value for other in values) - 1) / 2


def _present(X, group, label, column):
    """Return the values of a column that rows of a group have."""
    of_group = [row[column] for row, g in zip(X, group, strict=True) if g == label]
    return [value for value in of_group if not isnan(value)]


def top_counts(X, group):
    """Return the number of columns in which each row is the best of its group."""
    return [
        sum(
            row[j] == max(_present(X, group, label, j), default=None)
            for j in range(len(row))
        )
        for row, label in zip(X, group, strict=True)
    ]
