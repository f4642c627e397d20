"""How long votes take: a target of a million, and an epoch of the defaults.

    python -m benchmarks.votes.speed [--smoke]

10^4 prompts with 8 items each, 20 metrics and 10^6 votes: seconds and memory of
``Groups.from_votes``, and seconds of an epoch of ``PairwisePreferenceRanker()``, three
times. Writes ``results/votes_speed.csv``; ``--smoke`` takes 10^4 votes and writes
nothing.
"""

import time
import tracemalloc

import numpy as np
import pandas as pd

from benchmarks.shared.command_line import parser_with_smoke
from benchmarks.shared.results import write_timings
from sklearn_pscore import Groups, PairwisePreferenceRanker

N_REPEATS = 3
N_ITEMS, N_METRICS = 8, 20


def make_votes(n_prompts, n_votes, rng):
    """Return metrics, items and votes, which follow the first metric."""
    names = np.array([f"system {k}" for k in range(N_ITEMS)])
    X = rng.standard_normal((n_prompts * N_ITEMS, N_METRICS)).astype(np.float32)
    prompt = rng.randint(n_prompts, size=n_votes)
    left = rng.randint(N_ITEMS, size=n_votes)
    right = (left + rng.randint(1, N_ITEMS, size=n_votes)) % N_ITEMS
    gap = X[prompt * N_ITEMS + left, 0] - X[prompt * N_ITEMS + right, 0]
    wins = rng.uniform(size=n_votes) < 1 / (1 + np.exp(-gap))
    winner = np.where(wins, names[left], names[right])
    winner[rng.uniform(size=n_votes) < 0.1] = "tie"
    items = pd.DataFrame(
        {
            "prompt": np.repeat(np.arange(n_prompts), N_ITEMS),
            "system": np.tile(names, n_prompts),
        }
    )
    votes = pd.DataFrame(
        {
            "prompt": prompt,
            "left": names[left],
            "right": names[right],
            "winner": winner,
        }
    )
    return X, items, votes


def main():
    """Time both, print, and write the rows."""
    arguments = parser_with_smoke(__doc__).parse_args()
    n_prompts, n_votes = (100, 10**4) if arguments.smoke else (10**4, 10**6)
    X, items, votes = make_votes(n_prompts, n_votes, np.random.RandomState(0))
    rows = []
    for repeat in range(1 if arguments.smoke else N_REPEATS):
        start = time.perf_counter()
        groups = Groups.from_votes(votes, items)
        seconds = time.perf_counter() - start
        ranker = PairwisePreferenceRanker(max_epochs=3, random_state=0).fit(X, groups)
        epoch = float(np.median(ranker.history_["dur"]))
        rows.append(
            {"votes": n_votes, "repeat": repeat, "target": seconds, "epoch": epoch}
        )
    tracemalloc.start()
    Groups.from_votes(votes, items)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    table = pd.DataFrame(rows).assign(peak_mb=peak, target_mb=groups.nbytes / 2**20)
    print(table.to_string(index=False))
    if not arguments.smoke:
        write_timings("votes_speed", table)


if __name__ == "__main__":
    main()
