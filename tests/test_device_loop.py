"""The loop over batches on a device: nothing is copied to it, and nothing waits for it.

There need not be a GPU: tensors on the device "meta" have no values, so that whatever
asks for one is an error.
"""

from copy import deepcopy

import numpy as np
import pytest
import torch
from cases import quick
from numpy.testing import assert_array_equal
from skorch.callbacks import Callback
from test_gpu import run_file
from torch.utils._python_dispatch import TorchDispatchMode

from sklearn_pscore import Groups
from sklearn_pscore._torch import epochs, packing
from sklearn_pscore._torch.inputs import InputScaling
from sklearn_pscore._torch.losses import padding
from sklearn_pscore._torch.losses.ranknet import sum_over_pairs
from sklearn_pscore._torch.net import GroupNet
from sklearn_pscore._torch.network import LayerInputs

SETTINGS = {
    "defaults": {},
    "paper": {"shortcut": None, "batch_norm": True, "output_activation": "relu6"},
    "linear": {"shortcut": "linear"},
    "constraints": {"monotonic_cst": [1, 0, -1]},
    "ties": {"ties": "half"},
    "stopping": {"early_stopping": True},
    "one member": {"n_members": 1},
    "input dropout": {"input_dropout": 0.2},
}
LOSSES = ("ranknet", "listnet")


class Calls(TorchDispatchMode):
    """Note which values are read, and what is copied from the CPU to another device."""

    def __init__(self):
        super().__init__()
        self.reads, self.copies, self.n_operations = [], [], 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func._schema.name
        self.n_operations += 1
        # Sizes of groups are on the CPU, and may be read.
        if name == "aten::_local_scalar_dense" and args[0].device.type != "cpu":
            self.reads.append(name)
        to = kwargs.get("device")
        if name == "aten::_to_copy" and to is not None and to != args[0].device:
            self.copies.append(tuple(args[0].shape))
        return func(*args, **kwargs)


@pytest.fixture
def on_a_device(monkeypatch):
    """Let the CPU count as a device with memory of its own."""
    monkeypatch.setattr(epochs, "bytes_to_place", lambda device: 2**40)
    monkeypatch.setattr(GroupNet, "waits_for_losses", False)


class Batches(Callback):
    """Keep what a net is trained on, and its batches."""

    def on_train_begin(self, net, X=None, **kwargs):
        self.packed_, self.n_batches_ = X[0], 0

    def on_batch_end(self, net, training=False, **kwargs):
        self.n_batches_ += training


def placed_on_meta(ranker):
    """Return the net of a ranker, and what it was trained on, on a device of no values."""
    packed = dict(ranker.net_.callbacks_)["keeper"].packed_
    net = deepcopy(ranker.net_)
    net.module_, net.device = deepcopy(net.module_).to("meta").train(), "meta"
    inputs = None
    if packed.shortcut_scores is not None or net.module_.shortcut is None:
        inputs = LayerInputs(net.module_, is_training=True)
    packed.place("meta", 2**40, inputs)
    return net, packed


