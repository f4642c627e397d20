"""Powers of two as factors: the same result in every bit, or an error that says why.

A factor of X, of the preferences, of the weights or of the scores says nothing, and
a power of two rounds nothing.
"""

import re
from functools import partial

import numpy as np
import pandas as pd
import pytest
from cases import quick
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import (
    Groups,
    LevelClassifierRanker,
    PairAugmenter,
    RankSumRanker,
    TopCountRanker,
)
from sklearn_pscore.metrics import (
    dcg_score,
    kendall_tau_score,
    ndcg_score,
    pairwise_accuracy_score,
    rank_items,
    reciprocal_rank_score,
)

# scikit-learn adds up X to see whether it is finite, without a word on overflow.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered in reduce")

POWERS = [-1060, -1000, -600, -300, -120, -60, 60, 120, 125, 300, 600, 955, 1000]
POWERS += [-10, 20, 1020, 1021, 1023, 1024]
RNG = np.random.default_rng(0)
GROUP = np.repeat(np.arange(12), 5)
# All of a few binary digits: they have room below, and their means are exact.
X = RNG.integers(-40, 41, size=(60, 3)) / 8
PREFERENCE = 4 + np.round(X[:, 0] - X[:, 1] / 2) / 4
PREFERENCE -= PREFERENCE.min()
WEIGHT = RNG.integers(1, 9, size=60) / 8
Y_SCORE = X[:, 2] / 8
ITEM = np.tile([0, 1, 2, 3, 3], 12)
OF_ITEMS = PREFERENCE.copy()
OF_ITEMS[4::5] = OF_ITEMS[3::5]


def scaled(values, power):
    """Return values times a power of two; None if that is not exact."""
    with np.errstate(over="ignore"):
        result = np.ldexp(values, power)
    exact = np.isfinite(result).all() and (np.ldexp(result, -power) == values).all()
    return result if exact else None


def outcome(compute, name, what):
    """Return what `compute` returns; None for an error that names the argument."""
    try:
        return compute()
    except ValueError as error:
        text = str(error)
    assert text.startswith(what), (name, text)
    return None


METRICS = {
    "MRR": reciprocal_rank_score,
    "DCG": dcg_score,
    "DCG linear": partial(dcg_score, gain="linear"),
    "NDCG": ndcg_score,
    "NDCG linear": partial(ndcg_score, gain="linear"),
    "accuracy": pairwise_accuracy_score,
    "accuracy of the best": partial(pairwise_accuracy_score, k=2),
    "tau": kendall_tau_score,
    "ranks": rank_items,
}


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("has_items", [False, True])
@pytest.mark.parametrize("what", ["preference", "weight", "y_score"])
def test_metrics_have_no_scale(what, has_items, power):
    item = ITEM if has_items else None
    given = {
        "preference": OF_ITEMS if has_items else PREFERENCE,
        "weight": WEIGHT,
        "y_score": Y_SCORE,
    }
    changed = {**given, what: scaled(given[what], power)}

    def value(metric, preference, weight, y_score):
        target = Groups.from_arrays(
            group=GROUP, preference=preference, weight=weight, item=item
        )
        return metric(target, y_score)

    if changed[what] is None:
        assert abs(power) > 1000
        return
    for name, metric in METRICS.items():
        expected = value(metric, **given)
        found = outcome(lambda metric=metric: value(metric, **changed), name, what)
        if found is None:
            # A sum of such gains would be infinite.
            assert (what, name.split()[-1]) == ("preference", "linear")
            assert power > 1000
            continue
        if (what, name) == ("preference", "DCG linear"):
            expected = np.ldexp(expected, power)
        assert_array_equal(found, expected, name)


RANKERS = {
    "network": quick(),
    "linear": quick((), shortcut="linear"),
    "of the paper": quick(
        n_members=1, shortcut=None, input_clip=None, batch_norm=True, dropout=0.0
    ),
    "lambdarank": quick(loss="lambdarank"),
    "lambdarank linear": quick(loss="lambdarank", gain="linear"),
    "listnet": quick(loss="listnet"),
    "RS": RankSumRanker(directions="larger"),
    "RS to zero": RankSumRanker(directions="nearest_zero"),
    "#Top1": TopCountRanker(directions="smaller"),
    "tree": LevelClassifierRanker(random_state=0),
    "tree of bins": LevelClassifierRanker(n_levels=3, random_state=0),
}


