"""How many pairs of systems do other rules tell apart, on the same draws?

Arena-Hard (Li et al. 2024, arXiv:2406.11939) counts the pairs whose percentile
intervals do not overlap. arenakit (0.1.1) tests neighbours: their difference over its
standard deviation in the draws, against the quantile of the largest one in each draw
among all neighbours, or of its own. Here the draws are of whole clusters, and the means
of systems are fitted anew to each, as in a leaderboard.
"""

import numpy as np
import pandas as pd

from sklearn_pscore.inspection._additive import system_means


def drawn_means(groups, cluster, n_boot, rng):
    """Return the means of systems in all data, and in each draw of clusters.

    Parameters
    ----------
    groups : structured ndarray of shape (n_samples,)
        Without weights, with one row per group and item.
    cluster : array-like of shape (n_samples,)
    n_boot : int
    rng : numpy Generator

    Returns
    -------
    mean : Series of length n_systems
        By the name of the system, the best first.
    drawn : DataFrame of shape (n_boot, n_systems)
    """
    codes = {
        name: np.unique(labels, return_inverse=True)[1]
        for name, labels in [
            ("group", groups["group"]),
            ("system", groups["item"]),
            ("cluster", cluster),
        ]
    }
    names, n_clusters = np.unique(groups["item"]), int(codes["cluster"].max()) + 1

    def means(times):
        weight = times[codes["cluster"]].astype(float)
        kept = weight > 0
        group = np.unique(codes["group"][kept], return_inverse=True)[1]
        return system_means(
            groups["preference"][kept],
            weight[kept],
            group,
            codes["system"][kept],
            codes["cluster"][kept],
        ).mean

    share = np.full(n_clusters, 1 / n_clusters)
    drawn = [means(rng.multinomial(n_clusters, share)) for _ in range(n_boot)]
    mean = pd.Series(means(np.ones(n_clusters)), names)
    mean = mean.sort_values(ascending=False, kind="stable")
    return mean, pd.DataFrame(drawn, columns=names)[mean.index]


def intervals_apart(drawn, level=0.95):
    """Tell which pairs have percentile intervals that do not overlap.

    Parameters
    ----------
    drawn : DataFrame of shape (n_boot, n_systems)
        Means in each draw, the best system first.

    Returns
    -------
    apart : ndarray of shape (n_systems, n_systems), bool
        Whether the row's is above the column's.
    """
    low, high = drawn.quantile([(1 - level) / 2, (1 + level) / 2]).to_numpy()
    return low[:, None] > high


def neighbours_apart(mean, drawn, level=0.95):
    """Tell which systems arenakit tells from the next one.

    Returns
    -------
    together, alone : ndarray of shape (n_systems - 1,), bool
        With one error for all neighbours, and with one for each.
    """
    gap = -np.diff(mean.to_numpy())
    moved = -np.diff(drawn.to_numpy(), axis=1)
    error = moved.std(axis=0, ddof=1)
    t = np.abs(moved - gap) / error
    limit = np.percentile(t.max(axis=1), 100 * level)
    return gap / error > limit, gap / error > np.percentile(t, 100 * level, axis=0)


def separations(board, groups, cluster, n_boot):
    """Return the number of pairs, and of neighbours, that each rule tells apart.

    Parameters
    ----------
    board : Leaderboard
        Of these groups by the same clusters.

    Returns
    -------
    rows : DataFrame with `rule`, `pairs`, `of_pairs`, `neighbours` and `of_neighbours`
        `pairs` is missing where a rule tells of neighbours only.
    """
    mean, drawn = drawn_means(groups, cluster, n_boot, np.random.default_rng(0))
    if mean.index.tolist() != board.systems["item"].tolist():
        raise AssertionError("the leaderboard is in another order")
    ours = board.is_better.to_numpy()
    plain = intervals_apart(drawn, board.level)
    together, alone = neighbours_apart(mean, drawn, board.level)
    rows = pd.DataFrame(
        [
            ("bootstrap_leaderboard", ours.sum(), np.diag(ours, 1).sum()),
            ("intervals do not overlap", plain.sum(), np.diag(plain, 1).sum()),
            ("arenakit, neighbours together", np.nan, together.sum()),
            ("arenakit, each by itself", np.nan, alone.sum()),
        ],
        columns=["rule", "pairs", "neighbours"],
    )
    n = len(mean)
    rows.insert(2, "of_pairs", n * (n - 1) // 2)
    return rows.assign(of_neighbours=n - 1)
