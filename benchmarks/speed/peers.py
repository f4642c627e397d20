"""The other libraries' rankers, each as one function with the same arguments.

A function takes the items sorted by group, and returns the curve of a judged
score over the seconds of its fit (see curves.py). The seconds include the
work of a library before the first tree, such as binning.
"""

import time

import numpy as np

from benchmarks.speed.curves import as_curve

# Numbers of trees after which the ensemble is judged.
JUDGED = (1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100, 200, 400)


def lightgbm(
    X, grade, group, judge, *, n_trees, n_threads, seed=0, judged=JUDGED, **params
):
    """LightGBM's lambdarank; `params` beside its defaults.

    Parameters
    ----------
    X, grade, group : ndarray
        Sorted by group.
    judge : callable
        Takes a function that scores rows, and returns the score of a model.
    n_trees, n_threads, seed : int
    judged : sequence of int
        Numbers of trees after which the ensemble is judged, and after the last one.
    **params
        As the library names them.
    """
    import lightgbm as lgb

    clock = []
    model = lgb.LGBMRanker(
        n_estimators=n_trees, n_jobs=n_threads, random_state=seed, verbose=-1, **params
    )
    start = time.perf_counter()
    model.fit(
        X,
        grade,
        group=np.bincount(group),
        callbacks=[lambda env: clock.append(time.perf_counter() - start)],
    )
    return _curve(
        clock, lambda k: judge(lambda X: model.predict(X, num_iteration=k)), judged
    )


def xgboost(
    X,
    grade,
    group,
    judge,
    *,
    n_trees,
    n_threads,
    objective,
    seed=0,
    judged=JUDGED,
    **params,
):
    """XGBoost's rank:pairwise or rank:ndcg; arguments as for LightGBM."""
    import xgboost as xgb

    clock = []

    class Clock(xgb.callback.TrainingCallback):
        def after_iteration(self, model, epoch, evals_log):
            clock.append(time.perf_counter() - start)
            return False

    model = xgb.XGBRanker(
        objective=objective,
        n_estimators=n_trees,
        n_jobs=n_threads,
        random_state=seed,
        callbacks=[Clock()],
        **params,
    )
    start = time.perf_counter()
    model.fit(X, grade, qid=group)
    return _curve(
        clock,
        lambda k: judge(lambda X: model.predict(X, iteration_range=(0, k))),
        judged,
    )


def catboost(
    X,
    grade,
    group,
    judge,
    *,
    n_trees,
    n_threads,
    seed=0,
    judged=JUDGED,
    loss_function="PairLogit",
    **params,
):
    """CatBoost's PairLogit over all pairs, or another loss; as for LightGBM."""
    from catboost import CatBoostRanker

    clock = []

    class Clock:
        def after_iteration(self, info):
            clock.append(time.perf_counter() - start)
            return True

    model = CatBoostRanker(
        loss_function=loss_function,
        iterations=n_trees,
        thread_count=n_threads,
        random_seed=seed,
        verbose=False,
        allow_writing_files=False,
        **params,
    )
    start = time.perf_counter()
    model.fit(X, grade, group_id=group, callbacks=[Clock()])
    return _curve(
        clock, lambda k: judge(lambda X: model.predict(X, ntree_end=k)), judged
    )


def _curve(clock, judged_after, judged):
    """Return the curve at some numbers of trees, and after the last one."""
    kept = sorted({k for k in judged if k <= len(clock)} | {len(clock)})
    return as_curve([(clock[k - 1], k, judged_after(k)) for k in kept])
