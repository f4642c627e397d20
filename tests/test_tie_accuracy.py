"""Accuracy of orders and ties: against all pairs and thresholds, and figures."""

import itertools
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore import Groups
from sklearn_pscore.metrics import (
    _tie_accuracy,
    make_ranking_scorer,
    pairwise_accuracy_score,
    tie_calibrated_accuracy_score,
)
from tests.test_metrics import items_by_group, random_target


def by_definition(preference, score, weight, threshold):
    """Return the accuracy of one group by the double loop."""
    right = total = 0.0
    for i, j in itertools.combinations(range(len(score)), 2):
        pair = weight[i] * weight[j]
        people = np.sign(preference[i] - preference[j])
        is_tied = abs(score[i] - score[j]) <= threshold
        said = 0 if is_tied else np.sign(score[i] - score[j])
        right += pair * (said == people)
        total += pair
    return right / total if total else np.nan


class TestFigures:
    # Figures made with Google's mt-metrics-eval, sample_rate=1.0.
    people, score = [1, 2, 2, 3, 4], [2, 1, 1.5, 5, 3]

    def test_ties_as_they_are(self):
        value = tie_calibrated_accuracy_score(self.people, self.score, threshold=0)
        assert_allclose(value, 0.6)

    def test_calibrated(self):
        value = tie_calibrated_accuracy_score(
            self.people, self.score, return_threshold=True
        )
        assert_allclose(value, (0.7, 0.5))

    def test_the_smallest_of_several_thresholds(self):
        value = tie_calibrated_accuracy_score(
            [1, 1, 1, 4], [0, 2, 6, 8], return_threshold=True
        )
        assert_allclose(value, (4 / 6, 4))

    def test_without_any_tie_it_is_pairwise_accuracy(self):
        rng = np.random.default_rng(0)
        preference, score = rng.normal(size=(2, 60))
        groups = Groups.from_arrays(group=np.arange(60) // 5, preference=preference)
        value = tie_calibrated_accuracy_score(groups, score, return_threshold=True)
        assert value == (pairwise_accuracy_score(groups, score), 0.0)


class TestOracle:
    @pytest.mark.parametrize("threshold", [0, 0.5, 1])
    def test_random_small_groups(self, threshold):
        rng = np.random.default_rng(1)
        for _ in range(6):
            groups, score = random_target(rng)
            expected = [
                by_definition(*columns, threshold)
                for columns in items_by_group(groups, score).values()
            ]
            options = {"threshold": threshold}
            values = tie_calibrated_accuracy_score(
                groups, score, average=False, **options
            )
            assert_allclose(values, expected, rtol=1e-12)
            mean = tie_calibrated_accuracy_score(groups, score, **options)
            assert_allclose(mean, np.nanmean(expected), rtol=1e-12)

    def test_the_best_threshold_of_all(self):
        rng = np.random.default_rng(2)
        for _ in range(6):
            groups, score = random_target(rng, several_rows=False)
            columns = list(items_by_group(groups, score).values())
            candidates = np.unique(np.abs(score[:, None] - score))
            means = [
                np.nanmean([by_definition(*column, t) for column in columns])
                for t in candidates
            ]
            value, threshold = tie_calibrated_accuracy_score(
                groups, score, return_threshold=True
            )
            assert_allclose(value, np.max(means), rtol=1e-12)
            first = np.argmax(np.array(means) >= np.max(means) - 1e-12)
            assert threshold == candidates[first]


class TestProperties:
    def test_rows_labels_and_group_order_change_no_bit(self):
        rng = np.random.default_rng(3)
        n = 300
        group, item = rng.integers(0, 9, n), rng.integers(0, 12, n)
        fields = {
            "item": item,
            "preference": rng.random((9, 12))[group, item] // 0.2,
            "weight": rng.random(n),
        }
        score = rng.normal(size=n) // 0.2 * 0.1
        groups = Groups.from_arrays(group=group, **fields)
        expected = tie_calibrated_accuracy_score(groups, score, return_threshold=True)
        for labels in (np.array(list("zyxwvutsr"))[group], 8 - group):
            rows = rng.permutation(n)
            moved = Groups.from_arrays(
                group=labels[rows], **{name: fields[name][rows] for name in fields}
            )
            value = tie_calibrated_accuracy_score(
                moved, score[rows], return_threshold=True
            )
            assert value == expected

    def test_groups_that_all_like_alike_count(self):
        groups = Groups.from_arrays(
            group=["a", "a", "b", "b", "c"], preference=[1, 1, 2, 1, 5]
        )
        values = tie_calibrated_accuracy_score(
            groups, [1.0, 1.1, 3, 1, 0], average=False
        )
        assert_array_equal(values, [1, 1, np.nan])

    def test_weights(self):
        groups, score = random_target(np.random.default_rng(4))
        expected = tie_calibrated_accuracy_score(groups, score)
        for factor in (1e-300, 1e300):
            scaled = groups.copy()
            scaled["weight"] *= factor
            value = tie_calibrated_accuracy_score(scaled, score)
            assert_allclose(value, expected)
        present = groups["weight"] > 0
        value = tie_calibrated_accuracy_score(groups[present], score[present])
        assert value == expected

    def test_extreme_scores(self):
        score = [1.7e308, -1.7e308, 0.0, 5e-324]
        assert tie_calibrated_accuracy_score([2, 0, 1, 1], score, threshold=1) == 1
        assert tie_calibrated_accuracy_score([2, 0, 1, 1], score) == 1

    def test_its_scorer(self):
        scorer = make_ranking_scorer(tie_calibrated_accuracy_score, threshold=0.5)
        assert repr(scorer).endswith("score, threshold=0.5)")
        with pytest.raises(
            ValueError, match="expected a metric that returns one number"
        ):
            make_ranking_scorer(tie_calibrated_accuracy_score, return_threshold=True)


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "error", "part"),
        [
            ({"threshold": -1}, ValueError, "in the range [0, inf) or None. Got -1"),
            ({"threshold": np.nan}, ValueError, "Got nan instead."),
            ({"threshold": "0"}, TypeError, "Got '0' instead."),
            ({"threshold": True}, TypeError, "Got True instead."),
            ({"average": 1}, TypeError, "must be a bool. Got 1 instead."),
            ({"return_threshold": 1}, TypeError, "'return_threshold' parameter"),
        ],
    )
    def test_options(self, options, error, part):
        with pytest.raises(error, match=re.escape(part)):
            tie_calibrated_accuracy_score([1.0, 2.0], [1.0, 2.0], **options)

    def test_no_pairs(self):
        groups = Groups.from_arrays(group=[0, 1], preference=[1, 2])
        part = "No pairs: 2 items in 2 groups, every group has a single item."
        with pytest.raises(ValueError, match=re.escape(part)):
            tie_calibrated_accuracy_score(groups, [1.0, 2.0])

    def test_weights_too_far_apart(self):
        groups = Groups.from_arrays(
            group=[0, 0], preference=[1, 2], weight=[1e300, 1e-300]
        )
        with pytest.raises(ValueError, match="weight is 1e-300 in one item and 1e"):
            tie_calibrated_accuracy_score(groups, [1.0, 2.0])

    def test_too_many_pairs(self, monkeypatch):
        monkeypatch.setattr(_tie_accuracy, "_MOST_PAIRS", 2)
        with pytest.raises(ValueError, match="groups has 3 pairs of items; tie_cali"):
            tie_calibrated_accuracy_score([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
