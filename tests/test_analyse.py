"""Four answers about a table: planted truths are found, and doubts are told."""

import re
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from cases import SEED
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import (
    BradleyTerryRanker,
    Groups,
    LinearPreferenceRanker,
    PairwisePreferenceRanker,
    SingleMetricRanker,
)
from sklearn_pscore._rankers.handcrafted import RankSumRanker
from sklearn_pscore._rankers.learnt_directions import LearntDirections
from sklearn_pscore.inspection import (
    bootstrap_leaderboard,
    group_permutation_importance,
    strength_leaderboard,
)
from sklearn_pscore.metrics import pairwise_accuracy_score, pairwise_accuracy_scorer
from sklearn_pscore.model_selection import PreferenceGroupKFold, compare_rankers
from sklearn_pscore.report import QUESTIONS, Analysis, _analyse, analyse, write_report
from sklearn_pscore.report import _baselines as baselines
from sklearn_pscore.report._page import _explained
from sklearn_pscore.report._table import check_table

SYSTEMS = ("old", "plain", "fine", "best")
LINEAR = {"linear": make_pipeline(StandardScaler(), LinearPreferenceRanker())}


def planted(n_groups=40, systems=SYSTEMS, seed=SEED, noise=0.3):
    """Return metrics and a target: people like large sharpness and small delay."""
    rng = np.random.default_rng(seed)
    n_rows = n_groups * len(systems)
    system = np.tile(np.arange(len(systems)), n_groups)
    X = pd.DataFrame(
        {
            "size": rng.normal(size=n_rows),
            "sharpness": rng.normal(size=n_rows) + system,
            "delay": 100 + 10 * rng.normal(size=n_rows),
        }
    )
    preference = X["sharpness"] - X["delay"] / 8 + noise * rng.normal(size=n_rows)
    fields = {
        "group": np.repeat(np.arange(n_groups), len(systems)),
        "preference": preference,
        "item": np.array(systems)[system],
    }
    return X, Groups.from_arrays(**fields)


def quick(X, groups, **kwargs):
    """Analyse with a linear ranker and few draws."""
    return analyse(
        X, groups, **{"rankers": LINEAR, "n_refits": 0, "n_boot": 200, **kwargs}
    )


@pytest.fixture(scope="module")
def analysis():
    return quick(*planted())


def test_the_planted_truth_is_found_in_all_answers(analysis):
    best, metric, better, share = analysis.answers
    assert best.startswith("best is best: its mean preference is ")
    assert "from 40 groups" in best
    assert "confidence of 95 %" in best
    assert "The learnt score puts it first as well." in best
    assert metric.startswith("Most of all sharpness: larger is preferred. It makes ")
    assert "delay" in metric
    assert "smaller is preferred" in metric
    assert better.startswith("Yes, than each of the 3 metrics: on folds held out, the")
    assert "the best metric alone, sharpness" in better
    assert "Chance is 50 %." in better
    assert share.startswith("Send the report")
    printed = repr(analysis)
    assert all(question in printed for question in QUESTIONS)
    assert " ".join(printed.split()).startswith(f"{QUESTIONS[0]} {best}")
    assert analysis.to_frame()["answer"].tolist() == list(analysis.answers)


def test_figures_of_the_answers_are_those_of_the_results(analysis):
    best, metric, better, _ = analysis.answers
    first = analysis.leaderboard.systems.iloc[0]
    assert f"{first['mean']:.3g} (95 % interval {first['low']:.3g}" in best
    assert f"It makes {100 * analysis.curves.table['share'][0]:.0f} %" in metric
    means = analysis.comparison.table()["pairwise accuracy"]["mean"]
    assert f"orders {100 * means['linear']:.1f} %" in better
    pair = analysis.comparison.paired("linear", "sharpness", "pairwise accuracy")
    assert f"(95 % interval {100 * pair.low:.1f} to {100 * pair.high:.1f}" in better


