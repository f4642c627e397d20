"""All methods that a table is compared by: the package's, and other libraries'."""

from importlib.util import find_spec

import numpy as np

from sklearn_pscore._cli.rankers import learnt_ranker
from sklearn_pscore._interrupt import quiet_interrupt

N_LEVELS = 4
"""Levels that the classifiers learn where there are more. Not measured."""

_N_TREES = {"DT": None, "CB": 300, "LightGBM": 100, "XGBoost": 100, "CatBoost": 300}
_FEW_TREES = 10
_UNBIASED = "order bias"
_LIBRARIES = {"LightGBM": "lightgbm", "XGBoost": "xgboost", "CatBoost": "catboost"}


def import_methods():
    """Import all that the methods need, so that Ctrl-C in it comes in no import."""
    with quiet_interrupt():
        import catboost  # noqa: F401

        import sklearn_pscore._rankers.stacked
        import sklearn_pscore._rankers.training
        import sklearn_pscore.model_selection  # noqa: F401

        for library in _LIBRARIES.values():
            if find_spec(library):
                __import__(library)


def lacking_libraries():
    """Return the names of the libraries that are compared with, and not installed."""
    return [name for name in _LIBRARIES.values() if not find_spec(name)]


def all_methods(groups, random_state, *, quick=False, order_bias=False):
    """Return the methods by their names in all tables and pictures, not fitted.

    Parameters
    ----------
    groups : structured ndarray
        Target, by which classifiers choose their levels.
    random_state : int
    quick : bool, default=False
        Whether to train little, and leave out the slowest.
    order_bias : bool, default=False
        Whether to have those that can learn it also with the bias to what is shown
        first, beside themselves without.

    Returns
    -------
    methods : dict of str to ranker
    """
    from catboost import CatBoostClassifier
    from sklearn.tree import DecisionTreeClassifier

    from sklearn_pscore._rankers.bradley_terry import BradleyTerryRanker
    from sklearn_pscore._rankers.handcrafted import RankSumRanker, TopCountRanker
    from sklearn_pscore._rankers.learnt_directions import LearntDirections
    from sklearn_pscore._rankers.level_classifier import LevelClassifierRanker
    from sklearn_pscore._rankers.linear import LinearPreferenceRanker
    from sklearn_pscore._rankers.stacked import StackedRanker

    n_values = len(np.unique(groups["preference"][~np.isnan(groups["preference"])]))
    n_levels = N_LEVELS if n_values > N_LEVELS else None
    tree = DecisionTreeClassifier(random_state=random_state)
    boosted = CatBoostClassifier(
        iterations=_trees("CB", quick),
        random_seed=random_state,
        verbose=False,
        allow_writing_files=False,
    )
    methods = {
        "PS, defaults": learnt_ranker(random_state, quick=quick),
        "linear": LinearPreferenceRanker(),
        "#Top1": LearntDirections(TopCountRanker()),
        "RS": LearntDirections(RankSumRanker()),
        "DT": LevelClassifierRanker(tree, n_levels=n_levels),
        "CB": LevelClassifierRanker(boosted, n_levels=n_levels),
    }
    if "votes" in groups.dtype.names:
        methods["Bradley-Terry"] = BradleyTerryRanker(ties="davidson")
    if order_bias:
        methods[f"PS, {_UNBIASED}"] = learnt_ranker(
            random_state, quick=quick, order_bias=True
        )
        if "votes" in groups.dtype.names:
            methods[f"Bradley-Terry, {_UNBIASED}"] = BradleyTerryRanker(
                ties="davidson", order_bias=True
            )
    if not quick:
        methods["stack"] = StackedRanker(random_state=random_state)
    return {**methods, **_of_other_libraries(random_state, quick)}


def _of_other_libraries(random_state, quick):
    """Return the rankers of the libraries that are installed."""
    from sklearn_pscore._rankers.groupwise import GroupwiseRanker

    methods = {}
    if find_spec("lightgbm"):
        from lightgbm import LGBMRanker

        methods["LightGBM"] = LGBMRanker(
            n_estimators=_trees("LightGBM", quick),
            label_gain=list(range(31)),
            random_state=random_state,
            verbose=-1,
        )
    if find_spec("xgboost"):
        from xgboost import XGBRanker

        methods["XGBoost"] = XGBRanker(
            n_estimators=_trees("XGBoost", quick),
            objective="rank:pairwise",
            random_state=random_state,
        )
    from catboost import CatBoostRanker

    methods["CatBoost"] = CatBoostRanker(
        iterations=_trees("CatBoost", quick),
        loss_function="PairLogit",
        random_seed=random_state,
        verbose=0,
        allow_writing_files=False,
    )
    return {name: GroupwiseRanker(ranker) for name, ranker in methods.items()}


def _trees(name, quick):
    return _FEW_TREES if quick else _N_TREES[name]
