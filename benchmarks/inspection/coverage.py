"""Do the intervals and the sets of ranks of a leaderboard hold what they promise?

Systems with known means are judged in groups, again and again. Counted is how often
the 95 % interval of a mean holds the true mean, on average over systems, and how often
the sets of ranks hold all true ranks at once. Systems of equal means share the best of
their ranks *and* the worst: a set must hold both. There the promise is sharpest, for
one system that is wrongly put above its equal breaks it; where systems are far apart,
sets hold their ranks more often than promised. Some cases rank by a score, whose model
likes or dislikes each system by chance, another one in each fit.

    python -m benchmarks.inspection.coverage [--repetitions 1000] [--smoke]

writes ``results/leaderboard_coverage.csv``, one row per case. ``--smoke`` draws 200
leaderboards of two cases and writes nothing.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.shared.command_line import exit_if, parser_with_smoke
from benchmarks.shared.results import write_rows
from sklearn_pscore import Groups
from sklearn_pscore.inspection import bootstrap_leaderboard

LEVEL = 0.95
N_BOOT = 1000
MODEL_DEVIATION = 0.3
MEANS = {
    "equal": (0.0,) * 6,
    "two levels": (0.5, 0.5, 0.5, 0.0, 0.0, 0.0),
    "spaced": (0.5, 0.4, 0.3, 0.2, 0.1, 0.0),
    "20 equal": (0.0,) * 20,
}


@dataclass(frozen=True)
class Case:
    """How systems are judged.

    Attributes
    ----------
    means : str
        Key of MEANS.
    judgement : {"normal", "grades", "winners", "unequal"}
        Normal with deviation 1; the same rounded to five grades; 10 for the best of a
        group and 0 for the others; normal, with deviations from .5 to 2.
    n_clusters, groups_per_cluster : int
        Systems have an effect of deviation .5 in each cluster of several groups.
    share : float
        Share of the systems that is in each group, drawn.
    n_refits : int
        Refits of the model that scores the items; 0 ranks by preference.
    """

    means: str
    judgement: str = "normal"
    n_clusters: int = 50
    groups_per_cluster: int = 1
    share: float = 1.0
    n_refits: int = 0

    def draw(self, rng):
        """Return a target, and the cluster of each row."""
        means = np.array(MEANS[self.means])
        n_groups = self.n_clusters * self.groups_per_cluster
        shape = n_groups, len(means)
        deviation = np.ones(len(means))
        if self.judgement == "unequal":
            deviation = np.geomspace(0.5, 2.0, len(means))
        value = means + deviation * rng.standard_normal(shape)
        value += rng.standard_normal((n_groups, 1))
        cluster = np.arange(n_groups) // self.groups_per_cluster
        if self.groups_per_cluster > 1:
            value += 0.5 * rng.standard_normal((self.n_clusters, len(means)))[cluster]
        if self.judgement == "grades":
            value = np.clip(np.round(value + 2), 1, 5)
        if self.judgement == "winners":
            value = 10.0 * (value == value.max(axis=1, keepdims=True))
        kept = rng.random(shape).argsort(axis=1) < round(self.share * len(means))
        group, item = np.nonzero(kept)
        groups = Groups.from_arrays(group=group, item=item, preference=value[kept])
        return groups, cluster[group]

    def scores(self, groups, rng):
        """Return the scores of a model and of its refits, as arguments."""
        if not self.n_refits:
            return {}
        shape = 1 + self.n_refits, len(MEANS[self.means])
        taste = MODEL_DEVIATION * rng.standard_normal(shape)
        scores = groups["preference"] + taste[:, groups["item"]]
        return {"y_score": scores[0], "y_refits": scores[1:].T}

    def truth(self):
        """Return the true means, by simulation where judgements are not normal."""
        means = np.array(MEANS[self.means])
        if self.judgement in ("normal", "unequal"):
            return means
        many = Case(self.means, self.judgement, n_clusters=400_000)
        groups, _ = many.draw(np.random.default_rng(1))
        estimate = groups["preference"].reshape(-1, len(means)).mean(axis=0)
        # Systems of one mean share it.
        _, level = np.unique(means, return_inverse=True)
        return (np.bincount(level, estimate) / np.bincount(level))[level]


CASES = (
    *(Case("equal", n_clusters=n) for n in (2, 3, 5, 10, 20, 50, 200)),
    *(Case("two levels", n_clusters=n) for n in (20, 50, 200)),
    Case("spaced"),
    Case("20 equal", n_clusters=20),
    Case("20 equal", n_clusters=100),
    *(Case("equal", "grades", n) for n in (20, 50)),
    *(Case("equal", "winners", n) for n in (20, 50, 100, 200)),
    *(Case("equal", "unequal", n) for n in (20, 50)),
    *(Case("equal", "normal", n, groups_per_cluster=5) for n in (14, 20, 50)),
    *(Case("equal", "normal", n, share=0.5) for n in (20, 50)),
    Case("equal", "normal", 20, groups_per_cluster=5, share=0.5),
    Case("two levels", "grades", 20, groups_per_cluster=5, share=0.5),
    *(Case("equal", n_clusters=n, n_refits=5) for n in (20, 100)),
    *(Case("equal", n_clusters=n, n_refits=10) for n in (20, 100)),
    *(Case("equal", n_clusters=n, n_refits=20) for n in (20, 100)),
    Case("two levels", n_clusters=50, n_refits=20, share=0.5),
)


def measure(case, n_repetitions):
    """Return the coverage of intervals and of sets of ranks in one case."""
    rng = np.random.default_rng(zlib.crc32(repr(case).encode()))
    truth = case.truth()
    best = 1 + np.sum(truth[:, None] < truth, axis=1)
    worst = len(truth) - np.sum(truth[:, None] > truth, axis=1)
    n_means = n_ranks = 0
    for seed in range(n_repetitions):
        groups, cluster = case.draw(rng)
        board = bootstrap_leaderboard(
            groups,
            **case.scores(groups, rng),
            cluster=cluster,
            n_boot=N_BOOT,
            level=LEVEL,
            random_state=seed,
        )
        systems = board.systems.sort_values("item")
        n_means += np.mean((systems["low"] <= truth) & (truth <= systems["high"]))
        held = (systems["rank_low"] <= best) & (worst <= systems["rank_high"])
        n_ranks += held.all()
    return {
        "systems": case.means,
        "judgement": case.judgement,
        "clusters": case.n_clusters,
        "groups_per_cluster": case.groups_per_cluster,
        "share": case.share,
        "refits": case.n_refits,
        "repetitions": n_repetitions,
        "mean_in_interval": n_means / n_repetitions,
        "ranks_in_sets": n_ranks / n_repetitions,
    }


def failures_of(rows):
    """Return a message for each promise that the rows break, errors considered."""
    error = 3 * np.sqrt(LEVEL * (1 - LEVEL) / rows["repetitions"])
    messages = []
    for column in ("mean_in_interval", "ranks_in_sets"):
        low = rows[rows[column] < LEVEL - 0.02 - error]
        messages += [f"{column} is {value}" for value in low[column]]
    return messages


def main():
    """Measure, print and write."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--repetitions", type=int, default=1000)
    args = parser.parse_args()
    cases, n_repetitions = CASES, args.repetitions
    if args.smoke:
        cases, n_repetitions = (CASES[0], CASES[4], CASES[7]), 200
    rows = []
    for case in cases:
        rows.append(measure(case, n_repetitions))
        print(*rows[-1].values(), flush=True)
    rows = pd.DataFrame(rows)
    if args.smoke:
        exit_if(failures_of(rows))
    else:
        write_rows("leaderboard_coverage", rows)


if __name__ == "__main__":
    main()
