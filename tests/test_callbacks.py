"""Callbacks of skorch: what they find, what they may ask the net, what is refused."""

import re

import numpy as np
import pytest
import torch
from cases import quick
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import make_scorer, mean_squared_error, r2_score
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    LRScheduler,
)

from sklearn_pscore import Groups
from sklearn_pscore.metrics import (
    kendall_tau_scorer,
    make_ranking_scorer,
    ndcg_score,
    ndcg_scorer,
    pairwise_accuracy_score,
    pairwise_accuracy_scorer,
)

RELU6 = {"output_activation": "relu6", "batch_norm": True, "shortcut": None}
SETTINGS = {
    "default": {},
    "held out": {"early_stopping": True},
    "norms": RELU6,
    "norms, held out": {**RELU6, "early_stopping": True, "input_dropout": 0.2},
    "lambdarank": {"loss": "lambdarank"},
}


class Keeper(Callback):
    """Keep what a function of (net, batch or None) returns; copies share the list."""

    def __init__(self, ask):
        self.ask = ask
        self.kept = []

    def __deepcopy__(self, memo):
        return self

    def on_train_begin(self, net, **kwargs):
        self.kept.append(self.ask(net, None))

    def on_batch_end(self, net, batch, **kwargs):
        self.kept.append(self.ask(net, batch))

    on_epoch_begin = on_epoch_end = on_train_end = on_train_begin


def weights_of(ranker):
    return ranker.net_.module_.state_dict()


class TestAskingForScores:
    @pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
    def test_changes_no_training(self, data, settings):
        X, groups = data

        def ask(net, batch):
            before = net.module_.training
            if batch is not None:
                net.predict(batch[0])
            scores = net.predict(X)
            of_members = net.predict_proba(X).mean(axis=1)
            # No bits: `predict` sums over units of all members in one product.
            assert_allclose(of_members, scores, rtol=1e-12, atol=1e-12)
            assert_array_equal(net.forward(X).numpy(), net.predict_proba(X))
            assert net.module_.training == before
            return scores

        keeper = Keeper(ask)
        asked = quick(callbacks=[keeper], **settings).fit(X, groups)
        plain = quick(**settings).fit(X, groups)
        assert len(keeper.kept) > 5
        assert all(np.ptp(scores) > 0 for scores in keeper.kept[1:])
        for name, weight in weights_of(plain).items():
            assert torch.equal(weight, weights_of(asked)[name])

    @pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
    @pytest.mark.parametrize("predict_dtype", ["float32", "float64"])
    def test_gives_those_of_the_ranker(self, data, settings, predict_dtype):
        X, groups = data
        ranker = quick(predict_dtype=predict_dtype, n_members=9, **settings)
        ranker.fit(X, groups)
        for same in (X, X.tolist(), torch.tensor(X), X[::-1][::-1]):
            assert_array_equal(ranker.net_.predict(same), ranker.predict(X))
        by_member = ranker.net_.forward(X)
        assert by_member.shape == (150, 9)
        assert_allclose(by_member.mean(axis=1), ranker.predict(X), rtol=1e-5, atol=1e-6)
        whole = np.round(X)
        of_whole = ranker.predict(whole)
        assert_array_equal(ranker.net_.predict(whole.astype(int)), of_whole)

    def test_of_more_rows_than_fit_a_chunk(self, data):
        ranker = quick().fit(*data)
        X = np.random.default_rng(1).normal(size=(20_001, 3))
        assert_array_equal(ranker.net_.predict(X), ranker.predict(X))
        assert len(list(ranker.net_.forward_iter(X))) == 3

    def test_in_training_mode_as_in_skorch(self, data):
        net = quick(dropout=0.5).fit(*data).net_
        first, second = (net.forward(data[0], training=True) for _ in range(2))
        assert first.requires_grad
        assert not torch.equal(first, second)
        assert not net.module_.training

    @pytest.mark.parametrize("shape", [(3,), (150, 2), (150, 1), (2, 3, 3)])
    def test_of_another_shape_is_refused(self, data, shape):
        net = quick().fit(*data).net_
        expected = f"X has shape {shape}; expected (n_rows, 3)"
        with pytest.raises(ValueError, match=re.escape(expected)):
            net.predict(np.ones(shape))


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_module_is_in_evaluation_mode_after_every_training(data, settings):
    ranker = quick(warm_start=True, **settings)
    X = torch.tensor(data[0])
    for method in ("fit", "partial_fit", "fit"):
        module = getattr(ranker, method)(*data).net_.module_
        assert not any(part.training for part in module.modules())
        assert torch.equal(module(X), module(X))
        expected = ranker.predict(data[0])
        scores = module(X).mean(dim=0).detach()
        assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)


