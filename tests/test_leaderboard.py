"""Leaderboards: means, sets of ranks, draws, and what they may depend on."""

import itertools
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.covariance import ledoit_wolf_shrinkage

from benchmarks.inspection import coverage
from sklearn_pscore import Groups
from sklearn_pscore.datasets import fetch_thqa
from sklearn_pscore.inspection import (
    Leaderboard,
    _clusters,
    bootstrap_leaderboard,
    compare_agreement,
)
from sklearn_pscore.inspection._additive import connected_parts, system_means
from sklearn_pscore.inspection._clusters import drawn_counts
from sklearn_pscore.inspection._rank_sets import (
    PairStatistics,
    _largest,
    differing,
    pair_statistics,
    rank_sets,
    shares_above,
    smoothed_draws,
)


def table_target(table, **fields):
    """Return the target of a table with a row per group and a column per system."""
    n_groups, n_systems = np.shape(table)
    return Groups.from_arrays(
        group=np.repeat(np.arange(n_groups), n_systems),
        item=np.tile(list("abcdefgh"[:n_systems]), n_groups),
        preference=np.ravel(table),
        **fields,
    )


def normal_table(means=(2.0, 1.0, 0.9, 0.0), n_groups=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_groups, len(means))) + means


def quick(groups, y_score=None, **options):
    options = {"n_boot": 500, "random_state": 0, **options}
    return bootstrap_leaderboard(groups, y_score, **options)


def incomplete(seed=0, n_groups=30):
    """Return columns of rows in which systems miss some groups."""
    rng = np.random.default_rng(seed)
    group, system = np.divmod(np.arange(n_groups * 5), 5)
    kept = (rng.random(len(group)) < 0.6) | (group == 0)
    group = np.unique(group[kept], return_inverse=True)[1]
    system = system[kept]
    level = 3 * rng.normal(size=group.max() + 1)
    value = rng.normal(size=len(group)) + system + level[group]
    weight = rng.integers(1, 4, len(group)).astype(float)
    return value, weight, group, system


class TestMeans:
    def test_plain_means_of_complete_groups(self):
        table = normal_table()
        systems = quick(table_target(table)).systems
        assert_allclose(systems["mean"], np.sort(table.mean(axis=0))[::-1])
        assert systems["n_groups"].tolist() == [40] * 4

    def test_least_squares_of_incomplete_groups(self):
        value, weight, group, system = incomplete()
        design = np.column_stack([np.eye(group.max() + 1)[group], np.eye(5)[system]])
        root = np.sqrt(weight)
        coefficients = np.linalg.lstsq(design * root[:, None], value * root)[0]
        level, effect = coefficients[:-5], coefficients[-5:]
        group_weight = np.bincount(group, weight) / np.bincount(group)
        expected = effect + np.average(level, weights=group_weight)
        means = system_means(value, weight, group, system, group)
        assert_allclose(means.mean, expected, rtol=1e-10)
        assert_array_equal(means.n_groups, np.bincount(system))

    def test_a_hard_group_does_not_pull_its_systems_down(self):
        # b is in the hard groups only, and better than a wherever they meet.
        groups = Groups.from_arrays(
            group=[0, 0, 1, 1, 2, 2, 3, 3],
            item=["a", "c", "a", "c", "b", "a", "b", "a"],
            preference=[9, 8, 9.5, 8, 3, 2, 3.5, 2],
        )
        systems = quick(groups).systems
        assert systems["item"].tolist() == ["b", "a", "c"]
        assert_allclose(np.diff(systems["mean"]), [-1.25, -1.25])

    @pytest.mark.parametrize("cluster", ["group", "pairs of groups", "rows"])
    def test_influence_is_the_derivative_by_the_weight_of_a_cluster(self, cluster):
        value, weight, group, system = incomplete()
        codes = {
            "group": group,
            "pairs of groups": group // 2,
            "rows": np.arange(len(group)) % 7,
        }[cluster]
        means = system_means(value, weight, group, system, codes)
        factor = np.sqrt(means.n_clusters / (means.n_clusters - 1))
        assert_allclose(means.influence.sum(axis=0), 0, atol=1e-12)
        assert_allclose(means.contrast.sum(axis=0), 0, atol=1e-12)
        for number in range(5):
            more = weight * np.where(codes == number, 1 + 1e-6, 1)
            moved = system_means(value, more, group, system, codes).mean - means.mean
            # The weight of a group in the mean of levels moves, too.
            difference = moved[:, None] - moved
            expected = (means.contrast / factor)[number]
            assert_allclose(
                difference / 1e-6, expected[:, None] - expected, rtol=1e-3, atol=1e-6
            )
            if cluster != "rows":
                influence = (means.influence / factor)[number]
                assert_allclose(moved / 1e-6, influence, rtol=1e-3, atol=1e-6)

    def test_draws_of_complete_groups_are_those_of_a_bootstrap(self):
        table = normal_table(n_groups=12)
        group, system = np.divmod(np.arange(48), 4)
        means = system_means(table.ravel(), np.ones(48), group, system, group)
        rows = np.random.default_rng(1).integers(0, 12, 12)
        counts = np.bincount(rows, minlength=12)
        moved = table[rows].mean(axis=0) - table.mean(axis=0)
        wider = np.sqrt(12 / 11)
        assert_allclose(counts @ means.influence, wider * moved, atol=1e-12)
        error = np.sqrt(np.sum(means.influence**2, axis=0))
        assert_allclose(error, table.std(axis=0, ddof=1) / np.sqrt(12))

    def test_weights_of_many_groups_do_not_spoil_the_inverse(self):
        # The constants are the null space of a matrix whose other eigenvalues grow.
        rng = np.random.default_rng(2)
        kept = rng.random((800, 14)) < 0.8
        group, system = np.nonzero(kept)
        group = np.unique(group, return_inverse=True)[1]
        value = rng.normal(size=len(group))
        means = system_means(value, np.ones(len(group)), group, system, group)
        assert_allclose(means.influence.sum(axis=0), 0, atol=1e-12)

    def test_parts(self):
        group, system = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 3, 2, 2])
        assert connected_parts(group, system).tolist() == [0, 0, 1, 1]


