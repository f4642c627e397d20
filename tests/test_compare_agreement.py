"""Comparison of scores: intervals, permutation tests, Williams' test, classes."""

import itertools
import re
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.stats
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore import Groups
from sklearn_pscore._segments import Segments
from sklearn_pscore._target.check import check_groups
from sklearn_pscore.inspection import AgreementComparison, compare_agreement
from sklearn_pscore.inspection._classes import classes_of_equals, holm
from sklearn_pscore.inspection._measure import measure_of
from sklearn_pscore.inspection._swaps import drawn_swaps
from sklearn_pscore.inspection._williams import williams_test
from sklearn_pscore.metrics import (
    dcg_score,
    kendall_tau_score,
    ndcg_score,
    pairwise_accuracy_score,
    pairwise_brier_score,
    pairwise_log_loss,
    pearson_score,
    reciprocal_rank_score,
    rmse,
    spearman_score,
    tie_calibrated_accuracy_score,
)
from sklearn_pscore.metrics._logistic_map import logistic_map

METRICS = [
    pairwise_accuracy_score,
    kendall_tau_score,
    spearman_score,
    pearson_score,
    reciprocal_rank_score,
    dcg_score,
    ndcg_score,
    rmse,
]
each_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.__name__)


def data(n_groups=12, size=4, noise=(0.3, 1.5, 4.0), seed=0, **fields):
    """Return groups, and three scores of falling quality."""
    rng = np.random.default_rng(seed)
    liked = np.round(rng.normal(size=n_groups * size), 1)
    groups = Groups.from_arrays(
        group=np.arange(len(liked)) // size, preference=liked, **fields
    )
    scores = {
        name: liked + sd * rng.normal(size=len(liked))
        for name, sd in zip("abcd", noise, strict=False)
    }
    return groups, scores


def quick(groups, scores, **options):
    options = {"n_boot": 200, "n_permutations": 50, "random_state": 0, **options}
    return compare_agreement(groups, scores, **options)


class TestFigures:
    def test_permutations_of_both(self):
        # PERM-BOTH of Deutsch et al. over all 64 swaps of six items.
        scores = {"a": [1, 3, 2, 5, 4, 6], "b": [2, 1, 4, 3, 6, 5]}
        options = {"metric": pearson_score, "random_state": 0}
        one_sided = compare_agreement(
            np.arange(1, 7.0), scores, alternative="greater", **options
        )
        assert one_sided.n_permutations == 64
        assert one_sided.pairs["p"].tolist() == [0.171875]
        two_sided = compare_agreement(np.arange(1, 7.0), scores, **options)
        assert two_sided.pairs["p"].tolist() == [0.34375]

    def test_williams(self):
        people = np.arange(1, 6.0)
        scores = {"a": [1.1, 2, 3.1, 4, 5.1], "b": [1.5, 2, 3.1, 4, 5.5]}
        result = compare_agreement(
            people, scores, metric=pearson_score, alternative="greater", random_state=0
        )
        row = result.pairs.iloc[0]
        assert_allclose(row["williams_t"], 4.972307828, atol=5e-9)
        assert_allclose(row["williams_p"], 0.019073688, atol=5e-9)
        assert row["williams_p_adjusted"] == row["williams_p"]
        two_sided = compare_agreement(
            people, scores, metric=pearson_score, random_state=0
        )
        p = two_sided.pairs["williams_p"].iloc[0]
        assert_allclose(p, 2 * 0.019073688, atol=5e-9)

    def test_williams_has_its_level(self):
        rng = np.random.default_rng(0)
        p = []
        for _ in range(400):
            people, a, b = rng.normal(size=(3, 30)) + rng.normal(size=30)
            r = np.corrcoef([people, a, b])
            p.append(williams_test(r[0, 1], r[0, 2], r[1, 2], 30, "two-sided")[1])
        assert scipy.stats.kstest(p, "uniform").pvalue > 0.01

    def test_williams_without_an_answer(self):
        assert np.isnan(williams_test(0.5, 0.4, 0.3, 3, "greater")).all()
        assert np.isnan(williams_test(0.5, 0.5, 1.0, 9, "greater")).all()


