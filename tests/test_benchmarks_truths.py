"""The truths of the large ranking problems in benchmarks/speed/."""

import re
from functools import partial

import numpy as np
import pandas as pd
import pytest

from benchmarks.shared import results
from benchmarks.speed import large_ranking, plots, tables
from benchmarks.speed.curves import as_curve
from benchmarks.speed.graded_groups import GradedGroups
from benchmarks.speed.ranked_groups import SparseThresholds, UselessFeatures
from sklearn_pscore import Groups
from sklearn_pscore.metrics import ndcg_score, pairwise_accuracy_score

TRUTHS = [UselessFeatures, SparseThresholds]


@pytest.fixture(params=TRUTHS, ids=lambda truth: truth.__name__)
def truth(request):
    return request.param()


def test_a_draw_depends_on_its_seed_alone(truth):
    X, grade, group = truth.draw(500, seed=3)
    again = type(truth)().draw(500, seed=3)
    for values, others in zip((X, grade, group), again, strict=True):
        np.testing.assert_array_equal(values, others)
    assert X.dtype == np.float32
    assert np.isin(X[:, 0], truth.draw(500, seed=4)[0][:, 0]).mean() < 0.01
    assert np.bincount(group).tolist() == [100] * 5


def test_grades_are_ranks_of_the_noisy_truth(truth):
    X, grade, group = truth.draw(100_000, seed=0)
    for of_group in grade.reshape(-1, 100):
        assert np.bincount(of_group).tolist() == [50, 25, 14, 7, 4]
    noise_free = truth.utility(X).reshape(-1, 100).argmax(axis=1)
    best = grade.reshape(-1, 100)[np.arange(1000), noise_free]
    assert 2.5 < best.mean() < 4  # the noise takes the first place from many


def test_a_group_that_is_cut_is_refused(truth):
    message = "n_rows is 250; expected a multiple of 100"
    with pytest.raises(ValueError, match=re.escape(message)):
        truth.draw(250, seed=0)


def test_the_best_score_with_useless_features_is_as_stated():
    truth = UselessFeatures()
    X, grade, group = truth.draw(300_000, seed=0)
    groups = Groups.from_arrays(group=group, preference=grade)
    best = truth.utility(X)
    assert ndcg_score(groups, best, k=10, gain="exponential") == pytest.approx(
        0.870, abs=0.003
    )
    assert pairwise_accuracy_score(groups, best) == pytest.approx(0.912, abs=0.002)


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth.__name__)
def test_the_truth_reads_useful_features_only(truth):
    truth = truth()
    X = truth.draw(2000, seed=0)[0]
    rng = np.random.default_rng(0)
    useful = [
        column
        for column in range(truth.n_features)
        if not np.array_equal(
            truth.utility(_permuted(X, column, rng)), truth.utility(X)
        )
    ]
    if isinstance(truth, UselessFeatures):
        assert useful == [*range(21)]
    else:
        assert useful == [*range(16), *range(36, 60)]


def _permuted(X, column, rng):
    X = X.copy()
    X[:, column] = rng.permutation(X[:, column])
    return X


def test_sparse_features_are_counts_in_one_row_of_twenty():
    X = SparseThresholds().draw(20_000, seed=0)[0][:, 36:]
    np.testing.assert_allclose((X > 0).mean(axis=0), 0.05, atol=0.01)
    np.testing.assert_array_equal(X, np.round(X))
    assert X.min() == 0
    assert np.median(X.max(axis=0)) > 20


def test_a_product_has_no_main_effect():
    truth = UselessFeatures()
    X = truth.draw(100_000, seed=0)[0]
    utility = truth.utility(X)
    correlation = [abs(np.corrcoef(X[:, k], utility)[0, 1]) for k in range(2)]
    assert max(correlation) < 0.01
    assert np.corrcoef(X[:, 0] * X[:, 1], utility)[0, 1] > 0.4


def test_the_graded_truth_is_read_off_the_measured_features():
    truth = GradedGroups(136)
    rng = np.random.default_rng(0)
    z, _ = truth._draw(rng, 500)
    expected = truth._utility(z, 0.0)
    np.testing.assert_allclose(
        truth.utility(truth._measured(z)), expected, atol=1e-3 * np.std(expected)
    )
    X, grade, group = truth.draw(20_000, seed=0)
    groups = Groups.from_arrays(group=group, preference=grade)
    assert pairwise_accuracy_score(groups, truth.utility(X)) > 0.9


