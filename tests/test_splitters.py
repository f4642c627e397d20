"""Splitters: whole groups, donors, labels from the target or beside it."""

import re
from contextlib import nullcontext

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)

from sklearn_pscore import Groups
from sklearn_pscore.model_selection import (
    PreferenceGroupKFold,
    groups_train_test_split,
)

N_GROUPS = 7


class LinearOnPreference(RegressorMixin, BaseEstimator):
    """A regressor on the preference, told to be wrong by a parameter."""

    def __init__(self, sign=1.0):
        self.sign = sign

    def fit(self, X, y):
        self.model_ = LinearRegression().fit(X, y["preference"])
        return self

    def predict(self, X):
        return self.sign * self.model_.predict(X)

    def score(self, X, y):
        return float(np.corrcoef(self.predict(X), y["preference"])[0, 1])


def make_data(seed=0, *, labels="int", donors=False):
    """Unsorted groups of 3 to 9 rows; preference linear in X."""
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.repeat(np.arange(N_GROUPS), np.arange(3, 3 + N_GROUPS)))
    X = rng.normal(size=(len(group), 2))
    if labels == "str":
        group = np.array([f"g{code}" for code in group])
    donor = rng.random(len(group)) < 0.2 if donors else None
    preference = X @ [1.0, -2.0]
    return X, Groups.from_arrays(group=group, preference=preference, donor=donor)


CASES = {
    "ints": ({}, {}),
    "strings": ({"labels": "str"}, {}),
    "shuffled": ({}, {"shuffle": True, "random_state": 3}),
    "donors": ({"donors": True}, {}),
    "donors, shuffled strings": (
        {"labels": "str", "donors": True},
        {"shuffle": True, "random_state": 3},
    ),
}


@pytest.mark.parametrize(("data", "options"), CASES.values(), ids=CASES)
def test_folds_keep_groups_whole_and_test_every_judged_row_once(data, options):
    X, groups = make_data(**data)
    donor = groups["donor"] if "donor" in groups.dtype.names else np.zeros(len(X), bool)
    tested = np.zeros(len(X), dtype=int)
    folds = list(PreferenceGroupKFold(3, **options).split(X, groups))
    assert len(folds) == 3
    for train, test in folds:
        assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(len(X)))
        # Group after group in the order of their first rows, each in that of its rows.
        labels = groups["group"][train].tolist()
        assert labels == sorted(labels, key=groups["group"].tolist().index)
        assert all(
            np.all(np.diff(train[groups["group"][train] == g]) > 0) for g in labels
        )
        judged = train[~donor[train]]
        assert not set(groups["group"][judged]) & set(groups["group"][test])
        assert_array_equal(np.setdiff1d(np.flatnonzero(donor), train), [])
        tested[test] += 1
    assert_array_equal(tested, ~donor)


@pytest.mark.parametrize("labels", ["int", "str"])
def test_without_donors_the_folds_are_those_of_group_kfold(labels):
    X, groups = make_data(labels=labels)
    ours = PreferenceGroupKFold(3).split(X, groups)
    theirs = GroupKFold(3).split(X, groups=groups["group"])
    for (train, test), (expected_train, expected_test) in zip(
        ours, theirs, strict=True
    ):
        assert_array_equal(np.sort(train), expected_train)
        assert_array_equal(test, expected_test)


PORTRAITS = {
    "ints": lambda codes: codes,
    "list of str": lambda codes: [f"p{code}" for code in codes],
    "pandas": lambda codes: pd.Series([f"p{code}" for code in codes]),
    "polars": lambda codes: pl.Series([f"p{code}" for code in codes]),
}


@pytest.mark.parametrize("form", PORTRAITS.values(), ids=PORTRAITS)
@pytest.mark.parametrize("target", ["structured", "plain", "none"])
def test_groups_argument_splits_by_other_labels(form, target):
    X, groups = make_data()
    portrait = np.arange(len(X)) % 4
    y = {"structured": groups, "plain": groups["preference"], "none": None}[target]
    # A plain target is one group to a ranker, whatever the rows are split by.
    warned = pytest.warns(UserWarning, match="y is a plain array")
    with warned if target == "plain" else nullcontext():
        folds = PreferenceGroupKFold(4).split(X, y, form(portrait))
    tested = [set(portrait[test]) for _, test in folds]
    assert sorted(map(sorted, tested)) == [[0], [1], [2], [3]]


