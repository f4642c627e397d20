"""Leaderboards of strengths: what they take from the ranker, and what sets promise."""

import re

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError

from sklearn_pscore import BradleyTerryRanker, Groups, LinearPreferenceRanker
from sklearn_pscore.datasets import make_arena
from sklearn_pscore.inspection import (
    Leaderboard,
    bootstrap_leaderboard,
    strength_leaderboard,
)
from sklearn_pscore.plotting import LeaderboardDisplay, WinProbabilityDisplay


def fitted(n_systems=5, random_state=0, **options):
    arena = make_arena(
        n_systems=n_systems, n_prompts=20, random_state=random_state, **options
    )
    return BradleyTerryRanker(ties="davidson").fit(arena.data, arena.groups)


def votes_of(strength, n_votes, rng):
    """Return a target of votes by the model of Bradley and Terry, of one group."""
    n = len(strength)
    left = rng.integers(n, size=n_votes)
    right = (left + rng.integers(1, n, size=n_votes)) % n
    chance = 1 / (1 + np.exp(strength[right] - strength[left]))
    votes = {"left": left, "right": right}
    votes["winner"] = np.where(rng.random(n_votes) < chance, "left", "right")
    return Groups.from_votes(votes, {"system": np.arange(n)}, on=())


def test_strengths_and_intervals_are_those_of_the_ranker():
    ranker = fitted()
    board = strength_leaderboard(ranker, level=0.9, random_state=0)
    systems = board.systems.set_index("item").loc[ranker.items_]
    assert_allclose(systems["mean"], ranker.strength_)
    far = scipy.stats.norm.ppf(0.95) * ranker.strength_std_
    assert_allclose(systems["low"], ranker.strength_ - far)
    assert_allclose(systems["high"], ranker.strength_ + far)
    assert_allclose(systems["rank"], scipy.stats.rankdata(-ranker.strength_))
    assert_allclose(systems["n_votes"], ranker.n_votes_)
    assert board.systems["mean"].is_monotonic_decreasing
    assert isinstance(board, Leaderboard)
    assert board.of == "strength"


def test_win_probability_is_the_normal_one_of_the_difference():
    ranker = fitted()
    board = strength_leaderboard(ranker, random_state=0)
    of = {name: number for number, name in enumerate(ranker.items_)}
    for a in of:
        for b in of:
            contrast = np.zeros(len(of))
            contrast[of[a]] += 1
            contrast[of[b]] -= 1
            d = contrast @ ranker.strength_
            std = np.sqrt(contrast @ ranker.covariance_ @ contrast)
            expected = 0.5 if a == b else scipy.stats.norm.cdf(d / std)
            assert_allclose(board.win_probability.loc[a, b], expected, atol=1e-9)
    beats_next = np.diag(board.win_probability, 1)
    assert_allclose(board.systems["beats_next"], [*beats_next, np.nan])


@pytest.mark.parametrize(("sigmas", "differs"), [(1.8, False), (2.15, True)])
def test_two_systems_differ_from_two_errors_on(sigmas, differs):
    ranker = fitted(n_systems=2)
    ranker.strength_ = sigmas * np.array([0.5, -0.5])
    ranker.covariance_ = np.array([[0.25, -0.25], [-0.25, 0.25]])
    board = strength_leaderboard(ranker, n_boot=20_000, random_state=0)
    assert board.systems["differs_from_next"].tolist() == [differs, False]
    assert board.systems["rank_high"].tolist() == [1 if differs else 2, 2]


def test_sets_hold_all_true_ranks_as_often_as_they_promise():
    rng = np.random.default_rng(0)
    # Two pairs of neighbours that are hard to tell apart.
    strength = np.array([0.5, 0.4, 0.0, -0.1, -0.8])
    n_held, n_worst, n_draws = 0, 0, 120
    for _ in range(n_draws):
        ranker = BradleyTerryRanker()
        ranker.fit(np.zeros((5, 1)), votes_of(strength, 300, rng))
        board = strength_leaderboard(ranker, n_boot=300, random_state=0)
        systems = board.systems.sort_values("item")
        true = np.arange(1, 6)
        n_held += np.all((systems["rank_low"] <= true) & (true <= systems["rank_high"]))
        n_worst += systems["rank_low"].iloc[-1] > 3
    # 95 % less three standard errors.
    assert n_held / n_draws > 0.95 - 3 * np.sqrt(0.95 * 0.05 / n_draws)
    # They say something, too.
    assert n_worst / n_draws > 0.5


def test_votes_are_counted_by_weight():
    items = {"system": ["a", "b", "c"]}
    votes = {"left": ["a", "b", "c"], "right": ["b", "c", "a"], "w": [2.0, 1.0, 0.5]}
    votes["winner"] = ["left", "tie", "right"]
    groups = Groups.from_votes(votes, items, on=(), weight="w")
    ranker = BradleyTerryRanker(l2=0.1).fit(np.zeros((3, 1)), groups)
    assert ranker.n_votes_.tolist() == [2.5, 3.0, 1.5]
    assert "by 4 votes in 1 groups" in repr(strength_leaderboard(ranker))


def test_the_order_of_rows_does_not_matter():
    arena = make_arena(n_systems=4, n_prompts=10, random_state=1)
    rows = np.random.default_rng(0).permutation(len(arena.data))
    boards = [
        strength_leaderboard(
            BradleyTerryRanker().fit(arena.data.iloc[each], arena.groups[each]),
            random_state=0,
        )
        for each in (np.arange(len(rows)), rows)
    ]
    pd.testing.assert_frame_equal(boards[0].systems, boards[1].systems)


def test_as_text_and_beside_a_score():
    arena = make_arena(n_systems=4, n_prompts=20, random_state=0)
    ranker = BradleyTerryRanker().fit(arena.data, arena.groups)
    board = strength_leaderboard(ranker, random_state=0)
    above, header, *rows, below = repr(board).splitlines()
    assert above.startswith("Strength of 4 systems by 2,000 votes in 20 groups")
    assert header.split()[:4] == ["rank", "item", "strength", "95"]
    assert header.endswith("votes")
    assert len(rows) == 4
    assert not rows[-1].split()[-2].startswith(("0", "1.0"))
    assert "of 6 pairs are" in below
    learnt = bootstrap_leaderboard(arena.groups, arena.score, random_state=0)
    both = board.beside(learnt)
    assert {"strength rank", "score rank"} <= set(both.columns)


def test_pictures_say_that_it_is_of_votes():
    board = strength_leaderboard(fitted(), random_state=0)
    display = LeaderboardDisplay.from_leaderboard(board)
    assert "strength" in display.ax_.get_xlabel().lower()
    assert "2,000 votes" in display.ax_.get_xlabel()
    WinProbabilityDisplay.from_leaderboard(board)


@pytest.mark.parametrize(
    ("ranker", "options", "error", "message"),
    [
        (
            LinearPreferenceRanker(),
            {},
            TypeError,
            "ranker is of type LinearPreferenceRanker; expected a BradleyTerryRanker",
        ),
        (BradleyTerryRanker(), {}, NotFittedError, "is not fitted yet"),
        (fitted(), {"level": 1.5}, ValueError, "Got 1.5 instead"),
        (fitted(), {"n_boot": 0}, ValueError, "Got 0 instead"),
        (fitted(), {"random_state": "x"}, ValueError, "'x'"),
    ],
    ids=["other ranker", "not fitted", "level", "n_boot", "seed"],
)
def test_bad_arguments(ranker, options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        strength_leaderboard(ranker, **options)
