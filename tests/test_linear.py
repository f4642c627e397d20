"""The linear ranker: its minimum, what it depends on, and the choice of C."""

import re

import numpy as np
import pandas as pd
import pytest
from cases import SEED, linear_groups
from scipy import sparse
from scipy.optimize import approx_fprime
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from sklearn_pscore import (
    Groups,
    LinearPreferenceRanker,
    PairAugmenter,
    PairwisePreferenceRanker,
)
from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._rankers import linear
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._torch.pair_fit import PairLoss


def noisy_groups(sizes=(5, 3, 8, 2, 6, 7), n_features=3, levels=None):
    """Shuffled groups whose preference is a noisy sum of the metrics."""
    rng = np.random.default_rng(SEED)
    group = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = rng.normal(size=(len(group), n_features)) * [1.0, 100.0, 0.01][:n_features]
    X[:, 0] += 5.0
    preference = X[:, 0] - X[:, 1] / 100 + rng.normal(size=len(group))
    if levels is not None:
        preference = np.round(preference * levels) / levels
    weight = rng.uniform(0.5, 3.0, size=len(group))
    return X, group, preference, weight


def all_pairs(group, preference, ties=False):
    """List the pairs (better, worse), and where asked those of equal preference."""
    return [
        (i, j)
        for i in range(len(group))
        for j in range(len(group))
        if group[i] == group[j]
        and (preference[i] > preference[j] or (ties and preference[i] == preference[j]))
        and (i < j or preference[i] != preference[j])
    ]


def logistic_regression(X, pairs, C, weight=None, ties=None):
    """Fit scikit-learn's on the listed differences, in standardised metrics."""
    scale = X.std(axis=0)
    better, worse = np.array(pairs).T
    differences = (X[better] - X[worse]) / scale
    # Each pair is listed in both orders, with half of its weight in each.
    of_pair = np.ones(len(pairs)) if weight is None else weight[better] * weight[worse]
    of_pair = of_pair / of_pair.mean() / 2
    won = np.repeat([1, 0], len(pairs))
    sample_weight = np.tile(of_pair, 2)
    both = np.concatenate([differences, -differences])
    if ties is not None:
        # A tie is half a win for each: both outcomes of either order.
        both = np.concatenate([both, differences[ties], -differences[ties]])
        won = np.concatenate([won, np.repeat([0, 1], ties.sum())])
        sample_weight[np.tile(ties, 2)] /= 2
        half = np.tile(of_pair[ties] / 2, 2)
        sample_weight = np.concatenate([sample_weight, half])
    model = LogisticRegression(C=C, fit_intercept=False, tol=1e-12, max_iter=10_000)
    return model.fit(both, won, sample_weight).coef_[0] / scale


@pytest.mark.parametrize("C", [0.001, 0.01, 1.0, 100.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_is_logistic_regression_on_differences(C, weighted):
    X, group, preference, weight = noisy_groups()
    weight = weight if weighted else None
    groups = Groups.from_arrays(group=group, preference=preference, weight=weight)
    ranker = LinearPreferenceRanker(C=C).fit(X, groups)
    pairs = all_pairs(group, preference)
    expected = logistic_regression(X, pairs, C, weight)
    np.testing.assert_allclose(ranker.coef_, expected, rtol=1e-5)
    assert ranker.n_pairs_ == len(pairs)
    assert ranker.n_groups_ == 6
    assert ranker.C_ == C
    assert ranker.n_iter_ > 0


def test_ties_are_half_a_win_for_each():
    X, group, preference, _ = noisy_groups(levels=1)
    groups = Groups.from_arrays(group=group, preference=preference)
    ranker = LinearPreferenceRanker(C=1.0, ties="half").fit(X, groups)
    pairs = all_pairs(group, preference, ties=True)
    ties = np.array([preference[i] == preference[j] for i, j in pairs])
    assert ties.sum() > 5
    expected = logistic_regression(X, pairs, 1.0, ties=ties)
    np.testing.assert_allclose(ranker.coef_, expected, rtol=1e-5)
    ignored = LinearPreferenceRanker(C=1.0).fit(X, groups)
    assert ignored.n_pairs_ == np.sum(~ties)
    assert np.abs(ignored.coef_ / expected - 1).max() > 0.01


def test_a_group_too_large_for_its_pairs_has_the_same_minimum():
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(600, 2))
    groups = Groups.from_arrays(
        group=np.zeros(600, int), preference=X[:, 0] + rng.normal(size=600)
    )
    expanded = LinearPreferenceRanker().fit(X, groups)
    pairs = all_pairs(groups["group"], groups["preference"])
    expected = logistic_regression(X, pairs, 0.01)
    np.testing.assert_allclose(expanded.coef_, expected, rtol=1e-5)


def test_200_000_rows_of_one_group_are_learnt_without_their_pairs():
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(200_000, 2))
    preference = X @ [1.0, -0.5] + rng.logistic(size=len(X))
    ranker = LinearPreferenceRanker(C=1.0).fit(X, preference)
    assert ranker.n_pairs_ == len(X) * (len(X) - 1) // 2
    # The difference of two logistic variables is about logistic, 1.42 times as wide.
    np.testing.assert_allclose(ranker.coef_[0] / ranker.coef_[1], -2.0, rtol=0.02)


