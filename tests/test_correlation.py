"""Spearman, Pearson and the error: against scipy, arithmetic and properties."""

import re
from functools import partial

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore import Groups
from sklearn_pscore.metrics import (
    kendall_tau_score,
    make_ranking_scorer,
    neg_rmse_scorer,
    pairwise_accuracy_score,
    pearson_score,
    rmse,
    spearman_score,
)
from sklearn_pscore.metrics._logistic_map import logistic_map
from tests.test_metrics import items_by_group, random_target

MEASURES = {
    "spearman": spearman_score,
    "pearson": pearson_score,
    "pearson, mapped": partial(pearson_score, mapping="logistic"),
    "rmse": partial(rmse, within="group", mapping=None),
    "rmse, mapped": partial(rmse, within="group"),
}
OVERALL = {
    "spearman": partial(spearman_score, within="all"),
    "pearson": partial(pearson_score, within="all"),
    "pearson, mapped": partial(pearson_score, within="all", mapping="logistic"),
    "rmse": partial(rmse, mapping=None),
    "rmse, mapped": rmse,
}
UNMAPPED = [name for name in MEASURES if "mapped" not in name]
each_measure = pytest.mark.parametrize("name", MEASURES)
each_unmapped = pytest.mark.parametrize("name", UNMAPPED)


def by_definition(name, preference, score, weight):
    """Return a measure of one group; weights are multiples of a quarter."""
    times = np.round(4 * weight).astype(int)
    preference, score = np.repeat(preference, times), np.repeat(score, times)
    if name == "rmse":
        return np.sqrt(np.mean((preference - score) ** 2))
    if len(np.unique(score)) < 2:
        return 0.0
    function = {"spearman": scipy.stats.spearmanr, "pearson": scipy.stats.pearsonr}
    return function[name](preference, score).statistic


def quarters(rng):
    """Return a target whose items weigh multiples of a quarter."""
    groups, y_score = random_target(rng)
    items = np.unique(groups[["group", "item"]], return_inverse=True)[1]
    is_there = groups["weight"] > 0
    groups["weight"] = is_there * rng.integers(1, 5, items.max() + 1)[items] / 4
    return groups, y_score


def s_curve(n=80, noise=0.2, seed=0):
    """Return scores, and preferences on a logistic curve of them with noise."""
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n)
    preference = 1 + 3 / (1 + np.exp(-(score - 0.4) / 0.3))
    return score, preference + noise * rng.normal(size=n)


class TestArithmetic:
    # Figures made with scipy 1.17: spearmanr, pearsonr and kendalltau.
    score, preference = [1, 2, 2, 3, 4], [2, 1, 1.5, 5, 3]

    def test_figures_of_scipy(self):
        values = [
            metric(self.preference, self.score)
            for metric in (spearman_score, pearson_score, kendall_tau_score)
        ]
        assert_allclose(values, [0.564288094, 0.554700196, 0.316227766], atol=5e-10)

    def test_pairwise_accuracy_of_ties(self):
        # Of ten pairs six are in order, three are not, and one is tied in the score.
        assert_allclose(pairwise_accuracy_score(self.preference, self.score), 6.5 / 10)

    def test_error_of_the_definition(self):
        groups = Groups.from_arrays(
            group=[0, 0, 1, 1], preference=[3, 1, 4, 2], weight=[1, 3, 1, 1]
        )
        y_score = [4.0, 1.0, 4.0, 4.0]
        value = rmse(groups, y_score, mapping=None)
        assert_allclose(value, np.sqrt((1 * 1 + 3 * 0 + 0 + 4) / 6))
        value = rmse(groups, y_score, within="group", mapping=None)
        assert_allclose(value, (np.sqrt(1 / 4) + np.sqrt(4 / 2)) / 2)

    def test_the_mean_of_groups_and_all_items_answer_two_questions(self):
        # In each group the score orders the items, but it knows no group's level.
        groups = Groups.from_arrays(group=[0, 0, 1, 1], preference=[1, 2, 11, 12])
        for metric in (spearman_score, pearson_score):
            assert_allclose(metric(groups, [3.0, 4.0, 1.0, 2.0]), 1.0)
            assert metric(groups, [3.0, 4.0, 1.0, 2.0], within="all") < -0.5


