"""Metrics against brute force, other libraries, arithmetic and properties."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import sklearn.metrics
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore import Groups
from sklearn_pscore._segments import Segments
from sklearn_pscore.metrics import (
    dcg_score,
    kendall_tau_score,
    ndcg_score,
    pairwise_accuracy_score,
    rank_items,
    reciprocal_rank_score,
)
from sklearn_pscore.metrics._order import stable_order
from sklearn_pscore.metrics._pairs import _worse_first

METRICS = [
    reciprocal_rank_score,
    dcg_score,
    ndcg_score,
    pairwise_accuracy_score,
    kendall_tau_score,
]
PAIR_METRICS = [pairwise_accuracy_score, kendall_tau_score]
GAINS = ["rank", "linear", "exponential"]
VARIANTS = [
    (metric, options)
    for metric in METRICS
    for k in (None, 1, 2, 50)
    for options in (
        [{"k": k, "gain": gain} for gain in GAINS]
        if metric in (dcg_score, ndcg_score)
        else [{"k": k}]
    )
]


def variant_name(value):
    return value.__name__ if callable(value) else str(value)


def random_target(rng, *, n_groups=4, weighted=True, several_rows=True):
    """Return small groups with ties, donors, weights, and items of several rows."""
    rows = []
    for group in range(n_groups):
        for item in range(rng.integers(1, 7)):
            preference = float(rng.integers(0, 4))
            for _ in range(rng.integers(1, 4) if several_rows else 1):
                weight = rng.choice([0.0, 0.5, 1.0, 3.0])
                rows.append((group, preference, item, weight, False))
        rows.append((group, np.nan, 99, 1.0, True))
    # One group always says something.
    rows += [(n_groups, 1.0, 0, 0.3, False), (n_groups, 0.0, 1, 2.0, False)]
    group, preference, item, weight, donor = zip(*rows, strict=True)
    weight = weight if weighted else np.ones(len(rows))
    groups = Groups.from_arrays(
        group=group, preference=preference, item=item, weight=weight, donor=donor
    )
    shuffled = rng.permutation(len(groups))
    # Sums of a few small integers over 1, 2 or 3 rows tie often.
    return groups[shuffled], rng.integers(0, 3, len(groups)).astype(float)


def items_by_group(groups, y_score):
    """Return {label: (preference, score, weight)}, one entry per item, in a loop."""
    result = {}
    for label in np.unique(groups["group"]):
        in_group = (groups["group"] == label) & ~groups["donor"]
        in_group &= groups["weight"] > 0
        columns = []
        for item in np.unique(groups["item"][in_group]):
            rows = in_group & (groups["item"] == item)
            columns.append(
                (
                    groups["preference"][rows][0],
                    y_score[rows].mean(),
                    groups["weight"][rows].mean(),
                )
            )
        result[label] = tuple(np.array(columns).reshape(-1, 3).T)
    return result


def tie_orders(score):
    """Return all orders of the items by falling score."""
    blocks = [np.flatnonzero(score == value) for value in np.unique(score)[::-1]]
    orders = itertools.product(*map(itertools.permutations, blocks))
    return [np.array(list(itertools.chain(*order)), dtype=int) for order in orders]


def gains_by_definition(preference, gain):
    if gain == "rank":
        return scipy.stats.rankdata(preference)
    return preference if gain == "linear" else 2**preference - 1


def value_of_order(metric, preference, order, k, gain):
    """Return MRR, DCG or NDCG of one strict order."""
    if metric is reciprocal_rank_score:
        liked_best = preference[order] == preference.max()
        rank = 1 + int(np.argmax(liked_best))
        return 1 / rank if rank <= k else 0.0
    discount = np.array([(i <= k) / np.log2(i + 1) for i in range(1, len(order) + 1)])
    gains = gains_by_definition(preference, gain)
    value = np.sum(gains[order] * discount)
    if metric is dcg_score:
        return value
    return value / np.sum(np.sort(gains)[::-1] * discount)


def value_of_pairs(metric, preference, score, weight, k):
    """Return pairwise accuracy or tau-b by the double loop, NaN without pairs."""
    kth = np.sort(preference)[::-1][min(k, len(preference)) - 1]
    concordant = discordant = total = tied_score = tied_preference = 0.0
    for i, j in itertools.combinations(range(len(preference)), 2):
        if max(preference[i], preference[j]) < kth:
            continue
        pair = weight[i] * weight[j]
        sign = np.sign(preference[i] - preference[j]) * np.sign(score[i] - score[j])
        total += pair
        concordant += pair * (sign > 0)
        discordant += pair * (sign < 0)
        tied_score += pair * (score[i] == score[j])
        tied_preference += pair * (preference[i] == preference[j])
    decided = total - tied_preference
    if metric is pairwise_accuracy_score:
        return (concordant + (decided - concordant - discordant) / 2) / decided
    if total == tied_score:
        return 0.0
    return (concordant - discordant) / np.sqrt(decided * (total - tied_score))


def brute_force(metric, groups, y_score, *, k=None, gain="rank"):
    """Return the value of each group and the mean, straight from the definitions."""
    k = np.inf if k is None else k
    values, weights = [], []
    for preference, score, weight in items_by_group(groups, y_score).values():
        if len(np.unique(preference)) < 2:
            values.append(np.nan)
            weights.append(0.0)
        elif metric in PAIR_METRICS:
            depth = min(k, len(preference))
            values.append(value_of_pairs(metric, preference, score, weight, depth))
            weights.append(1.0)
        else:
            values.append(
                np.mean(
                    [
                        value_of_order(metric, preference, order, k, gain)
                        for order in tie_orders(score)
                    ]
                )
            )
            weights.append(weight.mean())
    values, weights = np.array(values), np.array(weights)
    is_informative = weights > 0
    return values, np.average(values[is_informative], weights=weights[is_informative])


class TestBruteForce:
    @pytest.mark.parametrize(("metric", "options"), VARIANTS, ids=variant_name)
    def test_random_small_groups(self, metric, options):
        rng = np.random.default_rng(0)
        for _ in range(6):
            groups, y_score = random_target(rng)
            values, mean = brute_force(metric, groups, y_score, **options)
            per_group = metric(groups, y_score, average=False, **options)
            assert_allclose(per_group, values, rtol=1e-12, atol=1e-14)
            assert_allclose(metric(groups, y_score, **options), mean, rtol=1e-12)

    def test_the_oracle_meets_ties_and_uninformative_groups(self):
        rng = np.random.default_rng(0)
        cases = [random_target(rng) for _ in range(6)]
        values = [brute_force(dcg_score, *case)[0] for case in cases]
        assert np.isnan(np.concatenate(values)).sum() >= 3
        items = [item for case in cases for item in items_by_group(*case).values()]
        assert sum(len(tie_orders(score)) > 1 for _, score, _ in items) >= 10

    @pytest.mark.parametrize("metric", PAIR_METRICS, ids=variant_name)
    @pytest.mark.parametrize("k", [None, 1, 17, 60])
    def test_pairs_of_a_longer_group(self, metric, k):
        rng = np.random.default_rng(1)
        preference = rng.integers(0, 40, 80).astype(float)
        score, weight = rng.integers(0, 30, 80).astype(float), rng.random(80)
        groups = Groups.from_arrays(
            group=np.zeros(80), preference=preference, weight=weight
        )
        expected = value_of_pairs(metric, preference, score, weight, k or 80)
        assert_allclose(metric(groups, score, k=k), expected, rtol=1e-12)

    @pytest.mark.parametrize("n_best", [1, 2, 150, 300])
    def test_reciprocal_rank_of_one_long_tie(self, n_best):
        # P(first of the best comes at rank i) = C(n - i, r - 1) / C(n, r).
        expected = scipy.stats.nhypergeom(300, 300 - n_best, 1)
        expected = sum(expected.pmf(i) / (i + 1) for i in range(301 - n_best))
        preference = np.arange(301) >= 301 - n_best
        # The last item has a score of its own, below the tie.
        score = np.concatenate([[-1.0], np.zeros(300)])
        value = reciprocal_rank_score(preference.astype(float), score)
        assert_allclose(value, expected, rtol=1e-12)


class TestArithmetic:
    @pytest.mark.parametrize(("n", "expected"), [(5, 10.27), (6, 13.58)])
    def test_dcg_of_a_perfect_order_is_the_papers(self, n, expected):
        # Table 2 of the paper, row GT.
        preference = np.arange(n, dtype=float)
        assert round(dcg_score(preference, preference), 2) == expected

    def test_dcg_of_the_definition(self):
        expected = 2 / np.log2(2) + 3 / np.log2(3) + 1 / np.log2(4)
        assert_allclose(dcg_score([5.0, 9.0, 1.0], [3.0, 2.0, 1.0]), expected)

    def test_gains(self):
        score = [2.0, 1.0, 0.0]
        discount = 1 / np.log2([2, 3, 4])
        for gain, gains in [
            ("rank", [2.5, 2.5, 1.0]),
            ("linear", [3.0, 3.0, 0.5]),
            ("exponential", [7.0, 7.0, 2**0.5 - 1]),
        ]:
            value = dcg_score([3.0, 3.0, 0.5], score, gain=gain)
            assert_allclose(value, np.dot(gains, discount), rtol=1e-15)

    def test_exponential_gain_keeps_its_digits_near_zero(self):
        value = dcg_score([1e-20, 0.0], [1.0, 0.0], gain="exponential")
        assert_allclose(value, 1e-20 * np.log(2), rtol=1e-12)
        assert ndcg_score([1e-20, 0.0], [1.0, 0.0], gain="exponential") == 1.0

    def test_the_best_items_beyond_the_depth_count_zero(self):
        preference, score = [0.0, 0.0, 1.0], [3.0, 2.0, 1.0]
        values = [reciprocal_rank_score(preference, score, k=k) for k in (1, 2, 3, 4)]
        assert values == [0.0, 0.0, 1 / 3, 1 / 3]

    def test_depth_that_cuts_a_tie(self):
        # Ranks 2 and 3 are shared: half the time the best is at rank 2.
        assert reciprocal_rank_score([0.0, 1.0, 0.0], [2.0, 1.0, 1.0], k=2) == 0.25
        assert dcg_score([3.0, 2.0, 1.0], [0.0, 0.0, 0.0], k=1) == 2.0

    def test_pair_depth_includes_ties_with_the_kth(self):
        preference, score = [2.0, 2.0, 1.0, 0.0], [3.0, 0.0, 1.0, 2.0]
        # Of the pairs with one of the two best, 2 of 4 are in order.
        assert pairwise_accuracy_score(preference, score, k=1) == 0.5
        assert pairwise_accuracy_score(preference, score, k=2) == 0.5
        # The pair of the two others is the wrong way round.
        assert pairwise_accuracy_score(preference, score, k=3) == 0.4

    def test_group_weight_is_the_mean_of_its_items(self):
        groups = Groups.from_arrays(
            group=[0, 0, 1, 1, 1], preference=[1, 0, 1, 0, 2], weight=[1, 2, 1, 4, 0]
        )
        value = reciprocal_rank_score(groups, [2.0, 1.0, 1.0, 2.0, 3.0])
        assert_allclose(value, (1.5 * 1 + 2.5 * 0.5) / (1.5 + 2.5))

    def test_pair_metrics_weigh_all_groups_alike(self):
        groups = Groups.from_arrays(
            group=[0, 0, 1, 1], preference=[1, 0, 1, 0], weight=[9, 9, 1, 1]
        )
        assert pairwise_accuracy_score(groups, [2.0, 1.0, 1.0, 2.0]) == 0.5
        assert kendall_tau_score(groups, [2.0, 1.0, 1.0, 2.0]) == 0.0

    def test_rows_of_one_item_are_averaged_first(self):
        groups = Groups.from_arrays(
            group=[0, 0, 0], item=["x", "x", "y"], preference=[1, 1, 0]
        )
        assert reciprocal_rank_score(groups, [9.0, 0.0, 4.0]) == 1.0
        assert reciprocal_rank_score(groups, [9.0, 0.0, 5.0]) == 0.5
        assert reciprocal_rank_score(groups, [9.0, 0.0, 4.5]) == 0.75

    def test_equal_rows_keep_their_tie_through_the_mean(self):
        # 0.1 + 0.1 + 0.1 over 3 is not 0.1 in binary.
        groups = Groups.from_arrays(
            group=np.zeros(5), item=[0, 0, 0, 1, 1], preference=[1, 1, 1, 0, 0]
        )
        assert pairwise_accuracy_score(groups, np.full(5, 0.1)) == 0.5

    def test_donors_count_in_no_metric(self):
        groups = Groups.from_arrays(
            group=[0, 0, 0], preference=[1, 0, 2], donor=[False, False, True]
        )
        for metric in METRICS:
            expected = metric([1.0, 0.0], [0.3, 0.2])
            assert metric(groups, [0.3, 0.2, 0.9]) == expected


class TestOtherLibraries:
    def cases(self):
        rng = np.random.default_rng(3)
        for n in (2, 5, 30, 200):
            preference = rng.integers(0, 5, n).astype(float)
            preference[:2] = [0.0, 4.0]
            for score in (rng.normal(size=n), np.round(rng.normal(size=n))):
                yield preference, score

    def test_kendall_of_scipy(self):
        for preference, score in self.cases():
            expected = scipy.stats.kendalltau(preference, score, variant="b")
            if np.isnan(expected.statistic):
                expected = 0.0
            else:
                expected = expected.statistic
            assert_allclose(
                kendall_tau_score(preference, score), expected, rtol=1e-12, atol=1e-15
            )

    def test_kendall_of_scipy_on_a_group_too_large_for_its_pairs(self):
        rng = np.random.default_rng(4)
        preference, score = rng.normal(size=(2, 100_000))
        score = np.round(score + preference, 3)
        expected = scipy.stats.kendalltau(preference, score, variant="b").statistic
        assert_allclose(kendall_tau_score(preference, score), expected, rtol=1e-12)

    @pytest.mark.parametrize("k", [None, 1, 4, 1000])
    def test_dcg_and_ndcg_of_scikit_learn(self, k):
        for preference, score in self.cases():
            for ours, theirs in [
                (dcg_score, sklearn.metrics.dcg_score),
                (ndcg_score, sklearn.metrics.ndcg_score),
            ]:
                expected = theirs([preference], [score], k=k)
                value = ours(preference, score, k=k, gain="linear")
                assert_allclose(value, expected, rtol=1e-12)

    def test_reciprocal_rank_of_scikit_learn(self):
        # With one relevant label both are 1 / rank.
        rng = np.random.default_rng(5)
        score = rng.normal(size=20)
        liked = np.eye(20)[7]
        expected = sklearn.metrics.label_ranking_average_precision_score(
            [liked], [score]
        )
        assert_allclose(reciprocal_rank_score(liked, score), expected)


class TestInvariance:
    @pytest.mark.parametrize(("metric", "options"), VARIANTS, ids=variant_name)
    @pytest.mark.parametrize("weighted", [False, True])
    def test_rows_labels_and_group_order_change_no_bit(self, metric, options, weighted):
        rng = np.random.default_rng(6)
        n = 400
        group = rng.integers(0, 9, n)
        item = rng.integers(0, 12, n)
        preference = rng.random((9, 12))[group, item] // 0.2 * 0.3
        weight = rng.random(n) if weighted else np.ones(n)
        y_score = rng.normal(size=n) // 0.2 * 0.1
        expected = metric(
            Groups.from_arrays(
                group=group, item=item, preference=preference, weight=weight
            ),
            y_score,
            **options,
        )
        names = np.array(["zeta", "b", "a", "10", "9", "-1", "Z", "é", "x y"])
        numbers = np.array([-5, 3, -17, 0, 99, 12, 5, 4, -1])
        for labels in (group, names[group], numbers[group], 8 - group):
            rows = rng.permutation(n)
            groups = Groups.from_arrays(
                group=labels[rows],
                item=-item[rows],
                preference=preference[rows],
                weight=weight[rows],
            )
            assert metric(groups, y_score[rows], **options) == expected

    @pytest.mark.parametrize("metric", METRICS, ids=variant_name)
    def test_a_group_does_not_depend_on_the_others(self, metric):
        rng = np.random.default_rng(7)
        groups, y_score = random_target(rng, n_groups=6)
        per_group = metric(groups, y_score, average=False)
        for code, label in enumerate(np.unique(groups["group"])):
            in_group = groups["group"] == label
            if not np.isnan(per_group[code]):
                assert metric(groups[in_group], y_score[in_group]) == per_group[code]
        assert np.isnan(per_group).sum() < len(per_group)

    @pytest.mark.parametrize("metric", METRICS, ids=variant_name)
    @pytest.mark.parametrize(
        "increasing",
        [np.exp, lambda s: 1e6 * s - 3, lambda s: s**3, np.float32],
        ids=["exp", "affine", "cube", "float32"],
    )
    def test_increasing_maps_of_the_score_change_no_bit(self, metric, increasing):
        rng = np.random.default_rng(8)
        groups, y_score = random_target(rng, several_rows=False)
        assert metric(groups, increasing(y_score)) == metric(groups, y_score)

    def test_arguments_are_left_alone(self):
        groups, y_score = random_target(np.random.default_rng(9))
        kept = groups.tobytes(), y_score.tobytes()
        for metric in [*METRICS, rank_items]:
            metric(groups, y_score)
        assert (groups.tobytes(), y_score.tobytes()) == kept

    def test_forms_of_the_score(self):
        groups = Groups.from_arrays(group=[0, 0, 0], preference=[2, 1, 0])
        for y_score in (
            [3, 1, 2],
            np.array([3, 1, 2], dtype=np.float32),
            pd.Series([3.0, 1.0, 2.0], index=[5, 9, 7]),
            np.array([3, 1, 2], dtype=object),
        ):
            assert_allclose(pairwise_accuracy_score(groups, y_score), 2 / 3)


class TestProperties:
    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("k", [None, 2])
    def test_perfect_and_reversed_orders_are_exact(self, weighted, k):
        rng = np.random.default_rng(10)
        n = 300
        preference = rng.permutation(n) // 2 / 7
        groups = Groups.from_arrays(
            group=rng.integers(0, 20, n),
            preference=preference,
            weight=rng.random(n) if weighted else np.ones(n),
        )
        for gain in GAINS:
            assert ndcg_score(groups, preference, k=k, gain=gain) == 1.0
        assert reciprocal_rank_score(groups, preference, k=k) == 1.0
        assert pairwise_accuracy_score(groups, preference, k=k) == 1.0
        assert pairwise_accuracy_score(groups, -preference, k=k) == 0.0
        assert_allclose(kendall_tau_score(groups, preference, k=k), 1.0, rtol=1e-15)
        assert_allclose(kendall_tau_score(groups, -preference, k=k), -1.0, rtol=1e-15)

    @pytest.mark.parametrize("gain", GAINS)
    @pytest.mark.parametrize("k", [None, 2])
    def test_ndcg_is_one_however_equals_are_ordered(self, gain, k):
        for n_best, n_rest in itertools.product(range(1, 8), range(1, 8)):
            preference = np.repeat([1.3, 0.1], [n_best, n_rest])
            for score in (
                -np.arange(n_best + n_rest),
                -np.arange(n_best + n_rest) // 2 * (preference < 1),
                preference,
            ):
                assert ndcg_score(preference, score, k=k, gain=gain) == 1.0

    def test_rounding_lifts_no_ndcg_above_one(self):
        preference = 1 + 2.0**-52 * np.array([1, 1, 0, 0])
        assert ndcg_score(preference, [2.0, 0.0, 3.0, 1.0], gain="linear") == 1.0

    @pytest.mark.parametrize(("metric", "options"), VARIANTS, ids=variant_name)
    def test_bounds(self, metric, options):
        rng = np.random.default_rng(11)
        lowest = -1.0 if metric is kendall_tau_score else 0.0
        highest = np.inf if metric is dcg_score else 1.0
        for _ in range(5):
            groups, y_score = random_target(rng)
            values = metric(groups, y_score, average=False, **options)
            values = values[~np.isnan(values)]
            assert np.all((values >= lowest) & (values <= highest))

    @pytest.mark.parametrize("metric", METRICS, ids=variant_name)
    @pytest.mark.parametrize("k", [None, 2])
    def test_a_constant_score_is_the_mean_over_all_orders(self, metric, k):
        preference = np.array([2.0, 1.0, 1.0, 0.0])
        orders = itertools.permutations(np.arange(4.0))
        mean = np.mean([metric(preference, order, k=k) for order in orders])
        value = metric(preference, np.zeros(4), k=k)
        assert_allclose(value, mean, rtol=1e-14, atol=1e-16)

    def test_all_scores_tied_gives_tau_zero(self):
        groups = Groups.from_arrays(
            group=np.zeros(6), preference=np.arange(6), weight=np.arange(1, 7) / 7
        )
        assert kendall_tau_score(groups, np.ones(6)) == 0.0
        assert_allclose(pairwise_accuracy_score(groups, np.ones(6)), 0.5, rtol=1e-15)

    @pytest.mark.parametrize("metric", PAIR_METRICS, ids=variant_name)
    def test_an_integer_weight_is_a_repeated_item(self, metric):
        # Copies of an item are tied with each other in both, so they add nothing.
        rng = np.random.default_rng(12)
        preference, score = rng.integers(0, 5, (2, 12)).astype(float)
        weight = rng.integers(0, 4, 12)
        groups = Groups.from_arrays(
            group=np.zeros(12), preference=preference, weight=weight
        )
        expected = metric(np.repeat(preference, weight), np.repeat(score, weight))
        assert_allclose(metric(groups, score), expected, rtol=1e-14)

    @pytest.mark.parametrize("metric", PAIR_METRICS, ids=variant_name)
    def test_integer_weights_are_repeated_rows_in_every_group(self, metric):
        # Rows repeated without an item name are items of their own.
        rng = np.random.default_rng(22)
        n = 2_000
        group, weight = rng.integers(0, 90, n), rng.integers(0, 4, n)
        preference, score = rng.integers(0, 5, n), np.round(rng.normal(size=n), 1)
        groups = Groups.from_arrays(group=group, preference=preference, weight=weight)
        plain = Groups.from_arrays(group=group, preference=preference)
        repeated = Groups.whole(np.repeat(plain, weight))
        expected = metric(repeated, np.repeat(score, weight), average=False)
        value = metric(groups, score, average=False)
        assert_allclose(value, expected, rtol=1e-12, atol=1e-15)
        assert np.abs(value - metric(plain, score, average=False)).max() > 0.01

    @pytest.mark.parametrize("metric", METRICS[:3], ids=variant_name)
    def test_an_integer_weight_is_a_repeated_group(self, metric):
        groups, y_score = random_target(np.random.default_rng(13), weighted=False)
        weight = 1 + groups["group"] % 3
        weighted = groups.copy()
        weighted["weight"] = weight
        copies = [groups[weight >= copy] for copy in (1, 2, 3)]
        for copy, part in enumerate(copies):
            part["group"] += 100 * copy
        scores = np.concatenate([y_score[weight >= copy] for copy in (1, 2, 3)])
        expected = metric(np.concatenate(copies), scores)
        assert_allclose(metric(weighted, y_score), expected, rtol=1e-14)

    @pytest.mark.parametrize(("metric", "options"), VARIANTS, ids=variant_name)
    @pytest.mark.parametrize("several_rows", [False, True])
    def test_weight_zero_is_a_row_that_is_not_there(
        self, metric, options, several_rows
    ):
        rng = np.random.default_rng(14)
        groups, y_score = random_target(rng, several_rows=several_rows)
        present = groups["weight"] > 0
        assert not present.all()
        if not several_rows:
            # Rows of one item must agree. Others need no preference that is of use.
            absent = np.flatnonzero(~present)
            groups["preference"][absent] = rng.choice([np.nan, -1.0, 1e5], len(absent))
        y_score[~present] = rng.choice([-1e9, 0.0, 1e9], np.sum(~present))
        expected = metric(groups[present], y_score[present], **options)
        assert metric(groups, y_score, **options) == expected

    def test_ranks_read_no_weights(self):
        groups, y_score = random_target(np.random.default_rng(15))
        ranks = rank_items(groups, y_score)
        groups["weight"] = 1.0
        assert_array_equal(ranks, rank_items(groups, y_score))

    @pytest.mark.parametrize("metric", METRICS, ids=variant_name)
    def test_a_common_factor_of_the_weights_is_immaterial(self, metric):
        groups, y_score = random_target(np.random.default_rng(15))
        expected = metric(groups, y_score)
        for factor in (1e-300, 1e300, 0.1):
            scaled = groups.copy()
            scaled["weight"] *= factor
            assert_allclose(metric(scaled, y_score), expected, rtol=1e-12)

    @pytest.mark.parametrize("metric", METRICS, ids=variant_name)
    @pytest.mark.parametrize("weight", [1e-320, 0.3, 1e308])
    def test_one_weight_for_all_is_none_at_all(self, metric, weight):
        groups, y_score = random_target(
            np.random.default_rng(21), weighted=False, several_rows=False
        )
        expected = metric(groups, y_score)
        groups["weight"] = weight
        assert metric(groups, y_score) == expected

    @pytest.mark.parametrize("metric", METRICS, ids=variant_name)
    def test_extreme_weights_stay_finite(self, metric):
        groups = Groups.from_arrays(
            group=np.zeros(4), preference=[3, 2, 1, 0], weight=[1e300, 1e-300, 1, 1e-9]
        )
        scores = [4.0, 3.0, 2.0, 1.0], [1.0, 1.0, 1.0, 0.0], np.zeros(4)
        if metric in PAIR_METRICS:
            message = "weight is 1e-300 in one item and 1e+300 in another of its group"
            with pytest.raises(ValueError, match=re.escape(message)):
                metric(groups, scores[0])
            groups["weight"][:2] = [1e140, 1e-9]
        for score in scores:
            assert np.isfinite(metric(groups, score))


class TestDegenerate:
    @pytest.mark.parametrize("metric", METRICS, ids=variant_name)
    def test_uninformative_groups_are_left_out(self, metric):
        groups = Groups.from_arrays(
            group=["one", "tied", "tied", "zero", "zero", "told", "told", "donor"],
            preference=[1, 2, 2, 1, 0, 1, 0, 5],
            weight=[1, 1, 1, 0, 0, 1, 1, 1],
            donor=[0, 0, 0, 0, 0, 0, 0, 1],
        )
        y_score = np.arange(8.0)
        expected = metric([1.0, 0.0], [5.0, 6.0])
        assert metric(groups, y_score) == expected
        # donor, one, tied, told, zero
        nan = np.nan
        assert_array_equal(
            metric(groups, y_score, average=False), [nan, nan, nan, expected, nan]
        )

    @pytest.mark.parametrize("metric", METRICS, ids=variant_name)
    @pytest.mark.parametrize("average", [True, False])
    @pytest.mark.parametrize(
        ("fields", "part"),
        [
            (
                {"group": [0, 1, 2], "preference": [1, 2, 3]},
                "3 items in 3 groups, every group has a single item.",
            ),
            (
                {"group": [0, 0, 1, 1], "preference": [1, 1, 2, 2]},
                "all preferences are equal within each of the 2 groups.",
            ),
            (
                {"group": [0, 0], "preference": [1, 2], "weight": [0, 0]},
                "the weight of all 2 rows is zero",
            ),
            (
                {"group": [0, 0], "preference": [1, 2], "donor": [True, True]},
                "0 items in 0 groups",
            ),
            ({"group": [], "preference": []}, "0 items in 0 groups"),
        ],
        ids=["single", "tied", "weightless", "donors", "empty"],
    )
    def test_no_group_is_informative(self, metric, average, fields, part):
        fields["group"] = np.asarray(fields["group"], dtype=int)
        groups = Groups.from_arrays(**fields)
        with pytest.raises(ValueError, match=re.escape(part)):
            metric(groups, np.arange(float(len(groups))), average=average)

    @pytest.mark.parametrize("metric", METRICS, ids=variant_name)
    def test_depth_beyond_the_list_is_the_whole_list(self, metric):
        groups, y_score = random_target(np.random.default_rng(16))
        expected = metric(groups, y_score)
        assert metric(groups, y_score, k=10**30) == expected
        assert metric(groups, y_score, k=np.int64(7)) == expected

    @pytest.mark.parametrize("metric", METRICS, ids=variant_name)
    def test_kind_of_the_result(self, metric):
        groups, y_score = random_target(np.random.default_rng(17))
        assert type(metric(groups, y_score)) is float
        per_group = metric(groups, y_score, average=False)
        assert per_group.shape == np.unique(groups["group"]).shape

    def test_signed_zeros_are_tied(self):
        assert pairwise_accuracy_score([1.0, 0.0], [-0.0, 0.0]) == 0.5
        groups = Groups.from_arrays(group=[0, 0, 0], preference=[0.0, -0.0, 1.0])
        assert pairwise_accuracy_score(groups, [2.0, 1.0, 3.0]) == 1.0


class TestRankItems:
    def test_against_rankdata(self):
        groups, y_score = random_target(np.random.default_rng(18))
        ranks = rank_items(groups, y_score)
        assert_array_equal(np.isnan(ranks), groups["donor"])
        # A rank does not depend on the weights.
        groups["weight"] = 1.0
        for label, (_, score, _) in items_by_group(groups, y_score).items():
            in_group = (groups["group"] == label) & ~groups["donor"]
            codes = np.unique(groups["item"][in_group], return_inverse=True)[1]
            assert_array_equal(ranks[in_group], scipy.stats.rankdata(-score)[codes])

    def test_preferences_are_not_needed(self):
        groups = Groups.from_arrays(group=["b", "a", "b"])
        assert_array_equal(rank_items(groups, [1.0, 0.0, 2.0]), [2.0, 1.0, 1.0])

    def test_no_rows(self):
        groups = Groups.from_arrays(group=np.zeros(0, dtype=int))
        assert rank_items(groups, []).shape == (0,)

    def test_a_plain_array_is_refused(self):
        with pytest.raises(TypeError, match=re.escape("got ndarray of shape (3,)")):
            rank_items(np.arange(3.0), np.arange(3.0))


class TestErrors:
    groups = Groups.from_arrays(group=[0, 0, 1, 1], preference=[1, -2, 3, 0])

    @pytest.mark.parametrize("metric", [*METRICS, rank_items], ids=variant_name)
    @pytest.mark.parametrize(
        ("y_score", "error", "part"),
        [
            ([1.0, 2.0], ValueError, "y_score has 2 entries but groups has 4;"),
            ([[1.0], [2], [3], [4]], ValueError, "y_score has shape (4, 1);"),
            (1.0, ValueError, "y_score has shape ();"),
            ([0, 1, np.nan, np.nan], ValueError, "y_score is nan at row 2;"),
            ([0, 1, 2, -np.inf], ValueError, "y_score is -inf at row 3;"),
            (["1", "2", "3", "4"], TypeError, "y_score has dtype <U1, '1' at row 0;"),
            ([1, "2", None, 4], TypeError, "y_score has dtype object, '2' at row 1;"),
            (
                np.array(["1", 2, 3, 4], object),
                TypeError,
                "dtype object, '1' at row 0;",
            ),
            (np.ones(4, dtype=complex), TypeError, "y_score has dtype complex128;"),
            ({1.0, 2.0}, TypeError, "y_score is a set; expected one score per row"),
            ("score", TypeError, "y_score is a str; expected one score per row"),
            (
                groups,
                TypeError,
                "with the fields ['group', 'preference', 'group_size'];",
            ),
        ],
    )
    def test_scores(self, metric, y_score, error, part):
        with pytest.raises(error, match=re.escape(part)):
            metric(self.groups, y_score)

    @pytest.mark.parametrize("metric", METRICS, ids=variant_name)
    @pytest.mark.parametrize(
        ("k", "error", "got"),
        [
            (0, ValueError, "Got 0 instead."),
            (-3, ValueError, "Got -3 instead."),
            (2.0, TypeError, "Got 2.0 instead."),
            (True, TypeError, "Got True instead."),
            ("3", TypeError, "Got '3' instead."),
        ],
    )
    def test_depth(self, metric, k, error, got):
        part = (
            f"The 'k' parameter of {metric.__name__} must be an int in the range "
            f"[1, inf) or None. {got}"
        )
        with pytest.raises(error, match=re.escape(part)):
            metric(self.groups, np.arange(4.0), k=k)

    @pytest.mark.parametrize("metric", METRICS, ids=variant_name)
    def test_average(self, metric):
        part = f"The 'average' parameter of {metric.__name__} must be a bool. Got 'mac"
        with pytest.raises(TypeError, match=re.escape(part)):
            metric(self.groups, np.arange(4.0), average="macro")

    @pytest.mark.parametrize("metric", METRICS[1:3], ids=variant_name)
    @pytest.mark.parametrize(("gain", "error"), [("exp", ValueError), (1, TypeError)])
    def test_gain(self, metric, gain, error):
        part = (
            f"The 'gain' parameter of {metric.__name__} must be a str among "
            f"{{'exponential', 'linear', 'rank'}}. Got {gain!r} instead."
        )
        with pytest.raises(error, match=re.escape(part)):
            metric(self.groups, np.arange(4.0), gain=gain)

    @pytest.mark.parametrize("metric", METRICS[1:3], ids=variant_name)
    @pytest.mark.parametrize("gain", ["linear", "exponential"])
    def test_negative_preference(self, metric, gain):
        part = f"preference is -2.0 at row 1; {metric.__name__} with gain='{gain}'"
        with pytest.raises(ValueError, match=re.escape(part)):
            metric(self.groups, np.arange(4.0), gain=gain)
        assert metric(self.groups, np.arange(4.0), gain="rank") > 0

    @pytest.mark.parametrize(
        ("gain", "largest", "limit"),
        [("exponential", 1025.0, "1022"), ("linear", 1.5e308, "8.98847e+307")],
    )
    def test_gain_that_overflows(self, gain, largest, limit):
        part = (
            f"preference is {largest} at row 0; dcg_score with gain='{gain}' takes at"
        )
        part += f" most {limit} for 2 rows"
        with pytest.raises(ValueError, match=re.escape(part)):
            dcg_score([largest, 1.0], [1.0, 2.0], gain=gain)
        almost = [float(limit) * 0.99, 0.0]
        assert np.isfinite(dcg_score(almost, [1.0, 2.0], gain=gain))

    @pytest.mark.parametrize("metric", METRICS, ids=variant_name)
    def test_targets(self, metric):
        groups = Groups.from_arrays(group=[0, 0], preference=[1, np.nan])
        part = f"(NaN) in 1 of 2 rows, the first at row 1; {metric.__name__} needs"
        with pytest.raises(ValueError, match=re.escape(part)):
            metric(groups, [1.0, 2.0])
        with pytest.raises(TypeError, match=re.escape("list of 2 tuple values")):
            metric([(0, 1.0), (0, 2.0)], [1.0, 2.0])
        with pytest.raises(ValueError, match=re.escape("the target y is None")):
            metric(None, [1.0, 2.0])


class TestParts:
    def test_stable_order_is_lexsort(self):
        rng = np.random.default_rng(19)
        n = 100_000
        few = rng.integers(0, 5, n)
        keys = (rng.normal(size=n), np.round(rng.normal(size=n)), few)
        assert_array_equal(stable_order(*keys), np.lexsort(keys))
        assert_array_equal(stable_order(keys[1], few), np.lexsort((keys[1], few)))
        many = rng.integers(0, 90_000, n)
        assert_array_equal(stable_order(few, many), np.lexsort((few, many)))

    @pytest.mark.parametrize(
        "values",
        [
            [1.0, 1.0 + 2**-52, -1e300, 1e300, 1.0 - 2**-53],
            [-1.7e308, 1.7e308, 0.0, -0.0, 5e-324, -5e-324],
            [5e-324, 0.0, 1e-323],
            [3.0],
        ],
        ids=["outliers", "widest", "smallest", "one"],
    )
    def test_stable_order_of_floats_that_round_to_one_integer(self, values):
        rng = np.random.default_rng(23)
        value, code = rng.choice(values, 3_000), rng.integers(0, 40, 3_000)
        assert_array_equal(stable_order(value, code), np.lexsort((value, code)))
        assert_array_equal(stable_order(value), np.lexsort((value,)))
        assert_array_equal(stable_order(code, value), np.lexsort((code, value)))

    @pytest.mark.parametrize("n", [0, 1, 2, 500])
    def test_stable_order_of_keys_that_do_not_fit_into_one_integer(self, n):
        rng = np.random.default_rng(24)
        wide, value = rng.integers(0, 2**62, n), rng.normal(size=n)
        few = rng.integers(0, 3, n)
        for keys in [(wide, few), (few, wide), (value, wide), (wide,), (value, few)]:
            assert_array_equal(stable_order(*keys), np.lexsort(keys))

    @pytest.mark.parametrize("is_weighted", [False, True])
    def test_pairs_in_disorder_by_the_double_loop(self, is_weighted):
        rng = np.random.default_rng(25)
        # Up to 256 items are compared in tables, more of them bit by bit.
        size = np.array([3, 256, 1, 257, 2, 255, 300, 9, 256, 64, 65])
        n = np.sum(size)
        segments = Segments(size)
        for level in (segments.offset, rng.permuted(segments.offset)):
            level = np.minimum(level, segments.spread(size - 1))
            level = segments.spread(size - 1) - level
            weight = rng.random(n) if is_weighted else np.ones(n, dtype=np.int64)
            expected = []
            for start, end in zip(segments.start, segments.start + size, strict=True):
                is_worse = level[start:end, None] > level[start:end]
                is_worse = is_worse * weight[start:end, None] * weight[start:end]
                expected.append(np.sum(np.triu(is_worse)))
            assert_allclose(_worse_first(level, weight, segments), expected, rtol=1e-12)
