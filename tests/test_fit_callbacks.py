"""Callbacks of scikit-learn: each epoch is a task of ``fit``."""

import pickle
from copy import deepcopy

import joblib
import numpy as np
import pytest
import skops.io
import torch
from cases import quick
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EarlyStopping

from sklearn_pscore import SKOPS_TYPES, Groups, PairAugmenter
from sklearn_pscore.metrics import ndcg_scorer, pairwise_accuracy_scorer
from sklearn_pscore.model_selection import PreferenceGroupKFold

SETTINGS = {
    "default": {},
    "norms": {"output_activation": "relu6", "batch_norm": True, "shortcut": None},
    "linear": {"shortcut": "linear", "n_members": 1},
    "kept": {"leave_out": False, "dropout": 0.5},
    "lambdarank": {"loss": "lambdarank"},
}


class Recorder:
    """Keep the names of the hooks with their tasks, and what `ask` returns of each end.

    Parameters
    ----------
    ask : callable or None
        Takes the fitted estimator at the end of a task.
    stop_at : int or None
        Epoch to stop after.
    fail_at : str or None
        Hook to fail in.
    """

    def __init__(self, ask=None, stop_at=None, fail_at=None):
        self.ask = ask
        self.stop_at = stop_at
        self.fail_at = fail_at
        self.hooks, self.asked, self.passed = [], [], []

    def _note(self, hook, context):
        self.hooks.append((hook, context.task_name, context.task_id))
        if hook == self.fail_at:
            raise RuntimeError(f"failed at {hook}")

    def setup(self, estimator, context):
        self.max_subtasks = context.max_subtasks
        self._note("setup", context)

    def teardown(self, estimator, context):
        self._note("teardown", context)

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.passed.append((X, y))
        self._note("begin", context)

    def on_fit_task_end(
        self,
        estimator,
        context,
        *,
        X=None,
        y=None,
        metadata=None,
        fitted_estimator=None,
    ):
        self.passed.append((X, y))
        self._note("end", context)
        if self.ask is not None:
            self.asked.append(self.ask(fitted_estimator))
        return context.task_name == "epoch" and context.task_id + 1 == self.stop_at


class Propagated(Recorder):
    """A recorder that meta-estimators hand on."""

    max_propagation_depth = None


class Blind(Recorder):
    """A recorder that does not ask for the fitted estimator."""

    def on_fit_task_end(self, estimator, context):
        self._note("end", context)


def epochs(n_epochs):
    return [
        (hook, "epoch", number)
        for number in range(n_epochs)
        for hook in ("begin", "end")
    ]


def whole_fit(n_epochs):
    fit = [(hook, "fit", 0) for hook in ("setup", "begin", "end", "teardown")]
    return [*fit[:2], *epochs(n_epochs), *fit[2:]]


