"""The sets of benchmarks/agreement/: how tables are read, folded and counted."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmarks.agreement import (
    comparison,
    data_sets,
    evaluation,
    real_tables,
    runs,
    stack,
    tables,
    variants,
)
from benchmarks.agreement.rankers import OURS, RANKERS, STACK
from benchmarks.shared import doc_tables, results
from sklearn_pscore import LinearPreferenceRanker, SingleMetricRanker
from sklearn_pscore._rankers import stacked
from sklearn_pscore.datasets._remote_file import DATA_HOME_VARIABLE

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def described():
    if not real_tables.is_there("agreement/sets.json"):
        pytest.skip(f"needs {DATA_HOME_VARIABLE} with the tables of agreement/")
    return real_tables.descriptions()


@pytest.mark.parametrize("name", real_tables.TABLES)
class TestTables:
    """Each table of ``agreement/`` against its description and the file itself."""

    def test_all_rows_are_read_as_described(self, name, described):
        file = real_tables.TABLES[name]
        about = described[file]
        table = pd.read_csv(real_tables.path_of(f"agreement/{file}.csv"))
        X, groups = real_tables.read_table(file)
        assert [*X] == about["metrics"]
        pd.testing.assert_frame_equal(X, table[about["metrics"]].astype(float))
        assert groups["group"].tolist() == table["group"].tolist()
        assert groups["item"].tolist() == table["item"].tolist()
        label = table[about["label"]].to_numpy()
        expected = np.where(label > 0, 10.0, 0.0) if name == "car choice" else label
        np.testing.assert_array_equal(groups["preference"], expected)
        assert not pd.MultiIndex.from_frame(table[["group", "item"]]).has_duplicates

    def test_each_row_is_held_out_once_and_blocks_are_kept_apart(self, name, described):
        file = real_tables.TABLES[name]
        block_column = described[file]["block"]
        table = pd.read_csv(real_tables.path_of(f"agreement/{file}.csv"))
        splits = data_sets.SETS[name].splits()
        assert len(splits) == data_sets.N_FOLDS
        held_out = np.concatenate([split.X_test.index for split in splits])
        assert sorted(held_out) == [*range(len(table))]
        for split in splits:
            assert len(split.X_train) + len(split.X_test) == len(table)
            blocks = [
                set(table.loc[rows.index, block_column])
                for rows in (split.X_train, split.X_test)
            ]
            assert not blocks[0] & blocks[1]
            assert np.isin(
                split.groups_test["group"], table.loc[split.X_test.index, "group"]
            ).all()

    def test_what_the_target_says_fits_the_labels(self, name, described):
        data = data_sets.SETS[name]
        X, groups = real_tables.read_table(real_tables.TABLES[name])
        is_graded = set(groups["preference"]) == {0.0, 1.0, 2.0, 3.0, 4.0}
        assert data.gain == ("exponential" if is_graded else "rank")
        one_chosen = pd.Series(groups["preference"] > 0).groupby(groups["group"]).sum()
        assert data.is_choice == one_chosen.eq(1).all()
        assert ("block" in groups.dtype.names) == (name == "HDR video")
        assert ("n_raters" in groups.dtype.names) == (name == "speech codecs")
        assert X.isna().to_numpy().any() == (name == "FRANK, summaries")


def test_every_described_table_is_a_set(described):
    assert set(described) == set(real_tables.TABLES.values())
    assert set(real_tables.TABLES) < set(data_sets.REAL_SETS)


def test_each_real_table_counts_once():
    files = [data_sets.SETS[name].file for name in data_sets.REAL_SETS]
    assert len(set(files)) == len(files) == 12
    again = [d for d in data_sets.SETS.values() if d.is_split_again]
    assert [d.name for d in again] == ["THQA, one method out"]
    assert again[0].file in files


class TestRefused:
    """A table that is not what its description says is refused, with what is off."""

    @staticmethod
    def write(folder, table, **about):
        (folder / "agreement").mkdir()
        table.to_csv(folder / "agreement" / "made.csv", index=False)
        described = {
            "label": "label",
            "group": "group",
            "metrics": ["a"],
            "rows": 4,
            "groups": 2,
            "block": "fold",
        }
        text = json.dumps({"made": described | about})
        (folder / "agreement" / "sets.json").write_text(text)

    @staticmethod
    def table(**changed):
        columns = {
            "group": [0, 0, 1, 1],
            "item": ["x", "y", "x", "y"],
            "a": [1.0, np.nan, 3.0, 4.0],
            "label": [1.0, 2.0, 3.0, 4.0],
            "fold": ["p", "p", "q", "q"],
        }
        return pd.DataFrame(columns | changed)

    @pytest.fixture
    def home(self, monkeypatch, tmp_path):
        monkeypatch.setenv(DATA_HOME_VARIABLE, str(tmp_path))
        return tmp_path

    def test_missing_values_and_blocks_stay(self, home):
        table = self.table(fold=["p"] * 4)
        self.write(home, table)
        X, groups = real_tables.read_table("made")
        assert X["a"].isna().tolist() == [False, True, False, False]
        assert groups["block"].tolist() == ["p"] * 4

    @pytest.mark.parametrize(
        ("changed", "about", "message"),
        [
            ({"b": 1.0}, {}, "made.csv also holds the columns ['b']."),
            ({}, {"metrics": ["a", "c"]}, "made.csv lacks the columns ['c']."),
            ({}, {"rows": 5}, "made.csv has 4 rows; expected 5, as sets.json says."),
            ({}, {"groups": 3}, "made.csv has 2 groups; expected 3"),
            (
                {"fold": ["p", "q", "q", "q"]},
                {},
                "made.csv: group 0 is in 2 blocks of 'fold'; expected all rows",
            ),
            (
                {"label": [1.0, 2.0, np.nan, 4.0]},
                {},
                "made.csv has no 'label' in row 2.",
            ),
        ],
    )
    def test_a_table_that_is_not_as_described(self, home, changed, about, message):
        self.write(home, self.table(**changed), **about)
        with pytest.raises(ValueError, match=re.escape(message)):
            real_tables.read_table("made")


def rows_of(accuracy, by="ranker"):
    """Return rows of accuracies by (set, name), a list with one value per fold."""
    return pd.DataFrame(
        [
            {"set": name, by: ranker, "seed": 0, "fold": fold, "accuracy": value}
            for (name, ranker), values in accuracy.items()
            for fold, value in enumerate(values)
            if not np.isnan(value)
        ]
    )


@pytest.fixture
def rows():
    """Ours, a peer and a stack on two real tables, one of them also split again."""
    return rows_of(
        {
            ("THQA", OURS): [0.8, 0.9],
            ("THQA", "linear"): [0.7, 0.7],
            ("THQA", STACK): [0.9, 0.9],
            ("RealSumm", OURS): [0.6, 0.6],
            ("RealSumm", "linear"): [0.625, 0.625],
            ("RealSumm", STACK): [0.65, 0.65],
            ("THQA, one method out", OURS): [0.1, 0.1],
            ("THQA, one method out", "linear"): [0.9, 0.9],
            ("linear, 20 x 8", OURS): [0.5, 0.5],
            ("linear, 20 x 8", "linear"): [0.4, 0.4],
        }
    )


def test_differences_are_paired_over_the_folds_that_both_have():
    rows = rows_of(
        {
            ("THQA", "a"): [0.5, 0.6, 0.7],
            ("THQA", "b"): [0.6, np.nan, 0.9],
            ("RealSumm", "a"): [0.5],
            ("lambdarank", "b"): [0.5],
        }
    )
    gaps = evaluation.differences_by_set(rows, "ranker", "a")
    assert gaps.loc["b", "THQA"] == pytest.approx((0.1 + 0.2) / 2)
    assert gaps.loc["b", ["RealSumm", "lambdarank"]].isna().all()
    assert gaps.loc["a", "THQA"] == 0.0


def test_the_error_over_sets_is_that_of_their_mean():
    gains = np.random.default_rng(0).normal(size=7)
    names = [f"set {k}" for k in range(7)]
    row = evaluation.over_sets(pd.DataFrame([gains], ["peer"], names)).loc["peer"]
    assert row["sets"] == 7
    assert row["difference"] == pytest.approx(gains.mean())
    assert row["standard error over sets"] == pytest.approx(stats.sem(gains))
    assert (row["ahead"], row["behind"]) == ((gains > 0).sum(), (gains < 0).sum())
    assert row["worst"] == gains.min()
    assert row["worst set"] == names[gains.argmin()]
    assert row["best set"] == names[gains.argmax()]


def test_ours_less_each_peer_counts_each_table_once(rows):
    real = comparison.against_peers(rows, "real").loc["linear"]
    gains = [0.15, -0.025]
    assert real["sets"] == 2
    assert real["difference"] == pytest.approx(np.mean(gains))
    assert real["standard error over sets"] == pytest.approx(stats.sem(gains))
    assert real["worst set"] == "RealSumm"
    every = comparison.against_peers(rows, "all").loc["linear"]
    assert every["difference"] == pytest.approx(np.mean([*gains, 0.1]))
    assert OURS not in comparison.against_peers(rows).index


def test_means_are_of_rankers_that_were_run_on_all_sets_of_a_kind(rows):
    means = comparison.means_over_sets(rows)
    assert [*means] == ["real, 2 sets", "all, 3 sets", "synthetic, 1 sets"]
    assert means.loc[STACK, "real, 2 sets"] == pytest.approx((0.9 + 0.65) / 2)
    assert means.loc[STACK].isna().tolist() == [False, True, True]
    assert means.loc[OURS, "all, 3 sets"] == pytest.approx((0.85 + 0.6 + 0.5) / 3)


def test_the_best_peer_is_no_stack_and_what_is_behind_is_told(rows):
    table = comparison.summary(rows).set_index("set")
    assert table.loc["THQA", "which"] == "linear"
    assert table.loc["THQA", "stack"] == pytest.approx(0.9)
    assert comparison.behind_the_best(rows)["set"].tolist() == ["RealSumm"]
    assert not len(comparison.behind_the_best(rows, by=0.03))
    text = tables.behind(rows)
    assert "| RealSumm | 0.600 | 0.625 | linear | -0.025 |" in text
    assert tables.WHY_BEHIND["RealSumm"] in text
    only_ahead = rows[rows["set"] != "RealSumm"]
    assert tables.behind(only_ahead).startswith("None: on every real set")


def test_the_verdict_names_the_peers_that_ours_is_not_ahead_of(rows):
    assert tables.verdict(rows) == (
        "Over the 2 real sets the defaults are ahead of 0 of the 1 single peers that were "
        "run on all of them, by more than one standard error over sets. They are not "
        "ahead by that of linear (+0.0625 ± 0.0875)."
    )
    rows.loc[rows["ranker"] == "linear", "accuracy"] -= 0.1
    assert tables.verdict(rows) == (
        "Over the 2 real sets the defaults are ahead of each of the 1 single peers that "
        "were run on all of them, by more than one standard error over sets; the nearest "
        "is linear (+0.1625 ± 0.0875)."
    )
    assert tables.verdict(rows[rows["ranker"] == OURS]) == doc_tables.NO_ROWS


def test_the_verdict_on_the_stack(rows):
    assert tables.stack_verdict(rows) == (
        "Over 2 real sets the stack has +0.0500 ± 0.0000 (the standard error over sets) "
        "over the defaults: that is more than its standard error. It is ahead on 2 sets "
        "and behind on 0, from +0.050 (THQA) to +0.050 (RealSumm)."
    )
    is_stack = rows["ranker"] == STACK
    rows.loc[is_stack & (rows["set"] == "THQA"), "accuracy"] -= 0.08
    assert "that is less than its standard error" in tables.stack_verdict(rows)
    rows.loc[is_stack, "accuracy"] -= 0.2
    assert "it is below them" in tables.stack_verdict(rows)
    assert tables.stack_verdict(rows[~is_stack]) == doc_tables.NO_ROWS


def test_every_reason_is_of_a_set():
    assert set(tables.WHY_BEHIND) <= set(data_sets.REAL_SETS)


def test_tables_of_the_comparison(rows):
    lines = tables.peers_real(rows).splitlines()
    assert lines[0].startswith("| peer | sets | mean difference | standard error")
    assert "| linear | 2 | +0.0625 | 0.0875 | 1, 1 | -0.025, RealSumm |" in lines[3]
    assert len(tables.peers_all(rows).splitlines()) == 4


def test_the_linear_ranker_and_the_default_stack_are_peers():
    linear, of_three = (RANKERS[n].make(3, None) for n in ("linear", STACK))
    assert isinstance(linear, LinearPreferenceRanker)
    assert of_three.rankers is None
    assert of_three.random_state == 3


class TestVariants:
    """Changes of one default: over real sets, over fewer folds, and kept by name."""

    @pytest.fixture
    def rows(self):
        accuracy = {
            ("THQA", "defaults"): [0.8, 0.9],
            ("THQA", "one member"): [0.7, np.nan],
            ("RealSumm", "defaults"): [0.6, 0.6],
            ("RealSumm", "one member"): [0.7, 0.7],
            ("linear, 20 x 8", "defaults"): [0.5, 0.5],
            ("linear, 20 x 8", "one member"): [0.6, 0.6],
            ("THQA", "old defaults"): [0.5, 0.6],
            ("THQA", "dropped"): [0.6, 0.7],
        }
        return rows_of(accuracy, by="variant")

    @pytest.fixture
    def tried(self, monkeypatch):
        kept = {"dropped": variants.Tried("what it was", base="old defaults")}
        monkeypatch.setattr(variants, "TRIED", kept)

    def test_differences_over_real_sets_alone(self, rows, tried):
        real = variants.differences(rows, "real")
        assert [*real.index] == ["defaults", "one member"]
        assert real.loc["one member", "difference"] == pytest.approx(0.0)
        every = variants.differences(rows)
        assert every.loc["one member", "difference"] == pytest.approx(0.1 / 3)

    def test_the_choice_of_the_other_sets(self, rows, tried):
        choice = variants.leave_one_out(rows)
        assert choice.loc["THQA", "chosen"] == "one member"
        assert choice.loc["THQA", "reached"] == pytest.approx(0.85 - 0.1)
        assert choice.loc["RealSumm", "chosen"] == "defaults"

    def test_a_single_set_leaves_none_to_choose_by(self, rows, capsys):
        only_thqa = rows[rows["set"] == "THQA"]
        assert not len(variants.leave_one_out(only_thqa))
        variants.show(only_thqa)
        assert "difference to the defaults, over sets: real" in capsys.readouterr().out

    def test_a_variant_without_a_fold_of_the_defaults_is_left_out(self, rows):
        other = rows_of({("lambdarank", "10 members"): [0.5]}, by="variant")
        table = variants.differences(pd.concat([rows, other]))
        assert "10 members" not in table.index
        assert "one member" in table.index

    def test_what_is_not_kept_stays_by_name(self, rows, tried):
        table = variants.differences_of_tried(rows)
        assert table.loc["dropped", "difference"] == pytest.approx(0.1)
        assert table.loc["dropped", "what"] == "what it was"
        text = tables.variants_tried(rows)
        assert "| dropped | what it was | 1 | +0.1000 |  | +0.100, THQA |" in text
        assert "dropped" not in tables.variants_means(rows)

    def test_nothing_was_tried(self, rows, monkeypatch):
        monkeypatch.setattr(variants, "TRIED", {})
        assert tables.variants_tried(rows) == "(nothing was recorded yet)"

    def test_losses_on_graded_labels(self, rows):
        graded = rows_of(
            {("lambdarank", "defaults"): [0.7], ("lambdarank", "lambdarank"): [0.6]},
            by="variant",
        ).assign(**{"NDCG@5": 0.5})
        assert tables.lambdarank_loss(pd.concat([rows, graded])).splitlines() == [
            "| set | NDCG@5, defaults | NDCG@5, lambdarank | accuracy, defaults "
            "| accuracy, lambdarank |",
            "| --- | ---: | ---: | ---: | ---: |",
            "| lambdarank | 0.500 | 0.500 | 0.700 | 0.600 |",
            "",
            "By NDCG@5 lambdarank is no better as a rule: +0.000 (lambdarank).",
        ]

    def test_losses_are_judged_by_what_both_have(self, rows):
        graded = rows_of(
            {("lambdarank", "defaults"): [0.7], ("lambdarank", "lambdarank"): [0.6]},
            by="variant",
        ).assign(**{"NDCG@5": [0.5, 0.6], "NDCG@10": [0.5, float("nan")]})
        said = tables.lambdarank_loss(pd.concat([rows, graded])).splitlines()[-1]
        assert said == "By NDCG@5 lambdarank is better: +0.100 (lambdarank)."
        of_one = graded[graded["variant"] == "defaults"]
        said = tables.lambdarank_loss(pd.concat([rows, of_one])).splitlines()[-1]
        assert said == "No set has rows of both."


def test_the_stack_that_the_other_sets_choose():
    a, b = list(stack.STACKS)[:2]
    rows = rows_of(
        {
            ("THQA", stack.DEFAULTS): [0.5],
            ("THQA", a): [0.6],
            ("THQA", b): [0.4],
            ("RealSumm", stack.DEFAULTS): [0.5],
            ("RealSumm", a): [0.5],
            ("RealSumm", b): [0.7],
        }
    )
    choice = stack.leave_one_out(rows)
    assert choice.loc["THQA"].tolist() == [b, pytest.approx(-0.1)]
    assert choice.loc["RealSumm"].tolist() == [a, pytest.approx(0.0)]
    text = tables.stack_choice(rows)
    assert "| mean, standard error |  | -0.0500, 0.0500 |" in text
    assert "| defaults | 2 | 0.5000 | +0.0000 | 0.0000 |" in tables.stacks(rows)


def test_a_stronger_pull_brings_weights_together(monkeypatch):
    data = data_sets.SETS["linear, 20 x 8"]
    columns = data.splits()[0].X_train.columns
    for name, column in zip(
        (stack.DEFAULTS, "linear", "ExtraTrees"), columns, strict=False
    ):
        monkeypatch.setitem(
            stack.MEMBERS,
            name,
            lambda seed, column=column: SingleMetricRanker(column, direction="learn"),
        )
    spread = [
        stack.run(name, data, data.splits()[:1], 1)
        .filter(like="weight of")
        .std(axis=1)
        .iloc[0]
        for name in ("stack: defaults, linear, ExtraTrees", *stack.PULLS)
    ]
    assert spread[0] > spread[1] > spread[2]
    assert stacked._PULL == 10.0


def arguments(monkeypatch, *options):
    monkeypatch.setattr("sys.argv", ["script", *options])
    return runs.parse(variants.GRID, "Doc.", smoke_sets=["THQA"])


class TestCommandLine:
    """Which runs a script is asked for."""

    def test_real_sets_and_few_folds(self, monkeypatch):
        args = arguments(monkeypatch, "--real", "--folds", "2")
        assert args.folds == 2
        assert args.sets == [n for n, d in data_sets.SETS.items() if d.kind == "real"]
        assert arguments(monkeypatch).folds is None

    def test_a_smoke_run_has_two_folds(self, monkeypatch):
        args = arguments(monkeypatch, "--smoke")
        assert (args.sets, args.folds, args.seeds) == (["THQA"], 2, 1)

    def test_one_name_only_is_written_by_another(self, monkeypatch, capsys):
        with pytest.raises(SystemExit):
            arguments(
                monkeypatch, "--as", "old", "--variants", "defaults", "one member"
            )
        message = "--as names the rows of one variant, but 2 are run; pass one"
        assert message in capsys.readouterr().err

    def test_rows_by_another_name_come_last(self, monkeypatch, tmp_path):
        monkeypatch.setattr(results, "RESULTS", tmp_path)
        accuracy = {("THQA", "asked for"): [0.5, 0.6, 0.7]}
        data = data_sets.DataSet("THQA", make=lambda: [1, 2, 3], kind="real")

        def run(name, data, splits, n_seeds):
            rows = rows_of(accuracy, by="variant").drop(columns=["set", "variant"])
            return rows.assign(fit_seconds=0.0)[: len(splits)]

        grid = runs.Grid(
            "made", by="variant", names=["defaults"], sets={"THQA": data}, run=run
        )
        for options in (["--as", "old"], [], ["--as", "older"]):
            monkeypatch.setattr("sys.argv", ["script", "--folds", "2", *options])
            args = runs.parse(grid, "Doc.", smoke_sets=["THQA"])
            table = runs.run_grid(grid, args)
        assert (
            table["variant"].tolist() == ["defaults"] * 2 + ["old"] * 2 + ["older"] * 2
        )
