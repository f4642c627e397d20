"""The losses and the ranker on CUDA, compared with the CPU."""

import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from cases import quick
from losses_by_definition import random_case, value_and_gradient
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.callback import ScoringMonitor
from test_losses import LOSSES, SIZES

from sklearn_pscore import Groups
from sklearn_pscore.inspection import metric_curves
from sklearn_pscore.metrics import ndcg_scorer, pairwise_accuracy_score

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="torch finds no CUDA device here"
    ),
]
DEVICE = "cuda"
# Of the ranker, and of the errors of the losses.
FILES = (
    "test_pairwise.py",
    "test_members.py",
    "test_missing.py",
    "test_heavy_tails.py",
    "test_losses.py",
    "test_ranknet.py",
    "test_expanded.py",
    "test_lambdarank.py",
    "test_listnet.py",
    "test_ties.py",
)


def run_file(name, device, *arguments):
    """Return how a file of tests ends if rankers and losses are on a device."""
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *arguments,
            name,
        ],
        cwd=Path(__file__).parent,
        env={**os.environ, "SKLEARN_PSCORE_TEST_DEVICE": device},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_tests_passes_on_the_device(name):
    ended = run_file(name, DEVICE)
    assert ended.returncode == 0, ended.stdout[-10_000:]


@pytest.mark.parametrize("sizes", [*SIZES.values(), [5000, 3, 700]], ids=str)
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 2e-4)]
)
def test_losses_are_those_of_the_cpu(name, sizes, dtype, tolerance):
    scores, target = random_case(sizes)
    value, gradient = value_and_gradient(LOSSES[name], scores.to(dtype), target)
    on_gpu = value_and_gradient(
        LOSSES[name], scores.to(dtype).to(DEVICE), target.to(DEVICE)
    )
    assert on_gpu[1].device.type == DEVICE
    assert_allclose(on_gpu[0], value, rtol=tolerance)
    largest = float(gradient.abs().max())
    assert_allclose(on_gpu[1].cpu() / largest, gradient / largest, atol=tolerance)


