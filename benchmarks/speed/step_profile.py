"""What does a training step spend its time on?

Three fits as the other benchmarks run them: 4,000 x 12 in batches of 200
(epoch.py), the pairs of the paper (paper_workload.py), and 400,000 x 136 in
batches of 1,000 (large_ranking.py). The parts of a step are timed inside a fit,
each without the parts that it calls; the rest is skorch, the optimiser's Python
and the interpreter.

    python -m benchmarks.speed.step_profile [--smoke]

writes ``results/step_profile.csv``, one row per case, fit, epoch and part, with the
microseconds of a step. ``--smoke`` runs the smallest case, writes nothing, and
fails if the parts do not add up to the epoch.
"""

import functools
import time
from collections import defaultdict
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from skorch.callbacks import Callback

from benchmarks.shared.command_line import run_benchmark
from benchmarks.speed import large_ranking, paper_workload
from benchmarks.speed.callbacks import EpochClock, callback_of
from benchmarks.speed.epoch import CASES
from benchmarks.speed.graded_groups import GradedGroups
from benchmarks.speed.single_net import single_net_ranker, warm_up
from sklearn_pscore import Groups
from sklearn_pscore._torch.inputs import InputScaling
from sklearn_pscore._torch.losses.ranknet import PairwiseLogisticLoss
from sklearn_pscore._torch.network import MemberBatchNorm, MemberLinear, ScoreNetwork
from sklearn_pscore._torch.packing import PackedGroups

PARTS = {
    "picking rows": (PackedGroups, "batch"),
    "scaling": (InputScaling, "forward"),
    "Linear layers, forward": (MemberLinear, "forward"),
    "batch norm, forward": (MemberBatchNorm, "forward"),
    "ReLU and sums, forward": (ScoreNetwork, "forward"),
    "loss and its gradient": (PairwiseLogisticLoss, "forward"),
    "backward": (torch.Tensor, "backward"),
    "AdamW's kernel": (torch, "_fused_adamw_"),
}
REST = "skorch, optimiser, interpreter"


class Stopwatch:
    """Seconds inside some functions, without the timed functions that they call.

    Parameters
    ----------
    clock : callable, default=time.perf_counter
        Returns seconds.
    """

    def __init__(self, clock=time.perf_counter):
        self.clock = clock
        self.seconds = defaultdict(float)
        self._inside = []

    def timed(self, function, part):
        """Return the function, on the clock."""

        @functools.wraps(function)
        def call(*args, **kwargs):
            self._inside.append(0.0)
            start = self.clock()
            try:
                return function(*args, **kwargs)
            finally:
                taken = self.clock() - start
                self.seconds[part] += taken - self._inside.pop()
                if self._inside:
                    self._inside[-1] += taken

        return call

    def watching(self, parts):
        """Return a context in which the parts are on the clock."""
        stack = ExitStack()
        for part, (owner, name) in parts.items():
            stack.enter_context(
                patch.object(owner, name, self.timed(getattr(owner, name), part))
            )
        return stack


class StepParts(Callback):
    """Keep the readings of a stopwatch after every epoch."""

    def __init__(self, stopwatch):
        self.stopwatch = stopwatch

    def __deepcopy__(self, memo):
        # The net has a copy of its callbacks; the stopwatch is the same one.
        return StepParts(self.stopwatch)

    def initialize(self):
        """Start with nothing."""
        self.readings_, self.n_steps_ = [], 0
        return self

    def on_train_begin(self, net, **kwargs):
        """Keep the reading before the first step."""
        self.readings_.append(dict(self.stopwatch.seconds))

    def on_batch_end(self, net, training=False, **kwargs):
        """Count steps."""
        self.n_steps_ += training

    def on_epoch_end(self, net, **kwargs):
        """Keep the reading after an epoch."""
        self.readings_.append(dict(self.stopwatch.seconds))


def profile(X, groups, **params):
    """Return one row per epoch and part: microseconds of a step."""
    stopwatch = Stopwatch()
    ranker = single_net_ranker(callbacks=[EpochClock(), StepParts(stopwatch)], **params)
    with stopwatch.watching(PARTS):
        net = ranker.fit(X, groups).net_
    clock, parts = callback_of(net, EpochClock), callback_of(net, StepParts)
    seconds = (
        pd.DataFrame(parts.readings_, columns=list(PARTS)).fillna(0.0).diff().iloc[1:]
    )
    seconds[REST] = np.diff(clock.seconds_) - seconds.sum(axis=1)
    steps = 1e6 * seconds * len(seconds) / parts.n_steps_
    rows = steps.rename_axis("epoch").rename_axis("part", axis=1).stack()
    return rows.rename("microseconds").reset_index()


def cases(smoke):
    """Yield the name, the data and the parameters of each fit, and how many fits."""
    small = CASES["4,000 x 12"]
    X, grade, group = GradedGroups(small["features"], small["group_size"]).draw(
        small["n"], seed=0
    )
    groups = Groups.from_arrays(group=group, preference=grade)
    params = {"batch_size": small["batch_size"], "max_epochs": 10}
    yield "4,000 x 12, 200", X, groups, params, 3
    if smoke:
        return
    X, preference, group, _, _ = paper_workload.make_items(0)
    groups = Groups.from_arrays(group=group, preference=preference)
    yield "the paper's pairs", X, groups, paper_workload.OURS, 10
    X, grade, group = GradedGroups(large_ranking.N_FEATURES).draw(400_000, seed=(0, 0))
    groups = Groups.from_arrays(group=group, preference=grade)
    yield "400,000 x 136, 1,000", X, groups, large_ranking.SINGLE_NET, 1


def medians_by_part(rows):
    """Return the median microseconds of a step, parts x cases."""
    return rows.pivot_table(
        "microseconds", "part", "case", aggfunc="median", sort=False
    )


def measure(smoke):
    """Profile every case, in a smoke run the smallest; print the medians."""
    warm_up()
    parts = []
    for name, X, groups, params, n_fits in cases(smoke):
        profile(X[:1000], groups[:1000], **params)  # warms up
        for repetition in range(n_fits):
            rows = profile(X, groups, **params)
            parts.append(rows.assign(case=name, repetition=repetition))
    table = pd.concat(parts)
    medians = medians_by_part(table)
    print(medians.round().to_string(), "\n(microseconds of a step, medians)")
    return table


def failures_of(rows):
    """Return a message for each bound that a smoke run breaks."""
    if (medians_by_part(rows) <= 0).any(axis=None):
        return ["a part of a step takes no time: the parts do not add up"]
    return []


if __name__ == "__main__":
    run_benchmark("step_profile", __doc__, measure, failures_of)
