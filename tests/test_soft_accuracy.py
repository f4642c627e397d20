"""Soft pairwise accuracy: against the definition, and what it may depend on."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sklearn_pscore import Groups
from sklearn_pscore.metrics import (
    make_ranking_scorer,
    pairwise_accuracy_score,
    soft_pairwise_accuracy_score,
)


def target(people, **fields):
    """Return the target of a table with a row per system; NaN is a missing item."""
    n_systems, n_groups = np.shape(people)
    groups = Groups.from_arrays(
        group=np.tile(np.arange(n_groups), n_systems),
        item=np.repeat(np.arange(n_systems), n_groups),
        preference=np.ravel(people),
        **fields,
    )
    return groups


def by_definition(people, score):
    """Return the metric by a loop over pairs and all turns of signs."""
    people, score = np.asarray(people, float), np.asarray(score, float)
    values = []
    for a, b in itertools.combinations(range(len(people)), 2):
        both = ~np.isnan(people[a] + people[b])
        if not both.any():
            continue
        signs = np.array(list(itertools.product([1, -1], repeat=both.sum())))
        orders = [(a, b)] if people[a, both].sum() >= people[b, both].sum() else []
        orders += [(b, a)] if people[a, both].sum() <= people[b, both].sum() else []
        distances = []
        for first, second in orders:
            p = []
            for table in (people, score):
                difference = table[first, both] - table[second, both]
                sums = signs @ difference
                p.append(np.mean(sums >= difference.sum() - 1e-9))
            distances.append(abs(p[0] - p[1]))
        values.append(1 - np.mean(distances))
    return np.mean(values)


class TestValue:
    def test_worked_example(self):
        # Pairwise p-values of all 16 turns, as the paper's definition has them.
        people = [[1, 2, 3, 4], [2, 3, 4, 3], [1, 1, 2, 5]]
        score = [[2, 2, 4, 3], [1, 3, 5, 4], [2, 1, 1, 2]]
        assert soft_pairwise_accuracy_score(target(people), np.ravel(score)) == 0.8125

    @pytest.mark.parametrize("missing", [0.0, 0.25])
    def test_random_tables(self, missing):
        rng = np.random.default_rng(0)
        for _ in range(10):
            people = rng.integers(0, 5, size=(4, 6)).astype(float)
            people[rng.random((4, 6)) < missing] = np.nan
            score = rng.integers(0, 5, size=(4, 6)) / 10
            expected = by_definition(people, score)
            groups = target(people)
            judged = ~np.isnan(groups["preference"])
            groups = Groups.whole(groups[judged])
            value = soft_pairwise_accuracy_score(groups, np.ravel(score)[judged])
            assert_allclose(value, expected, rtol=1e-12)

    def test_draws_come_close_to_all_permutations(self):
        rng = np.random.default_rng(1)
        people, score = rng.normal(size=(2, 5, 10)) + np.arange(5)[:, None] / 4
        groups, score = target(people), np.ravel(score)
        exact = soft_pairwise_accuracy_score(groups, score)
        assert_allclose(exact, by_definition(people, score.reshape(5, 10)))
        for seed in (0, 1):
            drawn = soft_pairwise_accuracy_score(
                groups, score, n_permutations=1000, random_state=seed
            )
            assert drawn != exact
            assert abs(drawn - exact) < 0.02

    def test_a_product_of_weights_weighs_a_difference(self):
        people, score = [[1, 2, 3], [3, 0, 1]], [[1, 1, 2], [0, 2, 1]]
        weight = np.array([[1, 2, 1], [3, 1, 2]])
        groups = target(people, weight=weight.ravel())
        # A system at zero, and one at the weighted differences.
        differences = [
            np.prod(weight, axis=0) * np.subtract(*np.array(table, float))
            for table in (people, score)
        ]
        zeros = np.zeros(3)
        expected = by_definition([differences[0], zeros], [differences[1], zeros])
        value = soft_pairwise_accuracy_score(groups, np.ravel(score))
        assert_allclose(value, expected)


class TestProperties:
    def random(self, n_groups=20):
        rng = np.random.default_rng(2)
        people = rng.integers(0, 5, size=(4, n_groups)) + np.arange(4)[:, None]
        return people, rng.normal(size=(4, n_groups))

    @pytest.mark.parametrize("n_groups", [6, 20])
    def test_rows_and_group_labels_change_no_bit(self, n_groups):
        people, score = self.random(n_groups)
        groups, score = target(people), score.ravel()
        expected = soft_pairwise_accuracy_score(groups, score)
        rng = np.random.default_rng(3)
        for labels in (
            n_groups - groups["group"],
            (groups["group"] * 7 + 3) % n_groups,
        ):
            rows = rng.permutation(len(groups))
            moved = Groups.from_arrays(
                group=labels[rows],
                item=groups["item"][rows],
                preference=groups["preference"][rows],
            )
            assert soft_pairwise_accuracy_score(moved, score[rows]) == expected

    def test_names_of_systems_change_nothing(self):
        people, score = self.random()
        expected = soft_pairwise_accuracy_score(target(people), score.ravel())
        value = soft_pairwise_accuracy_score(target(people[::-1]), score[::-1].ravel())
        assert_allclose(value, expected, rtol=1e-12)

    def test_bounds(self):
        people, score = self.random()
        groups = target(people)
        preference = groups["preference"]
        assert soft_pairwise_accuracy_score(groups, preference) == 1.0
        assert soft_pairwise_accuracy_score(groups, 1e300 * preference) == 1.0
        assert soft_pairwise_accuracy_score(groups, -preference) < 0.5
        assert 0 <= soft_pairwise_accuracy_score(groups, score.ravel()) <= 1

    def test_several_rows_donors_and_weight_zero(self):
        people, score = self.random(6)
        groups, score = target(people), score.ravel()
        expected = soft_pairwise_accuracy_score(groups, score)
        rows = np.concatenate([np.arange(24), np.arange(24), [0, 1]])
        fields = {name: groups[name][rows] for name in ("group", "item", "preference")}
        fields["weight"] = np.append(np.ones(48), [0, 1])
        fields["donor"] = np.append(np.zeros(48), [0, 1])
        more = np.concatenate([score - 1, score + 1, [99.0, 99.0]])
        value = soft_pairwise_accuracy_score(Groups.from_arrays(**fields), more)
        assert_allclose(value, expected)

    def test_a_frame_and_a_scorer(self):
        people, score = self.random(6)
        groups = target(people)
        value = soft_pairwise_accuracy_score(groups, pd.Series(score.ravel()))
        scorer = make_ranking_scorer(soft_pairwise_accuracy_score, n_permutations=500)

        class Column:
            def predict(self, X):
                return X[:, 0]

        assert scorer(Column(), score.reshape(-1, 1), groups) == value


class TestErrors:
    groups = target([[1, 2], [2, 1]])

    @pytest.mark.parametrize(
        ("options", "error", "part"),
        [
            (
                {"n_permutations": 0},
                ValueError,
                "in the range [1, inf). Got 0 instead.",
            ),
            ({"n_permutations": 2.5}, TypeError, "Got 2.5 instead."),
            ({"n_permutations": True}, TypeError, "Got True instead."),
            (
                {"random_state": -1},
                ValueError,
                "must be an int in the range [0, inf) or",
            ),
            ({"random_state": "a"}, TypeError, "Got 'a' instead."),
        ],
    )
    def test_options(self, options, error, part):
        with pytest.raises(error, match=re.escape(part)):
            soft_pairwise_accuracy_score(self.groups, np.arange(4.0), **options)

    def test_no_systems(self):
        with pytest.raises(TypeError, match="groups has no item; soft_pairwise"):
            soft_pairwise_accuracy_score([1.0, 2.0], [1.0, 2.0])
        groups = Groups.from_arrays(group=[0, 1], item=["a", "b"], preference=[1, 2])
        part = "No two of the 2 systems in the field item share a group"
        with pytest.raises(ValueError, match=re.escape(part)):
            soft_pairwise_accuracy_score(groups, [1.0, 2.0])

    def test_the_same_pairs_as_pairwise_accuracy_where_all_is_certain(self):
        # Each group says the same: with ten groups every p-value is 1 / 1024.
        people = np.tile([[3.0], [2.0], [1.0]], 10)
        score = np.tile([[2.0], [3.0], [1.0]], 10)
        groups = target(people)
        soft = soft_pairwise_accuracy_score(groups, score.ravel())
        hard = pairwise_accuracy_score(groups, score.ravel())
        assert_allclose(soft, hard, atol=0.001)