def test_donors_train_even_where_the_other_labels_are_tested():
    X, groups = make_data(donors=True)
    portrait = np.arange(len(X)) % 4
    donors = np.flatnonzero(groups["donor"])
    for train, test in PreferenceGroupKFold(2).split(X, groups, portrait):
        assert_array_equal(np.intersect1d(donors, train), donors)
        assert len(np.intersect1d(donors, test)) == 0


def test_shuffling_follows_random_state():
    X, groups = make_data()

    def tested(random_state):
        cv = PreferenceGroupKFold(3, shuffle=True, random_state=random_state)
        return [test.tolist() for _, test in cv.split(X, groups)]

    assert tested(1) == tested(1)
    assert tested(1) != tested(2)


def test_number_of_splits_and_repr():
    cv = PreferenceGroupKFold(4, shuffle=True, random_state=0)
    assert cv.get_n_splits() == 4
    assert PreferenceGroupKFold().get_n_splits() == 5
    assert repr(cv) == "PreferenceGroupKFold(n_splits=4, random_state=0, shuffle=True)"


def test_cross_validate_trains_and_tests_on_whole_groups():
    X, groups = make_data(labels="str")
    result = cross_validate(
        LinearOnPreference(), X, groups, cv=PreferenceGroupKFold(3), return_indices=True
    )
    for train, test in zip(*result["indices"].values(), strict=True):
        assert not set(groups["group"][train]) & set(groups["group"][test])
    assert np.all(result["test_score"] > 0.999)


@pytest.mark.parametrize("routing", [False, True])
def test_cross_validation_by_other_labels(routing):
    X, groups = make_data()
    portrait = np.arange(len(X)) % 4
    passed = {"params": {"groups": portrait}} if routing else {"groups": portrait}
    with config_context(enable_metadata_routing=routing):
        result = cross_validate(
            LinearOnPreference(),
            X,
            groups,
            cv=PreferenceGroupKFold(4),
            return_indices=True,
            **passed,
        )
    tested = [set(portrait[test]) for test in result["indices"]["test"]]
    assert sorted(map(sorted, tested)) == [[0], [1], [2], [3]]


def test_cross_val_predict_needs_a_target_without_donors():
    X, groups = make_data()
    cv = PreferenceGroupKFold(3)
    predicted = cross_val_predict(LinearOnPreference(), X, groups, cv=cv)
    assert_allclose(predicted, groups["preference"])
    X, groups = make_data(donors=True)
    with pytest.raises(ValueError, match="partitions"):
        cross_val_predict(LinearOnPreference(), X, groups, cv=cv)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_grid_search_and_nested_cross_validation(n_jobs):
    X, groups = make_data()
    search = GridSearchCV(
        LinearOnPreference(),
        {"sign": [-1.0, 1.0]},
        cv=PreferenceGroupKFold(2),
        n_jobs=n_jobs,
    )
    assert clone(search).fit(X, groups).best_params_ == {"sign": 1.0}
    scores = cross_val_score(search, X, groups, cv=PreferenceGroupKFold(3))
    assert np.all(scores > 0.999)


def test_learning_curve():
    X, groups = make_data()
    sizes, _, scores = learning_curve(
        LinearOnPreference(),
        X,
        groups,
        cv=PreferenceGroupKFold(3),
        train_sizes=[0.5, 1.0],
    )
    assert scores.shape == (len(sizes), 3)
    assert np.all(scores > 0.999)


NOTHING_TO_SPLIT_BY = {
    "plain": (np.arange(6.0), "got ndarray of shape (6,)"),
    "none": (None, "got NoneType"),
    "list": ([0.0, 1.0] * 3, "got list of 6 float values"),
}


