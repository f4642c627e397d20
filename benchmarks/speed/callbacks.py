"""Callbacks of skorch that read the clock during a fit."""

import time
from copy import deepcopy

import numpy as np
from skorch.callbacks import Callback

from benchmarks.speed.curves import as_curve


def callback_of(net, kind):
    """Return the callback of a kind that a fitted net has; a net holds copies."""
    return next(each for _, each in net.callbacks_ if isinstance(each, kind))


class EpochClock(Callback):
    """Read the clock at the start and after every epoch, and keep the training groups.

    Attributes
    ----------
    seconds_ : list of float
        One reading more than epochs.
    packed_ : PackedGroups
    """

    def on_train_begin(self, net, X=None, **kwargs):
        """Keep the packed training groups, and start the clock."""
        self.packed_ = X[0]
        self.seconds_ = [time.perf_counter()]

    def on_epoch_end(self, net, **kwargs):
        """Read the clock."""
        self.seconds_.append(time.perf_counter())


class Snapshots(Callback):
    """Keep seconds and weights of a skorch net after every epoch.

    Parameters
    ----------
    every_n_batches : int or None
        Also inside an epoch, after so many batches.
    """

    def __init__(self, every_n_batches=None):
        self.every_n_batches = every_n_batches

    def initialize(self):
        """Start with nothing."""
        self.seconds_, self.weights_, self.rounds_ = [], [], []
        self.n_batches_ = self.n_epochs_ = 0
        self.copying_seconds_ = 0.0
        return self

    def on_batch_end(self, net, training=False, **kwargs):
        """Keep the weights inside an epoch."""
        self.n_batches_ += training
        if self.every_n_batches and self.n_batches_ % self.every_n_batches == 0:
            self._keep(net, np.nan)

    def on_epoch_end(self, net, **kwargs):
        """Keep the weights after an epoch."""
        self.n_epochs_ += 1
        self._keep(net, self.n_epochs_)

    def _keep(self, net, n_rounds):
        now = time.perf_counter()
        self.seconds_.append(now - self.copying_seconds_)
        self.rounds_.append(n_rounds)
        self.weights_.append(deepcopy(net.module_.state_dict()))
        # Copying the weights is not part of the fit.
        self.copying_seconds_ += time.perf_counter() - now

    def curve(self, net, start, judge):
        """Return (seconds, rounds, score) of each snapshot; `judge` takes no argument."""
        final = deepcopy(net.module_.state_dict())
        points = []
        for seconds, n_rounds, weights in zip(
            self.seconds_, self.rounds_, self.weights_, strict=True
        ):
            net.module_.load_state_dict(weights)
            points.append((seconds - start, n_rounds, judge()))
        net.module_.load_state_dict(final)
        return as_curve(points)
