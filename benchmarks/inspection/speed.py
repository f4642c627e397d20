"""How long does a leaderboard of many systems take?

200 systems in 500 groups with 2,000 draws, each group with all systems and with seven
in ten of them; and smaller ones. The time of one call, after one that warms up.

    python -m benchmarks.inspection.speed [--smoke]

writes ``results/leaderboard_speed.csv``. ``--smoke`` fails if 50 systems in 100 groups
take more than 5 seconds, and writes nothing.
"""

import time

import numpy as np
import pandas as pd

from benchmarks.shared.command_line import run_benchmark
from sklearn_pscore import Groups
from sklearn_pscore.inspection import bootstrap_leaderboard

# Systems, groups, draws.
SIZES = ((10, 100, 2000), (50, 500, 2000), (200, 500, 2000))
SHARES = (1.0, 0.7)


def draw(n_systems, n_groups, share, seed=0):
    """Return a target of systems whose means are spaced."""
    rng = np.random.default_rng(seed)
    value = rng.standard_normal((n_groups, n_systems)) + np.linspace(0, 2, n_systems)
    group, item = np.nonzero(rng.random(value.shape) < share)
    return Groups.from_arrays(group=group, item=item, preference=value[group, item])


def measure(smoke):
    """Measure all sizes three times, print the medians."""
    sizes = ((50, 100, 500),) if smoke else SIZES
    rows = []
    for n_systems, n_groups, n_boot in sizes:
        for share in SHARES:
            groups = draw(n_systems, n_groups, share)
            for repetition in range(4):
                start = time.perf_counter()
                bootstrap_leaderboard(groups, n_boot=n_boot, random_state=repetition)
                seconds = time.perf_counter() - start
                if repetition:
                    rows.append(
                        {
                            "systems": n_systems,
                            "groups": n_groups,
                            "draws": n_boot,
                            "share": share,
                            "repetition": repetition,
                            "seconds": seconds,
                        }
                    )
    rows = pd.DataFrame(rows)
    print(medians(rows).to_string())
    return rows


def medians(rows):
    """Return the median time of each size."""
    keys = ["systems", "groups", "draws", "share"]
    return rows.groupby(keys, sort=False)["seconds"].median()


def failures_of(rows):
    """Return a message if the smoke run was slow."""
    slowest = medians(rows).max()
    return [f"a leaderboard took {slowest:.1f} s"] if slowest > 5 else []


if __name__ == "__main__":
    run_benchmark("leaderboard_speed", __doc__, measure, failures_of)
