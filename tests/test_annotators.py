"""Annotators: their agreement with others and with a score, counted vote by vote."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binomtest

from sklearn_pscore.datasets import make_arena
from sklearn_pscore.inspection import annotator_report

ARENA = make_arena(
    n_prompts=6, n_systems=4, n_votes=500, n_annotators=4, random_state=0
)


def by_hand(name, score):
    """Return the counts of one annotator, vote by vote."""
    votes = ARENA.votes
    place = {
        key: row
        for row, key in enumerate(
            zip(ARENA.answers.prompt, ARENA.answers.system, strict=True)
        )
    }
    agreed, majority, by_score, left, ties = 0, 0, 0, 0, 0
    own = votes[votes.annotator == name]
    for vote in own.itertuples():
        if vote.winner == "tie":
            ties += 1
            continue
        left += vote.winner == vote.left
        gap = (
            score[place[vote.prompt, vote.left]] - score[place[vote.prompt, vote.right]]
        )
        by_score += (gap > 0) == (vote.winner == vote.left)
        others = votes[(votes.annotator != name) & (votes.prompt == vote.prompt)]
        pair = {vote.left, vote.right}
        lead = 0
        for other in others.itertuples():
            if {other.left, other.right} == pair and other.winner != "tie":
                lead += 1 if other.winner == vote.left else -1
        if lead:
            majority += 1
            agreed += (lead > 0) == (vote.winner == vote.left)
    n = len(own) - ties
    return len(own), ties, majority, agreed, n, by_score, left


def test_counts_vote_by_vote():
    report = annotator_report(ARENA.votes, ARENA.answers, ARENA.score)
    assert report["annotator"].tolist() == sorted(set(ARENA.votes["annotator"]))
    for row in report.itertuples():
        votes, ties, majority, agreed, n, by_score, left = by_hand(
            row.annotator, ARENA.score
        )
        assert (row.n_votes, row.n_majority, row.n_score) == (votes, majority, n)
        assert_allclose(row.tie_share, ties / votes)
        assert_allclose(row.majority_agreement, agreed / majority)
        assert_allclose(row.score_agreement, by_score / n)
        assert_allclose(row.left_share, left / n)
        interval = binomtest(int(by_score), n).proportion_ci(0.95, method="wilson")
        assert_allclose((row.score_low, row.score_high), tuple(interval))


def test_careless_annotators_and_bias_are_seen():
    arena = make_arena(n_annotators=10, n_votes=4000, order_bias=1.0, random_state=1)
    report = annotator_report(arena.votes, arena.answers, arena.score)
    report = report.set_index("annotator")
    assert report["score_agreement"].idxmin() == arena.careless[0]
    careful = report.drop(index=arena.careless)
    assert (careful["left_low"] > 0.5).mean() > 0.8
    assert (careful["majority_agreement"] > report.loc[arena.careless[0]].iloc[3]).all()


def test_scores_by_annotator():
    names = sorted(set(ARENA.votes["annotator"]))
    scores = {name: ARENA.score if k else -ARENA.score for k, name in enumerate(names)}
    both = annotator_report(ARENA.votes, ARENA.answers, scores)
    one = annotator_report(ARENA.votes, ARENA.answers, ARENA.score)
    assert_allclose(both["score_agreement"][0], 1 - one["score_agreement"][0])
    assert_allclose(both["score_agreement"][1:], one["score_agreement"][1:])


def test_no_order_of_the_votes():
    mixed = ARENA.votes.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(
        annotator_report(mixed, ARENA.answers, ARENA.score),
        annotator_report(ARENA.votes, ARENA.answers, ARENA.score),
    )


def test_without_scores():
    report = annotator_report(ARENA.votes, ARENA.answers)
    assert report["score_agreement"].isna().all()
    assert (report["n_score"] == 0).all()


def test_other_columns():
    votes = ARENA.votes.rename(columns={"annotator": "who", "winner": "won"})
    report = annotator_report(votes, ARENA.answers, annotator="who", winner="won")
    expected = annotator_report(ARENA.votes, ARENA.answers)
    pd.testing.assert_frame_equal(report, expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"annotator": None}, "annotator is None; expected the name of the column"),
        ({"annotator": "who"}, "annotator='who' is not a column of the votes"),
        ({"level": 1.5}, "level"),
        ({"y_score": {"annotator 0": ARENA.score}}, "no scores for 3 annotators"),
        ({"y_score": ARENA.score[1:]}, "y_score has 23 entries but groups has 24"),
        ({"y_score": np.full(24, np.nan)}, "y_score is nan at row 0"),
    ],
)
def test_errors(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        annotator_report(ARENA.votes, ARENA.answers, **options)