class TestOracle:
    @each_unmapped
    def test_random_small_groups(self, name):
        rng = np.random.default_rng(0)
        for _ in range(8):
            groups, y_score = quarters(rng)
            expected = [
                by_definition(name, *columns)
                if len(np.unique(columns[0])) > 1
                else np.nan
                for columns in items_by_group(groups, y_score).values()
            ]
            values = MEASURES[name](groups, y_score, average=False)
            assert_allclose(values, expected, rtol=1e-10, atol=1e-12)
            mean = MEASURES[name](groups, y_score)
            assert_allclose(mean, np.nanmean(expected), rtol=1e-10, atol=1e-12)

    @each_unmapped
    def test_all_items_at_once(self, name):
        rng = np.random.default_rng(1)
        for _ in range(8):
            groups, y_score = quarters(rng)
            columns = items_by_group(groups, y_score).values()
            pooled = [np.concatenate(column) for column in zip(*columns, strict=True)]
            expected = by_definition(name, *pooled)
            assert_allclose(OVERALL[name](groups, y_score), expected, rtol=1e-10)

    @each_unmapped
    def test_a_long_group(self, name):
        rng = np.random.default_rng(2)
        preference, score = np.round(rng.normal(size=(2, 5_000)), 2)
        score += 0.3 * preference
        expected = by_definition(name, preference, score, np.ones(5_000))
        assert_allclose(MEASURES[name](preference, score), expected, rtol=1e-10)


class TestMapping:
    def test_as_good_as_curve_fit_from_the_range_of_the_data(self):
        def curve(x, b1, b2, b3, b4):
            return (b1 - b2) / (1 + np.exp(-(x - b3) / np.abs(b4))) + b2

        for seed in range(5):
            score, preference = s_curve(seed=seed)
            start = (preference.max(), preference.min(), np.mean(score), np.std(score))
            best, _ = scipy.optimize.curve_fit(curve, score, preference, start)
            expected = curve(score, *best)
            mapped, rises = logistic_map(score, preference, np.ones(80))
            assert rises
            assert_allclose(mapped, expected, atol=1e-4)
            error = np.sqrt(np.mean((expected - preference) ** 2))
            assert_allclose(rmse(preference, score), error, rtol=1e-7)
            r = scipy.stats.pearsonr(expected, preference).statistic
            value = pearson_score(preference, score, mapping="logistic")
            assert_allclose(value, r, rtol=1e-7)

    def test_weights_are_repeated_items(self):
        score, preference = s_curve()
        weight = np.random.default_rng(3).integers(1, 4, 80)
        groups = Groups.from_arrays(
            group=np.zeros(80), preference=preference, weight=weight
        )
        repeated = [np.repeat(column, weight) for column in (preference, score)]
        for metric in (rmse, partial(pearson_score, mapping="logistic")):
            assert_allclose(metric(groups, score), metric(*repeated), rtol=1e-6)

    def test_it_is_one_map_for_all_groups(self):
        score, preference = s_curve()
        group = np.arange(80) // 4
        groups = Groups.from_arrays(group=group, preference=preference)
        mapped, _ = logistic_map(score, preference, np.ones(80))
        expected = pearson_score(groups, mapped)
        value = pearson_score(groups, score, mapping="logistic")
        assert_allclose(value, expected, rtol=1e-8)
        assert value > pearson_score(groups, score)

    def test_a_falling_map_helps_nobody(self):
        score, preference = s_curve()
        falling = pearson_score(preference, -score, mapping="logistic")
        rising = pearson_score(preference, score, mapping="logistic")
        assert_allclose(falling, -rising, rtol=1e-8)
        assert_allclose(rmse(preference, -score), np.std(preference), rtol=1e-12)

    @pytest.mark.parametrize("factor", [1e-300, 1e-9, 1e9, 1e300])
    def test_any_scale(self, factor):
        score, preference = s_curve()
        for metric in (rmse, partial(pearson_score, mapping="logistic")):
            expected = metric(preference, score)
            assert_allclose(metric(preference, factor * score), expected, rtol=1e-6)
        value = rmse(factor * preference, score)
        assert_allclose(value, factor * rmse(preference, score), rtol=1e-6)

    def test_lines_and_steps(self):
        line = np.arange(30.0)
        assert rmse(2 * line + 1, line) < 1e-3
        step = (line > 11).astype(float)
        assert rmse(step, line) < 1e-6
        assert_allclose(rmse([1.0, 2.0, 4.0], np.zeros(3)), np.std([1.0, 2.0, 4.0]))


