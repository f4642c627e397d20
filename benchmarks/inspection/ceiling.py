"""How near does the noise ceiling come to what the true opinions reach?

True opinions of items are drawn, and a few people rate each item. The true opinion is a
perfect score; its pairwise accuracy against the mean ratings is compared with
`noise_ceiling`, which sees the ratings only. The shapes differ in how many items are
nearly equal: "two levels" has two clusters of items, and "systems apart" the same
systems in all groups.

    python -m benchmarks.inspection.ceiling [--repetitions 200] [--smoke]

writes ``results/noise_ceiling.csv``, one row per case. ``--smoke`` draws 60 targets of
two cases and writes nothing; it fails if the ceiling is off by more than .01.
"""

import zlib
from dataclasses import astuple, dataclass

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.shared.command_line import exit_if, parser_with_smoke
from benchmarks.shared.results import write_rows
from sklearn_pscore import Groups
from sklearn_pscore.inspection import noise_ceiling
from sklearn_pscore.metrics import pairwise_accuracy_score

N_GROUPS, N_ITEMS, LEVEL = 100, 6, 0.95
TOLERANCE, FEWEST_RATERS = 0.01, 5

SHAPES = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "uniform": lambda rng, shape: np.sqrt(3) * rng.uniform(-1, 1, shape),
    "exponential": lambda rng, shape: rng.exponential(size=shape),
    "two levels": lambda rng, shape: (
        rng.choice([-1.0, 1.0], shape) + 0.2 * rng.normal(size=shape)
    ),
    "systems apart": lambda rng, shape: (
        np.linspace(-1.5, 1.5, shape[1]) + 0.3 * rng.normal(size=shape)
    ),
}
_GRADES = np.arange(1, 6)


@dataclass(frozen=True)
class Case:
    """How items are, and how people rate them.

    Attributes
    ----------
    shape : str
        Key of SHAPES: the true opinions of a group, of a deviation of about 1.
    ratings : {"normal", "unequal", "grades"}
        Normal around the truth with a deviation of 1; of .4 to 1.6, another one for each
        item; or the first, rounded to the grades 1 to 5 around a middle of 3, to whose
        ends some groups are near.
    n_raters : int
    """

    shape: str
    ratings: str
    n_raters: int

    def draw(self, rng):
        """Return a target, and the true opinion of each row."""
        shape = (N_GROUPS, N_ITEMS)
        truth = SHAPES[self.shape](rng, shape) + 0.5 * rng.normal(size=(N_GROUPS, 1))
        deviation = np.ones(shape)
        if self.ratings == "unequal":
            deviation = rng.uniform(0.4, 1.6, shape)
        noise = rng.normal(size=(*shape, self.n_raters))
        ratings = truth[..., None] + deviation[..., None] * noise
        if self.ratings == "grades":
            ratings = np.clip(np.round(ratings + 3), 1, 5)
            above = stats.norm.sf(_GRADES[1:] - 0.5 - 3 - truth[..., None])
            truth = 1 + above.sum(axis=-1)  # The mean grade of all people.
        items = {
            "prompt": np.repeat(np.arange(N_GROUPS), N_ITEMS),
            "system": np.tile(np.arange(N_ITEMS), N_GROUPS),
        }
        ratings = ratings.reshape(-1, self.n_raters)
        groups = Groups.from_ratings(ratings, items, weight=None)
        return groups, truth.ravel()


CASES = tuple(
    Case(shape, ratings, n_raters)
    for ratings in ("normal", "unequal", "grades")
    for shape in SHAPES
    for n_raters in (3, 5, 10, 25)
)


def measure(case, n_repetitions):
    """Return what the truth reaches in one case, and the ceiling, on average."""
    rng = np.random.default_rng(zlib.crc32(repr(case).encode()))
    drawn = [case.draw(rng) for _ in range(n_repetitions)]
    reached = [pairwise_accuracy_score(groups, truth) for groups, truth in drawn]
    ceilings = [
        noise_ceiling(groups, random_state=0, level=LEVEL) for groups, _ in drawn
    ]
    value = np.array([ceiling.value for ceiling in ceilings])
    expected = np.mean(reached)
    held = [ceiling.low <= expected <= ceiling.high for ceiling in ceilings]
    return {
        "shape": case.shape,
        "ratings": case.ratings,
        "raters": case.n_raters,
        "repetitions": n_repetitions,
        "reached": expected,
        "ceiling": value.mean(),
        "difference": value.mean() - expected,
        "difference_error": np.std(value - reached) / np.sqrt(n_repetitions),
        "deviation": value.std(),
        "in_interval": np.mean(held),
    }


def failures_of(rows):
    """Return a message for each case that breaks the promise, errors considered."""
    promised = rows[(rows["raters"] >= FEWEST_RATERS) & (rows["ratings"] != "grades")]
    off = promised["difference"].abs() - 3 * promised["difference_error"] > TOLERANCE
    return [
        f"{shape}, {ratings}, {raters} raters: the ceiling is off by {difference:.3f}"
        for shape, ratings, raters, difference in promised.loc[
            off, ["shape", "ratings", "raters", "difference"]
        ].itertuples(index=False)
    ]


def main():
    """Measure, print and write."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--repetitions", type=int, default=200)
    args = parser.parse_args()
    cases, n_repetitions = CASES, args.repetitions
    if args.smoke:
        cases, n_repetitions = (Case("normal", "normal", 5), CASES[9]), 60
    rows = []
    for case in cases:
        rows.append(measure(case, n_repetitions))
        print(*astuple(case), round(rows[-1]["difference"], 4), flush=True)
    rows = pd.DataFrame(rows)
    if args.smoke:
        exit_if(failures_of(rows))
    else:
        write_rows("noise_ceiling", rows)


if __name__ == "__main__":
    main()