class TestTables:
    @each_metric
    def test_values_are_those_of_the_metric(self, metric):
        groups, scores = data()
        result = quick(groups, scores, metric=metric)
        expected = {name: metric(groups, score) for name, score in scores.items()}
        table = result.methods.set_index("method")["value"]
        for name, value in expected.items():
            assert_allclose(table[name], value, rtol=1e-9)
        best_first = sorted(expected, key=expected.get, reverse=metric is not rmse)
        assert list(table.index) == best_first

    @pytest.mark.parametrize("options", [{}, {"ties": "half"}])
    @pytest.mark.parametrize("metric", [pairwise_log_loss, pairwise_brier_score])
    def test_of_errors_the_smallest_is_the_best(self, metric, options):
        groups, scores = data()
        # A group of ties alone counts as half of each.
        groups["preference"][:4] = 1.0
        result = quick(groups, scores, metric=metric, **options)
        assert result.methods["method"].tolist() == ["a", "b", "c"]
        for _, name, value in result.methods[["method", "value"]].itertuples():
            assert_allclose(value, metric(groups, scores[name], **options), rtol=1e-12)
        assert (result.pairs["difference"] < 0).all()

    @pytest.mark.parametrize(
        ("metric", "options"),
        [
            (pearson_score, {"within": "all", "mapping": "logistic"}),
            (pearson_score, {"mapping": "logistic"}),
            (spearman_score, {"within": "all"}),
            (rmse, {"mapping": None}),
            (rmse, {"within": "group"}),
            (ndcg_score, {"k": 2}),
            (pairwise_accuracy_score, {"k": 1}),
        ],
    )
    def test_options_of_the_metric(self, metric, options):
        groups, scores = data(item=np.arange(48) % 4)
        scores["falling"] = -scores.pop("b")
        result = quick(groups, scores, metric=metric, **options)
        shown = [f"{name}={value!r}" for name, value in options.items()]
        assert result.metric == ", ".join([metric.__name__, *shown])
        for name, value in zip(
            result.methods["method"], result.methods["value"], strict=True
        ):
            assert_allclose(value, metric(groups, scores[name], **options), rtol=1e-5)
        assert np.all(result.methods["low"] <= result.methods["high"])

    def test_weights_donors_and_several_rows(self):
        groups, scores = data(6, item=np.arange(24) % 4, weight=np.arange(24) % 3)
        rows = np.repeat(np.arange(24), 2)
        shift = np.tile([-1.0, 1.0], 24)
        twice = {name: score[rows] + shift for name, score in scores.items()}
        for metric in (spearman_score, ndcg_score):
            once = quick(groups, scores, metric=metric)
            again = quick(Groups.whole(groups[rows]), twice, metric=metric)
            for column in ("value", "low", "high"):
                assert_allclose(
                    again.methods[column], once.methods[column], rtol=1e-9, atol=1e-12
                )

    def test_pairs_name_the_better_first(self):
        groups, scores = data()
        pairs = quick(groups, scores).pairs
        assert pairs["method"].tolist() == ["a", "a", "b"]
        assert pairs["other"].tolist() == ["b", "c", "c"]
        assert np.all(pairs["difference"] > 0)
        assert np.all(pairs["p_adjusted"] >= pairs["p"])
        errors = quick(groups, scores, metric=rmse).pairs
        assert np.all(errors["difference"] < 0)

    def test_a_frame_a_seed_and_text(self):
        groups, scores = data()
        result = quick(groups, pd.DataFrame(scores))
        assert isinstance(result, AgreementComparison)
        for table in (pl.DataFrame(scores), pa.table(scores)):
            same = quick(groups, table)
            pd.testing.assert_frame_equal(same.methods, result.methods)
        again = quick(groups, scores)
        pd.testing.assert_frame_equal(result.pairs, again.pairs)
        other = quick(groups, scores, random_state=1)
        assert not result.pairs["low"].equals(other.pairs["low"])
        frame = result.to_frame()
        frame["value"] = 0
        assert result.methods["value"].min() > 0
        text = str(result)
        assert "pairwise_accuracy_score, 3 methods, intervals over 12 clusters" in text
        assert re.search(r"^ +a +0\.\d{3} +\[0\.\d{3}, [01]\.\d{3}\] +1$", text, re.M)
        assert "adjusted by holm" in text
        assert "adjusted" not in str(quick(groups, scores, correction=None))

    def test_html_of_a_notebook(self):
        groups, scores = data()
        scores["<b>'ours' & theirs</b>"] = scores.pop("a")
        html = quick(groups, scores)._repr_html_()
        assert "<td>&lt;b&gt;" in html
        assert "<b>" not in html
        assert "(p &lt;= 0.05, adjusted by holm" in html
        assert html.count("<tr") == 4

    def test_options_by_a_partial(self):
        groups, scores = data()
        by_partial = quick(groups, scores, metric=partial(rmse, within="group"))
        expected = quick(groups, scores, metric=rmse, within="group")
        assert by_partial.metric == expected.metric == "rmse, within='group'"
        pd.testing.assert_frame_equal(by_partial.methods, expected.methods)
        pd.testing.assert_frame_equal(by_partial.pairs, expected.pairs)

    @pytest.mark.parametrize("metric", [spearman_score, pearson_score])
    def test_constant_scores_beside_worse_ones(self, metric):
        groups, scores = data()
        scores = {"constant": np.ones(48), "zero": np.zeros(48), "worse": -scores["a"]}
        result = quick(groups, scores, metric=metric, within="all", n_permutations=200)
        assert result.methods["method"].tolist() == ["constant", "zero", "worse"]
        assert result.methods["value"][:2].tolist() == [0.0, 0.0]
        assert result.pairs["differs"].tolist() == [False, True, True]
        assert result.pairs["williams_p"][0] == 1.0
        r = metric(groups, -scores["worse"], within="all")
        # Williams' test of a score that has nothing in common with the other.
        n, k = 48, 1 - r**2
        t = r * np.sqrt((n - 1) / (2 * k * (n - 1) / (n - 3) + r**2 / 4))
        assert_allclose(result.pairs["williams_t"][1:], t)

    def test_only_one_correlation_has_williams(self):
        groups, scores = data()
        assert "williams_p" not in quick(groups, scores, metric=pearson_score).pairs
        overall = quick(groups, scores, metric=spearman_score, within="all")
        assert "williams_p" in overall.pairs
        assert "williams_p" not in quick(groups, scores, metric=rmse).pairs

    def test_the_draws_of_the_global_generator_are_not_touched(self):
        groups, scores = data()
        np.random.seed(3)  # noqa: NPY002
        expected = np.random.random()  # noqa: NPY002
        np.random.seed(3)  # noqa: NPY002
        quick(groups, scores)
        assert np.random.random() == expected  # noqa: NPY002


