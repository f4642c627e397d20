"""The error beyond the raters' intervals, of ITU-T P.1401."""

import math
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from sklearn.model_selection import GridSearchCV

from sklearn_pscore import Groups, LinearPreferenceRanker
from sklearn_pscore.inspection import noise_ceiling
from sklearn_pscore.metrics import (
    epsilon_rmse,
    make_ranking_scorer,
    neg_epsilon_rmse_scorer,
    rmse,
)
from sklearn_pscore.metrics._logistic_map import logistic_map
from sklearn_pscore.model_selection import PreferenceGroupKFold


def judged(seed=0, n_groups=12, size=5, **options):
    """Return a target of 2 to 60 raters per item, and scores that are near it."""
    rng = np.random.default_rng(seed)
    n = n_groups * size
    fields = {
        "group": np.repeat(np.arange(n_groups), size),
        "item": np.tile(np.arange(size), n_groups),
        "preference": rng.normal(3.0, 1.0, n),
        "n_raters": rng.choice([2, 3, 8, 29, 30, 31, 60], n),
        "spread": rng.uniform(0.0, 1.0, n),
    }
    fields.update(options)
    groups = Groups.from_arrays(**fields)
    return groups, groups["preference"] + rng.normal(size=n)


def by_definition(groups, predicted, n_parameters, weight=None):
    """Return the error by a loop over items, as the recommendation writes it."""
    n = len(groups)
    weight = np.ones(n) if weight is None else weight
    total = 0.0
    for row, w, prediction in zip(groups, weight, predicted, strict=True):
        raters = int(row["n_raters"])
        factor = 1.96 if raters >= 30 else stats.t(raters - 1).ppf(0.975)
        interval = factor * row["spread"] / math.sqrt(raters)
        error = max(0.0, abs(row["preference"] - prediction) - interval)
        total += w / np.mean(weight) * error**2
    return math.sqrt(total / (n - n_parameters))


@pytest.mark.parametrize("seed", range(3))
def test_by_definition(seed):
    groups, y_score = judged(seed)
    plain = epsilon_rmse(groups, y_score, mapping=None)
    assert_allclose(plain, by_definition(groups, y_score, 1), rtol=1e-12)
    mapped, rises = logistic_map(y_score, groups["preference"], np.ones(len(groups)))
    assert rises
    assert_allclose(
        epsilon_rmse(groups, y_score), by_definition(groups, mapped, 4), rtol=1e-12
    )
    weight = np.random.default_rng(seed).uniform(0.5, 3.0, len(groups))
    weighted, _ = judged(seed, weight=weight)
    value = epsilon_rmse(weighted, y_score, mapping=None)
    assert_allclose(value, by_definition(groups, y_score, 1, weight), rtol=1e-12)


def test_predictions_inside_of_the_intervals_are_no_error():
    groups, _ = judged()
    half = 1.9 * groups["spread"] / np.sqrt(groups["n_raters"])
    assert epsilon_rmse(groups, groups["preference"] + half, mapping=None) == 0.0
    assert rmse(groups, groups["preference"] + half, mapping=None) > 0.1


def test_without_spread_it_is_the_error_but_for_the_divisor():
    groups, y_score = judged(spread=np.zeros(60))
    for mapping, n_parameters in ((None, 1), ("logistic", 4)):
        expected = rmse(groups, y_score, mapping=mapping) * math.sqrt(
            60 / (60 - n_parameters)
        )
        value = epsilon_rmse(groups, y_score, mapping=mapping)
        assert_allclose(value, expected, rtol=1e-12)


def test_a_map_that_falls_predicts_the_mean():
    groups, y_score = judged()
    mean = np.full(60, groups["preference"].mean())
    expected = by_definition(groups, mean, 4)
    assert_allclose(epsilon_rmse(groups, -y_score), expected, rtol=1e-12)
    assert_allclose(epsilon_rmse(groups, np.zeros(60)), expected, rtol=1e-12)


