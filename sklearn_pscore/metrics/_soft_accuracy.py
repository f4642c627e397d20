"""Soft pairwise accuracy of systems: does a metric part them as surely as people?"""

import itertools
import numbers

import numpy as np

from sklearn_pscore.metrics._checks import check_scored
from sklearn_pscore.metrics._items import item_scores

# Cells of the largest table of shuffled sums. Not measured.
_CELLS = 2**22
# Sums whose difference is below this share of the sum of sizes are equal.
_ROUNDING = 1e-12


def soft_pairwise_accuracy_score(
    groups, y_score, *, n_permutations=4096, random_state=0
):
    r"""Compute how alike score and people are in which system is better, and how surely.

    For each pair of systems a paired permutation test asks whether one of them is
    better: by the people's judgements, and by the score. The metric is the mean over
    pairs of one minus the difference of the two p-values [1]_. Larger is better, 1
    means that the score parts all systems as clearly as people do.

    .. math:: SPA = \frac{1}{N} \sum_{a, b} 1 - |p^{people}_{ab} - p^{score}_{ab}|

    with the one-sided p-values of the sum over groups of the differences between
    the systems a and b, a being the one that people prefer; where people prefer
    neither, the mean of both orders. Each permutation turns the signs of the
    differences of some groups, the same for people and score. A system is an item of
    the same name in all groups; a pair is compared in the groups that hold both.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    groups : structured ndarray of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`, with the field `item`. Rows of
        one (group, item) are averaged first, donor rows and rows of weight zero are
        left out.
    y_score : array-like of shape (n_samples,)
        Score of each row; finite, larger is preferred.
    n_permutations : int, default=4096
        How many permutations are drawn. If that many are all there are, or more, as
        for up to 12 groups by default, each is taken once and nothing is drawn.
    random_state : int or None, default=0
        Seed of the draws. An integer gives the same value in every call.

    Returns
    -------
    score : float
        In [0, 1].

    Raises
    ------
    ValueError
        If no two systems share a group, a row is not judged, a score is not finite,
        or an option is out of range.
    TypeError
        If the target has no `item`, or an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    pairwise_accuracy_score : Share of pairs of items in the right order, in groups.

    References
    ----------
    .. [1] Thompson, Mathur, Deutsch, Khayrallah, "Improving Statistical Significance
       in Human Evaluation of Automatic Metrics via Soft Pairwise Accuracy", WMT 2024,
       arXiv:2409.09598.

    Examples
    --------
    Two systems in two groups. People: of the sums of +-1 +-2 one in four reaches 3.
    Score: of those of +-2 -+1 two in four reach 1. So it is 1 - (1/2 - 1/4).

    >>> from sklearn_pscore import Groups
    >>> from sklearn_pscore.metrics import soft_pairwise_accuracy_score
    >>> groups = Groups.from_arrays(
    ...     group=[0, 0, 1, 1], item=["a", "b", "a", "b"], preference=[2, 1, 3, 1]
    ... )
    >>> soft_pairwise_accuracy_score(groups, [3.0, 1.0, 1.0, 2.0])
    0.75
    """
    caller = "soft_pairwise_accuracy_score"
    _check_n_permutations(n_permutations, caller)
    rng = _generator(random_state, caller)
    target, y_score = check_scored(groups, y_score, caller)
    if target.item is None:
        raise TypeError(
            f"groups has no item; {caller} compares systems over the groups, so expected "
            "the system of each row. Pass Groups.from_arrays(group=..., item=..., "
            "preference=...)."
        )
    people, score = _differences(target, y_score, caller)
    signs = _signs(people.shape[1], n_permutations, rng)
    distance = np.concatenate(
        [
            _distances(people[chunk], score[chunk], signs)
            for chunk in _chunks(len(people), signs.shape[1])
        ]
    )
    return float(1.0 - np.mean(np.sort(distance)))