def test_scores_are_those_of_models_that_have_not_seen_the_group(analysis):
    X, groups = planted()
    table = check_table(
        X, groups, item="item", cv=5, max_rows=1000, rng=None, caller="a test"
    )
    expected = np.full(len(X), np.nan)
    for train, test in table.folds:
        assert not set(groups["group"][train]) & set(groups["group"][test])
        model = LINEAR["linear"].fit(X.iloc[train], groups[train])
        expected[test] = model.predict(X.iloc[test])
    np.testing.assert_allclose(analysis.y_score, expected, rtol=1e-9)
    assert analysis.held_out.tolist() == list(range(len(X)))
    # The order of the fold's mean accuracy, not of all rows at once.
    accuracy = pairwise_accuracy_score(groups, expected)
    means = analysis.comparison.table()["pairwise accuracy"]["mean"]
    assert means["linear"] == pytest.approx(accuracy)


def test_blocks_are_held_out_and_drawn_together():
    X, groups = planted()
    blocks = groups["group"] // 4
    fields = {name: groups[name] for name in groups.dtype.names}
    with_blocks = Groups.from_arrays(**fields, block=blocks)
    analysis = quick(X, with_blocks)
    assert "from 40 groups in 10 blocks" in analysis.answers[0]
    assert analysis.leaderboard.n_clusters == 10
    assert analysis.facts["blocks"] == "10"
    assert (
        "Few blocks: people prefer one item to another in 10 only." in analysis.notes[0]
    )
    table = check_table(
        X, with_blocks, item="item", cv=5, max_rows=1000, rng=None, caller="a test"
    )
    for train, test in table.folds:
        assert not set(blocks[train]) & set(blocks[test])


def test_figures_are_those_of_the_functions_by_themselves():
    X, groups = planted(n_groups=14)
    rng = np.random.default_rng(SEED)
    # Groups of other sizes are dealt to other folds.
    fields = {name: groups[name] for name in ("group", "preference", "item")}
    fields["preference"][rng.random(len(X)) < 0.3] = np.nan
    fields["preference"][:4] = 1.0
    is_judged = ~np.isnan(fields["preference"])
    groups = Groups.from_arrays(**fields)
    analysis = quick(X, groups, random_state=3)
    judged = X[is_judged], groups[is_judged]
    compared = compare_rankers(
        LINEAR,
        *judged,
        cv=5,
        scoring={"pairwise accuracy": pairwise_accuracy_scorer},
        random_state=3,
        single_metrics=True,
        truth=None,
    ).table()
    found = analysis.comparison.table().loc[compared.index, compared.columns]
    pd.testing.assert_frame_equal(found, compared, rtol=1e-12)
    board = bootstrap_leaderboard(judged[1], n_boot=200, random_state=3)
    pd.testing.assert_frame_equal(
        analysis.leaderboard.systems, board.systems, rtol=1e-9
    )


def test_importances_are_those_of_the_function_by_itself():
    X, groups = planted(n_groups=14)
    parts = []
    for train, test in PreferenceGroupKFold(5).split(X, groups):
        model = LINEAR["linear"].fit(X.iloc[train], groups[train])
        part = group_permutation_importance(
            model, X.iloc[test], groups[test], random_state=3
        )
        parts.append(part.importances_mean)
    found = quick(X, groups, random_state=3).importance.importances_mean
    np.testing.assert_allclose(found, np.mean(parts, axis=0), atol=1e-12)


def test_folds_hold_what_people_compared():
    X, groups = planted(n_groups=12)
    # Dealt by all that is judged, two of three folds would hold nothing but ties.
    groups["preference"][groups["group"] % 3 > 0] = 1.0
    table = check_table(
        X, groups, item="item", cv=3, max_rows=1000, rng=None, caller="a test"
    )
    assert [len(test) for _, test in table.folds] == [8, 4, 4]


