"""From a table of metrics and opinions to four answers."""

from dataclasses import replace
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import Bunch

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._progress import progress_of
from sklearn_pscore._rankers.handcrafted import RankSumRanker
from sklearn_pscore._rankers.learnt_directions import LearntDirections
from sklearn_pscore._rankers.linear import LinearPreferenceRanker
from sklearn_pscore._rankers.pairwise import PairwisePreferenceRanker
from sklearn_pscore._rankers.single_metric import SingleMetricRanker
from sklearn_pscore.inspection import (
    bootstrap_leaderboard,
    cross_fitted_scores,
    group_permutation_importance,
    metric_curves,
)
from sklearn_pscore.inspection._arguments import check_count
from sklearn_pscore.metrics import (
    dcg_score,
    dcg_scorer,
    mrr_scorer,
    pairwise_accuracy_score,
    pairwise_accuracy_scorer,
    reciprocal_rank_score,
)
from sklearn_pscore.metrics._models import inner_estimator, predict_scores
from sklearn_pscore.model_selection import compare_rankers
from sklearn_pscore.model_selection._comparison_bounds import CEILING, CHANCE
from sklearn_pscore.model_selection._single_metrics import names_of_single
from sklearn_pscore.report._analysis import Analysis
from sklearn_pscore.report._answers import (
    ACCURACY,
    best_system,
    how_to_share,
    learnt_or_single,
    metric_followed,
)
from sklearn_pscore.report._baselines import scores_of_names
from sklearn_pscore.report._facts import facts_of, note_of_names, notes_of_table
from sklearn_pscore.report._items import ranked_items
from sklearn_pscore.report._settings import settings_of
from sklearn_pscore.report._table import check_table
from sklearn_pscore.report._votes import board_of_votes

_SCORERS = {ACCURACY: pairwise_accuracy_scorer, "MRR": mrr_scorer, "DCG": dcg_scorer}
_METRICS = {
    ACCURACY: pairwise_accuracy_score,
    "MRR": reciprocal_rank_score,
    "DCG": dcg_score,
}
_N_STEPS = 4
_N_REFITS, _MOST_REFITTED_ROWS = 10, 5_000
TRUTH, NAMES_ALONE = "GT", "system's name alone"
"""Names of the rows of a comparison that are no rankers."""


