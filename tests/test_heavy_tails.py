"""Metrics of heavy tails and of extreme size, in every type of number."""

import numpy as np
import pytest
import torch
from cases import quick
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore import Groups
from sklearn_pscore._torch.inputs import Bends, InputScaling

TAILS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "lognormal 3": lambda rng, shape: np.exp(3 * rng.normal(size=shape)),
    "lognormal 10": lambda rng, shape: np.exp(10 * rng.normal(size=shape)),
    "both sides": lambda rng, shape: np.sinh(10 * rng.normal(size=shape)),
    "Cauchy": lambda rng, shape: rng.standard_cauchy(size=shape) ** 3,
    "near ties": lambda rng, shape: (
        rng.integers(5, size=shape) * (1 + 1e-9 * rng.normal(size=shape))
    ),
    "mostly zero": lambda rng, shape: (
        (rng.random(shape) < 0.2) * np.exp(10 * rng.normal(size=shape))
    ),
}
ENDS = {
    "default": {},
    "no clip": {"input_clip": None},
    "relu6": {"output_activation": "relu6", "batch_norm": True},
    "linear": {"shortcut": "linear"},
    "layers only": {"shortcut": None},
}
# What a sum of terms as large as the scores may be rounded by, as a share of them.
ROUNDING = {"float32": 1e-5, "float64": 1e-10}


def made(tails, seed=0):
    """Metrics whose ranks the preferences follow: up, down, and either way."""
    rng = np.random.default_rng(seed)
    X = TAILS[tails](rng, (300, 3)).astype(np.float32).astype(np.float64)
    rank = X.argsort(axis=0, kind="stable").argsort(axis=0) / 300
    preference = rank[:, 0] - rank[:, 1] + np.cos(6 * rank[:, 2])
    return X, Groups.from_arrays(group=np.arange(300) // 6, preference=preference)


class TestConstraints:
    @pytest.mark.parametrize("tails", TAILS)
    @pytest.mark.parametrize("end", ENDS)
    @pytest.mark.parametrize("of_fit", [np.float32, np.float64])
    def test_hold_in_every_type(self, tails, end, of_fit):
        X, groups = made(tails)
        ranker = quick(monotonic_cst=[1, -1, 0], learning_rate_init=0.05, **ENDS[end])
        ranker.fit(X.astype(of_fit), groups)
        rng = np.random.default_rng(1)
        here = X[rng.integers(300, size=(1000, 3)), np.arange(3)]
        for predict_dtype, rounding in ROUNDING.items():
            ranker.set_params(predict_dtype=predict_dtype)
            for dtype in (np.float32, np.float64):
                before = ranker.predict(here.astype(dtype))
                size = np.abs(before).max()
                for feature, sign in ((0, 1), (1, -1)):
                    further = here.astype(dtype)
                    share = 10 ** rng.uniform(-7, 2, size=1000)
                    further[:, feature] += share * np.abs(further[:, feature])
                    change = sign * (ranker.predict(further) - before)
                    assert change.min() >= -rounding * size

    @pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint16, bool, np.float16])
    def test_hold_for_whole_numbers(self, dtype):
        X, groups = made("normal")
        X = np.round(5 * np.abs(X)).astype(dtype)
        ranker = quick(monotonic_cst=[1, -1, 0], learning_rate_init=0.05).fit(X, groups)
        grid = np.arange(30) % (2 if dtype is bool else 30)
        for predict_dtype, rounding in ROUNDING.items():
            ranker.set_params(predict_dtype=predict_dtype)
            for feature, sign in ((0, 1), (1, -1)):
                rows = np.ones((30, 3), dtype)
                rows[:, feature] = np.sort(grid)
                scores = sign * ranker.predict(rows)
                assert np.diff(scores).min() >= -rounding * np.abs(scores).max()
                assert_array_equal(ranker.predict(rows.astype(float)), sign * scores)


@pytest.mark.parametrize("tails", TAILS)
@pytest.mark.parametrize("of_fit", [np.float32, np.float64])
@pytest.mark.parametrize("end", ENDS)
def test_a_score_does_not_depend_on_the_type_of_x(tails, of_fit, end):
    X, groups = made(tails)
    ranker = quick(**ENDS[end]).fit(X.astype(of_fit), groups)
    assert_array_equal(ranker.predict(X.astype(np.float32)), ranker.predict(X))