def test_names_of_systems_by_hand():
    X, groups = planted(n_groups=6)
    target = check_table(
        X, groups, item="item", cv=2, max_rows=1000, rng=None, caller="a test"
    ).target
    train, test = np.arange(16), np.arange(16, 24)
    found = baselines.scores_of_names(target, groups["item"], [(train, test)])
    by_group = pd.Series(groups["preference"][train]).groupby(groups["group"][train])
    above = groups["preference"][train] - by_group.transform("mean").to_numpy()
    expected = pd.Series(above).groupby(groups["item"][train]).mean()
    np.testing.assert_allclose(found[test], expected[groups["item"][test]])
    assert np.isnan(found[train]).all()
    # A system that is not there is neither better nor worse than the mean.
    other = np.where(np.arange(24) == 20, "new", groups["item"])
    assert baselines.scores_of_names(target, other, [(train, test)])[20] == 0


def test_a_score_that_knows_the_systems_only_is_told_of():
    X, groups = planted()
    rng = np.random.default_rng(SEED)
    number = np.searchsorted(np.sort(SYSTEMS), groups["item"])
    preference = number + 0.5 * rng.normal(size=len(X))
    groups["preference"] = preference
    analysis = quick(X.assign(name=number), groups)
    assert analysis.notes[0].startswith(
        "Names of systems: the name alone, with no metric, orders "
    )
    assert "system's name alone" in analysis.comparison.methods
    # It is not said where metrics are what counts.
    assert "Names of systems" not in " ".join(quick(*planted()).notes)


def test_the_sum_of_ranks_turns_metrics_as_they_agree():
    X, groups = planted()
    ranker = LearntDirections(RankSumRanker()).fit(X, groups)
    single = [
        SingleMetricRanker(i, "learn").fit(X, groups).direction_ for i in range(3)
    ]
    assert ranker.directions_ == single
    assert single[1:] == ["larger", "smaller"]
    ranks = pd.DataFrame({"sharpness": X["sharpness"], "delay": -X["delay"]})
    ranks["size"] = X["size"] if single[0] == "larger" else -X["size"]
    ranks = ranks.groupby(groups["group"]).rank(ascending=False).sum(axis=1)
    order = pd.Series(ranker.predict(X, groups)).groupby(groups["group"]).rank()
    expected = (-ranks).groupby(groups["group"]).rank()
    assert order.tolist() == expected.tolist()


def test_defaults_are_the_packages_ranker_and_its_relatives(monkeypatch):
    quickly = partial(PairwisePreferenceRanker, max_epochs=3, n_members=2)
    monkeypatch.setattr(_analyse, "PairwisePreferenceRanker", quickly)
    X, groups = planted(n_groups=12)
    X = X.rename(columns={"size": "linear"})
    analysis = analyse(X, groups, cv=2, n_refits=0, n_boot=100)
    assert analysis.comparison.methods == (
        "GT",
        "PS, defaults",
        "linear",
        "rank sum",
        "linear (metric)",
        "sharpness",
        "delay",
        "system's name alone",
    )
    assert analysis.learnt_name == "PS, defaults"
    # Those of `pscore curves` and `pscore compare`.
    learnt, linear, _ = _analyse._rankers_of(None, 7, "a test").values()
    assert learnt.get_params() == quickly(random_state=7).get_params()
    assert linear.get_params() == LinearPreferenceRanker().get_params()
    (told,) = _explained(analysis.comparison.methods, analysis)
    assert "linear is a weighted sum of the metrics; rank sum is" in told
    # Of what a caller names "linear", nothing is known.
    (told,) = _explained(["linear", "GT"], quick(X, groups))
    assert told == "GT is the order of people itself, the best that can be reached."
    assert analysis.has_probabilities
    assert analysis.curves.method == "additive part"


