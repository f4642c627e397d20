"""restored_on_error: a failed method leaves no trace."""

import pytest
from sklearn.linear_model import LinearRegression

from sklearn_pscore._estimators.restore import restored_on_error


def _disturb(model, error=None):
    model.coef_ = [2.0]
    model.extra_ = "new"
    del model.intercept_
    if error is not None:
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_attributes_come_back_and_the_error_goes_on(error):
    model = LinearRegression()
    model.coef_, model.intercept_ = [1.0], 0.5
    before = dict(vars(model))
    with pytest.raises(error), restored_on_error(model):
        _disturb(model, error("stop"))
    assert vars(model) == before


def test_without_an_error_the_changes_stay():
    model = LinearRegression()
    model.coef_, model.intercept_ = [1.0], 0.5
    with restored_on_error(model):
        _disturb(model)
    assert model.coef_ == [2.0]
    assert model.extra_ == "new"
    assert not hasattr(model, "intercept_")