class TestVotes:
    """Means over all votes, of which groups have different numbers."""

    @staticmethod
    def data(seed=0, n_votes=120, n_groups=8):
        rng = np.random.default_rng(seed)
        items = {
            "prompt": np.repeat(np.arange(n_groups), 4),
            "system": np.tile(list("abcd"), n_groups),
        }
        liked = rng.normal(size=4 * n_groups)
        # The last group has no votes, the first ones have most.
        prompt = np.minimum(rng.geometric(0.3, n_votes), n_groups - 1) - 1
        left = rng.integers(4, size=n_votes)
        right = (left + rng.integers(1, 4, size=n_votes)) % 4
        difference = liked[4 * prompt + left] - liked[4 * prompt + right]
        wins = rng.random(n_votes) < 1 / (1 + np.exp(-2 * difference))
        winner = np.where(wins, "left", "right")
        winner[rng.random(n_votes) < 0.2] = "tie"
        votes = pd.DataFrame(
            {
                "prompt": prompt,
                "left": items["system"][left],
                "right": items["system"][right],
                "winner": winner,
            }
        )
        scores = {
            "good": liked + 0.3 * rng.normal(size=len(liked)),
            "bad": rng.normal(size=len(liked)),
        }
        return Groups.from_votes(votes, items), scores

    @pytest.mark.parametrize("ties", ["drop", "half"])
    @pytest.mark.parametrize(
        "metric", [pairwise_accuracy_score, pairwise_log_loss, pairwise_brier_score]
    )
    def test_values_and_intervals_are_of_votes(self, metric, ties):
        groups, scores = self.data()
        weighted = np.empty(len(groups), [*groups.dtype.descr, ("weight", float)])
        for name in groups.dtype.names:
            weighted[name] = groups[name]
        weighted["weight"] = 1 + np.arange(len(groups)) % 3
        groups = weighted
        result = quick(groups, scores, metric=metric, ties=ties, n_boot=2000)
        assert result.methods["method"].tolist() == ["good", "bad"]
        rng, drawn = np.random.default_rng(1), []
        judged = [g for g in range(8) if groups["votes"][groups["group"] == g].any()]
        parts = [groups[groups["group"] == g] for g in judged]
        rows = [np.flatnonzero(groups["group"] == g) for g in judged]
        for _, name, value in result.methods[["method", "value"]].itertuples():
            expected = metric(groups, scores[name], ties=ties)
            assert_allclose(value, expected, rtol=1e-12)
        sums = []
        for part, row in zip(parts, rows, strict=True):
            try:
                of_group = metric(part, scores["good"][row], ties=ties)
            except ValueError:
                continue
            # Each pair is in the record of one of its rows.
            rival = np.where(part["rival"] < 0, 0, part["rival"])
            counted = part["votes"] - (part["ties"] if ties == "drop" else 0)
            total = groups["weight"][rival] * part["weight"][:, None] * counted
            total = total.sum()
            sums.append((of_group, total))
        of_group, total = np.array(sums).T
        for _ in range(4000):
            times = rng.multinomial(len(total), np.full(len(total), 1 / len(total)))
            if (times * total).sum() > 0:
                drawn.append(np.average(of_group, weights=times * total))
        row = result.methods.iloc[0]
        expected = np.quantile(drawn, [0.025, 0.975])
        assert_allclose([row["low"], row["high"]], expected, atol=0.03)

    def test_swaps_are_of_the_items_that_were_voted_on(self):
        groups, scores = self.data(n_votes=12, n_groups=3)
        result = compare_agreement(groups, scores, n_permutations=2**8, random_state=0)
        assert result.n_permutations == 2**8
        kept = np.flatnonzero(groups["group"] < 2)
        x = np.array([scores["good"], scores["bad"]])[:, kept]
        x = x.reshape(2, 2, 4)
        x = (x - x.mean(axis=2, keepdims=True)) / x.std(axis=2, keepdims=True)
        x = x.reshape(2, 8)
        differences = []
        for swap in itertools.product([0, 1], repeat=8):
            swap = np.array(swap)
            first, second = x[swap, np.arange(8)], x[1 - swap, np.arange(8)]
            differences.append(
                pairwise_accuracy_score(groups[kept], first)
                - pairwise_accuracy_score(groups[kept], second)
            )
        differences = np.abs(differences)
        p = np.mean(differences >= differences[0] - 1e-12)
        assert result.pairs["p"][0] == pytest.approx(p)

    def test_other_metrics_are_of_the_strengths(self):
        groups, scores = self.data()
        result = quick(groups, scores, metric=kendall_tau_score)
        expected = kendall_tau_score(groups, scores["good"])
        assert_allclose(result.methods["value"][0], expected, rtol=1e-12)

    def test_votes_of_one_group(self):
        groups, scores = self.data(n_groups=2, n_votes=60)
        result = quick(groups, scores)
        assert result.n_clusters == 4
        expected = pairwise_accuracy_score(groups, scores["good"])
        values = result.methods.set_index("method")["value"]
        assert_allclose(values["good"], expected, rtol=1e-12)
        with pytest.raises(ValueError, match="a draw of items has no meaning for"):
            quick(groups, scores, metric=pairwise_log_loss)


