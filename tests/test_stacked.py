"""The stack: its weights, what its members are fitted to, and what it refuses."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from cases import SEED, linear_groups, quick
from joblib import parallel_config
from lightgbm import LGBMRanker
from scipy import sparse
from scipy.special import expit
from sklearn.base import BaseEstimator, clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags

from sklearn_pscore import (
    Groups,
    LevelClassifierRanker,
    LinearPreferenceRanker,
    PairAugmenter,
    RankSumRanker,
    SingleMetricRanker,
    StackedRanker,
    TopCountRanker,
)
from sklearn_pscore._rankers import stacked
from sklearn_pscore._rankers.stack_members import default_members
from sklearn_pscore.metrics import pairwise_accuracy_scorer
from sklearn_pscore.model_selection import PreferenceGroupKFold, compare_rankers

X, GROUPS = linear_groups()


class Column(BaseEstimator):
    """Score by a column, times a factor; the state tells what it was fitted to."""

    def __init__(self, column=0, factor=1.0, shift=0.0, random_state=None):
        self.column = column
        self.factor = factor
        self.shift = shift
        self.random_state = random_state

    def fit(self, X, y):
        self.n_rows_ = len(X)
        self.groups_ = y
        return self

    def predict(self, X):
        return np.asarray(X)[:, self.column] * self.factor + self.shift


class TakesMissing(Column):
    """Score by a column in which missing values are zero."""

    def predict(self, X):
        return np.nan_to_num(super().predict(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class Failing(Column):
    """Fail in fit, or return what is no score."""

    def __init__(self, fails="fit", returned=None):
        super().__init__()
        self.fails = fails
        self.returned = returned

    def fit(self, X, y):
        if self.fails == "fit":
            raise KeyError("no such key")
        return super().fit(X, y)

    def predict(self, X):
        if self.returned is not None:
            return np.full(len(X), self.returned)
        return np.zeros((len(X), 2))


def columns(*numbers, **options):
    return [(f"x{n}", Column(n, **options)) for n in numbers]


def noisy_groups(sizes=(5, 3, 8, 2, 6, 7, 4, 9), n_features=3):
    rng = np.random.default_rng(SEED)
    group = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    Z = rng.normal(size=(len(group), n_features)) * [1.0, 30.0, 0.5][:n_features]
    preference = Z[:, 0] - Z[:, 1] / 60 + rng.normal(size=len(group))
    weight = rng.uniform(0.5, 2.0, size=len(group))
    return Z, Groups.from_arrays(group=group, preference=preference, weight=weight)


def left_out(members, Z, groups, n_folds=5):
    """Return the members' scores of left-out rows, by a loop over folds."""
    scores = np.empty((len(Z), len(members)))
    for train, test in PreferenceGroupKFold(n_folds).split(Z, groups):
        for k, (_, member) in enumerate(members):
            fitted = clone(member).fit(Z[train], groups[train])
            scores[test, k] = fitted.predict(Z[test])
    return scores


def mean_loss(weights, scores, groups):
    """Mean over listed pairs, those of a group weighing the root of their number."""
    total = weight = 0.0
    margin = scores @ weights
    for group in np.unique(groups["group"]):
        rows = np.flatnonzero(groups["group"] == group)
        pairs = [
            (i, j)
            for i in rows
            for j in rows
            if groups["preference"][i] > groups["preference"][j]
        ]
        for i, j in pairs:
            w = groups["weight"][i] * groups["weight"][j] / len(pairs) ** 0.5
            total += w * np.log1p(np.exp(margin[j] - margin[i]))
            weight += w
    return total / weight


def scales_of(scores, groups):
    centred = scores.copy()
    for group in np.unique(groups["group"]):
        rows = groups["group"] == group
        centred[rows] -= scores[rows].mean(axis=0)
    n_groups = len(np.unique(groups["group"]))
    return np.sqrt((centred**2).sum(axis=0) / (len(scores) - n_groups))


