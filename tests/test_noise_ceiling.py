"""The noise ceiling: what a perfect score could reach against a few raters."""

import re
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from sklearn_pscore import Groups
from sklearn_pscore._target.check import check_groups
from sklearn_pscore.inspection import NoiseCeiling, noise_ceiling
from sklearn_pscore.metrics import (
    dcg_score,
    kendall_tau_score,
    pairwise_accuracy_score,
    pearson_score,
    rmse,
    spearman_score,
)
from sklearn_pscore.metrics._rater_noise import mean_opinions

SHAPES = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "exponential": lambda rng, shape: rng.exponential(size=shape),
    "two levels": lambda rng, shape: (
        rng.choice([-1.0, 1.0], shape) + 0.2 * rng.normal(size=shape)
    ),
    "systems apart": lambda rng, shape: (
        np.linspace(-1.5, 1.5, shape[1]) + 0.3 * rng.normal(size=shape)
    ),
}


def judged(rng, kind, n_raters, shape=(60, 6), deviation=1.0, **options):
    """Return a target of ratings, and the true opinions."""
    truth = SHAPES[kind](rng, shape) + rng.normal(size=(shape[0], 1))
    ratings = truth[..., None] + deviation * rng.normal(size=(*shape, n_raters))
    items = {
        "prompt": np.repeat(np.arange(shape[0]), shape[1]),
        "system": np.tile(np.arange(shape[1]), shape[0]),
    }
    ratings = ratings.reshape(-1, n_raters)
    groups = Groups.from_ratings(ratings, items, weight=None, **options)
    return groups, truth.ravel()


@pytest.mark.parametrize("n_raters", [5, 15])
@pytest.mark.parametrize("kind", SHAPES)
def test_it_is_what_the_true_opinion_reaches(kind, n_raters):
    rng = np.random.default_rng(0)
    reached, estimated = [], []
    for _ in range(40):
        groups, truth = judged(rng, kind, n_raters)
        reached.append(pairwise_accuracy_score(groups, truth))
        estimated.append(noise_ceiling(groups, random_state=0).value)
    assert abs(np.mean(estimated) - np.mean(reached)) < 0.01
    # Normal differences would be off by .05 for two levels.
    assert np.std(estimated) < 0.03


METRICS = {
    "DCG": (dcg_score, 0.1),
    "tau": (kendall_tau_score, 0.03),
    "Spearman": (spearman_score, 0.03),
    "Pearson of all": (partial(pearson_score, within="all"), 0.01),
    "error": (partial(rmse, mapping=None), 0.02),
    "own": (lambda groups, y_score: pairwise_accuracy_score(groups, y_score), 0.02),
}


@pytest.mark.parametrize("name", METRICS)
def test_other_metrics_by_draws(name):
    metric, tolerance = METRICS[name]
    rng = np.random.default_rng(1)
    reached, estimated = [], []
    for _ in range(4):
        groups, truth = judged(rng, "normal", 6, (100, 6))
        reached.append(metric(groups, truth))
        # In five blocks, which the interval leaves out one by one.
        ceiling = noise_ceiling(
            groups,
            metric=metric,
            n_draws=20,
            cluster=groups["group"] // 20,
            random_state=0,
        )
        estimated.append(ceiling.value)
        assert ceiling.low < ceiling.value < ceiling.high
    assert abs(np.mean(estimated) - np.mean(reached)) < tolerance


def test_the_interval_holds_the_expected_accuracy():
    rng = np.random.default_rng(2)
    expected = np.mean(
        [pairwise_accuracy_score(*judged(rng, "normal", 6, (500, 6))) for _ in range(5)]
    )
    held = []
    for _ in range(60):
        ceiling = noise_ceiling(judged(rng, "normal", 6)[0], random_state=0)
        held.append(ceiling.low <= expected <= ceiling.high)
    assert np.mean(held) >= 0.88
    wide = noise_ceiling(judged(rng, "normal", 6)[0], level=0.99, random_state=0)
    assert wide.high - wide.low > 0.02
    assert wide.level == 0.99


def test_by_definition_with_a_known_distribution():
    # Two items whose true difference is +-2 with the noise of one rater each:
    # P(right) is that of a normal number above -2 / sqrt(2). Nothing is further from
    # the smooth distribution that is looked for than a single value.
    rng = np.random.default_rng(3)
    sign = rng.choice([-1.0, 1.0], 4000)
    truth = np.column_stack([sign, -sign])
    opinion = truth + rng.normal(size=(4000, 2))
    groups = Groups.from_arrays(
        group=np.repeat(np.arange(4000), 2),
        preference=opinion.ravel(),
        n_raters=np.full(8000, 9),
        spread=np.full(8000, 3.0),
    )
    value = noise_ceiling(groups, random_state=0).value
    assert abs(value - stats.norm.cdf(2 / np.sqrt(2))) < 0.02