class TestMeasure:
    @pytest.mark.parametrize("factor", [1e-250, 1.0, 1e300])
    @pytest.mark.parametrize("metric", [pearson_score, rmse], ids=lambda m: m.__name__)
    def test_sums_give_what_the_metric_gives(self, metric, factor):
        rng = np.random.default_rng(5)
        size = rng.integers(2, 6, 20)
        preference = factor * rng.integers(0, 3, size.sum())
        groups = Groups.from_arrays(
            group=np.repeat(np.arange(20), size),
            preference=preference,
            weight=rng.choice([0.0, 0.5, 2.0], size.sum()),
        )
        score = preference + factor * np.round(rng.normal(size=size.sum()))
        options = {"mapping": None, "within": "group"}
        target = check_groups(groups)
        measure = measure_of(metric, options, groups, target, score[None], "the test")
        expected = metric(groups, score, average=False, **options)
        expected = expected[~np.isnan(expected)]
        assert_allclose(measure.values(measure.scores)[0], expected, rtol=1e-9)
        # Draws in which a group may lose all that tells its items apart.
        times = rng.integers(0, 3, (50, len(measure.item)))
        times[:, measure.groups.start] = 1
        drawn = times * measure.weight
        scores = np.broadcast_to(measure.scores[0], drawn.shape)
        generic = measure._values_of_part(scores, drawn)
        assert np.isnan(generic).any()
        assert_allclose(measure.values(scores, drawn), generic, rtol=1e-9, atol=1e-12)

    def test_ranks_give_what_the_metric_gives(self):
        rng = np.random.default_rng(6)
        preference, score = rng.integers(0, 6, (2, 40)).astype(float)
        groups = Groups.from_arrays(
            group=np.arange(40) // 8, preference=preference, weight=rng.random(40)
        )
        target = check_groups(groups)
        options = {"within": "all"}
        measure = measure_of(
            spearman_score, options, groups, target, score[None], "the test"
        )
        expected = spearman_score(groups, score, within="all")
        assert_allclose(measure.values(measure.scores), [[expected]], rtol=1e-12)
        scores = rng.integers(0, 4, (30, 40)).astype(float)
        generic = measure._values_of_part(scores, None)
        assert_allclose(measure.values(scores), generic, rtol=1e-9, atol=1e-12)
        drawn = rng.integers(0, 3, (30, 40)) * measure.weight
        generic = measure._values_of_part(scores, drawn)
        assert_allclose(measure.values(scores, drawn), generic, rtol=1e-9, atol=1e-12)


