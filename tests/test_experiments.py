"""The experiments of the paper, end to end, and what they must show."""

import os
import re
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from typer.testing import CliRunner

from sklearn_pscore import (
    Groups,
    LinearPreferenceRanker,
    PairAugmenter,
    PairwisePreferenceRanker,
)
from sklearn_pscore._cli.app import app
from sklearn_pscore._experiments import (
    PAPER_AUGMENTER,
    PAPER_RANKER,
    Experiment,
    challenge_experiment,
    preference_score,
    thqa_experiment,
)
from sklearn_pscore.datasets import fetch_thqa
from sklearn_pscore.metrics import dcg_score
from sklearn_pscore.metrics._models import predict_scores
from sklearn_pscore.report import QUESTIONS, analyse

DATA_HOME = os.environ.get("SKLEARN_PSCORE_DATA", "")
needs_thqa = pytest.mark.skipif(
    not (DATA_HOME and (Path(DATA_HOME) / "thqa" / "vvmf_results_a01.csv").exists()),
    reason="THQA is not in the folder named by SKLEARN_PSCORE_DATA",
)


@lru_cache
def challenge(track):
    return challenge_experiment(track)


@pytest.mark.parametrize(
    ("track", "planted"), [("talking", "AVConf"), ("listening", "PoseFD")]
)
class TestChallenge:
    """20 challenges to learn from, by the award only, and 20 to judge on."""

    def test_ps_is_ahead_of_the_hand_made_rankings(self, track, planted):
        experiment = challenge(track)
        X_test, groups_test = experiment.test
        rankers = experiment.rankers()
        dcg = {}
        for name in ("PS", "#Top1", "RS"):
            fitted = rankers[name].fit(experiment.X, experiment.groups)
            scores = predict_scores(fitted, X_test, groups_test)
            dcg[name] = dcg_score(groups_test, scores, average=False)
        for other in ("#Top1", "RS"):
            gap = dcg["PS"] - dcg[other]
            standard_error = gap.std(ddof=1) / np.sqrt(len(gap))
            assert len(gap) == 20
            assert gap.mean() > 2 * standard_error

    def test_importance_finds_the_planted_metric(self, track, planted):
        experiment = challenge(track)
        drops, baseline = experiment.importances(seeds=[0])
        assert experiment.X.columns[np.argmax(drops.mean(axis=1))] == planted
        assert 0 < drops.max() < baseline

    def test_awards_are_learnt_from_and_the_human_order_judges(self, track, planted):
        experiment = challenge(track)
        _, groups_test = experiment.test
        assert set(np.unique(experiment.groups["preference"])) == {0.0, 10.0}
        assert len(np.unique(groups_test["preference"])) == 20 * 8
        assert not groups_test["donor"].any()
        assert not set(groups_test["group"]) & set(experiment.groups["group"])


@needs_thqa
class TestTHQA:
    @pytest.mark.parametrize("labels", ["full", "winners"])
    def test_folds_keep_a_portrait_together(self, labels):
        experiment = thqa_experiment(data_home=DATA_HOME, labels=labels)
        portraits = fetch_thqa(data_home=DATA_HOME).portraits
        assert_array_equal(experiment.groups["block"], portraits)
        for X, _, X_test, _ in experiment.splits():
            assert not set(portraits[X.index]) & set(portraits[X_test.index])

    def test_winners_are_learnt_from_and_opinions_judge(self):
        experiment = thqa_experiment(data_home=DATA_HOME, labels="winners")
        full = thqa_experiment(data_home=DATA_HOME)
        assert set(np.unique(experiment.groups["preference"])) == {0.0, 10.0}
        assert_array_equal(experiment.reference, full.groups)
        winners = experiment.groups["preference"] == 10
        assert set(experiment.groups["group"][winners]) == set(full.groups["group"])

    def test_ps_is_ahead_of_the_hand_made_rankings(self):
        experiment = thqa_experiment(data_home=DATA_HOME)
        rankers = {
            name: ranker
            for name, ranker in experiment.rankers().items()
            if name in {"PS", "#Top1", "RS"}
        }
        table = experiment.compare(n_runs=1, rankers=rankers).table()["DCG", "mean"]
        assert table.idxmax() == "GT"
        assert table.drop("GT").idxmax() == "PS"


@pytest.fixture
def small(monkeypatch):
    """Make the challenge of the command line a small one."""
    import sklearn_pscore._experiments as experiments

    few = partial(challenge_experiment, n_train=2, n_test=2)
    monkeypatch.setattr(experiments, "challenge_experiment", few)

    def quick(X, groups, **options):
        return analyse(
            X, groups, rankers={"linear": LinearPreferenceRanker()}, **options
        )

    monkeypatch.setattr("sklearn_pscore.report.analyse", quick)


def run(*arguments, **env):
    return CliRunner().invoke(app, ["compare", *map(str, arguments)], env=env)


