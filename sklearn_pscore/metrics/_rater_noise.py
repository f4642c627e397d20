"""Mean opinions as measurements: how far chance among raters moves them."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from sklearn_pscore._segments import Segments
from sklearn_pscore.metrics._order import stable_order

_FEWEST_LIKE, _MOST_CLASSES = 50, 20


@dataclass(frozen=True)
class MeanOpinions:
    """Items that count, sorted by group, with the noise of their mean opinion.

    Attributes
    ----------
    group, unit : ndarray of shape (n_items,), int
        Code of the group, and of the block or the group without blocks.
    opinion, weight : ndarray of shape (n_items,), float
    noise : ndarray of shape (n_items,), float
        Variance of the mean over raters: that of a rating, over their number.
    item : ndarray of shape (n_items,), int
        Index among the items of the target.
    """

    group: np.ndarray
    unit: np.ndarray
    opinion: np.ndarray
    weight: np.ndarray
    noise: np.ndarray
    item: np.ndarray

    @cached_property
    def groups(self):
        """The groups as segments of the items."""
        return Segments.of_equal(self.group)

    def take(self, kept):
        """Return some of the items, by mask, in their order."""
        fields = ("group", "unit", "opinion", "weight", "noise", "item")
        return replace(self, **{name: getattr(self, name)[kept] for name in fields})

    def spread_of_truth(self):
        """Return the variance of the true opinions inside of groups, by moments."""
        groups = self.groups
        mean = groups.sum(self.opinion) / groups.size
        squares = np.sum((self.opinion - groups.spread(mean)) ** 2)
        by_noise = np.sum(self.noise * groups.spread(1 - 1 / groups.size))
        degrees = np.sum(groups.size - 1)
        return max(float(squares - by_noise), 0.0) / degrees if degrees else 0.0

    def draw_truth(self, item_normal, group_normal):
        """Draw true opinions given the observed ones.

        Inside a group they are normal around a mean of any value, and so is the noise.

        Parameters
        ----------
        item_normal : ndarray of shape (n_draws, n_items)
        group_normal : ndarray of shape (n_draws, n_groups)
            Standard normal numbers, for each group in the order of the items.

        Returns
        -------
        truth : ndarray of shape (n_draws, n_items)
        """
        groups, noise = self.groups, self.noise
        spread = self.spread_of_truth()
        if spread == 0 and not noise.any():
            return np.broadcast_to(self.opinion, item_normal.shape)
        precision = 1 / np.maximum(spread + noise, np.finfo(float).tiny)
        total = groups.sum(precision)
        mean = groups.sum(precision * self.opinion) / total + group_normal / total**0.5
        mean = np.repeat(mean, groups.size, axis=1)
        share = spread * precision
        deviation = np.sqrt(share * noise)
        return mean + share * (self.opinion - mean) + deviation * item_normal


def mean_opinions(target, caller):
    """Return the items of a target with the noise of their preferences.

    Parameters
    ----------
    target : RankingTarget
        Its rows that count are judged.
    caller : str
        Name of the function, for the messages.

    Returns
    -------
    opinions : MeanOpinions

    Raises
    ------
    ValueError
        If the target does not say how many people judged, or how far they were apart.
    """
    n_raters, spread = raters_of_items(target, caller)
    rows = np.flatnonzero(target.items.row_item >= 0)
    unknown = rows[target.n_raters[rows] == 0]
    if len(unknown):
        raise ValueError(
            f"n_raters is 0, not known, in {len(unknown)} of the {len(rows)} rows that "
            f"count, the first at row {unknown[0]}; {caller} expects it in all. Fill it "
            "in, or leave these rows out with weight 0."
        )
    items = target.items
    variance = _variance_of_ratings(items.preference, spread, n_raters, caller)
    noise = variance / n_raters
    # The order of the items must not show in the last bit.
    order = stable_order(items.weight, noise, items.preference, items.group)
    return MeanOpinions(
        group=items.group[order],
        unit=target.unit[first_rows(target)][order],
        opinion=items.preference[order],
        weight=items.weight[order],
        noise=noise[order],
        item=order,
    )


def raters_of_items(target, caller):
    """Return the number of raters of each item and their spread, which it must have.

    Parameters
    ----------
    target : RankingTarget
    caller : str
        Name of the function, for the messages.

    Returns
    -------
    n_raters : ndarray of shape (n_items,), int
    spread : ndarray of shape (n_items,), float
    """
    for field in ("n_raters", "spread"):
        if getattr(target, field) is None:
            raise ValueError(
                f"groups has no field {field!r}; {caller} expects to know how many people "
                "judged each row, and the standard deviation of their ratings. Build the "
                "target by Groups.from_ratings, or pass n_raters= and spread= to "
                "Groups.from_arrays."
            )
    first = first_rows(target)
    return target.n_raters[first], target.spread[first]


def first_rows(target):
    """Return a row of each item: its rows share what is known of the raters."""
    rows = np.flatnonzero(target.items.row_item >= 0)
    first = np.zeros(target.items.n_items, dtype=np.int64)
    first[target.items.row_item[rows]] = rows
    return first


def _variance_of_ratings(opinion, spread, n_raters, caller):
    """Return the variance of a rating of each item, drawn towards that of its like.

    A few ratings say little about the spread of one item: five that agree by chance
    are no proof. So each is a mean of its own variance and of that of items of like
    opinion, for at the ends of a scale people agree; weighed by how far the variances
    differ beyond chance (an empirical Bayes estimate by moments, for normal ratings).
    """
    degrees = np.where(np.isnan(spread), 0, n_raters - 1).astype(float)
    total = degrees.sum()
    if not total:
        raise ValueError(
            f"spread is not known, or n_raters is 1, in all {len(spread)} items that "
            f"count; {caller} expects two or more ratings of some. Pass the standard "
            "deviation of the ratings as spread=."
        )
    own = np.where(degrees > 0, spread, 0.0) ** 2
    like = _mean_of_like(opinion, own, degrees)
    by_chance = 2 * own**2 / (degrees + 2)
    fourth = np.sum(degrees * own**2 * degrees / (degrees + 2)) / total
    real = max(np.sum(degrees * ((own - like) ** 2 - by_chance)) / total, 0.0)
    if not real:
        return like
    weight = degrees * real / (degrees * real + 2 * fourth)
    return weight * own + (1 - weight) * like


def _mean_of_like(opinion, variance, degrees):
    """Return the mean variance of the items whose opinion is in the same class.

    There are 20 classes at most, of 50 items at least, and one for the others whose
    variance is not known.
    """
    known = degrees > 0
    n_classes = int(np.clip(np.count_nonzero(known) // _FEWEST_LIKE, 1, _MOST_CLASSES))
    limits = np.quantile(opinion[known], np.arange(1, n_classes) / n_classes)
    code = np.searchsorted(limits, opinion, side="right")
    total = np.bincount(code, degrees, minlength=n_classes)
    sums = np.bincount(code, degrees * variance, minlength=n_classes)
    pooled = sums.sum() / total.sum()
    return np.divide(sums, total, where=total > 0, out=np.full(n_classes, pooled))[code]
