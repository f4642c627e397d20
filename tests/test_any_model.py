"""``rank`` and ``preference_proba`` of any fitted model, however it is nested."""

import re

import numpy as np
import pandas as pd
import pytest
from cases import SEED, linear_groups, quick
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import StackingRegressor, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_pscore
from sklearn_pscore import (
    Groups,
    LevelClassifierRanker,
    PairAugmenter,
    PairwisePreferenceRanker,
    RankSumRanker,
    TopCountRanker,
    preference_proba,
    rank,
)
from sklearn_pscore.metrics import pairwise_accuracy_scorer, rank_items
from sklearn_pscore.metrics._models import transformed
from sklearn_pscore.model_selection import PreferenceGroupKFold


def in_search(model, **kwargs):
    kwargs = {
        "scoring": pairwise_accuracy_scorer,
        "cv": PreferenceGroupKFold(2),
        **kwargs,
    }
    return GridSearchCV(model, {}, **kwargs)


# Each takes a ranker, and ends in it.
NESTS = {
    "alone": lambda ranker: ranker,
    "pipeline": lambda ranker: make_pipeline(StandardScaler(), ranker),
    "passed steps": lambda ranker: Pipeline(
        [("a", None), ("b", StandardScaler()), ("c", "passthrough"), ("d", ranker)]
    ),
    "augmenter": lambda ranker: make_pipeline(
        StandardScaler(), PairAugmenter((), n_injected=0), ranker
    ),
    "search": in_search,
    "search over a pipeline": lambda ranker: in_search(
        make_pipeline(StandardScaler(), ranker)
    ),
    "search in a pipeline": lambda ranker: make_pipeline(
        StandardScaler(), in_search(make_pipeline(StandardScaler(), ranker))
    ),
    "search over a search": lambda ranker: in_search(in_search(ranker)),
}


@pytest.fixture(scope="module")
def data():
    """Groups with items of two rows, donors, and rows of weight zero."""
    X, groups = linear_groups()
    rng = np.random.default_rng(SEED)
    weight = rng.choice([0.0, 1.0, 2.0], size=len(X))
    donor = rng.random(len(X)) < 0.1
    fields = {name: groups[name] for name in ("group", "preference")}
    return X, Groups.from_arrays(**fields, weight=weight, donor=donor)


def scaled(X, model):
    """Return X as the nested model hands it to its ranker, and that ranker."""
    while True:
        if isinstance(model, GridSearchCV):
            model = model.best_estimator_
        elif isinstance(model, Pipeline):
            scalers = [s for _, s in model.steps if isinstance(s, StandardScaler)]
            for scaler in scalers:
                X = (np.asarray(X) - scaler.mean_) / scaler.scale_
            model = model.steps[-1][1]
        else:
            return X, model


@pytest.mark.parametrize("nest", NESTS)
@pytest.mark.parametrize(
    "ranker",
    [
        quick((), max_epochs=2),
        RankSumRanker(directions="larger"),
        TopCountRanker(directions="larger"),
        LevelClassifierRanker(n_levels=3, random_state=SEED),
    ],
    ids=lambda ranker: type(ranker).__name__,
)
def test_rank_is_that_of_the_innermost_ranker(data, nest, ranker):
    X, groups = data
    model = NESTS[nest](ranker)
    if "augmenter" in nest and not isinstance(ranker, PairwisePreferenceRanker):
        model = NESTS["pipeline"](ranker)
    model.fit(X, groups)
    X_inner, inner = scaled(X, model)
    assert_array_equal(rank(model, X, groups), inner.rank(X_inner, groups))


@pytest.mark.parametrize("nest", NESTS)
def test_proba_is_that_of_the_innermost_ranker(data, nest):
    X, groups = data
    model = NESTS[nest](quick((), max_epochs=2)).fit(X, groups)
    inner = scaled(X, model)[1]
    X_a, X_b = X[:40], X[40:80]
    expected = inner.preference_proba(scaled(X_a, model)[0], scaled(X_b, model)[0])
    proba = preference_proba(model, X_a, X_b)
    assert_array_equal(proba, expected)
    assert np.ptp(proba) > 0.01
    assert_allclose(preference_proba(model, X_b, X_a), 1 - proba, rtol=0, atol=1e-12)


REGRESSORS = {
    "regressor": Ridge(),
    "pipeline": make_pipeline(StandardScaler(), Ridge()),
    "voting": VotingRegressor([("a", Ridge()), ("b", LinearRegression())]),
    "stacking": StackingRegressor([("a", Ridge()), ("b", LinearRegression())]),
    "transformed": TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
    "search": GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}),
    "frozen": FrozenEstimator(Ridge().fit(*linear_groups()[:1], np.arange(150))),
}


