"""Threads that share a fitted ranker, or fit at the same time."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from threading import Event, Thread

import numpy as np
import pytest
import torch
from cases import linear_groups, quick
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import BaggingRegressor
from skorch.callbacks import Callback
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_pscore import (
    LevelClassifierRanker,
    LinearPreferenceRanker,
    PairwisePreferenceRanker,
    RankSumRanker,
    SingleMetricRanker,
    TopCountRanker,
)
from sklearn_pscore._torch.threads import (
    SharedLimit,
    one_blas_thread,
    one_torch_thread,
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
    "linear": LinearPreferenceRanker(),
    "single": SingleMetricRanker(),
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
    twin = through_pickle(ranker)
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
    fitted = through_pickle(ranker)
    expected = ranker.predict(X)

    def call(number):
        if number % N_THREADS == 0:
            through_pickle(fitted).partial_fit(X, groups)
            return True
        return np.array_equal(fitted.predict(X), expected)

    assert all(in_threads(call, range(N_THREADS * 10)))
    assert {value.dtype for value in fitted.net_.module_.parameters()} == {
        torch.float32
    }


FITS = {
    "defaults": {},
    "all that is drawn": {
        "batch_norm": True,
        "batch_size": 20,
        "input_dropout": 0.3,
        "early_stopping": True,
    },
    "the paper's": {"output_activation": "relu6", "shortcut": None, "batch_size": 30},
}


@pytest.mark.parametrize("settings", FITS.values(), ids=FITS)
def test_fits_in_threads_give_the_bits_of_serial_ones(data, settings):
    X, groups = data

    def scores(seed):
        ranker = quick(random_state=seed, **settings).fit(X, groups)
        return ranker.predict(X), ranker.partial_fit(X, groups).predict(X)

    serial = [scores(seed) for seed in range(N_THREADS)]
    assert_array_equal(in_threads(scores, range(N_THREADS)), serial)


def test_bagging_in_threads(data):
    X, groups = data
    bagging = BaggingRegressor(quick(max_epochs=2), n_estimators=6, random_state=0)
    expected = bagging.fit(X, groups).predict(X)
    with parallel_config("threading", n_jobs=3):
        again = clone(bagging).set_params(n_jobs=3).fit(X, groups)
    # The sum over members has another order.
    assert_allclose(again.predict(X), expected, rtol=1e-12)
    for one, other in zip(again.estimators_, bagging.estimators_, strict=True):
        assert_array_equal(one.predict(X), other.predict(X))


class Watch(Callback):
    """Call a function at every step, and keep what it returns."""

    def __init__(self, function):
        self.function = function
        self.seen = []

    def __deepcopy__(self, memo):
        # The net has a copy of its callbacks; what is seen goes to this one.
        return self

    def __getstate__(self):
        # The net is pickled with its callbacks, but not with its earlier copies.
        return {**vars(self), "seen": []}

    def on_batch_begin(self, net, **kwargs):
        self.seen.append(self.function(net))

    on_batch_end = on_batch_begin


def global_state(net=None):
    """Return all of torch's and numpy's global state that a fit could change."""
    return (
        torch.get_rng_state().numpy().tobytes(),
        np.random.get_state()[1].tobytes(),  # noqa: NPY002
        torch.get_default_dtype(),
        torch.is_grad_enabled() or net is not None,
        torch.is_inference_mode_enabled(),
        warnings.filters[:],
    )


@pytest.mark.parametrize("settings", FITS.values(), ids=FITS)
def test_global_state_is_the_same_before_in_and_after_a_fit(data, settings):
    X, groups = data
    before, watch = global_state(), Watch(global_state)
    ranker = quick(callbacks=[watch], **settings).fit(X, groups)
    ranker.partial_fit(X, groups).set_params(warm_start=True).fit(X, groups)
    assert len(watch.seen) > 20
    assert all(state == before for state in [*watch.seen, global_state()])


def through_pickle(thing):
    return pickle.loads(pickle.dumps(thing))


@pytest.mark.parametrize("copy", [deepcopy, through_pickle])
def test_copies_of_the_net_made_in_training_have_no_generator(data, copy):
    nets = Watch(copy)
    ranker = quick(callbacks=[nets], max_epochs=2).fit(*data)
    nets.seen.append(copy(ranker.net_))
    assert all(net.generator_ is None for net in nets.seen)
    scaled = torch.zeros(2, 3)
    assert torch.equal(nets.seen[-1].module_(scaled), ranker.net_.module_(scaled))
    held = GroupsInMemory()
    ranker = quick(callbacks=[held]).fit(*data)
    assert held.packed.generator is not None
    assert copy(held.packed).generator is None


class GroupsInMemory(Callback):
    """Keep the set that is trained on."""

    def __deepcopy__(self, memo):
        return self

    def on_train_begin(self, net, X, **kwargs):
        self.packed = X[0]


class TestSharedLimit:
    def test_first_sets_and_last_lifts(self):
        calls = []

        def set_limit():
            calls.append("set")
            return lambda: calls.append("lifted")

        limit = SharedLimit(set_limit)
        first, second = limit(), limit()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert calls == ["set"]
        second.__exit__(None, None, None)
        assert calls == ["set", "lifted"]

    def test_is_lifted_after_an_error(self):
        calls = []
        limit = SharedLimit(lambda: lambda: calls.append("lifted"))
        with pytest.raises(KeyboardInterrupt), limit():
            raise KeyboardInterrupt
        assert calls == ["lifted"]

    def test_blas_threads_are_those_of_before(self):
        with threadpool_limits(limits=2, user_api="blas"):
            with one_blas_thread(), one_blas_thread():
                inside = threadpool_info()
            after = threadpool_info()
        blas = [pool for pool in inside if pool["user_api"] == "blas"]
        assert blas
        assert {pool["num_threads"] for pool in blas} == {1}
        blas = [pool for pool in after if pool["user_api"] == "blas"]
        assert {pool["num_threads"] for pool in blas} == {2}


@pytest.fixture
def two_torch_threads():
    number = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(number)


@pytest.mark.usefixtures("two_torch_threads")
class TestOneTorchThread:
    def numbers_in(self, call, data, sizes=(8,)):
        """Return the numbers of threads that a fit sees."""
        numbers = Watch(lambda net: torch.get_num_threads())
        call(quick(sizes, callbacks=[numbers], max_epochs=2), *data)
        return set(numbers.seen)

    def test_small_fits_have_one(self, data):
        assert self.numbers_in(PairwisePreferenceRanker.fit, data) == {1}
        assert self.numbers_in(PairwisePreferenceRanker.partial_fit, data) == {1}
        assert torch.get_num_threads() == 2

    def test_large_ones_have_all(self, data):
        fit = PairwisePreferenceRanker.fit
        assert self.numbers_in(fit, data, sizes=(1000, 1000)) == {2}
        assert torch.get_num_threads() == 2

    def test_the_number_comes_back_after_an_error(self, data):
        def fail(net):
            raise FloatingPointError

        with pytest.raises(FloatingPointError):
            quick(callbacks=[Watch(fail)]).fit(*data)
        assert torch.get_num_threads() == 2

    def test_it_comes_back_in_every_thread_that_overlaps(self):
        first_is_in, second_is_in, first_is_out = Event(), Event(), Event()
        numbers = {}

        def first():
            with one_torch_thread():
                first_is_in.set()
                second_is_in.wait()
                numbers["first, inside"] = torch.get_num_threads()
            numbers["first, after"] = torch.get_num_threads()
            first_is_out.set()

        def second():
            # Begins with the limit of the first.
            first_is_in.wait()
            with one_torch_thread():
                second_is_in.set()
                first_is_out.wait()
                numbers["second, inside"] = torch.get_num_threads()
            numbers["second, after"] = torch.get_num_threads()

        def after():
            numbers["begun after"] = torch.get_num_threads()

        both = [Thread(target=first), Thread(target=second)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        last = Thread(target=after)
        last.start()
        last.join()
        assert numbers == {
            "first, inside": 1,
            "first, after": 2,
            "second, inside": 1,
            "second, after": 2,
            "begun after": 2,
        }

    def test_one_inside_another(self):
        with one_torch_thread():
            with one_torch_thread():
                assert torch.get_num_threads() == 1
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
