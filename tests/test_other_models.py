"""docs/other_models.md: its examples run, and its messages are those that users see."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from catboost import CatBoostError, CatBoostRanker
from lightgbm import LGBMRanker
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectFromModel, SelectKBest, f_regression
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import TargetEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBRanker

from sklearn_pscore.metrics import mrr_scorer
from tests.cases import linear_groups, quick

PAGE = (Path(__file__).parents[1] / "docs" / "other_models.md").read_text()
X, GROUPS = linear_groups()
# Each row of the table: the message, and models that say so when they are not wrapped.
MESSAGES = re.findall(r"^\| `+ ?(.+?) ?`+ \| .+ \| `.+\(.*\)` \|$", PAGE, flags=re.M)
UNWRAPPED = [
    [LGBMRanker()],
    [XGBRanker()],
    [CatBoostRanker(verbose=0, allow_writing_files=False)],
    [Ridge(), SelectFromModel(Lasso())],
    [LogisticRegression(), LinearSVC(), TargetEncoder()],
    [SelectKBest(f_regression, k=1)],
]


def test_examples_run():
    names = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.S):
        exec(compile(code, "docs/other_models.md", "exec"), names)
    assert names["search"].best_score_ > 0.7
    table = names["comparison"].table()[("MRR", "mean")]
    assert table.index.tolist() == ["GT", "LightGBM", "XGBoost", "CatBoost", "ridge"]
    assert np.all(table > 0.5)
    assert names["chosen"][1].get_support().tolist() == [True, True, False, False]
    assert names["encoded"].score(names["clips"], names["groups"]) > 0.75
    stack = names["stack"]
    assert list(stack.named_rankers_) == ["linear", "LightGBM", "ridge"]
    assert stack.weights_.min() >= 0
    assert stack.score(names["X"], names["groups"]) > 0.75
    assert ((names["chances"] > 0) & (names["chances"] < 1)).all()
    methods = ("GT", "stack", "linear", "x0", "x1", "x2", "x3")
    assert names["by_metric"].methods == methods


def test_every_message_has_its_models():
    assert len(MESSAGES) == len(UNWRAPPED)


@pytest.mark.filterwarnings("ignore:The number of unique classes")
@pytest.mark.parametrize(
    ("message", "model"),
    [
        pytest.param(message, model, id=type(model).__name__)
        for message, models in zip(MESSAGES, UNWRAPPED, strict=True)
        for model in models
    ],
)
def test_messages_are_those_of_the_page(message, model):
    pipe = make_pipeline(model, quick()) if hasattr(model, "transform") else model
    with pytest.raises((TypeError, ValueError, CatBoostError)) as caught:
        pipe.fit(X.round(), GROUPS)
    assert message in str(caught.value)


@pytest.mark.parametrize("model", [LGBMRanker(), XGBRanker()])
def test_a_search_ends_with_the_message_of_the_library(model):
    search = GridSearchCV(model, {}, scoring=mrr_scorer, cv=KFold(3))
    with pytest.raises(ValueError, match="All the 3 fits failed") as caught:
        search.fit(X, GROUPS)
    last = str(caught.value).strip().splitlines()[-1]
    assert any(message in last for message in MESSAGES[:2])


@pytest.mark.parametrize(
    ("model", "warning"),
    [
        (SelectKBest(k=1), "invalid value encountered in divide"),
        (
            DecisionTreeClassifier(),
            "The number of unique classes is greater than 50% of",
        ),
        (
            RandomForestClassifier(2),
            "The number of unique classes is greater than 50% of",
        ),
        (
            ExtraTreesClassifier(2),
            "The number of unique classes is greater than 50% of",
        ),
    ],
)
def test_models_that_only_warn(model, warning):
    page = PAGE.replace("\n", " ")
    assert warning[:36] in page
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, GROUPS)
    assert any(warning in str(one.message) for one in caught)


def test_a_model_that_fails_in_predict():
    with pytest.raises(TypeError, match="did not contain a loop"):
        KNeighborsRegressor().fit(X, GROUPS).predict(X)
