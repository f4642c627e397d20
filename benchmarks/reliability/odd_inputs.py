"""Is every odd input refused with a helpful error, or handled right?

Each case draws a public function or method, something odd to pass to it, and the slow
way to its result (``case.py``). It is

- refused: an error of the package or scikit-learn's own that names the argument, shows
  what came, and says how to mend it;
- handled: the result is that of the reference;
- warned: no result is right, and a warning says so;

or a fault. The caller's values, a fitted estimator and the process stay as they were.
docs/reliability.md says more.

    python -m benchmarks.reliability.odd_inputs [--cases 10000] [--seed 0]
        [--only NUMBER ...] [--smoke]

writes ``results/odd_inputs.csv``, one row per case, and prints the faults. Case
NUMBER of a seed is the same in every run: ``--only`` shows it.
"""

import re
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks.reliability import (
    augmenter_cases,
    curve_cases,
    dask_cases,
    display_cases,
    fit_cases,
    groups_cases,
    importance_cases,
    inspection_cases,
    judgement_cases,
    metric_cases,
    onnx_cases,
    parameter_cases,
    parquet_cases,
    ranker_cases,
    raters_cases,
    report_cases,
    selection_cases,
    source_cases,
    validation_cases,
    votes_cases,
)
from benchmarks.reliability.judge import judge
from benchmarks.reliability.layouts import keep_memory_maps_in
from benchmarks.shared.command_line import exit_if, parser_with_smoke
from benchmarks.shared.results import write_rows

NAME = "odd_inputs"
N_SMOKE = 300
# How many of a round of cases each family of surfaces gets.
_ROUND = (
    (groups_cases.CASES, 4),
    (metric_cases.CASES, 6),
    (ranker_cases.CASES, 6),
    (augmenter_cases.CASES, 2),
    (parameter_cases.CASES, 5),
    (selection_cases.CASES, 3),
    (parquet_cases.CASES, 1),
    (fit_cases.CASES, 2),
    (source_cases.CASES, 2),
    (judgement_cases.CASES, 3),
    (validation_cases.CASES, 1),
    (inspection_cases.CASES, 3),
    (importance_cases.CASES, 1),
    (curve_cases.CASES, 2),
    (display_cases.CASES, 1),
    (report_cases.CASES, 1),
    (onnx_cases.CASES, 1),
    (raters_cases.CASES, 1),
    (votes_cases.CASES, 2),
    (dask_cases.CASES, 1),
)


def draw_case(seed, number):
    """Return a case by its number; families and their functions take turns."""
    rng = np.random.default_rng([seed, number])
    turns = [family for family, n_turns in _ROUND for _ in range(n_turns)]
    family = turns[number % len(turns)]
    return family[rng.integers(len(family))](rng)


def judged(seed, numbers):
    """Judge cases; return one row for each."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, dask_cases.lent_cluster():
        keep_memory_maps_in(Path(folder))
        for number in tqdm(numbers, disable=None):
            try:
                case = draw_case(seed, number)
                verdict = judge(case)
            except Exception as error:
                error.add_note(f"in case {number} of seed {seed}")
                raise
            rows.append(
                {
                    "seed": seed,
                    "case": number,
                    "surface": case.surface,
                    "kind": case.kind,
                    "oddity": _without_addresses(case.oddity),
                    "outcome": verdict.outcome,
                    "fault": verdict.fault,
                    "message": verdict.message,
                }
            )
    return pd.DataFrame(rows)


def _without_addresses(text):
    """Return text on one line, the same in every run."""
    return " ".join(re.sub(r" at 0x\w+", "", text).split())


def faults_of(rows, longest=300):
    """Return a line for each fault, equal ones of one surface and oddity once."""
    faulty = rows[rows["fault"] != ""]
    keys = [(row.surface, row.oddity, row.fault) for row in faulty.itertuples()]
    number_of, seen, lines = Counter(keys), set(), []
    for key, row in zip(keys, faulty.itertuples(), strict=True):
        if key not in seen:
            seen.add(key)
            lines.append(
                f"case {row.case} of seed {row.seed}, {number_of[key]} times: "
                f"{row.surface}, {row.kind}: {row.oddity}\n    {row.fault}: "
                f"{row.message[:longest]}"
            )
    return lines


def main():
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="+", metavar="NUMBER")
    options = parser.parse_args()
    numbers = options.only or range(N_SMOKE if options.smoke else options.cases)
    rows = judged(options.seed, numbers)
    print(rows.groupby(["surface", "outcome"]).size().unstack(fill_value=0))
    lines = faults_of(rows)
    print(*lines, f"{len(rows)} cases, {len(lines)} different faults", sep="\n")
    if not options.smoke and not options.only:
        write_rows(NAME, rows.drop(columns="message"))
    if options.smoke:
        exit_if(lines)


if __name__ == "__main__":
    main()
