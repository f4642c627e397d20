"""The ranker: what it learns, what it refuses, and what it leaves alone."""

import cProfile
import pickle
import pstats
import re

import numpy as np
import pandas as pd
import pytest
import torch
from cases import quick
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from skorch.callbacks import (
    Callback,
    EarlyStopping,
    GradientNormClipping,
    LRScheduler,
)
from torch import nn

from sklearn_pscore import Groups, PairAugmenter, PairwisePreferenceRanker
from sklearn_pscore._torch.network import MemberBatchNorm, MemberLinear
from sklearn_pscore.metrics import ndcg_score

N_FEATURES = 3


def scores_of(ranker, data):
    return ranker.fit(*data).predict(data[0])


def weighted_by(groups, weight):
    """Return a target with other weights."""
    return Groups.from_arrays(
        group=groups["group"], preference=groups["preference"], weight=weight
    )


def graded(seed=0, n_groups=40, size=6, n_features=4, noise=0.3):
    """Groups of judged items, preferences 0, 1, 2, of a metric less half another."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_groups * size, n_features))
    truth = X[:, 0] - 0.5 * X[:, 1] + noise * rng.normal(size=len(X))
    levels = np.digitize(truth, [-0.7, 0.7]).astype(float)
    groups = Groups.from_arrays(group=np.arange(len(X)) // size, preference=levels)
    # Every group with something to compare.
    first = np.arange(0, len(X), size)
    groups["preference"][first] = 2.0 * (truth[first] > truth[first + 1])
    groups["preference"][first + 1] = 2.0 - groups["preference"][first]
    return X, groups


class TestLearning:
    @pytest.mark.parametrize(
        "parts",
        [
            {"sizes": (), "shortcut": None, "learning_rate_init": 0.1},
            {"sizes": (), "shortcut": "linear"},
            {"shortcut": "additive"},
        ],
        ids=["one layer", "linear shortcut", "additive shortcut"],
    )
    def test_noiseless_linear_order_is_learnt(self, data, parts):
        X, groups = data
        exact = {"input_clip": None, "input_dropout": 0.0, "weight_decay": 0.0}
        ranker = quick(**parts, **exact, max_epochs=40, batch_size=20)
        assert ranker.fit(X, groups).score(X, groups) > 0.98

    @pytest.mark.parametrize(
        "parts",
        [
            {"shortcut": "additive", "n_pieces": 16, "max_epochs": 2},
            {"shortcut": None, "sizes": (32,), "input_dropout": 0.0},
        ],
        ids=["shortcut", "layers"],
    )
    def test_curve_is_learnt(self, parts):
        rng = np.random.default_rng(1)
        X = rng.normal(size=(400, 1))
        groups = Groups.from_arrays(
            group=np.arange(400) // 8, preference=-(X[:, 0] ** 2)
        )
        fitted = quick(**{"max_epochs": 60, **parts}).fit(X, groups)
        assert fitted.score(X, groups) > 0.95

    def test_defaults_learn_an_interaction(self):
        rng = np.random.default_rng(1)
        X = rng.normal(size=(800, 2))
        groups = Groups.from_arrays(
            group=np.arange(800) // 8, preference=X[:, 0] * X[:, 1]
        )
        fitted = PairwisePreferenceRanker(random_state=0).fit(X[:600], groups[:600])
        assert fitted.score(X[600:], groups[600:]) > 0.8

    def test_random_preferences_teach_nothing(self):
        rng = np.random.default_rng(2)
        X = rng.normal(size=(1200, N_FEATURES))
        groups = Groups.from_arrays(
            group=np.arange(1200) // 5, preference=rng.normal(size=1200)
        )
        ranker = quick(max_epochs=10).fit(X[:600], groups[:600])
        assert 0.45 < ranker.score(X[600:], groups[600:]) < 0.55

    def test_counts_of_groups_and_pairs(self, data):
        X, groups = data
        groups["preference"][groups["group"] == 3] = 1.0
        ranker = quick().fit(X, groups)
        assert ranker.n_groups_ == 29
        assert ranker.n_pairs_ == 29 * 10

    def test_donor_rows_make_no_pair(self, data):
        X, groups = data
        donor = np.arange(len(X)) < 10
        marked = Groups.from_arrays(
            group=groups["group"], preference=groups["preference"], donor=donor
        )
        left_out = quick().fit(X[~donor], Groups.whole(groups[~donor]))
        assert_array_equal(quick().fit(X, marked).predict(X), left_out.predict(X))

    def test_zero_weight_is_as_good_as_absent(self, data):
        X, groups = data
        weight = (np.arange(len(X)) >= 10).astype(float)
        weighted = Groups.from_arrays(
            group=groups["group"], preference=groups["preference"], weight=weight
        )
        left_out = quick().fit(X[weight > 0], Groups.whole(groups[weight > 0]))
        assert_array_equal(quick().fit(X, weighted).predict(X), left_out.predict(X))

    def test_labels_of_groups_do_not_matter(self, data):
        X, groups = data
        named = Groups.from_arrays(
            group=[f"g{label:03d}" for label in groups["group"]],
            preference=groups["preference"],
        )
        assert_array_equal(scores_of(quick(), data), scores_of(quick(), (X, named)))

    def test_group_larger_than_batch_is_one_batch(self, data):
        X, _ = data
        ranker = quick(batch_size=10).fit(X, X[:, 0])
        assert ranker.net_.history[0, "train_batch_count"] == 1
        assert ranker.n_pairs_ == 150 * 149 // 2

    def test_batches_hold_whole_groups(self, data):
        ranker = quick(batch_size=12).fit(*data)
        assert ranker.net_.history[0, "batches", :, "train_batch_size"] == [10] * 15


class TestLosses:
    @pytest.mark.parametrize("shortcut", ["additive", "linear", None])
    @pytest.mark.parametrize("loss", ["ranknet", "lambdarank", "listnet"])
    def test_each_trains(self, loss, shortcut):
        X, groups = graded(noise=0.1)
        ranker = quick(loss=loss, shortcut=shortcut, max_epochs=20, batch_size=20)
        assert (
            ranker.set_params(learning_rate_init=0.05).fit(X, groups).score(X, groups)
            > 0.8
        )
        other = graded(1, noise=0.1)
        assert ranker.score(*other) > 0.8

    @pytest.mark.parametrize("k", [1, 3])
    @pytest.mark.parametrize("gain", ["rank", "linear", "exponential"])
    def test_lambdarank_depth_and_gain(self, k, gain):
        X, groups = graded()
        deep = quick(loss="lambdarank", gain=gain, shortcut=None).fit(X, groups)
        cut = clone(deep).set_params(k=k).fit(X, groups)
        assert deep.net_.criterion_.k is None
        assert cut.net_.criterion_.k == k
        assert not np.array_equal(cut.predict(X), deep.predict(X))

    def test_gain_is_only_of_lambdarank(self):
        X, groups = graded()
        for loss, is_used in {"ranknet": False, "lambdarank": True}.items():
            scores = [
                quick(loss=loss, gain=gain, shortcut=None).fit(X, groups).predict(X)
                for gain in ("linear", "exponential")
            ]
            assert np.array_equal(*scores) != is_used

    @pytest.mark.parametrize(
        ("gain", "change", "same"),
        [
            ("exponential", lambda p: p + 130.0, lambda p: p + 200.0),
            ("exponential", lambda p: p + 130.0, lambda p: p + 990.0),
            ("linear", lambda p: p, lambda p: p * 2.0**900),
            ("linear", lambda p: p, lambda p: p * 2.0**-900),
        ],
    )
    def test_gain_counts_relative_to_the_largest(self, gain, change, same):
        X, groups = graded()
        scores = []
        for of_size in (change, same):
            changed = groups.copy()
            changed["preference"] = of_size(groups["preference"])
            ranker = quick(loss="lambdarank", gain=gain).fit(X, changed)
            scores.append(ranker.predict(X))
        assert_array_equal(*scores)
        assert ranker.score(X, groups) > 0.7

    def test_exponential_gain_of_every_preference_that_metrics_take(self):
        X, groups = graded()
        groups["preference"] = X[:, 0] - X[:, 0].min()
        groups["preference"] *= 1000 / groups["preference"].max()
        ranker = quick(loss="lambdarank", gain="exponential").fit(X, groups)
        assert ndcg_score(groups, ranker.predict(X), gain="exponential") > 0.8

    @pytest.mark.parametrize("gain", ["linear", "exponential"])
    def test_gain_of_negative_preferences_is_refused(self, data, gain):
        X, groups = data
        row = int(np.flatnonzero(groups["preference"] < 0)[0])
        with pytest.raises(ValueError, match="preference") as ours:
            quick(loss="lambdarank", gain=gain).fit(X, groups)
        with pytest.raises(ValueError, match=f"at row {row}") as metrics:
            ndcg_score(groups, X[:, 0], gain=gain)
        expected = str(metrics.value).replace("ndcg_score", "")
        assert str(ours.value).replace("PairwisePreferenceRanker.fit", "") == expected
        quick(loss="lambdarank", gain="rank", max_epochs=1).fit(X, groups)
        quick(loss="ranknet", gain=gain, max_epochs=1).fit(X, groups)

    def test_listnet_of_winners_is_the_conditional_logit(self):
        rng = np.random.default_rng(0)
        n_groups, size, beta = 600, 4, np.array([1.0, -0.7, 0.3])
        X = rng.normal(size=(n_groups, size, 3))
        winner = (X @ beta + rng.gumbel(size=(n_groups, size))).argmax(axis=1)
        groups = Groups.from_winners(
            group=np.repeat(np.arange(n_groups), size),
            winner=(np.arange(size) == winner[:, None]).ravel(),
        )

        def minus_likelihood(weights):
            scores = X @ weights
            chosen = scores[np.arange(n_groups), winner]
            return (logsumexp(scores, axis=1) - chosen).mean()

        best = minimize(minus_likelihood, np.zeros(3))
        ranker = quick(
            (),
            loss="listnet",
            shortcut="linear",
            input_clip=None,
            learning_rate_init=1e-6,
            leave_out=False,
        ).fit(X.reshape(-1, 3), groups)
        scores = ranker.predict(X.reshape(-1, 3)).reshape(n_groups, size)
        chosen = scores[np.arange(n_groups), winner]
        likelihood = (logsumexp(scores, axis=1) - chosen).mean()
        # The penalty pulls the weights together a little.
        assert likelihood < best.fun + 0.01
        exact = (X @ best.x).ravel()
        assert np.corrcoef(exact, scores.ravel())[0, 1] > 0.99

    @pytest.mark.parametrize("loss", ["ranknet", "listnet"])
    def test_weight_counts(self, loss):
        """Judgements of no weight to speak of are not learnt, whatever the loss."""
        X, groups = graded(n_groups=60)
        wrong = groups["group"] >= 20
        preference = np.where(wrong, 2 - groups["preference"], groups["preference"])
        weight = np.where(wrong, 1e-3, 1.0)
        fields = {"group": groups["group"], "preference": preference}
        for weights, is_right in ((weight, True), (None, False)):
            mixed = Groups.from_arrays(**fields, weight=weights)
            ranker = quick(loss=loss, max_epochs=10).fit(X, mixed)
            assert (ranker.score(*graded(1)) > 0.7) == is_right


class TestNetwork:
    @pytest.fixture
    def of_the_paper(self):
        """The ranker that the docstring's Notes give as the paper's."""
        notes = PairwisePreferenceRanker.__doc__.split("Notes\n")[1]
        call = re.search(r"PairwisePreferenceRanker\(.*?\n        \)", notes, re.S)
        names = {"PairwisePreferenceRanker": PairwisePreferenceRanker}
        return eval(call.group(), names).set_params(random_state=0)

    def test_layers_of_the_paper(self, data, of_the_paper):
        module = of_the_paper.set_params(max_epochs=1).fit(*data).net_.module_
        assert module.n_members == 1
        assert module.shortcut is None
        layers = [*module.hidden, module.output, *module.bounded]
        assert [type(layer) for layer in layers] == [
            *[MemberLinear, MemberBatchNorm, nn.ReLU] * 2,
            *[MemberLinear, MemberBatchNorm, nn.ReLU6],
        ]
        assert [layer.weight.shape[1:] for layer in layers[::3]] == [
            (N_FEATURES, 64),
            (64, 32),
            (32, 1),
        ]
        norms = [layer.norm for layer in layers[1::3]]
        assert [type(norm) for norm in norms] == [nn.BatchNorm1d] * 3
        assert [norm.num_features for norm in norms] == [64, 32, 1]

    def test_the_paper_learns(self, data, of_the_paper):
        X, groups = data
        assert of_the_paper.fit(X, groups).score(X, groups) > 0.9
        assert of_the_paper.n_groups_ == 24

    def test_relu6_scores_stay_in_its_range(self, data, of_the_paper):
        ranker = of_the_paper.set_params(max_epochs=10).fit(*data)
        scores = ranker.predict(100 * data[0])
        assert scores.min() == 0.0
        assert scores.max() == 6.0

    def test_identity_ends_with_linear(self, data):
        module = quick(output_activation="identity").fit(*data).net_.module_
        assert module.bounded is None
        assert isinstance(module.output, MemberLinear)


class TestData:
    """What is done to X, and what is not."""

    def test_affine_maps_of_the_metrics_change_next_to_nothing(self, data):
        X, groups = data
        # Powers of two, so that only the shifts round.
        moved = X * [2.0**-20, 2.0**14, 8.0] + [3.0, -5e4, 0.1]
        scores = [scores_of(quick(), (metrics, groups)) for metrics in (X, moved)]
        assert_allclose(scores[1], scores[0], atol=1e-4 * np.abs(scores[0]).max())

    @pytest.mark.parametrize("loss", ["ranknet", "lambdarank", "listnet"])
    @pytest.mark.parametrize("factor", [2.0**60, 2.0**-80, 2.0**900, 1e18, 1e-23])
    def test_a_common_factor_of_the_weights_changes_nothing(self, data, loss, factor):
        X, groups = data
        weight = np.random.default_rng(0).uniform(0.1, 2.0, len(X))
        scores = []
        for weights in (weight, factor * weight):
            weighted = weighted_by(groups, weights)
            scores.append(scores_of(quick(loss=loss), (X, weighted)))
        if np.frexp(factor)[0] == 0.5:
            assert_array_equal(scores[1], scores[0])
        else:
            # A factor that is no power of two rounds some weights anew.
            assert_allclose(scores[1], scores[0], atol=1e-3)

    @pytest.mark.parametrize("loss", ["ranknet", "lambdarank", "listnet"])
    @pytest.mark.parametrize("is_augmented", [False, True])
    def test_rows_of_weight_zero_are_not_there(self, data, loss, is_augmented):
        X, groups = data
        kept = np.random.default_rng(1).random(len(X)) < 0.8
        groups["preference"][~kept] = np.nan
        groups = weighted_by(groups, kept)
        ranker = quick(loss=loss)
        if is_augmented:
            augmenter = PairAugmenter(stitch_sizes=(2,), n_injected=2, random_state=0)
            ranker = make_pipeline(augmenter, ranker)
        scores = scores_of(ranker, (X, groups))
        ranker.fit(X[kept], groups[kept])
        assert_array_equal(scores, ranker.predict(X))

    @pytest.mark.parametrize("weight", [1e18, 1e-23, 3.0])
    def test_equal_weights_are_as_none(self, data, weight):
        X, groups = data
        weighted = weighted_by(groups, np.full(len(X), weight))
        scores = scores_of(quick(), data)
        assert_array_equal(scores_of(quick(), (X, weighted)), scores)

    def test_weights_far_apart_count(self, data):
        X, groups = data
        # Half of the groups are ordered by feature 2 but weigh next to nothing.
        light = groups["group"] % 2 == 0
        groups["preference"][light] = X[light, 2]
        weighted = weighted_by(groups, np.where(light, 1e-12, 1.0))
        ranker = quick(max_epochs=20).fit(X, weighted)
        assert ranker.score(X[~light], weighted[~light]) > 0.95

    def test_one_outlier_moves_little(self, data):
        X, groups = data
        clean = quick().fit(X, groups)
        spoilt = X.copy()
        spoilt[3, 0] = 1e9
        ranker = quick().fit(spoilt, groups)
        others = np.arange(150) != 3
        scores = ranker.predict(spoilt)
        assert np.corrcoef(scores[others], clean.predict(X)[others])[0, 1] > 0.98
        assert np.abs(scores).max() < 3 * np.abs(clean.predict(X)).max()

    def test_constant_metrics_do_nothing(self, data):
        X, groups = data
        by_group = np.sin(groups["group"].astype(float))
        more = np.column_stack([X, np.full(150, 7.5), by_group])
        ranker = quick().fit(more, groups)
        assert np.isfinite(ranker.predict(more)).all()
        changed = more.copy()
        changed[:, 3:] += np.random.default_rng(0).normal(size=(150, 2))
        assert_array_equal(ranker.predict(changed), ranker.predict(more))

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_is_not_copied(self, data, dtype):
        X, groups = data
        X = np.ascontiguousarray(X.astype(dtype))
        tables = []

        class Tables(Callback):
            def on_train_begin(self, net, X, **kwargs):
                tables.extend(packed.table.numpy() for packed in X if packed)

        quick(max_epochs=1, callbacks=[Tables()]).fit(X, groups)
        quick(max_epochs=1, callbacks=[Tables()], early_stopping=True).fit(X, groups)
        assert len(tables) == 3
        assert all(np.shares_memory(table, X) for table in tables)
        assert {table.dtype for table in tables} == {np.dtype(dtype)}

    def test_is_left_as_it_was(self, data):
        X, groups = data
        before = X.copy(), groups.copy()
        quick().fit(X, groups).partial_fit(X, groups).predict(X)
        assert_array_equal(X, before[0])
        assert_array_equal(groups, before[1])

    def test_memory_map_that_nobody_may_write_to(self, data, tmp_path):
        X, groups = data
        np.save(tmp_path / "X.npy", X)
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        ranker = quick().fit(mapped, groups)
        assert_array_equal(ranker.predict(mapped), scores_of(quick(), data))

    def test_float32_gives_nearly_the_same(self, data):
        X, groups = data
        rough = scores_of(quick(), (X.astype(np.float32), groups))
        exact = scores_of(quick(), data)
        assert_allclose(rough, exact, atol=1e-3 * np.abs(exact).max())

    @pytest.mark.parametrize(
        "settings",
        [{}, {"sizes": (8, 4)}, {"shortcut": "linear"}, {"shortcut": None}],
        ids=str,
    )
    def test_scores_of_continuous_data_do_not_tie(self, data, settings):
        ranker = quick(**settings).fit(*data)
        rng = np.random.default_rng(1)
        new = rng.normal(size=(20_000, N_FEATURES)) * 3
        # So many rows are multiplied in float32, in which a unit alone may tie two.
        scores = ranker.predict(new)
        assert len(np.unique(scores)) > len(new) - 10
        ranker.set_params(predict_dtype="float64")
        assert len(np.unique(ranker.predict(new))) == len(new)
        few = np.concatenate([ranker.predict(part) for part in np.split(new, 4)])
        ranker.set_params(predict_dtype="auto")
        parts = np.concatenate([ranker.predict(part) for part in np.split(new, 4)])
        assert_array_equal(parts, few)

    def test_group_too_large_for_memory_is_split(self, data):
        X, _ = data
        preference = X[:, 0] - X[:, 1]
        ranker = quick(batch_size=40).partial_fit(X, preference)
        ranker.net_.max_batch_bytes = 1
        for _ in range(2):
            history = ranker.partial_fit(X, preference).net_.history
            sizes = history[-1, "batches", :, "train_batch_size"]
            assert sizes == [38, 38, 37, 37]
        assert ranker.n_pairs_ == 150 * 149 // 2

    @pytest.mark.parametrize("size", [2000, 4096, 5000])
    def test_shortcut_is_fitted_to_no_more_than_a_sample(self, size):
        """With so many features it is 4,096 rows: two groups, one, or a part of one."""
        X, groups = graded(n_groups=3, size=size, n_features=120)
        ranker = quick(max_epochs=1, shortcut="linear", learning_rate_init=1e-6)
        assert ranker.fit(X, groups).score(X, groups) > 0.7


class TestShortcutInTraining:
    def test_is_trained_where_it_is_not_fitted_first(self, data):
        ranker = quick().partial_fit(*data)
        assert float(ranker.net_.module_.shortcut.weight.detach().abs().max()) > 0


class TestPrediction:
    def test_float64_and_independent_of_other_rows(self, data):
        X, _ = data
        ranker = quick().fit(*data)
        scores = ranker.predict(X)
        assert scores.dtype == np.float64
        alone = np.concatenate([ranker.predict(row[None]) for row in X])
        assert_allclose(alone, scores, rtol=1e-12)

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_number_of_rows_does_not_matter(self, data, dtype):
        ranker = quick(predict_dtype=dtype).fit(*data)
        # Scored in several chunks together, and in one each.
        X = np.random.default_rng(0).normal(size=(20_000, N_FEATURES))
        parts = [ranker.predict(part) for part in np.split(X, 50)]
        tolerance = 1e-12 if dtype == "float64" else 1e-5
        scores = ranker.predict(X)
        size = np.abs(scores).max()
        assert_allclose(np.concatenate(parts), scores, rtol=0, atol=tolerance * size)

    def test_float32_is_near_float64(self, data):
        X, _ = data
        ranker = quick().fit(*data)
        exact = ranker.predict(X)
        rough = ranker.set_params(predict_dtype="float32").predict(X)
        assert not np.array_equal(exact, rough)
        assert_allclose(rough, exact, rtol=1e-4)

    def test_preference_proba_is_equation_one(self, data):
        X, _ = data
        ranker = quick(n_members=1).fit(*data)
        a, b = X[:10], X[10:20]
        proba = ranker.preference_proba(a, b)
        margin = ranker.predict(a) - ranker.predict(b)
        assert_allclose(proba, 1 / (1 + np.exp(-margin)), rtol=1e-12)
        assert_allclose(proba + ranker.preference_proba(b, a), 1.0, rtol=1e-12)

    def test_rank_orders_each_group_by_score(self, data):
        X, groups = data
        ranker = quick(output_activation="identity").fit(*data)
        unjudged = Groups.from_arrays(group=groups["group"])
        ranks = ranker.rank(X, unjudged)
        scores = ranker.predict(X)
        for label in range(30):
            rows = groups["group"] == label
            assert_array_equal(np.argsort(-scores[rows]), np.argsort(ranks[rows]))

    def test_frame_and_names(self, data):
        X, groups = data
        frame = pd.DataFrame(X, columns=["a", "b", "c"])
        ranker = quick().fit(frame, groups)
        assert ranker.feature_names_in_.tolist() == ["a", "b", "c"]
        assert_array_equal(ranker.predict(frame), quick().fit(X, groups).predict(X))


class TestReproducibility:
    def test_same_seed_same_bits(self, data):
        assert_array_equal(scores_of(quick(), data), scores_of(quick(), data))

    def test_other_seed_other_scores(self, data):
        other = scores_of(quick(random_state=1), data)
        assert not np.array_equal(scores_of(quick(), data), other)

    def test_global_generators_stay_untouched(self, data):
        torch.manual_seed(5)
        np.random.seed(5)  # noqa: NPY002
        expected = torch.rand(3), np.random.random(3)  # noqa: NPY002
        torch.manual_seed(5)
        np.random.seed(5)  # noqa: NPY002
        quick(early_stopping=True).fit(*data).predict(data[0])
        assert torch.equal(torch.rand(3), expected[0])
        assert_array_equal(np.random.random(3), expected[1])  # noqa: NPY002

    def test_pickle(self, data):
        ranker = quick(early_stopping=True).fit(*data)
        copy = pickle.loads(pickle.dumps(ranker))
        assert_array_equal(copy.predict(data[0]), ranker.predict(data[0]))

    def test_pickle_does_not_hold_the_training_data(self):
        X = np.random.default_rng(0).normal(size=(20_000, 10))
        groups = Groups.from_arrays(group=np.arange(20_000) // 10, preference=X[:, 0])
        ranker = quick(max_epochs=1, early_stopping=True).fit(X, groups)
        assert len(pickle.dumps(ranker)) < X.nbytes / 10

    @pytest.mark.parametrize(
        "changes",
        [{}, {"early_stopping": True}, {"callbacks": [LRScheduler()]}],
        ids=["plain", "early stopping", "callback"],
    )
    def test_fit_goes_on_after_pickling(self, data, changes):
        ranker = quick(warm_start=True, **changes).fit(*data)
        copy = pickle.loads(pickle.dumps(ranker))
        assert_array_equal(scores_of(copy, data), scores_of(ranker, data))


class _Rates(Callback):
    """Note the learning rates of every step, one for each group of parameters."""

    def on_batch_end(self, net, training, **kwargs):
        rates = [group["lr"] for group in net.optimizer_.param_groups]
        net.history.record_batch("rates", rates)


def steps_of(ranker):
    """Return the numbers of steps that the optimiser counts of the layers' weights."""
    optimizer = ranker.net_.optimizer_
    weights = optimizer.param_groups[-1]["params"]
    return {int(optimizer.state[weight]["step"]) for weight in weights}