def test_doubts_are_told():
    X, groups = planted(n_groups=12)
    X["same"] = 7.0
    X["empty"] = np.nan
    X.loc[::5, "delay"] = np.nan
    fields = {name: groups[name] for name in ("group", "preference", "item")}
    fields["item"] = np.array(fields["item"], dtype="U8")
    fields["item"][3], fields["item"][7] = "once", "unjudged"
    fields["preference"][[7, 9]] = np.nan
    # A group of ties, one with a single judgement, and twins.
    fields["preference"][12:16] = 1.0
    fields["preference"][16:19] = np.nan
    X.iloc[21] = X.iloc[20]
    analysis = quick(X, Groups.from_arrays(**fields))
    notes = "\n".join(analysis.notes)
    for expected in (
        "Few groups: people prefer one item to another in 10 only.",
        "Groups of one: 1 of 12 groups have a single judged item",
        "Groups of ties: in 1 of 12 groups all items are liked alike",
        "Rows without judgement: 5 of 48",
        "Identical rows: 2 rows have a twin in their group",
        "Empty metrics: left out, for want of a value: empty.",
        "Constant metrics: the same value in all rows says nothing: same.",
        "Missing values: delay (23 %).",
        "Systems without judgement: unjudged.",
        "Systems in one group only: once.",
    ):
        assert expected in notes
    assert analysis.facts["judged rows"] == "43 (90 %)"
    assert "be careful about" in analysis.answers[3]
    printed = " ".join(repr(analysis).split())
    assert f"Be careful: - {analysis.notes[0]}" in printed
    assert (
        "rows without judgement, identical rows, empty metrics" in analysis.answers[3]
    )
    # All rows are scored, and the system that nobody judged is ranked by the score.
    assert np.isfinite(analysis.y_score).all()
    assert "unjudged" in analysis.learnt_leaderboard.systems["item"].tolist()
    assert "unjudged" not in analysis.leaderboard.systems["item"].tolist()
    # Of judged groups, rows that nobody judged are scored by the model held out.
    assert {7, 9} <= set(analysis.held_out)
    assert not set(range(12, 20)) & set(analysis.held_out)


def test_without_systems_there_is_no_leaderboard():
    X, groups = planted()
    plain = Groups.from_arrays(group=groups["group"], preference=groups["preference"])
    analysis = quick(X.to_numpy(), plain)
    assert analysis.leaderboard is None
    assert analysis.learnt_leaderboard is None
    assert "Pass the names of the systems as the item" in analysis.answers[0]
    assert "system's name alone" not in analysis.comparison.methods
    assert analysis.answers[1].startswith("Most of all x1: larger is preferred.")
    assert "system" not in analysis.items
    # Labels beside the target do as well.
    labelled = quick(X, plain, item=groups["item"])
    assert labelled.answers[0].startswith("best is best")


def test_winners_only():
    X, groups = planted()
    best = pd.Series(groups["preference"]).groupby(groups["group"]).transform("max")
    winners = Groups.from_winners(
        group=groups["group"], winner=groups["preference"] == best, item=groups["item"]
    )
    analysis = quick(X, winners)
    assert analysis.facts["preference"] == "one winner of each group (10, others 0)"
    assert "Winners only: the others of a group were not" in " ".join(analysis.notes)
    # What a mean is of: nobody has written 10 anywhere.
    assert "is 10 if it always won, and 0 if it never did." in " ".join(analysis.notes)
    assert analysis.answers[0].startswith("best is ")


def test_targets_of_votes():
    X, groups = planted()
    rng = np.random.default_rng(SEED)
    pairs = np.array([rng.choice(4, 2, replace=False) for _ in range(4 * 40)])
    rows = np.repeat(np.arange(40), 4)[:, None] * 4 + pairs
    margin = np.diff(groups["preference"][rows], axis=1).ravel()
    votes = pd.DataFrame(
        {
            "prompt": np.repeat(np.arange(40), 4),
            "left": groups["item"][rows[:, 0]],
            "right": groups["item"][rows[:, 1]],
            "winner": groups["item"][np.where(margin > 0, rows[:, 1], rows[:, 0])],
        }
    )
    items = {"prompt": groups["group"], "system": groups["item"]}
    target = Groups.from_votes(votes, items)
    n_unmet = int(np.isnan(target["preference"]).sum())
    assert n_unmet
    analysis = quick(X, target, n_refits=5)
    assert analysis.answers[0].startswith("best is ")
    assert analysis.answers[1].startswith("Most of all sharpness: larger is preferred")
    notes = " ".join(analysis.notes)
    assert f"Rows without judgement: {n_unmet} of 160" in notes
    assert "Strengths of votes: the systems are ranked by all votes together" in notes
    assert "Strengths of votes" not in " ".join(quick(*planted()).notes)


