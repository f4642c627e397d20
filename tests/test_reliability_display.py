"""The display of probabilities against outcomes: its numbers and its artists."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pictures import assert_inside
from scipy.special import expit
from sklearn.calibration import calibration_curve
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import Groups, LinearPreferenceRanker, PairwisePreferenceRanker
from sklearn_pscore.datasets import make_arena
from sklearn_pscore.model_selection import PreferenceGroupKFold
from sklearn_pscore.plotting import ReliabilityDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def judged(n_groups=30, size=6, seed=0, n_levels=4, **fields):
    """Return a target with ties, and scores of it."""
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.repeat(np.arange(n_groups), size))
    preference = rng.integers(n_levels, size=len(group)).astype(float)
    y_score = preference + rng.normal(scale=2.0, size=len(group))
    return Groups.from_arrays(group=group, preference=preference, **fields), y_score


def expanded(groups, proba):
    """Return probability and outcome of each pair, from both sides, by loops."""
    stated, happened = [], []
    for a in range(len(groups)):
        for b in range(len(groups)):
            same = groups["group"][a] == groups["group"][b]
            if same and groups["preference"][a] != groups["preference"][b]:
                stated.append(proba(a, b))
                happened.append(groups["preference"][a] > groups["preference"][b])
    return np.array(happened), np.array(stated)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("n_bins", [4, 10])
def test_it_is_the_calibration_curve_of_expanded_pairs(strategy, n_bins):
    groups, y_score = judged()
    display = ReliabilityDisplay.from_predictions(
        groups, y_score, n_bins=n_bins, strategy=strategy, random_state=0
    )
    pairs = expanded(groups, lambda a, b: expit(y_score[a] - y_score[b]))
    happened, stated = calibration_curve(*pairs, n_bins=n_bins, strategy=strategy)
    assert_allclose(display.prob_true, happened)
    assert_allclose(display.prob_pred, stated)
    assert display.n_pairs.sum() == len(pairs[0])
    assert_allclose(display.line_.get_xdata(), stated)
    assert_allclose(display.line_.get_ydata(), happened)
    error = np.average(np.abs(stated - happened), weights=display.n_pairs)
    assert_allclose(display.error, error)
    assert display.line_.get_label() == f"error {error:.3f}"
    assert [bar.get_height() for bar in display.bars_] == display.n_pairs.tolist()


def test_it_is_that_of_the_rankers_own_probabilities(data):
    X, groups = data
    ranker = PairwisePreferenceRanker(max_epochs=3, n_members=3, random_state=0)
    model = make_pipeline(StandardScaler(), ranker).fit(X, groups)
    display = ReliabilityDisplay.from_estimator(model, X, groups, random_state=0)

    def proba(a, b):
        scaled = model[:-1].transform(X)
        return model[-1].preference_proba(scaled[[a]], scaled[[b]])[0]

    happened, stated = calibration_curve(*expanded(groups, proba), n_bins=10)
    assert_allclose(display.prob_true, happened)
    assert_allclose(display.prob_pred, stated)
    assert display.name == "PairwisePreferenceRanker"
    assert display.line_.get_label().startswith("PairwisePreferenceRanker, error ")


def test_scores_of_a_model_of_one_member_give_the_same(data):
    X, groups = data
    groups = Groups.from_arrays(
        group=groups["group"],
        preference=groups["preference"],
        weight=1.0 + np.arange(len(groups)) % 3,
    )
    model = LinearPreferenceRanker().fit(X, groups)
    search = GridSearchCV(
        LinearPreferenceRanker(), {"ties": ["ignore"]}, cv=PreferenceGroupKFold(2)
    )
    search.fit(X, groups)
    own = ReliabilityDisplay.from_estimator(model, X, groups, random_state=0)
    of_search = ReliabilityDisplay.from_estimator(search, X, groups, random_state=0)
    by_scores = ReliabilityDisplay.from_predictions(
        groups, model.predict(X), random_state=0
    )
    for display in (own, of_search):
        assert_allclose(display.prob_true, by_scores.prob_true)
        assert_allclose(display.prob_pred, by_scores.prob_pred)
        assert_allclose(display.bands, by_scores.bands)
    assert of_search.name == "LinearPreferenceRanker"


def test_weights_are_rows_that_stand_there_as_often():
    groups, y_score = judged(10)
    weight = 1 + np.arange(len(groups)) % 3
    often = np.repeat(np.arange(len(groups)), weight)
    weighted = Groups.from_arrays(
        group=groups["group"], preference=groups["preference"], weight=weight
    )
    repeated = Groups.whole(groups[often])
    one = ReliabilityDisplay.from_predictions(weighted, y_score, n_boot=None)
    other = ReliabilityDisplay.from_predictions(repeated, y_score[often], n_boot=None)
    assert_allclose(one.prob_true, other.prob_true)
    assert_allclose(one.prob_pred, other.prob_pred)
    assert_allclose(one.error, other.error)


def test_rows_of_an_item_weigh_as_one():
    # Item "a" has two rows: the pairs with "b" state 0.95 and 0.25, and weigh a half.
    groups = Groups.from_arrays(
        group=[0, 0, 0, 1, 1], item=list("aabcd"), preference=[1, 1, 0, 1, 0]
    )
    y_score = np.log([19.0, 1 / 3, 1.0, 19.0, 1.0])
    display = ReliabilityDisplay.from_predictions(groups, y_score, n_boot=None)
    assert_allclose(display.prob_pred, [0.05, 0.25, 0.75, 0.95])
    assert_allclose(display.prob_true, [0, 1, 0, 1])
    assert_allclose(display.error, (1.5 * 0.05 + 0.5 * 0.75) / 2)


@pytest.mark.parametrize("labels", [False, True])
def test_order_and_labels_do_not_matter(labels):
    groups, y_score = judged()
    order = np.random.default_rng(1).permutation(len(groups))
    other = groups[order]
    if labels:
        names = np.array([f"g{99 - each}" for each in other["group"]])
        other = Groups.from_arrays(group=names, preference=other["preference"])
    one = ReliabilityDisplay.from_predictions(groups, y_score, n_boot=None)
    two = ReliabilityDisplay.from_predictions(other, y_score[order], n_boot=None)
    assert_allclose(one.prob_true, two.prob_true, rtol=1e-12)
    assert_allclose(one.prob_pred, two.prob_pred, rtol=1e-12)


def test_weights_whose_product_is_no_number():
    groups, y_score = judged(10)
    plain = ReliabilityDisplay.from_predictions(groups, y_score, n_boot=None)
    for weight in (1e-200, 1e200):
        weighted = Groups.from_arrays(
            group=groups["group"],
            preference=groups["preference"],
            weight=np.full(60, weight),
        )
        display = ReliabilityDisplay.from_predictions(weighted, y_score, n_boot=None)
        assert_allclose(display.prob_true, plain.prob_true)
        assert_allclose(display.error, plain.error)


def test_donors_and_rows_of_weight_zero_are_not_there():
    groups, y_score = judged(10)
    weight = np.where(np.arange(60) < 50, 1.0, 0.0)
    donor = np.arange(60) < 10
    marked = Groups.from_arrays(
        group=groups["group"],
        preference=groups["preference"],
        weight=weight,
        donor=donor,
    )
    one = ReliabilityDisplay.from_predictions(marked, y_score, n_boot=None)
    kept = slice(10, 50)
    two = ReliabilityDisplay.from_predictions(
        Groups.whole(groups[kept]), y_score[kept], n_boot=None
    )
    assert_allclose(one.prob_true, two.prob_true)
    assert_array_equal(one.n_pairs, two.n_pairs)


def voted(seed=0, n_prompts=8):
    """Return a target of votes, scores of its rows, and the votes by row number."""
    rng = np.random.default_rng(seed)
    items = pd.DataFrame(
        {
            "prompt": np.repeat(np.arange(n_prompts), 3),
            "system": np.tile(["a", "b", "c"], n_prompts),
        }
    )
    pairs = [(0, 1), (0, 2), (1, 2)]
    met = [(prompt, *pairs[rng.integers(3)]) for prompt in range(n_prompts)] * 8
    outcomes = rng.choice(["left", "right", "tie"], size=len(met))
    votes = pd.DataFrame(
        {
            "prompt": [prompt for prompt, *_ in met],
            "left": ["abc"[a] for _, a, _ in met],
            "right": ["abc"[b] for *_, b in met],
            "winner": outcomes,
        }
    )
    by_row = [
        (3 * prompt + a, 3 * prompt + b, outcome)
        for (prompt, a, b), outcome in zip(met, outcomes, strict=True)
    ]
    return Groups.from_votes(votes, items), rng.normal(size=len(items)), by_row


def test_votes_are_judged_one_by_one():
    groups, y_score, votes = voted()
    display = ReliabilityDisplay.from_predictions(groups, y_score, random_state=0)
    stated, happened = [], []
    for first, second, outcome in votes:
        if outcome != "tie":
            proba = expit(y_score[first] - y_score[second])
            stated += [proba, 1 - proba]
            happened += [outcome == "left", outcome == "right"]
    expected = calibration_curve(happened, stated, n_bins=10)
    assert_allclose(display.prob_true, expected[0])
    assert_allclose(display.prob_pred, expected[1])
    few = ReliabilityDisplay.from_predictions(
        groups, y_score, max_pairs=5, random_state=0
    )
    # Drawn pairs have a vote at least.
    assert few.n_pairs.sum() >= 10


def test_votes_that_are_all_ties():
    groups, y_score, _ = voted()
    groups["wins"] = 0
    groups["ties"] = groups["votes"]
    with pytest.raises(ValueError, match="No votes for one of two items: Reliab"):
        ReliabilityDisplay.from_predictions(groups, y_score)


def test_bands_are_those_of_drawn_groups():
    groups, y_score = judged(40)
    display = ReliabilityDisplay.from_predictions(
        groups, y_score, n_bins=3, n_boot=3000, level=0.8, random_state=0
    )
    rng = np.random.default_rng(3)
    rows = [np.flatnonzero(groups["group"] == each) for each in range(40)]
    tables = []
    for each in rows:
        of_group = (groups[each], y_score[each])
        happened, stated = expanded(
            of_group[0], lambda a, b, s=of_group[1]: expit(s[a] - s[b])
        )
        number = np.minimum((stated * 3).astype(int), 2)
        tables.append(
            [
                np.bincount(number, minlength=3),
                np.bincount(number, happened, minlength=3),
            ]
        )
    tables = np.array(tables)
    shares = []
    for _ in range(3000):
        total, won = tables[rng.integers(40, size=40)].sum(axis=0)
        shares.append(won / total)
    expected = np.quantile(shares, [0.1, 0.9], axis=0).T
    assert_allclose(display.bands, expected, atol=0.01)
    # The middle bin is symmetric by construction: always one half.
    assert_allclose(display.bands[1], 0.5)
    # The polygon goes there on one edge, and back on the other.
    (path,) = display.band_.get_paths()
    for end in display.bands.ravel():
        assert np.isclose(path.vertices[:, 1], end).any()


def test_bands_are_of_blocks_where_there_are_some():
    # Two groups of one block are the same twice: half the information.
    groups, y_score = judged(20)
    both = np.concatenate([groups["group"], groups["group"] + 20])
    preference, scores = np.tile(groups["preference"], 2), np.tile(y_score, 2)
    apart = Groups.from_arrays(group=both, preference=preference)
    joined = Groups.from_arrays(group=both, preference=preference, block=both % 20)
    options = {"n_bins": 2, "n_boot": 3000, "random_state": 0}
    one = ReliabilityDisplay.from_predictions(groups, y_score, **options)
    two = ReliabilityDisplay.from_predictions(apart, scores, **options)
    narrower = np.ptp(two.bands, axis=1) / np.ptp(one.bands, axis=1)
    assert_allclose(narrower, 0.5**0.5, atol=0.08)
    three = ReliabilityDisplay.from_predictions(joined, scores, **options)
    assert_allclose(three.bands, one.bands)


def test_pairs_of_a_large_group_are_drawn():
    rng = np.random.default_rng(0)
    preference = rng.normal(size=3000)
    groups = Groups.from_arrays(
        group=np.repeat([0, 1, 2], [1, 2000, 999]), preference=preference
    )
    truth = rng.random(3000)
    y_score = preference + truth
    options = {"n_boot": None, "random_state": 0}
    drawn = ReliabilityDisplay.from_predictions(groups, y_score, **options)
    assert drawn.n_pairs.sum() == 200_000
    every = ReliabilityDisplay.from_predictions(
        groups, y_score, max_pairs=None, **options
    )
    assert every.n_pairs.sum() == 2000 * 1999 + 999 * 998
    assert_allclose(drawn.prob_pred, every.prob_pred, atol=0.01)
    assert_allclose(drawn.prob_true, every.prob_true, atol=0.02)


def test_few_pairs_have_no_band():
    display = ReliabilityDisplay.from_predictions([2.0, 1.0, 0.0], [0.1, 0.3, 0.2])
    assert np.isnan(display.bands).all()
    display = ReliabilityDisplay.from_predictions(
        [2.0, 1.0, 0.0], [0.1, 0.3, 0.2], n_boot=None
    )
    assert display.bands is None
    assert display.band_ is None


def test_largest_scores_state_certainty():
    groups = Groups.from_arrays(group=[0, 0, 1, 1], preference=[1, 0, 0, 1])
    large = np.finfo(np.float64).max
    display = ReliabilityDisplay.from_predictions(groups, [large, -large] * 2)
    assert_array_equal(display.prob_pred, [0, 1])
    assert_array_equal(display.prob_true, [0.5, 0.5])


def test_two_models_in_one_picture():
    groups, y_score = judged()
    first = ReliabilityDisplay.from_predictions(groups, y_score, name="PS")
    second = ReliabilityDisplay.from_predictions(
        groups, y_score / 3, name="LightGBM $x_{", ax=first.ax_, markersize=9
    )
    assert second.ax_ is first.ax_
    assert second.figure_ is first.figure_
    assert first.ref_line_ is not None
    assert second.ref_line_ is None
    assert second.bars_ is None
    assert first.line_.get_color() != second.line_.get_color()
    assert first.line_.get_marker() != second.line_.get_marker()
    assert second.line_.get_markersize() == 9
    texts = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert texts[0] == "as stated"
    assert texts[1].startswith("PS, error ")
    assert texts[2].startswith("LightGBM $x_{, error ")
    assert_inside(first.figure_)


def test_a_display_of_own_numbers():
    figure, ax = plt.subplots()
    display = ReliabilityDisplay(prob_pred=[0.2, 0.8], prob_true=[0.3, 0.7])
    assert display.plot(ax, color="red", label="mine") is display
    assert display.figure_ is figure
    assert display.line_.get_color() == "red"
    assert display.line_.get_label() == "mine"
    assert display.counts_ax_ is None
    assert display.band_ is None
    counted = ReliabilityDisplay(
        prob_pred=[0.2, 0.8], prob_true=[0.3, 0.7], n_pairs=[4, 5]
    ).plot(show_counts=False)
    assert counted.counts_ax_ is None
    assert counted.line_.get_label() == "observed"


@pytest.mark.parametrize(
    ("options", "error", "part"),
    [
        ({"n_bins": 0}, ValueError, "'n_bins' parameter of ReliabilityDisplay.from_"),
        ({"n_bins": 2.5}, TypeError, "an int in the range [1, inf). Got 2.5 instead"),
        ({"n_boot": 0}, ValueError, "'n_boot' parameter"),
        ({"max_pairs": 0}, ValueError, "'max_pairs' parameter"),
        ({"level": 1.0}, ValueError, "'level' parameter"),
        ({"strategy": "equal"}, ValueError, "{'uniform', 'quantile'}. Got 'equal'"),
        ({"random_state": "x"}, ValueError, "'random_state' parameter"),
    ],
)
def test_options_that_cannot_be_used(options, error, part):
    groups, y_score = judged(4)
    with pytest.raises(error, match=re.escape(part)):
        ReliabilityDisplay.from_predictions(groups, y_score, **options)
    assert plt.get_fignums() == []


def test_bad_input(data):
    X, groups = data
    with pytest.raises(TypeError, match="Ridge gives no probabilities of preference"):
        ReliabilityDisplay.from_estimator(
            Ridge().fit(X, groups["preference"]), X, groups
        )
    with pytest.raises(ValueError, match="groups has 149 entries but X has 150 rows"):
        ReliabilityDisplay.from_estimator(Ridge(), X, Groups.whole(groups[1:]))
    with pytest.raises(ValueError, match="No comparable pairs: all preferences are"):
        ReliabilityDisplay.from_predictions([1.0, 1.0], [0.1, 0.2])
    message = "prob_true has shape (1,) but prob_pred has (2,); expected shape (2,)"
    with pytest.raises(ValueError, match=re.escape(message)):
        ReliabilityDisplay(prob_pred=[0.1, 0.9], prob_true=[0.2]).plot()
    message = "bands has shape (2,) but prob_pred has (1,); expected shape (1, 2)"
    with pytest.raises(ValueError, match=re.escape(message)):
        ReliabilityDisplay(prob_pred=[0.1], prob_true=[0.2], bands=[0, 1]).plot()


class TestVotes:
    @staticmethod
    def target(order=False):
        arena = make_arena(n_votes=600, n_prompts=20, random_state=0)
        groups = Groups.from_votes(arena.votes, arena.answers, order=order)
        return arena, groups

    @staticmethod
    def expanded(arena):
        """Return whether each decided vote was for a, and the stated chance, both ways."""
        answers = arena.answers
        keys = zip(answers.prompt, answers.system, strict=True)
        score = dict(zip(keys, arena.score, strict=True))
        happened, stated = [], []
        for vote in arena.votes.itertuples():
            for a, b in ((vote.left, vote.right), (vote.right, vote.left)):
                if vote.winner != "tie":
                    happened.append(vote.winner == a)
                    gap = score[vote.prompt, a] - score[vote.prompt, b]
                    stated.append(expit(gap))
        return np.array(happened), np.array(stated)

    @pytest.mark.parametrize("order", [False, True])
    def test_it_is_the_calibration_curve_of_expanded_votes(self, order):
        arena, groups = self.target(order)
        display = ReliabilityDisplay.from_predictions(
            groups, arena.score, n_boot=20, random_state=0
        )
        happened, stated = calibration_curve(*self.expanded(arena), n_bins=10)
        assert_allclose(display.prob_true, happened)
        assert_allclose(display.prob_pred, stated)
        assert display.n_pairs.sum() == len(self.expanded(arena)[0])
        assert (display.bands[:, 0] <= display.prob_true).all()
        assert display.ax_.get_ylabel() == "Share of votes where it is"
        assert display.counts_ax_.get_title() == "votes"

    def test_bins_of_as_many_votes(self):
        arena, groups = self.target()
        display = ReliabilityDisplay.from_predictions(
            groups, arena.score, n_bins=4, strategy="quantile", n_boot=None
        )
        assert np.ptp(display.n_pairs) < 0.06 * display.n_pairs.sum()

    def test_bins_go_by_votes_and_not_by_pairs(self):
        # Four pairs of few votes, and one of many.
        items = {"prompt": np.repeat(np.arange(5), 2), "system": np.tile([7, 8], 5)}
        prompt = np.append(np.arange(5).repeat(2), np.zeros(40, dtype=int))
        votes = {"prompt": prompt, "left": np.full(50, 7), "right": np.full(50, 8)}
        votes["winner"] = np.arange(50) % 2
        groups = Groups.from_votes(votes, items, outcomes={0: "left", 1: "right"})
        score = np.stack([np.arange(5) / 2, np.zeros(5)], axis=1).ravel()
        score[0] = 3.0
        display = ReliabilityDisplay.from_predictions(
            groups, score, n_bins=2, strategy="quantile", n_boot=None
        )
        # Its two sides are the halves of 100 outcomes, but for the others'.
        assert display.n_pairs.tolist() == [50.0, 50.0]
        ends = ReliabilityDisplay.from_predictions(
            groups, score, n_bins=4, strategy="quantile", n_boot=None
        )
        assert_allclose(ends.prob_pred[[0, -1]], [expit(-3.0), expit(3.0)])

    def test_drawn_pairs_are_those_of_all_on_average(self):
        arena, groups = self.target()
        options = {"n_bins": 3, "n_boot": None, "random_state": 0}
        exact = ReliabilityDisplay.from_predictions(groups, arena.score, **options)
        drawn = []
        for seed in range(30):
            options["random_state"] = seed
            display = ReliabilityDisplay.from_predictions(
                groups, arena.score, max_pairs=300, **options
            )
            drawn.append(display.prob_true)
            plt.close(display.figure_)
        assert_allclose(np.mean(drawn, axis=0), exact.prob_true, atol=0.02)

    def test_from_estimator(self):
        arena, groups = self.target()
        model = LinearPreferenceRanker().fit(arena.data, groups)
        display = ReliabilityDisplay.from_estimator(
            model, arena.data, groups, n_boot=None
        )
        scores = ReliabilityDisplay.from_predictions(
            groups, model.predict(arena.data), n_boot=None
        )
        assert_allclose(display.prob_pred, scores.prob_pred)
        assert_allclose(display.prob_true, scores.prob_true)

    def test_weights_of_rows(self):
        arena, groups = self.target()
        kept = np.random.RandomState(0).randint(2, size=len(groups)).astype(float)
        fields = [(name, groups.dtype[name]) for name in groups.dtype.names]
        weighed = np.empty(len(groups), dtype=[*fields, ("weight", float)])
        for name in groups.dtype.names:
            weighed[name] = groups[name]
        weighed["weight"] = kept
        part = Groups.whole(groups[kept > 0])
        ours = ReliabilityDisplay.from_predictions(
            Groups.whole(weighed), arena.score, n_boot=None
        )
        theirs = ReliabilityDisplay.from_predictions(
            part, arena.score[kept > 0], n_boot=None
        )
        assert_allclose(ours.prob_true, theirs.prob_true)
        assert_allclose(ours.n_pairs, theirs.n_pairs)

    def test_nothing_was_decided(self):
        votes = {"left": ["a"], "right": ["b"], "winner": ["tie"]}
        groups = Groups.from_votes(votes, {"system": ["a", "b"]}, on=())
        with pytest.raises(ValueError, match="No votes for one of two items"):
            ReliabilityDisplay.from_predictions(groups, [1.0, 0.0])
