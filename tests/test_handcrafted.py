"""TopCountRanker and RankSumRanker: ranks in groups and among training rows."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore._rankers.handcrafted import RankSumRanker, TopCountRanker
from sklearn_pscore._target.groups import Groups
from sklearn_pscore.metrics import pairwise_accuracy_score, rank_items

BASELINES = (TopCountRanker, RankSumRanker)
both = pytest.mark.parametrize("baseline", BASELINES)


def _contest(seed, *, with_items=False, with_donors=False):
    """Groups of 1 to 5 rows in random order, metrics with many ties."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(8), rng.integers(1, 6, size=8))
    fields = {"group": rng.permutation(group)}
    n_rows = len(group)
    if with_items:
        fields["item"] = rng.integers(3, size=n_rows)
    if with_donors:
        fields["donor"] = rng.random(n_rows) < 0.3
    X = rng.integers(-3, 4, size=(n_rows, 4)).astype(float)
    return X, Groups.from_arrays(**fields)


DIRECTIONS = ["larger", "smaller", "nearest_zero", "larger"]


def _ranks_by_hand(X, groups):
    """Return rank sums and top counts with a loop over groups and metrics."""
    X = np.column_stack([X[:, 0], -X[:, 1], -np.abs(X[:, 2]), X[:, 3]])
    names = groups.dtype.names
    item = groups["item"] if "item" in names else np.arange(len(X))
    donor = groups["donor"] if "donor" in names else np.zeros(len(X), dtype=bool)
    rank_sums, top_counts = np.zeros(len(X)), np.zeros(len(X))
    for group, is_donor in set(zip(groups["group"], donor, strict=True)):
        rows = np.flatnonzero((groups["group"] == group) & (donor == is_donor))
        items = list(dict.fromkeys(item[rows]))
        means = np.array([X[rows[item[rows] == one]].mean(axis=0) for one in items])
        ranks = np.array([rankdata(-column) - 1 for column in means.T])
        tops = np.array([column == column.max() for column in means.T])
        for row in rows:
            rank_sums[row] = ranks[:, items.index(item[row])].sum()
            top_counts[row] = tops[:, items.index(item[row])].sum()
    return rank_sums, top_counts


# Inside groups


def test_ranks_of_a_small_table():
    X = pd.DataFrame(
        {
            "SSIM": [0.8, 0.7, 0.7, 0.1],  # ranks 0, 1.5, 1.5, 3
            "FID": [20.0, 10.0, 30.0, 10.0],  # ranks 2, 0.5, 3, 0.5
            "AVOffset": [-1.0, 2.0, 0.0, 5.0],  # ranks 1, 2, 0, 3
        }
    )
    groups = Groups.from_arrays(group=["a"] * 4)
    rank_sum = RankSumRanker().fit(X, groups)
    sums = [0 + 2 + 1, 1.5 + 0.5 + 2, 1.5 + 3 + 0, 3 + 0.5 + 3]
    assert_array_equal(rank_sum.rank_sums(X, groups), sums)
    assert_array_equal(rank_sum.predict(X, groups), np.negative(sums))
    assert_array_equal(rank_sum.rank(X, groups), [1, 2, 3, 4])
    top_count = TopCountRanker().fit(X, groups)
    assert_array_equal(top_count.predict(X, groups), [1, 1, 1, 1])
    assert_array_equal(top_count.rank(X, groups), [2.5, 2.5, 2.5, 2.5])


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("with_items", [False, True])
@pytest.mark.parametrize("with_donors", [False, True])
def test_ranks_in_groups_equal_the_double_loop(seed, with_items, with_donors):
    X, groups = _contest(seed, with_items=with_items, with_donors=with_donors)
    sums, tops = _ranks_by_hand(X, groups)
    rank_sum = RankSumRanker(directions=DIRECTIONS).fit(X, groups)
    top_count = TopCountRanker(directions=DIRECTIONS).fit(X, groups)
    assert_array_equal(rank_sum.rank_sums(X, groups), sums)
    assert_array_equal(rank_sum.predict(X, groups), -sums)
    assert_array_equal(top_count.predict(X, groups), tops)
    for zero in (rank_sum.rank_sums(X, groups), rank_sum.predict(X, groups)):
        assert not np.any(np.signbit(zero[zero == 0]))


