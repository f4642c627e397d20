"""Checks of the items that a ranker learns from, and of the scores that it learnt."""

import numpy as np

from sklearn_pscore._rankers.sizes import check_largest, name_of
from sklearn_pscore._segments import Segments
from sklearn_pscore._target.groups import AWARD_PREFERENCE
from sklearn_pscore._warn import warn_user

# Differences of float32 numbers up to this size are float32 numbers.
_LARGEST_IN_FLOAT32 = 2.0**120
_FIRST_ROWS = 2**10
# Largest weight over smallest. A pair of the two lightest items then weighs at least
# 1e-24 of the heaviest pair, far above the smallest float32, 1e-38; and of all
# pairs in a large group the expansion still tells it apart. Not measured by a benchmark.
_WIDEST_WEIGHTS = 1e12
# Scores that differ by less say of no pair more than .5025 to .4975. Not measured.
_LEAST_GAP = 0.01
# A group of more items that goes through all of its pairs warns. Not measured by a
# benchmark.
_MANY_ITEMS = 5000


def check_float32(X, names=None):
    """Raise ValueError if X holds values that the network cannot scale.

    It trains in float32. Before that it takes differences of the values in the type
    of X, and inverses in float64 at last, which must hold these.
    """
    largest = np.finfo(np.float32).max
    most = largest if X.dtype.itemsize > 4 else _LARGEST_IN_FLOAT32
    reason = f"for {largest:.3g} is the largest float32, in which the network trains"
    check_largest(X, most, reason, names)
    smallest = 2.0 ** (8 - np.finfo(np.float64).maxexp)
    # Most columns have a value that is large enough among the first rows.
    first = np.fmax.reduce(np.abs(X[:_FIRST_ROWS]), axis=0)
    for column in np.flatnonzero(~(first >= smallest)):
        largest = np.fmax.reduce(np.abs(X[:, column]))
        if 0 < largest < smallest:
            raise ValueError(
                f"X holds no value above {largest:.3g} in size in column "
                f"{name_of(column, names)}; expected at least {smallest:.3g}, whose "
                "inverse float64 holds. Scale the column up, or leave it out."
            )


def check_votes(items, target, caller, loss="ranknet", ties="ignore", order_bias=False):
    """Raise ValueError if the votes of a target, or its having none, cannot be learnt.

    Parameters
    ----------
    items : TrainingItems
    target : RankingTarget
    caller, loss, ties : str
    order_bias : bool
        Whether it is learnt what was shown first, in votes or lists.
    """
    if order_bias:
        _check_order(items, target, caller, loss)
    if target.votes is None:
        if ties == "davidson":
            raise ValueError(
                'ties="davidson", and the target has no votes; expected a target of '
                'Groups.from_votes. Pass ties="half" to count equal preferences.'
            )
        return
    if items.votes is None:
        raise ValueError(
            f"{caller} got a target of votes and {np.sum(~items.judged)} synthetic items "
            "of PairAugmenter, for which nobody voted; expected one of the two. Leave "
            "PairAugmenter out, or pass the preferences alone: Groups.from_arrays(group="
            'groups["group"], preference=groups["preference"]).'
        )
    if loss != "ranknet":
        raise ValueError(
            f"loss={loss!r} with a target of votes; expected loss='ranknet', for votes "
            "are of pairs. Set that loss, or pass the preferences alone: Groups.from_"
            'arrays(group=groups["group"], preference=groups["preference"]).'
        )
    votes = items.votes
    n_decided = np.sum(votes.wins + votes.losses)
    if not n_decided and (ties in ("auto", "ignore") or not votes.ties.any()):
        raise ValueError(
            f"{caller} got {len(votes)} pairs with votes of which none was decided; "
            "expected some votes for one of two items. Check the outcomes of the votes, "
            "and whether both items of a pair are there."
        )