class TestRankSets:
    def independent(self, n_draws=100_000):
        """Return four means of error .2, and draws of them."""
        mean = np.array([3.0, 2.2, 2.0, 0.0])
        difference, error = mean[:, None] - mean, np.full((4, 4), 0.2 * np.sqrt(2))
        draws = np.random.default_rng(0).normal(scale=0.2, size=(n_draws, 4))
        return PairStatistics(difference, error, difference / error), draws

    def test_figures_of_independent_means(self):
        # scipy.stats.studentized_range.ppf(.95, 4, inf) / sqrt(2) = 2.569031772.
        statistics, draws = self.independent()
        largest = _largest(draws, 1 / statistics.error)
        assert_allclose(np.quantile(largest, 0.95), 2.569031772, atol=0.02)
        is_better, limit = differing(statistics.normal, draws, statistics.error, 0.95)
        lowest, highest = rank_sets(is_better)
        assert list(zip(lowest, highest, strict=True)) == [
            (1, 1),
            (2, 3),
            (2, 3),
            (4, 4),
        ]
        # Pairs that were told apart no longer count.
        assert 1.9 < limit < 2.5

    def test_steps_by_a_loop(self):
        rng = np.random.default_rng(3)
        mean = np.array([3.0, 2.3, 2.0, 1.5, 0.0])
        contrast = rng.normal(size=(30, 5)) / 30
        contrast -= contrast.mean(axis=0)
        statistics = pair_statistics(mean, contrast, np.full(5, 30), 0.0)
        draws = rng.multinomial(30, np.full(30, 1 / 30), 300) @ contrast
        pairs = list(itertools.permutations(range(5), 2))
        found = set()
        while True:
            left = [pair for pair in pairs if pair not in found]
            largest = [
                max((d[i] - d[j]) / statistics.error[i, j] for i, j in left)
                for d in draws
            ]
            limit = np.quantile(largest, 0.95, method="higher")
            more = {pair for pair in left if statistics.normal[pair] > limit}
            if not more:
                break
            found |= more
        is_better, last = differing(statistics.normal, draws, statistics.error, 0.95)
        assert {tuple(pair) for pair in np.argwhere(is_better)} == found
        assert_allclose(last, limit)
        assert 0 < len(found) < 10

    def test_few_clusters_are_judged_by_students_t(self):
        rng = np.random.default_rng(4)
        table = rng.normal(size=(8, 2)) + [1.0, 0.0]
        group, system = np.divmod(np.arange(16), 2)
        means = system_means(table.ravel(), np.ones(16), group, system, group)
        statistics = pair_statistics(means.mean, means.contrast, means.n_clusters, 0.0)
        expected = scipy.stats.ttest_rel(*table.T)
        error = np.std(table[:, 0] - table[:, 1], ddof=1) / np.sqrt(8)
        assert_allclose(statistics.error[0, 1], error)
        p = 2 * scipy.stats.norm.sf(abs(statistics.normal[0, 1]))
        assert_allclose(p, expected.pvalue)
        assert_allclose(statistics.normal, -statistics.normal.T)

    def test_smoothed_draws_keep_their_variance(self):
        rng = np.random.RandomState(8)
        # The first two systems go together.
        contrast = rng.normal(size=(40, 4)) @ np.diag([1, 1, 2, 3])
        contrast[:, 1] = contrast[:, 0] + 0.1 * contrast[:, 1]
        contrast -= contrast.mean(axis=0)
        draws = rng.multinomial(40, np.full(40, 1 / 40), 20_000) @ contrast
        smooth, variance = smoothed_draws(contrast, draws, rng)
        assert_allclose(smooth.std(axis=0), draws.std(axis=0), rtol=0.03)
        difference = (smooth[:, :, None] - smooth[:, None]).std(axis=0)
        assert_allclose(difference, np.sqrt(variance), rtol=0.03)
        # Both correlations are nearer to zero by the same share.
        share = 1 - np.corrcoef(smooth.T)[0, 1] / np.corrcoef(draws.T)[0, 1]
        expected = ledoit_wolf_shrinkage(
            contrast / np.sqrt(np.mean(contrast**2, axis=0)), assume_centered=True
        )
        assert_allclose(share, expected, atol=0.02)
        assert 0.02 < expected < 0.5

    def test_few_clusters_need_it(self):
        # Ten clusters of twelve systems: their correlations are mostly chance.
        rng = np.random.RandomState(9)
        limits = []
        for _ in range(20):
            contrast = rng.normal(size=(10, 12))
            contrast -= contrast.mean(axis=0)
            statistics = pair_statistics(np.zeros(12), contrast, np.full(12, 10), 0.0)
            draws = rng.multinomial(10, np.full(10, 0.1), 500) @ contrast
            smooth, variance = smoothed_draws(contrast, draws, rng)
            limits.append(
                [
                    differing(statistics.normal, *drawn, 0.95)[1]
                    for drawn in (
                        (draws, statistics.error),
                        (smooth, np.sqrt(variance)),
                    )
                ]
            )
        raw, smooth = np.mean(limits, axis=0)
        right = scipy.stats.studentized_range.isf(0.05, 12, np.inf) / np.sqrt(2)
        assert raw < right - 0.1
        assert abs(smooth - right) < 0.1

    def test_shares_by_a_loop(self):
        rng = np.random.default_rng(5)
        mean = np.array([0.3, 0.2, 0.2])
        draws = np.round(rng.normal(size=(200, 3)), 1)
        share = shares_above(mean, draws, 1e-9)
        for i, j in itertools.product(range(3), repeat=2):
            difference = np.round(mean[i] + draws[:, i] - mean[j] - draws[:, j], 6)
            expected = np.mean((difference > 0) + (difference == 0) / 2)
            assert_allclose(share[i, j], expected)

    def test_it_holds_what_it_promises(self):
        # benchmarks/inspection/coverage.py draws more of many cases.
        for case in (
            coverage.Case("equal", n_clusters=20),
            coverage.Case("equal", "normal", 20, groups_per_cluster=5, share=0.5),
        ):
            row = coverage.measure(case, 80)
            assert row["ranks_in_sets"] >= 0.87
            assert 0.90 <= row["mean_in_interval"] <= 0.99