@both
def test_neither_row_order_nor_labels_nor_other_groups_matter(baseline):
    X, groups = _contest(0, with_items=True)
    ranker = baseline(directions=DIRECTIONS).fit(X, groups)
    score = ranker.predict(X, groups)
    order = np.random.default_rng(1).permutation(len(X))
    assert_array_equal(ranker.predict(X[order], groups[order]), score[order])
    renamed = Groups.from_arrays(
        group=np.array([f"g{-label}" for label in groups["group"]]),
        item=np.array([f"i{-label}" for label in groups["item"]]),
    )
    assert_array_equal(ranker.predict(X, renamed), score)
    one = groups["group"] == groups["group"][0]
    assert_array_equal(ranker.predict(X[one], groups[one]), score[one])


@both
def test_units_do_not_matter(baseline):
    X, groups = _contest(0)
    ranker = baseline(directions=DIRECTIONS).fit(X, groups)
    changed = np.column_stack(
        [np.exp(X[:, 0]), X[:, 1] ** 3, -7 * X[:, 2], 2 * X[:, 3] + 1]
    )
    again = baseline(directions=DIRECTIONS).fit(changed, groups)
    assert_array_equal(again.predict(changed, groups), ranker.predict(X, groups))
    assert_array_equal(again.predict(changed), ranker.predict(X))


def test_offsets_are_made_absolute_before_the_mean_over_an_item():
    X = [[5.0], [-5.0], [1.0], [1.0]]
    groups = Groups.from_arrays(group=[0] * 4, item=["bad", "bad", "good", "good"])
    ranker = RankSumRanker(directions=["nearest_zero"]).fit(X, groups)
    assert_array_equal(ranker.rank_sums(X, groups), [1, 1, 0, 0])


def test_items_of_the_same_rows_in_another_order_tie_exactly():
    values = np.array([0.1, 0.2, 0.3, 1e9, 0.7])
    X = np.r_[values, values[::-1]][:, None]
    groups = Groups.from_arrays(group=[0] * 10, item=np.repeat([0, 1], 5))
    ranker = RankSumRanker(directions="larger").fit(X, groups)
    assert_array_equal(ranker.rank_sums(X, groups), np.full(10, 0.5))


@both
def test_donors_change_nothing_for_the_others(baseline):
    X, groups = _contest(3, with_donors=True)
    is_item = ~groups["donor"]
    with_donors = baseline(directions=DIRECTIONS).fit(X, groups)
    without = baseline(directions=DIRECTIONS).fit(X[is_item], groups[is_item])
    assert_array_equal(with_donors.reference_, without.reference_)
    assert_array_equal(with_donors.predict(X), without.predict(X))
    score = with_donors.predict(X, groups)
    assert_array_equal(score[is_item], without.predict(X[is_item], groups[is_item]))
    assert np.isfinite(score).all()
    assert_array_equal(np.isnan(with_donors.rank(X, groups)), ~is_item)


# Among the training rows


@pytest.mark.parametrize("seed", range(5))
def test_ranks_among_training_rows_equal_the_double_loop(seed):
    seen, groups = _contest(seed, with_items=True)
    X, _ = _contest(seed + 100)
    rank_sum = RankSumRanker(directions=DIRECTIONS).fit(seen, groups)
    top_count = TopCountRanker(directions=DIRECTIONS).fit(seen, groups)
    n_items = len(set(zip(groups["group"], groups["item"], strict=True)))
    mean_size = n_items / len(set(groups["group"]))
    assert top_count.mean_group_size_ == pytest.approx(mean_size)

    def points(value, word):
        return {"larger": value, "smaller": -value, "nearest_zero": -abs(value)}[word]

    for row, by_ranks, by_tops in zip(
        X, rank_sum.predict(X), top_count.predict(X), strict=True
    ):
        expected_ranks, expected_tops = 0.0, 0.0
        for value, column, word in zip(row, seen.T, DIRECTIONS, strict=True):
            oriented = points(value, word)
            others = [points(other, word) for other in column]
            better = np.mean([other > oriented for other in others])
            equal = np.mean([other == oriented for other in others])
            expected_ranks -= better + equal / 2
            expected_tops += (1 - better) ** max(mean_size - 1, 1)
        assert_allclose(by_ranks, expected_ranks, atol=1e-12)
        assert_allclose(by_tops, expected_tops, atol=1e-12)