@pytest.mark.parametrize("name", REGRESSORS)
def test_rank_of_whatever_predicts_one_score(data, name):
    X, groups = data
    model = REGRESSORS[name].fit(X, groups["preference"])
    expected = rank_items(groups, model.predict(X))
    assert_array_equal(rank(model, X, groups), expected)
    # The double loop, on the rows that are ranked.
    score, rows = model.predict(X), np.flatnonzero(~groups["donor"])
    for row in rows[:20]:
        rivals = rows[groups["group"][rows] == groups["group"][row]]
        above = np.sum(score[rivals] > score[row])
        assert expected[row] == 1 + above


def test_rank_of_a_column_of_scores(data):
    X, groups = data
    model = LinearRegression().fit(X, groups["preference"][:, None])
    assert model.predict(X).shape == (150, 1)
    assert_array_equal(
        rank(model, X, groups), rank_items(groups, model.predict(X)[:, 0])
    )


def test_rank_of_an_object_that_only_predicts(data):
    class Loaded:
        def predict(self, X):
            return X[:, 0]

    X, groups = data
    assert_array_equal(rank(Loaded(), X, groups), rank_items(groups, X[:, 0]))


def test_voting_of_rankers(data):
    X, groups = data
    members = [
        ("a", quick((), max_epochs=2)),
        ("b", RankSumRanker(directions="larger")),
    ]
    voting = VotingRegressor(members).fit(X, groups)
    expected = rank_items(groups, voting.predict(X))
    assert_array_equal(rank(voting, X, groups), expected)


def test_a_frozen_ranker_gets_the_groups(data):
    X, groups = data
    ranker = RankSumRanker(directions="larger").fit(X, groups)
    model = make_pipeline(StandardScaler(with_mean=False), FrozenEstimator(ranker))
    model.fit(X, groups)
    expected = ranker.rank(X / model[0].scale_, groups)
    assert_array_equal(rank(model, X, groups), expected)


def test_a_step_that_resamples_is_no_step_of_a_prediction(data):
    class Sampler:
        def fit_resample(self, X, y):
            raise AssertionError("rows are drawn in fit only")

    X = data[0]
    scaler = StandardScaler().fit(X)
    # imbalanced-learn has a Pipeline of its own, which takes such steps.
    pipe = Pipeline([("draw", Sampler()), ("scale", scaler), ("model", Ridge())])
    assert_array_equal(transformed(pipe, X), scaler.transform(X))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_names_reach_the_first_step(data, library):
    pl = pytest.importorskip("polars")
    X, groups = data
    names = ["SSIM", "PSNR", "FID"]
    columns = dict(zip(names, X.T, strict=True))
    frame = {"pandas": pd.DataFrame, "polars": pl.DataFrame}[library](columns)
    model = make_pipeline(StandardScaler(), quick((), max_epochs=2)).fit(frame, groups)
    array_model = make_pipeline(StandardScaler(), quick((), max_epochs=2)).fit(
        X, groups
    )
    assert_array_equal(rank(model, frame, groups), rank(array_model, X, groups))
    # Another layout in memory, so that sums are rounded in another order.
    assert_allclose(
        preference_proba(model, frame[:5], frame[5:10]),
        preference_proba(array_model, X[:5], X[5:10]),
        rtol=1e-12,
    )
    with pytest.raises(ValueError, match="feature names should match"):
        rank(model, pd.DataFrame(X, columns=["SSIM", "FID", "PSNR"]), groups)


def test_rank_does_not_depend_on_the_order_of_rows(data):
    X, groups = data
    model = make_pipeline(StandardScaler(), RankSumRanker(directions="larger"))
    model.fit(X, groups)
    order = np.random.default_rng(1).permutation(len(X))
    assert_array_equal(
        rank(model, X[order], groups[order]), rank(model, X, groups)[order]
    )


