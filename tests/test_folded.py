"""Networks made for scoring: the mean score of all members by few products."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import numpy as np
import pytest
import torch
from cases import quick
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from skorch.callbacks import Callback

from sklearn_pscore import Groups
from sklearn_pscore._torch import folded, scoring
from sklearn_pscore._torch.folded import FoldedNetwork, Folding, fused_layer, may_fold
from sklearn_pscore._torch.scoring import mean_scores, member_scores

N_ROWS = 300
TAILS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "lognormal": lambda rng, shape: np.exp(3 * rng.normal(size=shape)),
    "both sides": lambda rng, shape: np.sinh(10 * rng.normal(size=shape)),
    "whole": lambda rng, shape: rng.integers(3, size=shape).astype(float),
    "far from 0": lambda rng, shape: 1e7 + rng.normal(size=shape),
    "mostly zero": lambda rng, shape: (
        (rng.random(shape) < 0.2) * np.exp(10 * rng.normal(size=shape))
    ),
}
NETWORKS = {
    "defaults": {},
    "linear": {"shortcut": "linear"},
    "layers only": {"shortcut": None},
    "no layers": {"sizes": ()},
    "no layers, one member": {"sizes": (), "n_members": 1},
    "one layer": {"sizes": (5,)},
    "three layers": {"sizes": (9, 3, 17), "n_members": 3},
    "one member": {"n_members": 1, "n_pieces": 3},
    "one piece": {"n_pieces": 1},
    "dropout": {"input_dropout": 0.2},
}
IN_FLOAT64 = {
    "norm": {"batch_norm": True, "sizes": (6, 4)},
    "constraints": {"monotonic_cst": [1, -1, 0, 0]},
    "no clip": {"input_clip": None},
}


def made(tails, seed=0, n_features=4):
    """Return metrics that have a part in the preferences, each by its rank."""
    rng = np.random.default_rng(seed)
    X = TAILS[tails](rng, (N_ROWS, n_features))
    rank = X.argsort(axis=0, kind="stable").argsort(axis=0) / N_ROWS
    preference = rank[:, 0] - rank[:, 1] + np.cos(6 * rank[:, 2])
    return X, Groups.from_arrays(group=np.arange(N_ROWS) // 6, preference=preference)


def drawn(X, n_rows, seed=1):
    """Return rows with values of each column, in other combinations."""
    rng = np.random.default_rng(seed)
    return X[rng.integers(len(X), size=(n_rows, X.shape[1])), np.arange(X.shape[1])]


def trained(X, groups, **parameters):
    """Return a quick ranker whose layers have a say."""
    return quick(learning_rate_init=0.05, **parameters).fit(X, groups)


class TestScores:
    @pytest.mark.parametrize("tails", TAILS)
    @pytest.mark.parametrize("name", NETWORKS | IN_FLOAT64)
    def test_in_float64_are_the_mean_of_the_members(self, name, tails):
        X, groups = made(tails)
        ranker = trained(X, groups, **(NETWORKS | IN_FLOAT64)[name])
        rows = drawn(X, 1000)
        expected = member_scores(ranker.net_, rows, "float64").mean(axis=0)
        scores = FoldedNetwork(ranker.net_.module_, torch.float64).scores(rows)
        assert scores.dtype == np.float64
        assert_allclose(scores, expected, rtol=0, atol=1e-12 * np.ptp(expected))
        assert_array_equal(ranker.predict(rows), scores)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("tails", TAILS)
    @pytest.mark.parametrize("name", NETWORKS)
    def test_in_float32_are_near(self, name, tails, dtype, monkeypatch):
        monkeypatch.setattr(scoring, "MOST_IN_FLOAT64", 999)
        X, groups = made(tails)
        X = X.astype(np.float32).astype(dtype)
        ranker = trained(X, groups, **NETWORKS[name])
        rows = drawn(X, 1000)
        expected = member_scores(ranker.net_, rows, "float64").mean(axis=0)
        scores = ranker.predict(rows)
        assert_allclose(scores, expected, rtol=0, atol=1e-6 * np.ptp(expected))
        # Else these would be the scores of float64.
        assert np.any(scores != expected)
        other = np.float32 if dtype == np.float64 else np.float64
        assert_array_equal(ranker.predict(rows.astype(other)), scores)

    def test_in_float32_of_many_features_and_members(self):
        rng = np.random.default_rng(0)
        X = np.concatenate([tail(rng, (600, 20)) for tail in TAILS.values()], axis=1)
        rank = X.argsort(axis=0, kind="stable").argsort(axis=0) / 600
        preference = np.cos(4 * rank) @ rng.normal(size=X.shape[1])
        groups = Groups.from_arrays(group=np.arange(600) // 6, preference=preference)
        ranker = quick(n_members=5, max_epochs=10, sizes=(32, 32))
        ranker.fit(X, groups)
        rows = drawn(X, 9000)
        expected = member_scores(ranker.net_, rows, "float64").mean(axis=0)
        scores = ranker.predict(rows)
        assert_allclose(scores, expected, rtol=0, atol=1e-6 * np.ptp(expected))
        assert np.any(scores != expected)

    @pytest.mark.parametrize("name", IN_FLOAT64)
    def test_stay_in_float64(self, name, monkeypatch):
        monkeypatch.setattr(scoring, "MOST_IN_FLOAT64", 10)
        X, groups = made("normal")
        ranker = trained(X, groups, **IN_FLOAT64[name])
        expected = member_scores(ranker.net_, X, "float64").mean(axis=0)
        assert_allclose(ranker.predict(X), expected, atol=1e-12 * np.ptp(expected))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("size", [1e-20, 1e20])
    def test_of_extreme_metrics(self, dtype, size):
        X, groups = made("normal")
        ranker = trained(size * X, groups)
        assert may_fold(ranker.net_.module_, dtype) == (dtype == torch.float64)
        expected = member_scores(ranker.net_, size * X, "float64").mean(axis=0)
        assert_allclose(ranker.predict(size * X), expected, rtol=1e-9)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_of_values_that_are_far_away(self, dtype):
        X, groups = made("normal")
        ranker = trained(X, groups)
        rows = np.array([1e3, 1e15, 1e30, 1e160, 1e308])[:, None] * [
            1.0,
            -1.0,
            1.0,
            1.0,
        ]
        expected = member_scores(ranker.net_, rows, "float64").mean(axis=0)
        scores = ranker.net_.folded(dtype).scores(rows)
        assert_allclose(scores, expected, rtol=0, atol=1e-6 * np.ptp(ranker.predict(X)))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("name", NETWORKS)
    def test_of_missing_values(self, name, dtype):
        X, groups = made("mostly zero")
        rng = np.random.default_rng(2)
        X[rng.random(X.shape) < 0.2] = np.nan
        # Missing in training or not.
        X[:, 0] = np.nan_to_num(X[:, 0])
        ranker = trained(X, groups, **NETWORKS[name])
        rows = drawn(X, 1000)
        rows[rng.random(rows.shape) < 0.05] = np.nan
        expected = member_scores(ranker.net_, rows, "float64").mean(axis=0)
        scores = ranker.net_.folded(dtype).scores(rows)
        size = np.ptp(expected)
        limit = 1e-6 if dtype == torch.float32 else 1e-12
        assert_allclose(scores, expected, rtol=0, atol=limit * size)

    def test_leave_out_what_no_member_reads(self):
        X, groups = made("normal", n_features=6)
        X[:, 4] = 3.0
        X[::3, 5] = np.nan
        ranker = trained(X, groups)
        module = ranker.net_.module_
        with torch.no_grad():
            for features in (1, 5):
                module.hidden[0].weight[:, features] = 0.0
                module.shortcut.weight[..., features] = 0.0
        # What a missing value is worth counts still.
        assert module.shortcut.missing_weight.abs().sum() > 0
        for dtype, limit in ((torch.float32, 1e-6), (torch.float64, 1e-12)):
            network = ranker.net_.folded(dtype)
            assert sorted(network._order.tolist()) == [0, 2, 3, 5]
            expected = member_scores(ranker.net_, X, "float64").mean(axis=0)
            scores = network.scores(X)
            assert_allclose(scores, expected, rtol=0, atol=limit * np.ptp(expected))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_where_nothing_is_read(self, dtype):
        X, groups = made("normal")
        ranker = trained(X, groups)
        with torch.no_grad():
            ranker.net_.module_.hidden[0].weight.zero_()
            ranker.net_.module_.shortcut.weight.zero_()
        expected = member_scores(ranker.net_, X, "float64").mean(axis=0)
        assert_allclose(ranker.net_.folded(dtype).scores(X), expected, rtol=1e-5)

    def test_without_the_fused_layer(self, monkeypatch):
        X, groups = made("normal")
        ranker = trained(X, groups)
        scores = FoldedNetwork(ranker.net_.module_, torch.float32).scores(X)
        monkeypatch.setattr(folded, "fused_layer", lambda: None)
        plain = FoldedNetwork(ranker.net_.module_, torch.float32)
        assert plain._fused is None
        assert_allclose(plain.scores(X), scores, rtol=0, atol=1e-6 * np.ptp(scores))

    def test_no_fused_layer_where_torch_has_none(self, monkeypatch):
        fused_layer.cache_clear()
        monkeypatch.setattr(torch.ops, "mkldnn", None)
        assert fused_layer() is None
        monkeypatch.undo()
        fused_layer.cache_clear()


class TestRows:
    """A row's score is the same, bit for bit, in whichever table it is."""

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("name", NETWORKS)
    @pytest.mark.parametrize("n_features", [4, 30, 140])
    def test_alone_and_among_others(self, name, dtype, n_features):
        X, groups = made("lognormal", n_features=n_features)
        ranker = trained(X, groups, **NETWORKS[name])
        network = ranker.net_.folded(dtype)
        rows = drawn(X, 2100)
        rows[::50, 2] = np.nan
        scores = network.scores(rows)
        for first, n_rows in ((0, 1), (50, 1), (7, 2), (9, 17), (1000, 40), (3, 1025)):
            some = slice(first, first + n_rows)
            assert_array_equal(network.scores(rows[some]), scores[some])
        order = np.random.default_rng(0).permutation(len(rows))
        assert_array_equal(network.scores(rows[order]), scores[order])

    @pytest.mark.parametrize("n_threads", [1, 2, 5])
    def test_with_any_number_of_threads(self, n_threads):
        X, groups = made("normal")
        network = trained(X, groups).net_.folded(torch.float32)
        rows = drawn(X, 40_000)
        before = torch.get_num_threads()
        expected = network.scores(rows[:30])
        try:
            torch.set_num_threads(n_threads)
            scores = network.scores(rows)
            assert torch.get_num_threads() == n_threads
        finally:
            torch.set_num_threads(before)
        assert_array_equal(scores[:30], expected)
        assert_array_equal(scores[-30:], network.scores(rows[-30:]))

    def test_an_error_in_a_thread_is_told(self, monkeypatch):
        X, groups = made("normal")
        network = trained(X, groups).net_.folded(torch.float32)

        def fail(X):
            raise MemoryError("no memory")

        monkeypatch.setattr(network, "_of_chunk", fail)
        before = torch.get_num_threads()
        try:
            torch.set_num_threads(2)
            with pytest.raises(MemoryError, match="no memory"):
                network.scores(drawn(X, 10_000))
        finally:
            torch.set_num_threads(before)

    def test_in_any_layout(self):
        X, groups = made("normal")
        ranker = trained(X, groups)
        rows = drawn(X, 9000)
        expected = ranker.predict(rows)
        for table in (
            np.asfortranarray(rows),
            csr_array(rows),
            rows[::-1].copy()[::-1],
        ):
            assert_array_equal(ranker.predict(table), expected)
        rows.flags.writeable = False
        assert_array_equal(ranker.predict(rows), expected)


