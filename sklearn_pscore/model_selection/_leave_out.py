"""Folds that leave out one system, group or block, and the pairs that hold a system."""

from dataclasses import replace

import numpy as np

from sklearn_pscore._target.check import check_groups, is_structured
from sklearn_pscore.metrics import kendall_tau_score, pairwise_accuracy_score
from sklearn_pscore.metrics._checks import check_scores
from sklearn_pscore.metrics._items import item_scores
from sklearn_pscore.metrics._judgements import judgements_of
from sklearn_pscore.metrics._models import predict_scores
from sklearn_pscore.metrics._scorers import RankingScorer, check_model_target

LEFT_OUT = ("item", "group", "block")
"""Fields of the target that a comparison may leave out one by one."""


def check_leave_out(leave_out, groups, **others):
    """Raise unless a field can be left out, and nothing else makes the folds.

    Parameters
    ----------
    leave_out : str
    groups : structured ndarray of shape (n_rows,)
    **others : object
        Arguments that must be None.
    """
    if not isinstance(leave_out, str) or leave_out not in LEFT_OUT:
        raise (ValueError if isinstance(leave_out, str) else TypeError)(
            f"leave_out is {leave_out!r:.60}; expected one of {list(LEFT_OUT)}, or None. "
            'Pass leave_out="item" to leave out one system after the other.'
        )
    for name, value in others.items():
        if value is not None:
            raise ValueError(
                f"{name} was passed together with leave_out={leave_out!r}, which makes a "
                f"fold for each {leave_out}; expected one of the two. Leave {name} out."
            )
    fields = groups.dtype.names if is_structured(groups) else ("preference",)
    if leave_out not in fields:
        raise ValueError(
            f"leave_out is {leave_out!r}, but groups has the fields {list(fields)}; "
            f"expected a target with that field. Pass {leave_out}= to Groups.from_arrays."
        )


def check_judges(scoring):
    """Raise ValueError unless all scorers judge pairs one by one."""
    for name, scorer in scoring.items():
        if not isinstance(scorer, RankingScorer) or not (
            scorer.metric in (pairwise_accuracy_score, kendall_tau_score)
            and not {key for key, v in scorer.options.items() if v is not None}
        ):
            raise ValueError(
                f"scoring[{name!r}] is {scorer!r:.80}, and leave_out='item' judges by the "
                "pairs that hold the left-out item; expected a metric that is a mean over "
                "pairs. Take pairwise_accuracy_scorer or kendall_tau_scorer, without "
                "options."
            )


def splits_that_leave_out(field, groups, target):
    """Return the labels to leave out, and the rows to fit and to judge on of each.

    Parameters
    ----------
    field : {"item", "group", "block"}
    groups : structured ndarray of shape (n_rows,)
    target : RankingTarget
        Of these groups.

    Returns
    -------
    labels : list of int or str
    splits : list of (train, test)
        Donors are only fitted on. An item is judged on in the groups that hold it.
    """
    labels, code = np.unique(groups[field], return_inverse=True)
    counted = target.is_counted
    kept = np.unique(code[counted])
    if len(kept) < 2:
        raise ValueError(
            f"leave_out is {field!r}, and the rows that count are of {len(kept)} {field}; "
            "expected two or more, one to leave out and others to learn from. Check the "
            f"{field} of the target."
        )
    splits = []
    for number in kept:
        is_left_out = code == number
        test = is_left_out & ~target.donor
        if field == "item":
            holds = np.bincount(target.group[test & counted], minlength=target.n_groups)
            test = (holds[target.group] > 0) & ~target.donor
        splits.append((np.flatnonzero(~is_left_out), np.flatnonzero(test)))
    return labels[kept].tolist(), splits