class TestTable:
    def test_columns_and_order(self):
        board = quick(table_target(normal_table()))
        assert isinstance(board, Leaderboard)
        systems = board.systems
        assert systems["item"].tolist() == ["a", "b", "c", "d"]
        assert systems["rank"].tolist() == [1, 2, 3, 4]
        assert systems["rank_low"].tolist() == [1, 2, 2, 4]
        assert systems["rank_high"].tolist() == [1, 3, 3, 4]
        assert systems["class"].tolist() == [1, 2, 2, 3]
        assert systems["differs_from_next"].tolist() == [True, False, True, False]
        assert np.all(systems["low"] < systems["mean"])
        assert np.all(systems["mean"] < systems["high"])
        more = systems["more_groups"]
        assert more[0] == more[2] == 0
        assert more[1] >= 1
        assert np.isnan(more[3])
        assert (board.n_groups, board.n_clusters, board.n_boot) == (40, 40, 500)

    def test_probabilities(self):
        board = quick(table_target(normal_table()))
        share = board.win_probability
        assert_allclose(share + share.T, 1.0)
        assert_allclose(np.diag(share), 0.5)
        assert share.index.tolist() == board.systems["item"].tolist()
        assert board.systems["beats_next"][1] == share.loc["b", "c"]
        assert share.loc["a", "d"] == 1.0
        table = normal_table()
        t = scipy.stats.ttest_rel(table[:, 1], table[:, 2])
        one_sided = 1 - scipy.stats.norm.sf(t.statistic)
        assert_allclose(share.loc["b", "c"], one_sided, atol=0.06)
        better = board.is_better
        assert better.loc["a", "b"]
        assert not better.loc["b", "a"]
        assert not better.loc["b", "c"]

    def test_intervals_are_those_of_students_t(self):
        table = normal_table(n_groups=9)
        systems = quick(table_target(table), n_boot=20_000).systems
        error = table.std(axis=0, ddof=1) / 3
        expected = scipy.stats.t.isf(0.025, 8) * error
        width = (systems["high"] - systems["low"]) / 2
        assert_allclose(np.sort(width), np.sort(expected), rtol=0.1)

    def test_as_many_groups_more_part_two(self):
        table = normal_table((0.15, 0.0), n_groups=50, seed=7)
        systems = quick(table_target(table)).systems
        assert not systems["differs_from_next"][0]
        # Copies of the groups: the limit is drawn, so with a margin on both sides.
        times = (50 + systems["more_groups"][0]) / 50
        for margin, expected in ((1.25, True), (0.8, False)):
            copies = np.tile(table, (round(margin * times), 1))
            part = quick(table_target(copies)).systems
            assert part["differs_from_next"][0] == expected

    def test_side_by_side(self):
        groups = table_target(normal_table())
        score = -groups["preference"]
        people, turned = quick(groups), quick(groups, score)
        assert (people.of, turned.of) == ("preference", "score")
        frame = people.beside(turned)
        assert frame["item"].tolist() == ["a", "b", "c", "d"]
        assert frame["score rank"].tolist() == [4, 3, 2, 1]
        assert_allclose(frame["score mean"], -frame["preference mean"])
        assert frame["overlap"].tolist() == [False, True, True, False]
        named = people.beside(people, names=("people", "again"))
        assert named["overlap"].all()
        assert "again rank_high" in named

    def test_draws_in_parts(self, monkeypatch):
        groups = table_target(normal_table())
        scores = {"a": groups["preference"], "b": groups["preference"] ** 2}
        board = quick(groups)
        compared = compare_agreement(groups, scores, n_boot=200, random_state=0)
        # Seven draws of the forty groups at a time.
        monkeypatch.setattr(_clusters, "_CELLS", 300)
        assert [len(c) for c in drawn_counts(40, 20, np.random.RandomState())] == [
            7,
            7,
            6,
        ]
        for column in ("low", "beats_next", "rank_high"):
            assert_allclose(quick(groups).systems[column], board.systems[column])
        again = compare_agreement(groups, scores, n_boot=200, random_state=0)
        assert_allclose(again.methods["low"], compared.methods["low"])

    def test_text(self):
        text = str(quick(table_target(normal_table())))
        assert text.startswith("Mean preference of 4 systems in 40 groups, intervals")
        assert re.search(
            r"^ +2 +b +\d\.\d{3} +\[.+\] +2-3 +2 +0\.\d\d +\d+$", text, re.M
        )
        assert re.search(r"^ +4 +d .+ 4-4 +3 *$", text, re.M)
        assert "nan" not in text

    def test_html_of_a_notebook(self):
        groups = table_target(normal_table())
        system = np.where(groups["item"] == "a", "<i>ours</i>", groups["item"])
        html = quick(groups, item=system)._repr_html_()
        assert "<td>&lt;i&gt;ours&lt;/i&gt;</td>" in html
        assert html.startswith("<p>Mean preference of 4 systems in 40 groups")
        assert html.count("<tr") == 5
        assert "nan" not in html

    def test_a_seed_gives_the_same_again(self):
        groups = table_target(normal_table())
        first, second = quick(groups), quick(groups)
        pd.testing.assert_frame_equal(first.systems, second.systems)
        assert not first.systems.equals(quick(groups, random_state=1).systems)
        frame = first.to_frame()
        frame["mean"] = 0.0
        assert first.systems["mean"].max() > 1

    def test_the_draws_of_the_global_generator_are_not_touched(self):
        np.random.seed(3)  # noqa: NPY002
        expected = np.random.random()  # noqa: NPY002
        np.random.seed(3)  # noqa: NPY002
        quick(table_target(normal_table()))
        assert np.random.random() == expected  # noqa: NPY002


