"""Means of systems that are not in all groups, and what each cluster adds to them."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class SystemMeans:
    """Means of systems, adjusted for the groups that each was in.

    Attributes
    ----------
    mean : ndarray of shape (n_systems,), float
    influence : ndarray of shape (n_clusters, n_systems), float
        By how much the mean moves if a cluster is there once more. The sum over
        clusters is zero, the sum of squares is the variance of the mean.
    contrast : ndarray of shape (n_clusters, n_systems), float
        The same without what all systems share: differences of its columns are the
        influences on differences of means.
    n_clusters : ndarray of shape (n_systems,), int
        Number of clusters that hold the system.
    n_groups : ndarray of shape (n_systems,), int
        Number of groups that hold it.
    """

    mean: np.ndarray
    influence: np.ndarray
    contrast: np.ndarray
    n_clusters: np.ndarray
    n_groups: np.ndarray


def system_means(value, weight, group, system, cluster):
    r"""Fit value = group + system by least squares.

    The mean of a system is the one that it would have were it in every group. If all
    systems are in all groups, it is their plain mean.

    With residuals :math:`e_i` and the design :math:`\tilde x_i` of the systems less
    its mean in the group, a row adds :math:`L^{-1} w_i e_i \tilde x_i` to the
    systems, where L is the sum of :math:`w_i \tilde x_i \tilde x_i'`. For each system
    that is scaled by the root of n / (n - 1), with the n clusters that hold it: its
    residuals are too small where it has few.

    Parameters
    ----------
    value, weight : ndarray of shape (n_rows,), float
    group, system, cluster : ndarray of shape (n_rows,), int
        Codes from 0 on, without a gap. The systems are connected.

    Returns
    -------
    means : SystemMeans
    """
    n_groups, n_systems, n_clusters = (
        int(codes.max()) + 1 for codes in (group, system, cluster)
    )
    in_group = _table(group, system, weight, (n_groups, n_systems))
    total = np.bincount(group, weight)
    share = in_group / total[:, None]
    group_mean = np.bincount(group, weight * value) / total
    laplacian = np.diag(in_group.sum(axis=0)) - in_group.T @ share
    right = np.bincount(system, weight * (value - group_mean[group]))
    inverse = _inverse(laplacian)
    effect = inverse @ right
    effect -= effect.mean()
    level = group_mean - share @ effect
    group_weight = total / np.bincount(group)
    group_weight = group_weight / group_weight.sum()
    centre = group_weight @ level
    residual = weight * (value - level[group] - effect[system])
    score = _table(cluster, system, residual, (n_clusters, n_systems))
    # Zero, unless a cluster cuts a group.
    score -= coo_array((residual, (cluster, group)), (n_clusters, n_groups)) @ share
    contrast = score @ inverse
    of_row = group_weight[group] / total[group] * weight
    common = np.bincount(cluster, of_row * (value - effect[system] - centre))
    common -= contrast @ (group_weight @ share)
    has_system = _table(cluster, system, np.ones(len(value)), score.shape) > 0
    n_with = has_system.sum(axis=0)
    with np.errstate(divide="ignore"):
        factor = np.sqrt(n_with / (n_with - 1.0))
    # What one cluster says has no variance to be told from.
    factor[n_with < 2] = 1.0
    return SystemMeans(
        mean=effect + centre,
        influence=(contrast + common[:, None]) * factor,
        contrast=contrast * factor,
        n_clusters=n_with,
        n_groups=np.sum(in_group > 0, axis=0),
    )


def _inverse(laplacian):
    """Return the pseudo-inverse of a matrix whose null space are the constants.

    `numpy.linalg.pinv` would have to tell their eigenvalue, zero but for rounding,
    from the others.
    """
    n = len(laplacian)
    size = np.trace(laplacian) / n
    ones = np.full((n, n), 1.0 / n)
    return np.linalg.inv(laplacian + size * ones) - ones / size


def connected_parts(group, system):
    """Number the parts of the systems that groups connect.

    Parameters
    ----------
    group, system : ndarray of shape (n_rows,), int

    Returns
    -------
    part : ndarray of shape (n_systems,), int
    """
    n_systems, n_groups = int(system.max()) + 1, int(group.max()) + 1
    size = n_systems + n_groups
    edges = coo_array((np.ones(len(group)), (system, n_systems + group)), (size, size))
    return connected_components(edges, directed=False)[1][:n_systems]


def _table(row, column, value, shape):
    """Return the sums of values by row and column."""
    return np.bincount(
        row * shape[1] + column, value, minlength=shape[0] * shape[1]
    ).reshape(shape)
