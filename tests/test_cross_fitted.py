"""Held-out scores and refits for leaderboards of a learnt score."""

import re

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.inspection import learnt_coverage
from sklearn_pscore import (
    Groups,
    LinearPreferenceRanker,
    PlainTarget,
    TopCountRanker,
)
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.labels import number_labels
from sklearn_pscore.inspection import bootstrap_leaderboard, cross_fitted_scores
from sklearn_pscore.inspection._fold_draws import JudgedFolds
from sklearn_pscore.model_selection import PreferenceGroupKFold

N_BLOCKS, PER_BLOCK, N_ITEMS = 8, 2, 3


class Within(BaseEstimator):
    """Least squares inside groups: the fastest ranker there is.

    A fit is multiplied and shifted by numbers that its seed draws, up to `spread`.
    """

    fits = []

    def __init__(self, spread=0.0, random_state=None):
        self.spread = spread
        self.random_state = random_state

    def fit(self, X, groups):
        X = np.asarray(X)
        Within.fits.append((X, groups))
        code = number_labels(groups["group"])[1]
        size = np.bincount(code)

        def inside(values):
            return values - (np.bincount(code, values) / size)[code]

        Z = np.column_stack([inside(column) for column in X.T])
        y = inside(np.nan_to_num(groups["preference"]))
        self.coef_ = np.linalg.solve(Z.T @ Z + 1e-6 * np.eye(X.shape[1]), Z.T @ y)
        rng = np.random.default_rng(self.random_state)
        self.factor_, self.shift_ = 1 + self.spread * rng.random(2)
        return self

    def predict(self, X):
        return self.factor_ * (np.asarray(X) @ self.coef_) + self.shift_


@pytest.fixture
def fits():
    Within.fits.clear()
    return Within.fits


def table(seed=0, **fields):
    """Return metrics and a shuffled target; the last metric names the block."""
    rng = np.random.default_rng(seed)
    shape = N_BLOCKS, PER_BLOCK, N_ITEMS
    block, group, item = (axis.ravel() for axis in np.indices(shape))
    X = np.column_stack([rng.normal(size=(len(block), 2)), block])
    columns = {
        "group": block * PER_BLOCK + group,
        "item": np.array(["a", "b", "c"])[item],
        "preference": X[:, 0] - X[:, 1] + rng.normal(size=len(block)),
        "block": block,
    } | fields
    order = rng.permutation(len(block))
    columns = {k: np.asarray(v)[order] for k, v in columns.items() if v is not None}
    return X[order], Groups.from_arrays(**columns)


X, GROUPS = table()


def quick(estimator, X=X, groups=GROUPS, **options):
    options = {"cv": 4, "n_refits": 3, "random_state": 0, **options}
    return cross_fitted_scores(estimator, X, groups, **options)


def on_one_scale(scores, groups):
    """Bring the columns, one per model, to the averages of their mean and spread."""
    frame = pd.DataFrame(scores)
    inside = frame - frame.groupby(groups["group"]).transform("mean")
    spread = np.sqrt((inside**2).mean())
    return (
        (frame - frame.mean()) / spread * spread.mean() + frame.mean().mean()
    ).values


