"""What a fitted ranker is saved as, and the net that is made of it."""

import copy
import io
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
import torch
from cases import linear_groups, quick
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from skorch.callbacks import LRScheduler

from sklearn_pscore import PairwisePreferenceRanker, __version__
from sklearn_pscore._estimators import pickling

X, GROUPS = linear_groups()
NAME = f"{PairwisePreferenceRanker.__module__}.PairwisePreferenceRanker"
SETTINGS = {
    "default": {},
    "defaults": {"sizes": (32, 32), "n_members": 5},
    "relu6": {"output_activation": "relu6", "batch_norm": True, "shortcut": None},
    "deep, held out": {"sizes": (8,) * 4, "batch_norm": True, "early_stopping": True},
    "linear": {"sizes": (), "shortcut": "linear", "input_clip": None},
    "constrained": {"monotonic_cst": [1, -1, 0], "n_pieces": 3},
    "said by numpy": {
        "sizes": np.array([4, 4]),
        "batch_size": np.int32(20),
        "dropout": np.float32(0.25),
        "random_state": np.int64(0),
    },
    "lambdarank": {"loss": "lambdarank", "k": 3, "predict_dtype": "float32"},
    "half": {"ties": "half", "n_members": 1},
}


def by_pickle(ranker):
    return pickle.loads(pickle.dumps(ranker))


def by_skops(ranker):
    return skops.io.loads(skops.io.dumps(ranker), trusted=[NAME])


def by_shared_memory(ranker, path):
    return joblib.load(joblib.dump(ranker, path / "ranker")[0], mmap_mode="r")