SETTINGS = {
    "defaults": {},
    "paper": {"shortcut": None, "output_activation": "relu6", "batch_norm": True},
    "linear": {"shortcut": "linear"},
    "lambdarank": {"loss": "lambdarank"},
    "listnet": {"loss": "listnet"},
    "ties": {"ties": "half"},
    "stopping": {"early_stopping": True},
    "constrained": {"monotonic_cst": [1, 0, -1]},
    "one member": {"n_members": 1},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_fit_is_that_of_the_cpu_but_for_rounding(data, name):
    # Dropout is drawn on the device, and so it is another there.
    settings = {"dropout": 0.0, "input_dropout": 0.0, "max_epochs": 20} | SETTINGS[name]
    on_cpu = quick(**settings).fit(*data)
    on_gpu = quick(**settings, device=DEVICE).fit(*data)
    assert next(on_gpu.net_.module_.parameters()).device.type == DEVICE
    scores, expected = on_gpu.predict(data[0]), on_cpu.predict(data[0])
    assert scores.dtype == np.float64
    assert np.corrcoef(scores, expected)[0, 1] > 0.999
    assert on_gpu.history_.keys() == on_cpu.history_.keys()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_fit_with_dropout_learns_the_order(data, name):
    settings = {"max_epochs": 60} | SETTINGS[name]
    ranker = quick(**settings, device=DEVICE).fit(*data)
    assert pairwise_accuracy_score(data[1], ranker.predict(data[0])) > 0.9


def test_a_validation_set_and_callbacks_see_the_net_of_the_device(data):
    X, groups = data
    is_first = groups["group"] < 20
    passed = {"X_val": X[~is_first], "y_val": groups[~is_first]}
    monitor = ScoringMonitor(scoring={"ndcg": ndcg_scorer})
    settings = {"scoring": ndcg_scorer, "device": DEVICE}
    shown = quick(**settings).set_callbacks(monitor)
    shown.fit(X[is_first], groups[is_first], **passed)
    plain = quick(**settings).fit(X[is_first], groups[is_first])
    assert_array_equal(shown.predict(X), plain.predict(X))
    assert next(shown.net_.module_.parameters()).device.type == DEVICE
    on_cpu = quick(scoring=ndcg_scorer, dropout=0.0)
    on_gpu = quick(**settings, dropout=0.0)
    for name in ("valid_loss", "valid_score"):
        assert shown.history_[name].shape == (5,)
        columns = [
            ranker.fit(X[is_first], groups[is_first], **passed).history_[name]
            for ranker in (on_cpu, on_gpu)
        ]
        assert_allclose(*columns, rtol=1e-2)
    scores = [row["ndcg"] for row in monitor.get_logs().data]
    assert len(scores) == 6
    assert min(scores) > 0.9


def test_two_fits_have_equal_bits(data):
    first, second = (quick(device=DEVICE).fit(*data) for _ in range(2))
    assert_array_equal(first.predict(data[0]), second.predict(data[0]))


@pytest.mark.parametrize("sizes", [(5, 5), (9, 5), (300, 300)], ids=str)
def test_no_batch_waits_for_the_device(sizes):
    """Groups of one size, of two, and larger than the CPU takes all pairs of."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(48), sizes * 24)
    X = rng.normal(size=(len(group), 3))
    groups = Groups.from_arrays(group=group, preference=X[:, 0].round(1))
    n_waits, n_steps = [], []
    for n_batches in (2, 6):
        ranker = quick(device=DEVICE, batch_size=len(group) // n_batches, shortcut=None)
        # What is made once in a process is there then.
        ranker.fit(X, groups)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                ranker.fit(X, groups)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        n_waits.append(
            sum("synchronizing CUDA" in str(each.message) for each in caught)
        )
        n_steps.append(len(ranker.net_.history[-1, "batches"]))
    assert n_steps[1] > n_steps[0]
    assert n_waits[0] == n_waits[1] > 0


def test_large_groups_are_trained():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6000, 3))
    groups = Groups.from_arrays(group=np.arange(6000) // 2000, preference=X[:, 0])
    ranker = quick(device=DEVICE, max_epochs=30).fit(X, groups)
    assert ranker.score(X, groups) > 0.9


def test_training_goes_on(data):
    X, groups = data
    ranker = quick(device=DEVICE)
    for _ in range(3):
        ranker.partial_fit(X, groups)
    loaded = pickle.loads(pickle.dumps(ranker))
    assert_array_equal(loaded.predict(X), ranker.predict(X))
    assert_allclose(
        loaded.partial_fit(X, groups).predict(X),
        ranker.partial_fit(X, groups).predict(X),
        atol=1e-9,
    )
    # From the device to the CPU and back.
    moved = ranker.set_params(device="cpu").partial_fit(X, groups)
    assert next(moved.net_.module_.parameters()).device.type == "cpu"
    moved.set_params(device=DEVICE).partial_fit(X, groups)
    assert len(moved.history_["epoch"]) == 6


def test_a_saved_ranker_can_be_loaded_on_the_cpu(data):
    X, groups = data
    ranker = quick(device=DEVICE).fit(X, groups).partial_fit(X, groups)
    loaded = pickle.loads(pickle.dumps(ranker)).set_params(device="cpu")
    assert next(loaded.net_.module_.parameters()).device.type == "cpu"
    assert_allclose(loaded.predict(X), ranker.predict(X), atol=1e-9)
    ranker.set_params(device="cpu")
    for each in (loaded, ranker):
        each.partial_fit(X, groups)
    assert_array_equal(loaded.predict(X), ranker.predict(X))


def test_probabilities_and_errors_of_scores(data):
    X, groups = data
    ranker = quick(device=DEVICE).fit(X, groups)
    proba = ranker.preference_proba(X[:5], X[5:10])
    assert_allclose(proba + ranker.preference_proba(X[5:10], X[:5]), 1)
    score, std = ranker.predict(X, return_std=True)
    assert_array_equal(score, ranker.predict(X))
    assert np.all(std > 0)


def test_curves_of_metrics_are_those_of_the_cpu(data):
    X, groups = data
    ranker = quick(device=DEVICE).fit(X, groups)
    loaded = pickle.loads(pickle.dumps(ranker)).set_params(device="cpu")
    for method in ("additive", "accumulated"):
        on_gpu, on_cpu = (
            metric_curves(each, X, groups, method=method, random_state=0)
            for each in (ranker, loaded)
        )
        for name, curve in on_cpu.curves.items():
            assert_allclose(on_gpu.curves[name], curve, atol=1e-9)


def test_ranks_of_a_cluster_train_on_the_device():
    """Two workers on one device, whose gradients go through the memory of the CPU."""
    pytest.importorskip("distributed")
    from dask_cases import (
        COLUMNS,
        TIMEOUT,
        judged_table,
        local_cluster,
        parts_of,
        split,
    )

    # Useless features, which the layers do not read.
    frame = judged_table(n_features=10)
    X, groups = parts_of(frame)
    settings = {"dropout": 0.0, "input_dropout": 0.0, "max_epochs": 20}
    table = split(frame, [120, 60, 180])
    with local_cluster():
        on_cpu, on_gpu, again = (
            quick(**settings, device=device).fit_dask(table, **COLUMNS, timeout=TIMEOUT)
            for device in ("cpu", DEVICE, DEVICE)
        )
    assert next(on_gpu.net_.module_.parameters()).device.type == DEVICE
    scores = on_gpu.predict(X)
    assert np.corrcoef(scores, on_cpu.predict(X))[0, 1] > 0.999
    assert_array_equal(again.predict(X), scores)
    losses = [ranker.history_["train_loss"] for ranker in (on_cpu, on_gpu)]
    assert_allclose(*losses, rtol=1e-3)
    assert on_gpu.score(X, groups) == pytest.approx(on_cpu.score(X, groups), abs=0.01)
