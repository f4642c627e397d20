"""Comparisons that leave out one system, group or block after the other."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin

from benchmarks.agreement.data_sets import _pairs_that_hold
from sklearn_pscore import Groups, LinearPreferenceRanker, RankSumRanker
from sklearn_pscore.metrics import (
    dcg_scorer,
    kendall_tau_scorer,
    make_ranking_scorer,
    mrr_scorer,
    pairwise_accuracy_score,
    pairwise_accuracy_scorer,
)
from sklearn_pscore.model_selection import compare_rankers

N_GROUPS, SYSTEMS = 15, np.array(["ada", "bob", "cyd", "dot", "eve"])


def table(seed=0, **options):
    """Return metrics and a target of 15 groups of five systems, in mixed order."""
    rng = np.random.default_rng(seed)
    n = N_GROUPS * len(SYSTEMS)
    X = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "c"])
    order = rng.permutation(n)
    groups = Groups.from_arrays(
        group=np.repeat(np.arange(N_GROUPS), len(SYSTEMS))[order],
        item=np.tile(SYSTEMS, N_GROUPS)[order],
        # Grades, so that some pairs are tied.
        preference=np.round(X["a"] + rng.normal(size=n)),
        block=(np.repeat(np.arange(N_GROUPS), len(SYSTEMS)) // 3)[order],
        **options,
    )
    return X, groups


X, GROUPS = table()
RANKERS = {"linear": LinearPreferenceRanker()}
SCORING = {"accuracy": pairwise_accuracy_scorer, "tau": kendall_tau_scorer}


def left_out(rankers=RANKERS, X=X, groups=GROUPS, **options):
    options = {"leave_out": "item", "scoring": SCORING, "n_seeds": 1, **options}
    return compare_rankers(rankers, X, groups, **options)


def test_a_system_at_a_time_is_the_script_by_hand():
    comparison = left_out()
    rows = comparison.rows.set_index("method")
    assert comparison.over == "fold"
    assert comparison.sizes["left_out"].tolist() == SYSTEMS.tolist()
    assert comparison.sizes["n_test"].tolist() == [N_GROUPS] * 5
    assert comparison.sizes["n_train"].tolist() == [4 * N_GROUPS] * 5
    by_hand = []
    for name in SYSTEMS:
        train = GROUPS["item"] != name
        ranker = LinearPreferenceRanker().fit(X[train], Groups.whole(GROUPS[train]))
        # Each pair that holds the system is a group of its own.
        X_pairs, pairs = _pairs_that_hold(X, GROUPS, name)
        by_hand.append(pairwise_accuracy_score(pairs, ranker.predict(X_pairs)))
    assert_allclose(rows.loc["linear", "accuracy"], by_hand, rtol=1e-12)
    assert_allclose(rows.loc["linear", "tau"], 2 * np.array(by_hand) - 1, rtol=1e-9)
    assert (rows.loc["GT", "accuracy"] == 1.0).all()
    assert comparison.chance == {"accuracy": 0.5, "tau": 0.0}


def test_accuracy_is_the_default():
    comparison = left_out(scoring=None)
    assert comparison.metrics == ("accuracy",)
    assert_array_equal(comparison.rows["accuracy"], left_out().rows["accuracy"])


class Recording(RegressorMixin, BaseEstimator):
    """A ranker that keeps the systems that it has seen in `fit`, and in `predict`."""

    seen = []

    def fit(self, X, y):
        self.seen.append(("fit", set(y["item"].tolist()), len(y)))
        return self

    def predict(self, X, groups):
        self.seen.append(("predict", set(groups["item"].tolist()), len(groups)))
        return X[:, 0]


def test_no_ranker_has_seen_the_system_and_all_are_asked_for_whole_groups():
    Recording.seen.clear()
    left_out({"a": Recording()}, X.to_numpy())
    for fold, name in enumerate(SYSTEMS):
        fit, *predictions = Recording.seen[3 * fold : 3 * fold + 3]
        assert fit == ("fit", {*SYSTEMS} - {name}, 4 * N_GROUPS)
        assert predictions == [("predict", {*SYSTEMS}, 5 * N_GROUPS)] * 2


def test_pairs_count_by_their_weights_and_rows_of_an_item_together():
    rng = np.random.default_rng(1)
    fields = {name: GROUPS[name] for name in ("group", "item", "preference")}
    weight = rng.uniform(0.2, 3.0, len(GROUPS))
    weight[::7] = 0.0
    fixed = {"sums": RankSumRanker(directions=["larger", "smaller", "larger"])}
    groups = Groups.from_arrays(**fields, weight=weight)
    twice = {name: np.concatenate([v, v]) for name, v in fields.items()}
    # Two rows of an item: their scores are averaged, each with half of the sum.
    double = Groups.from_arrays(**twice, weight=np.concatenate([weight, weight]))
    noise = pd.DataFrame(rng.normal(size=X.shape), columns=X.columns)
    several = left_out(
        {"mean": MeanOfFirst()}, pd.concat([X + noise, X - noise]).to_numpy(), double
    )
    single = left_out({"mean": MeanOfFirst()}, X.to_numpy(), groups)
    assert_allclose(several.rows["accuracy"], single.rows["accuracy"])
    # By a loop over pairs.
    score = X["a"].to_numpy()
    for name, value in zip(SYSTEMS, single.rows["accuracy"][5:], strict=True):
        right = total = 0.0
        for i in np.flatnonzero(groups["item"] == name):
            for j in np.flatnonzero(groups["group"] == groups["group"][i]):
                worth = groups["preference"][i] - groups["preference"][j]
                if worth:
                    w = weight[i] * weight[j]
                    total += w
                    right += w * ((score[i] - score[j]) * worth > 0)
        assert_allclose(value, right / total)
    assert len(left_out(fixed, X, groups).rows) == 10


class MeanOfFirst(RegressorMixin, BaseEstimator):
    """The score is the first metric."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return X[:, 0]