COPIES = {
    "pickle": by_pickle,
    "skops": by_skops,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def trained(how, **settings):
    """Return a ranker that a method, or several one after the other, have trained."""
    ranker = quick(**settings)
    for method in how.split():
        getattr(ranker, method)(X, GROUPS)
    return ranker


def leaves_of(value):
    if isinstance(value, dict):
        assert all(type(key) is str for key in value)
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [leaf for each in value for leaf in leaves_of(each)]
    return [value]


class Globals(pickle.Unpickler):
    """Note the modules of all that is loaded."""

    def find_class(self, module, name):
        self.modules = {*getattr(self, "modules", ()), module.partition(".")[0]}
        return super().find_class(module, name)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("how", ["fit", "partial_fit", "fit partial_fit"])
class TestState:
    def test_is_arrays_and_plain_values(self, how, settings):
        ranker = trained(how, **settings)
        parameters = ranker.get_params(deep=False)
        state = ranker.__getstate__()
        for name in state.keys() - parameters.keys():
            for leaf in leaves_of(state[name]):
                plain = (str, int, float, bool, type(None), np.ndarray)
                assert type(leaf) in plain, (name, leaf)
                assert not isinstance(leaf, np.ndarray) or not leaf.dtype.hasobject

    def test_needs_no_module_but_ours_and_numpy(self, how, settings):
        file = Globals(io.BytesIO(pickle.dumps(trained(how, **settings))))
        file.load()
        assert file.modules <= {"sklearn_pscore", "numpy"}
        saved = skops.io.dumps(trained(how, **settings))
        assert skops.io.get_untrusted_types(data=saved) == [NAME]

    def test_has_the_same_scores(self, how, settings, tmp_path):
        ranker = trained(how, **settings)
        copied = [make(ranker) for make in COPIES.values()]
        for again in [*copied, by_shared_memory(ranker, tmp_path)]:
            assert_array_equal(again.predict(X, True), ranker.predict(X, True))
            assert again.score(X, GROUPS) == ranker.score(X, GROUPS)
            assert vars(again).keys() == vars(ranker).keys()
            assert by_pickle(again).predict(X).tolist() == ranker.predict(X).tolist()

    def test_is_small(self, how, settings):
        ranker = trained(how, **settings)
        size = ranker._saved_state()["weights"].nbytes
        # After partial_fit, AdamW's two moments of each weight are there, too.
        times = 1.5 if how == "fit" else 3.5
        for saved in (pickle.dumps(ranker), skops.io.dumps(ranker)):
            assert len(saved) <= times * size + 50_000


def test_a_large_net_is_saved_as_its_weights():
    ranker = quick((512, 512), max_epochs=1).fit(X, GROUPS)
    n_values = 2 * (3 * 512 + 512 + 512 * 512 + 512 + 512 + 1 + 3 * 11)
    assert sum(w.numel() for w in ranker.net_.module_.parameters()) == n_values
    for save in (pickle.dumps, skops.io.dumps):
        assert len(save(ranker)) <= 4 * n_values + 50_000
        # With the two moments of each weight.
        after = copy.deepcopy(ranker).partial_fit(X, GROUPS)
        assert len(save(after)) <= 3 * 4 * n_values + 50_000


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("again", [by_pickle, by_skops])
@pytest.mark.parametrize(
    "how", ["fit partial_fit", "partial_fit partial_fit", "fit fit partial_fit"]
)
def test_goes_on_to_the_same_bits(how, again, settings):
    settings = {**settings, "warm_start": "fit fit" in how}
    ranker, *methods = quick(**settings), *how.split()
    for method in methods:
        copied = again(ranker)
        getattr(ranker, method)(X, GROUPS)
        getattr(copied, method)(X, GROUPS)
        assert_array_equal(copied.predict(X), ranker.predict(X))
        settings_of = [
            each.net_.optimizer_.state_dict()["param_groups"]
            for each in (copied, ranker)
        ]
        assert settings_of[0] == settings_of[1]
        assert copied.history_.keys() == ranker.history_.keys()


@pytest.mark.parametrize("again", [by_pickle, by_skops])
@pytest.mark.parametrize("shortcut", ["additive", "linear", None])
def test_missing_metrics(again, shortcut):
    missing = X.copy()
    missing[::3, 1] = missing[::7, 2] = np.nan
    ranker = quick(shortcut=shortcut).fit(missing, GROUPS)
    copied = again(ranker)
    for _ in range(2):
        assert_array_equal(copied.predict(missing), ranker.predict(missing))
        for each in (copied, ranker):
            each.partial_fit(missing, GROUPS)


@pytest.mark.parametrize("again", [by_pickle, copy.deepcopy])
@pytest.mark.parametrize(
    "schedule",
    [
        LRScheduler("StepLR", step_size=2),
        # Changes AdamW's betas too, and leaves notes in its settings.
        LRScheduler(
            torch.optim.lr_scheduler.OneCycleLR,
            max_lr=0.1,
            total_steps=100,
            step_every="batch",
        ),
        LRScheduler("ReduceLROnPlateau", monitor="train_loss", patience=1),
    ],
    ids=["step", "one cycle", "plateau"],
)
@pytest.mark.parametrize("how", ["fit partial_fit", "partial_fit partial_fit"])
def test_schedules_go_on_to_the_same_bits(how, schedule, again):
    first, second = how.split()
    ranker = trained(first, callbacks=[schedule], batch_size=50)
    copied = again(ranker)
    for each in (copied, ranker):
        getattr(each, second)(X, GROUPS)
    assert_array_equal(copied.predict(X), ranker.predict(X))


class TestOptimiser:
    def test_is_dropped_by_a_plain_fit_only(self, tmp_path):
        assert not trained("fit").net_.optimizer_.state
        assert trained("fit")._saved_state()["optimizer"] is None
        for kept in (
            trained("partial_fit"),
            trained("fit partial_fit"),
            trained("fit", warm_start=True),
        ):
            assert kept.net_.optimizer_.state
            saved = kept._saved_state()["optimizer"]
            assert saved["step"]["output.weight"] > 0
            assert saved["exp_avg"]["output.weight"].any()
            assert saved["exp_avg_sq"]["output.weight"].any()

    @pytest.mark.parametrize("warm_start", [False, True])
    def test_after_a_fit_to_files(self, warm_start, tmp_path):
        frame = pd.DataFrame(X, columns=list("abc"))
        frame = frame.assign(group=GROUPS["group"], p=GROUPS["preference"])
        frame.sort_values("group").to_parquet(tmp_path / "table.parquet")
        ranker = quick(warm_start=warm_start, max_epochs=1)
        ranker.fit_parquet(tmp_path / "table.parquet", group="group", preference="p")
        assert bool(ranker.net_.optimizer_.state) == warm_start
        copied, metrics = by_pickle(ranker), frame[list("abc")]
        for each in (copied, ranker):
            each.partial_fit(metrics, GROUPS)
        assert_array_equal(copied.predict(metrics), ranker.predict(metrics))

    def test_of_weights_without_a_gradient_is_none(self):
        """A shortcut that is fitted first is frozen in the first training."""
        ranker = by_pickle(trained("fit", warm_start=True))
        network, state = ranker.net_.module_, ranker.net_.optimizer_.state
        assert network.shortcut.weight not in state
        assert network.output.weight in state


class TestNet:
    def test_is_there_after_a_fit_and_made_once_after_loading(self):
        ranker = trained("fit")
        net = ranker.net_
        assert ranker.net_ is net
        copied = by_pickle(ranker)
        assert copied._net is None
        assert copied.net_ is copied.net_
        assert copied._state is None

    def test_is_as_the_one_that_was_saved(self):
        ranker = trained("fit", early_stopping=True, batch_size=20)
        net, again = ranker.net_, by_pickle(ranker).net_
        assert_array_equal(again.predict(X), net.predict(X))
        assert_array_equal(again.forward(X).numpy(), net.forward(X).numpy())
        assert again.n_folds == net.n_folds
        assert type(again.criterion_) is type(net.criterion_)
        assert again.batch_size == 20
        for key in ("epoch", "train_loss", "valid_loss", "train_batch_count", "dur"):
            assert again.history[:, key] == net.history[:, key]
        assert type(again.history[-1, "train_batch_count"]) is int
        assert again.history[-1, "batches"] == []
        rows = torch.tensor(X, requires_grad=True)
        again.module_(rows).sum().backward()
        assert rows.grad.abs().max() > 0
        assert not again.module_.training

    def test_what_users_do_to_it_is_saved(self):
        ranker = by_pickle(trained("fit"))
        with torch.no_grad():
            ranker.net_.module_.output.bias += 1.0
        expected = trained("fit").predict(X) + 1.0
        assert_array_equal(np.round(by_pickle(ranker).predict(X) - expected, 6), 0.0)

    def test_copies_share_no_memory(self):
        ranker = trained("fit")
        expected = ranker.predict(X)
        for make in COPIES.values():
            copied = make(ranker)
            with torch.no_grad():
                copied.net_.module_.output.weight.fill_(7.0)
            assert_array_equal(ranker.predict(X), expected)
            assert not np.array_equal(copied.predict(X), expected)

    def test_is_made_once_where_threads_ask_at_once(self):
        ranker = trained("fit")
        expected = ranker.predict(X)
        for _ in range(5):
            copied, start = by_pickle(ranker), Barrier(8)

            def ask(number, copied=copied, start=start):
                start.wait()
                if number % 4 == 0:
                    return by_pickle(copied).predict(X), None
                return copied.predict(X), copied.net_

            with ThreadPoolExecutor(8) as pool:
                scores, nets = zip(*pool.map(ask, range(8)), strict=True)
            assert_array_equal(scores, np.tile(expected, (8, 1)))
            assert len({id(net) for net in nets if net is not None}) == 1

    def test_draws_nothing_from_the_global_generator(self):
        copied = by_pickle(trained("fit"))
        before = torch.get_rng_state()
        copied.net_  # noqa: B018
        assert torch.equal(torch.get_rng_state(), before)

    def test_is_not_there_before_a_fit(self):
        ranker = quick()
        assert not hasattr(ranker, "net_")
        for unfitted in (ranker, by_pickle(ranker), by_skops(ranker)):
            with pytest.raises(NotFittedError, match="not fitted yet"):
                unfitted.net_  # noqa: B018
            with pytest.raises(NotFittedError, match="not fitted yet"):
                unfitted.predict(X)

    def test_is_on_the_cpu_where_the_device_is_not_there(self):
        ranker = trained("fit")
        expected = ranker.predict(X)
        copied = by_pickle(ranker.set_params(device="no_such_device"))
        with pytest.warns(UserWarning, match="The net is on the CPU now") as caught:
            assert_array_equal(copied.predict(X), expected)
        assert "device='no_such_device' cannot be used" in str(caught[0].message)
        assert "device='cpu' works everywhere" in str(caught[0].message)
        assert caught[0].filename == __file__
        # Once: the net is there now, and saved as ever.
        assert_array_equal(copied.predict(X), expected)
        # Nothing to say where the parameter is one that the machine has.
        silent = by_pickle(copied).set_params(device="cpu:0")
        assert silent.net_.device == "cpu:0"
        assert_array_equal(silent.predict(X), expected)


class TestOtherStates:
    def test_a_ranker_that_held_its_net_is_refused(self):
        ranker = trained("fit")
        state = {**ranker.__getstate__(), "net_": ranker.net_}
        del state["_net"], state["_state"]
        expected = (
            f"PairwisePreferenceRanker was saved by sklearn_pscore {__version__}, as the "
            f"net itself; expected format 1, which sklearn_pscore {__version__} reads. Fit"
        )
        with pytest.raises(ValueError, match=re.escape(expected)):
            PairwisePreferenceRanker.__new__(PairwisePreferenceRanker).__setstate__(
                state
            )

    @pytest.mark.parametrize("library", [pickle, skops.io])
    def test_another_format_is_refused_with_both_versions(self, library, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(pickling, "__version__", "99.0")
            patch.setattr("sklearn_pscore._rankers.saved_net._FORMAT", 2)
            saved = library.dumps(trained("fit"))
        expected = (
            "saved by sklearn_pscore 99.0, as format 2; expected format 1, which "
            f"sklearn_pscore {__version__} reads. Fit it anew"
        )
        trusted = {"trusted": [NAME]} if library is skops.io else {}
        with pytest.raises(ValueError, match=re.escape(expected)):
            library.loads(saved, **trusted)


class TestHistory:
    def test_is_kept_by_column(self):
        ranker = trained("fit", early_stopping=True, max_epochs=3)
        history = ranker.history_
        assert list(history) == ["epoch", "train_loss", "valid_loss", "dur"]
        for name, values in history.items():
            assert values.dtype == np.float64
            assert_array_equal(values, ranker.net_.history[:, name])
        assert pd.DataFrame(history).shape == (3, 4)

    def test_of_epochs_with_and_without_a_validation_set(self):
        ranker = quick(max_epochs=2, warm_start=True)
        for early_stopping in (False, True):
            ranker.set_params(early_stopping=early_stopping)
            ranker = by_pickle(ranker.fit(X, GROUPS))
        ranker.partial_fit(X, GROUPS)
        missing = np.isnan(ranker.history_["valid_loss"])
        assert missing.tolist() == [True, True, False, False, True]
        assert ranker.history_["epoch"].tolist() == [1, 2, 3, 4, 5]
        again = by_pickle(ranker).net_.history
        assert ["valid_loss" in epoch for epoch in again] == (~missing).tolist()

    def test_is_not_changed_by_going_on(self):
        ranker = trained("fit")
        before = ranker.history_
        ranker.partial_fit(X, GROUPS)
        assert len(before["epoch"]) == len(ranker.history_["epoch"]) - 1
