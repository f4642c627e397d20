"""Comparison of rankers: runs, seeds, folds, and what is refused."""

import io
import re
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sklearn_pscore import Groups, LevelClassifierRanker, RankSumRanker
from sklearn_pscore.metrics import dcg_score, reciprocal_rank_score
from sklearn_pscore.model_selection import PreferenceGroupKFold, compare_rankers


class Linear(RegressorMixin, BaseEstimator):
    """A deterministic regressor on the preference."""

    def fit(self, X, y):
        preference = y["preference"] if y.dtype.names else y
        self.model_ = LinearRegression().fit(X, preference)
        self.n_rows_ = len(X)
        return self

    def predict(self, X):
        return self.model_.predict(X)


class Noisy(Linear):
    """The same with noise from its seed."""

    def __init__(self, noise=1.0, random_state=None):
        self.noise = noise
        self.random_state = random_state

    def predict(self, X):
        rng = np.random.default_rng(self.random_state)
        return super().predict(X) + self.noise * rng.normal(size=len(X))


class Failing(Linear):
    """A ranker that must not get as far as fit, or fails there."""

    def fit(self, X, y):
        raise RuntimeError("fit was called")


class NativeSeed(Linear):
    """A ranker with the other name of the seed, as CatBoost has it."""

    def __init__(self, random_seed=None):
        self.random_seed = random_seed


def mean_error(ranker, X, groups):
    """Score by minus the mean absolute difference to the preference."""
    return -np.mean(np.abs(ranker.predict(X) - groups["preference"]))


def seed_of(name):
    """Return a scorer that tells which seed a ranker was given."""

    def scorer(ranker, X, groups):
        return ranker.get_params()[name]

    return scorer


def count_rows(ranker, X, groups):
    """Score by the number of training rows plus a fraction for the test rows."""
    return getattr(ranker, "n_rows_", 0) + len(X) / 1000


def make_data(seed=0, n_groups=6, size=4):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_groups * size, 2))
    preference = X @ [1.0, -2.0] + 0.1 * rng.normal(size=len(X))
    group = rng.permutation(np.repeat(np.arange(n_groups), size))
    return X, Groups.from_arrays(group=group, preference=preference)


X, GROUPS = make_data()
X_TEST, GROUPS_TEST = make_data(1)
TEST = (X_TEST, GROUPS_TEST)
ERROR = {"error": mean_error}


def test_rows_with_test_data():
    rankers = {"linear": Linear(), "noisy": Noisy()}
    comparison = compare_rankers(
        rankers, X, GROUPS, test=TEST, n_seeds=3, scoring={"a": mean_error, **ERROR}
    )
    rows = comparison.rows
    assert list(rows) == ["method", "seed", "fold", "a", "error", "fit_seconds"]
    assert rows["method"].tolist() == ["GT", "linear", "noisy", "noisy", "noisy"]
    assert rows["seed"].isna().tolist() == [True, True, False, False, False]
    assert rows["seed"].nunique() == 3
    assert_array_equal(rows["fold"], 0)
    assert_array_equal(rows["a"], rows["error"])
    assert (rows["fit_seconds"] >= 0).all()
    assert comparison.methods == ("GT", "linear", "noisy")
    assert comparison.metrics == ("a", "error")
    assert comparison.over == "seed"
    expected = [0.0, mean_error(Linear().fit(X, GROUPS), *TEST)]
    expected += [
        mean_error(Noisy(random_state=int(seed)).fit(X, GROUPS), *TEST)
        for seed in rows["seed"].dropna()
    ]
    assert_array_equal(rows["error"], expected)


def test_rows_with_folds():
    rankers = {"linear": Linear(), "noisy": Noisy()}
    comparison = compare_rankers(
        rankers, X, GROUPS, cv=3, n_seeds=2, scoring={"rows": count_rows, **ERROR}
    )
    rows = comparison.rows
    assert comparison.over == "fold"
    assert rows["method"].tolist() == ["GT"] * 3 + ["linear"] * 3 + ["noisy"] * 6
    assert rows["fold"].tolist() == [0, 1, 2] * 4
    seeds = rows["seed"][6:].tolist()
    assert seeds == [seeds[0]] * 3 + [seeds[3]] * 3
    assert seeds[0] != seeds[3]
    for fold, (train, test) in enumerate(PreferenceGroupKFold(3).split(X, GROUPS)):
        linear = Linear().fit(X[train], GROUPS[train])
        row = rows[(rows["method"] == "linear") & (rows["fold"] == fold)].iloc[0]
        assert row["error"] == mean_error(linear, X[test], GROUPS[test])
        assert row["rows"] == len(train) + len(test) / 1000