def scores(ranker, X, preference, weight):
    """Fit, and return the scores, in groups too if the ranker takes them."""
    target = Groups.from_arrays(group=GROUP, preference=preference, weight=weight)
    ranker.fit(X, target)
    if isinstance(ranker, LevelClassifierRanker):
        assert np.isfinite(ranker.levels_).all()
        assert (np.diff(ranker.levels_) > 0).all()
    in_groups = [ranker.predict(X, target)] if hasattr(ranker, "directions") else []
    return np.array([ranker.predict(X), *in_groups])


@pytest.mark.parametrize("ranker", RANKERS.values(), ids=RANKERS)
@pytest.mark.parametrize("what", ["X", "float32 X", "preference", "weight"])
def test_rankers_have_no_scale(ranker, what):
    dtype = np.float32 if what == "float32 X" else np.float64
    what = what.split()[-1]
    given = {"X": X.astype(dtype), "preference": PREFERENCE, "weight": WEIGHT}
    expected, n_same = scores(ranker, **given), 0
    for power in POWERS:
        changed = {**given, what: scaled(given[what], power)}
        if changed[what] is None:
            continue
        found = outcome(lambda changed=changed: scores(ranker, **changed), power, what)
        if found is None:
            continue
        n_same += 1
        if dtype == np.float32 and what == "X" and abs(power) > 60:
            # Scaled in float64 there, which rounds otherwise.
            assert_allclose(found, expected, atol=0.01 * np.ptp(expected))
        else:
            assert_array_equal(found, expected, f"{what} {power}")
    assert n_same >= (2 if what == "X" else 12)


def test_parts_of_a_fit_have_no_scale():
    target = Groups.from_arrays(group=GROUP, preference=PREFERENCE)
    expected = quick().partial_fit(X, target).predict(X)
    for power in (-1000, -60, 60, 120):
        table = np.ldexp(X, power)
        assert_array_equal(quick().partial_fit(table, target).predict(table), expected)


def test_columns_without_an_inverse_are_refused():
    target = Groups.from_arrays(group=GROUP, preference=PREFERENCE)
    table = X.copy()
    table[:, 1] *= 8 * np.finfo(np.float64).tiny
    message = r"X holds no value above .* in size in column 1; expected at least"
    for fit in (quick().fit, quick().partial_fit):
        with pytest.raises(ValueError, match=message):
            fit(table, target)
    # One value that is large enough, and quartiles that have no inverse.
    table[0, 1] = 1.0
    ranker = quick().fit(table, target)
    for dtype in (np.float32, np.float64):
        assert np.isfinite(ranker.predict(table.astype(dtype))).all()


@pytest.mark.parametrize("power", [-1070, -1000, 900, 1020])
def test_networks_score_any_finite_row(power):
    target = Groups.from_arrays(group=GROUP, preference=PREFERENCE)
    ranker = quick().fit(X, target)
    assert np.isfinite(ranker.predict(np.ldexp(X, power))).all()


