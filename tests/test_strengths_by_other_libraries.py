"""Strengths of random votes against choix, evalica and statsmodels, where installed."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sklearn_pscore import BradleyTerryRanker, Groups

NAMES = np.array(list("abcdef"))


def random_votes(seed, tie_share=0.2):
    """Return votes in which each item has won and lost, and their target."""
    rng = np.random.RandomState(seed)
    strength = rng.normal(size=len(NAMES))
    left = np.append(np.arange(len(NAMES)), rng.randint(len(NAMES), size=300))
    right = (left + rng.randint(1, len(NAMES), size=len(left))) % len(NAMES)
    right[: len(NAMES)] = (left[: len(NAMES)] + 1) % len(NAMES)
    chance = 1 / (1 + np.exp(strength[right] - strength[left]))
    won = rng.uniform(size=len(left)) < chance
    won[: len(NAMES)] = True
    winner = np.where(won, NAMES[left], NAMES[right]).astype("U3")
    winner[rng.uniform(size=len(left)) < tie_share] = "tie"
    winner[: len(NAMES)] = NAMES[left[: len(NAMES)]]
    votes = pd.DataFrame({"left": NAMES[left], "right": NAMES[right], "winner": winner})
    return votes, Groups.from_votes(votes, {"system": NAMES}, on=())


def fitted(groups, **options):
    return BradleyTerryRanker(**options).fit(np.zeros((len(groups), 1)), groups)


def centred(logarithms):
    return np.asarray(logarithms) - np.mean(logarithms)


@pytest.mark.parametrize("seed", range(3))
def test_choix(seed):
    choix = pytest.importorskip("choix")
    votes, groups = random_votes(seed)
    number = {name: k for k, name in enumerate(NAMES)}
    wins = []
    for left, right, winner in votes.itertuples(index=False):
        pair = number[left], number[right]
        # Each vote twice; a tie is one win for either.
        won = pair if winner == left else pair[::-1]
        wins += [pair, pair[::-1]] if winner == "tie" else [won, won]
    expected = choix.opt_pairwise(len(NAMES), wins, alpha=0.0, tol=1e-12)
    assert_allclose(fitted(groups).strength_, centred(expected), atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ties", ["half", "davidson"])
def test_evalica(seed, ties):
    evalica = pytest.importorskip("evalica")
    votes, groups = random_votes(seed)
    winner = [
        evalica.Winner.Draw
        if vote.winner == "tie"
        else (evalica.Winner.X if vote.winner == vote.left else evalica.Winner.Y)
        for vote in votes.itertuples()
    ]
    sides = votes.left.tolist(), votes.right.tolist(), winner
    options = {"tolerance": 1e-14, "limit": 100_000}
    if ties == "half":
        result = evalica.bradley_terry(*sides, tie_weight=0.5, **options)
    else:
        # Of Newman's model with v = nu / 2, which is Davidson's.
        result = evalica.newman(*sides, **options)
    ranker = fitted(groups, ties=ties)
    expected = centred(np.log(result.scores[list(ranker.items_)]))
    assert_allclose(ranker.strength_, expected, atol=1e-6)
    if ties == "davidson":
        assert_allclose(ranker.tie_parameter_, 2 * result.v, rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_statsmodels(seed):
    statsmodels = pytest.importorskip("statsmodels.api")
    votes, groups = random_votes(seed, tie_share=0.0)
    design = np.subtract(
        votes.left.to_numpy()[:, None] == NAMES,
        votes.right.to_numpy()[:, None] == NAMES,
        dtype=float,
    )[:, 1:]
    won = (votes.winner == votes.left).astype(float)
    family = statsmodels.families.Binomial()
    model = statsmodels.GLM(won, design, family=family)
    result = model.fit(tol=1e-12, cov_type="HC0")
    ranker = fitted(groups)
    center = np.eye(len(NAMES)) - 1 / len(NAMES)
    # The first item has the strength 0 there.
    expected = center[:, 1:] @ result.params
    assert_allclose(ranker.strength_, expected, atol=1e-6)
    covariance = center[:, 1:] @ result.cov_params() @ center[:, 1:].T
    assert_allclose(ranker.covariance_, covariance, atol=1e-6)
    assert_allclose(ranker.log_likelihood_, result.llf, rtol=1e-9)