class TestLargeRanking:
    """Runs on a large truth: what is measured, resumed, and read off the rows."""

    @pytest.fixture
    def rows(self):
        points = [
            (large_ranking.TRUTH, 0, np.nan, np.nan, 0.9),
            (large_ranking.OURS, 0, 1, 2.0, 0.7),
            (large_ranking.OURS, 0, 30, 8.0, 0.8),
            (large_ranking.OURS, 1, 30, 10.0, 0.8),
            (large_ranking.LIGHTGBM, 0, 100, 6.0, 0.75),
            (large_ranking.LIGHTGBM, 0, 400, 24.0, 0.85),
            (large_ranking.LIGHTGBM, 1, 100, 8.0, 0.65),
            (large_ranking.LIGHTGBM, 1, 400, 20.0, 0.75),
        ]
        columns = ["method", "repetition", "rounds", "seconds", "score"]
        rows = pd.DataFrame(points, columns=columns)
        rows["accuracy"] = rows["score"] + 0.05
        return rows.assign(truth="graded", n_rows=100_000)

    def test_the_last_point_of_lightgbm_is_that_of_100_trees(self, rows):
        points = large_ranking.last_points(rows).groupby("method")["score"].mean()
        assert points[large_ranking.LIGHTGBM] == pytest.approx(0.7)
        assert points[large_ranking.OURS] == pytest.approx(0.8)

    def test_seconds_to_the_score_of_each_number_of_trees(self, rows):
        table = large_ranking.reached(rows).set_index("rounds")
        # On the first draw .75 is reached by the fit of 8 s, on the second by 10 s.
        assert table.loc[100, "ours"] == pytest.approx((8.0 + 10.0) / 2)
        assert table.loc[100, "seconds"] == pytest.approx(7.0)
        # .85 is not reached on the first draw.
        assert np.isnan(table.loc[400, "ours"])

    def test_tables(self, rows):
        text = tables.table_of_large_ranking(rows).splitlines()
        assert text[0] == (
            "| rows | method | graded: NDCG@10 | graded: accuracy | graded: s |"
        )
        assert text[2:] == [
            "| 100,000 | the truth itself | 0.9 | 0.95 |  |",
            "| 100,000 | sklearn_pscore | 0.8 | 0.85 | 9 |",
            "| 100,000 | LightGBM lambdarank | 0.7 | 0.75 | 7 |",
        ]
        assert tables.table_of_large_ranking_reached(rows).splitlines()[2:] == [
            "| graded | 100,000 | 100 | 0.7 | 7 | 9 | 0.778 | not reached |  |",
            "| graded | 100,000 | 400 | 0.8 | 22 | not reached |  | not reached |  |",
        ]
        single = rows[rows["method"] == large_ranking.OURS].assign(seconds=2.0)
        single["method"] = large_ranking.SINGLE
        text = tables.table_of_large_ranking_reached(pd.concat([rows, single]))
        assert "| 100 | 0.7 | 7 | 9 | 0.778 | 2 | 3.5 |" in text
        losses = rows.replace(
            {"method": {large_ranking.LIGHTGBM: large_ranking.LAMBDARANK}}
        )
        losses = losses[losses["rounds"] != 400]
        assert tables.table_of_large_ranking(losses).splitlines()[-1] == (
            "lambdarank has the higher NDCG@10 of the two losses in 0 of 1 cases; the "
            "differences are -0.100 to -0.100."
        )
        only_truth = rows[rows["method"] == large_ranking.TRUTH]
        assert tables.table_of_large_ranking_reached(only_truth).startswith("(no rows")

    def test_each_truth_is_judged_by_itself_and_by_ours(self):
        for name in large_ranking.TRUTHS:
            draw = large_ranking.Draw(name, 1000, 0, n_test=2000)
            # Numbers of 32 bits may be equal by chance.
            assert np.isin(draw.train[0][:, 0], draw.X_test[:, 0]).mean() < 0.01
            best = draw.curve(large_ranking.METHODS[large_ranking.TRUTH]).iloc[0]
            ours = partial(large_ranking._defaults, epochs=(1, 2), n_members=1)
            curve = draw.curve(ours)
            assert curve["rounds"].tolist() == [1, 2]
            assert (curve["seconds"] > 0).all()
            assert 0.5 < curve["accuracy"].iloc[-1] < best["accuracy"]
            assert curve["score"].iloc[-1] < best["score"]

    def test_a_run_is_written_method_by_method_and_resumed(
        self, monkeypatch, tmp_path, capsys
    ):
        monkeypatch.setattr(results, "RESULTS", tmp_path)
        monkeypatch.setattr(large_ranking, "_N_TEST", 500)
        made = []

        def measured(*args):
            made.append(args[-1])
            return as_curve([(1.0, 1, {"score": 0.5, "accuracy": 0.6})])

        methods = {large_ranking.TRUTH: large_ranking._truth, "other": measured}
        monkeypatch.setattr(large_ranking, "METHODS", methods)
        options = ["--truths", "useless features", "--sizes", "500", "--missing"]
        options += ["--repetitions", "2"]
        monkeypatch.setattr("sys.argv", ["script", *options])
        for _ in range(2):
            large_ranking.main()
        assert made == [0, 1]
        rows = results.read_rows(large_ranking.NAME)
        assert rows["method"].tolist() == [large_ranking.TRUTH, "other"] * 2
        assert rows["repetition"].tolist() == [0, 0, 1, 1]
        assert {"date", "cores", "threads", "versions"} < set(rows)
        assert (
            "useless features, 500, 1, other: NDCG@10 0.5000" in capsys.readouterr().out
        )

    def test_a_picture_has_a_panel_per_truth(self, rows):
        other = rows.assign(truth="useless features", score=rows["score"] - 0.1)
        fig = plots.draw_large_ranking(pd.concat([rows, other]))
        assert [ax.get_title() for ax in fig.axes] == ["graded", "useless features"]
        lines = {line.get_label(): line for line in fig.axes[1].get_lines()}
        drawn = lines["this package"]
        np.testing.assert_allclose(drawn.get_xdata(), [2.0, 8.0])
        np.testing.assert_allclose(drawn.get_ydata(), [0.6, 0.7])


def test_a_score_of_several_values_is_a_column_each():
    curve = as_curve([(1.0, 2, {"score": 0.5, "accuracy": 0.7})])
    assert curve.to_dict("records") == [
        {"seconds": 1.0, "rounds": 2, "score": 0.5, "accuracy": 0.7}
    ]
    assert [*as_curve([(1.0, 2, 0.5)])] == ["seconds", "rounds", "score"]