@pytest.mark.parametrize("field", ["group", "block"])
def test_groups_and_blocks_are_folds_of_one(field):
    scoring = {"DCG": dcg_scorer}
    comparison = left_out(leave_out=field, scoring=scoring)
    labels = np.unique(GROUPS[field])
    folds = [
        (np.flatnonzero(GROUPS[field] != k), np.flatnonzero(GROUPS[field] == k))
        for k in labels
    ]
    expected = compare_rankers(RANKERS, X, GROUPS, cv=folds, scoring=scoring, n_seeds=1)
    assert_array_equal(comparison.rows["DCG"], expected.rows["DCG"])
    assert comparison.sizes["left_out"].tolist() == labels.tolist()
    paired = comparison.paired("GT", "linear", "DCG")
    assert paired == expected.paired("GT", "linear", "DCG")
    assert left_out(leave_out=field, scoring=None).metrics == ("MRR", "DCG")


def test_donors_are_never_judged_and_systems_of_donors_alone_not_left_out():
    fields = {name: GROUPS[name] for name in ("group", "item", "preference")}
    fields = {
        "group": np.r_[fields["group"], 99, 99],
        "item": np.append(fields["item"], ["fay", "ada"]),
        "preference": np.r_[fields["preference"], 1.0, 0.0],
        "donor": np.r_[np.zeros(len(GROUPS), bool), True, True],
    }
    groups = Groups.from_arrays(**fields)
    rows = pd.concat([X, X[:2]])
    comparison = left_out({"mean": MeanOfFirst()}, rows.to_numpy(), groups)
    assert comparison.sizes["left_out"].tolist() == SYSTEMS.tolist()
    without = left_out({"mean": MeanOfFirst()}, X.to_numpy())
    assert_array_equal(comparison.rows["accuracy"], without.rows["accuracy"])


def test_another_reference_judges():
    fields = {name: GROUPS[name] for name in ("group", "item", "preference")}
    fields["preference"] = -fields["preference"]
    turned = left_out(
        {"m": MeanOfFirst()}, X.to_numpy(), reference=Groups.from_arrays(**fields)
    )
    plain = left_out({"m": MeanOfFirst()}, X.to_numpy())
    of = [c.rows.set_index("method").loc["m", "accuracy"] for c in (turned, plain)]
    assert_allclose(of[0], 1 - of[1])
    del fields["item"]
    with pytest.raises(ValueError, match="reference has no field 'item'"):
        left_out(reference=Groups.from_arrays(**fields))


