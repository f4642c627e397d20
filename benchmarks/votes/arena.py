"""How close to the truth does a score come that is learnt from votes?

    python -m benchmarks.votes.arena [--draws 10] [--only PART ...] [--smoke]

On arenas of ``make_arena``, 8 systems, 60 prompts and 2,000 votes, each draw another one:

- the log loss of held-out prompts (five folds), beside that of the true scores;
- the place, by its metrics alone, of a system that nobody has voted on;
- what becomes of ties: the slope of the learnt scores on the true ones.

And on THQA, 2,000 and 20,000 votes that are drawn from its opinion scores, beside a fit to
the opinions themselves. Writes ``results/votes_arena.csv``, ``votes_unseen.csv``,
``votes_ties.csv`` and ``votes_thqa.csv``, or some of these. ``--smoke`` takes one draw of
a small arena and writes nothing.
"""

import warnings

import numpy as np
import pandas as pd

from benchmarks.shared.command_line import exit_if, parser_with_smoke
from benchmarks.shared.results import write_rows
from sklearn_pscore import (
    BradleyTerryRanker,
    Groups,
    LinearPreferenceRanker,
    PairwisePreferenceRanker,
)
from sklearn_pscore.datasets import fetch_thqa, make_arena
from sklearn_pscore.metrics import (
    pairwise_accuracy_score,
    pairwise_brier_score,
    pairwise_log_loss,
)
from sklearn_pscore.model_selection import PreferenceGroupKFold

N_FOLDS = 5
N_THQA_VOTES = (2000, 20_000)
# Opinions, 0.1 to 5, that differ by so much are told apart by 73 votes of 100.
NOISE = {
    "votes": 1.0,
    "votes, half the noise": 0.5,
    "votes, a quarter of it": 0.25,
    "votes without noise": 0.0,
}
MOST_THQA_DRAWS = 6
TIES = ("davidson", "ignore", "half")
TIE_PARAMETERS = (0.5, 1.0, 3.0)


def rankers(seed):
    """Return what is compared."""
    return {
        "defaults": PairwisePreferenceRanker(random_state=seed),
        "linear": LinearPreferenceRanker(),
        "Bradley-Terry": BradleyTerryRanker(l2=0.1),
    }


def scores_of(ranker, X, groups):
    """Return the scores of a fitted ranker, by item where it knows no metric."""
    if isinstance(ranker, BradleyTerryRanker):
        return ranker.predict(X, groups)
    return ranker.predict(X)


def held_out(draw, size):
    """Return the metrics of votes on held-out prompts, by method and fold."""
    arena = make_arena(random_state=draw, **size)
    rows = []
    for fold, (train, test) in enumerate(
        PreferenceGroupKFold(N_FOLDS).split(arena.data, arena.groups)
    ):
        groups = arena.groups[test]
        scores = {"truth": arena.score[test]}
        for name, ranker in rankers(draw).items():
            ranker.fit(arena.data.iloc[train], arena.groups[train])
            scores[name] = scores_of(ranker, arena.data.iloc[test], groups)
        for name, score in scores.items():
            rows.append(
                {
                    "draw": draw,
                    "fold": fold,
                    "method": name,
                    "log_loss": pairwise_log_loss(groups, score),
                    "brier": pairwise_brier_score(groups, score),
                    "accuracy": pairwise_accuracy_score(groups, score),
                }
            )
    return rows


def unseen(draw, size):
    """Return the place of a system without a vote, by truth and by its metrics."""
    arena = make_arena(random_state=draw, n_unseen=1, **size)
    ranker = PairwisePreferenceRanker(random_state=draw).fit(arena.data, arena.groups)
    rows = {"draw": draw}
    for name, score in (("true", arena.score), ("found", ranker.predict(arena.data))):
        by_system = pd.Series(score).groupby(arena.answers["system"]).mean()
        rows[f"{name}_rank"] = int(by_system.rank(ascending=False).iloc[-1])
    return [rows]