def test_gradient_is_that_of_the_loss():
    X, group, preference, weight = noisy_groups(levels=1)
    groups = Groups.from_arrays(group=group, preference=preference, weight=weight)
    items = TrainingItems.from_target(X, check_groups(groups)).comparable()
    for group_weight in ("pairs", "sqrt", "equal"):
        loss = PairLoss(items, group_weight)
        scores = np.random.default_rng(1).normal(size=len(items))
        numeric = approx_fprime(scores, lambda s, loss=loss: loss(s)[0], 1e-7)
        np.testing.assert_allclose(loss(scores)[1], numeric, atol=1e-7)


def test_loss_weighs_groups_as_asked():
    group, preference = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 2.0])
    groups = Groups.from_arrays(group=group, preference=preference)
    items = TrainingItems.from_target(np.zeros((5, 1)), check_groups(groups))
    scores = np.array([0.0, 1.0, 3.0, 2.0, 0.0])
    in_first = np.log1p(np.exp(-1.0))
    in_second = [np.log1p(np.exp(m)) for m in (1.0, 3.0, 2.0)]
    expected = {
        "pairs": (in_first + sum(in_second)) / 4,
        "equal": (in_first + sum(in_second) / 3) / 2,
        "sqrt": (in_first + sum(in_second) / 3**0.5) / (1 + 3**0.5),
    }
    for group_weight, value in expected.items():
        loss = PairLoss(items, group_weight)(scores)[0]
        assert loss == pytest.approx(value, rel=1e-7)


def test_score_is_the_product_with_coef_and_averages_zero():
    X, group, preference, _ = noisy_groups()
    groups = Groups.from_arrays(group=group, preference=preference)
    ranker = LinearPreferenceRanker().fit(X, groups)
    scores = ranker.predict(X)
    np.testing.assert_allclose(scores, X @ ranker.coef_ + ranker.intercept_)
    assert scores.mean() == pytest.approx(0.0, abs=1e-12)
    equal = np.repeat(X[:1], 1001, axis=0)
    assert len(np.unique(ranker.predict(equal))) == 1
    proba = ranker.preference_proba(X[:10], X[10:20])
    np.testing.assert_allclose(proba, expit(scores[:10] - scores[10:20]))


def test_rows_and_groups_in_another_order_and_units_change_nothing_but_rounding():
    X, group, preference, _ = noisy_groups()
    ranker = LinearPreferenceRanker(C=1.0)
    scores = ranker.fit(
        X, Groups.from_arrays(group=group, preference=preference)
    ).predict(X)
    again = ranker.fit(
        X, Groups.from_arrays(group=group, preference=preference)
    ).predict(X)
    np.testing.assert_array_equal(scores, again)
    order = np.random.default_rng(1).permutation(len(X))
    moved = Groups.from_arrays(
        group=np.array(list("fedcba"))[group[order]],
        # Only the order of preferences counts.
        preference=np.exp(preference[order]),
    )
    ranker.fit(X[order] * 7.0 + 2.0, moved)
    np.testing.assert_allclose(ranker.predict(X * 7.0 + 2.0), scores, rtol=1e-6)


