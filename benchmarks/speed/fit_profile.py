"""Where does the time of a fit with the defaults go?

Graded groups (graded_groups.py) of 640 x 24, 20,000 x 20 and 100,000 x 136, in groups of
8, 20 and 100. Parts are timed inside the fit, each without the parts that it calls, in
seconds of a processor by one thread, which other programs change little; the rest is
skorch, checks and the interpreter.

    python -m benchmarks.speed.fit_profile [--smoke]

writes ``results/fit_profile.csv``, one row per table, repetition and part. ``--smoke``
runs the smallest, writes nothing, and fails if the parts do not add up to the fit.
"""

import time

import pandas as pd
import torch

from benchmarks.shared.command_line import run_benchmark
from benchmarks.speed import step_profile
from benchmarks.speed.graded_groups import GradedGroups
from benchmarks.speed.single_net import warm_up
from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore._rankers import training
from sklearn_pscore._rankers.pairwise import PairwisePreferenceRanker as Ranker
from sklearn_pscore._torch import net, shortcut_fit
from sklearn_pscore._torch.losses.ranknet import PairwiseLogisticLoss
from sklearn_pscore._torch.network import ByteDropout, MemberLinear, ScoreNetwork
from sklearn_pscore._torch.packing import PackedGroups

# Rows, features, items of a group, and fits.
CASES = {
    "640 x 24": (640, 24, 8, 5),
    "20,000 x 20": (20_000, 20, 20, 3),
    "100,000 x 136": (100_000, 136, 100, 2),
}
PARTS = {
    "checks": (Ranker, "_check"),
    "packing, scaling and edges": (training, "build_net"),
    "shortcut: fits": (shortcut_fit, "fit_linear"),
    "shortcut: columns and scores": (training, "freeze_fitted_shortcut"),
    "which features count": (shortcut_fit, "strengths"),
    "pairs that count together": (shortcut_fit, "interacting"),
    "weighing the parts": (training, "weigh_and_center"),
    "picking rows": (PackedGroups, "batch"),
    "scaling": (net.InputScaling, "forward"),
    "Linear layers, forward": (MemberLinear, "forward"),
    "dropout, forward": (ByteDropout, "forward"),
    "ReLU and sums, forward": (ScoreNetwork, "forward"),
    "loss and its gradient": (PairwiseLogisticLoss, "forward"),
    "backward": (torch.Tensor, "backward"),
    "AdamW's kernel": (torch, "_fused_adamw_"),
}


def profile(n_rows, n_features, group_size):
    """Return the seconds of a processor by part of one fit."""
    X, grade, group = GradedGroups(n_features, group_size).draw(n_rows, seed=1)
    groups = Groups.from_arrays(group=group, preference=grade)
    stopwatch = step_profile.Stopwatch(time.process_time)
    with stopwatch.watching(PARTS):
        start = time.process_time()
        PairwisePreferenceRanker(random_state=0).fit(X, groups)
        seconds = time.process_time() - start
    parts = {part: stopwatch.seconds[part] for part in PARTS}
    return parts | {step_profile.REST: seconds - sum(parts.values())}


def seconds_by_part(rows):
    """Return the median seconds, parts x tables."""
    return rows.pivot_table("seconds", "part", "case", aggfunc="median", sort=False)


def measure(smoke):
    """Profile every table, in a smoke run the smallest; print the medians."""
    torch.set_num_threads(1)
    warm_up()
    rows = []
    for case, (*shape, n_fits) in CASES.items():
        if smoke and case != "640 x 24":
            continue
        for repetition in range(n_fits):
            for part, seconds in profile(*shape).items():
                rows.append((case, repetition, part, seconds))
    rows = pd.DataFrame(rows, columns=["case", "repetition", "part", "seconds"])
    print(seconds_by_part(rows).round(3).to_string())
    return rows


def failures_of(rows):
    """Return a message for each bound that a smoke run breaks."""
    if (seconds_by_part(rows).loc[[*PARTS, step_profile.REST]] < 0).any(axis=None):
        return ["a part of a fit takes less than no time: the parts do not add up"]
    return []


if __name__ == "__main__":
    run_benchmark("fit_profile", __doc__, measure, failures_of)
