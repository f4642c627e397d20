"""Scores of rows by models that have not seen them, and by refits of these."""

from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.utils import Bunch, indexable
from sklearn.utils.parallel import Parallel, delayed

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._estimators.seeds import MOST_SEEDS, seeded_clone
from sklearn_pscore._splitters import take_rows
from sklearn_pscore._target.arguments import hint_of_records, refuse_bare_ranker
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.cut_groups import warn_about_cut_groups
from sklearn_pscore._target.rows import count_rows
from sklearn_pscore.inspection._arguments import check_count
from sklearn_pscore.inspection._fold_draws import JudgedFolds, rows_of_fold
from sklearn_pscore.metrics._checks import check_scores
from sklearn_pscore.metrics._models import predict_scores

# A spread up to this share of the largest score is that of rounding.
_ROUNDING = 1e-12


def cross_fitted_scores(
    estimator, X, groups, *, cv=5, n_refits=20, random_state=None, n_jobs=None
):
    """Score each row by a model that has not seen it, and by refits of that model.

    The two are what :func:`bootstrap_leaderboard` takes for a leaderboard of the
    learnt score: held-out scores, and those of the same model fitted again to blocks
    drawn with replacement, which tell how much the learning itself is uncertain.

    Folds and draws are of blocks, or of groups where the target has no blocks, or a
    single one. A draw is of all judged blocks, with replacement, and each fold's model
    is fitted again to those drawn that are in its training part.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    estimator : estimator
        A ranker, a pipeline or search of one, not fitted or fitted: clones are fitted.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Features of each row.
    groups : structured ndarray of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`. Rows that were not judged are
        not trained on, but scored.
    cv : int, splitter or iterable of (train, test), default=5
        Folds. Of a splitter or an iterable, each judged row is in one test part, and is
        trained on in the other folds.
    n_refits : int, default=20
        Refits of each fold's model. A leaderboard wants ten or more; 0 makes none.
    random_state : int, RandomState instance or None, default=None
        Source of the draws, and of the seeds of refits. The models that make `y_score`
        keep seeds that are given, and get one from here where they are None.
    n_jobs : int or None, default=None
        Number of processes, see :term:`n_jobs`. The result does not depend on it.

    Returns
    -------
    scores : :class:`~sklearn.utils.Bunch`
        With the attributes

        y_score : ndarray of shape (n_samples,)
            Held-out score of each row. A row that was not judged has that of the model
            which holds out its block, and the mean over all models if no row of its
            block was judged. So have donors.
        y_refits : ndarray of shape (n_samples, n_refits), or None
            The same by each refit; None if there is none.
        fold : ndarray of shape (n_samples,)
            Number of the fold whose model scored the row, -1 for the mean over all.

    Raises
    ------
    ValueError
        If there are too few judged blocks, a row is tested twice or not at all, or a
        model gives no finite scores.
    TypeError
        If the target is plain, or an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    bootstrap_leaderboard : Takes `y_score` and `y_refits`.
    sklearn.model_selection.cross_val_predict : Scores without a common scale.

    Notes
    -----
    Two models may have different zeros and scales. A leaderboard fits a level for each
    group, so that the zero does not matter to it, but the scale would weigh folds
    unequally. So every model scores all rows, and its scores are brought to one mean and
    one standard deviation inside groups: the averages over the folds. Those of a refit
    are averages over its own folds, for how far it spreads the scores is uncertain, too.

    The time is that of ``cv * (1 + n_refits)`` fits: 105 by default. Few members, or a
    :class:`~sklearn_pscore.LinearPreferenceRanker`, make it short.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_pscore import Groups, LinearPreferenceRanker
    >>> from sklearn_pscore.inspection import bootstrap_leaderboard, cross_fitted_scores
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(90, 2))
    >>> X[::3] += 2
    >>> groups = Groups.from_arrays(
    ...     group=np.arange(90) // 3,
    ...     item=np.tile(["ours", "old", "older"], 30),
    ...     preference=X[:, 0] + rng.normal(size=90),
    ... )
    >>> ranker = LinearPreferenceRanker()
    >>> scores = cross_fitted_scores(ranker, X, groups, n_refits=10, random_state=0)
    >>> board = bootstrap_leaderboard(
    ...     groups, scores.y_score, y_refits=scores.y_refits, random_state=0
    ... )
    >>> board.systems["item"][0]
    'ours'
    """
    caller = "cross_fitted_scores"
    check_count(n_refits, "n_refits", caller, least=0)
    rng = generator_of(random_state, caller)
    refuse_bare_ranker(estimator, "estimator")
    clone(estimator)
    (X,) = indexable(X)
    target = check_groups(
        groups,
        n_rows=count_rows(X, "X"),
        allow_plain=False,
        require_preference=False,
        caller=caller,
    )
    warn_about_cut_groups(target, caller)
    folds = JudgedFolds.of(cv, X, groups, target, caller)
    seeds = rng.randint(MOST_SEEDS, size=1 + n_refits)
    draws = [None, *(folds.draw(rng, caller) for _ in range(n_refits))]
    score = partial(_scores_of_fit, estimator, X, folds, target, caller)
    tasks = [
        (number, seed, times)
        for seed, times in zip(seeds.tolist(), draws, strict=True)
        for number in range(len(folds.train))
    ]
    fits = Parallel(n_jobs=n_jobs)(delayed(score)(*task) for task in tasks)
    y_score, *refits = _on_one_scale(fits, folds.fold, len(folds.train))
    return Bunch(
        y_score=y_score,
        y_refits=np.column_stack(refits) if refits else None,
        fold=folds.fold,
    )