BAD = {
    "a field that is none": (
        {"leave_out": "clip"},
        ValueError,
        "leave_out is 'clip'; expected one of ['item', 'group', 'block'], or None.",
    ),
    "no name": ({"leave_out": 3}, TypeError, "leave_out is 3; expected one of"),
    "with cv": (
        {"cv": 5},
        ValueError,
        "cv was passed together with leave_out='item', which makes a fold for each item; "
        "expected one of the two. Leave cv out.",
    ),
    "with test": ({"test": (X, GROUPS)}, ValueError, "test was passed together with"),
    "with cv_groups": (
        {"cv_groups": X["a"]},
        ValueError,
        "cv_groups was passed together",
    ),
    "no items": (
        {"groups": Groups.from_arrays(group=GROUPS["group"], preference=X["a"])},
        ValueError,
        "leave_out is 'item', but groups has the fields ['group', 'preference', "
        "'group_size']; expected a target with that field.",
    ),
    "plain target": (
        {"groups": X["a"].to_numpy()},
        ValueError,
        "leave_out is 'item', but groups has the fields ['preference']",
    ),
    "one block": (
        {
            "leave_out": "block",
            "groups": Groups.from_arrays(
                group=GROUPS["group"], preference=X["a"], block=np.zeros(len(X), int)
            ),
        },
        ValueError,
        "the rows that count are of 1 block; expected two or more",
    ),
    "MRR": (
        {"scoring": {"MRR": mrr_scorer}},
        ValueError,
        "scoring['MRR'] is make_ranking_scorer(reciprocal_rank_score), and "
        "leave_out='item' judges by the pairs that hold the left-out item; expected a "
        "metric that is a mean over pairs. Take pairwise_accuracy_scorer or "
        "kendall_tau_scorer, without options.",
    ),
    "accuracy of the top": (
        {"scoring": {"top": make_ranking_scorer(pairwise_accuracy_score, k=1)}},
        ValueError,
        "scoring['top'] is make_ranking_scorer(pairwise_accuracy_score, k=1)",
    ),
    "another treatment of ties": (
        {"scoring": {"h": make_ranking_scorer(pairwise_accuracy_score, ties="half")}},
        ValueError,
        "scoring['h'] is make_ranking_scorer(pairwise_accuracy_score, ties='half')",
    ),
    "own scorer": (
        {"scoring": {"own": lambda ranker, X, groups: 1.0}},
        ValueError,
        "scoring['own'] is <function",
    ),
    "a system without a pair": (
        {
            "groups": Groups.from_arrays(
                group=np.where(GROUPS["item"] == "eve", 100, 0) + GROUPS["group"],
                item=GROUPS["item"],
                preference=GROUPS["preference"],
            )
        },
        ValueError,
        "item eve has no pair to be judged on: no group that holds it has another item of "
        "a different preference. Leave its rows out, from X too.",
    ),
    "nothing at all": (
        {"leave_out": None},
        ValueError,
        "neither of test and cv were passed; expected exactly one. Pass "
        "test=(X_test, groups_test), cv=5 for five folds, or leave_out='item'.",
    ),
}


@pytest.mark.parametrize(("options", "error", "message"), BAD.values(), ids=BAD)
def test_bad_input_fails_before_any_fit(options, error, message):
    class Failing(MeanOfFirst):
        def fit(self, X, y):
            raise AssertionError("fit was called")

    with pytest.raises(error, match=re.escape(message)):
        left_out({"failing": Failing()}, error_score="raise", **options)


def test_a_system_of_ties_alone():
    fields = {name: GROUPS[name].copy() for name in ("group", "item", "preference")}
    fields["group"] = (
        np.where(np.isin(fields["item"], ["ada", "bob"]), 50, 0) + (fields["group"])
    )
    fields["preference"][np.isin(fields["item"], ["ada", "bob"])] = 1.0
    message = "item ada has no pair to be judged on: no group that holds it has another"
    with pytest.raises(ValueError, match=re.escape(message)):
        left_out(groups=Groups.from_arrays(**fields))