class TestScores:
    def test_are_those_of_models_that_have_not_seen_the_block(self):
        result = quick(Within())
        folds = list(PreferenceGroupKFold(4).split(X, GROUPS))
        models = [Within().fit(X[train], GROUPS[train]) for train, _ in folds]
        scores = np.column_stack([model.predict(X) for model in models])
        scores = on_one_scale(scores, GROUPS)
        for number, (_, test) in enumerate(folds):
            assert_array_equal(result.fold[test], number)
            assert_allclose(result.y_score[test], scores[test, number])
        assert result.y_refits.shape == (len(X), 3)

    def test_refits_are_of_draws_of_all_blocks_that_a_fold_learns_from(self, fits):
        result = quick(Within(), n_refits=2)
        target = check_groups(GROUPS)
        folds = JudgedFolds.of(4, X, GROUPS, target, "test")
        of_fold, of_refits = fits[:4], [fits[4:8], fits[8:]]
        seen = [set(data[:, 2]) for data, _ in of_fold]
        for refit, column in zip(of_refits, result.y_refits.T, strict=True):
            times = {}
            for number, (data, groups) in enumerate(refit):
                blocks, counts = np.unique(data[:, 2], return_counts=True)
                assert set(blocks) <= seen[number]
                for block, count in zip(blocks, counts, strict=True):
                    # Whole blocks, as often in one fold as in the others.
                    assert count % (PER_BLOCK * N_ITEMS) == 0
                    assert times.setdefault(block, count) == count
                    rows = data[:, 2] == block
                    assert len(set(groups["block"][rows])) == 1
                    n_groups = count // N_ITEMS
                    assert len(set(groups["group"][rows])) == n_groups
                assert set(groups["group_size"]) == {N_ITEMS}
            assert sum(times.values()) == len(X)
            models = [Within().fit(*data) for data in refit]
            scores = np.column_stack([model.predict(X) for model in models])
            scores = on_one_scale(scores, GROUPS)
            assert_allclose(column, scores[np.arange(len(X)), folds.fold])

    def test_a_scale_and_a_zero_of_each_fit_change_nothing(self):
        plain, scaled = quick(Within()), quick(Within(spread=5.0))
        for one, other in (
            (plain.y_score, scaled.y_score),
            (plain.y_refits[:, 1], scaled.y_refits[:, 1]),
        ):
            slope = np.std(other) / np.std(one)
            assert_allclose(other - other.mean(), slope * (one - one.mean()))

    def test_a_model_to_which_all_are_alike(self):
        class Alike(Within):
            def predict(self, X):
                # 0.1 is not exact, and a mean of many is another number.
                return np.full(len(X), 0.1)

        result = quick(Alike())
        assert_allclose(result.y_score, 0.1)
        assert_allclose(result.y_refits, 0.1)

    def test_a_single_fold_to_which_all_are_alike(self, fits):
        class AlikeAtFirst(Within):
            def fit(self, X, groups):
                super().fit(X, groups)
                self.is_first_ = len(fits) == 1
                return self

            def predict(self, X):
                return np.full(len(X), 0.1) if self.is_first_ else super().predict(X)

        result = quick(AlikeAtFirst(), n_refits=0)
        first = result.fold == 0
        others = [Within().fit(*data).predict(X).mean() for data in fits[1:4]]
        assert_allclose(result.y_score[first], np.mean([0.1, *others]))
        assert np.ptp(result.y_score[~first]) > 0.1

    @pytest.mark.parametrize(("n_blocks", "n_least"), [(3, 1), (4, 2)])
    def test_draws_leave_something_to_learn_from_and_differ(self, n_blocks, n_least):
        rows = X[:, 2] < n_blocks
        groups = GROUPS[rows]
        folds = JudgedFolds.of(n_blocks, X[rows], groups, check_groups(groups), "test")
        rng = np.random.RandomState(0)
        drawn = np.array([folds.draw(rng, "test") for _ in range(200)])
        assert np.all(drawn.sum(axis=1) == n_blocks)
        # Each fold learns from all blocks but one.
        is_there = drawn > 0
        n_left = is_there.sum(axis=1, keepdims=True) - is_there
        assert n_left.min() == n_least
        assert len(np.unique(drawn, axis=0)) > n_blocks

    def test_groups_are_drawn_without_blocks_and_with_a_single_one(self, fits):
        plain, one = (
            table(block=None)[1],
            table(block=np.zeros(len(X), int))[1],
        )
        expected = quick(Within(), groups=plain)
        drawn = [len(data) for data, _ in fits[4:]]
        assert any(n % (PER_BLOCK * N_ITEMS) for n in drawn)
        assert all(n % N_ITEMS == 0 for n in drawn)
        by_group = [test for _, test in PreferenceGroupKFold(4).split(X, plain)]
        for number, rows in enumerate(by_group):
            assert_array_equal(np.flatnonzero(expected.fold == number), rows)
        result = quick(Within(), groups=one)
        assert_allclose(result.y_refits, expected.y_refits)


