"""Checks of the arguments of compare_rankers; the folds check the data."""

from collections.abc import Mapping
from inspect import isfunction
from numbers import Integral, Real

import numpy as np

from sklearn_pscore._target.arguments import refuse_bare_ranker
from sklearn_pscore.model_selection._comparison_bounds import CEILING, CHANCE
from sklearn_pscore.model_selection._comparison_result import RUN_COLUMNS
from sklearn_pscore.model_selection._seeds import MOST_SEEDS


def check_rankers(rankers, truth, single_metrics=False):
    if not isinstance(single_metrics, (bool, np.bool_)):
        raise TypeError(
            f"single_metrics is {describe(single_metrics)}; expected True or False. Pass "
            "single_metrics=True to add every column of X."
        )
    if truth is not None and not isinstance(truth, str):
        raise TypeError(
            f"truth is {describe(truth)}; expected a name, or None to leave it out. Pass "
            'for example truth="GT".'
        )
    if not isinstance(rankers, Mapping):
        raise TypeError(
            f"rankers is {describe(rankers)}; expected a dict of estimators by name. "
            'Pass for example {"PS": PairwisePreferenceRanker()}.'
        )
    if not rankers and not single_metrics:
        raise ValueError(
            "rankers is empty; expected at least one estimator. Pass for example "
            '{"PS": PairwisePreferenceRanker()}.'
        )
    if truth in rankers:
        raise ValueError(
            f"rankers has the name {truth!r}, which is that of the truth; expected "
            "different names. Rename the ranker, or pass another truth=."
        )
    for name in (CHANCE, CEILING):
        if name in rankers or name == truth:
            raise ValueError(
                f"{name!r} is the name of a {'ranker' if name in rankers else 'truth'}; "
                "expected another, for it is that of a row of the tables which is no "
                "method. Rename it."
            )
    for name, ranker in rankers.items():
        needed = ("fit", "predict", "get_params", "set_params")
        lacking = [method for method in needed if not hasattr(ranker, method)]
        if lacking or isinstance(ranker, type):
            lacks = f"has no {lacking[0]}" if lacking else "is a class"
            raise TypeError(
                f"rankers[{name!r}] is {describe(ranker)} and {lacks}; expected a "
                "scikit-learn estimator with fit and predict. Pass an instance of one."
            )
        refuse_bare_ranker(ranker, f"rankers[{name!r}]")


def check_scoring(scoring):
    if not isinstance(scoring, Mapping):
        raise TypeError(
            f"scoring is {describe(scoring)}; expected a dict of scorers by name. Pass "
            'for example {"DCG": dcg_scorer}.'
        )
    if not scoring:
        raise ValueError(
            'scoring is empty; expected at least one scorer. Pass for example {"DCG": '
            "dcg_scorer}."
        )
    for name, scorer in scoring.items():
        if name in RUN_COLUMNS:
            raise ValueError(
                f"scoring has the name {name!r}; expected none of {list(RUN_COLUMNS)}, "
                "which are columns of the result. Rename the metric."
            )
        if getattr(scorer, "__module__", "").startswith("sklearn_pscore.metrics") and (
            isfunction(scorer)
        ):
            raise TypeError(
                f"scoring[{name!r}] is the metric {scorer.__name__}; expected a scorer, "
                "called as scorer(ranker, X, groups). Pass "
                f"make_ranking_scorer({scorer.__name__})."
            )
        if not callable(scorer):
            raise TypeError(
                f"scoring[{name!r}] is {describe(scorer)}; expected a scorer, called "
                "as scorer(ranker, X, groups). Take one of sklearn_pscore.metrics."
            )


def check_n_seeds(n_seeds):
    if isinstance(n_seeds, bool) or not isinstance(n_seeds, Integral):
        raise TypeError(
            f"n_seeds is {n_seeds!r}; expected a number of runs. Pass an integer >= 1."
        )
    if not 1 <= n_seeds <= MOST_SEEDS:
        raise ValueError(
            f"n_seeds is {n_seeds}; expected at least 1 run, and at most {MOST_SEEDS}, for "
            "each has a seed of its own. Pass an integer >= 1."
        )


def check_n_jobs(n_jobs):
    is_int = isinstance(n_jobs, Integral) and not isinstance(n_jobs, bool)
    if n_jobs is not None and not (is_int and n_jobs != 0):
        raise (ValueError if is_int else TypeError)(
            f"n_jobs is {describe(n_jobs)}; expected a number of processes, or -1 for one "
            "per core. Pass n_jobs=None for a single one."
        )


def check_error_score(error_score):
    """Raise unless the score of a failed run is "raise" or a number."""
    if isinstance(error_score, str) and error_score == "raise":
        return
    if isinstance(error_score, bool) or not isinstance(error_score, Real):
        raise (ValueError if isinstance(error_score, str) else TypeError)(
            "The 'error_score' parameter of compare_rankers must be a float or a str "
            f"among {{'raise'}}. Got {error_score!r} instead."
        )


def describe(value):
    """Say what was passed, for an error message."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"{type(value).__name__} of shape {tuple(shape)}"
    if isinstance(value, (str, int, float, list, tuple)):
        return f"{type(value).__name__} {value!r:.60}"
    return type(value).__name__