class TestDraws:
    def test_intervals_are_those_of_drawn_groups(self):
        groups, scores = data(30)
        result = quick(groups, scores, n_boot=4000)
        a, c = (
            pairwise_accuracy_score(groups, scores[name], average=False)
            for name in "ac"
        )
        rng = np.random.default_rng(1)
        draws = (a - c)[rng.integers(0, 30, (4000, 30))].mean(axis=1)
        row = result.pairs.query("method == 'a' and other == 'c'").iloc[0]
        expected = np.quantile(draws, [0.025, 0.975])
        assert_allclose([row["low"], row["high"]], expected, atol=0.02)

    def test_coarser_clusters(self):
        # Twelve groups that are three, each four times: three clusters know it.
        groups, scores = data(3)
        rows = np.tile(np.arange(12), 4)
        copies = np.repeat(np.arange(4), 12)
        many = Groups.from_arrays(
            group=3 * copies + groups["group"][rows],
            preference=groups["preference"][rows],
        )
        repeated = {name: score[rows] for name, score in scores.items()}
        options = {"n_boot": 2000, "metric": spearman_score}
        few = quick(groups, scores, **options).methods
        known = quick(many, repeated, cluster=many["group"] % 3, **options)
        assert known.n_clusters == 3
        for column in ("value", "low", "high"):
            assert_allclose(known.methods[column], few[column], atol=1e-9)
        unknown = quick(many, repeated, **options).methods
        width = few["high"] - few["low"]
        assert np.all(unknown["high"] - unknown["low"] < 0.7 * width)

    @pytest.mark.parametrize(
        "metric", [pearson_score, spearman_score, kendall_tau_score, rmse]
    )
    def test_items_are_drawn_inside_of_one_group(self, metric):
        groups, scores = data(1, 40)
        groups["preference"] = np.round(groups["preference"])
        result = quick(groups, scores, metric=metric, n_boot=1500)
        assert result.n_clusters == 40
        rng = np.random.default_rng(2)
        options = {"mapping": None} if metric is rmse else {}
        score = scores["a"]
        if metric is rmse:
            result = quick(groups, scores, metric=metric, n_boot=1500, mapping=None)
        draws = []
        for _ in range(1500):
            rows = rng.integers(0, 40, 40)
            draws.append(metric(groups["preference"][rows], score[rows], **options))
        row = result.methods.set_index("method").loc["a"]
        expected = np.quantile(draws, [0.025, 0.975])
        assert_allclose([row["low"], row["high"]], expected, atol=0.04)

    def test_clusters_are_blocks_where_there_are_any(self):
        block = np.arange(48) // 4 % 3
        (plain, scores), (groups, _) = data(), data(block=block)
        by_block = quick(groups, scores)
        assert by_block.n_clusters == 3
        same = quick(plain, scores, cluster=block)
        pd.testing.assert_frame_equal(by_block.methods, same.methods)
        assert quick(groups, scores, cluster=None).n_clusters == 12
        assert quick(plain, scores).n_clusters == 12
        # A single block says nothing of the groups, and a single group of the items.
        assert quick(data(block=np.zeros(48, int))[0], scores).n_clusters == 12
        one, scores = data(1, 20, block=np.zeros(20, int))
        assert quick(one, scores).n_clusters == 20

    def test_clusters_by_the_name_of_a_field(self):
        groups, scores = data(12, item=np.arange(48) % 4)
        options = {"metric": pearson_score, "within": "all"}
        assert quick(groups, scores, cluster="item", **options).n_clusters == 4
        assert quick(groups, scores, cluster="group").n_clusters == 12


