"""Do sets of ranks hold the ranks of a learnt score, by held-out scores and refits?

Four systems: two are good in the one metric and two in the other, and both metrics are
worth the same to people. So all systems are equal, but to a model that has to learn what
the metrics are worth one kind is better, by chance. A leaderboard of the score is made
again and again, with the refits of `cross_fitted_scores` and without, and counted is how
often its sets hold all ranks: each the ranks 1 to 4. The model is least squares inside
groups.

    python -m benchmarks.inspection.learnt_coverage [--repetitions 300] [--smoke]

writes ``results/learnt_coverage.csv``, one row per case. ``--smoke`` draws 40
leaderboards of one case and writes nothing.
"""

import zlib

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from benchmarks.shared.command_line import exit_if, parser_with_smoke
from benchmarks.shared.results import write_rows
from sklearn_pscore import Groups
from sklearn_pscore.inspection import bootstrap_leaderboard, cross_fitted_scores

LEVEL = 0.95
MEANS = np.array([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [0.0, 2.0]])
CASES = (
    # Blocks, groups in each, refits.
    (10, 1, 20),
    (20, 1, 10),
    (20, 1, 20),
    (20, 3, 20),
    (50, 1, 10),
    (50, 1, 20),
)


class WithinGroups(BaseEstimator):
    """Least squares of the preference on the metrics, inside groups."""

    def fit(self, X, groups):
        code = np.unique(groups["group"], return_inverse=True)[1]
        size = np.bincount(code)

        def inside(values):
            return values - (np.bincount(code, values) / size)[code]

        Z = np.column_stack([inside(column) for column in X.T])
        right = Z.T @ inside(groups["preference"])
        self.coef_ = np.linalg.solve(Z.T @ Z + 1e-6 * np.eye(Z.shape[1]), right)
        return self

    def predict(self, X):
        return X @ self.coef_


def draw(n_blocks, per_block, rng):
    """Return the metrics and the target; systems vary by block where it has groups."""
    n_groups = n_blocks * per_block
    group, item = (axis.ravel() for axis in np.indices((n_groups, len(MEANS))))
    X = MEANS[item] + 0.7 * rng.normal(size=(len(item), 2))
    if per_block > 1:
        of_block = 0.7 * rng.normal(size=(n_blocks, len(MEANS), 2))
        X += of_block[group // per_block, item]
    liked = X.sum(axis=1) + 3 * rng.normal(size=len(item))
    return X, Groups.from_arrays(
        group=group, item=item, preference=liked, block=group // per_block
    )


def measure(case, n_repetitions):
    """Return how often the sets hold all ranks, with refits and without."""
    n_blocks, per_block, n_refits = case
    rng = np.random.default_rng(zlib.crc32(repr(case).encode()))
    held = {"with_refits": 0, "without_refits": 0}
    for seed in range(n_repetitions):
        X, groups = draw(n_blocks, per_block, rng)
        learnt = cross_fitted_scores(
            WithinGroups(), X, groups, n_refits=n_refits, random_state=seed
        )
        for name, refits in zip(held, (learnt.y_refits, None), strict=True):
            systems = bootstrap_leaderboard(
                groups,
                learnt.y_score,
                y_refits=refits,
                n_boot=1000,
                level=LEVEL,
                random_state=seed,
            ).systems
            ends = systems["rank_low"] == 1, systems["rank_high"] == len(MEANS)
            held[name] += bool(np.all(ends))
    return {
        "blocks": n_blocks,
        "groups_per_block": per_block,
        "refits": n_refits,
        "repetitions": n_repetitions,
        **{name: count / n_repetitions for name, count in held.items()},
    }


def failures_of(rows):
    """Return a message for each case that holds too few, errors considered."""
    error = 3 * np.sqrt(LEVEL * (1 - LEVEL) / rows["repetitions"])
    low = rows[rows["with_refits"] < LEVEL - 0.02 - error]
    return [f"with refits {value}" for value in low["with_refits"]]


def main():
    """Measure, print and write."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--repetitions", type=int, default=300)
    args = parser.parse_args()
    cases, n_repetitions = CASES, args.repetitions
    if args.smoke:
        cases, n_repetitions = CASES[1:2], 40
    rows = []
    for case in cases:
        rows.append(measure(case, n_repetitions))
        print(*rows[-1].values(), flush=True)
    rows = pd.DataFrame(rows)
    if args.smoke:
        exit_if(failures_of(rows))
    else:
        write_rows("learnt_coverage", rows)


if __name__ == "__main__":
    main()