def voted(seed=0, block=None, always=None):
    """Return metrics and target of votes of which some are against the truth.

    The system `always` has won all of its votes.
    """
    X, groups = planted()
    rng = np.random.default_rng(seed)
    rows = rng.integers(40, size=300)[:, None] * 4
    rows = rows + np.array([rng.choice(4, 2, replace=False) for _ in range(300)])
    margin = np.diff(groups["preference"][rows], axis=1).ravel() + rng.logistic(
        size=300
    )
    votes = {
        "prompt": groups["group"][rows[:, 0]],
        "left": groups["item"][rows[:, 0]],
        "right": groups["item"][rows[:, 1]],
        "winner": np.where(margin > 0.3, 0.0, np.where(margin < -0.3, 1.0, 0.5)),
    }
    for side, worth in (("left", 1.0), ("right", 0.0)):
        votes["winner"][votes[side] == always] = worth
    items = {"prompt": groups["group"], "system": groups["item"], "half": block}
    items = {name: column for name, column in items.items() if column is not None}
    return X, Groups.from_votes(votes, items, block=None if block is None else "half")


@pytest.mark.parametrize("has_blocks", [False, True])
def test_systems_are_ranked_by_the_strengths_of_votes(has_blocks):
    block = np.repeat(np.arange(20), 8) if has_blocks else None
    X, target = voted(block=block)
    analysis = quick(X, target)
    board = analysis.leaderboard
    ranker = BradleyTerryRanker(ties="davidson").fit(X, target)
    expected = strength_leaderboard(ranker, n_boot=board.n_boot, random_state=0)
    assert board.of == "strength"
    pd.testing.assert_frame_equal(board.systems, expected.systems)
    pd.testing.assert_frame_equal(board.is_better, expected.is_better)
    first = expected.systems.iloc[0]
    answer = analysis.answers[0]
    assert f"its strength is {first['mean']:.3g} (95 % interval" in answer
    assert "from 300 votes in 40 groups" in answer
    assert analysis.learnt_leaderboard.of == "score"
    # The same by labels of other names.
    names = np.char.add("team ", target["item"])
    renamed = quick(X, target, item=names).leaderboard.systems
    assert renamed["item"].tolist() == [
        f"team {name}" for name in board.systems["item"]
    ]
    np.testing.assert_allclose(renamed["mean"], board.systems["mean"])


def test_a_system_that_has_won_all_is_noted():
    analysis = quick(*voted(always="plain"))
    notes = [note for note in analysis.notes if note.startswith("Strengths by votes: ")]
    assert len(notes) == 1
    assert "plain" in notes[0]
    assert analysis.leaderboard.systems["item"][0] == "plain"


def written(path, X, groups):
    """Return the page of a quick analysis."""
    write_report(path, X, groups, analysis=quick(X, groups))
    return path.read_text("utf-8")


def test_the_page_of_votes_has_strengths(tmp_path):
    page = written(tmp_path / "votes.html", *voted())
    assert "Strength of each system by all votes" in page
    assert "groups more" not in page
    assert "People: strengths with intervals of 95 %." in page
    assert "by the standard errors of the strengths" in page
    page = written(tmp_path / "means.html", *planted())
    assert "groups more" in page
    assert "Strength of each" not in page


def test_two_systems_that_do_not_differ_are_not_told_apart():
    X, groups = planted(n_groups=20, systems=("a", "b"))
    groups["preference"] = np.random.default_rng(1).normal(size=40)
    analysis = quick(X, groups)
    assert " is first, but not for certain: its mean preference" in analysis.answers[0]
    assert (
        " may be as good or better; its true rank is in 1 to 2" in analysis.answers[0]
    )
    assert analysis.answers[2].startswith(
        ("Not for certain: it is better than", "No, ")
    )
    assert "ahead of every other" not in analysis.answers[0]