def test_default_metrics_give_the_truth_the_best_value():
    comparison = compare_rankers({"noisy": Noisy(5.0)}, X, GROUPS, test=TEST, n_seeds=2)
    table = comparison.table()
    assert comparison.metrics == ("MRR", "DCG")
    best = sum(
        gain / np.log2(1 + rank) for rank, gain in enumerate([4, 3, 2, 1], start=1)
    )
    assert_allclose(table.loc["GT"], [1.0, 0.0, best, 0.0])
    assert table.loc["noisy", ("DCG", "mean")] < best


def test_seeds_are_shared_nested_ones_differ_and_none_is_left():
    pipe = make_pipeline(StandardScaler(), Noisy(random_state=0), memory=None)
    rankers = {"plain": Noisy(), "other": Noisy(2.0), "native": NativeSeed()}
    names = {"plain": "random_state", "other": "random_state", "native": "random_seed"}
    given = {}
    for name, ranker in rankers.items():
        comparison = compare_rankers(
            {name: ranker},
            X,
            GROUPS,
            test=TEST,
            truth=None,
            n_seeds=4,
            scoring={"seed of the ranker": seed_of(names[name])},
        )
        assert_array_equal(
            comparison.rows["seed of the ranker"], comparison.rows["seed"]
        )
        given[name] = comparison.rows["seed of the ranker"].tolist()
    assert given["plain"] == given["other"] == given["native"]
    assert len(set(given["plain"])) == 4
    nested = compare_rankers(
        {"pipe": pipe},
        X,
        GROUPS,
        test=TEST,
        truth=None,
        n_seeds=4,
        scoring={"seed of the ranker": seed_of("noisy__random_state")},
    ).rows["seed of the ranker"]
    assert nested.nunique() == 4
    assert not set(nested) & {0, *given["plain"]}


def test_parts_of_one_pipeline_get_different_seeds_and_the_ranker_stays_as_it_was():
    pipe = make_pipeline(StandardScaler(), Noisy(random_state=7))
    pair = BaggedPair(first=Noisy(), second=pipe)
    scoring = {
        name: seed_of(name)
        for name in ("first__random_state", "second__noisy__random_state")
    }
    rows = compare_rankers(
        {"pair": pair}, X, GROUPS, test=TEST, truth=None, n_seeds=3, scoring=scoring
    ).rows
    assert rows[list(scoring)].stack().nunique() == 6
    assert pipe[-1].random_state == 7
    assert pair.first.random_state is None
    assert not hasattr(pipe[-1], "model_")


class BaggedPair(Linear):
    """Two rankers in one; it fits neither."""

    def __init__(self, first=None, second=None):
        self.first = first
        self.second = second


def test_random_state_decides_the_seeds():
    def seeds(random_state, n_seeds=3):
        comparison = compare_rankers(
            {"noisy": Noisy()},
            X,
            GROUPS,
            test=TEST,
            scoring=ERROR,
            n_seeds=n_seeds,
            random_state=random_state,
        )
        return comparison.rows["seed"].dropna().tolist()

    assert seeds(0) == seeds(0)
    assert seeds(0) != seeds(1)
    assert seeds(np.random.RandomState(1)) == seeds(1)


def test_result_does_not_depend_on_n_jobs():
    def rows(n_jobs):
        comparison = compare_rankers(
            {"linear": Linear(), "noisy": Noisy()},
            X,
            GROUPS,
            cv=2,
            n_seeds=2,
            scoring=ERROR,
            n_jobs=n_jobs,
        )
        return comparison.rows.drop(columns="fit_seconds")

    assert_frame_equal(rows(2), rows(None))


def test_reference_judges_and_groups_train():
    winners = Groups.from_winners(
        group=GROUPS["group"], winner=GROUPS["preference"] > 1
    )
    comparison = compare_rankers(
        {"linear": Linear()}, X, winners, cv=2, reference=GROUPS, scoring=ERROR
    )
    splits = list(PreferenceGroupKFold(2).split(X, winners))
    expected = [
        mean_error(Linear().fit(X[train], winners[train]), X[test], GROUPS[test])
        for train, test in splits
    ]
    assert_array_equal(comparison.rows["error"], [0.0, 0.0, *expected])


