"""What does the loss of all pairs cost, which way is best, and how exact is it?

    python -m benchmarks.speed.pair_loss [--smoke] [--only cost crossover error]

- ``cost``: loss and gradient of the pairwise logistic loss for one group of n items
  with scores in [0, 6]: by expansion (this package), dense in tiles and dense in
  one piece, with 7 levels of preference and with all preferences different.
- ``crossover``: 1 and 16 groups of 32 .. 2,048 items by padded cubes of pairs (this
  package), by expansion (this package) and in tiles, for scores in one block and in
  many. The largest dense group of the package is chosen by it.
- ``error``: error of loss and gradient against all pairs in float64, as multiples of
  the documented bounds: 1e-9 * max(1, range) per pair for the loss, 1e-7 of the pair
  weight of its item for each entry of the gradient.

Each writes ``results/pair_loss*.csv``, one row per repetition or case. ``--smoke``
runs small sizes, writes nothing, and fails if the expansion is not at least 10
times as fast as the tiles at 8,000 items, if ten times the items cost more than 20
times as much, or if an error is above its bound.
"""

import resource
import time
from itertools import product

import numpy as np
import pandas as pd
import torch
from torch.nn.functional import softplus

from benchmarks.shared.command_line import exit_if, parser_with_smoke
from benchmarks.shared.results import write_rows
from sklearn_pscore._torch.losses.ranknet import (
    pairwise_logistic_loss,
    sum_over_pairs,
)

N_REPETITIONS = 5
# Items; beyond, the dense ways take minutes or many gigabytes.
LARGEST = {"expansion": 10**7, "dense tiles": 10**4, "dense": 10**4}


def expansion(scores, level):
    """Return loss and gradient by this package, with sums in float64."""
    sizes = torch.tensor([len(scores)])
    return sum_over_pairs(scores[None], level, torch.ones_like(scores), sizes)


def dense(scores, level):
    """All pairs at once, the gradient by autograd."""
    scores = scores.clone().requires_grad_()
    pair = level[:, None] > level
    loss = softplus(scores - scores[:, None])[pair].sum()
    loss.backward()
    return loss.detach(), scores.grad


def dense_tiles(scores, level, tile=1024):
    """All pairs, a tile of rows at a time against all rows up to its end."""
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


def repeated(function, n_repetitions):
    """Yield the seconds and the result of some runs, after one to warm up."""
    function()
    for _ in range(n_repetitions):
        start = time.perf_counter()
        result = function()
        yield time.perf_counter() - start, result


def measure_cost(method, n_items, n_levels, n_repetitions):
    """Return one row per repetition."""
    generator = torch.Generator().manual_seed(0)
    scores = 6 * torch.rand(n_items, generator=generator)
    level = torch.arange(n_items) * n_levels // n_items
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    runs = list(repeated(lambda: METHODS[method](scores, level)[0], n_repetitions))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return [
        {
            "method": method,
            "n_items": n_items,
            "n_levels": n_levels,
            "repetition": repetition,
            "seconds": seconds,
            "loss": float(loss),
            "peak_mb_above_before": (after - before) / 1024,
        }
        for repetition, (seconds, loss) in enumerate(runs, start=1)
    ]


def cost(smoke):
    """Measure one large group; return the rows and the bounds that they break."""
    sizes = [8_000, 80_000] if smoke else [1_000, 8_000, *[10**k for k in range(4, 8)]]
    rows = []
    # Peak memory only ever rises: the largest eater comes last.
    for method in METHODS:
        for n_items in sizes:
            if n_items > LARGEST[method] or (smoke and method == "dense"):
                continue
            for n_levels in (7, n_items) if method == "expansion" else (7,):
                rows += measure_cost(
                    method, n_items, n_levels, 3 if smoke else N_REPETITIONS
                )
    table = pd.DataFrame(rows).assign(threads=torch.get_num_threads())
    table["levels"] = (table["n_levels"] == 7).map({True: "7", False: "all different"})
    medians = table.pivot_table(
        "seconds", "n_items", ["method", "levels"], aggfunc="median"
    )
    print((1e3 * medians).round(2).to_string(), "\n(milliseconds, medians)")
    ours, failures = medians["expansion", "7"], []
    if medians["dense tiles", "7"][8_000] < 10 * ours[8_000]:
        failures.append("the expansion is not 10 times as fast as tiles at 8,000 items")
    if smoke and ours[80_000] > 20 * ours[8_000]:
        failures.append("ten times the items cost more than 20 times as much")
    return table, failures


def over_groups(largest_dense, scores, level, sizes):
    """Return loss and gradient by this package, groups up to a size dense."""
    weight = torch.ones_like(scores)
    return sum_over_pairs(
        scores[None], level, weight, sizes, largest_dense_group=largest_dense
    )


def in_tiles(scores, level, sizes):
    """Return loss and gradient in tiles, group by group."""
    parts = zip(scores.split(sizes.tolist()), level.split(sizes.tolist()), strict=True)
    return [dense_tiles(*part, tile=256) for part in parts]