def test_rows_without_weight_and_donors_are_not_there():
    X, group, preference, weight = noisy_groups()
    is_out = np.arange(len(X)) % 5 == 0
    kept = Groups.from_arrays(
        group=group[~is_out], preference=preference[~is_out], weight=weight[~is_out]
    )
    expected = LinearPreferenceRanker().fit(X[~is_out], kept).coef_
    light = Groups.from_arrays(
        group=group, preference=preference, weight=np.where(is_out, 0.0, weight)
    )
    donor = Groups.from_arrays(
        group=group, preference=preference, weight=weight * 8, donor=is_out
    )
    for groups in (light, donor):
        coef = LinearPreferenceRanker().fit(X, groups).coef_
        np.testing.assert_allclose(coef, expected, rtol=1e-6)


def test_sparse_is_as_dense():
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(150, 30)) * (rng.random((150, 30)) < 0.1)
    group = rng.permutation(np.repeat(np.arange(30), 5))
    groups = Groups.from_arrays(group=group, preference=X[:, :5].sum(axis=1))
    dense = LinearPreferenceRanker(C="cv").fit(X, groups)
    for kind in (sparse.csr_matrix, sparse.csc_array):
        ranker = LinearPreferenceRanker(C="cv").fit(kind(X), groups)
        np.testing.assert_allclose(ranker.coef_, dense.coef_, rtol=1e-6, atol=1e-10)
        np.testing.assert_allclose(
            ranker.predict(kind(X)), dense.predict(X), rtol=1e-6, atol=1e-9
        )
        assert ranker.C_ == dense.C_


def test_synthetic_items_are_learnt_from():
    X, groups = linear_groups()
    augmenter = PairAugmenter(stitch_sizes=(2,), n_injected=0, random_state=SEED)
    model = make_pipeline(StandardScaler(), augmenter, LinearPreferenceRanker())
    model.fit(X, groups)
    X_more, more = augmenter.augment(StandardScaler().fit_transform(X), groups)
    pairs = all_pairs(more["group"], more["preference"])
    assert model[-1].n_pairs_ == len(pairs) > 300
    chosen = model.set_params(linearpreferenceranker__C="cv").fit(X, groups)
    assert chosen[-1].C_ in linear._CANDIDATES


def test_sparse_tables_have_no_missing_metrics():
    X, groups = linear_groups()
    X[3, 1] = np.nan
    frame = pd.DataFrame.sparse.from_spmatrix(
        sparse.csr_array(X), columns=["a", "b", "c"]
    )
    for table, column in ((sparse.csr_array(X), "1"), (frame, "'b'")):
        message = (
            f"NaN at row 3, column {column}.* takes no missing values of a sparse X"
        )
        with pytest.raises(ValueError, match=message):
            LinearPreferenceRanker().fit(table, groups)
        ranker = LinearPreferenceRanker().fit(table[4:], Groups.whole(groups[4:]))
        with pytest.raises(ValueError, match=message):
            ranker.predict(table)


def test_a_missing_metric_is_the_median():
    X, groups = linear_groups()
    X[::4, 0] = X[1::5, 2] = np.nan
    filled = np.where(np.isnan(X), np.nanmedian(X, axis=0), X)
    ranker = LinearPreferenceRanker().fit(X, groups)
    expected = LinearPreferenceRanker().fit(filled, groups)
    np.testing.assert_array_equal(ranker.coef_, expected.coef_)
    np.testing.assert_array_equal(ranker.predict(X), expected.predict(filled))
    np.testing.assert_array_equal(ranker.median_, np.nanmedian(X, axis=0))
    assert get_tags(ranker).input_tags.allow_nan
    # Of the rows that count.
    donor = np.arange(150) % 10 == 3
    target = Groups.from_arrays(
        group=groups["group"], preference=groups["preference"], donor=donor
    )
    median = LinearPreferenceRanker().fit(X, target).median_
    np.testing.assert_array_equal(median, np.nanmedian(X[~donor], axis=0))