@pytest.mark.parametrize("kind", ["pandas", "numpy"])
def test_frames_reach_the_ranker_as_frames(kind):
    class NeedsKind(Linear):
        def fit(self, X, y):
            assert isinstance(X, pd.DataFrame) == (kind == "pandas")
            return super().fit(X, y)

    data = pd.DataFrame(X, columns=["a", "b"]) if kind == "pandas" else X
    comparison = compare_rankers(
        {"ranker": NeedsKind()}, data, GROUPS, cv=2, scoring=ERROR
    )
    assert len(comparison.rows) == 4


@pytest.mark.filterwarnings("ignore:compare_rankers got:UserWarning")
def test_other_splitters_labels_and_ready_made_splits():
    portrait = np.arange(len(X)) % 3
    by_portrait = compare_rankers(
        {"linear": Linear()}, X, GROUPS, cv=3, cv_groups=portrait, scoring=ERROR
    )
    ready_made = compare_rankers(
        {"linear": Linear()},
        X,
        GROUPS,
        cv=list(PreferenceGroupKFold(3).split(X, GROUPS, portrait)),
        scoring=ERROR,
    )
    assert_array_equal(by_portrait.rows["error"], ready_made.rows["error"])
    random = ShuffleSplit(2, test_size=0.5, random_state=np.random.RandomState(0))
    comparison = compare_rankers(
        {"a": Linear(), "b": Linear()}, X, GROUPS, cv=random, scoring=ERROR
    )
    assert comparison.paired("a", "b", "error")[:3] == (0.0, 0.0, 2)
    assert comparison.paired("a", "b", "error").p_value == 1.0


def test_plain_target_is_one_group():
    scoring = {"error": lambda ranker, X, y: -np.mean(np.abs(ranker.predict(X) - y))}
    comparison = compare_rankers(
        {"linear": Linear()}, X, GROUPS["preference"], cv=KFold(2), scoring=scoring
    )
    assert comparison.table().loc["GT", ("error", "mean")] == 0.0


def test_unjudged_donors_do_not_disturb_the_truth():
    donor = np.arange(len(X)) < 3
    groups = Groups.from_arrays(
        group=GROUPS["group"],
        preference=np.where(donor, np.nan, GROUPS["preference"]),
        donor=donor,
    )

    def finite(ranker, X, groups):
        return float(np.isfinite(ranker.predict(X)).all())

    comparison = compare_rankers(
        {"linear": Linear()},
        X,
        GROUPS,
        test=(X, groups),
        scoring={"finite": finite},
    )
    assert_array_equal(comparison.rows["finite"], 1.0)


def test_package_rankers_are_scored_by_the_package_metrics():
    winners = Groups.from_winners(
        group=GROUPS["group"], winner=GROUPS["preference"] > 1
    )
    rankers = {
        "RS": make_pipeline(StandardScaler(), RankSumRanker(directions="larger")),
        "DT": LevelClassifierRanker(DecisionTreeClassifier(max_depth=2)),
    }
    rows = compare_rankers(rankers, X, winners, test=TEST, n_seeds=2).rows
    scaler = StandardScaler().fit(X)
    rank_sum = RankSumRanker(directions="larger").fit(scaler.transform(X), winners)
    y_score = rank_sum.predict(scaler.transform(X_TEST), GROUPS_TEST)
    row = rows[rows["method"] == "RS"]
    assert len(row) == 1
    assert row["MRR"].item() == reciprocal_rank_score(GROUPS_TEST, y_score)
    assert row["DCG"].item() == dcg_score(GROUPS_TEST, y_score)
    assert (rows["method"] == "DT").sum() == 2


def test_silence(capfd):
    compare_rankers({"linear": Linear()}, X, GROUPS, test=TEST, scoring=ERROR)
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.parametrize(("verbose", "n_lines"), [(1, 11), (2, 16)])
def test_plain_lines_without_a_terminal(verbose, n_lines, capfd):
    rankers = {"linear <b>": Linear(), "noisy": Noisy()}
    scoring = {**ERROR, "rows": count_rows}
    comparison = compare_rankers(
        rankers, X, GROUPS, cv=2, scoring=scoring, n_seeds=7, verbose=verbose
    )
    out, err = capfd.readouterr()
    assert out == ""
    assert "\r" not in err
    assert "\x1b" not in err
    lines = err.splitlines()
    # Of 16 fits: the first, each tenth, and the last of each ranker.
    assert len(lines) == n_lines
    means = comparison.rows.groupby("method")["error"].mean()
    done = [line for line in lines if line.startswith("[compare_rankers] fit 2 of 16")]
    text = f"fit 2 of 16, linear <b>: error {means['linear <b>']:.3f}, "
    assert done[0].startswith(f"[compare_rankers] {text}")
    assert done[0].endswith(" left")
    text = f"fit 16 of 16, noisy: error {means['noisy']:.3f}, 0:00 left"
    assert lines[-1] == f"[compare_rankers] {text}"