def test_expected_tops_are_the_share_of_groups_where_nothing_is_better():
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(400, 1))
    groups = Groups.from_arrays(group=np.repeat(np.arange(100), 4))
    ranker = TopCountRanker(directions="larger").fit(seen, groups)
    drawn = rng.choice(seen[:, 0], size=(100_000, 3))
    for value in np.quantile(seen, [0.1, 0.5, 0.9]):
        share = np.mean(np.all(drawn <= value, axis=1))
        assert_allclose(ranker.predict([[value]]), share, atol=0.01)


@both
def test_a_row_alone_does_not_depend_on_its_neighbours(baseline):
    X, groups = _contest(0)
    ranker = baseline(directions=DIRECTIONS).fit(X, groups)
    score = ranker.predict(X)
    assert_array_equal(np.concatenate([ranker.predict([row]) for row in X]), score)
    # Groups do: the two are different questions.
    assert np.any(ranker.predict(X, groups) != score)


@both
def test_a_better_metric_never_lowers_the_score(baseline):
    X, groups = _contest(0)
    ranker = baseline(directions=DIRECTIONS).fit(X, groups)
    step = np.array([1.0, -1.0, 0.0, 1.0])
    better = X + step
    better[:, 2] = X[:, 2] / 2
    assert np.all(ranker.predict(better) >= ranker.predict(X))
    assert ranker.predict(better).sum() > ranker.predict(X).sum()
    best = [[99.0, -99.0, 0.0, 99.0]]
    worst = [[-99.0, 99.0, 99.0, -99.0]]
    extremes = {TopCountRanker: (4.0, 0.0), RankSumRanker: (0.0, -4.0)}[baseline]
    assert ranker.predict(best)[0] == pytest.approx(extremes[0])
    assert ranker.predict(worst)[0] == pytest.approx(extremes[1])


def test_groups_of_one_item_still_rank_rows():
    X = np.arange(4.0)[:, None]
    groups = Groups.from_arrays(group=np.arange(4))
    ranker = TopCountRanker(directions="larger").fit(X, groups)
    assert_allclose(ranker.predict(X), [0.25, 0.5, 0.75, 1.0])


# Directions


@pytest.mark.parametrize(
    ("columns", "directions", "expected"),
    [
        (["FID", "SSIM"], None, ["smaller", "larger"]),
        (["AVOffset", "mine"], {"mine": "smaller"}, ["nearest_zero", "smaller"]),
        (["FID", "mine"], {"FID": "larger", "mine": "larger"}, ["larger", "larger"]),
        (["FID", "mine"], ["smaller", "nearest_zero"], ["smaller", "nearest_zero"]),
        (["FID", "mine"], "larger", ["larger", "larger"]),
        (["x0", "x1"], "smaller", ["smaller", "smaller"]),
        (["x0", "x1"], {"x0": "smaller", "x1": "larger"}, ["smaller", "larger"]),
    ],
)
@both
def test_directions(baseline, columns, directions, expected):
    X = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=columns)
    groups = Groups.from_arrays(group=[0, 0])
    ranker = baseline(directions=directions).fit(X, groups)
    assert ranker.directions_.tolist() == expected
    assert ranker.feature_names_in_.tolist() == columns