class TestHooks:
    def test_their_order(self, data):
        recorder = Recorder()
        ranker = quick().set_callbacks(recorder)
        assert ranker.fit(*data) is ranker
        assert recorder.hooks == whole_fit(5)
        assert recorder.max_subtasks == 5
        for X, y in recorder.passed:
            assert X is data[0]
            assert y is data[1]

    def test_epochs_of_auto(self, data):
        recorder = Recorder(stop_at=2)
        quick(max_epochs="auto").set_callbacks(recorder).fit(*data)
        assert recorder.max_subtasks == 300
        assert recorder.hooks == whole_fit(2)

    def test_a_callback_may_stop(self, data):
        recorder = Recorder(stop_at=3)
        ranker = quick(max_epochs=20).set_callbacks(recorder).fit(*data)
        assert recorder.hooks == whole_fit(3)
        assert len(ranker.history_["epoch"]) == 3

    def test_the_best_epoch_is_kept_when_one_stops(self, data):
        X, groups = data
        groups["preference"] = np.random.default_rng(2).normal(size=len(X))
        settings = {"early_stopping": True, "learning_rate": "constant"}
        ranker = quick(max_epochs=50, n_iter_no_change=50, **settings)
        ranker.set_callbacks(Recorder(stop_at=40)).fit(X, groups)
        losses = ranker.history_["valid_loss"]
        n_best = int(np.argmin(losses)) + 1
        assert n_best < len(losses) == 40
        shorter = quick(max_epochs=n_best, **settings).fit(X, groups)
        assert_array_equal(ranker.predict(X), shorter.predict(X))

    def test_epochs_end_where_others_stop(self, data):
        """Those of skorch, and early stopping."""
        stop = EarlyStopping("train_loss", patience=2, threshold=1e9)
        still = {"early_stopping": True, "n_iter_no_change": 2}
        for settings in ({"callbacks": [stop]}, {**still, "learning_rate_init": 1e-30}):
            recorder = Recorder()
            quick(**settings).set_callbacks(recorder).fit(*data)
            assert recorder.hooks == whole_fit(3)

    def test_partial_fit_has_no_tasks(self, data):
        recorder = Recorder()
        quick().set_callbacks(recorder).partial_fit(*data).partial_fit(*data)
        assert not recorder.hooks

    def test_one_fit_after_the_other(self, data):
        recorder = Recorder()
        ranker = quick(warm_start=True).set_callbacks(recorder).fit(*data).fit(*data)
        assert recorder.hooks == 2 * whole_fit(5)
        ranker.set_callbacks().fit(*data)
        assert len(recorder.hooks) == len(2 * whole_fit(5))


class TestFittedEstimator:
    @pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
    def test_is_that_of_a_fit_that_ended_there(self, data, settings):
        X, groups = data
        fixed = {"learning_rate": "constant", **settings}
        recorder = Recorder(ask=lambda fitted: fitted)
        ranker = quick(**fixed).set_callbacks(recorder).fit(X, groups)
        *of_epochs, at_end = recorder.asked
        for number, fitted in enumerate(of_epochs, start=1):
            shorter = quick(**fixed, max_epochs=number) if number < 5 else ranker
            if number < 5:
                shorter.fit(X, groups)
            # Of the epoch still, after all that came later.
            assert_array_equal(fitted.predict(X), shorter.predict(X))
            assert len(fitted.history_["epoch"]) == number
            counts = fitted.n_groups_, fitted.n_pairs_
            assert counts == (ranker.n_groups_, ranker.n_pairs_)
            for mean, std in zip(
                fitted.predict(X, return_std=True),
                shorter.predict(X, return_std=True),
                strict=True,
            ):
                assert_array_equal(mean, std)
        assert_array_equal(at_end.predict(X), ranker.predict(X))
        assert at_end is not ranker

    def test_where_a_fit_goes_on(self, data):
        X, groups = data
        ranker = quick(warm_start=True, learning_rate="constant").fit(X, groups)
        longer = deepcopy(ranker)
        recorder = Recorder(ask=lambda fitted: fitted)
        ranker.set_callbacks(recorder).fit(X, groups)
        for number, fitted in enumerate(recorder.asked[:-1], start=1):
            assert len(fitted.history_["epoch"]) == 5 + number
            shorter = deepcopy(longer).set_params(max_epochs=number).fit(X, groups)
            assert_array_equal(fitted.predict(X), shorter.predict(X))

    @pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
    def test_asking_changes_no_bit(self, data, settings):
        X, groups = data
        asked = quick(warm_start=True, **settings)
        plain = clone(asked)
        asked.set_callbacks(Recorder(ask=lambda fitted: fitted.predict(X)))
        for _ in range(2):
            asked.fit(X, groups)
            plain.fit(X, groups)
        weights = asked.net_.module_.state_dict()
        for name, weight in plain.net_.module_.state_dict().items():
            assert torch.equal(weight, weights[name])

    def test_monitor_of_scikit_learn(self, data):
        X, groups = data
        scoring = {"ndcg": ndcg_scorer, "accuracy": pairwise_accuracy_scorer}
        monitor = ScoringMonitor(scoring=scoring)
        ranker = quick(scoring=ndcg_scorer, shortcut=None, leave_out=False)
        ranker.set_callbacks(monitor).fit(X, groups, X_val=X, y_val=groups)
        rows = monitor.get_logs().data
        assert [row["task_name"] for row in rows] == ["fit"] + 5 * ["epoch"]
        of_epochs = [row["ndcg"] for row in rows[1:]]
        assert of_epochs == ranker.history_["valid_score"].tolist()
        assert rows[0]["accuracy"] == ranker.score(X, groups)