def test_progress_bar_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    rankers = {"linear": Linear(), "noisy": Noisy()}
    compare_rankers(rankers, X, GROUPS, cv=2, scoring=ERROR, n_seeds=3, verbose=1)
    # Two folds of one run without a seed and of three with one.
    last = sys.stderr.getvalue().rstrip("\n").split("\r")[-1]
    assert last.startswith("fit 8/8 |")
    assert ", noisy: error -0." in last


UNJUDGED = Groups.from_arrays(group=GROUPS["group"])
ROWS = np.arange(len(X))

BAD_ARGUMENTS = {
    "list": ({"rankers": [Failing()]}, TypeError, "rankers is list"),
    "empty": ({"rankers": {}}, ValueError, "rankers is empty; expected at least one"),
    "no fit": (
        {"rankers": {"scaler": StandardScaler()}},
        TypeError,
        "rankers['scaler'] is StandardScaler and has no predict",
    ),
    "no estimator": (
        {"rankers": {"text": "PS"}},
        TypeError,
        "rankers['text'] is str 'PS' and has no fit",
    ),
    "class": (
        {"rankers": {"linear": Linear}},
        TypeError,
        "rankers['linear'] is the class Linear and is a class",
    ),
    "name of the truth": (
        {"rankers": {"GT": Failing()}},
        ValueError,
        "rankers has the name 'GT', which is that of the truth",
    ),
    "truth of another type": (
        {"truth": 3},
        TypeError,
        "truth is int 3; expected a name",
    ),
    "truth that has no hash": ({"truth": {}}, TypeError, "truth is dict; expected a"),
    "text as n_jobs": ({"n_jobs": "two"}, TypeError, "n_jobs is str 'two'; expected a"),
    "half a job": (
        {"n_jobs": 1.5},
        TypeError,
        "n_jobs is float 1.5; expected a number",
    ),
    "no job": ({"n_jobs": 0}, ValueError, "n_jobs is int 0; expected a number of"),
    "more runs than seeds": (
        {"n_seeds": 10**30},
        ValueError,
        f"n_seeds is {10**30}; expected at least 1 run, and at most 2147483647",
    ),
    "numbers as test": (
        {"test": [1, 2]},
        TypeError,
        "X_test is int; expected one row per sample",
    ),
    "no target of the test": (
        {"test": (X_TEST, None)},
        ValueError,
        "the target y is None; expected groups_test to be a target. Build the target",
    ),
    "no seed": (
        {"random_state": "0"},
        ValueError,
        "of compare_rankers must be an int in the range [0, 4294967295], a RandomState "
        "or None. Got '0' instead.",
    ),
    "neither": ({"test": None}, ValueError, "neither of test and cv were passed"),
    "both": ({"cv": 3}, ValueError, "both of test and cv were passed"),
    "no pair": ({"test": X_TEST}, TypeError, "test is ndarray of shape (24, 2)"),
    "triple": ({"test": (1, 2, 3)}, TypeError, "test is tuple (1, 2, 3); expected a"),
    "other features": (
        {"test": (X_TEST[:, :1], GROUPS_TEST)},
        ValueError,
        "X_test has 1 features but X has 2",
    ),
    "test of other length": (
        {"test": (X_TEST, GROUPS_TEST[:5])},
        ValueError,
        "groups_test has 5 entries but X has 24 rows",
    ),
    "unjudged test": (
        {"test": (X_TEST, UNJUDGED)},
        ValueError,
        "groups_test has no preference (NaN) in 24 of 24 rows",
    ),
    "groups of other length": (
        {"groups": GROUPS[:5]},
        ValueError,
        "groups has 5 entries but X has 24 rows",
    ),
    "reference with test": (
        {"reference": GROUPS},
        ValueError,
        "reference was passed together with test",
    ),
    "cv_groups with test": (
        {"cv_groups": np.arange(24)},
        ValueError,
        "cv_groups was passed together with test",
    ),
    "reference of other length": (
        {"test": None, "cv": 2, "reference": GROUPS[:5]},
        ValueError,
        "reference has 5 entries but X has 24 rows",
    ),
    "reference in other order": (
        {
            "groups": Groups.from_arrays(group=[0] * 12 + [1] * 12),
            "test": None,
            "cv": 2,
            "reference": Groups.from_arrays(
                group=[0] * 11 + [1] * 13, preference=np.arange(24)
            ),
        },
        ValueError,
        "reference has group 1 at row 11 but groups has 0",
    ),
    "reference with other labels": (
        {
            "test": None,
            "cv": 2,
            "reference": Groups.from_arrays(group=["a"] * 24, preference=X[:, 0]),
        },
        ValueError,
        "reference has group a at row 0 but groups has",
    ),
    "unjudged reference": (
        {"test": None, "cv": 2, "reference": UNJUDGED},
        ValueError,
        "reference has no preference (NaN) in 24 of 24 rows",
    ),
    "unjudged groups": (
        {"groups": UNJUDGED, "test": None, "cv": 2},
        ValueError,
        "groups has no preference (NaN) in 24 of 24 rows",
    ),
    "test without a pair": (
        {"test": (X_TEST, Groups.from_arrays(group=np.arange(24), preference=ROWS))},
        ValueError,
        "No comparable pairs: 24 items in 24 groups",
    ),
    "no fold": (
        {"test": None, "cv": []},
        ValueError,
        "cv is list [] and gives no fold; expected at least one pair",
    ),
    "no pair of parts": (
        {"test": None, "cv": [ROWS]},
        TypeError,
        "fold 0 of cv is ndarray of shape (24,); expected a pair (train, test)",
    ),
    "empty training part": (
        {"test": None, "cv": [(ROWS, ROWS), ([], ROWS)]},
        ValueError,
        "train of fold 1 of cv is empty; expected at least one row",
    ),
    "empty test part": (
        {"test": None, "cv": [(ROWS, np.zeros(24, dtype=bool))]},
        ValueError,
        "test of fold 0 of cv is empty; expected at least one row",
    ),
    "row out of range": (
        {"test": None, "cv": [(ROWS, [0, 24])]},
        ValueError,
        "test of fold 0 of cv has row 24 but X has 24 rows; expected numbers from 0",
    ),
    "negative row": (
        {"test": None, "cv": [([3, -1], ROWS)]},
        ValueError,
        "train of fold 0 of cv has row -1 but X has 24 rows",
    ),
    "rows that are no integers": (
        {"test": None, "cv": [([0.0, 1.0], ROWS)]},
        TypeError,
        "train of fold 0 of cv is list [0.0, 1.0]; expected row numbers",
    ),
    "mask of other length": (
        {"test": None, "cv": [(ROWS, np.ones(5, dtype=bool))]},
        TypeError,
        "test of fold 0 of cv is ndarray of shape (5,); expected row numbers",
    ),
    "fold without a pair": (
        {"test": None, "cv": [(ROWS[1:], ROWS[:1])]},
        ValueError,
        "test of fold 0 of cv: No comparable pairs: 1 items in 1 groups",
    ),
    "other word for failures": (
        {"error_score": "ignore"},
        ValueError,
        "The 'error_score' parameter of compare_rankers must be a float or a str",
    ),
    "no number for failures": (
        {"error_score": None},
        TypeError,
        "must be a float or a str among {'raise'}. Got None instead.",
    ),
    "too many folds": (
        {"test": None, "cv": 7},
        ValueError,
        "n_splits is 7 but the 24 rows (donors left out) are in 6 groups",
    ),
    "no splitter": ({"test": None, "cv": "5"}, ValueError, "Got 5"),
    "no seeds": ({"n_seeds": 0}, ValueError, "n_seeds is 0; expected at least 1 run"),
    "half a seed": ({"n_seeds": 1.5}, TypeError, "n_seeds is 1.5; expected a number"),
    "one scorer": ({"scoring": mean_error}, TypeError, "scoring is function; expected"),
    "no scorer": ({"scoring": {}}, ValueError, "scoring is empty; expected at least"),
    "scorer by name": (
        {"scoring": {"DCG": "dcg"}},
        TypeError,
        "scoring['DCG'] is str 'dcg'; expected a scorer",
    ),
    "name of a column": (
        {"scoring": {"fold": mean_error}},
        ValueError,
        "scoring has the name 'fold'; expected none of",
    ),
}


@pytest.mark.parametrize(
    ("arguments", "error", "message"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS
)
def test_bad_arguments_fail_before_any_fit(arguments, error, message):
    defaults = {"rankers": {"bad": Failing()}, "groups": GROUPS, "test": TEST}
    with pytest.raises(error, match=re.escape(message)):
        compare_rankers(X=X, **{**defaults, "scoring": ERROR, **arguments})


def test_a_metric_is_no_scorer():
    with pytest.raises(TypeError, match=re.escape("make_ranking_scorer(dcg_score)")):
        compare_rankers({"bad": Failing()}, X, GROUPS, cv=2, scoring={"DCG": dcg_score})