def _differences(target, y_score, caller):
    """Return the differences of all pairs of systems that meet, in each group.

    Returns
    -------
    people, score : ndarray of shape (n_pairs, n_groups), float
        Of the preferences, at least 0 in sum, and of the scores; each weighs the
        product of the two weights, and is 0 where one of the systems is missing.
        The groups are in an order that does not depend on their labels.
    """
    items = target.items
    first_row = np.full(items.n_items, -1)
    is_kept = items.row_item >= 0
    first_row[items.row_item[is_kept]] = np.flatnonzero(is_kept)
    system, codes = np.unique(target.item[first_row], return_inverse=True)
    shape = len(system), target.n_groups
    tables = np.zeros((3, *shape))
    columns = (items.preference, item_scores(target, y_score), items.weight)
    for table, column in zip(tables, columns, strict=True):
        # Scaled, so that sums of the largest numbers are finite.
        largest = np.abs(column).max(initial=0.0)
        table[codes, items.group] = column / largest if largest > 0 else column
    # By what is in a group, and only then by which system has it.
    keys = np.concatenate([tables, np.sort(tables, axis=1)])
    tables = tables[:, :, np.lexsort(keys.reshape(-1, shape[1]))]
    first, second = np.triu_indices(shape[0], 1)
    meet = np.any(tables[2, first] * tables[2, second] > 0, axis=1)
    if not meet.any():
        raise ValueError(
            f"No two of the {shape[0]} systems in the field item share a group; {caller} "
            "compares systems by the groups that hold both. Check the labels of item and "
            "group."
        )
    first, second = first[meet], second[meet]
    product = tables[2, first] * tables[2, second]
    people = product * (tables[0, first] - tables[0, second])
    score = product * (tables[1, first] - tables[1, second])
    sign = np.where(people.sum(axis=1) < 0, -1.0, 1.0)[:, None]
    return sign * people, sign * score


def _signs(n_groups, n_permutations, rng):
    """Return the signs of the groups in each permutation, all if there are few."""
    if n_groups < 63 and 2**n_groups <= n_permutations:
        return np.array(list(itertools.product([1.0, -1.0], repeat=n_groups))).T
    drawn = rng.choice([1.0, -1.0], size=(n_groups, n_permutations))
    # As they are is one of the permutations.
    drawn[:, 0] = 1.0
    return drawn


def _distances(people, score, signs):
    """Return the difference of the two p-values of each pair."""
    (people_at_least, people_above), (score_at_least, score_above) = (
        _tails(differences, signs) for differences in (people, score)
    )
    distance = np.abs(people_at_least - score_at_least)
    # In the other order of a pair, p is one minus the share strictly above.
    reversed_order = np.abs(people_above - score_above)
    total, size = people.sum(axis=1), np.abs(people).sum(axis=1)
    is_even = np.abs(total) <= _ROUNDING * size
    return np.where(is_even, (distance + reversed_order) / 2, distance)


def _tails(differences, signs):
    """Return the shares of permutations that reach, and that exceed, the sum."""
    sums = differences @ signs
    total = differences.sum(axis=1)[:, None]
    rounding = _ROUNDING * np.abs(differences).sum(axis=1)[:, None]
    return (
        np.mean(sums >= total - rounding, axis=1),
        np.mean(sums > total + rounding, axis=1),
    )


def _chunks(n_pairs, n_permutations):
    """Yield slices of the pairs whose tables of sums fit into memory."""
    size = max(1, _CELLS // n_permutations)
    for start in range(0, n_pairs, size):
        yield slice(start, start + size)


def _check_n_permutations(n_permutations, caller):
    is_int = isinstance(n_permutations, numbers.Integral)
    if not is_int or isinstance(n_permutations, bool) or n_permutations < 1:
        is_low = is_int and not isinstance(n_permutations, bool)
        raise (ValueError if is_low else TypeError)(
            f"The 'n_permutations' parameter of {caller} must be an int in the range [1, "
            f"inf). Got {n_permutations!r} instead."
        )


def _generator(random_state, caller):
    """Return a generator seeded by an integer, or by the system for None."""
    is_int = isinstance(random_state, numbers.Integral)
    is_seed = is_int and not isinstance(random_state, bool) and random_state >= 0
    if random_state is not None and not is_seed:
        raise (ValueError if is_int else TypeError)(
            f"The 'random_state' parameter of {caller} must be an int in the range [0, "
            f"inf) or None. Got {random_state!r} instead."
        )
    return np.random.default_rng(random_state)