class TestProperties:
    @each_measure
    @pytest.mark.parametrize("measures", [MEASURES, OVERALL], ids=["groups", "all"])
    def test_rows_labels_and_group_order_change_no_bit(self, name, measures):
        measure = measures[name]
        rng = np.random.default_rng(6)
        n = 300
        group, item = rng.integers(0, 9, n), rng.integers(0, 12, n)
        preference = rng.random((9, 12))[group, item] // 0.2 * 0.3
        weight, y_score = rng.random(n), rng.normal(size=n) // 0.2 * 0.1
        fields = {"item": item, "preference": preference, "weight": weight}
        expected = measure(Groups.from_arrays(group=group, **fields), y_score)
        names = np.array(["zeta", "b", "a", "10", "9", "-1", "Z", "é", "x y"])
        for labels in (names[group], 8 - group):
            rows = rng.permutation(n)
            moved = {field: column[rows] for field, column in fields.items()}
            groups = Groups.from_arrays(group=labels[rows], **moved)
            assert measure(groups, y_score[rows]) == expected

    @each_unmapped
    def test_a_group_does_not_depend_on_the_others(self, name):
        groups, y_score = random_target(np.random.default_rng(7), n_groups=6)
        values = MEASURES[name](groups, y_score, average=False)
        for code, label in enumerate(np.unique(groups["group"])):
            in_group = groups["group"] == label
            if not np.isnan(values[code]):
                alone = MEASURES[name](groups[in_group], y_score[in_group])
                assert alone == values[code]

    def test_maps_of_the_score(self):
        groups, y_score = random_target(np.random.default_rng(8), several_rows=False)
        expected = spearman_score(groups, y_score)
        assert spearman_score(groups, np.exp(y_score)) == expected
        expected = pearson_score(groups, y_score)
        assert_allclose(pearson_score(groups, 1e6 * y_score - 3), expected, rtol=1e-9)
        assert_allclose(pearson_score(groups, -y_score), -expected, rtol=1e-12)

    @each_measure
    def test_weight_zero_is_a_row_that_is_not_there(self, name):
        groups, y_score = random_target(np.random.default_rng(14))
        present = groups["weight"] > 0
        y_score[~present] = 1e9
        for measure in (MEASURES[name], OVERALL[name]):
            expected = measure(groups[present], y_score[present])
            assert measure(groups, y_score) == expected

    @each_measure
    def test_a_common_factor_of_the_weights_is_immaterial(self, name):
        groups, y_score = random_target(np.random.default_rng(15))
        for measure in (MEASURES[name], OVERALL[name]):
            expected = measure(groups, y_score)
            for factor in (1e-300, 1e300, 0.1):
                scaled = groups.copy()
                scaled["weight"] *= factor
                value = measure(scaled, y_score)
                assert_allclose(value, expected, rtol=1e-6, atol=1e-12)

    @each_measure
    @pytest.mark.parametrize(
        "preference", [[1e-300, 3e-300, 2e-300], [1e300, 0, -1e300]]
    )
    def test_extreme_numbers_stay_finite(self, name, preference):
        for y_score in ([1e300, -1e300, 0.0], [5e-324, 0.0, 0.0], [1.0, 1 + 2e-16, 1]):
            for measure in (MEASURES[name], OVERALL[name]):
                assert np.isfinite(measure(preference, y_score))

    def test_numbers_one_bit_apart(self):
        steps = np.array([3, 0, 2, 0])
        expected = scipy.stats.pearsonr(steps, [1, 2, 3, 4]).statistic
        for large in (1.0, 2.0**60):
            close = large * (1 + steps * 2.0**-52)
            assert_allclose(pearson_score(close, [1, 2, 3, 4]), expected, rtol=1e-12)

    @pytest.mark.parametrize("measures", [MEASURES, OVERALL], ids=["groups", "all"])
    def test_constant_scores_say_nothing(self, measures):
        groups, y_score = random_target(np.random.default_rng(16))
        for name in ("spearman", "pearson", "pearson, mapped"):
            assert measures[name](groups, np.full(len(y_score), 0.1)) == 0.0

    def test_uninformative_groups_are_left_out_of_the_mean(self):
        groups = Groups.from_arrays(
            group=["one", "tied", "tied", "told", "told", "told"],
            preference=[1, 2, 2, 1, 2, 4],
        )
        y_score = np.array([3.0, 1, 2, 1, 2, 3])
        for name in UNMAPPED:
            expected = MEASURES[name]([1.0, 2, 4], [1.0, 2, 3])
            assert MEASURES[name](groups, y_score) == expected
            values = MEASURES[name](groups, y_score, average=False)
            assert_array_equal(values, [np.nan, np.nan, expected])
        # Over all items every judged one counts.
        expected = spearman_score(groups["preference"], y_score)
        assert spearman_score(groups, y_score, within="all") == expected

    def test_arguments_are_left_alone(self):
        groups, y_score = random_target(np.random.default_rng(9))
        kept = groups.tobytes(), y_score.tobytes()
        for measure in [*MEASURES.values(), *OVERALL.values()]:
            measure(groups, y_score)
        assert (groups.tobytes(), y_score.tobytes()) == kept