class _FitScores(NamedTuple):
    """What is kept of a model's scores of all rows.

    Attributes
    ----------
    held_out : ndarray of float
        Scores of the rows of its fold, and of those of no fold.
    mean, spread : float
        Mean, and standard deviation inside groups, of all rows that count.
    """

    held_out: np.ndarray
    mean: float
    spread: float


def _scores_of_fit(estimator, X, folds, target, caller, number, seed, times):
    """Fit the model of a fold, or a refit of it, and score all rows.

    Parameters
    ----------
    number, seed : int
    times : ndarray of int, or None
        How often each unit is there in a refit; None is the fold's model itself.

    Returns
    -------
    scores : _FitScores
    """
    if times is None:
        model, what = seeded_clone(estimator, seed, keep_given=True), "the model"
        rows, groups = folds.training_part(number)
    else:
        model, what = seeded_clone(estimator, seed), "a refit"
        rows, groups = folds.drawn_part(number, times)
    try:
        model.fit(take_rows(X, rows), groups)
        scores = predict_scores(model, X, folds.groups)
    except Exception as error:
        error.add_note(f"{caller}: in {what} of fold {number}")
        if hint := hint_of_records(error):
            error.add_note(hint)
        raise
    scores = check_scores(scores, len(folds.groups), caller)
    group = np.unique(target.group[target.is_counted], return_inverse=True)[1]
    mean, spread = _mean_and_spread(scores[target.is_counted], group)
    return _FitScores(scores[rows_of_fold(folds.fold, number)], mean, spread)


def _mean_and_spread(scores, group):
    """Return the mean, and the standard deviation inside groups; 0 for rounding."""
    size = np.bincount(group)
    inside = scores - (np.bincount(group, scores) / size)[group]
    spread = np.sqrt(np.mean(inside**2))
    if spread <= _ROUNDING * np.abs(scores).max():
        spread = 0.0
    return scores.mean(), spread


def _on_one_scale(fits, fold, n_folds):
    """Yield the scores of all rows of each draw, its models on one scale.

    Parameters
    ----------
    fits : list of _FitScores
        Those of all folds of a draw one after the other.
    fold : ndarray of shape (n_rows,), int
        See :class:`JudgedFolds`.
    n_folds : int
    """
    for start in range(0, len(fits), n_folds):
        models = fits[start : start + n_folds]
        mean = np.mean([fit.mean for fit in models])
        spread = np.mean([fit.spread for fit in models])
        scores = np.zeros(len(fold))
        for number, fit in enumerate(models):
            # A model to which all items of each group are alike stays one.
            factor = spread / fit.spread if fit.spread else 0.0
            scaled = mean + (fit.held_out - fit.mean) * factor
            rows = rows_of_fold(fold, number)
            is_own = fold[rows] == number
            scores[rows[is_own]] = scaled[is_own]
            scores[rows[~is_own]] += scaled[~is_own] / n_folds
        yield scores
