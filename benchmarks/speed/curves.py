"""Score against seconds: what a model has reached after each round of a fit.

Only the fit is on the clock. A round is an epoch of a net or a tree of an
ensemble; the clock is read after each, and the model as it was after some of
the rounds is judged when the fit is over.
"""

import time
from copy import deepcopy

import numpy as np
import pandas as pd
from skorch.callbacks import Callback


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
        self.aside_ = 0.0
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
        self.seconds_.append(now - self.aside_)
        self.rounds_.append(n_rounds)
        self.weights_.append(deepcopy(net.module_.state_dict()))
        # What it takes to keep the weights is not part of the fit.
        self.aside_ += time.perf_counter() - now

    @classmethod
    def of(cls, net):
        """Return the one that a fitted net has; nets hold copies."""
        return next(each for _, each in net.callbacks_ if isinstance(each, cls))

    def curve(self, net, start, judge):
        """Return (seconds, rounds, score) of each snapshot; `judge` takes no argument."""
        last = deepcopy(net.module_.state_dict())
        points = []
        for seconds, n_rounds, weights in zip(
            self.seconds_, self.rounds_, self.weights_, strict=True
        ):
            net.module_.load_state_dict(weights)
            points.append((seconds - start, n_rounds, judge()))
        net.module_.load_state_dict(last)
        return as_curve(points)


def as_curve(points):
    """Return points (seconds, rounds, score) as a frame."""
    return pd.DataFrame(points, columns=["seconds", "rounds", "score"])


def seconds_to(curve, score):
    """Return the seconds after which a curve first has a score, NaN if never."""
    reached = curve.loc[curve["score"] >= score, "seconds"]
    return reached.iloc[0] if len(reached) else np.nan


def seconds_of_a_round(curve):
    """Return the mean seconds of a round after the first, or of the only one."""
    ends = curve.dropna(subset="rounds")[["seconds", "rounds"]]
    first, last = ends.iloc[0], ends.iloc[-1]
    if len(ends) == 1:
        return last["seconds"] / last["rounds"]
    return (last["seconds"] - first["seconds"]) / (last["rounds"] - first["rounds"])
