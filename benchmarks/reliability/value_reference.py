"""Metrics of values and means of systems again, slowly, in fractions.

The definitions are those of docs/conventions.md.
"""

from fractions import Fraction
from itertools import combinations
from math import sqrt

import numpy as np

from benchmarks.reliability.case import Meaningless
from benchmarks.reliability.reference import (
    checked_column,
    checked_target,
    items_by_group,
)


def value_metric(name, target, scores, *, within="group", threshold=0):
    """Return a metric of values; raise Meaningless if it has none."""
    target = checked_target(target)
    scores = checked_column("y_score", scores)
    if len(scores) != len(target["group"]):
        raise Meaningless("the lengths differ")
    groups = list(items_by_group(target, scores).values())
    if name == "tie_calibrated_accuracy_score":
        values = [_tie_accuracy(items, threshold) for items in groups if len(items) > 1]
    else:
        if within == "all":
            groups = [[item for items in groups for item in items]]
        values = [
            _METRICS[name](items)
            for items in groups
            if len({preference for preference, *_ in items}) > 1
        ]
    if not values:
        raise Meaningless("nothing to compare")
    return float(sum(map(Fraction, values)) / len(values))


def system_means(target, values, item):
    """Return the means of a least-squares fit of groups and systems, by system."""
    group = checked_column("group", target["group"])
    item = checked_column("item", item)
    values = checked_column("y_score", values)
    if not len(group) == len(item) == len(values):
        raise Meaningless("the lengths differ")
    if len({type(label) for label in item}) > 1:
        raise Meaningless("item mixes types")
    groups, systems = sorted(set(group)), sorted(set(item))
    if len(systems) < 2:
        raise Meaningless("one system")
    rows = [
        [*(g == label for label in groups), *(i == label for label in systems)]
        for g, i in zip(group, item, strict=True)
    ]
    design = np.array(rows, dtype=float)
    if np.linalg.matrix_rank(design) < len(groups) + len(systems) - 1:
        raise Meaningless("systems are not connected")
    fitted = np.linalg.lstsq(design, np.array(values, dtype=float))[0]
    level, effect = fitted[: len(groups)], fitted[len(groups) :]
    means = effect + np.mean(level)
    return [float(mean) for mean in sorted(means, reverse=True)]


def _pearson(items):
    return _correlation([(p, s, w) for p, w, s in items])


def _spearman(items):
    weights = [weight for _, weight, _ in items]
    ranks = [_mid_ranks([item[column] for item in items], weights) for column in (0, 2)]
    return _correlation(list(zip(*ranks, weights, strict=True)))


def _mid_ranks(values, weights):
    pairs = list(zip(values, weights, strict=True))
    return [
        sum(w for other, w in pairs if other < value)
        + sum(w for other, w in pairs if other == value) / 2
        for value in values
    ]


def _correlation(rows):
    rows = [tuple(map(Fraction, row)) for row in rows]
    total = sum(w for *_, w in rows)
    x_mean = sum(w * x for x, _, w in rows) / total
    y_mean = sum(w * y for _, y, w in rows) / total
    x_square = sum(w * (x - x_mean) ** 2 for x, _, w in rows)
    y_square = sum(w * (y - y_mean) ** 2 for _, y, w in rows)
    product = sum(w * (x - x_mean) * (y - y_mean) for x, y, w in rows)
    if not x_square or not y_square:
        return 0.0
    size = sqrt(product**2 / (x_square * y_square))
    return size if product > 0 else -size


def _rmse(items):
    errors = [(Fraction(p) - Fraction(s), w) for p, w, s in items]
    largest = max(abs(error) for error, _ in errors) or Fraction(1)
    total = sum(weight for _, weight in errors)
    square = sum(weight * (error / largest) ** 2 for error, weight in errors) / total
    return float(largest) * sqrt(square)


def _tie_accuracy(items, threshold):
    right = total = Fraction(0)
    for a, b in combinations(items, 2):
        weight, people = a[1] * b[1], Fraction(a[0]) - Fraction(b[0])
        score = a[2] - b[2]
        is_tied = abs(score) <= threshold
        total += weight
        if (is_tied and not people) or (not is_tied and people * score > 0):
            right += weight
    return right / total


_METRICS = {"pearson_score": _pearson, "spearman_score": _spearman, "rmse": _rmse}
METRIC_NAMES = (*_METRICS, "tie_calibrated_accuracy_score")