class TestMetaEstimators:
    def test_pipeline(self, data):
        recorder = Propagated()
        pipeline = make_pipeline(StandardScaler(), quick()).set_callbacks(recorder)
        pipeline.fit(*data)
        tasks = [task for hook, *task in recorder.hooks if hook == "begin"]
        assert tasks.count(["epoch", 4]) == 1
        assert len(tasks) == 1 + 1 + 1 + 5
        assert "_skl_callbacks" not in vars(pipeline[-1])
        assert "_parent_callback_ctx" not in vars(pipeline[-1])

    def test_pipeline_with_an_augmenter(self, data):
        X, groups = data
        recorder = Propagated(ask=lambda fitted: fitted)
        augmenter = PairAugmenter((2,), max_stitched=9, random_state=0)
        pipeline = make_pipeline(StandardScaler(), augmenter, quick())
        pipeline.set_callbacks(recorder).fit(X, groups)
        tasks = [task for hook, *task in recorder.hooks if hook == "begin"]
        assert len(tasks) == 1 + 1 + 1 + 1 + 5
        plain = clone(pipeline).set_callbacks().fit(X, groups)
        assert (
            pipeline[-1].n_pairs_
            == plain[-1].n_pairs_
            > quick().fit(X, groups).n_pairs_
        )
        assert_array_equal(pipeline.predict(X), plain.predict(X))
        assert "_skl_callbacks" not in vars(deepcopy(augmenter.set_callbacks(recorder)))

    def test_search(self, data):
        monitor = ScoringMonitor(scoring={"ndcg": ndcg_scorer})
        search = GridSearchCV(
            quick().set_callbacks(monitor),
            {"dropout": [0.0, 0.1]},
            cv=PreferenceGroupKFold(2),
            n_jobs=2,
        )
        with joblib.parallel_config("threading"):
            search.fit(*data)
        rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
        # Two candidates in two folds, and the refit.
        assert len(rows) == 5 * (2 * 2 + 1)
        assert all(0 < row["ndcg"] <= 1 for row in rows)
        saved = pickle.loads(pickle.dumps(search.best_estimator_))
        assert "_skl_callbacks" not in vars(saved)

    def test_progress_bar(self, data, capsys):
        """One bar for the Pipeline, one for the epochs."""
        pipeline = make_pipeline(StandardScaler(), quick())
        pipeline.set_callbacks(ProgressBar()).fit(*data)
        printed = capsys.readouterr().out
        assert "Pipeline - fit" in printed
        assert "PairwisePreferenceRanker - fit" in printed
        assert printed.count("100%") >= 2