class TestGoingOn:
    @pytest.mark.parametrize("output", ["identity", "relu6"])
    def test_partial_fit_is_one_epoch_of_fit(self, data, output):
        # Where fit starts with a shortcut, leaves out groups or lets the learning
        # rate fall, partial_fit does not.
        settings = {"shortcut": None, "leave_out": False, "learning_rate": "constant"}
        settings |= {"output_activation": output}
        once = quick(max_epochs=1, **settings).fit(*data).predict(data[0])
        partial = quick(**settings).partial_fit(*data)
        if output == "relu6":
            assert_array_equal(partial.predict(data[0]), once)
        else:
            # fit lets the scores average zero.
            offset = once - partial.predict(data[0])
            assert_allclose(offset, offset[0], rtol=1e-6)
        assert len(partial.partial_fit(*data).history_["epoch"]) == 2

    @pytest.mark.parametrize("shortcut", ["additive", "linear"])
    def test_partial_fit_trains_the_shortcut(self, data, shortcut):
        X, groups = data
        ranker = quick((), shortcut=shortcut, learning_rate_init=0.1)
        ranker.partial_fit(X, groups)
        first = ranker.net_.module_.shortcut.weight.detach().clone()
        for _ in range(10):
            ranker.partial_fit(X, groups)
        assert not torch.equal(ranker.net_.module_.shortcut.weight, first)
        assert ranker.score(X, groups) > 0.9

    def test_later_epochs_are_shuffled_anew(self, data):
        ranker = quick(
            batch_size=5,
            learning_rate_init=1e-30,
            weight_decay=0.0,
            dropout=0.0,
            input_dropout=0.0,
        )
        losses = [
            tuple(
                ranker.partial_fit(*data).net_.history[-1, "batches", :, "train_loss"]
            )
            for _ in range(2)
        ]
        # A group is a batch and the weights stand still: the same losses again.
        assert_allclose(sorted(losses[0]), sorted(losses[1]), rtol=1e-5)
        assert losses[0] != losses[1]

    def test_warm_start_goes_on(self, data):
        ranker = quick(warm_start=True).fit(*data)
        first = ranker.history_["train_loss"][-1]
        ranker.fit(*data)
        assert ranker.history_["epoch"].tolist() == list(range(1, 11))
        assert ranker.history_["train_loss"][-1] < first * 1.1

    @pytest.mark.parametrize("output_activation", ["identity", "relu6"])
    def test_warm_start_trains_the_shortcut_too(self, data, output_activation):
        ranker = quick(warm_start=True, output_activation=output_activation)
        before = ranker.fit(*data).net_.module_.shortcut.weight.detach().clone()
        after = ranker.fit(*data).net_.module_.shortcut.weight
        assert not torch.equal(after, before)

    def test_fit_starts_anew_without_warm_start(self, data):
        ranker = quick().fit(*data)
        expected = ranker.predict(data[0])
        assert_array_equal(scores_of(ranker, data), expected)
        assert len(ranker.history_["epoch"]) == 5

    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    @pytest.mark.parametrize("first", ["one_cycle", "constant"])
    def test_new_learning_rate_and_decay_are_used(self, data, first, method):
        ranker = quick(warm_start=True, learning_rate=first).fit(*data)
        ranker.set_params(learning_rate_init=1e-12, learning_rate="constant")
        getattr(ranker.set_params(weight_decay=0.7), method)(*data)
        groups = ranker.net_.optimizer_.param_groups
        assert {group["lr"] for group in groups} == {1e-12}
        assert [group["weight_decay"] for group in groups] == [0.0, 0.7]

    def test_new_learning_rate_is_the_top_of_one_cycle(self, data):
        ranker = quick(warm_start=True, max_epochs=1, callbacks=[_Rates()]).fit(*data)
        ranker.set_params(learning_rate_init=0.5, max_epochs=100).fit(*data)
        rates = ranker.net_.history[1:, "batches", :, "rates"]
        assert_allclose(np.max(rates, axis=(0, 1)), 0.5, rtol=1e-2)

    @pytest.mark.parametrize(
        ("name", "value", "trained"),
        [
            ("hidden_layer_sizes", (9,), (8,)),
            ("shortcut", None, "additive"),
            ("n_pieces", 3, 10),
            ("output_activation", "relu6", "identity"),
            ("batch_norm", True, False),
            ("dropout", 0.5, 0.1),
            ("input_dropout", 0.2, 0.0),
            ("input_clip", None, 4.0),
            ("monotonic_cst", [1, 0, 0], None),
            ("n_members", 3, 2),
        ],
    )
    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    def test_another_network_is_refused(self, data, name, value, trained, method):
        ranker = quick(warm_start=True).fit(*data).set_params(**{name: value})
        message = f"{name}={value!r} but the fitted network has {trained!r}"
        with pytest.raises(ValueError, match=re.escape(message)):
            getattr(ranker, method)(*data)

    def test_the_same_network_said_otherwise_is_not_refused(self, data):
        X, groups = data
        frame = pd.DataFrame(X, columns=["a", "b", "c"])
        settings = {"shortcut": "linear", "monotonic_cst": {"a": 1}}
        ranker = quick((8,), warm_start=True, **settings).fit(frame, groups)
        ranker.set_params(hidden_layer_sizes=[8], monotonic_cst=np.array([1, 0, 0]))
        ranker.set_params(n_pieces=3).fit(frame, groups)
        assert len(ranker.history_["epoch"]) == 10

    def test_new_loss_is_used(self, data):
        ranker = quick(warm_start=True).fit(*data).set_params(loss="listnet")
        criterion = ranker.fit(*data).net_.criterion_
        assert type(criterion).__name__ == "TopOneLoss"
        ranker.set_params(loss="lambdarank", k=2).partial_fit(*data)
        assert ranker.net_.criterion_.k == 2
        assert ranker.set_params(k=3).partial_fit(*data).net_.criterion_.k == 3

    def test_new_loss_leaves_the_optimiser_as_it_was(self, data):
        ranker = quick(max_epochs=1).partial_fit(*data)
        (n_before,) = steps_of(ranker)
        ranker.set_params(loss="listnet").partial_fit(*data)
        assert steps_of(ranker) == {2 * n_before}

    def test_later_calls_do_no_more_than_earlier_ones(self, data):
        ranker = quick(batch_size=20, callbacks=[_Rates()])

        def n_calls():
            profile = cProfile.Profile()
            profile.runcall(ranker.partial_fit, *data)
            return pstats.Stats(profile).total_calls

        for _ in range(3):
            ranker.partial_fit(*data)
        early = n_calls()
        for _ in range(20):
            ranker.partial_fit(*data)
        assert n_calls() == early

    def test_the_net_of_before_stays_as_it_was(self, data):
        ranker = quick().partial_fit(*data)
        net = ranker.net_
        weights = {name: w.clone() for name, w in net.module_.state_dict().items()}
        steps = steps_of(ranker)
        ranker.partial_fit(*data)
        assert len(net.history) == 1
        after = net.module_.state_dict()
        assert all(torch.equal(after[name], weights[name]) for name in weights)
        assert {int(s["step"]) for s in net.optimizer_.state.values()} == steps
        assert net.callbacks_ is not ranker.net_.callbacks_

    def test_new_callbacks_and_device_are_used(self, data):
        ranker = quick().fit(*data).set_params(callbacks=[_Rates()], device="cpu:0")
        net = ranker.partial_fit(*data).net_
        assert_allclose(net.history[-1, "batches", :, "rates"], 0.01)
        assert net.device == "cpu:0"

    def test_partial_fit_with_other_features_is_refused(self, data):
        X, groups = data
        ranker = quick().partial_fit(X, groups)
        with pytest.raises(ValueError, match="X has 2 features, but .* expecting 3"):
            ranker.partial_fit(X[:, :2], groups)