class TestRowsWithoutJudgement:
    def test_are_scored_by_their_block_or_by_all_models(self, fits):
        preference = GROUPS["preference"].copy()
        lost = (X[:, 2] == 3) | ((X[:, 2] == 5) & (GROUPS["item"] == "a"))
        preference[lost] = np.nan
        fields = {name: GROUPS[name] for name in ("group", "item", "block")}
        groups = Groups.from_arrays(preference=preference, **fields)
        result = quick(Within(), groups=groups, n_refits=1)
        for data, y in fits:
            assert not np.isnan(y["preference"]).any()
            assert 3 not in data[:, 2]
        models = [Within().fit(*data) for data in fits[:4]]
        scores = np.column_stack([model.predict(X) for model in models])
        scores = on_one_scale(scores, groups)
        unknown = X[:, 2] == 3
        assert_array_equal(result.fold == -1, unknown)
        assert_allclose(result.y_score[unknown], scores[unknown].mean(axis=1))
        fifth = X[:, 2] == 5
        (number,) = set(result.fold[fifth])
        assert 5 not in fits[number][0][:, 2]
        assert_allclose(result.y_score[fifth], scores[fifth, number])
        board = bootstrap_leaderboard(groups, result.y_score, random_state=0)
        assert board.n_clusters == N_BLOCKS

    def test_donors_are_in_every_training_part_once(self, fits):
        donor = np.indices((N_BLOCKS, PER_BLOCK, N_ITEMS))[0].ravel() == 7
        X, groups = table(donor=donor)
        result = quick(Within(), X, groups)
        assert len(fits) == 16
        for data, y in fits:
            assert y["donor"].sum() == PER_BLOCK * N_ITEMS
            assert set(data[y["donor"], 2]) == {7}
        assert_array_equal(result.fold == -1, groups["donor"])

    def test_rows_of_weight_zero_are_not_trained_on(self, fits):
        weight = np.where(np.indices((N_BLOCKS, PER_BLOCK, N_ITEMS))[2] == 0, 0.0, 2.0)
        X, groups = table(weight=weight.ravel())
        result = quick(Within(), X, groups, n_refits=1)
        for _, y in fits:
            assert set(y["weight"]) == {2.0}
            assert set(y["item"]) == {"b", "c"}
        assert np.isfinite(result.y_score).all()