@pytest.mark.parametrize(
    "model",
    [
        quick(),
        Ridge(),
        make_pipeline(StandardScaler(), quick()),
        in_search(quick()),
        make_pipeline(StandardScaler(), in_search(Ridge())),
        VotingRegressor([("a", Ridge())]),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("function", [rank, preference_proba])
def test_not_fitted(data, model, function):
    X, groups = data
    second = groups if function is rank else X
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        function(model, X, second)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("function", [rank, preference_proba])
def test_a_search_without_refit(data, function, several):
    X, groups = data
    scoring = {"accuracy": pairwise_accuracy_scorer} if several else None
    scoring = scoring or pairwise_accuracy_scorer
    search = in_search(RankSumRanker(directions="larger"), refit=False, scoring=scoring)
    message = (
        "The GridSearchCV was fitted with refit=False, so it holds no fitted model"
    )
    second = groups if function is rank else X
    with pytest.raises(ValueError, match=message):
        function(search.fit(X, groups), X, second)
    pipe = make_pipeline(StandardScaler(), search).fit(X, groups)
    with pytest.raises(ValueError, match=message):
        function(pipe, X, second)
    with pytest.raises(ValueError, match=message):
        pairwise_accuracy_scorer(pipe, X, groups)


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        (TopCountRanker(directions="larger"), ["TopCountRanker gives no prob"]),
        (Ridge(), ["Ridge gives no probabilities"]),
        (
            make_pipeline(StandardScaler(), RankSumRanker(directions="larger")),
            ["RankSumRanker, which is inside of the Pipeline, gives no prob"],
        ),
        (
            VotingRegressor([("a", RankSumRanker(directions="larger"))]),
            ["VotingRegressor gives no probabilities"],
        ),
    ],
)
def test_a_ranker_without_probabilities(data, model, parts):
    X, groups = data
    model.fit(X, groups["preference"])
    for part in [*parts, "PairwisePreferenceRanker", "call rank(estimator, X, groups)"]:
        with pytest.raises(TypeError, match=re.escape(part)):
            preference_proba(model, X, X)


def test_the_message_names_all_that_give_probabilities(data):
    model = Ridge().fit(data[0], data[1]["preference"])
    with pytest.raises(TypeError) as caught:
        preference_proba(model, data[0], data[0])
    public = [getattr(sklearn_pscore, name) for name in sklearn_pscore.__all__]
    able = {kind.__name__ for kind in public if hasattr(kind, "preference_proba")}
    named = re.search(r"learns them: (.*?), alone", str(caught.value))[1]
    assert able == {name.split()[0] for name in named.split(" or ")}


@pytest.mark.parametrize(
    ("model", "part"),
    [
        (LogisticRegression(), "LogisticRegression is a classifier, whose predict"),
        (
            make_pipeline(StandardScaler(), LogisticRegression()),
            "LogisticRegression, which is inside of the Pipeline, is a classifier",
        ),
        (KMeans(2, random_state=SEED), "KMeans is a clusterer, whose predict gives"),
        (StandardScaler(), "StandardScaler has no predict; expected a fitted ranker"),
        (
            make_pipeline(StandardScaler(), "passthrough"),
            "'passthrough', which is inside of the Pipeline, has no predict",
        ),
    ],
)
def test_rank_refuses_what_gives_no_scores(data, model, part):
    X, groups = data
    model.fit(X, groups["preference"] > 0)
    with pytest.raises(TypeError, match=re.escape(part)):
        rank(model, X, groups)


def test_rank_refuses_several_targets(data):
    X, groups = data
    model = LinearRegression().fit(X, np.stack([groups["preference"]] * 2, axis=1))
    message = "predict of LinearRegression returned shape (150, 2) for 150 rows"
    with pytest.raises(ValueError, match=re.escape(message)):
        rank(model, X, groups)


def test_rank_checks_the_target(data):
    X, groups = data
    model = Ridge().fit(X, groups["preference"])
    with pytest.raises(
        TypeError, match="rank takes groups as a structured .* needs no pref"
    ):
        rank(model, X, groups["group"])
    message = "groups has 149 entries but X has 150 rows"
    with pytest.raises(ValueError, match=message):
        rank(model, X, groups[1:])


def test_pairs_of_different_length(data):
    X, groups = data
    model = make_pipeline(StandardScaler(), quick((), max_epochs=2)).fit(X, groups)
    with pytest.raises(ValueError, match="X_a has 3 rows but X_b has 4"):
        preference_proba(model, X[:3], X[:4])


@pytest.mark.parametrize("function", [rank, preference_proba])
def test_a_class(data, function):
    message = "estimator is the class Ridge; expected a fitted instance of it."
    with pytest.raises(TypeError, match=message):
        function(Ridge, data[0], data[1])


@pytest.mark.parametrize("function", [rank, preference_proba])
def test_arguments_in_another_order(data, function):
    X, groups = data
    model = Ridge().fit(X, groups["preference"])
    with pytest.raises(TypeError, match="estimator is a ndarray; expected a fitted"):
        function(X, model, groups)