def test_row_order_scale_and_rows_of_one_item():
    groups, y_score = judged()
    order = np.random.default_rng(1).permutation(60)
    assert epsilon_rmse(groups[order], y_score[order]) == epsilon_rmse(groups, y_score)
    fields = {name: groups[name] for name in groups.dtype.names}
    twice = {name: np.concatenate([v, v]) for name, v in fields.items()}
    del twice["group_size"]
    off = np.full(60, 0.25)
    value = epsilon_rmse(
        Groups.from_arrays(**twice), np.concatenate([y_score - off, y_score + off])
    )
    assert_allclose(value, epsilon_rmse(groups, y_score), rtol=1e-6)
    fields.update(
        preference=1e200 * groups["preference"], spread=1e200 * groups["spread"]
    )
    value = epsilon_rmse(Groups.from_arrays(**fields), 1e200 * y_score, mapping=None)
    assert_allclose(value, 1e200 * epsilon_rmse(groups, y_score, mapping=None))


def test_rows_that_do_not_count_need_no_raters():
    groups, y_score = judged()
    fields = {name: groups[name].copy() for name in groups.dtype.names}
    del fields["group_size"]
    fields["n_raters"][:5], fields["spread"][:5] = 0, np.nan
    weight = np.r_[np.zeros(5), np.ones(55)]
    odd = Groups.from_arrays(**fields, weight=weight)
    value = epsilon_rmse(odd, y_score)
    assert value == epsilon_rmse(Groups.whole(groups[5:]), y_score[5:])


def test_scorer_search_and_ceiling():
    groups, y_score = judged()
    X = np.column_stack([y_score, np.arange(60.0)])
    ranker = LinearPreferenceRanker().fit(X, groups)
    value = neg_epsilon_rmse_scorer(ranker, X, groups)
    assert value == -epsilon_rmse(groups, ranker.predict(X))
    assert neg_epsilon_rmse_scorer.__name__ == "neg_epsilon_rmse"
    search = GridSearchCV(
        LinearPreferenceRanker(),
        {"C": [0.1, 1.0]},
        scoring=neg_epsilon_rmse_scorer,
        cv=PreferenceGroupKFold(3),
    ).fit(X, groups)
    assert search.best_score_ < 0
    # A perfect score has errors beyond the interval of 95 % in few of the items.
    floor = noise_ceiling(groups, metric=epsilon_rmse, n_draws=20, random_state=0)
    assert 0 <= floor.value < 0.15


BAD = {
    "no field": (
        lambda: (Groups.from_arrays(group=[0] * 6, preference=range(6)), {}),
        ValueError,
        "groups has no field 'n_raters'; epsilon_rmse expects to know how many people",
    ),
    "one rater": (
        lambda: (judged(n_raters=np.r_[[1], np.full(59, 9)])[0], {}),
        ValueError,
        "n_raters is 1 and spread is",
    ),
    "unknown spread": (
        lambda: (judged(spread=np.r_[np.ones(59), np.nan])[0], {}),
        ValueError,
        "and spread is nan at row 59; epsilon_rmse expects two or more raters, and the "
        "standard deviation of their ratings, in all rows that count.",
    ),
    "few items": (
        lambda: (judged(n_groups=2, size=2)[0], {}),
        ValueError,
        "groups has 4 items that count; epsilon_rmse with mapping='logistic' expects "
        "more than 4, for it divides by what is left of them.",
    ),
    "equal preferences": (
        lambda: (judged(preference=np.ones(60))[0], {}),
        ValueError,
        "epsilon_rmse with within='all' needs two that differ",
    ),
    "mapping": (
        lambda: (judged()[0], {"mapping": "cubic"}),
        ValueError,
        "The 'mapping' parameter of epsilon_rmse must be a str among {'logistic'} or "
        "None. Got 'cubic' instead.",
    ),
}


@pytest.mark.parametrize(("make", "error", "message"), BAD.values(), ids=BAD)
def test_bad_input(make, error, message):
    groups, options = make()
    with pytest.raises(error, match=re.escape(message)):
        epsilon_rmse(groups, np.arange(len(groups), dtype=float), **options)


def test_a_scorer_of_an_error_needs_to_say_so():
    message = "greater_is_better is True for epsilon_rmse, of which the smaller value"
    with pytest.raises(ValueError, match=re.escape(message)):
        make_ranking_scorer(epsilon_rmse)
    with pytest.raises(ValueError, match="'mapping' parameter"):
        make_ranking_scorer(epsilon_rmse, greater_is_better=False, mapping="cubic")
