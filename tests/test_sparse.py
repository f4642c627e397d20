"""Sparse X: the same scores as of the dense table, which is never made whole."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix, issparse
from sklearn.datasets import dump_svmlight_file, load_svmlight_file
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from skorch.callbacks import EpochScoring

from sklearn_pscore import (
    Groups,
    LevelClassifierRanker,
    LinearPreferenceRanker,
    PairAugmenter,
    PairwisePreferenceRanker,
    RankSumRanker,
    SingleMetricRanker,
    TopCountRanker,
    preference_proba,
    rank,
)
from sklearn_pscore._rows import dense_rows, extremes, rows_at_a_time
from sklearn_pscore._torch import net
from sklearn_pscore.metrics import pairwise_accuracy_score, rank_items
from sklearn_pscore.model_selection import PreferenceGroupKFold

N_ROWS, N_FEATURES = 120, 12


def sparse_table(n_rows=N_ROWS, n_features=N_FEATURES, density=0.3, seed=0):
    rng = np.random.default_rng(seed)
    return sp.random_array(
        (n_rows, n_features), density=density, random_state=rng, format="csr"
    )


def groups_of(X, size=6, seed=1):
    rng = np.random.default_rng(seed)
    preference = X @ rng.normal(size=X.shape[1]) + 0.1 * rng.normal(size=X.shape[0])
    return Groups.from_arrays(
        group=np.arange(X.shape[0]) // size, preference=preference
    )


def quick_ranker(**parameters):
    defaults = {"random_state": 0, "max_epochs": 3, "n_members": 2}
    return PairwisePreferenceRanker(**(defaults | parameters))


def assert_same_state(one, other):
    for a, b in zip(
        one.net_.module_.state_dict().values(),
        other.net_.module_.state_dict().values(),
        strict=True,
    ):
        assert_array_equal(a, b)


class TestSameScoresAsDense:
    @pytest.mark.parametrize(
        "parameters",
        [
            {},
            {"shortcut": "linear"},
            {"shortcut": None, "input_dropout": 0.1, "batch_norm": True},
            {"early_stopping": True, "batch_size": 20},
            {"loss": "lambdarank", "k": 3},
            {"monotonic_cst": [1] * 6 + [0] * 6},
        ],
        ids=lambda parameters: ", ".join(parameters) or "defaults",
    )
    def test_fit(self, parameters):
        X = sparse_table()
        y = groups_of(X)
        of_sparse = quick_ranker(**parameters).fit(X, y)
        of_dense = quick_ranker(**parameters).fit(X.toarray(), y)
        assert_same_state(of_sparse, of_dense)
        assert of_sparse.n_pairs_ == of_dense.n_pairs_
        assert of_sparse.n_features_in_ == N_FEATURES

    def test_one_plain_group_holds_items_out(self):
        X = sparse_table()
        y = np.arange(N_ROWS) / N_ROWS
        ranker = quick_ranker(early_stopping=True)
        of_sparse = ranker.fit(X, y).predict(X)
        assert_array_equal(of_sparse, ranker.fit(X.toarray(), y).predict(X.toarray()))

    def test_partial_fit_and_warm_start_take_turns(self):
        X = sparse_table()
        y = groups_of(X)
        turns = quick_ranker(warm_start=True).partial_fit(X, y)
        turns.partial_fit(X.toarray(), y).fit(X, y)
        dense = quick_ranker(warm_start=True)
        for method in ("partial_fit", "partial_fit", "fit"):
            getattr(dense, method)(X.toarray(), y)
        assert_same_state(turns, dense)

    @pytest.mark.parametrize("shortcut", ["additive", "linear", None])
    def test_missing_values_that_are_stored(self, shortcut):
        X = sparse_table()
        y = groups_of(X)
        X.data[::5] = np.nan
        of_sparse = quick_ranker(shortcut=shortcut).fit(X, y)
        of_dense = quick_ranker(shortcut=shortcut).fit(X.toarray(), y)
        assert_same_state(of_sparse, of_dense)
        assert_array_equal(of_sparse.predict(X), of_dense.predict(X.toarray()))

    def test_missing_values_of_rows_that_do_not_train(self):
        X = sparse_table()
        X.data[0] = np.nan
        y = Groups.from_arrays(
            group=np.arange(N_ROWS) // 6,
            preference=groups_of(sparse_table())["preference"],
            weight=np.arange(N_ROWS) > 6,
        )
        of_sparse, of_dense = (
            quick_ranker().fit(X, y),
            quick_ranker().fit(X.toarray(), y),
        )
        assert_same_state(of_sparse, of_dense)

    def test_validation_set(self):
        X, X_val = sparse_table(), sparse_table(60, seed=2)
        y, y_val = groups_of(X), groups_of(X_val)
        ranker = quick_ranker(early_stopping=True, scoring="loss")
        of_sparse = ranker.fit(X, y, X_val=X_val, y_val=y_val).predict(X)
        ranker.fit(X.toarray(), y, X_val=X_val.toarray(), y_val=y_val)
        assert_array_equal(of_sparse, ranker.predict(X))

    def test_all_that_reads_X(self):
        X = sparse_table()
        y = groups_of(X)
        ranker = quick_ranker().fit(X, y)
        assert_array_equal(ranker.rank(X, y), ranker.rank(X.toarray(), y))
        assert ranker.score(X, y) == ranker.score(X.toarray(), y) > 0.8
        for of_sparse, of_dense in zip(
            ranker.predict(X, return_std=True),
            ranker.predict(X.toarray(), return_std=True),
            strict=True,
        ):
            assert_array_equal(of_sparse, of_dense)
        assert_array_equal(
            ranker.preference_proba(X[:50], X[50:100].toarray()),
            ranker.preference_proba(X.toarray()[:50], X[50:100]),
        )

    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, bool])
    @pytest.mark.parametrize(
        "form", [csr_array, csr_matrix, sp.csc_array, sp.coo_array, sp.lil_matrix]
    )
    def test_forms_and_types(self, form, dtype):
        X = (sparse_table() * 10).astype(dtype)
        y = groups_of(X.toarray().astype(float))
        of_sparse = quick_ranker().fit(form(X), y)
        assert_same_state(of_sparse, quick_ranker().fit(X.toarray(), y))

    def test_frame_of_sparse_columns_stays_sparse(self, monkeypatch):
        X = sparse_table()
        y = groups_of(X)
        frame = pd.DataFrame.sparse.from_spmatrix(X, columns=list("abcdefghijkl"))
        checked = []
        keep = PairwisePreferenceRanker._check_X
        monkeypatch.setattr(
            PairwisePreferenceRanker,
            "_check_X",
            lambda *args, **kwargs: (
                checked.append(keep(*args, **kwargs)) or checked[-1]
            ),
        )
        ranker = quick_ranker().fit(frame, y)
        assert issparse(checked[0])
        assert list(ranker.feature_names_in_) == list("abcdefghijkl")
        assert_array_equal(
            ranker.predict(frame),
            quick_ranker().fit(X.toarray(), y).predict(X.toarray()),
        )


class TestOddMatrices:
    def test_indices_of_64_bits(self):
        X = sparse_table()
        wide = X.copy()
        wide.indices, wide.indptr = X.indices.astype("i8"), X.indptr.astype("i8")
        y = groups_of(X)
        ranker = quick_ranker().fit(wide, y)
        assert wide.indices.dtype == np.int64
        assert_array_equal(ranker.predict(wide), quick_ranker().fit(X, y).predict(X))

    @pytest.mark.parametrize("form", [csr_array, sp.csc_array])
    def test_duplicates_are_summed_and_order_does_not_matter(self, form):
        X = sparse_table()
        y = groups_of(X)
        halves = form(X)
        ends = halves.indptr[1:] * 2
        # Each value as a half and a half, the columns of a row from the last.
        parts = [
            (
                np.tile(halves.indices[a:b][::-1], 2),
                np.tile(halves.data[a:b][::-1] / 2, 2),
            )
            for a, b in zip(halves.indptr[:-1], halves.indptr[1:], strict=True)
        ]
        indices, values = map(np.concatenate, zip(*parts, strict=True))
        twice = form((values, indices, np.append(0, ends)), shape=X.shape)
        before = twice.data.copy(), twice.indices.copy(), twice.indptr.copy()
        ranker = quick_ranker().fit(twice, y)
        assert_same_state(ranker, quick_ranker().fit(X, y))
        assert_array_equal(ranker.predict(twice), ranker.predict(X))
        for kept, now in zip(
            before, (twice.data, twice.indices, twice.indptr), strict=True
        ):
            assert_array_equal(now, kept)

    def test_stored_zeros_and_empty_columns(self):
        X = sparse_table()
        X.data[::3] = 0.0
        X = csr_array(sp.hstack([X, csr_array((N_ROWS, 2))]))
        y = groups_of(X)
        ranker = quick_ranker().fit(X, y)
        assert_same_state(ranker, quick_ranker().fit(X.toarray(), y))

    def test_nothing_but_zeros_warns_as_dense_does(self):
        X = csr_array((N_ROWS, 3))
        y = Groups.from_arrays(
            group=np.arange(N_ROWS) // 6, preference=np.arange(N_ROWS)
        )
        with pytest.warns(UserWarning, match="constant"):
            of_sparse = quick_ranker().fit(X, y)
        with pytest.warns(UserWarning, match="constant"):
            of_dense = quick_ranker().fit(X.toarray(), y)
        assert_same_state(of_sparse, of_dense)

    def test_zero_rows(self):
        X = sparse_table()
        ranker = quick_ranker()
        with pytest.raises(ValueError, match="Found array with 0 sample"):
            ranker.fit(X[:0], groups_of(X)[:0])
        assert not hasattr(ranker, "net_")
        ranker.fit(X, groups_of(X))
        with pytest.raises(ValueError, match="Found array with 0 sample"):
            ranker.predict(X[:0])

    def test_other_number_of_features(self):
        X = sparse_table()
        ranker = quick_ranker().fit(X, groups_of(X))
        with pytest.raises(
            ValueError, match="11 features, but .* expecting 12 features"
        ):
            ranker.predict(X[:, :11])

    @pytest.mark.parametrize("form", [csr_array, sp.csc_array])
    @pytest.mark.parametrize("wrong", [-1, 10**6])
    def test_an_index_outside(self, form, wrong):
        X = form(sparse_table())
        X.indices[5] = wrong
        n_along = N_FEATURES if form is csr_array else N_ROWS
        with pytest.raises(
            ValueError,
            match=re.escape(
                f"(120, 12) whose `indices` hold {wrong}; expected numbers "
                f"from 0 to {n_along - 1}"
            ),
        ):
            quick_ranker().fit(X, np.arange(N_ROWS))

    @pytest.mark.parametrize("sign", [1, -1])
    def test_too_large_for_float32(self, sign):
        X = sparse_table()
        X.data[7] = sign * 1e39
        message = f"X holds {sign * 1e39:.3g} in column {X.indices[7]}; "
        with pytest.raises(ValueError, match=re.escape(message)):
            quick_ranker().fit(X, groups_of(sparse_table()))

    def test_too_small_for_an_inverse(self):
        X = sparse_table().tolil()
        X[:, 4] = 0.0
        X[9, 4] = 1e-307
        with pytest.raises(ValueError, match="above 1e-307 in size in column 4; "):
            quick_ranker().fit(X, groups_of(sparse_table()))

    def test_infinity(self):
        X = sparse_table()
        X.data[3] = np.inf
        with pytest.raises(ValueError, match="infinity"):
            quick_ranker().fit(X, np.arange(N_ROWS))


class TestTooManyColumns:
    @pytest.mark.parametrize("form", [csr_array, np.asarray])
    def test_additive_is_refused_before_work(self, monkeypatch, form):
        monkeypatch.setattr(net, "_MOST_COLUMN_BYTES", 4 * 120 * 11 * 11)
        X = sparse_table()
        ranker = quick_ranker(n_members=1)
        expected = re.escape(
            'X has 12 features, and shortcut="additive" makes 11 columns of each, 0.0 GB '
            'for 120 rows; expected at most 11 features. Set shortcut="linear", or fewer '
            "n_pieces."
        )
        with pytest.raises(ValueError, match=expected):
            ranker.fit(form(X.toarray()), groups_of(X))
        assert not hasattr(ranker, "net_")
        assert not hasattr(ranker, "n_features_in_")

    @pytest.mark.parametrize(
        "parameters", [{"shortcut": "linear"}, {"shortcut": None}, {"n_pieces": 9}]
    )
    def test_the_ways_out(self, monkeypatch, parameters):
        monkeypatch.setattr(net, "_MOST_COLUMN_BYTES", 4 * 120 * 11 * 11)
        X = sparse_table()
        assert (
            quick_ranker(**parameters).fit(X, groups_of(X)).score(X, groups_of(X)) > 0.7
        )

    def test_features_that_the_docstring_names(self):
        parameters = SimpleNamespace(shortcut="additive", n_pieces=10)
        n_rows = net.dense_sample_rows(23_831, parameters)
        net.check_columns_fit(23_831, n_rows, parameters)
        with pytest.raises(
            ValueError, match=r"23,832 features.*4\.0 GB for 4,096 rows"
        ):
            net.check_columns_fit(23_832, n_rows, parameters)
        net.check_columns_fit(23_832, 4000, parameters)


class TestZerosAreKept:
    def test_mostly_zero_features_are_not_shifted(self):
        X = sparse_table(density=0.4)
        ranker = quick_ranker().fit(X, groups_of(X))
        scaling = ranker.net_.module_.scaling
        assert_array_equal(scaling.shift, 0.0)
        scaled = scaling(torch.from_numpy(X.toarray()))
        assert_array_equal(scaled == 0, X.toarray() == 0)


class TestNeverWhole:
    def test_no_array_is_larger_than_a_batch_or_a_chunk(self, monkeypatch):
        largest = []
        to_dense = csr_array.toarray

        def noted(self, *args, **kwargs):
            largest.append(self.shape[0])
            return to_dense(self, *args, **kwargs)

        X = sparse_table(40_000, 20, density=0.05)
        y = groups_of(X, size=20)
        monkeypatch.setattr(csr_array, "toarray", noted)
        quick_ranker(max_epochs=1, n_pieces=3, n_members=1).fit(X, y).predict(X)
        # The sample that the shortcut is fitted to is the largest.
        assert len(largest) > 100
        assert max(largest) <= 2**22 // 20

    def test_rows_at_a_time(self):
        assert rows_at_a_time(20, 8192) == 8192
        assert rows_at_a_time(20_000, 8192) == 838
        assert rows_at_a_time(10**9, 8192) == 1
        assert rows_at_a_time(0, 8192) == 8192

    @pytest.mark.parametrize("rows", [slice(2, 5), np.array([4, 0, 4])])
    def test_dense_rows(self, rows):
        X = sparse_table(6, 3)
        assert_array_equal(dense_rows(X, rows), X.toarray()[rows])
        copy = dense_rows(np.asfortranarray(X.toarray()), rows)
        assert_array_equal(copy, X.toarray()[rows])
        assert copy.flags.c_contiguous
        assert dense_rows(X, rows).flags.c_contiguous

    def test_extremes(self):
        X = csr_array([[3.0, -2.0, 0.0], [0.0, -1.0, 0.0]])
        assert_array_equal(extremes(X), [[3, -1, 0], [0, -2, 0]])
        dense = X.toarray()
        assert extremes(dense) is dense


class TestOtherEstimators:
    @pytest.mark.parametrize(
        "estimator",
        [
            TopCountRanker(directions="larger"),
            RankSumRanker(directions="larger"),
            SingleMetricRanker(),
            LevelClassifierRanker(LogisticRegression(), n_levels=3),
            PairAugmenter(),
        ],
        ids=lambda estimator: type(estimator).__name__,
    )
    def test_those_that_need_dense_tables_say_so(self, estimator):
        X = sparse_table()
        with pytest.raises(
            TypeError, match=r"dense data is required\. Use '\.toarray\(\)'"
        ):
            estimator.fit(X, groups_of(X))
        estimator.fit(X.toarray(), groups_of(X))
        method = getattr(estimator, "predict", None) or estimator.transform
        with pytest.raises(TypeError, match="dense data is required"):
            method(X)

    def test_linear_ranker_sums_duplicates_too(self):
        X = sparse_table()
        y = groups_of(X)
        halves = np.repeat(X.data, 2) / 2, np.repeat(X.indices, 2), 2 * X.indptr
        twice = csr_array(halves, shape=X.shape)
        expected = LinearPreferenceRanker().fit(X, y).coef_
        assert_array_equal(LinearPreferenceRanker().fit(twice, y).coef_, expected)
        assert twice.nnz == 2 * X.nnz
        X.indices[0] = 99
        with pytest.raises(ValueError, match="`indices` hold 99; "):
            LinearPreferenceRanker().fit(X, y)

    def test_functions_of_any_model(self):
        X = sparse_table()
        y = groups_of(X)
        model = make_pipeline(MaxAbsScaler(), quick_ranker()).fit(X, y)
        assert_array_equal(rank(model, X, y), rank_items(y, model.predict(X)))
        proba = preference_proba(model, X[:50], X[50:100])
        assert_allclose(proba, 1 - preference_proba(model, X[50:100], X[:50]))


class TestFromFiles:
    def test_svmlight_file_with_queries(self, tmp_path):
        X = sparse_table()
        y = groups_of(X)
        path = str(tmp_path / "queries.txt")
        # scikit-learn writes no indices of 64 bits, which older versions of SciPy draw.
        narrow = sp.csr_matrix((X.data, X.indices.astype(np.int32), X.indptr), X.shape)
        dump_svmlight_file(narrow, y["preference"], path, query_id=y["group"])
        read, relevance, query = load_svmlight_file(path, query_id=True)
        groups = Groups.from_arrays(group=query, preference=relevance)
        ranker = quick_ranker().fit(read, groups)
        assert ranker.n_groups_ == N_ROWS // 6
        assert ranker.score(read, groups) > 0.8


class TestInSearches:
    def test_pipeline_in_a_grid_search(self):
        X = sparse_table(240)
        y = groups_of(X)
        pipeline = make_pipeline(MaxAbsScaler(), quick_ranker())
        grid = {"pairwisepreferenceranker__shortcut": ["linear", None]}
        search = GridSearchCV(pipeline, grid, cv=PreferenceGroupKFold(2))
        search.fit(X, y)
        assert search.best_score_ > 0.7
        # The scaler rounds differently.
        assert_allclose(search.predict(X), search.predict(X.toarray()), atol=1e-6)

    def test_read_only_memory(self):
        X = sparse_table()
        y = groups_of(X)
        expected = quick_ranker().fit(X, y).predict(X)
        for part in (X.data, X.indices, X.indptr):
            part.flags.writeable = False
        assert_array_equal(quick_ranker().fit(X, y).predict(X), expected)

    def test_callback_that_scores_the_training_set(self):
        X = sparse_table()
        y = groups_of(X)
        seen = []

        def scoring(net, X, y):
            seen.append(issparse(X))
            return pairwise_accuracy_score(y, net.predict(X))

        callback = EpochScoring(scoring, on_train=True, name="accuracy")
        ranker = quick_ranker(callbacks=[callback]).fit(X, y)
        assert all(seen)
        dense = quick_ranker(callbacks=[callback]).fit(X.toarray(), y)
        accuracy = [
            net[:, "accuracy"] for net in (ranker.net_.history, dense.net_.history)
        ]
        assert accuracy[0] == accuracy[1]
        assert len(accuracy[0]) == 3


@pytest.mark.parametrize("fill", [np.nan, 1.0])
def test_columns_that_store_zeros_are_told(fill):
    frame = pd.DataFrame({"a": [0.0, 1.0], "b": [0.0, 2.0]})
    frame = frame.astype({"a": pd.SparseDtype(float, 0)})
    frame = frame.astype({"b": pd.SparseDtype(float, fill)})
    with pytest.raises(
        ValueError, match=f"{fill} is what column 'b' does not store; exp"
    ):
        PairwisePreferenceRanker().fit(frame, [0, 1])