def test_unjudged_donors_and_weights_do_not_stop_it():
    X, groups = planted()
    fields = {name: groups[name] for name in ("group", "preference", "item")}
    donor = np.arange(len(X)) % 17 == 0
    analysis = quick(
        X, Groups.from_arrays(**fields, donor=donor, weight=1 + np.arange(len(X)) % 3)
    )
    assert analysis.facts["rows for injection only"] == str(donor.sum())
    assert np.isnan(analysis.y_score[donor]).all()
    assert np.isfinite(analysis.y_score[~donor]).all()
    assert not np.isin(np.flatnonzero(donor), analysis.items["row"]).any()


def test_many_rows_are_sampled_in_whole_groups():
    X, groups = planted()
    analysis = quick(X, groups, max_learnt_rows=50)
    assert (
        "A sample: 48 rows of whole groups, drawn by chance, were learnt from"
        in " ".join(analysis.notes)
    )
    assert len(analysis.held_out) == 48
    assert np.isfinite(analysis.y_score).all()
    assert analysis.leaderboard.n_groups == 40
    assert analysis.learnt_leaderboard.n_groups == 12
    # One group is not enough: it is cut to two at least.
    with pytest.raises(ValueError, match="analyse got 1 group in which people prefer"):
        quick(X, groups, max_learnt_rows=4)


def test_items_are_ranked_best_of_each_group_first(analysis):
    X, groups = planted()
    items = analysis.items
    assert items["rank"].is_monotonic_increasing
    assert len(items) == len(X)
    assert items["row"].is_unique
    rows = items["row"].to_numpy()
    assert items["score"].tolist() == analysis.y_score[rows].tolist()
    assert items["preference"].tolist() == groups["preference"][rows].tolist()
    expected = (
        pd.Series(analysis.y_score).groupby(groups["group"]).rank(ascending=False)
    )
    assert items["rank"].tolist() == expected[rows].tolist()


def test_rows_of_an_item_are_one():
    X, groups = planted()
    fields = {
        name: np.repeat(groups[name], 2) for name in ("group", "preference", "item")
    }
    twice = X.loc[X.index.repeat(2)].reset_index(drop=True)
    one = {"rankers": {"one": SingleMetricRanker(1, "learn")}}
    doubled = quick(twice, Groups.from_arrays(**fields), **one)
    assert len(doubled.items) == len(X)
    merged = doubled.items.sort_values("row")
    assert merged["score"].tolist() == X["sharpness"].tolist()
    assert merged["row"].tolist() == list(range(0, 2 * len(X), 2))
    assert not doubled.has_probabilities


def test_the_same_call_gives_the_same_analysis(analysis):
    again = quick(*planted())
    assert repr(again) == repr(analysis)
    assert again.y_score.tolist() == analysis.y_score.tolist()
    assert isinstance(again, Analysis)


def test_progress_is_told_off_a_terminal_in_plain_lines(capfd, analysis):
    quick(*planted(), verbose=1)
    out, err = capfd.readouterr()
    assert out == ""
    assert "\r" not in err
    assert "\x1b" not in err
    for step in ("curves of metrics", "importance of metrics", "leaderboards"):
        assert step in err
    quick(*planted())
    assert capfd.readouterr() == ("", "")


def test_refits_widen_the_intervals_of_the_learnt_score(analysis):
    X, groups = planted()
    refitted = quick(X, groups, n_refits=10)
    assert (refitted.n_refits, analysis.n_refits) == (10, 0)
    boards = (refitted.learnt_leaderboard, analysis.learnt_leaderboard)
    wide, narrow = (board.systems.set_index("item") for board in boards)
    width = wide["high"] - wide["low"]
    assert (width > (narrow["high"] - narrow["low"])[width.index]).all()
    # The leaderboard of people has none.
    assert repr(refitted.leaderboard) == repr(analysis.leaderboard)
    # Held-out scores are the same, but for one scale of all folds on the leaderboard.
    assert refitted.y_score.tolist() == analysis.y_score.tolist()
    # By default there are ten, unless there are many rows.
    table = check_table(
        X, groups, item="item", cv=5, max_rows=1000, rng=None, caller="a test"
    )
    assert _analyse._number_of_refits(table, None) == 10
    many = replace(table, learnt=np.zeros(5001, dtype=int))
    assert _analyse._number_of_refits(many, None) == 0
    assert _analyse._number_of_refits(replace(table, system=None), 10) == 0


