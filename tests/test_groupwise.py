"""GroupwiseRanker: rankers of LightGBM, XGBoost and CatBoost as estimators of Groups."""

import inspect
import pickle
import re
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostRanker, Pool
from lightgbm import LGBMRanker
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score, learning_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from xgboost import XGBRanker

from sklearn_pscore import (
    Groups,
    GroupwiseRanker,
    LinearPreferenceRanker,
    PairAugmenter,
    PairwisePreferenceRanker,
    StackedRanker,
)
from sklearn_pscore._rankers.libraries import Library
from sklearn_pscore.metrics import pairwise_accuracy_scorer
from sklearn_pscore.model_selection import PreferenceGroupKFold, compare_rankers
from tests.cases import SEED, linear_groups

X, GROUPS = linear_groups()
RNG = np.random.default_rng(SEED)


def lightgbm(**kwargs):
    kwargs = {"n_estimators": 5, "min_child_samples": 2, **kwargs}
    return LGBMRanker(verbose=-1, n_jobs=1, **kwargs)


def xgboost(**kwargs):
    return XGBRanker(**{"n_estimators": 5, "n_jobs": 1, **kwargs})


def catboost(**kwargs):
    kwargs = {"n_estimators": 5, "random_seed": SEED, **kwargs}
    return CatBoostRanker(
        verbose=0, thread_count=1, allow_writing_files=False, **kwargs
    )


LIBRARIES = {"lightgbm": lightgbm, "xgboost": xgboost, "catboost": catboost}
every_library = pytest.mark.parametrize("make", LIBRARIES.values(), ids=LIBRARIES)


def native_arguments(ranker, X, y, group):
    """Return what a library wants, written out for rows sorted by group."""
    sizes = np.unique(group, return_counts=True)[1]
    groups = {"LGBMRanker": {"group": sizes}, "XGBRanker": {"qid": group}}
    return {"X": X, "y": y, **groups.get(type(ranker).__name__, {"group_id": group})}