class TestRefits:
    def scored(self, seed=0, n_groups=30, n_refits=15, noise=0.4):
        """Return equal systems, whose scores a training moves by chance."""
        rng = np.random.default_rng(seed)
        table = rng.normal(size=(n_groups, 4))
        moved = noise * rng.normal(size=(n_refits + 1, 4))
        scores = (table + moved[:, None]).reshape(n_refits + 1, -1)
        return table_target(table), scores[0], scores[1:].T

    def test_means_stay_and_variances_are_added(self):
        groups, score, refits = self.scored()
        certain = quick(groups, score, n_boot=20_000).systems
        board = quick(groups, score, y_refits=refits, n_boot=20_000)
        systems = board.systems
        assert_allclose(systems["mean"], certain["mean"], rtol=1e-12)
        table = score.reshape(30, 4)
        means = refits.T.reshape(15, 30, 4).mean(axis=1)
        of_items, of_model = table.var(axis=0, ddof=1) / 30, means.var(axis=0, ddof=1)
        degrees = (of_items + of_model) ** 2 / (of_items**2 / 29 + of_model**2 / 14)
        half = scipy.stats.t.isf(0.025, degrees) * np.sqrt(of_items + of_model)
        width = systems.set_index("item")["high"] - systems.set_index("item")["low"]
        assert_allclose(width[list("abcd")] / 2, half, rtol=0.12)

    def test_p_value_of_two_systems(self):
        groups, score, refits = self.scored()
        two = groups["item"] < "c"
        board = quick(
            Groups.whole(groups[two]), score[two], y_refits=refits[two], n_boot=20_000
        )
        table = score[two].reshape(30, 2)
        difference = table[:, 0] - table[:, 1]
        means = refits[two].T.reshape(15, 30, 2).mean(axis=1)
        error = np.sqrt(
            difference.var(ddof=1) / 30 + np.var(means[:, 0] - means[:, 1], ddof=1)
        )
        expected = scipy.stats.norm.cdf(difference.mean() / error)
        assert_allclose(board.win_probability.loc["a", "b"], expected, atol=0.03)

    def test_ranks_hold_with_them_and_not_without(self):
        held = []
        for seed in range(60):
            groups, score, refits = self.scored(seed)
            held.append(
                [
                    np.all(
                        quick(groups, score, y_refits=y, n_boot=300).systems[
                            "rank_high"
                        ]
                        == 4
                    )
                    for y in (refits, None)
                ]
            )
        with_refits, without = np.mean(held, axis=0)
        assert with_refits >= 0.88
        assert without < 0.5

    def test_equal_refits_add_nothing(self):
        groups, score, _ = self.scored()
        refits = np.column_stack([score] * 5)
        systems = quick(groups, score, y_refits=refits).systems
        columns = ["mean", "rank", "beats_next"]
        expected = quick(groups, score).systems
        pd.testing.assert_frame_equal(systems[columns], expected[columns])
        assert_allclose(systems["low"], expected["low"])

    @pytest.mark.parametrize(
        ("y_refits", "part"),
        [
            (np.zeros(120), "y_refits has shape (120,); expected one row per row"),
            (np.zeros((120, 4)), "y_refits has shape (120, 4); expected one row per"),
            (np.zeros((7, 5)), "y_score has 7 entries but groups has 120"),
            (np.full((120, 5), np.nan), "y_score is nan at row 0"),
        ],
    )
    def test_errors(self, y_refits, part):
        groups, score, _ = self.scored()
        with pytest.raises(ValueError, match=re.escape(part)):
            quick(groups, score, y_refits=y_refits)

    def test_refits_of_no_score(self):
        groups, _, refits = self.scored()
        with pytest.raises(ValueError, match="got y_refits without y_score; expected"):
            quick(groups, y_refits=refits)


