"""Parameters are checked by the methods that read them, whenever they were set."""

import re

import numpy as np
import pytest
from cases import linear_groups, quick_estimators
from numpy.testing import assert_equal
from sklearn.svm import LinearSVC
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_pscore import LevelClassifierRanker, PairAugmenter
from sklearn_pscore._estimators.parameters import check_parameters

X, GROUPS = linear_groups()
NO_PARAMETER_TAKES = ["foo", "float16", ..., np.array(5), b"cpu"]
AFTER_FIT = {
    "predict": (X,),
    "rank": (X, GROUPS),
    "score": (X, GROUPS),
    "rank_sums": (X, GROUPS),
    "preference_proba": (X, X[::-1]),
    "transform": (X,),
    "augment": (X, GROUPS),
}
FITS = ["fit", "partial_fit", "fit_transform"]


def calls(methods):
    return [
        pytest.param(estimator, method, id=f"{type(estimator).__name__}.{method}")
        for method in methods
        for estimator in quick_estimators(method)
    ]


@pytest.mark.parametrize("value", [*NO_PARAMETER_TAKES, True, -1, "cuda:99"], ids=repr)
@pytest.mark.parametrize(("estimator", "method"), calls(AFTER_FIT))
def test_after_fit_a_parameter_is_checked_or_not_read(estimator, method, value):
    call = getattr(estimator.fit(X, GROUPS), method)
    expected = call(*AFTER_FIT[method])
    for name, before in estimator.get_params(deep=False).items():
        # All negative penalties are right: bonuses.
        if name.endswith("_penalty") and value == -1:
            continue
        estimator.set_params(**{name: value})
        try:
            result = call(*AFTER_FIT[method])
        except ValueError as error:
            message, result = str(error), expected
        else:
            message = f"{name} is not read"
        assert re.search(rf"\b{name}\b", message)
        assert_equal(result, expected, name)
        estimator.set_params(**{name: before})


@pytest.mark.parametrize("value", NO_PARAMETER_TAKES, ids=repr)
@pytest.mark.parametrize(("estimator", "method"), calls(FITS))
def test_fits_check_all_parameters_before_any_work(estimator, method, value):
    for name, before in estimator.get_params(deep=False).items():
        estimator.set_params(**{name: value})
        state = dict(vars(estimator))
        with pytest.raises((ValueError, TypeError), match=rf"\b{name}\b"):
            getattr(estimator, method)(X, GROUPS)
        assert vars(estimator) == state
        estimator.set_params(**{name: before})


@pytest.mark.parametrize(
    ("method", "name", "value", "message"),
    [
        ("predict", "predict_dtype", "foo", "'predict_dtype' parameter of Pairwise"),
        ("predict", "predict_dtype", "foo", "must be a str among {'"),
        ("predict", "predict_dtype", "foo", "'float64'"),
        ("predict", "predict_dtype", "foo", "Got 'foo' instead"),
        ("preference_proba", "predict_dtype", "float16", "Got 'float16' instead"),
        ("partial_fit", "device", "meta", "device='meta' cannot be used: "),
        ("predict", "output", "labels", "Got 'labels' instead"),
        ("augment", "max_stitched", True, "must not be a bool. Got True instead"),
        ("fit", "n_members", True, "must not be a bool. Got True instead"),
        ("fit", "stitch_sizes", np.array(2), "Got array(2) instead; pass [2]."),
        ("fit", "hidden_layer_sizes", np.array(5), "must have a dimension. Got"),
    ],
)
def test_messages(method, name, value, message):
    estimator = next(e for e in quick_estimators(method) if name in e.get_params())
    estimator.fit(X, GROUPS).set_params(**{name: value})
    with pytest.raises(ValueError, match=re.escape(message)):
        getattr(estimator, method)(*AFTER_FIT.get(method, (X, GROUPS)))


def test_only_what_is_asked_for_is_checked():
    augmenter = PairAugmenter(max_stitched="foo", n_injected=True)
    check_parameters(augmenter, "stitch_sizes", "random_state")
    with pytest.raises(
        InvalidParameterError, match="'n_injected' parameter of PairAug"
    ):
        check_parameters(augmenter, "n_injected")
    with pytest.raises(
        InvalidParameterError, match="'max_stitched' parameter of PairA"
    ):
        check_parameters(augmenter)


def test_what_the_fitted_classifier_cannot_do():
    ranker = LevelClassifierRanker(LinearSVC(), n_levels=2, output="label")
    ranker.fit(X, GROUPS).set_params(output="expected", n_levels=-3)
    with pytest.raises(TypeError, match="has no predict_proba"):
        ranker.predict(X)
