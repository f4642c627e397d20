"""Check of an estimator's parameters, in the methods that read them."""

import numpy as np
from sklearn.utils._param_validation import (
    InvalidParameterError,
    validate_parameter_constraints,
)


def check_parameters(estimator, *names):
    """Raise InvalidParameterError unless parameters satisfy their constraints.

    Parameters may be set at any time, so each method checks those that it reads,
    and no others. Scikit-learn's own check lets True pass as the integer 1, and an
    array without a dimension as a list.

    Parameters
    ----------
    estimator : estimator
        Has `_parameter_constraints`.
    *names : str
        Parameters to check; none checks all of them.

    Raises
    ------
    InvalidParameterError
        It is a ValueError and a TypeError.
    """
    caller, constraints = type(estimator).__name__, estimator._parameter_constraints
    values = {name: getattr(estimator, name) for name in names or constraints}
    validate_parameter_constraints(constraints, values, caller)
    for name, value in values.items():
        may_be_bool = any(kind in ("boolean", "verbose") for kind in constraints[name])
        if isinstance(value, bool) and not may_be_bool:
            raise InvalidParameterError(
                f"The {name!r} parameter of {caller} must not be a bool. Got {value!r} "
                "instead; pass a number."
            )
        if isinstance(value, np.ndarray) and value.ndim == 0:
            raise InvalidParameterError(
                f"The {name!r} parameter of {caller} must have a dimension. Got "
                f"{value!r} instead; pass [{value}]."
            )