class TestFiles:
    @pytest.mark.parametrize(
        "copy", [deepcopy, lambda r: pickle.loads(pickle.dumps(r))]
    )
    def test_hold_no_callbacks(self, data, copy):
        monitor = ScoringMonitor(scoring={"ndcg": ndcg_scorer})
        ranker = quick().set_callbacks(monitor, ProgressBar()).fit(*data)
        copied = copy(ranker)
        assert "_skl_callbacks" in vars(ranker)
        assert not [name for name in vars(copied) if "callback" in name[1:]]
        assert_array_equal(copied.predict(data[0]), ranker.predict(data[0]))
        assert b"Monitor" not in pickle.dumps(ranker)
        assert b"authkey" not in pickle.dumps(ranker)

    def test_of_skops_hold_none(self, data):
        monitor = ScoringMonitor(scoring={"ndcg": ndcg_scorer})
        ranker = quick(scoring=ndcg_scorer).set_callbacks(monitor)
        augmenter = PairAugmenter((2,), max_stitched=9, random_state=0)
        pipeline = make_pipeline(augmenter, ranker)
        pipeline.set_callbacks(ProgressBar()).fit(*data).set_callbacks()
        saved = skops.io.dumps(pipeline)
        assert set(skops.io.get_untrusted_types(data=saved)) <= set(SKOPS_TYPES)
        loaded = skops.io.loads(saved, trusted=SKOPS_TYPES)
        assert_array_equal(loaded.predict(data[0]), pipeline.predict(data[0]))
        assert "_skl_callbacks" in vars(ranker)
        assert "_skl_callbacks" not in vars(loaded[-1])

    def test_of_a_ranker_that_is_not_fitted_hold_them(self):
        """For the processes of a search."""
        ranker = quick().set_callbacks(Recorder(stop_at=2))
        copied = pickle.loads(pickle.dumps(ranker))
        assert copied._skl_callbacks[0].stop_at == 2

    def test_clones_share_them(self, data):
        recorder = Recorder()
        ranker = quick().set_callbacks(recorder).fit(*data)
        clone(ranker).fit(*data)
        assert recorder.hooks == 2 * whole_fit(5)


class TestErrors:
    @pytest.mark.parametrize("fail_at", ["setup", "begin", "end", "teardown"])
    def test_of_a_callback_leave_the_ranker_as_it_was(self, data, fail_at):
        recorder = Recorder(fail_at=fail_at)
        for ranker in (quick(), quick().fit(*data)):
            ranker.set_callbacks(recorder)
            before = dict(vars(ranker))
            with pytest.raises(RuntimeError, match=f"failed at {fail_at}"):
                ranker.fit(*data)
            assert vars(ranker) == before
            assert recorder.hooks[-1][0] == "teardown"

    def test_of_a_fit_are_followed_by_the_teardown(self, data):
        X, groups = data
        recorder = Recorder()
        ranker = quick(learning_rate_init=1e30, shortcut=None, max_epochs=50)
        ranker.set_callbacks(recorder)
        before = dict(vars(ranker))
        with pytest.raises(ValueError, match="became non-finite"):
            ranker.fit(X, groups)
        assert recorder.hooks[-1] == ("teardown", "fit", 0)
        assert vars(ranker) == before
        untouched = Recorder()
        with pytest.raises(ValueError, match="X_val is None but y_val was passed"):
            quick().set_callbacks(untouched).fit(X, groups, y_val=groups)
        assert not untouched.hooks

    def test_each_kind_has_its_own_place(self, data):
        message = "set_callbacks takes those of scikit-learn"
        with pytest.raises(TypeError, match=message):
            quick(callbacks=[Recorder()]).fit(*data)
        with pytest.raises(TypeError, match="FitCallback protocol"):
            quick().set_callbacks(EarlyStopping())


def test_they_cost_no_epoch_that_asks_for_nothing(data):
    """The fitted estimator is made only where a callback asks for it."""
    recorder = Blind()
    ranker = quick().set_callbacks(recorder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sklearn_pscore._rankers.training.copied_net", None)
        ranker.fit(*data)
    assert recorder.hooks == whole_fit(5)


def test_preferences_of_one_group(data):
    X, _ = data
    recorder = Recorder(ask=lambda fitted: fitted.n_pairs_)
    groups = Groups.from_arrays(group=np.zeros(len(X), int), preference=X[:, 0])
    quick(early_stopping=True).set_callbacks(recorder).fit(X, groups)
    assert set(recorder.asked) == {120 * 119 // 2}
