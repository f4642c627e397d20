"""Means of a comparison with their spread, over folds or seeds."""

import numpy as np
import pandas as pd
from scipy import stats


def intervals(comparison, metric, over, level):
    """Return the mean of each method, and how far it may be off.

    Parameters
    ----------
    comparison : RankerComparison
    metric : str
    over : {"seed", "fold"}
    level : float
        Level of intervals over folds.

    Returns
    -------
    table : DataFrame of shape (n_methods, 4)
        `mean`, `low`, `high` and `n_runs` of the methods. Over folds, the ends are those
        of the interval by Student's t, with the corrected variance of folds that share
        training rows; over seeds they are a standard deviation (ddof=0) away. NaN where
        there is a single run.
    """
    table = comparison.table(over=over)[metric]
    n_runs = comparison.n_runs(over=over)
    half = table["std"].where(n_runs > 1)
    if over == "fold":
        n = n_runs.where(n_runs > 1)
        # Of k folds, k - 1 times the rows that are held out are trained on.
        shared = 1 / (n - 1)
        error = np.sqrt((1 / n + shared) * n / (n - 1)) * half
        half = error * stats.t.ppf((1 + level) / 2, n - 1)
    return pd.DataFrame(
        {
            "mean": table["mean"],
            "low": table["mean"] - half,
            "high": table["mean"] + half,
            "n_runs": n_runs,
        }
    )