def test_without_noise_it_is_the_best_possible():
    fields = {"group": [0, 0, 1, 1], "preference": [1.0, 2.0, 2.0, 4.0]}
    groups = Groups.from_arrays(**fields, n_raters=[9] * 4, spread=np.zeros(4))
    ceiling = noise_ceiling(groups)
    assert ceiling == NoiseCeiling(1.0, 1.0, 1.0, 0.95, "pairwise_accuracy_score", 2)
    by_draws = noise_ceiling(groups, metric=kendall_tau_score, n_draws=2)
    assert (by_draws.value, by_draws.low, by_draws.high) == (1.0, 1.0, 1.0)


def test_much_noise_leaves_little_more_than_chance():
    rng = np.random.default_rng(4)
    groups, _ = judged(rng, "normal", 5, (200, 5), deviation=30.0)
    assert 0.5 <= noise_ceiling(groups, random_state=0).value < 0.62


def test_more_raters_raise_it():
    rng = np.random.default_rng(5)
    values = [
        noise_ceiling(judged(rng, "normal", n)[0], random_state=0).value
        for n in (3, 10, 100)
    ]
    assert np.all(np.diff(values) > 0.02)


def test_row_order_labels_and_scale_do_not_matter():
    groups, _ = judged(np.random.default_rng(6), "normal", 5)
    expected = noise_ceiling(groups, random_state=0)
    order = np.random.default_rng(7).permutation(len(groups))
    mixed = noise_ceiling(groups[order], random_state=0)
    assert mixed == expected
    fields = {name: groups[name] for name in groups.dtype.names}
    fields.update(preference=9 * groups["preference"] - 4, spread=9 * groups["spread"])
    fields["group"] = [f"prompt {label:03}" for label in groups["group"]]
    scaled = noise_ceiling(Groups.from_arrays(**fields), random_state=0)
    assert_allclose([scaled.value, scaled.low], [expected.value, expected.low])


def test_donors_rows_of_weight_zero_and_rows_of_one_item():
    groups, _ = judged(np.random.default_rng(8), "normal", 5)
    expected = noise_ceiling(groups, random_state=0)
    fields = {
        name: np.concatenate([groups[name], groups[name][:9]])
        for name in ("group", "item", "preference", "n_raters", "spread")
    }
    # The same rows once more: rows of one item are one opinion.
    twice = Groups.from_arrays(**fields)
    assert noise_ceiling(twice, random_state=0) == expected
    for name, value in (("item", 99), ("preference", 50.0), ("n_raters", 0)):
        fields[name] = fields[name].copy()
        fields[name][-9:] = value
    fields["item"][-9:] = 100 + np.arange(9)
    off = np.r_[np.ones(len(groups)), np.zeros(9)]
    for option in ({"weight": off}, {"donor": off == 0}):
        odd = Groups.from_arrays(**fields, **option)
        assert noise_ceiling(odd, random_state=0) == expected


