"""What a perfect score could reach against opinions that are themselves measured."""

import numpy as np

# Of the pairs of large groups, or of many, these say enough: those of 300 items of a
# group, 44,850 of them, and of fewer where there are more than 44 such groups.
_MOST_ITEMS, _MOST_PAIRS = 300, 2_000_000
_N_POINTS, _N_STEPS = 80, 100
_FAR = 50.0
# Pairs whose difference is this near are counted as one kind: in units of the noise up
# to one of them, as a share of the difference beyond.
_WIDTH = 0.02


def accuracy_ceilings(opinions, bunch, rng):
    """Return the pairwise accuracy of a perfect score, and without each bunch of items.

    Each observed difference is divided by the deviation of its noise: it is then the
    true one, so divided, and standard normal noise. The true ones have a distribution
    of any shape, symmetric about zero. It is found by 100 steps of expectation
    maximisation from a uniform one, so that it stays smooth; then each pair is in the
    right order with the probability that the true difference has the sign of the
    observed one.

    Parameters
    ----------
    opinions : MeanOpinions
    bunch : ndarray of shape (n_items,), int
        Part of the data that each item belongs to, the same for a block.
    rng : RandomState
        Draws items of large groups.

    Returns
    -------
    ceilings : ndarray of shape (1 + n_bunches,), float
        That of all pairs first; NaN where no pair is left.
    """
    if not opinions.noise.any():
        return np.ones(2 + int(bunch.max(initial=-1)))
    difference, *tables = _kinds_of_pairs(opinions, bunch, rng)
    right, wrong, share = _likelihoods(difference)
    both = right + wrong
    weight, untied = (
        np.vstack([table.sum(axis=0), table.sum(axis=0) - table]) for table in tables
    )
    share = np.tile(share, (len(weight), 1))
    for _ in range(_N_STEPS):
        share = share * (_divided(weight, share @ both.T) @ both)
        share = _divided(share, share.sum(axis=1, keepdims=True))
    is_right = _divided(share @ right.T, share @ both.T)
    return _divided(np.sum(untied * is_right, axis=1), untied.sum(axis=1), np.nan)


def _divided(part, total, otherwise=0.0):
    """Return a quotient, and another value where the total is not positive."""
    part, total = np.broadcast_arrays(part, total)
    return np.divide(part, total, where=total > 0, out=np.full(part.shape, otherwise))


def _kinds_of_pairs(opinions, bunch, rng):
    """Count the pairs of all groups by their difference in units of its noise.

    Returns
    -------
    difference : ndarray of shape (n_kinds,), float
        Mean of the pairs of each kind.
    weight, untied : ndarray of shape (n_bunches, n_kinds), float
        Weight of the pairs of each bunch, that of a group being 1 together: of all
        pairs, and of those that the opinions do not tie.
    """
    one, other = _pairs_of(opinions.groups, rng)
    group, bunch = opinions.group[one], bunch[one]
    difference = np.abs(opinions.opinion[one] - opinions.opinion[other])
    noise = np.sqrt(opinions.noise[one] + opinions.noise[other])
    # From _FAR on a pair is right for sure, as it is without noise.
    far = np.where(difference > 0, _FAR, 0.0)
    is_near = difference < _FAR * noise
    difference = np.divide(difference, noise, where=is_near, out=far)
    weight = opinions.weight / opinions.weight.max()
    weight = weight[one] * weight[other]
    kind = np.round(np.arcsinh(difference) / _WIDTH).astype(np.int64)
    # Ties are a kind of their own, for they are no pair of the metric.
    kind[difference == 0] = -1
    kind = np.unique(kind, return_inverse=True)[1]
    tables = []
    for part in (weight, np.where(difference > 0, weight, 0.0)):
        table = np.zeros((int(bunch.max()) + 1, int(kind.max()) + 1))
        of_group = _divided(part, np.bincount(group, part)[group])
        np.add.at(table, (bunch, kind), of_group)
        tables.append(table)
    return np.bincount(kind, difference) / np.bincount(kind), *tables


def _pairs_of(groups, rng):
    """Return the items of pairs inside of groups: all, or those of drawn items."""
    n_groups = max(len(groups.size), 1)
    most_items = int(np.clip(np.sqrt(2 * _MOST_PAIRS / n_groups), 3, _MOST_ITEMS))
    first, second = [], []
    for size in np.unique(groups.size[groups.size > 1]):
        start = groups.start[groups.size == size]
        n_kept = min(size, most_items)
        places = np.broadcast_to(np.arange(n_kept), (len(start), n_kept))
        if n_kept < size:
            # Others in each group: items are in the order of their opinions.
            numbers = rng.uniform(size=(len(start), size))
            places = np.argpartition(numbers, n_kept, axis=1)[:, :n_kept]
        i, j = np.triu_indices(n_kept, 1)
        first.append((start[:, None] + places[:, i]).ravel())
        second.append((start[:, None] + places[:, j]).ravel())
    return np.concatenate(first), np.concatenate(second)


def _likelihoods(difference):
    """Return the likelihood of each true difference: of this sign, and of the other.

    Returns
    -------
    right, wrong : ndarray of shape (n_kinds, n_points), float
        Up to one factor for each kind.
    share : ndarray of shape (n_points,), float
        Share of each point in a uniform distribution from 0 to the largest difference.
        Points are closer together near 0.
    """
    grid = np.sinh(np.linspace(0.0, np.arcsinh(difference.max()), _N_POINTS))
    right, wrong = (-0.5 * (difference[:, None] + s * grid) ** 2 for s in (-1, 1))
    largest = right.max(axis=1, keepdims=True)
    share = np.gradient(grid)
    with np.errstate(under="ignore"):
        right, wrong = np.exp(right - largest), np.exp(wrong - largest)
    return right, wrong, share / share.sum()


def drawn_ceiling(opinions, target, groups, metric, normals):
    """Return the mean of a metric of true opinions, drawn given the observed ones.

    Parameters
    ----------
    opinions : MeanOpinions
        Of `target`.
    target : RankingTarget
        Of `groups`.
    groups : structured ndarray of shape (n_rows,)
    metric : callable
        ``metric(groups, y_score)`` returns a number.
    normals : tuple of ndarray
        As :meth:`MeanOpinions.draw_truth` takes them.

    Returns
    -------
    ceiling : float
    """
    row_item = target.items.row_item
    counted = row_item >= 0
    values = []
    for truth in opinions.draw_truth(*normals):
        of_item = np.zeros(target.items.n_items)
        of_item[opinions.item] = truth
        y_score = np.zeros(target.n_rows)
        y_score[counted] = of_item[row_item[counted]]
        values.append(metric(groups, y_score))
    return float(np.mean(values))


def draw_normals(opinions, n_draws, rng):
    """Draw the numbers that make true opinions, see ``MeanOpinions.draw_truth``."""
    n_items, n_groups = len(opinions.opinion), len(opinions.groups.size)
    return rng.normal(size=(n_draws, n_items)), rng.normal(size=(n_draws, n_groups))
