"""The program on those who vote, and on what they were shown first."""

import numpy as np
import pandas as pd
import pytest
from cli_cases import invoke, refused
from test_cli_votes import ARENA, ITEMS, VOTES, written

from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore._cli.models import load_model
from sklearn_pscore._cli.rankers import QUICK
from sklearn_pscore._tables.files import write_table
from sklearn_pscore.inspection import annotator_report

FEW = VOTES[VOTES["annotator"].isin(["annotator 00", "annotator 01", "annotator 02"])]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return written(tmp_path_factory.mktemp("few"), FEW)


def cells(printed):
    """Return the printed table as lists of words."""
    return [line.split() for line in printed.split("\n\n")[0].splitlines()]


class TestAnnotators:
    def test_it_is_the_report(self, tmp_path, tables):
        out = tmp_path / "annotators.csv"
        result = invoke("annotators", *tables, "-o", out)
        assert result.exit_code == 0, result.stderr
        report = annotator_report(FEW, ARENA.answers)
        found = pd.read_csv(out)
        pd.testing.assert_frame_equal(found, report, check_dtype=False)
        _, header, *rows = cells(result.stdout)
        assert header == ["annotator", "votes", "ties", "with", "others", "for", "left"]
        assert len(rows) == 3
        first = report.iloc[0]
        bounds = [f"[{first['left_low']:.2f},", f"{first['left_high']:.2f}]"]
        assert rows[0][:3] == ["annotator", "00", str(first["n_votes"])]
        assert rows[0][-3:] == [f"{first['left_share']:.2f}", *bounds]
        assert "with score" not in result.stdout

    def test_with_a_score_that_is_learnt_without_them(self, tmp_path, tables):
        out = tmp_path / "annotators.json"
        result = invoke("annotators", *tables, "--learnt", "--quick", "-o", out)
        assert result.exit_code == 0, result.stderr
        assert "Learning 3 rankers, each without the votes of one" in result.stderr
        assert "learnt without these votes" in result.stdout
        scores = {}
        for name in sorted(set(FEW["annotator"])):
            groups = Groups.from_votes(FEW[FEW["annotator"] != name], ARENA.answers)
            ranker = PairwisePreferenceRanker(random_state=0, **QUICK)
            scores[name] = ranker.fit(ARENA.data, groups).predict(ARENA.data)
        report = annotator_report(FEW, ARENA.answers, scores)
        found = pd.read_json(out)
        for name in ("score_agreement", "n_score"):
            np.testing.assert_allclose(found[name], report[name])

    def test_with_a_model(self, tmp_path, tables):
        model = tmp_path / "model.skops"
        assert invoke("fit", *tables, "--quick", "-o", model).exit_code == 0
        # Names of other columns, and a block, which the report does not read.
        votes = FEW.rename(columns={"annotator": "who"})
        items = ITEMS.assign(half=ITEMS["prompt"].str[-1])
        other = written(tmp_path / "other", votes, items)
        options = ["--annotator", "who", "--block", "half", "--model", model]
        result = invoke("annotators", *other, *options)
        assert result.exit_code == 0, result.stderr
        score = load_model(model).predict(ARENA.data)
        agreement = annotator_report(FEW, ARENA.answers, score)["score_agreement"]
        for value in agreement:
            assert f"  {value:.2f} [" in result.stdout
        assert "with score: for the larger score." in result.stdout

    def test_votes_that_are_dropped_are_told_once(self, tmp_path):
        tables = written(tmp_path, FEW, ITEMS[ITEMS["system"] != "system 0"])
        options = ["--missing", "drop", "--learnt", "--quick"]
        result = invoke("annotators", *tables, *options)
        assert result.exit_code == 0, result.stderr
        assert result.stderr.count("leaves out votes") == 1
        assert result.stderr.count("Warning: ") == 1

    def test_what_cannot_be_is_told(self, tmp_path, tables):
        told = refused("annotators", "table.csv")
        assert "Got no --votes; expected votes of people" in told
        told = refused("annotators", *tables, "--model", "m.skops", "--learnt")
        assert "Got both --model and --learnt; expected one" in told
        told = refused("annotators", *tables, "--annotator", "who")
        assert "--annotator is 'who', which is no column of --votes" in told
        told = refused("annotators", *tables, "-o", tmp_path / "picture.png")
        assert "--out is " in told
        nobody = written(tmp_path / "nobody", FEW.drop(columns="annotator"))
        told = refused("annotators", *nobody)
        assert "--annotator is 'annotator', which is no column of --votes" in told


