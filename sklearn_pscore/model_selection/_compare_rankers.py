"""Comparison of rankers over seeds (the paper's Table 2) or over folds."""

import numpy as np
import pandas as pd
from sklearn.utils.parallel import Parallel, delayed

from sklearn_pscore._progress import progress_of
from sklearn_pscore.metrics import dcg_scorer, mrr_scorer, pairwise_accuracy_scorer
from sklearn_pscore.model_selection._comparison_arguments import (
    check_error_score,
    check_n_jobs,
    check_n_seeds,
    check_rankers,
    check_scoring,
)
from sklearn_pscore.model_selection._comparison_bounds import ceilings_of, chance_of
from sklearn_pscore.model_selection._comparison_folds import (
    make_folds,
    sizes_of,
    warn_about_overlap,
)
from sklearn_pscore.model_selection._comparison_result import RankerComparison
from sklearn_pscore.model_selection._comparison_runs import (
    fit_and_score,
    report,
    score_truth,
)
from sklearn_pscore.model_selection._comparison_warnings import RunWarnings, recorded
from sklearn_pscore.model_selection._leave_out import check_judges
from sklearn_pscore.model_selection._seeds import draw_seeds, seed_names
from sklearn_pscore.model_selection._single_metrics import with_single_metrics


def compare_rankers(
    rankers,
    X,
    groups,
    *,
    test=None,
    cv=None,
    cv_groups=None,
    leave_out=None,
    reference=None,
    scoring=None,
    n_seeds=5,
    random_state=0,
    truth="GT",
    single_metrics=False,
    n_jobs=None,
    verbose=0,
    error_score=np.nan,
):
    """Fit rankers over several seeds and compare them on held-out rows.

    The rows to judge on are either given (``test=``, as in Table 2 of the
    paper [1]_) or held out in turn (``cv=``, or one system, group or block after the
    other by ``leave_out=``). Each run fits a clone. Its
    `random_state` (or CatBoost's `random_seed`) is set to the run's seed. A
    nested one, at any depth that ``get_params`` shows, is set to a seed computed
    from the run's seed and the parameter's name, so that the parts of a pipeline
    draw different numbers. All rankers get the same seeds. A ranker without such
    a parameter counts as deterministic and is fitted once per fold.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    rankers : dict of str to estimator
        The estimators or pipelines by the names to show. It may be empty with
        `single_metrics`.

    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Features to fit on.

    groups : structured ndarray of shape (n_samples,)
        Target built by Groups, to fit on.

    test : tuple (X_test, groups_test) or None, default=None
        Rows to judge on. Exactly one of `test`, `cv` and `leave_out` is needed.

    cv : int, splitter, iterable of (train, test) or None, default=None
        Folds to hold out in turn; the number k is ``PreferenceGroupKFold(k)``.
        Computed once, so all rankers and seeds have the same folds.

    cv_groups : array-like of shape (n_samples,) or None, default=None
        Labels that the splitter splits by, if not the blocks of `groups`, or its
        groups where there are none.

    leave_out : {"item", "group", "block"} or None, default=None
        Field of `groups` to leave out, one label after the other, each a fold. With
        "item" the rankers learn without a system, and are judged by the pairs that hold
        it: how well is a new system placed among those that are known? Each pair
        counts by the product of its weights. Of a target of votes, accuracy is over the
        votes on the system, and tau of the pairs of strengths. With "group" and "block"
        it is as with `cv`.

    reference : structured ndarray of shape (n_samples,) or None, default=None
        Target to judge held-out rows by, for instance the full opinion where
        `groups` holds the winners only. None judges by `groups`. Not with
        `test`, where the reference is ``groups_test``.

    scoring : dict of str to callable or None, default=None
        Scorers ``scorer(ranker, X, groups)`` by the names to show. None is
        ``{"MRR": mrr_scorer, "DCG": dcg_scorer}``, and with ``leave_out="item"``
        ``{"accuracy": pairwise_accuracy_scorer}``, which takes it and
        ``kendall_tau_scorer`` only.

    n_seeds : int, default=5
        Number of runs, each with its own seed.

    random_state : int, RandomState instance or None, default=0
        Draws the seeds.

    truth : str or None, default="GT"
        Name of a first method that scores every row by the reference itself:
        the best possible. None leaves it out.

    single_metrics : bool, default=False
        Whether to add every column of `X` as a ranker of its own, by its name: a
        :class:`~sklearn_pscore.SingleMetricRanker` that learns on the rows to fit on
        whether larger or smaller is better. Columns without a name are x0, x1, ...

    n_jobs : int or None, default=None
        Number of processes, see :term:`n_jobs`. Seeds do not depend on it.

    verbose : int, default=0
        1 shows a progress bar on a terminal or in a notebook, and elsewhere a plain
        line for about each tenth of the fits and for each ranker that is done, with
        the mean of the first metric. 2 is a plain line per fit. All of it goes to the
        standard error.

    error_score : "raise" or float, default=nan
        Score of a run whose fit fails, and of a scorer that fails. The others go
        on, and one ``FitFailedWarning`` names them all. "raise" raises the first
        error, with a note that names its run. Ctrl-C goes through in any case.

    Returns
    -------
    comparison : RankerComparison
        With `test`, its tables take the spread over seeds, else over folds. Where
        the target to judge by has `n_raters` and `spread`, it has a noise ceiling.

    Raises
    ------
    TypeError
        If `rankers` or `scoring` is no dict, or holds what cannot be used.
    ValueError
        If not exactly one of `test`, `cv` and `leave_out` is given, or values or lengths
        cannot be used, or a part to judge on has no two items of one group that
        differ in preference. All of it before anything is fitted. And if every
        fit fails.

    Warns
    -----
    UserWarning
        If a fold cuts groups, once for all of them; and what fits and scorers warn of,
        each warning once with the number of fits and the rankers that it is of.

    See Also
    --------
    PreferenceGroupKFold : Splits by group.
    SingleMetricRanker : A metric by itself.
    LeaderboardDisplay : Draws the result.

    Notes
    -----
    The truth is scored before anything is fitted, so a metric that cannot be used
    on a held-out part fails at once, whatever `error_score` is.

    A held-out group in which every row was trained on warns, if it has two items
    that differ in preference. Where a group has a row that was not, as when a
    system is left out, those that were are the rivals that it is compared with.

    ``get_params`` of CatBoost's models shows a seed only if one was given: pass
    ``CatBoostClassifier(random_seed=0)``, or its seed is the same in all runs.

    References
    ----------
    .. [1] Zhou et al., "Learning and Evaluating Human Preferences for
       Conversational Head Generation", ACM MM 2023, arXiv:2307.10636.

    Examples
    --------
    In two of the three groups the preferred item has the larger value, so the
    ranker of larger values puts it first in these two.

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
    | chance | 0.75 | 2.45 |
    >>> round(comparison.paired("larger", "smaller", "MRR").mean, 2)
    0.17
    """
    if scoring is None:
        scoring = {"MRR": mrr_scorer, "DCG": dcg_scorer}
        if leave_out == "item":
            scoring = {"accuracy": pairwise_accuracy_scorer}
    check_n_jobs(n_jobs)
    check_rankers(rankers, truth, single_metrics)
    if single_metrics:
        rankers = with_single_metrics(rankers, X, truth)
    check_scoring(scoring)
    check_n_seeds(n_seeds)
    check_error_score(error_score)
    if leave_out == "item":
        check_judges(scoring)
    folds = make_folds(X, groups, test, cv, cv_groups, reference, leave_out)
    seeds = draw_seeds(n_seeds, random_state)
    rows, failures = [], []
    if truth is not None:
        rows += [score_truth(truth, fold, scoring) for fold in folds]
    chance = chance_of(folds, scoring)
    warn_about_overlap(folds)
    runs = [
        (name, seed, fold)
        for name, ranker in rankers.items()
        for seed in (seeds if seed_names(ranker) else [None])
        for fold in folds
    ]
    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(recorded)(
            fit_and_score, name, rankers[name], seed, fold, scoring, error_score
        )
        for name, seed, fold in runs
    )
    last_of = {name: number for number, (name, *_) in enumerate(runs)}
    said, scores = RunWarnings(), {}
    with progress_of("compare_rankers", "fit", len(runs), verbose) as progress:
        for number, ((row, failed), found) in enumerate(results):
            name = row["method"]
            rows.append(row)
            failures += failed
            said.add(name, found)
            scores.setdefault(name, []).append(row[next(iter(scoring))])
            progress.update(
                1,
                f"{name}: {next(iter(scoring))} {np.mean(scores[name]):.3f}",
                is_milestone=verbose > 1 or number == last_of[name],
            )
    said.warn()
    report(failures, len(runs), error_score)
    return RankerComparison(
        pd.DataFrame(rows).astype({"seed": "Int64"}),
        tuple(scoring),
        truth,
        "fold" if test is None else "seed",
        sizes=sizes_of(folds),
        chance=chance,
        ceiling=ceilings_of(folds, scoring),
    )