def voted(n_prompts=12, n_votes=400, seed=0):
    """Return metrics, and a target of votes between three systems, two prompts a block."""
    rng = np.random.default_rng(seed)
    prompt, system = (axis.ravel() for axis in np.indices((n_prompts, 3)))
    x = rng.normal(size=len(prompt)) + system
    first, second = rng.integers(0, 3, (2, n_votes))
    kept = first != second
    at = rng.integers(0, n_prompts, n_votes)[kept]
    first, second = first[kept], second[kept]
    p = 1 / (1 + np.exp(x[3 * at + second] - x[3 * at + first]))
    winner = np.where(rng.random(len(p)) < p, "left", "right")
    votes = {"prompt": at, "left": first, "right": second, "winner": winner}
    items = {"prompt": prompt, "system": system, "face": prompt // 2}
    return x[:, None], Groups.from_votes(votes, items, block="face")


class TestVotes:
    X, groups = voted()

    def test_every_copy_of_a_group_has_its_votes(self):
        folds = JudgedFolds.of(
            3, self.X, self.groups, check_groups(self.groups), "test"
        )
        n_blocks = len(folds.drawn_units)
        once, twice = (
            folds.drawn_part(0, np.full(n_blocks, times)) for times in (1, 2)
        )
        for (rows, y), times in ((once, 1), (twice, 2)):
            assert len(rows) == times * len(folds.train[0])
            assert (
                y["votes"].sum() == times * self.groups["votes"][folds.train[0]].sum()
            )
            place = {number: at for at, number in enumerate(y["row"].tolist())}
            assert len(place) == len(rows)
            for at, rival in zip(*np.nonzero(y["rival"] >= 0), strict=True):
                other = place[int(y["rival"][at, rival])]
                assert y["group"][at] == y["group"][other]
        ranker = LinearPreferenceRanker(C=1.0)
        doubled = clone(ranker).set_params(C=0.5).fit(self.X[twice[0]], twice[1])
        assert_allclose(
            doubled.coef_, ranker.fit(self.X[once[0]], once[1]).coef_, rtol=1e-4
        )

    def test_scores_for_a_leaderboard(self):
        ranker = LinearPreferenceRanker()
        result = quick(ranker, self.X, self.groups, cv=3, n_refits=5)
        board = bootstrap_leaderboard(
            self.groups, result.y_score, y_refits=result.y_refits, random_state=0
        )
        assert board.systems["item"].tolist() == [2, 1, 0]
        assert board.n_clusters == 6


class TestSeeds:
    forest = PlainTarget(ExtraTreesRegressor(5))

    def test_random_state_decides_all(self):
        first, second, other = (
            quick(self.forest, random_state=seed, n_refits=1) for seed in (0, 0, 1)
        )
        assert_array_equal(first.y_score, second.y_score)
        assert_array_equal(first.y_refits, second.y_refits)
        assert np.any(first.y_score != other.y_score)

    def test_given_seeds_stay_for_the_scores_and_not_for_refits(self):
        forest = clone(self.forest).set_params(estimator__random_state=3)
        first, other = (quick(forest, random_state=seed, n_refits=1) for seed in (0, 1))
        assert_array_equal(first.y_score, other.y_score)
        assert np.any(first.y_refits != other.y_refits)
        assert forest.get_params()["estimator__random_state"] == 3

    def test_processes_change_nothing(self):
        with parallel_config(backend="threading"):
            one, two = (quick(self.forest, n_refits=1, n_jobs=n) for n in (None, 2))
        assert_array_equal(one.y_refits, two.y_refits)

    def test_no_refits(self):
        result = quick(Within(), n_refits=0)
        assert result.y_refits is None
        assert_array_equal(result.y_score, quick(Within()).y_score)


class TestArguments:
    def test_pipelines_and_frames(self):
        pipe = make_pipeline(StandardScaler(), LinearPreferenceRanker())
        frame = pd.DataFrame(X, columns=["SSIM", "FID", "block"])
        assert_allclose(quick(pipe, frame).y_score, quick(pipe).y_score)

    def test_a_ranker_that_predicts_inside_groups(self):
        ranker = TopCountRanker(directions="larger")
        result = quick(ranker, n_refits=5)
        # It learns nothing, so that no refit differs, and counts are whole numbers.
        assert_allclose(result.y_refits, result.y_score[:, None].repeat(5, axis=1))
        assert_allclose(result.y_score, ranker.fit(X, GROUPS).predict(X, GROUPS))

    @pytest.mark.parametrize("as_list", [False, True])
    def test_folds_of_the_user(self, as_list):
        cv = PreferenceGroupKFold(4)
        given = list(cv.split(X, GROUPS)) if as_list else cv
        assert_allclose(quick(Within(), cv=given).y_score, quick(Within()).y_score)

    def test_folds_that_leave_out_a_system(self, fits):
        names = np.unique(GROUPS["item"])
        folds = [
            (np.flatnonzero(GROUPS["item"] != n), np.flatnonzero(GROUPS["item"] == n))
            for n in names
        ]
        result = quick(Within(), cv=folds, n_refits=2)
        assert_array_equal(names[result.fold], GROUPS["item"])
        for number, (_, y) in enumerate(fits):
            assert set(y["item"]) == set(names) - {names[number % 3]}
        # A row that was not judged is of a block that no model holds out.
        unknown = GROUPS.copy()
        unknown["preference"][5] = np.nan
        unknown = Groups.whole(unknown)
        result = quick(Within(), groups=unknown, cv=folds, n_refits=0)
        assert_array_equal(np.flatnonzero(result.fold < 0), [5])

    @pytest.mark.parametrize(
        ("options", "error", "part"),
        [
            ({"cv": 9}, ValueError, "cv is 9, and the judged rows are in 8 blocks"),
            ({"cv": 1}, ValueError, "expected 2 to 8 folds. Pass for example cv=5."),
            ({"cv": None}, TypeError, "expected a number of folds, a splitter, or"),
            ({"cv": "5"}, TypeError, "cv is '5'"),
            ({"cv": []}, ValueError, "cv is [] and gives no fold"),
            (
                {"cv": [(np.arange(10), np.arange(10, 40))]},
                ValueError,
                "cv tests row 0 0 times; cross_fitted_scores expected each",
            ),
            (
                {"cv": [(np.arange(24, 48), np.arange(24))] * 2},
                ValueError,
                "cv tests row 0 2 times",
            ),
            (
                {"cv": [3]},
                TypeError,
                "fold 0 of cv is 3; expected a pair (train, test)",
            ),
            (
                {"cv": [([0], [99])]},
                ValueError,
                "fold 0 of cv has rows 99 to 99 in a part",
            ),
            ({"n_refits": -1}, ValueError, "must be an int in the range [0, inf)"),
            ({"n_refits": 2.0}, TypeError, "Got 2.0 instead"),
            ({"random_state": "a"}, ValueError, "'random_state' parameter of cross"),
            ({"groups": np.arange(48.0)}, TypeError, "takes groups as a structured"),
            ({"groups": GROUPS[:5]}, ValueError, "groups has 5 entries but X has 48"),
        ],
    )
    def test_errors(self, options, error, part):
        with pytest.raises(error, match=re.escape(part)):
            quick(Within(), **options)

    def test_one_group(self):
        rows = GROUPS["group"] == 0
        with pytest.raises(
            ValueError, match="rows are in 1 group; cross_fitted_scores"
        ):
            quick(Within(), X[rows], GROUPS[rows])

    def test_draws_without_a_pair(self):
        alike = GROUPS.copy()
        alike["preference"] = 1.0
        with pytest.raises(
            ValueError, match="No draw of 8 blocks left every fold some"
        ):
            quick(Within(), groups=alike)

    def test_a_fit_that_fails_says_which(self):
        class Broken(Within):
            def fit(self, X, groups):
                raise RuntimeError("broken")

        with pytest.raises(RuntimeError, match="broken") as caught:
            quick(Broken())
        assert caught.value.__notes__ == ["cross_fitted_scores: in the model of fold 0"]

    def test_scores_that_are_not_finite(self):
        class Infinite(Within):
            def predict(self, X):
                return np.full(len(X), np.inf)

        with pytest.raises(ValueError, match="y_score is inf at row 0"):
            quick(Infinite())

    def test_a_ranker_of_another_library(self):
        lightgbm = pytest.importorskip("lightgbm")
        with pytest.raises(TypeError, match=r"Pass GroupwiseRanker\(LGBMRanker"):
            quick(lightgbm.LGBMRanker())

    def test_cut_groups_are_told_once(self):
        with pytest.warns(UserWarning, match="cross_fitted_scores got") as record:
            quick(LinearPreferenceRanker(), X[2:], GROUPS[2:], cv=GroupKFoldByBlock())
        assert len(record) == 1


class GroupKFoldByBlock(GroupKFold):
    """A splitter of scikit-learn that is told the blocks."""

    def __init__(self):
        super().__init__(4)

    def split(self, X, y, groups=None):
        return super().split(X, y, y["block"])


def test_sets_of_ranks_hold_the_ranks_of_a_learnt_score():
    # All systems are equal, but not to a model that has to learn it.
    rng, n_repetitions = np.random.default_rng(0), 60
    n_held = {"refits": 0, "no refits": 0}
    for seed in range(n_repetitions):
        X, groups = learnt_coverage.draw(20, 1, rng)
        model = learnt_coverage.WithinGroups()
        result = cross_fitted_scores(
            model, X, groups, cv=3, n_refits=10, random_state=seed
        )
        for name, refits in (("refits", result.y_refits), ("no refits", None)):
            systems = bootstrap_leaderboard(
                groups, result.y_score, y_refits=refits, n_boot=400, random_state=seed
            ).systems
            ends = systems["rank_low"] == 1, systems["rank_high"] == 4
            n_held[name] += bool(np.all(ends))
    # Two standard errors below 95 %, and far below where learning is taken for certain.
    assert n_held["refits"] / n_repetitions >= 0.9
    assert n_held["no refits"] / n_repetitions <= 0.75


def test_the_simulation_tells_of_sets_that_hold_too_little():
    row = learnt_coverage.measure((6, 2, 5), 2)
    assert (row["blocks"], row["groups_per_block"], row["refits"]) == (6, 2, 5)
    assert 0 <= row["without_refits"] <= 1
    rows = pd.DataFrame({"repetitions": 300, "with_refits": [0.95, 0.9, 0.8]})
    assert learnt_coverage.failures_of(rows) == ["with refits 0.8"]