class TestSwaps:
    @each_metric
    def test_all_patterns_of_a_group_are_looked_up(self, metric):
        # With as many permutations as patterns, and with one less.
        groups, scores = data(5, 4)
        scores = {"a": scores["a"], "b": scores["b"]}
        options = {"within": "group"} if metric is rmse else {}
        looked_up = quick(groups, scores, metric=metric, n_permutations=4000, **options)
        swaps = np.random.default_rng(3).random((300, 20)) < 0.5
        swaps[0] = False
        if metric is rmse:
            # Of one unit with the preferences, once they are mapped.
            options["mapping"] = None
            z = {
                name: logistic_map(score, groups["preference"], np.ones(20))[0]
                for name, score in scores.items()
            }
        else:
            z = {name: standardised_in_groups(groups, s) for name, s in scores.items()}
        differences = np.array(
            [
                metric(groups, np.where(swap, z["b"], z["a"]), **options)
                - metric(groups, np.where(swap, z["a"], z["b"]), **options)
                for swap in swaps
            ]
        )
        expected = np.mean(np.abs(differences) >= abs(differences[0]) - 1e-9)
        assert_allclose(looked_up.pairs["p"].iloc[0], expected, atol=0.1)

    def test_drawn_patterns_of_larger_groups(self):
        # All 512 patterns of nine items, and 2,000 of those of eleven.
        rng = np.random.RandomState(0)
        groups = Segments(np.array([9, 4]))
        few = drawn_swaps(groups, 900, rng)
        assert few.patterns.shape == (512, 13)
        assert len(np.unique(few.patterns[:, :9], axis=0)) == 512
        groups = Segments(np.array([11, 4]))
        many = drawn_swaps(groups, 2000, rng)
        assert len(many.patterns) == 1002
        for swaps in (few, many):
            assert not swaps.patterns[0].any()
            assert np.array_equal(swaps.patterns[::-1], ~swaps.patterns)
            assert abs(swaps.patterns.mean() - 0.5) < 0.02
            assert not swaps.codes[0].any()
            assert swaps.codes.max() < len(swaps.patterns)

    def test_every_permutation_once(self):
        rng = np.random.RandomState(0)
        swaps = drawn_swaps(Segments(np.array([2, 3])), 40, rng)
        assert len(swaps) == 32
        # Two items have four patterns, three have eight.
        assert {tuple(row) for row in swaps.codes} == set(
            itertools.product(range(4), range(8))
        )

    def test_larger_groups_by_all_patterns_and_by_drawn_ones(self):
        groups, scores = data(3, 9, noise=(1.0, 1.2))
        few = quick(groups, scores, n_permutations=1500)
        many = quick(groups, scores, n_permutations=1536)
        assert few.pairs["p"][0] > 0.05
        assert_allclose(few.pairs["p"], many.pairs["p"], atol=0.05)

    def test_enough_permutations_for_the_adjustment(self):
        groups, scores = data(8, 3, noise=np.linspace(0.1, 9, 4))
        result = quick(groups, scores, n_permutations=None, level=0.999, n_boot=2)
        assert result.n_permutations == 2 * 6 * 1000
        result = quick(groups, scores, n_permutations=None, correction=None, n_boot=2)
        assert result.n_permutations == 1000

    def test_equal_scores_never_differ(self):
        groups, scores = data()
        scores = {"a": scores["a"], "b": scores["a"] * 2 + 1}
        row = quick(groups, scores, metric=pearson_score).pairs.iloc[0]
        assert row["p"] == 1.0
        assert not row["differs"]

    def test_p_values_of_equally_good_scores(self):
        p = []
        for seed in range(60):
            groups, scores = data(10, 4, noise=(1.0, 1.0), seed=seed)
            p.append(quick(groups, scores, n_boot=2, n_permutations=100).pairs["p"][0])
        assert 0.02 < np.mean(np.array(p) <= 0.2) < 0.4
        assert 0.35 < np.mean(p) < 0.65

    def test_clear_differences_are_found(self):
        groups, scores = data(40, 5, noise=(0.2, 0.3, 5.0))
        result = quick(groups, scores, n_permutations=400)
        classes = dict(
            zip(result.methods["method"], result.methods["class"], strict=True)
        )
        assert classes["c"] > classes["a"]


