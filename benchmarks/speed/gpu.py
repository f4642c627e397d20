"""What does a GPU gain? The same work on the CPU and on CUDA, in one run.

    python -m benchmarks.speed.gpu [--smoke] [--out FILE]

writes ``results/gpu.csv``, one row per work, device and repetition: fits with the
defaults on graded groups (``graded_groups.py``), scores of a million rows, epochs
alone by ``fit``, by ``fit_dask`` on one worker, and of wide layers, the pairwise loss
with its gradient of one large group, and of a smaller one by both ways to compute it,
and the copies that ``fit_dask`` makes of gradients. Devices take turns; the first run
of each is not counted. On a machine without CUDA, only the CPU's rows are made; they
are written to ``--out`` alone, never over those with a GPU. ``--smoke`` runs small
sizes, writes nothing, and fails if the two devices disagree.
"""

import time
from functools import partial

import numpy as np
import pandas as pd
import torch

from benchmarks.shared.command_line import exit_if, parser_with_smoke
from benchmarks.shared.results import write_timings
from benchmarks.speed.graded_groups import GradedGroups
from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore._torch.losses.ranknet import sum_over_pairs

# Rows, features and items of a group.
FITS = [(640, 24, 8), (20_000, 20, 20), (100_000, 136, 100)]
# A few epochs alone, without the start, which is on the CPU in any case.
STEPS = {"shortcut": None, "max_epochs": 10}
WIDE = {"shortcut": None, "max_epochs": 2, "hidden_layer_sizes": (512, 256)}
N_SCORED, N_ITEMS, N_REPETITIONS = 10**6, (10**5, 10**6, 10**7), 3
# What a rank of fit_dask sends in a step, of the default network of 20 features.
N_COPIES, N_VALUES = 1000, 8805
# Items of groups that may go either way in the loss, and how often they do.
CROSSING, N_MEMBERS, N_LOSSES = (256, 1024, 4096), 5, 10


def fit(n_rows, n_features, group_size, **settings):
    """Return a function that fits on a device and returns its training accuracy."""
    X, grade, group = GradedGroups(n_features, group_size).draw(n_rows, seed=1)
    groups = Groups.from_arrays(group=group, preference=grade)

    def run(device):
        ranker = PairwisePreferenceRanker(device=device, random_state=0, **settings)
        return ranker.fit(X, groups).score(X, groups)

    return run


def fit_dask(n_rows, n_features, group_size, **settings):
    """Return what :func:`fit` does, of a cluster of one worker in this process."""
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    X, grade, group = GradedGroups(n_features, group_size).draw(n_rows, seed=1)
    frame = pd.DataFrame(X, columns=[f"feature_{k:03d}" for k in range(n_features)])
    table = dd.from_pandas(frame.assign(group=group, grade=grade), npartitions=1)
    groups = Groups.from_arrays(group=group, preference=grade)
    cluster = LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        protocol="tcp://",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    )
    client = Client(cluster)

    def run(device):
        ranker = PairwisePreferenceRanker(device=device, random_state=0, **settings)
        ranker.fit_dask(table, group="group", preference="grade", client=client)
        return ranker.score(frame, groups)

    return run


def scoring(n_rows, n_features=136):
    """Return a function that scores rows and returns their spread."""
    data = GradedGroups(n_features)
    X, grade, group = data.draw(2_000, seed=1)
    groups = Groups.from_arrays(group=group, preference=grade)
    many = data.draw(n_rows, seed=2)[0]
    rankers = {}

    def run(device):
        if device not in rankers:
            ranker = PairwisePreferenceRanker(device=device, random_state=0)
            rankers[device] = ranker.set_params(max_epochs=2).fit(X, groups)
        return rankers[device].predict(many).std()

    return run


def loss(n_items, n_members=1, n_losses=1, largest_dense=None):
    """Return a function that computes loss and gradient of one group, of 7 levels."""
    generator = torch.Generator().manual_seed(0)
    scores = 6 * torch.rand(n_members, n_items, generator=generator)
    level = torch.arange(n_items) * 7 // n_items
    parts = scores, level, torch.ones(n_items)
    moved = {}

    def run(device):
        if device not in moved:
            moved[device] = [part.to(device) for part in parts]
        for _ in range(n_losses):
            value, *_ = sum_over_pairs(
                *moved[device],
                torch.tensor([n_items]),
                largest_dense_group=largest_dense,
            )
        return float(value)

    return run


def copies(n_copies, n_values):
    """Return a function that sends gradients to the CPU and back, one after another."""

    def run(device):
        gradient = torch.ones(n_values, device=device)
        for _ in range(n_copies):
            gradient = gradient.cpu().to(device)
        return float(gradient.sum())

    return run


def works(smoke):
    """Return functions that make the work, by its name."""
    if smoke:
        return {"fit 640 x 24": partial(fit, 640, 24, 8), "loss": partial(loss, 10**4)}
    return {
        **{f"fit {n:,} x {m}": partial(fit, n, m, size) for n, m, size in FITS},
        f"score {N_SCORED:,} x 136": partial(scoring, N_SCORED),
        "10 epochs, 20,000 x 20": partial(fit, *FITS[1], **STEPS),
        "10 epochs, 20,000 x 20, fit_dask": partial(fit_dask, *FITS[1], **STEPS),
        "2 epochs, 100,000 x 136, layers of 512 and 256": partial(
            fit, *FITS[2], **WIDE
        ),
        **{f"loss of {n:,} items": partial(loss, n) for n in N_ITEMS},
        **{
            f"{N_LOSSES} losses of {n:,} items, {way}": partial(
                loss, n, N_MEMBERS, N_LOSSES, largest
            )
            for n in CROSSING
            for way, largest in (("all pairs", n), ("expansion", 0))
        },
        f"{N_COPIES:,} gradients to the CPU and back": partial(
            copies, N_COPIES, N_VALUES
        ),
    }


def measure(smoke):
    """Return one row per work, device and repetition."""
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    rows = []
    for name, make in works(smoke).items():
        run = make()
        for repetition in range(1 + (1 if smoke else N_REPETITIONS)):
            for device in devices:
                start = time.perf_counter()
                result = run(device)
                if device == "cuda":
                    torch.cuda.synchronize()
                seconds = time.perf_counter() - start
                if repetition:
                    rows.append((name, device, repetition, seconds, result))
        print(f"{name}: {rows[-len(devices) :]}", flush=True)
    columns = ["work", "device", "repetition", "seconds", "result"]
    table = pd.DataFrame(rows, columns=columns)
    if "cuda" in devices:
        table["gpu"] = torch.cuda.get_device_name()
    return table


def failures_of(rows):
    """Return a message for each work whose devices disagree."""
    result = rows.pivot_table("result", "work", "device")
    return [
        f"{work}: {values.to_dict()} is not the same on the devices"
        for work, values in result.iterrows()
        if not np.allclose(values, values.iloc[0], rtol=0.03)
    ]


if __name__ == "__main__":
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--out", help="write the rows to this file as well")
    arguments = parser.parse_args()
    table = measure(arguments.smoke)
    print(table.groupby(["work", "device"], sort=False)["seconds"].median().unstack())
    if arguments.smoke:
        exit_if(failures_of(table))
    else:
        if arguments.out:
            table.to_csv(arguments.out, index=False)
        if "gpu" in table:
            write_timings("gpu", table)
