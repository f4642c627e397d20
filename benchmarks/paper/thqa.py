"""How do the methods of the paper agree with people on THQA?

Five folds by portrait, judged by opinion scores; learnt once from the opinion
scores and once from each group's winner only, PS with and without synthetic
items.

    python -m benchmarks.paper.thqa [DATA_HOME] [--smoke]

writes ``results/paper_thqa.csv``, one row per method, seed and fold, and prints
the tables; ``--smoke`` takes one seed and writes nothing. The method's identity
alone (its mean opinion on the training folds, no metric) has an accuracy of 0.807:
read every figure beside that.
"""

import pandas as pd

from benchmarks.shared.command_line import parser_with_smoke
from benchmarks.shared.results import write_rows
from sklearn_pscore._experiments import preference_score, thqa_experiment
from sklearn_pscore.metrics import (
    dcg_scorer,
    mrr_scorer,
    ndcg_scorer,
    pairwise_accuracy_scorer,
)

SCORING = {
    "MRR": mrr_scorer,
    "DCG": dcg_scorer,
    "NDCG": ndcg_scorer,
    "accuracy": pairwise_accuracy_scorer,
}
N_SEEDS = 5


def main():
    """Compare on both kinds of labels, print and write the rows."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("data_home", nargs="?", metavar="DATA_HOME")
    args = parser.parse_args()
    parts = []
    for labels in ("full", "winners"):
        experiment = thqa_experiment(data_home=args.data_home, labels=labels)
        rankers = experiment.rankers()
        rankers["PS, synthetic items"] = preference_score(augment=True)
        comparison = experiment.compare(
            n_runs=1 if args.smoke else N_SEEDS,
            rankers=rankers,
            scoring=SCORING,
            verbose=1,
        )
        print(f"learnt from {labels}; mean over folds and seeds, std over folds")
        print(comparison.formatted(over="fold").to_string())
        gap = comparison.paired("PS", "PS, synthetic items", "accuracy", over="fold")
        print(
            f"PS - PS, synthetic items: accuracy {gap.mean:+.3f}, standard error "
            f"over folds {gap.standard_error:.3f}\n"
        )
        parts.append(comparison.rows.assign(labels=labels))
    if not args.smoke:
        write_rows("paper_thqa", pd.concat(parts))


if __name__ == "__main__":
    main()
