"""The ranker's parameters: "auto" resolved, wrong values and other networks refused."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from cases import quick

from sklearn_pscore import PairwisePreferenceRanker
from sklearn_pscore._rankers.item_checks import check_float32
from sklearn_pscore._rankers.parameters import (
    check_layers,
    check_same_network,
    network_of,
    resolve_batch_size,
    resolve_epochs,
    resolve_monotonic_cst,
    resolve_parameters,
)

NAMES = np.array(["SSIM", "FID", "PSNR"], dtype=object)


class TestBatchSize:
    @pytest.mark.parametrize(
        ("n_rows", "expected"),
        [
            (2, 200),
            (20_000, 200),
            (20_100, 201),
            (100_000, 1000),
            (409_600, 4096),
            (10**9, 4096),
        ],
    )
    def test_auto_is_a_hundredth_within_bounds(self, n_rows, expected):
        assert resolve_batch_size("auto", n_rows) == expected

    @pytest.mark.parametrize(
        ("n_features", "expected"),
        [(4096, 4096), (20_000, 838), (10**6, 16), (10**9, 2)],
    )
    def test_auto_is_not_more_than_64_megabytes(self, n_features, expected):
        assert resolve_batch_size("auto", 10**7, n_features) == expected

    def test_a_number_stays(self):
        assert resolve_batch_size(np.int64(7), 10**6) == 7
        assert resolve_batch_size(500, 10**6, 10**6) == 500


class TestEpochs:
    @pytest.mark.parametrize(
        ("n_rows", "batch_size", "expected"),
        [
            pytest.param(50, 200, 300, id="one batch: the fewest steps"),
            pytest.param(600, 200, 100, id="three batches: the fewest steps"),
            pytest.param(2000, 200, 30, id="ten batches: thirty epochs"),
            pytest.param(20_000, 200, 30, id="a hundred batches: thirty epochs"),
            pytest.param(24_000, 200, 25, id="the most steps"),
            pytest.param(10**6, 200, 5, id="the fewest epochs"),
            pytest.param(1401, 200, 38, id="the last batch is smaller"),
        ],
    )
    def test_auto(self, n_rows, batch_size, expected):
        assert resolve_epochs("auto", n_rows, batch_size) == expected

    def test_more_rows_never_take_more_epochs(self):
        n_rows = np.unique(np.geomspace(2, 10**7, 300).astype(int))
        sizes = [resolve_batch_size("auto", n) for n in n_rows]
        epochs = [
            resolve_epochs("auto", n, s) for n, s in zip(n_rows, sizes, strict=True)
        ]
        assert (np.diff(epochs) <= 0).all()
        assert min(epochs) >= 5

    def test_a_number_stays(self):
        assert resolve_epochs(np.int64(3), 10**6, 200) == 3


def resolved(n_rows=1401, n_features=3, **params):
    ranker = PairwisePreferenceRanker(**params)
    ranker.n_features_in_ = n_features
    return ranker, resolve_parameters(ranker, n_rows)


class TestResolved:
    def test_has_every_parameter(self):
        ranker, parameters = resolved()
        # Beside them, whether it learns from votes.
        assert vars(parameters).keys() == {*ranker.get_params(), "has_votes"}
        assert (parameters.batch_size, parameters.max_epochs) == (200, 38)
        assert parameters.callbacks == []

    def test_network_said_otherwise_is_the_same(self):
        lists = resolved(hidden_layer_sizes=[8, 4], monotonic_cst=[1.0, 0.0, 0.0])
        arrays = resolved(
            hidden_layer_sizes=np.array([8, 4]), monotonic_cst=np.array([1, 0, 0])
        )
        assert network_of(lists[1]) == network_of(arrays[1])

    def test_ranker_is_left_alone(self):
        ranker, _ = resolved(hidden_layer_sizes=[8])
        assert ranker.hidden_layer_sizes == [8]
        assert ranker.max_epochs == "auto"


class TestSameNetwork:
    """What differs in each parameter is in test_pairwise."""

    def test_a_new_parameter_is_of_the_network(self):
        ranker, parameters = resolved()
        trained = network_of(SimpleNamespace(**vars(parameters), width=1))
        ranker.width = 2
        with pytest.raises(
            ValueError, match="width=2 but the fitted network has 1; warm_start"
        ):
            check_same_network(
                ranker, SimpleNamespace(**vars(parameters), width=2), trained
            )

    def test_what_a_shortcut_does_not_use_may_change(self):
        ranker, parameters = resolved(shortcut="linear", n_pieces=3)
        trained = network_of(resolved(shortcut="linear")[1])
        check_same_network(ranker, parameters, trained)
        with pytest.raises(ValueError, match="shortcut='additive' but .* has 'linear'"):
            check_same_network(*resolved(shortcut="additive", n_pieces=3), trained)


class TestPlain:
    @pytest.mark.parametrize("dtype", ["i1", "u1", "i8", "u8"])
    def test_integers_of_numpy_are_those_of_python(self, dtype):
        number = np.dtype(dtype).type(2)
        parameters = resolved(n_members=number, max_epochs=number, k=number)[1]
        for name in ("n_members", "max_epochs", "k"):
            assert type(getattr(parameters, name)) is int
            assert getattr(parameters, name) == 2

    @pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g"])
    def test_floats_of_numpy_are_those_of_python(self, dtype):
        parameters = resolved(dropout=np.dtype(dtype).type(0.25))[1]
        assert type(parameters.dropout) is float
        assert parameters.dropout == 0.25

    def test_integers_have_at_most_64_bits(self):
        parameters = resolved(k=10**30, input_clip=10**30, batch_size=10**30)[1]
        assert parameters.k == parameters.batch_size == 2**63 - 1
        assert type(parameters.input_clip) is float
        assert parameters.input_clip == 1e30

    def test_flags_and_words_stay(self):
        parameters = resolved(batch_norm=np.True_, loss=np.str_("listnet"))[1]
        assert parameters.batch_norm is True
        assert type(parameters.loss) is str

    @pytest.mark.parametrize(
        "params",
        [
            {"n_members": np.uint8(2)},
            {"loss": "lambdarank", "k": 10**30},
            {"input_clip": 10**30},
            {"dropout": np.float16(0.5)},
        ],
    )
    def test_a_fit_is_that_of_the_plain_value(self, data, params):
        plain = {"n_members": 2, "dropout": 0.5, "k": None, "input_clip": 1e30}
        plain = {name: plain.get(name, value) for name, value in params.items()}
        scores = [quick(**kw).fit(*data).predict(data[0]) for kw in (params, plain)]
        np.testing.assert_allclose(*scores, rtol=1e-5)


class TestLayers:
    @pytest.mark.parametrize("sizes", [(), [1], (8, 4), np.array([16, 2])])
    def test_numbers_of_units_pass(self, sizes):
        check_layers(sizes)

    @pytest.mark.parametrize("size", [0, -3, 2.0, True, "8"])
    def test_anything_else_is_refused(self, size):
        with pytest.raises(
            ValueError, match=re.escape(f"hidden_layer_sizes holds {size!r}; expected")
        ):
            check_layers((4, size))


class TestFloat32:
    @pytest.mark.parametrize("value", [3.4e38, -3.4e38, 0.0])
    def test_what_it_holds_passes(self, value):
        check_float32(np.array([[0.0, value]]))

    @pytest.mark.parametrize("value", [3.5e38, -3.5e38])
    def test_what_it_does_not_hold_is_refused(self, value):
        with pytest.raises(
            ValueError,
            match=re.escape("3.5e+38 in column 1; expected at most 3.4e+38 in size"),
        ):
            check_float32(np.array([[0.0, value], [1.0, 2.0]]))


class TestMonotonicConstraints:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (None, None),
            ([0, 0, 0], None),
            ({}, None),
            ([1, 0, -1], (1, 0, -1)),
            (np.array([0.0, -1.0, 0.0]), (0, -1, 0)),
            ({"FID": -1}, (0, -1, 0)),
            ({"PSNR": 1, "SSIM": 1, "FID": 0}, (1, 0, 1)),
        ],
    )
    def test_one_for_each_feature(self, given, expected):
        assert resolve_monotonic_cst(given, 3, NAMES) == expected

    @pytest.mark.parametrize(
        ("given", "names", "message"),
        [
            (
                [1, 0],
                NAMES,
                "monotonic_cst has shape (2,) but X has 3 features; expected one of -1",
            ),
            ([[1, 0, 1]], NAMES, "monotonic_cst has shape (1, 3) but X has 3"),
            ([1, 2, 0], NAMES, "holds np.int64(2); expected -1"),
            ([1, 0.5, 0], None, "holds np.float64(0.5); expected -1"),
            ({"SSIM": "up"}, NAMES, "holds 'up'; expected -1"),
            (
                {"LPIPS": -1},
                NAMES,
                "names 'LPIPS', which is not among the features "
                "['SSIM', 'FID', 'PSNR']. Name one of these.",
            ),
            ({"SSIM": 1}, None, "dict of feature names but X has no names; expected"),
            ({"SSIM": 1}, None, 'StandardScaler().set_output(transform="pandas")'),
        ],
    )
    def test_what_does_not_fit_is_refused(self, given, names, message):
        with pytest.raises(ValueError, match=re.escape(message)):
            resolve_monotonic_cst(given, 3, names)