def test_systems_that_share_no_group_have_no_leaderboard():
    X, groups = planted(n_groups=20)
    item = np.array(groups["item"], dtype="U8")
    item[40:] = np.char.add(item[40:], "2")
    fields = {"group": groups["group"], "preference": groups["preference"]}
    analysis = quick(X, Groups.from_arrays(**fields, item=item))
    assert analysis.leaderboard is None
    assert "No leaderboard of people: The 8 systems fall into 2" in " ".join(
        analysis.notes
    )


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"cv": 1}, ValueError, "The 'cv' parameter of analyse must be an int in the"),
        ({"n_refits": 3}, ValueError, "The 'n_refits' parameter of analyse must be an"),
        ({"n_boot": 0}, ValueError, "The 'n_boot' parameter of analyse"),
        ({"rankers": {}}, TypeError, "rankers is {}; expected a dict of estimators"),
        ({"rankers": ["a"]}, TypeError, "rankers is ['a']; expected a dict"),
        (
            {"item": "name"},
            ValueError,
            "item is 'name'; expected a field of the target",
        ),
        ({"item": ["a"]}, ValueError, "item has 1 entries but groups has 160"),
        ({"random_state": -1}, ValueError, "The 'random_state' parameter of analyse"),
    ],
)
def test_arguments_are_refused_before_work(change, error, message, monkeypatch):
    monkeypatch.setattr(LinearPreferenceRanker, "fit", None)
    with pytest.raises(error, match=re.escape(message)):
        quick(*planted(), **change)


def test_a_fit_that_fails_is_named():
    X, groups = planted()
    rankers = LINEAR | {"none": SingleMetricRanker("not there", "larger")}
    with pytest.raises(ValueError, match="not there") as raised:
        quick(X, groups, rankers=rankers)
    assert any("'none'" in note for note in raised.value.__notes__)


def test_arrow_tables_keep_their_names():
    pyarrow = pytest.importorskip("pyarrow")
    X, groups = planted()
    analysis = quick(pyarrow.Table.from_pandas(X), groups)
    assert analysis.curves.table["metric"][0] == "sharpness"


def test_tables_are_refused_before_work(monkeypatch):
    monkeypatch.setattr(LinearPreferenceRanker, "fit", None)
    X, groups = planted(n_groups=4)
    with pytest.raises(ValueError, match="groups has 16 entries but X has 15 rows"):
        quick(X[:-1], groups)
    with pytest.raises(TypeError, match="analyse takes groups as a structured array"):
        quick(X, groups["preference"])
    with pytest.raises(ValueError, match="column 'size' more than once"):
        quick(X.rename(columns={"delay": "size"}), groups)
    with pytest.raises(TypeError, match="X is a sparse matrix of shape"):
        quick(sparse.csr_matrix(X), groups)
    with pytest.raises(ValueError, match="infinity: inf at row 2, column 'size'"):
        quick(X.assign(size=np.where(X.index == 2, np.inf, 0)), groups)
    nobody = groups.copy()
    nobody["preference"] = np.nan
    with pytest.raises(ValueError, match="None of the 16 rows that count is judged"):
        quick(X, nobody)
    one = groups.copy()
    one["group"] = 1
    one["group_size"] = 16
    one["item"] = [f"s{i}" for i in range(16)]
    with pytest.raises(ValueError, match="analyse got 1 group in which people prefer"):
        quick(X, one)
    with pytest.raises(
        ValueError, match="X has no value in any of its 3 columns in the"
    ):
        quick(X * np.nan, groups)
    alone = Groups.from_arrays(group=np.arange(16), preference=np.arange(16))
    with pytest.raises(ValueError, match="every group has a single item"):
        quick(X, alone)
