"""The epochs of a training: the learning rate of each step, and when to stop."""

import math
from copy import deepcopy

import numpy as np
import torch
from skorch.callbacks import Callback, EarlyStopping, LRScheduler

from sklearn_pscore._torch.callbacks import (
    MONITOR_ERRORS,
    explain_monitor,
    note_missing_validation,
)
from sklearn_pscore._torch.network import LayerInputs

# The share of training until the largest rate, and the rate it starts from:
# those of torch's OneCycleLR, whose own step count cannot go on from a fit.
_PEAK = 0.25
_START = 0.04
# Of the loss, relative as in skorch's EarlyStopping: a smaller gain is no improvement.
_LEAST_GAIN = 1e-4
# What is told of an epoch, beside its number.
_TOLD = ("train_loss", "valid_loss", "valid_score")


def train(
    net,
    training,
    validation,
    parameters,
    n_epochs,
    generator,
    share=(0.0, 1.0),
    score=None,
    tasks=None,
    progress=None,
):
    """Train a net for some more epochs; with early stopping, keep the best.

    Parameters
    ----------
    net : GroupNet
    training : PackedGroups
    validation : PackedGroups or None
    parameters : namespace
        Resolved parameters of the ranker.
    n_epochs : int
    generator : torch.Generator
        Draws the dropout, on the device of the net.
    share : (float, float) or None
        How much of the whole training is done before and after these epochs,
        for "one_cycle". None is not known, and leaves the rate constant.
    score : callable or None, default=None
        ``score(net)``, larger is better: recorded as "valid_score", it decides about
        early stopping in place of the loss.
    tasks : EpochTasks or None, default=None
        Its ``begin()`` and ``end()`` are called around each epoch; the second tells
        whether to stop.
    progress : object or None, default=None
        Of :func:`~sklearn_pscore._progress.progress_of`, with a step for each epoch.
        None is silent.

    Raises
    ------
    ValueError
        If the loss is not finite any more.
    """
    packed = (training, validation)
    for groups in packed:
        if groups is not None:
            inputs = None
            if groups.shortcut_scores is not None or net.module_.shortcut is None:
                # The scaling is fixed, and no shortcut reads the features.
                inputs = LayerInputs(net.module_, is_training=groups is training)
            groups.place(net.device, bytes_to_place(net.device), inputs)
    lasting_callbacks = net.callbacks_
    is_scheduled = any(isinstance(each, LRScheduler) for _, each in lasting_callbacks)
    if parameters.learning_rate == "one_cycle" and share and not is_scheduled:
        n_steps = n_epochs * len(net.get_iterator(training))
        schedule = ("one_cycle", OneCycle(*share, n_steps))
        net.callbacks_ = [*lasting_callbacks, schedule]
    monitor, best = "valid_loss", None
    if score is not None:
        # First, so that the others find the score.
        monitor = "valid_score"
        net.callbacks_ = [(monitor, ValidScore(score)), *net.callbacks_]
    if validation is not None and parameters.early_stopping:
        best = BestEpoch(parameters.n_iter_no_change, monitor)
    net.generator_ = generator
    net.n_folds = training.n_folds
    net.notify("on_train_begin", X=packed, y=None)
    for _ in range(n_epochs):
        if tasks is not None:
            tasks.begin()
        is_over = _train_one_epoch(net, packed)
        if progress is not None:
            progress.update(1, told_epoch(net), is_milestone=parameters.verbose > 1)
        if not np.isfinite(net.history[-1, "train_loss"]):
            _raise_non_finite(net, parameters)
        if tasks is not None:
            is_over |= tasks.end()
        if best is not None:
            is_over |= best.is_last(net)
        if is_over:
            break
    if best is not None:
        best.restore(net)
        if progress is not None and best.n_misses:
            progress.end(*best.told())
    # Whoever calls the module later wants no dropout, and no batch normalised.
    net.module_.eval()
    net.notify("on_train_end", X=packed, y=None)
    net.callbacks_ = lasting_callbacks
    net.generator_ = None


def bytes_to_place(device):
    """Return how much of a device's memory the items may take: half of what is free."""
    if torch.device(device).type != "cuda":
        return 0
    return torch.cuda.mem_get_info(device)[0] // 2


def told_epoch(net):
    """Return what the last epoch of a net was like, as text."""
    values = net.history[-1]
    told = (f"{key} {values[key]:#.4g}" for key in _TOLD if key in values)
    return ", ".join(told)


