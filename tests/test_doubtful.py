"""Plain targets: which warn that groups were forgotten, and which are leaderboards."""

import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from cases import quick, quick_estimators

from sklearn_pscore import Groups
from sklearn_pscore._target.check import check_groups
from sklearn_pscore.datasets import make_head_challenge
from sklearn_pscore.metrics import pairwise_accuracy_score

RNG = np.random.default_rng(0)
CHALLENGE = make_head_challenge("talking", random_state=0)


def chosen(n_groups, size, kind=int):
    """Return a column that is 1 for one row of each group, and 0 for the others."""
    is_chosen = RNG.integers(size, size=n_groups)[:, None] == np.arange(size)
    return is_chosen.ravel().astype(kind)


def grades(n_rows, *values, share=None):
    return RNG.choice(values, size=n_rows, p=share)


def contest(n_rows, n_winners):
    return np.r_[np.ones(n_winners), np.zeros(n_rows - n_winners)]


FORGOTTEN = {
    "the example of the choices": chosen(480, 10),
    "the smallest groups": chosen(101, 2),
    "as few rows as it takes": np.r_[chosen(40, 5), 0],
    "as few winners as it takes": chosen(10, 100),
    "booleans": chosen(100, 4, bool),
    "floats": chosen(100, 4, float),
    "awards": 10 * chosen(60, 6),
    "grades of relevance": grades(
        3000, 0, 1, 2, 3, 4, share=[0.5, 0.3, 0.1, 0.08, 0.02]
    ),
    "lost, tied, won": grades(400, 0.0, 0.5, 1.0),
    "ratings": grades(400, 1, 2, 3, 4, 5),
    "sorted": np.sort(grades(4000, 0, 1, 2)),
}
LEADERBOARDS = {
    "as many rows as it takes not to": chosen(40, 5),
    "a contest with one winner": contest(5000, 1),
    "a contest with a few winners": contest(5000, 9),
    "all but a few": contest(301, 300),
    "medals of one event": np.r_[np.repeat([3, 2, 1], [5, 5, 10]), np.zeros(980)],
    "a continuous opinion": RNG.normal(size=1000),
    "an opinion to one digit": RNG.normal(3, 0.5, size=1000).round(1),
    "six levels of quality": grades(1599, 3, 4, 5, 6, 7, 8),
    "ties at the end": np.r_[np.arange(300.0), np.zeros(3000)],
    "few values at first": np.r_[np.zeros(2000), np.repeat(np.arange(9) + 0.5, 20)],
    "nothing but ties": np.zeros(300),
    "an award of one challenge": CHALLENGE.groups["preference"],
}


def n_pairs(y):
    """Count the pairs of different preference, by definition if there are few rows."""
    if len(y) < 500:
        return sum(a != b for a, b in combinations(y, 2))
    n_ties = sum(n * (n - 1) // 2 for n in np.unique(y, return_counts=True)[1])
    return len(y) * (len(y) - 1) // 2 - int(n_ties)


@pytest.mark.parametrize("container", [np.asarray, list, pd.Series])
@pytest.mark.parametrize("name", FORGOTTEN)
def test_forgotten_groups_warn(name, container):
    y = FORGOTTEN[name]
    message = (
        f"y holds {len(np.unique(y))} distinct values over {len(y)} rows and no groups: "
        f"they were read as preferences of one group, which makes {n_pairs(y)} pairs. If "
        "they are choices or grades in several groups, pass Groups.from_arrays(group=..., "
        "preference=y). If they are one group, pass group=np.zeros(len(y)) there."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        target = check_groups(container(y), n_rows=len(y))
    assert target.n_groups == 1
    # What the warning asks for is silent, for several groups and for one.
    for group in (np.arange(len(y)) // 5, np.zeros(len(y))):
        groups = Groups.from_arrays(group=group, preference=y)
        assert check_groups(groups, n_rows=len(y)).n_rows == len(y)


@pytest.mark.parametrize("name", LEADERBOARDS)
def test_leaderboards_do_not_warn(name):
    y = LEADERBOARDS[name]
    for preference in (y, y[::-1], RNG.permutation(y)):
        assert check_groups(np.asarray(preference), n_rows=len(y)).is_plain


def test_every_estimator_warns():
    y = FORGOTTEN["ratings"]
    X = RNG.normal(size=(len(y), 2))
    for estimator in quick_estimators():
        with pytest.warns(UserWarning, match="y holds 5 distinct values over 400 rows"):
            estimator.fit(X, y)


def test_a_metric_may_be_of_one_query_with_many_documents():
    y = FORGOTTEN["grades of relevance"]
    assert pairwise_accuracy_score(y, y) == 1.0


def test_the_warning_counts_the_pairs_that_are_trained_on():
    y = FORGOTTEN["booleans"]
    X = RNG.normal(size=(len(y), 2))
    with pytest.warns(UserWarning, match=f"makes {n_pairs(y)} pairs"):
        ranker = quick(max_epochs=1).fit(X, y)
    assert ranker.n_pairs_ == n_pairs(y) == 100 * 300
    groups = Groups.from_arrays(group=np.arange(400) // 4, preference=y)
    assert ranker.fit(X, groups).n_pairs_ == 100 * 3
