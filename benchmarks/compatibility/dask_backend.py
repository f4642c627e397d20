"""dask: joblib's backend, on a cluster of this machine's processes."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.compatibility.check import Checks
from benchmarks.compatibility.data import FOLDS, GROUPS, X, accuracy_of_folds, ranker

CHECKS = Checks("dask", needs=("dask", "distributed"))


@CHECKS.works(
    'joblib.parallel_backend("dask"): GridSearchCV(n_jobs=-1)',
    "in processes of a LocalCluster",
)
def backend():
    import joblib
    from dask.distributed import Client, LocalCluster
    from sklearn.model_selection import GridSearchCV

    from sklearn_pscore.metrics import pairwise_accuracy_scorer

    search = GridSearchCV(
        ranker(),
        {"dropout": [0.0, 0.3]},
        scoring=pairwise_accuracy_scorer,
        cv=FOLDS,
        n_jobs=-1,
    )
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, dashboard_address=None
        ) as cluster,
        Client(cluster),
        joblib.parallel_backend("dask"),
    ):
        search.fit(X, GROUPS)
    expected = [np.mean(accuracy_of_folds(ranker(dropout=d))) for d in (0.0, 0.3)]
    assert_allclose(search.cv_results_["mean_test_score"], expected)
    by_hand = ranker(**search.best_params_).fit(X, GROUPS)
    assert_array_equal(search.predict(X), by_hand.predict(X))