@pytest.mark.parametrize(
    ("y", "got"), NOTHING_TO_SPLIT_BY.values(), ids=NOTHING_TO_SPLIT_BY
)
def test_without_groups_a_plain_target_is_refused_at_the_call(y, got):
    message = (
        "PreferenceGroupKFold without groups= takes y as a structured array of Groups, "
        + got
    )
    with pytest.raises(TypeError, match=re.escape(message)):
        PreferenceGroupKFold(2).split(np.zeros((6, 1)), y)


BAD_SPLITS = {
    "too few groups": (
        {"y": Groups.from_arrays(group=[0, 0, 1, 1])},
        ValueError,
        "n_splits is 3 but the 4 rows (donors left out) are in 2 groups",
    ),
    "too few groups beside donors": (
        {"y": Groups.from_arrays(group=[0, 1, 2, 2], donor=[1, 0, 0, 0])},
        ValueError,
        "n_splits is 3 but the 3 rows (donors left out) are in 2 groups",
    ),
    "target of other length": (
        {"y": Groups.from_arrays(group=[0, 1, 2])},
        ValueError,
        "y has 3 entries but X has 4 rows",
    ),
    "plain target of other length": (
        {"y": np.zeros(3), "groups": [0, 1, 2, 3]},
        ValueError,
        "y has 3 rows but X has 4",
    ),
    "labels of other length": (
        {"groups": [0, 1, 2]},
        ValueError,
        "groups has 3 rows but X has 4",
    ),
    "missing label": (
        {"groups": ["a", None, "b", "c"]},
        ValueError,
        "groups is None at row 1",
    ),
    "target as labels": (
        {"groups": Groups.from_arrays(group=[0, 1, 2, 3])},
        TypeError,
        "groups is a structured array with the fields ['group', 'preference', ",
    ),
    "X without rows": ({"X": 3.0}, TypeError, "X is float; expected one row per"),
    "X of no dimension": ({"X": np.array(3.0)}, TypeError, "X is ndarray; expected"),
}


@pytest.mark.parametrize(
    ("arguments", "error", "message"), BAD_SPLITS.values(), ids=BAD_SPLITS
)
def test_messages_of_the_splitter(arguments, error, message):
    arguments = {"X": np.zeros((4, 1)), **arguments}
    with pytest.raises(error, match=re.escape(message)):
        PreferenceGroupKFold(3).split(**arguments)


@pytest.mark.parametrize("n_splits", ["5", 2.0, None, [3], True])
def test_a_number_of_folds_that_is_none_is_refused(n_splits):
    message = f"n_splits is {n_splits!r}; expected a number of folds. Pass an integer"
    with pytest.raises(TypeError, match=re.escape(message)):
        PreferenceGroupKFold(n_splits)