def check_finite(net, parameters):
    """Raise ValueError if a weight is not finite: the last step is after the last loss."""
    if not all(weights.isfinite().all() for weights in net.module_.parameters()):
        _raise_non_finite(net, parameters)


def _raise_non_finite(net, parameters):
    raise ValueError(
        f"The scores became non-finite in epoch {len(net.history)} with "
        f"learning_rate_init={parameters.learning_rate_init} and "
        f"weight_decay={parameters.weight_decay}; expected finite scores throughout. "
        "Lower learning_rate_init or weight_decay, or scale X, for example with "
        "StandardScaler."
    )


def _train_one_epoch(net, packed):
    """Train for an epoch; return whether a skorch EarlyStopping asks to stop."""
    try:
        net.fit_loop(packed, epochs=1)
    except KeyboardInterrupt:
        # This is how skorch's EarlyStopping ends training; else it is Ctrl-C.
        if not any(
            isinstance(callback, EarlyStopping)
            and callback.misses_ >= callback.patience
            for _, callback in net.callbacks_
        ):
            raise
        return True
    except MONITOR_ERRORS as error:
        explain_monitor(error, net)
        if packed[1] is None and isinstance(error, KeyError):
            note_missing_validation(error, net.callbacks_)
        raise
    return False


class OneCycle(Callback):
    """Let the learning rate rise and fall by half a cosine each, to zero at the end.

    Smith and Topin, "Super-convergence", 2018, arXiv:1708.07120.

    Parameters
    ----------
    first, last : float
        Share of the whole training that is done at the first step, and after
        the last one.
    n_steps : int
        Steps in between.
    """

    def __init__(self, first, last, n_steps):
        self.first = first
        self.last = last
        self.n_steps = n_steps
        self.step_ = 0

    def on_batch_begin(self, net, training=False, **kwargs):
        """Set the rate of a step."""
        if training:
            rate = net.lr * self.share_of_rate(self.step_)
            for group in net.optimizer_.param_groups:
                group["lr"] = rate
            self.step_ += 1

    def share_of_rate(self, step):
        """Return the rate of a step, as a share of the largest."""
        done = self.first + (self.last - self.first) * step / self.n_steps
        if done < _PEAK:
            return _START + (1 - _START) * (1 - math.cos(math.pi * done / _PEAK)) / 2
        # The pieces of a split group may take a few steps more than were counted.
        left = max(0.0, 1 - done) / (1 - _PEAK)
        return (1 - math.cos(math.pi * left)) / 2


class ValidScore(Callback):
    """Record a score of the net after each epoch, and whether it is the best so far.

    Parameters
    ----------
    score : callable
        ``score(net)``, larger is better.
    """

    def __init__(self, score):
        self.score = score
        self.best_ = -np.inf

    def on_epoch_end(self, net, **kwargs):
        """Score the net."""
        score = self.score(net)
        net.history.record("valid_score", score)
        net.history.record("valid_score_best", score > self.best_)
        self.best_ = max(score, self.best_)


class BestEpoch:
    """The epoch that is best on the validation set.

    Parameters
    ----------
    patience : int
        Epochs without improvement until training is over.
    monitor : {"valid_loss", "valid_score"}
        What is looked at: the smallest loss, or the largest score.
    """

    def __init__(self, patience, monitor):
        self.patience = patience
        self.monitor = monitor
        self.n_misses = 0
        self.loss_to_beat = np.inf
        self.epoch = None
        self.weights = None

    def is_last(self, net):
        """Take note of the net's last epoch; return whether to stop after it."""
        loss, least_gain = net.history[-1, self.monitor], _LEAST_GAIN
        if self.monitor == "valid_score":
            # Any gain counts, for a score may be a share of few pairs.
            loss, least_gain = -loss, 0.0
        if loss < self.loss_to_beat:
            self.n_misses = 0
            self.loss_to_beat = loss - least_gain * loss
            self.epoch = net.history[-1, "epoch"]
            self.weights = deepcopy(net.module_.state_dict())
        else:
            self.n_misses += 1
        return self.n_misses >= self.patience

    def told(self):
        """Return what came of the training as text, in full and in short."""
        kept = f"kept epoch {self.epoch}"
        if self.n_misses < self.patience:
            return kept, kept
        missed = f"{self.monitor} has not improved in the last {self.patience} epochs"
        return f"stopped, for {missed}; {kept}", kept

    def restore(self, net):
        """Give the net the weights of the best epoch, if the last was another."""
        if self.epoch in (None, net.history[-1, "epoch"]):
            return
        net.module_.load_state_dict(self.weights)
