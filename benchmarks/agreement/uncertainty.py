"""Is the standard error of a score right?

``predict(X, return_std=True)`` against what happens with fresh data. A truth stays as
it is; items and judgements are drawn anew again and again, this package's defaults are
fitted to each draw with another seed, and all fits score the same 200 items. The
standard error should be how far the score of an item moves from draw to draw, its
score less the mean of the 200: pairs do not tell where zero is.

    python -m benchmarks.agreement.uncertainty [--draws 20] [--smoke]

writes ``results/uncertainty.csv``, one row per truth, number of members and of
groups, and draw, and prints the ratio of what happens to the standard error: above 1,
scores are less certain than stated. ``--smoke`` makes three draws of one truth and
writes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd

from benchmarks.agreement import synthetic
from benchmarks.shared.command_line import parser_with_smoke
from benchmarks.shared.results import write_rows
from sklearn_pscore import Groups, PairwisePreferenceRanker

N_TEST_ITEMS = 200
N_GROUPS = (12, 25, 50, 100)
N_MEMBERS = (5, 10)
KEYS = ["truth", "n_members", "n_groups"]


@dataclass(frozen=True)
class Truth:
    """What people like, always the same, and how it is asked for.

    Attributes
    ----------
    name : str
    kind : callable
        ``kind(rng, X)`` draws coefficients and returns the quality of items.
    n_items : int
        Items of each group.
    n_features : int
    noise : float
        Standard deviation of the noise, that of the quality is 1.
    """

    name: str
    kind: Callable
    n_items: int
    n_features: int
    noise: float

    def quality(self, X):
        """Return the quality of items, with the same coefficients in every call."""
        many = np.random.default_rng(0).standard_normal((10_000, self.n_features))
        size = self.kind(self._rng(), many).std()
        return self.kind(self._rng(), X) / size

    def draw(self, n_groups, seed):
        """Return X and the target of one draw."""
        rng = self._rng(n_groups, seed)
        X = rng.standard_normal((n_groups * self.n_items, self.n_features))
        preference = self.quality(X) + self.noise * rng.standard_normal(len(X))
        group = np.repeat(np.arange(n_groups), self.n_items)
        return X, Groups.from_arrays(group=group, preference=preference)

    def test_items(self):
        """Return the items that all fits score."""
        return self._rng(0).standard_normal((N_TEST_ITEMS, self.n_features))

    def _rng(self, *seed):
        return np.random.default_rng([crc32(self.name.encode()), *seed])


TRUTHS = (
    Truth("linear, 5 items, 4 metrics", synthetic._linear, 5, 4, 0.5),
    Truth("linear, 3 items, 3 metrics, noisy", synthetic._linear, 3, 3, 1.0),
    Truth("linear, 10 items, 12 metrics, noisier", synthetic._linear, 10, 12, 2.0),
    Truth("saturating, 20 items, 6 metrics", synthetic._saturating, 20, 6, 0.5),
    Truth("interactions, 8 items, 6 metrics", synthetic._interactions, 8, 6, 0.5),
)


def measure(truth, n_members, n_groups, n_draws):
    """Return one row per draw: the standard error, and how far scores moved.

    Both are root mean squares over the test items; scores move from their mean over
    the draws.
    """
    X_test, scores, stated = truth.test_items(), [], []
    for seed in range(n_draws):
        ranker = PairwisePreferenceRanker(n_members=n_members, random_state=seed)
        ranker.fit(*truth.draw(n_groups, seed))
        score, error = ranker.predict(X_test, return_std=True)
        scores.append(score - score.mean())
        stated.append(_root_mean_square(error))
    moved = _root_mean_square(np.array(scores) - np.mean(scores, axis=0))
    return pd.DataFrame(
        {
            "truth": truth.name,
            "n_members": n_members,
            "n_groups": n_groups,
            "draw": range(n_draws),
            "stated": stated,
            "moved": moved,
        }
    )


def _root_mean_square(values):
    return np.sqrt(np.mean(np.square(values), axis=-1))


def ratios(rows):
    """Return the standard deviation over draws over the standard error, by cell."""
    squares = rows.assign(stated=rows["stated"] ** 2, moved=rows["moved"] ** 2)
    cells = squares.groupby(KEYS, sort=False)
    n_draws = cells.size()
    variance = cells["moved"].sum() / (n_draws - 1)
    return np.sqrt(variance / cells["stated"].mean())


def main():
    """Measure, write and print."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--draws", type=int, default=20, help="data sets of each truth")
    args = parser.parse_args()
    truths, sizes, n_draws = TRUTHS, N_GROUPS, args.draws
    if args.smoke:
        truths, sizes, n_draws = TRUTHS[:1], N_GROUPS[:1], 3
    parts = []
    for truth in truths:
        for n_members in N_MEMBERS:
            for n_groups in sizes:
                parts.append(measure(truth, n_members, n_groups, n_draws))
                print(ratios(parts[-1]).round(2).to_string(header=False), flush=True)
    if not args.smoke:
        write_rows("uncertainty", pd.concat(parts))


if __name__ == "__main__":
    main()
