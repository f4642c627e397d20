"""Fits on a Dask cluster: what they give, beside those on one machine."""

import pickle

import numpy as np
import pytest
from cases import SEED, quick
from dask_cases import COLUMNS, TIMEOUT, judged_table, local_cluster, parts_of, split
from numpy.testing import assert_array_equal
from scipy.stats import spearmanr

from sklearn_pscore import PairwisePreferenceRanker


@pytest.fixture(scope="module")
def client():
    with local_cluster() as client:
        yield client


@pytest.fixture
def frame():
    return judged_table()


def fit(ranker, ddf, **kwargs):
    return ranker.fit_dask(ddf, **{**COLUMNS, "timeout": TIMEOUT, **kwargs})


def test_defaults_are_as_good_as_on_one_machine(client):
    frame = judged_table(n_groups=250, size=8)
    X_test, groups_test = parts_of(judged_table(n_groups=1000, size=8, seed=SEED + 1))
    ddf = split(frame, [400, 560, 1040])
    accuracies, correlations = [], []
    for seed in range(3):
        ranker = PairwisePreferenceRanker(random_state=seed)
        local = PairwisePreferenceRanker(random_state=seed).fit(*parts_of(frame))
        assert fit(ranker, ddf) is ranker
        both = [local.score(X_test, groups_test), ranker.score(X_test, groups_test)]
        accuracies.append(both)
        scores = local.predict(X_test), ranker.predict(X_test)
        correlations.append(spearmanr(*scores).statistic)
        assert ranker.n_groups_ == local.n_groups_
        assert ranker.n_pairs_ == local.n_pairs_
        assert_array_equal(ranker.feature_names_in_, local.feature_names_in_)
        assert len(ranker.history_["epoch"]) == len(local.history_["epoch"])
    local, cluster = np.mean(accuracies, axis=0)
    assert abs(local - cluster) < 0.002
    assert min(correlations) > 0.998


def test_it_is_an_ordinary_ranker_afterwards(client, frame):
    ranker = fit(quick(random_state=SEED), split(frame, [180, 180]))
    X, groups = parts_of(frame)
    assert ranker.score(X, groups) > 0.6
    scores = ranker.predict(X)
    assert_array_equal(pickle.loads(pickle.dumps(ranker)).predict(X), scores)
    n_epochs = len(ranker.history_["epoch"])
    ranker.partial_fit(X, groups)
    assert len(ranker.history_["epoch"]) == n_epochs + 1
    again = fit(ranker, split(frame, [180, 180]))
    assert_array_equal(again.predict(X), scores)


def test_the_same_seed_gives_the_same_bits(client, frame):
    ddf = split(frame, [120, 0, 180, 60])
    first, second = (fit(quick(random_state=SEED), ddf) for _ in range(2))
    X, _ = parts_of(frame)
    assert_array_equal(first.predict(X), second.predict(X))
    # Where the partitions are makes no difference, but for their order.
    persisted = ddf.persist()
    third = fit(quick(random_state=SEED), persisted)
    assert_array_equal(third.predict(X), first.predict(X))
    assert len(persisted.compute()) == len(frame)