def with_useless_metrics():
    """Return data of which the layers are shown a part."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 80))
    preference = X[:, 0] - X[:, 1] + rng.normal(size=800)
    return X, Groups.from_arrays(group=np.arange(800) // 8, preference=preference)


def uneven(sizes=(5, 3, 9, 2, 5, 7, 4, 6, 3, 8, 2, 9)):
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(len(sizes)), sizes)
    X = rng.normal(size=(len(group), 3)).astype(np.float32)
    return X, Groups.from_arrays(group=group, preference=X[:, 0].round(1))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", SETTINGS)
def test_a_step_copies_and_reads_nothing(data, name, loss, on_a_device):
    if loss == "listnet" and "ties" in SETTINGS[name]:
        pytest.skip("ties are of pairs")
    keeper = Batches()
    settings = {"batch_size": 40, "loss": loss, **SETTINGS[name]}
    ranker = quick(callbacks=[("keeper", keeper)], **settings).fit(*data)
    net, packed = placed_on_meta(ranker)
    module = net.module_
    batches = iter(net.get_iterator(packed, training=True))
    # The order of this pass goes to the device, once.
    steps = [next(batches)]
    padding._rows_by_size.cache_clear()
    with Calls() as calls:
        steps += batches
        for X, target in steps:
            scores = net.infer(X)
            assert scores.device.type == "meta"
            net.get_loss(scores, target, training=True).backward()
    assert len(steps) > 2
    assert calls.reads == []
    # ListNet's sums are by the sizes of the groups, and nothing else is copied.
    of_sizes = [tuple(target.sizes.shape) for _, target in steps]
    assert calls.copies == (of_sizes if loss == "listnet" else [])
    gradients = [weight.grad for weight in module.parameters() if weight.requires_grad]
    assert any(gradient is not None for gradient in gradients)


def test_groups_of_different_sizes_copy_their_places_alone(on_a_device):
    X, groups = uneven()
    keeper = Batches()
    ranker = quick(callbacks=[("keeper", keeper)], batch_size=20).fit(X, groups)
    net, packed = placed_on_meta(ranker)
    batches = iter(net.get_iterator(packed, training=True))
    steps = [next(batches)]
    with Calls() as calls:
        steps += batches
        for X, target in steps:
            net.get_loss(net.infer(X), target, training=True).backward()
    assert calls.reads == []
    # Of the matrices of the pairs of each batch, never of the items' features.
    assert len(calls.copies) <= 4 * len(steps)
    assert not any(shape[-1:] == (3,) and len(shape) == 2 for shape in calls.copies)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("made", ["even", "uneven", "useless"])
def test_a_fit_of_placed_items_has_the_same_bits(data, name, made, monkeypatch):
    made = {"even": lambda: data, "uneven": uneven, "useless": with_useless_metrics}[
        made
    ]
    X, groups = made()
    if name == "constraints":
        constraints = {"monotonic_cst": [1, -1, *[0] * (X.shape[1] - 2)]}
        monkeypatch.setitem(SETTINGS, name, constraints)
    settings = {"batch_size": 20, **SETTINGS[name]}
    plain = quick(**settings).fit(X, groups)
    monkeypatch.setattr(epochs, "bytes_to_place", lambda device: 2**40)
    monkeypatch.setattr(GroupNet, "waits_for_losses", False)
    keeper = Batches()
    placed = quick(callbacks=[("keeper", keeper)], **settings).fit(X, groups)
    assert dict(placed.net_.callbacks_)["keeper"].packed_._placed is not None
    assert_array_equal(placed.predict(X), plain.predict(X))
    for column, values in plain.history_.items():
        if column != "dur":
            assert_array_equal(placed.history_[column], values)
    losses = placed.net_.history[:, "batches", :, "train_loss"]
    assert all(type(loss) is float for epoch in losses for loss in epoch)


def test_losses_are_read_once_in_an_epoch(data, on_a_device, monkeypatch):
    # The step itself is skorch's, and torch's on the CPU may read a value.
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda self, closure: closure())
    ranker = quick(batch_size=20, max_epochs=1, shortcut=None, leave_out=False)
    reads = []
    original = torch.Tensor.item
    monkeypatch.setattr(
        torch.Tensor, "item", lambda self: reads.append(1) or original(self)
    )
    ranker.fit(*data)
    assert len(ranker.net_.history[-1, "batches"]) > 5
    assert reads == []


def test_what_takes_too_much_memory_is_not_placed(data, monkeypatch):
    X, groups = data
    keeper = Batches()
    n_bytes = []
    monkeypatch.setattr(epochs, "bytes_to_place", lambda device: n_bytes[-1])
    # 150 rows of 3 float64, and level, weight, gain and fold; scores of 2 members, and
    # the inputs of their layers; all that once more in the order of a pass.
    whole = 2 * 150 * (3 * 8 + 8 + 4 + 4 + 8 + 2 * 4 + 3 * 4)
    for limit, is_placed in ((whole, True), (whole - 1, False)):
        n_bytes.append(limit)
        ranker = quick(callbacks=[("keeper", keeper)]).fit(X, groups)
        packed = dict(ranker.net_.callbacks_)["keeper"].packed_
        assert (packed._placed is not None) == is_placed


def test_a_group_that_is_split_goes_by_its_pieces(on_a_device, monkeypatch):
    X, groups = uneven((30, 4, 5))
    monkeypatch.setattr(GroupNet, "max_batch_bytes", 1)
    placed = quick(batch_size=10).fit(X, groups).predict(X)
    monkeypatch.setattr(packing.PackedGroups, "place", lambda self, *args: None)
    assert_array_equal(quick(batch_size=10).fit(X, groups).predict(X), placed)


def test_files_of_tests_can_be_run_on_a_device():
    """That of test_gpu.py, here with one that no ranker takes."""
    ended = run_file("test_members.py", "meta", "-x", "-k", "score_is_the_mean")
    assert ended.returncode == 1
    assert "device='meta' cannot be used" in ended.stdout
    ended = run_file("test_losses.py", "meta", "-x", "-k", "definition")
    assert ended.returncode == 1
    assert "meta" in ended.stdout


def test_only_cuda_has_memory_to_place_items_in():
    assert epochs.bytes_to_place("cpu") == 0


def test_layers_read_selected_metrics_that_are_scaled_once(monkeypatch):
    X, groups = with_useless_metrics()
    monkeypatch.setattr(epochs, "bytes_to_place", lambda device: 2**40)
    scaled = []
    forward = InputScaling.forward

    def counted(scaling, X, dtype=None):
        scaled.append(tuple(X.shape))
        return forward(scaling, X, dtype)

    in_training = []
    original = epochs.train

    def train(net, *args, **kwargs):
        monkeypatch.setattr(InputScaling, "forward", counted)
        original(net, *args, **kwargs)
        monkeypatch.setattr(InputScaling, "forward", forward)
        in_training.append(len(net.module_.inputs))

    monkeypatch.setattr("sklearn_pscore._rankers.training.train", train)
    quick(batch_size=200).fit(X, groups)
    assert in_training[0] < 80
    assert scaled == [(800, in_training[0])]


@pytest.mark.parametrize("size", [100, 500])
def test_a_loss_is_as_many_operations_whatever_its_batch(size):
    n_operations = []
    for n_groups in (2, 6):
        n_items = n_groups * size
        scores = torch.empty(5, n_items, device="meta")
        level = torch.empty(n_items, dtype=torch.int64, device="meta")
        sizes = torch.full((n_groups,), size)
        # The pairs of a width are listed once.
        sum_over_pairs(scores, level, scores[0], sizes)
        with Calls() as calls:
            sum_over_pairs(scores, level, scores[0], sizes)
        assert calls.reads == calls.copies == []
        n_operations.append(calls.n_operations)
    assert n_operations[0] == n_operations[1] < 60