@pytest.mark.parametrize("columns", [None, ["x0", "x1"], ["col_00", "col_01"], [7, 8]])
@both
def test_columns_without_names_are_larger_and_say_so(baseline, columns):
    X = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=columns)
    groups = Groups.from_arrays(group=[0, 0], preference=[1.0, 2.0])
    message = "X has 2 columns without metric names and directions is None: "
    message += f"{baseline.__name__} reads all of them as larger-is-better"
    with pytest.warns(UserWarning, match=re.escape(message)):
        ranker = baseline().fit(X, groups)
    assert ranker.directions_.tolist() == ["larger", "larger"]
    # scikit-learn's checks send a plain target: no warning.
    assert_array_equal(baseline().fit(X, [1.0, 2.0]).directions_, ranker.directions_)


@pytest.mark.parametrize(
    "columns", [["FID", "mine"], ["L1", "L2"], ["x0", "y1"], ["x1", "x0"], ["a", "b"]]
)
@pytest.mark.parametrize("y", [Groups.from_arrays(group=[0, 0]), [1.0, 2.0]])
@both
def test_an_unknown_name_needs_a_direction(baseline, columns, y):
    X = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=columns)
    lacking = [name for name in columns if name != "FID"]
    message = f"directions has no entry for the columns {lacking}; known by name are"
    with pytest.raises(ValueError, match=re.escape(message)):
        baseline().fit(X, y)


# As a scikit-learn estimator


@both
def test_preferences_are_not_needed_and_not_read(baseline):
    X, groups = _contest(0)
    judged = groups.copy()
    judged["preference"] = np.random.default_rng(0).normal(size=len(X))
    ranker = baseline(directions=DIRECTIONS).fit(X, groups)
    again = baseline(directions=DIRECTIONS).fit(X, judged)
    assert np.isnan(groups["preference"]).all()
    assert_array_equal(ranker.predict(X, judged), again.predict(X, groups))
    assert_array_equal(ranker.predict(X), again.predict(X))


@both
def test_score_and_rank_are_those_of_the_scores_in_groups(baseline):
    X, groups = _contest(3)
    groups["preference"] = X[:, 0] + np.random.default_rng(0).normal(size=len(X))
    ranker = baseline(directions=DIRECTIONS).fit(X, groups)
    score = ranker.predict(X, groups)
    assert ranker.score(X, groups) == pairwise_accuracy_score(groups, score)
    assert ranker.score(X, groups) != pairwise_accuracy_score(groups, ranker.predict(X))
    assert_array_equal(ranker.rank(X, groups), rank_items(groups, score))
    # A plain target is one group.
    ranker.fit(X, groups["preference"])
    one = np.zeros(len(X), dtype=int)
    whole = Groups.from_arrays(group=one, preference=groups["preference"])
    assert ranker.score(X, groups["preference"]) == ranker.score(X, whole)


@both
def test_pipelines_and_searches_reach_the_groups(baseline):
    X, groups = _contest(0)
    groups["preference"] = X[:, 0]
    ranker = baseline(directions=["larger"] * 4)
    pipe = make_pipeline(StandardScaler(), ranker).fit(X, groups)
    alone = clone(ranker).fit(X, groups)
    assert_array_equal(pipe.predict(X, groups=groups), alone.predict(X, groups))
    assert pipe.score(X, groups) == alone.score(X, groups)
    assert len(cross_val_score(alone, X, groups, cv=2)) == 2
    search = GridSearchCV(alone, {"directions": ["smaller", "larger"]}, cv=2)
    assert search.fit(X, groups).best_params_ == {"directions": "larger"}
    copy = pickle.loads(pickle.dumps(alone))
    assert_array_equal(copy.predict(X, groups), alone.predict(X, groups))


# Refusals