def crossover(smoke):
    """Measure small groups both ways; return the rows, and no failures."""
    all_sizes = (64, 512) if smoke else (32, 64, 128, 192, 256, 384, 512, 1024, 2048)
    rows = []
    for n_groups, size, levels, score_range in product(
        (1, 16), all_sizes, (5, None), (6.0, 100.0)
    ):
        if n_groups * size > 16_384:
            continue
        generator = torch.Generator().manual_seed(0)
        scores = score_range * torch.rand(n_groups * size, generator=generator)
        level = torch.arange(size) * (levels or size) // size
        level = level.repeat(n_groups)
        sizes = torch.full((n_groups,), size)
        ways = {
            "cubes": lambda s=scores, v=level, n=sizes: over_groups(10**6, s, v, n),
            "expansion": lambda s=scores, v=level, n=sizes: over_groups(0, s, v, n),
            "tiles": lambda s=scores, v=level, n=sizes: in_tiles(s, v, n),
        }
        for method, way in ways.items():
            runs = repeated(way, 1 if smoke else 7)
            for repetition, (seconds, _) in enumerate(runs, start=1):
                rows.append(
                    {
                        "method": method,
                        "n_groups": n_groups,
                        "size": size,
                        "n_levels": levels or size,
                        "score_range": score_range,
                        "repetition": repetition,
                        "seconds": seconds,
                    }
                )
    table = pd.DataFrame(rows).assign(threads=torch.get_num_threads())
    table["levels"] = np.where(table["n_levels"] == 5, "5", "all different")
    medians = table.pivot_table(
        "seconds",
        ["n_groups", "size"],
        ["score_range", "levels", "method"],
        aggfunc="median",
    )
    print((1e3 * medians).round(2).to_string(), "\n(milliseconds, medians)")
    return table, []


def exact(scores, level, weight):
    """Return loss, gradient, and the pair weight of each item, through all pairs."""
    loss, gradient, of_item = 0.0, np.zeros(len(scores)), np.zeros(len(scores))
    for top in range(0, len(scores), 512):
        rows = slice(top, top + 512)
        minus_margin = scores - scores[rows, None]
        pair = (level[rows, None] > level) * weight[rows, None] * weight
        loss += (pair * np.logaddexp(0.0, minus_margin)).sum()
        slope = pair * np.exp(-np.logaddexp(0.0, -minus_margin))
        gradient += slope.sum(0)
        gradient[rows] -= slope.sum(1)
        of_item += pair.sum(0)
        of_item[rows] += pair.sum(1)
    return loss, gradient, of_item


def arranged(rng, arrangement, level, score_range):
    """Return scores that are unrelated to the levels, in their order, or apart."""
    scores = rng.uniform(0, score_range, len(level))
    if arrangement == "ordered":
        scores.sort()
    elif arrangement == "separated":
        scores = level / max(level.max(), 1) * score_range + scores / 100
    return scores


def error(smoke):
    """Compare with all pairs; return the rows, and the cases out of bounds."""
    ranges = (0.01, 1.0, 6.0, 30.0, 40.0, 100.0, 300.0, 1000.0, 1e6)
    sizes = (2, 400) if smoke else (2, 10, 100, 400, 1000, 2000, 5000)
    rows = []
    for n_items, score_range, levels, arrangement in product(
        sizes, ranges, (2, 7, 50, None), ("independent", "ordered", "separated")
    ):
        n_levels = min(levels or n_items, n_items)
        if levels and levels > n_items:
            continue
        # All pairs of the largest take a second or two each.
        if n_items == 5000 and score_range not in (6.0, 40.0, 1000.0):
            continue
        seed = [n_items, n_levels, int(100 * score_range)]
        rng = np.random.default_rng(seed)
        level = np.arange(n_items) * n_levels // n_items
        scores = arranged(rng, arrangement, level, score_range)
        weight = rng.uniform(0.1, 2.0, n_items)
        loss, gradient, pair_weight = pairwise_logistic_loss(
            scores, level, np.zeros(n_items, dtype=int), weight
        )
        expected, slopes, of_item = exact(scores, level, weight)
        loss_error = abs(loss - expected) / pair_weight
        gradient_error = np.max(np.abs(gradient.numpy() - slopes) / of_item)
        rows.append(
            {
                "score_range": score_range,
                "n_levels": n_levels,
                "n_items": n_items,
                "arrangement": arrangement,
                "loss_error_per_pair": loss_error,
                "gradient_error_per_pair_weight": gradient_error,
                "loss_error_of_bound": loss_error / (1e-9 * max(1.0, score_range)),
                "gradient_error_of_bound": gradient_error / 1e-7,
            }
        )
    table = pd.DataFrame(rows)
    bounds = ["loss_error_of_bound", "gradient_error_of_bound"]
    worst = table.groupby(["score_range", "arrangement"])[bounds].max().unstack()
    print(worst.to_string(float_format="%.1e"), f"\n(worst of {len(table)} cases)")
    out = table[(table[bounds] > 1).any(axis=1)]
    return table, [f"an error is larger than promised:\n{out}"] if len(out) else []


SECTIONS = {"cost": cost, "crossover": crossover, "error": error}


def main():
    """Measure the sections asked for, print medians, and write the rows."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    arguments = parser.parse_args()
    failures = []
    for section in arguments.only:
        rows, failures_of_section = SECTIONS[section](arguments.smoke)
        failures += failures_of_section
        if not arguments.smoke:
            write_rows(
                "pair_loss" if section == "cost" else f"pair_loss_{section}", rows
            )
    exit_if(failures)


if __name__ == "__main__":
    main()
