"""Chance and the noise ceiling of a comparison."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import FitFailedWarning

from sklearn_pscore import Groups, RankSumRanker
from sklearn_pscore.inspection import noise_ceiling
from sklearn_pscore.metrics import (
    dcg_scorer,
    kendall_tau_scorer,
    make_ranking_scorer,
    mrr_scorer,
    ndcg_scorer,
    neg_pairwise_log_loss_scorer,
    neg_rmse_scorer,
    pairwise_accuracy_score,
    pairwise_accuracy_scorer,
    pearson_scorer,
    soft_pairwise_accuracy_scorer,
    spearman_scorer,
    tie_calibrated_accuracy_scorer,
)
from sklearn_pscore.model_selection import RankerComparison, compare_rankers

RNG = np.random.default_rng(0)
N_GROUPS, SIZE = 30, 6
X = RNG.normal(size=(N_GROUPS * SIZE, 2))
GROUPS = Groups.from_arrays(
    group=np.repeat(np.arange(N_GROUPS), SIZE),
    item=np.tile(np.arange(SIZE), N_GROUPS),
    preference=RNG.integers(0, 5, N_GROUPS * SIZE),
)
RANKERS = {"sums": RankSumRanker(directions="larger")}


def one_minus_error(groups, y_score):
    return 1.0 - np.mean((groups["preference"] - y_score) ** 2)


SCORING = {
    "MRR": mrr_scorer,
    "DCG": dcg_scorer,
    "NDCG": ndcg_scorer,
    "NDCG of 2": make_ranking_scorer(ndcg_scorer.metric, k=2, gain="linear"),
    "accuracy": pairwise_accuracy_scorer,
    "tau": kendall_tau_scorer,
    "Spearman": spearman_scorer,
    "Pearson": pearson_scorer,
    "Pearson of all": make_ranking_scorer(
        pearson_scorer.metric, within="all", mapping="logistic"
    ),
    "error": neg_rmse_scorer,
    "systems": soft_pairwise_accuracy_scorer,
    "ties": tie_calibrated_accuracy_scorer,
}


def test_chance_is_what_random_scores_get():
    comparison = compare_rankers(
        RANKERS, X, GROUPS, cv=2, scoring=SCORING, n_seeds=1, truth=None
    )
    chance = comparison.chance
    assert list(chance) == list(SCORING)
    assert chance["accuracy"] == 0.5
    assert chance["tau"] == chance["Spearman"] == chance["Pearson"] == 0.0
    assert abs(chance["Pearson of all"]) < 1e-6

    class Drawn:
        def predict(self, X):
            return rng.normal(size=len(X))

    rng = np.random.default_rng(1)
    halves = [np.flatnonzero(np.isin(GROUPS["group"], g)) for g in folds_of()]
    for name in ("MRR", "DCG", "NDCG", "NDCG of 2", "systems", "ties"):
        values = [
            np.mean([SCORING[name](Drawn(), X[rows], GROUPS[rows]) for rows in halves])
            for _ in range(60)
        ]
        error = np.std(values) / np.sqrt(60)
        assert abs(chance[name] - np.mean(values)) < 4 * error + 0.01, name


def folds_of():
    """Return the groups of each fold of cv=2."""
    from sklearn_pscore.model_selection import PreferenceGroupKFold

    folds = PreferenceGroupKFold(2).split(X, GROUPS)
    return [np.unique(GROUPS["group"][test]) for _, test in folds]


def test_chance_of_other_scorers_is_not_known():
    scoring = {
        "own metric": make_ranking_scorer(one_minus_error),
        "own scorer": lambda ranker, X, groups: float(len(X)),
        "accuracy": pairwise_accuracy_scorer,
    }
    comparison = compare_rankers(
        RANKERS, X, GROUPS, test=(X, GROUPS), scoring=scoring, n_seeds=1
    )
    assert comparison.chance == {
        "own metric": None,
        "own scorer": None,
        "accuracy": 0.5,
    }
    # A value that is not known leaves its cell of the row empty.
    row = comparison.formatted().loc["chance"]
    assert row.tolist() == ["", "", "0.500"]


def test_chance_is_a_row_of_what_is_shown():
    scoring = {"MRR": mrr_scorer, "accuracy": pairwise_accuracy_scorer}
    comparison = compare_rankers(
        RANKERS, X, GROUPS, test=(X, GROUPS), scoring=scoring, n_seeds=1
    )
    assert comparison.formatted().index.tolist() == ["GT", "sums", "chance"]
    assert "chance" in str(comparison)
    last = comparison.to_markdown(decimals=1).splitlines()[-1]
    assert last == f"| chance | {comparison.chance['MRR']:.1f} | 0.5 |"
    # It is no method, and goes on request.
    assert comparison.methods == ("GT", "sums")
    assert comparison.table().index.tolist() == ["GT", "sums"]
    assert set(comparison.rows["method"]) == {"GT", "sums"}
    assert comparison.formatted(bounds=False).index.tolist() == ["GT", "sums"]
    assert "chance" not in comparison.to_markdown(bounds=False)


def test_a_comparison_made_by_hand_has_the_bounds_that_it_is_given():
    rows = pd.DataFrame(
        {"method": ["a"], "seed": [1], "fold": [0], "A": [0.7], "B": [3.0]}
    ).assign(fit_seconds=0.0)
    plain = RankerComparison(rows, ("A", "B"), None, "seed")
    assert plain.chance == plain.ceiling == {"A": None, "B": None}
    assert plain.formatted().index.tolist() == ["a"]
    both = RankerComparison(
        rows, ("A", "B"), None, "seed", chance={"A": 0.5}, ceiling={"A": 0.9, "B": 4.0}
    )
    cells = both.formatted(decimals=1)
    assert cells.index.tolist() == ["a", "noise ceiling", "chance"]
    assert cells["B"].tolist() == ["3.0", "4.0", ""]


def test_names_of_the_rows_are_taken():
    with pytest.raises(
        ValueError, match=re.escape("'chance' is the name of a ranker;")
    ):
        compare_rankers(
            {"chance": RankSumRanker(directions="larger")}, X, GROUPS, cv=2, n_seeds=1
        )
    with pytest.raises(ValueError, match="'noise ceiling' is the name of a truth;"):
        compare_rankers(RANKERS, X, GROUPS, cv=2, truth="noise ceiling")
    frame = pd.DataFrame(X, columns=["a", "chance"])
    message = "column 1 of X is 'chance', the name of another row of the tables;"
    with pytest.raises(ValueError, match=re.escape(message)):
        compare_rankers({}, frame, GROUPS, cv=2, single_metrics=True)


def test_chance_weighs_groups_as_the_metric_does():
    weight = np.where(GROUPS["group"] < 3, 5.0, 1.0)
    fields = {name: GROUPS[name] for name in ("group", "item", "preference")}
    groups = Groups.from_arrays(**fields, weight=weight)
    comparison = compare_rankers(
        RANKERS, X, groups, test=(X, groups), scoring={"MRR": mrr_scorer}, n_seeds=1
    )
    per_group = mrr_scorer.metric(GROUPS, np.zeros(len(X)), average=False)
    told = ~np.isnan(per_group)
    by_group = np.where(np.arange(N_GROUPS) < 3, 5.0, 1.0)
    expected = np.average(per_group[told], weights=by_group[told])
    assert_allclose(comparison.chance["MRR"], expected)
    assert pairwise_accuracy_score(groups, np.ones(len(X))) == 0.5


def rated(n_raters=5, **options):
    """Return metrics and a target of ratings; the first metric is the true opinion."""
    rng = np.random.default_rng(3)
    truth = rng.normal(size=len(X))
    ratings = truth[:, None] + rng.normal(size=(len(X), n_raters))
    items = {"prompt": GROUPS["group"], "system": GROUPS["item"]}
    table = np.column_stack([truth, X[:, 0]])
    return table, Groups.from_ratings(ratings, items, weight=None, **options)


def test_the_ceiling_is_that_of_the_rows_to_judge_on():
    table, groups = rated()
    scoring = {
        "accuracy": pairwise_accuracy_scorer,
        "DCG": dcg_scorer,
        "error": neg_rmse_scorer,
        "own": make_ranking_scorer(one_minus_error),
    }
    options = {"scoring": scoring, "n_seeds": 1, "single_metrics": True}
    comparison = compare_rankers({}, table, groups, cv=3, **options)
    expected = noise_ceiling(groups, random_state=0).value
    assert_allclose(comparison.ceiling["accuracy"], expected, rtol=1e-9)
    by_draws = noise_ceiling(groups, metric=dcg_scorer.metric, random_state=0)
    assert abs(comparison.ceiling["DCG"] - by_draws.value) < 0.05
    assert comparison.ceiling["own"] is None
    assert -1.0 < comparison.ceiling["error"] < 0.0
    # The true opinion, which is one of the metrics, is about that good.
    reached = comparison.table().loc["x0", ("accuracy", "mean")]
    assert abs(reached - expected) < 0.04
    rows = ["GT", "x0", "x1", "noise ceiling", "chance"]
    assert comparison.formatted().index.tolist() == rows
    half = GROUPS["group"] < N_GROUPS // 2
    judged_on_half = compare_rankers(
        {}, table, groups, test=(table[half], groups[half]), **options
    )
    expected = noise_ceiling(groups[half], random_state=0).value
    assert_allclose(judged_on_half.ceiling["accuracy"], expected, rtol=1e-9)
    # Leaving out systems, it is that of all pairs.
    options["scoring"] = {"accuracy": pairwise_accuracy_scorer}
    left_out = compare_rankers({}, table, groups, leave_out="item", **options)
    assert left_out.ceiling == {"accuracy": comparison.ceiling["accuracy"]}


def test_without_all_raters_there_is_no_ceiling():
    table, groups = rated()
    fields = {name: groups[name].copy() for name in groups.dtype.names}
    fields["n_raters"][3] = 0
    unknown = Groups.from_arrays(**fields)
    for y in (unknown, GROUPS):
        comparison = compare_rankers({}, table, y, cv=2, single_metrics=True)
        assert comparison.ceiling == {"MRR": None, "DCG": None}
        assert "noise ceiling" not in comparison.formatted().index


def test_a_metric_that_is_not_for_the_target_fails_in_the_runs():
    table, groups = rated()
    scoring = {
        "linear": make_ranking_scorer(ndcg_scorer.metric, gain="linear"),
        "MRR": mrr_scorer,
    }
    # Negative preferences have no linear gain.
    options = {"test": (table, groups), "scoring": scoring, "truth": None, "n_seeds": 1}
    with pytest.warns(FitFailedWarning, match="0 of 1 fits and 1 scorings failed"):
        comparison = compare_rankers(RANKERS, table, groups, **options)
    assert comparison.chance["linear"] is comparison.ceiling["linear"] is None
    assert 0 < comparison.chance["MRR"] < comparison.ceiling["MRR"] < 1


def test_probabilities_have_chance_and_no_ceiling():
    table, groups = rated()
    scoring = {"loss": neg_pairwise_log_loss_scorer, "MRR": mrr_scorer}
    comparison = compare_rankers(
        RANKERS, table, groups, cv=2, scoring=scoring, truth=None, n_seeds=1
    )
    assert_allclose(comparison.chance["loss"], -np.log(2))
    assert comparison.ceiling["loss"] is None
    assert comparison.formatted().loc["noise ceiling", "loss"] == ""
