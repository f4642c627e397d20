"""Votes in odd tables, and in the tools that judge: each vote counts there, too."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sklearn_pscore import (
    BradleyTerryRanker,
    Groups,
    LinearPreferenceRanker,
    PairwisePreferenceRanker,
    StackedRanker,
)
from sklearn_pscore._target.check import check_groups
from sklearn_pscore.datasets import make_arena
from sklearn_pscore.inspection import compare_agreement
from sklearn_pscore.metrics import (
    neg_pairwise_log_loss_scorer,
    pairwise_accuracy_score,
    pairwise_accuracy_scorer,
    pairwise_log_loss,
)
from sklearn_pscore.model_selection import compare_rankers

ARENA = make_arena(n_systems=5, n_prompts=20, n_votes=300, n_unseen=1, random_state=0)
X, SCORE = ARENA.data.to_numpy(), ARENA.score
GROUPS = Groups.from_votes(ARENA.votes, ARENA.answers)
PREFERENCES = Groups.from_arrays(
    group=GROUPS["group"], preference=np.nan_to_num(GROUPS["preference"])
)
ITEMS = pd.DataFrame({"prompt": [1, 1, 1], "system": [11, 12, 13]})
VOTES = pd.DataFrame({"prompt": 1, "left": [11, 12, 13], "right": [12, 13, 11]})


def balanced(n_groups=6):
    """Return metrics and votes, of each pair one for either."""
    rows = [(p, 0, 1, w) for p in range(n_groups) for w in ("left", "right")]
    votes = pd.DataFrame(rows, columns=["prompt", "left", "right", "winner"])
    items = {"prompt": np.repeat(np.arange(n_groups), 2)}
    items["system"] = np.tile([0, 1], n_groups)
    X = np.random.RandomState(0).normal(size=(2 * n_groups, 2))
    return X, Groups.from_votes(votes, items)


def worth_to_left(winner, votes=VOTES, items=ITEMS, **options):
    """Return the worth of each vote to its left item, one vote a pair."""
    groups = Groups.from_votes(votes.assign(winner=winner), items, **options)
    pairs = check_groups(groups, require_preference=False).votes
    result = (pairs.wins + pairs.ties / 2) / pairs.votes
    by_pair = {}
    for first, second, worth in zip(pairs.first, pairs.second, result, strict=True):
        by_pair[int(first), int(second)] = float(worth)
        by_pair[int(second), int(first)] = 1 - float(worth)
    return [by_pair[pair] for pair in ((0, 1), (1, 2), (2, 0))]


class TestTables:
    @pytest.mark.parametrize(
        "winner",
        [
            [11, "13", "tie"],
            ["11", "13", "tie"],
            [11, 13.0, "Tie"],
            [11.0, 13.0, 0.5],
            pd.array([1.0, 0.0, 0.5]),
            pd.Categorical(["11", "right", "draw"], ordered=True),
            ["left", "right", "tie (bothbad)"],
        ],
        ids=["mixed", "text", "floats and text", "halves", "codes", "levels", "words"],
    )
    def test_items_whose_names_are_numbers(self, winner):
        assert worth_to_left(winner) == [1.0, 0.0, 0.5]

    def test_outcomes_that_do_not_count_may_be_missing(self):
        for missing in (np.nan, None, pd.NA):
            with_tie = pd.Series(["a", "b", missing], dtype=object)
            outcomes = {"a": "left", "b": "right", missing: "tie"}
            assert worth_to_left(with_tie, outcomes=outcomes) == [1.0, 0.0, 0.5]
        outcomes = {1.0: "left", 2.0: "right", np.nan: "tie"}
        assert worth_to_left([1.0, 2.0, np.nan], outcomes=outcomes) == [1.0, 0.0, 0.5]

    @pytest.mark.parametrize(
        ("winner", "message"),
        [
            (["11", "12", "12"], r"winner is '12' at row 2 .* 1 rows .*'13', '11'"),
            ([11, 13, 12], r"winner is 12.0 at row 2 of votes, and in 1 rows"),
            ([1, -1, 1], r"winner is -1.0 at row 1 of votes, and in 1 rows"),
            (
                pd.array([11, None, 13], dtype="Int64"),
                r"winner is missing in 1 of 3 rows",
            ),
            (["11", True, "13"], r"winner mixes or holds"),
        ],
        ids=["of no side", "a number of no side", "a code", "missing", "a bool"],
    )
    def test_outcomes_that_say_nothing(self, winner, message):
        with pytest.raises((ValueError, TypeError), match=message):
            worth_to_left(winner)

    def test_names_that_are_numbers_of_outcomes_as_text(self):
        items, votes = ITEMS.assign(system=[0, 1, 2]), VOTES[:1].assign(left=0, right=1)
        with pytest.raises(ValueError, match=r"no numbers but 0 and 1, and these are"):
            Groups.from_votes(votes.assign(winner="1"), items)
        mapped = Groups.from_votes(
            votes.assign(winner="1"), items, outcomes={"1": "right"}
        )
        assert mapped["preference"][1] > 0

    @pytest.mark.parametrize("weight", [1e300, 1e-300, 2e9])
    def test_weights_that_no_sum_holds(self, weight):
        votes = VOTES.assign(winner="left", w=[1.0, weight, 0.0])
        with pytest.raises(
            ValueError, match=r"w is .* at row 1 of votes; expected 0, or"
        ):
            Groups.from_votes(votes, ITEMS, weight="w")

    def test_weights_far_apart(self):
        votes = VOTES.assign(winner="left", w=[1e9, 1.0, 1e-9])
        found = Groups.from_votes(votes, ITEMS, weight="w")["preference"]
        # The slope of the objective, in units of its larger part, is 0 for all.
        wins = np.array([[0, 1e9, 0], [0, 0, 1.0], [1e-9, 0, 0]])
        proba = 1 / (1 + np.exp(found[None] - found[:, None]))
        slope = (wins - (wins + wins.T) * proba).sum(axis=1) - 0.1 * found
        assert_allclose(slope, 0.0, atol=1e-2)

    def test_no_items(self):
        with pytest.raises(ValueError, match="items is empty"):
            Groups.from_votes(VOTES.assign(winner="left"), ITEMS[:0])


class TestBalancedVotes:
    """Votes that leave all items of a group alike are votes."""

    def test_fits(self):
        X, groups = balanced()
        quick = {"max_epochs": 3, "n_members": 1, "random_state": 0}
        for ties in ("auto", "half", "ignore"):
            ranker = PairwisePreferenceRanker(ties=ties, **quick).fit(X, groups)
            assert ranker.n_pairs_ == 6
        stopping = PairwisePreferenceRanker(early_stopping=True, **quick)
        assert stopping.fit(X, groups, X_val=X, y_val=groups).n_pairs_ == 6
        for ties in ("ignore", "half"):
            linear = LinearPreferenceRanker(ties=ties).fit(X, groups)
            assert_allclose(linear.coef_, 0.0, atol=1e-6)

    def test_stack(self):
        X, groups = balanced()
        members = [
            ("a", LinearPreferenceRanker()),
            ("b", LinearPreferenceRanker(C=0.1)),
        ]
        with pytest.warns(UserWarning, match="No member of StackedRanker has a weight"):
            stack = StackedRanker(members, random_state=0).fit(X, groups)
        assert_array_equal(stack.predict(X), 0.0)

    def test_ties_alone(self):
        votes = ARENA.votes.assign(winner="tie")
        groups = Groups.from_votes(votes, ARENA.answers)
        linear = LinearPreferenceRanker(ties="half").fit(X, groups)
        assert_allclose(linear.coef_, 0.0, atol=1e-6)
        assert_allclose(BradleyTerryRanker().fit(X, groups).strength_, 0.0, atol=1e-12)
        with pytest.raises(
            ValueError, match="pairs with votes of which none was decided"
        ):
            BradleyTerryRanker(ties="davidson").fit(X, groups)


class TestValidation:
    def test_of_another_kind(self):
        ranker = PairwisePreferenceRanker(early_stopping=True, max_epochs=2)
        with pytest.raises(
            ValueError, match="y_val is of preferences and y is of votes"
        ):
            ranker.fit(X, GROUPS, X_val=X, y_val=PREFERENCES)
        with pytest.raises(
            ValueError, match="y_val is of votes and y is of preferences"
        ):
            ranker.fit(X, PREFERENCES, X_val=X, y_val=GROUPS)

    @pytest.mark.parametrize("order", [False, True])
    def test_score_is_of_the_votes(self, order):
        groups = Groups.from_votes(ARENA.votes, ARENA.answers, order=order)
        seen = []

        def scorer(model, X, groups):
            seen.append((X, groups))
            return neg_pairwise_log_loss_scorer(model, X, groups)

        ranker = PairwisePreferenceRanker(
            early_stopping=True,
            scoring=scorer,
            max_epochs=2,
            n_members=1,
            order_bias=order,
            random_state=0,
        ).fit(X, groups)
        rows, held_out = seen[-1]
        held_out_votes = check_groups(held_out).votes
        # The votes of these rows in the table of all.
        place = [int(np.flatnonzero((row == X).all(axis=1))[0]) for row in rows]
        part = Groups.whole(groups[place])
        assert held_out_votes.votes.sum() == check_groups(part).votes.votes.sum()
        expected = -pairwise_log_loss(part, ranker.predict(rows))
        assert_allclose(ranker.history_["valid_score"][-1], expected, rtol=1e-6)


class TestCompareAgreement:
    SCORES = {"truth": SCORE, "first metric": X[:, 0], "turned": -SCORE}

    @pytest.mark.parametrize("ties", ["drop", "half"])
    def test_values_are_shares_of_votes(self, ties):
        result = compare_agreement(
            GROUPS, self.SCORES, n_boot=50, random_state=0, ties=ties
        )
        for _, row in result.methods.iterrows():
            expected = pairwise_accuracy_score(
                GROUPS, self.SCORES[row.method], ties=ties
            )
            assert_allclose(row["value"], expected, rtol=1e-12)
            assert row["low"] <= row["value"] <= row["high"]

    def test_in_one_group(self):
        one = GROUPS["group"] == GROUPS["group"][0]
        groups = Groups.whole(GROUPS[one])
        scores = {name: score[one] for name, score in self.SCORES.items()}
        result = compare_agreement(groups, scores, n_boot=50, random_state=0)
        for _, row in result.methods.iterrows():
            expected = pairwise_accuracy_score(groups, scores[row.method])
            assert_allclose(row["value"], expected, rtol=1e-12)

    def test_draws_of_groups_weigh_votes(self):
        result = compare_agreement(GROUPS, self.SCORES, n_boot=400, random_state=0)
        share = pairwise_accuracy_score(GROUPS, SCORE, average=False)
        votes = check_groups(GROUPS).votes
        decided = np.bincount(
            check_groups(GROUPS).group[votes.first], votes.wins + votes.losses
        )
        rng = np.random.RandomState(1)
        n = len(share)
        drawn = rng.randint(n, size=(4000, n))
        means = (share * decided)[drawn].sum(axis=1) / decided[drawn].sum(axis=1)
        row = result.methods.set_index("method").loc["truth"]
        assert_allclose(
            [row["low"], row["high"]], np.quantile(means, [0.025, 0.975]), atol=0.015
        )

    def test_errors(self):
        with pytest.raises(ValueError, match="k=1 with a target of votes"):
            compare_agreement(GROUPS, self.SCORES, k=1)
        ties = Groups.from_votes(ARENA.votes.assign(winner="tie"), ARENA.answers)
        with pytest.raises(ValueError, match="no votes for one of two items"):
            compare_agreement(ties, self.SCORES)


class TestCompareRankers:
    def test_left_out_item_is_judged_by_its_votes(self):
        ranker = LinearPreferenceRanker()
        result = compare_rankers({"linear": ranker}, X, GROUPS, leave_out="item")
        for number, name in enumerate(np.unique(GROUPS["item"][:4])):
            rest = GROUPS["item"] != name
            fitted = clone(ranker).fit(X[rest], Groups.whole(GROUPS[rest]))
            score = dict(
                zip(
                    zip(GROUPS["group"], GROUPS["item"], strict=True),
                    fitted.predict(X),
                    strict=True,
                )
            )
            right = []
            for vote in ARENA.votes.itertuples():
                if name in (vote.left, vote.right) and vote.winner != "tie":
                    other = vote.left if vote.winner == vote.right else vote.right
                    gap = score[vote.prompt, vote.winner] - score[vote.prompt, other]
                    right.append(gap > 0)
            runs = result.rows
            row = runs[(runs["method"] == "linear") & (runs["fold"] == number)]
            assert_allclose(row["accuracy"], np.mean(right), rtol=1e-12)

    def test_bradley_terry_is_the_identity_baseline(self):
        # Systems differ, and their metrics tell nothing about one group.
        rng = np.random.RandomState(0)
        system = np.tile(np.arange(6), 30)
        level = np.array([2.0, 1.0, 0.5, 0.0, -1.0, -2.0])[system]
        groups = Groups.from_arrays(
            group=np.repeat(np.arange(30), 6),
            preference=level + rng.normal(size=180),
            item=system,
        )
        rankers = {"who": BradleyTerryRanker(), "metrics": LinearPreferenceRanker()}
        result = compare_rankers(
            rankers,
            rng.normal(size=(180, 3)),
            groups,
            cv=3,
            scoring={"accuracy": pairwise_accuracy_scorer},
        )
        accuracy = result.rows.groupby("method")["accuracy"].mean()
        # Nothing is better than the levels themselves.
        assert_allclose(
            accuracy["who"], pairwise_accuracy_score(groups, level), atol=0.02
        )
        assert accuracy["metrics"] < 0.6


def test_lost_votes_are_counted():
    cut, rows = GROUPS[::2], np.arange(len(GROUPS))[::2]
    rival = GROUPS["rival"][rows]
    is_lost = (rival >= 0) & ~np.isin(rival, rows)
    # Of a pair whose other row is there the record is gone, with its votes.
    n_lost = GROUPS["votes"][rows][is_lost].sum()
    assert n_lost > 0
    with pytest.warns(UserWarning, match=rf"At least {n_lost:g} votes are lost"):
        pairwise_accuracy_score(cut, SCORE[::2])


def test_rows_without_votes_are_none_to_a_stack():
    judged = ~np.isnan(GROUPS["preference"])
    stack = StackedRanker(
        [("a", LinearPreferenceRanker()), ("b", LinearPreferenceRanker(C=0.1))],
        random_state=0,
    )
    found = clone(stack).fit(X, GROUPS).predict(X)
    assert_array_equal(found, stack.fit(X[judged], GROUPS[judged]).predict(X))


@pytest.mark.parametrize("value", [[1], date(2020, 1, 1), b"left"], ids=str)
def test_outcomes_that_are_no_outcomes(value):
    winner = pd.Series([1.0, value, 0.0], dtype=object)
    with pytest.raises(TypeError, match=r"winner is .* at row 1 of votes; expected an"):
        worth_to_left(winner)


def test_analysis_takes_votes_as_they_are():
    from sklearn_pscore.report._table import check_table

    table = check_table(
        X,
        GROUPS,
        item="item",
        cv=3,
        max_rows=1000,
        rng=np.random.RandomState(0),
        caller="analyse",
    )
    ours, given = check_groups(table.groups).votes, check_groups(GROUPS).votes
    assert_array_equal(ours.votes, given.votes)
    assert_array_equal(table.groups["weight"] == 0, np.isnan(GROUPS["preference"]))