class TestClasses:
    def test_a_class_ends_where_two_differ(self):
        differs = np.zeros((5, 5), dtype=bool)
        for i, j in [(0, 2), (0, 3), (0, 4), (1, 4), (2, 4), (3, 4)]:
            differs[i, j] = differs[j, i] = True
        assert classes_of_equals(differs).tolist() == [1, 1, 2, 2, 3]
        assert classes_of_equals(np.zeros((3, 3), dtype=bool)).tolist() == [1, 1, 1]
        assert classes_of_equals(~np.eye(3, dtype=bool)).tolist() == [1, 2, 3]

    def test_holm(self):
        # 4 x .01, 3 x .02, then never less than before, at most 1.
        adjusted = holm(np.array([0.5, 0.01, 0.02, 0.6]))
        assert_allclose(adjusted, [1.0, 0.04, 0.06, 1.0])
        rng = np.random.default_rng(4)
        p = rng.random(20) ** 3
        for level in (0.01, 0.05, 0.2):
            rejected, steps = np.zeros(20, dtype=bool), np.argsort(p)
            for step, place in enumerate(steps):
                if p[place] > level / (20 - step):
                    break
                rejected[place] = True
            assert_array_equal(holm(p) <= level, rejected)

    def test_a_test_alone_does_not_part_two(self):
        # Blocks of copies: the test takes their items for independent.
        groups, scores = data(3, 4, noise=(0.6, 1.0), seed=3)
        rows = np.tile(np.arange(12), 30)
        many = Groups.from_arrays(
            group=np.arange(360) // 4, preference=groups["preference"][rows]
        )
        scores = {name: score[rows] for name, score in scores.items()}
        block = np.arange(360) // 4 % 3
        row = quick(many, scores, cluster=block, n_permutations=999).pairs.iloc[0]
        assert row["p"] <= 0.05
        assert row["low"] <= 0 <= row["high"]
        assert not row["differs"]


def standardised_in_groups(groups, score):
    score = np.array(score)
    for label in np.unique(groups["group"]):
        rows = groups["group"] == label
        score[rows] = (score[rows] - score[rows].mean()) / score[rows].std()
    return score