TWO = Groups.from_arrays(group=[0, 0])


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        (np.ones((3, 2)), TWO, ValueError, "groups has 2 entries but X has 3 rows"),
        ([[1.0], [-np.inf]], TWO, ValueError, "X contains infinity: -inf at row 1"),
        ([[1.0]], TWO[:1], ValueError, "minimum of 2"),
        (
            np.ones((2, 1)),
            Groups.from_arrays(group=[0, 0], donor=[True, True]),
            ValueError,
            "groups marks all 2 rows as donors; {name}.fit needs at least one row",
        ),
        (np.ones((2, 1)), [("a", 1), ("a", 2)], TypeError, "groups is list of 2 tuple"),
        (np.ones((2, 1)), [1.0, np.inf], ValueError, "Input y contains infinity"),
        (np.ones((2, 3)), TWO, ValueError, "directions has 2 entries but X has 3"),
    ],
)
@both
def test_bad_data_leaves_a_fitted_ranker_as_it_was(baseline, X, y, error, message):
    good = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["SSIM", "FID"])
    ranker = baseline(directions=["larger", "smaller"]).fit(good, TWO)
    before, score = dict(vars(ranker)), ranker.predict(good)
    with pytest.raises(error, match=re.escape(message.format(name=baseline.__name__))):
        ranker.fit(X, y)
    assert vars(ranker) == before
    assert_array_equal(ranker.predict(good), score)


@pytest.mark.parametrize("word", ["bigger", 3])
@both
def test_bad_directions_leave_a_fitted_ranker_as_it_was(baseline, word):
    good = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["SSIM", "FID"])
    ranker = baseline().fit(good, TWO).set_params(directions=word)
    before = dict(vars(ranker))
    with pytest.raises((ValueError, TypeError), match="directions is "):
        ranker.fit(good.to_numpy()[:, :1], TWO)
    assert vars(ranker) == before


@pytest.mark.parametrize(
    ("baseline", "method"),
    [
        (TopCountRanker, "predict"),
        (TopCountRanker, "rank"),
        (RankSumRanker, "predict"),
        (RankSumRanker, "rank"),
        (RankSumRanker, "rank_sums"),
    ],
)
def test_bad_groups_and_columns_in_every_method(baseline, method):
    X = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["SSIM", "FID"])
    ranker = baseline()
    with pytest.raises(NotFittedError):
        getattr(ranker, method)(X, TWO)
    call = getattr(ranker.fit(X, TWO), method)
    name = f"{baseline.__name__}.{method}"
    message = f"{name} takes groups as a structured array of Groups, got ndarray of"
    with pytest.raises(TypeError, match=re.escape(message)):
        call(X, np.array([0, 0]))
    with pytest.raises(ValueError, match="groups has 1 entries but X has 2 rows"):
        call(X, TWO[:1])
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        call(X[["FID", "SSIM"]], TWO)
    with pytest.raises(ValueError, match="now missing:\n- FID"):
        call(X[["SSIM"]], TWO)


@both
def test_score_refuses_unjudged_rows(baseline):
    X = pd.DataFrame({"SSIM": [1.0, 2.0]})
    ranker = baseline().fit(X, TWO)
    message = f"{baseline.__name__}.score needs every row judged"
    with pytest.raises(ValueError, match=re.escape(message)):
        ranker.score(X, TWO)


@both
def test_rows_of_weight_zero_are_as_if_they_were_not_there(baseline):
    X, plain = _contest(0)
    rng = np.random.default_rng(1)
    groups = Groups.from_arrays(
        group=plain["group"],
        preference=rng.normal(size=len(X)),
        weight=rng.integers(2, size=len(X)),
    )
    kept = groups["weight"] > 0
    ranker = baseline(directions=DIRECTIONS).fit(X, groups)
    expected = clone(ranker).fit(X[kept], groups[kept])
    assert_array_equal(ranker.reference_, expected.reference_)
    assert_array_equal(
        ranker.predict(X, groups)[kept], expected.predict(X[kept], groups[kept])
    )
    assert ranker.score(X, groups) == expected.score(X[kept], groups[kept])
    # A rank is asked for the rows as they are.
    assert_array_equal(ranker.rank(X, groups), ranker.rank(X, plain))
    groups["weight"] = 0.0
    with pytest.raises(ValueError, match=re.escape(f"of all {len(X)} rows is zero")):
        clone(ranker).fit(X, groups)
