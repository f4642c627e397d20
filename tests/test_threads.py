"""Threads that share a fitted ranker, or fit at the same time."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from cases import linear_groups, quick
from numpy.testing import assert_array_equal
from sklearn.base import clone

from sklearn_pscore import (
    LevelClassifierRanker,
    RankSumRanker,
    TopCountRanker,
)

N_THREADS = 8
DIRECTIONS = {"directions": ["larger", "smaller", "larger"]}
RANKERS = {
    "defaults": quick(),
    "float32": quick(predict_dtype="float32"),
    "the paper's": quick(
        batch_norm=True, shortcut=None, output_activation="relu6", input_dropout=0.2
    ),
    "levels": LevelClassifierRanker(n_levels=3, random_state=0),
    "rank sum": RankSumRanker(**DIRECTIONS),
    "top count": TopCountRanker(**DIRECTIONS),
}


def in_threads(call, arguments):
    """Return the results of calls that run at the same time, in order."""
    with ThreadPoolExecutor(N_THREADS) as pool:
        return list(pool.map(call, arguments))


def state_of(module):
    """Return the mode of every part, and the bytes of every value."""
    modes = [part.training for part in module.modules()]
    values = [*module.named_parameters(), *module.named_buffers()]
    return modes, [
        (name, value.dtype, value.requires_grad, value.detach().numpy().tobytes())
        for name, value in values
    ]


@pytest.mark.parametrize("ranker", RANKERS.values(), ids=RANKERS)
def test_predict_gives_the_scores_of_a_single_thread(ranker):
    X, groups = linear_groups()
    ranker = clone(ranker).fit(X, groups)
    expected = {dtype: ranker.predict(X.astype(dtype)) for dtype in ("f8", "f4")}
    before = pickle.dumps(ranker)

    def predict(number):
        dtype = ("f8", "f4")[number % 2]
        return np.array_equal(ranker.predict(X.astype(dtype)), expected[dtype])

    assert all(in_threads(predict, range(N_THREADS * 40)))
    assert pickle.dumps(ranker) == before


@pytest.mark.parametrize("trained", ["fit", "partial_fit"])
@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_predict_leaves_the_net_as_it_was(data, dtype, mode, trained):
    X, groups = data
    ranker = quick(batch_norm=True, predict_dtype=dtype)
    getattr(ranker, trained)(X, groups)
    ranker.net_.module_.train(mode)
    before = state_of(ranker.net_.module_)
    values = list(ranker.net_.module_.parameters())
    twin = pickle.loads(pickle.dumps(ranker))
    for method in (ranker.predict, lambda X: ranker.preference_proba(X, X)):
        method(X)
    ranker.rank(X, groups)
    assert state_of(ranker.net_.module_) == before
    again = ranker.net_.module_.parameters()
    assert all(one is other for one, other in zip(values, again, strict=True))
    # Batch norm and dropout are those of evaluation, whatever the mode.
    assert_array_equal(ranker.predict(X), ranker.predict(X))
    ranker.net_.module_.train(not mode)
    assert_array_equal(ranker.predict(X), twin.predict(X))
    ranker.net_.module_.train(mode)
    ranker.partial_fit(X, groups)
    assert_array_equal(ranker.predict(X), twin.partial_fit(X, groups).predict(X))


def test_predict_beside_training_that_goes_on():
    X, groups = linear_groups()
    ranker = quick().fit(X, groups)
    fitted = pickle.loads(pickle.dumps(ranker))
    expected = ranker.predict(X)

    def call(number):
        if number % N_THREADS == 0:
            pickle.loads(pickle.dumps(fitted)).partial_fit(X, groups)
            return True
        return np.array_equal(fitted.predict(X), expected)

    assert all(in_threads(call, range(N_THREADS * 10)))
    assert {value.dtype for value in fitted.net_.module_.parameters()} == {
        torch.float32
    }
