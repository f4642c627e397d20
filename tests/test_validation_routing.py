"""Validation sets in Pipelines and searches, with metadata routing and without."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import sklearn
from cases import quick
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_pscore import PairAugmenter
from sklearn_pscore._rankers.validation_set import warn_if_far_outside
from sklearn_pscore.datasets import make_head_challenge
from sklearn_pscore.metrics import ndcg_scorer
from sklearn_pscore.model_selection import (
    PreferenceGroupKFold,
    groups_train_test_split,
)

PAGE = Path(__file__).parent.parent / "docs" / "validation.md"


@pytest.fixture
def parts(data):
    """Return X, y, X_val, y_val on the scale of raw metrics, of 20 and 10 groups."""
    X, groups = data
    X = X * [1, 20, 0.1] + [0, 300, 0.9]
    is_first = groups["group"] < 20
    return X[is_first], groups[is_first], X[~is_first], groups[~is_first]


def routed(ranker=None):
    ranker = quick(scoring=ndcg_scorer) if ranker is None else ranker
    return ranker.set_fit_request(X_val=True, y_val=True)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler()])
@pytest.mark.usefixtures("routing")
class TestPipelineWithRouting:
    def test_hands_on_what_it_has_prepared(self, parts, scaler):
        X, y, X_val, y_val = parts
        model = make_pipeline(scaler, routed(), transform_input=["X_val"])
        model.fit(X, y, X_val=X_val, y_val=y_val)
        fitted = clone(scaler).fit(X)
        prepared = {"X_val": fitted.transform(X_val), "y_val": y_val}
        by_hand = quick(scoring=ndcg_scorer).fit(fitted.transform(X), y, **prepared)
        assert_array_equal(model.predict(X_val), by_hand.predict(prepared["X_val"]))
        scores = [
            ranker.history_["valid_score"].tolist() for ranker in (model[-1], by_hand)
        ]
        assert scores[0] == scores[1]

    def test_with_an_augmenter_in_between(self, parts, scaler):
        X, y, X_val, y_val = parts
        augmenter = PairAugmenter((2,), max_stitched=9, random_state=0)
        ranker = routed(quick(early_stopping=True))
        model = make_pipeline(scaler, augmenter, ranker, transform_input=["X_val"])
        model.fit(X, y, X_val=X_val, y_val=y_val)
        fitted = clone(scaler).fit(X)
        carrying = clone(augmenter).fit_transform(fitted.transform(X), y)
        by_hand = quick(early_stopping=True)
        by_hand.fit(carrying, y, X_val=fitted.transform(X_val), y_val=y_val)
        losses = [
            ranker.history_["valid_loss"].tolist() for ranker in (model[-1], by_hand)
        ]
        assert losses[0] == losses[1]
        assert model[-1].n_pairs_ == by_hand.n_pairs_ > quick().fit(X, y).n_pairs_

    def test_in_a_search(self, parts, scaler):
        X, y, X_val, y_val = parts
        model = make_pipeline(scaler, routed(), transform_input=["X_val"])
        grid = {"pairwisepreferenceranker__dropout": [0.0, 0.2]}
        search = GridSearchCV(model, grid, cv=PreferenceGroupKFold(2))
        search.fit(X, y, X_val=X_val, y_val=y_val)
        assert "valid_score" in search.best_estimator_[-1].history_

    def test_in_a_comparison_of_folds(self, parts, scaler):
        X, y, X_val, y_val = parts
        result = cross_validate(
            make_pipeline(scaler, routed(), transform_input=["X_val"]),
            X,
            y,
            cv=PreferenceGroupKFold(2),
            params={"X_val": X_val, "y_val": y_val},
            return_estimator=True,
        )
        for model in result["estimator"]:
            assert "valid_score" in model[-1].history_

    def test_without_transform_input_it_warns(self, parts, scaler):
        X, y, X_val, y_val = parts
        model = make_pipeline(scaler, routed())
        with pytest.warns(
            UserWarning, match="X_val lies far outside of X in [12] of 3"
        ):
            model.fit(X, y, X_val=X_val, y_val=y_val)

    def test_without_a_request_scikit_learn_says_so(self, parts, scaler):
        X, y, X_val, y_val = parts
        model = make_pipeline(scaler, quick(), transform_input=["X_val"])
        with pytest.raises(ValueError, match="not explicitly set as requested or not"):
            model.fit(X, y, X_val=X_val, y_val=y_val)


def test_pipeline_without_routing_hands_on_the_raw_set(parts):
    X, y, X_val, y_val = parts
    model = Pipeline([("scale", StandardScaler()), ("rank", quick())])
    with pytest.warns(UserWarning, match="X_val lies far outside of X") as caught:
        model.fit(X, y, rank__X_val=X_val, rank__y_val=y_val)
    (message,) = [str(warning.message) for warning in caught]
    assert 'enable metadata routing and pass transform_input=["X_val"]' in message
    # At the line of the user.
    assert caught[0].filename == __file__
    scaled = StandardScaler().fit(X).transform(X_val)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, y, rank__X_val=scaled, rank__y_val=y_val)
    assert "valid_loss" in model[-1].history_


@pytest.mark.parametrize("is_routed", [False, True])
def test_a_search_that_slices_the_set_is_noticed(data, is_routed):
    X, groups = data
    rows = np.arange(150)[::-1]
    passed = {"X_val": X[rows], "y_val": groups[rows]}
    with sklearn.config_context(enable_metadata_routing=is_routed):
        ranker = routed(quick()) if is_routed else quick()
        search = GridSearchCV(ranker, {"n_members": [1]}, cv=PreferenceGroupKFold(2))
        with pytest.warns(UserWarning, match="are cut") as caught:
            search.fit(X, groups, **passed)
    messages = [str(warning.message) for warning in caught]
    # In both folds; the refit has the whole set.
    assert len(messages) == 2
    for message in messages:
        assert "PairwisePreferenceRanker.fit got a y_val in which" in message
        assert (
            "if they have as many rows as X: pass some groups more, or less" in message
        )


def test_a_search_hands_on_a_set_of_another_length(parts):
    X, y, X_val, y_val = parts
    search = GridSearchCV(quick(), {"n_members": [1]}, cv=PreferenceGroupKFold(2))
    search.fit(X, y, X_val=X_val, y_val=y_val)
    by_hand = quick(n_members=1).fit(X, y, X_val=X_val, y_val=y_val)
    losses = [
        ranker.history_["valid_loss"].tolist()
        for ranker in (search.best_estimator_, by_hand)
    ]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("test_size", [0.2, 0.5])
@pytest.mark.parametrize("track", ["talking", "listening"])
def test_random_parts_of_a_data_set_do_not_warn(track, test_size, recwarn):
    """Nor do those that are shifted by half of the range."""
    data = make_head_challenge(track, n_challenges=6, random_state=0)
    for seed in range(20):
        X, X_val, *_ = groups_train_test_split(
            np.asarray(data.data), data.groups, test_size=test_size, random_state=seed
        )
        warn_if_far_outside(X_val, X)
        warn_if_far_outside(X_val + np.ptp(X, axis=0) / 2, X)
    assert not recwarn


def test_the_page_runs_as_it_is_printed(capsys):
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.S)
    assert len(blocks) == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in blocks:
            exec(compile(block, str(PAGE), "exec"), names)
    assert "valid_score" in capsys.readouterr().out
    model, X_val, y_val = (names[name] for name in ("model", "X_val", "y_val"))
    assert "valid_loss" in model[-1].history_
    assert model.score(X_val, y_val) > 0.7
    assert len(names["monitor"].get_logs().data) > 5