def test_weights_are_the_best_of_a_grid():
    Z, groups = noisy_groups()
    members = [("linear", LinearPreferenceRanker()), ("x1", Column(1, factor=-7.0))]
    stack = StackedRanker(members).fit(Z, groups)
    scores = left_out(members, Z, groups)
    scales = scales_of(scores, groups)
    np.testing.assert_allclose(stack.scales_, scales, rtol=1e-6)
    n = len(Z)
    grid = np.linspace(0.0, 3.0, 301)
    ridge = [
        n * mean_loss(np.array([v, v]), scores / scales, groups) + v * v / 2
        for v in grid
    ]
    equal = grid[np.argmin(ridge)]

    def objective(weights):
        pull = np.sum((weights - equal) ** 2) * stacked._PULL / 2 / n
        return mean_loss(weights, scores / scales, groups) + pull

    grid = np.linspace(0.0, 2.0, 41)
    values = [[objective(np.array([a, b])) for b in grid] for a in grid]
    a, b = np.unravel_index(np.argmin(values), (41, 41))
    assert 0 < b < 40
    assert objective(stack.weights_) <= np.min(values) + 1e-6
    np.testing.assert_allclose(stack.weights_, [grid[a], grid[b]], atol=0.05)
    assert stack.weights_[0] != pytest.approx(stack.weights_[1], rel=0.05)


def test_score_is_the_weighted_sum_of_members_fitted_to_all_rows():
    Z, groups = noisy_groups()
    members = [("linear", LinearPreferenceRanker()), *columns(0, 2)]
    stack = StackedRanker(members).fit(Z, groups)
    fitted = [clone(member).fit(Z, groups) for _, member in members]
    parts = np.stack([ranker.predict(Z) for ranker in fitted], axis=1)
    expected = parts @ (stack.weights_ / stack.scales_)
    np.testing.assert_allclose(stack.predict(Z), expected, rtol=1e-12)
    assert [ranker.n_rows_ for ranker in stack.rankers_[1:]] == [len(Z)] * 2
    assert list(stack.named_rankers_) == ["linear", "x0", "x2"]
    assert stack.named_rankers_.x2 is stack.rankers_[2]
    np.testing.assert_allclose(
        stack.preference_proba(Z[:9], Z[9:18]), expit(expected[:9] - expected[9:18])
    )
    # Whoever is passed with a row does not matter.
    assert stack.predict(Z[3:4]) == stack.predict(Z)[3]
    assert stack.n_groups_ == 8


def test_order_of_rows_labels_and_scale_of_scores_change_nothing():
    Z, groups = noisy_groups()
    members = [("linear", LinearPreferenceRanker()), *columns(0, 2)]
    expected = StackedRanker(members).fit(Z, groups)
    order = np.random.default_rng(1).permutation(len(Z))
    letters = np.array(list("ABCDEFGH"))
    moved = Groups.from_arrays(
        group=letters[groups["group"][order]],
        preference=3 * groups["preference"][order] + 1,
        weight=groups["weight"][order] * 5,
    )
    members = [
        ("linear", LinearPreferenceRanker()),
        ("x0", Column(0, factor=1e3, shift=-50.0)),
        ("x2", Column(2, factor=1e-4)),
    ]
    stack = StackedRanker(members).fit(Z[order], moved)
    np.testing.assert_allclose(stack.weights_, expected.weights_, rtol=1e-5)
    difference = stack.predict(Z) - expected.predict(Z)
    np.testing.assert_allclose(difference, difference[0], atol=1e-5)


def test_a_member_that_misleads_has_no_weight_and_is_not_asked():
    members = [("linear", LinearPreferenceRanker()), ("wrong", Column(0, factor=-1.0))]
    stack = StackedRanker(members).fit(X, GROUPS)
    assert stack.weights_[0] > 0
    assert stack.weights_[1] == 0
    stack.rankers_[1].predict = None
    stack.predict(X)


def test_a_member_that_does_not_vary_has_no_weight():
    members = [("linear", LinearPreferenceRanker()), ("constant", Column(0, 0.0, 0.1))]
    stack = StackedRanker(members).fit(X, GROUPS)
    assert stack.weights_[1] == stack.scales_[1] == 0
    assert np.isfinite(stack.predict(X)).all()