def rows_of_item(label, groups, judged, test):
    """Return which rows to judge on are of an item; refuse one without a pair.

    Parameters
    ----------
    label : int or str
    groups : structured ndarray of shape (n_rows,)
    judged : RankingTarget
        Of the reference of all rows.
    test : ndarray of int
        Rows to judge on.
    """
    if judged.item is None:
        raise ValueError(
            "reference has no field 'item', and leave_out='item' judges by the pairs that "
            "hold one; expected the items of groups in it, too. Pass item= to "
            "Groups.from_arrays."
        )
    is_item = groups["item"][test] == label
    part = judged.take(test)
    _, preference, _ = _pairs_with(part, is_item)
    if part.votes is not None:
        votes = _votes_with(part, is_item)
        preference = votes.wins + votes.losses
    if not np.any(preference):
        raise ValueError(
            f"item {label!s} has no pair to be judged on: no group that holds it has "
            "another item of a different preference. Leave its rows out, from X too."
        )
    return is_item


def _pairs_with(target, is_item):
    """Return the pairs of an item with the others of its groups.

    Returns
    -------
    pair : tuple of ndarray of shape (n_pairs,), int
        Items of the target: the left-out one, and the other.
    preference : ndarray of shape (n_pairs,), float
        Difference of the first to the second.
    weight : ndarray of shape (n_pairs,), float
        Product of the two, up to one factor.
    """
    items = target.items
    held = np.zeros(items.n_items, dtype=bool)
    rows = items.row_item >= 0
    held[items.row_item[rows]] = is_item[rows]
    one, others = np.flatnonzero(held), np.flatnonzero(~held)
    item_of_group = np.full(target.n_groups, -1)
    item_of_group[items.group[one]] = one
    others = others[item_of_group[items.group[others]] >= 0]
    pair = item_of_group[items.group[others]], others
    preference = items.preference[pair[0]] - items.preference[pair[1]]
    weight = items.weight / items.weight.max()
    return pair, preference, weight[pair[0]] * weight[pair[1]]


def _votes_with(target, is_item):
    """Return the votes between rows of an item, and others, that count."""
    votes = target.votes
    first, second = is_item[votes.first], is_item[votes.second]
    counted = target.is_counted[votes.first] & target.is_counted[votes.second]
    return votes.of((first != second) & counted)


class PairsThatHold:
    """Scorer by the pairs of a left-out item with the others of its groups.

    Each pair counts by the product of its weights, whatever group it is of; in accuracy
    on a target of votes, each vote.

    Parameters
    ----------
    scorer : RankingScorer
        Of pairwise accuracy or Kendall's tau.
    is_item : ndarray of shape (n_rows,), bool
        Rows to judge on that are of the item.
    """

    def __init__(self, scorer, is_item):
        self.scorer = scorer
        self.is_item = is_item

    def __call__(self, estimator, X, groups):
        """Return the metric of the scores that `estimator` predicts for `X`."""
        groups = check_model_target(estimator, X, groups, "groups")
        # Of whole groups: some rankers rank an item among all others of its group.
        y_score = predict_scores(estimator, X, groups)
        target = check_groups(groups)
        y_score = check_scores(y_score, target.n_rows, self.scorer.__name__)
        if target.votes is not None and self.scorer.metric is pairwise_accuracy_score:
            value = self._share_of_votes(target, y_score)
            return value if self.scorer.greater_is_better else -value
        (one, other), preference, weight = _pairs_with(target, self.is_item)
        score = item_scores(target, y_score)
        sign = np.sign(score[one] - score[other]) * np.sign(preference)
        differs = preference != 0
        tau = np.average(sign[differs], weights=weight[differs])
        if self.scorer.metric is pairwise_accuracy_score:
            tau = (1 + tau) / 2
        return tau if self.scorer.greater_is_better else -tau

    def _share_of_votes(self, target, y_score):
        """Return the share of the votes about the item that the scores are right in."""
        held = replace(target, votes=_votes_with(target, self.is_item))
        ties = self.scorer.options.get("ties", "drop")
        votes = judgements_of(held, y_score, ties, self.scorer.__name__)
        is_right = np.heaviside(votes.difference, 0.5)
        return votes.mean(is_right, 1.0 - is_right, ties=ties, average=True)
