"""Slope and intercept of the votes' log odds, and ties foretold, against slow ways."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from sklearn_pscore import Groups
from sklearn_pscore.datasets import make_arena
from sklearn_pscore.inspection import vote_calibration
from sklearn_pscore.metrics import tie_calibrated_accuracy_score
from tests.test_vote_metrics import figures, random_target


def arena_of(seed=0, **options):
    made = make_arena(**{"n_prompts": 40, "n_votes": 1500} | options, random_state=seed)
    return made, Groups.from_votes(made.votes, made.answers, order=True)


def one_by_one(votes, answers, score):
    """Return difference, whether the left has won, and the prompt of decided votes."""
    of_row = dict(
        zip(zip(answers.prompt, answers.system, strict=True), score, strict=True)
    )
    rows = [
        (
            of_row[v.prompt, v.left] - of_row[v.prompt, v.right],
            v.winner == v.left,
            v.prompt,
        )
        for v in votes.itertuples()
        if v.winner != "tie"
    ]
    d, won, prompt = zip(*rows, strict=True)
    return np.array(d), np.array(won), np.array(prompt)


class TestVoteCalibration:
    @pytest.mark.parametrize("order", [False, True])
    def test_is_a_logistic_regression_of_the_votes(self, order):
        arena, _ = arena_of(order_bias=0.5)
        groups = Groups.from_votes(arena.votes, arena.answers, order=order)
        score = arena.data.to_numpy()[:, 0]
        d, won, prompt = one_by_one(arena.votes, arena.answers, score)
        columns = np.column_stack([d, np.ones(len(d))]) if order else d[:, None]
        model = LogisticRegression(
            C=np.inf, fit_intercept=False, tol=1e-10, max_iter=500
        )
        coef = model.fit(columns, won).coef_[0]
        found = vote_calibration(groups, score)
        assert_allclose(found.slope, coef[0], rtol=1e-5)
        chance = expit(columns @ coef)
        bread = np.linalg.inv((columns.T * (chance * (1 - chance))) @ columns)
        slopes = columns * (won - chance)[:, None]
        meat = 0.0
        for name in np.unique(prompt):
            of_prompt = slopes[prompt == name].sum(axis=0)
            meat = meat + np.outer(of_prompt, of_prompt)
        n = len(np.unique(prompt))
        std = np.sqrt(np.diag(bread @ meat @ bread) * n / (n - 1))
        assert_allclose(found.slope_std, std[0], rtol=1e-4)
        assert found.n_votes == len(won)
        assert found.n_clusters == n
        if not order:
            assert found.intercept is None
            assert found.intercept_std is None
            return
        assert_allclose(found.intercept, coef[1], rtol=1e-5)
        assert_allclose(found.intercept_std, std[1], rtol=1e-4)
        assert f"{found.slope:.3f} ± {found.slope_std:.3f}, shown first" in str(found)

    def test_truth_has_a_slope_of_one_and_the_bias_is_found(self):
        errors = []
        for seed in range(20):
            # Nobody is careless by chance, so that the model is that of the votes.
            arena, _ = arena_of(seed, n_annotators=1000, n_votes=4000)
            careful = ~arena.votes["annotator"].isin(arena.careless)
            groups = Groups.from_votes(arena.votes[careful], arena.answers, order=True)
            found = vote_calibration(groups, arena.score)
            errors.append(
                [
                    (found.slope - 1) / found.slope_std,
                    found.intercept / found.intercept_std,
                ]
            )
        assert np.all(np.abs(np.mean(errors, axis=0)) < 0.7)
        assert np.all(np.std(errors, axis=0) < 1.6)
        assert np.all(np.std(errors, axis=0) > 0.5)

    def test_scale_and_order(self):
        arena, groups = arena_of()
        once = vote_calibration(groups, arena.score)
        for factor in (-2.0, 1e-200, 1e300):
            scaled = vote_calibration(groups, factor * arena.score / 10)
            assert_allclose(scaled.slope * factor / 10, once.slope, rtol=1e-7)
        order = np.random.RandomState(0).permutation(len(groups))
        again = vote_calibration(groups[order], arena.score[order])
        assert_allclose(again.slope, once.slope, rtol=1e-9)
        assert_allclose(again.slope_std, once.slope_std, rtol=1e-9)

    def test_blocks_are_taken_for_independent(self):
        arena, groups = arena_of()
        half = arena.answers.assign(half=pd.factorize(arena.answers.prompt)[0] % 10)
        blocks = Groups.from_votes(arena.votes, half, block="half")
        found = vote_calibration(blocks, arena.score)
        assert found.n_clusters == 10
        assert found.slope_std != vote_calibration(groups, arena.score).slope_std

    def test_rows_of_weight_zero_are_not_there(self):
        arena, groups = arena_of()
        weight = np.random.RandomState(0).randint(3, size=len(groups)).astype(float)
        fields = [(name, groups.dtype[name]) for name in groups.dtype.names]
        weighed = np.empty(len(groups), dtype=[*fields, ("weight", float)])
        for name in groups.dtype.names:
            weighed[name] = groups[name]
        weighed["weight"] = weight > 0
        found = vote_calibration(Groups.whole(weighed), arena.score)
        kept = weight > 0
        part = Groups.whole(groups[kept])
        alone = vote_calibration(part, arena.score[kept])
        assert_allclose(found.slope, alone.slope, rtol=1e-9)
        assert_allclose(found.slope_std, alone.slope_std, rtol=1e-9)
        assert found.n_votes == alone.n_votes
        weighed["weight"] = weight
        assert vote_calibration(Groups.whole(weighed), arena.score).slope != found.slope

    def test_errors(self):
        groups, score = figures()
        with pytest.raises(ValueError, match="groups has no votes"):
            vote_calibration([1.0, 2.0], [1.0, 2.0])
        with pytest.raises(ValueError, match="all 3 pairs with votes the same score"):
            vote_calibration(groups, [1.0, 1.0, 1.0])
        votes = {"left": ["a", "a"], "right": ["b", "b"], "winner": ["left", "tie"]}
        clear = Groups.from_votes(votes, {"system": ["a", "b"]}, on=())
        with pytest.raises(ValueError, match="with all votes on the 1 pairs"):
            vote_calibration(clear, [1.0, 0.0])
        ties = Groups.from_votes(
            votes | {"winner": ["tie", "tie"]}, {"system": ["a", "b"]}, on=()
        )
        with pytest.raises(ValueError, match="found no votes for one of two items"):
            vote_calibration(ties, [1.0, 0.0])


class TestTieCalibration:
    @staticmethod
    def slow(arena, score, threshold):
        """Return the share of the votes that are right."""
        answers = arena.answers
        of_row = dict(
            zip(zip(answers.prompt, answers.system, strict=True), score, strict=True)
        )
        right = []
        for v in arena.votes.itertuples():
            d = of_row[v.prompt, v.left] - of_row[v.prompt, v.right]
            said = "tie" if abs(d) <= threshold else v.left if d > 0 else v.right
            right.append(said == v.winner)
        return np.mean(right)

    def test_is_the_share_of_votes_that_are_foretold(self):
        arena, groups = arena_of(n_votes=300, n_prompts=5, tie_parameter=1.5)
        # Integers, whose differences are exact.
        score = (10 * arena.score).round()
        value, threshold = tie_calibrated_accuracy_score(
            groups, score, return_threshold=True
        )
        assert threshold > 0
        assert_allclose(value, self.slow(arena, score, threshold), rtol=1e-12)
        tried = [self.slow(arena, score, t) for t in range(100)]
        assert_allclose(value, max(tried), rtol=1e-12)
        for given in (0.0, 5.0):
            ours = tie_calibrated_accuracy_score(groups, score, threshold=given)
            assert_allclose(ours, self.slow(arena, score, given), rtol=1e-12)

    def test_of_each_group(self):
        groups, score = random_target("votes")
        values = tie_calibrated_accuracy_score(
            groups, score, threshold=0.3, average=False
        )
        assert np.isnan(values[-1])
        for number, label in enumerate(np.unique(groups["group"])[:-1]):
            rows = groups["group"] == label
            alone = tie_calibrated_accuracy_score(
                groups[rows], score[rows], threshold=0.3
            )
            assert_allclose(values[number], alone, rtol=1e-12)
        order = np.random.RandomState(0).permutation(len(score))
        assert_array_equal(
            tie_calibrated_accuracy_score(
                groups[order], score[order], threshold=0.3, average=False
            ),
            values,
        )

    def test_the_threshold_is_best_over_all_votes(self):
        # A mean over groups would have the one vote of the first count as much.
        items = {"prompt": [0, 0, 1, 1], "system": ["a", "b", "a", "b"]}
        winner = ["left"] + ["tie"] * 6 + ["left"] * 4
        votes = {"prompt": [0] + [1] * 10, "left": ["a"] * 11, "right": ["b"] * 11}
        groups = Groups.from_votes(votes | {"winner": winner}, items)
        value, threshold = tie_calibrated_accuracy_score(
            groups, [1.0, 0.0, 1.0, 0.0], return_threshold=True
        )
        assert (value, threshold) == (6 / 11, 1.0)

    def test_ties_alone_are_foretold(self):
        votes = {"left": ["a"], "right": ["b"], "winner": ["tie"]}
        groups = Groups.from_votes(votes, {"system": ["a", "b"]}, on=())
        value, threshold = tie_calibrated_accuracy_score(
            groups, [1.0, 0.0], return_threshold=True
        )
        assert (value, threshold) == (1.0, 1.0)


def test_texts_name_no_type():
    arena, groups = arena_of()
    assert re.match(
        r"slope of the votes' .* clusters\)$",
        str(vote_calibration(groups, arena.score)),
    )