class TestScorer:
    def test_smaller_errors_are_better(self):
        scorer = make_ranking_scorer(rmse, greater_is_better=False, mapping=None)
        text = "make_ranking_scorer(rmse, greater_is_better=False, mapping=None)"
        assert repr(scorer) == text
        assert scorer.__name__ == neg_rmse_scorer.__name__ == "neg_rmse"

        class Twice:
            def predict(self, X):
                return 2 * X[:, 0]

        X = np.array([[1.0], [2.0], [3.0]])
        expected = -np.sqrt((1 + 4 + 9) / 3)
        assert_allclose(scorer(Twice(), X, np.array([1.0, 2.0, 3.0])), expected)

    def test_your_own_error(self):
        def share_wrong(groups, y_score):
            return 1 - pairwise_accuracy_score(groups, y_score)

        scorer = make_ranking_scorer(share_wrong, greater_is_better=False)
        assert (
            repr(scorer) == "make_ranking_scorer(share_wrong, greater_is_better=False)"
        )


class TestErrors:
    groups = Groups.from_arrays(group=[0, 0, 1, 1], preference=[1, 2, 3, 0])

    @pytest.mark.parametrize(
        ("metric", "options", "error", "part"),
        [
            (
                spearman_score,
                {"within": "groups"},
                ValueError,
                "The 'within' parameter of spearman_score must be a str among {'group', "
                "'all'}. Got 'groups' instead.",
            ),
            (rmse, {"within": None}, TypeError, "Got None instead."),
            (rmse, {"within": ["all"]}, TypeError, "Got ['all'] instead."),
            (
                pearson_score,
                {"mapping": "cubic"},
                ValueError,
                "must be a str among {'logistic'} or None. Got 'cubic' instead.",
            ),
            (
                rmse,
                {"average": False},
                ValueError,
                "rmse got within='all' and average=False; expected one of them",
            ),
            (pearson_score, {"average": 1}, TypeError, "must be a bool. Got 1 instead"),
        ],
    )
    def test_options(self, metric, options, error, part):
        with pytest.raises(error, match=re.escape(part)):
            metric(self.groups, np.arange(4.0), **options)

    def test_no_two_preferences_differ(self):
        part = "The 2 items that count have the preferences [3.0]; rmse with"
        with pytest.raises(ValueError, match=re.escape(part)):
            rmse(Groups.from_arrays(group=[0, 1], preference=[3, 3]), [1.0, 2.0])
        with pytest.raises(ValueError, match="every group has a single item"):
            spearman_score(Groups.from_arrays(group=[0, 1], preference=[3, 4]), [1, 2])
        part = "The 0 items that count have the preferences []"
        groups = Groups.from_arrays(group=[0, 0], preference=[1, 2], weight=[0, 0])
        with pytest.raises(ValueError, match=re.escape(part)):
            rmse(groups, [1.0, 2.0])

    def test_weights_too_far_apart(self):
        groups = Groups.from_arrays(
            group=[0, 0], preference=[1, 2], weight=[1e300, 1e-300]
        )
        for metric in (spearman_score, pearson_score):
            with pytest.raises(ValueError, match="weight is 1e-300 in one item"):
                metric(groups, [1.0, 2.0])

    def test_the_direction_of_a_scorer(self):
        part = (
            "greater_is_better is True for rmse, of which the smaller value is better"
        )
        with pytest.raises(ValueError, match=re.escape(part)):
            make_ranking_scorer(rmse)
        part = "greater_is_better is False for pearson_score, of which the larger value"
        with pytest.raises(ValueError, match=re.escape(part)):
            make_ranking_scorer(pearson_score, greater_is_better=False)
        with pytest.raises(TypeError, match="must be a bool. Got 'no' instead."):
            make_ranking_scorer(pearson_score, greater_is_better="no")
