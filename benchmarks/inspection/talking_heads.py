"""Which talking head is best, and which metric agrees with people?

Leaderboards of THQA (8 methods, by portrait and by group) and of THQA-NTIRE (14
talkers, by description), and the 24 metrics of THQA compared by how they order the
methods of a group. The learnt score of THQA is that of the defaults, held out by
portrait, with 20 refits: 105 fits, some minutes. Metrics are turned so that larger is
better, by the directions that `fetch_thqa` names; an offset counts by its distance from
zero.

    python -m benchmarks.inspection.talking_heads [--smoke]

writes ``results/leaderboards.csv``, ``results/separation.csv``,
``results/people_and_score.csv`` and ``results/agreement_of_metrics.csv``, from the data
home that ``SKLEARN_PSCORE_DATA`` names. ``--smoke`` takes 100 draws and a linear score,
and writes nothing.
"""

import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.inspection.separation import separations
from benchmarks.shared.command_line import parser_with_smoke
from benchmarks.shared.results import write_rows
from sklearn_pscore import LinearPreferenceRanker, PairwisePreferenceRanker
from sklearn_pscore.datasets import fetch_thqa, fetch_thqa_ntire
from sklearn_pscore.inspection import (
    bootstrap_leaderboard,
    compare_agreement,
    cross_fitted_scores,
)
from sklearn_pscore.metrics import pairwise_accuracy_score, spearman_score

METRICS = (pairwise_accuracy_score, spearman_score)


def leaderboards(n_boot):
    """Return the rows of the leaderboards of both sets, and what rules tell apart."""
    thqa, ntire = fetch_thqa(), fetch_thqa_ntire()
    cases = (
        ("THQA", "portrait", thqa.groups, "block"),
        ("THQA", "group", thqa.groups, "group"),
        ("THQA-NTIRE", "description", ntire.groups, "block"),
    )
    parts, apart = [], []
    for name, clusters, groups, cluster in cases:
        board = bootstrap_leaderboard(
            groups, cluster=cluster, n_boot=n_boot, random_state=0
        )
        print(f"{name} by {clusters}\n{board}\n")
        board.systems.insert(0, "clusters", clusters)
        board.systems.insert(0, "set", name)
        parts.append(board.systems)
        rows = separations(board, groups, groups[cluster], n_boot)
        print(rows.to_string(index=False), "\n")
        rows.insert(0, "clusters", clusters)
        rows.insert(0, "set", name)
        apart.append(rows)
    return pd.concat(parts), pd.concat(apart)


def people_and_score(ranker, n_boot):
    """Return the leaderboards of people and of a ranker on THQA, side by side."""
    thqa = fetch_thqa()
    model = make_pipeline(StandardScaler(), ranker)
    learnt = cross_fitted_scores(model, thqa.data, thqa.groups, random_state=0)
    draws = {"n_boot": n_boot, "random_state": 0}
    people = bootstrap_leaderboard(thqa.groups, **draws)
    for name, refits in (("score", learnt.y_refits), ("score without refits", None)):
        board = bootstrap_leaderboard(
            thqa.groups, learnt.y_score, y_refits=refits, **draws
        )
        print(f"{name}\n{board}\nseparation {board.separation:.3f}\n")
        if refits is not None:
            both = people.beside(board, names=("people", "score"))
    print(both.to_string(index=False), "\n")
    return both


def agreement(n_boot):
    """Return the rows of all metrics of THQA, by two measures of agreement."""
    thqa = fetch_thqa()
    scores = thqa.data.copy()
    for name, direction in thqa.directions.items():
        if direction == "nearest_zero":
            scores[name] = -scores[name].abs()
        elif direction == "smaller":
            scores[name] = -scores[name]
    parts = []
    for metric in METRICS:
        compared = compare_agreement(
            thqa.groups,
            scores,
            metric=metric,
            n_boot=n_boot,
            random_state=0,
        )
        print(compared, "\n")
        rows = compared.to_frame()
        rows.insert(0, "measure", metric.__name__)
        parts.append(rows)
    return pd.concat(parts)


def main():
    """Make the leaderboards and the comparison; write and print them."""
    smoke = parser_with_smoke(__doc__).parse_args().smoke
    n_boot = 100 if smoke else 2000
    (boards, apart), compared = leaderboards(n_boot), agreement(n_boot)
    ranker = PairwisePreferenceRanker(random_state=0)
    both = people_and_score(LinearPreferenceRanker() if smoke else ranker, n_boot)
    if not smoke:
        write_rows("leaderboards", boards)
        write_rows("separation", apart)
        write_rows("people_and_score", both)
        write_rows("agreement_of_metrics", compared)


if __name__ == "__main__":
    main()
