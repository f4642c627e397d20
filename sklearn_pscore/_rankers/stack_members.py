"""The members of a stack: checked, seeded, and fitted to parts of the rows."""

import inspect
import warnings
from time import perf_counter

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from sklearn_pscore._rankers.linear import LinearPreferenceRanker
from sklearn_pscore._rankers.pairwise import PairwisePreferenceRanker
from sklearn_pscore._rankers.plain_target import PlainTarget
from sklearn_pscore._splitters import take_rows
from sklearn_pscore._target.arguments import hint_of_records, refuse_bare_ranker
from sklearn_pscore._target.check import is_structured

DROPPED = "drop"
"""What stands for a member that is left out, as in scikit-learn."""

_LARGEST_SEED = np.iinfo(np.int32).max


def default_members():
    """Return the members of a stack that is given none, as (name, ranker)."""
    # The third is the better of two that benchmarks/agreement/stack.py compares.
    trees = ExtraTreesRegressor(300, min_samples_leaf=3)
    return [
        ("pairwise", PairwisePreferenceRanker()),
        ("linear", LinearPreferenceRanker()),
        ("trees", PlainTarget(trees)),
    ]


def check_members(rankers, taken):
    """Raise unless members can be a stack.

    Parameters
    ----------
    rankers : list of (str, estimator)
    taken : collection of str
        Names of the parameters of the stack, which no member may have.
    """
    for number, member in enumerate(rankers):
        if not (
            isinstance(member, (tuple, list))
            and len(member) == 2
            and isinstance(member[0], str)
        ):
            raise TypeError(
                f"rankers[{number}] is {member!r:.60}; expected a pair (name, ranker). "
                'Pass for example rankers=[("linear", LinearPreferenceRanker()), ...].'
            )
    names = [name for name, _ in rankers]
    for name, ranker in rankers:
        if names.count(name) > 1:
            raise ValueError(
                f"rankers has the name {name!r} {names.count(name)} times; expected a "
                "name of its own for each. Rename one."
            )
        if name in taken or "__" in name or not name:
            raise ValueError(
                f"rankers has the name {name!r}; expected a name that is not empty, holds "
                f"no '__', and is none of the parameters {sorted(taken)}. Rename it."
            )
        if is_dropped(ranker):
            continue
        needed = ("fit", "predict", "get_params", "set_params")
        lacking = [method for method in needed if not hasattr(ranker, method)]
        if lacking or isinstance(ranker, type):
            kind = (
                ranker.__name__ if isinstance(ranker, type) else type(ranker).__name__
            )
            lacks = "is a class" if isinstance(ranker, type) else f"has no {lacking[0]}"
            raise TypeError(
                f"rankers has {kind} as {name!r}, which {lacks}; expected an estimator "
                f'with fit and predict, or "{DROPPED}". Pass an instance of one.'
            )
        refuse_bare_ranker(ranker, f"member {name!r} of rankers")
    kept = [name for name, ranker in rankers if not is_dropped(ranker)]
    if len(kept) < 2:
        only = f", {kept[0]!r}" if kept else ""
        raise ValueError(
            f"rankers has {len(kept)} member{'' if len(kept) == 1 else 's'}{only}, of "
            f"{len(rankers)} given; expected at least 2, whose scores are weighed against "
            "each other. Add a ranker, or fit the only one by itself."
        )


def is_dropped(ranker):
    """Tell whether a member is left out."""
    return isinstance(ranker, str) and ranker == DROPPED


def seeded_members(members, rng):
    """Return clones of the members, with seeds where their `random_state` is None.

    Every member draws once, a dropped one too, so that its seeds do not depend on the
    others.
    """
    seeded = []
    for name, ranker in members:
        own = check_random_state(rng.randint(_LARGEST_SEED))
        if is_dropped(ranker):
            continue
        ranker = clone(ranker)
        seeds = {
            key: int(own.randint(_LARGEST_SEED))
            for key, value in sorted(ranker.get_params(deep=True).items())
            if value is None and key.rpartition("__")[2] == "random_state"
        }
        # A frozen one returns None.
        ranker.set_params(**seeds)
        seeded.append((name, ranker))
    return seeded


def fit_member(name, ranker, X, y, part, rows, left_out, verbose):
    """Fit a member, to all rows or without a fold, whose rows it then scores.

    Parameters
    ----------
    name : str
    ranker : estimator
        Fitted in place.
    X, y : array-like
    part : str
        What it is fitted to, for messages.
    rows, left_out : ndarray of int, or None
        Rows to fit to, and to score. None is all rows, and no scores.
    verbose : int

    Returns
    -------
    result : estimator or ndarray of shape (n_left_out,)
        The fitted member, or the scores.
    """
    start, result = perf_counter(), ranker
    try:
        with warnings.catch_warnings():
            # The stack has said it of all rows.
            warnings.filterwarnings("ignore", r"y holds \d+ distinct")
            if rows is None:
                ranker.fit(X, y)
            else:
                ranker.fit(take_rows(X, rows), take_rows(y, rows))
                result = scores_of(ranker, take_rows(X, left_out))
    except Exception as error:
        raise named_error(error, f"member {name!r} failed on {part}") from error
    if verbose:
        seconds = perf_counter() - start
        print(f"[StackedRanker] {name}, {part}: {seconds:.2f} s", flush=True)
    return result


def named_error(error, what):
    """Return an error of the same kind that says first what it is about."""
    kind = next((k for k in (TypeError, ValueError) if isinstance(error, k)), None)
    text = str(error) if kind else f"{type(error).__name__}: {error}"
    hint = hint_of_records(error)
    hint = f" ({hint})" if hint else ""
    return (kind or RuntimeError)(f"StackedRanker: {what}: {text}{hint}")


def scores_of(ranker, X, return_std=False):
    """Return the scores of a member, or (scores, errors); raise if they are none."""
    if not return_std:
        return _one_per_row(ranker.predict(X))
    if isinstance(ranker, Pipeline):
        # With metadata routing a Pipeline would not pass the argument on.
        X = ranker[:-1].transform(X) if len(ranker.steps) > 1 else X
        return scores_of(ranker.steps[-1][1], X, return_std)
    return tuple(map(_one_per_row, ranker.predict(X, return_std=True)))


def _one_per_row(scores):
    scores = np.asarray(scores)
    if is_structured(scores):
        raise ValueError(
            "predict returned records of the target, each of which it took for a class of "
            "its own in fit; expected one number per row. Wrap the member, as in "
            "PlainTarget(RandomForestClassifier())."
        )
    if scores.ndim != 1 or scores.dtype.kind not in "biuf":
        raise ValueError(
            f"predict returned {scores.dtype} of shape {scores.shape}; expected one number "
            "per row. Wrap the member in an estimator that returns these."
        )
    if not np.isfinite(scores).all():
        raise ValueError(
            f"predict returned {scores[~np.isfinite(scores)][0]}; expected finite scores. "
            "Scale X, or leave the member out."
        )
    return scores.astype(np.float64)


def takes_return_std(ranker):
    """Tell whether ``predict`` of a fitted ranker, or of its last step, takes it."""
    if isinstance(ranker, Pipeline):
        return takes_return_std(ranker.steps[-1][1])
    try:
        return "return_std" in inspect.signature(ranker.predict).parameters
    except (TypeError, ValueError):
        # It is written in C and has no signature.
        return False