class TestOrderBias:
    def test_of_votes(self, tmp_path, tables):
        out = tmp_path / "model.skops"
        result = invoke("fit", *tables, "--order-bias", "--quick", "-o", out)
        assert result.exit_code == 0, result.stderr
        groups = Groups.from_votes(FEW, ARENA.answers, order=True)
        ranker = PairwisePreferenceRanker(order_bias=True, random_state=0, **QUICK)
        ranker.fit(ARENA.data, groups)
        told = " ".join(result.stdout.split())
        assert (
            f"To be shown first adds {ranker.order_bias_:.3f} (standard error "
            f"{ranker.order_bias_std_:.3f}, by 12 groups) to the log odds"
        ) in told
        model = load_model(out)
        np.testing.assert_allclose(
            model.predict(ARENA.data), ranker.predict(ARENA.data), atol=1e-5
        )

    def test_of_lists(self, tmp_path):
        rng = np.random.default_rng(0)
        frame = pd.DataFrame(rng.normal(size=(60, 2)), columns=["sharp", "noise"])
        frame["prompt"] = [f"p{row // 3:02}" for row in range(60)]
        frame["shown"] = np.tile([1, 2, 3], 20)
        frame["liking"] = frame["sharp"] + rng.normal(size=60) - frame["shown"]
        path = tmp_path / "lists.csv"
        write_table(frame, path)
        roles = ["--group", "prompt", "--preference", "liking"]
        place = ["--position", "shown"]
        out = tmp_path / "model.onnx"
        result = invoke(
            "fit", path, *roles, *place, "--order-bias", "--quick", "-o", out
        )
        assert result.exit_code == 0, result.stderr
        assert "Metrics (2): sharp, noise" in result.stderr
        groups = Groups.from_frame(
            frame, group="prompt", preference="liking", position="shown"
        )
        ranker = PairwisePreferenceRanker(order_bias=True, random_state=0, **QUICK)
        bias = ranker.fit(frame[["sharp", "noise"]], groups).position_bias_
        _, told, table, below = result.stdout.strip().split("\n\n")
        assert told.startswith("What it adds to the log odds to be shown at a position")
        assert below == "Standard errors are by 20 groups. The score leaves it out."
        header, *rows = (line.split() for line in table.splitlines())
        assert header == ["position", "bias", "standard", "error"]
        for row, each in zip(rows, bias.itertuples(), strict=True):
            assert row == [str(each.position), f"{each.bias:.3f}", f"{each.std:.3f}"]
        assert "Positions" not in result.stderr
        told = refused("fit", path, *roles, "--order-bias", "-o", tmp_path / "x.skops")
        assert "Got --order-bias without --votes and --position; expected one" in told
        told = refused("fit", "--votes", "v.csv", *place, "-o", tmp_path / "x.skops")
        assert "Got --position beside --votes; expected one of them" in told

    def test_positions_of_which_nothing_is_learnt_are_told(self, tmp_path):
        rng = np.random.default_rng(0)
        frame = pd.DataFrame(
            rng.normal(size=(12, 3)), columns=["sharp", "noise", "liking"]
        )
        frame["prompt"], frame["shown"] = np.repeat(["a", "b"], 6), np.tile(range(6), 2)
        path, out = tmp_path / "lists.csv", tmp_path / "model.onnx"
        write_table(frame, path)
        roles = ["--group", "prompt", "--preference", "liking"]
        result = invoke(
            "fit", path, *roles, "--position", "shown", "--quick", "-o", out
        )
        assert result.exit_code == 0, result.stderr
        told = " ".join(result.stderr.split())
        expected = "Positions (shown): no metric, and nothing is learnt of them."
        assert f"{expected} To learn what they are worth, " in told
        assert "--order-bias of pscore fit and pscore compare" in told
        plain = tmp_path / "plain.onnx"
        result = invoke("fit", path, *roles, "--drop", "shown", "--quick", "-o", plain)
        assert "Positions" not in result.stderr
        scores = []
        for model in (out, plain):
            scored = model.with_suffix(".csv")
            assert invoke("score", model, path, "-o", scored).exit_code == 0
            scores.append(pd.read_csv(scored)["score"])
        np.testing.assert_array_equal(*scores)
