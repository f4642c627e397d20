"""How rankers of other libraries are told groups, labels and weights.

A library is known by the argument of ``fit`` that takes the groups, so any class of
that kind is taken: `group` (LightGBM) has sizes, `qid` (XGBoost) and `group_id`
(CatBoost) have labels. No library is imported here at the top.
"""

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from inspect import signature

import numpy as np

from sklearn_pscore._rankers.sizes import check_largest
from sklearn_pscore._segments import Segments
from sklearn_pscore._target.arguments import group_argument, library_of
from sklearn_pscore._warn import warn_user

# The classes that may be given by name: their module, and the extra that installs it.
_BY_NAME = {
    "LGBMRanker": ("lightgbm", "sklearn-pscore[lightgbm]"),
    "XGBRanker": ("xgboost", "sklearn-pscore[xgboost]"),
    "CatBoostRanker": ("catboost", "catboost"),
}
# XGBoost divides gradients by what has to do with scores unless both are False. Measured
# on pairs of two items of which one wins three in four: .80 by default, .75 without.
_XGBOOST_NORMS = ("lambdarank_normalization", "lambdarank_score_normalization")

# What LightGBM and XGBoost call the iterations without gain after which they stop.
_STOPPING = ("early_stopping_rounds", "early_stopping_round", "n_iter_no_change")


def ranker_by_name(name, caller):
    """Return a ranker of another library with its defaults.

    Raises
    ------
    ImportError
        If the library is not installed.
    """
    if name not in _BY_NAME:
        raise ValueError(
            f"ranker is {name!r}; expected a ranker such as LGBMRanker(), or one of the "
            f"names {list(_BY_NAME)}."
        )
    module, needed = _BY_NAME[name]
    try:
        return getattr(import_module(module), name)()
    except ImportError as error:
        raise ImportError(
            f"{caller} of {name} needs {module}, which cannot be imported ({error}). "
            f'Install it with: pip install "{needed}".'
        ) from error


@dataclass(frozen=True)
class GroupedRows:
    """Rows that count, sorted by group.

    Attributes
    ----------
    X : array, sparse matrix or DataFrame of shape (n_rows, n_features)
    groups : Segments
        The groups, as segments of the rows.
    preference, weight : ndarray of shape (n_rows,), float
        No weight is zero.
    """

    X: object
    groups: Segments
    preference: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, X, target):
        """Return the rows of X that count in a RankingTarget.

        Nothing is copied if all rows count and are sorted already.
        """
        rows = np.flatnonzero(target.is_counted)
        group = target.group[rows]
        is_sorted = np.all(group[1:] >= group[:-1])
        if not is_sorted:
            rows = rows[np.argsort(group, kind="stable")]
        if len(rows) < target.n_rows or not is_sorted:
            X = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
            target = target.take(rows)
        groups = Segments.of_equal(target.group)
        return cls(X, groups, target.preference, target.weight)

    @property
    def has_weights(self):
        """Whether the weights differ: a factor that all share changes nothing."""
        return bool(np.any(self.weight != self.weight[0]))

    @cached_property
    def row_weight(self):
        """Weight of each row, 1 in the mean, as libraries with penalties heed it."""
        share = self.weight / self.weight.max()
        return share / share.mean()

    @cached_property
    def group_weight(self):
        """Mean weight of the rows of each group."""
        return self.groups.sum(self.row_weight) / self.groups.size

    def has_weights_inside_groups(self):
        first = self.groups.spread(self.weight[self.groups.start])
        return bool(np.any(self.weight != first))