def _check_order(items, target, caller, loss):
    """Raise ValueError if it is not known what was shown first, or has no place."""
    is_known = target.position is not None
    if target.votes is not None:
        is_known = target.votes.side is not None
    if not is_known:
        raise ValueError(
            "order_bias=True, and the target does not know who was shown first; expected "
            "one of Groups.from_votes(..., order=True), or for lists the field position: "
            "Groups.from_arrays(..., position=...). Build it so, or set order_bias=False."
        )
    if target.votes is not None:
        return
    if items.position is None:
        raise ValueError(
            f"{caller} got order_bias=True and {np.sum(~items.judged)} synthetic items of "
            "PairAugmenter, which nobody was shown; expected one of the two. Leave "
            "PairAugmenter out, or set order_bias=False."
        )
    if loss == "lambdarank":
        raise ValueError(
            "order_bias=True with loss='lambdarank', which weighs a pair by its ranks in "
            "the score alone; expected loss='ranknet' or 'listnet'. Set one of these, or "
            "order_bias=False."
        )


def check_positions(items):
    """Raise ValueError if positions are known of no item, or of a part of a group only.

    Parameters
    ----------
    items : TrainingItems
        Comparable items.
    """
    if items.position is None or not len(items):
        return
    if not items.position.any():
        raise ValueError(
            f"order_bias=True, and position is 0, not known, of all {len(items)} items "
            "that are in a pair; expected 1 for what was shown first, 2 for the next. Pass "
            "the positions, or set order_bias=False."
        )
    is_known = items.position > 0
    n_known = np.bincount(items.group, is_known)
    n_items = np.bincount(items.group)
    bad = np.flatnonzero((n_known > 0) & (n_known < n_items))
    if len(bad):
        n_lacking = int(n_items[bad[0]] - n_known[bad[0]])
        raise ValueError(
            f"order_bias=True, and position is 0, not known, of {n_lacking} of "
            f"{n_items[bad[0]]} items of one group, and of some in {len(bad)} groups; "
            "expected it of all items of a group, or of none. Fill it in, or give those "
            "rows a weight of 0."
        )


def check_same_kind(items, has_votes):
    """Raise ValueError if items to validate on have votes and the others none, or so.

    Parameters
    ----------
    items : TrainingItems
        To validate on.
    has_votes : bool
        Whether the target that is learnt from has votes.
    """
    if (items.votes is not None) == has_votes:
        return
    of, beside = ("preferences", "votes") if has_votes else ("votes", "preferences")
    raise ValueError(
        f"y_val is of {of} and y is of {beside}; expected a target of the same kind, for "
        "the loss of the one is none of the other. Build both by Groups.from_votes, or "
        "neither."
    )


def check_ties(items):
    """Raise ValueError, or warn, if ties count between items that nobody compared.

    Parameters
    ----------
    items : TrainingItems
    """
    if items.ties == "ignore" or items.votes is not None or not len(items):
        return
    if not items.judged.all():
        raise ValueError(
            f'ties="half" with {np.sum(~items.judged)} synthetic items of PairAugmenter; '
            "expected judged items only, for nobody compared synthetic items and found "
            'them equal. Set ties="ignore", or leave PairAugmenter out.'
        )
    refuse_awards(items.preference)
    warn_of_choices(count_choices(items))


def refuse_awards(preference):
    """Raise ValueError if all preferences are those of Groups.from_winners."""
    if np.isin(preference, (AWARD_PREFERENCE, 0.0)).all():
        raise ValueError(
            f'ties="half", and every preference is {AWARD_PREFERENCE:g} or 0, as '
            "Groups.from_winners writes them; expected ties that people judged to be "
            "such, for a choice of one does not say that the others are equal. Set "
            'ties="ignore". If people did give these grades, pass other numbers for '
            "them, for example 1 and 0."
        )