class TestErrors:
    groups, scores = data(3)

    @pytest.mark.parametrize(
        ("options", "error", "part"),
        [
            (
                {"n_boot": 0},
                ValueError,
                "'n_boot' parameter of compare_agreement must be",
            ),
            ({"n_permutations": 1.5}, TypeError, "Got 1.5 instead."),
            ({"level": 95}, ValueError, "in the range (0, 1). Got 95 instead."),
            ({"level": "95"}, TypeError, "Got '95' instead."),
            ({"alternative": "less"}, ValueError, "among {'two-sided', 'greater'}"),
            ({"correction": "bonferroni"}, ValueError, "among {'holm'} or None."),
            ({"random_state": "a"}, ValueError, "'random_state' parameter"),
            ({"cluster": "face"}, ValueError, "cluster is 'face'; expected a field"),
            (
                {"cluster": [0, 1]},
                ValueError,
                "cluster has 2 entries but groups has 12",
            ),
            (
                {"cluster": np.zeros(12)},
                ValueError,
                "All 12 items that count are in one",
            ),
            (
                {"cluster": np.arange(12) % 2},
                ValueError,
                "cluster cuts the group 0: its items have different labels",
            ),
            ({"depth": 3}, TypeError, "got the options ['depth']; expected parameters"),
            ({"average": True}, TypeError, "Leave out 'average'."),
            (
                {"metric": lambda groups, y_score: 1.0},
                TypeError,
                "which has no parameter average; compare_agreement needs one value per",
            ),
            (
                {"metric": pearson_score, "within": "rows"},
                ValueError,
                "Got 'rows' instead",
            ),
        ],
    )
    def test_options(self, options, error, part):
        with pytest.raises(error, match=re.escape(part)):
            quick(self.groups, self.scores, **options)

    @pytest.mark.parametrize(
        ("scores", "error", "part"),
        [
            (
                np.zeros((12, 2)),
                TypeError,
                "scores_by_method is of type ndarray; expected",
            ),
            (
                {"a": np.zeros(12)},
                ValueError,
                "scores_by_method has 1 methods; expected",
            ),
            (
                {"a": np.zeros(12), "b": np.zeros(9)},
                ValueError,
                "scores_by_method['b'] cannot be compared: y_score has 9 entries",
            ),
            (
                pd.DataFrame({"a": np.zeros(12), "gaps": [np.nan, *np.zeros(11)]}),
                ValueError,
                "scores_by_method['gaps'] cannot be compared: y_score is nan at row 0",
            ),
            (
                pd.DataFrame({"system": ["x"] * 12, "a": np.zeros(12)}),
                TypeError,
                "scores_by_method['system'] cannot be compared: y_score has dtype",
            ),
            (
                pd.DataFrame(np.zeros((12, 2)), columns=["a", "a"]),
                ValueError,
                "scores_by_method has the names ['a', 'a'], one of them twice",
            ),
        ],
    )
    def test_scores(self, scores, error, part):
        with pytest.raises(error, match=re.escape(part)):
            quick(self.groups, scores)

    def test_one_group_of_a_metric_of_ranks(self):
        groups, scores = data(1, 8)
        part = "a draw of items has no meaning for ndcg_score; expected several groups"
        with pytest.raises(ValueError, match=re.escape(part)):
            quick(groups, scores, metric=ndcg_score)

    def test_a_metric_that_is_no_mean(self):
        def largest(groups, y_score, *, average=True):
            values = pairwise_accuracy_score(groups, y_score, average=False)
            return float(np.nanmax(values)) if average else values

        groups, scores = data(9)
        with pytest.raises(
            ValueError, match="largest is .* expected a mean over groups"
        ):
            quick(groups, {name: scores[name] for name in "ca"}, metric=largest)

    def test_a_metric_whose_groups_depend_on_one_another(self):
        def share_of_best(groups, y_score, *, average=True):
            values = pairwise_accuracy_score(groups, y_score, average=False)
            values = values / np.nanmax(values)
            return float(np.nanmean(values)) if average else values

        groups, scores = data(4, noise=(1.0, 3.0), seed=2)
        with pytest.raises(ValueError, match="a group does not depend on others"):
            quick(groups, scores, metric=share_of_best)

    def test_a_threshold_of_ties(self):
        with pytest.raises(ValueError, match="whose threshold is in the units of one"):
            quick(self.groups, self.scores, metric=tie_calibrated_accuracy_score)

    def test_a_cluster_that_cuts_an_item(self):
        groups, scores = data(3)
        groups = Groups.from_arrays(
            group=groups["group"],
            item=np.repeat(np.arange(6), 2),
            preference=np.repeat(groups["preference"][::2], 2),
        )
        part = (
            "cluster cuts an item: row 0 has the label 0, and another row of the same"
        )
        with pytest.raises(ValueError, match=re.escape(part)):
            quick(groups, scores, cluster=np.arange(12))

    def test_no_group_is_informative(self):
        groups = Groups.from_arrays(group=[0, 1], preference=[1, 2])
        with pytest.raises(ValueError, match="every group has a single item"):
            quick(groups, {"a": [1, 2], "b": [1, 2]})

    def test_all_pairs_are_there(self):
        _, scores = data(3, noise=(1, 1, 1, 1))
        pairs = quick(self.groups, scores).pairs
        named = {
            frozenset(pair)
            for pair in zip(pairs["method"], pairs["other"], strict=True)
        }
        assert named == set(map(frozenset, itertools.combinations("abcd", 2)))
