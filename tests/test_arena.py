"""The synthetic arena has what its description states."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore.datasets import make_arena
from sklearn_pscore.metrics import pairwise_accuracy_score

LARGE = {"n_prompts": 400, "n_systems": 40, "n_votes": 100_000, "n_annotators": 1000}


def outcomes(arena):
    """Return true differences, and the shares of votes for left and for neither."""
    place = {
        key: row
        for row, key in enumerate(
            zip(arena.answers.prompt, arena.answers.system, strict=True)
        )
    }
    votes = arena.votes[~arena.votes.annotator.isin(arena.careless)]
    left, right = (
        np.array([place[key] for key in zip(votes.prompt, votes[side], strict=True)])
        for side in ("left", "right")
    )
    return (
        arena.score[left] - arena.score[right],
        (votes.winner == votes.left).to_numpy(),
        (votes.winner == "tie").to_numpy(),
    )


def test_metrics_have_unit_variance_of_which_half_is_between_systems():
    arena = make_arena(**LARGE | {"n_votes": 1}, random_state=0)
    metrics = arena.data.to_numpy().reshape(400, 40, 6)
    assert_allclose(metrics.std(axis=(0, 1)), 1.0, atol=0.15)
    within = metrics - metrics.mean(axis=0)
    assert_allclose(within.std(axis=(0, 1)), np.sqrt(0.5), atol=0.02)


def test_score_is_the_weighted_sum():
    arena = make_arena(scale=2.0, n_metrics=5, random_state=0)
    assert arena.weights == {
        "metric 0": 2.0,
        "metric 1": -1.6,
        "metric 2": 1.2,
        "metric 3": 0.8,
        "metric 4": 0.0,
    }
    assert_allclose(arena.score, arena.data @ list(arena.weights.values()))
    assert arena.directions["metric 1"] == "smaller"


@pytest.mark.parametrize(("nu", "bias"), [(0.5, 0.0), (2.0, 0.7)])
def test_votes_follow_davidson(nu, bias):
    arena = make_arena(**LARGE, tie_parameter=nu, order_bias=bias, random_state=0)
    d, left, tie = outcomes(arena)
    d = d + bias
    for low, high in ((-1.5, -0.5), (-0.5, 0.5), (0.5, 1.5)):
        chosen = (d > low) & (d < high)
        total = np.exp(d / 2) + np.exp(-d / 2) + nu
        assert_allclose(
            left[chosen].mean(), (np.exp(d / 2) / total)[chosen].mean(), atol=0.015
        )
        assert_allclose(tie[chosen].mean(), (nu / total)[chosen].mean(), atol=0.015)


def test_a_tenth_of_the_annotators_is_careless():
    arena = make_arena(n_annotators=25, n_votes=20_000, random_state=0)
    assert len(arena.careless) == 3
    names = arena.votes["annotator"].isin(arena.careless)
    assert_allclose(names.mean(), 3 / 25, atol=0.01)
    ties = arena.votes["winner"] == "tie"
    # Half by chance, of three outcomes.
    expected = 0.5 * ties[~names].mean() + 0.5 / 3
    assert_allclose(ties[names].mean(), expected, atol=0.03)


def test_target_is_that_of_the_votes():
    arena = make_arena(random_state=0)
    groups = Groups.from_votes(arena.votes, arena.answers, order=True)
    assert groups.tobytes() == arena.groups.tobytes()
    truth = pairwise_accuracy_score(arena.groups, arena.score)
    assert truth > pairwise_accuracy_score(arena.groups, -arena.score) + 0.5


def test_unseen_systems_have_no_vote_and_are_ranked_by_their_metrics():
    arena = make_arena(n_unseen=1, random_state=0)
    last = arena.answers["system"] == "system 7"
    assert not arena.votes[["left", "right"]].isin(["system 7"]).any(axis=None)
    assert np.isnan(arena.groups["preference"][last]).all()
    ranker = PairwisePreferenceRanker(n_members=2, max_epochs=15, random_state=0)
    score = ranker.fit(arena.data, arena.groups).predict(arena.data)
    ranks = [
        np.argsort(np.argsort(-values.reshape(60, 8).mean(axis=0)))[-1]
        for values in (score, arena.score)
    ]
    assert ranks[0] == ranks[1]


def test_seeds():
    one, other = (make_arena(random_state=3) for _ in range(2))
    assert one.votes.equals(other.votes)
    assert_array_equal(one.data, other.data)
    assert not one.votes.equals(make_arena(random_state=4).votes)


def test_far_scores_are_decided():
    arena = make_arena(scale=1e6, random_state=0)
    d, left, tie = outcomes(arena)
    assert not tie.any()
    assert_array_equal(left, expit(d) > 0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_systems": 1}, "n_systems is 1; expected at least 2"),
        ({"n_metrics": 3}, "n_metrics is 3; expected at least 4"),
        ({"n_votes": 2.0}, "n_votes is 2.0; expected an integer"),
        ({"n_unseen": 7}, "n_unseen is 7 of 8 systems; expected at most 6"),
        ({"scale": -1}, "scale is -1; expected a finite number, at least 0"),
        ({"tie_parameter": np.nan}, "tie_parameter is nan; expected a finite"),
        ({"order_bias": "left"}, "order_bias is 'left'; expected a number"),
        ({"random_state": "x"}, "random_state"),
    ],
)
def test_errors(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make_arena(**options)
