"""The evaluation in benchmarks/: what is compared, and how it is counted."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.special import log_softmax

from benchmarks.agreement import (
    data_sets,
    evaluation,
    missing,
    rankers,
    synthetic,
    uncertainty,
)
from benchmarks.agreement import tables as agreement_tables
from benchmarks.compatibility import tables as compatibility_tables
from benchmarks.inspection import curve_tables, separation
from benchmarks.inspection import tables as inspection_tables
from benchmarks.reliability import tables as reliability_tables
from benchmarks.shared import doc_tables, results
from benchmarks.shared.command_line import run_benchmark
from benchmarks.shared.run_rows import RunRows
from benchmarks.speed import tables as speed_tables
from benchmarks.votes import tables as votes_tables
from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore.datasets._remote_file import DATA_HOME_VARIABLE
from sklearn_pscore.inspection import bootstrap_leaderboard
from sklearn_pscore.metrics import pairwise_accuracy_score

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def unsorted():
    """Rows of three groups, mixed up, and a donor."""
    groups = Groups.from_arrays(
        group=["b", "a", "b", "c", "a", "b", "c"],
        preference=[0.5, 2.0, -1.0, 7.0, 2.0, 0.5, 9.0],
        donor=[False, False, False, False, False, False, True],
    )
    return np.arange(7.0)[:, None], groups


def test_sorted_rows_keep_their_group_and_lose_donors(unsorted):
    rows = rankers.Sorted.of(*unsorted)
    assert rows.X.ravel().tolist() == [1, 4, 0, 2, 5, 3]
    assert rows.sizes.tolist() == [2, 3, 1]
    assert rows.preference.tolist() == [2.0, 2.0, 0.5, -1.0, 0.5, 7.0]


def test_grades_are_ranks_inside_the_group(unsorted):
    rows = rankers.Sorted.of(*unsorted)
    assert rows.grades().tolist() == [0, 0, 1, 0, 1, 0]


@pytest.mark.parametrize("n_items", [31, 32, 100])
def test_grades_fit_into_what_lightgbm_takes(n_items):
    preference = np.random.default_rng(0).permutation(n_items) + 0.5
    groups = Groups.from_arrays(group=np.zeros(n_items, int), preference=preference)
    grades = rankers.Sorted.of(np.zeros((n_items, 1)), groups).grades()
    assert grades.min() == 0
    assert grades.max() == 30
    assert (np.diff(grades[np.argsort(preference)]) >= 0).all()


def test_graded_relevance_stays_as_it_is():
    groups = Groups.from_arrays(group=[0, 0, 1, 1], preference=[4, 2, 3, 0])
    grades = rankers.Sorted.of(np.zeros((4, 1)), groups).grades()
    assert grades.tolist() == [4, 2, 3, 0]


def test_pairs_are_those_of_the_double_loop(unsorted):
    rows = rankers.Sorted.of(*unsorted)
    expected = {
        (i, j)
        for i in range(6)
        for j in range(6)
        if rows.group[i] == rows.group[j] and rows.preference[i] > rows.preference[j]
    }
    better, worse = rows.pairs(np.random.default_rng(0))
    assert set(zip(better, worse, strict=True)) == expected
    assert len(better) == len(expected)


def test_conditional_logit_is_at_the_maximum_of_the_likelihood():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((900, 2))
    utility = X @ [1.0, -0.5] + rng.gumbel(size=900)
    group = np.repeat(range(300), 3)
    best = utility.reshape(-1, 3).argmax(axis=1)
    groups = Groups.from_winners(
        group=group, winner=np.tile(range(3), 300) == best[group]
    )
    model = rankers.ConditionalLogit().fit(X, groups)
    scale = model.scaler_.scale_
    np.testing.assert_allclose(model.coef_ / scale, [1.0, -0.5], atol=0.25)
    share = np.exp(log_softmax(model.predict(X).reshape(-1, 3), axis=1)).ravel()
    Z = model.scaler_.transform(X)
    gradient = Z.T @ (share - (groups["preference"] > 0))
    np.testing.assert_allclose(gradient, 0.0, atol=0.01)


def test_choice_log_loss_by_hand():
    groups = Groups.from_winners(group=[1, 0, 1, 0, 0], winner=[1, 0, 0, 1, 0])
    scores = np.log([3.0, 1.0, 1.0, 2.0, 5.0])
    loss = evaluation.choice_log_loss(groups, scores)
    assert loss == pytest.approx(-(np.log(3 / 4) + np.log(2 / 8)) / 2)


def test_pairs_that_hold_an_item():
    groups = Groups.from_arrays(
        group=[0, 0, 0, 1, 1],
        item=["x", "y", "z", "y", "x"],
        preference=[3, 2, 1, 5, 4],
    )
    X = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0, 4.0]})
    X_pairs, pairs = data_sets._pairs_that_hold(X, groups, "x")
    assert X_pairs["x"].tolist() == [0, 1, 0, 2, 4, 3]
    assert pairs["preference"].tolist() == [3, 2, 3, 1, 4, 5]
    assert pairs["group"].tolist() == [0, 0, 1, 1, 2, 2]


def test_interval_is_that_of_the_t_test():
    rng = np.random.default_rng(0)
    ours, peer = pd.Series(rng.random(5)), pd.Series(rng.random(5))
    mean, half = evaluation.paired_difference(ours, peer)
    low, high = stats.ttest_rel(ours, peer).confidence_interval()
    np.testing.assert_allclose([mean - half, mean + half], [low, high])


def rows_of(name, ranker, accuracy):
    return pd.DataFrame(
        {
            "accuracy": accuracy,
            "fold": [0, 1],
            "seed": 0,
            "set": name,
            "ranker": ranker,
        }
    )


ORDER = {"set": ["THQA", "lambdarank"], "ranker": ["RS", "linear", "lambdarank"]}


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_run_replaces_its_rows_only(monkeypatch, tmp_path, on_disk):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    rows = RunRows("some", ORDER, ["seed", "fold"], on_disk=on_disk)
    assert not rows.has("THQA", "linear")
    rows.replace(rows_of("THQA", "linear", 0.8))
    rows.replace(rows_of("THQA", "RS", 0.7))
    rows.replace(rows_of("THQA", "linear", 0.9))
    assert rows.table["ranker"].tolist() == ["RS", "RS", "linear", "linear"]
    assert rows.table["accuracy"].tolist() == [0.7, 0.7, 0.9, 0.9]
    assert [*rows.table] == ["set", "ranker", "seed", "fold", "accuracy"]
    assert rows.has("THQA", "linear")
    assert not rows.has("lambdarank", "linear")
    assert (tmp_path / "some.csv").exists() == on_disk


def test_rows_have_the_same_order_whichever_run_comes_first():
    runs = [(name, ranker) for name in ORDER["set"] for ranker in ORDER["ranker"]]
    for order in (runs, runs[::-1], runs[3:] + runs[:3]):
        rows = RunRows("some", ORDER, on_disk=False)
        for run in order:
            rows.replace(rows_of(*run, 0.5))
        ran = rows.table[["set", "ranker"]].drop_duplicates()
        assert [*ran.itertuples(index=False, name=None)] == runs


@pytest.mark.parametrize("failures", [[], ["twice too slow", "too large"]])
def test_a_smoke_run_checks_and_a_full_run_writes(monkeypatch, failures):
    calls = []

    def run(*options):
        monkeypatch.setattr("sys.argv", ["script", *options])
        run_benchmark(
            "some",
            "A docstring.",
            measure=lambda smoke: calls.append(("measured", smoke)) or "rows",
            failures_of=lambda rows: failures,
            write=lambda *written: calls.append(written),
        )

    run()
    assert calls == [("measured", False), ("some", "rows")]
    calls.clear()
    if failures:
        with pytest.raises(SystemExit, match="twice too slow\ntoo large"):
            run("--smoke")
    else:
        run("--smoke")
    assert calls == [("measured", True)]


def test_synthetic_sets_are_what_they_say():
    for recipe in synthetic.RECIPES:
        if np.prod(recipe.size) > 10**5:
            continue
        X, groups, X_test, groups_test = recipe.draw(0)
        n_groups, n_items, _ = recipe.size
        assert len(X) == len(groups) == n_groups * n_items, recipe.name
        assert not set(groups["group"]) & set(groups_test["group"])
        again = recipe.draw(0)[0]
        pd.testing.assert_frame_equal(X, again)
        assert not np.array_equal(X, recipe.draw(1)[0])
        if recipe.winners:
            assert (groups["preference"] > 0).sum() == n_groups
        if recipe.levels is not None:
            assert len(np.unique(groups_test["preference"])) == recipe.levels


@pytest.mark.parametrize("truth", uncertainty.TRUTHS, ids=lambda truth: truth.name)
def test_a_truth_stays_and_its_draws_differ(truth):
    X, groups = truth.draw(12, 0)
    assert X.shape == (12 * truth.n_items, truth.n_features)
    assert np.unique(groups["group"], return_counts=True)[1].tolist() == (
        [truth.n_items] * 12
    )
    np.testing.assert_array_equal(truth.draw(12, 0)[0], X)
    for other in ((12, 1), (13, 0)):
        assert not np.isin(truth.draw(*other)[0], X).any()
    noise = groups["preference"] - truth.quality(X)
    assert noise.std() == pytest.approx(truth.noise, rel=0.3)
    np.testing.assert_allclose(truth.quality(X[:3]), truth.quality(X)[:3])
    assert truth.quality(truth.test_items()).std() == pytest.approx(1.0, rel=0.2)
    assert len(truth.test_items()) == uncertainty.N_TEST_ITEMS


def test_ratio_of_what_happened_to_the_standard_error():
    truth = uncertainty.TRUTHS[0]
    rows = uncertainty.measure(truth, n_members=2, n_groups=12, n_draws=3)
    again = uncertainty.measure(truth, n_members=2, n_groups=12, n_draws=3)
    pd.testing.assert_frame_equal(rows, again)
    X_test, scores, variance = truth.test_items(), [], []
    for seed in range(3):
        ranker = PairwisePreferenceRanker(n_members=2, random_state=seed)
        score, error = ranker.fit(*truth.draw(12, seed)).predict(X_test, True)
        scores.append(score - score.mean())
        variance.append(error**2)
    expected = np.var(scores, axis=0, ddof=1).mean() / np.mean(variance)
    ratio = uncertainty.ratios(rows)
    assert ratio.index.tolist() == [(truth.name, 2, 12)]
    assert ratio.iloc[0] == pytest.approx(np.sqrt(expected))
    together = pd.concat([rows, rows.assign(n_groups=25, stated=2 * rows["stated"])])
    np.testing.assert_allclose(
        uncertainty.ratios(together), [ratio.iloc[0], ratio.iloc[0] / 2]
    )
    table = agreement_tables.uncertain(together).splitlines()
    assert table[0] == "| truth | 2 members, 12 groups | 2 members, 25 groups |"
    assert table[2] == (
        f"| {truth.name} | {ratio.iloc[0]:.2f} | {ratio.iloc[0] / 2:.2f} |"
    )


class TestMissing:
    """Values that are removed from a set, and what ours gains over an imputer."""

    @staticmethod
    def made():
        rng = np.random.default_rng(0)
        X = pd.DataFrame(rng.normal(size=(600, 3)), columns=["a", "b", "c"])
        groups = Groups.from_arrays(group=np.arange(600) // 5, preference=X["a"])
        make = lambda: data_sets._folds(X, groups)  # noqa: E731
        return X, data_sets.DataSet("made", make, "real")

    @pytest.mark.parametrize("rule", missing.RULES)
    def test_each_split_lacks_the_same_values(self, rule):
        X, data = self.made()
        splits = missing.without_some(data, missing.RULES[rule])
        tables = [pd.concat([s.X_train, s.X_test]).sort_index() for s in splits]
        for table in tables:
            pd.testing.assert_frame_equal(table, tables[0])
        is_removed = tables[0].isna()
        pd.testing.assert_frame_equal(tables[0], X.mask(is_removed))
        np.testing.assert_allclose(is_removed.mean(), missing.SHARE, atol=0.05)
        is_low = X.median() > X
        share_of_high = is_removed.to_numpy()[~is_low.to_numpy()].mean()
        expected = 0.0 if rule == "low values" else missing.SHARE
        assert share_of_high == pytest.approx(expected, abs=0.03)

    def test_each_handling_learns(self):
        _, data = self.made()
        splits = missing.without_some(data, missing.chance_if_low)[:1]
        for handling in missing.HANDLINGS:
            rows = missing.run(handling, data, splits, 1)
            assert rows["accuracy"].iloc[0] > 0.6

    def test_the_gain_is_paired_over_folds(self):
        rows = pd.DataFrame(
            [
                {
                    "set": "made",
                    "handling": name,
                    "seed": 0,
                    "fold": fold,
                    "accuracy": a,
                }
                for name, values in {
                    missing.OURS: [0.8, 0.7, 0.9],
                    missing.IMPUTED: [0.7, 0.7, 0.7],
                }.items()
                for fold, a in enumerate(values)
            ]
        )
        row = missing.summary(rows).loc["made"]
        assert row[missing.OURS] == pytest.approx(0.8)
        assert row["gain"] == pytest.approx((0.1 + 0.0 + 0.2) / 3)
        half = stats.t.ppf(0.975, 2) * 0.1 / np.sqrt(3)
        assert row["half"] == pytest.approx(half)
        table = agreement_tables.missing_metrics(rows).splitlines()
        assert f"+0.100 ± {half:.3f}" in table[2]


def test_no_two_sets_share_a_name():
    assert len(data_sets.SETS) == len(data_sets._ALL)


def test_sets_without_their_table_are_left_out(monkeypatch, tmp_path):
    for home in (None, tmp_path):
        if home is None:
            monkeypatch.delenv(DATA_HOME_VARIABLE, raising=False)
        else:
            monkeypatch.setenv(DATA_HOME_VARIABLE, str(home))
        available = {n for n, data in data_sets.SETS.items() if data.is_available()}
        assert available == {
            name for name, data in data_sets.SETS.items() if data.kind == "synthetic"
        }


@pytest.mark.parametrize(
    ("name", "expected"), [("THQA", 0.803), ("RealSumm", 0.729)], ids=str
)
def test_linear_peer_agrees_as_known(name, expected):
    data = data_sets.SETS[name]
    if not data.is_available():
        pytest.skip(
            f"needs {DATA_HOME_VARIABLE}; it is {os.environ.get(DATA_HOME_VARIABLE)}"
        )
    accuracy = []
    for X, groups, X_test, groups_test in data.splits():
        model = rankers.RANKERS["linear"].make(0, data).fit(X, groups)
        accuracy.append(pairwise_accuracy_score(groups_test, model.predict(X_test)))
    assert np.mean(accuracy) == pytest.approx(expected, abs=0.005)


@pytest.fixture
def pages(monkeypatch, tmp_path):
    monkeypatch.setattr(doc_tables, "DOCS", tmp_path)
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    return doc_tables


def test_tables_of_a_page_are_replaced_and_the_prose_stays(pages, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Before.\n<!-- table a -->\nold\n<!-- end -->\nAfter.\n")
    for _ in range(2):
        pages.fill("page.md", {"a": lambda: "| new |"})
        expected = "Before.\n<!-- table a -->\n| new |\n<!-- end -->\nAfter.\n"
        assert page.read_text() == expected


def test_a_mark_that_nobody_fills_is_an_error(pages, tmp_path):
    page = tmp_path / "page.md"
    text = "<!-- table b -->\nold\n<!-- end -->\n"
    page.write_text(text)
    with pytest.raises(ValueError, match=re.escape("page.md asks for table 'b'")):
        pages.fill("page.md", {"a": lambda: ""})
    assert page.read_text() == text


def test_a_table_without_rows_says_so(pages, tmp_path):
    make = pages.from_rows("some", lambda rows: f"{len(rows)} rows")
    assert make() == pages.NO_ROWS
    (tmp_path / "some.csv").write_text("x\n1\n2\n")
    assert make() == "2 rows"


def test_every_page_has_what_its_tables_are_made_of():
    augmentation = {"augmentation", "augmentation_more"}
    tables = {
        "speed.md": {*speed_tables.TABLES},
        "dask.md": {*speed_tables.DASK_TABLES},
        "agreement.md": {*agreement_tables.TABLES} - augmentation,
        "augmentation.md": augmentation,
        "reliability.md": {*reliability_tables.TABLES},
        "compatibility.md": {*compatibility_tables.TABLES},
        "leaderboard.md": {*inspection_tables.TABLES},
        "votes.md": {*votes_tables.TABLES},
        "curves.md": {*curve_tables.TABLES},
        "importance.md": {*inspection_tables.IMPORTANCE_TABLES},
        "agreement_measures.md": {*inspection_tables.MEASURE_TABLES},
    }
    for page, names in tables.items():
        text = (DOCS / page).read_text("utf-8")
        marks = set(re.findall(r"<!-- table (\w+) -->", text))
        assert marks == names | ({"machine"} if page != "augmentation.md" else set())
        assert text.count("<!-- table") == text.count("<!-- end -->")


@pytest.mark.parametrize(
    ("value", "text"),
    [("as it is", "as it is"), (np.nan, ""), (1234.5, "1,234"), (0.012345, "0.0123")],
)
def test_numbers_of_tables(pages, value, text):
    assert pages.three_digits(value) == text


class TestSeparation:
    """Rules of Arena-Hard and arenakit, to set beside those of a leaderboard."""

    def drawn(self):
        rng = np.random.default_rng(0)
        means = pd.Series([3.0, 2.5, 2.4, 0.0], list("abcd"))
        moved = rng.normal(size=(500, 4)) * [0.2, 0.2, 0.2, 0.1]
        return means, pd.DataFrame(means.to_numpy() + moved, columns=means.index)

    def test_intervals_that_do_not_overlap(self):
        _, drawn = self.drawn()
        apart = separation.intervals_apart(drawn)
        for a, b in np.ndindex(4, 4):
            low = np.quantile(drawn.iloc[:, a], 0.025)
            assert apart[a, b] == (low > np.quantile(drawn.iloc[:, b], 0.975))
        assert apart.sum(axis=1).tolist() == [1, 1, 1, 0]

    def test_neighbours_by_the_largest_difference_of_each_draw(self):
        means, drawn = self.drawn()
        together, alone = separation.neighbours_apart(means, drawn)
        gaps = [0.5, 0.1, 2.4]
        moved = [drawn.iloc[:, k] - drawn.iloc[:, k + 1] for k in range(3)]
        t = [abs(m - g) / m.std() for m, g in zip(moved, gaps, strict=True)]
        limit = np.quantile(np.max(t, axis=0), 0.95)
        for k, gap in enumerate(gaps):
            assert together[k] == (gap / moved[k].std() > limit)
            assert alone[k] == (gap / moved[k].std() > np.quantile(t[k], 0.95))
        assert together.tolist() == [False, False, True]

    def test_means_are_those_of_a_leaderboard(self):
        rng = np.random.default_rng(0)
        group, item = (axis.ravel() for axis in np.indices((12, 3)))
        groups = Groups.from_arrays(
            group=group, item=item, preference=rng.normal(size=36) + item
        )[rng.permutation(36)[:30]]
        groups = Groups.whole(groups)
        cluster = groups["group"] // 3
        board = bootstrap_leaderboard(
            groups, cluster=cluster, n_boot=200, random_state=0
        )
        mean, drawn = separation.drawn_means(groups, cluster, 200, rng)
        assert_allclose(mean, board.systems["mean"])
        width = board.systems["high"] - board.systems["low"]
        assert np.all(drawn.std().to_numpy() < width)
        rows = separation.separations(board, groups, cluster, 50)
        assert rows["of_pairs"].tolist() == [3] * 4
        assert rows["pairs"][0] == 3 * board.separation
