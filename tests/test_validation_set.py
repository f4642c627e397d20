"""The validation set that is passed to ``fit``: what is checked, and what warns."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array, csr_matrix
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_pscore import Groups
from sklearn_pscore._rankers.validation_set import (
    check_validation_set,
    warn_if_far_outside,
)

CALLER = "Ranker.fit"


def check(X_val, y_val, X, y, check_X=np.asarray):
    return check_validation_set(X_val, y_val, X, y, check_X=check_X, caller=CALLER)


@pytest.fixture
def halves(data):
    """Return X, y, X_val, y_val: the groups below 15, and those from 15 on."""
    X, groups = data
    is_first = groups["group"] < 15
    return X[is_first], groups[is_first], X[~is_first], groups[~is_first]


def test_none_is_none(data):
    assert check(None, None, *data) is None


def test_it_is_kept_as_it_was_passed(halves):
    X, y, X_val, y_val = halves
    validation = check(X_val, y_val, X, y)
    assert validation.X is X_val
    assert_array_equal(validation.groups, y_val)
    assert validation.target.n_groups == 15


def test_plain_targets_are_one_group(halves):
    X, y, X_val, y_val = halves
    plain = y["preference"], y_val["preference"]
    validation = check(X_val, plain[1], X, plain[0])
    assert validation.groups is plain[1]
    assert validation.target.is_plain
    # A plain y is one group of preferences; y_val may well be several.
    assert check(X_val, y_val, X, plain[0]).target.n_groups == 15


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("X_val", "y_val is None but X_val was passed; expected both, or none."),
        ("y_val", "X_val is None but y_val was passed; expected both, or none."),
    ],
)
def test_one_without_the_other(halves, given, message):
    X, y, *validation = halves
    passed = dict(zip(("X_val", "y_val"), validation, strict=True))
    passed |= {name: None for name in passed if name != given}
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        check(passed["X_val"], passed["y_val"], X, y)
    assert f"Call {CALLER}(X, y, X_val=..., y_val=...)" in str(caught.value)


def no_pair(y):
    return Groups.from_arrays(group=np.arange(len(y)), preference=y["preference"])


def unjudged(y):
    return Groups.from_arrays(group=y["group"])


BAD = {
    "columns": (
        lambda X, y: (X[:, :2], y),
        ValueError,
        "X_val has 2 columns but X has 3; expected the same columns",
    ),
    "rows": (
        lambda X, y: (X[:-1], y),
        ValueError,
        "y_val has 75 entries but X_val has 74 rows",
    ),
    "plain": (
        lambda X, y: (X, y["preference"]),
        TypeError,
        "y_val is a plain ndarray, which is read as one group, but y is a target of "
        "Groups; expected one for y_val too.",
    ),
    "no pair": (
        lambda X, y: (X, no_pair(y)),
        ValueError,
        "y_val cannot be validated on: No comparable pairs: 75 items in 75 groups",
    ),
    "not judged": (
        lambda X, y: (X, unjudged(y)),
        ValueError,
        "y_val has no preference (NaN) in 75 of 75 rows",
    ),
    "other fields": (
        lambda X, y: (X, y[["group"]]),
        TypeError,
        "y_val is a structured array with the fields ['group']",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_validated_on(halves, name):
    X, y, *validation = halves
    change, error, message = BAD[name]
    with pytest.raises(error, match=re.escape(message)):
        check(*change(*validation), X, y)


@pytest.mark.parametrize("kind", [ValueError, TypeError])
def test_errors_of_the_table_name_it(halves, kind):
    X, y, X_val, y_val = halves

    def refuse(table):
        raise kind("X holds a stone")

    message = "X_val cannot be used as X is: X holds a stone"
    with pytest.raises(kind, match=message):
        check(X_val, y_val, X, y, check_X=refuse)


def test_cut_groups_warn_once(halves):
    X, y, X_val, y_val = halves
    with pytest.warns(
        UserWarning, match="got a y_val in which 1 of 15 groups are cut: "
    ):
        validation = check(X_val[1:], y_val[1:], X, y)
    assert_array_equal(validation.groups, Groups.whole(y_val[1:]))
    whole = Groups.whole(y_val[1:])
    assert check(X_val[1:], whole, X, y).target.n_rows == 74


class TestFarOutside:
    def test_unscaled_rows_warn(self):
        rng = np.random.default_rng(0)
        X = rng.normal([0, 60, 0.9], [1, 9, 0.01], size=(200, 3))
        for scaler in (StandardScaler(), MinMaxScaler()):
            scaled = scaler.fit_transform(X[:100])
            warn_if_far_outside(scaler.transform(X[100:]), scaled)
            with pytest.warns(
                UserWarning, match="X_val lies far outside of X in 1 of 3"
            ):
                warn_if_far_outside(X[100:], scaled)
            with pytest.warns(UserWarning, match="in column 1, 100 % of its values"):
                warn_if_far_outside(X[100:], scaled)

    def test_more_than_half_of_the_values_must_be_farther_than_the_range_is_wide(self):
        X = np.array([[0.0], [2.0]] * 10)
        for inside in ([4.0, -2.0, 1.0], [4.1, 1.0], [-9.0, 9.0, 1.0, 1.0]):
            warn_if_far_outside(np.array(inside)[:, None], X)
        for outside in ([4.1, -2.1, 1.0], [9.0]):
            with pytest.warns(UserWarning, match=re.escape("outside of [-2, 4]")):
                warn_if_far_outside(np.array(outside)[:, None], X)

    def test_the_range_of_a_few_rows_is_chance(self, recwarn):
        X = np.array([[0.0], [2.0]] * 10)
        warn_if_far_outside(X + 9, X[:-1])
        assert not recwarn
        with pytest.warns(UserWarning, match="far outside"):
            warn_if_far_outside(X + 9, X)

    def test_constant_features_and_missing_values_are_not_looked_at(self):
        X = np.array([[1.0, 0.0, np.nan], [1.0, 1.0, np.nan]] * 10)
        X_val = np.array([[9.0, np.nan, 9.0], [9.0, 0.0, 9.0], [9.0, np.nan, 9.0]])
        warn_if_far_outside(X_val, X)
        X_val[1, 1] = 9.0
        with pytest.warns(UserWarning, match="in 1 of 3 features: in column 1, 100 %"):
            warn_if_far_outside(X_val, X)

    def test_the_largest_numbers(self, recwarn):
        X = np.array([[-1e308], [1e308]] * 10)
        warn_if_far_outside(-X, X)
        assert not recwarn

    @pytest.mark.parametrize("kind", [csr_matrix, csr_array])
    def test_sparse_rows_as_dense_ones(self, kind):
        rng = np.random.default_rng(0)
        X, X_val = rng.normal(size=(2, 40, 5)) * (rng.random((2, 40, 5)) < 0.3)
        X[:, 0] += 50
        X_val[:, 1] *= 100
        X_val[:, 2] += 9
        messages = []
        for table in (np.asarray, kind):
            with pytest.warns(UserWarning, match="far outside") as caught:
                warn_if_far_outside(table(X_val), table(X))
            messages.append(str(caught[0].message))
        assert messages[0] == messages[1]
        assert "in 2 of 5 features: in column 0, 100 %" in messages[0]

    def test_random_halves_do_not_warn(self, recwarn):
        """Of many kinds of values, and from twenty rows on."""
        rng = np.random.default_rng(0)
        for n_rows in np.repeat([40, 100, 500], 100):
            X = np.column_stack(
                [
                    rng.normal(size=n_rows),
                    rng.standard_cauchy(size=n_rows),
                    rng.lognormal(sigma=3, size=n_rows),
                    rng.random(n_rows) < 0.1,
                    rng.integers(5, size=n_rows),
                    rng.random(n_rows) ** 9,
                ]
            )
            warn_if_far_outside(X[: n_rows // 2], X[n_rows // 2 :])
        assert not recwarn
