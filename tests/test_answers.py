"""The sentences of an analysis, from results made by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sklearn_pscore.model_selection import RankerComparison
from sklearn_pscore.report._answers import (
    best_system,
    how_to_share,
    learnt_or_single,
    metric_followed,
)
from sklearn_pscore.report._facts import listed, note_of_names, percent
from sklearn_pscore.report._page import answers_of


def board(*rows, n_groups=20, n_clusters=20):
    """Return a leaderboard of systems (name, mean, first and last rank)."""
    systems = pd.DataFrame(rows, columns=["item", "mean", "rank_low", "rank_high"])
    systems = systems.assign(
        low=systems["mean"] - 1,
        high=systems["mean"] + 1,
        rank=np.arange(len(systems)) + 1,
    )
    return SimpleNamespace(
        systems=systems,
        of="preference",
        level=0.95,
        n_groups=n_groups,
        n_clusters=n_clusters,
    )


def comparison(truth=None, **accuracies):
    """Return a comparison of methods with the same five folds."""
    rows = [
        {"method": name, "fold": fold, "pairwise accuracy": value, "seed": None}
        for name, values in accuracies.items()
        for fold, value in enumerate(values)
    ]
    rows = pd.DataFrame(rows).astype({"seed": "Int64"})
    return RankerComparison(rows, ("pairwise accuracy",), truth, "fold")


def curves(*rows):
    names = ["metric", "direction", "best", "share", "share_std"]
    table = pd.DataFrame(rows, columns=names)
    return SimpleNamespace(table=table.assign(rise=0.0, rise_std=0.1))


FIRST = ("ours", 3.0, 1, 1), ("old", 1.0, 2, 2)
STEADY = np.array([0.6, 0.61, 0.6, 0.59, 0.6])


@pytest.mark.parametrize(
    ("people", "learnt", "expected"),
    [
        (
            board(*FIRST, n_clusters=4),
            board(*FIRST),
            "ours is best: its mean preference is 3 (95 % interval 2 to 4, from 20 groups "
            "in 4 blocks), and it is ahead of every other system with a confidence of "
            "95 %. The learnt score puts it first as well.",
        ),
        (
            board(("a", 3.0, 1, 3), ("b", 2.9, 1, 3), ("c", 2.8, 1, 3)),
            board(("c", 1.0, 1, 2), ("a", 0.0, 1, 3), ("b", 0.0, 1, 3)),
            "a is first, but not for certain: its mean preference is 3 (95 % interval 2 "
            "to 4, from 20 groups), and with a confidence of 95 % b and c may be as good "
            "or better; its true rank is in 1 to 3. The learnt score puts c first, and a "
            "on rank 2 (1 to 3).",
        ),
    ],
    ids=["certain", "not certain"],
)
def test_which_system_is_best(people, learnt, expected):
    assert best_system(people, learnt) == expected


def test_which_system_is_best_where_a_board_is_lacking():
    assert best_system(None, None).startswith("Not known: the table does not say which")
    alone = best_system(board(*FIRST), None)
    assert alone.endswith("There is no leaderboard of the learnt score.")
    other = best_system(board(*FIRST), board(("new", 1.0, 1, 1), ("old", 0.0, 2, 2)))
    assert other.endswith("The learnt score puts new first.")


def test_systems_that_the_score_puts_level():
    level = board(("old", 1.0, 1, 2), ("ours", 1.0, 1, 2))
    level.systems["rank"] = 1
    answer = best_system(board(*FIRST), level)
    assert answer.endswith("The learnt score puts it first as well, level with old.")


def test_systems_that_people_put_level():
    people = board(("a", 3.0, 1, 3), ("b", 3.0, 1, 3), ("c", 2.8, 1, 3))
    people.systems["rank"] = [1, 1, 3]
    # Of both: the second is less sure.
    people.systems["low"] = [2.5, 2.0, 1.0]
    assert best_system(people, board(("b", 1.0, 1, 2), ("a", 0.0, 1, 2))) == (
        "a and b are level in the first place: their mean preference is 3 (95 % interval 2 "
        "to 4, from 20 groups), and with a confidence of 95 % c may be as good or better. "
        "The learnt score puts b first."
    )
    people.systems["rank_low"] = [1, 1, 3]
    assert "from 20 groups). There is no" in best_system(people, None)


def test_which_metric_people_follow():
    # Of all methods, the one that is the metric alone.
    compared = comparison(PS=STEADY + 0.2, b=STEADY - 0.1, alone=STEADY)
    names = {"a": "alone", "b": "b"}
    apart = curves(
        ("a", "larger is preferred", 9.0, 0.7, 0.05),
        ("b", "no clear direction", np.nan, 0.3, 0.1),
    )
    assert metric_followed(apart, compared, names) == (
        "Most of all a: larger is preferred. It makes 70 % (± 5.0 %) of the differences in "
        "the learnt score; by itself it orders 60.0 % (± 0.6 % over folds) of the pairs of "
        "a group as people do. Then b (30 %, no clear direction). 1 of 2 metrics has no "
        "clear direction."
    )
    # A curve that rises by more than its error is no flat one.
    apart.table.loc[1, "rise"] = -0.15
    answer = metric_followed(apart, compared, names)
    assert "Then b (30 %, no clear direction, rather smaller). 1 of 2" in answer
    apart.table.loc[1, "rise"] = 0.15
    answer = metric_followed(apart, compared, names)
    assert "b (30 %, no clear direction, rather larger)" in answer
    near = curves(
        ("a", "there is a best value", 0.25, 0.6, 0.1),
        ("b", "smaller is preferred", 1.0, 0.4, 0.1),
    )
    answer = metric_followed(near, compared, names)
    assert answer.startswith(
        "Most of all a: there is a best value, near 0.25. It makes"
    )
    assert answer.endswith("It is not told apart from b (40 %, smaller is preferred).")
    # Without standard errors nothing is said of them.
    unsure = curves(
        ("a", "larger is preferred", 9.0, 0.6, np.nan),
        ("b", "larger is preferred", 9.0, 0.0, np.nan),
    )
    answer = metric_followed(unsure, compared, names)
    assert "It makes 60 % of the differences" in answer
    assert "Then" not in answer
    nothing = curves(("a", "no clear direction", np.nan, 0.0, 0.0))
    assert metric_followed(nothing, compared, names).startswith(
        "None that could be seen"
    )


def test_whether_the_learnt_score_is_better():
    better = comparison(ours=STEADY + 0.2, a=STEADY, b=STEADY - 0.05)
    both = {"a": "a", "b": "b"}
    pair = better.paired("ours", "a", "pairwise accuracy")
    assert learnt_or_single(better, "ours", both, 0.95) == (
        "Yes, than each of the 2 metrics: on folds held out, the learnt score (ours) "
        "orders 80.0 % of the pairs of a group as people do, and the best metric alone, a, "
        "60.0 %: a difference of 20.0 points (95 % interval "
        f"{100 * pair.low:.1f} to {100 * pair.high:.1f}, 5 folds). Chance is 50 %, and a "
        "perfect score would reach 95.0 %."
    )
    assert learnt_or_single(better, "ours", {"a": "a"}, None).startswith(
        "Yes: on folds"
    )
    worse = comparison(ours=STEADY, a=STEADY + 0.2, b=STEADY - 0.1)
    answer = learnt_or_single(worse, "ours", both, None)
    assert answer.startswith("No, a alone is better: on folds held out")
    assert answer.endswith("Chance is 50 %.")
    noise = np.array([0.3, -0.3, 0.2, -0.2, 0.02])
    unsure = comparison(ours=STEADY, a=STEADY + noise, b=STEADY - 0.1)
    answer = learnt_or_single(unsure, "ours", both, None)
    assert answer.startswith(
        "Not for certain: it is better than 1 of 2 metrics, but not told apart from a: "
    )


def test_methods_that_are_ahead_of_the_learnt_score_are_told():
    noise = np.array([0.3, -0.3, 0.2, -0.2, 0.02])
    methods = {"a": STEADY - 0.1, "linear": STEADY + noise, "other": STEADY + 0.001}
    answer = learnt_or_single(comparison(ours=STEADY, **methods), "ours", {"a": "a"}, 1)
    assert (
        "5 folds). The method linear orders 60.4 %: the two are not told apart. Chance is"
    ) in answer
    methods["other"] = STEADY + 0.1
    answer = learnt_or_single(comparison(ours=STEADY, **methods), "ours", {"a": "a"}, 1)
    assert "The method other orders 70.0 %: ahead of the learnt score. Chance" in answer
    # What the preferences themselves have is no method.
    compared = comparison("GT", ours=STEADY, a=STEADY - 0.1, GT=STEADY + 0.4)
    assert "5 folds). Chance" in learnt_or_single(compared, "ours", {"a": "a"}, 1)


def test_the_claim_needs_every_difference_above_zero():
    noise = np.array([0.3, -0.3, 0.2, -0.2, 0.02])
    # Better than the best metric for certain, not than a worse one that varies.
    compared = comparison(ours=STEADY, a=STEADY - 0.1, b=STEADY - 0.15 + noise)
    assert compared.paired("ours", "a", "pairwise accuracy").low > 0
    answer = learnt_or_single(compared, "ours", {"a": "a", "b": "b"}, None)
    assert answer.startswith("Not for certain: it is better than 1 of 2 metrics")
    # The figures are those of the metric that it is not told apart from.
    pair = compared.paired("ours", "b", "pairwise accuracy")
    assert "not told apart from b: on folds held out" in answer
    assert "and b alone 45.4 %: a difference of 14.6 points (95 % interval " in answer
    assert f"{100 * pair.low:.1f} to {100 * pair.high:.1f}, 5 folds)" in answer


def test_metrics_that_are_better_are_not_said_to_be_level():
    noise = np.array([0.39, 0.0, 0.39, 0.1, 0.3])
    # The best by its mean varies, and another one is better for certain.
    compared = comparison(ours=STEADY, a=STEADY + noise, b=STEADY + 0.1, c=STEADY - 0.1)
    assert compared.paired("ours", "a", "pairwise accuracy").high > 0
    answer = learnt_or_single(compared, "ours", {n: n for n in "abc"}, None)
    assert answer.startswith("No, b alone is better: on folds held out, ")
    assert "and b alone 70.0 %: a difference of -10.0 points" in answer
    both = comparison(ours=STEADY - 0.2, a=STEADY, b=STEADY + 0.1)
    answer = learnt_or_single(both, "ours", {"a": "a", "b": "b"}, None)
    assert answer.startswith("No, b and a alone are better: ")
    assert "and the best metric alone, b, 70.0 %" in answer


def test_a_score_that_is_better_than_no_metric():
    compared = comparison(ours=STEADY - 1e-5, a=STEADY)
    compared.rows.loc[0, "pairwise accuracy"] += 1e-5
    answer = learnt_or_single(compared, "ours", {"a": "a"}, None)
    assert answer.startswith("Not for certain: it is not told apart from a: on folds")
    assert ": a difference of 0.0 points (95 % interval 0.0 to 0.0, " in answer
    # No difference is beyond all pairs, whatever two folds say of it.
    rows = compared.rows[compared.rows["fold"] < 2].copy()
    rows["pairwise accuracy"] = [0.5, 1.0, 1.0, 1.0]
    wide = RankerComparison(rows, ("pairwise accuracy",), None, "fold")
    answer = learnt_or_single(wide, "ours", {"a": "a"}, None)
    assert "a difference of -25.0 points (95 % interval -100.0 to 100.0," in answer


def test_what_is_set_off_of_an_answer():
    answers = "llama:8b is best: its mean: 3.", "Send it.", "c", "d"
    (_, best), (_, share) = answers_of(SimpleNamespace(answers=answers))[:2]
    assert (best.lead, best.rest) == ("llama:8b is best:", " its mean: 3.")
    assert (share.lead, share.rest) == ("Send it.", "")


def test_how_to_share():
    assert how_to_share([]).endswith("the number of groups.")
    answer = how_to_share(["Few groups: only 3.", "Empty metrics: x."])
    assert answer.endswith("and be careful about few groups and empty metrics.")


@pytest.mark.parametrize(
    ("by_name", "learnt", "is_told"),
    [(0.8, 0.81, True), (0.9, 0.7, True), (0.6, 0.8, False)],
)
def test_names_of_systems_are_told_of_if_they_are_as_good(by_name, learnt, is_told):
    notes = note_of_names(by_name, learnt)
    assert len(notes) == is_told
    if is_told:
        assert f"{100 * by_name:.1f} %" in notes[0]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.0004, "below 0.1 %"),
        (0.051, "5.1 %"),
        (0.5, "50 %"),
        (1, "100 %"),
    ],
)
def test_shares_in_percent(share, text):
    assert percent(share) == text


def test_a_share_that_is_nearly_all_is_not_all():
    assert percent(0.999) == "99.9 %"
    assert percent(0.5, 1) == "50.0 %"


def test_lists_of_names():
    assert listed(["a"]) == "a"
    assert listed([1, 2, 3]) == "1, 2 and 3"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