class _Last(Callback):
    """The weights of the last layer as a callback finds them at the end."""

    def on_train_end(self, net, **kwargs):
        self.weight_ = net.module_.output.weight.detach().clone()


class _Epochs(Callback):
    """Count the epochs that end."""

    def initialize(self):
        self.n_epochs_ = 0
        return self

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs_ += 1


class TestEarlyStopping:
    def test_groups_are_held_out(self, data):
        ranker = quick(early_stopping=True, validation_fraction=0.2).fit(*data)
        assert ranker.n_groups_ == 24
        assert "valid_loss" in ranker.history_

    def test_items_are_held_out_where_there_is_one_group(self, data):
        X, _ = data
        ranker = quick(early_stopping=True, validation_fraction=0.2).fit(X, X[:, 0])
        assert ranker.n_pairs_ == 120 * 119 // 2

    def test_best_epoch_is_kept(self, data):
        X, groups = data
        groups["preference"] = np.random.default_rng(2).normal(size=len(X))
        ranker = quick(
            early_stopping=True,
            n_iter_no_change=3,
            learning_rate="constant",
            max_epochs=50,
        ).fit(X, groups)
        losses = ranker.history_["valid_loss"]
        assert len(losses) < ranker.max_epochs
        n_best = int(np.argmin(losses)) + 1
        assert n_best == len(losses) - 3
        up_to_best = clone(ranker).set_params(max_epochs=n_best).fit(X, groups)
        assert_array_equal(ranker.predict(X), up_to_best.predict(X))

    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    def test_partial_fit_holds_nothing_out(self, data, method):
        ranker = getattr(quick(early_stopping=True), method)(*data)
        ranker.partial_fit(*data)
        assert ranker.n_groups_ == 30
        assert np.isnan(ranker.history_.get("valid_loss", [np.nan])[-1])

    def test_is_switched_off_and_on_between_fits(self, data):
        ranker = quick(warm_start=True, n_iter_no_change=2, learning_rate_init=1e-30)
        lengths = []
        for early_stopping in (True, False, True):
            ranker.set_params(early_stopping=early_stopping, max_epochs=4).fit(*data)
            lengths.append(len(ranker.history_["epoch"]))
        # What does not move is best in the first epoch, and stops two later.
        assert np.diff([0, *lengths]).tolist() == [3, 4, 3]
        has_loss = (~np.isnan(ranker.history_["valid_loss"])).tolist()
        assert has_loss == [True] * 3 + [False] * 4 + [True] * 3

    def test_nothing_of_it_stays_in_the_net(self, data):
        net = quick(early_stopping=True).fit(*data).net_
        plain = quick().fit(*data).net_
        assert [name for name, _ in net.callbacks_] == [
            name for name, _ in plain.callbacks_
        ]
        assert not any(isinstance(c, EarlyStopping) for _, c in net.callbacks_)

    def test_new_patience_is_used(self, data):
        ranker = quick(early_stopping=True, warm_start=True, learning_rate_init=1e-30)
        ranker.set_params(n_iter_no_change=2, max_epochs=9).fit(*data)
        ranker.set_params(n_iter_no_change=5).fit(*data)
        assert len(ranker.history_["epoch"]) == 3 + 6

    def test_callbacks_see_the_best_epoch_at_the_end(self, data):
        X, groups = data
        groups["preference"] = np.random.default_rng(2).normal(size=len(X))
        ranker = quick(early_stopping=True, n_iter_no_change=3, callbacks=[_Last()])
        net = ranker.set_params(max_epochs=50).fit(X, groups).net_
        assert len(net.history) < 50
        last = dict(net.callbacks_)["_Last"].weight_
        # From there to the end, only the bias moves.
        assert torch.equal(last, net.module_.output.weight)

    def test_callbacks_see_every_epoch(self, data):
        net = (
            quick(
                early_stopping=True,
                n_iter_no_change=2,
                learning_rate_init=1e-30,
                callbacks=[_Rates(), _Epochs()],
            )
            .fit(*data)
            .net_
        )
        assert dict(net.callbacks_)["_Epochs"].n_epochs_ == len(net.history) == 3

    def test_together_with_that_of_skorch(self, data):
        stop = EarlyStopping("train_loss", patience=2, threshold=1e9)
        ranker = quick(early_stopping=True, callbacks=[stop], max_epochs=20).fit(*data)
        assert len(ranker.history_["epoch"]) == 3

    def test_says_when_it_stops(self, data, capsys):
        still = {"n_iter_no_change": 2, "learning_rate_init": 1e-30}
        quick(early_stopping=True, verbose=1, **still).fit(*data)
        last = capsys.readouterr().err.splitlines()[-1]
        assert last == (
            "[PairwisePreferenceRanker] stopped, for valid_loss has not improved in the "
            "last 2 epochs; kept epoch 1"
        )

    def test_too_few_items_are_refused(self):
        with pytest.raises(ValueError, match="cannot hold out 2 of the 3 items"):
            quick(early_stopping=True).fit(np.eye(3), [1.0, 2.0, 3.0])

    def test_synthetic_items_of_held_out_parents_are_not_trained_on(self, data):
        X = data[0][:10]
        groups = Groups.from_arrays(group=np.zeros(10, int), preference=X[:, 0])
        augmenter = PairAugmenter((2,), max_stitched=None, stitch_penalty=0.1)
        ranker = quick(early_stopping=True, validation_fraction=0.2)
        ranker.fit(augmenter.fit_transform(X, groups), groups)
        # Eight items and the 28 stitched of them; r - 1 of these tie at the
        # preference of the r-th item from below.
        ties = sum(r * (r - 1) // 2 for r in range(1, 8))
        assert ranker.n_pairs_ == 36 * 35 // 2 - ties

    def test_a_failed_fit_does_not_warn_of_lost_items_too(self, data, recwarn):
        X, groups = data
        carrying = PairAugmenter((2,), random_state=0).fit_transform(X, groups)
        with pytest.raises(ValueError, match="max_epochs"):
            quick(max_epochs=0).fit(carrying, groups)
        del carrying
        assert len(recwarn) == 0


class TestCallbacks:
    def test_skorch_callbacks_are_called(self, data):
        # A gradient of no size moves nothing, and nothing decays.
        clipping = GradientNormClipping(1e-20)
        still = {"callbacks": [("clip", clipping)], "weight_decay": 0.0}
        short = quick(max_epochs=1, **still).fit(*data)
        long = quick(max_epochs=4, **still).fit(*data)
        for name in ("hidden.0.weight", "hidden.0.bias"):
            weight = [r.net_.module_.get_parameter(name) for r in (short, long)]
            assert torch.equal(*weight)

    @pytest.mark.parametrize("learning_rate", ["one_cycle", "constant"])
    def test_schedule_of_skorch_is_followed(self, data, learning_rate):
        schedule = LRScheduler(policy="StepLR", step_size=1, gamma=0.5)
        ranker = quick(
            callbacks=[("schedule", schedule)],
            learning_rate_init=0.08,
            learning_rate=learning_rate,
        ).fit(*data)
        rates = [group["lr"] for group in ranker.net_.optimizer_.param_groups]
        assert_allclose(rates, 0.08 / 2**5)

    def test_schedule_of_skorch_that_comes_later(self, data):
        ranker = quick(warm_start=True, learning_rate="constant").fit(*data)
        schedule = LRScheduler(policy="LambdaLR", lr_lambda=_one_over)
        ranker.set_params(callbacks=[schedule], learning_rate_init=0.1).fit(*data)
        rate = ranker.net_.optimizer_.param_groups[0]["lr"]
        # Ten epochs are done.
        assert_allclose(rate, 0.1 / 11)

    def test_early_stopping_of_skorch_ends_quietly(self, data):
        stop = EarlyStopping("train_loss", patience=2, threshold=1e9)
        before = vars(stop).copy()
        ranker = quick(callbacks=[stop], max_epochs=20).fit(*data)
        assert len(ranker.history_["epoch"]) < 20
        assert vars(stop) == before

    def test_anything_else_is_refused(self, data):
        with pytest.raises(TypeError, match="callbacks holds 'lr' of type str"):
            quick(callbacks=["lr"]).fit(*data)


def _one_over(epoch):
    return 1 / (1 + epoch)


class _Interrupt(Callback):
    def on_epoch_end(self, net, **kwargs):
        if len(net.history) > 7:
            raise KeyboardInterrupt


class TestFailures:
    """What is refused, and that the estimator is then as it was."""

    @staticmethod
    def assert_unchanged(ranker, call, data, error, message):
        before = dict(vars(ranker))
        expected = ranker.predict(data[0])
        with pytest.raises(error, match=message):
            call()
        assert vars(ranker).keys() == before.keys()
        assert all(vars(ranker)[name] is before[name] for name in before)
        assert_array_equal(ranker.predict(data[0]), expected)

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            pytest.param(
                lambda X, g: (np.where(X > 2, np.inf, X), g),
                ValueError,
                r"X contains infinity: inf at row \d+, column \d; expected finite",
                id="infinity in X",
            ),
            pytest.param(
                lambda X, g: (X, weighted_by(g, np.where(X[:, 0] > 1, 3.0, 2.9e-12))),
                ValueError,
                re.escape(
                    "weight is 2.9e-12 in one row and 3 in another; expected weights "
                    "whose largest is at most 1e+12 times the smallest above 0"
                ),
                id="weights too far apart",
            ),
            pytest.param(
                lambda X, g: (X * 1e300, g),
                ValueError,
                "the largest float32",
                id="too large for float32",
            ),
            pytest.param(
                lambda X, g: (X[:7], g),
                ValueError,
                "groups has 150 entries but X has 7 rows",
                id="lengths",
            ),
            pytest.param(
                lambda X, g: (X, Groups.from_arrays(group=g["group"])),
                ValueError,
                r"no preference \(NaN\) in 150 of 150 rows",
                id="not judged",
            ),
            pytest.param(
                lambda X, g: (X, np.zeros(len(X))),
                ValueError,
                "No comparable pairs: all preferences are equal",
                id="all ties",
            ),
            pytest.param(
                lambda X, g: (
                    X,
                    Groups.from_arrays(group=range(150), preference=range(150)),
                ),
                ValueError,
                "150 items in 150 groups, every group has a single item",
                id="groups of one",
            ),
            pytest.param(
                lambda X, g: (X, g.tolist()),
                TypeError,
                "list of 150 tuple values",
                id="list of tuples",
            ),
            pytest.param(
                lambda X, g: (X, np.zeros((150, 2))),
                TypeError,
                re.escape("ndarray of shape (150, 2)"),
                id="two columns",
            ),
            pytest.param(
                lambda X, g: (X[:1], g[:1]), ValueError, "1 sample", id="one row"
            ),
        ],
    )
    def test_bad_data(self, data, change, error, message):
        ranker = quick().fit(*data)
        X, groups = change(*data)
        for method in (ranker.fit, ranker.partial_fit):
            self.assert_unchanged(
                ranker, lambda m=method: m(X, groups), data, error, message
            )

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"batch_size": 1}, "'batch_size' parameter .* Got 1 instead"),
            ({"output_activation": "relu"}, "'output_activation' parameter"),
            ({"max_epochs": 0}, "'max_epochs' parameter"),
            ({"validation_fraction": 1.0}, "'validation_fraction' parameter"),
            ({"hidden_layer_sizes": (4, 0)}, "hidden_layer_sizes holds 0"),
            ({"device": "abacus"}, "device='abacus' cannot be used"),
        ],
    )
    def test_bad_parameters(self, data, change, message):
        ranker = quick().fit(*data).set_params(**change)
        X, groups = data
        self.assert_unchanged(
            ranker, lambda: ranker.fit(X, groups), data, ValueError, message
        )

    def test_scores_that_become_non_finite(self, data):
        ranker = quick().fit(*data)
        ranker.set_params(
            learning_rate_init=1e30, output_activation="identity", max_epochs=20
        )
        self.assert_unchanged(
            ranker,
            lambda: ranker.fit(*data),
            data,
            ValueError,
            re.escape("learning_rate_init=1e+30 and weight_decay=0.1; expected finite"),
        )

    @pytest.mark.parametrize("parameter", ["learning_rate_init", "weight_decay"])
    def test_weights_that_the_last_step_makes_non_finite(self, data, parameter):
        ranker = quick().fit(*data)
        ranker.set_params(**{parameter: 2.0**100, "max_epochs": 1})
        message = f"{parameter}={2.0**100}"
        self.assert_unchanged(
            ranker, lambda: ranker.fit(*data), data, ValueError, re.escape(message)
        )

    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    def test_history_after_a_failure(self, data, method):
        ranker = quick(warm_start=True, max_epochs=7).fit(*data)
        history = [dict(epoch) for epoch in ranker.net_.history]
        ranker.set_params(callbacks=[_Interrupt()])
        with pytest.raises(KeyboardInterrupt):
            getattr(ranker, method)(*data)
        assert ranker.net_.history == history
        assert len(ranker.history_["epoch"]) == 7

    @pytest.mark.parametrize("warm_start", [False, True])
    def test_ctrl_c(self, data, warm_start):
        ranker = quick(warm_start=warm_start, max_epochs=7).fit(*data)
        ranker.set_params(callbacks=[_Interrupt()], max_epochs=9)
        self.assert_unchanged(
            ranker, lambda: ranker.fit(*data), data, KeyboardInterrupt, None
        )

    def test_plain_array_given_to_rank(self, data):
        X, groups = data
        ranker = quick().fit(*data)
        with pytest.raises(TypeError, match="rank takes groups as a structured array"):
            ranker.rank(X, groups["group"])

    def test_wrong_features_at_predict(self, data):
        X, groups = data
        ranker = quick().fit(pd.DataFrame(X, columns=["a", "b", "c"]), groups)
        with pytest.raises(ValueError, match="feature names should match"):
            ranker.predict(pd.DataFrame(X, columns=["a", "b", "d"]))
        with pytest.raises(ValueError, match="X has 2 features, but .* expecting 3"):
            quick().fit(X, groups).predict(X[:, :2])

    def test_lengths_of_preference_proba(self, data):
        X, _ = data
        ranker = quick().fit(*data)
        with pytest.raises(ValueError, match="X_a has 3 rows but X_b has 4"):
            ranker.preference_proba(X[:3], X[:4])

    def test_group_ids_passed_as_target(self):
        X = np.random.default_rng(0).normal(size=(40, 2))
        with pytest.warns(UserWarning, match=re.escape("Groups.from_arrays(group=y")):
            quick().fit(X, np.repeat(np.arange(8), 5))
