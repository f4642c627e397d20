"""Metrics of votes and of probabilities, against their definitions."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import cross_val_score

from sklearn_pscore import Groups, LinearPreferenceRanker
from sklearn_pscore._target.check import check_groups
from sklearn_pscore.metrics import (
    make_ranking_scorer,
    neg_pairwise_brier_scorer,
    neg_pairwise_log_loss_scorer,
    pairwise_accuracy_score,
    pairwise_brier_score,
    pairwise_log_loss,
)
from sklearn_pscore.model_selection import PreferenceGroupKFold

METRICS = [pairwise_log_loss, pairwise_brier_score, pairwise_accuracy_score]


def figures():
    """Return the votes and scores of figures by other libraries."""
    rows = [("a", "b", "a")] * 3 + [("a", "b", "b")]
    rows += [("a", "c", "a")] * 2 + [("a", "c", "tie")]
    rows += [("b", "c", "b"), ("b", "c", "c")]
    votes = pd.DataFrame(rows, columns=["left", "right", "winner"])
    groups = Groups.from_votes(votes, {"system": ["a", "b", "c"]}, on=())
    return groups, [2.0, 1.0, 1.0]


def random_target(kind, seed=0):
    """Return a target of votes or preferences, and scores."""
    rng = np.random.RandomState(seed)
    n_groups, n_items = 6, 5
    items = {
        "prompt": np.repeat(np.arange(n_groups), n_items),
        "system": np.tile(np.arange(n_items) + 7, n_groups),
    }
    score = rng.normal(size=n_groups * n_items).round(1)
    if kind == "preferences":
        groups = Groups.from_arrays(
            group=items["prompt"],
            preference=rng.randint(4, size=len(score)),
            weight=rng.randint(1, 4, size=len(score)),
        )
        return groups, score
    left = rng.randint(n_items, size=200)
    votes = {
        "prompt": rng.randint(n_groups - 1, size=200),
        "left": left + 7,
        "right": (left + rng.randint(1, n_items, size=200)) % n_items + 7,
        "winner": rng.choice([0.0, 0.5, 1.0], size=200),
    }
    return Groups.from_votes(votes, items), score


def expanded(groups, score, ties):
    """Return d, outcome, weight and group of each judgement, one by one."""
    target = check_groups(groups, require_preference=False)
    rows = []
    if target.votes is not None:
        v = target.votes
        for a, b, win, lose, tie in zip(
            v.first, v.second, v.wins, v.losses, v.ties, strict=True
        ):
            half = tie / 2 if ties == "half" else 0.0
            d = score[a] - score[b]
            rows += [(d, 1, win + half, target.group[a])]
            rows += [(d, 0, lose + half, target.group[a])]
    else:
        for a in range(len(score)):
            for b in range(a):
                if target.group[a] != target.group[b]:
                    continue
                weight = target.weight[a] * target.weight[b]
                d = score[a] - score[b]
                gap = target.preference[a] - target.preference[b]
                if gap:
                    rows.append((d, int(gap > 0), weight, target.group[a]))
                elif ties == "half":
                    rows += [(d, y, weight / 2, target.group[a]) for y in (0, 1)]
    return [np.array(column) for column in zip(*rows, strict=True)]


def by_definition(metric, d, y, weight):
    chance = 1 / (1 + np.exp(-d))
    if metric is pairwise_log_loss:
        return log_loss(y, chance, sample_weight=weight, labels=[0, 1])
    if metric is pairwise_brier_score:
        return brier_score_loss(y, chance, sample_weight=weight)
    right = np.where(d == 0, 0.5, (d > 0) == y)
    return np.average(right, weights=weight)


class TestValues:
    def test_figures(self):
        groups, score = figures()
        assert_allclose(pairwise_log_loss(groups, score, ties="half"), 0.564347353)
        assert_allclose(pairwise_brier_score(groups, score, ties="half"), 0.188831350)
        accuracy = pairwise_accuracy_score
        assert_allclose(accuracy(groups, score, ties="half"), 0.7222222222)
        assert accuracy(groups, score) == 0.75

    @pytest.mark.parametrize("ties", ["drop", "half"])
    @pytest.mark.parametrize("metric", METRICS)
    @pytest.mark.parametrize("kind", ["votes", "preferences"])
    def test_by_definition(self, kind, metric, ties):
        groups, score = random_target(kind)
        d, y, weight, group = expanded(groups, score, ties)
        each = [
            by_definition(metric, d[m], y[m], weight[m])
            if (m := (group == k) & (weight > 0)).any()
            else np.nan
            for k in range(6)
        ]
        assert_allclose(metric(groups, score, ties=ties, average=False), each)
        if kind == "votes":
            expected = by_definition(metric, d, y, weight)
        else:
            expected = np.nanmean(each)
        assert_allclose(metric(groups, score, ties=ties), expected)

    @pytest.mark.parametrize("metric", METRICS)
    @pytest.mark.parametrize("kind", ["votes", "preferences"])
    def test_no_order_of_rows_or_groups(self, kind, metric):
        groups, score = random_target(kind)
        mixed = np.random.RandomState(1).permutation(len(groups))
        value = metric(groups, score)
        assert metric(groups[mixed], score[mixed]) == value
        renamed = groups.copy()
        renamed["group"] = 9 - groups["group"]
        assert metric(renamed, score) == value

    def test_scores_that_all_tie(self):
        for kind in ("votes", "preferences"):
            groups, score = random_target(kind)
            constant = np.zeros(len(score))
            assert_allclose(pairwise_log_loss(groups, constant), np.log(2))
            assert pairwise_brier_score(groups, constant) == 0.25
            assert pairwise_accuracy_score(groups, constant) == 0.5

    def test_far_scores(self):
        assert pairwise_log_loss([2.0, 1.0], [1e300, -1e300]) == 0.0
        assert pairwise_log_loss([1.0, 2.0], [800.0, 0.0]) == 800.0
        assert pairwise_brier_score([1.0, 2.0], [1e4, 0.0]) == 1.0

    def test_weight_zero_and_unjudged_rows(self):
        groups, score = random_target("votes")
        nobody = np.isnan(groups["preference"])
        assert nobody.any()
        changed = np.where(nobody, 100.0, score)
        for metric in METRICS:
            assert metric(groups, changed) == metric(groups, score)


class TestScorers:
    def test_are_negative(self):
        groups, score = random_target("votes")
        X = score[:, None]
        model = LinearPreferenceRanker().fit(X, groups)
        for scorer, metric in (
            (neg_pairwise_log_loss_scorer, pairwise_log_loss),
            (neg_pairwise_brier_scorer, pairwise_brier_score),
        ):
            assert scorer(model, X, groups) == -metric(groups, model.predict(X))
            with pytest.raises(
                ValueError, match="of which the smaller value is better"
            ):
                make_ranking_scorer(metric)

    def test_in_folds(self):
        groups, score = random_target("preferences")
        values = cross_val_score(
            LinearPreferenceRanker(),
            score[:, None],
            groups,
            cv=PreferenceGroupKFold(3),
            scoring=neg_pairwise_log_loss_scorer,
        )
        assert (values < 0).all()


class TestErrors:
    def test_ties(self):
        for metric in METRICS:
            with pytest.raises(
                ValueError, match=r"must be a str among {'drop', 'half'}"
            ):
                metric([1.0, 2.0], [1.0, 2.0], ties="none")

    def test_depth(self):
        groups, score = figures()
        with pytest.raises(ValueError, match="k=1 with a target of votes"):
            pairwise_accuracy_score(groups, score, k=1)
        with pytest.raises(ValueError, match='k=1 with ties="half"'):
            pairwise_accuracy_score([1.0, 2.0], [1.0, 2.0], k=1, ties="half")

    def test_nothing_was_decided(self):
        votes = {"left": ["a"], "right": ["b"], "winner": ["tie"]}
        groups = Groups.from_votes(votes, {"system": ["a", "b"]}, on=())
        for metric in METRICS:
            with pytest.raises(ValueError, match="No judgements"):
                metric(groups, [1.0, 0.0])
            assert_array_equal(metric(groups, [1.0, 1.0], ties="half") > 0, True)

    def test_too_many_pairs(self, monkeypatch):
        monkeypatch.setattr("sklearn_pscore.metrics._judgements._MOST_PAIRS", 2)
        with pytest.raises(ValueError, match="has 3 pairs of items; pairwise_log_loss"):
            pairwise_log_loss([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