class TestFolding:
    def test_is_made_once(self, data):
        ranker = quick().fit(*data)
        first = ranker.net_.folded(torch.float64)
        ranker.predict(data[0])
        assert ranker.net_.folded(torch.float64) is first
        assert ranker.net_.folded(torch.float32) is not first

    def test_is_made_anew_after_training(self, data):
        ranker = quick().fit(*data)
        ranker.predict(data[0])
        for _ in range(2):
            ranker.partial_fit(*data)
            expected = member_scores(ranker.net_, data[0], "float64").mean(axis=0)
            assert_allclose(ranker.predict(data[0]), expected, rtol=1e-9)
        ranker.fit(*data)
        expected = member_scores(ranker.net_, data[0], "float64").mean(axis=0)
        assert_allclose(ranker.predict(data[0]), expected, rtol=1e-9)

    @pytest.mark.parametrize("way", ["in place", "state", "another", "buffer", "data"])
    def test_is_made_anew_after_a_change(self, data, way):
        ranker = quick().fit(*data)
        before = ranker.predict(data[0])
        module = ranker.net_.module_
        if way == "in place":
            with torch.no_grad():
                module.output.bias += 1.0
        elif way == "state":
            state = {name: 2 * value for name, value in module.state_dict().items()}
            module.load_state_dict(state)
        elif way == "another":
            module.output.bias = torch.nn.Parameter(module.output.bias + 1.0)
        elif way == "data":
            # Counts up no version, as torch's fused optimisers do not.
            module.output.bias.data += 1.0
        else:
            module.scaling.shift += 0.5
        after = ranker.predict(data[0])
        expected = member_scores(ranker.net_, data[0], "float64").mean(axis=0)
        assert_allclose(after, expected, rtol=1e-9)
        assert np.abs(after - before).min() > 1e-3

    def test_is_made_anew_while_a_net_is_trained(self, data):
        scores, expected = [], []

        class Asks(Callback):
            def on_epoch_end(self, net, **kwargs):
                scores.append(net.predict(data[0]))
                expected.append(member_scores(net, data[0], "float64").mean(axis=0))

        quick(callbacks=[Asks()]).fit(*data)
        assert len(scores) == 5
        assert_allclose(scores, expected, rtol=1e-9)
        assert np.all(np.ptp(scores, axis=0) > 0)

    def test_is_in_no_pickle_and_no_copy(self, data):
        ranker = quick().fit(*data)
        before = pickle.dumps(ranker), pickle.dumps(ranker.net_)
        ranker.predict(data[0])
        mean_scores(ranker.net_, data[0], "float32")
        assert ranker.net_._folding is not None
        assert (pickle.dumps(ranker), pickle.dumps(ranker.net_)) == before
        for copied in (deepcopy(ranker.net_), pickle.loads(before[1])):
            assert copied._folding is None
            assert_array_equal(copied.predict(data[0]), ranker.predict(data[0]))

    def test_in_threads(self, data):
        X, groups = data
        ranker = quick().fit(X, groups)
        expected = ranker.predict(X)
        again = pickle.loads(pickle.dumps(ranker))
        with ThreadPoolExecutor(8) as pool:
            scores = list(pool.map(again.predict, [X] * 100))
        assert all(np.array_equal(each, expected) for each in scores)

    def test_not_of_a_bounded_score(self, data):
        ranker = quick(output_activation="relu6").fit(*data)
        folding = Folding(ranker.net_.module_)
        assert folding.of_type(torch.float64) is folding.of_type(torch.float32) is None
        expected = member_scores(ranker.net_, data[0], "float64").mean(axis=0)
        assert_array_equal(ranker.predict(data[0]), expected)

    def test_knows_its_layers(self, data):
        module = quick().fit(*data).net_.module_
        module.hidden.append(torch.nn.Tanh())
        with pytest.raises(TypeError, match="Tanh.* is no layer that can be folded"):
            FoldedNetwork(module, torch.float64)


