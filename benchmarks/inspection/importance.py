"""Which metric does a score go by, and what does permuting rows make of that?

Made tables, of which the truth is known: groups of 5, two metrics that people follow,
one that is the same for all of a group, and one that is noise. Two models are fitted to
100 groups, and explained on 60 others by scikit-learn's permutation importance, of all
rows and of a draw of rows, and by that of the package. Then THQA, 5 folds by portrait,
each metric permuted alone and with those that measure alike; and one of its pairs.

    python -m benchmarks.inspection.importance [--smoke]

writes ``results/importance_made.csv``, ``results/importance_thqa.csv`` and
``results/importance_pair.csv``; THQA is read from the data home that
``SKLEARN_PSCORE_DATA`` names. ``--smoke`` takes one table and 2 permutations, leaves
THQA out and writes nothing.
"""

import warnings

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.inspection import permutation_importance
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.shared.command_line import parser_with_smoke
from benchmarks.shared.results import write_rows
from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore.datasets import fetch_thqa
from sklearn_pscore.inspection import (
    group_permutation_importance,
    pairwise_contributions,
)
from sklearn_pscore.metrics import dcg_scorer, pairwise_accuracy_scorer
from sklearn_pscore.model_selection import PreferenceGroupKFold

METRICS = ["sharp", "sync", "level", "noise"]
SCORERS = {"DCG": dcg_scorer, "pairwise accuracy": pairwise_accuracy_scorer}
ALIKE = {
    "face identity": ["antelopev2", "arcface", "buffalo"],
    "lip sync": ["avset", "distance", "confi"],
    "image quality": [
        *["brisque", "nrqm", "pi", "nima", "paq2piq", "cnniqa", "dbcnn", "musiq-ava"],
        *["musiq-koniq", "musiq-spaq", "clipiqa", "clipiqa+", "tre-koniq", "topiq_nr"],
        *["qalign", "topiq_iaa", "topiq_iaa_res50", "laion_aes"],
    ],
}


def draw(n_groups, seed):
    """Return a table of metrics in groups of 5, and what people like."""
    rng = np.random.default_rng(seed)
    group = np.arange(5 * n_groups) // 5
    X = pd.DataFrame(rng.normal(size=(len(group), 4)), columns=METRICS)
    X["level"] = rng.normal(size=n_groups)[group]
    liked = 2 * X["sharp"] + X["sync"] + 2 * X["level"] + rng.normal(size=len(X))
    return X, Groups.from_arrays(group=group, preference=liked)


def models():
    """Return a ranker, and a model of the opinion itself, with the target of each."""
    boosting = HistGradientBoostingRegressor(random_state=0)
    return {
        "PairwisePreferenceRanker": (
            PairwisePreferenceRanker(random_state=0),
            lambda groups: groups,
        ),
        "HistGradientBoostingRegressor": (
            boosting,
            lambda groups: groups["preference"],
        ),
    }


def ways(model, X, groups, options):
    """Yield the name of each way to the importance, and its result."""
    with warnings.catch_warnings():
        # A draw of rows cuts groups, and the scorer says so.
        warnings.filterwarnings("ignore", message=".*groups cut")
        yield "scikit-learn", permutation_importance(model, X, groups, **options)
        drawn = {**options, "max_samples": 0.4}
        yield (
            "scikit-learn, max_samples=0.4",
            permutation_importance(model, X, groups, **drawn),
        )
    for name, more in (
        ('shuffle="global"', {"shuffle": "global"}),
        ('shuffle="within"', {}),
        ('shuffle="within", max_groups=0.4', {"max_groups": 0.4}),
    ):
        yield name, group_permutation_importance(model, X, groups, **options, **more)


def made(n_tables, n_repeats):
    """Return the importance of the metrics of made tables, each way."""
    rows = []
    for seed in range(n_tables):
        X, groups = draw(160, seed)
        train, test = np.arange(500), np.arange(500, 800)
        for name, (model, target_of) in models().items():
            model.fit(X.iloc[train], target_of(groups[train]))
            for measure, scorer in SCORERS.items():
                options = {
                    "scoring": scorer,
                    "n_repeats": n_repeats,
                    "random_state": seed,
                }
                for way, result in ways(model, X.iloc[test], groups[test], options):
                    rows += [
                        {
                            "model": name,
                            "measure": measure,
                            "way": way,
                            "metric": metric,
                            "table": seed,
                            "importance": value,
                        }
                        for metric, value in zip(
                            METRICS, result.importances_mean, strict=True
                        )
                    ]
    return pd.DataFrame(rows)


def talking_heads(n_repeats):
    """Return the importance of the metrics of THQA, and what decides one pair."""
    thqa = fetch_thqa()
    X, groups = thqa.data, thqa.groups
    model = make_pipeline(StandardScaler(), PairwisePreferenceRanker(random_state=0))
    rows, pair = [], None
    folds = PreferenceGroupKFold(5).split(X, groups)
    for fold, (train, test) in enumerate(folds):
        model.fit(X.iloc[train], groups[train])
        table, target = X.iloc[test], groups[test]
        options = {
            "scoring": pairwise_accuracy_scorer,
            "n_repeats": n_repeats,
            "random_state": 0,
        }
        results = {
            "alone": group_permutation_importance(model, table, target, **options),
            "together": group_permutation_importance(
                model, table, target, feature_groups=ALIKE, **options
            ),
            "alone, across groups": group_permutation_importance(
                model, table, target, shuffle="global", **options
            ),
        }
        for way, result in results.items():
            rows += [
                {
                    "way": way,
                    "metric": metric,
                    "fold": fold,
                    "baseline": result.baseline,
                    "importance": value,
                }
                for metric, value in zip(
                    result.feature_names, result.importances_mean, strict=True
                )
            ]
        if pair is None:
            pair = one_pair(model, table, target)
    return pd.DataFrame(rows), pair


def one_pair(model, X, groups):
    """Return what decides the best and the least liked item of the first group."""
    group = np.flatnonzero(groups["group"] == groups["group"][0])
    order = group[np.argsort(groups["preference"][group], kind="stable")]
    a, b = order[[-1]], order[[0]]
    explained = pairwise_contributions(model, X.iloc[a], X.iloc[b], random_state=0)
    print(explained)
    rows = explained.to_frame().drop(columns="pair")
    for name, place in (("a", a), ("b", b)):
        rows[name] = X.iloc[place[0]][rows["metric"]].to_numpy()
        rows[f"item_{name}"] = groups["item"][place[0]]
    rows["group"] = groups["group"][a[0]]
    rows["difference"] = explained.difference[0]
    rows["difference_std"] = explained.difference_std[0]
    return rows


def main():
    """Measure, write and print."""
    smoke = parser_with_smoke(__doc__).parse_args().smoke
    of_tables = made(1, 2) if smoke else made(10, 10)
    means = of_tables.groupby(["measure", "model", "way", "metric"], sort=False)
    print(means["importance"].mean().unstack()[METRICS].round(3).to_string())
    if smoke:
        return
    of_heads, pair = talking_heads(10)
    write_rows("importance_made", of_tables)
    write_rows("importance_thqa", of_heads)
    write_rows("importance_pair", pair)


if __name__ == "__main__":
    main()