def count_choices(items):
    """Count the groups in which one item is above all others, which tie.

    Parameters
    ----------
    items : TrainingItems

    Returns
    -------
    counts : ndarray of shape (4,), int
        Groups; such groups; those of them with several others; and those of these
        that are written as awards are. Counts of several sets of items add up.
    """
    # One row of each contender.
    items = items.take(np.unique(items.parents[:, 0], return_index=True)[1])
    order = np.lexsort((items.preference, items.group))
    group, preference = items.group[order], items.preference[order]
    groups = Segments.of_equal(group)
    lowest = preference[groups.start]
    highest = preference[groups.start + groups.size - 1]
    is_choice = groups.count(preference > groups.spread(lowest)) == 1
    has_ties = is_choice & (groups.size > 2)
    is_award = has_ties & (lowest == 0) & (highest == AWARD_PREFERENCE)
    return np.array([len(lowest), is_choice.sum(), has_ties.sum(), is_award.sum()])


def warn_of_choices(counts):
    """Warn if ties may be those of a choice, by counts of :func:`count_choices`."""
    n_groups, n_choices, n_with_ties, n_awards = counts
    if n_choices == n_groups and n_with_ties:
        warn_user(
            "In every group one item is above all others, which tie: if people chose one "
            'and did not compare the others, pass ties="ignore", for these are no ties.'
        )
    elif n_awards:
        warn_user(
            f"In {n_awards} of {n_groups} groups one item has the preference "
            f"{AWARD_PREFERENCE:g} and all others 0, as Groups.from_winners writes them: "
            "if people chose one there and did not compare the others, fit without these "
            'groups, or pass ties="ignore", for these are no ties.'
        )


def warn_if_constant(gap, leaves_out, parameters):
    """Warn if a fit ended with scores that order nobody.

    Parameters
    ----------
    gap : float
        Largest difference of two scores in a group.
    leaves_out : bool
        Whether members left out groups.
    parameters : namespace
        Resolved parameters of the ranker.
    """
    if gap >= _LEAST_GAP:
        return
    why = "the metrics may say nothing about the preference."
    if leaves_out:
        why = (
            "what was learnt from some groups did not hold in those left out. No metric "
            "may tell the items of a group apart; or groups prefer opposite things, or a "
            "few with most of the pairs other things than all the rest: try "
            'group_weight="equal". leave_out=False keeps what was learnt all the same.'
        )
    elif parameters.output_activation == "relu6":
        why = "all may be cut off at 0 or 6: try another learning_rate_init."
    warn_user(
        f"The scores are (nearly) constant: in no group do two of them differ by more "
        f"than {gap:.1g}; {why}"
    )


def check_weights(weight):
    """Raise ValueError if the weights of comparable items are too far apart.

    Parameters
    ----------
    weight : ndarray of shape (n_items,), float > 0
    """
    lightest, heaviest = weight.min(initial=np.inf), weight.max(initial=0.0)
    if lightest < heaviest / _WIDEST_WEIGHTS:
        raise ValueError(
            f"weight is {lightest:.3g} in one row and {heaviest:.3g} in another; expected "
            f"weights whose largest is at most {_WIDEST_WEIGHTS:g} times the smallest "
            "above 0, or rounding would drop the lightest. Set the smallest to 0, which "
            "leaves the rows out, or raise them."
        )


def warn_of_many_pairs(ranker, items):
    """Warn if the loss goes through all pairs of a large group.

    Parameters
    ----------
    ranker : estimator
    items : TrainingItems

    Returns
    -------
    has_warned : bool
    """
    if ranker.loss != "lambdarank" or not len(items):
        return False
    largest = int(np.unique(items.group, return_counts=True)[1].max())
    return warn_of_large_group(ranker, largest)


def warn_of_large_group(ranker, largest):
    """Warn as :func:`warn_of_many_pairs`, by the size of the largest group."""
    from sklearn_pscore._torch.losses.lambdarank import takes_all_pairs

    if ranker.loss != "lambdarank":
        return False
    if largest <= _MANY_ITEMS or not takes_all_pairs(largest, ranker.k):
        return False
    warn_user(
        f"loss='lambdarank' with k={ranker.k} goes through all pairs of a group, and the "
        f"largest has {largest} items: the time of an epoch grows with the square of "
        "that. Set k far below, such as k=10, or loss='ranknet': both are linear in the "
        "items."
    )
    return True
