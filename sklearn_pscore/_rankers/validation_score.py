"""The score of a validation set after each epoch, by which training may stop."""

import inspect
import math
from numbers import Real
from typing import NamedTuple

import numpy as np

from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._rankers.validation_set import errors_about
from sklearn_pscore._target.build import build_target
from sklearn_pscore._target.votes import padded_records
from sklearn_pscore.metrics import pairwise_accuracy_scorer
from sklearn_pscore.metrics._scorers import RankingScorer


class ValidationScore:
    """The score of a model on a validation set; larger is better.

    Parameters
    ----------
    scorer : callable
        ``scorer(model, X, groups)``.
    X : ndarray or sparse matrix of shape (n_rows, n_features)
    groups : structured ndarray or array-like of shape (n_rows,)
    """

    def __init__(self, scorer, X, groups):
        self.scorer = scorer
        self.X = X
        self.groups = groups

    def __call__(self, model):
        """Return the score of a model that has ``predict``, a finite float."""
        score = self.scorer(model, self.X, self.groups)
        if isinstance(score, (bool, np.bool_)) or not isinstance(score, Real):
            raise TypeError(
                f"scoring={self.scorer!r} returned {score!r:.60} of type "
                f"{type(score).__name__}; expected one number, larger is better. Pass "
                "make_ranking_scorer of a metric, or a function of (model, X, groups)."
            )
        if not math.isfinite(score):
            raise ValueError(
                f"scoring={self.scorer!r} returned {score}; expected a finite number, "
                "larger is better. Look at the validation set: it may hold nothing that "
                "this score is of."
            )
        return float(score)

    def try_out(self):
        """Raise the error that the metric would raise after the first epoch.

        Only metrics through their scorers: they ask a model for nothing but scores.
        """
        if isinstance(self.scorer, RankingScorer):
            with errors_about(
                f"scoring={self.scorer!r} cannot score the validation set"
            ):
                self(_Constant())


class Validation(NamedTuple):
    """Items that are validated on, and their score.

    Attributes
    ----------
    items : TrainingItems
    score : ValidationScore or None
        None if their loss is enough.
    """

    items: TrainingItems
    score: ValidationScore | None

    @classmethod
    def of(cls, items, scoring, X=None, groups=None):
        """Return items with the score that the parameter `scoring` stands for.

        Parameters
        ----------
        items : TrainingItems
        scoring : "loss", callable or None
        X : ndarray or sparse matrix of shape (n_rows, n_features), default=None
        groups : structured ndarray or array-like of shape (n_rows,), default=None
            Rows to score; None are those of the items.
        """
        if isinstance(scoring, str):
            return cls(items, None)
        if X is None:
            X, groups = items.X, _target_of(items)
        score = ValidationScore(scoring or pairwise_accuracy_scorer, X, groups)
        score.try_out()
        return cls(items, score)


def check_scoring(scoring):
    """Raise an error if a callable `scoring` is no scorer of groups.

    Raises
    ------
    TypeError
        If it is a metric, which does not take a model, or takes no three arguments.
    ValueError
        If it is one of scikit-learn's own, which knows no groups.
    """
    from sklearn_pscore._torch.callbacks import takes_groups

    module = getattr(scoring, "__module__", None) or ""
    if inspect.isfunction(scoring) and module.startswith("sklearn_pscore.metrics"):
        raise TypeError(
            f"scoring is the metric {scoring.__name__}; expected a scorer, called as "
            f"scorer(model, X, groups). Pass make_ranking_scorer({scoring.__name__})."
        )
    if callable(scoring) and not _takes_three(scoring):
        raise TypeError(
            f"scoring is {scoring!r:.60}, which cannot be called as scorer(model, X, "
            "groups); expected a scorer of sklearn_pscore.metrics, or a function that "
            "takes these three. Pass for example ndcg_scorer."
        )
    if callable(scoring) and not takes_groups(scoring):
        raise ValueError(
            f"scoring is {scoring!r}, which knows no groups; expected a scorer that is "
            "called as scorer(model, X, groups), larger is better. Take one of "
            "sklearn_pscore.metrics, such as ndcg_scorer."
        )


def _takes_three(scoring):
    """Tell whether a callable, which is no class, takes three arguments."""
    try:
        inspect.signature(scoring).bind(None, None, None)
    except TypeError:
        return False
    except ValueError:
        # It is written in C and has no signature.
        pass
    return not isinstance(scoring, type)


def _target_of(items):
    """Return the target of items; rows of one contender are one item in it."""
    item = items.parents[:, 0] if items.judged.all() else None
    fields = {
        "group": items.group,
        "preference": items.preference,
        "weight": items.weight,
        "item": item,
    }
    if items.votes is not None:
        fields |= padded_records(items.votes, len(items))
    return build_target(fields)


class _Constant:
    """A model to which all items are the same."""

    def predict(self, X):
        return np.zeros(X.shape[0])