def test_without_any_weight_scores_are_zero_and_it_warns():
    members = [("a", Column(0, factor=-1.0)), ("b", Column(0, factor=-2.0))]
    groups = Groups.from_arrays(group=GROUPS["group"], preference=X[:, 0])
    with pytest.warns(UserWarning, match="No member of StackedRanker has a weight"):
        stack = StackedRanker(members).fit(X[:, :1], groups)
    assert stack.predict(X[:, :1]).tolist() == [0.0] * 150
    with pytest.raises(
        ValueError, match="X has 3 features, but StackedRanker is expect"
    ):
        stack.predict(X)


def test_equal_members_count_alike():
    stack = StackedRanker([("a", Column(0)), ("b", Column(0))]).fit(X, GROUPS)
    assert stack.weights_[0] == pytest.approx(stack.weights_[1])


def test_probabilities_are_right_where_scores_are_log_odds():
    rng = np.random.default_rng(SEED)
    Z = rng.normal(size=(1500, 2))
    utility = 1.5 * Z[:, 0] + 0.7 * Z[:, 1]
    groups = Groups.from_winners(
        group=np.arange(1500) // 2,
        winner=(utility + rng.gumbel(size=1500))
        .reshape(-1, 2)
        .argmax(axis=1)[np.arange(1500) // 2]
        == np.arange(1500) % 2,
    )
    stack = StackedRanker(columns(0, 1)).fit(Z, groups)
    np.testing.assert_allclose(stack.weights_ / stack.scales_, [1.5, 0.7], atol=0.2)
    proba = stack.preference_proba(Z[::2], Z[1::2])
    truth = expit(utility[::2] - utility[1::2])
    assert np.abs(proba - truth).mean() < 0.03


@pytest.mark.parametrize("structured", [False, True])
def test_one_group_is_split_by_items(structured):
    rng = np.random.default_rng(SEED)
    Z = rng.normal(size=(23, 2))
    y = Z[:, 0] + 0.1 * rng.normal(size=23)
    target = Groups.from_arrays(group=np.zeros(23, int), preference=y)
    stack = StackedRanker(columns(0, 1)).fit(Z, target if structured else y)
    assert stack.weights_[0] > 1.3 * stack.weights_[1] > 0
    assert stack.n_groups_ == 1
    assert stack.score(Z, target if structured else y) > 0.85
    # Only pairs of one fold are compared.
    scores = Z / scales_of(Z, _by_fold(target))
    n = len(Z)
    equal = min(
        np.linspace(0, 8, 801),
        key=lambda v: (
            n * mean_loss(np.array([v, v]), scores, _by_fold(target)) + v * v / 2
        ),
    )
    at = [
        mean_loss(stack.weights_ + step, scores, _by_fold(target))
        + np.sum((stack.weights_ + step - equal) ** 2) * stacked._PULL / 2 / n
        for step in ([0, 0], [0.1, 0], [-0.1, 0], [0, 0.1])
    ]
    assert min(at) == at[0]


def test_scores_of_two_fits_are_never_compared():
    class Shifted(Column):
        """A column, moved by a number that is another one in each fit."""

        def fit(self, X, y):
            self.shift = 1e3 * np.sum(np.asarray(X)[:, 0] ** 2)
            return self

    y = X[:40, 0] + np.random.default_rng(SEED).normal(size=40)
    expected = StackedRanker(columns(0, 1)).fit(X[:40], y)
    moved = StackedRanker([("x0", Shifted(0)), *columns(1)]).fit(X[:40], y)
    np.testing.assert_allclose(moved.weights_, expected.weights_, rtol=1e-6)
    np.testing.assert_allclose(moved.scales_, expected.scales_, rtol=1e-6)


def _by_fold(target):
    return Groups.from_arrays(
        group=np.random.RandomState(0).permutation(len(target)) % 5,
        preference=target["preference"],
        weight=np.ones(len(target)),
    )


def test_rows_of_one_item_are_left_out_together():
    rng = np.random.default_rng(SEED)
    item = np.repeat(np.arange(8), 3)
    groups = Groups.from_arrays(group=np.zeros(24, int), item=item, preference=item % 5)
    seen = []

    class Spy(Column):
        def fit(self, X, y):
            seen.append(set(y["item"]))
            return super().fit(X, y)

    Z = groups["preference"][:, None] + 0.1 * rng.normal(size=(24, 1))
    StackedRanker([("a", Spy()), ("b", Column())]).fit(Z, groups)
    assert len(seen) == 5
    # All items; then all but the two of a fold.
    assert [len(items) for items in seen] == [8, 6, 6, 6, 6]


def test_donors_are_always_there_and_rows_without_weight_do_not_count():
    Z, groups = noisy_groups()
    donor = np.arange(len(Z)) % 6 == 0
    light = np.where(np.arange(len(Z)) % 7 == 3, 0.0, groups["weight"])
    target = Groups.from_arrays(
        group=groups["group"],
        preference=groups["preference"],
        weight=light,
        donor=donor,
    )
    n_donors = []

    class Spy(LinearPreferenceRanker):
        def fit(self, X, y):
            n_donors.append(int(y["donor"].sum()))
            return super().fit(X, y)

    stack = StackedRanker([("a", Spy()), ("b", Column())]).fit(Z, target)
    assert n_donors == [donor.sum()] * 6
    # A row of weight zero is in no fold, which therefore are those of the others.
    kept = ~donor & (light > 0)
    other = StackedRanker([("a", LinearPreferenceRanker()), ("b", Column())])
    other.fit(Z[kept], target[kept][["group", "preference", "weight"]])
    np.testing.assert_allclose(stack.weights_, other.weights_, rtol=1e-5)
    linear = LinearPreferenceRanker(C="cv").fit(Z, target)
    again = clone(linear).fit(Z[kept], target[kept][["group", "preference", "weight"]])
    assert linear.C_ == again.C_


def test_members_are_fitted_without_what_they_score():
    seen = []

    class Spy(Column):
        def fit(self, X, y):
            self.known = set(y["group"])
            return self

        def predict(self, X):
            seen.append((self.known, set(np.asarray(X)[:, 0])))
            return super().predict(X)

    Z = np.column_stack([GROUPS["group"], X])
    StackedRanker([("a", Spy(1)), ("b", Column(2))]).fit(Z, GROUPS)
    assert len(seen) == 5
    for known, scored in seen:
        assert not known & scored
        assert len(known | scored) == 30


def test_folds_may_be_given():
    Z, groups = noisy_groups()
    members = [("linear", LinearPreferenceRanker()), *columns(2)]
    expected = StackedRanker(members, cv=3).fit(Z, groups).weights_
    folds = list(PreferenceGroupKFold(3).split(Z, groups))
    for cv in (PreferenceGroupKFold(3), folds, iter(folds)):
        weights = StackedRanker(members, cv=cv).fit(Z, groups).weights_
        np.testing.assert_array_equal(weights, expected)
    y = Z[:, 0]
    plain = StackedRanker(members, cv=KFold(2)).fit(Z, y)
    assert plain.weights_.shape == (2,)


def test_seeds_are_drawn_for_members_without_one():
    members = [
        ("free", Column(0)),
        ("set", Column(1, factor=-1.0, random_state=7)),
        ("in a pipeline", make_pipeline(StandardScaler(), Column(2))),
    ]

    def seeds(members, random_state=SEED):
        stack = StackedRanker(members, random_state=random_state).fit(X, GROUPS)
        rankers = stack.named_rankers_
        return {
            name: getattr(r, "random_state", None) or r[-1].random_state
            for name, r in rankers.items()
        }

    first = seeds(members)
    assert first["set"] == 7
    assert isinstance(first["free"], int)
    assert first["free"] != first["in a pipeline"]
    assert seeds(members) == first
    assert seeds(members, random_state=1)["free"] != first["free"]
    dropped = [("free", "drop"), *members[1:]]
    assert seeds(dropped) == {k: v for k, v in first.items() if k != "free"}
    assert members[0][1].random_state is None


def test_random_members_are_reproducible_whatever_n_jobs_is():
    tree = LevelClassifierRanker(DecisionTreeClassifier(max_features=1), n_levels=3)
    members = [("net", quick((4,), random_state=None)), ("tree", tree)]
    scores = []
    for n_jobs in (None, None, 2):
        stack = StackedRanker(members, cv=2, n_jobs=n_jobs, random_state=SEED)
        with parallel_config(backend="threading"):
            scores.append(stack.fit(X, GROUPS).predict(X))
    np.testing.assert_array_equal(scores[0], scores[1])
    np.testing.assert_array_equal(scores[0], scores[2])


def test_parameters_are_those_of_a_scikit_learn_stack():
    stack = StackedRanker([("linear", LinearPreferenceRanker()), *columns(0, 1)])
    params = stack.get_params()
    assert params["linear__C"] == 0.01
    assert params["x1"].column == 1
    assert set(stack.get_params(deep=False)) == {
        *("rankers", "cv", "n_jobs", "random_state", "verbose")
    }
    stack.set_params(linear__C=1.0, x0="drop", x1=Column(2))
    stack.fit(X, GROUPS)
    assert list(stack.named_rankers_) == ["linear", "x1"]
    assert stack.named_rankers_.linear.C_ == 1.0
    assert stack.named_rankers_.x1.column == 2
    assert len(stack.weights_) == 2
    again = clone(stack)
    np.testing.assert_array_equal(again.fit(X, GROUPS).predict(X), stack.predict(X))
    search = GridSearchCV(
        stack,
        {"linear__C": [0.001, 1.0], "x1__column": [0, 2]},
        scoring=pairwise_accuracy_scorer,
        cv=PreferenceGroupKFold(2),
    )
    assert search.fit(X, GROUPS).best_params_["linear__C"] in (0.001, 1.0)


def test_members_of_any_kind_take_part():
    frame = pd.DataFrame(X, columns=["SSIM", "FID", "PSNR"])
    augmented = make_pipeline(
        StandardScaler(),
        PairAugmenter(stitch_sizes=(2,), max_stitched=5, random_state=SEED),
        LinearPreferenceRanker(),
    )
    members = [
        ("linear", make_pipeline(StandardScaler(), LinearPreferenceRanker())),
        ("augmented", augmented),
        ("single", SingleMetricRanker("SSIM")),
        ("count", TopCountRanker()),
        ("ranks", RankSumRanker()),
        ("levels", LevelClassifierRanker(n_levels=3, random_state=SEED)),
        ("net", quick((4,))),
    ]
    stack = StackedRanker(members, cv=2, random_state=SEED).fit(frame, GROUPS)
    assert stack.feature_names_in_.tolist() == list(frame)
    assert stack.score(frame, GROUPS) > 0.9
    assert stack.rank(frame, GROUPS).max() == 5
    # A row by itself has the score that it has among others.
    np.testing.assert_allclose(
        stack.predict(frame[:1]), stack.predict(frame)[:1], rtol=1e-6
    )
    comparison = compare_rankers(
        {"stack": StackedRanker(members[:3], cv=2)},
        frame,
        GROUPS,
        cv=2,
        n_seeds=1,
        scoring={"accuracy": pairwise_accuracy_scorer},
    )
    assert comparison.table().loc["stack", ("accuracy", "mean")] > 0.8


def test_what_all_members_take_is_passed_on():
    missing, linear = X.copy(), LinearPreferenceRanker()
    missing[::7, 2] = np.nan
    imputed = make_pipeline(SimpleImputer(), LinearPreferenceRanker())
    members = [("linear", linear), ("b", TakesMissing(2))]
    assert get_tags(StackedRanker(members)).input_tags.allow_nan
    assert not get_tags(StackedRanker([*members, *columns(0)])).input_tags.allow_nan
    stack = StackedRanker([*members, ("imputed", imputed)]).fit(missing, GROUPS)
    assert stack.score(missing, GROUPS) > 0.9
    with pytest.raises(
        ValueError, match="member 'x2' failed on fold 1 of 5: predict ret"
    ):
        StackedRanker([*members, *columns(2)]).fit(missing, GROUPS)
    text = pd.DataFrame({"kind": np.where(X[:, 0] > 0, "good", "bad"), "x": X[:, 1]})
    encoded = make_pipeline(OneHotEncoder(), LinearPreferenceRanker())
    other = make_pipeline(OneHotEncoder(), LinearPreferenceRanker(C=1.0))
    stack = StackedRanker([("a", encoded), ("b", other)])
    assert stack.fit(text[["kind"]], GROUPS).score(text[["kind"]], GROUPS) > 0.6


def test_sparse_features_are_passed_on():
    members = [("a", LinearPreferenceRanker()), ("b", LinearPreferenceRanker(C=1.0))]
    expected = StackedRanker(members).fit(X, GROUPS).predict(X)
    stack = StackedRanker(members)
    assert get_tags(stack).input_tags.sparse
    few = sparse.csr_array(X)
    assert (
        StackedRanker(cv=2, random_state=SEED).fit(few, GROUPS).score(few, GROUPS) > 0.9
    )
    for kind in (sparse.csr_array, sparse.coo_matrix):
        stack.fit(kind(X), GROUPS)
        difference = stack.predict(sparse.csr_array(X)) - expected
        np.testing.assert_allclose(difference, difference[0], atol=1e-5)


def test_standard_error_is_the_weighted_sum_of_the_members(monkeypatch):
    # So that the wrong member has no weight.
    monkeypatch.setattr(stacked, "_PULL", 0.1)
    members = [
        ("a", quick((4,), n_members=3)),
        ("b", make_pipeline(StandardScaler(), quick((3,), n_members=3))),
        ("wrong", Column(0, factor=-1.0)),
    ]
    stack = StackedRanker(members, cv=2, random_state=SEED).fit(X, GROUPS)
    score, error = stack.predict(X, return_std=True)
    np.testing.assert_array_equal(score, stack.predict(X))
    assert stack.weights_[2] == 0
    factors = stack.weights_[:2] / stack.scales_[:2]
    errors = [ranker.predict(X, return_std=True)[1] for ranker in stack.rankers_[:2]]
    np.testing.assert_allclose(error, factors @ errors)
    stack = StackedRanker([*members[:1], *columns(0, 1)], cv=2).fit(X, GROUPS)
    with pytest.raises(TypeError, match=re.escape("predict of the members ['x0'")):
        stack.predict(X, return_std=True)
    with pytest.raises(TypeError, match="return_std is of type ndarray"):
        stack.predict(X, GROUPS)


def test_verbose_tells_each_fit_and_the_weights(capsys):
    StackedRanker(columns(0, 1), cv=2, verbose=1).fit(X, GROUPS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert re.fullmatch(r"\[StackedRanker\] x0, all rows: 0\.\d\d s", lines[0])
    assert re.fullmatch(r"\[StackedRanker\] x1, fold 2 of 2: 0\.\d\d s", lines[5])
    assert re.fullmatch(r"\[StackedRanker\] weights: x0 [\d.]+, x1 [\d.]+", lines[6])
    StackedRanker(columns(0, 1), cv=2).fit(X, GROUPS)
    assert capsys.readouterr().out == ""


def test_cut_groups_are_told_once():
    cut = np.arange(150)[np.isin(GROUPS["group"], np.arange(20))][5:]
    members = [("a", LinearPreferenceRanker()), ("b", LinearPreferenceRanker(C=1.0))]
    with pytest.warns(UserWarning, match="StackedRanker.fit got") as caught:
        stack = StackedRanker(members).fit(X[cut], GROUPS[cut])
    assert len(caught) == 1
    # It was fitted on this very target.
    assert stack.score(X[cut], GROUPS[cut]) > 0.9


def test_synthetic_items_before_the_stack_are_not_learnt_from():
    members = [("linear", LinearPreferenceRanker()), ("x0", Column())]
    stack = StackedRanker(members, cv=2)
    augmenter = PairAugmenter(stitch_sizes=(2,), max_stitched=5, random_state=SEED)
    for table in (X, pd.DataFrame(X), pl.DataFrame(X)):
        model = make_pipeline(augmenter, stack)
        with pytest.warns(
            UserWarning, match="which StackedRanker does not learn from"
        ) as caught:
            model.fit(table, GROUPS)
        assert len(caught) == 1
        plain = LinearPreferenceRanker().fit(X, GROUPS)
        np.testing.assert_array_equal(stack.named_rankers_.linear.coef_, plain.coef_)


def test_defaults_are_three_rankers():
    assert [name for name, _ in default_members()] == ["pairwise", "linear", "trees"]
    missing = X.copy()
    missing[::7, 2] = np.nan
    stack = StackedRanker(cv=2, random_state=SEED).fit(missing, GROUPS)
    assert get_tags(stack).input_tags.allow_nan
    assert get_tags(stack).input_tags.sparse
    assert list(stack.named_rankers_) == ["pairwise", "linear", "trees"]
    assert stack.named_rankers_.trees.estimator_.n_estimators == 300
    # Nothing in it is drawn but from the seed of the stack.
    again = StackedRanker(cv=2, random_state=SEED).fit(missing, GROUPS)
    np.testing.assert_array_equal(again.predict(missing), stack.predict(missing))
    assert stack.score(X, GROUPS) > 0.95


@pytest.mark.parametrize(
    ("rankers", "error", "message"),
    [
        ([], ValueError, "rankers has 0 members, of 0 given; expected at least 2"),
        (columns(0), ValueError, "rankers has 1 member, 'x0', of 1 given; expected"),
        (
            [*columns(0), ("b", "drop")],
            ValueError,
            "rankers has 1 member, 'x0', of 2 given; expected at least 2",
        ),
        (
            [*columns(0, 1), ("x1", Column())],
            ValueError,
            "rankers has the name 'x1' 2 times; expected a name of its own for each",
        ),
        (
            [*columns(0), ("a__b", Column())],
            ValueError,
            "rankers has the name 'a__b'; expected a name that is not empty, holds no '__'",
        ),
        (
            [*columns(0), ("cv", Column())],
            ValueError,
            "rankers has the name 'cv'; expected a name that",
        ),
        (
            [Column(), Column()],
            TypeError,
            "rankers[0] is Column(); expected a pair (name, ranker)",
        ),
        (
            [*columns(0), ("b", Column)],
            TypeError,
            "rankers has Column as 'b', which is a class; expected an estimator",
        ),
        (
            [*columns(0), ("b", StandardScaler())],
            TypeError,
            "rankers has StandardScaler as 'b', which has no predict",
        ),
        (
            [*columns(0), ("b", "Drop")],
            TypeError,
            "rankers has str as 'b', which has no fit",
        ),
        (
            [*columns(0), ("b", LGBMRanker())],
            TypeError,
            "member 'b' of rankers is LGBMRanker, whose fit wants the groups as group=",
        ),
        (
            [*columns(0), ("b", make_pipeline(StandardScaler(), LGBMRanker()))],
            TypeError,
            "the model inside of member 'b' of rankers is LGBMRanker, whose fit wants",
        ),
        (
            [*columns(0), ("b", Ridge())],
            TypeError,
            "(An estimator that wants a plain target got the records of Groups: wrap it",
        ),
        ("linear", ValueError, "Got 'linear' instead"),
        (
            [*columns(0), ("bad", Failing())],
            RuntimeError,
            "StackedRanker: member 'bad' failed on all rows: KeyError: 'no such key'",
        ),
        (
            [*columns(0), ("bad", Failing("predict"))],
            ValueError,
            "StackedRanker: member 'bad' failed on fold 1 of 5: predict returned float64 "
            "of shape (30, 2); expected one number per row",
        ),
        (
            [*columns(0), ("bad", Failing("predict", np.inf))],
            ValueError,
            "predict returned inf; expected finite scores",
        ),
        (
            [*columns(0), ("bad", Failing("predict", GROUPS[0]))],
            ValueError,
            "predict returned records of the target, each of which it took for a class of",
        ),
        (
            [*columns(0), ("bad", Failing("predict", "high"))],
            ValueError,
            "predict returned <U4 of shape (30,); expected one number per row",
        ),
        (
            [*columns(0), ("bad", LinearPreferenceRanker(C=-1.0))],
            TypeError,
            "StackedRanker: member 'bad' failed on all rows: The 'C' parameter of Linear",
        ),
    ],
)
def test_members_that_are_no_stack_are_told(rankers, error, message):
    stack = StackedRanker(columns(0, 1)).fit(X, GROUPS)
    stack.set_params(rankers=rankers)
    before = dict(vars(stack))
    with pytest.raises(error, match=re.escape(message)) as caught:
        stack.fit(X, GROUPS)
    assert vars(stack) == before
    if "failed" in message:
        assert caught.value.__cause__ is not None


def test_a_member_that_fails_to_predict_is_named():
    stack = StackedRanker(
        [("linear", LinearPreferenceRanker()), ("other", LinearPreferenceRanker(C=1.0))]
    ).fit(X, GROUPS)
    message = "member 'linear' failed to predict: X contains infinity: inf at row 0"
    with pytest.raises(ValueError, match=message):
        stack.predict(np.full((2, 3), np.inf))
    with pytest.raises(ValueError, match="X_a has 3 rows but X_b has 2"):
        stack.preference_proba(X[:3], X[:2])


@pytest.mark.parametrize(
    ("cv", "error", "message"),
    [
        (31, ValueError, "n_splits is 31 but the 150 rows (donors left out) are in 30"),
        (1, ValueError, "must be an int in the range [2, inf)"),
        ([], ValueError, "cv is [] and gives no fold; StackedRanker.fit expected"),
        (b"cpu", TypeError, "fold 0 of cv is 99; expected a pair (train, test)"),
        ([([0], [0.5])], TypeError, "fold 0 of cv is ([0], [0.5]); expected a pair"),
        ([([0], [1]), ([0],)], TypeError, "fold 1 of cv is ([0],); expected a pair"),
        (
            [([0, 1], [2, 150])],
            ValueError,
            "fold 0 of cv has rows 2 to 150 in a part; expected some of the rows 0 to 149",
        ),
        (
            [([0, 1], np.array([], dtype=int))],
            ValueError,
            "fold 0 of cv has no row in a part",
        ),
    ],
)
def test_folds_that_cannot_be_are_told(cv, error, message):
    with pytest.raises(error, match=re.escape(message)):
        StackedRanker(columns(0, 1), cv=cv).fit(X, GROUPS)


def test_a_single_column_or_row_is_told():
    stack = StackedRanker(columns(0, 1)).fit(X, GROUPS)
    for row in (X[0], list(X[0])):
        with pytest.raises(ValueError, match="X has 1 dimensions; expected 2"):
            stack.predict(row)


def test_what_is_doubtful_of_a_plain_target_is_told_once():
    y = np.tile([1.0, 2.0, 3.0, 4.0, 5.0], 60)
    Z = np.column_stack([y, np.random.default_rng(SEED).normal(size=300)])
    members = [("linear", LinearPreferenceRanker()), *columns(0)]
    with pytest.warns(
        UserWarning, match="y holds 5 distinct values over 300"
    ) as caught:
        StackedRanker(members).fit(Z, y)
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("n_rows", "cv", "message"),
    [
        (1, None, "X has n_samples = 1; StackedRanker.fit expected at least 4"),
        (
            3,
            None,
            "StackedRanker.fit got 3 items in one group; expected at least 4 items",
        ),
        (
            7,
            4,
            "StackedRanker.fit got 7 items in one group for cv=4; expected at least 4",
        ),
    ],
)
def test_too_few_items_are_told(n_rows, cv, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        StackedRanker(columns(0, 1), cv=cv).fit(X[:n_rows], np.arange(float(n_rows)))


def test_folds_without_a_pair_are_told():
    # The folds of a single group are drawn by this seed.
    y = np.random.RandomState(0).permutation(4) % 2.0
    with pytest.raises(
        ValueError, match="left out 4 items in 2 folds, and no two of them"
    ):
        StackedRanker(columns(0, 1)).fit(X[:4], y)
