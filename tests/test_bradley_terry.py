"""Strengths of items against other ways to them, and what becomes of odd votes."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from sklearn_pscore import BradleyTerryRanker, Groups
from sklearn_pscore._rankers.strengths import unbounded_items
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.votes import PairVotes
from sklearn_pscore.metrics import pairwise_accuracy_score, rank_items
from sklearn_pscore.model_selection import PreferenceGroupKFold

# Wins of each pair, and strengths by choix, evalica, statsmodels and scipy.
DECIDED = {"AB": (2, 3, 0), "AD": (1, 4, 0), "BC": (5, 3, 0), "CD": (1, 3, 0)}
TIED = {"AB": (3, 1, 2), "AC": (4, 0, 1), "BC": (2, 2, 2)}


def target_of(counts, **options):
    """Return the target of one group that has these votes."""
    rows = []
    for (left, right), (wins, losses, ties) in counts.items():
        rows += [(left, right, left)] * wins + [(left, right, right)] * losses
        rows += [(left, right, "tie")] * ties
    votes = pd.DataFrame(rows, columns=["left", "right", "winner"])
    names = sorted({name for pair in counts for name in pair})
    items = pd.DataFrame({"system": names})
    return Groups.from_votes(votes, items, on=(), **options)


def fit(counts, X=None, **parameters):
    groups = target_of(counts, order=parameters.get("order_bias", False))
    X = np.zeros((len(groups), 1)) if X is None else X
    return BradleyTerryRanker(**parameters).fit(X, groups)


def random_votes(seed, n_votes=300, n_items=5, n_groups=4, nu=0.6):
    """Return metrics, items and votes of random strengths."""
    rng = np.random.RandomState(seed)
    strength = rng.normal(size=n_items)
    X = rng.normal(size=(n_items * n_groups, 2))
    left = rng.randint(n_items, size=n_votes)
    right = (left + rng.randint(1, n_items, size=n_votes)) % n_items
    group = rng.randint(n_groups, size=n_votes)
    row = group * n_items
    d = strength[left] - strength[right] + 0.5 * (X[row + left] - X[row + right])[:, 0]
    parts = np.stack([np.exp(d / 2), np.exp(-d / 2), np.full(n_votes, nu)])
    u = rng.uniform(size=n_votes) * parts.sum(axis=0)
    worth = np.where(u < parts[0], 1.0, np.where(u < parts[0] + parts[1], 0.0, 0.5))
    votes = {"prompt": group, "left": left + 5, "right": right + 5, "winner": worth}
    items = {
        "prompt": np.repeat(np.arange(n_groups), n_items),
        "system": np.tile(np.arange(n_items), n_groups) + 5,
    }
    return X, items, votes


class TestFigures:
    def test_without_ties(self):
        ranker = fit(DECIDED)
        assert ranker.items_.tolist() == list("ABCD")
        assert_allclose(
            ranker.strength_,
            [-0.446545237, 0.042402572, -0.415803067, 0.819945733],
            atol=1e-8,
        )
        assert_allclose(ranker.log_likelihood_, -13.42845008, atol=1e-8)
        assert_allclose(
            ranker.strength_std_,
            [0.544343155, 0.484654906, 0.528173318, 0.623969956],
            atol=1e-8,
        )

    def test_half_a_win_each(self):
        ranker = fit(TIED)
        assert_allclose(
            ranker.strength_, [0.830444847, -0.252894145, -0.577550702], atol=1e-8
        )
        assert_allclose(ranker.log_likelihood_, -9.9516035562, atol=1e-8)
        assert ranker.tie_parameter_ is None

    def test_davidson(self):
        ranker = fit(TIED, ties="davidson")
        assert_allclose(
            ranker.strength_, [1.303300231, -0.397869408, -0.905430823], atol=1e-8
        )
        assert_allclose(ranker.tie_parameter_, 1.091248931, atol=1e-8)
        assert_allclose(ranker.log_likelihood_, -15.896951423, atol=1e-8)


class TestOracle:
    @pytest.mark.parametrize("ties", ["half", "davidson"])
    @pytest.mark.parametrize("seed", range(5))
    def test_of_likelihood(self, seed, ties):
        X, items, votes = random_votes(seed)
        groups = Groups.from_votes(votes, items, order=True)
        ranker = BradleyTerryRanker(
            ties=ties, l2=0.3, covariates=[0], order_bias=True
        ).fit(X, groups)
        n = 5
        row = votes["prompt"] * n
        left, right = votes["left"] - 5, votes["right"] - 5
        gap = (X[row + left] - X[row + right])[:, 0]
        worth = votes["winner"]

        def loss(theta):
            d = theta[left] - theta[right] + theta[n] * gap + theta[n + 1]
            if ties == "half":
                win, lose = -np.logaddexp(0, -d), -np.logaddexp(0, d)
                value = worth @ win + (1 - worth) @ lose
            else:
                parts = np.stack([d / 2, -d / 2, np.full(len(d), theta[-1])])
                parts = parts - logsumexp(parts, axis=0)
                value = np.sum(np.where(worth == 1, parts[0], 0))
                value += np.sum(np.where(worth == 0, parts[1], 0))
                value += np.sum(np.where(worth == 0.5, parts[2], 0))
            return -value + 0.15 * theta[:n] @ theta[:n]

        best = minimize(loss, np.zeros(n + 2 + (ties == "davidson")), tol=1e-12).x
        assert_allclose(ranker.strength_, best[:n] - best[:n].mean(), atol=1e-5)
        assert_allclose(ranker.coef_, best[n], atol=1e-5)
        assert_allclose(ranker.order_bias_, best[n + 1], atol=1e-5)
        if ties == "davidson":
            assert_allclose(ranker.tie_parameter_, np.exp(best[-1]), rtol=1e-4)

    def test_of_preferences(self):
        rng = np.random.RandomState(0)
        group, item = np.repeat(np.arange(30), 4), np.tile(list("abcd"), 30)
        preference = rng.randint(5, size=120) + (item == "a")
        groups = Groups.from_arrays(group=group, preference=preference, item=item)
        ranker = BradleyTerryRanker().fit(np.zeros((120, 1)), groups)
        D, y = [], []
        for k in range(30):
            rows = np.flatnonzero(group == k)
            for i in rows:
                for j in rows:
                    if preference[i] > preference[j]:
                        row = (item[i] == np.array(list("abcd"))).astype(float)
                        D.append(row - (item[j] == np.array(list("abcd"))))
                        y.append(1)
        D = np.array(D)
        turned = np.random.RandomState(1).rand(len(D)) < 0.5
        regression = LogisticRegression(fit_intercept=False, C=1e8, tol=1e-10).fit(
            np.where(turned[:, None], -D, D), np.where(turned, 0, 1)
        )
        expected = regression.coef_[0] - regression.coef_[0].mean()
        assert_allclose(ranker.strength_, expected, atol=1e-4)

    def test_errors_are_those_of_other_blocks(self):
        found, stated = [], []
        for seed in range(60):
            rng = np.random.RandomState(seed)
            n_blocks, n_items = 25, 3
            own = rng.normal(size=(n_blocks, n_items)) + [0.6, 0.0, -0.6]
            votes = {"left": [], "right": [], "winner": [], "prompt": []}
            for block in range(n_blocks):
                for _ in range(8):
                    i, j = rng.choice(n_items, 2, replace=False)
                    d = own[block, i] - own[block, j]
                    votes["winner"].append(float(rng.rand() < 1 / (1 + np.exp(-d))))
                    votes["left"].append("abc"[i])
                    votes["right"].append("abc"[j])
                    votes["prompt"].append(block)
            items = {
                "prompt": np.repeat(np.arange(n_blocks), n_items),
                "system": np.tile(list("abc"), n_blocks),
                "block": np.repeat(np.arange(n_blocks), n_items),
            }
            groups = Groups.from_votes(votes, items, block="block")
            ranker = BradleyTerryRanker().fit(np.zeros((len(groups), 1)), groups)
            found.append(ranker.strength_)
            stated.append(ranker.strength_std_)
        ratio = np.std(found, axis=0) / np.mean(stated, axis=0)
        assert ((ratio > 0.75) & (ratio < 1.35)).all()

    def test_two_blocks_by_hand(self):
        # Of two items the strength is a log odds; a block adds its own wins to it.
        votes = {"prompt": [1] * 4 + [2] * 4, "left": "a", "right": "b"}
        votes = pd.DataFrame({**votes, "winner": [1.0, 1, 1, 0, 1.0, 0, 0, 1]})
        items = pd.DataFrame({"prompt": [1, 1, 2, 2], "system": ["a", "b"] * 2})
        groups = Groups.from_votes(votes, items.assign(b=items.prompt), block="b")
        ranker = BradleyTerryRanker().fit(np.zeros((4, 1)), groups)
        chance = 5 / 8
        added = np.array([3 - 4 * chance, 2 - 4 * chance])
        variance = 2 * np.sum(added**2) / (8 * chance * (1 - chance)) ** 2
        assert_allclose(ranker.strength_std_, np.sqrt(variance) / 2, rtol=1e-9)


class TestPredict:
    def test_strength_of_the_item(self):
        ranker = fit(DECIDED)
        groups = Groups.from_arrays(group=[1, 1, 2], item=["D", "A", "B"])
        scores = ranker.predict(np.zeros((3, 1)), groups)
        assert_array_equal(scores, ranker.strength_[[3, 0, 1]])
        assert_array_equal(ranker.predict(np.zeros((3, 1))), 0.0)
        assert_array_equal(ranker.rank(np.zeros((3, 1)), groups), [1, 2, 1])

    def test_unknown_items(self):
        groups = Groups.from_arrays(group=[1, 1], item=["A", "Z"])
        with pytest.warns(UserWarning, match=r"1 items that fit had no vote of.*'Z'"):
            assert fit(DECIDED).predict(np.zeros((2, 1)), groups)[1] == 0.0

    def test_covariates_by_name(self):
        X, items, votes = random_votes(0)
        frame = pd.DataFrame(X, columns=["length", "other"])
        groups = Groups.from_votes(votes, items)
        named = BradleyTerryRanker(covariates=["length"]).fit(frame, groups)
        numbered = BradleyTerryRanker(covariates=[0]).fit(X, groups)
        assert_array_equal(named.coef_, numbered.coef_)
        assert_allclose(named.predict(frame), X[:, 0] * named.coef_[0])
        scaled = BradleyTerryRanker(covariates=[0]).fit(X * 1e6, groups)
        assert_allclose(scaled.coef_ * 1e6, named.coef_, rtol=1e-6)

    def test_scores_and_folds(self):
        X, items, votes = random_votes(1, n_votes=900, n_groups=12)
        groups = Groups.from_votes(votes, items)
        ranker = BradleyTerryRanker().fit(X, groups)
        scores = ranker.predict(X, groups)
        assert ranker.score(X, groups) == pairwise_accuracy_score(groups, scores)
        assert_array_equal(ranker.rank(X, groups), rank_items(groups, scores))
        folds = cross_val_score(
            BradleyTerryRanker(), X, groups, cv=PreferenceGroupKFold(3)
        )
        assert (folds > 0.55).all()

    def test_a_plain_target_makes_each_row_an_item(self):
        ranker = BradleyTerryRanker().fit(np.zeros((4, 1)), [3.0, 1.0, 2.0, 9.0])
        assert_array_equal(np.argsort(ranker.strength_), [1, 2, 0, 3])


class TestUnbounded:
    def test_undefeated(self):
        with pytest.warns(UserWarning, match=r"1 items have won or lost all.*\['A'\]"):
            ranker = fit({"AB": (3, 0, 0), "BC": (1, 2, 0), "AC": (2, 0, 0)})
        assert np.isfinite(ranker.strength_).all()
        assert np.argmax(ranker.strength_) == 0

    def test_not_connected(self):
        with pytest.warns(UserWarning, match=r"2 items are in 2 parts that no vote"):
            fit({"AB": (1, 1, 0), "CD": (1, 1, 0)})

    def test_a_penalty_of_the_user_is_not_said(self):
        ranker = fit({"AB": (3, 0, 0)}, l2=0.5)
        assert np.isfinite(ranker.strength_).all()

    def test_ties_connect(self):
        assert np.isfinite(fit({"AB": (3, 0, 1)}).strength_).all()

    def test_parts(self):
        one, nothing = np.ones(2), np.zeros(2)
        circle = PairVotes(np.array([0, 1]), np.array([1, 0]), one, nothing, nothing)
        assert unbounded_items(circle, 2)[0].size == 0
        chain = PairVotes(np.array([0, 1]), np.array([1, 2]), one, nothing, nothing)
        items, n_parts = unbounded_items(chain, 4)
        assert n_parts == 2
        assert len(items) == 3


class TestErrors:
    def test_no_items(self):
        groups = Groups.from_arrays(group=[1, 1], preference=[1, 2])
        with pytest.raises(ValueError, match="target without the field item"):
            BradleyTerryRanker().fit([[0.0], [0.0]], groups)

    @pytest.mark.parametrize("covariates", [["no"], [7], [True], [-1]])
    def test_covariates(self, covariates):
        shown = re.escape(f"covariates holds {covariates[0]!r}; expected columns of X")
        with pytest.raises(ValueError, match=shown):
            fit(DECIDED, covariates=covariates)

    def test_missing_covariate(self):
        with pytest.raises(ValueError, match=r"no value \(NaN\) at row 2 in column 0"):
            fit(DECIDED, np.array([[0.0], [1.0], [np.nan], [0.0]]), covariates=[0])

    def test_order(self):
        with pytest.raises(ValueError, match="does not know who was shown first"):
            BradleyTerryRanker(order_bias=True).fit(
                np.zeros((4, 1)), target_of(DECIDED)
            )
        groups = Groups.from_arrays(group=[1, 1], preference=[1, 2], item=["a", "b"])
        with pytest.raises(ValueError, match="does not know who was shown first"):
            BradleyTerryRanker(order_bias=True).fit(np.zeros((2, 1)), groups)

    def test_other_labels(self):
        groups = Groups.from_arrays(group=[1, 1], item=[1, 2])
        with pytest.raises(ValueError, match="items that are integers, and was fitted"):
            fit(DECIDED).predict(np.zeros((2, 1)), groups)

    def test_too_many_items(self, monkeypatch):
        monkeypatch.setattr("sklearn_pscore._rankers.bradley_terry._MOST_ITEMS", 3)
        with pytest.raises(ValueError, match="got 4 items; expected at most 3"):
            fit(DECIDED)
        monkeypatch.setattr("sklearn_pscore._rankers.bradley_terry._MOST_PAIRS", 2)
        with pytest.raises(ValueError, match="has 3 pairs of items"):
            BradleyTerryRanker().fit(np.zeros((3, 1)), [1.0, 2.0, 3.0])

    def test_pair_of_votes_is_not_there(self):
        groups = target_of({"AB": (1, 1, 0), "BC": (1, 1, 0)})
        with pytest.raises(
            ValueError, match="no vote between two of the . rows that counts"
        ):
            BradleyTerryRanker().fit(np.zeros((2, 1)), Groups.whole(groups[[0, 2]]))

    def test_weights_multiply_votes(self):
        groups = target_of(DECIDED)
        votes = check_groups(groups).votes
        assert len(votes) == 4
        heavy = np.empty(len(groups), dtype=[*groups.dtype.descr, ("weight", "<f8")])
        for name in groups.dtype.names:
            heavy[name] = groups[name]
        heavy["weight"] = 3.0
        ranker = BradleyTerryRanker().fit(np.zeros((4, 1)), heavy)
        assert_allclose(ranker.strength_, fit(DECIDED).strength_, atol=1e-9)
        assert_allclose(ranker.strength_std_ * 3, fit(DECIDED).strength_std_, rtol=1e-6)