def test_columns_that_a_classifier_cannot_see_are_refused():
    target = Groups.from_arrays(group=GROUP, preference=PREFERENCE)
    table = X * [1.0, 1e-9, 0.0]
    message = (
        "X holds no value above 4.88e-09 in size in column 1; expected values above "
        "1e-07, which DecisionTreeClassifier can"
    )
    with pytest.raises(ValueError, match=message):
        LevelClassifierRanker(random_state=0).fit(table, target)
    message = (
        "X holds 4.87e+30 in column 'b'; expected at most 1e+30 in size, since Deci"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        LevelClassifierRanker(random_state=0).fit(
            pd.DataFrame(X * [1, 1e30, 1], columns=list("abc")), target
        )
    message = "X holds no value above 4.88e-09 in size in column 'b'"
    with pytest.raises(ValueError, match=re.escape(message)):
        LevelClassifierRanker(random_state=0).fit(
            pd.DataFrame(table, columns=list("abc")), target
        )
    ranker = LevelClassifierRanker(
        make_pipeline(StandardScaler(), LogisticRegression())
    )
    assert ranker.fit(table, target).score(table, target) > 0.5


@pytest.mark.parametrize("classifier", [None, RandomForestClassifier(3)])
def test_rows_that_trees_cannot_take_are_refused_in_prediction(classifier):
    target = Groups.from_arrays(group=GROUP, preference=PREFERENCE)
    ranker = LevelClassifierRanker(classifier, random_state=0).fit(X, target)
    far = X.copy()
    far[9, 2] = -1e300
    message = "X holds -1e+300 in column 2; expected at most 3.4e+38 in size, for "
    with pytest.raises(ValueError, match=re.escape(message)):
        ranker.predict(far)


@pytest.mark.parametrize("preferred", ["max", "mean"])
@pytest.mark.parametrize("what", ["X", "preference", "weight"])
def test_the_augmenter_has_no_scale(what, preferred):
    given = {"X": X, "preference": PREFERENCE, "weight": WEIGHT}

    def augmented(X, preference, weight):
        augmenter = PairAugmenter(
            stitch_sizes=(2, 3),
            n_injected=2,
            random_state=0,
            stitched_preference=preferred,
            stitch_penalty=0.0,
            injected_penalty=0.0,
        )
        target = Groups.from_arrays(group=GROUP, preference=preference, weight=weight)
        X, more = augmenter.augment(X, target)
        return X, more["preference"], more["weight"]

    expected = augmented(**given)
    changed = ["X", "preference", "weight"].index(what)
    n_same = 0
    for power in POWERS:
        table = {**given, what: scaled(given[what], power)}
        if table[what] is None:
            continue
        found = outcome(lambda table=table: augmented(**table), power, what)
        if found is None:
            assert power > 950
            continue
        n_same += 1
        for k, (part, same) in enumerate(zip(found, expected, strict=True)):
            factor = 2.0**power if k == changed and power > -1000 else 1.0
            if k != changed or power > -1000:
                assert_array_equal(part, same * factor)
            else:
                assert np.isfinite(part).all()
    assert n_same >= 10


@pytest.mark.parametrize(
    ("penalty", "preference"),
    [("stitch_penalty", 1e17), ("injected_penalty", 1e30), ("stitch_penalty", -1e280)],
)
def test_a_penalty_that_rounding_takes_away_is_refused(penalty, preference):
    target = Groups.from_arrays(group=[0, 0, 1, 1], preference=[1, 2, 3, preference])
    message = rf"preference holds {preference:.3g}, from which {penalty}=".replace(
        "+", r"\+"
    )
    arguments = {"stitch_penalty": 0.0, "injected_penalty": 0.0}
    with pytest.raises(ValueError, match=message):
        PairAugmenter(
            stitch_sizes=(2,), n_injected=1, **{**arguments, penalty: 1.0}
        ).augment(X[:4], target)


def test_a_penalty_beyond_the_largest_number_is_refused():
    target = Groups.from_arrays(group=[0, 0, 0], preference=[-1e280, 1, 2])
    with pytest.raises(ValueError, match=r"stitch_penalty is 1.7e\+308; expected at"):
        PairAugmenter(stitch_sizes=(2,), stitch_penalty=1.7e308).augment(X[:3], target)


@pytest.mark.parametrize("largest", [2**63 - 1, 2**63 - 3])
def test_names_that_leave_no_room_are_refused(largest):
    target = Groups.from_arrays(
        group=[0, 0, 0], preference=[1, 2, 3], item=[0, 1, largest]
    )
    augmenter = PairAugmenter(stitch_sizes=(2,))
    message = f"item is {largest} in one row, and 3 items more are numbered from"
    with pytest.raises(ValueError, match=message):
        augmenter.augment(X[:3], target)
    target["item"] -= 3
    names = augmenter.augment(X[:3], target)[1]["item"]
    assert names.tolist() == [-3, -2, *range(largest - 3, largest + 1)]


def test_weights_of_pairs_too_far_apart_are_refused():
    # The pair of the first two decides, and it is won.
    weight = [1, 1e-140, 1e-145]
    target = Groups.from_arrays(group=[0] * 3, preference=[1, 2, 0], weight=weight)
    assert pairwise_accuracy_score(target, [1, 2, 3]) > 0.99
    target["weight"] = [1, 1e-160, 1e-200]
    message = r"weight is 1e-160 in one item and 1 in another of its group; expected"
    for metric in (pairwise_accuracy_score, kendall_tau_score):
        with pytest.raises(ValueError, match=message):
            metric(target, [1, 2, 3])


def test_means_of_the_largest_weights_are_finite():
    largest = np.finfo(float).max
    target = Groups.from_arrays(
        group=[0, 0, 0, 1, 1],
        preference=[1, 1, 0, 1, 0],
        item=[0, 0, 1, 0, 1],
        weight=[largest, largest, largest, largest / 2, largest / 2],
    )
    # The first group weighs twice as much as the second.
    assert reciprocal_rank_score(target, [1, 1, 0, 0, 1]) == pytest.approx(2.5 / 3)
