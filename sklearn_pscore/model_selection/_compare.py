"""Comparison of rankers over seeds (the paper's Table 2) or over folds."""

from collections.abc import Mapping
from contextlib import contextmanager
from inspect import isfunction
from numbers import Integral
from time import perf_counter
from zlib import crc32

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.random import sample_without_replacement
from tqdm import tqdm

from sklearn_pscore.metrics import dcg_scorer, mrr_scorer
from sklearn_pscore.model_selection._comparison import RankerComparison
from sklearn_pscore.model_selection._folds import describe, make_folds

# scikit-learn's name of a seed, and the one that CatBoost has beside it.
_SEED_PARAMETERS = ("random_state", "random_seed")
_MAX_SEED = np.iinfo(np.int32).max
_OWN_COLUMNS = ("method", "seed", "fold", "fit_seconds")


def compare_rankers(
    rankers,
    X,
    groups,
    *,
    test=None,
    cv=None,
    cv_groups=None,
    reference=None,
    scoring=None,
    n_seeds=5,
    random_state=0,
    truth="GT",
    n_jobs=None,
    verbose=0,
):
    """Fit rankers over several seeds and compare them on held-out rows.

    The rows to judge on are either given (``test=``, as in Table 2 of the
    paper [1]_) or held out in turn (``cv=``). Each fit is that of a clone. Its
    seeds, the parameters called `random_state` at any depth that ``get_params``
    shows (and CatBoost's `random_seed`), are set anew for each run: the
    ranker's own to the run's seed, each nested one to a seed that follows from
    the run's seed and the parameter's name, so that the parts of a pipeline do
    not draw the same numbers. All rankers get the same seeds. A ranker that
    shows no such parameter is taken as deterministic and fitted once per fold.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    rankers : dict of str to estimator
        The estimators or pipelines by the names to show.

    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Features to fit on.

    groups : structured ndarray of shape (n_samples,)
        Target built by Groups, to fit on.

    test : tuple (X_test, groups_test) or None, default=None
        Rows to judge on. Exactly one of `test` and `cv` is needed.

    cv : int, splitter, iterable of (train, test) or None, default=None
        Folds to hold out in turn; the number k is ``PreferenceGroupKFold(k)``.
        Computed once, so every ranker and seed meets the same folds.

    cv_groups : array-like of shape (n_samples,) or None, default=None
        Labels that the splitter splits by, if not ``groups["group"]``.

    reference : structured ndarray of shape (n_samples,) or None, default=None
        Target to judge held-out rows by, for instance the full opinion where
        `groups` holds the winners only. None judges by `groups`. Only with
        `cv`; with `test`, the reference is ``groups_test``.

    scoring : dict of str to callable or None, default=None
        Scorers ``scorer(ranker, X, groups)`` by the names to show. None is
        ``{"MRR": mrr_scorer, "DCG": dcg_scorer}``.

    n_seeds : int, default=5
        Number of runs, each with its own seed.

    random_state : int, RandomState instance or None, default=0
        Draws the seeds.

    truth : str or None, default="GT"
        Name of a first method that scores every row by the reference itself:
        the best that is possible. None leaves it out.

    n_jobs : int or None, default=None
        Number of processes, see :term:`n_jobs`. Seeds do not depend on it.

    verbose : int, default=0
        If positive, a progress bar, shown on a terminal only.

    Returns
    -------
    comparison : RankerComparison
        With `test`, its tables take the spread over seeds; with `cv`, over
        folds.

    Raises
    ------
    TypeError
        If `rankers` or `scoring` is no dict, or holds what cannot be used.
    ValueError
        If both or none of `test` and `cv` are given, or values or lengths
        cannot be used. All of it before anything is fitted.

    See Also
    --------
    PreferenceGroupKFold : Splits by group.
    LeaderboardDisplay : Draws the result.

    Notes
    -----
    The truth is scored before anything is fitted, so a held-out part that a
    metric cannot take, for want of two items to compare, fails at once.

    ``get_params`` of CatBoost's models shows a seed only if one was given: pass
    ``CatBoostClassifier(random_seed=0)``, or all its runs are the same.

    References
    ----------
    .. [1] Zhou et al., "Learning and Evaluating Human Preferences for
       Conversational Head Generation", ACM MM 2023, arXiv:2307.10636.

    Examples
    --------
    Larger values of the one metric mark the preferred item in two of the three
    groups, so the ranker that believes so finds it first in these two.

    >>> import numpy as np
    >>> from sklearn_pscore import Groups, RankSumRanker
    >>> from sklearn_pscore.model_selection import compare_rankers
    >>> X = np.array([[3.0], [2.0], [5.0], [4.0], [1.0], [2.0]])
    >>> groups = Groups.from_arrays(
    ...     group=[0, 0, 1, 1, 2, 2], preference=[1, 0, 1, 0, 1, 0]
    ... )
    >>> rankers = {
    ...     "larger": RankSumRanker(directions="larger"),
    ...     "smaller": RankSumRanker(directions="smaller"),
    ... }
    >>> comparison = compare_rankers(rankers, X, groups, test=(X, groups))
    >>> print(comparison.to_markdown(decimals=2))
    | method | MRR | DCG |
    | --- | ---: | ---: |
    | GT | 1.00 | 2.63 |
    | larger | 0.83 | 2.51 |
    | smaller | 0.67 | 2.38 |
    >>> round(comparison.paired("larger", "smaller", "MRR").mean, 2)
    0.17
    """
    scoring = {"MRR": mrr_scorer, "DCG": dcg_scorer} if scoring is None else scoring
    _check_rankers(rankers, truth)
    _check_scoring(scoring)
    _check_n_seeds(n_seeds)
    folds = make_folds(X, groups, test, cv, cv_groups, reference)
    # Without replacement: two runs of one seed would count as one.
    seeds = sample_without_replacement(
        _MAX_SEED, n_seeds, random_state=check_random_state(random_state)
    ).tolist()
    rows = []
    if truth is not None:
        rows += [_score_truth(truth, fold, scoring) for fold in folds]
    tasks = [
        (name, seed, fold)
        for name, ranker in rankers.items()
        for seed in (seeds if _seed_names(ranker) else [None])
        for fold in folds
    ]
    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_fit_and_score)(name, rankers[name], seed, fold, scoring)
        for name, seed, fold in tasks
    )
    hidden = None if verbose > 0 else True  # None shows the bar on a terminal only
    rows += tqdm(results, total=len(tasks), desc="fits", unit="fit", disable=hidden)
    rows = pd.DataFrame(rows).astype({"seed": "Int64"})
    over = "seed" if cv is None else "fold"
    return RankerComparison(rows, tuple(scoring), truth, over)