class TestScoring:
    def test_sees_the_held_out_groups_in_packed_order(self, data):
        X, groups = data
        seen = []

        def score(net, X, y):
            seen.append((X, y, net.predict(X)))
            return pairwise_accuracy_score(y, net.predict(X))

        scoring = EpochScoring(score, lower_is_better=False)
        scorers = [pairwise_accuracy_scorer, kendall_tau_scorer]
        scorers += [make_ranking_scorer(ndcg_score, k=2)]
        named = [EpochScoring(scorer, lower_is_better=False) for scorer in scorers]
        ranker = quick(early_stopping=True, callbacks=[scoring, *named])
        history = ranker.fit(X, groups).net_.history
        assert len(seen) == len(history) == 5
        held_out, target, scores = seen[-1]
        assert len(held_out) == 6 * 5
        assert (np.diff(target["group"]) >= 0).all()
        for row, preference in zip(held_out, target["preference"], strict=True):
            (same,) = np.flatnonzero((row == X).all(axis=1))
            assert groups["preference"][same] == preference
        for label in np.unique(target["group"]):
            rows = held_out[target["group"] == label]
            labels = {groups["group"][(row == X).all(axis=1)][0] for row in rows}
            assert len(labels) == 1
        assert history[-1, "score"] == history[-1, "pairwise_accuracy_score"]
        assert history[-1, "score"] == pairwise_accuracy_score(target, scores)
        assert history[-1, "ndcg_score"] == ndcg_score(target, scores, k=2)
        assert "kendall_tau_score_best" in history[-1]

    def test_keeps_weights(self, data):
        X, groups = data
        weight = np.arange(150) % 7 + 1.0
        groups = Groups.from_arrays(
            group=groups["group"], preference=groups["preference"], weight=weight
        )
        weights = []

        def score(net, X, y):
            weights.append(y["weight"])
            return ndcg_scorer(net, X, y)

        quick(early_stopping=True, callbacks=[EpochScoring(score)]).fit(X, groups)
        assert set(weights[0]) == set(range(1, 8))

    @pytest.mark.parametrize("use_caching", [True, False])
    def test_of_the_training_set(self, data, use_caching):
        X, groups = data
        callback = EpochScoring(
            pairwise_accuracy_scorer,
            on_train=True,
            lower_is_better=False,
            use_caching=use_caching,
        )
        ranker = quick(callbacks=[callback], leave_out=False, shortcut=None)
        net = ranker.fit(X, groups).net_
        # Without a shortcut, the last epoch ends with what is fitted.
        assert net.history[-1, "pairwise_accuracy_score"] == ranker.score(X, groups)

    def test_stops_training(self, data):
        never_better = EarlyStopping("ndcg_score", patience=2, threshold=1e9)
        callbacks = [EpochScoring(ndcg_scorer), never_better]
        ranker = quick(early_stopping=True, max_epochs=20, callbacks=callbacks)
        assert len(ranker.fit(*data).history_["epoch"]) == 3

    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    def test_without_a_validation_set_it_warns(self, data, method):
        message = (
            "callbacks holds EpochScoring(make_ranking_scorer(ndcg_score)), which scores "
            f"the validation set, but PairwisePreferenceRanker.{method} has none: it "
            "records nothing. Pass one to fit as X_val and y_val, or set early_stopping"
        )
        ranker = quick(callbacks=[EpochScoring(ndcg_scorer)])
        with pytest.warns(UserWarning, match=re.escape(message)):
            getattr(ranker, method)(*data)
        assert "ndcg_score" not in ranker.net_.history[-1]

    def test_of_a_validation_set_of_ones_own(self, data):
        X, groups = data
        is_first = groups["group"] < 20
        ranker = quick(callbacks=[EpochScoring(ndcg_scorer)], scoring=ndcg_scorer)
        ranker.fit(
            X[is_first], groups[is_first], X_val=X[~is_first], y_val=groups[~is_first]
        )
        for epoch in ranker.net_.history:
            assert epoch["ndcg_score"] == epoch["valid_score"]

    def test_of_a_partial_fit(self, data):
        scoring = EpochScoring(ndcg_scorer, on_train=True)
        net = quick(callbacks=[scoring]).partial_fit(*data).net_
        assert 0 < net.history[-1, "ndcg_score"] <= 1

    @pytest.mark.parametrize(
        "scoring",
        ["r2", None, r2_score, make_scorer(mean_squared_error)],
        ids=["name", "none", "metric", "scorer"],
    )
    def test_without_groups_is_refused(self, data, scoring):
        with pytest.raises(
            ValueError, match="expected a scorer that takes .net, X, gr"
        ):
            quick(callbacks=[EpochScoring(scoring)], early_stopping=True).fit(*data)

    def test_by_a_scorer_of_scikit_learn_with_a_metric_of_groups(self, data):
        scoring = EpochScoring(make_scorer(ndcg_score), on_train=True)
        net = quick(callbacks=[scoring]).fit(*data).net_
        assert 0 < net.history[-1, "ndcg_score"] <= 1

    def test_of_batches_is_refused(self, data):
        with pytest.raises(ValueError, match="BatchScoring.*expected EpochScoring"):
            quick(callbacks=[BatchScoring(ndcg_scorer)]).fit(*data)