@pytest.mark.parametrize("random_state", ["0", 1.5, -1])
def test_a_seed_that_is_none_is_refused_at_the_call(random_state):
    cv = PreferenceGroupKFold(2, shuffle=True, random_state=random_state)
    message = (
        "The 'random_state' parameter of PreferenceGroupKFold must be an int in the "
        f"range [0, 4294967295], a RandomState or None. Got {random_state!r} instead."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        cv.split(np.zeros((4, 1)), Groups.from_arrays(group=[0, 0, 1, 1]))


@pytest.mark.parametrize("donors", [False, True])
@pytest.mark.parametrize(
    ("test_size", "n_test"), [(0.25, 2), (0.5, 4), (3, 3), (np.int64(1), 1)]
)
def test_train_test_split_keeps_groups_whole(donors, test_size, n_test):
    X, groups = make_data(donors=donors, labels="str")
    rows = np.arange(len(X))
    parts = groups_train_test_split(
        X, groups, rows, test_size=test_size, random_state=0
    )
    X_train, X_test, groups_train, groups_test, train, test = parts
    assert_array_equal(np.sort(np.concatenate([train, test])), rows)
    for part in (train, test):
        assert_array_equal(part, np.sort(part))
    for values, (own_train, own_test) in (
        (X, (X_train, X_test)),
        (groups, (groups_train, groups_test)),
    ):
        assert_array_equal(own_train, values[train])
        assert_array_equal(own_test, values[test])
    assert len(set(groups_test["group"])) == n_test
    if donors:
        assert not groups_test["donor"].any()
        assert groups_train["donor"].sum() == groups["donor"].sum() > 0
        groups_train = groups_train[~groups_train["donor"]]
    assert not set(groups_train["group"]) & set(groups_test["group"])


def test_train_test_split_follows_random_state():
    X, groups = make_data()

    def tested(random_state):
        parts = groups_train_test_split(X, groups, random_state=random_state)
        return parts[3]["group"].tolist()

    assert tested(1) == tested(1)
    assert len({tuple(tested(seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize("plain", [False, True])
def test_train_test_split_by_other_labels(plain):
    X, groups = make_data()
    portrait = np.arange(len(X)) % 4
    warned = pytest.warns(UserWarning, match="groups is a plain array")
    with warned if plain else nullcontext():
        _, _, train, test, portrait_train, portrait_test = groups_train_test_split(
            X,
            groups["preference"] if plain else groups,
            portrait,
            cv_groups=portrait,
            random_state=0,
        )
    assert len(set(portrait_test)) == 1
    assert not set(portrait_train) & set(portrait_test)
    assert len(train) + len(test) == len(X)


FRAMES = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "sparse": csr_array,
    "list": lambda values: np.asarray(values).tolist(),
}


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_train_test_split_keeps_the_kind_of_X(make):
    X, groups = make_data()
    frame = make(X if make is not pl.DataFrame else {"a": X[:, 0], "b": X[:, 1]})
    expected = groups_train_test_split(X, groups, random_state=0)[:2]
    parts = groups_train_test_split(frame, groups, random_state=0)[:2]
    for part, expected_part in zip(parts, expected, strict=True):
        assert type(part) is type(frame)
        dense = part.toarray() if make is csr_array else np.asarray(part)
        assert_array_equal(dense, expected_part)


FOUR = Groups.from_arrays(group=[0, 0, 1, 1])

BAD_TEST_SPLITS = {
    "fraction of all": (
        {"test_size": 0.9},
        ValueError,
        "test_size is 0.9 with 2 groups to split",
    ),
    "fraction above one": ({"test_size": 1.5}, ValueError, "test_size is 1.5 with 2"),
    "not a number": ({"test_size": np.nan}, ValueError, "test_size is nan with 2"),
    "all groups": ({"test_size": 2}, ValueError, "test_size is 2 with 2 groups"),
    "no group": ({"test_size": 0}, ValueError, "or 1 to 1 groups"),
    "text": ({"test_size": "half"}, TypeError, "test_size is 'half'; expected"),
    "flag": ({"test_size": True}, TypeError, "test_size is True; expected"),
    "no seed": (
        {"random_state": [0.5]},
        ValueError,
        "of groups_train_test_split must be an int in the range [0, 4294967295], a "
        "RandomState or None. Got [0.5] instead.",
    ),
    "one group": (
        {"groups": Groups.from_arrays(group=[5, 5, 5, 5])},
        ValueError,
        "The rows (donors left out) are in 1 group(s); expected at least 2",
    ),
    "plain": (
        {"groups": np.arange(4.0)},
        TypeError,
        "groups_train_test_split without cv_groups= takes groups as a structured",
    ),
    "target of other length": (
        {"groups": FOUR[:3]},
        ValueError,
        "groups has 3 entries but X has 4 rows",
    ),
    "labels of other length": (
        {"cv_groups": [0, 1]},
        ValueError,
        "cv_groups has 2 rows but X has 4",
    ),
}


@pytest.mark.parametrize(
    ("arguments", "error", "message"), BAD_TEST_SPLITS.values(), ids=BAD_TEST_SPLITS
)
def test_messages_of_the_train_test_split(arguments, error, message):
    arguments = {"X": np.zeros((4, 1)), "groups": FOUR, **arguments}
    with pytest.raises(error, match=re.escape(message)):
        groups_train_test_split(**arguments)


def test_train_test_split_names_the_further_array_of_other_length():
    X = np.zeros((4, 1))
    message = "arrays[1] has 3 rows but X has 4"
    with pytest.raises(ValueError, match=re.escape(message)):
        groups_train_test_split(X, FOUR, np.zeros(4), np.zeros(3))
