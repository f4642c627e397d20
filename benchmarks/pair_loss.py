"""What does the loss of all pairs of one group cost, and who is cheaper?

Loss and gradient of the pairwise logistic loss for one group of n items with
scores in [0, 6]: by expansion (this package), dense in tiles and dense in one
piece, with 7 levels of preference and with all preferences different.

    python benchmarks/pair_loss.py [--smoke]

writes ``results/pair_loss.csv``, one row per repetition, and prints medians.
``--smoke`` runs small sizes, writes nothing, and fails if the expansion is not
at least 10 times as fast as the tiles at 8,000 items, or if ten times the items
cost more than 20 times as much.
"""

import argparse
import resource
import sys
import time

import pandas as pd
import torch
from records import write_rows
from torch.nn.functional import softplus

from sklearn_pscore._torch import _expansion

N_REPETITIONS = 5
# Beyond, the dense ones take minutes or many gigabytes.
LARGEST = {"expansion": 10**7, "dense tiles": 10**4, "dense": 10**4}


def expansion(scores, level):
    """By this package: float32 scores in, float64 sums inside."""
    weight = torch.ones(len(scores), dtype=torch.float64)
    sizes = torch.bincount(level)
    return _expansion.sum_over_pairs(scores.double(), weight, sizes)[:2]


def dense(scores, level):
    """All pairs at once, the gradient by autograd."""
    scores = scores.clone().requires_grad_()
    pair = level[:, None] > level
    loss = softplus(scores - scores[:, None])[pair].sum()
    loss.backward()
    return loss.detach(), scores.grad


def dense_tiles(scores, level, tile=1024):
    """All pairs, 1024 rows against what is before their end at a time."""
    loss, gradient = 0.0, torch.zeros_like(scores)
    for top in range(0, len(scores), tile):
        end = min(len(scores), top + tile)
        minus_margin = scores[:end] - scores[top:end, None]
        pair = level[top:end, None] > level[:end]
        loss += (softplus(minus_margin) * pair).sum(dtype=torch.float64)
        slope = torch.sigmoid(minus_margin) * pair
        gradient[top:end] -= slope.sum(1)
        gradient[:end] += slope.sum(0)
    return loss, gradient


METHODS = {"expansion": expansion, "dense tiles": dense_tiles, "dense": dense}


def measure(method, n_items, n_levels, n_repetitions):
    """Return one row per repetition."""
    generator = torch.Generator().manual_seed(0)
    scores = 6 * torch.rand(n_items, generator=generator)
    level = torch.arange(n_items) * n_levels // n_items
    rows = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for repetition in range(n_repetitions + 1):
        start = time.perf_counter()
        loss, _ = METHODS[method](scores, level)
        seconds = time.perf_counter() - start
        if repetition:  # the first one warms up
            rows.append(
                {
                    "method": method,
                    "n_items": n_items,
                    "n_levels": n_levels,
                    "repetition": repetition,
                    "seconds": seconds,
                    "loss": float(loss),
                }
            )
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return [{**row, "peak_mb_above_before": (after - before) / 1024} for row in rows]


def main():
    """Measure, print medians, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true")
    smoke = parser.parse_args().smoke
    sizes = [8_000, 80_000] if smoke else [1_000, 8_000, *[10**k for k in range(4, 8)]]
    rows = []
    # Peak memory only ever rises: the largest eater comes last.
    for method in METHODS:
        for n_items in sizes:
            if n_items > LARGEST[method] or (smoke and method == "dense"):
                continue
            for n_levels in (7, n_items) if method == "expansion" else (7,):
                rows += measure(
                    method, n_items, n_levels, 3 if smoke else N_REPETITIONS
                )
    table = pd.DataFrame(rows).assign(threads=torch.get_num_threads())
    table["levels"] = (table["n_levels"] == 7).map({True: "7", False: "all different"})
    medians = table.pivot_table(
        index="n_items",
        columns=["method", "levels"],
        values="seconds",
        aggfunc="median",
    )
    print((1e3 * medians).round(2).to_string(), "\n(milliseconds, medians)")
    if smoke:
        ours = medians["expansion", "7"]
        if medians["dense tiles", "7"][8_000] < 10 * ours[8_000]:
            sys.exit(
                "the expansion is not 10 times as fast as the tiles at 8,000 items"
            )
        if ours[80_000] > 20 * ours[8_000]:
            sys.exit("ten times the items cost more than 20 times as much")
        return
    write_rows("pair_loss", table)


if __name__ == "__main__":
    main()
