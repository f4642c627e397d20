"""THQA without one talker after the other: where would a new system stand?

    python -m benchmarks.inspection.new_system [--seeds 3] [--smoke]

compares the defaults and the linear model, `leave_out="item"`, with the portraits as
blocks, as the data set has them, and without blocks, and writes
``results/new_system.csv``, one row per run. ``--smoke`` fits the linear model only and
writes nothing.
"""

import pandas as pd

from benchmarks.shared.command_line import parser_with_smoke
from benchmarks.shared.results import write_rows
from sklearn_pscore import Groups, LinearPreferenceRanker, PairwisePreferenceRanker
from sklearn_pscore.datasets import fetch_thqa
from sklearn_pscore.model_selection import compare_rankers


def main():
    """Compare, print and write."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    rankers = {"linear": LinearPreferenceRanker()}
    if not args.smoke:
        rankers = {"defaults": PairwisePreferenceRanker(), **rankers}
    thqa = fetch_thqa()
    fields = {name: thqa.groups[name] for name in ("group", "item", "preference")}
    parts = []
    for blocks, groups in (
        ("portraits", thqa.groups),
        ("none", Groups.from_arrays(**fields)),
    ):
        comparison = compare_rankers(
            rankers, thqa.data, groups, leave_out="item", n_seeds=args.seeds, truth=None
        )
        print(f"blocks: {blocks}", comparison, sep="\n", flush=True)
        rows = comparison.rows.merge(comparison.sizes[["fold", "left_out"]], on="fold")
        parts.append(rows.assign(blocks=blocks))
    if not args.smoke:
        write_rows("new_system", pd.concat(parts))


if __name__ == "__main__":
    main()
