"""Thin tables: rows that stay sparse in the network get the scores of dense ones."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._torch import thin
from sklearn_pscore._torch.inputs import Bends, InputScaling, unit_inside
from sklearn_pscore._torch.linear import fit_linear, resized, scores_of, side_by_side
from sklearn_pscore._torch.losses.ranknet import PairwiseLogisticLoss
from sklearn_pscore._torch.packing import PackedGroups, PackedTarget
from sklearn_pscore._torch.thin import (
    ThinRows,
    as_table,
    distinct,
    is_thin,
    quantiles,
)

N_ROWS, N_FEATURES = 400, 60


def thin_table(n_rows=N_ROWS, n_features=N_FEATURES, seed=0):
    """Return a CSR matrix with columns of all kinds: most are nearly all zero."""
    rng = np.random.default_rng(seed)
    X = sp.random_array((n_rows, n_features), density=0.015, random_state=rng).toarray()
    X[:, 3] = rng.normal(5, 1, size=n_rows)
    X[:, 4] = rng.integers(2, size=n_rows)
    X[:, 5] = -X[:, 5]
    X[:, 6] = 0.0
    X[:, 7] = 2.5
    X[:, 8] *= 1e6
    # Just above, and just below, a quarter that is stored.
    X[: n_rows // 4 + 2, 9] = rng.normal(size=n_rows // 4 + 2)
    X[: n_rows // 4 - 3, 10] = rng.normal(size=n_rows // 4 - 3)
    # What is stored may be missing, in many rows or in few.
    X[: n_rows // 2, 12] = X[-3:, 13] = X[: n_rows // 2, 14] = np.nan
    X[n_rows // 2 :, 14] = rng.normal(5, 1, size=n_rows - n_rows // 2)
    X[:, 15] = np.nan
    # Values that float32 does not tell apart.
    X[::20, 16] = 1 + 1e-9 * np.arange(n_rows // 20)
    # All but one row.
    X[1:, 11] = rng.normal(size=n_rows - 1)
    return csr_array(X)


def groups_of(X, size=5):
    rng = np.random.default_rng(1)
    X = np.nan_to_num(X.toarray())
    worth = X / (1 + abs(X).max(axis=0)) @ rng.normal(size=X.shape[1])
    preference = worth + 1e-7 * rng.normal(size=X.shape[0])
    return Groups.from_arrays(
        group=np.arange(X.shape[0]) // size, preference=preference
    )


def quick_ranker(**parameters):
    defaults = {"n_members": 2, "max_epochs": 2, "random_state": 0}
    return PairwisePreferenceRanker(**defaults | parameters)


@pytest.fixture
def few_features_are_thin(monkeypatch):
    """Let any number of features, and more values, count as thin."""

    def set_thin(is_on):
        limits = (1, 0.5) if is_on else (10**9, 0.0)
        monkeypatch.setattr(thin, "_FEWEST_FEATURES", limits[0])
        monkeypatch.setattr(thin, "_LARGEST_SHARE", limits[1])

    set_thin(True)
    return set_thin


class TestWhichTablesAre:
    def test_wide_with_little_stored(self):
        assert is_thin(csr_array((100, 1000)))
        assert not is_thin(csr_array((100, 999)))
        assert not is_thin(np.zeros((100, 1000)))

    def test_by_the_share_that_is_stored(self):
        X = np.zeros((10, 1000))
        X[:, :20] = 1.0
        assert is_thin(csr_array(X))
        X[0, 20] = 1.0
        assert not is_thin(csr_array(X))

    def test_number_of_values_beyond_32_bits(self):
        X = csr_array((np.ones(3), ([0, 1, 2], [0, 0, 0])), shape=(2**20, 2**20))
        assert is_thin(X)


class TestRows:
    @pytest.fixture
    def scaling(self):
        X = thin_table()
        return InputScaling.fitted(X.toarray(), np.arange(N_ROWS) // 5, clip=4.0)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, None])
    @pytest.mark.parametrize("clip", [4.0, None])
    def test_scaled_as_dense(self, scaling, dtype, clip):
        X, scaling.clip = thin_table(), clip
        rows = scaling(ThinRows.of(X), dtype=dtype)
        dense = scaling(torch.from_numpy(X.toarray()), dtype=dtype)
        assert isinstance(rows, ThinRows)
        assert torch.equal(rows.to_dense(), dense)
        assert rows.values.dtype == dense.dtype
        assert len(rows) == N_ROWS

    def test_products_are_those_of_dense_rows(self, scaling):
        rows = scaling(ThinRows.of(thin_table()))
        weight = torch.randn(
            N_FEATURES, 3, dtype=torch.float64, generator=torch.manual_seed(0)
        )
        assert_allclose(rows @ weight, rows.to_dense() @ weight, rtol=1e-12, atol=1e-12)
        narrow = rows.to(torch.float32)
        assert_allclose(narrow @ weight.float(), rows @ weight, rtol=1e-4, atol=1e-4)

    def test_gradients_are_those_of_dense_rows(self, scaling):
        rows = scaling(ThinRows.of(thin_table()))
        gradients = []
        for X in (rows, rows.to_dense()):
            weight = torch.ones(N_FEATURES, 2, dtype=torch.float64, requires_grad=True)
            (X @ weight).square().sum().backward()
            gradients.append(weight.grad)
        assert_allclose(*gradients, rtol=1e-9, atol=1e-9)

    def test_as_table_there_and_back(self):
        X = thin_table()
        assert_array_equal(as_table(ThinRows.of(X)).toarray(), X.toarray())
        assert_array_equal(as_table(torch.ones(2, 3)), np.ones((2, 3)))


class TestScaling:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_as_of_the_dense_table(self, dtype):
        X, group = thin_table().astype(dtype), np.arange(N_ROWS) // 5
        of_thin = InputScaling.fitted(X, group, clip=4.0)
        of_dense = InputScaling.fitted(X.toarray(), group, clip=4.0)
        assert torch.equal(of_thin.shift, of_dense.shift)
        assert torch.equal(of_thin.scale, of_dense.scale)
        assert_allclose(of_thin.unit, of_dense.unit, rtol=1e-6, atol=1e-12)
        assert of_thin.shift[3] != 0
        assert of_thin.unit[6] == of_thin.unit[7] == 0

    def test_units_of_bare_columns(self):
        X, group = thin_table(), np.random.default_rng(0).integers(90, size=N_ROWS)
        X.data = np.nan_to_num(X.data)
        assert_allclose(
            unit_inside(X, group), unit_inside(X.toarray(), group), rtol=1e-9
        )

    def test_wide_dense_tables_go_in_blocks(self, monkeypatch):
        X, group = thin_table().toarray(), np.arange(N_ROWS) // 5
        whole = InputScaling.fitted(X, group, clip=4.0)
        unit = unit_inside(np.nan_to_num(X), group)
        monkeypatch.setattr("sklearn_pscore._torch.inputs._LARGEST_BLOCK", 7 * N_ROWS)
        blocks = InputScaling.fitted(X, group, clip=4.0)
        for name in ("shift", "scale", "unit"):
            assert_allclose(getattr(blocks, name), getattr(whole, name), rtol=1e-12)
        assert_allclose(unit_inside(np.nan_to_num(X), group), unit, rtol=1e-12)
        assert blocks.clip == whole.clip

    def test_bends_as_of_the_dense_table(self):
        X = thin_table()
        scaling = InputScaling.fitted(X.toarray(), np.arange(N_ROWS) // 5, clip=4.0)
        rows = scaling(ThinRows.of(X))
        of_thin = Bends.fitted(rows, n_pieces=4)
        of_dense = Bends.fitted(rows.to_dense().numpy(), n_pieces=4)
        assert_allclose(of_thin.start, of_dense.start, rtol=1e-12, atol=1e-12)
        assert_allclose(of_thin.inverse_width, of_dense.inverse_width, rtol=1e-9)
        columns = zip(
            of_dense.columns(rows), of_dense.columns(rows.to_dense()), strict=True
        )
        for thin_columns, dense_columns in columns:
            assert torch.equal(thin_columns.to_dense(), dense_columns)

    def test_distinct_quantiles_are_those_of_numpy(self):
        rng = np.random.default_rng(0)
        column = np.append(rng.integers(30, size=200), np.arange(30))
        values = rng.integers(-3, 9, size=len(column)) / 7
        levels = np.linspace(0, 1, 11)
        found = quantiles(*distinct(column, values), levels, 30)
        expected = [
            np.quantile(np.unique(values[column == k]), levels) for k in range(30)
        ]
        assert_allclose(found, np.transpose(expected), rtol=1e-15, atol=1e-16)


class TestLinearFit:
    def test_weights_are_those_of_dense_columns(self):
        X = thin_table()
        scaling = InputScaling.fitted(X.toarray(), np.arange(N_ROWS) // 5, clip=4.0)
        rows = scaling(ThinRows.of(X)).to(torch.float32)
        target = PackedTarget(
            level=torch.arange(5).repeat(N_ROWS // 5),
            weight=torch.ones(N_ROWS),
            sizes=torch.full((N_ROWS // 5,), 5),
            gain=torch.ones(N_ROWS),
        )
        used, size = np.array([3, 4, 9, 10, 11, 20, 80]), np.linspace(0.5, 2, 7)
        fitted = []
        for parts in ([rows, rows], [rows.to_dense(), rows.to_dense()]):
            together = side_by_side(parts, 2 * N_FEATURES)
            assert together.shape == (N_ROWS, 2 * N_FEATURES)
            columns = resized(together, used, size)
            weights = fit_linear(columns, target, PairwiseLogisticLoss(), penalty=0.01)
            fitted.append((weights, scores_of(columns, weights)))
        assert_allclose(fitted[0][0], fitted[1][0], rtol=1e-3, atol=1e-4)
        gap = fitted[0][1] - fitted[1][1]
        # What all items share is left out.
        assert_allclose(gap, gap.mean().repeat(N_ROWS), atol=1e-3)


class TestMissing:
    def test_which_values_are(self):
        X, features = thin_table(), torch.tensor([12, 15, 20])
        missing = ThinRows.of(X).missing(features)
        assert_array_equal(missing.to_dense(), np.isnan(X.toarray()[:, features]))
        assert ThinRows.of(X).missing(features[:0]).shape == (N_ROWS, 0)

    def test_features_with_missing_values_are_those_of_training(
        self, few_features_are_thin
    ):
        X = thin_table()
        group, preference = (groups_of(X)[name] for name in ("group", "preference"))
        donor = np.arange(N_ROWS) >= N_ROWS - 3
        y = Groups.from_arrays(group=group, preference=preference, donor=donor)
        dense = quick_ranker().fit(X.toarray(), y)
        of_thin = quick_ranker().fit(X, y)
        for ranker in (dense, of_thin):
            features = ranker.net_.module_.shortcut.missing_features
            assert features.tolist() == [12, 14, 15]


class TestFit:
    @pytest.mark.parametrize(
        "parameters",
        [
            {},
            {"shortcut": "linear"},
            {"shortcut": "linear", "loss": "listnet", "batch_norm": True},
            {"shortcut": None, "n_members": 1, "loss": "lambdarank"},
            {"shortcut": "linear", "input_dropout": 0.1},
            {"hidden_layer_sizes": ()},
            {"early_stopping": True, "monotonic_cst": [1] * 30 + [0] * 30},
        ],
        ids=lambda parameters: ", ".join(parameters) or "defaults",
    )
    def test_scores_are_nearly_those_of_dense_rows(
        self, few_features_are_thin, parameters
    ):
        X = thin_table()
        y = groups_of(X)
        ranker = PairwisePreferenceRanker(
            **{"n_members": 3, "max_epochs": 3, "random_state": 0} | parameters
        )
        of_thin = ranker.fit(X, y).predict(X)
        few_features_are_thin(False)
        # One network scores both kinds of rows.
        assert_allclose(ranker.predict(X), of_thin, rtol=0, atol=1e-9)
        of_dense = ranker.fit(X, y).predict(X)
        assert_allclose(of_thin, of_dense, atol=0.02 * of_dense.std())

    def test_partial_fit(self, few_features_are_thin):
        X = thin_table()
        y = groups_of(X)
        ranker = PairwisePreferenceRanker(random_state=0, n_members=2)
        of_thin = ranker.partial_fit(X, y).partial_fit(X, y).predict(X)
        few_features_are_thin(False)
        ranker = PairwisePreferenceRanker(random_state=0, n_members=2)
        of_dense = ranker.partial_fit(X, y).partial_fit(X, y).predict(X)
        # Pairs do not tell where zero is.
        gap = of_thin - of_dense
        assert_allclose(gap, np.full(N_ROWS, gap.mean()), atol=0.01 * of_dense.std())

    def test_a_group_is_split_where_its_dense_rows_would_be_too_many(
        self, few_features_are_thin
    ):
        X = thin_table()
        ranker = quick_ranker(batch_size=2).fit(X, groups_of(X))
        packed = {}
        for is_on in (True, False):
            few_features_are_thin(is_on)
            items = TrainingItems.from_target(
                X, check_groups(groups_of(X), caller="fit")
            )
            packed[is_on] = PackedGroups(items, lambda group, preference: preference)
        most = [ranker.net_.get_iterator(packed[way]).max_rows for way in (True, False)]
        assert most[0] > 1.5 * most[1]

    def test_same_seed_same_bits(self, few_features_are_thin):
        X = thin_table()
        y = groups_of(X)
        ranker = PairwisePreferenceRanker(random_state=0, n_members=2, max_epochs=2)
        assert_array_equal(ranker.fit(X, y).predict(X), ranker.fit(X, y).predict(X))

    def test_a_wide_table_is_never_dense(self, monkeypatch):
        rng = np.random.default_rng(0)
        X = sp.random_array((2000, 5000), density=0.001, random_state=rng, format="csr")

        def refuse(*args, **kwargs):
            raise AssertionError("a table was made dense")

        for owner, name in ((csr_array, "toarray"), (ThinRows, "to_dense")):
            monkeypatch.setattr(owner, name, refuse)
        ranker = PairwisePreferenceRanker(
            hidden_layer_sizes=(4,), n_members=2, max_epochs=1, random_state=0
        )
        ranker.fit(
            X, Groups.from_arrays(group=np.arange(2000) // 10, preference=X.sum(1))
        )
        assert np.isfinite(ranker.predict(X)).all()
