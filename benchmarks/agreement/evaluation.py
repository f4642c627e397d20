"""Timed fits on splits, their metrics, and paired differences over folds."""

import time

import numpy as np
import pandas as pd
from scipy import special, stats

from benchmarks.agreement.rankers import Sorted
from sklearn_pscore.metrics import (
    ndcg_score,
    pairwise_accuracy_score,
    reciprocal_rank_score,
)
from sklearn_pscore.metrics._models import predict_scores

_DEPTHS = (1, 3, 5, 10)
"""Ranks to which NDCG is cut where the gain is exponential."""

METRICS = ["accuracy", "MRR", "NDCG", "top1", "log_loss"]
METRICS += [f"NDCG@{k}" for k in _DEPTHS]


def fits(make, splits, n_seeds):
    """Fit on every split with every seed.

    Parameters
    ----------
    make : callable
        ``make(seed, split)`` returns an unfitted ranker.
    splits : list of Split
    n_seeds : int

    Yields
    ------
    model : fitted ranker
    split : Split
    fit : dict
        Of the row of the fit: "seed", "fold" and "fit_seconds".
    """
    for seed in range(n_seeds):
        for fold, split in enumerate(splits):
            model = make(seed, split)
            start = time.perf_counter()
            model.fit(split.X_train, split.groups_train)
            seconds = time.perf_counter() - start
            yield model, split, {"seed": seed, "fold": fold, "fit_seconds": seconds}


def score(model, data, split):
    """Return the metrics of a fitted ranker on the held-out rows of a split.

    Groups without two different preferences are left out of every mean, also
    where another library counts them as 1.
    """
    groups = split.groups_test
    y_score = predict_scores(model, split.X_test, groups)
    values = {
        "accuracy": pairwise_accuracy_score(groups, y_score),
        "MRR": reciprocal_rank_score(groups, y_score),
        "NDCG": ndcg_score(groups, y_score, gain=data.gain),
        "top1": reciprocal_rank_score(groups, y_score, k=1),
    }
    if data.is_choice:
        values["log_loss"] = choice_log_loss(groups, y_score)
    if data.gain == "exponential":
        for k in _DEPTHS:
            values[f"NDCG@{k}"] = ndcg_score(groups, y_score, k=k, gain="exponential")
    return values


def choice_log_loss(groups, y_score):
    """Return the mean of -log softmax(score) of each group's winner."""
    rows = Sorted.of(np.asarray(y_score)[:, None], groups)
    parts = np.split(rows.X[:, 0], rows.starts[1:])
    log_share = np.concatenate([special.log_softmax(part) for part in parts])
    return -log_share[rows.preference > 0].mean()


def fold_means(table, name, metric, by):
    """Return the means over seeds of a metric on a set, folds x names in `by`."""
    rows = table[table["set"] == name]
    return rows.pivot_table(metric, "fold", by, sort=False)


def paired_difference(values, others):
    """Return mean and half width of the 95 % interval of a difference over folds."""
    difference = (values - others).dropna()
    n = len(difference)
    if n < 2:
        return difference.mean(), np.nan
    half = stats.t.ppf(0.975, n - 1) * difference.std(ddof=1) / np.sqrt(n)
    return difference.mean(), half


def differences_by_set(table, by, base, metric="accuracy"):
    """Return names x sets: what each name in `by` gains over `base`.

    Parameters
    ----------
    table : DataFrame
        Rows with the columns "set", "seed", "fold", `by` and `metric`.
    by : str
        Column of the names.
    base : str
        Name that the others are compared to.
    metric : str

    Returns
    -------
    gaps : DataFrame
        Means over the folds that both have, of means over seeds; NaN where a name
        and the base share no fold of a set.
    """
    folds = table.pivot_table(metric, ["set", "fold"], by, sort=False)
    gaps = folds.sub(folds[base], axis=0)
    return gaps.groupby(level="set", sort=False).mean().T


def over_sets(gaps):
    """Return mean, standard error over sets and extremes of differences, by name.

    Parameters
    ----------
    gaps : DataFrame
        Names x sets, as `differences_by_set` returns them. Names without any
        difference are left out.
    """
    gaps = gaps.dropna(how="all")
    n_sets = gaps.notna().sum(axis=1)
    return pd.DataFrame(
        {
            "sets": n_sets,
            "difference": gaps.mean(axis=1),
            "standard error over sets": gaps.std(axis=1, ddof=1) / np.sqrt(n_sets),
            "ahead": (gaps > 0).sum(axis=1),
            "behind": (gaps < 0).sum(axis=1),
            "worst": gaps.min(axis=1),
            "worst set": gaps.idxmin(axis=1),
            "best": gaps.max(axis=1),
            "best set": gaps.idxmax(axis=1),
        }
    )