def test_a_metric_that_is_always_missing_is_worth_nothing():
    X, groups = linear_groups()
    without = np.column_stack([X, np.full(len(X), np.nan)])
    ranker = LinearPreferenceRanker().fit(without, groups)
    assert ranker.coef_[3] == ranker.median_[3] == 0
    known = ranker.predict(np.column_stack([X, np.arange(150.0)]))
    np.testing.assert_array_equal(known, ranker.predict(without))


@pytest.mark.parametrize("n_groups", [1, 3, 12])
def test_cv_chooses_the_smallest_loss_on_pairs_left_out(n_groups):
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(60, 4))
    preference = X[:, 0] + rng.normal(size=60)
    group = np.arange(60) % n_groups
    groups = Groups.from_arrays(group=group, preference=preference)
    ranker = LinearPreferenceRanker(C="cv").fit(X, groups)
    # Groups of one size are dealt to the folds in order, and items at random.
    unit = group if n_groups > 1 else np.random.RandomState(0).permutation(60)
    fold = unit % min(5, len(np.unique(unit)))
    losses = np.zeros(len(linear._CANDIDATES))
    # In the units of all rows, as the final fit has them.
    Z = X / X.std(axis=0)
    for number in np.unique(fold):
        out = fold == number
        better, worse = np.array(all_pairs(group[~out], preference[~out])).T
        differences = Z[~out][better] - Z[~out][worse]
        both = np.concatenate([differences, -differences])
        won = np.repeat([1, 0], len(better))
        better, worse = np.array(all_pairs(group[out], preference[out])).T
        for k, C in enumerate(linear._CANDIDATES):
            # Each pair is there twice.
            model = LogisticRegression(C=C / 2, fit_intercept=False, tol=1e-10)
            scores = Z[out] @ model.fit(both, won).coef_[0]
            losses[k] += np.log1p(np.exp(scores[worse] - scores[better])).sum()
    assert linear._CANDIDATES[int(np.argmin(losses))] == ranker.C_
    assert ranker.C_ not in (linear._CANDIDATES[0], linear._CANDIDATES[-1])
    same = LinearPreferenceRanker(C=ranker.C_).fit(X, groups)
    np.testing.assert_allclose(ranker.coef_, same.coef_, rtol=1e-6)


def test_frames_have_names_and_a_search_works():
    X, groups = linear_groups()
    frame = pd.DataFrame(X, columns=["SSIM", "FID", "ID"])
    ranker = LinearPreferenceRanker().fit(frame, groups)
    assert ranker.feature_names_in_.tolist() == ["SSIM", "FID", "ID"]
    assert ranker.score(frame, groups) > 0.95
    assert ranker.rank(frame, groups).max() == 5


def test_few_judgements_are_learnt_as_well_as_by_the_defaults():
    X, groups = linear_groups()
    # So many that a pair more or less decides nothing.
    X_test = np.random.default_rng(1).normal(size=(20_000, 3))
    test = Groups.from_arrays(
        group=np.arange(20_000) // 5, preference=X_test[:, 0] - X_test[:, 1]
    )
    ranker = LinearPreferenceRanker().fit(X, groups)
    other = PairwisePreferenceRanker(random_state=SEED).fit(X, groups)
    assert ranker.score(X_test, test) > other.score(X_test, test) - 0.01
    assert ranker.score(X_test, test) > 0.96


ONE, GROUP = (
    np.array([[0.0], [1.0]]),
    Groups.from_arrays(group=[0, 0], preference=[0, 1]),
)


