"""Every public estimator passes scikit-learn's own checks, with no exemption."""

import pytest
import sklearn
from cases import ESTIMATORS, default_of
from sklearn.utils.estimator_checks import parametrize_with_checks

import sklearn_pscore


@pytest.mark.parametrize("routing", [False, True], ids=["", "routing"])
@parametrize_with_checks([default_of(kind) for kind in ESTIMATORS])
def test_scikit_learn_checks(estimator, check, routing):
    with sklearn.config_context(enable_metadata_routing=routing):
        check(estimator)


def test_estimators_are_those_with_fit():
    with_fit = [
        name
        for name in sklearn_pscore.__all__
        if hasattr(getattr(sklearn_pscore, name), "fit")
    ]
    assert [estimator.__name__ for estimator in ESTIMATORS] == with_fit
    assert "PairwisePreferenceRanker" in with_fit
