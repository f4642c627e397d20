"""Paired differences of a comparison: the corrected interval, and its coverage."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from sklearn.model_selection import GroupShuffleSplit

from sklearn_pscore import Groups, SingleMetricRanker
from sklearn_pscore.metrics import pairwise_accuracy_scorer
from sklearn_pscore.model_selection import RankerComparison, compare_rankers

N, N_TEST, N_SPLITS, N_DRAWS = 60, 12, 20, 300


def comparison_of(values, sizes=None, over="fold"):
    """Return a comparison of methods by name, with a value per fold."""
    rows = [
        {"method": name, "seed": pd.NA, "fold": fold, "acc": value, "fit_seconds": 0.0}
        for name, of_folds in values.items()
        for fold, value in enumerate(of_folds)
    ]
    frame = pd.DataFrame(rows).astype({"seed": "Int64"})
    return RankerComparison(frame, ("acc",), None, over, sizes=sizes)


def test_the_interval_is_that_of_a_corrected_t_test():
    values = {"a": [0.9, 0.7, 0.8, 0.8], "b": [0.6, 0.6, 0.7, 0.5]}
    sizes = pd.DataFrame(
        {"fold": range(4), "n_train": [30, 30, 40, 40], "n_test": [20, 20, 10, 10]}
    )
    paired = comparison_of(values, sizes).paired("a", "b", "acc", level=0.9)
    # Written out: differences .3, .1, .1, .3 of variance .04 / 3.
    error = np.sqrt((1 / 4 + 60 / 140) * 0.04 / 3)
    assert_allclose(paired.standard_error, error)
    half = stats.t.ppf(0.95, 3) * error
    assert_allclose([paired.low, paired.high], [0.2 - half, 0.2 + half])
    assert_allclose(paired.p_value, 2 * stats.t.sf(0.2 / error, 3))
    # Without the correction it is scipy's test.
    t = stats.ttest_rel(values["a"], values["b"]).statistic
    assert_allclose(0.2 / (np.sqrt(1 / 4) * np.sqrt(0.04 / 3)), t)
    assert paired.p_value > stats.ttest_rel(values["a"], values["b"]).pvalue


def test_the_other_way_round_it_is_the_negative():
    values = {"a": [0.9, 0.7, 0.9], "b": [0.6, 0.6, 0.7]}
    there = comparison_of(values).paired("a", "b", "acc")
    back = comparison_of(values).paired("b", "a", "acc")
    assert_allclose(
        [back.mean, back.low, back.high], [-there.mean, -there.high, -there.low]
    )
    assert_allclose(back.p_value, there.p_value)


def test_folds_of_unknown_size_are_k_folds():
    values = {"a": [0.9, 0.7, 0.8, 0.8, 0.7], "b": [0.6, 0.6, 0.7, 0.5, 0.7]}
    fifths = pd.DataFrame({"fold": range(5), "n_train": 80, "n_test": 20})
    assert comparison_of(values).paired("a", "b", "acc") == comparison_of(
        values, fifths
    ).paired("a", "b", "acc")


@pytest.mark.parametrize("is_learnt", [False, True])
def test_coverage_of_random_splits(is_learnt):
    # A score with a slope of .3 and one of .8, or of the best slope of the training
    # rows, by their squared errors: 20 splits of the same 60 rows are no 20 tests.
    rng = np.random.default_rng(0)
    sizes = pd.DataFrame(
        {"fold": range(N_SPLITS), "n_train": N - N_TEST, "n_test": N_TEST}
    )

    def draw():
        x = rng.normal(size=N)
        return x, 0.6 * x + rng.normal(size=N)

    def errors(x, y, test):
        train = np.setdiff1d(np.arange(N), test)
        slope = (x[train] @ y[train]) / (x[train] @ x[train]) if is_learnt else 0.8
        return [np.mean((y[test] - s * x[test]) ** 2) for s in (0.3, slope)]

    truth = np.mean([np.subtract(*errors(*draw(), range(N_TEST))) for _ in range(9000)])
    is_held, is_held_naively = [], []
    for _ in range(N_DRAWS):
        x, y = draw()
        tests = [rng.permutation(N)[:N_TEST] for _ in range(N_SPLITS)]
        a, b = np.transpose([errors(x, y, test) for test in tests])
        paired = comparison_of({"a": a, "b": b}, sizes).paired("a", "b", "acc")
        is_held.append(paired.low <= truth <= paired.high)
        naive = stats.ttest_rel(a, b).confidence_interval()
        is_held_naively.append(naive.low <= truth <= naive.high)
    # The correction is exact where nothing is learnt, and near where it is.
    assert (0.87 if is_learnt else 0.92) <= np.mean(is_held) <= 0.98
    assert np.mean(is_held_naively) < 0.75


def test_sizes_are_those_of_the_rows_that_count():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 2))
    groups = Groups.from_arrays(
        group=np.repeat(np.arange(12), 5),
        preference=rng.normal(size=60),
        weight=np.r_[0.0, np.ones(59)],
    )
    cv = GroupShuffleSplit(4, test_size=3, random_state=0)
    rankers = {k: SingleMetricRanker(k, "larger") for k in range(2)}
    rankers = {f"x{k}": ranker for k, ranker in rankers.items()}
    scoring = {"acc": pairwise_accuracy_scorer}
    comparison = compare_rankers(
        rankers, X, groups, cv=cv, cv_groups=groups["group"], scoring=scoring, n_seeds=1
    )
    sizes = comparison.sizes
    assert sizes["fold"].tolist() == [0, 1, 2, 3]
    assert ((sizes["n_train"] + sizes["n_test"]) == 59).all()
    assert sizes["n_test"].isin([14, 15]).all()
    paired = comparison.paired("x0", "x1", "acc")
    by_fold = comparison.rows.pivot_table("acc", "fold", "method")
    spread = (by_fold["x0"] - by_fold["x1"]).std()
    ratio = sizes["n_test"].sum() / sizes["n_train"].sum()
    assert_allclose(paired.standard_error, spread * np.sqrt(1 / 4 + ratio))
    # Rivals that were trained on are no rows of the test: a system left out.
    system = np.tile(np.arange(5), 12)
    whole = np.arange(5, 60)
    folds = [(whole[system[5:] != s], whole) for s in range(5)]
    left_out = compare_rankers(rankers, X, groups, cv=folds, scoring=scoring, n_seeds=1)
    assert left_out.sizes["n_test"].tolist() == [11] * 5
    given = compare_rankers(rankers, X, groups, test=(X[5:], groups[5:]), n_seeds=1)
    assert given.sizes.to_dict("list") == {"fold": [0], "n_train": [59], "n_test": [55]}


def test_differences_are_the_pairs_with_one_method():
    values = {"a": [0.9, 0.7, 0.8], "b": [0.6, 0.6, 0.7], "c": [0.9, 0.7, 0.8]}
    rows = comparison_of({"GT": [1.0, 1.0, 1.0], **values}).rows
    comparison = RankerComparison(rows, ("acc",), "GT", "fold")
    table = comparison.differences("a", "acc", level=0.8)
    assert table.index.tolist() == ["b", "c"]
    assert table.index.name == "method"
    columns = ["difference", "std_error", "low", "high", "p_value", "n_runs"]
    assert table.columns.tolist() == columns
    paired = comparison.paired("a", "b", "acc", level=0.8)
    expected = [paired.mean, paired.standard_error, paired.low, paired.high]
    assert table.loc["b"].tolist() == [*expected, paired.p_value, 3]
    # Methods that score alike do not differ, for sure.
    assert table.loc["c"].tolist() == [0.0, 0.0, 0.0, 0.0, 1.0, 3]


def test_a_difference_that_is_the_same_in_all_runs_is_sure():
    paired = comparison_of({"a": [3.0, 2.0], "b": [2.0, 1.0]}).paired("a", "b", "acc")
    assert (paired.low, paired.high, paired.p_value) == (1.0, 1.0, 0.0)


def test_of_one_method_there_is_no_difference():
    comparison = comparison_of({"a": [0.9, 0.7]})
    assert len(comparison.differences("a", "acc")) == 0
    message = "method is 'b'; expected one of ['a']"
    with pytest.raises(ValueError, match=re.escape(message)):
        comparison.differences("b", "acc")


@pytest.mark.parametrize("level", [0, 1.0, "95", True])
def test_levels_that_are_none(level):
    comparison = comparison_of({"a": [0.9, 0.7], "b": [0.2, 0.7]})
    message = (
        "The 'level' parameter of RankerComparison.paired must be a float in the range "
        f"(0, 1). Got {level!r} instead."
    )
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        comparison.paired("a", "b", "acc", level=level)


def test_intervals_of_means_are_those_of_a_difference_to_zero():
    values = {"a": [0.9, 0.7, 0.8, 0.8], "b": [0.6, 0.6, 0.7, 0.5], "none": [0.0] * 4}
    sizes = pd.DataFrame({"fold": range(4), "n_train": 35, "n_test": 15})
    comparison = comparison_of(values, sizes)
    table = comparison.intervals("acc", level=0.9)
    assert table.index.tolist() == ["a", "b", "none"]
    columns = ["mean", "std_error", "low", "high", "n_runs"]
    assert table.columns.tolist() == columns
    for name in ("a", "b"):
        paired = comparison.paired(name, "none", "acc", level=0.9)
        expected = (paired.mean, paired.standard_error, paired.low, paired.high, 4)
        assert_allclose(table.loc[name], expected)
    assert_allclose(table.loc["none"], [0, 0, 0, 0, 4])


def test_intervals_over_seeds_and_of_a_single_run():
    rows = pd.DataFrame(
        {
            "method": ["PS", "PS", "RS"],
            "seed": pd.array([1, 2, pd.NA], dtype="Int64"),
            "fold": 0,
            "acc": [0.7, 0.9, 0.5],
            "fit_seconds": 0.0,
        }
    )
    table = RankerComparison(rows, ("acc",), None, "seed").intervals("acc")
    assert_allclose(table["mean"], [0.8, 0.5])
    half = stats.t.ppf(0.975, 1) * 0.1
    assert_allclose(table.loc["PS", ["low", "high"]], [0.8 - half, 0.8 + half])
    assert table.loc["RS", ["std_error", "low", "high"]].isna().all()
    with pytest.raises(ValueError, match=re.escape("metric is 'DCG'; expected one of")):
        RankerComparison(rows, ("acc",), None, "seed").intervals("DCG")
    with pytest.raises(
        ValueError, match="'level' parameter of RankerComparison.interv"
    ):
        RankerComparison(rows, ("acc",), None, "seed").intervals("acc", level=2)
