"""How do the methods of the paper agree with people on THQA?

Five folds by portrait, judged by opinion scores; learnt once from the opinion
scores and once from each group's winner only, PS with and without synthetic
items.

    python -m benchmarks.paper.thqa [DATA_HOME]

writes ``results/paper_thqa.csv``, one row per method, seed and fold, and prints
the tables. The method's identity alone (its mean opinion on the training
folds, no metric) has an accuracy of 0.807: every figure is to be read beside
that.
"""

import sys

import pandas as pd

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


def main(data_home=None):
    """Compare on both kinds of labels."""
    parts = []
    for labels in ("full", "winners"):
        experiment = thqa_experiment(data_home=data_home, labels=labels)
        rankers = experiment.rankers()
        rankers["PS, synthetic items"] = preference_score(augment=True)
        comparison = experiment.compare(
            n_runs=N_SEEDS, rankers=rankers, scoring=SCORING, verbose=1
        )
        print(f"learnt from {labels}; mean over folds and seeds, std over folds")
        print(comparison.formatted(over="fold").to_string())
        gap = comparison.paired("PS", "PS, synthetic items", "accuracy", over="fold")
        print(
            f"PS - PS, synthetic items: accuracy {gap.mean:+.3f}, standard error "
            f"over folds {gap.standard_error:.3f}\n"
        )
        parts.append(comparison.rows.assign(labels=labels))
    write_rows("paper_thqa", pd.concat(parts))


if __name__ == "__main__":
    main(*sys.argv[1:])
