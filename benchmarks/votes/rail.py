"""How well are real votes learnt from the metrics of what was compared?

    python -m benchmarks.votes.rail [--draws 3] [--smoke]

2,929 votes of 235 travellers between two journeys (``fetch_rail_votes``), five folds by
traveller, each draw other folds. Beside this package: the conditional logit, which is a
logistic regression on differences of metrics; gradient boosting of such differences, each
pair both ways round; and CatBoost's PairLogit. Accuracy, log loss and Brier score of the
votes of travellers that are left out; for scores by the logistic function of their
difference. And the bias to the journey that was shown first, with its standard error.
Writes ``results/votes_rail.csv``; ``--smoke`` takes one draw and writes nothing.
"""

import warnings

import numpy as np
import pandas as pd
from catboost import CatBoost, Pool
from scipy.special import expit, logit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.shared.command_line import exit_if, parser_with_smoke
from benchmarks.shared.results import write_rows
from sklearn_pscore import LinearPreferenceRanker, PairwisePreferenceRanker
from sklearn_pscore.datasets import fetch_rail_votes
from sklearn_pscore.model_selection import PreferenceGroupKFold

NAME = "votes_rail"
N_FOLDS = 5


def _ranker(make):
    def gap(seed, X, groups, X_test):
        model = make_pipeline(StandardScaler(), make(seed)).fit(X, groups)
        score = model.predict(X_test)
        return score[::2] - score[1::2]

    return gap


def _of_differences(make):
    """Return the logit of a classifier of differences; each pair is there both ways."""

    def gap(seed, X, groups, X_test):
        difference, wins = _pairs(X, groups)
        both = np.concatenate([difference, -difference])
        model = make(seed).fit(both, np.concatenate([wins, ~wins]))
        test = X_test.to_numpy()[::2] - X_test.to_numpy()[1::2]
        one, other = (model.predict_proba(s * test)[:, 1] for s in (1, -1))
        return (logit(one) - logit(other)) / 2

    return gap


def _catboost(seed, X, groups, X_test):
    _, wins = _pairs(X, groups)
    first = 2 * np.arange(len(wins))
    pairs = np.stack([first + ~wins, first + wins], axis=1)
    pool = Pool(X, pairs=pairs, group_id=np.arange(len(X)) // 2)
    model = CatBoost(
        {
            "loss_function": "PairLogit",
            "random_seed": seed,
            "verbose": False,
            "thread_count": 1,
            "allow_writing_files": False,
        }
    )
    score = model.fit(pool).predict(X_test)
    return score[::2] - score[1::2]


def _pairs(X, groups):
    """Return differences of metrics, and whether the first of each pair was preferred."""
    X = X.to_numpy()
    return X[::2] - X[1::2], groups["preference"][::2] > groups["preference"][1::2]


METHODS = {
    "defaults": _ranker(lambda seed: PairwisePreferenceRanker(random_state=seed)),
    "linear": _ranker(lambda seed: LinearPreferenceRanker()),
    'linear, C="cv"': _ranker(lambda seed: LinearPreferenceRanker(C="cv")),
    "conditional logit": _of_differences(
        lambda seed: make_pipeline(
            StandardScaler(with_mean=False),
            LogisticRegression(C=np.inf, fit_intercept=False),
        )
    ),
    "boosting of differences": _of_differences(
        lambda seed: HistGradientBoostingClassifier(random_state=seed)
    ),
    "CatBoost PairLogit": _catboost,
}
"""``method(seed, X, groups, X_test)`` returns how much more the first of two is worth."""


def measure(rail, draw):
    """Return one row per method and fold of one draw of the folds."""
    rows = []
    splits = PreferenceGroupKFold(N_FOLDS, shuffle=True, random_state=draw)
    for fold, (train, test) in enumerate(splits.split(rail.data, rail.groups)):
        _, wins = _pairs(rail.data.iloc[test], rail.groups[test])
        for method, gap in METHODS.items():
            found = gap(
                draw, rail.data.iloc[train], rail.groups[train], rail.data.iloc[test]
            )
            proba = expit(found)
            right = np.where(wins, proba, 1 - proba)
            rows.append(
                {
                    "draw": draw,
                    "fold": fold,
                    "method": method,
                    "log_loss": -np.log(right).mean(),
                    "Brier": np.square(1 - right).mean(),
                    "accuracy": np.mean((right > 0.5) + 0.5 * (right == 0.5)),
                }
            )
    return rows


def main():
    """Measure all draws, print the means, and write the rows."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--draws", type=int, default=3)
    arguments = parser.parse_args()
    exit_if(["--draws is less than 1"] if arguments.draws < 1 else [])
    try:
        rail = fetch_rail_votes(download_if_missing=not arguments.smoke)
    except OSError as error:
        warnings.warn(f"the rail votes are not at hand: {error}", stacklevel=1)
        return
    n_draws = 1 if arguments.smoke else arguments.draws
    table = pd.DataFrame(
        [row for draw in range(n_draws) for row in measure(rail, draw)]
    )
    print(table.groupby("method", sort=False).mean(numeric_only=True))
    ranker = PairwisePreferenceRanker(order_bias=True, random_state=0)
    ranker.fit(rail.data, rail.groups)
    print(
        f"bias to the first: {ranker.order_bias_:+.3f} +- {ranker.order_bias_std_:.3f}"
    )
    if not arguments.smoke:
        table["order_bias"] = ranker.order_bias_
        table["order_bias_std"] = ranker.order_bias_std_
        write_rows(NAME, table)


if __name__ == "__main__":
    main()