@pytest.mark.parametrize("n_rows", [1, 300, 9000])
@pytest.mark.parametrize("feature", [0, 3])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_refused_wherever_they_are(n_rows, feature, value):
    X, groups = made("normal")
    ranker = trained(X, groups)
    # No member reads the last one.
    with torch.no_grad():
        ranker.net_.module_.hidden[0].weight[:, 3] = 0.0
        ranker.net_.module_.shortcut.weight[..., 3] = 0.0
    rows = drawn(X, n_rows)
    rows[n_rows // 2, feature] = value
    told = f"X contains infinity: {value} at row {n_rows // 2}, column {feature}"
    with pytest.raises(ValueError, match=told):
        ranker.predict(rows)
    # What is missing, and sums that are more than a float, are none.
    rows[n_rows // 2, feature] = np.nan
    assert np.isfinite(ranker.predict(rows)).all()
    rows[:, feature] = 1e308
    assert np.isfinite(ranker.predict(rows)).all()


def test_standard_errors_come_with_the_score_of_predict():
    X, groups = made("normal")
    ranker = trained(X, groups, n_members=3)
    rows = drawn(X, 9000)
    scores, errors = ranker.predict(rows, return_std=True)
    assert_array_equal(scores, ranker.predict(rows))
    members = member_scores(ranker.net_, rows, "float64")
    assert_allclose(errors, ranker.net_.std_factor * members.std(axis=0, ddof=1))


def test_float32_is_quick_for_few_rows():
    X, groups = made("normal")
    ranker = trained(X, groups)
    expected = ranker.net_.folded(torch.float32).scores(X)
    assert_array_equal(ranker.set_params(predict_dtype="float32").predict(X), expected)
    assert np.any(expected != ranker.set_params(predict_dtype="float64").predict(X))