class _Truth:
    """The fitted ranker that scores the held-out rows by their own preference."""

    def __init__(self, preference):
        self.preference = preference

    def predict(self, X):
        return self.preference


def _score_truth(name, fold, scoring):
    X, reference, preference = fold.held_out_part()
    with _told_where(f"while scoring {name!r}, the reference, in fold {fold.number}"):
        scores = _score(_Truth(preference), X, reference, scoring)
    return _row(name, None, fold, scores, 0.0)


def _fit_and_score(name, ranker, seed, fold, scoring):
    X_train, groups_train = fold.training_part()
    X_test, reference, _ = fold.held_out_part()
    with _told_where(f"in ranker {name!r}, seed {seed}, fold {fold.number}"):
        ranker = seeded_clone(ranker, seed)
        start = perf_counter()
        ranker.fit(X_train, groups_train)
        seconds = perf_counter() - start
        scores = _score(ranker, X_test, reference, scoring)
    return _row(name, seed, fold, scores, seconds)


def _score(ranker, X, reference, scoring):
    return {
        name: float(scorer(ranker, X, reference)) for name, scorer in scoring.items()
    }


def _row(name, seed, fold, scores, seconds):
    run = {"method": name, "seed": seed, "fold": fold.number}
    return {**run, **scores, "fit_seconds": seconds}


@contextmanager
def _told_where(place):
    """Add to an error of the block which run it happened in."""
    try:
        yield
    except Exception as error:
        error.add_note(f"compare_rankers: {place}")
        raise


def _seed_names(ranker):
    names = ranker.get_params(deep=True)
    return [name for name in names if name.split("__")[-1] in _SEED_PARAMETERS]


def seeded_clone(ranker, seed):
    """Return a clone with every seed parameter set from the run's seed."""
    ranker = clone(ranker)
    return ranker.set_params(
        **{name: _seed_of(name, seed) for name in _seed_names(ranker)}
    )


def _seed_of(name, seed):
    if "__" not in name:
        return seed
    rng = np.random.default_rng([seed, crc32(name.encode())])
    return int(rng.integers(_MAX_SEED))


def _check_rankers(rankers, truth):
    if not isinstance(rankers, Mapping):
        raise TypeError(
            f"rankers is {describe(rankers)}; expected a dict of estimators by name. "
            'Pass for example {"PS": PairwisePreferenceRanker()}.'
        )
    if not rankers:
        raise ValueError(
            "rankers is empty; expected at least one estimator. Pass for example "
            '{"PS": PairwisePreferenceRanker()}.'
        )
    if truth in rankers:
        raise ValueError(
            f"rankers has the name {truth!r}, which is that of the truth; expected "
            "different names. Rename the ranker, or pass another truth=."
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


def _check_scoring(scoring):
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
        if name in _OWN_COLUMNS:
            raise ValueError(
                f"scoring has the name {name!r}; expected none of {list(_OWN_COLUMNS)}, "
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


def _check_n_seeds(n_seeds):
    if isinstance(n_seeds, bool) or not isinstance(n_seeds, Integral):
        raise TypeError(
            f"n_seeds is {n_seeds!r}; expected a number of runs. Pass an integer >= 1."
        )
    if n_seeds < 1:
        raise ValueError(
            f"n_seeds is {n_seeds}; expected at least 1 run. Pass an integer >= 1."
        )
