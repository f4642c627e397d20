"""Do the intervals of paired differences hold what they promise?

Two scores predict an opinion from one metric: one has a fixed slope, the other one
too, or the best slope of the training rows. The difference of their squared errors
is measured in folds or in random splits of the same rows, again and again. Counted is
how often its 95 % interval holds the difference that new rows would give: the corrected
one of `RankerComparison.paired`, and that of the t test that takes runs for independent.

    python -m benchmarks.inspection.paired [--repetitions 2000] [--smoke]

writes ``results/paired_coverage.csv``, one row per case. ``--smoke`` draws 300 tables of
two cases and writes nothing.
"""

import zlib
from dataclasses import astuple, dataclass

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.shared.command_line import exit_if, parser_with_smoke
from benchmarks.shared.results import write_rows
from sklearn_pscore.model_selection import RankerComparison

N_ROWS, N_TEST, N_TRUTHS = 60, 12, 20_000


@dataclass(frozen=True)
class Case:
    """How the rows are split, and what is learnt.

    Attributes
    ----------
    n_runs : int
        Random splits of 48 and 12 rows; 5 are folds instead.
    is_learnt : bool
        Whether the slope of the second score is that of the training rows.
    """

    n_runs: int
    is_learnt: bool

    def tests(self, rng):
        """Return the rows to test on of each run."""
        if self.n_runs == N_ROWS // N_TEST:
            return rng.permutation(N_ROWS).reshape(-1, N_TEST)
        return [rng.permutation(N_ROWS)[:N_TEST] for _ in range(self.n_runs)]

    def errors(self, x, y, test):
        """Return the squared error of both scores in one run."""
        slope = 0.8
        if self.is_learnt:
            train = np.ones(N_ROWS, dtype=bool)
            train[test] = False
            slope = (x[train] @ y[train]) / (x[train] @ x[train])
        return [np.mean((y[test] - s * x[test]) ** 2) for s in (0.3, slope)]


CASES = tuple(Case(n, learnt) for learnt in (False, True) for n in (5, 10, 20, 50))


def measure(case, n_repetitions):
    """Return how often both intervals hold the difference in one case."""
    rng = np.random.default_rng(zlib.crc32(repr(case).encode()))

    def draw():
        x = rng.normal(size=N_ROWS)
        return x, 0.6 * x + rng.normal(size=N_ROWS)

    truths = [
        np.subtract(*case.errors(*draw(), range(N_TEST))) for _ in range(N_TRUTHS)
    ]
    truth, held, held_naively = np.mean(truths), 0, 0
    for _ in range(n_repetitions):
        table = draw()
        a, b = np.transpose([case.errors(*table, test) for test in case.tests(rng)])
        paired = _comparison(a, b).paired("a", "b", "error")
        held += paired.low <= truth <= paired.high
        naive = stats.ttest_rel(a, b).confidence_interval()
        held_naively += naive.low <= truth <= naive.high
    return {
        "runs": case.n_runs,
        "learnt": case.is_learnt,
        "repetitions": n_repetitions,
        "corrected": held / n_repetitions,
        "independent": held_naively / n_repetitions,
    }


def _comparison(a, b):
    """Return a comparison of two methods, by their values in each run."""
    n_runs = len(a)
    rows = pd.DataFrame(
        {
            "method": np.repeat(["a", "b"], n_runs),
            "seed": pd.array([None] * 2 * n_runs, dtype="Int64"),
            "fold": np.tile(np.arange(n_runs), 2),
            "error": np.concatenate([a, b]),
            "fit_seconds": 0.0,
        }
    )
    sizes = pd.DataFrame(
        {"fold": np.arange(n_runs), "n_train": N_ROWS - N_TEST, "n_test": N_TEST}
    )
    return RankerComparison(rows, ("error",), None, "fold", sizes=sizes)


def main():
    """Measure, print and write."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--repetitions", type=int, default=2000)
    args = parser.parse_args()
    cases, n_repetitions = CASES, args.repetitions
    if args.smoke:
        cases, n_repetitions = (CASES[0], CASES[2]), 300
    rows = []
    for case in cases:
        rows.append(measure(case, n_repetitions))
        print(
            *astuple(case), rows[-1]["corrected"], rows[-1]["independent"], flush=True
        )
    rows = pd.DataFrame(rows)
    if args.smoke:
        exit_if(
            [
                f"the corrected interval holds {held} in {runs} runs"
                for runs, held in rows[["runs", "corrected"]].itertuples(index=False)
                if held < 0.9
            ]
        )
    else:
        write_rows("paired_coverage", rows)


if __name__ == "__main__":
    main()
