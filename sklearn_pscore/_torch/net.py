"""The skorch net of the ranker: how it is made, trained and asked for scores."""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from torch.func import functional_call
from torch.optim.lr_scheduler import LambdaLR

from sklearn_pscore._torch.inputs import Bends, InputScaling
from sklearn_pscore._torch.losses.lambdarank import LambdaRankLoss
from sklearn_pscore._torch.losses.listnet import TopOneLoss
from sklearn_pscore._torch.losses.ranknet import PairwiseLogisticLoss
from sklearn_pscore._torch.network import ScoreNetwork
from sklearn_pscore._torch.packing import GroupBatches, PackedGroups
from sklearn_pscore._torch.schedule import OneCycle
from sklearn_pscore._torch.stacking import Sample, start_shortcut, weigh_parts

_ROWS_AT_A_TIME = 2**13
# What the layers may hold for one batch: beyond, a group is split.
_LARGEST_BATCH_BYTES = 2**31
# Values that the shortcut is fitted to, 16 MB of float32, and the least rows.
_SAMPLE_VALUES, _SAMPLE_ROWS = 2**22, 2**12


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
        bytes_per_row = _bytes_per_row(self.module_)
        return GroupBatches(
            dataset,
            self.batch_size,
            max_rows=_LARGEST_BATCH_BYTES // bytes_per_row,
            shuffle=training,
        )

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the loss; no gradient goes to a member from what it leaves out."""
        y_true = y_true.to(y_pred.device)
        if training and y_true.fold is not None:
            members = torch.arange(len(y_pred), device=y_pred.device)[:, None]
            y_pred = torch.where(y_true.fold == members, y_pred.detach(), y_pred)
        return self.criterion_(y_pred, y_true)

    def get_params_for_optimizer(self, prefix, named_parameters):
        """Return two groups of parameters: those without weight decay, the others.

        Neither what shifts nor what scales is pulled to zero, nor a shortcut, which
        has a penalty of its own. Each group costs a step time: there are no more.
        """
        _, kwargs = super().get_params_for_optimizer(prefix, [])
        free, decayed = [], []
        for name, parameter in named_parameters:
            is_free = name.endswith(("bias", "norm.weight", "shortcut.weight"))
            (free if is_free else decayed).append(parameter)
        groups = [{"params": free, "weight_decay": 0.0}, {"params": decayed}]
        return (groups,), kwargs

    def train_step(self, batch, **fit_params):
        """Take a step, and keep the constraints."""
        step = super().train_step(batch, **fit_params)
        self.module_.project()
        return step


@dataclass(frozen=True)
class Course:
    """How long training goes, and how large its steps are.

    Attributes
    ----------
    n_epochs : int
    schedule : {"one_cycle", "constant"}
    first, last : float
        Share of the whole training that is done before and after.
    patience : int or None
        Epochs without a better validation loss until it stops; None goes on.
    """

    n_epochs: int
    schedule: str
    first: float = 0.0
    last: float = 1.0
    patience: int | None = None


def pack(items, gain, n_folds=0):
    """Return items as a training set, with folds of groups for members to leave out."""
    return items and PackedGroups(items, gain, n_folds)


def build_net(
    packed,
    *,
    loss,
    k,
    n_members,
    hidden_layer_sizes,
    shortcut,
    n_pieces,
    batch_norm,
    dropout,
    input_dropout,
    input_clip,
    output_activation,
    monotonic_cst,
    learning_rate,
    weight_decay,
    batch_size,
    callbacks,
    verbose,
    device,
):
    """Return an initialised net and the sample that it is started from."""
    n_features = packed.table.shape[1]
    n_columns = n_features * (1 + n_pieces)
    rows = max(_SAMPLE_ROWS, _SAMPLE_VALUES // n_columns)
    X, target, judged = packed.sample(rows)
    group = np.repeat(np.arange(len(target.sizes)), target.sizes)
    scaling = InputScaling.fitted(X.numpy(), group, input_clip)
    scaled = scaling(X)
    bends = None
    if shortcut == "additive":
        bends = Bends.fitted(scaled.double().numpy(), n_pieces)
    net = GroupNet(
        ScoreNetwork,
        module__scaling=scaling,
        module__bends=bends,
        module__n_members=n_members,
        module__hidden_layer_sizes=hidden_layer_sizes,
        module__has_shortcut=shortcut is not None,
        module__batch_norm=batch_norm,
        module__dropout=dropout,
        module__input_dropout=input_dropout,
        module__output_activation=output_activation,
        module__monotonic_cst=monotonic_cst,
        criterion=_criterion(loss, k),
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=weight_decay,
        # One kernel for all layers, which counts on a small network.
        optimizer__fused=True,
        lr=learning_rate,
        batch_size=batch_size,
        train_split=None,
        callbacks=callbacks,
        verbose=verbose,
        device=device,
    )
    net.initialize()
    fold = torch.full((len(X),), -1) if target.fold is None else target.fold
    return net, Sample(scaled.float(), target, fold, judged)


def _criterion(loss, k):
    if loss == "lambdarank":
        return LambdaRankLoss(k)
    return {"ranknet": PairwiseLogisticLoss, "listnet": TopOneLoss}[loss]()


def start(net, sample, *packed):
    """Fit the shortcut of a net to a sample, and leave it at that in training.

    So what it gives to the items of :class:`PackedGroups` is computed once.
    """
    module = net.module_
    if module.shortcut is None:
        return
    module.cpu()
    start_shortcut(module.shortcut, sample, _convex(net))
    module.to(net.device)
    module.shortcut.weight.requires_grad_(False)
    for each in packed:
        if each is not None:
            each.of_shortcut = _of_shortcut(net, each)


def _of_shortcut(net, packed):
    """Return what the shortcut gives to packed items, (n_items, n_members)."""
    module = net.module_
    given = torch.empty(len(packed), module.n_members)
    with torch.no_grad():
        for top in range(0, len(packed), _ROWS_AT_A_TIME):
            rows = np.arange(top, min(top + _ROWS_AT_A_TIME, len(packed)))
            X = packed.metrics(rows).to(net.device)
            X = module.scaling(X, dtype=module.output.weight.dtype)
            given[top : rows[-1] + 1] = module.shortcut(X)[..., 0].T
    return given


def finish(net, sample, leaves_out):
    """Weigh the parts of a trained net, and let its members' scores average zero.

    Parts can be weighed if members leave out groups. Pairs do not tell where
    zero is; members that agree about it can be compared.
    """
    module = net.module_
    if module.bounded is not None:
        return
    module.cpu()
    module.eval()
    if leaves_out:
        weigh_parts(module, sample, _convex(net))
    with torch.no_grad():
        of_sample = module.of_layers(sample.X)[..., 0]
        if module.shortcut is not None:
            of_sample += module.shortcut(sample.X)[..., 0]
            module.shortcut.weight.requires_grad_(True)
        module.output.bias -= of_sample.mean(dim=1)[:, None, None]
    module.to(net.device)


def train(net, training, validation, course):
    """Train a net for some more epochs on :class:`PackedGroups`.

    Raises
    ------
    FloatingPointError
        If the loss is not finite any more.
    """
    packed = (training, validation)
    lasting = net.callbacks_
    n_batches = len(net.get_iterator(training))
    net.callbacks_ = _with_course(lasting, course, n_batches)
    net.notify("on_train_begin", X=packed, y=None)
    try:
        for _ in range(course.n_epochs):
            net.fit_loop(packed, epochs=1)
            if not np.isfinite(net.history[-1, "train_loss"]):
                raise FloatingPointError
    except KeyboardInterrupt:
        # skorch's EarlyStopping ends training by this exception; from anybody
        # else it is Ctrl-C, which is not for us to swallow.
        if not _stopped_early(net):
            raise
    net.notify("on_train_end", X=packed, y=None)
    net.callbacks_ = lasting


def _with_course(callbacks, course, n_batches):
    """Return callbacks with those that a course needs."""
    callbacks = list(callbacks)
    is_scheduled = any(isinstance(each, LRScheduler) for _, each in callbacks)
    if course.schedule == "one_cycle" and not is_scheduled:
        scheduler = LRScheduler(
            policy=LambdaLR,
            lr_lambda=OneCycle(course.first, course.last, course.n_epochs * n_batches),
            step_every="batch",
            event_name=None,
            # skorch would go on from the epochs so far; the course says where it is.
            last_epoch=-1,
        ).initialize()
        callbacks.append(("course", scheduler))
    if course.patience is not None:
        stopping = EarlyStopping("valid_loss", patience=course.patience, load_best=True)
        # Before the user's, which may save the net at the end: its best epoch.
        place = [name for name, _ in callbacks].index("valid_loss") + 1
        callbacks.insert(place, ("early_stopping", stopping))
    return callbacks


def retune(
    net, *, loss, k, learning_rate, weight_decay, batch_size, callbacks, verbose, device
):
    """Let a trained net go on with other settings."""
    net.set_params(
        lr=learning_rate, batch_size=batch_size, verbose=verbose, device=device
    )
    for group in net.optimizer_.param_groups:
        # Where a schedule starts from; torch would keep that of the first.
        group["initial_lr"] = learning_rate
    # skorch would set the decay of what has none, too.
    net.optimizer_.param_groups[-1]["weight_decay"] = weight_decay
    # By set_params, skorch would start the optimiser anew.
    net.criterion = net.criterion_ = _criterion(loss, k)
    net.callbacks = callbacks
    net.initialize_callbacks()
    net.module_.to(device)
    # Moves what it knows of each weight to where the weight is.
    net.optimizer_.load_state_dict(net.optimizer_.state_dict())


def scores(net, X, dtype):
    """Return the members' scores, computed in `dtype`, (n_members, n_rows) float64.

    Rows are scored in chunks, so that the memory beside `X` is bounded.
    """
    module = net.module_.eval()
    dtype = getattr(torch, dtype)
    # The scaling computes in the type of X, whatever comes after.
    state = {
        name: value if name.startswith("scaling") else _to(value, dtype)
        for name, value in module.state_dict().items()
    }
    scored = np.empty((module.n_members, len(X)), dtype=np.float64)
    with torch.inference_mode():
        for top in range(0, len(X), _ROWS_AT_A_TIME):
            rows = slice(top, top + _ROWS_AT_A_TIME)
            # A copy: torch warns of arrays that it could not write to.
            chunk = torch.tensor(X[rows], device=net.device)
            scored[:, rows] = functional_call(module, state, (chunk,)).cpu().numpy()
    return scored


def _to(value, dtype):
    return value.to(dtype) if value.is_floating_point() else value


def _convex(net):
    """Return the loss of a net, or the convex one that stands in for it."""
    if isinstance(net.criterion_, LambdaRankLoss):
        return PairwiseLogisticLoss()
    return net.criterion_


def _bytes_per_row(module):
    """Return about what a training step holds of a row, in all members."""
    n_values = 4 * len(module.scaling.shift)
    for each in module.modules():
        weight = getattr(each, "weight", None)
        if weight is not None and weight.dim() == 3:
            # What goes in, what comes out, its activation and its gradient.
            n_values += module.n_members * (weight.shape[1] + 3 * weight.shape[2])
    return 4 * n_values


@contextmanager
def seeded(seed, device):
    """Seed torch inside, and leave its global generators as they were."""
    device = torch.device(device)
    # With no devices to fork, the CPU's generator is forked alone.
    devices, kind = ([], "cuda") if device.type == "cpu" else ([device], device.type)
    with torch.random.fork_rng(devices, device_type=kind):
        if devices:
            torch.manual_seed(seed)
        else:
            # torch.manual_seed goes through all devices first.
            torch.default_generator.manual_seed(seed)
        yield


def check_device(device):
    """Return the device if torch can use it, else raise ValueError."""
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, TypeError, AssertionError) as error:
        raise ValueError(
            f"device={device!r} cannot be used: {str(error).splitlines()[0]}; expected a "
            "torch device that this machine has. device='cpu' works everywhere."
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
