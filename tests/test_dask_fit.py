"""Fits on a Dask cluster: what they give, beside those on one machine."""

import pickle

import numpy as np
import pytest
from cases import SEED, quick
from dask_cases import COLUMNS, TIMEOUT, judged_table, local_cluster, parts_of, split
from numpy.testing import assert_allclose, assert_array_equal
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
    assert not hasattr(ranker, "feature_importances_")
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


def test_scores_of_partitions_in_one_line(client, frame):
    ddf = split(frame, [180, 180])
    ranker = fit(quick(random_state=SEED), ddf)
    metrics = ranker.feature_names_in_
    scored = ddf.map_partitions(
        lambda part: part.assign(score=ranker.predict(part[metrics]))
    )
    expected = ranker.predict(frame[metrics])
    assert_allclose(scored.compute()["score"], expected, rtol=1e-12)


def test_weights_and_blocks_are_columns(client, frame):
    frame["person"] = [f"person {label % 12}" for label in frame["prompt"]]
    frame["n"] = np.where(frame["prompt"] % 2, 3.0, 0.0)
    ranker = fit(
        PairwisePreferenceRanker(max_epochs=2, random_state=SEED),
        split(frame, [180, 180]),
        weight="n",
        block="person",
    )
    assert ranker.n_features_in_ == 4
    assert ranker.n_groups_ == 30
    # Each member left out a fold of the blocks, so the spread is a standard error.
    assert ranker.net_.n_folds == 5
    _, std = ranker.predict(frame[ranker.feature_names_in_], return_std=True)
    assert (std > 0).all()


def test_missing_metrics_of_one_worker_are_known_to_all(client, frame):
    frame.loc[:20, "metric3"] = np.nan
    ranker = fit(quick(shortcut="additive"), split(frame, [180, 180]))
    assert ranker.net_.module_.shortcut.missing_features.tolist() == [3]


@pytest.mark.parametrize("loss", ["lambdarank", "listnet"])
def test_other_losses(client, frame, loss):
    X, groups = parts_of(frame)
    settings = {"loss": loss, "max_epochs": 10}
    # Each seed has other folds, by which members differ.
    locals_ = [quick(**settings, random_state=s).fit(X, groups) for s in range(4)]
    ranker = fit(quick(**settings, random_state=SEED), split(frame, [240, 120]))
    scores = [local.score(X, groups) for local in locals_]
    assert abs(ranker.score(X, groups) - np.mean(scores)) < 0.03
    found = ranker.history_["train_loss"]
    losses = np.stack([local.history_["train_loss"] for local in locals_])
    # Other folds and other batches.
    assert (found > 0.85 * losses.min(axis=0)).all()
    assert (found < 1.15 * losses.max(axis=0)).all()


def test_ties_that_count(client, frame):
    frame["opinion"] = frame["opinion"].round()
    X, groups = parts_of(frame)
    settings = {"ties": "half", "random_state": SEED}
    local = quick(**settings).fit(X, groups)
    ranker = fit(quick(**settings), split(frame, [180, 180]))
    assert ranker.n_pairs_ == local.n_pairs_
    chosen = frame.assign(opinion=np.where(frame["metric0"] > 1, 10.0, 0.0))
    with pytest.raises(ValueError, match=r"Groups.from_winners"):
        fit(quick(**settings), split(chosen, [180, 180]))


def test_progress_is_told_here(client, frame, capfd):
    fit(quick(verbose=2, max_epochs=4), split(frame, [180, 180]))
    told = [line for line in capfd.readouterr().err.splitlines() if "epoch" in line]
    assert told[-1].startswith("[PairwisePreferenceRanker] epoch 4 of 4, train_loss")


def test_scores_that_are_constant_warn(client, frame):
    frame["opinion"] = np.random.default_rng(SEED).normal(size=len(frame))
    for name in [name for name in frame if name.startswith("metric")]:
        frame[name] = 1.0
    with pytest.warns(UserWarning, match=r"The scores are \(nearly\) constant"):
        fit(quick(), split(frame, [180, 180]))


def test_the_start_has_the_same_bits_for_any_partitions(client, frame):
    X, _ = parts_of(frame)
    # Steps of no length: what is fitted is the start.
    settings = {
        "max_epochs": 1,
        "learning_rate_init": 1e-30,
        "weight_decay": 0.0,
        "n_members": 3,
        "random_state": SEED,
    }
    first, *others = (
        fit(PairwisePreferenceRanker(**settings), split(frame, sizes)).predict(X)
        for sizes in ([360], [180, 180], [60, 300], [6, 120, 0, 234])
    )
    for scores in others:
        assert_array_equal(scores, first)
