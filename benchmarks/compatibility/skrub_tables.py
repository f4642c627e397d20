"""skrub: tables as they are."""

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.compatibility.check import Checks
from benchmarks.compatibility.data import (
    FOLDS,
    GROUPS,
    LABEL,
    X,
    accuracy_of_folds,
    ranker,
)

CHECKS = Checks("skrub", needs=("skrub",))
TABLE = X.assign(
    kind=np.where(LABEL % 2, "talk", "listen"),
    made=pd.to_datetime("2023-01-01") + pd.to_timedelta(np.arange(60) % 7, "D"),
)


@CHECKS.works(
    "make_pipeline(TableVectorizer(), ranker)", "text and dates become numbers"
)
def vectorizer():
    from sklearn.pipeline import make_pipeline
    from skrub import TableVectorizer

    from sklearn_pscore import rank

    model = make_pipeline(TableVectorizer(), ranker()).fit(TABLE, GROUPS)
    table = TableVectorizer().fit_transform(TABLE)
    by_hand = ranker().fit(table, GROUPS)
    assert_array_equal(model.predict(TABLE), by_hand.predict(table))
    assert_array_equal(rank(model, TABLE, GROUPS), by_hand.rank(table, GROUPS))


@CHECKS.works("tabular_pipeline(ranker)")
def tabular():
    from skrub import tabular_pipeline

    model = tabular_pipeline(ranker()).fit(TABLE, GROUPS)
    table = model[:-1].transform(TABLE)
    by_hand = ranker().fit(table, GROUPS)
    assert_allclose(model.predict(TABLE), by_hand.predict(table))


@CHECKS.works(
    "skrub.X(...).skb.apply(ranker, y=groups).skb.make_grid_search(scoring=...)"
)
def data_ops():
    import skrub

    from sklearn_pscore.metrics import pairwise_accuracy_scorer

    dropout = skrub.choose_from([0.0, 0.3], name="dropout")
    scores = skrub.X(X).skb.apply(ranker(dropout=dropout), y=skrub.y(GROUPS))
    found = scores.skb.make_grid_search(
        fitted=True, scoring=pairwise_accuracy_scorer, cv=FOLDS
    )
    means = found.results_.set_index("dropout")["mean_test_score"]
    for value in (0.0, 0.3):
        expected = np.mean(accuracy_of_folds(ranker(dropout=value)))
        assert_allclose(means[value], expected)
