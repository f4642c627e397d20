"""Does PS agree with people better than the hand-made rankings, as in Table 2?

On the synthetic challenge, whose truth is known: learn from the awards of 20
challenges, or of a single one as in the paper, and judge by the human order of
20 others; once with planted weights and once, as a control, with all
metrics of equal weight.

    python -m benchmarks.paper.challenge [--smoke]

writes ``results/paper_challenge.csv``, one row per method, seed and test
challenge, and prints the tables. ``--smoke`` runs the first case with one seed and
writes nothing.
"""

import pandas as pd
from tqdm import tqdm

from benchmarks.shared.command_line import parser_with_smoke
from benchmarks.shared.results import write_rows
from sklearn_pscore._experiments import challenge_experiment, preference_score
from sklearn_pscore.metrics import (
    dcg_score,
    ndcg_score,
    pairwise_accuracy_score,
    reciprocal_rank_score,
)
from sklearn_pscore.metrics._models import predict_scores
from sklearn_pscore.model_selection._seeds import seeded_clone

METRICS = {
    "MRR": reciprocal_rank_score,
    "DCG": dcg_score,
    "NDCG": ndcg_score,
    "accuracy": pairwise_accuracy_score,
}
N_SEEDS = 5
CASES = [
    (weights, n_train, track)
    for weights in ("planted", "equal")
    for n_train in (20, 1)
    for track in ("talking", "listening")
]


def rows_of(weights, n_train, track, n_seeds):
    """Return one row per method, seed and test challenge."""
    experiment = challenge_experiment(track, n_train=n_train, weights=weights)
    X_test, groups_test = experiment.test
    rankers = experiment.rankers()
    if n_train > 1:
        # One group with one winner cannot be split into two comparable parts.
        rankers["PS, no synthetic items"] = preference_score(augment=False)
    rows = []
    for method, ranker in rankers.items():
        for seed in range(n_seeds):
            fitted = seeded_clone(ranker, seed).fit(experiment.X, experiment.groups)
            scores = predict_scores(fitted, X_test, groups_test)
            values = {
                name: metric(groups_test, scores, average=False)
                for name, metric in METRICS.items()
            }
            rows.append(
                pd.DataFrame(values).assign(
                    weights=weights,
                    n_train=n_train,
                    track=track,
                    method=method,
                    seed=seed,
                    challenge=range(len(values["DCG"])),
                )
            )
    return pd.concat(rows)


def print_case(rows):
    """Print mean and std over seeds, and PS against the hand-made rankings."""
    by_seed = rows.groupby(["method", "seed"], sort=False)[list(METRICS)].mean()
    table = by_seed.groupby("method", sort=False).agg(["mean", lambda x: x.std(ddof=0)])
    table.columns = [f"{a} {b if b == 'mean' else 'std'}" for a, b in table.columns]
    print(table.round(3).to_string())
    dcg = rows.pivot_table(index="challenge", columns="method", values="DCG")
    for other in ("#Top1", "RS"):
        gap = dcg["PS"] - dcg[other]
        print(
            f"PS - {other}: DCG {gap.mean():+.3f}, standard error over challenges "
            f"{gap.sem():.3f}"
        )
    print()


def main():
    """Run every case, in a smoke run the first, print and write the rows."""
    smoke = parser_with_smoke(__doc__).parse_args().smoke
    parts = []
    for case in tqdm(CASES[:1] if smoke else CASES, disable=None):
        part = rows_of(*case, n_seeds=1 if smoke else N_SEEDS)
        print("weights {}, {} training challenges, {}".format(*case))
        print_case(part)
        parts.append(part)
    if not smoke:
        write_rows("paper_challenge", pd.concat(parts))


if __name__ == "__main__":
    main()
