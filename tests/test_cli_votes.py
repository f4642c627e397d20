"""The program on votes: two tables in place of one."""

import numpy as np
import pandas as pd
import pytest
from cli_cases import invoke, refused
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore import BradleyTerryRanker, Groups, PairwisePreferenceRanker
from sklearn_pscore._cli.models import load_model
from sklearn_pscore._cli.rankers import QUICK
from sklearn_pscore._tables.files import write_table
from sklearn_pscore._tables.table import Table
from sklearn_pscore._tables.votes import VoteRoles, voted_table
from sklearn_pscore.datasets import make_arena
from sklearn_pscore.inspection import (
    bootstrap_leaderboard,
    cross_fitted_scores,
    strength_leaderboard,
)
from sklearn_pscore.metrics import pairwise_accuracy_scorer
from sklearn_pscore.model_selection import compare_rankers

ARENA = make_arena(
    n_systems=4, n_prompts=12, n_votes=300, n_metrics=4, n_unseen=1, random_state=0
)
ITEMS = pd.concat([ARENA.answers, ARENA.data], axis=1)
VOTES = ARENA.votes


def written(folder, votes=VOTES, items=ITEMS, ending=".csv"):
    """Return the options that name two tables, which are written."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"votes{ending}", folder / f"items{ending}"]
    for path, frame in zip(paths, (votes, items), strict=True):
        write_table(frame, path)
    return ["--votes", paths[0], "--items", paths[1]]


def changed(frame, row, column, value):
    """Return a table with one other entry."""
    values = frame[column].astype(object)
    values[row] = value
    return frame.assign(**{column: values})


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return written(tmp_path_factory.mktemp("arena"))


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
def test_fit(tmp_path, ending):
    tables = written(tmp_path, ending=ending)
    out = tmp_path / "model.skops"
    options = ["--annotator", "annotator", "--quick", "-o", out]
    result = invoke("fit", *tables, *options)
    assert result.exit_code == 0, result.stderr
    assert "Written to" in result.stdout
    n_ties = int((VOTES["winner"] == "tie").sum())
    told = " ".join(result.stderr.split())
    assert "Metrics (4): metric 0, metric 1, metric 2, metric 3" in told
    assert (
        f"Votes: 300, of which {n_ties} ties, between 4 items in 12 groups, by 20"
        in told
    )
    assert "Without a vote: 12 of 48 rows" in told
    # As in Python; the system that nobody voted on has a score, too.
    groups = Groups.from_votes(VOTES, ARENA.answers)
    ranker = PairwisePreferenceRanker(random_state=0, **QUICK).fit(ARENA.data, groups)
    model = load_model(out)
    assert_allclose(model.predict(ARENA.data), ranker.predict(ARENA.data), atol=1e-5)
    scored = tmp_path / f"scored{ending}"
    assert invoke("score", out, tables[3], "-o", scored).exit_code == 0


def test_columns_of_other_names(tmp_path):
    names = {"prompt": "scene", "left": "a", "right": "b", "winner": "who won"}
    votes = VOTES.rename(columns=names).assign(amount=2.0, language="en")
    items = ITEMS.rename(columns={"prompt": "scene", "system": "team"})
    items = items.assign(language="en", block=items["scene"].str[-1], length=5.0)
    # Numbers that name groups are no metric.
    votes["scene"], items["scene"] = (each["scene"].str[-2:] for each in (votes, items))
    tables = written(tmp_path, votes, items)
    out = tmp_path / "board.csv"
    options = [
        "--on",
        "scene, language",
        "--item",
        "team",
        "--left",
        "a",
        "--right",
        "b",
    ]
    options += ["--winner", "who won", "--vote-weight", "amount", "--block", "block"]
    result = invoke("leaderboard", *tables, *options, "--drop", "length", "-o", out)
    assert result.exit_code == 0, result.stderr
    told = " ".join(result.stderr.split())
    assert "Votes, by weight: 600" in told
    assert "Metrics (4): metric 0" in told
    groups = Groups.from_votes(
        votes,
        items,
        on=("scene", "language"),
        item="team",
        left="a",
        right="b",
        winner="who won",
        weight="amount",
        block="block",
    )
    ranker = BradleyTerryRanker(ties="davidson").fit(ARENA.data, groups)
    expected = strength_leaderboard(ranker, random_state=0)
    assert_allclose(pd.read_csv(out)["high"], expected.systems["high"])


def test_leaderboard_of_strengths_needs_no_metric(tmp_path):
    tables = written(tmp_path, items=ARENA.answers)
    out = tmp_path / "board.csv"
    options = ["--level", 0.9, "--draws", 300, "-o", out]
    result = invoke("leaderboard", *tables, *options)
    assert result.exit_code == 0, result.stderr
    ranker = BradleyTerryRanker(ties="davidson").fit(ARENA.data, ARENA.groups)
    board = strength_leaderboard(ranker, level=0.9, n_boot=300, random_state=0)
    frame = pd.read_csv(out)
    assert frame["item"].tolist() == board.systems["item"].tolist()
    for column in ("mean", "low", "high", "rank_low", "rank_high", "n_votes"):
        assert_allclose(frame[column], board.systems[column])
    assert "Strength of 3 systems by 300 votes in 12 groups" in result.stdout
    assert "90 %" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100
    message = "has no metric: no other column holds numbers; expected at least one"
    assert message in refused("leaderboard", *tables, "--learnt")


def test_the_learnt_score_beside_strengths(tmp_path, tables):
    out = tmp_path / "board.csv"
    options = ["--learnt", "--quick", "--folds", 2, "--refits", 5, "--draws", 200]
    result = invoke("leaderboard", *tables, *options, "-o", out)
    assert result.exit_code == 0, result.stderr
    groups = Groups.from_votes(VOTES, ARENA.answers)
    scores = cross_fitted_scores(
        PairwisePreferenceRanker(random_state=0, **QUICK),
        ARENA.data,
        groups,
        cv=2,
        n_refits=5,
        random_state=0,
    )
    board = bootstrap_leaderboard(
        groups, scores.y_score, y_refits=scores.y_refits, n_boot=200, random_state=0
    )
    frame = pd.read_csv(out).set_index("item")
    expected = board.systems.set_index("item").loc[frame.index]
    assert_allclose(frame["learnt mean"], expected["mean"], atol=1e-5)
    strengths, learnt = result.stdout.split("Mean score of 4 systems")
    assert "Strength of 3 systems" in strengths
    # The last system has no vote, and a score.
    assert "system 3" not in strengths
    assert "system 3" in learnt


def test_a_picture_of_strengths(tmp_path, tables):
    out = tmp_path / "board.png"
    assert invoke("leaderboard", *tables, "-o", out).exit_code == 0
    assert out.stat().st_size > 10_000


def test_compare_has_the_identity_baseline(tmp_path, tables):
    out = tmp_path / "compared.csv"
    options = ["--quick", "--folds", 2, "--metrics", "metric 0,metric 1", "-o", out]
    result = invoke("compare", *tables, *options)
    assert result.exit_code == 0, result.stderr
    frame = pd.read_csv(out).set_index("method")
    assert {"Bradley-Terry", "PS, defaults", "linear", "metric 0"} <= set(frame.index)
    assert frame.loc["linear", "accuracy"] > frame.loc["chance", "accuracy"] == 0.5


# Nobody has voted on one of the systems.
@pytest.mark.filterwarnings("ignore:BradleyTerryRanker.predict got 1 items")
def test_compare_leaves_out_the_order(tmp_path):
    # Two prompts in three are won by what is shown first, whatever it is.
    rng = np.random.default_rng(0)
    first = rng.random(len(VOTES)) < 0.67
    votes = VOTES.assign(winner=np.where(first, "left", VOTES["winner"]))
    tables = written(tmp_path, votes)
    out = tmp_path / "compared.csv"
    options = ["--quick", "--folds", 2, "--order-bias", "-o", out]
    result = invoke("compare", *tables, *options)
    assert result.exit_code == 0, result.stderr
    assert (
        "'order bias' is a score that leaves out what is shown first" in result.stdout
    )
    accuracy = pd.read_csv(out).set_index("method")["accuracy"]
    groups = Groups.from_votes(votes, ARENA.answers, order=True)
    rankers = {
        "PS, order bias": PairwisePreferenceRanker(
            order_bias=True, random_state=0, **QUICK
        ),
        "Bradley-Terry, order bias": BradleyTerryRanker("davidson", order_bias=True),
    }
    settings = {"cv": 2, "n_seeds": 1, "random_state": 0, "truth": None}
    settings["scoring"] = {"accuracy": pairwise_accuracy_scorer}
    comparison = compare_rankers(rankers, ARENA.data, groups, **settings)
    expected = comparison.table()["accuracy", "mean"]
    for name in rankers:
        assert_allclose(accuracy[name], expected[name])
        # Beside the one that takes the order for a merit.
        assert accuracy[name] != accuracy["PS, defaults"]
    fitted = rankers["Bradley-Terry, order bias"].fit(ARENA.data, groups)
    assert fitted.order_bias_ > 3 * fitted.order_bias_std_


def test_compare_leaves_out_positions(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 2)), columns=["sharp", "noise"])
    frame["prompt"], frame["shown"] = np.repeat(range(20), 3), np.tile(range(3), 20)
    frame["liking"] = frame["sharp"] - frame["shown"]
    path, out = tmp_path / "lists.csv", tmp_path / "compared.csv"
    write_table(frame, path)
    roles = ["--group", "prompt", "--preference", "liking"]
    options = ["--quick", "--folds", 2, "--order-bias", "-o", out]
    result = invoke("compare", path, *roles, "--position", "shown", *options)
    assert result.exit_code == 0, result.stderr
    methods = set(pd.read_csv(out)["method"])
    assert {"PS, order bias", "PS, defaults", "sharp"} <= methods
    assert not methods & {"Bradley-Terry, order bias", "shown"}
    told = refused("compare", path, *roles, "--order-bias")
    assert "Got --order-bias without --votes and --position; expected one" in told
    told = refused("compare", "--data", "thqa", "--order-bias")
    assert "Got --order-bias without TABLE; expected one" in told


@pytest.mark.parametrize("command", ["curves", "importance"])
def test_of_a_model(tmp_path, tables, command):
    model = tmp_path / "model.skops"
    assert invoke("fit", *tables, "--quick", "-o", model).exit_code == 0
    result = invoke(command, *tables, "--model", model)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("metric ") >= 4


@pytest.mark.parametrize(
    ("winner", "options"),
    [
        (["left", "right", "tie"], []),
        (["1", "0", "0.5"], []),
        (["model_a", "model_b", "tie (bothbad)"], []),
        (["A", "B", "both"], ["--outcomes", "A=left,B=right,both=tie"]),
        (["A=", "B", "skip"], ["--outcomes", "A==left,B=right,skip="]),
    ],
)
def test_words_for_outcomes(tmp_path, winner, options):
    votes = pd.DataFrame({"prompt": "p", "left": list("abc"), "right": list("bca")})
    items = pd.DataFrame(
        {"prompt": "p", "system": list("abc"), "SSIM": [0.1, 0.2, 0.4]}
    )
    tables = written(tmp_path, votes.assign(winner=winner), items)
    result = invoke("leaderboard", *tables, *options)
    assert result.exit_code == 0, result.stderr
    n_ties = 0 if "skip" in winner else 1
    assert f"Votes: {2 + n_ties}, of which {n_ties} ties" in result.stderr


def test_one_group(tmp_path):
    items = ITEMS[ITEMS["prompt"] == "prompt 00"].drop(columns="prompt")
    tables = written(tmp_path, VOTES.drop(columns="prompt"), items)
    result = invoke("leaderboard", *tables, "--on", "")
    assert result.exit_code == 0, result.stderr
    assert "in 1 groups" in result.stdout
    message = "has one group, 0, in its judged rows; expected two or more"
    told = refused("compare", *tables, "--on", "")
    assert message in told
    assert told.endswith("Name another column as --on.")


def voted(votes, items, **options):
    """Return the target of two tables in memory."""
    tables = Table(votes, "--votes", **options), Table(items, "--items", **options)
    return voted_table(*tables, VoteRoles(), needs_metrics=False).groups


def test_labels_that_are_numbers_in_one_table():
    text = pd.DataFrame(
        {"prompt": ["1", "1"], "left": "7", "right": "8", "winner": "8"}
    )
    numbers = pd.DataFrame({"prompt": [1, 1], "system": [7, 8]})
    groups = voted(text, numbers)
    assert_array_equal(groups["item"], ["7", "8"])
    assert groups["votes"].sum() == 2


def test_numbers_that_are_items_are_no_outcomes():
    votes = pd.DataFrame({"prompt": "p", "left": [3, 3], "right": [4, 5]})
    items = pd.DataFrame({"prompt": "p", "system": [3, 4, 5]})
    groups = voted(votes.assign(winner=[3, 5]), items)
    assert_array_equal(np.sign(groups["preference"]), [0, -1, 1])
    items = pd.DataFrame({"prompt": "p", "system": ["0", "1"]})
    votes = pd.DataFrame({"prompt": "p", "left": ["0"], "right": ["1"], "winner": "1"})
    with pytest.raises(ValueError, match="an item, and a number for the outcome"):
        voted(votes, items, is_text=True)


BAD_TABLES = {
    "no item": (
        changed(VOTES, 2, "right", "new"),
        ITEMS,
        [],
        "1 of 300 votes are of an item that items does not have, the first at row 2",
    ),
    "same": (
        VOTES.assign(right=VOTES["left"]),
        ITEMS,
        [],
        "votes has the same item on both sides in 300 rows, the first at row 0",
    ),
    "outcome": (
        changed(VOTES, 7, "winner", "nice"),
        ITEMS,
        [],
        "winner is 'nice' at row 7 of votes",
    ),
    "number": (
        VOTES.assign(winner=np.arange(300) // 299 * 2),
        ITEMS,
        [],
        "winner is 2.0 at row 299 of votes",
    ),
    "no outcome": (
        changed(VOTES, 7, "winner", None),
        ITEMS,
        [],
        "--winner is 'winner', which is empty in 1 of the 300 rows of --votes",
    ),
    "no votes": (VOTES[:0], ITEMS, [], "votes.csv' has no rows; expected at least one"),
    "no items": (VOTES, ITEMS[:0], [], "items.csv' has no rows; expected at least one"),
    "twice": (
        VOTES,
        pd.concat([ITEMS, ITEMS[5:6]]),
        [],
        "items has prompt prompt 01, item system 1 at row 5 and at row 48",
    ),
    "no prompt": (
        changed(VOTES, 3, "prompt", None),
        ITEMS,
        [],
        "--on is 'prompt', which is empty in 1 of the 300 rows of --votes",
    ),
    "nobody": (
        changed(VOTES, 3, "annotator", None),
        ITEMS,
        ["--annotator", "annotator"],
        "--annotator is 'annotator', which is empty in 1 of the 300 rows of --votes",
    ),
    "weight": (
        VOTES.assign(w=np.arange(300) - 1),
        ITEMS,
        ["--vote-weight", "w"],
        "In votes: w is -1.0 at row 0; expected finite numbers >= 0",
    ),
    "text for weight": (
        VOTES,
        ITEMS,
        ["--vote-weight", "left"],
        "--left and --vote-weight are both 'left'; expected different columns",
    ),
    "block": (
        VOTES,
        ITEMS.assign(half=np.arange(48) // 7),
        ["--block", "half"],
        "in two blocks",
    ),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_tables_that_cannot_be(tmp_path, case):
    votes, items, options, message = BAD_TABLES[case]
    tables = written(tmp_path, votes, items)
    told = refused("fit", *tables, *options, "-o", tmp_path / "model.skops")
    assert message in told
    assert "outcomes={" not in told
    assert 'missing="drop"' not in told
    if " at row " in told:
        assert "Rows of both tables are counted from 0" in told


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--group", "prompt"], "Got --group beside --votes; expected one of them"),
        (["--weight", "w"], "Got --weight beside --votes; expected one of them"),
        (["--data", "thqa"], "Got --data beside --votes; expected one of them"),
        (["table.csv"], "Got TABLE beside --votes; expected one of them"),
        (["--left", "lft"], "--left is 'lft', which is no column of --votes"),
        (["--item", "team"], "--item is 'team', which is no column of --items"),
        (["--on", "promt"], "Did you mean 'prompt'?"),
        (
            ["--left", "a", "--winner", "b", "--item", "c"],
            "votes.csv' has no column 'a' (--left), 'b' (--winner); it has 'prompt', ",
        ),
        (
            ["--left", "a", "--item", "c"],
            "items.csv' has no column 'c' (--item); it has 'prompt', 'system', ",
        ),
        (["--right", "left"], "--left and --right are both 'left'; expected different"),
        (["--metrics", "system"], "--item and --metrics are both 'system'"),
        (["--metrics", "metric 9"], "--metrics is 'metric 9', which is no column of"),
        (["--drop", "metric 9"], "--drop is 'metric 9', which is no column of --items"),
        (["--outcomes", "A"], "--outcomes has 'A'; expected a word and what it means"),
        (["--outcomes", "A=up"], "outcomes maps 'A' to 'up'; expected one of ['left'"),
        (["--missing", "nan"], "'nan' is not one of"),
    ],
)
def test_options_that_cannot_be(tmp_path, tables, options, message):
    told = refused("fit", *tables, *options, "-o", tmp_path / "model.skops")
    assert message in told


def test_votes_and_items_go_together(tmp_path, tables):
    out = ["-o", tmp_path / "model.skops"]
    assert "Got --votes without --items" in refused("fit", *tables[:2], *out)
    assert "Got --items without --votes" in refused("fit", *tables[2:], *out)
    told = refused("fit", "table.csv", "--vote-weight", "w", *out)
    assert "Got --vote-weight without --votes; expected both" in told
    assert "or --votes and --items" in refused("fit", *out)
    assert "Got --on without --votes" in refused("compare", "--on", "prompt")


def test_votes_for_items_that_are_not_there_are_dropped(tmp_path):
    votes = changed(VOTES, 2, "right", "new")
    tables = written(tmp_path, votes)
    result = invoke("leaderboard", *tables, "--missing", "drop")
    assert result.exit_code == 0
    assert "Warning: " in result.stderr
    assert "leaves out votes: 1 of 300 votes" in result.stderr
    assert "Votes: 299" in result.stderr


def test_the_arena_in_files(tmp_path):
    out = tmp_path / "arena"
    result = invoke("data", "arena", "-o", out)
    assert result.exit_code == 0, result.stderr
    arena = make_arena(n_unseen=1, random_state=0)
    pd.testing.assert_frame_equal(pd.read_csv(out / "votes.csv"), arena.votes)
    items = pd.read_csv(out / "items.csv")
    assert_allclose(items[arena.feature_names], arena.data)
    # What it says to pass can be passed.
    options = result.stdout.split("Pass them as: ")[1].split()
    assert invoke("leaderboard", *options).exit_code == 0
    assert "which is there already; expected a new file" in refused(
        "data", "arena", "-o", out
    )
    assert invoke("data", "arena", "-o", out, "--force").exit_code == 0
    assert "expected a folder" in refused("data", "arena", "-o", tmp_path / "a.csv")
