"""X and target of different lengths: the message names the two, and both lengths."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from cases import quick
from scipy.sparse import csr_array
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import (
    Groups,
    LevelClassifierRanker,
    LinearPreferenceRanker,
    RankSumRanker,
    SingleMetricRanker,
    StackedRanker,
    TopCountRanker,
)
from sklearn_pscore._target.rows import count_rows
from sklearn_pscore.metrics import make_ranking_scorer, mrr_scorer, ndcg_scorer
from sklearn_pscore.model_selection import PreferenceGroupKFold

X = np.random.default_rng(0).normal(size=(20, 2))
GROUPS = Groups.from_arrays(group=np.arange(20) // 4, preference=X[:, 0])
# Nine rows of X and eight entries, all groups whole.
FEATURES, EIGHT = X[:9], GROUPS[:8]
RANKERS = {
    "pairwise": quick(max_epochs=1),
    "linear": LinearPreferenceRanker(),
    "single": SingleMetricRanker(),
    "stack": StackedRanker(
        [("a", LinearPreferenceRanker()), ("b", SingleMetricRanker(1))]
    ),
    "rank sums": RankSumRanker(directions="larger"),
    "top counts": TopCountRanker(directions="larger"),
    "levels": LevelClassifierRanker(random_state=0),
}
MODELS = {
    **RANKERS,
    "pipeline": make_pipeline(StandardScaler(), RANKERS["levels"]),
    "pipeline that passes groups": make_pipeline(
        StandardScaler(), RANKERS["rank sums"]
    ),
    "search": GridSearchCV(
        RANKERS["levels"], {"random_state": [0]}, cv=PreferenceGroupKFold(2)
    ),
}
LENGTHS = re.escape("groups has 8 entries but X has 9 rows; expected one entry per row")


class Untouched:
    """A fitted model that must not predict: the check comes before any work."""

    def predict(self, X):
        raise AssertionError("predict was called")


@pytest.mark.parametrize("name", RANKERS)
@pytest.mark.parametrize(
    "form", [np.asarray, np.ndarray.tolist, pd.DataFrame, pl.DataFrame], ids=repr
)
def test_rank(name, form):
    ranker = RANKERS[name].fit(form(X), GROUPS)
    assert len(ranker.rank(form(X[:8]), EIGHT)) == 8
    with pytest.raises(ValueError, match=LENGTHS):
        ranker.rank(form(FEATURES), EIGHT)


@pytest.mark.parametrize("name", MODELS)
def test_score(name):
    model = MODELS[name].fit(X, GROUPS)
    assert 0 <= model.score(X[:8], EIGHT) <= 1
    with pytest.raises(ValueError, match=LENGTHS):
        model.score(FEATURES, EIGHT)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "scorer",
    [mrr_scorer, ndcg_scorer, make_ranking_scorer(lambda groups, y_score: 0.5)],
)
def test_scorers(name, scorer):
    model = MODELS[name].fit(X, GROUPS)
    assert 0 <= scorer(model, X[:8], EIGHT) <= 1
    with pytest.raises(ValueError, match=LENGTHS):
        scorer(model, FEATURES, EIGHT)


def test_the_lengths_are_compared_before_anything_is_predicted():
    with pytest.raises(ValueError, match=LENGTHS):
        mrr_scorer(Untouched(), FEATURES, EIGHT)
    with pytest.raises(ValueError, match=LENGTHS):
        mrr_scorer(Untouched(), FEATURES, list(range(8)))


@pytest.mark.parametrize("name", RANKERS)
def test_a_plain_target_of_another_length(name):
    ranker = RANKERS[name].fit(X, GROUPS["preference"])
    with pytest.raises(ValueError, match=LENGTHS):
        ranker.score(FEATURES, GROUPS["preference"][:8])


def test_rows_are_counted_in_everything_that_has_some():
    for rows in (X, X.tolist(), pd.DataFrame(X), pl.DataFrame(X), csr_array(X), GROUPS):
        assert count_rows(rows, "X") == 20
    for nothing in (None, 3.0, np.array(3.0)):
        with pytest.raises(TypeError, match="expected one row per sample"):
            count_rows(nothing, "X")
