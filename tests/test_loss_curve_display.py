"""The display of a training: losses, validation score and the best epoch."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pictures import assert_inside
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import PairwisePreferenceRanker
from sklearn_pscore.metrics import ndcg_scorer
from sklearn_pscore.model_selection import PreferenceGroupKFold
from sklearn_pscore.plotting import LossCurveDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def quick(**parameters):
    return PairwisePreferenceRanker(
        **{"max_epochs": 4, "n_members": 2, "random_state": 0, **parameters}
    )


def legend_of(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_curves_of_a_fit_with_a_score(data):
    ranker = quick(early_stopping=True, scoring=ndcg_scorer).fit(*data)
    display = LossCurveDisplay.from_estimator(ranker)
    history = ranker.history_
    assert_array_equal(display.train_line_.get_xdata(), history["epoch"])
    assert_array_equal(display.train_line_.get_ydata(), history["train_loss"])
    assert_array_equal(display.valid_line_.get_ydata(), history["valid_loss"])
    assert_array_equal(display.score_line_.get_ydata(), history["valid_score"])
    best = 1 + np.argmax(history["valid_score"])
    assert display.best_epoch_ == best
    assert display.best_line_.get_xdata()[0] == best
    assert legend_of(display) == [
        "training loss",
        "validation loss",
        "Validation ndcg",
        f"best epoch, {best}",
    ]
    assert display.score_ax_.get_ylabel() == "Validation ndcg"
    assert display.ax_.get_xlabel() == "Epoch"
    assert_inside(display.figure_)


@pytest.mark.parametrize(
    ("scoring", "name"),
    [
        (None, "Validation pairwise accuracy"),
        (lambda model, X, groups: 0.5, "Validation <lambda>"),
    ],
)
def test_names_of_scores(data, scoring, name):
    ranker = quick(early_stopping=True, scoring=scoring).fit(*data)
    display = LossCurveDisplay.from_estimator(ranker)
    assert display.score_ax_.get_ylabel() == name


def test_best_epoch_by_the_loss(data):
    X, groups = data
    few = groups["group"] < 10
    ranker = quick(max_epochs=12).fit(X, groups, X_val=X[few], y_val=groups[few])
    display = LossCurveDisplay.from_estimator(ranker)
    assert display.best_epoch_ == 1 + np.argmin(ranker.history_["valid_loss"])
    assert display.score_ax_ is None
    assert display.score_line_ is None


def test_without_a_validation_set(data):
    display = LossCurveDisplay.from_estimator(quick(max_epochs=1).fit(*data))
    assert display.best_epoch_ is None
    assert display.best_line_ is None
    assert display.valid_line_ is None
    assert legend_of(display) == ["training loss"]
    assert display.train_line_.get_marker() == "o"
    assert display.ax_.get_xticks().tolist() == [1]
    assert_inside(display.figure_)


def test_a_fit_that_goes_on_without_a_validation_set(data):
    X, groups = data
    ranker = quick(warm_start=True).fit(X, groups, X_val=X, y_val=groups)
    ranker.fit(X, groups)
    display = LossCurveDisplay.from_estimator(ranker)
    assert_array_equal(display.train_line_.get_xdata(), np.arange(1, 9))
    assert np.isnan(display.valid_line_.get_ydata()[4:]).all()
    assert display.best_epoch_ <= 4


def test_pipelines_and_searches(data):
    X, groups = data
    pipe = make_pipeline(StandardScaler(), quick()).fit(X, groups)
    search = GridSearchCV(
        pipe,
        {"pairwisepreferenceranker__max_epochs": [3]},
        cv=PreferenceGroupKFold(2),
    ).fit(X, groups)
    figure, ax = plt.subplots()
    for model, n_epochs in ((pipe, 4), (search, 3)):
        display = LossCurveDisplay.from_estimator(model, ax=ax, color="red", lw=3)
        assert len(display.train_line_.get_xdata()) == n_epochs
        assert display.figure_ is figure
        assert display.train_line_.get_color() == "red"
        assert display.train_line_.get_linewidth() == 3


def test_columns_of_nan_are_not_drawn():
    nan = [np.nan, np.nan]
    display = LossCurveDisplay(
        epoch=[1, 2], train_loss=[1, 2], valid_loss=nan, valid_score=nan
    ).plot()
    assert display.valid_line_ is None
    assert display.score_line_ is None
    display = LossCurveDisplay(
        epoch=[1, 2], train_loss=[1, 2], valid_score=[0.1, 0.2], score_name="$x"
    ).plot()
    assert legend_of(display) == ["training loss", "$x", "best epoch, 2"]
    assert_inside(display.figure_)


def test_bad_input(data):
    X, groups = data
    message = "Ridge has no history_; expected a fitted PairwisePreferenceRanker"
    with pytest.raises(TypeError, match=re.escape(message)):
        LossCurveDisplay.from_estimator(Ridge().fit(X, groups["preference"]))
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(quick())
    for what in (PairwisePreferenceRanker, "model.skops"):
        with pytest.raises(TypeError, match="estimator is .*; expected a fitted Pair"):
            LossCurveDisplay.from_estimator(what)
    message = "valid_loss has shape (1,) but epoch has (2,); expected one value"
    with pytest.raises(ValueError, match=re.escape(message)):
        LossCurveDisplay(epoch=[1, 2], train_loss=[1, 2], valid_loss=[1]).plot()
    with pytest.raises(ValueError, match="one epoch at least"):
        LossCurveDisplay(epoch=[], train_loss=[]).plot()
    assert plt.get_fignums() == []