def test_clusters_are_blocks_groups_or_labels():
    groups, _ = judged(np.random.default_rng(9), "normal", 5)
    fields = {name: groups[name] for name in groups.dtype.names}
    by_group = noise_ceiling(groups, random_state=0)
    assert by_group.n_clusters == 60
    blocked = Groups.from_arrays(**fields, block=groups["group"] // 5)
    by_block = noise_ceiling(blocked, random_state=0)
    assert by_block.n_clusters == 12
    assert_allclose(by_block.value, by_group.value, rtol=1e-12)
    for cluster in (groups["group"] // 5, "group"):
        other = noise_ceiling(blocked, cluster=cluster, random_state=0)
        assert other.n_clusters == (60 if isinstance(cluster, str) else 12)
    one = noise_ceiling(groups, cluster=np.zeros(len(groups), int), random_state=0)
    assert_allclose(one.value, by_group.value, rtol=1e-12)
    assert np.isnan([one.low, one.high]).all()
    drawn = noise_ceiling(
        groups, metric=dcg_score, cluster=np.zeros(len(groups), int), n_draws=2
    )
    assert np.isnan([drawn.low, drawn.high]).all()


def test_large_groups_are_told_from_300_of_their_items():
    groups, truth = judged(np.random.default_rng(10), "normal", 5, (2, 700))
    ceiling = noise_ceiling(groups, random_state=0)
    assert abs(ceiling.value - pairwise_accuracy_score(groups, truth)) < 0.02
    assert noise_ceiling(groups, random_state=0) == ceiling


def test_of_many_pairs_some_are_drawn_in_each_group(monkeypatch):
    groups, _ = judged(np.random.default_rng(15), "normal", 5, (300, 40))
    every = noise_ceiling(groups, random_state=0).value
    monkeypatch.setattr("sklearn_pscore.metrics._ceiling._MOST_PAIRS", 300 * 10)
    drawn = [noise_ceiling(groups, random_state=seed).value for seed in range(5)]
    assert 0 < np.std(drawn) < 0.01
    assert abs(np.mean(drawn) - every) < 0.01


def test_spreads_are_drawn_towards_those_of_like_opinion():
    rng = np.random.default_rng(11)
    # All have the same true variance, so five ratings say nothing of one item.
    groups, _ = judged(rng, "normal", 5, (200, 6))
    noise = 5 * mean_opinions(check_groups(groups), "test").noise
    assert np.std(noise) < 0.15
    assert abs(np.mean(noise) - 1.0) < 0.1
    # Variances that differ stay different: .25 and 4, by 30 ratings each.
    fields = {name: groups[name] for name in groups.dtype.names}
    own = np.where(np.arange(len(groups)) % 2, 0.5, 2.0)
    drawn = own * np.sqrt(rng.chisquare(29, len(groups)) / 29)
    fields.update(spread=drawn, n_raters=np.full(len(groups), 30))
    opinions = mean_opinions(check_groups(Groups.from_arrays(**fields)), "test")
    true = own[opinions.item] ** 2
    assert np.corrcoef(30 * opinions.noise, true)[0, 1] > 0.9
    # Unknown spreads and single raters have that of the others.
    fields["spread"] = np.where(np.arange(len(groups)) % 3, fields["spread"], np.nan)
    fields["n_raters"] = np.where(np.arange(len(groups)) % 7, 30, 1)
    opinions = mean_opinions(check_groups(Groups.from_arrays(**fields)), "test")
    assert np.isfinite(opinions.noise).all()


def test_text():
    groups, _ = judged(np.random.default_rng(12), "normal", 5)
    text = str(noise_ceiling(groups, random_state=0))
    assert re.fullmatch(
        r"noise ceiling of pairwise_accuracy_score: 0\.8\d\d \(95% interval 0\.8\d\d to "
        r"0\.\d\d\d, 60 clusters\)",
        text,
    )


def without(field):
    groups, _ = judged(np.random.default_rng(13), "normal", 5)
    fields = {name: groups[name] for name in groups.dtype.names if name != field}
    return Groups.from_arrays(**fields)


def changed(**new):
    groups, _ = judged(np.random.default_rng(13), "normal", 5)
    fields = {name: groups[name].copy() for name in groups.dtype.names}
    for field, (rows, value) in new.items():
        fields[field][rows] = value
    return Groups.from_arrays(**fields)


BAD = {
    "no n_raters": (
        lambda: without("n_raters"),
        {},
        ValueError,
        "groups has no field 'n_raters'; noise_ceiling expects to know how many people "
        "judged each row",
    ),
    "no spread": (lambda: without("spread"), {}, ValueError, "has no field 'spread'"),
    "unknown number": (
        lambda: changed(n_raters=([7, 9], 0)),
        {},
        ValueError,
        "n_raters is 0, not known, in 2 of the 360 rows that count, the first at row 7",
    ),
    "unknown spreads": (
        lambda: changed(spread=(slice(None), np.nan)),
        {},
        ValueError,
        "spread is not known, or n_raters is 1, in all 360 items that count",
    ),
    "single raters": (
        lambda: changed(n_raters=(slice(None), 1)),
        {},
        ValueError,
        "spread is not known, or n_raters is 1, in all 360 items that count",
    ),
    "all alike": (
        lambda: changed(preference=(slice(None), 1.0)),
        {},
        ValueError,
        "No comparable pairs",
    ),
    "plain": (lambda: np.arange(4.0), {}, TypeError, "noise_ceiling"),
    "metric": (
        lambda: without(None),
        {"metric": "accuracy"},
        TypeError,
        "metric is 'accuracy'; expected a function metric(groups, y_score)",
    ),
    "draws": (lambda: without(None), {"n_draws": 0}, ValueError, "'n_draws' parameter"),
    "level": (lambda: without(None), {"level": 2}, ValueError, "'level' parameter"),
    "cluster cuts": (
        lambda: without(None),
        {"cluster": "item"},
        ValueError,
        "cluster cuts the group 0: its items have different labels",
    ),
    "cluster that is no field": (
        lambda: without(None),
        {"cluster": "portrait"},
        ValueError,
        "cluster is 'portrait'; expected a field of the target",
    ),
}


@pytest.mark.parametrize(("make", "options", "error", "message"), BAD.values(), ids=BAD)
def test_bad_input(make, options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        noise_ceiling(make(), **options)


def test_cut_groups_warn_once():
    groups, _ = judged(np.random.default_rng(14), "normal", 5)
    with pytest.warns(UserWarning, match="noise_ceiling") as caught:
        noise_ceiling(groups[1:], metric=dcg_score, n_draws=2, random_state=0)
    assert len(caught) == 1