@pytest.mark.parametrize(
    ("parameters", "X", "groups", "message"),
    [
        (
            {"C": 0.0},
            ONE,
            GROUP,
            "must be a float in the range [1e-12, 1000000000000.0]",
        ),
        ({"C": "auto"}, ONE, GROUP, "Got 'auto' instead"),
        ({"C": True}, ONE, GROUP, "must not be a bool. Got True"),
        ({"ties": "none"}, ONE, GROUP, "Got 'none' instead"),
        (
            {},
            ONE * 1e101,
            GROUP,
            "X holds 1e+101 in column 0; expected at most 1e+100 in size, so that products "
            "are finite",
        ),
        (
            {},
            ONE * 1e-101,
            GROUP,
            "X varies by 1e-101 in column 0; expected at least 1e-100, or nothing",
        ),
        (
            {},
            sparse.csr_array(ONE * 1e-101),
            GROUP,
            "X varies by 1e-101 in column 0",
        ),
        (
            {"C": "cv"},
            ONE,
            GROUP,
            'LinearPreferenceRanker.fit with C="cv" got 2 items in one group; expected at '
            "least 4 items",
        ),
        (
            {"C": "cv"},
            np.arange(8.0)[:, None],
            Groups.from_arrays(
                group=[0, 0, 0, 0, 1, 1, 1, 1], preference=[0, 0, 0, 0, 1, 2, 2, 2]
            ),
            'LinearPreferenceRanker.fit with C="cv" has a fold without a pair',
        ),
        (
            {},
            ONE,
            Groups.from_arrays(group=[0, 0], preference=[1, 1]),
            "No comparable pairs: all preferences are equal",
        ),
        (
            {"ties": "half"},
            ONE,
            Groups.from_winners(group=[0, 0], winner=[1, 0]),
            "as Groups.from_winners writes them",
        ),
        (
            {},
            np.zeros((3, 1)),
            Groups.from_arrays(
                group=[0, 0, 0], preference=[0, 1, 2], weight=[1, 1e-9, 1e9]
            ),
            "weight is 1e-09 in one row and 1e+09 in another",
        ),
    ],
)
def test_bad_input_is_told(parameters, X, groups, message):
    ranker = LinearPreferenceRanker(**parameters)
    with pytest.raises(ValueError, match=re.escape(message)):
        ranker.fit(X, groups)
    assert not hasattr(ranker, "coef_")


def test_a_failed_fit_leaves_the_estimator_as_it_was():
    X, groups = linear_groups()
    ranker = LinearPreferenceRanker().fit(X, groups)
    before = dict(vars(ranker))
    with pytest.raises(ValueError, match="X holds .*e.200 in column [01];"):
        ranker.fit(X[:, :2] * 1e200, groups)
    assert vars(ranker) == before


def test_pairs_of_different_lengths_are_told():
    X, groups = linear_groups()
    ranker = LinearPreferenceRanker().fit(X, groups)
    with pytest.raises(ValueError, match="X_a has 3 rows but X_b has 2"):
        ranker.preference_proba(X[:3], X[:2])
    with_nan = sparse.csr_array([[np.nan, 1.0, 2.0]])
    with pytest.raises(ValueError, match="X contains NaN at row 0, column 0"):
        ranker.predict(with_nan)
    with pytest.raises(ValueError, match=re.escape("X holds 1e+200 in column 0;")):
        ranker.predict(X * 0 + 1e200)


def test_a_minimum_that_is_not_reached_warns(monkeypatch):
    from sklearn_pscore._torch import pair_fit

    X, groups = linear_groups()
    monkeypatch.setattr(pair_fit, "_MAX_ITERATIONS", 1)
    with pytest.warns(ConvergenceWarning, match="stopped after 1 iterations, short"):
        LinearPreferenceRanker(C=100.0).fit(X, groups)


def test_metrics_that_do_not_vary_have_no_weight():
    X, groups = linear_groups()
    X = np.column_stack([X, np.full(len(X), 0.1), groups["group"]])
    ranker = LinearPreferenceRanker().fit(X, groups)
    np.testing.assert_allclose(ranker.coef_[3:], 0.0, atol=1e-9)
    constant = LinearPreferenceRanker().fit(X[:, 3:4], groups)
    assert constant.predict(X[:, 3:4]).tolist() == [0.0] * len(X)