@pytest.mark.parametrize("seed", range(4))
def test_fits_do_not_depend_on_the_type_of_x(seed):
    """Far below the median, float32 rounds off what float64 keeps of a difference."""
    rng = np.random.default_rng(seed)
    tails = np.exp(5 * rng.normal(size=(300, 3))).astype(np.float32)
    preference = np.log(tails[:, 0]) + rng.normal(size=300)
    groups = Groups.from_arrays(group=np.arange(300) // 6, preference=preference)
    scores = [
        quick(max_epochs=10).fit(tails.astype(dtype), groups).predict(tails)
        for dtype in (np.float32, np.float64)
    ]
    assert_allclose(*scores, atol=1e-3 * np.ptp(scores[1]))


@pytest.mark.parametrize("tails", TAILS)
def test_float32_scores_are_near_those_of_float64(tails):
    X, groups = made(tails)
    ranker = quick(max_epochs=10).fit(X, groups)
    exact = ranker.predict(X)
    scores = ranker.set_params(predict_dtype="float32").predict(X)
    assert_allclose(scores, exact, atol=0.01 * np.ptp(exact))


def test_a_metric_that_vanishes_for_most_items():
    # As products of small probabilities do, the most part of them below float32.
    rng = np.random.default_rng(0)
    X = np.column_stack([10.0 ** -rng.uniform(0, 300, 300), rng.normal(size=300)])
    groups = Groups.from_arrays(group=np.arange(300) // 5, preference=X[:, 1])
    ranker = quick(max_epochs=30).fit(X, groups)
    assert ranker.score(X, groups) > 0.9


@pytest.mark.parametrize("size", [1e-44, 1e-41, 1e-38, 1e-20, 1e20, 1e35])
@pytest.mark.parametrize("clip", [4.0, None])
def test_metrics_of_extreme_size(size, clip):
    """As small or as large as float32 holds, with the digits that it has there."""
    rng = np.random.default_rng(0)
    whole = rng.integers(-9, 10, size=(300, 3)).astype(np.float64)
    groups = Groups.from_arrays(
        group=np.arange(300) // 6, preference=whole[:, 0] - whole[:, 1]
    )
    # A power of two changes no digit.
    X = np.ldexp(whole, int(np.log2(size)))
    settings = {"input_clip": clip, "max_epochs": 10}
    expected = quick(**settings).fit(whole, groups).predict(whole)
    for dtype in (np.float32, np.float64):
        ranker = quick(**settings).fit(X.astype(dtype), groups)
        assert_allclose(ranker.predict(X.astype(dtype)), expected, rtol=1e-3, atol=1e-3)
        assert ranker.score(X, groups) > 0.95


class TestParts:
    def test_edges_that_float32_can_hardly_tell_apart_are_one(self):
        close = [1.0, 1 + 1e-6, 1 + 2e-6, 1.1, 1.1 + 1e-6, 2.0]
        zero = [-1e-9, 0.0, 1e-9, 2e-9, 0.5, 0.6]
        bends = Bends.fitted(np.column_stack([close, zero]), 5)
        start, inverse = bends.start.numpy(), bends.inverse_width.numpy()
        # Relative to their size: what is near zero is far enough apart.
        assert_allclose(start[:, 0], [1.0, 1.0, 1.0, 1.1, 1.1])
        assert_array_equal(inverse[:, 0] > 0, [False, False, True, False, True])
        assert np.count_nonzero(inverse[:, 1]) == 5
        values = torch.tensor(np.linspace(0.9, 2.1, 50)[:, None].repeat(2, axis=1))
        summed = sum(column[:, 0] for column in bends.columns(values))
        expected = np.interp(values[:, 0], [1.0, 1.1, 2.0], [0, 1, 2])
        assert_allclose(summed, expected, atol=1e-12)

    def test_pieces_whose_inverse_float32_does_not_hold_are_none(self):
        edges = np.array([0.0, 1e-60, 1e-43, 1e-38, 1e-30, 1.0])[:, None]
        inverse = Bends(edges).inverse_width[:, 0]
        assert_array_equal(inverse[:3], 0)
        assert inverse[3:].float().isfinite().all()

    def test_edges_of_values_that_float32_does_not_tell_apart(self):
        """They are those of the values in float32, not as many as in float64."""
        tail = -1 + 10.0 ** np.linspace(-30, 0, 60)[:, None]
        in_float32 = tail.astype(np.float32).astype(np.float64)
        for_both = [Bends.fitted(X, 4).start.numpy() for X in (tail, in_float32)]
        assert_array_equal(*for_both)

    def test_shift_is_what_the_training_subtracts(self):
        # Neighbours in float32, so that the median of 100 is none of them.
        step = np.spacing(np.float32(1e6))
        X = (1e6 + step * np.arange(100.0)[:, None]).astype(np.float32)
        scaling = InputScaling.fitted(X, np.arange(100) // 5, 4.0)
        trained = scaling(torch.from_numpy(X))
        later = scaling(torch.from_numpy(X), dtype=torch.float64)
        assert_allclose(later, trained, rtol=1e-6, atol=1e-7)
        assert_array_equal(later, scaling(torch.from_numpy(X).double()))