class TestRows:
    def check_same(self, groups, expected, y_score=None, **options):
        columns = ["item", "rank", "rank_low", "rank_high", "class"]
        systems = quick(groups, y_score, **options).systems
        pd.testing.assert_frame_equal(systems[columns], expected[columns])
        assert_allclose(systems["mean"], expected["mean"], rtol=1e-12)

    def test_order_and_labels(self):
        groups = table_target(normal_table())
        expected = quick(groups).systems
        rows = np.random.default_rng(6).permutation(len(groups))
        self.check_same(groups[rows], expected)
        moved = Groups.from_arrays(
            group=(groups["group"] * 7 + 3) % 40,
            item=groups["item"],
            preference=groups["preference"],
        )
        self.check_same(moved, expected)

    def test_rows_that_do_not_count(self):
        groups = table_target(normal_table())
        expected = quick(groups).systems
        n = len(groups)
        more = Groups.from_arrays(
            group=[*groups["group"], 0, 1, 98, 99],
            item=[*groups["item"], "e", "f", "a", "a"],
            preference=[*groups["preference"], 9, 9, np.nan, 5],
            weight=[*np.ones(n), 0, 1, 1, 1],
            donor=[*np.zeros(n), 0, 1, 0, 0],
        )
        self.check_same(more, expected)

    def test_systems_that_nobody_judged(self):
        groups = table_target(normal_table())
        expected = quick(groups).systems
        groups = Groups.from_arrays(
            group=np.append(groups["group"], [0, 1]),
            item=np.append(groups["item"], ["new", "newer"]),
            preference=np.append(groups["preference"], [np.nan, np.nan]),
        )
        part = re.escape("leaves out 2 systems without a judged row: ['new', 'newer'].")
        with pytest.warns(UserWarning, match=part):
            self.check_same(groups, expected)
        assert len(quick(groups, np.zeros(len(groups))).systems) == 6

    def test_several_rows_of_an_item(self):
        groups = table_target(normal_table())
        expected = quick(groups, groups["preference"]).systems
        rows = np.repeat(np.arange(len(groups)), 2)
        score = groups["preference"][rows] + np.tile([-1.0, 1.0], len(groups))
        self.check_same(Groups.whole(groups[rows]), expected, score)

    def test_a_score_needs_no_judgement(self):
        groups = table_target(normal_table())
        expected = quick(groups).systems
        unjudged = Groups.from_arrays(group=groups["group"], item=groups["item"])
        self.check_same(unjudged, expected, groups["preference"])

    def test_labels_of_systems_beside_the_target(self):
        groups = table_target(normal_table())
        plain = Groups.from_arrays(
            group=groups["group"], preference=groups["preference"]
        )
        expected = quick(groups).systems
        self.check_same(plain, expected, item=groups["item"])
        self.check_same(plain, expected, item=pd.Series(groups["item"]))

    def test_several_items_of_a_system_share_a_group(self):
        # Two clips of each system in each group: the mean is over both.
        table = normal_table()
        groups = Groups.from_arrays(
            group=np.repeat(np.arange(40), 8),
            item=np.tile(np.arange(8), 40),
            preference=(table[:, :, None] + [-0.5, 0.5]).ravel(),
        )
        system = np.tile(np.repeat(list("abcd"), 2), 40)
        board = quick(groups, item=system)
        assert_allclose(board.systems["mean"], np.sort(table.mean(axis=0))[::-1])

    def test_coarser_clusters_make_wider_intervals(self):
        table = np.repeat(normal_table(n_groups=10), 4, axis=0)
        groups = table_target(table)
        block = groups["group"] // 4
        known, unknown = quick(groups, cluster=block), quick(groups)
        assert (known.n_clusters, unknown.n_clusters) == (10, 40)
        one_each = quick(table_target(table[::4]))
        for column in ("mean", "low", "high"):
            assert_allclose(known.systems[column], one_each.systems[column])
        ratio = (known.systems["high"] - known.systems["low"]) / (
            unknown.systems["high"] - unknown.systems["low"]
        )
        assert np.all(ratio > 1.7)

    def test_clusters_are_blocks_where_there_are_any(self):
        table = normal_table(n_groups=40)
        block = np.repeat(np.arange(40) // 4, 4)
        plain, groups = table_target(table), table_target(table, block=block)
        by_block = quick(groups)
        assert by_block.n_clusters == 10
        pd.testing.assert_frame_equal(
            by_block.systems, quick(plain, cluster=block).systems
        )
        by_group = quick(groups, cluster="group")
        assert by_group.n_clusters == quick(plain).n_clusters == 40
        pd.testing.assert_frame_equal(by_group.systems, quick(plain).systems)

    def test_a_single_block_says_nothing(self):
        # Another block has no judged row, and does not count.
        table = np.vstack([normal_table(n_groups=10), np.full((1, 4), np.nan)])
        weight = np.repeat([1.0, 0.0], [40, 4])
        block = ["one"] * 40 + ["none"] * 4
        assert quick(table_target(table, weight=weight, block=block)).n_clusters == 10

    def test_separation_is_the_share_of_pairs_told_apart(self):
        board = quick(table_target(normal_table()))
        pairs = itertools.combinations(board.systems["item"], 2)
        apart = [board.is_better.loc[first, second] for first, second in pairs]
        assert board.separation == np.mean(apart) == 5 / 6
        assert "Systems of one class are not told apart; 5 of 6 pairs are." in str(
            board
        )
        alike = quick(table_target(np.zeros((5, 3))))
        assert alike.separation == 0.0

    def test_a_weight_is_a_group_that_stands_there_as_often(self):
        table = normal_table(n_groups=10)
        weight = 1 + np.arange(10) % 3
        groups = table_target(table, weight=np.repeat(weight, 4))
        repeated = table_target(np.repeat(table, weight, axis=0))
        block = np.repeat(np.repeat(np.arange(10), weight), 4)
        expected = quick(repeated, cluster=block).systems
        systems = quick(groups).systems
        for column in ("mean", "low", "high"):
            assert_allclose(systems[column], expected[column], rtol=1e-9)
        scaled = groups.copy()
        scaled["weight"] *= 1e300
        assert_allclose(quick(scaled).systems["mean"], systems["mean"])


class TestDegenerate:
    def test_equal_systems(self):
        table = np.repeat(normal_table((0.0,)), 3, axis=1)
        board = quick(table_target(table))
        assert board.systems["rank"].tolist() == [1, 1, 1]
        assert board.systems["rank_high"].tolist() == [3, 3, 3]
        assert board.systems["item"].tolist() == ["a", "b", "c"]
        assert np.all(board.win_probability == 0.5)
        assert board.systems["more_groups"][:2].tolist() == [np.inf, np.inf]
        assert " inf" in str(board)

    def test_a_difference_without_error(self):
        table = normal_table((0.0,))
        board = quick(table_target(np.column_stack([table, table + 1])))
        assert board.systems["item"].tolist() == ["b", "a"]
        assert board.systems["differs_from_next"][0]
        assert board.systems["rank_high"].tolist() == [1, 2]
        assert board.win_probability.loc["b", "a"] == 1.0

    def test_all_values_are_equal(self):
        board = quick(table_target(np.full((5, 3), 2.5)))
        assert board.systems["mean"].tolist() == [2.5] * 3
        assert board.systems["class"].tolist() == [1, 1, 1]

    def test_a_system_of_one_cluster_may_have_any_rank(self):
        groups = Groups.from_arrays(
            group=[0, 0, 0, 1, 1, 2, 2, 3, 3],
            item=["a", "b", "new", "a", "b", "a", "b", "a", "b"],
            preference=[2, 1, 9, 3, 1, 2, 1.2, 3, 1.1],
        )
        systems = quick(groups).systems.set_index("item")
        assert systems.loc["new", ["rank_low", "rank_high"]].tolist() == [1, 3]
        assert np.isinf(systems.loc["new", ["low", "high"]].astype(float)).all()
        assert systems["n_groups"].to_dict() == {"new": 1, "a": 4, "b": 4}

    def test_two_clusters(self):
        # They make all differences of systems alike, so that draws have three values.
        held = []
        for seed in range(40):
            table = normal_table((0.0,) * 5, n_groups=2, seed=seed)
            systems = quick(table_target(table)).systems
            assert np.isfinite(systems[["low", "high"]]).all(axis=None)
            held.append((systems["rank_high"] == 5).all())
        assert np.mean(held) >= 0.85

    @pytest.mark.parametrize("factor", [1e-200, 1e200])
    def test_any_scale(self, factor):
        table = normal_table()
        expected = quick(table_target(table)).systems
        systems = quick(table_target(factor * table)).systems
        assert_array_equal(systems["rank_high"], expected["rank_high"])
        assert_allclose(systems["low"], factor * expected["low"], rtol=1e-6)


class TestErrors:
    groups = table_target(normal_table(n_groups=5))

    @pytest.mark.parametrize(
        ("options", "error", "part"),
        [
            ({"n_boot": 0}, ValueError, "'n_boot' parameter of bootstrap_leaderboard"),
            ({"level": 1}, ValueError, "in the range (0, 1). Got 1 instead."),
            (
                {"item": "system"},
                ValueError,
                "item is 'system'; expected a field of the",
            ),
            ({"item": [1, 2]}, ValueError, "item has 2 entries but groups has 20"),
            (
                {"item": "preference"},
                ValueError,
                "item is 'preference'; expected a field",
            ),
            (
                {"cluster": "face"},
                ValueError,
                "which has ['group', 'item', 'group_size']",
            ),
            (
                {"cluster": "item"},
                ValueError,
                "cluster has 4 labels, each of rows of a single system; expected",
            ),
            (
                {"cluster": np.arange(20)},
                ValueError,
                "cluster has 20 labels, each of rows of a single system; expected",
            ),
            ({"cluster": [0] * 20}, ValueError, "All 20 items that count are in one"),
            (
                {"item": np.zeros(20)},
                ValueError,
                "got 20 items of 1 systems; expected two",
            ),
            ({"y_score": [1.0]}, ValueError, "y_score has 1 entries but groups has 20"),
            ({"random_state": "a"}, ValueError, "'random_state' parameter"),
        ],
    )
    def test_arguments(self, options, error, part):
        with pytest.raises(error, match=re.escape(part)):
            quick(self.groups, **options)

    def test_a_plain_target(self):
        with pytest.raises(TypeError, match="bootstrap_leaderboard takes groups as a"):
            quick(np.arange(3.0))

    def test_no_system_is_named(self):
        groups = Groups.from_arrays(group=[0, 0], preference=[1, 2])
        part = (
            "Pass item= to Groups.from_arrays, or item=labels to bootstrap_leaderboard."
        )
        with pytest.raises(ValueError, match=re.escape(part)):
            quick(groups)

    def test_systems_that_never_meet(self):
        groups = Groups.from_arrays(
            group=[0, 0, 1, 1, 2],
            item=["a", "b", "c", "d", "a"],
            preference=[1, 2, 3, 4, 5],
        )
        part = "The 4 systems fall into 2 parts that share no group, such as ['a', 'b'] and"
        with pytest.raises(ValueError, match=re.escape(part)):
            quick(groups)

    def test_nothing_was_judged(self):
        groups = Groups.from_arrays(group=[0, 0], item=["a", "b"])
        with pytest.raises(ValueError, match="got 0 items of 0 systems; expected two"):
            quick(groups)

    def test_cut_groups_are_told(self):
        with pytest.warns(UserWarning, match="bootstrap_leaderboard"):
            quick(self.groups[1:])

    def test_a_cluster_that_cuts_an_item(self):
        groups = Groups.whole(self.groups[np.repeat(np.arange(20), 2)])
        with pytest.raises(
            ValueError, match="cluster cuts an item: row 0 has the label 0"
        ):
            quick(groups, cluster=np.arange(40))

    def test_weights_too_far_apart(self):
        groups = table_target(normal_table(n_groups=5), weight=[1e9] + [1e-9] * 19)
        part = (
            "weight is 1e-09 in one item and 1e+09 in another; expected weights whose"
        )
        with pytest.raises(ValueError, match=re.escape(part)):
            quick(groups)

    def test_beside(self):
        board = quick(self.groups)
        with pytest.raises(TypeError, match="other is of type DataFrame; expected a"):
            board.beside(board.systems)
        part = "names is ('preference', 'preference'); expected two different names"
        with pytest.raises(ValueError, match=re.escape(part)):
            board.beside(board)
        fewer = quick(Groups.whole(self.groups[self.groups["item"] != "d"]))
        part = "Only one of the leaderboards has 'd', and 1 systems in all"
        with pytest.raises(ValueError, match=re.escape(part)):
            board.beside(fewer, names=("all", "fewer"))


def test_thqa():
    home = os.environ.get("SKLEARN_PSCORE_DATA")
    if not home or not (Path(home) / "thqa").exists():
        pytest.skip("SKLEARN_PSCORE_DATA names no folder with THQA")
    thqa = fetch_thqa(data_home=home, download_if_missing=False)
    board = quick(thqa.groups, n_boot=2000)
    assert (board.n_groups, board.n_clusters) == (100, 20)
    frame = pd.DataFrame({name: thqa.groups[name] for name in ("item", "preference")})
    expected = frame.groupby("item")["preference"].mean()
    systems = board.systems.set_index("item")
    assert_allclose(systems["mean"], expected[systems.index])
    best = systems.iloc[0]
    assert (best["rank_low"], best["rank_high"]) == (1, 1)
    by_group = quick(thqa.groups, cluster="group", n_boot=2000).systems
    # Portraits are judged alike, so that 100 groups promise too much.
    assert (by_group["rank_high"] - by_group["rank_low"]).sum() < (
        systems["rank_high"] - systems["rank_low"]
    ).sum()


def test_examples_of_the_page(capsys):
    home = os.environ.get("SKLEARN_PSCORE_DATA")
    if not home or not (Path(home) / "thqa").exists():
        pytest.skip("SKLEARN_PSCORE_DATA names no folder with THQA")
    page = (Path(__file__).parents[1] / "docs" / "leaderboard.md").read_text("utf-8")
    first, of_model, compared = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names = {}
    exec(first, names)
    assert "Mean preference of 8 systems in 100 groups" in capsys.readouterr().out
    # As in the page, but with a model that takes no time.
    quick_model = of_model.replace(
        "PairwisePreferenceRanker(random_state=0)", "LinearPreferenceRanker()"
    ).replace("import Pairwise", "import Linear")
    quick_model = quick_model.replace("random_state=0)\nscore", "n_refits=5)\nscore")
    exec(quick_model, names)
    score = names["score"].systems
    assert score["item"][0] == "sad"
    assert "people rank" in capsys.readouterr().out
    exec(compared, names)
    assert names["compared"].methods["method"].tolist() == ["nima", "brisque"]