def ties(draw, size):
    """Return the slope of the scores on the truth, for each way to take ties."""
    rows = []
    for tie_parameter in TIE_PARAMETERS:
        arena = make_arena(random_state=draw, tie_parameter=tie_parameter, **size)
        share = np.mean(arena.votes["winner"] == "tie")
        for way in TIES:
            ranker = PairwisePreferenceRanker(ties=way, random_state=draw)
            score = ranker.fit(arena.data, arena.groups).predict(arena.data)
            rows.append(
                {
                    "draw": draw,
                    "tie_parameter": tie_parameter,
                    "share_of_ties": share,
                    "ties": way,
                    "slope": np.polyfit(arena.score, score, 1)[0],
                    "correlation": np.corrcoef(arena.score, score)[0, 1],
                }
            )
    return rows


def thqa(draw, numbers=N_THQA_VOTES):
    """Return the accuracy on held-out portraits of fits to opinions and to votes.

    And, as the learner "one vote", how often a vote is for what opinions prefer.
    """
    data = fetch_thqa()
    groups = data.groups
    rng = np.random.RandomState(draw)
    rows = []
    for fold, (train, test) in enumerate(
        PreferenceGroupKFold(N_FOLDS).split(data.data, groups)
    ):
        X, X_test = data.data.iloc[train], data.data.iloc[test]
        targets = {"opinions": groups[train]}
        for n_votes in numbers:
            n_drawn = n_votes * (N_FOLDS - 1) // N_FOLDS
            for name, noise in NOISE.items():
                drawn = _votes_of(groups[train], n_drawn, rng, noise)
                targets[f"{n_votes:,} {name}"] = drawn
        for name, target in targets.items():
            row = {"draw": draw, "fold": fold, "learnt_from": name}
            for learner in ("defaults", "linear"):
                ranker = rankers(draw)[learner].fit(X, target)
                accuracy = pairwise_accuracy_score(groups[test], ranker.predict(X_test))
                rows.append({**row, "learner": learner, "accuracy": accuracy})
            right = pairwise_accuracy_score(target, groups["preference"][train])
            rows.append({**row, "learner": "one vote", "accuracy": right})
    return rows


def _votes_of(groups, n_votes, rng, noise=1.0):
    """Draw votes on pairs of a group, the more one-sided the farther their opinions.

    A pair whose opinions differ by `noise` is decided 73 times of 100 by them. Without
    noise each vote is for what opinions prefer.
    """
    items = {"group": groups["group"], "item": groups["item"]}
    by_group = pd.Series(np.arange(len(groups))).groupby(groups["group"])
    members = [rows.to_numpy() for _, rows in by_group]
    votes = {"group": [], "left": [], "right": [], "winner": []}
    for _ in range(n_votes):
        rows = members[rng.randint(len(members))]
        first, second = rng.choice(rows, size=2, replace=False)
        gap = groups["preference"][first] - groups["preference"][second]
        votes["group"].append(groups["group"][first])
        votes["left"].append(groups["item"][first])
        votes["right"].append(groups["item"][second])
        if noise:
            chance = 1 / (1 + np.exp(-gap / noise))
            votes["winner"].append(float(rng.uniform() < chance))
        else:
            votes["winner"].append(np.sign(gap) / 2 + 0.5)
    return Groups.from_votes(votes, items, on="group", item="item")


def main():
    """Run all parts, print the means, and write the rows."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--draws", type=int, default=10)
    made = {"arena": held_out, "unseen": unseen, "ties": ties}
    parser.add_argument("--only", nargs="+", choices=[*made, "thqa"])
    arguments = parser.parse_args()
    exit_if(["--draws is less than 1"] if arguments.draws < 1 else [])
    n_draws = 1 if arguments.smoke else arguments.draws
    size = {"n_prompts": 20, "n_votes": 300} if arguments.smoke else {}
    only = arguments.only or [*made, "thqa"]
    parts = {
        f"votes_{name}": [row for d in range(n_draws) for row in part(d, size)]
        for name, part in made.items()
        if name in only
    }
    if "thqa" in only:
        draws = range(min(n_draws, MOST_THQA_DRAWS))
        try:
            parts["votes_thqa"] = [row for draw in draws for row in thqa(draw)]
        except OSError as error:
            warnings.warn(f"THQA is not at hand: {error}", stacklevel=1)
    for name, rows in parts.items():
        table = pd.DataFrame(rows)
        print(name, table.mean(numeric_only=True).to_dict())
        if not arguments.smoke:
            write_rows(name, table)


if __name__ == "__main__":
    main()
