"""The skorch net of the ranker: how it is made, trained and asked for scores."""

from contextlib import contextmanager

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping
from torch.func import functional_call

from sklearn_pscore._torch._loss import PairwiseLogisticLoss
from sklearn_pscore._torch._network import ScoreNetwork
from sklearn_pscore._torch._packing import GroupBatches, PackedGroups

_ROWS_AT_A_TIME = 2**14


class GroupNet(NeuralNet):
    """A skorch net that is given a training and a validation set of groups.

    skorch would split and collate single rows; here the sets are
    :class:`PackedGroups` that are split already, and a batch is a slice of
    whole groups.
    """

    def get_split_datasets(self, X, y=None, **fit_params):
        """Return the two sets as they came."""
        return X

    def get_iterator(self, dataset, training=False):
        """Return an iterator over batches of whole groups."""
        return GroupBatches(dataset, self.batch_size, shuffle=training)


def build_net(
    n_features,
    *,
    hidden_layer_sizes,
    output_activation,
    learning_rate,
    weight_decay,
    batch_size,
    patience,
    callbacks,
    verbose,
    device,
):
    """Return an initialised net; `patience` None is without early stopping."""
    own = []
    if patience is not None:
        own.append(
            (
                "early_stopping",
                EarlyStopping("valid_loss", patience=patience, load_best=True),
            )
        )
    net = GroupNet(
        ScoreNetwork,
        module__n_features=n_features,
        module__hidden_layer_sizes=tuple(hidden_layer_sizes),
        module__output_activation=output_activation,
        criterion=PairwiseLogisticLoss,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=weight_decay,
        # One kernel for all layers: half the time of a step on a small network.
        optimizer__fused=True,
        lr=learning_rate,
        batch_size=batch_size,
        train_split=None,
        callbacks=own + list(callbacks or []),
        verbose=verbose,
        device=device,
    )
    return net.initialize()


def train(net, training, validation, max_epochs):
    """Train a net for some more epochs on :class:`TrainingItems`.

    Raises
    ------
    FloatingPointError
        If the loss is not finite any more.
    """
    packed = (PackedGroups(training), validation and PackedGroups(validation))
    net.notify("on_train_begin", X=packed, y=None)
    try:
        for _ in range(max_epochs):
            net.fit_loop(packed, epochs=1)
            if not np.isfinite(net.history[-1, "train_loss"]):
                raise FloatingPointError
    except KeyboardInterrupt:
        # skorch's EarlyStopping ends training by this exception; from anybody
        # else it is Ctrl-C, which is not for us to swallow.
        if not _stopped_early(net):
            raise
    net.notify("on_train_end", X=packed, y=None)


def scores(net, X, dtype):
    """Return scores computed in `dtype`, whatever the network was trained in.

    Rows are scored in chunks, so that the memory beside `X` is bounded.
    """
    module = net.module_.eval()
    dtype = getattr(torch, dtype)
    state = {
        name: value.to(dtype) if value.is_floating_point() else value
        for name, value in module.state_dict().items()
    }
    scored = np.empty(len(X), dtype=np.float64)
    with torch.inference_mode():
        for top in range(0, len(X), _ROWS_AT_A_TIME):
            rows = slice(top, top + _ROWS_AT_A_TIME)
            # A copy: torch warns of arrays that it could not write to.
            chunk = torch.tensor(X[rows], dtype=dtype, device=net.device)
            scored[rows] = functional_call(module, state, (chunk,)).cpu().numpy()
    return scored


@contextmanager
def seeded(seed, device):
    """Seed torch inside, and leave its global generators as they were."""
    device = torch.device(device)
    # With no devices to fork, the CPU's generator is forked alone.
    devices, kind = ([], "cuda") if device.type == "cpu" else ([device], device.type)
    with torch.random.fork_rng(devices, device_type=kind):
        torch.manual_seed(seed)
        yield


def check_device(device):
    """Return the device if torch can use it, else raise ValueError."""
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, TypeError, AssertionError) as error:
        raise ValueError(
            f"device={device!r} cannot be used: {str(error).splitlines()[0]}; expected a "
            "torch device that this machine has, such as 'cpu' or 'cuda'. device='cpu' "
            "works everywhere."
        ) from error
    return found


def check_callbacks(callbacks):
    """Raise TypeError if what was passed is not a list of skorch callbacks."""
    for callback in callbacks or []:
        if isinstance(callback, tuple):
            callback = callback[-1]
        is_class = isinstance(callback, type) and issubclass(callback, Callback)
        if not (isinstance(callback, Callback) or is_class):
            raise TypeError(
                f"callbacks holds {callback!r} of type {type(callback).__name__}; "
                "expected skorch callbacks, or (name, callback) tuples. Pass for example "
                "callbacks=[skorch.callbacks.GradientNormClipping(1.0)]."
            )


def _stopped_early(net):
    return any(
        isinstance(callback, EarlyStopping) and callback.misses_ >= callback.patience
        for _, callback in net.callbacks_
    )