def analyse(
    X,
    groups,
    *,
    rankers=None,
    item="item",
    cv=5,
    n_seeds=1,
    n_refits=None,
    n_boot=2000,
    max_learnt_rows=10_000,
    random_state=0,
    n_jobs=None,
    verbose=0,
    title=None,
):
    """Answer four questions about a table of metrics and opinions.

    Which system is best, and how sure is that; which metric do people follow, and in
    which direction; is the learnt score better than each metric alone; how do I show it
    to a colleague. The learnt score is that of the first ranker. It and all others are
    judged on groups, or blocks of them, that they were not fitted on.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_samples, n_metrics)
        Metrics in their own units, NaN where one is missing.
    groups : structured ndarray of shape (n_samples,)
        Target built by :class:`~sklearn_pscore.Groups`. Rows that nobody judged (NaN)
        are scored. The field `block` says what is held out and drawn together; without
        it that is the group.
    rankers : dict of str to estimator or None, default=None
        What to compare, by the names to show; the first is the learnt score. None is
        the package's ranker, its linear relative, and a sum of ranks.
        Each metric by itself is added.
    item : str or array-like of shape (n_samples,), default="item"
        The system of each row: a field of the target, or a label per row. If the target
        has no field "item", there are no leaderboards.
    cv : int, default=5
        Number of folds; fewer where there are fewer blocks.
    n_seeds : int, default=1
        Number of fits of each ranker in each fold, each with its own seed.
    n_refits : int or None, default=None
        Fits to blocks drawn with replacement, for each fold, which tell how uncertain
        the learning itself is; 5 or more, and 0 leaves that out of the intervals of the
        learnt score's leaderboard. None is 10 for up to 5,000 rows to learn from, and
        else 0: there, learning is uncertain the least and takes the longest.
    n_boot : int, default=2000
        Draws of the leaderboards.
    max_learnt_rows : int, default=10,000
        Rows to learn and judge with. If there are more, whole groups are drawn by
        chance, which is said among the notes; all rows are scored.
    random_state : int, RandomState instance or None, default=0
        Source of all draws. An integer gives the same result in every call, and that of
        :func:`bootstrap_leaderboard` and others of the same rows and seed.
    n_jobs : int or None, default=None
        Number of processes, see :term:`n_jobs`. Nothing depends on it but time.
    verbose : int, default=0
        1 shows a bar on a terminal and in a notebook, and plain lines elsewhere; from 2
        on there is a plain line for each step.
    title : str or None, default=None
        What to call the table.

    Returns
    -------
    analysis : Analysis
        Printed, it is the four answers. Its attributes are what they are drawn from.

    Raises
    ------
    TypeError
        If an argument is of the wrong type.
    ValueError
        If values or lengths cannot be used; if no row is judged, or people prefer no
        item to another, or do so in a single group. All before anything is fitted. And
        what a fit raises, with a note that names the ranker.

    See Also
    --------
    write_report : The same as one file of HTML.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_pscore import Groups, LinearPreferenceRanker
    >>> from sklearn_pscore.report import analyse
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame(rng.normal(size=(120, 2)), columns=["sharpness", "size"])
    >>> groups = Groups.from_arrays(
    ...     group=np.repeat(np.arange(30), 4), preference=X["sharpness"]
    ... )
    >>> rankers = {"linear": LinearPreferenceRanker()}
    >>> analysis = analyse(X, groups, rankers=rankers)
    >>> analysis.curves.table[["metric", "direction"]].values.tolist()[0]
    ['sharpness', 'larger is preferred']
    """
    caller = "analyse"
    if n_refits is not None and n_refits != 0:
        check_count(n_refits, "n_refits", caller, 5)
    for value, name, least in (
        (cv, "cv", 2),
        (n_seeds, "n_seeds", 1),
        (n_boot, "n_boot", 1),
        (max_learnt_rows, "max_learnt_rows", 1),
    ):
        check_count(value, name, caller, least)
    rng = generator_of(random_state, caller)
    table = check_table(
        X, groups, item=item, cv=cv, max_rows=max_learnt_rows, rng=rng, caller=caller
    )
    # An integer goes on as it is: other functions draw the same by it.
    is_seed = isinstance(random_state, Integral)
    seed = int(random_state) if is_seed else rng.randint(np.iinfo(np.int32).max)
    has_default_rankers = rankers is None
    rankers = _rankers_of(rankers, seed, caller)
    n_refits = _number_of_refits(table, n_refits)
    learnt = next(iter(rankers))
    comparison, single = _comparison(table, rankers, n_seeds, seed, n_jobs, verbose)
    with progress_of(caller, "step", _N_STEPS, verbose) as progress:
        model = clone(rankers[learnt]).fit(*table.rows(table.learnt))
        curves = metric_curves(model, *table.rows(table.learnt), random_state=seed)
        progress.update(1, "curves of metrics", True)
        held_out, importance = _held_out(table, rankers[learnt], seed, n_jobs)
        y_score = _scores_of_all(table, model, held_out)
        progress.update(1, "importance of metrics", True)
        refitted = _refitted(table, rankers[learnt], n_refits, seed, n_jobs)
        progress.update(1, "refits", True)
        boards, lacking = _leaderboards(table, y_score, refitted, n_boot, seed)
        progress.update(1, "leaderboards", True)
    accuracy = comparison.table()[ACCURACY]["mean"]
    notes = notes_of_table(table) + lacking
    if NAMES_ALONE in accuracy:
        notes = note_of_names(accuracy[NAMES_ALONE], accuracy[learnt]) + notes
    answers = (
        best_system(*boards),
        metric_followed(curves, comparison, single),
        learnt_or_single(comparison, learnt, single, comparison.ceiling[ACCURACY]),
        how_to_share(notes),
    )
    return Analysis(
        title="Preference report" if title is None else str(title),
        answers=answers,
        comparison=comparison,
        curves=curves,
        importance=importance,
        leaderboard=boards[0],
        learnt_leaderboard=boards[1],
        facts=facts_of(table),
        notes=tuple(notes),
        items=ranked_items(table, y_score),
        y_score=y_score,
        groups=table.groups,
        held_out=np.unique(np.concatenate([test for _, test in table.folds])),
        learnt_name=learnt,
        has_probabilities=_has_probabilities(model),
        n_refits=n_refits,
        has_default_rankers=has_default_rankers,
        settings=settings_of(
            table,
            rankers,
            n_seeds=n_seeds,
            n_refits=n_refits,
            n_boot=n_boot,
            max_learnt_rows=max_learnt_rows,
            random_state=random_state,
        ),
    )


def _rankers_of(rankers, seed, caller):
    """Return the rankers by their names, the learnt score first."""
    if rankers is not None:
        if not isinstance(rankers, dict) or not rankers:
            raise TypeError(
                f"rankers is {rankers!r:.60}; expected a dict of estimators by name, the "
                f"learnt score first, or None. Pass {caller}(..., rankers={{'ours': "
                "PairwisePreferenceRanker()}})."
            )
        return rankers
    return {
        "PS, defaults": PairwisePreferenceRanker(random_state=seed),
        "linear": LinearPreferenceRanker(),
        "rank sum": LearntDirections(RankSumRanker()),
    }


def _has_probabilities(model):
    """Tell whether a fitted model was learnt from pairs."""
    while (inner := inner_estimator(model)) is not None:
        model = inner
    return hasattr(model, "preference_proba")


