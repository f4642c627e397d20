"""Missing metrics: NaN in X of the ranker, and what is refused beside it."""

import pickle
import re
from copy import deepcopy

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from cases import SEED, linear_groups, quick
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_array, csr_array, csr_matrix
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from sklearn_pscore import Groups, PairAugmenter, PairwisePreferenceRanker
from sklearn_pscore._rankers.item_checks import check_float32
from sklearn_pscore._torch.inputs import InputScaling
from sklearn_pscore._torch.network import Shortcut

NAN = np.nan


def planted(seed, n_groups=40, *, worth=0.0, share=0.3):
    """Make groups of six in which a share of the metrics is missing at random.

    That the first metric is missing lowers the preference by `worth`.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(6 * n_groups, 3))
    is_missing = rng.random(X.shape) < share
    preference = X @ [1.0, -0.7, 0.4] - worth * is_missing[:, 0]
    preference += rng.logistic(scale=0.5, size=len(X))
    group = np.repeat(np.arange(n_groups), 6)
    groups = Groups.from_arrays(group=group, preference=preference)
    return np.where(is_missing, NAN, X), groups


def told_by_what_is_missing(n_groups=30):
    """Make groups of four, where people prefer an item that lacks the first metric."""
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(4 * n_groups, 2))
    is_missing = np.tile([True, False, False, False], n_groups)
    X[is_missing, 0] = NAN
    group = np.repeat(np.arange(n_groups), 4)
    return X, Groups.from_arrays(group=group, preference=is_missing * 1.0)


class TestScaling:
    """The median, and the spread of what is there."""

    X = np.array([[1.0, 5.0], [NAN, NAN], [3.0, 6.0], [8.0, NAN], [4.0, 9.0]])
    GROUP = np.array([0, 0, 0, 1, 1])

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("clip", [None, 4.0])
    def test_values_that_are_there_are_scaled_by_their_quartiles(self, dtype, clip):
        scaling = InputScaling.fitted(self.X.astype(dtype), self.GROUP, clip)
        assert scaling.shift.tolist() == [(3 + 4) / 2, 6.0]
        # Quartiles of 1 3 4 8 are 2.5 and 5, those of 5 6 9 are 5.5 and 7.5.
        assert_allclose(scaling.scale, np.array([5 - 2.5, 7.5 - 5.5]) / 1.349)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("clip", [None, 4.0])
    def test_a_missing_value_is_the_median(self, dtype, clip):
        scaling = InputScaling.fitted(self.X, self.GROUP, clip)
        scaled = scaling(torch.tensor(self.X, dtype=dtype))
        filled = np.where(np.isnan(self.X), [3.5, 6.0], self.X)
        assert_array_equal(scaled, scaling(torch.tensor(filled, dtype=dtype)))
        assert scaled[1].tolist() == [0.0, 0.0]

    def test_half_of_the_values_are_one(self):
        x = np.array([[0.0], [0.0], [0.0], [NAN], [2.0], [4.0]])
        scaling = InputScaling.fitted(x, np.zeros(6, dtype=int), None)
        # The quartiles of 0, 2 and 4, each taken once.
        assert_allclose(scaling.scale, [(3 - 1) / 1.349])

    def test_a_feature_that_is_always_missing_is_as_a_constant(self):
        X = self.X.copy()
        X[:, 1] = NAN
        scaling = InputScaling.fitted(X, self.GROUP, 4.0)
        assert scaling.unit[0] > 0
        assert scaling.unit[1] == 0
        assert scaling(torch.tensor([[2.0, 1e9]]))[0, 1] == 0

    def test_no_warning_and_no_change_without_missing_values(self):
        X = np.nan_to_num(self.X, nan=2.5)
        scaling = InputScaling.fitted(X, self.GROUP, 4.0)
        lower, middle, upper = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
        assert_array_equal(scaling.shift, middle)
        assert_array_equal(scaling.scale, (upper - lower) / 1.349)


class TestNetwork:
    """What a missing value adds to the score, and to the gradients."""

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("shortcut", ["additive", "linear"])
    def test_score_is_that_of_the_median_and_a_worth(self, shortcut, dtype):
        X, groups = planted(0, worth=1.0)
        ranker = quick(shortcut=shortcut, predict_dtype=dtype).fit(X, groups)
        network = ranker.net_.module_
        assert network.shortcut.missing_features.tolist() == [0, 1, 2]
        worth = network.shortcut.missing_weight.detach().cpu()
        worth = worth.mean(dim=0).double().numpy()
        assert (np.abs(worth) > 1e-4).all()
        filled = np.where(np.isnan(X), np.nanmedian(X, axis=0), X)
        expected = ranker.predict(filled) + np.isnan(X) @ worth
        assert_allclose(ranker.predict(X), expected, atol=1e-4, rtol=0)
        assert worth[0] < -0.3 < worth[1:].min()

    def test_parts_are_scaled_with_it(self):
        network = quick().fit(*planted(0, worth=1.0)).net_.module_.cpu()
        lacking = torch.full((1, 3), NAN)
        with torch.no_grad():
            before = network.shortcut(torch.zeros(1, 3), torch.ones(1, 3))[..., 0]
            network.scale_parts(layers=0.0, shortcut=0.5)
            assert_allclose(network(lacking), before / 2, rtol=1e-5)

    def test_the_score_depends_on_no_other_row(self):
        X, groups = planted(0)
        ranker = quick().fit(X, groups)
        alone = [ranker.predict(row[None])[0] for row in X[:20]]
        assert_allclose(alone, ranker.predict(X)[:20], rtol=0, atol=1e-12)

    @pytest.mark.parametrize("settings", [{}, {"input_clip": None}, {"n_pieces": 1}])
    def test_gradients_of_missing_values_are_zero(self, settings):
        X, groups = planted(0)
        network = quick(**settings).fit(X, groups).net_.module_.cpu()
        inputs = torch.tensor(X[:30], requires_grad=True)
        network(inputs).sum().backward()
        assert_array_equal(inputs.grad.numpy()[np.isnan(X[:30])], 0.0)
        assert inputs.grad.isfinite().all()
        for parameter in network.parameters():
            assert parameter.grad.isfinite().all()

    def test_columns_of_the_fit_are_those_of_explicit_indicators(self, monkeypatch):
        """A missing value is fitted as a column that tells of it, but less of it."""
        from sklearn_pscore._torch import shortcut_fit
        from sklearn_pscore._torch.losses.ranknet import PairwiseLogisticLoss
        from sklearn_pscore._torch.packing import PackedTarget
        from sklearn_pscore._torch.shortcut_fit import fit_shortcut
        from sklearn_pscore._torch.stacking import ScaledSample

        # One strength is of a feature and of its missing values together.
        monkeypatch.setattr(
            shortcut_fit,
            "strengths",
            lambda curves, *args: (np.ones(curves.shape[1]), None),
        )
        rng = np.random.default_rng(SEED)
        level = np.arange(60)[:, None] % 4
        X = rng.normal(size=(60, 3)) + level * [0.5, -0.5, 1.0]
        X = torch.tensor(X, dtype=torch.float32)
        missing = rng.random((60, 2)) < [0.2, 0.8] + level * [0.15, -0.15]
        missing = torch.tensor(missing, dtype=torch.float32)
        target = PackedTarget(
            level=torch.tensor(level[:, 0]),
            weight=torch.ones(60),
            sizes=torch.full((15,), 4),
            gain=torch.zeros(60),
            fold=torch.arange(15).repeat_interleave(4) % 2,
        )
        judged = torch.ones(60, dtype=torch.bool)
        told, shrunk = (Shortcut(2, 3, None, None, [0, 2]) for _ in range(2))
        sample = ScaledSample(X, target, judged, missing)
        fit_shortcut(shrunk, sample, PairwiseLogisticLoss())
        monkeypatch.setattr(shortcut_fit, "_MISSING_SIZE", 1.0)
        fit_shortcut(told, sample, PairwiseLogisticLoss())
        beside = Shortcut(2, 5, None, None)
        columns = torch.cat([X, missing], dim=1)
        fit_shortcut(
            beside, ScaledSample(columns, target, judged), PairwiseLogisticLoss()
        )
        expected = beside.weight.detach()[:, 0]
        assert torch.equal(told.weight.detach()[:, 0], expected[:, :3])
        assert torch.equal(told.missing_weight.detach(), expected[:, 3:])
        assert expected.abs().min() > 0
        assert (shrunk.missing_weight.abs() < told.missing_weight.abs()).all()

    def test_nothing_is_added_without_missing_values(self, data):
        network = quick().fit(*data).net_.module_
        assert network.shortcut.missing_weight is None
        assert not [name for name in network.state_dict() if "missing" in name]

    def test_the_worth_is_not_decayed(self):
        net = quick().fit(*planted(0)).net_
        free, decayed = net.optimizer_.param_groups
        worth = net.module_.shortcut.missing_weight
        assert any(parameter is worth for parameter in free["params"])
        assert free["weight_decay"] == 0 < decayed["weight_decay"]


class TestRanker:
    """Fits and scores of the ranker itself."""

    def test_tag(self):
        assert get_tags(PairwisePreferenceRanker()).input_tags.allow_nan

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"shortcut": "linear"},
            {"loss": "listnet"},
            {"loss": "lambdarank", "gain": "linear"},
            {"loss": "lambdarank", "k": 2},
            {"early_stopping": True, "max_epochs": 20},
            {"leave_out": False},
            {"batch_norm": True},
            {"input_clip": None},
            {"input_dropout": 0.2},
            {"group_weight": "equal", "sizes": ()},
            {"output_activation": "relu6", "max_epochs": 20},
        ],
        ids=str,
    )
    def test_what_a_missing_metric_is_worth_is_learnt(self, settings):
        X, groups = told_by_what_is_missing()
        ranker = quick(**settings).fit(X, groups)
        assert ranker.score(X, groups) > 0.95
        mean, std = ranker.predict(X, return_std=True)
        assert np.isfinite(mean).all()
        assert np.isfinite(std).all()

    @pytest.mark.parametrize("goes_on", [False, True])
    def test_partial_fit_learns_it_too(self, goes_on):
        X, groups = told_by_what_is_missing()
        ranker = quick(learning_rate_init=0.05)
        if goes_on:
            # The indicator is there, its weight starts anew.
            ranker.partial_fit(X, groups)
            ranker = pickle.loads(pickle.dumps(ranker))
        for _ in range(20):
            ranker.partial_fit(X, groups)
        assert ranker.score(X, groups) > 0.95

    def test_a_parquet_file(self, tmp_path):
        X, groups = told_by_what_is_missing(200)
        frame = pd.DataFrame(X, columns=["a", "b"])
        frame["g"], frame["p"] = groups["group"], groups["preference"]
        frame.to_parquet(tmp_path / "items.parquet")
        ranker = quick(max_epochs=20).fit_parquet(
            tmp_path / "items.parquet", group="g", preference="p", rows_at_a_time=400
        )
        assert ranker.score(frame[["a", "b"]], groups) > 0.95

    @pytest.mark.parametrize(
        "settings", [{"shortcut": None}, {"shortcut": None, "batch_norm": True}]
    )
    def test_without_a_shortcut_it_is_the_median(self, settings):
        X, groups = planted(0, worth=2.0)
        ranker = quick(**settings).fit(X, groups)
        filled = np.where(np.isnan(X), np.nanmedian(X, axis=0), X)
        assert_array_equal(ranker.predict(X), ranker.predict(filled))

    def test_missing_only_after_the_fit_is_the_median(self, data):
        X, groups = data
        X = X.copy()
        X[::7, 2] = NAN
        ranker = quick().fit(X, groups)
        assert ranker.net_.module_.shortcut.missing_features.tolist() == [2]
        lacking, filled = X.copy(), X.copy()
        lacking[::3, 0] = NAN
        filled[::3, 0] = np.median(X[:, 0])
        assert_array_equal(ranker.predict(lacking), ranker.predict(filled))

    @pytest.mark.parametrize("learn", ["partial_fit", "fit"])
    def test_missing_only_when_training_goes_on_is_the_median(self, data, learn):
        X, groups = data
        ranker = quick(warm_start=True).fit(X, groups)
        lacking, filled = X.copy(), X.copy()
        lacking[::3, 0] = NAN
        filled[::3, 0] = np.median(X[:, 0])
        other = deepcopy(ranker)
        getattr(ranker, learn)(lacking, groups)
        getattr(other, learn)(filled, groups)
        assert_array_equal(ranker.predict(lacking), other.predict(filled))

    @pytest.mark.parametrize("shortcut", ["additive", "linear", None])
    def test_a_metric_that_is_always_missing_is_worth_nothing(self, data, shortcut):
        X, groups = data
        X = np.column_stack([X, np.full(len(X), NAN)])
        ranker = quick(shortcut=shortcut).fit(X, groups)
        there = X.copy()
        there[:, 3] = np.linspace(-1e6, 1e6, len(X))
        assert_array_equal(ranker.predict(there), ranker.predict(X))
        constant = X.copy()
        constant[:, 3] = 5.0
        assert_array_equal(
            clone(ranker).fit(constant, groups).predict(X[:, [0, 1, 2, 2]]),
            ranker.predict(X[:, [0, 1, 2, 2]]),
        )

    @pytest.mark.parametrize("early_stopping", [False, True])
    def test_a_validation_set_lacks_other_metrics(self, data, early_stopping):
        X, groups = data
        lacking, filled = X.copy(), X.copy()
        lacking[::3, 0] = NAN
        filled[::3, 0] = np.median(X[:, 0])
        settings = {"early_stopping": early_stopping, "max_epochs": 8}
        rankers = [
            quick(**settings).fit(X, groups, X_val=X_val, y_val=groups)
            for X_val in (lacking, filled)
        ]
        losses = [ranker.history_["valid_loss"].tolist() for ranker in rankers]
        assert losses[0] == losses[1]
        assert_array_equal(rankers[0].predict(X), rankers[1].predict(X))

    def test_a_metric_that_a_whole_group_lacks(self, data):
        X, groups = data
        X = X.copy()
        X[groups["group"] < 10, 2] = NAN
        ranker = quick(max_epochs=20).fit(X, groups)
        # That says nothing of the order inside groups.
        weight = ranker.net_.module_.shortcut.missing_weight
        assert_array_equal(weight.detach().cpu(), 0.0)
        assert ranker.score(X, groups) > 0.95

    def test_rows_that_are_not_trained_on_do_not_count(self, data):
        X, groups = data
        unused = np.arange(len(X)) % 5 == 0
        fields = {name: groups[name] for name in ("group", "preference")}
        groups = Groups.from_arrays(
            **fields, weight=np.where(unused, 0.0, 1.0), donor=np.arange(150) % 10 == 1
        )
        X = X.copy()
        X[unused, 0] = NAN
        X[np.arange(150) % 10 == 1, 1] = NAN
        network = quick().fit(X, groups).net_.module_
        assert network.shortcut.missing_weight is None

    @pytest.mark.parametrize("loss", ["ranknet", "lambdarank", "listnet"])
    @pytest.mark.parametrize(
        ("worth", "settings"), [(-2.0, {}), (2.0, {}), (-2.0, {"shortcut": None})]
    )
    def test_constraints_hold_between_values_that_are_there(
        self, settings, loss, worth
    ):
        # Against the data, in which the first metric raises the preference.
        X, groups = planted(0, worth=worth)
        ranker = quick(
            monotonic_cst=[-1, 1, 0], loss=loss, learning_rate_init=0.05, **settings
        ).fit(X, groups)
        rng = np.random.default_rng(1)
        here = rng.normal(size=(500, 3)) * 10 ** rng.uniform(-1, 2, size=(500, 3))
        here[rng.random(here.shape) < 0.3] = NAN
        before = ranker.predict(here)
        for feature, sign in enumerate([-1, 1]):
            further = here.copy()
            further[:, feature] += 10 ** rng.uniform(-2, 3, size=500)
            assert (sign * (ranker.predict(further) - before)).min() >= -1e-9
        if "shortcut" not in settings:
            # A missing first metric is worth more than any value of it, or less.
            lacking, extreme = X.copy(), X.copy()
            lacking[:, 0], extreme[:, 0] = NAN, np.copysign(1e6, worth)
            gap = ranker.predict(lacking) - ranker.predict(extreme)
            assert (gap * worth < 0).all()

    def test_probabilities_and_ranks(self):
        X, groups = planted(0, worth=1.0)
        ranker = quick().fit(X, groups)
        score = ranker.predict(X)
        members = quick(n_members=1).fit(X, groups)
        proba = members.preference_proba(X[:10], X[10:20])
        margin = members.predict(X[:10]) - members.predict(X[10:20])
        assert_allclose(proba, 1 / (1 + np.exp(-margin)))
        first = groups["group"] == 0
        ranks = ranker.rank(X, groups)
        assert_array_equal(ranks[first], 1 + np.argsort(np.argsort(-score[first])))


class TestForms:
    """A missing value is the same however it is written."""

    X, GROUPS = planted(3, 15)
    X = np.round(10 * X)
    FRAME = pd.DataFrame(X, columns=["a", "b", "c"])
    ROWS = [[None if v != v else int(v) for v in row] for row in X]
    FORMS = {
        "C order": X.copy(order="C"),
        "Fortran order": np.asfortranarray(X),
        "reversed": X[::-1].copy()[::-1],
        "read-only": np.frombuffer(X.tobytes()).reshape(X.shape),
        "list with None": ROWS,
        "objects with None": np.array(ROWS, dtype=object),
        "DataFrame": FRAME,
        "Float64": FRAME.astype("Float64"),
        "Int64": FRAME.astype("Int64"),
        "objects": FRAME.astype(object),
        "frame with None": FRAME.astype(object).where(FRAME.notna(), None),
        "Arrow dtypes": FRAME.astype("Float64").convert_dtypes(dtype_backend="pyarrow"),
        "polars": pl.DataFrame(ROWS, schema=["a", "b", "c"], orient="row"),
        "Arrow": pa.Table.from_pandas(FRAME.astype("Int64")),
    }

    @pytest.mark.parametrize("form", FORMS)
    def test_scores_are_those_of_nan(self, form):
        table = self.FORMS[form]
        expected = quick().fit(self.X, self.GROUPS).predict(self.X)
        ranker = quick().fit(table, self.GROUPS)
        assert_array_equal(ranker.predict(table), expected)

    @pytest.mark.parametrize("kind", [csr_array, csr_matrix, csc_array])
    def test_a_sparse_table(self, kind):
        X = np.where(np.abs(self.X) > 5, self.X, 0.0)
        X[np.isnan(self.X)] = NAN
        ranker = quick().fit(kind(X), self.GROUPS)
        assert_array_equal(ranker.predict(kind(X)), ranker.predict(X))
        assert_array_equal(ranker.predict(X), quick().fit(X, self.GROUPS).predict(X))
        assert ranker.net_.module_.shortcut.missing_weight is not None

    def test_float32_and_float64_get_the_same_scores(self):
        X, groups = planted(0)
        X = X.astype(np.float32)
        ranker = quick().fit(X.astype(np.float64), groups)
        assert_array_equal(ranker.predict(X), ranker.predict(X.astype(np.float64)))

    def test_booleans(self):
        flags = [[None, True], [True, False], [False, None], [True, True]] * 15
        frame = pd.DataFrame(flags, columns=["a", "b"], dtype="boolean")
        ranker = quick().fit(frame, self.GROUPS[:60])
        as_floats = np.array(flags, dtype=float)
        assert_array_equal(
            ranker.predict(frame),
            quick().fit(as_floats, self.GROUPS[:60]).predict(as_floats),
        )

    def test_pandas_na_among_objects_is_refused_with_the_way_out(self):
        frame = self.FRAME.astype(object).where(self.FRAME.notna(), pd.NA)
        with pytest.raises(TypeError, match=r"X is '<NA>'.*with pandas\.to_numeric"):
            quick().fit(frame, self.GROUPS)
        quick().fit(frame.apply(pd.to_numeric), self.GROUPS)

    def test_masked_entries_are_refused(self):
        with pytest.raises(ValueError, match="masked entries, the first at row"):
            quick().fit(np.ma.masked_invalid(self.X), self.GROUPS)


class TestRefused:
    """Infinity stays an error, beside NaN too; so does NaN in a target."""

    @pytest.mark.parametrize("value", [np.inf, -np.inf])
    @pytest.mark.parametrize("beside", [0.0, NAN])
    @pytest.mark.parametrize(
        "method",
        ["fit", "partial_fit", "predict", "preference_proba", "rank", "score"],
    )
    def test_infinity(self, data, method, value, beside):
        X, groups = data
        ranker = quick().fit(X, groups)
        before, expected = dict(vars(ranker)), ranker.predict(X)
        infinite = X.copy()
        infinite[4, 0], infinite[7, 2] = beside, value
        arguments = {
            "predict": (infinite,),
            "preference_proba": (X, infinite),
        }.get(method, (infinite, groups))
        part = (
            f"X contains infinity: {value} at row 7, column 2; expected finite numbers. "
            "Drop the row, put NaN if the metric is missing there"
        )
        with pytest.raises(ValueError, match=re.escape(part)):
            getattr(ranker, method)(*arguments)
        assert vars(ranker) == before
        assert_array_equal(ranker.predict(X), expected)

    def test_infinity_in_a_frame_names_its_column(self, data):
        frame = pd.DataFrame(data[0], columns=["SSIM", "FID", "PSNR"])
        frame.loc[2, "FID"] = np.inf
        with pytest.raises(ValueError, match="inf at row 2, column 'FID';"):
            quick().fit(frame, data[1])

    @pytest.mark.parametrize("kind", [csr_array, csr_matrix, csc_array])
    def test_infinity_in_a_sparse_table(self, data, kind):
        X = np.where(np.abs(data[0]) > 1, data[0], 0.0)
        X[2, 0], X[9, 1] = NAN, -np.inf
        with pytest.raises(ValueError, match="infinity: -inf at row 9, column 1;"):
            quick().fit(kind(X), data[1])

    def test_sums_that_overflow_are_no_infinity(self, data):
        X, groups = data
        far = np.full((len(X), 1), np.float32(2.0**119))
        ranker = quick().fit(np.hstack([X.astype(np.float32), far]), groups)
        assert ranker.score(np.hstack([X.astype(np.float32), far]), groups) > 0.5

    @pytest.mark.parametrize("first", [NAN, 0.0])
    def test_numbers_that_the_network_cannot_scale(self, first):
        X = np.full((2000, 2), NAN)
        X[0], X[1900] = first, [1e300, 1.0]
        with pytest.raises(ValueError, match=r"X holds 1e\+300 in column 0; expected"):
            check_float32(X)
        X[1900] = [1e-320, 1.0]
        with pytest.raises(ValueError, match=r"above 1e-320 in size in column 0"):
            check_float32(X)
        X[1900] = [1.0, NAN]
        assert check_float32(X) is None

    def test_a_preference_that_is_missing(self):
        X, groups = linear_groups()
        plain = groups["preference"].copy()
        plain[3] = NAN
        part = (
            "Input groups contains NaN in 1 of 150 entries, the first at row 3; expected "
            "the preference of every row. Drop rows that nobody judged, from X too."
        )
        with pytest.raises(ValueError, match=re.escape(part)):
            quick().fit(X, plain)
        groups["preference"][[3, 8]] = NAN
        part = (
            "no preference (NaN) in 2 of 150 rows, the first at row 3; "
            "PairwisePreferenceRanker.fit needs every row judged. Keep X[judged] and "
            'groups[judged], with judged = ~np.isnan(groups["preference"]), or give the '
            "rest a weight of 0"
        )
        with pytest.raises(ValueError, match=re.escape(part)):
            quick().fit(X, groups)
        weight = np.where(np.isnan(groups["preference"]), 0.0, 1.0)
        fields = {name: groups[name] for name in ("group", "preference")}
        assert quick().fit(X, Groups.from_arrays(**fields, weight=weight)).n_pairs_


def paired_gains(worth, seeds):
    """Return accuracies on new groups less those behind an imputer, by seed."""
    gains = []
    for seed in seeds:
        training = planted(seed, worth=worth)
        test = planted(1000 + seed, 200, worth=worth)
        ours = quick(random_state=seed, max_epochs=10)
        imputed = make_pipeline(SimpleImputer(strategy="median"), clone(ours))
        gains.append(ours.fit(*training).score(*test))
        gains[-1] -= imputed.fit(*training).score(*test)
    return np.array(gains)


class TestAgainstAnImputer:
    """Beside SimpleImputer of medians in front of the same ranker, paired by seed."""

    def test_better_where_people_judge_by_what_is_missing(self):
        gains = paired_gains(worth=1.5, seeds=range(5))
        assert gains.mean() > 0.015
        assert gains.min() > 0

    def test_not_worse_where_it_is_missing_at_random(self):
        gains = paired_gains(worth=0.0, seeds=range(8))
        assert gains.mean() > -0.002
        assert gains.min() > -0.015


class TestAugmenter:
    """Means of stitched items are over what is there; test_stitching has the rest."""

    X = np.array([[1.0, NAN, NAN], [3.0, 4.0, NAN], [NAN, 8.0, NAN]])
    GROUPS = Groups.from_arrays(group=[0, 0, 0], preference=[2.0, 1.0, 0.0])

    def test_means_by_hand(self):
        enlarged, groups = PairAugmenter(stitch_sizes=(2, 3)).augment(
            self.X, self.GROUPS
        )
        assert_array_equal(enlarged[:3], self.X)
        stitched = [[2, 4, NAN], [1, 8, NAN], [3, 6, NAN], [2, 6, NAN]]
        assert_array_equal(enlarged[3:], stitched)
        assert groups["preference"][3:].tolist() == [2 - 2, 2 - 2, 1 - 2, 2 - 3]

    @pytest.mark.parametrize("with_clips", [False, True])
    def test_rows_of_an_item(self, with_clips):
        clips = {"clip": [0, 1, 0, 1]} if with_clips else {}
        groups = Groups.from_arrays(
            group=[0] * 4, item=[0, 0, 1, 1], preference=[1.0, 1.0, 0.0, 0.0], **clips
        )
        X = np.array([[0.1, NAN], [0.3, NAN], [NAN, 2.0], [0.9, NAN]])
        enlarged, _ = PairAugmenter(stitch_sizes=(2,)).augment(X, groups)
        assert_allclose(enlarged[:2], [[0.2, NAN], [0.9, 2.0]])
        stitched = [[(0.2 + 0.9) / 2, 2.0]]
        if with_clips:
            # Clip 0 of one item and clip 1 of the other.
            stitched = [[(0.1 + 0.9) / 2, NAN], [0.3, 2.0]]
        assert_allclose(enlarged[2:], stitched)

    def test_means_that_only_rounding_tells_apart_are_equal(self):
        groups = Groups.from_arrays(
            group=[0] * 4, item=[0, 0, 1, 2], preference=[2.0, 2.0, 1.0, 0.0]
        )
        X = np.array([[0.1, NAN], [0.2, 5.0], [0.15, NAN], [NAN, 1.0]])
        enlarged, _ = PairAugmenter(stitch_sizes=(2,)).augment(X, groups)
        assert enlarged[0, 0] == enlarged[1, 0] == 0.15

    def test_a_list_with_none(self):
        rows = [[None if v != v else v for v in row] for row in self.X.tolist()]
        augmenter = PairAugmenter(stitch_sizes=(2,))
        enlarged, _ = augmenter.augment(rows, self.GROUPS)
        assert_array_equal(enlarged, augmenter.augment(self.X, self.GROUPS)[0])
        transformed = augmenter.fit(rows, self.GROUPS).transform(rows)
        assert transformed.dtype == np.float64
        assert_array_equal(transformed, self.X)

    @pytest.mark.parametrize("kind", [np.asarray, pd.DataFrame, pl.DataFrame])
    def test_in_a_pipeline(self, kind):
        X, groups = told_by_what_is_missing()
        table = kind(X)
        model = make_pipeline(
            PairAugmenter(stitch_sizes=(2,), stitch_penalty=0.0), quick()
        )
        model.fit(table, groups)
        assert model[-1].n_pairs_ > quick().fit(X, groups).n_pairs_
        assert model.score(table, groups) > 0.95
        assert_array_equal(np.asarray(model[0].transform(table)), X)

    @pytest.mark.parametrize("method", ["fit", "fit_transform", "augment", "transform"])
    def test_infinity_is_refused(self, method):
        augmenter = PairAugmenter(stitch_sizes=(2,)).fit(self.X, self.GROUPS)
        infinite = np.where(self.X == 8, np.inf, self.X)
        arguments = (infinite,) if method == "transform" else (infinite, self.GROUPS)
        with pytest.raises(ValueError, match="infinity: inf at row 2, column 1;"):
            getattr(augmenter, method)(*arguments)

    def test_values_too_large_to_add_are_noticed_beside_nan(self):
        far = np.where(self.X == 8, -1e300, self.X)
        with pytest.raises(ValueError, match=r"X holds -1e\+300; expected at most"):
            PairAugmenter(stitch_sizes=(2,)).augment(far, self.GROUPS)

    def test_tag(self):
        assert get_tags(PairAugmenter()).input_tags.allow_nan