class Failing(Callback):
    """Raise an error in one of the methods of a callback."""

    def __init__(self, error, method):
        self.error = error
        self.method = method
        setattr(self, method, self._fail)

    def __deepcopy__(self, memo):
        return self

    def _fail(self, net, **kwargs):
        raise self.error


MONITORS = [
    EarlyStopping(),
    EarlyStopping,
    ("stop", EarlyStopping("valid_loss_best", lower_is_better=False)),
    Checkpoint(f_params=None, f_optimizer=None, f_criterion=None, f_history=None),
    LRScheduler("ReduceLROnPlateau", monitor="valid_loss"),
    LRScheduler(torch.optim.lr_scheduler.ReduceLROnPlateau, monitor="valid_loss"),
]


class TestErrors:
    @pytest.mark.parametrize(
        "kind", [FloatingPointError, ValueError, KeyError, KeyboardInterrupt]
    )
    @pytest.mark.parametrize(
        "method",
        [
            "on_train_begin",
            "on_batch_end",
            "on_grad_computed",
            "on_epoch_end",
            "on_train_end",
        ],
    )
    def test_of_the_user_stay_as_they_are(self, data, kind, method):
        error = kind("the user's own, about valid_users")
        ranker = quick(callbacks=[Failing(error, method)])
        with pytest.raises(kind) as caught:
            ranker.fit(*data)
        assert caught.value is error
        assert error.__cause__ is None
        assert not hasattr(error, "__notes__")
        assert not hasattr(ranker, "net_")

    @pytest.mark.parametrize("callback", MONITORS, ids=range(len(MONITORS)))
    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    def test_monitor_without_a_validation_set(self, data, callback, method):
        keeper = Keeper(lambda net, batch: None)
        ranker = quick(callbacks=[callback, keeper])
        ranker.set_params(early_stopping=method == "partial_fit")
        message = f"PairwisePreferenceRanker.{method} has no validation set"
        with pytest.raises(ValueError, match=message) as caught:
            getattr(ranker, method)(*data)
        assert "Pass one to fit as X_val and y_val" in str(caught.value)
        assert not keeper.kept
        ranker.set_params(early_stopping=True).fit(*data)
        assert "valid_loss" in ranker.history_

    def test_monitor_of_a_score_without_a_validation_set(self, data):
        scoring = EpochScoring(ndcg_scorer, lower_is_better=False)
        for monitor in ("ndcg_score", "ndcg_score_best"):
            stop = EarlyStopping(monitor, lower_is_better=False)
            with pytest.raises(ValueError, match=f"EarlyStopping.monitor='{monitor}'"):
                quick(callbacks=[scoring, stop]).fit(*data)
        scoring.set_params(on_train=True)
        quick(callbacks=[scoring, stop]).fit(*data)

    @pytest.mark.parametrize("kind", [EarlyStopping, Checkpoint, "plateau"])
    @pytest.mark.parametrize("early_stopping", [False, True])
    def test_monitor_that_nothing_records(self, data, kind, early_stopping):
        """Before work is done."""
        if kind == "plateau":
            callback = LRScheduler("ReduceLROnPlateau", monitor="foo")
        else:
            callback = kind(monitor="foo")
        callbacks = [callback, EpochScoring(ndcg_scorer, on_train=True, name="mine")]
        ranker = quick(callbacks=callbacks, early_stopping=early_stopping)
        with pytest.raises(
            ValueError, match=r"\(monitor='foo'\), which nothing"
        ) as caught:
            ranker.set_params(max_epochs=10**9).fit(*data)
        there = {"dur", "epoch", "mine", "train_loss"}
        there |= {"train_batch_count", "train_batch_size"}
        if early_stopping:
            there |= {"valid_loss", "valid_batch_count", "valid_batch_size"}
        there |= {event for event in [getattr(callback, "event_name", None)] if event}
        text = str(caught.value)
        assert f"PairwisePreferenceRanker.fit; expected one of {sorted(there)}." in text
        assert "An EpochScoring(scorer, name='foo') before it would record" in text

    @pytest.mark.parametrize(
        "callback",
        [
            EarlyStopping("foo"),
            Checkpoint(
                "foo", f_params=None, f_optimizer=None, f_criterion=None, f_history=None
            ),
            LRScheduler("ReduceLROnPlateau", monitor="foo"),
        ],
        ids=["stop", "checkpoint", "plateau"],
    )
    def test_monitor_that_is_not_there_yet(self, data, callback):
        """A callback of the user's own may record anything, at its place in the list."""

        class Recorder(Callback):
            def on_epoch_end(self, net, **kwargs):
                net.history.record("foo", 1.0)

        ranker = quick(callbacks=[callback, Recorder])
        message = (
            f"callbacks holds {type(callback).__name__}(monitor='foo'), which no callback "
            "before it records; expected one of ['dur', 'epoch', "
        )
        with pytest.raises(ValueError, match=re.escape(message)) as caught:
            ranker.fit(*data)
        assert "'batches'" not in str(caught.value)
        assert "Put it behind the callback that records 'foo'" in str(caught.value)
        assert not hasattr(ranker, "net_")
        ranker.set_params(callbacks=[Recorder, callback])
        assert ranker.fit(*data).net_.history[-1, "foo"] == 1.0

    def test_monitors_that_are_there(self, data):
        for monitor in (
            "train_loss",
            "train_loss_best",
            "dur",
            "event_lr",
            "mine_best",
        ):
            callbacks = [
                LRScheduler("StepLR", step_size=2),
                EpochScoring(ndcg_scorer, on_train=True, name="mine"),
                EarlyStopping(monitor, patience=9, lower_is_better=False),
            ]
            assert len(quick(callbacks=callbacks).fit(*data).history_["epoch"]) == 5

    def test_schedule_that_monitors_nothing(self, data):
        """Only a plateau reads `monitor`."""
        schedule = LRScheduler("StepLR", step_size=2, monitor="valid_loss")
        assert quick(callbacks=[schedule]).fit(*data).net_.history

    @pytest.mark.filterwarnings("ignore:callbacks holds EpochScoring")
    @pytest.mark.parametrize("key", ["valid_loss", "valid_loss_best", "ndcg_score"])
    def test_key_of_a_validation_set_is_explained(self, data, key):
        def ask(net, batch):
            return net.history and net.history[-1, key]

        callbacks = [EpochScoring(ndcg_scorer, lower_is_better=False), Keeper(ask)]
        ranker = quick(callbacks=callbacks)
        with pytest.raises(KeyError, match=key) as caught:
            ranker.fit(*data)
        assert "set early_stopping=True" in caught.value.__notes__[0]

    def test_key_of_anything_else_is_not(self, data):
        def ask(net, batch):
            return net.history[-1, "my_loss"]

        for early_stopping in (False, True):
            ranker = quick(callbacks=[Keeper(ask)], early_stopping=early_stopping)
            with pytest.raises((KeyError, IndexError)) as caught:
                ranker.fit(*data)
            assert not hasattr(caught.value, "__notes__")
