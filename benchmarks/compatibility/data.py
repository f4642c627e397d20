"""The small data of all checks, and their values by the slow and obvious way."""

import numpy as np
import pandas as pd

from sklearn_pscore import Groups, PairwisePreferenceRanker

FEATURES = ["SSIM", "PSNR", "FID"]
_rng = np.random.default_rng(0)

X = pd.DataFrame(_rng.normal(size=(60, 3)), columns=FEATURES)
"""Sixty rows; the first two columns tell the order of a group's items."""

LABEL = _rng.permutation(60) // 5
"""Group of each row: twelve of five rows, mixed."""

PREFERENCE = (2 * X["SSIM"] + X["PSNR"] + 0.1 * _rng.normal(size=60)).to_numpy()
GRADE = np.array(
    [
        np.sum(PREFERENCE[label == LABEL] < preference)
        for label, preference in zip(LABEL, PREFERENCE, strict=True)
    ]
)
"""Number of items of its group that each row is preferred to."""

GROUPS = Groups.from_arrays(group=LABEL, preference=PREFERENCE)
FOLDS = [
    (np.flatnonzero(fold != number), np.flatnonzero(fold == number))
    for fold in [LABEL % 3]
    for number in range(3)
]
"""Train and test rows of three folds, of whole groups."""


def ranker(**parameters):
    """Return a ranker that trains in a moment, the same bits in every fit."""
    parameters = {
        "max_epochs": 3,
        "n_members": 2,
        "leave_out": False,
        "learning_rate_init": 0.05,
        "random_state": 0,
    } | parameters
    return PairwisePreferenceRanker((), **parameters)


def accuracy(groups, y_score):
    """Return the pairwise accuracy, by its definition."""
    per_group = []
    for label in np.unique(groups["group"]):
        rows = np.flatnonzero(groups["group"] == label)
        won = []
        for i in rows:
            for j in rows:
                if groups["preference"][i] > groups["preference"][j]:
                    gap = y_score[i] - y_score[j]
                    won.append(1.0 if gap > 0 else 0.5 if gap == 0 else 0.0)
        if won:
            per_group.append(np.mean(won))
    return float(np.mean(per_group))


def rows_of(table, rows):
    """Return rows of a DataFrame or an array."""
    return table.iloc[rows] if hasattr(table, "iloc") else table[rows]


def accuracy_of_folds(model, folds=FOLDS, metric=accuracy, X=X):
    """Return the metric of each fold's test rows, by a loop over the folds."""
    from sklearn.base import clone

    scores = []
    for train, test in folds:
        fitted = clone(model).fit(rows_of(X, train), GROUPS[train])
        scores.append(metric(GROUPS[test], fitted.predict(rows_of(X, test))))
    return scores


def scaled(table=X, like=X):
    """Return columns less their mean, over their standard deviation."""
    return (table - like.mean()) / like.std(ddof=0)