class Library:
    """The kind of a ranker, its loss, and how its ``fit`` is told what it needs.

    Parameters
    ----------
    ranker : estimator
        Its ``fit`` takes one of `qid`, `group_id` and `group`.

    Attributes
    ----------
    argument : {"qid", "group_id", "group"}
    name : {"lightgbm", "xgboost", "catboost"} or None
        None is another library.
    loss : str
        Name of the loss, without CatBoost's options such as ":max_pairs=10".
    parameters : dict
        Those of the ranker.
    """

    def __init__(self, ranker):
        self.ranker = ranker
        self.argument = group_argument(ranker)
        self.name = library_of(ranker)
        self.parameters = ranker.get_params()
        loss = self.parameters.get("objective") or self.parameters.get("loss_function")
        # LightGBM judges by its labels what a function of the user learns, too.
        self.loss = "lambdarank" if loss is None or callable(loss) else str(loss)
        if self.name == "catboost":
            self.loss = self.loss.partition(":")[0]

    @property
    def is_logistic(self):
        """Whether a difference of scores is a log odds, as in Eq. 1 of the paper."""
        if self.name == "catboost":
            return self.loss in ("PairLogit", "PairLogitPairwise")
        norms = [self.parameters.get(norm) for norm in _XGBOOST_NORMS]
        is_plain = all(norm is not None and not norm for norm in norms)
        return self.name == "xgboost" and self.loss == "rank:pairwise" and is_plain

    @property
    def weighs_groups(self):
        """Whether weights are those of groups, and not of rows."""
        if self.argument == "group_id":
            # CatBoost takes no weights of rows where the loss is one of pairs.
            return self.loss.startswith(("PairLogit", "YetiRank"))
        return self.argument == "qid"

    @property
    def takes_weights(self):
        """Whether ``fit`` takes weights at all."""
        by_group = self.argument == "group_id" and self.weighs_groups
        parameters = signature(self.ranker.fit).parameters
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        name = "group_weight" if by_group else "sample_weight"
        return takes_any or name in parameters

    @property
    def takes_categories(self):
        """Whether it reads categorical columns of a pandas DataFrame as such."""
        needed = {"xgboost": "enable_categorical", "catboost": "cat_features"}
        name = needed.get(self.name)
        return self.name == "lightgbm" or bool(self.parameters.get(name))

    def check_stopping(self, has_validation):
        """Raise ValueError if the ranker would stop early, and has no set to judge by.

        CatBoost goes on to its last iteration then.
        """
        stops = [name for name in _STOPPING if self.parameters.get(name) is not None]
        if stops and not has_validation and self.name in ("lightgbm", "xgboost"):
            raise ValueError(
                f"{type(self.ranker).__name__} stops early by {stops[0]}="
                f"{self.parameters[stops[0]]!r}, but X_val was not passed; expected a set "
                "to judge each iteration by. Call fit(X, groups, X_val=..., y_val=...), or "
                f"set {stops[0]}=None."
            )

    def check_float32(self, X, names=None):
        """Raise ValueError if the float32 that the library makes of X is infinite.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_rows, n_features)
        names : sequence of str or None, default=None
            Names of the features.
        """
        if self.name in ("xgboost", "catboost") and X.dtype.itemsize > 4:
            reason = f"for {type(self.ranker).__name__} takes float32"
            check_largest(X, np.finfo(np.float32).max, reason, names)

    def arguments(self, rows, label):
        """Return the arguments of ``fit`` for rows to train on.

        Parameters
        ----------
        rows : GroupedRows
        label : ndarray of shape (n_rows,)

        Returns
        -------
        arguments : dict
        """
        arguments = {"X": rows.X, "y": label, self.argument: self._group_of(rows)}
        return arguments | self._weight_of(rows)

    def validation_arguments(self, rows, label):
        """Return the arguments of ``fit`` for rows to judge by.

        Raises
        ------
        TypeError
            If the ranker takes none.
        """
        group = self._group_of(rows)
        weight = self._weight_of(rows)
        taken = signature(self.ranker.fit).parameters
        needed = {"group": "eval_group", "qid": "eval_qid", "group_id": "eval_set"}
        needed = needed[self.argument]
        # What another library takes as the set of labels, nobody knows.
        if needed not in taken or self.argument == "group_id" and self.name is None:
            raise TypeError(
                f"X_val was passed, but fit of {type(self.ranker).__name__} takes no "
                f"{needed} that is known; expected None. Leave X_val and y_val out."
            )
        if self.argument == "group_id":
            return {"eval_set": self._pool(rows, label, group, weight)}
        arguments = {needed: [group]}
        # LightGBM 4.7 tells that eval_set will go.
        if "eval_X" in taken:
            arguments |= {"eval_X": (rows.X,), "eval_y": (label,)}
        else:
            arguments["eval_set"] = [(rows.X, label)]
        is_xgboost = self.argument == "qid"
        name = "sample_weight_eval_set" if is_xgboost else "eval_sample_weight"
        return arguments | ({name: list(weight.values())} if weight else {})

    def _pool(self, rows, label, group, weight):
        """Return rows as CatBoost's own kind of data set."""
        from catboost import Pool

        # It calls the weights of rows otherwise than `fit` does.
        weight = {name.replace("sample_", ""): w for name, w in weight.items()}
        names = {"cat_features": self.parameters.get("cat_features")}
        return Pool(rows.X, label, group_id=group, **weight, **names)

    def _group_of(self, rows):
        return rows.groups.size if self.argument == "group" else rows.groups.index

    def _weight_of(self, rows):
        """Return the argument for weights; none if they are equal or not taken."""
        if not (rows.has_weights and self.takes_weights):
            return {}
        if not self.weighs_groups:
            return {"sample_weight": rows.row_weight}
        if self.argument == "qid":
            return {"sample_weight": rows.group_weight}
        return {"group_weight": rows.groups.spread(rows.group_weight)}


def warn_of_weights(library, rows):
    """Warn if weights are not taken, or differ in a group where whole groups weigh."""
    kind = type(library.ranker).__name__
    if rows.has_weights and not library.takes_weights:
        lightest, heaviest = rows.weight.min(), rows.weight.max()
        warn_user(
            f"groups has weights from {lightest:g} to {heaviest:g}, but fit of {kind} "
            "takes none: the weights are ignored. Pass a ranker that takes them, such as "
            "LGBMRanker, or build the target without weight=."
        )
    elif library.weighs_groups and rows.has_weights_inside_groups():
        warn_user(
            f"groups has weights that differ inside a group, but {library.loss} of "
            f"{kind} weighs whole groups: each group weighs the mean of its rows. Give "
            "the rows of a group one weight, or take a ranker that weighs rows, such as "
            "LGBMRanker."
        )
