"""The whole pipeline inside everything in scikit-learn that takes a regressor."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import BaggingRegressor, StackingRegressor, VotingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import (
    Groups,
    PairAugmenter,
    PairwisePreferenceRanker,
    RankSumRanker,
    TopCountRanker,
)
from sklearn_pscore.metrics import (
    dcg_scorer,
    kendall_tau_scorer,
    mrr_scorer,
    ndcg_scorer,
    pairwise_accuracy_scorer,
)
from sklearn_pscore.model_selection import PreferenceGroupKFold

FEATURES = ["SSIM", "PSNR", "FID"]
SCORERS = {
    "mrr": mrr_scorer,
    "dcg": dcg_scorer,
    "ndcg": ndcg_scorer,
    "accuracy": pairwise_accuracy_scorer,
    "tau": kendall_tau_scorer,
}


@pytest.fixture(scope="module")
def data():
    """Twelve groups of five items whose order the first two metrics tell."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 3)), columns=FEATURES)
    group = [f"track-{number:02d}" for number in rng.permutation(60) // 5]
    preference = 2 * X["SSIM"] + X["PSNR"] + 0.1 * rng.normal(size=60)
    return X, Groups.from_arrays(group=group, preference=preference)


def make_pipe(max_epochs=10, **kwargs):
    ranker = PairwisePreferenceRanker(
        (8,),
        max_epochs=max_epochs,
        learning_rate_init=0.05,
        batch_size=50,
        random_state=0,
    )
    augmenter = PairAugmenter((2, 3, 4), max_stitched=5, n_injected=10, random_state=0)
    steps = [
        ("scale", StandardScaler()),
        ("augment", augmenter),
        ("rank", ranker),
    ]
    return Pipeline(steps, **kwargs)


@pytest.fixture(scope="module")
def fitted(data):
    return make_pipe().fit(*data)


def assert_useful(scores):
    """Better than chance, and a number in every place."""
    scores = np.asarray(scores)
    assert np.all(np.isfinite(scores))
    assert np.mean(scores) > 0.6


def test_fit_learns_and_uses_the_synthetic_items(data, fitted):
    X, groups = data
    # Rows without clips have no seam: stitching costs accuracy here.
    assert fitted.score(X, groups) > 0.7
    own_pairs = 12 * 10
    assert fitted[-1].n_pairs_ > own_pairs
    assert fitted[-1].n_groups_ == 12


def test_grid_search_with_several_scorers_and_workers(data):
    X, groups = data
    search = GridSearchCV(
        make_pipe(),
        {
            "augment__stitch_sizes": [(2,), (2, 3)],
            "rank__hidden_layer_sizes": [(4,), (8, 4)],
        },
        scoring=SCORERS,
        refit="ndcg",
        cv=PreferenceGroupKFold(3),
        n_jobs=2,
    ).fit(X, groups)
    assert len(search.cv_results_["params"]) == 4
    for name in SCORERS:
        assert np.all(np.isfinite(search.cv_results_[f"mean_test_{name}"]))
    assert_useful(search.cv_results_["mean_test_accuracy"])
    assert search.predict(X).shape == (60,)
    assert_useful(search.score(X, groups))


def test_grid_search_with_workers_is_reproducible(data):
    search = GridSearchCV(
        make_pipe(3),
        {"augment__stitch_sizes": [(2,), ()]},
        scoring=dcg_scorer,
        cv=PreferenceGroupKFold(2),
        n_jobs=2,
    )
    scores = [clone(search).fit(*data).cv_results_["mean_test_score"] for _ in range(2)]
    assert_array_equal(*scores)


def test_randomized_search(data):
    search = RandomizedSearchCV(
        make_pipe(),
        {"rank__learning_rate_init": [0.01, 0.05, 0.1]},
        n_iter=2,
        scoring=pairwise_accuracy_scorer,
        cv=PreferenceGroupKFold(2),
        random_state=0,
    ).fit(*data)
    assert_useful(search.cv_results_["mean_test_score"])


def test_halving_search_over_epochs(data):
    search = HalvingGridSearchCV(
        make_pipe(),
        {"rank__learning_rate_init": [0.01, 0.05, 0.1]},
        resource="rank__max_epochs",
        min_resources=2,
        max_resources=18,
        scoring=ndcg_scorer,
        cv=PreferenceGroupKFold(2),
        random_state=0,
    ).fit(*data)
    assert search.n_resources_ == [2, 6]
    assert_useful(search.best_score_)


def test_nested_cross_validation(data):
    X, groups = data
    search = GridSearchCV(
        make_pipe(),
        {"rank__weight_decay": [0.0, 0.1]},
        scoring=ndcg_scorer,
        cv=PreferenceGroupKFold(2),
    )
    scores = cross_val_score(
        search, X, groups, scoring=pairwise_accuracy_scorer, cv=PreferenceGroupKFold(2)
    )
    assert len(scores) == 2
    assert_useful(scores)


def test_cross_validate_with_every_scorer(data):
    results = cross_validate(
        make_pipe(), *data, scoring=SCORERS, cv=PreferenceGroupKFold(3), n_jobs=2
    )
    for name in SCORERS:
        assert len(results[f"test_{name}"]) == 3
    assert_useful(results["test_accuracy"])


def test_cross_val_predict(data):
    X, groups = data
    scores = cross_val_predict(make_pipe(), X, groups, cv=PreferenceGroupKFold(3))
    train, test = next(PreferenceGroupKFold(3).split(X, groups))
    alone = make_pipe().fit(X.iloc[train], groups[train]).predict(X.iloc[test])
    assert_array_equal(scores[test], alone)


def test_learning_curve(data):
    sizes, _, scores = learning_curve(
        make_pipe(),
        *data,
        train_sizes=[0.5, 1.0],
        scoring=pairwise_accuracy_scorer,
        cv=PreferenceGroupKFold(3),
    )
    assert sizes.tolist() == [20, 40]
    assert_useful(scores)


def test_validation_curve(data):
    _, scores = validation_curve(
        make_pipe(),
        *data,
        param_name="rank__max_epochs",
        param_range=[2, 10],
        scoring=ndcg_scorer,
        cv=PreferenceGroupKFold(3),
    )
    assert scores.shape == (2, 3)
    assert_useful(scores)


@pytest.mark.parametrize("name", SCORERS)
def test_permutation_importance_finds_the_metric(data, fitted, name):
    X, groups = data
    result = permutation_importance(
        fitted, X, groups, scoring=SCORERS[name], n_repeats=5, random_state=0, n_jobs=2
    )
    assert FEATURES[int(np.argmax(result.importances_mean))] == "SSIM"


def test_permutation_importance_with_few_samples(data, fitted):
    X, groups = data
    with pytest.warns(UserWarning, match="groups cut"):
        result = permutation_importance(
            fitted,
            X,
            groups,
            scoring=SCORERS,
            n_repeats=2,
            max_samples=0.8,
            random_state=0,
        )
    assert result["dcg"].importances_mean[0] > 0


def test_partial_dependence_rises_with_the_metric(data, fitted):
    average = partial_dependence(fitted, data[0], ["SSIM"], grid_resolution=5)[
        "average"
    ]
    assert average[0, 0] < average[0, -1]


def test_sequential_feature_selector(data):
    X, groups = data
    selector = SequentialFeatureSelector(
        make_pipe(),
        n_features_to_select=1,
        scoring=pairwise_accuracy_scorer,
        cv=PreferenceGroupKFold(2),
    ).fit(X, groups)
    assert selector.get_feature_names_out().tolist() == ["SSIM"]


def test_voting(data):
    X, groups = data
    members = [
        ("small", make_pipe(5)),
        ("large", make_pipe(10)),
        ("rs", RankSumRanker()),
    ]
    voting = VotingRegressor(members).fit(X, groups)
    expected = np.mean([member.predict(X) for member in voting.estimators_], axis=0)
    assert_array_equal(voting.predict(X), expected)
    assert_useful(pairwise_accuracy_scorer(voting, X, groups))


def test_bagging(data):
    X, groups = data
    bagging = BaggingRegressor(make_pipe(5), n_estimators=3, random_state=0)
    assert_useful(pairwise_accuracy_scorer(bagging.fit(X, groups), X, groups))


def test_stacking_with_a_ranker_last(data):
    X, groups = data
    stacking = StackingRegressor(
        [("ps", make_pipe(5)), ("top", TopCountRanker())],
        final_estimator=PairwisePreferenceRanker((), max_epochs=20, random_state=0),
        cv=PreferenceGroupKFold(2),
    ).fit(X, groups)
    assert_useful(pairwise_accuracy_scorer(stacking, X, groups))


def test_memory(data, fitted, tmp_path):
    X, groups = data
    expected = fitted.predict(X)
    for _ in range(2):
        # The second time, the augmented X comes from the cache.
        cached = make_pipe(memory=joblib.Memory(tmp_path, verbose=0)).fit(X, groups)
        assert cached[-1].n_pairs_ == fitted[-1].n_pairs_
        assert_array_equal(cached.predict(X), expected)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output(data, fitted, container):
    X, groups = data
    pipe = make_pipe().set_output(transform=container).fit(X, groups)
    assert pipe[-1].feature_names_in_.tolist() == FEATURES
    assert pipe[-1].n_pairs_ == fitted[-1].n_pairs_
    assert_array_equal(pipe.predict(X), fitted.predict(X))


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(lambda pipe, path: pickle.loads(pickle.dumps(pipe)), id="pickle"),
        pytest.param(
            lambda pipe, path: joblib.load(joblib.dump(pipe, path / "pipe")[0]),
            id="joblib",
        ),
    ],
)
def test_persistence(data, fitted, copy, tmp_path):
    again = copy(fitted, tmp_path)
    assert_array_equal(again.predict(data[0]), fitted.predict(data[0]))


def test_a_clone_fitted_twice_gives_the_same_bits(data, fitted):
    X, groups = data
    twin = clone(fitted)
    first = twin.fit(X, groups).predict(X)
    second = twin.fit(X, groups).predict(X)
    assert_array_equal(first, second)
    assert_array_equal(first, fitted.predict(X))


def test_plain_model_inside_the_same_comparison(data):
    """A regressor on plain preferences is scored by the same scorers."""
    X, groups = data
    model = make_pipeline(StandardScaler(), Ridge()).fit(X, groups["preference"])
    assert pairwise_accuracy_scorer(model, X, groups) > 0.9