def _comparison(table, rankers, n_seeds, seed, n_jobs, verbose):
    """Compare the rankers, each metric by itself and the names of the systems.

    Returns
    -------
    comparison : RankerComparison
    single : dict of str to str
        Name of each metric's method in the comparison.
    """
    taken = {*rankers, TRUTH, NAMES_ALONE, CHANCE, CEILING}
    single = names_of_single(table.X.columns, taken)
    alone = {
        name: SingleMetricRanker(column, "learn")
        for column, name in enumerate(single.values())
    }
    comparison = compare_rankers(
        rankers | alone,
        *table.rows(table.learnt),
        cv=table.positions_of_folds(),
        scoring=_SCORERS,
        n_seeds=n_seeds,
        random_state=seed,
        truth=TRUTH,
        n_jobs=n_jobs,
        verbose=verbose,
        error_score="raise",
    )
    if table.system is not None:
        by_name = scores_of_names(table.target, table.system, table.folds)
        rows = [
            {
                "method": NAMES_ALONE,
                "fold": number,
                **{
                    name: metric(table.groups[test], by_name[test])
                    for name, metric in _METRICS.items()
                },
                "fit_seconds": 0.0,
            }
            for number, (_, test) in enumerate(table.folds)
        ]
        rows = pd.concat([comparison.rows, pd.DataFrame(rows)], ignore_index=True)
        comparison = replace(comparison, rows=rows)
    return comparison, single


def _held_out(table, estimator, seed, n_jobs):
    """Return scores of rows held out, and what it costs there to shuffle each metric.

    Returns
    -------
    y_score : ndarray of shape (n_rows,)
        NaN for rows in no test part.
    importance : Bunch
        As of :func:`group_permutation_importance`, of folds in place of repeats.
    """
    y_score = np.full(len(table.X), np.nan)
    parts = []
    for train, test in table.folds:
        model = clone(estimator).fit(*table.rows(train))
        y_score[test] = predict_scores(model, *table.rows(test))
        parts.append(
            group_permutation_importance(
                model,
                *table.rows(test),
                n_jobs=n_jobs,
                random_state=seed,
            )
        )
    of_folds = [part.importances_mean for part in parts]
    importance = Bunch(
        importances=np.stack(of_folds, axis=1),
        importances_mean=np.mean(of_folds, axis=0),
        importances_std=np.std(of_folds, axis=0),
        feature_names=parts[0].feature_names,
        baseline=float(np.mean([part.baseline for part in parts])),
        scoring=ACCURACY,
    )
    return y_score, importance


def _scores_of_all(table, model, held_out):
    """Return the scores of all rows: of those that were not held out, by the model."""
    y_score = held_out.copy()
    others = np.flatnonzero(np.isnan(held_out) & ~table.target.donor)
    if len(others):
        y_score[others] = predict_scores(model, *table.rows(others))
    return y_score


def _number_of_refits(table, n_refits):
    """Return the number of refits: none without systems, few where rows are many."""
    if table.system is None:
        return 0
    if n_refits is None:
        return _N_REFITS if len(table.learnt) <= _MOST_REFITTED_ROWS else 0
    return n_refits


def _refitted(table, estimator, n_refits, seed, n_jobs):
    """Return scores of the rows to learn from, on one scale, and those of refits.

    None without refits.
    """
    if not n_refits:
        return None
    return cross_fitted_scores(
        estimator,
        *table.rows(table.learnt),
        cv=table.positions_of_folds(),
        n_refits=n_refits,
        random_state=seed,
        n_jobs=n_jobs,
    )


def _leaderboards(table, y_score, refitted, n_boot, seed):
    """Return the leaderboards of people and of the score, and what to note of them."""
    if table.system is None:
        return (None, None), []
    is_ranked = ~table.target.donor[table.learnt]
    rows, y_refits = table.learnt[is_ranked], None
    y_score = y_score[rows]
    if refitted is not None:
        y_score = refitted.y_score[is_ranked]
        y_refits = refitted.y_refits[is_ranked]
    options = {"n_boot": n_boot, "random_state": seed}

    def of_people():
        if table.target.votes is not None:
            return board_of_votes(table, options, notes)
        of_rows = {"item": table.system, "cluster": table.block}
        return bootstrap_leaderboard(table.groups, **of_rows, **options)

    def of_score():
        return bootstrap_leaderboard(
            table.open_groups[rows],
            y_score,
            y_refits=y_refits,
            item=table.system[rows],
            cluster=table.block[rows],
            **options,
        )

    boards, notes = [], []
    for whose, made in (("people", of_people), ("the learnt score", of_score)):
        try:
            board = made()
        except ValueError as error:
            board = None
            notes.append(f"No leaderboard of {whose}: {error}")
        boards.append(board)
    return tuple(boards), notes