# The checks send up to 200 levels in one group; that they are merged warns.
@parametrize_with_checks(
    [
        GroupwiseRanker(lightgbm(label_gain=list(range(200)))),
        GroupwiseRanker(xgboost(ndcg_exp_gain=False)),
        GroupwiseRanker(catboost()),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:groups has .* levels of preference")
@parametrize_with_checks([GroupwiseRanker(lightgbm()), GroupwiseRanker(xgboost())])
def test_scikit_learn_checks_of_defaults(estimator, check):
    check(estimator)


@every_library
def test_fit_is_that_of_the_library(make):
    """Sorted rows and labels as the library wants them: the same bits."""
    order = np.argsort(GROUPS["group"], kind="stable")
    group = GROUPS["group"][order]
    level = np.empty(len(X))
    for g in np.unique(group):
        rows = np.flatnonzero(group == g)
        level[rows] = np.argsort(np.argsort(GROUPS["preference"][order][rows]))
    label = GROUPS["preference"][order] if make is catboost else level
    native = make().fit(**native_arguments(make(), X[order], label, group))
    ranker = GroupwiseRanker(make()).fit(X, GROUPS)
    assert_array_equal(ranker.predict(X), native.predict(X))
    assert type(ranker.ranker_) is type(native)
    assert ranker.n_groups_ == 30
    assert ranker.score(X, GROUPS) > 0.8
    assert ranker.rank(X, GROUPS).max() == 5
    assert_array_equal(ranker.feature_importances_, native.feature_importances_)


@every_library
def test_labels_that_the_library_takes_are_passed_as_they_are(make):
    label = RNG.integers(0, 5, len(X)) * 5.0
    order = np.argsort(GROUPS["group"], kind="stable")
    group = GROUPS["group"][order]
    native = make().fit(**native_arguments(make(), X[order], label[order], group))
    target = Groups.from_arrays(group=GROUPS["group"], preference=label)
    ranker = GroupwiseRanker(make()).fit(X, target)
    assert_array_equal(ranker.predict(X), native.predict(X))


def test_sorted_rows_are_not_copied():
    class Spy(BaseEstimator):
        def fit(self, X, y, group=None, sample_weight=None):
            self.X, self.y, self.group, self.weight = X, y, group, sample_weight
            return self

        def predict(self, X):
            return X[:, 0]

    table = np.sort(RNG.normal(size=(6, 2)), axis=0)
    target = Groups.from_arrays(group=list("aaabbb"), preference=[1, 2, 3, 4, 5, 6])
    spy = GroupwiseRanker(Spy()).fit(table, target).ranker_
    assert spy.X is table
    assert_array_equal(spy.group, [3, 3])
    assert_array_equal(spy.y, [1, 2, 3, 4, 5, 6])
    assert spy.weight is None
    order = np.array([3, 0, 4, 1, 2, 5])
    spy = GroupwiseRanker(Spy()).fit(table[order], target[order]).ranker_
    assert_array_equal(spy.X, table)


@every_library
def test_rows_that_do_not_count_do_not_train(make):
    weight = RNG.permutation(np.repeat([1.0, 0.0], 75))
    donor = RNG.permutation(np.repeat([True, False], 75))
    target = Groups.from_arrays(
        group=GROUPS["group"],
        preference=np.where(donor, np.nan, GROUPS["preference"]),
        weight=weight,
        donor=donor,
    )
    kept = (weight > 0) & ~donor
    expected = GroupwiseRanker(make()).fit(X[kept], Groups.whole(GROUPS[kept]))
    ranker = GroupwiseRanker(make()).fit(X, target)
    assert_array_equal(ranker.predict(X), expected.predict(X))


# No chance, and no penalty: that would heed the sum of the weights.
EXACT = {
    lightgbm: {
        "num_leaves": 4,
        "min_child_weight": 0,
        "min_data_in_bin": 1,
        "lambdarank_norm": False,
    },
    xgboost: {
        "objective": "rank:pairwise",
        "reg_lambda": 0,
        "min_child_weight": 0,
        "lambdarank_num_pair_per_sample": 5,
        "lambdarank_score_normalization": False,
        "lambdarank_normalization": False,
    },
    catboost: {
        "loss_function": "PairLogit",
        "l2_leaf_reg": 0,
        "bootstrap_type": "No",
        "random_strength": 0,
        "boosting_type": "Plain",
    },
}


@every_library
def test_a_group_of_weight_two_is_there_twice(make):
    table, group, preference = np.round(X), GROUPS["group"], GROUPS["preference"]
    twice = group < 10
    target = Groups.from_arrays(
        group=group, preference=preference, weight=np.where(twice, 6.0, 3.0)
    )
    doubled = Groups.from_arrays(
        group=np.r_[group, group[twice] + 100],
        preference=np.r_[preference, preference[twice]],
    )
    ranker = GroupwiseRanker(make(n_estimators=2, **EXACT[make]))
    plain = ranker.fit(table, GROUPS).predict(table)
    weighted = ranker.fit(table, target).predict(table)
    expected = ranker.fit(np.r_[table, table[twice]], doubled).predict(table)
    assert_allclose(weighted, expected, rtol=1e-4, atol=1e-6)
    assert np.abs(weighted - plain).max() > 1e-3


def test_labels_are_dense_levels_inside_each_group():
    target = Groups.from_arrays(
        group=[0, 0, 0, 0, 1, 1, 1], preference=[7, 1, 7.5, 7, -3, 0, -3]
    )
    spied = label_of(lightgbm(), target)
    assert_array_equal(spied, [1, 0, 2, 1, 0, 1, 0])


def label_of(ranker, target):
    """Return the labels that a ranker is fitted on, in the order of the target."""
    seen = {}

    class Spy(type(ranker)):
        def fit(self, X, y, **kwargs):
            seen.update(zip(X[:, 0].astype(int), y, strict=True))
            return super().fit(X, y, **kwargs)

        fit.__signature__ = inspect.signature(type(ranker).fit)

    Spy.__module__ = type(ranker).__module__
    spy = Spy(**ranker.get_params())
    GroupwiseRanker(spy).fit(np.arange(len(target))[:, None], target)
    return np.array([seen[row] for row in range(len(target))])


@pytest.mark.parametrize(
    ("ranker", "most"),
    [
        (lightgbm(), 31),
        (lightgbm(objective="rank_xendcg"), 31),
        (lightgbm(label_gain=[0, 1, 3]), 3),
        (lightgbm(label_gain=[]), 31),
        (xgboost(), 32),
        (xgboost(objective="rank:map"), 2),
    ],
)
def test_too_many_levels_are_merged_with_a_warning(ranker, most):
    preference = np.r_[RNG.permutation(70) / 7, np.arange(most) / 7]
    group = np.repeat([0, 1], [70, most])
    target = Groups.from_arrays(group=group, preference=preference)
    message = (
        f"groups has 70 levels of preference in a group, and more than {most} in 1 of 2 "
        f"groups; {Library(ranker).loss} of Spy takes {most} at most, so neighbours are "
        "merged there."
    )
    with pytest.warns(UserWarning, match=re.escape(message)):
        label = label_of(ranker, target)
    assert set(label) == set(range(most))
    # The order is kept, and levels hold as many rows as can be.
    order = np.argsort(preference[:70])
    assert np.all(np.diff(label[:70][order]) >= 0)
    assert np.ptp(np.bincount(label[:70].astype(int))) <= 1
    assert_array_equal(label[70:], np.arange(most))


@pytest.mark.parametrize(
    ("ranker", "expected"),
    [
        (xgboost(objective="rank:pairwise"), np.arange(99)),
        (xgboost(ndcg_exp_gain=False), np.arange(99)),
        (catboost(), np.arange(99) / 7 - 1),
        (catboost(loss_function="PairLogit:max_pairs=99"), np.arange(99)),
        (lightgbm(label_gain=list(range(99))), np.arange(99)),
    ],
)
def test_labels_without_a_limit(ranker, expected):
    target = Groups.from_arrays(
        group=np.zeros(99, int), preference=np.arange(99) / 7 - 1
    )
    assert_array_equal(label_of(ranker, target), expected)


@pytest.mark.parametrize(
    ("loss", "preference", "message"),
    [
        (
            "QuerySoftMax",
            [1, -3.5],
            "the preference -3.5; QuerySoftMax of CatBoostRanker",
        ),
        ("QueryCrossEntropy", [1, 1.5], "takes labels from 0 to 1. Rescale the pref"),
        ("QueryRMSE", [1e9 + 1, 1e9], "the preferences 1000000000.0 and 1000000001.0;"),
        (
            "QueryRMSE",
            [1e-60, 2e-60],
            "the preferences 1e-60 and 2e-60; CatBoostRanker",
        ),
        (
            "QueryRMSE",
            [1e300, 2e300],
            "the preference 1e+300; CatBoostRanker takes labels as float32, which",
        ),
    ],
)
def test_labels_that_the_library_cannot_take(loss, preference, message):
    target = Groups.from_arrays(group=[0, 0], preference=preference)
    ranker = GroupwiseRanker(catboost(loss_function=loss))
    with pytest.raises(ValueError, match=re.escape(message)):
        ranker.fit([[0.0], [1.0]], target)
    assert vars(ranker).keys() == {"ranker"}


def test_preferences_that_only_rounding_tells_apart_are_ties():
    """Means of the same ratings in another order, in groups of another range."""
    mean, again = 2.222222222222222, 2.2222222222222223
    assert mean < again
    assert np.float32(mean) == np.float32(again)
    group = [0, 0, 0, 1, 1, 2, 2, 2]
    preference = np.array([mean, 1, again, again, mean, 4, mean, again])
    table = X[: len(group)]
    ranker = GroupwiseRanker(catboost())
    message = (
        "groups has 3 pairs of neighbouring preferences in a group that differ by "
    )
    with pytest.warns(UserWarning, match=message) as caught:
        ranker.fit(table, Groups.from_arrays(group=group, preference=preference))
    assert len(caught) == 1
    tied = np.where(preference == again, mean, preference)
    native = catboost().fit(table, tied, group_id=group)
    assert_array_equal(ranker.predict(table), native.predict(table))
    # Many that differ little from the next are no rounding.
    fine = Groups.from_arrays(
        group=np.zeros(2000), preference=1e4 + np.linspace(0, 3e-4, 2000)
    )
    with pytest.raises(
        ValueError, match="the preferences 10000.0 and 10000.0003; CatB"
    ):
        ranker.fit(np.arange(2000.0)[:, None], fine)


@pytest.mark.parametrize("objective", ["lambdarank", "rank_xendcg"])
def test_groups_that_are_too_large_for_lightgbm(objective):
    table = np.arange(10_001.0)[:, None]
    target = Groups.from_arrays(group=np.zeros(10_001), preference=table[:, 0] > 5_000)
    ranker = GroupwiseRanker(lightgbm(objective=objective, n_estimators=1))
    message = (
        f"has a group of 10001 rows; {objective} of LGBMRanker takes 10000 at most. Make "
        "smaller groups, or pass XGBRanker or CatBoostRanker"
    )
    with pytest.raises(ValueError, match=re.escape(f"groups {message}")):
        ranker.fit(table, target)
    most = Groups.whole(target[1:])
    ranker.fit(table[1:], most)
    with pytest.raises(ValueError, match=re.escape(f"y_val {message}")):
        ranker.fit(table[1:], most, X_val=table, y_val=target)
    for other in (lightgbm(objective="regression"), xgboost()):
        GroupwiseRanker(other.set_params(n_estimators=1)).fit(table, target)


@pytest.mark.parametrize("loss", ["PairLogit", "PairLogitPairwise"])
def test_losses_of_pairs_heed_the_order_only(loss):
    """So levels may stand for preferences, however near or far these are."""
    order = np.argsort(GROUPS["group"], kind="stable")
    table, group = X[order], GROUPS["group"][order]
    native = catboost(loss_function=loss)
    native.fit(table, GROUPS["preference"][order], group_id=group)
    for preference in (
        np.exp(100 * GROUPS["preference"]),
        GROUPS["preference"] / 1e300,
    ):
        target = Groups.from_arrays(group=GROUPS["group"], preference=preference)
        ranker = GroupwiseRanker(catboost(loss_function=loss)).fit(X, target)
        assert_array_equal(ranker.predict(table), native.predict(table))


def test_a_series_is_no_table():
    with pytest.raises(ValueError, match="Expected a 2-dimensional container"):
        GroupwiseRanker(catboost()).fit(pd.Series(X[:, 0]), GROUPS)


def test_labels_of_different_groups_need_not_be_told_apart():
    target = Groups.from_arrays(group=[0, 0, 1, 1], preference=[1, 1e9, 1e9 + 1, 2e9])
    ranker = GroupwiseRanker(catboost()).fit(X[:4], target)
    assert ranker.n_groups_ == 2


@pytest.mark.parametrize("value", [np.nan, np.inf])
@every_library
def test_preferences_that_are_no_numbers(make, value):
    target = GROUPS.copy()
    target["preference"][3] = value
    with pytest.raises(ValueError, match="at row 3"):
        GroupwiseRanker(make()).fit(X, target)


@pytest.mark.parametrize(
    ("ranker", "error", "message"),
    [
        (LGBMRanker, TypeError, "ranker is the class LGBMRanker; expected an instance"),
        (
            None,
            TypeError,
            "ranker is NoneType and has no fit; expected a ranker such as",
        ),
        (StandardScaler(), TypeError, "ranker is StandardScaler and has no predict;"),
        (Ridge(), TypeError, "ranker is Ridge, whose fit takes none of group, qid and"),
        (
            PairwisePreferenceRanker(),
            TypeError,
            "A ranker of this package takes groups",
        ),
        (
            make_pipeline(StandardScaler(), lightgbm()),
            TypeError,
            "go around the wrapper",
        ),
        ("LambdaMART", ValueError, "ranker is 'LambdaMART'; expected a ranker such as"),
    ],
)
def test_what_is_no_ranker(ranker, error, message):
    estimator = GroupwiseRanker(ranker)
    with pytest.raises(error, match=re.escape(message)):
        estimator.fit(X, GROUPS)
    assert vars(estimator) == {"ranker": ranker}


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [
        ("LGBMRanker", "lightgbm", "sklearn-pscore[lightgbm]"),
        ("XGBRanker", "xgboost", "sklearn-pscore[xgboost]"),
        ("CatBoostRanker", "catboost", "catboost"),
    ],
)
def test_a_class_by_name_and_one_that_is_not_installed(
    name, module, extra, monkeypatch
):
    estimator = GroupwiseRanker(name)
    assert type(estimator._unfitted_ranker("fit")).__name__ == name
    monkeypatch.setitem(sys.modules, module, None)
    message = f"GroupwiseRanker.fit of {name} needs {module}, which cannot be imported"
    with pytest.raises(ImportError, match=re.escape(message)) as caught:
        estimator.fit(X, GROUPS)
    assert str(caught.value).endswith(f'Install it with: pip install "{extra}".')


@pytest.mark.parametrize(
    ("ranker", "where", "by_group"),
    [
        (lightgbm(), ("sample_weight", "eval_sample_weight"), False),
        (xgboost(), ("sample_weight", "sample_weight_eval_set"), True),
        (catboost(), ("group_weight", "group_weight"), True),
        (catboost(loss_function="QueryRMSE"), ("sample_weight", "weight"), False),
    ],
)
@pytest.mark.filterwarnings("ignore:groups has weights that differ inside a group")
def test_where_weights_go(ranker, where, by_group, monkeypatch):
    """Weights 2, 4 | 15, 3 have the mean 6, and those of their groups are 3 | 9."""
    weight = np.array([2.0, 4.0, 15.0, 3.0])
    target = Groups.from_arrays(
        group=[0, 0, 1, 1], preference=[1, 2, 1, 2], weight=weight
    )
    seen = {}
    kind, fit = type(ranker), type(ranker).fit

    def spy(self, *args, **kwargs):
        seen.update(kwargs)
        return fit(self, *args, **kwargs)

    spy.__signature__ = inspect.signature(fit)

    def pool(*args, **kwargs):
        seen["pool"] = kwargs
        return Pool(*args, **kwargs)

    monkeypatch.setattr(kind, "fit", spy)
    monkeypatch.setattr("catboost.Pool", pool)
    wrapped = GroupwiseRanker(ranker).fit(X[:4], target, X_val=X[:4], y_val=target)
    expected = np.array([3, 9] if by_group else [2, 4, 15, 3]) / 6
    if "group_weight" in where:
        expected = np.repeat(expected, 2)
    assert_allclose(seen[where[0]], expected)
    judged = seen["pool"][where[1]] if "pool" in seen else seen[where[1]][0]
    assert_allclose(judged, expected)
    assert wrapped.n_groups_ == 2


@every_library
def test_weights_too_far_apart(make):
    target = Groups.from_arrays(
        group=GROUPS["group"],
        preference=GROUPS["preference"],
        weight=np.where(GROUPS["group"] == 0, 1e-9, 1e9),
    )
    with pytest.raises(ValueError, match="at most 1e\\+12 times the smallest above 0"):
        GroupwiseRanker(make()).fit(X, target)


def test_cut_groups_and_synthetic_items_warn():
    with pytest.warns(UserWarning, match="GroupwiseRanker.fit got 20 of 30 groups cut"):
        GroupwiseRanker(catboost()).fit(X[:120], GROUPS[:120])
    pipe = make_pipeline(PairAugmenter((2,), random_state=SEED))
    pipe.steps.append(("ranker", GroupwiseRanker(catboost())))
    with pytest.warns(UserWarning, match="which GroupwiseRanker does not learn from"):
        pipe.fit(X, GROUPS)


@pytest.mark.parametrize(
    "ranker",
    [
        lightgbm(early_stopping_rounds=2),
        lightgbm(n_iter_no_change=2),
        xgboost(early_stopping_rounds=2),
    ],
)
def test_early_stopping_needs_a_set_to_judge_by(ranker):
    kind = type(ranker).__name__
    message = f"{kind} stops early by .*=2, but X_val was not passed; expected a set to"
    with pytest.raises(ValueError, match=message):
        GroupwiseRanker(ranker).fit(X, GROUPS)


@pytest.mark.parametrize("make", [xgboost, catboost])
@pytest.mark.parametrize("value", [1e39, -1e300])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_features_beyond_float32(make, value, container):
    table = np.where(X[3, 1] == X, value, X)
    kind = type(make()).__name__
    message = (
        f"X holds {value:.3g} in column 1; expected at most 3.4e+38 in size, for {kind} "
        "takes"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        GroupwiseRanker(make()).fit(container(table), GROUPS)
    fitted = GroupwiseRanker(make()).fit(container(X), GROUPS)
    with pytest.raises(ValueError, match=re.escape(message)):
        fitted.predict(container(table))
    GroupwiseRanker(lightgbm()).fit(container(table), GROUPS)


def test_a_loss_of_ones_own_has_labels_as_lambdarank():
    def squares(y, score):
        return score - y, np.ones_like(score)

    wrapped = GroupwiseRanker(lightgbm(objective=squares, n_estimators=50))
    assert wrapped.fit(X, GROUPS).score(X, GROUPS) > 0.9


def test_a_name_has_no_parameters():
    with pytest.raises(
        ValueError, match="ranker is 'XGBRanker', a name, which has no par"
    ):
        GroupwiseRanker("XGBRanker").set_params(ranker__n_estimators=3)
    wrapped = GroupwiseRanker("XGBRanker").set_params(ranker=xgboost())
    assert wrapped.set_params(ranker__n_estimators=3).ranker.n_estimators == 3


def test_weights_inside_groups():
    weight = RNG.uniform(1, 2, len(X))
    target = Groups.from_arrays(
        group=GROUPS["group"], preference=GROUPS["preference"], weight=weight
    )
    GroupwiseRanker(lightgbm()).fit(X, target)
    GroupwiseRanker(catboost(loss_function="QueryRMSE")).fit(X, target)
    for ranker in (xgboost(), catboost(), catboost(loss_function="PairLogit")):
        with pytest.warns(UserWarning, match="has weights that differ inside a group"):
            GroupwiseRanker(ranker).fit(X, target)


def test_a_ranker_that_takes_no_weights_and_returns_nothing():
    class Plain(BaseEstimator):
        def fit(self, X, y, qid):
            self.seen_ = qid

        def predict(self, X):
            return X[:, 0]

    target = Groups.from_arrays(
        group=GROUPS["group"],
        preference=GROUPS["preference"],
        weight=1.0 + GROUPS["group"] % 2,
    )
    message = (
        "groups has weights from 1 to 2, but fit of Plain takes none: the weights ar"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        fitted = GroupwiseRanker(Plain()).fit(X, target)
    assert len(caught) == 1
    assert_array_equal(fitted.ranker_.seen_, np.sort(GROUPS["group"]))
    assert_array_equal(fitted.predict(X), X[:, 0])


LOGISTIC = {
    "objective": "rank:pairwise",
    "lambdarank_normalization": False,
    "lambdarank_score_normalization": False,
}


@pytest.mark.parametrize(
    "ranker",
    [
        xgboost(**LOGISTIC, n_estimators=60),
        catboost(loss_function="PairLogit", n_estimators=400),
        catboost(
            loss_function="PairLogitPairwise:max_pairs=100000",
            n_estimators=100,
            learning_rate=0.3,
        ),
    ],
)
def test_preference_proba_is_the_share_of_pairs_that_are_won(ranker):
    # The item of feature 1 is preferred in three of four groups.
    table = np.tile([0.0, 1.0], 40)[:, None]
    won = np.repeat(np.arange(40) % 4 > 0, 2)
    target = Groups.from_arrays(
        group=np.repeat(np.arange(40), 2),
        preference=np.where(won, table[:, 0], -table[:, 0]),
    )
    ranker = GroupwiseRanker(ranker)
    assert hasattr(ranker, "preference_proba")
    proba = ranker.fit(table, target).preference_proba([[1], [0], [0]], table[:3])
    assert_allclose(proba, [0.75, 0.25, 0.5], atol=0.02)
    with pytest.raises(ValueError, match="X_a has 3 rows but X_b has 2"):
        ranker.preference_proba(table[:3], table[:2])


@pytest.mark.parametrize(
    "ranker",
    [
        lightgbm(),
        xgboost(**LOGISTIC, n_estimators=60).set_params(lambdarank_normalization=True),
        xgboost(objective="rank:pairwise", lambdarank_normalization=False),
        xgboost(**{**LOGISTIC, "objective": "rank:ndcg"}),
        catboost(),
        Ridge(),
        None,
    ],
)
def test_other_losses_have_no_preference_proba(ranker):
    estimator = GroupwiseRanker(ranker)
    assert not hasattr(estimator, "preference_proba")
    kind = type(ranker).__name__
    with pytest.raises(AttributeError) as caught:
        estimator.preference_proba(X, X)
    assert f"GroupwiseRanker of {kind} has no preference_proba" in str(
        caught.value.__cause__
    )


@every_library
def test_missing_and_sparse_features_as_the_library_takes_them(make):
    ranker = GroupwiseRanker(make())
    holes = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
    assert ranker.fit(holes, GROUPS).score(holes, GROUPS) > 0.7
    thin = np.where(np.abs(X) > 0.5, X, 0)
    dense = ranker.fit(thin, GROUPS).predict(thin)
    for table in (
        sparse.csr_matrix(thin),
        sparse.csr_array(thin),
        sparse.coo_array(thin),
    ):
        scores = ranker.fit(table, GROUPS).predict(table)
        # XGBoost reads what is not there as missing.
        assert make is xgboost or np.array_equal(scores, dense)
        assert ranker.score(table, GROUPS) > 0.7
    wide = sparse.csr_array(thin)
    wide.indices, wide.indptr = wide.indices.astype("i8"), wide.indptr.astype("i8")
    assert_array_equal(ranker.fit(wide, GROUPS).predict(wide), scores)
    # Each value as the sum of two that stand in the same place.
    once = sparse.csr_array(thin)
    twice = sparse.csr_array(thin)
    twice.data, twice.indices = np.repeat(once.data / 2, 2), np.repeat(once.indices, 2)
    twice.indptr = 2 * once.indptr
    assert not twice.has_canonical_format
    assert_array_equal(ranker.fit(twice, GROUPS).predict(twice), scores)
    assert twice.nnz == 2 * once.nnz
    with pytest.raises(ValueError, match="infinity"):
        ranker.fit(np.where(X > 2, np.inf, X), GROUPS)


@pytest.mark.parametrize(
    "ranker",
    [lightgbm(), xgboost(enable_categorical=True), catboost(cat_features=["kind"])],
)
def test_categorical_columns_are_passed_on(ranker):
    kind = pd.Categorical(RNG.choice(list("xyz"), len(X)))
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(kind=kind)
    worth = Groups.from_arrays(group=GROUPS["group"], preference=kind.codes)
    estimator = clone(GroupwiseRanker(ranker.set_params(n_estimators=30)))
    assert estimator.ranker is not ranker
    assert estimator.ranker.get_params() == ranker.get_params()
    estimator.fit(frame, worth)
    assert estimator.score(frame, worth) > 0.95
    assert estimator.feature_names_in_.tolist() == ["a", "b", "c", "kind"]
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.predict(frame.rename(columns={"a": "z"}))
    with pytest.raises(TypeError, match="of type str, at row 0, column 'a'"):
        estimator.fit(frame.assign(a="text"), worth)


@pytest.mark.parametrize("make", [xgboost, catboost])
def test_categories_that_are_not_asked_for(make):
    numbers = pd.DataFrame(X.round()).astype("category")
    wrapped = GroupwiseRanker(make())
    expected = wrapped.fit(X.round(), GROUPS).predict(X.round())
    assert_array_equal(wrapped.fit(numbers, GROUPS).predict(numbers), expected)
    text = pd.DataFrame(X.round().astype(str)).astype("category")
    with pytest.raises(
        TypeError, match="of type str, at row 0, column 0; expected num"
    ):
        wrapped.fit(text, GROUPS)


@every_library
def test_at_home_in_scikit_learn(make):
    ranker = GroupwiseRanker(make())
    pipe = make_pipeline(StandardScaler(), ranker)
    search = GridSearchCV(
        pipe,
        {"groupwiseranker__ranker__n_estimators": [1, 10]},
        scoring=pairwise_accuracy_scorer,
        cv=PreferenceGroupKFold(3),
    ).fit(X, GROUPS)
    assert search.best_params_ == {"groupwiseranker__ranker__n_estimators": 10}
    assert search.best_score_ > 0.8
    importance = permutation_importance(
        search, X, GROUPS, scoring=pairwise_accuracy_scorer, random_state=SEED
    ).importances_mean
    assert min(importance[:2]) > importance[2] + 0.05
    comparison = compare_rankers({"GBM": pipe}, X, GROUPS, cv=3, n_seeds=1)
    assert comparison.table().loc["GBM", ("MRR", "mean")] > 0.6


@every_library
def test_copies_score_alike(make):
    ranker = GroupwiseRanker(make()).fit(X, GROUPS)
    loaded = pickle.loads(pickle.dumps(ranker))
    again = clone(ranker).fit(X, GROUPS)
    assert_array_equal(loaded.predict(X), ranker.predict(X))
    assert_array_equal(again.predict(X), ranker.predict(X))
    assert not hasattr(clone(ranker), "ranker_")


def test_a_fit_that_fails_leaves_the_last_one(monkeypatch):
    ranker = GroupwiseRanker(lightgbm()).fit(X, GROUPS)
    before = dict(vars(ranker))

    def fail(self, *args, group=None, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(LGBMRanker, "fit", fail)
    with pytest.raises(KeyboardInterrupt):
        ranker.fit(X[:, :2], GROUPS)
    assert vars(ranker) == before


def noisy_sets():
    """Make a training and a validation set of which trees soon learn the chance."""
    rng = np.random.default_rng(SEED)
    table, group = rng.normal(size=(400, 4)), np.arange(400) % 50
    preference = rng.permutation(table[:, 0] + 3 * rng.normal(size=400) - 5)
    target = Groups.from_arrays(group=group, preference=preference)
    is_shown = group < 25
    return table[is_shown], target[is_shown], table[~is_shown], target[~is_shown]


def n_trees(ranker):
    """Return how many trees a fitted ranker predicts with."""
    if isinstance(ranker, LGBMRanker):
        return ranker.best_iteration_
    if isinstance(ranker, XGBRanker):
        return ranker.best_iteration + 1
    return ranker.tree_count_


@every_library
@pytest.mark.parametrize("weighted", [False, True])
def test_early_stopping_of_theirs(make, weighted):
    table, target, table_val, target_val = noisy_sets()
    if weighted:
        target_val = Groups.from_arrays(
            group=target_val["group"],
            preference=target_val["preference"],
            weight=(target_val["group"] - 24.0),
        )
    ranker = make(n_estimators=100, early_stopping_rounds=3)
    wrapped = GroupwiseRanker(ranker)
    wrapped.fit(table, target, X_val=table_val, y_val=target_val)
    assert n_trees(wrapped.ranker_) < 100
    # Written out for the library.
    train, val = (np.argsort(t["group"], kind="stable") for t in (target, target_val))
    levels = [
        np.argsort(np.argsort(t["preference"][o].reshape(-1, 8))).ravel()
        for t, o in ((target, train), (target_val, val))
    ]
    if make is catboost:
        levels = [target["preference"][train], target_val["preference"][val]]
    weight = np.arange(1.0, 26) / 13 if weighted else None
    rows = None if weight is None else np.repeat(weight, 8)
    group = target_val["group"][val]
    native = clone(ranker)
    arguments = native_arguments(
        ranker, table[train], levels[0], target["group"][train]
    )
    native.fit(
        **arguments,
        **{
            lightgbm: lambda: {
                "eval_X": table_val[val],
                "eval_y": levels[1],
                "eval_group": [[8] * 25],
                "eval_sample_weight": None if rows is None else [rows],
            },
            xgboost: lambda: {
                "eval_set": [(table_val[val], levels[1])],
                "eval_qid": [group],
                "sample_weight_eval_set": None if weight is None else [weight],
            },
            catboost: lambda: {
                "eval_set": Pool(
                    table_val[val], levels[1], group_id=group, group_weight=rows
                )
            },
        }[make](),
    )
    assert n_trees(native) == n_trees(wrapped.ranker_)
    assert_array_equal(wrapped.predict(table), native.predict(table))


def test_labels_of_pairs_are_judged_by_ndcg():
    table, target, *_ = noisy_sets()
    one = Groups.from_arrays(group=np.zeros(200, int), preference=target["preference"])
    ranker = GroupwiseRanker(xgboost(objective="rank:pairwise"))
    ranker.fit(table, one)
    with pytest.warns(
        UserWarning, match="y_val has 200 levels of preference in a group"
    ):
        ranker.fit(table, one, X_val=table, y_val=one)
    ranker.set_params(ranker__ndcg_exp_gain=False)
    ranker.fit(table, one, X_val=table, y_val=one)


@pytest.mark.parametrize(
    ("ranker", "table", "target", "error", "message"),
    [
        (
            lightgbm(),
            X,
            None,
            ValueError,
            "y_val is None but X_val was passed; expected",
        ),
        (lightgbm(), X[:, :2], GROUPS, ValueError, "X_val has 2 columns but X has 3"),
        (
            lightgbm(),
            X,
            GROUPS[:9],
            ValueError,
            "y_val has 9 entries but X_val has 150",
        ),
        (
            catboost(loss_function="QuerySoftMax"),
            X,
            Groups.from_arrays(group=GROUPS["group"], preference=-np.arange(150.0)),
            ValueError,
            "takes labels from 0 to inf. Rescale the preferences, or pass another loss",
        ),
    ],
)
def test_sets_that_cannot_be_judged_by(ranker, table, target, error, message):
    positive = GROUPS.copy()
    positive["preference"] += 10
    with pytest.raises(error, match=re.escape(message)):
        GroupwiseRanker(ranker).fit(X, positive, X_val=table, y_val=target)


def test_a_ranker_that_takes_no_set_to_judge_by():
    class Plain(BaseEstimator):
        def fit(self, X, y, qid=None):
            return self

        def predict(self, X):
            return X[:, 0]

    message = "X_val was passed, but fit of Plain takes no eval_qid that is known; expe"
    with pytest.raises(TypeError, match=re.escape(message)):
        GroupwiseRanker(Plain()).fit(X, GROUPS, X_val=X, y_val=GROUPS)


@pytest.mark.parametrize(
    "ranker",
    [lightgbm(), xgboost(enable_categorical=True), catboost(cat_features=["kind"])],
)
def test_a_set_to_judge_by_with_categories(ranker):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    frame["kind"] = pd.Categorical(RNG.choice(list("xyz"), len(X)))
    wrapped = GroupwiseRanker(ranker).fit(frame, GROUPS, X_val=frame, y_val=GROUPS)
    assert wrapped.score(frame, GROUPS) > 0.8
    with pytest.warns(UserWarning, match="X_val lies far outside of X in 1 of 4 feat"):
        wrapped.fit(frame, GROUPS, X_val=frame.assign(b=X[:, 1] + 99), y_val=GROUPS)


def test_a_bare_ranker_that_is_frozen_is_compared():
    order = np.argsort(GROUPS["group"], kind="stable")
    level = np.tile(np.arange(5), 30)
    native = lightgbm().fit(
        **native_arguments(lightgbm(), X[order], level, GROUPS["group"][order])
    )
    frozen = FrozenEstimator(native)
    comparison = compare_rankers({"frozen": frozen}, X, GROUPS, cv=3, n_seeds=1)
    assert comparison.rows["MRR"].notna().all()
    members = [("frozen", frozen), ("linear", LinearPreferenceRanker())]
    stack = StackedRanker(members).fit(X, GROUPS)
    assert stack.named_rankers_.frozen.estimator is native


@every_library
def test_a_bare_ranker_is_refused_before_anything_is_fitted(make):
    kind = type(make()).__name__
    argument = {lightgbm: "group", xgboost: "qid", catboost: "group_id"}[make]
    search = GridSearchCV(make_pipeline(StandardScaler(), make()), {})
    for ranker, name in (
        (make(), "rankers['GBM'] is"),
        (
            make_pipeline(StandardScaler(), make()),
            "the model inside of rankers['GBM'] is",
        ),
        (search, "the model inside of rankers['GBM'] is"),
    ):
        message = (
            f"{name} {kind}, whose fit wants the groups as {argument}=, beside the target; "
            "expected an estimator whose fit takes a target of Groups. Pass "
            f"GroupwiseRanker({kind}(...))."
        )
        with pytest.raises(TypeError, match=re.escape(message)):
            compare_rankers({"GBM": ranker}, X, GROUPS, cv=3)


@every_library
def test_a_bare_ranker_is_refused_by_the_folds_of_a_search(make):
    kind, cv = type(make()).__name__, PreferenceGroupKFold(3)
    scoring = pairwise_accuracy_scorer
    pipeline = make_pipeline(StandardScaler(), make())
    expected = re.escape(f"Pass GroupwiseRanker({kind}(...)).")
    for estimator in (make(), pipeline, GridSearchCV(pipeline, {})):
        for call in (
            GridSearchCV(estimator, {}, scoring=scoring, cv=cv).fit,
            partial(cross_val_score, estimator, scoring=scoring, cv=cv),
            partial(learning_curve, estimator, scoring=scoring, cv=cv),
        ):
            with pytest.raises(TypeError, match=expected):
                call(X, GROUPS)
    # Neither a wrapped ranker, nor folds that nobody fits on.
    list(cv.split(X, GROUPS))
    cross_val_score(GroupwiseRanker(make()), X, GROUPS, scoring=scoring, cv=cv)
