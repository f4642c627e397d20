"""What does an epoch of `fit` cost above a bare torch loop?

The same network, loss, optimiser and batches: once through
``PairwisePreferenceRanker.fit`` and once in a loop of a few lines that knows all
groups to be of one size. A third loop has the loss that people write by hand, all
pairs of a group at once with the gradient by autograd. The flops of the Linear
layers over the time of an epoch are compared with the machine's sgemm.

    python -m benchmarks.speed.epoch [--smoke]

writes ``results/epoch.csv``, one row per epoch after the first. ``--smoke`` runs
the small case, writes nothing, and fails if `fit` takes twice the bare loop.
"""

import time
from copy import deepcopy

import numpy as np
import pandas as pd
import torch
from sklearn.preprocessing import StandardScaler
from torch.nn.functional import softplus

from benchmarks.shared.command_line import run_benchmark
from benchmarks.speed.callbacks import EpochClock, callback_of
from benchmarks.speed.graded_groups import GradedGroups
from benchmarks.speed.single_net import n_flops_per_row, single_net_ranker, warm_up
from sklearn_pscore import Groups

CASES = {
    "4,000 x 12": {"n": 4_000, "features": 12, "group_size": 8, "batch_size": 200},
    "400,000 x 136": {
        "n": 400_000,
        "features": 136,
        "group_size": 100,
        "batch_size": 2_000,
    },
}


def fit_epochs(X, groups, n_epochs, batch_size):
    """Return the seconds of each epoch of `fit`, and the fitted net."""
    ranker = single_net_ranker(
        max_epochs=n_epochs, batch_size=batch_size, callbacks=[EpochClock()]
    )
    net = ranker.fit(X, groups).net_
    clock = callback_of(net, EpochClock)
    return np.diff(clock.seconds_), net, clock.packed_


def bare_epochs(net, packed, n_epochs, batch_size, group_size, loss):
    """Return the seconds of each epoch of a bare loop.

    `loss` takes scores, the target of a batch, and the number of its groups.
    """
    module = deepcopy(net.module_).train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.01, fused=True)
    n_groups = len(packed) // group_size
    X, target = packed.batch(np.arange(n_groups))
    X = X.view(n_groups, group_size, -1)
    # Values per row and values per group alike; folds are None where none is left out.
    fields = [None if field is None else field.view(n_groups, -1) for field in target]
    make = getattr(target, "_make", tuple)
    seconds = []
    for _ in range(n_epochs):
        start = time.perf_counter()
        for drawn in torch.randperm(n_groups).split(batch_size // group_size):
            batch = X[drawn].flatten(0, 1)
            picked = make(
                None if field is None else field[drawn].flatten() for field in fields
            )
            optimizer.zero_grad()
            cost = loss(module(batch), picked, len(drawn))
            cost.backward()
            optimizer.step()
        seconds.append(time.perf_counter() - start)
    return np.array(seconds)


def by_hand(scores, target, n_groups):
    """Return the mean loss over all pairs of groups of one size, all at once."""
    scores, level = scores.view(n_groups, -1), target[0].view(n_groups, -1)
    pair = level[:, :, None] > level[:, None, :]
    margin = scores[:, :, None] - scores[:, None, :]
    return softplus(-margin[pair]).mean()


def sgemm_gflops(n=2048, n_repetitions=5):
    """Return the best rate of a product of two square float32 matrices."""
    A, B = torch.rand(2, n, n)
    best = np.inf
    for _ in range(n_repetitions):
        start = time.perf_counter()
        torch.mm(A, B)
        best = min(best, time.perf_counter() - start)
    return 2 * n**3 / best / 1e9


def measure_case(case, n_epochs, n_rounds):
    """Return one row per method and epoch; rounds alternate between methods."""
    n, batch_size, group_size = case["n"], case["batch_size"], case["group_size"]
    X, grade, group = GradedGroups(case["features"], group_size).draw(n, seed=0)
    X = StandardScaler().fit_transform(X)
    groups = Groups.from_arrays(group=group, preference=grade)
    rows = []
    for repetition in range(n_rounds):
        seconds, net, packed = fit_epochs(X, groups, n_epochs, batch_size)
        # Groups in which all items are alike are not trained on.
        n_rows = len(packed)

        def loss_of_fit(scores, target, n_groups, net=net):
            return net.criterion_(scores, target)

        runs = {"fit": seconds}
        for method, loss in (
            ("bare loop", loss_of_fit),
            ("bare loop, loss by hand", by_hand),
        ):
            runs[method] = bare_epochs(
                net, packed, n_epochs, batch_size, group_size, loss
            )
        rows += [
            {
                "method": method,
                "repetition": repetition,
                "epoch": epoch,
                "seconds": taken,
                "gflops": n_rows * n_flops_per_row(case["features"]) / taken / 1e9,
            }
            for method, seconds in runs.items()
            for epoch, taken in enumerate(seconds)
            if epoch  # the first one warms up
        ]
    return pd.DataFrame(rows).assign(sgemm_gflops=sgemm_gflops())


def measure(smoke):
    """Measure every case, in a smoke run the small one; print the medians."""
    warm_up()
    parts = []
    for name, case in CASES.items():
        is_small = case["n"] < 10_000
        if smoke and not is_small:
            continue
        n_epochs, n_rounds = (20, 3) if is_small else (4, 3)
        part = measure_case(case, n_epochs, n_rounds).assign(case=name)
        medians = part.groupby("method", sort=False)["seconds"].median()
        print(f"{name}: seconds of an epoch, medians\n{medians.round(4).to_string()}")
        rate = part.loc[part["method"] == "fit", "gflops"].median()
        sgemm = part["sgemm_gflops"].max()
        ratio = times_bare_loop(part)
        print(f"fit / bare loop {ratio:.2f}; {rate:.1f} of {sgemm:.1f} GFLOP/s\n")
        parts.append(part)
    return pd.concat(parts)


def times_bare_loop(rows):
    """Return the median epoch of `fit` over that of the bare loop."""
    medians = rows.groupby("method")["seconds"].median()
    return medians["fit"] / medians["bare loop"]


def failures_of(rows):
    """Return a message for each bound that a smoke run breaks."""
    ratio = times_bare_loop(rows)
    if ratio > 2:
        return [f"an epoch of fit takes {ratio:.2f} times that of the bare loop"]
    return []


if __name__ == "__main__":
    run_benchmark("epoch", __doc__, measure, failures_of)
