"""Votes as a target: counted, sliced, joined, and refused where they are wrong."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from sklearn.utils import shuffle

from sklearn_pscore import Groups
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.vote_strengths import strengths_in_groups
from sklearn_pscore._target.votes import PairVotes

N_PROMPTS, SYSTEMS = 12, ["a", "b", "c", "d", "e"]


def assert_same(ours, theirs):
    """Raise AssertionError unless two targets have the same bytes."""
    assert ours.dtype == theirs.dtype
    assert ours.tobytes() == theirs.tobytes()


def make_items():
    prompts = [f"p{k}" for k in range(N_PROMPTS)]
    table = pd.MultiIndex.from_product([prompts, SYSTEMS], names=["prompt", "system"])
    return table.to_frame(index=False).sample(frac=1, random_state=0, ignore_index=True)


def make_votes(n=400, seed=0):
    rng = np.random.RandomState(seed)
    left = rng.randint(len(SYSTEMS), size=n)
    right = (left + rng.randint(1, len(SYSTEMS), size=n)) % len(SYSTEMS)
    names = np.array(SYSTEMS)
    outcome = rng.randint(3, size=n)
    winner = np.where(outcome == 0, names[left], names[right])
    return pd.DataFrame(
        {
            "prompt": [f"p{k}" for k in rng.randint(N_PROMPTS - 1, size=n)],
            "left": names[left],
            "right": names[right],
            "winner": np.where(outcome == 2, "tie", winner),
            "weight": rng.randint(1, 4, size=n) / 2,
        }
    )


ITEMS, VOTES = make_items(), make_votes()
GROUPS = Groups.from_votes(VOTES, ITEMS)


def counts_by_hand(votes, items, weight=None):
    """Return {(row, rival): [wins, losses, ties]} of the lower row, vote by vote."""
    row_of = {
        (p, s): k
        for k, (p, s) in enumerate(zip(items.prompt, items.system, strict=True))
    }
    counts = {}
    for number, vote in enumerate(votes.itertuples()):
        left, right = row_of[vote.prompt, vote.left], row_of[vote.prompt, vote.right]
        winner = {vote.left: left, vote.right: right}.get(vote.winner)
        pair = min(left, right), max(left, right)
        result = 2 if winner is None else int(winner == pair[1])
        sums = counts.setdefault(pair, [0.0, 0.0, 0.0])
        sums[result] += 1.0 if weight is None else weight[number]
    return counts


def counts_of(groups):
    """Return the same of a target."""
    votes = check_groups(groups, require_preference=False).votes
    counts = {}
    for a, b, wins, losses, ties in zip(
        votes.first, votes.second, votes.wins, votes.losses, votes.ties, strict=True
    ):
        pair = (a, b) if a < b else (b, a)
        result = [wins, losses, ties] if a < b else [losses, wins, ties]
        assert pair not in counts
        counts[pair] = [float(value) for value in result]
    return {(int(a), int(b)): value for (a, b), value in counts.items()}


class TestCounts:
    def test_are_those_of_the_votes(self):
        assert counts_of(GROUPS) == counts_by_hand(VOTES, ITEMS)

    def test_with_weights(self):
        weighed = Groups.from_votes(VOTES, ITEMS, weight="weight")
        assert counts_of(weighed) == counts_by_hand(VOTES, ITEMS, VOTES.weight.tolist())

    def test_no_order_of_the_votes_matters(self):
        other = Groups.from_votes(
            VOTES.sample(frac=1, random_state=1), ITEMS, weight="weight"
        )
        assert_same(other, Groups.from_votes(VOTES, ITEMS, weight="weight"))

    def test_turned_votes_are_the_same(self):
        turned = VOTES.rename(columns={"left": "right", "right": "left"})
        assert_same(Groups.from_votes(turned, ITEMS), GROUPS)

    def test_order_of_the_items_only_moves_the_rows(self):
        items = ITEMS[::-1].reset_index(drop=True)
        other = Groups.from_votes(VOTES, items)
        assert_allclose(other["preference"][::-1], GROUPS["preference"], rtol=1e-9)
        turned = {
            tuple(sorted((len(ITEMS) - 1 - a, len(ITEMS) - 1 - b))): counts
            for (a, b), counts in counts_of(other).items()
        }
        expected = counts_of(GROUPS)
        assert turned.keys() == expected.keys()
        assert {k: sum(v) for k, v in turned.items()} == {
            k: sum(v) for k, v in expected.items()
        }

    @pytest.mark.parametrize("kind", ["dict", "polars", "arrow"])
    def test_tables_of_all_kinds(self, kind):
        if kind == "dict":
            votes, items = VOTES.to_dict("list"), ITEMS.to_dict("list")
        elif kind == "polars":
            polars = pytest.importorskip("polars")
            votes, items = (
                polars.DataFrame(VOTES.to_dict("list")),
                polars.DataFrame(ITEMS.to_dict("list")),
            )
        else:
            pyarrow = pytest.importorskip("pyarrow")
            votes, items = (
                pyarrow.table(table.to_dict("list")) for table in (VOTES, ITEMS)
            )
        assert_same(Groups.from_votes(votes, items), GROUPS)

    def test_one_group(self):
        items = pd.DataFrame({"system": SYSTEMS})
        groups = Groups.from_votes(VOTES, items, on=())
        assert len(np.unique(groups["group"])) == 1
        n_votes = check_groups(groups).votes.votes.sum()
        assert n_votes == len(VOTES)

    def test_groups_of_several_columns(self):
        items = ITEMS.assign(lang=ITEMS.prompt.str[-1])
        votes = VOTES.assign(lang=VOTES.prompt.str[-1])
        groups = Groups.from_votes(votes, items, on=("prompt", "lang"))
        assert counts_of(groups) == counts_of(GROUPS)
        assert groups["group"][0] == f"{items.prompt[0]}:{items.lang[0]}"

    def test_blocks(self):
        items = ITEMS.assign(topic=ITEMS.prompt.str[-1])
        groups = Groups.from_votes(VOTES, items, block="topic")
        assert groups["block"].tolist() == items.topic.tolist()

    def test_each_pair_is_in_one_record_of_about_half_of_the_rivals(self):
        rng = np.random.RandomState(0)
        n_items = 40
        pairs = [(i, j) for i in range(n_items) for j in range(i)]
        votes = {
            "left": [f"s{i}" for i, _ in pairs],
            "right": [f"s{j}" for _, j in pairs],
            "winner": rng.choice([0.0, 0.5, 1.0], size=len(pairs)),
        }
        items = {"system": [f"s{i}" for i in range(n_items)]}
        groups = Groups.from_votes(votes, items, on=())
        assert groups["rival"].shape[1] <= n_items // 2 + 1
        assert np.sum(groups["votes"]) == len(pairs)

    def test_memory(self):
        # What the docstring states.
        n_most = GROUPS["rival"].shape[1]
        fixed = {"group", "preference", "item", "group_size", "row"}
        sizes = {name: GROUPS.dtype[name].itemsize for name in GROUPS.dtype.names}
        assert sum(size for name, size in sizes.items() if name not in fixed) == (
            32 * n_most
        )


class TestOutcomes:
    @pytest.mark.parametrize(
        "words",
        [
            {"l": "left", "r": "right", "t": "tie"},
            {"l": "model_a", "r": "model_b", "t": "tie (bothbad)"},
            {"l": "LEFT", "r": "Right", "t": "both_bad"},
            {"l": 1, "r": 0, "t": 0.5},
        ],
        ids=["sides", "arena", "case", "numbers"],
    )
    def test_words_that_are_known(self, words):
        side = np.where(VOTES.winner == VOTES.left, "l", "r")
        side = np.where(VOTES.winner == "tie", "t", side)
        winner = [words[each] for each in side]
        assert_same(Groups.from_votes(VOTES.assign(winner=winner), ITEMS), GROUPS)

    def test_words_of_the_user(self):
        side = np.where(VOTES.winner == VOTES.left, "A", "B")
        side = np.where(VOTES.winner == "tie", "-", side)
        votes = VOTES.assign(winner=side)
        outcomes = {"A": "left", "B": "right", "-": "tie"}
        groups = Groups.from_votes(votes, ITEMS, outcomes=outcomes)
        assert_same(groups, GROUPS)
        without = Groups.from_votes(votes, ITEMS, outcomes=outcomes | {"-": None})
        decided = Groups.from_votes(VOTES[VOTES.winner != "tie"], ITEMS)
        assert_same(without, decided)

    def test_items_that_are_integers(self):
        numbers = {name: 10 + k for k, name in enumerate(SYSTEMS)}
        items = ITEMS.assign(system=ITEMS.system.map(numbers))
        decided = VOTES[VOTES.winner != "tie"]
        votes = decided.assign(
            **{name: decided[name].map(numbers) for name in ("left", "right", "winner")}
        )
        assert counts_of(Groups.from_votes(votes, items)) == counts_of(
            Groups.from_votes(decided, ITEMS)
        )

    def test_first_and_second_shown(self):
        groups = Groups.from_votes(VOTES, ITEMS, order=True)
        votes = check_groups(groups).votes
        assert set(votes.side) == {1.0, -1.0}
        row_of = {
            (p, s): k
            for k, (p, s) in enumerate(zip(ITEMS.prompt, ITEMS.system, strict=True))
        }
        expected, found = {}, {}
        for vote in VOTES.itertuples():
            left, right = (
                row_of[vote.prompt, vote.left],
                row_of[vote.prompt, vote.right],
            )
            result = {vote.left: 0, vote.right: 1}.get(vote.winner, 2)
            expected.setdefault((left, right), [0, 0, 0])[result] += 1
        for a, b, side, *counts in zip(
            votes.first,
            votes.second,
            votes.side,
            votes.wins,
            votes.losses,
            votes.ties,
            strict=True,
        ):
            if side < 0:
                a, b, counts = b, a, [counts[1], counts[0], counts[2]]
            found[int(a), int(b)] = counts
        assert found == expected
        assert votes.n_pairs == len(counts_by_hand(VOTES, ITEMS))
        assert_same(groups[list(GROUPS.dtype.names)].astype(GROUPS.dtype), GROUPS)


class TestPreference:
    def test_is_the_strength_with_a_weak_prior(self):
        target = check_groups(GROUPS, require_preference=False)
        votes = target.votes

        def loss(theta):
            d = theta[votes.first] - theta[votes.second]
            wins, losses = votes.wins + votes.ties / 2, votes.losses + votes.ties / 2
            value = np.sum(wins * np.logaddexp(0, -d) + losses * np.logaddexp(0, d))
            return value + 0.05 * theta @ theta

        best = minimize(loss, np.zeros(len(ITEMS)), tol=1e-10).x
        judged = ~np.isnan(GROUPS["preference"])
        assert_allclose(GROUPS["preference"][judged], best[judged], atol=1e-5)

    def test_is_missing_without_votes(self):
        nobody = ITEMS.prompt.to_numpy() == f"p{N_PROMPTS - 1}"
        assert_array_equal(np.isnan(GROUPS["preference"]), nobody)

    def test_does_not_depend_on_other_groups(self):
        one = VOTES.prompt == "p3"
        alone = Groups.from_votes(VOTES[one], ITEMS[ITEMS.prompt == "p3"])
        rows = GROUPS["group"] == "p3"
        assert_array_equal(alone["preference"], GROUPS["preference"][rows])

    def test_equal_votes_give_equal_strengths(self):
        votes = PairVotes(
            np.array([0, 1, 2]),
            np.array([1, 2, 0]),
            *(np.array([2.0, 2.0, 2.0]), np.array([1.0, 1.0, 1.0]), np.zeros(3)),
        )
        assert_array_equal(strengths_in_groups(votes, np.zeros(3, dtype=int)), 0.0)

    def test_large_numbers_of_votes(self):
        votes = PairVotes(
            np.array([0]), np.array([1]), np.array([3e9]), np.array([1e9]), np.zeros(1)
        )
        strength = strengths_in_groups(votes, np.zeros(2, dtype=int))
        assert_allclose(strength, [np.log(3) / 2, -np.log(3) / 2], atol=1e-8)
        undefeated = PairVotes(
            np.array([0]), np.array([1]), np.array([1e9]), np.zeros(1), np.zeros(1)
        )
        strength = strengths_in_groups(undefeated, np.zeros(2, dtype=int))
        assert np.isfinite(strength).all()
        assert strength[0] > 5


class TestSlices:
    def test_pairs_of_rows_that_are_there(self):
        kept = np.random.RandomState(0).permutation(len(ITEMS))[:30]
        number = {row: place for place, row in enumerate(kept.tolist())}
        expected = {}
        for (a, b), counts in counts_of(GROUPS).items():
            if a in number and b in number:
                i, j = number[a], number[b]
                turned = [counts[1], counts[0], counts[2]]
                expected[min(i, j), max(i, j)] = counts if i < j else turned
        assert counts_of(GROUPS[kept]) == expected

    def test_a_row_twice_has_its_votes_twice(self):
        rows = np.flatnonzero(GROUPS["group"] == "p1")
        once = check_groups(GROUPS[rows]).votes.votes.sum()
        of_first = sum(
            sum(counts) for pair, counts in counts_of(GROUPS[rows]).items() if 0 in pair
        )
        twice = check_groups(GROUPS[np.append(rows, rows[0])]).votes.votes.sum()
        assert twice == once + of_first

    def test_lost_votes(self):
        target = check_groups(GROUPS[:30], require_preference=False)
        assert 0 < target.n_lost_votes <= len(VOTES) - target.votes.votes.sum()
        whole = check_groups(GROUPS[GROUPS["group"] == "p1"])
        assert whole.n_lost_votes == 0

    def test_survive_copies_pickles_and_shuffles(self):
        assert_same(pickle.loads(pickle.dumps(GROUPS)), GROUPS)
        assert_same(copy.deepcopy(GROUPS), GROUPS)
        mixed = shuffle(GROUPS, random_state=0)
        assert check_groups(mixed).votes.votes.sum() == len(VOTES)

    def test_whole_keeps_the_votes(self):
        part = Groups.whole(GROUPS[:30])
        assert part.dtype == GROUPS.dtype
        assert counts_of(part) == counts_of(GROUPS[:30])


class TestConcat:
    def test_numbers_rows_anew(self):
        other = Groups.from_votes(make_votes(60, seed=1), ITEMS)
        joined = Groups.concat({"x": GROUPS, "y": other[::-1]})
        n = len(ITEMS)
        expected = counts_of(GROUPS) | {
            (n + a, n + b): counts for (a, b), counts in counts_of(other[::-1]).items()
        }
        assert counts_of(joined) == expected

    def test_of_numpy_is_refused(self):
        other = Groups.from_votes(make_votes(400, seed=1), ITEMS)
        assert other.dtype == GROUPS.dtype
        with pytest.raises(ValueError, match=r"row number \d+ of two targets of votes"):
            check_groups(np.concatenate([GROUPS, other]))

    def test_beside_preferences_is_refused(self):
        plain = Groups.from_arrays(group=[1, 1], preference=[1, 2], item=["a", "b"])
        with pytest.raises(ValueError, match="target 'b' without votes beside one of"):
            Groups.concat({"a": GROUPS, "b": plain})


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "options", "message"),
        [
            ({"left": "z"}, {}, r"400 of 400 votes are of an item .* item z"),
            ({"right": VOTES.left}, {}, r"same item on both sides in 400 rows.*row 0"),
            (
                {"winner": "nobody"},
                {},
                r"winner is 'nobody' at row 0 of votes.*outcomes",
            ),
            ({"winner": np.nan}, {}, r"winner is missing in 400 of 400 rows"),
            ({"winner": 2}, {}, r"winner is 2.0 at row 0 of votes"),
            ({"weight": -1.0}, {"weight": "weight"}, r"weight is -1.0 at row 0"),
            ({"weight": 0.0}, {"weight": "weight"}, r"400 rows, of which none counts"),
            ({"prompt": None}, {}, r"prompt is None at row 0"),
            ({"who": None}, {"annotator": "who"}, r"who is None at row 0"),
            ({}, {"winner": "win"}, r"winner='win' is not a column of the votes"),
            ({}, {"item": None}, r"item is None; expected the name of a column"),
            ({}, {"left": "right"}, r"are not three columns"),
            ({}, {"missing": "nan"}, r"missing is 'nan'; expected one of"),
            ({}, {"outcomes": ["a"]}, r"outcomes is a list; expected a dict"),
            ({}, {"outcomes": {"a": "up"}}, r"outcomes maps 'a' to 'up'"),
            ({}, {"outcomes": {"a": "left"}}, r"it is not in outcomes"),
        ],
    )
    def test_of_votes(self, change, options, message):
        with pytest.raises((ValueError, TypeError), match=message):
            Groups.from_votes(VOTES.assign(**change), ITEMS, **options)

    def test_no_votes(self):
        with pytest.raises(ValueError, match="votes is empty"):
            Groups.from_votes(VOTES[:0], ITEMS)

    def test_an_item_twice(self):
        items = pd.concat([ITEMS, ITEMS[:1]])
        with pytest.raises(ValueError, match=rf"at row 0 and at row {len(ITEMS)}"):
            Groups.from_votes(VOTES, items)

    def test_names_that_are_words(self):
        items = pd.DataFrame({"prompt": 1, "system": ["left", "right"]})
        votes = pd.DataFrame(
            {"prompt": 1, "left": ["right"], "right": ["left"], "winner": ["left"]}
        )
        with pytest.raises(ValueError, match="'left', which is an item and a word"):
            Groups.from_votes(votes, items)
        groups = Groups.from_votes(votes, items, outcomes={"left": "right"})
        assert groups["preference"][0] > 0

    def test_items_that_are_numbers_of_outcomes(self):
        items = pd.DataFrame({"prompt": 1, "system": [0, 1]})
        votes = pd.DataFrame({"prompt": 1, "left": [0], "right": [1], "winner": [1]})
        with pytest.raises(ValueError, match=r"0, .5 and 1 only, and these are items"):
            Groups.from_votes(votes, items)

    def test_unknown_items_on_request(self):
        votes = pd.concat([VOTES, VOTES[:3].assign(left="z", winner="tie")])
        with pytest.warns(UserWarning, match=r"leaves out votes: 3 of 403"):
            groups = Groups.from_votes(votes, ITEMS, missing="drop")
        assert_same(groups, GROUPS)

    def test_a_target_beyond_2_gb(self, monkeypatch):
        n = 50_000
        items = {"system": np.arange(n)}
        votes = {
            "left": np.zeros(n - 1, dtype=int),
            "right": np.arange(1, n),
            "winner": np.full(n - 1, 0.5),
        }
        # The first meets all, but each rival keeps its pair.
        assert Groups.from_votes(votes, items, on=())["rival"].shape[1] <= 2
        monkeypatch.setattr("sklearn_pscore._target.votes._MOST_BYTES", 2**20)
        with pytest.raises(ValueError, match=r"met 49999 others.*of 50000 rows"):
            Groups.from_votes(votes, items, on=())

    def test_a_group_of_many_items(self):
        n = 1100
        rng = np.random.RandomState(0)
        first, second = rng.randint(n, size=(2, 6000))
        kept = first != second
        counts = rng.randint(4, size=(3, kept.sum())).astype(float)
        votes = PairVotes(first[kept], second[kept], *counts)
        group = np.zeros(n, dtype=int)
        sparse = strengths_in_groups(votes, group)
        monkey = pytest.MonkeyPatch()
        with monkey.context() as patch:
            patch.setattr("sklearn_pscore._target.vote_strengths._LARGEST_DENSE", n)
            dense = strengths_in_groups(votes, group)
        assert_allclose(sparse, dense, atol=2e-9)

    def test_records_that_do_not_fit(self):
        broken = GROUPS.copy()
        broken["wins"] = broken["votes"] + 1
        with pytest.raises(ValueError, match="expected at most as many as votes"):
            check_groups(broken)
        with pytest.raises(TypeError, match="all or none"):
            check_groups(GROUPS[["group", "preference", "item", "row"]])
