"""Every public estimator passes scikit-learn's own checks, with no exemption."""

import inspect

from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import parametrize_with_checks

import sklearn_pscore

ESTIMATORS = [
    public
    for public in (getattr(sklearn_pscore, name) for name in sklearn_pscore.__all__)
    if inspect.isclass(public) and issubclass(public, BaseEstimator)
]


@parametrize_with_checks([estimator() for estimator in ESTIMATORS])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_estimators_are_those_with_fit():
    with_fit = [
        name
        for name in sklearn_pscore.__all__
        if hasattr(getattr(sklearn_pscore, name), "fit")
    ]
    assert [estimator.__name__ for estimator in ESTIMATORS] == with_fit
    assert "PairwisePreferenceRanker" in with_fit