class TestCommandLine:
    def test_tables_and_pictures(self, small, tmp_path):
        out = tmp_path / "new" / "demo"
        out.mkdir(parents=True)
        (out / "notes.txt").write_text("mine")
        result = run("--data", "challenge", "--runs", 2, "--out", out)
        assert result.exit_code == 0, result.output
        assert sorted(path.name for path in out.iterdir()) == [
            "importance-listening.png",
            "importance-talking.png",
            "importance.csv",
            "leaderboard-listening.png",
            "leaderboard-talking.png",
            "notes.txt",
            "report-listening.html",
            "report-talking.html",
            "runs.csv",
            "table.csv",
        ]
        table = pd.read_csv(out / "table.csv")
        methods = ["GT", "#Top1", "RS", "DT", "CB", "PS", "PS, defaults"]
        assert table["method"].tolist() == methods * 2
        assert (table["DCG mean"] <= table["DCG mean"].max()).all()
        assert table.loc[table["method"] == "GT", "MRR mean"].tolist() == [1.0, 1.0]
        runs = pd.read_csv(out / "runs.csv")
        assert (runs["method"] == "PS").sum() == 2 * 2
        importance = pd.read_csv(out / "importance.csv")
        assert len(importance) == 2 * 12
        assert "notes.txt" not in result.output
        assert (
            "misleading (-0.4): learnt from the awards of 2 challenges" in result.output
        )
        ps = runs.query("method == 'PS' and data.str.endswith('talking')")
        assert f"unshuffled: DCG {ps['DCG'].mean():.3f}" in result.output
        for line in ("GT", "#Top1", "PS"):
            assert f"\n{line}" in result.output
        # Last come the answers of each data set.
        for question in QUESTIONS:
            assert result.output.count(f"\n{question}\n") == 2
        page = (out / "report-talking.html").read_text(encoding="utf-8")
        assert "synthetic challenge, talking" in page
        assert "PNG" in str((out / "leaderboard-talking.png").read_bytes()[:8])

    def test_nothing_is_overwritten_unless_asked_for(self, tmp_path):
        (tmp_path / "runs.csv").write_text("mine")
        result = run("--data", "challenge", "--out", tmp_path)
        assert result.exit_code == 2
        assert "runs.csv', which is there already; expected a new" in result.output
        assert "or --force to replace it." in result.output
        assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]
        assert (tmp_path / "runs.csv").read_text() == "mine"

    def test_falls_back_on_the_challenge_and_says_so(
        self, small, tmp_path, monkeypatch
    ):
        monkeypatch.setattr("pooch.retrieve", _offline)
        result = run(
            "--runs", 1, "--out", tmp_path / "out", "--data-home", tmp_path / "no"
        )
        assert result.exit_code == 0, result.output
        assert "THQA is not at hand" in result.output
        assert "synthetic challenge, talking" in result.output

    def test_thqa_that_was_asked_for_and_is_missing(self, tmp_path, monkeypatch):
        monkeypatch.setattr("pooch.retrieve", _offline)
        out = tmp_path / "out"
        result = run("--data", "thqa", "--data-home", tmp_path, "--out", out)
        assert result.exit_code == 1
        assert "Error: THQA is not at" in result.output
        assert not out.exists()

    def test_damaged_thqa(self, tmp_path):
        path = tmp_path / "thqa" / "vvmf_results_a01.csv"
        path.parent.mkdir()
        path.write_text("Image,Score\n")
        result = run("--data-home", tmp_path, "--out", tmp_path / "out")
        assert result.exit_code == 1
        assert "Error:" in result.output
        assert str(path) in result.output
        assert path.read_text() == "Image,Score\n"

    def test_no_half_written_file_remains(self, small, tmp_path, monkeypatch):
        def stop(table, path, **kwargs):
            Path(path).write_text("half")
            raise KeyboardInterrupt

        monkeypatch.setattr(pd.DataFrame, "to_csv", stop)
        out = tmp_path / "out"
        result = run("--data", "challenge", "--runs", 1, "--out", out)
        assert result.exit_code == 130
        assert result.output.endswith("\nInterrupted.\n")
        assert not out.exists()

    def test_bad_option(self, tmp_path):
        result = run("--runs", 0, "--out", tmp_path / "out")
        assert result.exit_code == 2
        assert not (tmp_path / "out").exists()


def _offline(*args, **kwargs):
    raise OSError("no route to host")


def test_ps_is_the_paper_s_pipeline():
    steps = preference_score(augment=True).named_steps
    assert list(steps) == [
        "minmaxscaler",
        "standardscaler",
        "pairaugmenter",
        "pairwisepreferenceranker",
    ]
    assert steps["pairwisepreferenceranker"].validation_fraction == 0.2
    # Asked for in so many words: "auto" would make nothing of THQA.
    augmenter = steps["pairaugmenter"]
    assert (augmenter.stitch_sizes, augmenter.n_injected) == ((2, 3, 4), 10)


@pytest.mark.parametrize(
    ("estimator", "settings"),
    [
        (PairAugmenter, PAPER_AUGMENTER),
        (PairwisePreferenceRanker, PAPER_RANKER),
    ],
)
def test_settings_of_the_paper_are_those_of_the_docstring(estimator, settings):
    example = rf"{estimator.__name__}\((\n.*?)\n    *\)\n"
    arguments = re.search(example, estimator.__doc__, flags=re.DOTALL)[1]
    assert eval(f"dict({arguments})") == settings


def test_experiment_without_test_rows_holds_out_by_cv_groups():
    X = pd.DataFrame({"SSIM": np.arange(20.0)})
    groups = Groups.from_arrays(group=np.arange(20) // 2, preference=np.arange(20))
    experiment = Experiment("x", X, groups, {}, cv_groups=np.arange(20) // 4)
    held_out = [
        set(experiment.cv_groups[part[2].index]) for part in experiment.splits()
    ]
    assert sorted(map(sorted, held_out)) == [[0], [1], [2], [3], [4]]
