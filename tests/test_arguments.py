"""Groups and weights beside the target: refused with the call that was meant."""

import inspect
import re

import numpy as np
import pytest
import sklearn
from cases import ESTIMATORS, default_of, linear_groups, quick_estimators
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import has_fit_parameter

from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore.metrics import dcg_scorer, mrr_scorer

X, GROUPS = linear_groups()
ROWS = np.arange(len(X))
WEIGHT_FIELD = (
    "got sample_weight of type ndarray; expected None, since weights are the field "
    "`weight` of the target. Pass Groups.from_arrays(group=..., preference=..., "
    "weight=sample_weight)."
)
# Methods that X and a target are passed to.
WITH_TARGET = [
    "fit",
    "partial_fit",
    "fit_transform",
    "augment",
    "rank",
    "rank_sums",
    "score",
]
CALLS = [
    pytest.param(estimator, method, id=f"{type(estimator).__name__}.{method}")
    for method in WITH_TARGET
    for estimator in quick_estimators(method)
]


def message_of(call, *args, **kwargs):
    """Return the message of the TypeError that a call raises."""
    with pytest.raises(TypeError) as caught:
        call(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize("argument", ["group", "groups", "group_id", "qid", "query_id"])
@pytest.mark.parametrize(("estimator", "method"), CALLS)
def test_groups_beside_the_target(estimator, method, argument):
    # The target itself is called `groups` in some methods.
    if argument in inspect.signature(getattr(estimator, method)).parameters:
        argument = "group_label"
    message = message_of(getattr(estimator, method), X, ROWS, **{argument: ROWS})
    assert message.startswith(
        f"{type(estimator).__name__}.{method}: got an unexpected keyword argument "
        f"'{argument}'; expected X and the target, which holds groups and weights. Call "
        f"{method}(X, Groups.from_arrays(group=..., preference=...))."
    )
    assert ("group=np.repeat(np.arange(len(sizes)), sizes)" in message) == (
        argument == "group"
    )


@pytest.mark.parametrize("argument", ["sample_weight", "weight", "weights"])
@pytest.mark.parametrize(("estimator", "method"), CALLS)
def test_weights_beside_the_target(estimator, method, argument):
    message = message_of(getattr(estimator, method), X, GROUPS, **{argument: ROWS})
    if (method, argument) == ("score", "sample_weight"):
        assert message == f"{type(estimator).__name__}.score {WEIGHT_FIELD}"
    else:
        assert message.endswith(
            f"Call {method}(X, Groups.from_arrays(group=..., preference=..., weight=...))."
        )


@pytest.mark.parametrize(
    ("args", "kwargs", "problem"),
    [
        ((X, ROWS, ROWS, ROWS), {}, "too many positional arguments"),
        ((X,), {}, "missing a required argument: '"),
        ((X, GROUPS), {"epochs": 3}, "got an unexpected keyword argument 'epochs'"),
    ],
)
@pytest.mark.parametrize(("estimator", "method"), CALLS)
def test_other_calls_that_do_not_fit(estimator, method, args, kwargs, problem):
    message = message_of(getattr(estimator, method), *args, **kwargs)
    assert message.startswith(f"{type(estimator).__name__}.{method}: {problem}")
    assert f"Call {method}(X, Groups.from_arrays(" in message


def test_errors_come_before_any_work():
    for estimator in quick_estimators():
        before = dict(vars(estimator))
        message_of(estimator.fit, X, GROUPS, qid=ROWS)
        assert vars(estimator) == before


@pytest.mark.parametrize("name", ["PairwisePreferenceRanker", "LevelClassifierRanker"])
@pytest.mark.parametrize(
    ("args", "kwargs"), [((), {"groups": GROUPS}), ((), {"qid": ROWS}), ((0, 0), {})]
)
def test_predict_that_takes_no_groups(name, args, kwargs):
    (ranker,) = (r for r in quick_estimators() if type(r).__name__ == name)
    message = message_of(ranker.fit(X, GROUPS).predict, X, *args, **kwargs)
    assert message.endswith(
        "expected X alone, for a row's score depends on no other row. Call predict(X), or "
        "rank(X, groups) for the order inside groups."
    )


@pytest.mark.parametrize("return_std", [GROUPS, ROWS, None, 1])
def test_groups_are_not_read_as_return_std(return_std):
    ranker = PairwisePreferenceRanker((4,), max_epochs=2).fit(X, GROUPS)
    kind = type(return_std).__name__
    assert message_of(ranker.predict, X, return_std) == (
        f"return_std is of type {kind}; expected a bool. A row's score depends on no "
        "other row: call predict(X), or rank(X, groups) for the order inside groups."
    )
    assert len(ranker.predict(X, np.True_)) == 2


@pytest.mark.parametrize(
    ("passed", "columns"),
    [
        ({"qid": "query"}, 'group="query", preference="..."'),
        (
            {"group": "g", "preference": "p", "sample_weight": "w"},
            'group="g", preference="p", weight="w"',
        ),
        ({"groups": ROWS, "preference": "p"}, 'group="...", preference="p"'),
        ({}, 'group="...", preference="..."'),
    ],
)
def test_columns_of_files(passed, columns):
    message = message_of(PairwisePreferenceRanker().fit_parquet, "a.parquet", **passed)
    assert message.startswith("PairwisePreferenceRanker.fit_parquet: ")
    assert message.endswith(
        f"; expected names of columns. Call fit_parquet(path, {columns})."
    )


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_signatures_stay_visible(kind):
    first, X, y, *others = inspect.signature(kind.fit).parameters
    assert (first, X, y) == ("self", "X", "y")
    assert others in ([], ["X_val", "y_val"])
    assert kind.fit.__doc__
    assert not has_fit_parameter(default_of(kind), "sample_weight")
    requests = default_of(kind).get_metadata_routing()
    assert requests.fit.requests == dict.fromkeys(others)
    if hasattr(kind, "score"):
        assert requests.score.requests == {"sample_weight": None}


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("ranker", quick_estimators("score"))
def test_default_scores_of_pipelines_and_searches(ranker, routing):
    expected = make_pipeline(StandardScaler(), ranker).fit(X, GROUPS)
    expected = expected[-1].score(expected[:-1].transform(X), GROUPS)
    pipe = make_pipeline(StandardScaler(), ranker)
    scorers = {"mrr": mrr_scorer, "dcg": dcg_scorer}
    whole = [(ROWS, ROWS)]
    with sklearn.config_context(enable_metadata_routing=routing):
        assert pipe.fit(X, GROUPS).score(X, GROUPS) == expected
        search = GridSearchCV(pipe, {}, cv=whole).fit(X, GROUPS)
        assert search.cv_results_["mean_test_score"].tolist() == [expected]
        assert search.score(X, GROUPS) == expected
        results = cross_validate(pipe, X, GROUPS, cv=whole)
        assert results["test_score"].tolist() == [expected]
        search = GridSearchCV(ranker, {}, scoring=scorers, refit="dcg", cv=whole)
        search.fit(X, GROUPS)
        assert search.score(X, GROUPS) == dcg_scorer(search, X, GROUPS)
        results = cross_validate(pipe, X, GROUPS, cv=whole, scoring=scorers)
        assert results["test_mrr"].tolist() == [mrr_scorer(pipe, X, GROUPS)]


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("ranker", quick_estimators("score"))
def test_weights_of_scores_are_never_dropped(ranker, routing):
    ranker.fit(X, GROUPS)
    caller = re.escape(f"{type(ranker).__name__}.score {WEIGHT_FIELD}")
    with sklearn.config_context(enable_metadata_routing=routing):
        assert ranker.score(X, GROUPS, sample_weight=None) == ranker.score(X, GROUPS)
        with pytest.raises(TypeError, match=caller):
            permutation_importance(ranker, X, GROUPS, sample_weight=ROWS)
        with pytest.raises(TypeError, match=re.escape(f"{mrr_scorer} {WEIGHT_FIELD}")):
            permutation_importance(
                ranker, X, GROUPS, scoring=mrr_scorer, sample_weight=ROWS
            )


def test_weights_of_several_scorers_are_not_dropped():
    ranker = PairwisePreferenceRanker((4,), max_epochs=2).fit(X, GROUPS)
    scorers = {"mrr": mrr_scorer, "dcg": dcg_scorer}
    with pytest.raises(TypeError, match=re.escape(f"{mrr_scorer} {WEIGHT_FIELD}")):
        permutation_importance(
            ranker, X, GROUPS, scoring=scorers, sample_weight=ROWS, n_repeats=1
        )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"qid": [0], "relevance": [1]},
            "Groups.from_arrays: missing a required argument: 'group'; expected fields by "
            "their names: group, preference, item, ",
        ),
        (
            {"group": [0], "y": [1], "sample_weight": [1]},
            "Groups.from_arrays: got an unexpected keyword argument 'y'; expected",
        ),
        ({"qid": [0]}, "Pass qid as group=."),
        (
            {"group": [0], "label": [1], "weights": [1]},
            "Pass label as preference=, weights as weight=.",
        ),
        ({"group": [0], "colour": [1]}, "Pass each by its name."),
    ],
)
def test_fields_by_the_names_of_other_libraries(fields, message):
    with pytest.raises(TypeError, match=re.escape(message)):
        Groups.from_arrays(**fields)


def test_fields_by_place_are_refused():
    with pytest.raises(
        TypeError, match="too many positional arguments; expected fields"
    ):
        Groups.from_arrays([0, 1], [1, 2])
    expected = re.escape("Groups.from_frame: got an unexpected keyword argument 'qid'")
    with pytest.raises(TypeError, match=expected):
        Groups.from_frame({"a": [1]}, group="a", qid="a")
    assert "group" in inspect.signature(Groups.from_arrays).parameters
